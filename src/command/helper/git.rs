//! git's credential protocol (git-credential(1), gitcredentials(7)): git asks before a request, and
//! says afterwards whether the server took the answer. `git send-email` and `git imap-send` ask in
//! the same way.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use zeroize::Zeroizing;

use super::chosen::{Chosen, known_service};
use super::{MOST, unread};
use crate::address::Service;
use crate::command::token::{USER, mask_basic};
use crate::command::{Global, one_line, print};
use crate::error::Error;
use crate::secret::Secret;
use crate::world::World;

#[derive(Args, Debug)]
#[command(after_help = "The token goes to the API that it was obtained for, and to the profile's `helper-hosts`, mail
servers too (`smtp://mail.example.com:465` for send-email, `imaps://…` for imap-send). For any
other host nothing is answered, and git asks its next helper.

A server that asks for a bearer token gets one, if git is not older than 2.46. For any other the
token is the password; the user name is `--username`, else that of the address, else `oauth2`.
A token that git saw refused (`erase`) is refreshed, once; `store` does nothing. A git older than
2.46 hands the token to its other helpers too, and one that stores passwords stores it.

To set it up:
  oauthctl profile set work helper-hosts git.example.com
  oauthctl helper install git --profile work

Examples:
  printf 'protocol=https\\nhost=git.example.com\\n' | oauthctl helper git get")]
pub struct GitArgs {
    #[command(flatten)]
    chosen: Chosen,
    /// The user name, where the server wants one beside the token.
    #[arg(long, value_name = "NAME", value_parser = one_line)]
    username: Option<String>,
    /// What git wants: `get`, `store`, `erase` or `capability`; it adds the word itself.
    #[arg(value_name = "OPERATION")]
    operation: String,
}

pub fn run(args: &GitArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    match args.operation.as_str() {
        "get" => get(args, global, world)?,
        "erase" => {
            let asked = Asked::read(world)?;
            if let Some(token) = &asked.secret
                && let Some(service) = asked.service(world)
            {
                asked.chosen(args).refused(world, global, (&service, Some(token)))?;
            }
        }
        "capability" => print(world, b"version 0\ncapability authtype\n")?,
        // the token is stored already; and a later git may have other words
        _ => {}
    }
    Ok(0)
}

fn get(args: &GitArgs, global: &Global, world: &mut World) -> Result<(), Error> {
    let asked = Asked::read(world)?;
    let Some(service) = asked.service(world) else { return Ok(()) };
    let Some(set) = asked.chosen(args).set(world, global, &service)? else { return Ok(()) };
    let token = set.access_token.expose();
    let name = args.username.as_deref().or(asked.username.as_deref()).unwrap_or(USER);
    mask_basic(world, name, token);
    let mut answer = match asked.takes_schemes && service.url().is_some() {
        true => {
            let (scheme, credential) = match asked.wants_bearer {
                true => ("Bearer", Zeroizing::new(token.to_owned())),
                false => ("Basic", Zeroizing::new(STANDARD.encode(format!("{name}:{token}")))),
            };
            // other helpers don't store what is ephemeral and no password
            let credential = &*credential;
            format!("capability[]=authtype\nauthtype={scheme}\ncredential={credential}\nephemeral=1\n")
        }
        false => format!("username={name}\npassword={token}\n"),
    };
    if let Some(at) = set.expires_at {
        answer.push_str(&format!("password_expiry_utc={at}\n"));
    }
    print(world, Zeroizing::new(answer).as_bytes())
}

/// Whether a challenge is of this scheme: a header may have several, each with parameters.
fn offers(header: &str, scheme: &str) -> bool {
    let mut quoted = false;
    let parts = header.split(|c: char| {
        quoted ^= c == '"';
        !quoted && c == ','
    });
    parts.map(|part| part.split_whitespace().next().unwrap_or_default()).any(|word| word.eq_ignore_ascii_case(scheme))
}

/// The token in the credential of a scheme.
fn token_in(scheme: &str, credential: &str) -> Secret {
    let decoded = STANDARD.decode(credential).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"));
    let named = decoded.and_then(|bytes| String::from_utf8(bytes).ok()).map(Zeroizing::new);
    let token = named.as_ref().and_then(|named| named.split_once(':')).map_or(credential, |(_, token)| token);
    Secret::new(token)
}

/// What git says of a request.
#[derive(Default)]
struct Asked {
    protocol: String,
    host: String,
    /// Of the repository, with `credential.useHttpPath`.
    path: Option<String>,
    username: Option<String>,
    /// What the server refused.
    secret: Option<Secret>,
    /// git takes a scheme with its credential, in place of a password.
    takes_schemes: bool,
    /// The server asked for a bearer token.
    wants_bearer: bool,
}

impl Asked {
    fn read(world: &World) -> Result<Asked, Error> {
        let mut bytes = Zeroizing::new(Vec::new());
        world.terminal.stdin().take(MOST as u64).read_to_end(&mut bytes).map_err(unread)?;
        // a path may be of any bytes
        let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        let (mut asked, mut scheme, mut credential) = (Asked::default(), "", None);
        for line in text.split('\n').take_while(|line| !line.is_empty()) {
            let Some((key, value)) = line.split_once('=') else {
                return Err(Error::usage("a line of git's request is no `key=value`"));
            };
            match key {
                "protocol" => value.clone_into(&mut asked.protocol),
                "host" => value.clone_into(&mut asked.host),
                "path" => asked.path = Some(value.to_owned()),
                "username" => asked.username = one_line(value).ok(),
                "password" => asked.secret = Some(Secret::new(value)),
                "authtype" => scheme = value,
                "credential" => credential = Some(value),
                "capability[]" => {
                    asked.takes_schemes = !value.is_empty() && (asked.takes_schemes || value == "authtype")
                }
                "wwwauth[]" => {
                    asked.wants_bearer = !value.is_empty() && (asked.wants_bearer || offers(value, "bearer"));
                }
                _ => {}
            }
        }
        let of_scheme = credential.map(|credential| token_in(scheme, credential));
        asked.secret = of_scheme.or(asked.secret);
        Ok(asked)
    }

    fn service(&self, world: &mut World) -> Option<Service> {
        known_service(world, &self.address(), Service::new(&self.protocol, &self.host))
    }

    fn address(&self) -> String {
        format!("{}://{}", self.protocol, self.host)
    }

    fn chosen(&self, args: &GitArgs) -> Chosen {
        // git-lfs asks for a place within the repository
        let repository = self.path.as_ref().map(|path| path.split("/info/lfs").next().unwrap_or_default());
        let remote = repository.map(|path| format!("{}/{path}", self.address()));
        Chosen { remote, ..args.chosen.clone() }
    }
}

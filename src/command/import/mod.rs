//! `import`: takes over logins that other programs made. Each is stored first and then refreshed,
//! so that a crash loses none; a refresh shows whether it is alive.

mod profiles;
mod sources;

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};

use sources::Found;

use crate::command::{Global, WhoFlags, sandbox_session};
use crate::error::{Error, Kind};
use crate::protocol::client::Client;
use crate::provider::catalogue;
use crate::secret::Secret;
use crate::session::fresh::{FreshnessPolicy, fresh};
use crate::session::keep::{NewLogin, choose_store, earlier, store_login};
use crate::session::secret_source::{secret_from_file, text_of_file};
use crate::text::{safe, times};
use crate::token::TokenSet;
use crate::world::World;

/// The longest file of another program's, in bytes.
const LONGEST: usize = 4 << 20;

#[derive(Args, Debug)]
#[command(after_help = "The login moves here: most providers replace the refresh token at its first use, and the other
program's copy is spent then. A profile that has a login already is left alone.

Examples:
  oauthctl import refresh-token token.txt --provider dropbox --client-id ID
  oauthctl import rclone
  oauthctl import gcloud --profile google
  gpg -d ann.token | oauthctl import mutt-oauth2
  oauthctl import dotenv --provider dropbox
  oidc-gen -p egi | oauthctl import oidc-agent")]
pub struct ImportArgs {
    /// The program that has the login.
    #[arg(value_enum)]
    source: Source,
    /// Its file; `-` is standard input [default: where the program keeps it, or standard input]
    #[arg(value_name = "FILE")]
    file: Option<String>,
    /// The profile that gets the login [default: its name in the other program]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    #[command(flatten)]
    flags: WhoFlags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// A refresh token alone; `--provider` and `--client-id` say the rest.
    RefreshToken,
    /// rclone's remotes that have a client of their own.
    Rclone,
    /// Google's application default credentials, as gcloud writes them.
    Gcloud,
    /// An account of oidc-agent's, as `oidc-gen -p` prints it.
    OidcAgent,
    /// The token file of mutt_oauth2.py, decrypted.
    MuttOauth2,
    /// A file of `NAME=VALUE` lines: a refresh token, its client's id and secret.
    Dotenv,
    /// An environment that Postman exported: a refresh token, its client's id and secret.
    Postman,
    /// A profile without secrets, as `oauthctl export` prints it.
    Profile,
}

impl Source {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Where the program keeps its logins; standard input where that is sealed, or nowhere.
    fn usual_file(self, world: &World) -> String {
        match self {
            Source::Rclone => {
                world.env.var("RCLONE_CONFIG").unwrap_or_else(|| "~/.config/rclone/rclone.conf".to_owned())
            }
            Source::Gcloud => "~/.config/gcloud/application_default_credentials.json".to_owned(),
            Source::Dotenv => ".env".to_owned(),
            Source::RefreshToken | Source::OidcAgent | Source::MuttOauth2 | Source::Postman | Source::Profile => {
                "-".to_owned()
            }
        }
    }
}

pub fn run(args: &ImportArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let file = args.file.clone().unwrap_or_else(|| args.source.usual_file(world));
    let text = match args.source {
        Source::RefreshToken => secret_from_file(world, &file, "refresh token")?,
        // a file has words beside its secrets, which are listed as they are read
        _ => Secret::unlisted(&**text_of_file(world, &file, ("login", LONGEST))?),
    };
    if args.source == Source::Profile {
        return profiles::add(world, text.expose(), args.profile.as_deref());
    }
    let (found, left) = sources::read(args.source, &text)?;
    for why in left {
        world.say(&why);
    }
    let mut failed = None;
    for login in named(found, args.profile.as_deref(), &file)? {
        if let Err(e) = take_over(world, global, (args, login))
            && let Some(earlier) = failed.replace(e)
        {
            world.say(&earlier.to_string());
        }
    }
    failed.map_or(Ok(0), Err)
}

/// The logins that are meant. Of several `--profile` chooses one; a single one gets that name.
fn named(mut found: Vec<Found>, profile: Option<&str>, file: &str) -> Result<Vec<Found>, Error> {
    if let Some(profile) = profile {
        match &mut found[..] {
            [only] => only.name = Some(profile.to_owned()),
            _ => found.retain(|login| login.name.as_deref() == Some(profile)),
        }
    }
    match found.is_empty() {
        true => Err(Error::usage(format!("{} has no such login", if file == "-" { "standard input" } else { file }))),
        false => Ok(found),
    }
}

/// Stores a login, and refreshes it.
fn take_over(world: &mut World, global: &Global, (args, found): (&ImportArgs, Found)) -> Result<(), Error> {
    let mut choice = args.flags.choice(found.name, global);
    let flags = &mut choice.flags;
    let id = |name: &String| catalogue::find(name).map_or(name.clone(), |(id, _)| id.to_owned());
    if let (Some(named), Some(own)) = (flags.provider.as_ref().map(id), &found.provider)
        && matches!(args.source, Source::Dotenv | Source::Postman)
        && named != *own
    {
        return Err(Error::usage(format!(
            "the variables are those of `{own}`, and `--provider` is `{}`",
            safe(&named)
        ))
        .hint("a refresh token goes to its own server alone: rename the variables if they are not"));
    }
    flags.provider = flags.provider.take().or(found.provider);
    flags.client_id = flags.client_id.take().or(found.client_id);
    flags.scopes = flags.scopes.take().or(found.scopes.clone());
    choice.signing_in = true;
    let mut session = sandbox_session::open(world, choice)?;
    if let Some(notice) = choose_store(world, &mut session)? {
        world.say(&notice);
    }
    let name = session.name.clone();
    let old = earlier(world, &mut session)?;
    if old.as_ref().is_some_and(|record| record.token.is_some()) {
        return Err(Error::usage(format!("`{}` has a login already", safe(&name)))
            .hint(format!("oauthctl import {} --profile ANOTHER", args.source.name()))
            .hint(format!(
                "`{}` ends it; with `--local-only` the provider isn't asked",
                session.typed.line("logout")
            )));
    }
    let provider = session.provider(world, old.as_ref())?;
    let grant = session.grant(Some(&provider), None);
    if !grant.needs_person() {
        return Err(Error::usage(format!("`{}` needs no login: its grant obtains each token by itself", safe(&name))));
    }
    let Some(mut client) = session.client(world, old.as_ref())? else {
        return Err(Error::usage("a refresh token belongs to a client, and none is named")
            .hint("--client-id ID, and `--client-secret-file FILE` if it has a secret"));
    };
    if found.client_secret.is_some() {
        client = Client { secret: found.client_secret, secret_from: Some(args.source.name()), ..client };
    }
    // no access token: it has expired long ago
    let mut set = TokenSet::new(Secret::unlisted(""), "Bearer", world.clock.now());
    (set.refresh_token, set.expires_at) = (Some(found.refresh_token), Some(0));
    let asked = session.scopes(&provider, grant);
    let vars = BTreeMap::new();
    let (client, set) = (&client, &mut set);
    store_login(
        world,
        &mut session,
        NewLogin { provider: &provider, old, grant, set, client, asked: &asked, vars, account: None },
    )?;
    let want = FreshnessPolicy { force: true, insists: true, ..FreshnessPolicy::default() };
    let set = fresh(world, &mut session, want).map_err(|e| match e.kind {
        Kind::TryLater => e.hint(format!("the login is stored: `{}` tries it again", session.typed.line("refresh"))),
        _ => e,
    })?;
    let until = times::good_until(set.expires_at, world.clock.now());
    world.say(&format!("Imported: the token of `{}` {until}.", safe(&name)));
    Ok(())
}

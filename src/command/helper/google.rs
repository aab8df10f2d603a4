//! Executable-sourced credentials of Google's auth libraries (`external_account`): they ask in
//! variables, and one object on standard output is the answer. Some read standard error with it, so
//! nothing else is written.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use clap::Args;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::chosen::ForIdentity;
use crate::command::{Global, known, print};
use crate::error::Error;
use crate::secret::redact;
use crate::text::safe;
use crate::token::TokenSet;
use crate::world::{Talk, World};

const AUDIENCE: &str = "GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE";
const TOKEN_TYPE: &str = "GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE";
const REVOKE: &str = "GOOGLE_EXTERNAL_ACCOUNT_REVOKE";

#[derive(Args, Debug)]
#[command(
    after_help = "The ID token goes to the service that the audience names (`//iam.googleapis.com/…`), if the profile
has it in `helper-hosts`. With the `subject_token_type` `urn:ietf:params:oauth:token-type:jwt` it may
be the access token (`--access-token`). `output_file` isn't written: the next call costs as little as
reading it. A revocation is refused: `oauthctl logout` ends the login.

To set it up, in the file of Google's own default, or that of GOOGLE_APPLICATION_CREDENTIALS, and with
GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1:
  oauthctl profile set work helper-hosts iam.googleapis.com
  oauthctl helper install google --profile work --host //iam.googleapis.com/…

Examples:
  oauthctl helper google --profile work"
)]
pub struct GoogleArgs {
    #[command(flatten)]
    who: ForIdentity,
}

pub fn run(args: &GoogleArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let kept = Kept::default();
    world.err = Box::new(kept.clone());
    let (answer, code) = match answer(args, global, world) {
        Ok(Some((kind, set))) => (given(&kind, &set), 0),
        Ok(None) => (failed("403", kept.text().trim_end()), 1),
        Err(e) => (failed("401", &told(&e)), e.kind.exit_code()),
    };
    print(world, Zeroizing::new(format!("{answer}\n")).as_bytes()).map(|()| code)
}

fn answer(args: &GoogleArgs, global: &Global, world: &mut World) -> Result<Option<(String, TokenSet)>, Error> {
    let variable = |name: &str| {
        world
            .env
            .var(name)
            .ok_or_else(|| Error::usage(format!("the variable {name}, which Google's libraries set, is not set")))
    };
    let (audience, kind) = (variable(AUDIENCE)?, variable(TOKEN_TYPE)?);
    let chosen = args.who.chosen(None);
    if world.env.var(REVOKE).as_deref() == Some("1") {
        return Err(Error::usage("a helper ends no login").hint("oauthctl logout"));
    }
    match kind.strip_prefix("urn:ietf:params:oauth:token-type:") {
        Some("jwt") => {}
        Some("id_token") if chosen.id_token => {}
        Some("id_token") => return Err(Error::usage("an access token is no `id_token`")),
        _ => return Err(Error::usage(format!("`{}` is no kind of token that a login has", safe(&kind)))),
    }
    Ok(chosen.at(world, global, &format!("https:{audience}"))?.map(|set| (kind, set)))
}

fn given(kind: &str, set: &TokenSet) -> Value {
    known(json!({
        "version": 1,
        "success": true,
        "token_type": kind,
        "id_token": set.access_token.expose(),
        "expiration_time": set.expires_at,
    }))
}

fn failed(code: &str, message: &str) -> Value {
    json!({ "version": 1, "success": false, "code": code, "message": redact(message) })
}

fn told(e: &Error) -> String {
    let hints = e.hints.iter().map(|hint| format!("hint: {hint}"));
    std::iter::once(e.to_string()).chain(e.causes()).chain(hints).collect::<Vec<_>>().join("; ")
}

/// What would be on standard error.
#[derive(Clone, Default)]
struct Kept(Rc<RefCell<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.borrow()).into_owned()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Talk for Kept {
    // a runner's mask command belongs on a stream that nobody reads here
    fn show(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn another(&self) -> Box<dyn Talk> {
        Box::new(self.clone())
    }
}

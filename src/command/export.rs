//! `export`: a profile without its secrets, for a colleague's `import profile`; or a whole login,
//! sealed for one recipient.

use clap::Args;

use crate::command::{Global, print};
use crate::config;
use crate::error::Error;
use crate::protocol::age::{self, Recipient};
use crate::session::{Overrides, Session, hand_over};
use crate::text::safe;
use crate::world::World;

#[derive(Args, Debug)]
#[command(
    after_help = "`oauthctl import profile` takes it. Left out are the secrets, and what is this machine's own: files,
programs, the store. With `--to` it is the whole login, sealed, for a machine without a browser:
it is renewed there from then on, and here no more until `refresh` is typed here.

Examples:
  oauthctl export work
  oauthctl export work | ssh host oauthctl import profile"
)]
pub struct ExportArgs {
    /// The profile [default: the only one, or `default-profile`]
    #[arg(value_name = "PROFILE")]
    profile: Option<String>,
    /// Seal the whole login for this recipient of age (`age1…`); `age -d` opens it for
    /// `import login`.
    #[arg(long, value_name = "RECIPIENT", value_parser = recipient)]
    to: Option<(String, Recipient)>,
}

fn recipient(text: &str) -> Result<(String, Recipient), String> {
    let why = "it is no public key of age (`age1…`); `age-keygen` makes one on the other machine";
    Recipient::read(text).map(|to| (text.to_owned(), to)).ok_or_else(|| why.to_owned())
}

pub fn run(args: ExportArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let choice = Overrides { profile: args.profile, no_cache: global.no_cache, ..Overrides::default() };
    let mut session = Session::open(world, choice)?;
    let raw = session.raw_provider()?;
    let Some(mut known) = session.in_config()?.0 else { return Err(config::no_profile(&session.name).into()) };
    known.provider.get_or_insert_with(|| session.provider_name().to_owned());
    let bare: Vec<String> = known.vars.keys().filter(|name| raw.has_secret_var(name)).cloned().collect();
    known.vars.retain(|name, _| !bare.contains(name));
    let shared = known.shared();
    let kept = |key: &String| shared.iter().any(|(shared, _)| shared == key);
    let left = known.values().into_iter().map(|(key, _)| key).filter(|key| !kept(key));
    let left: Vec<String> = left.chain(bare.iter().map(|name| format!("vars.{name}"))).map(|key| safe(&key)).collect();
    let text = config::lines(&session.name, shared.clone()).unwrap_or_default();
    match &args.to {
        None => print(world, text.as_bytes())?,
        Some(to) => whole(world, &mut session, (text, to))?,
    }
    if !left.is_empty() {
        world.say(&format!("left out: {}", left.join(", ")));
    }
    if !raw.id.contains("://") && !config::is_built_in(&session.paths.require_config()?, &raw.id) {
        world.say(&format!(
            "The provider is a file of your own: `oauthctl provider show {}` prints it for their `providers/{}.toml`.",
            raw.id, raw.id
        ));
    }
    Ok(0)
}

/// Prints the sealed login first: only then it is renewed elsewhere.
fn whole(
    world: &mut World,
    session: &mut Session,
    (profile, (name, to)): (String, &(String, Recipient)),
) -> Result<(), Error> {
    let (login, record, lock) = hand_over::take(world, session, (profile, name))?;
    let text = zeroize::Zeroizing::new(serde_json::to_string(&login).unwrap_or_default());
    let sealed = age::seal(to, text.as_bytes()).map_err(|_| Error::usage("the recipient's key can't be used"))?;
    print(world, sealed.as_bytes())?;
    hand_over::went(session, record, (name, &lock))?;
    world.say("There: age -d -i KEYFILE FILE | oauthctl import login");
    world.say(&format!(
        "`{}` is renewed there from now on; `{}` renews it here again.",
        safe(&session.name),
        session.typed.line("refresh")
    ));
    Ok(())
}

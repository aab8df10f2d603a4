//! `store audit`: what should not be where records are stored. `doctor` says whether they can be
//! used; the checks of both are there.

mod team;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::command::doctor::{Found, Report, logins, note, orphans};
use crate::command::{Global, TextOrJson as Format, fitted, print};
use crate::config::{Config, expand_home};
use crate::error::{Error, Kind};
use crate::session::lock::{self, credential_name};
use crate::session::paths::{Paths, Stores};
use crate::session::state::journal;
use crate::session::{passphrase, sealed_files, store_of, usual_store};
use crate::store::file::{DAMAGED, FileStore, UNDER_KEY_FILE, folder};
use crate::store::{Store as _, StoreError, StoreKind};
use crate::text::{for_a_shell, pasted, safe};
use crate::world::World;
use crate::world::files::{self, Exposed, PrivateError};

#[derive(Args, Debug)]
#[command(after_help = "Exit code 0: nothing was found. 1: something was. 5: a store could not be looked at.
On Windows the access lists of files are not looked at.

Examples:
  oauthctl store audit
  oauthctl store audit --format json")]
pub(super) struct AuditArgs {
    /// The form of the output.
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    format: Format,
}

/// A finding, under the word for its kind.
type Finding = (&'static str, Found);

pub(super) fn run(args: &AuditArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let paths = Paths::find(&*world.env);
    let state = paths.require_state()?;
    // nothing is called clean that could not be looked at
    paths.config.as_deref().map(Config::load).transpose()?;
    let config = paths.readable_config();
    // first: whatever opens a store closes what is open to others
    let exposed = exposed(&state, identity(world, &paths, config.as_ref()));
    let (found, mut troubles) = orphans(world, &paths, config.as_ref());
    let mut findings = Vec::new();
    findings.extend(found.into_iter().map(|found| ("orphan", found)));
    let logins = logins::look(world, global);
    findings.extend(logins.doubles.into_iter().map(|found| ("double", found)));
    troubles.extend(logins.unread);
    findings.extend(strangers(&state));
    findings.extend(unfinished(&state));
    let mut add = |found: Result<Vec<Finding>, Error>| match found {
        Ok(found) => findings.extend(found),
        Err(e) => troubles.push(e),
    };
    team::look(world, global, &paths).into_iter().for_each(&mut add);
    add(journals(world, &paths, (&state, config.as_ref())));
    add(sealed_files(world, &paths).and_then(|store| sealed(&store, passphrase(world)?.is_some())));
    let troubles = unreadable(troubles, &mut findings);
    findings.splice(0..0, exposed.into_iter().map(open_to_others));
    // they are told
    files::closed();
    tell_of_unlisted(world, config.as_ref())?;
    let is_clean = findings.is_empty();
    let text = match args.format {
        Format::Json => in_json(&findings),
        Format::Text => in_lines(world, findings),
    };
    print(world, text.as_bytes())?;
    match troubles.into_iter().next() {
        Some(e) => Err(e.context("a store could not be looked at")),
        None if is_clean => {
            world.say("Nothing was found.");
            Ok(0)
        }
        None => Ok(Kind::Other.exit_code()),
    }
}

fn in_json(findings: &[Finding]) -> String {
    let one = |(kind, found): &Finding| json!({ "finding": kind, "about": found.words, "do": found.advice });
    format!("{}\n", serde_json::Value::from(findings.iter().map(one).collect::<Vec<_>>()))
}

fn in_lines(world: &World, findings: Vec<Finding>) -> String {
    let mut report = Report::default();
    findings.into_iter().for_each(|(kind, found)| report.add(kind, found));
    fitted(world, &report.text, 21)
}

fn shown(path: &Path) -> String {
    for_a_shell(&safe(&path.display().to_string()))
}

/// The file of the private key for sealed files.
fn identity(world: &World, paths: &Paths, config: Option<&(Config, Stores)>) -> Option<PathBuf> {
    let file = expand_home(config?.0.store_identity.as_ref()?, world.env.home().as_deref());
    Some(paths.config.as_ref()?.join(file))
}

/// The state folder, and copies of it beside it.
fn exposed(state: &Path, identity: Option<PathBuf>) -> Vec<(PathBuf, Exposed)> {
    let is_ours = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("oauthctl"));
    let beside = state.parent().into_iter().flat_map(files::below).filter(|path| is_ours(path) && path != state);
    let all = std::iter::once(state.to_owned()).chain(beside).chain(identity);
    all.flat_map(|path| files::exposed(&path)).collect()
}

fn open_to_others((path, why): (PathBuf, Exposed)) -> Finding {
    let is_closed = !files::exposed(&path).iter().any(|(exposed, _)| *exposed == path);
    let path = shown(&path);
    let (words, advice) = match why {
        Exposed::Open { folder: true } if is_closed => ("was open to other users", "it is closed now".to_owned()),
        Exposed::Open { .. } if is_closed => (
            "was open to other users",
            "it is closed now; if others use this machine, log in again: they may have read it".to_owned(),
        ),
        Exposed::Open { folder: true } => ("is open to other users", format!("chmod 700 {path}")),
        Exposed::Open { folder: false } => ("is open to other users", format!("chmod 600 {path}")),
        Exposed::Foreign => ("is another user's", format!("sudo chown \"$(id -u)\" {path}")),
    };
    ("permissions", note(format!("{path} {words}")).advice(advice))
}

/// Adds the records that can't be read: the others can. Returns what is wrong with whole stores.
fn unreadable(troubles: Vec<Error>, findings: &mut Vec<Finding>) -> Vec<Error> {
    let is_of_a_record = |e: &Error| {
        matches!(e.what.downcast_ref(), Some(StoreError::Corrupt { .. }))
            || e.what.chain().any(|cause| matches!(cause.downcast_ref(), Some(PrivateError::Unsafe { .. })))
    };
    let (records, mut stores): (Vec<_>, Vec<_>) = troubles.into_iter().partition(is_of_a_record);
    for e in records {
        if let Some(StoreError::Corrupt { profile, .. }) = e.what.downcast_ref() {
            let same = sealed_words(profile, DAMAGED);
            findings.retain(|(_, found)| found.words != same);
        }
        let words = e.texts().join(": ");
        let told = findings.iter().any(|(_, found)| found.words == words);
        let found = e.advice().into_iter().fold(note(words), Found::advice);
        findings.extend((!told).then_some(("unreadable", found)));
    }
    stores.dedup_by_key(|e| e.to_string());
    stores
}

/// What is in the folders of sealed files, and is none of theirs.
fn strangers(state: &Path) -> Vec<Finding> {
    let stores = [folder(state), state.join("unfinished")].map(|folder| FileStore::new(folder, Default::default()));
    let found = stores.iter().flat_map(FileStore::strangers).map(|(path, why)| {
        let shown = shown(&path);
        let remove = if path.is_dir() && !path.is_symlink() { "rm -r" } else { "rm" };
        let advice = format!("look at it; if nobody needs it: {remove} {shown}");
        ("stranger", note(format!("{shown} {why}")).advice(advice))
    });
    found.collect()
}

/// What killed commands left: half-written files, and records that were on their way to a program.
fn unfinished(state: &Path) -> Vec<Finding> {
    let folder = folder(state);
    let half = files::left_behind(&folder, "").map(|(path, _)| {
        let path = shown(&path);
        ("leftover", note(format!("{path} was not written to its end")).advice(format!("rm {path}")))
    });
    let under_way = FileStore::new(state.join("unfinished"), Default::default()).profiles().unwrap_or_default();
    let under_way = under_way.into_iter().map(|name| {
        let words = format!("a program did not finish the record of `{}`; the one of before is kept", safe(&name));
        ("leftover", note(words).advice(format!("oauthctl refresh {}", pasted(&name))))
    });
    half.chain(under_way).collect()
}

/// Journals of refreshes that a killed command has not ended.
fn journals(
    world: &World,
    paths: &Paths,
    (state, config): (&Path, Option<&(Config, Stores)>),
) -> Result<Vec<Finding>, Error> {
    let journals = journal::all(state);
    if journals.is_empty() {
        return Ok(Vec::new());
    }
    let (mut known, usual) = (BTreeMap::new(), usual(world, config)?);
    for (name, own) in config.iter().flat_map(|(_, stores)| stores) {
        for kind in own.iter().chain(&usual) {
            let store = store_of(world, *kind, paths)?;
            known.insert(credential_name(&*store, name), (store, name));
        }
    }
    let told = |path: PathBuf| {
        let known = known.get(&*path.file_stem().unwrap_or_default().to_string_lossy());
        let is_under_way = match known {
            Some((store, name)) => lock::try_acquire(paths, &**store, name).is_none(),
            None => !journal::is_old(&path),
        };
        if is_under_way {
            return None;
        }
        let shown = shown(&path);
        let found = match known {
            Some((_, name)) => note(format!("a refresh of `{}` was not ended: {shown}", safe(name)))
                .advice(format!("oauthctl refresh {}", pasted(name))),
            None => note(format!("{shown} is of a refresh that belongs to no profile in config.toml"))
                .advice(format!("if no other configuration uses this folder: rm {shown}")),
        };
        Some(("journal", found))
    };
    Ok(journals.into_iter().filter_map(told).collect())
}

/// The stores that a profile which names none may have: the records may be of before.
fn usual(world: &World, config: Option<&(Config, Stores)>) -> Result<BTreeSet<StoreKind>, Error> {
    let (now, _) = usual_store(world, config.map_or(&Config::default(), |(config, _)| config))?;
    let named = config.and_then(|(config, _)| config.store);
    Ok([StoreKind::Keychain, StoreKind::File, now].into_iter().chain(named).collect())
}

/// Tells which stores have no list of their records to look through.
fn tell_of_unlisted(world: &mut World, config: Option<&(Config, Stores)>) -> Result<(), Error> {
    let own = config.iter().flat_map(|(_, stores)| stores.values().copied().flatten());
    for kind in own.chain(usual(world, config)?).collect::<BTreeSet<_>>() {
        if let StoreKind::Program(program) = kind
            && !program.has_list()
        {
            world.say(&format!(
                "`{}` has no list of its records: those without a profile are not looked for there.",
                safe(&program.name)
            ));
        }
    }
    Ok(())
}

fn sealed_words(profile: &str, how: &str) -> String {
    format!("the sealed record of `{}` {how}", safe(profile))
}

/// Records that are sealed as they were once, and a key in the kernel for none.
fn sealed(store: &FileStore, has_passphrase: bool) -> Result<Vec<Finding>, Error> {
    let outdated = store.outdated()?.into_iter().map(|(name, how)| {
        let words = sealed_words(&name, how);
        let advice = match how {
            DAMAGED => format!("oauthctl logout {} --local-only", pasted(&name)),
            // only who gives the passphrase itself chooses it for that record
            UNDER_KEY_FILE if !has_passphrase => {
                format!("set OAUTHCTL_STORE_PASSPHRASE, then: oauthctl refresh {}", pasted(&name))
            }
            _ => format!("oauthctl refresh {}", pasted(&name)),
        };
        ("seal", note(words).advice(advice))
    });
    let useless = store.unlocked_until().is_some() && !store.has_passphrase()?;
    let key = useless.then(|| {
        let words = "the kernel keeps a key that opens no record";
        ("kernel key", note(words).advice("oauthctl store lock"))
    });
    Ok(outdated.chain(key).collect())
}

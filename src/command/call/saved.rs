//! `-o FILE`: an answer into a file; one that breaks off goes on where it stopped, in this run or
//! in a later one. `-o FOLDER/`: the same under the name that the answer proposes.

use std::io;
use std::path::{Path, PathBuf};

use url::Url;

use super::answer;
use super::output::{Output, unwritten};
use super::{Call, CallArgs};
use crate::api::download::{self, Brings, Kept, Part, Place, Unwritable};
use crate::api::send::Caller;
use crate::api::{file_name, items};
use crate::error::{Error, Kind};
use crate::text::{count, safe};
use crate::world::World;

/// The file that `-o` names.
pub fn named(world: &World, args: &CallArgs) -> Option<PathBuf> {
    let typed = args.output.as_deref().filter(|path| *path != "-")?;
    Some(items::resolve(typed, world.env.home().as_deref()))
}

/// The same, once it is known that it can be written.
pub fn target(world: &World, args: &CallArgs) -> Result<Option<PathBuf>, Error> {
    let Some(path) = named(world, args) else { return Ok(None) };
    if path.as_os_str().is_empty() {
        return Err(Error::usage("`-o` needs the name of a file").hint("`-o -` is standard output"));
    }
    let is_folder = download::is_folder(&path);
    if is_folder && !path.is_dir() {
        return Err(Error::usage(format!("`{}` is no folder", safe(&path.to_string_lossy()))).hint("`mkdir` makes it"));
    }
    match download::writable(&if is_folder { path.join(".oauthctl") } else { path.clone() }) {
        Ok(target) => Ok(Some(if is_folder { path } else { target })),
        Err(e @ Unwritable::Folder) => {
            Err(Error::usage(format!("`{}` can't be written", safe(&path.to_string_lossy())))
                .cause(e)
                .hint("`-o FOLDER/` puts a file into it"))
        }
        Err(Unwritable::Failed(e)) => Err(unwritten(&path, e)),
    }
}

/// Where an answer goes that is made anew each time.
pub fn open(world: &World, target: Option<&Path>, headers: &[(String, String)], url: &Url) -> Result<Output, Error> {
    let Some(path) = target else { return Ok(Output::stdout(world)) };
    let part = Place::new(path, "").begin(&file_name::name_for(headers, url), None);
    Ok(Output::file(part.map_err(|e| unwritten(path, e))?))
}

/// The file that an answer goes into.
struct Begun {
    part: Part,
    /// The bytes of it that are there.
    there: u64,
    /// Its length in the end, if that is known.
    whole: Option<u64>,
}

/// `None`: the answer brings nothing, so that it is asked for anew.
fn begin(
    place: &Place,
    name: &str,
    validator: Option<&str>,
    (kept, brings): (Option<Kept>, Brings),
) -> io::Result<Option<Begun>> {
    match (kept, brings) {
        (Some(kept), Brings::Rest(whole)) => {
            let there = kept.bytes;
            Ok(Some(Begun { part: place.go_on(name, kept), there, whole }))
        }
        (kept, brings) => {
            // what is there is of no use: from the beginning, with nothing there
            kept.into_iter().for_each(Kept::forget);
            let anew = (brings != Brings::Nothing).then(|| place.begin(name, validator)).transpose()?;
            Ok(anew.map(|part| Begun { part, there: 0, whole: None }))
        }
    }
}

/// The answer's bytes, as they are, into that file. What another login began is not gone on with.
pub fn run(
    world: &mut World,
    call: &Call<'_>,
    caller: &mut Caller<'_>,
    (path, login): (PathBuf, String),
) -> Result<u8, Error> {
    let (args, url) = (call.args, call.url);
    let usual = caller.draft.headers.clone();
    let place = Place::new(&path, &format!("{login} {url} {usual:?}"));
    // who asks for a part of it gets that part
    let reads = caller.draft.method == "GET" && !usual.iter().any(|(name, _)| name == "range");
    let mut attempts = 0;
    loop {
        let kept = if reads { place.kept() } else { None };
        caller.draft.headers.clone_from(&usual);
        if let Some(kept) = &kept {
            world.step(|| format!("going on behind {} that are there", count(kept.bytes, "byte")));
            caller.draft.headers.extend(kept.conditions());
        }
        let (from, mut answered) = caller.send(world, url)?;
        let brings = kept.as_ref().map_or(Brings::Whole, |kept| kept.judge(&answered));
        if answered.status >= 300 && brings == Brings::Whole {
            let call = Call { who: &call.who.after(caller), ..*call };
            let out = Output::stdout(world);
            return answer::deliver(world, &call, answered, (out, None));
        }
        let name = file_name::name_for(&answered.headers, &from);
        let validator = download::validator(&answered.headers).filter(|_| reads);
        let begun = begin(&place, &name, validator, (kept, brings)).map_err(|e| unwritten(&path, e))?;
        let Some(Begun { part, there, whole }) = begun else { continue };
        answer::tell_coding(world, args, &answered.headers);
        let mut out = Output::file(part);
        out.show_progress(world, &answered.headers, there);
        let passed = answer::pass(world, &mut answered.body, &mut out);
        let length = out.length();
        if passed.is_ok() && whole.is_none_or(|whole| whole == length) {
            return out.end(world).map(|()| 0);
        }
        // nobody has seen what was not whole: it may as well come from the beginning
        let anew = out.is_hidden() && caller.is_repeatable();
        let resumable = out.give_up(world);
        match passed {
            // a server may give less than the rest
            Ok(()) if length > there && whole.is_some_and(|whole| length < whole) => {}
            Ok(()) => return Err(Error::new(Kind::Unsafe, "the API gives another part of the file than it says")),
            Err(e) if e.kind != Kind::TryLater || !(resumable || anew) => return Err(e),
            Err(e) if !caller.wait_after_break(world, &mut attempts) => {
                return Err(if resumable { e.hint("what came so far is kept: it goes on there") } else { e });
            }
            Err(_) => {}
        }
    }
}

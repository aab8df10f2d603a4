//! `-o FILE`: an answer into a file; one that breaks off goes on where it stopped, in this run or
//! in a later one. `-o FOLDER/`: the same under the name that the answer proposes.

use std::path::{Path, PathBuf};

use url::Url;

use super::answer;
use super::output::{Output, unwritten};
use super::{Call, CallArgs};
use crate::api::download::{self, Part, Unwritable};
use crate::api::items;
use crate::api::send::Caller;
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
        Ok(_) if is_folder => Ok(Some(path)),
        Ok(path) => Ok(Some(path)),
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
    let is_folder = download::is_folder(path);
    let part = match is_folder {
        true => Part::beside_others(path, &download::name_for(headers, url)),
        false => Part::begin(path, "", None),
    };
    let part = part.map_err(|e| unwritten(path, e))?;
    let mut out = Output::file(part.target.clone(), part);
    out.tells = is_folder;
    Ok(out)
}

/// The answer's bytes, as they are, into that file.
pub fn run(world: &mut World, call: &Call<'_>, caller: &mut Caller<'_>, path: PathBuf) -> Result<u8, Error> {
    let (args, url) = (call.args, call.url);
    let usual = caller.draft.headers.clone();
    // who asks for a part of it gets that part
    let is_folder = download::is_folder(&path);
    let reads = !is_folder && caller.draft.method == "GET" && !usual.iter().any(|(name, _)| name == "range");
    let mut attempts = 0;
    loop {
        let kept = if reads { download::kept(&path, url.as_str()) } else { None };
        caller.draft.headers.clone_from(&usual);
        if let Some(kept) = &kept {
            world.step(|| format!("going on behind {} that are there", count(kept.bytes, "byte")));
            caller.draft.headers.push(("range".into(), format!("bytes={}-", kept.bytes)));
            caller.draft.headers.push(("if-range".into(), kept.validator.clone()));
        }
        let (_, mut answered) = caller.send(world, url)?;
        let goes_on = answered.status == 206;
        if let Some(kept) = &kept
            && (answered.status == 416 || goes_on && download::begins_at(&answered.headers) != Some(kept.bytes))
        {
            // what is there is of no use: from the beginning, with nothing there
            download::forget(&path);
            continue;
        }
        if answered.status >= 300 {
            let call = Call { who: &call.who.after(caller), ..*call };
            let out = Output::stdout(world);
            return answer::deliver(world, &call, answered, (out, None));
        }
        answer::tell_coding(world, args, &answered.headers);
        let there = kept.as_ref().filter(|_| goes_on).map_or(0, |kept| kept.bytes);
        let part = || match kept {
            Some(_) if goes_on => Part::go_on(&path),
            _ => Part::begin(&path, url.as_str(), download::validator(&answered.headers).filter(|_| reads)),
        };
        let mut out = match is_folder {
            true => open(world, Some(&path), &answered.headers, url)?,
            false => Output::file(path.clone(), part().map_err(|e| unwritten(&path, e))?),
        };
        out.show_progress(world, &answered.headers, there);
        match answer::pass(world, &mut answered.body, &mut out) {
            Ok(()) => return out.end(world).map(|()| 0),
            Err(e) => {
                // nobody has seen what was not whole: it may as well come from the beginning
                let anew = out.is_hidden() && caller.is_repeatable();
                let resumable = out.give_up(world);
                if e.kind != Kind::TryLater || !(resumable || anew) {
                    return Err(e);
                }
                if !caller.wait_after_break(world, &mut attempts) {
                    return Err(if resumable { e.hint("what came so far is kept: it goes on there") } else { e });
                }
            }
        }
    }
}

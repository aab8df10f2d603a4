//! `-o FILE`: an answer into a file; one that breaks off goes on where it stopped, in this run or in a later one.

use std::io::Read;
use std::path::PathBuf;

use url::Url;

use super::CallArgs;
use super::answer::{self, Who};
use super::output::{Output, unwritten};
use crate::api::download::{self, Part};
use crate::api::exchange::{Caller, broken_off};
use crate::api::{items, pace};
use crate::error::{Error, Kind};
use crate::world::{Streamed, World};

/// The file that `-o` names.
pub fn target(world: &World, args: &CallArgs) -> Option<PathBuf> {
    let path = args.output.as_deref().filter(|path| *path != "-")?;
    Some(items::resolve(path, world.env.home().as_deref()))
}

/// Where an answer goes that is made anew each time.
pub fn open(world: &World, args: &CallArgs) -> Result<Output, Error> {
    match target(world, args) {
        None => Ok(Output::stdout(world)),
        Some(path) => {
            let part = Part::begin(&path, "", None).map_err(|e| unwritten(&path, &e))?;
            Ok(Output::file(path, part))
        }
    }
}

/// The answer's bytes, as they are, into that file.
pub fn run(
    world: &mut World,
    args: &CallArgs,
    who: &Who,
    caller: &mut Caller<'_>,
    url: &Url,
    path: PathBuf,
) -> Result<u8, Error> {
    let usual = caller.draft.headers.clone();
    // who asks for a part of it gets that part
    let reads = caller.draft.method == "GET" && !usual.iter().any(|(name, _)| name == "range");
    let mut attempts = 0;
    loop {
        let kept = if reads { download::kept(&path, url.as_str()) } else { None };
        caller.draft.headers.clone_from(&usual);
        if let Some(kept) = &kept {
            world.step(|| format!("going on behind {} bytes that are there", kept.bytes));
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
            let provider = caller.provider;
            return answer::deliver(world, args, who, provider, answered, Output::stdout(world), None);
        }
        let part = match kept {
            Some(_) if goes_on => Part::go_on(&path),
            _ => Part::begin(&path, url.as_str(), download::validator(&answered.headers).filter(|_| reads)),
        };
        let mut out = Output::file(path.clone(), part.map_err(|e| unwritten(&path, &e))?);
        match copy(world, &mut out, &mut answered) {
            Ok(()) => return out.end(world).map(|()| 0),
            Err(e) => {
                let resumable = out.give_up(world);
                if !resumable || e.kind != Kind::TryLater {
                    return Err(e);
                }
                if attempts == caller.retries {
                    return Err(e.hint("what came so far is kept: it goes on there"));
                }
                let time = caller.wait_for(world, None, attempts);
                pace::wait(world, time, "the answer broke off");
                attempts += 1;
            }
        }
    }
}

fn copy(world: &mut World, out: &mut Output, answered: &mut Streamed) -> Result<(), Error> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match answered.body.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => out.put(world, &buffer[..n]).map(|_| ())?,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(broken_off(&e)),
        }
    }
}

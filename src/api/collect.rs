//! All pages of a list, in order: one after the other where each names the next, side by side where their addresses are known
//! beforehand. What is held at a time is bounded by the pages in flight, never by their number.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::io::Read;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::value::RawValue;
use url::Url;

use super::exchange::{Caller, broken_off, look_into};
use super::pages::{self, Next};
use super::{pace, retry};
use crate::error::{Error, Kind};
use crate::provider::Pages;
use crate::wire::Request;
use crate::world::{Http, World};

/// The largest page, in bytes: it is held whole.
const LARGEST_PAGE: u64 = 256 << 20;

/// The most pages fetched side by side.
pub const MOST_PARALLEL: u32 = 32;

/// What is done with the records of a page; whether more are wanted.
pub type Take<'a> = &'a mut dyn FnMut(&mut World, &[&RawValue]) -> Result<bool, Error>;

pub struct Wanted {
    /// Pages fetched at a time, where their addresses are known.
    pub parallel: u32,
    /// Records after which it ends.
    pub limit: Option<u64>,
}

/// How it ended.
#[derive(Debug)]
pub enum Outcome {
    Done,
    /// The API refused a page: what it answered.
    Refused {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
}

struct Page {
    url: Url,
    headers: Vec<(String, String)>,
    body: String,
}

/// Gives the records of each page to `take`, until it wants no more. A page without a list in it is a record by itself.
pub fn collect(
    world: &mut World,
    caller: &mut Caller<'_>,
    start: &Url,
    wanted: &Wanted,
    take: Take<'_>,
) -> Result<Outcome, Error> {
    let mut shown = Progress::new(world);
    let outcome = each_page(world, caller, start, wanted, take, &mut shown);
    shown.end(world);
    outcome
}

fn each_page(
    world: &mut World,
    caller: &mut Caller<'_>,
    start: &Url,
    wanted: &Wanted,
    take: Take<'_>,
    shown: &mut Progress,
) -> Result<Outcome, Error> {
    let provider = caller.provider;
    let data = &provider.api.pages;
    caller.draft.reuse = true;
    let mut left = wanted.limit;
    let mut seen = HashSet::new();
    let mut url = pages::first(data, start, wanted.limit);
    loop {
        seen.insert(url.to_string());
        let page = match fetch(world, caller, &url)? {
            Ok(page) => page,
            Err(refused) => return Ok(refused),
        };
        let count = give(world, data, &page, &mut left, take, shown)?;
        let Some(count) = count else { return Ok(Outcome::Done) };
        if wanted.parallel > 1
            && let Some(rest) = pages::all(data, &page.url, &page.headers)
        {
            drop(page);
            let refused = side_by_side(
                world,
                caller,
                rest,
                wanted.parallel,
                &mut |world, page, shown| Ok(give(world, data, page, &mut left, take, shown)?.is_some()),
                shown,
            )?;
            return Ok(refused.unwrap_or(Outcome::Done));
        }
        match pages::next(data, &page.url, &page.headers, &page.body, count)? {
            Next::End => return Ok(Outcome::Done),
            Next::Page(next) if seen.contains(next.as_str()) => {
                return Err(Error::new(Kind::Unsafe, "the pages go in a circle")
                    .cause("the API names a page as the next one that has been there already"));
            }
            Next::Page(next) => url = next,
        }
    }
}

/// How many records the page has; `None`: no more are wanted.
fn give(
    world: &mut World,
    data: &Pages,
    page: &Page,
    left: &mut Option<u64>,
    take: Take<'_>,
    shown: &mut Progress,
) -> Result<Option<usize>, Error> {
    let records = match pages::records(data, &page.body) {
        Some(records) => records,
        // 204: there is nothing
        None if page.body.trim().is_empty() => Vec::new(),
        None => match serde_json::from_str::<&RawValue>(&page.body) {
            Ok(one) => vec![one],
            Err(e) => return Err(Error::new(Kind::Other, "a page is not JSON").cause(e)),
        },
    };
    let some = left.map_or(records.len(), |left| records.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
    let go_on = take(world, &records[..some])?;
    if let Some(left) = left {
        *left -= some as u64;
    }
    shown.page(world, some);
    Ok((go_on && *left != Some(0)).then_some(records.len()))
}

/// One page, whole; a connection that breaks in the middle of it is met with another attempt.
fn fetch(world: &mut World, caller: &mut Caller<'_>, url: &Url) -> Result<Result<Page, Outcome>, Error> {
    let mut attempts = 0;
    loop {
        let (url, mut answer) = caller.send(world, url)?;
        if answer.status >= 300 {
            let body = look_into(&mut answer)?;
            return Ok(Err(Outcome::Refused { status: answer.status, headers: answer.headers, body }));
        }
        match whole(&mut answer.body) {
            Ok(body) => return Ok(Ok(Page { url, headers: answer.headers, body })),
            Err(_) if attempts < caller.retries && retry::may_be_repeated(&caller.draft.method) => {
                let time = caller.wait_for(world, None, attempts);
                pace::wait(world, time, "the answer broke off");
                attempts += 1;
            }
            Err(e) => return Err(broken_off(&e)),
        }
    }
}

fn whole(body: &mut dyn Read) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    body.take(LARGEST_PAGE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_PAGE {
        return Err(std::io::Error::other("a page is larger than 256 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| std::io::Error::other("a page is not text in UTF-8"))
}

/// What a helper brings. Anything but a page is asked for again, by the one who knows what to do about it.
enum Brought {
    Page(Vec<(String, String)>, String),
    /// Too many requests: all wait.
    Throttled(Vec<(String, String)>),
    Nothing,
}

fn side_by_side(
    world: &mut World,
    caller: &mut Caller<'_>,
    rest: Vec<Url>,
    parallel: u32,
    take: &mut dyn FnMut(&mut World, &Page, &mut Progress) -> Result<bool, Error>,
    shown: &mut Progress,
) -> Result<Option<Outcome>, Error> {
    shown.total = Some(rest.len() + 1);
    let helpers = (parallel.min(MOST_PARALLEL) as usize).min(rest.len());
    // pages that are done wait for those before them; this many at most
    let window = 2 * helpers;
    let (asks, asked) = mpsc::channel::<(usize, Request)>();
    let (to, from) = mpsc::channel::<(usize, Brought)>();
    let asked = Arc::new(Mutex::new(asked));
    for _ in 0..helpers {
        let (http, asked, to) = (Arc::clone(&world.http), Arc::clone(&asked), to.clone());
        thread::spawn(move || help(&*http, &asked, &to));
    }
    drop(to);
    let mut rest: VecDeque<(usize, Url)> = rest.into_iter().enumerate().collect();
    let mut urls: BTreeMap<usize, Url> = BTreeMap::new();
    let mut ready: BTreeMap<usize, Brought> = BTreeMap::new();
    let mut turn = 0;
    loop {
        while urls.len() < window
            && let Some((at, url)) = rest.pop_front()
        {
            caller.take_slot(world)?;
            // made ready here: the helpers have no clock
            let request = crate::grant::ready(world, &caller.request(&url))?.into_owned();
            urls.insert(at, url);
            // helpers end only when this channel does
            let _ = asks.send((at, request));
        }
        let Some(url) = urls.get(&turn).cloned() else { return Ok(None) };
        while !ready.contains_key(&turn) {
            let (at, brought) = from.recv().map_err(|_| Error::new(Kind::Other, "a page was never fetched"))?;
            match &brought {
                Brought::Page(headers, _) => caller.heed(world, headers),
                Brought::Throttled(headers) => caller.hold(world, headers, b""),
                Brought::Nothing => {}
            }
            ready.insert(at, brought);
        }
        urls.remove(&turn);
        let page = match ready.remove(&turn) {
            Some(Brought::Page(headers, body)) => Page { url, headers, body },
            _ => match fetch(world, caller, &url)? {
                Ok(page) => page,
                Err(refused) => return Ok(Some(refused)),
            },
        };
        turn += 1;
        if !take(world, &page, shown)? {
            return Ok(None);
        }
    }
}

fn help(http: &dyn Http, asked: &Mutex<Receiver<(usize, Request)>>, to: &Sender<(usize, Brought)>) {
    loop {
        let next = asked.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((at, request)) = next else { return };
        let brought = match http.stream(&request, None) {
            Ok(mut answer) if answer.status == 200 => match whole(&mut answer.body) {
                Ok(body) => Brought::Page(answer.headers, body),
                Err(_) => Brought::Nothing,
            },
            Ok(answer) if answer.status == 429 => Brought::Throttled(answer.headers),
            _ => Brought::Nothing,
        };
        if to.send((at, brought)).is_err() {
            return;
        }
    }
}

/// A line that tells how far it is, on a terminal where nothing else is printed.
struct Progress {
    on: bool,
    pages: usize,
    records: usize,
    total: Option<usize>,
    last: Option<std::time::Duration>,
    drawn: bool,
}

impl Progress {
    fn new(world: &World) -> Progress {
        let on = world.terminal.stderr_is_terminal()
            && !world.terminal.stdout_is_terminal()
            && world.verbosity == crate::world::Verbosity::Normal;
        Progress { on, pages: 0, records: 0, total: None, last: None, drawn: false }
    }

    fn page(&mut self, world: &mut World, records: usize) {
        self.pages += 1;
        self.records += records;
        let now = world.clock.elapsed();
        if !self.on || self.last.is_some_and(|last| now.saturating_sub(last) < std::time::Duration::from_millis(200)) {
            return;
        }
        self.last = Some(now);
        self.drawn = true;
        let of = self.total.map(|total| format!(" of {total}")).unwrap_or_default();
        let _ = write!(world.err, "\r\x1b[Kpage {}{of}, {} records", self.pages, self.records);
        let _ = world.err.flush();
    }

    /// Takes the line away.
    fn end(&mut self, world: &mut World) {
        if std::mem::take(&mut self.drawn) {
            let _ = write!(world.err, "\r\x1b[K");
            let _ = world.err.flush();
        }
    }
}

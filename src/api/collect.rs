//! Collects all pages of a list, in order: one after the other where each page names the next, in
//! parallel where the addresses are known beforehand. Memory is bounded by one page, and by the
//! bytes of all that wait for it.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;

use serde_json::value::RawValue;
use url::Url;

use super::content_coding;
use super::graphql::{self, Connection, Query};
use super::helpers::{Brought, Helpers, MOST_AHEAD};
use super::hosts;
use super::pages::{self, Next};
use super::progress::Progress;
use super::records::{self, Found};
use super::send::{Caller, broken_off, look_into};
use super::value;
use crate::error::{Error, Kind};
use crate::provider::{PageBy, Pages};
use crate::text::{count, safe};
use crate::world::{Streamed, World};

/// The largest page, in bytes. A page is held in memory whole.
const LARGEST_PAGE: u64 = 16 << 20;

/// The most pages fetched in parallel.
pub const MOST_PARALLEL: u32 = 32;

/// Takes the records of one page; returns whether to fetch more.
pub type Take<'a> = &'a mut dyn FnMut(&mut World, &Page, &[&RawValue]) -> Result<bool, Error>;

/// The list to collect.
pub struct PageRequest<'a> {
    /// The address of the list.
    pub start: &'a Url,
    /// How many pages to fetch at a time where their addresses are known.
    pub parallel: u32,
    /// The most records to collect.
    pub at_most: Option<u64>,
    /// Whether the records go into a file.
    pub elsewhere: bool,
    /// Whether the pages are answers to a query of GraphQL.
    pub graphql: bool,
}

/// How the collection ended.
#[derive(Debug)]
pub enum Outcome {
    Done,
    /// The API refused a page with this response.
    Refused {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
}

pub struct Page {
    /// Where it came from.
    pub url: Url,
    pub headers: Vec<(String, String)>,
    body: String,
}

impl Page {
    fn of(url: Url, answer: Streamed) -> Result<Page, Error> {
        let Streamed { headers, mut body, .. } = answer;
        let mut bytes = Vec::new();
        (&mut body).take(LARGEST_PAGE + 1).read_to_end(&mut bytes).map_err(|e| broken_off(&e))?;
        drop(body);
        if bytes.len() as u64 > LARGEST_PAGE {
            return Err(Error::new(Kind::Unsafe, "a page is larger than 16 MiB").hint(FEWER));
        }
        let body = content_coding::text(&headers, &bytes, "`--paginate`")?;
        if value::is_too_dense(&body) {
            return Err(Error::new(Kind::Unsafe, "a page has too many values for 64 MiB of memory").hint(FEWER));
        }
        Ok(Page { url, headers, body })
    }

    /// `None`: it isn't whole.
    fn of_brought(url: &Url, brought: Brought) -> Option<Result<Page, Error>> {
        let mut answer = brought.response()?;
        // here, and not by the helpers: a decoder takes up to 16 MiB
        let page = match content_coding::decompress(&mut answer) {
            Ok(()) => Page::of(url.clone(), answer),
            Err(e) => Err(broken_off(&e)),
        };
        Some(page).filter(|page| page.as_ref().err().is_none_or(|e| e.kind != Kind::TryLater))
    }
}

/// Passes the records of each page to `take`, until it returns false. A page without a list counts
/// as one record.
pub fn collect(
    world: &mut World,
    caller: &mut Caller<'_>,
    wanted: &PageRequest<'_>,
    take: Take<'_>,
) -> Result<Outcome, Error> {
    let line = Progress::new(world, wanted.elsewhere);
    let shown = Shown { line, pages: 0, records: 0, total: None };
    let graphql = wanted.graphql;
    let taker = Taker { take, left: wanted.at_most, graphql, listed: false, member: None, shown };
    caller.draft.reuse = true;
    // a kept page needs no helper
    let parallel = if caller.cache.is_some() { 1 } else { wanted.parallel };
    let mut collecting = Collecting { caller, parallel, taker, repeats: Repeats::default() };
    let outcome = match graphql {
        true => collecting.each_answer(world, wanted.start),
        false => collecting.each_page(world, pages::first(collecting.pages(), wanted.start, wanted.at_most)),
    };
    collecting.taker.shown.line.end(world);
    outcome
}

struct Collecting<'a, 'c> {
    caller: &'a mut Caller<'c>,
    parallel: u32,
    taker: Taker<'a>,
    repeats: Repeats,
}

impl<'c> Collecting<'_, 'c> {
    fn pages(&self) -> &'c Pages {
        &self.caller.provider.api.pages
    }

    fn each_answer(&mut self, world: &mut World, url: &Url) -> Result<Outcome, Error> {
        let data = self.pages();
        let mut query = Query::of(world, &mut self.caller.body)?;
        let (mut cursor, mut seen) = (None, HashSet::new());
        loop {
            self.caller.body = query.after(cursor);
            let page = match fetch(world, self.caller, url)? {
                Ok(page) if graphql::has_errors(&page.body) == Some(true) => {
                    self.caller.aftermath.errors = true;
                    return Ok(Outcome::Refused { status: 200, headers: page.headers, body: page.body.into_bytes() });
                }
                Ok(page) => page,
                Err(refused) => return Ok(refused),
            };
            let records = self.taker.read(data, &page)?;
            self.repeats.end_with(world, &records, (false, false))?;
            let more = self.taker.give(world, &page, records)?.is_some();
            let Some(next) = Connection::of(&page.body).and_then(|list| list.next).filter(|_| more) else {
                return Ok(Outcome::Done);
            };
            if !seen.insert(next.clone()) {
                return Err(circle(NAMED));
            }
            cursor = Some(next);
        }
    }

    fn each_page(&mut self, world: &mut World, mut url: Url) -> Result<Outcome, Error> {
        let data = self.pages();
        let mut seen = HashSet::new();
        // whether the page before was shorter than asked, so that this one may be beyond the last
        let mut perhaps = false;
        let counted = matches!(data.by, PageBy::Page | PageBy::Offset);
        loop {
            seen.insert(url.to_string());
            let page = match fetch(world, self.caller, &url)? {
                Ok(page) => page,
                Err(Outcome::Refused { status: 400 | 404 | 410 | 416 | 422, .. }) if perhaps => {
                    return Ok(Outcome::Done);
                }
                Err(refused) => return Ok(refused),
            };
            let records = self.taker.read(data, &page)?;
            if self.repeats.end_with(world, &records, (counted, perhaps))? {
                pages::more(&page.body).inspect(|member| warn_of_more(world, member));
                return Ok(Outcome::Done);
            }
            let Some(count) = self.taker.give(world, &page, records)? else { return Ok(Outcome::Done) };
            if self.parallel > 1
                && let Some((more, mut rest)) = pages::all(data, &page.url, &page.headers)
            {
                // the others will be as large
                let window = (MOST_AHEAD / page.body.len().max(1)).max(1);
                drop(page);
                return self.behind_the_first(world, (more, &mut rest), (count.unwrap_or(0), window));
            }
            let mut next = pages::next(data, &page.url, &page.headers, &page.body, count)?;
            if let Next::Page(url) | Next::Perhaps(url) = &mut next
                && hosts::owns(self.caller.provider, url)
            {
                hosts::add_query(self.caller.provider, url);
            }
            perhaps = matches!(next, Next::Perhaps(_));
            match next {
                Next::End => {
                    let came = self.taker.shown.records as u64;
                    if !counted
                        && count.is_some()
                        && let Some((member, total)) = pages::total_in(&page.body)
                        && total > came
                    {
                        warn_of_more(world, &format!("{member}: {total}"));
                    }
                    return Ok(Outcome::Done);
                }
                Next::Unknown(member) => {
                    warn_of_more(world, &member);
                    return Ok(Outcome::Done);
                }
                Next::Page(next) | Next::Perhaps(next) if seen.contains(next.as_str()) => {
                    return Err(circle(NAMED));
                }
                Next::Page(next) | Next::Perhaps(next) => url = next,
            }
        }
    }

    /// Fetches the pages whose addresses the first page told, but no more than the limit needs.
    /// `size`: the number of records on the first page. `window`: the most pages in flight.
    fn behind_the_first(
        &mut self,
        world: &mut World,
        (mut more, rest): (u64, &mut dyn Iterator<Item = Url>),
        (size, window): (usize, usize),
    ) -> Result<Outcome, Error> {
        self.taker.shown.total = Some(more.saturating_add(1));
        while more > 0 {
            let most = self.taker.left.map_or(u64::MAX, |left| left.div_ceil(size.max(1) as u64));
            let now = usize::try_from(most.min(more)).unwrap_or(usize::MAX);
            if let Some(outcome) = self.side_by_side(world, &mut rest.take(now), now.min(window))? {
                return Ok(outcome);
            }
            more -= now as u64;
        }
        Ok(Outcome::Done)
    }

    /// Fetches these pages in parallel. `None`: the last of them was reached.
    fn side_by_side(
        &mut self,
        world: &mut World,
        rest: &mut dyn Iterator<Item = Url>,
        most: usize,
    ) -> Result<Option<Outcome>, Error> {
        let data = self.pages();
        let mut helpers = Helpers::start(world, (self.parallel.min(MOST_PARALLEL) as usize).min(most));
        // the most pages that wait for an earlier one
        let window = (2 * helpers.count).min(most);
        let mut rest = rest.enumerate();
        let mut urls: BTreeMap<usize, Url> = BTreeMap::new();
        let mut turn = 0;
        loop {
            while urls.len() < window.max(1)
                && let Some((at, url)) = rest.next()
            {
                // without helpers, a page is fetched in its turn
                if helpers.count > 0 {
                    let request = self.caller.request(world, &url);
                    helpers.ask(world, self.caller, at, request)?;
                }
                urls.insert(at, url);
            }
            let Some(url) = urls.remove(&turn) else { return Ok(None) };
            let brought = helpers.brought(world, self.caller, turn)?;
            let page = match brought.and_then(|brought| Page::of_brought(&url, brought)) {
                Some(page) => page?,
                None => match fetch(world, self.caller, &url)? {
                    Ok(page) => page,
                    Err(refused) => return Ok(Some(refused)),
                },
            };
            turn += 1;
            let records = self.taker.read(data, &page)?;
            if self.repeats.end_with(world, &records, (true, false))?
                || self.taker.give(world, &page, records)?.is_none()
            {
                return Ok(Some(Outcome::Done));
            }
        }
    }
}

/// The pages so far, by their records.
#[derive(Default)]
struct Repeats {
    before: Option<u64>,
    marks: HashSet<u64>,
    /// How many pages in a row brought nothing new.
    dull: u32,
}

impl Repeats {
    /// Tells whether the list ends with this page, since it repeats the one before. `counted`: the
    /// page was asked for by a number. `perhaps`: the page before was shorter than asked.
    fn end_with(
        &mut self,
        world: &mut World,
        records: &Records<'_>,
        (counted, perhaps): (bool, bool),
    ) -> Result<bool, Error> {
        let mark = records.mark();
        let same = mark.is_some() && mark == self.before;
        if counted && same && (perhaps || records.are_telling()) {
            // a short page and its repetition: the API has no pages here, and leaves their number
            // unread; records without a difference may come twice
            if !perhaps || records.has_twins() {
                world.warn("a page has the same records as the one before: the list is taken to end there");
            }
            return Ok(true);
        }
        // a page of one plain value may well come again
        if counted && mark.is_some_and(|mark| records.are_telling() && !self.marks.insert(mark)) {
            return Err(circle("a page has the records of an earlier one"));
        }
        self.before = mark;
        self.dull = if same || records.list.is_empty() { self.dull + 1 } else { 0 };
        match self.dull {
            MOST_DULL => {
                let why = format!("{MOST_DULL} pages in a row are empty or the same");
                Err(Error::new(Kind::Unsafe, "the list has no end").because(why))
            }
            _ => Ok(false),
        }
    }
}

const NAMED: &str = "the API names an earlier page as the next one";

/// The most pages in a row that bring nothing new.
const MOST_DULL: u32 = 100;

fn circle(why: &str) -> Error {
    Error::new(Kind::Unsafe, "the pages go in a circle").because(why)
}

fn warn_of_more(world: &mut World, member: &str) {
    world.warn(&format!(
        "`{}` says that there are more pages, but not how to get them: `oauthctl help requests`",
        safe(member)
    ));
}

/// Passes records on and counts them.
struct Taker<'a> {
    take: Take<'a>,
    /// How many records are still wanted.
    left: Option<u64>,
    graphql: bool,
    /// Whether an earlier page was a list.
    listed: bool,
    /// The member that held the list on earlier pages.
    member: Option<String>,
    shown: Shown,
}

impl Taker<'_> {
    fn list<'a>(&self, data: &Pages, page: &Page, body: &'a str) -> Option<Found<'a>> {
        if self.graphql {
            return Connection::of(body).map(|found| Found { list: found.nodes, member: None });
        }
        records::records(data, body, self.member.as_deref(), pages::told(data, &page.headers))
    }

    /// Reads a page's records.
    fn read<'a>(&mut self, data: &Pages, page: &'a Page) -> Result<Records<'a>, Error> {
        let body = page.body.trim();
        if let Some(found) = self.list(data, page, body) {
            self.member = found.member;
            self.listed = true;
            return Ok(Records { count: Some(found.list.len()), list: found.list });
        }
        // the empty body of a 204, or what is written in place of an empty list
        if body.is_empty() || self.listed && (body == "null" || body == "{}") {
            return Ok(Records { count: None, list: Vec::new() });
        }
        // one value, or a value to a line
        let list = value::read(body).ok_or_else(|| {
            Error::new(Kind::Unsafe, format!("page {} is {}", self.shown.pages + 1, value::fault(body)))
                .hint("without `--paginate` it is printed as it came")
        })?;
        let lines = list.len() > 1 || content_coding::is_lines(&page.headers);
        self.listed |= lines;
        Ok(Records { count: lines.then_some(list.len()), list })
    }

    /// Passes a page's records on. Returns the length of its list, if it is one; `None`: no more
    /// records are wanted.
    fn give(
        &mut self,
        world: &mut World,
        page: &Page,
        Records { list, count }: Records<'_>,
    ) -> Result<Option<Option<usize>>, Error> {
        let some = self.left.map_or(list.len(), |left| list.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
        let go_on = (self.take)(world, page, &list[..some])?;
        if let Some(left) = &mut self.left {
            *left -= some as u64;
        }
        self.shown.page(world, some);
        Ok((go_on && self.left != Some(0)).then_some(count))
    }
}

/// The records of a page.
struct Records<'a> {
    list: Vec<&'a RawValue>,
    /// Their number, which the next page's offset counts. `None`: the page was no list.
    count: Option<usize>,
}

impl Records<'_> {
    fn texts(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|record| record.get())
    }

    /// A number that tells whether another page has the same records. `None`: there are none.
    fn mark(&self) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        self.texts().for_each(|text| text.hash(&mut hasher));
        self.count.filter(|count| *count > 0).map(|_| hasher.finish())
    }

    fn has_twins(&self) -> bool {
        self.texts().collect::<HashSet<_>>().len() < self.list.len()
    }

    /// Whether another page with the same records is the same page.
    fn are_telling(&self) -> bool {
        !self.has_twins() && (self.list.len() > 1 || self.texts().all(|text| text.starts_with('{')))
    }
}

/// Fetches one whole page. Retries if the connection breaks.
fn fetch(world: &mut World, caller: &mut Caller<'_>, url: &Url) -> Result<Result<Page, Outcome>, Error> {
    let mut attempts = 0;
    loop {
        let (url, mut answer) = caller.send(world, url)?;
        if answer.status >= 300 {
            let body = look_into(&mut answer)?;
            return Ok(Err(Outcome::Refused { status: answer.status, headers: answer.headers, body }));
        }
        match Page::of(url, answer) {
            Ok(page) => return Ok(Ok(page)),
            Err(e) if e.kind == Kind::TryLater && caller.is_repeatable() => {
                if !caller.wait_after_break(world, &mut attempts) {
                    return Err(e);
                }
            }
            Err(e) => return Err(e),
        }
    }
}

const FEWER: &str = "ask for fewer records in a page, by the API's own parameter";

/// The progress line and its counts.
struct Shown {
    line: Progress,
    pages: usize,
    records: usize,
    total: Option<u64>,
}

impl Shown {
    fn page(&mut self, world: &mut World, records: usize) {
        self.pages += 1;
        self.records += records;
        let of = self.total.map(|total| format!(" of {total}")).unwrap_or_default();
        self.line.draw(world, || format!("page {}{of}, {}", self.pages, count(self.records, "record")));
    }
}

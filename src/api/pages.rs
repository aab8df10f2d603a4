//! Finds the next page of a list in a response, as the provider's file describes: by a number in
//! the query, an address or a cursor in the body, an offset, or a `Link` header (RFC 8288), which
//! is the default. It fetches nothing.

use serde_json::value::RawValue;
use url::Url;

use super::hosts::same_origin;
use super::records::{LAST, MORE, NEXT, PAGE, PAGES, TOTAL, at, bare, holds_list, is_one_of};
use super::value::{View, view};
use crate::error::{Error, Kind};
use crate::provider::{PageBy, Pages};
use crate::text::safe;
use crate::wire::header;

/// The page that follows a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Page(Url),
    /// This page was shorter than asked: the last one, or one that the server cut.
    Perhaps(Url),
    /// This page was the last.
    End,
    /// The page names a next one by this member, in a way that isn't known.
    Unknown(String),
}

/// Returns the first page's address. It asks for the provider's largest page size, unless the user
/// chose a size or wants fewer records.
pub fn first(pages: &Pages, url: &Url, limit: Option<u64>) -> Url {
    let mut url = url.clone();
    if let (Some(param), Some(size)) = (&pages.size_param, pages.size)
        && value(&url, param).is_none()
    {
        let size = limit.map_or(u64::from(size), |limit| limit.clamp(1, u64::from(size)));
        url.query_pairs_mut().append_pair(param, &size.to_string());
    }
    url
}

/// Returns the page after the one from `url`, which held `count` records; `None`: it was no list.
pub fn next(
    pages: &Pages,
    url: &Url,
    headers: &[(String, String)],
    body: &str,
    count: Option<usize>,
) -> Result<Next, Error> {
    let said = |known: &dyn Fn(&str) -> Option<String>| pages.next.iter().find_map(|path| known(path));
    let text = || said(&|path| text_at(body, path).filter(|text| !text.is_empty()));
    Ok(match pages.by {
        PageBy::None => Next::End,
        PageBy::Page | PageBy::Offset => {
            let this = number(url, pages.param()).unwrap_or(pages.first());
            let (count, more) = (count.unwrap_or(0), Envelope::of(body));
            let is_last = match total(pages, headers) {
                Some(total) if pages.by == PageBy::Page => {
                    this.saturating_add(1) >= pages.first().saturating_add(total)
                }
                _ => count == 0 || more.is_last(),
            };
            let step = if pages.by == PageBy::Page { 1 } else { count as u64 };
            let next = with(url, pages.param(), &(this + step).to_string());
            match is_last {
                true => Next::End,
                false if is_short(pages, url, count) => Next::Perhaps(next),
                false => Next::Page(next),
            }
        }
        PageBy::Cursor if let Some(cursor) = text() => Next::Page(with(url, pages.param(), &cursor)),
        PageBy::Url if let Some(target) = text() => Next::Page(joined(url, &target)?),
        PageBy::Cursor | PageBy::Url if let Some(path) = said(&|path| unread_at(body, path)) => Next::Unknown(path),
        PageBy::Link if let Some(target) = link_next(headers) => Next::Page(joined(url, &target)?),
        // an object that holds no list may have a member of such a name too
        _ if count.is_none() => match more(body).filter(|member| holds_list(body) || member.starts_with("data.")) {
            Some(member) => Next::Unknown(member),
            None => Next::End,
        },
        _ => match Envelope::of(body) {
            Envelope { address: Some((member, target)), .. } => match joined(url, &target) {
                Ok(next) => Next::Page(next),
                Err(_) => Next::Unknown(member),
            },
            Envelope { more: Some(member), .. } => Next::Unknown(member),
            _ => Next::End,
        },
    })
}

/// Returns the member by which a page says that there are more.
pub fn more(body: &str) -> Option<String> {
    let Envelope { address, more, .. } = Envelope::of(body);
    address.map(|(member, _)| member).or(more)
}

/// Returns the member that tells the number of all records, and that number.
pub fn total_in(body: &str) -> Option<(String, u64)> {
    Envelope::of(body).total
}

/// What a page's own envelope says about the next page, in the ways that are common.
#[derive(Default)]
struct Envelope {
    /// The next page's address, and the member that names it.
    address: Option<(String, String)>,
    /// A member by which there are more pages.
    more: Option<String>,
    /// Whether a member says that this is the last page.
    last: bool,
    /// The member that tells the number of all records, and that number.
    total: Option<(String, u64)>,
}

/// Members that the envelope may be nested in.
const AROUND: &str = "\
    links link paging pagination pageinfo page meta metadata info responsemetadata cursor cursors \
    data";

impl Envelope {
    fn of(body: &str) -> Envelope {
        let mut found = Envelope::default();
        if let Ok(raw) = serde_json::from_str(body.trim_start()) {
            found.read(raw, "", 4);
        }
        found
    }

    fn is_last(&self) -> bool {
        self.last && self.more.is_none() && self.address.is_none()
    }

    fn read(&mut self, raw: &RawValue, path: &str, depth: usize) {
        let View::Members(members) = view(raw) else { return };
        let number = |names| {
            let (_, raw) = members.iter().find(|(name, _)| is_one_of(names, &bare(name)))?;
            raw.get().parse::<u64>().ok()
        };
        if let (Some(this), Some(all)) = (number(PAGE), number(PAGES)) {
            self.last |= this >= all;
            self.more = self.more.take().or_else(|| (this < all).then(|| format!("{path}page")));
        }
        let inside_next = path.rsplit('.').nth(1).is_some_and(|around| is_one_of(NEXT, &bare(around)));
        for (name, raw) in &members {
            let (bare, path) = (bare(name), format!("{path}{name}"));
            let is_next = is_one_of(NEXT, &bare) || inside_next && matches!(&*bare, "href" | "link" | "uri" | "url");
            match view(raw) {
                View::Plain("true") if is_one_of(MORE, &bare) => self.more = Some(path),
                View::Text(flag) if is_one_of(MORE, &bare) && flag == "true" => self.more = Some(path),
                View::Plain(flag) if is_one_of(MORE, &bare) => self.last |= flag == "false",
                View::Plain(flag) if is_one_of(LAST, &bare) => match flag {
                    "false" => self.more = Some(path),
                    _ => self.last |= flag == "true",
                },
                View::Plain(flag @ ("true" | "false")) if is_next => match flag {
                    "true" => self.more = Some(path),
                    _ => self.last = true,
                },
                View::Plain(number) if is_one_of(TOTAL, &bare) => {
                    self.total = number.parse().ok().map(|total| (path, total)).or(self.total.take());
                }
                View::Null => self.last |= is_next,
                View::Text(text) if is_next && text.is_empty() => self.last = true,
                View::Text(text) if is_next && (text.starts_with(['/', '?']) || text.contains("://")) => {
                    self.address = self.address.take().or(Some((path, text)));
                }
                View::Text(_) if is_next => self.more = Some(path),
                View::Plain(number) if is_next && number.parse::<u64>().is_ok() => self.more = Some(path),
                // `"links": [{"rel": "next", "href": …}]`
                View::List(list) if bare == "links" => {
                    for link in list {
                        let text = |member| text_at(link.get(), member);
                        if text("rel").as_deref() == Some("next") {
                            self.address = text("href").map(|target| (format!("{path}.next"), target));
                        }
                    }
                }
                View::Members(next) if depth > 0 && is_next => {
                    self.read(raw, &format!("{path}."), depth - 1);
                    // `"next": {"after": "x"}`
                    if self.address.is_none() && !self.last && !next.is_empty() {
                        self.more = Some(path);
                    }
                }
                View::Members(_) if depth > 0 && (is_one_of(AROUND, &bare) || path.starts_with("data.")) => {
                    self.read(raw, &format!("{path}."), depth - 1);
                }
                _ => {}
            }
        }
    }
}

/// Returns the number and the addresses of all pages after the first, if they are known beforehand.
/// Addresses are made one by one, so a huge total in a header uses no memory.
pub fn all(pages: &Pages, url: &Url, headers: &[(String, String)]) -> Option<(u64, impl Iterator<Item = Url> + use<>)> {
    if pages.by != PageBy::Page {
        return None;
    }
    let this = number(url, pages.param()).unwrap_or(pages.first());
    let next = this.saturating_add(1);
    let more = total(pages, headers)?.saturating_sub(next.saturating_sub(pages.first()));
    let (url, param) = (url.clone(), pages.param().to_owned());
    let addresses = (0..more).map(move |n| with(&url, &param, &next.saturating_add(n).to_string()));
    Some((more, addresses))
}

/// Tells whether a response's headers mark it as a page of a list.
pub fn told(pages: &Pages, headers: &[(String, String)]) -> bool {
    match pages.by {
        PageBy::Link => link_next(headers).is_some(),
        PageBy::Page => total(pages, headers).is_some(),
        _ => false,
    }
}

/// Returns the number of pages from the provider's header.
fn total(pages: &Pages, headers: &[(String, String)]) -> Option<u64> {
    header(headers, &pages.total_header.as_ref()?.to_lowercase())?.trim().parse().ok()
}

/// Tells whether a page has fewer records than were asked for.
fn is_short(pages: &Pages, url: &Url, count: usize) -> bool {
    let size = pages.size_param.as_ref().and_then(|param| number(url, param)).or(pages.size.map(u64::from));
    size.is_some_and(|size| (count as u64) < size)
}

fn joined(url: &Url, target: &str) -> Result<Url, Error> {
    let refused = |why: &str| {
        Err(Error::new(Kind::Unsafe, format!("the next page is at `{}`, which is not followed", safe(target)))
            .because(why))
    };
    let mut next = url.join(target);
    // a server behind a proxy that ends TLS may not know its own scheme
    if let Ok(next) = &mut next
        && url.scheme() == "https"
        && next.scheme() == "http"
        && next.host() == url.host()
    {
        let _ = next.set_scheme("https");
    }
    match next {
        Err(_) => refused("it is not a URL"),
        Ok(next) if !same_origin(url, &next) => refused("it is on another host, which must not get the token"),
        Ok(next) if !next.username().is_empty() || next.password().is_some() => refused("it holds a user name"),
        Ok(next) => Ok(next),
    }
}

fn value(url: &Url, param: &str) -> Option<String> {
    url.query_pairs().find(|(name, _)| name == param).map(|(_, value)| value.into_owned())
}

fn number(url: &Url, param: &str) -> Option<u64> {
    value(url, param)?.parse().ok()
}

/// Returns the address with one parameter replaced.
fn with(url: &Url, param: &str, value: &str) -> Url {
    let mut next = url.clone();
    let others: Vec<(String, String)> =
        url.query_pairs().filter(|(name, _)| name != param).map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
    next.query_pairs_mut().clear().extend_pairs(others).append_pair(param, value);
    next
}

/// Returns the target of `rel="next"` (RFC 8288, section 3).
fn link_next(headers: &[(String, String)]) -> Option<String> {
    headers.iter().filter(|(name, _)| name == "link").find_map(|(_, line)| {
        let mut rest = line.as_str();
        while let Some(open) = rest.find('<') {
            let (target, behind) = rest[open + 1..].split_once('>')?;
            let (params, more) = parameters(behind);
            let is_next = |(name, value): &(String, String)| {
                name == "rel" && value.split_whitespace().any(|rel| rel.eq_ignore_ascii_case("next"))
            };
            if params.iter().any(is_next) {
                return Some(target.to_owned());
            }
            rest = more;
        }
        None
    })
}

/// Parses `; name=value; name="quoted, value"` up to the comma that ends the link. Returns the
/// parameters and the rest of the text.
fn parameters(text: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    let (mut quoted, mut escaped, mut start) = (false, false, 0);
    let mut take = |part: &str| {
        if let Some((name, value)) = part.split_once('=') {
            let value = value.trim().trim_matches('"').replace('\\', "");
            found.push((name.trim().to_ascii_lowercase(), value));
        }
    };
    for (at, c) in text.char_indices() {
        match c {
            _ if std::mem::take(&mut escaped) => {}
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                take(&text[start..at]);
                start = at + 1;
            }
            ',' if !quoted => {
                take(&text[start..at]);
                return (found, &text[at + 1..]);
            }
            _ => {}
        }
    }
    take(&text[start..]);
    (found, "")
}

/// Returns the text or number at a path of member names.
fn text_at(body: &str, path: &str) -> Option<String> {
    let raw = at(body, path)?.get();
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok(),
        b'0'..=b'9' | b'-' => Some(raw.to_owned()),
        _ => None,
    }
}

/// Returns the path itself, if something is there that is neither a text nor a number, and does not
/// mean "nothing".
fn unread_at(body: &str, path: &str) -> Option<String> {
    let unread = match view(at(body, path)?) {
        View::List(list) => !list.is_empty(),
        View::Members(members) => !members.is_empty(),
        View::Plain(flag) => flag == "true",
        View::Text(_) | View::Null => false,
    };
    unread.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn by(by: PageBy) -> Pages {
        Pages { by, ..Pages::default() }
    }

    fn found(next: Result<Next, Error>) -> Option<String> {
        match next.unwrap() {
            Next::Page(url) => Some(url.to_string()),
            Next::Perhaps(url) => Some(format!("perhaps {url}")),
            Next::Unknown(member) => Some(format!("unknown {member}")),
            Next::End => None,
        }
    }

    #[test]
    fn a_link_header_is_read_as_rfc_8288_writes_it() {
        for (line, want) in [
            ("<https://a.example/x?page=2>; rel=\"next\"", Some("https://a.example/x?page=2")),
            ("</x?p=1>; rel=prev, </x?p=3>; rel=next", Some("https://a.example/x?p=3")),
            ("<?p=3>; title=\"a, <b>; rel=next\"; rel=\"last Next\"", Some("https://a.example/l?p=3")),
            ("<x>; rel=\"prev\"", None),
            ("<x>; rev=next", None),
            ("nonsense", None),
            ("<x", None),
        ] {
            let headers = [("link".to_owned(), line.to_owned())];
            let next = next(&by(PageBy::Link), &url("https://a.example/l?p=2"), &headers, "", Some(0));
            assert_eq!(found(next).as_deref(), want, "{line}");
        }
    }

    // A-02: the token stays with the provider
    #[test]
    fn no_page_is_on_another_host() {
        let pages = Pages { next: vec!["next".into()], ..by(PageBy::Url) };
        for target in [
            "https://evil.example/x",
            "//evil.example/x",
            "http://a.example:8080/",
            "http://b.a.example/",
            "https://a.example:444/",
            "https://u:p@a.example/",
        ] {
            let body = format!("{{\"next\":\"{target}\"}}");
            let next = next(&pages, &url("https://a.example/l"), &[], &body, Some(1));
            assert_eq!(next.unwrap_err().kind, Kind::Unsafe, "{target}");
        }
    }

    #[test]
    fn each_provider_tells_in_its_own_way() {
        let here = url("https://a.example/v3/l?q=a+b");
        let cc = Pages { next: vec!["_links.next.href".into()], ..by(PageBy::Url) };
        let body = r#"{"contacts":[],"_links":{"next":{"href":"/v3/contacts?cursor=x"}}}"#;
        assert_eq!(
            found(next(&cc, &here, &[], body, Some(1))).as_deref(),
            Some("https://a.example/v3/contacts?cursor=x")
        );
        assert_eq!(found(next(&cc, &here, &[], r#"{"contacts":[]}"#, Some(1))), None);
        assert_eq!(found(next(&cc, &here, &[], r#"{"_links":{"next":null}}"#, Some(1))), None);

        let gr = Pages {
            param: Some("page".into()),
            size_param: Some("perPage".into()),
            size: Some(1000),
            total_header: Some("TotalPages".into()),
            ..by(PageBy::Page)
        };
        let start = first(&gr, &here, None);
        assert_eq!(start.as_str(), "https://a.example/v3/l?q=a+b&perPage=1000");
        assert_eq!(first(&gr, &url("https://a.example/l?perPage=5"), Some(2)).query(), Some("perPage=5"));
        assert_eq!(first(&gr, &url("https://a.example/l"), Some(7)).query(), Some("perPage=7"));
        let headers = [("totalpages".to_owned(), "3".to_owned())];
        let third = "https://a.example/v3/l?q=a+b&perPage=1000&page=3";
        assert_eq!(all(&gr, &start, &headers).unwrap().1.nth(1).unwrap().as_str(), third);
        assert_eq!(found(next(&gr, &url(third), &headers, "[]", Some(9))), None);
        // B-07: addresses are made lazily
        let (count, mut rest) = all(&gr, &start, &[("totalpages".to_owned(), u64::MAX.to_string())]).unwrap();
        assert_eq!((count, rest.next().is_some()), (u64::MAX - 1, true));
        assert!(found(next(&gr, &start, &[], "[]", Some(999))).unwrap().starts_with("perhaps "));
        assert_eq!(found(next(&gr, &start, &[], "[]", Some(0))), None);
        assert!(found(next(&gr, &start, &[], "[]", Some(1000))).unwrap().ends_with("&page=2"));

        let cursor = Pages { param: Some("after".into()), next: vec!["meta.next".into()], ..by(PageBy::Cursor) };
        let body = r#"{"meta":{"next":"a/b="}}"#;
        assert!(found(next(&cursor, &here, &[], body, Some(1))).unwrap().ends_with("?q=a+b&after=a%2Fb%3D"));
        let offset = Pages { param: Some("index".into()), start: Some(1), ..by(PageBy::Offset) };
        assert!(found(next(&offset, &here, &[], "[]", Some(50))).unwrap().ends_with("&index=51"));
        assert_eq!(found(next(&offset, &here, &[], "[]", Some(0))), None);
    }

    #[test]
    fn what_no_key_names_is_followed_on_the_same_host_or_told() {
        let here = url("https://a.example/v1/l?n=5");
        let all = [PageBy::Link, PageBy::Url, PageBy::Cursor].map(by);
        for (body, want) in [
            (r#"{"next":"https://a.example/x","results":[]}"#, Some("https://a.example/x")),
            (r#"{"next":"http://a.example/x","results":[]}"#, Some("https://a.example/x")),
            (r#"{"@odata.nextLink":"/x?$skip=1","value":[]}"#, Some("https://a.example/x?$skip=1")),
            (r#"{"_links":{"next":{"href":"?p=2"}}}"#, Some("https://a.example/v1/l?p=2")),
            (r#"{"links":[{"rel":"self","href":"/"},{"rel":"next","href":"/x"}]}"#, Some("https://a.example/x")),
            (r#"{"paging":{"cursors":{"after":"z"},"next":"https://a.example/x"}}"#, Some("https://a.example/x")),
            (r#"{"next":"https://b.example/x"}"#, Some("unknown next")),
            (r#"{"nextPageToken":"abc","items":[]}"#, Some("unknown nextPageToken")),
            (r#"{"response_metadata":{"next_cursor":"abc="}}"#, Some("unknown response_metadata.next_cursor")),
            (r#"{"has_more":true,"data":[]}"#, Some("unknown has_more")),
            (r#"{"pagination":{"page":1,"total_pages":9}}"#, Some("unknown pagination.page")),
            (r#"{"data":{"a":{"pageInfo":{"hasNextPage":true}}}}"#, Some("unknown data.a.pageInfo.hasNextPage")),
            (r#"{"next_page":3,"a":[]}"#, Some("unknown next_page")),
            (r#"{"content":[],"last":false}"#, Some("unknown last")),
            (r#"{"values":[],"isLastPage":false,"nextPageStart":9}"#, Some("unknown nextPageStart")),
            (r#"{"users":[],"end_of_stream":false}"#, Some("unknown end_of_stream")),
            (r#"{"data":[],"info":{"more_records":true}}"#, Some("unknown info.more_records")),
            (r#"{"IsTruncated":true,"Contents":[]}"#, Some("unknown IsTruncated")),
            (r#"{"data":[],"next_page":{"offset":"z","uri":"https://a.example/x"}}"#, Some("https://a.example/x")),
            (r#"{"paging":{"next":{"after":"9","link":"?after=9"}}}"#, Some("https://a.example/v1/l?after=9")),
            (r#"{"paging":{"next":{"after":"9"}}}"#, Some("unknown paging.next")),
            (r#"{"values":[],"isLastPage":true,"nextPageStart":null}"#, None),
            (r#"{"_links":{"next":{"href":null}}}"#, None),
            (r#"{"next":null,"previous":"https://a.example/x"}"#, None),
            (r#"{"response_metadata":{"next_cursor":""}}"#, None),
            (r#"{"has_more":false,"pagination":{"page":9,"total_pages":9}}"#, None),
            (r#"{"users":[],"has_more":"true"}"#, Some("unknown has_more")),
            (r#"[{"next":"/x"}]"#, None),
        ] {
            for pages in &all {
                assert_eq!(found(next(pages, &here, &[], body, Some(5))).as_deref(), want, "{body}");
            }
            // pages that are counted end where one says so
            let ends = found(next(&by(PageBy::Page), &here, &[], body, Some(5))).is_none();
            assert_eq!(ends, want.is_none() && body.starts_with('{'), "{body}");
        }
    }

    #[test]
    fn an_object_that_is_no_list_names_a_next_page_only_beside_a_list() {
        let here = url("https://a.example/v1/l");
        for (body, want) in [
            (r#"{"data":{"a":{"nodes":[{}],"pageInfo":{"hasNextPage":true}}}}"#, Some("data.a.pageInfo.hasNextPage")),
            (r#"{"users":[{}],"end_time":5,"next_page":"https://a.example/x"}"#, Some("next_page")),
            (r#"{"users":[{}],"end_time":5,"end_of_stream":false}"#, Some("end_of_stream")),
            (r#"{"users":[{}],"end_time":5,"end_of_stream":true}"#, None),
            (r#"{"id":5,"title":"a","next":"/posts/6"}"#, None),
            (r#"{"id":5,"tags":["a"],"next":"/posts/6"}"#, None),
        ] {
            let said = found(next(&by(PageBy::Link), &here, &[], body, None));
            assert_eq!(said, want.map(|member| format!("unknown {member}")), "{body}");
        }
    }
}

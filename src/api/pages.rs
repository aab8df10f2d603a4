//! Finds the next page of a list in a response, as the provider's file describes: by a number in
//! the query, an address or a cursor in the body, an offset, or a `Link` header (RFC 8288), which
//! is the default. It fetches nothing.

use url::Url;

use super::hosts::same_origin;
use super::records::at;
use crate::error::{Error, Kind};
use crate::provider::{PageBy, Pages};
use crate::text::safe;
use crate::wire::header;

/// The page that follows a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Page(Url),
    /// This page was the last.
    End,
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

/// Returns the page after the one from `url`, which held `count` records.
pub fn next(pages: &Pages, url: &Url, headers: &[(String, String)], body: &str, count: usize) -> Result<Next, Error> {
    let found = match pages.by {
        PageBy::None => None,
        PageBy::Link => match link_next(headers) {
            Some(target) => Some(joined(url, &target)?),
            None => None,
        },
        PageBy::Url => match pages.next.iter().find_map(|path| text_at(body, path)) {
            Some(target) if !target.is_empty() => Some(joined(url, &target)?),
            _ => None,
        },
        PageBy::Cursor => match pages.next.iter().find_map(|path| text_at(body, path)) {
            Some(cursor) if !cursor.is_empty() => Some(with(url, pages.param(), &cursor)),
            _ => None,
        },
        PageBy::Page => {
            let this = number(url, pages.param()).unwrap_or(pages.first());
            let more = match total(pages, headers) {
                Some(total) => this < total,
                None => is_full(pages, url, count),
            };
            more.then(|| with(url, pages.param(), &(this + 1).to_string()))
        }
        PageBy::Offset => {
            let this = number(url, pages.param()).unwrap_or(pages.first());
            is_full(pages, url, count).then(|| with(url, pages.param(), &(this + count as u64).to_string()))
        }
    };
    Ok(found.map_or(Next::End, Next::Page))
}

/// Returns the number and the addresses of all pages after the first, if they are known beforehand.
/// Addresses are made one by one, so a huge total in a header uses no memory.
pub fn all(pages: &Pages, url: &Url, headers: &[(String, String)]) -> Option<(u64, impl Iterator<Item = Url> + use<>)> {
    if pages.by != PageBy::Page {
        return None;
    }
    let this = number(url, pages.param()).unwrap_or(pages.first());
    let total = total(pages, headers)?;
    let (url, param) = (url.clone(), pages.param().to_owned());
    let addresses = (this.saturating_add(1)..=total).map(move |n| with(&url, &param, &n.to_string()));
    Some((total.saturating_sub(this), addresses))
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

/// Tells whether a page may have a successor, judged by its size alone.
fn is_full(pages: &Pages, url: &Url, count: usize) -> bool {
    let size = pages.size_param.as_ref().and_then(|param| number(url, param)).or(pages.size.map(u64::from));
    count > 0 && size.is_none_or(|size| count as u64 >= size)
}

fn joined(url: &Url, target: &str) -> Result<Url, Error> {
    let refused = |why: &str| {
        Err(Error::new(Kind::Unsafe, format!("the next page is at `{}`, which is not followed", safe(target)))
            .because(why))
    };
    match url.join(target) {
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
            let next = next(&by(PageBy::Link), &url("https://a.example/l?p=2"), &headers, "", 0);
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
            "http://a.example/",
            "https://a.example:444/",
            "https://u:p@a.example/",
        ] {
            let body = format!("{{\"next\":\"{target}\"}}");
            let next = next(&pages, &url("https://a.example/l"), &[], &body, 1);
            assert_eq!(next.unwrap_err().kind, Kind::Unsafe, "{target}");
        }
    }

    #[test]
    fn each_provider_tells_in_its_own_way() {
        let here = url("https://a.example/v3/l?q=a+b");
        let cc = Pages { next: vec!["_links.next.href".into()], ..by(PageBy::Url) };
        let body = r#"{"contacts":[],"_links":{"next":{"href":"/v3/contacts?cursor=x"}}}"#;
        assert_eq!(found(next(&cc, &here, &[], body, 1)).as_deref(), Some("https://a.example/v3/contacts?cursor=x"));
        assert_eq!(found(next(&cc, &here, &[], r#"{"contacts":[]}"#, 1)), None);
        assert_eq!(found(next(&cc, &here, &[], r#"{"_links":{"next":null}}"#, 1)), None);

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
        assert_eq!(found(next(&gr, &url(third), &headers, "[]", 9)), None);
        // B-07: addresses are made lazily
        let (count, mut rest) = all(&gr, &start, &[("totalpages".to_owned(), u64::MAX.to_string())]).unwrap();
        assert_eq!((count, rest.next().is_some()), (u64::MAX - 1, true));
        assert_eq!(found(next(&gr, &start, &[], "[]", 999)), None);
        assert!(found(next(&gr, &start, &[], "[]", 1000)).unwrap().ends_with("&page=2"));

        let cursor = Pages { param: Some("after".into()), next: vec!["meta.next".into()], ..by(PageBy::Cursor) };
        let body = r#"{"meta":{"next":"a/b="}}"#;
        assert!(found(next(&cursor, &here, &[], body, 1)).unwrap().ends_with("?q=a+b&after=a%2Fb%3D"));
        let offset = Pages { param: Some("index".into()), start: Some(1), ..by(PageBy::Offset) };
        assert!(found(next(&offset, &here, &[], "[]", 50)).unwrap().ends_with("&index=51"));
        assert_eq!(found(next(&offset, &here, &[], "[]", 0)), None);
    }
}

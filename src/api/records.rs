//! Finds the records of a page: the page itself if it is an array, else the array inside it. APIs
//! wrap lists in objects of any form, and a single record may contain an array too. An object
//! therefore counts as a list's envelope only if the provider's file or the headers say so, or if
//! all its other members are typical of envelopes: counts, links, page numbers, cursors.
//!
//! Records are cut out of the page byte by byte, so a number of thirty digits keeps them all.

use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::provider::Pages;
use crate::wire::Written;

/// A list and its place, so that later pages are read from the same place even with fewer members.
pub struct Found<'a> {
    pub list: Vec<&'a RawValue>,
    /// The member that holds the list. `None`: the provider's file names its path, or the page
    /// itself is the list.
    pub member: Option<String>,
}

/// Members that are lists of records, whatever they contain.
const LISTS: &str = "items data results records entries rows elements value values content";

/// Members that may accompany a list, but other data too.
const FURNITURE: &str = "\
    links link self url uri href kind object etag meta metadata info included includes \
    constraints odatacontext context schemas embedded warnings";

/// Members of an envelope, if it is known to hold a list.
const WRAPPING: &str = "\
    status code message ok success done error errors time timestamp requestid type path from to \
    first last size number sort order empty incompleteresults incompletesearch";

/// Other members that describe pagination.
const PAGING: &str = "\
    pagesize perpage paging pagination pageinfo pageable responsemetadata \
    limit offset index start startat startindex startposition itemsperpage maxresults \
    cursor resultsizeestimate numberofelements recordsonthispage resultsorderedby orderdirection";

/// Names of the next page's address or cursor, without marks and in lower case.
pub const NEXT: &str = "\
    next nextpage nextlink nexturl nexturi nexthref nextpageurl nextpageuri nextpagelink \
    nextrecordsurl nextcollectionlink odatanextlink nextpagetoken nextcursor nextpagecursor \
    nexttoken nextmarker nextoffset nextstart nextpagestart nextkey nextpagekey continuationtoken \
    nextcontinuationtoken";

/// Flags that are true where there are more pages.
pub const MORE: &str = "\
    more hasmore hasnext hasnextpage hasmoreitems hasmorepages hasmoreresults moreavailable \
    moreitems morepages morerecords moreresults istruncated";

/// Flags that are true on the last page; `last` alone may be a name.
pub const LAST: &str = "last islast islastpage endofstream endoflist";

/// Names of this page's number, and of the number of pages.
pub const PAGE: &str = "page currentpage pagenumber";
pub const PAGES: &str = "pages totalpages pagecount numberofpages lastpage";

/// Names of the number of all records.
pub const TOTAL: &str = "\
    total totalcount totalitems totalrecords totalresults totalsize totalelements totalhits \
    totalnumberofrecords";

/// Tells whether a name is in a list of words.
pub fn is_one_of(words: &str, name: &str) -> bool {
    words.split(' ').any(|word| word == name)
}

/// Returns the records of a page. `None`: it is no list. `known`: the member that held them on an
/// earlier page. `told`: the headers mark the response as a page of a list.
pub fn records<'a>(pages: &Pages, body: &'a str, known: Option<&str>, told: bool) -> Option<Found<'a>> {
    let whole: &RawValue = serde_json::from_str(body).ok()?;
    if is_list(whole) {
        return found(whole, None);
    }
    // Go writes an empty list as `null`
    let is_list_or_null = |raw: &RawValue| is_list(raw) || raw.get() == "null";
    if let Some(raw) = pages.items.as_deref().and_then(|path| at(body, path)).filter(|raw| is_list_or_null(raw)) {
        return found(raw, None);
    }
    let members = members(body)?;
    if let Some(name) = known
        && let Some((_, raw)) = members.iter().find(|(member, raw)| member == name && is_list_or_null(raw))
    {
        return found(raw, Some(name));
    }
    let told = told || pages.next.iter().any(|path| at(body, path).is_some_and(|raw| raw.get() != "null"));
    let (name, raw) = list_of(&members, told)?;
    found(raw, Some(name))
}

fn found<'a>(raw: &'a RawValue, member: Option<&str>) -> Option<Found<'a>> {
    let list = serde_json::from_str::<Option<_>>(raw.get()).ok()?.unwrap_or_default();
    Some(Found { list, member: member.map(str::to_owned) })
}

/// Tells whether a member of an object is a list of objects.
pub fn holds_list(body: &str) -> bool {
    members(body).is_some_and(|members| {
        let lists = members.iter().filter(|(name, raw)| is_list(raw) && !is_one_of(FURNITURE, &bare(name)));
        lists.map(|(_, raw)| raw).any(|raw| holds_objects(raw))
    })
}

/// Returns the member that holds the list, if the others form its envelope.
fn list_of<'m, 'a>(members: &'m [(String, &'a RawValue)], told: bool) -> Option<(&'m str, &'a RawValue)> {
    let named: Vec<(String, &str, &'a RawValue)> =
        members.iter().map(|(name, raw)| (bare(name), name.as_str(), *raw)).collect();
    let is_furniture = |name: &str| is_one_of(FURNITURE, name) || pages_on(name);
    let (lists, beside): (Vec<_>, Vec<_>) =
        named.iter().partition(|(bare, _, raw)| is_list(raw) && !is_furniture(bare) && !is_one_of(WRAPPING, bare));
    let pages = told || beside.iter().any(|(bare, ..)| pages_on(bare));
    let usual = |list: &&&(String, &str, &RawValue)| is_one_of(LISTS, &list.0);
    let of_objects = |list: &&&(String, &str, &RawValue)| holds_objects(list.2);
    let of_objects_or_empty = |list: &&&(String, &str, &RawValue)| of_objects(list) || is_empty(list.2);
    let list = match lists.as_slice() {
        [only] if pages || usual(&only) || of_objects_or_empty(&only) => only,
        // an array of texts, alone or beside other members, makes a record
        [] => {
            let null = |(bare, _, raw): &&&(String, &str, &RawValue)| is_one_of(LISTS, bare) && raw.get() == "null";
            let empty = beside.iter().find(null).filter(|_| pages)?;
            return beside.iter().all(|one| one.0 == empty.0 || is_furniture(&one.0)).then_some((empty.1, empty.2));
        }
        [_] => return None,
        several => match several.iter().find(|list| usual(list) && of_objects_or_empty(list)) {
            Some(list) => list,
            None if pages => several.iter().find(of_objects).unwrap_or(&several[0]),
            None => return None,
        },
    };
    let certain = pages || usual(&list);
    let fits = |(bare, _, raw): &&(String, &str, &RawValue)| {
        is_furniture(bare) || certain && is_one_of(WRAPPING, bare) || pages && raw.get().starts_with('{')
    };
    (told || beside.iter().all(fits)).then_some((list.1, list.2))
}

/// Normalizes a name: `@odata.nextLink`, `next_link` and `nextLink` are the same.
pub fn bare(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Tells whether a member with this name describes pagination or a total.
fn pages_on(bare: &str) -> bool {
    let bare = bare.strip_prefix("odata").unwrap_or(bare);
    let direction = ["next", "previous", "prev", "current"].iter().find_map(|word| bare.strip_prefix(word));
    let edge = ["first", "last"].iter().find_map(|word| bare.strip_prefix(word));
    let place = |rest: &str| {
        ["page", "link", "url", "uri", "href", "cursor", "token", "offset", "marker", "recordsurl", "collectionlink"]
            .iter()
            .any(|word| rest.strip_prefix("page").unwrap_or(rest) == *word || rest == *word)
    };
    bare.ends_with("count")
        || direction.is_some_and(|rest| rest.is_empty() || place(rest))
        || edge.is_some_and(place)
        || [PAGING, NEXT, MORE, PAGE, PAGES, TOTAL].iter().any(|words| is_one_of(words, bare))
        || is_one_of(LAST, bare) && bare != "last"
}

fn is_list(raw: &RawValue) -> bool {
    raw.get().starts_with('[')
}

fn holds_objects(raw: &RawValue) -> bool {
    raw.get()[1..].trim_start().starts_with('{')
}

fn is_empty(raw: &RawValue) -> bool {
    raw.get()[1..].trim_start().starts_with(']')
}

/// Returns the raw value at a path. A number in the path is an index into an array.
pub fn at<'a>(body: &'a str, path: &str) -> Option<&'a RawValue> {
    let mut found: &RawValue = serde_json::from_str(body).ok()?;
    for name in path.split('.').filter(|name| !name.is_empty()) {
        found = match found.get().trim_start().as_bytes().first()? {
            b'{' => members(found.get())?.into_iter().rfind(|(member, _)| member == name)?.1,
            b'[' => *serde_json::from_str::<Vec<&RawValue>>(found.get()).ok()?.get(name.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(found)
}

/// The raw members of an object in their order, which a map would lose.
pub(super) type Members<'a> = Vec<(String, &'a RawValue)>;

pub(super) fn members(object: &str) -> Option<Members<'_>> {
    serde_json::from_str(object).ok().map(|Written(members)| members)
}

/// Members without repeated names: the last value counts, in the place of the first.
pub(super) fn once(members: Members<'_>) -> Members<'_> {
    let mut once: Members<'_> = Vec::with_capacity(members.len());
    let mut places = HashMap::new();
    for (name, value) in members {
        match places.get(&name) {
            Some(&at) => once[at] = (name, value),
            None => {
                places.insert(name.clone(), once.len());
                once.push((name, value));
            }
        }
    }
    once
}

/// Returns a value on one line, without white space outside of texts.
pub fn on_one_line(raw: &str) -> std::borrow::Cow<'_, str> {
    if !raw.contains(['\n', '\r']) {
        return raw.into();
    }
    let (mut out, mut quoted, mut escaped) = (String::with_capacity(raw.len()), false, false);
    for c in raw.chars() {
        match c {
            _ if std::mem::take(&mut escaped) => {}
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ' ' | '\n' | '\r' | '\t' if !quoted => continue,
            _ => {}
        }
        out.push(c);
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(pages: &Pages, body: &str) -> Option<String> {
        let found = records(pages, body, None, false)?;
        Some(found.list.iter().map(|r| on_one_line(r.get()).into_owned()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn records_are_cut_out_as_they_stand() {
        let pages = Pages { items: Some("data.rows".into()), ..Pages::default() };
        let big = "123456789012345678901234567890.10";
        for (body, want) in [
            (format!("[ {big} , {{\n \"a b\" : \"c \\\" d\" }}]"), Some(format!("{big} {{\"a b\":\"c \\\" d\"}}"))),
            (r#"{"x":[1],"data":{"rows":[2]}}"#.to_owned(), Some("2".to_owned())),
            (r#"{"tags":["a"],"items":[{"n":1}],"links":{}}"#.to_owned(), Some("{\"n\":1}".to_owned())),
            (r#"{"items":[]}"#.to_owned(), Some(String::new())),
            (r#"{"a":1}"#.to_owned(), None),
            ("\"text\"".to_owned(), None),
            ("no json".to_owned(), None),
        ] {
            assert_eq!(cut(&pages, &body), want, "{body}");
        }
    }

    #[test]
    fn an_object_is_an_envelope_only_by_what_stands_beside_the_list() {
        let usual = Pages::default();
        for envelope in [
            r#"{"contacts":[{"n":1}],"contacts_count":1,"_links":{"next":{"href":"/x"}}}"#,
            r#"{"contacts":[{"n":1}]}"#,
            r#"{"url":"https://a/x","count":1,"items":[{"n":1}],"links":{"up":{}}}"#,
            r#"{"total_count":1,"incomplete_results":false,"items":[{"n":1}]}"#,
            r#"{"object":"list","url":"/v1/x","has_more":false,"data":[{"n":1}]}"#,
            r#"{"ok":true,"channels":[{"n":1}],"response_metadata":{"next_cursor":""}}"#,
            r#"{"lists":[{"n":1}],"total_items":1,"constraints":{},"_links":[{"rel":"self"}]}"#,
            r#"{"totalSize":1,"done":true,"records":[{"n":1}]}"#,
            r#"{"@odata.context":"x","@odata.nextLink":"y","value":[{"n":1}]}"#,
            r#"{"current_page":1,"data":[{"n":1}],"first_page_url":"x","from":1,"links":[{}],"path":"p","per_page":15,"to":1,"total":1}"#,
            r#"{"kind":"x","etag":"y","nextPageToken":"z","files":[{"n":1}]}"#,
            r#"{"Results":[{"n":1}],"PageNumber":1,"TotalNumberOfRecords":1,"NumberOfPages":1,"ResultsOrderedBy":"email"}"#,
            r#"{"code":0,"message":"success","data":[{"n":1}]}"#,
            r#"{"tickets":[{"n":1}],"next_page":null,"previous_page":null,"count":1}"#,
            r#"{"campaigns":[{"n":1}],"averages":{"opens":1},"page":1}"#,
            r#"{"users":[{"n":1}],"end_of_stream":false}"#,
            r#"{"Contents":[{"n":1}],"IsTruncated":true}"#,
            r#"{"users":[{"n":1}],"more":true}"#,
        ] {
            assert_eq!(cut(&usual, envelope).as_deref(), Some("{\"n\":1}"), "{envelope}");
        }
        assert_eq!(cut(&usual, r#"{"ids":[1,2],"next_cursor":"x"}"#).as_deref(), Some("1 2"));
        for empty in [r#"{"contacts":[],"contacts_count":0}"#, r#"{"contacts":[]}"#, r#"{"data":[],"links":{}}"#] {
            assert_eq!(cut(&usual, empty).as_deref(), Some(""), "{empty}");
        }
        for record in [
            r#"{"contact_id":"c1","first_name":"Ann","list_memberships":["l1","l2"]}"#,
            r#"{"id":1,"tags":[]}"#,
            r#"{"list_memberships":["l1","l2"]}"#,
            r#"{"attributes":{"id":1},"links":{},"tags":["a"]}"#,
            r#"{"id":1,"total":5,"items":[{"sku":"x"}],"_links":{}}"#,
            r#"{"text":"hello","attachments":[{"n":1}]}"#,
            r#"{"message":"hello","attachments":[{"n":1}]}"#,
            r#"{"emails":[{"n":1}],"phones":[{"n":2}]}"#,
            r#"{"_links":{"self":{"href":"/x"}},"errors":[{"n":1}]}"#,
            r#"{"first":"Ann","last":"Lee","tags":["a"]}"#,
        ] {
            assert_eq!(cut(&usual, record), None, "{record}");
        }
    }

    #[test]
    fn what_the_provider_or_an_earlier_page_says_counts_more() {
        let cc = Pages { next: vec!["_links.next.href".into()], ..Pages::default() };
        let odd = r#"{"campaigns":[{"n":1}],"as_of":"today","_links":{"next":{"href":"/x"}}}"#;
        assert_eq!(cut(&cc, odd).as_deref(), Some("{\"n\":1}"));
        let last = r#"{"campaigns":[{"n":2}],"as_of":"today"}"#;
        assert_eq!(cut(&cc, last), None);
        let on_a_later_page = records(&cc, last, Some("campaigns"), false).unwrap();
        assert_eq!(on_a_later_page.list.len(), 1);
        // a `Link` header, or the number of pages
        assert_eq!(records(&cc, last, None, true).unwrap().member.as_deref(), Some("campaigns"));
    }
}

//! What a provider's file says of the API behind its tokens: where it is, how the token is presented, how lists are paged, what
//! errors mean and how much may be asked.

use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq)]
pub struct Api {
    pub base_url: Option<String>,
    pub headers: BTreeMap<String, String>,
    pub auth: ApiAuth,
    /// Hosts beside the base's own to which the token may go; `*.` at the start stands for one label or more.
    pub hosts: Vec<String>,
    pub pages: Pages,
}

/// How long lists are cut into pages.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Pages {
    pub by: PageBy,
    /// Where a page's records stand; `None`: where an array is found.
    pub items: Option<String>,
    /// Paths of the next page's address, or of its cursor; the first that exists.
    pub next: Vec<String>,
    /// The parameter of the query that takes the page's number, the cursor or the offset.
    pub param: Option<String>,
    /// The parameter that takes the number of records to a page, and how many are asked for.
    pub size_param: Option<String>,
    pub size: Option<u32>,
    /// The first page's number or offset.
    pub start: Option<u32>,
    /// The header that tells the number of pages.
    pub total_header: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PageBy {
    /// The `Link` header (RFC 8288).
    #[default]
    Link,
    /// The next page's number in the query.
    Page,
    /// How many records come before the page.
    Offset,
    /// An address in the body.
    Url,
    /// A text in the body that goes into the query.
    Cursor,
    /// There are no pages.
    None,
}

impl Pages {
    /// The parameter's name, the usual one where none is given.
    pub fn param(&self) -> &str {
        self.param.as_deref().unwrap_or(match self.by {
            PageBy::Cursor => "cursor",
            PageBy::Offset => "offset",
            _ => "page",
        })
    }

    /// The number of the first page, or the offset of the first record.
    pub fn first(&self) -> u64 {
        self.start.map_or(u64::from(self.by == PageBy::Page), u64::from)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ApiAuth {
    pub place: ApiAuthPlace,
    pub name: String,
    pub scheme: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiAuthPlace {
    Header,
    Query,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Whoami {
    pub method: String,
    pub url: String,
    pub headers: BTreeMap<String, String>,
    pub body: Option<String>,
    pub id: Option<String>,
    pub label: Option<String>,
}

/// What an API error means, told by status, code and message. The first rule that fits wins.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorRule {
    pub status: Option<u16>,
    pub code: Option<String>,
    /// A part of the message, compared without regard to case.
    pub matches: Option<String>,
    pub means: Means,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    Expired,
    Revoked,
    WrongClient,
    Scope,
    Throttled,
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Limits {
    /// Names of the headers that tell `limit`, `remaining`, `reset`, `retry-after`.
    pub headers: BTreeMap<String, String>,
    pub per_second: Option<u32>,
    pub per_day: Option<u32>,
    pub parallel: Option<u32>,
}

//! The API part of a provider's file: address, token's place, paging, errors and rate limits.

use std::collections::BTreeMap;

use super::schema::schema;
use super::{Method, checks, words};
use crate::layers::de::range;

schema! {
    /// The API behind the tokens.
    pub struct Api {
        /// Where its paths start.
        pub base_url: Option<String> as Url,
        /// Extra headers. `{client_id}` is the client's id, here as everywhere.
        #[serde(deserialize_with = "checks::headers")]
        pub headers: BTreeMap<String, String> as Text,
        /// Parameters of every request's query (`api-version`); one that is given in the request
        /// comes before it.
        pub query: BTreeMap<String, String> as Text,
        /// How the token is presented.
        pub auth: ApiAuth as Table,
        /// Hosts beside the base's own to which the token may go; `*.` at the start: one label or
        /// more.
        pub hosts: Vec<String> as Host,
        /// How long lists are cut into pages.
        pub pages: Pages,
    }

    /// How the token is presented (RFC 6750).
    pub struct ApiAuth {
        /// Where the token stands.
        pub place ("in"): ApiAuthPlace,
        /// The header's name, or the parameter's; `access_token` for a parameter.
        pub name: String as Text = "Authorization".to_owned(),
        /// The word before the token; none for a parameter.
        pub scheme: String as Text = "Bearer".to_owned(),
    }

    /// How long lists are cut into pages.
    pub struct Pages {
        /// How the next page is asked for.
        pub by: PageBy,
        /// The path of a page's records. Otherwise: the page itself where it is an array, or the
        /// array beside which only a list's counts, links and page numbers stand.
        pub items: Option<String>,
        /// Paths of the next page's address or cursor; the first that exists.
        pub next: Vec<String>,
        /// The query's parameter for the page's number, the cursor or the offset; `page`, `cursor`,
        /// `offset` otherwise.
        pub param: Option<String>,
        /// The parameter for the number of records to a page.
        pub size_param: Option<String>,
        /// How many records are asked for.
        #[serde(deserialize_with = "range::<1, { u32::MAX as i64 }, _, _>")]
        pub size: Option<u32>,
        /// The first page's number or offset; 1 for pages, 0 for offsets otherwise.
        #[serde(deserialize_with = "range::<0, { u32::MAX as i64 }, _, _>")]
        pub start: Option<u32>,
        /// The header that tells the number of pages, which can then be fetched side by side.
        pub total_header: Option<String>,
    }

    /// A cheap request that checks a token and tells the account.
    pub struct Whoami {
        /// The request's method.
        pub method: Method = Method::Get,
        /// Its address, or a path below `api.base-url`.
        pub url: String as Url,
        /// Extra headers.
        #[serde(deserialize_with = "checks::headers")]
        pub headers: BTreeMap<String, String> as Text,
        /// Its body.
        pub body: Option<String> as Long,
        /// The path of the account's id.
        pub id: Option<String>,
        /// The path of the account's name.
        pub label: Option<String>,
    }

    /// How much may be asked.
    pub struct Limits {
        /// Names of the headers that tell the limit.
        pub headers: LimitHeaders,
        /// Requests to a second.
        #[serde(deserialize_with = "range::<1, { u32::MAX as i64 }, _, _>")]
        pub per_second: Option<u32>,
        /// Requests to a day.
        #[serde(deserialize_with = "range::<1, { u32::MAX as i64 }, _, _>")]
        pub per_day: Option<u32>,
        /// Pages that `call --paginate` fetches at a time, where `--parallel` says nothing; 1
        /// otherwise.
        #[serde(deserialize_with = "range::<1, { u32::MAX as i64 }, _, _>")]
        pub parallel: Option<u32>,
    }

    /// Names of the headers that tell the limit.
    pub struct LimitHeaders {
        /// How many requests are allowed; shown by `-v` beside those that remain.
        pub most ("limit"): Option<String>,
        /// How many remain.
        pub remaining: Option<String>,
        /// When the limit starts anew.
        pub reset: Option<String>,
        /// How long to wait.
        pub retry_after: Option<String>,
    }
}

/// What an error means, and what cures it, told by status, code and message: at least one of them.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ErrorRule {
    /// The answer's status.
    #[serde(default, deserialize_with = "range::<100, 599, _, _>")]
    pub status: Option<u16>,
    /// The error's code, a text or an integer.
    #[serde(default, deserialize_with = "checks::code")]
    pub code: Option<String>,
    /// A part of the message, compared without regard to case.
    #[serde(rename = "match")]
    pub matches: Option<String>,
    /// Who says it. At the token endpoint a rule counts that has a `code` or a `match`.
    #[serde(default)]
    pub at: ErrorsAt,
    /// Its meaning.
    pub means: Option<Means>,
    /// Its cause and its cure, shown as a hint: of each rule that fits.
    pub hint: Option<String>,
}

words! {
    /// How the next page is asked for.
    pub enum PageBy as "lowercase" {
        /** The `Link` header (RFC 8288). */ Link,
        /** The page's number in the query. */ Page,
        /** How many records come before the page. */ Offset,
        /** An address in the body. */ Url,
        /** A text in the body that goes into the query. */ Cursor,
        /** There are no pages. */ None,
    }

    /// Where the token stands.
    pub enum ApiAuthPlace as "lowercase" {
        /** In a header. */ Header,
        /** In the query. */ Query,
    }

    /// Who says an error.
    pub enum ErrorsAt as "lowercase" {
        /** The API or the token endpoint. */ Any,
        /** The API. */ Api,
        /** The token endpoint. */ Token,
    }

    /// What an error means.
    pub enum Means as "snake_case" {
        /** The token has expired. */ Expired,
        /** The login was revoked. */ Revoked,
        /** The client is not the token's. */ WrongClient,
        /** A scope is missing. */ Scope,
        /** Too many requests. */ Throttled,
    }
}

impl ApiAuth {
    /// The header that takes the token.
    pub(super) fn header(&self) -> Option<&str> {
        (self.place == ApiAuthPlace::Header).then_some(self.name.as_str())
    }
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

    /// Whether `next` is missing, which says where the body has the next page's address or cursor.
    pub(super) fn lacks_next(&self) -> bool {
        matches!(self.by, PageBy::Url | PageBy::Cursor) && self.next.is_empty()
    }

    /// The number of the first page, or the offset of the first record.
    pub fn first(&self) -> u64 {
        self.start.map_or(u64::from(self.by == PageBy::Page), u64::from)
    }
}

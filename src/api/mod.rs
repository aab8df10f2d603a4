//! The work of `call`: the hosts that may receive the token, the request, pages, rate limits and
//! retries, and the format of the output. `proxy` has its gate here.

pub mod body;
pub mod cache;
pub mod collect;
pub mod content_coding;
mod cookies;
#[cfg(feature = "jq")]
mod dialect;
pub mod download;
pub mod dry_run;
mod exact_number;
pub mod file_name;
#[cfg(feature = "jq")]
pub mod filter;
#[cfg(not(feature = "jq"))]
#[path = "no_filter.rs"]
pub mod filter;
pub mod format;
pub mod gate;
pub mod graphql;
mod helpers;
pub mod hosts;
pub mod items;
pub mod multipart;
mod nested_json;
pub mod pages;
pub mod path_rule;
pub mod path_variable;
pub mod progress;
pub mod rate_limit;
pub mod records;
pub mod redirect;
pub mod request;
pub mod retry;
pub mod send;
pub mod userinfo;
pub mod value;
pub mod whoami;

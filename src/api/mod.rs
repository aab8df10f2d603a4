//! The work of `call`: the hosts that may receive the token, the request, pages, rate limits and
//! retries, and the format of the output.

pub mod body;
pub mod collect;
#[cfg(feature = "jq")]
mod dialect;
pub mod download;
pub mod dry_run;
pub mod exchange;
#[cfg(feature = "jq")]
pub mod filter;
#[cfg(not(feature = "jq"))]
#[path = "no_filter.rs"]
pub mod filter;
pub mod hosts;
pub mod items;
pub mod multipart;
mod nested;
mod numbers;
pub mod pace;
pub mod pages;
pub mod progress;
pub mod readable;
pub mod records;
pub mod redirect;
pub mod request;
pub mod retry;
pub mod shape;
pub mod table;
pub mod template;
pub mod userinfo;
pub mod value;
pub mod whoami;
mod yaml;

//! Request items as people type them (HTTPie's manner): `Header:value`, `key==query`, `key=value`, `key:=json`.

use serde_json::{Map, Value};

use crate::error::{Error, Kind};
use crate::provider::{ApiAuthPlace, Provider};
use crate::text::safe;
use crate::token::TokenSet;

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Items {
    pub headers: Vec<(String, String)>,
    pub query: Vec<(String, String)>,
    /// Members of the JSON body, in order.
    pub data: Map<String, Value>,
}

/// Headers that say who asks or where to: set by the program alone.
const RESERVED: [&str; 8] = [
    "host",
    "authorization",
    "proxy-authorization",
    "content-length",
    "transfer-encoding",
    "connection",
    "te",
    "upgrade",
];

/// Reads items in the order typed. The leftmost separator decides, the longer one where two begin together.
pub fn parse(items: &[String]) -> Result<Items, Error> {
    let mut read = Items::default();
    for item in items {
        let (name, separator, value) = split(item).ok_or_else(|| {
            Error::usage(format!("`{}` is not a request item", safe(item)))
                .hint("`key=value`, `key:=json`, `key==query` or `Header:value`")
        })?;
        match separator {
            ":" => read.headers.push(header(name, value)?),
            "==" => read.query.push((name.to_owned(), value.to_owned())),
            "=" => {
                read.data.insert(name.to_owned(), value.into());
            }
            _ => {
                let json = serde_json::from_str(value).map_err(|e| {
                    Error::usage(format!("the value of `{}:=` is not JSON", safe(name)))
                        .cause(e)
                        .hint("text is written `key=value`")
                })?;
                read.data.insert(name.to_owned(), json);
            }
        }
    }
    Ok(read)
}

fn split(item: &str) -> Option<(&str, &'static str, &str)> {
    let at = item.find([':', '='])?;
    let separator = ["==", ":=", "=", ":"].into_iter().find(|s| item[at..].starts_with(s))?;
    let name = &item[..at];
    (!name.is_empty()).then(|| (name, separator, &item[at + separator.len()..]))
}

/// A header that may be given: its name and value can't smuggle another one in.
pub fn header(name: &str, value: &str) -> Result<(String, String), Error> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty()
        || !name.bytes().all(token)
        || !value.bytes().all(|b| b == b'\t' || (0x20..=0x7e).contains(&b) || b >= 0x80)
    {
        return Err(Error::new(Kind::Unsafe, format!("`{}` can't be a header", safe(name)))
            .cause("it has characters that a header can't have"));
    }
    let lower = name.to_lowercase();
    if RESERVED.contains(&lower.as_str()) {
        return Err(Error::new(Kind::Unsafe, format!("the header `{name}` is set by the program alone"))
            .cause("with it the token could be led elsewhere, or another one be sent"));
    }
    Ok((lower, value.trim().to_owned()))
}

/// The value of the header that carries the token, in the provider's scheme.
pub fn authorization(provider: &Provider, set: &TokenSet) -> String {
    format!("{} {}", provider.api.auth.scheme, set.access_token.expose()).trim_start().to_owned()
}

/// Where the provider wants the token: a header's name, or `None` for the query.
pub fn token_header(provider: &Provider) -> Option<String> {
    (provider.api.auth.place == ApiAuthPlace::Header).then(|| provider.api.auth.name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn items(typed: &[&str]) -> Result<Items, Error> {
        parse(&typed.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn items_are_told_apart_by_their_separator() {
        let read = items(&["name=Ann:e=1", "age:=7", "list:=[1,2]", "q==a=b", "X-Domain:a.example:80"]).unwrap();
        assert_eq!(Value::Object(read.data), json!({"name": "Ann:e=1", "age": 7, "list": [1, 2]}));
        assert_eq!(read.query, [("q".to_owned(), "a=b".to_owned())]);
        assert_eq!(read.headers, [("x-domain".to_owned(), "a.example:80".to_owned())]);
    }

    #[test]
    fn what_cannot_be_an_item_is_refused() {
        assert_eq!(items(&["plain"]).unwrap_err().kind, Kind::Usage);
        assert_eq!(items(&["=x"]).unwrap_err().kind, Kind::Usage);
        assert_eq!(items(&["a:={"]).unwrap_err().kind, Kind::Usage);
        // A-series: header tricks
        for bad in ["Host:evil", "authorization:Bearer x", "X-A:b\r\nHost: evil", "Content-Length:0", "X A:b"] {
            assert_eq!(items(&[bad]).unwrap_err().kind, Kind::Unsafe, "{bad:?}");
        }
    }
}

//! A played provider's documents and its API: the token where the entry says that it stands, lists
//! in pages as the entry says that they come, and who is signed in.

use serde_json::{Value, json};
use url::Url;

use super::answers::put;
use super::demand::{any, fits, is};
use super::{Player, place, stands_at};
use crate::protocol::metadata::places;
use crate::provider::{ApiAuthPlace, PageBy, Pages};
use crate::sandbox::logins::Refused;
use crate::sandbox::message::{Ask, Params, json as answer, with_header};
use crate::world::http_server::serve::Response;

/// How many records the list has, and how many stand on a page.
pub const RECORDS: usize = 5;
const PAGE: usize = 2;

impl Player {
    /// The server's own document, if that is asked for.
    pub(super) fn document(&self, at: &str) -> Option<Response> {
        let facts = &self.facts.exchange;
        let issuer = facts.issuer.as_deref()?;
        if !places(issuer).iter().any(|known| known == at) {
            return None;
        }
        self.right("discovery");
        let url = |url: &Option<String>| json!(url);
        let mut document = json!({
            "issuer": issuer,
            "authorization_endpoint": url(&self.facts.before.authorize.url),
            "token_endpoint": url(&facts.token.url),
            "jwks_uri": url(&facts.identity.jwks_uri),
            "userinfo_endpoint": url(&facts.userinfo.url),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
        });
        if let Some(device) = &facts.device {
            document["device_authorization_endpoint"] = url(&device.endpoint.url);
        }
        if let Some(revoke) = &self.facts.after.revoke {
            document["revocation_endpoint"] = url(&revoke.endpoint.url);
        }
        Some(answer(200, &document))
    }

    /// The answer, if the request is for the API.
    pub(super) fn of_api(&self, url: &Url, ask: &Ask<'_>) -> Option<Response> {
        let (facts, at) = (&self.facts.after, place(url));
        let whoami = facts.whoami.as_ref().filter(|whoami| stands_at(Some(whoami.url.as_str()), &at));
        let userinfo = stands_at(facts.userinfo.url.as_deref(), &at);
        let base = facts.api.base_url.as_deref().unwrap_or_default();
        let base = base.split('?').next().unwrap_or_default().trim_end_matches('/');
        let list = !base.is_empty() && at == format!("{base}{LIST}");
        let what = match (whoami, userinfo, list) {
            (Some(_), ..) => "whoami",
            (None, true, _) => "userinfo",
            (None, false, true) => "list",
            _ => return None,
        };
        let method = whoami.map_or("GET".to_owned(), |whoami| whoami.method.to_string());
        if ask.request.method != method {
            return Some(self.fault(what, format!("is a {}, not a {method}", ask.request.method)));
        }
        let (token, query) = match self.presented(ask, what == "userinfo") {
            Ok(presented) => presented,
            Err(why) => return Some(self.fault(what, why)),
        };
        if let Some(whoami) = whoami {
            let sent = String::from_utf8_lossy(&ask.request.body).into_owned();
            let own = Url::parse(&whoami.url).ok();
            let own: Vec<_> = own.iter().flat_map(Url::query_pairs).map(|(name, value)| is(&name, value)).collect();
            let header =
                |(name, value): (&String, &String)| ask.request.header(&name.to_lowercase()) == Some(value.as_str());
            if sent != whoami.body.as_deref().unwrap_or_default() {
                return Some(self.fault(what, "has another body than the entry's".to_owned()));
            }
            if !whoami.headers.iter().all(header) {
                return Some(self.fault(what, "lacks a header of the entry's".to_owned()));
            }
            if let Err(why) = fits(&query, &own) {
                return Some(self.fault(what, why));
            }
        }
        match self.book.look(&token, self.now(), false).unwrap_or(Err(Refused::Unknown)) {
            Ok(_) => self.right(what),
            Err(Refused::Revoked | Refused::Expired) => {
                self.right("refused as expired");
                return Some(self.expired_at_api());
            }
            Err(_) => return Some(self.fault(what, "has a token that was never issued".to_owned())),
        }
        Some(if what == "list" { self.page(url, &query) } else { self.account() })
    }

    /// The token, where the entry says that it stands, and the query without what the entry adds.
    fn presented(&self, ask: &Ask<'_>, userinfo: bool) -> Result<(String, Params), String> {
        let api = &self.facts.after.api;
        for (name, value) in api.headers.iter().filter(|_| !userinfo) {
            if ask.request.header(&name.to_lowercase()) != Some(value.as_str()) {
                return Err(format!("lacks the header `{name}: {value}`"));
            }
        }
        let mut query = ask.query.clone();
        for (name, value) in api.query.iter().filter(|_| !userinfo) {
            let at = query.0.iter().position(|(n, v)| n == name && v == value);
            query.0.remove(at.ok_or(format!("lacks `{name}={value}` in its query"))?);
        }
        let bearer = ask.request.header("authorization");
        if userinfo {
            // OpenID Connect Core, section 5.3.1
            let token = bearer.and_then(|sent| sent.strip_prefix("Bearer ")).ok_or("has no bearer token")?;
            return Ok((token.to_owned(), query));
        }
        let auth = &api.auth;
        match auth.place {
            ApiAuthPlace::Query => {
                let at = query.0.iter().position(|(name, _)| *name == auth.name);
                let (_, token) = query.0.remove(at.ok_or(format!("has no token as `{}` in its query", auth.name))?);
                if bearer.is_some() { Err("has `authorization` too".to_owned()) } else { Ok((token, query)) }
            }
            ApiAuthPlace::Header => {
                let scheme = if auth.scheme.is_empty() { String::new() } else { format!("{} ", auth.scheme) };
                let sent = ask.request.header(&auth.name.to_lowercase());
                let token = sent.and_then(|sent| sent.strip_prefix(&scheme));
                let token = token.ok_or(format!("has no token as `{}: {scheme}…`", auth.name))?;
                match auth.name.eq_ignore_ascii_case("authorization") || bearer.is_none() {
                    true => Ok((token.to_owned(), query)),
                    false => Err("has `authorization` too".to_owned()),
                }
            }
        }
    }

    /// One page of the list.
    fn page(&self, url: &Url, query: &Params) -> Response {
        let pages = &self.facts.after.api.pages;
        let mut wanted = Vec::new();
        if let Some(param) = pages.size_param.as_ref().filter(|_| pages.by != PageBy::Url || query.get(AT).is_none()) {
            wanted.push(match pages.size {
                Some(size) => is(param, size.to_string()),
                None => (param.clone(), super::Want::Perhaps),
            });
        }
        let param = match pages.by {
            PageBy::Link | PageBy::Url => AT,
            _ => pages.param(),
        };
        let first = pages.first() as usize;
        let at = query.get(param);
        wanted.extend(at.map(|_| any(param)));
        if let Err(why) = fits(query, &wanted) {
            return self.fault("list", why);
        }
        let number = at.and_then(|at| at.trim_start_matches("cursor-").parse::<usize>().ok());
        let skip = match pages.by {
            PageBy::None => 0,
            PageBy::Offset => number.unwrap_or(first).saturating_sub(first),
            PageBy::Page => number.unwrap_or(first).saturating_sub(first) * PAGE,
            _ => number.unwrap_or(0),
        };
        let length = if pages.by == PageBy::None { RECORDS } else { PAGE };
        let records: Vec<Value> = (0..RECORDS).skip(skip).take(length).map(|n| json!({ "id": n + 1 })).collect();
        let next = Some(skip + records.len()).filter(|next| *next < RECORDS);
        paged(pages, records, next.map(|next| (next, with(url, &next.to_string()))))
    }
}

/// The list's path, and its own parameter for addresses of pages.
pub const LIST: &str = "/practice/records";
const AT: &str = "at";

/// The list's address with this place in it.
fn with(url: &Url, at: &str) -> String {
    let mut next = url.clone();
    let others: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(name, _)| name != AT).collect();
    next.query_pairs_mut().clear().extend_pairs(others).append_pair(AT, at);
    next.to_string()
}

/// The answer of a page. `next`: where the next one begins, and its address.
fn paged(pages: &Pages, records: Vec<Value>, next: Option<(usize, String)>) -> Response {
    let in_body = matches!(pages.by, PageBy::Url | PageBy::Cursor);
    let mut body = json!({});
    match (&pages.items, in_body) {
        (Some(path), _) if !path.is_empty() => put(&mut body, path, json!(records)),
        (_, true) => put(&mut body, "records", json!(records)),
        _ => body = json!(records),
    }
    let mut headers = Vec::new();
    match (&next, pages.by) {
        (Some((_, url)), PageBy::Link) => headers.push(("link", format!("<{url}>; rel=\"next\""))),
        (Some((_, url)), PageBy::Url) => put(&mut body, &pages.next[0], json!(url)),
        (Some((next, _)), PageBy::Cursor) => put(&mut body, &pages.next[0], json!(format!("cursor-{next}"))),
        _ => {}
    }
    if let Some(total) = &pages.total_header {
        headers.push((total.as_str(), RECORDS.div_ceil(PAGE).to_string()));
    }
    headers.into_iter().fold(answer(200, &body), |answer, (name, value)| with_header(answer, name, value))
}

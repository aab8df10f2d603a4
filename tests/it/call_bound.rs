//! `call --paginate` with key-bound tokens, against servers whose nonces expire.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use oauthctl::protocol::jose;
use serde_json::Value;

use crate::world::{Odd, Person, answer};

#[derive(Default)]
struct Seen {
    /// Page → how often it was asked for.
    asked: BTreeMap<u64, usize>,
    served: usize,
    refused: usize,
}

/// A list of so many pages. Its nonce is a new one after each `lifetime` pages, told with every
/// answer; `older` ones are taken too.
fn list(me: &mut Person, pages: u64, lifetime: usize, older: usize) -> (Odd, Arc<Mutex<Seen>>) {
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let shared = seen.clone();
    let odd = me.odd("odd", move |request| {
        if request.path == "/token" {
            let token = r#"{"access_token":"bound-0123456789","token_type":"DPoP","expires_in":3600}"#;
            return answer(200, "application/json", token);
        }
        let mut seen = shared.lock().unwrap();
        let page = request.query.split('&').find_map(|p| p.strip_prefix("page=")?.parse().ok()).unwrap_or(1);
        *seen.asked.entry(page).or_default() += 1;
        let claims = jose::unverified_claims(request.header("dpop").expect("a proof")).unwrap();
        let nonce: Option<usize> = claims.get("nonce").and_then(Value::as_str).map(|text| text[1..].parse().unwrap());
        let current = seen.served / lifetime;
        let good = nonce.is_some_and(|nonce| nonce + older >= current);
        let mut page = match good {
            true => answer(200, "application/json", &format!("[{page}]")),
            false => answer(401, "text/plain", ""),
        };
        if good {
            seen.served += 1;
            page.headers.push(("X-Pages".into(), pages.to_string()));
        } else {
            seen.refused += 1;
            page.headers.push(("WWW-Authenticate".into(), "DPoP error=\"use_dpop_nonce\"".into()));
        }
        page.headers.push(("DPoP-Nonce".into(), format!("n{}", seen.served / lifetime)));
        page
    });
    let pages = "[api.pages]\nby = \"page\"\ntotal-header = \"X-Pages\"\n";
    me.config("providers/odd.toml", &format!("{}\n{pages}", odd.provider("odd")));
    me.config(
        "config.toml",
        "[profiles.odd]\nprovider = \"odd\"\ngrant = \"client-credentials\"\nclient-id = \"me\"\ndpop = true\n",
    );
    (odd, seen)
}

fn numbers(to: u64) -> String {
    (1..=to).map(|n| format!("{n}\n")).collect()
}

// RFC 9449, section 8.2: a nonce that comes with a page is used for those after it, whoever fetches
// them
#[test]
fn a_nonce_that_a_page_brings_is_known_to_all() {
    let mut me = Person::new();
    let (_odd, seen) = list(&mut me, 80, 20, 1);
    me.types("call odd /x --paginate --parallel 4").is(0, &numbers(80), "");
    let seen = seen.lock().unwrap();
    assert_eq!((seen.refused, seen.asked.values().sum::<usize>()), (1, 81), "only the very first proof had none");
}

#[test]
fn a_nonce_that_grows_old_in_flight_costs_each_page_one_request_at_most() {
    let mut me = Person::new();
    let (_odd, seen) = list(&mut me, 30, 15, 0);
    me.types("call odd /x --paginate --parallel 4").is(0, &numbers(30), "");
    let seen = seen.lock().unwrap();
    assert!(seen.asked.values().all(|times| *times <= 2), "{:?}", seen.asked);
    // pages in flight are twice as many as are fetched at a time
    assert!(seen.refused <= 1 + 2 * 8, "{}", seen.refused);
}

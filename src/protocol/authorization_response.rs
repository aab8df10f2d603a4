//! Judges a request to the redirect URI: this login's response, another's, or noise (RFC 6749,
//! section 4.1.2; RFC 9207).
//!
//! Noise never ends a login: without the right `state` the wait goes on.

use crate::protocol::form;
use crate::provider::StateEcho;
use crate::secret::Secret;

/// The longest accepted code, in bytes (L-15).
const LONGEST_CODE: usize = 16 << 10;

/// The values that this login sent and the response must match.
#[derive(Clone, Debug)]
pub struct Expected {
    pub state: Secret,
    pub state_echo: StateEcho,
    /// The issuer, if known: an `iss` must equal it as a plain string (RFC 9207, section 2.4).
    pub issuer: Option<String>,
    /// The server announced that it sends `iss`.
    pub iss_required: bool,
    pub code_param: String,
}

/// The judgement on an authorization response.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The code, and the other parameters for providers that send facts in them (`realmId`, …).
    Code { code: Secret, params: Vec<(String, String)> },
    /// The provider or the user refused.
    Refused { error: String, description: Option<String> },
    /// The state is right and the rest is wrong: the login ends without an exchange.
    Broken(&'static str),
    /// Not a response to this login: the wait goes on.
    Noise(&'static str),
    /// A refusal without `state`, which any page could send: the wait goes on.
    Unproven { error: String, description: Option<String> },
}

/// `query` as in the URL or in the posted form.
pub fn judge(query: &str, expected: &Expected) -> Verdict {
    let Some(params) = form::decode(query) else { return Verdict::Noise("its query can't be decoded") };
    let all = |name: &str| params.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect::<Vec<_>>();

    let (codes, errors, issuers) = (all(&expected.code_param), all("error"), all("iss"));
    let iss = match (issuers.as_slice(), &expected.issuer) {
        ([], _) => Iss::Missing,
        ([iss], Some(issuer)) if iss == issuer => Iss::Right,
        ([_], None) if !expected.iss_required => Iss::Right,
        _ => Iss::Wrong,
    };
    let description = all("error_description").first().map(|d| (*d).to_owned());
    match (all("state").as_slice(), expected.state_echo) {
        ([], StateEcho::NotReturned) => {}
        ([] | [""], StateEcho::Required) => {
            return match (codes.as_slice(), errors.as_slice()) {
                ([], [error]) if iss != Iss::Wrong => Verdict::Unproven { error: (*error).to_owned(), description },
                _ => Verdict::Noise("it has no `state`"),
            };
        }
        ([state], _) if same(state, expected.state.expose()) => {}
        ([_], _) => return Verdict::Noise("its `state` is not this login's"),
        _ => return Verdict::Noise("it has more than one `state`"),
    }
    match (codes.as_slice(), errors.as_slice()) {
        ([], []) => Verdict::Noise("it has neither a code nor an error"),
        (_, [_, ..]) if !codes.is_empty() => Verdict::Broken("it has both a code and an error"),
        // RFC 9207, section 2.4: an error with another `iss` says nothing about our server
        (_, [_, ..]) if iss == Iss::Wrong => Verdict::Noise("its `iss` is another server's"),
        // L-08: a refusal without `iss` may come from any server too
        (_, [_]) | ([_], []) if iss == Iss::Missing && expected.iss_required => {
            Verdict::Broken("its `iss` is missing, though the server always sends one")
        }
        (_, [error]) => Verdict::Refused { error: (*error).to_owned(), description },
        (_, [_, _, ..]) => Verdict::Broken("it has more than one `error`"),
        ([_], []) if iss == Iss::Wrong => {
            Verdict::Broken("its `iss` is another server's: the answer may come from an attacker")
        }
        // only a code was requested: a token here belongs to the hybrid flow or to an attacker
        ([_], []) if ["access_token", "id_token"].iter().any(|name| !all(name).is_empty()) => {
            Verdict::Broken("it holds a token, and nothing but a code was asked for")
        }
        ([code], []) if !is_code(code) => {
            Verdict::Broken("its code is empty, too long, or has characters that a code can't have")
        }
        ([code], []) => Verdict::Code {
            code: Secret::new(*code),
            params: params.iter().filter(|(n, _)| *n != expected.code_param && n != "state").cloned().collect(),
        },
        _ => Verdict::Broken("it has more than one code"),
    }
}

/// Why a pasted text holds no response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPasted {
    #[error("That is not an address (https://…?code=…&state=…)")]
    NotAnAddress,
    /// The URL that the text should begin with, safe to show.
    #[error("That address does not begin with {0}")]
    Elsewhere(String),
    #[error("That is not a code")]
    NotACode,
}

/// The query of a pasted URL, if the URL is the redirect URI: a response to any other URL is not
/// ours. A query alone is taken too. [`judge`] judges it like a query from the listener.
pub fn pasted(text: &str, redirect_uri: Option<&str>) -> Result<String, NotPasted> {
    let mut text = unquoted(text);
    if text.contains('=') {
        // a chat or a page of HTML was on its way
        text = text.replace("&amp;", "&").split_whitespace().collect();
    }
    let query = text.strip_prefix('?').unwrap_or(&text);
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if query.split_once('=').is_some_and(|(name, _)| is_name(name)) {
        return Ok(query.to_owned());
    }
    let expected = redirect_uri.and_then(|uri| url::Url::parse(uri).ok());
    let scheme = expected.as_ref().map_or("https", |url| url.scheme());
    // browsers hide `http://`
    let (address, has_query) = text.split_once('?').map_or((text.as_str(), false), |(address, _)| (address, true));
    let whole = match has_query && !address.contains("://") && !address.starts_with(&format!("{scheme}:")) {
        true => format!("{scheme}://{}", text.trim_start_matches('/')),
        false => text,
    };
    let url = url::Url::parse(&whole).map_err(|_| NotPasted::NotAnAddress)?;
    if let Some(expected) = expected {
        let host = |u: &url::Url| match u.host_str() {
            Some("localhost" | "[::1]") if u.scheme() == "http" => Some("127.0.0.1".to_owned()),
            host => host.map(str::to_owned),
        };
        let place = |u: &url::Url| (u.scheme().to_owned(), host(u), u.port_or_known_default(), u.path().to_owned());
        if place(&url) != place(&expected) {
            return Err(NotPasted::Elsewhere(crate::text::safe(expected.as_str())));
        }
    }
    Ok(url.query().unwrap_or("").to_owned())
}

/// The text without wrapped lines, and without the quotes that chats and documents put around it.
fn unquoted(text: &str) -> String {
    const QUOTES: &[char] =
        &['"', '<', '>', '`', '‹', '›', '«', '»', '“', '”', '„', '‘', '’', '\u{feff}', '\u{200b}', ' ', '\t'];
    let joined: String = text.split(['\n', '\r']).map(str::trim).collect();
    let bare = joined.trim_matches(QUOTES);
    // these two are legal in an address
    let pairs = [('\'', '\''), ('(', ')')];
    let inside = pairs.iter().find_map(|(open, close)| bare.strip_prefix(*open)?.strip_suffix(*close));
    inside.unwrap_or(bare).trim_matches(QUOTES).to_owned()
}

/// Whether a pasted line begins an address, and is no wrapped part of the one before.
pub fn begins_address(line: &str) -> bool {
    let is_scheme = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    unquoted(line).split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme))
}

/// The query that a pasted code stands for, where the provider's page shows the code alone, or with
/// `state` behind a `#`, or as parameters. A code alone takes this login's `state`.
pub fn pasted_code(text: &str, expected: &Expected) -> Result<String, NotPasted> {
    let text = unquoted(text);
    if text.starts_with(&format!("{}=", expected.code_param)) {
        return Ok(text);
    }
    let (code, state) = text.split_once('#').unwrap_or((&text, expected.state.expose()));
    if !is_code(code) || code.contains(' ') {
        return Err(NotPasted::NotACode);
    }
    Ok(form::encode_query([(expected.code_param.as_str(), code), ("state", state)]).to_string())
}

#[derive(PartialEq)]
enum Iss {
    Right,
    Missing,
    Wrong,
}

fn is_code(code: &str) -> bool {
    !code.is_empty() && code.len() <= LONGEST_CODE && code.bytes().all(|b| (0x20..=0x7e).contains(&b))
}

/// Compares in a time that depends only on the lengths (H-23).
pub fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |diff, (x, y)| diff | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected() -> Expected {
        Expected {
            state: "the-state".into(),
            state_echo: StateEcho::Required,
            issuer: Some("https://as.example".into()),
            iss_required: false,
            code_param: "code".into(),
        }
    }

    fn kind(query: &str, expected: &Expected) -> &'static str {
        match judge(query, expected) {
            Verdict::Code { .. } => "code",
            Verdict::Refused { .. } => "refused",
            Verdict::Broken(_) => "broken",
            Verdict::Noise(_) => "noise",
            Verdict::Unproven { .. } => "unproven",
        }
    }

    // H-23
    #[test]
    fn two_texts_are_compared_to_their_last_byte() {
        for (a, b, want) in [
            ("", "", true),
            ("abc", "abc", true),
            ("abc", "abd", false),
            ("xbc", "abc", false),
            ("abc", "ab", false),
            ("", "a", false),
        ] {
            assert_eq!(same(a, b), want, "{a} {b}");
        }
        // every byte has its say, wherever it stands
        let text = "a".repeat(64);
        for at in 0..64 {
            let other: String = text.char_indices().map(|(i, c)| if i == at { 'b' } else { c }).collect();
            assert!(!same(&text, &other), "{at}");
        }
    }

    // L-08
    #[test]
    fn a_server_that_always_names_itself_is_not_believed_without_its_name_whatever_it_says() {
        let always = Expected { iss_required: true, ..expected() };
        for (query, want) in [
            ("code=c&state=the-state", "broken"),
            ("error=access_denied&state=the-state", "broken"),
            ("error=access_denied&state=wrong", "noise"),
            ("error=access_denied&state=the-state&iss=https%3A%2F%2Fevil.example", "noise"),
            ("error=access_denied&state=the-state&iss=https%3A%2F%2Fas.example", "refused"),
            ("code=c&state=the-state&iss=https%3A%2F%2Fas.example", "code"),
        ] {
            assert_eq!(kind(query, &always), want, "{query}");
        }
    }

    #[test]
    fn only_the_right_state_ends_a_login() {
        let long = format!("state=the-state&code={}", "x".repeat(LONGEST_CODE + 1));
        let many =
            format!("state=the-state&code=c&{}", (0..200).map(|i| format!("p{i}=v")).collect::<Vec<_>>().join("&"));
        for (id, query, want) in [
            ("L-01", "code=c&state=wrong", "noise"),
            ("L-02", "code=c", "noise"),
            ("L-03", "code=c&state=", "noise"),
            ("L-03", "code=c&state=null", "noise"),
            ("L-04", "code=c&state=The-State", "noise"),
            ("L-04", "code=c&state=the-state%20", "noise"),
            ("L-04", "code=c&state=the%252Dstate", "noise"),
            ("L-06", "error=access_denied", "unproven"),
            ("L-06", "state=&error=access_denied", "unproven"),
            ("L-06", "error=access_denied&iss=https%3A%2F%2Fas.example", "unproven"),
            ("L-06", "error=access_denied&iss=https%3A%2F%2Fevil.example", "noise"),
            ("L-06", "error=a&error=b", "noise"),
            ("L-06", "error=access_denied&code=c", "noise"),
            ("L-06", "error=access_denied&state=wrong", "noise"),
            ("L-07", "error=access_denied&state=the-state", "refused"),
            ("L-08", "code=c&state=the-state&iss=https%3A%2F%2Fevil.example", "broken"),
            ("L-08", "code=c&state=the-state&iss=https%3A%2F%2Fas.example%2F", "broken"),
            ("L-08", "code=c&state=the-state&iss=https%3A%2F%2FAS.example", "broken"),
            ("L-08", "code=c&state=the-state&iss=https%3A%2F%2Fas.example", "code"),
            ("L-08", "error=x&state=the-state&iss=https%3A%2F%2Fevil.example", "noise"),
            ("L-09", "code=a&code=b&state=the-state", "broken"),
            ("L-09", "code=a&code=b&state=wrong", "noise"),
            ("L-10", "code=c&state=the-state&state=wrong", "noise"),
            ("L-10", "code=c&state=the-state&state=the-state", "noise"),
            ("L-11", "code=c&error=x&state=the-state", "broken"),
            ("L-12", "code=&state=the-state", "broken"),
            ("L-12", "code[]=x&state=the-state", "noise"),
            ("L-12", "CODE=x&state=the-state", "noise"),
            ("L-12", "state=the-state", "noise"),
            ("L-15", long.as_str(), "broken"),
            ("L-15", "code=a%00b&state=the-state", "broken"),
            ("L-15", "code=a%0d%0ab&state=the-state", "broken"),
            ("L-15", "code=a%ffb&state=the-state", "noise"),
            ("L-15", "code=%c3%bc&state=the-state", "broken"),
            ("L-16", many.as_str(), "code"),
            ("hybrid", "code=c&id_token=e30.e30.x&state=the-state", "broken"),
            ("hybrid", "code=c&access_token=a&state=the-state", "broken"),
            ("hybrid", "code=c&id_token=e30.e30.x&state=wrong", "noise"),
            ("L-56", "code=%zz&state=the-state", "noise"),
            ("ok", "code=c&state=the-state", "code"),
        ] {
            assert_eq!(kind(query, &expected()), want, "{id}: {query:.80}");
        }
    }

    #[test]
    fn an_address_is_taken_however_it_was_copied() {
        let ours = Some("http://127.0.0.1:8080/cb");
        for text in [
            "http://127.0.0.1:8080/cb?code=c&state=s",
            " \"http://127.0.0.1:8080/cb?code=c&state=s\" ",
            "'http://127.0.0.1:8080/cb?code=c&state=s'",
            "‹http://127.0.0.1:8080/cb?code=c&state=s›",
            "<http://127.0.0.1:8080/cb?code=c&state=s>",
            "“127.0.0.1:8080/cb?code=c&state=s”",
            "(`http://127.0.0.1:8080/cb?code=c&state=s`)",
            "127.0.0.1:8080/cb?code=c&state=s",
            "//127.0.0.1:8080/cb?code=c&state=s",
            "localhost:8080/cb?code=c&state=s",
            "http://localhost:8080/cb?code=c&state=s",
            "http://[::1]:8080/cb?code=c&state=s",
            "http://127.0.0.1:80\n80/cb?co\r\n  de=c&state=s\n",
            "http://127.0.0.1:8080/cb?co de=c &state=s",
            "http://127.0.0.1:8080/cb?code=c&amp;state=s",
            "code=c&state=s",
            "?code=c&state=s",
            "code=c&amp;state=s",
            "'code=c&state=s'",
        ] {
            assert_eq!(pasted(text, ours).as_deref(), Ok("code=c&state=s"), "{text}");
        }
        for text in ["what is this", "word", "", "'", "\"\"", "=", "?"] {
            assert_eq!(pasted(text, ours), Err(NotPasted::NotAnAddress), "{text}");
        }
        for text in [
            "http://127.0.0.1:8081/cb?code=c&state=s",
            "https://127.0.0.1:8080/cb?code=c&state=s",
            "evil.example:8080/cb?code=c&state=s",
            "localhost.evil.example:8080/cb?code=c&state=s",
            "localhost:8080/other?code=c&state=s",
        ] {
            assert!(matches!(pasted(text, ours), Err(NotPasted::Elsewhere(_))), "{text}");
        }
        assert!(matches!(
            pasted("http://localhost/cb?code=c", Some("https://app.example/cb")),
            Err(NotPasted::Elsewhere(_))
        ));
        assert_eq!(pasted("app.example/cb?code=c", Some("https://app.example/cb")).as_deref(), Ok("code=c"));
        assert_eq!(pasted("myapp:/cb?code=c", Some("myapp:/cb")).as_deref(), Ok("code=c"));
        assert!(begins_address(" <https://a.example/") && !begins_address("iss=https://a.example"));
    }

    #[test]
    fn an_announced_iss_must_come() {
        let expected = Expected { iss_required: true, ..expected() };
        assert_eq!(kind("code=c&state=the-state", &expected), "broken");
        assert_eq!(kind("code=c&state=the-state&iss=https%3A%2F%2Fas.example", &expected), "code");
    }

    #[test]
    fn a_provider_that_never_returns_state_is_lived_with_but_a_wrong_one_is_not() {
        let expected = Expected { state_echo: StateEcho::NotReturned, issuer: None, ..expected() };
        assert_eq!(kind("code=c", &expected), "code");
        assert_eq!(kind("code=c&state=the-state", &expected), "code");
        assert_eq!(kind("code=c&state=wrong", &expected), "noise");
    }
}

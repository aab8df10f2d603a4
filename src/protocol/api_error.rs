//! Reads an error response in each known shape: RFC 6749's flat object, GetResponse's envelope,
//! VerticalResponse's and Google's nested object, Constant Contact's list. An HTML body is ignored.

use serde_json::Value;

use crate::provider::{ErrorRule, ErrorsAt, Means};
use crate::wire::{MOST_VALUES, json_values};

/// Code and message as the server wrote them; escape them before showing them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiError {
    pub code: Option<String>,
    pub message: Option<String>,
    /// A few short details, each about one field or one further error.
    pub details: Vec<String>,
}

impl ApiError {
    /// Code and message joined; `None` if it has neither. Not escaped.
    pub fn text(&self) -> Option<String> {
        let parts: Vec<&str> = [&self.code, &self.message].into_iter().filter_map(Option::as_deref).collect();
        (!parts.is_empty()).then(|| parts.join(": "))
    }
}

/// Reads any of the shapes; `None` when the body is none of them.
pub fn read(body: &[u8]) -> Option<ApiError> {
    if json_values(body) > MOST_VALUES {
        return None;
    }
    read_value(&serde_json::from_slice(body).ok()?)
}

/// Whether an OAuth error means a wrong client id or secret. Some servers answer a wrong secret by
/// `unauthorized_client` and the status 401.
pub fn is_wrong_client(error: &str, status: u16) -> bool {
    match error {
        "invalid_client" | "incorrect_client_credentials" => true,
        "unauthorized_client" => status == 401,
        _ => false,
    }
}

/// Reads a refusal's `WWW-Authenticate` header (RFC 6750, section 3), of any scheme.
pub fn challenge(headers: &[(String, String)]) -> Option<ApiError> {
    let mut said = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("www-authenticate"));
    said.find_map(|(_, value)| {
        let code = parameter(value, "error")?;
        Some(ApiError { code: Some(code), message: parameter(value, "error_description"), details: Vec::new() })
    })
}

/// Returns a parameter of the challenge that has an error: a scope, a level of sign-in.
pub fn challenged(headers: &[(String, String)], name: &str) -> Option<String> {
    let mut said = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("www-authenticate"));
    said.find_map(|(_, value)| parameter(value, "error").and_then(|_| parameter(value, name)))
}

/// Returns a parameter of a challenge or of another header: a word, or a text in quotes.
pub fn parameter(header: &str, name: &str) -> Option<String> {
    let mut rest = header;
    loop {
        // the scheme, or a separator of parameters
        rest = rest.trim_start_matches([' ', '\t', ',', ';']);
        let end = rest.find(['=', ' ', '\t', ',', ';'])?;
        let (word, after) = rest.split_at(end);
        let Some(value) = after.strip_prefix('=') else {
            rest = after;
            continue;
        };
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted_text(quoted)?,
            None => {
                let (value, after) = value.split_at(value.find([' ', '\t', ',', ';']).unwrap_or(value.len()));
                (value.to_owned(), after)
            }
        };
        if word.eq_ignore_ascii_case(name) {
            return (!value.is_empty()).then_some(value);
        }
        rest = after;
    }
}

/// The text up to the closing quote, and the rest after it.
fn quoted_text(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => out.push(chars.next()?.1),
            c => out.push(c),
        }
    }
    None
}

/// The same as [`read`] from parsed JSON.
pub fn read_value(value: &Value) -> Option<ApiError> {
    let mut found = Vec::new();
    details(value, &mut found);
    // an object may hold nothing but messages by field
    let mut error = headline(value).or_else(|| (!found.is_empty()).then(ApiError::default))?;
    let first = line(error.code.as_deref(), error.message.as_deref());
    for detail in found {
        let said = error.message.as_ref().is_some_and(|message| message.ends_with(&detail));
        let is_new = Some(&detail) != first.as_ref() && !said;
        if is_new && error.details.len() < MOST_DETAILS && !error.details.contains(&detail) {
            error.details.push(detail);
        }
    }
    Some(error)
}

/// The number of details shown, and the characters of each.
const MOST_DETAILS: usize = 5;
const LONGEST_DETAIL: usize = 80;

/// Member names for a detail's subject and for its message: GetResponse's, Constant Contact's, RFC
/// 9457's, Mailchimp's, Google's.
const ABOUT: [&str; 9] = ["fieldName", "field", "name", "param", "error_key", "pointer", "code", "errorCode", "reason"];
const SAYS: [&str; 9] = [
    "errorDescription",
    "error_message",
    "error_description",
    "message",
    "msg",
    "detail",
    "description",
    "reason",
    "title",
];

/// Details beside the error's own message. Other members may hold secrets: GetResponse's
/// `sentToken` is a token.
fn details(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|item| detail(item, found)),
        Value::Object(object) => {
            for name in ["context", "errors", "invalid-params", "invalid_params", "details", "detail", "error"] {
                match object.get(name) {
                    Some(Value::Array(list)) => list.iter().for_each(|item| detail(item, found)),
                    Some(nested @ Value::Object(_)) if name == "error" => details(nested, found),
                    Some(Value::Object(_)) if matches!(name, "errors" | "details") => {
                        by_field(&object[name], "", found)
                    }
                    _ => {}
                }
            }
            if let Some(failures) = object.get("failures") {
                by_field(failures, "", found);
            }
            // Django REST framework has nothing but messages by field
            if found.is_empty() && object.values().all(is_by_field) {
                by_field(value, "", found);
            }
        }
        _ => {}
    }
}

fn is_by_field(said: &Value) -> bool {
    match said {
        Value::Array(list) => !list.is_empty() && list.iter().all(Value::is_string),
        Value::Object(fields) => !fields.is_empty() && fields.values().all(is_by_field),
        _ => false,
    }
}

/// VerticalResponse's `failures`: messages by field, which may have fields of its own. `within`:
/// the path of the field around them, with its point.
fn by_field(value: &Value, within: &str, found: &mut Vec<String>) {
    let Value::Object(fields) = value else { return };
    for (field, said) in fields {
        let field = format!("{within}{field}");
        let said: Vec<&str> = match said {
            Value::String(text) => vec![text],
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
            _ => {
                by_field(said, &format!("{field}."), found);
                continue;
            }
        };
        if !said.is_empty() {
            found.extend(line(Some(&field), Some(&said.join(", "))));
        }
    }
}

fn detail(item: &Value, found: &mut Vec<String>) {
    let text = |names: &[&str]| names.iter().find_map(|name| item.get(*name)?.as_str().filter(|text| !text.is_empty()));
    match item {
        Value::String(text) => found.extend(line(None, Some(text))),
        Value::Object(_) => {
            let says = text(&SAYS);
            // FastAPI's place of the mistake
            let place = item.get("loc").and_then(Value::as_array).map(|place| {
                let step = |step: &Value| step.as_str().map_or_else(|| step.to_string(), str::to_owned);
                place.iter().map(step).collect::<Vec<_>>().join(".")
            });
            // a message is not the name of its subject
            let about = place.as_deref().or_else(|| text(&ABOUT)).filter(|about| Some(*about) != says);
            found.extend(says.and_then(|says| line(about, Some(says))));
        }
        _ => {}
    }
}

fn line(about: Option<&str>, says: Option<&str>) -> Option<String> {
    let whole = [about, says].into_iter().flatten().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": ");
    let cut = whole.char_indices().nth(LONGEST_DETAIL).map(|(at, _)| format!("{}…", &whole[..at]));
    Some(cut.unwrap_or(whole)).filter(|line| !line.is_empty())
}

/// The code and the message.
fn headline(value: &Value) -> Option<ApiError> {
    let object = match value {
        Value::Array(list) => return list.iter().find_map(headline),
        Value::Object(object) => object,
        _ => return None,
    };
    let text = |names: &[&str]| {
        names.iter().find_map(|name| match object.get(*name) {
            Some(Value::String(s)) if !s.is_empty() => Some(s.clone()),
            Some(Value::Number(n)) => Some(n.to_string()),
            _ => None,
        })
    };
    if let Some(nested @ (Value::Object(_) | Value::Array(_))) = object.get("error") {
        return headline(nested);
    }
    // RFC 9457: the kind of problem, then this one
    let problem = match (text(&["title"]), text(&["detail"])) {
        (Some(title), Some(detail)) if title != detail => Some(format!("{title}: {detail}")),
        (title, detail) => detail.or(title),
    };
    let error = ApiError {
        code: text(&["error", "error_key", "code", "errorCode"]),
        message: text(&["error_description", "error_message", "message", "errorSummary", "msg"])
            .or(problem)
            .or_else(|| text(&["reason", "errors"])),
        details: Vec::new(),
    };
    match error.code.is_some() || error.message.is_some() {
        true => Some(error),
        false => headline(object.get("errors")?),
    }
}

/// A refusal as a provider's rules read it.
pub struct Told {
    /// `None`: the words came by a redirect.
    status: Option<u16>,
    /// In each reading.
    codes: Vec<String>,
    /// In lower case.
    words: String,
}

impl Told {
    /// What an API said.
    pub fn by_api(status: u16, error: Option<&ApiError>) -> Told {
        let (code, message) = error.map(|e| (e.code.clone(), e.message.as_deref())).unwrap_or_default();
        Told { status: Some(status), codes: Vec::from_iter(code), words: message.unwrap_or_default().to_lowercase() }
    }

    /// What a token endpoint said, whose `code` and `message` were read by the provider's own
    /// paths.
    pub fn by_token((status, body): (u16, &[u8]), (code, message): (Option<&str>, Option<&str>)) -> Told {
        let said = read(body).unwrap_or_default();
        let body = String::from_utf8_lossy(&body[..body.len().min(LONGEST_MATCHED)]);
        let words = [message.unwrap_or_default(), said.message.as_deref().unwrap_or_default(), &body].join("\n");
        let codes = code.map(str::to_owned).into_iter().chain(said.code).collect();
        Told { status: Some(status), codes, words: words.to_lowercase() }
    }

    /// What the authorization endpoint said by its redirect.
    pub fn by_redirect(code: &str, message: Option<&str>) -> Told {
        Told { status: None, codes: vec![code.to_owned()], words: message.unwrap_or_default().to_lowercase() }
    }

    /// The rules that fit. A token endpoint's status alone means what the RFC says.
    fn fitting<'a>(&self, rules: &'a [ErrorRule], by: ErrorsAt) -> impl Iterator<Item = &'a ErrorRule> {
        let at_token = by == ErrorsAt::Token;
        rules.iter().filter(move |rule| {
            (rule.at == ErrorsAt::Any || rule.at == by)
                && (!at_token || rule.code.is_some() || rule.matches.is_some())
                && rule.status.is_none_or(|s| self.status == Some(s))
                && rule.code.as_ref().is_none_or(|code| self.codes.contains(code))
                && rule.matches.as_deref().is_none_or(|part| holds(&self.words, &part.to_lowercase()))
        })
    }

    /// The first rule that fits and has a meaning.
    pub fn rule<'a>(&self, rules: &'a [ErrorRule], by: ErrorsAt) -> Option<(&'a ErrorRule, Means)> {
        self.fitting(rules, by).find_map(|rule| Some((rule, rule.means?)))
    }

    /// Cause and cure, where the provider's file has them. Not escaped.
    pub fn hints<'a>(&self, rules: &'a [ErrorRule], by: ErrorsAt) -> impl Iterator<Item = &'a str> {
        self.fitting(rules, by).filter_map(|rule| rule.hint.as_deref())
    }
}

/// Whether a text has a part in it; a number at the part's end is whole there.
fn holds(text: &str, part: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_digit();
    text.match_indices(part).any(|(at, _)| !(part.ends_with(is_digit) && text[at + part.len()..].starts_with(is_digit)))
}

/// What an API's refusal means for the token, by the provider's rules. If no rule fits, a 401 means
/// "expired", unless the provider has rules for 401 (GetResponse uses one code for expired and for
/// wrong).
pub fn meaning(rules: &[ErrorRule], status: u16, error: Option<&ApiError>) -> Option<Means> {
    if let Some((_, means)) = Told::by_api(status, error).rule(rules, ErrorsAt::Api) {
        return Some(means);
    }
    let ruled = rules.iter().any(|rule| rule.at != ErrorsAt::Token && rule.status == Some(401) && rule.means.is_some());
    (status == 401 && !ruled).then_some(Means::Expired)
}

/// Whether an API's answer with this status can mean "expired": then its body is read. A success
/// can where a rule names its status.
pub fn may_mean_expired(rules: &[ErrorRule], status: u16) -> bool {
    let named = |rule: &ErrorRule| rule.status.map_or(status >= 400, |named| named == status);
    let says = |rule: &ErrorRule| rule.at != ErrorsAt::Token && rule.means == Some(Means::Expired);
    status == 401 || rules.iter().any(|rule| says(rule) && named(rule))
}

/// Bytes of a token endpoint's answer in which `match` is looked for.
const LONGEST_MATCHED: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: &str, message: &str) -> Option<ApiError> {
        let message = (!message.is_empty()).then(|| message.into());
        Some(ApiError { code: Some(code.into()), message, details: Vec::new() })
    }

    // RFC 6750, section 3, and the parameters that other schemes add
    #[test]
    fn a_challenge_says_why() {
        for (value, code, message) in [
            (
                r#"Bearer realm="example", error="invalid_token", error_description="The access token expired""#,
                "invalid_token",
                "The access token expired",
            ),
            (r#"Bearer error=insufficient_scope,scope="a b""#, "insufficient_scope", ""),
            (r#"bearer realm="say \"error=x\"", Error="invalid_token""#, "invalid_token", ""),
            (r#"Basic realm="x", DPoP error="invalid_token", algs="ES256""#, "invalid_token", ""),
        ] {
            let said = challenge(&[("www-authenticate".to_owned(), value.to_owned())]).expect(value);
            assert_eq!((said.code.as_deref(), said.message.as_deref().unwrap_or("")), (Some(code), message), "{value}");
        }
        for value in [
            "Bearer",
            "Bearer realm=\"error=invalid_token\"",
            "Bearer error_description=\"x\"",
            "Bearer error=\"x",
            "",
            "error",
        ] {
            assert_eq!(challenge(&[("www-authenticate".to_owned(), value.to_owned())]), None, "{value}");
        }
    }

    #[test]
    fn reads_the_four_shapes() {
        for (body, want) in [
            (r#"{"error":"invalid_grant","error_description":"gone"}"#, error("invalid_grant", "gone")),
            (
                r#"{"httpStatus":401,"code":1014,"message":"The access token provided is expired"}"#,
                error("1014", "The access token provided is expired"),
            ),
            (r#"{"error":{"code":404,"message":"not here"}}"#, error("404", "not here")),
            (r#"[{"error_key":"contacts.api","error_message":"bad"}]"#, error("contacts.api", "bad")),
            (r#"{"message":"Forbidden"}"#, Some(ApiError { message: Some("Forbidden".into()), ..ApiError::default() })),
            (
                r#"{"type":"about:blank","title":"Forbidden","status":403,"detail":"Account suspended"}"#,
                Some(ApiError { message: Some("Forbidden: Account suspended".into()), ..ApiError::default() }),
            ),
            (r#"{"errors":"x"}"#, Some(ApiError { message: Some("x".into()), ..ApiError::default() })),
            (r#"{"error":true,"reason":"R"}"#, Some(ApiError { message: Some("R".into()), ..ApiError::default() })),
            (r#"{"code":1,"msg":"zz"}"#, error("1", "zz")),
            (r#"{"id":["a"],"n":1}"#, None),
            ("<html>", None),
            ("{}", None),
            ("[]", None),
            ("null", None),
        ] {
            assert_eq!(read(body.as_bytes()), want, "{body}");
        }
    }

    #[test]
    fn what_is_wrong_with_which_field_is_read_too() {
        let long = "x".repeat(100);
        let cut = format!("{}…", "x".repeat(LONGEST_DETAIL));
        for (body, want) in [
            (
                r#"{"httpStatus":400,"code":1000,"message":"Validation","context":[{"fieldName":"email","errorDescription":"is missing"},{"validationType":"body","fieldName":"name","errorDescription":"is too short"}]}"#,
                vec!["email: is missing", "name: is too short"],
            ),
            (r#"{"code":1014,"message":"expired","context":{"sentToken":"a-token"}}"#, vec![]),
            (r#"{"code":1,"message":"m","context":["one","two"]}"#, vec!["one", "two"]),
            (
                r#"{"error":{"code":400,"message":"no"},"failures":{"email":["is taken","is wrong"],"name":"is empty","n":1}}"#,
                vec!["email: is taken, is wrong", "name: is empty"],
            ),
            (r#"{"error":{"code":400,"message":"no","failures":{"email":["is taken"]}}}"#, vec!["email: is taken"]),
            (
                r#"[{"error_key":"a","error_message":"one"},{"error_key":"b","error_message":"two"},{"error_key":"b","error_message":"two"}]"#,
                vec!["b: two"],
            ),
            (r#"{"title":"t","detail":"d","errors":[{"field":"f","message":"m"}]}"#, vec!["f: m"]),
            (r#"{"title":"t","errors":[{"pointer":"/age","detail":"is low"}]}"#, vec!["/age: is low"]),
            (r#"{"errors":{"email":["is invalid"],"base":["x","y"]}}"#, vec!["email: is invalid", "base: x, y"]),
            (r#"{"errors":["one","two"]}"#, vec!["one", "two"]),
            (
                r#"{"detail":[{"loc":["body","tags",0],"msg":"is missing","type":"x"}]}"#,
                vec!["body.tags.0: is missing"],
            ),
            (
                r#"{"name":["This field is required."],"a":{"b":["x"]}}"#,
                vec!["name: This field is required.", "a.b: x"],
            ),
            (r#"{"errors":{"user":{"email":["is invalid"],"n":[]}}}"#, vec!["user.email: is invalid"]),
            (r#"{"errors":[{"title":"t","detail":"d"},{"title":"t","detail":"e"}]}"#, vec!["e"]),
            (
                r#"{"error":{"code":403,"message":"no","errors":[{"message":"no","reason":"forbidden"}]}}"#,
                vec!["forbidden: no"],
            ),
            (&format!("{{\"message\":\"m\",\"context\":[\"{long}\"]}}"), vec![cut.as_str()]),
            (r#"{"message":"m","context":["1","2","3","4","5","6"]}"#, vec!["1", "2", "3", "4", "5"]),
        ] {
            assert_eq!(read(body.as_bytes()).unwrap().details, want, "{body}");
        }
    }

    #[test]
    fn expired_is_told_from_wrong_by_the_message() {
        let rules = [ErrorRule {
            status: Some(401),
            code: Some("1014".into()),
            matches: Some("expired".into()),
            at: ErrorsAt::Any,
            means: Some(Means::Expired),
            hint: None,
        }];
        let say = |message: &str| meaning(&rules, 401, error("1014", message).as_ref());
        assert_eq!(say("The access token provided is Expired"), Some(Means::Expired));
        assert_eq!(say("Unable to authenticate request"), None);
        assert_eq!(meaning(&[], 401, None), Some(Means::Expired));
        assert_eq!(meaning(&[], 403, None), None);
    }
}

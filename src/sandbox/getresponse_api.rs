//! The parts of GetResponse's API that users start with. Pages use `page` and `perPage` in the
//! query and the headers `TotalCount`, `TotalPages` and `CurrentPage`. Objects have a selection of
//! the documented members.

use std::io;

use serde_json::{Value, json};

use super::data::{self, CREATED};
use super::logins::Refused;
use super::message::{Ask, json, ok, with_header};
use super::server::Desk;
use crate::world::http_server::serve::Response;

const DEFAULT_PER_PAGE: u64 = 100;
const MOST_PER_PAGE: u64 = 1000;
/// Requests per second (GetResponse's own guide for agents, 2026-06; its API documentation says
/// 30,000 in ten minutes).
const LIMIT: u32 = 80;

/// A kind of API error.
struct Fault {
    status: u16,
    code: u32,
    description: &'static str,
}

const INVALID: Fault = Fault { status: 400, code: 1000, description: "General error of validation process" };
const UNAUTHENTICATED: Fault =
    Fault { status: 401, code: 1014, description: "Problem during authentication process, check headers!" };
const NOT_FOUND: Fault = Fault { status: 404, code: 1013, description: "Resource not found" };
const WRONG_METHOD: Fault = Fault { status: 405, code: 1006, description: "Method not allowed" };
const TOO_MANY: Fault = Fault { status: 429, code: 1015, description: "Too many requests" };

fn envelope(Fault { status, code, description }: Fault, message: &str, context: &Value) -> Response {
    json(
        status,
        &json!({
            "httpStatus": status,
            "code": code,
            "codeDescription": description,
            "message": message,
            "moreInfo": format!("https://apidocs.getresponse.com/en/v3/errors/{code}"),
            "context": context,
        }),
    )
}

/// Makes the response to a request without a valid token. The token endpoint has the same form.
pub fn unauthenticated(context: &Value) -> Response {
    let message = "Unable to authenticate request. Check credentials or authentication method details";
    envelope(UNAUTHENTICATED, message, context)
}

/// Answers a request to the API.
pub fn answer(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    let Some(token) = &ask.bearer else {
        return Ok(unauthenticated(&json!({ "authenticationType": "auth_token" })));
    };
    let account = match desk.look(Some(token))? {
        Ok(grant) => grant.account,
        Err(Refused::Expired) => {
            let context = json!({ "sentToken": token });
            return Ok(envelope(UNAUTHENTICATED, "The access token provided is expired", &context));
        }
        Err(_) => return Ok(unauthenticated(&json!({ "authenticationType": "oauth2" }))),
    };
    if !desk.admits() {
        let context = json!({ "currentLimit": limit(desk).to_string(), "timeToReset": "1 seconds" });
        let message = "Too many requests to API, quota reached, please wait until next quota window";
        let answer = envelope(TOO_MANY, message, &context);
        return Ok(limited(desk, with_header(answer, "Retry-After", "1")));
    }
    Ok(limited(desk, resource(desk, ask, &account)))
}

fn limit(desk: &Desk) -> u32 {
    desk.options.per_second.unwrap_or(LIMIT)
}

fn limited(desk: &Desk, answer: Response) -> Response {
    let remaining = if desk.options.per_second.is_some() { desk.remaining() } else { LIMIT - 1 };
    let answer = with_header(answer, "X-RateLimit-Limit", limit(desk).to_string());
    let answer = with_header(answer, "X-RateLimit-Remaining", remaining.to_string());
    with_header(answer, "X-RateLimit-Reset", "1 seconds")
}

fn resource(desk: &Desk, ask: &Ask<'_>, account: &str) -> Response {
    let base = format!("{}/v3", desk.base);
    let fields = ask.query.get("fields");
    let email = ask.query.get("query[email]");
    let path = ask.path.trim_end_matches('/');
    if ask.method != "GET" {
        return envelope(WRONG_METHOD, "This practice API only reads", &json!([]));
    }
    match path {
        "/v3/accounts" => {
            let account = json!({
                "accountId": "pdIhh",
                "firstName": "Alice",
                "lastName": "Example",
                "email": account,
                "companyName": "Practice Ltd",
                "countryCode": { "countryCodeId": "175", "countryCode": "PL" },
                "href": format!("{base}/accounts"),
            });
            ok(data::only(account, fields))
        }
        "/v3/campaigns" => list(ask, 2, |n| campaign(&base, n)),
        "/v3/from-fields" => list(ask, 1, |n| {
            json!({
                "fromFieldId": format!("f{n}"),
                "email": account,
                "name": "Alice Example",
                "isActive": "true",
                "isDefault": "true",
                "createdOn": CREATED,
                "href": format!("{base}/from-fields/f{n}"),
            })
        }),
        "/v3/contacts" => match email {
            Some(email) => match data::number_of(email, desk.options.records) {
                Some(number) => list(ask, 1, |_| contact(&base, number)),
                None => list(ask, 0, |n| contact(&base, n)),
            },
            None => list(ask, desk.options.records, |n| contact(&base, n)),
        },
        _ => {
            let found = path.strip_prefix("/v3/contacts/c").and_then(|n| n.parse().ok());
            if let Some(number) = found.filter(|n| (1..=desk.options.records).contains(n)) {
                return ok(data::only(contact(&base, number), fields));
            }
            envelope(NOT_FOUND, "The requested resource was not found", &json!([]))
        }
    }
}

fn list(ask: &Ask<'_>, total: u64, make: impl Fn(u64) -> Value) -> Response {
    let wrong = |field: &str| {
        let context = json!([{ "validationType": "query", "fieldName": field, "errorDescription": "wrong number" }]);
        envelope(INVALID, "Validation error", &context)
    };
    let number = |name: &str, usual| match ask.query.get(name) {
        None => Ok(usual),
        Some(text) => text.parse::<u64>().ok().filter(|n| *n > 0).ok_or_else(|| wrong(name)),
    };
    let (page, per_page) = match (number("page", 1), number("perPage", DEFAULT_PER_PAGE)) {
        (Ok(page), Ok(per_page)) if per_page <= MOST_PER_PAGE => (page, per_page),
        (Err(wrong), _) | (_, Err(wrong)) => return wrong,
        _ => return wrong("perPage"),
    };
    let fields = ask.query.get("fields");
    let items: Vec<Value> = data::window((page - 1).saturating_mul(per_page), per_page, total)
        .map(|n| data::only(make(n), fields))
        .collect();
    let answer = with_header(ok(items.into()), "TotalCount", total.to_string());
    let answer = with_header(answer, "TotalPages", total.div_ceil(per_page).to_string());
    with_header(answer, "CurrentPage", page.to_string())
}

fn campaign(base: &str, number: u64) -> Value {
    json!({
        "campaignId": format!("k{number}"),
        "name": if number == 1 { "newsletter" } else { "customers" },
        "description": "",
        "languageCode": "EN",
        "isDefault": if number == 1 { "true" } else { "false" },
        "createdOn": CREATED,
        "href": format!("{base}/campaigns/k{number}"),
    })
}

fn contact(base: &str, number: u64) -> Value {
    let person = data::person(number);
    json!({
        "contactId": format!("c{number}"),
        "name": format!("{} {}", person.first, person.last),
        "email": person.email,
        "origin": "api",
        "campaign": { "campaignId": "k1", "name": "newsletter", "href": format!("{base}/campaigns/k1") },
        "createdOn": CREATED,
        "href": format!("{base}/contacts/c{number}"),
    })
}

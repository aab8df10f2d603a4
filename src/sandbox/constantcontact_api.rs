//! The parts of Constant Contact's API that its support staff name: the account, and three ways to
//! add a contact (sign-up form; look up by e-mail, then create or overwrite; bulk import with an
//! activity to wait for). Contacts are stored, so users can see that "a PUT overwrites all
//! properties" without losing real data.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::data::{self, CREATED};
use super::logins::Grant;
use super::message::{Ask, json, ok};
use super::server::Desk;
use crate::text::times::rfc3339;
use crate::world::http_server::serve::Response;

const DEFAULT_LIMIT: u64 = 50;
const MOST: u64 = 500;
const LIST: &str = "11111111-2222-4333-8444-555555555555";

/// Returns the usual form of the API's errors: a list.
fn failure(status: u16, key: &str, message: &str) -> Response {
    json(status, &json!([{ "error_key": key, "error_message": message }]))
}

fn invalid(message: &str) -> Response {
    failure(400, "contacts.api.validation.error", message)
}

fn no_contact() -> Response {
    failure(404, "contacts.api.resource_not_found", "The requested contact does not exist.")
}

/// Answers a request to the API.
pub fn answer(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    let Ok(grant) = desk.look(ask.bearer.as_deref())? else {
        return Ok(json(401, &json!({ "error_key": "unauthorized", "error_message": "Unauthorized" })));
    };
    if !desk.admits() {
        // the API sends no Retry-After and no rate limit headers
        return Ok(json(429, &json!({ "error_key": "throttled", "error_message": "Too many requests per second" })));
    }
    let path = ask.path.strip_prefix("/v3/").unwrap_or_default().split('/').collect::<Vec<_>>();
    let needed = match path.as_slice() {
        ["account", "user", "privileges"] => None,
        ["account", ..] => Some("account_read"),
        _ => Some("contact_data"),
    };
    if needed.is_some_and(|scope| !grant.scopes.iter().any(|s| s == scope)) {
        return Ok(json(403, &json!({ "message": "Forbidden" })));
    }
    let found = match (ask.method, path.as_slice()) {
        ("GET", ["account", "user", "privileges"]) => privileges(),
        ("GET", ["account", "summary"]) => summary(&grant),
        ("GET", ["contact_lists"]) => lists(desk)?,
        ("POST", ["contact_lists"]) => new_list(desk, ask)?,
        ("GET", ["contacts"]) => contacts(desk, ask)?,
        ("POST", ["contacts"]) => create(desk, ask)?,
        ("POST", ["contacts", "sign_up_form"]) => sign_up(desk, ask)?,
        ("GET", ["contacts", id]) => Contacts(desk).get(id)?.map_or_else(no_contact, ok),
        ("PUT", ["contacts", id]) => overwrite(desk, ask, id)?,
        ("POST", ["activities", "contacts_json_import"]) => import(desk, ask)?,
        ("GET", ["activities", id]) => activity(desk, id)?,
        _ => failure(404, "resource_not_found", "This practice API has no such resource."),
    };
    Ok(found)
}

fn privileges() -> Response {
    ok(json!([
        { "privilege_id": 1, "privilege_name": "campaign:metadata:read" },
        { "privilege_id": 2, "privilege_name": "contacts:contact:read" },
        { "privilege_id": 3, "privilege_name": "contacts:contact:create" },
    ]))
}

fn summary(grant: &Grant) -> Response {
    ok(json!({
        "encoded_account_id": "p07eabc123",
        "organization_name": "Practice Ltd",
        "first_name": "Alice",
        "last_name": "Example",
        "contact_email": grant.account,
        "country_code": "US",
        "state_code": "MA",
        "time_zone_id": "US/Eastern",
    }))
}

fn all_lists(desk: &Desk) -> io::Result<Vec<Value>> {
    let mut lists = vec![json!({ "list_id": LIST, "name": "General Interest", "created_at": CREATED })];
    lists.extend(desk.book.data(|data| data["lists"].as_array().cloned().unwrap_or_default())?);
    Ok(lists)
}

fn lists(desk: &Desk) -> io::Result<Response> {
    let lists = all_lists(desk)?;
    Ok(ok(json!({ "lists": lists, "lists_count": lists.len() })))
}

fn new_list(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    let body = ask.body_json();
    let Some(name) = body["name"].as_str().filter(|name| !name.is_empty()) else {
        return Ok(invalid("name is missing"));
    };
    if all_lists(desk)?.iter().any(|list| list["name"] == name) {
        return Ok(failure(409, "contacts.api.conflict", "A list with this name already exists."));
    }
    let known = Contacts(desk);
    let list = json!({
        "list_id": known.new_id(),
        "name": name,
        "description": body["description"].as_str().unwrap_or_default(),
        "favorite": body["favorite"].as_bool().unwrap_or(false),
        "created_at": known.time(),
        "updated_at": known.time(),
    });
    desk.book.change_data(|data| match data["lists"].as_array_mut() {
        Some(lists) => lists.push(list.clone()),
        None => data["lists"] = json!([list.clone()]),
    })?;
    Ok(json(201, &list))
}

/// The initial contacts, and the contacts written over them.
struct Contacts<'a>(&'a Desk);

fn id_of(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn email_of(contact: &Value) -> Option<&str> {
    contact["email_address"]["address"].as_str()
}

impl Contacts<'_> {
    fn original(number: u64) -> Value {
        let person = data::person(number);
        json!({
            "contact_id": id_of(number),
            "email_address": { "address": person.email, "permission_to_send": "implicit", "created_at": CREATED },
            "first_name": person.first,
            "last_name": person.last,
            "job_title": "Practitioner",
            "create_source": "Account",
            "created_at": CREATED,
            "updated_at": CREATED,
            "list_memberships": [LIST],
        })
    }

    fn written(&self) -> io::Result<Map<String, Value>> {
        self.0.book.data(|data| data["contacts"].as_object().cloned().unwrap_or_default())
    }

    fn get(&self, id: &str) -> io::Result<Option<Value>> {
        let written = self.written()?.remove(id);
        let number = id.strip_prefix("00000000-0000-4000-8000-").and_then(|n| n.parse().ok());
        let original = number.filter(|n| (1..=self.0.options.records).contains(n)).map(Contacts::original);
        Ok(written.or(original))
    }

    fn find(&self, email: &str) -> io::Result<Option<Value>> {
        let written = self.written()?;
        let same = |contact: &&Value| email_of(contact).is_some_and(|e| e.eq_ignore_ascii_case(email));
        if let Some(contact) = written.values().find(same) {
            return Ok(Some(contact.clone()));
        }
        let number = data::number_of(email, self.0.options.records);
        Ok(number.filter(|n| !written.contains_key(&id_of(*n))).map(Contacts::original))
    }

    fn put(&self, contact: &Value) -> io::Result<()> {
        let id = contact["contact_id"].as_str().unwrap_or_default();
        self.0.book.change_data(|data| data["contacts"][id] = contact.clone())
    }

    fn new_id(&self) -> String {
        let hex = self.0.hex40();
        format!("{}-{}-4{}-9{}-{}", &hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..30])
    }

    fn time(&self) -> String {
        rfc3339(self.0.now())
    }
}

fn contacts(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    let known = Contacts(desk);
    if let Some(email) = ask.query.get("email") {
        let found: Vec<Value> = known.find(email)?.into_iter().collect();
        return Ok(ok(json!({ "contacts": found })));
    }
    let limit = ask.query.number("limit").unwrap_or(DEFAULT_LIMIT);
    if !(1..=MOST).contains(&limit) {
        return Ok(failure(400, "contacts.api.bad_request", "limit must be from 1 to 500"));
    }
    let Some(before) = ask.query.get("cursor").map_or(Some(0), read_cursor) else {
        return Ok(failure(400, "contacts.api.bad_request", "cursor is not valid"));
    };
    let originals = desk.options.records;
    let (changed, written): (Map<_, _>, Map<_, _>) =
        known.written()?.into_iter().partition(|(id, _)| id.starts_with("00000000-"));
    let total = originals + written.len() as u64;
    let page: Vec<Value> = data::window(before, limit, total)
        .filter_map(|n| match n.checked_sub(originals + 1) {
            None => Some(changed.get(&id_of(n)).cloned().unwrap_or_else(|| Contacts::original(n))),
            Some(index) => written.values().nth(index as usize).cloned(),
        })
        .collect();
    let mut answer = json!({ "contacts": page });
    if ask.query.get("include_count") == Some("true") {
        answer["contacts_count"] = total.into();
    }
    let next = before.saturating_add(limit);
    if next < total {
        // a path, since clients know the host
        let href = format!("/v3/contacts?limit={limit}&cursor={}", cursor(next));
        answer["_links"] = json!({ "next": { "href": href } });
    }
    Ok(ok(answer))
}

fn create(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    let known = Contacts(desk);
    let mut contact = ask.body_json();
    let Some(email) = email_of(&contact).map(str::to_owned) else {
        return Ok(invalid("email_address.address is missing"));
    };
    if contact["create_source"].is_null() {
        return Ok(invalid("create_source is missing"));
    }
    if let Some(existing) = known.find(&email)? {
        let id = existing["contact_id"].as_str().unwrap_or_default();
        return Ok(failure(409, "contacts.api.conflict", &format!("Email already exists for contact {id}")));
    }
    contact["contact_id"] = known.new_id().into();
    contact["created_at"] = known.time().into();
    contact["updated_at"] = known.time().into();
    known.put(&contact)?;
    Ok(json(201, &contact))
}

/// Replaces all properties: those missing from the request are lost.
fn overwrite(desk: &Desk, ask: &Ask<'_>, id: &str) -> io::Result<Response> {
    let known = Contacts(desk);
    let Some(old) = known.get(id)? else { return Ok(no_contact()) };
    let mut contact = ask.body_json();
    if !contact.is_object() || contact["update_source"].is_null() {
        return Ok(invalid("update_source is missing"));
    }
    contact["contact_id"] = id.into();
    contact["created_at"] = old["created_at"].clone();
    contact["updated_at"] = known.time().into();
    known.put(&contact)?;
    Ok(ok(contact))
}

/// Merges `from` into the contact with this e-mail address, or into a new one. Returns whether it
/// is new.
fn merge(known: &Contacts<'_>, email: &str, from: &Map<String, Value>) -> io::Result<(Value, bool)> {
    let found = known.find(email)?;
    let new = found.is_none();
    let mut contact = found.unwrap_or_else(|| {
        json!({
            "contact_id": known.new_id(),
            "email_address": { "address": email, "permission_to_send": "implicit" },
            "created_at": known.time(),
        })
    });
    for (name, value) in from.iter().filter(|(name, _)| !matches!(name.as_str(), "email_address" | "email")) {
        contact[name] = value.clone();
    }
    contact["updated_at"] = known.time().into();
    known.put(&contact)?;
    Ok((contact, new))
}

fn sign_up(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    let body = ask.body_json();
    let (Some(email), Some(members)) = (body["email_address"].as_str(), body.as_object()) else {
        return Ok(invalid("email_address is missing"));
    };
    if body["list_memberships"].as_array().is_none_or(Vec::is_empty) {
        return Ok(invalid("list_memberships is missing"));
    }
    let (contact, new) = merge(&Contacts(desk), email, members)?;
    let (status, action) = if new { (201, "created") } else { (200, "updated") };
    Ok(json(status, &json!({ "contact_id": contact["contact_id"], "action": action })))
}

fn import(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    let body = ask.body_json();
    let (Some(rows), Some(lists)) = (body["import_data"].as_array(), body["list_ids"].as_array()) else {
        return Ok(invalid("import_data and list_ids are required"));
    };
    if lists.is_empty() {
        return Ok(invalid("list_ids is empty"));
    }
    let known = Contacts(desk);
    let mut wrong = 0;
    for row in rows {
        match (row["email"].as_str(), row.as_object()) {
            (Some(email), Some(members)) => {
                let mut members = members.clone();
                members.insert("list_memberships".into(), body["list_ids"].clone());
                merge(&known, email, &members)?;
            }
            // errors are only counted; the activity completes all the same
            _ => wrong += 1,
        }
    }
    let id = known.new_id();
    let record = json!({
        "activity_id": id,
        "created_at": known.time(),
        "items_total_count": rows.len(),
        "error_count": wrong,
        "looked_at": 0,
    });
    desk.book.change_data(|data| data["activities"][&id] = record.clone())?;
    Ok(json(202, &activity_of(&record, "initialized", 0)))
}

/// Returns an activity's state: first `initialized`, then `processing`, then `completed`, a step
/// each time.
fn activity(desk: &Desk, id: &str) -> io::Result<Response> {
    let found = desk.book.change_data(|data| {
        let record = data.get_mut("activities")?.get_mut(id)?;
        let looks = record["looked_at"].as_u64().unwrap_or(0) + 1;
        record["looked_at"] = looks.into();
        Some((record.clone(), looks))
    })?;
    Ok(match found {
        Some((record, 1)) => ok(activity_of(&record, "processing", 50)),
        Some((record, _)) => ok(activity_of(&record, "completed", 100)),
        None => failure(404, "activities.api.resource_not_found", "The requested activity does not exist."),
    })
}

fn activity_of(record: &Value, state: &str, percent: u64) -> Value {
    let id = record["activity_id"].as_str().unwrap_or_default();
    let total = record["items_total_count"].as_u64().unwrap_or(0);
    json!({
        "activity_id": id,
        "state": state,
        "created_at": record["created_at"],
        "percent_done": percent,
        "activity_errors": [],
        "status": {
            "items_total_count": total,
            "items_completed_count": total * percent / 100,
            "error_count": if percent == 100 { record["error_count"].clone() } else { 0.into() },
        },
        "_links": { "self": { "href": format!("/v3/activities/{id}") } },
    })
}

/// Returns an opaque cursor for a position in a list.
fn cursor(before: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("after:{before}"))
}

fn read_cursor(cursor: &str) -> Option<u64> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    text.strip_prefix("after:")?.parse().ok()
}

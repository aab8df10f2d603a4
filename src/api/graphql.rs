//! Pages of GraphQL: a query with `$endCursor` is sent again with the cursor of each page, as
//! `gh api graphql --paginate` does.

use std::io::Read;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::body::Body;
use super::records::{at, members};
use super::value::{self, View, view};
use crate::error::Error;
use crate::secret::Secret;
use crate::world::World;

/// The longest query with its variables.
const LONGEST: u64 = 16 << 20;
/// How deep in the data a list may be.
const DEEPEST: usize = 16;

/// The body of the request, whose cursor changes from page to page.
pub struct Query(Map<String, Value>);

impl Query {
    /// Reads the body. One without a place for the cursor is a usage error.
    pub fn of(world: &World, body: &mut Body) -> Result<Query, Error> {
        let (text, upload) = body.open(world)?;
        let mut bytes = text.map(|text| text.expose().as_bytes().to_vec()).unwrap_or_default();
        if let Some(upload) = upload {
            let read = upload.reader.take(LONGEST).read_to_end(&mut bytes);
            read.map_err(|e| Error::usage("the query can't be read").cause(e))?;
        }
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(query)) if query.get("query").is_some_and(|q| q.to_string().contains("$endCursor")) => {
                Ok(Query(query))
            }
            _ => Err(Error::usage("`--graphql --paginate` needs a query with `$endCursor`")
                .hint("query='query($endCursor: String) { …(after: $endCursor) { nodes { … } pageInfo { hasNextPage endCursor } } }'")),
        }
    }

    /// The body that asks for the page behind a cursor, or for the first.
    pub fn after(&mut self, cursor: Option<String>) -> Body {
        if let Some(cursor) = cursor {
            let variables = self.0.entry("variables").or_insert(Value::Null);
            if variables.is_null() {
                *variables = Value::Object(Map::new());
            }
            if let Value::Object(variables) = variables {
                variables.insert("endCursor".to_owned(), cursor.into());
            }
        }
        let text = serde_json::to_string(&self.0).unwrap_or_default();
        Body::Text { text: Secret::unlisted(text), kind: "application/json" }
    }
}

/// A list in the data, by its `pageInfo`.
pub struct Connection<'a> {
    pub nodes: Vec<&'a RawValue>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

impl<'a> Connection<'a> {
    pub fn of(body: &'a str) -> Option<Connection<'a>> {
        find(at(body, "data")?, DEEPEST)
    }
}

fn find(raw: &RawValue, depth: usize) -> Option<Connection<'_>> {
    let members = members(raw.get())?;
    let of = |name: &str| members.iter().find(|(member, _)| member == name).map(|(_, raw)| raw.get());
    if let Some(info) = of("pageInfo") {
        let info: Value = serde_json::from_str(info).ok()?;
        let cursor = info["endCursor"].as_str().filter(|_| info["hasNextPage"] == true);
        let nodes = of("nodes").or_else(|| of("edges")).and_then(|list| serde_json::from_str(list).ok());
        return Some(Connection { nodes: nodes?, next: cursor.map(str::to_owned) });
    }
    members.iter().filter(|_| depth > 0).find_map(|(_, raw)| find(raw, depth - 1))
}

/// Whether an answer, or one of a batch, has errors in it. `None`: it can't be read.
pub fn has_errors(body: &str) -> Option<bool> {
    Some(value::read(body)?.into_iter().any(|raw| match view(raw) {
        View::List(batch) => batch.into_iter().any(is_failed),
        _ => is_failed(raw),
    }))
}

fn is_failed(answer: &RawValue) -> bool {
    at(answer.get(), "errors").is_some_and(|errors| match view(errors) {
        View::List(list) => !list.is_empty(),
        View::Members(members) => !members.is_empty(),
        View::Text(text) => !text.is_empty(),
        View::Plain(flag) => flag != "false",
        View::Null => false,
    })
}

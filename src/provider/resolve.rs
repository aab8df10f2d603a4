//! From TOML to [`Provider`]: lays the built-in or the user's file, the file it extends, and the
//! environment over each other, then completes, reads and checks the result.

use super::checks::{BESIDE_TOKEN, LIKE_TOKEN};
use super::expand::{CLIENT_ID, Piece, check_url_template, pieces, unfilled};
use super::schema::StringKind;
use super::{Line, Provider, catalogue, checks};
use crate::address::is_host_pattern;
use crate::layers::de;
use crate::layers::tree::{self, Entry, Place, ReadError, Table, Value, lay_over, look_up, refused, refused_in};
use crate::text::{nearest, safe};

/// Keys that identify the provider: fixed in environments, and not inherited by `extends`.
pub(super) const IDENTITY: [&str; 4] = ["id", "extends", "aliases", "environments"];

const DEEPEST: usize = 16;

/// Returns the text of the user's file of a name.
type Own<'a> = &'a dyn Fn(&str) -> Result<Option<String>, ReadError>;

/// Finds a provider by name and resolves it. `own` returns the user's file of that name, which
/// precedes the catalogue; a file that extends its own name extends the built-in provider.
pub fn resolve(name: &str, environment: Option<&str>, own: Own<'_>) -> Result<Provider, ReadError> {
    let (seen, layers) = chain(name, own)?;
    merge_and_read(&seen[0].0, layers, environment)
}

/// The first built-in provider among a name's own file and those that it extends.
pub fn built_in_below(name: &str, own: Own<'_>) -> Result<Option<&'static str>, ReadError> {
    let (seen, _) = chain(name, own)?;
    let first = seen.iter().find(|(_, is_own)| !is_own);
    Ok(first.and_then(|(name, _)| catalogue::find(name)).map(|(id, _)| id))
}

/// Names, and whether the file is the user's.
type Seen = Vec<(String, bool)>;

/// The files of a name, each followed by the one that it extends.
fn chain(name: &str, own: Own<'_>) -> Result<(Seen, Vec<Table>), ReadError> {
    let mut layers = Vec::new();
    let mut seen = Seen::new();
    let mut next = Some((name.to_owned(), None));
    while let Some((mut name, named_at)) = next {
        if let Some((id, _)) = catalogue::find(&name)
            && id != name
            && own(&name)?.is_none()
        {
            // an alias also finds the user's own file of the provider's name
            name = id.to_owned();
        }
        let own_text = if seen.contains(&(name.clone(), true)) { None } else { own(&name)? };
        let (file, id, text, is_own) = match own_text {
            Some(text) => (format!("providers/{name}.toml"), name.clone(), text, true),
            None => match catalogue::find(&name) {
                Some((id, text)) => (format!("{id}.toml (built in)"), id.to_owned(), text.to_owned(), false),
                None if seen.contains(&(name.clone(), true)) => return Err(circle(&seen, &name)),
                None => return Err(unknown(&name, named_at)),
            },
        };
        if seen.contains(&(id.clone(), is_own)) || seen.len() == DEEPEST {
            return Err(circle(&seen, &name));
        }
        seen.push((id.clone(), is_own));
        let table = tree::parse(&file, &text)?;
        next = match table.get("extends") {
            None => None,
            Some(Entry { value: Value::Text(base), at }) => Some((base.clone(), Some(at.clone()))),
            Some(entry) => return refused("extends", entry, "must be the name of a provider"),
        };
        check_identity(&file, &id, &table, next.is_some())?;
        layers.push(table);
    }
    Ok((seen, layers))
}

/// Reads a text as the provider `id`, alone or laid over the catalogue's.
pub fn from_text(id: &str, text: &str, environment: Option<&str>) -> Result<Provider, ReadError> {
    resolve(id, environment, &|name| Ok((name == id).then(|| text.to_owned())))
}

fn circle(seen: &[(String, bool)], again: &str) -> ReadError {
    ReadError::Circle(seen.iter().map(|(name, _)| name.clone()).chain([again.to_owned()]).map(|n| safe(&n)).collect())
}

fn unknown(name: &str, named_at: Option<Place>) -> ReadError {
    let near = catalogue::nearest_name(name);
    match named_at {
        None => ReadError::UnknownProvider { name: safe(name), nearest: near },
        Some(at) => {
            let meant = near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            let why = format!("names no provider: `{}`{meant}", safe(name));
            ReadError::Refused { key: "extends".to_owned(), at, why }
        }
    }
}

fn check_identity(file: &str, id: &str, table: &Table, extends: bool) -> Result<(), ReadError> {
    match table.get("id") {
        Some(Entry { value: Value::Text(said), .. }) if said == id => Ok(()),
        Some(entry) => refused("id", entry, &format!("must be `{}`, as the file is called", safe(id))),
        // a file that extends another may leave out its own name
        None if extends => Ok(()),
        None => Err(ReadError::Missing { file: file.to_owned(), key: "id".to_owned() }),
    }
}

/// Merges the layers; the last is the base.
fn merge_and_read(id: &str, mut layers: Vec<Table>, environment: Option<&str>) -> Result<Provider, ReadError> {
    let mut merged = Table::new();
    let file = layers[0].values().next().map_or_else(|| id.to_owned(), |e| e.at.file.to_string());
    while let Some(mut layer) = layers.pop() {
        if !layers.is_empty() {
            layer.remove("aliases");
        }
        layer.remove("id");
        layer.remove("extends");
        lay_over(&mut merged, layer);
    }
    let environments = environment_tables(&merged)?;
    if let Some(name) = environment.filter(|name| !environments.iter().any(|(n, _)| n == name)) {
        let known: Vec<String> = environments.into_iter().map(|(n, _)| n).collect();
        return Err(ReadError::UnknownEnvironment {
            provider: id.to_owned(),
            nearest: nearest(name, known.iter().map(String::as_str)).map(str::to_owned),
            name: safe(name),
            known,
        });
    }
    let mut wanted = None;
    if environment.is_none() {
        wanted = Some(read_merged(id, merged.clone(), &file)?);
    }
    // checks all environments now, not on the day that one is first used
    for (name, overlay) in &environments {
        let mut merged = merged.clone();
        lay_over(&mut merged, overlay.clone());
        let inside = read_merged(id, merged, &file).map_err(|e| in_environment(e, name, overlay))?;
        if environment == Some(name) {
            wanted = Some(inside);
        }
    }
    Ok(wanted.expect("an environment that was asked for is one of those"))
}

fn read_merged(id: &str, mut merged: Table, file: &str) -> Result<Provider, ReadError> {
    fill_references(&mut merged)?;
    complete(&mut merged, id);
    checks::ways(&merged)?;
    let mut provider: Provider = de::read(&merged, file)?;
    for (name, entry) in section(&mut merged, "vars").into_iter().flatten() {
        if let Some(var) = provider.vars.get_mut(name) {
            var.line = Line(entry.at.line);
        }
    }
    checks::together(&provider, &merged, file)?;
    check_strings(&mut provider, &merged)?;
    Ok(provider)
}

/// Turns an error in an environment into one that names the keys as in the file.
fn in_environment(mut error: ReadError, name: &str, overlay: &Table) -> ReadError {
    let lengthen = |key: &mut String| *key = safe(&format!("environments.{name}.{key}"));
    match &mut error {
        ReadError::UnknownKey { key, at, nearest } if stands_in(overlay, at) => {
            lengthen(key);
            nearest.iter_mut().for_each(lengthen);
        }
        ReadError::WrongType { key, at, .. }
        | ReadError::WrongChoice { key, at, .. }
        | ReadError::Refused { key, at, .. }
            if stands_in(overlay, at) =>
        {
            lengthen(key);
        }
        // valid in the file alone, but not with the environment
        ReadError::Refused { why, .. } => why.push_str(&format!(" (in the environment `{}`)", safe(name))),
        ReadError::Missing { key, .. } => lengthen(key),
        _ => {}
    }
    error
}

fn stands_in(table: &Table, at: &Place) -> bool {
    table.values().any(|entry| any(entry, &|entry| entry.at == *at))
}

/// Whether an entry, or one inside it, is `such`.
fn any(entry: &Entry, such: &dyn Fn(&Entry) -> bool) -> bool {
    such(entry)
        || match &entry.value {
            Value::Table(table) => table.values().any(|entry| any(entry, such)),
            Value::List(list) => list.iter().any(|entry| any(entry, such)),
            _ => false,
        }
}

/// Completes missing keys that take another key's value.
pub(super) fn complete(table: &mut Table, id: &str) {
    let at = Place { file: id.into(), line: 1 };
    let text = |text: &str| Entry { at: at.clone(), value: Value::Text(text.to_owned()) };
    for key in ["id", "name"] {
        table.entry(key.to_owned()).or_insert_with(|| text(id));
    }
    if let Some(Entry { at, value: Value::Table(token) }) = table.get("token").cloned() {
        for section in LIKE_TOKEN {
            let empty = || Entry { at: at.clone(), value: Value::Table(Table::new()) };
            table.entry(section.to_owned()).or_insert_with(empty);
            inherit(table, section, &token, |key| key != "send-redirect-uri");
        }
        for section in BESIDE_TOKEN {
            inherit(table, section, &token, |key| key == "auth" || key == "headers");
        }
    }
    if let Some(auth) = section(table, "api").and_then(|api| section(api, "auth"))
        && auth.get("in").is_some_and(|place| place.value == Value::Text("query".to_owned()))
    {
        // RFC 6750, section 2.3
        auth.entry("name".to_owned()).or_insert_with(|| text("access_token"));
        auth.entry("scheme".to_owned()).or_insert_with(|| text(""));
    }
    let base = match look_up(table, "api.base-url").map(|base| &base.value) {
        Some(Value::Text(base)) => base.split('?').next().unwrap_or_default().trim_end_matches('/').to_owned(),
        _ => String::new(),
    };
    if let Some(Entry { value: Value::Text(url), .. }) = section(table, "whoami").and_then(|it| it.get_mut("url"))
        && url.starts_with('/')
    {
        url.insert_str(0, &base);
    }
}

fn section<'a>(table: &'a mut Table, key: &str) -> Option<&'a mut Table> {
    match &mut table.get_mut(key)?.value {
        Value::Table(table) => Some(table),
        _ => None,
    }
}

fn inherit(table: &mut Table, into: &str, token: &Table, takes: fn(&str) -> bool) {
    let Some(table) = section(table, into) else { return };
    for (key, entry) in token.iter().filter(|(key, _)| takes(key)) {
        table.entry(key.clone()).or_insert_with(|| entry.clone());
    }
}

fn environment_tables(merged: &Table) -> Result<Vec<(String, Table)>, ReadError> {
    let mut out = Vec::new();
    let Some(environments) = merged.get("environments") else { return Ok(out) };
    for (name, entry) in environments.table("environments")? {
        let path = format!("environments.{name}");
        let table = entry.table(&path)?;
        if let Some((key, entry)) = table.iter().find(|(key, _)| IDENTITY.contains(&key.as_str())) {
            return refused(&format!("{path}.{key}"), entry, "can't differ between environments");
        }
        out.push((name.clone(), table.clone()));
    }
    Ok(out)
}

/// Bytes of a text with its references filled in: no address is longer, and two references to
/// themselves would square its length in each round.
const LONGEST_FILLED: usize = 16 << 10;

/// Replaces references to keys of the file: `{api.base-url}`, or `{api.base_url}`.
fn fill_references(table: &mut Table) -> Result<(), ReadError> {
    // references may lead to others, but not endlessly
    for _ in 0..8 {
        let snapshot = table.clone();
        let mut changed = false;
        let skip = ["vars", "environments", "notes", "sources", "not-verified"];
        for (key, entry) in table.iter_mut().filter(|(key, _)| !skip.contains(&key.as_str())) {
            fill_entry(key, entry, &snapshot, &mut changed)?;
        }
        if !changed {
            return Ok(());
        }
    }
    let refers =
        |entry: &Entry| matches!(&entry.value, Value::Text(text) if unfilled(text).iter().any(|n| n.contains('.')));
    match table.iter().find(|(_, entry)| any(entry, &refers)) {
        Some((key, entry)) => refused(key, entry, "holds a reference that leads back to itself"),
        None => Ok(()),
    }
}

fn fill_entry(key: &str, entry: &mut Entry, all: &Table, changed: &mut bool) -> Result<(), ReadError> {
    let refuse = |why: String| Err(ReadError::Refused { key: key.to_owned(), at: entry.at.clone(), why });
    match &mut entry.value {
        Value::Text(text) if text.contains('{') => {
            let mut out = String::new();
            for piece in pieces(text) {
                match piece {
                    Piece::Text(text) => out.push_str(text),
                    Piece::Var(name) if name.contains('.') => {
                        let found = look_up(all, name).map(|e| &e.value);
                        let Some(Value::Text(value)) = found else {
                            return refuse(format!("refers to `{{{name}}}`, which is no text of this provider"));
                        };
                        out.push_str(value);
                        *changed = true;
                        if out.len() > LONGEST_FILLED {
                            return refuse("holds references that make it grow without end".to_owned());
                        }
                    }
                    Piece::Var(name) => out.push_str(&format!("{{{name}}}")),
                }
            }
            *text = out;
        }
        Value::List(list) => {
            for entry in list {
                fill_entry(key, entry, all, changed)?;
            }
        }
        Value::Table(table) => {
            for (name, entry) in table {
                fill_entry(&format!("{key}.{name}"), entry, all, changed)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Checks that need the whole provider: addresses, hosts, declared variables, no line breaks.
fn check_strings(provider: &mut Provider, table: &Table) -> Result<(), ReadError> {
    let mut declared: Vec<String> = provider.vars.keys().chain(provider.response.capture.keys()).cloned().collect();
    declared.push(CLIENT_ID.to_owned());
    provider.each_string(&mut |key, kind, text| {
        let refuse = |why: String| refused_in(table, key, &why);
        if kind == StringKind::Long {
            return Ok(());
        }
        if text.chars().any(char::is_control) {
            return refuse("may not hold control characters".to_owned());
        }
        for name in unfilled(text) {
            if !declared.iter().any(|d| d == name) {
                let meant = nearest(name, declared.iter().map(String::as_str));
                let meant = meant.map(|n| format!("; did you mean `{{{n}}}`?")).unwrap_or_default();
                return refuse(format!("holds `{{{name}}}`, which `vars` does not declare{meant}"));
            }
        }
        match kind {
            StringKind::Url => check_url_template(text).or_else(|fault| refuse(fault.to_string())),
            StringKind::Host if !text.contains('{') && !is_host_pattern(text) => {
                refuse("must be host names, without `https://` and without a path".to_owned())
            }
            _ => Ok(()),
        }
    })
}

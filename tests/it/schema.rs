//! A provider's key is one field: the documentation is made from it, no other place repeats it, and
//! something uses it. `UPDATE=1 cargo test --test it schema` writes the documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use oauthctl::provider::Provider;

/// A field of a structure that `schema!` makes, or that a list of tables has.
#[derive(Clone, Debug, Default)]
struct Field {
    /// The structure that has it.
    of: String,
    name: String,
    /// As it is written in a file; one that starts with `*` is the table itself.
    key: String,
    kind: String,
    is: String,
    default: Option<String>,
    says: String,
}

/// The schema as its source has it.
#[derive(Default)]
struct Schema {
    structures: BTreeMap<String, Vec<Field>>,
    /// Each closed list: the words and their meanings.
    words: BTreeMap<String, Vec<(String, String)>>,
}

const SOURCES: [&str; 3] = ["mod.rs", "api.rs", "client_auth.rs"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(found, _)| found)
}

fn cased(word: &str, case: &str) -> String {
    let mut out = String::new();
    for c in word.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() && case == "snake_case" {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    if case == "UPPERCASE" { out.to_uppercase() } else { out }
}

impl Schema {
    fn read() -> Schema {
        let mut schema = Schema::default();
        for file in SOURCES {
            schema.add(&std::fs::read_to_string(folder().join("provider").join(file)).unwrap());
        }
        assert!(schema.structures["Provider"].len() > 40 && schema.words["ClientAuth"].len() == 12);
        schema
    }

    fn add(&mut self, source: &str) {
        let (mut structure, mut list) = (None::<String>, None::<(String, String)>);
        let (mut says, mut attributes) = (Vec::new(), String::new());
        for line in source.lines().map(str::trim) {
            if let Some(text) = line.strip_prefix("///") {
                says.push(text.trim().to_owned());
            } else if line.starts_with("#[") && !line.ends_with(',') {
                attributes.push_str(line);
            } else if let Some(name) = between(line, "pub struct ", " {") {
                (structure, list) = (Some(name.to_owned()), None);
                (says, attributes) = (Vec::new(), String::new());
            } else if let Some(head) = between(line, "pub enum ", " {") {
                (structure, list) =
                    (None, head.split_once(" as ").map(|(name, case)| (name.to_owned(), case.replace('"', ""))));
                (says, attributes) = (Vec::new(), String::new());
            } else if line == "}" {
                (structure, list) = (None, None);
            } else if let (Some(of), Some(field)) = (&structure, line.strip_prefix("pub ")) {
                if !attributes.contains("serde(skip)") {
                    self.structures.entry(of.clone()).or_default().push(Field::of(
                        of,
                        field,
                        &attributes,
                        says.join(" "),
                    ));
                }
                (says, attributes) = (Vec::new(), String::new());
            } else if let (Some((of, case)), Some(word)) = (&list, line.strip_suffix(',')) {
                let says = between(line, "/** ", ". */").unwrap_or_default().to_owned();
                let word = match between(line, "rename = \"", "\"") {
                    Some(word) => word.to_owned(),
                    None => cased(word.rsplit(' ').next().unwrap(), case),
                };
                self.words.entry(of.clone()).or_default().push((word, says));
            }
        }
    }

    /// Every key, with the field that it is.
    fn keys(&self) -> Vec<(String, Field)> {
        let mut out = Vec::new();
        self.below("", "Provider", &mut out);
        out
    }

    fn below(&self, path: &str, structure: &str, out: &mut Vec<(String, Field)>) {
        for field in &self.structures[structure] {
            let key = match field.key.starts_with('*') {
                true => path.trim_end_matches('.').to_owned(),
                false => format!("{path}{}", field.key),
            };
            let inner = field.inner();
            match self.structures.get(inner).map(|_| inner) {
                Some(inner) if field.kind.starts_with("BTreeMap") => self.below(&format!("{key}.NAME."), inner, out),
                Some(inner) => {
                    if !field.key.starts_with('*') {
                        out.push((key.clone(), field.clone()));
                    }
                    self.below(&format!("{key}."), inner, out);
                }
                None => out.push((key, field.clone())),
            }
        }
    }

    /// The default of a key, else its type.
    fn default_of(&self, field: &Field) -> String {
        let word = |text: &str| -> Option<String> {
            let (list, variant) = text.split_once("::")?;
            let place =
                self.words.get(list)?.iter().find(|(word, _)| word.replace('_', "").eq_ignore_ascii_case(variant))?;
            Some(format!("\"{}\"", place.0))
        };
        if let Some(default) = field.default.as_deref().filter(|default| *default != "IgnoredAny") {
            let bare = default.replace(".to_owned()", "").replace("vec!", "");
            let parts = |text: &str| {
                text.split(", ").map(|part| word(part).unwrap_or(part.to_owned())).collect::<Vec<_>>().join(", ")
            };
            return match bare.strip_prefix('[').and_then(|list| list.strip_suffix(']')) {
                Some(list) => format!("`[{}]`", parts(list)),
                None => format!("`{}`", parts(&bare)),
            };
        }
        let plain = field.kind.trim_start_matches("Option<");
        match (field.inner(), field.is.as_str()) {
            _ if field.name == "environments" => "table".to_owned(),
            ("When", _) => "`\"auto\"`".to_owned(),
            ("bool", _) => "`false`".to_owned(),
            (inner, _) if self.words.contains_key(inner) && field.kind == inner => {
                format!("`\"{}\"`", self.words[inner][0].0)
            }
            _ if plain.starts_with("Vec<ErrorRule") => "list of tables".to_owned(),
            (inner, _) if self.structures.contains_key(inner) || plain.starts_with("BTreeMap") => "table".to_owned(),
            _ if plain.starts_with("Vec") => "list".to_owned(),
            (_, "Url" | "Page") => "URL".to_owned(),
            ("u16" | "u32" | "i64", _) => "integer".to_owned(),
            ("()", _) => "`\"2.0\"`".to_owned(),
            _ => "text".to_owned(),
        }
    }

    fn table(&self) -> String {
        let mut out = String::from("| Key | Default or type | Meaning |\n|---|---|---|\n");
        // the keys of an endpoint are told once
        let mut told = String::new();
        for (key, field) in self.keys() {
            let (section, name) = key.rsplit_once('.').unwrap_or(("", &key));
            if field.of == "Endpoint" && section != "token" {
                if told != section {
                    let others = self.structures["Endpoint"].iter().map(|it| format!("`.{}`", it.key)).skip(1);
                    let others = others.collect::<Vec<_>>().join(", ");
                    out += &format!("| `{section}.{name}`, {others} | as `token` | As of `token`. |\n");
                }
                told = section.to_owned();
                continue;
            }
            assert!(!field.says.is_empty(), "`{}` of `{}` has no doc comment", field.name, field.of);
            let words = self.words.get(field.inner()).map(|words| {
                let said = |(word, says): &(String, String)| match says.as_str() {
                    "" => format!("`{word}`"),
                    says if !says[1..2].chars().all(char::is_lowercase) => format!("`{word}` ({says})"),
                    says => format!("`{word}` ({}{})", says[..1].to_lowercase(), &says[1..]),
                };
                format!(" {}.", words.iter().map(said).collect::<Vec<_>>().join(", "))
            });
            out +=
                &format!("| `{key}` | {} | {}{} |\n", self.default_of(&field), field.says, words.unwrap_or_default());
        }
        out
    }
}

impl Field {
    /// `name ("key"): TYPE as KIND = DEFAULT,`
    fn of(of: &str, line: &str, attributes: &str, says: String) -> Field {
        let (head, rest) = line.trim_end_matches(',').split_once(": ").unwrap();
        let (rest, default) =
            rest.split_once(" = ").map_or((rest, None), |(rest, default)| (rest, Some(default.to_owned())));
        let (kind, is) = rest.split_once(" as ").unwrap_or((rest, ""));
        let name = head.split(' ').next().unwrap().to_owned();
        let renamed = between(head, "(\"", "\")").or_else(|| between(attributes, "rename = \"", "\""));
        let key = renamed.map_or_else(|| name.replace('_', "-"), str::to_owned);
        Field { of: of.to_owned(), name, key, kind: kind.to_owned(), is: is.to_owned(), default, says }
    }

    /// The type within `Option`, `Vec`, `BTreeMap`.
    fn inner(&self) -> &str {
        self.kind.rsplit(['<', ' ']).next().unwrap().trim_end_matches('>')
    }
}

#[test]
fn the_documentation_has_a_row_for_each_key_as_its_field_says() {
    let table = Schema::read().table();
    let list = topic(&table);
    for (file, before, made) in [
        ("provider/catalogue/README.md", "## Keys\n\n", table),
        ("command/topics/provider-keys.md", "provider.\n\n", list),
    ] {
        let file = folder().join(file);
        let text = std::fs::read_to_string(&file).unwrap();
        let (head, rows) = text.split_once(before).unwrap();
        #[expect(clippy::disallowed_methods, reason = "the test asks, not the program")]
        let update = std::env::var_os("UPDATE").is_some();
        if update {
            std::fs::write(&file, format!("{head}{before}{made}")).unwrap();
            continue;
        }
        for (row, expected) in rows.lines().zip(made.lines()) {
            assert_eq!(row, expected, "UPDATE=1 cargo test --test it schema");
        }
        assert_eq!(rows.lines().count(), made.lines().count(), "UPDATE=1 cargo test --test it schema");
    }
}

/// The table's rows as a list, for `help provider-keys`.
fn topic(table: &str) -> String {
    let item = |row: &str| {
        let cells: Vec<&str> = row.trim_matches(['|', ' ']).split(" | ").collect();
        let [key, default, meaning] = cells[..] else { panic!("{row}") };
        oauthctl::text::wrapped(&format!("- {key} ({default}): {meaning}"), 80, 2) + "\n"
    };
    table.lines().skip(2).map(item).collect()
}

// what the source seems to say is what serde does
#[test]
fn every_key_that_has_a_value_is_one_of_the_documented_ones() {
    let documented = Schema::read().keys();
    let mut provider = Provider::bare("x");
    provider.device = Some(Default::default());
    provider.revoke = Some(Default::default());
    provider.whoami = Some(Default::default());
    for (key, _) in oauthctl::layers::ser::keys(&provider) {
        assert!(documented.iter().any(|(known, _)| *known == key || known.starts_with(&format!("{key}."))), "{key}");
    }
}

/// Code of `src` without comments and tests, by the path below it.
fn code() -> Vec<(String, String)> {
    fn below(at: &Path, out: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { below(&path, out) } else { out.push(path) }
        }
    }
    let mut files = Vec::new();
    below(&folder(), &mut files);
    let mut out = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "rs")) {
        let path = file.strip_prefix(folder()).unwrap().to_str().unwrap();
        let path = path.replace(std::path::MAIN_SEPARATOR, "/");
        if path.ends_with("tests.rs") || path.contains("tests/") {
            continue;
        }
        let text = std::fs::read_to_string(file).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let line = |line: &str| line.rsplit("*/ ").next().unwrap_or_default().to_owned();
        let lines: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with("//")).map(line).collect();
        out.push((path, lines.join("\n")));
    }
    out
}

/// How often `word` stands in `text` as a whole word.
fn count(text: &str, word: &str) -> usize {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.match_indices(word)
        .filter(|(at, _)| word.starts_with('.') || !text[..*at].ends_with(is_part))
        .filter(|(at, _)| !text[at + word.len()..].starts_with(is_part))
        .count()
}

/// Keys that stand in a second file of `src/provider`, and why.
const TWICE: [(&str, &str); 10] = [
    ("client-id", "is a variable of every provider too"),
    ("one-of", "is compared with a variable's value in the same room"),
    ("send-redirect-uri", "the one key of `token` that other sections do not take from it"),
    ("client-credentials", "is completed from `token`"),
    ("access-token", "is the parameter's name where `api.auth.in` is `query` too"),
    ("token-host-from", "is checked together with `token-host-allow`, and obeyed once the redirect is there"),
    ("token-host-allow", "is checked together with `token-host-from`, and obeyed once the redirect is there"),
    ("base-url", "stands before a relative `whoami.url`"),
    ("hints-of", "is checked with the other keys, and obeyed where an error is told"),
    ("not-verified", "holds no references to other keys"),
];

// a name of several words is nothing else, so that it can be counted
#[test]
fn a_key_stands_once() {
    let code: Vec<_> = code().into_iter().filter(|(path, _)| path.starts_with("provider/")).collect();
    let mut twice: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (_, field) in Schema::read().keys() {
        let key = field.name.replace('_', "-");
        let places = code.iter().filter(|(_, text)| count(text, &field.name) + count(text, &key) > 0);
        let places: Vec<&str> = places.map(|(path, _)| path.as_str()).collect();
        if key.contains('-') && places.len() != 1 {
            twice.insert(key, places);
        }
    }
    let known: BTreeSet<&str> = TWICE.iter().map(|(key, _)| *key).collect();
    assert_eq!(twice.keys().map(String::as_str).collect::<BTreeSet<_>>(), known, "{twice:#?}");
}

/// Keys that nothing but reading and showing uses, and why they are there.
const IDLE: [(&str, &str); 6] = [
    ("extends", "is gone once it is resolved"),
    ("oauth", "is refused unless it is the one value"),
    ("notes", "is shown to people"),
    ("sources", "is shown to people"),
    ("checked", "is shown to people"),
    ("implicit", "is shown to people"),
];

#[test]
fn no_key_does_nothing() {
    // the files of the schema itself, and those that only read and show
    let about = ["mod.rs", "resolve.rs", "checks.rs", "schema.rs", "show.rs"].map(|file| format!("provider/{file}"));
    let code: Vec<_> = code().into_iter().filter(|(path, _)| !about.contains(path)).collect();
    let keys = Schema::read().keys();
    let used = |field: &Field| code.iter().any(|(_, text)| count(text, &format!(".{}", field.name)) > 0);
    let idle: Vec<&str> = keys.iter().filter(|(_, field)| !used(field)).map(|(key, _)| key.as_str()).collect();
    let known: Vec<&str> = IDLE.iter().map(|(key, _)| *key).collect();
    let new: Vec<_> = idle.iter().filter(|key| !known.contains(key)).collect();
    assert!(new.is_empty(), "nothing uses {new:?}");
    let done: Vec<_> = known.iter().filter(|key| !idle.contains(key)).collect();
    assert!(done.is_empty(), "{done:?} is used by now: strike it from the list");
}

/// Every key, for the table of [`crate::every_option`].
pub fn keys() -> Vec<String> {
    Schema::read().keys().into_iter().map(|(key, _)| key).collect()
}

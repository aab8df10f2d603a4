//! Which program stores records, as the configuration says it: a word, or a table.
//!
//! A configuration names few of them, and each is kept to the end of the process: a kind of store
//! is copied as freely as the others then.

use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::kept;
use crate::world::{Commands, Protocol, StoreProgram};

/// What the names of docker's credential helpers begin with.
pub const DOCKER: &str = "docker-credential-";

/// The one program whose arguments are known here: https://www.passwordstore.org.
pub const PASS: &str = "pass";

static KEPT: Mutex<Vec<&'static StoreProgram>> = Mutex::new(Vec::new());

/// The key `store` as a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Table {
    /// A docker credential helper and its arguments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub get: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub put: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub create: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub delete: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

/// The program of this name, if it needs no description.
pub fn known(name: &str) -> Option<&'static StoreProgram> {
    let argv = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let protocol = match name {
        PASS => Protocol::Arguments(Commands {
            get: argv(&["pass", "show", "oauthctl/{name}"]),
            put: argv(&["pass", "insert", "--multiline", "--force", "oauthctl/{name}"]),
            create: Vec::new(),
            delete: argv(&["pass", "rm", "--force", "oauthctl/{name}"]),
            missing: Some("is not in the password store".to_owned()),
        }),
        _ if is_helper(name) => Protocol::Docker(vec![name.to_owned()]),
        _ => return None,
    };
    Some(kept(&KEPT, StoreProgram { name: name.to_owned(), protocol }))
}

/// A bare name: it is looked for on the `PATH`.
fn is_helper(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.strip_prefix(DOCKER).is_some_and(|rest| !rest.is_empty() && rest.chars().all(plain))
}

impl TryFrom<Table> for &'static StoreProgram {
    type Error = &'static str;

    fn try_from(table: Table) -> Result<&'static StoreProgram, &'static str> {
        let Table { command, get, put, create, delete, missing } = table;
        let names_one = |argv: &Vec<String>| argv.first().is_some_and(|program| !program.is_empty());
        let commands = [&get, &put, &delete];
        let (first, protocol) = match command.is_empty() {
            false if commands.iter().all(|argv| argv.is_empty()) && create.is_empty() && missing.is_none() => {
                (command.clone(), Protocol::Docker(command))
            }
            true if commands.iter().all(|argv| names_one(argv)) => {
                let has_name = |argv: &Vec<String>| argv.iter().skip(1).any(|argument| argument.contains("{name}"));
                if !(commands.iter().all(|argv| has_name(argv)) && (create.is_empty() || has_name(&create))) {
                    return Err("needs `{name}` among the arguments of `get`, `put`, `create` and `delete`");
                }
                (get.clone(), Protocol::Arguments(Commands { get, put, create, delete, missing }))
            }
            _ => return Err("must have `command`, or `get`, `put` and `delete`"),
        };
        let name = first.into_iter().next().filter(|name| !name.is_empty()).ok_or("has an empty `command`")?;
        Ok(kept(&KEPT, StoreProgram { name, protocol }))
    }
}

impl From<&'static StoreProgram> for Table {
    fn from(program: &'static StoreProgram) -> Table {
        match program.protocol.clone() {
            Protocol::Docker(command) => Table { command, ..Table::default() },
            Protocol::Arguments(Commands { get, put, create, delete, missing }) => {
                Table { command: Vec::new(), get, put, create, delete, missing }
            }
        }
    }
}

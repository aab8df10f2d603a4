//! A manner that a server may take, want or refuse: `"auto"` follows its metadata, `true` and `false` don't.

use crate::layers::tree::{Entry, ReadError, Reader, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Wanted {
    #[default]
    Auto,
    Always,
    Never,
}

impl Wanted {
    /// `"auto"`, `true` or `false`.
    pub fn read(r: &mut Reader<'_>, key: &'static str) -> Result<Option<Wanted>, ReadError> {
        match r.get(key) {
            None => Ok(None),
            Some(Entry { value: Value::Boolean(yes), .. }) => {
                Ok(Some(if *yes { Wanted::Always } else { Wanted::Never }))
            }
            Some(Entry { value: Value::Text(word), .. }) if word == "auto" => Ok(Some(Wanted::Auto)),
            Some(entry) => r.refuse(key, entry, "must be `\"auto\"`, `true` or `false`"),
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Wanted::Auto => "auto",
            Wanted::Always => "true",
            Wanted::Never => "false",
        }
    }
}

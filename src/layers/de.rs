//! A serde `Deserializer` over the tree. Its errors name the file, the line, the key and the
//! nearest known name.
//!
//! Structures are strict: a key that is no field is refused, without `deny_unknown_fields`. A field
//! whose key starts with `*` takes its own fields from the same table (`flatten` would lose the
//! places). In words of enums, `_` and `-` are the same. A message given to `Error::custom` follows
//! the key and its place: "must be a day".

use std::cell::RefCell;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, Deserialize, DeserializeSeed, Expected, IntoDeserializer as _, MapAccess, SeqAccess, Unexpected, Visitor,
};

use super::tree::{Entry, Place, ReadError, Table, Value, same_word};
use crate::text::{nearest, safe};

/// Reads a whole file; errors about missing keys name `file`.
pub fn read<'de, T: Deserialize<'de>>(table: &'de Table, file: &str) -> Result<T, ReadError> {
    let section = Section { table, path: &Path { above: None, key: "" }, known: &RefCell::default(), is_whole: true };
    T::deserialize(section).map_err(|fault| match fault {
        Fault::Placed(error) => *error,
        Fault::Missing(key) => ReadError::Missing { file: file.to_owned(), key: key.to_owned() },
        Fault::Why(why) => ReadError::Unreadable { file: file.to_owned(), why },
    })
}

/// Reads one entry; the keys of `path` are its full name.
pub fn read_entry<'de, T: Deserialize<'de>>(path: &[&str], entry: &'de Entry) -> Result<T, ReadError> {
    let path = Path { above: None, key: &path.join(".") };
    T::deserialize(Node::of(entry, &path)).map_err(|fault| match fault.at(&path, &entry.at) {
        Fault::Placed(error) => *error,
        _ => unreachable!("a fault with its place is placed"),
    })
}

/// Reads a whole number, or several, from `LOW` to `HIGH`: `#[serde(deserialize_with = "range::<1,
/// 65535, _, _>")]`.
pub fn range<'de, const LOW: i64, const HIGH: i64, T: InRange<LOW, HIGH>, D: de::Deserializer<'de>>(
    from: D,
) -> Result<T, D::Error> {
    T::Whole::deserialize(from).map(T::of)
}

/// The types that [`range`] reads.
pub trait InRange<const LOW: i64, const HIGH: i64> {
    type Whole: de::DeserializeOwned;
    fn of(whole: Self::Whole) -> Self;
}

/// An integer within bounds.
pub struct Whole<const LOW: i64, const HIGH: i64>(i64);

impl<'de, const LOW: i64, const HIGH: i64> Deserialize<'de> for Whole<LOW, HIGH> {
    fn deserialize<D: de::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(from)?;
        if (LOW..=HIGH).contains(&number) { Ok(Whole(number)) } else { Err(out_of_range(LOW, HIGH)) }
    }
}

fn out_of_range<E: de::Error>(low: impl fmt::Display, high: impl fmt::Display) -> E {
    E::custom(format_args!("must be from {low} to {high}"))
}

impl<const LOW: i64, const HIGH: i64, T: InRange<LOW, HIGH>> InRange<LOW, HIGH> for Option<T> {
    type Whole = Option<T::Whole>;
    fn of(whole: Self::Whole) -> Self {
        whole.map(T::of)
    }
}

impl<const LOW: i64, const HIGH: i64, T: InRange<LOW, HIGH>> InRange<LOW, HIGH> for Vec<T> {
    type Whole = Vec<T::Whole>;
    fn of(whole: Self::Whole) -> Self {
        whole.into_iter().map(T::of).collect()
    }
}

/// The name of an entry: its keys from the top of the file.
struct Path<'p> {
    above: Option<&'p Path<'p>>,
    key: &'p str,
}

impl Path<'_> {
    fn with(&self, key: &str) -> String {
        let mut keys = vec![key, self.key];
        let mut path = self;
        while let Some(above) = path.above {
            path = above;
            keys.push(path.key);
        }
        keys.retain(|key| !key.is_empty());
        keys.reverse();
        safe(&keys.join("."))
    }
}

/// A fault, before its entry is known.
#[derive(Debug)]
pub enum Fault {
    Placed(Box<ReadError>),
    Missing(&'static str),
    Why(String),
}

impl Fault {
    fn at(self, path: &Path<'_>, at: &Place) -> Fault {
        let (key, why) = match self {
            Fault::Placed(_) => return self,
            Fault::Missing(key) => (path.with(key), "is missing".to_owned()),
            Fault::Why(why) => (path.with(""), why),
        };
        Fault::Placed(Box::new(ReadError::Refused { key, at: at.clone(), why }))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Placed(error) => error.fmt(f),
            Fault::Missing(key) => write!(f, "`{key}` is missing"),
            Fault::Why(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(why: T) -> Fault {
        Fault::Why(why.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, wanted: &dyn Expected) -> Fault {
        Fault::Why(format!("must be {wanted}"))
    }

    fn invalid_value(_: Unexpected<'_>, wanted: &dyn Expected) -> Fault {
        Fault::Why(format!("must be {wanted}"))
    }

    fn missing_field(key: &'static str) -> Fault {
        Fault::Missing(key)
    }
}

/// The fields of one structure in one table.
struct Section<'de, 'p> {
    table: &'de Table,
    path: &'p Path<'p>,
    /// The fields requested so far.
    known: &'p RefCell<Vec<&'static str>>,
    /// No other structure reads the same table: unknown keys are refused at the end.
    is_whole: bool,
}

impl<'de> de::Deserializer<'de> for Section<'de, '_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let entries = self.table.iter().map(|(key, entry)| (key.as_str(), &entry.value, &entry.at));
        visitor.visit_map(Entries { entries, value: None, path: self.path })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.known.borrow_mut().extend(fields);
        let lengths = self.table.keys().fold(0, |lengths, key| lengths | length_bit(key));
        visitor.visit_map(Fields { section: self, fields: fields.iter(), lengths, value: None })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The names of a structure's fields, where another deserializer reads it.
pub fn fields_of<T: Deserialize<'static>>() -> Vec<&'static str> {
    static NONE: Table = Table::new();
    let known = RefCell::default();
    let _ =
        T::deserialize(Section { table: &NONE, path: &Path { above: None, key: "" }, known: &known, is_whole: false });
    known.into_inner()
}

/// Gives a structure its fields in declared order: the first error doesn't depend on the file.
struct Fields<'de, 'p> {
    section: Section<'de, 'p>,
    fields: std::slice::Iter<'static, &'static str>,
    /// The lengths of the table's keys: a profile may have eighty fields, and has four.
    lengths: u64,
    value: Option<(&'static str, Option<&'de Entry>)>,
}

fn length_bit(key: &str) -> u64 {
    1 << (key.len() % 64)
}

impl Fields<'_, '_> {
    /// Reports the first unknown key by place, not by name.
    fn refuse_unknown(&self) -> Result<(), Fault> {
        let Section { table, path, known, .. } = &self.section;
        let known = known.borrow();
        let is_known = |key: &str| !key.starts_with('*') && known.contains(&key);
        let unknown = table.iter().filter(|(key, _)| !is_known(key)).min_by_key(|(_, e)| e.at.line);
        let Some((key, entry)) = unknown else { return Ok(()) };
        let names = known.iter().copied().filter(|name| !name.starts_with('*'));
        Err(Fault::Placed(Box::new(ReadError::UnknownKey {
            key: path.with(key),
            at: entry.at.clone(),
            nearest: nearest(key, names).map(|name| path.with(name)),
        })))
    }
}

impl<'de> MapAccess<'de> for Fields<'de, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        for field in self.fields.by_ref() {
            let same_table = field.starts_with('*');
            let may_be_there = !same_table && self.lengths & length_bit(field) != 0;
            let entry = if may_be_there { self.section.table.get(*field) } else { None };
            if entry.is_some() || same_table {
                self.value = Some((field, entry));
                return seed.deserialize((*field).into_deserializer()).map(Some);
            }
        }
        if self.section.is_whole {
            self.refuse_unknown()?;
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let Section { table, path, known, .. } = self.section;
        match self.value.take().expect("a value comes after its key") {
            (key, Some(entry)) => {
                let path = Path { above: Some(path), key };
                seed.deserialize(Node::of(entry, &path)).map_err(|fault| fault.at(&path, &entry.at))
            }
            (_, None) => seed.deserialize(Section { table, path, known, is_whole: false }),
        }
    }
}

/// The entries of a table with free keys.
struct Entries<'de, 'p, I> {
    entries: I,
    value: Option<(&'de str, &'de Value, &'p Place)>,
    path: &'p Path<'p>,
}

impl<'de: 'p, 'p, I: Iterator<Item = (&'de str, &'de Value, &'p Place)>> MapAccess<'de> for Entries<'de, 'p, I> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.value = self.entries.next();
        let Some((key, _, at)) = self.value else { return Ok(None) };
        let path = Path { above: Some(self.path), key };
        seed.deserialize(StrDeserializer::new(key)).map(Some).map_err(|fault: Fault| fault.at(&path, at))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let (key, value, at) = self.value.take().expect("a value comes after its key");
        let path = Path { above: Some(self.path), key };
        seed.deserialize(Node { value, at, path: &path, in_list: false }).map_err(|fault| fault.at(&path, at))
    }
}

struct Elements<'p, I> {
    elements: I,
    path: &'p Path<'p>,
}

impl<'de: 'p, 'p, I: Iterator<Item = (&'de Value, &'p Place)>> SeqAccess<'de> for Elements<'p, I> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some((value, at)) = self.elements.next() else { return Ok(None) };
        let node = Node { value, at, path: self.path, in_list: true };
        seed.deserialize(node).map(Some).map_err(|fault| fault.at(self.path, at))
    }
}

/// A value that no field accepts: the field's error names the type it expects.
static NOTHING: Value = Value::Date;

struct Node<'de, 'p> {
    value: &'de Value,
    at: &'p Place,
    path: &'p Path<'p>,
    in_list: bool,
}

impl<'de: 'p, 'p> Node<'de, 'p> {
    fn of(entry: &'de Entry, path: &'p Path<'p>) -> Node<'de, 'p> {
        Node { value: &entry.value, at: &entry.at, path, in_list: false }
    }

    fn wrong<T>(&self, wanted: &'static str) -> Result<T, Fault> {
        let wanted = match wanted {
            "a text" if self.in_list => "a list of texts",
            "an integer" if self.in_list => "a list of integers",
            "a table" if self.in_list => "a list of tables",
            other => other,
        };
        let (key, found) = (self.path.with(""), self.value.kind());
        Err(Fault::Placed(Box::new(ReadError::WrongType { key, at: self.at.clone(), wanted, found })))
    }

    fn text(&self) -> Result<&'de str, Fault> {
        match self.value {
            Value::Text(text) => Ok(text),
            _ => self.wrong("a text"),
        }
    }

    fn section<'k: 'p>(&self, table: &'de Table, known: &'k RefCell<Vec<&'static str>>) -> Section<'de, 'p> {
        Section { table, path: self.path, known, is_whole: true }
    }
}

/// The type that a field expects in place of [`NOTHING`].
fn asked<T>(answer: Result<T, Fault>) -> Option<&'static str> {
    match answer {
        Err(Fault::Placed(error)) => match *error {
            ReadError::WrongType { wanted, .. } => Some(wanted),
            _ => None,
        },
        _ => None,
    }
}

macro_rules! whole_numbers {
    ($($type:ident $read:ident $visit:ident,)*) => {$(
        fn $read<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            let Value::Integer(number) = *self.value else { return self.wrong("an integer") };
            visitor.$visit($type::try_from(number).map_err(|_| out_of_range::<Fault>($type::MIN, $type::MAX))?)
        }
    )*};
}

macro_rules! numbers_in_range {
    ($($type:ident)*) => {$(
        impl<const LOW: i64, const HIGH: i64> InRange<LOW, HIGH> for $type {
            type Whole = Whole<LOW, HIGH>;
            fn of(whole: Self::Whole) -> Self {
                $type::try_from(whole.0).expect("the range fits the type")
            }
        }
    )*};
}

numbers_in_range!(u16 u32 i64);

impl<'de> de::Deserializer<'de> for Node<'de, '_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Boolean(flag) => visitor.visit_bool(*flag),
            Value::Date => Err(de::Error::invalid_type(Unexpected::Other("a date"), &visitor)),
            Value::List(_) => self.deserialize_seq(visitor),
            Value::Table(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Value::Boolean(flag) = *self.value else { return self.wrong("true or false") };
        visitor.visit_bool(flag)
    }

    whole_numbers! {
        u16 deserialize_u16 visit_u16,
        u32 deserialize_u32 visit_u32,
        u64 deserialize_u64 visit_u64,
        i64 deserialize_i64 visit_i64,
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let path = self.path;
        let Value::List(list) = self.value else {
            let elements = [(&NOTHING, self.at)].into_iter();
            let wanted = asked(visitor.visit_seq(Elements { elements, path }));
            return self.wrong(wanted.unwrap_or("a list"));
        };
        let elements = list.iter().map(|entry| (&entry.value, &entry.at));
        visitor.visit_seq(Elements { elements, path })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Value::Table(table) = self.value else {
            let entries = [("", &NOTHING, self.at)].into_iter();
            let wanted = asked(visitor.visit_map(Entries { entries, value: None, path: self.path }));
            return self.wrong(if wanted == Some("a text") { "a table of texts" } else { "a table" });
        };
        self.section(table, &RefCell::default()).deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let Value::Table(table) = self.value else { return self.wrong("a table") };
        self.section(table, &RefCell::default()).deserialize_struct(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let text = self.text()?;
        match words.iter().find(|word| same_word(word, text)) {
            Some(word) => visitor.visit_enum((*word).into_deserializer()),
            None => Err(Fault::Placed(Box::new(ReadError::WrongChoice {
                key: self.path.with(""),
                at: self.at.clone(),
                value: safe(text),
                known: words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
                nearest: nearest(text, words.iter().copied()).map(str::to_owned),
            }))),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::layers::tree::parse;

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(default, rename_all = "kebab-case")]
    struct Whole {
        flag: bool,
        #[serde(deserialize_with = "range::<1, 65535, _, _>")]
        ports: Vec<u16>,
        #[serde(deserialize_with = "range::<1, 10, _, _>")]
        size: Option<u32>,
        texts: BTreeMap<String, String>,
        names: Vec<String>,
        part: Option<Part>,
        parts: Vec<Inner>,
    }

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(default, rename_all = "kebab-case")]
    struct Part {
        #[serde(rename = "*inner")]
        inner: Inner,
        params_in: Option<ParamsIn>,
    }

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Inner {
        url: String,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum ParamsIn {
        TheForm,
        Json,
    }

    fn fault(text: &str) -> String {
        read::<Whole>(&parse("x.toml", text).unwrap(), "x.toml").unwrap_err().to_string()
    }

    #[test]
    fn a_structure_is_read_with_its_inner_one_from_the_same_table() {
        let text = "ports = [1, 2]\npart = { url = \"u\", params-in = \"the-form\" }\nparts = [{ url = \"v\" }]";
        let inner = Inner { url: "u".to_owned() };
        let whole = Whole {
            ports: vec![1, 2],
            part: Some(Part { inner, params_in: Some(ParamsIn::TheForm) }),
            parts: vec![Inner { url: "v".to_owned() }],
            ..Whole::default()
        };
        assert_eq!(read::<Whole>(&parse("x.toml", text).unwrap(), "x.toml"), Ok(whole));
    }

    #[test]
    fn each_fault_has_its_key_and_its_line_and_never_the_value() {
        for (text, said) in [
            ("flag = \"hunter2\"", "`flag` in x.toml, line 1 must be true or false, not a text"),
            ("\nports = [1,\n70000]", "`ports` in x.toml, line 3 must be from 1 to 65535"),
            ("ports = 1", "`ports` in x.toml, line 1 must be a list of integers, not an integer"),
            ("size = 11", "`size` in x.toml, line 1 must be from 1 to 10"),
            ("names = [1]", "`names` in x.toml, line 1 must be a list of texts, not an integer"),
            ("names = \"x\"", "`names` in x.toml, line 1 must be a list of texts, not a text"),
            ("texts = 1", "`texts` in x.toml, line 1 must be a table of texts, not an integer"),
            ("texts = { e = true }", "`texts.e` in x.toml, line 1 must be a text, not true or false"),
            ("part = { url = \"u\", \"*inner\" = {} }", "unknown key `part.*inner` in x.toml, line 1"),
            ("part = 1", "`part` in x.toml, line 1 must be a table, not an integer"),
            ("parts = [1]", "`parts` in x.toml, line 1 must be a list of tables, not an integer"),
            ("parts = [\n{ url = 1 }]", "`parts.url` in x.toml, line 2 must be a text, not an integer"),
            ("parts = [\n{ }]", "`parts.url` in x.toml, line 2 is missing"),
            (
                "[part]\nurl = \"u\"\nparam-in = 1",
                "unknown key `part.param-in` in x.toml, line 3; did you mean `part.params-in`?",
            ),
            ("[part]\nurl = \"u\"\nurk = 1", "unknown key `part.urk` in x.toml, line 3; did you mean `part.url`?"),
            (
                "part.url = \"u\"\npart.params-in = \"jsom\"",
                "`part.params-in` in x.toml, line 2 can't be `jsom`; it is one of `the_form`, `json`; did you mean `json`?",
            ),
        ] {
            assert_eq!(fault(text), said, "{text}");
        }
    }
}

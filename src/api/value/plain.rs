//! JSON values for a build without jaq, with as much of jaq's interface as shaping needs.

use std::fmt;

use serde_json::value::RawValue;

use crate::api::records::Members;

/// A JSON value; names of members are values too, as jaq has them.
#[derive(Clone, Debug, PartialEq)]
pub enum Val {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number
    Num(Num),
    /// A text of bytes, which only jaq makes
    BStr(Vec<u8>),
    /// A text
    TStr(Vec<u8>),
    /// An array
    Arr(Vec<Val>),
    /// An object
    Obj(Map),
}

/// A number: as it was written, or computed.
#[derive(Clone, Debug, PartialEq)]
pub enum Num {
    /// Its digits as they came
    Dec(String),
    /// A computed number
    Float(f64),
}

/// The members of an object in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map(Vec<(Val, Val)>);

impl Map {
    /// The value of that name.
    pub fn get(&self, name: &Val) -> Option<&Val> {
        self.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// All names.
    pub fn keys(&self) -> impl Iterator<Item = &Val> {
        self.iter().map(|(key, _)| key)
    }
}

impl std::ops::Deref for Map {
    type Target = [(Val, Val)];

    fn deref(&self) -> &[(Val, Val)] {
        &self.0
    }
}

/// The last of several values of one name counts, and stands where the first one stood.
impl FromIterator<(Val, Val)> for Map {
    fn from_iter<I: IntoIterator<Item = (Val, Val)>>(members: I) -> Map {
        let mut map = Map::default();
        for (name, value) in members {
            match map.0.iter_mut().find(|(key, _)| *key == name) {
                Some((_, old)) => *old = value,
                None => map.0.push((name, value)),
            }
        }
        map
    }
}

impl Val {
    /// An object of these members.
    pub fn obj(members: Map) -> Val {
        Val::Obj(members)
    }
}

impl From<String> for Val {
    fn from(text: String) -> Val {
        Val::TStr(text.into_bytes())
    }
}

impl fmt::Display for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let between = |at: usize| if at > 0 { "," } else { "" };
        match self {
            Val::Null => f.write_str("null"),
            Val::Bool(value) => value.fmt(f),
            Val::Num(Num::Dec(digits)) => f.write_str(digits),
            Val::Num(Num::Float(number)) => number.fmt(f),
            Val::TStr(bytes) | Val::BStr(bytes) => serde_json::Value::from(String::from_utf8_lossy(bytes)).fmt(f),
            Val::Arr(list) => {
                f.write_str("[")?;
                list.iter().enumerate().try_for_each(|(at, item)| write!(f, "{}{item}", between(at)))?;
                f.write_str("]")
            }
            Val::Obj(members) => {
                f.write_str("{")?;
                let mut each = members.iter().enumerate();
                each.try_for_each(|(at, (name, item))| write!(f, "{}{name}:{item}", between(at)))?;
                f.write_str("}")
            }
        }
    }
}

/// Reads one value, of which the caller knows that it is not nested too deep.
pub fn read(json: &[u8]) -> Option<Val> {
    value(serde_json::from_slice(json).ok()?)
}

fn value(raw: &RawValue) -> Option<Val> {
    let json = raw.get();
    Some(match json.as_bytes().first()? {
        b'n' => Val::Null,
        b't' => Val::Bool(true),
        b'f' => Val::Bool(false),
        b'"' => Val::from(serde_json::from_str::<String>(json).ok()?),
        b'[' => {
            let list: Vec<&RawValue> = serde_json::from_str(json).ok()?;
            Val::Arr(list.into_iter().map(value).collect::<Option<_>>()?)
        }
        b'{' => {
            let Members(members) = serde_json::from_str(json).ok()?;
            let member = |(name, raw)| Some((Val::from(name), value(raw)?));
            Val::Obj(members.into_iter().map(member).collect::<Option<_>>()?)
        }
        _ => Val::Num(Num::Dec(json.to_owned())),
    })
}

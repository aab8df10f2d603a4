//! JSON without repeated names at any depth: two readers of one signed text must not read different
//! things (RFC 7515, section 4).

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::protocol::jose::JoseError;
use crate::text::safe;

/// A JSON object's members as written, with the repetitions that a map would hide.
#[derive(Debug)]
pub struct Written<T>(pub Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Written<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Written<T>, D::Error> {
        struct Object<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
            type Value = Written<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Written<T>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Written(members))
            }
        }
        deserializer.deserialize_map(Object(PhantomData))
    }
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Tree {
    Object(Written<Tree>),
    List(Vec<Tree>),
    Plain(Value),
}

impl Tree {
    fn into_value(self) -> Result<Value, JoseError> {
        match self {
            Tree::Object(written) => into_members(written).map(Value::Object),
            Tree::List(list) => list.into_iter().map(Tree::into_value).collect::<Result<_, _>>().map(Value::Array),
            Tree::Plain(value) => Ok(value),
        }
    }
}

fn into_members(written: Written<Tree>) -> Result<Map<String, Value>, JoseError> {
    let mut members = Map::new();
    for (name, value) in written.0 {
        if members.contains_key(&name) {
            return Err(JoseError::Duplicate(safe(&name)));
        }
        members.insert(name, value.into_value()?);
    }
    Ok(members)
}

/// An object without trailing text; `what` names the part in errors.
pub fn object(bytes: &[u8], what: &'static str) -> Result<Map<String, Value>, JoseError> {
    match serde_json::from_slice(bytes) {
        Ok(Tree::Object(written)) => into_members(written),
        Ok(_) => Err(JoseError::Json(what, "it is another kind of JSON".to_owned())),
        Err(e) => Err(JoseError::Json(what, safe(&e.to_string()))),
    }
}

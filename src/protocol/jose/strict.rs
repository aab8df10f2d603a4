//! JSON without repeated names at any depth: two readers of one signed text must not read different
//! things (RFC 7515, section 4).

use serde_json::{Map, Value};

use crate::protocol::jose::JoseError;
use crate::text::safe;
use crate::wire::Written;

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

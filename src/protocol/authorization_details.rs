//! Authorization details as JSON objects (RFC 9396): checked before they are sent, and read from
//! the token response.

use serde_json::Value;

/// Why a text is not an `authorization_details` value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DetailsError {
    #[error("is no JSON: line {0}, column {1}")]
    NotJson(usize, usize),
    #[error("must be a list of objects: `[{{\"type\": \"…\"}}]`")]
    NotAList,
    /// RFC 9396, section 2: `type` is required.
    #[error("has an object without a `type`")]
    NoType,
}

/// The text in its shortest form; a single object becomes a list of one.
pub fn check(text: &str) -> Result<String, DetailsError> {
    let value: Value = serde_json::from_str(text).map_err(|e| DetailsError::NotJson(e.line(), e.column()))?;
    let list = match value {
        Value::Array(list) if !list.is_empty() => list,
        Value::Object(_) => vec![value],
        _ => return Err(DetailsError::NotAList),
    };
    for one in &list {
        let object = one.as_object().ok_or(DetailsError::NotAList)?;
        if !object.get("type").is_some_and(Value::is_string) {
            return Err(DetailsError::NoType);
        }
    }
    Ok(Value::Array(list).to_string())
}

/// The types that the token response grants (`authorization_details`, section 7), in order.
pub fn granted(details: &Value) -> Vec<String> {
    let types = |list: &Vec<Value>| list.iter().filter_map(|d| d.get("type")?.as_str().map(str::to_owned)).collect();
    details.as_array().map(types).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 9396, section 2, figure 1
    #[test]
    fn the_rfcs_example_is_taken_and_what_is_no_list_of_typed_objects_is_not() {
        let example = r#"[ { "type": "payment_initiation", "locations": [ "https://example.com/payments" ],
            "instructedAmount": { "currency": "EUR", "amount": "123.50" } } ]"#;
        let checked = check(example).unwrap();
        assert!(!checked.contains('\n') && checked.starts_with("[{"));
        assert_eq!(granted(&serde_json::from_str(&checked).unwrap()), ["payment_initiation"]);
        assert_eq!(check(r#"{"type":"a"}"#).unwrap(), r#"[{"type":"a"}]"#);
        for (bad, why) in [
            ("[", DetailsError::NotJson(1, 1)),
            ("[]", DetailsError::NotAList),
            ("7", DetailsError::NotAList),
            ("[7]", DetailsError::NotAList),
            (r#"[{"type":7}]"#, DetailsError::NoType),
        ] {
            assert_eq!(check(bad), Err(why), "{bad}");
        }
    }
}

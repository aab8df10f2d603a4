//! Nested keys of the JSON body, by HTTPie's rules: `a[b][c]=1` sets a member of an object, `a[]=1`
//! appends to an array, `a[2]=1` sets an element, `[]=1` makes the body an array. A `\` makes a
//! following `[`, `]` or digit literal. Errors show the key up to the mistake.

use serde_json::{Map, Value};

use super::items::unescaped;
use crate::error::Error;
use crate::text::safe;

/// The largest index. A larger one is likely a typo, and `null` would fill all elements before it.
const LARGEST_INDEX: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
    Append,
}

impl Step {
    fn shown(&self) -> String {
        match self {
            Step::Key(key) => format!("[{key}]"),
            Step::Index(index) => format!("[{index}]"),
            Step::Append => "[]".to_owned(),
        }
    }
}

/// Makes the body of all members; `null` if there are none.
pub fn body(members: &[(String, Value)]) -> Result<Value, Error> {
    let mut body = Value::Null;
    for (key, value) in members {
        let steps = read(key)?;
        insert(&mut body, &steps, value.clone(), key)?;
    }
    Ok(body)
}

fn read(key: &str) -> Result<Vec<Step>, Error> {
    let wrong = |upto: usize, what: &str| {
        let read = if upto == 0 { "at its beginning".to_owned() } else { format!("after `{}`", safe(&key[..upto])) };
        Error::usage(format!("the key `{}` can't be read", safe(key)))
            .because(format!("{read}: {what}"))
            .hint("`a[b]=…` nests, `a[]=…` appends, `a[0]=…` sets a place; `\\[` is a bracket of the name itself")
    };
    let (root, mut at) = word(key, 0);
    let mut steps = Vec::new();
    if at > 0 {
        steps.push(Step::Key(root));
    }
    while at < key.len() {
        if key.as_bytes()[at] != b'[' {
            return Err(wrong(at, if key.as_bytes()[at] == b']' { "a `]` without its `[`" } else { "expected `[`" }));
        }
        let inside = at + 1;
        let (name, end) = word(key, inside);
        if key.as_bytes().get(end) != Some(&b']') {
            return Err(wrong(end, "expected `]`"));
        }
        let raw = &key[inside..end];
        steps.push(if raw.is_empty() {
            Step::Append
        } else if raw.bytes().all(|b| b.is_ascii_digit()) {
            match raw.parse() {
                Ok(index) if index <= LARGEST_INDEX => Step::Index(index),
                _ => return Err(wrong(inside, &format!("an index may be at most {LARGEST_INDEX}"))),
            }
        } else if raw.starts_with('-') && raw[1..].bytes().all(|b| b.is_ascii_digit()) && raw.len() > 1 {
            return Err(wrong(inside, "an index can't be negative"));
        } else {
            Step::Key(name)
        });
        at = end + 1;
    }
    if steps.is_empty() {
        return Err(wrong(0, "expected a name"));
    }
    Ok(steps)
}

/// Reads a name up to the next unescaped bracket. Returns it without escapes, and its end.
fn word(key: &str, from: usize) -> (String, usize) {
    let mut name = String::new();
    let mut rest = key[from..].char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            '\\' => match rest.peek() {
                Some(&(_, next @ ('[' | ']'))) => {
                    name.push(next);
                    rest.next();
                }
                // kept for `unescaped`, which handles the other escapes
                Some(&(_, next)) if !next.is_ascii_digit() => {
                    name.push(c);
                    name.push(next);
                    rest.next();
                }
                _ => {}
            },
            '[' | ']' => return (unescaped(&name), from + at),
            _ => name.push(c),
        }
    }
    (unescaped(&name), key.len())
}

fn insert(body: &mut Value, steps: &[Step], value: Value, key: &str) -> Result<(), Error> {
    let mut place = body;
    for (at, step) in steps.iter().enumerate() {
        if place.is_null() {
            *place = match step {
                Step::Key(_) => Value::Object(Map::new()),
                _ => Value::Array(Vec::new()),
            };
        }
        let there = match place {
            Value::Object(_) => "an object",
            Value::Array(_) => "an array",
            Value::String(_) => "a text",
            Value::Number(_) => "a number",
            Value::Bool(_) => "a boolean",
            Value::Null => "null",
        };
        place = match (place, step) {
            (Value::Object(members), Step::Key(name)) => members.entry(name.clone()).or_insert(Value::Null),
            (Value::Array(list), Step::Append) => {
                list.push(Value::Null);
                list.last_mut().expect("it was just pushed")
            }
            (Value::Array(list), Step::Index(index)) => {
                if list.len() <= *index {
                    list.resize(index + 1, Value::Null);
                }
                &mut list[*index]
            }
            _ => {
                let before: String = steps[..at].iter().map(Step::shown).collect();
                let before = if before.is_empty() { "the body".to_owned() } else { format!("`{}`", safe(&before)) };
                let wanted = if matches!(step, Step::Key(_)) { "an object" } else { "an array" };
                return Err(Error::usage(format!("the key `{}` doesn't fit the ones before it", safe(key)))
                    .because(format!("`{}` needs {wanted}, and {before} is {there} already", safe(&step.shown()))));
            }
        };
    }
    *place = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn made(members: &[(&str, Value)]) -> Result<Value, Error> {
        body(&members.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect::<Vec<_>>())
    }

    #[test]
    fn keys_nest_as_in_httpie() {
        for (members, want) in [
            (vec![("a", json!(1)), ("b", json!("x"))], json!({"a": 1, "b": "x"})),
            (vec![("a[b][c]", json!(1)), ("a[b][d]", json!(2))], json!({"a": {"b": {"c": 1, "d": 2}}})),
            (vec![("a[b][]", json!(1)), ("a[b][]", json!(2))], json!({"a": {"b": [1, 2]}})),
            (vec![("a[2]", json!(1)), ("a[0]", json!(0))], json!({"a": [0, null, 1]})),
            (vec![("[]", json!(1)), ("[]", json!({}))], json!([1, {}])),
            (vec![("[0][x]", json!(1)), ("[0][y]", json!(2))], json!([{"x": 1, "y": 2}])),
            (vec![("a", json!({"b": 1})), ("a[c]", json!(2))], json!({"a": {"b": 1, "c": 2}})),
            (vec![("a\\[b\\]", json!(1)), ("x\\:y", json!(2))], json!({"a[b]": 1, "x:y": 2})),
            (vec![("a[\\1]", json!(1))], json!({"a": {"1": 1}})),
            (vec![("email_address[address]", json!("a@b"))], json!({"email_address": {"address": "a@b"}})),
            (vec![("a", json!(1)), ("a", json!(2))], json!({"a": 2})),
            (vec![], json!(null)),
        ] {
            assert_eq!(made(&members).unwrap(), want, "{members:?}");
        }
    }

    #[test]
    fn a_mistake_is_shown_where_it_is() {
        for (key, cause) in [
            ("a[b", "after `a[b`: expected `]`"),
            ("a[b]c", "after `a[b]`: expected `[`"),
            ("a]", "after `a`: a `]` without its `[`"),
            ("a[[b]]", "after `a[`: expected `]`"),
            ("a[99999999]", "after `a[`: an index may be at most 10000"),
            ("a[-1]", "after `a[`: an index can't be negative"),
        ] {
            assert_eq!(made(&[(key, json!(1))]).unwrap_err().causes(), [cause], "{key}");
        }
        let clash = made(&[("a[b]", json!(1)), ("a[]", json!(2))]).unwrap_err();
        assert_eq!(clash.causes(), ["`[]` needs an array, and `[a]` is an object already"]);
        let clash = made(&[("a", json!("x")), ("a[b]", json!(2))]).unwrap_err();
        assert_eq!(clash.causes(), ["`[b]` needs an object, and `[a]` is a text already"]);
        let clash = made(&[("a", json!("x")), ("[]", json!(2))]).unwrap_err();
        assert_eq!(clash.causes(), ["`[]` needs an array, and the body is an object already"]);
    }
}

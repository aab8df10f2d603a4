//! Changes to the text of another program's file, which can be taken back byte for byte.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::api::value::{View, view};
use crate::text::quoted;

/// The one place where two texts differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    at: usize,
    old: String,
    new: String,
}

impl Change {
    /// `None`: they are the same.
    pub fn between(before: &str, after: &str) -> Option<Change> {
        let same = |one: &str, other: &str| one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
        let mut at = same(before, after);
        while !before.is_char_boundary(at) || !after.is_char_boundary(at) {
            at -= 1;
        }
        let (old, new) = (&before[at..], &after[at..]);
        let mut end = old.bytes().rev().zip(new.bytes().rev()).take_while(|(a, b)| a == b).count();
        while !old.is_char_boundary(old.len() - end) || !new.is_char_boundary(new.len() - end) {
            end -= 1;
        }
        let (old, new) = (&old[..old.len() - end], &new[..new.len() - end]);
        (old != new).then(|| Change { at, old: old.to_owned(), new: new.to_owned() })
    }

    /// Whether it names this program.
    pub fn is_of_ours(&self) -> bool {
        self.new.contains("oauthctl")
    }

    /// The text without it, where it stood or at the only place where its text stands. `None`:
    /// somebody has changed it, or has put a key under a header that was written.
    pub fn undone(&self, text: &str) -> Option<String> {
        let stands_there = text.get(self.at..).is_some_and(|rest| rest.starts_with(&self.new));
        let mut places = text.match_indices(&self.new).map(|(at, _)| at);
        let at = match (stands_there, places.next(), places.next()) {
            (true, ..) => self.at,
            (false, Some(only), None) => only,
            _ => return None,
        };
        let rest = &text[at + self.new.len()..];
        let is_header = |line: &str| line.starts_with('[');
        let next = rest.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with(['#', ';']));
        if self.new.lines().any(is_header) && next.is_some_and(|line| !is_header(line)) {
            return None;
        }
        Some([&text[..at], &self.old, rest].concat())
    }
}

/// Lines that are only in one of two texts, as `diff` marks them.
pub fn shown(before: &str, after: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let begin = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let end = old[begin..].iter().rev().zip(new[begin..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[begin..old.len() - end], &new[begin..new.len() - end]);
    // most changes only add lines, or only remove some
    let missing = |from: &[&str], to: &[&str]| {
        let mut rest = to.iter().peekable();
        let more: Vec<String> =
            from.iter().filter(|line| rest.next_if_eq(line).is_none()).map(|line| (*line).to_owned()).collect();
        rest.peek().is_none().then_some(more)
    };
    let marked = |mark: &str, lines: Vec<String>| lines.into_iter().map(|line| format!("{mark} {line}")).collect();
    let all = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
    match (missing(new, old), missing(old, new)) {
        (Some(added), _) => marked("+", added),
        (_, Some(removed)) => marked("-", removed),
        _ => [marked("-", all(old)), marked("+", all(new))].concat(),
    }
}

/// The text with lines at its end.
pub fn appended(text: &str, lines: &str) -> String {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    [text, end, lines].concat()
}

/// The JSON text with members (a name and its value) in an object that is a member of the outermost
/// one.
pub fn in_json(text: &str, name: &str, members: &[(&str, &str)]) -> Result<String, String> {
    let mut out = text.to_owned();
    if inner(text, name)?.1.is_none() {
        let (whole, _) = inner(text, name)?;
        out = with_member(text, whole, (&format!("{}: {{}}", quoted(name)), &indent(whole.get()), ""));
    }
    for (key, value) in members {
        let (whole, Some(object)) = inner(&out, name)? else { continue };
        let View::Members(there) = view(object) else { return Err(format!("its `{name}` is no object")) };
        if there.iter().any(|(own, _)| own == key) {
            return Err(format!("its `{name}` has `{key}` already"));
        }
        let unit = indent(whole.get());
        let member = format!("{}: {}", quoted(key), quoted(value));
        out = with_member(&out, object, (&member, &format!("{unit}{unit}"), &unit));
    }
    Ok(out)
}

/// The outermost object, and its member of this name.
pub fn inner<'a>(text: &'a str, name: &str) -> Result<(&'a RawValue, Option<&'a RawValue>), String> {
    let whole: &RawValue = serde_json::from_str(text).map_err(|e| format!("it is not JSON: {e}"))?;
    let View::Members(members) = view(whole) else { return Err("it is no JSON object".to_owned()) };
    Ok((whole, members.into_iter().find(|(own, _)| own == name).map(|(_, inner)| inner)))
}

/// What stands before the first member, if each has its line.
fn indent(object: &str) -> String {
    let blank: String = object.chars().skip(1).take_while(|c| c.is_whitespace()).collect();
    blank.rsplit_once('\n').map_or("\t", |(_, indent)| indent).to_owned()
}

/// Where a part of the text begins in it.
pub fn place(text: &str, part: &str) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

/// One more member at the end of an object, which is a part of the text.
fn with_member(text: &str, object: &RawValue, (member, indent, outer): (&str, &str, &str)) -> String {
    let begin = place(text, object.get());
    match view(object) {
        View::Members(all) if !all.is_empty() => {
            let last = all[all.len() - 1].1.get();
            let (before, after) = text.split_at(place(text, last) + last.len());
            format!("{before},\n{indent}{member}{after}")
        }
        _ => {
            let after = &text[begin + object.get().len()..];
            format!("{}{{\n{indent}{member}\n{outer}}}{after}", &text[..begin])
        }
    }
}

/// The YAML text with an item (`- …`, in lines) at the beginning of a list that is a member of the
/// outermost object.
pub fn in_yaml(text: &str, name: &str, item: &str) -> Result<String, String> {
    if text.trim_start().starts_with(['{', '[']) {
        return Err("it is JSON, or YAML in one line".to_owned());
    }
    let key = format!("{name}:");
    let mut at = 0;
    let found = text.split_inclusive('\n').find(|line| {
        at += line.len();
        line.starts_with(&key)
    });
    let Some(line) = found else { return Ok(appended(text, &format!("{key}\n{item}"))) };
    let value = line[key.len()..].trim();
    let value = value.split_once('#').map_or(value, |(value, _)| value.trim_end());
    let rest = &text[at..];
    match value {
        "" => {
            let is_text = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
            let first = rest.lines().find(is_text).filter(|line| line.trim_start().starts_with("- ")).unwrap_or("");
            let indent = &first[..first.len() - first.trim_start().len()];
            let item: String = item.lines().map(|line| format!("{indent}{line}\n")).collect();
            Ok([&appended(&text[..at], ""), &*item, rest].concat())
        }
        "[]" | "null" | "~" => Ok([&text[..at - line.len()], &key, "\n", item, rest].concat()),
        _ => Err(format!("its `{name}` is in one line")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text after the change, after checking that it can be taken back.
    fn changed(before: &str, after: Result<String, String>) -> String {
        let after = after.expect("changed");
        let change = Change::between(before, &after).expect("a change");
        assert_eq!(change.undone(&after).as_deref(), Some(before));
        let elsewhere = format!("# later\n{after}");
        assert_eq!(change.undone(&elsewhere), Some(format!("# later\n{before}")));
        after
    }

    #[test]
    fn a_change_is_taken_back_byte_for_byte() {
        for (before, after) in [
            ("", "a\n"),
            ("é", "è"),
            ("aaa", "aaaa"),
            ("x\r\ny", "x\r\nz\r\ny"),
            ("[]", "[1]"),
            ("a\nb\n", "a\n"),
            ("bèb", "béb"),
        ] {
            let change = Change::between(before, after).unwrap();
            assert_eq!(change.undone(after).as_deref(), Some(before), "{before:?} {after:?}");
        }
        assert_eq!(Change::between("a", "a"), None);
        let change = Change::between("a\n", "a\nmine\n").unwrap();
        assert_eq!(change.undone("a\nours\n"), None);
        assert_eq!(change.undone("b b\nmine\nmine\n"), None, "two places");
        let change = Change::between("[a]\n", "[a]\n[b]\nk = 1\n").unwrap();
        assert_eq!(change.undone("[a]\n[b]\nk = 1\n# x\n[c]\n").as_deref(), Some("[a]\n# x\n[c]\n"));
        assert_eq!(change.undone("[a]\n[b]\nk = 1\nz = 2\n"), None, "another's key follows");
    }

    #[test]
    fn the_lines_that_differ_are_shown() {
        assert_eq!(shown("a\nd\n", "a\nb\nc\nd\n"), ["+ b", "+ c"]);
        assert_eq!(shown("a\nb\nc\n", "b\nx\nc\ny\n"), ["- a", "- b", "- c", "+ b", "+ x", "+ c", "+ y"]);
        assert_eq!(shown("1\nb\nc\n", "b\nc\n"), ["- 1"]);
        assert_eq!(shown("b\nd\n", "x\nb\ny\nd\n"), ["+ x", "+ y"]);
    }

    #[test]
    fn json_gets_members_where_they_belong() {
        let put = |text: &str| in_json(text, "c", &[("h", "1"), ("i", "2")]);
        for (before, after) in [
            ("{}", "{\n\t\"c\": {\n\t\t\"h\": \"1\",\n\t\t\"i\": \"2\"\n\t}\n}"),
            ("{\n  \"a\": {}\n}\n", "{\n  \"a\": {},\n  \"c\": {\n    \"h\": \"1\",\n    \"i\": \"2\"\n  }\n}\n"),
            (
                "{\n\t\"c\": {},\n\t\"d\": 0\n}",
                "{\n\t\"c\": {\n\t\t\"h\": \"1\",\n\t\t\"i\": \"2\"\n\t},\n\t\"d\": 0\n}",
            ),
            ("{ \"c\" : { \"x\":\"}\" } }", "{ \"c\" : { \"x\":\"}\",\n\t\t\"h\": \"1\",\n\t\t\"i\": \"2\" } }"),
        ] {
            assert_eq!(put(before).as_deref(), Ok(after));
            assert_eq!(Change::between(before, after).unwrap().undone(after).as_deref(), Some(before));
        }
        assert!(put("{\"c\": {\"i\": 3}}").unwrap_err().contains("already"));
        assert!(put("[]").is_err() && put("{\"c\": 1}").is_err() && put("").is_err());
    }

    #[test]
    fn yaml_gets_an_item_where_it_belongs() {
        let put = |text: &str| changed(text, in_yaml(text, "users", "- name: x\n  user: 1\n"));
        assert_eq!(put("a: 1\nusers:\n- name: b\nz: 2\n"), "a: 1\nusers:\n- name: x\n  user: 1\n- name: b\nz: 2\n");
        assert_eq!(
            put("users:\n# one\n    - name: b\n"),
            "users:\n    - name: x\n      user: 1\n# one\n    - name: b\n"
        );
        assert_eq!(put("a: 1\nusers: []\nz: 2"), "a: 1\nusers:\n- name: x\n  user: 1\nz: 2");
        assert_eq!(put("a: 1"), "a: 1\nusers:\n- name: x\n  user: 1\n");
        assert_eq!(put("a: 1\nusers:"), "a: 1\nusers:\n- name: x\n  user: 1\n");
        assert!(in_yaml("users: [{name: a}]\n", "users", "").is_err());
        assert!(in_yaml("{\"users\": []}", "users", "").is_err());
    }
}

//! The text of another program's file without an entry that was written there. The entry is found
//! by what it means: the tool, or a person, has laid out the file anew since. What others wrote
//! stays.

use serde_json::value::RawValue;

use super::change::{inner, place};
use crate::api::value::{View, text as said, view};

/// Without a member of an object that is itself a member of the outermost one. An object that
/// becomes empty says nothing, and goes too.
pub fn from_json(text: &str, name: &str, (key, value): (&str, &str)) -> Result<String, String> {
    let (whole, Some(object)) = inner(text, name)? else { return Ok(text.to_owned()) };
    let (View::Members(outer), View::Members(members)) = (view(whole), view(object)) else {
        return Ok(text.to_owned());
    };
    let ours = |(own, is): &(String, &RawValue)| own == key && said(is) == value;
    Ok(match members.iter().position(ours) {
        None => text.to_owned(),
        Some(_) if members.len() == 1 => {
            let at = outer.iter().position(|(own, _)| own == name).unwrap_or_default();
            without_member(text, whole, (&outer, at))
        }
        Some(at) => without_member(text, object, (&members, at)),
    })
}

fn without_member(text: &str, object: &RawValue, (members, at): (&[(String, &RawValue)], usize)) -> String {
    let end = |number: usize| place(text, members[number].1.get()) + members[number].1.get().len();
    let begin = place(text, object.get());
    let (from, to) = match at {
        0 if members.len() == 1 => (begin + 1, begin + object.get().len() - 1),
        0 => (begin + 1, end(0) + text[end(0)..].find(',').map_or(0, |comma| comma + 1)),
        _ => (end(at - 1), end(at)),
    };
    [&text[..from], &text[to..]].concat()
}

/// Without the keys of a section: one after the other, with others' between them, or not. The
/// header goes with the last key.
pub fn from_section(text: &str, header: &str, keys: &[(&str, &str)]) -> Result<String, String> {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut at = lines.len();
    let mut end = at;
    while at > 0 {
        at -= 1;
        if !lines[at].trim_start().starts_with('[') {
            continue;
        }
        if same_header(lines[at], header)? {
            let removed = without_keys(&lines[at + 1..end], keys);
            let is_left =
                removed.iter().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with(['#', ';']));
            if removed.len() < end - at - 1 {
                lines.splice(at + usize::from(is_left)..end, removed);
            }
        }
        end = at;
    }
    Ok(lines.concat())
}

fn same_header(line: &str, header: &str) -> Result<bool, String> {
    let bare = |text: &str| text.replace(char::is_whitespace, "").to_ascii_lowercase();
    let (line, header) = (bare(line), bare(header));
    match line.strip_prefix(&header) {
        Some(rest) if rest.is_empty() || rest.starts_with(['#', ';']) => Ok(true),
        Some(_) => Err("a key stands beside the header of its section".to_owned()),
        None => Ok(false),
    }
}

/// From the last key to the first: what stands before it under the same name is ours too, or all
/// before are others'.
fn without_keys<'a>(section: &[&'a str], keys: &[(&str, &str)]) -> Vec<&'a str> {
    let mut rest = section.to_vec();
    let mut before = rest.len();
    for (number, (key, value)) in keys.iter().rev().enumerate() {
        let named = |line: &&str| key_and_value(line).is_some_and(|(own, _)| own.eq_ignore_ascii_case(key));
        let ours = |line: &&str| named(line) && key_and_value(line).is_some_and(|(_, said)| is_value(said, value));
        let found = match number {
            0 => rest.iter().rposition(ours),
            _ => rest[..before].iter().rposition(named).filter(|at| ours(&rest[*at])),
        };
        let Some(at) = found else { break };
        rest.remove(at);
        before = at;
    }
    rest
}

fn key_and_value(line: &str) -> Option<(&str, &str)> {
    line.split_once('=').map(|(key, value)| (key.trim(), value.trim()))
}

/// Whether a value is this one, with a remark after it or not.
fn is_value(said: &str, value: &str) -> bool {
    said.strip_prefix(value).is_some_and(|rest| rest.is_empty() || rest.trim_start().starts_with(['#', ';']))
}

/// Without the lines that say it.
pub fn from_lines(text: &str, ours: impl Fn(&str) -> bool) -> String {
    text.split_inclusive('\n').filter(|line| !ours(line.trim())).collect()
}

/// Whether a line of `KEY = VALUE` says this.
pub fn says(line: &str, key: &str, value: &str) -> bool {
    key_and_value(line).is_some_and(|(own, said)| own == key && is_value(said.trim_matches('"'), value))
}

/// Without the item that has this `name`, of a list that is a member of the outermost object.
pub fn from_yaml(text: &str, list: &str, name: &str) -> Result<String, String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let key = format!("{list}:");
    let Some(head) = lines.iter().position(|line| line.starts_with(&key)) else { return whole_or_nothing(text, name) };
    let value = lines[head][key.len()..].split('#').next().unwrap_or_default().trim();
    if !value.is_empty() {
        return whole_or_nothing(text, name);
    }
    let is_of_list = |line: &&&str| line.starts_with([' ', '-', '#']) || line.trim().is_empty();
    let end = head + 1 + lines[head + 1..].iter().take_while(is_of_list).count();
    let dash = |line: &str| line.trim_start().starts_with("- ").then(|| line.len() - line.trim_start().len());
    let Some(indent) = lines[head + 1..end].iter().find_map(|line| dash(line)) else { return Ok(text.to_owned()) };
    let starts: Vec<usize> = (head + 1..end).filter(|at| dash(lines[*at]) == Some(indent)).chain([end]).collect();
    let is_name = |line: &&str| {
        let line = line.trim_end();
        let member = line.get(indent + 2..).and_then(|member| member.strip_prefix("name:"));
        line[..line.len().min(indent + 2)].trim_matches([' ', '-']).is_empty()
            && member.is_some_and(|said| said.trim().trim_matches(['"', '\'']) == name)
    };
    let items = starts.windows(2).map(|item| item[0]..item[1]);
    let mut rest = lines.clone();
    let ours: Vec<_> = items.filter(|item| lines[item.clone()].iter().any(is_name)).collect();
    for item in ours.iter().rev() {
        rest.drain(item.clone());
    }
    let empty = format!("{key} []\n");
    if !ours.is_empty() && ours.len() + 1 == starts.len() {
        rest[head] = &empty;
    }
    Ok(rest.concat())
}

/// Where items don't have their own lines, none is taken out.
fn whole_or_nothing(text: &str, name: &str) -> Result<String, String> {
    match text.contains(name) {
        true => Err("its items don't stand in lines of their own".to_owned()),
        false => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_of_json_goes_however_it_is_laid_out() {
        let take = |text: &str| from_json(text, "c", ("h", "1")).unwrap();
        for (text, rest) in [
            ("{\"a\":0,\"c\":{\"h\":\"1\"}}", "{\"a\":0}"),
            ("{\"c\":{\"h\":\"1\"},\"a\":0}", "{\"a\":0}"),
            ("{\"c\":{\"h\":\"1\"}}", "{}"),
            ("{\"c\":{\"h\":\"1\" , \"i\":\",\"}}", "{\"c\":{ \"i\":\",\"}}"),
            ("{\n\t\"c\": {\n\t\t\"g\": \"1\",\n\t\t\"h\": \"1\"\n\t}\n}", "{\n\t\"c\": {\n\t\t\"g\": \"1\"\n\t}\n}"),
        ] {
            assert_eq!(take(text), rest);
        }
        for others in ["{\"c\":{\"h\":\"2\"}}", "{\"h\":\"1\"}", "{\"c\":\"1\"}", "{}"] {
            assert_eq!(take(others), others);
        }
        assert!(from_json("{", "c", ("h", "1")).is_err());
    }

    #[test]
    fn keys_of_a_section_go_and_the_header_stays_for_others() {
        let take = |text: &str| from_section(text, "[a \"x\"]", &[("k", ""), ("k", "\"v\"")]);
        for (text, rest) in [
            ("[b]\n[a \"x\"]\n\tk =\n\tk = \"v\"\n[c]\n", "[b]\n[c]\n"),
            ("[a \"x\"]\n\tk =\n\tk = \"v\"\n\tz = 1\n", "[a \"x\"]\n\tz = 1\n"),
            ("[A  \"x\"]\n\tK=\n\tz = 1\n\tk=\"v\" # why\n", "[A  \"x\"]\n\tz = 1\n"),
            ("[a \"x\"]\n\tk =\n\tk = w\n\tk = \"v\"\n", "[a \"x\"]\n\tk =\n\tk = w\n"),
            ("[a \"x\"]\n\tk =\n\tk = \"v\"\n# later\n", "# later\n"),
            ("[a \"x\"]\n\tk =\n\tk = \"vw\"\n", "[a \"x\"]\n\tk =\n\tk = \"vw\"\n"),
            ("[b]\n\tk = \"v\"\n", "[b]\n\tk = \"v\"\n"),
        ] {
            assert_eq!(take(text).as_deref(), Ok(rest));
        }
        assert!(take("[a \"x\"] k = \"v\"\n").is_err());
    }

    #[test]
    fn an_item_of_yaml_goes_by_its_name() {
        let take = |text: &str| from_yaml(text, "users", "x");
        for (text, rest) in [
            ("users:\n- name: x\n  user:\n    - name: y\n- name: b\nz: 1\n", "users:\n- name: b\nz: 1\n"),
            ("users:\n  - user: {}\n    name: \"x\"\n  - name: b\n", "users:\n  - name: b\n"),
            ("a: 1\nusers:\n- name: x\n  user: 1\nz: 1\n", "a: 1\nusers: []\nz: 1\n"),
            ("users:\n- name: xy\n  user:\n    name: x\n", "users:\n- name: xy\n  user:\n    name: x\n"),
            ("users: []\n", "users: []\n"),
        ] {
            assert_eq!(take(text).as_deref(), Ok(rest));
        }
        assert!(take("users: [{name: x}]\n").is_err() && take("{\"users\": [{\"name\": \"x\"}]}").is_err());
    }
}

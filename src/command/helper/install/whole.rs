//! Whether another program's file is whole: after a value that doesn't end, lines at the file's end
//! would be a part of that value.

/// git's configuration.
pub fn of_git(text: &str) -> Result<(), String> {
    let mut rest = text;
    while let Some(line) = rest.trim_start().lines().next() {
        rest = rest.trim_start();
        let number = text[..text.len() - rest.len()].matches('\n').count() + 1;
        let no = |why: &str| format!("line {number}: {why}");
        if rest.starts_with('[') {
            let header = header(line).ok_or_else(|| no("the header of a section doesn't end"))?;
            rest = &rest[header..];
        } else if rest.starts_with(['#', ';']) {
            rest = &rest[line.len()..];
        } else if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let value = line.find(['=', '#', ';']).filter(|at| line[*at..].starts_with('='));
            let length = value.map_or(Ok(line.len()), |at| value_end(&rest[at..]).map(|end| at + end));
            rest = &rest[length.map_err(no)?..];
        } else {
            return Err(no("it is no line of git's"));
        }
    }
    Ok(())
}

/// Where the header ends that the line begins with.
fn header(line: &str) -> Option<usize> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, c) in line.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ']' if !is_quoted => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Where the value ends that the text begins with: a `\` takes the next line in.
fn value_end(text: &str) -> Result<usize, &'static str> {
    let (mut is_quoted, mut is_remark) = (false, false);
    let mut all = text.char_indices();
    while let Some((at, c)) = all.next() {
        match c {
            '\n' if is_quoted => return Err("a quote doesn't end"),
            '\n' => return Ok(at),
            _ if is_remark => {}
            '\\' => match all.next() {
                Some((at, '\n')) if text[at + 1..].trim().is_empty() => {
                    return Err("a `\\` at its end takes the next line in");
                }
                None => return Err("a `\\` at its end takes the next line in"),
                Some(_) => {}
            },
            '"' => is_quoted = !is_quoted,
            '#' | ';' if !is_quoted => is_remark = true,
            _ => {}
        }
    }
    if is_quoted { Err("a quote doesn't end") } else { Ok(text.len()) }
}

/// YAML in lines: one document, whose lists and objects in brackets end in their line.
pub fn of_yaml(text: &str) -> Result<(), String> {
    let is_bracket = |text: &str| text.starts_with(['[', '{']);
    let mut has_content = false;
    for (number, line) in (1..).zip(text.lines()) {
        let bare = line.split(" #").next().unwrap_or_default().trim();
        if (line.starts_with("---") && has_content) || line.starts_with("...") {
            return Err(format!("line {number}: it has several documents"));
        }
        has_content |= !(bare.is_empty() || bare.starts_with('#') || bare == "---");
        let member = bare.trim_start_matches("- ");
        let value = member.split_once(": ").filter(|_| !is_bracket(member)).map_or(member, |(_, value)| value.trim());
        let (open, close) = (value.matches(['[', '{']).count(), value.matches([']', '}']).count());
        if is_bracket(value) && open != close {
            return Err(format!("line {number}: a bracket doesn't end in its line"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gits_file_is_whole_or_the_line_is_told() {
        for text in [
            "",
            "# a \\\n[a]\n\tb\n\tc = d # \"\n[e \"f]\\\"\"] g = \"h;i\"\n",
            "[a]\nb = \"c \\\n d\"\ne = f",
            "[a]\nb=\\\"\n; c = \"\n",
            "[a]\nb # c = \\\n",
            "[a]\n\tb = c\n",
        ] {
            assert_eq!(of_git(text), Ok(()), "{text}");
        }
        for (text, why) in [
            ("[a]\nb = c \\\n", "line 2: a `\\`"),
            ("[a]\nb = c \\", "line 2: a `\\`"),
            ("[a]\nb = \"c\n", "line 2: a quote"),
            ("[a]\nb = c\n[user\n", "line 3: the header"),
            ("[a \"]\n", "line 1: the header"),
            ("[a]\n<<<<\n", "line 2: it is no line"),
        ] {
            assert!(of_git(text).is_err_and(|said| said.starts_with(why)), "{text}");
        }
    }

    #[test]
    fn yaml_is_one_document_whose_brackets_end() {
        for text in ["---\na: 1\n", "# x\n---\na: [b]\n- {c: d, e: [f]} # g\n", "a: b[\n"] {
            assert_eq!(of_yaml(text), Ok(()), "{text}");
        }
        for text in ["kind: [\n", "a: 1\n---\nb: 2\n", "- {a: 1,\n  b: 2}\n", "a: 1\n...\n"] {
            assert!(of_yaml(text).is_err(), "{text}");
        }
    }
}

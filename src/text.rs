//! Text from outside, made safe to show: on a terminal it can't move the cursor or set the title, in a CI log it can't form
//! a command, and it can't grow without end.

/// Longest text from a server that a message quotes, in characters.
pub const LONGEST_QUOTE: usize = 200;

/// One line, at most [`LONGEST_QUOTE`] characters, without control, bidirectional or invisible characters, and without the
/// marks that CI systems read commands from (`::`, `##[`, `##vso[`).
pub fn safe(text: &str) -> String {
    let mut out = String::new();
    let mut shown = 0;
    let mut cut = false;
    for c in text.chars() {
        if shown == LONGEST_QUOTE {
            cut = true;
            break;
        }
        let c = if is_unsafe(c) { ' ' } else { c };
        if c == ' ' && out.ends_with(' ') {
            continue;
        }
        out.push(c);
        shown += 1;
    }
    let mut out = out.trim().to_owned();
    while out.contains("::") {
        out = out.replace("::", ": :");
    }
    out = out.replace("##", "# #");
    if cut {
        out.push('…');
    }
    out
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// The known name nearest to a mistyped one, if any is near enough to be meant.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(&typed.to_lowercase(), &k.to_lowercase()), k))
        .filter(|(distance, k)| *distance <= 2.max(k.len() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
}

#[cfg(test)]
mod tests {
    use super::*;

    // T-50, L-13
    #[test]
    fn text_from_a_server_cannot_act_on_the_terminal_or_the_log() {
        assert_eq!(safe("a\x1b[2Jb\r\nc\x07d"), "a [2Jb c d");
        assert_eq!(safe("::stop-commands::x"), ": :stop-commands: :x");
        assert_eq!(safe("##[error]x ##vso[task]"), "# #[error]x # #vso[task]");
        assert_eq!(safe("user\u{202e}gnp"), "user gnp");
        assert_eq!(safe(":::::"), ": : : : :");
        assert_eq!(safe(&"x".repeat(9000)).chars().count(), LONGEST_QUOTE + 1);
    }

    #[test]
    fn finds_the_name_that_was_meant() {
        assert_eq!(nearest("getrespnse", ["getresponse", "sandbox"]), Some("getresponse"));
        assert_eq!(nearest("zzz", ["getresponse", "sandbox"]), None);
    }
}

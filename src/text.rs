//! Makes text from outside safe to show. On a terminal it can't move the cursor or set the title,
//! in a CI log it can't form a command, and its length is bounded.

pub mod pattern;
pub mod times;
mod typed;

use crate::secret::redact;

pub use typed::{Typed, for_a_shell, is_secret_var, pasted};

/// Longest text from a server that a message quotes, in characters.
pub const LONGEST_QUOTE: usize = 200;

/// Whether it is a text as most names are: a list of a hundred thousand shows each.
pub fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Returns `text` as one line of at most [`LONGEST_QUOTE`] characters, without control,
/// bidirectional or invisible characters, and without the marks that start a CI command (`::`,
/// `##[`, `##vso[`). An IPv6 address stays as it is: no CI command begins with one. Known secrets
/// are redacted first: a secret that is cut in two would not be recognised later.
pub fn safe(text: &str) -> String {
    shown(text, LONGEST_QUOTE)
}

/// The same without a limit on its length, for what a person or script must see whole.
pub fn safe_whole(text: &str) -> String {
    shown(text, usize::MAX)
}

/// The same for a text of several lines: each stays one, with its indent.
pub fn safe_lines(text: &str) -> String {
    let text = redact(text);
    let line = |line: &str| {
        let words = line.trim_start_matches([' ', '\t']);
        format!("{}{}", &line[..line.len() - words.len()], safe_whole(words))
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn shown(text: &str, longest: usize) -> String {
    let text = redact(text);
    if is_plain(&text) && text.len() <= LONGEST_QUOTE {
        return text;
    }
    let mut out = String::new();
    let mut shown = 0;
    let mut cut = false;
    let mut address_ends = 0;
    for (at, c) in text.char_indices() {
        if at >= address_ends {
            address_ends = at + ipv6_at(&text, at);
        }
        // a truncated address could be taken for another address
        if shown >= longest || (at < address_ends && shown + address_ends - at > longest) {
            cut = true;
            break;
        }
        if at < address_ends {
            out.push(c);
            shown += 1;
            continue;
        }
        let c = if is_unsafe(c) { ' ' } else { c };
        if c == ' ' && out.ends_with(' ') {
            continue;
        }
        if matches!(c, ':' | '#') && out.ends_with(c) {
            out.push(' ');
            shown += 1;
        }
        out.push(c);
        shown += 1;
    }
    let mut out = out.trim().to_owned();
    if out.ends_with(':') {
        // the caller's text may continue with another colon
        out.push(' ');
    }
    if cut {
        out.push('…');
    }
    out
}

/// Returns the length of the IPv6 address that begins at `at`, or 0. The address is in brackets, or
/// is a word of its own that doesn't begin with `:`.
fn ipv6_at(text: &str, at: usize) -> usize {
    const LONGEST: usize = "0000:0000:0000:0000:0000:ffff:255.255.255.255.".len();
    let rest = &text[at..];
    let inner = rest.strip_prefix('[').unwrap_or(rest);
    // no further, or a long run of digits would be read anew for each of them
    let may_stand = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b':' | b'.');
    let end = inner.bytes().take(LONGEST + 1).take_while(may_stand).count();
    if end > LONGEST {
        return 0;
    }
    // the colon or dot behind the address belongs to the sentence
    let end = if inner[..end].ends_with([':', '.']) && !inner[..end].ends_with("::") { end - 1 } else { end };
    let bracketed = inner.len() < rest.len();
    let stands_alone = || {
        let before = text[..at].chars().next_back();
        let after = inner[end..].chars().next();
        let is_in = |c: Option<char>, of: &str| c.is_none_or(|c| of.contains(c));
        !inner.starts_with(':') && is_in(before, " `,(\"'/") && is_in(after, " `,:.()%\"'/")
    };
    let fits = if bracketed { inner[end..].starts_with([']', '%']) } else { stands_alone() };
    let is_address = fits && inner[..end].parse::<std::net::Ipv6Addr>().is_ok();
    if is_address { end + usize::from(bracketed) } else { 0 }
}

/// Tells whether a character acts on a screen, or can't be seen there.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// Breaks a line between words where it is longer than `width` columns, and indents its
/// continuation by `hang` columns. Text that users copy stays whole: text in backticks, and a
/// command up to its end or up to two blanks.
pub fn wrapped(line: &str, width: usize, hang: usize) -> String {
    let hang = hang.min(width * 2 / 3);
    let mut out = String::with_capacity(line.len());
    let mut column = 0;
    let mut rest = line;
    while !rest.is_empty() {
        let gap = rest.len() - rest.trim_start_matches(' ').len();
        let end = gap + atom(&rest[gap..]);
        let length = columns(&rest[gap..end]);
        if column > hang && gap > 0 && column + gap + length > width {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', hang));
            out.push_str(&rest[gap..end]);
            column = hang + length;
        } else {
            out.push_str(&rest[..end]);
            column += gap + length;
        }
        rest = &rest[end..];
    }
    out
}

/// Returns the end of the first unbreakable piece: a word, a quotation in backticks or a command.
fn atom(text: &str) -> usize {
    let plain = text.trim_start_matches("\x1b[1m");
    if plain.starts_with("oauthctl ") || plain.starts_with("ssh -") {
        return text.find("  ").unwrap_or(text.len());
    }
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            // a backtick without a closing one quotes nothing
            '`' => quoted = !quoted && text[at + 1..].contains('`'),
            ' ' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

/// Counts the columns that a text takes on a screen, without its colour marks.
fn columns(text: &str) -> usize {
    let mut parts = text.split("\x1b[");
    let first = parts.next().map_or(0, |part| part.chars().count());
    first + parts.map(|part| part.split_once('m').map_or(0, |(_, shown)| shown.chars().count())).sum::<usize>()
}

/// Cleans bytes from outside on their way to a terminal: they can't move the cursor, set a title or
/// type for the user. Line ends and tabs stay. Other control characters are shown as `^[` and the
/// like, as `cat -v` does, and bidirectional and invisible characters by their numbers.
#[derive(Debug, Default)]
pub struct ForTerminal {
    /// The begun character whose remaining bytes are still to come.
    begun: Vec<u8>,
}

impl ForTerminal {
    /// Cleans the next bytes. An incomplete character waits for the bytes that follow.
    pub fn clean(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.pass(bytes, false)
    }

    /// Like [`ForTerminal::clean`], but keeps the colours of the program's own text.
    pub fn clean_painted(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.pass(bytes, true)
    }

    fn pass(&mut self, bytes: &[u8], painted: bool) -> Vec<u8> {
        let mut all = std::mem::take(&mut self.begun);
        all.extend_from_slice(bytes);
        let mut out = Vec::with_capacity(all.len());
        let mut rest = all.as_slice();
        loop {
            let bad = match std::str::from_utf8(rest) {
                Ok(text) => {
                    show(text, painted, &mut out);
                    return out;
                }
                Err(e) => {
                    let (good, bad) = rest.split_at(e.valid_up_to());
                    show(std::str::from_utf8(good).unwrap_or_default(), painted, &mut out);
                    let Some(length) = e.error_len() else {
                        self.begun = bad.to_vec();
                        return out;
                    };
                    rest = &bad[length..];
                    &bad[..length]
                }
            };
            for &byte in bad {
                match byte {
                    // control characters on a terminal with an 8-bit encoding
                    0x80..=0x9f => out.extend([b'^', byte - 0x40]),
                    _ => out.push(byte),
                }
            }
        }
    }
}

fn show(text: &str, painted: bool, out: &mut Vec<u8>) {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\t' => out.push(c as u8),
            '\x1b' if painted => out.push(0x1b),
            '\0'..='\x1f' | '\x7f' => out.extend([b'^', c as u8 ^ 0x40]),
            '\u{80}'..='\u{9f}' => out.extend([b'^', c as u8 - 0x40]),
            c if is_unsafe(c) => out.extend(format!("<U+{:04X}>", u32::from(c)).bytes()),
            c => out.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
}

/// Returns the number with its noun: `1 part`, `3 parts`.
pub fn count(number: impl TryInto<u64>, one: &str) -> String {
    match number.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {one}"),
        many => format!("{many} {one}s"),
    }
}

/// Tells whether a word may be a token that was typed in place of a name, and so must not be
/// repeated. RFC 6750, section 2.1, lists a token's characters. A host name is no token, with or
/// without a path.
pub fn may_be_token(word: &str) -> bool {
    const LONG: usize = 24;
    if word.starts_with("eyJ") || unprefixed(word).is_some() {
        return true;
    }
    let may_stand = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    let host = word.split(['/', ':']).next().unwrap_or_default();
    let of_host = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
    let is_host = host.chars().all(of_host)
        && host
            .rsplit_once('.')
            .is_some_and(|(_, last)| last.len() > 1 && !last.contains(|c: char| c.is_ascii_digit()));
    !is_host
        && word.chars().all(may_stand)
        && (word.len() >= LONG || (word.matches('.').count() >= 2 && !word.starts_with("..")))
}

/// Returns a user's word as a message may repeat it: `…` if it may be a token.
pub fn repeated(word: &str) -> String {
    if may_be_token(word) { "\u{2026}".to_owned() } else { safe(word) }
}

/// Returns the text behind `Bearer ` or `DPoP `, as copied from a header.
pub fn unprefixed(text: &str) -> Option<&str> {
    let (scheme, rest) = text.trim().split_once(' ')?;
    ["bearer", "dpop"].contains(&scheme.to_ascii_lowercase().as_str()).then(|| rest.trim())
}

/// The hint for a word that may be a token.
pub const TOKEN_ON_STDIN: &str = "a JWT goes on standard input: `oauthctl inspect -`; any other token into OAUTHCTL_<PROFILE>_TOKEN, for `oauthctl whoami PROFILE`";

/// Returns the known name nearest to a mistyped one, if one is near enough.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(&typed.to_lowercase(), &k.to_lowercase()), k))
        .filter(|(distance, k)| *distance <= 2.max(k.len() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
}

/// Returns the text as a JSON string in which every character that could act on a screen is
/// escaped.
pub fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let acts = |c: char| {
        c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}')
    };
    if !json.chars().any(acts) {
        return json;
    }
    json.chars().fold(String::new(), |mut out, c| {
        if acts(c) {
            out.push_str(&format!("\\u{:04x}", c as u32));
        } else {
            out.push(c);
        }
        out
    })
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
        assert_eq!(safe(":::::"), ": : : : : ");
        assert_eq!(safe("::1"), ": :1", "a command begins so");
        assert_eq!(
            safe("a::b::c x=fd00::1 fd00::add-mask::x [::x] [::1::]"),
            "a: :b: :c x=fd00: :1 fd00: :add-mask: :x [: :x] [: :1: :]"
        );
        assert_eq!(safe(&"x".repeat(9000)).chars().count(), LONGEST_QUOTE + 1);
        assert_eq!(safe_whole(&"x".repeat(9000)), "x".repeat(9000));
        assert_eq!(safe_whole(&"a".repeat(1 << 20)).len(), 1 << 20, "digits of an address, soon read");
        assert_eq!(safe_lines("{\n  \"a\":  1\n\t::error::x\n}\n"), "{\n  \"a\": 1\n\t: :error: :x\n}");
        for nasty in NASTY {
            let shown = safe(nasty);
            assert!(shown.chars().count() <= LONGEST_QUOTE + 2, "{nasty:?}");
            assert!(
                !shown.chars().any(is_unsafe) && !shown.contains("::") && !shown.contains("##"),
                "{nasty:?}: {shown}"
            );
            assert!(!format!("{shown}: {shown}").contains("::"), "{shown}");
            assert_eq!(safe(&shown), shown, "{nasty:?}");
        }
    }

    /// C-02, C-05: sequences that have attacked terminals and log parsers.
    const NASTY: [&str; 14] = [
        "\x1b]0;title\x07",
        "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
        "\x1b]52;c;aGk=\x07",
        "\x1b[31mred\x1b[0m\x1b[999;999H",
        "\u{9b}2J\u{9d}0;x\u{9c}",
        "one\rtwo\nthree\u{85}four\u{2028}five\u{2029}six\x0b\x0c",
        "\n::add-mask::x\n::set-output name=a::b",
        ":\u{200b}:stop-commands:\u{2060}:x",
        "#\u{feff}#[group]x\n##vso[task.setvariable]y\n#\u{ad}#teamcity[x]",
        "\u{202e}gnp.exe\u{2066}a\u{2069}\u{200f}",
        "a\u{e0041}\u{e007f}b",
        "\0\x08\x08\x7f",
        "::: :: ::::#### ##[[",
        "\u{fff9}a\u{fffa}b\u{fffb}\u{180e}\u{61c}",
    ];

    #[test]
    fn an_ipv6_address_can_be_read_and_typed() {
        for text in [
            "fd00::9",
            "can't reach fd00::9, port 443",
            "fd00::9: connection refused by fd00::8.",
            "http://[::1]:8976/callback",
            "https://[fe80::1%25eth0]:8443",
            "`fe80::9%eth0`",
            "::ffff:192.0.2.1".strip_prefix("::").unwrap(),
            "[::ffff:192.0.2.1]:80",
        ] {
            assert_eq!(safe(text), text);
            assert_eq!(safe(&safe(text)), text);
        }
        let cut = safe(&format!("{} fd00::9", "x".repeat(LONGEST_QUOTE - 4)));
        assert!(!cut.contains("fd00") && cut.ends_with("x…"), "{cut}");
    }

    // H-22
    #[test]
    fn a_quote_that_is_cut_shows_no_part_of_a_secret() {
        let secret = crate::secret::Secret::new("hush::this-is::a-token-with-colons");
        let shown = safe(&format!("{} {}", "x".repeat(LONGEST_QUOTE - 12), secret.expose()));
        assert!(!shown.contains("hush") && !shown.contains("this-is"), "{shown}");
        assert!(safe(&format!("token {} is bad", secret.expose())).contains(&secret.fingerprint()));
    }

    // C-05
    #[test]
    fn what_a_terminal_gets_is_seen_and_does_nothing() {
        let clean = |pieces: &[&[u8]]| {
            let mut clean = ForTerminal::default();
            String::from_utf8(pieces.iter().flat_map(|p| clean.clean(p)).collect()).expect("text")
        };
        assert_eq!(clean(&["{\"a\":\t\"ü €\"}\r\nb\n".as_bytes()]), "{\"a\":\t\"ü €\"}\nb\n");
        assert_eq!(clean(&[b"a\x1b[2J\x07\rb\0\x7f"]), "a^[[2J^G^Mb^@^?");
        assert_eq!(
            clean(&[
                "\u{9b}2J".as_bytes(),
                b"\xc2",
                b"\x9d",
                b"\xc2",
                "\u{a9}".as_bytes().get(1..).unwrap_or_default()
            ]),
            "^[2J^]©"
        );
        // B-02: bidirectional and invisible characters, also cut in two; and a byte that is no
        // character
        assert_eq!(
            clean(&["a\u{202e}b\u{200b}".as_bytes(), b"\xe2\x80", b"\xae\xe2\x82", b"\xac"]),
            "a<U+202E>b<U+200B><U+202E>€"
        );
        assert_eq!(clean(&[b"a\x9b2J", b"\x85\n"]), "a^[2J^E\n");
        let painted = ForTerminal::default().clean_painted("\x1b[1ma\u{9d}\u{202e}\x1b[0m".as_bytes());
        assert_eq!(String::from_utf8(painted).expect("text"), "\x1b[1ma^]<U+202E>\x1b[0m");
    }

    #[test]
    fn a_long_line_breaks_between_words_and_keeps_whole_what_is_copied() {
        let line = "error: no token is stored for `a b c d e f g`, so sign in";
        assert_eq!(wrapped(line, 32, 2), "error: no token is stored for\n  `a b c d e f g`, so sign in");
        assert_eq!(wrapped("short", 32, 2), "short");
        let row = "note  topic  words of it";
        assert_eq!(
            wrapped(row, 21, 13),
            "note  topic  words of\n             it",
            "below its column, past the middle too"
        );
        let hint = "hint: sign in again, please: oauthctl login work --provider getresponse";
        assert_eq!(wrapped(hint, 30, 2), "hint: sign in again, please:\n  oauthctl login work --provider getresponse");
        let next = "Next: oauthctl token a   or   oauthctl call a /me";
        assert_eq!(wrapped(next, 30, 2), "Next: oauthctl token a   or\n  oauthctl call a /me");
        assert_eq!(wrapped("\x1b[1;31merror:\x1b[0m abcd efgh", 15, 2), "\x1b[1;31merror:\x1b[0m abcd\n  efgh");
        assert_eq!(wrapped("a lone ` is no quote", 12, 0), "a lone ` is\nno quote");
        let row = "file  https://a.example/long/address";
        assert_eq!(wrapped(row, 20, 6), row, "a break would gain nothing");
        for width in 1..60 {
            for line in [line, hint, next, "ünï çödé wörds ärë wrapped töö, by theïr chäracters"] {
                let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
                assert_eq!(words(&wrapped(line, width, 2)), words(line), "nothing is lost");
            }
        }
    }

    #[test]
    fn finds_the_name_that_was_meant() {
        assert_eq!(nearest("getrespnse", ["getresponse", "sandbox"]), Some("getresponse"));
        assert_eq!(nearest("zzz", ["getresponse", "sandbox"]), None);
    }
}

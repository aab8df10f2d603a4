//! Request items in HTTPie's syntax: `key=value`, `key:=json`, `key==query`, `Header:value`,
//! `Header:` to drop a header, `Header;` for an empty one, `file@path`. `=@`, `:=@` and `==@` read
//! the value from a file. The leftmost separator decides; of several at one place, the longest. A
//! `\` makes a following `:`, `=`, `@` or `;` literal, and also a `@` or `=` at the beginning of a
//! value.

use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::exact_number;
use crate::error::{Error, Kind};
use crate::text::safe;

/// The items of a command line, by kind.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Items {
    /// Names in lower case.
    pub headers: Vec<(String, HeaderItem)>,
    pub query: Vec<(String, String)>,
    /// Members of the body, in order. Keys may be nested and still contain their escapes.
    pub data: Vec<(String, Value)>,
    pub files: Vec<FileItem>,
}

/// A header to send, or a default header to drop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderItem {
    Set(String),
    /// Don't send this default header.
    Drop,
}

/// `name@path;type=text/csv;filename=people.csv`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileItem {
    pub name: String,
    pub path: PathBuf,
    pub kind: Option<String>,
    /// The file's name for the server, in place of its own.
    pub filename: Option<String>,
}

impl FileItem {
    /// Returns the file's name for the server.
    pub fn called(&self) -> Cow<'_, str> {
        let own = || self.path.file_name().unwrap_or_default().to_string_lossy();
        self.filename.as_deref().map_or_else(own, Cow::Borrowed)
    }
}

/// Headers that name credentials or the destination. Only the program sets them.
const RESERVED: [&str; 9] = [
    "host",
    "authorization",
    "proxy-authorization",
    "content-length",
    "transfer-encoding",
    "connection",
    "te",
    "upgrade",
    "dpop",
];

/// Longest first, so that the first match is the longest.
const SEPARATORS: [&str; 8] = [":=@", "==@", "=@", ":=", "==", "=", ":", "@"];

/// The most bytes that `key=@file` reads.
const LARGEST_VALUE: u64 = 64 << 20;

/// Reads items in the order typed. `home` replaces `~`.
pub fn parse(items: &[String], home: Option<&Path>) -> Result<Items, Error> {
    let mut read = Items::default();
    for item in items {
        add(&mut read, item, home)?;
    }
    Ok(read)
}

fn add(read: &mut Items, item: &str, home: Option<&Path>) -> Result<(), Error> {
    let Some((key, separator, value)) = split(item) else {
        return match item.strip_suffix(';') {
            Some(name) if !name.is_empty() => {
                let (name, _) = header(&unescaped(name), "")?;
                read.headers.push((name, HeaderItem::Set(String::new())));
                Ok(())
            }
            _ => Err(Error::usage(format!("`{}` is not a request item", safe(item)))
                .hint("`key=value`, `key:=json`, `key==query`, `Header:value` or `file@path`")),
        };
    };
    let from_file = |value: &str| text_of_file(&resolve(value, home), value);
    let json = |text: &str| {
        let value = serde_json::from_str::<Value>(text).map_err(|e| {
            let key = safe(&unescaped(key));
            match separator {
                ":=@" => Error::usage(format!("`{}` is not JSON, which `{key}:=@` takes", safe(value)))
                    .cause(e)
                    .hint("text from a file is written `key=@file`"),
                _ => Error::usage(format!("the value of `{key}{separator}` is not JSON"))
                    .cause(e)
                    .hint("text is written `key=value`"),
            }
        })?;
        match exact_number::inexact(text) {
            None => Ok(value),
            Some(number) => Err(Error::usage(format!(
                "`{}{separator}` has the number {}, which would be sent rounded",
                safe(&unescaped(key)),
                safe(number)
            ))
            .hint("`-d` and `--input` send a body as it is written; as a text: `key=value`")),
        }
    };
    match separator {
        ":" => {
            let (name, value) = header(&unescaped(key), &unescaped(value))?;
            let item = if value.is_empty() { HeaderItem::Drop } else { HeaderItem::Set(value) };
            read.headers.push((name, item));
        }
        "==" => read.query.push((unescaped(key), plain(value).to_owned())),
        "==@" => read.query.push((unescaped(key), from_file(value)?.trim_end_matches(['\n', '\r']).to_owned())),
        "=" => read.data.push((key.to_owned(), plain(value).into())),
        "=@" => read.data.push((key.to_owned(), from_file(value)?.into())),
        ":=" => read.data.push((key.to_owned(), json(value)?)),
        ":=@" => read.data.push((key.to_owned(), json(&from_file(value)?)?)),
        _ => read.files.push(file(&unescaped(key), value, home)?),
    }
    Ok(())
}

/// Returns the key (with its escapes), the separator and the value.
fn split(item: &str) -> Option<(&str, &'static str, &str)> {
    let mut escaped = false;
    for (at, c) in item.char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        if c == '\\' {
            escaped = true;
            continue;
        }
        if let Some(separator) = SEPARATORS.into_iter().find(|s| item[at..].starts_with(s)) {
            return (at > 0).then(|| (&item[..at], separator, &item[at + separator.len()..]));
        }
    }
    None
}

/// Removes a `\` before a separator's character or another `\`. Any other `\` is literal.
pub fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match rest.peek() {
            Some(':' | '=' | '@' | ';' | '\\') if c == '\\' => out.extend(rest.next()),
            _ => out.push(c),
        }
    }
    out
}

/// Removes the `\` before a leading `@` or `=`. Any other `\` in a value is literal
/// (`dir=C:\temp`).
fn plain(value: &str) -> &str {
    value.strip_prefix('\\').filter(|rest| rest.starts_with(['@', '='])).unwrap_or(value)
}

/// Expands `~/` behind a separator, where the shell doesn't.
pub fn resolve(path: &str, home: Option<&Path>) -> PathBuf {
    match path.strip_prefix("~/").zip(home) {
        Some((rest, home)) => home.join(rest),
        None => path.into(),
    }
}

fn text_of_file(path: &Path, typed: &str) -> Result<String, Error> {
    let failed = || Error::usage(format!("`{}` can't be read", safe(typed)));
    let file = std::fs::File::open(path).map_err(|e| failed().cause(e))?;
    let mut bytes = Vec::new();
    // a pipe or a device says no length
    file.take(LARGEST_VALUE + 1).read_to_end(&mut bytes).map_err(|e| failed().cause(e))?;
    if bytes.len() as u64 > LARGEST_VALUE {
        return Err(Error::usage(format!("`{}` is too large for a value", safe(typed)))
            .because(format!("it has more than {} MiB", LARGEST_VALUE >> 20))
            .hint("send it as the body: `--input FILE`"));
    }
    String::from_utf8(bytes).map_err(|_| {
        failed().because("it is not text in UTF-8").hint("send it as it is: `--input FILE` or `name@FILE`")
    })
}

fn file(name: &str, value: &str, home: Option<&Path>) -> Result<FileItem, Error> {
    let (value, filename) = cut(value, ";filename=");
    let (path, kind) = cut(&value, ";type=");
    let path = path.as_str();
    if let Some(kind) = kind.as_deref().filter(|k| !k.contains('/') || k.bytes().any(|b| !(0x20..0x7f).contains(&b))) {
        return Err(Error::usage(format!("`{}` is not a media type", safe(kind))).hint("`file@data.csv;type=text/csv`"));
    }
    let resolved = resolve(path, home);
    let metadata =
        std::fs::metadata(&resolved).map_err(|e| Error::usage(format!("`{}` can't be read", safe(path))).cause(e))?;
    if !metadata.is_file() {
        let error = Error::usage(format!("`{}` is not a file", safe(path)));
        return Err(match metadata.is_dir() {
            true => error,
            false => error
                .because("the length of an upload must be known beforehand, and a pipe's isn't")
                .hint("write it to a file first, or send it as the body: `--input -`"),
        });
    }
    Ok(FileItem { name: name.to_owned(), path: resolved, kind, filename: filename.as_deref().map(unquoted) })
}

/// A file name, which may stand in quotes, as curl has them.
fn unquoted(name: &str) -> String {
    match name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) => inside.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => name.to_owned(),
    }
}

/// Cuts an option, as curl has it, out of an upload's path.
fn cut(value: &str, option: &str) -> (String, Option<String>) {
    let Some((before, after)) = value.rsplit_once(option) else { return (value.to_owned(), None) };
    let end = [";type=", ";filename="].iter().filter_map(|next| after.find(next)).min().unwrap_or(after.len());
    (format!("{before}{}", &after[end..]), Some(after[..end].trim().to_owned()))
}

/// Reads a header as `-H` takes it: `Name: value`, `Name:` to drop it, `Name;` to send it empty.
pub fn header_line(line: &str) -> Result<(String, HeaderItem), Error> {
    if let Some((name, value)) = line.split_once(':') {
        let (name, value) = header(name.trim_end(), value)?;
        return Ok((name, if value.is_empty() { HeaderItem::Drop } else { HeaderItem::Set(value) }));
    }
    match line.trim_end().strip_suffix(';') {
        Some(name) => header(name, "").map(|(name, value)| (name, HeaderItem::Set(value))),
        None => Err(Error::usage(format!("`{}` is not a header", safe(line))).hint("-H 'Name: value'")),
    }
}

/// Checks a header that the user gives: name and value can't smuggle in another header.
pub fn header(name: &str, value: &str) -> Result<(String, String), Error> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty()
        || !name.bytes().all(token)
        || !value.bytes().all(|b| b == b'\t' || (0x20..=0x7e).contains(&b) || b >= 0x80)
    {
        return Err(Error::new(Kind::Unsafe, format!("`{}` can't be a header", safe(name)))
            .because("it has characters that a header can't have"));
    }
    let lower = name.to_lowercase();
    if RESERVED.contains(&lower.as_str()) {
        return Err(reserved(name));
    }
    Ok((lower, value.trim().to_owned()))
}

/// Returns the error for a header that only the program may set.
pub fn reserved(name: &str) -> Error {
    Error::new(Kind::Unsafe, format!("the header `{}` is set by the program alone", safe(name)))
        .because("it could lead the token elsewhere, or send another one")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn items(typed: &[&str]) -> Result<Items, Error> {
        parse(&typed.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>(), None)
    }

    #[test]
    fn items_are_told_apart_by_their_separator() {
        let read =
            items(&["name=Ann:e=1", "age:=7", "q==a=b", "X-Domain:a.example:80", "Accept:", "X-Empty;"]).unwrap();
        assert_eq!(read.data, [("name".to_owned(), json!("Ann:e=1")), ("age".to_owned(), json!(7))]);
        assert_eq!(read.query, [("q".to_owned(), "a=b".to_owned())]);
        let set = |value: &str| HeaderItem::Set(value.to_owned());
        assert_eq!(
            read.headers,
            [
                ("x-domain".to_owned(), set("a.example:80")),
                ("accept".to_owned(), HeaderItem::Drop),
                ("x-empty".to_owned(), set("")),
            ]
        );
    }

    #[test]
    fn a_backslash_takes_a_separators_meaning_away() {
        let read = items(&["a\\=b==c", "x\\:y=1", "mail\\@home=2", "dir\\new=3"]).unwrap();
        assert_eq!(read.query, [("a=b".to_owned(), "c".to_owned())]);
        let keys: Vec<String> = read.data.iter().map(|(key, _)| unescaped(key)).collect();
        assert_eq!(keys, ["x:y", "mail@home", "dir\\new"]);
        let read = items(&["x=\\@y", "y=\\=z", "z=C:\\@new\\=", "u=\\\\host\\share", "n=\\n", "q==\\@f"]).unwrap();
        let values: Vec<&str> = read.data.iter().filter_map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["@y", "=z", "C:\\@new\\=", "\\\\host\\share", "\\n"]);
        assert_eq!(read.query, [("q".to_owned(), "@f".to_owned())]);
    }

    #[test]
    fn values_come_from_files() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        std::fs::write(at("t.txt"), "text\n").unwrap();
        std::fs::write(at("j.json"), "{\"a\":[1]}").unwrap();
        std::fs::write(at("b.bin"), [0xff, 0xfe]).unwrap();
        let read = items(&[
            &format!("t=@{}", at("t.txt")),
            &format!("j:=@{}", at("j.json")),
            &format!("q==@{}", at("t.txt")),
            &format!("f@{};type=text/csv", at("t.txt")),
        ])
        .unwrap();
        assert_eq!(read.data, [("t".to_owned(), json!("text\n")), ("j".to_owned(), json!({"a": [1]}))]);
        assert_eq!(read.query, [("q".to_owned(), "text".to_owned())]);
        assert_eq!(read.files[0].kind.as_deref(), Some("text/csv"));
        let error = items(&[&format!("j:=@{}", at("t.txt"))]).unwrap_err();
        assert_eq!(error.to_string(), format!("`{}` is not JSON, which `j:=@` takes", at("t.txt")));
        for bad in [format!("t=@{}", at("b.bin")), format!("t=@{}", at("none")), format!("f@{}", dir.path().display())]
        {
            assert_eq!(items(&[&bad]).unwrap_err().kind, Kind::Usage, "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_an_item_is_refused() {
        for bad in ["plain", "=x", "a:={", "a:=[18446744073709551617]", ";", "f@x;type=nonsense"] {
            assert_eq!(items(&[bad]).unwrap_err().kind, Kind::Usage, "{bad}");
        }
        // header tricks
        for bad in ["Host:evil", "authorization:Bearer x", "X-A:b\r\nHost: evil", "Content-Length:0", "X A:b", "Host;"]
        {
            assert_eq!(items(&[bad]).unwrap_err().kind, Kind::Unsafe, "{bad:?}");
        }
        for bad in ["Host: evil", "X: a\nb", "Authorization:", "Host;"] {
            assert_eq!(header_line(bad).unwrap_err().kind, Kind::Unsafe, "{bad:?}");
        }
        assert_eq!(header_line("nothing").unwrap_err().kind, Kind::Usage);
        assert_eq!(header_line("Accept : x").unwrap(), ("accept".to_owned(), HeaderItem::Set("x".to_owned())));
    }
}

//! `--jq`: jq's language on JSON values, by the crate `jaq`, so that no other program is needed. Its values are those that answers
//! are shaped from too: numbers keep the digits they came with.

use jaq_core::data::JustLut;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Ctx, Native, Vars, compile, unwrap_valr};
pub use jaq_json::Val;

use crate::error::{Error, Kind};
use crate::text::safe;

/// Deeper than any API nests; what is deeper would fill the stack.
const DEEPEST: usize = 256;

/// jq's formats that the crates leave to their program.
const FORMATS: &str = r#"
def @tsv: [.[] | if . == null then "" elif isstring then
    gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r")
    elif isarray or isobject then error("a cell can't be a list or an object") else tojson end] | join("\t");
def @csv: [.[] | if . == null then "" elif isstring then "\"" + gsub("\""; "\"\"") + "\""
    elif isarray or isobject then error("a cell can't be a list or an object") else tojson end] | join(",");
"#;

/// A filter that is ready to run.
pub struct Filter(compile::Filter<Native<JustLut<Val>>>);

impl Filter {
    pub fn new(code: &str) -> Result<Filter, Error> {
        let wrong = |causes: Vec<String>| {
            let error = Error::usage("the `--jq` expression can't be used");
            causes.into_iter().fold(error, Error::cause).hint("jq's manual: https://jqlang.org/manual/")
        };
        let formats = load::parse(FORMATS, |p| p.defs()).unwrap_or_default();
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).chain(formats);
        let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let arena = Arena::default();
        let modules = Loader::new(definitions)
            .load(&arena, File { code, path: () })
            .map_err(|errors| wrong(errors.into_iter().flat_map(|(_, e)| of_loading(code, e)).collect()))?;
        let filter = compile::Compiler::default().with_funs(functions).compile(modules).map_err(|errors| {
            let undefined = |(name, kind): (&str, compile::Undefined)| match kind {
                compile::Undefined::Filter(arity) => format!("there is no filter `{}/{arity}`", safe(name)),
                kind => format!("there is no {} `{}`", kind.as_str(), safe(name)),
            };
            wrong(errors.into_iter().flat_map(|(_, e)| e).map(undefined).collect())
        })?;
        Ok(Filter(filter))
    }

    /// Gives each result of one input to `each`, until it wants no more.
    pub fn run(&self, input: Val, each: &mut dyn FnMut(Val) -> Result<bool, Error>) -> Result<bool, Error> {
        let context = Ctx::<JustLut<Val>>::new(&self.0.lut, Vars::new([]));
        for result in self.0.id.run((context, input)).map(unwrap_valr) {
            let value = result.map_err(|e| {
                Error::new(Kind::Other, "the `--jq` expression failed on the answer").cause(safe(&e.to_string()))
            })?;
            if !each(value)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn of_loading(code: &str, error: load::Error<&str>) -> Vec<String> {
    let at = |found: &str| {
        // the error's text is a piece of the code
        let offset = (found.as_ptr() as usize).wrapping_sub(code.as_ptr() as usize);
        match code.get(..offset).filter(|before| !before.is_empty()) {
            Some(before) => format!("after `{}`", safe(before)),
            None => "at its beginning".to_owned(),
        }
    };
    match error {
        load::Error::Io(files) => files.iter().map(|(file, why)| format!("`{}`: {}", safe(file), safe(why))).collect(),
        load::Error::Lex(errors) => {
            errors.iter().map(|(want, found)| format!("{}: expected {}", at(found), want.as_str())).collect()
        }
        load::Error::Parse(errors) => errors
            .iter()
            .map(|(want, found)| {
                let place = if found.is_empty() { "at its end".to_owned() } else { at(found) };
                format!("{place}: expected {}", want.as_str())
            })
            .collect(),
    }
}

/// JSON as a value; `None` for what isn't JSON, or is nested deeper than anything sensible.
pub fn value(json: &[u8]) -> Option<Val> {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for &b in json {
        match b {
            _ if std::mem::take(&mut escaped) => {}
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                if depth > DEEPEST {
                    return None;
                }
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    jaq_json::read::parse_single(json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(code: &str, json: &str) -> Result<Vec<String>, Error> {
        let mut out = Vec::new();
        Filter::new(code)?.run(value(json.as_bytes()).unwrap(), &mut |v| {
            out.push(v.to_string());
            Ok(true)
        })?;
        Ok(out)
    }

    #[test]
    fn the_language_is_jqs() {
        for (code, json, want) in [
            (".", "12345678901234567890123.10", vec!["12345678901234567890123.10"]),
            (".[] | select(.n > 1) | .n", r#"[{"n":1},{"n":2},{"n":3}]"#, vec!["2", "3"]),
            ("map(.a) | add", r#"[{"a":1},{"a":2}]"#, vec!["3"]),
            ("to_entries[] | .key", r#"{"b":1,"a":2}"#, vec!["\"b\"", "\"a\""]),
            ("[.[] | ascii_downcase] | join(\",\")", r#"["A","B"]"#, vec!["\"a,b\""]),
            ("empty", "1", vec![]),
            (".[] | @tsv", r#"[["a\tb\\c",1.50,null,true]]"#, vec![r#""a\\tb\\\\c\t1.50\t\ttrue""#]),
            (".[] | @csv", r#"[["a\"b",1.50,null]]"#, vec![r#""\"a\"\"b\",1.50,""#]),
            (
                "@base64, @uri, @sh, @html, @text, @json",
                "\"a b\"",
                vec!["\"YSBi\"", "\"a%20b\"", "\"'a b'\"", "\"a b\"", "\"a b\"", "\"\\\"a b\\\"\""],
            ),
        ] {
            assert_eq!(all(code, json).unwrap(), want, "{code}");
        }
    }

    #[test]
    fn a_mistake_is_shown_where_it_is() {
        let causes = |code: &str| Filter::new(code).err().unwrap().causes;
        assert_eq!(causes(".a | | .b"), ["after `.a |`: expected term"]);
        assert_eq!(causes(".a | nosuch"), ["there is no filter `nosuch/0`"]);
        assert_eq!(causes("[.a"), ["after `[.a`: expected closing bracket"]);
        assert_eq!(all(".a", "[1]").unwrap_err().kind, Kind::Other);
    }

    #[test]
    fn what_is_nested_without_end_is_no_value() {
        assert!(value("[".repeat(100_000).as_bytes()).is_none());
        assert!(value(format!("{}{}", "[".repeat(200), "]".repeat(200)).as_bytes()).is_some());
        assert!(value(b"\"[[[[\"").is_some() && value(b"<html>").is_none());
    }
}

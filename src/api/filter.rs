//! `--jq`: jq's language on JSON values, through the crate `jaq`, so no other program is needed.

use std::cell::RefCell;
use std::fmt::Display;

use jaq_core::data::HasLut;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Ctx, DataT, Lut, Native, Vars, compile, native};
use jaq_json::{Num, Val};
use serde_json::value::RawValue;

use crate::error::{Error, Kind};
use crate::text::safe;

/// jq's formats that the crates don't define.
const FORMATS: &str = r#"
def @tsv: [.[] | if . == null then "" elif isstring then
    gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r")
    elif isarray or isobject then error("a cell can't be a list or an object") else tojson end] | join("\t");
def @csv: [.[] | if . == null then "" elif isstring then "\"" + gsub("\""; "\"\"") + "\""
    elif isarray or isobject then error("a cell can't be a list or an object") else tojson end] | join(",");
def stderr: (said as $x | .), .;
def debug: (["DEBUG:", .] | said as $x | .), .;
def debug(msgs): (msgs | ["DEBUG:", .] | said as $x | .), .;
def halt_error($exit_code): said, halt($exit_code);
def halt_error: halt_error(5);
"#;

/// A compiled filter.
pub struct Filter {
    filter: compile::Filter<Native<Running>>,
    said: RefCell<Vec<String>>,
}

/// The data type of a filter run.
struct Running;

#[derive(Clone)]
struct Around<'a> {
    lut: &'a Lut<Running>,
    /// Lines for stderr.
    said: &'a RefCell<Vec<String>>,
}

impl DataT for Running {
    type V<'a> = Val;
    type Data<'a> = Around<'a>;
}

impl<'a> HasLut<'a, Running> for Around<'a> {
    fn lut(&self) -> &'a Lut<Running> {
        self.lut
    }
}

/// Writes its input to stderr and returns nothing.
fn said() -> native::Fun<Running> {
    native::run::<Running>(("said", native::v(0), |(context, value)| {
        context.data().said.borrow_mut().push(text(&value));
        Box::new(std::iter::empty())
    }))
}

impl Filter {
    /// Compiles a jq expression. A mistake in it is a usage error.
    pub fn new(code: &str) -> Result<Filter, Error> {
        let wrong = |causes: Vec<String>| {
            let error = Error::usage("the `--jq` expression can't be used");
            causes.into_iter().fold(error, Error::because).hint("jq's manual: https://jqlang.org/manual/")
        };
        let formats = load::parse(FORMATS, |p| p.defs()).unwrap_or_default();
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).chain(formats);
        let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs()).chain([said()]);
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
        Ok(Filter { filter, said: RefCell::default() })
    }

    /// Adds the results of one input to `results`, and the messages of `debug` and `stderr` to
    /// `said`. Returns `false` when the filter halts.
    pub fn run(
        &self,
        input: &RawValue,
        results: &mut Vec<Box<RawValue>>,
        said: &mut Vec<String>,
    ) -> Result<bool, Error> {
        let ended = self.each(input, results);
        said.append(&mut self.said.borrow_mut());
        ended
    }

    fn each(&self, input: &RawValue, results: &mut Vec<Box<RawValue>>) -> Result<bool, Error> {
        let failed = |why: &dyn Display| {
            Error::new(Kind::Other, "the `--jq` expression failed on the answer").because(safe(&why.to_string()))
        };
        let input = jaq_json::read::parse_single(input.get().as_bytes()).map_err(|e| failed(&e))?;
        let context = Ctx::<Running>::new(Around { lut: &self.filter.lut, said: &self.said }, Vars::new([]));
        for result in self.filter.id.run((context, input)) {
            // `unwrap_valr` would end the process at a `halt` and lose pending output
            let value = match result.map_err(|e| e.get_err().map_err(|e| e.get_halt())) {
                Ok(value) => value,
                Err(Err(Ok(0))) => return Ok(false),
                Err(Err(Ok(_))) => {
                    let error = Error::new(Kind::Other, "the `--jq` expression halted with an error");
                    let message = self.said.borrow_mut().pop();
                    return Err(message.iter().fold(error, |error, message| error.because(safe(message))));
                }
                Err(Ok(e)) => return Err(failed(&e)),
                Err(Err(Err(_))) => return Err(Error::new(Kind::Other, "the `--jq` expression left its own bounds")),
            };
            results.push(RawValue::from_string(sound(value).to_string()).map_err(|e| failed(&e))?);
        }
        Ok(true)
    }
}

fn text(value: &Val) -> String {
    match value {
        Val::TStr(bytes) | Val::BStr(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => other.to_string(),
    }
}

/// Returns the value in JSON's range. jq also has NaN (printed as `null`), infinities (printed as
/// the largest number), byte strings, and any value as a member's name.
fn sound(value: Val) -> Val {
    match value {
        Val::Num(Num::Float(number)) if number.is_nan() => Val::Null,
        Val::Num(Num::Float(number)) => Val::Num(Num::Float(number.clamp(f64::MIN, f64::MAX))),
        Val::BStr(_) => Val::from(text(&value)),
        Val::Arr(list) => Val::Arr(list.iter().cloned().map(sound).collect::<Vec<_>>().into()),
        Val::Obj(members) => {
            let member = |(name, item): (&Val, &Val)| (Val::from(text(name)), sound(item.clone()));
            Val::obj(members.iter().map(member).collect())
        }
        other => other,
    }
}

fn of_loading(code: &str, error: load::Error<&str>) -> Vec<String> {
    let at = |found: &str| {
        // the error's text is a slice of the code
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::value::read;

    fn run(code: &str, json: &str) -> (String, Result<bool, Error>, String) {
        let (mut results, mut said) = (Vec::new(), Vec::new());
        let ended = Filter::new(code).unwrap().run(read(json).unwrap()[0], &mut results, &mut said);
        (results.iter().map(|raw| raw.get()).collect::<Vec<_>>().join(" "), ended, said.join("; "))
    }

    #[test]
    fn the_language_is_jqs() {
        for (code, json, want) in [
            (".", "12345678901234567890123.10", "12345678901234567890123.10"),
            (".[] | select(.n > 1) | .n", r#"[{"n":1},{"n":2},{"n":3}]"#, "2 3"),
            ("map(.a) | add", r#"[{"a":1},{"a":2}]"#, "3"),
            ("to_entries[] | .key", r#"{"b":1,"a":2}"#, "\"b\" \"a\""),
            ("[.[] | ascii_downcase] | join(\",\")", r#"["A","B"]"#, "\"a,b\""),
            ("empty", "1", ""),
            (".[] | @tsv", r#"[["a\tb\\c",1.50,null,true]]"#, r#""a\\tb\\\\c\t1.50\t\ttrue""#),
            (".[] | @csv", r#"[["a\"b",1.50,null]]"#, r#""\"a\"\"b\",1.50,""#),
            ("@base64, @uri, @sh, @html, @text, @json", "\"a b\"", r#""YSBi" "a%20b" "'a b'" "a b" "a b" "\"a b\"""#),
        ] {
            let (results, ended, _) = run(code, json);
            assert_eq!((results.as_str(), ended.unwrap()), (want, true), "{code}");
        }
    }

    #[test]
    fn what_came_before_an_end_stays_and_halt_is_a_good_one() {
        let run = |code: &str, json: &str| {
            let (results, ended, said) = run(code, json);
            let error = ended.as_ref().err().map(|e| (e.kind, e.causes().join("; ")));
            (results, ended.ok(), error, said)
        };
        let end = |out: &str, error: &str| (out.to_owned(), None, Some((Kind::Other, error.to_owned())), String::new());
        assert_eq!(run(".[0], halt, .[1]", "[1,2]"), ("1".to_owned(), Some(false), None, String::new()));
        assert_eq!(run(".[], error(\"x\")", "[1,2]"), end("1 2", "\"x\""));
        assert_eq!(run(".[], (\"no more\" | halt_error)", "[1,2]"), end("1 2", "no more"));
        assert_eq!(run("{a: 1} | halt_error(3)", "1"), end("", "{\"a\":1}"));
        assert_eq!(run("\"bye\" | halt_error(0)", "1"), (String::new(), Some(false), None, "bye".to_owned()));
        let said = "[\"DEBUG:\",1]; [\"DEBUG:\",\"m\"]; 1".to_owned();
        assert_eq!(run("debug | debug(\"m\") | stderr", "1"), ("1".to_owned(), Some(true), None, said));
    }

    #[test]
    fn a_mistake_is_shown_where_it_is() {
        let causes = |code: &str| Filter::new(code).err().unwrap().causes();
        assert_eq!(causes(".a | | .b"), ["after `.a |`: expected term"]);
        assert_eq!(causes(".a | nosuch"), ["there is no filter `nosuch/0`"]);
        assert_eq!(causes("[.a"), ["after `[.a`: expected closing bracket"]);
        assert_eq!(run(".a", "[1]").1.unwrap_err().kind, Kind::Other);
    }
}

//! `--jq`: jq's language on JSON values, through the crate `jaq`, so no other program is needed.

use std::cell::RefCell;
use std::fmt::Display;

use jaq_core::data::HasLut;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Ctx, DataT, Lut, Native, Vars, compile, native};
use jaq_json::Val;
use serde_json::value::RawValue;

use super::dialect::{self, text, tidy};
use crate::error::{Error, Kind};
use crate::text::safe;

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

/// `said` writes its input to stderr and returns nothing; `tidy` writes numbers as jq does.
fn ours() -> [native::Fun<Running>; 2] {
    let said = native::run::<Running>(("said", native::v(0), |(context, value)| {
        context.data().said.borrow_mut().push(text(&value));
        Box::new(std::iter::empty())
    }));
    let tidied =
        native::run::<Running>(("tidy", native::v(0), |(_, value)| Box::new(std::iter::once(Ok(tidy(value))))));
    [said, tidied]
}

impl Filter {
    /// Compiles a jq expression, in which a mistake is a usage error. `variables`: names with their
    /// `$`, and values as JSON.
    pub fn new(code: &str, variables: &[(String, String)]) -> Result<Filter, Error> {
        let wrong = |causes: Vec<String>| {
            let error = Error::usage("the `--jq` expression can't be used");
            causes.into_iter().fold(error, Error::because).hint("jq's manual: https://jqlang.org/manual/")
        };
        let arena = Arena::default();
        // the mistakes are told where they were typed
        let empty: [load::parse::Def<&str>; 0] = [];
        Loader::new(empty)
            .load(&arena, File { code, path: () })
            .map_err(|errors| wrong(errors.into_iter().flat_map(|(_, e)| of_loading(code, e)).collect()))?;
        let ours = dialect::definitions(code, variables)
            .ok_or_else(|| wrong(vec!["it has modules, which are not read".into()]))?;
        let mut definitions: Vec<load::parse::Def<&str>> =
            jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).collect();
        definitions.extend(ours);
        let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs()).chain(self::ours());
        let modules = Loader::new(definitions)
            .load(&arena, File { code: dialect::MAIN, path: () })
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
            results.push(RawValue::from_string(tidy(value).to_string()).map_err(|e| failed(&e))?);
        }
        Ok(true)
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
        let ended = Filter::new(code, &[]).unwrap().run(read(json).unwrap()[0], &mut results, &mut said);
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
        let causes = |code: &str| Filter::new(code, &[]).err().unwrap().causes();
        assert_eq!(causes(".a | | .b"), ["after `.a |`: expected term"]);
        assert_eq!(causes(".a | nosuch"), ["there is no filter `nosuch/0`"]);
        assert_eq!(causes("[.a"), ["after `[.a`: expected closing bracket"]);
        assert_eq!(run(".a", "[1]").1.unwrap_err().kind, Kind::Other);
    }

    /// jq 1.7's own results for what its manual describes, and what is otherwise here.
    #[test]
    fn the_results_are_jqs_but_where_it_is_told() {
        let lines = include_str!("../../tests/vectors/jq.tsv").lines().filter(|line| !line.starts_with('#'));
        let rows: Vec<Vec<&str>> = lines.map(|line| line.split('\t').collect()).collect();
        let (mut wrong, compared) = (Vec::new(), rows.len());
        // what fails to compile, or ends a run, stands alone
        let alone = |row: &Vec<&str>| row.len() > 3 || row[2] == "ERROR" || row[0].contains("halt");
        let (alone, many): (Vec<_>, Vec<_>) = rows.into_iter().partition(alone);
        let mut compare = |row: &[&str], seen: &str| {
            let want = row.get(3).unwrap_or(&row[2]);
            if seen != *want {
                wrong.push(format!("{} of {}: {seen}, not {want}", row[0], row[1]));
            }
        };
        for row in alone {
            let fits = Filter::new(row[0], &[]).is_ok();
            let seen = if fits { run(row[0], row[1]) } else { (String::new(), Ok(true), String::new()) };
            compare(&row, if fits && seen.1.is_ok() { &seen.0 } else { "ERROR" });
        }
        for rows in many.chunks(50) {
            let each = |row: &Vec<&str>| format!("({} | results({}))", row[1], row[0]);
            let code = format!(
                "def results(f): try ([f] | map(tojson) | join(\" \")) catch \"ERROR\"; {}",
                rows.iter().map(each).collect::<Vec<_>>().join(", ")
            );
            let (mut results, mut said) = (Vec::new(), Vec::new());
            Filter::new(&code, &[]).unwrap().run(read("null").unwrap()[0], &mut results, &mut said).unwrap();
            assert_eq!(results.len(), rows.len());
            for (row, result) in rows.iter().zip(results) {
                compare(row, &crate::api::value::text(&result));
            }
        }
        assert!(wrong.is_empty() && compared > 500, "{compared}:\n{}", wrong.join("\n"));
    }

    #[test]
    fn variables_have_the_values_that_are_given() {
        let variables = [("$a", "\"x\\\"y\""), ("$b", "{\"c\":[1.50]}"), ("$a", "\"é😀\"")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let (mut results, mut said) = (Vec::new(), Vec::new());
        let filter = Filter::new("def f: $b.c[0]; [$a, f, .]", &variables).unwrap();
        filter.run(read("7").unwrap()[0], &mut results, &mut said).unwrap();
        assert_eq!(results[0].get(), "[\"é😀\",1.50,7]");
    }
}

//! `--jq` and `--format`: values on their way from an answer to the output.

use clap::ValueEnum;
use serde_json::value::RawValue;

use super::CallArgs;
use super::output::Output;
use crate::api::filter::Filter;
use crate::api::format::{Format, Shape};
use crate::api::value::{Style, View, view};
use crate::command::paints;
use crate::error::Error;
use crate::text::safe;
use crate::world::World;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatWord {
    /// Columns, for people.
    Table,
    /// A value to a line; on a terminal pretty, in colour.
    Json,
    /// Commas between.
    Csv,
    /// Tabs between.
    Tsv,
    /// A document for each value.
    Yaml,
    /// The answer's bytes as they came.
    Raw,
}

/// What is done with each value.
pub struct Shaped {
    filter: Option<Filter>,
    shape: Shape,
    painted: bool,
}

impl Shaped {
    /// `None`: the answer's bytes are wanted as they come.
    pub fn of(world: &World, args: &CallArgs, screen: bool) -> Result<Option<Shaped>, Error> {
        let filter = match &args.jq {
            Some(code) => Some(Filter::new(code, &variables(args)?)?),
            None => None,
        };
        let format = match (args.format, &filter) {
            (Some(FormatWord::Raw), None) => return Ok(None),
            (Some(FormatWord::Raw), Some(_)) => {
                return Err(Error::usage("`--format raw` is the answer as it came: `--jq` has nothing to do")
                    .hint("`-r` prints texts without quotes"));
            }
            (None, None) if !screen && !args.raw_output && !args.pretty && !args.color => return Ok(None),
            (None | Some(FormatWord::Json), _) => Format::Json,
            (Some(FormatWord::Table), _) => Format::Table,
            (Some(FormatWord::Csv), _) => Format::Csv,
            (Some(FormatWord::Tsv), _) => Format::Tsv,
            (Some(FormatWord::Yaml), _) => Format::Yaml,
        };
        let mut shape = Shape::new(format);
        shape.raw = args.raw_output;
        shape.list = args.paginate && !args.slurp;
        shape.style =
            Style { pretty: screen || args.pretty, color: (paints(world, screen) || args.color) && !args.raw_output };
        shape.width = if screen { world.terminal.width() } else { None };
        let painted = shape.style.color && format == Format::Json;
        Ok(Some(Shaped { filter, shape, painted }))
    }

    /// Whether lists are taken apart, one row for each of their values.
    pub fn makes_rows(&self) -> bool {
        matches!(self.shape.format, Format::Table | Format::Csv | Format::Tsv)
    }

    /// Filters and prints values that came together; whether more is wanted. What a filter gave
    /// before it failed is printed too.
    pub fn put(&mut self, world: &mut World, out: &mut Output, values: &[&RawValue]) -> Result<bool, Error> {
        let (mut ended, mut results, mut said) = (Ok(true), Vec::new(), Vec::new());
        if let Some(filter) = &self.filter {
            for value in values {
                ended = filter.run(value, &mut results, &mut said);
                if !matches!(ended, Ok(true)) {
                    break;
                }
            }
        }
        for line in said {
            world.say(&safe(&line));
        }
        let results: Vec<&RawValue> = results.iter().map(|result| &**result).collect();
        let values = if self.filter.is_some() { &results } else { values };
        let text = match values {
            // a list is rows, not one cell
            [one] if self.makes_rows() && !self.shape.list => match view(one) {
                View::List(rows) => self.shape.values(&rows),
                _ => self.shape.values(values),
            },
            _ => self.shape.values(values),
        };
        let wanted = self.print(world, out, &text)?;
        ended.map(|more| more && wanted)
    }

    /// What is printed at the end. `whole`: nothing has gone wrong.
    pub fn end(&mut self, world: &mut World, out: &mut Output, whole: bool) -> Result<bool, Error> {
        let text = self.shape.end(whole);
        if !self.shape.late.is_empty() {
            let names: Vec<String> = self.shape.late.iter().map(|n| safe(n)).collect();
            world.warn(&format!("no columns for members that came after the first page: {}", names.join(", ")));
        }
        self.print(world, out, &text)
    }

    fn print(&self, world: &mut World, out: &mut Output, text: &str) -> Result<bool, Error> {
        match self.painted {
            true => out.put_painted(world, text.as_bytes()),
            false => out.put(world, text.as_bytes()),
        }
    }
}

/// The filter's variables with their values as JSON, and jq's own for all of them.
fn variables(args: &CallArgs) -> Result<Vec<(String, String)>, Error> {
    let mut all = Vec::new();
    for pair in args.arg.chunks_exact(2) {
        all.push((format!("${}", pair[0]), serde_json::Value::from(pair[1].as_str()).to_string()));
    }
    for pair in args.argjson.chunks_exact(2) {
        let value: &RawValue = serde_json::from_str(&pair[1])
            .map_err(|e| Error::usage(format!("the value of `--argjson {}` is not JSON", safe(&pair[0]))).cause(e))?;
        all.push((format!("${}", pair[0]), value.get().to_owned()));
    }
    let named = all.iter().map(|(name, value)| format!("{}:{value}", serde_json::Value::from(&name[1..])));
    let named = named.collect::<Vec<_>>().join(",");
    all.push(("$ARGS".to_owned(), format!("{{\"positional\":[],\"named\":{{{named}}}}}")));
    Ok(all)
}

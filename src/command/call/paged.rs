//! `--paginate`: the records of all pages, a value to a line as pages arrive, or as one array.

use std::path::Path;

use super::Call;
use super::answer::Refusal;
use super::output::Output;
use super::saved;
use super::shaped::Shaped;
use crate::api::collect::{MOST_PARALLEL, Outcome, Wanted, collect};
use crate::api::exchange::Caller;
use crate::api::records::on_one_line;
use crate::api::value::{self, Val, array};
use crate::error::{Error, Kind};
use crate::world::World;

pub fn run(world: &mut World, call: &Call<'_>, caller: &mut Caller<'_>, target: Option<&Path>) -> Result<u8, Error> {
    let args = call.args;
    let wanted = Wanted {
        start: call.url,
        parallel: args.parallel.or(call.provider.limits.parallel).unwrap_or(1).clamp(1, MOST_PARALLEL),
        at_most: args.limit,
        elsewhere: target.is_some(),
    };
    let mut out = saved::open(world, target)?;
    let mut shaped = Shaped::of(world, args, out.is_screen())?
        .filter(|_| args.jq.is_some() || args.format.is_some() || args.raw_output || args.slurp && out.is_screen());
    let mut list = List::new(args.slurp);
    let ended = collect(world, caller, &wanted, &mut |world, records| match &mut shaped {
        None => {
            let mut text = String::new();
            for record in records {
                list.add(&mut text, &on_one_line(record.get()));
            }
            out.put(world, text.as_bytes())
        }
        Some(shaped) => {
            let mut values = Vec::with_capacity(records.len());
            for record in records {
                let value = value::read(record.get().as_bytes());
                values.push(value.ok_or_else(|| Error::new(Kind::Other, "a record can't be read as JSON"))?);
            }
            match args.slurp {
                true => {
                    list.values.extend(values);
                    Ok(true)
                }
                false => shaped.put(world, &mut out, values),
            }
        }
    });
    let done = ended.and_then(|outcome| {
        let Outcome::Done = outcome else { return Ok(outcome) };
        match &mut shaped {
            None => {
                let mut text = String::new();
                list.end(&mut text);
                out.put(world, text.as_bytes())?;
            }
            Some(shaped) => {
                if args.slurp {
                    let whole = array(std::mem::take(&mut list.values));
                    shaped.put(world, &mut out, vec![whole])?;
                }
                shaped.end(world, &mut out, true)?;
            }
        }
        Ok(Outcome::Done)
    });
    if !matches!(done, Ok(Outcome::Done)) {
        match &mut shaped {
            // the rows of a table that came before it ended are shown, as those of other forms are
            // by now
            Some(shaped) => drop(shaped.end(world, &mut out, false)?),
            // an array that has no end says that it isn't whole; what follows begins on a line of
            // its own
            None if args.slurp && list.some => drop(out.put(world, b"\n")?),
            None => {}
        }
    }
    match done {
        Ok(Outcome::Done) => out.end(world).map(|()| 0),
        Ok(Outcome::Refused { status, headers, body }) => {
            out.give_up(world);
            // what the API said stays whole, on stdout, behind the records that came before it
            let mut stdout = Output::stdout(world);
            stdout.put(world, &body)?;
            stdout.end(world)?;
            let now = world.clock.now();
            let who = &call.who.after(caller);
            let refusal = Refusal { status, headers: &headers, body: &body };
            Err(who.redirect().unwrap_or_else(|| refusal.error(who, call.provider, now)))
        }
        Err(e) => {
            out.give_up(world);
            Err(e)
        }
    }
}

/// Records as they stand: a line each, or one array.
struct List {
    slurp: bool,
    some: bool,
    /// For a filter that wants all of them.
    values: Vec<Val>,
}

impl List {
    fn new(slurp: bool) -> List {
        List { slurp, some: false, values: Vec::new() }
    }

    fn add(&mut self, text: &mut String, record: &str) {
        if self.slurp {
            text.push_str(if self.some { ",\n" } else { "[" });
        }
        self.some = true;
        text.push_str(record);
        if !self.slurp {
            text.push('\n');
        }
    }

    fn end(&self, text: &mut String) {
        if self.slurp {
            text.push_str(if self.some { "]\n" } else { "[]\n" });
        }
    }
}

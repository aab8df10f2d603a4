//! `--paginate`: the records of all pages, a value to a line as pages arrive, or as one array.

use std::path::Path;

use serde_json::value::RawValue;

use super::Call;
use super::answer::{self, Refusal};
use super::output::Output;
use super::saved;
use super::shaped::Shaped;
use crate::api::collect::{MOST_PARALLEL, Outcome, PageRequest, collect};
use crate::api::records::on_one_line;
use crate::api::send::Caller;
use crate::api::value;
use crate::error::{Error, Kind};
use crate::world::World;

pub fn run(world: &mut World, call: &Call<'_>, caller: &mut Caller<'_>, target: Option<&Path>) -> Result<u8, Error> {
    let args = call.args;
    let wanted = PageRequest {
        start: call.url,
        parallel: args.parallel.or(call.provider.limits.parallel).unwrap_or(1).clamp(1, MOST_PARALLEL),
        at_most: args.limit,
        elsewhere: target.is_some(),
        graphql: args.graphql,
    };
    let screen = target.is_none() && world.terminal.stdout_is_terminal();
    let asked = args.jq.is_some() || args.format.is_some() || args.raw_output || args.pretty || args.color;
    let mut shaped = Shaped::of(world, args, screen)?.filter(|_| asked || args.slurp && screen);
    // the first page may name the file
    let mut list = None;
    let ended = collect(world, caller, &wanted, &mut |world, head, records| {
        let list = match &mut list {
            Some(list) => list,
            none => {
                let out = saved::open(world, target, &head.headers, &head.url)?;
                none.insert(List { slurp: args.slurp, some: false, whole: String::new(), shaped: shaped.take(), out })
            }
        };
        list.add(world, records)
    });
    let (ended, out) = match list {
        Some(mut list) => (list.end(world, ended), list.out),
        None => (ended, Output::stdout(world)),
    };
    match ended {
        Ok(Outcome::Done) => out.end(world).map(|()| 0),
        Ok(Outcome::Refused { status, headers, body }) => {
            out.give_up(world);
            let unprinted = answer::is_kept_from_stdout(args);
            if !unprinted {
                // what the API said stays whole, on stdout, behind the records that came before it
                let mut stdout = Output::stdout(world);
                stdout.put(world, &body)?;
                stdout.end(world)?;
            }
            let now = world.clock.now();
            let who = &call.who.after(caller);
            let refusal = Refusal { status, headers: &headers, body: &body, with_body: unprinted };
            Err(refusal.error(who, call.provider, now))
        }
        Err(e) => {
            out.give_up(world);
            Err(e)
        }
    }
}

/// Records on their way to the output: as they stand, a line each or one array, or shaped.
struct List {
    slurp: bool,
    some: bool,
    /// The array so far, if it is shaped when it is whole.
    whole: String,
    shaped: Option<Shaped>,
    out: Output,
}

impl List {
    /// Adds the records of one page; whether more are wanted.
    fn add(&mut self, world: &mut World, records: &[&RawValue]) -> Result<bool, Error> {
        if let (Some(shaped), false) = (&mut self.shaped, self.slurp) {
            let readable = records.iter().all(|record| value::read(record.get()).is_some());
            return if readable { shaped.put(world, &mut self.out, records) } else { Err(unreadable()) };
        }
        let mut text = String::new();
        for record in records {
            if self.slurp {
                text.push_str(if self.some { ",\n" } else { "[" });
            }
            self.some = true;
            text.push_str(&on_one_line(record.get()));
            if !self.slurp {
                text.push('\n');
            }
        }
        self.pass(world, &text)
    }

    fn pass(&mut self, world: &mut World, text: &str) -> Result<bool, Error> {
        if self.shaped.is_some() {
            self.whole.push_str(text);
            return Ok(true);
        }
        self.out.put(world, text.as_bytes())
    }

    /// Ends the list after its last record, or where it broke off.
    fn end(&mut self, world: &mut World, ended: Result<Outcome, Error>) -> Result<Outcome, Error> {
        let ended = match ended {
            Ok(Outcome::Done) => self.close(world).map(|()| Outcome::Done),
            other => other,
        };
        if !matches!(ended, Ok(Outcome::Done)) {
            match &mut self.shaped {
                // the rows of a table that came before it ended are shown, as those of other forms
                // are by now
                Some(shaped) => drop(shaped.end(world, &mut self.out, false)?),
                // an array that has no end says that it isn't whole; what follows begins on a line
                // of its own
                None if self.slurp && self.some => drop(self.out.put(world, b"\n")?),
                None => {}
            }
        }
        ended
    }

    fn close(&mut self, world: &mut World) -> Result<(), Error> {
        if self.slurp {
            self.pass(world, if self.some { "]\n" } else { "[]\n" })?;
        }
        let Some(shaped) = &mut self.shaped else { return Ok(()) };
        if self.slurp {
            let whole = value::read(&self.whole).ok_or_else(unreadable)?;
            shaped.put(world, &mut self.out, &whole)?;
        }
        shaped.end(world, &mut self.out, true).map(|_| ())
    }
}

fn unreadable() -> Error {
    Error::new(Kind::Unsafe, "a record can't be read as JSON")
}

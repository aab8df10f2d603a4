//! `--explain`: each step as it happens, on stderr. Requests and responses are explained in the one
//! place that sends them; a grant explains only its other steps.

use crate::protocol::explain::{Line, Step, request, response};
use crate::wire::{Request, Response};
use crate::world::World;

/// Explains a step that sends no request.
pub fn step(world: &mut World, step: impl FnOnce() -> Step) {
    let Some((number, paint)) = world.next_step() else { return };
    let Step { title, section, why, lines } = step();
    let (bold, dim, plain) = if paint { ("\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
    let section = if section.is_empty() { String::new() } else { format!("  {dim}({section}){plain}") };
    write(world, &format!("{bold}[{number}] {title}{plain}{section}"));
    write(world, &format!("    {why}"));
    told(world, &lines, paint);
}

/// Explains a request before it is sent.
pub fn sending(world: &mut World, sent: &Request) {
    if world.explains() {
        let told = request(sent);
        step(world, || told);
    }
}

/// Explains a response.
pub fn answered(world: &mut World, got: &Response) {
    if let crate::world::Verbosity::Explained { paint, .. } = world.verbosity {
        told(world, &response(got), paint);
    }
}

fn told(world: &mut World, lines: &[Line], paint: bool) {
    let (out, back) = if paint { ("→", "←") } else { (">", "<") };
    let (blue, green, dim, plain) = match paint {
        true => ("\x1b[34m", "\x1b[32m", "\x1b[2m", "\x1b[0m"),
        false => ("", "", "", ""),
    };
    let entry = |arrow: &str, name: &str, value: &str, note: &str| {
        let note = if note.is_empty() { String::new() } else { format!("  {dim}{note}{plain}") };
        format!("    {arrow}   {name:22} {value}{note}")
    };
    for line in lines {
        let text = match line {
            Line::Out(text) => format!("    {blue}{out}{plain} {text}"),
            Line::In(text) => format!("    {green}{back}{plain} {text}"),
            Line::Sent(name, value, note) => entry(&format!("{blue}{out}{plain}"), name, value, note),
            Line::Got(name, value, note) => entry(&format!("{green}{back}{plain}"), name, value, note),
            Line::Compared(name, found, wanted, holds) => {
                let mark = match (holds, paint) {
                    (true, true) => "\x1b[32m✓\x1b[0m",
                    (true, false) => "=",
                    (false, true) => "\x1b[31m✗\x1b[0m",
                    (false, false) => "!",
                };
                entry(mark, name, found, wanted)
            }
        };
        write(world, &text);
    }
}

/// Writes a line; a closed stderr is no reason to stop.
fn write(world: &mut World, line: &str) {
    let line = world.folded(line);
    let _ = writeln!(world.err, "{line}");
}

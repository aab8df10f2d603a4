//! jq's meaning where jaq has another one: the expression is rewritten before it is compiled, and
//! `dialect.jq` defines what it is rewritten to, and what jaq has not or has otherwise. A test
//! compares the results with those of jq itself.

use jaq_core::load;
use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::ops::Math;
use jaq_core::path::{Part, Path};
use jaq_json::{Num, Val};

/// What the rewritten expression is called.
pub const MAIN: &str = "main";

/// The definitions that make jaq's language jq's, and the expression as one more of them.
/// `variables`: names with their `$`, and values as JSON. `None`: it can't be parsed.
pub fn definitions<'s>(code: &'s str, variables: &'s [(String, String)]) -> Option<impl Iterator<Item = Def<&'s str>>> {
    let mut body = adapted(load::parse(code, |parser| parser.term())?);
    for (name, value) in variables.iter().rev() {
        let value = load::parse(value, |parser| parser.term())?;
        let bind = BinaryOp::Pipe(Some(Pattern::Var(name.as_str())));
        body = Term::BinOp(Box::new(value), bind, Box::new(body));
    }
    let ours = load::parse(include_str!("dialect.jq"), |parser| parser.defs())?;
    Some(ours.into_iter().chain([Def { name: MAIN, args: Vec::new(), body }]))
}

/// Returns the value in JSON's range and its numbers as jq writes them. jq also has NaN (printed as
/// `null`), infinities (printed as the largest number), byte strings, and any value as a member's
/// name.
pub fn tidy(value: Val) -> Val {
    match value {
        // most are, and a copy takes as much memory again
        value if is_tidy(&value) => value,
        Val::Num(Num::Float(number)) if number.is_nan() => Val::Null,
        Val::Num(Num::Float(number)) => Val::Num(written(number.clamp(f64::MIN, f64::MAX))),
        Val::BStr(_) => Val::from(text(&value)),
        Val::Arr(list) => Val::Arr(list.iter().cloned().map(tidy).collect::<Vec<_>>().into()),
        Val::Obj(members) => {
            let member = |(name, item): (&Val, &Val)| (Val::from(text(name)), tidy(item.clone()));
            Val::obj(members.iter().map(member).collect())
        }
        other => other,
    }
}

fn is_tidy(value: &Val) -> bool {
    let is_name = |name: &Val| matches!(name, Val::TStr(bytes) if std::str::from_utf8(bytes).is_ok());
    match value {
        Val::Num(Num::Float(_)) | Val::BStr(_) => false,
        Val::Arr(list) => list.iter().all(is_tidy),
        Val::Obj(members) => members.iter().all(|(name, item)| is_name(name) && is_tidy(item)),
        _ => true,
    }
}

/// A text without its quotes, any other value as JSON.
pub fn text(value: &Val) -> String {
    match value {
        Val::TStr(bytes) | Val::BStr(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => other.to_string(),
    }
}

fn written(number: f64) -> Num {
    if number.fract() == 0.0 && number.abs() < 1e17 {
        return Num::Int(number as isize);
    }
    let text = format!("{number:e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let text = match power.parse::<i32>().unwrap_or(0) {
        -4..=16 => number.to_string(),
        power => format!("{digits}e{}{:02}", if power < 0 { '-' } else { '+' }, power.abs()),
    };
    Num::Dec(text.into())
}

fn call<'s>(name: &'s str, args: Vec<Term<&'s str>>) -> Term<&'s str> {
    Term::Call(name, args)
}

fn piped<'s>(left: Term<&'s str>, name: &'s str) -> Term<&'s str> {
    Term::BinOp(Box::new(left), BinaryOp::Pipe(None), Box::new(call(name, Vec::new())))
}

/// Returns the term with jq's meaning.
fn adapted(term: Term<&str>) -> Term<&str> {
    let boxed = |term: Box<Term<_>>| Box::new(adapted(*term));
    let all = |terms: Vec<Term<_>>| terms.into_iter().map(adapted).collect();
    match term {
        Term::Var("$ENV") => call("env", Vec::new()),
        Term::Str(format, parts) => {
            let part = |part| match part {
                StrPart::Term(term) => StrPart::Term(piped(adapted(term), "tidy")),
                part => part,
            };
            Term::Str(format, parts.into_iter().map(part).collect())
        }
        Term::BinOp(left, operator, right) => operation(adapted(*left), operator, adapted(*right)),
        Term::Arr(inner) => Term::Arr(inner.map(boxed)),
        Term::Obj(members) => {
            Term::Obj(members.into_iter().map(|(name, value)| (adapted(name), value.map(adapted))).collect())
        }
        Term::Neg(inner) => Term::Neg(boxed(inner)),
        Term::Label(name, inner) => Term::Label(name, boxed(inner)),
        Term::Fold(name, over, pattern, args) => Term::Fold(name, boxed(over), pattern, folded(name, all(args))),
        Term::TryCatch(inner, catch) => Term::TryCatch(boxed(inner), catch.map(boxed)),
        Term::IfThenElse(cases, other) => {
            let case = |(condition, then)| (adapted(condition), adapted(then));
            Term::IfThenElse(cases.into_iter().map(case).collect(), other.map(boxed))
        }
        Term::Def(definitions, inner) => {
            let one = |Def { name, args, body }| Def { name, args, body: adapted(body) };
            Term::Def(definitions.into_iter().map(one).collect(), boxed(inner))
        }
        Term::Call(name, args) => Term::Call(name, all(args)),
        Term::Path(of, Path(parts)) => {
            let part = |part| match part {
                Part::Index(at) => Part::Index(adapted(at)),
                Part::Range(from, to) => Part::Range(from.map(adapted), to.map(adapted)),
            };
            Term::Path(boxed(of), Path(parts.into_iter().map(|(p, opt)| (part(p), opt)).collect()))
        }
        other => other,
    }
}

/// Returns the arguments of a loop whose update may have several outputs, or none. The state of
/// `foreach` is the list of an update's outputs.
fn folded<'s>(name: &str, args: Vec<Term<&'s str>>) -> Vec<Term<&'s str>> {
    let pipe = |left, right| Term::BinOp(Box::new(left), BinaryOp::Pipe(None), Box::new(right));
    let mut args = args.into_iter();
    let (Some(start), Some(update)) = (args.next(), args.next()) else { return Vec::new() };
    if name == "reduce" {
        return vec![start, call("__last", vec![update])];
    }
    let list = |term| Term::Arr(Some(Box::new(term)));
    let update = pipe(call("last", Vec::new()), list(update));
    vec![pipe(start, list(Term::Id)), update, pipe(call("__each", Vec::new()), args.next().unwrap_or(Term::Id))]
}

fn operation<'s>(left: Term<&'s str>, operator: BinaryOp<&'s str>, right: Term<&'s str>) -> Term<&'s str> {
    /// No name that can be typed.
    const RIGHT: &str = "$ right";
    let binary = |left, operator, right| Term::BinOp(Box::new(left), operator, Box::new(right));
    let divisor = |operator: &BinaryOp<_>, right| match operator {
        BinaryOp::Math(Math::Div) => piped(right, "divisor"),
        _ => right,
    };
    // `left op= right` is `right as $x | left |= (. op $x)`
    let with = |operator: BinaryOp<&'s str>| {
        let var = divisor(&operator, Term::Var(RIGHT));
        let update = call("__update", vec![left.clone(), binary(Term::Id, operator, var)]);
        binary(right.clone(), BinaryOp::Pipe(Some(Pattern::Var(RIGHT))), update)
    };
    match operator {
        BinaryOp::Assign => call("__assign", vec![left, right]),
        BinaryOp::Update => call("__update", vec![left, right]),
        BinaryOp::UpdateMath(math) => with(BinaryOp::Math(math)),
        BinaryOp::UpdateAlt => with(BinaryOp::Alt),
        operator => {
            let right = divisor(&operator, right);
            binary(left, operator, right)
        }
    }
}

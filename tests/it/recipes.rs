//! The README's recipes run unchanged in a shell, against the practice servers.
#![cfg(unix)]

use std::path::Path;
use std::process::Command;

use oauthctl::sandbox::{Manners, Options, Server};
use serde_json::{Value, json};

use crate::call_pages::{constantcontact, verticalresponse};
use crate::readme::blocks;
use crate::world::Person;

/// Runs the README's block of this kind with the token that the person has signed in for; its
/// stdout.
#[expect(clippy::disallowed_methods, reason = "the program itself, as a person's shell starts it")]
fn run(me: &Person, profile: &str, kind: &str) -> String {
    let script = blocks(kind).concat();
    assert!(!script.is_empty(), "no recipe for {kind}");
    let program = Path::new(env!("CARGO_BIN_EXE_oauthctl"));
    let run = Command::new("sh")
        .args(["-ec", &script])
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", program.parent().unwrap().display()))
        .env("HOME", me.path(""))
        .env("OAUTHCTL_CONFIG_DIR", me.path("config/oauthctl"))
        .env("OAUTHCTL_STATE_DIR", me.path("state-of-the-shell"))
        .env("OAUTHCTL_CC_TOKEN", me.kept(profile, "access_token"))
        .env("OAUTHCTL_VERTICALRESPONSE_TOKEN", me.kept(profile, "access_token"))
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && run.stderr.is_empty(), "{}\n{out}\n{err}", run.status);
    out.into_owned()
}

fn asked(server: &Server, from: usize) -> Vec<String> {
    server.log()[from..].iter().map(|l| format!("{} {} {}", l.method, l.path, l.status)).collect()
}

#[test]
fn verticalresponses_lists_and_contacts() {
    let (me, _server) = verticalresponse(120);
    let out = run(&me, "verticalresponse", "sh verticalresponse");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 123);
    assert_eq!((lines[0], lines[3]), ("Customers", "contact.1@example.test\tAda"));
}

#[test]
fn constant_contacts_three_ways_to_add_a_contact() {
    let (mut me, server) =
        constantcontact(Options { per_second: Some(1000), ..Options::new(Manners::ConstantContact) });
    me.later(2);
    let before = server.log().len();
    let out = run(&me, "constantcontact", "sh constantcontact");
    // an answer's bytes end as the API ended them: without a line end
    let values: Vec<Value> = serde_json::Deserializer::from_str(&out).into_iter().map(Result::unwrap).collect();
    assert_eq!(values[0]["action"], "created");
    assert_eq!(
        values.last().unwrap(),
        &json!({ "items_total_count": 2, "items_completed_count": 2, "error_count": 0 })
    );
    // nothing was lost by the PUT
    let done = me.types("call constantcontact /contacts email==ann@example.test");
    let ann = &serde_json::from_str::<Value>(&done.out).unwrap()["contacts"][0];
    assert_eq!((ann["first_name"].as_str(), ann["job_title"].as_str()), (Some("Ann"), Some("Reader")));
    assert_eq!(ann["list_memberships"].as_array().map(Vec::len), Some(1));
    for email in ["ben@example.test", "eva@example.test"] {
        let done = me.types(&format!("call constantcontact /contacts email=={email} --jq .contacts|length"));
        assert_eq!(done.out, "1\n");
    }
    let asked = asked(&server, before);
    assert!(asked[..2].iter().map(|a| a.rsplit_once(' ').unwrap().1).eq(["201", "201"]), "{asked:?}");
    assert!(asked.iter().all(|a| !a.ends_with("429")), "{asked:?}");
}

//! `helper install`, `uninstall` and `list`: the lines in a tool's own configuration that name a
//! helper. A change is shown before it is made, and its record (`<state>/helpers/NAME.json`) takes
//! it back byte for byte; where the file was laid out anew since, entry by entry.
//!
//! The files are written here and not by the tools' own commands (`git config`, `go env -w`): those
//! are not always there, lay out the file anew, and leave empty sections behind.

mod change;
mod taken;
mod tools;
mod whole;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde::{Deserialize, Serialize};
use serde_json::json;

use change::Change;
use tools::{Own, Rule, Site, TOOLS, Takes, Tool, named};

use super::Alone;
use super::chosen::{Chosen, must_exist};
use crate::address::Service;
use crate::api::format::table::aligned;
use crate::command::{Global, TextOrJson, known, may_ask, print, screen};
use crate::error::{Error, Kind, unanswered};
use crate::session::paths::Paths;
use crate::text::{ForTerminal, for_a_shell, pasted, safe};
use crate::world::files::{self, Claim};
use crate::world::{Env, World};

#[derive(Args, Debug)]
#[command(
    after_help = "The change is shown first, and made after a question. The tool's file keeps all else byte for byte;
`helper uninstall` takes back what was written. A host must be the profile's already: it is that of
its API, or among its `helper-hosts`. Options of the helper itself come after `--`.

Examples:
  oauthctl helper install git --profile work --host git.example.com
  oauthctl helper install cargo --profile work
  oauthctl helper install aws -- --region eu-west-1 --role-arn ARN"
)]
pub struct InstallArgs {
    /// The tool, by the name of its helper.
    #[arg(value_name = "NAME", value_parser = PossibleValuesParser::new(TOOLS.iter().map(|tool| tool.name)))]
    tool: String,
    /// The profile [default: the one that the host belongs to]
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// A host that the tool asks for; may be given several times [default: the `helper-hosts`]
    #[arg(long, value_name = "HOST")]
    host: Vec<String>,
    /// Make the change without a question.
    #[arg(long)]
    yes: bool,
    /// Options of the helper.
    #[arg(last = true, value_name = "OPTION")]
    options: Vec<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  oauthctl helper uninstall git
  oauthctl helper uninstall docker --host registry.example.com")]
pub struct UninstallArgs {
    /// The tool, by the name of its helper.
    #[arg(value_name = "NAME", value_parser = PossibleValuesParser::new(TOOLS.iter().map(|tool| tool.name)))]
    tool: String,
    /// What was installed for this profile [default: for every one]
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// What was installed for this host; may be given several times [default: for every one]
    #[arg(long, value_name = "HOST")]
    host: Vec<String>,
    /// Make the change without a question.
    #[arg(long)]
    yes: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  oauthctl helper list")]
pub struct ListArgs {
    /// The form of the output.
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
}

/// What was written for a tool.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Record {
    rules: Vec<Rule>,
    /// The tool's file.
    file: Option<PathBuf>,
    /// There was none before.
    made: bool,
    changes: Vec<Change>,
    own: Vec<Own>,
    /// Folders that were made.
    folders: Vec<PathBuf>,
    /// The program and the folder of scripts that stand in the tool's file.
    program: String,
    scripts: PathBuf,
}

/// A tool's installation, while it is changed: one process at a time.
struct Installation {
    tool: &'static Tool,
    place: PathBuf,
    record: Record,
    _lock: fs::File,
}

/// What is to be done.
#[derive(Default)]
struct Plan {
    record: Record,
    edits: Vec<Edit>,
    /// What was written and is no longer there: of rules that stay, and of others.
    missed: Vec<String>,
    lost: Vec<String>,
    /// Lines of others that name what goes.
    mentions: Vec<String>,
}

/// The text of a file before and after; `None`: there is no file.
struct Edit {
    file: PathBuf,
    before: Option<String>,
    after: Option<String>,
    runs: bool,
}

pub fn install(args: &InstallArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let installed = Installation::open(world, &args.tool)?;
    let tool = installed.tool;
    let mut rules = installed.record.rules.clone();
    for rule in wanted(args, tool, global, world)? {
        must_be_read(tool, &rule)?;
        let same = |old: &&Rule| old.host == rule.host && (rule.host.is_some() || old.profile == rule.profile);
        let alike = |old: &&Rule| rule.host.is_none() && old.profile != rule.profile && named(old) == named(&rule);
        if let Some(old) = rules.iter().find(alike) {
            let why = format!("{} has a helper of this name already, {}", tool.name, in_words(old));
            return Err(Error::usage(why).hint("oauthctl profile rename --help"));
        }
        let alone = matches!(tool.takes, Takes::One | Takes::Audience);
        match rules.iter().find(|old| alone || same(old)) {
            Some(old) if *old == rule => {}
            Some(old) => {
                let line = uninstalling(tool, old);
                return Err(Error::usage(format!("{} has a helper already, {}", tool.name, in_words(old))).hint(line));
            }
            None => rules.push(rule),
        }
    }
    if rules == installed.record.rules {
        world.say(&format!("the helper is installed for {} already: nothing is changed", tool.name));
        return Ok(0);
    }
    let next: Vec<String> = rules.iter().skip(installed.record.rules.len()).filter_map(tool.next).collect();
    installed.change(world, rules, args.yes)?;
    for line in next {
        world.say(&line);
    }
    for folder in ["OAUTHCTL_CONFIG_DIR", "OAUTHCTL_STATE_DIR"] {
        if world.env.var_os(folder).is_some() {
            world.say(&format!("{folder} is set here: {} needs it too, wherever it runs", tool.name));
        }
    }
    Ok(0)
}

pub fn uninstall(args: &UninstallArgs, world: &mut World) -> Result<u8, Error> {
    let installed = Installation::open(world, &args.tool)?;
    let hosts: Vec<String> = args.host.iter().map(|host| spelled(host)).collect();
    let goes = |rule: &Rule| {
        let of_host = hosts.is_empty() || rule.host.as_ref().is_some_and(|host| hosts.contains(host));
        of_host && args.profile.as_ref().is_none_or(|name| rule.profile.as_ref() == Some(name))
    };
    let rest: Vec<Rule> = installed.record.rules.iter().filter(|rule| !goes(rule)).cloned().collect();
    if rest == installed.record.rules {
        world.say(&format!("no such helper was installed for {}: nothing is changed", args.tool));
        return Ok(0);
    }
    installed.change(world, rest, args.yes).map(|()| 0)
}

/// Tells of helpers that name a profile which has no longer this name.
pub fn tell_of(world: &mut World, profile: &str) -> Result<(), Error> {
    let folder = records(world)?;
    for tool in TOOLS {
        let record = read_record(&folder.join(format!("{}.json", tool.name)))?.unwrap_or_default();
        if record.rules.iter().any(|rule| rule.profile.as_deref() == Some(profile)) {
            let line = format!("oauthctl helper uninstall {} --profile {}", tool.name, for_a_shell(profile));
            world.warn(&format!("the helper of {} still names `{}`: {line}", tool.name, safe(profile)));
        }
    }
    Ok(())
}

pub fn list(args: &ListArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let folder = records(world)?;
    let (mut rows, mut objects) = (vec![["TOOL", "PROFILE", "HOST", "FILE", "STATE"].map(str::to_owned)], Vec::new());
    for tool in TOOLS {
        let Some(record) = read_record(&folder.join(format!("{}.json", tool.name)))? else { continue };
        let file = record.file.as_ref().or(record.own.first().map(|own| &own.file));
        let file = file.map(|file| file.display().to_string()).unwrap_or_default();
        let stands = record.stands(tool, &*world.env);
        for rule in &record.rules {
            let has_profile = rule.profile.as_ref().is_none_or(|name| must_exist(world, global, name).is_ok());
            objects.push(known(json!({
                "tool": tool.name, "profile": rule.profile, "host": rule.host, "file": file, "installed": stands && has_profile,
            })));
            let or = |word: &Option<String>, other: &str| word.as_deref().map_or(other.to_owned(), safe);
            let state = match (stands, has_profile) {
                (false, _) => "changed since",
                (_, false) => "no such profile",
                _ => "installed",
            };
            let (profile, host) = (or(&rule.profile, "the host's"), or(&rule.host, "all of the profile"));
            rows.push([tool.name.to_owned(), profile, host, safe(&file), state.to_owned()]);
        }
    }
    match args.format {
        TextOrJson::Json => print(world, format!("{}\n", json!(objects)).as_bytes())?,
        TextOrJson::Text if objects.is_empty() => world.say("No helper is installed. `oauthctl helper install --help`"),
        TextOrJson::Text => print(world, aligned(&rows, screen(world)).as_bytes())?,
    }
    Ok(0)
}

fn records(world: &World) -> Result<PathBuf, Error> {
    Ok(Paths::find(&*world.env).require_state()?.join("helpers"))
}

fn read_record(file: &Path) -> Result<Option<Record>, Error> {
    let unread = || Error::usage(format!("`{}` can't be read", safe(&file.display().to_string())));
    let text = files::read(file, 16 << 20).map_err(|e| unread().cause(e))?;
    text.map(|text| serde_json::from_slice(&text).map_err(|e| unread().cause(e))).transpose()
}

fn in_words(rule: &Rule) -> String {
    let profile =
        rule.profile.as_ref().map_or("the profile of the host".to_owned(), |name| format!("`{}`", safe(name)));
    rule.host.as_ref().map_or(format!("for {profile}"), |host| format!("for {profile} at {}", safe(host)))
}

fn uninstalling(tool: &Tool, rule: &Rule) -> String {
    let host = rule.host.as_ref().map(|host| format!(" --host {}", for_a_shell(host))).unwrap_or_default();
    format!("oauthctl helper uninstall {}{host}", tool.name)
}

/// A host as rules have it; what is none stays as it was typed.
fn spelled(host: &str) -> String {
    Service::parse(host).map_or(host.to_owned(), |service| service.to_string())
}

/// The rules that are asked for. Each host is one that may get the profile's token.
fn wanted(args: &InstallArgs, tool: &Tool, global: &Global, world: &mut World) -> Result<Vec<Rule>, Error> {
    let rule = |host| Rule { profile: args.profile.clone(), host, options: args.options.clone() };
    let chosen = Chosen { profile: args.profile.clone(), ..Chosen::default() };
    let mail = match tool.takes {
        Takes::Hosts { mail } => mail,
        Takes::Audience => {
            let [audience] = &args.host[..] else {
                return Err(Error::usage("one `--host` names the audience: `//iam.googleapis.com/projects/…`"));
            };
            let service = Service::of(&format!("https:{audience}")).map_err(Error::usage)?;
            chosen.must_own(world, global, &service)?;
            return Ok(vec![rule(Some(audience.clone()))]);
        }
        Takes::Profiles | Takes::One if args.host.is_empty() => {
            match &args.profile {
                Some(name) => must_exist(world, global, name)?,
                None if tool.name == "systemd" => return Err(Error::usage("`--profile` says whose token units get")),
                None => {}
            }
            return Ok(vec![rule(None)]);
        }
        Takes::Profiles | Takes::One => {
            return Err(Error::usage(format!("{} names no hosts in its configuration", tool.name))
                .hint("leave `--host` out: the profile's `helper-hosts` are the hosts that get the token"));
        }
    };
    let may = |service: &Service| mail || service.url().is_some();
    let mut services = Vec::new();
    for host in &args.host {
        let service = Service::parse(host).ok().filter(may);
        let service = service.ok_or_else(|| Error::usage(format!("`{}` is no host for {}", safe(host), tool.name)))?;
        chosen.must_own(world, global, &service)?;
        services.push(service);
    }
    if let Some(name) = args.profile.as_ref().filter(|_| services.is_empty()) {
        must_exist(world, global, name)?;
        services = chosen.services(world)?.into_iter().filter(may).collect();
    }
    match services.is_empty() {
        true => {
            let profile = args.profile.as_deref().map_or_else(|| "PROFILE".to_owned(), pasted);
            let keep = format!("oauthctl profile set {profile} helper-hosts HOST");
            Err(Error::usage(format!("no host is named that {} is to get a token for", tool.name))
                .hint(format!("name it: `--host`; or in the profile: `{keep}`")))
        }
        false => Ok(services.iter().map(|service| rule(Some(service.to_string()))).collect()),
    }
}

/// The tool would start a command line that can't be read.
fn must_be_read(tool: &Tool, rule: &Rule) -> Result<(), Error> {
    use clap::Parser as _;
    let words = tool.words(rule);
    let all = words.iter().map(String::as_str).chain(tool.added.iter().copied());
    let wrong = |e: clap::Error| {
        let text = e.render().to_string();
        let lines: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        let why = lines.join(" ").trim_start_matches("error: ").to_owned();
        Error::usage(format!("`oauthctl {}` is no command line", pasted(&words.join(" ")))).because(why)
    };
    Alone::try_parse_from(all)
        .map(drop)
        .map_err(wrong)
        .map_err(|e| e.hint(format!("oauthctl helper {} --help", tool.name)))
}

impl Installation {
    fn open(world: &World, name: &str) -> Result<Installation, Error> {
        let folder = records(world)?;
        let tool = TOOLS.iter().find(|tool| tool.name == name).ok_or_else(|| Error::usage("no such tool"))?;
        files::make_folder(&folder).map_err(not_written)?;
        let lock = files::lock(&folder.join("lock")).map_err(not_written)?;
        let place = folder.join(format!("{name}.json"));
        let record = read_record(&place)?.unwrap_or_default();
        Ok(Installation { tool, place, record, _lock: lock })
    }

    /// Shows what differs, asks, and writes it. The record comes first and goes last: what is
    /// written is known at any time.
    fn change(self, world: &mut World, rules: Vec<Rule>, yes: bool) -> Result<(), Error> {
        let name = self.tool.name;
        let seen = self.planned(&site(world)?, &rules)?;
        ask(world, &seen.edits, yes)?;
        let mut claim = self.claimed(&seen)?;
        // others may have written while the person read
        let Plan { mut record, edits, lost, mentions, .. } = self.planned(&site(world)?, &rules)?;
        record.folders = seen.record.folders;
        for line in &lost {
            world.warn(&format!("not found, since it was changed after it was written: {line}"));
        }
        let is_left = !record.rules.is_empty();
        if is_left {
            let text = serde_json::to_vec(&record).map_err(|e| Error::usage("no record").cause(e))?;
            files::replace(&self.place, &text).map_err(not_written)?;
        }
        for edit in &edits {
            edit.write(claim.take_if(|claim| claim.file == edit.file))?;
        }
        if !is_left {
            // the inner ones first; one that others use is not empty
            for folder in self.record.folders.iter().rev().chain([&site(world)?.scripts]) {
                let _ = fs::remove_dir(folder);
            }
            files::remove(&self.place).map_err(not_written)?;
        }
        mentions.iter().for_each(|line| world.warn(line));
        let done = if record.rules.len() > self.record.rules.len() { "installed" } else { "taken out" };
        world.say(&format!("{name}: the helper is {done}"));
        Ok(())
    }

    /// Keeps the tool itself from writing its file meanwhile.
    fn claimed(&self, plan: &Plan) -> Result<Option<Claim>, Error> {
        let own = plan.edits.iter().find(|edit| self.tool.locks && plan.record.file.as_ref() == Some(&edit.file));
        let Some(Edit { file, .. }) = own else { return Ok(None) };
        if let Some(folder) = file.parent().filter(|folder| !folder.exists()) {
            files::make_folder(folder).map_err(not_written)?;
        }
        let name = safe(&Claim::name(file).display().to_string());
        let held = || {
            Error::new(Kind::Other, format!("nothing is changed: `{name}` is there, so {} writes it", self.tool.name))
                .hint(format!("type it again; if no {} runs, remove that file first", self.tool.name))
        };
        Claim::of(file).map_err(not_written)?.map(Some).ok_or_else(held)
    }

    /// The record with these rules, and what has to be written.
    fn planned(&self, site: &Site, rules: &[Rule]) -> Result<Plan, Error> {
        let (name, rules) = (self.tool.name, rules.to_vec());
        let refused = |why| cant(name, why);
        let wrong = |why: Error| refused(why.to_string()).hints(why.hints);
        let own = if rules.is_empty() { Vec::new() } else { (self.tool.own)(site, &rules).map_err(wrong)? };
        let (program, scripts) = (site.program.clone(), site.scripts.clone());
        let mut plan = Plan { record: Record { rules, own, program, scripts, ..Record::default() }, ..Plan::default() };
        if !self.tool.steps.is_empty() {
            self.plan_file(site, &mut plan)?;
        }
        self.plan_own(&mut plan).map_err(refused)?;
        if !plan.missed.is_empty() {
            return Err(cant(name, "its lines there were changed since they were written".to_owned())
                .hint(format!("remove them, then: oauthctl helper uninstall {name}"))
                .hints(plan.missed));
        }
        plan.edits.retain(|edit| edit.before != edit.after);
        let new = plan.edits.iter().filter(|edit| edit.after.is_some()).filter_map(|edit| edit.file.parent());
        let missing = new.flat_map(|folder| folder.ancestors().take_while(|folder| !folder.exists()));
        let mut folders: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        folders.sort();
        folders.dedup();
        plan.record.folders = [self.record.folders.clone(), folders].concat();
        Ok(plan)
    }

    /// The tool's own file: without all that was written, and with all that is to stand there.
    fn plan_file(&self, site: &Site, plan: &mut Plan) -> Result<(), Error> {
        let (old, name) = (&self.record, self.tool.name);
        let found = match &old.file {
            Some(file) => Some(file.clone()),
            None => self.tool.file(site).map_err(|why| cant(name, why))?,
        };
        let Some(file) = found.map(|file| files::linked(&file).unwrap_or(file)) else { return Ok(()) };
        let shown = safe(&file.display().to_string());
        let named = |why: String| cant(name, format!("`{shown}`: {why}"));
        let before = text_of(&file).map_err(named)?;
        let made = if old.file.is_some() { old.made } else { before.is_none() };
        let whole = before.clone().unwrap_or_default();
        let (mut text, lost) = old.without(self.tool, site.env, &whole).map_err(|why| {
            named(why)
                .hint(format!("delete what is left of it, then: oauthctl helper uninstall {name}"))
                .hints(of_ours(&whole).map(|(number, line)| format!("line {number}: {}", self::shown(line.trim()))))
        })?;
        for step in self.tool.steps.iter().filter(|_| !plan.record.rules.is_empty()) {
            let next = in_lines(&text, |text| step(site, &plan.record.rules, text)).map_err(named)?;
            plan.record.changes.extend(Change::between(&text, &next));
            text = next;
        }
        let after = Some(text).filter(|text| !text.is_empty() || !(made || before.is_none()));
        plan.edits.push(Edit { file: file.clone(), before, after, runs: false });
        (plan.record.file, plan.record.made) = (Some(file), made);
        let (missed, lost): (Vec<Rule>, Vec<Rule>) =
            lost.into_iter().partition(|rule| plan.record.rules.contains(rule));
        let gone = old.rules.iter().filter(|rule| !plan.record.rules.contains(rule));
        let mentions: Vec<String> = gone.filter_map(self.tool.mention).collect();
        plan.mentions = (1..)
            .zip(plan.edits.last().and_then(|edit| edit.after.as_deref()).unwrap_or_default().lines())
            .filter(|(_, line)| mentions.iter().any(|mention| line.trim() == mention))
            .map(|(number, line)| format!("line {number} of `{shown}` still names it: `{}`", self::shown(line.trim())))
            .collect();
        plan.missed.extend(missed.iter().map(in_words));
        plan.lost.extend(lost.iter().map(in_words));
        Ok(())
    }

    fn plan_own(&self, plan: &mut Plan) -> Result<(), String> {
        let old = &self.record;
        for own in plan.record.own.iter().filter(|own| !old.own.contains(own)) {
            let before = text_of(&own.file)?;
            // a link to nothing is somebody's as well
            let is_there = before.is_some() || own.file.is_symlink();
            if is_there && !old.own.iter().any(|old| old.file == own.file) {
                return Err(format!("`{}` is there already", safe(&own.file.display().to_string())));
            }
            plan.edits.push(Edit { file: own.file.clone(), before, after: Some(own.text.clone()), runs: own.runs });
        }
        for own in old.own.iter().filter(|own| plan.record.own.iter().all(|new| new.file != own.file)) {
            match text_of(&own.file)? {
                Some(text) if text == own.text => {
                    plan.edits.push(Edit { file: own.file.clone(), before: Some(text), after: None, runs: own.runs });
                }
                Some(_) => plan.lost.push(own.file.display().to_string()),
                None => {}
            }
        }
        Ok(())
    }
}

impl Record {
    /// The text without what was written, and the rules of which nothing was found. `Err`: it is
    /// there, and can't be taken out.
    fn without(&self, tool: &Tool, env: &dyn Env, text: &str) -> Result<(String, Vec<Rule>), String> {
        if let Some(before) = self.undone(text) {
            return Ok((before, Vec::new()));
        }
        let site = Site { env, program: self.program.clone(), scripts: self.scripts.clone() };
        let (mut rest, mut lost) = (text.to_owned(), Vec::new());
        for rule in self.rules.iter().rev() {
            match in_lines(&rest, |text| (tool.gone)(&site, rule, text)) {
                Ok(next) if next != rest => rest = next,
                Err(why) if of_ours(text).next().is_some() => return Err(why),
                _ => lost.push(rule.clone()),
            }
        }
        Ok((rest, lost))
    }

    /// The text as it was before, if what was written stands there as it was written.
    fn undone(&self, text: &str) -> Option<String> {
        let mut text = text.to_owned();
        for (number, change) in self.changes.iter().enumerate().rev() {
            // what frames a new file goes if nothing else is in it: with others' lines it is theirs
            let frames = number == 0 && self.made && !change.is_of_ours();
            match change.undone(&text) {
                Some(before) if !frames || before.trim().is_empty() => text = before,
                _ if frames => {}
                _ => return None,
            }
        }
        Some(text)
    }

    /// Whether all that was written is there.
    fn stands(&self, tool: &Tool, env: &dyn Env) -> bool {
        let text = self.file.as_ref().map(|file| text_of(file).ok().flatten().unwrap_or_default());
        let found = self.without(tool, env, &text.unwrap_or_default());
        found.is_ok_and(|(_, lost)| lost.is_empty())
            && self.own.iter().all(|own| text_of(&own.file).ok().flatten().as_ref() == Some(&own.text))
    }
}

/// A change of a text, whose line ends may be those of Windows, and stay so.
fn in_lines(text: &str, change: impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let lines = text.replace("\r\n", "\n");
    match lines != text && lines.replace('\n', "\r\n") == text {
        true => Ok(change(&lines)?.replace('\n', "\r\n")),
        false => change(text),
    }
}

/// The lines of a text that name this program, by their numbers.
fn of_ours(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter(|(_, line)| line.contains("oauthctl"))
}

fn cant(name: &str, why: String) -> Error {
    Error::usage(format!("the helper of {name} can't be changed")).because(why)
}

impl Edit {
    fn write(&self, claim: Option<Claim>) -> Result<(), Error> {
        let Some(after) = &self.after else {
            return files::remove(&self.file).map(drop).map_err(not_written);
        };
        if let Some(folder) = self.file.parent().filter(|folder| !folder.exists()) {
            files::make_folder(folder).map_err(not_written)?;
        }
        match claim {
            Some(claim) => claim.replace(after.as_bytes()),
            None => files::replace_shared(&self.file, after.as_bytes()),
        }
        .map_err(not_written)?;
        if self.runs { files::may_run(&self.file).map_err(not_written) } else { Ok(()) }
    }
}

fn not_written(e: files::PrivateError) -> Error {
    Error::new(Kind::Other, "the helper's files can't be written").cause(e)
}

fn text_of(file: &Path) -> Result<Option<String>, String> {
    match fs::read(file) {
        Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| "it is not in UTF-8".to_owned()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e.to_string()),
    }
}

fn site(world: &World) -> Result<Site<'_>, Error> {
    let scripts = Paths::find(&*world.env).require_config()?.join("helpers");
    Ok(Site { env: &*world.env, program: program(world)?, scripts })
}

/// This program, by the name under which `PATH` has it: an update keeps that one.
fn program(world: &World) -> Result<String, Error> {
    let own = world.programs.installed().map(|own| own.file);
    let own = own.ok_or_else(|| Error::usage("the system doesn't say where this program lies"))?;
    let folders = world.env.folders(&world.env.var_os("PATH").unwrap_or_default());
    let names = folders.iter().map(|folder| folder.join(own.file_name().unwrap_or_default()));
    let same = |name: &PathBuf| name.canonicalize().is_ok_and(|name| own.canonicalize().is_ok_and(|own| own == name));
    let file = names.into_iter().find(same).unwrap_or(own);
    file.to_str().map(str::to_owned).ok_or_else(|| Error::usage("the path of this program is not in UTF-8"))
}

fn ask(world: &mut World, edits: &[Edit], yes: bool) -> Result<(), Error> {
    const NOT: &str = "nothing is changed";
    let mut lines = Vec::new();
    for edit in edits {
        let is = match (&edit.before, &edit.after) {
            (None, _) => ", a new file",
            (_, None) => ", which is removed",
            _ => "",
        };
        lines.push(format!("{}{is}:", safe(&edit.file.display().to_string())));
        let texts = [&edit.before, &edit.after].map(|text| text.as_deref().unwrap_or_default());
        lines.extend(change::shown(texts[0], texts[1]).iter().map(|line| shown(line)));
    }
    if yes || !may_ask(world) {
        lines.iter().for_each(|line| world.say(line));
        return match yes {
            true => Ok(()),
            false => Err(Error::usage(format!("{NOT}: there is no terminal to ask at")).hint("`--yes` changes it")),
        };
    }
    lines.iter().for_each(|line| world.lead(line));
    match world.ask_whether("Change it?", true) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::new(Kind::Refused, NOT)),
        Err(e) => Err(unanswered(e, NOT)),
    }
}

/// A line of a file on a screen.
fn shown(line: &str) -> String {
    String::from_utf8_lossy(&ForTerminal::default().clean(line.replace('\t', "    ").as_bytes())).into_owned()
}

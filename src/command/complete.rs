//! `complete`: suggests the next word of a command line, at each Tab. It reads the files of the
//! configuration: no store, no network, no lock.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use clap::{Arg, ArgAction, Args, Command};

use crate::command::topics::{self, TOPICS};
use crate::command::{definition, print};
use crate::config::{self, Config};
use crate::error::Error;
use crate::provider::{Provider, VarFrom, catalogue};
use crate::session::paths::Paths;
use crate::text::safe;
use crate::world::World;

#[derive(Args, Debug)]
pub struct CompleteArgs {
    /// The word at the cursor, as far as it is typed.
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    pub word: String,
    /// The words before it, without the program's own.
    #[arg(last = true)]
    pub before: Vec<String>,
}

/// Prints a line for each word that fits: the word, a tab, and its explanation. With `:files` or
/// `:commands` the shell completes names itself; the beginning of the word follows the tab.
pub fn run(args: CompleteArgs, world: &mut World) -> Result<u8, Error> {
    let dir = Paths::find(&*world.env).config.unwrap_or_default();
    let mut root = definition();
    root.build();
    let line = Line::read(&root, &args.before, &dir);
    let offers = line.all(&args.word).into_iter().filter(|offer| offer.fits(&args.word));
    let mut lines = String::new();
    offers.for_each(|offer| lines.extend([offer.word.as_str(), "\t", &offer.about, "\n"]));
    print(world, lines.as_bytes())?;
    Ok(0)
}

struct Offer {
    word: String,
    about: String,
    /// The shell completes it: `word` says with what, `about` is the beginning of the typed word.
    by_shell: bool,
}

impl Offer {
    fn new(word: impl Into<String>, about: impl AsRef<str>) -> Offer {
        let about = safe(about.as_ref().lines().next().unwrap_or_default());
        Offer { word: word.into(), about, by_shell: false }
    }

    fn files(beginning: &str) -> Offer {
        Offer { word: ":files".to_owned(), about: beginning.to_owned(), by_shell: true }
    }

    /// The same after a part of the word that is typed already.
    fn after(self, before: &str) -> Offer {
        match self.by_shell {
            true => Offer { about: format!("{before}{}", self.about), ..self },
            false => Offer { word: format!("{before}{}", self.word), ..self },
        }
    }

    fn fits(&self, typed: &str) -> bool {
        self.by_shell || (self.word.starts_with(typed) && !self.word.contains(char::is_control))
    }
}

fn plain_words(words: &[&str]) -> Vec<Offer> {
    words.iter().map(|word| Offer::new(*word, "")).collect()
}

fn help_of(arg: &Arg) -> String {
    arg.get_help().map(ToString::to_string).unwrap_or_default()
}

/// The line before the cursor, parsed as far as possible.
struct Line<'a> {
    root: &'a Command,
    command: &'a Command,
    dir: &'a Path,
    /// The words that are no options.
    words: Vec<&'a str>,
    /// The options with their values.
    given: Vec<(&'a Arg, &'a str)>,
    /// The option whose value comes next.
    open: Option<&'a Arg>,
    /// No more options from here on.
    plain: bool,
}

impl<'a> Line<'a> {
    fn read(root: &'a Command, before: &'a [String], dir: &'a Path) -> Line<'a> {
        let mut line =
            Line { root, command: root, dir, words: Vec::new(), given: Vec::new(), open: None, plain: false };
        for word in before {
            line.take(word);
        }
        line
    }

    fn take(&mut self, word: &'a str) {
        if let Some(arg) = self.open.take() {
            self.given.push((arg, word));
        } else if self.plain || word == "-" || !word.starts_with('-') {
            match self.command.find_subcommand(word).filter(|_| self.words.is_empty() && !self.plain) {
                Some(command) => self.command = command,
                None => self.words.push(word),
            }
            self.plain |= self.command.get_positionals().any(Arg::is_trailing_var_arg_set) && !self.words.is_empty();
        } else if word == "--" {
            self.plain = true;
            if self.is_behind() {
                self.words.clear();
            }
        } else {
            self.option(word);
        }
    }

    /// Whether the words are those behind the `--` of `run`.
    fn is_behind(&self) -> bool {
        self.plain && self.command.get_positionals().any(Arg::is_last_set)
    }

    /// `--name`, `--name=value`, `-x`, `-xvalue`, or several letters in one.
    fn option(&mut self, word: &'a str) {
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            match self.long(name) {
                Some(arg) if value.is_none() && arg.get_action().takes_values() && !arg.is_require_equals_set() => {
                    self.open = Some(arg);
                }
                Some(arg) => self.given.push((arg, value.unwrap_or_default())),
                None => {}
            }
            return;
        }
        for (at, letter) in word.char_indices().skip(1) {
            let Some(arg) = self.command.get_arguments().find(|arg| arg.get_short() == Some(letter)) else { return };
            let rest = &word[at + letter.len_utf8()..];
            match (arg.get_action().takes_values(), rest) {
                (true, "") => self.open = Some(arg),
                (taken, _) => self.given.push((arg, if taken { rest } else { "" })),
            }
            if arg.get_action().takes_values() {
                return;
            }
        }
    }

    fn long(&self, name: &str) -> Option<&'a Arg> {
        self.command.get_arguments().find(|arg| arg.get_long() == Some(name))
    }

    /// The value of an option, by the argument's own name.
    fn value(&self, id: &str) -> Option<&'a str> {
        self.given.iter().rev().find(|(arg, _)| arg.get_id() == id).map(|(_, value)| *value)
    }

    fn all(&self, word: &str) -> Vec<Offer> {
        if let Some(arg) = self.open {
            return self.values(arg, word);
        }
        if !self.plain && word.starts_with('-') {
            let Some((name, rest)) = word.split_once('=') else { return self.options() };
            let values = self.long(name.trim_start_matches('-')).map(|arg| self.values(arg, rest)).unwrap_or_default();
            return values.into_iter().map(|offer| offer.after(&format!("{name}="))).collect();
        }
        if self.words.is_empty() && self.command.has_subcommands() {
            let subs = self.command.get_subcommands().filter(|sub| !sub.is_hide_set());
            let about = |sub: &Command| sub.get_about().map(ToString::to_string).unwrap_or_default();
            let subs = subs.map(|sub| Offer::new(sub.get_name(), about(sub)));
            let at_help = self.root.find_subcommand("help").is_some_and(|help| std::ptr::eq(help, self.command));
            let topics = TOPICS.iter().filter(|_| at_help).map(|(name, text)| Offer::new(*name, topics::title(text)));
            return subs.chain(topics).collect();
        }
        let places = || self.command.get_positionals().filter(|arg| arg.is_last_set() == self.is_behind());
        let many = |arg: &&Arg| matches!(arg.get_action(), ArgAction::Append);
        match places().nth(self.words.len()).or_else(|| places().last().filter(many)) {
            Some(_) if self.command.get_name() == "call" => self.call(word),
            Some(arg) => self.values(arg, word),
            None => self.options(),
        }
    }

    /// The options that can still be given.
    fn options(&self) -> Vec<Offer> {
        let shut = |arg: &Arg| {
            self.given.iter().any(|(given, _)| {
                let again = given.get_id() == arg.get_id() && !matches!(arg.get_action(), ArgAction::Append);
                again || self.exclude(given, arg) || self.exclude(arg, given)
            })
        };
        let open = self.command.get_arguments().filter(|arg| !arg.is_hide_set() && !shut(arg));
        open.filter_map(|arg| Some(Offer::new(format!("--{}", arg.get_long()?), help_of(arg)))).collect()
    }

    fn exclude(&self, one: &Arg, other: &Arg) -> bool {
        self.command.get_arg_conflicts_with(one).iter().any(|arg| arg.get_id() == other.get_id())
    }

    /// The values of an argument, by its possible values or by the name of its value.
    fn values(&self, arg: &Arg, word: &str) -> Vec<Offer> {
        let known = arg.get_possible_values();
        if !known.is_empty() {
            let about = |value: &clap::builder::PossibleValue| value.get_help().map(ToString::to_string);
            let shown = known.iter().filter(|value| !value.is_hide_set());
            return shown.map(|value| Offer::new(value.get_name(), about(value).unwrap_or_default())).collect();
        }
        let name = arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
        match name {
            // `login` makes a profile from the name of a provider
            "PROFILE" if self.command.get_name() == "login" && arg.is_positional() => {
                both(self.profiles(word), self.providers(word))
            }
            "PROFILE" | "TOKEN|-|PROFILE" => self.profiles(word),
            "PROVIDER" => self.providers(word),
            "ENVIRONMENT" => self.environments(),
            "SCOPE" => self.scopes(),
            "PRESET" => self.presets(),
            "NAME=VALUE" if arg.get_id() == "vars" => self.vars(word),
            "FILE" => vec![Offer::files("")],
            "DATA" | "JSON" if word.starts_with('@') => vec![Offer::files("@")],
            "COMMAND" => match self.words.is_empty() {
                true => vec![Offer { by_shell: true, ..Offer::new(":commands", "") }],
                false => vec![Offer::files("")],
            },
            "OPERATION" => plain_words(&["get", "store", "erase", "capability"]),
            "METHOD" => plain_words(&super::call::METHODS),
            "KEY" => config::profile_keys().into_iter().map(|key| Offer::new(key.replace("NAME", ""), "")).collect(),
            "VALUE" => self.value_of_key(word),
            "TYPE" => plain_words(&["access_token", "refresh_token", "id_token", "saml1", "saml2", "jwt"]),
            "AUDIENCE" => plain_words(&["token-endpoint", "issuer"]),
            "WORDS" => plain_words(&["login", "consent", "select_account", "none"]),
            _ => Vec::new(),
        }
    }

    /// `call [PROFILE] [METHOD] PATH [ITEM]…`
    fn call(&self, word: &str) -> Vec<Offer> {
        let is_method = |word: &str| super::call::METHODS.iter().any(|m| m.eq_ignore_ascii_case(word));
        let is_path = |word: &str| word.starts_with('/') || word.contains("://");
        let methods = || plain_words(&super::call::METHODS);
        match self.words.as_slice() {
            [] => both(self.profiles(word), methods()),
            [first] if !is_method(first) && !is_path(first) => methods(),
            words if words.iter().any(|word| is_path(word)) => match word.rfind('@') {
                Some(at) => vec![Offer::files(&word[..=at])],
                None => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// The profiles; if none fits, the providers, whose names make profiles.
    fn profiles(&self, word: &str) -> Vec<Offer> {
        // ten thousand profiles are of a few providers: each is put into words once
        let mut words: HashMap<String, String> = HashMap::new();
        let mut about = |name: &str, provider: Option<String>| match provider.filter(|provider| provider != name) {
            Some(provider) => {
                let new = |provider: &String| safe(&format!("profile of {provider}"));
                words.entry(provider).or_insert_with_key(new).clone()
            }
            None => "profile".to_owned(),
        };
        let profiles = Config::names(self.dir, word).into_iter();
        let offer = |(name, provider): (String, Option<String>)| {
            let about = about(&name, provider);
            Offer { word: name, about, by_shell: false }
        };
        let mut offers: Vec<Offer> = profiles.map(offer).collect();
        if !offers.iter().any(|offer| offer.fits(word)) {
            offers = both(offers, self.providers(word));
        }
        offers
    }

    /// The providers by name, or by the alias that is typed.
    fn providers(&self, word: &str) -> Vec<Offer> {
        let mut offers = Vec::new();
        for (name, found) in config::in_brief(self.dir).unwrap_or_default() {
            let Ok(found) = found else { continue };
            let named = name.starts_with(word);
            let aliases = found.aliases.iter().filter(|alias| !named && alias.starts_with(word));
            offers.extend(aliases.map(|alias| Offer::new(alias, format!("{name}: {}", found.name))));
            offers.push(Offer::new(&name, &found.name));
        }
        offers
    }

    /// The provider of the line, if it has one.
    fn provider(&self) -> Option<Provider> {
        let named = self.words.first().copied().or_else(|| self.value("profile"));
        let configured = |name: &str| {
            let profile = Config::load_for(self.dir, name).ok()?.profiles.remove(name)?;
            Some((profile.provider?, profile.environment))
        };
        let (name, environment) = match (self.value("provider"), named.and_then(configured)) {
            (Some(provider), _) => (provider.to_owned(), None),
            (None, Some(configured)) => configured,
            (None, None) => (named?.to_owned(), None),
        };
        let environment = self.value("environment").map(str::to_owned).or(environment);
        let of = |environment| config::provider(self.dir, &name, environment).ok();
        of(environment.as_deref()).or_else(|| of(None))
    }

    fn environments(&self) -> Vec<Offer> {
        let known = match self.provider() {
            Some(provider) => vec![provider],
            None => {
                let with = catalogue::all().filter(|it| it.text().contains("environments")).map(|it| it.id);
                let with: Vec<&str> = with.collect();
                let mut names = config::provider_names(self.dir).unwrap_or_default();
                names.retain(|(name, own)| *own || with.contains(&name.as_str()));
                names.iter().filter_map(|(name, _)| config::provider(self.dir, name, None).ok()).collect()
            }
        };
        let of = |p: Provider| {
            p.environments.clone().into_iter().map(move |e| Offer::new(e, format!("environment of {}", p.name)))
        };
        known.into_iter().flat_map(of).collect()
    }

    fn scopes(&self) -> Vec<Offer> {
        let Some(provider) = self.provider() else { return Vec::new() };
        let scopes = provider.scopes;
        let names = scopes.known.into_iter().chain(scopes.default).chain(scopes.offline);
        both(Vec::new(), names.map(|name| Offer::new(name, "")).collect())
    }

    fn presets(&self) -> Vec<Offer> {
        let presets = self.provider().map(|provider| provider.scopes.presets).unwrap_or_default();
        presets.into_iter().map(|(name, scopes)| Offer::new(name, scopes.join(" "))).collect()
    }

    /// `NAME=`, then the values.
    fn vars(&self, word: &str) -> Vec<Offer> {
        let vars = self.provider().map(|provider| provider.vars).unwrap_or_default();
        if let Some((name, _)) = word.split_once('=') {
            let values = vars.get(name).map(|var| var.one_of.clone()).unwrap_or_default();
            return values.into_iter().map(|value| Offer::new(format!("{name}={value}"), "")).collect();
        }
        let asked = vars.iter().filter(|(_, var)| var.from == VarFrom::User);
        asked.map(|(name, var)| Offer::new(format!("{name}="), var.prompt.as_deref().unwrap_or_default())).collect()
    }

    /// The values of a key of a profile, which mostly is an option of `login`.
    fn value_of_key(&self, word: &str) -> Vec<Offer> {
        let key = self.words.get(1).copied().unwrap_or_default();
        let login = self.root.find_subcommand("login");
        let is_key = |arg: &&Arg| arg.get_long().is_some_and(|long| key == long || key == format!("{long}s"));
        let arg = login.and_then(|login| login.get_arguments().find(is_key));
        match arg {
            Some(arg) if arg.get_action().takes_values() => self.values(arg, word),
            Some(_) => plain_words(&["true", "false"]),
            None if key.ends_with(".file") || key == "client-certificate" => vec![Offer::files("")],
            None => Vec::new(),
        }
    }
}

/// Two lists as one, each word once.
fn both(all: Vec<Offer>, more: Vec<Offer>) -> Vec<Offer> {
    let mut known = HashSet::with_capacity(all.len() + more.len());
    let known_before = all.len();
    let all = all.into_iter().chain(more).enumerate();
    let new = all.filter(|(at, offer)| known.insert(offer.word.clone()) || *at < known_before);
    new.map(|(_, offer)| offer).collect()
}

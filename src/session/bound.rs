//! Where a record's secrets may go: to the places that the provider named when they were obtained
//! (a client secret: when it was entered), and nowhere else. One comparison decides it for every
//! verb and every kind of secret; only a new login moves it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use crate::address::on_loopback;
use crate::config;
use crate::config::same_provider;
use crate::error::{Error, Kind};
use crate::provider::StringKind;
use crate::provider::expand::{Piece, pieces, unfilled};
use crate::provider::{Provider, VarFrom};
use crate::secret::hash;
use crate::session::record::Record;
use crate::session::{Who, kept_document};
use crate::store::StoreKind;
use crate::stored;
use crate::text::{Typed, safe};

/// The keys of a provider's file whose addresses are sent a secret, and how a person calls them. Of
/// the last two the origin counts alone: paths are the API's own.
const PLACES: [(&str, &str); 15] = [
    ("issuer", "issuer"),
    ("token.url", "token endpoint"),
    ("refresh.url", "token endpoint for refresh tokens"),
    ("client-credentials.url", "token endpoint for client credentials"),
    ("device.url", "device authorization endpoint"),
    ("device.poll-url", "token endpoint for device codes"),
    ("ciba.url", "backchannel authentication endpoint"),
    ("revoke.url", "revocation endpoint"),
    ("introspect.url", "introspection endpoint"),
    ("userinfo.url", "userinfo endpoint"),
    ("par-url", "pushed authorization request endpoint"),
    ("registration-url", "registration endpoint"),
    (HOSTS, "list of the API's hosts"),
    ("api.base-url", "API"),
    ("whoami.url", "API that tells the account"),
];
const HOSTS: &str = "api.hosts";
const ORIGIN_ALONE: [&str; 2] = ["api.base-url", "whoami.url"];

/// What a secret is bound to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// The provider's own name.
    pub provider: String,
    // it is always written, as `null` if there is none
    #[serde(deserialize_with = "stored::fitting")]
    pub environment: Option<String>,
    /// The provider's variables that a person gave, or their defaults; none that is secret.
    pub vars: BTreeMap<String, String>,
    /// [`Session::described`] then: while it is the same, so are the places in the provider's file.
    #[serde(default, deserialize_with = "stored::fitting")]
    pub described: Option<String>,
    /// By the keys of the provider's file. Of a provider that is asked where its endpoints are,
    /// what was known of them by then.
    pub places: BTreeMap<String, BTreeSet<String>>,
}

/// In what a provider differs from what a secret is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    Provider { was: String, is: String },
    Client { was: String, is: String },
    Environment { was: Option<String>, is: Option<String> },
    Var { name: String, was: Option<String>, is: Option<String> },
    Place { what: String, was: Option<String>, is: String },
}

impl Bound {
    /// What the provider is bound to as it stands now; its variables may be filled in already.
    /// `vars`: what a person gave for its variables, and what a login taught. `practice`: it is the
    /// practice server of this very program.
    pub fn of(
        provider: &Provider,
        environment: Option<&str>,
        vars: &BTreeMap<String, String>,
        practice: bool,
    ) -> Bound {
        let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let usual = provider.vars.iter().filter_map(|(name, var)| Some((name.clone(), var.default.clone()?)));
        let mut filled: BTreeMap<String, String> = usual.collect();
        filled.extend(vars.clone());
        let mut add = |key: &str, text: &str| {
            let text =
                filled.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
            places.entry(key.to_owned()).or_default().insert(place(key, &text, practice));
        };
        let visited = provider.clone().each_string(&mut |key, kind, text| {
            if matches!(kind, StringKind::Url | StringKind::Host) && PLACES.iter().any(|(known, _)| *known == key) {
                add(key, text);
            }
            Ok::<(), std::convert::Infallible>(())
        });
        let Ok(()) = visited;
        for (endpoint, alias) in &provider.announced.mtls_aliases {
            add(&format!("mtls {endpoint}"), alias);
        }
        let open = |name: &String| provider.vars.get(name).is_some_and(|var| var.from == VarFrom::User && !var.secret);
        filled.retain(|name, value| open(name) && !(practice && on_loopback(value)));
        Bound {
            provider: provider.id.clone(),
            environment: environment.map(str::to_owned),
            vars: filled,
            described: None,
            places,
        }
    }

    /// In what the provider of now differs; `None`: the secret may go where `now` says. `built_in`:
    /// its facts are this program's.
    pub fn moved(&self, now: &Bound, built_in: bool) -> Option<Moved> {
        if self.provider != now.provider {
            return Some(Moved::Provider { was: self.provider.clone(), is: now.provider.clone() });
        }
        if self.environment != now.environment {
            return Some(Moved::Environment { was: self.environment.clone(), is: now.environment.clone() });
        }
        // what a new variable decides shows in the places
        if let Some(name) = self.vars.keys().find(|name| self.vars.get(*name) != now.vars.get(*name)) {
            let value = |vars: &BTreeMap<String, String>| vars.get(name).cloned();
            return Some(Moved::Var { name: name.clone(), was: value(&self.vars), is: value(&now.vars) });
        }
        let first = PLACES.iter().filter_map(|(key, _)| now.places.get_key_value(*key));
        first.chain(&now.places).find_map(|(key, is)| self.moved_place(key, is, built_in))
    }

    fn moved_place(&self, key: &str, is: &BTreeSet<String>, built_in: bool) -> Option<Moved> {
        let was = self.places.get(key);
        let known = |is: &str| was.is_some_and(|was| was.iter().any(|was| agree(was, is)));
        let new = is.iter().find(|is| !known(is) && !self.takes(key, is, built_in))?;
        let what = PLACES.iter().find(|(known, _)| *known == key).map_or(key, |(_, words)| words);
        let was = was.and_then(|was| was.first()).cloned();
        Some(Moved::Place { what: what.to_owned(), was, is: new.clone() })
    }

    /// Whether a place that was not recorded as it stands may be gone to all the same.
    fn takes(&self, key: &str, is: &str, built_in: bool) -> bool {
        match self.places.get(key) {
            // this program's own newer facts, on a host that they named before
            Some(was) => built_in && (key == HOSTS || was.iter().any(|was| same_origin(was, is))),
            // nothing was said then: the issuer says it for the first time, or it is on a host that
            // was known
            None => {
                !self.places.contains_key("token.url") && self.places.contains_key("issuer")
                    || self.places.values().flatten().any(|was| same_origin(was, is))
            }
        }
    }

    /// The provider with the addresses that are recorded: where this program's own facts have
    /// changed since.
    fn honour(&self, provider: &mut Provider, practice: bool) {
        let visited = provider.each_string(&mut |key, _, text| {
            if let Some(was) = self.places.get(key).filter(|_| key != HOSTS && !ORIGIN_ALONE.contains(&key))
                && !was.iter().any(|was| agree(was, &place(key, text, practice)))
                && let Some(was) = was.first()
            {
                text.clone_from(was);
            }
            Ok::<(), std::convert::Infallible>(())
        });
        let Ok(()) = visited;
        let known = self.places.get(HOSTS);
        provider.api.hosts.retain(|host| known.is_some_and(|known| known.contains(host)));
    }

    /// For the name of the kernel's copy: it speaks for these places alone.
    pub fn fingerprint(&self) -> String {
        let of_api = |key: &str| key == HOSTS || ORIGIN_ALONE.contains(&key);
        let api: BTreeMap<_, _> = self.places.iter().filter(|(key, _)| of_api(key)).collect();
        hash(json!([self.provider, self.environment, self.vars, api]).to_string().as_bytes())
    }
}

impl Who {
    /// What a secret that is obtained now is bound to. `learnt`: the variables that the login
    /// taught.
    pub fn bound(&self, provider: &Provider, learnt: &BTreeMap<String, String>) -> Bound {
        let mut vars = learnt.clone();
        vars.extend(self.profile.vars.clone());
        let described = self.described();
        let practice = self.is_practice(provider);
        Bound { described, ..Bound::of(provider, self.profile.environment.as_deref(), &vars, practice) }
    }

    /// What the provider is as it is meant now, without reading its description: a fingerprint.
    fn described(&self) -> Option<String> {
        let dir = self.paths.config.as_deref().unwrap_or(Path::new(""));
        let text = config::description(dir, self.provider_name())?;
        let parts = json!([self.provider_name(), self.profile.environment, self.profile.vars, text]);
        Some(hash(parts.to_string().as_bytes()))
    }

    /// What the tokens of a record are bound to. A record of an older version doesn't say: its
    /// provider as the configuration has it, with the document that was kept.
    pub fn bound_of(&self, record: &Record) -> Option<Bound> {
        record.bound.clone().or_else(|| {
            let dir = self.paths.config.as_deref().unwrap_or(Path::new(""));
            let profiles = config::Config::load_for(dir, &self.name).ok()?.profiles;
            let profile = profiles.get(&self.name).cloned().unwrap_or_default();
            let environment = profile.environment.as_deref();
            let mut provider = config::provider(dir, record.provider.as_deref()?, environment).ok()?;
            if let Some(document) = provider.issuer.clone().and_then(|issuer| kept_document(Some(record), &issuer)) {
                document.fill(&mut provider);
            }
            let mut vars = record.vars.clone();
            vars.extend(profile.vars);
            Some(Bound::of(&provider, environment, &vars, self.is_practice(&provider)))
        })
    }

    /// A record of an older version with its secrets bound; `None`: they are, or there are none.
    pub(super) fn newly_bound(&self, record: &Record) -> Option<Record> {
        let tokens = record.token.is_some() && record.bound.is_none();
        let secret = record.client_secret.is_some() && record.bound.is_none() && record.secret_bound.is_none();
        if !(tokens || secret) || !matches!(self.store.kind(), StoreKind::Keychain | StoreKind::File) {
            return None;
        }
        let bound = self.bound_of(record)?;
        let mut record = record.clone();
        record.secret_bound = record.secret_bound.or_else(|| secret.then(|| bound.clone()));
        record.bound = tokens.then_some(bound);
        Some(record)
    }

    /// Whether the provider is described, word for word, as it was when the tokens were obtained.
    pub(super) fn is_described(&self, record: &Record) -> bool {
        let then = record.bound.as_ref().and_then(|bound| bound.described.as_ref());
        then.is_some_and(|then| self.described().as_ref() == Some(then))
    }

    /// In what the provider's file, and what was said of it, differs now from what the tokens are
    /// bound to. Asks nobody.
    pub fn moved_by_file(&self, record: &Record) -> Option<Moved> {
        if self.is_described(record) {
            return None;
        }
        let bound = self.bound_of(record)?;
        self.moved(&bound, record, &self.raw_provider().ok()?)
    }

    /// Whether the client secret of a record may not go where `provider` says.
    pub fn secret_moved(&self, record: &Record, provider: &Provider) -> Option<Moved> {
        let bound = record.secret_bound.clone().or_else(|| self.bound_of(record))?;
        self.moved(&bound, record, provider)
    }

    /// The one decision: whether a secret of this record may go where `provider` says. `bound`:
    /// what that secret is bound to.
    pub(super) fn moved(&self, bound: &Bound, record: &Record, provider: &Provider) -> Option<Moved> {
        bound.moved(&self.bound(provider, &record.vars), self.is_built_in(&bound.provider))
    }

    /// The same, for the tokens of a record, as an error; and where nothing has moved, the provider
    /// goes by what is recorded.
    pub(super) fn bind(&self, provider: &mut Provider, record: &Record) -> Result<(), Error> {
        let tokens = record.token.is_some() && !self.choice.signing_in;
        let Some(bound) = tokens.then(|| self.bound_of(record)).flatten() else { return Ok(()) };
        if let Some(moved) = self.moved(&bound, record, provider) {
            return Err(moved.refused(&self.typed));
        }
        bound.honour(provider, self.is_practice(provider));
        Ok(())
    }

    /// Whether it is the practice server that this program starts by itself: nobody said where it
    /// is.
    fn is_practice(&self, provider: &Provider) -> bool {
        provider.practice.is_some() && self.more_vars.borrow().is_some() && self.is_built_in(&provider.id)
    }

    /// In what this command's flags and variables lead elsewhere than the profile as the
    /// configuration has it: what the profile says of secrets, and variables that bear its name,
    /// are not for that.
    pub(super) fn said_elsewhere(&self) -> Option<Moved> {
        let dir = self.paths.config.as_deref().filter(|_| self.configured)?;
        let profile = config::Config::load_for(dir, &self.name).ok()?.profiles.remove(&self.name)?;
        let own = profile.provider.as_deref().unwrap_or(&self.name);
        if let Some(said) = self.choice.flags.provider.as_deref().filter(|said| !same_provider(dir, said, own)) {
            return Some(Moved::Provider { was: own.to_owned(), is: said.to_owned() });
        }
        if self.choice.flags.environment.is_some() && self.choice.flags.environment != profile.environment {
            return Some(Moved::Environment { was: profile.environment, is: self.choice.flags.environment.clone() });
        }
        if let Some((name, value)) =
            self.choice.flags.vars.iter().find(|(name, value)| profile.vars.get(*name) != Some(value))
        {
            let was = profile.vars.get(name).cloned();
            return Some(Moved::Var { name: name.clone(), was, is: Some(value.clone()) });
        }
        let (was, is) = (profile.client_id?, self.profile.client_id.clone()?);
        (was != is).then_some(Moved::Client { was, is })
    }

    fn is_built_in(&self, provider: &str) -> bool {
        config::is_built_in(self.paths.config.as_deref().unwrap_or(Path::new("")), provider)
    }
}

impl Moved {
    /// Nothing was sent: exit 7.
    pub fn refused(&self, typed: &Typed) -> Error {
        let name = safe(&typed.to_string());
        let quoted =
            |text: &Option<String>| text.as_ref().map_or_else(|| "none".to_owned(), |t| format!("`{}`", safe(t)));
        let (message, cause) = match self {
            Moved::Provider { was, is } => (
                format!(
                    "what is stored for `{name}` was obtained from the provider `{}`, not from `{}`",
                    safe(was),
                    safe(is)
                ),
                "nothing was sent".to_owned(),
            ),
            Moved::Client { was, is } => (
                format!(
                    "what is stored for `{name}` was obtained by the client `{}`, not by `{}`",
                    safe(was),
                    safe(is)
                ),
                "nothing was sent".to_owned(),
            ),
            Moved::Environment { was, is } => (
                format!("what is stored for `{name}` was obtained in another environment of the provider"),
                format!("it was {}, and is {} now; nothing was sent", quoted(was), quoted(is)),
            ),
            Moved::Var { name: var, was, is } => (
                format!("what is stored for `{name}` was obtained with another value of the variable `{}`", safe(var)),
                format!("it was {}, and is {} now; nothing was sent", quoted(was), quoted(is)),
            ),
            Moved::Place { what, was, is } => (
                format!("the {what} of `{name}` has changed since the login"),
                format!(
                    "it was {}, and is {} now; nothing was sent there",
                    was.as_deref().map_or_else(|| "none".to_owned(), safe),
                    safe(is)
                ),
            ),
        };
        Error::new(Kind::Unsafe, message).cause(cause).hint(format!("if that is right: {}", typed.login()))
    }
}

/// How a place is recorded, a variable that isn't known yet as it stands: the whole address, or the
/// origin of an API. The practice server has another port each time, and its tokens are worth
/// nothing.
fn place(key: &str, text: &str, practice: bool) -> String {
    if key == HOSTS {
        return text.to_ascii_lowercase();
    }
    let alone = ORIGIN_ALONE.contains(&key);
    if !unfilled(text).is_empty() {
        // behind the scheme's two, if it isn't the variable's own
        let slashes = if text.contains("://") { 2 } else { 0 };
        let end = text.match_indices('/').nth(slashes).map_or(text.len(), |(at, _)| at);
        let part = if alone { &text[..end] } else { text };
        return if unfilled(part).is_empty() { place(key, part, practice) } else { part.to_owned() };
    }
    let Ok(url) = Url::parse(text) else { return text.to_owned() };
    if practice && on_loopback(text) {
        return format!("practice:{}", if alone { "" } else { url.path() });
    }
    match alone {
        true => url.origin().ascii_serialization(),
        false => url.to_string(),
    }
}

/// Whether two places may be one: a variable that was not known stands for whatever it became, in
/// the place that the provider's file gives it.
fn agree(one: &str, other: &str) -> bool {
    one == other || fits(one, other) || fits(other, one)
}

fn fits(template: &str, text: &str) -> bool {
    let mut rest = text;
    let mut open = false;
    for piece in pieces(template) {
        match piece {
            Piece::Var(_) => open = true,
            Piece::Text(part) => match rest.find(part).filter(|at| open || *at == 0) {
                Some(at) => (rest, open) = (&rest[at + part.len()..], false),
                None => return false,
            },
        }
    }
    (open || rest.is_empty()) && !unfilled(template).is_empty()
}

fn same_origin(one: &str, other: &str) -> bool {
    let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin()).filter(url::Origin::is_tuple);
    origin(one).is_some_and(|one| origin(other) == Some(one))
}

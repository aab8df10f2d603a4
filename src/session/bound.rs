//! The places that a record's secrets may go to: those that the provider named when the secrets
//! were obtained or entered. One comparison decides for every command and every kind of secret.
//! Only a new login changes the places.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use crate::address::on_loopback;
use crate::error::{Error, Kind};
use crate::provider::expand::{ExpandError, Piece, fill, pieces, unfilled};
use crate::provider::{Provider, StringKind, VarFrom};
use crate::secret::hash;
use crate::stored;
use crate::text::{Typed, safe};

/// The keys of a provider's file whose addresses receive a secret, and their names in messages. Of
/// the last two the origin alone counts: their paths vary.
const PLACES: [(&str, &str); 16] = [
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
    (TOKEN_HOSTS, "list of token hosts"),
    (HOSTS, "list of the API's hosts"),
    ("api.base-url", "API"),
    ("whoami.url", "API that tells the account"),
];
const HOSTS: &str = "api.hosts";
const TOKEN_HOSTS: &str = "callback.token-host-allow";
/// The beginning of the keys of the endpoints for a client with a certificate.
const MTLS: &str = "mtls ";
const LISTS: [&str; 2] = [HOSTS, TOKEN_HOSTS];
const ORIGIN_ALONE: [&str; 2] = ["api.base-url", "whoami.url"];

/// The endpoints that one command alone asks: only that command is refused where one has moved.
const ASIDE: [&str; 7] =
    ["userinfo.url", "introspect.url", "revoke.url", "device.url", "device.poll-url", "ciba.url", "par-url"];
/// The endpoints that a logout asks.
const AT_LOGOUT: [&str; 5] = ["issuer", "token.url", "refresh.url", "client-credentials.url", "revoke.url"];

/// What a secret is bound to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// The provider's own name.
    pub provider: String,
    // it is always written, as `null` if there is none
    #[serde(deserialize_with = "stored::fitting")]
    pub environment: Option<String>,
    /// The provider's variables that a person gave, or their defaults; no secret ones.
    pub vars: BTreeMap<String, String>,
    /// A fingerprint of the provider's file then: while it is the same, so are its places.
    #[serde(default, deserialize_with = "stored::fitting")]
    pub described: Option<String>,
    /// By the keys of the provider's file: the endpoints that were known then.
    pub places: BTreeMap<String, BTreeSet<String>>,
}

/// The places that count.
#[derive(Clone, Copy)]
pub enum Scope {
    /// All: before a sign-in, and for a secret.
    Every,
    /// But for those that one command alone asks.
    Usual,
    /// Those that a logout asks.
    Logout,
    /// None: the tokens go to the recorded ones.
    Nowhere,
}

impl Scope {
    /// Whether the place of this key counts.
    pub(super) fn counts(self, key: &str) -> bool {
        match self {
            Scope::Every => true,
            Scope::Usual => !ASIDE.contains(&key),
            Scope::Logout => AT_LOGOUT.contains(&key) || key.starts_with(MTLS),
            Scope::Nowhere => false,
        }
    }
}

/// How a provider differs from the one that a secret is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    Provider { was: String, is: String },
    Client { was: String, is: String },
    Environment { was: Option<String>, is: Option<String> },
    Var { name: String, was: Option<String>, is: Option<String> },
    Place { what: String, was: Option<String>, is: String },
}

impl Bound {
    /// The places of the provider as it is now. `vars`: the variables that a person gave and those
    /// that a login taught. `practice`: it is this program's own practice server.
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
        let Ok(()) = provider.clone().each_string(&mut |key, kind, text| {
            if matches!(kind, StringKind::Url | StringKind::Host) && PLACES.iter().any(|(known, _)| *known == key) {
                add(key, text);
            }
            Ok::<(), Infallible>(())
        });
        for (endpoint, alias) in &provider.announced.mtls_aliases {
            add(&format!("{MTLS}{endpoint}"), alias);
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

    /// How `now` differs, in the places that `counts`. `built_in`: whether the file is this
    /// program's, which is asked only for a place that was another.
    pub fn moved(&self, now: &Bound, built_in: &dyn Fn() -> bool, counts: impl Fn(&str) -> bool) -> Option<Moved> {
        if self.provider != now.provider {
            return Some(Moved::Provider { was: self.provider.clone(), is: now.provider.clone() });
        }
        if self.environment != now.environment {
            return Some(Moved::Environment { was: self.environment.clone(), is: now.environment.clone() });
        }
        // a new variable shows in the places
        if let Some((name, was)) = self.vars.iter().find(|(name, was)| now.vars.get(*name) != Some(was)) {
            return Some(Moved::Var { name: name.clone(), was: Some(was.clone()), is: now.vars.get(name).cloned() });
        }
        let first = PLACES.iter().filter_map(|(key, _)| now.places.get_key_value(*key));
        let mut places = first.chain(&now.places).filter(|(key, _)| counts(key));
        places.find_map(|(key, is)| self.moved_place(key, is, built_in))
    }

    /// The endpoints of one command each that have moved.
    pub(super) fn moved_aside(&self, now: &Bound, built_in: &dyn Fn() -> bool) -> BTreeMap<&'static str, Moved> {
        let moved = |key| Some((key, self.moved_place(key, now.places.get(key)?, built_in)?));
        ASIDE.into_iter().filter_map(moved).collect()
    }

    fn moved_place(&self, key: &str, is: &BTreeSet<String>, built_in: &dyn Fn() -> bool) -> Option<Moved> {
        let was = self.places.get(key);
        let known = |is: &str| was.is_some_and(|was| was.iter().any(|was| agree(was, is)));
        let new = is.iter().find(|is| !known(is) && !self.takes(key, is, built_in))?;
        let what = PLACES.iter().find(|(known, _)| *known == key).map_or(key, |(_, words)| words);
        let was = was.and_then(|was| was.first()).cloned();
        Some(Moved::Place { what: what.to_owned(), was, is: new.clone() })
    }

    /// Whether a secret may go to a place that was not recorded.
    fn takes(&self, key: &str, is: &str, built_in: &dyn Fn() -> bool) -> bool {
        match self.places.get(key) {
            // a newer file of this program's, on a host that it named before
            Some(was) => (LISTS.contains(&key) || was.iter().any(|was| same_origin(was, is))) && built_in(),
            // not known then: the issuer names it for the first time, or its host was known
            None => {
                !self.places.contains_key("token.url") && self.places.contains_key("issuer")
                    || self.places.values().flatten().any(|was| same_origin(was, is))
            }
        }
    }

    /// Puts the recorded addresses into the provider, where they differ. `secrets`: the variables
    /// that are left out of them.
    pub(super) fn honour(
        &self,
        provider: &mut Provider,
        practice: bool,
        secrets: &BTreeMap<&str, &str>,
    ) -> Result<(), ExpandError> {
        provider.each_string(&mut |key, kind, text| {
            if let Some(was) = self.places.get(key).filter(|_| !LISTS.contains(&key) && !ORIGIN_ALONE.contains(&key))
                && !was.iter().any(|was| agree(was, &place(key, text, practice)))
                && let Some(was) = was.first()
            {
                *text = fill(was, kind, secrets)?;
            }
            Ok(())
        })?;
        let known = self.places.get(HOSTS);
        provider.api.hosts.retain(|host| known.is_some_and(|known| known.contains(host)));
        Ok(())
    }

    /// For the kernel's copy: it is valid for these places alone.
    pub fn fingerprint(&self) -> String {
        let of_api = |key: &str| key == HOSTS || ORIGIN_ALONE.contains(&key);
        let api: BTreeMap<_, _> = self.places.iter().filter(|(key, _)| of_api(key)).collect();
        hash(json!([self.provider, self.environment, self.vars, api]).to_string().as_bytes())
    }
}

impl Moved {
    /// The place that it was, in words.
    pub fn was(&self) -> String {
        match self {
            Moved::Provider { was, .. } => format!("the provider `{}`", safe(was)),
            Moved::Client { was, .. } => format!("the client `{}`", safe(was)),
            Moved::Environment { was, .. } => was
                .as_ref()
                .map_or("its usual environment".to_owned(), |was| format!("the environment `{}`", safe(was))),
            Moved::Var { name, was: Some(was), .. } => format!("the `{}` that was `{}`", safe(name), safe(was)),
            Moved::Var { name, .. } => format!("the usual `{}`", safe(name)),
            Moved::Place { what, was, .. } => {
                format!("the {what} that was {}", safe(was.as_deref().unwrap_or("unknown")))
            }
        }
    }

    /// The key and the value that make a profile lead there.
    pub fn setting(&self) -> Option<(String, String)> {
        let (key, is) = match self {
            Moved::Provider { is, .. } => ("provider".to_owned(), Some(is)),
            Moved::Environment { is, .. } => ("environment".to_owned(), is.as_ref()),
            Moved::Var { name, is, .. } => (format!("vars.{name}"), is.as_ref()),
            Moved::Client { .. } | Moved::Place { .. } => return None,
        };
        Some((key, is?.clone()))
    }

    /// Nothing was sent: exit 7.
    pub fn refused(&self, typed: &Typed) -> Error {
        let name = safe(&typed.to_string());
        let quoted = |text: &Option<String>| text.as_ref().map_or("none".to_owned(), |t| format!("`{}`", safe(t)));
        let both = |was, is| format!("it was {}, and is {} now; nothing was sent", quoted(was), quoted(is));
        let (obtained, cause) = match self {
            Moved::Provider { was, is } => {
                (format!("from the provider `{}`, not from `{}`", safe(was), safe(is)), "nothing was sent".to_owned())
            }
            Moved::Client { was, is } => {
                (format!("by the client `{}`, not by `{}`", safe(was), safe(is)), "nothing was sent".to_owned())
            }
            Moved::Environment { was, is } => ("in another environment of the provider".to_owned(), both(was, is)),
            Moved::Var { name, was, is } => {
                (format!("with another value of the variable `{}`", safe(name)), both(was, is))
            }
            Moved::Place { what, was, is } => {
                let was = was.as_deref().map_or("none".to_owned(), safe);
                return Error::new(Kind::Unsafe, format!("the {what} of `{name}` has changed since the login"))
                    .because(format!("it was {was}, and is {} now; nothing was sent there", safe(is)))
                    .hint(format!("if that is right: {}", typed.login()));
            }
        };
        Error::new(Kind::Unsafe, format!("the record of `{name}` was obtained {obtained}"))
            .because(cause)
            .hint(format!("if that is right: {}", typed.login()))
    }
}

/// The form in which a place is recorded: the whole address, or the origin of an API. A variable
/// that isn't known yet stays in it. The practice server has another port each time.
fn place(key: &str, text: &str, practice: bool) -> String {
    if LISTS.contains(&key) {
        return text.to_ascii_lowercase();
    }
    let alone = ORIGIN_ALONE.contains(&key);
    if !unfilled(text).is_empty() {
        // behind the two slashes of the scheme
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

/// Whether two places may be the same: a variable that was not known stands for any value.
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

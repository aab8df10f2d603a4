//! What a profile asks for beyond grant and scopes: parameters of the authorize request, and what the grants without a browser
//! exchange. One table of keys, by which the configuration is read and edited, flags are laid over it, and a login's choices
//! are remembered: a new key is a field and a line.

use std::collections::BTreeMap;
use std::path::Path;

use super::read::secret_source;
use super::{ConfigError, SecretSource};
use crate::layers::de;
use crate::layers::tree::Reader;
use crate::protocol::{authorization_details, token_request};
use crate::provider::Wanted;
use crate::text::safe;

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Asks {
    /// OpenID Connect Core, section 3.1.2.1.
    pub login_hint: Option<String>,
    pub prompt: Option<String>,
    /// Seconds.
    pub max_age: Option<u64>,
    pub acr_values: Option<String>,
    pub ui_locales: Option<String>,
    pub response_mode: Option<String>,
    /// RFC 9396: a JSON array, checked.
    pub authorization_details: Option<String>,
    /// RFC 9126.
    pub par: Option<Wanted>,
    /// RFC 9101.
    pub request_object: Option<Wanted>,
    /// RFC 8707.
    pub resources: Vec<String>,
    pub audiences: Vec<String>,
    /// An assertion made elsewhere (RFC 7522, RFC 7523).
    pub assertion: Option<SecretSource>,
    /// `sub` and `iss` of an assertion that is made here.
    pub subject: Option<String>,
    pub assertion_issuer: Option<String>,
    /// RFC 8693.
    pub subject_token: Option<SecretSource>,
    pub subject_token_type: Option<String>,
    /// Another profile, whose token is the subject.
    pub subject_profile: Option<String>,
    pub actor_token: Option<SecretSource>,
    pub actor_token_type: Option<String>,
    pub requested_token_type: Option<String>,
    pub username: Option<String>,
    pub password: Option<SecretSource>,
    /// CIBA, section 7.1.
    pub binding_message: Option<String>,
    pub id_token_hint: Option<SecretSource>,
    pub login_hint_token: Option<SecretSource>,
    /// Seconds.
    pub requested_expiry: Option<u64>,
}

type Field<T> = (&'static str, fn(&mut Asks) -> &mut T);

const TEXTS: [Field<Option<String>>; 14] = [
    ("login-hint", |a| &mut a.login_hint),
    ("prompt", |a| &mut a.prompt),
    ("acr-values", |a| &mut a.acr_values),
    ("ui-locales", |a| &mut a.ui_locales),
    ("response-mode", |a| &mut a.response_mode),
    ("authorization-details", |a| &mut a.authorization_details),
    ("subject", |a| &mut a.subject),
    ("assertion-issuer", |a| &mut a.assertion_issuer),
    ("subject-token-type", |a| &mut a.subject_token_type),
    ("subject-profile", |a| &mut a.subject_profile),
    ("actor-token-type", |a| &mut a.actor_token_type),
    ("requested-token-type", |a| &mut a.requested_token_type),
    ("username", |a| &mut a.username),
    ("binding-message", |a| &mut a.binding_message),
];
const NUMBERS: [Field<Option<u64>>; 2] =
    [("max-age", |a| &mut a.max_age), ("requested-expiry", |a| &mut a.requested_expiry)];
const WANTED: [Field<Option<Wanted>>; 2] = [("par", |a| &mut a.par), ("request-object", |a| &mut a.request_object)];
const LISTS: [Field<Vec<String>>; 2] = [("resource", |a| &mut a.resources), ("audience", |a| &mut a.audiences)];
const SECRETS: [Field<Option<SecretSource>>; 6] = [
    ("assertion", |a| &mut a.assertion),
    ("subject-token", |a| &mut a.subject_token),
    ("actor-token", |a| &mut a.actor_token),
    ("password", |a| &mut a.password),
    ("id-token-hint", |a| &mut a.id_token_hint),
    ("login-hint-token", |a| &mut a.login_hint_token),
];

/// Response modes that an answer can be taken in: `fragment` never leaves the browser.
pub const RESPONSE_MODES: [&str; 5] = ["query", "form_post", "jwt", "query.jwt", "form_post.jwt"];

impl Asks {
    pub(super) fn read(dir: &Path, r: &mut Reader<'_>) -> Result<Asks, ConfigError> {
        let mut asks = Asks::default();
        for (key, field) in TEXTS {
            *field(&mut asks) = r.text(key)?;
        }
        for (key, field) in NUMBERS {
            *field(&mut asks) = r.number(key, 0..=i64::from(u32::MAX))?;
        }
        for (key, field) in WANTED {
            *field(&mut asks) = r.get(key).map(|entry| de::read_entry(&[&r.key(key)], entry)).transpose()?;
        }
        for (key, field) in LISTS {
            *field(&mut asks) = r.list(key)?.unwrap_or_default();
        }
        for (key, field) in SECRETS {
            *field(&mut asks) = secret_source(dir, r, key)?;
        }
        let mut check_all = |key: &'static str, values: &[String]| {
            let Some(Err(bad)) = values.iter().map(|value| check(key, value)).find(Result::is_err) else {
                return Ok(());
            };
            let at = r.get(key).map(|entry| format!(" ({})", entry.at)).unwrap_or_default();
            Err(ConfigError { message: format!("{}{at}", bad.message), hint: bad.hint })
        };
        for (key, field) in TEXTS {
            check_all(key, field(&mut asks).as_slice())?;
        }
        for (key, field) in LISTS {
            check_all(key, field(&mut asks))?;
        }
        Ok(asks)
    }

    /// What of it decides which token comes back, by its key, but for secrets: not how a person is asked, nor who was suggested.
    pub fn deciding(&self) -> BTreeMap<String, String> {
        const PASSING: [&str; 6] =
            ["login-hint", "prompt", "ui-locales", "response-mode", "subject-profile", "binding-message"];
        let mut own = self.clone();
        let texts = TEXTS.into_iter().filter(|(key, _)| !PASSING.contains(key));
        let mut out: BTreeMap<String, String> =
            texts.filter_map(|(key, field)| Some((key.to_owned(), field(&mut own).take()?))).collect();
        for (key, field) in LISTS {
            let list = field(&mut own);
            if !list.is_empty() {
                out.insert(key.to_owned(), list.join(" "));
            }
        }
        out
    }

    /// What of it goes into an authorize request, by the names of the wire; `resource` may stand more than once.
    pub fn authorize_params(&self) -> Vec<(&'static str, String)> {
        let texts = [
            ("response_mode", &self.response_mode),
            ("login_hint", &self.login_hint),
            ("prompt", &self.prompt),
            ("acr_values", &self.acr_values),
            ("ui_locales", &self.ui_locales),
            ("authorization_details", &self.authorization_details),
        ];
        let mut out: Vec<(&'static str, String)> =
            texts.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
        out.extend(self.max_age.map(|age| ("max_age", age.to_string())));
        // `query` is what a code comes back by anyway
        out.retain(|(name, value)| *name != "response_mode" || value != "query");
        out.extend(self.resources.iter().map(|resource| ("resource", resource.clone())));
        out
    }

    /// What was said now wins over what the configuration says.
    pub fn lay_over(&mut self, over: &Asks) {
        let mut over = over.clone();
        // of those that exclude each other the one said now counts alone
        if over.subject_token.is_some() {
            self.subject_profile = None;
        }
        if over.subject_profile.is_some() {
            self.subject_token = None;
        }
        if over.login_hint.is_some() || over.id_token_hint.is_some() || over.login_hint_token.is_some() {
            (self.login_hint, self.id_token_hint, self.login_hint_token) = (None, None, None);
        }
        for (_, field) in TEXTS {
            replace(field(self), field(&mut over));
        }
        for (_, field) in NUMBERS {
            replace(field(self), field(&mut over));
        }
        for (_, field) in WANTED {
            replace(field(self), field(&mut over));
        }
        for (_, field) in LISTS {
            if !field(&mut over).is_empty() {
                *field(self) = std::mem::take(field(&mut over));
            }
        }
        for (_, field) in SECRETS {
            replace(field(self), field(&mut over));
        }
    }

    /// Keys and values, as [`super::Editor::set`] takes them, that differ from what is known: what a login remembers. What came
    /// from standard input came once.
    pub fn changes(&self, known: &Asks) -> Vec<(String, String)> {
        let (mut now, mut known) = (self.clone(), known.clone());
        let mut out = Vec::new();
        for (key, field) in TEXTS {
            out.extend(changed(field(&mut now), field(&mut known)).map(|v| (key.to_owned(), v.clone())));
        }
        for (key, field) in NUMBERS {
            out.extend(changed(field(&mut now), field(&mut known)).map(|v| (key.to_owned(), v.to_string())));
        }
        for (key, field) in WANTED {
            out.extend(changed(field(&mut now), field(&mut known)).map(|v| (key.to_owned(), v.word().to_owned())));
        }
        for (key, field) in LISTS {
            let list = field(&mut now);
            if !list.is_empty() && list != field(&mut known) {
                out.push((key.to_owned(), list.iter().collect::<toml_edit::Array>().to_string()));
            }
        }
        for (key, field) in SECRETS {
            if let Some(SecretSource::File(path)) = changed(field(&mut now), field(&mut known))
                && path.as_os_str() != "-"
            {
                out.push((format!("{key}.file"), path.display().to_string()));
            }
        }
        out
    }
}

fn replace<T>(old: &mut Option<T>, new: &mut Option<T>) {
    if new.is_some() {
        *old = new.take();
    }
}

fn changed<'a, T: PartialEq>(now: &'a Option<T>, known: &Option<T>) -> Option<&'a T> {
    now.as_ref().filter(|v| Some(*v) != known.as_ref())
}

/// The names of all keys, as [`super::Editor::set`] takes them.
pub(super) fn keys() -> Vec<String> {
    let plain = TEXTS.iter().map(|f| f.0).chain(NUMBERS.iter().map(|f| f.0)).chain(WANTED.iter().map(|f| f.0));
    let sources = SECRETS.iter().flat_map(|f| ["command", "file", "env"].map(|kind| format!("{}.{kind}", f.0)));
    plain.chain(LISTS.iter().map(|f| f.0)).map(str::to_owned).chain(sources).collect()
}

/// Whether the key holds a source of a secret: a table with one of `command`, `file` and `env`.
pub(super) fn is_secret(key: &str) -> bool {
    SECRETS.iter().any(|f| f.0 == key)
}

/// A value as a command writes it, by the key's type; `None`: not a key of these.
pub(super) fn value(key: &str, text: &str) -> Option<Result<toml_edit::Value, ConfigError>> {
    if TEXTS.iter().any(|f| f.0 == key) {
        return Some(check(key, text).map(|()| text.into()));
    }
    if NUMBERS.iter().any(|f| f.0 == key) {
        let number = text.parse::<u32>().map(|n| i64::from(n).into());
        return Some(number.map_err(|_| ConfigError::new(format!("`{key}` must be a number of seconds"))));
    }
    if WANTED.iter().any(|f| f.0 == key) {
        return Some(match text {
            "true" => Ok(true.into()),
            "false" => Ok(false.into()),
            "auto" => Ok("auto".into()),
            _ => Err(ConfigError::new(format!("`{key}` must be `auto`, `true` or `false`"))),
        });
    }
    if LISTS.iter().any(|f| f.0 == key) {
        let list = super::edit::list(key, text);
        return Some(list.and_then(|list| {
            list.iter().filter_map(toml_edit::Value::as_str).try_for_each(|value| check(key, value))?;
            Ok(list.into())
        }));
    }
    None
}

/// What single values may be.
fn check(key: &str, value: &str) -> Result<(), ConfigError> {
    match key {
        "response-mode" => match value {
            "fragment" | "fragment.jwt" => Err(ConfigError::with_hint(
                format!("`response-mode` can't be `{value}`: what stands behind `#` never leaves the browser"),
                "use `query` or `form_post`",
            )),
            _ if RESPONSE_MODES.contains(&value) => Ok(()),
            _ => Err(ConfigError::new(format!(
                "`response-mode` can't be `{}`; it is one of `{}`",
                safe(value),
                RESPONSE_MODES.join("`, `")
            ))),
        },
        "authorization-details" => authorization_details::check(value)
            .map(|_| ())
            .map_err(|e| ConfigError::new(format!("`authorization-details` {e}"))),
        "resource" => token_request::check_resource(value)
            .map_err(|why| ConfigError::new(format!("`resource` holds `{}`: it {why}", safe(value)))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_now_wins_and_only_what_is_new_is_remembered() {
        let mut known = Asks {
            prompt: Some("login".into()),
            resources: vec!["https://a.example".into()],
            max_age: Some(5),
            ..Asks::default()
        };
        let said = Asks {
            prompt: Some("consent".into()),
            max_age: Some(5),
            audiences: vec!["b c".into()],
            assertion: Some(SecretSource::File("/x/jwt".into())),
            subject_token: Some(SecretSource::File("-".into())),
            par: Some(Wanted::Always),
            ..Asks::default()
        };
        let changes = said.changes(&known);
        let pairs: Vec<(&str, &str)> = changes.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(
            pairs,
            [("prompt", "consent"), ("par", "true"), ("audience", "[\"b c\"]"), ("assertion.file", "/x/jwt")]
        );
        known.lay_over(&said);
        assert_eq!(known.prompt.as_deref(), Some("consent"));
        assert_eq!(known.resources, ["https://a.example"]);
        assert_eq!(known.audiences, ["b c"]);
        known.lay_over(&Asks { subject_profile: Some("work".into()), ..Asks::default() });
        assert!(known.subject_token.is_none(), "a profile said now takes the token's place");
        known.lay_over(&said);
        assert!(known.subject_profile.is_none(), "and a token the profile's");
    }

    #[test]
    fn an_answer_that_stays_in_the_browser_is_not_asked_for() {
        assert!(check("response-mode", "form_post").is_ok());
        assert!(check("response-mode", "fragment").unwrap_err().message.contains("never leaves the browser"));
        assert!(check("response-mode", "web_message").is_err());
    }
}

//! How a profile's client proves who it is, where an id and a secret are not all: its key, its certificate, what its assertions
//! say, and whether its tokens are bound to a key (RFC 7523, 8705, 9449).

use std::path::{Path, PathBuf};

use super::read::secret_source;
use super::{ConfigError, SecretSource};
use crate::layers::tree::{ReadError, Reader};
use crate::protocol::jose::Algorithm;
use crate::provider::{ClientAuth, auth_from_name, auth_name, auth_names};
use crate::text::{nearest, safe};

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Proofs {
    /// Overrides what the provider's entry and the server's document say.
    pub auth: Option<ClientAuth>,
    pub assertion_audience: Option<Audience>,
    pub key: Option<SecretSource>,
    /// `kid`, for a key that doesn't name itself.
    pub key_id: Option<String>,
    pub key_algorithm: Option<Algorithm>,
    /// PEM; absolute, or `~/…`.
    pub certificate: Option<PathBuf>,
    pub dpop: Option<bool>,
}

/// An assertion's `aud`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    TokenEndpoint,
    Issuer,
    Url(String),
}

/// The names of the keys, as [`super::Editor::set`] takes them.
pub(super) const KEYS: [&str; 9] = [
    "auth",
    "assertion-audience",
    "client-key.command",
    "client-key.file",
    "client-key.env",
    "client-key-id",
    "client-key-algorithm",
    "client-certificate",
    "dpop",
];

impl Proofs {
    pub(super) fn read(dir: &Path, r: &mut Reader<'_>) -> Result<Proofs, ConfigError> {
        let texts = [r.text("auth")?, r.text("assertion-audience")?, r.text("client-key-algorithm")?];
        for (key, text) in ["auth", "assertion-audience", "client-key-algorithm"].into_iter().zip(&texts) {
            if let Some(text) = text
                && let Err(why) = check(key, text)
                && let Some(entry) = r.get(key)
            {
                let error = ReadError::Refused { key: r.key(key), at: entry.at.clone(), why };
                return Err(ConfigError::from(error));
            }
        }
        let [auth, audience, algorithm] = texts;
        Ok(Proofs {
            auth: auth.as_deref().and_then(auth_of),
            assertion_audience: audience.as_deref().and_then(Audience::from_text),
            key: secret_source(dir, r, "client-key")?,
            key_id: r.text("client-key-id")?,
            key_algorithm: algorithm.as_deref().and_then(Algorithm::from_name),
            certificate: r.text("client-certificate")?.map(|path| match Path::new(&path).starts_with("~") {
                true => PathBuf::from(path),
                false => dir.join(path),
            }),
            dpop: r.flag("dpop")?,
        })
    }

    /// What was said now wins.
    pub fn lay_over(&mut self, over: &Proofs) {
        let over = over.clone();
        self.auth = over.auth.or(self.auth);
        self.assertion_audience = over.assertion_audience.or(self.assertion_audience.take());
        self.key = over.key.or(self.key.take());
        self.key_id = over.key_id.or(self.key_id.take());
        self.key_algorithm = over.key_algorithm.or(self.key_algorithm);
        self.certificate = over.certificate.or(self.certificate.take());
        self.dpop = over.dpop.or(self.dpop);
    }

    /// What a login remembers of what was said: a path, never a key.
    pub fn changes(&self, known: &Proofs) -> Vec<(String, String)> {
        let mut out = Vec::new();
        let mut change = |key: &str, now: Option<String>, known: Option<String>| {
            if let Some(now) = now.filter(|now| Some(now) != known.as_ref()) {
                out.push((key.to_owned(), now));
            }
        };
        let auth = |p: &Proofs| p.auth.map(|auth| auth_name(auth).replace('_', "-"));
        change("auth", auth(self), auth(known));
        let audience = |p: &Proofs| p.assertion_audience.as_ref().map(|a| a.text().to_owned());
        change("assertion-audience", audience(self), audience(known));
        let file = |p: &Proofs| match &p.key {
            Some(SecretSource::File(path)) if path.as_os_str() != "-" => Some(path.display().to_string()),
            _ => None,
        };
        change("client-key.file", file(self), file(known));
        change("client-key-id", self.key_id.clone(), known.key_id.clone());
        let certificate = |p: &Proofs| p.certificate.as_ref().map(|path| path.display().to_string());
        change("client-certificate", certificate(self), certificate(known));
        change("dpop", self.dpop.map(|on| on.to_string()), known.dpop.map(|on| on.to_string()));
        out
    }
}

impl Audience {
    pub fn from_text(text: &str) -> Option<Audience> {
        match text {
            "token-endpoint" => Some(Audience::TokenEndpoint),
            "issuer" => Some(Audience::Issuer),
            url if url.contains("://") => Some(Audience::Url(url.to_owned())),
            _ => None,
        }
    }

    fn text(&self) -> &str {
        match self {
            Audience::TokenEndpoint => "token-endpoint",
            Audience::Issuer => "issuer",
            Audience::Url(url) => url,
        }
    }
}

/// With hyphens, or as the RFCs and provider files write it.
pub fn auth_of(text: &str) -> Option<ClientAuth> {
    let text = text.replace('-', "_");
    match text.as_str() {
        "client_secret_basic" => Some(ClientAuth::Basic),
        "client_secret_post" => Some(ClientAuth::Post),
        name => auth_from_name(name),
    }
}

/// Why it can't be the value of that key.
fn check(key: &str, text: &str) -> Result<(), String> {
    match key {
        "auth" if auth_of(text).is_none() => {
            let names: Vec<String> = auth_names().map(|name| name.replace('_', "-")).collect();
            let meant = nearest(&text.replace('_', "-"), names.iter().map(String::as_str));
            let meant = meant.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            Err(format!("can't be `{}`; it is one of `{}`{meant}", safe(text), names.join("`, `")))
        }
        "assertion-audience" if Audience::from_text(text).is_none() => {
            Err(format!("can't be `{}`; it is `token-endpoint`, `issuer` or a URL", safe(text)))
        }
        "client-key-algorithm" if Algorithm::from_name(text).is_none_or(Algorithm::is_symmetric) => {
            let names: Vec<&str> =
                Algorithm::ALL.into_iter().filter(|alg| !alg.is_symmetric()).map(Algorithm::name).collect();
            Err(format!("can't be `{}`; it is one of `{}`", safe(text), names.join("`, `")))
        }
        _ => Ok(()),
    }
}

/// A value as a command writes it; `None`: not a key of these.
pub(super) fn value(key: &str, text: &str) -> Option<Result<toml_edit::Value, ConfigError>> {
    if !KEYS.contains(&key) || key == "client-key.command" {
        return None;
    }
    Some(match (key, text) {
        ("dpop", "true") => Ok(true.into()),
        ("dpop", "false") => Ok(false.into()),
        ("dpop", _) => Err(ConfigError::new("`dpop` must be `true` or `false`")),
        _ => check(key, text).map(|()| text.into()).map_err(|why| ConfigError::new(format!("`{key}` {why}"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_remembered_and_never_a_key() {
        let known = Proofs { auth: Some(ClientAuth::PrivateKeyJwt), ..Proofs::default() };
        let said = Proofs {
            auth: Some(ClientAuth::PrivateKeyJwt),
            assertion_audience: Some(Audience::Issuer),
            key: Some(SecretSource::File("/x/key.pem".into())),
            dpop: Some(true),
            ..Proofs::default()
        };
        let changes = said.changes(&known);
        let pairs: Vec<(&str, &str)> = changes.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("assertion-audience", "issuer"), ("client-key.file", "/x/key.pem"), ("dpop", "true")]);
        for passing in [SecretSource::File("-".into()), SecretSource::Env("KEY".into())] {
            let said = Proofs { key: Some(passing), ..Proofs::default() };
            assert_eq!(said.changes(&known), []);
        }
        let mut laid = known.clone();
        laid.lay_over(&Proofs { dpop: Some(false), ..Proofs::default() });
        assert_eq!((laid.auth, laid.dpop), (Some(ClientAuth::PrivateKeyJwt), Some(false)));
    }

    #[test]
    fn values_are_told_by_the_nearest_name() {
        assert_eq!(auth_of("private-key-jwt"), Some(ClientAuth::PrivateKeyJwt));
        assert_eq!(auth_of("client_secret_basic"), Some(ClientAuth::Basic));
        assert!(check("auth", "private-key-jtw").unwrap_err().ends_with("did you mean `private-key-jwt`?"));
        assert!(check("assertion-audience", "tokens").is_err());
        assert!(check("client-key-algorithm", "HS256").is_err());
        assert!(value("dpop", "yes").unwrap().is_err());
        assert!(value("port", "1").is_none());
    }
}

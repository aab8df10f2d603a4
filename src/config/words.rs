//! Values of a profile that are one of a few words: read from the configuration and from flags,
//! explained in the help, offered by the completions, listed by the error for any other value.

use std::net::{IpAddr, SocketAddr};

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Command, Error};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{GrantKind, IMPLICIT_REFUSED};
use crate::protocol::jose::Algorithm;
use crate::provider::{ClientAuth, When, auth_from_name, auth_name, auth_names, is_audience};
use crate::store::StoreKind;
use crate::text::{nearest, safe};

/// A value that is written as a word.
pub trait Word: Sized {
    /// The error names the words: "it is one of `a`, `b`".
    fn read(text: &str) -> Result<Self, String>;
    fn word(&self) -> String;
}

/// `#[serde(with = "word")]` reads and writes a key whose value is a [`Word`].
pub mod word {
    use super::*;

    /// Reads the word.
    pub fn deserialize<'de, T: Word, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
        let text = String::deserialize(from)?;
        T::read(&text).map(Some).map_err(|why| D::Error::custom(refused(&text, &why)))
    }

    /// Writes the word.
    pub fn serialize<T: Word, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(T::word).serialize(to)
    }
}

/// `#[serde(with = "store")]` reads and writes a store: a [`Word`], or the table of a program or an
/// engine.
pub mod store {
    use super::*;
    use crate::layers::de::fields_of;
    use crate::store::program::Table;
    use crate::store::vault::{NAME, Place};
    use serde::de::value::MapAccessDeserializer;
    use serde::de::{MapAccess, Visitor};
    use serde_json::{Map, Value};

    struct Written;

    impl<'de> Visitor<'de> for Written {
        type Value = Option<StoreKind>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a text or a table")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            StoreKind::read(text).map(Some).map_err(|why| E::custom(refused(text, &why)))
        }

        fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
            let table: Map<String, Value> = Map::deserialize(MapAccessDeserializer::new(map))?;
            let is_vault = table.contains_key(NAME);
            refuse_unknown(&table, &if is_vault { fields_of::<Place>() } else { fields_of::<Table>() })?;
            let table = Value::Object(table);
            let kind = match is_vault {
                true => serde_json::from_value(table).map(Place::checked).map(|place| place.map(StoreKind::Vault)),
                false => serde_json::from_value(table).map(|table: Table| table.try_into().map(StoreKind::Program)),
            };
            kind.map_err(M::Error::custom)?.map(Some).map_err(M::Error::custom)
        }
    }

    fn refuse_unknown<E: serde::de::Error>(table: &Map<String, Value>, known: &[&'static str]) -> Result<(), E> {
        let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
        let meant = match nearest(key, known.iter().copied().chain(fields_of::<Place>())) {
            Some(name) if known.contains(&name) || name == NAME => format!("did you mean `{name}`?"),
            Some(name) => format!("`{name}` is for an engine, whose address is the key `{NAME}`"),
            None => format!("an engine's address is the key `{NAME}`, a program `command`"),
        };
        Err(E::custom(format!("has no key `{}`; {meant}", safe(key))))
    }

    /// Reads the word, or the table.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<StoreKind>, D::Error> {
        from.deserialize_any(Written)
    }

    /// Writes the word, or the table where no word says the same.
    pub fn serialize<S: Serializer>(value: &Option<StoreKind>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(kind @ StoreKind::Program(program)) if StoreKind::from_name(kind.name()) != Some(*kind) => {
                Table::from(*program).serialize(to)
            }
            Some(StoreKind::Vault(place)) if *place != Place::of_variables() => place.serialize(to),
            value => word::serialize(value, to),
        }
    }
}

/// An error that goes on after the key.
pub fn refused(text: &str, why: &str) -> String {
    format!("can't be `{}`; {why}", safe(text))
}

/// The error for a text that is none of these words.
pub fn none_of(text: &str, words: &[impl AsRef<str>]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let meant = nearest(&text.replace('_', "-"), words.iter().copied());
    let meant = meant.map(|word| format!("; did you mean `{word}`?")).unwrap_or_default();
    format!("it is one of `{}`{meant}", words.join("`, `"))
}

impl Word for GrantKind {
    fn read(text: &str) -> Result<GrantKind, String> {
        match text {
            "implicit" => Err(IMPLICIT_REFUSED.to_owned()),
            _ => GrantKind::from_name(text).ok_or_else(|| none_of(text, &GrantKind::ALL.map(GrantKind::name))),
        }
    }

    fn word(&self) -> String {
        self.name().to_owned()
    }
}

impl Word for StoreKind {
    fn read(text: &str) -> Result<StoreKind, String> {
        StoreKind::from_name(text).ok_or_else(|| none_of(text, &store_words()))
    }

    fn word(&self) -> String {
        self.name().to_owned()
    }
}

/// Written with hyphens, or with the underscores of the RFCs and of provider files.
impl Word for ClientAuth {
    fn read(text: &str) -> Result<ClientAuth, String> {
        let name = text.replace('-', "_");
        match name.as_str() {
            "client_secret_basic" => Ok(ClientAuth::Basic),
            "client_secret_post" => Ok(ClientAuth::Post),
            name => auth_from_name(name).ok_or_else(|| none_of(text, &auth_words())),
        }
    }

    fn word(&self) -> String {
        auth_name(*self).replace('_', "-")
    }
}

fn auth_words() -> Vec<String> {
    auth_names().map(|name| name.replace('_', "-")).collect()
}

impl Word for Algorithm {
    fn read(text: &str) -> Result<Algorithm, String> {
        Algorithm::from_name(text).filter(|alg| !alg.is_symmetric()).ok_or_else(|| {
            let known = Algorithm::ALL.into_iter().filter(|alg| !alg.is_symmetric());
            none_of(text, &known.map(Algorithm::name).collect::<Vec<_>>())
        })
    }

    fn word(&self) -> String {
        self.name().to_owned()
    }
}

/// Words and their meanings.
pub type Explained = &'static [(&'static str, &'static str)];

const GRANTS: Explained = &[
    ("authorization-code", "a person signs in with a browser"),
    ("device-code", "a person enters a code on another device"),
    ("client-credentials", "the client's own secret or key; no person"),
    ("jwt-bearer", "a JWT is exchanged for a token (RFC 7523)"),
    ("saml2-bearer", "a SAML assertion is exchanged for a token (RFC 7522)"),
    ("token-exchange", "another token is exchanged for a token (RFC 8693)"),
    ("ciba", "a person confirms on a device of their own"),
    ("password", "the person's name and password, for servers that offer nothing else"),
];

const STORES: Explained = &[
    ("keychain", "the system's keychain"),
    ("file", "sealed files"),
    ("environment", "variables, which are only read"),
    ("none", "nothing is stored"),
    ("pass", "the password store of `pass`"),
    ("vault", "HashiCorp Vault or OpenBao"),
];

const AUTHS: Explained = &[
    ("basic", "id and secret in a header"),
    ("basic-raw", "the same, not percent-encoded"),
    ("post", "id and secret in the body"),
    ("query", "id and secret in the URL"),
    ("basic-secret-as-user", "the secret in a header, as the user's name"),
    ("none", "the id alone"),
    ("client-secret-jwt", "a JWT signed with the secret"),
    ("private-key-jwt", "a JWT signed with the key"),
    ("tls-client-auth", "a certificate that an authority issued"),
    ("self-signed-tls-client-auth", "a certificate that the provider knows"),
];

const MODES: Explained = &[
    ("query", "in the redirect URL"),
    ("form_post", "in a form that the browser sends"),
    ("jwt", "signed (JARM)"),
    ("query.jwt", "signed, in the redirect URL"),
    ("form_post.jwt", "signed, in a form that the browser sends"),
];

const WANTED: Explained =
    &[("auto", "where the server's metadata requires it"), ("true", "always"), ("false", "never")];

/// The parser of a flag whose value is a word.
#[derive(Clone)]
pub struct Words<T> {
    pub read: fn(&str) -> Result<T, String>,
    pub known: Explained,
}

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Words<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &std::ffi::OsStr) -> Result<T, Error> {
        self.read.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.known.iter().map(|(word, about)| PossibleValue::new(word).help(about))))
    }
}

/// The grants, for a flag.
pub fn grants() -> Words<GrantKind> {
    Words { read: GrantKind::read, known: GRANTS }
}

/// The stores, for a flag.
pub fn stores() -> Words<StoreKind> {
    Words { read: StoreKind::read, known: STORES }
}

/// The methods of client authentication, for a flag.
pub fn auths() -> Words<ClientAuth> {
    Words { read: ClientAuth::read, known: AUTHS }
}

/// The response modes, for a flag.
pub fn response_modes() -> Words<String> {
    Words { read: response_mode, known: MODES }
}

/// `auto`, `true` and `false`, for a flag.
pub fn wanted() -> Words<When> {
    Words { read: when, known: WANTED }
}

/// The grants by name, for a hint.
pub fn known_grants() -> String {
    format!("it is one of `{}`", GrantKind::ALL.map(GrantKind::name).join("`, `"))
}

/// The last one stands for many.
fn store_words() -> Vec<&'static str> {
    STORES.iter().map(|(word, _)| *word).chain(["docker-credential-NAME"]).collect()
}

/// The stores by name, for a hint.
pub fn known_stores() -> String {
    format!("it is one of `{}`", store_words().join("`, `"))
}

/// A response mode that `login` can receive.
pub fn response_mode(text: &str) -> Result<String, String> {
    match text {
        "fragment" | "fragment.jwt" => {
            Err("the part behind `#` never leaves the browser: use `query` or `form_post`".to_owned())
        }
        _ if MODES.iter().any(|(mode, _)| *mode == text) => Ok(text.to_owned()),
        _ => Err(none_of(text, &MODES.iter().map(|(mode, _)| mode).collect::<Vec<_>>())),
    }
}

/// The `aud` of assertions.
pub fn audience(text: &str) -> Result<String, String> {
    match is_audience(text) {
        true => Ok(text.to_owned()),
        false => Err("it is `token-endpoint`, `issuer` or a URL".to_owned()),
    }
}

/// Ports from which a login takes the first free one: `8976`, `8976-8980`, `8976,9000`.
pub fn ports(text: &str) -> Result<Vec<u16>, String> {
    let why = || "it is a port from 1 to 65535, or several, 16 at most: `8976-8980`, `8976,9000`".to_owned();
    let port = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port != 0).ok_or_else(why);
    let mut ports = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        ports.extend((port(first)?..=port(last)?).take(MOST_PORTS + 1));
    }
    if (1..=MOST_PORTS).contains(&ports.len()) { Ok(ports) } else { Err(why()) }
}

/// The same, for a flag.
pub fn port(text: &str) -> Result<String, String> {
    ports(text).map(|_| text.to_owned())
}

/// The same, for a flag.
pub fn listens(text: &str) -> Result<String, String> {
    listen(text).map(|_| text.to_owned())
}

/// Each is told with its holder, if none is free.
const MOST_PORTS: usize = 16;

/// Where a login's listener is bound: `0.0.0.0`, `[::]:9000`. Port 0: that of the redirect address.
pub fn listen(text: &str) -> Result<SocketAddr, String> {
    let ip = text.trim_start_matches('[').trim_end_matches(']');
    let whole = text.parse().or_else(|_| ip.parse().map(|ip: IpAddr| SocketAddr::new(ip, 0)));
    whole.map_err(|_| "it is an address of this machine: `0.0.0.0`, `0.0.0.0:9000`, `[::]`".to_owned())
}

fn when(text: &str) -> Result<When, String> {
    let all = [When::Auto, When::Always, When::Never];
    all.into_iter().find(|when| when.word() == text).ok_or_else(|| none_of(text, &all.map(When::word)))
}

/// Whoever asks for less by a variable without a value must not get more.
pub fn said(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() { Err("it is empty") } else { Ok(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_that_is_read_is_explained() {
        let names = |known: Explained| known.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(names(GRANTS), GrantKind::ALL.map(GrantKind::name));
        assert!(names(STORES).starts_with(&StoreKind::ALL.map(|kind| kind.name().to_owned())));
        assert!(store_words().into_iter().all(|name| StoreKind::read(name).is_ok()));
        let mut auths = auth_words();
        let mut told = names(AUTHS);
        auths.sort();
        told.sort();
        assert_eq!(told, auths);
    }

    #[test]
    fn ports_are_a_list_of_numbers_and_ranges() {
        assert_eq!(ports("8976"), Ok(vec![8976]));
        assert_eq!(ports("8976-8978, 9000"), Ok(vec![8976, 8977, 8978, 9000]));
        assert_eq!(ports("65535-65535"), Ok(vec![65535]));
        for wrong in ["", "0", "x", "1,", "9-8", "1-17", "1-65535", "65536", "-1", "1--2"] {
            assert!(ports(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_place_to_listen_is_an_address_with_or_without_a_port() {
        for (text, address) in [
            ("0.0.0.0", "0.0.0.0:0"),
            ("172.17.0.2:9000", "172.17.0.2:9000"),
            ("::", "[::]:0"),
            ("[::1]", "[::1]:0"),
            ("[::]:9000", "[::]:9000"),
        ] {
            assert_eq!(listen(text), Ok(address.parse().unwrap()), "{text}");
        }
        for wrong in ["", "localhost", "9000", ":9000", "0.0.0.0:x", "0.0.0.0:70000"] {
            assert!(listen(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn values_are_told_by_the_nearest_name() {
        assert_eq!(ClientAuth::read("private-key-jwt"), Ok(ClientAuth::PrivateKeyJwt));
        assert_eq!(ClientAuth::read("client_secret_basic"), Ok(ClientAuth::Basic));
        assert!(ClientAuth::read("private-key-jtw").unwrap_err().ends_with("did you mean `private-key-jwt`?"));
        assert!(audience("tokens").is_err());
        assert!(Algorithm::read("HS256").is_err());
    }
}

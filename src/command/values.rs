//! Values that are one of a few words: the help names and explains each, the completions offer them, and what is none of them is
//! told with what it should have been.

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Command, Error};

use crate::config::proofs::auth_of;
use crate::config::{GrantKind, IMPLICIT_REFUSED};
use crate::provider::{ClientAuth, Wanted, auth_names, catalogue};
use crate::sandbox::Manners;
use crate::session::{known_grants, known_stores};
use crate::store::StoreKind;

type Explained = &'static [(&'static str, &'static str)];

const GRANTS: Explained = &[
    ("authorization-code", "a person signs in with a browser"),
    ("device-code", "a person enters a code on any other device"),
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
    ("none", "nowhere: nothing is kept"),
];

const AUTHS: Explained = &[
    ("basic", "id and secret in a header"),
    ("basic-raw", "the same, not percent-encoded"),
    ("post", "id and secret in the body"),
    ("query", "id and secret in the address"),
    ("basic-secret-as-user", "the secret in a header, as the user's name"),
    ("none", "the id alone"),
    ("client-secret-jwt", "a JWT signed with the secret"),
    ("private-key-jwt", "a JWT signed with the key"),
    ("tls-client-auth", "a certificate of an authority's"),
    ("self-signed-tls-client-auth", "a certificate that the provider knows"),
];

const RESPONSE_MODES: Explained = &[
    ("query", "in the address"),
    ("form_post", "in a form that the browser sends"),
    ("jwt", "signed (JARM)"),
    ("query.jwt", "signed, in the address"),
    ("form_post.jwt", "signed, in a form that the browser sends"),
];

const WANTED: Explained =
    &[("auto", "where the server's metadata requires it"), ("true", "always"), ("false", "never")];

const MANNERS: Explained = &[
    ("sandbox", "the practice server's own"),
    ("getresponse", "GetResponse's"),
    ("verticalresponse", "VerticalResponse's, classic"),
    ("verticalresponse-vr2", "VerticalResponse's, VR2"),
    ("constantcontact", "Constant Contact's"),
];

/// Reads a word, and knows those that there are.
#[derive(Clone)]
pub struct Words<T> {
    read: fn(&str) -> Result<T, String>,
    known: Explained,
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

pub fn grants() -> Words<GrantKind> {
    Words { read: grant, known: GRANTS }
}

pub fn stores() -> Words<StoreKind> {
    Words { read: |text| StoreKind::from_name(text).ok_or_else(known_stores), known: STORES }
}

pub fn auths() -> Words<ClientAuth> {
    Words { read: auth, known: AUTHS }
}

pub fn response_modes() -> Words<String> {
    Words { read: response_mode, known: RESPONSE_MODES }
}

pub fn wanted() -> Words<Wanted> {
    Words { read: when, known: WANTED }
}

pub fn manners() -> Words<Manners> {
    Words { read: manner, known: MANNERS }
}

fn manner(text: &str) -> Result<Manners, String> {
    let name = catalogue::find(text).map_or(text, |(name, _)| name);
    Manners::from_name(name).ok_or_else(|| Manners::ALL.map(Manners::name).join(", "))
}

fn grant(text: &str) -> Result<GrantKind, String> {
    match text.replace('_', "-").as_str() {
        "implicit" => Err(IMPLICIT_REFUSED.to_owned()),
        _ => GrantKind::from_name(text).ok_or_else(known_grants),
    }
}

fn auth(text: &str) -> Result<ClientAuth, String> {
    auth_of(text).ok_or_else(|| {
        let names: Vec<String> = auth_names().map(|name| name.replace('_', "-")).collect();
        format!("it is one of {}", names.join(", "))
    })
}

fn response_mode(text: &str) -> Result<String, String> {
    let names: Vec<&str> = RESPONSE_MODES.iter().map(|(name, _)| *name).collect();
    match names.contains(&text) {
        true => Ok(text.to_owned()),
        false => Err(format!("one of `{}`", names.join("`, `"))),
    }
}

fn when(text: &str) -> Result<Wanted, String> {
    match text {
        "auto" => Ok(Wanted::Auto),
        "true" => Ok(Wanted::Always),
        "false" => Ok(Wanted::Never),
        _ => Err("it is one of `auto`, `true` and `false`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn every_word_that_is_read_is_explained() {
        let names = |known: Explained| known.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(names(GRANTS), GrantKind::ALL.map(GrantKind::name));
        assert_eq!(names(STORES), StoreKind::ALL.map(StoreKind::name));
        assert_eq!(names(MANNERS), Manners::ALL.map(Manners::name));
        assert_eq!(names(RESPONSE_MODES), config::RESPONSE_MODES);
        let mut auths: Vec<String> = auth_names().map(|name| name.replace('_', "-")).collect();
        let mut told = names(AUTHS);
        auths.sort();
        told.sort();
        assert_eq!(told, auths);
    }
}

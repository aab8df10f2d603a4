//! What another access token of the same login is asked for: fewer scopes (RFC 6749, section 6), or
//! another service (RFC 8707).

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};

use crate::config::{Profile, TokenTarget};
use crate::stored;
use crate::text::pasted;
use crate::token::TokenSet;

/// What a token is asked for in place of what the login was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Variant {
    #[serde(deserialize_with = "texts", skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    #[serde(deserialize_with = "texts", skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    #[serde(deserialize_with = "texts", skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
}

/// One token beside the login's main one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Beside {
    #[serde(rename = "for")]
    pub variant: Variant,
    pub token: TokenSet,
}

fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    stored::list(from).map(Option::unwrap_or_default)
}

/// Each once: neither order nor repetition makes another token.
pub fn sorted(list: impl IntoIterator<Item = String>) -> Vec<String> {
    list.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

impl Variant {
    /// Takes the flags out of those of the profile. `None`: there are none.
    pub fn taken_from(flags: &mut Profile) -> Option<Variant> {
        let TokenTarget { scopes, resource, audience } = std::mem::take(&mut flags.target);
        let scopes = sorted(scopes.unwrap_or_default());
        let variant = Variant { scopes, resource: sorted(resource), audience: sorted(audience) };
        (variant != Variant::default()).then_some(variant)
    }

    /// The same as flags of a profile.
    pub fn as_flags(&self) -> Profile {
        let scopes = Some(self.scopes.clone()).filter(|scopes| !scopes.is_empty());
        let target = TokenTarget { scopes, resource: self.resource.clone(), audience: self.audience.clone() };
        Profile { target, ..Profile::default() }
    }

    /// The options of a command line that ask for it.
    pub fn options(&self) -> Vec<(String, String)> {
        self.as_flags().options()
    }

    pub fn words(&self) -> String {
        let words = self.options().into_iter().map(|(name, value)| format!("{name} {}", pasted(&value)));
        words.collect::<Vec<_>>().join(" ")
    }

    /// The scopes of a token that go beyond these: the provider does not narrow.
    pub fn exceeded_by<'a>(&self, set: &'a TokenSet) -> Vec<&'a str> {
        let all = set.scopes.iter().flatten().filter(|scope| !self.scopes.is_empty() && !self.scopes.contains(scope));
        all.map(String::as_str).collect()
    }
}

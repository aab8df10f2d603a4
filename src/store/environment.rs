//! Tokens from `OAUTHCTL_<PROFILE>_TOKEN`, used unchanged. This store saves nothing.

use std::collections::BTreeMap;

use super::{Store, StoreError, StoreKind};
use crate::secret::Secret;
use crate::token::TokenSet;
use crate::world::Env;

/// The variable that holds a profile's token: upper case, other characters `_`. Two profiles may
/// share one (`a-b` and `a.b`).
pub fn variable_name(profile: &str) -> String {
    format!("OAUTHCTL_{}_TOKEN", upper(profile))
}

/// The endings of one profile's variables: `OAUTHCTL_<PROFILE>_…`.
pub const PROFILE_VARIABLES: [&str; 7] =
    ["TOKEN", "CLIENT_ID", "CLIENT_SECRET", "CLIENT_KEY_FILE", "CLIENT_CERTIFICATE", "GRANT", "SCOPE"];

/// A profile's name as variable names spell it.
pub fn upper(profile: &str) -> String {
    profile.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// Checks a variable's value: a token goes into a header and onto a line.
pub(super) fn judge(value: &str) -> Result<(), &'static str> {
    match value {
        "" => Err("is blank"),
        _ if value.bytes().all(|b| (0x21..=0x7e).contains(&b)) => Ok(()),
        _ => Err("has blanks, line breaks or other characters inside that a token can't have"),
    }
}

/// The tokens in the environment, read once at the start.
pub struct EnvironmentStore {
    /// By variable.
    tokens: BTreeMap<String, Secret>,
    /// The variable to read, if it isn't the profile's own.
    variable: Option<String>,
}

impl EnvironmentStore {
    /// Reads all tokens in the environment.
    pub fn new(env: &dyn Env) -> EnvironmentStore {
        let names = env.names();
        let tokens = names
            .iter()
            .filter(|name| name.starts_with("OAUTHCTL_") && name.ends_with("_TOKEN"))
            // `$(cat token.txt)` and pasted secrets bring blanks and line breaks
            .filter_map(|name| env.var(name).map(|value| (name.clone(), Secret::new(value.trim()))))
            .collect();
        EnvironmentStore { tokens, variable: None }
    }

    /// The same, with this variable's token for the profile.
    pub fn with(env: &dyn Env, variable: &str) -> EnvironmentStore {
        EnvironmentStore { variable: Some(variable.to_owned()), ..EnvironmentStore::new(env) }
    }

    fn variable(&self, profile: &str) -> String {
        self.variable.clone().unwrap_or_else(|| variable_name(profile))
    }
}

impl Store for EnvironmentStore {
    fn kind(&self) -> StoreKind {
        StoreKind::Environment
    }

    fn place(&self) -> String {
        "the environment".to_owned()
    }

    /// A record of the token alone: without lifetime (used until refused), scopes or refresh token.
    fn load(&self, profile: &str) -> Result<Option<Secret>, StoreError> {
        let variable = self.variable(profile);
        let Some(value) = self.tokens.get(&variable) else { return Ok(None) };
        judge(value.expose()).map_err(|why| StoreError::BadVariable { variable, why })?;
        let record = BTreeMap::from([("token", TokenSet::new(value.clone(), "Bearer", 0))]);
        Ok(Some(Secret::new(serde_json::to_string(&record).expect("every key is a text"))))
    }

    /// This program can't unset an outside variable.
    fn delete(&self, profile: &str) -> Result<bool, StoreError> {
        if self.tokens.contains_key(&self.variable(profile)) {
            return Err(StoreError::ReadOnly("environment"));
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profiles_variable_is_upper_case_with_underscores() {
        for (profile, variable) in [
            ("getresponse", "OAUTHCTL_GETRESPONSE_TOKEN"),
            ("work-2.eu", "OAUTHCTL_WORK_2_EU_TOKEN"),
            ("zażółć", "OAUTHCTL_ZA_____TOKEN"),
        ] {
            assert_eq!(variable_name(profile), variable);
        }
    }
}

//! Flags for what a profile asks for beyond grant and scopes: each is a key of the configuration too, and `login` remembers it.

use std::path::PathBuf;

use clap::Args;

use crate::command::values;
use crate::config::{Asks, SecretSource};
use crate::protocol::{authorization_details, token_request};
use crate::provider::Wanted;

/// What the grants without a browser exchange, and what a token is for.
#[derive(Args, Clone, Debug, Default)]
pub struct GrantFlags {
    /// A service that the token is for, by its URL (RFC 8707); may be given several times.
    #[arg(long = "resource", value_name = "URL", value_parser = resource, help_heading = "Grants")]
    pub resources: Vec<String>,
    /// A service that the token is for (RFC 8693); may be given several times.
    #[arg(long = "audience", value_name = "NAME", help_heading = "Grants")]
    pub audiences: Vec<String>,
    /// A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input.
    #[arg(long, value_name = "FILE", help_heading = "Grants")]
    pub assertion_file: Option<PathBuf>,
    /// The subject of an assertion that is made here (`jwt-bearer` with a client key).
    #[arg(long, value_name = "NAME", help_heading = "Grants")]
    pub subject: Option<String>,
    /// The issuer of that assertion [default: the client id]
    #[arg(long, value_name = "NAME", help_heading = "Grants")]
    pub assertion_issuer: Option<String>,
    /// A file with the token to exchange (`token-exchange`); `-` reads it from standard input.
    #[arg(long, value_name = "FILE", help_heading = "Grants", conflicts_with = "subject_profile")]
    pub subject_token_file: Option<PathBuf>,
    /// The type of that token: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]
    #[arg(long, value_name = "TYPE", help_heading = "Grants")]
    pub subject_token_type: Option<String>,
    /// Exchange the token of this other profile.
    #[arg(long, value_name = "PROFILE", help_heading = "Grants")]
    pub subject_profile: Option<String>,
    /// A file with the token of the actor, who acts for the subject.
    #[arg(long, value_name = "FILE", help_heading = "Grants")]
    pub actor_token_file: Option<PathBuf>,
    /// The type of the actor's token [default: access_token]
    #[arg(long, value_name = "TYPE", help_heading = "Grants")]
    pub actor_token_type: Option<String>,
    /// The type of token wanted.
    #[arg(long, value_name = "TYPE", help_heading = "Grants")]
    pub requested_token_type: Option<String>,
}

/// What a person's sign-in may be asked with.
#[derive(Args, Clone, Debug, Default)]
pub struct SignInFlags {
    /// The person who is to sign in, by a name that the provider knows.
    #[arg(long, value_name = "NAME", help_heading = "Sign-in")]
    pub login_hint: Option<String>,
    /// The pages that the provider is to show: `login`, `consent`, `select_account` or `none`; several with blanks between.
    #[arg(long, value_name = "WORDS", help_heading = "Sign-in")]
    pub prompt: Option<String>,
    /// Ask for the password again if the last sign-in is longer ago, in seconds.
    #[arg(long, value_name = "SECONDS", help_heading = "Sign-in")]
    pub max_age: Option<u32>,
    /// The ways in which the person may prove who they are; several with blanks between.
    #[arg(long, value_name = "VALUES", help_heading = "Sign-in")]
    pub acr_values: Option<String>,
    /// Languages for the provider's pages (`de en`).
    #[arg(long, value_name = "LOCALES", help_heading = "Sign-in")]
    pub ui_locales: Option<String>,
    /// The exact permissions to ask for, as JSON (RFC 9396); `@FILE` reads them from a file.
    #[arg(long, value_name = "JSON", value_parser = details, help_heading = "Sign-in")]
    pub authorization_details: Option<String>,
    /// The way in which the answer comes back.
    #[arg(long, value_name = "MODE", value_parser = values::response_modes(), help_heading = "Sign-in")]
    pub response_mode: Option<String>,
    /// Push the request to the provider first (RFC 9126); without WHEN: always.
    #[arg(long, value_name = "WHEN", value_parser = values::wanted(), num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Sign-in")]
    pub par: Option<Wanted>,
    /// Sign the request with the client's key (RFC 9101); without WHEN: always.
    #[arg(long, value_name = "WHEN", value_parser = values::wanted(), num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Sign-in")]
    pub request_object: Option<Wanted>,
    /// Your name at the provider (`--grant password`).
    #[arg(long, value_name = "NAME", help_heading = "Sign-in")]
    pub username: Option<String>,
    /// A file with your password (`--grant password`); `-` reads it from standard input.
    #[arg(long, value_name = "FILE", help_heading = "Sign-in")]
    pub password_file: Option<PathBuf>,
    /// A text that both devices show (`--grant ciba`).
    #[arg(long, value_name = "TEXT", help_heading = "Sign-in")]
    pub binding_message: Option<String>,
    /// A file with an ID token of the person who is asked (`--grant ciba`).
    #[arg(long, value_name = "FILE", help_heading = "Sign-in")]
    pub id_token_hint_file: Option<PathBuf>,
    /// A file with a token that names the person who is asked (`--grant ciba`).
    #[arg(long, value_name = "FILE", help_heading = "Sign-in")]
    pub login_hint_token_file: Option<PathBuf>,
    /// The time that the person has to confirm, in seconds (`--grant ciba`).
    #[arg(long, value_name = "SECONDS", help_heading = "Sign-in")]
    pub requested_expiry: Option<u32>,
}

impl GrantFlags {
    pub fn asks(&self) -> Asks {
        Asks {
            resources: self.resources.clone(),
            audiences: self.audiences.clone(),
            assertion: file(&self.assertion_file),
            subject: self.subject.clone(),
            assertion_issuer: self.assertion_issuer.clone(),
            subject_token: file(&self.subject_token_file),
            subject_token_type: self.subject_token_type.clone(),
            subject_profile: self.subject_profile.clone(),
            actor_token: file(&self.actor_token_file),
            actor_token_type: self.actor_token_type.clone(),
            requested_token_type: self.requested_token_type.clone(),
            ..Asks::default()
        }
    }
}

impl SignInFlags {
    pub fn asks(&self) -> Asks {
        Asks {
            login_hint: self.login_hint.clone(),
            prompt: self.prompt.clone(),
            max_age: self.max_age.map(u64::from),
            acr_values: self.acr_values.clone(),
            ui_locales: self.ui_locales.clone(),
            authorization_details: self.authorization_details.clone(),
            response_mode: self.response_mode.clone(),
            par: self.par,
            request_object: self.request_object,
            username: self.username.clone(),
            password: file(&self.password_file),
            binding_message: self.binding_message.clone(),
            id_token_hint: file(&self.id_token_hint_file),
            login_hint_token: file(&self.login_hint_token_file),
            requested_expiry: self.requested_expiry.map(u64::from),
            ..Asks::default()
        }
    }
}

/// The profile is used from other folders too.
fn file(path: &Option<PathBuf>) -> Option<SecretSource> {
    let path = path.as_ref()?;
    let whole = match path.to_str() {
        Some("-") => path.clone(),
        Some(text) if text.starts_with("~/") => path.clone(),
        _ => std::path::absolute(path).unwrap_or_else(|_| path.clone()),
    };
    Some(SecretSource::File(whole))
}

fn resource(text: &str) -> Result<String, String> {
    token_request::check_resource(text).map(|()| text.to_owned()).map_err(|why| format!("it {why}"))
}

fn details(text: &str) -> Result<String, String> {
    let read;
    let text = match text.strip_prefix('@') {
        Some(file) => {
            read = std::fs::read_to_string(file)
                .map_err(|e| format!("`{}` can't be read: {e}", crate::text::safe(file)))?;
            read.as_str()
        }
        None => text,
    };
    authorization_details::check(text).map_err(|e| format!("it {e}"))
}

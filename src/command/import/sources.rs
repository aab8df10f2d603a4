//! Reads the files in which other programs keep their logins.

use serde::Deserialize;

use super::Source;
use crate::error::Error;
use crate::provider::catalogue;
use crate::secret::Secret;
use crate::text::safe;

/// A login of another program's.
pub struct Found {
    /// Its name there.
    pub name: Option<String>,
    pub provider: Option<String>,
    pub client_id: Option<String>,
    pub client_secret: Option<Secret>,
    pub refresh_token: Secret,
    pub scopes: Option<Vec<String>>,
}

impl Found {
    /// A refresh token alone.
    fn of(refresh_token: Secret) -> Found {
        let (name, provider, client_id, client_secret, scopes) = (None, None, None, None, None);
        Found { name, provider, client_id, client_secret, refresh_token, scopes }
    }
}

/// rclone's back ends, and the providers that they sign in at.
const BACK_ENDS: [(&str, &str); 7] = [
    ("box", "box"),
    ("drive", "google-drive"),
    ("dropbox", "dropbox"),
    ("google cloud storage", "google-cloud"),
    ("onedrive", "onedrive"),
    ("yandex", "yandex"),
    ("zoho", "zoho"),
];

/// The logins in a text, and why others are left out.
pub fn read(source: Source, text: &Secret) -> Result<(Vec<Found>, Vec<String>), Error> {
    let alone = |found| Ok((vec![found], Vec::new()));
    match source {
        Source::RefreshToken => alone(Found::of(text.clone())),
        Source::Rclone => rclone(text.expose()),
        Source::Gcloud => alone(gcloud(text.expose())?),
        Source::OidcAgent => alone(oidc_agent(text.expose())?),
        Source::MuttOauth2 => alone(mutt(text.expose())?),
        Source::Dotenv => alone(by_names(dotenv(text.expose()))?),
        Source::Postman => alone(by_names(postman(text.expose())?)?),
        Source::Profile => Ok((Vec::new(), Vec::new())),
    }
}

fn json<'a, T: Deserialize<'a>>(text: &'a str, of: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|e| Error::usage(format!("it is no login of {of}")).cause(e))
}

/// google-auth's `authorized_user`.
fn gcloud(text: &str) -> Result<Found, Error> {
    #[derive(Deserialize)]
    struct Credentials {
        #[serde(rename = "type")]
        kind: String,
        client_id: Option<String>,
        client_secret: Option<Secret>,
        refresh_token: Option<Secret>,
    }
    let said: Credentials = json(text, "gcloud's")?;
    let Some(refresh_token) = said.refresh_token.filter(|_| said.kind == "authorized_user") else {
        let kind = safe(&said.kind);
        return Err(Error::usage(format!("credentials of the type `{kind}` have no refresh token"))
            .hint("a login of a person's is an `authorized_user`: gcloud auth application-default login"));
    };
    Ok(Found {
        name: Some("gcloud".to_owned()),
        provider: Some("google".to_owned()),
        client_id: said.client_id,
        client_secret: said.client_secret,
        ..Found::of(refresh_token)
    })
}

/// oidc-agent's account configuration, opened.
fn oidc_agent(text: &str) -> Result<Found, Error> {
    #[derive(Deserialize)]
    struct Account {
        name: Option<String>,
        #[serde(alias = "issuer")]
        issuer_url: String,
        client_id: Option<String>,
        client_secret: Option<Secret>,
        refresh_token: Secret,
        scope: Option<String>,
    }
    let said: Account = json(text, "oidc-agent's")?;
    let scopes = said.scope.map(|scope| scope.split_whitespace().map(str::to_owned).collect());
    Ok(Found {
        name: said.name,
        provider: Some(said.issuer_url),
        client_id: said.client_id,
        client_secret: said.client_secret.filter(|secret| !secret.is_empty()),
        scopes,
        ..Found::of(said.refresh_token)
    })
}

/// mutt_oauth2.py's token file. Its client is in the script, or since version 2022 in the file.
fn mutt(text: &str) -> Result<Found, Error> {
    #[derive(Deserialize)]
    struct Token {
        registration: String,
        email: Option<String>,
        refresh_token: Secret,
        client_id: Option<String>,
        client_secret: Option<Secret>,
    }
    let said: Token = json(text, "mutt_oauth2.py's")?;
    let provider = match said.registration.as_str() {
        "google" => Some("google-mail"),
        "microsoft" => Some("microsoft-mail"),
        _ => None,
    };
    Ok(Found {
        name: said.email,
        provider: provider.map(str::to_owned),
        client_id: said.client_id.filter(|id| !id.is_empty()),
        client_secret: said.client_secret.filter(|secret| !secret.is_empty()),
        ..Found::of(said.refresh_token)
    })
}

/// The pairs of `NAME=VALUE` lines: with `export`, quotes and comments as shells and their
/// imitators have them.
fn dotenv(text: &str) -> Vec<(String, String)> {
    let pair = |line: &str| {
        let line = line.trim().trim_start_matches("export ");
        let (name, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
        let value = value.trim();
        let quoted = |quote: char| value.strip_prefix(quote)?.split(quote).next();
        let value =
            quoted('"').or_else(|| quoted('\'')).unwrap_or_else(|| value.split(" #").next().unwrap_or_default());
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    text.lines().filter_map(pair).collect()
}

fn postman(text: &str) -> Result<Vec<(String, String)>, Error> {
    #[derive(Deserialize)]
    struct Environment {
        values: Vec<Variable>,
    }
    #[derive(Deserialize)]
    struct Variable {
        key: String,
        value: serde_json::Value,
        #[serde(default = "enabled")]
        enabled: bool,
    }
    fn enabled() -> bool {
        true
    }
    let said: Environment = json(text, "Postman's")?;
    let values = said.values.into_iter().filter(|variable| variable.enabled);
    Ok(values.filter_map(|variable| Some((variable.key, variable.value.as_str()?.to_owned()))).collect())
}

/// A login of variables that are called like what they hold: `GR_REFRESH_TOKEN`, `clientId`. All
/// have the same beginning: a file may hold the logins of several servers. A beginning that is a
/// known provider's name says whose it is.
fn by_names(pairs: Vec<(String, String)>) -> Result<Found, Error> {
    let plain = |name: &str| name.to_lowercase().replace(['_', '-', '.'], "");
    let values = |what: &str| {
        let begins = |name: &str| plain(name).strip_suffix(what).map(str::to_owned);
        let named = pairs.iter().filter_map(|(name, value)| Some((begins(name)?, name, value)));
        named.filter(|(_, _, value)| !value.is_empty()).collect::<Vec<_>>()
    };
    let tokens = values("refreshtoken");
    let (begin, token) = match &tokens[..] {
        [] => {
            return Err(Error::usage("it has no refresh token: no variable is called so")
                .hint("a client without a login: oauthctl init PROVIDER --client-id ID --client-secret-file FILE"));
        }
        [(begin, _, token)] => (begin, token),
        several => {
            let names = several.iter().map(|(_, name, _)| safe(name)).collect::<Vec<_>>().join(", ");
            return Err(Error::usage(format!("it has several refresh tokens: {names}"))
                .hint("import a file with one of them, and with its client"));
        }
    };
    let value = |what: &str| values(what).into_iter().find(|(own, ..)| own == begin).map(|(_, _, value)| value.clone());
    let scopes = value("scope").or_else(|| value("scopes"));
    Ok(Found {
        provider: catalogue::find(begin).map(|(id, _)| id.to_owned()),
        client_id: value("clientid"),
        client_secret: value("clientsecret").map(Secret::new),
        scopes: scopes.map(|scopes| scopes.split([' ', ',']).filter(|it| !it.is_empty()).map(str::to_owned).collect()),
        ..Found::of(Secret::new((*token).clone()))
    })
}

/// The remotes of rclone.conf: sections of `key = value`, the token a JSON object.
fn rclone(text: &str) -> Result<(Vec<Found>, Vec<String>), Error> {
    if text.lines().any(|line| line.starts_with("RCLONE_ENCRYPT_V")) {
        return Err(
            Error::usage("rclone's configuration is encrypted").hint("rclone config show | oauthctl import rclone -")
        );
    }
    let (mut found, mut left) = (Vec::new(), Vec::new());
    for section in text.split("\n[").skip(usize::from(!text.starts_with('['))) {
        let Some((name, lines)) = section.trim_start_matches('[').split_once(']') else { continue };
        let value = |key: &str| {
            let mut entries = lines.lines().filter_map(|line| line.split_once('='));
            entries.find_map(|(known, value)| (known.trim() == key).then(|| value.trim())).filter(|v| !v.is_empty())
        };
        match (value("token"), value("type")) {
            // no remote with a sign-in
            (None, _) | (_, None) => {}
            (Some(token), Some(back_end)) => match remote(name, token, (back_end, value("client_id"))) {
                Ok(login) => found.push(Found { client_secret: value("client_secret").map(Secret::new), ..login }),
                Err(why) => left.push(format!("`{}` is left out: {why}", safe(name))),
            },
        }
    }
    Ok((found, left))
}

fn remote(name: &str, token: &str, (back_end, client_id): (&str, Option<&str>)) -> Result<Found, String> {
    #[derive(Deserialize)]
    struct Token {
        refresh_token: Secret,
    }
    let Some((_, provider)) = BACK_ENDS.iter().find(|(known, _)| *known == back_end) else {
        return Err(format!("`{}` is no back end whose provider is known", safe(back_end)));
    };
    let Some(client_id) = client_id else {
        return Err(format!("its client is rclone's own; sign in with yours: oauthctl login {provider}"));
    };
    let token: Token = serde_json::from_str(token).map_err(|_| "its token can't be read".to_owned())?;
    if token.refresh_token.is_empty() {
        return Err("it has no refresh token".to_owned());
    }
    Ok(Found {
        name: Some(name.to_owned()),
        provider: Some((*provider).to_owned()),
        client_id: Some(client_id.to_owned()),
        ..Found::of(token.refresh_token)
    })
}

//! Reads the files in which other programs keep their logins.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use serde::Deserialize;

use super::Source;
use crate::config::{self, Config, Profile};
use crate::error::Error;
use crate::provider::catalogue;
use crate::secret::Secret;
use crate::session::bound::Bound;
use crate::session::hand_over::Login;
use crate::text::{for_a_shell, safe};

/// A login of another program's.
pub struct Found {
    /// Its name there.
    pub name: Option<String>,
    pub provider: Option<String>,
    pub client_id: Option<String>,
    pub client_secret: Option<Secret>,
    pub earlier_client_secret: Option<Secret>,
    pub token: Token,
    pub scopes: Option<Vec<String>>,
    /// The provider's variables learnt at the login.
    pub vars: BTreeMap<String, String>,
    /// The places that it was obtained for.
    pub bound: Option<Bound>,
    /// The rest of its profile.
    pub settings: Profile,
}

/// What there is of a login.
pub enum Token {
    Refresh(Secret),
    /// One that does not expire.
    Access(Secret),
    /// It comes from standard input: a program of this name prints it there.
    Printed(String),
}

impl Found {
    /// A refresh token alone.
    fn of(refresh_token: Secret) -> Found {
        Found::with(Token::Refresh(refresh_token))
    }

    fn with(token: Token) -> Found {
        let (name, provider, client_id, client_secret, earlier_client_secret, scopes) =
            (None, None, None, None, None, None);
        let (vars, bound, settings) = (BTreeMap::new(), None, Profile::default());
        Found { name, provider, client_id, client_secret, earlier_client_secret, token, scopes, vars, bound, settings }
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

/// The logins in a text, and why others are left out. `own`: the names of the person's own
/// providers.
pub fn read(source: Source, text: &Secret, own: &[String]) -> Result<(Vec<Found>, Vec<String>), Error> {
    let alone = |found| Ok((vec![found], Vec::new()));
    match source {
        Source::RefreshToken => alone(Found::of(bare(text)?)),
        Source::Rclone => rclone(text.expose()),
        Source::Gcloud => alone(gcloud(text.expose())?),
        Source::OidcAgent => alone(oidc_agent(text.expose())?),
        Source::MuttOauth2 => alone(mutt(text.expose())?),
        Source::Dotenv => alone(by_names((&dotenv(text.expose()), ("${", "}")), own)?),
        Source::Postman => alone(by_names((&postman(text.expose())?, ("{{", "}}")), own)?),
        Source::Gh => gh(text.expose()),
        Source::Oauth2l => oauth2l(text.expose()),
        Source::Ortie => ortie(text.expose()),
        Source::Login => alone(exported(text.expose())?),
        Source::Profile => Ok((Vec::new(), Vec::new())),
    }
}

/// A refresh token alone: the server is sent no whole answer in its place.
fn bare(text: &Secret) -> Result<Secret, Error> {
    match text.expose().starts_with('{') {
        false => Ok(text.clone()),
        true => Err(Error::usage("that is no refresh token alone: it begins as JSON does")
            .hint("jq -r .refresh_token FILE | oauthctl import refresh-token --provider NAME")),
    }
}

/// A login that `export --to` sealed.
fn exported(text: &str) -> Result<Found, Error> {
    let what =
        if text.starts_with("-----BEGIN AGE") { "that login is still sealed" } else { "that is no exported login" };
    let none = || Error::usage(what).hint("age -d -i KEYFILE FILE | oauthctl import login");
    let login = Login::read(text).ok_or_else(none)?;
    // the folder is for paths, and a profile that is shared has none
    let told = Config::from_text(Path::new("/"), &login.profile)?;
    let (name, profile) = told.profiles.into_iter().next().ok_or_else(none)?;
    let token = login.refresh_token.map(Token::Refresh).or(login.access_token.map(Token::Access)).ok_or_else(none)?;
    // what runs programs, reads files or names hosts is not taken, whoever wrote it
    let shared = config::lines(&name, profile.shared()).unwrap_or_default();
    let settings = Config::from_text(Path::new("/"), &shared)?.profiles.remove(&name).map(|it| *it).unwrap_or_default();
    Ok(Found {
        name: Some(name),
        provider: settings.provider.clone(),
        client_id: login.client_id,
        client_secret: login.client_secret,
        earlier_client_secret: login.earlier_client_secret,
        scopes: Some(login.scopes).filter(|scopes| !scopes.is_empty()),
        vars: login.vars,
        bound: login.bound,
        settings,
        ..Found::with(token)
    })
}

fn json<'a, T: Deserialize<'a>>(text: &'a str, of: &str) -> Result<T, Error> {
    let no_login = |e: serde_json::Error| Error::usage(format!("it is no login of {of}")).because(without_value(&e));
    serde_json::from_str(text).map_err(no_login)
}

/// What a reader says of a text, without the value at fault: it may be the secret.
fn without_value(e: &dyn std::fmt::Display) -> String {
    let said = safe(&e.to_string());
    match (said.find("string \""), said.rfind("\", expected")) {
        (Some(from), Some(to)) if from < to => format!("{}text{}", &said[..from], &said[to + 1..]),
        _ => said,
    }
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

/// A variable of a file.
struct Variable {
    name: String,
    value: String,
    /// Whether it names no others.
    is_literal: bool,
}

/// The variables of `NAME=VALUE` lines: with `export`, quotes and comments as shells and their
/// imitators have them.
fn dotenv(text: &str) -> Vec<Variable> {
    let variable = |line: &str| {
        let line = line.trim().trim_start_matches("export ");
        let (name, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
        let value = value.trim();
        let quoted = |quote: char| value.strip_prefix(quote)?.split(quote).next();
        let literal = quoted('\'');
        let plain = || value.split(" #").next().unwrap_or_default();
        let value = literal.or_else(|| quoted('"')).unwrap_or_else(plain).trim().to_owned();
        Some(Variable { name: name.trim().to_owned(), value, is_literal: literal.is_some() })
    };
    text.lines().filter_map(variable).collect()
}

/// The variables of an environment, or of a collection.
fn postman(text: &str) -> Result<Vec<Variable>, Error> {
    #[derive(Deserialize)]
    struct File {
        #[serde(alias = "variable")]
        values: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        key: String,
        value: serde_json::Value,
        #[serde(default = "enabled")]
        enabled: bool,
        #[serde(default)]
        disabled: bool,
    }
    fn enabled() -> bool {
        true
    }
    let said: File = json(text, "Postman's")?;
    let entries = said.values.into_iter().filter(|entry| entry.enabled && !entry.disabled);
    let variable =
        |entry: Entry| Some(Variable { name: entry.key, value: entry.value.as_str()?.to_owned(), is_literal: false });
    Ok(entries.filter_map(variable).collect())
}

/// The variables of a file, and what stands around the name of one in another's value.
type Variables<'a> = (&'a [Variable], (&'a str, &'a str));

/// The value of a variable, with those of others in the places of their names. `among`: those that
/// it is a part of.
fn value_of<'a>(all: Variables<'a>, variable: &'a Variable, among: &[&str]) -> Result<String, Error> {
    let (others, (open, close)) = all;
    let among = [among, &[&variable.name]].concat();
    let (mut value, mut rest) = (String::new(), variable.value.as_str());
    while let Some((before, from)) = rest.split_once(open).filter(|_| !variable.is_literal)
        && let Some((name, after)) = from.split_once(close)
    {
        let (own, meant) = (safe(&variable.name), safe(&format!("{open}{name}{close}")));
        let refused = |why: &str| {
            Error::usage(format!("`{own}` has the value of `{meant}`, which {why}"))
                .hint(format!("write the value itself in the place of `{meant}`"))
        };
        let name = name.trim();
        let other = others.iter().find(|other| other.name == name && !other.value.is_empty());
        let other = other.ok_or_else(|| refused("the file does not have"))?;
        if among.contains(&name) {
            return Err(refused("is a part of its own value"));
        }
        value += before;
        value += &value_of(all, other, &among)?;
        rest = after;
    }
    Ok(value + rest)
}

/// A login of variables that are called like what they hold: `GR_REFRESH_TOKEN`, `clientId`. All
/// have the same beginning: a file may hold the logins of several servers. A beginning that is a
/// known provider's name says whose it is.
fn by_names(all: Variables<'_>, own: &[String]) -> Result<Found, Error> {
    let plain = |name: &str| name.to_lowercase().replace(['_', '-', '.'], "");
    let called = |what: &str| {
        let begins = |name: &str| plain(name).strip_suffix(what).map(str::to_owned);
        let named = all.0.iter().filter_map(|variable| Some((begins(&variable.name)?, variable)));
        named.filter(|(_, variable)| !variable.value.is_empty()).collect::<Vec<_>>()
    };
    let tokens = called("refreshtoken");
    let (begin, token) = match &tokens[..] {
        [] => {
            return Err(Error::usage("it has no refresh token: no variable is called so")
                .hint("a client without a login: oauthctl init PROVIDER --client-id ID --client-secret-file FILE"));
        }
        [(begin, token)] => (begin, token),
        several => {
            let names = several.iter().map(|(_, variable)| safe(&variable.name)).collect::<Vec<_>>().join(", ");
            return Err(Error::usage(format!("it has several refresh tokens: {names}"))
                .hint("import a file with one of them, and with its client"));
        }
    };
    let value = |what: &str| {
        let found = called(what).into_iter().find(|(other, _)| other == begin);
        found.map(|(_, variable)| value_of(all, variable, &[])).transpose()
    };
    let scopes = value("scope")?.map_or_else(|| value("scopes"), |scopes| Ok(Some(scopes)))?;
    let built_in = || catalogue::find(begin).map(|(id, _)| id.to_owned());
    Ok(Found {
        provider: own.iter().find(|name| plain(name) == *begin).cloned().or_else(built_in),
        client_id: value("clientid")?,
        client_secret: value("clientsecret")?.map(Secret::new),
        scopes: scopes.map(|scopes| scopes.split([' ', ',']).filter(|it| !it.is_empty()).map(str::to_owned).collect()),
        ..Found::of(Secret::new(value_of(all, token, &[])?))
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

/// The hosts of gh's `hosts.yml`, each account of them; or the token that `gh auth token` prints.
fn gh(text: &str) -> Result<(Vec<Found>, Vec<String>), Error> {
    let (mut found, mut left) = (Vec::new(), Vec::new());
    if let [token] = text.split_whitespace().collect::<Vec<_>>()[..] {
        match of_gh("github".to_owned(), token) {
            Ok(login) => found.push(login),
            Err(why) => return Err(Error::usage(why)),
        }
        return Ok((found, left));
    }
    let mut path: Vec<(usize, &str)> = Vec::new();
    let (mut accounts, mut of_before, mut hosts) = (Vec::new(), Vec::new(), Vec::new());
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let Some((key, value)) = line.split_once(':') else { continue };
        let (indent, key) = (key.len() - key.trim_start().len(), key.trim());
        let value = value.trim().trim_matches(['"', '\'']);
        path.retain(|(outer, _)| *outer < indent);
        let names: Vec<&str> = path.iter().map(|(_, name)| *name).collect();
        match (&names[..], key) {
            ([], host) if value.is_empty() => hosts.push(host),
            ([host, "users", user], "oauth_token") => accounts.push((*host, *user, value)),
            // before version 2.40 a host had one account
            ([host], "oauth_token" | "user") => of_before.push((*host, key, value)),
            _ => {}
        }
        path.push((indent, key));
    }
    for host in &hosts {
        let said =
            |what: &str| of_before.iter().find(|(of, key, _)| of == host && *key == what).map(|(.., said)| *said);
        if let (false, Some(token)) = (accounts.iter().any(|(of, ..)| of == host), said("oauth_token")) {
            accounts.push((host, said("user").unwrap_or_default(), token));
        }
    }
    for host in hosts.iter().filter(|host| !accounts.iter().any(|(of, ..)| of == *host)) {
        left.push(format!(
            "`{}` is left out: its token is not in the file: gh auth token | oauthctl import gh -",
            safe(host)
        ));
    }
    for (host, user, token) in accounts {
        let name = if user.is_empty() { host } else { user };
        let login = match host {
            "github.com" => of_gh(name.to_owned(), token),
            _ => Err("its server has no built-in provider".to_owned()),
        };
        match login {
            Ok(login) => found.push(login),
            Err(why) => left.push(format!("`{}` is left out: {why}", safe(name))),
        }
    }
    Ok((found, left))
}

fn of_gh(name: String, token: &str) -> Result<Found, String> {
    // the id of gh's public client: cli/cli, internal/authflow/flow.go
    const CLIENT: &str = "178c6fc778ccc68e1d6a";
    match token.starts_with("gho_") {
        true => Ok(Found {
            name: Some(name),
            provider: Some("github".to_owned()),
            client_id: Some(CLIENT.to_owned()),
            ..Found::with(Token::Access(Secret::new(token)))
        }),
        false => Err("that is no token of a sign-in (`gho_…`): OAUTHCTL_GITHUB_TOKEN takes others".to_owned()),
    }
}

/// The logins in oauth2l's cache: the key of each entry has the client, its value the token.
fn oauth2l(text: &str) -> Result<(Vec<Found>, Vec<String>), Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Key {
        #[serde(rename = "CredentialsJSON")]
        credentials: String,
        #[serde(default)]
        scope: String,
    }
    #[derive(Deserialize)]
    struct Kept {
        refresh_token: Option<Secret>,
    }
    #[derive(Deserialize)]
    struct Client {
        client_id: String,
        client_secret: Option<Secret>,
        token_uri: Option<String>,
    }
    let entries: BTreeMap<String, String> = json(text, "oauth2l's")?;
    let (mut found, mut left) = (Vec::new(), 0);
    for (key, value) in entries {
        let login = (|| {
            let key: Key = serde_json::from_str(&key).ok()?;
            let value = base64::engine::general_purpose::STANDARD.decode(value).ok()?;
            let refresh_token = serde_json::from_slice::<Kept>(&value).ok()?.refresh_token?;
            let file: serde_json::Value = serde_json::from_str(&key.credentials).ok()?;
            let client = file.get("installed").or(file.get("web")).unwrap_or(&file);
            let client: Client = serde_json::from_value(client.clone()).ok()?;
            // a refresh token goes to its own server alone
            let googles = |url: &String| catalogue::of_host(&host_of(url)).iter().any(|it| it.id.starts_with("google"));
            client.token_uri.as_ref().is_none_or(googles).then_some(())?;
            let scopes = key.scope.split([' ', ',']).filter(|it| !it.is_empty()).map(str::to_owned).collect::<Vec<_>>();
            Some(Found {
                provider: Some("google".to_owned()),
                client_id: Some(client.client_id),
                client_secret: client.client_secret,
                scopes: Some(scopes).filter(|scopes| !scopes.is_empty()),
                ..Found::of(refresh_token)
            })
        })();
        match login {
            Some(login) => found.push(login),
            None => left += 1,
        }
    }
    let several = found.len() > 1;
    for (at, login) in found.iter_mut().enumerate() {
        login.name = Some(if several { format!("oauth2l-{}", at + 1) } else { "oauth2l".to_owned() });
    }
    let left = (left > 0).then(|| format!("left out: {left} of its entries have no refresh token of Google's"));
    Ok((found, left.into_iter().collect()))
}

fn host_of(url: &str) -> String {
    url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

/// The accounts of ortie's configuration. Their tokens are elsewhere; the programs that print them
/// are named, and not run.
fn ortie(text: &str) -> Result<(Vec<Found>, Vec<String>), Error> {
    #[derive(Deserialize)]
    struct Config {
        accounts: BTreeMap<String, Account>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Account {
        client_id: String,
        client_secret: Option<Kept>,
        endpoints: BTreeMap<String, String>,
        scopes: Option<Vec<String>>,
        storage: BTreeMap<String, Command>,
    }
    #[derive(Deserialize)]
    struct Kept {
        raw: Option<Secret>,
    }
    #[derive(Deserialize)]
    struct Command {
        #[serde(alias = "cmd")]
        command: Option<Words>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Words {
        Line(String),
        List(Vec<String>),
    }
    // the error's own words alone: the line that it shows may hold the secret
    let said: Config = toml_edit::de::from_str(text).map_err(|e: toml_edit::de::Error| {
        Error::usage("it is no configuration of ortie's").because(without_value(&e.message()))
    })?;
    let login = |(name, account): (String, Account)| {
        let printed = match account.storage.get("read").and_then(|read| read.command.as_ref()) {
            Some(Words::Line(line)) => line.clone(),
            Some(Words::List(list)) => list.iter().map(|word| for_a_shell(word)).collect::<Vec<_>>().join(" "),
            None => "COMMAND".to_owned(),
        };
        let host = |key: &str| account.endpoints.get(key).map(|url| host_of(url)).unwrap_or_default();
        let known = ["authorization", "token"].into_iter().flat_map(|key| catalogue::of_host(&host(key)));
        Found {
            name: Some(name),
            // of a server's many entries the general one
            provider: known.min_by_key(|it| it.id.len()).map(|it| it.id.to_owned()),
            client_id: Some(account.client_id),
            client_secret: account.client_secret.and_then(|secret| secret.raw),
            scopes: account.scopes.filter(|scopes| !scopes.is_empty()),
            ..Found::with(Token::Printed(printed))
        }
    };
    Ok((said.accounts.into_iter().map(login).collect(), Vec::new()))
}

/// The refresh token in the answer that ortie keeps.
pub fn of_ortie(text: &Secret) -> Result<Secret, Error> {
    #[derive(Deserialize)]
    struct Kept {
        refresh_token: Option<Secret>,
    }
    let said: Kept = json(text.expose(), "ortie's")?;
    said.refresh_token.ok_or_else(|| Error::usage("ortie's token has no refresh token: sign in with `oauthctl login`"))
}

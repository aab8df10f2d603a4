//! `provider add`: a provider file of one's own, from endpoints, an issuer, or an OpenAPI document.

use std::collections::BTreeMap;
use std::path::Path;

use clap::Args;
use serde::Deserialize;
use toml_edit::{DocumentMut, Item, Value, value};
use url::Url;

use crate::config;
use crate::error::Error;
use crate::session::secret_source::text_of_file;
use crate::text::{pasted, safe};
use crate::world::World;

#[derive(Args, Debug)]
#[command(after_help = "Other keys go into the file by hand: `oauthctl help provider-keys` lists them.

Examples:
  oauthctl provider add acme --issuer https://login.acme.example
  oauthctl provider add acme --token-url https://acme.example/token
  oauthctl provider add acme --openapi openapi.json
  oauthctl provider add acme --extends keycloak --api-url https://acme.example")]
pub struct AddArgs {
    /// The new provider's name.
    #[arg(value_name = "PROVIDER")]
    name: String,
    /// The issuer, whose metadata name the endpoints (OpenID discovery, RFC 8414).
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The authorization endpoint.
    #[arg(long, value_name = "URL")]
    authorize_url: Option<String>,
    /// The token endpoint.
    #[arg(long, value_name = "URL")]
    token_url: Option<String>,
    /// The device authorization endpoint (RFC 8628).
    #[arg(long, value_name = "URL")]
    device_url: Option<String>,
    /// The revocation endpoint (RFC 7009).
    #[arg(long, value_name = "URL")]
    revoke_url: Option<String>,
    /// The API's address, below which `call` takes paths.
    #[arg(long, value_name = "URL")]
    api_url: Option<String>,
    /// A scope that a login asks for; may be given several times.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// A provider whose facts hold where nothing else is said.
    #[arg(long = "extends", value_name = "PROVIDER")]
    base: Option<String>,
    /// An OpenAPI document in JSON (`-`: standard input): its endpoints, scopes and server.
    #[arg(long, value_name = "FILE")]
    openapi: Option<String>,
}

/// The longest document, in bytes.
const LONGEST: usize = 32 << 20;

/// The parts of an OpenAPI document that say how one signs in (version 3).
#[derive(Default, Deserialize)]
#[serde(default)]
struct OpenApi {
    components: Components,
    servers: Vec<Server>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Components {
    security_schemes: BTreeMap<String, Scheme>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Scheme {
    flows: Flows,
    open_id_connect_url: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Flows {
    authorization_code: Option<Flow>,
    client_credentials: Option<Flow>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Flow {
    authorization_url: Option<String>,
    token_url: Option<String>,
    scopes: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Server {
    url: String,
    #[serde(default)]
    variables: BTreeMap<String, Variable>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Variable {
    default: String,
}

impl Server {
    /// Its address, if it is a whole one, with the variables' defaults.
    fn address(&self) -> Option<String> {
        let fill = |url: String, (name, it): (&String, &Variable)| url.replace(&format!("{{{name}}}"), &it.default);
        let url = self.variables.iter().fold(self.url.clone(), fill);
        (url.contains("://") && !url.contains('{')).then_some(url)
    }
}

pub fn run(args: AddArgs, dir: &Path, world: &mut World) -> Result<u8, Error> {
    let (mut args, mut known) = (args, Vec::new());
    if let Some(file) = &args.openapi {
        let text = text_of_file(world, file, ("document", LONGEST))?;
        let read: OpenApi = serde_json::from_str(plain(&text)).map_err(|e| {
            let yaml = format!("yq -o=json FILE | oauthctl provider add {} --openapi -", pasted(&args.name));
            let yaml = (!plain(&text).trim_start().starts_with('{')).then(|| format!("if it is YAML: {yaml}"));
            Error::usage(format!("`{}` is no OpenAPI document in JSON", safe(file))).cause(e).hints(yaml)
        })?;
        known = fill(&mut args, read)?;
    }
    let text = file(&args, &known);
    let path = config::add_provider(dir, &args.name, &text)?;
    world.say(&format!("{} is written. Next: oauthctl login {}", safe(&path.display().to_string()), args.name));
    Ok(0)
}

/// Without the mark that some programs of Windows' begin a file with.
fn plain(text: &str) -> &str {
    text.trim_start_matches('\u{feff}')
}

/// Fills in the endpoints that the command line does not name. Returns the scopes that there are.
fn fill(args: &mut AddArgs, read: OpenApi) -> Result<Vec<String>, Error> {
    let schemes: Vec<Scheme> = read.components.security_schemes.into_values().collect();
    let server = args.api_url.take().or_else(|| read.servers.iter().find_map(Server::address));
    // a relative address is below the server (OpenAPI 3.1, section 4.6)
    let base = server.as_deref().and_then(|server| Url::parse(server).ok());
    let whole = |url: String| match (&base, url.contains("://")) {
        (Some(base), false) => base.join(&url).map_or(url, |url| url.to_string()),
        _ => url,
    };
    let issuer = schemes.iter().find_map(|scheme| scheme.open_id_connect_url.clone()).map(whole);
    let issuer =
        issuer.as_deref().and_then(|url| url.strip_suffix("/.well-known/openid-configuration")).map(str::to_owned);
    let by_person = schemes.iter().find_map(|scheme| scheme.flows.authorization_code.clone());
    let flow = by_person.or_else(|| schemes.iter().find_map(|scheme| scheme.flows.client_credentials.clone()));
    if flow.is_none() && issuer.is_none() {
        return Err(Error::usage(
            "the document has no sign-in by OAuth 2.0: no `authorizationCode`, no `clientCredentials`",
        ));
    }
    let flow = flow.unwrap_or_default();
    args.issuer = args.issuer.take().or(issuer);
    args.authorize_url = args.authorize_url.take().or(flow.authorization_url.map(whole));
    args.token_url = args.token_url.take().or(flow.token_url.map(whole));
    args.api_url = server;
    Ok(flow.scopes.into_keys().collect())
}

/// The file's text. `known`: scopes that there are.
fn file(args: &AddArgs, known: &[String]) -> String {
    let mut document = DocumentMut::new();
    for (key, said) in [("id", Some(&args.name)), ("extends", args.base.as_ref()), ("issuer", args.issuer.as_ref())] {
        if let Some(said) = said {
            document[key] = value(said);
        }
    }
    let mut put = |(table, key): (&str, &str), said: Option<Value>| {
        if let Some(said) = said {
            let table = document[table].or_insert(toml_edit::table());
            table[key] = Item::Value(said);
        }
    };
    let text = |said: &Option<String>| said.as_ref().map(Value::from);
    let list = |of: &[String]| (!of.is_empty()).then(|| of.iter().map(String::as_str).collect::<Value>());
    put(("authorize", "url"), text(&args.authorize_url));
    put(("token", "url"), text(&args.token_url));
    put(("device", "url"), text(&args.device_url));
    put(("revoke", "url"), text(&args.revoke_url));
    put(("scopes", "default"), list(&args.scopes));
    put(("scopes", "known"), list(known));
    put(("api", "base-url"), text(&args.api_url));
    document.to_string()
}

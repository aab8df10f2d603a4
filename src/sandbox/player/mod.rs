//! Plays any provider by its entry: the other half of `provider test`. It is written against what
//! the entry says, not against this program: a request that differs from the entry in any part is
//! refused, and remembered as a fault.
//!
//! It stands in the network's place, so the addresses stay the entry's own, and nothing is sent.

mod answers;
mod api;
mod demand;

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;
use url::Url;

pub use api::{LIST, RECORDS};
pub use demand::{Registered, WRONG_SECRET};

use self::demand::{Demand, Met, Want, Wanted, any, changed, fits, is, theirs};
use super::Rotation;
use super::logins::{Book, CodeTerms, Grant, Issued, Minted, Refused, Renewal, Shown};
use super::message::{Ask, Params, json as answer, with_query};
use crate::protocol::pkce::{challenge, method_name};
use crate::provider::expand::{CLIENT_ID, ExpandError};
use crate::provider::{
    AuthorizeParamsIn, Endpoint, LoopbackMode, Means, PkceMethod, PkceMode, Provider, RedirectHost, Rotates, StateEcho,
    TokenKind, VarFrom,
};
use crate::secret::{Secret, hash};
use crate::wire::{Request, Response as Answered};
use crate::world::http_server::reader::RawRequest;
use crate::world::http_server::serve::Response;
use crate::world::{Clock, Http, HttpError, Streamed, Upload};

/// An address of one's own, for providers that send no browser back to this machine.
pub const OWN_PAGE: &str = "https://app.example/callback";
const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";
const CODE_LIFE: i64 = 300;

/// The entry as it is at each step of a login, which may bring variables.
pub struct Facts {
    /// Before the sign-in.
    before: Provider,
    /// At the exchange of the code.
    exchange: Provider,
    /// After the login.
    pub after: Provider,
}

/// A provider that is played.
pub struct Player {
    pub facts: Facts,
    client: Registered,
    /// Values of the variables that a login brings.
    taught: BTreeMap<String, String>,
    clock: Arc<dyn Clock>,
    book: Book,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    faults: Vec<String>,
    /// The names of the requests that were right, in order.
    seen: Vec<&'static str>,
    drawn: u64,
    /// The redirect address of the last authorize request.
    redirect_uri: Option<String>,
    /// The tokens that were issued last.
    access: String,
    refresh: Option<String>,
    device: Option<Device>,
}

struct Device {
    code: String,
    scopes: Vec<String>,
    polls: u32,
}

/// A value that the variable takes: its own name, as a word, a host, an address or digits.
pub fn example(provider: &Provider, name: &str) -> Option<String> {
    let var = provider.vars.get(name);
    let word = name.replace('_', "-").to_lowercase();
    let pattern = var.and_then(|var| var.pattern.as_deref()).filter(|it| it.contains('*'));
    let listed = var.and_then(|var| var.one_of.first().cloned());
    let made = [word.clone(), format!("{word}.example"), format!("https://{word}.example"), "123456".to_owned()];
    let mut values = listed.into_iter().chain(pattern.map(|it| it.replace('*', &word))).chain(made);
    values.find(|value| provider.takes(name, value).is_ok()).or_else(|| var?.default.clone())
}

impl Facts {
    /// `given`: the variables of the person; `taught`: those that the login brings.
    fn of(
        entry: &Provider,
        given: &BTreeMap<String, String>,
        taught: &BTreeMap<String, String>,
    ) -> Result<Facts, ExpandError> {
        let by_callback = |name: &String| {
            let from = entry.vars.get(name).map(|var| var.from);
            from == Some(VarFrom::Callback) || entry.callback.token_host_from.as_ref() == Some(name)
        };
        let mut known = given.clone();
        let filled = |upto, known: &BTreeMap<String, String>| -> Result<Provider, ExpandError> {
            let mut facts = entry.filled_upto(upto, known)?;
            announce(&mut facts);
            Ok(facts)
        };
        let before = filled(VarFrom::User, &known)?;
        known.extend(taught.iter().filter(|(name, _)| by_callback(name)).map(|(n, v)| (n.clone(), v.clone())));
        let exchange = filled(VarFrom::Callback, &known)?;
        known.extend(taught.clone());
        Ok(Facts { before, exchange, after: filled(VarFrom::Whoami, &known)? })
    }

    /// Whether people sign in there with a browser.
    pub fn has_browser_login(&self) -> bool {
        self.before.authorize.url.is_some()
    }
}

/// Fills the gaps that the entry leaves to the server's own document.
fn announce(facts: &mut Provider) {
    let Some(issuer) = facts.issuer.clone() else { return };
    let at = |path: &str| Some(format!("{}/practice/{path}", issuer.trim_end_matches('/')));
    let by_browser = facts.token.url.is_none() || facts.redirect != Default::default();
    if by_browser && facts.authorize.url.is_none() {
        facts.authorize.url = at("authorize");
    }
    let token = facts.token.endpoint.url.get_or_insert_with(|| at("token").unwrap_or_default()).clone();
    for endpoint in [&mut facts.refresh.endpoint, &mut facts.client_credentials.endpoint] {
        endpoint.url.get_or_insert_with(|| token.clone());
    }
    if let Some(device) = &mut facts.device {
        device.endpoint.url = device.endpoint.url.take().or_else(|| at("device"));
    }
    if let Some(revoke) = &mut facts.revoke {
        revoke.endpoint.url = revoke.endpoint.url.take().or_else(|| at("revoke"));
    }
    facts.identity.jwks_uri = facts.identity.jwks_uri.take().or_else(|| at("keys"));
    facts.userinfo.url = facts.userinfo.url.take().or_else(|| at("userinfo"));
}

/// The parameters, those of these names as they are written.
fn with_raw(query: &str, raw: &[String]) -> Params {
    let mut params = Params::decode(query.as_bytes());
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let known = params.0.iter_mut().find(|(known, _)| known == name);
        if let Some((_, decoded)) = known.filter(|_| raw.iter().any(|it| it == name)) {
            value.clone_into(decoded);
        }
    }
    params
}

/// Whether the request for the token repeats the redirect address.
fn repeats_redirect(facts: &Provider) -> bool {
    let is_dropped = facts.token.params.get("redirect_uri").is_some_and(String::is_empty);
    facts.token.send_redirect_uri && !is_dropped
}

/// An address without its query.
fn place(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

fn stands_at(url: Option<&str>, at: &str) -> bool {
    url.and_then(|url| Url::parse(url).ok()).is_some_and(|url| place(&url) == at)
}

impl Player {
    /// `given`: the variables that a person gives.
    pub fn new(
        entry: &Provider,
        given: &BTreeMap<String, String>,
        client: Registered,
        clock: Arc<dyn Clock>,
    ) -> Result<Player, String> {
        let mut given = given.clone();
        given.insert(CLIENT_ID.to_owned(), client.id.clone());
        let told = entry.vars.iter().filter(|(_, var)| var.from != VarFrom::User).map(|(name, _)| name);
        let mut taught = BTreeMap::new();
        for name in told.chain(entry.response.capture.keys()) {
            let value = example(entry, name).ok_or(format!("no value is known for the variable `{name}`"))?;
            taught.insert(name.clone(), value);
        }
        if let (Some(name), Some(host)) = (&entry.callback.token_host_from, entry.callback.token_host_allow.first()) {
            taught.entry(name.clone()).or_insert_with(|| format!("https://{}", host.replace('*', "eu")));
        }
        let facts = Facts::of(entry, &given, &taught).map_err(|e| e.to_string())?;
        let book = Book::open(None, "").map_err(|e| e.to_string())?;
        Ok(Player { facts, client, taught, clock, book, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        self.clock.now()
    }

    /// What was wrong since the last time that it was asked.
    pub fn faults(&self) -> Vec<String> {
        std::mem::take(&mut self.state().faults)
    }

    /// The requests since the last time that it was asked.
    pub fn seen(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.state().seen)
    }

    /// The access token that was issued last.
    pub fn access_token(&self) -> String {
        self.state().access.clone()
    }

    /// Whether its clients have a secret.
    pub fn has_secret(&self) -> bool {
        self.client.secret.is_some()
    }

    /// Whether the last login brought a refresh token.
    pub fn gave_refresh_token(&self) -> bool {
        self.state().refresh.is_some()
    }

    /// Revokes the access token that was issued last, and nothing else.
    pub fn end_access_token(&self) {
        let _ = self.book.revoke(&self.access_token(), &self.client.id);
    }

    /// Ends every login, as a person does in the provider's settings.
    pub fn end_logins(&self) {
        let _ = self.book.revoke_all();
    }

    /// A new text for a code or a token.
    fn draw(&self, what: &str) -> String {
        let mut state = self.state();
        state.drawn += 1;
        let (number, name) = (state.drawn, &self.facts.before.id);
        format!("{what}-{number}-{}", &hash(format!("{what} {number} {name}").as_bytes())[..24])
    }

    fn fault(&self, what: &str, why: String) -> Response {
        self.state().faults.push(format!("the {what} request {why}"));
        self.refused(Means::Scope, "invalid_request")
    }

    fn right(&self, what: &'static str) {
        self.state().seen.push(what);
    }

    /// The scopes that a login asks for. `by_person`: a person signs in.
    fn scopes(&self, by_person: bool) -> Vec<String> {
        let (facts, renews) = (&self.facts.before.scopes, self.facts.renews());
        let offline = facts.offline.iter().filter(|_| by_person && renews);
        let mut all: Vec<String> = Vec::new();
        for scope in facts.default.iter().chain(&facts.always).chain(offline) {
            if !all.contains(scope) {
                all.push(scope.clone());
            }
        }
        all
    }

    /// The scope parameter of a request, if it has one.
    fn scope_wanted(&self, scopes: &[String]) -> Option<(String, Want)> {
        let facts = &self.facts.before.scopes;
        (!scopes.is_empty()).then(|| is(&facts.param, scopes.join(&facts.separator)))
    }
}

/// The authorize endpoint.
impl Player {
    /// The page that the address leads to: returns what the person pastes. `None`: there is no way
    /// back.
    pub fn visit(&self, address: &str) -> Option<String> {
        let url = Url::parse(address).ok()?;
        let params = self.authorize_params(&url);
        let sent = |name: &str| {
            let params = params.as_ref().ok()?;
            params.get(self.facts.before.authorize.rename.get(name).map_or(name, String::as_str)).map(str::to_owned)
        };
        let (state, redirect_uri) = (sent("state"), sent("redirect_uri"));
        let facts = &self.facts.before;
        let to = match (&redirect_uri, &facts.redirect.alias) {
            (Some(uri), None) => uri.as_str(),
            // what stands behind the address is enough
            (_, Some(_)) => "",
            (None, None) => OWN_PAGE,
        };
        let state_back = state.iter().filter(|_| facts.authorize.state == StateEcho::Required);
        let mut back: Vec<(&str, &str)> = state_back.map(|state| ("state", state.as_str())).collect();
        let code = match params.and_then(|params| self.authorized(&params, redirect_uri.as_deref())) {
            Ok(code) => code,
            Err(why) => {
                self.fault("authorize", why);
                back.push(("error", "invalid_request"));
                return state.is_some().then(|| with_query(to, &back));
            }
        };
        if to == OUT_OF_BAND || facts.redirect.paste.as_deref() == Some(to) && to.starts_with("https://") {
            return Some(code);
        }
        back.push((&facts.callback.code_param, &code));
        let by_callback = facts.vars.iter().filter(|(_, var)| var.from == VarFrom::Callback);
        let by_callback = by_callback.map(|(name, var)| (name, var.path.as_ref().unwrap_or(name)));
        let host = facts.callback.token_host_from.iter().map(|name| (name, name));
        back.extend(by_callback.chain(host).map(|(name, path)| (path.as_str(), self.taught[name].as_str())));
        Some(with_query(to, &back))
    }

    fn authorize_params(&self, url: &Url) -> Result<Params, String> {
        let facts = &self.facts.before.authorize;
        if !stands_at(facts.url.as_deref(), &place(url)) {
            return Err(format!("goes to {}", place(url)));
        }
        let own = facts.url.as_deref().and_then(|own| Url::parse(own).ok());
        let mut query = with_raw(url.query().unwrap_or_default(), &facts.raw);
        let page = facts.fragment.as_deref().unwrap_or_default().trim_start_matches('#');
        let fragment = url.fragment().unwrap_or_default();
        match facts.params_in {
            AuthorizeParamsIn::Query if fragment != page => Err(format!("has `#{fragment}`")),
            AuthorizeParamsIn::Query => {
                for (name, value) in own.iter().flat_map(Url::query_pairs) {
                    query.0.retain(|(n, v)| !(*n == name && *v == value));
                }
                Ok(query)
            }
            AuthorizeParamsIn::Fragment => {
                let params = match page {
                    "" => Some(fragment),
                    page => fragment.strip_prefix(page).and_then(|rest| rest.strip_prefix('?')),
                };
                params.map(|params| with_raw(params, &facts.raw)).ok_or(format!("has `#{fragment}`"))
            }
        }
    }

    /// The code for a right request.
    fn authorized(&self, params: &Params, redirect_uri: Option<&str>) -> Result<String, String> {
        let facts = &self.facts.before;
        let scopes = self.scopes(true);
        let proves = match facts.pkce.mode {
            PkceMode::Off => false,
            PkceMode::PublicOnly => self.client.secret.is_none(),
            PkceMode::Supported | PkceMode::Required => true,
        };
        let mut wanted: Wanted = vec![is("response_type", "code"), is("client_id", &self.client.id), any("state")];
        if facts.authorize.send_redirect_uri {
            wanted.push(any("redirect_uri"));
        }
        wanted.extend(self.scope_wanted(&scopes));
        if scopes.iter().any(|scope| scope == "openid") {
            wanted.push(any("nonce"));
        }
        if proves {
            wanted.push(any("code_challenge"));
            wanted.push(is("code_challenge_method", method_name(facts.pkce.method)));
        }
        if scopes.iter().any(|scope| scope == "offline_access") {
            // OpenID Connect Core, section 11
            wanted.push(("prompt".to_owned(), Want::Perhaps));
        }
        changed(&mut wanted, &facts.authorize.params);
        let named = |name: &str| facts.authorize.rename.get(name).map_or(name, String::as_str).to_owned();
        for (name, _) in &mut wanted {
            *name = named(name);
        }
        fits(params, &wanted)?;
        if let Some(uri) = redirect_uri {
            self.redirect_fits(uri)?;
        }
        let challenge = params.get(&named("code_challenge")).map(|sent| match facts.pkce.method {
            PkceMethod::S256 => sent.to_owned(),
            PkceMethod::Plain => challenge(&Secret::unlisted(sent), PkceMethod::S256),
        });
        self.state().redirect_uri = redirect_uri.map(str::to_owned);
        let code = self.draw("code");
        let terms = CodeTerms {
            grant: self.grant(scopes),
            redirect_uri: redirect_uri.filter(|_| repeats_redirect(facts)).map(str::to_owned),
            challenge,
            nonce: params.get(&named("nonce")).map(str::to_owned),
            expires_at: self.now() + CODE_LIFE,
        };
        self.book.put_code(&code, terms).map_err(|e| e.to_string())?;
        self.right("authorize");
        Ok(code)
    }

    /// Whether the entry says that a redirect address of this form is taken.
    fn redirect_fits(&self, uri: &str) -> Result<(), String> {
        let facts = &self.facts.before.redirect;
        let wrong = |what: &str| Err(format!("has the redirect address `{uri}`: {what}"));
        if let Some(alias) = &facts.alias {
            return if uri == alias { Ok(()) } else { wrong("it is not the alias") };
        }
        if let Some(paste) = &facts.paste {
            let page = if paste == "oob" { OUT_OF_BAND } else { paste };
            return if uri == page { Ok(()) } else { wrong("it is not the page that shows the code") };
        }
        if facts.loopback == LoopbackMode::None {
            return if uri == OWN_PAGE { Ok(()) } else { wrong("it is not the registered one") };
        }
        let Ok(url) = Url::parse(uri) else { return wrong("it is not a URL") };
        let tls = facts.loopback == LoopbackMode::Https;
        let usual = if tls { RedirectHost::Localhost } else { RedirectHost::Ipv4 };
        let path = facts.path.as_deref().unwrap_or("/callback");
        let path_fits = match path.split_once('*') {
            None => url.path() == path,
            Some((before, after)) => url.path().strip_prefix(before).is_some_and(|rest| rest.ends_with(after)),
        };
        match () {
            () if url.scheme() != if tls { "https" } else { "http" } => wrong("its scheme"),
            () if url.host_str() != Some(facts.host.unwrap_or(usual).to_string().as_str()) => wrong("its host"),
            () if !path_fits => wrong("its path"),
            () if url.port().is_none() || url.query().is_some() || url.fragment().is_some() => wrong("its end"),
            () => Ok(()),
        }
    }

    fn grant(&self, scopes: Vec<String>) -> Grant {
        let (client, account) = (self.client.id.clone(), answers::ACCOUNT.to_owned());
        Grant { client, account, scopes, family: self.draw("family") }
    }
}

/// The endpoints that issue and revoke tokens.
impl Player {
    fn answer(&self, request: &Request) -> Response {
        let Ok(url) = Url::parse(request.url.expose()) else {
            return self.fault("unknown", "has no address".to_owned());
        };
        let raw = RawRequest {
            method: request.method.clone(),
            target: format!("{}?{}", url.path(), url.query().unwrap_or_default()).into(),
            minor_version: 1,
            headers: request.headers.iter().map(|(n, v)| (n.to_lowercase(), v.expose().to_owned())).collect(),
            body: request.body.as_ref().map(|body| body.expose().as_bytes().to_vec()).unwrap_or_default().into(),
        };
        let ask = Ask::new(&raw);
        let at = place(&url);
        if let Some(document) = self.document(&at) {
            return document;
        }
        let all = ask.query.and(&ask.form).and(&ask.json);
        let has = |name: &str, endpoint: &Endpoint| all.get(theirs(name, endpoint)).is_some();
        let Facts { exchange, after, .. } = &self.facts;
        let refresh = &after.refresh;
        if let Some(device) = &exchange.device {
            let poll = Endpoint {
                url: device.poll_url.clone().or(exchange.token.url.clone()),
                ..exchange.token.endpoint.clone()
            };
            if stands_at(poll.url.as_deref(), &at) && has("device_code", &poll) {
                return self.polled(&poll, &ask);
            }
        }
        if stands_at(exchange.token.url.as_deref(), &at) && has("code", &exchange.token.endpoint) {
            return self.exchanged(&ask);
        }
        if stands_at(refresh.endpoint.url.as_deref(), &at) && has(&refresh.token_param, &refresh.endpoint) {
            return self.renewed(&ask);
        }
        let own = &after.client_credentials;
        if stands_at(own.endpoint.url.as_deref(), &at)
            && own.supported
            && all.get("grant_type") == Some("client_credentials")
        {
            return self.for_itself(&ask);
        }
        if let Some(device) = exchange.device.as_ref().filter(|it| stands_at(it.endpoint.url.as_deref(), &at)) {
            return self.device_started(&device.endpoint, &ask);
        }
        if let Some(response) = self.revoked(&at, &ask) {
            return response;
        }
        self.of_api(&url, &ask)
            .unwrap_or_else(|| self.fault("unknown", format!("goes to {at}, as nothing of the entry does")))
    }

    /// Checks a request with client authentication; the error is the answer.
    fn met(&self, what: &'static str, demand: &Demand<'_>, ask: &Ask<'_>) -> Result<Params, Response> {
        match demand.check(&self.client, ask) {
            Err(why) => Err(self.fault(what, why)),
            Ok(Met { secret_is_right: false, .. }) => {
                self.right("wrong secret");
                Err(self.refused(Means::WrongClient, "invalid_client"))
            }
            Ok(met) => {
                self.right(what);
                Ok(met.params)
            }
        }
    }

    fn minted(&self, scopes: &[String]) -> Minted {
        let offline = self.facts.after.scopes.offline.as_ref();
        let renews = self.facts.has_refresh_token() && offline.is_none_or(|offline| scopes.contains(offline));
        Minted {
            access: self.draw("access"),
            refresh: renews.then(|| self.draw("refresh")),
            access_life: answers::life(&self.facts.after),
            refresh_life: None,
        }
    }

    /// Answers with tokens, or says which of the client's own values was wrong.
    fn issued(&self, what: &str, facts: (&Provider, &Endpoint), result: Result<Issued, Refused>) -> Response {
        match result {
            Ok(issued) => {
                let mut state = self.state();
                state.access.clone_from(&issued.access);
                if issued.refresh.is_some() {
                    state.refresh.clone_from(&issued.refresh);
                }
                drop(state);
                let status = facts.1.ok_status.first().copied().unwrap_or(200);
                self.granted(facts.0, &issued, status)
            }
            Err(Refused::Revoked) => self.refused(Means::Revoked, "invalid_grant"),
            Err(why) => {
                self.fault(what, format!("is refused: {why:?}"));
                self.refused(Means::Revoked, "invalid_grant")
            }
        }
    }

    fn exchanged(&self, ask: &Ask<'_>) -> Response {
        let facts = &self.facts.exchange;
        let sent = self.state().redirect_uri.clone();
        let proves = facts.pkce.mode != PkceMode::Off
            && (facts.pkce.mode != PkceMode::PublicOnly || self.client.secret.is_none());
        let mut wanted = vec![is("grant_type", "authorization_code"), any("code")];
        wanted.extend(sent.filter(|_| repeats_redirect(facts)).map(|uri| is("redirect_uri", uri)));
        if proves {
            wanted.push(any("code_verifier"));
        }
        let params = match self.met("token", &Demand::of(&facts.token.endpoint, wanted), ask) {
            Ok(params) => params,
            Err(refusal) => return refusal,
        };
        let get = |name: &str| params.get(theirs(name, &facts.token));
        let shown = Shown {
            code: get("code").unwrap_or_default(),
            client: &self.client.id,
            redirect_uri: get("redirect_uri"),
            verifier: get("code_verifier"),
        };
        let redeemed = self.book.redeem(&shown, self.now(), |grant| Ok(self.minted(&grant.scopes)));
        self.issued("token", (facts, &facts.token.endpoint), redeemed.unwrap_or(Err(Refused::Unknown)))
    }

    fn renewed(&self, ask: &Ask<'_>) -> Response {
        let facts = &self.facts.after;
        let refresh = &facts.refresh;
        let mut wanted = vec![is("grant_type", &refresh.grant_type), any(&refresh.token_param)];
        let sent = self.state().redirect_uri.clone();
        wanted.extend(sent.filter(|_| refresh.with_redirect_uri).map(|uri| is("redirect_uri", uri)));
        let params = match self.met("refresh", &Demand::of(&refresh.endpoint, wanted), ask) {
            Ok(params) => params,
            Err(refusal) => return refusal,
        };
        let token = params.get(theirs(&refresh.token_param, &refresh.endpoint)).unwrap_or_default();
        let now = self.now();
        let renewed = match refresh.source {
            TokenKind::AccessToken => self.book.look(token, now, false).and_then(|found| match found {
                Ok(grant) => self.book.issue(grant.clone(), now, self.minted(&grant.scopes)).map(Ok),
                Err(why) => Ok(Err(why)),
            }),
            TokenKind::RefreshToken => {
                let rotation = if refresh.rotates == Rotates::No { Rotation::None } else { Rotation::Once };
                let shown = Renewal { token, client: &self.client.id, scopes: None, rotation };
                self.book.renew(shown, now, |grant| Ok(self.minted(&grant.scopes)))
            }
        };
        self.issued("refresh", (facts, &refresh.endpoint), renewed.unwrap_or(Err(Refused::Unknown)))
    }

    fn for_itself(&self, ask: &Ask<'_>) -> Response {
        let facts = &self.facts.after;
        let endpoint = &facts.client_credentials.endpoint;
        let scopes = self.scopes(false);
        let mut wanted = vec![is("grant_type", "client_credentials")];
        wanted.extend(self.scope_wanted(&scopes));
        if let Err(refusal) = self.met("client credentials", &Demand::of(endpoint, wanted), ask) {
            return refusal;
        }
        let minted = Minted { refresh: None, ..self.minted(&scopes) };
        let issued = self.book.issue(self.grant(scopes), self.now(), minted);
        self.issued("client credentials", (facts, endpoint), issued.map_err(|_| Refused::Unknown))
    }

    fn device_started(&self, endpoint: &Endpoint, ask: &Ask<'_>) -> Response {
        let scopes = self.scopes(true);
        let mut wanted = vec![is("client_id", &self.client.id)];
        wanted.extend(self.scope_wanted(&scopes));
        if self.client.way(endpoint) == crate::provider::ClientAuth::Post {
            wanted.remove(0);
        }
        if let Err(refusal) = self.met("device", &Demand::of(endpoint, wanted), ask) {
            return refusal;
        }
        let code = self.draw("device");
        self.state().device = Some(Device { code: code.clone(), scopes, polls: 0 });
        let mut body = json!({});
        let fields = self.facts.exchange.device.as_ref().map(|device| &device.fields);
        for (name, value) in [
            ("device_code", json!(code)),
            ("user_code", json!("PRAC-TICE")),
            ("verification_uri", json!("https://practice.example/device")),
            ("expires_in", json!(600)),
            ("interval", json!(5)),
        ] {
            body[fields.and_then(|fields| fields.get(name)).map_or(name, String::as_str)] = value;
        }
        answer(endpoint.ok_status.first().copied().unwrap_or(200), &body)
    }

    fn polled(&self, endpoint: &Endpoint, ask: &Ask<'_>) -> Response {
        let facts = &self.facts.exchange;
        let grant_type = facts.device.as_ref().map_or("", |device| device.grant_type.as_str());
        let wanted = vec![is("grant_type", grant_type), any("device_code")];
        let params = match self.met("poll", &Demand::of(endpoint, wanted), ask) {
            Ok(params) => params,
            Err(refusal) => return refusal,
        };
        let sent = params.get(theirs("device_code", endpoint));
        let waiting = match &mut self.state().device {
            Some(device) if Some(device.code.as_str()) == sent => {
                device.polls += 1;
                Ok((device.polls, device.scopes.clone()))
            }
            _ => Err(()),
        };
        match waiting {
            Err(()) => self.fault("poll", "has another device code".to_owned()),
            Ok((1, _)) => answer(400, &json!({ "error": "authorization_pending" })),
            Ok((2, _)) => answer(400, &json!({ "error": "slow_down" })),
            Ok((_, scopes)) => {
                let minted = self.minted(&scopes);
                let issued = self.book.issue(self.grant(scopes), self.now(), minted);
                self.issued("poll", (facts, endpoint), issued.map_err(|_| Refused::Unknown))
            }
        }
    }

    /// The answer, if the request is a revocation.
    fn revoked(&self, at: &str, ask: &Ask<'_>) -> Option<Response> {
        let facts = self.facts.after.revoke.as_ref()?;
        let mut endpoint = facts.endpoint.clone();
        let mut wanted = Wanted::new();
        let in_path =
            endpoint.url.as_deref().and_then(|url| at.strip_prefix(url.trim_end_matches('/'))?.strip_prefix('/'));
        let in_path = in_path.filter(|_| facts.token_in_path).map(str::to_owned);
        if let Some(token) = &in_path {
            endpoint.url = endpoint.url.map(|url| format!("{}/{token}", url.trim_end_matches('/')));
        } else if stands_at(endpoint.url.as_deref(), at) {
            wanted.push(any(&facts.token_param));
            if facts.token_param == "token" {
                wanted.push(("token_type_hint".to_owned(), Want::Perhaps));
            }
        } else {
            return None;
        }
        if facts.send_client_id {
            wanted.push(is("client_id", &self.client.id));
        }
        let (access, refresh) = (self.access_token(), self.state().refresh.clone().unwrap_or_default());
        let header = facts.auth_header.as_ref().map_or("authorization".to_owned(), |name| name.to_lowercase());
        let bearer = ask.request.header(&header).and_then(|sent| sent.strip_prefix("Bearer "));
        let bearer = bearer.filter(|token| *token == access || *token == refresh);
        let demand = Demand { bearer, auth_header: &header, ..Demand::of(&endpoint, wanted) };
        let params = match self.met("revocation", &demand, ask) {
            Ok(params) => params,
            Err(refusal) => return Some(refusal),
        };
        let token = in_path.as_deref().or_else(|| params.get(theirs(&facts.token_param, &endpoint))).or(bearer);
        let what = match token.unwrap_or_default() {
            token if token == access => "revocation of the access token",
            token if token == refresh => "revocation of the refresh token",
            _ => return Some(self.fault("revocation", "names no token of the login".to_owned())),
        };
        self.right(what);
        let _ = self.book.revoke(token.unwrap_or_default(), &self.client.id);
        Some(answer(endpoint.ok_status.first().copied().unwrap_or(200), &json!({})))
    }
}

impl Http for Player {
    fn exchange(&self, request: &Request) -> Result<Answered, HttpError> {
        let Response { status, headers, body } = self.answer(request);
        let headers = headers.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
        Ok(Answered { status, headers, body: body.into() })
    }

    fn stream(&self, request: &Request, upload: Option<Upload>) -> Result<Streamed, HttpError> {
        let mut request = request.clone();
        if let Some(mut upload) = upload {
            let mut body = String::new();
            let _ = upload.reader.read_to_string(&mut body);
            request.body = Some(Secret::unlisted(body));
        }
        let Answered { status, headers, body } = self.exchange(&request)?;
        Ok(Streamed { status, version: "HTTP/1.1".to_owned(), headers, body: Box::new(Cursor::new(body.to_vec())) })
    }
}

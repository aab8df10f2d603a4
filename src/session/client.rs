//! The client of a profile and its credentials. Key and certificate stay where the person keeps
//! them. The DPoP key is stored beside the token that is bound to it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::config::GrantKind::{JwtBearer, Saml2Bearer};
use crate::config::{SecretSource, expand_home};
use crate::error::{Error, Kind};
use crate::grant::Asking;
use crate::protocol::client::{Client, Credentials};
use crate::protocol::dpop::Dpop;
use crate::protocol::earlier_secret::EarlierSecret;
use crate::protocol::jose::{self, Algorithm, KeyError, SigningKey};
use crate::protocol::sender_constrained::{Binding, is_dpop};
use crate::provider::expand::CLIENT_ID;
use crate::provider::{Announced, ClientAuth, Provider, VarFrom, auth_name, from_registered_name, registered_name};
use crate::secret::Secret;
use crate::session::bound::Moved;
use crate::session::overrides::{variable, variable_names};
use crate::session::secret_source::{read, secret_in};
use crate::session::server::Server;
use crate::session::{Record, Session, Who, secret_from_file};
use crate::text::{Typed, safe};
use crate::token::TokenSet;
use crate::wire::ClientCertificate;
use crate::world::World;

/// The client's credentials, as far as they were read.
#[derive(Default)]
pub(super) struct LoadedClient {
    secret: Option<Secret>,
    /// The place that the secret is from, in words.
    secret_from: Option<String>,
    earlier: Option<EarlierSecret>,
    /// It was said that the stored secret is for another place.
    held_back: bool,
    proofs: Option<Credentials>,
    /// The key that this command's tokens are bound to.
    dpop: Option<Arc<Dpop>>,
}

/// A client in the making.
struct Making<'a> {
    who: &'a Who,
    provider: &'a Provider,
    record: Option<&'a Record>,
    known: &'a mut LoadedClient,
}

impl Session {
    fn making<'a>(&'a mut self, world: &mut World, record: Option<&'a Record>) -> Result<Making<'a>, Error> {
        let Session { who, server, credentials: known, .. } = self;
        let provider = &Server::once(server, world, who, record)?.provider;
        Ok(Making { who, provider, record, known })
    }

    /// Client id and secret, wherever they come from. `None`: no client id is known.
    pub fn client(&mut self, world: &mut World, record: Option<&Record>) -> Result<Option<Client>, Error> {
        self.making(world, record)?.client(world)
    }

    /// A client without id and secret, with all other credentials of the profile.
    pub fn keyed(&mut self, world: &mut World, record: Option<&Record>) -> Result<Client, Error> {
        self.making(world, record)?.keyed(world)
    }

    /// The client; an error where no client id is known.
    pub fn require_client(&mut self, world: &mut World, record: Option<&Record>) -> Result<Client, Error> {
        let mut making = self.making(world, record)?;
        match making.client(world)? {
            Some(client) => Ok(client),
            // an assertion may identify the client (RFC 7523, section 2.1)
            None if matches!(making.who.grant(Some(making.provider), record), JwtBearer | Saml2Bearer) => {
                making.keyed(world)
            }
            None => Err(no_client_id(world, making.who)),
        }
    }

    /// The provider and the client that asks it.
    pub fn asking(&mut self, world: &mut World, record: Option<&Record>) -> Result<Asking, Error> {
        let provider = self.provider(world, record)?;
        let client = self.require_client(world, record)?;
        Ok(self.asking_with(&provider, &client))
    }

    pub fn asking_with(&self, provider: &Provider, client: &Client) -> Asking {
        // the id may have been entered just now
        let known = BTreeMap::from([(CLIENT_ID.to_owned(), client.id.clone())]);
        let known = Some(known).filter(|_| !client.id.is_empty());
        let filled = known.and_then(|known| provider.filled_upto(VarFrom::User, &known).ok());
        let provider = filled.unwrap_or_else(|| provider.clone());
        let scopes = self.said_scopes(&provider).map(|scopes| scopes.join(&provider.scopes.separator));
        let has_scopes = scopes.is_some() || self.variant.is_some();
        let params = self.profile.params.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
        let said = params.chain(has_scopes.then(|| (provider.scopes.param.clone(), scopes))).collect();
        Asking { profile: self.typed.clone(), provider, client: client.clone(), said }
    }

    /// A secret that was typed at the terminal.
    pub fn set_secret(&mut self, secret: Secret) {
        let known = &mut self.credentials;
        (known.secret, known.secret_from, known.earlier) = (Some(secret), None, None);
    }

    /// Takes the port that the redirect address was registered with.
    pub fn has_port(&mut self, port: u16) {
        self.profile.port = Some(port.to_string());
        self.choice.flags.port = self.profile.port.clone();
    }

    /// Takes the client authentication that the server registered, over flags and configuration.
    pub fn authenticates_by(&mut self, auth: ClientAuth) -> Result<(), Error> {
        self.profile.proofs.auth = Some(auth);
        if self.choice.flags.proofs.auth.is_some() {
            self.choice.flags.proofs.auth = Some(auth);
        }
        match &mut self.server {
            Some(server) => self.who.choose_auth(&mut server.provider),
            None => Ok(()),
        }
    }

    /// What a resource needs besides the token: the certificate, and the key that it is bound to.
    pub fn binding(&mut self, world: &mut World, set: &TokenSet) -> Result<Binding, Error> {
        let mut binding = Binding::default();
        if is_dpop(set) {
            if self.credentials.dpop.is_none() {
                self.credentials.dpop = self.who.stored_dpop(self.load()?.as_ref())?;
            }
            binding.dpop = self.credentials.dpop.clone();
            if binding.dpop.is_none() {
                let why = format!("the key that the token of `{}` is bound to is not here", self.name);
                return Err(Error::login_first(&self.typed, why));
            }
        }
        if self.profile.proofs.client_certificate.is_some() {
            binding.identity = self.keyed(world, None)?.proofs.identity;
        }
        Ok(binding)
    }
}

fn no_client_id(world: &World, who: &Who) -> Error {
    let error = Error::usage(format!("no client id is known for profile `{}`", who.name));
    if !who.named && world.env.var("OAUTHCTL_CLIENT_ID").is_some() {
        return error.hint(format!(
            "OAUTHCTL_CLIENT_ID is for the profile that is named: on the command line, or with OAUTHCTL_PROFILE={}",
            who.name
        ));
    }
    error
        .hint(format!("`{}` asks for it in a terminal, or give `--client-id`", who.typed.login()))
        .hint("in CI: set OAUTHCTL_CLIENT_ID and OAUTHCTL_CLIENT_SECRET")
}

impl Making<'_> {
    fn client(&mut self, world: &mut World) -> Result<Option<Client>, Error> {
        let secret = self.secret(world)?;
        let earlier = if secret.is_some() { self.earlier(world) } else { None };
        let Making { who, provider, record, .. } = *self;
        let stored =
            || record.filter(|r| who.secret_moved(r, provider, who.scope_of_secret()).is_none())?.client_id.clone();
        let id = who.profile.client_id.clone().or_else(stored).or_else(|| provider.client_id.clone());
        let Some(id) = id else { return Ok(None) };
        let made = record.filter(|r| secret.is_none() && r.client_id.as_ref() == Some(&id));
        let made_with_secret = |r: &&Record| r.secret_not_kept || (r.secret_from.is_some() && !who.choice.signing_in);
        let made = made.filter(made_with_secret);
        let secret_not_kept = made.is_some();
        let secret_from = self.known.secret_from.clone().or_else(|| made?.secret_from.clone());
        let secret_unread = !who.named && world.env.var("OAUTHCTL_CLIENT_SECRET").is_some();
        Ok(Some(Client { id, secret, earlier, secret_from, secret_not_kept, secret_unread, ..self.keyed(world)? }))
    }

    fn keyed(&mut self, world: &mut World) -> Result<Client, Error> {
        Ok(Client { proofs: self.proofs(world)?, ..Client::default() })
    }

    fn secret(&mut self, world: &mut World) -> Result<Option<Secret>, Error> {
        let Making { who, provider, record, ref mut known } = *self;
        if known.secret.is_some() {
            return Ok(known.secret.clone());
        }
        if let Some((secret, from)) = who.secret_from_outside(world)? {
            if !who.secret_is_said(world) {
                let with_id = who.secret_stands_beside_id(world);
                if !with_id {
                    who.stays_here("client secret")?;
                }
                let moved = who.has_moved(record, provider);
                if let Some(moved) = moved.filter(|moved| !(with_id && matches!(moved, Moved::Client { .. }))) {
                    return Err(moved.refused(&who.typed));
                }
            }
            (known.secret, known.secret_from) = (Some(secret), Some(from));
            return Ok(known.secret.clone());
        }
        let said = who.profile.client_id.as_deref();
        let of_client = |r: &&Record| said.is_none_or(|said| r.client_id.as_deref().is_none_or(|kept| kept == said));
        let Some(record) = record.filter(|r| r.client_secret.is_some()).filter(of_client) else {
            return who.no_secret(world);
        };
        match who.secret_moved(record, provider, who.scope_of_secret()) {
            None => Ok(record.client_secret.clone()),
            Some(moved) if who.choice.signing_in => {
                if !std::mem::replace(&mut known.held_back, true) {
                    let flag = who.typed.login_with(&[("--client-secret-file", "FILE")]);
                    world.warn(&format!(
                        "the stored client secret is for {} alone, and stays here; one for this place: {flag}",
                        moved.was()
                    ));
                }
                Ok(None)
            }
            // the login was made without it
            Some(_) if record.token.is_some() && record.secret_from.is_none() && !record.secret_not_kept => Ok(None),
            Some(moved) => Err(moved.refused(&who.typed)),
        }
    }

    /// The secret before the present one: of the configuration, or of the record. A secret that a
    /// flag gives stands alone.
    fn earlier(&mut self, world: &mut World) -> Option<EarlierSecret> {
        let Making { who, provider, record, ref mut known } = *self;
        if known.earlier.is_none() && who.choice.flags.client_secret.is_none() {
            let secret = match (&who.profile.earlier_client_secret, &known.secret) {
                (None, Some(_)) => None,
                (None, None) => record.and_then(|record| record.earlier_client_secret.clone()),
                (Some(_), _) if who.said_elsewhere().or_else(|| who.has_moved(record, provider)).is_some() => None,
                (source, _) => read(world, who, "earlier client secret", source).unwrap_or_else(|e| {
                    world.warn(&format!(
                        "{e}: once the provider has taken the new one, `{} earlier-client-secret` takes it out",
                        who.typed.line("profile unset")
                    ));
                    None
                }),
            };
            known.earlier = secret.map(|secret| EarlierSecret::new(secret, &provider.errors));
        }
        known.earlier.clone()
    }

    /// The credentials besides id and secret, read once.
    fn proofs(&mut self, world: &mut World) -> Result<Credentials, Error> {
        let dpop = self.dpop(world)?;
        let Making { who, provider, ref mut known, .. } = *self;
        if let Some(proofs) = &known.proofs {
            return Ok(Credentials { dpop, ..proofs.clone() });
        }
        let said = &who.profile.proofs;
        if let Some((name, offered)) = said.auth.and_then(|chosen| left_out(&provider.announced, chosen)) {
            world.warn(&format!(
                "the provider does not list `{name}` (it lists {}): used all the same",
                safe(&offered.join(", "))
            ));
        }
        let text = who.client_key(world)?;
        let key = text.as_ref().map(|text| who.signing_key(text)).transpose()?;
        let certificate = said.client_certificate.as_ref().map(|path| read_certificate(world, path)).transpose()?;
        let unusable =
            |e: KeyError| Error::usage(format!("the client certificate of `{}` can't be used", who.name)).cause(e);
        let certificate_thumbprint = certificate.as_ref().map(|pem| jose::certificate_thumbprint(pem));
        let certificate_thumbprint = certificate_thumbprint.transpose().map_err(unusable)?;
        // TLS takes no key as JWK
        let pem = text.filter(|text| !text.expose().trim_start().starts_with('{'));
        let identity = match (certificate, pem) {
            (Some(certificate), Some(key)) => {
                jose::make_a_pair(&certificate, key.expose()).map_err(unusable)?;
                Some(Arc::new(ClientCertificate { certificate, key }))
            }
            (Some(_), None) => {
                return Err(Error::usage("there is a client certificate, and no key to it as PEM")
                    .hint("`--client-key-file FILE`: the certificate's private key, as PEM"));
            }
            _ => None,
        };
        let audience = who.assertion_audience(provider)?;
        let audience = audience.or_else(|| sole_issuer(provider)).or_else(|| provider.token.url.clone());
        let proofs = Credentials {
            key: key.map(|key| Arc::new(key.with_kid(said.client_key_id.clone()))),
            algorithm: said.client_key_algorithm,
            identity,
            certificate_thumbprint,
            audience,
            announced: provider.announced.clone(),
            dpop,
        };
        known.proofs = Some(proofs.clone());
        Ok(proofs)
    }

    /// The key that tokens are bound to. A login, and a grant that needs no person, make a new one.
    /// Otherwise the record's is used: the refresh token is bound to it too.
    fn dpop(&mut self, world: &mut World) -> Result<Option<Arc<Dpop>>, Error> {
        let Making { who, provider, record, ref mut known } = *self;
        if known.dpop.is_none() {
            known.dpop = who.stored_dpop(record)?;
        }
        let new = who.choice.signing_in || !who.grant(None, record).needs_person();
        if known.dpop.is_none() && new && who.profile.proofs.dpop == Some(true) {
            look_at_announced(world, &provider.announced, &who.typed)?;
            known.dpop = Some(who.usable_dpop(Dpop::generate())?);
        }
        Ok(known.dpop.clone())
    }
}

impl Who {
    /// Whether the client secret was given for this command, whatever the profile is.
    pub(super) fn secret_is_said(&self, world: &World) -> bool {
        let own = variable(world, &self.words, false, "CLIENT_SECRET").is_some();
        self.choice.flags.client_secret.is_some() || (!own && self.variable(world, "CLIENT_SECRET").is_some())
    }

    /// Whether variables for this profile give both the secret and the client that it is for, and
    /// nothing else is meant than the configuration says.
    fn secret_stands_beside_id(&self, world: &World) -> bool {
        let own = |what| variable(world, &self.words, false, what).map(|(value, _)| value);
        let id = own("CLIENT_ID").filter(|_| own("CLIENT_SECRET").is_some());
        let same_place = self.said_elsewhere().is_none_or(|moved| matches!(moved, Moved::Client { .. }));
        same_place && id.is_some() && id == self.profile.client_id
    }

    /// A secret of the configuration is for the provider as it was signed in to. A sign-in may
    /// change that.
    fn has_moved(&self, record: Option<&Record>, provider: &Provider) -> Option<Moved> {
        let record = record.filter(|r| r.token.is_some() && !self.choice.signing_in)?;
        self.moved(&self.bound_of(record)?, record, provider, self.scope_of_secret())
    }

    /// The client secret from flag, environment or configuration, and its place in words.
    pub(super) fn secret_from_outside(&self, world: &mut World) -> Result<Option<(Secret, String)>, Error> {
        if let Some(SecretSource::File(file)) = &self.choice.flags.client_secret {
            let file = file.to_string_lossy();
            let from = if file == "-" { "standard input".to_owned() } else { format!("the file `{}`", safe(&file)) };
            return secret_from_file(world, &file, "client secret").map(|secret| Some((secret, from)));
        }
        if let Some((secret, name)) = variable(world, &self.words, self.named, "CLIENT_SECRET") {
            let secret = secret_in(&secret, "client secret").ok_or_else(|| empty_secret_variable(&name))?;
            return Ok(Some((secret, format!("the variable {name}"))));
        }
        let secret = read(world, self, "client secret", &self.profile.client_secret)?;
        Ok(secret.map(|s| (s, "the place that `client-secret` of the configuration names".to_owned())))
    }

    /// No client secret is known. A variable for it that is set and empty is an error.
    pub(super) fn no_secret(&self, world: &World) -> Result<Option<Secret>, Error> {
        let proofs = &self.profile.proofs;
        if proofs.client_key.is_some() || proofs.auth == Some(ClientAuth::None) {
            return Ok(None);
        }
        let mut names = variable_names(&self.words, self.named, "CLIENT_SECRET");
        match names.find(|name| world.env.var_os(name).is_some()) {
            Some(name) => Err(empty_secret_variable(&name)),
            None => Ok(None),
        }
    }

    fn stored_dpop(&self, record: Option<&Record>) -> Result<Option<Arc<Dpop>>, Error> {
        let Some(record) = record.filter(|_| !self.choice.signing_in) else { return Ok(None) };
        let key = record.dpop_key.clone();
        key.map(|key| self.usable_dpop(Dpop::read(key, record.dpop_nonces.clone()))).transpose()
    }

    fn usable_dpop(&self, made: Result<Dpop, KeyError>) -> Result<Arc<Dpop>, Error> {
        made.map(Arc::new).map_err(|e| {
            Error::new(Kind::Store, format!("the key that the token of `{}` is bound to can't be used", self.name))
                .cause(e)
                .hint(self.typed.login())
        })
    }

    /// The `aud` that the profile or the provider's file sets for all assertions.
    pub(super) fn assertion_audience(&self, provider: &Provider) -> Result<Option<String>, Error> {
        let own = self.profile.proofs.assertion_audience.as_deref();
        match own.or(provider.assertion_audience.as_deref()) {
            Some("token-endpoint") => Ok(provider.token.url.clone()),
            Some("issuer") => sole_issuer(provider).map(Some).ok_or_else(|| {
                Error::usage(format!(
                    "`assertion-audience` is `issuer`, and none is known of the provider `{}`",
                    safe(&provider.id)
                ))
                .hint(format!("`{} assertion-audience URL`", self.typed.line("profile set")))
            }),
            url => Ok(url.map(str::to_owned)),
        }
    }

    fn client_key(&self, world: &mut World) -> Result<Option<Secret>, Error> {
        read(world, self, "client key", &self.profile.proofs.client_key)
    }

    fn signing_key(&self, text: &Secret) -> Result<SigningKey, Error> {
        SigningKey::read(text).map_err(|e| {
            Error::usage(format!("the client key of `{}` can't be used", self.name)).cause(e).hint(
                "wanted is a private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; RSA from 2048 bits, P-256, P-384, Ed25519",
            )
        })
    }

    /// Sets the chosen client authentication for every endpoint with that of the token endpoint.
    pub(super) fn choose_auth(&self, provider: &mut Provider) -> Result<(), Error> {
        let Some(chosen) = self.profile.proofs.auth else { return Ok(()) };
        // a proof that stays here is safer than a secret that is sent
        let sends_secret =
            |auth: ClientAuth| matches!(auth, ClientAuth::Basic | ClientAuth::BasicRaw | ClientAuth::Post);
        let proofs_alone = |offered: &[String]| {
            let known: Vec<ClientAuth> = offered.iter().filter_map(|name| from_registered_name(name)).collect();
            !known.is_empty() && !known.iter().any(|auth| *auth == ClientAuth::None || sends_secret(*auth))
        };
        if let Some((name, offered)) = left_out(&provider.announced, chosen)
            && sends_secret(chosen)
            && proofs_alone(offered)
        {
            return Err(Error::usage(format!("the provider does not take `{name}`"))
                .because(format!("it announces {}", safe(&offered.join(", "))))
                .hint(format!("leave `--auth` out, or `{} auth`", self.typed.line("profile unset"))));
        }
        // `none` is not for every endpoint
        let known = |auth: &[ClientAuth]| auth.iter().copied().filter(|a| *a != ClientAuth::None).collect::<Vec<_>>();
        let before = known(&provider.token.auth);
        let endpoints = [
            Some(&mut provider.token.endpoint),
            Some(&mut provider.refresh.endpoint),
            Some(&mut provider.client_credentials.endpoint),
            provider.device.as_mut().map(|d| &mut d.endpoint),
            provider.ciba.as_mut(),
            provider.revoke.as_mut().map(|r| &mut r.endpoint),
            provider.introspect.as_mut(),
        ];
        for endpoint in endpoints.into_iter().flatten().filter(|e| known(&e.auth) == before) {
            endpoint.auth = vec![chosen];
        }
        provider.token.auth = vec![chosen];
        Ok(())
    }

    /// The client's credentials in words, for `status`.
    pub fn proof_words(&self) -> Option<String> {
        let proofs = &self.profile.proofs;
        let auth = proofs.auth.map(|auth| auth_name(auth).replace('_', "-"));
        let key = proofs.client_key.as_ref().map(|key| match key {
            SecretSource::File(path) => format!("key in {}", safe(&path.display().to_string())),
            SecretSource::Command(argv) => format!("key from `{}`", safe(&argv.join(" "))),
            SecretSource::Env(name) => format!("key in ${}", safe(name)),
        });
        let certificate = proofs.client_certificate.as_ref();
        let certificate = certificate.map(|path| format!("certificate in {}", safe(&path.display().to_string())));
        let words: Vec<String> = [auth, key, certificate].into_iter().flatten().collect();
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// For `doctor`: reads the key and says what it is; `None`: this profile has none.
    pub fn look_at_key(&self, world: &mut World) -> Option<Result<String, Error>> {
        let words = self.proof_words()?;
        let text = match self.client_key(world) {
            Ok(text) => text?,
            Err(e) => return Some(Err(e)),
        };
        Some(match SigningKey::read(&text) {
            Ok(key) => Ok(format!("{words}: {}, thumbprint {}", key.kind(), key.thumbprint())),
            Err(e) => Err(Error::usage(format!("the client key of `{}` can't be used: {e}", self.name))),
        })
    }
}

/// The name of a method of client authentication that the server's list leaves out, and the list.
fn left_out(announced: &Announced, chosen: ClientAuth) -> Option<(&'static str, &[String])> {
    let offered = announced.auth_methods.as_deref()?;
    // many servers take the id alone and do not list it
    let name = registered_name(chosen).filter(|_| chosen != ClientAuth::None)?;
    (!offered.iter().any(|listed| listed == name)).then_some((name, offered))
}

/// The issuer; `None` where each tenant has one of its own.
fn sole_issuer(provider: &Provider) -> Option<String> {
    let issuer = provider.identity.issuer.as_ref().or(provider.issuer.as_ref());
    issuer.filter(|issuer| !issuer.contains('{')).cloned()
}

/// A server that lists algorithms must list ES256; the list is optional (RFC 9449, section 5.1).
fn look_at_announced(world: &mut World, announced: &Announced, profile: &Typed) -> Result<(), Error> {
    match announced.dpop_algorithms.as_deref() {
        Some(names) if names.iter().any(|name| name == Algorithm::ES256.name()) => Ok(()),
        None if announced.known => {
            world.warn("the provider does not announce DPoP: a token that comes back unbound is not used");
            Ok(())
        }
        None => Ok(()),
        Some(names) => Err(Error::usage("`dpop` is asked for, and the provider takes no proof by ES256")
            .because(format!("it announces {}", safe(&names.join(", "))))
            .hint(format!("go without: leave `--dpop` out, or `{} dpop false`", profile.line("profile set")))),
    }
}

fn empty_secret_variable(name: &str) -> Error {
    Error::usage(format!("the variable {name} is for the client secret, and it is empty"))
        .hint("put the secret in it, or unset it")
}

fn read_certificate(world: &World, path: &Path) -> Result<String, Error> {
    let place = expand_home(path, world.env.home().as_deref());
    let text = super::read_at_most(&place, 256 * 1024).map_err(|e| {
        Error::usage(format!("the client certificate `{}` can't be read", safe(&path.display().to_string()))).cause(e)
    })?;
    Ok(text.to_string())
}

//! What a profile's client proves itself with, read from where the person keeps it: the key and the
//! certificate never rest in the store. The DPoP key does, beside the token that is bound to it.

use std::path::Path;
use std::sync::Arc;

use crate::config::GrantKind;
use crate::config::words::Audience;
use crate::config::{SecretSource, expand_home};
use crate::error::{Error, Kind};
use crate::grant::Asking;
use crate::protocol::binding::{Binding, is_dpop};
use crate::protocol::client::{Client, Proofs};
use crate::protocol::dpop::Dpop;
use crate::protocol::jose::{self, Algorithm, SigningKey};
use crate::provider::{Announced, ClientAuth, Provider, auth_name, registered_name};
use crate::secret::Secret;
use crate::session::record::Record;
use crate::session::{Session, Who};
use crate::text::{Typed, safe};
use crate::token::TokenSet;
use crate::wire::Identity;
use crate::world::World;

/// What the client proves itself with, as far as it was read.
#[derive(Default)]
pub(super) struct Credentials {
    secret: Option<Secret>,
    /// The place that the secret is from, in words.
    secret_from: Option<String>,
    proofs: Option<Proofs>,
    /// The key that this command's tokens are bound to.
    dpop: Option<Arc<Dpop>>,
}

impl Session {
    /// Client id and secret from wherever they come. `None`: no client id is known.
    pub fn client(&mut self, world: &mut World, record: Option<&Record>) -> Result<Option<Client>, Error> {
        let provider = self.provider(world, record)?;
        let secret = self.secret(world, &provider, record)?;
        let id = self
            .profile
            .client_id
            .clone()
            .or_else(|| record.filter(|r| self.secret_moved(r, &provider).is_none())?.client_id.clone())
            .or_else(|| provider.client_id.clone());
        let Some(id) = id else { return Ok(None) };
        let mut client = Client { id, secret, ..self.keyed(world, record)? };
        client.secret_from = self.credentials.secret_from.clone();
        client.secret_not_kept = client.secret.is_none()
            && record.is_some_and(|r| r.secret_not_kept && r.client_id.as_ref() == Some(&client.id));
        Ok(Some(client))
    }

    /// A client without id and secret, with all else that this profile proves itself with.
    pub fn keyed(&mut self, world: &mut World, record: Option<&Record>) -> Result<Client, Error> {
        Ok(Client { proofs: self.proofs(world, record)?, ..Client::default() })
    }

    /// The same, where a missing client id ends it.
    pub fn require_client(&mut self, world: &mut World, record: Option<&Record>) -> Result<Client, Error> {
        let client = self.client(world, record)?;
        // an assertion may speak for itself (RFC 7523, section 2.1)
        let alone = matches!(
            self.grant(self.server.as_ref().map(|server| &server.provider), record),
            GrantKind::JwtBearer | GrantKind::Saml2Bearer
        );
        let client = match client {
            None if alone => Some(self.keyed(world, record)?),
            client => client,
        };
        client.ok_or_else(|| {
            let error = Error::usage(format!("no client id is known for profile `{}`", self.name));
            if !self.named && world.env.var("OAUTHCTL_CLIENT_ID").is_some() {
                return error.hint(format!(
                    "OAUTHCTL_CLIENT_ID is for the profile that is named: on the command line, or with OAUTHCTL_PROFILE={}",
                    self.name
                ));
            }
            error
                .hint(format!("`{}` asks for it in a terminal, or give `--client-id`", self.typed.login()))
                .hint("in CI: set OAUTHCTL_CLIENT_ID and OAUTHCTL_CLIENT_SECRET")
        })
    }

    /// The provider and the client that asks it; a client id that is not known ends it.
    pub fn asking(&mut self, world: &mut World, record: Option<&Record>) -> Result<Asking, Error> {
        let provider = self.provider(world, record)?;
        let client = self.require_client(world, record)?;
        Ok(self.asking_with(&provider, &client))
    }

    pub fn asking_with(&self, provider: &Provider, client: &Client) -> Asking {
        Asking { profile: self.typed.clone(), provider: provider.clone(), client: client.clone() }
    }

    fn secret(
        &mut self,
        world: &mut World,
        provider: &Provider,
        record: Option<&Record>,
    ) -> Result<Option<Secret>, Error> {
        if let Some(secret) = &self.credentials.secret {
            return Ok(Some(secret.clone()));
        }
        if let Some((secret, from)) = self.secret_from_outside(world)? {
            if !self.signing_in && !self.secret_is_said(world) {
                // it is for the profile as it is configured, and as it has logged in
                let tokens = record.filter(|r| r.token.is_some());
                let moved = self.said_elsewhere().or_else(|| {
                    let record = tokens?;
                    self.moved(&self.bound_of(record)?, record, provider)
                });
                if let Some(moved) = moved {
                    return Err(moved.refused(&self.typed));
                }
            }
            self.credentials.secret_from = Some(from);
            self.credentials.secret = Some(secret.clone());
            return Ok(Some(secret));
        }
        let said = self.profile.client_id.as_deref();
        let of_client = |r: &&Record| said.is_none_or(|said| r.client_id.as_deref().is_none_or(|kept| kept == said));
        let Some(record) = record.filter(|r| r.client_secret.is_some()).filter(of_client) else { return Ok(None) };
        match self.secret_moved(record, provider) {
            None => Ok(record.client_secret.clone()),
            Some(_) if self.signing_in => Ok(None),
            Some(moved) => Err(moved.refused(&self.typed)),
        }
    }

    /// A secret that was asked for at the terminal.
    pub fn set_secret(&mut self, secret: Secret) {
        self.credentials.secret = Some(secret);
        self.credentials.secret_from = None;
    }

    /// Everything beside id and secret, read once.
    fn proofs(&mut self, world: &mut World, record: Option<&Record>) -> Result<Proofs, Error> {
        let provider = self.provider(world, record)?;
        let dpop = self.dpop(world, &provider.announced, record)?;
        if let Some(proofs) = &self.credentials.proofs {
            return Ok(Proofs { dpop, ..proofs.clone() });
        }
        let said = self.profile.proofs.clone();
        let text = self.client_key(world)?;
        let key = text.as_ref().map(|text| self.signing_key(text)).transpose()?;
        let key = key.map(|key| Arc::new(key.with_kid(said.client_key_id.clone())));
        let certificate = said.client_certificate.as_ref().map(|path| read_certificate(world, path)).transpose()?;
        let unusable = |e: &dyn std::fmt::Display| {
            Error::usage(format!("the client certificate of `{}` can't be used", self.name)).cause(e)
        };
        let certificate_thumbprint = certificate.as_ref().map(|pem| jose::certificate_thumbprint(pem));
        let certificate_thumbprint = certificate_thumbprint.transpose().map_err(|e| unusable(&e))?;
        // a key as JWK signs, and no TLS takes it
        let pem = text.filter(|text| !text.expose().trim_start().starts_with('{'));
        let identity = match (certificate, pem) {
            (Some(certificate), Some(key)) => {
                jose::make_a_pair(&certificate, key.expose()).map_err(|e| unusable(&e))?;
                Some(Arc::new(Identity { certificate, key }))
            }
            (Some(_), None) => {
                return Err(Error::usage("there is a client certificate, and no key to it as PEM")
                    .hint("`--client-key-file FILE`: the certificate's private key, as PEM"));
            }
            _ => None,
        };
        let audience = match &said.assertion_audience {
            None | Some(Audience::TokenEndpoint) => provider.token.url.clone(),
            Some(Audience::Url(url)) => Some(url.clone()),
            Some(Audience::Issuer) => Some(provider.issuer.clone().ok_or_else(|| {
                Error::usage(format!(
                    "`assertion-audience` is `issuer`, and none is known of the provider `{}`",
                    safe(&provider.id)
                ))
                .hint("`oauthctl profile set PROFILE assertion-audience URL`")
            })?),
        };
        let proofs = Proofs {
            key,
            algorithm: said.client_key_algorithm,
            identity,
            certificate_thumbprint,
            audience,
            announced: provider.announced.clone(),
            dpop,
        };
        self.credentials.proofs = Some(proofs.clone());
        Ok(proofs)
    }

    /// The key that tokens are bound to: a new one at each login, and where a token is had without
    /// one; the record's otherwise, since a refresh token is bound as well.
    fn dpop(
        &mut self,
        world: &mut World,
        announced: &Announced,
        record: Option<&Record>,
    ) -> Result<Option<Arc<Dpop>>, Error> {
        if let Some(dpop) = &self.credentials.dpop {
            return Ok(Some(dpop.clone()));
        }
        let wanted = self.profile.proofs.dpop == Some(true);
        let kept = record.and_then(|r| Some((r.dpop_key.clone()?, r.dpop_nonces.clone()))).filter(|_| !self.signing_in);
        let new = wanted
            && (self.signing_in || !self.grant(None, record).needs_person())
            && record.is_none_or(|r| r.token.is_none() || self.signing_in || !self.grant(None, record).needs_person());
        let made = match kept {
            Some((key, nonces)) => Dpop::read(key, nonces),
            None if new => {
                look_at_announced(world, announced, &self.typed)?;
                Dpop::generate()
            }
            None => return Ok(None),
        };
        let dpop = Arc::new(made.map_err(|e| {
            Error::new(Kind::Store, format!("the key that the token of `{}` is bound to can't be used", self.name))
                .cause(e)
                .hint(self.typed.login())
        })?);
        self.credentials.dpop = Some(dpop.clone());
        Ok(Some(dpop))
    }

    /// The way of client authentication that the server registered this client with, over whatever
    /// was said before.
    pub fn authenticates_by(&mut self, auth: ClientAuth) -> Result<(), Error> {
        self.profile.proofs.auth = Some(auth);
        if self.choice.flags.proofs.auth.is_some() {
            self.choice.flags.proofs.auth = Some(auth);
        }
        if let Some(server) = &mut self.server {
            self.who.choose_auth(&mut server.provider)?;
        }
        Ok(())
    }

    /// What goes along with a token at a resource: the proof of the key that it is bound to, the
    /// certificate.
    pub fn binding(&mut self, world: &mut World, set: &TokenSet) -> Result<Binding, Error> {
        let bound = is_dpop(set);
        if !bound && self.profile.proofs.client_certificate.is_none() {
            return Ok(Binding::default());
        }
        if bound && self.credentials.dpop.is_none() {
            let record = self.load()?;
            self.dpop(world, &Announced::default(), record.as_ref())?;
        }
        if bound && self.credentials.dpop.is_none() {
            return Err(Error::login_first(
                &self.typed,
                format!("the key that the token of `{}` is bound to is not here", self.name),
            ));
        }
        let identity = match self.profile.proofs.client_certificate {
            None => None,
            Some(_) => self.proofs(world, None)?.identity,
        };
        Ok(Binding { dpop: self.credentials.dpop.clone().filter(|_| bound), identity })
    }
}

impl Who {
    fn client_key(&self, world: &mut World) -> Result<Option<Secret>, Error> {
        super::inputs::read(world, self, "client key", &self.profile.proofs.client_key)
    }

    fn signing_key(&self, text: &Secret) -> Result<SigningKey, Error> {
        SigningKey::read(text).map_err(|e| {
            Error::usage(format!("the client key of `{}` can't be used", self.name)).cause(e).hint(
                "wanted is a private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; RSA from 2048 bits, P-256, P-384, Ed25519",
            )
        })
    }

    /// The way of client authentication that the person chose, for every endpoint that knows
    /// clients as the token endpoint does.
    pub(super) fn choose_auth(&self, provider: &mut Provider) -> Result<(), Error> {
        let Some(chosen) = self.profile.proofs.auth else { return Ok(()) };
        if let Some(offered) = &provider.announced.auth_methods
            && chosen != ClientAuth::None // taken by many a server that does not list it
            && let Some(name) = registered_name(chosen)
            && !offered.iter().any(|o| o == name)
        {
            return Err(Error::usage(format!("the provider does not take `{name}`"))
                .cause(format!("it announces {}", safe(&offered.join(", "))))
                .hint(format!("leave `--auth` out, or `{} auth`", self.typed.line("profile unset"))));
        }
        // without `none`, which is not for every endpoint
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

    /// How the client proves who it is, in words for `status`.
    pub fn proof_words(&self) -> Option<String> {
        let proofs = &self.profile.proofs;
        let mut words = Vec::new();
        if let Some(auth) = proofs.auth {
            words.push(auth_name(auth).replace('_', "-"));
        }
        match &proofs.client_key {
            Some(SecretSource::File(path)) => words.push(format!("key in {}", safe(&path.display().to_string()))),
            Some(SecretSource::Command(argv)) => words.push(format!("key from `{}`", safe(&argv.join(" ")))),
            Some(SecretSource::Env(name)) => words.push(format!("key in ${}", safe(name))),
            None => {}
        }
        words.extend(
            proofs.client_certificate.as_ref().map(|p| format!("certificate in {}", safe(&p.display().to_string()))),
        );
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

/// A server whose list of algorithms has not ours takes no proof of ours. One without a list may
/// all the same: the member is optional (RFC 9449, section 5.1), and a token that comes back
/// unbound is thrown away.
fn look_at_announced(world: &mut World, announced: &Announced, profile: &Typed) -> Result<(), Error> {
    match announced.dpop_algorithms.as_deref() {
        Some(names) if names.iter().any(|name| name == Algorithm::ES256.name()) => Ok(()),
        None => {
            if announced.known {
                world.warn("the provider does not announce DPoP: a token that comes back unbound is not used");
            }
            Ok(())
        }
        Some(names) => Err(Error::usage("`dpop` is asked for, and the provider takes no proof by ES256")
            .cause(format!("it announces {}", safe(&names.join(", "))))
            .hint(format!("go without: leave `--dpop` out, or `{} dpop false`", profile.line("profile set")))),
    }
}

fn read_certificate(world: &World, path: &Path) -> Result<String, Error> {
    let place = expand_home(path, world.env.home().as_deref());
    let text = super::read_at_most(&place, 256 * 1024).map_err(|e| {
        Error::usage(format!("the client certificate `{}` can't be read", safe(&path.display().to_string()))).cause(e)
    })?;
    Ok(text.to_string())
}

//! The server that a profile's provider names: its description with all variables filled in, its
//! own document, its keys.

use super::Who;
use super::record::{Kept, Record};
use crate::error::Error;
use crate::grant;
use crate::grant::keys::{KeptKeys, KeyRing};
use crate::protocol::metadata;
use crate::provider::Provider;
use crate::provider::expand::ExpandError;
use crate::world::World;

pub struct Server {
    pub provider: Provider,
    /// Its document, if this command fetched it.
    pub metadata: Option<Kept>,
    /// Its keys, if this command fetched them.
    pub keys: Option<KeptKeys>,
    /// Why its document could not be had, where a login goes on without it.
    no_document: Option<Error>,
    /// It announced that each authorization response names it (RFC 9207).
    pub iss_required: bool,
}

impl Server {
    /// The provider with everything filled in. Where the tokens of `record` may not go to it, this
    /// is an error.
    pub fn of(world: &mut World, who: &Who, record: Option<&Record>) -> Result<Server, Error> {
        let raw = who.raw_provider()?;
        let mut vars = record.map(|r| r.vars.clone()).unwrap_or_default();
        let kept = who.secret_vars(&raw, record);
        vars.extend(kept.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())));
        vars.extend(who.profile.vars.clone());
        who.warn_of_bare_vars(world, &raw)?;
        if let Some(more) = &mut *who.more_vars.borrow_mut() {
            vars.extend(more(world)?);
        }
        let provider = raw.expand(&vars).map_err(|e| match e {
            ExpandError::Missing { ref name, .. } | ExpandError::Value { ref name, .. } => {
                Error::usage(e.to_string()).hint(who.typed.login_with(&[("--var", &format!("{name}=VALUE"))]))
            }
            _ => Error::usage(e.to_string())
                .hint(format!("`{}` sets a variable", who.typed.login_with(&[("--var", "NAME=VALUE")]))),
        })?;
        let mut server = Server { provider, metadata: None, keys: None, no_document: None, iss_required: false };
        server.discover(world, who, record)?;
        if let Some(record) = record {
            who.bind(&mut server.provider, record)?;
        }
        who.choose_auth(&mut server.provider)?;
        Ok(server)
    }

    /// Fills from the server's own document what the entry leaves open: the one that was kept with
    /// the login, or a new one.
    fn discover(&mut self, world: &mut World, who: &Who, record: Option<&Record>) -> Result<(), Error> {
        let provider = &mut self.provider;
        let Some(issuer) = provider.issuer.clone() else { return Ok(()) };
        if provider.token.url.is_some() && (provider.authorize.url.is_some() || provider.device.is_some()) {
            // the entry says all that a login needs: the document is fetched when the rest of it is
            // needed
            if let Some(document) = kept_document(record, &issuer) {
                document.fill_identity(provider);
            }
            return Ok(());
        }
        self.read_document(world, who, record)
    }

    /// Completes the provider by what only its document says: where its keys and its further
    /// endpoints are. A document that can't be had is no failure where the provider's own entry
    /// names its endpoints.
    pub fn complete(&mut self, world: &mut World, who: &Who, record: Option<&Record>) -> Result<(), Error> {
        if self.provider.issuer.is_none() || self.provider.identity.jwks_uri.is_some() || self.metadata.is_some() {
            return Ok(());
        }
        let iss_required = self.iss_required;
        if let Err(e) = self.read_document(world, who, record) {
            world.step(|| format!("{}: its keys are not known", e.message));
            self.no_document = Some(e);
        }
        // what the entry leaves out of a login is not the document's to add
        self.iss_required = iss_required;
        if let Some(record) = record {
            who.bind(&mut self.provider, record)?;
        }
        Ok(())
    }

    fn read_document(&mut self, world: &mut World, who: &Who, record: Option<&Record>) -> Result<(), Error> {
        let Some(issuer) = self.provider.issuer.clone() else { return Ok(()) };
        let now = world.clock.now();
        let kept = record.and_then(|r| r.metadata.as_ref());
        if let Some(kept) = kept.filter(|k| k.issuer == issuer && now < k.until)
            && let Ok(document) = metadata::read(kept.document.to_string().as_bytes(), &issuer)
        {
            document.fill(&mut self.provider);
            self.iss_required = document.sends_iss();
            return Ok(());
        }
        let (document, until) = grant::discover::fetch(world, &issuer, who.profile.allow_private == Some(true))?;
        document.fill(&mut self.provider);
        self.iss_required = document.sends_iss();
        self.metadata = Some(Kept { issuer, until, document: document.to_value() });
        Ok(())
    }

    /// The server's keys: the ones that this command has fetched, else those kept with the login.
    pub fn key_ring(&self, who: &Who, record: Option<&Record>) -> KeyRing {
        let kept = self.keys.as_ref().or(record.and_then(|r| r.keys.as_ref()));
        let mut ring = KeyRing::new(self.provider.identity.jwks_uri.as_deref(), kept);
        ring.allow_private = who.profile.allow_private == Some(true);
        ring.unasked.clone_from(&self.no_document);
        ring
    }
}

/// The document that was kept with a login, however old: where keys are hardly ever changes.
pub(super) fn kept_document(record: Option<&Record>, issuer: &str) -> Option<metadata::Metadata> {
    let kept = record?.metadata.as_ref().filter(|kept| kept.issuer == issuer)?;
    metadata::read(kept.document.to_string().as_bytes(), issuer).ok()
}

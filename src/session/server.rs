//! The server of a profile: its provider with all variables filled in, its document, its keys.

use std::collections::BTreeMap;

use super::bound::Moved;
use super::{Kept, Record, Who};
use crate::config::GrantKind;
use crate::error::Error;
use crate::grant;
use crate::grant::jwks::{KeptKeys, KeyRing};
use crate::protocol::metadata;
use crate::provider::expand::{CLIENT_ID, ExpandError};
use crate::provider::{Provider, VarFrom};
use crate::world::World;

pub struct Server {
    pub provider: Provider,
    /// The document, if this command fetched it.
    pub metadata: Option<Kept>,
    /// The keys, if this command fetched them.
    pub keys: Option<KeptKeys>,
    /// Whether the whole document was asked for.
    read: bool,
    /// Why the document could not be fetched, where a login goes on without it.
    no_document: Option<Error>,
    /// The server announced that each authorization response names it (RFC 9207).
    pub iss_required: bool,
    /// The record whose tokens the server is asked with.
    record: Option<Record>,
    /// The endpoints of one command each that have moved since the login, by their keys.
    pub moved: BTreeMap<&'static str, Moved>,
}

impl Server {
    /// The server, looked up once.
    pub fn once<'a>(
        known: &'a mut Option<Server>,
        world: &mut World,
        who: &Who,
        record: Option<&Record>,
    ) -> Result<&'a mut Server, Error> {
        let server = match known.take() {
            Some(server) => server,
            None => Server::of(world, who, record)?,
        };
        Ok(known.insert(server))
    }

    /// Looks the server up. An error: the tokens of `record` may not go to it.
    fn of(world: &mut World, who: &Who, record: Option<&Record>) -> Result<Server, Error> {
        let raw = who.raw_provider()?;
        // a new sign-in brings its own
        let kept = record.filter(|_| !who.choice.signing_in);
        let mut vars = kept.map(|r| r.vars.clone()).unwrap_or_default();
        let kept = who.secret_vars(&raw, record);
        vars.extend(kept.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())));
        vars.extend(who.profile.vars.clone());
        let client_id = [&who.profile.client_id, &record.and_then(|r| r.client_id.clone()), &raw.client_id];
        if let Some(id) = client_id.into_iter().flatten().next() {
            vars.entry(CLIENT_ID.to_owned()).or_insert_with(|| id.clone());
        }
        who.filling_stays_here()?;
        who.warn_of_bare_vars(world, &raw)?;
        if let Some(more) = &mut *who.more_vars.borrow_mut() {
            vars.extend(more(world)?);
        }
        let by_browser = who.choice.signing_in && who.grant(Some(&raw), None) == GrantKind::AuthorizationCode;
        // a job that has no token yet obtains one before it needs its variables
        let no_token =
            record.is_none_or(|record| record.token.is_none()) && !who.grant(Some(&raw), record).needs_person();
        let upto = match who.choice.signing_in {
            true if by_browser => VarFrom::User,
            signing_in if signing_in || no_token => VarFrom::Callback,
            _ => VarFrom::Whoami,
        };
        let provider = raw.expand_upto(upto, &vars).map_err(|e| match e {
            ExpandError::Missing { ref name, .. } | ExpandError::Value { ref name, .. } => {
                Error::usage(e.to_string()).hint(who.hint_for_var(&raw, name))
            }
            _ => Error::usage(e.to_string())
                .hint(format!("`{}` sets a variable", who.typed.login_with(&[("--var", "NAME=VALUE")]))),
        })?;
        let record = record.cloned();
        let (metadata, keys, no_document) = (None, None, None);
        let moved = BTreeMap::new();
        let mut server =
            Server { provider, metadata, keys, read: false, no_document, iss_required: false, record, moved };
        server.discover(world, who)?;
        who.choose_auth(&mut server.provider)?;
        Ok(server)
    }

    /// Fills the gaps of the provider's file from the server's document, stored or new.
    fn discover(&mut self, world: &mut World, who: &Who) -> Result<(), Error> {
        let provider = &mut self.provider;
        if let Some(issuer) = provider.issuer.clone() {
            if provider.token.url.is_none() || provider.authorize.url.is_none() && provider.device.is_none() {
                self.read_document(world, who)?;
            } else if let Some(document) = kept_document(self.record.as_ref(), &issuer) {
                // the file says all that a login needs: the document is fetched when more is needed
                document.fill_identity(provider);
            }
        }
        self.bind(who)
    }

    /// The tokens of the record go only where they were obtained.
    fn bind(&mut self, who: &Who) -> Result<(), Error> {
        if let Some(record) = &self.record {
            self.moved.append(&mut who.bind(&mut self.provider, record)?);
        }
        Ok(())
    }

    /// Adds the addresses of the keys and of further endpoints, which stand in the document alone.
    /// Without a document this goes on: the provider's file names the endpoints.
    pub fn complete(&mut self, world: &mut World, who: &Who) -> Result<(), Error> {
        if self.provider.issuer.is_none() || self.read {
            return Ok(());
        }
        self.read = true;
        let iss_required = self.iss_required;
        if let Err(e) = self.read_document(world, who) {
            world.step(|| format!("{}: its keys are not known", e));
            self.no_document = Some(e);
        }
        // for the login itself the file counts, not the document
        self.iss_required = iss_required;
        self.bind(who)
    }

    fn read_document(&mut self, world: &mut World, who: &Who) -> Result<(), Error> {
        let Some(issuer) = self.provider.issuer.clone() else { return Ok(()) };
        self.read = true;
        let now = world.clock.now();
        let kept = self.record.as_ref().and_then(|record| record.metadata.as_ref());
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

    /// The keys that this command fetched, else the stored ones.
    pub fn key_ring(&self, who: &Who) -> KeyRing {
        let kept = self.keys.as_ref().or(self.record.as_ref().and_then(|record| record.keys.as_ref()));
        let mut ring = KeyRing::new(self.provider.identity.jwks_uri.as_deref(), kept);
        ring.allow_private = who.profile.allow_private == Some(true);
        ring.unasked.clone_from(&self.no_document);
        ring
    }
}

/// The document that was stored with a login, however old: the address of the keys hardly changes.
pub(super) fn kept_document(record: Option<&Record>, issuer: &str) -> Option<metadata::Metadata> {
    let kept = record?.metadata.as_ref().filter(|kept| kept.issuer == issuer)?;
    metadata::read(kept.document.to_string().as_bytes(), issuer).ok()
}

//! The store of a team: HashiCorp Vault or OpenBao, KV version 2. Many machines share one login.
//!
//! A record is in two parts. `PATH/NAME/renew` is the record, with all its secrets: who may renew
//! the token reads and writes it. `PATH/NAME` is what the others read: access token, expiry and
//! scopes; never the refresh token, the client secret or the key of a bound token. The first is the
//! truth, and one check-and-set changes it; the second is made from it afterwards, and made up for
//! by the next renewal if its writer was killed between the two.
//!
//! The lease is in the first part too, since custom metadata has no check-and-set. To take it is to
//! write the version after the one that was read; so is each step of its holder. Whoever comes late
//! finds another version, and can't write.
//!
//! At 100,000 jobs, from what `tests/real/vault.py` and wrk measured on two busy cores:
//! * A fresh token is one request, 10 ms beside 114 ms of `bao kv get`. A node answered 625 of them
//!   in a second, each with a TLS connection of its own (1,836 over kept ones): jobs that start
//!   within a minute need three such nodes, and standbys answer reads too. With `copy` a machine
//!   asks once for each lifetime, and answers in 4 ms.
//! * A renewal is four writes and four reads, whatever the number of jobs: 10,000 jobs of a day,
//!   with tokens of an hour, made 24 of them. The engine took 1,250 writes in a second.
//! * 200 jobs of ten machines at the end of a token made 436 requests in two seconds, for one token
//!   request. A machine's jobs wait for each other in the kernel, and one of them looks once a
//!   second at most: 1,000 machines are 1,000 looks a second for the tenth of a second that a
//!   renewal takes, or for 40 s if its holder dies. A renewer that comes before the end (`refresh
//!   --all --due` by a timer) spares them that.
//! * There is nothing to shard but profiles: each is two keys of its own. What a token endpoint
//!   lets one login do stays the limit.

mod api;
mod parts;
mod place;
mod policy;
mod sign_in;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use self::api::{Api, At, Kept};
use self::parts::{Shown, Whole, json};
pub use self::place::{NAME, Place};
pub use self::policy::policy;
use self::sign_in::{Asked, SignIn, variable};
use super::file::text_file;
use super::{LEASE, LONGEST_RECORD, Lease, Seen, Shared, Store, StoreError, StoreKind};
use crate::address::parse_safe;
use crate::secret::Secret;
use crate::text::pasted;
use crate::wire::ClientCertificate;
use crate::world::{Clock, Env, Http, Steps, decoded};

/// How many versions back a good one is looked for, in place of a broken one.
const VERSIONS_BACK: u64 = 10;

/// How long the last step before an exchange may take: the rest of the lease is the exchange's.
const MARK_WITHIN: Duration = Duration::from_secs(5);

/// How often the readers' part is written again, where others write it at the same time.
const TRIES: usize = 4;

/// What an engine is reached with.
pub struct Doors<'a> {
    pub env: &'a dyn Env,
    pub http: Arc<dyn Http>,
    pub clock: Arc<dyn Clock>,
    /// Runs the person's token helper.
    pub ask: Asked<'a>,
    /// User and machine, for the engine's audit log.
    pub by: String,
    /// Tells each request under `-v`.
    pub step: Option<Steps>,
}

/// The records in an engine.
pub struct Vault {
    place: &'static Place,
    api: Api,
    /// The leases that this process holds, by profile.
    held: RefCell<BTreeMap<String, Held>>,
    /// The readers' parts as they were seen last.
    shown: RefCell<BTreeMap<String, (u64, Shown)>>,
}

struct Held {
    version: u64,
    whole: Whole,
    /// By the monotonic clock.
    until: Duration,
}

/// Whether the engine's own variables name one.
pub fn is_named(env: &dyn Env) -> bool {
    variable(env, "ADDR").is_some()
}

/// Opens the store; no request is sent. Fails without an address.
pub fn open(place: &'static Place, doors: Doors<'_>) -> Result<Vault, StoreError> {
    let env = doors.env;
    let absent = |why: String| StoreError::Advised {
        why: format!("there is no vault: {why}"),
        cures: vec![
            "set BAO_ADDR or VAULT_ADDR, or name the address as `vault` in the table of `store` (`oauthctl help team`)"
                .to_owned(),
        ],
    };
    let said = place.vault.clone().filter(|url| !url.is_empty()).or_else(|| variable(env, "ADDR"));
    let said = said.ok_or_else(|| {
        absent("BAO_ADDR and VAULT_ADDR are not set, and the configuration names no address".to_owned())
    })?;
    let address = parse_safe(said.trim()).map_err(|why| absent(format!("its address can't be used: {why}")))?;
    let file =
        |what: &str| variable(env, what).map(|file| text_file(Path::new(&file), "file of the vault's TLS")).transpose();
    let identity = match (file("CLIENT_CERT")?, file("CLIENT_KEY")?) {
        (Some(certificate), Some(key)) => {
            Some(Arc::new(ClientCertificate { certificate: certificate.expose().to_owned(), key }))
        }
        _ => None,
    };
    let sign_in = SignIn::of(place, &address, env, doors.ask)?;
    Ok(Vault {
        place,
        api: Api {
            address,
            namespace: place.namespace.clone().or_else(|| variable(env, "NAMESPACE")),
            mount: place.mount().to_owned(),
            folder: place.path().to_owned(),
            http: doors.http,
            clock: doors.clock,
            authorities: file("CACERT")?.map(|pem| pem.expose().into()),
            identity,
            sign_in,
            token: RefCell::default(),
            accepted: Cell::default(),
            step: doors.step,
            agent: agent(&doors.by),
            state: RefCell::default(),
        },
        held: RefCell::default(),
        shown: RefCell::default(),
    })
}

/// `oauthctl/0.1.0 (ci@builder-7)`.
fn agent(by: &str) -> String {
    let by: String = by.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, '(' | ')')).collect();
    format!("{}/{} ({by})", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
}

/// What readers see.
fn at_shown(profile: &str) -> At<'_> {
    At { profile, part: "" }
}

/// What renewers see.
fn at_whole(profile: &str) -> At<'_> {
    At { profile, part: "/renew" }
}

impl Vault {
    fn overtaken(&self) -> StoreError {
        StoreError::Overtaken(self.api.name())
    }

    /// Reads the whole of a record; where the current version is broken, the last good one.
    fn whole(&self, profile: &str) -> Result<(u64, Whole), StoreError> {
        let Kept { version, data, destroyed } = self.api.read(at_whole(profile), None)?;
        let Some(data) = data else {
            return match version {
                0 => Ok((0, Whole::default())),
                _ => Err(self.withdrawn(profile, version, destroyed)),
            };
        };
        if let Some(whole) = read_whole(&data) {
            return Ok((version, whole));
        }
        match self.last_good(profile, version)? {
            // its lease is long over
            Some((_, whole)) => Ok((version, Whole { lease: None, ..whole })),
            None => Err(StoreError::Corrupt {
                place: self.in_words(),
                profile: profile.to_owned(),
                why: "no version of it is a record".to_owned(),
            }),
        }
    }

    /// The newest version before this one that is a record.
    fn last_good(&self, profile: &str, version: u64) -> Result<Option<(u64, Whole)>, StoreError> {
        for before in (version.saturating_sub(VERSIONS_BACK).max(1)..version).rev() {
            let good = self.api.read(at_whole(profile), Some(before))?.data.and_then(|data| read_whole(&data));
            if let Some(whole) = good {
                return Ok(Some((before, whole)));
            }
        }
        Ok(None)
    }

    /// The error for a version that the engine's operators took away. A `logout` would end the
    /// login for the whole team: what brings it back comes first.
    fn withdrawn(&self, profile: &str, version: u64, destroyed: bool) -> StoreError {
        let (mount, path) = (self.place.mount(), self.api.path(at_whole(profile)));
        let forget = format!("`oauthctl logout {} --local-only` forgets it; then log in again", pasted(profile));
        let (what, cures) = match destroyed {
            false => {
                ("deleted", vec![format!("`bao kv undelete -mount={mount} -versions={version} {path}` brings it back")])
            }
            true => {
                let good = self.last_good(profile, version).ok().flatten();
                let back = good.map(|(good, _)| {
                    format!("`bao kv rollback -mount={mount} -version={good} {path}` brings back the version before it: log in again if its refresh token was spent since")
                });
                ("destroyed", back.into_iter().chain([forget]).collect())
            }
        };
        let place = self.api.name();
        StoreError::Advised { why: format!("version {version} of `{mount}/{path}` was {what} in the {place}"), cures }
    }

    /// Writes the next version of what this process holds; after the lease's time, nothing.
    fn step(&self, profile: &str, change: impl FnOnce(&mut Whole)) -> Result<(), StoreError> {
        let mut held = self.held.borrow_mut();
        let Some(Held { version, whole, until }) = held.get_mut(profile) else { return Err(self.overtaken()) };
        let began = self.api.clock.elapsed();
        if began >= *until {
            return Err(self.overtaken());
        }
        let mut next = whole.clone();
        change(&mut next);
        if let Some(lease) = &mut next.lease {
            lease.at = self.api.clock.now();
        }
        match self.api.write(at_whole(profile), &json(&next), *version)? {
            Some(now) => {
                (*version, *whole, *until) = (now, next, began + LEASE);
                Ok(())
            }
            None => {
                held.remove(profile);
                Err(self.overtaken())
            }
        }
    }

    fn read_shown(&self, profile: &str) -> Result<(u64, Shown), StoreError> {
        let Kept { version, data, .. } = self.api.read(at_shown(profile), None)?;
        let shown = data.and_then(|data| serde_json::from_str(data.expose()).ok()).unwrap_or_default();
        self.shown.borrow_mut().insert(profile.to_owned(), (version, shown));
        Ok(self.shown.borrow()[profile].clone())
    }

    /// Writes the readers' part, unless it is there or a newer one is.
    fn show(&self, profile: &str, new: &Shown) -> Result<(), StoreError> {
        let mut known = self.shown.borrow().get(profile).cloned();
        for _ in 0..TRIES {
            let (version, there) = known.take().map_or_else(|| self.read_shown(profile), Ok)?;
            if there.record == new.record || there.of > new.of {
                return Ok(());
            }
            if let Some(version) = self.api.write(at_shown(profile), &json(new), version)? {
                self.shown.borrow_mut().insert(profile.to_owned(), (version, new.clone()));
                return Ok(());
            }
        }
        Err(self.overtaken())
    }
}

fn read_whole(data: &Secret) -> Option<Whole> {
    let whole: Whole = serde_json::from_str(data.expose()).ok()?;
    let is_whole = match &whole.record {
        Some(record) => is_record(record),
        None => whole.lease.is_some(),
    };
    is_whole.then_some(whole)
}

impl Store for Vault {
    fn kind(&self) -> StoreKind {
        StoreKind::Vault(self.place)
    }

    fn place(&self) -> String {
        format!("the {}, `{}/{}`", self.api.name(), self.place.mount(), self.place.path())
    }

    fn scope(&self) -> String {
        let namespace = self.api.namespace.as_deref().unwrap_or_default();
        format!("{} {namespace} {} {}", self.api.address, self.place.mount(), self.place.path())
    }

    /// The whole record; what readers see of it, for who may read no more.
    fn load(&self, profile: &str) -> Result<Option<Secret>, StoreError> {
        if let Some(held) = self.held.borrow().get(profile) {
            return Ok(held.whole.record.clone());
        }
        match self.whole(profile) {
            Ok((_, whole)) => Ok(whole.record),
            Err(StoreError::NotAllowed { .. }) => self.peek(profile),
            Err(e) => Err(e),
        }
    }

    fn save(&self, profile: &str, record: &Secret) -> Result<(), StoreError> {
        if record.expose().len() > LONGEST_RECORD {
            return Err(StoreError::TooLong(self.api.name()));
        }
        if self.held.borrow().contains_key(profile) {
            return self.step(profile, |whole| whole.record = Some(record.clone()));
        }
        let (version, whole) = self.whole(profile)?;
        let next = Whole { record: Some(record.clone()), ..Whole::default() };
        let written = match whole.lease {
            None => self.api.write(at_whole(profile), &json(&next), version)?,
            Some(_) => None,
        };
        let of = written.ok_or_else(|| self.overtaken())?;
        self.show(profile, &Shown::of(record, of))
    }

    fn delete(&self, profile: &str) -> Result<bool, StoreError> {
        let there = |at: At<'_>| self.api.read(at, None).map(|kept| kept.data.is_some_and(|data| has_record(&data)));
        let found = there(at_shown(profile))? | there(at_whole(profile))?;
        // readers first: killed after it, the next command finds the rest
        self.api.remove(at_shown(profile))?;
        self.api.remove(at_whole(profile))?;
        self.held.borrow_mut().remove(profile);
        self.shown.borrow_mut().remove(profile);
        Ok(found)
    }

    fn profiles(&self) -> Result<Vec<String>, StoreError> {
        let names = self.api.names()?;
        let mut names: Vec<String> = names.iter().filter_map(|name| decoded(name.trim_end_matches('/'))).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn writable(&self, profile: &str) -> Result<(), StoreError> {
        // a holder of the lease has written there
        if !self.held.borrow().contains_key(profile) {
            self.api.has_versions()?;
        }
        match self.api.may_write(at_whole(profile))? {
            true => Ok(()),
            false => Err(StoreError::NotAllowed { place: self.api.name(), profile: Some(profile.to_owned()) }),
        }
    }

    fn shared(&self) -> Option<&dyn Shared> {
        Some(self)
    }
}

fn is_record(text: &Secret) -> bool {
    text.expose().starts_with('{')
}

fn has_record(data: &Secret) -> bool {
    serde_json::from_str(data.expose()).is_ok_and(|whole: Whole| whole.record.is_some())
}

impl Shared for Vault {
    fn peek(&self, profile: &str) -> Result<Option<Secret>, StoreError> {
        self.read_shown(profile).map(|(_, shown)| shown.record)
    }

    fn look(&self, profile: &str) -> Result<Seen, StoreError> {
        let (version, Whole { record, lease, sent }) = self.whole(profile)?;
        Ok(Seen { version, record, lease, sent })
    }

    fn take(&self, profile: &str, seen: Seen, lease: Lease) -> Result<bool, StoreError> {
        let until = self.api.clock.elapsed() + LEASE;
        let whole = Whole { record: seen.record, lease: Some(lease), sent: seen.sent };
        let taken = self.api.write(at_whole(profile), &json(&whole), seen.version)?;
        if let Some(version) = taken {
            self.held.borrow_mut().insert(profile.to_owned(), Held { version, whole, until });
        }
        Ok(taken.is_some())
    }

    fn mark(&self, profile: &str, sent: u8) -> Result<(), StoreError> {
        let began = self.api.clock.elapsed();
        self.step(profile, |whole| whole.sent = sent)?;
        // the exchange must be over before the lease is
        match self.api.clock.elapsed().saturating_sub(began) < MARK_WITHIN {
            true => Ok(()),
            false => {
                Err(StoreError::Unavailable(self.api.name(), "it was too slow to send anything after it".to_owned()))
            }
        }
    }

    fn commit(&self, profile: &str, record: &Secret) -> Result<(), StoreError> {
        if record.expose().len() > LONGEST_RECORD {
            return Err(StoreError::TooLong(self.api.name()));
        }
        if !self.held.borrow().contains_key(profile) {
            return self.save(profile, record);
        }
        self.step(profile, |whole| *whole = Whole { record: Some(record.clone()), ..Whole::default() })?;
        let held = self.held.borrow_mut().remove(profile);
        // it is saved: a readers' part that can't be written now is left to the next renewal
        let _ = self.show(profile, &Shown::of(record, held.map_or(0, |held| held.version)));
        Ok(())
    }

    fn let_go(&self, profile: &str, sent: u8) -> Result<(), StoreError> {
        let nothing = self.held.borrow().get(profile).is_some_and(|held| held.whole.record.is_none());
        if nothing {
            self.held.borrow_mut().remove(profile);
            return self.api.remove(at_whole(profile));
        }
        let done = self.step(profile, |whole| (whole.lease, whole.sent) = (None, sent));
        let held = self.held.borrow_mut().remove(profile);
        if let (Ok(()), Some(Held { version, whole: Whole { record: Some(record), .. }, .. })) = (&done, held) {
            let _ = self.show(profile, &Shown::of(&record, version));
        }
        done
    }

    fn hand_over(&self, profile: &str) {
        self.held.borrow_mut().remove(profile);
    }

    fn mend(&self, profile: &str, seen: &Seen) {
        if let (Some(record), None) = (&seen.record, &seen.lease) {
            self.shown.borrow_mut().remove(profile);
            let _ = self.show(profile, &Shown::of(record, seen.version));
        }
    }

    fn fault(&self, profile: &str) -> Result<Option<&'static str>, StoreError> {
        let data = self.api.read(at_shown(profile), None)?.data;
        let seen = data.as_ref().and_then(|data| serde_json::from_str::<Shown>(data.expose()).ok()?.record);
        let seen = seen.filter(is_record);
        let record = match self.whole(profile) {
            // the lease's holder writes it
            Ok((_, Whole { lease: Some(_), .. })) => return Ok(None),
            Ok((_, whole)) => whole.record.map(|record| Shown::of(&record, 0).record),
            Err(StoreError::NotAllowed { .. }) => None,
            Err(e) => return Err(e),
        };
        Ok(match (data, seen, record) {
            (Some(_), None, _) => Some("was written by another program, and is no record"),
            (None, _, Some(_)) => Some("is missing"),
            (_, seen, Some(record)) if seen != record => Some("is not what the record says"),
            _ => None,
        })
    }
}

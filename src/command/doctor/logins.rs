//! The logins of all profiles: which share a refresh token, and which end soon.

use std::collections::BTreeMap;

use super::{Found, bad, note};
use crate::command::status::in_time;
use crate::command::{Global, list};
use crate::error::{Error, Kind};
use crate::provider::Rotates;
use crate::secret::hash;
use crate::session::Who;
use crate::session::record::{End, Record};
use crate::session::standing::Standing;
use crate::text::{pasted, safe};
use crate::world::World;

/// A login that ends within this time is told of: a week, in seconds.
const SOON: i64 = 7 * 86_400;

/// What the logins of all profiles show.
#[derive(Default)]
pub struct Logins {
    /// Those that end soon.
    pub ends: Vec<Found>,
    /// Those that are in two profiles.
    pub doubles: Vec<Found>,
    /// Why a record could not be read.
    pub unread: Vec<Error>,
}

pub fn look(world: &mut World, global: &Global) -> Logins {
    // by the refresh token's hash: the first profile that has it
    let mut holders: BTreeMap<String, String> = BTreeMap::new();
    let mut logins = Logins::default();
    // what is wrong with the configuration has its own row
    let _ = list::each(world, global, |world, who, standing| {
        let (name, now) = (standing.profile.clone(), world.clock.now());
        let login = format!("oauthctl login {}", pasted(&name));
        if let Some(end) = soon(who, &standing, now) {
            logins.ends.push(match end.at > now {
                true => {
                    let advice = if end.unused { login.replacen("login", "refresh", 1) } else { login.clone() };
                    note(format!("the login of `{}` ends {}", safe(&name), in_time(&end, now))).advice(advice)
                }
                false => bad(format!("the login of `{}` has ended", safe(&name))).advice(&login),
            });
        }
        if let Some(Record { token: None, ended: Some(why), .. }) = &standing.record {
            let words = format!("the provider ended the login of `{}`: {}", safe(&name), safe(why));
            logins.ends.push(bad(words).advice(&login));
        }
        let set = standing.record.as_ref().and_then(|record| record.token.as_ref());
        if set.is_some_and(|set| set.access_token.expose().is_empty()) {
            let words = format!("the login of `{}` was imported, and could not be refreshed yet", safe(&name));
            logins.ends.push(bad(words).advice(login.replacen("login", "refresh", 1)));
        }
        logins.unread.extend(standing.trouble.filter(|e| e.kind == Kind::Store));
        let Some(token) = standing.record.as_ref().and_then(refresh_token) else { return };
        let Some(other) = holders.insert(token, name.clone()) else { return };
        let words = format!("`{}` and `{}` spend one refresh token", safe(&other), safe(&name));
        logins.doubles.push(
            match who.shared_provider().is_ok_and(|provider| provider.refresh.rotates == Rotates::No) {
                true => note(format!("{words}; the provider lets both")),
                false => bad(format!("{words}: a refresh of one ends the login of the other")).advice(login),
            },
        );
    });
    logins
}

/// The nearest end within a week. A short life that each refresh begins anew ends soon all the
/// time: it is told of when it is near.
fn soon(who: &Who, standing: &Standing, now: i64) -> Option<End> {
    let near = standing.ends.filter(|end| end.at - now < SOON)?;
    let provider = who.shared_provider().ok()?;
    let by_age = |end: &End| !end.unused && provider.refresh.max_age_s == Some(end.life);
    let ends = standing.record.as_ref().map(|record| record.all_ends(&provider)).unwrap_or_else(|| vec![near]);
    ends.into_iter().find(|end| end.at - now < SOON && (end.life > SOON || end.is_near(now) || by_age(end)))
}

fn refresh_token(record: &Record) -> Option<String> {
    let token = record.token.as_ref()?.refresh_token.as_ref()?;
    Some(hash(token.expose().as_bytes()))
}

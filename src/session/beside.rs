//! Further access tokens of one login, beside its main one. The login's record keeps them all; they
//! share its refresh token and its lock.

use super::variant::{Variant, sorted};
use super::{Record, Session, Who};
use crate::error::{Error, Fate, Kind};
use crate::provider::{Provider, TokenKind};
use crate::store::StoreKind;
use crate::text::{pasted, safe};
use crate::token::TokenSet;
use crate::world::World;

/// All that the login was asked for, and the scopes that it was granted.
fn of_login(record: &Record) -> Variant {
    let asked_with = |key: &str| {
        let words = record.asked_with.as_ref().and_then(|with| with.get(key));
        sorted(words.map_or("", String::as_str).split_whitespace().map(str::to_owned))
    };
    let granted = record.token.iter().flat_map(|set| set.scopes.iter().flatten());
    Variant {
        scopes: sorted(record.asked.iter().chain(granted).cloned()),
        resource: asked_with("resource"),
        audience: asked_with("audience"),
    }
}

/// Whether the login's main token is just this one.
fn is_main(variant: &Variant, record: &Record) -> bool {
    let (login, granted) = (of_login(record), record.token.as_ref().and_then(|set| set.scopes.clone()));
    let same = |said: &Vec<String>, login: &Vec<String>| said.is_empty() || said == login;
    let same_scopes = same(&variant.scopes, &sorted(record.asked.iter().cloned()))
        || granted.is_some_and(|granted| variant.scopes == sorted(granted));
    same_scopes && same(&variant.resource, &login.resource) && same(&variant.audience, &login.audience)
}

/// What the login was not asked for. A server may spend the refresh token before it refuses that,
/// and the login would be lost.
fn beyond(variant: &Variant, record: &Record) -> Variant {
    let login = of_login(record);
    let not = |said: &[String], had: &[String]| said.iter().filter(|one| !had.contains(one)).cloned().collect();
    Variant {
        scopes: not(&variant.scopes, &login.scopes),
        resource: not(&variant.resource, &login.resource),
        audience: not(&variant.audience, &login.audience),
    }
}

impl Session {
    /// Decides by the record what the flags for another token mean. A job asks with them anew; a
    /// login's main token may be what they ask for; no login is asked for more than it was granted.
    pub fn choose_variant(&mut self, world: &World, record: Option<&Record>) -> Result<(), Error> {
        self.refuse_beside_variable(world, record)?;
        let Some(mut variant) = self.variant.take() else { return Ok(()) };
        if !self.grant(None, record).needs_person() {
            let flags = variant.as_flags();
            self.profile.overlay(&flags);
            self.choice.flags.overlay(&flags);
            return Ok(());
        }
        // a login with them is another one
        let options = self.choice.options();
        self.who.typed.options_are(options);
        if let Some(record) = record.filter(|record| record.token.is_some()) {
            let provider = self.raw_provider();
            if let Ok(provider) = &provider {
                self.complete(&mut variant.scopes, (provider, record));
            }
            if is_main(&variant, record) {
                return Ok(());
            }
            match provider {
                Ok(provider) => self.must_be_offered(&variant, (&provider, record))?,
                // what another machine lends is one token, and needs no provider's file here
                Err(_) if self.store.kind() == StoreKind::Lent => {}
                Err(e) => return Err(e),
            }
        }
        self.variant = Some(variant);
        Ok(())
    }

    /// A token from outside is used as it is: whatever it is for, no flag makes another of it.
    fn refuse_beside_variable(&self, world: &World, record: Option<&Record>) -> Result<(), Error> {
        if record.is_none() || self.store.kind() != StoreKind::Environment {
            return Ok(());
        }
        // a job's are flags of the profile
        let said = self.variant.clone().or_else(|| Variant::taken_from(&mut self.choice.flags.clone()));
        let Some(said) = said else { return Ok(()) };
        let (variable, words) = (self.token_variable(world), said.words());
        Err(Error::usage(format!(
            "the token of `{}` comes from the variable {variable}, which brings no other one ({words})",
            self.name
        ))
        .hint(format!("leave `{words}` out; or unset {variable}")))
    }

    /// Adds the scopes that a login needs always: a server may end one that no longer asks for
    /// them.
    fn complete(&self, scopes: &mut Vec<String>, (provider, record): (&Provider, &Record)) {
        if scopes.is_empty() {
            return;
        }
        let facts = &provider.scopes;
        let needed = facts.always.iter().chain(&facts.offline).filter(|scope| record.asked.contains(scope)).cloned();
        *scopes = sorted(Who::split(scopes, provider).into_iter().chain(needed));
    }

    fn must_be_offered(&self, variant: &Variant, (provider, record): (&Provider, &Record)) -> Result<(), Error> {
        if provider.refresh.source == TokenKind::AccessToken {
            return Err(Error::usage(format!("`{}` has one token alone", self.name))
                .because("its provider renews the access token itself, and gives no other one from the same login"));
        }
        let beyond = beyond(variant, record);
        if beyond == Variant::default() || provider.refresh.any_scope {
            return Ok(());
        }
        let why = format!("the login of `{}` was not made for `{}`", self.name, safe(&beyond.words()));
        Err(Error::new(Kind::LoginFirst, why).hint(self.made_for(beyond, &of_login(record))))
    }

    /// A login that is made for these too.
    fn made_for(&self, beyond: Variant, login: &Variant) -> String {
        let with = |more: Vec<String>, had: &[String]| match more.is_empty() {
            true => Vec::new(),
            false => sorted(more.into_iter().chain(had.iter().cloned())),
        };
        let scopes = beyond.scopes.into_iter().map(|scope| ("--add-scope", scope));
        let resource = with(beyond.resource, &login.resource).into_iter().map(|url| ("--resource", url));
        let audience = with(beyond.audience, &login.audience).into_iter().map(|name| ("--audience", name));
        let more: Vec<_> = scopes.chain(resource).chain(audience).map(|(flag, value)| (flag, pasted(&value))).collect();
        self.typed.login_with(&more.iter().map(|(flag, value)| (*flag, value.as_str())).collect::<Vec<_>>())
    }

    /// The error for a token that nobody has asked for yet.
    pub fn none_beside(&self, variant: &Variant) -> Error {
        Error::new(Kind::LoginFirst, format!("`{}` has no such token yet ({})", self.name, variant.words()))
            .hint(format!("{} {}", self.typed.line("token"), variant.words()))
    }

    /// The refusal of another token: the login itself stays, whatever the server says of it.
    pub(super) fn not_beside(&self, variant: &Variant, e: Error) -> Error {
        let mut e = e.reworded(format!("the login of `{}` brings no token for `{}`", self.name, variant.words()));
        if e.fate == Fate::Refused {
            e.hints.push(format!("`{}` shows whether the login itself is still good", self.typed.line("refresh")));
        } else if e.kind == Kind::Refused && variant.resource.is_empty() && variant.audience.is_empty() {
            e.hints = vec![self.made_for(variant.clone(), &Variant::default())];
        }
        e
    }

    /// Warns of a token that can do more than was asked for.
    pub(super) fn warn_of_more(&self, world: &mut World, set: &TokenSet) {
        let more = self.variant.as_ref().map(|variant| variant.exceeded_by(set)).unwrap_or_default();
        if !more.is_empty() {
            world.warn(&format!(
                "the provider does not narrow: this token of `{}` has the scope `{}` too",
                self.name,
                safe(&more.join(" "))
            ));
        }
    }
}

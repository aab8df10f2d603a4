//! Further access tokens of one login, beside its main one. The login's record keeps them all; they
//! share its refresh token and its lock.

use super::open::typed;
use super::variant::{Variant, sorted};
use super::{Record, Session, Who};
use crate::error::{Error, Fate, Kind};
use crate::provider::{Provider, TokenKind};
use crate::store::StoreKind;
use crate::text::{pasted, safe};
use crate::token::TokenSet;
use crate::world::World;

/// Whether the login's main token is just this one.
fn is_main(variant: &Variant, record: &Record) -> bool {
    let granted = record.token.as_ref().and_then(|set| set.scopes.as_ref());
    let of_login = |key: &str| {
        let words = record.asked_with.as_ref().and_then(|with| with.get(key));
        words.map(|words| sorted(&words.split(' ').map(str::to_owned).collect::<Vec<_>>()))
    };
    let same = |said: &Vec<String>, key| said.is_empty() || of_login(key).as_ref() == Some(said);
    let same_scopes = variant.scopes.is_empty()
        || variant.scopes == sorted(&record.asked)
        || granted.is_some_and(|granted| variant.scopes == sorted(granted));
    same_scopes && same(&variant.resource, "resource") && same(&variant.audience, "audience")
}

/// The scopes that the login was not granted, as far as that is known.
fn beyond<'a>(variant: &'a Variant, record: &Record) -> Vec<&'a str> {
    let granted = record.token.as_ref().and_then(|set| set.scopes.as_ref());
    if record.asked.is_empty() && granted.is_none() {
        return Vec::new();
    }
    let had = |scope: &&String| record.asked.contains(scope) || granted.is_some_and(|all| all.contains(scope));
    variant.scopes.iter().filter(|scope| !had(scope)).map(String::as_str).collect()
}

impl Session {
    /// Decides by the record what the flags for another token mean. A job asks with them anew; a
    /// login's main token may be what they ask for; no login is asked for more than it was granted.
    pub fn choose_variant(&mut self, record: Option<&Record>) -> Result<(), Error> {
        let Some(mut variant) = self.variant.take() else { return Ok(()) };
        if !self.grant(None, record).needs_person() {
            let flags = variant.as_flags();
            self.profile.overlay(&flags);
            self.choice.flags.overlay(&flags);
            return Ok(());
        }
        // a token from outside is used as it is
        if self.store.kind() == StoreKind::Environment {
            return Ok(());
        }
        if let Some(record) = record.filter(|record| record.token.is_some()) {
            // a login without them is another one
            self.who.typed = typed(&self.name, self.alias.as_deref(), &self.choice);
            let provider = self.raw_provider()?;
            self.complete(&mut variant.scopes, (&provider, record));
            if is_main(&variant, record) {
                return Ok(());
            }
            self.must_be_offered(&variant, (&provider, record))?;
        }
        self.variant = Some(variant);
        Ok(())
    }

    /// Adds the scopes that a login needs always: a server may end one that no longer asks for
    /// them.
    fn complete(&self, scopes: &mut Vec<String>, (provider, record): (&Provider, &Record)) {
        if scopes.is_empty() {
            return;
        }
        let facts = &provider.scopes;
        let needed = facts.always.iter().chain(&facts.offline).filter(|scope| record.asked.contains(scope)).cloned();
        let all: Vec<String> = Who::split(scopes, provider).into_iter().chain(needed).collect();
        *scopes = sorted(&all);
    }

    fn must_be_offered(&self, variant: &Variant, (provider, record): (&Provider, &Record)) -> Result<(), Error> {
        if provider.refresh.source == TokenKind::AccessToken {
            return Err(Error::usage(format!("`{}` has one token alone", self.name))
                .because("its provider renews the access token itself, and gives no other one from the same login"));
        }
        let beyond = beyond(variant, record);
        if beyond.is_empty() || provider.refresh.any_scope {
            return Ok(());
        }
        Err(Error::new(
            Kind::LoginFirst,
            format!("the login of `{}` was not granted the scope `{}`", self.name, safe(&beyond.join(" "))),
        )
        .hint(self.with_scopes(&beyond)))
    }

    /// The login with these scopes too.
    fn with_scopes(&self, scopes: &[&str]) -> String {
        let added: Vec<String> = scopes.iter().map(|scope| pasted(scope)).collect();
        let more: Vec<(&str, &str)> = added.iter().map(|scope| ("--add-scope", scope.as_str())).collect();
        self.typed.login_with(&more)
    }

    /// The refusal of another token: the login itself stays, whatever the server says of it.
    pub(super) fn not_beside(&self, variant: &Variant, e: Error) -> Error {
        let mut e = e.reworded(format!("the login of `{}` brings no token for `{}`", self.name, variant.words()));
        if e.fate == Fate::Refused {
            e.hints.push(format!("`{}` shows whether the login itself is still good", self.typed.line("refresh")));
        } else if e.kind == Kind::Refused && variant.resource.is_empty() && variant.audience.is_empty() {
            let scopes: Vec<&str> = variant.scopes.iter().map(String::as_str).collect();
            e.hints = vec![self.with_scopes(&scopes)];
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

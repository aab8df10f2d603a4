//! If the provider returns no `state`, nothing ties the redirect to this login. Then the user
//! confirms the account before anything is stored.

use crate::command::{logout, may_ask};
use crate::error::{Error, Kind, unanswered};
use crate::grant::{Asking, revoke};
use crate::text::safe;
use crate::token::TokenSet;
use crate::world::{Unanswered, World};

/// Members of a token response by which a user may recognize an account.
const TELLING: [&str; 12] = [
    "email",
    "login",
    "username",
    "user_name",
    "account_name",
    "name",
    "account",
    "account_id",
    "accountId",
    "user_id",
    "uid",
    "user",
];

/// Asks whether to keep the tokens, and revokes them otherwise, if the provider supports that.
pub(super) fn confirm_account(
    world: &mut World,
    asking: &Asking,
    (account, set): (Option<&str>, &TokenSet),
    yes: bool,
) -> Result<(), Error> {
    let name = safe(&asking.provider.name);
    let named = named(account, set);
    if yes || !may_ask(world) {
        let who = named.unwrap_or_else(|| "an account that is not named".to_owned());
        let unproved = format!("{name} can't prove that this sign-in is yours: it is {who}");
        if yes {
            world.insist(&unproved);
            return Ok(());
        }
        let error = Error::new(Kind::Unsafe, unproved).because("nobody could be asked, so the tokens were not stored");
        return Err(taken_back(world, asking, set, error)
            .hint("`--yes` stores them without a question: check the account that it names"));
    }
    world.lead(&format!("{name} does not return the value that proves that this sign-in began here."));
    world.lead(&match named {
        Some(who) => format!("It is the account {who}."),
        None => {
            "The response names no account. The provider's page in the browser shows who is signed in there.".to_owned()
        }
    });
    let error = match world.ask_whether("Is that your account, and should its token be stored?", false) {
        Ok(true) => return Ok(()),
        // an unfinished line is no yes
        Ok(false) | Err(Unanswered::Ended) => {
            Error { said_no: true, ..Error::new(Kind::Refused, "the tokens were not stored") }
        }
        Err(e) => unanswered(e, "the tokens were not stored"),
    };
    Err(taken_back(world, asking, set, error))
}

/// The account in the provider's words, else a member of the token response.
fn named(account: Option<&str>, set: &TokenSet) -> Option<String> {
    let member = TELLING.iter().find_map(|name| {
        let value = set.extra.get(*name)?;
        let text = value.as_str().map(str::to_owned).or_else(|| value.as_number().map(ToString::to_string));
        Some((*name, text.filter(|text| !text.is_empty())?))
    });
    match (account, member) {
        (Some(account), Some((_, text))) if account == text => Some(safe(account)),
        (Some(account), Some((name, text))) => Some(format!("{} ({name} {})", safe(account), safe(&text))),
        (Some(account), None) => Some(safe(account)),
        (None, Some((name, text))) => Some(format!("with the {name} {}", safe(&text))),
        (None, None) => None,
    }
}

/// The error for tokens that are not stored: they are revoked, if the provider supports that.
pub(super) fn taken_back(world: &mut World, asking: &Asking, set: &TokenSet, error: Error) -> Error {
    let facts = asking.provider.revocation();
    let cause = match facts.map_or(Ok(None), |facts| revoke::revoke(world, asking, facts, set)) {
        Ok(Some(words)) => words.to_owned(),
        Ok(None) => logout::irrevocable(&asking.provider.name),
        Err(e) => format!("its token could not be revoked ({}): {}", e, logout::STAYS_VALID),
    };
    error.because(cause).hint(asking.profile.login())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_account_is_named_as_well_as_the_answers_allow() {
        let set = |extra: serde_json::Value| {
            let mut token = json!({ "access_token": "A", "token_type": "Bearer", "received_at": 0 });
            token["extra"] = extra;
            serde_json::from_str::<TokenSet>(&token.to_string()).expect("a set")
        };
        let number = set(json!({ "user_id": 17 }));
        assert_eq!(named(Some("ann@example.test"), &number).as_deref(), Some("ann@example.test (user_id 17)"));
        assert_eq!(named(Some("17"), &number).as_deref(), Some("17"));
        assert_eq!(named(None, &number).as_deref(), Some("with the user_id 17"));
        assert_eq!(
            named(None, &set(json!({ "email": "", "name": ["x"], "login": "ann" }))).as_deref(),
            Some("with the login ann")
        );
        assert_eq!(named(None, &set(json!({ "session_secret": "s" }))), None, "what names nobody is not shown");
    }
}

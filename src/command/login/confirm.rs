//! Where nothing ties the redirect to this login (the provider returns no `state`), the person
//! looks at whose account it is, before anything is kept.

use crate::command::{logout, may_ask};
use crate::error::{Error, Kind, unanswered};
use crate::grant::{Asking, revoke};
use crate::text::safe;
use crate::token::TokenSet;
use crate::world::{Unanswered, World};

/// Members of a token answer by which a person may know an account.
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

/// Asks whether to keep it. What is not kept is taken back, where the provider lets it be taken
/// back.
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
        let error = Error::new(Kind::Unsafe, unproved).cause("nobody could be asked, so the sign-in was not kept");
        return Err(taken_back(world, asking, set, error)
            .hint("`--yes` keeps it all the same: look at the account that is named then"));
    }
    world.lead(&format!("{name} does not send back what would prove that this sign-in is the one you began here."));
    world.lead(&match named {
        Some(who) => format!("It is the account {who}."),
        None => "Nothing here names the account. Look in the browser, at the provider's own page, at who is signed in there.".to_owned(),
    });
    match world.ask_whether("Is that your account, and is its token to be kept?", false) {
        Ok(true) => Ok(()),
        // a line that is left open is no yes
        Ok(false) | Err(Unanswered::Ended) => {
            let error = Error { said_no: true, ..Error::new(Kind::Refused, "the sign-in was not kept") };
            Err(taken_back(world, asking, set, error))
        }
        Err(e) => {
            let error = unanswered(e, "the sign-in was not kept");
            Err(taken_back(world, asking, set, error))
        }
    }
}

/// In the provider's own words: who the token is of, else what its answer says.
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

fn taken_back(world: &mut World, asking: &Asking, set: &TokenSet, error: Error) -> Error {
    let provider = &asking.provider;
    let revoked = match &provider.revoke {
        Some(facts) => revoke::revoke(world, asking, facts, set),
        None => Ok(None),
    };
    let stays = logout::STAYS_VALID;
    let error = match revoked {
        Ok(Some(words)) => error.cause(words),
        Ok(None) => {
            error.cause(format!("{} offers no way to revoke its token from outside: {stays}", safe(&provider.name)))
        }
        Err(e) => error.cause(format!("its token could not be revoked ({}): {stays}", e.message)),
    };
    error.hint(asking.profile.login())
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

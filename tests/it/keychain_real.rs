//! The real keychain in each of its states. `OAUTHCTL_TEST_KEYCHAIN` names the state (`real`:
//! present and unlocked; `locked`, `absent`, `no-bus`, `frozen`), and `tests/real/with-keyring.sh`
//! sets it up. Without the variable the keychain stays untouched.

use std::sync::Arc;
use std::time::{Duration, Instant};

use oauthctl::secret::Secret;
use oauthctl::world::{Keychain, KeychainError, keychain};

use crate::store_contract::FakeEnv;

/// The environment of this process, as the kernel shows it.
pub fn environment() -> FakeEnv {
    let block = std::fs::read_to_string("/proc/self/environ").unwrap_or_default();
    let pairs = block.split('\0').filter_map(|pair| pair.split_once('='));
    FakeEnv(pairs.map(|(name, value)| (name.to_owned(), value.into())).collect())
}

/// The keychain, if the run is about this state.
pub fn keychain_when(state: &str) -> Option<Arc<dyn Keychain>> {
    let env = environment();
    let told = env.0.get("OAUTHCTL_TEST_KEYCHAIN")?;
    (told == state).then(|| keychain::system(&env))
}

type Answers = (
    Result<Option<Secret>, KeychainError>,
    Result<(), KeychainError>,
    Result<bool, KeychainError>,
    Result<(), KeychainError>,
);

/// What each call answers; each by the deadline of three seconds, which a busy machine puts off;
/// the bus's own is 25.
fn ask_everything(keychain: &dyn Keychain) -> Answers {
    let timed = |begun: Instant| assert!(begun.elapsed() < Duration::from_secs(16), "{:?}", begun.elapsed());
    let begun = Instant::now();
    let get = keychain.get("test-nobody");
    timed(begun);
    let begun = Instant::now();
    let set = keychain.set("test-nobody", &Secret::new("value"));
    timed(begun);
    let begun = Instant::now();
    let delete = keychain.delete("test-nobody");
    timed(begun);
    let begun = Instant::now();
    let ready = keychain.ready();
    timed(begun);
    (get, set, delete, ready)
}

// T-64
#[test]
fn a_locked_keychain_is_told_at_once_and_nobody_is_asked() {
    let Some(keychain) = keychain_when("locked") else { return };
    let begun = Instant::now();
    let (get, set, delete, ready) = ask_everything(&*keychain);
    assert!(begun.elapsed() < Duration::from_secs(3));
    let locked = KeychainError::Locked;
    assert_eq!((get, set), (Err(locked.clone()), Err(locked.clone())));
    assert_eq!((delete, ready), (Err(locked.clone()), Err(locked)));
}

// C-35
#[test]
fn a_bus_without_a_keychain_is_told_in_words() {
    let Some(keychain) = keychain_when("absent") else { return };
    let (get, set, delete, ready) = ask_everything(&*keychain);
    for error in [get.unwrap_err(), set.unwrap_err(), delete.unwrap_err(), ready.unwrap_err()] {
        assert!(matches!(&error, KeychainError::Absent(why) if why.contains("Secret Service")), "{error}");
    }
}

// C-35
#[test]
fn no_bus_is_told_in_words() {
    let Some(keychain) = keychain_when("no-bus") else { return };
    let (get, set, delete, ready) = ask_everything(&*keychain);
    for error in [get.unwrap_err(), set.unwrap_err(), delete.unwrap_err(), ready.unwrap_err()] {
        assert!(matches!(&error, KeychainError::Absent(why) if why.contains("session bus")), "{error}");
    }
}

// T-64
#[test]
fn a_frozen_keychain_ends_within_three_seconds() {
    let Some(keychain) = keychain_when("frozen") else { return };
    let (get, set, delete, ready) = ask_everything(&*keychain);
    let late = KeychainError::TimedOut(3);
    assert_eq!((get, set), (Err(late.clone()), Err(late.clone())));
    assert_eq!((delete, ready), (Err(late.clone()), Err(late)));
}

#[test]
fn the_systems_own_tool_finds_the_one_item_of_a_profile() {
    let Some(keychain) = keychain_when("real") else { return };
    let profile = format!("test-{}-tool", std::process::id());
    for value in ["first", "second"] {
        keychain.set(&profile, &Secret::new(value)).unwrap();
        let tool = |verb: &[&str]| {
            let output = assert_cmd::Command::new("secret-tool")
                .args(verb)
                .args(["service", "oauthctl", "username", &profile])
                .output()
                .unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(tool(&["lookup"]), value);
        assert_eq!(tool(&["search", "--all"]).matches("\nsecret = ").count(), 1);
        if value == "second" {
            tool(&["clear"]);
        }
    }
    assert_eq!(keychain.get(&profile), Ok(None));
}

/// Short-lived readers side by side make GNOME Keyring abort when they are careless; see the head
/// of `secret_service`.
#[test]
fn many_readers_leave_the_keychain_alive() {
    let Some(keychain) = keychain_when("real") else { return };
    let reads: usize = match environment().0.get("OAUTHCTL_TEST_READS").and_then(|v| v.to_str()) {
        Some(reads) => reads.parse().unwrap(),
        None => 200,
    };
    let profile = format!("test-{}-many", std::process::id());
    let value = Secret::new("x".repeat(1500));
    keychain.set(&profile, &value).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..reads / 8 {
                    assert_eq!(keychain.get(&profile), Ok(Some(value.clone())));
                }
            });
        }
    });
    assert_eq!(keychain.delete(&profile), Ok(true));
}

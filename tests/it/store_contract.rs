//! The same eleven promises for every store, and each store's behaviour on failures.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use oauthctl::protocol::age::Identity;
use oauthctl::secret::Secret;
use oauthctl::store::file::{AgeKeys, Openers};
use oauthctl::store::vault::{self, Place as Table};
use oauthctl::store::{self, LONGEST_RECORD, Store, StoreError, StoreKind};
use oauthctl::token::TokenSet;
use oauthctl::world::{Env, Keychain, KeychainError, Protocol};

/// A place that stores are opened on, again and again.
struct Place {
    name: &'static str,
    open: Box<dyn Fn() -> Box<dyn Store> + Sync>,
    /// Makes profile names that nobody else uses (a real keychain is shared).
    prefix: String,
    keeps: bool,
    /// Whether it can tell what it holds.
    lists: bool,
    /// Lives as long as the place.
    _folder: Option<tempfile::TempDir>,
}

impl Place {
    fn profile(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

/// What every store promises: in words, and the check.
type Promise = (&'static str, fn(&Place));

const PROMISES: [Promise; 11] = [
    ("loads nothing where nothing was saved", loads_nothing_where_nothing_was_saved),
    ("loads what was saved, also when opened anew", loads_what_was_saved),
    ("the record saved last is the record", the_record_saved_last_is_the_record),
    ("keeps profiles apart, whatever their names", keeps_profiles_apart),
    ("keeps records of every length up to the longest", keeps_records_of_every_length),
    ("refuses a record that is too long and keeps the old one", refuses_a_record_that_is_too_long),
    ("deletes, and says whether there was anything", deletes_and_says_whether_there_was_anything),
    ("shows a reader whole records while one is written", shows_a_reader_whole_records),
    ("says beforehand whether it can save, without touching the record", says_beforehand_whether_it_can_save),
    ("names itself, its place and its scope", names_itself),
    ("a store that keeps nothing says so", a_store_that_keeps_nothing_says_so),
];

fn contract(place: impl Fn() -> Place) {
    for (promise, check) in PROMISES {
        let place = place();
        let _told = ToldWhenBroken { place: place.name, promise };
        check(&place);
    }
}

struct ToldWhenBroken {
    place: &'static str,
    promise: &'static str,
}

impl Drop for ToldWhenBroken {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "broken by {}: {}", self.place, self.promise);
        }
    }
}

fn record(text: &str) -> Secret {
    Secret::new(format!("{{\"token\":{{\"access_token\":\"{text}\"}}}}"))
}

fn record_of(length: usize) -> Secret {
    let text: String = ('a'..='z').cycle().take(length.saturating_sub(8)).collect();
    Secret::new(if length == 2 { "{}".to_owned() } else { format!("{{\"a\":\"{text}\"}}") })
}

fn loads_nothing_where_nothing_was_saved(place: &Place) {
    assert_eq!((place.open)().load(&place.profile("nobody")).unwrap(), None);
}

fn loads_what_was_saved(place: &Place) {
    if !place.keeps {
        return;
    }
    let (store, profile) = ((place.open)(), place.profile("work"));
    let saved = record("zażółć\\n\\u0000 \u{1F511}");
    store.save(&profile, &saved).unwrap();
    assert_eq!(store.load(&profile).unwrap(), Some(saved.clone()));
    assert_eq!((place.open)().load(&profile).unwrap(), Some(saved));
    store.delete(&profile).unwrap();
}

fn the_record_saved_last_is_the_record(place: &Place) {
    if !place.keeps {
        return;
    }
    let profile = place.profile("work");
    // long and short take turns, so that what was cut is replaced by what isn't and the other way
    // round
    for length in [100, 7000, 8000, 50, 2561, 2560] {
        (place.open)().save(&profile, &record_of(length)).unwrap();
        assert_eq!((place.open)().load(&profile).unwrap(), Some(record_of(length)));
    }
    (place.open)().delete(&profile).unwrap();
}

fn keeps_profiles_apart(place: &Place) {
    if !place.keeps {
        return;
    }
    let long = "x".repeat(200);
    let names = [
        "work",
        "Work",
        "WORK",
        "work.sealed",
        "work-2",
        "work_2",
        "../work",
        "/work",
        "..",
        ".",
        "wörk",
        "wo\u{308}rk",
        "con",
        "a b",
        "key",
        "lock",
        "work:0",
        &long,
        "work's \"$(id)\"",
    ];
    let store = (place.open)();
    for name in names {
        store.save(&place.profile(name), &record(name)).unwrap();
    }
    let kept = store.profiles().unwrap();
    for name in names.map(|name| place.profile(name)) {
        assert_eq!(kept.iter().filter(|kept| **kept == name).count(), usize::from(place.lists), "{name}");
    }
    for name in names {
        assert_eq!(store.load(&place.profile(name)).unwrap(), Some(record(name)), "{name}");
    }
    assert!(store.delete(&place.profile("work")).unwrap());
    assert_eq!(store.load(&place.profile("work")).unwrap(), None);
    for name in &names[1..] {
        assert_eq!(store.load(&place.profile(name)).unwrap(), Some(record(name)), "{name}");
        assert!(store.delete(&place.profile(name)).unwrap(), "{name}");
    }
}

// T-53
fn keeps_records_of_every_length(place: &Place) {
    if !place.keeps {
        return;
    }
    let (store, profile) = ((place.open)(), place.profile("work"));
    for length in [2, 1000, 2559, 2560, 2561, 4097, 32 * 1024, 64 * 1024, 200 * 1024, LONGEST_RECORD] {
        store.save(&profile, &record_of(length)).unwrap_or_else(|e| panic!("{length}: {e}"));
        assert_eq!(store.load(&profile).unwrap(), Some(record_of(length)), "{length}");
    }
    // every cut falls into a character of four bytes
    let wide = record(&"\u{1F511}".repeat(3000));
    store.save(&profile, &wide).unwrap();
    assert_eq!(store.load(&profile).unwrap(), Some(wide));
    // a record that looks like what a store writes itself
    for odd in ["oauthctl-parts 1 00 1 00", "oauthctl-parts 1 ", "oauthctl", ""] {
        // an engine passes over what is no record
        if place.name == "vault" || odd.is_empty() && place.name.starts_with("keychain") {
            continue;
        }
        store.save(&profile, &Secret::new(odd)).unwrap();
        assert_eq!(store.load(&profile).unwrap(), Some(Secret::new(odd)), "{odd}");
    }
    store.delete(&profile).unwrap();
}

// T-53
fn refuses_a_record_that_is_too_long(place: &Place) {
    if !place.keeps {
        return;
    }
    let (store, profile) = ((place.open)(), place.profile("work"));
    store.save(&profile, &record("old")).unwrap();
    for length in [LONGEST_RECORD + 1, 2 << 20] {
        assert!(matches!(store.save(&profile, &record_of(length)), Err(StoreError::TooLong(_))));
    }
    assert_eq!(store.load(&profile).unwrap(), Some(record("old")));
    store.delete(&profile).unwrap();
}

fn deletes_and_says_whether_there_was_anything(place: &Place) {
    let (store, profile) = ((place.open)(), place.profile("work"));
    assert!(!store.delete(&profile).unwrap());
    if !place.keeps {
        return;
    }
    for length in [100, 9000] {
        store.save(&profile, &record_of(length)).unwrap();
        assert!(store.delete(&profile).unwrap());
        assert_eq!(store.load(&profile).unwrap(), None);
        assert!(!store.delete(&profile).unwrap());
    }
}

fn shows_a_reader_whole_records(place: &Place) {
    if !place.keeps {
        return;
    }
    let (open, profile) = (&place.open, place.profile("work"));
    let (seen, done) = (AtomicBool::new(false), AtomicBool::new(false));
    let records = [record_of(350), record_of(60_000), record_of(90)];
    open().save(&profile, &records[0]).unwrap();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let store = open();
            while !done.load(Ordering::Relaxed) {
                let loaded = store.load(&profile).unwrap().expect("there is always one");
                assert!(records.contains(&loaded), "half a record");
                seen.store(true, Ordering::Relaxed);
            }
        });
        let (store, mut round) = (open(), 0);
        // a busy system may not have let the reader read yet
        while round < 9 || !(seen.load(Ordering::Relaxed) || reader.is_finished()) {
            round += 1;
            store.save(&profile, &records[round % 3]).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    // a delete is final, for those too that were open before
    let other = open();
    assert!(other.load(&profile).unwrap().is_some() && open().delete(&profile).unwrap());
    assert_eq!(other.load(&profile).unwrap(), None);
}

fn says_beforehand_whether_it_can_save(place: &Place) {
    if !place.keeps {
        return;
    }
    let (store, profile) = ((place.open)(), place.profile("work"));
    store.writable(&profile).unwrap();
    assert_eq!(store.load(&profile).unwrap(), None);
    store.save(&profile, &record("old")).unwrap();
    store.writable(&profile).unwrap();
    assert_eq!(store.load(&profile).unwrap(), Some(record("old")));
    store.delete(&profile).unwrap();
}

fn names_itself(place: &Place) {
    let (one, other) = ((place.open)(), (place.open)());
    assert_eq!(one.kind(), other.kind());
    assert_eq!(one.scope(), other.scope());
    assert_eq!(one.place(), other.place());
    assert!(!one.place().is_empty());
    assert_eq!(place.keeps, one.kind().keeps());
}

fn a_store_that_keeps_nothing_says_so(place: &Place) {
    if place.keeps {
        return;
    }
    let (store, profile) = ((place.open)(), place.profile("work"));
    for refused in [store.save(&profile, &record("new")), store.writable(&profile)] {
        assert!(matches!(refused, Err(StoreError::ReadOnly(_))), "{refused:?}");
    }
    assert!(store.load(&profile).unwrap().is_none());
}

/// An environment of a test's own.
#[derive(Clone, Default)]
pub struct FakeEnv(pub BTreeMap<String, OsString>);

impl Env for FakeEnv {
    fn var_os(&self, name: &str) -> Option<OsString> {
        self.0.get(name).cloned()
    }

    fn names(&self) -> Cow<'_, [String]> {
        self.0.keys().cloned().collect()
    }
}

/// A keychain in memory that can be made to fail.
#[derive(Default)]
struct FakeKeychain {
    items: Mutex<BTreeMap<String, String>>,
    limit: Option<usize>,
    /// Changes that still succeed.
    changes_left: Mutex<Option<usize>>,
    /// Says that it saved, and does not.
    forgetful: AtomicBool,
    /// Every call ends with this.
    error: Mutex<Option<KeychainError>>,
}

impl FakeKeychain {
    fn with_limit(limit: usize) -> Arc<FakeKeychain> {
        Arc::new(FakeKeychain { limit: Some(limit), ..FakeKeychain::default() })
    }

    fn may(&self) -> Result<(), KeychainError> {
        self.error.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    fn may_change(&self) -> Result<(), KeychainError> {
        self.may()?;
        match &mut *self.changes_left.lock().unwrap() {
            Some(0) => Err(KeychainError::Failed("gone".to_owned())),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn names(&self) -> Vec<String> {
        self.items.lock().unwrap().keys().cloned().collect()
    }
}

impl Keychain for FakeKeychain {
    fn get(&self, account: &str) -> Result<Option<Secret>, KeychainError> {
        self.may()?;
        Ok(self.items.lock().unwrap().get(account).map(|v| Secret::new(v.as_str())))
    }

    fn set(&self, account: &str, value: &Secret) -> Result<(), KeychainError> {
        assert!(value.expose().len() <= self.limit.unwrap_or(usize::MAX), "longer than an item takes");
        self.may_change()?;
        if !self.forgetful.load(Ordering::Relaxed) {
            self.items.lock().unwrap().insert(account.to_owned(), value.expose().to_owned());
        }
        Ok(())
    }

    fn delete(&self, account: &str) -> Result<bool, KeychainError> {
        self.may_change()?;
        Ok(self.items.lock().unwrap().remove(account).is_some())
    }

    fn accounts(&self) -> Result<Vec<String>, KeychainError> {
        self.may()?;
        Ok(self.names())
    }

    fn item_limit(&self) -> Option<usize> {
        self.limit
    }

    fn ready(&self) -> Result<(), KeychainError> {
        self.may()
    }

    fn name(&self) -> String {
        "a keychain in memory".to_owned()
    }

    fn scope(&self) -> String {
        "memory".to_owned()
    }
}

fn on_keychain(keychain: Arc<dyn Keychain>) -> Box<dyn Store> {
    let nowhere = std::path::Path::new("/nonexistent");
    store::open(StoreKind::Keychain, &keychain, &FakeEnv::default(), nowhere, Openers::default())
}

fn on_folder(folder: &std::path::Path, passphrase: Option<&str>) -> Box<dyn Store> {
    let keychain: Arc<dyn Keychain> = Arc::new(FakeKeychain::default());
    store::open(
        StoreKind::File,
        &keychain,
        &FakeEnv::default(),
        folder,
        Openers { passphrase: passphrase.map(Secret::from), ..Openers::default() },
    )
}

fn keychain_place(name: &'static str, limit: Option<usize>) -> Place {
    let keychain = Arc::new(FakeKeychain { limit, ..FakeKeychain::default() });
    let open = Box::new(move || on_keychain(keychain.clone()));
    Place { name, open, prefix: String::new(), keeps: true, lists: true, _folder: None }
}

fn file_place(name: &'static str, passphrase: Option<&'static str>) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let open = Box::new(move || on_folder(&path, passphrase));
    Place { name, open, prefix: String::new(), keeps: true, lists: true, _folder: Some(folder) }
}

/// The key of age's own test vectors.
const AGE_KEY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

fn age_place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let open = Box::new(move || {
        let keychain: Arc<dyn Keychain> = Arc::new(FakeKeychain::default());
        let keys = || Ok(Some(AgeKeys { identities: Identity::read(AGE_KEY).ok().unwrap(), others: Vec::new() }));
        let openers = Openers { age: Some(std::rc::Rc::new(keys)), ..Openers::default() };
        store::open(StoreKind::File, &keychain, &FakeEnv::default(), &path, openers)
    });
    Place { name: "file, key of age", open, prefix: String::new(), keeps: true, lists: true, _folder: Some(folder) }
}

fn keepless_place(name: &'static str, kind: StoreKind) -> Place {
    let open = Box::new(move || {
        let keychain: Arc<dyn Keychain> = Arc::new(FakeKeychain::default());
        store::open(kind, &keychain, &FakeEnv::default(), std::path::Path::new("/nonexistent"), Openers::default())
    });
    Place { name, open, prefix: String::new(), keeps: false, lists: false, _folder: None }
}

#[test]
fn a_keychain_keeps_the_promises() {
    contract(|| keychain_place("keychain", None));
}

#[test]
fn a_keychain_with_short_items_keeps_the_promises() {
    contract(|| keychain_place("keychain, 2,560 bytes an item", Some(2560)));
}

#[test]
fn files_under_a_key_file_keep_the_promises() {
    contract(|| file_place("file, key file", None));
}

#[test]
fn files_under_a_passphrase_keep_the_promises() {
    contract(|| file_place("file, passphrase", Some("correct horse")));
}

#[test]
fn files_under_a_key_of_age_keep_the_promises() {
    contract(age_place);
}

#[test]
fn the_environment_keeps_the_promises() {
    contract(|| keepless_place("environment", StoreKind::Environment));
}

#[test]
fn none_keeps_the_promises() {
    contract(|| keepless_place("none", StoreKind::None));
}

/// On the keychain that is there, when told so: `tests/real/with-keyring.sh` starts one.
#[test]
fn the_real_keychain_keeps_the_promises() {
    let Some(keychain) = crate::keychain_real::keychain_when("real") else { return };
    let round = Cell::new(0);
    contract(|| {
        round.set(round.get() + 1);
        let keychain = keychain.clone();
        Place {
            name: "keychain, the real one",
            open: Box::new(move || on_keychain(keychain.clone())),
            prefix: format!("test-{}-{}-", std::process::id(), round.get()),
            keeps: true,
            lists: true,
            _folder: None,
        }
    });
}

/// In the program that is named: `tests/real/with-pass.sh` makes a place for it.
#[test]
fn a_program_keeps_the_promises() {
    let Some(name) = crate::keychain_real::environment().var("OAUTHCTL_TEST_STORE") else { return };
    let kind = StoreKind::from_name(&name).unwrap();
    let StoreKind::Program(program) = kind else { panic!("{name}") };
    let round = Cell::new(0);
    contract(|| {
        round.set(round.get() + 1);
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().to_owned();
        Place {
            name: "keychain, a program in its place",
            open: Box::new(move || {
                store::open(kind, &oauthctl::world::stored_by(program), &FakeEnv::default(), &state, Openers::default())
            }),
            prefix: format!("test-{}-", round.get()),
            keeps: true,
            lists: matches!(program.protocol, Protocol::Docker(_)),
            _folder: Some(folder),
        }
    });
}

/// In the engine whose address and token are given: `tests/real/vault.py` starts one.
#[test]
fn an_engine_keeps_the_promises() {
    let given = crate::keychain_real::environment();
    let Some(address) = given.var("OAUTHCTL_TEST_VAULT") else { return };
    let token = given.var("VAULT_TOKEN").unwrap();
    let env = FakeEnv(BTreeMap::from([("VAULT_TOKEN".to_owned(), token.into())]));
    let world = oauthctl::world::real();
    let round = Cell::new(0);
    contract(|| {
        round.set(round.get() + 1);
        let (env, http, clock) = (env.clone(), world.http.clone(), world.clock.clone());
        let place =
            Table { vault: Some(address.clone()), path: Some(format!("test/{}", round.get())), ..Table::default() };
        let place = place.checked().unwrap();
        Place {
            name: "vault",
            open: Box::new(move || {
                let (http, clock) = (http.clone(), clock.clone());
                let doors =
                    vault::Doors { env: &env, http, clock, ask: &|_| panic!(), by: "a test".into(), step: None };
                Box::new(vault::open(place, doors).unwrap())
            }),
            prefix: String::new(),
            keeps: true,
            lists: true,
            _folder: None,
        }
    });
}

#[test]
fn a_token_from_outside_is_a_record_without_a_lifetime() {
    let env = FakeEnv(BTreeMap::from([
        ("OAUTHCTL_WORK_2_TOKEN".to_owned(), "from-outside".into()),
        ("OAUTHCTL_EMPTY_TOKEN".to_owned(), "".into()),
    ]));
    let keychain: Arc<dyn Keychain> = Arc::new(FakeKeychain::default());
    let store =
        store::open(StoreKind::Environment, &keychain, &env, std::path::Path::new("/nonexistent"), Openers::default());
    let record = store.load("work-2").unwrap().unwrap();
    let set = serde_json::from_str::<BTreeMap<String, TokenSet>>(record.expose()).unwrap().remove("token").unwrap();
    assert_eq!(set.access_token.expose(), "from-outside");
    assert_eq!((set.received_at, set.expires_at, set.refresh_token), (0, None, None));
    assert!(store.load("empty").unwrap().is_none());
    assert!(matches!(store.delete("work-2"), Err(StoreError::ReadOnly("environment"))));
}

/// T-65 on a keychain: cut short after every change it makes, a save leaves the old record or the
/// new one, the next save works, and a delete leaves nothing behind.
#[test]
fn a_save_cut_short_leaves_the_old_record_or_the_new_one() {
    let (short, long, longer) = (record_of(30), record_of(250), record_of(330));
    for old in [None, Some(&short), Some(&long)] {
        for new in [&short, &longer] {
            let mut finished = false;
            for changes in 0..100 {
                let keychain = FakeKeychain::with_limit(100);
                if let Some(old) = old {
                    on_keychain(keychain.clone()).save("work", old).unwrap();
                }
                *keychain.changes_left.lock().unwrap() = Some(changes);
                let saved = on_keychain(keychain.clone()).save("work", new);
                let spare = keychain.changes_left.lock().unwrap().take();
                let loaded = on_keychain(keychain.clone()).load("work").unwrap();
                match saved {
                    Ok(()) => assert_eq!(loaded.as_ref(), Some(new)),
                    Err(_) => assert!(loaded.as_ref() == old || loaded.as_ref() == Some(new), "after {changes}"),
                }
                on_keychain(keychain.clone()).save("work", &long).unwrap();
                assert_eq!(on_keychain(keychain.clone()).load("work").unwrap(), Some(long.clone()));
                on_keychain(keychain.clone()).delete("work").unwrap();
                assert_eq!(keychain.names(), Vec::<String>::new(), "after {changes}");
                if spare.is_some_and(|spare| spare > 0) {
                    finished = true;
                    break;
                }
            }
            assert!(finished);
        }
    }
}

#[test]
fn a_delete_cut_short_leaves_no_half_record() {
    for changes in 0..12 {
        let keychain = FakeKeychain::with_limit(100);
        on_keychain(keychain.clone()).save("work", &record_of(350)).unwrap();
        *keychain.changes_left.lock().unwrap() = Some(changes);
        let _ = on_keychain(keychain.clone()).delete("work");
        *keychain.changes_left.lock().unwrap() = None;
        let loaded = on_keychain(keychain.clone()).load("work").unwrap();
        assert!(loaded.is_none() || loaded == Some(record_of(350)));
        on_keychain(keychain.clone()).delete("work").unwrap();
        assert_eq!(keychain.names(), Vec::<String>::new());
    }
}

#[test]
fn a_missing_or_wrong_part_is_never_half_a_record() {
    let keychain = FakeKeychain::with_limit(100);
    on_keychain(keychain.clone()).save("work", &record_of(350)).unwrap();
    let whole = keychain.items.lock().unwrap().clone();
    let header = whole["work"].clone();
    let parts: Vec<String> = whole.keys().filter(|name| name.contains('.')).cloned().collect();
    assert_eq!(parts.len(), 4);
    let expect_corrupt = |what: &str| {
        let loaded = on_keychain(keychain.clone()).load("work");
        assert!(matches!(loaded, Err(StoreError::Corrupt { .. })), "{what}: {loaded:?}");
    };
    for part in &parts {
        keychain.items.lock().unwrap().remove(part);
        expect_corrupt("missing");
        keychain.items.lock().unwrap().insert(part.clone(), "another's".to_owned());
        expect_corrupt("wrong");
        *keychain.items.lock().unwrap() = whole.clone();
    }
    for (from, to) in
        [(" 4 ", " 3 "), (" 4 ", " 5 "), (" 4 ", " 99999999999 "), (" 4 ", " -1 "), (" 4 ", " "), (" 1 ", " 1 ../")]
    {
        keychain.items.lock().unwrap().insert("work".to_owned(), header.replacen(from, to, 1));
        expect_corrupt(to);
    }
    // and can be logged into anew
    on_keychain(keychain.clone()).save("work", &record("new")).unwrap();
    assert_eq!(on_keychain(keychain).load("work").unwrap(), Some(record("new")));
}

#[test]
fn a_reader_beside_a_writer_sees_whole_records() {
    let keychain = FakeKeychain::with_limit(100);
    let records = [record_of(350), record_of(90), record_of(777)];
    on_keychain(keychain.clone()).save("work", &records[0]).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let store = on_keychain(keychain.clone());
                    let mut seen = 0;
                    while !done.load(Ordering::Relaxed) {
                        let loaded = store.load("work").unwrap().unwrap();
                        assert!(records.contains(&loaded));
                        seen += 1;
                    }
                    seen
                })
            })
            .collect();
        let store = on_keychain(keychain.clone());
        for round in 0..600 {
            store.save("work", &records[round % 3]).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
}

// T-66
#[test]
fn a_keychain_that_only_says_that_it_saved_is_found_out() {
    for limit in [None, Some(100)] {
        let keychain = Arc::new(FakeKeychain { limit, ..FakeKeychain::default() });
        on_keychain(keychain.clone()).save("work", &record_of(350)).unwrap();
        keychain.forgetful.store(true, Ordering::Relaxed);
        let saved = on_keychain(keychain.clone()).save("work", &record_of(360));
        assert!(matches!(saved, Err(StoreError::NotKept(_))), "{saved:?}");
        assert_eq!(on_keychain(keychain).load("work").unwrap(), Some(record_of(350)));
    }
}

// T-64
#[test]
fn a_keychain_that_fails_says_how() {
    type IsTold = fn(&StoreError) -> bool;
    let failures: [(KeychainError, IsTold); 5] = [
        (KeychainError::Locked, |e| matches!(e, StoreError::Locked(_))),
        (KeychainError::Absent("no session bus".to_owned()), |e| matches!(e, StoreError::Absent { .. })),
        (KeychainError::Denied("no".to_owned()), |e| matches!(e, StoreError::Denied(_))),
        (KeychainError::TimedOut(3), |e| matches!(e, StoreError::TimedOut(_, 3))),
        (KeychainError::Failed("odd".to_owned()), |e| matches!(e, StoreError::Failed(_, _))),
    ];
    for (failure, is_told) in failures {
        let keychain = Arc::new(FakeKeychain::default());
        *keychain.error.lock().unwrap() = Some(failure);
        let store = on_keychain(keychain);
        for error in [
            store.load("work").map(drop),
            store.save("work", &record("new")),
            store.delete("work").map(drop),
            store.writable("work"),
        ] {
            assert!(is_told(&error.unwrap_err()));
        }
    }
}

// C-18, H-11
#[cfg(unix)]
#[test]
#[expect(clippy::disallowed_methods, reason = "this very program once more: a umask is the whole process's")]
fn folders_are_0700_and_files_0600_under_any_umask() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use oauthctl::world::files;

    const PLACE: &str = "TEST_PLACE_OF_FILES";
    let files = |root: &Path| {
        let folder = root.join("a").join("b");
        (folder.join("record"), folder.join("lock"), folder)
    };
    if let Some(place) = std::env::var_os(PLACE) {
        let (file, lock, folder) = files(Path::new(&place));
        files::make_folder(&folder).unwrap();
        let _lock = files::lock(&lock).unwrap();
        files::replace(&file, b"one").unwrap();
        files::replace(&file, b"two").unwrap();
        assert_eq!(files::read(&file, 10).unwrap().unwrap().as_slice(), b"two");
        return;
    }
    let mode = |path: &Path| std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777;
    for umask in [0o000, 0o022, 0o077, 0o177, 0o777] {
        let root = tempfile::tempdir().unwrap();
        let output = std::process::Command::new("/bin/sh")
            .args(["-c", &format!("umask {umask:o}; exec \"$0\" \"$@\"")])
            .arg(crate::world::itself())
            .args(["--exact", "store_contract::folders_are_0700_and_files_0600_under_any_umask"])
            .env(PLACE, root.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "umask {umask:o}: {output:?}");
        let (file, lock, folder) = files(root.path());
        for made in [&root.path().join("a"), &folder] {
            assert_eq!(mode(made), 0o700, "{umask:o}");
        }
        assert_eq!((mode(&file), mode(&lock)), (0o600, 0o600), "{umask:o}");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_kernels_copy_expires_by_itself() {
    use std::time::Duration;

    let copy = oauthctl::world::kernel_keyring::system();
    if !copy.works() {
        // a container that forbids it
        return;
    }
    let name = format!("test-{}", std::process::id());
    assert_eq!(copy.read(&name), None);
    assert!(copy.write(&name, b"first", Duration::from_secs(60)));
    assert!(copy.write(&name, b"second", Duration::from_secs(60)));
    assert_eq!(copy.read(&name).unwrap().as_slice(), b"second");
    assert!(copy.write(&name, b"for a moment", Duration::from_secs(1)));
    let start = std::time::Instant::now();
    while copy.read(&name).is_some() {
        assert!(start.elapsed() < Duration::from_secs(30), "it stays");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(!copy.write(&name, b"at once", Duration::ZERO), "no lifetime must not mean for ever");
    assert!(!copy.write(&name, &[b'x'; 40_000], Duration::from_secs(60)));
    assert!(copy.write(&name, b"third", Duration::from_secs(60)));
    copy.forget(&name);
    assert_eq!(copy.read(&name), None);
    assert!(!copy.write("a\0b", b"x", Duration::from_secs(60)));
}

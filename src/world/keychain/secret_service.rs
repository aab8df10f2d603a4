//! The Secret Service (GNOME Keyring, KWallet, KeePassXC) over a "plain" session: the values cross
//! the user's own session bus unencrypted. A process that can listen there runs as the same user,
//! and could read the item itself.
//!
//! Nothing here unlocks: a locked collection is an error at once. A prompt for an unlocked
//! collection is run, since KeePassXC writes and deletes in prompts, most of which show nothing. A
//! prompt that does wait for the user is dismissed at the deadline.
//!
//! GNOME Keyring (seen from 42 to 50) aborts when a client's first request needs the daemon's
//! record of that client and overtakes its creation in the daemon's main loop. So the first request
//! is the list of collections: the same loop runs it, it needs no record, and later requests find
//! one. (`Ping` won't do, as another thread answers it; nor a collection's property, which needs
//! the record.) Paths below `aliases` are avoided too: the daemon reads them in two threads without
//! a lock.

use std::any::Any;
use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::Instant;

use keyring_core::api::{CredentialApi, CredentialStoreApi};
use keyring_core::{Credential, Entry, Error};

use super::super::{Env, KeychainError};
use super::dbus::{self, Address, Bus, Call, Failure};
use super::values::Body;
use super::{DEADLINE, SERVICE};
use crate::text;

const BUS_NAME: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";
const SERVICE_INTERFACE: &str = "org.freedesktop.Secret.Service";
const COLLECTION_INTERFACE: &str = "org.freedesktop.Secret.Collection";
const ITEM_INTERFACE: &str = "org.freedesktop.Secret.Item";
const PROMPT_INTERFACE: &str = "org.freedesktop.Secret.Prompt";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// The attribute of all our items.
const SERVICE_ATTRIBUTE: (&str, &str) = ("service", SERVICE);
/// The attribute of one account's item.
const ACCOUNT_ATTRIBUTE: &str = "username";

/// The Secret Service, as a credential store of the keyring project's API.
#[derive(Clone, Debug)]
pub struct SecretService {
    address: Option<OsString>,
    runtime_dir: Option<OsString>,
}

impl SecretService {
    pub fn new(env: &dyn Env) -> SecretService {
        let set = |name| env.var_os(name).filter(|v| !v.is_empty());
        SecretService { address: set("DBUS_SESSION_BUS_ADDRESS"), runtime_dir: set("XDG_RUNTIME_DIR") }
    }

    fn addresses(&self) -> Vec<Address> {
        let runtime_dir = self.runtime_dir.as_ref().map(|d| d.as_bytes());
        match &self.address {
            Some(list) => dbus::addresses(list.as_bytes(), runtime_dir),
            None => dbus::addresses(b"unix:runtime=yes", runtime_dir),
        }
    }

    fn open(&self) -> Result<Session, KeychainError> {
        let addresses = self.addresses();
        if addresses.is_empty() {
            let none = "there is no session bus (`DBUS_SESSION_BUS_ADDRESS` and `XDG_RUNTIME_DIR` are not set)";
            return Err(KeychainError::Absent(self.address.as_ref().map_or(none.to_owned(), |list| {
                let list = text::safe(&list.to_string_lossy());
                format!("`DBUS_SESSION_BUS_ADDRESS` names no bus that can be used: `{list}`")
            })));
        }
        Ok(Session::open(&addresses)?)
    }

    fn open_and_search(&self, account: &str) -> Result<(Session, Found), KeychainError> {
        let mut session = self.open()?;
        // independent calls share a round trip
        let opened = session.send_open();
        let found = session.send_search(&attributes(account));
        session.read_open(opened)?;
        let found = session.read_search(found)?;
        Ok((session, found))
    }

    fn get(&self, account: &str) -> Result<Option<String>, KeychainError> {
        let (mut session, found) = self.open_and_search(account)?;
        let Some(item) = session.newest(&found.unlocked)? else {
            return if found.locked { Err(KeychainError::Locked) } else { session.nothing_there().map(|()| None) };
        };
        match session.secret(&item) {
            Ok(value) => Ok(Some(value)),
            // deleted since the search
            Err(Failure::Refused(name, _)) if is_gone(&name) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    fn set(&self, account: &str, value: &[u8]) -> Result<(), KeychainError> {
        let (mut session, found) = self.open_and_search(account)?;
        let items = found.readable()?;
        let Some(item) = session.newest(&items)? else {
            let collection = session.default_collection()?;
            return session.create(&collection, account, value);
        };
        session.replace(&item, value)?;
        // one item per profile: the system's tools could find another item of the same name instead
        for other in items.iter().filter(|other| **other != item) {
            session.delete(other)?;
        }
        Ok(())
    }

    fn delete(&self, account: &str) -> Result<bool, KeychainError> {
        let mut session = self.open()?;
        let found = session.send_search(&attributes(account));
        let items = session.read_search(found)?.readable()?;
        if items.is_empty() {
            return session.nothing_there().map(|()| false);
        }
        for item in &items {
            session.delete(item)?;
        }
        Ok(true)
    }

    fn accounts(&self) -> Result<Vec<String>, KeychainError> {
        let mut session = self.open()?;
        let found = session.send_search(&[SERVICE_ATTRIBUTE]);
        let items = session.read_search(found)?.readable()?;
        if items.is_empty() {
            return session.nothing_there().map(|()| Vec::new());
        }
        let mut accounts = Vec::new();
        // in batches: no call waits for another, and the replies stay within the bus's limit
        for items in items.chunks(64) {
            let asked: Vec<u32> =
                items.iter().map(|item| session.send_property(item, ITEM_INTERFACE, "Attributes")).collect();
            for serial in asked {
                match session.read_account(serial) {
                    Ok(account) => accounts.extend(account),
                    // deleted since the search
                    Err(Failure::Refused(name, _)) if is_gone(&name) => {}
                    Err(failure) => return Err(failure.into()),
                }
            }
        }
        Ok(accounts)
    }

    /// Whether the collection can be read and written.
    pub fn ready(&self) -> Result<(), KeychainError> {
        self.open()?.default_collection().map(drop)
    }

    /// The address of its bus.
    pub fn scope(&self) -> String {
        let Some(address) = self.addresses().into_iter().next() else { return String::new() };
        let text = address.to_string();
        // one socket has one name, whatever links lead to it
        match text.strip_prefix("unix:path=").map(std::fs::canonicalize) {
            Some(Ok(path)) => format!("unix:path={}", path.display()),
            _ => text,
        }
    }
}

impl CredentialStoreApi for SecretService {
    fn vendor(&self) -> String {
        env!("CARGO_PKG_NAME").to_owned()
    }

    fn id(&self) -> String {
        self.scope()
    }

    fn build(&self, service: &str, user: &str, modifiers: Option<&HashMap<&str, &str>>) -> Result<Entry, Error> {
        if service != SERVICE || modifiers.is_some() {
            return Err(Error::Invalid("service".to_owned(), format!("only `{SERVICE}`, without modifiers")));
        }
        let item = Item { service: self.clone(), account: user.to_owned() };
        Ok(Entry::new_with_credential(Arc::new(item)))
    }

    fn search(&self, spec: &HashMap<&str, &str>) -> Result<Vec<Entry>, Error> {
        let service = spec.get("service").copied().unwrap_or_default();
        self.accounts().map_err(wrapped)?.iter().map(|account| self.build(service, account, None)).collect()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[derive(Debug)]
struct Item {
    service: SecretService,
    account: String,
}

impl CredentialApi for Item {
    fn set_secret(&self, value: &[u8]) -> Result<(), Error> {
        self.service.set(&self.account, value).map_err(wrapped)
    }

    fn get_secret(&self) -> Result<Vec<u8>, Error> {
        self.service.get(&self.account).map_err(wrapped)?.map(String::into_bytes).ok_or(Error::NoEntry)
    }

    fn delete_credential(&self) -> Result<(), Error> {
        if self.service.delete(&self.account).map_err(wrapped)? { Ok(()) } else { Err(Error::NoEntry) }
    }

    fn get_credential(&self) -> Result<Option<Arc<Credential>>, Error> {
        Ok(None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        Some((SERVICE.to_owned(), self.account.clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Wraps our error in the API's; `native` unwraps it.
fn wrapped(error: KeychainError) -> Error {
    Error::PlatformFailure(Box::new(error))
}

impl From<Failure> for KeychainError {
    fn from(failure: Failure) -> KeychainError {
        match failure {
            Failure::NoBus(address, why) => {
                KeychainError::Absent(format!("no session bus answers at `{}` ({why})", text::safe(&address)))
            }
            Failure::Foreign(address, user) => KeychainError::Foreign(format!(
                "the session bus at `{}` is another user's (user {user})",
                text::safe(&address)
            )),
            Failure::TimedOut => KeychainError::TimedOut(DEADLINE.as_secs()),
            Failure::Broken(why) => KeychainError::Failed(text::safe(&why)),
            Failure::Refused(name, said) => {
                let short = name.strip_prefix("org.freedesktop.DBus.Error.").unwrap_or(&name);
                match short {
                    "ServiceUnknown" | "NameHasNoOwner" => KeychainError::Absent(
                        "nothing on the session bus offers a Secret Service (GNOME Keyring, KWallet, KeePassXC)"
                            .to_owned(),
                    ),
                    _ if short.starts_with("Spawn.") => {
                        KeychainError::Absent(format!("the Secret Service could not be started: {}", text::safe(&said)))
                    }
                    "org.freedesktop.Secret.Error.IsLocked" => KeychainError::Locked,
                    "AccessDenied" | "AuthFailed" => KeychainError::Denied(text::safe(&said)),
                    "Timeout" | "TimedOut" => KeychainError::TimedOut(DEADLINE.as_secs()),
                    _ => KeychainError::Failed(format!("{} ({})", text::safe(&said), text::safe(short))),
                }
            }
        }
    }
}

fn is_gone(error: &str) -> bool {
    matches!(error, "org.freedesktop.Secret.Error.NoSuchObject" | "org.freedesktop.DBus.Error.UnknownObject")
}

/// One connection, used for one keychain call.
struct Session {
    bus: Bus,
    /// The session's path, once it is open.
    path: String,
}

struct Found {
    unlocked: Vec<String>,
    /// Whether there are items that can't be read now.
    locked: bool,
}

impl Found {
    /// All items, unless one is locked.
    fn readable(self) -> Result<Vec<String>, KeychainError> {
        if self.locked { Err(KeychainError::Locked) } else { Ok(self.unlocked) }
    }
}

impl Session {
    fn open(addresses: &[Address]) -> Result<Session, Failure> {
        let bus = Bus::connect(addresses, Instant::now() + DEADLINE)?;
        let mut session = Session { bus, path: String::new() };
        // waited for before any other request: see the module's head
        session.property(ROOT, SERVICE_INTERFACE, "Collections")?;
        Ok(session)
    }

    fn send(&mut self, path: &str, interface: &str, member: &str, signature: &str, body: Body) -> u32 {
        self.bus.send(&Call { destination: BUS_NAME, path, interface, member, signature, body })
    }

    fn call(
        &mut self,
        path: &str,
        interface: &str,
        member: &str,
        signature: &str,
        body: Body,
    ) -> Result<dbus::Answer, Failure> {
        let serial = self.send(path, interface, member, signature, body);
        self.bus.wait(serial)
    }

    fn send_property(&mut self, path: &str, interface: &str, name: &str) -> u32 {
        let mut body = Body::new();
        body.string(interface);
        body.string(name);
        self.send(path, PROPERTIES, "Get", "ss", body)
    }

    fn property(&mut self, path: &str, interface: &str, name: &str) -> Result<dbus::Answer, Failure> {
        let serial = self.send_property(path, interface, name);
        self.bus.wait(serial)
    }

    fn send_open(&mut self) -> u32 {
        let mut body = Body::new();
        body.string("plain");
        body.signature("s");
        body.string("");
        self.send(ROOT, SERVICE_INTERFACE, "OpenSession", "sv", body)
    }

    fn read_open(&mut self, serial: u32) -> Result<(), Failure> {
        let answer = self.bus.wait(serial)?;
        let mut values = answer.read("vo")?;
        // an empty value; KWallet sends it as bytes
        match values.signature().as_deref() {
            Some("s") => values.string().map(drop),
            Some("ay") => values.byte_array().map(drop),
            _ => None,
        }
        .ok_or_else(dbus::odd)?;
        self.path = values.string().ok_or_else(dbus::odd)?;
        Ok(())
    }

    fn send_search(&mut self, attributes: &[(&str, &str)]) -> u32 {
        let mut body = Body::new();
        body.string_map(attributes);
        self.send(ROOT, SERVICE_INTERFACE, "SearchItems", "a{ss}", body)
    }

    fn read_search(&mut self, serial: u32) -> Result<Found, Failure> {
        let answer = self.bus.wait(serial)?;
        let mut values = answer.read("aoao")?;
        let unlocked = values.paths().ok_or_else(dbus::odd)?;
        let locked = !values.paths().ok_or_else(dbus::odd)?.is_empty();
        Ok(Found { unlocked, locked })
    }

    /// The item that was changed last, if several share a name.
    fn newest(&mut self, items: &[String]) -> Result<Option<String>, Failure> {
        let [first, _, ..] = items else { return Ok(items.first().cloned()) };
        let mut newest = (0, first);
        for item in items {
            let modified = self.modified(item)?;
            if modified > newest.0 {
                newest = (modified, item);
            }
        }
        Ok(Some(newest.1.clone()))
    }

    fn modified(&mut self, item: &str) -> Result<u64, Failure> {
        let answer = self.property(item, ITEM_INTERFACE, "Modified")?;
        answer.variant("t")?.u64().ok_or_else(dbus::odd)
    }

    fn read_account(&mut self, serial: u32) -> Result<Option<String>, Failure> {
        let pairs = self.bus.wait(serial)?.variant("a{ss}")?.string_map().ok_or_else(dbus::odd)?;
        Ok(pairs.into_iter().find_map(|(name, value)| (name == ACCOUNT_ATTRIBUTE).then_some(value)))
    }

    fn secret(&mut self, item: &str) -> Result<String, Failure> {
        let mut body = Body::new();
        body.string(&self.path);
        let answer = self.call(item, ITEM_INTERFACE, "GetSecret", "o", body)?;
        let mut values = answer.read("(oayays)")?;
        values.string().ok_or_else(dbus::odd)?;
        values.byte_array().ok_or_else(dbus::odd)?;
        let value = values.byte_array().ok_or_else(dbus::odd)?;
        let text = std::str::from_utf8(value).map(str::to_owned);
        text.map_err(|_| Failure::Broken("the item's value is not text".to_owned()))
    }

    fn replace(&mut self, item: &str, value: &[u8]) -> Result<(), Failure> {
        let mut body = Body::new();
        self.put_secret(&mut body, value);
        self.call(item, ITEM_INTERFACE, "SetSecret", "(oayays)", body).map(drop)
    }

    fn create(&mut self, collection: &str, account: &str, value: &[u8]) -> Result<(), KeychainError> {
        let mut body = Body::new();
        let properties = body.open_array(8);
        body.align(8);
        body.string("org.freedesktop.Secret.Item.Label");
        body.signature("s");
        body.string(&format!("{SERVICE}: {account}"));
        body.align(8);
        body.string("org.freedesktop.Secret.Item.Attributes");
        body.signature("a{ss}");
        body.string_map(&attributes(account));
        body.close_array(properties, 8);
        self.put_secret(&mut body, value);
        body.boolean(true);
        let answer = self.call(collection, COLLECTION_INTERFACE, "CreateItem", "a{sv}(oayays)b", body)?;
        let mut values = answer.read("oo")?;
        values.string().ok_or_else(dbus::odd)?;
        let prompt = values.string().ok_or_else(dbus::odd)?;
        self.finish(&prompt, collection, COLLECTION_INTERFACE)
    }

    fn put_secret(&self, body: &mut Body, value: &[u8]) {
        body.align(8);
        body.string(&self.path);
        body.byte_array(b"");
        body.byte_array(value);
        // exactly this, or `secret-tool` takes it for no text
        body.string("text/plain");
    }

    fn delete(&mut self, item: &str) -> Result<(), KeychainError> {
        let answer = match self.call(item, ITEM_INTERFACE, "Delete", "", Body::new()) {
            Ok(answer) => answer,
            Err(Failure::Refused(name, _)) if is_gone(&name) => return Ok(()),
            Err(failure) => return Err(failure.into()),
        };
        let prompt = answer.read("o")?.string().ok_or_else(dbus::odd)?;
        self.finish(&prompt, item, ITEM_INTERFACE)
    }

    /// Finishes a call that returned a prompt. `owner`: the collection or item of the call.
    fn finish(&mut self, prompt: &str, owner: &str, interface: &str) -> Result<(), KeychainError> {
        if prompt == "/" {
            return Ok(());
        }
        // locked since the check, so this prompt would ask for a password
        if self.is_locked(owner, interface)? {
            self.dismiss(prompt);
            return Err(KeychainError::Locked);
        }
        match self.run_prompt(prompt) {
            Ok(false) => Ok(()),
            Ok(true) => Err(KeychainError::Denied("the question was dismissed".to_owned())),
            Err(failure) => {
                self.dismiss(prompt);
                Err(failure.into())
            }
        }
    }

    fn run_prompt(&mut self, prompt: &str) -> Result<bool, Failure> {
        self.bus.listen(prompt)?;
        let mut body = Body::new();
        body.string("");
        self.call(prompt, PROMPT_INTERFACE, "Prompt", "s", body)?;
        let done = self.bus.wait_for_signal(prompt, "Completed")?;
        done.read("bv")?.boolean().ok_or_else(dbus::odd)
    }

    /// Best effort: closes the service's window, if any. The time may be over, so doesn't wait.
    fn dismiss(&mut self, prompt: &str) {
        self.send(prompt, PROMPT_INTERFACE, "Dismiss", "", Body::new());
        self.bus.send_off();
    }

    /// The collection for new items, if it exists and is unlocked.
    fn default_collection(&mut self) -> Result<String, KeychainError> {
        match self.default_state()? {
            None => Err(KeychainError::Absent("the Secret Service has no default collection yet".to_owned())),
            Some((_, true)) => Err(KeychainError::Locked),
            Some((path, false)) => Ok(path),
        }
    }

    /// Checks that an empty search result is reliable: KeePassXC and KWallet hide locked items.
    fn nothing_there(&mut self) -> Result<(), KeychainError> {
        match self.default_state()? {
            Some((_, true)) => Err(KeychainError::Locked),
            _ => Ok(()),
        }
    }

    /// The default collection and whether it is locked; `None` if there is none.
    fn default_state(&mut self) -> Result<Option<(String, bool)>, Failure> {
        let mut body = Body::new();
        body.string("default");
        let answer = self.call(ROOT, SERVICE_INTERFACE, "ReadAlias", "s", body)?;
        let path = answer.read("o")?.string().ok_or_else(dbus::odd)?;
        if path == "/" {
            return Ok(None);
        }
        let locked = self.is_locked(&path, COLLECTION_INTERFACE)?;
        Ok(Some((path, locked)))
    }

    fn is_locked(&mut self, path: &str, interface: &str) -> Result<bool, Failure> {
        let answer = self.property(path, interface, "Locked")?;
        answer.variant("b")?.boolean().ok_or_else(dbus::odd)
    }
}

fn attributes(account: &str) -> [(&'static str, &str); 2] {
    [SERVICE_ATTRIBUTE, (ACCOUNT_ATTRIBUTE, account)]
}

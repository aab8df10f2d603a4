//! A copy of a fresh access token in the kernel's keyring: in memory only, readable only by this
//! user's processes, removed when the token expires. It makes `token` as fast as `cat`.
//!
//! It is stored in the user's *persistent* keyring, which exists even without a login session; if
//! the kernel has none, in the *user* keyring. Best effort: without kernel support, in a container
//! that forbids the calls, or over quota there is no copy. A plain user has 200 keys and 20,000
//! bytes for all programs: beyond a part of that the oldest copies are removed. The kernel tells no
//! key's age, so our key `order` lists the others. No other system has such a place: there the
//! store is read each time.
//!
//! The keys of an unlocked store lie there too. No copy pushes them out, and only who possesses the
//! keyring reads them.

#[cfg(target_os = "linux")]
pub use linux::KernelKeyring;

use std::rc::Rc;

use super::TokenCopy;

/// What the names of keys begin with that are no copies: the keys of an unlocked store.
pub const KEPT: &str = "kept:";

/// The kernel's keyring where there is one.
#[cfg(target_os = "linux")]
pub fn system() -> Rc<dyn TokenCopy> {
    Rc::new(KernelKeyring)
}

#[cfg(not(target_os = "linux"))]
pub fn system() -> Rc<dyn TokenCopy> {
    Rc::new(Nothing)
}

#[cfg(not(target_os = "linux"))]
struct Nothing;

#[cfg(not(target_os = "linux"))]
impl TokenCopy for Nothing {
    fn read(&self, _name: &str) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        None
    }
    fn write(&self, _name: &str, _value: &[u8], _forget_after: std::time::Duration) -> bool {
        false
    }
    fn forget(&self, _name: &str) {}
    fn works(&self) -> bool {
        false
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::{CStr, CString};
    use std::time::Duration;

    use libc::c_long;
    use zeroize::Zeroizing;

    use super::{KEPT, TokenCopy};

    /// The longest payload of a key of type `user`.
    const LONGEST: usize = 32_767;

    /// Fits nearly every token: a longer buffer costs more page faults than all other work here.
    const USUAL: usize = 4_000;

    /// Key permissions of `keyctl_setperm(3)`: all for the possessor; finding, reading and removing
    /// for other processes of the user; none for the group and others.
    const PERMISSIONS: c_long = 0x3f3f_0000;

    /// The same for the possessor alone.
    const POSSESSOR: c_long = 0x3f00_0000;

    const KEY_TYPE: &CStr = c"user";

    /// The most keys of ours, and the most bytes in them.
    pub(super) const MOST_KEYS: usize = 60;
    const MOST_BYTES: usize = 12_000;
    pub(super) const ORDER: &CStr = c"oauthctl:order";
    /// The longest list of keys that is read, in bytes.
    const MOST_LISTED: usize = 64 << 10;
    /// How long the list is kept, in seconds.
    const ORDER_KEPT: u32 = 3 * 86_400;

    /// How often, and how long after each other, a keyring is looked for over quota.
    const TRIES: u32 = 10;
    const FREE_AFTER: Duration = Duration::from_millis(10);

    /// The keyring of the Linux kernel.
    pub struct KernelKeyring;

    enum Arg<'a> {
        Number(c_long),
        Text(&'a CStr),
        /// Followed by its length.
        Bytes(&'a [u8]),
        /// Followed by its length, which the kernel does not write past.
        Room(&'a mut [u8]),
    }
    use Arg::{Bytes, Number, Room, Text};

    /// Makes a system call; `None` if the kernel refuses it.
    fn call<'a>(number: c_long, args: impl IntoIterator<Item = Arg<'a>>) -> Option<c_long> {
        let mut words = [0; 5];
        let mut filled = words.iter_mut();
        let mut put = |word: c_long| *filled.next().expect("no call here takes more") = word;
        for arg in args {
            match arg {
                Number(number) => put(number),
                Text(text) => put(text.as_ptr() as c_long),
                Bytes(bytes) => [bytes.as_ptr() as c_long, bytes.len() as c_long].into_iter().for_each(&mut put),
                Room(room) => [room.as_mut_ptr() as c_long, room.len() as c_long].into_iter().for_each(&mut put),
            }
        }
        let [a, b, c, d, e] = words;
        // SAFETY: every call in this module passes live texts and buffers as pointers
        let result = unsafe { libc::syscall(number, a, b, c, d, e) };
        (result >= 0).then_some(result)
    }

    fn keyctl<'a>(operation: u32, args: impl IntoIterator<Item = Arg<'a>>) -> Option<c_long> {
        call(libc::SYS_keyctl, std::iter::once(Number(c_long::from(operation))).chain(args))
    }

    fn keyctl_numbers<const N: usize>(operation: u32, numbers: [c_long; N]) -> Option<c_long> {
        keyctl(operation, numbers.map(Number))
    }

    /// The keyring of the copies: the persistent one, linked to this process to possess its keys;
    /// the user keyring in a kernel that has none. Over quota there is neither: a key that was put
    /// into the other one would be lost. The bytes of removed keys are free a moment later.
    fn keyring() -> Option<c_long> {
        // -1 is this user
        let own = c_long::from(libc::KEY_SPEC_PROCESS_KEYRING);
        for _ in 0..TRIES {
            let persistent = keyctl_numbers(libc::KEYCTL_GET_PERSISTENT, [-1, own]);
            if persistent.is_some() {
                return persistent;
            }
            if std::io::Error::last_os_error().raw_os_error() != Some(libc::EDQUOT) {
                // a job of cron or ssh may have no session keyring that leads there
                let users = c_long::from(libc::KEY_SPEC_USER_KEYRING);
                keyctl_numbers(libc::KEYCTL_LINK, [users, own]);
                return Some(users);
            }
            std::thread::sleep(FREE_AFTER);
        }
        None
    }

    /// The key's name; `None` if the kernel can't hold it.
    pub(super) fn description(name: &str) -> Option<CString> {
        CString::new(format!("oauthctl:{name}")).ok()
    }

    /// Whether it is a key that no copy pushes out.
    fn is_kept(description: &[u8]) -> bool {
        description.strip_prefix(b"oauthctl:").is_some_and(|name| name.starts_with(KEPT.as_bytes()))
    }

    pub(super) fn find(keyring: c_long, description: &CStr) -> Option<c_long> {
        keyctl(libc::KEYCTL_SEARCH, [Number(keyring), Text(KEY_TYPE), Text(description), Number(0)])
    }

    /// The key's value if it has at most `most` bytes.
    fn read_into(key: c_long, most: usize) -> Option<Zeroizing<Vec<u8>>> {
        let mut value = Zeroizing::new(vec![0u8; most]);
        // the kernel tells the value's length even if it doesn't fit
        let length = keyctl(libc::KEYCTL_READ, [Number(key), Room(&mut value)])?;
        let length = usize::try_from(length).ok().filter(|length| *length <= most)?;
        value.truncate(length);
        Some(value)
    }

    pub(super) fn remove(keyring: c_long, key: c_long) {
        // at once, for all processes; where that is refused, the slower way
        if keyctl_numbers(libc::KEYCTL_INVALIDATE, [key]).is_none() {
            keyctl_numbers(libc::KEYCTL_REVOKE, [key]);
            keyctl_numbers(libc::KEYCTL_UNLINK, [key, keyring]);
        }
    }

    pub(super) fn write_into(ring: c_long, description: &CStr, value: &[u8], seconds: u32) -> bool {
        // the old copy is outdated, even if the new one can't be written; a kept key is not
        if let Some(old) = find(ring, description).filter(|_| !is_kept(description.to_bytes())) {
            remove(ring, old);
        }
        // a timeout of 0 would mean "never"
        if value.is_empty() || value.len() > LONGEST || seconds == 0 {
            return false;
        }
        let mut order = make_room(ring, description, value.len());
        if is_kept(description.to_bytes()) {
            return add(ring, description, value, (seconds, POSSESSOR)).is_some();
        }
        let Some(key) = add(ring, description, value, (seconds, PERMISSIONS)) else { return false };
        order.push((key as i32, value.len() as u32));
        let text: Vec<u8> =
            order.iter().flat_map(|(key, size)| [key.to_ne_bytes(), size.to_ne_bytes()].concat()).collect();
        // replaces the list of the same name
        let _ = add(ring, ORDER, &text, (ORDER_KEPT, PERMISSIONS));
        true
    }

    /// Makes the key in this process's own keyring and moves it once its timeout is set: if
    /// interrupted, the key ends with the process. Replaces a key of that name.
    fn add(ring: c_long, description: &CStr, value: &[u8], (seconds, permissions): (u32, c_long)) -> Option<c_long> {
        let own = c_long::from(libc::KEY_SPEC_PROCESS_KEYRING);
        let key = call(libc::SYS_add_key, [Text(KEY_TYPE), Text(description), Bytes(value), Number(own)])?;
        let kept = keyctl_numbers(libc::KEYCTL_SET_TIMEOUT, [key, c_long::from(seconds)]).is_some()
            && keyctl_numbers(libc::KEYCTL_SETPERM, [key, permissions]).is_some()
            && keyctl_numbers(libc::KEYCTL_LINK, [key, ring]).is_some();
        // the next key of that name would overwrite it here, and lose its timeout
        keyctl_numbers(libc::KEYCTL_UNLINK, [key, own]);
        kept.then_some(key)
    }

    /// A key, and the bytes in it.
    type Entry = (i32, u32);

    /// The listed keys, the oldest first.
    fn order(ring: c_long) -> Vec<Entry> {
        let listed = find(ring, ORDER).and_then(|key| read_into(key, LONGEST)).unwrap_or_default();
        let number = |four: &[u8]| four.try_into().map(i32::from_ne_bytes).unwrap_or_default();
        listed.chunks_exact(8).map(|entry| (number(&entry[..4]), number(&entry[4..]) as u32)).collect()
    }

    /// Removes our oldest keys if one more would be too many, and returns the others. Keys missing
    /// from the list are older.
    fn make_room(ring: c_long, description: &CStr, length: usize) -> Vec<Entry> {
        let there: Vec<i32> = ours(ring);
        let order = order(ring);
        let unlisted = there.iter().filter(|key| order.iter().all(|(listed, _)| listed != *key)).map(|key| (*key, 0));
        let mut all: Vec<Entry> =
            unlisted.chain(order.iter().copied().filter(|(key, _)| there.contains(key))).collect();
        let each = description.to_bytes().len();
        let bytes = |all: &[Entry]| all.iter().map(|(_, size)| *size as usize + each).sum::<usize>() + length + each;
        let mut gone = 0;
        while gone < all.len() && (all.len() - gone >= MOST_KEYS || bytes(&all[gone..]) > MOST_BYTES) {
            remove(ring, c_long::from(all[gone].0));
            gone += 1;
        }
        all.split_off(gone)
    }

    /// Our copies, in the kernel's order.
    pub(super) fn ours(ring: c_long) -> Vec<i32> {
        let listed = read_into(ring, MOST_LISTED).unwrap_or_default();
        let serials = listed.chunks_exact(4).map(|four| four.try_into().map(i32::from_ne_bytes).unwrap_or_default());
        let is_ours = |key: &i32| {
            let mut text = [0u8; 256];
            let told = keyctl(libc::KEYCTL_DESCRIBE, [Number(c_long::from(*key)), Room(&mut text)]);
            // `user;UID;GID;PERMISSIONS;NAME`
            let text = told.and_then(|_| CStr::from_bytes_until_nul(&text).ok()).unwrap_or_default().to_bytes();
            let name = text.splitn(5, |byte| *byte == b';').nth(4).unwrap_or_default();
            name.starts_with(b"oauthctl:") && name != ORDER.to_bytes() && !is_kept(name)
        };
        serials.filter(is_ours).collect()
    }

    impl TokenCopy for KernelKeyring {
        /// Three system calls.
        fn read(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
            let key = find(keyring()?, &description(name)?)?;
            read_into(key, USUAL).or_else(|| read_into(key, LONGEST))
        }

        fn write(&self, name: &str, value: &[u8], forget_after: Duration) -> bool {
            let Some(description) = description(name) else { return false };
            let seconds = u32::try_from(forget_after.as_secs()).unwrap_or(u32::MAX);
            keyring().is_some_and(|ring| write_into(ring, &description, value, seconds))
        }

        fn forget(&self, name: &str) {
            let (Some(description), Some(ring)) = (description(name), keyring()) else { return };
            if let Some(key) = find(ring, &description) {
                remove(ring, key);
            }
        }

        fn works(&self) -> bool {
            let name = format!("probe:{}", std::process::id());
            let works = self.write(&name, b"probe", Duration::from_secs(5))
                && self.read(&name).is_some_and(|v| v.as_slice() == b"probe");
            self.forget(&name);
            works
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::time::Duration;

    use libc::c_long;

    use super::linux::{KernelKeyring, MOST_KEYS, ORDER, description, find, ours, remove, write_into};
    use crate::world::TokenCopy as _;

    /// The rest of this user's quota: `1000: 40 40/40 39/200 6340/20000` (keys(7)). `None`: not
    /// known.
    fn bytes_left() -> Option<u64> {
        let users = std::fs::read_to_string("/proc/key-users").ok()?;
        let own = format!("{}:", rustix::process::getuid().as_raw());
        let line = users.lines().find_map(|line| line.trim_start().strip_prefix(&own))?;
        let (used, most) = line.split_whitespace().last()?.split_once('/')?;
        most.parse::<u64>().ok()?.checked_sub(used.parse().ok()?)
    }

    /// Makes the calling thread alone one of a user without other keys; false without the right to.
    fn become_somebody_else() -> bool {
        const SOMEBODY: c_long = 65_171;
        // SAFETY: the bare call takes three numbers, and changes this thread only
        unsafe { libc::syscall(libc::SYS_setresuid, SOMEBODY, SOMEBODY, SOMEBODY) == 0 }
    }

    fn as_somebody<T: Send + 'static>(run: fn() -> T) -> Option<T> {
        std::thread::spawn(move || become_somebody_else().then(run)).join().unwrap()
    }

    #[test]
    fn a_full_quota_hides_no_key_and_puts_none_where_nobody_looks() {
        if as_somebody(|| KernelKeyring.write("kept:quota", b"key", Duration::from_secs(60))) != Some(true) {
            // no right to be another user, or a kernel or a container without keyrings
            return;
        }
        as_somebody(|| {
            let ring = c_long::from(libc::KEY_SPEC_THREAD_KEYRING);
            let fill = |size: usize| (0..100).take_while(|n| add_to(ring, &format!("{size}:{n}"), size)).count();
            assert!([1000, 100, 10, 1].map(fill).iter().sum::<usize>() > 0);
            let reader = std::thread::spawn(|| {
                // another process has no keyring yet either
                become_somebody_else();
                KernelKeyring.read("kept:quota")
            });
            std::thread::sleep(Duration::from_millis(10));
            clear(ring);
            assert_eq!(reader.join().unwrap().unwrap().as_slice(), b"key");
        });
        as_somebody(|| KernelKeyring.forget("kept:quota"));
    }

    fn add_to(ring: c_long, name: &str, size: usize) -> bool {
        let name = std::ffi::CString::new(name).unwrap();
        let value = vec![b'x'; size];
        // SAFETY: a live text, and a buffer with its length
        unsafe { libc::syscall(libc::SYS_add_key, c"user".as_ptr(), name.as_ptr(), value.as_ptr(), size, ring) > 0 }
    }

    fn clear(ring: c_long) {
        // SAFETY: the call takes a number
        unsafe { libc::syscall(libc::SYS_keyctl, c_long::from(libc::KEYCTL_CLEAR), ring) };
    }

    // B-12
    #[test]
    fn the_oldest_copies_go_where_there_are_too_many_or_too_large_ones() {
        // this thread's own keyring
        let ring = c_long::from(libc::KEY_SPEC_THREAD_KEYRING);
        let name = |n: usize| description(&format!("copy:{n}")).unwrap();
        let write = |n: usize, length: usize| write_into(ring, &name(n), &vec![b'x'; length], 60);
        if !write(0, 10) || bytes_left().is_some_and(|left| left < 16_000) {
            // a kernel or a container without keyrings, or a user whose other keys leave too little
            return;
        }
        // an ordinary user gets back the bytes of a removed key a moment later
        let write = |n: usize, length: usize| {
            let again = || std::thread::sleep(Duration::from_millis(50));
            write(n, length) || (0..100).any(|_| (again(), write(n, length)).1)
        };
        let there = |n: usize| find(ring, &name(n)).is_some();
        for n in 1..200 {
            assert!(write(n, 10), "{n}");
        }
        assert_eq!(ours(ring).len(), MOST_KEYS);
        assert!((200 - MOST_KEYS..200).all(there) && !there(0) && !there(199 - MOST_KEYS));
        // a rewritten key is the youngest
        assert!(write(150, 10) && write(200, 10) && there(150) && !there(140));
        // bytes count too; a key larger than the bound may stay alone
        assert!(write(201, 3000) && write(202, 3000) && write(203, 3000) && write(204, 3000));
        assert!(!there(201) && there(202) && there(203) && there(204) && !there(200));
        // an ordinary user has 20,000 bytes
        assert!(write(205, 12_000));
        assert_eq!(ours(ring).len(), 1);
        // without the list the keys are still found, and bounded
        remove(ring, find(ring, ORDER).unwrap());
        for n in 300..400 {
            assert!(write(n, 10), "{n}");
        }
        assert!(ours(ring).len() <= MOST_KEYS && there(399) && !there(205));
    }
}

//! The copy of a fresh access token that the kernel's keyring holds: in memory only, readable by this user's processes only,
//! gone when the token expires. It is what makes `token` as quick as `cat`, and what keeps loops away from the keychain.
//!
//! It rests in the user's *persistent* keyring, which every later process of the same user finds, whether or not it has a login
//! session; where the kernel has none, in the *user* keyring. Best effort throughout: no kernel support, a container that
//! forbids the calls, or a full quota (20,000 bytes for a plain user) is the same as no copy.

#[cfg(target_os = "linux")]
pub use linux::KernelKeyring;

use super::TokenCopy;

/// The kernel's keyring where there is one.
#[cfg(target_os = "linux")]
pub fn system() -> Box<dyn TokenCopy> {
    Box::new(KernelKeyring)
}

/// No other system has the like.
#[cfg(not(target_os = "linux"))]
pub fn system() -> Box<dyn TokenCopy> {
    Box::new(Nothing)
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

    use super::TokenCopy;

    /// The longest payload of a key of type `user`.
    const LONGEST: usize = 32_767;

    /// What nearly every token fits in: a buffer of the longest costs more page faults than everything else here.
    const USUAL: usize = 4_000;

    /// Key permissions of `keyctl_setperm(3)`: everything for who possesses the key, and for other processes of the same user
    /// what finding, reading and forgetting it takes. Nothing for the group or for others.
    const PERMISSIONS: c_long = 0x3f3f_0000;

    const KEY_TYPE: &CStr = c"user";

    pub struct KernelKeyring;

    /// # Safety
    /// Pointers among the arguments must be good for what the operation does with them.
    unsafe fn keyctl(operation: u32, a: c_long, b: c_long, c: c_long, d: c_long) -> Option<c_long> {
        // SAFETY: promised by the caller
        let result = unsafe { libc::syscall(libc::SYS_keyctl, c_long::from(operation), a, b, c, d) };
        (result >= 0).then_some(result)
    }

    /// The keyring that copies rest in: the persistent one, linked to this process so that it possesses what is in there.
    fn keyring() -> c_long {
        // SAFETY: numbers only; -1 is this user
        let persistent =
            unsafe { keyctl(libc::KEYCTL_GET_PERSISTENT, -1, c_long::from(libc::KEY_SPEC_PROCESS_KEYRING), 0, 0) };
        persistent.unwrap_or(c_long::from(libc::KEY_SPEC_USER_KEYRING))
    }

    /// The key's name; `None` for a name that the kernel can't hold.
    fn description(name: &str) -> Option<CString> {
        CString::new(format!("oauthctl:{name}")).ok()
    }

    fn find(keyring: c_long, description: &CStr) -> Option<c_long> {
        // SAFETY: two strings that live through the call
        unsafe { keyctl(libc::KEYCTL_SEARCH, keyring, KEY_TYPE.as_ptr() as c_long, description.as_ptr() as c_long, 0) }
    }

    /// The key's value if it is no longer than `most`.
    fn read_into(key: c_long, most: usize) -> Option<Zeroizing<Vec<u8>>> {
        let mut value = Zeroizing::new(vec![0u8; most]);
        // SAFETY: the buffer is as long as it is said to be; the kernel tells the value's length even where it doesn't fit
        let length = unsafe { keyctl(libc::KEYCTL_READ, key, value.as_mut_ptr() as c_long, most as c_long, 0) }?;
        let length = usize::try_from(length).ok().filter(|length| *length <= most)?;
        value.truncate(length);
        Some(value)
    }

    fn remove(keyring: c_long, key: c_long) {
        // SAFETY: numbers only
        unsafe {
            // at once, for everybody; kernels and security modules that refuse it get the slower way
            if keyctl(libc::KEYCTL_INVALIDATE, key, 0, 0, 0).is_none() {
                keyctl(libc::KEYCTL_REVOKE, key, 0, 0, 0);
                keyctl(libc::KEYCTL_UNLINK, key, keyring, 0, 0);
            }
        }
    }

    impl TokenCopy for KernelKeyring {
        /// Three system calls.
        fn read(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
            let key = find(keyring(), &description(name)?)?;
            read_into(key, USUAL).or_else(|| read_into(key, LONGEST))
        }

        fn write(&self, name: &str, value: &[u8], forget_after: Duration) -> bool {
            let Some(description) = description(name) else { return false };
            let seconds = u32::try_from(forget_after.as_secs()).unwrap_or(u32::MAX);
            let ring = keyring();
            // what is there already is no copy of this value any more, whatever comes of writing the new one
            if let Some(old) = find(ring, &description) {
                remove(ring, old);
            }
            // a timeout of 0 would mean "never"
            if value.is_empty() || value.len() > LONGEST || seconds == 0 {
                return false;
            }
            // SAFETY: two strings and a buffer that live through the call
            let key = unsafe {
                libc::syscall(
                    libc::SYS_add_key,
                    KEY_TYPE.as_ptr(),
                    description.as_ptr(),
                    value.as_ptr(),
                    value.len(),
                    ring,
                )
            };
            if key < 0 {
                return false;
            }
            // SAFETY: numbers only
            let kept = unsafe {
                keyctl(libc::KEYCTL_SET_TIMEOUT, key, c_long::from(seconds), 0, 0).is_some()
                    && keyctl(libc::KEYCTL_SETPERM, key, PERMISSIONS, 0, 0).is_some()
            };
            if !kept {
                remove(ring, key);
            }
            kept
        }

        fn forget(&self, name: &str) {
            let Some(description) = description(name) else { return };
            let ring = keyring();
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

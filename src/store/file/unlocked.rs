//! The keys of an unlocked folder, in the kernel's keyring: `store unlock` derives them once, and
//! every command finds them there until their time is over.
//!
//! The folder's salt gives the entry its name, and each key says what it was derived with: it opens
//! no record of another folder. Whether the passphrase is the right one is known before.

use zeroize::Zeroizing;

use super::{DERIVATION, Derivation, KEY, SALT, SealKey, take};
use crate::secret::hash;
use crate::world::kernel_keyring::KEPT;

/// The keys, and until when the kernel has them (Unix seconds).
pub struct Unlocked {
    pub until: i64,
    pub keys: Vec<(Derivation, SealKey)>,
}

/// The entry's name in the kernel's keyring.
pub fn name(salt: &[u8; SALT]) -> String {
    format!("{KEPT}{}", hash(salt))
}

impl Unlocked {
    pub fn key(&self, derivation: &Derivation) -> Option<SealKey> {
        self.keys.iter().find(|(how, _)| how == derivation).map(|(_, key)| key.clone())
    }

    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(8 + self.keys.len() * (DERIVATION + KEY)));
        bytes.extend(self.until.to_le_bytes());
        for (derivation, key) in &self.keys {
            bytes.extend(derivation.to_bytes());
            bytes.extend(**key);
        }
        bytes
    }

    pub fn from_bytes(mut bytes: &[u8]) -> Option<Unlocked> {
        let until = i64::from_le_bytes(*take(&mut bytes)?);
        let mut keys = Vec::new();
        while !bytes.is_empty() {
            keys.push((Derivation::take(&mut bytes)?, Zeroizing::new(*take(&mut bytes)?)));
        }
        Some(Unlocked { until, keys })
    }
}

//! Seals a text for one recipient, in the format of age (age-encryption.org/v1) that `age` and
//! `rage` open. Sealing alone: the key that opens stays with its owner, and never comes here.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::error::Unspecified;
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

/// The bytes of the text that are sealed together.
const CHUNK: usize = 64 << 10;

/// The public key of an X25519 recipient, `age1…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient([u8; 32]);

impl Recipient {
    /// Reads the Bech32 text (BIP 173); `None`: it is none, or it is mistyped.
    pub fn read(text: &str) -> Option<Recipient> {
        const LETTERS: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
        let digits: Vec<u8> =
            text.strip_prefix("age1")?.chars().map(|c| LETTERS.find(c).map(|at| at as u8)).collect::<Option<_>>()?;
        // the prefix `age` in the checksum: high bits, a zero, low bits
        let prefix = b"age".iter().map(|b| b >> 5).chain([0]).chain(b"age".iter().map(|b| b & 31));
        let checksum = prefix.chain(digits.iter().copied()).fold(1_u32, checked);
        let data = digits.get(..digits.len().checked_sub(6)?).filter(|_| checksum == 1)?;
        let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
        for digit in data {
            (held, bits) = ((held << 5 | u32::from(*digit)) & 0xfff, bits + 5);
            if bits >= 8 {
                bits -= 8;
                bytes.push((held >> bits) as u8);
            }
        }
        bytes.try_into().ok().map(Recipient)
    }
}

fn checked(sum: u32, digit: u8) -> u32 {
    const GENERATORS: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let next = (sum & 0x01ff_ffff) << 5 ^ u32::from(digit);
    GENERATORS.iter().enumerate().filter(|(bit, _)| sum >> 25 >> bit & 1 == 1).fold(next, |next, (_, it)| next ^ it)
}

/// Seals, and writes the file as text (armor).
pub fn seal(to: &Recipient, plain: &[u8]) -> Result<String, Unspecified> {
    let random = SystemRandom::new();
    let (mut file_key, mut nonce) = (Zeroizing::new([0; 16]), [0; 16]);
    random.fill(&mut *file_key)?;
    random.fill(&mut nonce)?;
    let mut file = format!("age-encryption.org/v1\n{}\n---", stanza(to, &*file_key, &random)?).into_bytes();
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &*derived(&[], &*file_key, b"header")?), &file);
    file.extend(format!(" {}\n", STANDARD_NO_PAD.encode(mac)).into_bytes());
    file.extend(nonce);
    let key = aead(&*derived(&nonce, &*file_key, b"payload")?)?;
    // a text without a byte is one empty chunk
    let count = plain.len().div_ceil(CHUNK).max(1);
    for number in 0..count {
        let mut chunk = Zeroizing::new(plain[number * CHUNK..plain.len().min((number + 1) * CHUNK)].to_vec());
        let mut counted = [0; 12];
        counted[3..11].copy_from_slice(&(number as u64).to_be_bytes());
        counted[11] = u8::from(number + 1 == count);
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(counted), Aad::empty(), &mut *chunk)?;
        file.extend(&*chunk);
    }
    let text = STANDARD.encode(file);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n");
    Ok(format!("-----BEGIN AGE ENCRYPTED FILE-----\n{lines}\n-----END AGE ENCRYPTED FILE-----\n"))
}

/// The lines of the header that give the recipient the key of the file.
fn stanza(Recipient(to): &Recipient, file_key: &[u8], random: &SystemRandom) -> Result<String, Unspecified> {
    let own = EphemeralPrivateKey::generate(&X25519, random)?;
    let share = own.compute_public_key()?;
    let salt = [share.as_ref(), to].concat();
    let key = agree_ephemeral(own, &UnparsedPublicKey::new(&X25519, to), |secret| {
        derived(&salt, secret, b"age-encryption.org/v1/X25519")
    })??;
    let mut wrapped = file_key.to_vec();
    aead(&*key)?.seal_in_place_append_tag(Nonce::assume_unique_for_key([0; 12]), Aad::empty(), &mut wrapped)?;
    Ok(format!("-> X25519 {}\n{}", STANDARD_NO_PAD.encode(share), STANDARD_NO_PAD.encode(wrapped)))
}

fn aead(key: &[u8]) -> Result<LessSafeKey, Unspecified> {
    UnboundKey::new(&CHACHA20_POLY1305, key).map(LessSafeKey::new)
}

struct Bytes32;

impl KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

fn derived(salt: &[u8], from: &[u8], purpose: &[u8]) -> Result<Zeroizing<[u8; 32]>, Unspecified> {
    let mut key = Zeroizing::new([0; 32]);
    Salt::new(HKDF_SHA256, salt).extract(from).expand(&[purpose], Bytes32)?.fill(&mut *key)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    // that `age` opens it is shown with the real one: tests/real/providers.py
    #[test]
    fn a_recipient_is_read_and_a_mistyped_one_is_not() {
        let good = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
        assert!(Recipient::read(good).is_some());
        assert_ne!(
            Recipient::read(good),
            Recipient::read("age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg")
        );
        for bad in [
            "",
            "age1",
            "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujw",
            "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwk",
            "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
            "ssh-ed25519 AAAA",
        ] {
            assert_eq!(Recipient::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_sealed_is_another_text_each_time_and_none_of_it_shows() {
        let to = Recipient::read("age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj").unwrap();
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1] {
            let plain = vec![b'x'; length];
            let sealed = seal(&to, &plain).unwrap();
            assert_ne!(seal(&to, &plain).unwrap(), sealed);
            let lines: Vec<&str> = sealed.lines().collect();
            assert_eq!(
                (lines[0], lines[lines.len() - 1]),
                ("-----BEGIN AGE ENCRYPTED FILE-----", "-----END AGE ENCRYPTED FILE-----",)
            );
            let file = STANDARD.decode(lines[1..lines.len() - 1].concat()).unwrap();
            assert!(file.starts_with(b"age-encryption.org/v1\n-> X25519 "));
            // the header, the nonce, the text, a tag for each chunk
            let header = file.windows(5).position(|part| part == b"\n--- ").unwrap() + 5 + 43 + 1;
            assert_eq!(file.len(), header + 16 + length + 16 * length.div_ceil(CHUNK).max(1));
        }
    }
}

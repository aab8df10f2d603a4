//! Seals a text for recipients, and opens it with an identity, in the format of age
//! (age-encryption.org/v1) that `age` and `rage` have too. Keys are those of `age-keygen` and
//! Ed25519 keys of SSH. RSA keys would need a crate with a known leak (RUSTSEC-2023-0071).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::montgomery::MontgomeryPoint;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{SHA256, SHA512, digest};
use ring::error::Unspecified;
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::Deserialize;
use zeroize::Zeroizing;

/// What a file begins with that is no text.
pub const MAGIC: &[u8] = b"age-encryption.org/v1\n";

/// The bytes of the text that are sealed together, and of the tag behind them.
const CHUNK: usize = 64 << 10;
const TAG: usize = 16;

/// A stanza of a kind that no identity knows: a public word about the file, which the header's MAC
/// covers.
const LABEL: &str = "oauthctl-label";

const SSH: &str = "ssh-ed25519";

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Recipient {
    curve: [u8; 32],
    /// The key as SSH sends it, if it is one of SSH.
    ssh: Option<Vec<u8>>,
}

/// A private key, with its public one.
#[derive(Clone)]
pub struct Identity {
    secret: Zeroizing<[u8; 32]>,
    pub recipient: Recipient,
}

impl TryFrom<String> for Recipient {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Recipient, &'static str> {
        Recipient::read(&text).ok_or("is no public key of age (`age1…`) nor an Ed25519 key of SSH (`ssh-ed25519 …`)")
    }
}

impl Recipient {
    /// Reads `age1…`, or a line of SSH's `.pub` files; `None`: it is none, or it is mistyped.
    pub fn read(text: &str) -> Option<Recipient> {
        let Some(ssh) = text.strip_prefix(SSH).and_then(|rest| rest.split_whitespace().next()) else {
            let curve = *bech32("age", text)?.first_chunk()?;
            return Some(Recipient { curve, ssh: None });
        };
        let blob = STANDARD.decode(ssh).ok()?;
        let mut rest = &blob[..];
        let key = (field(&mut rest)? == SSH.as_bytes()).then(|| field(&mut rest)).flatten()?;
        rest.is_empty().then(|| Recipient::of_ssh(key.try_into().ok()?)).flatten()
    }

    fn of_ssh(key: [u8; 32]) -> Option<Recipient> {
        let curve = CompressedEdwardsY(key).decompress()?.to_montgomery().to_bytes();
        let fields = [SSH.as_bytes(), &key].map(|field| [&(field.len() as u32).to_be_bytes(), field].concat());
        Some(Recipient { curve, ssh: Some(fields.concat()) })
    }

    /// The words by which an identity knows its stanza.
    fn words(&self) -> String {
        let tag = |blob: &Vec<u8>| format!("{SSH} {}", STANDARD_NO_PAD.encode(&digest(&SHA256, blob).as_ref()[..4]));
        self.ssh.as_ref().map_or_else(|| "X25519".to_owned(), tag)
    }

    /// The key that wraps the file's key: from the shared secret and the public keys.
    fn wrapping(&self, share: &[u8; 32], mut shared: Zeroizing<[u8; 32]>) -> Result<LessSafeKey, Unspecified> {
        let label = format!("age-encryption.org/v1/{}", if self.ssh.is_some() { SSH } else { "X25519" });
        if let Some(blob) = &self.ssh {
            let tweak = derived(blob, &[], label.as_bytes())?;
            shared = agreed(&tweak, &shared)?;
        }
        aead(&*derived(&[*share, self.curve].concat(), &*shared, label.as_bytes())?)
    }
}

impl Identity {
    /// The keys of a file of `age-keygen`, or the one of SSH's `id_ed25519`. An error: why there is
    /// none that can be used.
    pub fn read(file: &str) -> Result<Vec<Identity>, &'static str> {
        if file.trim_start().starts_with("-----BEGIN OPENSSH PRIVATE KEY-----") {
            return of_openssh(file).map(|identity| vec![identity]);
        }
        let lines = file.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let read = |line: &str| {
            let secret =
                Zeroizing::new(*bech32("age-secret-key-", &Zeroizing::new(line.to_lowercase()))?.first_chunk()?);
            let curve = MontgomeryPoint::mul_base_clamped(*secret).to_bytes();
            Some(Identity { secret, recipient: Recipient { curve, ssh: None } })
        };
        let keys: Option<Vec<Identity>> = lines.map(read).collect();
        keys.filter(|keys| !keys.is_empty()).ok_or("it holds no `AGE-SECRET-KEY-1…`, and no Ed25519 key of SSH")
    }
}

/// Reads OpenSSH's own format (PROTOCOL.key in its source).
fn of_openssh(file: &str) -> Result<Identity, &'static str> {
    const BROKEN: &str = "the key of SSH in it is broken";
    let lines: Zeroizing<String> = Zeroizing::new(file.lines().filter(|line| !line.starts_with("-----")).collect());
    let bytes = Zeroizing::new(STANDARD.decode(lines.trim()).map_err(|_| BROKEN)?);
    let mut rest = bytes.strip_prefix(b"openssh-key-v1\0").ok_or(BROKEN)?;
    // the cipher; how the key comes from a passphrase, in two fields; the number of keys
    if field(&mut rest) != Some(b"none") {
        return Err("the key of SSH in it is under a passphrase: `ssh-keygen -p` takes that off a copy");
    }
    let mut read = || {
        field(&mut rest)?;
        field(&mut rest)?;
        rest = rest.get(4..)?;
        let _public = field(&mut rest)?;
        // two equal numbers; the kind, the public key, the seed and the public key once more
        let mut private = field(&mut rest)?.get(8..)?;
        if field(&mut private)? != SSH.as_bytes() {
            return Some(None);
        }
        let public = field(&mut private)?.try_into().ok()?;
        Some(Some((Recipient::of_ssh(public)?, field(&mut private)?.get(..32)?)))
    };
    let (recipient, seed) = read().ok_or(BROKEN)?.ok_or("the key of SSH in it is no Ed25519 key")?;
    let mut secret = Zeroizing::new([0; 32]);
    secret.copy_from_slice(&digest(&SHA512, seed).as_ref()[..32]);
    Ok(Identity { secret, recipient })
}

/// A field of SSH: its length, and as many bytes.
fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk()?;
    let (field, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *rest = after;
    Some(field)
}

/// The bytes of a Bech32 text (BIP 173) in lower case with this prefix.
fn bech32(prefix: &str, text: &str) -> Option<Zeroizing<Vec<u8>>> {
    const LETTERS: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let digits = text.strip_prefix(prefix)?.strip_prefix('1')?.chars().map(|c| LETTERS.find(c).map(|at| at as u8));
    let digits: Zeroizing<Vec<u8>> = Zeroizing::new(digits.collect::<Option<_>>()?);
    // the prefix in the checksum: high bits, a zero, low bits
    let prefix = prefix.bytes().map(|b| b >> 5).chain([0]).chain(prefix.bytes().map(|b| b & 31));
    let checksum = prefix.chain(digits.iter().copied()).fold(1_u32, checked);
    let data = digits.get(..digits.len().checked_sub(6)?).filter(|_| checksum == 1)?;
    let (mut bytes, mut held, mut bits) = (Zeroizing::new(Vec::with_capacity(32)), 0_u32, 0);
    for digit in data {
        (held, bits) = ((held << 5 | u32::from(*digit)) & 0xfff, bits + 5);
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    Some(bytes).filter(|bytes| bytes.len() == 32)
}

fn checked(sum: u32, digit: u8) -> u32 {
    const GENERATORS: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let next = (sum & 0x01ff_ffff) << 5 ^ u32::from(digit);
    GENERATORS.iter().enumerate().filter(|(bit, _)| sum >> 25 >> bit & 1 == 1).fold(next, |next, (_, it)| next ^ it)
}

/// Seals, and writes the file as text (armor).
pub fn seal(to: &Recipient, plain: &[u8]) -> Result<String, Unspecified> {
    let text = STANDARD.encode(sealed(std::slice::from_ref(to), None, plain)?);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n");
    Ok(format!("-----BEGIN AGE ENCRYPTED FILE-----\n{lines}\n-----END AGE ENCRYPTED FILE-----\n"))
}

/// Seals for all of these, with a public label.
pub fn sealed(to: &[Recipient], label: Option<&str>, plain: &[u8]) -> Result<Vec<u8>, Unspecified> {
    let random = SystemRandom::new();
    let (mut file_key, mut nonce) = (Zeroizing::new([0; 16]), [0; 16]);
    random.fill(&mut *file_key)?;
    random.fill(&mut nonce)?;
    let mut file = MAGIC.to_vec();
    for to in to {
        file.extend(stanza(to, &*file_key, &random)?.into_bytes());
    }
    if let Some(label) = label {
        file.extend(format!("-> {LABEL} {}\n\n", STANDARD_NO_PAD.encode(label)).into_bytes());
    }
    file.extend(b"---");
    file.extend(format!(" {}\n", STANDARD_NO_PAD.encode(hmac::sign(&mac_key(&*file_key)?, &file))).into_bytes());
    file.extend(nonce);
    let key = aead(&*derived(&nonce, &*file_key, b"payload")?)?;
    // a text without a byte is one empty chunk
    let count = plain.len().div_ceil(CHUNK).max(1);
    for number in 0..count {
        let mut chunk = Zeroizing::new(plain[number * CHUNK..plain.len().min((number + 1) * CHUNK)].to_vec());
        key.seal_in_place_append_tag(counted(number, number + 1 == count), Aad::empty(), &mut *chunk)?;
        file.extend(&*chunk);
    }
    Ok(file)
}

/// The nonce of a chunk.
fn counted(number: usize, last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&(number as u64).to_be_bytes());
    nonce[11] = u8::from(last);
    Nonce::assume_unique_for_key(nonce)
}

fn mac_key(file_key: &[u8]) -> Result<hmac::Key, Unspecified> {
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &*derived(&[], file_key, b"header")?))
}

/// The lines of the header that give the recipient the key of the file.
fn stanza(to: &Recipient, file_key: &[u8], random: &SystemRandom) -> Result<String, Unspecified> {
    let mut own = Zeroizing::new([0; 32]);
    random.fill(&mut *own)?;
    let share = MontgomeryPoint::mul_base_clamped(*own).to_bytes();
    let key = to.wrapping(&share, agreed(&own, &to.curve)?)?;
    let mut wrapped = file_key.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key([0; 12]), Aad::empty(), &mut wrapped)?;
    Ok(format!("-> {} {}\n{}\n", to.words(), STANDARD_NO_PAD.encode(share), STANDARD_NO_PAD.encode(wrapped)))
}

/// A file that was sealed, in parts.
pub struct Sealed<'a> {
    /// The first words and the body of each stanza.
    stanzas: Vec<(&'a str, &'a str)>,
    /// What the MAC covers.
    head: &'a [u8],
    mac: Vec<u8>,
    nonce: &'a [u8],
    body: &'a [u8],
}

impl<'a> Sealed<'a> {
    /// Reads a file that is no text, with bodies of one line: no key in it is longer.
    pub fn parse(file: &'a [u8]) -> Option<Sealed<'a>> {
        let end = file.windows(5).position(|part| part == b"\n--- ")? + 4;
        let (head, rest) = file.split_at(end);
        let line = rest.iter().position(|byte| *byte == b'\n')?;
        let mac = STANDARD_NO_PAD.decode(&rest[1..line]).ok()?;
        let (nonce, body) = rest[line + 1..].split_at_checked(16)?;
        let text = std::str::from_utf8(head.strip_prefix(MAGIC)?).ok()?;
        let mut lines = text.lines();
        let mut stanzas = Vec::new();
        while let Some(words) = lines.next().filter(|line| *line != "---") {
            stanzas.push((words.strip_prefix("-> ")?, lines.next()?));
        }
        Some(Sealed { stanzas, head, mac, nonce, body })
    }

    /// The public label. Only after [`Sealed::open`] it is known to be the sealer's.
    pub fn label(&self) -> Option<String> {
        let label = self.stanzas.iter().find_map(|(words, _)| words.strip_prefix(LABEL)?.strip_prefix(' '))?;
        String::from_utf8(STANDARD_NO_PAD.decode(label).ok()?).ok()
    }

    /// `None`: no identity opens it, or it is damaged.
    pub fn open(&self, identities: &[Identity]) -> Option<Zeroizing<Vec<u8>>> {
        let file_key = identities.iter().find_map(|identity| self.file_key(identity))?;
        hmac::verify(&mac_key(&file_key).ok()?, self.head, &self.mac).ok()?;
        let key = aead(&*derived(self.nonce, &file_key, b"payload").ok()?).ok()?;
        let mut plain = Zeroizing::new(Vec::with_capacity(self.body.len()));
        let count = self.body.len().div_ceil(CHUNK + TAG);
        for (number, chunk) in self.body.chunks(CHUNK + TAG).enumerate() {
            let mut chunk = Zeroizing::new(chunk.to_vec());
            plain.extend(&*key.open_in_place(counted(number, number + 1 == count), Aad::empty(), &mut chunk).ok()?);
        }
        (count > 0).then_some(plain)
    }

    fn file_key(&self, identity: &Identity) -> Option<Zeroizing<Vec<u8>>> {
        let words = identity.recipient.words();
        self.stanzas.iter().find_map(|(first, body)| {
            let share = STANDARD_NO_PAD.decode(first.strip_prefix(&words)?.strip_prefix(' ')?).ok()?.try_into().ok()?;
            let key = identity.recipient.wrapping(&share, agreed(&identity.secret, &share).ok()?).ok()?;
            let mut wrapped = Zeroizing::new(STANDARD_NO_PAD.decode(body).ok()?);
            let nonce = Nonce::assume_unique_for_key([0; 12]);
            let opened = key.open_in_place(nonce, Aad::empty(), &mut wrapped).ok()?.to_vec();
            Some(Zeroizing::new(opened)).filter(|key| key.len() == 16)
        })
    }
}

/// The secret that two keys share. None with a public key that shares the same one with everybody.
fn agreed(secret: &[u8; 32], public: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, Unspecified> {
    let shared = Zeroizing::new(MontgomeryPoint(*public).mul_clamped(*secret).to_bytes());
    if *shared == [0; 32] { Err(Unspecified) } else { Ok(shared) }
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

    // that `age` opens it is shown with the real one: tests/real/providers.py and stores.py
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

    const KEY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    const ITS: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    const OTHER: &str = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg";

    #[test]
    fn an_identity_opens_what_is_sealed_for_it_among_others() {
        let identities = Identity::read(&format!("# created: today\n{KEY}\n")).ok().unwrap();
        let [own, other] = [ITS, OTHER].map(|text| Recipient::read(text).unwrap());
        assert_eq!(identities[0].recipient, own);
        for length in [0, 1, CHUNK, CHUNK + 1] {
            let plain = vec![b'x'; length];
            let file = sealed(&[other.clone(), own.clone()], Some("wörk"), &plain).unwrap();
            let parsed = Sealed::parse(&file).unwrap();
            assert_eq!(parsed.label().as_deref(), Some("wörk"));
            assert_eq!(*parsed.open(&identities).unwrap(), plain);
            for at in 0..file.len().min(700) {
                let mut flipped = file.clone();
                flipped[at] ^= 1;
                assert!(Sealed::parse(&flipped).is_none_or(|file| file.open(&identities).is_none()), "{at}");
                assert!(Sealed::parse(&file[..at]).is_none_or(|file| file.open(&identities).is_none()), "{at}");
            }
        }
        let file = sealed(&[other], None, b"x").unwrap();
        assert!(Sealed::parse(&file).unwrap().open(&identities).is_none());
    }

    #[test]
    fn a_file_without_a_key_that_can_be_used_is_told() {
        for bad in ["", "# only a comment", ITS, &KEY[..60], "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"] {
            assert!(Identity::read(bad).is_err(), "{bad}");
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

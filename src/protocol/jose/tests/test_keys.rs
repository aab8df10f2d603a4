//! Keys and other PEM texts in every form that tools write, made for each run: none lies in the
//! repository. The RSA numbers are RFC 7520's own (section 3.4), since nothing here makes new ones.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

const EC_PUBLIC_KEY: &[u8] = &[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[6, 5, 0x2b, 0x81, 4, 0, 0x22];
const P521: &[u8] = &[6, 5, 0x2b, 0x81, 4, 0, 0x23];
const RSA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
const RSA_PSS: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0a];
const ED448: &[u8] = &[6, 3, 0x2b, 0x65, 0x71];

/// Tag, length, value.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let length = value.len();
    let head = match length {
        0..0x80 => vec![tag, length as u8],
        0x80..0x100 => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [head, value].concat()
}

fn pkcs8(algorithm: &[&[u8]], key: &[u8]) -> Vec<u8> {
    der(0x30, &[&[2, 1, 0], &der(0x30, algorithm), &der(4, &[key])])
}

fn pem(label: &str, headers: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{headers}{}\n-----END {label}-----\n", lines.join("\n"))
}

/// A positive whole number.
fn integer(bytes: &[u8]) -> Vec<u8> {
    match bytes[0] & 0x80 {
        0 => der(2, &[bytes]),
        _ => der(2, &[&[0], bytes]),
    }
}

fn rsa_number(name: &str) -> Vec<u8> {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../rfc_vectors.json")).unwrap();
    let key = vectors.iter().map(|v| &v["key"]).find(|key| key["kid"] == "bilbo.baggins@hobbiton.example").unwrap();
    URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap()
}

fn rsa_der(modulus_bytes: usize) -> Vec<u8> {
    let numbers = ["n", "e", "d", "p", "q", "dp", "dq", "qi"].map(|name| {
        let bytes = rsa_number(name);
        let keep = if name == "n" { modulus_bytes } else { bytes.len() };
        integer(&bytes[bytes.len() - keep.min(bytes.len())..])
    });
    let numbers: Vec<&[u8]> = [&[2, 1, 0][..]].into_iter().chain(numbers.iter().map(Vec::as_slice)).collect();
    der(0x30, &numbers)
}

pub fn rsa_pkcs1() -> String {
    pem("RSA PRIVATE KEY", "", &rsa_der(256))
}

pub fn rsa_pkcs8() -> String {
    pem("PRIVATE KEY", "", &pkcs8(&[RSA], &rsa_der(256)))
}

pub fn rsa_public() -> String {
    let numbers = der(0x30, &[&integer(&rsa_number("n")), &integer(&rsa_number("e"))]);
    pem("PUBLIC KEY", "", &der(0x30, &[&der(0x30, &[RSA]), &der(3, &[&[0], &numbers])]))
}

pub fn rsa_1024() -> String {
    pem("RSA PRIVATE KEY", "", &rsa_der(128))
}

pub fn rsa_pss() -> String {
    pem("PRIVATE KEY", "", &pkcs8(&[RSA_PSS], &rsa_der(256)))
}

/// One new key on a curve: as PKCS#8, and as SEC1 behind its parameters, as OpenSSL writes it.
fn ec(algorithm: &'static rcgen::SignatureAlgorithm, curve: &[u8], size: usize) -> (String, String) {
    let made = rcgen::KeyPair::generate_for(algorithm).unwrap();
    let whole = made.serialize_der();
    // the one octet string of that size in it is the private number
    let at = whole.windows(2).position(|w| w == [4, size as u8]).unwrap() + 2;
    let point = made.public_key_raw();
    let sec1 = der(
        0x30,
        &[&[2, 1, 1], &der(4, &[&whole[at..at + size]]), &der(0xa0, &[curve]), &der(0xa1, &[&der(3, &[&[0], point])])],
    );
    let sec1 = format!("{}{}", pem("EC PARAMETERS", "", curve), pem("EC PRIVATE KEY", "", &sec1));
    (pem("PRIVATE KEY", "", &whole), sec1)
}

pub fn p256() -> (String, String) {
    ec(&rcgen::PKCS_ECDSA_P256_SHA256, P256, 32)
}

pub fn p384() -> (String, String) {
    ec(&rcgen::PKCS_ECDSA_P384_SHA384, P384, 48)
}

/// A key, and a certificate for it with its DER form.
pub fn ed25519() -> (String, String, Vec<u8>) {
    let made = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["client.example".to_owned()]).unwrap().self_signed(&made);
    let certificate = certificate.unwrap().der().to_vec();
    (pem("PRIVATE KEY", "", &made.serialize_der()), pem("CERTIFICATE", "", &certificate), certificate)
}

pub fn p521_pkcs8() -> String {
    pem("PRIVATE KEY", "", &pkcs8(&[EC_PUBLIC_KEY, P521], &der(0x30, &[&[2, 1, 1], &der(4, &[&[7; 66]])])))
}

pub fn p521_sec1() -> String {
    pem("EC PRIVATE KEY", "", &der(0x30, &[&[2, 1, 1], &der(4, &[&[7; 66]]), &der(0xa0, &[P521])]))
}

pub fn ed448() -> String {
    pem("PRIVATE KEY", "", &pkcs8(&[ED448], &der(4, &[&[7; 57]])))
}

/// What only has the label: it is told apart by nothing else.
pub fn labelled(label: &str) -> String {
    pem(label, "", &[7; 200])
}

pub fn old_encrypted() -> String {
    pem("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n", &[7; 200])
}

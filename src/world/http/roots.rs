//! The certificate authorities.
//!
//! The certificates that `SSL_CERT_FILE` and `SSL_CERT_DIR` name are the only ones trusted, on
//! every system. Without these variables the platform verifier asks macOS and Windows. Elsewhere it
//! reads some 290 files, which takes half the time of an exchange: the distribution's one bundle is
//! read instead. A named place without certificates is an error: the verifier would silently trust
//! others, or none.

use std::ffi::OsStr;
use std::path::Path;

use reqwest::Certificate;

use crate::text::safe;
use crate::world::Env;

/// A file of certificate authorities that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} names `{place}`, and no certificates can be had there: {why}")]
pub struct NoAuthorities {
    variable: &'static str,
    place: String,
    why: String,
}

impl NoAuthorities {
    /// The hint for the user.
    pub fn advice(&self) -> String {
        let what = if self.variable == FILE { "a file" } else { "a folder" };
        format!("unset {}, or set it to {what} of certificates in PEM", self.variable)
    }
}

const FILE: &str = "SSL_CERT_FILE";
const FOLDERS: &str = "SSL_CERT_DIR";

/// macOS has the last of these too, without the authorities of its keychains.
const BUNDLES: &[&str] = match cfg!(any(target_vendor = "apple", windows)) {
    true => &[],
    false => &[
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ],
};

/// The place that a variable names, if any and usable; for checks before a request is sent.
pub fn authorities(env: &dyn Env) -> Result<Option<String>, NoAuthorities> {
    let named = named(env, false)?;
    Ok(named.map(|named| format!("{} names `{}`", named.variable, named.place)))
}

/// A place that a variable names, and the certificates there.
struct Named {
    variable: &'static str,
    place: String,
    found: Vec<Certificate>,
}

/// The named certificates, or the distribution's bundle. Empty: the platform verifier finds them.
pub fn bundle(env: &dyn Env) -> Result<Vec<Certificate>, NoAuthorities> {
    if let Some(named) = named(env, true)? {
        return Ok(named.found);
    }
    let pem = BUNDLES.iter().find_map(|path| std::fs::read(path).ok()).unwrap_or_default();
    Ok(Certificate::from_pem_bundle(&pem).unwrap_or_default())
}

/// `once`: the certificates are used, so a source that can be read only once is read.
fn named(env: &dyn Env, once: bool) -> Result<Option<Named>, NoAuthorities> {
    let set = |name: &str| env.var_os(name).filter(|value| !value.is_empty());
    let (file, folders) = (set(FILE), set(FOLDERS));
    let in_folders = folders.as_deref().map_or(Ok(Vec::new()), of_folders);
    let (variable, place, found) = match (file, folders) {
        (None, None) => return Ok(None),
        (None, Some(folders)) => (FOLDERS, folders, in_folders),
        (Some(file), _) => {
            let also = in_folders.unwrap_or_default();
            let found = of_file(Path::new(&file), once).map(|found| found.into_iter().chain(also).collect());
            (FILE, file, found)
        }
    };
    let place = safe(&place.to_string_lossy());
    match found {
        Ok(found) => Ok(Some(Named { variable, place, found })),
        Err(why) => Err(NoAuthorities { variable, place, why: safe(&why) }),
    }
}

fn of_file(path: &Path, once: bool) -> Result<Vec<Certificate>, String> {
    let known = std::fs::metadata(path).map_err(|e| e.to_string())?;
    if !known.is_file() && !known.is_dir() && !once {
        return Ok(Vec::new());
    }
    let pem = std::fs::read(path).map_err(|e| e.to_string())?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        _ if pem.is_empty() => Err("it is empty".to_owned()),
        _ => Err("it holds none in PEM".to_owned()),
    }
}

fn of_folders(folders: &OsStr) -> Result<Vec<Certificate>, String> {
    let mut found = Vec::new();
    let mut why = "it names no folder".to_owned();
    for folder in std::env::split_paths(folders).filter(|f| !f.as_os_str().is_empty()) {
        match std::fs::read_dir(&folder) {
            Ok(entries) => {
                let files = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
                found.extend(files.flat_map(|path| of_file(&path, true).unwrap_or_default()));
                why = "it holds none".to_owned();
            }
            Err(e) => why = e.to_string(),
        }
    }
    if found.is_empty() { Err(why) } else { Ok(found) }
}

//! The certificate authorities.
//!
//! The platform verifier asks macOS and Windows. Elsewhere it reads some 290 files, which takes
//! half the time of an exchange. So the distribution's one bundle is read instead, if no variable
//! names another place. A named place without certificates is an error: the verifier would silently
//! trust others, or none.

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

/// The place that a variable names, if any and usable; for checks before a request is sent.
pub fn authorities(env: &dyn Env) -> Result<Option<String>, NoAuthorities> {
    let named = imp::named(env, false)?;
    Ok(named.map(|named| format!("{} names `{}`", named.variable, safe(&named.place))))
}

/// A place that a variable names, and its certificates if they are in one file.
struct Named {
    variable: &'static str,
    place: String,
    found: Vec<Certificate>,
}

pub use imp::bundle;

#[cfg(all(unix, not(target_vendor = "apple")))]
mod imp {
    use std::ffi::OsString;
    use std::io;
    use std::path::Path;

    use super::{Certificate, Env, FILE, Named, NoAuthorities, safe};

    const BUNDLES: [&str; 5] = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ];
    const FOLDER: &str = "SSL_CERT_DIR";

    /// The named bundle, or the distribution's. Empty: the platform verifier finds the authorities
    /// and honours both variables.
    pub fn bundle(env: &dyn Env) -> Result<Vec<Certificate>, NoAuthorities> {
        if let Some(named) = named(env, true)? {
            return Ok(named.found);
        }
        let pem = BUNDLES.iter().find_map(|path| std::fs::read(path).ok()).unwrap_or_default();
        Ok(Certificate::from_pem_bundle(&pem).unwrap_or_default())
    }

    /// `once`: the certificates are used, so a source that can be read only once is read.
    pub(super) fn named(env: &dyn Env, once: bool) -> Result<Option<Named>, NoAuthorities> {
        let set = |name: &str| env.var_os(name).filter(|value| !value.is_empty());
        let (file, folders) = (set(FILE), set(FOLDER));
        let fault = |variable: &'static str, place: &OsString, why: String| NoAuthorities {
            variable,
            place: safe(&place.to_string_lossy()),
            why: safe(&why),
        };
        match (file, folders) {
            (None, None) => Ok(None),
            (Some(file), folders) => {
                let path = Path::new(&file);
                let found = match std::fs::metadata(path).map(|is| is.is_file() || is.is_dir() || once) {
                    Ok(false) => Ok(Vec::new()),
                    Ok(true) => certificates(path),
                    Err(e) => Err(e.to_string()),
                };
                let found = found.map_err(|why| fault(FILE, &file, why))?;
                let alone = if folders.is_none() { found } else { Vec::new() };
                Ok(Some(Named { variable: FILE, place: file.to_string_lossy().into_owned(), found: alone }))
            }
            (None, Some(folders)) => {
                let mut last = "it names no folder".to_owned();
                let usable = std::env::split_paths(&folders).filter(|f| !f.as_os_str().is_empty()).any(|folder| {
                    let found = holds_any(&folder);
                    last = found.as_ref().err().map_or_else(|| "it holds none".to_owned(), ToString::to_string);
                    found.is_ok_and(|any| any)
                });
                if !usable {
                    return Err(fault(FOLDER, &folders, last));
                }
                let place = folders.to_string_lossy().into_owned();
                Ok(Some(Named { variable: FOLDER, place, found: Vec::new() }))
            }
        }
    }

    fn certificates(path: &Path) -> Result<Vec<Certificate>, String> {
        let pem = std::fs::read(path).map_err(|e| e.to_string())?;
        match Certificate::from_pem_bundle(&pem) {
            Ok(found) if !found.is_empty() => Ok(found),
            _ if pem.is_empty() => Err("it is empty".to_owned()),
            _ => Err("it holds none in PEM".to_owned()),
        }
    }

    fn holds_any(folder: &Path) -> io::Result<bool> {
        let mut entries = std::fs::read_dir(folder)?.flatten();
        Ok(entries.any(|entry| entry.path().is_file() && certificates(&entry.path()).is_ok()))
    }
}

#[cfg(not(all(unix, not(target_vendor = "apple"))))]
mod imp {
    use super::{Certificate, Env, Named, NoAuthorities};

    /// The system is asked.
    pub fn bundle(_env: &dyn Env) -> Result<Vec<Certificate>, NoAuthorities> {
        Ok(Vec::new())
    }

    pub(super) fn named(_env: &dyn Env, _once: bool) -> Result<Option<Named>, NoAuthorities> {
        Ok(None)
    }
}

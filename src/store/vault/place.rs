//! Where in an engine the records are, as the configuration says it: the word `vault`, which leaves
//! all to the engine's own variables, or a table.

use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::super::kept;
use crate::address::{HAS_USERINFO, parse_safe};

/// The name in the configuration.
pub const NAME: &str = "vault";

static KEPT: Mutex<Vec<&'static Place>> = Mutex::new(Vec::new());

/// The key `store` as a table with `vault`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Place {
    /// The engine's address. Without one, or empty: that of `BAO_ADDR` or `VAULT_ADDR`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault: Option<String>,
    /// Where the KV engine is mounted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount: Option<String>,
    /// The folder of the records there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    #[serde(skip_serializing_if = "Auth::is_token")]
    pub auth: Auth,
    /// Where that way to sign in is mounted, if not under its own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_mount: Option<String>,
    /// The role's name, or AppRole's role id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The file of the engine's token, of AppRole's secret id, or of the job's JWT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof_file: Option<String>,
    /// The variable of the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof_variable: Option<String>,
    /// Whether the kernel keeps a copy of a fresh access token on this machine.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub copy: bool,
}

/// How to sign in to the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// With a token that is there already.
    #[default]
    Token,
    AppRole,
    Kubernetes,
    Jwt,
    /// The client certificate of the connection.
    Cert,
}

impl Auth {
    fn is_token(&self) -> bool {
        *self == Auth::Token
    }

    /// What it proves to the engine who this is.
    pub fn proof(self) -> &'static str {
        match self {
            Auth::Token => "token",
            Auth::AppRole => "secret id",
            Auth::Kubernetes | Auth::Jwt => "JWT",
            Auth::Cert => "client certificate",
        }
    }

    /// The usual mount.
    pub fn name(self) -> &'static str {
        match self {
            Auth::Token => "token",
            Auth::AppRole => "approle",
            Auth::Kubernetes => "kubernetes",
            Auth::Jwt => "jwt",
            Auth::Cert => "cert",
        }
    }
}

impl Place {
    /// All that the engine's own variables say.
    pub fn of_variables() -> &'static Place {
        kept(&KEPT, Place::default())
    }

    /// The same place for the rest of the process, once it is whole.
    pub fn checked(self) -> Result<&'static Place, &'static str> {
        let plain = |text: &Option<String>| {
            let segment = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(is_plain);
            text.as_deref().is_none_or(|text| text.split('/').all(segment))
        };
        match self.vault.as_deref().filter(|url| !url.is_empty()).map(|url| parse_safe(url.trim())) {
            Some(Err(HAS_USERINFO)) => {
                return Err("takes no name and no password in `vault`: `auth` says how to sign in");
            }
            Some(Err(_)) => return Err("needs `https` in `vault`; `http` only to 127.0.0.1 and [::1]"),
            _ => {}
        }
        if ![&self.mount, &self.path, &self.auth_mount].into_iter().all(plain) {
            return Err("has letters, digits, `-`, `_`, `.` and `/` alone in `mount`, `path` and `auth-mount`");
        }
        match self.auth {
            Auth::Token if self.role.is_some() || self.auth_mount.is_some() => Err(
                "has `role` or `auth-mount`, and needs `auth = \"approle\"`, `\"kubernetes\"`, `\"jwt\"` or `\"cert\"`",
            ),
            Auth::AppRole | Auth::Kubernetes | Auth::Jwt if self.role.is_none() => Err("needs `role`"),
            Auth::AppRole | Auth::Jwt if self.proof_file.is_none() && self.proof_variable.is_none() => {
                Err("needs `proof-file` or `proof-variable`")
            }
            Auth::Cert if self.proof_file.is_some() || self.proof_variable.is_some() => {
                Err("has `proof-file` or `proof-variable`: its proof is the certificate of BAO_CLIENT_CERT")
            }
            _ if self.proof_file.is_some() && self.proof_variable.is_some() => {
                Err("has both `proof-file` and `proof-variable`")
            }
            _ => Ok(kept(&KEPT, self)),
        }
    }

    pub fn mount(&self) -> &str {
        self.mount.as_deref().unwrap_or("secret")
    }

    pub fn path(&self) -> &str {
        self.path.as_deref().unwrap_or("oauthctl")
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

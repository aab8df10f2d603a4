//! Kubernetes' client authentication plugins (client-go, `clientauthentication/v1`): the caller
//! says in a variable which version it speaks, and which cluster it means; the answer is one
//! object.

use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::command::known;
use crate::error::Error;
use crate::text::{safe, times};
use crate::token::TokenSet;
use crate::world::World;

const VARIABLE: &str = "KUBERNETES_EXEC_INFO";

/// The versions of the interface, the usual one first.
const KNOWN: [&str; 2] = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

/// The program that asks, as it describes itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Caller {
    api_version: String,
    #[serde(default)]
    spec: Spec,
}

#[derive(Default, Deserialize)]
struct Spec {
    cluster: Option<Cluster>,
}

/// The cluster that the token is for; the caller says it if `provideClusterInfo` is set.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cluster {
    pub server: String,
    /// Nothing proves that the server is that cluster.
    #[serde(default)]
    pub insecure_skip_tls_verify: bool,
    /// What the cluster has for its plugin, of any form.
    #[serde(default)]
    config: Value,
}

impl Cluster {
    /// The profile that the cluster's configuration names.
    pub fn profile(&self) -> Option<&str> {
        self.config.get("profile")?.as_str()
    }
}

impl Caller {
    /// Reads the variable; without one the caller speaks the usual version.
    pub fn read(world: &World) -> Result<Caller, Error> {
        let Some(info) = world.env.var(VARIABLE) else {
            return Ok(Caller { api_version: KNOWN[0].to_owned(), spec: Spec::default() });
        };
        let caller: Caller = serde_json::from_str(&info)
            .map_err(|e| Error::usage(format!("the variable {VARIABLE} can't be read as JSON")).cause(e))?;
        if KNOWN.contains(&&*caller.api_version) {
            return Ok(caller);
        }
        let asked = safe(&caller.api_version);
        Err(Error::usage(format!("{VARIABLE} asks for the `apiVersion` `{asked}`, which is not known"))
            .hint(format!("known are `{}`", KNOWN.join("`, `"))))
    }

    pub fn cluster(&self) -> Option<&Cluster> {
        self.spec.cluster.as_ref()
    }

    /// The answer and a newline.
    pub fn credential(&self, set: &TokenSet) -> Zeroizing<String> {
        let expires_at = set.expires_at.map(times::rfc3339);
        let status = known(json!({ "token": set.access_token.expose(), "expirationTimestamp": expires_at }));
        let object = json!({ "apiVersion": self.api_version, "kind": "ExecCredential", "status": status });
        Zeroizing::new(format!("{object}\n"))
    }
}

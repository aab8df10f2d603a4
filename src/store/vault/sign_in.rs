//! Who this is to the engine: a token that is there already, or the job's own identity, which the
//! engine takes for one (AppRole, Kubernetes, JWT).

use std::io;
use std::path::{Path, PathBuf};

use url::Url;
use zeroize::Zeroizing;

use super::place::{Auth, Place};
use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::file::text_file;
use crate::world::Env;

/// Where Kubernetes puts a job's token.
const OF_KUBERNETES: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// Where the proof is; a file is read only when a request needs it.
enum Proof {
    Given(Secret),
    File(PathBuf),
    Missing(String),
}

/// A way to get the engine's token.
pub struct SignIn {
    place: &'static Place,
    proof: Proof,
}

/// How the engine's variables begin, in the order in which they count.
const FAMILIES: [&str; 2] = ["BAO", "VAULT"];

/// The engine's variable by either of its names.
pub fn variable(env: &dyn Env, what: &str) -> Option<String> {
    FAMILIES.iter().find_map(|whose| env.var(&format!("{whose}_{what}")))
}

/// A program's answer.
pub type Asked<'a> = &'a dyn Fn(&[String]) -> io::Result<Zeroizing<String>>;

impl SignIn {
    /// `ask` runs the person's token helper, where the engine's own configuration names one.
    pub fn of(place: &'static Place, address: &Url, env: &dyn Env, ask: Asked) -> Result<SignIn, StoreError> {
        let proof = match (&place.proof_file, &place.proof_variable, place.auth) {
            (Some(file), _, _) => Proof::File(file.into()),
            (_, Some(name), _) => match env.var(name) {
                Some(value) => Proof::Given(value.trim().into()),
                None => Proof::Missing(format!("the variable {name} is not set")),
            },
            (None, None, Auth::Token) => own_token(env, address, ask)?,
            (None, None, _) => Proof::File(OF_KUBERNETES.into()),
        };
        Ok(SignIn { place, proof })
    }

    /// The token. `login` sends the identity's JSON to a path of the engine for one.
    pub fn token(&self, login: impl Fn(&str, &Secret) -> Result<Secret, StoreError>) -> Result<Secret, StoreError> {
        let absent = |why: String| StoreError::Absent { what: "token for the vault".to_owned(), why };
        let proof = match &self.proof {
            Proof::Given(proof) => proof.clone(),
            Proof::File(path) if !path.exists() => {
                return Err(absent(format!(
                    "BAO_TOKEN and VAULT_TOKEN are not set, and there is no file `{}`",
                    path.display()
                )));
            }
            Proof::File(path) => text_file(path, "file of the vault's token or proof")?,
            Proof::Missing(why) => return Err(absent(why.clone())),
        };
        let role = self.place.role.as_deref().unwrap_or_default();
        let keys = match self.place.auth {
            Auth::Token => return Ok(proof),
            Auth::AppRole => ["role_id", "secret_id"],
            Auth::Kubernetes | Auth::Jwt => ["role", "jwt"],
        };
        let mount = self.place.auth_mount.as_deref().unwrap_or(self.place.auth.name());
        let [who, what] = keys.map(|key| serde_json::Value::from(key).to_string());
        let text = |value: &str| serde_json::Value::from(value).to_string();
        let body = Zeroizing::new(format!("{{{who}:{},{what}:{}}}", text(role), text(proof.expose())));
        login(&format!("auth/{mount}/login"), &Secret::unlisted(body.as_str()))
    }
}

/// The order of the engine's own program: variable, helper, file.
fn own_token(env: &dyn Env, address: &Url, ask: Asked) -> Result<Proof, StoreError> {
    for whose in FAMILIES {
        if let Some(token) = env.var(&format!("{whose}_TOKEN")) {
            return Ok(match of_another(env, &[whose], address) {
                Some(other) => Proof::Missing(format!("{whose}_TOKEN is for the engine of {other}")),
                None => Proof::Given(token.trim().into()),
            });
        }
    }
    if let Some(other) = of_another(env, &FAMILIES, address) {
        return Ok(Proof::Missing(format!("the usual token is for the engine of {other}")));
    }
    if let Some(helper) = helper(env) {
        let failed = |e: io::Error| StoreError::Failed("token helper of the vault".to_owned(), e.into());
        let token = ask(&[helper, "get".to_owned()]).map_err(failed)?;
        return Ok(match token.trim() {
            "" => Proof::Missing("its token helper has none".to_owned()),
            token => Proof::Given(token.into()),
        });
    }
    let file = variable(env, "TOKEN_PATH").map(PathBuf::from);
    Ok(Proof::File(file.or_else(|| Some(env.home()?.join(".vault-token"))).unwrap_or_default()))
}

/// The variable by which the engine's own token is for another address than this one.
fn of_another(env: &dyn Env, families: &[&str], address: &Url) -> Option<String> {
    let mut named = families.iter().map(|whose| format!("{whose}_ADDR")).filter(|name| env.var(name).is_some());
    let first = named.next()?;
    let is_this = |name: &String| {
        env.var(name).and_then(|url| Url::parse(url.trim()).ok()).is_some_and(|url| url.origin() == address.origin())
    };
    (!is_this(&first) && !named.any(|name| is_this(&name))).then_some(first)
}

/// `token_helper = "/a/program"` in the person's own configuration of the engine's program.
fn helper(env: &dyn Env) -> Option<String> {
    let file = variable(env, "CONFIG_PATH").map(PathBuf::from).or_else(|| Some(env.home()?.join(".vault")))?;
    let text = std::fs::read_to_string(file).ok()?;
    let value = text.lines().find_map(|line| line.trim().strip_prefix("token_helper")?.trim().strip_prefix('='))?;
    let program = value.trim().trim_matches('"');
    Path::new(program).is_absolute().then(|| program.to_owned())
}

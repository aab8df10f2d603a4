//! Who this is to the engine: a token that is there already, or the job's own identity, which the
//! engine takes for one (AppRole, Kubernetes, JWT).

use std::collections::BTreeMap;
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
    Missing {
        why: String,
        cure: String,
    },
    /// The connection has it.
    Certificate,
}

/// A way to get the engine's token.
pub struct SignIn {
    place: &'static Place,
    proof: Proof,
    /// Where it is from, in words.
    source: String,
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
        let of_file = |path: PathBuf| (format!("the file `{}`", path.display()), Proof::File(path));
        let (source, proof) = match (&place.proof_file, &place.proof_variable, place.auth) {
            (_, _, Auth::Cert) => ("the variable BAO_CLIENT_CERT".to_owned(), of_certificate(env)),
            (Some(file), _, _) => of_file(file.into()),
            (_, Some(name), _) => (format!("the variable {name}"), of_variable(env, name)),
            (None, None, Auth::Token) => own_token(env, address, ask)?,
            (None, None, _) => of_file(OF_KUBERNETES.into()),
        };
        Ok(SignIn { place, proof, source })
    }

    /// Where the proof is from, in words.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What to do where the engine refuses it.
    pub fn advice(&self) -> String {
        match self.place.auth {
            Auth::Token => {
                "sign in to the engine again, or give another token: `oauthctl help team` says where".to_owned()
            }
            auth => format!(
                "check `role` and `auth-mount` in the table of `store`, and the {} in {}",
                auth.proof(),
                self.source
            ),
        }
    }

    /// The token. `login` sends the identity's JSON to a path of the engine for one.
    pub fn token(&self, login: impl Fn(&str, &Secret) -> Result<Secret, StoreError>) -> Result<Secret, StoreError> {
        let auth = self.place.auth;
        let absent = |why: &str, cure: String| StoreError::Advised {
            why: format!("there is no {} for the vault: {why}", auth.proof()),
            cures: vec![cure],
        };
        let proof = match &self.proof {
            Proof::Given(proof) => proof.clone(),
            Proof::File(path) if !path.exists() => {
                let (why, cure) = self.no_file(path);
                return Err(absent(&why, cure));
            }
            Proof::File(path) => text_file(path, "file of the vault's token or proof")?,
            Proof::Missing { why, cure } => return Err(absent(why, cure.clone())),
            Proof::Certificate => Secret::unlisted(""),
        };
        let role = self.place.role.as_deref();
        let members = match auth {
            Auth::Token => return Ok(proof),
            Auth::AppRole => vec![("role_id", role), ("secret_id", Some(proof.expose()))],
            Auth::Kubernetes | Auth::Jwt => vec![("role", role), ("jwt", Some(proof.expose()))],
            Auth::Cert => vec![("name", role)],
        };
        let members: BTreeMap<_, _> = members.into_iter().filter(|(_, value)| value.is_some()).collect();
        let body = Zeroizing::new(serde_json::to_string(&members).expect("every name is a text"));
        let mount = self.place.auth_mount.as_deref().unwrap_or(auth.name());
        login(&format!("auth/{mount}/login"), &Secret::unlisted(body.as_str()))
    }

    /// A file that is not there: the reason, and what to do.
    fn no_file(&self, path: &Path) -> (String, String) {
        let why = format!("there is no file `{}`", path.display());
        match (&self.place.proof_file, self.place.auth) {
            (Some(_), auth) => (
                format!("{why}, which `proof-file` names"),
                format!("write the {} there, or correct `proof-file` in the table of `store`", auth.proof()),
            ),
            (None, Auth::Token) => (
                format!("BAO_TOKEN and VAULT_TOKEN are not set, and {why}"),
                "set BAO_TOKEN or VAULT_TOKEN, or sign in with `bao login`, or name another way as `auth` in the table of `store`".to_owned(),
            ),
            (None, _) => (
                format!("{why}, where Kubernetes puts it"),
                "let the pod mount its service account's token, or name another file as `proof-file`".to_owned(),
            ),
        }
    }
}

fn of_variable(env: &dyn Env, name: &str) -> Proof {
    match env.var(name) {
        Some(value) => Proof::Given(value.trim().into()),
        None => Proof::Missing {
            why: format!("the variable {name} is not set, which `proof-variable` names"),
            cure: format!("set {name}, or correct `proof-variable` in the table of `store`"),
        },
    }
}

fn of_certificate(env: &dyn Env) -> Proof {
    match ["CLIENT_CERT", "CLIENT_KEY"].into_iter().find(|what| variable(env, what).is_none()) {
        None => Proof::Certificate,
        Some(what) => Proof::Missing {
            why: format!("BAO_{what} and VAULT_{what} are not set"),
            cure: format!("set BAO_{what} to its file"),
        },
    }
}

/// The order of the engine's own program: variable, helper, file. Returns the source in words too.
fn own_token(env: &dyn Env, address: &Url, ask: Asked) -> Result<(String, Proof), StoreError> {
    let for_another = |token: &str, of: String| Proof::Missing {
        why: format!("{token} is for the engine of {of}"),
        cure: "name the token for this engine by `proof-variable` or `proof-file` in the table of `store`".to_owned(),
    };
    for whose in FAMILIES {
        let name = format!("{whose}_TOKEN");
        if let Some(token) = env.var(&name) {
            let proof = match of_another(env, &[whose], address) {
                Some(other) => for_another(&name, other),
                None => Proof::Given(token.trim().into()),
            };
            return Ok((format!("the variable {name}"), proof));
        }
    }
    if let Some(other) = of_another(env, &FAMILIES, address) {
        return Ok((String::new(), for_another("the usual token", other)));
    }
    if let Some(helper) = helper(env) {
        let source = format!("the token helper `{helper}`");
        let failed = |e: io::Error| StoreError::Failed("token helper of the vault".to_owned(), e.into());
        let token = ask(&[helper, "get".to_owned()]).map_err(failed)?;
        let proof = match token.trim() {
            "" => Proof::Missing {
                why: format!("{source} has none"),
                cure: "sign in to the engine: `bao login`, or `vault login`".to_owned(),
            },
            token => Proof::Given(token.into()),
        };
        return Ok((source, proof));
    }
    let file = variable(env, "TOKEN_PATH").map(PathBuf::from);
    let file = file.or_else(|| Some(env.home()?.join(".vault-token"))).unwrap_or_default();
    Ok((format!("the file `{}`", file.display()), Proof::File(file)))
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

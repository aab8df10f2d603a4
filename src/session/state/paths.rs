//! The folders of the user's files. Nothing is read from the working directory, unless a variable
//! names it (`OAUTHCTL_CONFIG_DIR=./ci`).

use std::collections::BTreeMap;
use std::path::{Component, PathBuf};

use crate::config::{Config, ConfigError};
use crate::error::Error;
use crate::store::StoreKind;
use crate::world::Env;

/// The configured profiles, and the store that each names.
pub type Stores = BTreeMap<String, Option<StoreKind>>;

/// Folders that may not exist yet. `None`: there is no home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    pub config: Option<PathBuf>,
    pub state: Option<PathBuf>,
}

impl Paths {
    pub fn find(env: &dyn Env) -> Paths {
        let set = |name: &str| env.var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
        let said = |name: &str| env.var_os(name).map(PathBuf::from).filter(|p| !p.as_os_str().is_empty()).map(whole);
        let place = |own: &str, xdg: &str, usual: &[&str]| {
            said(own).or_else(|| set(xdg).map(|p| p.join("oauthctl"))).or_else(|| {
                let base = if cfg!(windows) {
                    set(usual[1])
                } else {
                    env.home().filter(|h| h.is_absolute()).map(|h| h.join(usual[0]))
                };
                base.map(|b| b.join("oauthctl"))
            })
        };
        let mac = "Library/Application Support";
        let (config, state) = if cfg!(target_os = "macos") { (mac, mac) } else { (".config", ".local/state") };
        Paths {
            config: place("OAUTHCTL_CONFIG_DIR", "XDG_CONFIG_HOME", &[config, "APPDATA"]),
            state: place("OAUTHCTL_STATE_DIR", "XDG_STATE_HOME", &[state, "LOCALAPPDATA"]),
        }
    }

    /// The configuration, if there is a folder for one and it can be read. Of its profiles, the
    /// stores alone.
    pub fn readable_config(&self) -> Option<(Config, Stores)> {
        let mut stores = Stores::new();
        let collect = |one: &mut Config| {
            stores.extend(one.stores());
            Ok::<_, ConfigError>(())
        };
        let rest = Config::each(self.config.as_deref()?, collect).ok()?;
        Some((rest, stores))
    }

    pub fn require_config(&self) -> Result<PathBuf, Error> {
        self.config.clone().ok_or_else(|| {
            Error::usage("there is no home folder to keep the configuration in")
                .hint("set OAUTHCTL_CONFIG_DIR to an absolute path")
        })
    }

    pub fn require_state(&self) -> Result<PathBuf, Error> {
        self.state.clone().ok_or_else(|| {
            Error::usage("there is no home folder to keep state in").hint("set OAUTHCTL_STATE_DIR to an absolute path")
        })
    }
}

/// Makes a folder absolute: stores and copies are told apart by its name. The working directory's
/// name has no links, so `..` at the beginning can be resolved.
fn whole(folder: PathBuf) -> PathBuf {
    if folder.is_absolute() {
        return folder;
    }
    // a deleted working directory has no name: nothing is found there
    let Ok(mut here) = std::path::absolute(".") else { return folder };
    let mut rest = folder.components().peekable();
    while let Some(step) = rest.next_if(|step| matches!(step, Component::CurDir | Component::ParentDir)) {
        if step == Component::ParentDir {
            here.pop();
        }
    }
    here.extend(rest);
    here
}

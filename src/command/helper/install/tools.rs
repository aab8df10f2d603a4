//! The tools that a helper is installed for: a row each says which file the tool reads, and what
//! stands there.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::change::{appended, in_json, in_yaml};
use super::taken::{from_json, from_lines, from_section, from_yaml, says};
use super::whole;
use crate::error::Error;
use crate::text::{for_a_shell, quoted, safe};
use crate::world::Env;

/// One use of a helper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// `None`: the one that the host belongs to.
    pub profile: Option<String>,
    /// Where the tool's configuration names hosts.
    pub host: Option<String>,
    /// Of the helper.
    pub options: Vec<String>,
}

/// What the tool's configuration tells apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A helper for each host; of web servers alone, or of mail servers too.
    Hosts {
        mail: bool,
    },
    Profiles,
    /// One helper for all.
    One,
    /// One, for the address of Google's audience.
    Audience,
}

pub struct Tool {
    pub name: &'static str,
    pub takes: Takes,
    /// A variable that names the file, or its folder (and the name in it).
    variable: Option<(&'static str, &'static str)>,
    /// The first that exists, else the first. `~` is the home, `$` the folder of configurations.
    usual: &'static [&'static str],
    /// A file beside it that the tool reads in its place.
    in_its_place: Option<&'static str>,
    /// The tool writes that file while it has `FILE.lock`.
    pub locks: bool,
    /// The text of that file, in steps: each can be taken back by itself.
    pub steps: &'static [Step],
    /// That text without what one rule put there, found by what it means.
    pub gone: fn(&Site, &Rule, &str) -> Result<String, String>,
    /// Files of the helper's own.
    pub own: fn(&Site, &[Rule]) -> Result<Vec<Own>, Error>,
    /// The helper's options and operands that are written, and those that the tool adds.
    arguments: fn(&Rule) -> Vec<String>,
    pub added: &'static [&'static str],
    /// What is left to do.
    pub next: fn(&Rule) -> Option<String>,
    /// How other parts of the file name the helper.
    pub mention: fn(&Rule) -> Option<String>,
}

type Step = fn(&Site, &[Rule], &str) -> Result<String, String>;

/// A file of the helper's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    pub file: PathBuf,
    pub text: String,
    /// A script that the tool runs.
    pub runs: bool,
}

pub const TOOLS: &[Tool] = &[
    Tool {
        variable: Some(("GIT_CONFIG_GLOBAL", "")),
        usual: &["~/.gitconfig", "$/git/config"],
        locks: true,
        steps: &[git],
        gone: |site, rule, text| {
            from_section(text, &git_header(rule), &[("helper", ""), ("helper", &git_value(site, rule))])
        },
        added: &["get"],
        ..tool("git", Takes::Hosts { mail: true })
    },
    Tool {
        variable: Some(("DOCKER_CONFIG", "config.json")),
        usual: &["~/.docker/config.json"],
        steps: &[|_, _, text| Ok(frame(text, "{\n\t\"auths\": {}\n}\n")), docker],
        gone: |_, rule, text| from_json(text, "credHelpers", (host(rule), &format!("oauthctl-{}", host_name(rule)))),
        own: |site, rules| site.scripts(rules, "docker", |site, rule| Ok(site.on_path()?.join(docker_name(rule)))),
        added: &["get"],
        ..tool("docker", Takes::Hosts { mail: false })
    },
    Tool {
        variable: Some(("CARGO_HOME", "config.toml")),
        usual: &["~/.cargo/config.toml"],
        in_its_place: Some("config"),
        steps: &[cargo_list, cargo_alias],
        gone: cargo_gone,
        ..tool("cargo", Takes::Profiles)
    },
    Tool {
        variable: Some(("KUBECONFIG", "")),
        usual: &["~/.kube/config"],
        locks: true,
        steps: &[|_, _, text| Ok(frame(text, "apiVersion: v1\nkind: Config\n")), kubectl],
        gone: |_, rule, text| from_yaml(text, "users", &named(rule)),
        mention: |rule| Some(format!("user: {}", named(rule))),
        next: |rule| {
            let user = named(rule);
            Some(format!("a context uses it from then on: kubectl config set-context --current --user={user}"))
        },
        ..tool("kubectl", Takes::Profiles)
    },
    Tool {
        variable: Some(("GOENV", "")),
        usual: &["$/go/env"],
        steps: &[goauth],
        gone: |site, rule, text| Ok(goauth_gone(&site.line("goauth", rule), text)),
        ..tool("goauth", Takes::Profiles)
    },
    Tool {
        own: |site, rules| site.scripts(rules, "keyring", |site, _| Ok(site.on_path()?.join("keyring"))),
        added: &["get", "a.example"],
        next: |_| {
            let variables = "PIP_KEYRING_PROVIDER=subprocess or UV_KEYRING_PROVIDER=subprocess";
            Some(format!("pip and uv ask it with {variables}, for an index with a user name: `https://oauth2@…`"))
        },
        ..tool("keyring", Takes::One)
    },
    Tool {
        variable: Some(("NPM_CONFIG_USERCONFIG", "")),
        usual: &["~/.npmrc"],
        steps: &[|site, rules, text| Ok(lines(text, rules, |rule| pnpm(site, rule)))],
        gone: |site, rule, text| {
            let script = site.script("pnpm", rule).display().to_string();
            Ok(from_lines(text, |line| says(line, &pnpm_key(rule), &script)))
        },
        own: |site, rules| site.scripts(rules, "pnpm", |site, rule| Ok(site.script("pnpm", rule))),
        arguments: |rule| usual(rule).into_iter().chain(rule.host.clone()).collect(),
        ..tool("pnpm", Takes::Hosts { mail: false })
    },
    Tool {
        variable: Some(("TF_CLI_CONFIG_FILE", "")),
        usual: if cfg!(windows) { &["~/AppData/Roaming/terraform.rc"] } else { &["~/.terraformrc", "~/.tofurc"] },
        steps: &[terraform],
        gone: |_, _, text| terraform_gone(text),
        own: |site, rules| site.scripts(rules, "terraform", |site, _| site.home(TERRAFORM).map_err(Error::usage)),
        added: &["get", "a.example"],
        ..tool("terraform", Takes::One)
    },
    Tool {
        usual: &["~/.bazelrc"],
        steps: &[|site, rules, text| Ok(lines(text, rules, |rule| bazel(site, rule)))],
        gone: |site, rule, text| {
            let ours = bazel(site, rule);
            Ok(from_lines(text, |line| line.split_whitespace().eq(ours.split_whitespace())))
        },
        own: |site, rules| site.scripts(rules, "bazel", |site, rule| Ok(site.script("bazel", rule))),
        added: &["get"],
        ..tool("bazel", Takes::Hosts { mail: false })
    },
    Tool {
        variable: Some(("GOOGLE_APPLICATION_CREDENTIALS", "")),
        usual: &["$/gcloud/application_default_credentials.json"],
        steps: &[google],
        gone: google_gone,
        next: |_| Some("Google's libraries run it with GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1".to_owned()),
        ..tool("google", Takes::Audience)
    },
    Tool {
        variable: Some(("AWS_CONFIG_FILE", "")),
        usual: &["~/.aws/config"],
        steps: &[aws],
        gone: |site, rule, text| {
            from_section(text, &aws_header(rule), &[("credential_process", &site.line("aws", rule))])
        },
        next: |rule| Some(format!("the SDKs use it with AWS_PROFILE={}", aws_name(rule))),
        ..tool("aws", Takes::Profiles)
    },
    Tool {
        own: systemd,
        arguments: |rule| rule.options.iter().cloned().chain(credential(rule)).collect(),
        next: |rule| {
            let name = word(rule.profile.as_deref()?);
            Some(format!("systemctl --user enable --now oauthctl.socket; a unit has LoadCredential={name}:%t/oauthctl"))
        },
        ..tool("systemd", Takes::Profiles)
    },
];

/// A row without files.
const fn tool(name: &'static str, takes: Takes) -> Tool {
    Tool {
        name,
        takes,
        variable: None,
        usual: &[],
        in_its_place: None,
        locks: false,
        steps: &[],
        gone: |_, _, text| Ok(text.to_owned()),
        own: |_, _| Ok(Vec::new()),
        arguments: usual,
        added: &[],
        next: |_| None,
        mention: |_| None,
    }
}

impl Tool {
    /// The file of the tool's that names the helper.
    pub fn file(&self, site: &Site) -> Result<Option<PathBuf>, String> {
        let file = self.usual_file(site)?;
        let other = self.in_its_place.and_then(|name| Some(file.as_ref()?.with_file_name(name)));
        Ok(other.filter(|other| other.exists()).or(file))
    }

    fn usual_file(&self, site: &Site) -> Result<Option<PathBuf>, String> {
        if let Some((name, below)) = self.variable
            && let Some(said) = site.env.var_os(name).filter(|said| !said.is_empty())
        {
            // kubectl's is a list
            let first = site.env.folders(&said).into_iter().next().unwrap_or_default();
            let file = if below.is_empty() { first } else { first.join(below) };
            return match file.is_absolute() {
                true => Ok(Some(file)),
                false => Err(format!("the variable {name} is no absolute path")),
            };
        }
        let files: Vec<PathBuf> = self.usual.iter().map(|file| site.home(file)).collect::<Result<_, _>>()?;
        Ok(files.iter().find(|file| file.exists()).or(files.first()).cloned())
    }

    /// The words of the helper's command line.
    pub fn words(&self, rule: &Rule) -> Vec<String> {
        ["helper", self.name].into_iter().map(str::to_owned).chain((self.arguments)(rule)).collect()
    }
}

fn usual(rule: &Rule) -> Vec<String> {
    let profile = rule.profile.iter().flat_map(|name| ["--profile", name]).map(str::to_owned);
    profile.chain(rule.options.iter().cloned()).collect()
}

/// Where the helper is installed.
pub struct Site<'a> {
    pub env: &'a dyn Env,
    /// This program.
    pub program: String,
    /// The folder of this program's own scripts.
    pub scripts: PathBuf,
}

impl Site<'_> {
    fn home(&self, file: &str) -> Result<PathBuf, String> {
        let home = self.env.home().filter(|home| home.is_absolute()).ok_or("there is no home folder")?;
        let Some(rest) = file.strip_prefix("$/") else { return Ok(home.join(file.trim_start_matches("~/"))) };
        let set = self.env.var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
        let usual = match () {
            () if cfg!(target_os = "macos") => "Library/Application Support",
            () if cfg!(windows) => "AppData/Roaming",
            () => ".config",
        };
        Ok(set.unwrap_or_else(|| home.join(usual)).join(rest))
    }

    /// A folder of `PATH` that is this user's own.
    fn on_path(&self) -> Result<PathBuf, Error> {
        let home = self.home("~/").map_err(Error::usage)?;
        let folders = self.env.folders(&self.env.var_os("PATH").unwrap_or_default());
        let usual = home.join(".local/bin");
        let own = |folder: &&PathBuf| **folder == usual || (folder.starts_with(&home) && folder.is_dir());
        let found = folders.iter().find(|folder| **folder == usual).or_else(|| folders.iter().find(own));
        found.cloned().ok_or_else(|| {
            Error::usage("no folder of PATH is yours").hint(format!(
                "add one to PATH, `{}` for example, and type this again",
                safe(&usual.display().to_string())
            ))
        })
    }

    fn script(&self, tool: &str, rule: &Rule) -> PathBuf {
        self.scripts.join(format!("{tool}-{}", host_name(rule)))
    }

    fn words(&self, tool: &str, rule: &Rule) -> Vec<String> {
        let tool = TOOLS.iter().find(|row| row.name == tool);
        let words = tool.map(|tool| tool.words(rule)).unwrap_or_default();
        std::iter::once(self.program.clone()).chain(words).collect()
    }

    fn line(&self, tool: &str, rule: &Rule) -> String {
        self.words(tool, rule).iter().map(|word| for_a_shell(word)).collect::<Vec<_>>().join(" ")
    }

    /// A program for each rule, for a tool that gives its helper a name and no arguments.
    fn scripts(
        &self,
        rules: &[Rule],
        tool: &str,
        place: fn(&Site, &Rule) -> Result<PathBuf, Error>,
    ) -> Result<Vec<Own>, Error> {
        if cfg!(windows) {
            let why = format!("{tool} runs a program without arguments, and on Windows a script is none");
            return Err(Error::usage(why));
        }
        let script = |rule| {
            let text = format!("#!/bin/sh\nexec {} \"$@\"\n", self.line(tool, rule));
            Ok(Own { file: place(self, rule)?, text, runs: true })
        };
        rules.iter().map(script).collect()
    }
}

/// The helper's name where a tool lists several.
pub fn named(rule: &Rule) -> String {
    rule.profile.as_ref().map_or("oauthctl".to_owned(), |profile| format!("oauthctl-{}", word(profile)))
}

/// A profile's name as a word of a tool's configuration: cargo ends a word at a blank, AWS and YAML
/// have signs of their own.
fn word(profile: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '+');
    profile.chars().map(|c| if is_plain(c) { c } else { '-' }).collect()
}

/// `HOST[:PORT]`, as tools write it.
fn host(rule: &Rule) -> &str {
    let host = rule.host.as_deref().unwrap_or_default();
    host.split_once("://").map_or(host, |(_, authority)| authority)
}

/// The same for a file's name.
fn host_name(rule: &Rule) -> String {
    host(rule).replace([':', '[', ']'], "_")
}

fn lines(text: &str, rules: &[Rule], line: impl Fn(&Rule) -> String) -> String {
    appended(text, &rules.iter().map(line).collect::<String>())
}

/// A whole file, where there is none.
fn frame(text: &str, new: &str) -> String {
    if text.trim().is_empty() { new.to_owned() } else { text.to_owned() }
}

/// The empty helper resets git's list: no other one is asked for this host, or stores its token.
fn git(site: &Site, rules: &[Rule], text: &str) -> Result<String, String> {
    whole::of_git(text)?;
    Ok(lines(text, rules, |rule| format!("{}\n\thelper =\n\thelper = {}\n", git_header(rule), git_value(site, rule))))
}

fn git_header(rule: &Rule) -> String {
    format!("[credential {}]", quoted(rule.host.as_deref().unwrap_or_default()))
}

fn git_value(site: &Site, rule: &Rule) -> String {
    let line = format!("!{}", site.line("git", rule)).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{line}\"")
}

fn docker_name(rule: &Rule) -> String {
    format!("docker-credential-oauthctl-{}", host_name(rule))
}

fn docker(_: &Site, rules: &[Rule], text: &str) -> Result<String, String> {
    let names: Vec<String> = rules.iter().map(|rule| format!("oauthctl-{}", host_name(rule))).collect();
    let members: Vec<(&str, &str)> = rules.iter().zip(&names).map(|(rule, name)| (host(rule), &**name)).collect();
    in_json(text, "credHelpers", &members)
}

/// The TOML text after a change of a table, which is made if there is none. The writer knows one
/// kind of line end.
fn in_toml(
    text: &str,
    name: &str,
    change: impl Fn(&mut dyn toml_edit::TableLike) -> Result<(), String>,
) -> Result<String, String> {
    if text.contains('\r') {
        return Err("it has line ends of two kinds".to_owned());
    }
    let mut document: toml_edit::DocumentMut = text.parse().map_err(|e| format!("it is not TOML: {e}"))?;
    let table = document.entry(name).or_insert(toml_edit::table());
    let table = table.as_table_like_mut().ok_or_else(|| format!("its `{name}` is no table"))?;
    change(table)?;
    let remark = |table: &toml_edit::Table| {
        table.decor().prefix().and_then(|above| above.as_str()).is_some_and(|above| above.contains('#'))
    };
    if table.is_empty() && !document[name].as_table().is_some_and(remark) {
        document.remove(name);
    }
    Ok(document.to_string())
}

/// cargo asks from the end of the list to its beginning. Its own provider stands there unless told
/// otherwise.
fn cargo_list(_: &Site, rules: &[Rule], text: &str) -> Result<String, String> {
    in_toml(text, "registry", |registry| {
        let usual = || toml_edit::value(toml_edit::Array::from_iter(["cargo:token"]));
        let list = registry.entry("global-credential-providers").or_insert_with(usual);
        let list = list.as_array_mut().ok_or("its `global-credential-providers` is no list")?;
        list.extend(rules.iter().map(named));
        Ok(())
    })
}

/// A name for each command line: in the list, a path couldn't have blanks.
fn cargo_alias(site: &Site, rules: &[Rule], text: &str) -> Result<String, String> {
    in_toml(text, "credential-alias", |aliases| {
        for rule in rules {
            if aliases.contains_key(&named(rule)) {
                return Err(format!("its `credential-alias` has `{}` already", named(rule)));
            }
            aliases.insert(&named(rule), toml_edit::value(toml_edit::Array::from_iter(site.words("cargo", rule))));
        }
        Ok(())
    })
}

fn cargo_gone(_: &Site, rule: &Rule, text: &str) -> Result<String, String> {
    const LIST: &str = "global-credential-providers";
    let name = named(rule);
    let text = in_toml(text, "registry", |registry| {
        let Some(list) = registry.get_mut(LIST).and_then(|list| list.as_array_mut()) else { return Ok(()) };
        let before = list.len();
        list.retain(|provider| provider.as_str() != Some(&name));
        // cargo's own is what it uses without a list
        if list.len() < before && list.iter().map(|one| one.as_str()).eq([Some("cargo:token")]) {
            registry.remove(LIST);
        }
        Ok(())
    })?;
    in_toml(&text, "credential-alias", |aliases| {
        aliases.remove(&name);
        Ok(())
    })
}

/// As kubectl itself writes it, so that it stays the same when kubectl writes the file anew.
fn kubectl(site: &Site, rules: &[Rule], text: &str) -> Result<String, String> {
    whole::of_yaml(text)?;
    rules.iter().try_fold(text.to_owned(), |text, rule| {
        let name = named(rule);
        if text.lines().any(|line| line.trim_start_matches([' ', '-']).trim_end() == format!("name: {name}")) {
            return Err(format!("it has a user `{name}` already"));
        }
        let words = site.words("kubectl", rule);
        let word = |word: &String| if for_a_shell(word) == *word { word.clone() } else { quoted(word) };
        let args: String = words[1..].iter().map(|arg| format!("      - {}\n", word(arg))).collect();
        let command = word(&words[0]);
        let item = format!(
            "- name: {name}\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1\n      args:\n{args}      \
             command: {command}\n      env: null\n      interactiveMode: Never\n      provideClusterInfo: true\n",
        );
        in_yaml(&text, "users", &item)
    })
}

/// Those of before come later: the first answer counts. go's own is `netrc`.
fn goauth(site: &Site, rules: &[Rule], text: &str) -> Result<String, String> {
    let ours = rules.iter().map(|rule| site.line("goauth", rule)).collect::<Vec<_>>().join(";");
    let Some(line) = text.lines().find(|line| line.starts_with("GOAUTH=")) else {
        return Ok(appended(text, &format!("GOAUTH={ours};netrc\n")));
    };
    let before = match line.trim_start_matches("GOAUTH=") {
        "" => String::new(),
        "off" => return Err("its GOAUTH is `off`: with another one, go would sign in where it must not".to_owned()),
        before => format!(";{before}"),
    };
    Ok(text.replacen(line, &format!("GOAUTH={ours}{before}"), 1))
}

/// go's own is what it uses without the variable.
fn goauth_gone(ours: &str, text: &str) -> String {
    let line = |line: &str| {
        let Some(all) = line.trim_end().strip_prefix("GOAUTH=") else { return line.to_owned() };
        let rest: Vec<&str> = all.split(';').filter(|one| one.trim() != ours).collect();
        match &rest[..] {
            _ if rest.len() == all.split(';').count() => line.to_owned(),
            [] | ["" | "netrc"] => String::new(),
            rest => line.replacen(all, &rest.join(";"), 1),
        }
    };
    text.split_inclusive('\n').map(line).collect()
}

fn pnpm_key(rule: &Rule) -> String {
    format!("//{}/:tokenHelper", host(rule))
}

fn pnpm(site: &Site, rule: &Rule) -> String {
    format!("{}={}\n", pnpm_key(rule), site.script("pnpm", rule).display())
}

const TERRAFORM: &str = "~/.terraform.d/plugins/terraform-credentials-oauthctl";

fn terraform(_: &Site, _: &[Rule], text: &str) -> Result<String, String> {
    match text.lines().any(|line| line.trim_start().starts_with("credentials_helper")) {
        true => Err("it has a `credentials_helper` already, and takes one alone".to_owned()),
        false => Ok(appended(text, "credentials_helper \"oauthctl\" {}\n")),
    }
}

fn terraform_gone(text: &str) -> Result<String, String> {
    let bare = |line: &str| line.replace(char::is_whitespace, "");
    let rest = from_lines(text, |line| bare(line) == "credentials_helper\"oauthctl\"{}");
    match rest.lines().any(|line| bare(line).starts_with("credentials_helper\"oauthctl\"")) {
        true => Err("its block has several lines".to_owned()),
        false => Ok(rest),
    }
}

fn bazel(site: &Site, rule: &Rule) -> String {
    let host = host(rule).rsplit_once(':').map_or(host(rule), |(name, _)| name);
    format!("common --credential_helper={host}={}\n", for_a_shell(&site.script("bazel", rule).display().to_string()))
}

fn google(site: &Site, rules: &[Rule], text: &str) -> Result<String, String> {
    if !text.is_empty() {
        return Err("other credentials are there already".to_owned());
    }
    let Some(rule) = rules.first() else { return Ok(String::new()) };
    let id_token = !rule.options.iter().any(|option| option == "--access-token");
    let kind = if id_token { "id_token" } else { "jwt" };
    let said = json!({
        "type": "external_account",
        "audience": rule.host,
        "subject_token_type": format!("urn:ietf:params:oauth:token-type:{kind}"),
        "token_url": "https://sts.googleapis.com/v1/token",
        "credential_source": { "executable": { "command": site.line("google", rule), "timeout_millis": 30_000 } },
    });
    Ok(format!("{said:#}\n"))
}

/// The file is one credential: it goes whole, or not.
fn google_gone(site: &Site, rule: &Rule, text: &str) -> Result<String, String> {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    let command = |said: &serde_json::Value| said.pointer("/credential_source/executable/command").cloned();
    let (said, ours) = (read(text), read(&google(site, std::slice::from_ref(rule), "")?));
    match said {
        Some(_) if said == ours => Ok(String::new()),
        Some(said) if ours.is_some_and(|ours| command(&said) == command(&ours)) => {
            Err("others have written to the credential since".to_owned())
        }
        _ => Ok(text.to_owned()),
    }
}

fn aws_header(rule: &Rule) -> String {
    format!("[profile {}]", aws_name(rule))
}

fn aws_name(rule: &Rule) -> String {
    rule.profile.as_deref().map_or("oauthctl".to_owned(), word)
}

fn aws(site: &Site, rules: &[Rule], text: &str) -> Result<String, String> {
    if let Some(rule) = rules.iter().find(|rule| text.lines().any(|line| line.trim() == aws_header(rule))) {
        return Err(format!("it has `{}` already", aws_header(rule)));
    }
    Ok(lines(text, rules, |rule| format!("{}\ncredential_process = {}\n", aws_header(rule), site.line("aws", rule))))
}

/// A credential has the name of its profile.
fn credential(rule: &Rule) -> Option<String> {
    rule.profile.as_ref().map(|profile| format!("{}={profile}", word(profile)))
}

/// The units of `systemctl --user`, with a credential for each profile.
fn systemd(site: &Site, rules: &[Rule]) -> Result<Vec<Own>, Error> {
    let at = |name: &str| site.home(&format!("$/systemd/user/{name}")).map_err(Error::usage);
    let [first, more @ ..] = rules else { return Ok(Vec::new()) };
    if more.iter().any(|rule| rule.options != first.options) {
        return Err(Error::usage("its units have the same options for every profile"));
    }
    let words = site.words("systemd", first).into_iter().chain(more.iter().filter_map(credential));
    // a `%` would be a specifier
    let line = words.map(|word| for_a_shell(&word).replace('%', "%%")).collect::<Vec<_>>().join(" ");
    let socket =
        "[Socket]\nListenStream=%t/oauthctl\nSocketMode=0600\nAccept=yes\n\n[Install]\nWantedBy=sockets.target\n";
    let service = format!("[Service]\nExecStart={line}\nStandardInput=socket\nStandardError=journal\n");
    let own = |file: PathBuf, text: String| Own { file, text, runs: false };
    Ok(vec![own(at("oauthctl.socket")?, socket.to_owned()), own(at("oauthctl@.service")?, service)])
}

//! `provider test`: the program's own commands against a provider that is played by its entry. It
//! all happens in a world apart: no request leaves the machine, no browser opens, and nothing of
//! the user's is read or changed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::provider::{ClientAuth, LoopbackMode, Provider, TokenKind, Var, VarFrom};
use crate::sandbox::player::{LIST, OWN_PAGE, Player, RECORDS, Registered, WRONG_SECRET, example};
use crate::secret::redact;
use crate::text::safe;
use crate::world::apart::{Apart, Left, Moved};
use crate::world::files::make_folder;

/// A client whose id and secret have to be encoded.
const ID: &str = "practice+client=1";
const SECRET: &str = "practice+secret/%&=1";

/// The profiles that sign in: as the entry says, with a wrong secret, and on another device.
const PROFILES: [&str; 3] = ["play", "wrong", "device"];

/// The ports to listen on, for a provider that compares them.
const PORTS: &str = "41870-41885";

/// A command, or a few, and what came of it.
pub struct Step {
    pub name: &'static str,
    pub came: Came,
}

pub enum Came {
    /// The exit code that it should have.
    Right(u8),
    Wrong(u8, String),
    /// Why it can't be done there.
    Left(String),
}

/// The entry that is tried, and its file's text as `providers/NAME.toml`.
pub struct Entry<'a> {
    pub provider: &'a Provider,
    pub environment: Option<&'a str>,
    pub text: String,
}

/// Where and when a trial takes place.
#[derive(Clone, Copy)]
pub struct Room<'a> {
    /// A new one, for configuration and state.
    pub folder: &'a Path,
    pub now: i64,
    /// Whether a signal came: no further command is begun.
    pub stopped: &'a AtomicBool,
}

/// A trial under way.
struct Trial<'a> {
    room: &'a Room<'a>,
    player: Arc<Player>,
    world: Apart,
    steps: Vec<Step>,
}

/// How one signs in.
#[derive(Clone, Copy, PartialEq)]
enum How {
    Browser,
    Device,
    /// The client for itself.
    Itself,
}

impl How {
    fn of(player: &Player) -> Option<How> {
        let facts = &player.facts;
        match () {
            () if facts.has_browser_login() => Some(How::Browser),
            () if facts.after.device.is_some() => Some(How::Device),
            () if facts.after.client_credentials.supported => Some(How::Itself),
            () => None,
        }
    }
}

/// Tries all commands.
pub fn steps(entry: &Entry<'_>, room: &Room<'_>) -> Vec<Step> {
    let left = |why: String| vec![Step { name: "login", came: Came::Left(why) }];
    let ways = &entry.provider.token.auth;
    let by_secret = |way: &ClientAuth| {
        use ClientAuth::{None, PrivateKeyJwt, SelfSignedTlsClientAuth, TlsClientAuth};
        !matches!(way, None | PrivateKeyJwt | TlsClientAuth | SelfSignedTlsClientAuth)
    };
    if !ways.iter().any(|way| by_secret(way) || *way == ClientAuth::None) {
        return left("its clients prove themselves by a key or a certificate".to_owned());
    }
    let secret = ways.iter().any(by_secret).then(|| SECRET.to_owned());
    let mut given = BTreeMap::new();
    let asked = |(_, var): &(&String, &Var)| var.from == VarFrom::User && var.default.is_none();
    for (name, _) in entry.provider.vars.iter().filter(asked) {
        match example(entry.provider, name) {
            Some(value) => drop(given.insert(name.clone(), value)),
            None => return left(format!("no value is known for the variable `{}`", safe(name))),
        }
    }
    let clock = Arc::new(Moved::from(room.now));
    let client = Registered { id: ID.to_owned(), secret };
    let player = match Player::new(entry.provider, &given, client, clock.clone()) {
        Ok(player) => Arc::new(player),
        Err(why) => return left(why),
    };
    let Some(how) = How::of(&player) else { return left("the entry has no way to sign in".to_owned()) };
    if let Err(why) = write_files(entry, how, &given, room.folder) {
        return left(why);
    }
    let visited = Arc::clone(&player);
    let mut world = Apart::new(clock, player.clone(), Arc::new(move |address: &str| visited.visit(address)));
    world.variables = variables(room.folder, ways.iter().any(by_secret));
    let mut trial = Trial { room, player, world, steps: Vec::new() };
    trial.all(how);
    trial.steps
}

/// The person's variables.
fn variables(folder: &Path, has_secret: bool) -> BTreeMap<String, OsString> {
    let home = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    let folders = [(home, ""), ("OAUTHCTL_CONFIG_DIR", "config"), ("OAUTHCTL_STATE_DIR", "state")];
    let mut all: BTreeMap<String, OsString> =
        folders.map(|(name, below)| (name.to_owned(), folder.join(below).into_os_string())).into();
    for name in PROFILES.iter().filter(|_| has_secret) {
        let secret = if *name == "wrong" { WRONG_SECRET } else { SECRET };
        all.insert(format!("OAUTHCTL_{}_CLIENT_SECRET", name.to_uppercase()), secret.into());
    }
    all
}

/// The provider's file, and a configuration with the profiles.
fn write_files(entry: &Entry<'_>, how: How, given: &BTreeMap<String, String>, folder: &Path) -> Result<(), String> {
    let (provider, config) = (entry.provider, folder.join("config"));
    let quoted = |text: &str| toml_edit::Value::from(text).to_string();
    let mut lines = format!("provider = {}\nclient-id = {}\n", quoted(&provider.id), quoted(ID));
    if let Some(environment) = entry.environment {
        lines += &format!("environment = {}\n", quoted(environment));
    }
    let facts = &provider.redirect;
    match facts.loopback {
        _ if facts.paste.is_some() => {}
        LoopbackMode::None if provider.authorize.send_redirect_uri && facts.alias.is_none() => {
            lines += &format!("redirect-uri = {}\n", quoted(OWN_PAGE));
        }
        LoopbackMode::None | LoopbackMode::AnyPort => {}
        _ => lines += &format!("port = {}\n", quoted(PORTS)),
    }
    for (name, value) in given {
        lines += &format!("vars.{} = {}\n", toml_edit::Key::new(name), quoted(value));
    }
    // a code on another device is never asked for unless one says so
    let by_device = "grant = \"device-code\"\n";
    let usual = if how == How::Device { by_device } else { "" };
    let grants = [usual, usual, by_device];
    let profiles = PROFILES.iter().zip(grants).map(|(name, grant)| format!("[profiles.{name}]\n{lines}{grant}"));
    let unwritten = |e: &dyn std::fmt::Display| format!("its files can't be written: {e}");
    make_folder(&config.join("providers")).map_err(|e| unwritten(&e))?;
    let file = config.join("providers").join(format!("{}.toml", provider.id));
    std::fs::write(file, &entry.text).map_err(|e| unwritten(&e))?;
    std::fs::write(config.join("config.toml"), profiles.collect::<String>()).map_err(|e| unwritten(&e))
}

impl Trial<'_> {
    fn all(&mut self, how: How) {
        let facts = &self.player.facts;
        let (has_device, revokes) = (facts.after.device.is_some(), facts.after.revoke.is_some());
        if !self.login("login", how) {
            return;
        }
        self.right("token", &["token", "play"], 0, |trial, left, _| {
            let expected = format!("{}\n", trial.player.access_token());
            if left.out == expected { Ok(()) } else { Err("prints another token than was issued".to_owned()) }
        });
        self.whoami();
        self.list();
        self.renewals(how);
        self.login("login again", how);
        self.logout(revokes);
        if self.player.has_secret() {
            self.right("wrong secret", &login_line("wrong", how), 2, |_, _, seen| has(seen, "wrong secret"));
        } else {
            self.leaves("wrong secret", "its clients have no secret");
        }
        match (how, has_device) {
            (How::Browser, true) => {
                self.right("device", &login_line("device", How::Device), 0, |_, _, seen| has(seen, "poll"));
            }
            (How::Browser, false) => self.leaves("device", "the entry has no device endpoint"),
            _ => {}
        }
    }

    fn leaves(&mut self, name: &'static str, why: &str) {
        self.steps.push(Step { name, came: Came::Left(why.to_owned()) });
    }

    fn run(&self, line: &[&str]) -> Left {
        let args = std::iter::once("oauthctl").chain(line.iter().copied()).map(OsString::from);
        let args: Vec<OsString> = args.collect();
        self.world.run(|world| crate::command::run(args, world))
    }

    /// Runs a command that should end with `code`, and looks at what it left.
    fn right(
        &mut self,
        name: &'static str,
        line: &[&str],
        code: u8,
        look: impl FnOnce(&Trial<'_>, &Left, &[&str]) -> Result<(), String>,
    ) -> bool {
        if self.room.stopped.load(Ordering::SeqCst) {
            return false;
        }
        let left = self.run(line);
        let (faults, seen) = (self.player.faults(), self.player.seen());
        let error = left.err.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
        let wrong = match faults.into_iter().next() {
            Some(fault) => Some(fault),
            None if left.code != code => Some(format!("should end with {code}; {error}")),
            None => look(self, &left, &seen).err(),
        };
        let came = wrong.map_or(Came::Right(code), |why| Came::Wrong(left.code, safe(&redact(&why))));
        let is_right = matches!(came, Came::Right(_));
        self.steps.push(Step { name, came });
        is_right
    }

    fn login(&mut self, name: &'static str, how: How) -> bool {
        self.right(name, &login_line("play", how), 0, |_, _, seen| {
            let requests: &[&str] = match how {
                How::Browser => &["authorize", "token"],
                How::Device => &["device", "poll"],
                How::Itself => &["client credentials"],
            };
            requests.iter().try_for_each(|request| has(seen, request))
        })
    }

    fn whoami(&mut self) {
        let facts = &self.player.facts.after;
        if facts.whoami.is_none() && facts.userinfo.url.is_none() {
            return self.leaves("whoami", "the entry has no request for the account");
        }
        self.right("whoami", &["whoami", "play"], 0, |trial, left, _| match trial.player.account_shown() {
            Some(account) if left.out != format!("{account}\n") => Err("prints another account".to_owned()),
            _ => Ok(()),
        });
    }

    fn list(&mut self) {
        if self.player.facts.after.api.base_url.is_none() {
            return self.leaves("call --paginate", "the entry has no address of an API");
        }
        self.right("call --paginate", &["call", "play", LIST, "--paginate"], 0, |_, left, _| {
            match left.out.lines().count() {
                RECORDS => Ok(()),
                count => Err(format!("prints {count} of {RECORDS} records")),
            }
        });
    }

    /// A token that the API refuses as expired, `refresh`, and a refresh token that is dead.
    fn renewals(&mut self, how: How) {
        let facts = &self.player.facts;
        let by_access = facts.after.refresh.source == TokenKind::AccessToken;
        let renews = how == How::Itself || self.player.gave_refresh_token() || facts.renews() && by_access;
        if !renews {
            self.right("refresh", &["refresh", "play"], 4, |_, _, _| Ok(()));
            return self.leaves("dead refresh token", "a login brings no refresh token");
        }
        let is_new = |before: String| {
            move |trial: &Trial<'_>, _: &Left, _: &[&str]| {
                if trial.player.access_token() == before { Err("brings no new token".to_owned()) } else { Ok(()) }
            }
        };
        // an expired access token renews nothing
        if self.player.facts.after.api.base_url.is_some() && !by_access {
            let before = self.player.access_token();
            self.player.end_access_token();
            self.right("expired token", &["call", "play", LIST, "--paginate"], 0, is_new(before));
        }
        let before = self.player.access_token();
        self.right("refresh", &["refresh", "play"], 0, is_new(before));
        if how == How::Itself {
            return self.leaves("dead refresh token", "a login brings no refresh token");
        }
        self.player.end_logins();
        self.right("dead refresh token", &["refresh", "play"], 4, |_, _, seen| has(seen, "refresh"));
    }

    fn logout(&mut self, revokes: bool) {
        let has_refresh = self.player.gave_refresh_token();
        let kinds: Vec<TokenKind> =
            self.player.facts.after.revoke.iter().flat_map(|revoke| revoke.tokens.iter().copied()).collect();
        self.right("logout", &["logout", "play"], 0, |_, _, seen| {
            kinds.iter().filter(|_| revokes).try_for_each(|kind| match kind {
                TokenKind::AccessToken => has(seen, "revocation of the access token"),
                TokenKind::RefreshToken if has_refresh => has(seen, "revocation of the refresh token"),
                TokenKind::RefreshToken => Ok(()),
            })
        });
        self.right("token after it", &["token", "play"], 4, |_, _, _| Ok(()));
    }
}

fn login_line(profile: &'static str, how: How) -> Vec<&'static str> {
    let mut line = vec!["login", profile, "--no-register"];
    if how == How::Browser {
        line.extend(["--no-browser", "--yes", "--timeout", "30s"]);
    }
    line
}

fn has(seen: &[&str], what: &str) -> Result<(), String> {
    if seen.contains(&what) { Ok(()) } else { Err(format!("sends no {what} request")) }
}

/// A line to each step.
pub fn table(steps: &[Step]) -> String {
    let line = |step: &Step| match &step.came {
        Came::Right(code) => format!("{:20} ok     exit {code}\n", step.name),
        Came::Wrong(code, why) => format!("{:20} WRONG  exit {code}: {why}\n", step.name),
        Came::Left(why) => format!("{:20} -      {why}\n", step.name),
    };
    steps.iter().map(line).collect()
}

/// Whether no step went wrong, and the first that did.
pub fn wrong(steps: &[Step]) -> Option<(&'static str, &str)> {
    steps.iter().find_map(|step| match &step.came {
        Came::Wrong(_, why) => Some((step.name, why.as_str())),
        _ => None,
    })
}

/// The steps that can't be done there, and why.
pub fn left(steps: &[Step]) -> impl Iterator<Item = (&'static str, &str)> {
    steps.iter().filter_map(|step| match &step.came {
        Came::Left(why) => Some((step.name, why.as_str())),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::resolve::from_text;

    /// Every part that a trial goes through.
    const ENTRY: &str = r#"id = "x"
authorize.url = "https://as.example/authorize"
authorize.params = { access_type = "offline" }
scopes = { default = ["read", "write"], separator = "," }
token.url = "https://as.example/token"
token.auth = ["basic"]
device.url = "https://as.example/device"
revoke.url = "https://as.example/revoke"
redirect.loopback = "exact"
api.base-url = "https://api.example/v1"
api.headers = { X-Version = "3" }
api.pages = { by = "cursor", next = ["meta.next"], param = "from", size-param = "count", size = 50 }
whoami = { url = "/me", id = "id", label = "name" }
errors = [{ status = 403, code = 17, means = "expired" }, { code = "gone", at = "token", means = "revoked" }]
"#;

    /// The player has the entry with these lines, the program with those.
    fn tried(played: &str, programs: &str) -> Vec<Step> {
        let text = |more: &str| {
            let key = |line: &str| line.split(" = ").next().unwrap_or_default().to_owned();
            let gives_way = |old: &str, new: &str| old == new || old.starts_with(&format!("{new}."));
            let kept = ENTRY.lines().filter(|line| !more.lines().any(|new| gives_way(&key(line), &key(new))));
            kept.chain(more.lines()).map(|line| format!("{line}\n")).collect::<String>()
        };
        let provider = from_text("x", &text(played), None).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let room = Room { folder: folder.path(), now: 1_795_298_400, stopped: &AtomicBool::new(false) };
        steps(&Entry { provider: &provider, environment: None, text: text(programs) }, &room)
    }

    #[test]
    fn an_entry_passes_every_step_against_itself() {
        let steps = tried("", "");
        let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
        assert_eq!(wrong(&steps), None);
        assert_eq!(left(&steps).next(), None);
        assert_eq!(
            names,
            [
                "login",
                "token",
                "whoami",
                "call --paginate",
                "expired token",
                "refresh",
                "dead refresh token",
                "login again",
                "logout",
                "token after it",
                "wrong secret",
                "device"
            ]
        );
    }

    #[test]
    fn entries_of_other_manners_pass_too() {
        for both in [
            "token.params-in = \"json\"\ntoken.auth = [\"post\"]",
            "token = { url = \"https://as.example/token?v=2\", method = \"GET\", params-in = \"query\", auth = [\"query\"] }",
            "token.auth = [\"none\"]\npkce.method = \"plain\"",
            "token.send-redirect-uri = false\nauthorize.send-redirect-uri = false\nredirect.loopback = \"none\"",
            "authorize.state = \"not_returned\"\npkce.mode = \"off\"",
            "authorize.params-in = \"fragment\"\nauthorize.fragment = \"/page\"",
            "scopes = { default = [\"a:b\", \"c\"], separator = \"+\" }\nauthorize.raw = [\"scope\"]",
            "redirect = { loopback = \"https\", path = \"/back/*\" }",
            "redirect = { paste = \"oob\" }",
            "redirect = { paste = \"com.example.app:/cb\" }",
            "redirect.alias = \"A-Name\"",
            "refresh.supported = false",
            "refresh = { source = \"access_token\", grant-type = \"exchange\", token-param = \"access_token\" }",
            "refresh.rotates = \"no\"\nrefresh.send-redirect-uri = true",
            "response = { root = \"data\", ok-field = \"code\", ok-value = 0, error = [\"code\"], expires-unit = \"epoch-ms\" }",
            "response = { expires-in = \"until\", expires-unit = \"iso8601\", default-token-type = \"Bearer\" }",
            // the address of the next page repeats the token
            "api.auth = { in = \"query\" }\napi.pages = { by = \"url\", next = [\"next\"], items = \"data.rows\" }",
            "api.auth = { name = \"X-Key\", scheme = \"\" }\napi.pages = { by = \"page\", start = 0, total-header = \"Pages\" }",
            "api.headers = { Accept = \"application/x+json\" }\napi.pages = { by = \"offset\", param = \"skip\" }",
            "api.query = { v = \"3\" }\napi.pages = { by = \"none\" }",
            "revoke = { url = \"https://as.example/tokens\", token-in-path = true, auth = [\"bearer_self\"], method = \"DELETE\" }",
            "device.fields = { device_code = \"code\" }\ntoken.rename = { device_code = \"code_of_device\" }",
        ] {
            let steps = tried(both, both);
            assert_eq!(wrong(&steps), None, "{both}\n{}", table(&steps));
        }
    }

    #[test]
    fn a_program_that_does_otherwise_is_found_out() {
        for (at, played, programs) in [
            ("login", "", "token.auth = [\"post\"]"),
            ("login", "token.auth = [\"post\"]", ""),
            ("login", "token.auth = [\"basic_raw\"]", ""),
            ("login", "token.auth = [\"none\"]", ""),
            ("login", "token.params-in = \"json\"", ""),
            ("login", "token.method = \"PUT\"", ""),
            ("login", "token.params = { audience = \"a\" }", ""),
            ("login", "", "token.params = { audience = \"a\" }"),
            ("login", "token.headers = { X-Domain = \"a\" }", ""),
            ("login", "token.send-redirect-uri = false", ""),
            ("login", "token.url = \"https://other.example/token\"", ""),
            ("login", "scopes = { default = [\"read\", \"write\"] }", ""),
            ("login", "scopes = { default = [\"read\"] }", ""),
            ("login", "authorize.params = {}", ""),
            ("login", "authorize.rename = { client_id = \"client_key\" }", ""),
            ("login", "pkce.mode = \"off\"", ""),
            ("login", "", "pkce.mode = \"off\""),
            ("login", "pkce.method = \"plain\"", ""),
            ("login", "redirect.path = \"/other\"", ""),
            ("login", "redirect.host = \"localhost\"", ""),
            ("login", "response.access-token = \"token\"", ""),
            ("login", "callback.code-param = \"the_code\"", ""),
            ("login", "api.auth.scheme = \"Token\"", ""),
            ("login", "api.headers = { X-Version = \"4\" }", ""),
            ("call --paginate", "api.pages = { by = \"offset\" }", ""),
            ("call --paginate", "api.pages = { by = \"none\" }", ""),
            ("expired token", "", "errors = [{ status = 403, code = 18, means = \"expired\" }]"),
            ("expired token", "refresh.token-param = \"old\"", ""),
            ("expired token", "refresh.auth = [\"post\"]", ""),
            ("expired token", "refresh.params = { resource = \"a\" }", ""),
            ("dead refresh token", "", "errors = [{ status = 403, code = 17, means = \"expired\" }]"),
            ("logout", "revoke.token-param = \"the_token\"", ""),
            ("logout", "revoke.auth = [\"bearer_self\"]", ""),
            ("logout", "", "revoke.tokens = [\"access_token\"]"),
            ("device", "device.grant-type = \"device\"", ""),
            ("device", "device.fields = { device_code = \"code\" }", ""),
        ] {
            let steps = tried(played, programs);
            assert_eq!(wrong(&steps).map(|(step, _)| step), Some(at), "{played} | {programs}\n{}", table(&steps));
        }
    }
}

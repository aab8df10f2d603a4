//! Signs in with a browser.

use std::time::Duration;

use super::Start;
use super::prompt::{Needed, complete_client};
use crate::command::no_input;
use crate::config::GrantKind;
use crate::error::Error;
use crate::grant::authorization_code::{self, Caught, Listening, Login, wants_confirmation};
use crate::grant::authorization_url::Travel;
use crate::grant::redirect_plan::{self, Plan, Target, USUAL_PORT};
use crate::grant::signed_in_as::Sent;
use crate::grant::tunnel::Ssh;
use crate::protocol::client::Client;
use crate::protocol::jarm;
use crate::provider::Provider;
use crate::session::Session;
use crate::session::record::Record;
use crate::session::unfinished::Asked;
use crate::token::TokenSet;
use crate::world::World;

/// The wait for the browser: most providers' codes expire after five minutes.
const USUAL_WAIT: Duration = Duration::from_secs(300);

pub(super) struct Obtained {
    pub set: TokenSet,
    pub client: Client,
    pub asked: Vec<String>,
    pub redirect_params: Vec<(String, String)>,
    pub caught: Option<Caught>,
    /// The values that an ID token must repeat.
    pub sent: Sent,
    pub confirm: bool,
}

/// The state of a login before the first question, and when it fails.
#[derive(Default)]
pub(super) struct Attempt {
    /// A message about the store, for the time when all answers are given.
    pub store_notice: Option<String>,
    pub waiting: Option<(Plan, Listening)>,
    /// The client in use, if the user typed it.
    pub asked: Option<Asked>,
    /// `init`, or a first login.
    pub guided: bool,
    /// The page where an app is registered may be opened.
    pub opens: bool,
    /// The person chose the provider by a question: no command line says which grant is meant.
    pub led: bool,
    /// No option says anything about the profile.
    pub plain: bool,
}

impl Attempt {
    /// Client id and secret, from any source.
    pub fn client(&mut self, world: &mut World, session: &mut Session, needed: &Needed<'_>) -> Result<Client, Error> {
        let (client, asked) = complete_client(world, session, (needed, self.opens))?;
        self.asked = asked;
        self.say_notice(world);
        Ok(client)
    }

    /// Prints the message about the store once.
    pub fn say_notice(&mut self, world: &mut World) {
        if let Some(notice) = self.store_notice.take() {
            world.say(&notice);
        }
    }
}

/// The response mode that the request asks for: the person's `--param`, the profile's key, or the
/// provider's.
fn response_mode(session: &Session, provider: &Provider) -> Option<String> {
    const NAME: &str = "response_mode";
    let profile = &session.profile;
    let asked = || profile.authorize_params().into_iter().find(|(name, _)| *name == NAME).map(|(_, mode)| mode);
    let mode = profile.params.get(NAME).cloned().or_else(asked);
    mode.or_else(|| provider.authorize.params.get(NAME).cloned()).filter(|mode| !mode.is_empty())
}

/// Chooses the redirect address and binds its port.
pub(super) fn make_ready(
    world: &mut World,
    session: &Session,
    provider: &Provider,
) -> Result<(Plan, Listening), Error> {
    let random = crate::session::random_hex(world);
    let plan = redirect_plan::plan(provider, &session.profile, &random)?;
    let posted = response_mode(session, provider).is_some_and(|mode| mode.starts_with("form_post"));
    if let (Target::Paste { why }, true) = (&plan.target, posted) {
        return Err(Error::usage(format!("{why}: a response by `form_post` can't be pasted"))
            .hint(session.typed.login_with(&[("--response-mode", "query")])));
    }
    let wide = plan.bind().filter(|bind| !bind.ip().is_loopback());
    if wide.is_some() && wants_confirmation(provider, &plan) {
        return Err(Error::usage(format!("{} returns no `state`: only this machine may answer it", provider.name))
            .hint(
                "`--listen` with an address of loopback, or without it: paste the address that the browser ends on",
            ));
    }
    let listening = authorization_code::listen(&plan, posted)?;
    if let Some(bind) = wide {
        world.warn(&format!(
            "other machines can reach the listener at {} until this login ends; it takes the response with this login's `state` alone",
            bind.ip()
        ));
    }
    Ok((plan, listening))
}

/// RFC 8252, section 7.3: a server takes any port of loopback. Some take it at the registration
/// alone.
fn with_a_port(session: &Session, old: Option<&Record>, plan: &Plan) -> Option<String> {
    let Target::Listen { address, .. } = &plan.target else { return None };
    if !address.ports.is_empty() || plan.random_path {
        return None;
    }
    let port = USUAL_PORT.to_string();
    let register = match old {
        Some(Record { registration: Some(_), .. }) => {
            format!("`{} --update --port {port}`", session.typed.line("register"))
        }
        Some(Record { registered: true, .. }) => format!("`{} --port {port}`", session.typed.line("register")),
        _ => format!("register one with the port {port} there"),
    };
    let login = session.typed.login_with(&[("--port", &port)]);
    Some(format!("if the provider's page refused the redirect address: {register}, then `{login}`"))
}

/// Whether a browser that opens is in front of the person: not over SSH, unless a display is named.
pub(super) fn browser_is_here(world: &World, session: &Session) -> bool {
    let has_display = ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"].iter().any(|name| world.env.var(name).is_some());
    Ssh::of(&*world.env).is_none() || has_display || session.profile.browser.is_some()
}

pub(super) fn by_browser(
    world: &mut World,
    session: &mut Session,
    &Start { provider, old, args, .. }: &Start<'_>,
    attempt: &mut Attempt,
) -> Result<Obtained, Error> {
    let signed = response_mode(session, provider).is_some_and(|mode| jarm::MODES.contains(&mode.as_str()));
    let provider = &if signed { session.whole_provider(world, old)? } else { provider.clone() };
    let (plan, listening) = match attempt.waiting.take() {
        Some(ready) => ready,
        None => make_ready(world, session, provider)?,
    };
    let needed = Needed { provider, old, endpoint: &provider.token, plan: Some(&plan), guided: attempt.guided };
    let client = attempt.client(world, session, &needed)?;
    let take_paste = !no_input(world);
    if let (Target::Paste { why }, false) = (&plan.target, take_paste) {
        return Err(Error::usage(format!("{why}, and questions are off here: the address can't be pasted"))
            .hint("`--grant client-credentials` needs no browser, if the provider supports it"));
    }
    let ssh = Ssh::of(&*world.env);
    let asked = session.scopes(provider, GrantKind::AuthorizationCode);
    let params: Vec<(String, String)> = session.profile.params.clone().into_iter().collect();
    let browser = session.profile.browser.clone();
    let confirm = wants_confirmation(provider, &plan);
    let if_refused = with_a_port(session, old, &plan);
    let login = Login {
        asking: session.asking_with(provider, &client),
        scopes: &asked,
        plan,
        params: &params,
        timeout: args.timeout.unwrap_or(USUAL_WAIT),
        open_browser: !args.no_browser && take_paste && browser_is_here(world, session),
        if_refused,
        browser: browser.as_deref().unwrap_or_default(),
        take_paste,
        ssh,
        asks: session.profile.authorize_params(),
        targets: &session.profile.target,
        travel: Travel {
            par: session.profile.asks.sign_in.par.unwrap_or_default(),
            request_object: session.profile.asks.sign_in.request_object.unwrap_or_default(),
        },
        iss_required: session.server.as_ref().is_some_and(|server| server.iss_required),
        keys: session.key_ring(),
    };
    let obtained = authorization_code::obtain(world, &login, listening)?;
    session.keep_keys(obtained.keys);
    Ok(Obtained {
        set: obtained.answer.set,
        client,
        asked,
        redirect_params: obtained.redirect_params,
        sent: obtained.sent,
        caught: Some(obtained.caught),
        confirm,
    })
}

//! A login in a browser (RFC 6749, section 4.1, with RFC 7636, RFC 8252 and RFC 9207).
//!
//! The listener is bound before the browser opens. The redirect is compared with what this login
//! sent; the code is exchanged at once, and once. The wait also takes the address that the user
//! pastes into the terminal, with the same checks. The caller chooses the browser's last page when
//! the tokens are stored: see [`Caught`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::config::TokenTarget;
use crate::error::{Asked, Error, Kind, refused_at_authorize, unanswered};
use crate::grant::authorization_url::{self, Address, Travel};
use crate::grant::jarm::SignedAnswer;
use crate::grant::jwks::{KeptKeys, KeyRing};
use crate::grant::redirect_plan::{Plan, Target};
use crate::grant::signed_in_as::Sent;
use crate::grant::stand_in::{Pressed, StandIn};
use crate::grant::tunnel::{self, Ssh};
use crate::grant::{Asking, ask, explain, look_closely, random_text, taught};
use crate::protocol::api_error::Told;
use crate::protocol::authorization_request::{self, AuthorizeRequest};
use crate::protocol::authorization_response::{self, Expected, NotPasted, Verdict};
use crate::protocol::explain::{Line, Step, got, sent as sent_line};
use crate::protocol::token_response::Answer;
use crate::protocol::{pkce, token_request};
use crate::provider::expand::REDIRECT_URI;
use crate::provider::{PkceMode, Provider, StateEcho};
use crate::secret::Secret;
use crate::text::safe;
use crate::wire::Request;
use crate::world::http_server::loopback::{self, Arrived, Host, Loopback, Oversize, Page, Reply, Stranger, Unheard};
use crate::world::{Unanswered, Verbosity, World};

/// The settings of a login, decided before anything happens.
pub struct Login<'a> {
    pub asking: Asking,
    pub scopes: &'a [String],
    pub plan: Plan,
    /// Extra parameters of the authorization request.
    pub params: &'a [(String, String)],
    pub timeout: Duration,
    pub open_browser: bool,
    /// The hint for a provider whose page refuses the redirect address, which only the user sees.
    pub if_refused: Option<String>,
    /// The profile's own browser and its arguments; empty: the user's.
    pub browser: &'a [String],
    /// Whether a pasted address may be read from standard input.
    pub take_paste: bool,
    /// Set if the browser is on another machine.
    pub ssh: Option<Ssh>,
    /// The profile's parameters beside scopes, by their names on the wire.
    pub asks: Vec<(&'static str, String)>,
    /// The services that the token is for.
    pub targets: &'a TokenTarget,
    pub travel: Travel,
    /// The server announced that it names itself in each response (RFC 9207).
    pub iss_required: bool,
    /// For a signed response.
    pub keys: KeyRing,
}

/// The browser that waits for its last page, and the listener that it came to.
pub struct Caught {
    reply: Option<Reply>,
    listener: Option<Loopback>,
    late: Receiver<Event>,
}

/// The tokens, and what came with the code.
pub struct Obtained {
    pub answer: Answer,
    pub redirect_params: Vec<(String, String)>,
    pub caught: Caught,
    /// The values that an ID token must agree with.
    pub sent: Sent,
    /// The server's keys, if a signed response needed them.
    pub keys: Option<KeptKeys>,
}

enum Event {
    Redirect(Arrived),
    Unheard(Unheard),
    Pasted(Secret),
    /// Why a practice server's page had no button to press.
    NoButton(String),
    NothingToPaste,
    Signal(i32),
}

/// The ports that a login waits at. They are bound before the user is asked for anything, so that a
/// port in use costs no typed answer.
pub struct Listening {
    listener: Option<Loopback>,
    /// Where the browser goes first, if not to the listener: see [`Loopback::entrance`].
    entrance: Option<Loopback>,
    events: Sender<Event>,
    inbox: Receiver<Event>,
    /// Whether any event has come yet.
    acted: Arc<AtomicBool>,
}

/// Binds the ports. `posted`: the response may come as a form.
pub fn listen(plan: &Plan, posted: bool) -> Result<Listening, Error> {
    let (events, inbox) = channel();
    let acted = Arc::new(AtomicBool::new(false));
    let bind = |address: &loopback::Address, posted: bool| {
        let (requests, unheard) = (forward(&events, &acted, Event::Redirect), forward(&events, &acted, Event::Unheard));
        Loopback::bind(address, requests, unheard, posted)
    };
    let (listener, entrance) = match &plan.target {
        Target::Listen { address, .. } => {
            let listener = bind(address, posted)?;
            // a browser warns of our certificate: only on the way back, when the user knows of it;
            // a browser of this machine needs no forwarder
            let plain = loopback::Address { host: Host::Literal, ports: Vec::new(), tls: false, bind: None };
            let own = address.tls || address.bind.is_some();
            (Some(listener), if own { Some(bind(&plain, false)?) } else { None })
        }
        Target::Paste { .. } => (None, None),
    };
    Ok(Listening { listener, entrance, events, inbox, acted })
}

/// The shortest time between two messages about noise (L-57).
const NOISE_EVERY: Duration = Duration::from_secs(10);

/// Characters of a text that are quoted from a request that proves nothing.
const LONGEST_QUOTE: usize = 200;

impl Caught {
    /// Sends the last page to the browser, and to a request that came twice, and closes the port.
    pub fn tell(mut self, page: Page) {
        if let Some(reply) = self.reply.take() {
            reply.send(page);
        }
        for event in self.late.try_iter() {
            if let Event::Redirect(arrived) = event {
                arrived.reply.send(page);
            }
        }
        if let Some(listener) = self.listener.take() {
            listener.finish();
        }
    }
}

/// Runs the whole login up to the response of the token endpoint. From the redirect on signals are
/// held back, so that the tokens can be stored first (L-47): the caller releases them.
pub fn obtain(world: &mut World, login: &Login<'_>, listening: Listening) -> Result<Obtained, Error> {
    let about_redirect = |e: &Error| e.causes().iter().any(|cause| cause.contains("redirect"));
    let mut attempt = Attempt::new(world, login, &listening)
        .map_err(|e| if about_redirect(&e) { e.hints(login.if_refused.clone()) } else { e })?;
    // from here on the user can act, and the time runs
    let deadline = world.clock.elapsed() + login.timeout;
    attempt.begin(world, &listening);
    let Redirected { code, mut params, reply } = match attempt.wait(world, &listening, deadline) {
        Ok(redirected) => redirected,
        Err(e) => {
            // the browser may be on its way to the page that says so
            if let Some(listener) = listening.listener {
                listener.finish();
            }
            world.signals.release();
            let unseen = matches!(e.kind, Kind::NobodyAnswered | Kind::Interrupted);
            return Err(e.hints(login.if_refused.clone().filter(|_| unseen)));
        }
    };
    let caught = Caught { reply, listener: listening.listener, late: listening.inbox };
    match attempt.exchange(world, &code, &mut params) {
        Ok(answer) => Ok(Obtained {
            answer,
            redirect_params: params,
            caught,
            sent: Sent { code: Some(code), ..attempt.sent },
            keys: attempt.signed.and_then(|signed| signed.kept_keys().cloned()),
        }),
        Err(e) => {
            caught.tell(Page::Failed);
            world.signals.release();
            // the first try spends a code, whatever came of it (RFC 6749, section 4.1.2; T-60)
            Err(if e.kind == Kind::TryLater { e.hint(login.asking.profile.login()) } else { e })
        }
    }
}

/// A login under way: its request, and the values that the response is compared with.
struct Attempt<'a> {
    login: &'a Login<'a>,
    /// The address that the browser comes back to.
    comes_back_to: Option<String>,
    /// The address that the requests name.
    redirect_uri: Option<String>,
    verifier: Option<Secret>,
    address: Address,
    expected: Expected,
    /// Set if a signed response was requested.
    signed: Option<SignedAnswer<'a>>,
    sent: Sent,
    noise: Noise,
}

/// The response that belongs to this login.
struct Redirected {
    code: Secret,
    params: Vec<(String, String)>,
    reply: Option<Reply>,
}

impl<'a> Attempt<'a> {
    /// Makes the authorization request, and pushes it if the provider wants that.
    fn new(world: &mut World, login: &'a Login<'a>, listening: &Listening) -> Result<Attempt<'a>, Error> {
        let Asking { provider, client, .. } = &login.asking;
        let path = if let Target::Listen { path, .. } = &login.plan.target { path } else { "" };
        let origin = listening.listener.as_ref().map(Loopback::origin);
        let comes_back_to = login.plan.redirect_uri(origin.as_deref(), path);
        let redirect_uri = provider.redirect.alias.clone().or_else(|| comes_back_to.clone());
        let state = Secret::new(random_text::<32>(world));
        // servers refuse `openid` without one, and an ID token without ours is another login's
        let is_openid = login.scopes.iter().any(|s| s == "openid");
        let nonce = is_openid.then(|| Secret::new(random_text::<32>(world)));
        let verifier = match (provider.pkce.mode, &client.secret) {
            (PkceMode::Off, _) | (PkceMode::PublicOnly, Some(_)) => None,
            _ => Some(Secret::new(random_text::<32>(world))),
        };
        let method = provider.pkce.method;
        let challenge = verifier.as_ref().map(|verifier| pkce::challenge(verifier, method));
        let mut more = login.params.to_vec();
        // the code is bound to the key too (RFC 9449, section 10)
        more.extend(client.proofs.dpop.iter().map(|dpop| ("dpop_jkt".to_owned(), dpop.thumbprint())));
        let request = AuthorizeRequest {
            client_id: &client.id,
            redirect_uri: redirect_uri.as_deref().unwrap_or(""),
            scopes: login.scopes,
            state: &state,
            challenge: challenge.as_deref().map(|challenge| (challenge, method)),
            nonce: nonce.as_ref(),
            params: &more,
            asks: &login.asks,
        };
        let params = authorization_request::params(provider, &request)?;
        let pairs = params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let sent = Sent { nonce, state: Some(state.clone()), ..Sent::of_params(pairs) };
        let signed = SignedAnswer::asked_for(&login.asking, &params, &login.keys)?;
        let shown = world.explains().then(|| params.clone());
        let address = authorization_url::address(world, &login.asking, params, login.travel)?;
        explain::step(world, || Step {
            title: "Sending the user to the provider",
            section: "RFC 6749, section 4.1.1; RFC 7636, section 4.3",
            why: "the user signs in there, in their own browser: no password passes through this program",
            lines: opened(&address, shown.unwrap_or_default()),
        });
        let expected = Expected {
            state,
            state_echo: provider.authorize.state,
            issuer: provider.issuer.clone(),
            // the code on a page comes without its issuer
            iss_required: login.iss_required && !login.plan.shows_code,
            code_param: provider.callback.code_param.clone(),
        };
        let noise = Noise::default();
        Ok(Attempt { login, comes_back_to, redirect_uri, verifier, address, expected, signed, sent, noise })
    }

    /// Shows the address, opens the browser, and starts to listen to the user.
    fn begin(&self, world: &mut World, listening: &Listening) {
        // before the address is shown: Ctrl-C counts from its first byte on, and an address pasted
        // at once isn't echoed
        world.signals.watch(first_interruption(listening));
        let stand_in = StandIn::at(world, &self.login.asking.provider, &self.address.url);
        let is_practice = stand_in.is_some();
        if self.login.take_paste {
            let (lines, typed) = channel();
            world.terminal.lines(lines);
            let to = listening.events.clone();
            std::thread::spawn(move || {
                let mut events = typed.iter().map(|line| typed_event(line, stand_in.as_ref()));
                if events.all(|event| to.send(event).is_ok()) {
                    let _ = to.send(Event::NothingToPaste);
                }
            });
        }
        let opened = self.invite(world, listening);
        if is_practice && !opened {
            say_without_browser(world, self.login);
        }
        if let Some(seconds) = self.address.good_for {
            world.say(&format!("The address is good once, and for {seconds} s."));
        }
    }

    /// Shows where to sign in, and opens the browser there. Returns whether it opened.
    fn invite(&self, world: &mut World, listening: &Listening) -> bool {
        let (login, url) = (self.login, &self.address.url);
        // the output of `--explain` is for pasting, and the address holds `state`
        let quiet = world.verbosity == Verbosity::Quiet || (world.explains() && login.open_browser);
        world.say(&format!("Sign in to {} at this address:", safe(&login.asking.provider.name)));
        if !quiet {
            // `state` is in it: the one text on stderr that holds a secret on purpose
            let _ = world.err.show(&format!("\n  {}\n\n", url.expose()));
        }
        let mut opened = false;
        if login.open_browser {
            // Every user of the machine can read the browser's command line. With `state` from it,
            // another user could bring their own sign-in here. So it names an address of the
            // listener, valid for one visit.
            let first = match listening.entrance.as_ref().or(listening.listener.as_ref()) {
                Some(entrance) => entrance.entrance(&random_text::<16>(world), url).map(Secret::new),
                None => Ok(url.clone()),
            };
            let acted = || listening.acted.load(Ordering::Relaxed);
            match first.and_then(|first| world.browser.open(first.expose(), login.browser, &acted)) {
                Ok(()) => {
                    opened = true;
                    world.say("Your browser should open there now.");
                }
                Err(e) => world.say(&format!("No browser opened here ({e}): open the address yourself.")),
            }
        }
        if listening.listener.as_ref().is_some_and(|l| l.origin().starts_with("https")) {
            world.say("The browser will warn of an unknown certificate when it comes back: this program made it just now, for this one answer. Go on past the warning.");
        }
        if quiet && !opened {
            // without the address nobody could sign in
            let _ = world.err.show(&format!("{}\n", url.expose()));
        }
        say_way_back(world, login, listening.listener.as_ref(), url);
        opened
    }

    /// Waits for the response with this login's state. Everything else is refused, and the wait
    /// goes on.
    fn wait(&mut self, world: &mut World, listening: &Listening, deadline: Duration) -> Result<Redirected, Error> {
        let mut next = None;
        loop {
            let left = deadline.saturating_sub(world.clock.elapsed());
            if left.is_zero() {
                return Err(self.unanswered());
            }
            // short naps, so that a machine that slept finds the deadline passed (L-45)
            let nap = left.min(Duration::from_secs(1));
            let event = match next.take().map_or_else(|| listening.inbox.recv_timeout(nap), Ok) {
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return Err(self.unanswered()),
                Ok(event) => event,
            };
            let redirected = match event {
                Event::Redirect(arrived) => self.arrived(world, arrived)?,
                Event::Pasted(line) => {
                    let whole;
                    (whole, next) = match self.is_code_alone(&line) {
                        true => (line, None),
                        false => whole_paste(listening, line),
                    };
                    self.pasted(world, &whole)?
                }
                Event::Signal(signal) => return Err(unanswered(Unanswered::Signal(signal), "nobody was signed in")),
                other => {
                    self.hear(world, other, listening.listener.is_some())?;
                    None
                }
            };
            if let Some(redirected) = redirected {
                return Ok(redirected);
            }
        }
    }

    /// Takes an event that brings no response.
    fn hear(&mut self, world: &mut World, event: Event, is_listening: bool) -> Result<(), Error> {
        match event {
            Event::NothingToPaste if is_listening => {
                if world.terminal.stdin_is_terminal() {
                    world.say("Nothing can be pasted any more. Still waiting for the browser; Ctrl-C ends this.");
                }
            }
            Event::NothingToPaste if self.noise.last.is_some() => return Err(self.unanswered()),
            Event::NothingToPaste => return Err(input_ended(world, self.login)),
            Event::NoButton(why) => world.say(&format!("The page says: {why}")),
            Event::Unheard(Unheard::Stranger(Stranger::Gone)) => {
                self.noise.heard(world, "its sender did not wait for an answer".to_owned());
            }
            Event::Unheard(Unheard::Stranger(Stranger::User(user))) => {
                self.noise.heard(world, "it came from another user of this machine".to_owned());
                self.noise.tell_once(world, user, self.login);
            }
            Event::Unheard(Unheard::TooLarge(part)) => self.oversized(world, part),
            Event::Redirect(_) | Event::Pasted(_) | Event::Signal(_) => {}
        }
        Ok(())
    }

    /// A request over the bounds. The first is told at once: it may be the browser's own, and then
    /// no other comes.
    fn oversized(&mut self, world: &mut World, part: Oversize) {
        let why = match part {
            Oversize::Line => "its address is longer than 32 KiB",
            Oversize::Headers => "its headers are larger than 64 KiB, or more than 100",
            Oversize::Form => "its form is larger than 16 KiB",
            Oversize::Body => "it has a body, and no such form was asked for",
        };
        let first = self.noise.oversized.replace(why).is_none();
        self.noise.say(world, why, first);
        if !first {
            return;
        }
        let host = self.redirect_uri.as_deref().and_then(|uri| url::Url::parse(uri).ok());
        let host = host.as_ref().and_then(url::Url::host_str).unwrap_or("127.0.0.1");
        world.say(&match part {
            Oversize::Headers => format!("A browser sends the cookies of all servers on `{host}`: delete its cookies for `{host}`, or open the address above in a private window."),
            Oversize::Body => "If it came from the provider: it answers by a form, which `--response-mode form_post` takes.".to_owned(),
            Oversize::Line | Oversize::Form => "If it came from the provider, its answer is too long: ask for fewer scopes, or for another `--response-mode`.".to_owned(),
        });
        let may_paste = matches!(part, Oversize::Line | Oversize::Headers) && self.login.take_paste;
        if may_paste && world.terminal.stdin_is_terminal() {
            world.say("Or paste the address that the browser ended on here, and press Enter.");
        }
    }

    fn is_code_alone(&self, pasted: &Secret) -> bool {
        self.login.plan.shows_code && !pasted.expose().contains("://")
    }

    fn pasted(&mut self, world: &mut World, line: &Secret) -> Result<Option<Redirected>, Error> {
        if line.expose().trim().is_empty() {
            return Ok(None);
        }
        let query = match self.is_code_alone(line) {
            true => authorization_response::pasted_code(line.expose(), &self.expected),
            false => authorization_response::pasted(line.expose(), self.comes_back_to.as_deref()),
        };
        let query = match query {
            Ok(query) => query,
            Err(why) => {
                let instead = match why {
                    NotPasted::NotAnAddress => "the whole address from the browser's address bar",
                    NotPasted::Elsewhere(_) => "the one that the browser ends on",
                    NotPasted::NotACode => "the code that the page shows",
                };
                world.say(&format!("{why}. Paste {instead}:"));
                return Ok(None);
            }
        };
        match self.judge(world, &query)? {
            Ok(redirected) => return Ok(Some(redirected)),
            Err(why) => {
                world.say(&format!("That address is not the answer to this sign-in: {why}. Paste another:"));
                self.noise.last = Some(why);
            }
        }
        Ok(None)
    }

    fn arrived(&mut self, world: &mut World, arrived: Arrived) -> Result<Option<Redirected>, Error> {
        let Target::Listen { path, .. } = &self.login.plan.target else { return Ok(None) };
        if !authorization_response::same(&arrived.path, path) {
            arrived.reply.send(Page::NotFound);
            return Ok(None);
        }
        match self.judge(world, arrived.form.as_deref().unwrap_or(&arrived.query)) {
            Ok(Ok(redirected)) => return Ok(Some(Redirected { reply: Some(arrived.reply), ..redirected })),
            Ok(Err(why)) => {
                arrived.reply.send(Page::Refused);
                self.noise.heard(world, why);
            }
            Err(e) => {
                arrived.reply.send(Page::Failed);
                return Err(e);
            }
        }
        Ok(None)
    }

    /// Judges a query: the response, or why it is noise. An error ends the login.
    fn judge(&mut self, world: &mut World, query: &str) -> Result<Result<Redirected, String>, Error> {
        let verdict = match &mut self.signed {
            Some(signed) => signed.judge(world, query, &self.expected)?,
            None => authorization_response::judge(query, &self.expected),
        };
        let profile = &self.login.asking.profile;
        match verdict {
            Verdict::Code { code, params } => Ok(Ok(Redirected { code, params, reply: None })),
            Verdict::Noise(why) => Ok(Err(why.to_owned())),
            Verdict::Unproven { error, description } => {
                self.noise.hurry();
                Ok(Err(unproven(&error, description.as_deref())))
            }
            Verdict::Broken(why) => {
                let error = Error::new(Kind::Unsafe, "the redirect can't be trusted").because(why);
                Err(error.hint(look_closely(profile, "nothing was exchanged")))
            }
            Verdict::Refused { error, description } => {
                let told = Told::by_redirect(&error, description.as_deref());
                let error = refused_at_authorize(&error, description.as_deref(), profile);
                Err(taught(error, &self.login.asking.provider, &told))
            }
        }
    }

    /// The error at the end of the time. Noise doesn't end a login, but it is the error's cause if
    /// nothing else came.
    fn unanswered(&self) -> Error {
        let (login, profile) = (self.login, &self.login.asking.profile);
        match &self.noise.last {
            Some(why) => Error::new(Kind::Unsafe, "no request to the redirect address was a response to this sign-in")
                .because(why.clone())
                .hint(look_closely(profile, "nothing was exchanged")),
            None => {
                let error =
                    Error::new(Kind::NobodyAnswered, format!("nobody signed in within {} s", login.timeout.as_secs()));
                let error = match self.noise.oversized {
                    Some(why) => error.because(format!("a request to the redirect address was refused: {why}")),
                    None => error,
                };
                error.hint(profile.login())
            }
        }
    }

    /// Exchanges the code for tokens. Adds the redirect address to `redirected`, if a refresh needs
    /// it.
    fn exchange(
        &self,
        world: &mut World,
        code: &Secret,
        redirected: &mut Vec<(String, String)>,
    ) -> Result<Answer, Error> {
        let (login, provider) = (self.login, &self.login.asking.provider);
        redirected.retain(|(name, _)| name != REDIRECT_URI);
        world.step(|| "the code is here: exchanging it".to_owned());
        explain::step(world, || Step {
            title: "The browser is back with a code",
            section: "RFC 6749, section 4.1.2; RFC 9207, section 2.4",
            why: "`state` is this login's, and the response is from the server that was asked; any other request would have been refused",
            lines: redirected.iter().map(|(n, v)| got(n, v)).collect(),
        });
        let again = self.redirect_uri.iter().filter(|_| provider.refresh.with_redirect_uri);
        redirected.extend(again.map(|uri| (REDIRECT_URI.to_owned(), uri.clone())));
        let redirect_uri = self.redirect_uri.as_deref().filter(|_| provider.token.send_redirect_uri);
        let mut params = token_request::code(code, redirect_uri, self.verifier.as_ref());
        params.extend(token_request::targets(&login.targets.resource, &login.targets.audience));
        let asking = login.asking.taught(redirected)?;
        let endpoint = &asking.provider.token.endpoint;
        let request = asking.request("token", endpoint, params)?;
        ask(world, &asking, (Asked::Code, endpoint), &request)
    }
}

/// The address that opens, and its parameters.
fn opened(address: &Address, params: Vec<(String, String)>) -> Vec<Line> {
    let place = Request::new("GET", address.url.expose()).place();
    let mut lines = vec![Line::Out(format!("browser: {}", safe(&place)))];
    match address.good_for {
        Some(_) => lines.push(Line::Out("with a reference to the pushed request, and nothing else".to_owned())),
        None => lines.extend(params.iter().map(|(name, value)| sent_line(name, value))),
    }
    lines
}

/// A sender of plain values into the one inbox; the first value sets `acted`.
fn forward<T: Send + 'static>(events: &Sender<Event>, acted: &Arc<AtomicBool>, wrap: fn(T) -> Event) -> Sender<T> {
    let (to, from) = channel::<T>();
    let (events, acted) = (events.clone(), acted.clone());
    std::thread::spawn(move || {
        for value in from {
            acted.store(true, Ordering::Relaxed);
            if events.send(wrap(value)).is_err() {
                return;
            }
        }
    });
    to
}

/// A sender of signals into the inbox, up to the first Ctrl-C: then nobody listens, and the next
/// signal ends the program, even while a token is exchanged or waits for its place in the store.
fn first_interruption(listening: &Listening) -> Sender<i32> {
    const INTERRUPTION: i32 = 2;
    let (to, from) = channel();
    let (events, acted) = (listening.events.clone(), listening.acted.clone());
    std::thread::spawn(move || {
        for signal in from {
            acted.store(true, Ordering::Relaxed);
            if events.send(Event::Signal(signal)).is_err() || signal == INTERRUPTION {
                return;
            }
        }
    });
    to
}

/// A typed line: the address that the browser ended on, or a button of a practice server's page.
fn typed_event(line: Secret, stand_in: Option<&StandIn>) -> Event {
    match stand_in.map_or(Pressed::NoButton, |page| page.hears(line.expose())) {
        Pressed::NoButton => Event::Pasted(line),
        Pressed::To(address) => Event::Pasted(address),
        Pressed::Done => Event::NoButton("the practice server's page leads nowhere".to_owned()),
        Pressed::Failed(why) => Event::NoButton(why),
    }
}

/// Shows how to go on without a browser at a practice server: its page is on this machine alone.
fn say_without_browser(world: &mut World, login: &Login<'_>) {
    if login.take_paste && world.terminal.stdin_is_terminal() {
        world.say("No browser on this machine? Type `allow` (or `deny`) here and press Enter: that presses the practice page's button. (It isn't shown.)");
    } else if login.asking.provider.device.is_some() {
        let login = login.asking.profile.login_by("device-code");
        world.say(&format!("No browser on this machine? `{login}` prints a line for curl."));
    }
}

/// A pasted address with the lines that it was wrapped over, which come at once; the next event.
fn whole_paste(listening: &Listening, first: Secret) -> (Secret, Option<Event>) {
    let mut whole = first;
    loop {
        match listening.inbox.recv_timeout(Duration::from_millis(100)) {
            Ok(Event::Pasted(more)) if !authorization_response::begins_address(more.expose()) => {
                whole = Secret::new(format!("{}\n{}", whole.expose(), more.expose()));
            }
            other => return (whole, other.ok()),
        }
    }
}

/// Shows how the browser, or the address that it ends on, comes back here.
fn say_way_back(world: &mut World, login: &Login<'_>, listener: Option<&Loopback>, url: &Secret) {
    let asks_for_paste = login.take_paste && world.terminal.stdin_is_terminal();
    // the user knows the way through a forwarder
    match (listener, login.ssh.as_ref().filter(|_| login.plan.bind().is_none())) {
        (Some(listener), Some(ssh)) => {
            let own = tunnel::end(listener.address());
            world.say("This session came over SSH. For the browser on your own machine to reach it, run there:");
            // the page to sign in at may be on this machine too: a practice server
            let theirs = local_end(url).filter(|(_, port)| *port != own.1);
            let ends: Vec<(String, u16)> = [own].into_iter().chain(theirs).collect();
            world.say(&format!("\n  {}\n", ssh.line(&ends)));
            if let Some(but) = ssh.but() {
                world.say(&but);
            }
            if asks_for_paste {
                world.say("or paste the address that the browser ends on here, and press Enter.");
            }
        }
        (Some(_), None) if asks_for_paste => {
            world.say("Waiting. If the browser can't come back by itself, paste the address it ends on here, and press Enter.");
        }
        (Some(_), None) => world.say("Waiting for the browser to come back."),
        (None, _) if login.plan.shows_code => {
            world.say("When you have signed in, the page shows a code.");
            world.say("Copy it, paste it here, and press Enter (it isn't shown):");
        }
        (None, _) => {
            world.say("When you have signed in, the browser ends on a page of the app's own redirect address.");
            world.say("Copy that page's whole address, paste it here, and press Enter (it isn't shown):");
        }
    }
}

/// Host and port of an address on this machine.
fn local_end(url: &Secret) -> Option<(String, u16)> {
    let url = url::Url::parse(url.expose()).ok()?;
    let host = url.host_str().filter(|host| matches!(*host, "127.0.0.1" | "localhost" | "[::1]"))?;
    Some((host.to_owned(), url.port_or_known_default()?))
}

fn input_ended(world: &World, login: &Login<'_>) -> Error {
    let login = login.asking.profile.login();
    let hint = match world.terminal.stdin_is_terminal() {
        true => login,
        false => format!("run `{login}` in a terminal"),
    };
    Error::new(Kind::NobodyAnswered, "the input ended before an address was pasted; nobody was signed in").hint(hint)
}

/// A refusal that any page on this machine could have sent, quoted as such, and shortened.
fn unproven(error: &str, description: Option<&str>) -> String {
    let short = |text: &str| safe(&text.chars().take(LONGEST_QUOTE).collect::<String>());
    let description = description.map(|text| format!(" ({})", short(text))).unwrap_or_default();
    format!("it says `{}`{description}, but has no `state`, so that it may be from anyone", short(error))
}

/// Requests that are no response to this login: counted and mentioned now and then, and never
/// quoted but for a refusal without `state`.
#[derive(Default)]
struct Noise {
    count: u32,
    last_said: Option<Duration>,
    /// Why the last one was refused.
    last: Option<String>,
    /// Why the last oversized one was refused.
    oversized: Option<&'static str>,
    /// Whether a refusal was mentioned at once.
    hurried: bool,
    /// Whether the user was told what to do if they are that other user.
    told: bool,
}

impl Noise {
    fn heard(&mut self, world: &mut World, why: String) {
        self.say(world, &why, false);
        self.last = Some(why);
    }

    /// The next message comes at once. This happens once in a login.
    fn hurry(&mut self) {
        if !std::mem::replace(&mut self.hurried, true) {
            self.last_said = None;
        }
    }

    fn say(&mut self, world: &mut World, why: &str, at_once: bool) {
        self.count += 1;
        let now = world.clock.elapsed();
        if at_once || self.last_said.is_none_or(|at| now >= at + NOISE_EVERY) {
            self.last_said = Some(now);
            world.say(&format!(
                "Ignored {} that came to the redirect address: {why}. Still waiting.",
                calls(self.count)
            ));
        }
    }

    fn tell_once(&mut self, world: &mut World, user: u32, login: &Login<'_>) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let way = match login.take_paste && world.terminal.stdin_is_terminal() {
            true => "open the address above in it yourself, and paste the one that it ends on here",
            false => "run this as that user",
        };
        world.say(&format!("That was user {user}. If the browser is your own: {way}."));
    }
}

fn calls(count: u32) -> String {
    if count == 1 { "a call".to_owned() } else { format!("{count} calls") }
}

/// Whether the user must confirm the account: nothing ties the redirect to this login (C-11, S6).
pub fn wants_confirmation(provider: &Provider, plan: &Plan) -> bool {
    let stateless = provider.authorize.state == StateEcho::NotReturned && !plan.random_path;
    // PKCE alone refuses a code that another person gave to paste
    stateless || plan.shows_code && provider.pkce.mode == PkceMode::Off
}

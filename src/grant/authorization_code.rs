//! A person signs in with a browser (RFC 6749, section 4.1, with RFC 7636, RFC 8252 and RFC 9207).
//!
//! The listener is bound before the browser opens; the redirect is judged against what this login
//! sent out; the code is exchanged at once and once. The same wait takes the address pasted into
//! the terminal, through the same checks. What the browser shows in the end is told by the caller,
//! once the tokens are kept: see [`Caught`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::error::{Asked, Error, Kind, refused_at_authorize, unanswered};
use crate::grant::authorize_request::{self, Address, Travel};
use crate::grant::identity::Sent;
use crate::grant::keys::{KeptKeys, KeyRing};
use crate::grant::redirect_plan::{Plan, Target};
use crate::grant::signed_answer::SignedAnswer;
use crate::grant::stand_in::{Pressed, StandIn};
use crate::grant::tunnel::{self, Ssh};
use crate::grant::{Asking, ask, explain};
use crate::protocol::answer::Answer;
use crate::protocol::authorize::{self, AuthorizeRequest};
use crate::protocol::explain::{Line, Step, got, sent as sent_line};
use crate::protocol::redirect::{self, Expected, NotPasted, Verdict};
use crate::protocol::{pkce, token_request};
use crate::provider::{PkceMode, StateEcho};
use crate::secret::Secret;
use crate::text::safe;
use crate::world::http_server::loopback::{self, Arrived, Host, Loopback, Page, Reply, Stranger};
use crate::world::{BrowserError, Unanswered, World};

/// What a login is made of, decided before anything happens.
pub struct Login<'a> {
    pub asking: Asking,
    pub scopes: &'a [String],
    pub plan: Plan,
    /// Extra parameters of the authorize request.
    pub params: &'a [(String, String)],
    pub timeout: Duration,
    pub open_browser: bool,
    /// Whether a pasted address may be read from standard input.
    pub take_paste: bool,
    /// Where this runs on another machine than the browser.
    pub ssh: Option<Ssh>,
    /// What the profile asks for beyond scopes, by the names of the wire.
    pub asks: Vec<(&'static str, String)>,
    /// Where the token is to be good (RFC 8707).
    pub resources: &'a [String],
    pub travel: Travel,
    /// The server announced that it names itself in each answer (RFC 9207).
    pub iss_required: bool,
    /// For a signed answer.
    pub keys: KeyRing,
}

/// The browser that waits for its page, and the listener it will fetch it from.
pub struct Caught {
    reply: Option<Reply>,
    listener: Option<Loopback>,
    late: Receiver<Event>,
}

/// What the redirect brought along beside the code.
pub struct Obtained {
    pub answer: Answer,
    pub redirect_params: Vec<(String, String)>,
    pub caught: Caught,
    /// What an ID token must agree with.
    pub sent: Sent,
    /// The server's keys, where a signed answer needed them.
    pub keys: Option<KeptKeys>,
}

enum Event {
    Redirect(Arrived),
    Stranger(Stranger),
    Pasted(Secret),
    /// A practice server's page had no button to press, and why.
    NoButton(String),
    NothingToPaste,
    Signal(i32),
}

/// What a login waits for, bound before anything is asked of the person: a port that is taken costs
/// nobody an answer.
pub struct Listening {
    listener: Option<Loopback>,
    /// Where the browser is sent first, if not to the listener: see [`browsers_address`].
    entrance: Option<Loopback>,
    events: Sender<Event>,
    inbox: Receiver<Event>,
    /// Whether anything has come yet.
    acted: Arc<AtomicBool>,
}

/// `posted`: the answer may come as a form.
pub fn listen(plan: &Plan, posted: bool) -> Result<Listening, Error> {
    let (events, inbox) = channel();
    let acted = Arc::new(AtomicBool::new(false));
    let bind = |address: &loopback::Address, posted: bool| {
        let (requests, strangers) =
            (forward(&events, &acted, Event::Redirect), forward(&events, &acted, Event::Stranger));
        Loopback::bind(address, requests, strangers, posted)
    };
    let (listener, entrance) = match &plan.target {
        Target::Listen { address, .. } => {
            let listener = bind(address, posted)?;
            // a browser warns of our certificate: that is for the way back, when the person has
            // been told of it
            let plain = loopback::Address { host: Host::Literal, ports: Vec::new(), tls: false };
            (Some(listener), if address.tls { Some(bind(&plain, false)?) } else { None })
        }
        Target::Paste { .. } => (None, None),
    };
    Ok(Listening { listener, entrance, events, inbox, acted })
}

/// How often a hint about noise is given at most (L-57).
const NOISE_EVERY: Duration = Duration::from_secs(10);

impl Caught {
    /// Tells the browser how it ended, the ones that came twice too, and closes the port.
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

/// Runs the whole login up to the answer of the token endpoint. From the redirect on signals are
/// held back, so that what was obtained can be kept first (L-47): the caller releases them.
pub fn obtain(world: &mut World, login: &Login<'_>, listening: Listening) -> Result<Obtained, Error> {
    let provider = &login.asking.provider;
    let Listening { listener, entrance, events, inbox, acted } = listening;
    let path = if let Target::Listen { path, .. } = &login.plan.target { path } else { "" };
    let redirect_uri = login.plan.redirect_uri(listener.as_ref().map(Loopback::origin).as_deref(), path);

    let state = Secret::new(random_text::<32>(world));
    // servers refuse `openid` without one, and an ID token without ours is another login's
    let nonce = login.scopes.iter().any(|s| s == "openid").then(|| Secret::new(random_text::<32>(world)));
    let verifier = match (provider.pkce.mode, &login.asking.client.secret) {
        (PkceMode::Off, _) | (PkceMode::PublicOnly, Some(_)) => None,
        _ => {
            let mut bytes = [0; 32];
            world.random.fill(&mut bytes);
            Some(pkce::verifier(&bytes))
        }
    };
    let challenge = verifier.as_ref().map(|v| (pkce::challenge(v, provider.pkce.method), provider.pkce.method));
    let mut more = login.params.to_vec();
    if let Some(dpop) = &login.asking.client.proofs.dpop {
        // the code is bound to the key too (RFC 9449, section 10)
        more.push(("dpop_jkt".to_owned(), dpop.thumbprint()));
    }
    let params = authorize::params(
        provider,
        &AuthorizeRequest {
            client_id: &login.asking.client.id,
            redirect_uri: redirect_uri.as_deref().unwrap_or(""),
            scopes: login.scopes,
            state: &state,
            challenge: challenge.as_ref().map(|(c, m)| (c.as_str(), *m)),
            nonce: nonce.as_ref(),
            params: &more,
            asks: &login.asks,
        },
    )?;
    let pairs = params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let sent = Sent { nonce, state: Some(state.clone()), ..Sent::of_params(pairs) };
    let mut signed = SignedAnswer::asked_for(&login.asking, &params, &login.keys)?;
    let shown = world.explains().then(|| params.clone());
    let Address { url, good_for } = authorize_request::address(world, &login.asking, params, login.travel)?;
    explain::step(world, || Step {
        title: "Sending the person to the provider",
        section: "RFC 6749, section 4.1.1; RFC 7636, section 4.3",
        why: "the person signs in there, in a browser of their own: no password passes through this program",
        lines: opened(&url, shown.unwrap_or_default(), good_for.is_some()),
    });
    let expected = Expected {
        state,
        state_echo: provider.authorize.state,
        issuer: provider.issuer.clone(),
        iss_required: login.iss_required,
        code_param: provider.callback.code_param.clone(),
    };

    // from here on the person can act, and the time runs
    let deadline = world.clock.elapsed() + login.timeout;
    // before the address is shown: Ctrl-C counts from its first byte on, and an address pasted at
    // once isn't echoed
    world.signals.watch(forward(&events, &acted, Event::Signal));
    let stand_in = StandIn::at(world, provider, &url);
    let practises = stand_in.is_some();
    if login.take_paste {
        let (lines, typed) = channel();
        world.terminal.lines(lines);
        let to = events.clone();
        std::thread::spawn(move || {
            for line in typed {
                if to.send(typed_event(line, stand_in.as_ref())).is_err() {
                    return;
                }
            }
            let _ = to.send(Event::NothingToPaste);
        });
    }
    let entrance = entrance.as_ref().or(listener.as_ref());
    let opened = invite(world, login, listener.as_ref(), entrance, &url, &|| acted.load(Ordering::Relaxed));
    if practises && !opened {
        say_without_browser(world, login);
    }
    if let Some(seconds) = good_for {
        world.say(&format!("The address is good once, and for {seconds} s."));
    }
    let mut judge = |world: &mut World, query: &str| match &mut signed {
        Some(signed) => signed.judge(world, query, &expected),
        None => Ok(redirect::judge(query, &expected)),
    };
    let caught = Waiting {
        login,
        inbox: &inbox,
        redirect_uri: redirect_uri.as_deref(),
        listening: listener.is_some(),
        judge: &mut judge,
        noise: Noise::default(),
    }
    .until(world, deadline);
    let (code, redirect_params, reply) = match caught {
        Ok(caught) => caught,
        Err(e) => {
            // the browser may be on its way to the page that says so
            if let Some(listener) = listener {
                listener.finish();
            }
            world.signals.release();
            return Err(e);
        }
    };
    let caught = Caught { reply, listener, late: inbox };

    world.step(|| "the code is here: exchanging it".to_owned());
    explain::step(world, || Step {
        title: "The browser is back with a code",
        section: "RFC 6749, section 4.1.2; RFC 9207, section 2.4",
        why: "`state` was this login's, and the server that answers the one that was asked; any other call would have been turned away",
        lines: redirect_params.iter().map(|(n, v)| got(n, v)).collect(),
    });
    let sent_uri = redirect_uri.as_deref().filter(|_| provider.token.send_redirect_uri);
    let mut params = token_request::code(&code, sent_uri, verifier.as_ref());
    params.extend(token_request::targets(login.resources, &[]));
    let answer = login
        .asking
        .request("token", &provider.token, params)
        .and_then(|request| ask(world, &login.asking, (Asked::Code, &provider.token), &request));
    let keys = signed.and_then(|signed| signed.kept_keys().cloned());
    match answer {
        Ok(answer) => Ok(Obtained { answer, redirect_params, caught, sent: Sent { code: Some(code), ..sent }, keys }),
        Err(e) => {
            caught.tell(Page::Failed);
            world.signals.release();
            // a code is spent by the first try, whatever became of it (RFC 6749, section 4.1.2;
            // T-60)
            Err(if e.kind == Kind::TryLater { e.hint(login.asking.profile.login()) } else { e })
        }
    }
}

/// The address that opens, and what is in it.
fn opened(url: &Secret, params: Vec<(String, String)>, pushed: bool) -> Vec<Line> {
    let place = url::Url::parse(url.expose()).map(|mut url| {
        url.set_query(None);
        url.set_fragment(None);
        url.to_string()
    });
    let mut lines = vec![Line::Out(format!("browser: {}", safe(&place.unwrap_or_default())))];
    match pushed {
        true => lines.push(Line::Out("with a reference to what was pushed, and nothing else".to_owned())),
        false => lines.extend(params.iter().map(|(name, value)| sent_line(name, value))),
    }
    lines
}

/// A sender of plain values into the one inbox; `acted` says that one has come.
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

fn random_text<const N: usize>(world: &mut World) -> String {
    use base64::Engine as _;
    let mut bytes = [0; N];
    world.random.fill(&mut bytes);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// What a typed line means: the address that the browser ended on, or a button of a practice
/// server's page.
fn typed_event(line: Secret, stand_in: Option<&StandIn>) -> Event {
    match stand_in.map_or(Pressed::NoButton, |page| page.hears(line.expose())) {
        Pressed::NoButton => Event::Pasted(line),
        Pressed::To(address) => Event::Pasted(address),
        Pressed::Done => Event::NoButton("the practice server's page leads nowhere".to_owned()),
        Pressed::Failed(why) => Event::NoButton(why),
    }
}

/// The way on at a practice server, whose page lies on this machine alone, where no browser opened.
fn say_without_browser(world: &mut World, login: &Login<'_>) {
    if login.take_paste && world.terminal.stdin_is_terminal() {
        world.say("No browser on this machine? Type `allow` (or `deny`) here and press Enter: that presses the practice page's button. (It isn't shown.)");
    } else if login.asking.provider.device.is_some() {
        let login = login.asking.profile.login_by("device-code");
        world.say(&format!("No browser on this machine? `{login}` prints a line for curl."));
    }
}

/// What the browser is started with. Every user of the machine reads its command line, where
/// `state` must not stand: with it, another could bring his own sign-in here. So it is an address
/// of the listener, where there is one, good for one visit.
fn browsers_address(world: &mut World, entrance: Option<&Loopback>, url: &Secret) -> Result<Secret, BrowserError> {
    match entrance {
        Some(entrance) => entrance.entrance(&random_text::<16>(world), url).map(Secret::new),
        None => Ok(url.clone()),
    }
}

/// Says where to sign in, and opens the browser there; whether it opened.
fn invite(
    world: &mut World,
    login: &Login<'_>,
    listener: Option<&Loopback>,
    entrance: Option<&Loopback>,
    url: &Secret,
    acted: &dyn Fn() -> bool,
) -> bool {
    let name = safe(&login.asking.provider.name);
    // what is explained is for pasting: the address holds `state`
    let quiet = world.verbosity == crate::world::Verbosity::Quiet || (world.explains() && login.open_browser);
    world.say(&format!("Sign in to {name} at this address:"));
    if !quiet {
        // `state` is in it: the one text on stderr that holds a secret on purpose
        let _ = world.err.show(&format!("\n  {}\n\n", url.expose()));
    }
    let mut opened = false;
    if login.open_browser {
        let first = browsers_address(world, entrance, url);
        match first.and_then(|first| world.browser.open(first.expose(), acted)) {
            Ok(()) => {
                opened = true;
                world.say("Your browser should open there now.");
            }
            Err(e) => world.say(&format!("No browser opened here ({e}): open the address yourself.")),
        }
    }
    if listener.is_some_and(|l| l.origin().starts_with("https")) {
        world.say("The browser will warn of an unknown certificate when it comes back: this program made it just now, for this one answer. Go on past the warning.");
    }
    if quiet && !opened {
        // without it nobody could sign in
        let _ = world.err.show(&format!("{}\n", url.expose()));
    }
    say_way_back(world, login, listener, url);
    opened
}

/// Says how the browser, or the address that it ends on, comes back here.
fn say_way_back(world: &mut World, login: &Login<'_>, listener: Option<&Loopback>, url: &Secret) {
    let asks_for_paste = login.take_paste && world.terminal.stdin_is_terminal();
    match (listener, &login.ssh) {
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

type Redirected = (Secret, Vec<(String, String)>, Option<Reply>);

/// Judges a query by what this login sent.
type Judge<'a> = &'a mut dyn FnMut(&mut World, &str) -> Result<Verdict, Error>;

/// The wait for the one answer that bears this login's state.
struct Waiting<'a> {
    login: &'a Login<'a>,
    inbox: &'a Receiver<Event>,
    redirect_uri: Option<&'a str>,
    listening: bool,
    judge: Judge<'a>,
    noise: Noise,
}

impl Waiting<'_> {
    /// Everything but that answer is turned away, and the wait goes on.
    fn until(&mut self, world: &mut World, deadline: Duration) -> Result<Redirected, Error> {
        let login = self.login;
        loop {
            let left = deadline.saturating_sub(world.clock.elapsed());
            if left.is_zero() {
                return Err(nobody_answered(login, &self.noise));
            }
            // short naps, so that a machine that slept finds the deadline passed (L-45)
            match self.inbox.recv_timeout(left.min(Duration::from_secs(1))) {
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(nobody_answered(login, &self.noise)),
                Ok(Event::Signal(signal)) => {
                    return Err(unanswered(Unanswered::Signal(signal), "nobody was signed in"));
                }
                Ok(Event::NothingToPaste) if self.listening => {
                    if world.terminal.stdin_is_terminal() {
                        world.say("Nothing can be pasted any more. Still waiting for the browser; Ctrl-C ends this.");
                    }
                }
                Ok(Event::NothingToPaste) if self.noise.last.is_some() => {
                    return Err(nobody_answered(login, &self.noise));
                }
                Ok(Event::NothingToPaste) => return Err(input_ended(world, login)),
                Ok(Event::NoButton(why)) => world.say(&format!("The page says: {why}")),
                Ok(Event::Pasted(line)) => {
                    if let Some(redirected) = self.pasted(world, &line)? {
                        return Ok(redirected);
                    }
                }
                Ok(Event::Stranger(Stranger::Gone)) => {
                    self.noise.heard(world, "whoever sent it did not wait for an answer")
                }
                Ok(Event::Stranger(Stranger::User(user))) => {
                    self.noise.heard(world, "it came from another user of this machine");
                    self.noise.tell_once(world, user, login);
                }
                Ok(Event::Redirect(arrived)) => {
                    if let Some(redirected) = self.arrived(world, arrived)? {
                        return Ok(redirected);
                    }
                }
            }
        }
    }

    fn pasted(&mut self, world: &mut World, line: &Secret) -> Result<Option<Redirected>, Error> {
        let Some(query) = pasted_query(world, line.expose(), self.redirect_uri) else { return Ok(None) };
        let verdict = (self.judge)(world, &query)?;
        match judged(verdict, self.login)? {
            Ok((code, params)) => return Ok(Some((code, params, None))),
            Err(why) => {
                self.noise.last = Some(why);
                world.say(&format!("That address is not the answer to this sign-in: {why}. Paste another:"));
            }
        }
        Ok(None)
    }

    fn arrived(&mut self, world: &mut World, arrived: Arrived) -> Result<Option<Redirected>, Error> {
        let Target::Listen { path, .. } = &self.login.plan.target else { return Ok(None) };
        if !redirect::same(&arrived.path, path) {
            arrived.reply.send(Page::NotFound);
            return Ok(None);
        }
        let verdict = (self.judge)(world, arrived.form.as_deref().unwrap_or(&arrived.query));
        match verdict.and_then(|verdict| judged(verdict, self.login)) {
            Ok(Ok((code, params))) => return Ok(Some((code, params, Some(arrived.reply)))),
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
}

fn input_ended(world: &World, login: &Login<'_>) -> Error {
    let login = login.asking.profile.login();
    let hint = match world.terminal.stdin_is_terminal() {
        true => login,
        false => format!("run `{login}` in a terminal"),
    };
    Error::new(Kind::NobodyAnswered, "the input ended before an address was pasted; nobody was signed in").hint(hint)
}

/// The code and the redirect's other parameters, or why it is noise.
type Heard = Result<(Secret, Vec<(String, String)>), &'static str>;

fn judged(verdict: Verdict, login: &Login<'_>) -> Result<Heard, Error> {
    match verdict {
        Verdict::Code { code, params } => Ok(Ok((code, params))),
        Verdict::Noise(why) => Ok(Err(why)),
        Verdict::Broken(why) => {
            Err(Error::new(Kind::Unsafe, "the redirect can't be trusted").cause(why).hint(look_closely(login)))
        }
        Verdict::Refused { error, description } => {
            Err(refused_at_authorize(&error, description.as_deref(), &login.asking.profile))
        }
    }
}

/// The query of a pasted address, if it is one for our redirect address.
fn pasted_query(world: &mut World, text: &str, redirect_uri: Option<&str>) -> Option<String> {
    if text.trim().is_empty() {
        return None;
    }
    match redirect::pasted(text, redirect_uri) {
        Ok(query) => Some(query),
        Err(why) => {
            let instead = match why {
                NotPasted::NotAnAddress => "the whole address from the browser's address bar",
                NotPasted::Elsewhere(_) => "the one that the browser ends on",
            };
            world.say(&format!("{why}. Paste {instead}:"));
            None
        }
    }
}

/// Answers that were none of this login's don't end it, but where nothing else came they are what
/// there is to say.
fn nobody_answered(login: &Login<'_>, noise: &Noise) -> Error {
    if let Some(why) = noise.last {
        return Error::new(Kind::Unsafe, "what came to the redirect address was no answer to this sign-in")
            .cause(why)
            .hint(look_closely(login));
    }
    Error::new(Kind::NobodyAnswered, format!("nobody signed in within {} s", login.timeout.as_secs()))
        .hint(login.asking.profile.login())
}

fn look_closely(login: &Login<'_>) -> String {
    let login = login.asking.profile.login();
    format!("nothing was exchanged; run `{login}` again, and look closely at where you sign in")
}

/// Wrong callbacks are counted and mentioned now and then, never quoted.
#[derive(Default)]
struct Noise {
    count: u32,
    last_said: Option<Duration>,
    /// Why the last one was none.
    last: Option<&'static str>,
    /// What to do if another user is the person all the same has been said.
    told: bool,
}

impl Noise {
    fn heard(&mut self, world: &mut World, why: &'static str) {
        self.count += 1;
        self.last = Some(why);
        let now = world.clock.elapsed();
        if self.last_said.is_none_or(|at| now >= at + NOISE_EVERY) {
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

/// Whether who signed in must be shown and asked for: nothing ties the redirect to this login
/// (C-11, S6).
pub fn wants_confirmation(echo: StateEcho, plan: &Plan) -> bool {
    echo == StateEcho::NotReturned && !plan.random_path
}

//! One connection, from its first byte to its last.

use std::io;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::judge::judge;
use super::page::{self, Answered};
use super::{Answer, Arrived, Oversize, Page, Reply, Shared, Unheard};
use crate::world::http_server::acceptor::Visit;
use crate::world::http_server::listening::peer;
use crate::world::http_server::reader::{
    Limits, RawRequest, Refusal, Stream, TimedStream, drain, read_request, write_response,
};

/// Bytes of a posted form (`response_mode=form_post`).
const MAX_FORM: usize = 16 << 10;

/// How long a browser on the same machine may take to read a response.
const WRITE_TIME: Duration = Duration::from_secs(2);

/// The status of a page without a next step.
const METHOD_NOT_ALLOWED: u16 = 405;

pub(super) fn serve(shared: &Arc<Shared>, visit: &Visit) {
    let limits = Limits { body: if shared.accept_post { MAX_FORM } else { 0 }, ..Limits::default() };
    let plain = TimedStream::new(Arc::clone(&visit.socket), limits.time);
    let Some(config) = &shared.tls else { return exchange(shared, visit, plain, &limits) };
    // the first read makes the handshake, under the same deadline as the head
    if let Ok(tls) = rustls::ServerConnection::new(Arc::clone(config)) {
        exchange(shared, visit, rustls::StreamOwned::new(tls, plain), &limits);
    }
}

fn exchange(shared: &Arc<Shared>, visit: &Visit, mut stream: impl Stream, limits: &Limits) {
    let answered = match read_request(&mut stream, limits) {
        Ok(request) => answer(shared, visit, &request),
        // RFC 9110, section 15.5.9: a connection opened on suspicion needs no 408
        Err(Refusal::TlsGreeting | Refusal::TooSlow) => return,
        Err(refusal) => match refusal.status() {
            Some(status) => shared.refused(visit, &refusal).unwrap_or_else(|| page::refusal(status)),
            None => return,
        },
    };
    stream.end_by(Instant::now() + WRITE_TIME);
    let written = write(&mut stream, &answered);
    // a browser that has read everything may have closed already, and follows the redirect
    let ended = written.is_ok() && stream.end_writing().is_ok();
    shared.answered(visit.id, &answered, written.is_ok());
    visit.set_busy(false);
    if ended {
        drain(&mut stream);
    }
}

fn write(stream: &mut impl Stream, answered: &Answered) -> io::Result<()> {
    let mut headers = page::HEADERS.to_vec();
    headers.extend(answered.location.as_deref().map(|to| ("Location", to)));
    headers.extend((answered.status == METHOD_NOT_ALLOWED).then_some(("Allow", "GET")));
    write_response(stream, answered.status, &headers, answered.body.as_bytes())
}

fn answer(shared: &Arc<Shared>, visit: &Visit, request: &RawRequest) -> Answered {
    let (path, query) = match judge(request, shared.port, shared.tls.is_some(), shared.accept_post) {
        Ok(target) => target,
        // RFC 9110, section 9.3.2
        Err(status) if request.method == "HEAD" => return Answered { body: "", ..page::refusal(status) },
        Err(status) => return page::refusal(status),
    };
    // checked last: a request refused above doesn't need it
    let own = || shared.last_page(path).or_else(|| shared.entered(path));
    if let Some(answered) = shared.estranged(visit).or_else(own) {
        return answered;
    }
    let form = (request.method == "POST").then(|| String::from_utf8(request.body.to_vec())).transpose();
    let Ok(form) = form else { return page::refusal(400) };
    let (to, from) = mpsc::channel();
    visit.set_busy(true);
    if !shared.waits(visit.id, &to, &request.target) {
        return shared.unsaid(&request.target);
    }
    let reply = Reply { to, shared: Arc::clone(shared), id: visit.id, sent: false };
    let arrived = Arrived { path: path.to_owned(), query: query.to_owned(), form, reply };
    // a dropped receiver drops the request, which answers it
    let _ = shared.requests.send(arrived);
    match from.recv() {
        Ok(Answer::Page(page)) => page::answer(page),
        Ok(Answer::Unsaid) | Err(mpsc::RecvError) => shared.unsaid(&request.target),
    }
}

impl Shared {
    /// The page for another user of the machine.
    fn estranged(&self, visit: &Visit) -> Option<Answered> {
        let stranger = peer::stranger(&visit.socket)?;
        let _ = self.unheard.send(Unheard::Stranger(stranger));
        Some(page::stranger())
    }

    /// Reports an oversized request: it may be the browser's, which would wait in vain otherwise.
    fn refused(&self, visit: &Visit, refusal: &Refusal) -> Option<Answered> {
        let part = match refusal {
            Refusal::LineTooLong => Oversize::Line,
            Refusal::HeadTooLarge => Oversize::Headers,
            Refusal::BodyTooLarge if self.accept_post => Oversize::Form,
            Refusal::BodyTooLarge | Refusal::LengthRequired => Oversize::Body,
            _ => return None,
        };
        let estranged = self.estranged(visit);
        if estranged.is_none() {
            let _ = self.unheard.send(Unheard::TooLarge(part));
        }
        estranged
    }

    /// The last page, once the login has ended. Before that its paths are ordinary.
    fn last_page(&self, path: &str) -> Option<Answered> {
        let table = self.table();
        let (ended, _) = table.ended.as_ref()?;
        page::last(*ended).filter(|(last, _)| *last == path).map(|(_, answered)| answered)
    }

    /// The target of the one-time address, or the page that says it was used.
    fn entered(&self, path: &str) -> Option<Answered> {
        let mut table = self.table();
        let entrance = table.entrance.as_mut().filter(|entrance| entrance.path == path)?;
        Some(entrance.to.take().map_or_else(page::used, |to| page::onward(&to)))
    }

    /// Notes that this connection waits for the receiver; false once the listener has finished.
    fn waits(&self, id: u64, to: &mpsc::Sender<Answer>, target: &Zeroizing<String>) -> bool {
        let mut table = self.table();
        if table.finishing {
            return false;
        }
        table.waiting.insert(id, (to.clone(), target.clone()));
        true
    }

    /// A repeat of the same redirect (a reload, a second tab) gets the same page as the first.
    fn unsaid(&self, target: &str) -> Answered {
        let mut table = self.table();
        let page = match &table.ended {
            Some((page, ended)) if ended.as_str() == target => *page,
            _ => return page::answer(Page::NotFound),
        };
        table.owed += 1;
        page::answer(page)
    }

    /// Counts the redirects that the browser still has to follow.
    fn answered(&self, id: u64, answered: &Answered, written: bool) {
        let mut table = self.table();
        if answered.is_last || (answered.status == page::SEE_OTHER && !written) {
            table.owed = table.owed.saturating_sub(1);
        }
        table.waiting.remove(&id);
        self.changed.notify_all();
    }
}

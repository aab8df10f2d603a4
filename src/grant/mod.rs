//! The ways to obtain a token set, one file each. A grant keeps nothing: it returns what the server gave, and `session` keeps it.

pub mod authorization_code;
pub mod client_credentials;
pub mod redirect_plan;
pub mod refresh;
pub mod revoke;

use crate::error::{Asked, Error, token_answer};
use crate::protocol::answer::{self, Answer};
use crate::protocol::token_request::Client;
use crate::protocol::trace;
use crate::provider::{Endpoint, Provider};
use crate::wire::{Request, Response};
use crate::world::World;

/// Who asks whom, on behalf of which profile.
pub struct Asking<'a> {
    pub profile: &'a str,
    pub provider: &'a Provider,
    pub client: &'a Client,
}

/// Called with the raw answer before it is judged: what the server has spent must be on disk before anything can go wrong.
pub type Commit<'a> = &'a mut dyn FnMut(&Response) -> Result<(), Error>;

/// Sends one request to a token endpoint and reads the answer. The answer's own failures come after `commit`.
fn ask(world: &mut World, asking: &Asking<'_>, asked: Asked, endpoint: &Endpoint, request: &Request, commit: Commit<'_>) -> Result<Answer, Error> {
    let response = send(world, request)?;
    commit(&response)?;
    read(world, asking, asked, endpoint, &response)
}

/// Reads a token answer, now or out of the journal.
pub fn read(world: &mut World, asking: &Asking<'_>, asked: Asked, endpoint: &Endpoint, response: &Response) -> Result<Answer, Error> {
    let provider = asking.provider;
    let now = world.clock.now();
    let answer = answer::read(response, &endpoint.ok_status, &provider.response, &provider.scopes.separator, now)
        .map_err(|e| token_answer(e, asked, asking.profile))?;
    for warning in &answer.warnings {
        world.warn(warning);
    }
    Ok(answer)
}

/// One exchange, shown with `-v`.
pub fn send(world: &mut World, request: &Request) -> Result<Response, Error> {
    for line in trace::request(request) {
        world.step(|| line);
    }
    let response = world.http.exchange(request)?;
    for line in trace::response(&response) {
        world.step(|| line);
    }
    Ok(response)
}

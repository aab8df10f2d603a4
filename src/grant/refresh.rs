//! A new access token for a refresh token (RFC 6749, section 6), or for the token that the provider
//! takes in its place.

use crate::error::{Asked, Error};
use crate::grant::{self, Asking};
use crate::protocol::token_request;
use crate::protocol::token_response::{self, Answer};
use crate::provider::expand::REDIRECT_URI;
use crate::provider::{Provider, TokenKind};
use crate::secret::Secret;
use crate::token::TokenSet;
use crate::wire::{Request, Response};
use crate::world::World;

/// The token that a refresh spends, if this provider and this token set allow a refresh.
pub fn spendable<'a>(provider: &Provider, set: &'a TokenSet) -> Option<&'a Secret> {
    match (provider.refresh.supported, provider.refresh.source) {
        (false, _) => None,
        (true, TokenKind::RefreshToken) => set.refresh_token.as_ref(),
        (true, TokenKind::AccessToken) => Some(&set.access_token),
    }
}

/// What a refresh asks for: the login's services (RFC 8707, section 2.2), or others. Without scopes
/// the server grants the same again; it would refuse one of them that it has dropped.
pub struct Wanted<'a> {
    pub scopes: &'a [String],
    pub resource: &'a [String],
    pub audience: &'a [String],
}

/// The request that spends `token`. `redirect_uri`: of the login, for a provider that wants it
/// again.
pub fn request(
    asking: &Asking,
    token: &Secret,
    wanted: &Wanted<'_>,
    redirect_uri: Option<&str>,
) -> Result<Request, Error> {
    let Provider { refresh, scopes, .. } = &asking.provider;
    let mut params = vec![
        ("grant_type", Secret::unlisted(refresh.grant_type.as_str())),
        (refresh.token_param.as_str(), token.clone()),
    ];
    let redirect_uri = redirect_uri.filter(|_| refresh.with_redirect_uri);
    params.extend(redirect_uri.map(|uri| (REDIRECT_URI, Secret::unlisted(uri))));
    if !wanted.scopes.is_empty() {
        params.push((scopes.param.as_str(), Secret::unlisted(wanted.scopes.join(&scopes.separator))));
    }
    params.extend(token_request::targets(wanted.resource, wanted.audience));
    asking.request("token", &refresh.endpoint, params)
}

/// Reads a response that came at `now` (Unix seconds). If it has no refresh token, the caller keeps
/// the old one (T-45). If it names no token type, the type of the old token set stays.
pub fn read(
    world: &mut World,
    asking: &Asking,
    old: &TokenSet,
    (response, now): (&Response, i64),
) -> Result<Answer, Error> {
    let mut asking = asking.clone();
    asking.provider.response.default_token_type = Some(old.token_type.clone());
    grant::read(world, &asking, (Asked::Refresh, &asking.provider.refresh.endpoint), (response, now))
}

/// The refresh token of a response that is refused, where the provider takes one.
pub fn successor(provider: &Provider, response: &Response) -> Option<Secret> {
    let takes_one = provider.refresh.source == TokenKind::RefreshToken;
    token_response::refresh_token(response, &provider.response).filter(|_| takes_one)
}

/// Copies the old set's refresh token, scopes and other members that the response didn't repeat.
pub fn inherit(new: &mut TokenSet, old: &TokenSet) {
    if new.refresh_token.is_none() {
        new.refresh_token = old.refresh_token.clone();
        new.refresh_expires_at = new.refresh_expires_at.or(old.refresh_expires_at);
    }
    if new.scopes.is_none() {
        new.scopes = old.scopes.clone();
    }
    if new.id_token.is_none() {
        new.id_token = old.id_token.clone();
    }
    for (name, value) in &old.extra {
        if !new.extra.contains_key(name) {
            new.extra.insert(name.clone(), value.clone());
        }
    }
}

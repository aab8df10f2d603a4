//! Signed authorization responses (JARM). The signature reveals a response that was changed in the
//! browser, made for another client or made by another server.
//!
//! The `state` is compared before the signature is verified: a response to another login is noise,
//! so it ends nothing and fetches no keys.

use crate::error::{Error, Kind};
use crate::grant::jwks::{KeptKeys, KeyRing, Unverified};
use crate::grant::{Asking, explain, look_closely};
use crate::protocol::authorization_response::{self, Expected, Verdict};
use crate::protocol::explain::checks;
use crate::protocol::jose::trust::Trust;
use crate::protocol::{jarm, jose};
use crate::text::safe;
use crate::world::World;

/// The checks of a signed response.
pub struct SignedAnswer<'a> {
    asking: &'a Asking,
    issuer: String,
    ring: KeyRing,
}

impl<'a> SignedAnswer<'a> {
    /// `None`: the request asks for a plain response. `ring`: the server's keys.
    pub fn asked_for(
        asking: &'a Asking,
        params: &[(String, String)],
        ring: &KeyRing,
    ) -> Result<Option<SignedAnswer<'a>>, Error> {
        if !params.iter().any(|(name, value)| name == "response_mode" && jarm::MODES.contains(&value.as_str())) {
            return Ok(None);
        }
        let Some(issuer) = asking.provider.issuer.clone().filter(|_| ring.is_known()) else {
            return Err(Error::usage(format!(
                "a signed answer can't be verified: it is not known who `{}` is and where its keys are",
                safe(&asking.provider.id)
            ))
            .hint("name its `issuer` in the provider file, and `id-token.jwks-uri` where no document says it"));
        };
        Ok(Some(SignedAnswer { asking, issuer, ring: ring.clone() }))
    }

    pub fn kept_keys(&self) -> Option<&KeptKeys> {
        self.ring.kept()
    }

    /// Judges the query of a redirect.
    pub fn judge(&mut self, world: &mut World, query: &str, expected: &Expected) -> Result<Verdict, Error> {
        let Some(token) = jarm::response(query) else {
            return Ok(match authorization_response::judge(query, expected) {
                Verdict::Code { .. } => Verdict::Broken("it is not signed, though a signed answer was asked for"),
                // an unsigned refusal can only end this login
                other => other,
            });
        };
        let Ok(claims) = jose::unverified_claims(&token) else {
            return Ok(Verdict::Noise("its `response` can't be read"));
        };
        if let noise @ (Verdict::Noise(_) | Verdict::Unproven { .. }) =
            authorization_response::judge(&jarm::as_query(&claims), expected)
        {
            return Ok(noise);
        }
        let broken = |why: &dyn std::fmt::Display| {
            Error::new(Kind::Unsafe, "the redirect can't be trusted")
                .because(format!("its signed answer: {why}"))
                .hint(look_closely(&self.asking.profile, "nothing was exchanged"))
        };
        let now = world.clock.now();
        let client_id = &self.asking.client.id;
        let judged = jarm::parameters(&claims, &self.issuer, client_id, now);
        explain::step(world, || checks::signed_answer(&claims, &self.issuer, client_id, now, judged.as_ref().err()));
        let parameters = judged.map_err(|e| broken(&e))?;
        let trust = Trust {
            algorithms: &self.asking.provider.identity.jarm_algorithms,
            typ: None,
            secret: self.asking.client.secret.as_ref(),
        };
        match self.ring.verify(world, &token, &trust) {
            Ok(_) => {}
            Err(Unverified::Wrong(e)) => return Err(broken(&e)),
            Err(Unverified::NoKeys(e)) => {
                return Err(e.hint(format!("nothing was exchanged; {}", self.asking.profile.login())));
            }
        }
        world.step(|| "the provider has signed the redirect's response".to_owned());
        Ok(authorization_response::judge(&parameters, expected))
    }
}

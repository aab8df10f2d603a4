//! A client secret that is being replaced. Many servers take two for a while, or take the new one
//! only later. The new one is sent first; if the server refuses the client, the earlier one is
//! sent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::protocol::api_error::{self, Told, is_wrong_client};
use crate::provider::{ErrorRule, ErrorsAt, Means};
use crate::secret::Secret;
use crate::wire::{Again, Draw, Request, RequestSigner};

/// The secret before the present one, and which of them the server takes: one state for all
/// requests of a command.
#[derive(Clone, Debug)]
pub struct EarlierSecret {
    pub secret: Secret,
    /// The provider's own words for a refused client.
    rules: Vec<ErrorRule>,
    taken: Arc<Mutex<Option<Taken>>>,
}

/// The client secret that the server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Present,
    /// It refused the present one.
    Earlier,
}

impl EarlierSecret {
    pub fn new(secret: Secret, rules: &[ErrorRule]) -> EarlierSecret {
        EarlierSecret { secret, rules: rules.to_vec(), taken: Arc::default() }
    }

    /// The secret that the server took. `None`: none was sent, or no answer came.
    pub fn taken(&self) -> Option<Taken> {
        *self.state()
    }

    fn state(&self) -> MutexGuard<'_, Option<Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an answer refuses the client: in the provider's words, in those of RFC 6749, section
    /// 5.2, or with a status and no code.
    fn is_refusal(&self, status: u16, body: &[u8]) -> bool {
        let code = api_error::read(body).and_then(|error| error.code);
        let told = Told::by_token((status, body), (code.as_deref(), None));
        match (told.rule(&self.rules, ErrorsAt::Token), code) {
            (Some((_, means)), _) => means == Means::WrongClient,
            (None, Some(code)) => is_wrong_client(&code, status),
            // a 403 is a firewall's
            (None, None) => matches!(status, 400 | 401),
        }
    }
}

/// A request by the present secret that becomes the one by the earlier secret.
#[derive(Debug)]
pub struct TwoSecrets {
    earlier: EarlierSecret,
    by_present: Request,
    by_earlier: Request,
}

impl TwoSecrets {
    /// The request by the present secret, which tries the earlier one too.
    pub fn request(earlier: &EarlierSecret, by_present: Request, by_earlier: Request) -> Request {
        let both = TwoSecrets { earlier: earlier.clone(), by_present: by_present.clone(), by_earlier };
        Request { at_sending: Some(Arc::new(both)), ..by_present }
    }
}

impl RequestSigner for TwoSecrets {
    fn sign(&self, request: &mut Request, draw: Draw) -> Result<(), String> {
        let TwoSecrets { by_present, by_earlier, .. } = self;
        let chosen = match self.earlier.taken() {
            Some(Taken::Earlier) => by_earlier,
            _ => by_present,
        };
        // only the parts with the secret: the caller may have changed others
        for (_, value) in &mut request.headers {
            let same = by_present.headers.iter().position(|(_, present)| present == value);
            if let Some((_, theirs)) = same.and_then(|at| chosen.headers.get(at)) {
                value.clone_from(theirs);
            }
        }
        if by_present.body != by_earlier.body {
            request.body.clone_from(&chosen.body);
        }
        if by_present.url != by_earlier.url {
            request.url.clone_from(&chosen.url);
        }
        chosen.at_sending.as_ref().map_or(Ok(()), |signer| signer.sign(request, draw))
    }

    fn learn_from(&self, _: &Request, status: u16, _: &[(String, String)], body: &[u8]) -> Option<Again> {
        let refused = self.earlier.is_refusal(status, body);
        let mut taken = self.earlier.state();
        match *taken {
            Some(Taken::Earlier) => None,
            _ if refused => {
                *taken = Some(Taken::Earlier);
                Some(Again::EarlierSecret)
            }
            None if status < 300 => {
                *taken = Some(Taken::Present);
                None
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::{Client, Credentials};
    use crate::protocol::dpop::Dpop;
    use crate::protocol::form;
    use crate::protocol::jose::{Algorithm, verify};
    use crate::protocol::token_request::Target;
    use crate::provider::{ClientAuth, Endpoint};

    // a nonce (RFC 9449, section 8) and another secret, in either order
    #[test]
    fn an_assertion_with_a_proof_is_signed_by_either_secret() {
        let secrets: [Secret; 2] = ["s".repeat(32).into(), "t".repeat(32).into()];
        let proofs = Credentials { dpop: Some(Arc::new(Dpop::generate().unwrap())), ..Credentials::default() };
        let url = Some("https://as.example/token".to_owned());
        let endpoint = Endpoint { url, auth: vec![ClientAuth::ClientSecretJwt], ..Endpoint::default() };
        let nonce = [("dpop-nonce".to_owned(), "a-nonce".to_owned())];
        let refusals: [(&[_], &[u8], Again); 2] = [
            (&nonce, br#"{"error":"use_dpop_nonce"}"#, Again::Nonce),
            (&[], br#"{"error":"invalid_client"}"#, Again::EarlierSecret),
        ];
        for order in [[0, 1], [1, 0]] {
            let earlier = EarlierSecret::new(secrets[1].clone(), &[]);
            let present = Client::plain("an-app", Some(secrets[0].clone()));
            let client = Client { earlier: Some(earlier.clone()), proofs: proofs.clone(), ..present };
            let target = Target { name: "token", endpoint: &endpoint, client: &client, bearer: None };
            let request = target.request(vec![("grant_type", "x".into())]).unwrap();
            let signer = request.at_sending.clone().unwrap();
            for (round, which) in [None, Some(order[0]), Some(order[1])].into_iter().enumerate() {
                let learnt = which.map(|which: usize| {
                    let (headers, body, again) = refusals[which];
                    (signer.learn_from(&request, 400, headers, body), Some(again))
                });
                assert!(learnt.is_none_or(|(is, expected)| is == expected), "{order:?}, {round}: {learnt:?}");
                let mut sent = request.clone();
                signer.sign(&mut sent, Draw { now: 1, random: [7; 16] }).unwrap();
                let body = sent.body.unwrap();
                let pairs = form::decode(body.expose()).unwrap();
                let (_, assertion) = pairs.iter().find(|(name, _)| name == "client_assertion").unwrap();
                let by = |secret: &Secret| verify(assertion, &[Algorithm::HS256], secret).is_ok();
                let turned = earlier.taken() == Some(Taken::Earlier);
                assert_eq!((by(&secrets[0]), by(&secrets[1])), (!turned, turned), "{order:?}, {round}");
                assert_eq!(sent.headers.iter().filter(|(name, _)| name == "dpop").count(), 1);
            }
            assert_eq!(signer.learn_from(&request, 401, &[], b""), None, "there is no third secret");
        }
    }
}

//! Random bytes from the operating system, and from nothing else.

use ring::rand::{SecureRandom, SystemRandom};

use super::Random;

pub struct Real;

impl Random for Real {
    fn fill(&self, bytes: &mut [u8]) {
        if SystemRandom::new().fill(bytes).is_err() {
            // a `state` or a verifier that can be guessed is worse than no login: nothing may catch this and go on
            let _ = std::io::Write::write_all(&mut std::io::stderr(), b"error: the system gives no random numbers\n");
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        let mut draws = [[0; 32]; 2];
        draws.iter_mut().for_each(|bytes| Real.fill(bytes));
        assert_ne!(draws[0], draws[1]);
        assert!(draws.iter().all(|bytes| bytes.iter().any(|b| *b != 0)));
    }
}

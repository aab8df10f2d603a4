//! Random bytes from the operating system only. All the program's random values come from here:
//! `state`, PKCE verifiers, nonces, names of files and parts. Only `ring` has its own, for keys and
//! signatures.

use rand::TryRng as _;
use rand::rngs::{SysError, SysRng};

use super::Random;

/// Fills `bytes`, for callers that can report a failure.
pub fn fill(bytes: &mut [u8]) -> Result<(), SysError> {
    SysRng.try_fill_bytes(bytes)
}

/// The system's random numbers.
pub struct Real;

impl Random for Real {
    fn fill(&self, bytes: &mut [u8]) {
        if fill(bytes).is_err() {
            // A `state` or a verifier that can be guessed is worse than no login, so no code may
            // catch this error and go on.
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

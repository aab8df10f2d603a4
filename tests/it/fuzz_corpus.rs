//! Replays the fuzzers' interesting inputs (`fuzz/corpus/<target>/`) in every test run.

use std::time::{Duration, Instant};

use crate::fuzz_targets;
use crate::world::itself;

/// Time for each target beyond its corpus; a fuzzer that sees what is covered does it better, where
/// there is one.
const A_MOMENT: Duration = Duration::from_millis(1500);

/// Bytes of the corpus changed at random: bits, bytes, pieces taken out, doubled, or put in from
/// another file.
fn mutate(corpus: &[Vec<u8>], run: fn(&[u8])) {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) as usize % below.max(1)
    };
    let end = Instant::now() + A_MOMENT;
    while Instant::now() < end {
        let mut bytes = corpus[random(corpus.len())].clone();
        for _change in 0..=random(4) {
            let (at, length) = (random(bytes.len()), random(16));
            let to = (at + length).min(bytes.len());
            match random(5) {
                0 if !bytes.is_empty() => bytes[at] ^= 1 << random(8),
                1 if !bytes.is_empty() => bytes[at] = random(256) as u8,
                2 => drop(bytes.drain(at.min(to)..to)),
                3 => {
                    let piece = bytes[at.min(to)..to].to_vec();
                    bytes.splice(to..to, piece);
                }
                _ => {
                    let other = &corpus[random(corpus.len())];
                    let from = random(other.len());
                    let piece = other[from..(from + length).min(other.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        let held = std::panic::catch_unwind(|| run(&bytes));
        assert!(held.is_ok(), "{:?}", String::from_utf8_lossy(&bytes));
    }
}

/// In a process of its own: what a target takes for a secret would be taken out of the words of
/// every other test here.
#[expect(clippy::disallowed_methods, reason = "a process of its own, told by its environment what it is")]
fn replay(test: &str, target: &str, run: fn(&[u8])) {
    const MARK: &str = "TEST_REPLAYS_ALONE";
    if std::env::var_os(MARK).is_none() {
        let output = std::process::Command::new(itself())
            .args(["--exact", "--nocapture", &format!("fuzz_corpus::{test}")])
            .env(MARK, "1")
            .output()
            .expect("run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder).expect("a corpus").map(|f| f.expect("a file").path()).collect();
    files.sort();
    assert!(files.len() >= 5, "{} files for {target}", files.len());
    let corpus: Vec<Vec<u8>> = files.iter().map(|f| std::fs::read(f).expect("read")).collect();
    for (file, bytes) in files.iter().zip(&corpus) {
        // which one it was is said by the panic of a test that runs them one by one
        let held = std::panic::catch_unwind(|| run(bytes));
        assert!(held.is_ok(), "{}", file.display());
        // and cut short anywhere near its end
        for cut in 1..bytes.len().min(6) {
            run(&bytes[..bytes.len() - cut]);
        }
    }
    mutate(&corpus, run);
}

// L-52
#[test]
fn requests_to_the_listener_hold() {
    replay("requests_to_the_listener_hold", "request_reader", fuzz_targets::request_reader);
}

// T-80
#[test]
fn token_answers_hold() {
    replay("token_answers_hold", "token_answer", fuzz_targets::token_answer);
}

#[test]
fn jwts_hold() {
    replay("jwts_hold", "jwt_claims", fuzz_targets::jwt_claims);
}

#[test]
fn provider_files_hold() {
    replay("provider_files_hold", "provider_file", fuzz_targets::provider_file);
}

#[test]
fn configuration_files_hold() {
    replay("configuration_files_hold", "config_file", fuzz_targets::config_file);
}

#[test]
fn pasted_addresses_hold() {
    replay("pasted_addresses_hold", "pasted_redirect", fuzz_targets::pasted_redirect);
}

// D-02, D-04
#[test]
fn discovery_documents_hold() {
    replay("discovery_documents_hold", "metadata", fuzz_targets::metadata);
}

#[test]
fn key_sets_hold() {
    replay("key_sets_hold", "jwks", fuzz_targets::jwks);
}

#[test]
fn id_tokens_and_signed_answers_hold() {
    replay("id_tokens_and_signed_answers_hold", "jwt", fuzz_targets::jwt);
}

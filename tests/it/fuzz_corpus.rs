//! The bytes that the fuzzers found of interest, once more, in every run of the tests: `fuzz/corpus/<target>/`.

use crate::fuzz_targets;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder).expect("a corpus").map(|f| f.expect("a file").path()).collect();
    files.sort();
    assert!(files.len() >= 5, "{} files for {target}", files.len());
    for file in files {
        let bytes = std::fs::read(&file).expect("read");
        // which one it was is said by the panic of a test that runs them one by one
        let held = std::panic::catch_unwind(|| run(&bytes));
        assert!(held.is_ok(), "{}", file.display());
        // and cut short anywhere near its end
        for cut in 1..bytes.len().min(6) {
            run(&bytes[..bytes.len() - cut]);
        }
    }
}

// L-52
#[test]
fn requests_to_the_listener_hold() {
    replay("request_reader", fuzz_targets::request_reader);
}

// T-80
#[test]
fn token_answers_hold() {
    replay("token_answer", fuzz_targets::token_answer);
}

#[test]
fn jwts_hold() {
    replay("jwt_claims", fuzz_targets::jwt_claims);
}

#[test]
fn provider_files_hold() {
    replay("provider_file", fuzz_targets::provider_file);
}

#[test]
fn configuration_files_hold() {
    replay("config_file", fuzz_targets::config_file);
}

#[test]
fn pasted_addresses_hold() {
    replay("pasted_redirect", fuzz_targets::pasted_redirect);
}

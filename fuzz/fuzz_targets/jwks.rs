#![no_main]

#[path = "../../tests/it/fuzz_targets.rs"]
#[allow(dead_code, reason = "the other targets' functions")]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    targets::jwks(data);
    // each run's secrets would be looked for in all later ones
    oauthctl::secret::forget_known();
});

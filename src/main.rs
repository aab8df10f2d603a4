#![expect(clippy::disallowed_methods, reason = "the one place where the command line is read")]

fn main() -> std::process::ExitCode {
    oauthctl::world::guarded(|| oauthctl::run(std::env::args_os(), &mut oauthctl::world::real())).into()
}

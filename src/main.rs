fn main() -> std::process::ExitCode {
    oauthctl::run(std::env::args_os(), &mut oauthctl::world::real()).into()
}

{
  description = "Gets, keeps and uses OAuth 2.0 tokens from the command line";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      # the static program needs nothing of the system
      archives = {
        x86_64-linux = {
          target = "x86_64-unknown-linux-musl";
          sha256 = "@SHA256 oauthctl-@VERSION@-x86_64-unknown-linux-musl.tar.gz@";
        };
        aarch64-linux = {
          target = "aarch64-unknown-linux-musl";
          sha256 = "@SHA256 oauthctl-@VERSION@-aarch64-unknown-linux-musl.tar.gz@";
        };
      };
      package = system: { target, sha256 }:
        let pkgs = nixpkgs.legacyPackages.${system};
        in pkgs.stdenvNoCC.mkDerivation {
          pname = "oauthctl";
          version = "@VERSION@";
          src = pkgs.fetchurl {
            url = "@FROM@/oauthctl-@VERSION@-${target}.tar.gz";
            inherit sha256;
          };
          nativeBuildInputs = [ pkgs.installShellFiles ];
          installPhase = ''
            install -D -m 755 oauthctl $out/bin/oauthctl
            installManPage completions/oauthctl.1
            installShellCompletion --bash completions/oauthctl.bash
            installShellCompletion --fish completions/oauthctl.fish
            installShellCompletion --zsh completions/_oauthctl
          '';
          meta = {
            description = "Gets, keeps and uses OAuth 2.0 tokens from the command line";
            homepage = "@HOME@";
            license = with pkgs.lib.licenses; [ mit asl20 ];
            mainProgram = "oauthctl";
            platforms = [ system ];
          };
        };
    in {
      packages = builtins.mapAttrs (system: archive: { default = package system archive; }) archives;
    };
}

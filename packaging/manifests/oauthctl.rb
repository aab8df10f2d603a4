class Oauthctl < Formula
  desc "Get, keep and use OAuth 2.0 tokens from the command-line"
  homepage "@HOME@"
  url "@FROM@/oauthctl-@VERSION@.tar.gz"
  sha256 "@SHA256 oauthctl-@VERSION@.tar.gz@"
  license any_of: ["MIT", "Apache-2.0"]

  depends_on "rust" => :build

  def install
    system "cargo", "install", "--profile", "dist", *std_cargo_args
    man1.install "completions/oauthctl.1"
    bash_completion.install "completions/oauthctl.bash" => "oauthctl"
    fish_completion.install "completions/oauthctl.fish"
    zsh_completion.install "completions/_oauthctl"
  end

  test do
    assert_equal "oauthctl #{version}", shell_output("#{bin}/oauthctl --version").strip
    assert_match "getresponse", shell_output("#{bin}/oauthctl provider list")
  end
end

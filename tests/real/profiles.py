#!/usr/bin/env python3
"""The verbs that look and change, through the real program: `list`, `status`, `profile`, `provider`, `doctor`, `completions`."""

import json
import re

import rig
from rig import check, same, test


def two_profiles(t, **env):
    """A home with a profile that has a token and one that has none."""
    home = t.home(OAUTHCTL_STORE="file", **env)
    home.run("login", "sandbox", env={"BROWSER": t.browser()}).expect(0)
    home.run("profile", "set", "work", "provider", "getresponse").expect(0)
    return home, home.run("token", "sandbox").expect(0).token


@test
def list_tells_how_every_token_stands_and_shows_none(t):
    home, token = two_profiles(t)
    table = home.run("list").expect(0, out=[r"^PROFILE +PROVIDER", r"^sandbox +sandbox .*alice.* fresh .*file$", r"^work +getresponse .* none "])
    told = home.run("list", "--format", "json").expect(0)
    rows = {row["profile"]: row for row in told.json()}
    same((rows["sandbox"]["state"], rows["work"]["state"]), ("fresh", "none"), "states")
    for ran in (table, told):
        check(token not in ran.out and token[:12] not in ran.out, f"a part of the token is shown\n{ran}")


@test
def status_tells_one_in_full_with_what_happens_next(t):
    home, token = two_profiles(t)
    ran = home.run("status", "sandbox").expect(0, out=[r"^store +file: ", r"^account +alice", r"^refresh token +", r"^next +"])
    check(token[:12] not in ran.out, f"a part of the token is shown\n{ran}")
    told = home.run("status", "sandbox", "--format", "json").expect(0).json()
    check(told["renewable"] and told["place"].startswith(str(home.state)), f"where it rests, and that it renews: {told}")
    home.run("status", "work").expect(4, out=r"oauthctl login work")
    home.run("status", "wrok").expect(2, err=r"work")


@test
def without_any_profile_list_and_token_say_how_to_begin(t):
    home = t.home()
    home.run("list").expect(0, out=r"\A\Z", err=r"oauthctl login sandbox")
    same(home.run("list", "--format", "json").expect(0).json(), [], "profiles")
    ran = home.run("token")
    check(ran.code in (2, 4), f"exit code 2 or 4 expected\n{ran}")
    same(home.files(), {}, "files made by looking")


@test
def profile_edits_keep_comments_and_refuse_what_would_not_be_understood(t):
    home, _ = two_profiles(t)
    file = home.config / "config.toml"
    file.write_text("# mine, and it stays\n" + file.read_text())
    home.run("profile", "set", "work", "client-id", "abc").expect(0)
    home.run("profile", "set", "work", "scopes", "one two").expect(0)
    home.run("profile", "unset", "work", "client-id").expect(0)
    home.run("profile", "default", "work").expect(0)
    before = file.read_text()
    check("# mine, and it stays\n" in before and 'default-profile = "work"' in before and "abc" not in before, before)
    home.run("profile", "set", "work", "clientid", "x").expect(2, err=r"client-id")
    home.run("profile", "set", "work", "client-secret", "s3cret-in-plain").expect(2)
    home.run("profile", "set", "work", "store", "cellar").expect(2, err=r"keychain")
    same(file.read_text(), before, "the file after what was refused")
    home.run("token", "sandbox").expect(0)


@test
def a_renamed_profile_takes_its_tokens_along_and_a_removed_one_leaves_nothing(t):
    keyring = t.keyring()
    home = t.home(keyring)
    home.run("login", "sandbox", env={"BROWSER": t.browser()}).expect(0)
    token = home.run("token", "sandbox").expect(0).token
    home.run("profile", "rename", "sandbox", "play").expect(0)
    same(home.run("token", "play").expect(0).token, token, "the token under its new name")
    same(home.run("token", "play", "--no-cache").expect(0).token, token, "the token from the keychain")
    ran = home.run("token", "sandbox")
    check(ran.code == 4 and not ran.out, f"nothing under the old name expected\n{ran}")
    same(keyring.lookup("sandbox"), None, "the old name in the keychain")
    home.run("profile", "remove", "play").expect(0)
    same(keyring.lookup("play"), None, "what is left in the keychain")
    check(home.run("token", "play").code != 0, "the removed profile should have no token")
    check("play" not in (home.config / "config.toml").read_text(), "the configuration should forget it")


@test
def a_client_secret_set_from_standard_input_is_in_the_store_and_nowhere_else(t):
    home = t.home(OAUTHCTL_STORE="file")
    t.practice(home, "getresponse")
    home.run("profile", "set", "job", "provider", "getresponse").expect(0)
    home.run("profile", "set", "job", "client-id", "practice-client").expect(0)
    home.run("profile", "set", "job", "grant", "client-credentials").expect(0)
    ran = home.run("profile", "set-secret", "job", "-", stdin="practice-secret\n").expect(0)
    check("practice-secret" not in ran.out + ran.err, f"the secret is shown\n{ran}")
    for path, content in home.files().items():
        # where the practice server's file says which app to use
        content = b"" if path.endswith("providers/getresponse.toml") else content
        check(b"practice-secret" not in content, f"{path} holds the client secret in plain text")
    first = home.run("token", "job").expect(0).token
    same(home.run("token", "job", "--no-cache").expect(0).token, first, "the token that is kept")


@test
def every_format_of_token_is_what_its_reader_takes(t):
    home, token = two_profiles(t)
    said = lambda name: home.run("token", "sandbox", "--format", name).expect(0).out
    same(said("text"), f"{token}\n", "text")
    same(said("header"), f"Authorization: Bearer {token}\n", "header")
    same(said("env"), f"export OAUTHCTL_SANDBOX_TOKEN={token}\n", "env")
    same(said("curl"), f'header = "Authorization: Bearer {token}"\n', "curl")
    same(json.loads(said("json"))["access_token"], token, "json")
    same(json.loads(said("exec-credential"))["status"]["token"], token, "exec-credential")
    check(re.fullmatch(rf"machine \S+ login \S+ password {token}\n", said("netrc")), "netrc")
    home.run("token", "sandbox", "--format", "yaml").expect(2)


@test
def broken_configuration_names_file_line_and_key(t):
    home, token = two_profiles(t)
    file = home.config / "config.toml"
    good = file.read_text()
    for broken, words in (("[profiles.sandbox\n", r"config\.toml.*1"), (good + '\n[profiles.x]\nproivder = "sandbox"\n', r"provider")):
        file.write_text(broken)
        home.run("list").expect(2, err=[r"config\.toml", words])
        home.run("doctor").expect(1, out=[r"^FAIL +configuration", r"config\.toml"])
    file.write_text(good)
    home.provider("mine", 'id = "mine"\nextends = "getresponse"\n[tokn]\nurl = "https://x.test"\n')
    home.run("login", "mine").expect(2, err=[r"mine\.toml", r"token"])
    same(home.run("token", "sandbox").expect(0).token, token, "the token after all that")


@test
def the_catalogue_is_listed_and_shown_and_the_nearest_name_is_offered(t):
    home = t.home()
    listed = home.run("provider", "list").expect(0).out
    for name in ("getresponse", "verticalresponse", "verticalresponse-vr2", "constantcontact", "sandbox"):
        check(re.search(rf"^{name}\b", listed, re.M), f"`{name}` should be listed\n{listed}")
        home.run("provider", "show", name).expect(0, out=r"token")
    home.run("provider", "show", "getrepsonse").expect(2, out=r"\A\Z", err=r"`?getresponse`?")
    home.run("login", "getrepsonse").expect(2, err=r"`?getresponse`?")


@test
def doctor_looks_at_everything_and_leaves_nothing(t):
    keyring = t.keyring()
    home = t.home(keyring)
    ran = home.run("doctor").expect(0, out=[r"^ok +configuration", r"^ok +keychain", r"^ok +clock", r"^ok +listener", r"browser", r"kernel copy"])
    same(home.files(), {}, "files left behind")
    found = keyring._ask("secret-tool", "search", "--all", "service", "oauthctl")
    same(found.stdout, "", "test items left in the keychain")
    check("\x1b" not in ran.out, "no colour without a terminal")


@test
def errors_come_as_json_where_that_is_asked_for(t):
    ran = t.home(OAUTHCTL_STORE="file").run("token", "sandbox", "--error-format", "json").expect(4, out=r"\A\Z")
    told = json.loads(ran.err)
    check("oauthctl login sandbox" in json.dumps(told), f"the way back should be said: {told}")


@test
def completions_and_the_manual_are_printed(t):
    home = t.home()
    for shell in ("bash", "zsh", "fish", "powershell", "elvish"):
        check("oauthctl" in home.run("completions", shell).expect(0).out, f"completions for {shell}")
    home.run("man").expect(0, out=r"\.TH")
    home.run("--version").expect(0, out=r"^oauthctl \d")


rig.main(globals())

#!/usr/bin/env python3
"""The sandbox as a person meets it first: login, token, call, refresh, logout, with a real browser and a real keychain."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import rig
from rig import Skip, check, need, same, test

# not on everybody's PATH
SBIN = "/usr/sbin:/sbin"


def shots(t):
    """Where pictures for the README go, if somebody wants them."""
    folder = Path(os.environ.get("SCREENSHOTS") or t.folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


@test
def on_a_fresh_machine_login_token_call_refresh_and_logout_work_one_after_the_other(t):
    keyring = t.keyring()
    home = t.home(keyring)
    browser = t.browser()

    login = home.run("login", "sandbox", env={"BROWSER": browser}).expect(0, err=r"https?://")
    same(login.out, "", "stdout of `login`")
    same(len(browser.opened()), 1, "arguments that the browser got")
    check(re.search(r"close|return|terminal", browser.said(), re.I), f"the last page should send the person back: {browser.said()}")

    first = home.run("token", "sandbox").expect(0).token
    same(home.run("token", "sandbox", "--no-cache").expect(0).token, first, "the token from the keychain")
    same(home.run("token").expect(0).token, first, "the token of the only profile")
    home.run("call", "sandbox", "/me").expect(0).json()

    home.run("refresh", "sandbox").expect(0)
    second = home.run("token", "sandbox").expect(0).token
    check(first != second, "`refresh` should bring another token")
    home.run("call", "sandbox", "/me").expect(0).json()

    record = keyring.lookup("sandbox")
    check(record and second in record, "`secret-tool` should find the record that holds the token")
    same(keyring.items("sandbox"), 1, "items in the keychain")
    home.run("list").expect(0, out=r"sandbox.*keychain")
    home.run("status", "sandbox").expect(0, out=r"keychain")

    home.run("logout", "sandbox").expect(0)
    same(keyring.lookup("sandbox"), None, "what `secret-tool` finds after `logout`")
    home.run("token", "sandbox").expect(4, err=r"oauthctl login")


@test
def in_chromium_a_person_presses_the_consent_button_and_ends_on_a_page_that_tells_the_truth(t):
    keyring = t.keyring()
    home = t.home(keyring)
    browser = t.chromium(shots=shots(t))
    home.run("login", "sandbox", env={"BROWSER": browser}).expect(0)
    check(re.search(r"close|return|terminal", browser.said(), re.I), f"the last page should send the person back: {browser.said()}")
    last = browser.log()[-1]
    check("code=" not in last["ended"] and "state=" not in last["ended"], f"the code stays in the history: {last['ended']}")
    same(last["foreign"], [], "what the pages loaded from elsewhere")
    for name in ("consent", "done"):
        check((shots(t) / f"{name}.png").stat().st_size > 2000, f"{name}.png should be a picture")
    home.run("token", "sandbox").expect(0)


@test
def a_person_who_refuses_gets_exit_code_3_and_a_page_that_says_so(t):
    home = t.home(t.keyring())
    browser = t.chromium(action="deny")
    home.run("login", "sandbox", env={"BROWSER": browser}).expect(3, err=r"access_denied|refused|denied|said no")
    check(re.search(r"did not complete", browser.said(), re.I), f"the page says: {browser.said()}")
    home.run("token", "sandbox").expect(4)


@test
def a_second_login_replaces_the_token_only_once_the_new_one_is_there(t):
    home = t.home(t.keyring())
    home.run("login", "sandbox", env={"BROWSER": t.browser()}).expect(0)
    first = home.run("token", "sandbox").expect(0).token
    home.run("login", "sandbox", env={"BROWSER": t.browser(action="deny")}).expect(3)
    same(home.run("token", "sandbox", "--no-cache").expect(0).token, first, "the token after a login that was refused")
    home.run("login", "sandbox", env={"BROWSER": t.browser()}).expect(0)
    check(home.run("token", "sandbox").expect(0).token != first, "a second login should bring another token")


@test
def two_profiles_of_one_provider_keep_their_own_tokens(t):
    keyring = t.keyring()
    home = t.home(keyring)
    home.run("login", "sandbox", env={"BROWSER": t.browser()}).expect(0)
    home.run("login", "work", "--provider", "sandbox", env={"BROWSER": t.browser()}).expect(0)
    tokens = {home.run("token", name).expect(0).token for name in ("sandbox", "work")}
    same(len(tokens), 2, "different tokens")
    home.run("logout", "work").expect(0)
    check(keyring.lookup("sandbox"), "the other profile's record should still be there")
    home.run("token", "sandbox").expect(0)


@test
def two_homes_never_see_each_others_tokens(t):
    home, other = t.home(t.keyring()), t.home(t.keyring())
    home.run("login", "sandbox", env={"BROWSER": t.browser()}).expect(0)
    home.run("token", "sandbox").expect(0)
    other.run("token", "sandbox").expect(4)


@test
def no_browser_is_opened_where_the_person_or_ci_says_so(t):
    for name, env, argv in (("--no-browser", {}, ["--no-browser"]), ("CI", {"CI": "true"}, []), ("OAUTHCTL_NO_INPUT", {"OAUTHCTL_NO_INPUT": "1"}, [])):
        home = t.home(t.keyring())
        browser = t.no_browser()
        home.run("login", "sandbox", "--timeout", "1s", *argv, env={"BROWSER": browser, **env}).expect(6, err=r"http://")
        same(browser.opened(), [], f"what the browser got with {name}")


def without_loopback(then=""):
    """What runs a command where loopback is down from the start, or where a shell's words come before it."""
    need("unshare")
    flags = "-n" if os.geteuid() == 0 else "-rn"
    tried = subprocess.run(["unshare", flags, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise Skip(f"this machine makes no network of its own: unshare {flags}: {tried.stderr.strip()}")
    return ["unshare", flags, "sh", "-c", f'PATH="$PATH:{SBIN}"; {then} exec "$@"', "sh"]


@test
def where_loopback_is_down_nothing_hangs_and_every_error_says_so(t):
    home = t.home(OAUTHCTL_STORE="file")
    for code, *argv in (
        (75, "login", "sandbox", "--timeout", "1s"),
        (75, "login", "sandbox", "--grant", "device-code"),
        (75, "login", "cc", "--client-id", "an-app", "--timeout", "1s"),
        (75, "sandbox", "run", "true"),
        (75, "sandbox", "serve"),
    ):
        home.run(*argv, under=without_loopback()).expect(code, err=r"can't be reached at its own address 127\.0\.0\.1[\s\S]*hint: bring loopback up")
    home.run("doctor", "sandbox", under=without_loopback()).expect(1, out=r"FAIL  listener +this machine can't be reached at its own address")


@test
def doctor_tells_a_port_that_the_system_reserves(t):
    need("setpriv")
    home = t.home(OAUTHCTL_STORE="file")
    for key, value in (("client-id", "an-app"), ("port", "80")):
        home.run("profile", "set", "google", key, value).expect(0)
    nobody = 'ip link set lo up; set -- setpriv --bounding-set=-net_bind_service --inh-caps=-net_bind_service "$@";'
    ran = home.run("doctor", "google", under=without_loopback(nobody)).expect(1)
    check(re.search(r"FAIL +port +the system reserves port 80", ran.out), ran.out)
    check("do: register another port, then: oauthctl login google --port 8976" in ran.out, ran.out)


@test
def where_loopback_goes_down_in_the_middle_practice_still_ends_on_a_signal(t):
    if not shutil.which("ip", path=f"{os.environ['PATH']}:{SBIN}"):
        raise Skip("ip not installed (Debian: iproute2)")
    home = t.home(OAUTHCTL_STORE="file")
    argv = ("sandbox", "run", "sh", "-c", "ip link set lo down; echo down; exec sleep 60")
    process = home.start(*argv, under=without_loopback("ip link set lo up &&"))
    rig.first_block(process, "the command")
    process.terminate()
    home.collect(process, *argv, timeout=20).expect(143)


@test
def in_one_terminal_without_a_browser_a_person_signs_in_by_a_word(t):
    home = t.home(OAUTHCTL_STORE="file")
    for argv in (("--no-browser",), ("--grant", "device-code")):
        terminal = home.at_terminal("login", "sandbox", *argv)
        terminal.expect(r"Type `allow`")
        terminal.type("allow")
        terminal.expect("Signed in to Practice server")
        same(terminal.end().code, 0, "exit code")
    home.run("call", "sandbox", "/me").expect(0).json()


@test
def without_a_terminal_the_line_that_a_login_prints_for_curl_ends_it(t):
    need("curl")
    home = t.home(OAUTHCTL_STORE="file")
    login = home.start("login", "sandbox", "--grant", "device-code", "--scope", "openid")
    said = b""
    while not (line := re.search(rb"^  (curl .*)$", said, re.M)):
        piece = login.stderr.readline()
        check(piece, lambda: f"no line for curl was printed: {said.decode()}")
        said += piece
    subprocess.run(["sh", "-c", line[1].decode()], check=True, timeout=rig.PATIENCE)
    home.collect(login, "login", "sandbox").expect(0, err="Signed in to Practice server")
    home.run("inspect", "sandbox", "--id-token").expect(0, out=r"signature +right: by the key")


@test
def in_a_practice_shell_the_prompt_and_every_command_say_that_it_is_practice(t):
    home = t.home(OAUTHCTL_STORE="file")
    terminal = home.at_terminal("sandbox", "run")
    terminal.expect(r"^\(practice\) \$ ")
    terminal.type("oauthctl provider list")
    terminal.expect("practice: nothing here is real")
    terminal.expect(r"GetResponse \(practice\)")
    terminal.type("exit")
    same(terminal.end().code, 0, "exit code")
    # the very program, on no `PATH` of this home
    home.run("sandbox", "run", "oauthctl", "provider", "list").expect(0, out=r"\[practice\]")


rig.main(globals())

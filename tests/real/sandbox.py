#!/usr/bin/env python3
"""The sandbox as a person meets it first: login, token, call, refresh, logout, with a real browser and a real keychain."""

import os
import re
from pathlib import Path

import rig
from rig import check, same, test


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


rig.main(globals())

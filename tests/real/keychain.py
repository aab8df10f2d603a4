#!/usr/bin/env python3
"""gnome-keyring in every state that people meet it in: unlocked, locked, absent, without a bus, frozen, under load."""

import os
import re
import signal

import rig
from rig import check, same, soon, test


def logged_in(t, keyring):
    home = t.home(keyring)
    home.run("login", "sandbox", env={"BROWSER": t.browser()}).expect(0)
    return home, home.run("token", "sandbox").expect(0).token


@test
def a_locked_keychain_ends_token_with_exit_code_5_within_three_seconds(t):
    keyring = t.keyring()
    home, token = logged_in(t, keyring)
    keyring.lock()
    soon(3, lambda: home.run("token", "sandbox", "--no-cache").expect(5, out=r"\A\Z", err=[r"locked", r"^hint: "]))
    soon(3, lambda: home.run("refresh", "sandbox").expect(5, err=r"locked"))
    same(home.run("token", "sandbox").expect(0).token, token, "the token that the kernel still keeps")


@test
def a_login_into_a_locked_keychain_ends_with_exit_code_5_before_anybody_is_sent_to_a_browser(t):
    browser = t.no_browser()
    home = t.home(t.keyring("locked"))
    soon(3, lambda: home.run("login", "sandbox", env={"BROWSER": browser}).expect(5, err=r"locked"))
    same(browser.opened(), [], "what the browser got")


@test
def without_a_keychain_login_says_in_one_line_what_it_does_instead(t):
    for mode in ("absent", "no-bus"):
        home = t.home(t.keyring(mode))
        login = home.run("login", "sandbox", env={"BROWSER": t.browser()}).expect(0)
        said = login.err.replace(str(t.folder), "")
        lines = [line for line in said.splitlines() if re.search(r"keychain|secret service", line, re.I)]
        check(len(lines) == 1 and "file" in lines[0], f"one line about the keychain and the file expected ({mode})\n{login}")
        token = home.run("token", "sandbox", "--no-cache").expect(0).token
        home.run("status", "sandbox").expect(0, out=r"file")
        for path, content in home.files().items():
            check(token.encode() not in content, f"{path} holds the token in plain text ({mode})")
            check(os.stat(path).st_mode & 0o77 == 0 or "/config/" in path, f"{path} can be read by others ({mode})")


@test
def a_keychain_that_was_asked_for_and_is_not_there_ends_with_exit_code_5(t):
    for mode in ("absent", "no-bus"):
        browser = t.no_browser()
        home = t.home(t.keyring(mode))
        soon(3, lambda: home.run("login", "sandbox", "--store", "keychain", env={"BROWSER": browser}).expect(5, err=r"keychain|secret service"))
        same(browser.opened(), [], f"what the browser got ({mode})")


@test
def a_keychain_that_has_gone_since_the_login_ends_token_with_exit_code_5(t):
    home, _ = logged_in(t, t.keyring())
    gone = t.keyring("absent")
    soon(3, lambda: home.run("token", "sandbox", "--no-cache", env=gone.env).expect(5, err=r"keychain|secret service"))


@test
def a_frozen_keychain_ends_with_exit_code_5_after_three_seconds(t):
    keyring = t.keyring()
    home, token = logged_in(t, keyring)
    os.kill(keyring.daemon, signal.SIGSTOP)
    try:
        soon(3.9, lambda: home.run("token", "sandbox", "--no-cache").expect(5, err=r"did not answer|no answer"))
        soon(3.9, lambda: home.run("refresh", "sandbox").expect(5))
        same(soon(1, lambda: home.run("token", "sandbox").expect(0)).token, token, "the token that the kernel still keeps")
    finally:
        os.kill(keyring.daemon, signal.SIGCONT)
    same(home.run("token", "sandbox", "--no-cache").expect(0).token, token, "the token after the thaw")


@test
def two_hundred_reads_eight_at_a_time_leave_the_keychain_alive(t):
    keyring = t.keyring()
    home, token = logged_in(t, keyring)
    reads = rig.parallel(200, 8, lambda _: home.run("token", "sandbox", "--no-cache"))
    wrong = [r for r in reads if r.code or r.out != token + "\n"]
    check(not wrong, lambda: f"{len(wrong)} of 200 reads went wrong; the first:\n{wrong[0]}")
    check(keyring.alive(), "gnome-keyring has died")
    check(keyring.lookup("sandbox"), "the record can't be found any more")


@test
def doctor_names_the_keychain_and_its_state(t):
    t.home(t.keyring()).run("doctor").expect(0, out=r"keychain|secret service")
    locked = t.home(t.keyring("locked")).run("doctor").expect(5)
    check(re.search(r"locked", locked.out + locked.err), f"`doctor` should say that it is locked\n{locked}")


rig.main(globals())

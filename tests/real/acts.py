#!/usr/bin/env python3
"""A person's act wins over a renewal that is under way: logout, login, another store, Ctrl-C. Nothing comes back from the dead."""

import os
import shutil
import signal

import rig
import strict
from rig import check, same, test


def under_way(t, keyring=None):
    """A renewal in the middle: the server holds the answer back."""
    server = strict.serve(t)
    home = strict.logged_in(t, server, keyring)
    strict.stale(server)
    server.hold()
    running = home.start("token", "strict")
    rig.wait_until(lambda: server.connections, "the request", of=running)
    return server, home, running


def meanwhile(server, home, *argv, **options):
    """A command that comes while the renewal is under way, and waits for it."""
    process = home.start(*argv, **options)
    rig.wait_until(lambda: process.poll() is not None or strict.waiting_for_locks([process.pid]), f"the wait of `{argv[0]}` for the lock")
    server.let_go()
    return home.collect(process, *argv)


# T-72
@test
def a_logout_waits_for_the_renewal_and_ends_what_it_brought(t):
    server, home, running = under_way(t)
    out = meanwhile(server, home, "logout", "strict").expect(0)
    home.collect(running, "token").expect(0)
    [revoked] = [e["token"] for e in server.log if e["grant"] == "revoke"][:1]
    newest = next(iter(server.logins.values())).tokens[-1]
    same(revoked, newest, f"the token that was revoked\n{out}\nthe token")
    home.run("token", "strict").expect(4)
    left = [p.name for p in home.state.rglob("*") if p.name.endswith((".sealed", ".journal", ".new"))]
    same(left, [], "left behind")


# T-72
@test
def a_login_replaces_what_a_renewal_brought(t):
    server, home, running = under_way(t)
    meanwhile(server, home, "login", "strict", env={"BROWSER": strict.browser(t)}).expect(0)
    home.collect(running, "token").expect(0)
    second = list(server.logins.values())[1]
    check(home.run("token", "strict").expect(0).token in second.access, "the new login's token is the one in use")
    home.run("refresh", "strict").expect(0)
    check(home.run("token", "strict").expect(0).token in second.access, "and its refresh token")
    same(server.reuses, 0, "reuse")


@test
def of_two_logins_at_once_one_stays_whole(t):
    server = strict.serve(t, expires_in=3600)
    home = strict.logged_in(t, server)
    env = {"BROWSER": strict.browser(t)}
    for _ in range(5):
        both = [home.start("login", "strict", env=env) for _ in range(2)]
        for one in both:
            home.collect(one, "login").expect(0)
        check(server.good(home.run("token", "strict").expect(0).token), "the token should be good")
        home.run("refresh", "strict").expect(0)
        same(server.reuses, 0, "reuse")
        same(len(list((home.state / "store").glob("*.sealed"))), 1, "records")


# C-30
@test
def a_login_into_another_store_leaves_nothing_in_the_old_one(t):
    keyring = t.keyring()
    server, home, running = under_way(t, keyring)
    meanwhile(server, home, "login", "strict", "--store", "file", env={"BROWSER": strict.browser(t)}).expect(0, err="were deleted")
    home.collect(running, "token").expect(0)
    second = list(server.logins.values())[1]
    same(keyring.lookup("strict"), None, "the keychain's record")
    check(home.run("token", "strict").expect(0).token in second.access, "the token in use is the new login's")
    home.run("refresh", "strict").expect(0)
    home.run("login", "strict", "--store", "keychain", env={"BROWSER": strict.browser(t)}).expect(0, err="were deleted")
    same(list((home.state / "store").glob("*.sealed")), [], "sealed records")
    third = list(server.logins.values())[2]
    check(home.run("token", "strict").expect(0).token in third.access, "the token in use is the newest login's")
    same(server.reuses, 0, "reuse")


# T-71
@test
def a_store_put_back_from_a_backup_is_recognised(t):
    server = strict.serve(t)
    home = strict.logged_in(t, server)
    strict.stale(server)
    shutil.copytree(home.state / "store", t.folder / "backup")
    home.run("refresh", "strict", "--no-cache").expect(0)
    shutil.rmtree(home.state / "store")
    shutil.copytree(t.folder / "backup", home.state / "store")
    ran = home.run("token", "strict", "--no-cache").expect(4, err=["older than the one last used here", "oauthctl login strict"])
    same(ran.out, "", "stdout")
    same([e["outcome"] for e in server.refreshes()], ["renewed"], "token requests")
    home.run("login", "strict", env={"BROWSER": strict.browser(t)}).expect(0)
    home.run("refresh", "strict").expect(0)
    check(server.good(home.run("token", "strict").expect(0).token), "a login mends it")


@test
def a_signal_in_the_middle_costs_nothing(t):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
        server, home, running = under_way(t)
        os.kill(running.pid, number)
        running.wait(rig.PATIENCE)
        server.let_go()  # its helper goes on, and has its stderr
        ran = home.collect(running, "token")
        same(ran.code, -number, "the signal")
        same(ran.out, "", "stdout")
        again = home.run("token", "strict").expect(0)
        check(server.good(again.token), "the renewed token")
        same([e["outcome"] for e in server.refreshes()], ["renewed"], "token requests")


if __name__ == "__main__":
    rig.main(globals())

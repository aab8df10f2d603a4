#!/usr/bin/env python3
"""A token endpoint that is down, silent or busy: few requests, exit code 75 in time, the stored token untouched, no browser."""

import os
import signal
import time

import rig
import strict
from rig import check, same, test
from storm import children

CROWD = int(os.environ.get("STORM", "1000"))


def scene(t, **env):
    server = strict.serve(t)
    home = strict.logged_in(t, server, **env)
    strict.stale(server)
    return server, home


def record(home):
    return {p.name: p.read_bytes() for p in (home.state / "store").iterdir()}


def forget_trouble(home):
    """As if time had passed."""
    for path in home.state.glob("journal/*.trouble"):
        path.unlink()


def all_told_to_come_again(t, home, what, crowd, count, nobody):
    strict.figure(f"{what}: {count} processes, all ended after {crowd.seconds:.1f} s, load before {crowd.load:.1f}")
    same(crowd.tally(), {75: count}, f"exit codes ({crowd.errors_of(4)}{crowd.errors_of(5)})")
    same(set(crowd.outputs), {""}, "outputs")
    same(nobody.opened(), [], "browsers")
    if max(crowd.last) >= 35.5:
        # the machine is busy with something else: what do as many processes take here that do nothing?
        beside = max(strict.crowd(t, home, count, "--version").last)
        check(max(crowd.last) < 35.5 + 3 * beside, f"the last one ended after {max(crowd.last):.1f} s, and after {beside:.1f} s where they do nothing")


# T-68
@test
def a_thousand_on_a_dead_port(t):
    server, home = scene(t)
    before, nobody = record(home), t.no_browser()
    with server.away():
        crowd = strict.crowd(t, home, CROWD, "-v", "token", "strict", env={"BROWSER": nobody})
    tried = sum(text.count("> POST ") for text in crowd.errors)
    strict.figure(f"dead port: {tried} attempts to connect")
    all_told_to_come_again(t, home, "dead port", crowd, CROWD, nobody)
    # one of them tries three times, and is remembered for ten seconds
    check(tried <= (3 if crowd.seconds < 11 else 6), f"{tried} attempts in {crowd.seconds:.1f} s")
    same(record(home), before, "the stored token")
    server.restore(server.state())
    # a person who asks isn't put off
    home.run("refresh", "strict").expect(0)
    same(server.reuses, 0, "reuse")


@test
def a_server_that_is_back_is_found_by_who_comes_again(t):
    server, home = scene(t)
    with server.away():
        home.run("token", "strict").expect(75)
    # times are kept in whole seconds: two of them
    time.sleep(2.1)
    check(server.good(home.run("token", "strict").expect(0).token), "a token at the second try")


@test
def a_thousand_on_a_silent_endpoint(t):
    server, home = scene(t)
    server.silent = True
    before, nobody = record(home), t.no_browser()
    crowd = strict.crowd(t, home, CROWD, "token", "strict", env={"BROWSER": nobody})
    strict.figure(f"silent endpoint: {server.connections} connections")
    all_told_to_come_again(t, home, "silent endpoint", crowd, CROWD, nobody)
    check(server.connections <= 3, f"{server.connections} connections")
    same(record(home), before, "the stored token")
    server.silent = False
    home.run("refresh", "strict").expect(0)
    check(server.good(home.run("token", "strict").expect(0).token), "the login should be alive")


# T-54
@test
def the_servers_word_when_to_come_again_is_remembered_for_the_others(t):
    server, home = scene(t)
    server.answer = (429, {"Retry-After": "5"}, '{"error":"slow_down"}')
    first = home.run("token", "strict").expect(75, err="5 s")
    same(first.out, "", "stdout")
    same(len(server.refreshes()), 1, "requests")
    crowd = strict.crowd(t, home, 50, "token", "strict")
    same(crowd.tally(), {75: 50}, "exit codes")
    # a person is told too: the server itself has said so
    home.run("refresh", "strict").expect(75, err=r"again in \d s")
    server.answer = None
    rig.wait_until(lambda: home.run("token", "strict").code == 0, "a token after the time is over")
    # times are kept in whole seconds
    asked = [e["at"] for e in server.refreshes()]
    check(all(b - a >= 4 for a, b in zip(asked, asked[1:])), f"asked at {asked}")
    same(server.reuses, 0, "reuse")


# T-55, T-57, T-58, and a maintenance page
@test
def answers_that_say_nothing_about_the_token_leave_it_alone(t):
    server, home = scene(t)
    before = record(home)
    html = (200, {"Content-Type": "text/html"}, "<!doctype html><h1>back soon</h1>")
    for name, answer, code, requests in [
        ("500", (500, {}, ""), 75, 2),
        ("502", (502, {}, ""), 75, 2),
        ("503", (503, {}, ""), 75, 2),
        ("504", (504, {}, ""), 75, 2),
        ("temporarily_unavailable", (400, {}, '{"error":"temporarily_unavailable"}'), 75, 1),
        ("invalid_client", (401, {}, '{"error":"invalid_client"}'), 2, 1),
        ("unauthorized_client", (400, {}, '{"error":"unauthorized_client"}'), 2, 1),
        ("invalid_scope", (400, {}, '{"error":"invalid_scope"}'), 3, 1),
        ("a web page", html, 7, 1),
        ("a redirect", (307, {"Location": "http://127.0.0.1:1/"}, ""), 7, 1),
    ]:
        for _ in range(3):
            server.forget()
            server.answer = answer
            forget_trouble(home)
            ran = home.run("token", "strict").expect(code)
            same(ran.out, "", "stdout")
            same(len(server.refreshes()), requests, f"{name}: requests")
            same(record(home), before, f"{name}: the stored token")
    server.answer = None
    forget_trouble(home)
    check(server.good(home.run("token", "strict").expect(0).token), "the login should be alive after all that")
    same(server.reuses, 0, "reuse")


# B-09
@test
def an_answer_that_came_in_time_is_kept_however_late_it_is_read(t):
    """A machine that is put to sleep while the server answers: both processes stand still for longer than the deadline."""
    server, home = scene(t)
    server.hold()
    process = home.start("token", "strict")
    rig.wait_until(lambda: server.connections, "the request", of=process)
    both = [process.pid, *children(process.pid)]
    check(len(both) == 2, f"one helper expected: {both}")
    # the request is out whole
    time.sleep(0.3)
    for pid in both:
        os.kill(pid, signal.SIGSTOP)
    server.let_go()
    time.sleep(32)
    for pid in reversed(both):
        os.kill(pid, signal.SIGCONT)
    late = home.collect(process, "token").expect(0)
    check(server.good(late.token), f"the answer's token\n{late}")
    same(len(server.refreshes()), 1, "renewals")
    same(home.run("token", "strict").expect(0).token, late.token, "the token that is kept")


if __name__ == "__main__":
    rig.main(globals())

#!/usr/bin/env python3
"""The program against a hostile world, end to end: servers that follow a script, raw bytes at the listener, addresses that lead
astray. The rows that a test stands for are in its docstring; `rows` counts them."""

import contextlib
import fcntl
import gzip
import json
import os
import re
import signal
import socket
import ssl
import stat
import struct
import subprocess
import sys
import threading
import time
import urllib.parse

import rig
import strict
from rig import Listening, answer, check, same, test

CI = bool(os.environ.get("CI"))
ACCESS = "access-0-of-the-hostile-tests"
REFRESH = "refresh-0-of-the-hostile-tests"


def token(number=0, **more):
    return {
        "access_token": ACCESS.replace("0", str(number), 1),
        "refresh_token": REFRESH.replace("0", str(number), 1),
        "token_type": "Bearer",
        "expires_in": 3600,
        **more,
    }


def home_for(t, server, more="", **env):
    home = t.home(OAUTHCTL_STORE="file", **env)
    home.provider("rig", server.provider_file(more=more))
    return home


LOGIN = ["rig", "--client-id", "public"]


def signed_in(t, server, more="", **env):
    """A home with a token of this server, fresh for an hour."""
    home = home_for(t, server, more, **env)
    server.on.setdefault("/token", answer(200, token()))
    login = Listening(home, *LOGIN)
    login.redirect()
    login.end().expect(0)
    return home


def world(t):
    server = t.scripted()
    return server, signed_in(t, server)


# ---- the listener ------------------------------------------------------------------------------------------------------


@test
def two_right_redirects_with_different_codes_are_one_exchange(t):
    """L-20, L-58"""
    server = t.scripted()
    home = home_for(t, server)

    def slow(_):
        # the exchange takes until all have come
        rig.wait_until(lambda: len(login.sent) == 12, "the last redirect")
        time.sleep(0.5)
        return answer(200, token())

    server.on["/token"] = slow
    login = Listening(home, *LOGIN)
    pages = rig.parallel(12, 12, lambda n: login.redirect(f"code-{n % 2}"))
    login.end().expect(0)
    same(len(server.to("/token")), 1, "codes exchanged")
    check(all(p.startswith("HTTP/1.1 ") for p in pages), f"everybody gets a page: {pages}")
    check(any("Location: /done" in p for p in pages), f"{pages}")


@test
def a_failed_exchange_shows_the_page_that_says_so(t):
    """L-51, S5, T-60: and the code is sent once"""
    for reply, code in ((answer(400, {"error": "invalid_grant"}), 4), (answer(503), 75), (lambda _: b"", 75), (answer(200, "{}"), 7)):
        server = t.scripted()
        server.on["/token"] = reply
        login = Listening(home_for(t, server), *LOGIN)
        page = login.redirect()
        check("Location: /failed" in page and "/done" not in page, page)
        shown = login.get("", "/failed")
        check("terminal" in shown or not shown, shown)
        ran = login.end()
        check(ran.code in (code, 3 if code == 4 else code), f"exit code {code} expected\n{ran}")
        same(len(server.to("/token")), 1, "codes exchanged")
        login.home.run("token", "rig").expect(4)


@test
def after_the_login_the_port_is_closed_and_what_comes_there_is_of_no_use(t):
    """L-05, L-42, L-43, C-14: the code is bound to a verifier that never left but to the token endpoint"""
    server = t.scripted()
    home = home_for(t, server)
    server.on["/token"] = answer(200, token())
    login = Listening(home, *LOGIN)
    login.redirect()
    login.get("", "/done")
    login.end().expect(0)
    check(login.is_closed(), "the port is open after the login")
    form = server.to("/token")[0].form
    import base64
    import hashlib

    challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
    same((login.asked["code_challenge_method"], login.asked["code_challenge"]), ("S256", challenge), "challenge")
    check(form["code_verifier"] not in login.url, "the verifier is in the address")
    same(form["redirect_uri"], login.redirect_uri, "redirect_uri in the exchange")
    # the port is somebody else's now: a late redirect goes there, and nothing of ours listens
    with socket.create_server(("127.0.0.1", login.port)):
        same(len(server.to("/token")), 1, "codes exchanged")


@test
def nobody_who_comes_is_exit_code_6_and_so_is_a_sleep_past_the_deadline(t):
    """L-44, L-45"""
    server = t.scripted()
    started = time.monotonic()
    login = Listening(home_for(t, server), *LOGIN, "--timeout", "1s")
    login.end().expect(6)
    check(time.monotonic() - started >= 1, "a second at least")
    check(login.is_closed(), "the port is open after the end")
    # stopped and continued, as a laptop's lid does it
    login = Listening(home_for(t, server), *LOGIN, "--timeout", "6s")
    login.process.send_signal(signal.SIGSTOP)
    time.sleep(6)
    login.process.send_signal(signal.SIGCONT)
    started = time.monotonic()
    login.end().expect(6)
    check(time.monotonic() - started < 5, "the time asleep counts")


@test
def a_signal_ends_the_wait_at_once_and_closes_the_port(t):
    """L-46"""
    server = t.scripted()
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)):

        def ended():
            # from the first byte of the address on
            login = Listening(home_for(t, server), *LOGIN)
            login.process.send_signal(number)
            ran = login.end()  # and its time from here on
            check(ran.code in (code, 129 if number == signal.SIGHUP else code), f"{number!r}: {ran}")
            check(login.is_closed(), "the port is open after the end")
            login.home.run("token", "rig").expect(4)
            return ran

        rig.soon(0.5, ended)


@test
def an_interruption_during_the_exchange_waits_for_what_is_spent(t):
    """L-47"""
    server = t.scripted()
    home = home_for(t, server)
    asked = threading.Event()

    def slow(_):
        asked.set()
        time.sleep(1)
        return answer(200, token())

    server.on["/token"] = slow
    login = Listening(home, *LOGIN)
    threading.Thread(target=login.redirect, daemon=True).start()
    check(asked.wait(rig.PATIENCE), "no exchange")
    login.process.send_signal(signal.SIGINT)
    login.end()
    same(home.run("token", "rig").expect(0).token, ACCESS, "the token that was in flight")


@test
def a_second_interruption_waits_for_nothing(t):
    """L-47: neither for the server nor for the lock of another process"""
    server = t.scripted()
    asked, done = threading.Event(), threading.Event()

    def slow(_):
        asked.set()
        done.wait(rig.PATIENCE)
        return answer(200, token())

    def waits(login):
        check(asked.wait(rig.PATIENCE), "no exchange")

    def waits_for_lock(login):
        rig.wait_until(lambda: strict.waiting_for_locks([login.process.pid]), "the wait for the lock")

    home = signed_in(t, server)
    held = open(next((home.state / "locks").iterdir()), "rb")
    for held_up, answers in (waits, slow), (waits_for_lock, answer(200, token(1))):
        server.on["/token"] = answers
        for second in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            fcntl.flock(held, fcntl.LOCK_EX)
            login = Listening(home, *LOGIN)
            threading.Thread(target=login.redirect, daemon=True).start()
            held_up(login)
            login.process.send_signal(signal.SIGINT)
            time.sleep(0.2)
            same(login.process.poll(), None, "the first waits")
            # on a busy machine two of a kind may be one
            rig.wait_until(lambda: login.process.send_signal(second) or login.process.poll() is not None, "the end")
            same(login.end().code, -second, "the second")
            fcntl.flock(held, fcntl.LOCK_UN)
            asked.clear()
            same(home.run("token", "rig", "--no-cache").expect(0).token, ACCESS, "the login of before")
    done.set()
    # one alone is obeyed once the login is stored
    fcntl.flock(held, fcntl.LOCK_EX)
    login = Listening(home, *LOGIN)
    threading.Thread(target=login.redirect, daemon=True).start()
    waits_for_lock(login)
    login.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    fcntl.flock(held, fcntl.LOCK_UN)
    login.end().expect(0)
    same(home.run("token", "rig").expect(0).token, token(1)["access_token"], "the token that was in flight")


@test
def a_registrations_end_that_is_interrupted_is_finished_by_the_next(t):
    """L-47, P-19: SIGINT, SIGTERM and SIGHUP while the server is asked to delete it"""
    server = t.scripted()
    place = f"{server.base}/register/one"
    server.on["/register"] = answer(201, {"client_id": "one", "registration_client_uri": place, "registration_access_token": "to-manage"})
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        home = home_for(t, server, f'registration-url = "{server.base}/register"')
        home.run("register", "rig").expect(0)
        asked, deleted = threading.Event(), threading.Event()

        def slow(_):
            asked.set()
            deleted.wait(rig.PATIENCE)
            return answer(204, b"")

        server.on["/register/one"] = slow
        running = home.start("register", "rig", "--delete")
        check(asked.wait(rig.PATIENCE), "not asked")
        running.send_signal(number)
        same(running.wait(rig.PATIENCE), -number, "the signal")
        deleted.set()
        # the server has it no more
        server.on["/register/one"] = answer(401, {"error": "invalid_token"})
        home.run("register", "rig", "--delete").expect(0, err=["unknown at the server"])
        same(list((home.state / "store").glob("*.sealed")), [], "records")
        check("client-id" not in (home.config / "config.toml").read_text(), "the client in config.toml")
        home.run("register", "rig").expect(0)


@test
def wrong_callbacks_by_the_hundred_cost_a_line_and_no_memory(t):
    """L-01, L-06, L-57: W, and no exchange"""
    server = t.scripted()
    server.on["/token"] = answer(200, token())
    login = Listening(home_for(t, server), *LOGIN)

    def resident():
        text = open(f"/proc/{login.process.pid}/status", encoding="ascii").read()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1])

    for number in range(100):
        login.get(f"code=x{number}&state=wrong")
    before = resident()
    for number in range(400):
        check(login.get(f"error=access_denied&state=wrong{number}").startswith("HTTP/1.1 400"), "refused")
    grown = resident() - before
    check(grown < 2048, f"{grown} kB more after 400 wrong callbacks")
    login.redirect()
    ran = login.end().expect(0)
    check(ran.err.count("Ignored") <= 2, f"a line for each\n{ran}")
    same(len(server.to("/token")), 1, "codes exchanged")


@test
def with_its_streams_closed_the_login_is_kept_all_the_same(t):
    """L-60"""
    server = t.scripted()
    home = home_for(t, server)
    server.on["/token"] = answer(200, token())
    login = Listening(home, *LOGIN)
    login.process.stderr.close()
    login.process.stdout.close()
    login.redirect()
    same(login.process.wait(rig.PATIENCE), 0, "exit code")
    same(home.run("token", "rig").expect(0).token, ACCESS, "the token")


@test
def no_file_gets_the_number_of_a_stream_that_is_closed(t):
    home = signed_in(t, t.scripted())
    streams = " ".join(f"$(readlink /proc/$$/fd/{number})" for number in range(3))
    home.run("run", "--env", "A_TOKEN=rig", "--", "sh", "-c", f"echo {streams} > streams", under=["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]).expect(0)
    same((home.folder / "streams").read_text().split(), ["/dev/null"] * 3, "the streams")


@test
def what_is_printed_where_stdout_is_closed_is_an_error(t):
    """H-25"""
    server = t.scripted()
    home = signed_in(t, server)
    server.on["/v1/me"] = answer(200, {"a": 1})
    closed = ["sh", "-c", 'exec "$@" >&-', "sh"]
    for line in (["token"], ["token", "rig"], ["token", "rig", "--format", "env"], ["call", "rig", "/me"], ["call", "rig", "/me", "-o", "./"], ["list"], ["status", "rig"], ["help"], ["--version"]):
        told = home.run(*line, under=closed).expect(1).err
        check("written" in told and "Bad file descriptor" in told, told)
    home.run("refresh", "rig", under=closed).expect(0)


@test
def a_refusal_with_the_right_state_is_told_in_one_safe_line(t):
    """L-07, L-13, L-14, C-02, C-10"""
    nasty = "\x1b[2J\x1b]0;t\x07\r\n::stop-commands::x ##[error] ##vso[task] \u202egnp <script>alert(1)</script>" + "y" * 6000
    server = t.scripted()
    for error, code in (("access_denied", 3), ("\x1b[31m::error::", 3)):
        login = Listening(home_for(t, server, GITHUB_ACTIONS="true"), *LOGIN)
        query = {"error": error, "error_description": nasty, "error_uri": "javascript:alert(1)", "state": login.state}
        page = login.get(urllib.parse.urlencode(query))
        check("script" not in page and "alert" not in page, page)
        ran = login.end().expect(code)
        told = ran.err.split("error:", 1)[1]
        check(not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]|::|##\[|javascript", told), repr(told))
        check(max(map(len, told.splitlines())) < 500, repr(told))
    same(server.requests, [], "requests to the server")


@test
def the_listener_is_on_loopback_whatever_the_environment_says(t):
    """C-23, C-24"""
    server = t.scripted()
    names = ["HOST", "LISTEN", "BIND", "ADDRESS", "LISTEN_ADDRESS", "REDIRECT_URI", "LISTEN_HOST"]
    env = {f"{p}{n}": "0.0.0.0" for n in names for p in ("", "OAUTHCTL_")}
    login = Listening(home_for(t, server, **env), *LOGIN)
    check(login.redirect_uri.startswith("http://127.0.0.1:"), login.redirect_uri)
    found = []
    for table in ("tcp", "tcp6"):
        for line in open(f"/proc/net/{table}", encoding="ascii").read().splitlines()[1:]:
            at, state = line.split()[1], line.split()[3]
            if state == "0A" and at.endswith(f":{login.port:04X}"):
                found.append(at.split(":")[0])
    check(found and set(found) <= {"0100007F", "0" * 24 + "01000000"}, f"where it listens: {found}")


@test
def a_dead_grant_never_opens_a_browser(t):
    """C-26: a hundred times in CI, a thousand otherwise"""
    server = t.scripted()
    browser = t.no_browser()
    home = signed_in(t, server)
    server.on["/token"] = answer(400, {"error": "invalid_grant"})
    home.env |= {"BROWSER": str(browser), "DISPLAY": ":0"}
    home.run("refresh", "rig").expect(4)
    verbs = [("token", "rig"), ("refresh", "rig"), ("call", "rig", "/me"), ("token", "rig", "--force-refresh")]
    ran = rig.parallel(100 if CI else 1000, 8, lambda n: home.run(*verbs[n % len(verbs)] if n % 10 == 0 else verbs[0]))
    same({r.code for r in ran}, {4}, "exit codes")
    same(browser.opened(), [], "what a browser got")


# ---- the token endpoint ----------------------------------------------------------------------------------------------


def forced(home):
    return home.run("token", "rig", "--force-refresh")


@test
def no_redirect_of_the_token_endpoint_is_followed_wherever_it_leads(t):
    """T-20, T-21, T-22, T-23, C-17"""
    server = t.scripted()
    home = signed_in(t, server)
    other = t.scripted()
    here = f"127.0.0.1:{other.port}"
    places = [f"http://{here}/token", f"http://as@{here}/", f"http://127.0.0.1:{server.port}@{here}/", f"//{here}/", "file:///etc/passwd",
              "unix:/run/docker.sock", "http://169.254.169.254/latest/", f"http://localhost:{other.port}/"]  # fmt: skip
    statuses = (301, 302, 303, 307, 308)
    for n, place in enumerate(places):
        before = len(server.requests)
        server.on["/token"] = answer(statuses[n % 5], "", Location=place)
        forced(home).expect(7, out=r"\A\Z", err="redirect")
        same(len(server.requests), before + 1, "requests")
        server.on["/token"] = answer(200, token())
        forced(home).expect(0)
    same(other.connections, 0, "connections elsewhere")
    # on a success none of these means anything
    meta = token(1, note=f'<meta http-equiv="refresh" content="0;url=http://{here}/">')
    server.on["/token"] = answer(200, meta, Refresh=f"0; url=http://{here}/", Location=f"http://{here}/", Alt_Svc=f'h2="{here}"')
    same(forced(home).expect(0).token, meta["access_token"], "the token")
    same(other.connections, 0, "connections elsewhere")


def peak(home, *argv):
    """A run, and the most memory it took, in kB."""
    ran = home.run(*argv, under=["/usr/bin/time", "-f", "peak %M"])
    return ran, int(re.search(r"peak (\d+)", ran.err)[1])


def pour(start, piece, most=256 << 20):
    """An answer that goes on and on."""

    def run(_, connection):
        with contextlib.suppress(OSError):
            connection.sendall(start)
            for _ in range(most // len(piece)):
                connection.sendall(piece)

    return run


@test
def endless_answers_are_cut_off_and_cost_no_memory(t):
    """T-05, T-06, T-10"""
    rig.need("/usr/bin/time")
    server, home = world(t)
    _, usual = peak(home, "token", "rig", "--force-refresh")

    bomb = gzip.compress(b"\0" * (256 << 20), 6)
    ok = b"HTTP/1.1 200 x\r\n"
    for what, do in {
        "interim answers": pour(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 200, 40 << 20),
        "a million empty interim answers": pour(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 25_000_000),
        "headers": pour(ok, b"A: " + b"b" * 1000 + b"\r\n"),
        "one header": pour(ok + b"A: ", b"b" * 65536),
        "chunks": pour(ok + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"a" * 65536 + b"\r\n"),
        "a chunk's extension": pour(ok + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a" * 65536),
        "trailers": pour(ok + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"A: " + b"b" * 1000 + b"\r\n"),
        "a body": pour(ok + b"Content-Length: 10737418240\r\n\r\n", b"a" * 65536),
        "a bomb": answer(200, bomb, Content_Encoding="gzip"),
    }.items():
        server.on["/token"] = do
        # a fresh home each: a failure is remembered for a while
        ran, most = peak(home, "refresh", "rig")
        check(ran.code in (1, 7, 75), f"{what}: {ran}")
        check(most - usual < 32 << 10, f"{what}: {most} kB instead of {usual} kB")
        for _ in range(2):
            server.on["/token"] = answer(200, token())
            home.run("refresh", "rig")
    server.on["/token"] = answer(200, gzip.compress(json.dumps(token(2)).encode()), Content_Encoding="gzip")
    home.run("refresh", "rig").expect(7)


# what the program may take at most, in kB
MOST = 64 << 10


def floods():
    """What an endpoint may send that has no end, or grows, or is too deep."""
    ok = b"HTTP/1.1 200 x\r\nContent-Type: application/json\r\n"
    yield "a body", pour(ok + b"Content-Length: 10737418240\r\n\r\n", b"a" * 65536)
    yield "one JSON line", pour(ok + b"Content-Length: 10737418240\r\n\r\n[", b'"%s",' % (b"a" * 65536))
    yield "chunks", pour(ok + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"a" * 65536 + b"\r\n")
    yield "headers", pour(ok, b"A: " + b"b" * 1000 + b"\r\n")
    yield "one header", pour(ok + b"A: ", b"b" * 65536)
    yield "a bomb", answer(200, gzip.compress(b" " * (256 << 20), 6), Content_Encoding="gzip")
    yield "depth", answer(200, "[" * 4_000_000)


@test
def an_api_that_floods_takes_no_memory(t):
    """B-14"""
    rig.need("/usr/bin/time")
    server, home = world(t)
    for what, do in floods():
        server.on["/v1/me"] = do
        # into a file what comes as it came: a bomb is no text
        for flags in (["-o", t.folder / "out"], ["--jq", "."], ["--format", "table"]):
            ran, most = peak(home, "call", "rig", "/me", *flags)
            check(most < MOST, f"{what}, {flags}: {most} kB, exit {ran.code}\n{ran.err[:2000]}")


@test
def a_token_endpoint_that_floods_takes_no_memory(t):
    """B-14"""
    rig.need("/usr/bin/time")
    server, home = world(t)
    for what, do in floods():
        server.on["/token"] = do
        ran, most = peak(home, "refresh", "rig")
        check(ran.code in (1, 7, 75), f"{what}: {ran}")
        check(most < MOST, f"{what}: {most} kB\n{ran}")
        server.on["/token"] = answer(200, token())
        rig.wait_until(lambda: home.run("refresh", "rig").code == 0, "a renewal", 60)


@test
def a_document_that_floods_takes_no_memory(t):
    """B-15"""
    rig.need("/usr/bin/time")
    server = t.scripted()
    for what, do in floods():
        home = t.home(OAUTHCTL_STORE="file")
        for path in ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"):
            server.on[path] = do
        ran, most = peak(home, "login", server.base, "--client-id", "public", "--no-browser")
        check(ran.code not in (0, 101), f"{what}: {ran}")
        check(most < MOST, f"{what}: {most} kB\n{ran}")


@test
def a_session_bus_that_floods_takes_no_memory(t):
    """N-02"""
    rig.need("/usr/bin/time")
    # an answer to nothing with a body of 64 KiB; a signal
    head = lambda kind, body: struct.pack("<BBBBIII", ord("l"), kind, 0, 1, body, 1, 8) + struct.pack("<BBBBI", 5, 1, ord("u"), 0, 99)
    for what, piece in {
        "long answers to nothing": head(2, 65536) + b"\0" * 65536,
        "signals": struct.pack("<BBBBIII", ord("l"), 4, 0, 1, 0, 1, 0) * 4096,
        "a line without end": b"x" * 65536,
    }.items():
        path = t.folder / f"bus-{len(what)}"
        with socket.socket(socket.AF_UNIX) as bus:
            bus.bind(str(path))
            bus.listen()

            def flood(start=b"" if "line" in what else b"OK 1234\r\n", piece=piece, bus=bus):
                with contextlib.suppress(OSError):
                    connection, _ = bus.accept()
                    with connection:
                        connection.sendall(start)
                        for _ in range((256 << 20) // len(piece)):
                            connection.sendall(piece)

            threading.Thread(target=flood, daemon=True).start()
            home = t.home(OAUTHCTL_STORE="keychain", DBUS_SESSION_BUS_ADDRESS=f"unix:path={path}")
            ran, most = peak(home, "token", "sandbox")
            check(ran.code == 5, f"{what}: {ran}")
            check(most < MOST, f"{what}: {most} kB\n{ran}")


@test
def a_huge_file_of_the_configuration_takes_no_memory(t):
    """B-16"""
    rig.need("/usr/bin/time")
    for name in ("config.toml", "providers/rig.toml"):
        home = t.home(OAUTHCTL_STORE="file")
        file = home.config / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w") as out:
            for _ in range(100):
                out.write("# " + "a" * (1 << 20) + "\n")
        file.chmod(0o600)
        for argv in (["token", "rig"], ["list"], ["provider", "show", "rig"]):
            ran, most = peak(home, *argv)
            check(most < MOST, f"{name}, {argv}: {most} kB\n{ran}")


@test
def a_hundred_thousand_profiles_take_no_memory(t):
    """B-13"""
    rig.need("/usr/bin/time")
    home = t.home(OAUTHCTL_STORE="file")
    text = "".join(f'[profiles.p{n}]\nprovider = "sandbox"\n' for n in range(100_000))
    (home.config / "config.toml").write_text(text, encoding="utf-8")
    for argv in (["list", "--format", "json"], ["status", "p7"], ["token", "p7"]):
        ran, most = peak(home, *argv)
        check(most < MOST, f"{argv}: {most} kB\n{ran.err[:2000]}")
        check(ran.code in (0, 4) and (argv[0] != "list" or ran.out.count('"profile"') == 100_000), f"{argv}: {ran.err[:2000]}")
    # nor much time, beside a parser that only reads the file
    spent = lambda err: sum(map(float, re.search(r"spent (\S+) (\S+)", err).groups()))
    timed = ["/usr/bin/time", "-f", "spent %U %S"]
    read = [*timed, sys.executable, "-c", "import sys, tomllib; tomllib.load(open(sys.argv[1], 'rb'))", home.config / "config.toml"]
    theirs = spent(subprocess.run(read, capture_output=True, text=True, check=True).stderr)
    ours = spent(home.run("list", under=timed).expect(0).err)
    check(ours < 5 * theirs, f"{ours} s, where tomllib takes {theirs} s")


@test
def what_a_renewal_brings_is_kept_as_the_rfc_says(t):
    """T-45, T-46, T-47, T-48, C-36, S8, S10"""
    server, home = world(t)
    spent = lambda: server.to("/token")[-1].form["refresh_token"]
    first = token()["refresh_token"]
    # none in the answer: the old one stays
    server.on["/token"] = answer(200, {k: v for k, v in token(1).items() if k != "refresh_token"})
    forced(home).expect(0)
    same(spent(), first, "refresh token sent")
    # a new one replaces it, and the same once more is fine
    for number, expected in ((2, first), (2, token(2)["refresh_token"]), (3, token(2)["refresh_token"]), (4, token(3)["refresh_token"])):
        server.on["/token"] = answer(200, token(number, refresh_token_expires_in=7200))
        forced(home).expect(0)
        same(spent(), expected, "refresh token sent")
    check("expires at" in home.run("status", "rig").out.split("refresh token", 1)[1].splitlines()[0], "its end is not shown")


@test
def scopes_are_kept_as_granted_and_what_is_missing_is_said(t):
    """T-41"""
    server = t.scripted()
    home = home_for(t, server)
    server.on["/token"] = answer(200, token(scope="c a"))
    login = Listening(home, *LOGIN, "--scope", "a b c")
    login.redirect()
    login.end().expect(0, err=r"not granted: b")
    shown = home.run("status", "rig").expect(0).out
    check(re.search(r"^scopes\s+c a$", shown, re.M), shown)


@test
def a_token_that_the_server_echoes_is_not_shown(t):
    """T-52, H-07, S2, L-13, T-50"""
    server, home = world(t)
    secret = token()["refresh_token"]
    import base64

    echo = f"bad {secret} {urllib.parse.quote(secret[:8])} " + base64.b64encode(f"x:{secret}".encode()).decode() + " " + "z" * 180 + secret
    server.on["/token"] = answer(400, {"error": "invalid_request", "error_description": echo, "context": {"sentToken": secret}})
    for flags in ([], ["-v"], ["--error-format", "json"]):
        ran = home.run("refresh", "rig", *flags)
        check(ran.code == 2, str(ran))
        left = ran.err.replace(secret[:8], "", 0)
        check(secret not in left and secret[9:] not in left, str(ran))
    server.on["/v1/me"] = lambda asked: answer(401, {"httpStatus": 401, "code": 1014, "message": f"no {asked.header('authorization')}", "context": {"sentToken": ACCESS}})
    server.on["/token"] = answer(200, token())
    ran = home.run("call", "rig", "/me", "-v")
    check(ran.code in (4, 22), str(ran))
    check(ACCESS not in ran.err, str(ran))
    check(ACCESS in ran.out, "the API's own body is data, and goes to stdout as it came")


@test
def a_hostile_description_is_one_short_line(t):
    """T-50, T-51, C-02, C-05"""
    server, home = world(t)
    nasty = "\x1b[2J\x1b]8;;http://x\x07\r\n::add-mask::x\n##[error]y ##vso[z] \x9b2J \u202ex\u2066 \x00" + "w" * 150_000
    home.env["GITHUB_ACTIONS"] = "true"
    for error in ("invalid_request", "\x1b[31m\n::set-output::", "", 7, ["a"], {"code": nasty, "message": nasty}, "e" * 10_000):
        server.on["/token"] = answer(400, {"error": error, "error_description": nasty})
        for flags in ([], ["-v"], ["--error-format", "json"]):
            ran = home.run("refresh", "rig", *flags)
            check(ran.code in (1, 2, 3), str(ran)[:2000])
            check(not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066]|::|##\[|##vso", ran.err), repr(ran.err[:2000]))
            check(max(map(len, ran.err.splitlines())) < 1500, f"{len(ran.err)} characters")


@test
def a_server_that_asks_for_patience_is_left_alone(t):
    """T-54, T-55, T-58"""
    for after, told in (("5", 5), ("-1", None), ("1000000000", 3600), ("soon", None), ("Sun, 06 Nov 1994 08:49:37 GMT", None),
                        (time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 90)), 90)):  # fmt: skip
        server, home = world(t)
        server.on["/token"] = answer(429, {"error": "slow_down"}, Retry_After=after)
        before = len(server.requests)
        ran = forced(home).expect(75)
        same(len(server.requests), before + 1, f"requests with Retry-After: {after}")
        for _ in range(3):
            again = forced(home).expect(75)
        same(len(server.requests), before + 1, f"siblings' requests with Retry-After: {after}")
        if told:
            seconds = re.search(r"in (\d+) s", again.err)
            check(seconds and told - 15 <= int(seconds[1]) <= told, f"{after}: {ran}{again}")
    for status in (500, 502, 503, 504):
        server, home = world(t)
        before = len(server.requests)
        replies = iter([answer(status), answer(200, token(1))])
        server.on["/token"] = lambda _: next(replies)
        ran = forced(home)
        check(ran.code in (0, 75) and len(server.requests) - before <= 2, f"{status} once: {ran}")
        server, home = world(t)
        before = len(server.requests)
        server.on["/token"] = answer(status)
        forced(home).expect(75)
        check(len(server.requests) - before <= 3, f"{len(server.requests) - before} requests for a {status} that stays")
    for error in ("temporarily_unavailable", "slow_down"):
        server, home = world(t)
        server.on["/token"] = answer(400, {"error": error})
        forced(home).expect(75)
        home.run("token", "rig").expect(0)


@test
def a_refused_client_keeps_its_tokens_and_no_second_method_is_tried(t):
    """T-56, T-57, T-59"""
    for error, code in (("invalid_client", 2), ("unauthorized_client", 2), ("unsupported_grant_type", 2), ("invalid_scope", 3)):
        server, home = world(t)
        before = len(server.requests)
        server.on["/token"] = answer(401 if error == "invalid_client" else 400, {"error": error}, WWW_Authenticate='Basic realm="x"')
        forced(home).expect(code)
        same(len(server.requests), before + 1, "requests")
        home.run("token", "rig").expect(0)
    server, home = world(t)
    server.on["/token"] = answer(400, {"error": "invalid_grant"})
    forced(home).expect(4)
    before = len(server.requests)
    home.run("token", "rig").expect(4)
    same(len(server.requests), before, "requests after the end")


@test
def an_api_that_says_expired_is_asked_once_more_with_a_new_token(t):
    """T-61"""
    server, home = world(t)
    server.on["/token"] = answer(200, token(1))
    good = f"Bearer {token(1)['access_token']}"
    server.on["/v1/me"] = lambda asked: answer(200, {"me": 1}) if asked.header("authorization") == good else answer(401, {"error": "invalid_token"})
    home.run("call", "rig", "/me").expect(0, out=r'"me": 1')
    same(len(server.to("/v1/me")), 2, "calls")
    server.on["/v1/me"] = answer(401, {"error": "invalid_token"})
    before = len(server.to("/v1/me"))
    ran = home.run("call", "rig", "/me")
    check(ran.code in (4, 22), str(ran))
    check(len(server.to("/v1/me")) - before <= 2, "asked again and again")


def certificate(name):
    def make():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(rig.pki() / f"{name['now']}.crt", rig.pki() / f"{name['now']}.key")
        context.set_alpn_protocols(["h2", "http/1.1"])
        name.setdefault("seen", [])
        return context

    return make


@test
def a_certificate_is_looked_at_each_time_and_only_http_1_is_spoken(t):
    """T-74, T-76, C-13"""
    name = {"now": "server"}
    server = t.scripted(tls=certificate(name))
    home = signed_in(t, server, SSL_CERT_FILE=rig.pki() / "ca.crt")

    # a server that offers HTTP/2 gets HTTP/1.1
    def spoken(_, connection):
        name["seen"].append(connection.selected_alpn_protocol())
        return answer(200, token(1))

    server.on["/token"] = spoken
    forced(home).expect(0)
    check(name["seen"] in ([None], ["http/1.1"]), f"{name['seen']}")
    before = len(server.requests)
    name["now"] = "wronghost"
    forced(home).expect(7, err="certificate")
    same(len(server.requests), before, "requests to another's certificate")


# ---- `call`: the token goes to the provider's hosts and nowhere else --------------------------------------------------------

GOOD = "api.good.example"


def caller(t):
    """A home whose provider is on a host that doesn't exist, and a proxy through which all the world would be reached."""
    server = t.scripted()
    home = home_for(t, server)
    file = server.provider_file().replace(f'api.base-url = "{server.base}/v1"', f'api.base-url = "https://{GOOD}/v1"')
    home.provider("rig", file)
    server.on.setdefault("/token", answer(200, token()))
    login = Listening(home, *LOGIN)
    login.redirect()
    login.end().expect(0)
    proxy = t.scripted()
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"):
        home.env[name] = f"http://127.0.0.1:{proxy.port}"
    return server, home, proxy


@test
def an_address_that_leads_elsewhere_gets_no_token(t):
    """A-01 A-02 A-03 A-04 A-05 A-06 A-07 A-08 A-09 A-10 A-11 A-12 A-13 A-14 A-15 A-16 A-17 A-18 A-19 A-20 A-22 A-23 A-24
    A-25, C-03, C-16"""
    server, home, proxy = caller(t)
    evil = "evil.example"
    local = f"127.0.0.1:{proxy.port}"
    refused = {
        "A-01": [f"https://{GOOD}@{evil}/x", f"https://{GOOD}:443@{evil}/", f"http://{GOOD}@{local}/"],
        "A-02": [f"https://{GOOD}.{evil}/x", f"https://{GOOD}.evil/"],
        "A-03": [f"https://{evil}/{GOOD}", f"http://{local}/{GOOD}"],
        "A-04": [f"https://{evil}#{GOOD}", f"https://{evil}#@{GOOD}/"],
        "A-05": [f"https://{evil}?{GOOD}", f"https://{evil}?@{GOOD}/"],
        "A-06": [f"https://{GOOD}:444/x", f"https://{GOOD}:80/", f"https://{GOOD}:0/"],
        "A-07": [f"http://{GOOD}/x", f"ws://{GOOD}/x", f"wss://{GOOD}/", f"ftp://{GOOD}/"],
        "A-08": [f"https://{GOOD.upper()}./v1/x", f"https://{GOOD}.:443/"],
        "A-09": [f"https://{GOOD}%2eevil/", f"https://{GOOD}%2f@{evil}/"],
        "A-10": [rf"https://{GOOD}\@{evil}", rf"https:\\{evil}/", rf"https://{GOOD}\.{evil}"],
        "A-11": ["https://api。evil。example/", f"https://{GOOD}。evil/"],
        "A-12": ["https://xn--pi-6kc.good.example/", "https://аpi.good.example/"],
        "A-13": [f"//{evil}/x", f"///{evil}/x", f"//{local}/"],
        "A-14": [rf"/\{evil}/x", rf"\\{evil}", rf"/\/{evil}"],
        "A-15": [f"https://{evil}\t/x", f"ht\ntps://{evil}/", f"https://{GOOD}\n.{evil}/", "/x\r\ny", f" https://{evil}/", f"/\t/{evil}"],
        "A-16": [f"http://[::ffff:127.0.0.1]:{proxy.port}/", f"https://[::ffff:127.0.0.1]:{proxy.port}/"],
        "A-17": [f"http://2130706433:{proxy.port}/", f"http://0x7f.1:{proxy.port}/", f"http://127.1:{proxy.port}/"],
        "A-18": [f"https://{ACCESS}@{GOOD}/x", f"https://u:{ACCESS}@{GOOD}/", f"https://:@{GOOD}.{evil}/"],
        "A-19": ["https://BÜCHER.example/", "https://ÄPI.GOOD.EXAMPLE/"],
        "A-20": [f"https:///{evil}/x", f"https:/{evil}/x", f"https:{evil}", f"https:////{evil}/"],
        "A-22": ["https://" + "a" * 65536 + ".example/", f"https://{evil}/" + "a" * 65536],
        "A-23": ["data:text/plain,x", f"data://{GOOD}/x"],
        "A-24": ["file:///etc/passwd", f"file://{GOOD}/etc/passwd"],
        "A-25": ["unix:/var/run/docker.sock", f"unix://{GOOD}/x", f"http+unix://{GOOD}/"],
    }
    for row, targets in refused.items():
        for target in targets:
            ran = home.run("call", "rig", "GET", target)
            check(ran.code == 7, f"{row} {target[:100]!r}: exit code 7 expected\n{str(ran)[:1500]}")
            same(ran.out, "", f"{row} stdout")
            check(len(ran.err) < 3000, f"{row}: {len(ran.err)} characters of talk")
    same(proxy.connections, 0, "connections that were made")
    same([r.target for r in server.requests if r.path != "/token"], [], "requests elsewhere")
    # and the control: the good host is reached, through the proxy, by CONNECT and without the token
    for target in ("/x", f"https://{GOOD}/v1/x", f"https://{GOOD}:443/x", f"https://{GOOD.upper()}/"):
        home.run("call", "rig", "GET", target).expect(75)
    same({(r.method, r.target) for r in proxy.requests}, {("CONNECT", f"{GOOD}:443")}, "what the proxy was asked")
    check(not any(ACCESS in f"{r.target}{r.headers}{r.body}" for r in proxy.requests), "the token went to the proxy")


@test
def a_path_that_climbs_stays_on_the_provider(t):
    """A-21: and below the API's own path"""
    server, home = world(t)
    server.on["/v1/x"] = answer(200, {"x": 1})
    for target in ("/../secret", "../../secret", "/a/%2e%2e/../../secret", "/..%2fsecret", "/./../secret"):
        ran = home.run("call", "rig", target)
        check(ran.code in (7, 22), str(ran))
    check(all(r.target.startswith("/v1/") for r in server.requests if r.path not in ("/token",)), f"{[r.target for r in server.requests]}")
    home.run("call", "rig", "/a/../x").expect(0)


@test
def no_header_leads_the_token_elsewhere_or_replaces_it(t):
    """A-26, A-27, A-28, A-29"""
    server, home = world(t)
    server.on["/v1/x"] = answer(200, {"x": 1})
    for item in ("Host:evil.example", "host: evil.example", "Authorization:Bearer mine", "authorization:", "Proxy-Authorization:x",
                 "X-A:b\r\nHost: evil.example", "X-A:b\nAuthorization: x", "X-A\r\nHost:evil", "X-A:b\0c", "Content-Length:0",
                 "Transfer-Encoding:chunked", "Connection:close", "TE:trailers", "Upgrade:h2c"):  # fmt: skip
        if "\0" in item:
            continue  # no command line can hold it
        ran = home.run("call", "rig", "GET", "/x", item)
        check(ran.code in (2, 7), f"{item!r}: {ran}")
    same(server.to("/v1/x"), [], "requests")
    # a name of a file is a text
    secret = home.folder / "a-file"
    secret.write_text("what the file holds", encoding="utf-8")
    server.on["/v1/@/etc/passwd"] = answer(200, {})
    home.run("call", "rig", "GET", "/x", f"X-A:@{secret}", f"q==@{secret}").expect(0)
    home.run("call", "rig", "GET", "/@/etc/passwd").expect(0)
    seen = "".join(f"{r.target}{r.headers}{r.body}" for r in server.requests)
    check("what the file holds" not in seen and "root:" not in seen, "a file was read")
    got = server.to("/v1/x")[0]
    same([v for n, v in got.headers if n.lower() == "authorization"], [f"Bearer {ACCESS}"], "the one Authorization header")


@test
def no_proxy_is_chosen_by_a_flag_and_none_sees_a_secret(t):
    """A-30, H-17, T-73"""
    server, home, proxy = caller(t)
    home.run("call", "rig", "/x", "--proxy", f"http://127.0.0.1:{proxy.port}").expect(2)
    same(proxy.connections, 0, "connections")
    for reply in (answer(407, "no"), answer(200, "<html>", kind="text/html"), answer(302, "", Location="http://evil.example/"), b"rubbish\r\n\r\n"):
        proxy.on[f"{GOOD}:443"] = reply
        ran = home.run("call", "rig", "/x", env={"HTTPS_PROXY": f"http://name:the-proxy-password@127.0.0.1:{proxy.port}"})
        check(ran.code in (2, 7, 75), str(ran))
        check("the-proxy-password" not in ran.err, str(ran))
    check(proxy.requests and all(r.method == "CONNECT" for r in proxy.requests), f"{proxy.requests}")
    check(not any(ACCESS in f"{r.target}{r.headers}{r.body}" for r in proxy.requests), "the token went to the proxy")


@test
def each_variable_decides_what_goes_through_a_proxy(t):
    """T-73: seen at the proxy. `HTTP_PROXY` does nothing, since `http` doesn't leave this machine"""
    _, home, proxy = caller(t)
    proxy.on[f"{GOOD}:443"] = answer(502, "no")
    place = home.env["HTTPS_PROXY"]
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"):
        del home.env[name]

    def asked(**env):
        before = len(proxy.requests)
        check(home.run("call", "rig", "/x", "--retry", "0", env=env).code != 0, "that host does not exist")
        return [f"{r.method} {r.target}" for r in proxy.requests[before:]]

    through = [f"CONNECT {GOOD}:443"]
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        same(asked(**{name: place}), through, name)
        for without in ("NO_PROXY", "no_proxy"):
            same(asked(**{name: place, without: GOOD}), [], f"{name}, {without}")
    for hosts, goes in ((".good.example", []), ("good.example", []), ("*", []), (f"x.example, {GOOD}", []), ("x.example", through), ("", through)):
        same(asked(HTTPS_PROXY=place, NO_PROXY=hosts), goes, f"NO_PROXY={hosts}")
    for name in ("HTTP_PROXY", "http_proxy"):
        same(asked(**{name: place}), [], name)


@test
def a_redirect_of_the_api_leaves_the_token_behind(t):
    """T-24, C-17"""
    server, home = world(t)
    other = t.scripted()
    other.on["/x"] = answer(200, {"stolen": 1})
    for place in (f"http://127.0.0.1:{other.port}/x", f"//127.0.0.1:{other.port}/x", f"http://localhost:{other.port}/x", "file:///etc/passwd"):
        for status in (301, 302, 303, 307, 308):
            server.on["/v1/x"] = answer(status, "", Location=place)
            home.run("call", "rig", "GET", "/x")
            home.run("call", "rig", "POST", "/x", "a=b")
    sent = "".join(f"{r.target}{r.headers}{r.body}" for r in other.requests)
    check(ACCESS not in sent and "authorization" not in sent.lower(), sent)


@test
def an_api_that_writes_to_the_terminal_is_shown_and_not_obeyed(t):
    """H-20, C-05: what goes into a file or a pipe is the API's own bytes"""
    server, home = world(t)
    body = '{"name": "\x1b]0;owned\x07\x1b[2J\x9b31m\rerror: forged"}\n'
    for status in (200, 400):
        server.on["/v1/me"] = answer(status, body, kind="text/plain")
        ran = home.at_terminal("call", "rig", "-i", "/me", env={"NO_COLOR": "1"}).end()
        check("owned" in ran.err and not re.search(r"[\x1b\x07\x9b\r]", ran.err), repr(ran.err))
        check(body in home.run("call", "rig", "/me").out, "a pipe gets the bytes as they came")


# ---- the machine around it ----------------------------------------------------------------------------------------------


@test
def helpers_planted_in_the_working_directory_do_not_run(t):
    """C-08, C-24: nor is anything read from there"""
    rig.look_inside()
    server = t.scripted()
    home = home_for(t, server)
    server.on["/token"] = answer(200, token())
    here = home.folder / "hostile-repository"
    here.mkdir()
    mark = home.folder / "it-ran"
    names = ["xdg-open", "open", "gio", "gnome-open", "kde-open", "wslview", "secret-tool", "security", "sh", "curl", "ps", "git", "chrome",
             "dbus-launch", "oauthctl", "x-www-browser", "firefox", "pass"]  # fmt: skip
    for name in names:
        (here / name).write_text(f"#!/bin/sh\necho {name} >>{mark}\n", encoding="utf-8")
        (here / name).chmod(0o755)
    hostile = '[profiles.rig]\nclient-id = "hostile"\n'
    for name in ("config.toml", ".oauthctl.toml", "oauthctl.toml", ".env", ".netrc", "ca.crt", "providers/rig.toml", ".oauthctl/config.toml", ".config/oauthctl/config.toml"):
        (here / name).parent.mkdir(exist_ok=True, parents=True)
        (here / name).write_text(hostile, encoding="utf-8")
    trace = home.folder / "trace"
    env = home._environment({"PATH": f".:{here}:", "DISPLAY": ":0", "BROWSER": None})
    argv = ["/usr/bin/strace", "-f", "-y", "-qq", "-s", "300", "-e", "trace=%file", "-o", str(trace), rig.program()]
    for arguments in (["login", *LOGIN, "--timeout", "2s"], ["token", "rig"], ["status", "rig"], ["doctor"], ["list"], ["provider", "list"]):
        subprocess.run([*argv, *arguments], env=env, cwd=here, capture_output=True, stdin=subprocess.DEVNULL, timeout=rig.PATIENCE)
        text = trace.read_text(errors="replace")
        # names inside the folder, or relative ones where it is the working directory (children have another)
        local = [l for l in text.splitlines() if f'"{here}/' in l or re.search(re.escape(f"AT_FDCWD<{here}>, ") + r'"(?!/)[^".]', l)]
        check(not local, f"{arguments}: looked into the working directory:\n" + "\n".join(local[:5]))
    check(not mark.exists(), lambda: f"run: {mark.read_text()}")


@test
def without_random_numbers_there_is_no_login(t):
    """C-12"""
    rig.need("strace")
    server = t.scripted()
    home = home_for(t, server)
    ran = home.run("login", *LOGIN, "--no-browser", "--timeout", "2s", under=["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=getrandom:error=EIO"])
    check(ran.code not in (0, 6), f"it went on\n{ran}")
    check("state=" not in ran.err, f"a state was made of nothing\n{ran}")
    # where the call is missing the device is read, and there are two logins with nothing in common
    states = []
    for _ in range(2):
        under = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=getrandom:error=ENOSYS"]
        ran = home.run("login", *LOGIN, "--no-browser", "--timeout", "1s", under=under)
        states += re.findall(r"state=([\w-]+)", ran.err)
    check(len(states) in (0, 2) and len(set(states)) == len(states), f"{states}")


@test
def files_are_private_under_any_umask(t):
    """C-18, H-11, H-21"""
    for mask in (0o000, 0o022, 0o027, 0o077):
        server = t.scripted()
        home = home_for(t, server)
        server.on["/token"] = answer(200, token())
        old = os.umask(mask)
        try:
            login = Listening(home, *LOGIN)
        finally:
            os.umask(old)
        login.redirect()
        login.end().expect(0)
        for _ in range(2):
            old = os.umask(mask)
            try:
                forced(home).expect(0)
            finally:
                os.umask(old)
        found = 0
        for path in [home.state, *home.state.rglob("*")]:
            mode = stat.S_IMODE(path.lstat().st_mode)
            same(oct(mode), oct(0o700 if path.is_dir() else 0o600), f"mode of {path.name} under umask {mask:03o}")
            found += path.is_file()
            if path.is_file():
                data = path.read_bytes()
                check(not any(s.encode() in data for s in (ACCESS, REFRESH)), f"{path} holds a token in plain text")
        check(found >= 2, "there were files to look at")


@test
def nobody_of_the_same_user_looks_into_the_process(t):
    """H-04, H-09"""
    rig.only_root("can be another user for a while")
    server = t.scripted()
    home = home_for(t, server)
    nobody = 65534
    for path in [home.folder, *home.folder.rglob("*")]:
        os.chown(path, nobody, nobody)
    parent = home.folder.parent
    while str(parent).startswith(str(rig.run_folder())):
        parent.chmod(0o755)
        parent = parent.parent
    rig.run_folder().chmod(0o755)
    readable = home.folder / "oauthctl"
    readable.write_bytes(open(rig.program(), "rb").read())
    readable.chmod(0o755)
    prefix = ["/usr/bin/setpriv", f"--reuid={nobody}", f"--regid={nobody}", "--clear-groups"]
    rig.need("setpriv")
    process = subprocess.Popen([*prefix, "/bin/sh", "-c", 'ulimit -c unlimited; cd "$1"; exec "$0" login rig --client-id public --no-browser --timeout 90s',
                                str(readable), str(home.folder)],
                               env=home._environment({"OAUTHCTL_CLIENT_SECRET": "hush-hush-of-the-environment"}), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    t.ends(process)
    line = b""
    while b"state=" not in line:
        line = process.stderr.readline()
        check(line, "no address was printed")
    for name in ("environ", "mem", "maps"):
        ran = subprocess.run([*prefix, "/bin/cat", f"/proc/{process.pid}/{name}"], capture_output=True, timeout=rig.PATIENCE)
        check(ran.returncode != 0 and not ran.stdout, f"/proc/PID/{name} was read: {ran.stdout[:80]!r}")
    # a second login on its port names it all the same (L-41)
    port = int(re.search(rb"127\.0\.0\.1%3A(\d+)", line)[1])
    second = subprocess.run([*prefix, str(readable), "login", "rig", "--client-id", "public", "--no-browser", "--redirect-uri", f"http://127.0.0.1:{port}/callback"],
                            env=home._environment({}), cwd=home.folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=rig.PATIENCE)  # fmt: skip
    check(second.returncode in (2, 75) and f"another login that is waiting (process {process.pid})".encode() in second.stderr, f"{second}")
    process.send_signal(signal.SIGABRT)
    process.wait(rig.PATIENCE)
    same(process.returncode, -signal.SIGABRT, "how it ended")
    cores = [p for p in home.folder.rglob("core*") if p.is_file()]
    same(cores, [], "core files")


@test
def a_profile_that_moves_to_another_store_leaves_nothing_in_the_first(t):
    """C-30"""
    keyring = t.keyring()
    server = t.scripted()
    home = t.home(keyring)
    home.provider("rig", server.provider_file())
    server.on["/token"] = answer(200, token())
    for store, kept in (("keychain", True), ("file", False), ("keychain", True)):
        login = Listening(home, *LOGIN, "--store", store)
        login.redirect()
        login.end().expect(0)
        same(keyring.lookup("rig") is not None, kept, f"an item in the keychain after a login with --store {store}")
        sealed = [p for p in home.state.rglob("*") if p.is_file() and "store" in p.parts and "rig" in p.name]
        check(not (kept and sealed), f"left behind: {sealed}")
        same(home.run("token", "rig").expect(0).token, ACCESS, "the token")


@test
def the_lock_is_a_file_beside_what_it_guards(t):
    """C-29, C-33: readers are never kept out, and two configuration folders share the lock of one credential"""
    server, home = world(t)
    held, read = threading.Event(), threading.Event()

    def slow(_):
        held.set()
        read.wait(rig.PATIENCE)
        return answer(200, token(1))

    server.on["/token"] = slow
    renewal = home.start("token", "rig", "--force-refresh")
    check(held.wait(rig.PATIENCE), "no renewal")
    try:
        # the renewal goes on after this: were it waited for, nothing would ever end
        for _ in range(5):
            home.run("status", "rig", timeout=30).expect(0)
    finally:
        read.set()
    home.collect(renewal, "token").expect(0)


@test
def the_browsers_history_shows_no_code_and_keeps_none_that_could_be_used(t):
    """H-15"""
    op = t.oidc_provider()
    home = t.home(OAUTHCTL_STORE="file")
    home.provider("rig", op.provider_file())
    kept = t.folder / "kept"
    browser = t.chromium(keep=str(kept))
    home.run(*["login", *LOGIN], env={"BROWSER": browser}).expect(0)
    browser.said()
    rig.wait_until(lambda: any("kept" in step for step in browser.log()), "the copy of the browser's files")
    [history] = kept.rglob("History")
    import sqlite3

    # the end of a chain of redirects is what is shown; Chromium's file has the hops too, and that code was spent before the hop
    chain_end = 0x20000000
    with contextlib.closing(sqlite3.connect(history)) as db:
        visits = db.execute("select urls.url, visits.transition from visits join urls on urls.id = visits.url").fetchall()
    shown = [url for url, transition in visits if transition & chain_end]
    check(any(u.endswith("/done") for u in shown), f"the last page is in the history: {visits}")
    same([u for u in shown if "code=" in u], [], "what the history shows")
    for code in {urllib.parse.parse_qs(urllib.parse.urlsplit(u).query).get("code", [""])[0] for u, _ in visits if "code=" in u}:
        same(rig.fetch(f"{op.http}/token", urllib.parse.urlencode({"grant_type": "authorization_code", "code": code, "client_id": "public"}).encode())[0], 400, "the code again")


@test
def no_flag_and_no_key_turns_the_checks_off(t):
    """C-13, H-01, H-14"""
    home = t.home()
    help_texts = "".join(
        home.run(*verb, "--help").out
        for verb in ([], ["login"], ["token"], ["refresh"], ["call"], ["logout"], ["list"], ["status"], ["doctor"], ["provider", "list"],
                     ["provider", "show"], ["profile", "set"], ["sandbox", "serve"], ["sandbox", "run"],
                     ["whoami"], ["inspect"], ["userinfo"], ["register"])  # fmt: skip
    ).lower()
    # `token --user` is a name alone, for a mail server; nowhere is it a name and a password
    help_texts = help_texts.replace("--user <name>", "")
    for word in ("insecure", "skip-verify", "no-verify", "verify-none", "allow-http", "--cacert", "--proxy", "--token", "--access-token",
                 "--refresh-token", "--client-secret ", "--password ", "--passphrase", "--host", "--bind ", "--user ", " -u "):  # fmt: skip
        check(word not in help_texts, f"`{word}` in the help")
    for flag in ("--insecure", "-k", "--no-verify", "--client-secret", "--password"):
        home.run("token", "sandbox", flag, "x").expect(2)
    for key in ("insecure", "tls-verify", "verify", "proxy", "host", "client-secret"):
        home.run("profile", "set", "p", key, "false").expect(2)


rig.main(globals())

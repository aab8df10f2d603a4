#!/usr/bin/env python3
"""A login that many machines share, in OpenBao's own server. A machine is a home here, with folders of its own."""

import json
import os
import re
import subprocess
import threading
import time

import openbao
import rig
import storm
import strict
from rig import check, same, test

ROOT = "the-root-token-of-the-tests"
AT = "secret/data/oauthctl/"
LEASE = 40  # seconds: src/store/mod.rs
SLACK = 25  # for a busy machine


class Engine:
    """`bao server -dev`, whose KV engine is at `secret`. `tls`: its own certificate, and the file of its authority."""

    def __init__(self, t, tls=False):
        self.t, self.tls = t, tls
        self.address = f"{'https' if tls else 'http'}://127.0.0.1:{rig.free_port()}"
        folder = t.folder / "engine"
        folder.mkdir()
        more = [f"-dev-tls-cert-dir={folder}", "-dev-tls"] if tls else []
        process = subprocess.Popen(
            [openbao.program(), "server", "-dev", f"-dev-root-token-id={ROOT}", "-dev-no-store-token", *more,
             f"-dev-listen-address={self.address.split('//')[1]}"],
            env={"PATH": os.environ["PATH"], "HOME": str(t.folder)}, cwd=folder, stdin=subprocess.DEVNULL,
            stdout=t._log("engine.log"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        t.ends(process)
        self.ca = folder / "vault-ca.pem" if tls else None
        rig.wait_until(lambda: rig.answers(int(self.address.rsplit(":", 1)[1])), "OpenBao's start", of=process)
        rig.wait_until(lambda: self.ask("sys/health")[0] == 200, "OpenBao's unsealing", of=process)

    def ask(self, path, data=None, method=None, token=ROOT, address=None):
        import ssl
        import urllib.error
        import urllib.request

        request = urllib.request.Request(f"{address or self.address}/v1/{path}", json.dumps(data).encode() if data is not None else None,
                                         {"X-Vault-Token": token, "Content-Type": "application/json"}, method=method)  # fmt: skip
        context = ssl.create_default_context(cafile=str(self.ca)) if self.ca and self.ca.exists() else None
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else {}
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, json.loads(text) if text[:1] == b"{" else {}
        except OSError:
            return 0, {}

    def set(self, path, data, method=None):
        status, answer = self.ask(path, data, method)
        check(status in (200, 204), f"{path}: {status} {answer}")
        return answer

    def kept(self, name):
        """A part of a record, and its version."""
        data = self.ask(AT + name)[1].get("data") or {}
        return data.get("data") or {}, (data.get("metadata") or {}).get("version", 0)

    def env(self, token=ROOT, address=None):
        more = {"VAULT_CACERT": self.ca} if self.ca else {}
        return {"VAULT_ADDR": address or self.address, "VAULT_TOKEN": token, "OAUTHCTL_STORE": "vault", **more}

    def policy(self, name, home, *words):
        """A token with a policy that `store policy` prints."""
        text = home.run("store", "policy", *words).expect(0).out
        part = re.search(rf"^# {name}.*?(?=^# |\Z)", text, re.M | re.S).group()
        self.set(f"sys/policies/acl/{name}", {"policy": part})
        return self.set("auth/token/create", {"policies": [name]})["auth"]["client_token"]


class Between:
    """An HTTP server before the engine, which counts, and at which a test can act: `at(number, when, line)`, before or after the
    engine has done it."""

    def __init__(self, t, engine):
        self.log, self.at, self._engine = [], None, engine
        self._server = rig.Scripted()
        t._stack.callback(self._server.close)
        self._server.on = self
        self.address = self._server.base

    # as the dictionary of paths that `Scripted` asks
    def get(self, _path, _default):
        return self._pass

    def _pass(self, asked):
        import urllib.error
        import urllib.request

        line = f"{asked.method} {asked.target.removeprefix('/v1/')}"
        self.log.append(line)
        number = len(self.log)
        if self.at and self.at(number, "before", line) is False:
            return b""
        headers = {n: v for n, v in asked.headers if n.lower() not in ("host", "content-length", "connection")}
        request = urllib.request.Request(self._engine.address + asked.target, asked.body.encode() if asked.body else None, headers, method=asked.method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        if self.at and self.at(number, "after", line) is False:
            return b""
        return rig.answer(status, body) if body else b"HTTP/1.1 204 x\r\nConnection: close\r\n\r\n"


def machines(t, server, env, count, names=("work",)):
    """Homes with the same configuration, as a team has them."""
    homes = []
    for _ in range(count):
        home = t.home(None, **env)
        home.provider("strict", server.provider_file())
        (home.config / "config.toml").write_text("".join(f'[profiles.{name}]\nprovider = "strict"\n' for name in names))
        homes.append(home)
    return homes


def signed_in(t, server, env, count=2, names=("work",)):
    homes = machines(t, server, env, count, names)
    for name in names:
        homes[0].run("login", name, env={"BROWSER": strict.browser(t)}).expect(0)
    return homes


def secrets_of(server):
    return [token for login in server.logins.values() for token in login.tokens]


@test
def the_stores_promises_are_kept_in_an_engine(t):
    engine = Engine(t)
    env = {**os.environ, "OAUTHCTL_TEST_VAULT": engine.address, "VAULT_TOKEN": ROOT}
    ran = subprocess.run(["cargo", "test", "--quiet", "--locked", "--test", "it", "--", "an_engine_keeps_the_promises"], cwd=rig.ROOT, env=env, capture_output=True, text=True)
    check(ran.returncode == 0, ran.stdout + ran.stderr)


@test
def one_login_serves_every_machine(t):
    engine = Engine(t)
    server = strict.serve(t, expires_in=3600)
    here, there = signed_in(t, server, engine.env())
    same({home.run("token", "work").expect(0).token for home in (here, there)}, {server.newest()}, "the tokens")
    there.run("refresh", "work").expect(0)
    same(here.run("token", "work").expect(0).token, server.newest(), "the token that the other machine got")
    here.run("status", "work").expect(0, out=r"store +vault")
    for home in (here, there):
        for path, content in home.files().items():
            check(not any(secret.encode() in content for secret in secrets_of(server) + [server.newest()]), f"{path} holds a secret")
    # readers see no other secret than the access token
    shown = json.dumps(engine.kept("work")[0])
    check(server.newest() in shown and not any(secret in shown for secret in secrets_of(server)), shown)
    whole, _ = engine.kept("work/renew")
    check(server.logins and secrets_of(server)[-1] in whole["record"] and "lease" not in whole, whole)
    there.run("logout", "work").expect(0)
    here.run("token", "work").expect(4)
    same(engine.ask("secret/metadata/oauthctl?list=true")[0], 404, "what is left in the engine")
    same(server.reuses, 0, "refresh tokens that were sent twice")


@test
def a_fresh_token_is_one_request(t):
    engine = Engine(t)
    between = Between(t, engine)
    server = strict.serve(t, expires_in=3600)
    here, there = signed_in(t, server, engine.env(address=between.address))
    between.log.clear()
    there.run("token", "work").expect(0)
    same(between.log, [f"GET {AT}work"], "requests for a fresh token")
    between.log.clear()
    there.run("refresh", "work").expect(0)
    same([line.split()[0] for line in between.log if "data" in line].count("POST"), 4, f"writes of a renewal {between.log}")


def at_once(acts):
    """Runs them side by side; what each returned, or raised."""
    ends = [None] * len(acts)

    def run(number, act):
        try:
            ends[number] = act()
        except BaseException as error:  # noqa: BLE001 - raised again below
            ends[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return ends


def every_process(process, number):
    """A signal to a command and to the helper that it has forked."""
    for pid in [*storm.children(process.pid), process.pid]:
        os.kill(pid, number)


@test
def two_hundred_clients_of_ten_machines_are_one_refresh(t):
    engine = Engine(t)
    between = Between(t, engine)
    server = strict.serve(t, expires_in=1)
    homes = signed_in(t, server, engine.env(address=between.address), 10)
    strict.stale(server)
    between.log.clear()
    gate, opened = os.pipe()
    under = ("/bin/sh", "-c", 'read -r _; exec "$@" </dev/null', "sh")
    started = [(home, home.start("token", "work", under=under, stdin=gate)) for home in homes for _ in range(20)]
    time.sleep(1)
    began = time.monotonic()
    os.close(opened)
    os.close(gate)
    ends = [home.collect(process, "token", "work") for home, process in started]
    took = time.monotonic() - began
    for end in ends:
        end.expect(0)
    same({end.token for end in ends}, {server.newest()}, "the tokens")
    same((len(server.refreshes()), server.reuses), (1, 0), "token requests, and refresh tokens sent twice")
    writes = [line for line in between.log if line.startswith("POST secret/data")]
    rig.say(f"    200 clients, 10 machines: {took:.1f} s, {len(server.refreshes())} token request, {len(between.log)} requests to the engine, {len(writes)} writes tried")


class Renewal:
    """A login of its own whose token has expired, on two machines: the first comes by a server at which a test can act."""

    def __init__(self, t, engine, name, manner="strict"):
        self.name, self.between = name, Between(t, engine)
        self.server = strict.serve(t, manner, expires_in=1)
        (self.here,) = machines(t, self.server, engine.env(address=self.between.address), 1, (name,))
        (self.there,) = machines(t, self.server, engine.env(), 1, (name,))
        self.here.run("login", name, env={"BROWSER": strict.browser(t)}).expect(0)
        self.process, self.started = None, threading.Event()

    def begin(self, at=None):
        self.between.log.clear()
        self.between.at = at
        self.process = self.here.start("token", self.name)
        self.started.set()

    def token(self, home):
        began = time.monotonic()
        return home.run("token", self.name, timeout=200), time.monotonic() - began


def stale(renewals):
    time.sleep(1.1)
    for renewal in renewals:
        renewal.server.expires_in = 3600
        renewal.server.forget()


STEPS = ["glance", "look", "take", "may it write", "mark", "commit", "show"]


def killed(renewal, step, when):
    """Kills the command at a step, before or after the engine has done it."""

    def at(number, moment, _line):
        if (number, moment) == (STEPS.index(step) + 1, when):
            renewal.started.wait()
            every_process(renewal.process, 9)
            return False
        return None

    renewal.begin(at)
    renewal.process.wait(timeout=rig.PATIENCE)
    renewal.between.at = None


@test
def a_holder_that_is_killed_at_any_step_is_replaced_within_its_lease(t):
    engine = Engine(t)
    cases = [(step, when) for step in STEPS for when in ("before", "after")]
    window = [("commit", "before")]  # the token is spent, and the answer is on that machine alone
    renewals = [Renewal(t, engine, f"case-{number}") for number in range(len(cases))]
    stale(renewals)

    def run(renewal, case):
        killed(renewal, *case)
        there, took = renewal.token(renewal.there)
        here, _ = renewal.token(renewal.here)
        return case, there, took, here, renewal.server

    ends = at_once([lambda pair=pair: run(*pair) for pair in zip(renewals, cases, strict=True)])
    for case, there, took, here, server in ends:
        where = " ".join(case)
        check(took < LEASE + SLACK, f"{where}: taken over after {took:.0f} s\n{there}")
        if case in window:
            same((there.code, server.reuses), (4, 1), f"{where}: exit code, second uses\n{there}")
            continue
        same((there.expect(0).token, here.expect(0).token), (server.newest(),) * 2, f"{where}: the tokens")
        same((len(server.refreshes()), server.reuses), (1, 0), f"{where}: token requests, second uses")
    rig.say("    taken over after: " + ", ".join(f"{' '.join(case)} {took:.0f} s" for case, _, took, *_ in ends))


@test
def a_holder_that_comes_back_at_once_goes_on_where_it_was_killed(t):
    engine = Engine(t)
    cases = [(step, when) for step in STEPS for when in ("before", "after")]
    renewals = [Renewal(t, engine, f"case-{number}") for number in range(len(cases))]
    stale(renewals)
    for renewal, case in zip(renewals, cases, strict=True):
        killed(renewal, *case)
        here, took = renewal.token(renewal.here)
        there, _ = renewal.token(renewal.there)
        where = " ".join(case)
        same((here.expect(0).token, there.expect(0).token), (renewal.server.newest(),) * 2, f"{where}: the tokens")
        same((len(renewal.server.refreshes()), renewal.server.reuses), (1, 0), f"{where}: token requests, second uses")
        check(took < LEASE / 2, f"{where}: after {took:.0f} s: its own lock tells that the holder has ended")


@test
def a_holder_that_is_stopped_for_longer_than_its_lease_spends_nothing(t):
    engine = Engine(t)
    cases = [(step, when) for step in ("look", "take", "may it write", "mark", "commit") for when in ("before", "after")]
    renewals = [Renewal(t, engine, f"case-{number}") for number in range(len(cases))]
    stale(renewals)

    def run(renewal, case):
        step, when = case
        stopped, go_on = threading.Event(), threading.Event()

        def at(number, moment, _line):
            if (number, moment) == (STEPS.index(step) + 1, when):
                renewal.started.wait()
                every_process(renewal.process, 19)
                stopped.set()
                go_on.wait(200)

        renewal.begin(at)
        check(stopped.wait(rig.PATIENCE), "it was not stopped")
        there, took = renewal.token(renewal.there)
        go_on.set()
        every_process(renewal.process, 18)
        late = renewal.here.collect(renewal.process, "token", renewal.name, timeout=150)
        renewal.between.at = None
        again, _ = renewal.token(renewal.here)
        return case, there, took, late, again, renewal.server

    ends = at_once([lambda pair=pair: run(*pair) for pair in zip(renewals, cases, strict=True)])
    for case, there, took, late, again, server in ends:
        where = " ".join(case)
        check(took < LEASE + SLACK, f"{where}: taken over after {took:.0f} s\n{there}")
        if case == ("commit", "before"):
            # spent, and stopped before it was stored: the window. The late answer waits in the journal, and the server has ended the login
            same((there.code, late.code, server.reuses), (4, 74, 1), f"{where}\n{there}\n{late}")
            check("the answer is kept, sealed" in late.err, late)
            continue
        same((there.expect(0).token, again.expect(0).token), (server.newest(),) * 2, f"{where}: the tokens")
        same((len(server.refreshes()), server.reuses), (1, 0), f"{where}: token requests, second uses\n{late}")
        check(late.code in (0, 75), late)


@test
def a_late_answer_is_stored_where_the_successor_was_refused(t):
    engine = Engine(t)
    renewal = Renewal(t, engine, "work")
    stale([renewal])
    killed(renewal, "commit", "before")
    # the server ends nothing when a spent token comes again
    dead = renewal.server.answer
    renewal.server.answer = (400, {}, '{"error":"invalid_grant"}')
    there, _ = renewal.token(renewal.there)
    there.expect(4, err=r"another machine holds its successor")
    renewal.server.answer = dead
    sent = len(renewal.server.refreshes())
    renewal.there.run("token", "work").expect(4, err=r"cut off twice")
    same(len(renewal.server.refreshes()), sent, "token requests after a refusal")
    here, _ = renewal.token(renewal.here)
    same(here.expect(0).token, renewal.server.newest(), "the token of the machine that comes back")
    same(renewal.there.run("token", "work").expect(0).token, here.token, "the other machine's token")


if __name__ == "__main__":
    rig.main(globals())

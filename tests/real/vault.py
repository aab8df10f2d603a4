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
    """`bao server -dev`, whose KV engine is at `secret`. `tls`: its own certificate, and the file of its authority. `config`: more
    of its configuration."""

    def __init__(self, t, tls=False, config=None):
        self.t, self.tls = t, tls
        self.address = f"{'https' if tls else 'http'}://127.0.0.1:{rig.free_port()}"
        folder = t.folder / "engine"
        folder.mkdir()
        more = [f"-dev-tls-cert-dir={folder}", "-dev-tls"] if tls else []
        if config:
            (folder / "more.hcl").write_text(config)
            more.append(f"-config={folder / 'more.hcl'}")
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
        self.log, self.done, self.at, self._engine = [], [], None, engine
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
                status, body, said = answer.status, answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            status, body, said = error.code, error.read(), error.headers
        except OSError:
            return b""  # nobody is there
        if status == 200:
            self.done.append(line)
        if self.at and self.at(number, "after", line) is False:
            return b""
        more = {"X-Vault-Index": said["X-Vault-Index"]} if said["X-Vault-Index"] else {}
        return rig.answer(status, body, **more)


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
def a_client_secret_is_replaced_for_every_machine_before_the_server_takes_it(t):
    engine = Engine(t)
    server = strict.serve(t, expires_in=3600)
    server.secrets = {"the-secret-of-before"}
    homes = machines(t, server, engine.env(), 3)
    login = ["login", "work", "--client-secret-file", "-"]
    homes[0].run(*login, stdin="the-secret-of-before\n", env={"BROWSER": strict.browser(t)}).expect(0)
    homes[1].run("profile", "set-secret", "work", "-", stdin="the-secret-of-now\n").expect(0)
    for taken, home in (({"the-secret-of-before"}, homes[2]), ({"the-secret-of-before", "the-secret-of-now"}, homes[0]), ({"the-secret-of-now"}, homes[1])):
        server.secrets = taken
        home.run("refresh", "work").expect(0)
        same(home.run("token", "work").expect(0).token, server.newest(), f"the token ({taken})")
    same([entry["outcome"] for entry in server.log], ["login", "wrong client", "renewed", "renewed", "renewed"], "what the server was sent")
    check("secret-of" not in json.dumps(engine.kept("work")[0]), "a reader sees a client secret")
    check("the-secret-of-before" not in json.dumps(engine.kept("work/renew")[0]), "the earlier secret is kept for longer than it is of use")


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
    between.log.clear(), between.done.clear()
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
    tried, writes = ([line for line in lines if line.startswith("POST secret/data")] for lines in (between.log, between.done))
    rig.say(f"    200 clients, 10 machines: {took:.1f} s, {len(server.refreshes())} token request, {len(between.log)} requests to the engine, {len(writes)} writes, {len(tried)} tried")
    same(len(writes), 4, "writes")


class Renewal:
    """A login of its own whose token has expired, on two machines: the first comes by a server at which a test can act."""

    def __init__(self, t, engine, name, *login):
        self.name, self.between = name, Between(t, engine)
        self.server = strict.serve(t, expires_in=1)
        (self.here,) = machines(t, self.server, engine.env(address=self.between.address), 1, (name,))
        (self.there,) = machines(t, self.server, engine.env(), 1, (name,))
        self.here.run("login", name, *login, env={"BROWSER": strict.browser(t)}).expect(0)
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
    # of the main token, and of another one of the login
    scopes = ["--scope", "read", "--scope", "write"]
    cases = [(Renewal(t, engine, name, *scopes), more) for name, more in (("work", []), ("beside", ["--scope", "read"]))]
    stale([renewal for renewal, _ in cases])
    for renewal, _ in cases:
        killed(renewal, "commit", "before")
        # the server ends nothing when a spent token comes again
        renewal.server.answer = (400, {}, '{"error":"invalid_grant"}')
    at_once([lambda renewal=renewal, more=more: refused_elsewhere(renewal, more) for renewal, more in cases])


def refused_elsewhere(renewal, more):
    there = lambda *more: renewal.there.run("token", renewal.name, *more, timeout=200)  # noqa: E731
    there(*more).expect(4, err=[r"has ended, unless another machine holds its successor", "^hint: it was cut off .* a command there stores what it got"])
    renewal.server.answer = None
    sent = len(renewal.server.refreshes())
    for again in ([], ["--scope", "read"]):
        there(*again).expect(4, err=r"cut off twice")
    same(len(renewal.server.refreshes()), sent, "token requests after a refusal")
    here, _ = renewal.token(renewal.here)
    same(here.expect(0).token, renewal.server.newest(), "the token of the machine that comes back")
    same(there().expect(0).token, here.token, "the other machine's token")


@test
def readers_read_the_access_token_and_nothing_else(t):
    engine = Engine(t)
    server = strict.serve(t, expires_in=3600)
    homes = machines(t, server, engine.env(), 3)
    renewer, reader = (engine.policy(name, homes[0], "work") for name in ("renewer", "reader"))
    here, _, other = homes
    here.env["VAULT_TOKEN"], other.env["VAULT_TOKEN"] = renewer, reader
    here.run("login", "work", "--client-secret-file", "-", stdin="the-secret-of-the-app\n", env={"BROWSER": strict.browser(t)}).expect(0)
    same(other.run("token", "work").expect(0).token, server.newest(), "the token of a reader")
    same(engine.ask(f"{AT}work/renew", token=reader)[0], 403, "a reader's request for the rest")
    other.run("status", "work").expect(0, out=[
        r"^renewed by +\S+@\S+",
        r"^this job +may only read the access token",
        r"^refresh token +there is one, which this job may not read",
        r"^next +`token` prints it; a machine that may renew it does so: `oauthctl refresh --all --due`",
    ])
    other.run("status", "work", "--check", "--within", "7d").expect(0)
    (listed,) = other.run("list", "--format", "json").expect(0).json()
    same((listed["renewable"], listed["reads_only"]), (True, True), f"what `list` says to a reader: {listed}")
    said = other.run("doctor", "work").out
    for row in (r"note +client +`a-client`, whose secret this job may not read", r"note +vault .*can't be written", r"note +refresh token +there is one, which this job may not read"):
        check(re.search(row, said), f"what doctor says to a reader: {row}\n{said}")
    check("reads_only" not in here.run("status", "work", "--format", "json").expect(0).json(), "what is said to a renewer")
    other.run("logout", "work", "--local-only").expect(5, err=[r"does not allow this", r"store policy"])
    # it is about to expire: the reader takes it after a moment; once it has expired, it waits for a renewer, or ends with 75
    server.expires_in = 1
    here.run("refresh", "work").expect(0)
    time.sleep(1.1)
    other.run("status", "work", "--check").expect(0)
    other.run("status", "work").expect(0, out=r"^next +`token` waits for another one, half a minute at most")
    server.expires_in = 30
    here.run("refresh", "work").expect(0)
    waits = other.start("token", "work", "--min-ttl", "60s")
    time.sleep(2)
    server.expires_in = 3600
    here.run("refresh", "work").expect(0)
    same(other.collect(waits, "token", "work").expect(0).token, server.newest(), "the token that a reader waited for")
    began = time.monotonic()
    for argv in (("refresh", "work"), ("token", "work", "--force-refresh")):
        other.run(*argv).expect(75, err=[r"may only read the token of `work`, which is still valid", r"^hint: on a machine that may renew it"])
    check(time.monotonic() - began < SLACK, "a reader waits for no other token than a valid one")
    # what is due alone; a token of this second may have come just now
    time.sleep(1.1)
    here.run("refresh", "--all", "--due").expect(0, err=r"work: fresh")
    here.run("logout", "work").expect(0)
    here.run("profile", "remove", "work").expect(0)
    same(engine.ask("secret/metadata/oauthctl?list=true")[0], 404, "what is left in the engine")


@test
def readers_wait_side_by_side_and_in_no_renewers_way(t):
    engine = Engine(t)
    server = strict.serve(t, expires_in=1)
    (home,) = machines(t, server, engine.env(), 1)
    reader = {"VAULT_TOKEN": engine.policy("reader", home, "work")}
    home.run("login", "work", env={"BROWSER": strict.browser(t)}).expect(0)

    def readers():
        strict.stale(server)
        started = [home.start("token", "work", env=reader) for _ in range(3)]
        time.sleep(4)
        return started, lambda: [home.collect(process, "token", "work") for process in started]

    started, collected = readers()
    check(all(process.poll() is None for process in started), "readers wait for a renewer")
    began = time.monotonic()
    home.run("refresh", "work").expect(0)
    same({end.expect(0).token for end in collected()}, {server.newest()}, "the token that the readers waited for")
    check(time.monotonic() - began < SLACK, "readers are in the way of the renewer")
    same(len(server.refreshes()), 1, "token requests")
    # nobody renews it
    server.expires_in = 1
    home.run("refresh", "work").expect(0)
    began = time.monotonic()
    for end in readers()[1]():
        end.expect(75, err=r"nobody renews the token of `work`, and this job may only read it")
    check(30 < time.monotonic() - began < 35 + SLACK, "readers wait for half a minute, all at the same time")


@test
def a_job_signs_in_to_the_engine_as_itself(t):
    engine = Engine(t)
    server = strict.serve(t, expires_in=3600)
    (home,) = machines(t, server, engine.env(), 1)
    engine.policy("renewer", home)
    # a profile's own table
    (own,) = machines(t, server, {}, 1)
    (own.config / "config.toml").write_text(f'[profiles.work]\nprovider = "strict"\nstore = {{ vault = "{engine.address}", path = "own", proof-variable = "MINE" }}\n')
    test = lambda token, **more: own.run("store", "test", "--profile", "work", env={"MINE": token, **more})  # noqa: E731
    test(ROOT).expect(0, out=r"vault at .*, `secret/own`: no record yet in \d+ ms, may be written \(asked in")
    own.run("login", "work", env={"MINE": ROOT, "BROWSER": strict.browser(t)}).expect(0)
    policies = own.run("store", "policy", "work", env={"MINE": ROOT}).expect(0).out
    for part, words in (("reader", "may not be written by this job"), ("renewer", "may be written")):
        engine.set(f"sys/policies/acl/own-{part}", {"policy": re.search(rf"^# {part}.*?(?=^# |\Z)", policies, re.M | re.S).group()})
        for more in ({}, {"no_default_policy": True}):
            token = engine.set("auth/token/create", {"policies": [f"own-{part}"], **more})["auth"]["client_token"]
            test(token).expect(0, out=rf"`secret/own`: read in \d+ ms, {words}")
    test("another").expect(5, err="does not know the token from the variable MINE")
    own.run("store", "test", "vault", "--profile", "work").expect(2, err="exclude each other")
    own.env["OAUTHCTL_STORE"] = "file"
    own.run("store", "test", "--profile", "work").expect(0, out="written in .* read in .* deleted in")
    config = home.config / "config.toml"
    profiles = config.read_text()

    def works(table, **env):
        """Whether the store of this table works, by whatever it signs in with."""
        rest = ", ".join(f"{key} = {json.dumps(value)}" for key, value in table.items())
        config.write_text(f"store = {{ {rest} }}\n{profiles}")
        return home.run("store", "test", env={"OAUTHCTL_STORE": None, "VAULT_TOKEN": None, "VAULT_ADDR": None, **env})

    at = {"vault": engine.address}
    works(at, BAO_TOKEN=ROOT).expect(0, out=r"vault at http://127.*`secret/oauthctl`: written in \d+ ms, read in")
    works(at).expect(5, err=[r"no token for the vault", r"\.vault-token", "^hint: set BAO_TOKEN or VAULT_TOKEN, or sign in"])
    works({"vault": ""}, VAULT_ADDR=engine.address, VAULT_TOKEN=ROOT).expect(0)
    none = works({"vault": ""}, VAULT_TOKEN=ROOT).expect(5, err=["VAULT_ADDR are not set", "^hint: set BAO_ADDR or VAULT_ADDR, or name the address as `vault`"])
    check("sealed file" not in none.err, none)
    # the engine's own token goes to its own address alone
    other = {"VAULT_ADDR": "https://other.example:8200"}
    works(at, VAULT_TOKEN=ROOT, **other).expect(5, err="VAULT_TOKEN is for the engine of VAULT_ADDR")
    works({"vault": ""}, BAO_ADDR=engine.address, VAULT_TOKEN=ROOT, **other).expect(5, err="VAULT_TOKEN is for the engine of VAULT_ADDR")
    works({"vault": ""}, BAO_ADDR=engine.address, BAO_TOKEN=ROOT, **other).expect(0)
    works({**at, "proof-variable": "VAULT_TOKEN"}, VAULT_TOKEN=ROOT, **other).expect(0)
    # an engine that keeps no versions, and none: told before anybody signs in, and nothing is written
    engine.set("sys/mounts/first", {"type": "kv", "options": {"version": "1"}})
    for mount, words in (("first", r"no KV engine of version 2.*enable-versioning first"), ("none", "there is no engine at `none`")):
        config.write_text(f'store = {{ vault = "{engine.address}", mount = "{mount}" }}\n{profiles}')
        env = {"OAUTHCTL_STORE": None, "VAULT_ADDR": None}
        home.run("login", "work", "--no-browser", env=env).expect(5, err=words)
    home.run("token", "work", env=env).expect(5, err="no handler for route")
    same(engine.ask("first/?list=true")[0], 404, "what was written")
    token = home.folder / ".vault-token"
    token.write_text(f"{ROOT}\n")
    works(at).expect(0)
    works(at, **other).expect(5, err="the usual token is for the engine of VAULT_ADDR")
    token.rename(home.folder / "elsewhere")
    works(at, BAO_TOKEN_PATH=home.folder / "elsewhere").expect(0)
    works({**at, "proof-file": str(home.folder / "elsewhere")}).expect(0)
    works({**at, "proof-variable": "A_TOKEN"}, A_TOKEN=ROOT).expect(0)
    helper = home.folder / "helper"
    helper.write_text(f'#!/bin/sh\n[ "$1" = get ] && printf %s {ROOT}\n')
    helper.chmod(0o700)
    (home.folder / ".vault").write_text(f'token_helper = "{helper}"\n')
    works(at).expect(0)
    (home.folder / ".vault").unlink()
    # AppRole
    engine.set("sys/auth/machines", {"type": "approle"})
    engine.set("auth/machines/role/farm", {"token_policies": ["renewer"]})
    role = engine.ask("auth/machines/role/farm/role-id")[1]["data"]["role_id"]
    secret = engine.set("auth/machines/role/farm/secret-id", {})["data"]["secret_id"]
    by_role = {**at, "auth": "approle", "auth-mount": "machines", "role": role, "proof-variable": "SECRET_ID"}
    works(by_role, SECRET_ID=secret).expect(0)
    works(by_role, SECRET_ID="another").expect(5, err=[
        r"did not let this job sign in at `auth/machines/login`: HTTP status 400: invalid role or secret ID",
        r"^hint: check `role` and `auth-mount` .* secret id in the variable SECRET_ID",
    ])
    by_file = {key: value for key, value in by_role.items() if key != "proof-variable"}
    missing = works({**by_file, "proof-file": "/nowhere/secret-id"})
    missing.expect(5, err=[r"no secret id for the vault: there is no file `/nowhere/secret-id`, which `proof-file` names", "^hint: write the secret id there"])
    check("BAO_TOKEN" not in missing.err, missing)
    works(by_role).expect(5, err=[r"the variable SECRET_ID is not set, which `proof-variable` names", "^hint: set SECRET_ID"])
    works({**at, "auth": "kubernetes", "role": "job"}).expect(5, err=["no JWT for the vault", "where Kubernetes puts it"])
    # a JWT of the job's own, by file: what Kubernetes does too, with another name
    key, public = home.folder / "key.pem", home.folder / "public.pem"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
    jwt = signed(key, {"iss": "the-farm", "sub": "job-1", "aud": "vault", "iat": int(time.time()) - 60, "nbf": int(time.time()) - 60, "exp": int(time.time()) + 600})
    (home.folder / "jwt").write_text(jwt)
    for mount in ("jwt", "kubernetes"):
        engine.set(f"sys/auth/{mount}", {"type": "jwt"})
        engine.set(f"auth/{mount}/config", {"jwt_validation_pubkeys": [public.read_text()], "bound_issuer": "the-farm"})
        engine.set(f"auth/{mount}/role/job", {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_policies": ["renewer"]})
        works({**at, "auth": mount, "role": "job", "proof-file": str(home.folder / "jwt")}).expect(0)
    # mount, path, namespace
    engine.set("sys/mounts/team/kv", {"type": "kv", "options": {"version": "2"}})
    elsewhere = {**at, "mount": "team/kv", "path": "farm/logins"}
    works(elsewhere, BAO_TOKEN=ROOT).expect(0, out="`team/kv/farm/logins`")
    engine.set("sys/namespaces/build", {})
    works({**at, "namespace": "build"}, BAO_TOKEN=ROOT).expect(5)
    engine.set("build/sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    works({**at, "namespace": "build"}, BAO_TOKEN=ROOT).expect(0)
    works(at, BAO_TOKEN=ROOT, BAO_NAMESPACE="build").expect(0)
    for table, why in (
        ({**at, "auth": "approle"}, "needs `role`"),
        ({**at, "auth": "jwt", "role": "x"}, "needs `proof-file` or `proof-variable`"),
        ({**at, "role": "x"}, "has `role` or `auth-mount`"),
        ({**at, "proof-file": "a", "proof-variable": "b"}, "has both"),
        ({"vault": "http://vault.example"}, "needs `https`"),
        ({**at, "path": "../x"}, "letters, digits"),
        ({**at, "mont": "x"}, "has no key `mont`; did you mean `mount`?"),
    ):
        works(table).expect(2, err=re.escape(why))


@test
def a_client_certificate_signs_in_and_is_shown_to_an_engine_that_asks_for_one(t):
    pki, port = rig.pki(), rig.free_port()
    listener = f'''listener "tcp" {{
  address = "127.0.0.1:{port}"
  tls_cert_file = "{pki}/server.crt"
  tls_key_file = "{pki}/server.key"
  tls_client_ca_file = "{pki}/ca.crt"
  tls_require_and_verify_client_cert = true
}}'''
    engine = Engine(t, config=listener)
    server = strict.serve(t, expires_in=3600)
    (home,) = machines(t, server, engine.env(), 1)
    engine.policy("renewer", home)
    engine.set("sys/auth/cert", {"type": "cert"})
    trusted = {"certificate": (pki / "ca.crt").read_text(), "token_policies": ["renewer"]}
    engine.set("auth/cert/certs/farm", {**trusted, "allowed_common_names": ["job-1"]})
    engine.set("auth/cert/certs/other", {**trusted, "allowed_common_names": ["job-2"]})
    job, stranger = (of_client(t.folder, pki, name, ca) for name, ca in (("job-1", "ca"), ("job-1-stranger", None)))
    shown = lambda pair: {"BAO_CLIENT_CERT": pair[0], "BAO_CLIENT_KEY": pair[1]}  # noqa: E731
    home.env = {key: value for key, value in home.env.items() if not key.startswith(("VAULT_", "OAUTHCTL_STORE"))} | {"BAO_CACERT": pki / "ca.crt"}
    config, profiles = home.config / "config.toml", (home.config / "config.toml").read_text()

    def has(**table):
        rest = ", ".join(f"{key.replace('_', '-')} = {json.dumps(value)}" for key, value in table.items())
        config.write_text(f'store = {{ vault = "https://127.0.0.1:{port}", {rest} }}\n{profiles}')

    has(auth="cert", role="farm")
    home.run("login", "work", env={**shown(job), "BROWSER": strict.browser(t)}).expect(0)
    same(home.run("token", "work", env=shown(job)).expect(0).token, server.newest(), "the token")
    home.run("refresh", "work", env=shown(job)).expect(0)
    same((home.run("token", "work", env=shown(job)).expect(0).token, server.reuses), (server.newest(), 0), "the token, second uses")
    home.run("token", "work").expect(5, err=["BAO_CLIENT_CERT and VAULT_CLIENT_CERT are not set", "^hint: set BAO_CLIENT_CERT"])
    home.run("token", "work", env=shown(stranger)).expect(5, err=["ended the connection: .*alert: UnknownCA", "^hint: .*BAO_CLIENT_CERT"])
    home.run("token", "work", env=shown((job[0], stranger[1]))).expect(5, err="does not fit its key")
    # the role of another job; any role that fits; another mount
    has(auth="cert", role="other")
    home.run("token", "work", env=shown(job)).expect(5, err=["did not let this job sign in at `auth/cert/login`", "^hint: check `role`"])
    has(auth="cert")
    home.run("token", "work", env=shown(job)).expect(0)
    has(auth="cert", proof_file="x")
    home.run("token", "work", env=shown(job)).expect(2, err="its proof is the certificate")
    # a token of the engine's own, through the same listener
    has(proof_variable="MINE")
    home.run("token", "work", env={**shown(job), "MINE": ROOT}).expect(0)
    home.run("token", "work", env={"MINE": ROOT}).expect(5, err=["ended the connection: .*alert: CertificateRequired", "^hint: .*BAO_CLIENT_CERT"])


def of_client(folder, pki, name, ca):
    """The files of a client certificate, by the tests' authority or by itself, and of its key."""
    cert, key = folder / f"{name}.crt", folder / f"{name}.key"
    run = lambda *words: subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)  # noqa: E731
    run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    key.chmod(0o600)
    subject = ("-subj", f"/CN={name}")
    (folder / "client.ext").write_text("basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=clientAuth\n")
    if ca is None:
        run("req", "-x509", "-new", "-key", key, *subject, "-days", 2, "-out", cert)
    else:
        run("req", "-new", "-key", key, *subject, "-out", folder / "client.csr")
        run("x509", "-req", "-in", folder / "client.csr", "-CA", pki / "ca.crt", "-CAkey", pki / "ca.key", "-set_serial", 78, "-days", 2,
            "-extfile", folder / "client.ext", "-out", cert)  # fmt: skip
    return cert, key


@test
def a_pod_signs_in_by_the_engines_own_kubernetes_method(t):
    """The engine's side is real; no Kubernetes runs here, so what it asks the API server (TokenReview) is answered by a stub."""
    engine = Engine(t)
    server = strict.serve(t, expires_in=3600)
    (home,) = machines(t, server, engine.env(), 1)
    engine.policy("renewer", home)
    api = t.scripted()

    def review(asked):
        token = json.loads(asked.body)["spec"]["token"]
        is_good = token == (home.folder / "jwt").read_text()
        user = {"username": "system:serviceaccount:farm:builder", "uid": "1", "groups": ["system:serviceaccounts"]}
        status = {"authenticated": True, "user": user, "audiences": ["vault"]} if is_good else {"authenticated": False, "error": "unknown"}
        return rig.answer(201, json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status}))

    api.on["/apis/authentication.k8s.io/v1/tokenreviews"] = review
    key = home.folder / "key.pem"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    account = {"namespace": "farm", "serviceaccount": {"name": "builder", "uid": "1"}, "pod": {"name": "job-1", "uid": "2"}}
    now = int(time.time())
    claims = {"iss": "https://kubernetes.default.svc.cluster.local", "sub": "system:serviceaccount:farm:builder", "aud": ["vault"], "iat": now, "nbf": now, "exp": now + 600, "kubernetes.io": account}
    (home.folder / "jwt").write_text(signed(key, claims))
    engine.set("sys/auth/kubernetes", {"type": "kubernetes"})
    engine.set("auth/kubernetes/config", {"kubernetes_host": api.base, "disable_local_ca_jwt": True, "kubernetes_ca_cert": (rig.pki() / "ca.crt").read_text(), "token_reviewer_jwt": signed(key, claims), "disable_iss_validation": True})
    engine.set("auth/kubernetes/role/job", {"bound_service_account_names": ["builder"], "bound_service_account_namespaces": ["farm"], "token_policies": ["renewer"]})
    table = f'store = {{ vault = "{engine.address}", auth = "kubernetes", role = "job", proof-file = "{home.folder}/jwt" }}\n'
    config = home.config / "config.toml"
    config.write_text(table + config.read_text())
    home.env = {key: value for key, value in home.env.items() if not key.startswith(("VAULT_", "OAUTHCTL_STORE"))}
    home.run("login", "work", env={"BROWSER": strict.browser(t)}).expect(0)
    home.run("refresh", "work").expect(0)
    same(home.run("token", "work").expect(0).token, server.newest(), "the token")
    check(len(api.to("/apis/authentication.k8s.io/v1/tokenreviews")) >= 3, "the engine asked for no review")
    # another pod's token
    other = {**claims, "sub": "system:serviceaccount:farm:other", "kubernetes.io": {**account, "serviceaccount": {"name": "other", "uid": "3"}}}
    (home.folder / "jwt").write_text(signed(key, other))
    home.run("token", "work").expect(5, err=["did not let this job sign in at `auth/kubernetes/login`", "^hint: check `role` .* JWT in the file"])


@test
def the_engines_audit_log_tells_which_job_read_which_record(t):
    rig.need("jq")
    log = t.folder / "audit.log"
    engine = Engine(t, config=f'audit "file" "reads" {{\n  options {{\n    file_path = "{log}"\n  }}\n}}\n')
    server = strict.serve(t, expires_in=3600)
    here, build, deploy = machines(t, server, engine.env(), 3, ("work", "other"))
    topic = here.run("help", "team").expect(0).out
    part = topic[topic.index("bao write sys/config"):]
    enable, listing = (re.search(pattern, part, re.S).group() for pattern in (r"bao write [^\n]*", r"jq -r '.*?' /var/log/openbao/audit.log"))
    env = {"PATH": os.environ["PATH"], "HOME": str(t.folder), "BAO_ADDR": engine.address, "BAO_TOKEN": ROOT}
    subprocess.run([openbao.program(), *enable.split()[1:]], env=env, check=True, capture_output=True)
    for name in ("work", "other"):
        here.run("login", name, env={"BROWSER": strict.browser(t)}).expect(0)
    # two identities: a role of AppRole, and a token with a name
    reader = re.search(r"^# reader.*?(?=^# |\Z)", here.run("store", "policy").expect(0).out, re.M | re.S).group()
    engine.set("sys/policies/acl/reader", {"policy": reader})
    engine.set("sys/auth/approle", {"type": "approle"})
    engine.set("auth/approle/role/build", {"token_policies": ["reader"]})
    role = engine.ask("auth/approle/role/build/role-id")[1]["data"]["role_id"]
    secret = engine.set("auth/approle/role/build/secret-id", {})["data"]["secret_id"]
    (build.config / "config.toml").write_text(
        f'store = {{ vault = "{engine.address}", auth = "approle", role = "{role}", proof-variable = "SECRET_ID" }}\n' + (build.config / "config.toml").read_text()
    )
    build.env = {key: value for key, value in build.env.items() if not key.startswith(("VAULT_", "OAUTHCTL_STORE"))}
    build.env |= {"SECRET_ID": secret, "USER": "ci"}
    deploy.env |= {"VAULT_TOKEN": engine.set("auth/token/create", {"policies": ["reader"], "display_name": "deploy"})["auth"]["client_token"], "USER": "release"}
    before = len(log.read_text().splitlines())
    tokens = {build.run("token", "work").expect(0).token, deploy.run("token", "work").expect(0).token, deploy.run("token", "other").expect(0).token}
    lines = log.read_text().splitlines()[before:]
    short = t.folder / "new.log"
    short.write_text("\n".join(lines) + "\n")
    ran = subprocess.run(["/bin/sh", "-c", listing.replace("/var/log/openbao/audit.log", str(short))], capture_output=True, text=True)
    check(ran.returncode == 0, ran.stderr)
    rows = [line.split("\t")[1:] for line in ran.stdout.splitlines()]
    version = here.run("--version").expect(0).out.split()[1]
    agent = lambda who: f"oauthctl/{version} ({who}@{os.uname().nodename})"  # noqa: E731
    same(rows, [
        ["secret/data/oauthctl/work", "approle", agent("ci")],
        ["secret/data/oauthctl/work", "token-deploy", agent("release")],
        ["secret/data/oauthctl/other", "token-deploy", agent("release")],
    ], "who read what")  # fmt: skip
    text = log.read_text()
    for hidden in [*tokens, *secrets_of(server), ROOT, secret, deploy.env["VAULT_TOKEN"]]:
        check(hidden not in text, "a secret is in the audit log")
    check(text.count("hmac-sha256:") > 20, "the log has no HMACs")


def signed(key, claims):
    import base64

    part = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()  # noqa: E731
    text = f'{part(json.dumps({"alg": "RS256", "typ": "JWT"}).encode())}.{part(json.dumps(claims).encode())}'
    return f'{text}.{part(subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=text.encode(), capture_output=True, check=True).stdout)}'


@test
def a_fresh_token_over_tls_is_not_slower_than_the_engines_own_program(t):
    engine = Engine(t, tls=True)
    server = strict.serve(t, expires_in=3600)
    here, copied = signed_in(t, server, engine.env())
    env = {"PATH": os.environ["PATH"], "HOME": str(here.folder), "BAO_ADDR": engine.address, "BAO_TOKEN": ROOT, "BAO_CACERT": str(engine.ca)}
    bao = [openbao.program(), "kv", "get", "-mount=secret", "-field=access_token", "oauthctl/work"]
    same(subprocess.run(bao, env=env, capture_output=True, text=True, check=True).stdout.strip(), server.newest(), "the token for other programs")
    (copied.config / "config.toml").write_text(f'store = {{ vault = "{engine.address}", copy = true }}\n[profiles.work]\nprovider = "strict"\n')
    del copied.env["OAUTHCTL_STORE"]
    copied.run("token", "work").expect(0)

    def times(act):
        took = []
        for _ in range(15):
            began = time.monotonic()
            act()
            took.append(time.monotonic() - began)
        return min(took) * 1000, sorted(took)[7] * 1000

    ours, theirs = times(lambda: here.run("token", "work").expect(0)), times(lambda: subprocess.run(bao, env=env, capture_output=True, check=True))
    copy = times(lambda: copied.run("token", "work", env={"VAULT_ADDR": "https://127.0.0.1:1"}).expect(0))
    rig.say(f"    token {ours[0]:.0f} ms ({ours[1]:.0f} in the middle), bao kv get {theirs[0]:.0f} ms ({theirs[1]:.0f}), from the copy {copy[0]:.0f} ms ({copy[1]:.0f})")
    check(ours[0] <= theirs[0], "slower than `bao kv get`")
    # without the authority's certificate nothing is sent
    here.run("token", "work", env={"VAULT_CACERT": None}).expect(5, err="signed by nobody")


@test
def a_broken_version_is_passed_over_and_a_deleted_one_is_told(t):
    engine = Engine(t)
    server = strict.serve(t, expires_in=3600)
    here, there = signed_in(t, server, engine.env())
    here.run("refresh", "work").expect(0)
    for wrote in ({"someone": "wrote this"}, {"record": "garbage"}):
        for part in ("work", "work/renew"):
            engine.set(f"{AT}{part}", {"data": wrote})
        there.run("refresh", "work").expect(0)
    same((here.run("token", "work").expect(0).token, server.reuses), (server.newest(), 0), "the token after a broken version")
    engine.ask(f"{AT}work/renew", method="DELETE")
    same(there.run("token", "work").expect(0).token, server.newest(), "what readers have")
    told = there.run("refresh", "work").expect(5, err=r"version \d+ of `secret/oauthctl/work/renew` was deleted in the vault")
    same(advised(engine, there, told, "undelete"), 0, "the end of `bao kv undelete`")
    there.run("refresh", "work").expect(0)
    # nothing undeletes a destroyed one; the version before it is taken back
    engine.set(f"{AT}work/renew", {"data": {"record": "garbage"}})
    version = engine.ask("secret/metadata/oauthctl/work/renew")[1]["data"]["current_version"]
    engine.set("secret/destroy/oauthctl/work/renew", {"versions": [version]})
    told = there.run("refresh", "work").expect(5, err=[rf"version {version} of .* was destroyed in the vault", "^hint: `bao kv rollback"])
    check("undelete" not in told.err, told)
    same(advised(engine, there, told, "rollback"), 0, "the end of `bao kv rollback`")
    there.run("refresh", "work").expect(0)
    same(server.reuses, 0, "second uses")
    # no version is left: then it can be forgotten
    version = engine.ask("secret/metadata/oauthctl/work/renew")[1]["data"]["current_version"]
    engine.set("secret/destroy/oauthctl/work/renew", {"versions": list(range(1, version + 1))})
    told = there.run("refresh", "work").expect(5, err="^hint: `oauthctl logout work --local-only` forgets it")
    check("rollback" not in told.err, told)
    there.run("logout", "work", "--local-only").expect(0)
    same(engine.ask("secret/metadata/oauthctl?list=true")[0], 404, "what is left in the engine")
    engine.set(f"{AT}work/renew", {"data": {"record": "garbage"}})
    here.run("token", "work").expect(5, err="`oauthctl logout work --local-only` forgets it")
    here.run("logout", "work", "--local-only").expect(0)
    same(engine.ask("secret/metadata/oauthctl?list=true")[0], 404, "what is left in the engine")


def advised(engine, home, told, verb):
    """Types the command of a hint; its exit code."""
    line = re.search(rf"`bao (kv {verb} [^`]*)`", told.err).group(1)
    env = {"PATH": os.environ["PATH"], "HOME": str(home.folder), "BAO_ADDR": engine.address, "BAO_TOKEN": ROOT}
    return subprocess.run([openbao.program(), *line.split()], env=env, capture_output=True).returncode


@test
def each_request_to_the_engine_is_told_under_v_without_a_secret(t):
    engine = Engine(t)
    server = strict.serve(t, expires_in=3600)
    (home,) = signed_in(t, server, engine.env(), 1)
    said = home.run("-v", "token", "work").expect(0, err=rf"^\* vault: GET {engine.address}/v1/{AT}work: 200$").err
    same(said.count("* vault: "), 1, f"requests that were told\n{said}")
    said = home.run("-v", "refresh", "work").expect(0, err=[rf"^\* vault: POST {engine.address}/v1/{AT}work/renew: 200$", "sys/capabilities-self: 200"]).err
    for secret in [ROOT, server.newest(), *secrets_of(server)]:
        check(secret not in said, f"a secret is told\n{said}")
    gone = f"http://127.0.0.1:{rig.free_port()}"
    home.run("-v", "token", "work", env={"VAULT_ADDR": gone}).expect(75, err=rf"^\* vault: GET {gone}/v1/{AT}work: .*refused")


@test
def an_engine_that_is_away_sealed_or_refuses_loses_nothing(t):
    engine = Engine(t)
    between = Between(t, engine)
    server = strict.serve(t, expires_in=1)
    here, there = signed_in(t, server, engine.env(address=between.address))
    strict.stale(server)
    there.run("token", "work", env={"VAULT_ADDR": f"http://127.0.0.1:{rig.free_port()}"}).expect(75, err=r"vault at \S+ can't answer now")
    there.run("token", "work", env={"VAULT_TOKEN": "another"}).expect(5, err=[r"does not know the token from the variable VAULT_TOKEN"])
    there.run("login", "work", "--no-browser", env={"VAULT_TOKEN": "another"}).expect(5, err=[r"does not know the token from the variable VAULT_TOKEN"])
    engine.set("sys/policies/acl/nothing", {"policy": 'path "secret/data/nothing" { capabilities = ["read"] }'})
    for more in ({}, {"no_default_policy": True}):
        weak = engine.set("auth/token/create", {"policies": ["nothing"], **more})["auth"]["client_token"]
        for verb in (["token", "work"], ["login", "work", "--no-browser"]):
            there.run(*verb, env={"VAULT_TOKEN": weak}).expect(5, err=[r"does not allow this", r"^hint: `oauthctl store policy work`"])
    same(len(server.refreshes()), 0, "token requests")
    # the engine is cut off from the one that holds the answer: it waits in the journal
    between.at = lambda number, when, line: False if server.refreshes() else None
    here.run("token", "work", timeout=200).expect(74, err=[r"the answer is kept, sealed"])
    between.at = None
    same(here.run("token", "work").expect(0).token, server.newest(), "the token from the journal")
    same(there.run("token", "work").expect(0).token, server.newest(), "the other machine's token")
    same((len(server.refreshes()), server.reuses), (1, 0), "token requests, second uses")
    server.expires_in = 1
    here.run("refresh", "work").expect(0)
    strict.stale(server)
    engine.set("sys/seal", {}, "PUT")
    here.run("token", "work").expect(5, err=r"is sealed")
    same(len(server.refreshes()), 0, "token requests while it was sealed")


@test
def a_redirect_is_followed_to_the_leader_alone(t):
    engine = Engine(t)
    server = strict.serve(t, expires_in=3600)
    (home,) = signed_in(t, server, engine.env(), 1)
    standby, thief = rig.Scripted(), rig.Scripted()
    t._stack.callback(standby.close), t._stack.callback(thief.close)
    path = f"/v1/{AT}work"
    for leader, to, code in ((engine, engine.address, 0), (engine, thief.base, 75)):
        standby.on["/v1/sys/leader"] = rig.answer(200, {"leader_address": leader.address})
        standby.on[path] = rig.answer(307, "", Location=to + path)
        words = rf"HTTP status 307, a redirect to {thief.base}\S*, which it does not name as its leader" if code else None
        home.run("token", "work", env={"VAULT_ADDR": standby.base}, timeout=90).expect(code, err=words)
    same(thief.requests, [], "what went to another address")
    check(all(asked.header("X-Vault-Token") is None for asked in standby.to("/v1/sys/leader")), "a token went along with the question for the leader")


@test
def an_audit_tells_what_readers_see_and_what_a_killed_migration_left(t):
    engine = Engine(t)
    between = Between(t, engine)
    server = strict.serve(t, expires_in=3600)
    here, there = signed_in(t, server, engine.env(address=between.address))
    here.run("store", "audit").expect(0)
    whole = engine.kept("work")[0]
    for part, words in (({"someone": "wrote this"}, "is no record"), ({**whole, "record": whole["record"].replace("strict", "another")}, "is not what the record says")):
        engine.set(f"{AT}work", {"data": part})
        there.run("store", "audit").expect(1, out=[rf"^note +readers +what readers of `work` see in the vault .*{words}", "do: oauthctl refresh work"])
    engine.set(f"{AT}work", {"data": {"record": "garbage"}})
    (reader,) = machines(t, server, engine.env(engine.policy("reader", there, "work")), 1)
    there.run("store", "audit").expect(1, out=r"readers of `work` see .* is no record")
    reader.run("store", "audit").expect(1, out=[r"^note +unreadable +the vault .*: it is not a record of this program", "do: on a machine that may renew it: `oauthctl refresh work`"])
    reader.run("store", "test").expect(5, err="`oauthctl store policy` prints")
    there.run("store", "policy", "not-yet").expect(0, out="secret/data/oauthctl/not-yet/renew")
    nobody = {"VAULT_TOKEN": engine.set("auth/token/create", {"policies": ["default"]})["auth"]["client_token"]}
    config = reader.config / "config.toml"
    text = config.read_text()
    config.write_text(text + 'auth = "basic"\n')
    said = reader.run("doctor", "work", env=nobody).out
    config.write_text(text)
    check(re.search(r"note +client +not checked: the record, which may have it", said), said)
    there.run("refresh", "work").expect(0)
    reader.run("store", "audit").expect(0, err=[r"^This job may not list the vault .*: what a `store migrate` left there is not looked for", "Nothing was found"])
    engine.ask("secret/metadata/oauthctl/work", method="DELETE")
    there.run("store", "audit").expect(1, out=r"readers of `work` see .* is missing")
    there.run("refresh", "work").expect(0)
    there.run("store", "audit").expect(0)
    # a login of one machine, killed on its way there: the engine has a copy, the profile its own
    (alone,) = machines(t, server, engine.env(address=between.address), 1, ("own",))
    alone.env.pop("OAUTHCTL_STORE")
    alone.run("login", "own", "--store", "file", env={"BROWSER": strict.browser(t)}).expect(0)
    started, writes = threading.Event(), []

    def at(_number, when, line):
        # the first takes the lease, the second has the record
        if (when, line) == ("after", f"POST {AT}own/renew") and (writes.append(line) or len(writes) == 2):
            started.wait()
            every_process(process, 9)
            return False
        return None

    between.at = at
    process = alone.start("store", "migrate", "file", "vault")
    started.set()
    process.wait(timeout=rig.PATIENCE)
    between.at = None
    found = alone.run("store", "audit").expect(1, out=[r"^note +leftover +the login of `own` is in the vault .* too, and lives in", "logout own --store vault"])
    check("work" not in found.out, f"the team's other logins are none of its business\n{found}")
    alone.run("logout", "own", "--store", "vault").expect(0, err="the login goes on in")
    alone.run("store", "audit").expect(0)
    alone.run("refresh", "own").expect(0)
    same(server.reuses, 0, "second uses")


@test
def a_vault_without_an_address_is_one_unreadable_profile(t):
    away = {"VAULT_ADDR": None, "OAUTHCTL_STORE": None}
    engine = Engine(t)
    server = strict.serve(t, expires_in=3600)
    (home,) = signed_in(t, server, engine.env(), 1)
    home.run("login", "own", "--provider", "strict", "--store", "file", env={"BROWSER": strict.browser(t)}).expect(0)
    config = home.config / "config.toml"
    config.write_text(config.read_text().replace("[profiles.work]", '[profiles.work]\nstore = "vault"'))
    home.run("token", "work", env={"OAUTHCTL_STORE": None}).expect(0)
    no_address = r"there is no vault: BAO_ADDR and VAULT_ADDR are not set"
    home.run("list", env=away).expect(0, out=[r"^work .* unreadable .* vault", r"^own .* fresh .* file"])
    home.run("status", "work", env=away).expect(5, out=no_address)
    for verb in (["token"], ["refresh"], ["login"], ["logout"]):
        home.run(*verb, "work", env=away).expect(5, err=[no_address, "^hint: set BAO_ADDR or VAULT_ADDR"])
    home.run("store", "audit", env=away).expect(5, err=[no_address, "^hint: set BAO_ADDR"])
    home.run("token", "own", env=away).expect(0)
    alone = t.home(OAUTHCTL_STORE="vault")
    alone.run("store", "audit").expect(5, err=no_address)


@test
def a_refresh_token_that_exists_is_taken_in(t):
    engine = Engine(t)
    server = strict.serve(t, expires_in=3600)
    signed_in(t, server, {"OAUTHCTL_STORE": "file"}, 1)
    token = secrets_of(server)[-1]
    here, there = machines(t, server, engine.env(), 2)
    words = ["--profile", "work", "--provider", "strict", "--client-id", "a-client"]
    here.run("import", "refresh-token", "-", *words, stdin=token + "\n").expect(0)
    same({home.run("token", "work").expect(0).token for home in (here, there)}, {server.newest()}, "the tokens")
    same(server.reuses, 0, "second uses")
    # a login of one machine moves there, and back
    (alone,) = machines(t, server, engine.env(), 1, ("own",))
    alone.env.pop("OAUTHCTL_STORE")
    alone.run("login", "own", "--store", "file", env={"BROWSER": strict.browser(t)}).expect(0)
    for way in (("file", "vault"), ("vault", "file")):
        alone.run("store", "migrate", *way).expect(0, err=r"Moved 1 profile to .*own")
        alone.run("refresh", "own").expect(0)
        same((alone.run("token", "own").expect(0).token, server.reuses), (server.newest(), 0), f"the token after {way}")
        same("own" in str(engine.ask("secret/metadata/oauthctl?list=true")[1]), way[1] == "vault", "whether the engine has it")


class Cluster:
    """Three nodes of one engine with raft storage, each in a network namespace with two ways out: to the others, and to clients.
    `between[i]` is a client's way to node i."""

    def __init__(self, t):
        rig.need("ip")
        rig.only_root("makes network namespaces")
        self.t, self.nodes, self.between = t, [], []
        self.mark = f"oc{os.getpid() % 10000}"
        net = os.getpid() % 200 + 20
        self._ip(f"link add {self.mark}br type bridge")
        t._stack.callback(lambda: self._ip(f"link del {self.mark}br", check=False))
        self._ip(f"link set {self.mark}br up")
        for number in range(3):
            self._namespace(number, net)
        for number in range(3):
            self._node(number, net)
        self.ca = None
        self.address = self.nodes[0].address
        self._unseal()

    def _ip(self, words, check=True):
        subprocess.run(["ip", *words.split()], check=check, capture_output=True)

    def _namespace(self, number, net):
        name = f"{self.mark}n{number}"
        self._ip(f"netns add {name}")
        self.t._stack.callback(lambda: self._ip(f"netns del {name}", check=False))
        for kind, here, there in (("c", f"10.{net}.9.{number + 10}/24", None), ("a", f"10.{net}.{number}.2/24", f"10.{net}.{number}.1/24")):
            outer, inner = f"{name}{kind}o", f"{name}{kind}i"
            self._ip(f"link add {outer} type veth peer name {inner}")
            self._ip(f"link set {inner} netns {name}")
            self._ip(f"-n {name} addr add {here} dev {inner}")
            self._ip(f"-n {name} link set {inner} up")
            if there:
                self._ip(f"addr add {there} dev {outer}")
            else:
                self._ip(f"link set {outer} master {self.mark}br")
            self._ip(f"link set {outer} up")
        self._ip(f"-n {name} link set lo up")

    def _node(self, number, net):
        folder = self.t.folder / f"node{number}"
        (folder / "data").mkdir(parents=True)
        api, cluster = f"10.{net}.{number}.2:8200", f"10.{net}.9.{number + 10}"
        join = "".join(f'  retry_join {{ leader_api_addr = "http://10.{net}.9.{other + 10}:8200" }}\n' for other in range(3) if other != number)
        (folder / "bao.hcl").write_text(
            f'storage "raft" {{\n  path = "{folder}/data"\n  node_id = "node{number}"\n  performance_multiplier = 1\n{join}}}\n'
            f'listener "tcp" {{\n  address = "0.0.0.0:8200"\n  cluster_address = "{cluster}:8201"\n  tls_disable = true\n}}\n'
            f'api_addr = "http://{cluster}:8200"\ncluster_addr = "https://{cluster}:8201"\ndisable_mlock = true\n'
        )
        node = type("Node", (), {})()
        node.number, node.address, node.folder = number, f"http://{api}", folder
        self.nodes.append(node)
        self.start(node)
        self.between.append(Between(self.t, node))

    def start(self, node):
        name = f"{self.mark}n{node.number}"
        node.process = subprocess.Popen(
            ["ip", "netns", "exec", name, openbao.program(), "server", f"-config={node.folder}/bao.hcl"],
            env={"PATH": os.environ["PATH"], "HOME": str(node.folder)}, cwd=node.folder, stdin=subprocess.DEVNULL,
            stdout=self.t._log(f"node{node.number}-{time.monotonic_ns()}.log"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.t.ends(node.process)

    ask, set, kept, env = Engine.ask, Engine.set, Engine.kept, Engine.env

    def _unseal(self):
        first = self.nodes[0].address
        rig.wait_until(lambda: self.ask("sys/init")[0] == 200, "the first node's start")
        said = self.set("sys/init", {"secret_shares": 1, "secret_threshold": 1}, "PUT")
        self.key, self.root = said["keys"][0], said["root_token"]
        for node in self.nodes:
            self.unseal(node)
        self.wait_for_leader(self.nodes)
        status, answer = self.ask("sys/mounts/secret", {"type": "kv", "options": {"version": "2"}}, token=self.root, address=first)
        check(status == 204, answer)
        rig.wait_until(lambda: self.ask("secret/data/x", {"data": {"a": 1}}, token=self.root)[0] == 200, "the KV engine")
        rig.wait_until(lambda: len(self.peers()) == 3, "three voters")

    def peers(self):
        servers = self.ask("sys/storage/raft/configuration", token=self.root)[1].get("data", {}).get("config", {}).get("servers", [])
        return [server for server in servers if server["voter"]]

    def unseal(self, node):
        unsealed = lambda: self.ask("sys/unseal", {"key": self.key}, "PUT", address=node.address)[1].get("sealed") is False  # noqa: E731
        rig.wait_until(unsealed, "unsealing")

    def wait_for_leader(self, nodes):
        """The active one among these."""
        is_leader = lambda node: self.ask("sys/leader", address=node.address)[1].get("is_self")  # noqa: E731
        return rig.wait_until(lambda: next((node for node in nodes if is_leader(node)), None), "the choice of a leader")

    def cut(self, node, off=True):
        """Cuts a node off from the others; its clients still reach it."""
        self._ip(f"link set {self.mark}n{node.number}co {'down' if off else 'up'}")


@test
def the_leader_is_killed_in_the_middle_and_a_node_is_cut_off(t):
    cluster = Cluster(t)
    told = []
    for fault in ("killed", "cut off"):
        leader = cluster.wait_for_leader(cluster.nodes)
        others = [node for node in cluster.nodes if node is not leader]
        steps = ["take", "may it write", "mark", "commit", "show"]
        names = [f"{fault.replace(' ', '-')}-{step.replace(' ', '-')}" for step in steps]
        servers, firsts, seconds = [], [], []
        for name in names:
            server = strict.serve(t, expires_in=1)
            env = cluster.env(cluster.root)
            # a killed leader's clients are another test: these speak to nodes that stay, or to the one that is cut off
            via = others[0] if fault == "killed" else leader
            way = Between(t, via)
            (here,) = machines(t, server, {**env, "VAULT_ADDR": way.address}, 1, (name,))
            (there,) = machines(t, server, {**env, "VAULT_ADDR": cluster.between[others[1].number].address}, 1, (name,))
            here.run("login", name, env={"BROWSER": strict.browser(t)}).expect(0)
            server.way = way
            servers.append(server), firsts.append(here), seconds.append(there)
        time.sleep(1.1)
        arrived, go_on = threading.Semaphore(0), threading.Event()
        for server, step in zip(servers, steps, strict=True):
            server.expires_in = 3600
            server.forget()
            server.way.log.clear()

            def at(number, when, _line, step=step):
                if (number, when) == (STEPS.index(step) + 1, "before"):
                    arrived.release()
                    go_on.wait(60)

            server.way.at = at
        started = [(home, home.start("token", name), name) for home, name in zip(firsts, names, strict=True)]
        for _ in names:
            check(arrived.acquire(timeout=60), "not all have come to their step")
        if fault == "killed":
            # `ip netns exec` becomes the server
            leader.process.kill()
            leader.process.wait()
        else:
            cluster.cut(leader)
        began = time.monotonic()
        go_on.set()
        rest = at_once([lambda home=home, name=name: home.run("token", name, timeout=200) for home, name in zip(seconds, names, strict=True)])
        took = time.monotonic() - began
        ends = [home.collect(process, "token", name, timeout=200) for home, process, name in started]
        if fault == "killed":
            cluster.start(leader)
            cluster.unseal(leader)
        else:
            cluster.cut(leader, off=False)
        cluster.wait_for_leader(cluster.nodes)
        for step, server, first, second, home, name in zip(steps, servers, ends, rest, firsts, names, strict=True):
            where = f"{fault}, {step}: {first}\n{second}"
            outcome = f"{step}: {first.code} and {second.code}, {len(server.refreshes())} sent, {server.reuses} twice"
            told.append(f"{fault}, {outcome}")
            if step == "commit" and fault == "cut off":
                continue  # the window: what the holder got can't be stored for longer than its lease
            last = rig.wait_until(lambda home=home, name=name: (ran := home.run("token", name, timeout=200)).code == 0 and ran, f"a token afterwards ({where})")
            same((last.token, server.reuses), (server.newest(), 0), f"{where}\nthe token, second uses")
            check(len(server.refreshes()) == 1, f"{where}\n{server.refreshes()}")
        check(took < LEASE + 2 * SLACK, f"{fault}: the others were done after {took:.0f} s")
        told.append(f"{fault}: others done after {took:.0f} s")
    rig.say("    " + "\n    ".join(told))


@test
def a_day_of_ten_thousand_jobs_is_one_request_for_each_lifetime(t):
    library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
    if not os.path.exists(library):
        raise rig.Skip("not installed: apt-get install faketime")
    jobs = int(os.environ.get("JOBS", "10000"))
    engine = Engine(t)
    between = Between(t, engine)
    server = strict.serve(t, expires_in=3600)
    homes = signed_in(t, server, engine.env(address=between.address), 10)
    server.forget()
    between.log.clear(), between.done.clear()
    codes, lock, numbers = [], threading.Lock(), iter(range(jobs))

    def work():
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            # the job's own clock: a day goes by in ten thousand steps
            env = {"LD_PRELOAD": library, "FAKETIME": f"+{86_400 * number // jobs}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
            codes.append(homes[number % 10].run("token", "work", env=env).code)

    began = time.monotonic()
    at_once([work] * 4)
    same(set(codes), {0}, "exit codes")
    writes = [line for line in between.done if line.startswith("POST secret/data")]
    renewals = len(server.refreshes())
    rig.say(f"    {jobs} jobs in {time.monotonic() - began:.0f} s: {renewals} token requests, {len(writes)} writes, {len(between.log)} requests")
    # a lifetime of an hour ends a minute early
    check(86_400 // 3600 - 1 <= renewals <= 86_400 // 3540 + 1, f"{renewals} token requests")
    same((len(writes), server.reuses), (4 * renewals, 0), "writes, second uses")


if __name__ == "__main__":
    rig.main(globals())

#!/usr/bin/env python3
"""No secret is found where it doesn't belong. A server issues marked values, the program is run in every way there is, and all
that it leaves behind is searched: what it says, its files, its children's arguments and environment, core files. They may be in
the store (sealed), on the wire to the right place, on the stdout of `token`; and `state` in the address that a person is sent to.

Searched for by every eight characters, in eight forms: raw, reversed, base64 of either alphabet at any place, hexadecimal,
percent-encoded, JSON-escaped, UTF-16."""

import base64
import contextlib
import itertools
import json
import os
import re
import resource
import secrets
import signal
import subprocess
import threading
import time
import urllib.parse
from pathlib import Path

import rig
from rig import Failed, Listening, answer, check, same, test

LOGIN = ["login", "rig", "--client-id", "the-client", "--timeout", "90s"]
WAYS = ([], ["-v"], ["--error-format", "json"])


def canary(kind):
    return f"OCTLCANARY-{kind}-{secrets.token_urlsafe(24)}"


def needles(value):
    """Every eight characters of a value's random part, or of bytes, in each form."""
    text = value.split("-", 2)[2] if isinstance(value, str) and value.startswith("OCTLCANARY-") else value
    raw = text.encode() if isinstance(text, str) else text
    forms = [(raw, 8, 1), (raw[::-1], 8, 1), (raw.hex().encode(), 16, 2), (raw.hex().upper().encode(), 16, 2)]
    forms += [("".join(how % b for b in raw).encode(), width * 8, width) for how, width in (("%%%02x", 3), ("%%%02X", 3), ("\\u%04x", 6))]
    forms += [(raw.decode("latin-1").encode("utf-16-le"), 16, 2)]
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw).rstrip(b"=")
        own = whole[(0, 2, 3)[before] : len(whole) - ((before + len(raw)) % 3 != 0)]
        forms += [(own, 11, 1), (own.replace(b"+", b"-").replace(b"/", b"_"), 11, 1)]
    for form, length, step in forms:
        for at in range(0, len(form) - length + 1, step):
            yield form[at : at + length]


class Search:
    """All that must not be found, by kind."""

    def __init__(self):
        self.kinds, self._parts = {}, {}

    def add(self, kind, value):
        if value and value not in self.kinds:
            self.kinds[value] = kind
            for part in needles(value):
                self._parts.setdefault(len(part), {})[part] = kind

    def look(self, data, where, allowed=()):
        if isinstance(data, str):
            data = data.encode()
        for length, parts in self._parts.items():
            for part in {data[at : at + length] for at in range(len(data) - length + 1)} & parts.keys():
                if parts[part] not in allowed:
                    at = data.index(part)
                    raise Failed(f"a part of the {parts[part]} is in {where}: {data[max(0, at - 60) : at + length + 60]!r}")


class Rig:
    """A server of marked values, a home, and what has been seen of the program's children."""

    def __init__(self, t, keyring=None, passphrase=False, **env):
        self.t, self.search = t, Search()
        self.server = t.scripted()
        self.token_type = "Bearer"
        self.server.on["/token"] = self.issue
        self.server.on["/revoke"] = answer(200, {})
        self.server.on["/v1/me"] = answer(200, {"me": "somebody"})
        self.client_secret, self.passphrase = canary("clientsecret"), canary("passphrase")
        self.search.add("client secret", self.client_secret)
        self.search.add("passphrase", self.passphrase)
        store = {} if keyring else {"OAUTHCTL_STORE": "file"}
        if passphrase:
            store["OAUTHCTL_STORE_PASSPHRASE"] = self.passphrase
        self.home = t.home(keyring, **store, **env)
        more = '[whoami]\nurl = "/me"\nlabel = "me"\n'
        self.home.provider("rig", self.server.provider_file(more=more).replace('token.auth = ["none", "basic"]', 'token.auth = ["basic"]'))
        self.secret_file = t.folder / "outside-the-home"
        self.secret_file.write_text(self.client_secret, encoding="utf-8")
        self.secret_file.chmod(0o600)
        self.runs = 0
        self.children = {}
        self._ended = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()
        t.enter(contextlib.closing(self))

    def close(self):
        self._ended.set()

    def issue(self, asked):
        """A token answer of new values; those that came are noted: code, verifier, refresh token."""
        self.note(asked)
        values = {kind: canary(kind) for kind in ("access", "refresh", "idtoken")}
        for kind, value in values.items():
            self.search.add(kind, value)
        return answer(200, {"access_token": values["access"], "refresh_token": values["refresh"], "id_token": values["idtoken"],
                            "token_type": self.token_type, "expires_in": 3600, "scope": "api"}, **({"DPoP-Nonce": secrets.token_urlsafe(8)} if self.token_type == "DPoP" else {}))  # fmt: skip

    def note(self, asked):
        for name in ("code_verifier", "code"):
            self.search.add(name.removeprefix("code_"), asked.form.get(name))

    def echo(self, status, kind="application/json"):
        """An answer that says back all that was sent, in every member and form that a server might."""

        def do(asked):
            self.note(asked)
            seen = " ".join([asked.body, *asked.form.values(), asked.header("authorization") or "", urllib.parse.unquote(asked.target)])
            # far enough into the text that quoting it cuts it
            seen = f"{seen} {'x' * 150} {seen}"
            body = {"error": "invalid_request", "error_description": seen, "context": {"sentToken": seen}, "message": seen, "code": 1014}
            text = json.dumps(body) if "json" in kind else f"<html><title>{seen}</title>"
            where = urllib.parse.quote(seen)
            return answer(status, text, kind=kind, Location=f"http://127.0.0.1:1/?{where}", WWW_Authenticate=f'Bearer error="{where}"', Retry_After="0")

        return do

    def _watch(self):
        """Arguments and environment of whatever descends from this test and is not the program."""
        ours, program = os.getpid(), os.path.realpath(rig.program())
        while not self._ended.wait(0.002):
            parents = {}
            for entry in os.listdir("/proc"):
                if not entry.isdigit():
                    continue
                with contextlib.suppress(OSError, IndexError):
                    stat = Path("/proc", entry, "stat").read_text()
                    parents[int(entry)] = int(stat.rsplit(")", 1)[1].split()[1])
            for process in parents:
                up = process
                while up in parents and up != ours:
                    up = parents[up]
                if up != ours or process == ours:
                    continue
                with contextlib.suppress(OSError):
                    # between fork and exec a child has what its parent has; and while it is looked at it may become another program
                    before = os.readlink(f"/proc/{process}/exe")
                    argv = Path("/proc", str(process), "cmdline").read_bytes()
                    environ = Path("/proc", str(process), "environ").read_bytes()
                    if os.readlink(f"/proc/{process}/exe") != before:
                        continue
                    is_program = before.startswith((program, os.path.realpath("/usr/bin/strace")))
                    self.children.setdefault(process, set()).add((argv, b"" if is_program else environ))

    def check_run(self, argv, out, err, browser=False, unless=()):
        what = f"`oauthctl {' '.join(argv)}`"
        verb = argv[0]
        self.search.look(out, f"the stdout of {what}", ("access",) if verb == "token" else ())
        self.search.look(err, f"the stderr of {what}", ("state",) if verb == "login" else ())

    def run(self, *argv, **options):
        """A command, and what it said searched."""
        self.runs += 1
        ran = self.home.run(*argv, **options)
        for state in re.findall(r"[?&]state=([\w-]+)", ran.err):
            self.search.add("state", state)
        self.check_run(argv, ran.out, ran.err)
        return ran

    def login(self, *flags, code=None, then=None, secret="env", **options):
        """A login whose redirect the test plays; `then` may do something else with the wait."""
        self.runs += 1
        code = code or canary("code")
        self.search.add("code", code)
        argv = [*LOGIN[1:], *flags]
        env = {"OAUTHCTL_CLIENT_SECRET": self.client_secret} if secret == "env" else {}
        if secret == "file":
            argv += ["--client-secret-file", str(self.secret_file)]
        login = Listening(self.home, *argv, env=env, **options)
        self.search.add("state", login.state)
        (then or (lambda l: l.redirect(code)))(login)
        ran = login.end()
        self.check_run(["login", *argv], ran.out, ran.err)
        return ran

    def search_all(self):
        """Files, children, and the wire."""
        looked_at = 0
        for path in [*self.home.folder.rglob("*"), *self.t.folder.glob("core*")]:
            if path.is_file() and not path.is_symlink() and path != self.secret_file:
                self.search.look(path.read_bytes(), f"the file {path.relative_to(self.t.folder)}")
                self.search.look(path.name, "a file's name")
                looked_at += 1
        check(looked_at > 2, "there are files")
        for seen in list(self.children.values()):
            for argv, environ in list(seen):
                self.search.look(argv, f"the arguments {argv[:80]!r}")
                self.search.look(environ, f"the environment of {argv[:80]!r}")
        for asked in self.server.requests:
            self.search.look(asked.target, f"a request line: {asked.method} {asked.target[:60]}")
            if asked.path.startswith("/v1"):
                self.search.look(f"{asked.headers}{asked.body}", f"a call of {asked.path}", ("access",))
            check(asked.path in ("/token", "/revoke") or asked.path.startswith("/v1"), f"a request to {asked.path}")


READERS = (["status", "rig"], ["list"], ["list", "--format", "json"], ["status", "rig", "--format", "json"], ["provider", "show", "rig"], ["doctor"])


@test
def what_every_command_says_when_all_goes_well_holds_no_secret(t):
    """H-01, H-02, H-06, H-10, H-20, H-22, H-24, C-04, C-06, C-19, C-20, S4: hints and next commands too; and the token goes to
    the API alone"""
    r = Rig(t, passphrase=True)
    for way in WAYS:
        for secret in ("env", "file")[: 2 if way else 1]:
            r.login(*way, secret=secret).expect(0)
            for command in READERS:
                r.run(*command, *way)
            for form in ("text", "json", "header", "env", "curl", "exec-credential", "netrc"):
                ran = r.run("token", "rig", "--format", form, *way).expect(0)
                check("OCTLCANARY-access" in ran.out and "OCTLCANARY-refresh" not in ran.out, str(ran))
            env = {"OAUTHCTL_CLIENT_SECRET": r.client_secret}
            r.run("refresh", "rig", *way, env=env).expect(0)
            r.run("token", "rig", "--force-refresh", *way, env=env).expect(0)
            r.run("call", "rig", "/me", *way).expect(0)
            r.run("call", "rig", "-i", "/me", *way).expect(0)
        r.run("logout", "rig", *way, env={"OAUTHCTL_CLIENT_SECRET": r.client_secret}).expect(0)
    r.search_all()
    # nothing moves a title or the cursor
    ran = r.login("-v")
    check("\x1b" not in ran.err and "\x07" not in ran.err, str(ran))


@test
def nor_when_a_server_says_back_all_it_was_sent(t):
    """H-06, H-07, H-08, C-20, S2, S3, T-52"""
    r = Rig(t)
    env = {"OAUTHCTL_CLIENT_SECRET": r.client_secret}
    for way in WAYS:
        for status, kind in ((400, "application/json"), (401, "application/json"), (200, "text/html"), (302, "application/json"), (503, "text/html"), (200, "application/json")):
            echo = r.echo(status, kind)
            r.server.on["/token"] = echo
            check(r.login(*way).code != 0, "the login failed")
            r.server.on["/token"] = r.issue
            r.login(*way).expect(0)
            r.server.on |= {"/token": echo, "/v1/me": echo, "/revoke": echo}
            r.run("refresh", "rig", *way, env=env)
            r.run("token", "rig", "--force-refresh", *way, env=env)
            # the API's own words on stdout are data, and it says back the token that it was sent
            r.runs += 1
            ran = r.home.run("call", "rig", "/me", *way, env=env)
            r.search.look(ran.err, "the stderr of `call`")
            for command in READERS:
                r.run(*command, *way)
            r.run("logout", "rig", *way, env=env)
            r.server.on |= {"/token": r.issue, "/v1/me": answer(200, {"me": "somebody"}), "/revoke": answer(200, {})}
    r.search_all()


@test
def nor_when_it_is_ended_by_a_signal(t):
    """H-09: in the wait, in the exchange, in a renewal; no core file, although they are allowed"""
    r = Rig(t)
    resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
    r.login().expect(0)
    env = {"OAUTHCTL_CLIENT_SECRET": r.client_secret}
    under_way = threading.Event()

    def slow(asked):
        r.note(asked)
        under_way.set()
        time.sleep(0.6)
        return r.issue(asked)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGABRT):
        for way in WAYS[1:2]:
            r.login(*way, then=lambda login, n=number: login.process.send_signal(n))
            r.server.on["/token"] = slow
            under_way.clear()

            def in_exchange(login, n=number):
                threading.Thread(target=lambda: contextlib.suppress(OSError) and login.redirect(canary("code")), daemon=True).start()
                check(under_way.wait(rig.PATIENCE), "no request")
                login.process.send_signal(n)

            r.login(*way, then=in_exchange)
            under_way.clear()
            argv = ["token", "rig", "--force-refresh", *way]
            process = r.home.start(*argv, env=env)
            check(under_way.wait(rig.PATIENCE), "no request")
            process.send_signal(number)
            ran = r.home.collect(process, *argv)
            r.check_run(argv, ran.out, ran.err)
            time.sleep(0.7)
            r.server.on["/token"] = r.issue
    same([p for p in r.home.folder.rglob("*core*") if p.is_file()], [], "core files")
    r.search_all()


@test
def nor_when_it_panics(t):
    """H-06: no thread can be started, or the system gives no random numbers, which the standard library takes for its end, at one
    moment after another; the backtrace is asked for in full"""
    rig.need("strace")
    r = Rig(t, passphrase=True, RUST_BACKTRACE="full", RUST_LOG="trace")
    r.login().expect(0)
    env = {"OAUTHCTL_CLIENT_SECRET": r.client_secret}
    panics = 0
    for nth, fault in itertools.product(range(1, 5), ("clone,clone3:error=EAGAIN", "getrandom:error=EIO")):
        under = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={fault}:when={nth}+"]
        for argv in (["login", *LOGIN[1:], "--no-browser", "--timeout", "1s"], ["refresh", "rig"], ["call", "rig", "/me", "--paginate"], ["token", "rig", "--force-refresh"]):
            ran = r.run(*argv, "-v", env=env, under=under)
            check("stack backtrace" not in ran.err and ran.code != 101, str(ran))
            panics += "has a defect" in ran.err
    check(panics > 0, "nothing panicked: this shows nothing")
    r.search_all()


@test
def children_get_neither_arguments_nor_variables_that_are_secret(t):
    """H-01, H-03, H-26, N-04: the browser, and the program that tells the client secret"""
    r = Rig(t)
    seen = t.folder / "child-saw"
    script = t.folder / "child.sh"
    script.write_text(f"#!/bin/bash\n{{ tr '\\0' '\\n' </proc/$$/cmdline; env; }} >>{seen}\n[ $# = 0 ] && cat {r.secret_file}\nexit 0\n", encoding="utf-8")
    script.chmod(0o700)
    env = {"OAUTHCTL_CLIENT_SECRET": r.client_secret, "OAUTHCTL_RIG_CLIENT_SECRET": r.client_secret, "BROWSER": str(script)}
    r.run(*LOGIN[:-1], "1s", env=env).expect(6)  # notes its `state`, which is in the address that is shown
    (r.home.config / "config.toml").write_text(f'[profiles.rig]\nprovider = "rig"\nclient-id = "x"\nclient-secret = {{ command = ["{script}"] }}\n', encoding="utf-8")
    r.login(secret="command").expect(0)
    text = seen.read_text(encoding="utf-8")
    check("/sign-in/" in text and "PATH=" in text, f"both ran: {text}")
    r.search.look(text, "what a child saw")
    check("OAUTHCTL_" not in re.sub(r"OAUTHCTL_(CONFIG|STATE)_DIR", "", text), text)
    same(r.home.run("token", "rig").expect(0).out.count("\n"), 1, "lines")
    r.search_all()


@test
def a_keychain_holds_what_the_files_do_not(t):
    """H-12, H-21: and the key that seals the journal is in the keychain alone"""
    keyring = t.keyring()
    r = Rig(t, keyring)
    r.login().expect(0)
    env = {"OAUTHCTL_CLIENT_SECRET": r.client_secret}
    for _ in range(3):
        record = json.loads(keyring.lookup("rig"))
        check(record.get("journal_key"), "no journal key")
        r.search.add("journal key", record["journal_key"])
        # a renewal that is cut off leaves its journal
        r.server.on["/token"] = lambda asked: answer(200, "{not json")
        r.run("token", "rig", "--force-refresh", "-v", env=env)
        r.search_all()
        r.server.on["/token"] = r.issue
        r.run("refresh", "rig", "-v", env=env)
        for command in READERS:
            r.run(*command, "-v")
        r.search_all()


def private_half(der):
    """The 32 bytes of a P-256 key that nobody may see, wherever a DER form of it has them."""
    at = der.index(b"\x02\x01\x01\x04\x20") + 5
    return der[at : at + 32]


def client_keys(folder):
    """One key of a client, as PEM and as JWK, and its private half."""
    rig.need("openssl")
    pem = folder / "client-key.pem"
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", pem], check=True, capture_output=True, timeout=rig.PATIENCE)
    der = base64.b64decode("".join(line for line in pem.read_text().splitlines() if "--" not in line))
    half, point = private_half(der), der[-64:]
    b64 = lambda data: base64.urlsafe_b64encode(data).decode().rstrip("=")
    jwk = folder / "client-key.json"
    jwk.write_text(json.dumps({"kty": "EC", "crv": "P-256", "kid": "k", "x": b64(point[:32]), "y": b64(point[32:]), "d": b64(half)}), encoding="utf-8")
    return (pem, jwk), half


def found(search, data, allowed):
    try:
        search.look(data, "the keychain", allowed)
    except Failed:
        return True
    return False


@test
def keys_that_prove_a_token_or_a_client_are_in_no_other_place(t):
    """H-12, H-21: a DPoP key is in the keychain alone, a client's key in the file that the person named; the public halves go out"""
    keyring = t.keyring()
    r = Rig(t, keyring)
    files, half = client_keys(t.folder)
    r.search.add("client key", half)
    for file in files:
        flags = ["--dpop", "--auth", "private-key-jwt", "--client-key-file", str(file)]
        for way in (*WAYS, ["--explain"]):
            only = [] if way == ["--explain"] else way
            r.token_type = "DPoP"
            r.login(*flags, *way).expect(0)
            kept = json.loads(keyring.lookup("rig"))["dpop_key"]
            der = base64.urlsafe_b64decode(kept + "=" * (-len(kept) % 4))
            r.search.add("DPoP key", private_half(der))
            others = {kind for kind in r.search.kinds.values() if kind != "DPoP key"}
            check(found(r.search, keyring.lookup("rig"), others), "the search does not see it where it is")
            for command in (*READERS, ["inspect", "rig"], ["profile", "show", "rig"]):
                r.run(*command, *only)
            for form in ("text", "json", "header", "env", "curl", "exec-credential"):
                r.run("token", "rig", "--format", form, *only)
            proof = r.run("token", "rig", "--format", "dpop-proof", "--url", f"{r.server.base}/v1/me", *only).expect(0).token
            check("d" not in rig.header(proof)["jwk"], "the private half in a proof")
            r.run("refresh", "rig", *only).expect(0)
            r.run("token", "rig", "--force-refresh", *way).expect(0)
            r.run("call", "rig", "/me", *only).expect(0)
            # a renewal whose answer is lost leaves its journal, and a server that says back what it was sent is quoted
            for bad in (lambda asked: answer(200, "{not json"), r.echo(400)):
                r.server.on["/token"] = bad
                r.run("token", "rig", "--force-refresh", *way)
                r.search_all()
            r.server.on["/token"] = r.issue
            r.run("refresh", "rig", *only)
            r.run("logout", "rig", *only)
    sent = [asked for asked in r.server.requests if asked.header("dpop")]
    check(any("client_assertion=" in asked.body for asked in sent), "nothing was proven: this shows nothing")
    for asked in r.server.requests:
        r.search.look(f"{asked.target}{asked.headers}{asked.body}", f"a request to {asked.path}", [kind for kind in r.search.kinds.values() if "key" not in kind])
    r.search_all()


@test
def the_program_and_its_completions_hold_no_secret_and_no_clipboard(t):
    """H-13, H-18, H-19, S9"""
    home = t.home()
    data = Path(rig.program()).read_bytes()
    # `clientSecret` is how some providers call the parameter
    for pattern in (rb"client_secret\s*[=:]\s*[\"'](?!clientSecret[\"'])[\w-]{8,}", rb"-----BEGIN [A-Z ]*PRIVATE KEY-----[\r\n]+[A-Za-z0-9+/]{40}", rb"gh[pousr]_[A-Za-z0-9]{30}", rb"AKIA[0-9A-Z]{16}",
                    rb"xclip|xsel|wl-copy|pbcopy"):  # fmt: skip
        found = re.search(pattern, data)
        check(not found, lambda: f"{pattern}: {data[found.start() - 40 : found.end() + 40]!r}")
    # printing one looks at no keychain and at no configuration; what it asks the program later is in shells.py
    rig.look_inside()
    for shell in ("bash", "zsh", "fish"):
        trace = home.folder / "trace"
        script = home.run("completions", shell, under=["strace", "-f", "-qq", "-o", str(trace), "-e", "trace=openat,connect"]).expect(0).out
        check("secret-tool" not in script, "it asks a keychain")
        opened = trace.read_text(errors="replace")
        check(str(home.config) not in opened and "AF_UNIX" not in opened, opened)


@test
def a_pipe_that_closes_is_an_error_and_nothing_else_is_on_stdout(t):
    """H-24, H-25"""
    r = Rig(t)
    r.login().expect(0)
    ran = r.run("token", "rig", "-v").expect(0)
    check(re.fullmatch(r"OCTLCANARY-access-[\w-]+\n", ran.out), repr(ran.out))
    read, write = os.pipe()
    os.close(read)
    argv = [rig.program(), "token", "rig"]
    ended = subprocess.run(argv, env=r.home._environment({}), stdout=write, stderr=subprocess.PIPE, timeout=rig.PATIENCE, preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN))
    os.close(write)
    check(ended.returncode != 0, "a token that nobody got is no success")
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(argv, env=r.home._environment({}), stdout=full, stderr=subprocess.PIPE, timeout=rig.PATIENCE)
    check(ended.returncode != 0, "a token that was not written is no success")
    r.search.look(ended.stderr, "stderr")


rig.main(globals())

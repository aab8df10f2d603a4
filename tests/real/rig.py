"""What the tests against real components stand on: a person's home, the program, a terminal, servers, browsers, keychains.

A test file is a list of functions whose names say what is true, and `rig.main(globals())` at its end:

    from rig import test

    @test
    def a_denied_login_stores_nothing(t):
        op = t.oidc_provider()
        ...

`t` is a `Test`. Everything that it starts is ended, by process id, when the test ends, however it ends. A check that fails
raises `Failed`, a component that can't be had raises `Skip`; both say why. Nothing here waits without a deadline, and every
server listens on loopback on a port that the system chose.

The machine may be slow and busy with something else, and no test may fail of that. So a test waits until something is the case,
never for a moment in which it should have become so; what has to happen in the middle of a request happens while the server
holds its answer back (`strict.Server.hold`). A time is judged only where it is what was promised: as the time of the quickest of
a few tries (`soon`), since other programs make a run slower and never quicker, or beside the time of something else that
meets the same load.
"""

import atexit
import base64
import codecs
import contextlib
import functools
import hashlib
import inspect
import io
import json
import os
import pty
import random
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import kernelkeys

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable

# Nothing that the tests run may take longer: a hang is a failure with a name, not a run that never ends.
PATIENCE = 90


# whoever runs the tests may have started them with `nohup`, and what is ignored is ignored by all that they start
signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Failed(Exception):
    """What was expected, and what was seen."""


class Skip(Exception):
    """A component that is not there."""


@functools.cache
def program():
    """The program under test: `$OAUTHCTL`, else the release build."""
    path = Path(os.environ.get("OAUTHCTL") or ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "release" / "oauthctl")
    if not os.access(path, os.X_OK):
        raise SystemExit(f"{path} is not there: `tests/run` builds it")
    return str(path)


@functools.cache
def run_folder():
    """Where this run keeps its files: `$TESTS_RUN` (kept by who made it), else a folder that goes when the tests end."""
    if folder := os.environ.get("TESTS_RUN"):
        return Path(folder)
    folder = Path(tempfile.mkdtemp(prefix="oauthctl-tests-"))
    atexit.register(remove, folder)
    return folder


def remove(folder):
    shutil.rmtree(folder, ignore_errors=True)


@functools.cache
def pki():
    """The folder of certificates that `pki.sh` made, once per run."""
    need("openssl")
    folder = run_folder() / "pki"
    if not (folder / "expired.crt").exists():
        subprocess.run([HERE / "pki.sh", folder], check=True, capture_output=True, timeout=PATIENCE)
    return folder


def need(*programs):
    """Programs of the system that a test can't do without."""
    packages = dict(line.split() for line in (HERE / "needs").read_text().splitlines() if not line.startswith("#"))
    missing = [p for p in programs if not shutil.which(p)]
    if missing:
        raise Skip(f"not installed: apt-get install {' '.join(packages.get(p, p) for p in missing)}")


def only_root(does):
    """For tests of what the system lets nobody else do."""
    if os.geteuid() != 0:
        raise Skip(f"only root {does}: run it as root")


def look_inside():
    """The program lets nobody look into it: to a plain user strace tells system calls, but no file name and no address in them."""
    need("strace")
    only_root("may look into a process that forbids it")


def why_missing(tool):
    """What `tests/run` says of a tool that it could not bring."""
    said = Path(os.environ.get("TESTS_MISSING", "/nonexistent")) / tool
    return said.read_text().strip() if said.exists() else "`tests/run` brings it"


@functools.cache
def node():
    """Node, not older than what runs in it allows."""
    asked = "process.exit(URL.parse && parseInt(process.versions.node) >= 20 ? 0 : 1)"
    path = shutil.which("node")
    if not path or subprocess.run([path, "-e", asked], capture_output=True, timeout=PATIENCE).returncode != 0:
        raise Skip(f"no Node from 20 on that knows `URL.parse`: {why_missing('node')}")
    return path


def need_modules(folder):
    if not (HERE / folder / "node_modules").is_dir():
        raise Skip(f"`npm ci` has not run in tests/real/{folder}: {why_missing('npm')}")


# ---- the program, run ------------------------------------------------------------------------------------------------


@dataclass
class Ran:
    """A command that has ended."""

    argv: list
    code: int
    out: str
    err: str
    seconds: float

    def __str__(self):
        return (
            f"$ oauthctl {' '.join(self.argv)}\nexit code {self.code} after {self.seconds:.2f} s\n"
            f"stdout: {self.out.rstrip() or '(nothing)'}\nstderr: {self.err.rstrip() or '(nothing)'}"
        )

    def expect(self, code=0, out=None, err=None):
        """Checks the exit code, stdout and stderr (regular expressions found anywhere, several in a list)."""
        problems = []
        if self.code != code:
            problems.append(f"exit code {code} expected")
        for name, text, wanted in (("stdout", self.out, out), ("stderr", self.err, err)):
            for pattern in [wanted] if isinstance(wanted, str) else wanted or []:
                if not re.search(pattern, text, re.M | re.I):
                    problems.append(f"{name} should match `{pattern}`")
        if problems:
            raise Failed("; ".join(problems) + f"\n{self}")
        return self

    @property
    def token(self):
        """The one line of stdout."""
        check(self.out.endswith("\n") and self.out.count("\n") == 1 and len(self.out) > 1, f"one line on stdout expected\n{self}")
        return self.out[:-1]

    def json(self):
        try:
            return json.loads(self.out)
        except ValueError as error:
            raise Failed(f"JSON on stdout expected: {error}\n{self}") from error


def check(condition, why):
    if not condition:
        raise Failed(why() if callable(why) else why)


def same(seen, expected, what):
    check(seen == expected, f"{what}: {expected!r} expected, {seen!r} seen")


def wait_until(condition, what, seconds=PATIENCE, of=None):
    """The condition's first true value. `of`: the process that brings it about; once that has ended there is nothing to wait for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended = of is not None and of.poll() is not None
        if value := condition():
            return value
        check(not ended, lambda: f"{what} did not happen: the process ended with exit code {of.returncode}")
        time.sleep(0.02)
    raise Failed(f"{what} did not happen within {seconds} s")


def soon(seconds, act, tries=6):
    """The first run of `act()`, a `Ran`, that ended within so many seconds, and what the machine takes at that moment to start a
    program that does nothing, four times."""
    seen = []
    for _ in range(tries):
        ran = act()
        if ran.seconds <= seconds:
            return ran
        started = time.monotonic()
        subprocess.run([program(), "--version"], stdout=subprocess.DEVNULL, check=True, timeout=PATIENCE)
        beside = time.monotonic() - started
        if ran.seconds <= seconds + 4 * beside:
            return ran
        seen.append(f"{ran.seconds:.2f} s ({beside:.2f} s beside it)")
    raise Failed(f"{seconds} s at most expected, it took {', '.join(seen)}\n{ran}")


class Home:
    """A person's home with nothing in it: configuration, state, and an environment that holds only what a test puts there."""

    def __init__(self, test, folder):
        self._test = test
        self.folder = folder
        self.config = folder / "config"
        self.state = folder / "state"
        self.config.mkdir(parents=True)
        self.env = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / ".config"),
            "XDG_STATE_HOME": str(folder / ".local/state"),
            "XDG_DATA_HOME": str(folder / ".local/share"),
            "XDG_CACHE_HOME": str(folder / ".cache"),
            "OAUTHCTL_CONFIG_DIR": str(self.config),
            "OAUTHCTL_STATE_DIR": str(self.state),
        }

    def run(self, *argv, env=None, stdin=None, timeout=PATIENCE, under=()):
        """`oauthctl ARGV…` without a terminal, to its end. `env` adds variables, `None` takes one away; `under` is a command
        that runs it (`strace …`)."""
        process = self.start(*argv, env=env, stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL, under=under)
        return self.collect(process, *argv, timeout=timeout, stdin=stdin)

    def start(self, *argv, env=None, stdin=subprocess.DEVNULL, under=()):
        """The same, under way: a `Popen`."""
        process = subprocess.Popen(
            [*under, program(), *argv],
            env=self._environment(env),
            cwd=self.folder,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,  # what a test has read a line of is read on by `communicate`, which knows no buffer
        )
        process.began = time.time()
        self._test.ends(process)
        return process

    def collect(self, process, *argv, timeout=PATIENCE, stdin=None):
        """What became of a command that was started. One that waits for a browser that has died is not waited for."""
        started = time.monotonic()
        said = stdin.encode() if stdin is not None else None
        while True:
            try:
                out, err = process.communicate(said, 1)
                return Ran(list(argv), process.returncode, out.decode(), err.decode(), time.monotonic() - started)
            except subprocess.TimeoutExpired:
                said = None
                waited = time.monotonic() - started
                why = self._test.dead_browser(process.began) or waited > timeout and f"no end within {timeout} s"
            if why:
                process.kill()
                out, err = process.communicate()
                raise Failed(f"{why}\n{Ran(list(argv), -9, out.decode(), err.decode(), waited)}")

    def at_terminal(self, *argv, env=None):
        """The same at a terminal of its own."""
        return self._test.enter(Terminal([program(), *argv], self._environment({"TERM": "xterm", **(env or {})}), self.folder))

    def provider(self, name, text):
        """Writes a provider file of the person's own."""
        (self.config / "providers").mkdir(exist_ok=True)
        (self.config / "providers" / f"{name}.toml").write_text(text, encoding="utf-8")

    def secret_file(self, secret):
        path = self.folder / "client-secret"
        path.write_text(secret + "\n", encoding="utf-8")
        path.chmod(0o600)
        return str(path)

    def files(self):
        """Everything below the home, as text, for tests that look for what must not be there."""
        return {str(p): p.read_bytes() for p in self.folder.rglob("*") if p.is_file() and not p.is_symlink()}

    def _environment(self, more):
        env = {**self.env, **(more or {})}
        return {name: str(value) for name, value in env.items() if value is not None}


class Terminal:
    """A command at a pseudo-terminal, and what is on its screen so far."""

    def __init__(self, argv, env, cwd):
        self._argv, self._env, self._cwd = argv, env, cwd
        self.screen = ""
        self._seen = 0
        # whatever piece comes: half a character, or half the end of a line, waits for the other half
        self._text = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("replace"), translate=False)

    def __enter__(self):
        ours, theirs = pty.openpty()
        self._fd = ours

        def own_terminal():
            import fcntl
            import termios

            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            self._argv, env=self._env, cwd=self._cwd, stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=own_terminal
        )
        os.close(theirs)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._fd)

    def _read(self, seconds):
        """Whether anything more can come."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self._fd, 65536)
        except OSError:  # EIO: the other side has closed
            return False
        self.screen += self._text.decode(data).replace("\r\n", "\n")
        return bool(data)

    def expect(self, pattern, seconds=PATIENCE):
        """Waits until the pattern appears after what was expected before; its match."""
        end = time.monotonic() + seconds
        while True:
            if found := re.compile(pattern, re.M | re.I).search(self.screen, self._seen):
                self._seen = found.end()
                return found
            if time.monotonic() > end or not self._read(0.2) and self.process.poll() is not None:
                raise Failed(f"`{pattern}` did not appear on the terminal\n{self.screen}")

    def find(self, pattern, seconds=PATIENCE):
        """Waits until the pattern is anywhere on the screen, what was expected before included; its match."""
        self._seen = 0
        return self.expect(pattern, seconds)

    def type(self, line):
        os.write(self._fd, line.encode() + b"\n")

    def press(self, key):
        os.write(self._fd, key.encode())

    def end(self, seconds=PATIENCE):
        """Reads on until the command has ended; its exit code and all that was on the screen."""
        end = time.monotonic() + seconds
        while self._read(0.1):
            if time.monotonic() > end:
                raise Failed(f"no end within {seconds} s\n{self.screen}")
        code = self.process.wait(timeout=max(0.1, end - time.monotonic()))
        return Ran([*self._argv[1:]], code, "", self.screen, 0.0)


# ---- servers ---------------------------------------------------------------------------------------------------------


def fetch(url, data=None, method=None, headers=None):
    """Status and text of a plain request by the test itself."""
    request = urllib.request.Request(url, data, headers or {}, method=method)
    tls = ssl.create_default_context(cafile=str(pki() / "ca.crt")) if url.startswith("https:") else None
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE, context=tls) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class OidcProvider:
    """npm's `oidc-provider`, started: its two issuers, its log, its faults."""

    def __init__(self, http, https):
        self.http, self.https = http, https

    def access_ttl(self, seconds):
        """Access tokens live for so long, from the next one on."""
        fetch(f"{self.http}/test/access-ttl", json.dumps(seconds).encode())

    def log(self, path=None):
        entries = json.loads(fetch(f"{self.http}/test/log")[1])
        return [e for e in entries if path in (None, e["path"])]

    def forget_log(self):
        fetch(f"{self.http}/test/log", method="DELETE")

    def fault(self, path, **fault):
        status, text = fetch(f"{self.http}/test/faults", json.dumps({"path": path, **fault}).encode())
        check(status == 200, f"the fault was not taken: {text}")

    def token_requests(self, grant):
        """What reached the token endpoint for one grant, answered by the server or by a fault."""
        return [e for e in self.log("/token") if e.get("body", {}).get("grant_type") == grant or f"grant_type={grant}" in e.get("raw", "")]

    def alive(self, access_token, issuer=None):
        """Whether the server itself still takes the token."""
        return fetch(f"{issuer or self.http}/me", headers={"Authorization": f"Bearer {access_token}"})[0] == 200

    def provider_file(self, issuer=None, *, name="rig", auth="none", state_issuer=False, more=""):
        """The facts about this server, as a person would write them down: every address, and no discovery."""
        at = issuer or self.http
        said = f'issuer = "{at}"\n' if state_issuer else ""
        return f"""\
id = "{name}"
name = "the tests' own server"
{said}
[authorize]
url = "{at}/auth"
params = {{ prompt = "consent" }}

[token]
url = "{at}/token"
auth = ["{auth}"]

[revoke]
url = "{at}/token/revocation"
auth = ["{auth}"]

[scopes]
default = ["openid", "offline_access", "api:read"]

[api]
base-url = "{at}"

[whoami]
url = "{at}/me"
id = "sub"

[redirect]
path = "/callback"
{more}
"""


@dataclass
class Asked:
    """A request that a scripted server got."""

    method: str
    target: str
    headers: list
    body: str

    def header(self, name):
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    @property
    def form(self):
        return dict(urllib.parse.parse_qsl(self.body))

    @property
    def path(self):
        return self.target.split("?")[0]


def answer(status, body="", kind="application/json", **headers):
    """The bytes of an HTTP answer; a body that is no text is written as JSON."""
    if not isinstance(body, (str, bytes)):
        body = json.dumps(body)
    body = body if isinstance(body, bytes) else body.encode()
    more = "".join(f"{n.replace('_', '-')}: {v}\r\n" for n, v in headers.items())
    kind = f"Content-Type: {kind}\r\n" if kind else ""
    return f"HTTP/1.1 {status} x\r\n{kind}Content-Length: {len(body)}\r\n{more}Connection: close\r\n\r\n".encode() + body


class Scripted:
    """A server that does what a test says, byte by byte: `on[path]` is an answer's bytes, or a function of the request (and of
    the connection, if it takes two arguments) that returns them or has sent them itself."""

    def __init__(self, tls=None):
        self.on, self.requests, self.connections, self._tls = {}, [], 0, tls
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._socket.getsockname()[1]
        self.base = f"{'https' if tls else 'http'}://{'localhost' if tls else '127.0.0.1'}:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def to(self, path):
        return [r for r in self.requests if r.path == path]

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection):
        with contextlib.suppress(OSError, ValueError), connection:
            connection.settimeout(PATIENCE)
            if self._tls:
                connection = self._tls().wrap_socket(connection, server_side=True)
            file = connection.makefile("rb")
            method, target, _ = file.readline().decode("latin-1").split(" ", 2)
            headers = []
            while line := file.readline().decode("latin-1").strip():
                name, _, value = line.partition(":")
                headers.append((name.strip(), value.strip()))
            asked = Asked(method, target, headers, "")
            asked.body = file.read(int(asked.header("content-length") or 0)).decode("utf-8", "replace")
            self.requests.append(asked)
            do = self.on.get(asked.path, answer(404, {"message": "no such path"}))
            if callable(do):
                do = do(asked, connection) if len(inspect.signature(do).parameters) == 2 else do(asked)
            if do:
                connection.sendall(do)
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(1)
                while connection.recv(65536):
                    pass

    def provider_file(self, name="rig", more=""):
        return f"""\
id = "{name}"
name = "a server that follows a script"
authorize.url = "{self.base}/authorize"
token.url = "{self.base}/token"
token.auth = ["none", "basic"]
revoke.url = "{self.base}/revoke"
scopes.default = ["api"]
api.base-url = "{self.base}/v1"
redirect.path = "/callback"
{more}
"""


class Listening:
    """A login under way without a browser: where it listens, and what it sent the person to."""

    def __init__(self, home, *argv, **options):
        self.home, self.argv = home, ["login", *argv, "--no-browser"]
        self.process = home.start(*self.argv, **options)
        self.said, found = b"", None
        while not found:
            line = self.process.stderr.readline()
            check(line, lambda: f"no address was printed: {self.said.decode()}")
            self.said += line
            found = re.search(rb"https?://\S+/authorize\S*[?]\S*", self.said)
        self.url = found.group().decode()
        self.asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.url).query))
        self.redirect_uri = self.asked["redirect_uri"]
        self.state = self.asked["state"]
        parts = urllib.parse.urlsplit(self.redirect_uri)
        self.port, self.path = parts.port, parts.path
        self.sent = []  # requests that have left

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)

    def send(self, data):
        """Raw bytes; all that comes back."""
        with self.connect() as connection:
            connection.sendall(data)
            self.sent.append(data)
            got = b""
            with contextlib.suppress(ConnectionResetError):
                while part := connection.recv(65536):
                    got += part
        return got.decode()

    def get(self, query, path=None, headers=""):
        return self.send(f"GET {path or self.path}{'?' if query else ''}{query} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{headers}\r\n".encode())

    def redirect(self, code="the-code-of-the-test"):
        return self.get(urllib.parse.urlencode({"code": code, "state": self.state}))

    def is_closed(self):
        try:
            self.connect().close()
        except OSError:
            return True
        return False

    def end(self, timeout=PATIENCE):
        ran = self.home.collect(self.process, *self.argv, timeout=timeout)
        ran.err = self.said.decode() + ran.err
        return ran


@dataclass
class Keyring:
    """A keychain under its own session bus: the variables that lead to it."""

    env: dict
    daemon: int | None

    def alive(self):
        try:
            os.kill(self.daemon, 0)
        except ProcessLookupError:
            return False
        return True

    def _ask(self, *argv, said=""):
        env = {"PATH": os.environ["PATH"], **self.env}
        return subprocess.run(argv, env=env, input=said, capture_output=True, text=True, timeout=PATIENCE)

    def lookup(self, profile):
        """What `secret-tool` finds, or None."""
        found = self._ask("secret-tool", "lookup", "service", "oauthctl", "username", profile)
        return found.stdout if found.returncode == 0 else None

    def items(self, profile):
        """How many items the person would see for it in the system's own tool."""
        return self._ask("secret-tool", "search", "--all", "service", "oauthctl", "username", profile).stdout.count("[/")

    def put(self, profile, record):
        """Keeps what `lookup` found there, or nothing."""
        self._ask("secret-tool", "clear", "service", "oauthctl", "username", profile)
        if record is not None:
            self._ask("secret-tool", "store", "--label=oauthctl", "service", "oauthctl", "username", profile, said=record)

    def lock(self):
        """Locks the login collection, as a person does who leaves the desk."""
        service = "org.freedesktop.secrets"
        collection = "/org/freedesktop/secrets/collection/login"
        method = "org.freedesktop.Secret.Service.Lock"
        asked = self._ask("dbus-send", "--session", "--print-reply", f"--dest={service}", "/org/freedesktop/secrets", method, f"array:objpath:{collection}")
        check(asked.returncode == 0 and collection in asked.stdout, f"the keychain was not locked: {asked.stdout}{asked.stderr}")


class Test:
    """One test under way: what it may start, and the folder that it has to itself."""

    def __init__(self, name):
        self.name = name
        self.folder = Path(tempfile.mkdtemp(prefix=f"{name[:40]}-", dir=run_folder()))
        self._stack = contextlib.ExitStack()
        self._stack.callback(kernelkeys.end, kernelkeys.begin())
        self._homes = 0
        self._browsers = []

    def enter(self, context):
        return self._stack.enter_context(context)

    def close(self):
        self._stack.close()

    def ends(self, process):
        """Ends a process with the test."""

        def end():
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    with contextlib.suppress(OSError):
                        stream.close()

        self._stack.callback(end)

    def home(self, keyring=None, **env):
        """A fresh home; with a keyring's variables if there is one, else on a machine that has no session bus."""
        self._homes += 1
        home = Home(self, self.folder / f"home{self._homes}")
        home.env.update(keyring.env if keyring else {})
        home.env.update(env)
        return home

    def _log(self, name):
        file = open(self.folder / name, "ab")  # noqa: SIM115 - closed with the test
        self._stack.callback(file.close)
        return file

    # -- servers

    def oidc_provider(self, https=False, certificate="server", **settings):
        program = node()
        need_modules("oidc-provider")
        env = {"PATH": os.environ["PATH"], **{name.upper(): str(value) for name, value in settings.items()}}
        if https:
            env |= {"PKI": str(pki()), "CERTIFICATE": certificate}
        process = subprocess.Popen(
            [program, "server.mjs"],
            cwd=HERE / "oidc-provider",
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log("oidc-provider.log"),
        )
        self.ends(process)
        line = first_line(process, r"^READY ", "oidc-provider", self.folder / "oidc-provider.log")
        issuers = json.loads(line.removeprefix("READY "))
        return OidcProvider(issuers["http"], issuers.get("https"))

    def scripted(self, tls=None):
        """A server that follows a script; `tls` makes the context of each connection."""
        server = Scripted(tls)
        self._stack.callback(server.close)
        return server

    def nginx(self, locations, certificate="server", listen="ssl", http="", name="nginx"):
        """nginx with TLS on a port of its own; `locations` and `http` are nginx's own configuration, `listen` may add `http2`, or
        be empty for no TLS. Its base address."""
        need("nginx")
        folder = self.folder / name
        folder.mkdir()
        port = free_port()
        (folder / "nginx.conf").write_text(
            f"""\
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log {folder}/access.log; default_type application/json;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi; {http}
  server {{
    listen 127.0.0.1:{port} {listen}; server_name localhost;
    ssl_certificate {pki()}/{certificate}.crt; ssl_certificate_key {pki()}/{certificate}.key;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets off;
    {locations}
  }}
}}
""",
            encoding="utf-8",
        )
        process = subprocess.Popen(
            ["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._log(f"{name}.log"),
        )
        self.ends(process)
        wait_until(lambda: answers(port), f"nginx's start (its words: {folder / 'error.log'})", of=process)
        return f"https://localhost:{port}"

    def practice(self, home, manners, *flags):
        """The program's own practice server with one provider's manners, which the built-in name stands for in this home. Its
        address."""
        process = home.start("sandbox", "serve", "--as", manners, *flags)
        text = first_block(process, "the practice server")
        home.provider(manners, text)
        return url_in(text)

    # -- keychains

    def keyring(self, mode=None):
        """A keychain as `with-keyring.sh` makes it: unlocked, or `locked`, `absent`, `no-bus`."""
        if mode != "no-bus":
            need("dbus-daemon", "dbus-send")
        if mode in (None, "locked"):
            need("gnome-keyring-daemon", "secret-tool")
        inside = self._inside("keyring", [HERE / "with-keyring.sh", *([f"--{mode}"] if mode else []), "--"])
        env = {name: inside[name] for name in ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR") if name in inside}
        return Keyring(env, owner_of_secrets(env) if mode in (None, "locked") else None)

    def password_store(self):
        """The variables of a password store as `with-pass.sh` makes it."""
        need("pass", "gpg", "docker-credential-pass")
        inside = self._inside("pass", [HERE / "with-pass.sh"])
        return {name: inside[name] for name in ("GNUPGHOME", "PASSWORD_STORE_DIR")}

    def _inside(self, what, script):
        """The variables that a script gives to a command, which runs until the test ends."""
        say = "import json,os,sys; print(json.dumps(dict(os.environ)), flush=True); sys.stdin.read()"
        process = subprocess.Popen(
            [*script, PYTHON, "-c", say],
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "TMPDIR": str(run_folder())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log(f"{what}.log"),
        )

        def end():
            process.stdin.close()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.terminate()
                process.wait(PATIENCE)
            process.stdout.close()

        self._stack.callback(end)
        return json.loads(first_line(process, r"^\{", what, self.folder / f"{what}.log"))

    # -- browsers

    def browser(self, **settings):
        """A program for `BROWSER`: the robot with these settings, detached as a browser is. `.log()` tells what it did."""
        return self._person(Browser(self.folder, "robot", [PYTHON, HERE / "robot" / "robot.py"], settings))

    def chromium(self, **settings):
        """The same with headless Chromium."""
        program = node()
        need_modules("robot")
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
        if not chromium:
            need("chromium")
        need("certutil")
        return self._person(Browser(self.folder, "chromium", [program, HERE / "robot" / "chromium.mjs"], {"CHROMIUM": chromium, **settings}))

    def _person(self, browser):
        self._browsers.append(browser)
        return browser

    def dead_browser(self, since):
        """What a browser said that has failed since then, if one has: nobody else goes where a login waits."""
        return next((said for browser in self._browsers if (said := browser.failed(since))), None)

    def no_browser(self):
        """A browser that leaves a mark: a test that ends with it has opened one where none may be opened."""
        return Browser(self.folder, "nobody", ["/bin/true"], {})


class Browser:
    """A script of its own per browser: the program under test may start it with an environment cut short."""

    def __init__(self, folder, name, argv, settings):
        number = len(list(folder.glob("browser*.sh")))
        self.program = folder / f"browser{number}-{name}.sh"
        self._log = folder / f"browser{number}.log"
        self._opened = folder / f"browser{number}.opened"
        self._said = folder / f"browser{number}.out"
        self._ended = folder / f"browser{number}.ended"  # its exit code, when it has ended
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "ROBOT_LOG": self._log,
            "ROBOT_CA": pki() / "ca.crt",
            **{(k if k.isupper() else f"ROBOT_{k.upper()}"): v for k, v in settings.items()},
        }
        exports = "".join(f"export {k}={quoted(v)}\n" for k, v in variables.items())
        command = " ".join(quoted(a) for a in argv)
        self.program.write_text(
            f"#!/bin/bash\n{exports}if [ \"$1\" = --detached ]; then\n  shift\n  {command} \"$@\"\n  echo $? > {quoted(self._ended)}\n"
            f"else\n  printf '%s\\n' \"$@\" >> {quoted(self._opened)}\n"
            f"  setsid -f \"$0\" --detached \"$@\" </dev/null >>{quoted(self._said)} 2>&1\nfi\n",
            encoding="utf-8",
        )
        self.program.chmod(0o700)

    def __str__(self):
        return str(self.program)

    def opened(self):
        """The arguments it was given, one after the other."""
        return self._opened.read_text().splitlines() if self._opened.exists() else []

    def failed(self, since=0):
        """What it said, if it has failed since then, and some seconds ago: whom it has reached may be at work still."""
        with contextlib.suppress(FileNotFoundError):
            ended, code = self._ended.stat().st_mtime, self._ended.read_text().strip()
            if code not in ("", "0") and since <= ended < time.time() - 5:
                return f"the browser ended with exit code {code}: {self._said.read_text(errors='replace').strip()[-600:]}"
        return None

    def log(self):
        return [json.loads(line) for line in self._log.read_text().splitlines()] if self._log.exists() else []

    def said(self, seconds=PATIENCE):
        """The words of the page on which the login ended."""

        def says():
            check(not (why := self.failed()), why)
            return [step["says"] for step in self.log() if "says" in step]

        return wait_until(says, "the browser's arrival at the last page", seconds)[-1]


def show_redirect(url, **settings):
    """Walks through login and consent, and returns the address of the redirect instead of going there."""
    env = {"PATH": os.environ["PATH"], "ROBOT_DELIVER": "show", "ROBOT_CA": str(pki() / "ca.crt")}
    env |= {f"ROBOT_{k.upper()}": str(v) for k, v in settings.items()}
    walked = subprocess.run([PYTHON, HERE / "robot" / "robot.py", url], env=env, capture_output=True, text=True, timeout=PATIENCE)
    check(walked.returncode == 0, f"the robot got no redirect from {url}: {walked.stderr}")
    return walked.stdout.strip()


# ---- small things ----------------------------------------------------------------------------------------------------


def quoted(value):
    return "'" + str(value).replace("'", "'\\''") + "'"


@functools.cache
def unassigned_ports():
    """Ports that the system gives to nobody by itself, in no order, every second one (OpenBao takes the next one too)."""
    try:
        low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    except OSError:
        low, high = 32768, 65535
    ports = [p for p in range(10_000, 65_534, 2) if not low - 1 <= p <= high]
    random.shuffle(ports)
    return iter(ports or random.sample(range(10_000, 65_534, 2), 20_000))


def free_port():
    """A port for somebody who has to be told one. Nobody else gets it in between: not from the system, not from here."""
    for port in unassigned_ports():
        with socket.socket() as s:
            # a process under way to its program holds a copy of this socket for a moment: the port is to be had all the same
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                s.bind(("127.0.0.1", port))
                return port
    raise Failed("no port is free")


@contextlib.contextmanager
def dead_port():
    """A port on which nobody listens, and on which nobody will while this lasts."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        yield s.getsockname()[1]


def answers(port):
    with socket.socket() as s:
        s.settimeout(0.5)
        return s.connect_ex(("127.0.0.1", port)) == 0


def first_line(process, pattern, what, log, seconds=PATIENCE):
    """The first line of a server's stdout that fits. One that ends before it is a failure at once: what it needs was looked at."""
    found = []

    def read():
        for line in process.stdout:
            if re.search(pattern, line.decode()):
                found.append(line.decode().strip())
                return

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    end = time.monotonic() + seconds
    while reader.is_alive() and process.poll() is None and time.monotonic() < end:
        reader.join(0.1)
    reader.join(1)  # what it said at last may still be on its way
    if not found:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)
        code = process.returncode
        how = f"said nothing for {seconds} s" if code is None else f"ended with exit code {code}"
        raise Failed(f"{what} {how}\n{log.read_text(errors='replace').strip()[-600:]}")
    return found[0]


def first_block(process, what, seconds=PATIENCE):
    """What a process writes to stdout in one go."""
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    text = os.read(process.stdout.fileno(), 65536).decode() if ready else ""
    check(text, f"{what} said nothing")
    return text


def owner_of_secrets(env):
    """The process that answers for the Secret Service on this bus."""
    asked = subprocess.run(
        ["dbus-send", "--session", "--print-reply=literal", "--dest=org.freedesktop.DBus", "/",
         "org.freedesktop.DBus.GetConnectionUnixProcessID", "string:org.freedesktop.secrets"],
        env={"PATH": os.environ["PATH"], **env}, capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    return int(asked.stdout.split()[-1])


def claims(jwt):
    """The claims of a JWT, unchecked."""
    return part_of(jwt, 1)


def header(jwt):
    return part_of(jwt, 0)


def part_of(jwt, number):
    part = jwt.split(".")[number]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def enter_device_code(home, *argv, **options):
    """A login by device code that a person ends elsewhere; what became of it."""
    login = home.start("login", *argv, "--grant", "device-code", **options)
    said = b""
    while not (found := re.search(rb"with the code in it:\s+(\S+)", said)):
        line = login.stderr.readline()
        check(line, lambda: f"no address was printed: {said.decode()}")
        said += line
    robot = [sys.executable, HERE / "robot" / "robot.py", found[1].decode()]
    subprocess.run(robot, capture_output=True, timeout=PATIENCE, check=False)
    ran = home.collect(login, "login", *argv)
    ran.err = said.decode() + ran.err
    return ran


def redirect_uri(authorize_url):
    return urllib.parse.parse_qs(urllib.parse.urlsplit(authorize_url).query)["redirect_uri"][0]


def url_in(text, start="http"):
    """The first address in a text that begins so."""
    found = re.search(re.escape(start) + r"[^\s\"'<>]*", text)
    check(found, f"no address beginning with {start} in: {text}")
    return found.group()


def parallel(count, at_once, job):
    """Runs `job(number)` `count` times, `at_once` at a time; the results in order."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(job, range(count)))


# ---- running them ----------------------------------------------------------------------------------------------------


def test(function):
    """Marks a test. Its name is its statement."""
    function.is_test = True
    return function


def shows(*features, at="oidc-provider", missing=False):
    """Marks what a test proves of which authorization server: the lines of the table that `tests/real/table` makes. A feature is
    `topic: name`. `missing`: the server hasn't got it, and that is what the test shows we say."""

    def mark(function):
        verdict = "missing" if missing else "yes"
        function.shows = [*getattr(function, "shows", []), *((at, feature, verdict) for feature in features)]
        return function

    return mark


def note(function, outcome):
    """What a marked test came to, for the table: nothing of it is printed here."""
    if path := os.environ.get("TESTS_LINES"):
        with open(path, "a", encoding="utf-8") as file:
            for server, feature, verdict in getattr(function, "shows", []):
                file.write(f"shown | {server} | {feature} | {verdict if outcome == 'ok' else outcome}\n")


def say(line, details=()):
    """One test's line, for the reader and for the sum that `tests/run` makes; the reader gets the details too, in one piece, since
    another part may be speaking."""
    print("\n".join([line, *details]), flush=True)
    if path := os.environ.get("TESTS_LINES"):
        with open(path, "a", encoding="utf-8") as file:
            file.write(line + "\n")


def main(names):
    """Runs the tests of a file, in order, or those whose names hold one of the arguments; one line each; 1 if any failed."""
    part = Path(names["__file__"]).stem
    tests = [f for f in names.values() if inspect.isfunction(f) and getattr(f, "is_test", False)]
    if wanted := sys.argv[1:]:
        tests = [f for f in tests if any(w.replace(" ", "_") in f.__name__ for w in wanted)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # a shell starts what runs in the background with Ctrl-C ignored, and so would everything started from here
    signal.signal(signal.SIGINT, signal.default_int_handler)
    failed = False
    for function in tests:
        failed = not run_test(f"{part}: {function.__name__.replace('_', ' ')}", function) or failed
    if failed:
        atexit.unregister(remove)
    sys.exit(1 if failed else 0)


def run_test(name, function):
    """Runs one test and says how it ended; whether it may be called passed."""
    started = time.monotonic()
    under_way = Test(function.__name__)
    try:
        try:
            function(under_way)
        finally:
            under_way.close()
        remove(under_way.folder)
        note(function, "ok")
        say(f"ok {name} ({time.monotonic() - started:.1f} s)")
        return True
    except Skip as skip:
        remove(under_way.folder)
        note(function, "skipped")
        say(f"skip {name} — {skip}")
        return True
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this test's failure
        first, _, rest = str(error).partition("\n")
        if not isinstance(error, Failed):
            rest = traceback.format_exc()
        note(function, "FAILED")
        details = [f"    {line}" for line in [*rest.splitlines(), f"its files: {under_way.folder}"]]
        say(f"not ok {name} — {first or type(error).__name__}", details)
        return False

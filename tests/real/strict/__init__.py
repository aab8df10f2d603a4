"""A token server on loopback whose manners a test chooses, and that tells what came in; and a starting gate for a crowd.

Three manners with a refresh token: `none` (it never changes), `grace` (it changes, and its predecessor is honoured for a while),
`strict` (good once; a second use ends the whole login). The server is threads of the test itself, so that a test can look at
its log, and set it back to an earlier state, without a word over the wire.
"""

import contextlib
import copy
import json
import os
import resource
import shutil
import socket
import socketserver
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

import rig
from rig import check

GRACE = 30
LONGEST = 20  # bytes a token's number is padded to, so that a piece of one is found by searching


@dataclass
class Login:
    """One grant of the server's: all refresh tokens that came of it, the newest last."""

    tokens: list
    access: list
    alive: bool = True
    spent_at: dict = field(default_factory=dict)


class Server:
    """Settings may be changed at any time; each request looks at them when it comes."""

    def __init__(self, manner="strict"):
        self.manner = manner
        self.expires_in = 1
        self.padding = 0  # more bytes of an access token
        self.before = 0.0  # seconds until the server acts
        self._held = threading.Event()  # whether it may act on a renewal
        self._held.set()
        self.after = 0.0  # seconds from then to the answer
        self.answer = None  # (status, headers, body) instead of the server's own
        self.closes = False  # ends each connection with its answer
        self.secrets = None  # the client secrets that it takes; None: a client has none
        self.silent = False  # takes the request and never answers
        self.api_refuses_before = 0  # the API answers 401 to access tokens below this number
        self.logins = {}
        self.clients = {}  # registered ones: what the server answered last
        self.number = 0
        self.log = []
        self.reuses = 0
        self.connections = 0
        self._lock = threading.Lock()
        self._codes = {}
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            timeout = 120

            def handle(self):
                with contextlib.suppress(OSError, ValueError):
                    outer._serve(self)

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 2048

        self._listen = lambda port: Listener(("127.0.0.1", port), Handler)
        self._start(0)
        self.port = self._listener.server_address[1]

    def _start(self, port):
        self._listener = self._listen(port)
        threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True).start()

    def _stop(self):
        self._listener.shutdown()
        self._listener.server_close()

    def close(self):
        self.let_go()
        self._stop()

    @contextlib.contextmanager
    def away(self):
        """Nobody listens at its port, and nobody else will."""
        self._stop()
        with socket.socket() as port:
            port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            port.bind(("127.0.0.1", self.port))
            yield
        self._start(self.port)

    # -- what a test asks

    def hold(self):
        """No renewal is acted upon before `let_go`."""
        self._held.clear()

    def let_go(self):
        self._held.set()

    def refreshes(self):
        """The requests to renew: `{"token", "outcome"}`."""
        with self._lock:
            return [e for e in self.log if e["grant"] == "refresh_token"]

    def forget(self):
        with self._lock:
            self.log.clear()
            self.reuses = self.connections = 0

    def state(self):
        with self._lock:
            return copy.deepcopy((self.logins, self.clients, self.number, self._codes))

    def restore(self, state):
        with self._lock:
            self.logins, self.clients, self.number, self._codes = copy.deepcopy(state)
            self.log.clear()
            self.reuses = self.connections = 0

    def good(self, access):
        """Whether the server gave this access token, and the login that it belongs to is alive."""
        with self._lock:
            return any(access in login.access and login.alive for login in self.logins.values())

    def newest(self):
        """The newest access token of all."""
        with self._lock:
            return max((a for login in self.logins.values() for a in login.access), default=None)

    def provider_file(self, name="strict", rotates=None):
        rotates = rotates or ("no" if self.manner == "none" else "yes")
        at = f"http://127.0.0.1:{self.port}"
        return f"""\
id = "{name}"
name = "the tests' strict server"
client-id = "a-client"

[authorize]
url = "{at}/authorize"

[token]
url = "{at}/token"
auth = ["{"none" if self.secrets is None else "post"}"]

[scopes]
default = ["a", "b"]

[refresh]
rotates = "{rotates}"

[revoke]
url = "{at}/revoke"
auth = ["none"]

[api]
base-url = "{at}/api"

[redirect]
path = "/callback"
"""

    # -- what a client meets

    def _serve(self, handler):
        with self._lock:
            self.connections += 1
        line = handler.rfile.readline(65536).decode("latin-1")
        if not line:
            return
        method, target, _ = line.split(" ", 2)
        headers = {}
        while (line := handler.rfile.readline(65536).decode("latin-1").strip()):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = handler.rfile.read(int(headers.get("content-length", 0))).decode()
        url = urllib.parse.urlsplit(target)
        asked = dict(urllib.parse.parse_qsl(body if method == "POST" else url.query))
        if url.path.startswith("/register"):
            status, more, text = self._registration(method, url.path.removeprefix("/register").lstrip("/"), headers, body)
        else:
            status, more, text = self._answer(url.path, asked, headers, body)
        if status is None:
            with contextlib.suppress(OSError):
                handler.connection.settimeout(120)
                handler.connection.recv(1)  # until the client gives up
            return
        data = text.encode()
        head = f"HTTP/1.1 {status} Whatever\r\nContent-Length: {len(data)}\r\n{'Connection: close' if self.closes else 'Keep-Alive: timeout=60'}\r\n"
        head += "".join(f"{n}: {v}\r\n" for n, v in {"Content-Type": "application/json", **more}.items())
        handler.wfile.write(head.encode() + b"\r\n" + data)
        if not self.closes:
            with contextlib.suppress(OSError):
                handler.connection.recv(1)  # as most servers do: the client closes

    def _answer(self, path, asked, headers, body):
        if path == "/authorize":
            with self._lock:
                code = self._next("code")
                self._codes[code] = True
            query = urllib.parse.urlencode({"code": code, "state": asked.get("state", "")})
            return 302, {"Location": f"{asked['redirect_uri']}?{query}"}, ""
        if path == "/.well-known/openid-configuration":
            at = f"http://127.0.0.1:{self.port}"
            places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "registration_endpoint": "register"}
            document = {"issuer": at, "token_endpoint_auth_methods_supported": ["none"]}
            return 200, {}, json.dumps(document | {name: f"{at}/{path}" for name, path in places.items()})
        if path == "/revoke":
            with self._lock:
                self.log.append({"grant": "revoke", "token": asked.get("token")})
                for login in self.logins.values():
                    if asked.get("token") in login.tokens + login.access:
                        login.alive = False
            return 200, {}, ""
        if path.startswith("/api"):
            token = headers.get("authorization", "").removeprefix("Bearer ")
            if not self.good(token) or int(token.rsplit("-", 1)[-1]) < self.api_refuses_before:
                return 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'}, '{"error":"invalid_token"}'
            return 200, {}, json.dumps({"token": token})
        if path != "/token":
            return 404, {}, "{}"
        time.sleep(self.before)
        if asked.get("grant_type") == "refresh_token":
            self._held.wait(rig.PATIENCE)
        with self._lock:
            entry = {"grant": asked.get("grant_type"), "token": asked.get("refresh_token"), "at": time.monotonic()}
            self.log.append(entry)
            if self.silent:
                entry["outcome"] = "silence"
                return None, {}, ""
            if self.answer:
                entry["outcome"] = "told"
                return self.answer
            status, answer = self._token(asked, entry)
        time.sleep(self.after)
        return status, {"Cache-Control": "no-store"}, json.dumps(answer)

    def _registration(self, method, name, headers, body):
        """RFC 7591, RFC 7592: each answer has a new secret and a new access token, and ends those of before."""
        with self._lock:
            known = self.clients.get(name)
            if method != "POST" and (not known or headers.get("authorization") != f"Bearer {known['registration_access_token']}"):
                return 401, {}, '{"error":"invalid_token"}'
            if method == "DELETE":
                del self.clients[name]
                return 204, {}, ""
            name = name or self._next("client")
            self.clients[name] = {
                **(json.loads(body) if body else known),
                "client_id": name,
                "client_secret": self._next("secret"),
                "registration_access_token": self._next("manage"),
                "registration_client_uri": f"http://127.0.0.1:{self.port}/register/{name}",
            }
            return 201 if method == "POST" else 200, {}, json.dumps(self.clients[name])

    def _next(self, kind):
        self.number += 1
        return f"{kind}-of-the-tests-{self.number:0{LONGEST}d}"

    def _token(self, asked, entry):
        if self.secrets is not None and asked.get("client_secret") not in self.secrets:
            entry["outcome"] = "wrong client"
            return 401, {"error": "invalid_client"}
        if asked.get("grant_type") == "authorization_code":
            if not self._codes.pop(asked.get("code"), None):
                entry["outcome"] = "refused"
                return 400, {"error": "invalid_grant"}
            login = Login([self._next("refresh")], [])
            self.logins[login.tokens[0]] = login
            entry["outcome"] = "login"
            return 200, self._set(login)
        token = asked.get("refresh_token")
        login = next((g for g in self.logins.values() if token in g.tokens), None)
        now = time.monotonic()
        if login is None or not login.alive:
            entry["outcome"] = "dead"
            return 400, {"error": "invalid_grant", "error_description": "no such login"}
        if self.manner == "none":
            entry["outcome"] = "renewed"
            return 200, self._set(login)
        newest = token == login.tokens[-1]
        in_grace = self.manner == "grace" and token in login.tokens[-2:] and now - login.spent_at.get(token, now) < GRACE
        if not newest and not in_grace:
            login.alive = False
            self.reuses += 1
            entry["outcome"] = "reuse"
            return 400, {"error": "invalid_grant", "error_description": "used before: the whole login has ended"}
        if newest:
            login.spent_at[token] = now
            login.tokens.append(self._next("refresh"))
        entry["outcome"] = "renewed"
        return 200, self._set(login)

    def _set(self, login):
        login.access.append(self._next("access") + "x" * self.padding)
        answer = {"access_token": login.access[-1], "token_type": "Bearer", "refresh_token": login.tokens[-1]}
        if self.expires_in is not None:
            answer["expires_in"] = self.expires_in
        return answer


def serve(t, manner="strict", **settings):
    server = Server(manner)
    for name, value in settings.items():
        setattr(server, name, value)
    t._stack.callback(server.close)
    return server


def browser(t):
    """A browser that only follows redirects."""
    rig.need("curl")
    script = t.folder / "follows.sh"
    script.write_text('#!/bin/sh\nsetsid -f curl -sL --max-time 90 -o /dev/null "$1" </dev/null >/dev/null 2>&1\n', encoding="utf-8")
    script.chmod(0o700)
    return script


def logged_in(t, server, keyring=None, **env):
    """A home with a login at this server, in the `file` store unless there is a keyring."""
    home = t.home(keyring, **({} if keyring else {"OAUTHCTL_STORE": "file"}), **env)
    home.provider("strict", server.provider_file())
    home.run("login", "strict", env={"BROWSER": browser(t)}).expect(0)
    return home


def stale(server, lifetime=3600):
    """What was given out has expired; what is given out from now on lives long."""
    time.sleep(1.05)
    server.expires_in = lifetime
    server.forget()


# ---- a crowd ---------------------------------------------------------------------------------------------------------


@dataclass
class Crowd:
    codes: list
    outputs: list
    errors: list
    seconds: float
    last: list  # seconds until each had ended
    load: float

    def tally(self):
        return {c: self.codes.count(c) for c in sorted(set(self.codes))}

    def errors_of(self, code):
        return next((e for c, e in zip(self.codes, self.errors, strict=True) if c == code), "")


def waiting_for_locks(pids):
    """How many of the processes the kernel keeps waiting for a file's lock."""
    pids = {str(pid) for pid in pids}
    with open("/proc/locks", encoding="ascii") as file:
        return len({fields[5] for line in file if (fields := line.split())[1] == "->"} & pids)


def crowd(t, home, count, *argv, env=None, timeout=240, gathered=None):
    """`count` processes that wait at a gate and are let go together: shells that become the program when a pipe closes.
    `gathered` is called when all but one of them wait for a lock."""
    folder = t.folder / f"crowd{time.monotonic_ns()}"
    folder.mkdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    check(soft == resource.RLIM_INFINITY or soft > count + 200, f"only {soft} processes allowed here")
    gate, opened = os.pipe()
    variables = home._environment(env)
    command = 'read -r _; exec "$@" </dev/null'
    pids = {}
    try:
        for number in range(count):
            out = os.open(folder / f"{number}.out", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            err = os.open(folder / f"{number}.err", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            actions = [(os.POSIX_SPAWN_DUP2, gate, 0), (os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, err, 2)]
            pid = os.posix_spawn("/bin/sh", ["sh", "-c", command, "sh", rig.program(), *argv], variables, file_actions=actions)
            pids[pid] = number
            os.close(out)
            os.close(err)
        time.sleep(0.5)
        load = os.getloadavg()[0]
        started = time.monotonic()
        os.close(opened)
        opened = None
        codes, last = [None] * count, [None] * count
        while pids:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid in pids:
                number = pids.pop(pid)
                codes[number] = os.waitstatus_to_exitcode(status)
                last[number] = time.monotonic() - started
            elif pid == 0:
                if gathered and waiting_for_locks(pids) >= count - 1:
                    gathered()
                    gathered = None
                check(time.monotonic() - started < timeout, f"{len(pids)} of {count} have not ended after {timeout} s")
                time.sleep(0.002)
        seconds = time.monotonic() - started
    finally:
        if opened is not None:
            os.close(opened)
        os.close(gate)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
    read = lambda kind: [(folder / f"{n}.{kind}").read_text(errors="replace") for n in range(count)]
    result = Crowd(codes, read("out"), read("err"), seconds, last, load)
    shutil.rmtree(folder)
    return result


def figure(text):
    """A measured figure, for the reader of the run."""
    print(f"    figure: {text}", flush=True)


def copy_home(home, into):
    """The state folder as it is now, to be put back by `put_back`."""
    shutil.rmtree(into, ignore_errors=True)
    shutil.copytree(home.state, into)
    return into


def put_back(home, saved):
    """The store's folder stays the same one: the kernel's copies are named by it, and a user may have few of them."""
    store = home.state / "store"
    for path in [*home.state.glob("*"), *store.glob("*")]:
        if path.is_symlink() or not path.is_dir():
            path.unlink()
        elif path != store:
            shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(saved, home.state, dirs_exist_ok=True)


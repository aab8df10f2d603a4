#!/usr/bin/env python3
"""`proxy`, and what `run` keeps while its command runs, against real servers: whose requests pass, what goes along with them, and
that nothing is left behind."""

import concurrent.futures
import contextlib
import hashlib
import http.client
import json
import os
import re
import signal
import socket
import socketserver
import subprocess
import threading
import time
import urllib.parse

import rig
import strict
from rig import check, same, test


class Api:
    """An API that says what came; it takes the token that `who` lets in."""

    def __init__(self, t, who=lambda token: True):
        self.who, self.seen = who, []
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            timeout = rig.PATIENCE

            def handle(self):
                with contextlib.suppress(OSError, ValueError):
                    while outer._one(self):
                        pass

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 512

        self.listener = Listener(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.listener.server_address[1]}/v1"
        threading.Thread(target=self.listener.serve_forever, args=(0.02,), daemon=True).start()
        t._stack.callback(self.close)

    def close(self):
        self.listener.shutdown()
        self.listener.server_close()

    def _one(self, handler):
        line = handler.rfile.readline(65536).decode("latin-1")
        if not line:
            return False
        method, target, _ = line.split(" ", 2)
        headers = {}
        while (line := handler.rfile.readline(65536).decode("latin-1").strip()):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        seen = {"method": method, "target": target, "headers": headers}
        self.seen.append(seen)
        if "upgrade" in headers:
            handler.wfile.write(f"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: {headers['upgrade']}\r\n\r\n".encode())
            while part := handler.connection.recv(4096):
                handler.wfile.write(b"back " + part)
            return False
        digest, length = hashlib.sha256(), 0
        for part in body_of(handler.rfile, headers):
            digest.update(part)
            length += len(part)
        seen |= {"length": length, "sha256": digest.hexdigest()}
        if not self.who(headers.get("authorization", "").partition(" ")[2]):
            return self._answer(handler, 401, b'{"error":"invalid_token"}', "WWW-Authenticate: Bearer error=\"invalid_token\"")
        if target == "/v1/events":
            handler.wfile.write(b"HTTP/1.1 200 Yes\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            for n in range(3):
                handler.wfile.write(b"9\r\ndata: %d\n\n\r\n" % n)
                time.sleep(0.4)
            handler.wfile.write(b"0\r\n\r\n")
            return True
        if target.startswith("/v1/moved"):
            query = target.partition("?")[2]
            return self._answer(handler, 302, b"", f"Location: /v1/there?{query}\r\nLink: <{self.base}/x?{query}&page=2>; rel=next\r\nX-Echo: {query}")
        if target == "/v1/busy":
            return self._answer(handler, 429, b"{}", "Retry-After: 3")
        if target.startswith("/v1/changes"):
            return self._answer(handler, 101, b"", "Upgrade: echo")
        if target == "/v1/large":
            handler.wfile.write(b"HTTP/1.1 200 Yes\r\nContent-Length: %d\r\n\r\n" % (200 << 20))
            for _ in range(200):
                handler.wfile.write(bytes(1 << 20))
            return True
        return self._answer(handler, 200, json.dumps(seen).encode(), "Set-Cookie: a=b")

    def _answer(self, handler, status, body, header):
        head = f"HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{header}\r\n\r\n"
        handler.wfile.write(head.encode() + body)
        return True


def body_of(file, headers):
    if "chunked" in headers.get("transfer-encoding", ""):
        while size := int(file.readline(), 16):
            yield file.read(size)
            file.readline()
        file.readline()
        return
    left = int(headers.get("content-length", 0))
    while left > 0:
        part = file.read(min(left, 1 << 20))
        if not part:
            return
        left -= len(part)
        yield part


def at_api(home, server, api, more=""):
    """The login's provider has its API there from now on."""
    text = server.provider_file()
    home.provider("strict", text.replace(re.search('base-url = "[^"]*"', text)[0], f'base-url = "{api.base}"{more}'))


def signed_in(t, lifetime=3600, **settings):
    server = strict.serve(t, expires_in=lifetime, **settings)
    home = t.home(OAUTHCTL_STORE="file")
    api = Api(t, lambda token: token == server.newest())
    at_api(home, server, api)
    home.run("login", "strict", env={"BROWSER": strict.browser(t)}).expect(0)
    server.forget()
    return server, home, api


class Proxy:
    """`oauthctl proxy` under way."""

    def __init__(self, t, home, *argv, **options):
        self.home, self.argv = home, ["proxy", *argv]
        self.process = home.start(*self.argv, **options)
        self.address = rig.first_block(self.process, "the proxy").strip()
        self.url = urllib.parse.urlsplit(self.address)

    def ask(self, path="/x", method="GET", body=None, host=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.url.port, timeout=rig.PATIENCE)
        with contextlib.closing(connection):
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, self.url.path + path, body, ({"Host": host} if host else {}) | headers)
            response = connection.getresponse()
            return response.status, response.read(), response.headers

    def raw(self):
        return socket.create_connection(("127.0.0.1", self.url.port), rig.PATIENCE)

    def end(self):
        self.process.send_signal(signal.SIGINT)
        return self.home.collect(self.process, *self.argv)


@test
def a_request_goes_on_with_the_token_and_without_what_is_not_the_apis(t):
    server, home, api = signed_in(t)
    at_api(home, server, api, '\nheaders = { X-App = "mine" }\nquery = { version = "7" }')
    proxy = Proxy(t, home, "strict")
    sent = {"Cookie": "session=of-another-program", "Referer": proxy.address, "Authorization": "Bearer of-the-client", "X_Own": "1"}
    status, body, headers = proxy.ask("/a%20b/c?d=e%2Ff", "PUT", b"x" * 100, **sent)
    same(status, 200, "status")
    seen = json.loads(body)
    same((seen["method"], seen["target"], seen["length"]), ("PUT", "/v1/a%20b/c?d=e%2Ff&version=7", 100), "request")
    came = seen["headers"]
    same((came["authorization"], came["x-own"], came["x-app"]), (f"Bearer {server.newest()}", "1", "mine"), "headers")
    check(not {"cookie", "referer", "origin"} & set(came) and proxy.url.path.strip("/") not in body.decode(), f"{came}")
    same((headers["Set-Cookie"], headers["Content-Security-Policy"]), (None, "sandbox"), "what a browser would take")
    headers = proxy.ask("/moved?a=b")[2]
    same(headers["Location"], f"{proxy.address}/there?a=b&version=7", "a redirect within the API")
    same(headers["Link"], f"<{proxy.address}/x?a=b&version=7&page=2>; rel=next", "the next page")
    same(proxy.ask("/changes")[0], 502, "a protocol that nobody asked for")
    ended = proxy.end()
    check(ended.code == 130 and server.newest() not in ended.out + ended.err, f"{ended}")


@test
def only_who_knows_the_address_gets_through_and_no_page_of_a_browser(t):
    server, home, api = signed_in(t)
    proxy = Proxy(t, home, "strict")
    port, word = proxy.url.port, proxy.url.path
    for what, status, headers in [
        ("another name", 421, {"host": "evil.example"}),
        ("another port", 421, {"host": f"127.0.0.1:{port + 1}"}),
        ("another site", 403, {"Origin": "https://evil.example"}),
        ("a sandboxed frame", 403, {"Origin": "null"}),
        ("another program's page", 403, {"Origin": f"http://localhost:{port + 1}"}),
        ("an image of another site", 403, {"Sec_Fetch_Site": "cross-site"}),
        ("a page of the same host", 403, {"Sec_Fetch_Site": "same-site"}),
    ]:
        same(proxy.ask(**headers)[0], status, what)
    proxy.url = proxy.url._replace(path="")
    other = word[:-1] + ("1" if word.endswith("0") else "0")
    for path in ["", "/", word[:-1], other + "/x", "/x" + word, word + "a/x", "/" + word]:
        same(proxy.ask(path)[0], 404, path)
    for path in ["/../x", "/%2e%2e/x", "//evil.example/x", "/..%5cx/../../../y"]:
        same(proxy.ask(word + path)[0], 400, path)
    for path in ["/a%2f..%2f..%2fx", "/..%5cx", "/..;/x", "/%252e%252e/x"]:
        same(proxy.ask(word + path)[0], 400, path)
    for method in ["TRACE", "TRACK", "CONNECT"]:
        same(proxy.ask(word + "/x", method)[0], 405, method)
    same(proxy.ask(word + "/x", "POST", b"a", Transfer_Encoding="gzip, chunked")[0], 501, "another transfer coding")
    with proxy.raw() as line:
        # the body of a request that is refused is not waited for
        line.sendall(f"POST /x HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 10\r\n\r\nab".encode())
        check(b" 404 " in line.recv(4096), "a refusal at once")
    with proxy.raw() as line:
        line.sendall(f"GET {word}/x HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil.example\r\n\r\n".encode())
        check(b" 421 " in line.recv(4096), "two hosts")
    same(api.seen, [], "requests that came to the API")
    for host in (f"localhost:{port}", f"127.0.0.1:{port}"):
        same(proxy.ask(word + "/x", host=host, Origin=f"http://{host}")[0], 200, host)
    with proxy.raw() as line:
        line.sendall(f"GET http://evil.example{word}/x HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        check(b" 421 " in line.recv(4096), "another host in the request line")
    same(len(api.seen), 2, "requests that came to the API")


@test
def another_user_of_the_machine_gets_nothing(t):
    rig.only_root("starts a process of another user")
    server, home, api = signed_in(t)
    proxy = Proxy(t, home, "strict")
    ask = f"import urllib.request; print(urllib.request.urlopen({proxy.address + '/x'!r}, timeout=20).status)"
    as_nobody = subprocess.run(["python3", "-c", ask], user=65534, group=65534, extra_groups=[], capture_output=True, text=True, timeout=rig.PATIENCE)
    check(as_nobody.returncode != 0 and as_nobody.stdout == "", f"{as_nobody}")
    same(api.seen, [], "requests that came to the API")
    same(proxy.ask()[0], 200, "the user's own request")


@test
def rules_let_their_methods_and_paths_pass_alone(t):
    server, home, api = signed_in(t)
    proxy = Proxy(t, home, "strict", "--allow", "GET", "--allow", "POST,PUT:/notes/*/text")
    for method, path, status in [
        ("GET", "/anything/at?all=1", 200),
        ("POST", "/notes/7/text", 200),
        ("DELETE", "/notes/7/text", 403),
        ("POST", "/notes/7", 403),
        ("POST", "/notes/7/8/text", 403),
        ("POST", "/notes/7%2f8/text", 403),
        ("POST", "/notes/%252e%252e/text", 400),
        ("POST", "/notes/a/../../users/text", 403),
        ("POST", "/notes/..;/text", 400),
    ]:
        same(proxy.ask(path, method)[0], status, f"{method} {path}")
    for name in ("X-HTTP-Method-Override", "X-Original-URL"):
        same(proxy.ask("/x", **{name: "DELETE"})[0], 403, name)
    home.run("proxy", "strict", "--allow", "get /x").expect(2, err="write it as")


@test
def two_hundred_requests_on_an_expired_token_make_one_refresh(t):
    server, home, api = signed_in(t, lifetime=2)
    proxy = Proxy(t, home, "strict")
    strict.stale(server)
    time.sleep(1)
    server.before = 0.3
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        done = list(pool.map(lambda n: proxy.ask(f"/{n}")[0], range(200)))
    same(set(done), {200}, "statuses")
    same([e["outcome"] for e in server.refreshes()], ["renewed"], "refreshes")


@test
def a_token_that_the_api_refuses_is_replaced_and_the_request_repeated(t):
    server, home, api = signed_in(t)
    proxy = Proxy(t, home, "strict")
    first = server.newest()
    api.who = lambda token: token != first
    same(proxy.ask("/a", "POST", b"a small body")[0], 200, "a request that can be repeated")
    same([seen["length"] for seen in api.seen], [12, 12], "its body, twice")
    second = server.newest()
    api.who = lambda token: token not in (first, second)
    large = os.urandom(1 << 20)
    same(proxy.ask("/b", "POST", large)[0], 401, "one that can't, since its body has gone by")
    same(proxy.ask("/b", "POST", large)[0], 200, "the same once more")
    same([e["outcome"] for e in server.refreshes()], ["renewed", "renewed"], "refreshes")
    api.who = lambda token: False
    same(proxy.ask("/c")[0], 401, "an API that refuses each token")
    same(len(server.refreshes()), 3, "refreshes, one for each request at most")


@test
def a_token_in_the_query_comes_back_in_no_header(t):
    server, home, api = signed_in(t)
    at_api(home, server, api, '\nauth = { in = "query", name = "key" }')
    api.who = lambda token: True
    proxy = Proxy(t, home, "strict")
    token = server.newest()
    same(json.loads(proxy.ask("/x?a=1")[1])["target"], f"/v1/x?a=1&key={token}", "request")
    headers = proxy.ask("/moved?a=1")[2]
    same(headers["Location"], f"{proxy.address}/there?a=1", "a redirect")
    same(headers["Link"], f"<{proxy.address}/x?a=1&page=2>; rel=next", "the next page")
    check(token not in str(headers.items()) and headers["X-Echo"] is None, f"{headers.items()}")


@test
def a_login_that_was_made_again_counts_at_once(t):
    server, home, api = signed_in(t)
    proxy = Proxy(t, home, "strict", "-v")
    first = server.newest()
    same(proxy.ask()[0], 200, "the first login's request")
    home.run("login", "strict", env={"BROWSER": strict.browser(t)}).expect(0)
    api.who = lambda token: token != first
    rig.wait_until(lambda: proxy.ask("/seen")[0] == 200 and api.seen[-1]["headers"]["authorization"] == f"Bearer {server.newest()}", "its token", 10)
    same(server.refreshes(), [], "refreshes")
    home.run("logout", "strict").expect(0)
    rig.wait_until(lambda: proxy.ask("/x")[0] == 502, "the end of the login", 10)
    check("GET /seen: passes" in proxy.end().err, "`-v` should show each request")


@test
def a_login_that_has_ended_is_told_to_the_client_and_at_the_terminal(t):
    server, home, api = signed_in(t, lifetime=2)
    proxy = Proxy(t, home, "strict")
    server.state()
    for login in server.logins.values():
        login.alive = False
    time.sleep(2.1)
    status, body, _ = proxy.ask()
    told = json.loads(body)
    check(status == 502 and told["error"] == "login_first" and "oauthctl login strict" in str(told["hints"]), f"{told}")
    same(api.seen, [], "requests that came to the API")
    home.run("login", "strict", env={"BROWSER": strict.browser(t)}).expect(0)
    rig.wait_until(lambda: proxy.ask()[0] == 200, "the new login's token, without a restart", 20)
    check("oauthctl login strict" in proxy.end().err, "the way on should have been said")


@test
def heads_that_never_end_hold_little_memory(t):
    server, home, api = signed_in(t)
    proxy = Proxy(t, home, "strict")
    same(proxy.ask()[0], 200, "a request")

    def held():
        with open(f"/proc/{proxy.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) / 1024

    before = held()
    with contextlib.ExitStack() as ends:
        for _ in range(200):
            end = ends.enter_context(proxy.raw())
            end.setblocking(False)
            with contextlib.suppress(OSError):
                end.send(b"GET / HTTP/1.1\r\nx: " + b"y" * (1 << 20))
        time.sleep(1)
        more = held() - before
        same(proxy.ask()[0], 200, "a request beside them")
    check(more < 40, f"two hundred heads that never end take {more:.0f} MB")


@test
def bodies_pass_as_they_come_in_both_directions(t):
    server, home, api = signed_in(t)
    proxy = Proxy(t, home, "strict")
    with proxy.raw() as line:
        line.sendall(f"GET {proxy.url.path}/events HTTP/1.1\r\nHost: {proxy.url.netloc}\r\n\r\n".encode())
        began, seen = time.monotonic(), b""
        while b"data: 0" not in seen:
            seen += line.recv(4096)
        check(time.monotonic() - began < 0.35, "the first event should have come before the second was sent")
        while b"data: 2" not in seen:
            seen += line.recv(4096)
    parts = [os.urandom(1 << 20) for _ in range(150)]
    whole = hashlib.sha256(b"".join(parts)).hexdigest()
    for how, headers in (("in chunks", {}), ("of known length", {"Content_Length": str(150 << 20)})):
        status, body, _ = proxy.ask("/up", "POST", iter(parts), **headers)
        same((status, json.loads(body)["sha256"]), (200, whole), f"an upload {how}")
    same(len(proxy.ask("/large")[1]), 200 << 20, "a download")
    most = int(re.search(r"VmHWM:\s*(\d+)", open(f"/proc/{proxy.process.pid}/status").read())[1]) >> 10
    check(most < 64, f"the proxy took {most} MB")


@test
def a_connection_that_changes_its_protocol_passes(t):
    server, home, api = signed_in(t)
    proxy = Proxy(t, home, "strict")
    with proxy.raw() as line:
        line.sendall(f"GET {proxy.url.path}/ws HTTP/1.1\r\nHost: {proxy.url.netloc}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n".encode())
        head = line.recv(4096).lower()
        check(b" 101 " in head and b"upgrade: websocket" in head, f"{head}")
        for word in (b"one", b"two"):
            line.sendall(word)
            same(line.recv(4096), b"back " + word, "what comes back")
    same(api.seen[0]["headers"]["authorization"], f"Bearer {server.newest()}", "its token")


@test
def the_proxy_speaks_to_nginx_over_tls(t):
    server, home, _ = signed_in(t)
    answer = "location / { return 200 '{\"token\":\"$http_authorization\",\"host\":\"$host\"}'; }"
    site = t.nginx(f"{answer} location /api/up {{ client_max_body_size 1k; lingering_close off; root {t.folder}; }}")
    text = server.provider_file()
    home.provider("strict", text.replace(re.search('base-url = "[^"]*"', text)[0], f'base-url = "{site}/api"'))
    home.env["SSL_CERT_FILE"] = str(rig.pki() / "ca.crt")
    home.run("login", "strict", env={"BROWSER": strict.browser(t)}).expect(0)
    port = rig.free_port()
    proxy = Proxy(t, home, "strict", "--port", str(port))
    same(proxy.url.port, port, "port")
    home.run("proxy", "strict", "--port", str(port)).expect(75, err=f"port {port} is taken")
    same(json.loads(proxy.ask()[1]), {"token": f"Bearer {server.newest()}", "host": "localhost"}, "what nginx got")
    seen = [proxy.ask("/up", "POST", iter([bytes(1 << 20)] * 8), Content_Length=str(8 << 20))[0] for _ in range(5)]
    same(seen, [413] * 5, "a body that nginx refuses before it has it all")


@test
def another_host_of_the_api_is_asked_by_its_whole_address(t):
    server, home, api = signed_in(t)
    answer = "location / { return 200 '{\"token\":\"$http_authorization\",\"path\":\"$request_uri\"}'; }"
    sites = [t.nginx(answer, name=name).removeprefix("https://") for name in ("uploads", "foreign")]
    at_api(home, server, api, f'\nhosts = ["{sites[0]}"]')
    home.env["SSL_CERT_FILE"] = str(rig.pki() / "ca.crt")
    home.run("login", "strict", env={"BROWSER": strict.browser(t)}).expect(0)
    proxy = Proxy(t, home, "strict")
    status, body, _ = proxy.ask(f"/https://{sites[0]}/a?b=c")
    same((status, json.loads(body)), (200, {"token": f"Bearer {server.newest()}", "path": "/a?b=c"}), "what the other host got")
    for path, code in [
        (f"/https://{sites[1]}/a", 400),
        (f"/http://{sites[0]}/a", 200),  # a path of the API itself
        (f"/{api.base}/x", 200),
        (f"//{sites[1]}/a", 400),
        (f"/https://a@{sites[0]}/a", 400),
        ("/https://localhost:1/a", 400),
    ]:
        same(proxy.ask(path)[0], code, path)
    ruled = Proxy(t, home, "strict", "--allow", "GET")
    same(ruled.ask(f"/https://{sites[0]}/a")[0], 403, "with rules")
    same([seen["target"] for seen in api.seen], [f"/v1/http://{sites[0]}/a", f"/v1/{api.base}/x"], "requests that came to the API itself")


@test
def the_providers_limits_are_kept(t):
    server, home, api = signed_in(t)
    file = home.config / "providers/strict.toml"
    file.write_text(file.read_text() + "\n[limits]\nper-second = 4\nper-day = 9\n")
    proxy = Proxy(t, home, "strict")
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        same({one[0] for one in pool.map(lambda _: proxy.ask(), range(8))}, {200}, "statuses")
    took = time.monotonic() - started
    check(1.8 < took < 20, f"eight requests at four a second took {took:.1f} s")
    # another process of the profile counts too
    home.run("call", "strict", "/x").expect(0)
    status, body, headers = proxy.ask()
    check(status == 429 and int(headers["Retry-After"]) > 0 and b"requests of this day" in body, f"{status} {body}")
    same(len(api.seen), 9, "requests that came")


@test
def a_429_holds_the_other_processes_of_the_profile_back(t):
    server, home, api = signed_in(t)
    proxy = Proxy(t, home, "strict")
    call = lambda: home.run("call", "strict", "/x").expect(0).seconds  # noqa: E731
    before = call()
    same(proxy.ask("/busy")[0], 429, "status")
    held = call()
    check(before < 2 < held < 20, f"a call took {before:.1f} s before and {held:.1f} s after an answer with `Retry-After: 3`")
    same(proxy.ask()[0], 200, "a provider without limits of its own: the proxy's client decides itself")


# ---- run -------------------------------------------------------------------------------------------------------------


def left(home):
    """The folders of token files, and the companions."""
    folders = [name for name in os.listdir(home.env["XDG_RUNTIME_DIR"]) if name.startswith("oauthctl-run-")]
    return folders, companions(home)


def companions(home):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            environ = open(f"/proc/{pid}/environ", "rb").read()
            line = open(f"/proc/{pid}/cmdline", "rb").read()
            if b"oauthctl" in line and b"\0run\0" in line and f"HOME={home.env['HOME']}\0".encode() in environ + b"\0":
                found.append(int(pid))
    return found


def runs(t, lifetime=3600):
    server, home, api = signed_in(t, lifetime)
    runtime = t.folder / "runtime"
    runtime.mkdir(mode=0o700)
    home.env["XDG_RUNTIME_DIR"] = str(runtime)
    return server, home, api


@test
def a_command_gets_an_address_and_a_file_and_never_the_token(t):
    server, home, api = runs(t)
    script = 'cat "$TOKEN_FILE"; echo; curl -s -d a "$API_URL/x" >&2; curl -s "$API_URL/x"; env | grep -c "$(cat "$TOKEN_FILE")"; test -z "$OAUTHCTL_OTHER_TOKEN" && exit 9'
    # one that was killed with its companions, and one that runs
    for name in ("oauthctl-run-999999999-a", "oauthctl-run-1-a"):
        (t.folder / "runtime" / name).mkdir()
    home.env["OAUTHCTL_OTHER_TOKEN"] = "of-another"
    ran = home.run("run", "--file", "TOKEN_FILE=strict", "--proxy", "API_URL=strict", "--allow", "GET", "--", "sh", "-c", script).expect(9)
    token, seen, _ = ran.out.split("\n", 2)
    same(token, server.newest(), "the file")
    check("no `--allow` admits POST /x" in ran.err, f"the rule should have held: {ran.err}")
    same(json.loads(ran.out.split("\n")[1].rsplit("}", 1)[0] + "}")["headers"]["authorization"], f"Bearer {server.newest()}", "the request")
    check(ran.out.endswith("}0\n"), f"no variable should hold the token: {ran.out}")
    rig.wait_until(lambda: left(home) == (["oauthctl-run-1-a"], []), "the end of what was kept", 10)
    home.env["XDG_RUNTIME_DIR"] = str(t.folder / "not-there")
    home.run("run", "--file", "F=strict", "--", "sh", "-c", 'cat "$F"').expect(0, out=server.newest())
    check(not os.path.exists(t.folder / "not-there"), "no folder of the system's is made")


@test
def a_token_file_is_whole_at_each_moment_and_fresh(t):
    server, home, api = runs(t, lifetime=3)
    look = "import os,sys,time\nend=time.time()+9\nwhile time.time()<end: print(open(os.environ['F']).read())\n"
    ran = home.run("run", "--file", "F=strict", "--", "python3", "-c", look).expect(0)
    seen = list(dict.fromkeys(ran.out.split()))
    check(len(seen) >= 3, f"the file should have been renewed: {len(seen)} tokens")
    check(all(server.good(token) for token in seen), "each reading should be a whole token")
    same({e["outcome"] for e in server.refreshes()}, {"renewed"}, "refreshes")


@test
def nothing_is_left_when_either_is_killed(t):
    server, home, api = runs(t)
    argv = ["run", "--file", "F=strict", "--proxy", "U=strict", "--", "sh", "-c", 'echo "$F $U"; exec sleep 60']
    for what in ("the command", "its companion"):
        process = home.start(*argv)
        path, address = rig.first_block(process, "the command").split()
        check(os.path.exists(path), "the file should be there")
        kept = companions(home)
        same(len(kept), 2, "companions")
        if what == "the command":
            process.kill()
        else:
            # the one that listens
            for pid in kept:
                with contextlib.suppress(OSError):
                    if len(os.listdir(f"/proc/{pid}/task")) > 1:
                        os.kill(pid, signal.SIGKILL)
        rig.wait_until(lambda: not os.path.exists(path) and left(home) == ([], []), f"the end, when {what} is killed", 10)
        check(not rig.answers(urllib.parse.urlsplit(address).port), "nobody should listen")
        same(process.poll(), None if what == "its companion" else -9, "the command")
        process.kill()
        process.wait()


@test
def a_command_reads_the_token_from_a_descriptor(t):
    server, home, api = runs(t)
    ran = home.run("run", "--fd", "3=strict", "--fd", "7=strict", "--", "sh", "-c", "cat <&3; cat <&3; echo; cat <&7; env | grep -c access-of; true")
    same(ran.expect(0).out, f"{server.newest()}\n{server.newest()}0\n", "what was read")
    home.run("run", "--fd", "2=strict", "--", "true").expect(2, err="a number from 3 to 1023")
    argv = [rig.program(), "run", "--fd", "5=strict", "--", "true"]
    taken = subprocess.run(["sh", "-c", '"$@" 5</dev/null', "sh", *argv], env=home.env, capture_output=True, text=True, timeout=rig.PATIENCE)
    check(taken.returncode == 2 and "descriptor 5 can't hold the token" in taken.stderr, f"{taken}")


@test
def a_command_is_not_run_without_what_it_is_to_get(t):
    server, home, api = runs(t)
    home.run("logout", "strict", "--local-only").expect(0)
    home.run("run", "--proxy", "U=strict", "--", "sh", "-c", "echo ran").expect(4, err="no token is stored for `strict`")
    home.run("run", "--file", "F=strict", "--id-token", "--proxy", "U", "--", "true").expect(2, err="`--id-token` is not for it")
    home.run("run", "--allow", "GET", "--", "true").expect(2, err="--proxy")
    home.run("run", "--file", "F=strict", "--", "no-such-program-here").expect(4)
    rig.wait_until(lambda: left(home) == ([], []), "the end of what was kept", 10)


rig.main(globals())

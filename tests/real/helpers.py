#!/usr/bin/env python3
"""The programs that `helper` serves, themselves, against servers of this machine over TLS: what they get, and what no server gets."""

import base64
import functools
import glob
import hashlib
import http.server
import io
import json
import os
import pathlib
import re
import shutil
import signal
import socketserver
import ssl
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.parse
import zipfile

import rig
import strict
from rig import check, same, test


class Tls:
    """A server over TLS, or a `plain` one. `who` tells whether a request may pass: it gets the token that came, or None."""

    challenges = ('Basic realm="the tests"',)
    plain = False

    def __init__(self, t, who):
        self.who = who
        self.seen = []  # the Authorization header of each request, or None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = rig.PATIENCE

            def log_message(self, *_):
                pass

            def do_GET(self):
                header = self.headers.get("Authorization")
                outer.seen.append(header)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if not outer.who(token_in(header)):
                    return self.answer(401, b"", *(("WWW-Authenticate", c) for c in outer.challenges))
                self.answer(*outer.page(self, body))

            do_HEAD = do_POST = do_PUT = do_GET

            def answer(self, status, body, *headers):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if not self.plain:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(rig.pki() / "server.crt", rig.pki() / "server.key")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.host = f"localhost:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        t.enter(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def tokens(self):
        """The tokens that came, each once, in their order."""
        return list(dict.fromkeys(filter(None, map(token_in, self.seen))))


def token_in(header):
    kind, _, value = (header or "").partition(" ")
    if kind == "Basic":
        return base64.b64decode(value).decode().partition(":")[2]
    return value or None


def run(home, *argv, env=None, **options):
    """Another program, in this home, to its end."""
    bin = home.folder / "bin"
    bin.mkdir(exist_ok=True)
    if not (bin / "oauthctl").exists():
        (bin / "oauthctl").symlink_to(os.path.realpath(rig.program()))
    env = {**home.env, "PATH": f"{bin}:{home.env['PATH']}", **(env or {})}
    done = subprocess.run(argv, env=env, cwd=home.folder, capture_output=True, text=True, timeout=rig.PATIENCE, **options)
    return rig.Ran([*map(str, argv)], done.returncode, done.stdout, done.stderr, 0)


# ---- git -------------------------------------------------------------------------------------------------------------


class Git(Tls):
    """A repository behind `git http-backend`."""

    def __init__(self, t, home, who):
        self.home = home
        self.root = home.folder / "served"
        if not self.root.exists():
            git(home, "init", "-q", "-b", "main", "work")
            git(home, "-C", "work", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "one")
            git(home, "clone", "-q", "--bare", "work", self.root / "a.git")
            git(home, "-C", self.root / "a.git", "config", "http.receivepack", "true")
        super().__init__(t, who)

    def page(self, request, body):
        path, _, query = request.path.partition("?")
        env = {
            "PATH": self.home.env["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": request.command,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            "REMOTE_USER": "somebody",
        }
        out = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True, timeout=rig.PATIENCE).stdout
        head, _, body = out.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        status = int(headers.pop("Status", "200").split()[0])
        return status, body, *headers.items()


def git(home, *argv, env=None):
    env = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSL_CAINFO": str(rig.pki() / "ca.crt"), **(env or {})}
    return run(home, "git", *argv, env=env)


def knows_schemes(home):
    """Whether git takes a scheme with its credential: from 2.46 on. An older one has passwords alone."""
    version = git(home, "version").expect(0).out.split()[2]
    return tuple(map(int, version.split(".")[:2])) >= (2, 46)


def with_git(t, lifetime=3600):
    """A login, and a git server that takes its newest token alone."""
    rig.need("git")
    server = strict.serve(t, expires_in=lifetime)
    home = strict.logged_in(t, server)
    served = Git(t, home, lambda token: token and token == server.newest())
    git(home, "config", "--global", "credential.helper", "!oauthctl helper git").expect(0)
    home.run("profile", "set", "strict", "helper-hosts", served.host).expect(0)
    server.forget()
    return server, home, served


@test
def git_clones_fetches_and_pushes_with_a_fresh_token(t):
    server, home, served = with_git(t)
    git(home, "clone", "-q", f"https://{served.host}/a.git", "one").expect(0)
    git(home, "-C", "one", "fetch").expect(0)
    git(home, "-C", "one", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "two").expect(0)
    git(home, "-C", "one", "push", "-q", "origin", "main").expect(0)
    same(served.tokens(), [server.newest()], "tokens that came")
    same(server.refreshes(), [], "refreshes")
    # a path may be of any bytes
    asks = f"printf 'protocol=https\\nhost={served.host}\\npath=\\377\\n' | git -c credential.useHttpPath=true credential fill | grep -a ^password="
    run(home, "sh", "-c", asks).expect(0, out=f"password={server.newest()}")


@test
def of_two_profiles_with_one_git_server_the_rule_for_the_repository_chooses_and_then_the_default(t):
    server, home, served = with_git(t)
    first = server.newest()
    home.run("login", "second", "--provider", "strict", env={"BROWSER": strict.browser(t)}).expect(0)
    second = server.newest()
    for profile in ("strict", "second"):
        home.run("profile", "set", profile, "helper-hosts", served.host).expect(0)
    served.who = lambda token: token in (first, second)
    url = f"https://{served.host}/a.git"
    git(home, "ls-remote", url).expect(128, err=r"belongs to several profiles \(second, strict\)")
    same(served.tokens(), [], "tokens that came")
    config = home.config / "config.toml"
    config.write_text(f'[[when]]\nremote = "{served.host}/*"\nprofile = "second"\n\n' + config.read_text())
    # git names the clone, not the folder that it is made in
    git(home, "clone", "-q", url, "two").expect(0)
    git(home, "-C", "two", "fetch").expect(0)
    same(served.tokens(), [second], "tokens that came")
    # no repository here: the default one, unless git tells the path
    git(home, "ls-remote", url).expect(128)
    home.run("profile", "use", "strict").expect(0)
    git(home, "ls-remote", url).expect(0)
    same(served.tokens(), [second, first], "tokens that came")
    served.seen.clear()
    git(home, "-c", "credential.useHttpPath=true", "ls-remote", url).expect(0)
    same(served.tokens(), [second], "tokens that came")


@test
def git_sends_a_bearer_token_to_a_server_that_asks_for_one_if_it_knows_how(t):
    server, home, served = with_git(t)
    served.challenges = ('Basic realm="x"', 'Bearer realm="x"')
    git(home, "clone", "-q", f"https://{served.host}/a.git", "one").expect(0)
    basic = base64.b64encode(f"oauth2:{server.newest()}".encode()).decode()
    header = f"Bearer {server.newest()}" if knows_schemes(home) else f"Basic {basic}"
    same(set(filter(None, served.seen)), {header}, "headers")


@test
def git_with_an_expired_token_makes_one_refresh_and_goes_on(t):
    server, home, served = with_git(t, lifetime=1)
    strict.stale(server)
    git(home, "clone", "-q", f"https://{served.host}/a.git", "one").expect(0)
    git(home, "-C", "one", "fetch").expect(0)
    same([e["outcome"] for e in server.refreshes()], ["renewed"], "refreshes")
    same(served.tokens(), [server.newest()], "tokens that came")


@test
def forty_gits_at_once_on_an_expired_token_make_one_refresh(t):
    server, home, served = with_git(t, lifetime=1)
    git(home, "config", "--global", "credential.useHttpPath", "true")
    strict.stale(server)
    server.before = 0.2
    url = f"https://{served.host}/a.git"
    done = rig.parallel(40, 20, lambda n: git(home, "ls-remote", url))
    same({ran.code for ran in done}, {0}, f"exit codes ({done[0]})")
    same([e["outcome"] for e in server.refreshes()], ["renewed"], "refreshes")


@test
def a_token_that_the_server_refuses_is_another_one_the_next_time(t):
    server, home, served = with_git(t)
    first = server.newest()
    served.who = lambda token: token and token != first
    url = f"https://{served.host}/a.git"
    # just obtained: another one would be refused too
    git(home, "ls-remote", url).expect(128)
    same(server.refreshes(), [], "refreshes for a token of just now")
    time.sleep(11)
    git(home, "ls-remote", url).expect(128)
    git(home, "ls-remote", url).expect(0)
    same([e["outcome"] for e in server.refreshes()], ["renewed"], "refreshes")
    check(server.good(home.run("token", "strict").expect(0).token), "the login should be alive")


@test
def another_host_gets_nothing_and_the_next_helper_is_asked(t):
    server, home, served = with_git(t)
    other = Git(t, home, lambda token: token == "of-the-next-helper")
    url = f"https://{other.host}/a.git"
    said = git(home, "ls-remote", url).expect(128, err=f"no profile is for https://{other.host}: no token is given")
    check(server.newest() not in said.err, "no token belongs on the screen")
    home.run("profile", "unset", "strict", "helper-hosts").expect(0)
    git(home, "ls-remote", f"https://{served.host}/a.git").expect(128)
    git(home, "config", "--global", "--replace-all", "credential.helper", "!oauthctl helper git --profile strict").expect(0)
    git(home, "ls-remote", url).expect(128, err="is no service of `strict`: no token is given")
    same(other.tokens() + served.tokens(), [], "tokens that came")
    next_one = "!f() { test $1 = get && echo username=a && echo password=of-the-next-helper; }; f"
    git(home, "config", "--global", "--add", "credential.helper", next_one).expect(0)
    git(home, "ls-remote", url).expect(0)


@test
def no_other_helper_of_a_git_that_knows_schemes_stores_the_token(t):
    server, home, served = with_git(t)
    git(home, "config", "--global", "--add", "credential.helper", "store").expect(0)
    for challenges in (Tls.challenges, ('Bearer realm="x"',))[: 2 if knows_schemes(home) else 1]:
        served.challenges = challenges
        git(home, "ls-remote", f"https://{served.host}/a.git").expect(0)
    check(served.tokens() == [server.newest()], "the token should have come")
    held = [os.path.basename(name) for name, data in home.files().items() if server.newest().encode() in data and "bin/" not in name]
    # an older git gives its other helpers each password, as `helper git --help` says
    same(held, [] if knows_schemes(home) else [".git-credentials"], "files with the token in them")


# ---- skopeo, by docker's protocol ---------------------------------------------------------------------------------------------------


class Registry(Tls):
    """A registry with one image, of no layers."""

    def page(self, request, body):
        json_of = "application/vnd.docker.distribution.manifest.v2+json"
        config = b'{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]}}'
        digest = "sha256:" + hashlib.sha256(config).hexdigest()
        about = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config), "digest": digest}
        manifest = json.dumps({"schemaVersion": 2, "mediaType": json_of, "config": about, "layers": []}).encode()
        if request.path.endswith(digest):
            return 200, config, ("Content-Type", "application/octet-stream")
        if "/manifests/" in request.path:
            of_manifest = "sha256:" + hashlib.sha256(manifest).hexdigest()
            return 200, manifest, ("Content-Type", json_of), ("Docker-Content-Digest", of_manifest)
        return 200, b"{}", ("Docker-Distribution-Api-Version", "registry/2.0")


def with_registry(t, lifetime=3600):
    server = strict.serve(t, expires_in=lifetime)
    home = strict.logged_in(t, server)
    served = Registry(t, lambda token: token and token == server.newest())
    home.run("profile", "set", "strict", "helper-hosts", served.host).expect(0)
    script = home.folder / "bin" / "docker-credential-strict"
    script.parent.mkdir(exist_ok=True)
    script.write_text('#!/bin/sh\nexec oauthctl helper docker "$@"\n')
    script.chmod(0o700)
    folder = home.folder / ".docker"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"credsStore": "strict"}))
    server.forget()
    return server, home, served


def skopeo(home, host):
    env = {"SSL_CERT_FILE": str(rig.pki() / "ca.crt"), "REGISTRY_AUTH_FILE": str(home.folder / ".docker/config.json")}
    (home.folder / ".docker/config.json").write_text(json.dumps({"credHelpers": {host: "strict"}}))
    return run(home, "skopeo", "inspect", f"docker://{host}/a:latest", env=env)


@test
def skopeo_reads_from_its_registry_with_one_refresh_and_no_other_gets_the_token(t):
    rig.need("skopeo")
    server, home, served = with_registry(t, lifetime=1)
    strict.stale(server)
    skopeo(home, served.host).expect(0, out="schemaVersion|Digest")
    skopeo(home, served.host).expect(0)
    same([e["outcome"] for e in server.refreshes()], ["renewed"], "refreshes")
    same(served.tokens(), [server.newest()], "tokens that came")
    other = Registry(t, lambda _: False)
    check(skopeo(home, other.host).code != 0, "the other registry should have refused")
    same(other.tokens(), [], "tokens that came to another registry")


@test
def a_thousand_gets_of_docker_at_once_on_an_expired_token_make_one_refresh(t):
    server, home, served = with_registry(t, lifetime=1)
    strict.stale(server)
    server.before = 0.2
    done = rig.parallel(1000, 100, lambda n: home.run("helper", "docker", "get", stdin=served.host))
    same({ran.code for ran in done}, {0}, f"exit codes ({done[0]})")
    same({ran.json()["Secret"] for ran in done}, {server.newest()}, "secrets")
    same([e["outcome"] for e in server.refreshes()], ["renewed"], "refreshes")


# ---- cargo -----------------------------------------------------------------------------------------------------------


class Crates(Tls):
    """A sparse registry that lets nobody in without a token, and has one crate."""

    challenges = ('Cargo login_url="https://nobody.example"',)

    def page(self, request, body):
        if request.path == "/config.json":
            at = f"https://{self.host}"
            return 200, json.dumps({"dl": f"{at}/dl", "api": at, "auth-required": True}).encode()
        crate = crate_of_one_line()
        if request.path == "/he/lp/helped":
            entry = {"name": "helped", "vers": "1.0.0", "deps": [], "features": {}, "yanked": False}
            return 200, json.dumps({**entry, "cksum": hashlib.sha256(crate).hexdigest()}).encode()
        if request.path.startswith("/dl/"):
            return 200, crate
        if request.path == "/api/v1/crates/helped/1.0.0/unyank":
            return 200, b'{"ok":true}'
        return 404, b""


@functools.cache
def crate_of_one_line():
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in (("Cargo.toml", '[package]\nname = "helped"\nversion = "1.0.0"\n'), ("src/lib.rs", "")):
            entry = tarfile.TarInfo(f"helped-1.0.0/{name}")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


def cargo(home, *argv):
    env = {
        "CARGO_HOME": str(home.folder / ".cargo"),
        "RUSTUP_HOME": os.environ.get("RUSTUP_HOME") or os.path.expanduser("~/.rustup"),
        "CARGO_HTTP_CAINFO": str(rig.pki() / "ca.crt"),
        "CARGO_NET_RETRY": "0",
        "PATH": f"{home.folder}/bin:{os.path.dirname(shutil.which('cargo'))}:{home.env['PATH']}",
    }
    return run(home, "cargo", *argv, env=env)


@test
def cargo_reads_and_writes_in_its_registry_with_one_refresh_and_no_other_gets_the_token(t):
    rig.need("cargo")
    server = strict.serve(t, expires_in=1)
    home = strict.logged_in(t, server)
    served = Crates(t, lambda token: token and token == server.newest())
    other = Crates(t, lambda _: False)
    home.run("profile", "set", "strict", "helper-hosts", served.host).expect(0)
    provider = '["oauthctl", "helper", "cargo", "--profile", "strict"]'
    registries = "".join(
        f'[registries.{name}]\nindex = "sparse+https://{at.host}/"\ncredential-provider = {provider}\n'
        for name, at in (("served", served), ("other", other))
    )
    (home.folder / ".cargo").mkdir()
    (home.folder / ".cargo/config.toml").write_text(registries)
    (home.folder / "src").mkdir()
    (home.folder / "src/lib.rs").write_text("")

    def project(registry):
        needs = f'[dependencies]\nhelped = {{ version = "1", registry = "{registry}" }}\n'
        (home.folder / "Cargo.toml").write_text('[package]\nname = "a"\nversion = "1.0.0"\nedition = "2021"\n' + needs)

    strict.stale(server)
    project("served")
    cargo(home, "fetch").expect(0, err="Downloaded helped|Downloading")
    cargo(home, "yank", "--undo", "--registry", "served", "helped@1.0.0").expect(0)
    same([e["outcome"] for e in server.refreshes()], ["renewed"], "refreshes")
    same(set(filter(None, served.seen)), {f"Bearer {server.newest()}"}, "headers")
    project("other")
    cargo(home, "fetch").expect(101)
    same(other.tokens(), [], "tokens that came to another registry")
    home.run("logout", "strict").expect(0)
    project("served")
    (home.folder / "Cargo.lock").unlink()
    shutil.rmtree(home.folder / ".cargo/registry")
    cargo(home, "fetch").expect(101, err=["no token is stored for `strict`", "oauthctl login strict"])


def with_id_token(t):
    """A login with an ID token, and that token."""
    home = t.home(OAUTHCTL_STORE="file", SSL_CERT_FILE=rig.pki() / "ca.crt")
    terminal = home.at_terminal("login", "sandbox", "--no-browser", "--scope", "openid")
    terminal.expect(r"Type `allow`")
    terminal.type("allow")
    same(terminal.end().code, 0, "exit code of the login")
    return home, home.run("token", "sandbox", "--id-token").expect(0).token


# ---- kubectl ---------------------------------------------------------------------------------------------------------


class Cluster(Tls):
    """An API server that has a version."""

    def page(self, request, body):
        return 200, json.dumps({"major": "1", "gitVersion": "v1.30.0"}).encode(), ("Content-Type", "application/json")


@test
def kubectl_gets_an_id_token_for_its_cluster_and_no_other_gets_one(t):
    rig.need("kubectl")
    home, id_token = with_id_token(t)
    access_token = home.run("token", "sandbox").expect(0).token
    served, other = Cluster(t, lambda token: token == id_token), Cluster(t, lambda _: False)
    home.run("profile", "set", "sandbox", "helper-hosts", served.host).expect(0)
    ca = base64.b64encode((rig.pki() / "ca.crt").read_bytes()).decode()

    def kubectl(server, cluster, *words):
        executes = {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": "oauthctl",
            "args": ["helper", "kubectl", "--profile", "sandbox", *words],
            "provideClusterInfo": True,
        }
        kubeconfig = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": f"https://{server.host}", **cluster}}],
            "users": [{"name": "u", "user": {"exec": executes}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        (home.folder / "kubeconfig").write_text(json.dumps(kubeconfig))
        return run(home, "kubectl", "--kubeconfig", home.folder / "kubeconfig", "get", "--raw", "/version")

    verified = {"certificate-authority-data": ca}
    kubectl(served, verified).expect(0, out="v1.30.0")
    same(served.tokens(), [id_token], "tokens that came")
    check(kubectl(served, verified, "--access-token").code != 0, "an access token is of no use to this cluster")
    same(served.tokens(), [id_token, access_token], "tokens that came")
    check(kubectl(other, verified).code != 0, "the other cluster should have refused")
    check(kubectl(served, {"insecure-skip-tls-verify": True}).code != 0, "a cluster that isn't verified gets no token")
    same(other.tokens(), [], "tokens that came to another cluster")


# ---- Google and AWS ------------------------------------------------------------------------------------------------


class Form(Tls):
    """A server that takes forms, and keeps them."""

    def __init__(self, t, answer):
        self.forms, self.reply = [], answer
        super().__init__(t, lambda _: True)

    def page(self, request, body):
        self.forms.append(dict(urllib.parse.parse_qsl(body.decode())))
        return self.reply(self.forms[-1])


def python(home, text, **env):
    (home.folder / "script.py").write_text(text)
    return run(home, "/usr/bin/python3", "script.py", env={"SSL_CERT_FILE": str(rig.pki() / "ca.crt"), **env})


GOOGLE = """
import google.auth, google.auth.transport.requests, requests

class Here(requests.adapters.HTTPAdapter):
    def send(self, request, *words, **more):
        request.url = request.url.replace("https://sts.googleapis.com/", "https://{sts}/")
        return super().send(request, *words, **more)

session = requests.Session()
session.verify = "{ca}"
session.mount("https://sts.googleapis.com/", Here())
credentials, _ = google.auth.{load}
credentials.refresh(google.auth.transport.requests.Request(session))
print(credentials.token)
"""


def with_google(t):
    """A login that may go to Google's service, its ID token, a token service, and Google's library, which loads a credential."""
    library = os.environ.get("GOOGLE_AUTH")
    if not library:
        raise rig.Skip(f"google-auth is not there: {rig.why_missing('google-auth')}")
    home, id_token = with_id_token(t)
    kind = "urn:ietf:params:oauth:token-type:id_token"
    answer = {"access_token": "of-google", "issued_token_type": kind, "token_type": "Bearer", "expires_in": 3600}
    sts = Form(t, lambda form: (200, json.dumps(answer).encode()))

    def google(load):
        allowed = {"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES": "1", "PYTHONPATH": library}
        # a runner's mask command would spoil the answer: the library reads both streams as one
        return python(home, GOOGLE.format(sts=sts.host, ca=rig.pki() / "ca.crt", load=load), GITHUB_ACTIONS="true", **allowed)

    return home, id_token, sts, google


@test
def googles_library_exchanges_the_id_token_and_shows_why_there_is_none(t):
    home, id_token, sts, library = with_google(t)

    def google(words="", host="iam.googleapis.com"):
        audience = f"//{host}/projects/1/locations/global/workloadIdentityPools/p/providers/q"
        executable = {"command": f"{home.folder}/bin/oauthctl helper google --profile sandbox{words}"}
        file = {"type": "external_account", "audience": audience, "subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}
        file |= {"token_url": "https://sts.googleapis.com/v1/token", "credential_source": {"executable": executable}}
        (home.folder / "credentials.json").write_text(json.dumps(file))
        return library('load_credentials_from_file("credentials.json")')

    google().expect(1, err="is no service of `sandbox`: no token is given")
    home.run("profile", "set", "sandbox", "helper-hosts", "iam.googleapis.com").expect(0)
    same(sts.forms, [], "requests without a token")
    same(google().expect(0).token, "of-google", "the exchanged token")
    same([form["subject_token"] for form in sts.forms], [id_token], "tokens that came")
    google(" --access-token").expect(1, err="an access token is no `id_token`")
    google(host="iam.googleapis.example").expect(1, err="is no service of `sandbox`")
    home.run("logout", "sandbox").expect(0)
    google().expect(1, err=["no token is stored for `sandbox`", "oauthctl login sandbox"])
    same(len(sts.forms), 1, "requests")


KEYS = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
<Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>of/aws+</SecretAccessKey><SessionToken>session</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""

AWS = """
import botocore.session
session = botocore.session.Session(profile="sandbox")
print(*session.get_credentials().get_frozen_credentials())
client = session.create_client("sts", "eu-central-1", endpoint_url="{sts}", verify="{ca}")
said = client.assume_role_with_web_identity(RoleArn="{role}", RoleSessionName="oauthctl", DurationSeconds=900, WebIdentityToken="{token}")
print(said["Credentials"]["SecretAccessKey"])
"""


@test
def the_aws_library_has_the_keys_of_a_role_by_the_request_that_it_would_send_itself(t):
    home, id_token = with_id_token(t)
    sts = Form(t, lambda form: (200, KEYS.encode(), ("Content-Type", "text/xml")))
    role = "arn:aws:iam::123456789012:role/reader"
    words = ["--role-arn", role, "--duration", "15m", "--endpoint-url", f"https://{sts.host}"]
    home.run("helper", "install", "aws", "--profile", "sandbox", "--yes", "--", *words).expect(0, err="AWS_PROFILE=sandbox")
    script = AWS.format(sts=f"https://{sts.host}", ca=rig.pki() / "ca.crt", role=role, token=id_token)
    python(home, script).expect(1, err="is no service of `sandbox`: no token is given")
    same(sts.forms, [], "requests without a rule")
    home.run("profile", "set", "sandbox", "helper-hosts", sts.host).expect(0)
    same(python(home, script).expect(0).out, "ASIA1 of/aws+ session\nof/aws+\n", "what the library has")
    ours, theirs = sts.forms
    same(ours, theirs, "the request, and the library's own")
    same(ours["WebIdentityToken"], id_token, "the token")


# ---- go --------------------------------------------------------------------------------------------------------------


class Modules(Tls):
    """A module proxy with one module."""

    def page(self, request, body):
        answers = {
            "list": b"v1.0.0\nv1.1.0\n",
            "v1.1.0.info": b'{"Version":"v1.1.0","Time":"2026-01-01T00:00:00Z"}',
            "v1.1.0.mod": b"module mod.example\n",
        }
        name = request.path.removeprefix("/mod.example/@v/")
        return (200, answers[name]) if name in answers else (404, b"")


@test
def go_lists_a_module_with_a_fresh_token_and_no_other_proxy_gets_it(t):
    program = os.environ.get("GO") or shutil.which("go")
    if not program:
        raise rig.Skip(f"go is not there: {rig.why_missing('go')}")
    server = strict.serve(t, expires_in=1)
    home = strict.logged_in(t, server)
    served, other = Modules(t, lambda token: token and token == server.newest()), Modules(t, lambda _: False)
    home.run("profile", "set", "strict", "helper-hosts", served.host).expect(0)

    def go(at, helper):
        env = {
            "GOPROXY": f"https://{at.host}",
            "GOAUTH": f"oauthctl helper goauth{helper}",
            "GONOSUMDB": "*",
            "GOTOOLCHAIN": "local",
            "GOPATH": str(home.folder / "go"),
            "GOCACHE": str(home.folder / "go/cache"),
            "SSL_CERT_FILE": str(rig.pki() / "ca.crt"),
        }
        return run(home, program, "list", "-m", "-versions", "mod.example", env=env)

    (home.folder / "go.mod").write_text("module a.example\n")
    strict.stale(server)
    for helper in ("", " --profile strict"):
        served.seen.clear()
        go(served, helper).expect(0, out="mod.example v1.0.0 v1.1.0")
        # with a profile the token comes with the first request
        same(None in served.seen, helper == "", "a request without a token")
        check(go(other, helper).code != 0, "the other proxy should have refused")
    same([e["outcome"] for e in server.refreshes()], ["renewed"], "refreshes")
    same(other.tokens(), [], "tokens that came to another proxy")


# ---- pip and uv ------------------------------------------------------------------------------------------------------


class Index(Tls):
    """An index of Python packages with one wheel."""

    def page(self, request, body):
        if request.path == "/simple/helped/":
            return 200, b'<a href="/helped-1.0-py3-none-any.whl">helped-1.0-py3-none-any.whl</a>', ("Content-Type", "text/html")
        if request.path == "/helped-1.0-py3-none-any.whl":
            return 200, wheel_of_one_line()
        return 404, b""


@functools.cache
def wheel_of_one_line():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as wheel:
        about = "helped-1.0.dist-info"
        wheel.writestr("helped.py", "")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: helped\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", f"helped.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n")
    return packed.getvalue()


def pip(home, host):
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else "python3"
    words = ["download", "--no-deps", "--no-cache-dir", "--disable-pip-version-check", "--dest", host]
    words += ["--cert", rig.pki() / "ca.crt", "--index-url", f"https://oauth2@{host}/simple/", "helped"]
    return run(home, python, "-m", "pip", *words, env={"PIP_KEYRING_PROVIDER": "subprocess"}, stdin=subprocess.DEVNULL)


def uv(home, host):
    program = os.environ.get("UV") or shutil.which("uv")
    if not program:
        raise rig.Skip(f"uv is not there: {rig.why_missing('uv')}")
    env = {"SSL_CERT_FILE": str(rig.pki() / "ca.crt"), "UV_KEYRING_PROVIDER": "subprocess", "UV_NO_CONFIG": "1", "UV_HTTP_RETRIES": "0"}
    words = ["--no-cache", "--python", "/usr/bin/python3", "--target", host]
    words += ["--index-url", f"https://oauth2@{host}/simple/", "helped"]
    return run(home, program, "pip", "install", *words, env=env)


@test
def pip_and_uv_install_from_their_index_with_one_refresh_and_no_other_gets_the_token(t):
    for tool in (pip, uv):
        server = strict.serve(t, expires_in=1)
        home = strict.logged_in(t, server)
        served, other = Index(t, lambda token: token and token == server.newest()), Index(t, lambda _: False)
        home.run("profile", "set", "strict", "helper-hosts", served.host).expect(0)
        script = home.folder / "bin" / "keyring"
        script.parent.mkdir(exist_ok=True)
        script.write_text('#!/bin/sh\nexec oauthctl helper keyring --profile strict "$@"\n')
        script.chmod(0o700)
        strict.stale(server)
        tool(home, served.host).expect(0)
        check(list((home.folder / served.host).glob("helped*")), "the package should be there")
        same(served.tokens(), [server.newest()], "tokens that came")
        check(tool(home, other.host).code != 0, "the other index should have refused")
        same(other.tokens(), [], "tokens that came to another index")
        same([e["outcome"] for e in server.refreshes()], ["renewed"], "refreshes")


# ---- install ---------------------------------------------------------------------------------------------------------


class Installed:
    """A tool's own file, which a person has written to, before and after."""

    def __init__(self, home, path, text, *words):
        self.home, self.path, self.text, self.words = home, home.folder / path, text, words
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(text)
        folder = home.folder / ".local/bin"
        folder.mkdir(parents=True, exist_ok=True)
        home.env["PATH"] = f"{folder}:{home.env['PATH']}"
        run(home, "oauthctl", "helper", "install", *words, "--yes").expect(0, err=words[0])
        check(self.path.read_text() != text, "the helper should be there")
        home.run("helper", "list").expect(0, out=rf"{words[0]} +.*  installed")

    def end(self):
        """Taken back byte for byte, whatever the tool did meanwhile."""
        self.home.run("helper", "uninstall", self.words[0], "--yes").expect(0)
        same(self.path.read_text(), self.text, f"{self.path.name} after all")
        self.home.run("helper", "list", "--format", "json").expect(0, out=r"\A\[\]\n\Z")


@test
def git_uses_the_helper_that_is_installed_and_no_other_stores_the_token(t):
    rig.need("git")
    server = strict.serve(t, expires_in=3600)
    home = strict.logged_in(t, server)
    served = Git(t, home, lambda token: token and token == server.newest())
    home.run("profile", "set", "strict", "helper-hosts", served.host).expect(0)
    home.run("helper", "install", "git", "--profile", "strict", "--host", "evil.example", "--yes").expect(7, err="no service of `strict`")
    installed = Installed(home, ".gitconfig", "[credential]\n\thelper = store\n[user]\n\tname = Ann", "git", "--profile", "strict")
    url = f"https://{served.host}/a.git"
    git(home, "ls-remote", url).expect(0)
    same(served.tokens(), [server.newest()], "tokens that came")
    check(not (home.folder / ".git-credentials").exists(), "another helper should not have stored it")
    installed.end()
    git(home, "ls-remote", url).expect(128)


@test
def git_configs_beside_installs_lose_nothing(t):
    rig.need("git")
    server = strict.serve(t, expires_in=3600)
    home = strict.logged_in(t, server)
    home.run("profile", "set", "strict", "helper-hosts", "git.example").expect(0)
    (home.folder / ".gitconfig").write_text("[user]\n\tname = Ann\n")
    written = [0]

    def write():
        for number in range(40):
            # git doesn't wait for its lock
            while git(home, "config", "--global", f"many.k{number}", "1").code != 0:
                time.sleep(0.001)
            written[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    rounds = 0
    while writer.is_alive():
        for verb in (["install", "git", "--profile", "strict"], ["uninstall", "git"]):
            while (done := home.run("helper", *verb, "--yes")).code == 1:
                check("is there, so git writes it" in done.err, done.err)
            done.expect(0)
        rounds += 1
    writer.join()
    check(rounds > 1, "installs should have run meanwhile")
    same(written[0], 40, "commands of git that succeeded")
    keys = git(home, "config", "--global", "--get-regexp", "^many").out.splitlines()
    same(len(keys), 40, "keys that are there")
    check(not (home.folder / ".gitconfig.lock").exists(), "the lock should be gone")


@test
def a_key_that_git_puts_below_the_helper_stays_where_it_is(t):
    rig.need("git")
    server = strict.serve(t, expires_in=3600)
    home = strict.logged_in(t, server)
    home.run("profile", "set", "strict", "helper-hosts", "git.example").expect(0)
    (home.folder / ".gitconfig").write_text("[alias]\n\tx = log\n")
    home.run("helper", "install", "git", "--profile", "strict", "--yes").expect(0)
    git(home, "config", "--global", "credential.https://git.example.username", "bob").expect(0)
    home.run("helper", "uninstall", "git", "--yes").expect(0)
    all = git(home, "config", "--global", "--list").out.splitlines()
    same(all, ["alias.x=log", "credential.https://git.example.username=bob"], "what git reads")


@test
def skopeo_and_docker_use_the_helper_that_is_installed(t):
    rig.need("skopeo")
    server = strict.serve(t, expires_in=3600)
    home = strict.logged_in(t, server)
    served = Registry(t, lambda token: token and token == server.newest())
    home.run("profile", "set", "strict", "helper-hosts", served.host).expect(0)
    text = '{\n\t"auths": {},\n\t"currentContext": "default"\n}'
    installed = Installed(home, ".docker/config.json", text, "docker", "--profile", "strict")
    env = {"SSL_CERT_FILE": str(rig.pki() / "ca.crt"), "REGISTRY_AUTH_FILE": str(installed.path)}
    look = ["skopeo", "inspect", f"docker://{served.host}/a:latest"]
    run(home, *look, env=env).expect(0, out="schemaVersion|Digest")
    same(served.tokens(), [server.newest()], "tokens that came")
    if shutil.which("docker"):
        # docker's own client writes the file anew
        run(home, "docker", "context", "create", "other", "--docker", "host=unix:///nowhere").expect(0)
        run(home, "docker", "context", "use", "other").expect(0)
        check("credHelpers" in installed.path.read_text(), "docker keeps it")
        run(home, *look, env=env).expect(0)
        run(home, "docker", "context", "use", "default").expect(0)
        installed.text = run(home, "sh", "-c", f"grep -v oauthctl- {installed.path}").out.split('\t"credHelpers"')[0].rstrip(",\n") + "\n}"
    installed.end()
    check(run(home, *look, env=env).code != 0, "without the helper there is no token")


class PlainRegistry(Registry):
    plain = True


@test
def skopeo_uses_the_helper_that_is_installed_for_a_registry_without_tls_on_this_machine(t):
    rig.need("skopeo")
    server = strict.serve(t, expires_in=3600)
    home = strict.logged_in(t, server)
    served = PlainRegistry(t, lambda token: token and token == server.newest())
    home.run("profile", "set", "strict", "helper-hosts", f"http://{served.host}").expect(0)
    installed = Installed(home, ".docker/config.json", "{}\n", "docker", "--profile", "strict")
    look = ["skopeo", "inspect", "--tls-verify=false", f"docker://{served.host}/a:latest"]
    run(home, *look, env={"REGISTRY_AUTH_FILE": str(installed.path)}).expect(0, out="schemaVersion|Digest")
    same(served.tokens(), [server.newest()], "tokens that came")
    other = PlainRegistry(t, lambda _: False)
    installed.path.write_text(installed.path.read_text().replace(f'"{served.host}":', f'"{other.host}":'))
    check(run(home, *look[:3], f"docker://{other.host}/a:latest", env={"REGISTRY_AUTH_FILE": str(installed.path)}).code != 0, "another port")
    same(other.tokens(), [], "tokens that came to another registry")


@test
def cargo_uses_the_helper_that_is_installed(t):
    rig.need("cargo")
    server = strict.serve(t, expires_in=3600)
    home = strict.logged_in(t, server)
    served = Crates(t, lambda token: token and token == server.newest())
    home.run("profile", "set", "strict", "helper-hosts", served.host).expect(0)
    text = f'# mine\n[registries]\nserved = {{ index = "sparse+https://{served.host}/" }} # the one\n'
    installed = Installed(home, ".cargo/config.toml", text, "cargo", "--profile", "strict")
    (home.folder / "src").mkdir()
    (home.folder / "src/lib.rs").write_text("")
    needs = '[dependencies]\nhelped = { version = "1", registry = "served" }\n'
    (home.folder / "Cargo.toml").write_text('[package]\nname = "a"\nversion = "1.0.0"\nedition = "2021"\n' + needs)
    cargo(home, "fetch").expect(0, err="Downloaded helped|Downloading")
    same(set(filter(None, served.seen)), {f"Bearer {server.newest()}"}, "headers")
    installed.end()
    shutil.rmtree(home.folder / ".cargo/registry")
    (home.folder / "Cargo.lock").unlink()
    cargo(home, "fetch").expect(101)


@test
def kubectl_uses_the_helper_that_is_installed_and_writes_its_file_anew(t):
    rig.need("kubectl")
    home, id_token = with_id_token(t)
    served = Cluster(t, lambda token: token == id_token)
    home.run("profile", "set", "sandbox", "helper-hosts", served.host).expect(0)
    ca = base64.b64encode((rig.pki() / "ca.crt").read_bytes()).decode()
    text = f"""# mine
apiVersion: v1
kind: Config
clusters:
- name: c
  cluster:
    server: https://{served.host}
    certificate-authority-data: {ca}
users:
- name: other
  user:
    username: a
contexts:
- name: x
  context: {{cluster: c, user: other}}
current-context: x
"""
    installed = Installed(home, ".kube/config", text, "kubectl", "--profile", "sandbox")
    user = re.search(r"--user=(\S+)", home.run("helper", "kubectl", "--help").out)
    check(user, "the help says how a context uses it")
    kubectl = ["kubectl", "--kubeconfig", installed.path, "--user", "oauthctl-sandbox", "get", "--raw", "/version"]
    run(home, *kubectl).expect(0, out="v1.30.0")
    installed.end()
    # what the hint says makes kubectl write the file anew; the helper goes from it all the same
    installed = Installed(home, ".kube/config", text, "kubectl", "--profile", "sandbox")
    run(home, "kubectl", "--kubeconfig", installed.path, "config", "set-context", "--current", "--user=oauthctl-sandbox").expect(0)
    run(home, *kubectl[:3], *kubectl[5:]).expect(0, out="v1.30.0")
    same(set(served.tokens()), {id_token}, "tokens that came")
    run(home, "kubectl", "--kubeconfig", installed.path, "config", "set-context", "--current", "--user=other").expect(0)
    installed.text = re.sub(r"- name: oauthctl-sandbox\n( .*\n)+", "", installed.path.read_text())
    installed.end()


@test
def pip_and_uv_use_the_helper_that_is_installed(t):
    for tool, variable in ((pip, "PIP_KEYRING_PROVIDER"), (uv, "UV_KEYRING_PROVIDER")):
        server = strict.serve(t, expires_in=3600)
        home = strict.logged_in(t, server)
        index = Index(t, lambda token: token and token == server.newest())
        home.run("profile", "set", "strict", "helper-hosts", index.host).expect(0)
        (home.folder / ".local/bin").mkdir(parents=True)
        home.env["PATH"] = f"{home.folder}/.local/bin:{home.env['PATH']}"
        run(home, "oauthctl", "helper", "install", "keyring", "--profile", "strict", "--yes").expect(0, err=f"{variable}=subprocess")
        tool(home, index.host).expect(0)
        same(index.tokens(), [server.newest()], "tokens that came")
        home.run("helper", "uninstall", "keyring", "--yes").expect(0)
        check(not (home.folder / ".local/bin/keyring").exists(), "the script should be gone")
        shutil.rmtree(home.folder / index.host)
        check(tool(home, index.host).code != 0, "without the helper there is no token")


class Packages(Tls):
    """A registry of npm packages with one package."""

    challenges = ()

    def page(self, request, body):
        packed = package_of_one_line()
        if request.path == "/helped":
            dist = {"tarball": f"https://{self.host}/helped/-/helped-1.0.0.tgz", "shasum": hashlib.sha1(packed).hexdigest()}
            versions = {"1.0.0": {"name": "helped", "version": "1.0.0", "dist": dist}}
            about = {"name": "helped", "dist-tags": {"latest": "1.0.0"}, "versions": versions}
            return 200, json.dumps(about).encode(), ("Content-Type", "application/json")
        if request.path == "/helped/-/helped-1.0.0.tgz":
            return 200, packed
        return 404, b"{}"


@functools.cache
def package_of_one_line():
    packed, about = io.BytesIO(), b'{"name": "helped", "version": "1.0.0"}'
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        entry = tarfile.TarInfo("package/package.json")
        entry.size = len(about)
        tar.addfile(entry, io.BytesIO(about))
    return packed.getvalue()


@test
def pnpm_uses_the_helper_that_is_installed_and_no_other_registry_gets_the_token(t):
    # the package `pnpm` only puts this one in its place, by a script
    program = next(rig.Path(__file__).resolve().parent.glob("pnpm/node_modules/@pnpm/*/pnpm"), None)
    if not program:
        raise rig.Skip(f"pnpm is not there: {rig.why_missing('npm')}")
    server = strict.serve(t, expires_in=3600)
    home = strict.logged_in(t, server)
    served, other = Packages(t, lambda token: token and token == server.newest()), Packages(t, lambda _: False)
    home.run("profile", "set", "strict", "helper-hosts", served.host).expect(0)

    def pnpm(registry):
        project = home.folder / f"project-{registry.host.rpartition(':')[2]}"
        project.mkdir(exist_ok=True)
        (project / "package.json").write_text('{"name": "a", "version": "1.0.0"}')
        words = ["--dir", project, "add", "helped", "--registry", f"https://{registry.host}/"]
        return run(home, program, *words, env={"SSL_CERT_FILE": str(rig.pki() / "ca.crt"), "CI": "1"})

    installed = Installed(home, ".npmrc", f"cafile={rig.pki() / 'ca.crt'}\n", "pnpm", "--profile", "strict")
    pnpm(served).expect(0)
    same(served.tokens(), [server.newest()], "tokens that came")
    check(pnpm(other).code != 0, "the other registry should have refused")
    same(other.tokens(), [], "tokens that came to another registry")
    installed.end()


@test
def googles_library_uses_the_helper_that_is_installed(t):
    home, id_token, sts, google = with_google(t)
    home.run("profile", "set", "sandbox", "helper-hosts", "iam.googleapis.com").expect(0)
    audience = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q"
    run(home, "oauthctl", "helper", "install", "google", "--profile", "sandbox", "--host", audience, "--yes").expect(0)
    same(google("default()").expect(0).token, "of-google", "the exchanged token")
    same([(form["audience"], form["subject_token"]) for form in sts.forms], [(audience, id_token)], "tokens that came")
    home.run("helper", "uninstall", "google", "--yes").expect(0)
    google("default()").expect(1, err="DefaultCredentialsError")
    same(len(sts.forms), 1, "requests")


@test
def go_uses_the_helper_that_is_installed(t):
    server = strict.serve(t, expires_in=3600)
    home = strict.logged_in(t, server)
    modules = Modules(t, lambda token: token and token == server.newest())
    home.run("profile", "set", "strict", "helper-hosts", modules.host).expect(0)
    program = os.environ.get("GO") or shutil.which("go")
    if not program:
        raise rig.Skip(f"go is not there: {rig.why_missing('go')}")
    installed = Installed(home, ".config/go/env", "GONOSUMDB=*\nGOAUTH=netrc\n", "goauth", "--profile", "strict")
    env = {"GOPROXY": f"https://{modules.host}", "GOTOOLCHAIN": "local", "GOPATH": str(home.folder / "go"), "GOENV": str(installed.path)}
    env |= {"GOCACHE": str(home.folder / "go/cache"), "SSL_CERT_FILE": str(rig.pki() / "ca.crt")}
    (home.folder / "go.mod").write_text("module a.example\n")
    run(home, program, "list", "-m", "-versions", "mod.example", env=env).expect(0, out="mod.example v1.0.0 v1.1.0")
    installed.end()


class ModuleRegistry(Tls):
    """A registry of Terraform's with one module, whose files are nowhere."""

    def page(self, request, body):
        as_json = ("Content-Type", "application/json")
        if request.path == "/.well-known/terraform.json":
            return 200, b'{"modules.v1": "/v1/"}', as_json
        if request.path == "/v1/a/b/c/versions":
            return 200, b'{"modules": [{"versions": [{"version": "1.0.0"}]}]}', as_json
        if request.path == "/v1/a/b/c/1.0.0/download":
            return 204, b"", ("X-Terraform-Get", "file:///nowhere")
        return 404, b""


@test
def terraform_uses_the_helper_that_is_installed(t):
    rig.need("terraform")
    server = strict.serve(t, expires_in=3600)
    home = strict.logged_in(t, server)
    served, other = ModuleRegistry(t, lambda token: token and token == server.newest()), ModuleRegistry(t, lambda _: False)
    for at in (served, other):
        # Terraform wants a dot in the name
        at.host = at.host.replace("localhost", "127.0.0.1")
    home.run("profile", "set", "strict", "helper-hosts", served.host).expect(0)
    installed = Installed(home, ".terraformrc", "disable_checkpoint = true", "terraform", "--profile", "strict")

    def terraform(at):
        (home.folder / "main.tf").write_text(f'module "m" {{\n  source  = "{at.host}/a/b/c"\n  version = "1.0.0"\n}}\n')
        return run(home, "terraform", "init", "-no-color", env={"SSL_CERT_FILE": str(rig.pki() / "ca.crt")})

    # the registry has answered all questions
    terraform(served).expect(1, err="/nowhere|nowhere")
    same(served.tokens(), [server.newest()], "tokens that came")
    check(terraform(other).code != 0, "the other registry should have refused")
    same(other.tokens(), [], "tokens that came to another registry")
    installed.end()
    served.seen.clear()
    check(terraform(served).code != 0 and not served.tokens(), "without the helper there is no token")


# ---- recipes ---------------------------------------------------------------------------------------------------------


def recipe(beginning, **words):
    """A block of `help recipes`, with other words for some."""
    blocks = (rig.ROOT / "src/command/topics/recipes.md").read_text().split("```")[1::2]
    text = next(text for text in (block.partition("\n")[2] for block in blocks) if text.startswith(beginning))
    ours = {"token work": "token strict"} if "token work" in text else {}
    for one, other in (ours | words).items():
        check(one in text, f"no `{one}` in this recipe: {text}")
        text = text.replace(one, other)
    return text


class Mail(socketserver.ThreadingTCPServer):
    """An SMTP server over TLS that lets nobody in without a token, by one of two mechanisms."""

    daemon_threads = True

    def __init__(self, t, mechanism, who):
        self.mechanism, self.who, self.seen, self.mails = mechanism, who, [], []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(rig.pki() / "server.crt", rig.pki() / "server.key")
        super().__init__(("127.0.0.1", 0), Mail.Talk)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        t.enter(self)

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    class Talk(socketserver.StreamRequestHandler):
        timeout = rig.PATIENCE

        def handle(self):
            server, lines = self.server, (line.decode().strip() for line in self.rfile)
            self.say("220 the tests")
            for line in lines:
                verb = line.split()[0].upper()
                if verb in ("EHLO", "LHLO"):
                    self.say("250-the tests", f"250 AUTH {server.mechanism}")
                elif verb == "AUTH":
                    _, mechanism, *first = line.split()
                    if not first:
                        self.say("334 ")
                    server.seen.append((mechanism, base64.b64decode(first[0] if first else next(lines)).decode()))
                    self.say("235 ok" if server.who(server.seen[-1][1]) else "535 no")
                elif verb == "DATA":
                    self.say("354 go on")
                    server.mails.append([line for line in iter(lambda: next(lines), ".")])
                    self.say("250 ok")
                elif verb == "QUIT":
                    return self.say("221 bye")
                else:
                    self.say("250 ok")

        def say(self, *lines):
            self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@test
def msmtp_sends_a_mail_with_a_fresh_token(t):
    rig.need("msmtp")
    for mechanism, start, end in (
        ("XOAUTH2", "user=ann@example.com", ""),
        ("OAUTHBEARER", "n,a=ann@example.com,", "\1host=localhost\1port={port}"),
    ):
        server = strict.serve(t, expires_in=1)
        home = strict.logged_in(t, server)
        strict.stale(server)
        mail = Mail(t, mechanism, lambda said: server.newest() in said)
        port = mail.server_address[1]
        words = {"smtp.example.com": "localhost", "465": str(port), "xoauth2": mechanism.lower()}
        more = f"tls_trust_file {rig.pki() / 'ca.crt'}\naccount default : work\n"
        (home.folder / ".msmtprc").write_text(recipe("account work", **words) + more)
        (home.folder / ".msmtprc").chmod(0o600)
        run(home, "msmtp", "-t", input="To: ben@example.com\nSubject: hello\n\nhello\n").expect(0)
        first = f"{start}{end.format(port=port)}\1auth=Bearer {server.newest()}\1\1"
        same(mail.seen, [(mechanism, first)], "the first response")
        check("hello" in mail.mails[0], "the mail should be there")
        # the same from the program itself
        words = ["--format", f"sasl-{mechanism.lower()}", "--user", "ann@example.com", *(["--server", f"localhost:{port}"] if end else [])]
        same(base64.b64decode(home.run("token", "strict", *words).expect(0).out).decode(), first, "its own first response")
        same([e["outcome"] for e in server.refreshes()], ["renewed"], "refreshes")


@test
def git_send_email_sends_a_patch_with_a_fresh_token(t):
    rig.need("git", "msmtp")
    if not (pathlib.Path(subprocess.check_output(["git", "--exec-path"], text=True).strip()) / "git-send-email").exists():
        raise rig.Skip("not installed: apt-get install git-email")
    server = strict.serve(t, expires_in=1)
    home = strict.logged_in(t, server)
    strict.stale(server)
    mail = Mail(t, "XOAUTH2", lambda said: server.newest() in said)
    words = {"smtp.example.com": "localhost", "465": str(mail.server_address[1])}
    (home.folder / ".msmtprc").write_text(recipe("account work", **words) + f"tls_trust_file {rig.pki() / 'ca.crt'}\n")
    (home.folder / ".msmtprc").chmod(0o600)
    git(home, "init", "-q", "work")
    for name, value in (("user.name", "Ann"), ("user.email", "ann@example.com"), ("sendemail.confirm", "never")):
        git(home, "config", "--global", name, value)
    git(home, "-C", "work", "commit", "-q", "--allow-empty", "-m", "nothing")
    (home.folder / "work/hello").write_text("hello\n")
    git(home, "-C", "work", "add", "hello")
    git(home, "-C", "work", "commit", "-q", "-m", "hello")
    git(home, "-C", "work", "format-patch", "-q", "-1", "-o", home.folder).expect(0)
    line = recipe("git config --global sendemail")
    run(home, "sh", "-ec", line, env={"GIT_TERMINAL_PROMPT": "0"}).expect(0)
    same(mail.seen, [("XOAUTH2", f"user=ann@example.com\1auth=Bearer {server.newest()}\1\1")], "the first response")
    check(any("[PATCH] hello" in line for line in mail.mails[0]), "the patch should be there")
    same([e["outcome"] for e in server.refreshes()], ["renewed"], "refreshes")


class Imap(socketserver.ThreadingTCPServer):
    """An IMAP server over TLS with one mail, for whoever shows a token by XOAUTH2."""

    daemon_threads = True

    def __init__(self, t, who):
        self.who, self.seen = who, []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(rig.pki() / "server.crt", rig.pki() / "server.key")
        super().__init__(("127.0.0.1", 0), Imap.Talk)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        t.enter(self)

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    class Talk(socketserver.StreamRequestHandler):
        timeout = rig.PATIENCE
        MAIL = "Subject: hello\r\n\r\nhello\r\n"
        ANSWERS = {
            "CAPABILITY": ["* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2"],
            "SELECT": ["* 1 EXISTS", "* OK [UIDVALIDITY 1] ok", "* OK [UIDNEXT 2] ok", "* FLAGS ()", "* OK [PERMANENTFLAGS ()] ok"],
            "FETCH FLAGS": ["* 1 FETCH (UID 1 FLAGS ())"],
            "FETCH BODY": [f"* 1 FETCH (UID 1 BODY[] {{{len(MAIL)}}}\r\n{MAIL})"],
        }

        def handle(self):
            self.say("* OK the tests")
            for tag, verb, *rest in (line.decode().split() for line in self.rfile):
                ok = True
                if verb == "AUTHENTICATE":
                    self.server.seen.append((rest[0], base64.b64decode(rest[1]).decode()))
                    ok = self.server.who(self.server.seen[-1][1])
                if verb == "UID":
                    verb = "FETCH BODY" if "BODY" in rest[-1] else "FETCH FLAGS"
                self.say(*self.ANSWERS.get(verb, []), f"{tag} {'OK' if ok else 'NO'} done")
                if verb == "LOGOUT":
                    return

        def say(self, *lines):
            self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@test
def mbsync_fetches_a_mail_with_a_fresh_token(t):
    rig.need("mbsync")
    if not glob.glob("/usr/lib/*/sasl2/*xoauth2*.so"):
        raise rig.Skip("not installed: apt-get install libsasl2-modules-kdexoauth2")
    server = strict.serve(t, expires_in=1)
    home = strict.logged_in(t, server)
    strict.stale(server)
    mail = Imap(t, lambda said: server.newest() in said)
    more = {"SSLType IMAPS": f"SSLType IMAPS\nCertificateFile {rig.pki() / 'ca.crt'}"}
    words = {"imap.example.com": "localhost", "993": str(mail.server_address[1]), **more}
    (home.folder / ".mbsyncrc").write_text(recipe("IMAPAccount work", **words))
    (home.folder / "Mail").mkdir()
    run(home, "mbsync", "work").expect(0)
    same(mail.seen, [("XOAUTH2", f"user=ann@example.com\1auth=Bearer {server.newest()}\1\1")], "the first response")
    (came,) = (home.folder / "Mail/Inbox/new").iterdir()
    check("Subject: hello" in came.read_text(), "the mail should be there")
    same([e["outcome"] for e in server.refreshes()], ["renewed"], "refreshes")


@test
def cron_keeps_a_login_in_use(t):
    rig.only_root("starts cron, in a file system of its own")
    rig.need("cron", "unshare")
    server = strict.serve(t, expires_in=1)
    home = strict.logged_in(t, server)
    strict.stale(server)
    (line,) = re.findall(r"`(0 \* \* \* \* [^`]*)`", (rig.ROOT / "src/command/topics/recipes.md").read_text().replace("\n", " "))
    bin = home.folder / "bin"
    bin.mkdir(exist_ok=True)
    (bin / "oauthctl").symlink_to(os.path.realpath(rig.program()))
    names = "".join(f"{name}={value}\n" for name, value in (home.env | {"PATH": f"{bin}:/usr/bin:/bin"}).items())
    (home.folder / "crontab").write_text(f"{names}{line.replace('0 *', '* *', 1)} >> {home.folder}/log 2>&1\n")
    place = "for at in /var/spool/cron /etc/cron.d /run; do mount -t tmpfs none $at; done; mkdir -m 700 /var/spool/cron/crontabs"
    put = f"install -m 600 {home.folder}/crontab /var/spool/cron/crontabs/root; mount --bind /dev/null /etc/crontab; exec cron -f"
    t.ends(subprocess.Popen(["unshare", "-m", "sh", "-ec", f"{place}; {put}"], stdin=subprocess.DEVNULL))
    # cron looks once a minute
    rig.wait_until(lambda: server.refreshes(), "a refresh by cron", 75)
    check(server.good(home.run("token", "strict").expect(0).token), "the login should be alive")


def database(t, password):
    """PostgreSQL's port: there ann has this password."""
    folder = max(glob.glob("/usr/lib/postgresql/*/bin"), default=None)
    if not folder:
        raise rig.Skip("not installed: apt-get install postgresql")
    data = t.enter(tempfile.TemporaryDirectory(prefix="pg-"))
    # as root it refuses to run
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
    if user:
        os.chown(data, 65534, 65534)
    with open(f"{data}/first", "w") as file:
        file.write(password)

    def does(program, *words):
        line = [*user, f"{folder}/{program}", "-D", f"{data}/d", *words]
        done = subprocess.run(line, cwd="/", capture_output=True, text=True, timeout=rig.PATIENCE)
        same(done.returncode, 0, f"exit code of {program} ({done.stdout}{done.stderr})")

    does("initdb", "-A", "scram-sha-256", "-U", "ann", f"--pwfile={data}/first", "--no-sync")
    port = rig.free_port()
    words = ["-h", "localhost", "-p", port, "-k", "", "-c", "fsync=off", "-D", f"{data}/d"]
    log = t.enter(tempfile.TemporaryFile())
    t.ends(subprocess.Popen([*user, f"{folder}/postgres", *map(str, words)], cwd="/", stdout=log, stderr=log))
    return port


@test
def curl_psql_and_httpie_have_the_token(t):
    rig.need("curl", "http", "psql")
    server = strict.serve(t, expires_in=3600)
    home = strict.logged_in(t, server)
    api = Cluster(t, lambda token: token == server.newest())
    # the managed databases that take a token take it as the password
    port = database(t, server.newest())
    rig.wait_until(lambda: run(home, "pg_isready", "-h", "localhost", "-p", str(port)).code == 0, "the database")
    words = {"api.example.com/me": f"{api.host}/", "--server db.example.com": f"--server localhost:{port}", "-h db.example.com": "-h localhost"}
    line = "set -e\n" + recipe("oauthctl token work --format curl", **words).replace("http --auth", "http --ignore-stdin --auth")
    ca = str(rig.pki() / "ca.crt")
    env = {"CURL_CA_BUNDLE": ca, "REQUESTS_CA_BUNDLE": ca, "PGPORT": str(port), "PSQLRC": "/dev/null"}
    done = run(home, "sh", "-c", line, env=env, input="select 6 * 7 as answer;").expect(0)
    same(len(re.findall(r"v1\.30\.0", done.out)), 2, f"answers of the API in {done.out}")
    check(re.search(r"^ +42$", done.out, re.M), f"no answer of the database in {done.out}")
    same(set(api.seen), {f"Bearer {server.newest()}"}, "headers")


SCHEMA = """
import json, jsonschema, sys
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
for line in sys.stdin:
    print(jsonschema.Draft202012Validator(schema).is_valid(json.loads(line)))
"""


@test
def the_json_of_a_token_is_as_its_schema_has_it(t):
    home, _ = with_id_token(t)
    access, identity = (home.run("token", "sandbox", "--format", "json", *more).expect(0).json() for more in ([], ["--id-token"]))
    wrong = [access | identity, {"profile": "sandbox"}, access | {"expires_in": -1}, access | {"refresh_token": "x"}]
    lines = "".join(f"{json.dumps(said)}\n" for said in (access, identity, *wrong))
    schema = rig.ROOT / "src/command/token-v1.schema.json"
    done = run(home, "/usr/bin/python3", "-c", SCHEMA, schema, input=lines).expect(0)
    same(done.out.split(), ["True"] * 2 + ["False"] * len(wrong), "what fits the schema")


# ---- systemd ---------------------------------------------------------------------------------------------------------

# As systemd reads a credential (read_full_file_full): from an address with a name, to the end.
READS = """
import os, socket, sys
if sys.argv[3:]:
    os.setuid(int(sys.argv[3]))
s = socket.socket(socket.AF_UNIX)
s.bind(b"\\0" + sys.argv[2].encode())
s.connect(sys.argv[1])
while part := s.recv(65536):
    sys.stdout.write(part.decode())
"""


@test
def systemd_hands_a_unit_the_token_of_its_credential_and_another_user_gets_none(t):
    rig.need("systemd-socket-activate")
    server = strict.serve(t, expires_in=1)
    home = strict.logged_in(t, server)
    strict.stale(server)
    # where another user gets to
    at = pathlib.Path(t.enter(tempfile.TemporaryDirectory(prefix="socket-"))) / "s"
    at.parent.chmod(0o711)
    line = ["systemd-socket-activate", "--accept", "--inetd", f"--listen={at}", *(f"--setenv={name}" for name in home.env)]
    line += [os.path.realpath(rig.program()), "helper", "systemd", "token=strict"]
    log = t.enter(tempfile.TemporaryFile("w+"))
    listening = subprocess.Popen(line, env=home.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def read(name, *user):
        words = [sys.executable, "-c", READS, at, f"{os.urandom(8).hex()}{name}", *user]
        return subprocess.run(map(str, words), capture_output=True, text=True, timeout=rig.PATIENCE, check=True).stdout

    try:
        rig.wait_until(at.exists, "the socket")
        token = read("/unit/a.service/token")
        same(token, server.newest(), "the credential")
        same([e["outcome"] for e in server.refreshes()], ["renewed"], "refreshes")
        same(read("/unit/a.service/other"), "", "another credential")
        same(read(""), "", "what an address without a unit gets")
        if os.getuid() == 0:
            at.chmod(0o777)
            same(read("/unit/a.service/token", 65534), "", "what another user gets")
    finally:
        listening.terminate()
        listening.wait(rig.PATIENCE)
    log.seek(0)
    said = log.read()
    check("no profile is for the credential `other` of `a.service`" in said, f"the log says why: {said}")
    check(os.getuid() != 0 or "another user asks for the credential" in said, f"the log says why: {said}")
    check(token not in said, "no token belongs in the log")


# ---- run -------------------------------------------------------------------------------------------------------------


@test
def run_gives_a_command_its_token_and_takes_its_exit_code_and_hands_signals_on(t):
    server = strict.serve(t, expires_in=1)
    home = strict.logged_in(t, server)
    strict.stale(server)
    done = home.run("run", "strict", "--env", "A", "--", "sh", "-c", 'echo "$A"; cat; exit 9', stdin="typed").expect(9)
    same(done.out, f"{server.newest()}\ntyped", "what the command said")
    same([e["outcome"] for e in server.refreshes()], ["renewed"], "refreshes")
    # what a shell starts in the background ignores INT and QUIT, and can't trap them
    for number, name in enumerate(("TERM", "USR1", "USR2", "ALRM", "WINCH"), 1):
        traps = f'trap "exit {number}" {name}; echo $$; while :; do sleep 0.05; done'
        process = home.start("run", "strict", "--", "sh", "-c", traps)
        # it has taken the place of the program
        same(int(process.stdout.readline()), process.pid, "the command's process id")
        process.send_signal(getattr(signal, f"SIG{name}"))
        same(home.collect(process).code, number, f"exit code of a command that got {name}")
    (home.folder / "text").write_text("no program")
    home.run("run", "strict", "--", "no-such-command").expect(127, err="`no-such-command` was not found")
    home.run("run", "strict", "--", home.folder / "text").expect(126, err="can't be run")


if __name__ == "__main__":
    rig.main(globals())

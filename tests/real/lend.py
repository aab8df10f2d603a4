#!/usr/bin/env python3
"""`lend`: access tokens for another machine, through a socket that sshd or a mount carries. What goes through it, who may use it,
and that nothing of a login ever does."""

import contextlib
import json
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time

import rig
import strict
from rig import check, same, test


class Lending:
    """A lender under way: its process, its socket, and what it has said."""

    def __init__(self, t, home, *argv, env=None, under=()):
        self.process = home.start("lend", *argv, env=env, under=under)
        self._said = b""
        self.path = self.process.stdout.readline().decode().strip()
        check(self.path, lambda: f"no socket: {self.process.stderr.read().decode()}")
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with contextlib.suppress(ValueError, OSError):
            while part := self.process.stderr.read(4096):
                self._said += part

    def said(self):
        return self._said.decode(errors="replace")

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(rig.PATIENCE)

    def asked(self, request, wait=rig.PATIENCE):
        """The answer to whatever is sent."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(wait)
            client.connect(self.path)
            client.sendall(request)
            return received(client)


def received(client):
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(65536):
            answer += part
    return answer


REQUEST = b'{"oauthctl":1,"profile":"strict"}\n'


def lent(t, *argv, lifetime=3600, server=None, **more):
    server = server or strict.serve(t, expires_in=lifetime)
    home = strict.logged_in(t, server)
    server.forget()
    return server, home, Lending(t, home, "strict", *argv, **more)


def borrower(t, lender, server=None):
    """Another machine's home, without a login and, but for this provider, without anything."""
    home = t.home(OAUTHCTL_SOCKET=lender.path, OAUTHCTL_STORE="file")
    if server:
        home.provider("strict", server.provider_file())
    return home


def secrets_of(server):
    return [token for login in server.logins.values() for token in login.tokens]


# ---- what goes through it --------------------------------------------------------------------------------------------


@test
def the_access_token_goes_through_and_nothing_else(t):
    server, home, lender = lent(t)
    other = borrower(t, lender)
    token = other.run("token", "strict").expect(0).token
    same(token, server.newest(), "the token")
    answer = lender.asked(REQUEST)
    told = json.loads(answer)
    same(told["token"]["access_token"], token, "the token in the answer")
    same(sorted(told["token"]["bound"]), ["described", "environment", "places", "provider", "vars"], "what it is bound to")
    for secret in secrets_of(server):
        check(secret.encode() not in answer, "no refresh token may go through")
    other.run("run", "strict", "--", "printenv", "OAUTHCTL_STRICT_TOKEN").expect(0, out=token)
    other.run("token", "strict", "--format", "json").expect(0, out=token)
    for path, content in other.files().items():
        check(token.encode() not in content, f"{path} holds the token")
    wait_for_lines(lender, r"Z strict: lent to process \d+ \(`oauthctl`\)$", 3)
    check(token not in lender.said(), "the lender's lines may hold no token")
    there = borrower(t, lender, server)
    for target in (["--scope", "zzz"], ["--audience", "zzz"], ["--resource", "https://other.example"]):
        other.run("token", "strict", *target).expect(2, err="the main token of `strict` is lent, and no other one")
        same(there.run("token", "strict", *target).expect(4, err=f"was not made for `{target[0]} ").out, "", "what is printed")
    there.run("call", "strict", "/me", "--scope", "zzz").expect(4, err="was not made for `--scope zzz`")
    other.run("token", "mail").expect(2, err=["no token is lent for `mail`", 'answered "`mail` is not lent, but `strict`"'])


def wait_for_lines(lender, pattern, count):
    rig.wait_until(lambda: len(re.findall(pattern, lender.said(), re.M)) >= count, lambda: f"{pattern}: {lender.said()}")


@test
def commands_of_the_borrower(t):
    server, home, lender = lent(t)
    other = borrower(t, lender, server)
    other.run("call", "strict", "/me").expect(0)
    other.run("status", "strict").expect(0, out=["store +lent: through /", "next .*asks the machine that lends it"])
    (other.config / "config.toml").write_text('[profiles.strict]\nprovider = "strict"\nhelper-hosts = ["git.example.com"]\n')
    asked = "protocol=https\nhost=git.example.com\n\n"
    other.run("helper", "git", "--profile", "strict", "get", stdin=asked).expect(0, out=re.escape(server.newest()))
    for verb in (["login", "strict"], ["logout", "strict"], ["refresh", "strict"], ["list"], ["lend", "strict"], ["export", "strict"], ["store", "test"]):
        other.run(*verb).expect(2, err=[f"`{verb[0]}` is for logins of this machine", "unset OAUTHCTL_SOCKET"])
    other.run("profile", "set-secret", "strict", "-", stdin="a-secret\n").expect(5, err="unset OAUTHCTL_SOCKET")
    for flag in ("--force-refresh", "--no-refresh"):
        other.run("token", "strict", flag).expect(2, err=["is lent", "oauthctl refresh strict"])
    there = "hint: on the machine that lends it: oauthctl login strict"
    other.run("token", "strict", "--id-token").expect(2, err=["no ID token"])
    other.run("token", "strict", "--scope", "zzz").expect(4, err=["was not made for `--scope zzz`", there])
    other.run("status", "strict", "--check", "--within", "7d").expect(0)
    other.run("run", "strict", "--", "printenv", "OAUTHCTL_SOCKET").expect(1, out="")
    t.home(OAUTHCTL_SOCKET=lender.path).run("token").expect(2, err="name one of those that `oauthctl lend` names")
    same(server.refreshes(), [], "refreshes")
    same([p for p in other.files() if "/state/" in p and "limits" not in p], [], "files among the borrower's state")


@test
def the_borrowers_own_login_is_left_alone(t):
    server, home, lender = lent(t)
    own = strict.logged_in(t, server)
    mine = own.run("token", "strict").expect(0).token
    same(own.run("token", "strict", env={"OAUTHCTL_SOCKET": lender.path}).expect(0).token, home.run("token", "strict").token, "the lent token")
    same(own.run("token", "strict").expect(0).token, mine, "its own token")
    lender.end()
    own.run("token", "strict", env={"OAUTHCTL_SOCKET": lender.path}).expect(5, err=["no token is lent through", "oauthctl help ssh"])


@test
def a_token_goes_only_to_where_it_was_obtained_for(t):
    server, home, lender = lent(t)
    other = borrower(t, lender)
    foreign = t.scripted()
    text = server.provider_file()
    other.provider("strict", re.sub('base-url = "[^"]*"', f'base-url = "{foreign.base}/api"', text))
    other.run("call", "strict", "/me").expect(7, err=["the API of `strict` has changed since the login", "nothing was sent"])
    other.provider("strict", text.replace('id = "strict"', 'id = "another"'))
    (other.config / "providers" / "another.toml").write_text(text.replace('id = "strict"', 'id = "another"'))
    (other.config / "providers" / "strict.toml").unlink()
    (other.config / "config.toml").write_text('[profiles.strict]\nprovider = "another"\n')
    other.run("token", "strict").expect(7, err=["from the provider `strict`, not from `another`", "on the machine that lends it: oauthctl login"])
    same(foreign.requests, [], "requests at the other host")


@test
def two_hundred_borrowers_cause_one_refresh(t):
    server = strict.serve(t, expires_in=2)
    server, home, lender = lent(t, server=server)
    other = borrower(t, lender)
    time.sleep(1.1)
    strict.stale(server)
    crowd = strict.crowd(t, other, 200, "token", "strict")
    same(crowd.tally(), {0: 200}, f"exit codes\n{crowd.errors_of(75) or crowd.errors_of(5)}")
    same(set(crowd.outputs), {server.newest() + "\n"}, "outputs")
    same(len(server.refreshes()), 1, "refreshes")
    strict.figure(f"200 borrowers on one expired token: 1 token request, {crowd.seconds:.1f} s")


@test
def a_longer_lifetime_can_not_be_asked_for_again_and_again(t):
    server, home, lender = lent(t, lifetime=600)
    other = borrower(t, lender)
    for _ in range(5):
        other.run("token", "strict", "--min-ttl", "2h").expect(0, err="this token expires in")
    same(len(server.refreshes()), 0, "refreshes within a minute of the login")


@test
def a_token_that_is_bound_to_a_key_is_not_lent(t):
    op = t.oidc_provider()
    home = t.home(OAUTHCTL_STORE="file")
    home.provider("rig", op.provider_file())
    home.run("login", "rig", "--client-id", "public", "--dpop", env={"BROWSER": t.browser()}).expect(0)
    home.run("lend", "rig").expect(2, err=["bound to a key, which stays here", "oauthctl proxy rig"])


# ---- who may use it --------------------------------------------------------------------------------------------------


@test
def the_socket_is_private_and_goes_with_the_lender(t):
    server, home, lender = lent(t)
    mode = lambda path: stat.S_IMODE(os.lstat(path).st_mode)
    same((mode(lender.path), mode(os.path.dirname(lender.path))), (0o600, 0o700), "the modes of the socket and its folder")
    home.run("lend", "strict").expect(75, err=["another process listens at", "--socket"])
    same(lender.end(signal.SIGINT), 130, "exit code")
    check(not os.path.exists(lender.path), "the socket should be gone")
    killed = Lending(t, home, "strict")
    killed.end(signal.SIGKILL)
    check(os.path.exists(killed.path), "a killed lender leaves its socket")
    again = Lending(t, home, "strict")
    same(borrower(t, again).run("token", "strict").expect(0).token, server.newest(), "the token")
    same(again.end(), 143, "exit code")
    same(os.listdir(os.path.dirname(again.path) + "/.")  and [p for p in os.listdir(os.path.dirname(again.path)) if "sock" in p], [], "left behind")


@test
def an_unsafe_place_is_refused(t):
    server, home, lender = lent(t)
    open_folder = t.folder / "open"
    open_folder.mkdir()
    open_folder.chmod(0o777)
    home.run("lend", "strict", "--socket", str(open_folder / "s")).expect(7, err=["other users can write", "mkdir -m 700"])
    own = t.folder / "own"
    own.mkdir(mode=0o700)
    victim = own / "victim"
    victim.write_text("mine")
    (own / "link").symlink_to(victim)
    for name in ("victim", "link"):
        home.run("lend", "strict", "--socket", str(own / name)).expect(2, err="is no socket of yours")
    same(victim.read_text(), "mine", "the file that was there")
    home.run("lend", "strict", "--socket", str(own / ("x" * 120))).expect(5, err="at most 100 bytes")
    home.run("lend", "strict", "--socket", str(own / "mistyped" / "s")).expect(2, err=["there is no folder", "mkdir -m 700"])
    check(not (own / "mistyped").exists(), "no folder should be made")


@test
def another_user_gets_nothing_and_is_asked_nothing(t):
    rig.only_root("acts as another user")
    rig.need("setpriv")
    server, home, lender = lent(t)
    nobody = pwd.getpwnam("nobody").pw_uid
    as_nobody = ["setpriv", "--reuid", str(nobody), "--regid", str(nobody), "--clear-groups"]
    # the file's modes alone don't decide
    shared = t.folder / "shared"
    shared.mkdir(mode=0o755)
    for folder in [t.folder, *t.folder.parents][:3]:
        folder.chmod(folder.stat().st_mode | 0o011)
    second = Lending(t, home, "strict", "--socket", str(shared / "s"))
    os.chmod(second.path, 0o666)
    ask = f"import socket,sys; c=socket.socket(socket.AF_UNIX); c.settimeout(20); c.connect(sys.argv[1]); c.sendall({REQUEST!r}); print(c.recv(65536))"
    told = subprocess.run([*as_nobody, rig.PYTHON, "-c", ask, second.path], capture_output=True, text=True, timeout=rig.PATIENCE, check=False)
    check("access_token" not in told.stdout, f"another user got {told}")
    check("ResetError" in told.stderr or "BrokenPipe" in told.stderr or told.stdout.strip() == "b''", f"a closed connection expected: {told}")
    # and a socket of another user's: its answer would be a token of another account
    theirs = t.folder / "theirs"
    theirs.mkdir(mode=0o777)
    theirs.chmod(0o777)
    listen = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); print('up', flush=True); c,_=s.accept(); print(c.recv(9999), flush=True)"
    server_of = subprocess.Popen([*as_nobody, rig.PYTHON, "-c", listen, str(theirs / "s")], stdout=subprocess.PIPE, text=True)
    t.ends(server_of)
    same(server_of.stdout.readline(), "up\n", "the other user's server")
    os.chmod(theirs / "s", 0o666)
    other = t.home(OAUTHCTL_SOCKET=str(theirs / "s"))
    user = os.geteuid()
    ran = other.run("token", "strict")
    ran.expect(7, err=[f"served by the user {nobody}, not by you", "unset OAUTHCTL_SOCKET"])
    same(server_of.stdout.readline(), "b''\n", f"what user {user} sent")


@test
def noise_neither_ends_nor_delays_it(t):
    server, home, lender = lent(t)
    other = borrower(t, lender)
    for noise in (b"\n", b"GET / HTTP/1.1\r\n\r\n", b"{}\n", b'{"oauthctl":2,"profile":"strict"}\n', b"\xff\xfe\n", b"[" * 4000 + b"\n"):
        check(b'"error"' in lender.asked(noise), f"{noise[:20]} should be answered by an error")
    same(lender.asked(b"x" * 100_000), b"", "the answer to a line that is too long")
    for request, answer in ((REQUEST, b'"access_token"'), (REQUEST.strip(), b'"access_token"'), (REQUEST[:-3], b'"error"')):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(rig.PATIENCE)
            client.connect(lender.path)
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            check(answer in received(client), f"{request}, then the end of what is sent, should be answered by {answer}")
    idle = []
    for _ in range(100):
        client = socket.socket(socket.AF_UNIX)
        client.connect(lender.path)
        client.send(b"{")
        idle.append(client)
    same(other.run("token", "strict").expect(0).token, server.newest(), "the token beside 100 slow clients")
    for client in idle:
        client.settimeout(rig.PATIENCE)
        same(client.recv(1), b"", "a slow client is closed")
        client.close()
    for _ in range(50):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(lender.path)
            client.sendall(REQUEST)
    other.run("token", "strict").expect(0)


def scripted_lender(t):
    """A socket of one's own and the answers that it gives, one after the other."""
    path = t.folder / "s"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    answers = []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                client.recv(9999)
                with contextlib.suppress(OSError):
                    client.sendall(answers.pop(0))
                client.close()

    threading.Thread(target=serve, daemon=True).start()
    t._stack.callback(listener.close)
    return path, answers


@test
def what_is_no_lender_is_told_from_one(t):
    home = t.home()
    path, answers = scripted_lender(t)
    bad = json.dumps({"oauthctl": 1, "token": {"access_token": "a b\nc", "token_type": "Bearer", "age": 0, "bound": {}}}).encode()
    bound = {"provider": "x", "environment": None, "vars": {}, "places": {}}
    tricks = {"provider": "x", "renaming": {"from": "a", "to": "b"}, "refresh_token": "R" * 20, "bound": bound, "token_type": "Bearer", "age": 0}
    token = lambda **more: json.dumps({"oauthctl": 1, "token": tricks | {"access_token": "an-access-token"} | more}).encode()
    for answer, code, words in [
        (b"", 75, ["closed without an answer", "is `oauthctl lend` still running"]),
        (b"<html>", 7, "can't be read"),
        (b'{"oauthctl":9}', 7, "version 9"),
        (b'{"oauthctl":1}', 7, "has no token"),
        (bad, 7, "its token has blanks"),
        (b"x" * 600_000, 7, "too long"),
        (json.dumps({"oauthctl": 1, "error": {"kind": "login_first", "message": "\x1b[2Jgone\nhint: rm", "hints": ["do ::this"]}}).encode(), 4, ['^caused by: the lender answered ".*gone hint: rm"', "hint: on the machine that lends it: `oauthctl login getresponse`"]),
        (token(), 7, "obtained from the provider"),
        (token(token_type="mac"), 7, 'of the type "mac"'),
        (token(scopes=["read\x1b[2J"]), 7, "act on a screen"),
        (token(bound={"provider": "x"}), 7, "to which places"),
    ]:
        answers.append(answer)
        ran = home.run("token", "getresponse", env={"OAUTHCTL_SOCKET": path})
        ran.expect(code, err=words)
        check("\x1b" not in ran.err and "::this" not in ran.err, f"a lender's words should be made safe\n{ran}")
    same([p for p in home.files() if "renam" in p], [], "files")


@test
def a_lifetime_beyond_belief_is_bounded(t):
    server, home, lender = lent(t)
    told = json.loads(lender.asked(REQUEST))
    path, answers = scripted_lender(t)
    other = t.home(OAUTHCTL_SOCKET=path, OAUTHCTL_STORE="file")
    other.provider("strict", server.provider_file())
    for bounded, code, words in (({"expires_in": 2**62, "age": -(2**62)}, 0, ""), ({"expires_in": -(2**63), "age": 2**62}, 75, "has expired")):
        answers.append(json.dumps({"oauthctl": 1, "token": told["token"] | bounded}).encode())
        other.run("token", "strict").expect(code, err=words)


# ---- what its user says ----------------------------------------------------------------------------------------------


@test
def each_request_is_asked_at_the_terminal(t):
    server = strict.serve(t)
    home = strict.logged_in(t, server)
    folder = t.folder / "s"
    folder.mkdir(mode=0o700)
    terminal = home.at_terminal("lend", "strict", "--confirm", "--socket", str(folder / "s"))
    terminal.expect("through this socket")
    other = t.home(OAUTHCTL_SOCKET=str(folder / "s"))
    rig.wait_until((folder / "s").exists, "the socket")
    asking = other.start("token", "strict")
    terminal.expect(r"Lend an access token of `strict` to process \d+")
    terminal.type("y")
    same(other.collect(asking).expect(0).token, server.newest(), "the token")
    asking = other.start("token", "strict")
    terminal.expect(r"Lend an access token of `strict` to process \d+")
    terminal.type("n")
    other.collect(asking).expect(3, err="the lender's user said no")
    gone = other.start("token", "strict")
    terminal.expect(r"Lend an access token of `strict` to process \d+")
    terminal.press("\x03")
    terminal.end().expect(130)
    other.collect(gone).expect(130)
    check(not (folder / "s").exists(), "the socket should be gone")


@test
def without_a_terminal_the_askpass_program_is_asked(t):
    server = strict.serve(t)
    home = strict.logged_in(t, server)
    home.run("lend", "strict", "--confirm").expect(2, err=["there is no terminal", "SSH_ASKPASS"])
    program, words = t.folder / "asks", t.folder / "words"
    program.write_text(f'#!/bin/sh\necho "$SSH_ASKPASS_PROMPT $1" >> {words}\ntest ! -e {words}.no\n')
    program.chmod(0o700)
    lender = Lending(t, home, "strict", "--confirm", env={"SSH_ASKPASS": program})
    other = borrower(t, lender)
    other.run("token", "strict").expect(0)
    check(re.fullmatch(r"confirm Lend an access token of `strict` to process \d+ \(`oauthctl`\)\?\n", words.read_text()), words.read_text())
    (t.folder / "words.no").touch()
    other.run("token", "strict").expect(3, err="said no")
    wait_for_lines(lender, r"strict: not lent to process \d+ .*said no", 1)


@test
def a_profile_is_lent_once(t):
    server, home, lender = lent(t, "strict")
    rig.wait_until(lambda: "access tokens of `strict` are lent" in lender.said(), lender.said)


@test
def a_practice_token_is_of_no_use_elsewhere(t):
    home = t.home(OAUTHCTL_STORE="file")
    home.run("login", "sandbox", env={"BROWSER": t.browser()}).expect(0)
    other = borrower(t, Lending(t, home, "sandbox"))
    other.run("call", "sandbox", "/me").expect(4, err="a practice server takes only its own tokens")


@test
def it_ends_after_its_time(t):
    server, home, lender = lent(t, "--for", "2s")
    same(lender.process.wait(rig.PATIENCE), 0, "exit code")
    rig.wait_until(lambda: "the time is over" in lender.said(), lender.said)
    check(not os.path.exists(lender.path), "the socket should be gone")


# ---- what carries it -------------------------------------------------------------------------------------------------


@test
def sshd_carries_it(t):
    rig.need("ssh", "ssh-keygen", "/usr/sbin/sshd")
    server, home, lender = lent(t)
    folder = t.folder / "ssh"
    folder.mkdir(mode=0o700)
    for key in ("host", "mine"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True, timeout=rig.PATIENCE)
    shutil.copy(folder / "mine.pub", folder / "authorized")
    port = rig.free_port()
    (folder / "sshd").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\n"
        f"PidFile none\nStreamLocalBindUnlink yes\nPermitRootLogin yes\nPasswordAuthentication no\n"
    )
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)
    sshd = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", folder / "sshd"], stderr=subprocess.DEVNULL)
    t.ends(sshd)
    rig.wait_until(lambda: rig.answers(port), "sshd")
    remote = folder / "remote.sock"
    user = pwd.getpwuid(os.geteuid()).pw_name
    client = ["ssh", "-F", "none", "-i", folder / "mine", "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={folder}/known", "-o", "BatchMode=yes", "-p", str(port)]
    other = t.home()
    command = f"OAUTHCTL_CONFIG_DIR={other.config} OAUTHCTL_STATE_DIR={other.state} OAUTHCTL_SOCKET={remote} {rig.program()} token strict"
    for _ in range(2):  # the second one finds the first one's socket
        told = subprocess.run(
            [*client, "-R", f"{remote}:{lender.path}", f"{user}@127.0.0.1", command], capture_output=True, text=True, timeout=rig.PATIENCE, check=False
        )
        check(told.stdout == server.newest() + "\n", f"the token through ssh -R expected: {told}")
    wait_for_lines(lender, r"strict: lent to process \d+ \(`ssh`\)$", 2)


@test
def a_mount_carries_it_into_a_container_without_a_network(t):
    rig.only_root("mounts")
    rig.need("unshare")
    server, home, lender = lent(t)
    inside = t.folder / "inside"
    inside.mkdir()
    other = t.home(OAUTHCTL_SOCKET=str(inside / os.path.basename(lender.path)))
    script = f'mount --bind {os.path.dirname(lender.path)} {inside} && exec "$@"'
    under = ["unshare", "--mount", "--net", "--pid", "--fork", "sh", "-c", script, "sh"]
    same(other.run("token", "strict", under=under).expect(0).token, server.newest(), "the token")


rig.main(globals())

#!/usr/bin/env python3
"""Every fault of a store: nothing is spent that can't be saved; what was spent is saved by the next command; clear words.

Each fault is put in the way of `token` with an expired, rotating, single-use refresh token. Then either no request reached the
server, or the answer is kept, and the next command, without the fault, goes on with it.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess

import rig
import strict
from rig import check, same, test

CALLS = "openat,write,pwrite64,fsync,fdatasync,fallocate,rename,renameat,renameat2,unlink,unlinkat,flock,read,getrandom"
JOURNAL, PROBE_OR_SAVE, STORE, LOCK = r"/journal/\w+\.journal", r"/store/.*\.new", r"/store", r"/locks/"

# the call, what its line in the trace holds, which of those, the error; and what must come of it: `kept` (nothing is sent),
# `later` (sent, exit 74, saved by the next command), `done` (it works all the same)
INJECTED = [
    ("openat", LOCK, 1, "EACCES", "kept"),
    ("flock", LOCK, 1, "ENOLCK", "kept"),
    ("openat", r"/store/strict-\w+\.sealed", 1, "EIO", "kept"),
    ("openat", r"/store/key", 1, "EACCES", "kept"),
    ("read", r"\.sealed>", 1, "EIO", "kept"),
    ("openat", JOURNAL + r".*O_CREAT", 1, "EROFS", "kept"),
    ("openat", JOURNAL + r".*O_CREAT", 1, "EMFILE", "kept"),
    ("openat", JOURNAL + r".*O_CREAT", 1, "ENOSPC", "kept"),
    ("fallocate", JOURNAL, 1, "ENOSPC", "kept"),
    ("fallocate", JOURNAL, 1, "EDQUOT", "kept"),
    ("fallocate", JOURNAL, 1, "EIO", "kept"),
    ("pwrite64", JOURNAL, 1, "ENOSPC", "kept"),
    ("pwrite64", JOURNAL, 1, "EIO", "kept"),
    ("fsync", JOURNAL, 1, "EIO", "kept"),
    ("fsync", JOURNAL, 1, "EDQUOT", "kept"),
    ("fsync", r"/journal>", 1, "EIO", "kept"),
    ("openat", PROBE_OR_SAVE, 1, "EROFS", "kept"),
    ("openat", PROBE_OR_SAVE, 1, "EMFILE", "kept"),
    ("write", PROBE_OR_SAVE, 1, "ENOSPC", "kept"),
    ("write", PROBE_OR_SAVE, 1, "EDQUOT", "kept"),
    ("write", PROBE_OR_SAVE, 1, "EIO", "kept"),
    ("fsync", PROBE_OR_SAVE, 1, "EIO", "kept"),
    ("pwrite64", JOURNAL, 2, "EIO", "kept"),
    ("pwrite64", JOURNAL, 3, "EIO", "done"),
    ("pwrite64", JOURNAL, 3, "ENOSPC", "done"),
    ("fdatasync", JOURNAL, 1, "EIO", "done"),
    ("openat", PROBE_OR_SAVE, 2, "EMFILE", "later"),
    ("openat", PROBE_OR_SAVE, 2, "EROFS", "later"),
    ("fsync", PROBE_OR_SAVE, 2, "EIO", "later"),
    ("fsync", PROBE_OR_SAVE, 2, "ENOSPC", "later"),
    ("rename|renameat|renameat2", r"\.sealed", 1, "EIO", "later"),
    ("rename|renameat|renameat2", r"\.sealed", 1, "ENOSPC", "later"),
    ("fsync", r"/store>", 1, "EIO", "later"),
]
# strace counts the calls of each process by itself, and a fault that is meant for the helper would hit its starter first:
# without a pipe to it there is no helper, and everything is done in one process
ALONE = ["-e", "inject=pipe2:error=EMFILE"]
WORDS = {
    "ENOSPC": "no space", "EDQUOT": "quota|no space", "EIO": "input/output error", "EROFS": "read-only", "EMFILE": "too many open files",
    "EACCES": "permission denied|denied", "ENOLCK": "no locks",
}  # fmt: skip


class Scene:
    def __init__(self, t, **env):
        self.t = t
        self.server = strict.serve(t)
        self.home = strict.logged_in(t, self.server, **env)
        text = (self.home.config / "config.toml").read_text()
        (self.home.config / "config.toml").write_text("cache = false\n" + text)
        strict.stale(self.server)
        self.saved = strict.copy_home(self.home, t.folder / "saved")
        self.before = self.server.state()

    def back(self):
        strict.put_back(self.home, self.saved)
        self.server.restore(self.before)

    def traced(self):
        """The calls of a run that goes well: (thread, name, line), in order."""
        rig.look_inside()
        out = self.t.folder / "calls"
        self.home.run("token", "strict", under=["strace", "-f", "-qq", "-y", "-s", "300", "-o", out, "-e", f"trace={CALLS},pipe2", *ALONE]).expect(0)
        lines = [re.match(r"(\d+) +(\w+)\((.*)", line) for line in out.read_text().splitlines()]
        self.back()
        return [m.groups() for m in lines if m]


def place(calls, names, pattern, which):
    """The name and the number, within its thread, of the call that is meant."""
    counts, found = {}, []
    for thread, name, line in calls:
        counts[thread, name] = counts.get((thread, name), 0) + 1
        if name in names.split("|") and re.search(pattern, line):
            found.append((name, counts[thread, name]))
    if which == "last":
        return found[-1] if found else None
    return found[which - 1] if len(found) >= which else None


def judge(server, ran, promised, name):
    """What came of it, against what was promised; then the next command without the fault."""
    sent = [e["outcome"] for e in server.refreshes()]
    came = "kept" if not sent else "later" if ran.code == 74 else "done" if ran.code == 0 else f"sent and exit {ran.code}"
    check(came == promised, lambda: f"{name}: {promised} promised, {came} seen (requests: {sent})\n{ran}")
    if promised == "kept":
        check(ran.code in (5, 75) and ran.out == "", f"{name}: exit 5 expected\n{ran}")
    # an injected `write` may be that of the message itself
    if promised != "done" and " on write " not in name:
        check("error: " in ran.err and "hint: " in ran.err, f"{name}: what, why and what next\n{ran}")
    return sent


def afterwards(scene, promised, name):
    again = scene.home.run("token", "strict")
    check(again.code == 0 and scene.server.good(again.token), lambda: f"{name}: then\n{again}")
    same([e["outcome"] for e in scene.server.refreshes()], ["renewed"], f"{name}: requests in all")
    scene.home.run("refresh", "strict").expect(0)
    same(scene.server.reuses, 0, f"{name}: reuse")
    left = [p.name for p in (scene.home.state).rglob("*") if p.name.endswith((".journal", ".new"))]
    same(left, [], f"{name}: left behind")


def row(name, ran, sent, promised):
    print(f"    {name:58} exit {ran.code:2}  {len(sent)} request(s)  {promised}", flush=True)


@test
def every_system_call_that_fails(t):
    scene = Scene(t)
    calls = scene.traced()
    missing = []
    for names, pattern, which, error, promised in INJECTED:
        name = f"{error} on {names.split('|')[0]} {which} of {pattern}"
        # a thread may make a call more or less than in the run that was looked at: then the fault hit another one
        for _ in range(6):
            found = place(calls, names, pattern, which)
            if not found:
                break
            call, number = found
            log = t.folder / "injected"
            under = ["strace", "-f", "-qq", "-y", "-s", "300", "-o", log, "-e", f"trace={call},pipe2", *ALONE]
            under += ["-e", f"inject={call}:error={error}:when={number}"]
            ran = scene.home.run("token", "strict", under=under)
            if any("INJECTED" in line and "pipe2" not in line and re.search(pattern, line) for line in log.read_text().splitlines()):
                break
            scene.back()
            calls = scene.traced()
            found = None
        if not found:
            missing.append(name)
            continue
        sent = judge(scene.server, ran, promised, name)
        if promised != "done" and call != "write":
            check(re.search(WORDS[error], ran.err, re.I), f"{name}: the reason\n{ran}")
        row(name, ran, sent, promised)
        afterwards(scene, promised, name)
        scene.back()
    same(missing, [], "calls that the program does not make")


@test
def a_call_that_goes_on_failing(t):
    """Not one call but all of them from then on: the disk is broken, not hiccuping."""
    scene = Scene(t)
    calls = scene.traced()
    for names, pattern, which, error, promised in [
        ("fsync", JOURNAL, 1, "EIO", "kept"),
        ("fsync", PROBE_OR_SAVE, 2, "EIO", "later"),
        ("pwrite64", JOURNAL, 3, "EIO", "done"),
    ]:
        name = f"{error} on {names} from {which} of {pattern} on"
        call, number = place(calls, names, pattern, which)
        under = ["strace", "-f", "-qq", "-o", t.folder / "injected", "-e", f"trace={call},pipe2", *ALONE]
        ran = scene.home.run("token", "strict", under=[*under, "-e", f"inject={call}:error={error}:when={number}+"])
        sent = judge(scene.server, ran, promised, name)
        row(name, ran, sent, promised)
        afterwards(scene, promised, name)
        scene.back()


# T-63: neither the journal nor the store takes the answer: it is said as it is
@test
def neither_journal_nor_store_takes_the_answer(t):
    scene = Scene(t)
    calls = scene.traced()
    commit, number = place(calls, "pwrite64", JOURNAL, 3)
    rename, _ = place(calls, "rename|renameat|renameat2", r"\.sealed", 1)
    under = ["strace", "-f", "-qq", "-o", t.folder / "injected", "-e", f"trace={commit},{rename},pipe2", *ALONE]
    under += ["-e", f"inject={commit}:error=EIO:when={number}", "-e", f"inject={rename}:error=EIO:when=1+"]
    ran = scene.home.run("token", "strict", under=under)
    ran.expect(74, err=["could not be saved", "journal .* could not be written either", "oauthctl login strict"])
    same(ran.out, "", "stdout")
    scene.back()
    # a hiccup of half a second is waited out
    under[-1] = f"inject={rename}:error=EIO:when=1"
    ran = scene.home.run("token", "strict", under=under).expect(0)
    afterwards(scene, "done", "a hiccup")


@test
def too_few_open_files(t):
    scene = Scene(t)
    seen = set()
    for limit in range(4, 16):
        ran = scene.home.run("token", "strict", under=["sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh"])
        sent = [e["outcome"] for e in scene.server.refreshes()]
        row(f"ulimit -n {limit}", ran, sent, "")
        check(ran.code in (0, 5, 7, 74, 75), str(ran))
        check(ran.code in (0, 74) or not sent, f"ulimit -n {limit}: spent and not saved\n{ran}")
        check("panicked" not in ran.err, f"ulimit -n {limit}\n{ran}")
        seen.add(ran.code)
        for path in scene.home.state.glob("journal/*.trouble"):
            path.unlink()
        afterwards(scene, "", f"ulimit -n {limit}")
        scene.back()
    check(0 in seen and len(seen) > 1, f"exit codes {seen}")


@contextlib.contextmanager
def mounted(folder, options):
    rig.only_root("can mount a file system")
    folder.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True, check=False)
    if made.returncode:
        raise rig.Skip(f"no tmpfs can be mounted here: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def fill(folder, leave):
    with open(folder / "ballast", "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        file.truncate(max(0, file.tell() - leave))


@test
def a_disk_that_is_full_or_read_only(t):
    scene = Scene(t)
    with mounted(scene.home.state, "size=1m,mode=0700"):
        for leave in (0, 4096, 65536, 270336):
            shutil.copytree(scene.saved, scene.home.state, dirs_exist_ok=True)
            fill(scene.home.state, leave)
            ran = scene.home.run("token", "strict")
            sent = judge(scene.server, ran, "kept", f"a disk with {leave} bytes left")
            check(re.search("no space", ran.err, re.I), str(ran))
            row(f"a disk with {leave} bytes left", ran, sent, "kept")
            (scene.home.state / "ballast").unlink()
            afterwards(scene, "kept", f"a disk with {leave} bytes left")
            for name in os.listdir(scene.home.state):
                shutil.rmtree(scene.home.state / name)
            scene.server.restore(scene.before)
        shutil.copytree(scene.saved, scene.home.state, dirs_exist_ok=True)
        subprocess.run(["mount", "-o", "remount,ro", scene.home.state], check=True)
        ran = scene.home.run("token", "strict")
        sent = judge(scene.server, ran, "kept", "a read-only disk")
        check(re.search("read-only", ran.err, re.I), str(ran))
        row("a read-only disk", ran, sent, "kept")
        subprocess.run(["mount", "-o", "remount,rw", scene.home.state], check=True)
        afterwards(scene, "kept", "a read-only disk")


@test
def a_job_is_told_that_a_full_or_read_only_disk_keeps_no_token(t):
    server, home = t.scripted(), t.home(OAUTHCTL_STORE="file")
    server.on["/token"] = rig.answer(200, {"access_token": "a-token-of-the-job", "token_type": "Bearer", "expires_in": 3600})
    home.provider("rig", server.provider_file(more="client-credentials.supported = true"))
    (home.config / "config.toml").write_text('[profiles.job]\nprovider = "rig"\nclient-id = "job"\ngrant = "client-credentials"\n')
    with mounted(home.state, "size=1m,mode=0700"):
        home.run("refresh", "job").expect(0, err=r"\Ajob: refreshed")
        subprocess.run(["mount", "-o", "remount,ro", home.state], check=True)
        for words in (["refresh", "job"], ["token", "job", "--force-refresh"], ["refresh", "--all"]):
            home.run(*words).expect(0, err=r"(?i)\Awarning: the token is not stored: .*read-only")
        home.run("token", "job").expect(0, out=r"\Aa-token-of-the-job\n\Z", err=r"\A\Z")
        subprocess.run(["mount", "-o", "remount,rw", home.state], check=True)
        fill(home.state, 0)
        home.run("refresh", "job").expect(0, err=r"(?i)warning: the token is not stored: .*(no space|full)")


@test
def the_disk_fills_up_while_the_server_is_asked(t):
    scene = Scene(t)
    scene.server.hold()
    with mounted(scene.home.state, "size=1m,mode=0700"):
        shutil.copytree(scene.saved, scene.home.state, dirs_exist_ok=True)
        running = scene.home.start("token", "strict")
        rig.wait_until(lambda: scene.server.connections, "the request", of=running)
        fill(scene.home.state, 0)
        scene.server.let_go()
        ran = scene.home.collect(running, "token", "strict")
        sent = judge(scene.server, ran, "later", "a disk that fills up in the middle")
        check(re.search("no space", ran.err, re.I) and "next command saves it" in ran.err, str(ran))
        row("a disk that fills up in the middle", ran, sent, "later")
        again = scene.home.run("token", "strict").expect(74)
        same(len(scene.server.refreshes()), 1, "requests while it is still full")
        check("next command saves it" in again.err, str(again))
        (scene.home.state / "ballast").unlink()
        afterwards(scene, "later", "a disk that fills up in the middle")


@test
def a_full_disk_keeps_no_answer_of_call_and_loses_none(t):
    server, home = t.scripted(), t.home(OAUTHCTL_STORE="file")
    server.on["/token"] = rig.answer(200, {"access_token": "a-token-of-the-cache", "token_type": "Bearer"})
    server.on |= {f"/v1/{name}": rig.answer(200, {"name": name, "more": "x" * 8192}) for name in ("old", "new")}
    home.provider("rig", server.provider_file())

    def asked(name):
        before = len(server.to(f"/v1/{name}"))
        same(home.run("call", "rig", f"/{name}", "--cache", "1h").expect(0).json()["name"], name, "the answer")
        return len(server.to(f"/v1/{name}")) - before

    with mounted(home.state, "size=1m,mode=0700"):
        login = rig.Listening(home, "rig", "--client-id", "public")
        login.redirect()
        login.end().expect(0)
        same([asked("old"), asked("old")], [1, 0], "requests, with room")
        for leave in (0, 4096):
            fill(home.state, leave)
            same([asked("new"), asked("new"), asked("old")], [1, 1, 0], f"requests, with {leave} bytes left")
            same([p.name for p in home.state.rglob("*.new")], [], "what a failed write left")
            (home.state / "ballast").unlink()
        same([asked("new"), asked("new")], [1, 0], "requests, with room again")


@test
def folders_and_files_that_are_not_what_they_should_be(t):
    scene = Scene(t)
    state = scene.home.state

    def damaged():
        [sealed] = (state / "store").glob("*.sealed")
        data = bytearray(sealed.read_bytes())
        data[-20] ^= 1
        sealed.write_bytes(data)

    def instead(path, make):
        shutil.rmtree(path, ignore_errors=True)
        if path.exists():
            path.unlink()
        make(path)

    def journal_is_a_link():
        folder = state / "journal"
        name = next((state / "locks").glob("*.lock")).stem
        (folder / f"{name}.journal").symlink_to("/etc/passwd")

    for name, act in {
        "the record is damaged": damaged,
        "the key file is gone": lambda: (state / "store/key").unlink(),
        "the key file is cut short": lambda: (state / "store/key").write_bytes(b"short"),
        "the key file is a folder": lambda: instead(state / "store/key", lambda p: p.mkdir()),
        "the journal's folder is a file": lambda: instead(state / "journal", lambda p: p.write_bytes(b"")),
        "the journal's folder is a link": lambda: instead(state / "journal", lambda p: p.symlink_to("/tmp")),
        "the journal is a link": journal_is_a_link,
        "the locks' folder is a file": lambda: instead(state / "locks", lambda p: p.write_bytes(b"")),
        "the store's folder is a file": lambda: instead(state / "store", lambda p: p.write_bytes(b"")),
    }.items():
        act()
        ran = scene.home.run("token", "strict")
        sent = judge(scene.server, ran, "kept", name)
        row(name, ran, sent, "kept")
        scene.back()
        afterwards(scene, "kept", name)
        scene.back()


# ---- the keychain --------------------------------------------------------------------------------------------------------


def in_keychain(t):
    keyring = t.keyring()
    server = strict.serve(t)
    home = strict.logged_in(t, server, keyring)
    strict.stale(server)
    return keyring, server, home


# T-64
@test
def a_keychain_that_is_locked(t):
    keyring, server, home = in_keychain(t)
    keyring.lock()
    ran = home.run("token", "strict")
    row("the keychain is locked", ran, judge(server, ran, "kept", "locked"), "kept")
    check("locked" in ran.err and ran.seconds < 20, str(ran))


@test
def a_keychain_that_is_stopped(t):
    keyring, server, home = in_keychain(t)
    os.kill(keyring.daemon, signal.SIGSTOP)
    try:
        ran = home.run("token", "strict")
    finally:
        os.kill(keyring.daemon, signal.SIGCONT)
    row("the keychain is stopped", ran, judge(server, ran, "kept", "stopped"), "kept")
    check(ran.seconds < 20, str(ran))
    check(server.good(home.run("token", "strict").expect(0).token), "the next one")


def in_the_middle(t, act):
    keyring, server, home = in_keychain(t)
    server.hold()
    running = home.start("token", "strict")
    rig.wait_until(lambda: server.connections, "the request", of=running)
    act(keyring)
    server.let_go()
    ran = home.collect(running, "token", "strict")
    sent = judge(server, ran, "later", "in the middle")
    check("next command saves it" in ran.err, str(ran))
    return keyring, server, home, ran, sent


@test
def a_keychain_that_stops_in_the_middle(t):
    keyring, server, home, ran, sent = in_the_middle(t, lambda k: os.kill(k.daemon, signal.SIGSTOP))
    os.kill(keyring.daemon, signal.SIGCONT)
    row("the keychain stops in the middle", ran, sent, "later")
    check(server.good(home.run("token", "strict").expect(0).token), "the next command should have the new token")
    same(len(server.refreshes()), 1, "requests in all")


@test
def a_keychain_that_is_locked_in_the_middle(t):
    _, server, home, ran, sent = in_the_middle(t, lambda k: k.lock())
    row("the keychain is locked in the middle", ran, sent, "later")
    home.run("token", "strict").expect(5, err="locked")
    same(len(server.refreshes()), 1, "requests in all")


@test
def a_keychain_that_dies_in_the_middle(t):
    _, server, home, ran, sent = in_the_middle(t, lambda k: os.kill(k.daemon, signal.SIGKILL))
    row("the keychain dies in the middle", ran, sent, "later")
    home.run("token", "strict").expect(5)
    same(len(server.refreshes()), 1, "requests in all")


if __name__ == "__main__":
    rig.main(globals())

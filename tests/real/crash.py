#!/usr/bin/env python3
"""T-62, C-31: kill -9 at every system call of `token`, `refresh`, `login` and `logout`, against three manners of server: no login lost.

The one exception has a name: at a server that takes each refresh token once, from the moment the request is out until the
answer is in the journal, whoever kills the whole process tree kills the only copy of the successor. The process that a person
started can be killed even then: its helper goes on.

    tests/real/crash.py            a sample of the points, and all of the dangerous ones
    tests/real/crash.py --all      every point
"""

import os
import stat
import sys
import time

import rig
import strict
from rig import check, test
from strict import tracer

ALL = "--all" in sys.argv[1:]
if ALL:
    sys.argv.remove("--all")
SAMPLE = 12 if not ALL else 10**9  # points of a sweep besides the dangerous ones
MANNERS = ("none", "grace", "strict")
MAGIC, ANSWER_AT = b"octljrn1", 4096
# points of the window seen in one sweep: each point is a run of its own, and threads take turns in their own order
WINDOW = 10


class Scene:
    """A home and a server that can both be set back to the moment before the command."""

    def __init__(self, t, manner, cache=False):
        self.t, self.manner = t, manner
        self.server = strict.serve(t, manner)
        self.home = strict.logged_in(t, self.server)
        if not cache:
            text = (self.home.config / "config.toml").read_text()
            (self.home.config / "config.toml").write_text("cache = false\n" + text)
        strict.stale(self.server)
        self.saved = strict.copy_home(self.home, t.folder / f"saved-{manner}")
        self.before = self.server.state()
        self.store = self.sealed()

    def back(self):
        strict.put_back(self.home, self.saved)
        self.server.restore(self.before)

    def sealed(self):
        return {p.name: p.read_bytes() for p in (self.home.state / "store").glob("*.sealed")}

    def journal(self):
        """Whether an answer lies in the journal, whole."""
        for path in (self.home.state / "journal").glob("*.journal"):
            data = path.read_bytes()
            if data[ANSWER_AT : ANSWER_AT + 8] == MAGIC:
                return True
        return False

    def run(self, argv, at=None, victim="all"):
        """The command, killed there; the trace and what it printed."""
        out, err = self.t.folder / "out", self.t.folder / "err"
        env = self.home._environment({"BROWSER": strict.browser(self.t)} if argv[0] == "login" else None)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        fds = [os.open(out, flags, 0o600), os.open(err, flags, 0o600)]
        try:
            traced = tracer.run([rig.program(), *argv], env, self.home.folder, *fds, at, victim)
        finally:
            for fd in fds:
                os.close(fd)
        return traced, out.read_text(), err.read_text()

    def nothing_lies_open(self):
        for path in self.home.state.rglob("*"):
            mode = stat.S_IMODE(path.lstat().st_mode)
            check(mode == (0o700 if path.is_dir() else 0o600), f"{path} has mode {mode:o}")
            if path.is_file():
                check(b"-of-the-tests-" not in path.read_bytes(), f"{path} holds a token in plain text")


def points(calls):
    """All points, or a sample that holds the dangerous ones: from the connection on to what follows the journal's commit."""
    names = [tracer.NAMES.get(c, str(c)) for c in calls]
    count = len(names)
    chosen = set(range(1, count + 1, max(1, count // SAMPLE)))
    if "connect" in names and "pwrite64" in names:
        committed = count - 1 - names[::-1].index("pwrite64")
        chosen |= set(range(max(names.index("connect"), committed - 40) + 1, min(committed + 6, count) + 1))
    return sorted(chosen), names


def whole_or_nothing(out, server, what):
    check(out == "" or (out.endswith("\n") and out.count("\n") == 1 and server.good(out[:-1])), f"{what}: stdout {out!r}")


def sweep(t, manner, argv, victim="all"):
    """Every point: killed there, run again, judged. The table's row, and the points at which the login was lost."""
    scene = Scene(t, manner)
    traced, out, err = scene.run(argv)
    check(traced.code == 0, f"without a kill: exit code {traced.code}\n{err}")
    chosen, names = points(traced.calls)
    lost, slowest, swept = [], 0.0, 0
    for at in chosen:
        scene.back()
        traced, out, err = scene.run(argv, at, victim)
        if traced.killed_at is None:
            continue  # it took fewer calls this time
        swept += 1
        what = f"{' '.join(argv)} at call {at} ({traced.killed_at}), {manner}"
        if argv[0] == "token":
            whole_or_nothing(out, scene.server, what)
        scene.nothing_lies_open()
        if victim == "started":
            # the helper goes on by itself
            rig.wait_until(lambda: not holders(scene.home), "the helper's end")
        newer = scene.journal() or scene.sealed() != scene.store
        spent = [e["outcome"] for e in scene.server.refreshes()]
        revoked = any(e["grant"] == "revoke" for e in scene.server.log)
        again = scene.home.run("token", "strict")
        slowest = max(slowest, again.seconds)
        scene.nothing_lies_open()
        if argv[0] == "logout":
            check(again.code in (0, 4), f"{what}: then\n{again}")
            check(not (again.code == 0 and revoked), f"{what}: a revoked login came back\n{again}")
            scene.home.run("logout", "strict").expect(0)
            scene.home.run("token", "strict").expect(4)
            left = [p for p in scene.home.state.rglob("*") if p.name.endswith((".journal", ".new", ".sealed"))]
            check(not left, f"{what}: left behind: {left}")
            continue
        if again.code == 0:
            check(scene.server.good(again.token), f"{what}: the token printed then is not good\n{again}")
            check(not (newer and len(scene.server.refreshes()) > len(spent) and scene.server.reuses), f"{what}: an old token was sent though a newer one was here")
            scene.home.run("refresh", "strict").expect(0)
            check(scene.server.reuses == 0, f"{what}: a spent token was sent")
        else:
            check(again.code == 4, f"{what}: then\n{again}")
            check(not newer, f"{what}: lost, though the successor was here")
            check(scene.server.reuses <= 1, f"{what}: a spent token was sent {scene.server.reuses} times")
            check("renewed" in spent or scene.server.reuses, f"{what}: lost, though nothing had been spent\n{again}")
            lost.append((at, traced.killed_at))
    return swept, lost, slowest, len(names)


def holders(home):
    """Whether somebody holds a lock of this home."""
    import fcntl

    for path in (home.state / "locks").glob("*.lock"):
        with open(path, "rb+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False


def table(t, argv, victim="all"):
    total = 0
    result = {}
    for manner in MANNERS:
        began = time.monotonic()
        swept, lost, slowest, of = sweep(t, manner, argv, victim)
        result[manner] = lost
        total += swept
        who = {"all": "all processes killed", "started": "only the started process killed", "helper": "only the helper killed"}[victim]
        print(
            f"    {' '.join(argv):22} {who}, {manner:6}: {swept} of {of} points, lost {len(lost)}"
            f"{' ' + ', '.join(f'{n}@{a}' for a, n in lost) if lost else ''}; next run at most {slowest:.2f} s ({time.monotonic() - began:.0f} s)",
            flush=True,
        )
    return result


def judged(result, window):
    for manner in ("none", "grace"):
        check(not result[manner], f"{manner}: lost at {result[manner]}")
    check(len(result["strict"]) <= window, f"strict: {len(result['strict'])} points lost, {window} at most expected: {result['strict']}")


@test
def a_stale_token_whose_whole_process_tree_is_killed(t):
    judged(table(t, ["token", "strict"]), WINDOW)


@test
def a_stale_token_whose_started_process_is_killed(t):
    judged(table(t, ["token", "strict"], victim="started"), 0)


@test
def a_further_token_whose_whole_process_tree_is_killed(t):
    judged(table(t, ["token", "strict", "--scope", "a"]), WINDOW)


@test
def a_further_token_whose_started_process_is_killed(t):
    judged(table(t, ["token", "strict", "--scope", "a"], victim="started"), 0)


def only_in_full():
    if not ALL:
        print("    (in the long form only: it is the way of `token`)", flush=True)
    return not ALL


@test
def a_refresh_whose_whole_process_tree_is_killed(t):
    only_in_full() or judged(table(t, ["refresh", "strict"]), WINDOW)


@test
def a_refresh_whose_started_process_is_killed(t):
    only_in_full() or judged(table(t, ["refresh", "strict"], victim="started"), 0)


@test
def a_refresh_whose_helper_alone_is_killed(t):
    only_in_full() or judged(table(t, ["refresh", "--all"], victim="helper"), WINDOW)


@test
def a_second_login(t):
    judged(table(t, ["login", "strict"]), 0)


@test
def a_logout(t):
    table(t, ["logout", "strict"])


if __name__ == "__main__":
    rig.main(globals())

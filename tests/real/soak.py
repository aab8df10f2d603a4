#!/usr/bin/env python3
"""Minutes of renewals, readers and kills: no login lost, and no file, lock or process left over. Not among the parts of a full run.

    tests/real/soak.py [SECONDS]     600 by default
"""

import os
import random
import signal
import sys
import threading
import time

import rig
import strict
from rig import check, same, test

SECONDS = 600
if len(sys.argv) > 1 and sys.argv[1].isdigit():
    SECONDS = int(sys.argv.pop(1))
READERS = 50


class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.codes, self.kills, self.wrong = {}, 0, []

    def note(self, code):
        with self.lock:
            self.codes[code] = self.codes.get(code, 0) + 1


def reader(home, server, tally, until, seed):
    """Runs `token` over and over; one in six is killed at a moment of chance."""
    chance = random.Random(seed)
    while time.monotonic() < until and len(tally.wrong) < 5:
        argv = ("token", "strict") if chance.random() < 0.9 else ("refresh", "strict")
        process = home_start(home, *argv)
        if chance.random() < 1 / 6:
            time.sleep(chance.random() * 0.04)
            process.send_signal(signal.SIGKILL)
            with tally.lock:
                tally.kills += 1
        out, err = process.communicate(timeout=60)
        out, err, code = out.decode(), err.decode(), process.returncode
        tally.note(code)
        if code == 0 and argv[0] == "token" and not server.good(out.strip()):
            tally.wrong.append(f"a token that is not good: {out!r}")
        if code not in (0, 75, -9) or (code == -9 and out and not out.endswith("\n")):
            tally.wrong.append(f"{argv} exit {code}: {out!r} {err}")
        time.sleep(0.2 + chance.random())


def home_start(home, *argv):
    import subprocess

    return subprocess.Popen(
        [rig.program(), *argv], env=home._environment(None), cwd=home.folder,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def ours():
    """Processes of the program under test."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:  # `exe` is for root's eyes alone
                if file.read().split(b"\0")[0] == rig.program().encode():
                    found.append(pid)
        except OSError:
            continue
    return found


@test
def readers_refreshes_and_kills_lose_nothing_and_leave_nothing(t):
    server = strict.serve(t)
    home = strict.logged_in(t, server)
    server.expires_in = 1
    server.before = 0.02
    tally, until = Tally(), time.monotonic() + SECONDS
    descriptors = len(os.listdir("/proc/self/fd"))
    readers = [threading.Thread(target=reader, args=(home, server, tally, until, n)) for n in range(READERS)]
    for one in readers:
        one.start()
    while time.monotonic() < until and len(tally.wrong) < 5:
        time.sleep(1)
        ran = home.run("refresh", "strict", timeout=60)
        tally.note(ran.code)
        if ran.code not in (0, 75):
            tally.wrong.append(str(ran))
    for one in readers:
        one.join()
    rig.wait_until(lambda: not ours(), "the end of every process", 30)
    outcomes = {}
    for entry in server.refreshes():
        outcomes[entry["outcome"]] = outcomes.get(entry["outcome"], 0) + 1
    strict.figure(f"{SECONDS} s, {READERS} readers: exit codes {tally.codes}, {tally.kills} killed, requests {outcomes}, {server.reuses} reuse events")
    check(not tally.wrong, lambda: "\n".join(tally.wrong[:5]))
    same(set(outcomes), {"renewed"}, "what the server saw")
    same(server.reuses, 0, "reuse")
    server.expires_in = 3600
    home.run("refresh", "strict").expect(0)
    check(server.good(home.run("token", "strict").expect(0).token), "the login should be alive")
    files = sorted(p.name for p in home.state.rglob("*") if p.is_file())
    left = [n for n in files if not n.endswith((".sealed", ".lock", ".seen")) and n not in ("key", "lock")]
    same(left, [], "left behind")
    check(len(files) <= 6, f"files: {files}")
    check(len(os.listdir("/proc/self/fd")) <= descriptors + 5, "descriptors of the test itself")


if __name__ == "__main__":
    rig.main(globals())

#!/usr/bin/env python3
"""P-19 to P-21: kill -9 at every system call of the commands that change what is kept: each end is the old state whole, the new one
whole, or finished by the next command. Sealed files and a real gnome-keyring. P-25: the same where the disk is full or broken.

    tests/real/killed.py              a sample of the points
    tests/real/killed.py --changes    every point before a call that changes something: from one to the next the ends are the same
    tests/real/killed.py --all        every point

`--only WORDS` sweeps the commands whose names hold these words, `--sample N` takes N points of each. A command that the server has answered is finished by the next
one from the moment the answer is in the journal: before it, a kill of the whole process tree kills the only copy (`unanswered`).
"""

import os
import re
import shutil
import sys
import tomllib

import kernelkeys
import rig
import strict
from rig import Failed, check, test
from strict import tracer



def option(name, values=0):
    """The words of an option, which are taken out of the command line."""
    if name not in sys.argv[1:]:
        return None
    at = sys.argv.index(name)
    return [sys.argv.pop(at) for _ in range(values + 1)][1:]


ALL, CHANGES, ONLY = option("--all") is not None, option("--changes") is not None, option("--only", 1) or [""]
SAMPLE = int((option("--sample", 1) or ["5"])[0])  # points of a command
# what changes files, kernel keys, a keychain and a server, by its number (x86-64): pwrite64, sendto, sendmsg, fsync, rename, unlink,
# add_key, keyctl
CHANGING = {18, 44, 46, 74, 82, 87, 248, 250}
MAGIC, ANSWER_AT = b"octljrn1", 4096
UNANSWERED = 10  # points of a sweep from the request to the journal, at most
NAMES = ("work", "office")
CONFIG = '# mine\ncache = true\n\n[profiles.other] # hers\nprovider = "strict"\n'
# what a command is, what was done before it, what may be gone after it
COMMANDS = {
    "login, the first": ("login work --provider strict", "", False),
    "login, once more": ("login work", "login", False),
    "logout": ("logout work", "login", True),
    "logout --all": ("logout --all", "login", True),
    "profile remove": ("profile remove work", "login", True),
    "profile rename": ("profile rename work office", "login", False),
    "profile set": ("profile set work port 8123", "login", False),
    "profile set-secret": ("profile set-secret work {secret}", "login", False),
    "register": ("register work --provider strict", "", False),
    "login --register": ("login work --provider {issuer} --register", "", False),
    "register --update": ("register work --update --name other", "register", False),
    "register --show": ("register work --show", "register", False),
    "register --delete": ("register work --delete", "register", False),
    "login, to another store": ("login work --store {other}", "login", False),
    "token for fewer scopes": ("token work --scope a", "login", False),
    "store migrate": ("store migrate {store} {other}", "login", False),
    "login of a client, to another store": ("login work --store {other}", "register", False),
}
# the command that comes after the kill, where it isn't the first one once more
THEN = {"profile rename, then a login": "login office --provider strict", "register, then a login": "login work"}
COMMANDS |= {what: COMMANDS[what.split(",")[0]] for what in THEN}
FAULTS = ("orphans", "doubles", "stale copies", "without end", "lost", "unanswered", "left", "broken")


class Scene:
    """A home, its store and its server, which can be set back to the moment before the command."""

    def __init__(self, t, store, earlier, moves):
        self.t, self.server = t, strict.serve(t, "none")
        self.server.expires_in = 86_400  # a sweep on a busy machine takes hours
        self.keyring = t.keyring() if store == "keychain" or moves else None
        # with the variable no login moves
        self.home = t.home(self.keyring, **({} if moves or store == "keychain" else {"OAUTHCTL_STORE": "file"}))
        self.home.provider("strict", f'registration-url = "http://127.0.0.1:{self.server.port}/register"\n' + self.server.provider_file())
        (self.home.config / "config.toml").write_text(CONFIG)
        self.browser = strict.browser(t)
        if earlier:
            more = ["--store", store] if moves else []
            self.home.run(earlier, "work", "--provider", "strict", *more, env={"BROWSER": self.browser}).expect(0)
            path = self.home.config / "config.toml"
            path.write_text(path.read_text().replace("[profiles.work]", "# the company's\n[profiles.work] # usual"))
        self.folders = {folder: t.folder / f"saved-{self.home.folder.name}-{folder.name}" for folder in (self.home.config, self.home.state)}
        for folder, saved in self.folders.items():
            folder.mkdir(exist_ok=True)
            shutil.copytree(folder, saved)
        self.items = {name: self.keyring.lookup(name) for name in NAMES} if self.keyring else {}
        self.before, self.keys = self.server.state(), kernelkeys.present()
        self.earlier, self.signed_in = earlier, earlier == "login"

    def words(self, line, other):
        store = {"file": "keychain", "keychain": "file"}[other]
        issuer = f"http://127.0.0.1:{self.server.port}"
        return line.format(secret=self.home.secret_file("a-secret-of-the-tests"), other=other, store=store, issuer=issuer).split()

    def back(self):
        shutil.rmtree(self.home.config)
        shutil.copytree(self.folders[self.home.config], self.home.config)
        strict.put_back(self.home, self.folders[self.home.state])
        for name, item in self.items.items():
            if self.keyring.lookup(name) != item:
                self.keyring.put(name, item)
        self.server.restore(self.before)
        if self.signed_in:
            # the kernel's copy
            self.home.run("token", "work").expect(0)

    def forget(self, more=()):
        """The program removes its profiles with all that belongs to them: a keychain's copy holds until then."""
        for name in {*NAMES, *more}:
            self.home.run("profile", "remove", name)

    def run(self, argv, at=None):
        log = os.open(self.t.folder / "said", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            traced = tracer.run([rig.program(), *argv], self.home._environment({"BROWSER": self.browser}), self.home.folder, log, log, at)
        finally:
            os.close(log)
        return traced

    def records(self):
        """How many there are, in both stores."""
        sealed = len(list((self.home.state / "store").glob("*.sealed")))
        return sealed + sum(bool(self.keyring.items(name)) for name in self.items)

    def token(self, name):
        """What the store has for that profile, or None."""
        ran = self.home.run("token", name, "--no-cache")
        return ran.token if ran.code == 0 else None

    def answered(self):
        """Whether an answer lies in the journal, whole."""
        at = slice(ANSWER_AT, ANSWER_AT + len(MAGIC))
        return any(path.read_bytes()[at] == MAGIC for path in self.home.state.glob("journal/*.journal"))

    def login_of(self, token):
        return next((name for name, login in self.server.logins.items() if token in login.access), None)


def judged(scene, argv, may_go, then=None):
    """What is wrong after the kill: fault by fault, in words."""
    home, wrong, answered = scene.home, {}, scene.answered()
    if then:
        home.run(*then.split(), env={"BROWSER": scene.browser})
    held = scene.login_of(scene.server.newest()) if scene.signed_in else None
    endless = set(filter(kernelkeys.is_endless, kernelkeys.present() - scene.keys))
    copy = home.run("token", "work")
    # by the same words, without the copy: what the store says
    kept = home.run("token", "work", "--no-cache")
    # other tests make keys too, and an older program gives them their end a moment later
    if endless := set(filter(kernelkeys.is_endless, endless)):
        wrong["without end"] = f"the keys {endless}"
    if copy.code == 0 and copy.out != kept.out:
        wrong["stale copies"] = f"{copy}\n{kept}"
    listed = home.run("list")
    if listed.code:
        wrong["broken"] = f"{listed}"
    told = set(re.findall(r"^(\w+) +(?:strict|http)", listed.out, re.M)) | {f"{place} {name}" for place, name in re.findall(r"^(.*) has the record `(\w+)`", listed.err, re.M)}
    if len(told - {"other"}) < scene.records():
        wrong["orphans"] = f"{scene.records()} records\n{listed}"
    unclaimed = re.findall(r"has the record `\w+`", listed.err)
    if unclaimed and not all(words in (doctor := home.run("doctor")).out for words in unclaimed):
        wrong["orphans"] = f"{listed}\n{doctor}"
    tokens = {name: ran.token for name in NAMES if (ran := home.run("token", name, "--no-cache")).code == 0}
    logins = [scene.login_of(token) for token in tokens.values()]
    if len(logins) != len(set(logins)):
        wrong["doubles"] = f"{tokens}"
    alive = held and scene.server.logins[held].alive
    if alive and not may_go and not logins:
        wrong["lost"] = f"{kept}\n{home.run('token', 'office', '--no-cache')}"
    # it shows the client with the newest access token, or there is none
    if scene.server.clients and (shown := home.run("register", "work", "--show")).code:
        wrong["unanswered" if "register" in str(argv) and not answered else "lost"] = f"{shown}"
    text = (home.config / "config.toml").read_text()
    try:
        profiles = set(tomllib.loads(text).get("profiles", {}))
        whole = "# mine" in text and "# hers" in text and (argv[1] == "remove" or not scene.earlier or "# usual" in text)
        if not whole or len(profiles) > 2 + bool(then):
            wrong["broken"] = text
    except tomllib.TOMLDecodeError as e:
        wrong["broken"] = f"{e}\n{text}"
    # the same once more comes to its end, or says that it has
    again = scene.run(argv)
    if again.code not in (0, 2) and "unanswered" not in wrong:
        wrong["broken"] = f"once more: {again.code}: {(scene.t.folder / 'said').read_text()}"
    if "--delete" in argv and "client-id" in (text := (home.config / "config.toml").read_text()):
        wrong["broken"] = f"once more: {text}"
    for line in re.findall(r"`oauthctl (.*)` deletes it", home.run("list").err):
        home.run(*line.split())
    scene.forget(profiles)
    left = [p.name for folder in scene.folders for p in folder.rglob("*") if re.search(r"\.(new|sealed|journal)$|^config\.toml\.(?!lock$)", p.name)]
    if scene.records() or left:
        wrong["left"] = f"{scene.records()} records, {left}\n{home.run('list')}"
    return wrong


def sweep(t, what, store):
    line, earlier, may_go = COMMANDS[what]
    moves = "{other}" in line
    scene = Scene(t, store, earlier, moves)
    argv = scene.words(line, "file" if store == "keychain" else "keychain")
    scene.back()
    traced = scene.run(argv)
    check(traced.code == 0, lambda: f"without a kill: exit code {traced.code}\n{(t.folder / 'said').read_text()}")
    count = len(traced.calls)
    seen, killed = {}, 0
    # what has been done until then is what counts
    points = [n + 1 for n, call in enumerate(traced.calls) if call in CHANGING]
    points += [n + 1 for n in points[-1:]]
    for at in range(1, count + 1) if ALL else points if CHANGES else points[:: -(len(points) // SAMPLE + 1)]:
        scene.back()
        traced = scene.run(argv, at)
        if traced.killed_at is None:
            # it took fewer calls this time, and has ended: the program forgets its copies, which `back` can't
            scene.forget()
            continue
        killed += 1
        for fault, words in judged(scene, argv, may_go, THEN.get(what)).items():
            seen.setdefault(fault, []).append((f"{at} ({traced.killed_at})", words))
    told = ", ".join(f"{fault} {len(seen.get(fault, []))}" for fault in FAULTS)
    print(f"    {what:24} {store:8}: {killed} of {count} points: {told}", flush=True)
    if len(seen.get("unanswered", [])) <= UNANSWERED:
        seen.pop("unanswered", None)
    return [f"{what}, {store}: {fault} at {', '.join(at for at, _ in all)}; the first:\n{all[0][1]}" for fault, all in seen.items()]


def every(t, store):
    wrong = [words for what in COMMANDS if ONLY[0] in what for words in sweep(t, what, store)]
    if wrong:
        raise Failed("\n".join(wrong))


# P-19, P-20, P-21, P-26, P-27
@test
def every_end_is_whole_in_sealed_files(t):
    every(t, "file")


# P-19, P-20, P-21, P-26, P-27
@test
def every_end_is_whole_in_a_keychain(t):
    every(t, "keychain")


# P-16, P-20
@test
def a_copy_that_is_written_late_speaks_for_no_login_that_is_gone(t):
    earlier = kernelkeys.present()
    home = Scene(t, "file", "login", False).home
    token = home.run("token", "work").expect(0).token.encode()
    made = {kernelkeys.name(key): kernelkeys.read(key) for key in kernelkeys.present() - earlier}
    # other tests make keys too
    copy = next((name for name, value in made.items() if token in value), None)
    check(copy, lambda: f"{made} has no copy of {token}")
    ours = {name: value for name, value in made.items() if name == copy or copy.removeprefix(b"oauthctl:") in value}
    config, kept = home.config / "config.toml", home.folder / "kept"
    os.link(config, kept)
    home.run("profile", "remove", "work").expect(0)
    # the same file, to the nanosecond
    kept.rename(config)
    for name, value in ours.items():
        kernelkeys.put(name, value)
    home.run("token", "work").expect(4)


# what changes a file, and how a command shows that it has done its work
WRITES = "openat,write,pwrite64,fsync,fdatasync,fallocate,ftruncate,mkdir,rename,renameat,renameat2,unlink,unlinkat"
DONE = {
    "login, the first": lambda scene: scene.token("work") == scene.server.newest(),
    "login, once more": lambda scene: scene.token("work") == scene.server.newest(),
    "logout": lambda scene: scene.token("work") is None,
    "logout --all": lambda scene: scene.token("work") is None,
    "profile remove": lambda scene: "[profiles.work]" not in (scene.home.config / "config.toml").read_text(),
    "profile rename": lambda scene: scene.token("office") is not None,
    "profile set": lambda scene: "8123" in (scene.home.config / "config.toml").read_text(),
    "register": lambda scene: [*scene.server.clients][0] in scene.home.run("status", "work").out,
    "register --update": lambda scene: scene.home.run("register", "work", "--show").code == 0,
    "register --show": lambda scene: scene.home.run("register", "work", "--show").code == 0,
    "register --delete": lambda scene: not scene.server.clients and scene.records() == 0,
    "login, to another store": lambda scene: scene.token("work") == scene.server.newest() and scene.keyring.items("work") == 1,
}


def changes(log, home):
    """The calls in a trace that change a file of the program's: their names, their numbers within their threads, their lines."""
    counts, found = {}, []
    for thread, name, line in re.findall(r"^(\d+) +(\w+)\((.*)$", log.read_text(), re.M):
        counts[thread, name] = counts.get((thread, name), 0) + 1
        inside = any(str(folder) in line for folder in (home.config, home.state))
        if inside and (name != "openat" or "O_CREAT" in line):
            found.append((name, counts[thread, name], line))
    return found


def broken_disk(t, what):
    line, earlier, may_go = COMMANDS[what]
    scene, log = Scene(t, "file", earlier, "{other}" in line), t.folder / "calls"
    argv = scene.words(line, "keychain")
    # no browser is traced
    under = ["strace", "-f", "-b", "execve", "-qq", "-y", "-s", "200", "-o", log, "-e", f"trace={WRITES}"]
    run = lambda *more: scene.home.run(*argv, env={"BROWSER": scene.browser}, under=[*under, *more])
    scene.back()
    run().expect(0)
    calls = changes(log, scene.home)
    # what puts a file in its place, and some of the rest
    sample = calls if ALL else [c for c in calls if "rename" in c[0]] + calls[:: len(calls) // SAMPLE + 1]
    wrong, hit = [], 0
    for call, number, _ in dict.fromkeys(sample):
        for error, words in (("ENOSPC", "no space"), ("EIO", "input/output error")):
            scene.back()
            ran = run("-e", f"inject={call}:error={error}:when={number}")
            met = [line for line in log.read_text().splitlines() if "INJECTED" in line]
            if not met or not all(str(scene.home.folder) in line for line in met):
                continue  # a thread made a call more or less this time
            hit += 1
            faults = {}
            if ran.code == 0 and what in DONE and not DONE[what](scene):
                faults["claimed"] = f"{ran}"
            said = ran.err[ran.err.find("error: ") :]
            if ran.code and not ("hint: " in said and str(scene.home.folder) in said and re.search(words, said, re.I)):
                faults["not said"] = f"{ran}"
            faults |= judged(scene, argv, may_go)
            wrong += [f"{what}: {fault}: {error} at {call} {number}: {met}\n{ran}\n{words}" for fault, words in faults.items()]
    print(f"    {what:24} {hit} faults in {len(calls)} calls that write: {len(wrong)} wrong ends", flush=True)
    # a thread may make a call more or less now and then
    check(hit >= len(dict.fromkeys(sample)), f"{what}: {hit} faults in {len(sample)} calls, two for each expected")
    return wrong


# P-25
@test
def every_end_is_whole_on_a_disk_that_is_full_or_broken(t):
    rig.need("strace")
    wrong = [words for what in COMMANDS if ONLY[0] in what and what not in THEN for words in broken_disk(t, what)]
    if wrong:
        raise Failed("\n".join(wrong))


if __name__ == "__main__":
    rig.main(globals())

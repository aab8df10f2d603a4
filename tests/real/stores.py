#!/usr/bin/env python3
"""Records in the care of other programs: `pass`, docker's credential helpers, a program of one's own. tests/it/store_contract.rs has
what each of them promises; here the whole program uses them."""

import re
import subprocess
import sys
import time
from pathlib import Path

import kernelkeys
import rig
import strict
from rig import check, same, test

HELPERS = ("docker-credential-pass", "docker-credential-secretservice")
LONG = 60_000  # a record of more than one part, whose JSON is longer than a line that docker's helpers read


def logged_in(t, server, store, env, config=""):
    """A home with a login whose record is in that store; the environment chooses none."""
    home = t.home(None, **env)
    (home.config / "config.toml").write_text(config)
    home.provider("strict", server.provider_file())
    words = ["--store", store] if store else []
    return home, home.run("login", "work", "--provider", "strict", *words, env={"BROWSER": strict.browser(t)}).expect(0)


def places(t):
    """The programs, each with the variables that lead to what it keeps."""
    password_store, keyring = t.password_store(), t.keyring()
    return {"pass": password_store, HELPERS[0]: password_store, HELPERS[1]: {**password_store, **keyring.env}}


@test
def a_login_lives_in_the_program_that_the_profile_names(t):
    for store, env in places(t).items():
        server = strict.serve(t, expires_in=3600)
        home, login = logged_in(t, server, store, env)
        check("one machine at a time" in login.err, login)
        same(re.findall(r'^store = "(.*)"', (home.config / "config.toml").read_text(), re.M), [store], "the profile's store")
        token = home.run("token", "work", "--no-cache").expect(0).token
        same(token, server.newest(), f"the token ({store})")
        home.run("refresh", "work").expect(0)
        renewed = home.run("token", "work", "--no-cache").expect(0).token
        check(renewed != token and renewed == server.newest(), f"{store}: {token}, {renewed}")
        home.run("status", "work").expect(0, out=rf"store +{store}")
        said = home.run("doctor", "work")
        check(re.search(rf"ok +store program +the program `{store}`: wrote, read and deleted", said.out), said)
        home.run("profile", "rename", "work", "office").expect(0)
        same(home.run("token", "office", "--no-cache").expect(0).token, renewed, "the token by its new name")
        for path, content in home.files().items():
            check(token.encode() not in content and renewed.encode() not in content, f"{path} holds the token ({store})")
        home.run("logout", "office").expect(0)
        check(not server.good(renewed), f"{store}: the token was not revoked")
        home.run("token", "office").expect(4)
        home.run("list").expect(0, err=r"\A(?!.*has the record)")


@test
def a_record_of_any_length_comes_back_whole(t):
    for store, env in places(t).items():
        server = strict.serve(t, padding=LONG)
        home, _ = logged_in(t, server, store, env)
        home.run("refresh", "work").expect(0)
        token = home.run("token", "work", "--no-cache").expect(0).token
        check(len(token) > LONG and token == server.newest(), f"{store}: a token of {len(token)} bytes")
        home.run("logout", "work").expect(0)


@test
def many_processes_and_one_expired_token_are_one_refresh(t):
    server = strict.serve(t, expires_in=1)
    home, _ = logged_in(t, server, "pass", t.password_store())
    time.sleep(1.2)  # the token expires
    server.expires_in = 3600
    server.log.clear()
    started = [home.start("token", "work") for _ in range(20)]
    ends = [home.collect(process, "token", "work").expect(0) for process in started]
    same({end.token for end in ends}, {server.newest()}, "the tokens")
    same(server.reuses, 0, "refresh tokens that were sent twice")
    same(len([entry for entry in server.log if entry.get("outcome") == "renewed"]), 1, "refreshes")


@test
def a_program_of_ones_own_is_told_what_to_do_by_its_arguments(t):
    program = t.folder / "keeper"
    program.write_text('#!/bin/sh\nset -eu\nfile="$KEPT/$2"\ncase $1 in\nget) [ ! -e "$file" ] || cat "$file";;\nput) umask 077; cat > "$file.new"; mv "$file.new" "$file";;\ndelete) rm "$file";;\nesac\n')
    program.chmod(0o700)
    kept = t.folder / "kept"
    kept.mkdir()
    lines = ", ".join(f'{verb} = ["{program}", "{verb}", "{{name}}"]' for verb in ("get", "put", "delete"))
    server = strict.serve(t)
    home, _ = logged_in(t, server, None, {"KEPT": kept}, f"store = {{ {lines} }}\n")
    same([path.name for path in kept.iterdir()], ["work"], "its files")
    same(home.run("token", "work", "--no-cache").expect(0).token, server.newest(), "the token")
    # nothing of ours is in its environment, and its failures are told with its own words
    program.write_text('#!/bin/sh\nif env | grep -q OAUTHCTL; then echo told >&2; fi\necho "the vault is sealed" >&2\nexit 3\n')
    home.run("token", "work", "--no-cache").expect(5, err=[r"exit status: 3: the vault is sealed", r"^hint: "])
    home.run("login", "work", env={"BROWSER": t.no_browser()}).expect(5, err=r"the vault is sealed")
    home.run("doctor", "work").expect(5, out=r"FAIL +store program .*the vault is sealed")


@test
def a_program_whose_put_can_only_replace_has_another_command_for_a_new_record(t):
    program, kept = t.folder / "keeper", t.folder / "kept"
    program.write_text(
        '#!/bin/sh\nset -eu\nfile="$KEPT/$2"\ncase $1 in\nget | put | delete) [ -e "$file" ] || { echo "no such entry" >&2; exit 4; };;\nesac\n'
        'case $1 in\nget) cat "$file";;\nput) cat > "$file";;\ncreate) set -C; cat > "$file";;\ndelete) rm "$file";;\nesac\n'
    )
    program.chmod(0o700)
    kept.mkdir()
    lines = ", ".join(f'{verb} = ["{program}", "{verb}", "{{name}}"]' for verb in ("get", "put", "create", "delete"))
    server = strict.serve(t)
    home, _ = logged_in(t, server, None, {"KEPT": kept}, f'store = {{ {lines}, missing = "no such entry" }}\n')
    home.run("refresh", "work").expect(0)
    same(home.run("token", "work", "--no-cache").expect(0).token, server.newest(), "the token")
    home.run("profile", "rename", "work", "office").expect(0)
    same([path.name for path in kept.iterdir()], ["office"], "its files")
    home.run("logout", "office").expect(0)
    same(list(kept.iterdir()), [], "its files")


@test
def a_program_that_destroys_what_it_was_to_replace_loses_no_login(t):
    program, kept, how = t.folder / "keeper", t.folder / "kept", t.folder / "how"
    program.write_text(
        '#!/bin/sh\nset -eu\nfile="$KEPT/$2"\ncase $1 in\nget) [ ! -e "$file" ] || cat "$file";;\n'
        'put) case $(cat "$KEPT/../how") in removes) rm -f "$file"; exit 1;; cuts) head -c 40 > "$file"; exit 1;; lies) head -c 40 > "$file";; '
        'hurts) rm -f "$file"; kill -9 $$;; *) cat > "$file";; esac;;\ndelete) [ "$(cat "$KEPT/../how")" = stays ] || rm "$file";;\nesac\n'
    )
    program.chmod(0o700)
    kept.mkdir()
    lines = ", ".join(f'{verb} = ["{program}", "{verb}", "{{name}}"]' for verb in ("get", "put", "delete"))
    for wrong in ("removes", "cuts", "lies", "hurts"):
        for line in ("refresh work", "profile rename work office", "profile set-secret work FILE", "login work"):
            how.write_text("well")
            server = strict.serve(t)
            home, _ = logged_in(t, server, None, {"KEPT": kept}, f"store = {{ {lines} }}\n")
            secret = home.secret_file("a-secret-of-the-tests")
            how.write_text(wrong)
            ran = home.run(*line.replace("FILE", secret).split(), env={"BROWSER": strict.browser(t)})
            check(ran.code in (5, 74), lambda: f"{wrong}: {ran}")
            how.write_text("well")
            token = home.run("token", "work", "--no-cache").expect(0).token
            check(server.good(token), lambda: f"{wrong}, {line}: {token}")
            home.run("refresh", "work").expect(0)
            check(server.reuses == 0, lambda: f"{wrong}, {line}: {server.reuses} refresh tokens sent twice")
            left = [path for path in (home.state / "unfinished").glob("*.sealed")]
            check(not left, lambda: f"{wrong}, {line}: {left}")
            home.run("logout", "work").expect(0)
    # a deletion is looked at too
    how.write_text("well")
    home, _ = logged_in(t, strict.serve(t), None, {"KEPT": kept}, f"store = {{ {lines} }}\n")
    how.write_text("stays")
    home.run("logout", "work", "--local-only").expect(5, err=r"still has it")
    home.run("doctor").expect(5, out=r"still has it")


@test
def what_the_configuration_says_of_a_program_is_checked(t):
    home = t.home()
    for value, why in (
        ('"docker-credential-"', "it is one of"),
        ('"docker-credential-../x"', "it is one of"),
        ('"passs"', "did you mean `pass`"),
        ("{ command = [] }", "must have `command`, or `get`, `put` and `delete`"),
        ('{ get = ["a", "{name}"], put = ["a", "{name}"] }', "must have `command`, or"),
        ('{ get = ["a"], put = ["a", "{name}"], delete = ["a", "{name}"] }', "needs `{name}`"),
        ('{ get = ["a", "{name}"], put = ["a", "{name}"], create = ["a"], delete = ["a", "{name}"] }', "needs `{name}`"),
        ('{ command = ["a"], create = ["a", "{name}"] }', "must have `command`, or"),
        ('{ comand = ["a"] }', "has no key `comand`; did you mean `command`?"),
        ('{ valut = "https://vault.example" }', "has no key `valut`; did you mean `vault`?"),
        ('{ mount = "kv" }', "has no key `mount`; `mount` is for an engine, whose address is the key `vault`"),
        ('{ adress = "https://vault.example" }', "has no key `adress`; an engine's address is the key `vault`, a program `command`"),
        ('{ vault = "http://user:pw@127.0.0.1" }', "takes no name and no password in `vault`"),
    ):
        (home.config / "config.toml").write_text(f"store = {value}\n")
        home.run("list").expect(2, err=re.escape(why))


@test
def a_program_that_is_not_there_or_has_no_key_loses_nothing(t):
    env = t.password_store()
    server = strict.serve(t, expires_in=1)
    home, _ = logged_in(t, server, "pass", env)
    time.sleep(1.2)  # the token expires
    before = server.state()
    home.run("token", "work", env={"PATH": "/nonexistent"}).expect(5, err=[r"no store of `pass`: the program `pass` was not found", r"^hint: "])
    home.run("token", "work", env={"GNUPGHOME": t.folder / "nowhere"}).expect(5)
    same(server.state()[2], before[2], "tokens that were given since")
    # the store is read, and can't be written once the refresh token is spent: the answer waits in the journal
    recipient = Path(env["PASSWORD_STORE_DIR"]) / ".gpg-id"
    text = recipient.read_text()
    recipient.write_text("nobody@oauthctl.invalid\n")
    home.run("refresh", "work").expect(74, err=[r"nobody@oauthctl.invalid", r"the answer is kept, sealed"])
    recipient.write_text(text)
    server.expires_in = 3600
    token = home.run("token", "work").expect(0).token
    check(server.good(token) and server.reuses == 0, f"{token}, {server.reuses} refresh tokens sent twice")


def largest_map(t, home, env):
    """The largest part of memory that a `token` asks for at once, in MiB: Argon2id takes 19."""
    out = t.folder / "strace"
    home.run("token", "work", "--no-cache", env=env, under=["strace", "-f", "-qq", "-o", out, "-e", "trace=mmap"]).expect(0)
    return max(int(size) for size in re.findall(r"mmap\(NULL, (\d+),", out.read_text())) / 2**20


@test
def an_unlocked_store_opens_for_every_process_of_its_user_and_for_nobody_else(t):
    rig.look_inside()
    server, phrase = strict.serve(t), {"OAUTHCTL_STORE_PASSPHRASE": "correct horse"}
    home = t.home(OAUTHCTL_STORE="file")
    home.provider("strict", server.provider_file())
    home.run("login", "work", "--provider", "strict", env={"BROWSER": strict.browser(t), **phrase}).expect(0)
    argv = ("token", "work", "--no-cache")
    home.run(*argv).expect(5, err=[r"a passphrase is needed", r"^hint: `oauthctl store unlock`"])
    home.run("store", "unlock", env={"OAUTHCTL_STORE_PASSPHRASE": "wrong horse"}).expect(5)
    home.run(*argv).expect(5)
    before = kernelkeys.present()
    home.run("store", "unlock", "--for", "1h", env=phrase).expect(0, err=r"^Unlocked until ")
    token = home.run(*argv).expect(0).token
    # in a session of its own, as ssh and cron make one
    of_its_own = f"import ctypes, os, sys; ctypes.CDLL(None).syscall({kernelkeys.NUMBER}, 1, None); os.execv(sys.argv[1], sys.argv[1:])"
    same(home.run(*argv, under=[sys.executable, "-c", of_its_own]).expect(0).token, token, "the token in another session")
    (key,) = [key for key in kernelkeys.present() - before if kernelkeys.name(key).startswith(b"oauthctl:kept:")]
    check(not kernelkeys.is_endless(key), "the key stays for ever")
    read = f"import ctypes; print(ctypes.CDLL(None).syscall({kernelkeys.NUMBER}, {kernelkeys.READ}, {key}, ctypes.create_string_buffer(200), 200))"
    for user in {}, {"user": 65534}:
        said = subprocess.run([rig.PYTHON, "-c", read], capture_output=True, text=True, check=True, cwd="/", **user).stdout
        same(said, "-1\n", f"what a process reads that doesn't possess the keyring {user}")
    check(largest_map(t, home, phrase) >= 19 > largest_map(t, home, {}), "Argon2id ran in an unlocked store")
    home.run("store", "lock").expect(0, err=r"^Locked\.")
    home.run("token", "work").expect(5)
    check(key not in kernelkeys.present(), "the key is still there")


@test
def the_cleaning_after_a_test_leaves_an_unlock_beside_it_alone(t):
    rig.look_inside()
    # a process without a note of this test: there is no other test under way
    cleaned = """
import pathlib, sys
import kernelkeys
kernelkeys.NOTES = pathlib.Path(sys.argv[1])
note = kernelkeys.begin()
for name in b"oauthctl:kept:cleaning", b"oauthctl:copy:cleaning":
    kernelkeys.put(name, b"x")
kernelkeys.end(note)
left = {kernelkeys.name(key): key for key in kernelkeys.present()}
print([name for name in left if name.endswith(b":cleaning")])
kernelkeys.remove(left.get(b"oauthctl:kept:cleaning", 0))
"""
    said = subprocess.run([rig.PYTHON, "-c", cleaned, t.folder / "notes"], capture_output=True, text=True, check=True, cwd=Path(__file__).parent).stdout
    same(said, "[b'oauthctl:kept:cleaning']\n", "what is left of an unlock and a copy")


@test
def a_record_sealed_for_a_key_of_age_or_ssh_is_opened_by_age_itself(t):
    rig.need("age", "age-keygen", "ssh-keygen")
    make = lambda *argv: subprocess.run(argv, cwd=t.folder, check=True, capture_output=True, text=True).stdout
    make("age-keygen", "-o", "own")
    make("age-keygen", "-o", "spare")
    spare = make("age-keygen", "-y", "spare").strip()
    for kind, phrase in ("ed25519", ""), ("ed25519", "locked-key"), ("rsa", ""):
        make("ssh-keygen", "-q", "-t", kind, "-N", phrase, "-f", f"{kind}{phrase}")
    for key, own in ("own", make("age-keygen", "-y", "own").strip()), ("ed25519", (t.folder / "ed25519.pub").read_text().strip()):
        server = strict.serve(t)
        home, _ = logged_in(t, server, "file", {}, f'store-identity = "{t.folder / key}"\nstore-recipients = ["{spare}"]\n')
        home.run("refresh", "work").expect(0)
        token = home.run("token", "work", "--no-cache").expect(0).token
        (record,) = (home.state / "store").glob("*.sealed")
        check(not (home.state / "store" / "key").exists(), "a key file was made")
        for identity in key, "spare":
            check(token in make("age", "-d", "-i", identity, record), f"`age -d -i {identity}` gives no record with the token")
        # what age seals is opened, and is not taken: it names no profile
        subprocess.run(["age", "-r", own, "-o", record], input="{}", text=True, check=True)
        home.run("token", "work", "--no-cache").expect(5, err=r"it was sealed for another profile")
        subprocess.run(["age", "-r", spare, "-o", record], input="{}", text=True, check=True)
        home.run("token", "work", "--no-cache").expect(5, err=[r"the private key does not open", r"^hint: `store-identity`"])
    for key, why in ("ed25519locked-key", "is under a passphrase"), ("rsa", "is no Ed25519 key"), ("own.pub", "No such file"):
        (home.config / "config.toml").write_text(f'store-identity = "{t.folder / key}"\n')
        home.run("store", "test", "file").expect(5, err=why)


if __name__ == "__main__":
    rig.main(globals())

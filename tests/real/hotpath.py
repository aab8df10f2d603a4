#!/usr/bin/env python3
"""What `token` costs when the token is fresh, told by the system calls: no network, no thread, no file that it doesn't need."""

import re

import rig
from rig import check, same, test

CALLS = "trace=%network,%process,openat,open,openat2,keyctl,flock,fcntl"


def traced(t, home, *argv):
    rig.look_inside()
    out = t.folder / "strace"
    home.run(*argv, under=["strace", "-f", "-qq", "-s", "200", "-o", out, "-e", CALLS]).expect(0)
    # up to its own `execve` the lines are strace's
    lines = out.read_text().splitlines()
    calls = [re.sub(r"^\d+ +", "", line) for line in lines]
    return calls[next(i for i, call in enumerate(calls) if call.startswith("execve(")) + 1 :]


def plain(calls):
    """Without numbers and names of keys."""
    return [re.sub(r"0x[0-9a-f]+|oauthctl:\w+:[0-9a-f]+|\d+", "N", c) for c in calls]


def named(calls, *names):
    return [c for c in calls if re.match(rf"({'|'.join(names)})\(", c)]


def no_more_than_a_process(calls):
    """No thread, no child, no internet, no certificate, no lock."""
    same(named(calls, "clone", "clone3", "fork", "vfork", "execve"), [], "threads and processes")
    same([c for c in calls if "AF_INET" in c], [], "internet")
    opened = [c for c in named(calls, "open", "openat", "openat2") if "ENOENT" not in c]
    for what, pattern in (
        ("certificates", r"ssl|certs|\.pem|\.crt"),
        ("name resolution", r"resolv\.conf|nsswitch|/etc/hosts"),
        ("provider files", r"/providers"),
    ):
        same([c for c in opened if re.search(pattern, c)], [], f"{what} opened")
    same([c for c in calls if "F_SETLK" in c or c.startswith("flock(")], [], "locks")
    return opened


@test
def with_the_kernels_copy_nothing_is_opened_and_nothing_connected(t):
    home = t.home(t.keyring())
    home.run("login", "sandbox", env={"BROWSER": t.browser()}).expect(0)
    home.run("token", "sandbox").expect(0)
    calls = traced(t, home, "token", "sandbox")
    opened = no_more_than_a_process(calls)
    same(named(calls, "socket", "connect"), [], "sockets")
    check(named(calls, "keyctl"), "the token should come from the kernel")
    same([c for c in opened if str(home.folder) in c], [], "files of the home opened")


@test
def variables_that_say_what_the_login_has_cost_no_call(t):
    for home in t.home(t.keyring()), t.home(OAUTHCTL_STORE="file"):
        home.run("login", "sandbox", env={"BROWSER": t.browser()}).expect(0)
        before = plain(traced(t, home, "token", "sandbox"))
        for name, value in (
            ("OAUTHCTL_CLIENT_ID", "oauthctl"),
            ("OAUTHCTL_SANDBOX_GRANT", "authorization-code"),
            ("OAUTHCTL_SCOPE", "email"),
        ):
            home.env[name] = value
            token = home.run("token", "sandbox").expect(0).out  # compared with the record once
            same(plain(traced(t, home, "token", "sandbox")), before, "system calls")
            same(home.run("token", "sandbox").expect(0).out, token, "token")


@test
def without_it_there_is_one_connection_to_the_session_bus_and_no_other(t):
    keyring = t.keyring()
    home = t.home(keyring)
    home.run("login", "sandbox", env={"BROWSER": t.browser()}).expect(0)
    calls = traced(t, home, "token", "sandbox", "--no-cache")
    no_more_than_a_process(calls)
    connects = named(calls, "connect")
    bus = keyring.env["DBUS_SESSION_BUS_ADDRESS"].removeprefix("unix:path=")
    check(len(connects) == 1 and bus in connects[0], f"one connection to {bus} expected: {connects}")
    # what an earlier run left there may be taken away, but is not looked at
    same([c for c in named(calls, "keyctl") if "KEYCTL_READ" in c], [], "looks at the kernel's copy")


@test
def with_the_file_store_nothing_is_connected_either(t):
    home = t.home(OAUTHCTL_STORE="file")
    home.run("login", "sandbox", env={"BROWSER": t.browser()}).expect(0)
    calls = traced(t, home, "token", "sandbox", "--no-cache")
    no_more_than_a_process(calls)
    same(named(calls, "connect"), [], "connections")


@test
def ten_thousand_profiles_are_not_read_for_one_token(t):
    home = t.home(t.keyring())
    home.run("login", "sandbox", env={"BROWSER": t.browser()}).expect(0)
    before = plain(traced(t, home, "token", "sandbox"))
    with (home.config / "config.toml").open("a") as file:
        file.writelines(f'\n[profiles.many-{n}]\nprovider = "getresponse"\nclient-id = "id-{n}"\n' for n in range(10_000))
    for n in range(1_000):
        home.provider(f"own-{n}", f'id = "own-{n}"\nextends = "getresponse"\n')
    home.run("token", "sandbox").expect(0)  # the configuration has changed: read whole, once
    after = plain(traced(t, home, "token", "sandbox"))
    same(len(after), len(before), "system calls")
    rig.soon(1, lambda: home.run("token", "sandbox", "--no-cache").expect(0))


@test
def each_provider_of_ones_own_is_read_once_for_its_aliases(t):
    home = t.home(OAUTHCTL_STORE="environment", OAUTHCTL_WORK_TOKEN="a-token-of-the-test")
    (home.config / "config.toml").write_text('[profiles.work]\nprovider = "github"\n')
    home.provider("own", 'extends = "github"\naliases = ["mine"]\n')
    for command in "status work", "list", "call work /user --dry-run":
        opened = [c for c in traced(t, home, *command.split()) if "/own.toml" in c]
        same(len(opened), 1, f"`{command}`: readings")


rig.main(globals())

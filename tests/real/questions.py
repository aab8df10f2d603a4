#!/usr/bin/env python3
"""Questions at a real terminal: how each ends, what is seen of what is typed, and what is kept of it."""

import re
import signal
import termios
import time

import rig
from rig import check, same, test

CTRL_C, CTRL_D = "\x03", "\x04"
SECRET = "Zq8-xyzzy-4711"


def desk(t, **env):
    return t.home(OAUTHCTL_STORE="file", NO_COLOR="1", **env)


def echoes(terminal):
    """Whether the terminal shows what is typed, and takes lines."""
    flags = termios.tcgetattr(terminal._fd)[3]
    return bool(flags & termios.ECHO) and bool(flags & termios.ICANON)


def ends_well(terminal, code):
    ran = terminal.end().expect(code)
    check(ran.err.endswith("\n"), f"the shell's prompt would be glued to: {ran.err[-80:]!r}")
    check("\nerror: " in ran.err, f"the sentence should stand on a line of its own: {ran.err}")
    check(echoes(terminal), "the terminal should be as it was")
    return ran


@test
def ctrl_c_and_ctrl_d_end_every_question_with_a_sentence_and_a_terminal_as_it_was(t):
    for key, code in ((CTRL_C, 130), (CTRL_D, 6)):
        home = desk(t)
        for line, question in (
            (["login"], "Number or name: "),
            (["login", "getresponse"], "Client id.*: "),
            (["init"], "Number or name: "),
            (["init", "getresponse"], r"is needed \[Y/n\]: "),
            (["login", "max", "--provider", "getresponse", "--environment", "max"], "The domain of your GetResponse MAX account.*: "),
            (["profile", "set-secret", "getresponse"], "Client secret .*: "),
            (["profile", "set-secret", "getresponse", "-"], "Client secret .*: "),
            (["profile", "set-secret", "getresponse", "/dev/stdin"], "Client secret .*: "),
            (["inspect", "-"], "Token .*: "),
            (["token", "getresponse", "--client-id", "x", "--grant", "client-credentials", "--client-secret-file", "-"], "Client secret .*: "),
        ):
            terminal = home.at_terminal(*line)
            terminal.expect(question)
            terminal.press(key)
            ends_well(terminal, code)


@test
def ctrl_z_at_a_hidden_question_gives_the_shell_its_echo_and_takes_it_again_afterwards(t):
    home = desk(t)
    environment = home._environment({"TERM": "xterm", "PS1": "shell> "})
    shell = t.enter(rig.Terminal(["/bin/bash", "--norc", "--noprofile", "--noediting", "-i"], environment, home.folder))
    shell.expect("shell> ")
    shell.type(f"{rig.quoted(rig.program())} profile set-secret getresponse; echo ended with $?")
    shell.expect("Client secret .*: ")
    same(echoes(shell), False, "the echo at the question")
    shell.press("Zq8-\x1a")
    shell.expect("Stopped")
    shell.expect("shell> ")
    shell.type("stty -a; echo looked")
    shell.expect(r"[^-]icanon[^$]*? echo ")
    shell.expect("^looked")
    shell.expect("shell> ")
    shell.type("fg")
    shell.expect("set-secret")
    for _ in range(100):
        if not echoes(shell):
            break
        time.sleep(0.05)
    same(echoes(shell), False, "the echo at the question, once more")
    shell.type("xyzzy-4711")
    shell.expect("stored|is in")
    shell.expect("shell> ")
    check("xyzzy" not in shell.screen, shell.screen)
    short = re.search("sha256:[0-9a-f]+", shell.screen).group()
    shell.type("exit")
    shell.end()
    piped = home.run("profile", "set-secret", "getresponse", "-", stdin=SECRET).expect(0)
    check(short in piped.err, f"the whole secret is kept: {short}, {piped.err}")


@test
def ctrl_backslash_and_ctrl_z_without_a_shell_do_nothing_at_a_hidden_question(t):
    terminal = desk(t).at_terminal("profile", "set-secret", "getresponse")
    terminal.expect("Client secret .*: ")
    terminal.press("a\x1c\x1a")
    terminal.press(CTRL_C)
    ends_well(terminal, 130)


@test
def a_signal_from_elsewhere_ends_a_question_too(t):
    home = desk(t)
    terminal = home.at_terminal("profile", "set-secret", "getresponse")
    terminal.expect("Client secret .*: ")
    terminal.process.send_signal(signal.SIGTERM)
    ends_well(terminal, 143)


@test
def a_secret_is_never_seen_and_a_long_one_comes_whole(t):
    home = desk(t)
    for line in (["profile", "set-secret", "getresponse", "-"], ["profile", "set-secret", "getresponse"]):
        terminal = home.at_terminal(*line)
        terminal.expect("Client secret .*: ")
        terminal.type(SECRET + "x\x7f")
        ran = terminal.end().expect(0)
        check("Zq8" not in ran.err, f"the secret is on the screen: {ran.err}")
    short = ran.err.rsplit("sha256:", 1)[1]
    terminal = home.at_terminal("profile", "set-secret", "getresponse")
    terminal.expect("Client secret .*: ")
    terminal.type(SECRET * 400)  # longer than the line that a terminal puts together
    long = terminal.end().expect(0).err.rsplit("sha256:", 1)[1]
    check(short != long, "another secret")
    home.run("profile", "set-secret", "getresponse").expect(2, err=r"hint: oauthctl profile set-secret getresponse FILE")
    piped = home.run("profile", "set-secret", "getresponse", "-", stdin=SECRET * 400).expect(0)
    same(piped.err.rsplit("sha256:", 1)[1], long, "what was typed and what was piped")


@test
def what_was_typed_outlives_kill_9_and_is_no_login(t):
    home = desk(t)
    terminal = home.at_terminal("login", "getresponse")
    terminal.expect("For your own account .*--grant client-credentials$")
    terminal.expect("Client id.*: ")
    terminal.type("my-app")
    terminal.expect("Client secret .*: ")
    terminal.process.kill()
    terminal.process.wait()
    home.run("list").expect(0, err="has the record `getresponse`, of a login that is not finished: `oauthctl init getresponse`")
    home.run("token", "getresponse").expect(4)
    terminal = home.at_terminal("login", "getresponse")
    terminal.expect(r"Client id \[my-app\]: ")
    terminal.type("")
    terminal.expect("Client secret .*: ")
    terminal.type(SECRET)
    terminal.expect("paste it here")
    terminal.press(CTRL_C)
    ran = ends_well(terminal, 130)
    check("your input is kept (the client id, the client secret)" in ran.err, ran.err)
    check("Zq8" not in ran.err, ran.err)
    for path in home.folder.rglob("*"):
        check(not path.is_file() or SECRET.encode() not in path.read_bytes(), f"the secret is in {path}")
    home.run("logout", "getresponse").expect(0, err="deleted")
    terminal = home.at_terminal("login", "getresponse")
    terminal.expect("Client id.*: ")
    terminal.press(CTRL_D)
    ends_well(terminal, 6)


@test
def init_survives_what_a_terminal_and_a_hand_can_do_to_it(t):
    for terminal_kind in ("xterm", "dumb", ""):
        home = desk(t, TERM=terminal_kind)
        terminal = home.at_terminal("init")
        for typed in ("0", "-7", "99999999999999999999", "日本語 🦀", "x" * 1000, "a\x00b", "\x1b[31m", "goog"):
            terminal.expect("Number or name: ")
            terminal.type(typed)
        # a part of a name finds many
        terminal.expect("Google Drive")
        terminal.expect("Number or name: ")
        terminal.type("getresponse")
        terminal.expect(r"is needed \[Y/n\]: ")
        terminal.type("perhaps")
        terminal.expect("Answer `y` or `n`")
        terminal.expect(r"is needed \[Y/n\]: ")
        terminal.type("")
        terminal.expect("Client id.*: ")
        terminal.type("i" * 1000)
        terminal.expect("Client secret .*: ")
        terminal.type(SECRET)
        terminal.press(CTRL_C)
        ran = terminal.end()
        check("\x1b[31m" not in ran.err and SECRET not in ran.err, f"the screen was written to: {ran.err!r}")
        # what was answered is offered
        terminal = home.at_terminal("init")
        terminal.expect("1  getresponse      begun, and not finished")
        terminal.press(CTRL_D)
        ends_well(terminal, 6)


@test
def init_without_a_terminal_names_what_is_missing(t):
    home = desk(t)
    home.run("init", "getresponse", stdin="my-app\n").expect(2, err=r"hint: oauthctl init getresponse --client-id ID --client-secret-file FILE")
    home.run("init", stdin="").expect(2, err="no provider is named")
    home.run("init", "getresponse", env={"CI": "1"}).expect(0, out="(?m)^OAUTHCTL_CLIENT_SECRET=$")


rig.main(globals())

#!/usr/bin/env python3
"""What bash, zsh and fish offer when Tab is pressed: the scripts of `completions`, in the shells themselves."""

import os
import re

import rig
from rig import Terminal, check, same, test

CONFIG = '[profiles.work]\nprovider = "getresponse"\n[profiles.home]\nprovider = "constantcontact"\n["profiles"."at ann\'s"]\nprovider = "vr2"\n'
BIN = os.path.dirname(os.path.abspath(rig.program()))

# What is typed before Tab, and what the line is after it.
LINES = [
    ("token w", "token work"),
    ("provider show ge", "provider show getresponse"),
    ("login --provider=get", "login --provider=getresponse"),
    ("login --grant dev", "login --grant device-code"),
    ("call work PO", "call work POST"),
    ("login --client-secret-file sec", "login --client-secret-file secret.txt"),
    ("login --client-secret-file=sec", "login --client-secret-file=secret.txt"),
    ("call work POST /x key=@sec", "call work POST /x key=@secret.txt"),
    ("login max --provider getresponse --environment max --var dom", "login max --provider getresponse --environment max --var domain="),
]
# Quotes that are open still.
OPEN = [('token "w', "token work"), ('login --client-secret-file "sec', "login --client-secret-file secret.txt"), ('call work POST /x "key=@sec', "call work POST /x key=@secret.txt")]
# A name that a shell would take apart.
ODD = ("token at", "token at ann's")
# Where no file goes, none is offered.
NONE = ["token sec", "login --grant sec", "provider show sec", "login --timeout sec"]


def home_for(t):
    home = t.home(PATH=f"{BIN}:{os.environ['PATH']}", TERM="xterm", PS1="% ", LANG="C.UTF-8")
    home.config.mkdir(parents=True, exist_ok=True)
    (home.config / "config.toml").write_text(CONFIG)
    (home.folder / "secret.txt").write_text("")
    return home


def tab(t, home, argv, before=()):
    """Each line in a shell of its own, at a terminal: Tab, then what has become of it, printed by the shell."""
    for typed, whole in [*LINES, *OPEN, ODD, *((line, line) for line in NONE)]:
        with Terminal(argv, home._environment({}), home.folder) as shell:
            for line in before:
                shell.type(line)
            shell.type("oauthctl() { echo \"<$*>\"; }; echo rea''dy")
            shell.expect("ready")
            shell.press(f"oauthctl {typed}\t")
            shell.press("\r")
            shell.expect(re.escape(f"<{whole}>"))


@test
def bash_completes_what_fits(t):
    rig.need("bash")
    home = home_for(t)
    tab(t, home, ["bash", "--norc", "--noprofile", "-i"], ["source <(oauthctl completions bash)"])


@test
def zsh_completes_what_fits(t):
    rig.need("zsh")
    home = home_for(t)
    functions = home.folder / "zfunc"
    functions.mkdir()
    (functions / "_oauthctl").write_text(home.run("completions", "zsh").expect(0).out)
    tab(t, home, ["zsh", "-f", "-i"], [f"fpath=({functions} $fpath); autoload -Uz compinit; compinit -u -D"])


@test
def fish_completes_what_fits(t):
    rig.need("fish")
    home = home_for(t)
    script = home.folder / "oauthctl.fish"
    script.write_text(home.run("completions", "fish").expect(0).out)
    for typed, whole in [*LINES, *OPEN, *((line, None) for line in NONE)]:
        ran = rig.subprocess.run(["fish", "--no-config", "-c", f"source {script}; complete -C 'oauthctl {typed}'"], env=home._environment({}), cwd=home.folder, capture_output=True, text=True, timeout=rig.PATIENCE)
        words = [line.split("\t")[0] for line in ran.stdout.splitlines()]
        same(words, [whole.rsplit(" ", 1)[1]] if whole else [], f"offered after {typed!r} ({ran.stderr})")


@test
def tab_looks_at_the_configuration_alone(t):
    """H-18"""
    rig.need("strace")
    home = home_for(t)
    trace = home.folder / "trace"
    for line in (["token"], ["provider", "show"], ["login", "--provider"], ["call"]):
        ran = home.run("complete", "--word=", "--", *line, under=["strace", "-f", "-qq", "-o", str(trace), "-e", "trace=openat,connect,socket,keyctl"]).expect(0)
        check(ran.out, f"nothing is offered after {line}")
        opened = trace.read_text(errors="replace")
        check(str(home.state) not in opened and "socket(" not in opened and "connect(" not in opened and "keyctl(" not in opened, opened)


@test
def each_shell_takes_the_token_as_it_is_and_hands_it_to_its_programs(t):
    tokens = ["a'b\\c\"d$HOME`e`!*", "~/abc", "~", "a:~/b", "a=~/b", "=ls", "a:=ls", "==", "a-._~+/=="]
    home = home_for(t)
    posix = [["sh"], ["dash"], ["bash", "--norc"], ["bash", "--posix"], ["zsh", "-f"]]
    ways = [(shell, "env", "") for shell in posix] + [(shell, "dotenv", "set -a; ") for shell in posix]
    for token in tokens:
        for shell, format, before in [*ways, (["fish", "--no-config"], "fish", "")]:
            rig.need(shell[0])
            line = home.run("token", "work", "--format", format, env={"OAUTHCTL_WORK_TOKEN": token}).expect(0).out
            ran = rig.subprocess.run([*shell, "-c", f"{before}{line}printenv OAUTHCTL_WORK_TOKEN"], env=home._environment({}), capture_output=True, text=True, timeout=rig.PATIENCE)
            same(ran.stdout, f"{token}\n", f"{format} in {' '.join(shell)} ({ran.stderr})")


rig.main(globals())

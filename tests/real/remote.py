#!/usr/bin/env python3
"""At a machine without a browser: the address is printed, and the redirect's address pasted into the terminal."""

import re
import shlex
import shutil
import subprocess
from urllib.parse import urlsplit

import rig
from rig import check, same, test

LOGIN = ["login", "rig", "--client-id", "public"]


def printed_url(terminal, op):
    """The address to open, as the person reads it off the screen."""
    return terminal.find(re.escape(op.http) + r"/auth\?\S+(?=\s)").group()


def home_for(t, op, **env):
    home = t.home(OAUTHCTL_STORE="file", **env)
    home.provider("rig", op.provider_file())
    return home


@test
def the_pasted_redirect_completes_the_login(t):
    op = t.oidc_provider()
    home = home_for(t, op)
    terminal = home.at_terminal(*LOGIN, "--no-browser")
    url = printed_url(terminal, op)
    pasted = rig.show_redirect(url)
    terminal.type(pasted)
    ran = terminal.end().expect(0)
    code = re.search(r"code=([^&]+)", pasted)[1]
    check(code not in ran.err, "what was pasted should not be echoed")
    check(op.alive(home.run("token", "rig").expect(0).token), "the server should know the token")


@test
def while_the_paste_is_waited_for_the_listener_answers_too(t):
    op = t.oidc_provider()
    home = home_for(t, op)
    terminal = home.at_terminal(*LOGIN, "--no-browser")
    url = printed_url(terminal, op)
    rig.show_redirect(url, deliver="real")
    terminal.end().expect(0)


@test
def a_wrong_paste_is_said_and_the_right_one_still_taken(t):
    op = t.oidc_provider()
    home = home_for(t, op)
    terminal = home.at_terminal(*LOGIN, "--no-browser")
    url = printed_url(terminal, op)
    pasted = rig.show_redirect(url)
    terminal.type("not an address")
    terminal.type(re.sub(r"state=[^&]+", "state=wrong", pasted))
    terminal.expect(r"state|not the|another login")
    terminal.type(pasted)
    terminal.end().expect(0)
    same(len(op.token_requests("authorization_code")), 1, "codes exchanged")


@test
def over_ssh_the_line_that_forwards_the_port_is_printed(t):
    op = t.oidc_provider()
    home = home_for(t, op, SSH_CONNECTION="192.0.2.7 50022 192.0.2.8 22")
    browser = t.no_browser()
    terminal = home.at_terminal(*LOGIN, env={"BROWSER": browser})
    line = terminal.find(r"ssh -N( -L \S+)+ 192\.0\.2\.8$").group()
    forwarded = re.findall(r"-L (\d+):(?:127\.0\.0\.1|localhost):(\d+)", line)
    url = printed_url(terminal, op)
    needed = {urlsplit(rig.redirect_uri(url)).port, urlsplit(op.http).port}  # the server is on this machine too
    same({(int(here), int(there)) for here, there in forwarded}, {(port, port) for port in needed}, "ports forwarded")
    rig.show_redirect(url, deliver="real")
    terminal.end().expect(0)


@test
def over_ssh_by_ipv6_and_another_port_the_line_is_one_that_ssh_takes(t):
    op = t.oidc_provider()
    home = home_for(t, op, SSH_CONNECTION="fd00::5 50022 fd00::9 2222", USER="ann")
    terminal = home.at_terminal(*LOGIN, "--no-browser")
    line = terminal.find(r"ssh -N -p 2222( -L \S+)+ ann@fd00::9$").group()
    if ssh := shutil.which("ssh"):
        # `-G` says what ssh makes of it, and goes nowhere
        told = subprocess.run([ssh, "-G", *shlex.split(line)[1:]], capture_output=True, text=True, check=True).stdout
        for wanted in ("hostname fd00::9", "port 2222", "user ann"):
            check(wanted in told.splitlines(), f"{wanted}: {told}")
    terminal.press("\x03")
    terminal.end().expect(130)


@test
def without_a_terminal_the_printed_address_is_enough(t):
    op = t.oidc_provider()
    home = home_for(t, op)
    process = home.start(*LOGIN, "--no-browser")
    seen = ""
    while not (found := re.search(re.escape(op.http) + r"/auth\?\S+\s", seen)):
        line = process.stderr.readline().decode()
        check(line, f"`login` ended: {seen}")
        seen += line
    rig.show_redirect(found.group().strip(), deliver="real")
    home.collect(process, *LOGIN).expect(0)


@test
def a_redirect_that_is_not_on_loopback_is_pasted(t):
    op = t.oidc_provider()
    home = home_for(t, op)
    redirect = "https://app.example.test/done"
    terminal = home.at_terminal("login", "rig", "--client-id", "pasted", "--redirect-uri", redirect, "--no-browser")
    url = printed_url(terminal, op)
    same(rig.redirect_uri(url), redirect, "the redirect asked for")
    terminal.type(rig.show_redirect(url))
    terminal.end().expect(0)
    home.run("token", "rig").expect(0)


@test
def ctrl_c_ends_the_wait_with_exit_code_130_and_a_usable_terminal(t):
    op = t.oidc_provider()
    home = home_for(t, op)
    terminal = home.at_terminal(*LOGIN, "--no-browser")
    printed_url(terminal, op)
    terminal.press("\x03")
    terminal.end().expect(130)
    home.run("token", "rig").expect(4)


rig.main(globals())

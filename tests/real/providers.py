#!/usr/bin/env python3
"""The built-in providers, their servers played by the sandbox: `oauthctl sandbox run -- CMD` on a machine without a network."""

import re
import signal

import rig
from rig import check, same, test

# the app that every practice server knows, with the redirect addresses that the providers' own examples register
APP = ["--client-id", "practice-client", "--client-secret-file"]
FIXED = "http://127.0.0.1:8976/callback"


def in_sandbox(*lines):
    """The arguments that run shell lines inside, where `oauthctl` is the program under test."""
    return ["sandbox", "run", "--", "sh", "-ec", f'oauthctl() {{ {rig.quoted(rig.program())} "$@"; }}\n' + "\n".join(lines)]


@test
def getresponse_takes_the_pasted_address_because_it_refuses_loopback(t):
    home = t.home(OAUTHCTL_STORE="file")
    secret = home.secret_file("practice-secret")
    terminal = home.at_terminal(
        *in_sandbox(
            f"oauthctl login getresponse {' '.join(APP)} {rig.quoted(secret)} --no-browser",
            "echo TOKEN $(oauthctl token getresponse)",
            "oauthctl call getresponse /accounts",
        )
    )
    url = terminal.find(r"http://127\.0\.0\.1:\d+\S*oauth2_authorize\S*(?=\s)").group()
    check("redirect_uri" not in url, f"GetResponse is sent no redirect address: {url}")
    terminal.type(rig.show_redirect(url))
    terminal.expect(r"^TOKEN \S+$")
    terminal.end().expect(0, err=r"accountId")


@test
def getresponse_gives_a_ci_job_its_token(t):
    home = t.home(OAUTHCTL_CLIENT_ID="practice-client", OAUTHCTL_CLIENT_SECRET="practice-secret", CI="true")
    ran = home.run(*in_sandbox("oauthctl token getresponse --grant client-credentials")).expect(0)
    check(len(ran.token) >= 20, "a token expected")


@test
def verticalresponse_logs_in_without_a_state_and_keeps_the_account(t):
    home = t.home(OAUTHCTL_STORE="file")
    secret = home.secret_file("practice-secret")
    home.run(
        *in_sandbox(
            f"oauthctl login verticalresponse {' '.join(APP)} {rig.quoted(secret)} --redirect-uri {FIXED}",
            "oauthctl token verticalresponse",
            "oauthctl status verticalresponse >&2",
        ),
        env={"BROWSER": t.browser()},
    ).expect(0, out=r"\A\S+\n\Z")


@test
def constant_contact_logs_in_and_renews(t):
    home = t.home(OAUTHCTL_STORE="file")
    secret = home.secret_file("practice-secret")
    ran = home.run(
        *in_sandbox(
            f"oauthctl login constantcontact {' '.join(APP)} {rig.quoted(secret)} --redirect-uri {FIXED}",
            "oauthctl token constantcontact",
            "oauthctl refresh constantcontact",
            "oauthctl token constantcontact",
        ),
        env={"BROWSER": t.browser()},
    ).expect(0, out=r"\A\S+\n\S+\n\Z")
    first, second = ran.out.split()
    check(first != second, "`refresh` should bring another token")
    check("exp" in rig.claims(second), "Constant Contact's tokens are JWTs")


@test
def constant_contact_without_a_secret_uses_pkce(t):
    home = t.home(OAUTHCTL_STORE="file")
    browser = t.browser()
    login = f"oauthctl login constantcontact --client-id practice-public --redirect-uri {FIXED}"
    home.run(*in_sandbox(login, "oauthctl token constantcontact"), env={"BROWSER": browser}).expect(0, out=r"\A\S+\n\Z")
    check("code_challenge=" in browser.opened()[0], f"PKCE expected: {browser.opened()}")


@test
def a_sandbox_that_serves_one_providers_manners_does_so_until_it_is_stopped(t):
    home = t.home()
    port = rig.free_port()
    process = home.start("sandbox", "serve", "--as", "getresponse", "--port", str(port))
    rig.wait_until(lambda: rig.answers(port) or process.poll() is not None, "the sandbox's start", 10)
    status, page = rig.fetch(f"http://127.0.0.1:{port}/")
    same(status, 200, "its front page")
    check("practice-client" in page and re.search("getresponse", page, re.I), "the front page should name the provider and the app")
    process.send_signal(signal.SIGINT)
    ran = home.collect(process, "sandbox", "serve")
    check(ran.code in (0, 130), f"a clean end expected\n{ran}")


rig.main(globals())

#!/usr/bin/env python3
"""What goes wrong at a real server, and what is left behind: nothing stored, nothing lost, a clear word and exit code."""

import re
import socket

import rig
import strict
from rig import check, same, test


def home_for(t, op, issuer=None, auth="none", **env):
    home = t.home(OAUTHCTL_STORE="file", **env)
    home.provider("rig", op.provider_file(issuer, auth=auth))
    return home


LOGIN = ["login", "rig", "--client-id", "public"]


def logged_in(t, op):
    home = home_for(t, op)
    home.run(*LOGIN, env={"BROWSER": t.browser()}).expect(0)
    return home


@test
def a_person_who_cancels_gets_exit_code_3(t):
    op = t.oidc_provider()
    home = home_for(t, op)
    browser = t.browser(action="deny")
    home.run(*LOGIN, env={"BROWSER": browser}).expect(3, err=r"access_denied")
    check(re.search(r"did not complete", browser.said(), re.I), f"the page says: {browser.said()}")
    home.run("token", "rig").expect(4)


@test
def noise_and_a_wrong_state_do_not_end_the_wait_for_the_right_one(t):
    op = t.oidc_provider()
    home = home_for(t, op)
    browser = t.browser(deliver="junk,favicon,no-state,state,real")
    home.run(*LOGIN, env={"BROWSER": browser}).expect(0)
    same(len(op.token_requests("authorization_code")), 1, "codes exchanged")
    delivered = {step["delivered"]: step for step in browser.log() if "delivered" in step}
    check(delivered["state"]["status"] >= 400, f"a wrong state was taken: {delivered['state']}")


@test
def a_wrong_state_alone_is_exit_code_7_when_the_time_is_over_with_nothing_exchanged(t):
    op = t.oidc_provider()
    home = home_for(t, op)
    home.run(*LOGIN, "--timeout", "2s", env={"BROWSER": t.browser(deliver="state")}).expect(7, err="is not this login's")
    same(op.token_requests("authorization_code"), [], "codes exchanged")
    home.run("token", "rig").expect(4)


@test
def nobody_who_answers_ends_in_a_timeout_with_exit_code_6(t):
    op = t.oidc_provider()
    home = home_for(t, op)
    home.run(*LOGIN, "--timeout", "1s", env={"BROWSER": t.browser(action="leave")}).expect(6)


@test
def a_wrong_client_secret_is_exit_code_2_and_nothing_is_stored(t):
    op = t.oidc_provider()
    home = home_for(t, op, auth="basic")
    before = set(home.files())
    argv = ["login", "rig", "--client-id", "confidential", "--client-secret-file", home.secret_file("not-the-secret")]
    browser = t.browser()
    home.run(*argv, env={"BROWSER": browser}).expect(2, err=r"client (secret|id|credentials)|invalid_client")
    check(re.search(r"did not complete", browser.said(), re.I), f"the page says: {browser.said()}")
    home.run("token", "rig").expect(4)
    kept = {p for p in home.files() if p not in before and "not-the-secret" in home.files()[p].decode("utf-8", "replace")}
    same(kept, {str(home.folder / "client-secret")}, "files that hold the wrong secret")


@test
def a_code_that_the_server_does_not_know_stores_nothing(t):
    op = t.oidc_provider()
    home = home_for(t, op)
    ran = home.run(*LOGIN, env={"BROWSER": t.browser(deliver="code")})
    check(ran.code in (3, 4), f"exit code 3 or 4 expected\n{ran}")
    ran.expect(ran.code, err=r"invalid_grant|code")
    home.run("token", "rig").expect(4)


@test
def a_server_in_trouble_is_exit_code_75_and_the_token_stays(t):
    op = t.oidc_provider()
    home = logged_in(t, op)
    op.fault("/token", times=99, status=503, type="text/html", body="<h1>Service Unavailable</h1>")
    home.run("refresh", "rig").expect(75, err=r"503")
    home.run("token", "rig", "--force-refresh").expect(75, out=r"\A\Z")
    home.run("token", "rig").expect(0)


@test
def after_the_trouble_the_same_login_goes_on(t):
    op = t.oidc_provider()
    home = logged_in(t, op)
    op.fault("/token", times=1, status=429, headers={"Retry-After": "1"}, body='{"error":"slow_down"}')
    home.run("token", "rig", "--force-refresh").expect(75)
    rig.wait_until(lambda: home.run("refresh", "rig").code == 0, "a refresh that works again")


@test
def an_html_page_in_place_of_a_token_is_exit_code_7_and_the_token_stays(t):
    op = t.oidc_provider()
    home = logged_in(t, op)
    op.fault("/token", times=1, status=200, type="text/html", body="<html><script>alert(1)</script>\x1b[31m<h1>Sign in</h1>")
    ran = home.run("refresh", "rig").expect(7, err=r"a web page \(status 200\), not with a token")
    check("\x1b" not in ran.err and "<script" not in ran.err, f"the page was shown\n{ran}")
    home.run("refresh", "rig").expect(0)


@test
def a_redirect_of_the_token_endpoint_is_not_followed(t):
    op = t.oidc_provider()
    home = logged_in(t, op)
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0.5)
        to = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/token"
        op.fault("/token", times=1, status=307, headers={"Location": to}, body="")
        home.run("refresh", "rig").expect(7, err=r"redirect")
        try:
            elsewhere.accept()
        except TimeoutError:
            return
        check(False, "the redirect was followed")


@test
def a_server_that_is_not_there_is_exit_code_75(t):
    server = strict.serve(t)
    server.expires_in = 3600
    home = strict.logged_in(t, server)
    with server.away():
        home.run("refresh", "strict").expect(75)
    home.run("token", "strict").expect(0)


@test
def a_certificate_that_nobody_vouches_for_has_ended_or_names_another_host_is_exit_code_7(t):
    trusted = {"SSL_CERT_FILE": rig.pki() / "ca.crt"}
    for certificate, env in (("server", {}), ("expired", trusted), ("wronghost", trusted)):
        op = t.oidc_provider(https=True, certificate=certificate)
        home = home_for(t, op, op.https, auth="basic", OAUTHCTL_CLIENT_ID="machine", OAUTHCTL_CLIENT_SECRET="a-secret-of-the-machine", **env)
        home.run("token", "rig", "--grant", "client-credentials").expect(7, out=r"\A\Z", err=r"certificate|tls")
        same(op.log("/token"), [], f"requests that arrived ({certificate})")


@test
def plain_http_to_another_machine_is_refused_before_anything_is_sent(t):
    op = t.oidc_provider()
    home = home_for(t, op, "http://192.0.2.1")
    browser = t.no_browser()
    ran = home.run(*LOGIN, "--timeout", "2s", env={"BROWSER": browser})
    check(ran.code in (2, 7), f"exit code 2 or 7 expected\n{ran}")
    same(browser.opened(), [], "what the browser got")


rig.main(globals())

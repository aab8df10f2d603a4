#!/usr/bin/env python3
"""Any issuer, known by its address alone: discovery at npm's `oidc-provider`, and a login by device code there (RFC 8628)."""

import rig
from rig import check, same, shows, test

SCOPES = ["--scope", "openid offline_access", "--param", "prompt=consent"]
WELL_KNOWN = "/.well-known/openid-configuration"


@test
@shows("issuer: discovery")
def an_issuers_address_is_all_that_a_login_needs(t):
    op = t.oidc_provider()
    home = t.home(OAUTHCTL_STORE="file")
    home.run("login", op.http, "--client-id", "public", *SCOPES, env={"BROWSER": t.browser()}).expect(0)
    check(op.alive(home.run("token").expect(0).token), "the server should know the token")
    home.run("refresh").expect(0)
    same(home.run("call", "/me").expect(0).json()["sub"], "alice", "who the API says I am")
    same(len(op.log(WELL_KNOWN)), 1, "times that the document was fetched")
    home.run("logout").expect(0, err="revoked")


@test
@shows("issuer: discovery")
def an_issuer_that_calls_itself_something_else_is_refused(t):
    op = t.oidc_provider()
    home = t.home(OAUTHCTL_STORE="file")
    home.run("login", op.http + "/", "--client-id", "public", env={"BROWSER": t.browser()}).expect(7, err="names the issuer")
    same(op.log("/auth"), [], "browsers sent there")


@test
@shows("sign-in: iss in the redirect (9207)")
def an_answer_without_the_announced_iss_is_refused(t):
    op = t.oidc_provider()
    home = t.home(OAUTHCTL_STORE="file")
    home.run("login", op.http, "--client-id", "public", *SCOPES, env={"BROWSER": t.browser(deliver="iss")}).expect(7, err="iss")
    same(op.token_requests("authorization_code"), [], "codes exchanged")


@test
@shows("grant: device code (8628)")
def a_machine_without_a_browser_logs_in_by_a_code_that_is_entered_elsewhere(t):
    op = t.oidc_provider()
    home = t.home(OAUTHCTL_STORE="file")
    rig.enter_device_code(home, op.http, "--client-id", "device", "--scope", "openid offline_access").expect(0)
    check(op.alive(home.run("token").expect(0).token), "the server should know the token")
    home.run("refresh").expect(0)
    asked = [entry for entry in op.log("/token") if "device_code" in str(entry.get("body"))]
    check(1 <= len(asked) <= 3, f"the server was asked {len(asked)} times: 5 s lie between two questions")


rig.main(globals())

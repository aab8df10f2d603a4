#!/usr/bin/env python3
"""A certified authorization server, npm's `oidc-provider`: PKCE, rotation that kills the grant on reuse, `iss`, Basic."""

import time

import rig
from rig import check, same, shows, test

SECRET = "a-secret-of-the-confidential-client"
ODD_SECRET = "p@ss word:/+%&=~!$^`|"


def logged_in(t, op, *flags, auth="none", client="public", issuer=None, stdin=None, **env):
    """A home that has logged in as the profile `rig`, by the robot."""
    home = t.home(OAUTHCTL_STORE="file", **env)
    home.provider("rig", op.provider_file(issuer, auth=auth))
    home.run("login", "rig", "--client-id", client, *flags, stdin=stdin, env={"BROWSER": t.browser()}).expect(0)
    return home


@test
@shows("grant: authorization code", "sign-in: PKCE (7636)", "client: none")
def a_public_client_logs_in_with_pkce_and_the_token_works(t):
    op = t.oidc_provider()
    home = logged_in(t, op)
    asked = op.log("/auth")[0]["query"]
    check("code_challenge_method=S256" in asked and "state=" in asked, f"PKCE and `state` expected: {asked}")
    [exchange] = op.token_requests("authorization_code")
    check(len(exchange["body"]["code_verifier"]) >= 43 and "client_secret" not in exchange["body"], f"sent: {exchange['body']}")
    check(op.alive(home.run("token", "rig").expect(0).token), "the server should know the token")
    same(home.run("call", "rig", "/me").expect(0).json()["sub"], "alice", "who the API says I am")


@test
@shows("grant: refresh token, rotating")
def every_refresh_uses_the_newest_refresh_token_and_none_twice(t):
    op = t.oidc_provider()
    home = logged_in(t, op)
    for _ in range(3):
        home.run("refresh", "rig").expect(0)
    home.run("token", "rig", "--force-refresh").expect(0)
    spent = [e["body"]["refresh_token"] for e in op.token_requests("refresh_token")]
    same([e["status"] for e in op.token_requests("refresh_token")], [200] * 4, "the server's answers")
    same(len(set(spent)), 4, "different refresh tokens")
    check(op.alive(home.run("token", "rig").expect(0).token), "the grant should be alive")


@test
def twenty_processes_that_find_a_stale_token_cause_one_refresh(t):
    op = t.oidc_provider(access_ttl=60)
    home = logged_in(t, op)
    op.access_ttl(3600)
    ran = rig.parallel(20, 20, lambda _: home.run("token", "rig", "--min-ttl", "10m"))
    for one in ran:
        one.expect(0)
    same(len({one.token for one in ran}), 1, "different tokens printed")
    same(len(op.token_requests("refresh_token")), 1, "refreshes")
    home.run("refresh", "rig").expect(0)


@test
def a_token_about_to_expire_is_renewed_by_itself(t):
    op = t.oidc_provider(access_ttl=3)
    home = logged_in(t, op)
    first = home.run("token", "rig").expect(0).token
    time.sleep(3)
    home.run("token", "rig", "--no-refresh").expect(4)
    op.access_ttl(3600)
    second = home.run("token", "rig").expect(0).token
    check(first != second and op.alive(second), "a new token, alive, expected")


@test
@shows("client: client_secret_basic")
def a_confidential_client_logs_in_with_basic(t):
    op = t.oidc_provider()
    home = logged_in(t, op, "--client-secret-file", "-", auth="basic", client="confidential", stdin=SECRET + "\n")
    home.run("refresh", "rig").expect(0)
    for path, content in home.files().items():
        check(SECRET.encode() not in content, f"{path} holds the client secret in plain text")


@test
@shows("client: client_secret_basic")
def a_client_secret_is_replaced_while_the_server_knows_only_the_earlier_one(t):
    op = t.oidc_provider()
    home = logged_in(t, op, "--client-secret-file", "-", auth="basic", client="confidential", stdin=SECRET + "\n")
    home.run("profile", "set-secret", "rig", "-", stdin="the-next-secret\n").expect(0)
    ran = rig.parallel(10, 10, lambda _: home.run("token", "rig", "--min-ttl", "2h"))
    for one in ran:
        one.expect(0)
    answers = [e["status"] for e in op.token_requests("refresh_token")]
    # who starts after another's refresh asks again: no token lives as long as is wanted
    exchanges = [401, 200] * (len(answers) // 2)
    same(answers, exchanges, "the server's answers")
    check(2 <= len(answers) <= 6, f"few refreshes for ten at once expected: {answers}")
    check("earlier secret" in home.run("status", "rig").expect(0).out, "`status` should tell that two are in use")
    home.run("profile", "set-secret", "rig", "-", stdin=SECRET + "\n").expect(0)
    home.run("refresh", "rig").expect(0)
    same([e["status"] for e in op.token_requests("refresh_token")], [*exchanges, 200], "the server's answers")
    check(op.alive(home.run("token", "rig").expect(0).token), "the grant should be alive")


@test
@shows("client: client_secret_basic")
def odd_characters_in_id_and_secret_survive_basic(t):
    op = t.oidc_provider()
    home = logged_in(t, op, "--client-secret-file", "-", auth="basic", client="odd:id +%", stdin=ODD_SECRET + "\n")
    home.run("refresh", "rig").expect(0)


@test
@shows("client: client_secret_post")
def a_client_that_posts_its_secret_logs_in(t):
    op = t.oidc_provider()
    home = logged_in(t, op, auth="post", client="posts", OAUTHCTL_CLIENT_SECRET="a-secret-of-the-posting-client")
    [exchange] = op.token_requests("authorization_code")
    check("authorization" not in exchange["headers"], "no Basic expected")


@test
def over_https_everything_works_with_the_certificate_that_ssl_cert_file_trusts(t):
    op = t.oidc_provider(https=True)
    home = logged_in(t, op, issuer=op.https, SSL_CERT_FILE=rig.pki() / "ca.crt")
    home.run("refresh", "rig").expect(0)
    token = home.run("token", "rig").expect(0).token
    check(op.alive(token, op.https), "the server should know the token")
    same(home.run("call", "rig", "/me").expect(0).json()["sub"], "alice", "who the API says I am")


@test
@shows("sign-in: iss in the redirect (9207)")
def an_issuer_that_is_named_is_compared_with_the_one_in_the_redirect(t):
    op = t.oidc_provider()
    home = t.home(OAUTHCTL_STORE="file")
    home.provider("rig", op.provider_file(state_issuer=True))
    home.run("login", "rig", "--client-id", "public", env={"BROWSER": t.browser()}).expect(0)
    home.run("logout", "rig").expect(0)
    op.forget_log()
    home.run("login", "rig", "--client-id", "public", env={"BROWSER": t.browser(deliver="iss")}).expect(7, err=r"iss")
    same(op.token_requests("authorization_code"), [], "codes exchanged")
    home.run("token", "rig").expect(4)


@test
@shows("afterwards: revocation (7009)")
def logout_revokes_the_grant_at_the_server_and_forgets(t):
    op = t.oidc_provider()
    home = logged_in(t, op)
    token = home.run("token", "rig").expect(0).token
    home.run("logout", "rig").expect(0, err=r"revoked")
    check(op.log("/token/revocation"), "a revocation should have reached the server")
    check(not op.alive(token), "the server still takes the token")
    home.run("token", "rig").expect(4)


@test
def logout_here_alone_leaves_the_server_as_it_is(t):
    op = t.oidc_provider()
    home = logged_in(t, op)
    token = home.run("token", "rig").expect(0).token
    home.run("logout", "rig", "--local-only").expect(0)
    same(op.log("/token/revocation"), [], "revocations")
    check(op.alive(token), "the token should still be good")
    home.run("token", "rig").expect(4)


@test
def a_grant_that_the_server_has_killed_ends_with_exit_code_4_and_the_way_back(t):
    op = t.oidc_provider()
    home = logged_in(t, op)
    home.run("refresh", "rig").expect(0)
    # somebody else uses a refresh token that is spent: the server revokes all that came from the same login
    spent = op.token_requests("refresh_token")[0]["body"]["refresh_token"]
    status, _ = rig.fetch(f"{op.http}/token", f"grant_type=refresh_token&client_id=public&refresh_token={spent}".encode())
    same(status, 400, "the server's answer to a spent refresh token")
    home.run("refresh", "rig").expect(4, err=[r"invalid_grant", r"oauthctl login rig"])
    home.run("token", "rig").expect(4)


@test
@shows("sign-in: a real browser, https")
def in_chromium_over_https_a_person_logs_in(t):
    op = t.oidc_provider(https=True)
    home = t.home(OAUTHCTL_STORE="file", SSL_CERT_FILE=rig.pki() / "ca.crt")
    home.provider("rig", op.provider_file(op.https))
    home.run("login", "rig", "--client-id", "public", env={"BROWSER": t.chromium()}).expect(0)
    home.run("token", "rig").expect(0)


rig.main(globals())

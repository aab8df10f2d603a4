#!/usr/bin/env python3
"""Who signed in: ID tokens of every algorithm, signed answers of every endpoint, at npm's `oidc-provider`."""

import rig
from rig import check, same, test

SECRET = "a-secret-of-a-client-that-looks-at-signatures"
SCOPES = ["--scope", "openid email offline_access", "--param", "prompt=consent"]


def somebody(t):
    op = t.oidc_provider(identity=1)
    return op, t.home(OAUTHCTL_STORE="file", OAUTHCTL_CLIENT_SECRET=SECRET)


def login(t, op, home, client, *flags):
    return home.run("login", "rig", "--provider", op.http, "--client-id", client, *SCOPES, *flags, "-v", env={"BROWSER": t.browser()})


@test
def id_tokens_of_every_algorithm_are_verified_and_so_are_renewed_ones(t):
    op, home = somebody(t)
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA", "HS256"]:
        login(t, op, home, f"id-{algorithm}").expect(0, err=rf"the ID token is right: signed with {algorithm}")
        home.run("refresh", "rig", "-v").expect(0, err=rf"the ID token is right: signed with {algorithm}")
        seen = home.run("inspect", "rig", "--id-token", "--format", "json").expect(0).json()
        same(seen["claims"]["sub"], "alice", "who signed in")
        same(seen["header"]["alg"], algorithm, "the algorithm")
        if algorithm != "HS256":  # the client secret stays outside of the store here
            same(seen["signature"]["state"], "right", "the signature")
        same(seen["problems"], [], "problems")


@test
def a_nonce_is_drawn_for_each_login(t):
    op, home = somebody(t)
    for _ in range(2):
        login(t, op, home, "id-ES256").expect(0)
    nonces = [pair for entry in op.log("/auth") for pair in entry["query"].split("&") if pair.startswith("nonce=")]
    same(len(set(nonces)), 2, "different nonces")


@test
def signed_answers_of_the_authorize_endpoint_are_taken_in_each_mode(t):
    op, home = somebody(t)
    for mode in ["jwt", "query.jwt"]:
        login(t, op, home, "signs-all", "--response-mode", mode).expect(0, err="the redirect's answer is signed by the provider")


@test
def userinfo_is_told_plain_and_signed(t):
    op, home = somebody(t)
    for client in ["id-RS256", "signs-all"]:
        login(t, op, home, client).expect(0)
        same(home.run("userinfo", "rig").expect(0).json()["sub"], "alice", f"the person, told to {client}")


@test
def introspection_is_told_plain_and_signed_and_ends_with_the_token(t):
    op, home = somebody(t)
    login(t, op, home, "signs-all").expect(0)
    same(home.run("introspect", "rig").expect(0).json()["active"], True, "plain")
    signed = home.run("introspect", "rig", "--signed", "-v").expect(0, err=r"application/token-introspection\+jwt")
    same(signed.json()["sub"], "alice", "whose token it is")
    login(t, op, home, "id-RS256").expect(0)
    home.run("introspect", "rig", "--refresh-token").expect(0)


@test
def nothing_that_inspect_prints_gives_a_token_away_and_list_names_the_person(t):
    op, home = somebody(t)
    login(t, op, home, "id-RS256").expect(0)
    for flags in ([], ["--format", "json"]):
        shown = home.run("inspect", "rig", "--id-token", *flags).expect(0)
        check("signature" in shown.out, shown)
        longest = max((len(word) for word in shown.out.replace('"', " ").split()), default=0)
        check(longest < 200, f"a word of {longest} letters: a signature of RS256 has 342\n{shown}")
    asked = len(op.log())
    home.run("inspect", "rig", "--id-token").expect(0)
    same(len(op.log()), asked, "requests that the server saw")
    same(home.run("list", "--format", "json").json()[0]["account"], "alice", "the account, which the ID token alone tells")


rig.main(globals())

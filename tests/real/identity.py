#!/usr/bin/env python3
"""Who signed in: ID tokens of every algorithm, signed answers of every endpoint, at npm's `oidc-provider`."""

import rig
from rig import check, same, shows, test

SECRET = "a-secret-of-a-client-that-looks-at-signatures"
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA", "HS256"]
SCOPES = ["--scope", "openid email offline_access", "--param", "prompt=consent"]


def somebody(t):
    op = t.oidc_provider(identity=1)
    return op, t.home(OAUTHCTL_STORE="file", OAUTHCTL_CLIENT_SECRET=SECRET)


def login(t, op, home, client, *flags):
    return home.run("login", "rig", "--provider", op.http, "--client-id", client, *SCOPES, *flags, "-v", env={"BROWSER": t.browser()})


@test
@shows(*(f"ID token: {alg}" for alg in ALGORITHMS))
def id_tokens_of_every_algorithm_are_verified_and_so_are_renewed_ones(t):
    op, home = somebody(t)
    for algorithm in ALGORITHMS:
        login(t, op, home, f"id-{algorithm}").expect(0, err=rf"the ID token is right: signed with {algorithm}")
        home.run("refresh", "rig", "-v").expect(0, err=rf"the ID token is right: signed with {algorithm}")
        seen = home.run("inspect", "rig", "--id-token", "--format", "json").expect(0).json()
        same(seen["claims"]["sub"], "alice", "who signed in")
        same(seen["header"]["alg"], algorithm, "the algorithm")
        if algorithm != "HS256":  # the client secret stays outside of the store here
            same(seen["signature"]["state"], "right", "the signature")
        same(seen["problems"], [], "problems")


def rotate(op, keep):
    """New keys at the server; with `keep`, beside those it had."""
    status, text = rig.fetch(f"{op.http}/test/rotate", rig.json.dumps({"keep": keep}).encode())
    same(status, 200, text)


KEY_IS_NEW = r"names a key that is not stored"


@test
@shows("issuer: keys that change")
def keys_that_the_server_has_changed_are_fetched_once_and_kept(t):
    op, home = somebody(t)
    login(t, op, home, "id-ES256").expect(0)
    same(len(op.log("/jwks")), 1, "fetches at the first login")
    for keep in (True, False):
        login(t, op, home, "id-ES256").expect(0, err=r"the ID token is right")
        home.run("refresh", "rig").expect(0)
        op.forget_log()
        rotate(op, keep)
        home.run("refresh", "rig", "-v").expect(0, err=[KEY_IS_NEW, r"the ID token is right: signed with ES256"])
        same(len(op.log("/jwks")), 1, f"fetches at a renewal after the change (keep: {keep})")
        rotate(op, keep)
        login(t, op, home, "id-ES256").expect(0, err=[KEY_IS_NEW, r"the ID token is right: signed with ES256"])
        same(len(op.log("/jwks")), 2, f"fetches at a login after one more change (keep: {keep})")
        home.run("refresh", "rig").expect(0)
        login(t, op, home, "id-ES256").expect(0)
        same(len(op.log("/jwks")), 2, "no fetch of keys that are kept")


@test
@shows("issuer: keys that change")
def a_key_that_the_server_does_not_show_is_asked_for_once_and_refused(t):
    op, home = somebody(t)
    login(t, op, home, "id-RS256").expect(0)
    before = rig.fetch(f"{op.http}/jwks")[1]
    rotate(op, keep=False)
    op.forget_log()
    op.fault("/jwks", times=9, status=200, body=before)
    login(t, op, home, "id-RS256").expect(7, err=[r"the ID token can't be trusted", r"has no key `key-rsa-2`", r"nothing was stored"])
    same(len(op.log("/jwks")), 1, "fetches")
    refused = home.run("refresh", "rig").expect(7, err=[r"the refreshed ID token can't be trusted", r"oauthctl login rig"])
    check("\n" not in refused.out, f"a token was printed: {refused}")
    same(len(op.log("/jwks")), 2, "fetches")


@test
@shows("ID token: nonce")
def a_nonce_is_drawn_for_each_login(t):
    op, home = somebody(t)
    for _ in range(2):
        login(t, op, home, "id-ES256").expect(0)
    nonces = [pair for entry in op.log("/auth") for pair in entry["query"].split("&") if pair.startswith("nonce=")]
    same(len(set(nonces)), 2, "different nonces")


@test
@shows("sign-in: signed answers (JARM)")
def signed_answers_of_the_authorize_endpoint_are_taken_in_each_mode(t):
    op, home = somebody(t)
    for mode in ["jwt", "query.jwt"]:
        login(t, op, home, "signs-all", "--response-mode", mode).expect(0, err="the provider has signed the redirect's response")


@test
def explaining_tells_each_check_of_what_the_server_signed_and_no_secret(t):
    op, home = somebody(t)
    args = ["login", "rig", "--provider", op.http, "--client-id", "signs-all", *SCOPES, "--response-mode", "jwt", "--explain"]
    said = home.run(*args, env={"BROWSER": t.browser()}).expect(0, err=[r"\(JWT Secured Authorization Response Mode \(JARM\), section 2.4\)", r"\(OpenID Connect Core 1.0, section 3.1.3.7\)", r"=   signature +verifies"]).err
    rotate(op, keep=False)
    renewed = home.run("token", "rig", "--force-refresh", "--explain").expect(0, err=[r"section 12.2", r"section 10.1.1", r"!   kid +key-ec-2", r"=   signature +verifies"])
    [code, renewal] = op.token_requests("authorization_code") + op.token_requests("refresh_token")
    id_token = home.run("token", "rig", "--format", "json").expect(0).json().get("id_token", "")
    for secret in (SECRET, renewed.token, code["body"]["code"], code["body"]["code_verifier"], renewal["body"]["refresh_token"], id_token[-60:] or SECRET):
        check(secret not in said + renewed.err, f"{secret} is told")


@test
@shows("afterwards: userinfo", "afterwards: userinfo, signed")
def userinfo_is_told_plain_and_signed(t):
    op, home = somebody(t)
    for client in ["id-RS256", "signs-all"]:
        login(t, op, home, client).expect(0)
        same(home.run("userinfo", "rig").expect(0).json()["sub"], "alice", f"the person, told to {client}")


@test
@shows("afterwards: introspection (7662)", "afterwards: introspection, signed (9701)")
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
    # the ID token holds `sub` alone: the name is the userinfo endpoint's
    same(home.run("list", "--format", "json").json()[0]["account"], "alice@example.test", "the account, which the userinfo endpoint tells")


rig.main(globals())

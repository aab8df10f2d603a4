#!/usr/bin/env python3
"""The grants beyond a login, and what an authorize request may ask for, against npm's `oidc-provider` (its extras.mjs)."""

import json
import subprocess
import time

import rig
from rig import check, same, shows, test


def op_with_extras(t, **settings):
    return t.oidc_provider(extras=1, **settings)


def at(t, op, client, *, secret=True, more=""):
    """A home that knows the issuer by discovery, and a client's secret from the environment."""
    env = {"OAUTHCTL_STORE": "file"}
    if secret:
        env["OAUTHCTL_CLIENT_SECRET"] = f"a-secret-of-{client}"
    home = t.home(**env)
    home.provider("rig", f'id = "rig"\nname = "the tests\' own server"\nissuer = "{op.http}"\nredirect.path = "/callback"\n{more}')
    return home


def signed_in(t, op, *flags):
    home = at(t, op, "public", secret=False)
    home.run("login", "rig", "--client-id", "public", "--scope", "openid offline_access api:read", *flags, env={"BROWSER": t.browser()}).expect(0)
    return home


@test
@shows("grant: token exchange (8693)")
def one_token_is_exchanged_for_another_from_a_file_and_from_a_profile(t):
    op = op_with_extras(t)
    home = signed_in(t, op)
    subject = home.folder / "subject"
    subject.write_text(home.run("token", "rig").expect(0).token + "\n")
    client = {"OAUTHCTL_CLIENT_SECRET": "a-secret-of-exchanger"}
    flags = ["--provider", "rig", "--client-id", "exchanger", "--grant", "token-exchange", "--audience", "one", "--audience", "two"]
    got = home.run("token", "narrow", *flags, "--store", "none", "--scope", "openid", "--subject-token-file", str(subject), env=client).expect(0).token
    check(op.alive(got), "the server should know the token")
    [asked] = op.token_requests("urn:ietf:params:oauth:grant-type:token-exchange")
    same(asked["body"]["audience"], ["one", "two"], "audiences at the server")
    home.run("login", "narrow", *flags, "--scope", "openid", "--subject-profile", "rig", env=client).expect(0)
    first = home.run("token", "narrow", env=client).expect(0).token
    second = home.run("token", "narrow", "--force-refresh", env=client).expect(0).token
    check(first != second and op.alive(second), "a new one without a person expected")
    same(home.run("token", "narrow", "--format", "json", env=client).expect(0).json()["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token", "type")
    subject.write_text("not-a-token-of-this-server\n")
    home.run("token", "narrow", *flags, "--store", "none", "--subject-token-file", str(subject), env=client).expect(3, err="subject token is not known")


def key_pair(t):
    """A P-256 key as PEM in a file, and its public half as a JWK."""
    make = (
        "const {privateKey, publicKey} = require('crypto').generateKeyPairSync('ec', {namedCurve: 'P-256'});"
        "console.log(JSON.stringify([privateKey.export({type: 'pkcs8', format: 'pem'}), {...publicKey.export({format: 'jwk'}), alg: 'ES256'}]))"
    )
    rig.need("node")
    pem, jwk = json.loads(subprocess.run(["node", "-e", make], capture_output=True, text=True, timeout=rig.PATIENCE, check=True).stdout)
    path = t.folder / "key.pem"
    path.write_text(pem)
    return str(path), json.dumps(jwk)


@test
@shows("grant: JWT bearer (7523)")
def an_assertion_signed_here_is_taken_where_its_aud_is_the_token_endpoint(t):
    key, jwk = key_pair(t)
    op = op_with_extras(t, assertion_key=jwk)
    home = at(t, op, "asserter")
    ask = ["token", "rig", "--client-id", "asserter", "--grant", "jwt-bearer", "--subject", "alice", "--client-key-file", key, "--auth", "basic", "--store", "none"]
    first = home.run(*ask).expect(0).token
    second = home.run(*ask).expect(0).token
    check(first != second, "another token each time expected")
    sent = [rig.claims(e["body"]["assertion"]) for e in op.token_requests("urn:ietf:params:oauth:grant-type:jwt-bearer")]
    check(sent[0]["jti"] != sent[1]["jti"], "another `jti` each time expected")
    same([sent[0][name] for name in ("iss", "sub", "aud")], ["asserter", "alice", f"{op.http}/token"], "who, about whom, for whom")
    home.run("login", *ask[1:-2]).expect(0)
    home.run("profile", "set", "rig", "assertion-audience", "issuer").expect(0)
    home.run("refresh", "rig").expect(3, err=[r"invalid_grant", r"`aud`"])


@test
@shows("sign-in: request objects (9101)", "sign-in: PAR (9126)")
def an_authorize_request_is_signed_by_value_and_pushed(t):
    key, jwk = key_pair(t)
    op = op_with_extras(t, assertion_key=jwk)
    home = at(t, op, "signer", secret=False)
    login = ["login", "rig", "--client-id", "signer", "--client-key-file", key, "--auth", "none", "--scope", "openid", "--request-object"]
    home.run(*login, env={"BROWSER": t.browser()}).expect(0)
    check("request=" in op.log("/auth")[0]["query"] and "state=" not in op.log("/auth")[0]["query"], "the request should be in the object alone")
    home.run(*login, "--par", env={"BROWSER": t.browser()}).expect(0)
    [pushed] = op.log("/request")
    check("request" in pushed["body"] and "state" not in pushed["body"], f"pushed: {list(pushed['body'])}")
    home.run(*login[:-1], "--request-object=false", "--par=false", env={"BROWSER": t.browser()}).expect(2, err=r"invalid_request")


@test
@shows("grant: CIBA")
def consent_on_another_device_is_polled_for_and_never_too_soon(t):
    op = op_with_extras(t, ciba_decides_ms=6000)
    home = at(t, op, "ciba")
    home.run("login", "rig", "--client-id", "ciba", "--grant", "ciba", "--login-hint", "alice", "--binding-message", "W4SCT", "--scope", "openid").expect(
        0, err=[r"W4SCT", r"Signed in"]
    )
    check(op.alive(home.run("token", "rig").expect(0).token), "the server should know the token")
    polls = op.token_requests("urn:openid:params:grant-type:ciba")
    check(2 <= len(polls) <= 3 and all("slow_down" not in str(p) for p in polls), f"polls: {len(polls)}")
    home.run("login", "rig", "--client-id", "ciba", "--grant", "ciba", "--login-hint", "nobody", "--scope", "openid").expect(3, err=r"unknown_user_id")


@test
@shows("grant: CIBA")
def a_person_who_says_no_on_the_other_device_ends_it(t):
    op = op_with_extras(t, ciba_says="no", ciba_decides_ms=100)
    home = at(t, op, "ciba")
    home.run("login", "rig", "--client-id", "ciba", "--grant", "ciba", "--login-hint", "alice", "--scope", "openid").expect(3, err=r"refused")


@test
@shows("sign-in: PAR (9126)")
def a_server_that_requires_pushed_requests_gets_them_without_being_told(t):
    op = op_with_extras(t, require_par="1")
    home = signed_in(t, op)
    [pushed] = op.log("/request")
    same(pushed["status"], 201, "the server's answer")
    asked = op.log("/auth")[0]["query"]
    check("request_uri=" in asked and "state=" not in asked and "code_challenge" not in asked, f"a reference alone expected: {asked}")
    check(op.alive(home.run("token", "rig").expect(0).token), "the server should know the token")
    refused = home.run("login", "rig", "--par=false")
    refused.expect(2, err=r"takes pushed authorize requests only")


@test
@shows("sign-in: details (RAR, 9396)")
def details_are_asked_for_granted_and_kept(t):
    op = op_with_extras(t)
    details = '[{"type":"payment_initiation","amount":"5"}]'
    home = at(t, op, "public", secret=False)
    flags = ["--client-id", "public", "--scope", "openid", "--resource", "https://one.example.test/", "--authorization-details", details]
    home.run("login", "rig", *flags, env={"BROWSER": t.browser()}).expect(0, err=r"Granted in detail: payment_initiation")
    same(home.run("token", "rig", "--format", "json").expect(0).json()["authorization_details"][0]["amount"], "5", "what was granted")
    unknown = '[{"type":"no_such_type"}]'
    home.run("login", "rig", *flags[:-1], unknown, env={"BROWSER": t.browser()}).expect(2, err=r"does not take authorization details of the type `no_such_type`; nothing was sent")


@test
@shows("sign-in: resources (8707)")
def resources_go_along_to_every_endpoint_and_a_foreign_one_is_refused(t):
    op = op_with_extras(t)
    one = "https://one.example.test/"
    home = signed_in(t, op, "--resource", one)
    home.run("refresh", "rig").expect(0)
    for grant in ("authorization_code", "refresh_token"):
        [asked] = op.token_requests(grant)
        same(asked["body"]["resource"], one, f"resource at {grant}")
    refused = home.run("login", "rig", "--resource", "https://foreign.invalid/", env={"BROWSER": t.browser()})
    refused.expect(3, err=r"invalid_target")


@test
@shows("grant: another resource or fewer scopes of one login")
def one_login_brings_a_token_for_each_resource_and_a_narrower_one(t):
    op = op_with_extras(t)
    one, two = "https://one.example.test/", "https://two.example.test/"
    home = signed_in(t, op, "--scope", "api:write", "--resource", one, "--resource", two)
    main = home.run("token", "rig").expect(0).token
    asked = len(op.token_requests("refresh_token"))
    wanted = [["--resource", one], ["--resource", two], ["--resource", two, "--scope", "api:read"]] * 3
    ran = rig.parallel(9, 9, lambda n: home.run("token", "rig", *wanted[n]))
    tokens = [one.expect(0).token for one in ran]
    same(len({main, *tokens}), 4, "different tokens")
    same(len(op.token_requests("refresh_token")) - asked, 3, "requests")
    for flags, audience, scope in zip(wanted, [one, two, two], ["api:read api:write", "api:read api:write", "api:read"]):
        seen = home.run("introspect", "rig", *flags).expect(0).json()
        same((seen["active"], seen["aud"], seen["scope"]), (True, audience, scope), f"what the server says of {flags}")
    same(home.run("token", "rig").expect(0).token, main, "the main token")
    home.run("token", "rig", "--resource", "https://three.example.test/").expect(4, err="--resource https://three.example.test/")
    home.run("token", "rig", "--resource", two, "--scope", "email").expect(4, err="--add-scope email")
    home.run("refresh", "rig").expect(0)
    home.run("logout", "rig").expect(0)
    check(not any(op.alive(token) for token in [main, *tokens]), "nothing should be left of the login")


@test
@shows("sign-in: form_post")
def an_answer_that_is_posted_is_taken(t):
    op = op_with_extras(t)
    home = signed_in(t, op, "--response-mode", "form_post")
    check("response_mode=form_post" in op.log("/auth")[0]["query"], "form_post was not asked for")
    check(op.alive(home.run("token", "rig").expect(0).token), "the server should know the token")


@test
def offline_access_brings_a_refresh_token_because_consent_was_asked_for(t):
    op = op_with_extras(t)
    home = signed_in(t, op)
    check("prompt=consent" in op.log("/auth")[0]["query"], "prompt=consent expected")
    home.run("refresh", "rig").expect(0)
    [renewal] = op.token_requests("refresh_token")
    check("scope" not in renewal["body"], f"scopes are not asked for again: {renewal['body']}")


@test
@shows("issuer: registration (7591, 7592)")
def a_client_is_made_used_shown_and_ended_without_a_console(t):
    op = op_with_extras(t)
    home = t.home(OAUTHCTL_STORE="file")
    home.run("login", op.http, "--register", "--scope", "openid offline_access", env={"BROWSER": t.browser()}).expect(0, err=r"Registered at .* as the client")
    name = op.http.removeprefix("http://").replace(":", "-")
    token = home.run("token", name).expect(0).token
    check(op.alive(token), "the server should know the token")
    home.run("refresh", name).expect(0)
    made = home.run("register", name, "--show").expect(0).json()
    same(made["token_endpoint_auth_method"], "none", "how the client says who it is")
    check(made["registration_access_token"].startswith("sha256:"), "a secret is shown")
    home.run("register", name, "--update", "--name", "renamed").expect(0)
    same(home.run("register", name, "--show").expect(0).json()["client_name"], "renamed", "the client's name")
    home.run("logout", name).expect(0, err=r"stays registered at the provider")
    home.run("register", name, "--delete").expect(0, err=r"the registration and its tokens are deleted")
    status, _ = rig.fetch(f"{op.http}/token", f"grant_type=refresh_token&client_id={made['client_id']}&refresh_token=x".encode())
    same(status, 401, "the server's answer to a client that is gone")


@test
@shows("issuer: registration as something else (7591)")
def a_client_that_is_registered_as_something_else_than_it_asked_for_follows(t):
    for method in ("client_secret_basic", "client_secret_post"):
        op = op_with_extras(t, registers_as=method)
        home = t.home(OAUTHCTL_STORE="file")
        told = rf"authentication `{method}` instead of `none`"
        home.run("login", op.http, "--register", "--scope", "openid offline_access", env={"BROWSER": t.browser()}).expect(0, err=told)
        name = op.http.removeprefix("http://").replace(":", "-")
        home.run("refresh", name).expect(0)
        same([e["status"] for e in op.log("/token")], [200, 200], "the server's answers")
        sent = [("authorization" in e["headers"], "client_secret" in e["body"]) for e in op.log("/token")]
        same(sent, [(method == "client_secret_basic", method == "client_secret_post")] * 2, "how the client said who it is")
        same(home.run("register", name, "--show").expect(0).json()["token_endpoint_auth_method"], method, "how the client is known")
        home.run("register", name, "--update", "--name", "renamed").expect(0)
        home.run("refresh", name).expect(0)
        home.run("logout", name).expect(0, err="revoked")
        home.run("register", name, "--delete").expect(0, err=r"the registration and its tokens are deleted")


@test
@shows("grant: SAML bearer (7522)", missing=True)
def a_grant_that_the_server_does_not_list_is_said_and_left_to_it_to_judge(t):
    op = op_with_extras(t)
    home = at(t, op, "exchanger")
    saml = home.folder / "saml"
    saml.write_text("<Assertion/>")
    home.run("token", "rig", "--client-id", "exchanger", "--grant", "saml2-bearer", "--assertion-file", str(saml), "--store", "none").expect(
        2, err=[r"does not list the grant `saml2-bearer` \(it lists .*token-exchange", r"answered `unsupported_grant_type`"]
    )


@test
@shows("grant: client credentials")
def explaining_tells_no_secret(t):
    op = op_with_extras(t)
    home = at(t, op, "exchanger")
    said = home.run("token", "rig", "--client-id", "exchanger", "--grant", "client-credentials", "--store", "none", "--explain").expect(0, err=r"RFC 6749, section 4.4.2")
    for secret in ("a-secret-of-exchanger", said.token):
        check(secret not in said.err, f"{secret} is in the explanation")


# ---- servers that follow a script: what real ones are known for ---------------------------------------------------------------


def machine_at(t, answers):
    server = t.scripted()
    server.on["/token"] = answers
    home = t.home(OAUTHCTL_STORE="none", OAUTHCTL_CLIENT_SECRET="s-e-c-r-e-t")
    home.provider("rig", server.provider_file().replace('"none", "basic"', '"basic"'))
    return server, home


@test
def an_error_with_an_empty_body_and_bearer_in_small_letters_are_what_they_are(t):
    _, home = machine_at(t, rig.answer(401, "", None))
    home.run("token", "rig", "--client-id", "x", "--grant", "client-credentials").expect(2, err=r"client id, and the client secret from the variable OAUTHCTL_CLIENT_SECRET")
    _, home = machine_at(t, rig.answer(400, "", None))
    home.run("token", "rig", "--client-id", "x", "--grant", "client-credentials").expect(1, err=r"status 400 and no reason")
    _, home = machine_at(t, rig.answer(200, {"access_token": "small-letters", "token_type": "bearer", "expires_in": 60}))
    same(home.run("token", "rig", "--client-id", "x", "--grant", "client-credentials").expect(0).token, "small-letters", "token")


@test
def a_device_answer_without_an_interval_is_polled_every_five_seconds(t):
    server = t.scripted()
    asked_at = []

    def token(asked):
        asked_at.append(time.monotonic())
        pending = len(asked_at) < 2
        return rig.answer(400, {"error": "authorization_pending"}) if pending else rig.answer(200, {"access_token": "at", "token_type": "Bearer", "expires_in": 60})

    server.on["/device"] = rig.answer(200, {"device_code": "dc", "user_code": "U-C", "verification_uri": f"{server.base}/enter", "expires_in": 60})
    server.on["/token"] = token
    home = t.home(OAUTHCTL_STORE="file")
    home.provider("rig", server.provider_file(more=f'device.url = "{server.base}/device"'))
    started = time.monotonic()
    home.run("login", "rig", "--client-id", "x", "--grant", "device-code").expect(0)
    pauses = [b - a for a, b in zip([started, *asked_at], asked_at)]
    check(all(pause >= 4.99 for pause in pauses), f"pauses: {pauses}")


@test
def scopes_that_were_dropped_are_said_and_not_asked_for_again(t):
    server = t.scripted()
    server.on["/token"] = lambda asked: rig.answer(200, {"access_token": "at", "token_type": "Bearer", "expires_in": 60, "refresh_token": "rt", "scope": "a"})
    home = t.home(OAUTHCTL_STORE="file")
    home.provider("rig", server.provider_file())
    login = rig.Listening(home, "rig", "--client-id", "x", "--scope", "a b")
    login.redirect()
    login.end().expect(0, err=r"not granted: b")
    home.run("refresh", "rig").expect(0)
    check("scope" not in server.to("/token")[-1].form, f"sent: {server.to('/token')[-1].form}")
    same(home.run("token", "rig", "--format", "json").expect(0).json()["scope"], "a", "scopes")


@test
def a_redirect_address_that_is_compared_whole_keeps_its_port_and_is_sent_again_at_the_token_endpoint(t):
    server = t.scripted()
    server.on["/token"] = rig.answer(200, {"access_token": "at", "token_type": "Bearer", "expires_in": 60})
    home = t.home(OAUTHCTL_STORE="file")
    port = rig.free_port()
    home.provider("rig", server.provider_file(more=f'redirect.loopback = "exact"\nredirect.ports = [{port}]'))
    login = rig.Listening(home, "rig", "--client-id", "x")
    same(login.redirect_uri, f"http://127.0.0.1:{port}/callback", "redirect address")
    login.redirect()
    login.end().expect(0)
    same(server.to("/token")[0].form["redirect_uri"], login.redirect_uri, "redirect address at the token endpoint")


rig.main(globals())

#!/usr/bin/env python3
"""Clients that prove who they are by a key or a certificate, and tokens that are good only with one, at npm's `oidc-provider`:
RFC 7523, RFC 8705, RFC 9449."""

import functools
import signal
import subprocess
import time

import rig
from rig import check, same, shows, test

LOGIN = ["--scope", "openid offline_access", "--param", "prompt=consent"]


def openssl(*argv):
    subprocess.run(["openssl", *map(str, argv)], check=True, capture_output=True, timeout=rig.PATIENCE)


@functools.cache
def keys():
    """Keys in the forms that tools write, their public halves, and two certificates."""
    rig.need("openssl")
    folder = rig.run_folder() / "keys"
    folder.mkdir(exist_ok=True)
    openssl("genrsa", "-traditional", "-out", folder / "rs.pem", 2048)
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-out", folder / "es.pem")
    openssl("genpkey", "-algorithm", "ed25519", "-out", folder / "ed.pem")
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", folder / "other.pem")
    for name in ("rs", "es", "ed"):
        openssl("pkey", "-in", folder / f"{name}.pem", "-pubout", "-out", folder / f"{name}.pub")
    openssl("req", "-x509", "-new", "-key", folder / "es.pem", "-subj", "/CN=own", "-days", 2, "-out", folder / "self.crt")
    openssl("req", "-new", "-key", folder / "rs.pem", "-subj", "/CN=client", "-out", folder / "client.csr")
    (folder / "client.ext").write_text("basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n")
    pki = rig.pki()
    openssl("x509", "-req", "-in", folder / "client.csr", "-CA", pki / "ca.crt", "-CAkey", pki / "ca.key", "-set_serial", 77, "-days", 2, "-extfile", folder / "client.ext", "-out", folder / "client.crt")
    return folder


def server(t, https=False, **settings):
    return t.oidc_provider(https=https, bound=keys(), **settings)


def machine(home, op, client, *flags, issuer=None, code=0, **expected):
    argv = ["token", issuer or op.http, "--grant", "client-credentials", "--client-id", client, "--no-cache", "--force-refresh"]
    return home.run(*argv, *map(str, flags)).expect(code, **expected)


@test
@shows("client: private_key_jwt, RS256", "client: private_key_jwt, ES256", "client: private_key_jwt, EdDSA", "grant: client credentials")
def a_client_proves_itself_by_each_kind_of_key(t):
    op = server(t)
    for alg, file, more in [("RS256", "rs", []), ("ES256", "es", []), ("EdDSA", "ed", [])]:
        home = t.home(OAUTHCTL_STORE="file")
        for _ in range(2):
            machine(home, op, f"by-{alg}", "--client-key-file", keys() / f"{file}.pem", *more)
    sent = [e["body"] for e in op.token_requests("client_credentials")]
    same([e["status"] for e in op.token_requests("client_credentials")], [200] * 6, "the server's answers")
    same(len({body["client_assertion"] for body in sent}), 6, "different assertions")
    check(not any("client_secret" in body for body in sent), "no secret is sent")


@test
@shows("client: private_key_jwt, PS256")
def an_algorithm_that_the_person_names_is_signed_with(t):
    op = server(t)
    home = t.home(OAUTHCTL_STORE="file")
    (home.config / "config.toml").write_text(f'[profiles.ps]\nprovider = "{op.http}"\nclient-id = "by-PS256"\ngrant = "client-credentials"\nclient-key = {{ file = "{keys()}/rs.pem" }}\nclient-key-algorithm = "PS256"\n')
    home.run("token", "ps").expect(0)
    [request] = op.token_requests("client_credentials")
    same(rig.base64.urlsafe_b64decode(request["body"]["client_assertion"].split(".")[0] + "==")[:15], b'{"alg":"PS256",', "the assertion's header")


@test
@shows("client: client_secret_jwt")
def a_client_proves_itself_by_a_secret_that_it_does_not_show(t):
    op = server(t)
    home = t.home(OAUTHCTL_STORE="file", OAUTHCTL_CLIENT_SECRET="a-secret-of-the-client-that-signs-with-it")
    machine(home, op, "by-secret", "--auth", "client-secret-jwt")


@test
def another_key_is_refused(t):
    op = server(t)
    home = t.home(OAUTHCTL_STORE="file")
    machine(home, op, "by-ES256", "--client-key-file", keys() / "other.pem", code=2, err="invalid_client")


@test
def a_person_logs_in_with_a_keyed_client_refreshes_and_logs_out(t):
    op = server(t)
    home = t.home(OAUTHCTL_STORE="file")
    home.run("login", op.http, "--client-id", "keyed-person", "--client-key-file", keys() / "es.pem", *LOGIN, env={"BROWSER": t.browser()}).expect(0)
    home.run("refresh").expect(0)
    check(op.alive(home.run("token").expect(0).token), "the server should know the token")
    home.run("logout").expect(0, err="revoked")
    line = (keys() / "es.pem").read_text().splitlines()[4]
    for path, content in home.files().items():
        check(line.encode() not in content, f"{path} holds the client's key")


def bound_login(t, op, home=None):
    home = home or t.home(OAUTHCTL_STORE="file")
    home.run("login", op.http, "--client-id", "dpop", "--dpop", *LOGIN, env={"BROWSER": t.browser()}).expect(0)
    return home


@test
@shows("bound: DPoP (9449)", "bound: DPoP nonces")
def a_token_that_is_bound_to_a_key_is_had_renewed_and_used_with_nonces(t):
    op = server(t, bound_nonce=1)
    home = bound_login(t, op)
    check("dpop_jkt=" in op.log("/auth")[0]["query"], "the code should be bound as well")
    same([e["status"] for e in op.token_requests("authorization_code")], [400, 200], "a challenge, then the token")
    home.run("refresh").expect(0)
    same(home.run("call", "/me").expect(0).json()["sub"], "alice", "who the API says I am")
    token = home.run("token").expect(0).token
    check(not op.alive(token), "without a proof the token should be good for nothing")
    proofs = [e["headers"]["dpop"] for e in op.log() if "dpop" in e["headers"]]
    names = [rig.claims(proof)["jti"] for proof in proofs]
    same(len(set(names)), len(names), "`jti`s, none twice")


@test
@shows("bound: DPoP (9449)")
def another_program_uses_a_bound_token_with_a_proof_from_here(t):
    op = server(t)
    home = bound_login(t, op)
    token = home.run("token").expect(0).token
    proof = home.run("token", "--format", "dpop-proof", "--url", f"{op.http}/me").expect(0).token
    status, text = rig.fetch(f"{op.http}/me", headers={"Authorization": f"DPoP {token}", "DPoP": proof})
    check(status == 200 and "alice" in text, f"with its proof the token should be taken: {status} {text}")
    elsewhere = home.run("token", "--format", "dpop-proof", "--url", f"{op.http}/other").expect(0).token
    status, _ = rig.fetch(f"{op.http}/me", headers={"Authorization": f"DPoP {token}", "DPoP": elsewhere})
    same(status, 401, "a proof for another address")


@test
@shows("bound: DPoP (9449)", "bound: DPoP nonces")
def a_proxy_sends_a_proof_of_its_own_with_each_request(t):
    op = server(t, bound_nonce=1)
    home = bound_login(t, op)
    address = rig.first_block(home.start("proxy"), "the proxy").strip()
    for _ in range(3):
        status, text = rig.fetch(f"{address}/me")
        check(status == 200 and "alice" in text, f"the API should know the user: {status} {text}")
    proofs = [e["headers"]["dpop"] for e in op.log("/me")]
    same(len({rig.claims(proof)["jti"] for proof in proofs}), len(proofs), "`jti`s, none twice")


@test
def a_renewal_killed_at_any_moment_never_leaves_a_token_without_its_key(t):
    op = server(t)
    home = bound_login(t, op)
    for step in range(12):
        process = home.start("refresh")
        time.sleep(step * 0.004)
        process.send_signal(signal.SIGKILL)
        home.collect(process, "refresh")
    rig.wait_until(lambda: home.run("refresh").code == 0, "a renewal that works")
    same(home.run("call", "/me").expect(0).json()["sub"], "alice", "who the API says I am")


@test
@shows("client: tls_client_auth (8705)")
def a_client_shows_the_certificate_that_an_authority_made_for_it(t):
    op = server(t, https=True)
    home = t.home(OAUTHCTL_STORE="file", SSL_CERT_FILE=rig.pki() / "ca.crt")
    shown = ["--client-certificate", keys() / "client.crt", "--client-key-file", keys() / "rs.pem"]
    machine(home, op, "by-authority", *shown, "--auth", "tls-client-auth", issuer=op.https)
    other = ["--client-certificate", keys() / "client.crt", "--client-key-file", keys() / "es.pem"]
    machine(home, op, "by-authority", *other, "--auth", "tls-client-auth", issuer=op.https, code=2, err="the certificate is not this key's")
    machine(home, op, "by-authority", "--client-certificate", keys() / "self.crt", "--client-key-file", keys() / "es.pem", "--auth", "tls-client-auth", issuer=op.https, code=2, err="invalid_client")


@test
@shows("client: self_signed_tls_client_auth (8705)")
def a_client_shows_the_certificate_that_it_made_itself(t):
    op = server(t, https=True)
    home = t.home(OAUTHCTL_STORE="file", SSL_CERT_FILE=rig.pki() / "ca.crt")
    shown = ["--client-certificate", keys() / "self.crt", "--client-key-file", keys() / "es.pem"]
    machine(home, op, "by-own", *shown, "--auth", "self-signed-tls-client-auth", issuer=op.https)
    # the same by a variable, and by the key `client-certificate` of a profile
    own = ["--grant", "client-credentials", "--client-id", "by-own", "--auth", "self-signed-tls-client-auth", "--client-key-file", keys() / "es.pem"]
    for others, code in ("client.crt", 2), ("self.crt", 0):
        home.run("token", op.https, *own, "--store", "none", env={"OAUTHCTL_CLIENT_CERTIFICATE": str(keys() / others)}).expect(code)
        home.run("profile", "set", "machine", "provider", op.https).expect(0)
        home.run("profile", "set", "machine", "client-certificate", keys() / others).expect(0)
        home.run("token", "machine", *own, "--store", "none").expect(code)


@test
@shows("bound: certificate (8705)")
def a_token_that_is_bound_to_a_certificate_is_used_with_it(t):
    op = server(t, https=True)
    home = t.home(OAUTHCTL_STORE="file", SSL_CERT_FILE=rig.pki() / "ca.crt")
    shown = ["--client-certificate", keys() / "self.crt", "--client-key-file", keys() / "es.pem", "--auth", "none"]
    home.run("login", op.https, "--client-id", "certified", *shown, *LOGIN, env={"BROWSER": t.browser()}).expect(0)
    home.run("refresh").expect(0)
    same(home.run("call", "/me").expect(0).json()["sub"], "alice", "who the API says I am")
    check(not op.alive(home.run("token").expect(0).token, op.https), "without the certificate the token should be good for nothing")


@test
@shows("issuer: registration with a key (7591)")
def a_client_is_registered_with_the_public_half_of_its_key(t):
    op = server(t, extras=1)
    home = t.home(OAUTHCTL_STORE="file")
    home.run("login", op.http, "--register", "--client-key-file", str(keys() / "es.pem"), *LOGIN[:2], env={"BROWSER": t.browser()}).expect(0)
    [made] = op.log("/reg")
    check("d" not in made["body"]["jwks"]["keys"][0], "the private half was sent")
    same(made["body"]["token_endpoint_auth_method"], "private_key_jwt", "what was asked for")
    home.run("refresh").expect(0)
    check(all("client_assertion" in e["body"] for e in op.log("/token")), "each request proven")


def told(home):
    """What userinfo and introspection say of the token that the one profile holds."""
    same(home.run("userinfo").expect(0).json()["sub"], "alice", "the person, told by userinfo")
    members = home.run("introspect").expect(0).json()
    same(members["active"], True, "introspection of the access token")
    same(home.run("introspect", "--refresh-token").expect(0).json()["active"], True, "introspection of the refresh token")
    return members


@test
@shows("bound: DPoP, userinfo", "bound: DPoP, introspection")
def userinfo_and_introspection_take_a_token_that_is_bound_to_a_key(t):
    for nonce in (0, 1):
        op = server(t, bound_nonce=nonce)
        home = bound_login(t, op)
        members = told(home)
        same(members["token_type"], "DPoP", "the type that the server tells")
        proof = next(e for e in op.log("/token") if "dpop" in e["headers"])["headers"]["dpop"]
        jwk = rig.header(proof)["jwk"]
        thumbprint = rig.hashlib.sha256(rig.json.dumps({k: jwk[k] for k in ("crv", "kty", "x", "y")}, separators=(",", ":")).encode()).digest()
        same(members["cnf"]["jkt"], rig.base64.urlsafe_b64encode(thumbprint).decode().rstrip("="), "the key that it is bound to")
        home.run("logout").expect(0, err="revoked")


@test
@shows("bound: DPoP, device code")
def a_device_code_brings_a_token_that_is_bound_to_a_key(t):
    for nonce in (0, 1):
        op = server(t, bound_nonce=nonce)
        home = t.home(OAUTHCTL_STORE="file")
        rig.enter_device_code(home, op.http, "--client-id", "device", "--dpop", "--scope", "openid offline_access").expect(0)
        polls = [e for e in op.log("/token") if e["status"] == 200]
        check(polls and all("dpop" in e["headers"] for e in polls), "each proof")
        home.run("refresh").expect(0)
        same(told(home)["token_type"], "DPoP", "the type that the server tells")
        same(home.run("call", "/me").expect(0).json()["sub"], "alice", "who the API says I am")


@test
@shows("bound: DPoP, client credentials")
def a_machines_token_is_bound_to_a_key_and_its_client_proven_by_another(t):
    op = server(t, bound_nonce=1)
    home = t.home(OAUTHCTL_STORE="file")
    machine(home, op, "by-ES256", "--client-key-file", keys() / "es.pem", "--dpop")
    [refused, got] = op.token_requests("client_credentials")
    same([refused["status"], got["status"]], [400, 200], "a challenge, then the token")
    check(refused["body"]["client_assertion"] != got["body"]["client_assertion"], "another assertion each time")


@test
@shows("client: private_key_jwt at PAR", "client: private_key_jwt at introspection", "client: private_key_jwt at revocation")
def a_keyed_client_proves_itself_at_every_endpoint(t):
    for dpop in ([], ["--dpop"]):
        op = server(t, extras=1, bound_nonce=1)
        home = t.home(OAUTHCTL_STORE="file")
        login = ["login", op.http, "--client-id", "keyed-person", "--client-key-file", keys() / "es.pem", "--par", *dpop, *LOGIN]
        home.run(*map(str, login), env={"BROWSER": t.browser()}).expect(0)
        same([e["status"] for e in op.log("/request")][-1], 201, "the pushed request")
        home.run("refresh").expect(0)
        told(home)
        home.run("logout").expect(0, err="revoked")
        for path in ("/request", "/token", "/token/introspection", "/token/revocation"):
            sent = [e["body"]["client_assertion"] for e in op.log(path)]
            check(sent, f"nothing was sent to {path}")
            same(len(set(sent)), len(sent), f"different assertions at {path}")
            check(all(rig.claims(one)["iss"] == "keyed-person" for one in sent), "who says so")


@test
@shows("bound: certificate, userinfo", "bound: certificate, introspection")
def userinfo_and_introspection_take_a_token_that_is_bound_to_a_certificate(t):
    op = server(t, https=True)
    home = t.home(OAUTHCTL_STORE="file", SSL_CERT_FILE=rig.pki() / "ca.crt")
    shown = ["--client-certificate", keys() / "self.crt", "--client-key-file", keys() / "es.pem", "--auth", "none"]
    home.run("login", op.https, "--client-id", "certified", *map(str, shown), *LOGIN, env={"BROWSER": t.browser()}).expect(0)
    members = told(home)
    made = subprocess.run(["openssl", "x509", "-in", keys() / "self.crt", "-outform", "DER"], check=True, capture_output=True, timeout=rig.PATIENCE).stdout
    same(members["cnf"]["x5t#S256"], rig.base64.urlsafe_b64encode(rig.hashlib.sha256(made).digest()).decode().rstrip("="), "the certificate that it is bound to")


rig.main(globals())

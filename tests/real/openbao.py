#!/usr/bin/env python3
"""A second authorization server that shares no code with the first: OpenBao's identity provider. Its sign-in page is
a program for a real browser; the robot here speaks to the interface below it, with a token that the person's name and password
have got, and goes where the answer leads."""

import json
import os
import re
import subprocess
from pathlib import Path

import rig
from rig import check, same, shows, test

ALGORITHMS = ["RS256", "RS512", "ES256", "ES384", "EdDSA"]
PASSWORD = "the-password-of-alice"


def program():
    found = Path(os.environ.get("BAO") or "/nonexistent").resolve()
    if not os.access(found, os.X_OK):
        raise rig.Skip(f"OpenBao is not there: {rig.why_missing('openbao')}")
    return found


class Bao:
    """`bao server -dev` on loopback: a person, an issuer, its clients."""

    def __init__(self, t):
        self.base = f"http://127.0.0.1:{rig.free_port()}"
        self._t = t
        process = subprocess.Popen(
            [program(), "server", "-dev", "-dev-root-token-id=root", "-dev-no-store-token", f"-dev-listen-address={self.base[7:]}"],
            env={"PATH": os.environ["PATH"], "HOME": str(t.folder)},
            cwd=t.folder,
            stdin=subprocess.DEVNULL,
            stdout=t._log("openbao.log"),
            stderr=subprocess.STDOUT,
        )
        t.ends(process)
        rig.wait_until(lambda: rig.answers(int(self.base.rsplit(":", 1)[1])), "OpenBao's start", of=process)
        rig.wait_until(lambda: self._ask("sys/health", token=None)[0] == 200, "OpenBao's unsealing", of=process)
        self.set("sys/auth/userpass", {"type": "userpass"})
        self.set("auth/userpass/users/alice", {"password": PASSWORD, "token_policies": ["default"]})
        self.set("identity/oidc/key/key", {"allowed_client_ids": ["*"], "algorithm": "RS256"})
        self.set("identity/oidc/provider/tests", {"allowed_client_ids": ["*"], "issuer": self.base})
        self.issuer = f"{self.base}/v1/identity/oidc/provider/tests"

    def _ask(self, path, data=None, token="root"):
        headers = {"Content-Type": "application/json", **({"X-Vault-Token": token} if token else {})}
        status, text = rig.fetch(f"{self.base}/v1/{path}", json.dumps(data).encode() if data is not None else None, headers=headers)
        return status, json.loads(text) if text else {}

    def set(self, path, data):
        status, answer = self._ask(path, data)
        check(status in (200, 204), f"{path}: {status} {answer}")

    def rotate(self):
        """The next key, which is among the public ones already, signs from now on."""
        self.set("identity/oidc/key/key/rotate", {"verification_ttl": "60s"})

    def client(self, kind):
        """A redirect address on a port of its own, client id and secret."""
        redirect = f"http://127.0.0.1:{rig.free_port()}/callback"
        self.set(f"identity/oidc/client/{kind}", {"redirect_uris": [redirect], "assignments": ["allow_all"], "client_type": kind, "key": "key"})
        data = self._ask(f"identity/oidc/client/{kind}")[1]["data"]
        return redirect, data["client_id"], data.get("client_secret")

    def person(self):
        """A program for `BROWSER`: alice, signed in."""
        token = self._ask("auth/userpass/login/alice", {"password": PASSWORD}, token=None)[1]["auth"]["client_token"]
        robot = self._t.folder / "alice.py"
        robot.write_text(
            f"""\
import json, sys, urllib.error, urllib.parse, urllib.request
class NoFurther(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None
try:
    urllib.request.build_opener(NoFurther).open(sys.argv[1], timeout=90)
except urllib.error.HTTPError as onward:
    url = urllib.parse.urlsplit(onward.headers["Location"])
asked = dict(urllib.parse.parse_qsl(url.query))
api = url._replace(path=url.path.replace("/ui/vault/", "/v1/")).geturl()
answer = json.load(urllib.request.urlopen(urllib.request.Request(api, headers={{"X-Vault-Token": {token!r}}}), timeout=90))
urllib.request.urlopen(asked["redirect_uri"] + "?" + urllib.parse.urlencode(answer), timeout=90).read()
"""
        )
        return rig.Browser(self._t.folder, "alice", [rig.PYTHON, robot], {})


def signs_in(t, bao, kind, *flags, auth=None):
    redirect, client_id, secret = bao.client(kind)
    env = {"OAUTHCTL_STORE": "file", **({"OAUTHCTL_CLIENT_SECRET": secret} if secret else {})}
    home = t.home(**env)
    name = "bao"
    more = f'token.auth = ["{auth}"]\n' if auth else ""
    home.provider(name, f'id = "{name}"\nname = "OpenBao"\nissuer = "{bao.issuer}"\nredirect.loopback = "exact"\n{more}')
    ran = home.run("login", name, "--client-id", client_id, "--redirect-uri", redirect, "--scope", "openid", *flags, env={"BROWSER": bao.person()})
    return home, ran


@test
@shows("grant: authorization code", "sign-in: PKCE (7636)", "client: none", at="OpenBao")
def a_public_client_signs_in_by_discovery_with_pkce_and_its_token_works(t):
    bao = Bao(t)
    home, ran = signs_in(t, bao, "public")
    ran.expect(0)
    token = home.run("token", "bao").expect(0).token
    status, text = rig.fetch(f"{bao.issuer}/userinfo", headers={"Authorization": f"Bearer {token}"})
    same(status, 200, f"userinfo's answer: {text}")
    home.run("token", "bao", "--no-refresh").expect(0)


@test
@shows("client: client_secret_basic", "client: client_secret_post", at="OpenBao")
def a_confidential_client_says_who_it_is_by_basic_and_by_post(t):
    bao = Bao(t)
    for auth in ("basic", "post"):
        home, ran = signs_in(t, bao, "confidential", auth=auth)
        ran.expect(0)
        home.run("token", "bao").expect(0)


@test
@shows("grant: client credentials", at="OpenBao", missing=True)
def a_grant_that_it_does_not_list_is_said_and_left_to_it_to_judge(t):
    bao = Bao(t)
    _, client_id, secret = bao.client("confidential")
    home = t.home(OAUTHCTL_STORE="none", OAUTHCTL_CLIENT_SECRET=secret)
    ask = ["token", bao.issuer, "--client-id", client_id, "--grant"]
    home.run(*ask, "client-credentials").expect(4, err=[
        r"does not list the grant `client-credentials` \(it lists authorization_code\)",
        r"the server answered `invalid_grant`",
    ])


@test
def a_redirect_on_another_port_than_the_registered_one_is_refused_there(t):
    bao = Bao(t)
    home, ran = signs_in(t, bao, "public", "--port", str(rig.free_port()))
    ran.expect(2, err=r"names port")


@test
@shows("issuer: discovery", *(f"ID token: {alg}" for alg in ALGORITHMS), "afterwards: userinfo", at="OpenBao")
def id_tokens_of_every_algorithm_are_verified(t):
    bao = Bao(t)
    for algorithm in ALGORITHMS:
        bao.set("identity/oidc/key/key", {"allowed_client_ids": ["*"], "algorithm": algorithm})
        # a key's algorithm holds for the keys that are made from now on: the next, and the one after it
        bao.rotate(), bao.rotate()
        home, ran = signs_in(t, bao, "public", "-v")
        ran.expect(0, err=rf"the ID token is right: signed with {algorithm}")
        check(home.run("userinfo", "bao").expect(0).json()["sub"], "userinfo without `sub`")


@test
@shows("issuer: keys that change", at="OpenBao")
def keys_that_changed_are_asked_for_once(t):
    bao = Bao(t)
    home, ran = signs_in(t, bao, "public", "-v")
    ran.expect(0)
    again = ["login", "bao", "-v"]
    known = home.run(*again, env={"BROWSER": bao.person()}).expect(0, err=r"the ID token is right")
    check(not asked_for_keys(known), f"the kept keys were not used\n{known}")
    bao.rotate(), bao.rotate()
    changed = home.run(*again, env={"BROWSER": bao.person()}).expect(0, err=[r"names a key that is not stored", r"the ID token is right"])
    same(asked_for_keys(changed), 1, "times that the keys were fetched")
    known = home.run(*again, env={"BROWSER": bao.person()}).expect(0, err=r"the ID token is right")
    check(not asked_for_keys(known), f"the new keys were not kept\n{known}")


def asked_for_keys(ran):
    return len(re.findall(r"GET \S+/\.well-known/keys", ran.err))


if __name__ == "__main__":
    rig.main(globals())

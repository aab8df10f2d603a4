#!/usr/bin/env python3
"""A CI job: client credentials from the environment, no terminal, no keychain, no home, nothing secret in the log."""

import json
import os
import re
import subprocess
from pathlib import Path

import rig
from rig import check, same, test

SECRET = "a-secret-of-the-machine"
TOKEN = ["token", "rig", "--grant", "client-credentials"]


def job(t, op, issuer=None, auth="basic", **env):
    """A home that can't be written to, and the provider's facts in a folder of configuration that came with the repository."""
    home = t.home(CI="true", OAUTHCTL_CLIENT_ID="machine", OAUTHCTL_CLIENT_SECRET=SECRET, **env)
    home.provider("rig", op.provider_file(issuer, auth=auth))
    for name in ("OAUTHCTL_STATE_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        del home.env[name]
    home.env["HOME"] = "/dev/null"  # not even root makes a folder in it
    return home


@test
def id_and_secret_in_the_environment_are_enough_for_a_token(t):
    op = t.oidc_provider()
    home = job(t, op)
    before = home.files()
    ran = home.run(*TOKEN).expect(0)
    check(len(ran.token) > 20, "a token expected")
    check(SECRET not in ran.err and ran.token not in ran.err, f"something secret in the log\n{ran}")
    same(home.files(), before, "files")
    [request] = op.log("/token")
    check(request["headers"].get("authorization", "").startswith("Basic "), "Basic expected")
    check("client_secret" not in request["body"], "the secret should not be in the body too")


@test
def the_variables_of_one_profile_win(t):
    op = t.oidc_provider()
    home = job(t, op)
    env = {"OAUTHCTL_CLIENT_ID": "nobody", "OAUTHCTL_RIG_CLIENT_ID": "machine", "OAUTHCTL_RIG_CLIENT_SECRET": SECRET, "OAUTHCTL_CLIENT_SECRET": "no"}
    home.run(*TOKEN, env=env).expect(0)
    home.run("token", "rig", env={**env, "OAUTHCTL_GRANT": "client-credentials", "OAUTHCTL_SCOPE": "api:read"}).expect(0)
    same(op.log("/token")[-1]["body"].get("scope"), "api:read", "the scope asked for")


@test
def odd_characters_survive_the_environment_and_basic(t):
    op = t.oidc_provider()
    home = job(t, op)
    env = {"OAUTHCTL_CLIENT_ID": "odd:machine +%", "OAUTHCTL_CLIENT_SECRET": "p@ss word:/+%&=~!$^`|"}
    home.run(*TOKEN, env=env).expect(0)


@test
def a_wrong_secret_is_exit_code_2_without_the_secret_in_the_log(t):
    op = t.oidc_provider()
    ran = job(t, op).run(*TOKEN, "-v", env={"OAUTHCTL_CLIENT_SECRET": "wrong-and-long-enough-to-be-found"}).expect(2, out=r"\A\Z")
    check("wrong-and-long-enough" not in ran.err, f"the secret is in the log\n{ran}")


@test
def without_a_secret_the_missing_variable_is_named(t):
    op = t.oidc_provider()
    job(t, op).run(*TOKEN, env={"OAUTHCTL_CLIENT_SECRET": None}).expect(2, err=r"OAUTHCTL_(RIG_)?CLIENT_SECRET")
    same(op.log("/token"), [], "requests")


@test
def verbose_shows_each_request_without_a_secret(t):
    op = t.oidc_provider()
    ran = job(t, op).run(*TOKEN, "-v").expect(0, err=r"POST .*/token")
    for secret in (SECRET, ran.token, rig.base64.b64encode(f"machine:{SECRET}".encode()).decode()):
        check(secret not in ran.err, f"something secret in the log\n{ran}")


@test
def over_https_a_token_and_a_call_with_the_companys_own_certificates(t):
    op = t.oidc_provider(https=True)
    api = t.nginx("location /echo { return 200 '{\"token\":\"$http_authorization\",\"method\":\"$request_method\"}'; }")
    home = job(t, op, op.https, SSL_CERT_FILE=rig.pki() / "ca.crt")
    home.provider("rig", op.provider_file(op.https, auth="basic").replace(f'base-url = "{op.https}"', f'base-url = "{api}"'))
    check(home.run(*TOKEN).expect(0).token, "a token")
    seen = home.run("call", "--grant", "client-credentials", "rig", "/echo").expect(0).json()
    check(seen["token"].startswith("Bearer ") and seen["method"] == "GET", f"the API saw {seen}")


@test
def an_api_error_is_exit_code_22_with_its_body_on_stdout(t):
    op = t.oidc_provider(https=True)
    api = t.nginx("location / { return 404 '{\"message\":\"no such thing\"}'; }")
    home = job(t, op, op.https, SSL_CERT_FILE=rig.pki() / "ca.crt")
    home.provider("rig", op.provider_file(op.https, auth="basic").replace(f'base-url = "{op.https}"', f'base-url = "{api}"'))
    home.run("call", "--grant", "client-credentials", "rig", "/nothing").expect(22, out=r"no such thing")


@test
def a_foreign_host_does_not_get_the_token(t):
    op = t.oidc_provider()
    other = t.oidc_provider()
    home = job(t, op)
    home.run("call", "--grant", "client-credentials", "rig", f"{other.http}/me").expect(7)
    same(other.log(), [], "requests that arrived there")


@test
def a_token_from_outside_is_used_as_it_is(t):
    op = t.oidc_provider()
    home = job(t, op)
    home.run("token", "rig", env={"OAUTHCTL_RIG_TOKEN": "given.from-outside"}).expect(0, out=r"\Agiven\.from-outside\n\Z")
    home.run("login", "rig", env={"OAUTHCTL_RIG_TOKEN": "given.from-outside"}).expect(2, err=r"OAUTHCTL_RIG_TOKEN")
    same(op.log("/token"), [], "requests")


@test
def github_reads_the_workflow_and_the_action(t):
    schemas = os.environ.get("GITHUB_SCHEMAS")
    if not schemas:
        raise rig.Skip(f"GitHub's schemas are not there: {rig.why_missing('schemas')}")
    import jsonschema
    import yaml

    class Reader(yaml.SafeLoader):
        """As YAML 1.2 has it, where `on` is a word."""

        yaml_implicit_resolvers = {first: [each for each in them if not each[0].endswith(":bool")] for first, them in yaml.SafeLoader.yaml_implicit_resolvers.items()}

    Reader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), "tf")
    for name, file in [("actions", rig.ROOT / "action.yml"), *(("workflows", each) for each in (rig.ROOT / ".github/workflows").iterdir())]:
        schema = json.loads((Path(schemas) / f"github-{name}.json").read_text())
        told = yaml.load(file.read_text(), Reader)
        faults = [f"{error.json_path}: {error.message}" for error in jsonschema.Draft7Validator(schema).iter_errors(told)]
        same(faults, [], f"faults of {file.name}")
        # a schema that lets everything in would say nothing
        check(list(jsonschema.Draft7Validator(schema).iter_errors({**told, "runs-on": "a-stranger"})), f"{name}: an unknown key should be a fault")


@test
def no_shell_script_uses_a_name_that_nothing_sets(t):
    rig.need("shellcheck", "git")
    files = subprocess.run(["git", "-C", rig.ROOT, "ls-files", "-z"], capture_output=True, text=True, check=True).stdout.split("\0")
    scripts = [rig.ROOT / name for name in files if name and re.match(rb"#!\S*[/ ](ba)?sh\b", (rig.ROOT / name).read_bytes()[:40])]
    check(rig.ROOT / "tests/run" in scripts, f"{scripts}")
    said = subprocess.run(["shellcheck", "--include=SC2154", "--format=gcc", *scripts], capture_output=True, text=True, check=False)
    same((said.returncode, said.stdout + said.stderr), (0, ""), "what shellcheck says")


rig.main(globals())

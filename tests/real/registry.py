#!/usr/bin/env python3
"""`registry`: what a team keeps in a git repository or a folder, taken by git itself. What comes in, what is refused, and that no
file of it moves a login."""

import os
import re
import shutil
import subprocess

import rig
import strict
from rig import check, same, test

ACME = 'id = "acme"\nname = "Acme"\nclient-id = "an-app"\n[authorize]\nurl = "https://login.acme.example/authorize"\n[token]\nurl = "https://login.acme.example/token"\n[api]\nbase-url = "https://api.acme.example/v1"\n'
PROFILES = '[profiles.office]\nprovider = "acme"\nscopes = ["read"]\n'


class Repository:
    """A team's repository."""

    def __init__(self, t, files):
        rig.need("git")
        self.path = t.folder / "team"
        self.path.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit = self.put(files)

    def git(self, *words):
        settings = ["-c", "user.name=team", "-c", "user.email=team@example.test"]
        ran = subprocess.run(["git", *settings, *words], cwd=self.path, capture_output=True, text=True, timeout=rig.PATIENCE, check=False)
        check(ran.returncode == 0, f"{ran}")
        return ran.stdout.strip()

    def put(self, files):
        for path, text in files.items():
            if text is None:
                (self.path / path).unlink()
                continue
            (self.path / path).parent.mkdir(exist_ok=True)
            (self.path / path).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "more")
        return self.git("rev-parse", "HEAD")


def tree(home):
    return {str(path): text for path, text in home.files().items() if "registries" in path or "config.toml" in path}


@test
def what_comes_in_is_shown_and_pinned(t):
    team = Repository(t, {"providers/acme.toml": ACME, "config.toml": PROFILES, "README": "anything"})
    home = t.home(OAUTHCTL_STORE="file")
    shown = [r"\+ provider acme \(Acme\): login.acme.example, api.acme.example", r"\+ profile office: provider = \"acme\", scopes = \[\"read\"\]", team.commit]
    home.run("registry", "add", str(team.path)).expect(2, err=[*shown, "nobody could be asked", "--yes"])
    same(tree(home), {}, "files before a yes")
    home.run("registry", "add", str(team.path), "--yes").expect(0, err=[*shown, "Next: oauthctl login office"])
    home.run("registry", "list").expect(0, out=rf"^team +{re.escape(str(team.path))} at {team.commit}: acme$")
    home.run("registry", "show", "team").expect(0, out=["^provider acme", "^profile office"])
    home.run("provider", "show", "acme").expect(0, out="login.acme.example/token")
    home.run("status", "office").expect(4, out="provider +acme")
    home.run("registry", "add", str(team.path), "--yes").expect(2, err=["there is a registry `team` already", "registry update team"])
    home.run("registry", "update", "team").expect(0, err="nothing has changed")
    home.run("registry", "remove", "team").expect(0, err="`office` has no provider any more: oauthctl profile remove office")
    home.run("provider", "show", "acme").expect(2, err="no provider")
    home.run("list").expect(0, out=r"^office +acme")
    for verb in ("status", "token"):
        home.run(verb, "office").expect(2, err=["no provider `acme`", "^hint: the profile names it: .*registry that had it is gone", "oauthctl profile remove office"])
    check("office" in (home.config / "config.toml").read_text(), "the profile stays")
    home.run("registry", "show", "team").expect(2, err="there is no registry")


@test
def a_person_at_a_terminal_is_asked(t):
    team = Repository(t, {"providers/acme.toml": ACME})
    home = t.home()
    terminal = home.at_terminal("registry", "add", str(team.path))
    terminal.expect("provider acme")
    terminal.expect("Take them?")
    terminal.type("n")
    terminal.end().expect(3)
    same(tree(home), {}, "files after a no")


@test
def an_update_shows_the_difference(t):
    team = Repository(t, {"providers/acme.toml": ACME, "config.toml": PROFILES})
    home = t.home()
    home.run("registry", "add", str(team.path), "--yes", "--name", "ours").expect(0)
    first = team.commit
    moved = ACME.replace("https://api.acme.example", "https://api.evil.example")
    second = team.put({"providers/acme.toml": moved, "providers/new.toml": ACME.replace("acme", "new"), "config.toml": PROFILES.replace("read", "write")})
    lines = [r'~ provider acme: api.base-url = "https://api.evil.example/v1" \(it was "https://api.acme.example/v1"\)', r"\+ provider new", r"~ profile office: .*write.*; it was .*read"]
    home.run("registry", "update", "ours").expect(2, err=lines)
    home.run("provider", "show", "acme").expect(0, out="api.acme.example")
    later = home.run("registry", "update", "ours", "--yes").expect(0, err=lines)
    check("come after" not in later.err, later)
    home.run("provider", "show", "acme").expect(0, out="api.evil.example")
    check('"write"' in (home.config / "config.toml").read_text(), "the profile follows")
    home.run("profile", "set", "office", "scopes", "mine").expect(0)
    home.run("registry", "update", "ours", "--yes", "--commit", first).expect(0, err=[f"it does not come after {second}: it is older, or", "- provider new", "your own profile `office` stays"])
    check('"mine"' in (home.config / "config.toml").read_text(), "the person's own value stays")
    home.run("registry", "list").expect(0, out=first)
    team.git("checkout", "--quiet", "--orphan", "another")
    team.put({"README": "another history"})
    home.run("registry", "update", "ours").expect(2, err=f"it does not come after {first}: it is older, or the history was rewritten")
    home.run("registry", "update", "ours", "--commit", second[:12]).expect(2, err="whole number")
    home.run("registry", "update", "ours", "--commit", "0" * 40).expect(1, err="can't be fetched")


@test
def a_copy_that_was_changed_here_is_told_and_taken_anew(t):
    team = Repository(t, {"providers/acme.toml": ACME, "config.toml": PROFILES})
    home = t.home(OAUTHCTL_STORE="file")
    home.run("registry", "add", str(team.path), "--yes").expect(0)
    copy = home.config / "registries/team/providers/acme.toml"
    hint = "^hint: `oauthctl registry update team` takes it anew"
    copy.write_text("id = ")
    home.run("registry", "show", "team").expect(2, err=["copy of the registry `team` in registries/team can't be used: providers/acme.toml, line 1", hint])
    home.run("status", "office").expect(2, err=["registries/team/providers/acme.toml, line 1", hint])
    home.run("registry", "list").expect(0, out="broken: .*`oauthctl registry update team` takes it anew")
    home.run("registry", "update", "team", "--yes").expect(0, err=["warning: the copy", r"\+ provider acme", "taken"])
    same(copy.read_text(), ACME, "the copy")
    # a change that can be read
    copy.write_text(ACME.replace("https://api.acme.example", "https://api.evil.example"))
    home.run("registry", "update", "team", "--yes").expect(0, err=["was changed since it was taken", "~ provider acme: api.base-url = .*api.acme.example"])
    same(copy.read_text(), ACME, "the copy")
    same(copy.read_text(), ACME, "the copy")
    # that is said before anybody updates it
    copy.write_text(ACME.replace("https://api.acme.example", "https://api.evil.example"))
    for verb in (["show", "team"], ["list"]):
        home.run("registry", *verb).expect(0, out=rf"at {team.commit}, changed here since \(`oauthctl registry update team` takes that back")
    home.run("registry", "update", "team", "--yes").expect(0)
    check("changed here" not in home.run("registry", "show", "team").expect(0).out, "it is as it was taken")
    # one without its place can be removed
    (home.config / "registries/team/registry.toml").write_text("nothing")
    home.run("registry", "update", "team").expect(2, err=["does not say where the registry comes from", "oauthctl registry remove team"])
    home.run("registry", "remove", "team").expect(0)


@test
def letters_that_look_like_others_and_changed_endpoints_of_a_known_provider_are_told(t):
    looks = ACME.replace("login.acme.example", "\u0430ccounts.google.com")
    corp = 'id = "corp"\nextends = "google"\n[token]\nurl = "http://127.0.0.1:1/token"\n'
    team = Repository(t, {"providers/acme.toml": looks, "providers/corp.toml": corp})
    home = t.home()
    lines = [r"\+ provider acme .*\u0430ccounts.google.com \(not ASCII: xn--ccounts-\w+.google.com\)", r"\+ provider corp .*accounts.google.com.*127.0.0.1:1",
             r'~ provider corp: token.url = "http://127.0.0.1:1/token" \(google has "https://oauth2.googleapis.com/token"\)']  # fmt: skip
    added = home.run("registry", "add", str(team.path), "--yes").expect(0, err=lines)
    check("provider corp: id" not in added.err and "provider corp: authorize.url" not in added.err, "what is the same isn't told")
    home.run("registry", "show", "team").expect(0, out=r"^provider corp: token.url = .* \(google has ")
    team.put({"providers/corp.toml": corp.replace("http://127.0.0.1:1", "https://\u0430uth.example")})
    home.run("registry", "update", "team").expect(2, err=r'~ provider corp: token.url = .*not ASCII: xn--uth-\w+.example\) \(it was "http://127.0.0.1:1/token"\)')


@test
def what_is_sent_beside_the_usual_is_shown_before_it_is_taken(t):
    more = ACME.replace("[token]", 'params = { audience = "https://evil.example" }\n[token]') + 'headers = { X-Team = "blue" }\n'
    team = Repository(t, {"providers/acme.toml": more})
    home = t.home()
    lines = [r'\+ provider acme: authorize.params.audience = "https://evil.example"', r'\+ provider acme: api.headers.X-Team = "blue"']
    home.run("registry", "add", str(team.path)).expect(2, err=lines)
    home.run("registry", "add", str(team.path), "--yes").expect(0, err=lines)
    home.run("registry", "show", "team").expect(0, out=[line.removeprefix(r"\+ ") for line in lines])


@test
def a_place_that_cant_be_reached_now_is_for_later(t):
    rig.need("git")
    home = t.home()
    port = rig.free_port()
    places = [f"https://127.0.0.1:{port}/team.git", "https://team.invalid/x", *([f"ssh://git@127.0.0.1:{port}/x"] if shutil.which("ssh") else [])]
    for place in places:
        told = home.run("registry", "add", place, "--yes").expect(75, err=["can't be fetched", "^caused by: git says: ", "^hint: check the network"])
        check("`env`" not in told.err, told)
    # a server that is there, and has no such repository
    server = t.scripted()
    home.run("registry", "add", f"{server.base}/x", "--yes").expect(1, err=["git says: .*not found", "git ls-remote"])
    server.on["/y/info/refs"] = rig.answer(503, "")
    home.run("registry", "add", f"{server.base}/y", "--yes").expect(75, err="returned error: 503")


@test
def an_update_that_is_killed_between_its_two_renames_loses_nothing(t):
    rig.need("strace")
    # a folder: git renames files of its own
    team = t.folder / "team"
    (team / "providers").mkdir(parents=True)
    home = t.home()
    renames, between = "rename,renameat,renameat2", 0
    for nth in range(1, 20):
        (team / "providers/acme.toml").write_text(ACME)
        home.run("registry", "add", str(team), "--yes").expect(0)
        (team / "providers/acme.toml").write_text(ACME.replace("an-app", f"app-{nth}"))
        under = ["strace", "-f", "-qq", "-o", t.folder / "trace", "-e", f"trace={renames}", "-e", f"inject={renames}:signal=KILL:when={nth}"]
        killed = home.run("registry", "update", "team", "--yes", under=under)
        between += not (home.config / "registries/team").exists()
        home.run("provider", "show", "acme").expect(0, out=f"an-app|app-{nth}")
        home.run("registry", "show", "team").expect(0)
        home.run("registry", "update", "team", "--yes").expect(0)
        home.run("provider", "show", "acme").expect(0, out=f"app-{nth}")
        home.run("registry", "remove", "team").expect(0)
        same([path.name for path in (home.config / "registries").iterdir()], [], f"what is left after the kill at rename {nth}")
        if killed.code == 0:
            rig.say(f"    killed at each of {nth - 1} renames")
            same(between, 1, "kills between the two renames of the folders")
            return
    check(False, "it never came to its end")


@test
def no_file_of_it_moves_a_login_or_replaces_ones_own(t):
    server = strict.serve(t, expires_in=3600)
    foreign = t.scripted()
    team = Repository(t, {"providers/strict.toml": server.provider_file()})
    home = t.home(OAUTHCTL_STORE="file")
    home.run("registry", "add", str(team.path), "--yes").expect(0)
    home.run("login", "strict", env={"BROWSER": strict.browser(t)}).expect(0)
    home.run("call", "strict", "/me").expect(0)
    team.put({"providers/strict.toml": re.sub('base-url = "[^"]*"', f'base-url = "{foreign.base}/api"', server.provider_file())})
    home.run("registry", "update", "team", "--yes").expect(0)
    home.run("call", "strict", "/me").expect(7, err="has changed since the login")
    team.put({"providers/strict.toml": server.provider_file().replace(f"http://127.0.0.1:{server.port}/token", f"{foreign.base}/token")})
    home.run("registry", "update", "team", "--yes").expect(0)
    home.run("refresh", "strict").expect(7)
    same(foreign.requests, [], "requests at the other host")
    # a login whose provider has gone
    home.run("registry", "remove", "team").expect(0)
    told = home.run("status", "strict").out
    check("refreshes it" not in told and re.search(r"^next +.*oauthctl profile remove strict", told, re.M), told)
    home.run("registry", "add", str(team.path), "--yes").expect(0)
    home.provider("strict", server.provider_file())
    home.run("registry", "update", "team", "--yes").expect(0, err="your own `providers/strict.toml` comes first")
    home.run("refresh", "strict").expect(0)


@test
def what_a_registry_may_not_have(t):
    team = Repository(t, {"README": "nothing"})
    home = t.home()
    refused = lambda words, code=2: home.run("registry", "add", str(team.path), "--yes").expect(code, err=words)
    refused("no provider and no profile")
    for files, words in [
        ({"providers/acme.toml": ACME + '[token.params]\nclient_secret = "s3cret"\n'.replace("[token.params]", "[refresh.params]")}, r"refresh.params.client_secret` \(providers/acme.toml, line 11\) is a secret"),
        ({"providers/acme.toml": ACME.replace('id = "acme"', 'id = "acme"\nclient-secret = "x"')}, "client-secret"),
        ({"providers/acme.toml": ACME + "[nonsense]\n"}, "providers/acme.toml, line"),
        ({"providers/acme.toml": ACME, "config.toml": '[profiles.a]\nprovider = "acme"\nclient-secret = { env = "X" }\n'}, r"profiles.a.client-secret.*\(config.toml, line 3\)"),
        ({"config.toml": '[profiles.a]\nprovider = "acme"\nclient-secret = "x"\n'}, "contains a secret in plain text"),
        ({"config.toml": '[profiles.a]\nprovider = "acme"\nstore = "file"\n'}, "belongs to one machine"),
        ({"config.toml": 'default-profile = "a"\n[profiles.a]\nprovider = "acme"\n'}, "a registry has profiles alone"),
        ({"config.toml": None, "providers/google.toml": ACME.replace("acme", "google")}, "built-in"),
        ({"providers/google.toml": None, "providers/acme.toml": ACME.replace("name =", 'aliases = ["github"]\nname =')}, "called `github`: it is a built-in"),
        ({"providers/acme.toml": ACME, "config.toml": '[profiles.getresponse]\nprovider = "acme"\n'}, "profile called `getresponse`: it is a built-in provider's name"),
        ({"config.toml": '[profiles.gr]\nprovider = "acme"\n'}, "profile called `gr`"),
    ]:
        team.put(files)
        refused(words)
    team.put({"config.toml": None})
    team.put({"providers/acme.toml": ACME + f"# {'x' * 70_000}\n"})
    refused("longer than 60 KiB", 7)
    team.put({"providers/acme.toml": ACME})
    os.symlink("/etc/passwd", team.path / "providers/link.toml")
    team.put({})
    refused("no plain file", 7)
    same(tree(home), {}, "files")


@test
def git_runs_nothing_of_the_repository(t):
    marks = t.folder / "ran"
    script = f"#!/bin/sh\ntouch {marks}\ncat\n"
    team = Repository(t, {"providers/acme.toml": ACME, ".gitattributes": "* filter=evil\n", ".gitmodules": f'[submodule "x"]\n\tpath = x\n\turl = ext::touch {marks}\n'})
    hooks = t.folder / "hooks"
    hooks.mkdir()
    for name in ("post-checkout", "reference-transaction", "post-merge", "pre-auto-gc", "fsmonitor-watchman"):
        (hooks / name).write_text(script)
        (hooks / name).chmod(0o700)
    home = t.home()
    (home.folder / ".gitconfig").write_text(f'[core]\n\thooksPath = {hooks}\n\tfsmonitor = {hooks}/fsmonitor-watchman\n[filter "evil"]\n\tsmudge = {hooks}/post-merge\n[safe]\n\tdirectory = *\n')
    # variables of the caller's change nothing
    home.run("registry", "add", str(team.path), "--yes", env={"GIT_ALLOW_PROTOCOL": "ext", "GIT_OBJECT_DIRECTORY": "/nowhere"}).expect(0)
    for bad in (f"ext::sh -c touch% {marks}", f"--upload-pack=touch {marks}", "-oProxyCommand=x:y", f"ssh://-oProxyCommand=touch%20{marks}/x", "http://team.example/x", "git://team.example/x", "fd::3"):
        home.run("registry", "add", "--name", "bad", "--yes", "--", bad).expect(2, err="no place for a registry")
    for bad in ("https://a:s3cret@team.example/x", "https://s3cret@team.example/x", "https://team.example/x?token=s3cret"):
        said = home.run("registry", "add", "--name", "bad", "--yes", "--", bad).expect(2, err="the address holds")
        check("s3cret" not in said.err, said.err)
    check(not marks.exists(), "something of the repository ran")
    same([p.name for p in (t.folder / "tmp").glob("oauthctl-registry-*")] if (t.folder / "tmp").exists() else [], [], "left behind")


@test
def a_folder_is_pinned_by_its_digest(t):
    folder = t.folder / "shared"
    (folder / "providers").mkdir(parents=True)
    (folder / "providers/acme.toml").write_text(ACME)
    home = t.home()
    home.run("registry", "add", str(folder), "--yes").expect(0, err=r"at sha256:[0-9a-f]{64}")
    home.run("registry", "add", str(folder), "--name", "two", "--yes").expect(2, err="the registry `shared` has it already")
    (folder / "providers/acme.toml").write_text(ACME.replace("an-app", "another"))
    home.run("registry", "update", "shared").expect(2, err="another")
    home.run("provider", "show", "acme").expect(0, out="an-app")
    home.run("registry", "update", "shared", "--yes").expect(0)
    home.run("provider", "show", "acme").expect(0, out="another")
    # a mistake of later is told with its place
    (home.config / "registries/shared/providers/acme.toml").write_text("id = ")
    home.run("login", "acme").expect(2, err="registries/shared/providers/acme.toml, line 1")


rig.main(globals())

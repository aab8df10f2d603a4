#!/usr/bin/env python3
"""The built-in providers, their servers played by the sandbox: `oauthctl sandbox run -- CMD` on a machine without a network."""

import re
import shlex
import signal
import socket
import time
import urllib.parse

import rig
from rig import check, same, test

# the app that every practice server knows, with the redirect addresses that the providers' own examples register
APP = ["--client-id", "practice-client", "--client-secret-file"]
FIXED = "http://127.0.0.1:8976/callback"


def in_sandbox(*lines):
    """The arguments that run shell lines inside, where `oauthctl` is the program under test."""
    return ["sandbox", "run", "--", "sh", "-ec", f'oauthctl() {{ {rig.quoted(rig.program())} "$@"; }}\n' + "\n".join(lines)]


@test
def getresponse_takes_the_pasted_address_because_it_refuses_loopback(t):
    home = t.home(OAUTHCTL_STORE="file")
    secret = home.secret_file("practice-secret")
    terminal = home.at_terminal(
        *in_sandbox(
            f"oauthctl login getresponse {' '.join(APP)} {rig.quoted(secret)} --no-browser",
            "echo TOKEN $(oauthctl token getresponse)",
            "oauthctl call getresponse /accounts",
        )
    )
    url = terminal.find(r"http://127\.0\.0\.1:\d+\S*oauth2_authorize\S*(?=\s)").group()
    check("redirect_uri" not in url, f"GetResponse is sent no redirect address: {url}")
    terminal.type(rig.show_redirect(url))
    terminal.expect(r"^TOKEN \S+$")
    terminal.end().expect(0, err=r"accountId")


@test
def a_login_goes_sealed_to_another_machine_and_age_opens_it_there(t):
    rig.need("age", "age-keygen")
    home = t.home(OAUTHCTL_STORE="file")
    secret = home.secret_file("practice-secret")
    ran = home.run(
        *in_sandbox(
            "age-keygen -o key 2>keygen",
            f"oauthctl login constantcontact {' '.join(APP)} {rig.quoted(secret)} --redirect-uri {FIXED}",
            "oauthctl export constantcontact --to $(age-keygen -y key) >sealed",
            "! oauthctl token constantcontact --force-refresh",
            "age -d -i key sealed | oauthctl import login --profile there",
            "oauthctl token there",
            "oauthctl whoami there >&2",
        ),
        env={"BROWSER": t.browser()},
    ).expect(0, out=r"\A\S+\n\Z", err=r"the login of `constantcontact` went to age1")
    check("exp" in rig.claims(ran.out.strip()), "a token of Constant Contact's expected")
    sealed = (home.folder / "sealed").read_text()
    check(sealed.startswith("-----BEGIN AGE ENCRYPTED FILE-----\n"), sealed)


@test
def without_a_home_nothing_is_read_from_the_working_directory(t):
    home = t.home()
    elsewhere = {name: None for name in home.env if name.startswith(("HOME", "XDG_", "OAUTHCTL_"))}
    (home.folder / "providers").mkdir()
    (home.folder / "providers" / "getresponse.toml").write_text('extends = "getresponse"\nname = "Somebody\'s own"\n')
    (home.folder / "providers" / "acme.toml").write_text('id = "acme"\ntoken.url = "https://acme.example/token"\n')
    (home.folder / "config.toml").write_text('[profiles.acme]\nprovider = "acme"\n')
    shown = home.run("provider", "show", "getresponse", env=elsewhere).expect(0)
    check("Somebody" not in shown.out, shown.out)
    home.run("provider", "show", "acme", env=elsewhere).expect(2, err="there is no provider `acme`")
    listed = home.run("provider", "list", env=elsewhere).expect(0)
    check("acme" not in listed.out and "Somebody" not in listed.out, listed.out)
    home.run("init", "getresponse", env={**elsewhere, "CI": "true"}).expect(0, out="OAUTHCTL_GRANT=client-credentials")


@test
def ctrl_c_ends_a_trial_and_leaves_nothing(t):
    home = t.home()
    temporary = home.folder / "temporary"
    temporary.mkdir()
    for sent in (signal.SIGINT, signal.SIGTERM):
        process = home.start("provider", "test", "--all", env={"TMPDIR": str(temporary)})
        until = time.monotonic() + rig.PATIENCE
        while not any(temporary.iterdir()):
            check(time.monotonic() < until and process.poll() is None, "the trial should begin")
            time.sleep(0.01)
        process.send_signal(sent)
        ran = home.collect(process, "provider", "test", "--all")
        ran.expect(128 + sent, err="the trial is not finished")
        same(list(temporary.iterdir()), [], "what is left")


@test
def getresponse_gives_a_ci_job_its_token(t):
    home = t.home(OAUTHCTL_CLIENT_ID="practice-client", OAUTHCTL_CLIENT_SECRET="practice-secret", CI="true")
    ran = home.run(*in_sandbox("oauthctl token getresponse --grant client-credentials")).expect(0)
    check(len(ran.token) >= 20, "a token expected")


@test
def verticalresponse_logs_in_without_a_state_and_keeps_the_account(t):
    home = t.home(OAUTHCTL_STORE="file")
    secret = home.secret_file("practice-secret")
    home.run(
        *in_sandbox(
            f"oauthctl login verticalresponse {' '.join(APP)} {rig.quoted(secret)} --yes --redirect-uri {FIXED}",
            "oauthctl token verticalresponse",
            "oauthctl status verticalresponse >&2",
        ),
        env={"BROWSER": t.browser()},
    ).expect(0, out=r"\A\S+\n\Z")


@test
def constant_contact_logs_in_and_renews(t):
    home = t.home(OAUTHCTL_STORE="file")
    secret = home.secret_file("practice-secret")
    ran = home.run(
        *in_sandbox(
            f"oauthctl login constantcontact {' '.join(APP)} {rig.quoted(secret)} --redirect-uri {FIXED}",
            "oauthctl token constantcontact",
            "oauthctl refresh constantcontact",
            "oauthctl token constantcontact",
        ),
        env={"BROWSER": t.browser()},
    ).expect(0, out=r"\A\S+\n\S+\n\Z")
    first, second = ran.out.split()
    check(first != second, "`refresh` should bring another token")
    check("exp" in rig.claims(second), "Constant Contact's tokens are JWTs")


@test
def constant_contact_without_a_secret_uses_pkce(t):
    home = t.home(OAUTHCTL_STORE="file")
    browser = t.browser()
    login = f"oauthctl login constantcontact --client-id practice-public --redirect-uri {FIXED}"
    ran = home.run(*in_sandbox(login, "oauthctl token constantcontact"), env={"BROWSER": browser})
    ran.expect(0, out=r"\A\S+\n\Z", err=r"[?&]code_challenge=")


@test
def a_first_login_asks_for_id_and_secret_and_keeps_them(t):
    home = t.home(OAUTHCTL_STORE="file")
    terminal = home.at_terminal(
        *in_sandbox("oauthctl login getresponse --no-browser", "oauthctl token getresponse --force-refresh >/dev/null", "echo RENEWED", "oauthctl login getresponse --no-browser")
    )
    # not the provider's real console
    terminal.expect(r"nothing to register")
    terminal.expect(r"client id practice-client, client secret practice-secret")
    terminal.expect(r"Client id.*: ")
    terminal.type("practice-client")
    terminal.expect(r"Client secret.*not shown.*: ")
    terminal.type("practice-secret")
    authorize = r"http://127\.0\.0\.1:\d+\S*oauth2_authorize\S*(?=\s)"
    terminal.type(rig.show_redirect(terminal.expect(authorize).group()))
    terminal.expect(r"^RENEWED$")
    # the second login knows both
    terminal.type(rig.show_redirect(terminal.expect(authorize).group()))
    ran = terminal.end().expect(0)
    said, _, after = ran.err.partition("Client secret")
    check("practice-secret" not in after, "the secret was shown as it was typed")
    same(ran.err.count("Client secret (not shown"), 1, "times that the secret was asked for")


@test
def getresponse_says_expired_in_words_and_call_renews_once(t):
    home = t.home(OAUTHCTL_STORE="file")
    # of one second nothing may be left: seconds are counted whole
    t.practice(home, "getresponse", "--access-life", "3s")
    # as if the provider had not said how long the token lives: only the API knows that it has expired
    with (home.config / "providers/getresponse.toml").open("a") as file:
        file.write('\n[response]\nexpires-in = "not_said"\n')
    terminal = home.at_terminal("login", "getresponse", *APP, home.secret_file("practice-secret"), "--no-browser")
    terminal.type(rig.show_redirect(terminal.find(r"http://127\.0\.0\.1:\d+\S*oauth2_authorize\S*(?=\s)").group()))
    terminal.end().expect(0)
    first = home.run("token", "getresponse").expect(0).token
    time.sleep(4)
    ran = home.run("call", "getresponse", "/accounts", "-v").expect(0, out="accountId")
    same(len(re.findall(r"> GET .*/v3/accounts", ran.err, re.M)), 2, "requests to the API")
    same(len(re.findall(r"> POST .*/v3/token", ran.err, re.M)), 1, "renewals")
    check(home.run("token", "getresponse").expect(0).token != first, "the new token should be kept")


@test
def getresponse_says_wrong_credentials_with_the_same_code_and_call_does_not_renew(t):
    home = t.home(OAUTHCTL_GETRESPONSE_TOKEN="not-a-token-of-this-server")
    t.practice(home, "getresponse")
    ran = home.run("call", "getresponse", "/accounts", "-v").expect(22, out="1014", err=r"Unable to authenticate")
    same(len(re.findall(r"> (GET|POST) ", ran.err)), 1, "requests")


@test
def verticalresponse_sends_a_get_without_state_or_grant_type_and_keeps_the_user_id(t):
    home = t.home(OAUTHCTL_STORE="file")
    t.practice(home, "verticalresponse")
    browser = t.browser()
    args = ("login", "verticalresponse", *APP, home.secret_file("practice-secret"))
    home.run(*args, env={"BROWSER": t.browser()}).expect(7, err=r"it is alice@example\.test")
    ran = home.run(*args, "--yes", "-v", env={"BROWSER": browser}).expect(0)
    [exchange] = re.findall(r"> GET \S*/oauth/access_token\n\S* >   query: (.*)$", ran.err, re.M)
    check("grant_type" not in exchange and "practice-secret" not in ran.err, f"sent: {exchange}")
    check(not any("state=" in step.get("location") or "" for step in browser.log() if ":8000" in (step.get("location") or "")), "no state comes back")
    shown = home.run("token", "verticalresponse", "--format", "json").expect(0).json()
    check(re.fullmatch(r"\d{10}", str(shown["user_id"])) and "expires_at" not in shown, f"`user_id`, and no expiry, expected: {shown}")
    same(home.run("call", "verticalresponse", f"/users/{shown['user_id']}").expect(0).json()["attributes"]["id"], shown["user_id"], "who I am")
    home.run("status", "verticalresponse").expect(0, out=r"has no known expiry")
    home.run("token", "verticalresponse", "--no-cache").expect(0)
    home.run("refresh", "verticalresponse").expect(4, err=r"oauthctl login verticalresponse")
    home.run("token", "verticalresponse").expect(0)
    home.run("logout", "verticalresponse").expect(0, err=r"does not support revoking a token")


@test
def at_a_terminal_verticalresponse_sends_the_browser_there_before_the_question_is_answered(t):
    for key, code in (("\n", 3), ("n\n", 3), ("\x03", 130), ("\x04", 3)):
        home = t.home(OAUTHCTL_STORE="file", NO_COLOR="1")
        t.practice(home, "verticalresponse")
        browser = t.browser()
        terminal = home.at_terminal(
            "login", "verticalresponse", *APP, home.secret_file("practice-secret"), env={"BROWSER": browser}
        )
        terminal.expect(r"It is the account alice@example\.test \(user_id \d+\)\.$")
        terminal.expect(r"should its token be stored\? \[y/N\]: ")
        check("Go back to your terminal now" in browser.said(), f"the page before the answer: {browser.said()}")
        terminal.press(key)
        terminal.end().expect(code, err=r"^error: (interrupted; )?the tokens were not stored$")
        home.run("token", "verticalresponse").expect(4)


@test
def vr2_logs_in_renews_and_is_revoked_by_delete(t):
    home = t.home(OAUTHCTL_STORE="file")
    t.practice(home, "verticalresponse-vr2")
    home.run("login", "vr2", *APP, home.secret_file("practice-secret"), env={"BROWSER": t.browser()}).expect(0)
    first = home.run("token", "vr2").expect(0).token
    home.run("refresh", "vr2").expect(0)
    second = home.run("token", "vr2").expect(0).token
    check(first != second, "`refresh` should bring another token")
    home.run("call", "vr2", "/contacts").expect(0, out=r"attributes")
    ran = home.run("logout", "vr2", "-v").expect(0, err=[r"> DELETE \S*/oauth/revoke", r"revoked the refresh token"])
    check("practice-secret" not in ran.err and second not in ran.err, f"something secret in the log\n{ran}")
    home.run("token", "vr2").expect(4)


@test
def vr2_gives_a_ci_job_its_token(t):
    home = t.home(OAUTHCTL_CLIENT_ID="practice-client", OAUTHCTL_CLIENT_SECRET="practice-secret", CI="true")
    t.practice(home, "verticalresponse-vr2")
    token = home.run("token", "verticalresponse-vr2", "--grant", "client-credentials").expect(0).token
    check("exp" in rig.claims(token), "VR2's tokens are JWTs")


@test
def constant_contact_comes_back_over_https_with_a_certificate_made_on_the_spot(t):
    home = t.home(OAUTHCTL_STORE="file")
    t.practice(home, "constantcontact", "--claims-only")
    browser = t.browser(confirm=1)
    to = urllib.parse.unquote(home.run("login", "cc", "--client-id", "practice-public", env={"BROWSER": browser}).expect(0).err)
    same([urllib.parse.urlsplit(address).scheme for address in browser.opened()], ["http"], "what is opened, before any warning")
    check("redirect_uri=https://localhost:8888/callback" in to, f"an https address on localhost expected: {to}")
    shown = home.run("token", "cc", "--format", "json").expect(0).json()
    same(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(rig.claims(shown["access_token"])["exp"])), shown["expires_at"], "the expiry, which only the token tells")
    check({"account_read", "contact_data", "campaign_data"} <= set(shown["scope"].split()), f"the scopes, which only the token tells: {shown}")
    home.run("call", "cc", "/contacts").expect(0)


@test
def a_command_run_in_the_sandbox_gives_its_own_exit_code_and_nothing_is_left(t):
    home = t.home()
    bin = home.folder / "bin"
    bin.mkdir()
    (bin / "oauthctl").symlink_to(rig.program())
    tmp = home.folder / "tmp"
    tmp.mkdir()
    env = {"PATH": f"{bin}:{home.env['PATH']}", "TMPDIR": tmp}
    home.run("sandbox", "run", "--", "sh", "-c", "oauthctl token getresponse --grant client-credentials", env={**env, "OAUTHCTL_CLIENT_ID": "practice-client", "OAUTHCTL_CLIENT_SECRET": "practice-secret"}).token
    home.run("sandbox", "run", "--", "sh", "-c", "exit 42", env=env).expect(42)
    same(list(tmp.iterdir()), [], "files left behind")


@test
def a_sandbox_that_serves_one_providers_manners_does_so_until_it_is_stopped(t):
    home = t.home()
    port = rig.free_port()
    process = home.start("sandbox", "serve", "--as", "getresponse", "--port", str(port))
    rig.wait_until(lambda: rig.answers(port), "the sandbox's start", of=process)
    status, page = rig.fetch(f"http://127.0.0.1:{port}/")
    same(status, 200, "its front page")
    check("practice-client" in page and re.search("getresponse", page, re.I), "the front page should name the provider and the app")
    process.send_signal(signal.SIGINT)
    ran = home.collect(process, "sandbox", "serve")
    check(ran.code in (0, 130), f"a clean end expected\n{ran}")


# ---- the first hour: from nothing to the first answer of the API, as a person types it ------------------------------------

# what is typed, the provider's short name, and a path of its API that shows something at once
FIRST = {
    "getresponse": ("gr", "/accounts"),
    "verticalresponse": ("vr", "/lists"),
    "constantcontact": ("cc", "/contact_lists"),
}
RIGHT = {"own": "n", "scopes": "", "id": "practice-client", "secret": "practice-secret", "keep": "y"}
QUESTIONS = {
    "which": r"^Number or name: (?![^\n])",
    "own": r"is needed \[Y/n\]: (?![^\n])",
    "scopes": r"^Numbers or names[^\n]*: (?![^\n])",
    "id": r"^Client id[^\n]*: (?![^\n])",
    "secret": r"^Client secret[^\n]*: (?![^\n])",
    "keep": r"token be stored\? \[y/N\]: (?![^\n])",
    "paste": r"http://127\.0\.0\.1:\d+\S*oauth2_authorize\S*(?=\s)",
}


class Newcomer:
    """A person with an empty home at a terminal, who gives the answers told, and the right one where none is told. `asked` are
    the questions so far, `typed` the commands."""

    def __init__(self, t, provider):
        self.provider, (self.alias, self.path) = provider, FIRST[provider]
        self.home = t.home(OAUTHCTL_STORE="file")
        t.practice(self.home, provider)
        self.browser = t.browser(confirm=1)
        self.asked, self.typed = [], []

    def types(self, *argv, **answers):
        """One command to its end. An answer is a word, or the words for the first time, the second, …; `^C` is the key."""
        answers = {**RIGHT, "which": self.provider, **answers}
        answers = {name: [words] if isinstance(words, str) else list(words) for name, words in answers.items()}
        self.typed.append(argv)
        terminal = self.home.at_terminal(*argv, env={"BROWSER": self.browser})
        seen, end = 0, time.monotonic() + rig.PATIENCE
        while terminal._read(0.05) or terminal.process.poll() is None:
            check(time.monotonic() < end, lambda: f"it waits for something\n{terminal.screen}")
            found = [(m.end(), name) for name, pattern in QUESTIONS.items() if (m := re.compile(pattern, re.M).search(terminal.screen, seen))]
            if not found:
                continue
            seen, name = min(found)
            if name == "paste":
                terminal.type(rig.show_redirect(re.compile(QUESTIONS["paste"]).search(terminal.screen).group()))
                continue
            self.asked.append(name)
            check(len(self.asked) < 20, lambda: f"it asks and asks\n{terminal.screen}")
            words = answers[name].pop(0) if len(answers[name]) > 1 else answers[name][0]
            terminal.press("\x03") if words == "^C" else terminal.type(words)
        return terminal.end()

    def logs_in(self, **answers):
        return self.types("login", self.provider, **answers)

    def goes_on(self, ran):
        """Types what the last hint says, word for word, and answers rightly."""
        hints = re.findall(r"hint:[^\n]*?oauthctl ([^`\n]+)", re.sub(r"\s*\n\s+", " ", ran.err.split("error:")[-1]))
        check(hints, f"no command to go on with\n{ran}")
        return self.types(*shlex.split(hints[-1])).expect(0)

    def calls(self, name=None):
        return self.types("call", name or self.provider, self.path).expect(0)


def first_hour(t, provider):
    newcomer = Newcomer(t, provider)
    newcomer.logs_in().expect(0)
    newcomer.calls()
    print(f"    {provider}: {len(newcomer.typed)} commands, {len(newcomer.asked)} questions ({', '.join(newcomer.asked)})")
    return newcomer


def for_each_provider(mistake):
    """The same mistake at each of the three, all of which are tried before the first failure is told."""

    def walks(t):
        stuck = []
        for provider in FIRST:
            try:
                mistake(Newcomer(t, provider))
            except rig.Failed as failed:
                stuck.append(f"{provider}: {failed}")
        check(not stuck, "\n".join(stuck))

    walks.__name__ = mistake.__name__
    return test(walks)


@test
def two_commands_lead_from_nothing_to_the_first_answer(t):
    for provider in FIRST:
        newcomer = first_hour(t, provider)
        same(len(newcomer.typed), 2, f"commands at {provider}")
        check(len(newcomer.asked) <= 3, f"questions at {provider}: {newcomer.asked}")


@test
def init_leads_from_nothing_to_the_first_answer_with_few_questions(t):
    # the redirect address that is pasted is one more at GetResponse, the provider's page in the browser one more at each
    for provider, most in (("getresponse", 4), ("constantcontact", 4), ("verticalresponse", 5)):
        newcomer = Newcomer(t, provider)
        newcomer.types("init").expect(0, err=r"(?m)^Go on with:\n +oauthctl token")
        newcomer.calls()
        check(len(newcomer.asked) <= most, f"questions at {provider}: {newcomer.asked}")
        print(f"    init, {provider}: {len(newcomer.asked)} questions ({', '.join(newcomer.asked)})")


@for_each_provider
def the_short_name_is_the_same_profile(newcomer):
    newcomer.logs_in().expect(0)
    newcomer.calls(newcomer.alias)
    newcomer.types("status", newcomer.alias).expect(0)


@for_each_provider
def an_empty_enter_at_the_client_id_loses_nothing(newcomer):
    ran = newcomer.logs_in(id=["", "practice-client"])
    if ran.code:
        newcomer.goes_on(ran)
    newcomer.calls()


@for_each_provider
def an_empty_enter_at_the_secret_does_not_lose_the_id(newcomer):
    if newcomer.provider == "constantcontact":
        return  # an app without a secret is one of its kinds
    ran = newcomer.logs_in(secret=["", "practice-secret"])
    if ran.code:
        newcomer.goes_on(ran)
    same(newcomer.asked.count("id"), 1, "times that the client id was asked for")
    newcomer.calls()


@for_each_provider
def ctrl_c_at_the_secret_does_not_lose_the_id(newcomer):
    newcomer.logs_in(secret="^C").expect(130)
    ran = newcomer.logs_in(id="").expect(0)
    check("practice-client" in ran.err, f"the client id should be offered\n{ran}")
    newcomer.calls()


@for_each_provider
def a_wrong_secret_is_asked_for_again(newcomer):
    ran = newcomer.logs_in(secret=["mistyped", "practice-secret"], id=["practice-client", ""])
    if ran.code:
        newcomer.goes_on(ran)
    newcomer.calls()


@test
def a_port_that_is_taken_is_told_before_the_first_question(t):
    with socket.create_server(("127.0.0.1", 8000)):
        newcomer = Newcomer(t, "verticalresponse")
        newcomer.logs_in().expect(75, err="8000")
        same(newcomer.asked, [], "questions")
    newcomer.logs_in().expect(0)


@test
def a_plain_enter_keeps_no_account_that_nothing_ties_to_the_login(t):
    newcomer = Newcomer(t, "verticalresponse")
    newcomer.logs_in(keep="").expect(3, err=r"the tokens were not stored")
    newcomer.home.run("token", "verticalresponse").expect(4)
    newcomer.logs_in().expect(0)
    newcomer.calls()


rig.main(globals())

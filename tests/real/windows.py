#!/usr/bin/env python3
"""The Windows program under Wine: the Credential Manager, the console, paths, locks and files as Windows has them. The program is
what `$OAUTHCTL_WINDOWS` names, else the debug build for that target; `tests/real/wine` runs it."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import rig
import strict
from rig import answer, check, same, test

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", rig.ROOT / "target")).resolve()
EXE = Path(os.environ.get("OAUTHCTL_WINDOWS", TARGET / "x86_64-pc-windows-gnu" / "debug" / "oauthctl.exe"))
WINE = rig.HERE / "wine"
PREFIX = Path(os.environ.get("OAUTHCTL_WINE", TARGET / "wine"))
CROWD = int(os.environ.get("STORM", "200"))

# The items of the Credential Manager with their sizes, and the removal of one; a file held open as other programs hold it; a
# program that prints a secret and leaves another behind, which keeps its pipes; a browser: it starts the Unix script of its own
# name, of which Windows programs get no handle.
HELPERS = r"""
#include <windows.h>
#include <wincred.h>
#include <stdio.h>
#include <stdlib.h>
int wmain(int count, wchar_t **words) {
  PCREDENTIALW *found;
  DWORD number = 0;
  STARTUPINFOW start = {sizeof start};
  PROCESS_INFORMATION made;
  static wchar_t own[MAX_PATH], line[65536];
  GetModuleFileNameW(NULL, own, MAX_PATH);
  if (count == 6) return Sleep(_wtoi(words[1])), 0;
  if (count == 5) { /* leave SECRET MILLISECONDS - */
    swprintf(line, 65536, L"stay %ls - - - -", words[3]);
    printf("%ls\n", words[2]);
    return !CreateProcessW(own, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &made);
  }
  if (count == 4) { /* hold FILE SHARED MILLISECONDS */
    HANDLE file = CreateFileW(words[1], GENERIC_READ, _wtoi(words[2]), NULL, OPEN_EXISTING, 0, NULL);
    printf(file == INVALID_HANDLE_VALUE ? "failed\n" : "held\n");
    fflush(stdout);
    Sleep(_wtoi(words[3]));
    return 0;
  }
  if (count == 3) return !CredDeleteW(words[2], CRED_TYPE_GENERIC, 0);
  if (count == 2) {
    wcscpy(wcsrchr(own, L'.'), L".sh");
    swprintf(line, 65536, L"browser \"%ls\"", words[1]);
    return !CreateProcessW(own, line, NULL, NULL, FALSE, 0, NULL, NULL, &start, &made);
  }
  if (CredEnumerateW(NULL, 0, &number, &found))
    for (DWORD i = 0; i < number; i++) printf("%lu %ls\n", (unsigned long)found[i]->CredentialBlobSize, found[i]->TargetName);
  return 0;
}
"""


def at_wine():
    """The program as a Unix command, for everything that a test starts; its helper beside it."""
    if not shutil.which("x86_64-w64-mingw32-gcc"):
        raise SystemExit("x86_64-w64-mingw32-gcc is not there: `tests/run windows` brings it")
    if not EXE.exists():
        raise SystemExit(f"{EXE} is not there: `tests/run windows` builds it")
    folder = rig.run_folder() / "windows"
    folder.mkdir(exist_ok=True)
    (folder / "helper.c").write_text(HELPERS)
    subprocess.run(["x86_64-w64-mingw32-gcc", "-municode", "-o", folder / "helper.exe", folder / "helper.c", "-ladvapi32"], check=True)
    program = folder / "oauthctl"
    program.write_text(f'#!/bin/bash\nexport OAUTHCTL_WINE={rig.quoted(PREFIX)}\nexec {rig.quoted(WINE)} {rig.quoted(EXE)} "$@"\n')
    program.chmod(0o700)
    os.environ["OAUTHCTL"] = str(program)
    return folder / "helper.exe"


HELPER = at_wine()


def dos(path):
    """The name that Windows programs know a file by."""
    return "Z:" + str(path).replace("/", "\\")


def wine(*argv, **options):
    env = {**os.environ, "OAUTHCTL_WINE": str(PREFIX)}
    return subprocess.Popen([WINE, *argv], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


def credentials(profile):
    """The sizes of the items that hold this profile's record."""
    said = wine(HELPER).communicate(timeout=rig.PATIENCE)[0]
    items = [line.split(" ", 1) for line in said.splitlines()]
    return {name: int(size) for size, name in items if profile in name}


def browser(script):
    """The variable for a browser that is a Unix script."""
    program = Path(str(script)).with_suffix(".exe")
    shutil.copy(HELPER, program)
    return {"BROWSER": dos(program)}


@test
def login_token_call_refresh_and_logout_work_with_the_credential_manager(t):
    home = t.home()
    login = home.run("login", "sandbox", env=browser(t.browser())).expect(0)
    same(login.out, "", "stdout of `login`")
    first = home.run("token", "sandbox").expect(0).token
    same(home.run("token").expect(0).token, first, "the token of the only profile")
    same(len(credentials("sandbox")), 1, "items in the Credential Manager")
    home.run("call", "sandbox", "/me").expect(0).json()
    home.run("refresh", "sandbox").expect(0)
    check(home.run("token", "sandbox").expect(0).token != first, "`refresh` should bring another token")
    home.run("list").expect(0, out=r"sandbox.*keychain")
    home.run("status", "sandbox").expect(0, out=r"Credential Manager|keychain")
    home.run("logout", "sandbox").expect(0)
    same(credentials("sandbox"), {}, "items after `logout`")
    home.run("token", "sandbox").expect(4, err=r"oauthctl login")


@test
def a_record_that_is_too_long_for_an_item_is_split_and_read_whole_or_not_at_all(t):
    home, server = t.home(), t.scripted()
    home.provider("rig", server.provider_file())
    config = '[profiles.{0}]\nprovider = "rig"\ngrant = "client-credentials"\nclient-id = "an-app"\n'
    (home.config / "config.toml").write_text(config.format("short") + config.format("long"))
    env = {"OAUTHCTL_CLIENT_SECRET": "the-secret-of-the-test"}
    # what a run that was stopped has left
    for item in {**credentials("short"), **credentials("long")}:
        wine(HELPER, "delete", item).wait(rig.PATIENCE)
    for name, length, items in (("short", 100, 1), ("long", 9000, 5)):
        token = name + "t" * length
        server.on["/token"] = answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600})
        same(home.run("token", name, env=env).expect(0).token, token, "the token")
        asked = len(server.to("/token"))
        same(home.run("token", name, env=env).expect(0).token, token, "the token that is kept")
        same(len(server.to("/token")), asked, "requests for a token that is kept")
        sizes = credentials(name)
        check(max(sizes.values()) <= 2560 and (len(sizes) == 1 if items == 1 else len(sizes) >= items), f"{sizes}")
    part = max(sizes, key=sizes.get)
    same(wine(HELPER, "delete", part).wait(rig.PATIENCE), 0, "exit code of the removal of one part")
    # the rest is no token: these credentials bring another
    asked = len(server.to("/token"))
    same(home.run("token", "long", env=env).expect(0).token, token, "the token")
    same(len(server.to("/token")), asked + 1, "requests")
    for name in ("short", "long"):
        home.run("logout", "--local-only", name, env=env).expect(0)
        same(credentials(name), {}, "items after `logout`")


@test
def what_is_printed_has_no_carriage_return_and_what_is_read_may_have_one(t):
    home, server = t.home(OAUTHCTL_STORE="none"), t.scripted()
    home.provider("rig", server.provider_file())
    server.on["/token"] = lambda asked: answer(200, {"access_token": "got", "token_type": "Bearer", "expires_in": 3600})
    server.on["/v1/x"] = lambda asked: answer(200, {"sent": asked.body})
    argv = ["--grant", "client-credentials", "--client-id", "an-app"]
    secret = home.folder / "secret"
    secret.write_bytes("\ufeffthe-secret-of-the-test\r\n".encode())
    (home.config / "config.toml").write_text(
        f'[profiles.rig]\nprovider = "rig"\ngrant = "client-credentials"\nclient-id = "an-app"\nclient-secret = {{ file = \'{dos(secret)}\' }}\n'.replace("\n", "\r\n")
    )
    same(home.run("token", "rig").expect(0).out, "got\n", "stdout of `token`")
    asked = server.to("/token")[-1]
    same(asked.form.get("client_secret") or "the-secret-of-the-test", "the-secret-of-the-test", "the secret that was sent")
    check("\r" not in asked.body, asked.body)
    called = home.run("call", "rig", "POST", "/x", "--input", "-", stdin="a\r\nb\r\n").expect(0)
    same(called.json(), {"sent": "a\r\nb\r\n"}, "the body that was sent")
    check("\r" not in called.out, repr(called.out))
    check("\r" not in home.run("help", "exit-codes").expect(0).out, "no carriage return in the help")
    check("\r" not in home.run("token", "nobody", *argv).err, "no carriage return in an error")


@test
def the_completions_for_powershell_are_those_of_the_package(t):
    made = t.home().run("completions", "powershell").expect(0).out
    same(made, (rig.ROOT / "completions" / "_oauthctl.ps1").read_text(), "the completions")


@test
def doctor_finds_this_system_in_order(t):
    ran = t.home(**browser(t.browser())).run("doctor").expect(0)
    check("Credential Manager" in ran.out, ran.out)


@test
def ctrl_c_ends_a_login_that_waits(t):
    home = t.home()
    terminal = home.at_terminal("login", "sandbox", "--no-browser")
    terminal.expect(r"https?://")
    terminal.press("\x03")
    same(terminal.end().code, 130, "exit code")
    home.run("token", "sandbox").expect(4)


@test
def colours_are_for_a_terminal_and_letters_come_whole_in_any_code_page(t):
    home = t.home()
    failed = home.run("token", "grün").expect(2)
    check("\x1b" not in failed.out + failed.err and "grün" in failed.err, failed.err)
    for page in ("850", "1252", "65001"):
        argv = [WINE, "cmd", "/c", "chcp", page, "&", dos(EXE), "token", "grün"]
        env = home._environment({"TERM": "xterm", "OAUTHCTL_WINE": PREFIX})
        t.enter(rig.Terminal(argv, env, home.folder)).expect("grün")


@test
def folders_with_blanks_and_umlauts_work_and_so_does_appdata(t):
    place = t.folder / "Größe und Maß"
    place.mkdir()
    home = t.home(OAUTHCTL_CONFIG_DIR=dos(place / "die Konfiguration"), OAUTHCTL_STATE_DIR=dos(place / "der Zustand"), OAUTHCTL_STORE="file")
    home.run("login", "sandbox", env=browser(t.browser())).expect(0)
    token = home.run("token", "sandbox").expect(0).token
    check((place / "die Konfiguration" / "config.toml").exists() and list((place / "der Zustand").rglob("*.sealed")), f"{list(place.rglob('*'))}")
    home.run("call", "sandbox", "/me", "-o", dos(place / "eine Ölung.json")).expect(0)
    check(json.loads((place / "eine Ölung.json").read_text()), "a saved answer")
    check(token, "a token")
    # the system's own places
    roaming = next((PREFIX / "drive_c" / "users").glob("*/AppData/Roaming"))
    shutil.rmtree(roaming / "oauthctl", ignore_errors=True)
    home.run("login", "sandbox", env={**browser(t.browser()), "OAUTHCTL_CONFIG_DIR": None, "OAUTHCTL_STATE_DIR": None}).expect(0)
    check((roaming / "oauthctl" / "config.toml").exists(), "config.toml in %APPDATA%")
    check(list((roaming.parent / "Local" / "oauthctl").rglob("*.sealed")), "the store in %LOCALAPPDATA%")
    home.run("logout", "sandbox", env={"OAUTHCTL_CONFIG_DIR": None, "OAUTHCTL_STATE_DIR": None}).expect(0)


@test
def a_file_that_another_program_holds_open_is_replaced_all_the_same(t):
    home = t.home(OAUTHCTL_STORE="file")
    home.run("login", "sandbox", env=browser(t.browser())).expect(0)
    # 7: read, written and removed by others; 3: not removed. Wine replaces neither, and Windows replaces the first alone
    sealed = next((home.state / "store").glob("*.sealed"))
    for file, argv in ((sealed, ["refresh", "sandbox"]), (home.config / "config.toml", ["profile", "set", "sandbox", "browser", "firefox"])):
        for shared in ("7", "3"):
            holder = wine(HELPER, dos(file), shared, "90000")
            t.ends(holder)
            same(holder.stdout.readline().strip(), "held", f"the helper with {file}")
            running = home.start(*argv)
            # it has replaced the file, or it waits for the holder
            rig.wait_until(lambda: running.poll() is not None or list(file.parent.glob(f".{file.name}.*.new")), "the new file beside it")
            holder.kill()
            holder.wait()
            home.collect(running, *argv).expect(0)
    home.run("token", "sandbox").expect(0)


@test
def new_files_are_their_owners_alone(t):
    home = t.home(OAUTHCTL_STORE="file", OAUTHCTL_STATE_DIR=dos(t.folder / "open" / "state"))
    (t.folder / "open").mkdir(mode=0o777)
    (t.folder / "open").chmod(0o777)
    home.run("login", "sandbox", env=browser(t.browser())).expect(0)
    # Wine writes a folder's access list as its mode, where its one user is the group too; what the folder holds inherits the list
    # on Windows alone
    folders = [p for p in (t.folder / "open").rglob("*") if p.is_dir()]
    check(folders, "folders expected")
    open_to_others = [str(p) for p in folders if p.stat().st_mode & 0o007]
    same(open_to_others, [], "what others may read or write")


@test
def a_killed_holder_of_the_lock_holds_up_nobody(t):
    server = strict.serve(t, "grace")
    home = logged_in(t, server)
    strict.stale(server)
    server.hold()
    first = home.start("token", "strict")
    rig.wait_until(lambda: server.connections, "the request", of=first)
    first.kill()
    first.wait()
    server.let_go()
    same(home.run("token", "strict").expect(0).token, server.newest(), "the token")


@test
def many_processes_that_find_the_same_token_stale_send_one_request(t):
    server = strict.serve(t)
    home = logged_in(t, server)
    strict.stale(server)
    crowd = strict.crowd(t, home, CROWD, "token", "strict")
    strict.figure(f"{CROWD} processes under Wine in {crowd.seconds:.1f} s")
    same([e["outcome"] for e in server.refreshes()], ["renewed"], "token requests")
    # Wine's server kills a process that has told its exit code and is not gone a second later, as on a busy machine
    same(set(crowd.tally()) - {-9}, {0}, f"exit codes ({crowd.errors_of(75) or crowd.errors_of(5)})")
    same(set(crowd.outputs), {server.newest() + "\n"}, "outputs")


@test
def a_program_that_leaves_another_behind_gives_its_secret_at_once(t):
    home, server = t.home(OAUTHCTL_STORE="none"), t.scripted()
    home.provider("rig", server.provider_file())
    server.on["/token"] = answer(200, {"access_token": "got", "token_type": "Bearer", "expires_in": 3600})
    command = [dos(HELPER), "leave", "the-secret-of-the-test", "90000", "-"]
    (home.config / "config.toml").write_text(
        f'[profiles.rig]\nprovider = "rig"\ngrant = "client-credentials"\nclient-id = "an-app"\nclient-secret = {{ command = {json.dumps(command)} }}\n'
    )
    started, running = time.monotonic(), home.start("token", "rig")
    # the other program has this one's streams too, so their end says nothing
    rig.wait_until(lambda: running.poll() is not None, "the end")
    same((running.returncode, os.read(running.stdout.fileno(), 100)), (0, b"got\n"), "exit code and stdout of `token`")
    check(time.monotonic() - started < 45, "the other program, which runs for 90 seconds, should not be waited for")


def logged_in(t, server):
    home = t.home(OAUTHCTL_STORE="file")
    home.provider("strict", server.provider_file())
    home.run("login", "strict", env=browser(strict.browser(t))).expect(0)
    return home


rig.main(globals())

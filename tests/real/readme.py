#!/usr/bin/env python3
"""What the README shows of the program, made by the program at a terminal: a first login and what follows. `UPDATE=1` writes it anew."""

import os
import re

import rig
from rig import ROOT, check, test

README = ROOT / "README.md"
BLOCK = re.compile(r"(<!-- transcript:.*?-->\n```console\n)(.*?)(```\n<!-- /transcript -->)", re.S)
COMMANDS = ["login sandbox", "token sandbox", "call sandbox /me", "list", "refresh sandbox", "logout sandbox"]
# What differs from run to run stands in the README as one example of it.
STEADY = [
    (r"(http://127\.0\.0\.1:)\d+(/authorize)\?\S+", r"\g<1>41873\2?response_type=code&client_id=oauthctl&…"),
    (r"\b[0-9a-f]{40}\b", "5f2ec923dc11f307519590225f1614fa05fddef7"),
    (r"practice-[0-9a-f]{8}", "practice-69b1145a"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-11-21T22:10:00Z"),
    (r"\b(9|10) min\b", "10 min"),
    (r"EXPIRES +STORE", "EXPIRES    STORE"),
]


@test
def the_readme_shows_what_the_program_says(t):
    home = t.home(t.keyring())
    env = {"BROWSER": t.browser()}
    shown = ""
    for command in COMMANDS:
        ran = home.at_terminal(*command.split(), env=env).end().expect(0)
        said = re.sub(r"\x1b\[[0-9;]*m", "", ran.err)
        shown += f"$ oauthctl {command}\n{said}" + ("" if said.endswith("\n") else "\n")
    for pattern, steady in STEADY:
        shown = re.sub(pattern, steady, shown)
    text = README.read_text(encoding="utf-8")
    if os.environ.get("UPDATE"):
        README.write_text(BLOCK.sub(lambda found: found[1] + shown + found[3], text, count=1), encoding="utf-8")
        return
    there = BLOCK.search(text)
    check(there, "the README has no transcript")
    check(there[2] == shown, f"the README differs (`UPDATE=1 tests/real/readme.py` writes it anew); the program says:\n{shown}")


rig.main(globals())

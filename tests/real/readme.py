#!/usr/bin/env python3
"""What the README shows of the program, made by the program at a terminal: a first login and what follows. `UPDATE=1` writes it anew.

The same text is the recording: `first-login.cast` for asciinema, and the picture that moves. Only its times are made up, so that the
files are the same each time.
"""

import html
import json
import os
import re

import rig
from rig import ROOT, check, test

README = ROOT / "README.md"
PICTURES = ROOT / "tests" / "real" / "pictures"
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



def timed(shown):
    """Each line, when it begins, and the pause between two of its characters: a person types, and the program prints at once."""
    now = 0.5
    for line in shown.splitlines():
        typed = line.startswith("$ ")
        pause = 0.05 if typed else 0.0
        yield line, now, pause
        # a person presses *Allow* while it waits, and reads before the next command
        now += len(line) * pause + (0.4 if typed else 2.0 if line.startswith("Waiting") else 0.1)
        now += 1.0 if line.startswith(("Next: ", "}", "sandbox", "5f2e")) else 0.0


def cast(shown):
    """asciicast, version 2: a header, and a line for each piece of output."""
    lines = shown.splitlines()
    rows = [{"version": 2, "width": max(map(len, lines)) + 1, "height": len(lines) + 1}]
    for line, start, pause in timed(shown):
        pieces = [(start + at * pause, char) for at, char in enumerate(line)] if pause else [(start, line)]
        rows += [[round(at, 2), "o", piece] for at, piece in pieces]
        rows.append([round(start + len(line) * pause, 2), "o", "\r\n"])
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def picture(shown):
    """An SVG in which the lines appear one after the other; a reader who wants no motion sees them all."""
    lines = list(timed(shown))
    width, height = max(len(line) for line, *_ in lines) * 7.9 + 24, len(lines) * 17 + 20
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}">',
        "<style>text{font:13px ui-monospace,monospace;fill:#ddd;white-space:pre;animation:appear 1ms backwards}",
        ".typed{fill:#7ec699;font-weight:bold}@keyframes appear{from{opacity:0}}",
        "@media(prefers-reduced-motion){text{animation:none}}</style>",
        '<rect width="100%" height="100%" rx="6" fill="#1d1f27"/>',
    ]
    for number, (line, start, pause) in enumerate(lines, 1):
        kind = ' class="typed"' if pause else ""
        rows.append(f'<text x="12" y="{number * 17 + 8}"{kind} style="animation-delay:{start:.1f}s">{html.escape(line)}</text>')
    return "\n".join([*rows, "</svg>\n"])


def compare_or_write(file, text):
    if os.environ.get("UPDATE"):
        file.write_text(text, encoding="utf-8")
    check(file.exists() and file.read_text(encoding="utf-8") == text, f"{file.name} differs: `UPDATE=1 tests/real/readme.py` writes it anew")


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
    check(BLOCK.search(text), "the README has no transcript")
    compare_or_write(README, BLOCK.sub(lambda found: found[1] + shown + found[3], text, count=1))
    compare_or_write(PICTURES / "first-login.cast", cast(shown))
    compare_or_write(PICTURES / "first-login.svg", picture(shown))


rig.main(globals())

"""The keys that the program leaves in the kernel's keyring. A plain user may have 200 of them, and they live on for days after the
home that they belong to.

Their names are hashes, so that a test can't tell its own from those of a test that runs beside it. Each writes down which keys were
there when it began, and removes in the end what no test under way can have made: the keys that were not there when this one
began, and were there when each of the others did. Keys are a user's, and so is the folder of these notes, whatever run a test
belongs to.
"""

import contextlib
import ctypes
import itertools
import json
import os
import platform
import struct
import tempfile
from pathlib import Path

NUMBER = {"x86_64": 250, "aarch64": 219, "riscv64": 219}.get(platform.machine())
ADD_KEY = {"x86_64": 248, "aarch64": 217, "riscv64": 217}.get(platform.machine())
REVOKE, SETPERM, DESCRIBE, LINK, UNLINK, READ, SET_TIMEOUT, INVALIDATE, GET_PERSISTENT = 3, 5, 6, 8, 9, 11, 15, 21, 22
PROCESS_KEYRING, USER_KEYRING = -2, -4

NOTES = Path(tempfile.gettempdir()) / f"oauthctl-tests-keys-{os.getuid()}"

libc = ctypes.CDLL(None)
numbers = itertools.count()


def keyctl(operation, *arguments):
    given = [ctypes.cast(a, ctypes.c_void_p) if isinstance(a, ctypes.Array) else ctypes.c_long(a) for a in arguments]
    return libc.syscall(ctypes.c_long(NUMBER), ctypes.c_long(operation), *given)


def keyring():
    """The one that the program uses."""
    persistent = keyctl(GET_PERSISTENT, -1, PROCESS_KEYRING)
    return persistent if persistent >= 0 else USER_KEYRING


def read(key):
    """The key's bytes; of a keyring the numbers of its keys."""
    room = ctypes.create_string_buffer(1 << 16)
    length = keyctl(READ, key, room, len(room))
    return room.raw[: max(length, 0)]


def name(key):
    """The key's name; nothing if it is gone."""
    room = ctypes.create_string_buffer(512)
    return room.value.split(b";")[-1] if keyctl(DESCRIBE, key, room, len(room)) > 0 else b""


def present():
    """The program's keys of this user."""
    if NUMBER is None:
        return set()
    serials = read(keyring())
    return {key for key in struct.unpack(f"={len(serials) // 4}i", serials) if name(key).startswith(b"oauthctl:")}


def put(named, value):
    """A key as the program makes them."""
    key = libc.syscall(ADD_KEY, b"user", named, value, len(value), PROCESS_KEYRING)
    keyctl(SET_TIMEOUT, key, 600)
    keyctl(SETPERM, key, 0x3F3F0000)
    keyctl(LINK, key, keyring())


def is_endless(key):
    """Whether it stays for ever: `perm` in the kernel's table."""
    lines = (line.split() for line in Path("/proc/keys").read_text(encoding="utf-8", errors="replace").splitlines())
    return any(int(line[0], 16) == key & 0xFFFFFFFF and line[3] == "perm" for line in lines)


def remove(key):
    if keyctl(INVALIDATE, key) < 0:
        keyctl(REVOKE, key)
        keyctl(UNLINK, key, keyring())


def begin():
    """What was there before a test, written down; its note."""
    NOTES.mkdir(mode=0o700, exist_ok=True)
    note = NOTES / f"{os.getpid()}-{next(numbers)}"
    part = NOTES / f"{note.name}.part"
    part.write_text(json.dumps(sorted(present())), encoding="ascii")
    return part.rename(note)


def end(note):
    """Removes what is nobody's any more."""
    # in this order: what a test makes that begins now is not among them
    keys = present()
    before = set(json.loads(note.read_text()))
    note.unlink()
    others = list(under_way())
    for key in keys - before:
        # a key of `store unlock` ends by itself, and may be that of somebody at work beside the tests
        if all(key in theirs for theirs in others) and not name(key).startswith(b"oauthctl:kept:"):
            remove(key)


def under_way():
    """What was there before each test that is under way."""
    for note in NOTES.glob("*-*[0-9]"):
        if os.path.exists(f"/proc/{note.name.split('-')[0]}"):
            with contextlib.suppress(FileNotFoundError):  # it has ended this moment
                yield set(json.loads(note.read_text()))
        else:
            note.unlink(missing_ok=True)

#!/usr/bin/env python3
"""The model of the lease (tests/model/lease.pml), checked by spin in every order of steps: and that it finds a lease without its
fence, or without the step before the token is sent."""

import re
import subprocess

import rig
from rig import check, test

MODEL = rig.ROOT / "tests" / "model" / "lease.pml"


def explored(t, *defines):
    """What spin's verifier found: errors, and the states that it saw."""
    rig.need("spin", "cc")
    folder = t.folder / "-".join(["model", *(d.replace("=", "") for d in defines)])
    folder.mkdir()

    def run(*argv):
        ran = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=600)
        check(ran.returncode == 0, f"{argv}: {ran.stdout}{ran.stderr}")
        return ran.stdout

    run("spin", *(f"-D{d}" for d in defines), "-a", MODEL)
    run("cc", "-w", "-O2", "-DSAFETY", "-DCOLLAPSE", "-o", "pan", "pan.c")
    said = run("./pan", "-m1000000", "-w24")
    check("max search depth too small" not in said, said)
    errors, states = (int(re.search(pattern, said).group(1)) for pattern in (r"errors: (\d+)", r"(\d+) states, stored"))
    return errors, states, said


@test
def no_order_of_steps_spends_a_token_twice_or_loses_its_successor(t):
    for defines in ((), ("N=2", "TRIES=3", "KILLS=2")):
        errors, states, said = explored(t, *defines)
        check(errors == 0 and states > 100_000, said)
        rig.say(f"    {states} states, {' '.join(defines) or 'N=3'}: no error")


@test
def the_model_finds_a_lease_without_its_fence(t):
    for defines in (("NO_FENCE",), ("NO_MARK",)):
        errors, _, said = explored(t, *defines)
        check(errors > 0 and "assertion violated" in said, f"{defines}: {said}")


if __name__ == "__main__":
    rig.main(globals())

#!/usr/bin/env python3
"""The recipe for Hurl with Hurl itself, which Debian 12 has not got: `cargo install hurl`. A part that is run by name alone."""

import re
import shutil

import rig
import strict
from helpers import Cluster, recipe, run
from rig import check, same, test


@test
def hurl_has_the_token_and_does_not_show_it(t):
    program = shutil.which("hurl")
    if not program:
        raise rig.Skip("hurl is not there: cargo install hurl")
    server = strict.serve(t, expires_in=3600)
    home = strict.logged_in(t, server)
    api = Cluster(t, lambda token: token == server.newest())
    (home.folder / "me.hurl").write_text(recipe("GET https", **{"api.example.com/me": f"{api.host}/"}))
    line = re.search("`(oauthctl run work .*hurl me.hurl)`", (rig.ROOT / "src/command/topics/recipes.md").read_text())[1]
    line = line.replace("run work", "run strict").replace("-- hurl", f"-- {program} --very-verbose --cacert {rig.pki() / 'ca.crt'}")
    done = run(home, "sh", "-c", line).expect(0, out=r"v1\.30\.0")
    same(api.seen, [f"Bearer {server.newest()}"], "headers")
    check(server.newest() not in done.out + done.err, "the token should be left out")


rig.main(globals())

#!/usr/bin/env python3
"""`call` against real components: curl and a shell, nginx with TLS, npm's `oidc-provider`, a server that counts."""

import hashlib
import json
import os
import re
import subprocess
import time

import rig
from pages import Api
from rig import check, same, test

TOKEN = "a-token-of-the-tests-0123456789"


def with_token(t, **env):
    return t.home(OAUTHCTL_STORE="environment", OAUTHCTL_RIG_TOKEN=TOKEN, **env)


@test
def the_line_of_a_dry_run_runs_in_a_shell_and_sends_the_same_request(t):
    rig.need("curl")
    api = Api(t)
    home = api.provider(with_token(t))
    body = {"name": "it's $(id) `id` \\ \"x\"\nü", "n": 1}
    call = ["call", "rig", "POST", "/x", f"name={body['name']}", "n:=1", "q==a b&c", "X-A:b  c"]
    line = home.run(*call, "--dry-run").expect(0).out
    same(api.asked, 0, "requests of a dry run")
    check(TOKEN not in line, "the token stands in the line")
    home.run(*call).expect(0)
    path = f"{os.path.dirname(rig.program())}:{os.environ['PATH']}"
    ran = subprocess.run(["sh", "-c", line], env={**home.env, "PATH": path}, capture_output=True, text=True, timeout=rig.PATIENCE)
    same((ran.returncode, ran.stdout), (0, api.page(1).decode()), "what curl printed")
    ours, curls = api.seen
    same([curls[0], curls[1], curls[3]], [ours[0], ours[1], ours[3]], "method, address and body")
    same(json.loads(ours[3]), body, "the body")
    for name in ("authorization", "content-type", "accept", "x-a"):
        header = {n.lower(): v for n, v in curls[2].items()}.get(name)
        same(header, {n.lower(): v for n, v in ours[2].items()}.get(name), f"the header {name}")


@test
def what_a_dry_run_prints_is_sent_by_curl_as_we_send_it(t):
    rig.need("curl")
    api = Api(t)
    home = api.provider(with_token(t), 'api.pages.size-param = "perPage"\napi.pages.size = 50')
    files = t.folder / "files"
    files.mkdir()
    (files / "t.json").write_text('{"a":1}')
    odd = files / 'a;b,"c\\.csv'
    odd.write_text("x,y\n")
    (files / "u.json").write_text('{"u":1}')
    path = f"{os.path.dirname(rig.program())}:{os.environ['PATH']}"
    for call in (
        ["DELETE", "/x/[1-3]?y={a,b}"],
        ["/x/", "-d", f"@{files}/t.json"],
        ["PUT", "/x/", "--input", f"{files}/t.json"],
        ["POST", "/x"],
        ["PATCH", "/x", "X-Empty;"],
        ["/x", "Content-Type:", "a=1"],
        ["/x", "User-Agent:", "Accept:"],
        ["/x", "--form", "a=\\@b", "c=d e"],
        ["/x", "t=plain;type=x", "t2=\\@no-file", f"f@{files}/u.json", f"g@{odd}", f"h@{files}/t.json;type=text/x-h"],
        ["/list", "--paginate", "--limit", "3"],
        ["/x", "-i"],
        ["/x", "-o", f"{t.folder}/out; file"],
    ):
        line = home.run("call", "rig", *call, "--dry-run").expect(0).out
        asked = api.asked
        ours_ran = home.run("call", "rig", *call).expect(0)
        into = t.folder / "out; file"
        ours_file = into.read_bytes() if into.exists() else None
        into.unlink(missing_ok=True)
        ran = subprocess.run(["sh", "-c", line], env={**home.env, "PATH": path}, capture_output=True, text=True, timeout=rig.PATIENCE)
        same((ran.returncode, api.asked - asked), (0, 2), f"curl's end, and the requests of both, for {call}: {ran.stderr}")
        same(into.read_bytes() if into.exists() else None, ours_file, f"the file that {call} makes")
        into.unlink(missing_ok=True)
        if "-i" in call:
            check(ran.stdout.startswith("HTTP/1.1 200 OK") and ours_ran.out.startswith("HTTP/1.1 200"), "the headers come along")
        elif "--paginate" not in call:
            same(ran.stdout, ours_ran.out, f"what {call} prints")
        ours, curls = (as_sent(*seen) for seen in api.seen[-2:])
        same(curls, ours, f"the request of {call}")


def as_sent(method, path, headers, body):
    """A request without what differs from one client, or one run, to the next."""
    headers = {name.lower(): value for name, value in headers.items()}
    for name in ("host", "accept-encoding", "connection", "expect"):
        headers.pop(name, None)
    if "user-agent" in headers:
        headers["user-agent"] = "somebody"
    kind, _, boundary = headers.get("content-type", "").partition("boundary=")
    if boundary:
        body, headers["content-type"] = body.replace(boundary.encode(), b"BOUNDARY"), kind
        headers.pop("content-length")
    return method, path, headers, body


@test
def standard_input_that_is_a_file_is_sent_again_from_where_it_stood(t):
    server = t.scripted()
    home = with_token(t)
    home.provider("rig", server.provider_file())
    again = rig.answer(200, {"ok": True})
    server.on["/v1/x"] = lambda _: again if len(server.to("/v1/x")) > 1 else rig.answer(503, {"message": "later"})
    head, rest = "a line that was read\n", "0123456789abcdef" * (128 << 10)
    file = t.folder / "body"
    file.write_text(head + rest)
    with file.open("rb", buffering=0) as body:
        body.seek(len(head))
        argv = ["call", "rig", "PUT", "/x", "--input", "-"]
        home.collect(home.start(*argv, stdin=body), *argv).expect(0)
        same(body.tell(), len(head + rest), "where the next reader of the same input begins")
    same([r.body == rest for r in server.to("/v1/x")], [True, True], "whether each attempt had it whole")


@test
def four_processes_keep_a_limit_of_four_a_second_without_one_429(t):
    # over five seconds: on a busy machine what leaves evenly arrives less so
    api = Api(t, limit=20, frame=5.0)
    home = api.provider(with_token(t), "limits.per-second = 4")
    unlimited = Api(t).provider(with_token(t))

    def ten(home):
        for _ in range(10):
            home.run("call", "rig", "/x").expect(0)

    def forty(home):
        started = time.monotonic()
        rig.parallel(4, 4, lambda _: ten(home))
        return time.monotonic() - started

    took = forty(home)
    same((api.asked, api.refused), (40, 0), "requests, and how many were refused")
    slots = 39 * 1.1 / 4
    check(took > 39 / 4, f"forty requests in {took:.1f} s")
    beside = forty(unlimited)
    check(took < slots + 3 + 2 * beside, f"it should not be slower than it must: {took:.1f} s, and {beside:.1f} s without a limit")


@test
def a_process_that_is_killed_holds_nobody_up(t):
    api = Api(t, delay=0.2)
    home = api.provider(with_token(t), "limits.per-second = 50")
    for _ in range(10):
        process = home.start("call", "rig", "/x")
        time.sleep(0.02)
        process.kill()
        process.wait()
    rig.soon(3, lambda: home.run("call", "rig", "/x").expect(0))


@test
def pages_side_by_side_come_in_order_over_few_connections(t):
    api = Api(t, pages=200, size=3, delay=0.01, together=10)
    home = api.provider(with_token(t), "limits.parallel = 10")
    ran = home.run("call", "rig", "/list", "--paginate", "--jq", ".id").expect(0)
    same(ran.out.split(), [str(n) for n in range(1, 601)], "the records")
    same(api.most, 10, "pages at a time")
    # a page that is asked for before the last connection is back in the pool takes one more
    check(api.connections < 50, f"{api.connections} connections for 200 pages")


@test
def where_no_thread_can_be_started_pages_come_one_after_the_other(t):
    rig.need("strace")
    api = Api(t, pages=20, size=3)
    home = api.provider(with_token(t), "limits.parallel = 10")
    for nth in (1, 2, 4):  # none at all, or some
        under = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject=clone,clone3:error=EAGAIN:when={nth}+"]
        ran = home.run("call", "rig", "/list", "--paginate", "--jq", ".id", under=under).expect(0)
        same(ran.out.split(), [str(n) for n in range(1, 61)], "the records")
        same(ran.err, "", "what is said of it")
    # a body out of a pipe needs one
    send = ["call", "rig", "POST", "/x", "--input", "-"]
    home.run(*send, stdin="x" * (2 << 20), under=under[:-1] + ["inject=clone,clone3:error=EAGAIN"]).expect(
        75, err=["the body can't be read: no thread can be started for it", "hint: "]
    )


@test
def a_server_of_http_2_is_spoken_to_in_1_1(t):
    rig.need("curl")
    site = t.nginx("location / { return 200 '{\"protocol\":\"$server_protocol\"}'; }", listen="ssl http2")
    ca = rig.pki() / "ca.crt"
    both = subprocess.run(["curl", "-sS", "--http2", "--cacert", ca, f"{site}/x"], capture_output=True, text=True, timeout=rig.PATIENCE)
    same(both.stdout, '{"protocol":"HTTP/2.0"}', "what the server speaks with curl")
    home = with_token(t, SSL_CERT_FILE=ca)
    home.provider("rig", f'id = "rig"\ntoken.url = "{site}/token"\napi.base-url = "{site}"\n')
    same(home.run("call", "rig", "/x").expect(0).out, '{"protocol":"HTTP/1.1"}', "and with us")


@test
def a_download_that_was_killed_goes_on_where_it_stopped(t):
    folder = t.folder / "files"
    folder.mkdir()
    data = os.urandom(1 << 20) * 64
    (folder / "big").write_bytes(data)
    site = t.nginx(f"root {folder}; limit_rate 12m;")
    home = with_token(t, SSL_CERT_FILE=rig.pki() / "ca.crt")
    home.provider("rig", f'id = "rig"\ntoken.url = "{site}/token"\napi.base-url = "{site}"\n')
    target = t.folder / "got"
    process = home.start("call", "rig", "/big", "-o", str(target))
    part = t.folder / "got.part"
    rig.wait_until(lambda: part.exists() and part.stat().st_size > 8 << 20, "some megabytes")
    process.kill()
    process.wait()
    check(not target.exists(), "half a file must not have the file's name")
    home.run("call", "rig", "/big", "-o", str(target)).expect(0)
    same(hashlib.sha256(target.read_bytes()).hexdigest(), hashlib.sha256(data).hexdigest(), "the file")
    # nginx writes it down after the last byte has left
    statuses = lambda: re.findall(r'" (\d{3}) ', (t.folder / "nginx" / "access.log").read_text())
    rig.wait_until(lambda: len(statuses()) == 2, "the line of the second request")
    same(statuses()[-1], "206", "the status of the second request")
    same(sorted(p.name for p in t.folder.glob("got*")), ["got"], "files left")


@test
def what_is_large_goes_up_and_down_in_little_memory(t):
    rig.need("time")
    folder = t.folder / "files"
    folder.mkdir()
    size = 128 << 20
    with (folder / "big").open("wb") as file:
        file.truncate(size)
    (folder / "small").write_text("a")
    site = t.nginx(f"root {folder}; client_max_body_size 0; location /up/ {{ dav_methods PUT; create_full_put_path on; }}")
    home = with_token(t, SSL_CERT_FILE=rig.pki() / "ca.crt")
    home.provider("rig", f'id = "rig"\ntoken.url = "{site}/token"\napi.base-url = "{site}"\n')
    measure = ["/usr/bin/time", "-f", "%M KiB"]
    down = home.run("call", "rig", "/big", "-o", str(t.folder / "got"), under=measure).expect(0)
    same((t.folder / "got").stat().st_size, size, "bytes that came down")
    up = home.run("call", "rig", "PUT", "/up/big", "--input", str(folder / "big"), under=measure).expect(0)
    same((folder / "up" / "big").stat().st_size, size, "bytes that went up")
    parts = home.run("call", "rig", "PUT", "/up/parts", f"file@{folder}/big", under=measure).expect(0)
    check((folder / "up" / "parts").stat().st_size > size, "the parts should have gone up")
    held = lambda ran: int(re.search(r"(\d+) KiB", ran.err)[1]) * 1024 / 1e6
    # a program with its debug information in it holds more to begin with; `tests/bench throughput` has the sum
    usual = held(home.run("call", "rig", "/small", "-o", str(t.folder / "got"), under=measure).expect(0))
    for what, ran in (("down", down), ("up", up), ("up in parts", parts)):
        check(held(ran) < usual + 3, f"{held(ran):.1f} MB held on the way {what}, {usual:.1f} MB for one byte")


@test
def a_body_that_is_too_large_for_nginx_is_refused_in_its_words(t):
    # with `lingering_close off` nginx resets the connection as soon as it has answered
    refusing = "lingering_close off; client_max_body_size 1m; location / { proxy_pass http://127.0.0.1:1; }"
    site = t.nginx(refusing)
    home = with_token(t, SSL_CERT_FILE=rig.pki() / "ca.crt")
    home.provider("rig", f'id = "rig"\ntoken.url = "{site}/token"\napi.base-url = "{site}"\n')
    with (t.folder / "big").open("wb") as file:
        file.truncate(256 << 20)
    for method in ("PUT", "POST") * 5:
        ran = home.run("call", "rig", method, "/x", "--input", str(t.folder / "big"))
        ran.expect(22, out="413 Request Entity Too Large", err="the API answered 413")


@test
def a_kept_answer_of_nginx_is_asked_about_by_its_etag(t):
    folder = t.folder / "files"
    folder.mkdir()
    (folder / "f").write_text('{"a":1}')
    site = t.nginx(f"root {folder}; add_header Content-Disposition 'attachment; filename=\"../a b.json\"';")
    home = with_token(t, SSL_CERT_FILE=rig.pki() / "ca.crt")
    home.provider("rig", f'id = "rig"\ntoken.url = "{site}/token"\napi.base-url = "{site}"\n')
    statuses = lambda: re.findall(r'" (\d{3}) ', (t.folder / "nginx" / "access.log").read_text())
    no_older = lambda age: home.run("call", "rig", "/f", "--cache", age).expect(0).out
    same([no_older("1h"), no_older("1h")], ['{"a":1}'] * 2, "the answer, and the kept one")
    time.sleep(2.1)
    same(no_older("1s"), '{"a":1}', "the answer that still holds")
    rig.wait_until(lambda: statuses() == ["200", "304"], "one answer, and one word that it still holds")
    (folder / "f").write_text('{"a":22}')
    time.sleep(2.1)
    same(no_older("1s"), '{"a":22}', "the new answer")
    for name in ("a b.json", "a b-1.json"):
        home.run("call", "rig", "/f", "-o", f"{t.folder}/").expect(0, err=f"written to `{t.folder}/{name}`")
        same((t.folder / name).read_text(), '{"a":22}', "the file")


@test
def the_recorded_results_of_jq_are_those_of_the_real_one(t):
    rig.need("node")
    rig.need_modules("jq")
    lines = (rig.HERE.parent / "vectors" / "jq.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    # these end jq, ask its surroundings, or are missing from WebAssembly's library of mathematics
    other = re.compile(r"halt|input|debug|stderr|get_search_list|^gamma$")
    compared = [row for row in rows if not other.search(row[0])]
    given = json.dumps([row[:2] for row in compared])
    ran = subprocess.run(["node", rig.HERE / "jq" / "results.mjs"], input=given, capture_output=True, text=True, timeout=rig.PATIENCE)
    same((ran.returncode, ran.stderr), (0, ""), "how jq ended")
    results = ran.stdout.split("\n")[:-1]
    for (code, given, wanted, *_), result in zip(compared, results, strict=True):
        same(result, wanted, f"the results of {code} for {given}")
    check(len(compared) > 500, f"only {len(compared)} expressions")


@test
def a_hundred_calls_with_a_token_that_is_refused_cause_one_renewal(t):
    op, api = t.oidc_provider(access_ttl=3600), t.scripted()
    home = t.home(OAUTHCTL_STORE="file")
    home.provider("rig", op.provider_file().replace(f'base-url = "{op.http}"', f'base-url = "{api.base}/v1"'))
    home.run("login", "rig", "--client-id", "public", env={"BROWSER": t.browser()}).expect(0)
    old = home.run("token", "rig").expect(0).token

    def me(asked):
        refused = asked.header("authorization") == f"Bearer {old}"
        return rig.answer(401, {"error": "invalid_token"}) if refused else rig.answer(200, {"sub": "alice"})

    api.on["/v1/x"] = me
    ran = rig.parallel(100, 25, lambda _: home.run("call", "rig", "/x"))
    same({(r.code, r.out) for r in ran}, {(0, '{"sub": "alice"}')}, "what the calls ended with")
    same(len(op.token_requests("refresh_token")), 1, "renewals")


@test
def each_shape_of_error_is_told_in_one_line_and_stays_whole(t):
    server = t.scripted()
    home = with_token(t)
    home.provider("rig", server.provider_file())
    for body, says in (
        ({"error": "invalid_request", "error_description": "no"}, "invalid_request: no"),
        ({"httpStatus": 404, "code": 1013, "message": "Resource not found"}, "1013: Resource not found"),
        ({"error": {"code": 409, "message": "taken"}}, "409: taken"),
        ([{"error_key": "contacts.api.conflict", "error_message": "there already"}], "contacts.api.conflict: there already"),
    ):
        server.on["/v1/x"] = rig.answer(409, body)
        ran = home.run("call", "rig", "/x").expect(22)
        same((json.loads(ran.out), ran.err), (body, f"error: the API answered 409\ncaused by: {says}\n"), "what was said")


rig.main(globals())

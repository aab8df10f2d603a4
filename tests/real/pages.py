"""A server of pages that counts what it is asked, for the tests of `call` and for the benchmark."""

import contextlib
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

# Seconds that requests are waited for which never come; whoever asked is told so by what it got.
PATIENCE = 60


class Api:
    """A server of pages: `pages` of them with `size` records each, `delay` seconds to an answer, at most `limit` requests in any
    `frame` seconds; keeps connections open. `together`: all but the first page are held back until it has been asked for so many
    at a time."""

    def __init__(self, t, pages=1, size=1, delay=0.0, limit=None, frame=1.0, together=1):
        api = self
        self.asked, self.refused, self.connections, self.most, self.now = 0, 0, 0, 0, 0
        self.recent, self.lock = deque(), threading.Lock()
        self.seen = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one piece: the kernel would hold the second one back

            def setup(self):
                super().setup()
                api.connections += 1

            def log_message(self, *_):
                pass

            def do_GET(self):
                status, headers, body = api.answer(self)
                self.send_response(status)
                for name, value in {**headers, "Content-Type": "application/json", "Content-Length": len(body)}.items():
                    self.send_header(name, str(value))
                with contextlib.suppress(OSError):  # whoever was killed reads no answer
                    self.end_headers()
                    self.wfile.write(body)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        self.pages, self.size, self.delay, self.limit, self.frame = pages, size, delay, limit, frame
        self.together, self.gathered = together, threading.Event()
        ThreadingHTTPServer.request_queue_size = 256
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        t._stack.callback(self.server.shutdown)

    def answer(self, request):
        page = int(parse_qs(urlsplit(request.path).query).get("page", ["1"])[0])
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        with self.lock:
            now = time.monotonic()
            self.asked += 1
            self.now += 1
            self.most = max(self.most, self.now)
            while self.recent and now - self.recent[0] >= self.frame:
                self.recent.popleft()
            over = self.limit and len(self.recent) >= self.limit
            if over:
                self.refused += 1
            else:
                self.recent.append(now)
            self.seen.append((request.command, request.path, dict(request.headers), body))
            if self.most >= self.together:
                self.gathered.set()
        if page > 1:
            self.gathered.wait(PATIENCE)
        time.sleep(self.delay)
        with self.lock:
            self.now -= 1
        if over:
            return 429, {"Retry-After": "1"}, b"{}"
        return 200, {"X-Pages": self.pages}, self.page(page)

    def page(self, page):
        first = (page - 1) * self.size
        records = (f'{{"id":{first + n},"name":"record {first + n}","tags":["a","b"]}}' for n in range(1, self.size + 1))
        return ("[" + ",".join(records) + "]").encode()

    def provider(self, home, more=""):
        home.provider("rig", f"""\
id = "rig"
name = "an API of pages"
token.url = "{self.base}/token"
api.base-url = "{self.base}"
api.pages.by = "page"
api.pages.total-header = "X-Pages"
{more}
""")  # fmt: skip
        return home

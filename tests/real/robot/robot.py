"""A browser without a window: walks from the address it is given through login and consent to the redirect, as a person
would, over plain HTTP with forms, cookies and nothing else. A login takes it a tenth of a second; `chromium.mjs` is the real
thing, and takes three.

    robot.py URL

It knows any page made of ordinary forms: those of the sandbox (buttons named `decision`) and of npm's oidc-provider. It goes
to loopback addresses only. What it does is told by the environment:

    ROBOT_ACTION    approve (default), deny, leave (opens the page and does nothing more)
    ROBOT_DELIVER   what reaches the redirect address, in order, separated by commas: `real` (default), `state`, `no-state`,
                    `iss`, `code` (that one changed), `junk` (bytes that are no HTTP), `favicon`; `show`: prints the redirect
                    instead of going there, for a person to paste
    ROBOT_CA        a file of certificates to trust
    ROBOT_CONFIRM   set: a person who tells the browser to go on where the redirect's certificate was made on the spot
    ROBOT_LOG       a file that gets one JSON object per step

Exit code 0: the last redirect was delivered, or shown. The answers of the redirect address are in the log (`says`).
"""

import html.parser
import http.client
import json
import os
import re
import socket
import ssl
import sys
import time
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

ACTION = os.environ.get("ROBOT_ACTION", "approve")
DELIVER = os.environ.get("ROBOT_DELIVER", "real").split(",")
LONGEST_WALK = 25
TIMEOUT = 90

YES = re.compile(r"^(allow|approve|accept|yes)$", re.I)
NO = re.compile(r"^(deny|refuse|no)$", re.I)


def log(**step):
    if path := os.environ.get("ROBOT_LOG"):
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"at": round(time.time(), 3), **step}, ensure_ascii=False) + "\n")


class Page(html.parser.HTMLParser):
    """The forms and links of a page."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.links, self._form, self._link = [], [], None, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        a = {name: value or "" for name, value in attributes}
        if tag == "form":
            self._form = {"action": a.get("action", ""), "method": a.get("method", "get").lower(), "fields": []}
            self.forms.append(self._form)
        elif tag in ("input", "button") and self._form is not None:
            kind = a.get("type", "submit" if tag == "button" else "text")
            self._form["fields"].append({"name": a.get("name"), "kind": kind, "value": a.get("value", "")})
        elif tag == "a":
            self._link = {"href": a.get("href", ""), "text": ""}
            self.links.append(self._link)

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None
        elif tag == "a":
            self._link = None

    def handle_data(self, data):
        if self._link is not None:
            self._link["text"] += data


class Browser:
    """Cookies, one request at a time, no redirect followed by itself."""

    def __init__(self):
        self._cookies = {}
        self._at = None
        self._tls = ssl.create_default_context(cafile=os.environ.get("ROBOT_CA") or None)

    def go_on_whatever_the_certificate(self):
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE

    def connect(self, url):
        if url.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise SystemExit(f"robot: {url.geturl()} is not on this machine")
        if url.scheme == "https":
            return http.client.HTTPSConnection(url.hostname, url.port, timeout=TIMEOUT, context=self._tls)
        return http.client.HTTPConnection(url.hostname, url.port, timeout=TIMEOUT)

    def go(self, method, address, form=None):
        url = urlsplit(address)
        headers = {"Accept": "text/html", "User-Agent": "oauthctl-tests-robot"}
        path = url.path or "/"
        cookies = [f"{n}={v}" for (host, at, n), v in self._cookies.items() if host == url.hostname and path.startswith(at)]
        if cookies:
            headers["Cookie"] = "; ".join(cookies)
        if self._at and origin(self._at) == origin(address):
            headers["Referer"] = self._at
            if method == "POST":
                headers["Origin"] = f"{url.scheme}://{url.netloc}"
        body = None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(form)
        connection = self.connect(url)
        connection.request(method, path + (f"?{url.query}" if url.query else ""), body, headers)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            self._keep(url.hostname, cookie)
        connection.close()
        to = answer.headers.get("Location")
        if not to:
            self._at = address
        log(method=method, url=address, status=answer.status, location=to)
        return answer.status, to and urljoin(address, to), text

    def _keep(self, host, cookie):
        pair, *attributes = [part.strip() for part in cookie.split(";")]
        name, _, value = pair.partition("=")
        path = next((a[5:] for a in attributes if a.lower().startswith("path=")), "/")
        ended = any(a.lower() == "max-age=0" or a.lower().startswith("expires=thu, 01 jan 1970") for a in attributes)
        if ended:
            self._cookies.pop((host, path, name), None)
        else:
            self._cookies[host, path, name] = value


def origin(address):
    url = urlsplit(address)
    return url.scheme, url.hostname, url.port


def words(text):
    text = re.sub(r"(?s)<(script|style|title).*?</\1>|<[^>]+>", " ", text)
    return re.sub(r"\s+", " ", text).strip()


def another(value):
    """As long, and never the same."""
    return ("y" if value.startswith("x") else "x") + value[1:]


def changed(redirect, how):
    url = urlsplit(redirect)
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    if how == "state":
        query["state"] = another(query.get("state", ""))
    elif how == "no-state":
        query.pop("state", None)
    elif how == "iss":
        query["iss"] = "https://other.example"
    elif how == "code":
        query["code"] = another(query.get("code", ""))
    elif how != "real":
        raise SystemExit(f"robot: ROBOT_DELIVER knows no `{how}`")
    return urlunsplit(url._replace(query=urlencode(query)))


def deliver(browser, redirect, form=None):
    for how in DELIVER:
        url = urlsplit(redirect)
        if how == "show":
            log(shown=redirect)
            print(redirect)
        elif how == "junk":
            with socket.create_connection((url.hostname, url.port), TIMEOUT) as connection:
                connection.sendall(b"\x16\x03\x01\x00\x05hello")
            log(sent="junk")
        elif how == "favicon":
            browser.go("GET", urlunsplit(url._replace(path="/favicon.ico", query="")))
        else:
            # a page that posts the answer (`form_post`) has it in a form
            target = changed(redirect, how) if form is None else redirect
            status, to, text = browser.go("GET" if form is None else "POST", target, form)
            if to:  # the page of thanks stands at an address of its own
                status, _, text = browser.go("GET", to)
            log(delivered=how, status=status, says=words(text)[:400])
    return 0


def answer(page, form, here):
    """What a person does with a form: the fields filled in, or another address to go to instead."""
    fields = {f["name"]: f["value"] for f in form["fields"] if f["name"] and f["kind"] not in ("submit", "checkbox", "radio")}
    if ACTION == "deny":
        cancel = next((link["href"] for link in page.links if "cancel" in link["text"].lower()), None)
        if cancel:
            return None, urljoin(here, cancel)
    wanted = NO if ACTION == "deny" else YES
    for button in form["fields"]:
        if button["kind"] == "submit" and button["name"] and wanted.match(button["value"]):
            fields[button["name"]] = button["value"]
            break
    if "login" in fields:
        fields["login"], fields["password"] = "alice", "alice's password"
    return fields, None


def walk(address):
    browser, method, form = Browser(), "GET", None
    if urlsplit(address).path.startswith("/sign-in/"):  # the listener's own address, which leads on once
        status, to, text = browser.go("GET", address)
        if not to:
            print(f"robot: {status} at {address}: {words(text)[:400]}", file=sys.stderr)
            return 1
        address = to
    server = origin(address)
    for _ in range(LONGEST_WALK):
        if origin(address) != server:
            if os.environ.get("ROBOT_CONFIRM"):
                browser.go_on_whatever_the_certificate()
            return deliver(browser, address, form)
        status, to, text = browser.go(method, address, form)
        method, form = "GET", None
        if ACTION == "leave":
            return 0
        if to:
            address = to
            continue
        page = Page(text)
        if not page.forms:
            print(f"robot: {status} at {address}, and no form: {words(text)[:400]}", file=sys.stderr)
            return 1
        fields, elsewhere = answer(page, page.forms[0], address)
        if elsewhere:
            address = elsewhere
            continue
        action = urljoin(address, page.forms[0]["action"])
        if page.forms[0]["method"] == "post":
            address, method, form = action, "POST", fields
        else:
            address = urlunsplit(urlsplit(action)._replace(query=urlencode(fields)))
    print(f"robot: still no redirect after {LONGEST_WALK} steps", file=sys.stderr)
    return 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    try:
        sys.exit(walk(sys.argv[1]))
    except (OSError, http.client.HTTPException) as error:
        log(error=repr(error))
        print(f"robot: {error!r}", file=sys.stderr)
        sys.exit(1)

"""The WSGI application of `hxm serve`: read-only, and it never waits for the cluster."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from hxm.output import as_json
from hxm.policy import duration
from hxm.web import metrics
from hxm.web.auth import MINUTE, Gate
from hxm.web.page import login_page, page, policy
from hxm.web.snapshot import Snapshot, SnapshotPoller

Headers = list[tuple[str, str]]

_ALWAYS: Headers = [
    ("Cache-Control", "no-store"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
]
_HTML = "text/html; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"
_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_GONE = "503 Service Unavailable"


class Reply(NamedTuple):
    """A status line, a body, its type, and headers that are not always there."""

    status: str
    body: str
    type: str = _TEXT
    headers: tuple[tuple[str, str], ...] = ()


class Site:
    """The pages; with a gate only for those that it lets in, and without one only for this host."""

    def __init__(
        self, poller: SnapshotPoller, gate: Gate | None = None, own: Iterable[str] = ()
    ) -> None:
        """`own`: this host's names in a URL, apart from localhost."""
        self._poller, self._gate = poller, gate
        self._local = {*_LOCAL, *(name.lower() for name in own)}
        self._csp = ("Content-Security-Policy", f"{policy()}; frame-ancestors 'none'")
        self._made: dict[str, tuple[object, Reply]] = {}
        self._making = {path: threading.Lock() for path in _PAGES}

    def __call__(
        self, environ: dict[str, Any], start: Callable[[str, Headers], object]
    ) -> Iterable[bytes]:
        """Answer one request, as WSGI (PEP 3333) asks for it."""
        answer = self._answer(environ)
        body = answer.body.encode("utf-8", "replace")
        own = [("Content-Type", answer.type), ("Content-Length", str(len(body))), self._csp]
        start(answer.status, [*own, *_ALWAYS, *answer.headers])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _answer(self, environ: dict[str, Any]) -> Reply:
        path, method = environ.get("PATH_INFO", "/"), environ["REQUEST_METHOD"]
        if self._gate and path == "/login" and method == "POST":
            return self._login(self._gate, environ)
        if method not in ("GET", "HEAD"):
            return Reply("405 Method Not Allowed", "only to be read\n", _TEXT, _READ_ONLY)
        if path == "/healthz":
            return _health(self._poller.known())
        if not self._gate and not self._is_local(environ.get("HTTP_HOST", "")):
            return Reply("403 Forbidden", "without a token this answers to localhost alone\n")
        if self._gate and not self._gate.lets_in(environ):
            if self._gate.is_tired_of(environ):
                return _TOO_MANY
            if path == "/":
                return Reply("401 Unauthorized", login_page(), _HTML, _ASK_FOR_TOKEN)
            return Reply("401 Unauthorized", "a token is needed\n", _TEXT, _ASK_FOR_TOKEN)
        if path not in _PAGES:
            return Reply("404 Not Found", f"there are: {' '.join(_PAGES)} /healthz\n")
        return self._made_once(path)

    def _is_local(self, host: str) -> bool:
        """Whether a browser on this host asks, and not one that a foreign name led here.

        (DNS rebinding: a page from anywhere could read what its own name, at 127.0.0.1, answers.)
        """
        return not self._local.isdisjoint((host.lower(), host.lower().rpartition(":")[0]))

    def _made_once(self, path: str) -> Reply:
        """However many ask within a second, what they get is made once."""
        known = self._poller.known()
        state = (known.looks, known.fault, int(known.age), known.picture.at)
        with self._making[path]:
            made = self._made.get(path)
            if not made or made[0] != state:
                made = self._made[path] = (state, _PAGES[path](known))
        return made[1]

    @staticmethod
    def _login(gate: Gate, environ: dict[str, Any]) -> Reply:
        body = environ["wsgi.input"].read(4096).decode("utf-8", "replace")
        if gate.knows(parse_qs(body).get("token", [""])[0].strip(), environ):
            cookie = ("Set-Cookie", gate.cookie(environ))
            return Reply("303 See Other", "", _TEXT, (("Location", "./"), cookie))
        if gate.is_tired_of(environ):
            return _TOO_MANY
        complaint = "That is not the token."
        return Reply("401 Unauthorized", login_page(complaint), _HTML, _ASK_FOR_TOKEN)


_TOO_MANY = Reply(
    "429 Too Many Requests",
    f"too many wrong tokens from this address within {MINUTE} s\n",
    _TEXT,
    (("Retry-After", str(MINUTE)),),
)
_READ_ONLY = (("Allow", "GET, HEAD"),)
_ASK_FOR_TOKEN = (("WWW-Authenticate", 'Bearer realm="hxm"'),)


def _page(known: Snapshot) -> Reply:
    """200 even if the cluster is lost: the page says it, and no proxy puts its own in its place."""
    return Reply("200 OK", page(known, served=True), _HTML)


def _json(known: Snapshot) -> Reply:
    """What is no longer known to be so comes with 503: a program that reads no further is safe."""
    status = as_json.status_json(known.cluster, known.findings) if known.cluster else {}
    asked = {"at": known.at or None, "age": round(known.age, 3), "fault": known.fault or None}
    body = json.dumps({**status, "asked": asked}, indent=2, allow_nan=False) + "\n"
    return Reply(_GONE if known.fault else "200 OK", body, "application/json")


def _metrics(known: Snapshot) -> Reply:
    return Reply("200 OK", metrics.exposition(known), metrics.CONTENT_TYPE)


def _health(known: Snapshot) -> Reply:
    if not known.fault:
        return Reply("200 OK", "ok\n")
    seen = f"last seen {duration(known.age)} ago" if known.cluster else "never seen"
    return Reply(_GONE, f"the cluster cannot be asked, {seen}\n")


_PAGES: dict[str, Callable[[Snapshot], Reply]] = {
    "/": _page,
    "/status.json": _json,
    "/metrics": _metrics,
}

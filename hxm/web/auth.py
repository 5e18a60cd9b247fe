"""Authentication for `hxm serve`: a bearer token, or a cookie made from it."""

from __future__ import annotations

import hmac
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from hxm.errors import UsageError
from hxm.host.safe_files import read_start
from hxm.web.client_address import is_here, place_of

STAY = 12 * 3600
"""Seconds for which a browser stays logged in."""
MOST_WRONG, MINUTE = 10, 60
"""So many wrong tokens from one address within so many seconds are reported."""
_SHORTEST = 16
_MOST_PLACES = 1000
_NAME = "hxm"


def read_token(path: str) -> bytes:
    """The token in a file of root's or of this user's, which nobody but its group may read.

    Raises UsageError for a file that others may read or change, and for a token of less than 16
    characters; the message never shows the token.
    """
    make = f"make one: (umask 077; openssl rand -hex 24 >{path})"
    try:
        status = os.stat(path)
        token = read_start(path, 4096).strip()
    except OSError as error:
        raise UsageError(f"the token file {path} cannot be read: {error.strerror}", make) from None
    if status.st_uid not in (0, os.geteuid()):
        raise UsageError(f"the token file {path} belongs to somebody else", f"chown root {path}")
    if status.st_mode & 0o027:
        raise UsageError(
            f"others may read or change the token file {path}", f"chmod go-w,o-rwx {path}"
        )
    if len(token) < _SHORTEST or not token.isascii() or len(token.split()) != 1:
        raise UsageError(
            f"the token file {path} must hold one word of {_SHORTEST} characters or more", make
        )
    return token


class _Wrong(NamedTuple):
    """The wrong tokens from one place: since when, and how many."""

    since: float
    tokens: int


class Gate:
    """Lets in who has the token, always; forgets all cookies when the token changes.

    It compares in constant time. Wrong tokens are counted by where they come from: `say` is told of
    the first and of the MOST_WRONG-th within a MINUTE. They close the gate to nobody, because who
    guesses may share an address with others, as all do behind a proxy.
    """

    def __init__(
        self,
        token: bytes,
        say: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token, self._say, self._clock = token, say, clock
        self._wrong: dict[str, _Wrong] = {}
        self._counting = threading.Lock()

    def lets_in(self, environ: dict[str, Any]) -> bool:
        """Whether a request brings the token, or a cookie that is still good."""
        scheme, _, shown = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.knows(shown.strip(), environ)
        return any(map(self._proven, _cookies(environ.get("HTTP_COOKIE", ""))))

    def knows(self, shown: str, environ: dict[str, Any]) -> bool:
        """Whether it is the token; counts it if not."""
        known = hmac.compare_digest(shown.encode("utf-8", "replace"), self._token)
        if not known:
            self._count(_place(environ))
        return known

    def is_tired_of(self, environ: dict[str, Any]) -> bool:
        """Whether so many wrong tokens came from there that no page is made for the next."""
        wrong = self._wrong.get(_place(environ))
        return bool(wrong and wrong.tokens >= MOST_WRONG and self._clock() - wrong.since < MINUTE)

    def _count(self, place: str) -> None:
        now = self._clock()
        with self._counting:
            before = self._wrong.get(place)
            if not before or now - before.since >= MINUTE:
                before = _Wrong(now, 0)
                self._forget(now)
            wrong = self._wrong[place] = before._replace(tokens=before.tokens + 1)
        with suppress(OSError):  # a full disk, or nobody who reads
            if wrong.tokens == 1:
                self._say(f"a wrong token from {place}")
            elif wrong.tokens == MOST_WRONG:
                self._say(f"{MOST_WRONG} wrong tokens from {place} within {MINUTE} s")

    def _forget(self, now: float) -> None:
        """Keep few places: an attacker may have many."""
        for place in [place for place, wrong in self._wrong.items() if now - wrong.since >= MINUTE]:
            del self._wrong[place]
        while len(self._wrong) >= _MOST_PLACES:
            del self._wrong[next(iter(self._wrong))]

    def _proven(self, cookie: str) -> bool:
        until, _, proof = cookie.partition(".")
        return (
            until.isdecimal()
            and hmac.compare_digest(proof.encode(), self._proof(until).encode())
            and int(until) > time.time()
        )

    def cookie(self, environ: dict[str, Any]) -> str:
        """What the browser is to bring from now on, as the value of Set-Cookie.

        Behind a proxy that speaks TLS the browser never sends it otherwise. A client that claims
        to come through one deceives itself alone.
        """
        until = str(int(time.time()) + STAY)
        secure = "; Secure" if environ.get("HTTP_X_FORWARDED_PROTO") == "https" else ""
        return (
            f"{_NAME}={until}.{self._proof(until)}; Max-Age={STAY}; Path=/; "
            f"HttpOnly; SameSite=Strict{secure}"
        )

    def _proof(self, until: str) -> str:
        return hmac.new(self._token, f"hxm until {until}".encode(), "sha256").hexdigest()


def _place(environ: dict[str, Any]) -> str:
    """Where a request comes from: behind a proxy of this host, what that says of its client."""
    peer = environ.get("REMOTE_ADDR", "127.0.0.1")
    client = environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    if client and is_here(peer):
        with suppress(ValueError):
            return place_of(client)
    return place_of(peer)


def _cookies(header: str) -> Iterator[str]:
    """The values of the cookies of this name; other cookies are skipped.

    (http.cookies gives up at a value that it dislikes, and others of the same host set what they
    like.)
    """
    for cookie in header.split(";"):
        name, _, value = cookie.strip().partition("=")
        if name == _NAME:
            yield value

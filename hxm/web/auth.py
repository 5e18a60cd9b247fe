"""Authentication for `hxm serve`: a bearer token, or a cookie made from it."""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Iterator
from typing import Any

from hxm.errors import UsageError
from hxm.files import read_start

STAY = 12 * 3600
"""Seconds for which a browser that showed the token once is let in."""
_SHORTEST = 16
_NAME = "hxm"


def read_token(path: str) -> bytes:
    """The token in a file that nobody but its owner and group may touch.

    Raises UsageError for a file that others may read or change, and for a token of less than 16
    characters; what it is, is never said.
    """
    make = f"make one: (umask 077; openssl rand -hex 24 >{path})"
    try:
        mode = os.stat(path).st_mode
        token = read_start(path, 4096).strip()
    except OSError as error:
        raise UsageError(f"the token file {path} cannot be read: {error.strerror}", make) from None
    if mode & 0o027:
        raise UsageError(
            f"others may read or change the token file {path}", f"chmod go-w,o-rwx {path}"
        )
    if len(token) < _SHORTEST or not token.isascii() or len(token.split()) != 1:
        raise UsageError(
            f"the token file {path} must hold one word of {_SHORTEST} characters or more", make
        )
    return token


class Gate:
    """Compares in constant time, keeps nothing, and forgets all cookies when the token changes."""

    def __init__(self, token: bytes) -> None:
        self._token = token

    def lets_in(self, environ: dict[str, Any]) -> bool:
        """Whether a request brings the token, or a cookie that is still good."""
        scheme, _, shown = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.knows(shown.strip())
        return any(map(self._proven, _cookies(environ.get("HTTP_COOKIE", ""))))

    def _proven(self, cookie: str) -> bool:
        until, _, proof = cookie.partition(".")
        return (
            until.isdecimal()
            and hmac.compare_digest(proof.encode(), self._proof(until).encode())
            and int(until) > time.time()
        )

    def knows(self, shown: str) -> bool:
        """Whether it is the token."""
        return hmac.compare_digest(shown.encode("utf-8", "replace"), self._token)

    def cookie(self) -> str:
        """What the browser is to bring from now on, as the value of Set-Cookie."""
        until = str(int(time.time()) + STAY)
        return (
            f"{_NAME}={until}.{self._proof(until)}; Max-Age={STAY}; Path=/; "
            "HttpOnly; SameSite=Strict"
        )

    def _proof(self, until: str) -> str:
        return hmac.new(self._token, f"hxm until {until}".encode(), "sha256").hexdigest()


def _cookies(header: str) -> Iterator[str]:
    """The values of the cookies of this name, whatever stands beside them.

    (http.cookies gives up at a value that it dislikes, and others of the same host set what they
    like.)
    """
    for cookie in header.split(";"):
        name, _, value = cookie.strip().partition("=")
        if name == _NAME:
            yield value

"""Waitress as `hxm serve` uses it: one request for each connection, and a deadline for all of it.

Waitress reads and writes all connections in one thread and hands only whole requests to the others,
so slow clients hold nobody up. What it bounds is the silence of a client: one that sends a byte now
and then, or many requests and reads no answer, it serves as long as that likes.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterable
from typing import Any

from waitress import create_server
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser

from hxm.web.client_address import is_here, place_of

CONNECTIONS = 200
"""How many there may be at a time; the next waits until one of them has ended."""
CONNECTIONS_OF_ONE = 50
"""How many of these one address, or an IPv6 network, may have, unless it is one of this host."""
DEADLINE = 20
"""Seconds that a request and its answer may take together, to the nearest five."""
_NO_CLIENTS = 2  # what waitress counts among its connections: the socket that listens, and a pipe
_LIMITS: dict[str, Any] = {
    "threads": 4,
    "connection_limit": CONNECTIONS + _NO_CLIENTS,
    "channel_timeout": DEADLINE,
    "cleanup_interval": 5,
    "max_request_header_size": 16384,
    "max_request_body_size": 4096,
    "asyncore_use_poll": True,
    "clear_untrusted_proxy_headers": False,  # one of them is looked at, and trusted with nothing
    "ident": None,
}


class _OneRequest(HTTPRequestParser):  # type: ignore[misc]
    """A request after which the connection is closed, whatever its header asks for."""

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        self.headers["CONNECTION"] = "close"
        self.connection_close = True


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that ends DEADLINE seconds after it began: what a client does buys no time."""

    parser_class = _OneRequest

    @property
    def last_activity(self) -> float:
        began: float = self.creation_time
        return began

    @last_activity.setter
    def last_activity(self, _: float) -> None:
        pass


def server(
    application: Callable[[dict[str, Any], Any], Iterable[bytes]], listening: socket.socket
) -> Any:
    """Waitress's server for a WSGI application on a socket that listens already."""
    logging.basicConfig(format="hxm: %(message)s")
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a busy minute is no news
    made = create_server(application, sockets=[listening], **_LIMITS)

    def open_channel(
        server: Any, connection: socket.socket, address: Any, *rest: Any, **more: Any
    ) -> None:
        if _has_enough(server, address[0]):
            connection.close()
        else:
            _Channel(server, connection, address, *rest, **more)

    made.channel_class = open_channel
    return made


def _has_enough(server: Any, address: str) -> bool:
    if is_here(address):
        return False
    place = place_of(address)
    others = sum(place_of(channel.addr[0]) == place for channel in server.active_channels.values())
    return others >= CONNECTIONS_OF_ONE

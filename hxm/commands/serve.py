"""hxm serve: the status page, JSON and metrics over HTTP."""

from __future__ import annotations

import os
import signal
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

from hxm.cluster.lock_holder import HolderState
from hxm.cluster.transfers import Transfers
from hxm.commands.status import look
from hxm.config import read_config
from hxm.errors import DONE, Failed, UsageError
from hxm.host import programs
from hxm.output import render
from hxm.web.app import Site
from hxm.web.auth import Gate, read_token
from hxm.web.picture import paint
from hxm.web.snapshot import SnapshotPoller

if TYPE_CHECKING:
    from hxm.arguments.options import Listen, TokenFile


def run(listen: Listen = "127.0.0.1:9685", token_file: TokenFile = None) -> int:
    """Serve the status page, JSON and metrics to browsers and monitoring, read-only.

    `/` is the page of `hxm status -o html`, `/status.json` the output of `hxm status -o json`,
    `/metrics` is for Prometheus, and `/healthz` shows whether the data is current. Every address
    except loopback requires a token. If not run by root, it does not ask the toolstack. See SERVING
    THE STATUS PAGE in hxm(8).

    Example: `hxm serve`, or `hxm serve --listen 10.0.0.1:9685 --token-file /etc/hxm.token`.
    """
    from hxm.web.server import server

    address, host = _address(listen), _bracketed(listen.rpartition(":")[0])
    gate = Gate(read_token(token_file), render.note) if token_file else None
    if not gate and not ip_address(address[0]).is_loopback:
        raise UsageError(
            f"anyone who reaches {listen} could read everything: a token is required",
            "--token-file FILE, or an address of this host alone: --listen 127.0.0.1:9685",
        )
    config = read_config()
    local = os.geteuid() == 0
    transfers, holder = Transfers(config), HolderState(config)
    poller = SnapshotPoller(
        lambda: look(config, holder, local=local),
        render.note,
        lambda cluster: paint(cluster, config, local=local),
        lambda cluster: (
            {transfer.name: transfer.share for transfer in transfers.read(cluster)} if local else {}
        ),
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        site = Site(poller, gate, (host, _bracketed(address[0])))
        serving = server(site, _listening(address, listen))
        poller.start()
        where = f"http://{host}:{serving.effective_port}/"
        render.note(f"serving {where}{' to whoever has the token' if gate else ''}")
        serving.run()
    except KeyboardInterrupt:
        pass
    finally:
        programs.end_all()
    return DONE


def _address(listen: str) -> tuple[str, int]:
    """The numeric address and the port for HOST:PORT. Raises UsageError."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or len(port) > 5 or int(port) > 65535:
        raise UsageError(
            f"--listen takes HOST:PORT, not {listen[:60]!r}", "--listen 127.0.0.1:9685"
        )
    try:
        addresses = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UsageError(f"unknown host to listen on: {host!r}", "use its address") from None
    return str(addresses[0][4][0]), int(port)


def _bracketed(host: str) -> str:
    """The host as it stands in a URL."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _listening(address: tuple[str, int], listen: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    try:
        return socket.create_server(address, family=family, backlog=1024)
    except OSError as error:
        raise Failed(f"cannot listen on {listen}: {error.strerror}", "--listen HOST:PORT") from None

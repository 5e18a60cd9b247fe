"""A port that leads to another one, over a link with a delay: slow_link.py PORT TO MILLISECONDS.

Kernels of virtual machines often lack what `tc qdisc add ... netem delay` takes.
"""

from __future__ import annotations

import queue
import socket
import sys
import threading
import time
from contextlib import suppress


def _carry(source: socket.socket, target: socket.socket, delay: float) -> None:
    """What comes from the source reaches the target that many seconds later; so does its end."""
    under_way: queue.Queue[tuple[float, bytes]] = queue.Queue()

    def deliver() -> None:
        data = b"."
        while data:
            arrives, data = under_way.get()
            time.sleep(max(0.0, arrives - time.monotonic()))
            with suppress(OSError):
                target.sendall(data) if data else target.shutdown(socket.SHUT_WR)

    threading.Thread(target=deliver, daemon=True).start()
    data = b"."
    while data:
        try:
            data = source.recv(1 << 16)
        except OSError:
            data = b""
        under_way.put((time.monotonic() + delay, data))


def main(port: int, to: int, delay: float) -> None:
    """Serve until it is killed."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        while True:
            near = listening.accept()[0]
            far = socket.create_connection(("127.0.0.1", to))
            for source, target in ((near, far), (far, near)):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=_carry, args=(source, target, delay), daemon=True).start()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 1000)

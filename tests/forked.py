"""hxm without the start of a Python each time: it is forked from one that has loaded all of hxm.

What is forked has its own arguments, environment, folder and descriptors, may become another
program, and ends as hxm does. What a test starts by itself is a new Python, as in `tests/startup`.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import pkgutil
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any, NoReturn

READ_AT_START = ("LC_ALL", "PYTHONIOENCODING", "PYTHONUTF8", "PYTHONCOERCECLOCALE")
"""The variables that Python reads when it starts: with others than those here, it is started."""


def run(
    words: Sequence[str],
    env: Mapping[str, str],
    *,
    cwd: str | os.PathLike[str] = ".",
    timeout: float = 100,
    **options: Any,
) -> subprocess.CompletedProcess[bytes]:
    """What subprocess.run makes of hxm; where its options say nothing of stdin, that is empty."""
    argv = [sys.executable, "-m", "hxm", *words]
    if options or _read_at_start(env) != _read_at_start(os.environ):
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(
            argv, capture_output=True, env=env, cwd=cwd, timeout=timeout, check=False, **options
        )
    out, err, order = (os.fdopen(os.memfd_create("hxm"), "r+b", 0) for _ in range(3))
    ours, theirs = socket.socketpair()
    with out, err, order, ours, theirs:
        order.write(json.dumps([*words]).encode())
        order.write(b"\n" + json.dumps([os.path.abspath(cwd), {**env}]).encode())
        socket.send_fds(_server(), [b"!"], [file.fileno() for file in (out, err, order, theirs)])
        theirs.close()
        (pid,) = struct.unpack("i", ours.recv(4))
        ours.settimeout(timeout)
        try:
            (status,) = struct.unpack("i", ours.recv(4))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(argv, timeout) from None
        printed = [_all_of(file.fileno()) for file in (out, err)]
    return subprocess.CompletedProcess(argv, status, *printed)


def _read_at_start(env: Mapping[str, str]) -> dict[str, str]:
    return {name: env[name] for name in READ_AT_START if name in env}


def _all_of(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


@cache
def _server() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        server = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    atexit.register(server.wait)
    atexit.register(ours.close)
    return ours


def _serve(orders: socket.socket) -> NoReturn:
    import hxm

    for module in pkgutil.walk_packages(hxm.__path__, "hxm."):
        if module.name != "hxm.__main__":
            import_module(module.name)
    gc.collect()
    gc.freeze()
    with selectors.DefaultSelector() as selector:
        selector.register(orders, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is orders:
                    ended, data = _begin(orders)
                    selector.register(ended, selectors.EVENT_READ, data)
                else:
                    selector.unregister(key.fileobj)
                    _tell(key.fd, *key.data)


def _begin(orders: socket.socket) -> tuple[int, tuple[int, int]]:
    """Fork hxm: what becomes readable when it ends, its process, and who wants to know."""
    order, descriptors, *_ = socket.recv_fds(orders, 1, 4)
    if not order:
        os._exit(0)
    *files, answers = descriptors
    if not (pid := os.fork()):
        _become_hxm(*files)
    for file in files:
        os.close(file)
    os.write(answers, struct.pack("i", pid))
    return os.pidfd_open(pid), (pid, answers)


def _tell(ended: int, pid: int, answers: int) -> None:
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with suppress(BrokenPipeError):  # who waited has lost patience
        os.write(answers, struct.pack("i", status))
    os.close(answers)
    os.close(ended)


def _become_hxm(out: int, err: int, order: int) -> NoReturn:
    from hxm import cli
    from hxm.guard import xendomains

    words, where = map(json.loads, _all_of(order).splitlines())
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(where[0])
    os.environ.clear()
    os.environ.update(where[1])
    time.tzset()
    xendomains.ROOT = os.environ.get("HXM_ROOT", "")  # the one variable read when hxm is loaded
    sys.argv = [cli.__file__.replace("cli.py", "__main__.py"), *words]
    cli.main()


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))

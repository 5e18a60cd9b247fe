"""A guest's console, typed on as a person would, through a terminal of a host."""

from __future__ import annotations

import re
import time
from typing import Self

import pexpect
from hosts import BOOT, Host

DETACH = "\x1d"
"""Ctrl-], as in xl and hxm."""
SPECIAL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\r")


class Console:
    """What `hxm console nfs` or `hxm create -c FILE` opens on a host."""

    def __init__(self, host: Host, command: str, guest: str) -> None:
        self.prompt = f"{guest}:~ # "
        ssh, *options = host.ssh_argv("-tt")
        self.terminal = pexpect.spawn(
            ssh, [*options, command], timeout=BOOT, encoding="utf-8", echo=False
        )
        # what is typed before xl has set the terminal up is lost
        deadline = time.monotonic() + BOOT
        while not self._prompted(15):
            assert time.monotonic() < deadline, f"no prompt: {self.terminal.before}"
            self.terminal.send("\r")
        while self._prompted(3):
            pass

    def _prompted(self, seconds: float) -> bool:
        return self.terminal.expect_exact([self.prompt, pexpect.TIMEOUT], timeout=seconds) == 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.terminal.close(force=True)

    def type(self, line: str) -> str:
        """What the guest answers to a line."""
        self.terminal.send(f"{line}\r")
        self.terminal.expect_exact(line)
        self.terminal.expect_exact(self.prompt)
        return SPECIAL.sub("", self.terminal.before or "").strip("\n")

    def leave(self) -> int | None:
        """Detach; returns the exit status of the command that opened the console."""
        self.terminal.send(DETACH)
        self.terminal.expect(pexpect.EOF)
        self.terminal.close()
        return self.terminal.exitstatus

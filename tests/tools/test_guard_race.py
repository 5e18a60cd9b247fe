"""No call of a program fails while its guard comes and goes, unhurt or killed."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import threading
import time

import pytest

SECONDS = 8
"""How long it goes on. When the guard was one file, one of 1,000 calls failed."""


class Callers:
    """Threads that call xl as agents do, and what their calls ended with."""

    def __init__(self, host) -> None:
        self.host, self.over = host, False
        self.calls = 0
        self.wrong: list[object] = []
        self.threads = [threading.Thread(target=self._call) for _ in range(3)]

    def __enter__(self):
        for each in self.threads:
            each.start()
        return self

    def __exit__(self, *_) -> None:
        self.over = True
        for each in self.threads:
            each.join()

    def _call(self) -> None:
        while not self.over:
            ran = self.host.run("xl", "info")
            self.calls += 1
            if ran != (42, "[info]\n", ""):
                self.wrong.append(ran)


def compiled(host) -> None:
    """A program that is no script: one of the system's own, which says what it was told."""
    (host.xen.folder / "info.sh").write_text('echo "[info]"; exit 42\n')
    shutil.copy("/bin/sh", host.bin / "xl")


def script(host) -> None:
    """Debian's: it goes by its name."""
    lib = host.xen.folder / "lib"
    lib.mkdir()
    shutil.move(host.bin / "xl", lib / "xl")
    (lib / "wrapper").write_text(f'#!/bin/sh\nexec {lib}/"${{0##*/}}" "$@"\n')
    (lib / "wrapper").chmod(0o755)
    (host.bin / "xl").symlink_to(lib / "wrapper")


@pytest.mark.parametrize("kind", [script, compiled], ids=["script", "compiled"])
def test_every_call_finds_a_program(host, kind):
    kind(host)
    if kind is compiled:
        call = host.run

        def run(program, word):
            return call(program, str(host.xen.folder / f"{word}.sh"))

        host.run = run
    before = host.files()
    end = time.monotonic() + SECONDS
    with Callers(host) as callers:
        while time.monotonic() < end:
            host.xen.ok("guard", "install")
            host.xen.ok("guard", "remove")
    assert callers.wrong == []
    assert callers.calls > SECONDS
    assert host.files() == before


def test_what_is_killed_leaves_a_program_and_the_next_leaves_nothing(host):
    before = host.files()
    chance = random.Random(7)
    end = time.monotonic() + SECONDS
    with Callers(host) as callers:
        while time.monotonic() < end:
            for word in ("install", "remove"):
                argv = [host.bin / "hxm", "guard", word]
                process = subprocess.Popen(
                    argv,
                    env=host.xen.env,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
                time.sleep(chance.uniform(0.05, 0.6))
                if process.poll() is None:
                    os.killpg(process.pid, 9)
                process.wait()
    assert callers.wrong == []
    host.xen.ok("guard", "install")
    host.xen.ok("guard", "status")
    host.xen.ok("guard", "remove")
    assert host.files() == before

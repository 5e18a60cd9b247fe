"""The real xl and libxlutil of Debian's packages, unpacked and not installed.

A stand-in for the hypervisor is loaded before the libraries: `xl create -n` wants no more of it to
print what it has read, as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "xl"
PACKAGES = (
    "xen-utils-4.17", "libxenmisc4.17", "libxenstore4", "libxentoollog1", "libxentoolcore1",
    "libxencall1", "libxenevtchn1", "libxenforeignmemory1", "libxengnttab1", "libxenhypfs1",
    "libxendevicemodel1", "xen-utils-common", "libyajl2", "libnl-3-200", "libnl-route-3-200",
)  # fmt: skip


def available() -> bool:
    """Whether the packages have been unpacked."""
    return (CACHE / "nohv.so").exists()


def unpack() -> None:
    """Fetch the packages, if they are not there yet. Raises CalledProcessError."""
    if available():
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "-qq", "download", *PACKAGES], cwd=CACHE, check=True)
    for package in CACHE.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(package), str(CACHE / "root")], check=True)
    source, stand_in = str(HERE / "nohv.c"), str(CACHE / "nohv.so")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", stand_in, source], check=True)


def files() -> list[Path]:
    """The examples of Debian's package, and files as generators and people write them."""
    return sorted([*CACHE.glob("root/etc/xen/xlexample.*"), *(HERE / "files").glob("*.cfg")])


def libraries() -> Path:
    (found,) = (path.parent for path in CACHE.glob("root/usr/lib/*/libxlutil.so.4.17"))
    return found


def environment() -> dict[str, str]:
    stand_in = {"LD_LIBRARY_PATH": str(libraries()), "LD_PRELOAD": str(CACHE / "nohv.so")}
    return {**os.environ, **stand_in}


def dry_run(path: Path, more: Iterable[str] = ()) -> tuple[dict[str, Any] | None, str]:
    """What `xl create -n` makes of a file, or None if it refuses it; and its errors."""
    xl = str(CACHE / "root/usr/lib/xen-4.17/bin/xl")
    ran = subprocess.run(
        [xl, "create", "-n", str(path), *more],
        env=environment(),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=20,
    )
    return (None if ran.returncode else json.loads(ran.stdout)), ran.stderr


def dry_line(words: Iterable[str], folder: Path) -> dict[str, Any] | None:
    """What xl would do by a command line, typed in this folder; None if it refuses it."""
    xl = str(CACHE / "root/usr/lib/xen-4.17/bin/xl")
    ran = subprocess.run(
        [xl, "-N", *(os.fsencode(word) for word in words)],
        env=environment(),
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=20,
    )
    text = ran.stdout.decode("utf-8", "replace")
    if ran.returncode or not text.startswith("{"):
        return None
    made: dict[str, Any] = json.loads(text)
    return made


class Libxlu:
    """xlu_disk_parse of libxlutil, in a process of its own: on some text its lexer ends that."""

    def __init__(self) -> None:
        self.process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(HERE / "libxlu.py"), str(libraries())],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def disk(self, *specs: str) -> dict[str, Any] | None:
        """The disk as libxl's own JSON, or None if the specification is refused.

        It may stand in several words, as behind block-attach.
        """
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(specs) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            self.process.wait()
            self.process = self._start()
            return None
        found: dict[str, Any] | None = json.loads(answer)
        return found

    def close(self) -> None:
        self.process.communicate()


@contextlib.contextmanager
def libxlu() -> Iterator[Libxlu]:
    """libxlutil for the time of a block."""
    library = Libxlu()
    try:
        yield library
    finally:
        library.close()

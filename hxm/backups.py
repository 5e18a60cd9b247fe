"""The configurations that hxm keeps: one before and one after every change, each a file.

They hold the fencing devices' passwords: folder and files are readable by their owner alone.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from typing import NamedTuple

from hxm.config import Config
from hxm.errors import HxmError, NotFound, Refused
from hxm.pacemaker.cib import configuration_in
from hxm.pacemaker.written import as_cib, read_header

_NAME = re.compile(r"(\d{6,})-(\d{8}T\d{6}Z)\.xml")
_STAMP = "%Y%m%dT%H%M%SZ"


class Backup(NamedTuple):
    """One kept configuration; `at` is when it was, in seconds since the epoch."""

    number: int
    at: float
    path: str

    def read(self) -> bytes:
        """Its CIB. Raises Refused if it cannot be read."""
        return read_file(self.path)


class Store:
    """The folder of the backups, on this host or beside a sandbox's file."""

    def __init__(self, config: Config, sandbox: str | None) -> None:
        self.folder = f"{os.path.realpath(sandbox)}.backups" if sandbox else config.backups
        self.most = int(config.backups_kept)
        self.timeout = config.ask_timeout

    def all(self) -> list[Backup]:
        """What is kept, the oldest first."""
        try:
            found = [(name, _NAME.fullmatch(name)) for name in os.listdir(self.folder)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Refused(f"{self.folder} cannot be read: {error.strerror}") from None
        return sorted(
            Backup(int(match[1]), _seconds(match[2]), os.path.join(self.folder, name))
            for name, match in found
            if match
        )

    def get(self, number: int) -> Backup:
        """The backup of that number. Raises NotFound."""
        found = self.all()
        for each in found:
            if each.number == number:
                return each
        known = f"{found[0].number} to {found[-1].number}" if found else "none"
        raise NotFound(f"there is no backup {number} (there are: {known})", "hxm backup --list")

    def keep(self, configuration: bytes) -> Backup:
        """Keep a configuration; the newest backup if that is the same. Raises OSError.

        It is written without waiting for the disk: that of a dying host may never answer.
        """
        known = self.all()
        if known and configuration_in(known[-1].read()) == configuration:
            return known[-1]
        if not os.path.isdir(self.folder):
            os.makedirs(os.path.dirname(self.folder), exist_ok=True)
            os.mkdir(self.folder, 0o700)
        document = as_cib(configuration, read_header(self.timeout))
        now = time.time()
        number = known[-1].number + 1 if known else 1
        path = self._write(document, number, time.strftime(_STAMP, time.gmtime(now)))
        for old in known[: max(0, len(known) + 1 - self.most)]:
            os.unlink(old.path)
        return Backup(number, now, path)

    def _write(self, document: bytes, number: int, stamp: str) -> str:
        """Whole or not at all."""
        path = os.path.join(self.folder, f"{number:06}-{stamp}.xml")
        beside = os.path.join(self.folder, f".{os.getpid()}")
        try:
            with suppress(FileNotFoundError):  # of a killed one
                os.unlink(beside)
            write_new(beside, document)
            os.rename(beside, path)
        finally:
            with suppress(OSError):
                os.unlink(beside)
        return path


def try_to_keep(
    config: Config, sandbox: str | None, configuration: bytes
) -> tuple[int | None, str]:
    """The number of the backup, or None and what went wrong, in words.

    A backup that cannot be written must not keep anybody from moving a domU off a dying host.
    """
    store = Store(config, sandbox)
    if not configuration or not store.most:
        return None, ""
    try:
        return store.keep(configuration).number, ""
    except OSError as error:
        return None, f"no backup in {store.folder}: {error.strerror}"
    except HxmError as error:
        return None, f"no backup in {store.folder}: {error.message}"


def write_new(path: str, document: bytes) -> None:
    """A new file that its owner alone can read. Raises OSError, also if there is one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(document)


def read_file(path: str) -> bytes:
    """A backup in a file. Raises NotFound, or Refused if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}", "hxm backup --list shows the numbers") from None
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from None


def _seconds(stamp: str) -> float:
    import calendar

    return float(calendar.timegm(time.strptime(stamp, _STAMP)))

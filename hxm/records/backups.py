"""The configurations that hxm keeps: one before and one after every change, each a file.

They hold the fencing devices' passwords: folder and files are readable by their owner alone.
"""

from __future__ import annotations

import os
import re
import time
from typing import NamedTuple

from hxm.config import Config
from hxm.errors import HxmError, NotFound, Refused
from hxm.host.folder_lock import locked
from hxm.host.safe_files import make_private, read_whole, replace
from hxm.pacemaker.cib import configuration_in
from hxm.pacemaker.cib_document import as_cib, read_header
from hxm.xml_reading import XmlError, in_utf8

_NAME = re.compile(r"([0-9]{6,})-([0-9]{8}T[0-9]{6}Z)\.xml")
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
    """The folder of the backups, on this host or next to a sandbox's file."""

    def __init__(self, config: Config, sandbox: str | None) -> None:
        self.folder = f"{os.path.realpath(sandbox)}.backups" if sandbox else config.backups
        self.most = int(config.backups_kept)
        self.timeout = config.ask_timeout

    def all(self) -> list[Backup]:
        """What is kept, the oldest first."""
        try:
            return sorted(filter(None, map(self._backup, os.listdir(self.folder))))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Refused(f"{self.folder} cannot be read: {error.strerror}") from None

    def _backup(self, name: str) -> Backup | None:
        """The backup in a file of that name; None if the name is not that of a backup."""
        match = _NAME.fullmatch(name)
        if not match:
            return None
        try:
            at = _seconds(match[2])
        except ValueError:  # no such day, or hour
            return None
        return Backup(int(match[1]), at, os.path.join(self.folder, name))

    def get(self, number: int) -> Backup:
        """The backup of that number. Raises NotFound."""
        backups = self.all()
        for backup in backups:
            if backup.number == number:
                return backup
        known = f"{backups[0].number} to {backups[-1].number}" if backups else "none"
        raise NotFound(f"there is no backup {number} (there are: {known})", "hxm backup --list")

    def keep(self, configuration: bytes) -> Backup:
        """Keep a configuration, unless the newest backup has the same. Raises OSError.

        The oldest go if there are more than the configured number, unless that is 0.

        It is written without waiting for the disk: that of a dying host may never answer.
        """
        make_private(self.folder)
        with locked(os.path.realpath(self.folder), self.timeout):  # or two would take one number
            return self._keep(configuration)

    def _keep(self, configuration: bytes) -> Backup:
        known = self.all()
        if known and configuration_in(known[-1].read()) == configuration:
            return known[-1]
        document = as_cib(configuration, read_header(self.timeout))
        now = time.time()
        number = known[-1].number + 1 if known else 1
        stamp = time.strftime(_STAMP, time.gmtime(now))
        path = os.path.join(self.folder, f"{number:06}-{stamp}.xml")
        replace(path, document)
        for old in known[: max(0, len(known) + 1 - self.most)] if self.most else ():
            os.unlink(old.path)
        return Backup(number, now, path)


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


def read_file(path: str) -> bytes:
    """A backup in a regular file, in UTF-8. Raises NotFound, or Refused if it cannot be read."""
    try:
        return in_utf8(read_whole(path))
    except XmlError as error:
        raise Refused(f"{path} is no backup of a CIB: {error}") from None
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}", "hxm backup --list shows the numbers") from None
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from None


def _seconds(stamp: str) -> float:
    import calendar

    return float(calendar.timegm(time.strptime(stamp, _STAMP)))

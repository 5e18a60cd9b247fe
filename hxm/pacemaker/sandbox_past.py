"""What the cluster of a sandbox has done, kept beside its file as Pacemaker keeps it of a real one.

The input of each transition is a CIB with its status, and says how the nodes were and what they
did; the fencing has a file of its own, in the form of `stonith_admin --history`. CIBs hold the
fencing devices' passwords: the folder is readable by its owner alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from xml.etree import ElementTree as ET

from hxm.host.safe_files import make_private, read_whole, replace, write_new
from hxm.plan import Action
from hxm.xml_reading import XmlError, parse_xml

MOST = 200
"""How many inputs, and how many fencings, are kept."""
_FENCING, _SETTLED = "fencing.xml", "settled"


def past_folder(cib_file: str) -> str:
    """Where the past of the sandbox in that file lies."""
    return os.path.realpath(cib_file) + ".past"


def mark_settled(cib_file: str) -> None:
    """The cluster has reacted to all that the file holds now."""
    folder = past_folder(cib_file)
    with suppress(OSError):
        make_private(folder)
        replace(os.path.join(folder, _SETTLED), _stamp(cib_file))


def is_settled(cib_file: str, *, unknown: bool = True) -> bool:
    """Whether nobody but hxm has changed the sandbox; `unknown` where that cannot be told.

    A copy, or a file that was only touched, is not changed.
    """
    try:
        return read_whole(os.path.join(past_folder(cib_file), _SETTLED)) == _stamp(cib_file)
    except OSError:
        return unknown


def _stamp(cib_file: str) -> bytes:
    from hashlib import sha256

    return sha256(read_whole(cib_file)).hexdigest().encode()


class Past:
    """What a change of a sandbox leads to; it is written down only if the change is made."""

    def __init__(self, cib_file: str) -> None:
        self._file = cib_file
        self._folder = past_folder(cib_file)
        self._inputs = [(os.stat(cib_file).st_mtime, read_whole(cib_file))]
        self._fenced: list[tuple[float, str]] = []

    def see(self, path: str, actions: Sequence[Action]) -> None:
        """The CIB in the file leads to these actions, in a transition that begins now."""
        now = time.time()
        self._inputs.append((now, read_whole(path)))
        self._fenced += ((now, action.node) for action in actions if action.operation == "fence")

    def keep(self) -> None:
        """Write it down; what is too old goes. A full disk makes the past shorter, and is no error.

        Only one hxm at a time changes a sandbox.
        """
        with suppress(OSError):
            make_private(self._folder)
            self._keep_inputs()
            if self._fenced:
                self._keep_fenced()
        mark_settled(self._file)

    def _keep_inputs(self) -> None:
        import gzip

        known = sorted(name for name in os.listdir(self._folder) if name.startswith("pe-input-"))
        number = int(known[-1].split("-")[2].split(".")[0]) if known else 0
        for at, document in self._inputs:
            number += 1
            path = os.path.join(self._folder, f"pe-input-{number:09}.gz")
            write_new(path, gzip.compress(document, 1))
            os.utime(path, (at, at))
            known.append(os.path.basename(path))
        for name in known[:-MOST]:
            os.unlink(os.path.join(self._folder, name))

    def _keep_fenced(self) -> None:
        history = ET.Element("fence_history")
        history.extend([*read_fencing(self._folder)][-MOST:])
        for at, node in self._fenced:
            when = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(at))
            facts = {"target": node, "client": "pacemaker-controld", "status": "success"}
            ET.SubElement(history, "fence_event", facts, completed=when)
        replace(os.path.join(self._folder, _FENCING), ET.tostring(history))


def read_fencing(folder: str) -> ET.Element:
    """The fencing that is remembered, as `stonith_admin --history` tells it."""
    try:
        return parse_xml(read_whole(os.path.join(folder, _FENCING)))
    except (OSError, XmlError):
        return ET.Element("fence_history")

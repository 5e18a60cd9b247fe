"""Whether the domUs' files can be read on the nodes where a plan needs them."""

from __future__ import annotations

import os
from collections.abc import Collection

from hxm.cluster.claims import of_managed
from hxm.config import Config
from hxm.domu.config_file import XmFileError, parse_xmfile
from hxm.errors import CannotAsk
from hxm.model import Cluster
from hxm.policy.conflicts import FILE
from hxm.policy.starts import File
from hxm.toolstack.remote import ask_elsewhere

_SCRIPT = r"""
for file do
    size=absent
    if [ -e "$file" ] || [ -L "$file" ]
    then [ -f "$file" ] && size=$(wc -c <"$file") && [ "$size" -le 1048576 ] || size=unreadable
    fi 2>/dev/null
    printf 'hxm file %s %s\0' "$size" "$file"
    case $size in absent | unreadable) ;; *) cat -- "$file" ;; esac
done
"""
"""Prints each file behind its size in bytes and its name."""
_ABSENT = "there is no {}"


def faults(
    cluster: Cluster, files: Collection[File], mounting: Collection[str], config: Config
) -> tuple[dict[File, str], dict[str, str]]:
    """Why files cannot be read where they are needed, and why nodes could not be asked.

    Other nodes are asked through ssh, all at once, for at most ssh_timeout seconds. On the nodes
    that are `mounting` something first, a file may be missing.
    """
    here = {file for file in files if cluster.sandbox or file.node == cluster.local_node}
    nodes = sorted({file.node for file in files if file not in here})
    paths = sorted({file.domain.xmfile or "" for file in files if file not in here})
    answers = (
        ask_elsewhere(("sh", "-c", _SCRIPT, "sh", *paths), nodes, config.ssh_timeout, parse_files)
        if nodes
        else {}
    )
    unreadable, silent = {}, {}
    for file in files:
        path = file.domain.xmfile or ""
        answer = _fault_here(file) if file in here else answers[file.node]
        if isinstance(answer, dict):
            answer = answer.get(path, "")
        elif file not in here:
            silent[file.node] = answer
            continue
        if answer and not (file.node in mounting and answer == _ABSENT.format(path)):
            unreadable[file] = answer
    return unreadable, silent


def _fault_here(file: File) -> str:
    path = file.domain.xmfile or ""
    if not os.path.lexists(path):
        return _ABSENT.format(path)
    claim = of_managed(file.domain)
    return claim.fault.partition(": ")[2] if claim.kind == FILE else ""


def parse_files(printed: bytes) -> dict[str, str]:
    """The fault of each file that the script printed; empty: it can be read.

    Raises CannotAsk for anything else than the script's answer.
    """
    known = {}
    while printed:
        head, ended, printed = printed.partition(b"\0")
        words = head.decode("utf-8", "surrogateescape").split(" ", 3)
        if words[:2] != ["hxm", "file"] or len(words) < 4 or not ended:
            raise CannotAsk("its answer cannot be understood")
        size, path = words[2:]
        if size == "absent":
            known[path] = _ABSENT.format(path)
        elif not size.isdigit():
            known[path] = f"{path} cannot be read"
        elif len(printed) < int(size):
            raise CannotAsk("its answer was cut off")
        else:
            known[path] = _fault_in(printed[: int(size)], path)
            printed = printed[int(size) :]
    return known


def _fault_in(content: bytes, path: str) -> str:
    if content.lstrip().startswith(b"<"):
        from xml.etree import ElementTree

        try:
            ElementTree.fromstring(content)
        except ElementTree.ParseError as error:
            return f"{path}: {error}"
        return ""
    try:
        parse_xmfile(content.decode("utf-8", "surrogateescape"), path)
    except XmFileError as error:
        return str(error)
    return ""

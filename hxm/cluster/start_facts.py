"""Facts for judging the starts of a plan: what runs on other nodes, and the domUs' files there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from hxm.cluster.claims import all_claims, claims_script, details_and_devices, of_managed, of_text
from hxm.cluster.read import askable, with_other_nodes
from hxm.config import Config
from hxm.errors import CannotAsk
from hxm.host import files
from hxm.model import Cluster
from hxm.policy.guards.conflicts import FILE, Claim
from hxm.policy.guards.start import File
from hxm.toolstack import domains_in
from hxm.toolstack.remote import Named, ask_elsewhere, list_script
from hxm.toolstack.xl import LocalDomain

_FILES = r"""
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
_SIZE = re.compile("[0-9]{1,9}")
_ABSENT = "there is no {}"
_CUT_OFF = "its answer was cut off"


class HostAnswer(NamedTuple):
    """What another node says of itself before a start."""

    rows: tuple[LocalDomain, ...]
    """The domUs that its toolstack lists; none if they were not asked for."""
    claims: bytes
    """What `claims_script` printed there."""
    files: Mapping[str, bytes | str]
    """The content of each file, or why it cannot be read."""


def ask(
    cluster: Cluster, files: Collection[File], config: Config, *, starting: bool
) -> dict[str, HostAnswer | str]:
    """What each node answers, or why it does not; all are asked at once, for ssh_timeout at most.

    Asked are the nodes that need one of the files, for the files; with `starting` all other members
    as well, for their domUs. In a sandbox all files are here, and nothing else runs.
    """
    if cluster.sandbox:
        return {}
    program, members, _ = askable(cluster, config)
    needing = {file.node for file in files if file.node != cluster.local_node}
    nodes = sorted(needing | set(members if starting else ()))
    paths = sorted({file.domain.xmfile or "" for file in files if file.node in needing})
    runs = "printf '\\0\\0'"
    if starting:
        runs = f"{list_script(program)} && printf '\\0' && {claims_script(program)} && printf '\\0'"

    def parse(printed: bytes) -> HostAnswer:
        return parse_answer(program, printed, starting=starting)

    if not nodes:
        return {}
    words = ("sh", "-c", f"{runs} || exit\n{_FILES}", "sh", *paths)
    return ask_elsewhere(words, nodes, config.ssh_timeout, parse)


def parse_answer(program: str, printed: bytes, *, starting: bool) -> HostAnswer:
    """The answer that a node printed. Raises CannotAsk for anything else."""
    parts = printed.split(b"\0", 2)
    if len(parts) < 3:
        raise CannotAsk(_CUT_OFF)
    rows, claims, files = parts
    return HostAnswer(domains_in(program, rows) if starting else (), claims, dict(_files_in(files)))


def _files_in(printed: bytes) -> Iterator[tuple[str, bytes | str]]:
    """Each path with its content; goes through the answer once, however many files it names."""
    start = 0
    while start < len(printed):
        end = printed.find(b"\0", start)
        words = printed[start : max(start, end)].decode("utf-8", "surrogateescape").split(" ", 3)
        if words[:2] != ["hxm", "file"] or len(words) < 4:
            raise CannotAsk("its answer cannot be understood")
        size, path = words[2:]
        start = end + 1
        if size == "absent":
            yield path, _ABSENT.format(path)
        elif not _SIZE.fullmatch(size):
            yield path, f"{path} cannot be read"
        elif len(printed) < start + int(size):
            raise CannotAsk(_CUT_OFF)
        else:
            yield path, printed[start : start + int(size)]
            start += int(size)


def faults(
    cluster: Cluster,
    files: Collection[File],
    mounting: Collection[str],
    answers: Mapping[str, HostAnswer | str],
) -> tuple[dict[File, str], dict[str, str]]:
    """Why files cannot be read where they are needed, and why nodes did not tell.

    On the nodes that are `mounting` something first, a file may be missing.
    """
    unreadable, silent = {}, {}
    for file in files:
        path = file.domain.xmfile or ""
        if cluster.sandbox or file.node == cluster.local_node:
            fault = _fault_here(file)
        else:
            content = _content(file, answers)
            if content is None:
                answer = answers[file.node]
                silent[file.node] = answer if isinstance(answer, str) else _CUT_OFF
                continue
            fault = content if isinstance(content, str) else _fault_of(of_text(content, path, ""))
        if fault and not (file.node in mounting and fault == _ABSENT.format(path)):
            unreadable[file] = fault
    return unreadable, silent


def _content(file: File, answers: Mapping[str, HostAnswer | str]) -> bytes | str | None:
    """The file as it is on another node, or why it cannot be read there; None: that is unknown."""
    answer = answers.get(file.node, "")
    return None if isinstance(answer, str) else answer.files.get(file.domain.xmfile or "")


def _fault_here(file: File) -> str:
    path = file.domain.xmfile or ""
    if not files.lexists(path):
        return _ABSENT.format(path)
    return _fault_of(of_managed(file.domain))


def _fault_of(claim: Claim) -> str:
    return claim.fault.partition(": ")[2] if claim.kind == FILE else ""


def claims(
    cluster: Cluster,
    files: Collection[File],
    answers: Mapping[str, HostAnswer | str],
    config: Config,
) -> list[Claim]:
    """The claims of all domUs; of those that start by their files on the nodes where they do."""
    printed = {
        node: answer.claims for node, answer in answers.items() if not isinstance(answer, str)
    }
    there = {}
    for file in files:
        content = _content(file, answers)
        if file.starts and isinstance(content, bytes):
            _, devices = details_and_devices(printed[file.node])
            path, resource = file.domain.xmfile or "", file.domain.resource
            claim = of_text(content, path, file.domain.name, resource, devices)
            there[resource] = claim._replace(path=path)
    own = all_claims(cluster, config, printed)
    return [there.pop(claim.resource, claim) if claim.path else claim for claim in own]


def with_what_runs(
    cluster: Cluster, answers: Mapping[str, HostAnswer | str], config: Config
) -> Cluster:
    """The cluster with the domUs that the other nodes' toolstacks list."""
    named: dict[str, Named | str] = {
        node: answer if isinstance(answer, str) else (answer.rows, {})
        for node, answer in answers.items()
    }
    return with_other_nodes(cluster, config, lambda *_: named)

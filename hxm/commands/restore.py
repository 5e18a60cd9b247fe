"""hxm restore: an earlier configuration takes the place of the present one."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from hxm import change
from hxm.claim import own_lock
from hxm.commands._kept import Opened, compared, open_backup
from hxm.config import read_config
from hxm.decide import Decision, Nothing, Objection, guards, restoring
from hxm.decide.difference import sentence
from hxm.errors import UsageError
from hxm.model import Cluster
from hxm.pacemaker.cib import read_configuration
from hxm.pacemaker.facts import private_names
from hxm.pacemaker.simulate import private_folder
from hxm.pacemaker.written import (
    SECTIONS,
    as_cib,
    combined,
    parse_backup,
    read_faults,
    same,
    sections_in,
)

if TYPE_CHECKING:
    from hxm.options import Order
    from hxm.options.kept import BackupWords, Sections


def run(order: Order, words: BackupWords = None, section: Sections = None) -> int:
    """Put an earlier configuration back in place, all of it at once.

    What it changes is shown in words, and what the scheduler would do with it; whatever domU would
    move or stop is asked about. What is set at the nodes, as standby is, stays as it is unless
    --section nodes or all is given: a host under repair is not to be active again by the way. Never
    restored are the status, which nodes there are, and what the cluster writes of itself. A file
    may hold a single section, as `cibadmin --query --scope=resources` writes it. An image of
    a saved domU is xl's and xm's to restore, if no cluster manages it.

    Example: `hxm restore 7 --dry-run`, or `hxm restore cib.bak.xml --section constraints`.
    """
    if not words:
        raise UsageError("restore takes a backup: a number or a file", "hxm backup --list")
    if len(words) > 1 or _is_an_image(words[0]):
        from hxm.commands import BY_HAND
        from hxm.commands.raw import run_raw

        return run_raw(BY_HAND["restore"], order.before, order.words)
    backup = open_backup(read_config(), words[0])
    sections = _chosen(section or [], sections_in(parse_backup(backup.document, backup.called)))
    begun_with: list[bytes] = []
    with private_folder() as folder:

        def decide(cluster: Cluster) -> Decision:
            begun_with.append(cluster.written)
            what = f"restore {backup.called}"
            if len(sections) < len(SECTIONS) - 1:
                what += f" ({', '.join(sections)})"
            pinned = restoring.pinned(begun_with[0], cluster.written)
            return put_in_place(cluster, backup, sections, folder, what, [*pinned])

        return change.carry_out(order, decide)


def _is_an_image(path: str) -> bool:
    """Whether it is a file that is no XML: xl's begins with "Xen saved domain", xm's is binary."""
    try:
        with open(path, "rb") as file:
            start = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    except OSError:
        return False
    return start.startswith((b"Xen saved domain", b"LinuxGuestRecord")) or b"\0" in start


def _chosen(words: Sequence[str], held: Collection[str]) -> list[str]:
    """The sections that are meant; by default all but what is set at the nodes."""
    wanted = [each for word in words for each in word.split(",")]
    if unknown := [each for each in wanted if each not in (*SECTIONS, "all")]:
        raise UsageError(f"there is no section {unknown[0]!r}", f"all, {', '.join(SECTIONS)}")
    if len(held) == 1:
        wanted = wanted or [*held]
    if missing := [each for each in wanted if len(held) == 1 and each not in held]:
        raise UsageError(f"the file holds no {missing[0]}, but {', '.join(held)}")
    if not wanted:
        return [each for each in SECTIONS if each != restoring.NODES]
    return [each for each in SECTIONS if each in wanted or "all" in wanted]


def put_in_place(
    cluster: Cluster,
    backup: Opened,
    sections: Collection[str],
    folder: str,
    what: str,
    objections: Sequence[Objection] = (),
    verb: str = "restore",
) -> Decision:
    """The decision to have these sections as the backup has them; the document is in the folder."""
    root = parse_backup(backup.document, backup.called)
    nodes = sections_in(root).get(restoring.NODES)
    theirs = [] if nodes is None else [each.get("uname", "") for each in nodes.iterfind("node")]
    cib = read_configuration(timeout=read_config().ask_timeout, whole=True).cib
    header = {} if cib is None else dict(cib.attrib)
    private = private_names(cib)
    wanted = combined(cluster.written, root, sections)
    if same(cluster.written, wanted):
        return Nothing(f"{what}: that is the configuration as it is now")
    document = combined(
        cluster.written, parse_backup(backup.document, ""), sections, own_lock(cluster, what)
    )
    file = os.path.join(folder, "configuration.xml")
    for path, content in ((file, document), (f"{file}.cib", as_cib(wanted, header))):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
            opened.write(content)
    return restoring.restore(
        cluster,
        what,
        compared(cluster.written, wanted, private),
        file,
        (
            *objections,
            *restoring.unknown_nodes(cluster, theirs, sections),
            *restoring.too_new(root.get("validate-with", ""), header.get("validate-with", "")),
            *_faults(f"{file}.cib"),
        ),
        tuple(_left_alone(cluster, backup, sections, private)),
        verb,
    )


def _faults(path: str) -> Iterator[Objection]:
    if fault := read_faults(path):
        yield Objection(
            f"crm_verify finds an error in it: {fault}",
            "correct the file; --force restores it all the same",
            lifted_by=guards.FORCE,
        )


def _left_alone(
    cluster: Cluster, backup: Opened, sections: Collection[str], private: Collection[str]
) -> Iterator[str]:
    """What is otherwise in the backup, and stays as it is."""
    held = sections_in(parse_backup(backup.document, ""))
    if restoring.NODES in sections or restoring.NODES not in held:
        return
    for each in compared(backup.document, cluster.written, private):
        if each.item.section == restoring.NODES:
            yield f"not restored (--section nodes): {sentence(each)}"

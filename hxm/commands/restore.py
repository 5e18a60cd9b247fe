"""hxm restore: restore an earlier configuration."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from hxm.errors import UsageError
from hxm.host.safe_files import read_start
from hxm.model import Cluster
from hxm.orders import pipeline
from hxm.orders.replace import put_in_place
from hxm.pacemaker.cib_document import SECTIONS, parse_backup, sections_in
from hxm.pacemaker.simulate import private_folder
from hxm.plan import Decision
from hxm.policy.orders import restore
from hxm.records.changes import open_backup

if TYPE_CHECKING:
    from hxm.arguments.backups import BackupWords, Sections
    from hxm.arguments.options import Order


def run(order: Order, words: BackupWords = None, section: Sections = None) -> int:
    """Restore an earlier configuration, all of it at once.

    hxm shows the changes in words and what the scheduler would do with them, and asks if a domU
    would move or stop. Node settings such as standby stay as they are unless --section nodes or all
    is given, so that a host under repair does not become active by accident. The status, the set of
    nodes, and what the cluster writes about itself are never restored. A file may hold a single
    section, as `cibadmin --query --scope=resources` writes it. The image of a saved domU is passed
    to xl or xm, if no cluster manages the domU.

    Example: `hxm restore 7 --dry-run`, or `hxm restore cib.bak.xml --section constraints`.
    """
    if not words:
        raise UsageError("restore takes a backup: a number or a file", "hxm backup --list")
    if len(words) > 1 or _is_an_image(words[0]):
        from hxm.catalog import BY_HAND
        from hxm.guard.raw import run_raw

        return run_raw(BY_HAND["restore"], order.before, order.words, order.config)
    backup = open_backup(order.config, words[0])
    sections = _chosen(section or [], sections_in(parse_backup(backup.document, backup.called)))
    begun_with: list[bytes] = []
    with private_folder() as folder:

        def decide(cluster: Cluster) -> Decision:
            begun_with.append(cluster.written)
            what = f"restore {backup.called}"
            if len(sections) < len(SECTIONS) - 1:
                what += f" ({', '.join(sections)})"
            pinned = restore.pinned(begun_with[0], cluster.written)
            return put_in_place(cluster, backup, sections, folder, what, order.config, [*pinned])

        return pipeline.carry_out(order, decide)


def _is_an_image(path: str) -> bool:
    """Whether it is the image of a saved domU: xl's has a magic string, xm's is binary."""
    try:
        start = read_start(path, 64)
    except OSError:
        return False
    if start.startswith((b"Xen saved domain", b"LinuxGuestRecord")):
        return True
    return b"\0" in start and b"<\0" not in start and b"\0<" not in start  # UTF-16


def _chosen(words: Sequence[str], held: Collection[str]) -> list[str]:
    """The sections to restore; by default all except the settings of nodes."""
    wanted = [section for word in words for section in word.split(",")]
    if unknown := [section for section in wanted if section not in (*SECTIONS, "all")]:
        raise UsageError(f"unknown section {unknown[0]!r}", f"all, {', '.join(SECTIONS)}")
    if len(held) == 1:
        wanted = wanted or [*held]
    if missing := [section for section in wanted if len(held) == 1 and section not in held]:
        raise UsageError(f"the file holds no {missing[0]}, only {', '.join(held)}")
    if not wanted:
        return [section for section in SECTIONS if section != restore.NODES]
    return [section for section in SECTIONS if section in wanted or "all" in wanted]

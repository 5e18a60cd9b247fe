"""Replaces the configuration by an earlier one, for restore and undo."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence

from hxm.cluster.read import configured, with_other_nodes
from hxm.config import Config
from hxm.model import Cluster
from hxm.orders.lock import own_lock
from hxm.pacemaker.cib import Configuration, parse_configuration, read_configuration
from hxm.pacemaker.cib_document import as_cib, combined, left_out, parse_backup, same, sections_in
from hxm.pacemaker.cib_flatten import private_names
from hxm.pacemaker.verify import read_complaints
from hxm.plan import AlreadyDone, Decision, Objection
from hxm.policy import listed
from hxm.policy.diff import sentence
from hxm.policy.orders import restore
from hxm.policy.state.fencing import unfenceable
from hxm.records.changes import Opened, compare


def put_in_place(
    cluster: Cluster,
    backup: Opened,
    sections: Collection[str],
    folder: str,
    what: str,
    config: Config,
    objections: Sequence[Objection] = (),
    verb: str = "restore",
) -> Decision:
    """The decision to restore these sections from the backup; writes the document to the folder."""
    root = parse_backup(backup.document, backup.called)
    lacking = left_out(cluster.written, root, sections)
    nodes = sections_in(root).get(restore.NODES)
    theirs = [] if nodes is None else [node.get("uname", "") for node in nodes.iterfind("node")]
    wanted = combined(cluster.written, root, sections)
    if same(cluster.written, wanted):
        return AlreadyDone(f"{what}: the configuration is like that already")
    present = read_configuration(timeout=config.ask_timeout, whole=True)
    header = {} if present.cib is None else dict(present.cib.attrib)
    private = private_names(present.cib)
    file = os.path.join(folder, "configuration.xml")
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(combined(cluster.written, root, sections, own_lock(cluster, what)))
    unasked = nodes is not None and restore.NODES not in sections
    notes = [f"not restored, as it is not in {backup.called}: {listed(lacking)}"] if lacking else []
    aside = _left_alone(cluster, backup, private) if unasked else ()
    return restore.restore(
        cluster,
        what,
        compare(cluster.written, wanted, private),
        file,
        (
            *objections,
            *restore.unknown_nodes(cluster, theirs, sections),
            *restore.too_new(
                cluster, root.get("validate-with", ""), header.get("validate-with", "")
            ),
            *_in_it(cluster, present, parse_configuration(as_cib(wanted, header)), config),
        ),
        (*notes, *aside),
        verb,
    )


def _in_it(
    cluster: Cluster, present: Configuration, wanted: Configuration, config: Config
) -> Iterator[Objection]:
    """Objections to the wanted configuration."""
    domains = configured(wanted)
    then = cluster._replace(
        domains=tuple(domains),
        primitives=wanted.primitives,
        properties=wanted.properties,
        fencing=wanted.fencing,
    )
    if present.cib is not None and wanted.cib is not None:
        known = read_complaints(present.cib)
        for complaint in read_complaints(wanted.cib):
            if complaint.error and complaint not in known:
                yield restore.unsound(complaint.text)
    yield from restore.not_finished(then)
    if new := restore.new_names(cluster, domains):
        yield from restore.newcomers(with_other_nodes(cluster, config), new)
    yield from restore.less_fenced(unfenceable(cluster), unfenceable(then))


def _left_alone(cluster: Cluster, backup: Opened, private: Collection[str]) -> Iterator[str]:
    """The node settings that differ in the backup and are not restored."""
    for difference in compare(backup.document, cluster.written, private):
        if difference.item.section == restore.NODES:
            yield f"not restored (--section nodes): {sentence(difference)}"

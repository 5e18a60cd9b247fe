"""The other ends of live migrations, of which crm_mon says nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element

from hxm.model import Operation

_OTHER_END = {"migrate_to": "migrate_target", "migrate_from": "migrate_source"}


def with_peers(history: Iterable[Operation], cib: Element) -> tuple[Operation, ...]:
    """The history, and of each migration that has not succeeded also the node at its other end.

    Of a lost node crm_mon lists no history: what it was at is added.
    """
    open_ends = {(end.node, end.resource, end.task, end.call): end for end in _not_ended(cib)}
    known = [
        open_ends.pop((entry.node, entry.resource, entry.task, entry.call), entry)
        for entry in history
    ]
    return (*known, *open_ends.values())


def _not_ended(cib: Element) -> Iterator[Operation]:
    for state in cib.iterfind("status/node_state"):
        for resource in state.iterfind("lrm/lrm_resources/lrm_resource"):
            for entry in resource.iterfind("lrm_rsc_op"):
                task = entry.get("operation", "")
                peer = entry.get(_OTHER_END.get(task, ""))
                call, rc = entry.get("call-id", ""), entry.get("rc-code", "")
                if peer and rc.isdigit() and rc != "0" and call.lstrip("-").isdigit():
                    name = resource.get("id", "").partition(":")[0]
                    yield Operation(state.get("uname", ""), name, task, int(call), int(rc), peer)

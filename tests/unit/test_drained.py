"""Where domUs are at home: the node of the first drain since each was given its place."""

from __future__ import annotations

import pytest

from hxm.records.drained import homes_in


def order(verb: str, drains: str | None, *subjects: str) -> dict[str, object]:
    return {"verb": verb, "drains": drains, "subjects": list(subjects)}


FIRST = order("standby", "host1", "nfs", "vm4")
SECOND = order("standby", "host3", "vm4")
CASES = {
    "nothing": ([], {}),
    "one drain": ([FIRST], {"nfs": "host1", "vm4": "host1"}),
    "drained again from where it went": ([FIRST, SECOND], {"nfs": "host1", "vm4": "host1"}),
    "home again": ([FIRST, SECOND, order("active", None, "vm4")], {"nfs": "host1"}),
    "an order that moves nothing": (
        [FIRST, order("active", None)],
        {"nfs": "host1", "vm4": "host1"},
    ),
    "moved on purpose": ([FIRST, order("migrate", None, "nfs")], {"vm4": "host1"}),
    "restarted where it is": ([SECOND, order("reboot", None, "vm4")], {"vm4": "host3"}),
    "placed, and drained": ([order("migrate", None, "vm4"), SECOND], {"vm4": "host3"}),
    "drained for an update": ([order("update", "host1", "nfs")], {"nfs": "host1"}),
    "taken back, and tried": (
        [order("update", "host1", "nfs"), order("update", None, "nfs")],
        {"nfs": "host1"},
    ),
    "written by an older release": (
        [{"verb": "standby", "what": "drain host1", "subjects": ["nfs"]}],
        {"nfs": "host1"},
    ),
    "nonsense": ([{}, {"subjects": 7, "verb": "standby", "drains": 7}], {}),
}


@pytest.mark.parametrize(("orders", "homes"), CASES.values(), ids=CASES)
def test_where_domus_are_at_home(orders, homes):
    assert homes_in(reversed(orders)) == homes

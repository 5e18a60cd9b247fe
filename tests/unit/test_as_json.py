"""The JSON keys are an interface: a field that is added or renamed inside changes none of them."""

import pytest
from factories import cluster, domain, failure, node, prefer

from hxm.commands.capacity import _More
from hxm.model import Resource
from hxm.orders.downtime import Downtime
from hxm.orders.outcome import Change
from hxm.output import as_json
from hxm.plan import Movement, Objection
from hxm.policy.graph import Edge, Vertex
from hxm.policy.memory import Host
from hxm.policy.orders.update.progress import Stage
from hxm.policy.past.events import Event
from hxm.policy.reasons.facts import Reason
from hxm.policy.state.findings import Finding

PRINTED = {
    "node": (
        node(),
        as_json.NODE,
        "name online standby maintenance unclean pending dc kind health leaving",
    ),
    "domU": (
        domain(),
        as_json.DOMAIN,
        (
            "name resource xmfile role target_role managed nodes interim id memory vcpus state time"
            " seen"
        ),
    ),
    "resource": (
        Resource("nfs", "ocf:heartbeat:Xen", "Started"),
        as_json.RESOURCE,
        "id agent role target_role managed failed blocked nodes",
    ),
    "constraint": (prefer(), as_json.CONSTRAINT, "id resource kind node expires expired"),
    "failure": (failure(), as_json.FAILURE, "resource operation node reason when"),
    "finding": (Finding("left", "hxm unmigrate nfs"), as_json.FINDING, "what do code subject"),
    "reason": (Reason("a ban"), as_json.REASON, "what evidence do absolute confirmed"),
    "movement": (Movement("nfs", "live"), as_json.MOVEMENT, "resource kind source target"),
    "change": (
        Change("nfs", "nfs", ("host1",), ("host2",), "live"),
        as_json.CHANGE,
        "name resource before after how",
    ),
    "downtime": (Downtime("nfs", "nfs", 1.0), as_json.DOWNTIME, "name resource seconds noticed"),
    "stage of an update": (Stage("host1", "drain", ""), as_json.STAGE, "host stage what state"),
    "host": (Host("host1"), as_json.HOST, "name free total dom0 source why"),
    "more domUs": (
        _More(512, 520, 3, 2),
        as_json.MORE_DOMUS,
        "memory taken now always without",
    ),
    "vertex": (
        Vertex("node:host1", "host1", "node", "online"),
        as_json.VERTEX,
        "id name kind state places well",
    ),
    "edge": (Edge("a", "b", "after", "after"), as_json.EDGE, "source target kind label mandatory"),
    "event": (
        Event(0.0, "nfs", "started"),
        as_json.EVENT,
        "at subject what where seconds by note failed source about",
    ),
}


@pytest.mark.parametrize(("value", "keys", "expected"), PRINTED.values(), ids=PRINTED)
def test_each_value_is_printed_with_the_keys_of_the_manual(value, keys, expected):
    assert list(as_json.keyed(value, keys)) == expected.split()


@pytest.mark.parametrize(
    ("do", "condition", "command"),
    [
        ("hxm start nfs", "", "hxm start nfs"),
        ("if it is not meant: cibadmin -D", "it is not meant", "cibadmin -D"),
        ("mend its file, then: hxm cleanup nfs", "its file is mended", "hxm cleanup nfs"),
        ("on host1: systemctl start pacemaker", "", "on host1: systemctl start pacemaker"),
        ("", "", ""),
    ],
)
def test_what_must_hold_before_a_command_is_typed_stands_apart(do, condition, command):
    (printed,) = as_json.reasons_json([Reason("a ban", do=do)])
    assert (printed["if"], printed["command"], printed["do"]) == (condition, command, do)


def test_an_objection_is_printed_with_the_keys_of_an_error():
    objection = Objection("nfs has no disk", "hxm diff", 107, "--force")
    assert as_json.objection_json(objection) == {
        "message": "nfs has no disk",
        "hint": "hxm diff",
        "status": 107,
        "lifted_by": "--force",
    }


def test_the_list_and_the_status_have_their_keys():
    seen = cluster(domain("nfs", "host1"), prefer(), failure())
    left = [Finding("left", "hxm unmigrate nfs")]
    listed, status = as_json.list_json(seen, seen.domains, left), as_json.status_json(seen, left)
    assert list(listed) == ["nodes", "domains", "unknown", "order", "left"]
    assert [*listed["domains"][0]][-1] == "differs"
    assert " ".join(status) == "cluster nodes domains resources failures constraints findings"
    assert (
        " ".join(status["cluster"])
        == "name dc quorum maintenance fencing dialect dialect_why mixed sandbox toolstack"
        " toolstack_why order"
    )

"""Default, manage, unmanage, maintenance and cleanup: the steps, or that there are none."""

from __future__ import annotations

import pytest
from factories import cluster, domain, failure, node, primitive, told

from hxm.plan import AlreadyDone
from hxm.policy.orders import hygiene

NFS = domain("nfs", "host1")
HOST1, HOST2 = node("host1"), node("host2")
FALSE, TRUE = {"is-managed": "false"}, {"is-managed": "true"}

DEFAULT = {
    "nothing set": ({}, ["nothing: nfs: no temporary settings to remove"]),
    "target-role": ({"target-role": "Started"}, ["clear-meta nfs target-role"]),
    "all three, and what was configured stays": (
        {
            "maintenance": "true",
            "target-role": "Stopped",
            "is-managed": "false",
            "allow-migrate": "true",
            "priority": "5",
        },
        ["clear-meta nfs target-role", "clear-meta nfs is-managed", "clear-meta nfs maintenance"],
    ),
}


@pytest.mark.parametrize(("own", "lines"), DEFAULT.values(), ids=DEFAULT)
def test_default_never_removes_what_was_configured(own, lines):
    seen = cluster(NFS, primitive("nfs", own=own))
    assert told(hygiene.default(seen, [NFS])) == lines


def test_default_never_removes_what_stands_elsewhere():
    seen = cluster(NFS, primitive("nfs", {"target-role": "Stopped", "is-managed": "false"}))
    assert told(hygiene.default(seen, [NFS])) == ["nothing: nfs: no temporary settings to remove"]


def test_default_never_expects_a_movement():
    seen = cluster(NFS, primitive("nfs", own={"target-role": "Stopped"}))
    assert hygiene.default(seen, [NFS]).expects == frozenset()


MANAGED = "-> managed nfs"
MANAGE = {
    "managed": (primitive("nfs"), ["nothing: nfs: managed already"]),
    "managed, as it says itself": (
        primitive("nfs", own=TRUE),
        ["clear-meta nfs is-managed", MANAGED],
    ),
    "own false": (primitive("nfs", own=FALSE), ["clear-meta nfs is-managed", MANAGED]),
    "own no": (primitive("nfs", own={"is-managed": "no"}), ["clear-meta nfs is-managed", MANAGED]),
    "inherited false": (primitive("nfs", FALSE), ["set-meta nfs is-managed true", MANAGED]),
    "inherited off": (
        primitive("nfs", {"is-managed": "off"}),
        ["set-meta nfs is-managed true", MANAGED],
    ),
    "inherited false, own false": (
        primitive("nfs", FALSE, own=FALSE),
        ["set-meta nfs is-managed true", MANAGED],
    ),
    "inherited false, own true": (
        primitive("nfs", FALSE, own=TRUE),
        ["nothing: nfs: managed already"],
    ),
    "own maintenance": (
        primitive("nfs", own={"maintenance": "true"}),
        ["clear-meta nfs maintenance", MANAGED],
    ),
    "both": (
        primitive("nfs", own=FALSE | {"maintenance": "1"}),
        ["clear-meta nfs is-managed", "clear-meta nfs maintenance", MANAGED],
    ),
}


@pytest.mark.parametrize(("config", "lines"), MANAGE.values(), ids=MANAGE)
def test_manage_never_leaves_the_domu_unmanaged(config, lines):
    seen = cluster(NFS, config)
    assert told(hygiene.manage(seen, [NFS])) == lines


AWAY = {
    "the cluster": ([NFS], {"maintenance": True}),
    "its node": ([node("host1", maintenance=True), NFS], {}),
}


@pytest.mark.parametrize(("parts", "known"), AWAY.values(), ids=AWAY)
def test_manage_never_waits_for_a_cluster_in_maintenance(parts, known):
    seen = cluster(*parts, primitive("nfs", own=FALSE), **known)
    assert told(hygiene.manage(seen, [NFS])) == ["clear-meta nfs is-managed"]


def test_manage_names_the_failures_that_stay_and_no_others():
    seen = cluster(NFS, domain("web"), primitive("nfs", own=FALSE), *FAILURES)
    (warning,) = hygiene.manage(seen, [NFS]).warnings
    assert warning.startswith("start of nfs failed on host1")
    assert warning.endswith("hxm cleanup nfs host1")


@pytest.mark.parametrize(("parts", "known"), AWAY.values(), ids=AWAY)
def test_manage_never_says_managed_of_a_domu_in_maintenance(parts, known):
    decision = hygiene.manage(cluster(*parts, **known), [NFS])
    assert isinstance(decision, AlreadyDone)
    assert "maintenance" in decision.message
    assert "managed already" not in decision.message


UNMANAGE = {
    "managed": (primitive("nfs"), ["set-meta nfs is-managed false", "-> unmanaged nfs"]),
    "own true": (
        primitive("nfs", own=TRUE),
        ["set-meta nfs is-managed false", "-> unmanaged nfs"],
    ),
    "own false": (primitive("nfs", own=FALSE), ["nothing: nfs: unmanaged already"]),
    "own n": (primitive("nfs", own={"is-managed": "N"}), ["nothing: nfs: unmanaged already"]),
}


@pytest.mark.parametrize(("config", "lines"), UNMANAGE.values(), ids=UNMANAGE)
def test_unmanage_never_says_unmanaged_of_a_managed_domu(config, lines):
    seen = cluster(NFS, config)
    assert told(hygiene.unmanage(seen, [NFS])) == lines


def test_unmanage_never_goes_without_the_command_that_ends_it():
    decision = hygiene.unmanage(cluster(NFS), [NFS])
    assert decision.done.endswith("until: hxm manage nfs")


IN_MAINTENANCE = primitive("nfs", own={"maintenance": "yes"})
BY_ATTRIBUTE = {"node_attributes": {"host1": {"maintenance": "true"}}}
MAINTENANCE = {
    "cluster on": (True, None, [], {}, ["maintenance", "-> maintenance "]),
    "cluster off": (
        False,
        None,
        [],
        {"maintenance": True},
        ["clear-maintenance", "-> watched "],
    ),
    "cluster on already": (
        True,
        None,
        [],
        {"maintenance": True},
        ["nothing: the cluster is in maintenance already"],
    ),
    "cluster off already": (
        False,
        None,
        [],
        {},
        ["nothing: the cluster is not in maintenance"],
    ),
    "node on": (True, HOST1, [], {}, ["node-maintenance host1", "-> maintenance host1"]),
    "node off": (
        False,
        HOST1,
        [],
        BY_ATTRIBUTE,
        ["clear-node-maintenance host1", "-> watched host1"],
    ),
    "node off, until reboot": (
        False,
        node("host1", maintenance=True),
        [],
        {},
        ["clear-node-maintenance host1", "-> watched host1"],
    ),
    "node on, lost": (True, node("host1", online=False), [], {}, ["node-maintenance host1"]),
    "node on already": (
        True,
        HOST1,
        [],
        BY_ATTRIBUTE,
        ["nothing: host1 is in maintenance already"],
    ),
    "another node is": (
        True,
        HOST2,
        [],
        BY_ATTRIBUTE,
        ["node-maintenance host2", "-> maintenance host2"],
    ),
    "domU on": (True, NFS, [], {}, ["set-meta nfs maintenance true", "-> unmanaged nfs"]),
    "domU off": (
        False,
        NFS,
        [IN_MAINTENANCE],
        {},
        ["clear-meta nfs maintenance", "-> managed nfs"],
    ),
    "domU off, in a cluster that is on": (
        False,
        NFS,
        [IN_MAINTENANCE],
        {"maintenance": True},
        ["clear-meta nfs maintenance"],
    ),
    "domU off, inherited": (
        False,
        NFS,
        [primitive("nfs", {"maintenance": "true"})],
        {},
        ["set-meta nfs maintenance false", "-> managed nfs"],
    ),
    "domU on, against its own false": (
        True,
        NFS,
        [primitive("nfs", {"maintenance": "true"}, own={"maintenance": "false"})],
        {},
        ["clear-meta nfs maintenance", "-> unmanaged nfs"],
    ),
    "domU on already": (
        True,
        NFS,
        [IN_MAINTENANCE],
        {},
        ["nothing: nfs is in maintenance already"],
    ),
    "domU off already": (False, NFS, [], {}, ["nothing: nfs is not in maintenance"]),
    "off, and a node is on": (
        False,
        None,
        [node("host1", maintenance=True)],
        {},
        ["nothing: the cluster is not in maintenance, unlike host1: hxm maintenance off host1"],
    ),
}


@pytest.mark.parametrize(
    ("on", "subject", "parts", "known", "lines"), MAINTENANCE.values(), ids=MAINTENANCE
)
def test_maintenance_never_reaches_further_than_was_said(on, subject, parts, known, lines):
    seen = cluster(NFS, *parts, **known)
    assert told(hygiene.maintenance(seen, on, subject)) == lines


BACK = {"cluster": (None, ""), "node": (HOST1, " host1"), "domU": (NFS, " nfs")}


@pytest.mark.parametrize(("subject", "word"), BACK.values(), ids=BACK)
def test_maintenance_never_goes_without_the_command_that_ends_it(subject, word):
    decision = hygiene.maintenance(cluster(NFS), True, subject)
    assert decision.done.endswith(f"until: hxm maintenance off{word}")


FAILURES = (failure("start", "nfs", "host1"), failure("monitor", "web", "host2"))
CLEANUP = {
    "everything": (
        FAILURES,
        None,
        None,
        ["cleanup nfs", "cleanup web", "-> forgotten nfs", "-> forgotten web"],
    ),
    "everything on a node": (
        FAILURES,
        None,
        HOST2,
        ["cleanup-on web host2", "-> forgotten web on host2"],
    ),
    "a domU": (FAILURES, ["nfs"], None, ["cleanup nfs", "-> forgotten nfs"]),
    "a domU on a node": (
        FAILURES,
        ["nfs"],
        HOST1,
        ["cleanup-on nfs host1", "-> forgotten nfs on host1"],
    ),
    "a domU without failures may have fail counts": (
        (),
        ["nfs"],
        None,
        ["cleanup nfs", "-> forgotten nfs"],
    ),
    "nothing failed": ((), None, None, ["nothing: the cluster remembers no failure"]),
    "nothing failed there": (
        FAILURES[:1],
        None,
        HOST2,
        ["nothing: the cluster remembers no failure on host2"],
    ),
    "twice failed is forgotten once": (
        FAILURES[:1] * 2,
        None,
        None,
        ["cleanup nfs", "-> forgotten nfs"],
    ),
}


@pytest.mark.parametrize(("failures", "subjects", "where", "lines"), CLEANUP.values(), ids=CLEANUP)
def test_cleanup_never_forgets_more_than_was_said(failures, subjects, where, lines):
    assert told(hygiene.cleanup(cluster(NFS, *failures), subjects, where)) == lines

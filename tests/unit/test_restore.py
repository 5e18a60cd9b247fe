"""What stands against an earlier configuration in the place of the present one."""

from __future__ import annotations

import pytest
from factories import cluster, domain, local, primitive, reasons

from hxm.model import ENROLLING, WITHDRAWING, Domain
from hxm.plan import Objection
from hxm.policy.diff import Difference, Fact, Item
from hxm.policy.orders import restore

NFS = Domain("nfs", "nfs", "/nfs.xm", uuid="135631b2", also=("old-nfs",))
OUTSIDE = {
    "by its name": (local("nfs"), ["does not know it, 107"]),
    "by its file's name": (local("old-nfs"), ["does not know it, 107"]),
    "by its uuid": (local("renamed", runs_as="135631b2"), ["does not know it, 107"]),
    "on its way": (local("nfs--incoming"), ["does not know it, 107"]),
    "only known to xend": (Domain("nfs", nodes=("host1",), memory=512), []),
    "another": (local("other", runs_as="235631b2"), []),
    "in a sandbox": (Domain("nfs", nodes=("host2",)), ["does not know it, 107"]),
}


@pytest.mark.parametrize(("row", "expected"), OUTSIDE.values(), ids=OUTSIDE)
def test_a_domu_that_runs_outside_is_never_added(row, expected):
    assert reasons([*restore.newcomers(cluster(row), [NFS])]) == expected


@pytest.mark.parametrize(
    "known", [{"unreachable": {"host2": "no route"}}, {"toolstack_fault": "xl hangs"}]
)
def test_a_host_that_is_not_known_may_run_it(known):
    (found,) = restore.newcomers(cluster(**known), [NFS])
    assert found.lifted_by == "--force"
    assert found.what.endswith("; nfs may run already")


def test_a_domu_whose_name_is_unknown_may_run():
    (found,) = restore.newcomers(cluster(), [NFS._replace(nameless=True)])
    assert (found.lifted_by, "/nfs.xm" in found.what) == ("--force", True)


def test_new_is_also_what_gets_another_name():
    seen = cluster(domain("nfs"), domain("sles"))
    renamed = domain("sles")._replace(name="web")
    assert restore.new_names(seen, [domain("nfs"), renamed, NFS._replace(resource="x")]) == [
        renamed,
        NFS._replace(resource="x"),
    ]


@pytest.mark.parametrize(
    ("marker", "what"), [(ENROLLING, "enrolment"), (WITHDRAWING, "withdrawal")]
)
def test_neither_the_present_nor_the_wanted_may_be_half_way(marker, what):
    half = cluster(domain("nfs", "host1"), primitive("nfs", own={marker: "true"}))
    now = restore.restore(half, "restore 1", [], "/file")
    assert f"the {what} of nfs is not finished" in [each.what for each in now.objections]
    (found,) = restore.not_finished(half)
    assert (found.what, found.lifted_by) == (
        f"in that configuration the {what} of nfs is not finished",
        "",
    )


STOPPED = "nfs would be stopped: it would be no resource any more"
GONE = Difference(Item("domU", "nfs", "resources"), "", Fact("here"), None)


@pytest.mark.parametrize(
    ("verb", "where", "expected"),
    [
        ("undo", ["host1"], [f"{STOPPED}, 107"]),
        ("undo", [], []),
        ("restore", ["host1"], [f"{STOPPED}, 107, --yes"]),
    ],
)
def test_an_enrolment_is_not_undone_but_withdrawn(verb, where, expected):
    seen = cluster(domain("nfs", *where))
    assert reasons(restore.restore(seen, "it", [GONE], "/file", verb=verb)) == expected


def changed(name, before, after):
    was, now = (value and Fact(value) for value in (before, after))
    return Difference(Item("cluster", "", "crm_config"), name, was, now)


ASKED = {
    "off": (changed("stonith-enabled", "true", "off"), 1),
    "off in the old spelling": (changed("stonith_enabled", None, "False"), 1),
    "off by the new name": (changed("fencing-enabled", "true", "0"), 1),
    "off by a rule": (changed("stonith-enabled in night", None, "false"), 1),
    "off by one of several": (changed("stonith-enabled", "true", "true / no"), 1),
    "on": (changed("stonith-enabled", "false", "true"), 0),
    "not set, so on": (changed("stonith-enabled", "false", None), 0),
    "without quorum": (changed("no-quorum-policy", "stop", "ignore"), 1),
    "with quorum": (changed("no-quorum-policy", "ignore", "stop"), 0),
}


@pytest.mark.parametrize(("difference", "asked"), ASKED.values(), ids=ASKED)
def test_what_takes_the_safety_away_is_asked_about(difference, asked):
    found = [*restore.unfenced([difference])]
    assert [each.lifted_by for each in found] == ["--yes"] * asked


def test_a_node_that_nothing_would_fence_any_more_is_asked_about():
    one, other = ((each, Objection(f"none for {each}")) for each in ("a", "b"))
    found = [*restore.less_fenced([one], [one, other])]
    assert [(each.what, each.lifted_by) for each in found] == [("none for b", "--yes")]

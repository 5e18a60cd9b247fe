"""What hxm check makes of a cluster, of files and of links: cases as data."""

from __future__ import annotations

import pytest
from factories import cluster, domain, failure, local, prefer, primitive

from hxm.decide.audit import Problem, Read, chosen, of_autostart, of_cluster, of_files

FENCED = primitive("fence", agent="stonith:fence_ipmilan")
WATCHED = primitive("nfs", operations=({"name": "monitor"},))
NFS = domain("nfs", "host1")
FINE = (NFS, FENCED, WATCHED)

SEEN = {
    "all is well": (FINE, {}, []),
    "no fencing": (FINE, {"fencing": False}, ["no-fencing"]),
    "no fencing resource": ((NFS, WATCHED), {}, ["no-fencing"]),
    "the toolstack is silent": (FINE, {"toolstack_fault": "x"}, ["toolstack-silent"]),
    "on two nodes": ((domain("nfs", "host1", "host2"), *FINE[1:]), {}, ["runs-twice"]),
    "a stray": ((domain("nfs", stray="host2", target_role="Stopped"), *FINE[1:]), {},
                ["runs-unknown"]),
    "paused": ((domain("nfs", "host1", state="--p---"), *FINE[1:]), {}, ["not-alive"]),
    "crashed": ((domain("nfs", "host1", state="----c-"), *FINE[1:]), {}, ["not-alive"]),
    "to run and does not": ((domain("nfs"), *FINE[1:]), {}, ["not-running"]),
    "told to stop": ((domain("nfs", target_role="Stopped"), *FINE[1:]), {}, []),
    "blocked": ((domain("nfs", blocked=True), *FINE[1:]), {}, ["blocked"]),
    "no monitor": ((NFS, FENCED), {}, ["no-monitor"]),
    "not live": ((domain("nfs", "host1", live=False), *FINE[1:]), {}, ["not-live"]),
    "balloons": ((NFS, FENCED, primitive("nfs", operations=({"name": "monitor"},),
                 params={"allow_mem_management": "1"})), {}, ["mem-management"]),
    "half migrated": ((*FINE, local("nfs--incoming")), {}, ["half-migrated"]),
    "migrating": ((domain("nfs", "host1", role="Migrating"), *FINE[1:], local("nfs--incoming")),
                  {}, []),
    "left behind": ((*FINE, prefer()), {}, ["left-behind"]),
    "failed": ((*FINE, failure()), {}, ["failed"]),
}  # fmt: skip


@pytest.mark.parametrize("parts_known_expected", SEEN.values(), ids=SEEN)
def test_of_a_cluster(parts_known_expected):
    parts, known, expected = parts_known_expected
    found = list(of_cluster(cluster(*parts, **known)))
    assert [each.code for each in found] == expected
    assert all(each.do and each.severity in ("warning", "error") for each in found)


FILES = {
    "as it should be": (Read(NFS, own="nfs", agents="nfs"), {}, []),
    "the id is the name": (Read(NFS, own="nfs", agents=None), {}, []),
    "the agent falls back": (Read(NFS, own="server", agents=None), {}, ["name-differs"]),
    "it reads too much": (Read(NFS, own="nfs", agents="nfs;"), {}, ["name-differs"]),
    "the parameter counts": (Read(NFS, own="nfs", agents="x"), {"nfs": "nfs"}, []),
    "the parameter differs": (Read(NFS, own="nfs", agents="nfs"), {"nfs": "y"}, ["name-differs"]),
    "unreadable": (Read(NFS, "nfs:1:2: x"), {}, ["file-unreadable"]),
}


@pytest.mark.parametrize("case", FILES.values(), ids=FILES)
def test_of_files(case):
    file, called, expected = case
    assert [each.code for each in of_files([file], called)] == expected


def test_of_autostart():
    links = [("/etc/xen/auto/a", "nfs"), ("/etc/xen/auto/b", "other")]
    (found,) = of_autostart(links, cluster(NFS))
    assert (found.code, found.do) == ("auto-start", "rm /etc/xen/auto/a")


def test_what_is_meant_is_left_out_and_errors_come_first():
    one = Problem("not-live", "warning", "nfs", "w", "d")
    two = Problem("disk-shared", "error", "nfs sles", "w", "d")
    assert chosen([one, one, two], [], None) == [two, one]
    assert chosen([one, two], ["not-live"], None) == [two]
    assert chosen([one, two], ["disk-shared:sles"], None) == [one]
    assert chosen([one, two], [], "sles") == [two]
    assert chosen([one, two], ["not-live:sles"], "nfs") == [two, one]

"""What stands against the starts that a plan leads to, as data."""

from __future__ import annotations

import pytest
from factories import cluster, domain, reasons

from hxm.cluster.start_facts import parse_answer
from hxm.errors import CannotAsk
from hxm.plan import Forecast, Movement, Plan
from hxm.policy.guards import start
from hxm.policy.guards.conflicts import FILE, Claim, DiskClaim
from hxm.policy.guards.start import File

NFS, SLES = domain("nfs", "host1"), domain("sles")
SEEN = cluster(NFS, SLES)
AFTER = cluster(NFS, domain("sles", "host2"))
START = Forecast(((Movement("sles", "start", None, "host2"),),), AFTER)
DISK = (DiskClaim("/dev/x", "/dev/x", writes=True),)
CLAIMS = {
    "nfs": Claim("nfs", "nfs", disks=DISK),
    "sles": Claim("sles", "sles", disks=DISK),
    "row of nfs": Claim("nfs", "nfs", disks=DISK, node="host1", runs=True),
    "other": Claim("other", disks=DISK, node="host3", runs=True),
    "free": Claim("sles", "sles"),
    "unread": Claim("sles", "sles", fault="the disks of sles are unknown: x", kind=FILE),
}
FACES = "sles and nfs share /dev/x, and nfs runs on host1"
OTHER = "sles and other (on host3) share /dev/x, and other (on host3) runs"
RESTART = Forecast(((Movement("sles", "restart", "host2", "host2"),),), AFTER)
CLASHES = {
    "a managed one that runs": (("nfs", "sles"), START, [(FACES, "")]),
    "once, whatever the order": (("row of nfs", "sles", "nfs"), START, [(FACES, "")]),
    "an unmanaged one elsewhere": (("sles", "other"), START, [(OTHER, "")]),
    "nothing in common": (("nfs", "free", "other"), START, []),
    "a restart of what runs side by side": (("nfs", "sles"), RESTART, [(FACES, "--force")]),
}


@pytest.mark.parametrize(("names", "forecast", "expected"), CLASHES.values(), ids=CLASHES)
def test_two_domus_on_one_disk(names, forecast, expected):
    seen = AFTER if forecast is RESTART else SEEN
    objections = start.clashes(seen, forecast, {"sles"}, [CLAIMS[name] for name in names])
    assert [(each.what, each.lifted_by) for each in objections] == expected


@pytest.mark.parametrize("verb", ["maintenance", "cleanup", "default", "active", "unmigrate"])
def test_nothing_ever_starts_a_domu_that_the_toolstack_runs_unknown_to_the_cluster(verb):
    seen = cluster(domain("nfs", stray="host1"), domain("sles", "host2"))
    order = Plan(verb, verb, (), ())

    def strays(forecast):
        return reasons(list(start.strays(seen, start.started(seen, order, forecast))))

    assert strays(Forecast(((Movement("nfs", "start", None, "host2"),),), seen)) == [
        "does not know it, 107"
    ]
    assert strays(Forecast(((),), seen)) == []
    assert strays(Forecast(((),), seen, simulated=False)) == ["does not know it, 107"]


UNKNOWN = {
    "its file is unread": ("unread", (), (), True),
    "it cannot start either": ("unread", ("host2",), (), False),
    "a file system comes first": ("unread", (), ("host2",), False),
    "its disks are known": ("sles", (), (), False),
}


@pytest.mark.parametrize(("name", "faulty", "mounting", "refused"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_start_on_disks_that_nobody_can_tell(name, faulty, mounting, refused):
    files = [File(SLES, "host2", starts=True)]
    unreadable = [file for file in files if file.node in faulty]
    found = list(start.unknown_disks({"sles"}, [CLAIMS[name]], files, unreadable, mounting))
    assert [each.lifted_by for each in found] == ["--force"] * refused


TABLE = b"Name  ID   Mem VCPUs\tState\tTime(s)\n"
ANSWERS = {
    "nothing": b"",
    "no list": b"hello\0[]\nhxm:devices\n\0",
    "no files": TABLE,
    "half a file": TABLE + b"\0[]\nhxm:devices\n\0hxm file 9 /a\0name",
    "no file": TABLE + b"\0[]\nhxm:devices\n\0welcome\n",
}


@pytest.mark.parametrize("printed", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_is_not_whole_is_none(printed):
    with pytest.raises(CannotAsk):
        parse_answer("xl", printed, starting=True)


def test_a_whole_answer_has_all_files():
    head = TABLE + b"\0[]\nhxm:devices\n\0"
    files = b"hxm file 8 /a b\0name='x'hxm file absent /c\0hxm file unreadable /d\0"
    assert parse_answer("xl", head + files, starting=True).files == {
        "/a b": b"name='x'",
        "/c": "there is no /c",
        "/d": "/d cannot be read",
    }

"""No order starts a domU that runs already, or on a disk in use, or from a file nobody can read.

Each verb that can lead to a start is tried in a cluster where nfs runs and sles does not.
"""

from __future__ import annotations

import re

import pytest

BAN = '<rsc_location id="cli-ban-sles-on-{0}" rsc="sles" node="{0}" score="-INFINITY"/>'
APART = '<rsc_colocation id="apart" rsc="sles" with-rsc="nfs" score="-INFINITY"/>'
UUID = "3f1e0a52-95d8-4a2b-9c7e-0d6f4f1b2a11"
FAIL_COUNT = ("-t", "status", "-n", "fail-count-sles#start_0", "-v", "INFINITY")


def _constrain(sandbox, *constraints):
    for constraint in constraints:
        sandbox.tool("cibadmin", "-C", "-o", "constraints", "--xml-text", constraint)


def _told_to_run(sandbox):
    sandbox.tool("crm_resource", "-r", "sles", "--meta", "-d", "target-role")


def _shut_down(sandbox):
    sandbox.ok("shutdown", "sles")


def _unmanaged(sandbox):
    _shut_down(sandbox)
    sandbox.ok("unmanage", "sles")
    _told_to_run(sandbox)


def _in_maintenance(sandbox):
    _shut_down(sandbox)
    sandbox.ok("maintenance", "on")
    _told_to_run(sandbox)


def _only_node_in_standby(sandbox):
    _constrain(sandbox, BAN.format("host1"))
    sandbox.ok("standby", "host2", "--force", "--yes")


def _only_node_in_its_update(sandbox):
    _constrain(sandbox, BAN.format("host1"))
    sandbox.ok("update", "start", "--force", "--yes")


def _no_place_beside_nfs(sandbox):
    """It may run on host1 alone, and not where nfs runs."""
    _shut_down(sandbox)
    _constrain(sandbox, BAN.format("host2"), APART)
    _told_to_run(sandbox)


def _backed_up_as_it_ran(sandbox):
    sandbox.ok("backup", str(sandbox.file.parent / "earlier.xml"))
    _shut_down(sandbox)


def _withdrawn(sandbox):
    _shut_down(sandbox)
    sandbox.ok("withdraw", "sles")


def _failed(sandbox):
    _shut_down(sandbox)
    for node in ("host1", "host2"):
        sandbox.tool("crm_attribute", *FAIL_COUNT, "-N", node)
    _told_to_run(sandbox)


def _banned(sandbox):
    _shut_down(sandbox)
    _constrain(sandbox, BAN.format("host1"), BAN.format("host2"))
    _told_to_run(sandbox)


VERBS = {
    "start": (_shut_down, ["start", "sles"]),
    "default": (_shut_down, ["default", "sles"]),
    "create": (_shut_down, ["create", "{folder}/sles.xm"]),
    "undo": (_shut_down, ["undo"]),
    "manage": (_unmanaged, ["manage", "sles"]),
    "maintenance off": (_in_maintenance, ["maintenance", "off"]),
    "active": (_only_node_in_standby, ["active", "host2"]),
    "cleanup": (_failed, ["cleanup", "sles"]),
    "unmigrate": (_banned, ["unmigrate", "sles"]),
    "migrate": (_no_place_beside_nfs, ["migrate", "nfs", "host2"]),
    "restore": (_backed_up_as_it_ran, ["restore", "{folder}/earlier.xml"]),
    "enrol": (_withdrawn, ["enrol", "{folder}/sles.xm"]),
    "update next": (_only_node_in_its_update, ["update", "next"]),
    "update abort": (_only_node_in_its_update, ["update", "abort"]),
}


def _change(sandbox, name, old, new):
    file = sandbox.file.parent / name
    text, number = re.subn(old, new, file.read_text(), flags=re.MULTILINE)
    assert number == 1
    file.write_text(text)


def _one_disk(sandbox):
    disk = re.search("^disk.*$", (sandbox.file.parent / "nfs.xm").read_text(), re.MULTILINE)[0]
    _change(sandbox, "sles.xm", "^disk.*$", disk)


def _one_uuid(sandbox):
    for name in ("nfs.xm", "sles.xm"):
        with (sandbox.file.parent / name).open("a") as file:
            file.write(f'\nuuid = "{UUID}"\n')


def _one_name(sandbox):
    if "sles" in sandbox.configuration():
        sandbox.tool("crm_resource", "-r", "sles", "-p", "name", "-v", "nfs")
    else:
        _change(sandbox, "sles.xm", "^name.*$", 'name = "nfs"')


DANGERS = {
    "one disk": (_one_disk, "sles and nfs share /dev/evms/san2/vm2"),
    "one uuid": (_one_uuid, f"sles and nfs have one uuid, {UUID}"),
    "one name": (_one_name, "the resources sles and nfs are one domU"),
}
OTHERWISE = {
    ("undo", "one name"): (107, "the configuration was changed after: shut down sles"),
    ("migrate", "one name"): (109, "may mean any of: nfs (resource nfs), nfs (resource sles)"),
    ("enrol", "one disk"): (107, "sles and nfs share /dev/evms/san2/vm2\n"),
    ("enrol", "one uuid"): (107, f"sles and nfs have one uuid, {UUID}\n"),
    ("enrol", "one name"): (107, "the resource nfs is nfs, by "),
}
"""Where an order is refused before its start is foreseen."""


def _no_file(sandbox):
    (sandbox.file.parent / "sles.xm").unlink()


def _broken_file(sandbox):
    _change(sandbox, "sles.xm", "^name.*$", 'name = "sles')


UNREADABLE = {
    "no file": (_no_file, "there is no "),
    "broken file": (_broken_file, r"sles.xm:\d+:\d+: "),
}


NOT_ASKED = {
    ("active", "no file"): "its file system starts first, and the file may lie on that",
    ("update abort", "no file"): "the same",
    ("update next", "no file"): "the same",
    ("update next", "broken file"): "asks first whether the host was rebooted",
    ("enrol", "no file"): "there is nothing to enrol",
}
ASKED = [(verb, fault) for verb in VERBS for fault in UNREADABLE if (verb, fault) not in NOT_ASKED]


def _ready(sandbox, verb):
    prepare, words = VERBS[verb]
    prepare(sandbox)
    assert sandbox.nodes_of("sles") == []
    return [word.format(folder=sandbox.file.parent) for word in words]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("danger", DANGERS)
def test_a_second_instance_is_never_started(sandbox, verb, danger):
    words = _ready(sandbox, verb)
    endanger, message = DANGERS[danger]
    endanger(sandbox)
    before = sandbox.configuration()
    ran = sandbox.hxm(*words, "--yes", "--force")
    status, text = OTHERWISE.get((verb, danger), (107, f"{message}, and nfs runs on host1\n"))
    assert (ran.status, text in ran.err) == (status, True), ran
    assert sandbox.nodes_of("sles") == []
    assert sandbox.configuration() == before


HELD = [
    "start",
    "default",
    "create",
    "manage",
    "active",
    "cleanup",
    "unmigrate",
    "restore",
]
"""Verbs that lift what keeps sles from running, also while maintenance hides the start."""


@pytest.mark.parametrize("verb", HELD)
def test_a_start_that_waits_for_the_end_of_maintenance_is_judged_at_once(sandbox, verb):
    words = _ready(sandbox, verb)
    sandbox.ok("maintenance", "on")
    _one_disk(sandbox)
    before = sandbox.configuration()
    ran = sandbox.hxm(*words, "--yes", "--force")
    assert (ran.status, "sles and nfs share /dev/evms/san2/vm2" in ran.err) == (107, True), ran
    assert sandbox.configuration() == before


@pytest.mark.parametrize("prepare", [_shut_down, _in_maintenance])
def test_why_names_the_disk_for_which_its_own_advice_would_be_refused(sandbox, prepare):
    prepare(sandbox)
    assert "hxm would not start it" not in sandbox.ok("why", "sles").out
    _one_disk(sandbox)
    out = " ".join(sandbox.ok("why", "sles").out.split())
    assert "hxm would not start it: sles and nfs share /dev/evms/san2/vm2, and nfs runs" in out
    assert ("hxm shutdown sles --force; or take" in out) == (prepare is _in_maintenance)


def test_the_hint_at_the_end_of_maintenance_leads_out_of_it(sandbox):
    _in_maintenance(sandbox)
    _one_disk(sandbox)
    ran = sandbox.hxm("maintenance", "off")
    assert (ran.status, "hxm shutdown sles --force; or take" in ran.err) == (107, True), ran
    sandbox.ok("shutdown", "sles", "--force")
    sandbox.ok("maintenance", "off")
    assert sandbox.nodes_of("sles") == []


def _stop_all(sandbox):
    sandbox.tool("crm_attribute", "-n", "stop-all-resources", "-v", "true")


def _no_quorum(sandbox):
    sandbox.tool("crm_attribute", "-n", "no-quorum-policy", "-v", "freeze")
    sandbox.ok("sandbox", "lose-quorum")


def _hosts_in_maintenance(sandbox):
    for node in ("host1", "host2"):
        sandbox.ok("maintenance", "on", node)


HOLDS = {
    "maintenance": lambda sandbox: sandbox.ok("maintenance", "on"),
    "maintenance of the hosts": _hosts_in_maintenance,
    "maintenance of the domU": lambda sandbox: sandbox.ok("maintenance", "on", "sles"),
    "unmanaged": lambda sandbox: sandbox.ok("unmanage", "sles"),
    "standby": _only_node_in_standby,
    "stop-all-resources": _stop_all,
    "no quorum": _no_quorum,
}
LIFTS = (["default", "sles"], ["start", "sles"], ["undo"], ["restore", "{folder}/earlier.xml"])


@pytest.mark.parametrize("words", LIFTS, ids=lambda words: words[0])
@pytest.mark.parametrize("hold", HOLDS)
def test_no_hold_hides_the_start_that_an_order_leads_to(sandbox, hold, words):
    """In each, sles may start, is shut down again, and then shares a disk with nfs."""
    _shut_down(sandbox)
    HOLDS[hold](sandbox)
    sandbox.hxm("start", "sles", "--force", "--yes")
    sandbox.ok("backup", str(sandbox.file.parent / "earlier.xml"))
    sandbox.ok("shutdown", "sles", "--force", "--yes")
    assert sandbox.nodes_of("sles") == []
    words = [word.format(folder=sandbox.file.parent) for word in words]
    _one_disk(sandbox)
    before = sandbox.configuration()
    ran = sandbox.hxm(*words, "--yes", "--force")
    assert (ran.status, "sles and nfs share /dev/evms/san2/vm2" in ran.err) == (107, True), ran
    assert sandbox.configuration() == before


@pytest.mark.parametrize(("verb", "fault"), ASKED)
def test_a_start_from_a_file_that_cannot_be_read_is_asked_about(sandbox, verb, fault):
    words = _ready(sandbox, verb)
    spoil, message = UNREADABLE[fault]
    spoil(sandbox)
    before = sandbox.configuration()
    ran = sandbox.hxm(*words)
    assert ran.status == 107, ran
    assert re.search(message, ran.err)
    assert sandbox.nodes_of("sles") == []
    assert sandbox.configuration() == before


@pytest.mark.parametrize("verb", VERBS)
def test_without_any_of_these_the_same_order_starts_it(sandbox, verb):
    sandbox.ok(*_ready(sandbox, verb), "--yes")
    assert len(sandbox.nodes_of("sles")) == 1


@pytest.mark.parametrize(
    "words", [["reboot", "sles"], ["shutdown", "sles"], ["standby", "host2"]], ids=" ".join
)
def test_a_domu_that_could_not_start_again_is_never_stopped_or_moved_unasked(sandbox, words):
    _no_file(sandbox)
    before = sandbox.configuration()
    ran = sandbox.hxm(*words)
    assert ran.status == 107
    assert "sles could not start" in ran.err
    assert sandbox.configuration() == before
    sandbox.ok(*words, "--yes")


RESTARTS = (
    ("reboot", "sles"),
    ("migrate", "sles", "host1"),
    ("standby", "host2"),
    ("update", "start"),
)


@pytest.mark.parametrize("danger", DANGERS)
@pytest.mark.parametrize("words", RESTARTS, ids=" ".join)
def test_what_runs_side_by_side_already_is_restarted_by_force_only(sandbox, words, danger):
    sandbox.tool("crm_resource", "-r", "sles", "--meta", "-p", "allow-migrate", "-v", "false")
    endanger, message = DANGERS[danger]
    endanger(sandbox)
    before = sandbox.configuration()
    ran = sandbox.hxm(*words, "--yes")
    assert (ran.status, message in ran.err) == (107, True), ran
    assert sandbox.configuration() == before
    sandbox.ok(*words, "--yes", "--force")


def test_a_domu_that_may_run_under_another_resource_is_not_advised_to_be_started(sandbox):
    _shut_down(sandbox)
    assert "hxm start sles" in sandbox.ok("list").err
    _one_name(sandbox)
    hints = sandbox.ok("list").err
    assert "hxm start sles" not in hints
    assert "hxm check nfs" in hints

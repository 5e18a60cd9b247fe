"""The toolstack's own commands: which pass, which pass with a warning, and which are refused."""

from __future__ import annotations

import re

import pytest
from factories import cluster, domain, local, node, prefer, under_way

from hxm.catalog import BY_HAND, COMMANDS
from hxm.catalog.command import HOST, READS, REFUSED, RUNTIME
from hxm.errors import CannotAsk, Refused
from hxm.policy.orders.passthrough import judge

UUID = "8a2f7a9e-7d5a-4b9c-9f57-1d1f0c1a2b3c"
NFS = domain("nfs", "host1", id=5, uuid=UUID)
OTHER, FREE = local("other"), domain("free", "host1", managed=False, id=6)
SEEN = cluster(NFS, domain("sles"), OTHER, FREE)
WITH_B = cluster(NFS, domain("b", "host1"))
"""A domU whose name is a SysRq letter."""


def verdict(line: str, seen=SEEN, *, filed=(), local_only: bool = False) -> str:
    """passes, warns or refused."""
    name, *words = line.split()
    try:
        warning = judge(BY_HAND[name], words, seen, filed=filed, local_only=local_only)
    except Refused as refusal:
        assert refusal.status == 107
        return "refused"
    return "warns" if warning else "passes"


LINES = {
    # what only this host knows
    "block-attach other phy:/dev/vg/x,xvdb,w": "passes",
    "pause other": "passes",
    "rename other another": "passes",
    "save other /var/lib/xen/save/other": "passes",
    "sysrq other b": "passes",
    "mem-set other 512": "passes",
    "dump-core unknown": "passes",
    # the guest changes until its next start
    "mem-set nfs 512": "warns",
    "mem-max nfs 1024": "warns",
    "vcpu-set nfs 2": "warns",
    "vcpu-pin nfs all 0-3": "warns",
    "sched-credit -d nfs -w 512": "warns",
    "sched-credit --domain=nfs -w 512": "warns",
    "sched-credit -dnfs -w 512": "warns",
    "sched-credit2 -d 5": "warns",
    f"mem-set {UUID} 512": "warns",
    "cpupool-migrate nfs pool1": "warns",
    # behind the cluster's back
    "block-attach nfs phy:/dev/vg/x,xvdb,w": "refused",
    "network-detach 5 0": "refused",
    f"pause {UUID}": "refused",
    "pause nfs": "refused",
    "pause nfs--incoming": "refused",
    "pause -- nfs": "refused",
    "save nfs /tmp/nfs": "refused",
    "save -c nfs /tmp/nfs": "refused",
    "suspend nfs": "refused",
    "resume nfs": "refused",
    "restore /etc/xen/vm/nfs.xm /var/lib/xen/save/nfs": "refused",
    "restore /var/lib/xen/save/nfs": "refused",
    "restore /var/lib/xen/save/nfs.chk": "refused",
    "restore /tmp/image": "refused",  # nobody knows whose it is
    "dump-core nfs /tmp/core": "refused",
    "dump-core -C nfs /tmp/core": "refused",
    "trigger nfs power": "refused",
    "button-press nfs power": "refused",
    "reset nfs": "refused",
    "config-update nfs /etc/xen/vm/nfs.xm": "refused",
    "remus nfs host2": "refused",
    "new nfs.xm": "refused",
    "delete nfs": "refused",
    "pause sles": "refused",
    # a second domU of a managed name
    "rename nfs other": "refused",
    "rename other nfs": "refused",
    "rename 7 nfs": "refused",
    "rename free nfs": "refused",
    "rename unknown sles": "refused",
    # numbers behind a name are only numbers
    "vcpu-set other 5": "passes",
    "network-detach other 5": "passes",
    "mem-set other 5 5": "passes",
    # the way out of a pause
    "unpause nfs": "passes",
    "unpause 5": "passes",
    "unpause other": "passes",
    "unpause nfs--incoming": "refused",
    "unpause migrating-nfs": "refused",
    # the cluster looks away
    "pause free": "warns",
    "save free /tmp/free": "warns",
    "block-attach free phy:/dev/vg/x,xvdb,w": "warns",
    "sysrq free b": "warns",
}


@pytest.mark.parametrize(("line", "expected"), LINES.items(), ids=LINES)
def test_nothing_passes_behind_the_clusters_back(line, expected):
    assert verdict(line) == expected


THERE = "free runs on host1: ssh host1 hxm "
ELSEWHERE = {
    "pause free": THERE + "pause free",
    "sysrq free b": THERE + "sysrq free b",
    "block-attach free phy:/dev/vg/x,xvdb": THERE + "block-attach free phy:/dev/vg/x,xvdb",
    "vcpu-set nfs 2": "nfs runs on host1: ssh host1 hxm vcpu-set nfs 2",
    "unpause nfs": "nfs runs on host1: ssh host1 hxm unpause nfs",
    "restore free /tmp/free": "free runs on host1: two of them destroy what is on its disks",
}


@pytest.mark.parametrize(("line", "said"), ELSEWHERE.items(), ids=ELSEWHERE)
def test_what_runs_on_another_host_is_no_matter_of_this_hosts_toolstack(line, said):
    name, *words = line.split()
    with pytest.raises(Refused) as refusal:
        judge(BY_HAND[name], words, SEEN._replace(local_node="host2"))
    assert f"{refusal.value.message}: {refusal.value.hint}" == said
    judge(BY_HAND[name], words, SEEN._replace(local_node="host1"))  # which passes


@pytest.mark.parametrize("line", ["restore /tmp/a.cfg /tmp/image", "new /tmp/a.cfg"])
def test_a_name_in_a_file_never_passes_if_it_is_a_managed_domus(line):
    assert verdict(line, filed=["nfs"]) == "refused"
    assert verdict(line, filed=["fresh"]) == "passes"
    assert verdict(line) == "refused"
    assert verdict(line, cluster(OTHER)) == "passes"


TRAVELLING = {
    "here already": cluster(NFS, local("nfs--incoming", 8)),
    "by its role": cluster(NFS._replace(role="Migrating")),
    "by a pending action": cluster(NFS, under_way("migrate_to")),
}


@pytest.mark.parametrize("seen", TRAVELLING.values(), ids=TRAVELLING)
def test_a_half_copied_instance_is_never_let_run(seen):
    assert verdict("unpause nfs", seen) == "refused"


@pytest.mark.parametrize("line", ["pause nfs", "unpause 8", "mem-set free 9", "save web /x"])
def test_a_name_is_never_called_unmanaged_while_a_managed_one_is_not_known(line):
    hidden = domain("vm-nfs", nameless=True)
    with pytest.raises(CannotAsk, match="cannot be read here"):
        verdict(line, cluster(hidden, local("web")))


@pytest.mark.parametrize("letter", "bceio")
def test_a_sysrq_that_stops_the_guest_never_passes(letter):
    for name in ("nfs", "b", "5"):
        assert verdict(f"sysrq {name} {letter}", WITH_B) == "refused"


@pytest.mark.parametrize("letter", "0hklmrstuvw")
def test_a_sysrq_that_does_not_stop_the_guest_passes_with_a_warning(letter):
    for name in ("nfs", "b"):
        assert verdict(f"sysrq {name} {letter}", WITH_B) == "warns"


AWAY = {
    "the cluster": cluster(NFS, maintenance=True),
    "its node": cluster(node("host1", maintenance=True), NFS),
    "the domU": cluster(NFS._replace(managed=False)),
}


@pytest.mark.parametrize("seen", AWAY.values(), ids=AWAY)
@pytest.mark.parametrize("line", ["pause nfs", "save nfs /tmp/x", "sysrq nfs b", "mem-set nfs 1"])
def test_what_passes_while_the_cluster_looks_away_never_passes_unsaid(line, seen):
    name, *words = line.split()
    assert "the cluster does not look" in judge(COMMANDS[name], words, seen)


LOCAL_ONLY = {row.name: row for row in COMMANDS.values() if row.local_only}


@pytest.mark.parametrize("name", LOCAL_ONLY)
def test_a_device_for_the_running_domu_alone_never_passes_unasked(name):
    assert verdict(f"{name} nfs x") == "refused"
    assert verdict(f"{name} nfs x", local_only=True) == "warns"


@pytest.mark.parametrize(
    "line", ["pause nfs", "rename nfs x", "save nfs x", "dump-core nfs", "sysrq nfs b"]
)
def test_local_only_never_lifts_another_refusal(line):
    assert verdict(line, local_only=True) == "refused"


@pytest.mark.parametrize(
    "row",
    [row for row in COMMANDS.values() if row.policy == REFUSED and row.name != "unpause"],
    ids=lambda row: row.name,
)
def test_a_refusal_never_comes_without_its_reason_and_the_right_command(row):
    with pytest.raises(Refused) as raised:
        judge(row, ["nfs"], SEEN)
    assert raised.value.message.startswith("the cluster manages nfs (it runs on host1)")
    assert row.why in raised.value.message
    assert raised.value.hint.startswith("instead: ")
    assert "{" not in raised.value.hint


@pytest.mark.parametrize(
    "row", [row for row in COMMANDS.values() if row.policy == RUNTIME], ids=lambda row: row.name
)
def test_a_runtime_change_never_passes_silently(row):
    warning = judge(row, ["nfs"], SEEN)
    assert warning.startswith(f"warning: {row.name} nfs: ")
    assert "{" not in warning


def test_every_policy_is_one_that_the_cli_knows():
    assert {row.policy for row in COMMANDS.values()} == {"", READS, HOST, RUNTIME, REFUSED}


def test_where_this_host_is_not_known_nothing_runs_a_second_time():
    seen = cluster(NFS._replace(managed=False), local_node=None)
    for name in ("create", "start", "restore", "resume"):
        with pytest.raises(Refused, match="nfs runs on host1"):
            judge(BY_HAND[name], ["nfs"], seen)
    assert judge(BY_HAND["destroy"], ["nfs"], seen)


WHERE = {
    "it runs on host1": NFS,
    "it is migrating from host1 to host2": domain("nfs", "host1", "host2", role="Migrating"),
    "it is migrating from host1": domain("nfs", "host1", role="Migrating"),
}


@pytest.mark.parametrize("words", WHERE)
def test_a_refusal_says_where_the_domu_is_or_goes(words):
    with pytest.raises(Refused, match=re.escape(f"the cluster manages nfs ({words});")):
        judge(BY_HAND["pause"], ["nfs"], cluster(WHERE[words]))


def test_a_move_s_constraint_tells_where_to():
    seen = cluster(domain("nfs", "host1", role="Migrating"), prefer("nfs", "host2"))
    with pytest.raises(Refused, match="from host1 to host2"):
        judge(BY_HAND["pause"], ["nfs"], seen)

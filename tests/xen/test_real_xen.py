"""What only a real hypervisor can show, on two emulated Xen hosts with real fencing."""

from __future__ import annotations

import json
import subprocess

import pytest
from consoles import Console
from hosts import BOOT, Lab
from image import XEN

pytestmark = pytest.mark.thorough


def domains(lab: Lab, host: str) -> dict[str, dict[str, object]]:
    """What the toolstack of a host runs, by name."""
    listed = json.loads(lab[host].ok("xl list -l"))
    return {each["config"]["c_info"]["name"]: each for each in listed if each["domid"]}


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("list", "nfs"),
        ("list --everywhere", "sles"),
        ("status", "host2"),
        ("nodes", "host1"),
        ("why nfs", "nfs"),
        ("capacity --everywhere", "host1"),
        ("history nfs --everywhere", "nfs"),
        ("guard status", "/usr/sbin/xl is guarded"),
        ("info", "xen_version            : 4.17"),
        ("list nfs -o json", '"name": "nfs"'),
        ("graph", "nfs"),
        ("drill list", "fence"),
        ("vcpu-list", "Domain-0"),
    ],
)
def test_what_only_reads(lab, words, shown):
    assert shown in lab["host1"].ok(f"hxm {words}")


def test_a_domu_is_stopped_and_started(lab):
    (host,) = lab.where("sles")
    starts = lab.slot("sles").starts
    lab["host1"].ok("hxm shutdown sles", 2 * BOOT)
    assert "sles" not in domains(lab, host)
    lab["host1"].ok("hxm start sles", 2 * BOOT)
    lab.until("sles writes", lambda: lab.slot("sles").starts > starts)
    lab["host1"].ok("hxm reboot sles", 2 * BOOT)
    lab.until("sles writes", lambda: lab.slot("sles").starts > starts + 1)


def test_a_day(lab):
    """One order after the other, each from the cluster as the last one left it."""
    (here,) = lab.where("nfs")
    there = lab.other(here)
    for order, status, shown in (
        ("backup", 0, "/var/lib/hxm/backups/"),
        ("unmanage sles", 0, "sles"),
        ("list sles", 0, "unmanaged"),
        ("manage sles", 0, "sles"),
        ("maintenance on --yes", 0, "maintenance"),
        ("maintenance off", 0, "maintenance"),
        (f"standby {there} --yes", 0, "safe to power off"),
        ("nodes", 0, "standby"),
        (f"active {there}", 0, f"{there} is active again"),
        ("balance --dry-run", 107, "would move"),
        (f"migrate sles {there} --yes", 0, "stopped and started"),
        ("undo --dry-run", 0, "nothing to undo"),
        ("destroy sles --yes", 0, "sles"),
        ("default sles --yes", 0, "sles"),
        ("cleanup sles", 0, "the failures of sles are forgotten"),
        ("unmigrate", 0, ""),
        ("check --everywhere", 1, "sles cannot be migrated live"),
        ("diff", 0, ""),
    ):
        ran = lab[here].run(f"hxm {order}", 2 * BOOT)
        assert ran.returncode == status and shown in ran.stdout + ran.stderr, (order, ran)


def test_consoles(lab):
    """Of a managed domU, also from the other host, and of one that is created with it."""
    (here,) = lab.where("nfs")
    for name in lab.hosts:
        with Console(lab[name], "hxm console nfs", "nfs") as console:
            assert console.type("hostname") == "nfs"
            assert console.leave() == 0
    with Console(lab[here], "hxm create -c /etc/xen/vm4.cfg", "vm4") as console:
        assert console.type("cat /etc/host") == here
        assert console.leave() == 0
    lab[here].ok("hxm destroy vm4")
    assert "vm4" not in domains(lab, here)


def test_a_live_migration_in_every_list(lab):
    """Whatever the toolstacks call the domU meanwhile, hxm lists it once and calls none a stray."""
    (source,) = lab.where("nfs")
    before = lab.slot("nfs")
    command = f"hxm migrate nfs {lab.other(source)}"
    with subprocess.Popen(
        (*lab[source].ssh_argv(), command), stdout=subprocess.PIPE, text=True
    ) as moving:
        lists = []
        while moving.poll() is None:
            lists.append(lab[source].ok("hxm list"))
    assert moving.returncode == 0
    assert lists
    for shown in lists:
        names = [line.split()[0] for line in shown.splitlines()[1:] if line[:1].strip()]
        assert names.count("nfs") == 1, shown
        assert "stray" not in shown
        assert "--" not in "".join(names), shown
    assert lab.where("nfs") == [lab.other(source)]
    assert lab.slot("nfs").run == before.run
    assert "cli-" not in lab[source].ok("cibadmin -Q --scope constraints")


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("xl migrate nfs {other}", 107),
        ("xl create /etc/xen/nfs.cfg", 107),
        ("xl create nfs.cfg 'name=\"nfs\"'", 107),
        ("xl shutdown nfs", 107),
        ("xl destroy nfs", 107),
        ("xl pause nfs", 107),
        ("xl save nfs /tmp/nfs", 107),
        ("xl rename nfs other", 107),
        ("xl list nfs", 0),
        ("xl vcpu-list nfs", 0),
        ("xl list nobody", 1),
        ("xl destroy nobody", 1),
        ("xl no-such-command", 1),
    ],
)
def test_the_guard_before_debians_xl(lab, command, status):
    (host,) = lab.where("nfs")
    run = lab.slot("nfs").run
    ran = lab[host].run(command.format(other=lab.other(host)))
    assert ran.returncode == status, ran
    count = lab.slot("nfs").written
    lab.until("nfs writes on", lambda: lab.slot("nfs").written > count)
    assert lab.slot("nfs").run == run


def test_an_unmanaged_domu_is_saved_and_restored(lab):
    host = lab["host1"]
    earlier = lab.slot("vm4").run
    host.ok("hxm create /etc/xen/vm4.cfg")
    try:
        lab.until("vm4 writes", lambda: lab.slot("vm4").run != earlier)
        run = lab.slot("vm4").run
        host.ok("hxm save vm4 /var/tmp/vm4")
        assert "vm4" not in domains(lab, "host1")
        count = lab.slot("vm4").written
        host.ok("hxm restore /var/tmp/vm4")
        lab.until("vm4 writes on", lambda: lab.slot("vm4").written > count)
        assert lab.slot("vm4").run == run
    finally:
        host.run("hxm destroy vm4; rm -f /var/tmp/vm4")


def test_a_domu_is_enrolled_and_withdrawn(lab):
    host = lab["host1"]
    host.ok("hxm create /etc/xen/vm3.cfg")
    lab.until("vm3 writes", lambda: lab.slot("vm3").written > 3)
    run = lab.slot("vm3").run
    host.ok("hxm enrol /etc/xen/vm3.cfg --yes", 2 * BOOT)
    assert lab.where("vm3") == ["host1"]
    host.ok("hxm withdraw vm3 --yes", 2 * BOOT)
    assert lab.slot("vm3").run == run
    host.ok("hxm destroy vm3")


def test_the_last_look_before_a_start(lab):
    """Somebody starts nfs by hand where Pacemaker does not look; its own start is then refused."""
    host = lab["host1"]
    host.ok("hxm shutdown nfs", 2 * BOOT)
    earlier = lab.slot("nfs").run
    lab["host2"].ok("hxm guard bypass --reason test -- xl create /etc/xen/nfs.cfg")
    lab.until("nfs writes", lambda: lab.slot("nfs").run != earlier)
    assert lab.slot("nfs").host == "host2"
    run = lab.slot("nfs").run
    host.ok("crm_resource --ban -r nfs -N host2")
    host.ok("crm_resource --meta -r nfs -p target-role -v Started")
    try:
        host.ok("crm_resource --wait", 2 * BOOT)
        assert "nfs" not in domains(lab, "host1")
        assert lab.slot("nfs").run == run
        assert "host2" in host.ok("grep -h hxm /var/log/syslog | grep nfs")
    finally:
        lab["host2"].ok("hxm guard bypass --reason test -- xl destroy nfs")
        host.ok("crm_resource --clear -r nfs; crm_resource --cleanup -r nfs")
        host.ok("hxm default nfs --yes", 2 * BOOT)
        lab.until("the cluster has settled", lab.settled)


def test_a_double_start_is_counted(lab):
    """The guard refuses it also of what no cluster manages; past it, the instances are found."""
    lab["host1"].ok("xl create /etc/xen/vm4.cfg")
    assert lab["host2"].run("xl create /etc/xen/vm4.cfg").returncode == 107
    lab["host2"].ok(f"/usr/lib/xen-{XEN}/bin/xl create /etc/xen/vm4.cfg")
    lab.until("two instances are found", lab.doubles)
    for host in lab.hosts.values():
        host.ok("xl destroy vm4")
    lab.forget_double("vm4")


def test_a_drill_kills_a_domu(lab):
    (host,) = lab.where("sles")
    starts = lab.slot("sles").starts
    said = lab[lab.other(host)].ok("hxm drill kill sles --yes", 2 * BOOT)
    assert "sles" in said
    lab.until("sles writes", lambda: lab.slot("sles").starts == starts + 1)


def test_an_update_of_a_host(lab):
    """It is drained, rebooted and tried with a canary; hxm sees by the boot id that it is new."""
    (here,) = lab.where("nfs")
    asker, host = lab[lab.other(here)], lab[here]
    run = lab.slot("nfs").run
    asker.ok(f"hxm update start --order {here} --canary nfs --watch 5 --yes", 2 * BOOT)
    assert list(domains(lab, here)) == []
    early = asker.run("hxm update next --yes", 2 * BOOT)
    assert early.returncode == 107 and "has not been rebooted" in early.stderr, early
    host.ok("killall pacemakerd; while pidof pacemakerd; do sleep 1; done; sync")
    host.off()
    host.on()
    lab.until("the host is in the cluster again", lab.settled)
    asker.ok("hxm update next --yes", 3 * BOOT)
    assert "tried there" in asker.ok("hxm update status")
    asker.ok("hxm update next --yes", 3 * BOOT)
    assert lab.where("nfs") == [here] and lab.slot("nfs").run == run
    assert "no update is in progress" in asker.ok("hxm update status")
    lab.until("the cluster has settled", lab.settled)


def test_a_lost_host_is_fenced_and_nothing_runs_twice(lab):
    (victim,) = lab.where("nfs")
    run, cut = lab.slot("nfs").run, len(lab.switch.cuts)
    lab[victim].off()
    lab.until("nfs runs again", lambda: lab.slot("nfs").run != run)
    assert lab.slot("nfs").host == lab.other(victim)
    assert lab.switch.cuts[cut:] == [(victim, run)]


def test_xendomains_at_a_real_boot(lab):
    """systemd starts xendomains after the cluster, and the guard keeps it from what is managed."""
    host = lab["host2"]
    if lab.where("nfs") == ["host2"]:
        lab["host1"].ok("hxm migrate nfs host1", 2 * BOOT)
    run, cut = lab.slot("nfs").run, len(lab.switch.cuts)
    host.ok("mkdir -p /etc/xen/auto; cd /etc/xen/auto; ln -s ../nfs.cfg ../vm4.cfg .; sync")
    host.init = "/lib/systemd/systemd"
    host.off()
    lab.until("host2 is fenced", lambda: len(lab.switch.cuts) > cut)
    lab.until("host2 is back", lab.settled)
    lab.until("vm4 runs", lambda: "vm4" in domains(lab, "host2"))
    times = "systemctl show -P {} {}"
    cluster = host.ok(times.format("ActiveEnterTimestampMonotonic", "pacemaker"))
    guests = host.ok(times.format("InactiveExitTimestampMonotonic", "xendomains"))
    assert 0 < int(cluster) < int(guests)
    assert "nfs" not in domains(lab, "host2")
    assert lab.slot("nfs").run == run
    host.ok("hxm destroy vm4; rm -r /etc/xen/auto")

"""The guard on every node of a real cluster: nobody is hindered but who goes behind its back."""

from __future__ import annotations

import os
import random
import select
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from test_stand_in_xl import shape
from trouble import calm, never_twice

COMMANDS = int(os.environ.get("HXM_LAB_RAW", "100"))
"""How many raw commands are tried; their spellings are drawn by chance, a third is for others."""
SECONDS = int(os.environ.get("HXM_LAB_SECONDS", "420"))
"""How long monitors run through the guard, each second, while operators type."""
SEED = int(os.environ.get("HXM_LAB_SEED", "0")) or random.randrange(1 << 30)


def spellings(chance: random.Random, lab):
    """Raw commands on managed domUs without end, each with a node to type it on."""
    verbs = {
        "create": ["{file}", "/etc/xen/vm/../vm/{name}", "/etc/xen/other name={name}",
                   "-c /etc/xen/other memory=64 name={name}", "-f {file}", "-e memory=1 {file}"],
        "destroy": ["{who}", "-f {who}", "{who} -f"],
        "shutdown": ["{who}", "-w {who}", "-F -w {who}", "{who} -wF"],
        "reboot": ["{who}", "-F {who}"],
        "migrate": ["{who} {host}", "--live {who} {host}", "-C x {who} {host}", "{who} {host} -p"],
        "pause": ["{who}"],
        "save": ["{who} /tmp/x", "-c {who} /tmp/x"],
        "restore": ["/tmp/{name}", "{file} /tmp/x"],
        "rename": ["{who} new", "other {name}"],
        "block-attach": ["{who} phy:x,xvdb,w"],
        "network-detach": ["{who} 0"],
        "config-update": ["{who} {file}"],
        "trigger": ["{who} power"],
        "remus": ["{who} {host}"],
        "sysrq": ["{who} b"],
        "dump-core": ["{who} /tmp/x"],
    }  # fmt: skip
    shortest = {"create": 2, "destroy": 3, "shutdown": 3, "reboot": 3, "save": 2, "restore": 4}
    while True:
        verb, tails = chance.choice(list(verbs.items()))
        name = chance.choice(lab.domains)
        host = chance.choice(lab.hosts)
        short = verb[: chance.randint(shortest.get(verb, len(verb)), len(verb))]
        who = chance.choice([name, name, f"{name}--incoming", f"{name}--migratedaway", "#"])
        tail = chance.choice(tails).replace("name={name}", 'name="{name}"')
        tail = tail.format(name=name, who=who, file=f"/etc/xen/vm/{name}", host=lab.other(host))
        yield (
            host,
            name,
            [*chance.choice([[], ["-v"], ["-vf"], ["-t", "-T"]]), short, *tail.split()],
        )


def domid(lab, host, name):
    for line in lab.tool(host, "xl", "list", name).splitlines()[1:]:
        return line.split()[1]
    return name


HARMLESS = (
    "list {who}", "list -l other", "domid {who}", "domname {who}", "uptime", "info", "vm-list",
    "destroy {who}", "shutdown -w {who}", "migrate {who} {host}", "pause {who}", "unpause {who}",
    "rename {who} x", "mem-set {who} 64", "create /etc/xen/none", "create -q /etc/xen/none",
    "frob {who}", "restore /tmp/none /tmp/none", "trigger {who} power", "reboot {who}", "li {who}",
    "block-attach {who} phy:/dev/none,xvdb,w",
)  # fmt: skip
"""Commands on domUs that nobody manages and that do not run: the same whoever tries first."""


def others(chance: random.Random, lab):
    """Raw commands on unmanaged domUs without end, each with a node to type it on."""
    while True:
        who, host = chance.choice(["nobody", "4711", "nfs2", "n"]), chance.choice(lab.hosts)
        before = chance.choice([[], ["-v"], ["-t", "-T"]])
        yield host, [*before, *chance.choice(HARMLESS).format(who=who, host="host9").split()]


def refused(lab, case, first) -> str:
    """What is wrong with the guard's answer to a raw command on a managed domU."""
    host, name, words = case
    if "#" in words:
        host = first[name]
        words = [domid(lab, host, name) if word == "#" else word for word in words]
    ran = lab.run(host, "xl", *words)
    return "" if ran.status == 107 and not ran.out else f"{host}: {ran}"


def passed(lab, case) -> str:
    """What is wrong with what came of a raw command on an unmanaged domU."""
    host, words = case
    got, wanted = (lab.run(host, program, *words) for program in ("xl", REAL))
    same = [(ran.status, shape(ran.out), ran.err) for ran in (got, wanted)]
    return "" if same[0] == same[1] else f"{host}: {got} instead of {wanted}"


REAL = "/usr/sbin/xl.hxm-real"


def tried(lab, count: int, chance: random.Random) -> list[str]:
    """What went wrong with so many raw commands, four at a time."""
    first = {each: lab.where(each) for each in lab.domains}
    managed, unmanaged = spellings(chance, lab), others(chance, lab)
    with ThreadPoolExecutor(4) as pool:
        ran = [
            pool.submit(passed, lab, next(unmanaged))
            if number % 3 == 0
            else pool.submit(refused, lab, next(managed), first)
            for number in range(count)
        ]
        return [wrong for each in ran if (wrong := each.result())]


def test_no_raw_command_in_any_spelling_touches_a_managed_domu(guarded):
    lab = guarded
    (lab.shared / "xen/other").write_text("name = 'fresh'\nmemory = 64\n")
    calm(lab)
    since, first = len(lab.lines()), {each: lab.where(each) for each in lab.domains}
    wrong = tried(lab, COMMANDS, random.Random(SEED))
    assert not wrong, f"seed {SEED}: {len(wrong)} of {COMMANDS}: {wrong[:3]}"
    assert {each: lab.where(each) for each in lab.domains} == first
    assert [each for each in lab.events(since) if each["name"] in lab.domains] == []
    never_twice(lab)


def asked_by_agents(lab) -> int:
    """How often agents have asked the toolstacks for a list."""
    return sum(
        int(lab.run(host, "sh", "-c", "wc -c </run/xl/agents || echo 0").out) for host in lab.hosts
    )


@pytest.mark.thorough
def test_monitors_each_second_notice_nothing_of_the_guard(guarded):
    lab, host = guarded, guarded.hosts[0]
    (lab.shared / "xen/other").write_text("name = 'fresh'\nmemory = 64\n")
    for name in lab.domains:
        xml = f'<op id="{name}-monitor" name="monitor" interval="1s" timeout="20s"/>'
        lab.tool(host, "cibadmin", "--modify", "--scope=resources", f"--xml-text={xml}")
    calm(lab)
    since, first, chance = len(lab.lines()), asked_by_agents(lab), random.Random(SEED)
    wrong: list[str] = []
    count, moves, end = 0, 0, time.monotonic() + SECONDS
    while time.monotonic() < end and not wrong:
        wrong += tried(lab, 40, chance)
        count += 40
        name = chance.choice(lab.domains)
        there = lab.other(lab.where(name))
        moved = lab.ok(there, "migrate", name, there, "-o", "json").json["domains"]
        wrong += [str(moved)] * (moved[0]["how"] != "live")
        moves += 1
    calls = asked_by_agents(lab) - first
    print(f"{SECONDS} s: {count} raw commands, {moves} migrations, {calls} lists by agents")
    assert not wrong, f"seed {SEED}: {wrong[:3]}"
    assert calls > SECONDS
    assert lab.mon().find("failures/failure") is None
    ops = {each["op"] for each in lab.events(since) if each["name"] in lab.domains}
    assert ops <= {"migrate", "arrived", "migrated"}
    never_twice(lab)


def test_unmanaged_domus_pass_and_share_no_disk_with_one_on_any_node(guarded):
    lab, (host, there, _) = guarded, guarded.hosts
    for name in ("other", "third"):
        text = f'name = "{name}"\nmemory = 64\ndisk = ["phy:/dev/vg/data,xvda,w"]\n'
        (lab.shared / "xen" / name).write_text(text)
    since = len(lab.lines())
    assert lab.run(host, "xl", "create", "/etc/xen/other").status == 0
    assert lab.run(host, "xl", "create", "/etc/xen/other").status == 3
    ran = lab.run(there, "xl", "create", "/etc/xen/third")
    assert (ran.status, f"third and other (on {host}) share" in ran.err) == (107, True), ran
    with lab.knob(f"ssh@{host}", rc=255, msg="Permission denied (publickey)."):
        ran = lab.run(there, "xl", "create", "/etc/xen/third")
    assert (ran.status, f"the domUs of {host} are unknown" in ran.err) == (102, True), ran
    lab.tool(host, "xl", "destroy", "other")
    ops = [each["op"] for each in lab.events(since) if each["name"] == "other"]
    assert ops.count("created") == 1


def differing(lab, host) -> dict[str, list[str]]:
    domains = lab.ok(host, "list", "--everywhere", "-o", "json").json["domains"]
    return {each["name"]: each["differs"] for each in domains if each["differs"]}


def test_the_list_flags_what_is_not_so_and_nothing_that_is_on_its_way(guarded):
    lab, here = guarded, guarded.where("vm3")
    there = lab.other(here)
    moving = lab.start(there, "hxm", "migrate", "nfs", lab.other(lab.where("nfs")))
    while not select.select([moving.door], [], [], 0)[0]:
        assert differing(lab, there) == {}
    assert moving.wait().status == 0
    lab.tool(here, REAL, "pause", "vm3")
    assert differing(lab, there) == {"vm3": ["paused"]}
    assert " paused" in lab.ok(here, "list", "vm3").out
    lab.tool(here, REAL, "unpause", "vm3")
    (lab.shared / "xen/left").write_text("name = 'vm3--migratedaway'\nmemory = 64\n")
    lab.tool(there, REAL, "create", "/etc/xen/left")
    assert differing(lab, here) == {"vm3--migratedaway": ["left-over"]}
    lab.tool(there, REAL, "destroy", "vm3--migratedaway")
    assert differing(lab, there) == {}


def test_agents_and_hxm_work_through_the_guard(guarded):
    lab = guarded
    since = len(lab.lines())
    for _ in range(2):
        here = lab.where("nfs")
        there = lab.other(here)
        ran = lab.ok(there, "migrate", "nfs", there, "-o", "json")
        assert ran.json["domains"][0]["how"] == "live"
    lab.ok(lab.hosts[0], "shutdown", "sles")
    lab.ok(lab.hosts[1], "start", "sles")
    lab.ok(lab.hosts[1], "reboot", "vm3")
    here = lab.where("vm3")
    lab.ok(lab.other(here), "destroy", "vm3")  # past the guard of another node
    lab.ok(lab.other(here), "start", "vm3")
    calm(lab)
    assert lab.mon().find("failures/failure") is None
    ops = [each["op"] for each in lab.events(since) if each["name"] == "nfs"]
    assert ops == ["migrate", "arrived", "migrated"] * 2
    never_twice(lab)


def test_a_cluster_that_cannot_be_asked_lets_nothing_change_and_everything_be_read(guarded):
    lab, host = guarded, guarded.hosts[2]
    blind = "mount -t tmpfs none /dev/shm; xl list; xl destroy nobody"
    ran = lab.run(host, "unshare", "-m", "sh", "-c", blind)
    assert ran.status == 102, ran
    assert "Domain-0" in ran.out

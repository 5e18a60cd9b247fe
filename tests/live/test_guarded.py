"""The guard on every node of a real cluster: nobody is hindered but who goes behind its back."""

from __future__ import annotations

import os
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from trouble import calm, never_twice

COMMANDS = int(os.environ.get("HXM_LAB_RAW", "150"))
"""How many raw commands on managed domUs are tried; their spellings are drawn by chance."""
SEED = int(os.environ.get("HXM_LAB_SEED", "0")) or random.randrange(1 << 30)


@pytest.fixture
def guarded(lab):
    for host in lab.hosts:
        lab.ok(host, "guard", "install")
        assert "/usr/sbin/xl is guarded" in lab.ok(host, "guard", "status").out
    yield lab
    for host in lab.hosts:
        if lab.switch("state", host) == "on":
            lab.ok(host, "guard", "remove")


def spellings(chance: random.Random, lab, count: int):
    """Raw commands on managed domUs, each with a node to type it on and the status to expect."""
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
    for _ in range(count):
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


def test_no_raw_command_in_any_spelling_touches_a_managed_domu(guarded):
    lab = guarded
    (lab.shared / "xen/other").write_text("name = 'fresh'\nmemory = 64\n")
    calm(lab)
    since, first = len(lab.lines()), {each: lab.where(each) for each in lab.domains}
    chance = random.Random(SEED)

    def tried(case):
        host, name, words = case
        if "#" in words:
            host = first[name]
            words = [domid(lab, host, name) if word == "#" else word for word in words]
        return words, lab.run(host, "xl", *words)

    with ThreadPoolExecutor(4) as pool:
        cases = spellings(chance, lab, COMMANDS)
        wrong = [(words, ran) for words, ran in pool.map(tried, cases) if ran.status != 107]
    assert not wrong, f"seed {SEED}: {len(wrong)} of {COMMANDS}: {wrong[:3]}"
    assert {each: lab.where(each) for each in lab.domains} == first
    assert [each for each in lab.events(since) if each["name"] in lab.domains] == []
    never_twice(lab)


def test_unmanaged_domus_pass_with_the_toolstacks_own_output_and_status(guarded):
    lab, host = guarded, guarded.hosts[0]
    (lab.shared / "xen/other").write_text("name = 'other'\nmemory = 64\n")
    real = "/usr/sbin/xl.hxm-real"
    for words in (
        "create /etc/xen/other", "create /etc/xen/other", "shutdown -w other", "destroy other",
        "create -q /etc/xen/other", "destroy other", "create /etc/xen/none",
        "destroy 4711", "frob", "migrate other host9", "list nobody",
    ):  # fmt: skip
        got = lab.run(host, "xl", *words.split())
        if words.startswith(("create -q", "create /etc/xen/other", "shutdown", "destroy other")):
            continue  # these change what the other would see
        wanted = lab.run(host, real, *words.split())
        assert (got.status, got.out, got.err) == (wanted.status, wanted.out, wanted.err), words
    assert lab.xl(host).count("other") == 0
    ops = [each["op"] for each in lab.events() if each["name"] == "other"]
    assert ops.count("created") == 2


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

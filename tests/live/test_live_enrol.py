"""A domU put under a real cluster while it runs, and out again: by its own domid and events."""

from __future__ import annotations

import re
import shlex

import pytest
from trouble import calm, killed, never_twice, sampled, sane

FILE = "/etc/xen/vm/web"
ENROL, WITHDRAW = 4, 6
"""How often each of them changes something."""


@pytest.fixture
def web(lab):
    """The file of a domU that no cluster knows; whatever becomes of it, it is gone afterwards."""
    (lab.shared / "xen/vm/web").write_text(
        'name = "web"\nmemory = 256\nbootloader = "pygrub"\ndisk = [ "phy:/dev/vg/web,xvda,w" ]\n'
    )
    yield lab
    for host in lab.alive():
        if lab.configuration(host) != lab.first:
            lab.hxm(host, "withdraw", "web", "--yes")
        if "web" in lab.xl(host):
            lab.tool(host, "xl", "destroy", "web")


def running(lab, host):
    """Let it run there outside the cluster; the node and its domid."""
    lab.tool(host, "xl", "create", FILE)
    return host, domid(lab, host)


def domid(lab, host):
    ran = lab.run(host, "xl", "domid", "web")
    return ran.out.strip() if ran.status == 0 else None


def raw(lab):
    """The configuration to the byte, but for the time at which nodes last forgot something."""
    text = lab.tool("host1", "cibadmin", "--query", "--scope=configuration")
    return re.sub(r'(name="last-lrm-refresh" value=)"\d+"', r"\1", text)


def back(lab, host):
    """What is left goes by the commands that hxm names; what is whole, by a withdrawal."""
    done = []
    while lab.configuration(host) != lab.first:
        left = lab.ok(host, "list", "-o", "json").json["left"]
        ways = [each["do"] for each in left if each["do"].startswith("hxm ")]
        done.append(ways[0] if ways else "hxm withdraw web")
        sane(lab.hxm(host, *shlex.split(done[-1])[1:], "--yes"))
        assert len(done) < 5, done
    return done


def test_it_runs_all_the_while(web):
    lab = web
    first = raw(lab)
    place = running(lab, "host2")
    since = len(lab.lines())
    ran = lab.ok("host1", "enrol", FILE)
    assert "which ran on host2 all the while" in ran.out
    assert lab.where("web") == "host2"
    assert 'name="is-managed"' not in lab.configuration()
    assert lab.hxm("host2", "pause", "web").status == 107
    calm(lab)
    assert lab.events(since) == []
    ran = lab.ok("host3", "withdraw", "web")
    assert "and still runs on host2" in ran.out
    calm(lab)
    assert lab.events(since) == []
    assert domid(lab, "host2") == place[1]
    assert lab.nodes_of("web") == []
    assert lab.configuration() == lab.first
    assert raw(lab) == first


@pytest.mark.thorough
def test_what_runs_nowhere_the_cluster_starts(web):
    lab = web
    ran = lab.ok("host1", "enrol", FILE, "--like", "nfs", "--yes", "-o", "json")
    (change,) = ran.json["domains"]
    assert change["how"] == "started"
    assert domid(lab, lab.where("web"))
    there = lab.where("web")
    other = lab.other(there)
    assert "live" in lab.ok("host1", "migrate", "web", other).out
    lab.ok("host1", "withdraw", "web")
    assert domid(lab, other)
    assert lab.configuration() == lab.first


def test_a_typo_never_comes_to_the_cluster(web):
    lab = web
    path = lab.shared / "xen/vm/web"
    good = path.read_text()
    for bad, said in (
        (good.replace('"web"', '"web'), "web:1:8"),
        (good.replace("memory", "memroy"), "no memory"),
        (good.replace("vg/web", "vg/nfs"), "web and nfs share /dev/vg/nfs"),
    ):
        path.write_text(bad)
        ran = lab.hxm("host1", "enrol", FILE)
        assert ran.status == 107, ran
        assert said in ran.err
    assert lab.configuration() == lab.first
    assert "web" not in lab.tool("host1", "cibadmin", "-Q")


def test_every_node_must_have_the_same_file(web):
    lab = web
    put = 'printf "%s\\n" "$0" >/etc/own'
    text = 'name = "web"\nbootloader = "pygrub"\nmemory = 64'
    lab.run("host1", "sh", "-c", put, text)
    ran = lab.hxm("host1", "enrol", "/etc/own")
    assert ran.status == 107, ran
    assert "cannot be read (No such file or directory) on host2" in ran.err
    lab.run("host2", "sh", "-c", put, text)
    lab.run("host3", "sh", "-c", put, text + "\nvcpus = 2")
    ran = lab.hxm("host1", "enrol", "/etc/own", "--force")
    assert ran.status == 107, ran
    assert "differs from this host's on host3" in ran.err
    lab.turn("ssh@host3", rc=255, msg="Connection refused")
    ran = lab.hxm("host1", "enrol", "/etc/own")
    assert "host3 cannot be asked: no sshd there" in ran.err
    assert lab.configuration() == lab.first


@pytest.mark.thorough
def test_a_start_that_fails_is_taken_back(web):
    lab = web
    lab.turn("create.web", rc=3, msg="xc: error: panic: Out of memory")
    ran = lab.hxm("host1", "enrol", FILE, "--yes")  # no node has its disk
    assert ran.status == 1, ran
    assert "everything was rolled back" in ran.err
    assert lab.configuration() == lab.first
    calm(lab)
    assert lab.mon().find("failures/failure") is None


CASES = [
    (verb, f"{number}-{when}")
    for verb, count in (("enrol", ENROL), ("withdraw", WITHDRAW))
    for number in range(1, count + 1)
    for when in ("before", "after")
]


@pytest.mark.parametrize(("verb", "point"), sampled([("withdraw", "4-after")], CASES))
def test_killed(web, verb, point):
    lab = web
    _, number = running(lab, "host2")
    words = ("enrol", FILE)
    if verb == "withdraw":
        lab.ok("host1", "enrol", FILE)
        words = ("withdraw", "web")
    since = len(lab.lines())
    ran, calls = killed(lab, "host1", words, point)
    assert ran.status == -9, ran
    assert len(calls) == int(point.split("-")[0])
    calm(lab)
    never_twice(lab)
    text = lab.configuration()
    half = "hxm-enrol-web" in text or "hxm-withdraw-web" in text
    if half or ('id="web"' in text and "is-managed" not in text):
        assert lab.hxm("host2", "pause", "web").status == 107
    done = back(lab, "host3")
    assert not half or done == ["hxm unlock", "hxm withdraw web"], done
    calm(lab)
    never_twice(lab)
    assert lab.events(since) == []
    assert domid(lab, "host2") == number
    assert lab.ok("host3", "list", "-o", "json").json["left"] == []


@pytest.mark.thorough
@pytest.mark.parametrize("verb", ["enrol", "withdraw"])
def test_every_change_is_counted(web, verb):
    lab = web
    running(lab, "host2")
    if verb == "withdraw":
        lab.ok("host1", "enrol", FILE)
    words = ("enrol", FILE) if verb == "enrol" else ("withdraw", "web")
    ran, calls = killed(lab, "host1", words, "none")
    sane(ran)
    assert len(calls) == {"enrol": ENROL, "withdraw": WITHDRAW}[verb], calls

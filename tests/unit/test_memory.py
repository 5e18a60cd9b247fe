"""Memory: what fits where, what is unknown, and what the utilization attributes leave out."""

from __future__ import annotations

import io
from contextlib import nullcontext

import pytest
from factories import cluster, domain, local, node, primitive, reasons
from hypothesis import given
from hypothesis import strategies as st

from hxm.cluster import capacity as engine
from hxm.commands import capacity
from hxm.errors import CannotAsk
from hxm.output import shift_bars
from hxm.output.progress import Display
from hxm.pacemaker.cib import parse_configuration
from hxm.pacemaker.utilization import utilization_in
from hxm.policy import memory
from hxm.policy.memory import Host, Loss, Need
from hxm.policy.utilization import Utilization
from hxm.toolstack.memory import parse_info


def needs(*found: Need) -> dict[str, Need]:
    return {each.domain.resource: each for each in found}


NFS, SLES, VM3 = (domain(name, "host1") for name in ("nfs", "sles", "vm3"))


def to_host2(*who: str):
    """host1 with three domUs, and the same when some of them have gone to host2."""
    before = cluster(NFS, SLES, VM3)
    moved = [
        each._replace(nodes=("host2",)) if each.name in who else each for each in before.domains
    ]
    return before, before._replace(domains=tuple(moved))


def judged(free: int | None, *found: Need, who=("nfs", "sles", "vm3"), seen=None):
    before, after = to_host2(*who)
    (places,) = memory.arrivals(seen or before, [Host("host2", free)], needs(*found), before, after)
    return [n.domain.name for n in places.fit], [n.domain.name for n in places.too_many], places


def test_what_xl_wants_for_a_domu_is_more_than_its_memory():
    """Xen 4.17: 2 GiB with 2 vcpus take 2 + 16 + 2 MiB of tables and slack."""
    assert memory.with_overhead(2048, vcpus=2) == 2048 + 20
    assert memory.with_overhead(512) == 520
    assert memory.with_overhead(512, 1024) == 524


@given(st.integers(1, 1 << 20), st.integers(1, 64))
def test_what_a_domu_takes_is_even_and_never_less_than_it_has(size, cpus):
    taken = memory.with_overhead(size, vcpus=cpus)
    assert taken % 2 == 0
    assert taken >= size + cpus + size // 128 + 2


def test_who_fits_is_let_in_and_who_does_not_is_named():
    found = [Need(each, 512) for each in (NFS, SLES, VM3)]
    assert judged(1600, *found)[:2] == (["nfs", "sles", "vm3"], [])
    assert judged(1100, *found)[:2] == (["nfs", "sles"], ["vm3"])
    assert judged(100, *found)[:2] == ([], ["nfs", "sles", "vm3"])


def test_a_large_one_that_does_not_fit_leaves_the_place_to_a_small_one():
    found = [Need(NFS, 4096), Need(SLES, 512), Need(VM3, 512)]
    fit, too_many, places = judged(1100, *found)
    assert (fit, too_many, places.left) == (["sles", "vm3"], ["nfs"], 60)


def test_the_more_important_is_let_in_first():
    seen = cluster(NFS, SLES, VM3, primitive("vm3", own={"priority": "10"}))
    found = [Need(each, 512) for each in (NFS, SLES, VM3)]
    assert judged(600, *found, seen=seen)[0] == ["vm3"]


def test_the_unknown_is_neither_enough_nor_too_little():
    found = [Need(NFS, None), Need(SLES, 512)]
    fit, too_many, places = judged(600, *found, who=("nfs", "sles"))
    assert (fit, too_many, places.left) == (["nfs", "sles"], [], None)
    assert list(memory.without_room([places])) == []
    loss = Loss("host1", (places,), (), ())
    assert (loss.fits, loss.unknown) == (None, ("nfs",))
    _, _, silent = judged(None, Need(SLES, 512), who=("sles",))
    assert Loss("host1", (silent,), (), ()).unknown == ("host2",)
    assert Loss("host1", (silent,), (), (VM3,)).fits is False


DOWN = domain("vm4")
AMISS = {
    "all runs": ((NFS,), {}, [(NFS,)], []),
    "it was stopped": ((domain("vm4", target_role="stopped"),), {}, [()], []),
    "nobody manages it": ((domain("vm4", managed=False),), {}, [()], []),
    "it would start if something is lost": ((DOWN,), {}, [(DOWN,), ()], []),
    "it runs nowhere": ((DOWN, NFS), {}, [(DOWN,), (DOWN, NFS)], ["vm4 should run and cannot"]),
    "no quorum": ((NFS,), {"quorum": False}, [()], ["there is no quorum"]),
    "no quorum, and it is ignored": (
        (NFS,),
        {"quorum": False, "properties": {"no-quorum-policy": "ignore"}},
        [()],
        [],
    ),
    "no node is up": (
        (DOWN, node("host1", online=False)),
        {},
        [],
        ["no node can run anything", "vm4 should run and cannot"],
    ),
}


@pytest.mark.parametrize(("parts", "known", "nowhere", "expected"), AMISS.values(), ids=AMISS)
def test_what_has_no_place_already_is_told(parts, known, nowhere, expected):
    seen = cluster(*parts, **known)
    losses = [Loss("host1", (), (), each) for each in nowhere]
    told = list(memory.amiss(seen, losses))
    assert [line.partition(",")[0].partition(":")[0] for line in told] == expected


def test_what_is_known_not_to_fit_is_refused_even_beside_the_unknown():
    _, _, places = judged(100, Need(NFS, None), Need(SLES, 512), who=("nfs", "sles"))
    assert reasons(list(memory.without_room([places]))) == [
        "sles would not fit on host2: 520 MiB wanted, 100 free, 107, --force"
    ]


def test_who_leaves_makes_room_and_who_was_there_takes_none():
    before = cluster(domain("nfs", "host1"), domain("sles", "host2"))
    after = cluster(domain("nfs", "host2"), domain("sles", "host1"))
    found = needs(Need(before.domains[0], 512), Need(before.domains[1], 512))
    (places,) = memory.arrivals(before, [Host("host2", 8)], found, before, after)
    assert places.left == 0
    running = cluster(local("nfs"), domain("nfs", "host1"))
    (places,) = memory.arrivals(running, [Host("host1", 0)], found, running, before)
    assert places.fit == places.too_many == ()


def test_how_many_more_counts_whole_domus_on_each_host():
    assert memory.how_many([1000, 1999, -40], 1000) == 2
    assert memory.how_many([1000, None], 1000) is None


def used(nodes, resources, strategy="utilization") -> Utilization:
    return Utilization(
        {name: {"hv_memory": value} for name, value in nodes.items()},
        {name: {"hv_memory": value} for name, value in resources.items()},
        strategy,
    )


ONE_SIDED = {
    "nowhere": (used({}, {}), []),
    "everywhere": (used({"host1": "4096", "host2": "4096"}, {"nfs": "512", "sles": "512"}), []),
    "domUs alone": (
        used({}, {"nfs": "512", "sles": "512"}),
        ["is set for nfs, sles and not for host1, host2: none of these may run there"],
    ),
    "one node is left out": (
        used({"host1": "4096"}, {"nfs": "512", "sles": "512"}),
        ["is set for nfs, sles and not for host2: none of these may run there"],
    ),
    "nodes alone": (
        used({"host1": "4096", "host2": "4096"}, {}),
        ["is set for host1, host2 and not for nfs, sles: to the scheduler these take nothing"],
    ),
    "not heeded": (
        used({"host1": "4096", "host2": "4096"}, {"nfs": "512", "sles": "512"}, "default"),
        ["the scheduler heeds no utilization"],
    ),
    "less than it takes": (
        used({"host1": "4096", "host2": "4096"}, {"nfs": "512", "sles": "256"}),
        ["sles takes 512 MiB, and its utilization says 256"],
    ),
    "more than there is": (
        used({"host1": "9999", "host2": "4096"}, {"nfs": "512", "sles": "512"}),
        ["host1 has 4096 MiB for domUs, and its utilization says 9999"],
    ),
}


@pytest.mark.parametrize(("said", "expected"), ONE_SIDED.values(), ids=ONE_SIDED)
def test_utilization_on_one_side_is_found(said, expected):
    seen = cluster(domain("nfs", "host1"), domain("sles", "host2"))
    found = needs(*(Need(each, 512) for each in seen.domains))
    hosts = [Host("host1", 0, 5120, 1024), Host("host2")]
    told = list(memory.one_sided(seen, said, found, hosts))
    assert len(told) == len(expected)
    for line, part in zip(told, expected, strict=True):
        assert part in line


def test_a_utilization_that_the_agent_sets_counts():
    """autoset_utilization_hv_memory of ocf:heartbeat:Xen."""
    seen = cluster(
        domain("nfs", "host1"),
        primitive("nfs", params={"autoset_utilization_hv_memory": "true"}),
    )
    found = needs(Need(seen.domains[0], 512))
    (line,) = memory.one_sided(seen, used({}, {}), found, [])
    assert "hv_memory is set for nfs and not for host1, host2" in line


CIB = b"""<cib><configuration>
<crm_config><cluster_property_set id="o">
  <nvpair id="p" name="placement-strategy" value="balanced"/></cluster_property_set></crm_config>
<nodes><node id="1" uname="host1"><utilization id="u">
  <nvpair id="u1" name="hv_memory" value="4096"/></utilization></node></nodes>
<resources><template id="t" class="ocf" provider="heartbeat" type="Xen"><utilization id="tu">
    <nvpair id="tu1" name="hv_memory" value="512"/><nvpair id="tu2" name="cpu" value="1"/>
  </utilization></template>
  <group id="g"><primitive id="nfs" template="t"><utilization id="nu">
    <nvpair id="nu1" name="hv_memory" value="1024"/></utilization></primitive></group>
</resources><constraints/></configuration></cib>"""


def test_utilization_is_read_with_what_comes_from_a_template():
    assert utilization_in(parse_configuration(CIB).cib) == Utilization(
        {"host1": {"hv_memory": "4096"}},
        {"nfs": {"hv_memory": "1024", "cpu": "1"}},
        "balanced",
    )


INFO = """total_memory           : 1535
free_memory            : 748
xen_commandline        : console=com1 {}
"""


def test_the_memory_of_a_host_is_what_xl_info_says():
    info = parse_info(INFO.format("dom0_mem=768M,max:768M").encode())
    assert (info.total, info.free, info.elastic) == (1535, 748, False)
    assert parse_info(INFO.format("loglvl=all").encode()).elastic
    assert not parse_info(b"total_memory : 16384\nfree_memory : 100\n").elastic
    for printed in (b"", b"total_memory : 16384\n", b"total_memory : x\nfree_memory : 1\n"):
        with pytest.raises(CannotAsk):
            parse_info(printed)


FILES = {
    "xl": ('name = "x"\nmemory = 512\nmaxmem = "1024"\nvcpus = 2\n', (512, 1024, 2)),
    "no memory": ('name = "x"\n', (None, None, 1)),
    "unreadable": ("memory = 512 +\n", (None, None, None)),
    "libvirt": (
        "<domain><vcpu>2</vcpu><currentMemory unit='k'>524288</currentMemory><memory unit='G'>1<",
        (512, 1024, 2),
    ),
    "libvirt, in KiB": ("<domain type='xen'><memory>524289</memory></domain>", (513, 513, None)),
}


@pytest.mark.parametrize(("text", "expected"), FILES.values(), ids=FILES)
def test_a_domus_memory_is_read_from_its_file(text, expected, tmp_path):
    path = tmp_path / "x.cfg"
    path.write_text(text)
    memory_, most, cpus = expected
    seen = cluster(domain("x", "host1", xmfile=str(path)))
    (need,) = engine.read_needs(seen).values()
    assert (need.memory, need.most, need.vcpus) == (memory_, most, cpus or 1)


def test_what_runs_counts_if_it_is_more_than_the_file_says(tmp_path):
    path = tmp_path / "x.cfg"
    path.write_text("memory = 512\n")
    for listed, expected in ((1024, 1024), (256, 512)):
        seen = cluster(domain("x", "host1", xmfile=str(path), id=3, memory=listed))
        assert engine.read_needs(seen)["x"].memory == expected


def test_the_loss_of_a_node_costs_the_quorum_as_it_would():
    from hxm.policy.guards.quorum import quorum_without

    three = [node(f"host{n}") for n in (1, 2, 3)]
    assert quorum_without(cluster(), "host1")
    assert quorum_without(cluster(*three), "host1")
    gone = three[2]._replace(online=False)
    assert not quorum_without(cluster(*three[:2], gone), "host1")


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("stop", ["the other nodes would have no quorum"]),
        ("freeze", ["the other nodes would have no quorum"]),
        ("ignore", ["nfs takes 520 MiB; there would be 100 on host2"]),
    ],
)
def test_a_quorum_that_is_ignored_is_no_reason(policy, why):
    seen = cluster(NFS, properties={"no-quorum-policy": policy})
    refused = memory.Refusal(Need(NFS, 512), "host2", 100)
    loss = Loss("host1", (), (refused,), (NFS,), quorate=False)
    answer = capacity._Answer(seen, [], {}, [loss], None, [], [])
    assert list(capacity._why(answer, loss)) == why


def test_who_waits_for_the_losses_sees_how_far_they_are(monkeypatch):
    told = []

    class Recorded(Display):
        def left(self, names, total):
            told.append((tuple(names), total))

    monkeypatch.setattr(capacity, "display", lambda _: nullcontext(Recorded()))
    monkeypatch.setattr(
        engine, "after_losses", lambda _, names, *__: (Loss(name, (), (), ()) for name in names)
    )
    found = capacity._losses(cluster(), ["host1", "host2"], [], {})
    assert [each.node for each in found] == ["host1", "host2"]
    assert told == [(("host1", "host2"), 2), (("host2",), 2), ((), 2)]


def test_of_several_without_room_each_asks_for_it():
    down = [domain("nfs"), domain("sles")]
    asking = {"hv_memory": "2048"}
    resources = dict.fromkeys(("nfs", "sles"), asking)
    used = Utilization({"host1": {"hv_memory": "10"}}, resources, "utilization")
    seen = cluster(*down)
    lost = Loss("host1", (), (), tuple(down))
    (told,) = memory.amiss(seen, [lost], used)
    assert told.startswith("nfs, sles should run and cannot: each asks for hv_memory 2048")
    (alone,) = memory.amiss(cluster(down[0]), [lost._replace(nowhere=(down[0],))], used)
    assert "it asks for" in alone


def test_a_host_that_has_less_than_its_domus_take_is_named():
    hosts = [Host("host1", -32, source="hv_memory")]
    (told,) = memory.one_sided(cluster(NFS), Utilization({}, {}), {}, hosts)
    assert told == "the domUs of host1 take 32 MiB more than its hv_memory says"


def test_what_moves_make_of_the_hosts_is_known_as_far_as_memory_is():
    hosts = (Host("host1", 100), Host("host2", 4000), Host("host3"))
    found = needs(Need(NFS, 512), Need(SLES, 256), Need(VM3._replace(nodes=("host3",)), None))
    rows = [*memory.shifts(hosts, found, {"nfs": ("host2",)})]
    assert [(row.host, row.used, row.then, row.free, row.left) for row in rows] == [
        ("host1", 782, 262, 100, 620),
        ("host2", 0, 520, 4000, 3480),
        ("host3", 0, 0, None, None),
    ]
    drawn = [*shift_bars.lines(rows, io.StringIO())]
    assert max(map(len, drawn)) <= 80
    assert [line[:13].split() for line in drawn[:3]] == [
        ["host1", "now"],
        ["then"],
        ["host2", "now"],
    ]
    assert drawn[-1].endswith("0 MiB of domUs,    ? free")

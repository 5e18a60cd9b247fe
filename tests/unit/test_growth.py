"""What is read may be large: of four times as much the reader takes about four times as long.

CPU time is measured, which other programs on the machine do not use up; the best of several runs.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
from factories import DATA, cluster, domain, prefer, primitive

from hxm.audit.survey import parse_survey
from hxm.domu.config_file import agent_name, parse_xmfile
from hxm.domu.disk_spec import parse_disk
from hxm.domu.libvirt_xml import drives_xen, memory_and_vcpus
from hxm.domu.xm_header import as_data
from hxm.model import Cluster, Failure, Operation
from hxm.pacemaker.cib import configuration_in, parse_configuration
from hxm.pacemaker.cib_edit import edit
from hxm.pacemaker.crm_mon import as_migrations, parse_status
from hxm.pacemaker.crm_mon_words import failure_in
from hxm.pacemaker.verify import parse_complaints, parse_rings
from hxm.plan import Action, Movement, Step, StepKind
from hxm.policy.forecast import after_all, after_steps, movements
from hxm.policy.guards import in_flight
from hxm.policy.reasons.facts import Facts, Reason
from hxm.policy.reasons.why import ask, likely
from hxm.policy.relations import INFINITY, Colocation, Order, Relations
from hxm.records.journal import orders_backwards
from hxm.toolstack.host_facts import parse_facts
from hxm.toolstack.list_long import parse_image, parse_long
from hxm.toolstack.virsh import spoken
from hxm.toolstack.xl import parse_list
from hxm.xml_reading import parse_xml

LONG_ENOUGH = 0.004
"""Seconds of CPU time for the smaller input."""
TIMES = 4
MOST = 9.0
"""What is linear takes TIMES as long, what is quadratic TIMES * TIMES."""

MON = (DATA / "pacemaker-2.1.5" / "states.output-as-xml.xml").read_bytes()
MON_TEXT = (DATA / "pacemaker-2.1.5" / "states.mon-1nr.txt").read_bytes()
PRIMITIVE = (
    '<primitive id="vm{0}" class="ocf" provider="heartbeat" type="Xen"><instance_attributes '
    'id="vm{0}-ia"><nvpair id="vm{0}-x" name="xmfile" value="/etc/xen/vm{0}"/>'
    "</instance_attributes></primitive>"
)
XL_LIST = "Name                ID   Mem VCPUs\tState\tTime(s)\n"
QUOTED = b"config parsing error near `x"
LOCK = b'<cluster_property_set id="hxm-lock"><nvpair/></cluster_property_set>'


def more_of(document: bytes, line: bytes, count: int) -> bytes:
    """The document with so many lines of the kind that begins like this."""
    (first, *_) = [one for one in document.splitlines(keepends=True) if line in one]
    return document.replace(first, first * count, 1)


def cib(count: int) -> bytes:
    resources = "".join(PRIMITIVE.format(number) for number in range(count))
    constraints = "".join(
        f'<rsc_location id="cli-ban-vm{number}" rsc="vm{number}" node="a" score="-INFINITY"/>'
        for number in range(count)
    )
    return (
        f"<cib><configuration><crm_config/><nodes/><resources>{resources}</resources>"
        f"<constraints>{constraints}</constraints></configuration></cib>"
    ).encode()


def many(count: int) -> Cluster:
    domains = [domain(f"vm{number}", f"host{number % 2 + 1}") for number in range(count)]
    bans = [prefer(f"vm{number}") for number in range(count)]
    history = [Operation("host1", f"vm{number}", "monitor", 1, 0) for number in range(count)]
    return cluster(*domains, *history, *bans)


def moves(count: int) -> list[Movement]:
    return [Movement(f"vm{number}", "live", "host1", "host2") for number in range(count)]


def moved(count: int) -> list[Action]:
    return [
        Action(operation, f"vm{number}", "host1", "host1", "host2")
        for number in range(count)
        for operation in ("migrate_to", "stop")
    ]


STATE = '<node_state uname="{0}"><lrm><lrm_resources>{1}</lrm_resources></lrm></node_state>'
STARTED = (
    '<lrm_resource id="vm{0}"><lrm_rsc_op operation="start" call-id="1" rc-code="0" interval="0"/>'
    "</lrm_resource>"
)


def cib_with_status(count: int) -> bytes:
    """So many domUs that run on host1."""
    ran = "".join(STARTED.format(number) for number in range(count))
    status = f"<status>{STATE.format('host1', ran)}{STATE.format('host2', '')}</status></cib>"
    return cib(count).removesuffix(b"</cib>") + status.encode()


def steps(count: int, kind: StepKind) -> list[Step]:
    """One for each domU."""
    values = {"node": "host2", "source": "a", "name": "target-role", "value": "Stopped"}
    return [
        Step(kind, "", values | {"resource": f"vm{at}", "constraint": f"cli-ban-vm{at}"})
        for at in range(count)
    ]


READERS: dict[str, tuple[Callable[[int], Any], Callable[[Any], object]]] = {
    "blanks in a CIB": (lambda n: b"<configuration>" + b" " * n * 100, configuration_in),
    "locks in a CIB": (lambda n: b"<configuration>" + b"\n  " * n + LOCK * n, configuration_in),
    "half locks in a CIB": (
        lambda n: b"<configuration>" + LOCK[:-4] * n + b"</configuration>",
        configuration_in,
    ),
    "a CIB": (cib, parse_configuration),
    "crm_mon's XML": (lambda n: more_of(MON, b"<resource ", n), parse_status),
    "crm_mon's text": (lambda n: more_of(MON_TEXT, b"ocf:", n), parse_status),
    "clones in crm_mon's text": (
        lambda n: MON_TEXT + b"\n Clone Set: c [x]\n     Started: [ h ]\n" * n,
        parse_status,
    ),
    "instances in crm_mon's text": (
        lambda n: MON_TEXT + b"\n Clone Set: c [x]\n     Stopped: [" + b" h" * n + b" ]\n",
        parse_status,
    ),
    "reasons in crm_mon's text": (
        lambda n: "a_start_0 on b 'c' (1): call=1, " + "exitreason='x' " * n,
        lambda line: failure_in(line, []),
    ),
    "causes in crm_mon's text": (
        lambda n: "a start on b returned because '" + "' (" * n,
        lambda line: failure_in(line, []),
    ),
    "an XML declaration": (lambda n: b"<?xml " + b"encoding='a' " * n, parse_xml),
    "crm_verify": (lambda n: "error : " * n, lambda text: parse_complaints(text, valid=True)),
    "rings of corosync": (
        lambda n: "RING ID 0\nid = 1\n" * n + "nodeid: 1 " * n,
        lambda text: [*parse_rings(text, bool)],
    ),
    "migrations": (many, lambda seen: as_migrations(seen.resources, seen.history)),
    "who migrates": (many, lambda seen: [*in_flight(seen, seen.managed_domains)]),
    "what a transition means": (
        lambda n: (moved(n), many(n)),
        lambda given: movements(*given),
    ),
    "the state after it": (
        lambda n: (many(n), [moves(n)]),
        lambda given: after_all(*given),
    ),
    "the state after steps": (
        lambda n: (many(n), [*steps(n, "clear"), *steps(n, "delete-constraint")], ()),
        lambda given: after_steps(*given),
    ),
    "S-expressions side by side": (lambda n: f"(domain {'(a b)' * n})", parse_long),
    "S-expressions in each other": (lambda n: f"(domain {'(a ' * n}{')' * n})", parse_long),
    "S-expressions that never end": (lambda n: "(domain " + "(a" * n, parse_long),
    "an image of xm": (
        lambda n: b"LinuxGuestRecord" + (9 * n).to_bytes(4, "big") + b"(vm (a b)" * n,
        parse_image,
    ),
    "a line of virsh": (lambda n: ["start", "a;" * n], spoken),
    "words of virsh": (lambda n: ["-c"] + ["xen:///"] * n, spoken),
    "options of virsh": (lambda n: ["-q"] * n, spoken),
    "letters of an option of virsh": (lambda n: ["-" + "q" * n], spoken),
    "a quote in virsh": (lambda n: ['"' + "\\ " * n], spoken),
    "a domU's file": (lambda n: "".join(f"a{i} = 'x' # y\n" for i in range(n)), parse_xmfile),
    "kinds of a disk": (lambda n: "phy:" * n + ",a,w", parse_disk),
    "settings of a disk": (lambda n: "script=a," * n, parse_disk),
    "names in a domU's file": (lambda n: "name = a\n" * n, agent_name),
    "a header of xm's": (lambda n: "\n" * n + "import os, re\n" * n, as_data),
    "libvirt's domain": (lambda n: b"<domain " + b"type = 'x' " * n, drives_xen),
    "libvirt's memory": (lambda n: "<memory>" * n + " " * n, memory_and_vcpus),
    "a list of xl's": (lambda n: XL_LIST + "vm 1 1 1 r----- 1.0\n" * n, parse_list),
    "what xl quotes": (
        lambda n: b"hxm tried 1 /a\nhxm said Parsing config\nhxm said " + QUOTED * n,
        lambda printed: parse_facts(printed, "xl"),
    ),
    "a survey": (lambda n: "hxm file 1 /a\n" * n, lambda text: parse_survey(text, 0, 1)),
    "a disk list": (lambda n: "disk = [" + "'a', " * n + "]", parse_xmfile),
}


def seconds(read: Callable[[Any], object], given: Any) -> float:
    """The CPU time of one reading; that something is refused is an answer, too."""
    began = time.process_time()
    try:
        read(given)
    except Exception as error:  # noqa: BLE001 - whatever it is, test_fuzzed says what it may be
        assert not isinstance(error, (MemoryError, RecursionError)), error
    return time.process_time() - began


def growth(make: Callable[[int], Any], read: Callable[[Any], object]) -> float:
    """How many times as long the reader takes of TIMES as much."""
    count = 64
    small = make(count)
    while seconds(read, small) < LONG_ENOUGH and count < 1 << 12:
        count *= 2
        small = make(count)
    large = make(TIMES * count)
    took = [(seconds(read, small), seconds(read, large)) for _ in range(3)]
    return min(slow for _, slow in took) / max(min(fast for fast, _ in took), LONG_ENOUGH / 2)


def steady(make: Callable[[int], Any], read: Callable[[Any], object]) -> float:
    """The growth; measured again where it is too much, for what the machine adds to it."""
    found = growth(make, read)
    return found if found < MOST else min(found, growth(make, read))


@pytest.mark.parametrize(("make", "read"), READERS.values(), ids=READERS)
def test_what_is_read_takes_linear_time(make, read):
    assert steady(make, read) < MOST


def without_storage(count: int) -> Facts:
    """So many domUs that start after and with a clone, which has failed on every node."""
    domains = [domain(f"vm{number}", role="Stopped") for number in range(count)]
    store = primitive("store", parent="storage", clone="storage")
    failed = [Failure("store", "start", node, "no path", "") for node in ("host1", "host2")]
    orders = (Order(f"o{one.name}", "storage", one.name) for one in domains)
    together = (Colocation(f"c{one.name}", one.name, "storage", INFINITY) for one in domains)
    relations = Relations((*orders,), (*together,), members={"storage": ("store",)})
    return Facts(cluster(*domains, store, *failed), relations, causes={})


def first_reasons(facts: Facts) -> set[Reason]:
    """As `hxm status` asks for them, on a copy of the facts that has nothing from before."""
    fresh = facts._replace(
        cluster=facts.cluster._replace(), relations=facts.relations._replace(), causes={}
    )
    down = fresh.cluster.managed_domains
    reasons = {reason for one in down for reason in likely(fresh, one)}
    return reasons | {reason for one in down for reason in ask(fresh, one).reasons}


def test_the_reasons_of_many_domus_take_linear_time():
    """In the worst of nights: storage starts nowhere, and all domUs wait for it."""
    words = {reason.what for reason in first_reasons(without_storage(2))}
    assert any("storage's start failed" in what for what in words), words
    assert steady(without_storage, first_reasons) < MOST


@pytest.mark.parametrize(
    "kind", ["move-and-ban", "unban", "clear", "delete-constraint", "set-meta"]
)
def test_steps_on_a_copy_take_linear_time(kind, tmp_path):
    def make(count: int) -> tuple[str, list[Step]]:
        path = tmp_path / f"{count}.xml"
        path.write_bytes(cib_with_status(count))
        return str(path), steps(count, kind)

    assert edit(*make(2))
    assert steady(make, lambda given: edit(*given)) < MOST


def test_what_is_quadratic_is_found_out():
    def read(text: str) -> None:
        for position in range(0, len(text), 64):
            text.count("b", 0, position)

    assert growth(lambda n: "a" * n * 64, read) > MOST


class Counted(io.FileIO):
    """A file that knows how much was read of it."""

    bytes_read = 0

    def read(self, size: int | None = -1) -> bytes:
        Counted.bytes_read += size or 0
        return super().read(size) or b""


def test_the_newest_orders_cost_the_same_in_a_longer_journal(tmp_path, monkeypatch):
    """Counted in bytes, which no load changes."""
    monkeypatch.setattr("hxm.host.safe_files.open_own", Counted)
    read = []
    for count in (4_000, 16_000):
        path = tmp_path / f"journal-{count}"
        entry = {"time": "2026-01-01T00:00:00+00:00", "id": "x", "outcome": "done", "verb": "start"}
        path.write_text((json.dumps(entry) + "\n") * count)
        Counted.bytes_read = 0
        assert len([*islice(orders_backwards(str(path)), 10)]) == 10
        read.append(Counted.bytes_read)
    assert 0 < read[0] == read[1] < path.stat().st_size

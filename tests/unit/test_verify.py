"""What crm_verify, agents and corosync-cfgtool print, and what is made of it."""

from __future__ import annotations

import pytest
from factories import DATA

from hxm.pacemaker.verify import Complaint, parse_actions, parse_complaints, parse_rings
from hxm.policy.audit.nodes import Ring

NEW = ("2.0.5", "2.1.5", "3.0.0", "3.0.3")
TWICE = (
    "Operation nfs-monitor-2 is duplicate of nfs-monitor (do not use same name and interval "
    "combination more than once per resource)"
)
WRONG = 'IDREF attribute first references an unknown ID "evmsx"'


@pytest.mark.parametrize("version", NEW)
@pytest.mark.parametrize(("sample", "said"), [("duplicate", TWICE), ("reference", WRONG)])
def test_each_complaint_is_there_once_and_nothing_else(version, sample, said):
    text = (DATA / f"pacemaker-{version}" / f"verify-{sample}.err").read_text()
    assert parse_complaints(text, valid=False) == [Complaint(True, said)]


@pytest.mark.parametrize(
    ("generation", "expected"),
    [
        ("pacemaker-1.1.14", ["Resource vm_multi (ocf::Xen) is active on 2 nodes attempting"]),
        ("pacemaker-1.0.8", ["Resource ocf::Xen:vm_multi appears to be active on 2 nodes."]),
        ("heartbeat-2.1.3", ["Remapping vm_fail_monitor_10000", "Resource ocf::Xen:vm_multi ",
                             "See http", "Attempting recovery of resource vm_multi"]),
    ],
)  # fmt: skip
def test_of_the_old_ones_only_errors_count(generation, expected):
    text = (DATA / generation / "verify-states.err").read_text()
    found = parse_complaints(text, valid=False)
    assert all(error for error, _ in found)
    assert len(found) == len(expected)
    for (_, said), wanted in zip(found, expected, strict=True):
        assert said.startswith(wanted)


def test_what_is_no_trouble_is_left_out():
    assert parse_complaints("", valid=True) == []
    text = "Configuration validation is currently disabled. It is highly encouraged\n"
    assert parse_complaints(text, valid=True) == [Complaint(False, text.strip())]
    text = (DATA / "pacemaker-3.0.3" / "verify-duplicate.err").read_text()
    assert "deprecated" in text


def test_the_shortest_of_several_timeouts_of_an_agent():
    text = b"""junk before it
<resource-agent name="x"><actions><action name="start" timeout="60s"/>
<action name="monitor" timeout="30" interval="10"/><action name="monitor" timeout="20s"/>
<action name="meta-data"/></actions></resource-agent>"""
    assert parse_actions(text) == {"start": 60.0, "monitor": 20.0}
    assert parse_actions(b"<resource-agent") == {}


LINKS = """Local node ID 1, transport knet
LINK ID 0 udp
\taddr\t= 192.0.2.1
\tstatus:
\t\tnodeid:          1:\tlocalhost
\t\tnodeid:          2:\t{first}
LINK ID 1 udp
\taddr\t= 192.0.2.129
\tstatus:
\t\tnodeid:          1:\tlocalhost
\t\tnodeid:          2:\t{second}
"""
RINGS = """Printing ring status.
Local node ID 1
RING ID 0
\tid\t= 192.0.2.1
\tstatus\t= ring 0 active with no faults
RING ID 1
\tid\t= 192.0.2.129
\tstatus\t= {}
"""


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        (LINKS.format(first="connected", second="connected"), [True, True]),
        (LINKS.format(first="connected", second="disconnected"), [True, False]),
        (LINKS.format(first="disconnected", second="disconnected"), [True, True]),  # it is off
        (RINGS.format("ring 1 active with no faults"), [True, True]),
        (RINGS.format("Marking ringid 1 interface 192.0.2.129 FAULTY"), [True, False]),
        ("Could not initialize corosync configuration API error 2\n", []),
    ],
)
def test_rings(text, sound):
    found = list(parse_rings(text, lambda _: True))
    assert [each.sound for each in found] == sound
    assert not any(each.bonded for each in found)  # of several nobody asks
    if found:
        assert found[1]._replace(sound=True) in (Ring("ring 1", True), Ring("link 1", True))

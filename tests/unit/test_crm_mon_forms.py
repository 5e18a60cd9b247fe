"""Forms of crm_mon's answer that no captured sample has, by the sources of the releases."""

from __future__ import annotations

import time

import pytest
from test_crm_mon_text import HEAD, VM

from hxm.errors import CannotAsk
from hxm.host.programs import Result
from hxm.model import Node
from hxm.pacemaker.cib import parse_configuration
from hxm.pacemaker.crm_mon import parse_status
from hxm.pacemaker.dialect import dialect_of
from hxm.pacemaker.status import Status, kept_off_by_health
from hxm.pacemaker.status_from_cib import complete

BOTH = VM._replace(nodes=("host1", "host2"))
DESCRIBED = {
    "1.0": (" vm\t(ocf::heartbeat:Xen):\tStarted FAILED the old nfs[ host1 host2 ]", {"failed"}),
    "1.1": (" vm\t(ocf::heartbeat:Xen):\tStarted (unmanaged) nfs, old[ host1 host2 ]", {"looked"}),
    "2.0": ("  * vm\t(ocf::heartbeat:Xen):\t Started our (two) [old] [ host1 host2 ]", set()),
    "2.0, odd": ("  * vm\t(ocf::heartbeat:Xen):\t Started :-) ( [x [ host1 host2 ]", set()),
    "2.1": ("  * vm\t(ocf:heartbeat:Xen):\t Started (the (old) [x]) [ host1 host2 ]", set()),
    "0.6": ("vm\t(ocf::heartbeat:Xen) the old nfs[\thost1\thost2 ]", set()),
}


@pytest.mark.parametrize(("line", "special"), DESCRIBED.values(), ids=DESCRIBED)
def test_no_description_ever_hides_that_a_domu_runs_twice(line, special):
    (found,) = parse_status((HEAD + line + "\n").encode()).resources
    assert found == BOTH._replace(failed="failed" in special, managed="looked" not in special)


@pytest.mark.parametrize("said", ["Floating", "Floating high", "(x) Floating"])
def test_an_unknown_state_is_never_taken_for_a_description(said):
    line = f"  * vm\t(ocf:heartbeat:Xen):\t {said} [ host1 host2 ]\n"
    with pytest.raises(CannotAsk, match="Floating"):
        parse_status((HEAD + line).encode())


def test_flags_between_blanks_are_flags():
    line = "  * vm\t(ocf::heartbeat:Xen):\t Started host1 (disabled unmanaged)\n"
    (found,) = parse_status((HEAD + line).encode()).resources
    assert (found.managed, found.target_role) == (False, "Stopped")


def nodes_of(text: str) -> dict[str, str]:
    return {each.name: each.condition for each in parse_status(text.encode()).nodes}


def test_a_container_of_1_1_10_is_its_node_and_not_its_resource():
    text = HEAD.replace(
        "\nOnline: [ host1",
        "\nContainerNode guest2:sles: standby\nContainers: [ guest1:nfs ]\nOnline: [ host1",
    ).replace("1 Resources", "0 Resources")
    nodes = {"guest1": "online", "guest2": "standby", "host1": "online", "host2": "online"}
    assert nodes_of(text) == nodes


@pytest.mark.parametrize("engine", ["podman container set", "Docker container", "rkt container"])
def test_a_bundle_of_any_engine_is_understood(engine):
    text = f"{HEAD} {engine}: web [web:1]\n   web-0\t(ocf::heartbeat:apache):\tStarted host1\n"
    assert [each.id for each in parse_status(text.encode()).resources] == ["web-0"]


@pytest.mark.parametrize("title", ["Fencing constraints", "Negative location constraints"])
def test_a_section_about_what_was_listed_is_passed_over(title):
    text = f"{HEAD} vm\t(ocf::heartbeat:Xen):\tStarted host1\n\n{title}:\n a\tprevents vm from x\n"
    assert parse_status(text.encode()).resources == (VM,)


@pytest.mark.parametrize("state", ["OFFLINE (stand", "UNCLEAN (off", "standby (on"])
def test_half_a_state_of_a_node_is_never_a_state(state):
    with pytest.raises(CannotAsk):
        nodes_of(HEAD.replace("Online:", f"Node h: {state}\nOnline:"))


def test_a_text_that_ends_within_a_line_is_never_taken():
    """As host1 may be what is left of host12."""
    with pytest.raises(CannotAsk, match="within a line"):
        parse_status(f"{HEAD} vm\t(ocf::heartbeat:Xen):\tStarted host1".encode())


def test_a_clone_of_a_group_counts_for_all_its_members():
    """1.1.6 to 1.1.9 announce each member of each instance, and list the instances."""
    text = HEAD.replace("1 Resources", "6 Resources")
    text += " Clone Set: c [g]\n     Started: [ host1 host2 ]\n"
    assert len(parse_status(text.encode()).resources) == 2


CIB = """<cib validate-with="pacemaker-3.2"><configuration><crm_config/><nodes>
<node id="1" uname="host1"/><node id="2" uname="host2"/>
<node id="guest1" uname="guest1" type="remote"/></nodes><resources>
<primitive id="vm" class="ocf" provider="heartbeat" type="Xen"><meta_attributes id="m">
<nvpair id="m1" name="remote-node" value="guest1"/></meta_attributes></primitive>
<bundle id="web"><podman image="web:1" replicas="2"/><primitive id="a" class="lsb" type="a"/>
</bundle><bundle id="box"><podman image="box:1"/></bundle>%s</resources><constraints/>
</configuration><status/></cib>"""


def completed(announced: int, more: str = "") -> Status:
    text = HEAD.replace("2 Nodes", f"{announced} Nodes") + " vm\t(ocf::heartbeat:Xen):\tStopped\n"
    text += " far\t(ocf::pacemaker:remote):\tStopped\n" if more else ""
    return complete(parse_status(text.encode()), parse_configuration((CIB % more).encode()))


def test_guests_that_do_not_run_make_no_text_unreadable():
    """No text lists them, though it announces them: here one of a domU and two of a bundle."""
    assert [each.name for each in completed(5).nodes] == ["host1", "host2"]


LEFT_ALONE = [
    ("maintenance", "true"),
    ("maintenance", "y"),
    ("is-managed", "No"),
    ("is-managed", "n"),
]


@pytest.mark.parametrize(("name", "said"), LEFT_ALONE)
def test_who_told_the_cluster_to_leave_a_failed_domu_alone_blocks_nothing(name, said):
    """Only what is unmanaged for no other reason than its failure is blocked."""
    option = f'<nvpair id="m2" name="{name}" value="{said}"/></meta_attributes></primitive>'
    for more, blocked in (("</meta_attributes></primitive>", True), (option, False)):
        cib = (CIB % "").replace("</meta_attributes></primitive>", more, 1)
        text = HEAD + " vm\t(ocf::heartbeat:Xen):\tStarted host1 (unmanaged) FAILED\n"
        text = text.replace("2 Nodes", "5 Nodes")
        status = complete(parse_status(text.encode()), parse_configuration(cib.encode()))
        assert status.resources[0].blocked is blocked


def test_another_node_than_a_guest_is_never_kept_back():
    with pytest.raises(CannotAsk, match="keeps back 4"):
        completed(6)
    with pytest.raises(CannotAsk, match="node far"):
        completed(4, '<primitive id="far" class="ocf" provider="pacemaker" type="remote"/>')


# XML

DOCUMENT = (
    '<pacemaker-result api-version="2.99"><summary><current_dc present="true" name="host1"/>'
    '</summary><nodes><node name="host1" online="true"/></nodes><resources>{}</resources>'
    "</pacemaker-result>\n"
)
NFS = '<resource id="nfs" resource_agent="ocf:heartbeat:Xen" role="Started"/>'


def test_lines_around_a_document_never_spoil_it():
    text = f"<13>crm_mon: warning: x > y\n{DOCUMENT.format(NFS)}error: bye\n"
    assert [each.id for each in parse_status(text.encode()).resources] == ["nfs"]


def test_a_new_element_is_harmless_unless_it_holds_resources():
    new = f'<forecast calm="true"/>{NFS}'
    assert [each.id for each in parse_status(DOCUMENT.format(new).encode()).resources] == ["nfs"]
    with pytest.raises(CannotAsk, match="<swarm>"):
        parse_status(DOCUMENT.format(f"<swarm><part>{NFS}</part></swarm>").encode())


@pytest.mark.parametrize("nameless", ['<resource role="Started"/>', '<resource id=""/>'])
def test_a_resource_without_a_name_is_never_one(nameless):
    with pytest.raises(CannotAsk, match="without a id"):
        parse_status(DOCUMENT.format(nameless).encode())


@pytest.mark.parametrize("odd", ["\x1b[31m", "&#27;", "<"])
def test_a_document_that_is_no_xml_is_asked_for_as_text(odd, monkeypatch):
    from hxm.host import programs
    from hxm.pacemaker import crm_mon

    document = DOCUMENT.format(f'{NFS}<x reason="{odd}"/>').encode()
    text = f"{HEAD} vm\t(ocf::heartbeat:Xen):\tStarted host1\n".encode()
    asked = []

    def output(argv, *_):
        asked.append(argv)
        return Result(argv, 0, document if len(asked) < 3 else text, "")

    monkeypatch.setattr(programs, "output", output)
    assert crm_mon.read_status().resources == (VM,)
    assert len(asked) == 3


VERSIONS = {
    "1.1.18+20180430.b12c320f5-3.15.1-b12c320f5": "1.1.13",
    "2.0.1+20190417.13d370ca9-3.24.1": "2.0",
    "2.1.0rc1": "2.1",
    "2.0.5.linbit-1.0.el7": "2.0",
}


@pytest.mark.parametrize(("version", "key"), VERSIONS.items())
def test_a_distributors_addition_never_makes_a_version_older(version, key):
    found = dialect_of(version)
    assert found is not None
    assert found.key == key


def test_a_thousand_domus_with_long_names_are_read_at_once():
    line = "  * vm{}{}\t(ocf:heartbeat:Xen):\t Started (our (odd) one) [ host1 host2 ]\n"
    text = HEAD + "".join(line.format("x" * 200, number) for number in range(1000))
    began = time.process_time()
    assert len(parse_status(text.encode()).resources) == 1000
    assert time.process_time() - began < 1


KEPT_OFF = {
    "none": ({}, ""),
    "migrate-on-red": ({}, "red"),
    "only-green": ({}, "red yellow"),
    "custom": ({}, "red"),
    "progressive": ({}, "red"),
    "progressive, with a base": ({"base": "1000000"}, "red"),
    "progressive, no base": ({"base": "-INFINITY"}, "red yellow"),
    "custom, without a base": ({"yellow": "-inf", "base": "50"}, "red yellow"),
    "custom, one score of many": ({"red": "-100", "yellow": "-10"}, ""),
    "custom, red or not": ({"red": "0"}, ""),
}
"""By node-health-strategy and scores: the colours at which nothing is placed on a node."""


@pytest.mark.parametrize("name", KEPT_OFF)
def test_a_health_counts_that_keeps_everything_off(name):
    scores, expected = KEPT_OFF[name]
    properties = {f"node-health-{word}": score for word, score in scores.items()}
    properties["node-health-strategy"] = name.partition(",")[0]
    nodes = [Node(word, health=word) for word in ("red", "yellow")]
    seen = kept_off_by_health(nodes, properties)
    assert " ".join(node.name for node in seen if node.health) == expected

"""CIBs of Pacemaker's scheduler tests, their primitives made into domUs, and explained."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

CORPUS = Path(__file__).parents[1] / "data" / "scheduler"
ASKED = {
    "asymmetrical-order-move": ("dummy2 sle12sp2-2", "dummy1 is told to stop"),
    "migrate-fail-3": ("test-vm hex-14", "a ban keeps it away"),
    "multiple-active-block-group": ("dummy2 node3", "multiple-active: the scheduler says so"),
    "node-maintenance-1": ("rsc2 node1", "the node node2 is in maintenance"),
    "quorum-3": ("rsc3", "this partition has no quorum"),
    "rsc_dep5": ("rsc1", "it is to keep away from rsc3, which comes there"),
    "tags-ticket": ("rsc3", "the cluster does not hold the ticket ticketB"),
}


WHOLE = Path(__file__).parents[2] / ".cache" / "scheduler"
"""All of Pacemaker's CIBs, where .ci/corpus has fetched them."""


def as_domus(path: Path) -> bytes:
    """The CIB as a cluster of 2.1 with a DC, whose resources are domUs with a file each."""
    cib = etree.fromstring(path.read_bytes().replace(b"fencing-", b"stonith-"))
    for element in cib.iter("primitive", "template"):
        if element.get("class") in (None, "stonith") or element.get("type") == "remote":
            continue
        element.attrib.update({"class": "ocf", "provider": "heartbeat", "type": "Xen"})
        for parameters in element.findall("instance_attributes"):
            element.remove(parameters)
        if element.tag == "primitive":
            name = element.get("id")
            parameters = etree.Element("instance_attributes", id=f"domu-{name}")
            file = {"id": f"file-{name}", "name": "xmfile", "value": f"/etc/xen/vm/{name}"}
            etree.SubElement(parameters, "nvpair", file)
            element.insert(0, parameters)
    for state in cib.iter("node_state"):  # since 2.1.7 with the time in place of a word
        for key, yes, no in (("in_ccm", "true", "false"), ("crmd", "online", "offline")):
            if state.get(key, "").isdigit():
                state.set(key, no if state.get(key) == "0" else yes)
    online = [state.get("id") for state in cib.iter("node_state") if state.get("crmd") == "online"]
    if online:
        cib.set("dc-uuid", online[0])
    cib.set("have-quorum", cib.get("have-quorum", "1"))
    return etree.tostring(cib)


@pytest.mark.parametrize("name", ASKED)
def test_the_first_reason_is_confirmed_and_contradicts_no_score(bare, name):
    bare.file.parent.mkdir(parents=True)
    bare.file.write_bytes(as_domus(CORPUS / f"{name}.xml"))
    words, cause = ASKED[name]
    answer = bare.ok("why", *words.split(), "-o", "json").json
    first = next(each for each in answer["reasons"] if each["absolute"] or each["confirmed"])
    assert cause in first["what"]
    assert first["confirmed"]
    assert not any("nothing forbids" in each["what"] for each in answer["reasons"])
    assert answer["simulations"] <= 5


def _questions(sandbox) -> list[list[str]]:
    """Of each domU that runs the first usable host that it is not on; of the others none."""
    status = sandbox.hxm("status", "-o", "json")
    if status.status == 102:  # a schema or a state that this generation does not know
        return []
    cloned = {each["id"] for each in status.json["resources"] if ":" in each["id"]}
    hosts = [
        node["name"]
        for node in status.json["nodes"]
        if node["online"] and node["kind"] != "guest" and not node["standby"]
    ]
    questions = []
    for domain in status.json["domains"]:
        if not domain["resource"] or domain["resource"] in cloned:
            continue
        elsewhere = [host for host in hosts if host not in domain["nodes"]]
        questions.append([domain["resource"], *(elsewhere[:1] if domain["nodes"] else [])])
    return questions[:3]


@pytest.mark.thorough
@pytest.mark.parametrize("path", sorted(WHOLE.glob("*.xml")), ids=lambda path: path.stem)
def test_no_answer_of_the_whole_corpus_contradicts_a_score(bare, path):
    """Nor does any end in a traceback; what is offered as confirmed is one or the other."""
    bare.file.parent.mkdir(parents=True)
    bare.file.write_bytes(as_domus(path))
    for words in _questions(bare):
        ran = bare.hxm("why", *words, "-o", "json")
        if ran.status == 102:  # the scheduler itself gives up
            continue
        assert ran.status == 0, ran
        answer = ran.json
        assert answer["simulations"] <= 5
        *_, node = words
        offered = [each for each in answer["reasons"] if each["what"].startswith("nothing forbids")]
        assert all(each["confirmed"] for each in offered), answer
        if not answer["nodes"]:
            assert answer["reasons"], answer
        elif answer["scores"].get(node) == "-INFINITY" and offered:
            assert any("-INFINITY" in each["what"] + each["evidence"] for each in answer["reasons"])

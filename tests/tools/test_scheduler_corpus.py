"""CIBs of Pacemaker's scheduler tests, their primitives made into domUs, and explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CORPUS = Path(__file__).parents[1] / "data" / "scheduler"
XEN = 'class="ocf" provider="heartbeat" type="Xen"'
ASKED = {
    "asymmetrical-order-move": ("dummy2 sle12sp2-2", "dummy1 is told to stop"),
    "migrate-fail-3": ("test-vm hex-14", "a ban keeps it away"),
    "multiple-active-block-group": ("dummy2 node3", "multiple-active: the scheduler says so"),
    "node-maintenance-1": ("rsc2 node1", "the node node2 is in maintenance"),
    "quorum-3": ("rsc3", "this partition has no quorum"),
    "rsc_dep5": ("rsc1", "rsc_colocation not_same_1: the scheduler says so"),
    "tags-ticket": ("rsc3", "the cluster does not hold the ticket ticketB"),
}


def as_domus(text: str) -> str:
    """The CIB as a cluster of 2.1 with a DC, whose resources are domUs."""
    text = re.sub(r'class="(ocf|lsb)"( provider="[^"]*")? type="[^"]*"', XEN, text)
    text = text.replace("fencing-enabled", "stonith-enabled")
    states = re.findall(r"<node_state [^>]*online[^>]*>", text)
    ids = [found[1] for state in states if (found := re.search(r' id="([^"]+)"', state))]
    text = re.sub(r' dc-uuid="[^"]*"', "", text, count=1)
    return text.replace("<cib ", f'<cib dc-uuid="{ids[0]}" ', 1)


@pytest.mark.parametrize("name", ASKED)
def test_the_first_reason_is_confirmed_and_contradicts_no_score(bare, name):
    bare.file.parent.mkdir(parents=True)
    bare.file.write_text(as_domus((CORPUS / f"{name}.xml").read_text()))
    words, cause = ASKED[name]
    answer = bare.ok("why", *words.split(), "-o", "json").json
    first = next(each for each in answer["reasons"] if each["absolute"] or each["confirmed"])
    assert cause in first["what"]
    assert first["confirmed"]
    assert not any("nothing forbids" in each["what"] for each in answer["reasons"])
    assert answer["simulations"] <= 5

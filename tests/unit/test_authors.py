"""Who left a constraint: what the journal says, and nothing where it may not be read."""

from __future__ import annotations

import json
import os

import pytest
from factories import cluster, domain, node, prefer

from hxm.config import Config
from hxm.records import authors
from hxm.records.authors import MOST, UNKNOWN, origins

SEEN = cluster(domain("nfs", "host2"), prefer())


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "journal"


def told(journal):
    return origins(SEEN._replace(sandbox=str(journal.parent / "cib.xml")), Config())


def test_the_journal_names_who_and_what(journal):
    entry = {"at": "2026-11-26T01:00:00+0000", "who": "root", "what": "migrate nfs to host2"}
    journal.write_text(json.dumps({**entry, "outcome": "done", "left": ["cli-prefer-nfs"]}) + "\n")
    assert told(journal)["cli-prefer-nfs"].startswith("by root, ")
    assert told(journal)["cli-prefer-nfs"].endswith(" ago: migrate nfs to host2")
    with_reason = {**entry, "outcome": "done", "left": ["cli-prefer-nfs"], "why": "rack 3 is hot"}
    journal.write_text(json.dumps(with_reason) + "\n")
    assert told(journal)["cli-prefer-nfs"].endswith(": migrate nfs to host2; why: rack 3 is hot")


def test_a_constraint_that_no_journal_knows_was_not_set_here(journal):
    assert told(journal) == {"cli-prefer-nfs": "not set by hxm on this host"}
    journal.touch()
    assert told(journal) == {"cli-prefer-nfs": "not set by hxm on this host"}


def test_a_journal_that_may_not_be_read_says_nothing(journal, monkeypatch):
    """As when another user than root runs hxm: unknown is not no."""

    def denied(path):
        raise PermissionError(path)

    journal.touch()
    monkeypatch.setattr(authors, "open_own", denied)
    assert told(journal) == {}


def orders(count, **last):
    at = "2026-11-26T01:00:00+0000"
    lines = [{"at": at, "who": "root", "what": "x", "pid": n, "before": n} for n in range(count)]
    return "".join(f"{json.dumps(line | {'outcome': 'begun'} | last)}\n" for line in lines)


def test_the_newest_word_on_a_constraint_counts(journal):
    left = orders(1, outcome="done", left=["cli-prefer-nfs"])
    gone = orders(1, outcome="done", gone=["cli-prefer-nfs"])
    killed = orders(1, what="migrate nfs to host2", subjects=["nfs"])
    journal.write_text(left + gone)
    assert told(journal)["cli-prefer-nfs"] == UNKNOWN
    journal.write_text(gone + left)
    assert told(journal)["cli-prefer-nfs"].startswith("by root")
    journal.write_text(gone + killed)
    assert "migrate nfs" in told(journal)["cli-prefer-nfs"]
    unseen = orders(1, what="migrate nfs to host2", subjects=["nfs"], outcome="lost", left=None)
    journal.write_text(gone + unseen)
    assert "migrate nfs" in told(journal)["cli-prefer-nfs"]


def test_what_each_list_reads_of_the_journal_has_a_bound(journal):
    journal.write_text(orders(1, left=["cli-prefer-nfs"]) + orders(MOST))
    assert told(journal) == {"cli-prefer-nfs": f"{UNKNOWN} since 2026-11-26T01:00:00+0000"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_journal_of_somebody_elses_says_nothing(journal):
    journal.write_text(orders(1, outcome="done", left=["cli-prefer-nfs"]))
    os.chown(journal, 65534, 65534)
    assert told(journal) == {}


DRAINED = "crm_attribute --node=host_1 --name=standby --update=on --lifetime=forever"
ASLEEP = "crm_attribute --node=host_1 --name=maintenance --update=true --lifetime=forever"


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ([DRAINED], {"node host_1:standby"}),
        (["crm_standby -U host_1 -v on"], {"node host_1:standby"}),
        ([DRAINED, DRAINED.replace("--update=on", "--delete")], set()),
        ([DRAINED.replace("host_1", "host2")], set()),
        ([ASLEEP], {"node host_1:maintenance"}),
        (["crm_attribute --name=maintenance-mode --update=true"], {"cluster:maintenance"}),
        (["crm_attribute -n is-managed-default -v false"], {"cluster:maintenance"}),
    ],
)
def test_who_put_a_node_or_the_cluster_aside(journal, commands, expected):
    seen = cluster(
        nodes=(node("host_1", standby=True, maintenance=True), node("host2")), maintenance=True
    )
    at = "2026-11-26T01:00:00.250+0000"
    entries = [
        {"at": at, "who": "ann", "what": "x", "why": "fan", "commands": [command]}
        for command in commands
    ]
    journal.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))
    known = origins(seen._replace(sandbox=str(journal.parent / "cib.xml")), Config())
    assert {name for name, origin in known.items() if "; why: fan" in origin} == expected
    assert len(known) == 3

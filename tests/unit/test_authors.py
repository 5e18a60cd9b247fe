"""Who left a constraint: what the journal says, and nothing where it may not be read."""

from __future__ import annotations

import json
import os

import pytest
from factories import cluster, domain, prefer

from hxm.config import Config
from hxm.records.authors import origins

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
    journal.touch()
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(journal))
    assert told(journal) == {}

"""The table of commands, held against a captured `xl help` and the list of all that ever were."""

from __future__ import annotations

import csv

import pytest
from factories import DATA, cluster, domain

from hxm.catalog import ALIASES, BYGONE, COMMANDS, EXACT_ONLY, candidates
from hxm.catalog.command import HOST, READS, REFUSED, RUNTIME
from hxm.cli import dispatch
from hxm.errors import Refused
from hxm.policy.orders.passthrough import judge

with (DATA / "xen-commands.tsv").open(encoding="utf-8") as file:
    EVER = {row["command"]: row for row in csv.DictReader(file, delimiter="\t")}
HELP = (DATA / "xen-4.17" / "xl-help.txt").read_text(encoding="utf-8")
XL_HELP = [line.split()[0] for line in HELP.splitlines() if line[:1] == " " and line[1:2].strip()]
OWN = {row.name for row in COMMANDS.values() if not row.policy}


def test_every_command_of_a_real_xl_is_classified():
    assert len(XL_HELP) > 60
    assert set(XL_HELP) - set(COMMANDS) == set()


def test_every_command_of_any_xm_or_xl_is_classified():
    assert len(EVER) == 154
    assert set(EVER) - set(COMMANDS) == set()


def test_no_command_is_invented():
    assert {row.name for row in COMMANDS.values() if row.policy} - set(EVER) == set()


POLICIES = {
    "read-only": {READS, ""},
    "host": {HOST},
    "internal": {HOST},
    "domU-config": {RUNTIME, REFUSED},
    "creates-domU": {REFUSED, ""},
    "run-state": {REFUSED, ""},
}
EXCEPTIONS = {
    "sysrq": RUNTIME,  # by its letter, see test_passthrough_policy.py
    "shell": "",  # a shell of hxm's own
    "serve": "",  # xm's, for something else: hxm's own
}


@pytest.mark.parametrize("name", EVER)
def test_no_command_ever_has_a_laxer_policy_than_its_kind(name):
    allowed = {EXCEPTIONS[name]} if name in EXCEPTIONS else POLICIES[EVER[name]["class"]]
    assert COMMANDS[name].policy in allowed


CHANGES = [
    name
    for name, row in EVER.items()
    if row["class"] in ("run-state", "creates-domU", "domU-config") and name not in OWN
]


@pytest.mark.parametrize("name", sorted(set(CHANGES) - {"unpause"}))
def test_nothing_that_changes_a_managed_domu_passes_silently(name):
    assert COMMANDS[name].policy not in (READS, HOST), "these pass before anybody looks"
    try:
        said = judge(COMMANDS[name], ["nfs"], cluster(domain("nfs", "host1")))
    except Refused as refusal:
        said = refusal.message
    assert "nfs" in said


def test_what_xl_would_do_to_a_managed_domu_is_hxms_own():
    kinds = {"run-state", "creates-domU"}
    assert {name for name in OWN & set(EVER) if EVER[name]["class"] in kinds} == {
        *("create", "start", "shutdown", "reboot", "destroy", "migrate", "restore")
    }


def test_every_refusal_has_its_reason_and_every_own_command_its_line_of_help():
    for row in COMMANDS.values():
        assert bool(row.why) == (row.policy in (RUNTIME, REFUSED)), row.name
        assert bool(row.summary) == bool(row.group) == (row.name in OWN), row.name
        assert bool(row.instead) or row.policy != REFUSED, row.name


def test_bygone_are_exactly_those_that_no_xl_of_today_has():
    gone = {name for name, row in EVER.items() if not row["xl"].endswith("HEAD")}
    assert gone - OWN == BYGONE


def test_no_command_of_a_real_xl_is_bygone():
    assert set(XL_HELP) & BYGONE == set()


PREFIXES = {
    "des": ["destroy"],
    "reb": ["reboot"],
    "shut": ["shutdown"],
    "cre": ["create"],
    "mig": ["migrate"],
    "unm": ["unmanage", "unmigrate"],
    "unmi": ["unmigrate"],
    "li": ["list"],
    "l": ["list", "loadpolicy"],
    "lis": ["list"],
    "sta": ["standby", "start", "status"],
    "star": ["start"],
    "stat": ["status"],
    "pau": ["pause"],
    "unp": ["unpause"],
    "sav": ["save"],
    "con": ["config-update", "console"],
    "vcpu-l": ["vcpu-list"],
    "ball": ["mem-set"],
    "scsi-a": ["scsi-attach"],
    "xyzzy": [],
    "": [],
    "-": [],
    "LIST": [],
}


@pytest.mark.parametrize(("word", "expected"), PREFIXES.items(), ids=PREFIXES)
def test_a_prefix_never_means_one_command_where_it_may_mean_another(word, expected):
    assert candidates(word) == expected


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_whole_name_is_never_taken_for_a_prefix(name):
    assert candidates(name) == [name]


def test_an_internal_command_is_never_meant_by_a_prefix():
    for name in EXACT_ONLY:
        assert name in COMMANDS
        for end in range(1, len(name)):
            assert name not in candidates(name[:end])


def test_an_alias_never_has_another_policy_than_its_command():
    assert set(ALIASES) & set(COMMANDS) == set()
    for alias, name in ALIASES.items():
        assert candidates(alias) == [name]


XL_ALONE = sorted(set(XL_HELP) - EXACT_ONLY)


def test_no_prefix_ever_means_another_command_than_it_does_to_xl():
    """What is unique to xl is the same to hxm, or asked about, or one of hxm's own."""
    for name in XL_ALONE:
        for end in range(1, len(name)):
            prefix = name[:end]
            if [each for each in XL_ALONE if each.startswith(prefix)] == [name]:
                found = candidates(prefix)
                assert name in found, prefix


@pytest.mark.parametrize("name", ["guard", "update", "sandbox"])
def test_h_asks_a_group_for_help_too(name, capsys):
    assert dispatch([name, "-h"]) == 0
    assert f"Usage: hxm {name}" in capsys.readouterr().out

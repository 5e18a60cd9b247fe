"""Every step on every generation: what its command line really did to a CIB, and what proves it."""

from __future__ import annotations

import shlex
from typing import get_args
from xml.etree import ElementTree

import pytest
from every_verb import VERBS, decided, subject
from generations import GENERATIONS, HEARTBEAT, cib_of, ran, seen

from hxm.errors import Refused
from hxm.pacemaker import heartbeat_edit, step_checks
from hxm.pacemaker.argv import step_argv
from hxm.pacemaker.cib import parse_configuration
from hxm.pacemaker.crm_mon import parse_status
from hxm.pacemaker.detect import detect
from hxm.pacemaker.dialect import DIALECTS, OLDEST, Dialect, dialect_of, dialect_of_feature_set
from hxm.pacemaker.heartbeat_edit import edit
from hxm.pacemaker.status import Status
from hxm.pacemaker.step_checks import borne_out
from hxm.plan import CibStepKind, Step

BY_KEY = {dialect.key: dialect for dialect in DIALECTS}
ROWS = {
    "heartbeat-2.1.3": "0.6",
    "pacemaker-0.6.6": "0.6",
    "pacemaker-1.0.8": "1.0",
    "pacemaker-1.1.14": "1.1.13",
    "pacemaker-1.1.24": "1.1.13",
    "pacemaker-2.0.3": "2.0",
    "pacemaker-2.0.5": "2.0",
    "pacemaker-2.1.5": "2.1",
    "pacemaker-2.1.6": "2.1",
    "pacemaker-3.0.0": "3.0",
    "pacemaker-3.0.3": "3.0",
}


def test_every_captured_generation_has_its_row():
    assert sorted(ROWS) == GENERATIONS


def meta(kind: str, name: str, value: str | None = None) -> Step:
    values = {"resource": "nfs", "name": name} | ({"value": value} if value else {})
    return Step(kind, f"{kind} {name}", values)


def on_node(kind: str) -> Step:
    return Step(kind, kind, {"node": "host1"})


NFS = {"resource": "nfs"}
TO_HOST2 = NFS | {"node": "host2"}
STEPS = {
    "stop": (meta("set-meta", "target-role", "Stopped"), "res-set-tr"),
    "unmanage": (meta("set-meta", "is-managed", "false"), "res-set-unm"),
    "maintenance of a resource": (meta("set-meta", "maintenance", "true"), "res-set-maint"),
    "default": (meta("clear-meta", "target-role"), "res-del-tr"),
    "move": (Step("move", "move", TO_HOST2), "res-M-node", "res-M-H"),
    "move and ban": (Step("move-and-ban", "move", TO_HOST2), "res-M-force", "res-M-f"),
    "clear": (Step("clear", "clear", NFS), "res-clear", "res-U"),
    "clear two": (Step("clear", "clear", NFS), "res-U2"),
    "standby": (on_node("standby"), "attr-standby-on", "standby-on-U", "standby-on"),
    "active": (on_node("clear-standby"), "standby-U-D", "standby-D"),
    "active until reboot": (on_node("clear-standby"), "standby-D-reboot-l"),
    "maintenance": (Step("maintenance", "maintenance", {}), "attr-mm", "attr-set-new"),
    "maintenance of a node": (on_node("node-maintenance"), "attr-maint-node"),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_cib_bears_a_step_out_exactly_when_the_tool_took_it(generation, step):
    step, *samples = STEPS[step]
    done = ran(generation, *samples)
    if done is None:
        return
    if _lacks(generation, step):
        with pytest.raises(Refused):
            step_argv(BY_KEY[ROWS[generation]], step)
        return
    assert not borne_out(step, done.before)
    assert borne_out(step, done.after)


def _lacks(generation: str, step: Step) -> bool:
    lacks = BY_KEY[ROWS[generation]].lacks
    return step.kind in lacks or f"{step.kind} {step.values.get('name')}" in lacks


# Options that are the same, by their tools' help texts
SAME = {
    "--resource": "-r",
    "--meta": "-m",
    "--set-parameter": "-p",
    "--parameter-value": "-v",
    "--delete-parameter": "-d",
    "--move": "-M",
    "--clear": "-U",
    "--node": "-H",
    "-N": "-H",
    "--force": "-f",
    "--name": "-n",
    "--update": "-v",
    "--delete": "-D",
    "--lifetime": "-l",
}
VALUED = frozenset("rpvdHnlUo")
SPELT_OTHERWISE = {"active"}  # samples of 1.1 and newer are crm_standby's


def canonical(words: list[str]) -> set[tuple[str, str]]:
    """The options as pairs; a node's lifetime of forever is the default (1.1 and newer)."""
    found, words = set(), list(words[1:])
    while words:
        word, _, value = words.pop(0).partition("=")
        word = SAME.get(word, word)
        if not word.startswith("--") and len(word) > 2:
            word, value = word[:2], word[2:]
        elif not value and word[1:] in VALUED and words and not words[0].startswith("-"):
            value = words.pop(0)
        found.add((SAME.get(word, word), value))
    return found - {("-l", "forever")}


@pytest.mark.parametrize("step", sorted(set(STEPS) - SPELT_OTHERWISE))
@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_command_line_is_the_one_that_was_seen_to_work(generation, step):
    step, *samples = STEPS[step]
    done = ran(generation, *samples)
    if done is None or _lacks(generation, step):
        return
    theirs = shlex.split(done.argv)
    ours = step_argv(BY_KEY[ROWS[generation]], step)
    assert (theirs[0], canonical(theirs)) in [(each[0], canonical(list(each))) for each in ours]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("generation", HEARTBEAT)
def test_a_forecast_for_heartbeat_is_made_on_what_its_tools_would_write(generation, step, tmp_path):
    step, *samples = STEPS[step]
    done = ran(generation, *samples)
    if done is None or _lacks(generation, step):
        return
    path = tmp_path / "cib.xml"
    path.write_bytes(ElementTree.tostring(done.before.cib))
    edit(str(path), [step])
    found, real = parse_configuration(path.read_bytes()), done.after
    assert found.constraints == real.constraints
    assert found.primitives == real.primitives
    assert found.node_attributes == real.node_attributes
    assert found.transient == real.transient
    assert found.maintenance == real.maintenance


def test_every_kind_of_step_has_its_proof_and_a_misspelt_one_raises():
    assert set(step_checks.CHECKS) == set(get_args(CibStepKind))
    with pytest.raises(KeyError):
        borne_out(Step("stanby", "", {"node": "host1"}), CONFIGURATION)


def test_every_kind_of_step_that_heartbeat_has_is_foreseen_and_a_misspelt_one_raises(tmp_path):
    assert set(heartbeat_edit._EDITS) == set(get_args(CibStepKind)) - OLDEST.lacks.keys()
    path = tmp_path / "cib.xml"
    path.write_bytes(cib_of(HEARTBEAT[0], "base"))
    with pytest.raises(KeyError):
        edit(str(path), [Step("clear-stanby", "", {"node": "host1"})])


@pytest.mark.parametrize("generation", HEARTBEAT)
def test_a_success_that_changed_nothing_is_never_believed(generation):
    """Heartbeat ends with 0 for a node that does not exist, and where the domU runs already."""
    for sample, node in (("res-M-badnode", "nosuch"), ("res-M-H-same", "host1")):
        done = ran(generation, sample)
        if done is not None:
            assert done.status == 0
            assert not borne_out(Step("move", "move", NFS | {"node": node}), done.after)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_target_role_in_the_other_spelling_is_never_one(generation):
    """The tools take it and end with 0; the scheduler does not read it."""
    done = ran(generation, "res-set-tr-dash" if generation in HEARTBEAT else "res-set-us")
    assert done is not None
    assert done.status == 0
    assert "target-role" not in done.after.primitives["nfs"].meta


@pytest.mark.parametrize("generation", HEARTBEAT)
def test_a_meta_option_among_the_parameters_is_one_for_heartbeat(generation):
    done = ran(generation, "res-set-tr-nometa")
    assert done is not None
    assert done.after.primitives["nfs"].own_meta["target-role"] == "Stopped"


def test_an_xml_attribute_is_a_meta_option_for_heartbeat():
    cib = cib_of("heartbeat-2.1.3", "base").replace(
        b'<primitive id="nfs"', b'<primitive is_managed="false" resource_stickiness="1" id="nfs"'
    )
    assert parse_configuration(cib).primitives["nfs"].own_meta["is-managed"] == "false"


INTERIM = {
    "res-M-H": [("cli-prefer-nfs", "prefer", "host2")],
    "res-M-noH": [("cli-standby-nfs", "ban", "host1")],
    "res-M-nonode": [("cli-standby-nfs", "ban", "host1")],
    "res-M-life": [("cli-prefer-nfs", "prefer", "host2")],
    "res-M-lifetime": [("cli-prefer-nfs", "prefer", "host2")],
}


@pytest.mark.parametrize("sample", INTERIM)
@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_a_move_leaves_is_found_in_every_form(generation, sample):
    done = ran(generation, sample)
    if done is None:
        return
    found = done.after.constraints
    expected = INTERIM[sample]
    if BY_KEY[ROWS[generation]].since >= (1, 1, 10):
        expected = [
            (name.replace("cli-standby-nfs", "cli-ban-nfs-on-host1"), kind, node)
            for name, kind, node in expected
        ]
    assert [(each.id, each.kind, each.node) for each in found] == expected
    assert all(bool(each.expires) == ("life" in sample) for each in found)


# Every verb on every row


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.key)
def test_every_step_of_every_verb_is_spelt_or_refused_with_another_way(dialect: Dialect, verb):
    plan = decided(verb, subject())
    for phase in (*plan.phases, *(plan.fallback.phases if plan.fallback else ())):
        for step in phase.steps:
            if step.kind == "destroy":
                continue
            try:
                assert step_argv(dialect, step)
            except Refused as refusal:
                assert refusal.hint.startswith("hxm ")
                assert verb == "maintenance"


# Which generation


def status_of(generation: str) -> Status:
    return seen(generation, "base", "mon-1r.txt")


DETECTED = {
    "heartbeat-2.1.3": ("0.6", "Heartbeat's layout"),
    "pacemaker-0.6.6": ("0.6", "Heartbeat's layout"),
    "pacemaker-1.0.8": ("1.0", "the DC reports 1.0.8"),
    "pacemaker-1.1.14": ("1.1.13", "the DC reports 1.1.14"),
}


@pytest.mark.parametrize(("generation", "expected"), DETECTED.items())
def test_a_captured_generation_is_recognised_by_what_it_says(generation, expected):
    configuration = parse_configuration(cib_of(generation, "base"))
    found = detect(status_of(generation), configuration)
    assert found.dialect.key == expected[0]
    assert expected[1] in found.why


def test_heartbeats_2_1_4_is_never_taken_for_pacemaker_2_1():
    cib = cib_of("heartbeat-2.1.3", "base").replace(
        b'name="stonith-enabled" value="false"', b'name="dc-version" value="2.1.4-node: aa909246"'
    )
    assert detect(status_of("heartbeat-2.1.3"), parse_configuration(cib)).dialect.key == "0.6"


VERSIONS = {
    "3.0.3-4b1f869f0f": "3.0",
    "3.1.0": "3.0",
    "9.9": "3.0",
    "2.1.9": "2.1",
    "2.1.10": "2.1",
    "2.0.1-9e909a5bdd": "2.0",
    "1.1.24": "1.1.13",
    "1.1.16-94ff4df": "1.1.13",
    "1.1.12-a14efad": "1.1.10",
    "1.1.10-14.el6_5.3-368c726": "1.1.10",
    "1.1.9-2db99f1": "1.1",
    "1.1.7-ee0730e13d124c3d58f00016c3376a1de5323cff": "1.1",
    "1.0.12-unknown": "1.0",
    "0.6.6-node: 1": "0.6",
    "": None,
    "unknown": None,
}


@pytest.mark.parametrize(("version", "key"), VERSIONS.items())
def test_a_version_never_means_another_generation(version, key):
    found = dialect_of(version)
    assert (found.key if found else None) == key


FEATURE_SETS = {
    "3.20.5": "3.0",
    "3.16.1": "2.1",
    "<3.15.1": "2.0",
    "3.6.1": "2.0",
    "3.0.14": "1.1.13",
}


@pytest.mark.parametrize(("feature_set", "key"), FEATURE_SETS.items())
def test_a_feature_set_never_means_a_newer_generation(feature_set, key):
    found = dialect_of_feature_set(feature_set)
    assert found is not None
    assert found.key == key


CONFIGURATION = parse_configuration(cib_of("pacemaker-3.0.3", "base"))
XML = parse_status(
    b'<pacemaker-result api-version="2.42"><summary><current_dc present="true" name="h1" '
    b'version="3.0.3" with_quorum="true"/></summary><nodes><node name="h1" online="true" '
    b'feature_set="3.20.5"/></nodes></pacemaker-result>'
)


def test_a_mixed_cluster_is_handled_as_its_oldest_member_and_said():
    found = detect(XML._replace(feature_sets=("3.20.5", "3.16.1")), CONFIGURATION)
    assert found.dialect.key == "2.1"
    assert found.mixed == "the members are of different versions (feature sets 3.16.1, 3.20.5)"
    assert "3.16.1" in found.why


def test_members_that_are_alike_are_what_the_dc_is():
    found = detect(XML._replace(feature_sets=("<3.15.1", "<3.15.1")), CONFIGURATION)
    assert (found.dialect.key, found.mixed) == ("3.0", "")


LOST = (
    b'<pacemaker-result api-version="2.25"><summary><current_dc present="true" name="h1" '
    b'version="2.1.5" with_quorum="true" mixed_version="true"/></summary><nodes>'
    b'<node name="h1" online="true" feature_set="3.16.1"/>'
    b'<node name="h2" online="true" %s="true" feature_set="&lt;3.15.1"/>'
    b"</nodes></pacemaker-result>"
)


@pytest.mark.parametrize("state", [b"unclean", b"pending"])
def test_a_member_without_attributes_is_not_taken_for_an_older_one(state):
    found = detect(parse_status(LOST % state), CONFIGURATION)
    assert (found.dialect.key, found.mixed) == ("2.1", "")


def test_the_configuration_overrides_what_is_detected():
    assert detect(XML, CONFIGURATION, "1.0").dialect.key == "1.0"


TOOLS = {
    ("pacemaker-result", "2.0"): "2.0",
    ("pacemaker-result", "2.25"): "2.1",
    ("pacemaker-result", "2.42"): "3.0",
    ("crm_mon", "1.1.7"): "1.1",
    ("crm_mon", "2.0.2"): "2.0",
    ("text", ""): "1.0",
}


@pytest.mark.parametrize(("said", "key"), TOOLS.items())
def test_without_a_dc_the_tools_speak_for_the_cluster(said, key):
    form, tools = said
    nobody = CONFIGURATION._replace(properties={})
    status = XML._replace(version="", form=form, tools=tools)
    assert detect(status, nobody).dialect.key == key

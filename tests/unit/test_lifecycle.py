"""Start, shutdown, reboot and destroy: the steps, the goals, and what stands against them."""

from __future__ import annotations

from typing import Any

import pytest
from factories import cluster, domain, failure, node, primitive, reasons, told, told_phase

from hxm.plan import AlreadyDone, Phase
from hxm.policy.orders import lifecycle
from hxm.policy.reasons.facts import Reason

STOPPED = {"target-role": "Stopped"}
STARTED = {"target-role": "Started"}
CLEAR = ["clear-meta nfs target-role", "-> running nfs"]
SET = ["set-meta nfs target-role Started", "-> running nfs"]
STOP = ["set-meta nfs target-role Stopped", "-> stopped nfs"]
OFF = domain("nfs", target_role="Stopped")
ON = domain("nfs", "host1")
LOST = node("host1", online=False, unclean=True)

# Each row: the parts of the cluster, the decision, what stands against it

START = {
    "runs": ([ON], ["nothing: nfs runs on host1 already"], []),
    "runs, and Started stands there": (
        [ON, primitive("nfs", own=STARTED)],
        ["nothing: nfs runs on host1 already"],
        [],
    ),
    "runs, and started stands there in small letters": (
        [ON, primitive("nfs", own={"target-role": "started"})],
        ["nothing: nfs runs on host1 already"],
        [],
    ),
    "own Stopped": ([OFF, primitive("nfs", own=STOPPED)], CLEAR, []),
    "own stopped, in small letters": (
        [OFF, primitive("nfs", own={"target-role": "stopped"})],
        CLEAR,
        [],
    ),
    "inherited Stopped": ([OFF, primitive("nfs", STOPPED)], SET, []),
    "inherited Stopped, own Stopped": ([OFF, primitive("nfs", STOPPED, own=STOPPED)], SET, []),
    "inherited stopped, in small letters": (
        [OFF, primitive("nfs", {"target-role": "stopped"})],
        SET,
        [],
    ),
    "inherited Started, own Stopped": (
        [OFF, primitive("nfs", STARTED, own=STOPPED)],
        CLEAR,
        [],
    ),
    "still running, and to be stopped": ([ON, primitive("nfs", own=STOPPED)], CLEAR, []),
    "nothing keeps it stopped": (
        [domain("nfs")],
        ["-> running nfs"],
        ["should run, and does not, 107"],
    ),
    "inherited Stopped, own Started, and stopped": (
        [domain("nfs"), primitive("nfs", STOPPED, own=STARTED)],
        ["-> running nfs"],
        ["should run, and does not, 107"],
    ),
    "runs on a lost node": (
        [LOST, node("host2"), ON],
        ["-> running nfs"],
        ["not yet fenced, 107, --force"],
    ),
    "runs twice": (
        [domain("nfs", "host1", "host2")],
        ["-> running nfs"],
        ["at once, 107, --force"],
    ),
    "runs where the cluster does not know it": (
        [OFF._replace(stray="host1"), primitive("nfs", own=STOPPED)],
        CLEAR,
        ["does not know it, 107"],
    ),
}


@pytest.mark.parametrize(("parts", "lines", "against"), START.values(), ids=START)
def test_start_leaves_nothing_behind_but_where_the_default_is_to_stop(parts, lines, against):
    seen = cluster(*parts)
    decision = lifecycle.start(seen, list(seen.domains))
    assert told(decision) == lines
    assert reasons(decision) == against


def test_start_never_orders_what_already_runs():
    seen = cluster(ON, domain("sles", target_role="Stopped"), primitive("sles", own=STOPPED))
    decision = lifecycle.start(seen, list(seen.domains))
    assert told(decision) == ["clear-meta sles target-role", "-> running sles"]
    assert decision.subjects == ("sles",)


def test_start_says_which_failure_keeps_it_stopped():
    down = {"nfs": Reason("not on host2: its start failed there", do="hxm cleanup nfs host2")}
    seen = cluster(domain("nfs"), failure("start", "nfs", "host2"))._replace(down=down)
    (objection,) = lifecycle.start(seen, list(seen.domains)).objections
    assert "its start failed there" in objection.what
    assert "hxm cleanup nfs" in objection.do


SHUTDOWN: dict[str, tuple[Any, ...]] = {
    "runs": ([ON], STOP, []),
    "runs, and is to stop": ([domain("nfs", "host1", target_role="Stopped")], STOP, []),
    "stopped": ([OFF], ["nothing: nfs: stopped already"], []),
    "stopped, in small letters": (
        [domain("nfs", target_role="stopped")],
        ["nothing: nfs: stopped already"],
        [],
    ),
    "stopped by a failure: the cluster would start it": ([domain("nfs")], STOP, []),
    "two, one of them stopped": ([ON, domain("sles", target_role="Stopped")], STOP, []),
    "two": (
        [ON, domain("sles", "host2")],
        [
            "set-meta nfs target-role Stopped",
            "set-meta sles target-role Stopped",
            "-> stopped nfs",
            "-> stopped sles",
        ],
        [],
    ),
}


@pytest.mark.parametrize(("parts", "lines", "against"), SHUTDOWN.values(), ids=SHUTDOWN)
def test_what_is_shut_down_never_comes_back_by_itself(parts, lines, against):
    seen = cluster(*parts)
    decision = lifecycle.shutdown(seen, list(seen.domains))
    assert told(decision) == lines
    assert reasons(decision) == against


@pytest.mark.parametrize("policy", [lifecycle.shutdown, lifecycle.reboot])
def test_everything_never_stops_unasked(policy):
    seen = cluster(ON, domain("sles", "host2"))
    decision = policy(seen, list(seen.domains), everything=True)
    assert reasons(decision) == ["running domUs of the cluster would stop, 107, --yes"]
    assert "nfs, sles" in decision.objections[0].what
    assert policy(seen, [], everything=True) == AlreadyDone("no domU runs")


BACK = {
    "no target-role": (primitive("nfs"), "clear-meta nfs target-role"),
    "own Started": (primitive("nfs", own=STARTED), "set-meta nfs target-role Started"),
    "own started": (
        primitive("nfs", own={"target-role": "started"}),
        "set-meta nfs target-role started",
    ),
    "inherited Started": (primitive("nfs", STARTED), "clear-meta nfs target-role"),
    "inherited Stopped, own Started": (
        primitive("nfs", STOPPED, own=STARTED),
        "set-meta nfs target-role Started",
    ),
}


@pytest.mark.parametrize(("config", "back"), BACK.values(), ids=BACK)
def test_reboot_never_leaves_another_target_role_than_there_was(config, back):
    seen = cluster(ON, config)
    decision = lifecycle.reboot(seen, list(seen.domains))
    assert told(decision) == [*STOP, back, "-> running nfs"]
    assert told_phase(Phase(decision.rollback)) == [back]
    assert decision.expects == {"stop", "start"}
    assert reasons(decision) == []


def test_reboot_never_starts_what_did_not_run():
    decision = lifecycle.reboot(cluster(ON, OFF), [ON, domain("sles")])
    assert "does not run, 107" in reasons(decision)


DESTROY = {
    "runs": (
        [ON],
        ["set-meta nfs target-role Stopped", "destroy nfs host1", "-> stopped nfs"],
        [],
    ),
    "two": (
        [ON, domain("sles", "host2")],
        [
            "set-meta nfs target-role Stopped",
            "set-meta sles target-role Stopped",
            "destroy nfs host1",
            "destroy sles host2",
            "-> stopped nfs",
            "-> stopped sles",
        ],
        [],
    ),
    "runs twice": (
        [domain("nfs", "host1", "host2")],
        [
            "set-meta nfs target-role Stopped",
            "destroy nfs host1",
            "destroy nfs host2",
            "-> stopped nfs",
        ],
        ["at once, 107, --force"],
    ),
    "another name than its resource's": (
        [domain("nfs", "host1", resource="vm-nfs")],
        ["set-meta vm-nfs target-role Stopped", "destroy nfs host1", "-> stopped vm-nfs"],
        [],
    ),
    "stopped by a failure": ([domain("nfs")], STOP, []),
    "stopped": ([OFF], ["nothing: nfs: stopped already"], []),
}


@pytest.mark.parametrize(("parts", "lines", "against"), DESTROY.values(), ids=DESTROY)
def test_the_plug_is_never_pulled_before_the_cluster_knows(parts, lines, against):
    """The monitor would find the domU gone, and the cluster would start it again."""
    seen = cluster(*parts)
    decision = lifecycle.destroy(seen, list(seen.domains))
    assert told(decision) == lines
    assert reasons(decision) == against


EXPECTS = {
    "start": (lifecycle.start, {"start"}),
    "shutdown": (lifecycle.shutdown, {"stop"}),
    "reboot": (lifecycle.reboot, {"stop", "start"}),
    "destroy": (lifecycle.destroy, {"stop"}),
}


@pytest.mark.parametrize(("verb", "kinds"), EXPECTS.values(), ids=EXPECTS)
def test_no_verb_ever_means_more_movements_than_its_own(verb, kinds):
    seen = cluster(ON, primitive("nfs", own=STOPPED))
    decision = verb(seen, list(seen.domains))
    assert (decision.expects, decision.subjects) == (kinds, ("nfs",))

"""The rolling update: its steps, what stands against each, and how its state is kept."""

from __future__ import annotations

import time

import pytest
from factories import cluster, domain, failure, node, prefer, primitive, reasons, told
from hypothesis import given
from hypothesis import strategies as st

from hxm.config import Config
from hxm.errors import CannotAsk, NotFound
from hxm.model import UPDATE
from hxm.orders import execute
from hxm.plan import AlreadyDone, Forecast
from hxm.policy.orders import update
from hxm.policy.orders.update.progress import (
    BACK,
    DRAIN,
    DRAINING,
    REBOOT,
    TRY,
    Progress,
    progress_in,
)
from hxm.policy.state.findings import leftovers

HOSTS = (node("host1", dc=True), node("host2"), node("host3"))
NFS, SLES = domain("nfs", "host1"), domain("sles", "host2")
AT = Progress(("host2", "host3", "host1"), "host2", DRAIN, "nfs", 60.0, "", "root@host1")
TIDY = "then, if nothing moves: "


def seen(at: Progress | None, *parts, **known):
    """The cluster with an update under way; the parts replace what is of their name."""
    names = {each.name for each in parts if hasattr(each, "name")}
    usual = [each for each in (*HOSTS, NFS, SLES) if each.name not in names]
    properties = {UPDATE: at.text} if at else {}
    sound = {"fencing": True, "heard": ("host1", "host2", "host3")}
    return cluster(*usual, *parts, properties=properties, **sound | known)


def mark(at: Progress, **changed) -> str:
    return f"mark-update {at._replace(**changed).text}"


def marked(at: Progress, **changed) -> str:
    return f"-> marked {at._replace(**changed).text}"


DRAINED = AT._replace(stage=REBOOT, boot="b1")
TRYING = AT._replace(stage=TRY, boot="b1")
AWAY = node("host2", standby=True)
STEPS = {
    "the first is drained": (
        seen(AT),
        "b1",
        [
            mark(AT, boot="b1", stage=DRAINING),
            "standby host2",
            "-> empty host2",
            mark(AT, boot="b1", stage=REBOOT),
            "-> empty host2",
            marked(AT, boot="b1", stage=REBOOT),
        ],
    ),
    "the drain was ordered when hxm was killed; the boot of then is kept": (
        seen(AT._replace(boot="b1", stage=DRAINING), AWAY),
        "b2",
        [
            "-> empty host2",
            mark(AT, boot="b1", stage=REBOOT),
            "-> empty host2",
            marked(AT, boot="b1", stage=REBOOT),
        ],
    ),
    "the drain was over when hxm was killed": (
        seen(AT._replace(boot="b1", stage=DRAINING), AWAY, domain("sles", "host3")),
        "b1",
        [
            mark(AT, boot="b1", stage=REBOOT),
            "-> empty host2",
            marked(AT, boot="b1", stage=REBOOT),
        ],
    ),
    "it was rebooted": (
        seen(DRAINED, AWAY),
        "b2",
        [
            "clear-standby host2",
            mark(DRAINED, stage=BACK),
            "-> sound host2",
            mark(DRAINED, stage=TRY),
            "-> sound host2",
            marked(DRAINED, stage=TRY),
        ],
    ),
    "it was taken back when hxm was killed": (
        seen(DRAINED._replace(stage=BACK)),
        "b2",
        [
            "-> sound host2",
            mark(DRAINED, stage=TRY),
            "-> sound host2",
            marked(DRAINED, stage=TRY),
        ],
    ),
    "the canary is tried": (
        seen(TRYING),
        "b2",
        [
            "move nfs host2",
            "-> running nfs on host2",
            "-> sound host2",
            f"{TIDY}unmove nfs",
            "-> running nfs on host2",
            "-> sound host2",
            mark(TRYING, host="host3", stage=DRAIN, boot=""),
            "-> running nfs on host2",
            "-> sound host2",
            marked(TRYING, host="host3", stage=DRAIN, boot=""),
        ],
    ),
    "the canary was there when hxm was killed": (
        seen(TRYING, domain("nfs", "host2"), prefer()),
        "b2",
        [
            "-> running nfs on host2",
            "-> sound host2",
            f"{TIDY}unmove nfs",
            "-> running nfs on host2",
            "-> sound host2",
            mark(TRYING, host="host3", stage=DRAIN, boot=""),
            "-> running nfs on host2",
            "-> sound host2",
            marked(TRYING, host="host3", stage=DRAIN, boot=""),
        ],
    ),
    "the canary was taken out of the cluster": (
        seen(TRYING._replace(canary="gone")),
        "b2",
        [
            mark(TRYING, canary="gone", host="host3", stage=DRAIN, boot=""),
            marked(TRYING, canary="gone", host="host3", stage=DRAIN, boot=""),
        ],
    ),
    "a later host has no canary": (
        seen(DRAINED._replace(host="host3"), node("host3", standby=True)),
        "b2",
        [
            "clear-standby host3",
            mark(DRAINED, host="host3", stage=BACK),
            "-> sound host3",
            mark(DRAINED, host="host1", stage=DRAIN, boot=""),
            "-> sound host3",
            marked(DRAINED, host="host1", stage=DRAIN, boot=""),
        ],
    ),
    "the last is through": (
        seen(DRAINED._replace(host="host1"), node("host1", standby=True, dc=True)),
        "b2",
        [
            "clear-standby host1",
            mark(DRAINED, host="host1", stage=BACK),
            "-> sound host1",
            "unmark-update",
            "-> sound host1",
            "-> unmarked ",
        ],
    ),
}


@pytest.mark.parametrize(("now", "boot", "lines"), STEPS.values(), ids=STEPS)
def test_each_step_begins_with_what_is_there(now, boot, lines):
    decision = update.go_on(now, boot)
    assert [line.rstrip() for line in told(decision)] == [line.rstrip() for line in lines]
    assert reasons(decision) == []


AGAINST = {
    "not rebooted": (seen(DRAINED, AWAY), "b1", ["has not been rebooted, 107, --force"]),
    "nobody can tell": (seen(DRAINED, AWAY), "", ["cannot be told, 107, --yes"]),
    "nobody could tell then": (
        seen(DRAINED._replace(boot=""), AWAY),
        "b2",
        ["cannot be told, 107, --yes"],
    ),
    "somebody put it in standby before": (
        seen(AT, AWAY, domain("sles", "host3")),
        "b1",
        ["not by the update, 107, --force"],
    ),
    "somebody put it in standby while it was watched": (
        seen(DRAINED._replace(stage=BACK), AWAY),
        "b2",
        ["not by the update, 107, --force"],
    ),
    "nobody knows what else runs there": (
        seen(AT, heard=("host1",), unreachable={"host2": "ssh: no route"}),
        "b1",
        ["is unknown: ssh: no route, 107, --yes"],
    ),
    "another's domU runs there": (
        seen(AT, domain("other", "host2", resource=None, id=7)),
        "b1",
        ["would stay on, 107, --force"],
    ),
    "its watch is no number": (
        seen(DRAINED._replace(watch=float("inf")), AWAY),
        "b2",
        ["cannot be understood, 107"],
    ),
    "it is away": (
        seen(DRAINED, node("host2", online=False)),
        "",
        ["has not come back yet, 107"],
    ),
    "it is just coming": (
        seen(DRAINED, node("host2", pending=True)),
        "b2",
        ["has not come back yet, 107"],
    ),
    "another host is away": (
        seen(DRAINED, AWAY, node("host3", online=False)),
        "b2",
        ["host3 is OFFLINE, 107, --force"],
    ),
    "another host is lost": (
        seen(DRAINED, AWAY, node("host3", online=False, unclean=True)),
        "b2",
        ["not yet fenced, 107, --force"],
    ),
    "no quorum": (seen(DRAINED, AWAY, quorum=False), "b2", ["has no quorum, 106, --force"]),
    "no fencing": (seen(DRAINED, AWAY, fencing=False), "b2", ["fencing is disabled, 107, --force"]),
    "something failed": (
        seen(DRAINED, AWAY, failure(where="host2")),
        "b2",
        ["start of nfs failed, 107, --force"],
    ),
    "the host is no more": (seen(AT._replace(host="gone")), "", ["cannot be understood, 107"]),
}


@pytest.mark.parametrize(("now", "boot", "expected"), AGAINST.values(), ids=AGAINST)
def test_what_stands_against_a_step(now, boot, expected):
    found = reasons(update.go_on(now, boot))
    assert len(found) == len(expected), found
    for each, wanted in zip(found, expected, strict=True):
        message, _, rest = wanted.partition(", ")
        assert message in each
        assert each.endswith(rest)


def test_an_update_begins_with_a_cluster_that_is_well():
    assert reasons(update.start(seen(None), AT, "b1")) == []
    for other in (domain("nfs"), domain("nfs", "host1", managed=False)):
        assert len(update.start(seen(None, other), AT, "b1").objections) == 1
    ill = seen(None, node("host3", standby=True), prefer(), failure(), fencing=False)
    found = update.start(ill, AT, "b1").objections
    assert all(each.lifted_by == "--force" for each in found)
    said = " ".join(each.what for each in found)
    for word in ("fencing is disabled", "host3 is in standby", "start of nfs failed", "cli-prefer"):
        assert word in said
    (busy, *_) = update.start(seen(DRAINED), AT, "b1").objections
    assert (busy.lifted_by, busy.do.count("hxm update")) == ("", 2)


def test_the_dc_is_last_and_the_canary_the_least_important():
    low = primitive("sles", {}, own={"priority": "-5"})
    found = update.proposed(seen(None, low), [], None, 60, "root@host1")
    assert (found.order, found.host, found.canary) == (("host2", "host3", "host1"), "host2", "sles")
    unequal = seen(None, domain("sles", "host2", live=False))
    assert update.proposed(unequal, [], None, 60, "").canary == "nfs"
    chosen = update.proposed(seen(None), ["host1", "host3"], SLES, 60, "")
    assert (chosen.order, chosen.canary) == (("host1", "host3"), "sles")
    with pytest.raises(NotFound, match="no node host9"):
        update.proposed(seen(None), ["host9"], None, 60, "")


@pytest.mark.parametrize(
    ("now", "lines"),
    [
        (
            seen(DRAINED, AWAY),
            ["clear-standby host2", "unmark-update", "-> usable host2", "-> unmarked "],
        ),
        (seen(TRYING), ["unmark-update", "-> unmarked "]),
        (
            seen(AT._replace(stage=DRAINING), AWAY),
            ["clear-standby host2", "unmark-update", "-> usable host2", "-> unmarked "],
        ),
        (seen(DRAINED, node("host2", online=False)), ["unmark-update", "-> unmarked "]),
        (seen(AT, AWAY), ["unmark-update", "-> unmarked "]),
        (seen(TRYING, AWAY), ["unmark-update", "-> unmarked "]),
        (seen(DRAINED._replace(stage=BACK), AWAY), ["unmark-update", "-> unmarked "]),
        (seen(DRAINED._replace(watch=-1.0), AWAY), ["unmark-update", "-> unmarked "]),
    ],
)
def test_abort_takes_the_host_back_and_forgets(now, lines):
    plan = update.abort(now)
    assert told(plan) == lines
    named = "with it the standby of host2" in plan.done
    assert named == ("clear-standby host2" in lines)
    left = bool(now.node("host2").standby or not now.node("host2").online) and not named
    assert ["hxm active host2" in each for each in plan.notes] == [True] * left


def test_without_an_update_there_is_nothing_to_go_on_with_or_to_end():
    with pytest.raises(NotFound):
        update.go_on(seen(None), "")
    assert isinstance(update.abort(seen(None)), AlreadyDone)


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,20}", fullmatch=True)


@given(
    st.lists(NAMES, min_size=1, unique=True),
    st.sampled_from([DRAIN, DRAINING, REBOOT, BACK, TRY]),
    NAMES,
    st.floats(min_value=0, allow_infinity=False),
    NAMES,
)
def test_the_state_is_read_as_it_was_written(hosts, stage, canary, watch, boot):
    at = Progress(tuple(hosts), hosts[-1], stage, canary, watch, boot, "root@host1")
    assert progress_in({UPDATE: at.text}) == at
    assert at.readable


@given(st.text())
def test_what_somebody_else_wrote_is_named_and_never_trips(text):
    now = cluster(*HOSTS, NFS, properties={UPDATE: text})
    (finding,) = leftovers(now)
    assert finding.do == "hxm update next, or hxm update abort"
    assert finding.what.startswith("hxm-update: ")
    update.go_on(now, "")
    update.abort(now)


def test_an_update_under_way_is_named_with_what_to_do():
    (finding,) = leftovers(seen(DRAINED, AWAY))
    assert len(list(leftovers(seen(TRYING, AWAY)))) == 2, "a standby that is not its own"
    assert finding.what == (
        "hxm-update: host2 is drained, to be patched and rebooted; 0 of 3 hosts are through "
        "(begun by root@host1)"
    )


@pytest.mark.parametrize(("then", "holds"), [((), True), ((failure(where="host2"),), False)])
def test_a_step_is_over_only_when_its_goals_have_held(monkeypatch, then, holds):
    now = seen(DRAINED)
    plan = update.go_on(seen(DRAINED, AWAY), "b2")
    acting = execute.Execution(
        now, plan, Forecast(((), ()), now), Config(poll=0.01), lambda _: None
    )

    def look() -> bool:
        acting.cluster = seen(DRAINED, *then)
        return True

    monkeypatch.setattr(acting, "_look", look)
    assert acting._goals_hold(plan.phases[0]._replace(hold=0.05)) is holds


def _watched(monkeypatch, looks, hold=3.0):
    """Whether the goals held in these looks, one a second; a look without parts failed."""
    now, left = [0.0], list(looks)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    plan, well = update.go_on(seen(DRAINED, AWAY), "b2"), seen(DRAINED)
    acting = execute.Execution(well, plan, Forecast(((), ()), well), Config(), lambda _: None)

    def look() -> bool:
        parts = left.pop(0)
        if parts is None:
            raise CannotAsk("the cluster cannot be asked")
        acting.cluster = seen(DRAINED, *parts)
        return True

    monkeypatch.setattr(acting, "_look", look)
    return acting._goals_hold(plan.phases[0]._replace(hold=hold)), len(left)


def test_what_was_not_seen_has_not_held(monkeypatch):
    ill = (failure(where="host2"),)
    assert _watched(monkeypatch, [()] * 3) == (True, 0)
    assert _watched(monkeypatch, [(), (), ill]) == (False, 0), "the last look counts as well"
    assert _watched(monkeypatch, [(), None, (), (), (), ()]) == (True, 0), "anew when it sees again"
    with pytest.raises(CannotAsk):
        _watched(monkeypatch, [None] * 700)

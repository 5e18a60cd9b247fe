"""How a change is carried out and judged, without a cluster: what was found on a live one."""

from __future__ import annotations

import time
from typing import Any

import pytest
from factories import cluster, domain, failure, local, node, primitive, under_way

from hxm.config import Config
from hxm.errors import CannotAsk, Failed, Interrupted, Refused
from hxm.host import programs
from hxm.model import WITHDRAWING, Lock
from hxm.orders import execute, instances, lock, pipeline
from hxm.orders.on_node import carry_out_on_node
from hxm.orders.outcome import changed, changes
from hxm.orders.report import journal_entry
from hxm.pacemaker.cib import configuration_in
from hxm.pacemaker.simulate import NoForecast
from hxm.plan import Forecast, Instance, Movement, Phase, Plan, Step
from hxm.policy.orders import enrol, lifecycle, placement, restore
from hxm.policy.orders.enrol import RemovalSteps

BEFORE = cluster(domain("nfs", "host1"), local_node="host2", toolstack="xl")
HELD = Lock("root@host1:12:345", "root", "host1", "12", "345", "migrate nfs", 5.0, 5.0)


def performance(plan, after=BEFORE, before=BEFORE):
    live = Movement("nfs", "live", "host1", "host2")
    found = execute.Execution(before, plan, Forecast(((live,),), after), Config(), lambda _: None)
    found.cluster = after
    return found


def destroyed(before=BEFORE):
    plan = lifecycle.destroy(before, [before.domains[0]])
    (plug,) = (step for step in plan.phases[0].steps if step.kind == "destroy")
    return list(filter(None, [carry_out_on_node(before, plug, Config(), [], lambda: None)]))


@pytest.mark.parametrize(
    ("parts", "message", "hint"),
    [
        (
            (node("host1"), node("host2"), failure("migrate_to")),
            "nfs: restarted, not live (migrate_to failed on host1: error)",
            "the live migration failed and the cluster restarted it: hxm status",
        ),
        (
            (node("host1", online=False), node("host2")),
            "nfs: restarted, not live",
            "host1 was lost and the cluster restarted it: hxm status",
        ),
    ],
)
def test_a_cold_restart_is_no_success_and_its_cause_is_told(parts, message, hint):
    plan = placement.migrate(BEFORE, BEFORE.domains[0], BEFORE.nodes[1])
    outcome = performance(plan, cluster(domain("nfs", "host2"), *parts))._goals_reached()
    assert (outcome.status, outcome.message, outcome.hint) == (1, message, hint)


@pytest.mark.parametrize(("failures", "status"), [((), 0), ((failure("migrate_to", "sles"),), 1)])
def test_another_domu_counts_only_if_its_migration_failed(failures, status):
    """Found by the random walk: a reboot of one ended with 1 because another's node was lost."""
    before = cluster(domain("nfs", "host1"), domain("sles", "host1"))
    plan = lifecycle.reboot(before, [before.domains[0]])
    after = cluster(domain("nfs", "host1"), domain("sles", "host2"), *failures)
    assert performance(plan, after, before)._goals_reached().status == status


@pytest.mark.parametrize("known", [{"unclean": True}, {"online": False}])
def test_a_lost_node_is_never_asked_to_pull_a_plug(known, monkeypatch):
    monkeypatch.setattr(programs, "output", lambda *_, **__: pytest.fail("it was asked"))
    before = cluster(
        domain("nfs", "host1"),
        node("host1", **known),
        node("host2"),
        local_node="host2",
        toolstack="xl",
    )
    (warning,) = destroyed(before)
    assert warning.startswith("cannot destroy nfs on host1 at once: host1 is ")


def test_a_plug_that_cannot_be_pulled_is_left_to_the_cluster(monkeypatch):
    def hang(*_, **__):
        raise CannotAsk("ssh gave no answer within 15 s")

    monkeypatch.setattr(programs, "output", hang)
    assert destroyed() == ["cannot destroy nfs on host1 at once: ssh gave no answer within 15 s"]


def test_ctrl_c_between_two_steps_tells_what_was_ordered(monkeypatch):
    plan = lifecycle.reboot(BEFORE, [BEFORE.domains[0]])
    found = performance(plan)
    calls = iter([None])

    def ordered(_, steps, done, **__):
        for _ in calls:
            done.append(("crm_resource", steps[0].kind))
            return
        raise KeyboardInterrupt

    stopped = BEFORE._replace(domains=(domain("nfs"),))
    monkeypatch.setattr(execute, "carry_out", ordered)
    monkeypatch.setattr(execute, "read_cluster", lambda *_, **__: stopped)
    monkeypatch.setattr(execute.Execution, "_await", lambda *_, **__: True)
    outcome = found.perform(1)
    assert outcome.status == 130
    assert outcome.hint == "to look: hxm status; to undo it: hxm start nfs"
    assert [(each.name, each.how) for each in outcome.changes] == [("nfs", "stopped")]


@pytest.mark.parametrize(
    ("phase", "message"), [(0, "interrupted: nothing was changed"), (1, "interrupted")]
)
def test_ctrl_c_in_a_sandbox_tells_whether_anything_was_changed(phase, message, monkeypatch):
    """Its steps were told as done before the first of them was."""
    before = BEFORE._replace(sandbox="/x/cib.xml")
    plan = lifecycle.reboot(before, [before.domains[0]])
    told: list[str] = []
    found = execute.Execution(before, plan, Forecast(((), ()), before), Config(), told.append)
    done = iter([([("crm_resource",)], ())] * phase)

    def change(*_):
        for one in done:
            return one
        raise KeyboardInterrupt

    monkeypatch.setattr(execute, "change_sandbox", change)
    monkeypatch.setattr(execute, "read_cluster", lambda *_, **__: before)
    monkeypatch.setattr(execute.Execution, "_await", lambda *_, **__: True)
    assert found.perform(1).message == message
    assert told == [step.says for each in plan.phases[:phase] for step in each.steps]


def no_answer(*_: Any) -> Any:
    raise NoForecast("crm_simulate gave no answer within 600 s")


@pytest.mark.parametrize("simulated", [True, False])
def test_an_order_goes_on_where_the_scheduler_gives_no_answer(simulated, monkeypatch):
    """A shutdown that succeeded ended with 102, after the whole of its time."""
    plan = lifecycle.shutdown(BEFORE, [BEFORE.domains[0]])
    assert isinstance(plan, Plan)
    tidying = Phase((Step("unban", "tidy up", {}),), only_if_still=True)
    plan = plan._replace(phases=(*plan.phases, tidying))
    forecast = Forecast(((), ()), BEFORE, simulated=simulated)
    told: list[str] = []
    found = execute.Execution(BEFORE, plan, forecast, Config(), told.append)
    stopped = BEFORE._replace(domains=(domain("nfs"),))
    looks = iter([BEFORE, stopped._replace(idle=False)])
    done: list[Step] = []
    monkeypatch.setattr(found._pace, "wait", lambda: None)
    monkeypatch.setattr(execute, "carry_out", lambda _, steps, **__: done.extend(steps))
    monkeypatch.setattr(execute, "read_cluster", lambda *_, **__: next(looks, stopped))
    monkeypatch.setattr(execute, "simulator", lambda: ("crm_simulate",))
    never = no_answer if simulated else lambda *_: pytest.fail("it was asked again")
    monkeypatch.setattr(execute, "still_to_do", never)
    monkeypatch.setattr(execute, "would_move", never)
    outcome = found.perform(60)
    assert outcome.status == 0
    assert done == [*plan.phases[0].steps]
    assert sum("going on by what the cluster shows" in line for line in told) == simulated


def test_a_phase_that_only_tidies_up_is_left_out_where_nobody_knows_what_it_moves(monkeypatch):
    tidying = Phase((Step("unban", "tidy up", {}),), only_if_still=True)
    found = performance(Plan("migrate", "migrate nfs", ("nfs",), (tidying,)))
    monkeypatch.setattr(execute, "simulator", lambda: ("crm_simulate",))
    monkeypatch.setattr(execute, "would_move", no_answer)
    monkeypatch.setattr(execute, "carry_out", lambda *_, **__: pytest.fail("it was done"))
    assert found.perform(1).status == 0


def test_each_domu_is_told_with_its_own_time(monkeypatch):
    """Not with that of the last one: a drain of two took as long for both."""
    before = cluster(domain("nfs", "host1"), domain("sles", "host1"))
    between = cluster(domain("nfs", "host2"), domain("sles", "host1"))
    after = cluster(domain("nfs", "host2"), domain("sles", "host2"))
    drain = performance(placement.standby(before, before.nodes[0]), before, before)
    clock = iter((drain.started + 10, drain.started + 70, drain.started + 71))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    for seen in (between, after):
        drain._tell_changes(seen)
        drain.cluster = seen
    changes = drain._outcome(0, "").changes
    assert [(change.name, round(change.seconds)) for change in changes] == [
        ("nfs", 10),
        ("sles", 70),
    ]


HIDDEN = cluster(domain("nfs"), primitive("nfs", own={WITHDRAWING: "true"}))
OUT = RemovalSteps(*(Step(kind, kind, {}) for kind in ("hide", "forget", "delete")))
CUT_SHORT = {
    "the migration is under way": (
        lambda: placement.migrate(BEFORE, BEFORE.domains[0], BEFORE.nodes[1]),
        cluster(domain("nfs", "host1"), under_way("migrate_to")),
        "when the migration has ended, to undo it: hxm unmigrate nfs",
    ),
    "it has arrived": (
        lambda: placement.migrate(BEFORE, BEFORE.domains[0], BEFORE.nodes[1]),
        cluster(domain("nfs", "host2")),
        "to undo it: hxm unmigrate nfs",
    ),
    "a withdrawal": (
        lambda: enrol.withdraw(BEFORE, BEFORE.domains[0], OUT, [], []),
        HIDDEN,
        "to finish it: hxm withdraw nfs",
    ),
}


@pytest.mark.parametrize(("plan", "now", "hint"), CUT_SHORT.values(), ids=CUT_SHORT)
def test_what_to_type_after_ctrl_c_is_what_would_be_done(plan, now, hint, monkeypatch):
    found = performance(plan())
    found.commands.append(("crm_resource",))
    monkeypatch.setattr(execute, "read_cluster", lambda *_, **__: now)
    outcome = found._cut_short(Interrupted("interrupted", "to look: hxm status"))
    assert outcome.hint == f"to look: hxm status; {hint}"
    assert outcome.message.startswith("interrupted; the cluster continues: ")


def test_what_nobody_could_look_at_is_not_nothing(monkeypatch):
    def silent(*_, **__):
        raise CannotAsk("no node of lab answers")

    found = performance(placement.migrate(BEFORE, BEFORE.domains[0], BEFORE.nodes[1]))
    found.commands.append(("crm_resource",))
    found.written = None
    monkeypatch.setattr(execute, "read_cluster", silent)
    outcome = found._cut_short(CannotAsk("no node of lab answers"))
    entry = journal_entry(BEFORE, outcome)
    assert (entry["left"], entry["gone"], outcome.written) == (None, None, b"")


def test_a_withdrawal_that_is_done_is_not_to_be_finished(monkeypatch):
    found = performance(enrol.withdraw(BEFORE, BEFORE.domains[0], OUT, [], []))
    found.commands.append(("cibadmin",))
    monkeypatch.setattr(execute, "read_cluster", lambda *_, **__: cluster())
    outcome = found._cut_short(Failed("nfs does not run as before"))
    assert (outcome.status, outcome.hint) == (1, "")


@pytest.mark.parametrize(
    ("raises", "status", "message"),
    [
        (
            CannotAsk("cannot tell whether nfs runs as before: host1"),
            0,
            "done: enrol nfs; cannot tell whether nfs runs as before: host1",
        ),
        (Failed("nfs does not run as before"), 1, "nfs does not run as before"),
    ],
)
def test_what_no_node_can_tell_takes_nothing_back(raises, status, message, monkeypatch):
    def changed(*_):
        if isinstance(raises, CannotAsk):
            raise raises
        return raises.message

    plan = placement.standby(BEFORE, BEFORE.nodes[0])
    assert isinstance(plan, Plan)
    plan = plan._replace(
        about="enrol nfs", done="nfs ran all the while", phases=(), rollback_phases=(Phase(()),)
    )
    found = performance(plan._replace(same_instance=Instance("nfs", {"host1": 1})))
    monkeypatch.setattr(instances, "changed", changed)
    found.commands.append(("cibadmin",))
    monkeypatch.setattr(execute.Execution, "_rolled_back", lambda _: True)
    outcome = found.perform(1)
    assert (outcome.status, outcome.message) == (status, message)
    assert ("rolled back" in outcome.hint) == bool(status)


@pytest.mark.parametrize("back", [True, False])
def test_what_was_taken_back_does_not_go_on(back, monkeypatch):
    plan = lifecycle.reboot(BEFORE, [BEFORE.domains[0]])
    assert isinstance(plan, Plan)
    found = performance(plan._replace(rollback_phases=(Phase(()),)))
    found.commands.append(("crm_resource",))
    monkeypatch.setattr(execute.Execution, "_rolled_back", lambda _: back)
    monkeypatch.setattr(execute, "read_cluster", lambda *_, **__: BEFORE)
    outcome = found._cut_short(Interrupted("interrupted", "to look: hxm status"))
    assert ("continues" in outcome.message, "rolled back" in outcome.hint) == (not back, back)


def test_a_domu_that_the_cluster_forgets_is_not_said_to_stop():
    plan = enrol.withdraw(BEFORE, BEFORE.domains[0], OUT, [], [])
    found = performance(plan)
    said: list[str] = []
    found.report = said.append
    found._tell_changes(HIDDEN)
    assert said == ["nfs: no longer known to the cluster, still runs"]
    assert [each.how for each in changes(BEFORE, HIDDEN, plan)] == ["unchanged"]
    assert [each.how for each in changes(BEFORE, cluster(domain("nfs")), plan)] == ["stopped"]
    doubled = cluster(domain("nfs", "host1", "host2"))
    assert [each.how for each in changes(doubled, BEFORE, plan)] == ["found"]


@pytest.mark.parametrize("sandbox", [None, "/cib.xml"])
def test_a_configuration_is_replaced_only_if_it_is_still_the_one_that_was_seen(
    monkeypatch, sandbox
):
    before = BEFORE._replace(written=b"one", sandbox=sandbox)
    plan = restore.restore(before, "restore 1", [], "/file")
    found = performance(plan, before, before)
    monkeypatch.setattr(execute, "read_cluster", lambda *_, **__: before._replace(written=b"other"))
    for tool in ("carry_out", "change_sandbox"):
        monkeypatch.setattr(execute, tool, lambda *_, **__: pytest.fail("it was replaced"))
    with pytest.raises(Refused, match="somebody else is changing the configuration"):
        found._carry_out(plan.phases[0])


@pytest.mark.parametrize("changed_since", [False, True])
def test_it_is_compared_once_more_when_the_tool_is_about_to_start(
    monkeypatch, tmp_path, changed_since
):
    """Half a second lies between the last look and the tool."""
    cib = b"<cib><configuration><crm_config/><resources/>%b</configuration></cib>"
    lock = b'<cluster_property_set id="hxm-lock"/>'
    seen, other = (configuration_in(cib % each) for each in (b"", b"<constraints/>"))
    held = seen.replace(b"<crm_config/>", b"<crm_config>" + lock + b"</crm_config>")
    file = tmp_path / "configuration.xml"
    file.write_bytes(held)
    started = []

    def output(argv, *_, **__):
        started.append(argv[1])
        answer = other if changed_since and argv[1] == "--query" else held
        return programs.Result(argv, 0, answer, "")

    monkeypatch.setattr(programs, "output", output)
    monkeypatch.delenv("CIB_file", raising=False)
    before = BEFORE._replace(written=seen)
    plan = restore.restore(before, "restore 1", [], str(file))
    found = performance(plan, before, before)
    monkeypatch.setattr(execute, "read_cluster", lambda *_, **__: before)
    if changed_since:
        with pytest.raises(Refused, match="somebody else is changing the configuration"):
            found._carry_out(plan.phases[0])
        assert started == ["--query"]
    else:
        found._carry_out(plan.phases[0])
        assert started == ["--query", "--replace", "--query"]


def test_what_was_foreseen_holds_only_for_the_same_cluster():
    properties = {**BEFORE.properties, "hxm-lock": HELD.holder}
    assert not changed(BEFORE, BEFORE._replace(lock=HELD, domains=(), properties=properties))
    assert changed(BEFORE, cluster(domain("nfs", "host2")))
    assert changed(BEFORE, cluster(domain("nfs", "host1"), node("host1", standby=True)))
    for now in (
        {"properties": {"stop-all-resources": "true"}},
        {"quorum": False},
        {"failures": (failure(),)},
        {"history": (under_way("migrate_to"),)},
        {"pending_fencing": ("host2",)},
    ):
        assert changed(BEFORE, BEFORE._replace(**now)), now


def test_whoever_lost_the_lock_does_nothing_more():
    kept = lock.Hold(BEFORE, HELD.holder, Config())
    kept.keep(BEFORE._replace(lock=HELD))
    for other in (None, HELD._replace(holder="root@host2:1:2", node="host2")):
        with pytest.raises(Failed, match="lock was taken over"):
            kept.keep(BEFORE._replace(lock=other))


def test_a_lock_is_renewed_when_it_is_time_to(monkeypatch):
    asked: list[Any] = []
    monkeypatch.setattr(programs, "output", asked.append)
    kept = lock.Hold(BEFORE, HELD.holder, Config())
    kept.keep(BEFORE._replace(lock=HELD))
    assert not asked
    kept._renewed = time.monotonic() - 21
    migrating = BEFORE._replace(lock=HELD, history=(under_way("migrate_to"),))
    kept.keep(migrating)
    kept.keep(BEFORE._replace(lock=HELD))  # between the halves of a migration none is seen
    kept.keep(None)
    assert not asked
    kept._migrating = time.monotonic() - 6
    kept.keep(BEFORE._replace(lock=HELD))
    assert [argv[:2] for argv in asked] == [("cibadmin", "--modify")]


LEFT = {
    "a migration is in flight": (BEFORE._replace(history=(under_way("migrate_to"),)), (), True),
    "one was ordered, and nobody waits": (BEFORE, ("nfs",), True),
    "nothing migrates": (BEFORE, (), False),
}


@pytest.mark.parametrize(("seen", "ordered", "left"), LEFT.values(), ids=LEFT)
def test_a_lock_is_not_released_during_a_migration(monkeypatch, capsys, seen, ordered, left):
    asked = []
    monkeypatch.setattr(lock, "read_cluster", lambda *_, **__: seen)

    def output(argv):
        asked.append(argv)
        return programs.Result(tuple(argv), 0, b"", "")

    monkeypatch.setattr(programs, "output", output)
    with lock.Hold(BEFORE, HELD.holder, Config()) as held:
        held.leaves_to = ordered
    assert bool(asked) != left
    assert ("would disturb the migration of nfs" in capsys.readouterr().err) == left


def _answers(monkeypatch, *results):
    """What the tools answer, in this order; the command lines that they were asked."""
    asked, left, locks = [], list(results), [HELD]

    def output(argv, *_, **__):
        asked.append(argv[0] if argv[0] == "ssh" else argv[1])
        status, out, err = left.pop(0)
        if asked[-1] == "--create":
            locks.append(HELD if status else HELD._replace(holder="me"))
        return programs.Result(argv, status, out, err)

    monkeypatch.setattr(programs, "output", output)
    monkeypatch.setattr(lock, "holder_of", lambda *_: "me")
    monkeypatch.setattr(lock, "read_cluster", lambda *_, **__: BEFORE._replace(lock=locks[-1]))
    return asked


STAT = b"12 (hxm) S " + b" ".join(b"%d" % number for number in range(4, 40))


def test_the_holder_is_asked_for_on_its_node(monkeypatch):
    asked = _answers(
        monkeypatch,
        (108, b"", ""),
        (1, b"host1\n", "cat: /proc/12/stat: No such file or directory"),
        (0, b"", ""),
        (0, b"", ""),
    )
    lock.take(BEFORE, "migrate nfs", Config())
    assert asked == ["--create", "ssh", "--delete-all", "--create"]


@pytest.mark.parametrize(
    "answer",
    [
        (0, b"host1\n" + STAT, ""),
        (255, b"", "Permission denied"),
        (255, b"", "no such identity: /root/.ssh/id: No such file or directory"),
        (1, b"host9\n", "cat: /proc/12/stat: No such file or directory"),
        (0, b"host9.example.org\n" + STAT, ""),
    ],
)
def test_a_holder_that_lives_or_cannot_be_asked_is_respected(answer, monkeypatch):
    held = HELD._replace(started=programs.start_time_in(STAT))
    _answers(monkeypatch, answer)
    with pytest.raises(Refused, match="is at 'migrate nfs' for 5 s"):
        lock.take(BEFORE._replace(lock=held), "destroy nfs", Config())


def test_a_silent_holder_that_cannot_be_asked_is_watched_by_this_hosts_own_clock(monkeypatch):
    """Its clock may be a minute behind."""
    silent = HELD._replace(idle=70.0, renewed="100")
    refused = (255, b"", "Permission denied")
    monkeypatch.setattr(time, "sleep", lambda _: None)
    asked = _answers(monkeypatch, refused, (0, b"", ""), (0, b"", ""))
    locks = [silent]
    looks = iter([silent, HELD._replace(holder="me")])
    monkeypatch.setattr(lock, "read_cluster", lambda *_, **__: BEFORE._replace(lock=next(looks)))
    lock.take(BEFORE._replace(lock=locks[0]), "destroy nfs", Config())
    assert asked == ["ssh", "--delete-all", "--create"]
    _answers(monkeypatch, refused)
    alive = silent._replace(renewed="120")
    monkeypatch.setattr(lock, "read_cluster", lambda *_, **__: BEFORE._replace(lock=alive))
    with pytest.raises(Refused, match="one change at a time"):
        lock.take(BEFORE._replace(lock=silent), "destroy nfs", Config())


@pytest.mark.parametrize("fails", [KeyboardInterrupt, CannotAsk("no answer")])
def test_a_lock_that_may_have_been_taken_is_given_back(fails, monkeypatch):
    asked = _answers(monkeypatch, (0, b"", ""), (0, b"", ""))

    def look(*_, **__):
        raise fails

    monkeypatch.setattr(lock, "read_cluster", look)
    with pytest.raises(type(fails) if isinstance(fails, Exception) else fails):
        lock.take(BEFORE, "migrate nfs", Config())
    assert asked == ["--create", "--delete-all"]


def test_a_lock_given_back_in_between_is_simply_taken(monkeypatch):
    asked = _answers(monkeypatch, (108, b"", "File exists"), (0, b"", ""), (0, b"", ""))
    looks = iter([None, HELD._replace(holder="me")])
    monkeypatch.setattr(lock, "read_cluster", lambda *_, **__: BEFORE._replace(lock=next(looks)))
    lock.take(BEFORE, "migrate nfs", Config())
    assert asked == ["--create", "--delete-all", "--create"]  # what nobody holds is no lock


def test_another_process_of_the_same_number_is_not_the_holder(monkeypatch):
    asked = _answers(monkeypatch, (0, b"host1\n" + STAT, ""), (0, b"", ""), (0, b"", ""))
    lock.take(BEFORE._replace(lock=HELD), "destroy nfs", Config())
    assert asked == ["ssh", "--delete-all", "--create"]


def test_an_unmanaged_domu_needs_no_lock():
    assert not pipeline.managed_or_none(BEFORE, [local("other")])

"""A plan is tried on a copy of the CIB: each phase once, and whatever the scheduler takes."""

from __future__ import annotations

import random
import shutil
import sys
import time
from contextlib import nullcontext

import pytest

from hxm.cluster.read import read_cluster
from hxm.commands import update
from hxm.config import Config
from hxm.model import Cluster, Domain
from hxm.orders import rehearsal, simulate
from hxm.output import progress
from hxm.pacemaker import simulate as scheduler
from hxm.plan import Plan
from hxm.policy import guards
from hxm.policy.orders import lifecycle, placement


def shown(cluster: Cluster, before: Cluster) -> list[list[object]]:
    """Who runs where and is told to stop, which nodes are in standby, what is left of old moves."""
    domains = cluster.managed_domains
    return [
        sorted((one.id, one.nodes, one.role) for one in cluster.resources),
        [(domain.name, domain.nodes, domain.role, domain.told_to_stop) for domain in domains],
        [(node.name, node.standby, node.usable) for node in cluster.nodes],
        [one.id for one in cluster.constraints if one in before.constraints],
    ]


@pytest.mark.parametrize("seed", range(4))
def test_the_cluster_after_a_plan_is_the_one_that_crm_mon_would_show(bare, seed, monkeypatch):
    """The state before each plan is that after the one before it."""
    chance = random.Random(seed)
    bare.make("--nodes", "4", "--domains", "12")
    monkeypatch.setenv("CIB_file", str(bare.file))
    for _ in range(4):
        before = read_cluster(Config())
        node = chance.choice(before.hosts)
        running = chance.sample([one for one in before.managed_domains if one.running], 3)
        stopped = [one for one in before.managed_domains if not one.running]
        target = chance.choice([one for one in before.hosts if one.name not in running[0].nodes])
        plans = [
            placement.active(before, node) if node.standby else placement.standby(before, node),
            lifecycle.start(before, stopped) if stopped else lifecycle.shutdown(before, running),
            placement.migrate(before, running[0], target),
            placement.unmigrate(before, None),
        ]
        plan = chance.choice([plan for plan in plans if isinstance(plan, Plan)])
        with monkeypatch.context() as patched:
            patched.setattr(rehearsal, "_read_copy", None)
            told = rehearsal.forecast(before, plan, Config())
        with monkeypatch.context() as patched:
            patched.setattr(rehearsal, "movements_tell_all", lambda *_: False)
            read = rehearsal.forecast(before, plan, Config())
        assert told.phases == read.phases
        assert shown(told.after, before) == shown(read.after, before)
        with scheduler.scratch(str(bare.file)) as copy:
            simulate.apply_to_copy(before, plan.phases[0].steps, copy)
            copy.settle()
            shutil.copy(copy.path, bare.file)


def test_an_update_plan_drains_each_host_once(bare, monkeypatch, capsys):
    bare.make("--nodes", "4", "--domains", "12")
    monkeypatch.setenv("CIB_file", str(bare.file))
    monkeypatch.setenv("HXM_CONFIG", bare.env["HXM_CONFIG"])
    drained: list[str] = []

    def apply(cluster, steps, copy):
        drained.extend(step.values["node"] for step in steps if step.kind == "standby")
        return simulate.apply_to_copy(cluster, steps, copy)

    monkeypatch.setattr(rehearsal, "apply_to_copy", apply)
    update.plan()
    assert sorted(drained) == ["host1", "host2", "host3", "host4"]
    assert "drain host4" in capsys.readouterr().out


@pytest.mark.parametrize(("told_to_stop", "asked"), [(True, 0), (False, 1)])
def test_what_waits_is_asked_once_and_only_where_a_domu_may_wait(
    bare, monkeypatch, told_to_stop, asked
):
    """With a node in standby, for which instances of clones wait, and no domU."""
    bare.make("--nodes", "4", "--domains", "12")
    monkeypatch.setenv("CIB_file", str(bare.file))
    bare.ok("standby", "host4", "--yes")
    bare.ok("shutdown", "vm3")
    cluster = read_cluster(Config())
    if not told_to_stop:
        monkeypatch.setattr(Domain, "told_to_stop", False)
    plan = placement.standby(cluster, cluster.hosts[0])
    answers = []

    def answer(copy):
        answers.append(copy)
        return real(copy)

    real = scheduler.Scratch.answer
    monkeypatch.setattr(scheduler.Scratch, "answer", answer)
    predicted = rehearsal.forecast(cluster, plan, Config())
    assert (len(answers), predicted.waiting, predicted.later) == (asked, (), ())


def test_a_forecast_that_takes_too_long_is_asked_about(bare, monkeypatch, capsys):
    bare.make("--nodes", "4", "--domains", "12")
    monkeypatch.setenv("CIB_file", str(bare.file))
    cluster = read_cluster(Config())
    plan = placement.standby(cluster, cluster.hosts[0])
    assert isinstance(plan, Plan)
    slow = bare.bin / "crm_simulate"
    slow.write_text("#!/bin/sh\nexec sleep 30\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", bare.env["PATH"])
    monkeypatch.setattr(scheduler, "LONGEST", 0.1)
    predicted = rehearsal.forecast(cluster, plan, Config())
    assert update.plan() == 107
    assert "not simulated: crm_simulate gave no answer within 0.1 s" in capsys.readouterr().out
    (objection,) = guards.foreseen(cluster, plan, predicted)
    assert "not simulated: crm_simulate gave no answer within 0.1 s" in objection.what
    assert objection.lifted_by == guards.YES


class Recorder(progress.Display):
    """A bar, which nobody sees."""

    def __init__(self) -> None:
        self.drawn: list[tuple[str, ...]] = []

    def left(self, names, total) -> None:
        self.drawn.append((*names, str(total)))


@pytest.mark.parametrize(("moment", "drawn"), [(0.0, [("a", "b", "2"), ("b", "2")]), (60.0, [])])
def test_progress_is_drawn_of_what_takes_longer_than_a_moment(monkeypatch, moment, drawn):
    recorder = Recorder()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(progress, "_A_MOMENT", moment)
    monkeypatch.setattr(progress, "_bar", lambda _: nullcontext(recorder))
    with progress.display("plan", at_once=False) as shown:
        shown.left(["a", "b"], 2)
        deadline = time.monotonic() + 10
        while drawn and ("a", "b", "2") not in recorder.drawn and time.monotonic() < deadline:
            time.sleep(0.01)
        shown.left(["b"], 2)
    assert [one for one in recorder.drawn if one != ("0",)] == drawn

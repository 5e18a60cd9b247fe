"""hxm update: patch and reboot the hosts one by one."""

from __future__ import annotations

import os
import time
from itertools import zip_longest
from typing import TYPE_CHECKING

from hxm.cluster import capacity, live_pv
from hxm.cluster.read import read_cluster, with_other_nodes
from hxm.config import Config, read_config
from hxm.errors import DONE, TimedOut, UsageError
from hxm.model import Cluster, ManagedDomain
from hxm.orders import pipeline
from hxm.orders.rehearsal import forecast, rehearsal, unforeseen
from hxm.output import TABLE, Form, Table, as_json, render
from hxm.output.progress import Display, display
from hxm.pacemaker.simulate import NoForecast, simulator
from hxm.plan import Decision, Forecast, Objection, Phase, Plan
from hxm.policy import guards
from hxm.policy.forecast import movements_tell_all
from hxm.policy.orders import update
from hxm.policy.orders.update import plan as update_plan
from hxm.policy.orders.update.progress import REBOOT, Progress, Stage, progress_in
from hxm.records.journal import user
from hxm.toolstack.remote import read_boot

if TYPE_CHECKING:
    from hxm.arguments.options import Canary, Despite, Hosts, Order, Watch


def plan(
    canary: Canary = "",
    sequence: Hosts = "",
    watch: Watch = update.WATCH,
    force: Despite = False,
    form: Form = TABLE,
) -> int:
    """Show the steps of a rolling update, what the scheduler would do, and all objections.

    Changes nothing. What is refused as things are is not simulated, unless --force lifts that.
    Status 0 means that `hxm update start` is possible; otherwise the status is that of the first
    objection.

    Example: `hxm update plan --canary sles`.
    """
    config = read_config()
    cluster = with_other_nodes(read_cluster(config, why=True), config)
    progress = _proposed(cluster, canary, sequence, watch)
    objections = update_plan.against(cluster, progress)
    lifted = {guards.YES, guards.FORCE} if force else {guards.YES}
    if any(objection.lifted_by not in lifted for objection in objections):
        tried = update_plan.trial(cluster, progress)
        whole = update_plan.whole(cluster, progress, tried)
        predicted = unforeseen(cluster, whole, "it is refused as things are")
    else:
        with display("asking the scheduler") as shown:
            tried, whole, predicted = _foreseen(cluster, progress, config, shown)
        objections += update_plan.against_foreseen(cluster, whole, predicted)
        after = update_plan.afterwards(cluster, predicted)
        objections += capacity.objections(cluster, after, config)
        predicted, against_live = live_pv.judge(cluster, predicted, config)
        objections += against_live
    stages = update_plan.foreseen(cluster, progress, predicted, tried)
    if form.output == "json":
        render.show_json(
            {
                "order": progress.order,
                "canary": progress.canary or None,
                "simulated": predicted.simulated,
                "steps": [
                    {"host": stage.host, "step": stage.stage, "what": stage.what, "moves": moves}
                    for stage, moves in stages
                ],
                "objections": [as_json.objection_json(objection) for objection in objections],
            }
        )
    elif form.usual:
        _show_plan(stages, objections, predicted)
    else:
        rows = [
            (stage.host, stage.stage, stage.what, "; ".join(moves) if predicted.simulated else "?")
            for stage, moves in stages
        ]
        render.show(Table(("Host", "Step", "What", "Moves"), rows), form)
    return objections[0].status if objections else DONE


def _foreseen(
    cluster: Cluster, progress: Progress, config: Config, shown: Display
) -> tuple[tuple[Phase, ...], Plan, Forecast]:
    """How the canary is tried, the whole update as one plan, and what the scheduler makes of it.

    Where the canary is when the first host has been taken back, is seen on the way.
    """
    first = update_plan.whole(cluster, progress, hosts=1)
    tried = update_plan.trial(cluster, progress)
    whole = update_plan.whole(cluster, progress, tried)
    if not simulator():
        return tried, whole, forecast(cluster, whole, config)
    try:
        with rehearsal(cluster, config, shown) as rehearsed:
            rehearsed.go_through(first.phases, whole=movements_tell_all(cluster, first))
            tried = update_plan.trial(rehearsed.after(first), progress)
            whole = update_plan.whole(cluster, progress, tried)
            rest = whole.phases[len(first.phases) :]
            rehearsed.go_through(rest, whole=movements_tell_all(cluster, whole))
            return tried, whole, rehearsed.forecast(whole)
    except NoForecast as error:
        return tried, whole, unforeseen(cluster, whole, error.message)


def _show_plan(
    stages: list[tuple[Stage, list[str]]], objections: list[Objection], predicted: Forecast
) -> None:
    for number, (stage, moves) in enumerate(stages, 1):
        render.prose(f"{number:3}  {stage.what}")
        for line in moves:
            render.prose(f"         {line}")
    if not predicted.simulated:
        render.prose(f"not simulated: {predicted.unknown}")
    elif in_the_end := update_plan.in_the_end(predicted.after):
        render.prose(f"afterwards: {in_the_end}")
    for objection, following in zip_longest(objections, objections[1:]):
        what = "asked about" if objection.lifted_by == guards.YES else "refused"
        unless = f" (unless {guards.FORCE})" if objection.lifted_by == guards.FORCE else ""
        render.prose(f"{what}{unless}: {objection.what}")
        if not following or following.do != objection.do:
            render.out(f"     {objection.do}")
    render.out("nothing was changed" + ("" if objections else "; begin with: hxm update start"))


def start(
    order: Order, canary: Canary = "", sequence: Hosts = "", watch: Watch = update.WATCH
) -> int:
    """Begin a rolling update: drain the first host.

    All nodes must be usable, with quorum and fencing, without failures or leftovers. The progress
    is recorded in the cluster: any node can continue the update, even if this one is killed.
    """
    config = order.config

    def decide(cluster: Cluster) -> Decision:
        cluster = with_other_nodes(cluster, config)
        progress = _proposed(cluster, canary, sequence, watch)
        return update.start(cluster, progress, _boot(cluster, progress, config))

    return pipeline.carry_out(order, decide)


def next_(order: Order, canary: Canary = "") -> int:
    """Take the next step of the update, or repeat one that was cut short.

    hxm waits for a drained host to return and takes it back once it has been rebooted, which its
    boot id (read through ssh) shows. It then watches the host, and the canary on the first host: if
    anything fails there, the update stops at this step.
    """
    config = order.config
    if order.wait and not order.dry_run:
        _await_return(config.timeout if order.timeout is None else order.timeout, config)

    def decide(cluster: Cluster) -> Decision:
        cluster = with_other_nodes(cluster, config)
        progress = progress_in(cluster.properties)
        boot = _boot(cluster, progress, config) if progress else ""
        return update.go_on(cluster, boot, _canary(cluster, canary))

    return pipeline.carry_out(order, decide)


def status(form: Form = TABLE) -> int:
    """Show the progress of the update, and what to do next."""
    cluster = read_cluster(read_config(), local=False)
    progress = progress_in(cluster.properties)
    stages = update.all_stages(cluster, progress) if progress else []
    if form.output == "json":
        render.show_json(
            {
                "under_way": bool(progress),
                "said": update.said(cluster, progress) if progress else None,
                "host": progress.host if progress else None,
                "step": progress.stage if progress else None,
                "steps": as_json.keyed_rows(stages, as_json.STAGE),
            }
        )
    elif not form.usual:
        rows = [(stage.host, stage.stage, stage.state, stage.what) for stage in stages]
        render.show(Table(("Host", "Step", "State", "What"), rows), form)
    elif progress:
        render.prose(f"rolling update: {update.said(cluster, progress)}")
        for number, stage in enumerate(stages, 1):
            render.prose(f"{number:3}  {stage.state:4}  {stage.what}")
        render.out("continue with: hxm update next; end with: hxm update abort")
    else:
        render.out("no update is in progress; to plan one: hxm update plan")
    return DONE


def abort(order: Order) -> int:
    """End the update where it is: take the host out of standby and remove the recorded progress."""
    return pipeline.carry_out(order, update.abort)


SUBCOMMANDS = (plan, start, next_, status, abort)


def _proposed(cluster: Cluster, canary: str, sequence: str, watch: float) -> Progress:
    words = [word for word in sequence.split(",") if word]
    who = f"{user()}@{os.uname().nodename}"
    return update.proposed(cluster, words, _canary(cluster, canary), watch, who)


def _canary(cluster: Cluster, word: str) -> ManagedDomain | None:
    """The managed domU of this name; None without a name."""
    if word == "all":
        raise UsageError("--canary takes one domU", "hxm list")
    return pipeline.managed_only(cluster, [word])[0] if word else None


def _boot(cluster: Cluster, progress: Progress, config: Config) -> str:
    """The boot id of the host; "" if it is unreachable, and in a sandbox."""
    node = cluster.node(progress.host)
    if cluster.sandbox or not node or not node.reachable:
        return ""
    return read_boot(node.name, cluster.local_node, config.ssh_timeout)


def _await_return(timeout: float, config: Config) -> None:
    """Wait for a host that is being rebooted. Raises TimedOut if it does not come back."""
    end = time.monotonic() + timeout
    with display("waiting for the host to come back") as shown:
        while True:
            cluster = read_cluster(config, local=False)
            progress = progress_in(cluster.properties)
            node = cluster.node(progress.host) if progress and progress.stage == REBOOT else None
            if node is None or cluster.sandbox or not node.away:
                return
            shown.report(f"{node.name} is {node.predicament}")
            if time.monotonic() > end:
                raise TimedOut(
                    f"{node.name} is {node.predicament}: it has not come back",
                    "when it is back: hxm update next; to give up: hxm update abort",
                )
            time.sleep(config.poll)

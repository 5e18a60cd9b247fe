"""The rolling update: which host is at which step, and what it takes to get to the next.

The state is one property in the CIB, so that any node can go on where another was killed. Every
step begins with what is there and may be repeated; the state is written when its goals were seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hxm.errors import NotFound
from hxm.model import Cluster, ManagedDomain, Node
from hxm.plan import AlreadyDone, Decision, Goal, Objection, Phase, Plan, Step
from hxm.policy import guards, listed
from hxm.policy.orders import placement
from hxm.policy.orders.update.objections import (
    ABORT,
    GO_ON,
    not_back,
    not_rebooted,
    somebody_elses,
    unfit_canary,
    unheard,
)
from hxm.policy.orders.update.progress import (
    BACK,
    DRAIN,
    DRAINING,
    REBOOT,
    TRY,
    Progress,
    Stage,
    progress_in,
    stages,
)
from hxm.policy.state import fencing
from hxm.policy.state.findings import leftovers
from hxm.policy.state.node_remedy import node_remedy
from hxm.policy.steps import clear_standby_step, mark_step, unmark_step, unmove_step

WATCH = 60.0
"""Seconds for which a host, and then the canary on it, must stay well."""


def proposed(
    cluster: Cluster, sequence: Sequence[str], canary: ManagedDomain | None, watch: float, who: str
) -> Progress:
    """An update that has not begun: the DC last, unless the operator says in which order.

    Raises NotFound for what is no node.
    """
    names = [node.name for node in sorted(cluster.voters, key=lambda node: node.dc)]
    for name in sequence:
        if name not in names:
            raise NotFound(f"there is no node {name}", f"there are: {listed(names)}")
    order = tuple(dict.fromkeys(sequence)) or tuple(names)
    chosen = canary or least_important(cluster)
    resource = chosen.resource if chosen else ""
    return Progress(order, order[0], DRAIN, resource, watch, by=who)


def least_important(cluster: Cluster) -> ManagedDomain | None:
    """The running domU of the lowest priority, the last of them in the CIB; live ones first."""

    def rank(domain: ManagedDomain) -> tuple[bool, float]:
        priority = cluster.primitives[domain.resource].meta.get("priority", "0")
        return not domain.live, _number(priority)

    running = [domain for domain in cluster.managed_domains if domain.running and domain.managed]
    return min(reversed(running), key=rank, default=None)


def _number(priority: str) -> float:
    try:
        return float(priority)  # also INFINITY, with or without a sign
    except ValueError:
        return 0.0


# What must be so


def ready(cluster: Cluster) -> Iterator[Objection]:
    """The objections to beginning: an update begins only in a healthy cluster."""
    yield from steady(cluster, "")
    if len(cluster.voters) < 2:
        yield Objection("a cluster of one host cannot be updated host by host")
    for node, reason in cluster.barred.items():
        yield Objection(
            f"no domU may come to {node}: {reason.what}", reason.do, lifted_by=guards.YES
        )
    for finding in leftovers(cluster):
        if not finding.what.startswith("hxm-lock"):
            yield Objection(
                f"left behind: {finding.what}", f"first: {finding.do}", lifted_by=guards.FORCE
            )


def steady(cluster: Cluster, host: str) -> Iterator[Objection]:
    """The objections at every step: the cluster's, and those of all hosts but the one in work."""
    yield from guards.whole_cluster(cluster)
    if not cluster.fencing:
        yield Objection(
            "fencing is disabled: a host that is lost now would cost domUs",
            fencing.remedy(cluster),
            lifted_by=guards.FORCE,
        )
    for node in cluster.hosts:
        if node.name != host and not node.usable and not node.unclean:
            yield Objection(
                f"{node.name} is {node.predicament}: nobody is to spare",
                node_remedy(cluster, node),
                lifted_by=guards.FORCE,
            )
    yield from guards.failed(cluster)


# The steps


def start(cluster: Cluster, progress: Progress, boot: str) -> Decision:
    """Write down what is to be done, and drain the first host."""
    if under_way := progress_in(cluster.properties):
        return _step("begin an update", (), objections=(busy(cluster, under_way),))
    plan = _drain(cluster, progress, boot)
    objections = (*ready(cluster), *unfit_canary(cluster, progress), *plan.objections)
    return plan._replace(objections=tuple(dict.fromkeys(objections)))


def go_on(cluster: Cluster, boot: str, canary: ManagedDomain | None = None) -> Decision:
    """The next step; `boot` tells one boot of the host from another, and may be unknown."""
    progress = progress_in(cluster.properties)
    if not progress:
        raise NotFound("no update is under way", "hxm update start")
    if canary:
        progress = progress._replace(canary=canary.resource)
    node = cluster.node(progress.host)
    if not node or not progress.readable:
        gone = f"there is no node {progress.host} any more"
        what = gone if progress.readable else "the state of the update cannot be understood"
        return _step("go on with the update", (), objections=(Objection(what, ABORT),))
    if progress.stage in (DRAIN, DRAINING):
        plan = _drain(cluster, progress, boot)
    elif progress.stage in (REBOOT, BACK):
        plan = _take_back(cluster, progress, node, boot)
    else:
        plan = _try(cluster, progress, node)
    unfit = unfit_canary(cluster, progress) if canary else ()
    objections = (*steady(cluster, node.name), *unfit, *plan.objections)
    return plan._replace(objections=tuple(dict.fromkeys(objections)))


def abort(cluster: Cluster) -> Decision:
    """Forget the update, and take its host out of standby again; what is patched stays patched.

    A standby that the update did not order stays, and so does that of a host that is away: it may
    be half patched when it comes back.
    """
    progress = progress_in(cluster.properties)
    if not progress:
        return AlreadyDone("no update is under way")
    node = cluster.node(progress.host)
    steps: tuple[Step, ...] = (unmark_step(),)
    goals: tuple[Goal, ...] = (Goal("unmarked", ""),)
    notes: tuple[str, ...] = ()
    ended = "the update has ended"
    if node and node.member and progress.own_standby:
        steps = (clear_standby_step(node.name), *steps)
        ended += f", and with it the standby of {node.name}"
        if not node.maintenance:
            goals = (Goal("usable", node.name), *goals)
    elif node and (progress.own_standby or node.standby):
        why = "it is not the update's" if node.member else f"it is {node.predicament}"
        notes = (f"{node.name} stays in standby, {why}; when it is well: hxm active {node.name}",)
    through = progress.number + (progress.stage == TRY)  # its canary tries a host that is back
    return Plan(
        "update",
        "end the rolling update",
        (),
        (Phase(steps, goals),),
        objections=(
            *guards.whole_cluster(cluster),
            *guards.in_flight(cluster, cluster.managed_domains, guards.FORCE),
        ),
        warnings=guards.warnings(cluster),
        done=f"{ended}; through with it: {listed(progress.order[:through])}; "
        f"not: {listed(progress.order[through:])}",
        notes=notes,
        undo=ABORT,
    )


def _drain(cluster: Cluster, progress: Progress, boot: str) -> Plan:
    """Record that the update drains the host, order the standby, and wait until it is drained."""
    node = cluster.node(progress.host)
    if node is None:
        raise NotFound(f"there is no node {progress.host}", ABORT)
    # a boot that was written down is the one from before the drain
    begun = progress._replace(stage=DRAINING, boot=progress.boot or boot)
    plan = placement.standby(cluster, node)
    goals: tuple[Goal, ...] = (Goal("empty", node.name),)
    name = node.name
    can_return = f"every domU runs elsewhere; {name} can still take all of them back"
    notes: tuple[str, ...] = (f"then patch and reboot {name}, and: {GO_ON}",)
    if progress.number:
        notes = (can_return, *notes)
    if isinstance(plan, Plan):
        (drain,) = plan.phases
        marks = () if progress_in(cluster.properties) == begun else (mark_step(begun.text),)
        plan = plan._replace(phases=(drain._replace(steps=(*marks, *drain.steps)),))
    else:
        plan = _step("", ())
    over = begun._replace(stage=REBOOT)
    return plan._replace(
        verb="update",
        about=f"drain {name} for its update",
        phases=(*plan.phases, _marked(over, goals)),
        objections=(
            *somebody_elses(node, progress),
            *unheard(cluster, node),
            *plan.objections,
        ),
        done=f"{name} is in standby and the cluster runs nothing on it: safe to power off",
        notes=notes,
        undo=ABORT,
    )


def _take_back(cluster: Cluster, progress: Progress, node: Node, boot: str) -> Plan:
    """See that the host was rebooted and is well, let it run domUs again, and watch it.

    The standby is removed even where it is gone, as a killed removal leaves its empty set behind;
    once it was, another's is left alone.
    """
    name = node.name
    clear = clear_standby_step(name)
    marked = mark_step(progress._replace(stage=BACK).text)
    steps = (clear,) * node.standby if progress.stage == BACK else (clear, marked)
    goals = (Goal("sound", name),)
    after = _after(progress, cluster)
    return _step(
        f"take {name} back and watch it for {progress.watch:g} s",
        (Phase(steps, goals, hold=progress.watch), _marked(after, goals)),
        objections=(
            *not_back(node),
            *somebody_elses(node, progress),
            *not_rebooted(progress, node, boot),
            *guards.in_flight(cluster, cluster.managed_domains, guards.FORCE),
        ),
        warnings=guards.warnings(cluster),
        done=f"{name} is active again{_well(cluster, progress)}",
        notes=_next_note(after),
    )


def _try(cluster: Cluster, progress: Progress, node: Node) -> Plan:
    """Move the canary to the patched host and watch it there."""
    domain = cluster.domain_of(progress.canary)
    after = _after(progress._replace(stage=TRY), cluster)
    notes = _next_note(after)
    if not domain:
        about = "go on without a canary: it is not there any more"
        return _step(about, (_marked(after),), notes=notes)
    goals = (Goal("running", progress.canary, node.name), Goal("sound", node.name))
    sealed = (Phase((), goals), _marked(after, goals))  # seen once more before it is written
    about = f"try {domain.name} on {node.name} and watch it for {progress.watch:g} s"
    plan = placement.migrate(cluster, domain, node)
    if not isinstance(plan, Plan):  # it is there, perhaps by an order that was cut short
        ours = f"cli-prefer-{progress.canary}" in domain.interim
        tidy = (Phase((unmove_step(domain),), (), only_if_still=True),) if ours else ()
        watched = (Phase((), goals, hold=progress.watch), *tidy, *sealed)
        plan = _step(about, watched, subjects=(progress.canary,))

    def tried(draft: Plan) -> Plan:
        first, *rest = draft.phases
        phases = draft.phases
        if first.hold == 0:
            held = first._replace(goals=goals, hold=progress.watch)
            phases = (held, *rest, *sealed)
        done = f"{domain.name} runs on {node.name}{_well(cluster, progress)}"
        return draft._replace(verb="update", about=about, phases=phases, done=done, notes=notes)

    return tried(plan)._replace(fallback=tried(plan.fallback) if plan.fallback else None)


def _step(
    about: str,
    phases: tuple[Phase, ...],
    *,
    subjects: tuple[str, ...] = (),
    objections: tuple[Objection, ...] = (),
    warnings: tuple[str, ...] = (),
    done: str = "",
    notes: tuple[str, ...] = (),
) -> Plan:
    return Plan(
        "update",
        about,
        subjects,
        phases,
        objections=objections,
        warnings=warnings,
        done=done or about,
        notes=notes,
        undo=ABORT,
    )


def _marked(progress: Progress | None, goals: tuple[Goal, ...] = ()) -> Phase:
    """The state is written last, when all that it says has been seen."""
    if progress is None:
        return Phase((unmark_step(),), (*goals, Goal("unmarked", "")))
    return Phase((mark_step(progress.text),), (*goals, Goal("marked", progress.text)))


def _after(progress: Progress, cluster: Cluster) -> Progress | None:
    """Where the update is after this step; None at its end."""
    number = progress.number
    tried = progress.stage == TRY or number or not cluster.domain_of(progress.canary)
    if not tried:
        return progress._replace(stage=TRY)
    if number + 1 == len(progress.order):
        return None
    return progress._replace(host=progress.order[number + 1], stage=DRAIN, boot="")


def _next_note(after: Progress | None) -> tuple[str, ...]:
    if after is None:
        return ("every host is through: the update is over",)
    if after.stage == TRY:
        return (f"next, the canary: {GO_ON}",)
    return ("patch and restart domUs as you like", f"then drain {after.host}: {GO_ON}")


def _well(cluster: Cluster, progress: Progress) -> str:
    return "" if cluster.sandbox else f", and was well for {progress.watch:g} s"


# What there is to say


def said(cluster: Cluster, progress: Progress) -> str:
    """Where the update is, in one line."""
    return progress.said(_name(cluster, progress))


def all_stages(cluster: Cluster, progress: Progress) -> list[Stage]:
    """All steps in their order, and how far the update is."""
    return stages(progress, _name(cluster, progress))


def _name(cluster: Cluster, progress: Progress) -> str:
    domain = cluster.domain_of(progress.canary)
    return domain.name if domain else ""


def busy(cluster: Cluster, progress: Progress) -> Objection:
    """There is an update, and there can be one only."""
    return Objection(
        f"an update is under way: {said(cluster, progress)}",
        f"go on with {GO_ON}, or end it with {ABORT}",
    )

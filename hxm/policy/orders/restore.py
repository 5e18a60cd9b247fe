"""Restore and undo: an earlier configuration takes the place of the present one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from hxm.model import UPDATE, Cluster, Domain
from hxm.plan import Objection, Phase, Plan
from hxm.policy import guards, half_way, is_false, listed, typed
from hxm.policy.diff import Difference, intention, sentence, summed_up
from hxm.policy.names import at_home
from hxm.policy.state.running_twice import on_two_nodes
from hxm.policy.steps import restore_step

NODES = "nodes"
ONLY_FORM = "only ids, comments or the order of things differ"
_UNKNOWN: tuple[int, ...] = ()


def restore(
    cluster: Cluster,
    what: str,
    differences: Sequence[Difference],
    file: str,
    objections: Sequence[Objection] = (),
    notes: Sequence[str] = (),
    verb: str = "restore",
) -> Plan:
    """Put the configuration in the file in the place of the present one, all at once.

    `what` is the order in one line, `found` what it changes. Whatever domU would move, restart or
    stop is asked about: a configuration tells nobody that this was meant.
    """
    domains = cluster.managed_domains
    nothing = () if differences else (ONLY_FORM,)
    return Plan(
        verb,
        what,
        (
            *(domain.resource for domain in domains),
            *(
                difference.item.id
                for difference in differences
                if difference.item.kind == "domU" and difference.added
            ),
        ),
        (Phase((restore_step(what, file),)),),
        frozenset({"start"}),
        (
            *guards.whole_cluster(cluster),
            *guards.in_flight(cluster, domains),
            *on_two_nodes(cluster, domains),
            *half_way(cluster, domains),
            *objections,
            *in_an_update(cluster),
            *taken_out(cluster, differences, verb),
            *unfenced(differences),
        ),
        guards.warnings(cluster),
        notes=(*(sentence(difference, brief=True) for difference in differences), *nothing, *notes),
        intentions=(*map(intention, differences), *nothing, *notes),
        stops=frozenset(
            difference.item.id
            for difference in differences
            if difference.item.kind == "domU" and difference.removed
        ),
        done=f"done: {what}",
        undo="hxm undo",
    )


def in_an_update(cluster: Cluster) -> Iterator[Objection]:
    """A rolling update counts on the configuration as its last step left it."""
    if cluster.properties.get(UPDATE):
        yield Objection(
            "a rolling update is under way, and would not know of it",
            "hxm update abort ends it; --force changes the configuration anyway",
            lifted_by=guards.FORCE,
        )


def taken_out(
    cluster: Cluster, differences: Iterable[Difference], verb: str
) -> Iterator[Objection]:
    """A domU that runs, and would be no resource any more: the cluster stops what it has lost.

    No undo does that, be it of an enrolment: nobody who says that means a stop.
    """
    for difference in differences:
        domain = cluster.domain_of(difference.item.id)
        if difference.removed and difference.item.kind == "domU" and domain and domain.running:
            what = f"{domain.name} would be stopped: it would be no resource any more"
            do = f"hxm withdraw {typed(domain)} leaves it running"
            if verb == "undo":
                yield Objection(what, do)
            else:
                yield Objection(what, f"{do}; --yes stops it", lifted_by=guards.YES)


def unfenced(differences: Sequence[Difference]) -> Iterator[Objection]:
    """Fencing that is on would be off, or a part without quorum would continue anyway.

    Also if only a rule makes it so.
    """
    for difference in differences:
        name = difference.name.partition(" in ")[0].replace("_", "-")
        values = (difference.after.value if difference.after else "").split(" / ")
        if name in ("stonith-enabled", "fencing-enabled") and any(map(is_false, values)):
            yield _asked("fencing would be off: a lost node's domUs may then come to run twice")
        if name == "no-quorum-policy" and "ignore" in values:
            yield _asked("a part of the cluster without quorum would go on (no-quorum-policy)")


def less_fenced(
    now: Iterable[tuple[str, Objection]], then: Iterable[tuple[str, Objection]]
) -> Iterator[Objection]:
    """Nodes that nothing would fence any more."""
    known = {objection.what for _, objection in now}
    for _, objection in then:
        if objection.what not in known:
            yield _asked(objection.what)


def _asked(message: str) -> Objection:
    return Objection(message, "use --yes to do it anyway", lifted_by=guards.YES)


def not_finished(then: Cluster) -> Iterator[Objection]:
    """A configuration from the midst of an enrolment or a withdrawal."""
    for objection in half_way(then, then.managed_domains):
        yield Objection(
            f"in that configuration {objection.what}", "take another: hxm backup --list"
        )


def unsound(fault: str) -> Objection:
    """What crm_verify finds in the wanted configuration, and not in the present one."""
    return Objection(
        f"crm_verify finds an error in it: {fault}", "correct it in a copy, and restore that"
    )


def new_names(cluster: Cluster, wanted: Iterable[Domain]) -> list[Domain]:
    """The domUs that the cluster does not have yet, or not under that name."""
    known = {(domain.resource, domain.name) for domain in cluster.managed_domains}
    return [domain for domain in wanted if (domain.resource, domain.name) not in known]


def newcomers(asked: Cluster, new: Sequence[Domain]) -> Iterator[Objection]:
    """DomUs that the cluster would start: what runs of them already would run twice.

    `asked` knows what the toolstacks of all nodes run, as for an enrolment.
    """
    for domain in new:
        names = (domain.name, *domain.also)
        for row in asked.domains:
            known = domain.uuid and domain.uuid in (row.uuid, row.runs_as)
            if not row.resource and row.has_instance and (at_home(row.name) in names or known):
                yield Objection(
                    f"{row.name} runs on {listed(row.nodes or ['this host'])}, and the cluster "
                    "does not know it",
                    f"hxm enrol {domain.xmfile or 'FILE'} puts it under the cluster as it runs",
                )
        if domain.nameless and not asked.sandbox:
            yield _may_run(f"what {domain.resource} is called is not known: {domain.xmfile}")
    silent = dict(asked.unreachable)
    if asked.toolstack_fault:
        silent["this host"] = asked.toolstack_fault
    for node, why in silent.items():
        yield _may_run(f"{node} cannot be asked: {why}; {listed([domain.name for domain in new])}")


def _may_run(what: str) -> Objection:
    return Objection(
        f"{what} may run already",
        "bring the node back; --force relies on the cluster's own look",
        lifted_by=guards.FORCE,
    )


def unknown_nodes(
    cluster: Cluster, theirs: Collection[str], sections: Collection[str]
) -> Iterator[Objection]:
    """A backup that knows other nodes than the cluster has.

    Nodes are neither added nor dropped; but constraints may count on those that are not there.
    """
    ours = [node.name for node in cluster.nodes]
    if not theirs:
        return
    if missing := [name for name in ours if name not in theirs]:
        yield Objection(
            f"the backup does not know {listed(missing)}: it would drop what is set there",
            "without the nodes: --section resources --section constraints",
            lifted_by="" if NODES in sections else guards.FORCE,
        )
    if others := [name for name in theirs if name not in ours]:
        yield Objection(
            f"the backup is of a cluster that had {listed(others)} as well",
            "no node is added; --force restores the rest",
            lifted_by=guards.FORCE,
        )


def too_new(cluster: Cluster, theirs: str, ours: str) -> Iterator[Objection]:
    """A backup in a later schema than the cluster's own may say what the cluster cannot read."""
    if _age(theirs) > _age(ours) > _UNKNOWN:
        yield Objection(
            f"the backup is written by {theirs}, and the cluster reads {ours}",
            f"{cluster.advice('upgrade')} raises the cluster's schema, if all nodes are new enough",
        )


def _age(schema: str) -> tuple[int, ...]:
    """The version of a schema; an unnamed one has none, and `next` is later than any."""
    numbers = schema.removeprefix("pacemaker-").split(".")
    if numbers == ["next"]:
        return (1 << 30,)
    return tuple(map(int, numbers)) if all(map(str.isdigit, numbers)) else _UNKNOWN


def pinned(first: bytes, now: bytes) -> Iterator[Objection]:
    """The configuration that a restore was begun with, and that somebody changed meanwhile."""
    if first != now:
        yield Objection(
            "the configuration was changed at this moment by somebody else",
            "hxm diff shows what; --force restores anyway",
            lifted_by=guards.FORCE,
        )


def not_the_last(what: str, at: str, number: int, since: Sequence[Difference]) -> Objection:
    """The configuration is no more what the change to be undone had left."""
    changed = summed_up(since) if since else ONLY_FORM
    return Objection(
        f"the configuration was changed after: {what} ({at}): {changed}",
        f"hxm diff {number} shows it all; hxm restore goes back to a backup anyway",
    )

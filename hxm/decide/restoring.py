"""Restore and undo: an earlier configuration takes the place of the present one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from hxm.decide import Objection, Translate, guards, is_false, listed, typed
from hxm.decide.difference import Difference, sentence, summed_up
from hxm.model import UPDATE, Cluster, Phase, Step

NODES = "nodes"
ONLY_FORM = "only ids, comments or the order of things differ"
_UNKNOWN: tuple[int, ...] = ()


def restore(
    cluster: Cluster,
    what: str,
    found: Sequence[Difference],
    file: str,
    objections: Sequence[Objection] = (),
    notes: Sequence[str] = (),
    verb: str = "restore",
) -> Translate:
    """Put the configuration in the file in the place of the present one, all at once.

    `what` is the order in one line, `found` what it changes. Whatever domU would move, restart or
    stop is asked about: a configuration tells nobody that this was meant.
    """
    domains = cluster.managed_domains
    step = Step("restore", f"{what}: replace the configuration", {"file": file})
    return Translate(
        verb,
        what,
        (
            *(each.resource or "" for each in domains),
            *(each.item.id for each in found if each.item.kind == "domU" and each.added),
        ),
        (Phase((step,)),),
        frozenset({"start"}),
        (
            *guards.whole_cluster(cluster),
            *guards.in_flight(cluster, domains),
            *guards.on_two_nodes(domains),
            *objections,
            *in_an_update(cluster),
            *taken_out(cluster, found),
            *unfenced(found),
        ),
        guards.warnings(cluster),
        notes=(*(map(sentence, found) if found else (ONLY_FORM,)), *notes),
        done=f"done: {what}",
        undo="hxm undo",
    )


def in_an_update(cluster: Cluster) -> Iterator[Objection]:
    """A rolling update counts on the configuration as its last step left it."""
    if cluster.properties.get(UPDATE):
        yield Objection(
            "a rolling update is under way, and would not know of it",
            "hxm update abort ends it; --force changes the configuration all the same",
            lifted_by=guards.FORCE,
        )


def taken_out(cluster: Cluster, found: Sequence[Difference]) -> Iterator[Objection]:
    """A domU that runs, and would be no resource any more: the cluster stops what it has lost."""
    for each in found:
        domain = cluster.domain_of(each.item.id)
        if each.removed and each.item.kind == "domU" and domain and domain.running:
            yield Objection(
                f"{domain.name} would be stopped: it would be no resource any more",
                f"hxm withdraw {typed(domain)} leaves it running; --yes stops it",
                lifted_by=guards.YES,
            )


def unfenced(found: Sequence[Difference]) -> Iterator[Objection]:
    """Fencing that is on would be off."""
    for each in found:
        if each.name in ("stonith-enabled", "fencing-enabled") and is_false(each.after or "true"):
            yield Objection(
                "fencing would be off: a lost node's domUs may then come to run twice",
                "--yes does it all the same",
                lifted_by=guards.YES,
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


def too_new(theirs: str, ours: str) -> Iterator[Objection]:
    """A backup in a later schema than the cluster's own may say what the cluster cannot read."""
    if _age(theirs) > _age(ours) > _UNKNOWN:
        yield Objection(
            f"the backup is written by {theirs}, and the cluster reads {ours}",
            "cibadmin --upgrade --force raises the cluster's schema, if all nodes are new enough",
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
            "hxm diff shows what; --force restores all the same",
            lifted_by=guards.FORCE,
        )


def not_the_last(what: str, at: str, number: int, since: Sequence[Difference]) -> Objection:
    """The configuration is no more what the change to be undone had left."""
    changed = summed_up(since) if since else ONLY_FORM
    return Objection(
        f"the configuration was changed after: {what} ({at}): {changed}",
        f"hxm diff {number} shows it all; hxm restore goes back to a backup all the same",
    )

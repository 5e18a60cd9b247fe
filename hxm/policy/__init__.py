"""The policy of hxm, pure: from a cluster and an order to a decision, in steps and reasons.

Nothing in this package starts a program, reads a file or knows how a tool is spelt: what the user
is to type into the cluster's own tools comes from `Cluster.advice`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from hxm.model import ENROLLING, WITHDRAWING, Cluster, Domain, Failure, ManagedDomain, Primitive
from hxm.plan import Goal, GoalKind, Objection

IN_PASSING = ("target-role", "is-managed", "maintenance")
"""The meta options that tools set temporarily at a resource."""


def typed(domain: Domain) -> str:
    """What to type for the domU: its name, or its resource id where a shell would stumble."""
    name = domain.name
    plain = (
        bool(name)
        and name.isascii()
        and all(character.isalnum() or character in "_.+-" for character in name)
    )
    if not domain.resource or (plain and name[:1] != "-" and not name.isdigit() and name != "all"):
        return name
    return domain.resource


def typed_resource(cluster: Cluster, resource: str) -> str:
    """What to type for the domU that the resource is, or for the resource."""
    domain = cluster.domain_of(resource)
    return typed(domain) if domain else resource


def resource_name(cluster: Cluster, resource: str) -> str:
    """The name of the domU that the resource is, or of the resource."""
    domain = cluster.domain_of(resource)
    return domain.name if domain else resource


def resource_ids(cluster: Cluster) -> set[str | None]:
    """The ids of all primitives, and of their groups, clones and bundles."""
    primitives = cluster.primitives.values()
    return {name for p in primitives for name in (p.id, p.parent, p.clone)} | set(cluster.own_meta)


def all_typed(domains: Sequence[Domain]) -> str:
    """What to type for several domUs."""
    return " ".join(typed(domain) for domain in domains)


def called(domains: Sequence[Domain]) -> str:
    """The domUs' names for a sentence."""
    return listed([domain.name for domain in domains])


def resources(domains: Sequence[ManagedDomain]) -> tuple[str, ...]:
    """The domUs' resources, as a plan's subjects."""
    return tuple(domain.resource for domain in domains)


def goals(kind: GoalKind, domains: Sequence[ManagedDomain]) -> tuple[Goal, ...]:
    """The same goal for each of the domUs."""
    return tuple(Goal(kind, domain.resource) for domain in domains)


def own_meta(cluster: Cluster, domain: ManagedDomain) -> dict[str, str]:
    """The meta options that stand at the domU's own resource."""
    primitive = cluster.primitives.get(domain.resource)
    return dict(primitive.own_meta) if primitive else {}


def half_way(cluster: Cluster, domains: Iterable[ManagedDomain]) -> Iterator[Objection]:
    """An enrolment or a withdrawal that is under way, or was interrupted."""
    for domain in domains:
        own = own_meta(cluster, domain)
        for marker, what in ((WITHDRAWING, "withdrawal"), (ENROLLING, "enrolment")):
            if marker in own:
                yield Objection(
                    f"the {what} of {domain.name} is not finished",
                    f"to take it out of the cluster, running or not: hxm withdraw {typed(domain)}",
                )


def bars(cluster: Cluster, failure: Failure) -> bool:
    """Whether nothing is tried there again after such a failure (start-failure-is-fatal)."""
    fatal = not is_false(cluster.properties.get("start-failure-is-fatal", "true"))
    return fatal and failure.operation == "start"


GONE = "gone"
"""What failed last where a monitor did not find what the cluster supposes active."""


def last_failed(cluster: Cluster, domain: Domain) -> str:
    """The failed operation that is known last of it, where the cluster supposes it active."""
    own = [
        failure
        for failure in cluster.failures  # which are listed by node, not by time
        if failure.resource == domain.resource and failure.node in domain.nodes
    ]
    if not own or not domain.failed:
        return ""
    last = own[-1]
    gone = last.operation == "monitor" and last.reason.startswith("not running")
    return GONE if gone else last.operation


MEND = "mend its file, then"
"""What comes before the cleanup of a domU whose configuration file is at fault."""


def cleanup_of(cluster: Cluster, failure: Failure) -> str:
    """What makes the cluster forget a failure, and try again: one command for all its nodes."""
    domain = cluster.domain_of(failure.resource)
    first = f"{MEND}: " if domain and domain.file_fault else ""
    nodes = {other.node for other in cluster.failures if other.resource == failure.resource}
    where = f" {failure.node}" if len(nodes) < 2 else ""
    return f"{first}hxm cleanup {typed_resource(cluster, failure.resource)}{where}"


def block(cluster: Cluster, resources: Collection[str], word: str) -> tuple[str, str, str]:
    """What blocks one of the resources, in words that follow its name, since when, and the end."""
    failed = [failure for failure in cluster.failures if failure.resource in resources]
    what = "is blocked by a failure"
    tickets = [cluster.frozen[name] for name in cluster.frozen if name in resources]
    if tickets:
        return tickets[0].what, "", tickets[0].do
    several = any(len(state.nodes) > 1 for state in cluster.resources if state.id in resources)
    causes = [
        failure
        for failure in failed
        if failure.operation == "stop" or (several and failure.operation.startswith("migrate"))
    ]
    if several and not causes:
        what = "is blocked, because it is active on several nodes (multiple-active=block)"
        return what, "", f"hxm why {word}"
    if not failed:
        return what, "", f"hxm cleanup {word}"
    last = (causes or failed)[-1]
    what += f": its {last.operation} failed on {last.node}"
    return what, f"{last.reason}, {last.when}", cleanup_of(cluster, last)


def forgotten(cluster: Cluster, domain: ManagedDomain) -> bool:
    """Whether a withdrawal has made every node forget the domU: it runs on, and nobody looks."""
    return WITHDRAWING in own_meta(cluster, domain) and not domain.places


def is_true(value: str) -> bool:
    """As Pacemaker reads a boolean (crm_str_to_boolean): also yes, on, y and 1, in any case."""
    return value.lower() in ("true", "yes", "on", "y", "1")


def is_false(value: str) -> bool:
    """As Pacemaker reads a boolean: also no, off, n and 0, in any case."""
    return value.lower() in ("false", "no", "off", "n", "0")


def lasts(time: str) -> bool:
    """Whether a time in the CIB is more than none, in any unit: not `0`, `0s`, ` 0min`."""
    return any(digit in "123456789" for digit in time)


def stops_everything(cluster: Cluster) -> bool:
    """Whether stop-all-resources is set."""
    return is_true(cluster.properties.get("stop-all-resources", ""))


def outermost(primitives: Iterable[Primitive]) -> list[str]:
    """What the primitives are in, and those that are in nothing, each once."""
    return list(dict.fromkeys(p.clone or p.parent or p.id for p in primitives))


def until_forgotten(primitive: Primitive | None) -> str:
    """When its failures are forgotten, for the end of a sentence; a number alone is of seconds."""
    timeout = primitive.meta.get("failure-timeout", "").strip() if primitive else ""
    unit = " s" if timeout.isdigit() else ""
    after = f"; forgotten after {timeout}{unit} without a failure (failure-timeout)"
    return after if lasts(timeout) else ""


def is_promoted(role: str) -> bool:
    """Whether it is the role of a promoted instance, by its new name or by its old one."""
    return role.lower() in ("promoted", "master")


def keeps_stopped(meta: Mapping[str, str]) -> bool:
    """Whether these meta options keep a domU from running; roles are read in any case."""
    return meta.get("target-role", "Started").lower() == "stopped"


def counted(number: int, noun: str) -> str:
    """A number of things: `1 domU`, `3 domUs`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """A duration in the largest unit that fits it twice."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def listed(words: Sequence[str], limit: int = 12) -> str:
    """A list for a sentence: `nfs, sles`, or `nfs, sles, ... (1000 in all)`."""
    if not words:
        return "none"
    shown = ", ".join(words[:limit])
    return shown if len(words) <= limit else f"{shown}, ... ({len(words)} in all)"

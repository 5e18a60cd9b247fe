"""What brings a node back: the command that ends what keeps it from taking domUs."""

from __future__ import annotations

from hxm.model import Cluster, Constraint, Domain, Failure, Node
from hxm.policy import keeps_stopped, listed, stops_everything, typed_resource
from hxm.policy.inherited import in_force
from hxm.policy.state import fencing
from hxm.policy.state.quorum import waits_for_quorum
from hxm.policy.unjudged import IF, may_start, on_condition


def end_of_wait(cluster: Cluster, node: Node) -> str:
    """What ends the wait for a fencing; nobody confirms that a node is off that still answers."""
    if waits_for_quorum(cluster, node):
        return _quorum(cluster) if cluster.sandbox else _started(cluster, node)
    if node.online and (lifetime := fencing.terminating(cluster, node)):
        command = cluster.advice("no-terminate", node=node.name, lifetime=lifetime)
        return on_condition("that is not meant", command)
    confirm = cluster.advice("fence" if node.online else "confirm", node=node.name)
    if confirm.startswith(IF):
        confirm = may_start(cluster, confirm)
    if helpless := fencing.helpless(cluster).get(node.name):
        instead = recovered(cluster, node) if cluster.sandbox else confirm
        alone = node.online or (cluster.sandbox and node.kind != "member")
        return helpless.do if alone else f"{helpless.do}; or {instead}"
    if fencing.withheld(cluster):
        return end_of_maintenance(cluster)
    if cluster.sandbox:  # it has no fencer to be asked
        return "hxm sandbox settle"
    return confirm


def once_back(cluster: Cluster, sent: Constraint, it: str) -> str:
    """That what a move has sent to a node goes there as soon as that may run it again; or empty."""
    node = cluster.node(sent.node or "")
    if not node or node.usable:
        return ""
    return f"{it} goes there once {node.name} is no longer {node.predicament}"


def once_fenced(cluster: Cluster, failure: Failure, do: str) -> str:
    """What ends a failure: hxm takes no order before lost nodes are fenced.

    The fencing of its own node makes the cluster forget it.
    """
    lost = {node.name: node for node in cluster.nodes if node.unclean}
    if failure.node in lost:
        return end_of_wait(cluster, lost[failure.node])
    if not lost or fencing.brings_fencing_back(cluster, [failure.resource]):
        return do
    return f"{end_of_wait(cluster, next(iter(lost.values())))}; then {do}"


def node_remedy(cluster: Cluster, node: Node) -> str:
    """The command for a node that is not usable, or what is to be done there."""
    connection = node.container or (node.name if node.kind == "remote" else "")
    primitive = cluster.primitives.get(connection)
    if node.away and primitive and keeps_stopped(primitive.meta):  # a resource makes it a node
        return f"hxm start {typed_resource(cluster, connection)}"
    if node.away and cluster.sandbox and node.kind == "member":
        return recovered(cluster, node)
    if node.unclean:
        return end_of_wait(cluster, node)
    if node.away and cluster.sandbox:
        return f"hxm cleanup {typed_resource(cluster, connection)}"
    if node.away:
        return _started(cluster, node)
    if node.leaving:
        stack = f"when it has left, on {node.name}: {cluster.advice('stack')}"
        return may_start(cluster, stack)
    if node.health:
        return better_health(cluster, node)
    if node.standby_onfail:
        return f"hxm cleanup {node.name}"
    return f"hxm active {node.name}" if node.standby else end_of_maintenance(cluster, node)


def end_of_maintenance(cluster: Cluster, node: Node | None = None) -> str:
    """What ends it for the cluster, or for a node; with what runs and would then be stopped."""
    command = f"hxm maintenance off {node.name}" if node else "hxm maintenance off"
    if node and cluster.maintenance:
        return command  # that alone changes nothing
    still = [other.name for other in cluster.nodes if other.maintenance and not node]
    stops = [
        domain.name
        for domain in cluster.managed_domains
        if domain.running and (domain.told_to_stop or stops_with(cluster, domain))
        if (not node or node.name in domain.nodes) and not set(still) & set(domain.nodes)
        if not any(in_force(option, cluster.primitives[domain.resource].meta) for option in _ALONE)
    ]
    return on_condition(f"{listed(stops, 4)} may stop", command) if stops else command


def stops_with(cluster: Cluster, domain: Domain) -> str:
    """What else would stop a domU that the cluster no longer leaves alone; empty: nothing."""
    if stops_everything(cluster):
        return "stop-all-resources"
    return "what it needs is told to stop" if domain.resource in cluster.taken_along else ""


_ALONE = ("maintenance", "is-managed")
"""The options by which the cluster leaves a resource alone whatever it is told."""


def _started(cluster: Cluster, node: Node) -> str:
    stack = cluster.advice("stack" if node.kind == "member" else "remote-stack")
    return may_start(cluster, f"on {node.name}: {stack}")


def recovered(cluster: Cluster, node: Node) -> str:
    """What has a node of a sandbox come back, well."""
    return may_start(cluster, f"hxm sandbox recover {node.name}")


def _quorum(cluster: Cluster) -> str:
    return may_start(cluster, "hxm sandbox regain-quorum")


def first_node_remedy(cluster: Cluster, without: str = "") -> str:
    """The same for the first host that is not usable; where all are, what lists them."""
    if cluster.sandbox and not cluster.quorum:
        return _quorum(cluster)
    idle = [node for node in cluster.hosts if not node.usable and node.name != without]
    if not cluster.quorum:  # which those give back that are away
        idle.sort(key=lambda node: not (node.away and node.kind == "member"))
    return node_remedy(cluster, idle[0]) if idle else "hxm nodes"


def better_health(cluster: Cluster, node: Node) -> str:
    """What shows what is wrong with its health, which nothing of hxm's mends."""
    return f"{cluster.advice('attributes')} shows its #health attributes; mend {node.name}"

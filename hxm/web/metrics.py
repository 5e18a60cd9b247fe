"""What is known of the cluster as metrics, in Prometheus's text format 0.0.4."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hxm import __version__
from hxm.model import Cluster
from hxm.web.snapshot import Snapshot

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NODE_STATES = ("online", "standby", "maintenance", "pending", "OFFLINE", "UNCLEAN")


class Metric(NamedTuple):
    """A metric and its samples: labels and a value each."""

    name: str
    kind: str
    help: str
    samples: Iterable[tuple[dict[str, str], float]]


def exposition(known: Snapshot) -> str:
    """All metrics. Of a cluster that cannot be asked there are none but those of the asking.

    What was last known would pass for the present: Prometheus would go on to store it.
    """
    metrics = list(_of_the_asking(known))
    if known.cluster and not known.fault:
        metrics += [
            *_of_the_cluster(known.cluster, len(known.findings)),
            *_of_domains(known.cluster),
        ]
    return "".join(f"{line}\n" for metric in metrics for line in _lines(metric))


def _of_the_asking(known: Snapshot) -> Iterator[Metric]:
    yield _single("hxm_up", "Whether the cluster can be asked.", not known.fault)
    meaning = "Metrics of a cluster that hxm knows."
    yield Metric("hxm_build_info", "gauge", meaning, [({"version": __version__}, 1)])
    if known.cluster:
        meaning = "Time since the cluster was last seen."
        yield _single("hxm_data_age_seconds", meaning, round(known.age, 3))
        meaning = "How long the last good look at the cluster took."
        yield _single("hxm_look_duration_seconds", meaning, round(known.took, 3))
    meaning = "Looks at the cluster."
    yield Metric("hxm_looks_total", "counter", meaning, [({}, known.looks)])
    meaning = "Looks at the cluster that gave no answer."
    yield Metric("hxm_look_errors_total", "counter", meaning, [({}, known.failed)])


def _of_the_cluster(cluster: Cluster, findings: int) -> Iterator[Metric]:
    labels = {"cluster": cluster.name, "generation": cluster.dialect, "dc": cluster.dc or ""}
    yield Metric("hxm_cluster_info", "gauge", "The cluster that is asked.", [(labels, 1)])
    yield _single("hxm_cluster_has_dc", "Whether the cluster has a DC.", bool(cluster.dc))
    meaning = "Whether this partition has quorum."
    yield _single("hxm_cluster_quorum", meaning, cluster.quorum)
    yield _single("hxm_cluster_fencing", "Whether lost nodes are fenced.", cluster.fencing)
    meaning = "Whether the whole cluster is in maintenance."
    yield _single("hxm_cluster_maintenance", meaning, cluster.maintenance)
    yield _single("hxm_findings", "Things that need attention, as in hxm status.", findings)
    meaning = "Constraints that a move or a ban left behind."
    yield _single("hxm_interim_constraints", meaning, len(cluster.constraints))
    failed = Counter(
        (failure.resource, failure.operation, failure.node) for failure in cluster.failures
    )
    samples = [
        ({"resource": resource, "operation": operation, "node": node}, float(count))
        for (resource, operation, node), count in failed.items()
    ]
    meaning = "Failed actions that the cluster remembers."
    yield Metric("hxm_failed_actions", "gauge", meaning, samples)
    states = [
        ({"node": node.name, "state": state.lower()}, float(node.condition.startswith(state)))
        for node in cluster.nodes
        for state in NODE_STATES
    ]
    yield Metric("hxm_node_state", "gauge", "Which state each node is in.", states)


def _of_domains(cluster: Cluster) -> Iterator[Metric]:
    labels = [
        ({"domain": guest.name, "resource": guest.resource or ""}, guest)
        for guest in cluster.guests
    ]
    meaning = "Whether the domU runs anywhere."
    samples = [(domain, float(guest.running)) for domain, guest in labels]
    yield Metric("hxm_domain_up", "gauge", meaning, samples)
    meaning = "Whether the cluster is to run the domU: nobody told it to keep it stopped."
    samples = [
        (domain, float(not guest.told_to_stop)) for domain, guest in labels if guest.resource
    ]
    yield Metric("hxm_domain_wanted", "gauge", meaning, samples)
    meaning = "The domU's role; the value is always 1."
    samples = [(domain | {"role": guest.role}, 1.0) for domain, guest in labels if guest.role]
    yield Metric("hxm_domain_role", "gauge", meaning, samples)
    meaning = "Where the domU runs; the value is always 1, and two nodes at once are an emergency."
    samples = [
        (domain | {"node": node}, 1.0)
        for domain, guest in labels
        for node in dict.fromkeys(guest.places)
    ]
    yield Metric("hxm_domain_node", "gauge", meaning, samples)


def _single(name: str, meaning: str, value: float) -> Metric:
    return Metric(name, "gauge", meaning, [({}, value)])


def _lines(metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.help}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for labels, value in metric.samples:
        inside = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        shown = f"{{{inside}}}" if inside else ""
        yield f"{metric.name}{shown} {float(value)!r}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

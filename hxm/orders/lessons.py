"""Nights to learn from: each a fault in a sandbox, with a story, and a check whether it is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from hxm.model import Cluster, ManagedDomain
from hxm.orders.simulate import apply_to_copy
from hxm.pacemaker import sandbox
from hxm.pacemaker.sandbox_cib import seed_names
from hxm.pacemaker.simulate import Scratch
from hxm.plan import Step
from hxm.policy.orders.update import proposed
from hxm.policy.orders.update.progress import REBOOT
from hxm.policy.state.findings import findings
from hxm.policy.steps import (
    maintenance_step,
    mark_step,
    meta_step,
    move_and_ban_step,
    node_maintenance_step,
    standby_step,
)

DOMUS = seed_names(2, 2)[1]
"""The domUs of each night."""
Fault = Callable[[Cluster, Scratch], None]


class Lesson(NamedTuple):
    """One night: its story, and what happens before the learner arrives."""

    title: str
    story: str
    fault: Fault


def solved(cluster: Cluster) -> Iterator[str]:
    """What is still wrong; nothing if the night is over: all domUs run, and nothing is left."""
    for name in sorted({*DOMUS} - {domain.resource for domain in cluster.managed_domains}):
        yield f"{name} is no longer in the cluster"
    for domain in cluster.managed_domains:
        if not domain.running:
            yield f"{domain.name} does not run"
    yield from (finding.what for finding in findings(cluster))


def _domain(cluster: Cluster, name: str) -> ManagedDomain:
    domain = cluster.domain_of(name)
    if not domain:
        raise KeyError(name)
    return domain


def _steps(*make: Callable[[Cluster], Step]) -> Fault:
    """The steps as somebody else's tool took them, and what the cluster did then."""

    def fault(cluster: Cluster, copy: Scratch) -> None:
        apply_to_copy(cluster, tuple(step(cluster) for step in make), copy)
        copy.settle()

    return fault


def _after(first: Fault, second: Fault) -> Fault:
    def fault(cluster: Cluster, copy: Scratch) -> None:
        first(cluster, copy)
        second(cluster, copy)

    return fault


def _gone(name: str, node: str) -> Fault:
    """The monitor finds the domU gone."""

    def fault(_: Cluster, copy: Scratch) -> None:
        copy.inject([f"--op-inject={name}_monitor_10000@{node}=7"])
        copy.settle()

    return fault


def _start_fails(_: Cluster, copy: Scratch) -> None:
    copy.simulate(["--op-inject=sles_monitor_10000@host2=7", "--op-fail=sles_start_0@host2=5"])
    sandbox.set_start_failed(copy.path, "sles", "host2")
    copy.settle()


def _node_lost(_: Cluster, copy: Scratch) -> None:
    copy.inject(["--node-fail=host1"])
    sandbox.elect(copy.path)
    copy.settle()
    sandbox.elect(copy.path)


def _cut_off(_: Cluster, copy: Scratch) -> None:
    sandbox.set_connected(copy.path, "host1", "0")
    copy.settle()


def _storage_lost(cluster: Cluster, copy: Scratch) -> None:
    """The shared file system fails everywhere, its start as well; the domUs must wait for it."""
    sandbox.set_order(copy.path, "Mandatory")
    nodes = [node.name for node in cluster.hosts]
    gone = [f"--op-inject=configpool-child_monitor_20000@{node}=7" for node in nodes]
    failed = [f"--op-fail=configpool-child_start_0@{node}=1" for node in nodes]
    copy.simulate([*gone, *failed])
    for node in nodes:
        sandbox.set_start_failed(copy.path, "configpool-child", node)
    copy.settle()


def _update_left(cluster: Cluster, copy: Scratch) -> None:
    """The first host is drained, and waits to be taken back."""
    update = proposed(cluster, ["host2", "host1"], None, 60.0, "carol@host1")
    update = update._replace(stage=REBOOT)
    apply_to_copy(cluster, (standby_step("host2"), mark_step(update.text)), copy)
    copy.settle()


def _quorum_lost(_: Cluster, copy: Scratch) -> None:
    sandbox.set_quorum(copy.path, False)
    copy.settle()


def migration_fails(cluster: Cluster, copy: Scratch, domain: ManagedDomain, node: str) -> None:
    """Somebody moves the domU with crm_resource, and the migration fails on its source."""
    source = domain.nodes[0]
    apply_to_copy(cluster, (move_and_ban_step(domain, node),), copy)
    copy.simulate([f"--op-fail={domain.resource}_migrate_to_0@{source}=1"])
    copy.settle()


def _migration_fails(cluster: Cluster, copy: Scratch) -> None:
    migration_fails(cluster, copy, _domain(cluster, "nfs"), "host2")


_STOP = _steps(lambda cluster: meta_step(_domain(cluster, "sles"), "target-role", "Stopped"))
_UNMANAGED = _steps(lambda cluster: meta_step(_domain(cluster, "nfs"), "is-managed", "false"))
_MAINTENANCE = _steps(lambda _: maintenance_step(on=True))

LESSONS = (
    Lesson("the domU that is told to stop", "sles does not run. Nobody knows why.", _STOP),
    Lesson(
        "the ban that was forgotten",
        "A colleague moved nfs with crm_resource last week, and went on holiday.",
        _steps(lambda cluster: move_and_ban_step(_domain(cluster, "nfs"), "host2")),
    ),
    Lesson(
        "the host that was drained",
        "The new fan in host1 has been running for days; host1 still has nothing to do.",
        _steps(lambda _: standby_step("host1")),
    ),
    Lesson(
        "maintenance without an end",
        "The switches were replaced. Since then nobody has noticed that nfs is down.",
        _after(_MAINTENANCE, _gone("nfs", "host1")),
    ),
    Lesson(
        "the host in maintenance",
        "Somebody looked at host2, and forgot to tell the cluster when it was over.",
        _steps(lambda _: node_maintenance_step("host2", on=True)),
    ),
    Lesson(
        "the unmanaged domU that died",
        "nfs was taken from the cluster's hands for a test, and crashed in it.",
        _after(_UNMANAGED, _gone("nfs", "host1")),
    ),
    Lesson(
        "the start that failed",
        "sles crashed; its start on host2 failed. The cause has been mended.",
        _start_fails,
    ),
    Lesson(
        "the live migration that failed",
        "nfs was to be moved to host2. The file server was down for a minute.",
        _migration_fails,
    ),
    Lesson(
        "the power loss",
        "host1 lost its power, was fenced, and can be switched on again "
        "(hxm sandbox recover host1).",
        _node_lost,
    ),
    Lesson(
        "the cable",
        "host1 does not reach its ping targets. When you have found that out: the cable is back "
        "in its place after hxm sandbox recover host1.",
        _cut_off,
    ),
    Lesson(
        "the partition without quorum",
        "Everything has stopped. When you know why: hxm sandbox regain-quorum.",
        _quorum_lost,
    ),
    Lesson(
        "the storage that was away",
        "The SAN was away for a minute. It is back, but no domU runs.",
        _storage_lost,
    ),
    Lesson(
        "the update that nobody ended",
        "Carol patched and rebooted host2 on Friday, and went home. Go on where she stopped.",
        _update_left,
    ),
    Lesson(
        "three things at once",
        "A night on which a host was drained, a domU stopped, and maintenance never ended.",
        _after(_STOP, _after(_steps(lambda _: standby_step("host2")), _MAINTENANCE)),
    ),
)


def story_of(number: int) -> str:
    """The night's title and story; `number` counts from 1."""
    lesson = LESSONS[number - 1]
    return f"Night {number}, {lesson.title}. {lesson.story}"

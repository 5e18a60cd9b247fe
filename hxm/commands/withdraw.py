"""hxm withdraw: take a domU out of cluster management and leave it running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.cluster import capacity
from hxm.config import Config
from hxm.model import Cluster, ManagedDomain
from hxm.orders import pipeline
from hxm.pacemaker import enrolment_xml
from hxm.plan import Decision
from hxm.policy.orders.enrol import RemovalSteps, withdraw

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from hxm.arguments.options import OneDomain, Order


def run(order: Order, domain: OneDomain) -> int:
    """Take a domU out of cluster management and leave it running.

    hxm sets the domU unmanaged, lets every node forget it, and then removes it from the
    configuration with all constraints that name it, in one change: if it were only deleted, the
    cluster would stop it. Refused for a domU in a group, a resource set or a tag. This also cleans
    up after an enrolment or a withdrawal that was interrupted.

    Example: `hxm withdraw nfs --reason 'moves to the other cluster'`.
    """
    return pipeline.carry_out(order, lambda cluster: _decide(cluster, domain, order.config))


def _decide(cluster: Cluster, word: str, config: Config) -> Decision:
    from hxm.cluster.read import with_other_nodes
    from hxm.orders.instances import instance_of

    (domain,) = pipeline.managed_only(cluster, [word])
    instance = instance_of(with_other_nodes(cluster, config), domain)
    resource = domain.resource
    cib = capacity.read_cib(config)
    plan = withdraw(
        cluster,
        domain,
        removal_steps(domain, enrolment_xml.own_constraints(cib, resource), cib),
        enrolment_xml.indirect(cib, [resource]),
        enrolment_xml.others_bound(cib, resource),
    )
    return plan._replace(same_instance=instance)


def removal_steps(domain: ManagedDomain, constraints: list[str], cib: Element) -> RemovalSteps:
    """The steps that take the domU and these constraints out."""
    name, resource = domain.name, domain.resource
    return RemovalSteps(
        enrolment_xml.hide_step(name, resource),
        enrolment_xml.forget_step(name, resource),
        enrolment_xml.delete_step(name, resource, constraints, cib),
    )

"""hxm withdraw: take a domU out of the cluster, and leave it running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm import change, room
from hxm.config import read_config
from hxm.decide import Decision
from hxm.decide.enrol import Out, withdraw
from hxm.model import Cluster, Domain
from hxm.pacemaker import policy

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from hxm.commands._domids import Domids
    from hxm.options import OneDomain, Order


def run(order: Order, domain: OneDomain) -> int:
    """Take a domU out of the cluster, and leave it running.

    It is unmanaged, every node forgets it, and then it is taken out of the configuration with all
    constraints that name it, in one change: a domU that were only deleted the cluster would stop.
    A domU in a group, or one that a resource set or a tag names, is refused. This is also the way
    back from an enrolment or a withdrawal that was interrupted.

    Example: `hxm withdraw nfs --reason 'moves to the other cluster'`.
    """
    from hxm.commands._domids import Domids

    domids = Domids()
    return change.carry_out(order, lambda cluster: _decide(cluster, domain, domids))


def _decide(cluster: Cluster, word: str, domids: Domids) -> Decision:
    (domain,) = change.managed_only(cluster, [word])
    domids.note(cluster, domain)
    resource = domain.resource or ""
    cib = room.read_cib(read_config())
    plan = withdraw(
        cluster,
        domain,
        way_out(domain, policy.own_constraints(cib, resource), cib),
        policy.indirect(cib, [resource]),
        policy.others_bound(cib, resource),
    )
    return plan._replace(witness=domids.changed)


def way_out(domain: Domain, constraints: list[str], cib: Element) -> Out:
    """The steps that take the domU and these constraints out."""
    name, resource = domain.name, domain.resource or ""
    return Out(
        policy.hide_step(name, resource),
        policy.forget_step(name, resource),
        policy.delete_step(name, resource, constraints, cib),
    )

"""Every changing verb on one cluster, so that no verb can forget a guard or a spelling."""

from __future__ import annotations

from factories import ban, cluster, domain, failure, node, primitive

from hxm.model import Cluster
from hxm.plan import Decision
from hxm.policy.orders import hygiene, lifecycle, placement, several_moves
from hxm.policy.orders.several_moves import Move

OWN = {"target-role": "Stopped", "maintenance": "true"}
HOST1, HOST2, HOST3 = node("host1"), node("host2"), node("host3", standby=True)
RUNNING = domain("nfs", "host1")


def subject(*parts, nfs=RUNNING, **known) -> Cluster:
    """A cluster in which every verb has something to do for nfs."""
    return cluster(
        HOST1,
        HOST2,
        HOST3,
        nfs,
        primitive("nfs", own=OWN),
        ban(where="host3"),
        failure(),
        *parts,
        node_attributes={"host3": {"standby": "on"}},
        **known,
    )


def _nfs(seen: Cluster):
    return next(each for each in seen.domains if each.name == "nfs")


VERBS = {
    "start": lambda seen: lifecycle.start(seen, [_nfs(seen)]),
    "shutdown": lambda seen: lifecycle.shutdown(seen, [_nfs(seen)]),
    "reboot": lambda seen: lifecycle.reboot(seen, [_nfs(seen)]),
    "destroy": lambda seen: lifecycle.destroy(seen, [_nfs(seen)]),
    "migrate": lambda seen: placement.migrate(seen, _nfs(seen), HOST2),
    "migrate several": lambda seen: several_moves.migrate_all(seen, [Move(_nfs(seen), HOST2)]),
    "active --home": lambda seen: several_moves.home(seen, HOST3, [_nfs(seen)]),
    "unmigrate": lambda seen: placement.unmigrate(seen, ["nfs"]),
    "unmigrate all": lambda seen: placement.unmigrate(seen, None),
    "standby": lambda seen: placement.standby(seen, HOST1),
    "active": lambda seen: placement.active(seen, HOST3),
    "default": lambda seen: hygiene.default(seen, [_nfs(seen)]),
    "manage": lambda seen: hygiene.manage(seen, [_nfs(seen)]),
    "unmanage": lambda seen: hygiene.unmanage(seen, [_nfs(seen)]),
    "maintenance": lambda seen: hygiene.maintenance(seen, True, HOST1),
    "cleanup": lambda seen: hygiene.cleanup(seen, ["nfs"], None),
}


def decided(verb: str, seen: Cluster) -> Decision:
    return VERBS[verb](seen)

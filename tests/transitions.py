"""A transition whose results hxm writes, and crm_simulate: what both make of one CIB."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from xml.etree import ElementTree

from hxm.cluster.read import read_cluster
from hxm.config import Config
from hxm.model import Cluster
from hxm.pacemaker.sandbox import forget_monitors
from hxm.pacemaker.simulate import Scratch, actions_in, read_graph
from hxm.pacemaker.transition_results import write_results
from hxm.plan import Action, Plan
from hxm.policy.forecast import after_all, movements, movements_tell_all

OF_NO_EFFECT = {
    *("transition-key", "transition-magic", "last-rc-change", "crm-debug-origin", "exit-reason"),
    *("call-id", "crm_feature_set", "last-run", "exec-time", "queue-time", "on_node"),
}


def remembered(path: Path) -> dict[tuple[str, str], list[dict[str, str]]]:
    """What each node has done with each resource, the first action first."""
    found = {}
    for state in ElementTree.parse(path).iterfind("status/node_state"):
        for history in state.iterfind("lrm/lrm_resources/lrm_resource"):
            records = [one for one in history if one.get("operation") != "notify"]
            records.sort(key=lambda record: int(record.get("call-id", "0")))
            found[state.get("uname", ""), history.get("id", "")] = [
                {name: value for name, value in record.items() if name not in OF_NO_EFFECT}
                | {"expected": record.get("transition-key", ":::").split(":")[2]}
                for record in records
            ]
    return {key: records for key, records in found.items() if records}


def both_ways(cib: Path, folder: Path) -> tuple[bool, list[Action]]:
    """Whether hxm writes the transition, and then as crm_simulate does; its actions."""
    theirs, ours = folder / "theirs.xml", folder / "ours.xml"
    shutil.copy(cib, theirs)
    shutil.copy(cib, ours)
    actions = Scratch(str(theirs)).simulate()
    ended = {(act.resource, act.node) for act in actions if act.operation == "cancel"}
    assert Scratch(str(ours)).simulate(execute=False) == actions
    graph = read_graph(f"{ours}.graph")
    before = ours.read_bytes()
    if not write_results(str(ours), graph):
        assert ours.read_bytes() == before
        return False, actions
    for path in (theirs, ours) if ended else ():
        forget_monitors(str(path), ended)
    assert remembered(ours) == remembered(theirs)
    return True, actions


def placed(cluster: Cluster) -> dict[str, list[str]]:
    """Where each primitive runs; the numbers of a clone's instances mean nothing."""
    places: dict[str, list[str]] = {}
    for resource in cluster.resources:
        places.setdefault(resource.id.partition(":")[0], []).extend(resource.nodes)
    for domain in cluster.managed_domains:
        places.setdefault(f"domU {domain.name}", []).extend(domain.nodes)
    return {name: sorted(nodes) for name, nodes in places.items()}


NOTHING_ELSE = Plan("list", "nothing", (), ())
"""A plan that does not change what the scheduler does by itself."""


def told_and_seen(cib: Path, folder: Path) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Who runs where after the transition of `both_ways`: by its movements, and by crm_mon.

    Empty where hxm itself asks crm_mon.
    """
    before = read_cluster(Config(), {"CIB_file": str(cib)}, local=False)
    moved = movements(actions_in(read_graph(str(folder / "theirs.xml.graph"))), before)
    if not movements_tell_all(before, NOTHING_ELSE) or any(one.kind == "fence" for one in moved):
        return {}, {}
    after = read_cluster(Config(), {"CIB_file": str(folder / "theirs.xml")}, local=False)
    return placed(after_all(before, [moved])), placed(after)


META = ("target-role", "is-managed", "maintenance", "allow-migrate", "resource-stickiness")


def half_migrate(tree: ElementTree.ElementTree, name: str, chance: random.Random) -> None:
    """The domU's last migration lacks only the stop at its source."""
    histories = {
        state.get("uname"): history
        for state in tree.iterfind("status/node_state")
        for history in state.iter("lrm_resource")
        if history.get("id") == name
    }
    running = [
        node
        for node, history in histories.items()
        if history.find("*[@operation='start']") is not None
    ]
    if not running:
        return
    (source,) = running
    target = chance.choice([node for node in histories if node != source])
    started = dict(histories[source][0].items())
    for node, operation, call in ((source, "migrate_to", 600), (target, "migrate_from", 601)):
        key = f"{call}{started['transition-key']}"
        ended = str(int(started.get("last-rc-change", "0")) + call)
        known = {"id": f"{name}_{operation}_0", "operation_key": f"{name}_{operation}_0"}
        known |= {"operation": operation, "call-id": str(call), "last-rc-change": ended}
        known |= {"migrate_source": source, "migrate_target": target, "interval": "0"}
        known |= {"transition-key": key, "transition-magic": f"0:0;{key}"}
        known |= {"op-status": "0", "rc-code": "0"}
        ElementTree.SubElement(histories[node], "lrm_rsc_op", started | known)


def disturb(cib: Path, seed: int) -> None:
    """A handful of changes that give the scheduler something to do."""
    chance = random.Random(seed)
    tree = ElementTree.parse(cib)
    nodes = tree.findall("configuration/nodes/node")
    domains = [one for one in tree.iterfind(".//resources/primitive") if one.get("type") == "Xen"]
    for node in chance.sample(nodes, chance.randint(0, 2)):
        pairs = node.find("instance_attributes")
        name = chance.choice(("standby", "maintenance"))
        ElementTree.SubElement(pairs, "nvpair", id=f"x-{node.get('id')}", name=name, value="true")
    for domain in chance.sample(domains, 4):
        pairs, name = domain.find("meta_attributes"), chance.choice(META)
        value = {"target-role": "Stopped", "resource-stickiness": "0"}.get(name, "false")
        ElementTree.SubElement(pairs, "nvpair", id=f"{domain.get('id')}-x", name=name, value=value)
    for domain in chance.sample(domains, 3):
        ElementTree.SubElement(
            tree.find("configuration/constraints"),
            "rsc_location",
            {
                "id": f"cli-ban-{domain.get('id')}",
                "rsc": domain.get("id"),
                "node": chance.choice(nodes).get("uname"),
                "score": "-INFINITY",
            },
        )
    for history in chance.sample(tree.findall(".//lrm_resource"), 3):
        history[:] = []
    for domain in chance.sample(domains, 2):
        half_migrate(tree, domain.get("id"), chance)
    if not seed % 3:
        properties = tree.find(".//cluster_property_set")
        pair = {"id": "all-x", "name": "maintenance-mode", "value": "true"}
        ElementTree.SubElement(properties, "nvpair", pair)
    tree.write(cib)

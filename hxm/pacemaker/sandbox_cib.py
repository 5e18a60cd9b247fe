"""A cluster of Xen hosts as a CIB: hosts, domUs, storage, fencing, order and ping rules.

Everything runs from the start. The status is written as the cluster itself would have left it,
digests of the parameters included (md5 of their XML, a blank before and a newline behind): what
lacks them the scheduler would restart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lxml import etree
from lxml.builder import E

_LONG_AGO = "1231426761"  # Thu Jan 8 14:59:21 2009
_PING = "100"
_FEATURE_SET = "3.1.0"
"""That of Pacemaker 2.0.0: a tool refuses a CIB newer than itself, and reads fail counts of single
operations (`fail-count-nfs#start_0`) only in one of 3.0.13 or newer."""


class Seed(NamedTuple):
    """The names of a cluster to be made."""

    nodes: tuple[str, ...]
    domains: Mapping[str, str]
    """The configuration file of each domU."""


def seed_names(nodes: int, domains: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """host1, host2, ... and nfs, sles, vm3, ..."""
    hosts = tuple(f"host{number}" for number in range(1, nodes + 1))
    guests = ("nfs", "sles", *(f"vm{number}" for number in range(3, domains + 1)))
    return hosts, guests[:domains]


def seed_cib(seed: Seed) -> bytes:
    """The CIB of such a cluster, with every resource running and nothing left to do."""
    resources = [*_fencing(seed.nodes), *_storage(seed.nodes)]
    resources += [_domain(name, xmfile) for name, xmfile in seed.domains.items()]
    cib = E.cib(
        {
            "validate-with": "pacemaker-3.0",
            "crm_feature_set": _FEATURE_SET,
            "admin_epoch": "0",
            "epoch": "1",
            "num_updates": "0",
            "have-quorum": "1",
            "dc-uuid": "1",
        },
        E.configuration(
            E.crm_config(_properties()),
            E.nodes(
                *(
                    E.node(_memory(number, seed), id=str(number), uname=name, type="member")
                    for number, name in enumerate(seed.nodes, 1)
                )
            ),
            E.resources(*resources),
            E.constraints(*_constraints(seed)),
            E.rsc_defaults(_set("meta_attributes", "rsc-options", _DEFAULTS)),
        ),
    )
    cib.append(_status(seed, cib))
    text: bytes = etree.tostring(cib, pretty_print=True)
    return text


_DEFAULTS = {"resource-stickiness": "INFINITY"}


def _memory(number: int, seed: Seed) -> etree._Element:
    """What is for domUs on each host: enough for all of them, so that any host may be lost."""
    room = max(4096, 640 * len(seed.domains))
    return _set("instance_attributes", f"nodes-{number}", {"hv_memory": str(room)})


def _properties() -> etree._Element:
    return _set(
        "cluster_property_set",
        "cib-bootstrap-options",
        {
            "cluster-infrastructure": "corosync",
            "cluster-name": "xen",
            "cluster-delay": "60s",
            "stonith-enabled": "true",
            "stonith-action": "reboot",
            "symmetric-cluster": "true",
            "no-quorum-policy": "stop",
            "stop-orphan-resources": "true",
            "stop-orphan-actions": "true",
        },
    )


def _set(tag: str, name: str, pairs: Mapping[str, str]) -> etree._Element:
    return E(
        tag,
        *(E.nvpair(id=f"{name}-{key}", name=key, value=value) for key, value in pairs.items()),
        id=name,
    )


def _operations(resource: str, *operations: Mapping[str, str]) -> etree._Element:
    return E.operations(
        *(
            E.op({"id": f"{resource}-{operation['name']}", "interval": "0", **operation})
            for operation in operations
        )
    )


def _fencing(nodes: Sequence[str]) -> list[etree._Element]:
    """A test device over ssh on every node, and an iLO for each, somewhere else."""
    ssh = E.clone(
        E.primitive(
            _set("instance_attributes", "STONITH-child-ia", {"hostlist": ",".join(nodes)}),
            _operations(
                "STONITH-child",
                {"name": "monitor", "interval": "5s", "timeout": "20s"},
                {"name": "start", "timeout": "20s"},
            ),
            {"id": "STONITH-child", "class": "stonith", "type": "external/ssh"},
        ),
        id="STONITH",
    )
    return [ssh, *(_ilo(f"STONITH-iLO-{node}", node) for node in nodes)]


def _ilo(name: str, node: str) -> etree._Element:
    return E.primitive(
        _set(
            "instance_attributes",
            f"{name}-ia",
            {
                "hostlist": node,
                "ilo_hostname": f"{node}-ilo",
                "ilo_user": "Administrator",
                "ilo_password": "not-a-real-one",
                "ilo_can_reset": "true",
                "ilo_protocol": "2.0",
                "ilo_powerdown_method": "power",
            },
        ),
        _operations(
            name,
            {"name": "monitor", "interval": "30s", "timeout": "20s"},
            {"name": "start", "timeout": "60s"},
        ),
        {"id": name, "class": "stonith", "type": "external/riloe"},
    )


def _storage(nodes: Sequence[str]) -> list[etree._Element]:
    """EVMS, the cluster file system with the domUs' files, and the ping daemon: on every node."""
    filesystem = {
        "device": "/dev/evms/san2/cfgpool",
        "directory": "/etc/xen/vm",
        "fstype": "ocfs2",
    }
    ping = {"dampen": "5s", "multiplier": _PING, "user": "root"}
    monitor = {"name": "monitor", "interval": "20s", "timeout": "60s"}
    stop = {"name": "stop", "timeout": "60s"}
    return [
        _clone(nodes, "evms", "EvmsSCC", {}, notify=True),
        _clone(nodes, "configpool", "Filesystem", filesystem, monitor, stop, notify=True),
        _clone(nodes, "pingd", "pingd", ping, monitor | {"timeout": "40s"}),
    ]


def _clone(
    nodes: Sequence[str],
    name: str,
    agent: str,
    params: Mapping[str, str],
    *operations: Mapping[str, str],
    notify: bool = False,
) -> etree._Element:
    child = f"{name}-child"
    primitive = E.primitive({"id": child, "class": "ocf", "provider": "heartbeat", "type": agent})
    if params:
        primitive.append(_set("instance_attributes", f"{child}-ia", params))
    if operations:
        primitive.append(_operations(child, *operations))
    meta = {"clone-max": str(len(nodes)), "clone-node-max": "1", "globally-unique": "false"}
    if notify:
        meta["notify"] = "true"
    return E.clone(_set("meta_attributes", f"{name}-meta_attributes", meta), primitive, id=name)


def _domain(name: str, xmfile: str) -> etree._Element:
    return E.primitive(
        _set("instance_attributes", f"{name}-ia", {"xmfile": xmfile, "name": name}),
        _set("meta_attributes", f"{name}-meta_attributes", {"allow-migrate": "true"}),
        _operations(
            name,
            {"name": "start", "timeout": "60s"},
            {"name": "stop", "timeout": "90s"},
            {"name": "monitor", "interval": "10s", "timeout": "60s"},
            {"name": "migrate_to", "timeout": "120s"},
            {"name": "migrate_from", "timeout": "120s"},
        ),
        {"id": name, "class": "ocf", "provider": "heartbeat", "type": "Xen"},
    )


def _constraints(seed: Seed) -> list[etree._Element]:
    """Orders that only count where both act (score 0), and rules."""
    constraints = [_order("configpool", "evms")]
    for node in seed.nodes:
        device = f"STONITH-iLO-{node}"
        rule = {"attribute": "#uname", "operation": "eq", "value": node}
        constraints.append(_never(device, "anywhere", rule))
    for name in seed.domains:
        constraints.append(_order(name, "configpool"))
        absent = {"attribute": "pingd", "operation": "not_defined"}
        unreachable = {"attribute": "pingd", "operation": "lte", "value": "0", "type": "number"}
        constraints.append(_never(name, "connected", absent, unreachable))
    return constraints


def _order(then: str, first: str) -> etree._Element:
    return E.rsc_order(id=f"{then}_depends_{first}", first=first, then=then, kind="Optional")


def _never(resource: str, name: str, *expressions: Mapping[str, str]) -> etree._Element:
    base = f"{resource}-{name}"
    rule = E.rule({"id": f"{base}-rule", "score": "-INFINITY", "boolean-op": "or"})
    for number, expression in enumerate(expressions, 1):
        rule.append(E.expression({"id": f"{base}-rule-{number}", **expression}))
    return E.rsc_location(rule, id=base, rsc=resource)


def _status(seed: Seed, cib: etree._Element) -> etree._Element:
    """Each domU on the next node, each iLO beside its own, the clones everywhere."""
    primitives = cib.findall("configuration/resources//primitive")
    places: dict[str, str] = {}
    for number, name in enumerate(seed.domains):
        places[name] = seed.nodes[number % len(seed.nodes)]
    for number, node in enumerate(seed.nodes, 1):
        places[f"STONITH-iLO-{node}"] = seed.nodes[number % len(seed.nodes)]
    histories = [_History(primitive, places) for primitive in primitives]
    status = E.status()
    for number, node in enumerate(seed.nodes, 1):
        state = E.node_state(
            {
                "id": str(number),
                "uname": node,
                "in_ccm": "true",
                "crmd": "online",
                "join": "member",
                "expected": "member",
            },
            E.transient_attributes(
                _set("instance_attributes", f"status-{number}", {"pingd": _PING}), id=str(number)
            ),
            E.lrm(E.lrm_resources(*(history.on(node) for history in histories)), id=str(number)),
        )
        status.append(state)
    return status


class _History:
    """What the nodes remember of one primitive: it was started here, or seen not to run there."""

    def __init__(self, primitive: etree._Element, places: Mapping[str, str]) -> None:
        keys = ("id", "class", "provider", "type")
        self.kind = {key: primitive.get(key) for key in keys if key in primitive.attrib}
        self.place = places.get(primitive.get("id"))
        self.everywhere = primitive.getparent().tag == "clone"
        params = {
            pair.get("name"): pair.get("value")
            for pair in primitive.iterfind("instance_attributes/nvpair")
        }
        self.digest = digest(params)
        monitor = primitive.find("operations/op[@name='monitor']")
        self.interval = 0
        if monitor is not None:
            self.interval = int(monitor.get("interval").rstrip("s")) * 1000
            timeout = str(int(monitor.get("timeout").rstrip("s")) * 1000)
            self.monitor_digest = digest(params | {"CRM_meta_timeout": timeout})

    def on(self, node: str) -> etree._Element:
        resource = E.lrm_resource(self.kind)
        if self.everywhere or self.place == node:
            resource.append(self._operation("start", 0, "0", self.digest))
            if self.interval:
                monitor = self._operation("monitor", self.interval, "0", self.monitor_digest)
                resource.append(monitor)
        else:
            resource.append(self._operation("monitor", 0, "7", self.digest))
        for operation in resource:
            operation.set("on_node", node)
        return resource

    def _operation(self, task: str, interval: int, rc: str, digest: str) -> etree._Element:
        name = self.kind["id"]
        key = f"1:0:{rc}:00000000-0000-0000-0000-000000000000"
        return E.lrm_rsc_op(
            {
                "id": f"{name}_{task}_{interval}" if interval else f"{name}_last_0",
                "operation_key": f"{name}_{task}_{interval}",
                "operation": task,
                "transition-key": key,
                "transition-magic": f"0:{rc};{key}",
                "call-id": "2" if interval else "1",
                "rc-code": rc,
                "op-status": "0",
                "interval": str(interval),
                "last-rc-change": _LONG_AGO,
                "exec-time": "0",
                "queue-time": "0",
                "op-digest": digest,
            }
        )


def digest(params: Mapping[str, str]) -> str:
    """What the scheduler compares, to see whether an action was done with these parameters."""
    element = etree.Element("parameters", dict(sorted(params.items())))
    return hashlib.md5(b" " + etree.tostring(element) + b"\n", usedforsecurity=False).hexdigest()

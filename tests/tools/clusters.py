"""Small clusters written down in a few words, settled by the real scheduler."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple

_AGENTS = {
    "Xen": 'class="ocf" provider="heartbeat" type="Xen"',
    "Dummy": 'class="ocf" provider="heartbeat" type="Dummy"',
    "drbd": 'class="ocf" provider="linbit" type="drbd"',
    "remote": 'class="ocf" provider="pacemaker" type="remote"',
    "fence": 'class="stonith" type="fence_ipmilan"',
}


def _pairs(name: str, values: Mapping[str, str]) -> str:
    return "".join(
        f'<nvpair id="{name}-{key.strip("#")}" name="{key}" value="{value}"/>'
        for key, value in values.items()
    )


def meta(name: str, inside: str = "", **values: str) -> str:
    """Meta options; an underscore stands for a hyphen."""
    named = {key.replace("_", "-"): value for key, value in values.items()}
    pairs = _pairs(f"{name}-meta", named)
    return f'<meta_attributes id="{name}-meta">{inside}{pairs}</meta_attributes>'


def primitive(name: str, agent: str = "Xen", inside: str = "", **values: str) -> str:
    """A resource with its meta options, and a domU's file where it is one."""
    options = meta(name, **values) if values else ""
    if agent == "Xen":
        file = _pairs(name, {"xmfile": f"/etc/xen/vm/{name}"})
        options += f'<instance_attributes id="{name}-ia">{file}</instance_attributes>'
    monitor = f'<op id="{name}-monitor" name="monitor" interval="10s"/>'
    operations = f"<operations>{monitor}</operations>"
    return f'<primitive id="{name}" {_AGENTS[agent]}>{options}{inside}{operations}</primitive>'


def clone(name: str, inside: str, **values: str) -> str:
    """A clone with meta options."""
    return f'<clone id="{name}">{meta(name, **values)}{inside}</clone>'


def location(name: str, score: str, *, rsc: str = "web", **values: str) -> str:
    """A location; `rule`: the expressions of a rule in place of a node."""
    rule = values.pop("rule", "")
    more = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in values.items())
    if not rule:
        return f'<rsc_location id="{name}" rsc="{rsc}" score="{score}"{more}/>'
    inside = f'<rule id="{name}-rule" score="{score}">{rule}</rule>'
    return f'<rsc_location id="{name}" rsc="{rsc}"{more}>{inside}</rsc_location>'


def expression(attribute: str, operation: str, value: str = "") -> str:
    """A comparison of a node's attribute."""
    compared = f' value="{value}"' if value else ""
    words = f'attribute="{attribute}" operation="{operation}"{compared}'
    return f'<expression id="x-{attribute.strip("#")}-{operation}" {words}/>'


class Situation(NamedTuple):
    """A cluster, what is asked of it, and the right answer."""

    ask: str
    cause: str
    command: str = ""
    resources: str = primitive("web")
    constraints: str = ""
    options: Mapping[str, str] = {}
    defaults: str = ""
    tags: str = ""
    nodes: Mapping[str, Mapping[str, str]] = {"alpha": {}, "beta": {}}
    """Each node with its attributes."""
    utilization: Mapping[str, str] = {}
    """The hv_memory of each node."""
    happens: Sequence[str] = ()
    """Options of crm_simulate, which inject what happens once all has started."""
    afterwards: Sequence[str] = ()
    """The same for the transition that follows from that."""
    rest: str = "confirmed"
    """confirmed; fact: hxm moves nothing whatever the scheduler says; offer: nothing forbids it."""
    typed: bool = True
    """Whether what is advised can be typed here, and does what was asked for."""


def cib(case: Situation) -> str:
    """The CIB of a situation, before anything has started."""
    fenced = f'<instance_attributes id="fence-ia">{_FENCED}</instance_attributes>'
    fence = primitive("fence", "fence", fenced)
    usual = {"dc-version": "2.1.5-a3f44794f94", "cluster-infrastructure": "corosync"}
    options = _pairs("opt", {**usual, "stonith-enabled": "true", **case.options})
    nodes, states = "", ""
    for number, (name, attributes) in enumerate(case.nodes.items(), 1):
        pairs = _pairs(f"n{number}", attributes)
        inside = f'<instance_attributes id="n{number}">{pairs}</instance_attributes>'
        if name in case.utilization:
            memory = _pairs(f"u{number}", {"hv_memory": case.utilization[name]})
            inside += f'<utilization id="u{number}">{memory}</utilization>'
        nodes += f'<node id="{number}" uname="{name}">{inside}</node>'
        states += (
            f'<node_state id="{number}" uname="{name}" in_ccm="true" crmd="online" join="member" '
            f'expected="member"><transient_attributes id="{number}"><instance_attributes '
            f'id="s{number}"/></transient_attributes><lrm id="{number}"><lrm_resources/></lrm>'
            "</node_state>"
        )
    defaults = f"<rsc_defaults>{case.defaults}</rsc_defaults>" if case.defaults else ""
    tags = f"<tags>{case.tags}</tags>" if case.tags else ""
    return (
        '<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.8" epoch="1" num_updates="0" '
        'admin_epoch="0" have-quorum="1" dc-uuid="1"><configuration><crm_config>'
        f'<cluster_property_set id="opt">{options}</cluster_property_set></crm_config>'
        f"<nodes>{nodes}</nodes><resources>{fence}{case.resources}</resources>"
        f"<constraints>{case.constraints}</constraints>{defaults}{tags}</configuration>"
        f"<status>{states}</status></cib>"
    )


_FENCED = _pairs("fence", {"pcmk_host_list": "alpha beta gamma", "ip": "10.0.0.1"})


def settle(file: str, happens: Sequence[str] = (), afterwards: Sequence[str] = ()) -> None:
    """Let the scheduler do what it wants, and then what follows from what happens."""
    for options in ((), (), happens, afterwards):
        argv = ["crm_simulate", f"--xml-file={file}", f"--save-output={file}", "--simulate"]
        subprocess.run([*argv, *options], check=True, capture_output=True)

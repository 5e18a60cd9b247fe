"""Executes the steps that change a node and not the CIB: forced stops, and drills."""

from __future__ import annotations

from collections.abc import Callable

from hxm.config import Config
from hxm.errors import CannotAsk, Failed
from hxm.host import programs
from hxm.model import Cluster
from hxm.orders.simulate import spell
from hxm.pacemaker.dialect import Argv
from hxm.plan import Step
from hxm.toolstack import GONE
from hxm.toolstack.remote import fault_of

DESTROY_TIMEOUT = 15.0
"""Seconds for a toolstack to force a domU off; after that the cluster's own stop remains."""
_TIMEOUT = 120.0
"""Seconds for everything else: a cluster stack first stops its resources."""


def carry_out_on_node(
    cluster: Cluster, step: Step, config: Config, done: list[Argv], keep: Callable[[], None]
) -> str:
    """Execute such a step, and add its command lines to `done`; returns a warning or "".

    A forced stop that fails is a warning, because the cluster also stops the domU, more slowly.
    Raises Failed if anything else fails, and CannotAsk if it is unknown where the node is.
    """
    fault = ""
    for argv in spell(cluster, step, config):
        keep()
        done.append(argv)
        if step.kind == "destroy":
            fault = pull_the_plug(cluster, step, argv)
        else:
            _vouch_for(step.values["node"])
            result = programs.output(argv, None, _TIMEOUT, keep)
            if result.status != 0:
                raise Failed(f"cannot {step.says}: {fault_of(step.values['node'], result)}")
    return fault


def _vouch_for(node: str) -> None:
    """Raise CannotAsk where another host may be called as this node of a cluster far away."""
    if there := programs.elsewhere():
        there.vouch_for(node)


def pull_the_plug(cluster: Cluster, step: Step, argv: Argv) -> str:
    """Why the toolstack could not force the domU off; "" if the domU is gone."""
    name = step.values["node"]
    node = cluster.node(name)
    if node and not node.reachable:
        fault = f"{name} is {node.predicament}"
    else:
        try:
            _vouch_for(name)
            result = programs.output(argv, timeout=DESTROY_TIMEOUT)
            fault = fault_of(name, result) if result.status != 0 else ""
        except CannotAsk as error:
            fault = error.message
    gone = not fault or any(word in fault for word in GONE)
    return "" if gone else f"cannot {step.says} at once: {fault}"

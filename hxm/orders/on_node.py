"""What is done on a node itself, and not in the CIB: pulling plugs, and what drills break."""

from __future__ import annotations

from collections.abc import Callable

from hxm import programs
from hxm.errors import CannotAsk, Failed
from hxm.model import Cluster
from hxm.orders.simulate import spell
from hxm.pacemaker.dialect import Argv
from hxm.plan import Step
from hxm.toolstack import GONE
from hxm.toolstack.remote import fault_of

DESTROY_TIMEOUT = 15.0
"""Seconds for a toolstack to pull a plug; then the cluster's own stop is what remains."""
_TIMEOUT = 120.0
"""Seconds for all else: a stack that is stopped first stops what it runs."""


def carry_out_on_node(
    cluster: Cluster, step: Step, done: list[Argv], keep: Callable[[], None]
) -> str:
    """Take such a step, its command lines added to `done`; returns what there is to warn about.

    A plug that cannot be pulled is a warning: the cluster has been told already, and stops it more
    slowly. Anything else that fails raises Failed.
    """
    fault = ""
    for argv in spell(cluster, step):
        keep()
        done.append(argv)
        if step.kind == "destroy":
            fault = pull_the_plug(cluster, step, argv)
        else:
            result = programs.output(argv, None, _TIMEOUT, keep)
            if result.status != 0:
                raise Failed(f"cannot {step.says}: {fault_of(step.values['node'], result)}")
    return fault


def pull_the_plug(cluster: Cluster, step: Step, argv: Argv) -> str:
    """Why it could not be done at once; nothing if the domU is gone."""
    name = step.values["node"]
    node = cluster.node(name)
    if node and not node.reachable:
        fault = f"{name} is {node.predicament}"
    else:
        try:
            result = programs.output(argv, timeout=DESTROY_TIMEOUT)
            fault = fault_of(name, result) if result.status != 0 else ""
        except CannotAsk as error:
            fault = error.message
    gone = not fault or any(word in fault for word in GONE)
    return "" if gone else f"cannot {step.says} at once: {fault}"

"""What a plan orders: for every kind of step of the policy its words and its values.

The steps that carry a document of the cluster's are made in `pacemaker/lock.py` and
`pacemaker/enrolment_xml.py`.
"""

from __future__ import annotations

from hxm.model import ManagedDomain
from hxm.plan import Step


def meta_step(domain: ManagedDomain, name: str, value: str) -> Step:
    """Set a meta option at the domU's own resource."""
    values = {"resource": domain.resource, "name": name, "value": value}
    return Step("set-meta", f"set {name} of {domain.name} to {value}", values)


def clear_meta_step(domain: ManagedDomain, name: str) -> Step:
    """Remove a meta option from the domU's own resource."""
    values = {"resource": domain.resource, "name": name}
    return Step("clear-meta", f"remove {name} of {domain.name}", values)


def clear_meta_above_step(resource: str, name: str) -> Step:
    """Remove a meta option from a group or a clone, and not from what is in it."""
    return Step(
        "clear-meta-above", f"remove {name} of {resource}", {"resource": resource, "name": name}
    )


def move_step(domain: ManagedDomain, node: str) -> Step:
    """Draw the domU to the node."""
    values = {"resource": domain.resource, "node": node}
    return Step("move", f"prefer {node} for {domain.name}", values)


def move_and_ban_step(domain: ManagedDomain, node: str) -> Step:
    """Draw the domU to the node, and ban it from where it runs."""
    values = {"resource": domain.resource, "node": node}
    return Step("move-and-ban", f"prefer {node} for {domain.name} and ban where it is", values)


def unmove_step(domain: ManagedDomain) -> Step:
    """Remove what a move put there."""
    return Step("unmove", f"remove what moves {domain.name}", {"resource": domain.resource})


def unban_step(domain: ManagedDomain, source: str) -> Step:
    """Remove the ban that a move put there; the domU ran on `source` before."""
    values = {"resource": domain.resource, "source": source}
    return Step("unban", f"remove what bans {domain.name} from {source}", values)


def clear_step(resource: str) -> Step:
    """Remove all that crm_resource's moves left of the resource."""
    return Step("clear", f"clear what moves left of {resource}", {"resource": resource})


def delete_constraint_step(constraint: str) -> Step:
    """Remove a location constraint by its id."""
    return Step("delete-constraint", f"delete {constraint}", {"constraint": constraint})


def standby_step(node: str) -> Step:
    """Let the node run nothing."""
    return Step("standby", f"standby {node}", {"node": node})


def clear_standby_step(node: str) -> Step:
    """Let the node run resources again, whether its standby is permanent or until reboot."""
    return Step("clear-standby", f"remove standby of {node}", {"node": node})


def maintenance_step(*, on: bool) -> Step:
    """Begin or end the maintenance of the whole cluster."""
    if on:
        return Step("maintenance", "maintenance on", {})
    return Step("clear-maintenance", "maintenance off", {})


def node_maintenance_step(node: str, *, on: bool) -> Step:
    """Begin or end the maintenance of a node."""
    if on:
        return Step("node-maintenance", f"maintenance of {node} on", {"node": node})
    return Step("clear-node-maintenance", f"maintenance of {node} off", {"node": node})


def cleanup_step(resource: str, what: str, node: str | None = None) -> Step:
    """Forget `what` the cluster remembers of the resource, on a node or on all."""
    if node:
        values = {"resource": resource, "node": node}
        return Step("cleanup-on", f"forget {what} on {node}", values)
    return Step("cleanup", f"forget {what}", {"resource": resource})


def restore_step(what: str, file: str) -> Step:
    """Put the configuration in the file in the place of the present one."""
    return Step("restore", f"{what}: replace the configuration", {"file": file})


def release_step(holder: str) -> Step:
    """Remove this holder's lock, and nobody else's."""
    return Step("release", "give the cluster's lock back", {"holder": holder})


def mark_step(state: str) -> Step:
    """Write down how far an update is."""
    words = "write down in the cluster how far the update is"
    return Step("mark-update", words, {"state": state})


def unmark_step() -> Step:
    """Remove the state of an update."""
    return Step("unmark-update", "remove the state of the update", {})


def destroy_step(domain: ManagedDomain, node: str) -> Step:
    """Pull the domU's plug on the node, once the cluster is to stop it."""
    values = {"domain": domain.name, "node": node}
    return Step("destroy", f"destroy {domain.name} on {node}", values)


def kill_step(domain: ManagedDomain, node: str) -> Step:
    """Pull the domU's plug on the node, behind the cluster's back."""
    values = {"domain": domain.name, "node": node, "resource": domain.resource}
    return Step("kill", f"destroy {domain.name} on {node}, past the cluster", values)


def stop_stack_step(node: str) -> Step:
    """Stop the cluster's stack on the node, in good order."""
    return Step("stop-stack", f"stop the cluster's stack on {node}", {"node": node})


def start_stack_step(node: str) -> Step:
    """Start the cluster's stack on the node."""
    return Step("start-stack", f"start the cluster's stack on {node}", {"node": node})


def cut_step(node: str, address: str, attribute: str, after: int) -> Step:
    """Let nothing from the node reach the address for `after` seconds at most.

    `attribute` is the node's attribute that says whether it reaches what it pings.
    """
    values = {"node": node, "address": address, "attribute": attribute, "after": str(after)}
    return Step("cut", f"cut the way between {node} and {address}", values)


def join_step(node: str, address: str) -> Step:
    """Let the node reach the address again."""
    values = {"node": node, "address": address}
    return Step("join", f"restore the way between {node} and {address}", values)


def fence_step(node: str) -> Step:
    """Have the node fenced."""
    return Step("fence", f"fence {node}", {"node": node})

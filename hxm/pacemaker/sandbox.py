"""What operators fear, put into a cluster in a file, and what its tools cannot do on a file.

lxml and not ElementTree: documents are changed here, which takes parents and XPath.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping

from lxml import etree

from hxm.errors import CannotAsk

_INFINITY = "1000000"


def parse(path: str) -> etree._ElementTree:
    """The CIB in the file. Raises CannotAsk if it is none."""
    try:
        tree = etree.parse(path, etree.XMLParser(resolve_entities=False))
    except (etree.XMLSyntaxError, OSError) as error:
        raise CannotAsk(f"{path} is not a CIB: {error}") from None
    if tree.docinfo.doctype:
        raise CannotAsk(f"{path} is not a CIB: it declares a document type")
    if tree.getroot().tag != "cib":
        raise CannotAsk(f"{path} is not a CIB, but a <{tree.getroot().tag}>")
    return tree


def forget_failures(path: str, resource: str, node: str | None) -> list[tuple[str, str]]:
    """What `crm_resource --cleanup` does on a cluster: drop failed actions and fail counts.

    A node that remembers a failed action forgets the resource, and is asked anew by the scheduler,
    unless its other actions show that it runs there. Returns what is to be told that it runs, a
    member of a group or a clone each, and on which node.
    """
    tree = parse(path)
    still_there = drop_failures(tree, resource, node)
    tree.write(path)
    return still_there


def drop_failures(
    tree: etree._ElementTree, resource: str, node: str | None
) -> list[tuple[str, str]]:
    """The same in a document that is read already."""
    inside = tree.xpath("//resources//*[@id=$id]/descendant::primitive/@id", id=resource)
    names = [str(name) for name in inside] or [resource]
    return [(name, where) for name in names for where in _drop_failures(tree, name, node)]


def _drop_failures(tree: etree._ElementTree, resource: str, node: str | None) -> list[str]:
    """Of one primitive; returns the nodes where it is to be found running."""
    still_there = []
    for state in tree.xpath("/cib/status/node_state"):
        if node not in (None, state.get("uname")):
            continue
        for history in state.xpath(".//lrm_resource[@id=$id]", id=resource):
            failed = [action for action in history if failed_action(action)]
            ran = still_runs(history)
            for action in failed:
                history.remove(action)
            if failed and not (ran and still_runs(history)):
                history.getparent().remove(history)
                if ran:
                    still_there.append(state.get("uname"))
        for pair in state.xpath("./transient_attributes//nvpair"):
            name = pair.get("name").split("#")[0]
            if name in (f"fail-count-{resource}", f"last-failure-{resource}"):
                pair.getparent().remove(pair)
    return still_there


_RUNS = "hxm-runs-"
"""A passing attribute of the node where a domU runs that no cluster manages any more."""


def forget(path: str, resource: str) -> None:
    """What `crm_resource --refresh` does where nothing looks anew; the domU itself runs on."""
    tree = parse(path)
    for state in tree.xpath("/cib/status/node_state"):
        for history in state.xpath(".//lrm_resource[@id=$id]", id=resource):
            if any(map(_leaves_running, history)):
                name = _name_of(tree, resource)
                number = state.get("id")
                attributes = child(state, "transient_attributes", number)
                options = child(attributes, "instance_attributes", f"status-{number}")
                pair = child(options, "nvpair", f"status-{number}-{_RUNS}{resource}")
                pair.attrib.update({"name": f"{_RUNS}{name}", "value": "1"})
            history.getparent().remove(history)
    tree.write(path)


def still_runs(history: etree._Element) -> bool:
    """Whether a look at the node would find the resource running, by the history of its actions.

    A failed stop or migration away leaves it there; a monitor that failed otherwise than with "not
    running" does not say that it is gone; a failed start, or arrival, leaves nothing.
    """
    runs = False
    for action in sorted(history, key=lambda action: int(_entry(action, "call-id") or "-1")):
        operation, result = action.get("operation"), _entry(action, "rc-code")
        if result == "7":  # not running
            runs = False
        elif operation in ("stop", "migrate_to"):
            runs = result != "0"
        elif operation in ("start", "migrate_from"):
            runs = result == "0"
        elif operation == "monitor":
            runs = runs or result == "0"
    return runs


def _entry(action: etree._Element, name: str) -> str | None:
    """A value of the action, which Heartbeat spells with an underscore."""
    value: str | None = action.get(name) or action.get(name.replace("-", "_"))
    return value


def _leaves_running(operation: etree._Element) -> bool:
    """Whether it is the last action but monitors, or a first look, that found or made it run."""
    attributes = [operation.get(name, "") for name in ("id", "operation", "rc-code")]
    return bool(
        attributes[0].endswith("_last_0") and attributes[1] != "stop" and attributes[2] == "0"
    )


def _name_of(tree: etree._ElementTree, resource: str) -> str:
    """The domU's name by its parameter, which every domU of a sandbox has."""
    values = tree.xpath(
        "//primitive[@id=$id]/instance_attributes/nvpair[@name='name']/@value", id=resource
    )
    return str(values[0]) if values else resource


def set_found(path: str, resource: str, node: str, name: str) -> None:
    """The node found the domU, with the parameters that it has: else it would be restarted.

    (crm_simulate injects results without a digest.) What was noted of it goes.
    """
    from hxm.pacemaker.sandbox_cib import digest

    tree = parse(path)
    pairs = tree.xpath("//primitive[@id=$id]/instance_attributes/nvpair", id=resource)
    parameters = digest({pair.get("name"): pair.get("value") for pair in pairs})
    for operation in tree.xpath(
        "//node_state[@uname=$node]//lrm_resource[@id=$id]/lrm_rsc_op", node=node, id=resource
    ):
        operation.set("op-digest", parameters)
    for pair in tree.xpath("//transient_attributes//nvpair[@name=$name]", name=_RUNS + name):
        pair.getparent().remove(pair)
    tree.write(path)


def running_outside(transient: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """The node and the name of each domU that runs in the sandbox beside its cluster."""
    for node, attributes in transient.items():
        for name in attributes:
            if name.startswith(_RUNS):
                yield node, name.removeprefix(_RUNS)


def forget_monitors(path: str, cancelled: set[tuple[str, str]]) -> None:
    """Take the recurring actions of these resources on these nodes out of the history.

    What failed stays known (controld_delete_action_history_by_key in Pacemaker). An instance of a
    clone is there under its own name where it was recorded before 1.1.8.
    """
    tree = parse(path)
    mine = "lrm_resource[@id=$id or starts-with(@id, concat($id, ':'))]"
    for resource, node in cancelled:
        for operation in tree.xpath(
            f"/cib/status/node_state[@uname=$node]//{mine}/lrm_rsc_op[@interval!='0']",
            node=node,
            id=resource,
        ):
            if not is_last_failure(operation):
                operation.getparent().remove(operation)
    tree.write(path)


def is_last_failure(operation: etree._Element) -> bool:
    """Whether it is kept to tell of a failure, beside what is done again."""
    return "_last_failure_" in operation.get("id", "")


def failed_action(operation: etree._Element) -> bool:
    """Whether the result of an action is not the one that its transition expected."""
    key = _entry(operation, "transition-key") or ":::"
    expected = key.split(":")[2] if key.count(":") > 2 else "0"
    return _entry(operation, "rc-code") != expected or is_last_failure(operation)


def set_start_failed(path: str, resource: str, node: str) -> None:
    """The fail count that the controller sets after a failed start: INFINITY, not 1.

    (start-failure-is-fatal; crm_simulate 2.1.5 counts it as an ordinary failure.)
    """
    _set_transient(path, node, {f"fail-count-{resource}#start_0": _INFINITY})


def set_connected(path: str, node: str, score: str = "100", attribute: str = "pingd") -> None:
    """The attribute that the ping daemon sets on its node, and that goes with a lost node."""
    _set_transient(path, node, {attribute: score})


def reconnect(path: str, node: str) -> None:
    """Give the node its ping attributes, as high as the rules of locations ask for."""
    scores = {"pingd": 100}
    for expression in parse(path).iterfind("configuration/constraints/rsc_location//expression"):
        name, value = expression.get("attribute", ""), expression.get("value", "")
        if name.startswith("ping"):
            least = int(value) + 1 if value.isdecimal() else 0  # lte and gt leave the value out
            scores[name] = max(scores.get(name, 100), least)
    _set_transient(path, node, {name: str(score) for name, score in scores.items()})


def set_unfenced(path: str, nodes: Iterable[str]) -> None:
    """What a node notes of itself once it has its access (#node-unfenced)."""
    for node in nodes:
        _set_transient(path, node, {"#node-unfenced": str(int(time.time()))})


def pass_a_second(path: str) -> None:
    """Wait until a record has a later time than all that stand there, as where a node boots.

    The scheduler orders the records of different nodes by their times, in whole seconds: a look at
    the node that has booted would not be newer than a migration to it, and the domU be there too.
    """
    times = parse(path).xpath("/cib/status/node_state//lrm_rsc_op/@last-rc-change")
    rest = max(map(int, times), default=0) + 1 - time.time()
    time.sleep(min(max(rest, 0), 1))


def set_order(path: str, kind: str) -> None:
    """Make all order constraints of that kind: Mandatory, Optional or Serialize."""
    tree = parse(path)
    for order in tree.iterfind("configuration/constraints/rsc_order"):
        order.set("kind", kind)
    tree.write(path)


def set_quorum(path: str, have: bool) -> None:
    """Give the partition its quorum, or take it (crm_simulate -q alone does nothing on 2.1.5)."""
    tree = parse(path)
    tree.getroot().set("have-quorum", "1" if have else "0")
    tree.write(path)


def elect(path: str) -> None:
    """Make the first online node the DC if the DC is gone, as the survivors do."""
    tree = parse(path)
    online = tree.xpath("/cib/status/node_state[@crmd='online'][@in_ccm='true']/@id")
    if online and tree.getroot().get("dc-uuid") not in online:
        tree.getroot().set("dc-uuid", online[0])
        tree.write(path)


def _set_transient(path: str, node: str, pairs: dict[str, str]) -> None:
    tree = parse(path)
    (state,) = tree.xpath("/cib/status/node_state[@uname=$node]", node=node) or [None]
    if state is None:
        raise CannotAsk(f"the file holds no state of {node}")
    number = state.get("id")
    attributes = child(state, "transient_attributes", number)
    options = child(attributes, "instance_attributes", f"status-{number}")
    for name, value in pairs.items():
        pair = child(options, "nvpair", f"status-{number}-{name.replace('#', '.')}")
        pair.set("name", name)
        pair.set("value", value)
    tree.write(path)


def child(parent: etree._Element, tag: str, name: str) -> etree._Element:
    """The child of that tag and id, made if there is none."""
    for element in parent.iterfind(tag):
        if element.get("id") == name:
            return element
    return etree.SubElement(parent, tag, id=name)

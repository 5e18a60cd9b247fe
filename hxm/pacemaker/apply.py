"""Has steps carried out by the tools, and sees in the CIB afterwards that they were.

A tool's exit status proves nothing: up to Pacemaker 1.0 many errors end with 0, and Pacemaker 3.0
ends with 105 where there was nothing to delete.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from xml.etree.ElementTree import Element, fromstring

from hxm import programs
from hxm.config import read_config
from hxm.errors import Failed, Refused
from hxm.model import UPDATE
from hxm.pacemaker.argv import step_argv
from hxm.pacemaker.cib import Configuration, read_configuration
from hxm.pacemaker.dialect import Argv, Dialect
from hxm.pacemaker.lock import renew_in
from hxm.plan import CLEARING, Step
from hxm.policy import is_true

_PROTOCOL = 76  # CRM_EX_PROTOCOL
_TIMEOUT = 300.0
"""Seconds: crm_resource 2.1.5 computes for 30 s with 300 domUs on 32 nodes."""
_PATIENCE = 3.0
"""Seconds: a transient attribute reaches the CIB through a daemon (1.1 and newer)."""
_UNSEEN = ("cleanup", "cleanup-on", "fence")
"""What cannot be looked for in the CIB."""
_IN_STATUS = {"clear-standby": "standby", "clear-node-maintenance": "maintenance"}
"""Attributes that may also stand in the CIB's status section."""
_IN_XML = ("load-xml", "delete-xml", "forget")
"""Kinds of step that the document itself must bear out."""


def carry_out(
    dialect: Dialect,
    steps: Sequence[Step],
    env: Mapping[str, str] | None = None,
    done: list[Argv] | None = None,
    meanwhile: Callable[[], None] | None = None,
    seen: bytes = b"",
) -> list[Argv]:
    """Run the steps' command lines; they are added to `done` as they are begun, and returned.

    `meanwhile` is called every few seconds while a tool is at work. What replaces the configuration
    does so only if that is still the one that was `seen`, where one is given; raises Refused.

    Steps of one kind are looked after together. Raises Failed, with the tool's words, for the
    first that the CIB does not bear out.
    """
    done = [] if done is None else done
    for kind, alike in groupby(steps, key=lambda step: step.kind):
        todo = list(alike)
        while todo:
            tried: list[Step] = []
            complaint = None
            while todo and complaint is None:
                tried.append(todo.pop(0))
                if kind == "restore":
                    renew_in(tried[-1].values["file"], time.time())
                    if seen:
                        _still(seen, env)
                complaint = _tell(step_argv(dialect, tried[-1]), env, done, meanwhile)
            missing = _missing(kind, tried, env)
            if complaint and kind in _UNSEEN:
                missing = tried[-1]
            if missing:
                raise _failed(missing, complaint)
    return done


def _still(seen: bytes, env: Mapping[str, str] | None) -> None:
    """Raises Refused unless the configuration is the one that was seen, a tool's start ago.

    The tools themselves refuse an older CIB only if it is replaced whole. That would be refused for
    every change of the status as well, and up to 2.0 makes all nodes join anew (do_cib_replaced).
    """
    from hxm.pacemaker.cib_document import same

    if not same(seen, read_configuration(env, read_config().ask_timeout).document):
        raise meddled()


def meddled() -> Refused:
    """Why a configuration is not replaced that is not the one that was seen."""
    return Refused("somebody else is changing the configuration", "hxm diff shows what")


def _tell(
    commands: tuple[Argv, ...],
    env: Mapping[str, str] | None,
    done: list[Argv],
    meanwhile: Callable[[], None] | None,
) -> programs.Result | None:
    """The first of a step's command lines that ended badly, if one did."""
    bad = None
    for argv in commands:
        done.append(argv)
        result = programs.output(argv, env, _TIMEOUT, meanwhile)
        if result.status != 0 and bad is None:
            bad = result
    return bad


def _missing(kind: str, steps: Sequence[Step], env: Mapping[str, str] | None) -> Step | None:
    """The first step that the CIB does not bear out; a running cluster may take a moment."""
    if kind in _UNSEEN:
        return None  # it leaves nothing behind that could be looked for
    deadline = time.monotonic() + (0 if env else _PATIENCE)
    while True:
        whole = kind in _IN_STATUS or kind in _IN_XML
        configuration = read_configuration(env, read_config().ask_timeout, whole=whole)
        missing = next((step for step in steps if not borne_out(step, configuration)), None)
        if missing is None or time.monotonic() >= deadline:
            return missing
        time.sleep(0.2)


def _failed(step: Step, result: programs.Result | None) -> Failed:
    if result is None:
        return Failed(f"cannot {step.says}: the tool reported success, but the CIB does not say so")
    if result.status == _PROTOCOL:
        return Failed(
            "the CIB belongs to a newer Pacemaker than this host's tools, which may not change it",
            "work on a node with the newer tools",
        )
    return Failed(f"{result.argv[0]} failed: {result.complaint()}", " ".join(result.argv))


def borne_out(step: Step, configuration: Configuration) -> bool:
    """Whether the CIB says what the step was to make it say."""
    values = step.values
    node = configuration.node_attributes.get(values.get("node", ""), {})
    if step.kind in ("set-meta", "clear-meta"):
        primitive = configuration.primitives.get(values["resource"])
        if primitive is None:
            return False
        # of a clone's child the tools set the clone's (1.1 and newer)
        said = primitive.meta if primitive.clone else primitive.own_meta
        return said.get(values["name"]) == values.get("value")
    if step.kind in _IN_XML:
        return configuration.cib is not None and _xml_borne_out(step, configuration.cib)
    if step.kind == "restore":
        return _is_restored(values["file"], configuration)
    if step.kind in ("move", "move-and-ban", *CLEARING):
        return _constraints_borne_out(step, configuration)
    if name := _IN_STATUS.get(step.kind):
        return name not in node and name not in configuration.transient.get(values["node"], {})
    return {
        "standby": is_true(node.get("standby", "")),
        "mark-update": configuration.properties.get(UPDATE) == values.get("state"),
        "unmark-update": UPDATE not in configuration.properties,
        "release": configuration.properties.get("hxm-lock") != values.get("holder"),
        "maintenance": configuration.maintenance,
        "clear-maintenance": not configuration.maintenance,
        "node-maintenance": is_true(node.get("maintenance", "")),
    }[step.kind]


def _xml_borne_out(step: Step, cib: Element) -> bool:
    """Every element that has an id must stand there with its own attributes, or must be gone."""
    if step.kind == "forget":
        return all(each.get("id") != step.values["resource"] for each in cib.iter("lrm_resource"))
    found = {each.get("id"): each for part in cib.iterfind("configuration") for each in part.iter()}
    if step.kind == "delete-xml":
        return not found.keys() & set(step.values["ids"].split())
    wanted = [each for each in fromstring(step.values["xml"]).iter() if each.get("id")]
    return all(
        there is not None and there.tag == each.tag and each.attrib.items() <= there.attrib.items()
        for each in wanted
        for there in [found.get(each.get("id"))]
    )


def _is_restored(file: str, configuration: Configuration) -> bool:
    from hxm.pacemaker.cib_document import same

    with open(file, "rb") as opened:
        return same(opened.read(), configuration.document)


def _constraints_borne_out(step: Step, configuration: Configuration) -> bool:
    """Newer tools leave a cli-standby of older ones (1.1.9) alone when they clear."""
    found = configuration.constraints
    if step.kind == "delete-constraint":
        return all(each.id != step.values["constraint"] for each in found)
    own = [each for each in found if each.resource == step.values["resource"]]
    if step.kind == "clear":
        return not any(each.made_by_a_move for each in own)
    if step.kind.startswith("unmove"):
        unban = step.kind == "unmove-and-unban"
        return not any(
            each.id == f"cli-prefer-{each.resource}"
            or (unban and each.kind == "ban" and each.node == step.values["source"])
            for each in own
        )
    preferred = any(each.kind == "prefer" and each.node == step.values["node"] for each in own)
    banned = any(each.kind == "ban" for each in own)
    return preferred and (banned or step.kind == "move")

"""Lets the tools carry out steps, and verifies in the CIB that they did.

A tool's exit status proves nothing: up to Pacemaker 1.0 many errors end with 0, and Pacemaker 3.0
ends with 105 where there was nothing to delete.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from hxm.errors import Failed, Refused
from hxm.host import programs
from hxm.output.render import note
from hxm.pacemaker.argv import step_argv
from hxm.pacemaker.cib import read_configuration
from hxm.pacemaker.crm_mon import read_status
from hxm.pacemaker.dialect import Argv, Dialect
from hxm.pacemaker.lock import renew_in
from hxm.pacemaker.step_checks import CHECKS, borne_out
from hxm.plan import Step, StepKind

_PROTOCOL = 76  # CRM_EX_PROTOCOL
_TIMEOUT = 300.0
"""Seconds: crm_resource 2.1.5 computes for 30 s with 300 domUs on 32 nodes."""
_PATIENCE = 3.0
"""Seconds: a transient attribute reaches the CIB through a daemon (1.1 and newer)."""


def carry_out(
    dialect: Dialect,
    steps: Sequence[Step],
    env: Mapping[str, str] | None = None,
    done: list[Argv] | None = None,
    meanwhile: Callable[[], None] | None = None,
    seen: bytes = b"",
    timeout: float = programs.TOOL_TIMEOUT,
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
                complaint = _tell(dialect, tried[-1], env, done, meanwhile, seen, timeout)
            missing = _missing(kind, tried, env, timeout)
            if complaint and CHECKS[kind].holds is None:
                missing = tried[-1]
            if missing:
                raise _failed(missing, complaint)
    return done


def _still(seen: bytes, env: Mapping[str, str] | None, timeout: float) -> None:
    """Raises Refused unless the configuration is the one that was seen, a tool's start ago.

    The tools themselves refuse an older CIB only if it is replaced whole. That would be refused for
    every change of the status as well, and up to 2.0 makes all nodes join anew (do_cib_replaced).
    """
    from hxm.pacemaker.cib_document import same

    if not same(seen, read_configuration(env, timeout).document):
        raise meddled()


def meddled() -> Refused:
    """Why a configuration is not replaced that is not the one that was seen."""
    return Refused("somebody else is changing the configuration", "hxm diff shows what")


def _tell(
    dialect: Dialect,
    step: Step,
    env: Mapping[str, str] | None,
    done: list[Argv],
    meanwhile: Callable[[], None] | None,
    seen: bytes,
    timeout: float,
) -> programs.Result | None:
    """The first of a step's command lines that ended badly, if one did.

    If the connection breaks, the step is taken again only if the CIB, read through another node,
    does not have it once the lost node cannot do it any more; raises Lost if the CIB cannot tell.
    """
    while True:
        if step.kind == "restore":
            renew_in(step.values["file"], time.time())
            if seen:
                _still(seen, env, timeout)
        try:
            return _run(dialect, step, env, done, meanwhile)
        except programs.Lost as lost:
            if CHECKS[step.kind].holds is None:
                raise
            if _came_late(lost, step, env, meanwhile, timeout):
                return None


def _came_late(
    lost: programs.Lost,
    step: Step,
    env: Mapping[str, str] | None,
    meanwhile: Callable[[], None] | None,
    timeout: float,
) -> bool:
    """Whether a lost node did the step; waits until it has, or surely will not any more."""
    mentioned = over = False
    while not over:
        over = time.monotonic() > lost.until or _has_left(lost.node, timeout)
        if not _missing(step.kind, [step], env, timeout):
            return True
        if not over and not mentioned:
            note(f"{lost.node} may still {step.says}: hxm waits until it surely will not")
            mentioned = True
        if meanwhile:
            meanwhile()
    return False


def _has_left(name: str, timeout: float) -> bool:
    """Whether the node is no member of the cluster any more, and the others need not fence it."""
    node = next((node for node in read_status(None, timeout).nodes if node.name == name), None)
    return node is not None and not node.online and not node.unclean


def _run(
    dialect: Dialect,
    step: Step,
    env: Mapping[str, str] | None,
    done: list[Argv],
    meanwhile: Callable[[], None] | None,
) -> programs.Result | None:
    bad = None
    travels = (step.values["file"],) if step.kind == "restore" else ()
    for argv in step_argv(dialect, step):
        done.append(argv)
        result = programs.output(argv, env, _TIMEOUT, meanwhile, files=travels, once=not env)
        if result.status != 0 and bad is None:
            bad = result
    return bad


def _missing(
    kind: StepKind, steps: Sequence[Step], env: Mapping[str, str] | None, timeout: float
) -> Step | None:
    """The first step whose effect the CIB does not show; a running cluster may take a moment."""
    check = CHECKS[kind]
    if check.holds is None:
        return None
    deadline = time.monotonic() + (0 if env else _PATIENCE)
    while True:
        configuration = read_configuration(env, timeout, whole=check.whole_cib)
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

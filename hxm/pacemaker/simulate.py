"""Runs the real scheduler on a CIB in a file: for forecasts, and as the cluster of a sandbox.

Pacemaker's tools write a CIB_file in place, so that a full disk or a kill leaves half a file.
Everything here therefore happens on a scratch copy, which takes the file's place, at once, when
all is well.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple
from xml.etree.ElementTree import Element

from hxm.errors import CannotAsk, Failed
from hxm.host import programs, safe_files
from hxm.host.folder_lock import locked
from hxm.host.results import NoAnswer
from hxm.pacemaker import cannot_ask
from hxm.pacemaker.apply import carry_out
from hxm.pacemaker.argv import step_argv
from hxm.pacemaker.dialect import SIMULATORS, WHOLE_CIB, Argv, Dialect
from hxm.pacemaker.environment import LONGEST
from hxm.pacemaker.isolation import sees_the_copy
from hxm.pacemaker.sandbox_past import Past
from hxm.plan import Action, Step
from hxm.xml_reading import XmlError, parse_xml

_MOST_TRANSITIONS = 20  # each is one answer of the scheduler; balancing may take several
_NOT_ALL = "An invalid transition was produced"
"""What crm_simulate ends with where an action is never begun; the others are written down."""
_CANCEL = "cancel"  # ends a monitor; crm_simulate 2.1.5 writes it down as if it were an action
_EDITED_SINCE = (2, 0)
_PREFIX = "hxm-scratch-"
_IN_A_FOLDER = re.compile(rf"^(--[a-z-]+=)?/.*/{_PREFIX}[^/]+/[^/]+$")
_A_WHILE = 60.0  # seconds: a copy this young may not be locked yet


class NoForecast(CannotAsk):
    """The scheduler takes too long: what it would do stays unknown."""


def simulator() -> Argv | None:
    """The scheduler that this host has: crm_simulate, ptest, or none."""
    return next((argv for argv in SIMULATORS if programs.find(argv[0])), None)


def carries_out(program: Argv | None) -> bool:
    """Whether the program also writes down what its transition leads to."""
    return program == SIMULATORS[0]


_RESTART = re.compile(r"Restart +(\S+) +\([^)]*?(\S+) *\) +due to (.+)")
"""Of the summary of a transition: Restart vm1 ( host1 ) due to required clvm-clone running."""


class Said(NamedTuple):
    """What the scheduler answers."""

    actions: list[Action]
    scores: Mapping[str, Mapping[str, str]]
    """Of each resource on each node."""
    why: Mapping[tuple[str, str], str]
    """Why a primitive is restarted on a node, since Pacemaker 1.1.17."""


Unfenced = Callable[["Scratch"], Collection[str]]
"""Tells of a copy which lost nodes nothing can fence, of which the scheduler knows nothing."""


class Scratch:
    """A copy of a CIB that the tools may work on; gone at the end of `scratch`."""

    def __init__(
        self, path: str, past: Past | None = None, unfenced: Unfenced | None = None
    ) -> None:
        self.path = path
        self.past = past
        self.unfenced = unfenced
        self.holds = False
        """Whether something waited for a fencing that cannot come, when it was asked last."""
        self.graph = path + ".graph"
        self._files = (path, self.graph)

    @property
    def env(self) -> dict[str, str]:
        """What makes Pacemaker's tools work on this copy."""
        return {"CIB_file": self.path}

    def apply(self, dialect: Dialect, steps: Sequence[Step]) -> list[Argv]:
        """Carry steps out on the copy, by the tools where they work on files; the command lines.

        Raises Failed with the tool's words, and CannotAsk if the tool would not work on the copy.
        """
        if dialect.works_on_file:
            for step in steps:
                for program, *_ in step_argv(dialect, step):
                    sees_the_copy(program)
            return carry_out(dialect, steps, self.env)
        from hxm.pacemaker.heartbeat_edit import edit

        commands = [argv for step in steps for argv in step_argv(dialect, step)]
        edit(self.path, steps)
        return commands

    def foresee(self, dialect: Dialect, steps: Sequence[Step]) -> list[Argv]:
        """Write what `apply` would write, without the tools where their effect is known."""
        commands = [argv for step in steps for argv in step_argv(dialect, step)]
        if dialect.since >= _EDITED_SINCE:
            from hxm.pacemaker.cib_edit import edit

            if edit(self.path, steps):
                return commands
        return self.apply(dialect, steps)

    def simulate(self, injections: Sequence[str] = (), *, execute: bool = True) -> list[Action]:
        """Inject, let the scheduler compute one transition, and carry it out unless told not to.

        ptest can only compute. Raises CannotAsk if there is no scheduler or it gives no answer.
        """
        program = simulator() or SIMULATORS[0]
        argv = [word.format(file=self.path, graph=self.graph) for word in program]
        if execute and carries_out(program):
            argv += ["--simulate", f"--save-output={self.path}"]
        self._run([*argv, *injections])
        return actions_in(self._transition())

    def _run(self, argv: Sequence[str]) -> bytes:
        """What the tool prints. Raises CannotAsk if it fails, NoForecast if it takes too long."""
        try:
            result = programs.output(argv, self.env, LONGEST, files=self._files)
        except NoAnswer as error:
            raise NoForecast(error.message, "try again where a node has less to do") from None
        if result.status != 0 and result.complaint() != _NOT_ALL:
            raise CannotAsk(f"{argv[0]} failed: {result.complaint()}")
        return result.stdout

    def _carry_out(self, actions: Sequence[Action]) -> bool:
        """Write the results of the last computed transition; False: crm_simulate would fence."""
        from hxm.pacemaker.transition_results import write_results

        graph = self._transition()
        if write_results(self.path, graph):
            return True
        if self.holds:
            return False
        self.simulate()
        if unfenced := [event.get("on_node", "") for event in _fencing(graph) if _unfences(event)]:
            from hxm.pacemaker.sandbox import set_unfenced

            set_unfenced(self.path, unfenced)
        cancelled = {
            (action.resource, action.node) for action in actions if action.operation == _CANCEL
        }
        if cancelled:
            from hxm.pacemaker.sandbox import forget_monitors

            forget_monitors(self.path, cancelled)
        return True

    def inject(self, injections: Sequence[str]) -> None:
        """Record a fact in the status, such as a lost node, without simulating the reaction."""
        files = (f"--xml-file={self.path}", f"--save-output={self.path}")
        self._run(["crm_simulate", *files, *injections])

    def answer(self) -> Said:
        """What the next transition would do, the scores, and why what restarts does.

        Every generation prints `function: nfs allocation score on host1: 100`; of several lines
        the last counts. Raises CannotAsk if there is no scheduler or it gives no answer.
        """
        program = simulator() or SIMULATORS[0]
        argv = [word.format(file=self.path, graph=self.graph) for word in program]
        printed = self._run([*(word for word in argv if word != "--quiet"), "-s"])
        scores: dict[str, dict[str, str]] = {}
        why: dict[tuple[str, str], str] = {}
        for line in printed.decode("utf-8", "replace").splitlines():
            words = line.split()
            if words[2:5] == ["allocation", "score", "on"] and len(words) == 7:
                scores.setdefault(words[1], {})[words[5].rstrip(":")] = words[6]
            elif restart := restart_in(line):
                name, node, reason = restart
                why[name, node] = reason
        return Said(actions_in(self._transition()), scores, why)

    def _transition(self) -> Element:
        """The transition; without the fencing of a node that nothing can fence, and what waits."""
        graph = read_graph(self.graph)
        fenced = {action.node for action in actions_in(graph) if action.operation == "fence"}
        never = fenced & {*self.unfenced(self)} if fenced and self.unfenced else set()
        for node in never:
            drop_waiting(graph, node)
        self.holds = bool(never)
        return graph

    def settle(
        self, at_rest: Callable[[], None] | None = None, first: list[Action] | None = None
    ) -> list[Action]:
        """Run the scheduler until it has nothing left to do; the actions of all transitions.

        Of ptest only the first, which is the whole answer where nothing fails. `at_rest` is called
        before each answer that should be that nothing is left, to do something beside it. `first`
        is the first answer, where it is known.
        Raises Failed if it never comes to rest.
        """
        done: list[Action] = []
        before: list[Action] = []
        for _ in range(_MOST_TRANSITIONS):
            if at_rest and done:
                at_rest()
            actions = self.simulate(execute=False) if done or first is None else first
            if not carries_out(simulator()):
                return actions
            if not actions or actions == before:  # it repeats what is blocked, or a monitor
                return done
            if self.past:
                self.past.see(self.path, actions)
            if not self._carry_out(actions):
                return done
            done += actions
            before = actions
        raise Failed(
            f"the scheduler still wants changes after {_MOST_TRANSITIONS} transitions",
            "resources push each other around: look at constraints and stickiness",
        )


@contextmanager
def private_folder() -> Iterator[str]:
    """A folder for its owner alone, gone at the end; a killed hxm's is removed by the next."""
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder, locked(folder):
        _sweep(os.path.dirname(folder))
        yield folder


def without_scratch_paths(argv: Argv) -> Argv:
    """The command line for later reading: FILE replaces the path of a scratch copy."""
    return tuple(_IN_A_FOLDER.sub(r"\1FILE", word) for word in argv)


@contextmanager
def scratch(
    cib_file: str | None,
    timeout: float = programs.TOOL_TIMEOUT,
    past: Past | None = None,
    unfenced: Unfenced | None = None,
) -> Iterator[Scratch]:
    """A scratch copy of the CIB_file, or of the running cluster's CIB if that is None.

    The copy holds the fencing devices' passwords: it is readable by its owner alone. What it comes
    to is told the `past`, which is kept when the copy takes the place of the file.
    """
    try:
        with private_folder() as folder:
            path = os.path.join(folder, "cib.xml")
            if cib_file:
                with open(path, "wb") as file:
                    file.write(safe_files.read_whole(cib_file))
            else:
                result = programs.output(WHOLE_CIB, timeout=timeout)
                if result.status != 0:
                    raise cannot_ask(result)
                with open(path, "wb") as file:
                    file.write(result.stdout)
            os.chmod(path, 0o600)
            yield Scratch(path, past, unfenced)
    except OSError as error:
        raise CannotAsk(f"no scratch copy of the CIB: {error.strerror}: {error.filename}") from None


def _sweep(parent: str) -> None:
    """Remove the copies that nobody holds: their hxm was killed."""
    a_while_ago = time.time() - _A_WHILE
    for entry in os.scandir(parent):
        try:
            status = entry.stat(follow_symlinks=False)
            ours = entry.name.startswith(_PREFIX) and status.st_uid == os.getuid()
            if ours and status.st_mtime < a_while_ago:
                with locked(entry.path, patience=0):
                    shutil.rmtree(entry.path)
        except OSError:  # still in use, no folder, or gone meanwhile
            continue


def commit(copy: Scratch, cib_file: str) -> None:
    """Let the copy take the place of the file, whole or not at all, with the file's own mode.

    Raises Failed, with the file untouched, if there is no room for it.
    """
    target = os.path.realpath(cib_file)
    try:
        mode = stat.S_IMODE(os.stat(target).st_mode)
        safe_files.replace(target, safe_files.read_whole(copy.path), mode)
        if copy.past:
            copy.past.keep()
    except OSError as error:
        raise Failed(f"{cib_file} cannot be written: {error.strerror}", "it is unchanged") from None


@contextmanager
def serialised(cib_file: str, waiting: Callable[[], None]) -> Iterator[None]:
    """Only one hxm at a time changes the file, for as long as this lasts.

    Pacemaker's tools do not lock it (of 20 writers at once 1 change survived). `waiting` is called
    if another one is at it.
    """
    with ExitStack() as lock:
        try:
            lock.enter_context(locked(os.path.dirname(os.path.realpath(cib_file)), waiting=waiting))
        except OSError as error:
            raise CannotAsk(f"the folder of {cib_file} cannot be read: {error.strerror}") from None
        yield


def restart_in(line: str) -> tuple[str, str, str] | None:
    """The primitive that a line of a summary restarts, where, and why; None: it tells no such."""
    if not (restart := _RESTART.fullmatch(line.strip(" *"))):
        return None
    name, node, reason = restart.groups()
    return name.partition(":")[0], node, reason


def read_graph(path: str) -> Element:
    """A saved transition graph, which has had one form since Heartbeat 2.1. Raises CannotAsk.

    Without what is never begun: it waits for itself in a loop of orders, or for an action that is
    not in the graph, such as the start of what has failed while it was in maintenance.
    """
    try:
        graph = parse_xml(safe_files.read_whole(path))
    except (XmlError, OSError) as error:
        raise CannotAsk(f"crm_simulate left no readable transition graph ({error})") from None
    _drop_never_begun(graph)
    return graph


def drop_waiting(graph: Element, node: str) -> None:
    """Take the fencing of a node out of a transition graph, and all that comes after it."""
    fencing = f"action_set/crm_event[@operation='stonith'][@on_node='{node}']"
    for synapse in graph.findall("synapse"):
        if synapse.find(fencing) is not None:
            graph.remove(synapse)
    _drop_never_begun(graph)


def _drop_never_begun(graph: Element) -> None:
    waits: dict[Element, set[str]] = {}
    after: dict[str, list[Element]] = {}
    for synapse in graph.iterfind("synapse"):
        waits[synapse] = {one.get("id", "") for one in synapse.iterfind("inputs/trigger/*")}
        for name in waits[synapse]:
            after.setdefault(name, []).append(synapse)
    begun = [synapse for synapse, names in waits.items() if not names]
    for synapse in begun:  # which grows
        for action in synapse.iterfind("action_set/*"):
            for later in after.pop(action.get("id", ""), ()):
                waits[later].discard(action.get("id", ""))
                begun += () if waits[later] else [later]
    for synapse in waits.keys() - {*begun}:
        graph.remove(synapse)


def _fencing(graph: Element) -> Iterator[Element]:
    return graph.iterfind("synapse/action_set/crm_event[@operation='stonith']")


def _unfences(event: Element) -> bool:
    """Whether it does not cut the node off, but gives it its access (provides=unfencing)."""
    return event.get("operation_key", "").endswith("-on")


def actions_in(graph: Element) -> list[Action]:
    """What a saved transition graph would really do; pseudo actions are left out."""
    actions = []
    for element in graph.iterfind("synapse/action_set/*"):
        operation = element.get("operation", "")
        primitive, attributes = element.find("primitive"), element.find("attributes")
        node = element.get("on_node", "")
        if element.tag == "crm_event" and operation == "stonith":
            if not _unfences(element):
                actions.append(Action("fence", "", node))
        elif element.tag == "rsc_op" and primitive is not None:
            meta = {} if attributes is None else attributes.attrib
            actions.append(
                Action(
                    operation,
                    primitive.get("id", ""),
                    node,
                    meta.get("CRM_meta_migrate_source"),
                    meta.get("CRM_meta_migrate_target"),
                )
            )
    return actions

"""An order on its way through the pipeline: the plan, its phases and steps, and the forecast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

from hxm.errors import BY_STATUS, HxmError, Refused
from hxm.model import Cluster, ManagedDomain

_OfNode = Literal["empty", "usable", "sound", "lost", "back", "led", "connected"]
_OfCluster = Literal["maintenance", "watched", "marked", "unmarked", "unlocked"]
_OfResource = Literal["gone", "forgotten", "idle", "healthy", "absent", "unwatched", "withdrawn"]
_OfDomain = Literal["running", "stopped", "elsewhere", "anew", "managed", "unmanaged"]
GoalKind = Literal[_OfNode, _OfCluster, _OfResource, _OfDomain]
"""Every kind of goal; `policy.forecast.goal_kinds` has a row for each."""

MovementKind = Literal["start", "stop", "restart", "move", "live", "fence"]
"""Every kind of movement; `policy.forecast.movement_kinds` has a row for each."""

_OnResource = Literal["set-meta", "clear-meta", "clear-meta-above", "cleanup", "cleanup-on"]
_OnConstraint = Literal["move", "move-and-ban", "clear", "delete-constraint", "unmove", "unban"]
_OnNodeEntry = Literal[
    "standby", "clear-standby", "node-maintenance", "clear-node-maintenance", "fence"
]
_OnCluster = Literal["maintenance", "clear-maintenance", "mark-update", "unmark-update"]
_OnLock = Literal["claim", "renew", "release"]
_OnDocument = Literal["load-xml", "delete-xml", "forget", "restore"]
CibStepKind = Literal[_OnResource, _OnConstraint, _OnNodeEntry, _OnCluster, _OnLock, _OnDocument]
"""The kinds of step that the cluster's tools carry out. Each has its words in `policy.steps`, its
spelling in `pacemaker.dialect` and what proves it in `pacemaker.step_checks`."""
NodeStepKind = Literal["destroy", "kill", "stop-stack", "start-stack", "cut", "join"]
"""The kinds of step that are done on a node, and not in the CIB: `toolstack.node_actions`."""
StepKind = Literal[CibStepKind, NodeStepKind]

ON_NODE: tuple[NodeStepKind, ...] = get_args(NodeStepKind)
CLEARING: tuple[StepKind, ...] = (
    "clear",
    "delete-constraint",
    "unmove",
    "unban",
    "restore",
)
"""The kinds of step that take constraints away."""


class Action(NamedTuple):
    """One action of a transition that the scheduler computed."""

    operation: str
    resource: str
    node: str
    source: str | None = None
    target: str | None = None


class Movement(NamedTuple):
    """What a transition means for one resource, or for a node that is fenced."""

    resource: str
    kind: MovementKind
    source: str | None = None
    target: str | None = None


class Step(NamedTuple):
    """One thing to be done; `values` fill the blanks of its spelling."""

    kind: StepKind
    says: str
    values: Mapping[str, str]


class Goal(NamedTuple):
    """What must be seen for a phase to be over. `forecast.goal_kinds` says when it is reached."""

    kind: GoalKind
    subject: str
    node: str | None = None


class Phase(NamedTuple):
    """Steps that go together, and what they are to lead to.

    An `only_if_still` phase tidies up: it is left out, and named, if it would move anything.
    """

    steps: tuple[Step, ...]
    goals: tuple[Goal, ...] = ()
    only_if_still: bool = False
    notices: bool = False
    """Whether the cluster has to find out by itself: that it rests is no answer before the end."""
    leaves: str | None = None
    """The resource that these steps must leave where it is: else nothing of them is done."""
    hold: float = 0.0
    """Seconds for which the goals must stay reached before the next phase begins."""

    @property
    def clears(self) -> bool:
        """Whether it takes constraints away, which must not be during a migration."""
        return any(step.kind in CLEARING for step in self.steps)


class Forecast(NamedTuple):
    """What the scheduler would do with a plan: the movements of each phase, and the end of it."""

    phases: tuple[tuple[Movement, ...], ...]
    after: Cluster
    left_out: frozenset[int] = frozenset()
    """The numbers of the tidying phases that would move something, and so will not be."""
    simulated: bool = True
    """Whether a scheduler answered; if not, nothing can be said of what would move."""
    unknown: str = ""
    """Why nothing was simulated."""
    waiting: tuple[Movement, ...] = ()
    """Starts of domUs that wait, after the plan, for the end of maintenance or standby, say."""
    later: tuple[Movement, ...] = ()
    """Those of `waiting` that did not wait before the plan."""
    anyway: tuple[Movement, ...] = ()
    """What a sandbox that nobody has settled would do without the plan, if that was asked for."""

    @property
    def movements(self) -> tuple[Movement, ...]:
        """Those of all phases that will be."""
        return tuple(
            movement
            for number, phase in enumerate(self.phases)
            if number not in self.left_out
            for movement in phase
        )

    @property
    def with_later(self) -> tuple[Movement, ...]:
        """All movements that the plan leads to, at once or when nothing holds the cluster back."""
        return (*self.movements, *self.later)


class Objection(NamedTuple):
    """A reason not to do it as ordered, and what lifts it: `--force`, `--yes`, or nothing."""

    what: str
    do: str = ""
    status: int = Refused.status
    lifted_by: str = ""

    def error(self) -> HxmError:
        """What hxm ends with if nothing lifts it."""
        return BY_STATUS[self.status](self.what, self.do)


class Instance(NamedTuple):
    """A domU as it ran: its domid on each node; a new instance gets a new domid."""

    name: str
    domids: Mapping[str, int]


class Shift(NamedTuple):
    """What an order makes of a host's memory, in MiB: of its domUs now and then, and free now."""

    host: str
    used: int
    then: int
    free: int | None = None
    """None: that is unknown."""

    @property
    def left(self) -> int | None:
        """What is free when all moves are over, as far as is known now."""
        return None if self.free is None else self.free + self.used - self.then


class Plan(NamedTuple):
    """What the cluster is to do for an order: data, and nothing that is called."""

    verb: str
    about: str
    """The order in one line: `migrate nfs to host2`."""
    subjects: tuple[str, ...]
    """The resources that the order is about: their changes are wanted."""
    phases: tuple[Phase, ...]
    expects: frozenset[MovementKind] = frozenset()
    """The kinds of movement that the order means for its subjects; others are asked about."""
    objections: tuple[Objection, ...] = ()
    warnings: tuple[str, ...] = ()
    rollback: tuple[Step, ...] = ()
    """What takes the order back if its first phase does not get where it should."""
    rollback_phases: tuple[Phase, ...] = ()
    """What takes everything back, whatever goes wrong."""
    same_instance: Instance | None = None
    """The domU that must still run as it did, checked once all goals are reached."""
    fallback: Plan | None = None
    """A stronger plan, for when the scheduler would not follow this one."""
    drains: str | None = None
    """The node that is to be empty in the end; of a drill, after its first phase."""
    done: str = ""
    """What there is to say at the end, where the movements do not say it all."""
    notes: tuple[str, ...] = ()
    """What the plan says of its subjects: whose a constraint is, and how old."""
    unchanged: tuple[str, ...] = ()
    """The resources that were named and need nothing: the answer mentions them."""
    intentions: tuple[str, ...] = ()
    """What the plan says instead of the notes, where those tell what was done."""
    memory: tuple[Shift, ...] = ()
    """What an order that spreads domUs makes of the hosts' memory."""
    stops: frozenset[str] = frozenset()
    """The subjects that an objection says would be stopped: they are not asked about again."""
    undo: str = ""
    """The command that takes the order back, whole or half carried out."""
    resume_command: str = ""
    """The command that finishes it, where nothing takes it back."""
    is_drill: bool = False
    """Whether it is a test that measures how long its subjects were away."""
    unforeseeable: str = ""
    """Why the scheduler cannot tell what the plan leads to."""
    confirm_twice: bool = False
    """Whether the question is asked twice."""

    @property
    def one_breath(self) -> bool:
        """Whether all that is to be done is ordered at once: only then need nobody wait."""
        return sum(not phase.only_if_still for phase in self.phases) == 1

    def means(self, movement: Movement) -> bool:
        """Whether the order says itself that this would happen."""
        if movement.resource in self.stops and movement.kind == "stop":
            return True
        wanted = self.expects if movement.resource in self.subjects else {"live", "start"}
        return movement.kind in wanted


class PassThrough(NamedTuple):
    """No managed domU is concerned: the toolstack does it, once for each of the names."""

    names: tuple[str, ...] = ()


class AlreadyDone(NamedTuple):
    """It is so already."""

    message: str
    named: tuple[ManagedDomain, ...] = ()
    """The domUs of which that was asked."""


Decision = Plan | PassThrough | AlreadyDone

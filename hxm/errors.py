"""Every way for hxm to end other than well: one class for each exit status."""

from __future__ import annotations

DONE = 0


class HxmError(Exception):
    """One clear line for the user: what is wrong, and in `hint` what to do about it."""

    status = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Failed(HxmError):
    """The command was carried out and the cluster did not get where it was told to go."""


class UsageError(HxmError):
    """The command line cannot be understood."""

    status = 2


class CannotAsk(HxmError):
    """The cluster, a node or the toolstack gave no answer that can be relied on."""

    status = 102


class NotFound(HxmError):
    """There is no such domU or node."""

    status = 105


class NoQuorum(HxmError):
    """Without quorum nothing that is ordered in this partition would happen."""

    status = 106


class Refused(HxmError):
    """A guard said no; the message names the condition."""

    status = 107


class Ambiguous(HxmError):
    """The name fits more than one domU or node."""

    status = 109


class TimedOut(HxmError):
    """Ordered, but not reached in time: the cluster may still get there."""

    status = 124


class Interrupted(HxmError):
    """Ctrl-C: the waiting ended, the cluster goes on."""

    status = 130


BY_STATUS = {
    error.status: error
    for error in (
        HxmError,
        UsageError,
        CannotAsk,
        NotFound,
        NoQuorum,
        Refused,
        Ambiguous,
        TimedOut,
        Interrupted,
    )
}

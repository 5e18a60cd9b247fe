"""Every way for hxm to end other than well: one class for each exit status."""

from __future__ import annotations

from collections.abc import Sequence

DONE = 0


class HxmError(Exception):
    """One clear line for the user: what is wrong, and in `hint` what to do about it.

    `instead` is the corrected command line without options: those that were typed are added to it.
    `more` are further lines: a command that is to be copied has one of its own.
    """

    status = 1

    def __init__(
        self, message: str, hint: str = "", instead: str = "", more: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.instead = instead
        self.more = more


class Failed(HxmError):
    """The command was carried out, but the cluster did not reach the wanted state."""


class UsageError(HxmError):
    """The command line cannot be understood."""

    status = 2


class CannotAsk(HxmError):
    """The cluster, a node or the toolstack gave no reliable answer."""

    status = 102


class NotFound(HxmError):
    """There is no such domU or node."""

    status = 105


class WrongKind(NotFound):
    """A node was named where a domU is wanted, or the other way round."""

    def __init__(self, word: str, kind: str, wanted: str, hint: str) -> None:
        super().__init__(f"{word} is a {kind}, and no {wanted}", hint)
        self.word = word
        self.kind = kind


class Joined(NotFound):
    """Names that exist were joined by commas, where blanks part them."""

    def __init__(self, word: str) -> None:
        super().__init__(f"names are parted by blanks, not by commas: {word}")
        self.word = word


class NoQuorum(HxmError):
    """There is no quorum: orders in this partition would have no effect."""

    status = 106


class Refused(HxmError):
    """Refused; the message names the reason."""

    status = 107


class Ambiguous(HxmError):
    """The name fits more than one domU or node."""

    status = 109


class TimedOut(HxmError):
    """Not reached in time; the cluster may still reach the wanted state."""

    status = 124


class Interrupted(HxmError):
    """Ctrl-C ended the waiting; the cluster goes on."""

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

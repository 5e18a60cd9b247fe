"""The result of a program, here or on a node, and the interface of a node."""

from __future__ import annotations

from hxm.errors import CannotAsk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Protocol

Argv = tuple[str, ...]


class NoAnswer(CannotAsk):
    """A program did not answer in time, and was killed."""


class Lost(CannotAsk):
    """The connection to the node broke, and it is unknown whether the program did its work."""

    node = ""
    """What the node calls itself, if that is known."""
    until = 0.0
    """When a program that may run only once has surely ended there, by time.monotonic()."""


class Result:
    """A program's exit status (negative: killed by that signal) and output."""

    __slots__ = ("argv", "status", "stderr", "stdout")

    def __init__(self, argv: tuple[str, ...], status: int, stdout: bytes, stderr: str) -> None:
        self.argv = argv
        self.status = status
        self.stdout = stdout
        self.stderr = stderr

    @property
    def text(self) -> str:
        """What the program wrote to stdout, as text."""
        return self.stdout.decode("utf-8", "replace")

    def complaint(self, line: int = -1) -> str:
        """The last line (or another) that the program wrote to stderr, or how it ended."""
        lines = [line.strip() for line in self.stderr.splitlines() if line.strip()]
        if lines:
            return lines[line]
        if self.status < 0:
            import signal

            return f"killed by {signal.Signals(-self.status).name}"
        return f"exit status {self.status}"


if TYPE_CHECKING:

    class Elsewhere(Protocol):
        """A node on which the programs run instead of on this host; `node.Remote` is one."""

        timeout: float
        """Seconds that a node may take to accept the connection."""

        @property
        def name(self) -> str:
            """What the node calls itself."""

        def find(self, program: str) -> str | None:
            """The path of a program there."""

        def ahead(self, commands: Sequence[Argv]) -> None:
            """Start programs there that `output` will be asked for."""

        def abandon(self) -> None:
            """End what was started ahead and never asked for."""

        def output(
            self,
            argv: Argv,
            env: Mapping[str, str] | None,
            timeout: float,
            meanwhile: Callable[[], None] | None = None,
            most: int = 0,
            files: Sequence[str] = (),
            *,
            once: bool = False,
        ) -> Result:
            """Run a program there to its end."""

        def reach(self, node: str) -> str:
            """What ssh is to be told to get to another node of the same cluster."""

        def silence(self, node: str) -> str:
            """Why the node has not answered; nothing if it has, or was not asked."""

        def vouch_for(self, node: str) -> None:
            """Raise CannotAsk unless it was said where the node is."""

        def doubt(self, node: str) -> None:
            """Say once of a node that is asked by its name alone that another host may have it."""

        def beside(self, node: str) -> Elsewhere:
            """Another node of the same cluster, and that alone."""

        def argv(self, argv: Argv, *, terminal: bool) -> Argv:
            """The command line here for a program there that owns stdin, or the terminal."""

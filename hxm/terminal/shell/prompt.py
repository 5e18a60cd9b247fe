"""The interactive prompt: line editing by prompt_toolkit, with the state of the cluster."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from shlex import quote
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.styles import Style

from hxm.cluster.poller import Poller
from hxm.cluster.read import sandbox_file
from hxm.config import Config, Reached
from hxm.errors import DONE, UsageError
from hxm.host import programs
from hxm.host.safe_files import is_ours
from hxm.output.render import beside, note
from hxm.policy.state.summary import BAD, GOOD, Word, overview, trouble
from hxm.printable import printable
from hxm.terminal.shell.completion import CommandLine
from hxm.terminal.shell.lines import LEAVING, carry_out, words_of

HISTORY = "~/.hxm_history"
_WELCOME = "Tab completes, Ctrl-R searches, F1 or help COMMAND explains, Ctrl-D leaves"
_STYLE = Style.from_dict(
    {
        "good": "ansigreen",
        "busy": "ansicyan",
        "odd": "ansiyellow",
        "bad": "ansired bold",
        "bottom-toolbar": "noreverse",
        "bottom-toolbar.text": "",
    }
)


def interactive(config: Config) -> int:
    """Read and carry out lines until Ctrl-D or `exit`; always returns 0."""
    try:
        return _converse(_Shell(config))
    finally:
        programs.end_all()  # the poller may wait for one that hangs


def _converse(shell: _Shell) -> int:
    while True:
        try:
            line = shell.read()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return DONE
        try:
            words = words_of(line)
        except UsageError as error:
            note(error.message, error.hint, *error.more)
            continue
        if words and words[0] in LEAVING:
            return DONE
        if words:
            shell.carry_out(_with_help(words))


def _with_help(words: Sequence[str]) -> Sequence[str]:
    """The words, or a help command for a trailing question mark: `migrate ?` is `help migrate`."""
    if words[-1] == "?":
        return ("help", *words[:1]) if len(words) > 1 else ("help",)
    return words


class _Shell:
    def __init__(self, config: Config) -> None:
        self.sandbox = sandbox_file()
        self.on = config.on
        """The cluster that is reached through ssh."""
        self.colour = config.clusters.get(config.on, Reached()).colour
        self.command_line: CommandLine | None = None
        self.poller = Poller(config, self._redraw)
        self.session: PromptSession[str] = PromptSession(
            message=self._message,
            bottom_toolbar=self._bottom_line,
            completer=_Completer(self),
            complete_while_typing=False,
            auto_suggest=AutoSuggestFromHistory(),
            history=_history(),
            key_bindings=self._keys(),
            style=_STYLE,
            refresh_interval=1,  # for the age of the data
        )
        self.session.app.after_render.add_handler(self._begin)
        beside(_WELCOME)

    def read(self) -> str:
        """A line; raises KeyboardInterrupt for Ctrl-C and EOFError for Ctrl-D."""
        return self.session.prompt()

    def carry_out(self, words: Sequence[str]) -> None:
        self.poller.pause()
        try:
            carry_out(words)
        finally:
            self.poller.resume()

    def completions(self) -> CommandLine:
        """The data for completion; the first call takes a moment."""
        if self.command_line is None:
            self.command_line = CommandLine()
        return self.command_line

    def _begin(self, _: object) -> None:
        """Start the threads, once the prompt is drawn: earlier they would delay it."""
        self.session.app.after_render.remove_handler(self._begin)
        self.poller.start()
        threading.Thread(target=self.completions, daemon=True).start()

    def _redraw(self) -> None:
        if self.session.app.is_running:
            self.session.app.invalidate()

    def _message(self) -> StyleAndTextTuples:
        poller, cluster = self.poller, self.poller.cluster
        here = f"sandbox {os.path.basename(os.path.dirname(self.sandbox))}" if self.sandbox else ""
        if cluster and not here:
            name = cluster.name or "cluster"
            here = f"{name}/{cluster.local_node}" if cluster.local_node else name
        state = trouble(cluster) if cluster else Word("...", "odd")
        if poller.fault:
            state = Word("no answer", BAD)
        on = [(f"fg:ansi{self.colour} bold", f"{printable(self.on)} ")] if self.on else []
        return [
            ("", "hxm "),
            *on,
            ("", f"{printable(here)} " if here else ""),
            (f"class:{state.kind}", printable(state.text)),
            ("", "> "),
        ]

    def _bottom_line(self) -> StyleAndTextTuples:
        poller, cluster = self.poller, self.poller.cluster
        words = overview(cluster) if cluster else []
        if poller.fault:
            words.insert(0, Word(poller.fault, BAD))
        if cluster and poller.stale:
            words.insert(0, Word(f"{poller.age:.0f} s old", BAD))
        if not words:
            words = [Word("asking the cluster ...", "busy")]
        return list(_fitting(words, shutil.get_terminal_size().columns))

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("f1")
        def _(event: Any) -> None:
            typed = event.current_buffer.document.text.split()[:1]
            run_in_terminal(lambda: self.carry_out(("help", *typed)))

        return keys


def _fitting(words: Sequence[Word], columns: int) -> Iterator[tuple[str, str]]:
    """As many of the words as fit into a line; a word that is cut ends in an ellipsis."""
    left = columns - 1
    for number, word in enumerate(words):
        between = " | " if number else " "
        room, text = left - len(between), printable(word.text)
        if len(text) > room:
            if room <= len("..."):
                return
            text = text[: room - len("...")] + "..."
        left -= len(between) + len(text)
        yield ("", between)
        yield ("" if word.kind == GOOD else f"class:{word.kind}", text)


class _History(FileHistory):
    """The lines of earlier shells; a line that cannot be saved stays in this shell's history."""

    def store_string(self, string: str) -> None:
        with suppress(OSError):
            super().store_string(string)


def _history() -> History:
    """The lines of earlier shells, in a file that only its owner may read.

    Root's, where sudo leaves HOME as it is, must not go where the owner of that folder wants them.
    """
    path = os.path.expanduser(HISTORY)
    try:
        if is_ours(os.path.dirname(path)):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK, 0o600))
            if os.path.isfile(path):
                return _History(path)
    except OSError:
        pass
    return InMemoryHistory()


class _Completer(Completer):
    def __init__(self, shell: _Shell) -> None:
        self.shell = shell

    def get_completions(self, document: Document, _: Any) -> Iterator[Completion]:
        line = self.shell.completions()
        current, offers = line.offers(document.text_before_cursor, self.shell.poller.cluster)
        for offer in offers:
            word = offer.word if offer.word.startswith("-") else quote(offer.word)
            if len(offers) == 1 and not word.endswith("/"):
                word += " "
            yield Completion(
                word, -len(current), printable(offer.word), display_meta=printable(offer.text)
            )

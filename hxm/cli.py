"""Looks the command up, passes it through or runs it; here an error becomes an exit status.

The order of imports is the design: the table first, a pass-through before anything else is
loaded, the readers of the cluster started before the modules that understand them, and Typer only
for a command line with options.
"""

from __future__ import annotations

import gc
import os
import sys

from hxm import catalog
from hxm.catalog import command
from hxm.errors import DONE, Failed, HxmError, Interrupted, Joined, UsageError, WrongKind
from hxm.host import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType
    from typing import NoReturn

    from hxm.model import Cluster

_NEW_OBJECTS = 100_000
"""Between two searches for garbage: a CIB has 500,000 and none, and 700 made hxm search often."""
_ENOSPC = 28  # the module errno is not worth its import
_NAGIOS = "--nagios"
_UNKNOWN = 3  # what a monitoring plugin ends with when it cannot tell


def main() -> NoReturn:
    """The program: never returns, never shows a traceback unless HXM_DEBUG asks for it."""
    gc.set_threshold(_NEW_OBJECTS)
    _open_all_three()
    status = guarded(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # `hxm list | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.stderr.write(f"hxm: the answer could not be written: {error.strerror}\n")
        status = status or Failed.status
    sys.stderr.flush()
    os._exit(status)  # nothing is left to clean up, and Python's own end takes 4 ms


def _open_all_three() -> None:
    """A descriptor that was closed (`hxm list >&-`) must not become that of a pipe or a file."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest that is free
            setattr(sys, name, os.fdopen(descriptor, "w" if descriptor else "r"))
    # as stderr does it: a name may have letters that the locale has not
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def guarded(words: Sequence[str]) -> int:
    """Run a command line; every way to end becomes an exit status and at most a line or two.

    A monitoring plugin's command line prints a line on stdout whatever happens.
    """
    outcome = _run(words)
    if isinstance(outcome, int):
        return outcome
    if not _monitors(words):
        return _complain(outcome)
    from hxm.output import render

    why = outcome.message.replace("|", "/")  # a bar begins performance data
    render.out(f"HXM UNKNOWN: {why}")
    return _UNKNOWN


def _run(words: Sequence[str]) -> int | HxmError:
    try:
        return dispatch(list(words))
    except HxmError as error:
        return error
    except KeyboardInterrupt:
        return Interrupted("interrupted; nothing was changed")
    except BrokenPipeError:
        return DONE
    except Exception as error:  # noqa: BLE001
        if isinstance(error, OSError) and error.errno == _ENOSPC:
            return Failed("the answer could not be written: no space left on device")
        if os.environ.get("HXM_DEBUG"):
            _show_traceback()
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        return Failed(f"this is a fault in hxm: {what}", "HXM_DEBUG=1 shows where")
    finally:
        programs.abandon()


def _show_traceback() -> None:
    import traceback

    from hxm.output import render

    for line in traceback.format_exc().splitlines():
        render.beside(line)


def _monitors(words: Sequence[str]) -> bool:
    after = zip(words, ("", *words), strict=False)
    name = next((w for w, last in after if not w.startswith("-") and last != "--on"), "")
    return _NAGIOS in words and name in ("check", "capacity")


def dispatch(words: list[str]) -> int:
    """Find the command and hand it to whoever carries it out; returns the exit status."""
    typed = words
    before, words = _split_globals(_without_cluster(words))
    if words[:2] == ["guard", "judge"] and len(words) > 2:  # the wrapper's own call
        return _judge(words[2], words[3:])
    if before and before[0] in ("-h", "--help"):
        words = ["help"]
    if before and before[0] == "--version":
        return _version()
    row = _look_up(words, before) if words else catalog.COMMANDS[_without_words()]
    if on := os.environ.get("HXM_ON"):
        from hxm.reach import go_to

        status = go_to(on, row.name, words, named=len(before) + len(words) < len(typed))
        if status is not None:
            return status
    if row.name == "help":
        return _help(words[1:])
    if row.policy:
        return _raw(row, before, words[1:])
    if row.name == "console" and _plainly_here(words):
        programs.become((_toolstack(), *before, *words))
    if any("v" in word for word in before):
        os.environ.setdefault("HXM_LOG", "stderr")
    dry = ["--dry-run"] if any("N" in word for word in before) and row.group != command.LOOK else []
    return _own(row, [*dry, *words[1:]], before)


def _judge(program: str, words: list[str]) -> int:
    from hxm.config import read_config
    from hxm.guard.admission import judge_for_the_wrapper

    os.environ.pop("HXM_ON", None)  # it judges what is typed on this host
    return judge_for_the_wrapper(program, words, read_config())


def _raw(row: command.Command, before: Sequence[str], words: Sequence[str]) -> int:
    """A command of the toolstack's: passed on at once, judged, or explained."""
    if words[:1] in (["-h"], ["--help"]):
        from hxm.config import read_config
        from hxm.guard.raw import explain

        return explain(row, read_config())
    if row.policy == command.HOST and os.environ.get("CIB_file"):
        sys.stderr.write(f"hxm: {row.name} is not of the sandbox: it acts on this host itself\n")
    if row.policy in (command.READS, command.HOST):
        programs.become((_toolstack(), *before, row.name, *words))
    from hxm.config import read_config
    from hxm.guard.raw import run_raw

    return run_raw(row, tuple(before), tuple(words), read_config())


def _without_cluster(words: list[str]) -> list[str]:
    """The command line without `--on CLUSTER`, which is kept for this process and its children.

    Behind a toolstack's command it would be the toolstack's.
    """
    for count, word in enumerate(words):
        if word == "--on" or word.startswith("--on="):
            name = word[5:] if "=" in word else "".join(words[count + 1 : count + 2])
            if not name:
                raise UsageError("--on takes a cluster", "hxm clusters shows those configured")
            others = [*words[:count], *words[count + 2 - ("=" in word) :]]
            if _without_cluster(others) != others:
                raise UsageError("--on is given twice", "--on all is for reading all of them")
            os.environ["HXM_ON"] = name
            return others
        if word in catalog.COMMANDS and catalog.COMMANDS[word].policy:
            break
    return words


def _without_words() -> str:
    """The shell for somebody at a terminal, and for lines on stdin; else the overview."""
    import stat

    kind = os.fstat(0).st_mode
    lines = stat.S_ISREG(kind) or stat.S_ISFIFO(kind)
    return "shell" if lines or (os.isatty(0) and os.isatty(1)) else "help"


def _split_globals(words: list[str]) -> tuple[list[str], list[str]]:
    for count, word in enumerate(words):
        if word in ("-h", "--help", "--version"):
            return [word], words[count + 1 :]
        if not word.startswith("-") or word == "-":
            return words[:count], words[count:]
        if not set(word[1:]) <= set(command.XL_OPTIONS):
            hint = "options stand behind the command: hxm COMMAND ... " + word
            raise UsageError(f"unknown option {word} before the command", hint)
    return words, []


def _look_up(words: list[str], before: list[str]) -> command.Command:
    word = words[0]
    if word in catalog.COMMANDS and not _only_xm_has(word):
        return catalog.COMMANDS[word]
    names = catalog.candidates(word)
    short = len(names) == 1 and names[0] not in catalog.BYGONE
    if not short or len(words) > 1:
        from hxm.arguments.retype import refer

        refer(words, before, _kinds(), least=2 if short else 1)
    if len(names) == 1:
        return catalog.COMMANDS[names[0]]
    if names:
        raise UsageError(f"{word!r} may be any of: {', '.join(names)}", "type more of it")
    near = catalog.near(word)
    hint = f"did you mean {near}? " if near else ""
    raise UsageError(f"unknown command {word[:60]!r}", hint + "hxm --help lists them all")


def _kinds() -> Callable[[str], str]:
    """Tells whether the cluster knows a word as a node or as a domU; empty if it does not say."""
    from functools import cache

    from hxm.cluster.read import read_cluster
    from hxm.config import read_config
    from hxm.policy.names import find_domains

    @cache
    def cluster() -> Cluster | None:
        try:
            return read_cluster(read_config(), local=False)
        except HxmError:
            return None

    def kind(word: str) -> str:
        known = cluster()
        if known is None:
            return ""
        return "node" if known.node(word) else "domU" if find_domains(known, word) else ""

    return kind


def _only_xm_has(word: str) -> bool:
    return word in catalog.BYGONE and not programs.find("xm")


def _toolstack() -> str:
    """The toolstack for a plain pass-through, by the cheapest means."""
    if os.path.exists(os.environ.get("HXM_CONFIG", "/etc/hxm.toml")):
        from hxm.config import read_config

        configured = read_config().toolstack
        if configured != "auto":
            return configured
    for program in ("xl", "xm"):
        if programs.find(program):
            return program
    raise Failed(
        "there is neither xl nor xm on this host, and no cluster is needed for this command",
        "run it on the Xen host itself",
    )


def _plainly_here(words: list[str]) -> bool:
    """Whether a console is wanted by a program, and of a domain of this host: nothing to follow."""
    if os.isatty(0) and os.isatty(1):
        return False
    toolstack = next(filter(programs.find, ("xl", "xm")), "")
    return bool(toolstack) and programs.output((toolstack, "domid", words[-1])).status == DONE


def _own(row: command.Command, words: list[str], before: list[str]) -> int:
    asks_for_help = "--help" in words or "-h" in words
    if row.observes and not asks_for_help:
        _start_readers()
    module = _module(row.name)
    try:
        if row.observes and (not words or (row.name == "list" and _only_names(words))):
            status: int = module.run(words) if words else module.run()
            return status
        from hxm.arguments.parse import parse_and_run
        from hxm.config import read_config

        return parse_and_run(row, module, words, read_config, before)
    except HxmError as error:
        if isinstance(error, WrongKind):
            from hxm.arguments.retype import for_other_kind

            for_other_kind(row.name, words, error)
        if isinstance(error, Joined):
            from hxm.arguments.retype import parted

            parted(row.name, words, error)
        if error.instead:
            from hxm.arguments.retype import with_options

            line, *error.more = with_options(error.instead, words, row.name)
            error.hint += line
        raise


def _only_names(words: list[str]) -> bool:
    return not any(word.startswith("-") for word in words)


def _module(name: str) -> ModuleType:
    from importlib import import_module

    return import_module(f"hxm.commands.{name}")


def _start_readers() -> None:
    """What every look at the cluster asks is asked now, while the rest is still being loaded."""
    from hxm.pacemaker.dialect import CONFIGURATION, STATUS_FORMS

    cib_file = os.environ.get("CIB_file")
    elsewhere = os.environ.get("CIB_shadow") or os.environ.get("CIB_port")
    if elsewhere or (cib_file and not os.path.isfile(cib_file)):
        return  # cluster/read.py says what is wrong
    if programs.elsewhere():
        programs.ahead(STATUS_FORMS[0], ("xl", "list"), CONFIGURATION)
    else:
        programs.ahead(STATUS_FORMS[0], *(() if cib_file else (CONFIGURATION,)))


def _help(words: list[str]) -> int:
    if words and words != ["all"]:
        return dispatch([*words, "--help"])
    from hxm.help import overview
    from hxm.output import render

    for line in overview(everything=bool(words)):
        render.out(line)
    return DONE


def _version() -> int:
    from hxm import __version__
    from hxm.cluster.read import read_cluster
    from hxm.config import read_config
    from hxm.output import render
    from hxm.toolstack import detect

    if on := os.environ.get("HXM_ON"):
        from hxm.reach import go_to

        go_to(on, "--version", ("--version",))
    render.out(f"hxm {__version__}")
    sys.stdout.flush()  # whatever the cluster may do
    config = read_config()
    if toolstack := detect(config.toolstack):
        render.out(f"toolstack: {toolstack.program} ({toolstack.why})")
    try:
        cluster = read_cluster(config, local=False)
    except HxmError as error:
        render.out(f"cluster: not known ({error.message})")
    else:
        known = "; ".join(filter(None, (cluster.dialect_why, cluster.mixed)))
        render.out(f"cluster: {cluster.dialect} ({known})")
    return DONE


def _complain(error: HxmError) -> int:
    from hxm.output import render

    render.note(error.message, error.hint, *error.more)
    return error.status

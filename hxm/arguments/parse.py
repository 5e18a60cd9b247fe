"""Hands one command to Typer: only this command line's command is built, and only when needed.

The commands' annotations are names from `options`, which are looked up here; the options of
every changing command are added to its own, and arrive as one `order`; those of every reading
command as one `form`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Annotated, Any, get_type_hints

import typer

from hxm.arguments import backups, options
from hxm.catalog.command import Command
from hxm.errors import Interrupted, UsageError
from hxm.output.render import Form

_UsageError: Any = typer.BadParameter.__base__  # click's, which newer Typers carry inside

_XL_FLAGS = {
    "create": "-c -p -e -F -q -V -A -d -n -x --dryrun --xmldryrun --vncviewer --quiet --paused",
    "shutdown": "-F -H -R --halt --reboot",
    "reboot": "-F",
    "destroy": "-f",
    "restore": "-c -p -e -F -d -V -A --vncviewer --paused",
    "migrate": "-l --live -e -p -D -c --debug --ssl --change_home_server",
}
"""What xl and xm take and the cluster has no use for; accepted, said, and passed to xl."""
_XL_VALUES = {"migrate": "-C -s -r -n --port --resource --node", "create": "--path"}
_XL_MARKS = {"create": ("-f", "--defconfig")}
"""Options in front of what is an operand all the same."""

_SURPLUS = re.compile(r"Got unexpected extra argument\S* \((.*)\)")
_LACKING = re.compile(r"Missing argument '(.*)'")
_OF_A_GROUP = (
    (re.compile(r"^Missing command$"), "{} takes a command"),
    (re.compile(r"^No such command"), "{} has no command"),
    (re.compile(r"^No such option:"), "{} has no option"),
)
_OF_AN_OPTION = (
    (re.compile(r"^No such option:"), "there is no option"),
    (re.compile(r"^Option '(.*)' requires an argument"), r"\1 takes a value, and there is none"),
    (re.compile(r"^Option '(.*)' does not take a value"), r"\1 takes no value"),
    (re.compile(r"^Invalid value for '([^']*)'( / '[^']*')*: "), r"\1: "),
    (re.compile(r"is not a valid (integer|float)( range)?"), "is no number"),
)
"""What Typer says, in its words and in ours."""
_RATHER = {
    "status": "hxm list -l {0}, hxm why {0}",
    "capacity": "hxm list -l {0}, hxm why {0}",
    "nodes": "hxm standby NODE, hxm active NODE; what happened to one: hxm history NODE",
}
"""Where one looks for a single domU or node, of commands that show them all."""
_DRY = "say --dry-run, or -N before the command, as to xl"


def parse_and_run(
    row: Command, module: ModuleType, words: Sequence[str], before: Sequence[str] = ()
) -> int:
    """Parse the words by the command's signature and run it; raises UsageError for bad ones.

    `before` are xl's options that stood before the command.
    """
    command = command_of(row, module, before)
    try:
        status = command.main(
            args=list(_without_marks(row.name, words)),
            prog_name=f"hxm {row.name}",
            standalone_mode=False,
        )
    except _UsageError as error:
        said, hint = _in_our_words(error, command)
        dry = "-N" in words and said.endswith("-N")
        raise UsageError(said, _DRY if dry else hint) from None
    return int(status or 0)


def _in_our_words(error: Any, command: Any) -> tuple[str, str]:
    """What is wrong with a command line, which is Typer's to find, and how it is typed."""
    said = error.format_message().splitlines()[0].rstrip(".")
    path = error.ctx.command_path if error.ctx else f"hxm {command.name}"
    command, verb = error.ctx.command if error.ctx else command, path.removeprefix("hxm ")
    if names := list(getattr(command, "commands", {})):
        for theirs, ours in _OF_A_GROUP:
            said = theirs.sub(ours.format(verb), said)
        return said, f"there are: {', '.join(names)}; {path} --help"
    operands = " ".join(_metavars(command))
    if lacking := _LACKING.fullmatch(said):
        return f"{verb} takes {operands}: {lacking[1]} is missing", f"{path} {operands}"
    if surplus := _SURPLUS.fullmatch(said):
        takes = f"takes {operands} and no more" if operands else "takes no operand"
        hint = _RATHER.get(verb, f"{path} {operands}").format(surplus[1].split(" ")[0])
        return f"{verb} {takes}: {surplus[1]}", hint.rstrip()
    for theirs, ours in _OF_AN_OPTION:
        said = theirs.sub(ours, said)
    if alike := getattr(error, "possibilities", None):
        return said.partition(" (")[0], f"did you mean {alike[0]}? {path} --help"
    return said, f"{path} --help"


def _without_marks(name: str, words: Sequence[str]) -> Iterator[str]:
    """Xm's marks in front of what is an operand all the same: create -f FILE, --defconfig=FILE."""
    marks = _XL_MARKS.get(name, ())
    for word in words:
        mark, _, value = word.partition("=")
        if word not in marks:
            yield value if value and mark in marks else word


def command_of(row: Command, module: ModuleType, before: Sequence[str] = ()) -> Any:
    """The command as Typer understands it."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    settings = {"help_option_names": ["-h", "--help"]}
    if hasattr(module, "SUBCOMMANDS"):
        app.callback(help=inspect.getdoc(module), context_settings=settings)(lambda: None)
        for each in module.SUBCOMMANDS:
            name = each.__name__.rstrip("_").replace("_", "-")
            text = inspect.getdoc(each) or ""
            short = text.split(".")[0].split(":")[0]
            call = _callable(row, each, before)
            app.command(name, help=text, short_help=short, context_settings=settings)(call)
    else:
        said = inspect.getdoc(module.run)
        app.command(row.name, help=said, context_settings=settings)(
            _callable(row, module.run, before)
        )
    return _plainly_named(typer.main.get_command(app))


def shared_parameters(kind: str) -> list[inspect.Parameter]:
    """The options of every changing command (order), or of every reading one (form)."""
    return list(inspect.signature(getattr(options, kind), eval_str=True).parameters.values())


def _plainly_named(command: Any) -> Any:
    """Typer sets braces around what is required; DOMAIN alone says the same."""
    operands = _metavars(command)
    if operands:
        command.collect_usage_pieces = lambda _: ["[OPTIONS]", *operands]
    for each in getattr(command, "commands", {}).values():
        _plainly_named(each)
    return command


def _metavars(command: Any) -> list[str]:
    return [each.metavar for each in command.params if each.param_type_name == "argument"]


def _parameters(function: Callable[..., int]) -> list[inspect.Parameter]:
    """The function's parameters, its annotations' names looked up in `options`."""
    hints = get_type_hints(function, vars(options) | vars(backups), include_extras=True)
    signature = inspect.signature(function)
    return [each.replace(annotation=hints[each.name]) for each in signature.parameters.values()]


def _callable(
    row: Command, function: Callable[..., int], before: Sequence[str]
) -> Callable[..., int]:
    own = _parameters(function)
    if not own or own[0].name != "order":
        return _shaped(function)
    shared = shared_parameters("order")
    from_xl = _xl_options(row.name)

    def call(**values: Any) -> int:
        ordered = options.order(**{each.name: values.pop(each.name) for each in shared})
        given = {word: values.pop(each.name) for word, each in from_xl.items()}
        ignored = tuple(word for word, value in given.items() if value)
        passed = [each for word in ignored for each in (word, given[word]) if each is not True]
        if row.name == "shutdown" and ordered["asked_to_wait"]:
            passed.append("-w")
        order = options.Order(
            verb=row.name,
            before=tuple(before),
            words=(*passed, *_operands(own[1:], values)),
            ignored=ignored,
            **ordered,
        )
        status: int = function(order, **values)
        return status

    return _with_signature(call, [*own[1:], *shared, *from_xl.values()])


def _shaped(function: Callable[..., int]) -> Callable[..., int]:
    """A reading command, its `form` made of the options for that."""
    own = _parameters(function)
    if not own or own[-1].name != "form":
        return _with_signature(function, own)
    shared = shared_parameters("form")

    def call(**values: Any) -> int:
        form = options.form(**{each.name: values.pop(each.name) for each in shared})
        if form.output == "json" and form != Form("json"):
            said = "JSON has no columns: --columns, --sort and --no-headers are for tables"
            raise UsageError(said, "-o csv is a table")
        return function(**values, form=form)

    return _with_signature(call, [*own[:-1], *shared])


def _operands(parameters: Sequence[inspect.Parameter], values: dict[str, Any]) -> Iterator[str]:
    """What was typed beside the options, in its order."""
    for each in parameters:
        if type(each.annotation.__metadata__[0]).__name__ == "ArgumentInfo":
            value = values[each.name]
            yield from value if isinstance(value, list) else filter(None, [value])


def _with_signature(
    function: Callable[..., int], parameters: Sequence[inspect.Parameter]
) -> Callable[..., int]:
    def call(**values: Any) -> int:
        try:
            return function(**values)
        except KeyboardInterrupt:  # which Typer would swallow
            raise Interrupted("interrupted; nothing was changed") from None

    keyword = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
    call.__signature__ = inspect.Signature(keyword)  # type: ignore[attr-defined]
    call.__annotations__ = {each.name: each.annotation for each in parameters}
    return call


def _xl_options(name: str) -> dict[str, inspect.Parameter]:
    """Xl's and xm's own options for this command, hidden and harmless."""
    flags = [(word, bool, False) for word in _XL_FLAGS.get(name, "").split()]
    valued = [(word, str | None, None) for word in _XL_VALUES.get(name, "").split()]
    return {
        word: inspect.Parameter(
            f"xl_{word.strip('-').replace('-', '_')}",
            inspect.Parameter.KEYWORD_ONLY,
            default=default,
            annotation=Annotated[kind, typer.Option(word, hidden=True)],
        )
        for word, kind, default in (*flags, *valued)
    }

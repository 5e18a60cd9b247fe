"""Hands one command to Typer: only this command line's command is built, and only when needed.

The commands' annotations are names from hxm.options, which are looked up here; the options of
every changing command are added to its own, and arrive as one `order`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Annotated, Any, get_type_hints

import typer

from hxm import options
from hxm.command import Command
from hxm.errors import UsageError

_UsageError: Any = typer.BadParameter.__base__  # click's, which newer Typers carry inside


def parse_and_run(row: Command, module: ModuleType, words: list[str]) -> int:
    """Parse the words by the command's signature and run it; raises UsageError for bad ones."""
    try:
        status = command_of(row, module, words).main(
            args=[word for word in words if word not in options.XL_MARKS.get(row.name, ())],
            prog_name=f"hxm {row.name}",
            standalone_mode=False,
        )
    except _UsageError as error:
        raise UsageError(error.format_message().splitlines()[0], f"hxm {row.name} --help") from None
    except typer.Abort:
        raise KeyboardInterrupt from None
    return int(status or 0)


def command_of(row: Command, module: ModuleType, words: Sequence[str] = ()) -> Any:
    """The command as Typer understands it."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    if hasattr(module, "SUBCOMMANDS"):
        app.callback(help=inspect.getdoc(module))(lambda: None)
        for each in module.SUBCOMMANDS:
            name = each.__name__.replace("_", "-")
            said = inspect.getdoc(each) or ""
            short = said.split(".")[0].split(":")[0]
            call = _with_signature(each, _parameters(each))
            app.command(name, help=said, short_help=short)(call)
    else:
        app.command(row.name, help=inspect.getdoc(module.run))(_callable(row, module, words))
    return _plainly_named(typer.main.get_command(app))


def _plainly_named(command: Any) -> Any:
    """Typer sets braces around what is required; DOMAIN alone says the same."""
    operands = [each.metavar for each in command.params if each.param_type_name == "argument"]
    if operands:
        command.collect_usage_pieces = lambda _: ["[OPTIONS]", *operands]
    for each in getattr(command, "commands", {}).values():
        _plainly_named(each)
    return command


def _parameters(function: Callable[..., int]) -> list[inspect.Parameter]:
    """The function's parameters, with the names in its annotations looked up in hxm.options."""
    hints = get_type_hints(function, vars(options), include_extras=True)
    signature = inspect.signature(function)
    return [each.replace(annotation=hints[each.name]) for each in signature.parameters.values()]


def _callable(row: Command, module: ModuleType, words: Sequence[str]) -> Callable[..., int]:
    own = _parameters(module.run)
    if own[0].name != "order":
        return _with_signature(module.run, own)
    shared = list(inspect.signature(options.order, eval_str=True).parameters.values())
    from_xl = _xl_options(row.name)

    def call(**values: Any) -> int:
        ordered = options.order(**{each.name: values.pop(each.name) for each in shared})
        ignored = tuple(word for word, each in from_xl.items() if values.pop(each.name))
        order = options.Order(
            verb=row.name, words=for_the_toolstack(row.name, words), ignored=ignored, **ordered
        )
        status: int = module.run(order, **values)
        return status

    return _with_signature(call, [*own[1:], *shared, *from_xl.values()])


def _with_signature(
    function: Callable[..., int], parameters: Sequence[inspect.Parameter]
) -> Callable[..., int]:
    def call(**values: Any) -> int:
        return function(**values)

    keyword = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
    call.__signature__ = inspect.Signature(keyword)  # type: ignore[attr-defined]
    call.__annotations__ = {each.name: each.annotation for each in parameters}
    return call


def _xl_options(name: str) -> dict[str, inspect.Parameter]:
    """Xl's and xm's own options for this command, hidden and harmless."""
    flags = [(word, bool, False) for word in options.XL_FLAGS.get(name, "").split()]
    valued = [(word, str | None, None) for word in options.XL_VALUES.get(name, "").split()]
    return {
        word: inspect.Parameter(
            f"xl_{word.strip('-').replace('-', '_')}",
            inspect.Parameter.KEYWORD_ONLY,
            default=default,
            annotation=Annotated[kind, typer.Option(word, hidden=True)],
        )
        for word, kind, default in (*flags, *valued)
    }


def for_the_toolstack(name: str, words: Sequence[str]) -> tuple[str, ...]:
    """The words without hxm's own options: what xl would have been given."""
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in options.OURS_WITH_VALUE:
            skip = True
        elif word == "--wait" and name == "shutdown":
            kept.append(word)  # xl's as well
        elif word not in options.OURS and word.split("=")[0] not in options.OURS_WITH_VALUE:
            kept.append(word)
    return tuple(kept)

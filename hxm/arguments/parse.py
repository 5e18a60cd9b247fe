"""Hands one command to Typer: only this command line's command is built, and only when needed.

What the command takes is declared (see `signatures`). Typer parses; what it finds wrong is put
into hxm's words from the declarations.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from shlex import quote
from types import ModuleType
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand

from hxm.arguments import options
from hxm.arguments.retype import split, unknown_option
from hxm.arguments.signatures import (
    Parameter,
    Signature,
    shared_parameters,
    signature_of,
    subcommands,
    xl_parameters,
)
from hxm.arguments.types import Operand, Option, one_of
from hxm.catalog.command import Command
from hxm.config import Config
from hxm.errors import Interrupted, UsageError
from hxm.output import Form

_errors: Any = import_module(typer.BadParameter.__module__)
"""click's errors, of which Typer from 0.26 on carries its own copy."""
_SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"]}

_RATHER = {
    "status": "hxm list -l {0}, hxm why {0}",
    "capacity": "hxm list -l {0}, hxm why {0}",
    "nodes": "hxm standby NODE, hxm active NODE; what happened to one: hxm history NODE",
}
"""Where one looks for a single domU or node, of commands that show them all."""


def parse_and_run(
    row: Command,
    module: ModuleType,
    words: Sequence[str],
    settings: Callable[[], Config],
    before: Sequence[str] = (),
) -> int:
    """Parse the words by the command's signature and run it; raises UsageError for bad ones.

    `settings` reads the configuration for an order; `before` are xl's options that stood before the
    command.
    """
    verb, words = row.name, list(words)
    if functions := subcommands(module):
        if not words or words[0] not in functions:
            return _without_subcommand(row, module, words)
        verb, function = f"{verb} {words[0]}", functions[words.pop(0)]
    else:
        function = module.run
    signature = signature_of(function)
    command = _command(verb, signature, _callback(row, function, signature, settings, before))
    command.help = inspect.getdoc(function)
    try:
        status = command.main(
            args=list(_without_marks(row.name, words)),
            prog_name=f"hxm {verb}",
            standalone_mode=False,
        )
    except _errors.UsageError as error:
        raise _usage_error(error, verb, signature, words) from None
    return int(status or 0)


def _without_subcommand(row: Command, module: ModuleType, words: Sequence[str]) -> int:
    """Print the help of a command that takes another one; raises UsageError if none was asked."""
    functions = subcommands(module)
    if words and words[0] in _SETTINGS["help_option_names"]:
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.callback(help=inspect.getdoc(module), context_settings=_SETTINGS)(lambda: None)
        for name, function in functions.items():
            summary = (inspect.getdoc(function) or "").split(".")[0].split(":")[0]
            app.command(name, short_help=summary)(lambda: None)
        typer.main.get_command(app).main(words, f"hxm {row.name}", standalone_mode=False)
        return 0
    hint = f"there are: {', '.join(functions)}; hxm {row.name} --help"
    if not words:
        raise UsageError(f"{row.name} takes a command", hint)
    if words[0].startswith("-"):
        raise UsageError(f"{row.name} has no option {words[0]}", hint)
    raise UsageError(f"{row.name} has no command {words[0]!r}", hint)


def _without_marks(name: str, words: Sequence[str]) -> Iterator[str]:
    """Leave out options whose value is an operand: create -f FILE, -fFILE, --defconfig=FILE."""
    marks = options.XL_MARKS.get(name, ())
    for word in words:
        mark, _, value = word.partition("=")
        if word in marks:
            continue
        if word[:2] in marks:
            yield word[2:]
        else:
            yield value if value and mark in marks else word


# What is wrong with a command line


def _usage_error(error: Any, verb: str, signature: Signature, words: list[str]) -> UsageError:
    """What Typer found wrong, and how the command is typed."""
    hint = f"hxm {verb} --help"
    if isinstance(error, _errors.NoSuchOption):
        hint = unknown_option(verb, error.option_name, signature.kind, words)
        return UsageError(f"{verb} has no option {error.option_name}", hint)
    if isinstance(error, _errors.BadOptionUsage):
        name = error.option_name
        parameters = (*signature.own, *shared_parameters(signature.kind), *xl_parameters(verb))
        declared = [p.declared for p in parameters if isinstance(p.declared, Option)]
        valued = any(option.value and name in option.spellings for option in declared)
        wrong = "takes a value, and there is none" if valued else "takes no value"
        return UsageError(f"{name} {wrong}", hint)
    if isinstance(error, _errors.MissingParameter):
        operands = " ".join(signature.metavars)
        missing = f"{verb} takes {operands}: {error.param.metavar} is missing"
        name, *subcommand = verb.split()
        typed, _ = split(name, [*subcommand, *words])
        rest = signature.metavars[len(typed) - len(subcommand) :]
        known = [*map(quote, typed), *(metavar.replace("|", " or ") for metavar in rest)]
        return UsageError(missing, instead=" ".join(["hxm", name, *known]))
    if isinstance(error, _errors.BadParameter):
        return UsageError(f"{error.param.opts[0]}: {error.message}", hint)
    return UsageError(error.format_message(), hint)


def _refuse_surplus(surplus: Sequence[str], verb: str, metavars: Sequence[str]) -> NoReturn:
    operands = " ".join(metavars)
    takes = f"takes {operands} and no more" if operands else "takes no operand"
    hint = _RATHER.get(verb, f"hxm {verb} {operands}").format(surplus[0])
    raise UsageError(f"{verb} {takes}: {' '.join(surplus)}", hint.rstrip())


# The declarations, for Typer


def _command(verb: str, signature: Signature, callback: Callable[..., int]) -> Any:
    class OwnCommand(TyperCommand):
        """Shows the operands as they are declared: Typer sets braces around required ones."""

        def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ARG002
            return ["[OPTIONS]", *signature.metavars]

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            super().parse_args(ctx, args)
            if ctx.args:
                _refuse_surplus(ctx.args, verb, signature.metavars)
            return []

    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    settings = _SETTINGS | {"allow_extra_args": True}
    app.command(verb, cls=OwnCommand, context_settings=settings)(callback)
    return typer.main.get_command(app)


def _callback(
    row: Command,
    function: Callable[..., int],
    signature: Signature,
    settings: Callable[[], Config],
    before: Sequence[str],
) -> Callable[..., int]:
    """The function with flat parameters, as Typer takes it: `order` and `form` in their parts."""
    shared = shared_parameters(signature.kind)
    from_xl = xl_parameters(row.name) if signature.kind == "order" else ()

    def call(**values: Any) -> int:
        common = {parameter.name: values.pop(parameter.name) for parameter in shared}
        for_xl = [(parameter, values.pop(parameter.name)) for parameter in from_xl]
        if signature.kind == "order":
            typed = [(p.declared.spellings[0], value) for p, value in for_xl if value]  # type: ignore[union-attr]
            values["order"] = _order(row, signature, values, common, typed, settings(), before)
        elif signature.kind == "form":
            values["form"] = _form(common)
        try:
            return function(**values)
        except KeyboardInterrupt:  # which Typer would swallow
            raise Interrupted("interrupted; nothing was changed") from None

    parameters = [_for_typer(parameter) for parameter in (*signature.own, *shared, *from_xl)]
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return call


def _order(
    row: Command,
    signature: Signature,
    values: dict[str, Any],
    common: dict[str, Any],
    xl_options: Sequence[tuple[str, Any]],
    config: Config,
    before: Sequence[str],
) -> options.Order:
    common = options.order(**common)
    passed = [
        word for name, value in xl_options for word in ([name] if value is True else [name, value])
    ]
    if row.name == "shutdown" and common["asked_to_wait"]:
        passed.append("-w")
    return options.Order(
        verb=row.name,
        before=tuple(before),
        words=(*passed, *_operands(signature, values)),
        config=config,
        ignored=tuple(name for name, _ in xl_options),
        **common,
    )


def _operands(signature: Signature, values: dict[str, Any]) -> Iterator[str]:
    """What was typed besides the options, in order."""
    for parameter in signature.own:
        if isinstance(parameter.declared, Operand):
            value = values[parameter.name]
            yield from value if isinstance(value, list) else filter(None, [value])


def _form(common: dict[str, Any]) -> Form:
    form = options.form(**common)
    if form.output == "json" and form != Form("json"):
        raise UsageError(
            "JSON has no columns: --columns, --sort and --no-headers are for tables",
            "-o csv is a table",
        )
    return form


def _for_typer(parameter: Parameter) -> inspect.Parameter:
    declared = parameter.declared
    if isinstance(declared, Operand):
        info = typer.Argument(metavar=declared.metavar, help=declared.help, show_default=False)
    else:
        info = _option(declared, show_default=parameter.default not in (None, ""))
    return inspect.Parameter(
        parameter.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=parameter.default,
        annotation=Annotated[parameter.type, info],
    )


def _option(declared: Option, *, show_default: bool) -> Any:
    if not declared.value:
        same = [word for word in declared.spellings if word not in declared.opposites]
        names = map("/".join, zip(same, declared.opposites, strict=True))
        return typer.Option(
            *(names if declared.opposites else same),
            help=declared.help,
            hidden=declared.hidden,
            show_default=show_default,
        )
    read = declared.read or (one_of(declared.words) if declared.words else None)
    return typer.Option(
        *declared.spellings,
        metavar=declared.value,
        help=declared.help,
        hidden=declared.hidden,
        show_default=show_default,
        parser=_reader(read) if read else None,
    )


def _reader(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The reader of a value, whose complaint Typer passes on."""

    def convert(value: Any) -> Any:
        try:
            return read(value)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return convert

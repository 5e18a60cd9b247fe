"""The operands and options of hxm's commands, each declared once, for Typer.

Commands name these in their annotations without importing the module: it is loaded, with Typer,
only for a command line that has options (see cli.py).
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import typer

from hxm.arguments.types import mebibytes, one_of, seconds
from hxm.output.formats import FORMS
from hxm.output.render import Form


def _valued(*spellings: str, **settings: Any) -> Any:
    """An option with a value, and without one of its own."""
    return typer.Option(*spellings, show_default=False, **settings)


# Operands

Domains = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[DOMAIN]...",
        help="A domU: its name, resource id, configuration file, uuid or local domid.",
        show_default=False,
    ),
]
SomeDomains = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="DOMAIN...",
        help="DomUs: names, resource ids, configuration files, uuids or local domids.",
        show_default=False,
    ),
]
ManagedDomains = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="DOMAIN...|all",
        help="DomUs that the cluster manages, or every one of them.",
        show_default=False,
    ),
]
MaybeDomains = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[DOMAIN|all]...",
        help="Only the constraints of these domUs; all, and nothing, mean every one.",
        show_default=False,
    ),
]
OneDomain = Annotated[
    str,
    typer.Argument(
        metavar="DOMAIN",
        help="The domU: its name, resource id, configuration file, uuid or local domid.",
        show_default=False,
    ),
]
MaybeDomain = Annotated[
    str | None,
    typer.Argument(
        metavar="[DOMAIN|all]", help="Only the failures of this domU.", show_default=False
    ),
]
OneFile = Annotated[
    str, typer.Argument(metavar="FILE", help="Its configuration file.", show_default=False)
]
OneNode = Annotated[
    str, typer.Argument(metavar="NODE", help="A node of the cluster.", show_default=False)
]
MaybeNode = Annotated[
    str | None,
    typer.Argument(metavar="[NODE]", help="Only those on this node.", show_default=False),
]
PICTURES = ("text", "dot", "svg", "mermaid", "json")
Drawn = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        metavar="|".join(PICTURES),
        help="Form of the answer.",
        callback=one_of(PICTURES),
    ),
]
OtherNode = Annotated[
    str | None,
    typer.Argument(metavar="[NODE]", help="Why it is not on this node.", show_default=False),
]
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE|DOMAIN [KEY=VALUE]...",
        help="A configuration file or a domU, and settings as xl takes them.",
        show_default=False,
    ),
]
Switch = Annotated[
    str, typer.Argument(metavar="on|off", help="Begin it, or end it.", show_default=False)
]
Subject = Annotated[
    str | None,
    typer.Argument(metavar="[NODE|DOMAIN]", help="Only this node or domU.", show_default=False),
]

MaybeSubject = Annotated[
    str | None,
    typer.Argument(
        metavar="[DOMAIN|NODE]", help="Only what concerns this domU or node.", show_default=False
    ),
]

# Options of single commands

Output = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        metavar="table|json",
        help="Form of the answer.",
        callback=one_of(("table", "json")),
    ),
]
Long = Annotated[bool, typer.Option("-l", "--long", help="Everything known of each domU.")]
Everywhere = Annotated[
    bool,
    typer.Option("--everywhere", help="Ask the toolstacks of the other nodes too, through ssh."),
]
Like = Annotated[
    str | None, typer.Option("--like", metavar="DOMAIN", help="Take over its rules and timings.")
]
Until = Annotated[
    str,
    _valued("--until", metavar="REGEX", help="Wait until the guest shows this on its console."),
]
ConsoleType = Annotated[
    str, _valued("-t", metavar="pv|serial", help="Which of its consoles, as xl has it.")
]
ConsoleNumber = Annotated[str, _valued("-n", metavar="NUMBER", help="The console's number.")]
Interval = Annotated[
    float,
    typer.Option(
        "--interval",
        min=1.0,
        metavar="SECONDS",
        callback=seconds,
        help="Between two looks at rest.",
    ),
]
Count = Annotated[int | None, _valued("--count", min=1, metavar="N", help="Print it so often.")]
Script = Annotated[
    str, _valued("-f", "--file", metavar="FILE", help="Carry out the lines of this file.")
]
KeepGoing = Annotated[bool, typer.Option("--keep-going", help="Go on after a line that failed.")]
Without = Annotated[
    str | None,
    typer.Option(
        "--without", metavar="NODE", help="Only the loss of this node.", show_default=False
    ),
]
Add = Annotated[
    int | None,
    typer.Option(
        "--add",
        metavar="MEMORY",
        parser=mebibytes,
        help="How many more domUs of this size would run: 2G, or 2048 (MiB).",
        show_default=False,
    ),
]
Keep = Annotated[bool, typer.Option("--keep", help="Leave the constraint in place.")]
All = Annotated[
    bool, typer.Option("-a", "--all", help="Every running domU that the cluster manages.")
]
NodesCount = Annotated[
    int, typer.Option("--nodes", min=1, max=64, metavar="N", help="How many hosts.")
]
DomainsCount = Annotated[
    int, typer.Option("--domains", min=0, max=2000, metavar="N", help="How many domUs.")
]
Directory = Annotated[
    str, typer.Argument(metavar="DIR", help="A folder to be made.", show_default=False)
]
NodeOrDomain = Annotated[
    str,
    typer.Argument(metavar="NODE|DOMAIN", help="What it happens to.", show_default=False),
]
Unfenced = Annotated[
    bool, typer.Option("--unfenced", help="Stop before the cluster fences the lost node.")
]
At = Annotated[
    str,
    typer.Option(
        "--operation",
        metavar="monitor|start|stop",
        help="What fails of a domU: its monitor, then perhaps its start or its stop as well.",
    ),
]
Raw = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="-- PROGRAM [ARGUMENTS]...",
        help="The command line, as it would be typed without a guard.",
        show_default=False,
    ),
]
Why = Annotated[
    str,
    typer.Option("--reason", metavar="TEXT", help="Why, for the journal.", show_default=False),
]


Listen = Annotated[str, typer.Option("--listen", metavar="HOST:PORT", help="Where to be reached.")]
TokenFile = Annotated[
    str | None,
    typer.Option(
        "--token-file",
        metavar="FILE",
        help="What to ask for: one word, in a file that others cannot read.",
        show_default=False,
    ),
]
Nagios = Annotated[bool, typer.Option("--nagios", help="One line, as monitoring wants it.")]


Canary = Annotated[
    str,
    typer.Option(
        "--canary",
        metavar="DOMAIN",
        help="The domU that tries the first host; else that of the lowest priority.",
        show_default=False,
    ),
]
Hosts = Annotated[
    str,
    typer.Option(
        "--order",
        metavar="NODE,NODE...",
        help="The hosts in their order, and no others; else all, the DC last.",
        show_default=False,
    ),
]
Watch = Annotated[
    float,
    typer.Option(
        "--watch",
        metavar="SECONDS",
        callback=seconds,
        help="How long a host that is back, and the canary on it, must stay well.",
    ),
]


class Order(NamedTuple):
    """What every changing command takes."""

    verb: str
    before: tuple[str, ...]
    """xl's options that stood before the verb."""
    words: tuple[str, ...]
    """The command line for the toolstack: what was typed, without hxm's own options."""
    dry_run: bool
    yes: bool
    force: bool
    wait: bool
    asked_to_wait: bool
    """Whether waiting was asked for in so many words: xl's shutdown does not wait by itself."""
    timeout: float | None
    reason: str
    output: str
    ignored: tuple[str, ...]
    """xl's options that mean nothing to the cluster."""


def order(
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Show the plan, what the scheduler makes of it, and change nothing."
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("-y", "--yes", help="Answer every question with yes.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Lift the refusals that name --force.")
    ] = False,
    wait: Annotated[
        bool | None,
        typer.Option("-w/-W", "--wait/--no-wait", help="Wait for the cluster.", show_default=False),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            callback=seconds,
            metavar="SECONDS",
            help="How long to wait; else as /etc/hxm.toml has it, or 600.",
            show_default=False,
        ),
    ] = None,
    reason: Annotated[
        str,
        typer.Option("--reason", metavar="TEXT", help="Why, for the journal.", show_default=False),
    ] = "",
    output: Output = "table",
) -> dict[str, Any]:
    """The options of every changing command; their values as Order has them."""
    return {
        "dry_run": dry_run,
        "yes": yes,
        "force": force,
        "wait": wait is not False,
        "asked_to_wait": bool(wait),
        "timeout": timeout,
        "reason": reason,
        "output": output,
    }


def form(
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="|".join(FORMS),
            help="Form of the answer.",
            callback=one_of(FORMS),
        ),
    ] = "table",
    columns: Annotated[
        str,
        typer.Option(
            "--columns",
            metavar="NAME,...",
            help="Only these columns, in this order; the beginning of a name will do.",
            show_default=False,
        ),
    ] = "",
    sort: Annotated[
        str,
        typer.Option(
            "--sort",
            metavar="[-]NAME",
            help="Sort by this column; with - the greatest first.",
            show_default=False,
        ),
    ] = "",
    no_headers: Annotated[bool, typer.Option("--no-headers", help="No line of headers.")] = False,
) -> Form:
    """The options of every reading command."""
    return Form(output, columns, sort, not no_headers)

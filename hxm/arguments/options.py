"""The operands and options of hxm's commands, each declared once, as data.

Commands name these in their annotations without importing the module. The parser, `--help`, the
man page, the completions and `hxm shell` all read them, through `signatures`.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from hxm.arguments.types import Operand, Option, interval, mebibytes, seconds, whole
from hxm.config import Config
from hxm.output import Form
from hxm.output.formats import FORMS

# Operands

Domains = Annotated[
    list[str] | None,
    Operand(
        "[DOMAIN]...",
        "A domU: its name, resource id, configuration file, uuid or local domid.",
        repeated=True,
    ),
]
SomeDomains = Annotated[
    list[str] | None,
    Operand(
        "DOMAIN...",
        "DomUs: names, resource ids, configuration files, uuids or local domids.",
        repeated=True,
    ),
]
ManagedDomains = Annotated[
    list[str] | None,
    Operand("DOMAIN...|all", "DomUs that the cluster manages, or all of them.", repeated=True),
]
MaybeDomains = Annotated[
    list[str] | None,
    Operand(
        "[DOMAIN|all]...",
        "Only the constraints of these domUs; all, or no operand, means every domU.",
        repeated=True,
    ),
]
OneDomain = Annotated[
    str,
    Operand("DOMAIN", "The domU: its name, resource id, configuration file, uuid or local domid."),
]
MaybeDomain = Annotated[str | None, Operand("[DOMAIN|all]", "Only the failures of this domU.")]
OneFile = Annotated[str, Operand("FILE", "The domU's configuration file.")]
OneNode = Annotated[str, Operand("NODE", "A node of the cluster.")]
OthersAndNode = Annotated[
    list[str] | None,
    Operand(
        "[DOMAIN]... [NODE]",
        "More domUs, and the node; without it the scheduler chooses.",
        repeated=True,
        offers=("NODE", "DOMAIN"),
    ),
]
MaybeNode = Annotated[str | None, Operand("[NODE]", "Only those on this node.")]
OtherNode = Annotated[str | None, Operand("[NODE]", "Why the domU is not on this node.")]
Words = Annotated[
    list[str] | None,
    Operand(
        "FILE|DOMAIN [KEY=VALUE]...",
        "A configuration file or a domU, and settings as xl takes them.",
    ),
]
Switch = Annotated[str, Operand("on|off", "Turn maintenance on or off.")]
Subject = Annotated[str | None, Operand("[NODE|DOMAIN]", "Only this node or domU.")]
MaybeSubject = Annotated[
    str | None, Operand("[DOMAIN|NODE]", "Only what concerns this domU or node.")
]
Directory = Annotated[str, Operand("DIR", "The folder to create.")]
NodeOrDomain = Annotated[
    str, Operand("NODE|DOMAIN", "The node, domU or other resource that fails.")
]
Raw = Annotated[
    list[str] | None,
    Operand("-- PROGRAM [ARGUMENTS]...", "The command line, as it would be typed without a guard."),
]

# Options of single commands

PICTURES = ("text", "dot", "svg", "mermaid", "json")
Drawn = Annotated[str, Option(("-o", "--output"), "|".join(PICTURES), "Output format.")]
Output = Annotated[str, Option(("-o", "--output"), "table|json", "Output format.")]
Long = Annotated[bool, Option(("-l", "--long"), "", "Show all that is known of each domU.")]
Verbose = Annotated[bool, Option(("-v", "--verbose"), "", "Show the uuids too, as xl does.")]
OnNode = Annotated[str | None, Option(("--node",), "NODE", "Only the domUs on this node.")]
Everywhere = Annotated[
    bool, Option(("--everywhere",), "", "Ask the toolstacks of the other nodes too, through ssh.")
]
Like = Annotated[
    str | None, Option(("--like",), "DOMAIN", "Copy the rules and timings of this domU.")
]
Until = Annotated[
    str, Option(("--until",), "REGEX", "Wait until the guest prints this on its console.")
]
ConsoleType = Annotated[
    str | None, Option(("-t",), "pv|serial|vuart", "The type of the console, as in xl.")
]
ConsoleNumber = Annotated[str, Option(("-n",), "NUMBER", "The console's number.")]
Interval = Annotated[
    float,
    Option(
        ("--interval",),
        "SECONDS",
        "Time between two updates while nothing moves: at least 1.",
        read=interval,
    ),
]
Count = Annotated[
    int | None,
    Option(("--count",), "N", "Print this many times, then end.", read=whole(1)),
]
Script = Annotated[str, Option(("-f", "--file"), "FILE", "Run the lines of this file.")]
KeepGoing = Annotated[bool, Option(("--keep-going",), "", "Continue after a line that fails.")]
Without = Annotated[str | None, Option(("--without",), "NODE", "Only the loss of this node.")]
Add = Annotated[
    int | None,
    Option(
        ("--add",),
        "MEMORY",
        "How many more domUs of this size would fit: 2G, or 2048 (MiB).",
        read=mebibytes,
    ),
]
Keep = Annotated[bool, Option(("--keep",), "", "Leave the preference in place.")]
All = Annotated[bool, Option(("-a", "--all"), "", "Every running domU that the cluster manages.")]
AllStopped = Annotated[
    bool, Option(("-a", "--all"), "", "Every domU of the cluster that does not run.")
]
Home = Annotated[
    bool, Option(("--home",), "", "Move back what the last drain of this node moved away.")
]
NodesCount = Annotated[
    int, Option(("--nodes",), "N", "The number of hosts: 1 to 64.", read=whole(1, 64))
]
DomainsCount = Annotated[
    int, Option(("--domains",), "N", "The number of domUs: 0 to 2000.", read=whole(0, 2000))
]
Night = Annotated[str | None, Operand("[NUMBER]", "The night: 1 to 14.")]
NightDirectory = Annotated[str | None, Operand("[DIR]", "The folder to create for it.")]
Checked = Annotated[bool, Option(("--check",), "", "Say whether the night in CIB_file is over.")]
Unfenced = Annotated[
    bool, Option(("--unfenced",), "", "Stop before the cluster fences the lost node.")
]
At = Annotated[
    str,
    Option(
        ("--operation",),
        "monitor|start|stop|migrate",
        "What fails of a domU: its monitor, its start or stop as well, or a live migration.",
    ),
]
Why = Annotated[str, Option(("--reason",), "TEXT", "The reason, for the journal.")]
Listen = Annotated[str, Option(("--listen",), "HOST:PORT", "The address to listen on.")]
TokenFile = Annotated[
    str | None,
    Option(
        ("--token-file",),
        "FILE",
        "File with the token that clients must send: one word, readable by its owner only.",
    ),
]
Nagios = Annotated[bool, Option(("--nagios",), "", "Print one line for Nagios-like monitoring.")]
Canary = Annotated[
    str,
    Option(
        ("--canary",),
        "DOMAIN",
        "The domU that tries the first host; by default the one with the lowest priority.",
    ),
]
Hosts = Annotated[
    str,
    Option(
        ("--order",),
        "NODE,NODE...",
        "Only these hosts, in this order; by default all hosts, the DC last.",
    ),
]
Despite = Annotated[
    bool, Option(("--force",), "", "Simulate also what only start --force would begin.")
]
Watch = Annotated[
    float,
    Option(
        ("--watch",),
        "SECONDS",
        "How long an updated host, and the canary on it, must run without trouble.",
        read=seconds,
    ),
]

# Options of every command of a kind


class Order(NamedTuple):
    """What every changing command takes."""

    verb: str
    before: tuple[str, ...]
    """xl's options that stood before the verb."""
    words: tuple[str, ...]
    """The command line for the toolstack: what was typed, without hxm's own options."""
    config: Config
    dry_run: bool
    yes: bool
    force: bool
    wait: bool
    asked_to_wait: bool
    """Whether --wait was typed: xl's shutdown does not wait by default."""
    timeout: float | None
    reason: str
    output: str
    ignored: tuple[str, ...]
    """xl's options that mean nothing to the cluster."""


def order(
    dry_run: Annotated[
        bool,
        Option(
            ("--dry-run",), "", "Show the plan and what the scheduler would do; change nothing."
        ),
    ] = False,
    yes: Annotated[bool, Option(("-y", "--yes"), "", "Answer yes to every question.")] = False,
    force: Annotated[
        bool, Option(("--force",), "", "Override the refusals that name --force.")
    ] = False,
    wait: Annotated[
        bool | None,
        Option(
            ("-w", "--wait", "-W", "--no-wait"),
            "",
            "Wait for the cluster.",
            opposites=("-W", "--no-wait"),
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        Option(
            ("--timeout",),
            "SECONDS",
            "How long to wait; by default as in /etc/hxm.toml, or 600.",
            read=seconds,
        ),
    ] = None,
    reason: Why = "",
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
    output: Annotated[str, Option(("-o", "--output"), "|".join(FORMS), "Output format.")] = "table",
    columns: Annotated[
        str,
        Option(
            ("--columns",),
            "NAME,...",
            "Only these columns, in this order; the start of a name is enough.",
        ),
    ] = "",
    sort: Annotated[
        str,
        Option(("--sort",), "[-]NAME", "Sort by this column; -NAME sorts in descending order."),
    ] = "",
    no_headers: Annotated[
        bool, Option(("--no-headers",), "", "Do not print the column names.")
    ] = False,
) -> Form:
    """The options of every reading command."""
    return Form(output, columns, sort, not no_headers)


# Options of xl and xm that the cluster has no use for: accepted, reported, and passed to xl

XL_FLAGS = {
    "create": "-c -p -e -F -q -V -A -d -i -n -x --dryrun --xmldryrun --vncviewer --quiet --paused"
    " --vncviewer-autopass --ignore-global-affinity-masks",
    "shutdown": "-F -H -R --halt --reboot",
    "reboot": "-F",
    "destroy": "-f",
    "restore": "-c -p -e -F -d -V -A --vncviewer --paused",
    "migrate": "-l --live -e -p -D -c --debug --ssl --change_home_server",
}
XL_VALUES = {"migrate": "-C -s -r -n --port --resource --node", "create": "--path"}
XL_MARKS = {"create": ("-f", "--defconfig")}
"""Options whose value is an operand for hxm: create -f FILE, also as -fFILE."""

"""What the guard lets pass of a command line typed to xl, xm or virsh, and what it does not."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hxm import change, render, run
from hxm.claims import claim, everyones, of_files, of_xml, resources_by_name
from hxm.command import REFUSED, Command
from hxm.commands import BYGONE
from hxm.commands._shim import AT_ONCE, XL_OPTIONS, meanings
from hxm.config import Config, read_config
from hxm.decide.clashes import Claim, judge_new
from hxm.decide.names import at_home
from hxm.decide.passing import (
    ATTACHES,
    MAKES,
    UNTOLD,
    judge,
    managed,
    operands,
    runs_nowhere_else,
    up_to_date,
)
from hxm.errors import Failed, Refused
from hxm.model import Cluster, Domain
from hxm.observe import identify, other_toolstack, read_cluster
from hxm.toolstack import guard
from hxm.toolstack.remote import read_elsewhere
from hxm.xmfile import Value, XmFileError, domain_name, parse_xmfile, read_xmfile

_HELP = {"-h", "--help"}
_XMS = {"shell", "serve"}
"""No xl has them, and hxm's own of these names are something else."""
_ALL = ("shutdown", "reboot")
"""Commands of xl's and xm's that take -a for every domU of the host."""


def judge_and_pass(program: str, words: Sequence[str]) -> int:
    """The real program takes hxm's place, untouched; raises Refused or CannotAsk if it may not."""
    path = guard.real(program)
    if program not in guard.PROGRAMS or not os.access(path, os.X_OK):
        raise Failed(f"there is no {path} for the guard to pass this on to", "hxm guard status")
    config = read_config()
    if warning := verdict(program, words, config):
        render.note(warning)
    run.become((path, *words))


def verdict(program: str, words: Sequence[str], config: Config) -> str:
    """The warning with which it may pass (empty: none). Raises Refused, or CannotAsk."""
    if program == "virsh":
        return _of_virsh(words, config)
    command, rest = _command(words)
    if command is None or (rest and set(rest) <= _HELP):
        return ""
    rows = _to_be_judged(program, command)
    told = [*operands(rest), *(word for word in rest if _means_all(word))]
    if not rows or not (told or any(row.name in UNTOLD for row in rows)):
        return ""
    change.only_this_hosts(config)
    cluster = identify(read_cluster(config), rest, config)
    return "; ".join(
        filter(None, [_of_one(row, rest, cluster, config, xm=program == "xm") for row in rows])
    )


def _command(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """The command among the words, behind xl's options, and what follows it.

    With an option that no xl has the whole line is suspicious.
    """
    for count, word in enumerate(words):
        if word == "--":
            return (words[count + 1], list(words[count + 2 :])) if words[count + 1 :] else ("", [])
        if word[:1] != "-" or word == "-":
            return word, list(words[count + 1 :])
        if not set(word[1:]) <= set(XL_OPTIONS):
            return word, list(words[count + 1 :])
    return None, []


def _to_be_judged(program: str, command: str) -> list[Command]:
    rows = meanings(program, command)
    if not rows:
        rows = [
            Command(
                command,
                policy=REFUSED,
                why="hxm does not know what this does",
                instead="hxm help, for the commands that it knows",
            )
        ]
    passed = {row.name for row in rows if row.policy in AT_ONCE}
    if len(rows) > 1:  # the beginning of several: what only old ones have cannot be meant unnamed
        passed |= (BYGONE | _XMS) & set(UNTOLD)
    return [row for row in rows if row.name not in passed]


def _of_one(
    row: Command, words: Sequence[str], cluster: Cluster, config: Config, *, xm: bool
) -> str:
    if row.name in _ALL and any(_means_all(word) for word in words):
        running = [each.name for each in cluster.managed_domains if _may_run_here(cluster, each)]
        return judge(row, [*words, *running], cluster)
    if row.name != "create":
        made = made_by(row, words)
        filed = filed_by(row, words, made)
        return "; ".join(admitted(row, words, made, filed, cluster, config))
    creation = creation_of(words, xm=xm)
    if creation.dry:
        return ""
    made = [claim(creation.name or "?", creation.settings)]
    filed = [creation.name] if creation.name else []
    return "; ".join(admitted(row, words, made, filed, cluster, config))


def admitted(
    row: Command,
    words: Sequence[str],
    made: Sequence[Claim],
    filed: Sequence[str],
    cluster: Cluster,
    config: Config,
    *,
    local_only: bool = False,
) -> list[str]:
    """What there is to be warned of before the command passes. Raises Refused, CannotAsk, NoQuorum.

    That the cluster looks away from a managed domU makes it no safer to start: nobody else sees
    that another host runs it already.
    """
    warning = judge(row, words, cluster, filed=filed, local_only=local_only)
    if row.name in MAKES and (named := managed(cluster, row, [*words, *filed])):
        up_to_date(cluster)
        runs_nowhere_else(named, _run_elsewhere(cluster, config))
    return [*filter(None, [warning]), *newcomers(row, made, cluster, config)]


def _run_elsewhere(cluster: Cluster, config: Config) -> dict[str, list[str] | str]:
    """The domUs that each other node runs, by its toolstack; also of those that are no members.

    Where the cluster is stopped on a host its domUs may run on.
    """
    if cluster.sandbox:
        return {}
    nodes = [each.name for each in cluster.nodes if each.name != cluster.local_node]
    answers = read_elsewhere(other_toolstack(cluster, config), nodes, config.ssh_timeout)
    return {
        node: rows if isinstance(rows, str) else [at_home(r.name) for r in rows if not r.ending]
        for node, rows in answers.items()
    }


def made_by(row: Command, words: Sequence[str]) -> list[Claim]:
    """The domUs that the files among the words describe, and what one is given beside them."""
    if row.name in ATTACHES and len(told := operands(words)) > 1:
        disk = ",".join(told[1:]) if row.name == "block-attach" else f"{told[1]},,xvda,w"
        return [claim(told[0], {"disk": [disk]})]
    return list(of_files(operands(words)))


def filed_by(row: Command, words: Sequence[str], made: Sequence[Claim]) -> list[str]:
    """The names in the files among the words; of files that are not there nobody makes a domU."""
    paths = operands(words)
    if row.name in UNTOLD and paths and not any(map(os.path.lexists, paths)):
        return [os.path.basename(each) for each in paths]
    return [each.name for each in made]


def newcomers(row: Command, made: Sequence[Claim], cluster: Cluster, config: Config) -> list[str]:
    """What there is to be warned of before a command makes or feeds these domUs.

    Raises Refused for a disk of another domU's, and CannotAsk or NoQuorum where this host's copy
    of the CIB may be too old to tell which domUs are managed.
    """
    if row.name not in (*MAKES, *ATTACHES):
        return []
    up_to_date(cluster)
    if not made:
        return []
    others = list(everyones(cluster, config))
    ignored, whose = config.ignore.split(), resources_by_name(cluster)
    mine = [each._replace(resource=whose.get(at_home(each.name))) for each in made]
    return [warning for each in mine for warning in judge_new(each, others, ignored)]


def _means_all(word: str) -> bool:
    """As getopt_long reads it: -a among others, --all or the beginning of it."""
    if word.startswith("--"):
        return len(word) > 2 and "--all".startswith(word)
    return word.startswith("-") and "a" in word


def _may_run_here(cluster: Cluster, domain: Domain) -> bool:
    places = domain.places
    return bool(places) and (cluster.local_node is None or cluster.local_node in places)


class Creation(NamedTuple):
    """What `xl create` is told to make."""

    name: str | None
    settings: Mapping[str, Value]
    dry: bool = False


_DRY = ("dryrun", "dry-run", "xmldryrun")


def settings_of(path: str | None, lines: Sequence[str], *, xm: bool) -> dict[str, Value]:
    """What a file and the settings behind it on the command line say, as xl or xm takes them.

    Xm takes what stands behind the equals sign as it is, instead of what the file says (opts.py).
    Of /dev/null xl takes only what stands behind it. Raises XmFileError.
    """
    if path in (None, "/dev/null"):
        return parse_xmfile("\n".join(lines), "the command line")
    if not xm:
        return read_xmfile(path, lines)
    read = read_xmfile(path)
    for key, _, value in (line.partition("=") for line in lines):
        try:
            read |= parse_xmfile(f"{key}={value}")
        except XmFileError:
            read[key] = [value] if key in ("disk", "vif") else value
    return read


def creation_of(words: Sequence[str], *, xm: bool = False) -> Creation:
    """The domU that xl or xm would create, from its file and the settings behind it.

    The first word without an equals sign is the file, or what -f is given; what the others set
    counts more than the file (held against `xl create -n` of 4.17). Raises Refused for a file that
    cannot be read.
    """
    path, lines, dry = None, [], False
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":
            operands, left = left, []
        elif word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if "defconfig".startswith(name) and len(name) > 1:
                path = value if equals else left.pop(0) if left else path
            dry = dry or (len(name) > 1 and any(each.startswith(name) for each in _DRY))
            continue
        elif word.startswith("-") and word != "-":
            letters, file, value = word[1:].partition("f")
            dry = dry or bool({"n", "x"} & set(letters))
            if file:
                path = value or (left.pop(0) if left else path)
            continue
        else:
            operands = [word]
            if not xm and (path is not None or "=" in word):  # for getopt(3) the options end here
                operands, left = [word, *left], []
        for each in operands:
            if path is None and "=" not in each:
                path = each
            elif "=" in each:  # with any other both say how they are used
                lines.append(each)
    if dry:
        return Creation(None, {}, dry=True)
    try:
        found = next((each for each in _paths(path or "") if os.path.lexists(each)), None)
        read = settings_of(found, lines, xm=xm)
    except XmFileError as error:
        raise Refused(
            f"{error.message}: it may be a domU that the cluster manages",
            error.hint or "correct the file; hxm refuses what it cannot read",
        ) from None
    return Creation(domain_name(read) or os.path.basename(path or ""), read)


def _paths(word: str) -> tuple[str, ...]:
    """Xm looks in /etc/xen as well."""
    return (word, os.path.join("/etc/xen", word))


# virsh

_VALUED = {
    **dict.fromkeys(("c", "connect"), "uri"),
    **dict.fromkeys(("d", "debug", "e", "escape", "k", "keepalive-interval"), ""),
    **dict.fromkeys(("K", "keepalive-count", "l", "log"), ""),
}
_FLAGS = ("help", "no-pkttyagent", "quiet", "readonly", "timing", "version")
_ENDS = ("h", "v", "V", "help", "version")
"""Options of virsh that make it say something and end."""


class Spoken(NamedTuple):
    """A command line of virsh's, taken apart."""

    commands: tuple[tuple[str, ...], ...] = ()
    uri: str = ""
    readonly: bool = False
    ends: bool = False


def spoken(words: Sequence[str]) -> Spoken:
    """The commands of a virsh command line: one, or several in one word with ; between them."""
    left, uri, given = list(words), "", set()
    while left and left[0].startswith("-") and left[0] not in ("-", "--"):
        word = left.pop(0)
        for name, behind in _options(word):
            given.add(name)
            if name in _VALUED:
                value = behind or (left.pop(0) if left else "")
                uri = value if _VALUED[name] else uri
                break
    if left[:1] == ["--"]:
        left = left[1:]
    commands = _lines(left[0]) if len(left) == 1 else [tuple(left)] if left else []
    readonly = bool(given & {"r", "readonly"})
    return Spoken(tuple(commands), uri, readonly, bool(given & set(_ENDS)))


def _options(word: str) -> list[tuple[str, str]]:
    """The options in a word, each with what stands behind it there; long ones may be shortened."""
    if not word.startswith("--"):
        return [(letter, word[place + 1 :]) for place, letter in enumerate(word) if place]
    name, _, value = word[2:].partition("=")
    known = [each for each in (*_VALUED, *_FLAGS) if len(each) > 1]
    fitting = [each for each in known if each.startswith(name)]
    return [(fitting[0] if len(fitting) == 1 else name, value)]


def _lines(text: str) -> list[tuple[str, ...]]:
    """A command string as virsh takes it apart: words, quotes, and ; or a new line between two."""
    import shlex

    found: list[list[str]] = []
    for line in text.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";")
        lexer.whitespace_split = True
        found.append([])
        try:
            for word in lexer:
                found.append([]) if set(word) == {";"} else found[-1].append(word)
        except ValueError:  # a quote that is never closed: virsh refuses it as well
            found[-1] = line.split()
    return [tuple(each) for each in found if each]


def _of_virsh(words: Sequence[str], config: Config) -> str:
    line = spoken(words)
    uri = line.uri or next(filter(None, map(os.environ.get, _URIS)), "")
    connects = any(each[0] == "connect" for each in line.commands)
    elsewhere = uri and not connects and not uri.startswith(_XEN)
    if line.ends or elsewhere or (line.readonly and not connects):
        return ""
    if not line.commands:  # what is typed into its shell is seen by nobody
        return judge(meanings("xl", "shell")[0], [], _seen(config))
    warnings: list[str] = []
    for command, *rest in line.commands:
        for row in _to_be_judged("virsh", command):
            if operands(rest) and not _HELP & set(rest):
                cluster = _seen(config)
                made = [*made_by(row, rest), *_defined(command, operands(rest), uri)]
                filed = [each.name for each in made] + _called(operands(rest), uri)
                warnings += admitted(row, rest, made, filed, cluster, config)
    return "; ".join(warnings)


_URIS = ("VIRSH_DEFAULT_CONNECT_URI", "LIBVIRT_DEFAULT_URI")
_XEN = ("xen", "libxl")


def _seen(config: Config) -> Cluster:
    change.only_this_hosts(config)
    return read_cluster(config)


def _defined(command: str, words: Sequence[str], uri: str) -> list[Claim]:
    """What `virsh start` would make of libvirt's own description."""
    if command != "start" or not words:
        return []
    argv = ("virsh", "-r", *(("-c", uri) if uri else ()), "dumpxml", "--inactive", "--", words[0])
    told = run.output(argv)
    return [of_xml(told.stdout, "libvirt", words[0])] if told.status == 0 else []


def _called(words: Sequence[str], uri: str) -> list[str]:
    """The names of the domUs that virsh itself knows by these numbers and uuids."""
    found = []
    for word in words:
        if word.isdigit() or (len(word.replace("-", "")) == 32):
            told = run.output(("virsh", "-r", *(("-c", uri) if uri else ()), "domname", word))
            found += told.stdout.decode("utf-8", "replace").split()
    return found

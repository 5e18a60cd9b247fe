"""The guard's judgement of a command line typed to xl, xm or virsh."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence

from hxm.catalog import BYGONE
from hxm.catalog.command import REFUSED, XL_OPTIONS, Command
from hxm.cluster.claims import (
    all_claims,
    claim,
    claim_of_disk,
    claim_of_monitor,
    of_description,
    of_devices,
    of_files,
    of_xml,
    resources_by_name,
)
from hxm.cluster.read import identify, other_toolstack, read_cluster
from hxm.config import Config
from hxm.domu.config_file import Value
from hxm.errors import CannotAsk, Refused
from hxm.guard.create_line import Creation, creation_of
from hxm.guard.wrapper import AT_ONCE, PASSED, meanings
from hxm.host import files, programs
from hxm.model import Cluster, Domain
from hxm.orders import passthrough
from hxm.output import render
from hxm.pacemaker.environment import forget_other_clusters
from hxm.policy.guards.conflicts import FILE, NODE, THIS_HOST, Claim, judge_new
from hxm.policy.names import at_home, find_domains
from hxm.policy.orders.passthrough import (
    ATTACHES,
    MAKES,
    REPLACES,
    UNTOLD,
    judge,
    managed,
    operands,
    runs_nowhere_else,
    up_to_date,
)
from hxm.toolstack.remote import read_elsewhere
from hxm.toolstack.virsh import of_another_hypervisor, spoken

_HELP = {"-h", "--help"}
_XMS = {"shell", "serve"}
"""No xl has them, and hxm's own of these names are something else."""
_ALL = ("shutdown", "reboot")
"""Commands of xl's and xm's that take -a for every domU of the host."""


_NEED_WORDS = ("create", "restore")
"""Commands of which xl only says how they are used where nothing follows."""


def judge_for_the_wrapper(program: str, words: Sequence[str], config: Config) -> int:
    """PASSED, which has the wrapper start the real program; raises Refused or CannotAsk if not."""
    forget_other_clusters()
    if warning := verdict(program, words, config):
        render.note(warning)
    return PASSED


def verdict(program: str, words: Sequence[str], config: Config) -> str:
    """The warning with which it may pass (empty: none). Raises Refused, or CannotAsk."""
    if program == "virsh":
        return _of_virsh(words, config)
    command, rest = _command(words)
    if command is None or (rest and set(rest) <= _HELP):
        return ""
    rows = _to_be_judged(program, command)
    if not rest and program == "xl":  # which says how they are used
        rows = [row for row in rows if row.name not in _NEED_WORDS]
    operand_words = [*operands(rest), *(word for word in rest if _means_all(word))]
    if not rows or not (operand_words or any(row.name in UNTOLD for row in rows)):
        return ""
    passthrough.require_this_host()
    cluster = identify(read_cluster(config), rest)
    xm = program == "xm"
    return "; ".join(
        warning for row in rows for warning in admit(row, rest, cluster, config, xm=xm)
    )


def _command(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """The command among the words, behind xl's options, and what follows it.

    None behind -N: either xl only says what it would do, or the command does not know it, and
    nothing is done. With an option that no xl has the whole line is suspicious.
    """
    for count, word in enumerate(words):
        if word == "--":
            return (words[count + 1], list(words[count + 2 :])) if words[count + 1 :] else ("", [])
        if word[:1] != "-" or word == "-":
            return word, list(words[count + 1 :])
        if not set(word[1:]) <= set(XL_OPTIONS):
            return word, list(words[count + 1 :])
        if "N" in word:
            break
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


def admit(
    row: Command,
    words: Sequence[str],
    cluster: Cluster,
    config: Config,
    *,
    xm: bool,
    local_only: bool = False,
) -> list[str]:
    """What there is to be warned of before xl or xm carries this out; raises as `admitted`."""
    if row.name in _ALL and any(_means_all(word) for word in words):
        running = [
            domain.name for domain in cluster.managed_domains if _may_run_here(cluster, domain)
        ]
        return [*filter(None, [judge(row, [*words, *running], cluster)])]
    if row.name in ("create", "new"):
        creation = creation_of(words, xm=xm)
        if creation.dry:
            return []
        made, filed = made_by_creation(creation)
    else:
        made = made_by(row, words, cluster)
        filed = filed_by(row, words, made)
    return admitted(row, words, made, filed, cluster, config, local_only=local_only)


def made_by_creation(creation: Creation) -> tuple[list[Claim], list[str]]:
    """The domU that `create` makes, and its name if it has one."""
    name = creation.name
    return [claim(name or "?", creation.settings)], [name] if name else []


def admitted(
    row: Command,
    words: Sequence[str],
    made: Sequence[Claim],
    filed: Sequence[str],
    cluster: Cluster,
    config: Config,
    *,
    local_only: bool = False,
    forced: bool | None = None,
) -> list[str]:
    """What there is to be warned of before the command passes. Raises Refused, CannotAsk, NoQuorum.

    That the cluster looks away from a managed domU makes it no safer to start: nobody else sees
    that another host runs it already. `forced` says whether --force was typed, where it can be.
    """
    warning = judge(row, words, cluster, filed=filed, local_only=local_only)
    if row.name in MAKES and (named := managed(cluster, row, [*words, *filed])):
        up_to_date(cluster)
        runs_nowhere_else(named, _run_elsewhere(cluster, config))
    return [*filter(None, [warning]), *newcomers(row, made, cluster, config, forced=forced)]


def _run_elsewhere(cluster: Cluster, config: Config) -> dict[str, list[str] | str]:
    """The domUs that each other node runs, by its toolstack; also of nodes that are not members.

    Where the cluster is stopped on a host its domUs may run on.
    """
    if cluster.sandbox:
        return {}
    nodes = [host.name for host in cluster.hosts if host.name != cluster.local_node]
    answers = read_elsewhere(other_toolstack(cluster, config), nodes, config.ssh_timeout)
    return {
        node: rows if isinstance(rows, str) else [at_home(r.name) for r in rows if not r.ending]
        for node, rows in answers.items()
    }


def made_by(row: Command, words: Sequence[str], cluster: Cluster) -> list[Claim]:
    """The domUs that the files among the words describe, and what one is given beside them."""
    arguments = operands(words)
    if row.name in (*ATTACHES, *REPLACES):
        for path in filter(_is_told_once, (*_attached(words), *arguments)):
            raise Refused(f"what {path} says cannot be read twice", "put it into a file")
    if row.name == "config-update" and arguments:
        return made_by_creation(creation_of(words[1:]))[0]
    if row.name not in ATTACHES or len(arguments) < 2:
        return list(of_files(dict.fromkeys((*_attached(words), *arguments))))
    meant = next((domain for word in arguments for domain in find_domains(cluster, word)), None)
    name = meant.name if meant else arguments[0]
    if row.name.startswith("block-"):
        return [claim_of_disk(name, arguments[1:])]
    if row.name == "cd-insert":  # as xl puts it together itself (xl_cdrom.c of 4.17)
        vdev, path = arguments[1], arguments[2] if arguments[2:] else ""
        return [claim_of_disk(name, [f"vdev={vdev},access=r,devtype=cdrom,target={path}"])]
    if row.name == "qemu-monitor-command":
        return [claim_of_monitor(name, arguments[1:])]
    if row.name == "scsi-attach":
        return [claim(name, {"vscsi": [",".join(arguments[1:])]})]
    access = "r" if row.name == "change-media" else "w"
    disks: list[Value] = [
        f"vdev=xvda,access={access},target={path}" for path in arguments if "/" in path
    ]
    return [claim(name, {"disk": disks}), *of_devices(arguments, name)]


def _is_told_once(path: str) -> bool:
    """Whether what stands there is gone when the guard has read it: a pipe, a terminal."""
    try:
        mode = files.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)


def _attached(words: Sequence[str]) -> list[str]:
    """All that may be the value of an option in one word with others: -eCFILE."""
    letters = [word for word in words if word[:1] == "-" and word[1:2] != "-"]
    return [word[place:] for word in letters for place in range(2, len(word))]


def filed_by(row: Command, words: Sequence[str], made: Sequence[Claim]) -> list[str]:
    """The names in the files among the words; of files that are not there nobody makes a domU."""
    paths = operands(words)
    if row.name in UNTOLD and paths and not any(map(files.lexists, paths)):
        return [os.path.basename(path) for path in paths]
    return [claim.name for claim in made]


def newcomers(
    row: Command,
    made: Sequence[Claim],
    cluster: Cluster,
    config: Config,
    *,
    forced: bool | None = None,
) -> list[str]:
    """What there is to be warned of before a command makes or feeds these domUs.

    Raises Refused if another domU uses a disk of theirs, CannotAsk if an unknown one may, and
    CannotAsk or NoQuorum if this host's copy of the CIB may be too old to tell which domUs are
    managed.
    """
    if row.name not in (*MAKES, *ATTACHES) and not (made and row.name in REPLACES):
        return []
    up_to_date(cluster)
    if not made:
        return []
    others = list(all_claims(cluster, config))
    ignored, whose = config.ignore.split(), resources_by_name(cluster)
    mine = [claim._replace(resource=whose.get(at_home(claim.name))) for claim in made]
    if not forced:
        _know_all(mine, others, _BYPASS if forced is None else "--force")
    return [warning for claim in mine for warning in judge_new(claim, others, ignored)]


_BYPASS = "hxm guard bypass --reason '...' -- ..."


def _know_all(mine: Sequence[Claim], others: Sequence[Claim], lift: str) -> None:
    """Raises CannotAsk if an unknown domU may be one of `mine`, or may use a disk of one.

    No disk is exempt: a path does not tell whether another host reaches what it leads to. A host
    that is down only gives a warning: the cluster starts its domUs elsewhere, too.
    """
    meeting = [claim.name for claim in mine if claim.disks or claim.uuid]
    known = {claim.resource for claim in mine} | {other.resource for other in others if other.runs}
    for other in others if meeting else ():
        if other.kind in (NODE, THIS_HOST):
            raise CannotAsk(
                f"{other.fault}; one of them may be {meeting[0]}, or use its disks",
                f"see to it that none does; then: {lift}",
            )
        if other.kind == FILE and other.resource not in known and files.lexists(other.path):
            raise CannotAsk(
                f"{other.fault}, and one of them may be among those of {meeting[0]}",
                f"correct the file; or, if none is: {lift}",
            )


def _means_all(word: str) -> bool:
    """As getopt_long reads it: -a among others, --all or the beginning of it."""
    if word.startswith("--"):
        return len(word) > 2 and "--all".startswith(word)
    return word.startswith("-") and "a" in word


def _may_run_here(cluster: Cluster, domain: Domain) -> bool:
    places = domain.places
    return bool(places) and (cluster.local_node is None or cluster.local_node in places)


def _of_virsh(words: Sequence[str], config: Config) -> str:
    line = spoken(words)
    uri = line.uri or next(filter(None, map(os.environ.get, _URIS)), "")
    connects = any(command[0] == "connect" for command in line.commands)
    harmless = line.readonly or of_another_hypervisor(uri)
    if line.ends or (harmless and not connects):
        return ""
    if not line.commands:  # what is typed into its shell is seen by nobody
        return judge(meanings("xl", "shell")[0], [], _seen(config))
    warnings: list[str] = []
    for command, *rest in line.commands:
        for row in _to_be_judged("virsh", command):
            if operands(rest):
                cluster = _seen(config)
                made = [*made_by(row, rest, cluster), *_defined(command, operands(rest), uri)]
                filed = [claim.name for claim in made] + _called(operands(rest), uri)
                warnings += admitted(row, rest, made, filed, cluster, config)
    return "; ".join(warnings)


_URIS = ("VIRSH_DEFAULT_CONNECT_URI", "LIBVIRT_DEFAULT_URI")


def _seen(config: Config) -> Cluster:
    passthrough.require_this_host()
    return read_cluster(config)


def _defined(command: str, words: Sequence[str], uri: str) -> Iterator[Claim]:
    """What `virsh start` would make of libvirt's own description."""
    for word in words if command == "start" else ():
        argv = ("virsh", "-r", *(("-c", uri) if uri else ()), "dumpxml", "--inactive", "--", word)
        result = programs.output(argv)
        if result.status == 0:
            yield of_description(result.stdout, "libvirt") or of_xml(result.stdout, "libvirt", word)


def _called(words: Sequence[str], uri: str) -> list[str]:
    """The names of the domUs that virsh itself knows by these numbers and uuids."""
    names = []
    for word in words:
        if word.isdigit() or (len(word.replace("-", "")) == 32):
            result = programs.output(
                ("virsh", "-r", *(("-c", uri) if uri else ()), "domname", word)
            )
            names += result.text.split()
    return names

"""Which of the toolstack's own commands may pass, given the domUs that they mean."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence

from hxm.catalog.command import DEADLY_SYSRQ, RUNTIME, Command
from hxm.errors import CannotAsk, NoQuorum, Refused
from hxm.model import Cluster, Domain, ManagedDomain, is_managed
from hxm.policy import guards, half_way, listed, typed
from hxm.policy.names import at_home, find_domains, surely_unmanaged, travelling
from hxm.policy.state.quorum import acts_without_quorum
from hxm.policy.state.whereabouts import whereabouts

UNTOLD = {
    "restore": "name its configuration file as well: hxm restore FILE IMAGE",
    "new": "give it a configuration file that can be read, and that names the domU",
    "create": "give it a configuration file that can be read, and that names the domU",
    "define": "give it a file that can be read, and that names the domU",
    "shell": "run each command separately",
    "serve": "run each command separately",
}
"""Commands whose domU is named only in a file or nowhere, and what to do instead."""


MAKES = frozenset(("create", "new", "restore", "resume", "start"))
"""Commands of xl, xm and virsh that start a domU."""

ATTACHES = frozenset(
    (
        *("block-attach", "block-configure", "cd-insert", "scsi-attach"),
        "qemu-monitor-command",
        *("attach-disk", "attach-device", "update-device", "change-media", "blockcopy"),
    )
)
"""Commands of xl's, xm's and virsh's that give a disk to a domU."""

REPLACES = frozenset(("migrate", "config-update"))
"""Commands that may name a file, which replaces the domU's configuration."""


def up_to_date(cluster: Cluster) -> None:
    """Raises CannotAsk or NoQuorum where the CIB at hand may not be the cluster's.

    Without a DC it is what this host knew when it was last a member, and in a partition without
    quorum the others may have a newer one: a domU that is managed there would look unmanaged.
    """
    what = "which domUs are managed is not certain: this host's copy of the CIB may be old"
    if not cluster.dc:
        raise CannotAsk(f"{what}, there is no DC", "wait for the election: hxm status")
    if not cluster.quorum and not acts_without_quorum(cluster):
        raise NoQuorum(f"{what}, this partition has no quorum", "bring the other nodes back")


def runs_nowhere_else(
    domains: Sequence[Domain], elsewhere: Mapping[str, Collection[str] | str]
) -> None:
    """Raises Refused where the toolstack of another node runs one of these, which is to be started.

    `elsewhere` is what each runs, or why that is unknown: then, and if none has it, CannotAsk.
    """
    for domain in domains:
        for node, names in elsewhere.items():
            if not isinstance(names, str) and {domain.name, *domain.also} & set(names):
                raise Refused(
                    f"{domain.name} runs on {node}", "two of them destroy what is on its disks"
                )
    silent = {node: why for node, why in elsewhere.items() if isinstance(why, str)}
    for node, why in silent.items():
        names = listed([domain.name for domain in domains])
        raise CannotAsk(
            f"whether {names} runs on {node} is unknown: {why}",
            f"see to it that it does not; then: hxm guard bypass --reason '{node} is off' -- ...",
        )


def operands(words: Sequence[str]) -> list[str]:
    """What may name a domain: every word, and the value in --domain=VALUE and in -dVALUE."""
    names = []
    for word in words:
        if not word.startswith("-"):
            names.append(word)
        elif "=" in word:
            names.append(word.split("=", 1)[1])
        elif len(word) > 2 and not word.startswith("--"):
            names.append(word[2:])
    return names


def naming(cluster: Cluster, words: Sequence[str]) -> list[str]:
    """The words that may name a domain: behind one that does, numbers are only numbers."""
    names = []
    named = False
    for word in operands(words):
        if not word.isdigit():
            named = named or bool(find_domains(cluster, word))
        elif named:
            continue
        names.append(word)
    return names


def judge(
    row: Command,
    words: Sequence[str],
    cluster: Cluster,
    *,
    filed: Sequence[str] = (),
    local_only: bool = False,
) -> str:
    """The warning with which the command may pass (empty: none). Raises Refused if it may not.

    Any word that may mean a managed domU counts, wherever it stands: `rename other nfs` would make
    a second nfs. So does a name in `filed`, which the configuration files among the words give.
    Raises CannotAsk if nobody can tell.
    """
    named = managed(cluster, row, [*words, *filed])
    if row.name in UNTOLD and cluster.managed_domains and not (named or filed):
        raise Refused(
            f"whom {row.name} means by this cannot be told, and it may be a managed domU",
            UNTOLD[row.name],
        )
    if not named:
        surely_unmanaged(cluster, operands(words)[:1])
        return ""
    for objection in half_way(cluster, named):
        raise Refused(f"{objection.what}: {row.name} is refused", objection.do)
    warning = _warning(row, words, cluster, named, local_only=local_only)
    _on_this_host(row, words, cluster, named)
    return warning


def _on_this_host(
    row: Command, words: Sequence[str], cluster: Cluster, named: Sequence[Domain]
) -> None:
    """Raises Refused for a domU of another host: this host's toolstack does not know it.

    Where it is not known which node this host is, nothing is made to run that runs already.
    """
    for domain in named:
        elsewhere = domain.places and cluster.local_node not in domain.places
        if elsewhere and (cluster.local_node or row.name in MAKES):
            there = f"ssh {domain.places[0]} hxm {' '.join((row.name, *words))}"
            hint = "two of them destroy what is on its disks" if row.name in MAKES else there
            raise Refused(f"{domain.name} {whereabouts(cluster, domain)}", hint)


def _warning(
    row: Command,
    words: Sequence[str],
    cluster: Cluster,
    named: Sequence[Domain],
    *,
    local_only: bool,
) -> str:
    """As `judge`, of managed domUs, whatever host they are on."""
    watched = [domain for domain in named if not guards.looked_away(cluster, domain)]
    if row.name == "unpause":
        return _unpause(row, words, cluster, named)
    if not watched:
        away = [guards.looked_away(cluster, domain) for domain in named]
        reasons = listed([looked_away.reason for looked_away in away if looked_away])
        return f"passed through, because {reasons}: the cluster does not look"
    domain = watched[0]
    deadly = row.name == "sysrq" and any(word in DEADLY_SYSRQ for word in operands(words)[1:])
    if row.policy == RUNTIME and not deadly:
        return f"warning: {row.name} {domain.name}: {row.why}{_hint(row, domain, '; ')}"
    if row.local_only and local_only:
        return f"warning: {row.name} {domain.name}: {row.why}"
    why = "it stops the guest, which the monitor would take for a failure" if deadly else row.why
    instead = f"instead: hxm reboot {typed(domain)}" if deadly else _hint(row, domain, "instead: ")
    raise _refusal(cluster, row, domain, why, instead)


def _unpause(row: Command, words: Sequence[str], cluster: Cluster, named: Sequence[Domain]) -> str:
    """The way out of a pause, but not for what is paused because it is being copied."""
    words_travel = any(at_home(word) != word for word in operands(words))
    for domain in named:
        copies = (row for row in cluster.domains if at_home(row.name) == domain.name)
        if words_travel or any(map(travelling, copies)) or guards.migrating(cluster, domain):
            raise _refusal(cluster, row, domain, row.why, _hint(row, domain, "instead: "))
    return ""


def _refusal(cluster: Cluster, row: Command, domain: Domain, why: str, instead: str) -> Refused:
    where = f" (it {whereabouts(cluster, domain)})" if domain.running else ""
    return Refused(
        f"the cluster manages {domain.name}{where}; {row.name} is refused: {why}", instead
    )


def managed(cluster: Cluster, row: Command, words: Sequence[str]) -> list[ManagedDomain]:
    """The managed domUs that some word may mean, each once."""
    candidates = naming(cluster, words)
    if row.name == "restore":  # a saved image is mostly called after its domU
        files = [os.path.basename(word) for word in candidates]
        candidates += [*files, *(name.split(".")[0] for name in files)]
    meant = (domain for word in candidates for domain in find_domains(cluster, word))
    return list(dict.fromkeys(domain for domain in meant if is_managed(domain)))


def _hint(row: Command, domain: Domain, lead: str) -> str:
    remedy = row.remedy(typed(domain), domain.xmfile or "")
    return lead + remedy if remedy else ""

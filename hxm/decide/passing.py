"""Which of the toolstack's own commands may pass, given whom they mean."""

from __future__ import annotations

import os
from collections.abc import Sequence

from hxm.command import DEADLY_SYSRQ, RUNTIME, Command
from hxm.decide import guards, listed
from hxm.decide.names import find_domains
from hxm.errors import Refused
from hxm.model import Cluster, Domain

_MAKES = {
    "restore": "name its configuration file as well: hxm restore FILE IMAGE",
    "new": "give it a configuration file that can be read, and that names the domU",
}
"""Commands that bring a domU about, and how they tell which one."""


def operands(words: Sequence[str]) -> list[str]:
    """What may name a domain: every word, and the value in --domain=VALUE and in -dVALUE."""
    found = []
    for word in words:
        if not word.startswith("-"):
            found.append(word)
        elif "=" in word:
            found.append(word.split("=", 1)[1])
        elif len(word) > 2 and not word.startswith("--"):
            found.append(word[2:])
    return found


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
    A word of digits means a domid, or else it may be any number.
    """
    named = _managed(cluster, row, [*words, *filed])
    if row.name in _MAKES and cluster.managed_domains and not (named or filed):
        raise Refused(
            f"which domU {row.name} makes of this cannot be told, and it may be a managed one",
            _MAKES[row.name],
        )
    watched = [each for each in named if not guards.looked_away(cluster, each)]
    if not watched:
        away = [guards.looked_away(cluster, each) for each in named]
        reasons = listed([each.reason for each in away if each])
        return f"passed through, because {reasons}: the cluster does not look" if named else ""
    domain = watched[0]
    deadly = row.name == "sysrq" and any(word in DEADLY_SYSRQ for word in operands(words)[1:])
    if row.policy == RUNTIME and not deadly:
        return f"warning: {row.name} {domain.name}: {row.why}{_hint(row, domain, '; ')}"
    if row.local_only and local_only:
        return f"warning: {row.name} {domain.name}: {row.why}"
    why = "it stops the guest, which the monitor would take for a failure" if deadly else row.why
    where = f" (it runs on {listed(domain.nodes)})" if domain.running else ""
    raise Refused(
        f"the cluster manages {domain.name}{where}; {row.name} is refused: {why}",
        f"instead: hxm reboot {domain.name}" if deadly else _hint(row, domain, "instead: "),
    )


def _managed(cluster: Cluster, row: Command, words: Sequence[str]) -> list[Domain]:
    candidates = operands(words)
    if row.name == "restore":  # a saved image is mostly called after its domU
        files = [os.path.basename(word) for word in candidates]
        candidates += [*files, *(name.split(".")[0] for name in files)]
    found = (domain for word in candidates for domain in find_domains(cluster, word))
    return list(dict.fromkeys(domain for domain in found if domain.resource))


def _hint(row: Command, domain: Domain, lead: str) -> str:
    if not row.instead:
        return ""
    return lead + row.instead.format(domain=domain.name, xmfile=domain.xmfile)

"""Resolves a word of the command line to a domU or a node."""

from __future__ import annotations

import os
from collections.abc import Sequence

from hxm.errors import Ambiguous, CannotAsk, Joined, NotFound, Refused, WrongKind
from hxm.model import Cluster, Domain, Node
from hxm.policy import listed, resource_ids


def find_domains(cluster: Cluster, word: str) -> list[Domain]:
    """Every domain that `word` may mean: name, resource id, configuration file, domid or uuid.

    As in xl a word of digits is a domid first, with zeros before it and modulo 2^32
    (libxl_utils.c); unlike xl it may then still be a name. Where xm is
    the toolstack its order holds: a name, then a domid, then a uuid (xend's domain_lookup_nr).
    What xl and xm call by another name during a migration is the domU that migrates.
    """
    digits = word.isascii() and word.isdigit() and len(word) < 100
    number = int(word) & 0xFFFFFFFF if digits else None
    matching = [
        domain
        for domain in cluster.domains
        if domain.name in (word, at_home(word))
        or word in domain.also
        or domain.resource == word
        or domain.uuid == word.lower()
        or (number is not None and domain.id == number)
        or _is_its_file(domain, word)
    ]
    if (cluster.toolstack or "").rpartition("/")[2] == "xm":
        matching = [domain for domain in matching if domain.name == word] or matching
    return list(
        dict.fromkeys(meant for domain in matching for meant in _at_its_own(cluster, domain))
    )


def _at_its_own(cluster: Cluster, domain: Domain) -> list[Domain]:
    """The managed domUs that a traveller is an instance of; anything else is itself."""
    if domain.resource or not travelling(domain):
        return [domain]
    name = at_home(domain.name)
    return [domain for domain in cluster.domains if domain.resource and domain.name == name] or [
        domain
    ]


def travelling(domain: Domain) -> bool:
    """Whether this is what the toolstack calls an instance on its way to another host."""
    return at_home(domain.name) != domain.name


def at_home(name: str) -> str:
    """The name without what a migration adds to it (xl 4.17; xend)."""
    for suffix in ("--incoming", "--migratedaway"):
        name = name.removesuffix(suffix)
    return name.removeprefix("migrating-")


def find_domain(cluster: Cluster, word: str) -> Domain:
    """The one domain that `word` means. Raises NotFound with those that exist, or Ambiguous."""
    matching = find_domains(cluster, word)
    if len(matching) > 1:
        meant = (f"{domain.name} (resource {domain.resource})" for domain in matching)
        raise Ambiguous(
            f"{shown(word)} may mean any of: {', '.join(meant)}",
            "use the resource id that no other has, or the configuration file",
        )
    if not matching and cluster.toolstack_fault:
        raise CannotAsk(
            f"the cluster has no domU {shown(word)}, and this host cannot be asked: "
            f"{cluster.toolstack_fault}",
        )
    if not matching and cluster.node(word):
        raise WrongKind(word, "node", "domU", f"the domUs on it: hxm list --node {word}")
    if not matching and word in resource_ids(cluster):
        hint = "these take it: hxm why, start, default, cleanup and unmigrate"
        raise WrongKind(word, "resource of the cluster", "domU", hint)
    parts = [part for part in word.split(",") if part]
    if not matching and "," in word and parts and all(find_domains(cluster, p) for p in parts):
        raise Joined(word)
    if not matching:
        names = [domain.name for domain in cluster.guests]
        every = "every domU is '*', or -a where the command has it"
        hint = every if word == "all" else near_to(word, names)
        raise NotFound(f"there is no domU {shown(word)}", hint)
    return matching[0]


def matching(cluster: Cluster, word: str) -> list[Domain]:
    """The domUs that a pattern such as `vm1*` means, or the one that a word without * means.

    Raises NotFound if it means none, or Ambiguous.
    """
    if not is_pattern(cluster, word):
        return [find_domain(cluster, word)]
    from fnmatch import fnmatchcase

    alike = [domain for domain in cluster.guests if fnmatchcase(domain.name, word)]
    if not alike:
        names = [domain.name for domain in cluster.guests]
        raise NotFound(f"no domU is called {shown(word)}", f"there are: {listed(names)}")
    return alike


def is_pattern(cluster: Cluster, word: str) -> bool:
    """Whether a word is a pattern, and not the name of a domU, a path or anything else."""
    return ("*" in word or "?" in word) and "/" not in word and not find_domains(cluster, word)


def find_resources(cluster: Cluster, word: str) -> frozenset[str]:
    """The resource that `word` means, with the group and clone that it is in; not only domUs.

    Raises NotFound or Ambiguous as find_domain does.
    """
    known = resource_ids(cluster) | {constraint.resource for constraint in cluster.constraints}
    if word in known and not find_domains(cluster, word):
        return frozenset((word,))
    domain = find_domain(cluster, word)
    if not domain.resource:
        raise Refused(f"the cluster does not manage {domain.name}: nothing to change")
    return cluster.ids_of(domain)


def surely_unmanaged(cluster: Cluster, names: Sequence[str]) -> None:
    """Raises CannotAsk if one of these, which no managed domU is called, may yet be one.

    A managed domU whose name stands in a file that cannot be read here may have any name.
    """
    nameless = [domain for domain in cluster.managed_domains if domain.nameless]
    if nameless and names:
        raise CannotAsk(
            f"{listed(names)} may be a managed domU: the name of {nameless[0].resource} "
            f"stands in {nameless[0].xmfile}, which cannot be read here",
            "do it where the file can be read, or set the resource's parameter: name",
        )


def find_node(cluster: Cluster, word: str) -> Node:
    """The node of that name. Raises NotFound with those that exist."""
    if node := cluster.node(word):
        return node
    names = [node.name for node in cluster.nodes]
    if find_domains(cluster, word):
        raise WrongKind(word, "domU", "node", f"the nodes are: {listed(names)}")
    raise NotFound(f"there is no node {shown(word)}", near_to(word, names))


def shown(word: str) -> str:
    """A word of the user's as it may be repeated: short, and in printable characters."""
    return repr(word if len(word) <= 60 else f"{word[:57]}...")


def _is_its_file(domain: Domain, word: str) -> bool:
    """Xm looks for a bare file name in the current folder and in /etc/xen; xl takes a path."""
    if not domain.xmfile or not ("/" in word or "." in word):
        return False
    return os.path.normpath(domain.xmfile) in (
        os.path.abspath(word),
        os.path.normpath(os.path.join("/etc/xen", word)),
        os.path.normpath(os.path.join(os.path.dirname(domain.xmfile), word)),
    )


def near_to(word: str, names: Sequence[str]) -> str:
    """A hint at the one name that is nearest, in any case, or at all that there are."""
    import difflib  # 3 ms, and `hxm list` needs the rest of this

    alike = {name.lower(): name for name in names}
    near = difflib.get_close_matches(word.lower(), alike, 2)
    likeness = [difflib.SequenceMatcher(None, word.lower(), name).ratio() for name in near]
    if likeness and likeness[0] > max(likeness[1:], default=0.0):
        return f"did you mean {alike[near[0]]}?"
    return f"there are: {listed(names)}"

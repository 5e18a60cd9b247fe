"""A cluster in a file, run by Pacemaker's real scheduler, and failures to inject into it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hxm.cluster.read import read_cluster, sandbox_file
from hxm.cluster.unfenced import cluster_copy, unfenced
from hxm.config import Config, read_config
from hxm.errors import DONE, Failed, NotFound, Refused, UsageError
from hxm.host.safe_files import make_folders, write_new
from hxm.model import Cluster, Domain, ManagedDomain, Node, is_managed
from hxm.orders.lock import one_at_a_time
from hxm.output import render
from hxm.pacemaker import sandbox
from hxm.pacemaker.sandbox_cib import Seed, seed_cib, seed_names
from hxm.pacemaker.sandbox_past import Past, mark_settled
from hxm.pacemaker.simulate import Scratch, commit
from hxm.policy import counted
from hxm.policy.forecast import movement_text, movements
from hxm.policy.names import find_domains, find_node, near_to, shown

if TYPE_CHECKING:
    from hxm.arguments.options import (
        At,
        Checked,
        Directory,
        DomainsCount,
        Night,
        NightDirectory,
        NodeOrDomain,
        NodesCount,
        OneNode,
        Unfenced,
    )


def new(directory: Directory, nodes: NodesCount = 2, domains: DomainsCount = 2) -> int:
    """Create a cluster in a file, with as many hosts and domUs as you like.

    What happens there is kept beside the file, as Pacemaker keeps it, for `hxm history`. To what
    other tools change in the file the cluster reacts with `hxm sandbox settle`.
    """
    folder = os.path.abspath(directory)
    cib_file = os.path.join(folder, "cib.xml")
    if os.path.exists(cib_file):
        raise Refused(
            f"{cib_file} exists already",
            f"use it: export CIB_file={shlex.quote(cib_file)}; or remove the folder",
        )
    hosts, guests = seed_names(nodes, domains)
    xmfiles = {name: os.path.join(folder, f"{name}.xm") for name in guests}
    try:
        make_folders(folder, 0o755)
        for number, (name, path) in enumerate(xmfiles.items(), 1):
            write_new(path, _xmfile(name, number).encode(), 0o644)
        write_new(cib_file, seed_cib(Seed(hosts, xmfiles)))
        mark_settled(cib_file)
    except OSError as error:
        raise Failed(f"{error.filename or folder}: {error.strerror}") from None
    made = f"{counted(nodes, 'host')} and {counted(domains, 'domU')}"
    render.note(f"{made}; to use the sandbox, set CIB_file:")
    render.out(f"export CIB_file={shlex.quote(cib_file)}")
    return DONE


def fail(subject: NodeOrDomain, unfenced: Unfenced = False, operation: At = "monitor") -> int:
    """Simulate a power loss of a node or a crash of a domU or of any resource, and the reaction."""
    with _changed() as (cluster, copy):
        victim = _victim(cluster, subject)
        if isinstance(victim, Domain):
            if unfenced:
                raise UsageError(
                    "--unfenced is for a member of the cluster", "hxm sandbox fail --help"
                )
            _crash(cluster, copy, victim, operation)
        else:
            if operation != "monitor":
                raise UsageError("--operation is for a domU", "hxm sandbox fail --help")
            copy.inject([f"--node-fail={victim.name}"])
            sandbox.elect(copy.path)
        if unfenced:
            render.out(f"{victim.name} is lost, and not yet fenced")
        else:
            _settle(cluster, copy)
            sandbox.elect(copy.path)
    return DONE


def recover(node: OneNode) -> int:
    """Switch a lost node on again: it joins the cluster with a working network."""
    with _changed() as (cluster, copy):
        sandbox.pass_a_second(copy.path)
        lost = find_node(cluster, node)
        if lost.kind == "member":
            copy.inject([f"--node-up={lost.name}"])
        elif lost.away:
            connection = lost.container or lost.name
            what = f"{lost.name} is a node as long as {connection} runs"
            raise Refused(what, f"hxm why {connection}")
        sandbox.reconnect(copy.path, lost.name)
        sandbox.elect(copy.path)
        _settle(cluster, copy)
    return DONE


def lose_quorum() -> int:
    """Take the quorum away: the cluster stops everything."""
    return _set_quorum(False)


def regain_quorum() -> int:
    """Give the quorum back."""
    return _set_quorum(True)


def lose_network(node: OneNode) -> int:
    """Disconnect a node from its ping targets: domUs may not run there."""
    with _changed() as (cluster, copy):
        sandbox.set_connected(copy.path, find_node(cluster, node).name, "0")
        _settle(cluster, copy)
    return DONE


def settle() -> int:
    """Let the cluster react to what Pacemaker's own tools changed in the file."""
    with _changed() as (cluster, copy):
        _settle(cluster, copy)
    return DONE


def _night_file(cib_file: str) -> str:
    """What marks a sandbox as a night."""
    return os.path.join(os.path.dirname(os.path.realpath(cib_file)), "night")


def lesson(number: Night = None, directory: NightDirectory = None, check: Checked = False) -> int:
    """List the nights to learn from, or create one in a new folder, or check it.

    Each night is a sandbox in which something is wrong. It is over when all domUs run, and `hxm
    status` finds nothing any more: then the check ends with status 0, otherwise with 1.

    Example: `hxm sandbox lesson 1 ./night1`, and when it is mended, `hxm sandbox lesson --check`.
    """
    from hxm.orders import lessons

    if check:
        config = _config_of_a_sandbox()
        if not os.path.exists(_night_file(sandbox_file() or "")):
            raise Refused("this sandbox is no night to learn from", "hxm sandbox lesson lists them")
        left = list(lessons.solved(read_cluster(config, local=False, why=True)))
        for line in left:
            render.out(f"not over: {line}")
        if not left:
            render.out("the night is over: all domUs run, and nothing needs attention")
        return Failed.status if left else DONE
    if number is None:
        for count, night in enumerate(lessons.LESSONS, 1):
            render.out(f"{count:>2}  {night.title}")
        return DONE
    if not number.isascii() or not number.isdigit() or not 1 <= int(number) <= len(lessons.LESSONS):
        raise UsageError(f"there is no night {shown(number)}", "hxm sandbox lesson lists them")
    if directory is None:
        raise UsageError("a night needs a new folder", f"hxm sandbox lesson {number} DIR")
    new(directory)
    cib_file = os.environ["CIB_file"] = os.path.join(os.path.abspath(directory), "cib.xml")
    write_new(_night_file(cib_file), f"{number}\n".encode())
    with _changed() as (cluster, copy):
        lessons.LESSONS[int(number) - 1].fault(cluster, copy)
    render.note(lessons.story_of(int(number)))
    render.note("to look: hxm status; whether it is over: hxm sandbox lesson --check")
    return DONE


SUBCOMMANDS = (new, lesson, fail, recover, lose_network, lose_quorum, regain_quorum, settle)


def _config_of_a_sandbox() -> Config:
    if not sandbox_file():
        raise Refused(
            "CIB_file is not set, and a real cluster is not a sandbox",
            "export CIB_file=DIR/cib.xml; hxm sandbox new DIR makes one",
        )
    return read_config()


def _set_quorum(have: bool) -> int:
    with _changed() as (cluster, copy):
        sandbox.set_quorum(copy.path, have)
        _settle(cluster, copy)
    return DONE


@contextmanager
def _changed() -> Iterator[tuple[Cluster, Scratch]]:
    """The sandbox's cluster and a copy of its file, which becomes the file if all goes well."""
    config, file = _config_of_a_sandbox(), sandbox_file() or ""
    with one_at_a_time():
        cluster = read_cluster(config, local=False)
        with cluster_copy(file, config, Past(file)) as copy:
            yield cluster, copy
            commit(copy, file)


def _settle(cluster: Cluster, copy: Scratch) -> None:
    moved = movements(copy.settle(), cluster)
    for movement in moved:
        if movement.resource not in cluster.cloned:
            render.out(movement_text(cluster, movement))
    if not moved:
        render.out("nothing moves")
    for node, objection in unfenced(copy, read_config()).items() if copy.holds else ():
        render.note(f"{node} is not fenced: {objection.what}", objection.do)


def _crash(cluster: Cluster, copy: Scratch, domain: ManagedDomain, operation: str) -> None:
    """The monitor finds the domU gone, and the recovery that follows may fail in its turn."""
    if not domain.running:
        raise Refused(f"{domain.name} does not run, so it cannot crash", f"hxm start {domain.name}")
    resource, node = domain.resource, domain.nodes[0]
    if operation == "migrate":
        from hxm.orders.lessons import migration_fails

        targets = [host.name for host in cluster.hosts if host.usable and host.name != node]
        if not targets:
            raise Refused(f"there is no other node for {domain.name}", "hxm nodes")
        migration_fails(cluster, copy, domain, targets[0])
        return
    found_gone = f"--op-inject={resource}_monitor_{_monitor_interval(cluster, domain)}@{node}=7"
    if operation == "monitor":
        copy.inject([found_gone])
        return
    copy.simulate([found_gone, f"--op-fail={resource}_{operation}_0@{node}=1"])
    if operation == "start":
        sandbox.set_start_failed(copy.path, resource, node)


def _monitor_interval(cluster: Cluster, domain: ManagedDomain) -> int:
    """In milliseconds, as the names of operations have it."""
    for operation in cluster.primitives[domain.resource].operations:
        if operation.get("name") == "monitor":
            return int(operation.get("interval", "10s").rstrip("s")) * 1000
    raise Refused(f"{domain.name} has no monitor: the cluster would not notice")


def _victim(cluster: Cluster, word: str) -> Node | ManagedDomain:
    """The node, the domU, or another resource as one: of a clone the instance on its first node."""
    victim = cluster.node(word)
    if victim and victim.kind != "member":  # it is lost with the resource that makes it a node
        word, victim = victim.container or word, None
    domains = [domain for domain in find_domains(cluster, word) if is_managed(domain)]
    for inside in () if domains else cluster.primitives.values():
        if word in (inside.id, inside.parent, inside.clone):
            states = [r for r in cluster.resources if r.id.partition(":")[0] == inside.id]
            nodes = tuple(node for state in states for node in state.nodes)
            domains.append(Domain(word, inside.id, nodes=nodes, managed=True))
    if not domains and not victim:
        known = [node.name for node in cluster.nodes]
        known += [domain.name for domain in cluster.managed_domains]
        raise NotFound(f"there is neither a node nor a domU {shown(word)}", near_to(word, known))
    return victim or domains[0]


def _xmfile(name: str, number: int) -> str:
    """The file of a domU of the sandbox: an EVMS volume, the shared LUN for nfs, one interface."""
    disks = f"'phy:/dev/evms/san2/vm{number + 1},xvda,w'"
    if name == "nfs":
        disks += ", 'phy:/dev/mapper/mpath1,xvdc,w'"
    mac = f"00:16:3e:32:{number >> 8 & 255:02x}:{number & 255:02x}"
    return (
        f'name = "{name}"\nmemory = 512\nvcpus = 1\nbootloader = "pygrub"\n'
        f"disk = [ {disks} ]\nvif = [ 'mac={mac}', ]\nvfb = [ \"type=vnc,vncunused=1\" ]\n"
    )

"""hxm capacity: whether everything fits, also if a node fails."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from hxm.cluster import capacity
from hxm.cluster.read import read_cluster, with_other_nodes
from hxm.config import read_config
from hxm.errors import DONE
from hxm.model import Cluster, ManagedDomain
from hxm.output import TABLE, Form, Table, as_json, capacity_bars, render
from hxm.output.progress import display
from hxm.pacemaker.utilization import utilization_in
from hxm.policy import called, listed, typed
from hxm.policy.memory import (
    ATTRIBUTES,
    Host,
    Loss,
    Needs,
    amiss,
    can_start,
    how_many,
    not_fenced,
    one_sided,
    with_overhead,
    without_place,
)
from hxm.policy.names import find_node
from hxm.policy.state.quorum import acts_without_quorum
from hxm.policy.unjudged import may_start
from hxm.policy.utilization import (
    UNHEEDED,
    Utilization,
    active_on,
    shortage,
)

if TYPE_CHECKING:
    from hxm.arguments.options import Add, Everywhere, Long, Nagios, Without

WARNING, CRITICAL, UNKNOWN = 1, 2, 3
_WORDS = {DONE: "OK", WARNING: "WARNING", CRITICAL: "CRITICAL", UNKNOWN: "UNKNOWN"}


class _More(NamedTuple):
    """How many more domUs of a size would run: now, and whichever node is lost."""

    memory: int
    taken: int
    now: int | None
    always: int | None
    without: str = ""
    """The one node that may be lost, where one was named."""


class _Answer(NamedTuple):
    cluster: Cluster
    hosts: Sequence[Host]
    needs: Needs
    losses: Sequence[Loss]
    more: _More | None
    findings: Sequence[str]
    amiss: Sequence[str]
    used: Utilization = UNHEEDED

    @property
    def status(self) -> int:
        verdicts = {loss.fits for loss in self.losses}
        always = self.more.always if self.more else 1
        if not can_start(self.cluster):
            return UNKNOWN  # the scheduler places nothing, whatever fits
        if self.amiss or False in verdicts or always == 0:
            return CRITICAL
        if None in verdicts or always is None:
            return UNKNOWN
        return WARNING if self.findings else DONE


def run(
    without: Without = None,
    add: Add = None,
    everywhere: Everywhere = False,
    long: Long = False,
    nagios: Nagios = False,
    form: Form = TABLE,
) -> int:
    """Show the memory of the hosts, and whether everything still fits if any one of them fails.

    For each node, the cluster's scheduler computes where its domUs would go, with their constraints
    and priorities; hxm checks the memory there, and tries other nodes as the cluster would. The
    memory of a host comes from `xl info`: for this host, and with --everywhere or ask_nodes for
    all; otherwise from the node attribute hv_memory in the CIB (MiB for domUs). A domU counts with
    what it has or what its file asks for, whichever is more, plus xl's overhead. Unknown values are
    reported, never guessed.

    Every domU that should run counts, whether it runs or not. Status 0: everything fits. 1: it
    does, but utilization attributes are set on one side only. 2: a domU does not fit, or none of
    the size of --add; or a domU has no place already. 3: unknown: no quorum, or no fencing.

    Example: `hxm capacity --everywhere`, or `hxm capacity --without host1 --add 2G`.
    """
    config = read_config()
    ask = everywhere or config.ask_nodes
    cluster = read_cluster(config)
    if ask:
        cluster = with_other_nodes(cluster, config)
    needs, cib = capacity.read_needs(cluster), capacity.read_cib(config)
    names = [node.name for node in cluster.hosts]
    hosts = capacity.read_hosts(cluster, config, needs, cib, names if ask else ())
    online = [node.name for node in cluster.hosts if node.reachable]
    nodes = [find_node(cluster, without).name] if without else online
    losses = _losses(cluster, nodes, hosts, needs)
    used = utilization_in(cib)
    uneven = list(one_sided(cluster, used, needs, hosts))
    more = _more(cluster, hosts, losses, add) if add else None
    if more and without:
        more = more._replace(without=nodes[0])
    now = list(amiss(cluster, losses, used))
    answer = _Answer(cluster, hosts, needs, losses, more, uneven, now, used)
    if form.output == "json":
        render.show_json(_json(answer))
    elif nagios:
        render.out(_one_line(answer))
    else:
        _show(answer, form, long=long)
    return answer.status


def _losses(
    cluster: Cluster, nodes: Sequence[str], hosts: Sequence[Host], needs: Needs
) -> list[Loss]:
    """The loss of each node; asks the scheduler at least once for each."""
    losses: list[Loss] = []
    with display("what if a node is lost") as shown:
        shown.left(nodes, len(nodes))
        for loss in capacity.after_losses(cluster, nodes, hosts, needs):
            losses.append(loss)
            shown.left(nodes[len(losses) :], len(nodes))
    return losses


def _show(answer: _Answer, form: Form, *, long: bool) -> None:
    """Show the hosts, with `long` also the domUs; in a format for one table only the domUs."""
    drawn = form.output in ("table", "plain")
    if drawn or not long:
        render.show(_hosts_table(answer), form)
    if form.usual and sys.stdout.isatty():
        for line in capacity_bars.lines(answer.hosts, answer.needs, answer.losses):
            render.out(line)
    if long:
        if drawn:
            render.out("")
        render.show(_domains_table(answer.needs, answer.used), form)
    for line in _lines(answer):
        (render.prose if drawn else render.beside)(line)


def _more(cluster: Cluster, hosts: Sequence[Host], losses: Sequence[Loss], size: int) -> _More:
    taken = with_overhead(size)
    usable = {node.name for node in cluster.hosts if node.usable}
    now = how_many([host.free for host in hosts if host.name in usable], taken)
    now = now if can_start(cluster) else 0
    after = [
        loss.room_for(
            taken, [place.host.name for place in loss.places if place.host.name in usable]
        )
        for loss in losses
    ]
    known = [number for number in (now, *after) if number is not None]
    sure = len(known) == len(after) + 1 or 0 in known
    return _More(size, taken, now, min(known) if sure else None)


def _or_unknown(value: int | None) -> str:
    return "?" if value is None else str(value)


def _hosts_table(answer: _Answer) -> Table:
    verdicts = {loss.node: _verdict(answer, loss) for loss in answer.losses}
    rows = []
    for host in answer.hosts:
        node = answer.cluster.node(host.name)
        here = [need for need in answer.needs.values() if host.name in need.domain.nodes]
        by_toolstack = host.source not in ATTRIBUTES
        known = [need.taken for need in here if need.taken is not None]
        rows.append(
            (
                host.name,
                node.condition if node else "",
                *((_or_unknown(host.total), _or_unknown(host.dom0)) if by_toolstack else "--"),
                str(sum(known)) if len(known) == len(here) else "?",
                _or_unknown(None if host.free is None else max(host.free, 0)),
                *_left(answer, host.name),
                verdicts.get(host.name, "-"),
            )
        )
    counted = [f"{key} left" for key in answer.used.heeded]
    headers = ("Host", "State", "Memory", "Dom0", "DomUs", "Free", *counted, "If it is lost")
    right = frozenset(range(2, 6 + len(counted)))
    return Table(headers, rows, right, gives_way=(3, 2, 1, 4))


def _left(answer: _Answer, host: str) -> Iterator[str]:
    """What the scheduler counts of each utilization attribute on a host."""
    used, there = answer.used, active_on(answer.cluster, host)
    for key in used.heeded:
        yield f"{used.left(host, key, there)} of {used.offered(host, key)}"


def _domains_table(needs: Needs, used: Utilization) -> Table:
    rows = [
        (
            need.domain.name,
            ",".join(need.domain.nodes) or "-",
            _or_unknown(need.memory),
            "-" if need.most is None else str(need.most),
            _or_unknown(need.taken),
            *(str(used.asked([name]).get(key, "-")) for key in used.heeded),
        )
        for name, need in needs.items()
    ]
    headers = ("DomU", "Node", "Memory", "Maxmem", "Takes", *used.heeded)
    return Table(headers, rows, frozenset(range(2, len(headers))))


def _verdict(answer: _Answer, loss: Loss) -> str:
    if loss.fits:
        return "everything fits"
    if _stops_for_quorum(answer, loss):
        return "no quorum"
    if loss.fits is None:
        return "not fenced" if loss.unfenced else "unknown"
    names = [domain.name for domain in loss.nowhere]
    return f"no place for {listed(names, 3)}"


def _stops_for_quorum(answer: _Answer, loss: Loss) -> bool:
    """Whether a place is missing because the other nodes would have no quorum."""
    unheeded = loss.quorate or acts_without_quorum(answer.cluster)
    return bool(loss.nowhere) and not unheeded


def _lines(answer: _Answer) -> Iterator[str]:
    """The remarks below the table, the most serious first."""
    if answer.cluster.maintenance:
        yield ""
        yield "The cluster is in maintenance; this is what holds when it is over:"
    sections = [
        ("Now", answer.amiss),
        *((f"Without {loss.node}", [*_why(answer, loss)]) for loss in answer.losses),
        ("Not known", [*_unknown(answer)]),
        ("Utilization", [*answer.findings, *_room_by_hand(answer)]),
    ]
    for title, lines in sections:
        if lines:
            yield ""
            yield f"{title}:"
            yield from (f"  {line}" for line in lines)
    if answer.more:
        yield ""
        yield _more_line(answer.more)


def _why(answer: _Answer, loss: Loss) -> Iterator[str]:
    """The problems that the loss would add to the present ones."""
    if _stops_for_quorum(answer, loss):
        if answer.cluster.quorum:
            yield "the other nodes would have no quorum"
        return
    unexplained: list[ManagedDomain] = []
    for domain in loss.nowhere:
        if domain in without_place(answer.cluster, answer.losses):
            continue
        refused = [
            refusal for refusal in loss.refused if refusal.need.domain.resource == domain.resource
        ]
        if refused:
            where = ", ".join(f"{refusal.left} on {refusal.host}" for refusal in refused)
            yield f"{domain.name} takes {refused[0].need.taken} MiB; there would be {where}"
        elif short := shortage(answer.used, domain.resource, _after(answer, loss)):
            yield f"no other node has room for {domain.name}: it {short}"
        else:
            unexplained.append(domain)
    if unexplained:
        yield f"no other node may run {called(unexplained)}: hxm why {typed(unexplained[0])}"


def _after(answer: _Answer, loss: Loss) -> dict[str, set[str]]:
    """The resources on each other usable host after a loss."""
    usable = {node.name for node in answer.cluster.hosts if node.usable}
    return {
        place.host.name: {need.domain.resource for need in place.fit}
        | active_on(answer.cluster, place.host.name)
        for place in loss.places
        if place.host.name in usable
    }


def _room_by_hand(answer: _Answer) -> Iterator[str]:
    """What makes room where utilization leaves a domU without a place."""
    used = answer.used
    short = {
        domain.resource
        for loss in answer.losses
        for domain in loss.nowhere
        if shortage(used, domain.resource, _after(answer, loss))
    }
    for key in used.asked(short):
        yield f"placement-strategy={used.strategy}: {key} decides; a host has more, or a domU less:"
        for command in ("offer", "ask"):
            yield f"  {may_start(answer.cluster, answer.cluster.advice(command, attribute=key))}"


def _unknown(answer: _Answer) -> Iterator[str]:
    """The hosts and domUs whose memory counts but is unknown, and why; what is not fenced."""
    yield from not_fenced(answer.losses)
    counts = {name for loss in answer.losses for name in loss.unknown}
    silent: dict[str, list[str]] = {}
    for host in answer.hosts:
        if host.free is None and (host.name in counts or answer.more):
            silent.setdefault(host.why, []).append(host.name)
    yield from (f"{listed(names)}: {why}" for why, names in silent.items())
    for need in answer.needs.values():
        if need.memory is None:
            yield f"{need.domain.name}: its memory is unknown ({need.domain.xmfile})"


def _more_line(more: _More) -> str:
    size = f"{more.memory // 1024} GiB" if more.memory % 1024 == 0 else f"{more.memory} MiB"
    if more.always is None:
        return f"it is unknown how many more of {size} would run"
    now = "unknown" if more.now is None else more.now
    run = f"{more.always} more of {size} would run"
    if more.without:
        return f"{run} without {more.without}, {now} with it ({more.taken} MiB each)"
    return f"{run} if any one node fails, {now} while none does ({more.taken} MiB each)"


def _one_line(answer: _Answer) -> str:
    sentences = [*answer.amiss]
    for loss in answer.losses:
        if why := [*_why(answer, loss)]:
            sentences.append(f"without {loss.node}: {'; '.join(why)}")
    if answer.status == UNKNOWN:
        sentences += _unknown(answer)
    sentences += answer.findings
    sentences += [_more_line(answer.more)] if answer.more else []
    return f"HXM {_WORDS[answer.status]}: {'; '.join(sentences) or 'everything fits'}"


def _json(answer: _Answer) -> dict[str, Any]:
    return {
        "hosts": as_json.keyed_rows(answer.hosts, as_json.HOST),
        "domains": [
            {
                "name": need.domain.name,
                "resource": need.domain.resource,
                "nodes": need.domain.nodes,
                "memory": need.memory,
                "maxmem": need.most,
                "takes": need.taken,
            }
            for need in answer.needs.values()
        ],
        "losses": [
            {
                "node": loss.node,
                "fits": loss.fits,
                "quorum": loss.quorate,
                "nowhere": [domain.name for domain in loss.nowhere],
                "unknown": loss.unknown,
                "unfenced": loss.unfenced.what if loss.unfenced else "",
                "places": [
                    {
                        "host": place.host.name,
                        "comes": [need.domain.name for need in place.fit],
                        "left": place.left,
                    }
                    for place in loss.places
                ],
            }
            for loss in answer.losses
        ],
        "add": as_json.keyed(answer.more, as_json.MORE_DOMUS) if answer.more else None,
        "findings": list(answer.findings),
        "amiss": list(answer.amiss),
        "utilization": [
            {
                "node": host.name,
                "attribute": key,
                "offered": answer.used.offered(host.name, key),
                "left": answer.used.left(host.name, key, active_on(answer.cluster, host.name)),
            }
            for host in answer.hosts
            for key in answer.used.heeded
        ],
    }

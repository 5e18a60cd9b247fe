"""The status page: one document that needs nothing else, as `hxm status -o html` prints it."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import time
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from hxm import __version__
from hxm.model import Cluster
from hxm.output.render import parts
from hxm.output.styles import style_of
from hxm.output.tables import by_remedy, flags, resources_table, role
from hxm.output.times import iso_time
from hxm.policy import duration, listed
from hxm.policy.state.lock import order_at_work
from hxm.policy.state.summary import doubled
from hxm.web.hosts import host_cards, nowhere
from hxm.web.snapshot import Snapshot
from hxm.web.time_line import time_line

REFRESH = 5
"""Seconds after which the page reloads."""

_MARKS = {"green": "\N{CHECK MARK}", "yellow": "\N{WARNING SIGN}", "red": "\N{BALLOT X}"}
_HERE = os.path.dirname(__file__)
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""What no HTML document may have, not even as a reference."""


class Section(NamedTuple):
    """A table of the page."""

    id: str
    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]


def page(known: Snapshot, *, served: bool) -> str:
    """The page in ASCII, so that no locale and no server can garble it.

    `served` is the one of `hxm serve`, which knows how old it is and has more to offer; the age of
    one in a file is reckoned by the browser.
    """
    cluster = known.cluster
    tone, state = headline(known)
    hosts = host_cards(cluster, known.picture, known.arrived) if cluster else []
    return _rendered(
        "page.html",
        known=known,
        remedies=by_remedy(known.findings),
        cluster=cluster,
        tone=tone,
        mark=_MARKS[tone],
        state=state,
        host=cluster.local_node or os.uname().nodename if cluster else "",
        name=cluster.name if cluster else "",
        summary=list(_summary(cluster)) if cluster else [],
        hosts=hosts,
        kinds={part.kind for host in hosts for part in host.parts},
        nowhere=nowhere(cluster) if cluster else [],
        past=time_line(cluster, known.picture) if cluster and known.picture.at else None,
        sections=list(_sections(cluster)) if cluster else [],
        seen=_clock(known.at),
        seen_iso=iso_time(known.at),
        age=duration(known.age),
        refresh=REFRESH,
        served=served,
    )


def login_page(complaint: str = "") -> str:
    """The form that asks a browser's user for the token."""
    return _rendered("login.html", complaint=complaint)


def headline(known: Snapshot) -> tuple[str, str]:
    """The state in a few words, which are also the page's title, and its tone."""
    cluster = known.cluster
    if not cluster:
        return "red", "Nothing is known of the cluster"
    if known.fault:
        return "red", f"Not known since {_clock(known.at)}"
    if not cluster.quorum:
        return "red", "NO QUORUM"
    if not cluster.dc:
        return "red", "No DC"
    for word in doubled(cluster):
        return "red", word.text
    if lost := [node.name for node in cluster.nodes if node.unclean]:
        return "red", f"{listed(lost)} UNCLEAN"
    if known.findings:
        count = len(known.findings)
        things = "1 thing needs" if count == 1 else f"{count} things need"
        return "yellow", f"{things} attention"
    return "green", "All is well"


def _clock(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(at))


def policy() -> str:
    """The Content-Security-Policy of both pages: their own style and script, and nothing else."""
    return (
        f"default-src 'none'; style-src {_digest('page.css')}; script-src {_digest('page.js')}; "
        "connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'"
    )


def _summary(cluster: Cluster) -> Iterator[tuple[str, str, str]]:
    """The facts about the cluster as a whole: name, words, tone."""
    yield ("Quorum", "yes", "green") if cluster.quorum else ("Quorum", "NO QUORUM", "red")
    yield ("Fencing", "on", "green") if cluster.fencing else ("Fencing", "FENCING OFF", "red")
    asleep = cluster.maintenance
    yield ("Maintenance", "MAINTENANCE", "yellow") if asleep else ("Maintenance", "no", "")
    yield ("DC", cluster.dc, "") if cluster.dc else ("DC", "no DC", "red")
    arrow = " \N{RIGHTWARDS ARROW} "
    moving = [
        f"{guest.name} {guest.where.replace('->', arrow)}"
        for guest in cluster.guests
        if guest.in_flight
    ]
    yield ("Under way", listed(moving, 4), "cyan") if moving else ("Under way", "nothing", "")
    if order := order_at_work(cluster):
        yield "Order", order, "cyan"
    yield ("Generation", cluster.dialect, "")
    yield ("Toolstack here", cluster.toolstack or "not asked", "")


def _sections(cluster: Cluster) -> Iterator[Section]:
    domains = [
        (
            guest.name,
            role(cluster, guest),
            " ".join(guest.nodes) or "-",
            flags(cluster, guest),
        )
        for guest in cluster.guests
    ]
    managed = {domain.resource for domain in cluster.managed_domains}
    others = cluster._replace(
        resources=tuple(resource for resource in cluster.resources if resource.id not in managed)
    )
    resources = [(name, *rest, agent) for name, agent, *rest in resources_table(others).rows]
    failures = [(f.resource, f.operation, f.node, f.when, f.reason) for f in cluster.failures]
    yield _section("domus", "DomUs", ("DomU", "Role", "Node", "Flags"), domains)
    columns: Sequence[str] = ("Resource", "Role", "Nodes", "Flags", "Agent")
    yield _section("others", "Other resources", columns, resources)
    columns = ("Resource", "Action", "Node", "When", "Why")
    yield _section("failures", "Failed actions", columns, failures)


def _section(
    name: str, title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]
) -> Section:
    """A table without the columns that say nothing: a phone is narrow."""
    shown = [number for number, _ in enumerate(headers) if any(row[number] for row in rows)]
    return Section(
        name, title, [headers[n] for n in shown], [[row[n] for n in shown] for row in rows]
    )


def _visible(value: Any) -> Any:
    """A text without what HTML cannot have; what is marked as HTML is no text of the cluster's."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", value) if type(value) is str else value


def _rendered(template: str, **known: object) -> str:
    text: str = _templates().get_template(template).render(known)
    return text.encode("ascii", "xmlcharrefreplace").decode()


@cache
def _templates() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        finalize=_visible,
        loader=FileSystemLoader(_HERE),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["tone"] = style_of
    environment.filters["parts"] = parts
    environment.globals.update(version=__version__, policy=policy(), asset=_asset)
    return environment


@cache
def _asset(name: str) -> Any:
    """One of the page's own files: not escaped, because nothing in it comes from the cluster."""
    from markupsafe import Markup

    with open(os.path.join(_HERE, name), encoding="ascii") as file:
        return Markup(file.read())  # noqa: S704


def _digest(name: str) -> str:
    digest = hashlib.sha256(str(_asset(name)).encode("ascii")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"

"""hxm check: find problems before they cause damage."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from hxm.cluster.lock_holder import with_holder_state
from hxm.cluster.read import read_cluster
from hxm.config import read_config
from hxm.errors import DONE
from hxm.output import TABLE, Form, Table, render
from hxm.policy.audit import ERROR, PASSING, WARNING, chosen, severity_of, still_found
from hxm.policy.names import find_domain
from hxm.policy.state.findings import Finding
from hxm.policy.state.lock import order_that_runs

if TYPE_CHECKING:
    from hxm.arguments.options import Everywhere, MaybeSubject, Nagios
    from hxm.audit.survey import Surveyed
    from hxm.model import Cluster

_STATUS = {WARNING: 1, ERROR: 2}
_A_MOMENT = 2.0  # seconds: a guest that reboots is not listed for one or two


def run(
    subject: MaybeSubject = None,
    everywhere: Everywhere = False,
    nagios: Nagios = False,
    form: Form = TABLE,
) -> int:
    """Find latent problems: shared disks, files that differ, missing guards.

    Status 0 means no findings, 1 warnings, 2 errors. Each finding has a code, listed in hxm(8)
    under CHECKS. `ignore` in /etc/hxm.toml names findings that are intended, as `code` or as
    `code:domU`. The check covers files, devices, guard and domUs of this host; with --everywhere,
    or ask_nodes = true in /etc/hxm.toml, those of the other nodes as well: all are asked in
    parallel, by one ssh each, for at most ssh_timeout seconds. A node that does not answer is a
    finding. With --nagios the output is one line, also if the cluster cannot be asked (status 3).

    Example: `hxm check`, `hxm check nfs`, or `hxm check --everywhere --nagios`.
    """
    cluster, findings, asked = _look(subject, everywhere)
    status = max((_STATUS[severity_of(finding)] for finding in findings), default=DONE)
    if form.output == "json":
        unknown = dict(cluster.unreachable)
        keys = ("code", "severity", "subject", "what", "do")
        rows = [dict(zip(keys, row, strict=True)) for row in _rows(findings)]
        order = order_that_runs(cluster) or None
        render.show_json({"findings": rows, "asked": asked, "unknown": unknown, "order": order})
    elif nagios:
        render.out(_one_line(findings, status))
    elif not form.usual:
        render.show(
            Table(("Code", "Severity", "Subject", "What", "What to do"), _rows(findings)), form
        )
    else:
        _show(findings)
        if order := order_that_runs(cluster):
            render.note(f"{order}; what it may have set is not told")
        if not asked and not cluster.unreachable and len(cluster.hosts) > 1 and not cluster.sandbox:
            render.note("the other nodes were not asked: hxm check --everywhere")
    return status


def _look(subject: str | None, everywhere: bool) -> tuple[Cluster, list[Finding], list[str]]:
    """The cluster, the findings, and the other nodes that answered.

    Gathers twice if a finding may be momentary.
    """
    from hxm.audit.gather import ask_others, gather_findings

    config = read_config()

    def once() -> tuple[Cluster, list[Finding], list[str]]:
        cluster = with_holder_state(read_cluster(config, why=True), config)
        answers: dict[str, Surveyed] = {}
        thorough = everywhere or config.ask_nodes
        if thorough:
            cluster, answers = ask_others(cluster, config)
        name = subject
        if subject and not cluster.node(subject):
            name = find_domain(cluster, subject).name
        everything = gather_findings(cluster, config, answers, thorough=thorough)
        findings = chosen(everything, config.ignore.split(), name)
        return cluster, findings, list(answers)

    cluster, findings, asked = once()
    if not cluster.sandbox and any(finding.code in PASSING for finding in findings):
        time.sleep(_A_MOMENT)
        first = findings
        cluster, findings, asked = once()
        findings = still_found(first, findings)
    return cluster, findings, asked


def _rows(findings: list[Finding]) -> list[tuple[str, ...]]:
    return [
        (finding.code, severity_of(finding), finding.subject, finding.what, finding.do)
        for finding in findings
    ]


def _show(findings: list[Finding]) -> None:
    for finding in findings:
        render.prose(f"{severity_of(finding)}: {finding.what} [{finding.code}]")
        render.out(f"    {finding.do}")
    if not findings:
        render.out("no problems found")


def _one_line(findings: list[Finding], status: int) -> str:
    text = "; ".join(finding.what for finding in findings[:3]) or "no problems found"
    more = f"; {len(findings) - 3} more" if len(findings) > 3 else ""
    line = " ".join(f"{text}{more}".split()).replace("|", "/")  # a bar begins performance data
    counts = Counter(severity_of(finding) for finding in findings)
    data = f"errors={counts[ERROR]};;0 warnings={counts[WARNING]};0"
    return f"HXM {('OK', 'WARNING', 'CRITICAL')[status]}: {line} | {data}"

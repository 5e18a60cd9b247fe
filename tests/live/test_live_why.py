"""Troubles made for real, explained by hxm why, and mended by what it says and nothing else."""

from __future__ import annotations

import shlex

import pytest
from lab import DOMAINS
from trouble import never_twice


@pytest.fixture
def lab(three):
    three.reset()
    yield three
    assert not three.doubles(), three.story()


def _meta(lab, option, value, resource):
    words = f"--resource={resource} --meta --set-parameter={option} --parameter-value={value}"
    lab.tool(lab.hosts[0], "crm_resource", *words.split())


def _property(lab, name, value):
    lab.tool(lab.hosts[0], "crm_attribute", f"--name={name}", f"--update={value}")


def _constraint(lab, xml):
    lab.tool(lab.hosts[0], "cibadmin", "--create", "--scope=constraints", f"--xml-text={xml}")


def _told_to_stop(lab, domain):
    _meta(lab, "target-role", "Stopped", domain)


def _banned_everywhere(lab, domain):
    for host in lab.hosts:
        lab.tool(lab.hosts[0], "crm_resource", "--ban", "-r", domain, "-N", host)


def _banned_and_told_to_stop(lab, domain):
    _banned_everywhere(lab, domain)
    _told_to_stop(lab, domain)


def _unmanaged_and_dead(lab, domain):
    _meta(lab, "is-managed", "false", domain)
    lab.until("the cluster has taken note", lab.idle)
    lab.run(lab.where(domain), "xl", "destroy", domain)


def _a_rule(lab, domain):
    _constraint(
        lab,
        f'<rsc_location id="site" rsc="{domain}"><rule id="site-rule" score="-INFINITY">'
        '<expression id="site-e" attribute="site" operation="not_defined"/></rule></rsc_location>',
    )


def _what_it_needs_is_stopped(lab, domain):
    needed = next(each for each in DOMAINS if each != domain)
    _told_to_stop(lab, needed)
    _constraint(lab, f'<rsc_order id="o" first="{needed}" then="{domain}" kind="Mandatory"/>')


def _no_ticket(lab, domain):
    _constraint(lab, f'<rsc_ticket id="t" rsc="{domain}" ticket="T" loss-policy="stop"/>')


def _failed_everywhere(lab, domain):
    names = [f"create@{host}" for host in lab.hosts]
    for name in names:
        lab.turn(name, rc=1)
    lab.run(lab.where(domain), "xl", "destroy", domain)
    lab.until("it has failed everywhere", lambda: not lab.nodes_of(domain) and lab.idle(), 120)
    for name in names:
        (lab.shared / "knobs" / name).unlink()


def _maintenance_and_dead(lab, domain):
    home = lab.where(domain)
    _property(lab, "maintenance-mode", "true")
    lab.run(home, "xl", "destroy", domain)
    lab.tool(lab.hosts[0], "crm_resource", "--refresh", "-r", domain)


def _all_in_standby(lab, _):
    for host in lab.hosts:
        lab.tool(host, "crm_standby", "-N", host, "-v", "on")
        # Pacemaker 2.1.5 may lose a domU whose migration it is told to give up, and start another
        lab.tool(host, "crm_resource", "--wait")


def _everything_is_stopped(lab, _):
    _property(lab, "stop-all-resources", "true")


def _opt_in(lab, _):
    _property(lab, "symmetric-cluster", "false")


AT_ONCE = {
    "a stop, bans, a rule": (_told_to_stop, _banned_everywhere, _a_rule),
    "a ticket, two reasons, dead": (_no_ticket, _banned_and_told_to_stop, _unmanaged_and_dead),
    "what it needs is stopped": (_what_it_needs_is_stopped,),
    "failed everywhere": (_failed_everywhere,),
    "in maintenance, and dead": (_maintenance_and_dead,),
    "every node in standby": (_all_in_standby,),
    "stop-all-resources": (_everything_is_stopped,),
    "opt-in": (_opt_in,),
}
"""Troubles of one domU each, or of the whole cluster."""


def _typed(lab, domain) -> list[str]:
    """What hxm says of the domU, typed until it runs."""
    typed: list[str] = []
    for _ in range(3):
        ran = lab.ok(lab.hosts[0], "why", domain, "-o", "json")
        print(ran)  # shown if the test fails
        for reason in ran.json["reasons"]:
            command = reason["command"]
            if reason["confirmed"] and command and command not in typed:
                words = shlex.split(command)
                typed.append(command)
                lab.tool(lab.hosts[0], *words, *(["--yes"] if words[0] == "hxm" else []))
        if lab.nodes_of(domain):
            break
    return typed


@pytest.mark.parametrize("name", AT_ONCE)
def test_what_hxm_why_says_mends_it(lab, name):
    troubled = list(zip(DOMAINS, AT_ONCE[name], strict=False))
    for domain, trouble in troubled:
        trouble(lab, domain)
    for domain, _ in troubled:
        lab.until(f"{domain} is down", lambda domain=domain: not lab.nodes_of(domain))
    lab.until("the cluster rests", lab.idle)
    typed = [_typed(lab, domain) for domain, _ in troubled]
    for domain, _ in troubled:
        runs = lambda domain=domain: len(lab.nodes_of(domain)) == 1  # noqa: E731
        lab.until(f"{domain} runs after {typed}", runs, timeout=30)
    never_twice(lab)

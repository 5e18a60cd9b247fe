"""hxm why, asked in every trouble of the sandbox and of clusters that were captured."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

LAB = Path(__file__).parents[1] / "data" / "pacemaker-2.1.5-lab"


def asked(sandbox, *words: str) -> tuple[str, list[dict[str, Any]]]:
    """What is said, and the reasons."""
    answer = sandbox.ok("why", *words, "-o", "json").json
    return answer["says"], answer["reasons"]


FENCERS = ("STONITH", "STONITH-iLO-host1")
HELPLESS = tuple(f"@crm_resource -r {name} --meta -p target-role -v Stopped" for name in FENCERS)
NIGHTLY = (
    "<meta_attributes id='nightly'><rule id='nr' score='INFINITY'>"
    "<date_expression id='nre' operation='gt' start='2026-01-01'/></rule>"
    "<nvpair id='nightly-tr' name='target-role' value='Stopped'/></meta_attributes>"
)
"""What can fence host1."""


def put(sandbox, text: str) -> None:
    sandbox.tool("cibadmin", "--create", "--scope=constraints", f"--xml-text={text}")


def carry_out(sandbox, commands) -> None:
    """Lines of hxm, which may end with the failure that they inject; @ for another tool's.

    XML is for rsc_defaults.
    """
    for line in commands:
        if line.startswith("<"):
            sandbox.tool("cibadmin", "-C", "-o", "rsc_defaults", "-X", line)
        elif line.startswith("@"):
            sandbox.tool(*shlex.split(line[1:]))
        else:
            sandbox.hxm(*line.split())


def test_a_healthy_domu_takes_three_lines(sandbox):
    lines = sandbox.ok("why", "nfs").out.splitlines()
    assert lines == [
        "nfs runs on host1",
        "  it stays where it is: its stickiness is INFINITY",
        "  scores: host1 INFINITY, host2 0",
    ]


def test_a_node_that_nothing_forbids_is_offered(sandbox):
    says, reasons = asked(sandbox, "nfs", "host2")
    assert says == "nfs does not run on host2, but on host1"
    assert reasons[-1]["do"] == "hxm migrate nfs host2"
    sandbox.ok("migrate", "nfs", "host2")


def test_what_was_told_to_stop_says_so_and_how_to_start_it(sandbox):
    sandbox.ok("shutdown", "nfs")
    says, (reason,) = asked(sandbox, "nfs")
    assert says == "nfs does not run"
    assert reason["evidence"] == "target-role=Stopped, at the domU itself"
    sandbox.ok(*reason["do"].split()[1:])
    assert sandbox.nodes_of("nfs")


def by_defaults(sandbox, option: str, value: str) -> None:
    sandbox.tool(
        "cibadmin",
        "--modify",
        f"--xml-text=<rsc_defaults><meta_attributes id='opt'><nvpair id='o' name='{option}'"
        f" value='{value}'/></meta_attributes></rsc_defaults>",
    )


def by_template(sandbox, option: str, value: str) -> None:
    """Of nfs and sles."""
    template = (
        '<template id="big" class="ocf" provider="heartbeat" type="Xen"><meta_attributes id="opt">'
        f'<nvpair id="o" name="{option}" value="{value}"/></meta_attributes></template>'
    )
    text = sandbox.file.read_text().replace("<resources>", f"<resources>{template}", 1)
    text = re.sub(
        r'<primitive [^>]*id="(nfs|sles)"[^>]*>', r'<primitive id="\1" template="big">', text
    )
    sandbox.file.write_text(text)


def test_a_role_of_a_template_is_overridden_at_one_domu_alone(sandbox):
    by_template(sandbox, "target-role", "Stopped")
    sandbox.hxm("sandbox", "settle")
    answer = sandbox.ok("why", "nfs", "-o", "json").json
    (reason,) = answer["reasons"]
    assert reason["evidence"] == "target-role=Stopped, inherited from the template big (set opt)"
    assert reason["confirmed"]
    assert "sles" not in " ".join(answer["also"])
    assert "the template big has target-role=Stopped" in sandbox.ok("status").out
    sandbox.ok(*reason["command"].split()[1:], "--yes")
    assert sandbox.nodes_of("nfs")
    assert not sandbox.nodes_of("sles")


def test_a_role_that_is_inherited_is_changed_where_it_stands(sandbox):
    place = "rsc_defaults"
    by_defaults(sandbox, "target-role", "Stopped")
    sandbox.hxm("sandbox", "settle")
    answer = sandbox.ok("why", "nfs", "-o", "json").json
    (reason,) = answer["reasons"]
    assert reason["evidence"] == f"target-role=Stopped, inherited from {place} (set opt)"
    assert reason["confirmed"]
    assert "sles would start on host2" in answer["also"]
    shown = sandbox.ok("status").out
    assert f"{place} has target-role=Stopped" in shown
    assert reason["if"] == "hxm check finds no shared disk"
    assert reason["command"] in shown
    sandbox.tool("sh", "-c", reason["command"])
    sandbox.hxm("sandbox", "settle")
    assert sandbox.nodes_of("nfs")
    assert sandbox.nodes_of("sles")


@pytest.mark.parametrize("give", [by_defaults, by_template])
def test_what_is_left_alone_and_told_to_stop_is_started_before_it_is_managed(sandbox, give):
    give(sandbox, "is-managed", "false")
    carry_out(sandbox, [STOPPED.replace("sles", "nfs")])
    _, reasons = asked(sandbox, "nfs")
    (do,) = [each["do"] for each in reasons if each["do"]]
    refused = sandbox.hxm("manage", "nfs").err
    assert "is-managed=false stands at" in refused
    start, end = do.removeprefix("to let it run: ").split(", then ")
    assert start in refused
    sandbox.ok(*start.split()[1:])
    sandbox.tool("sh", "-c", end)
    sandbox.hxm("sandbox", "settle")
    assert sandbox.nodes_of("nfs") == ["host1"]


def test_a_lost_ping_path_is_named_and_nothing_else(sandbox):
    for host in ("host1", "host2"):
        sandbox.ok("sandbox", "lose-network", host)
    says, reasons = asked(sandbox, "nfs")
    assert says == "nfs does not run"
    assert [(reason["what"], reason["command"]) for reason in reasons] == [
        (f"not on {host}: the node has lost its ping path", f"hxm sandbox recover {host}")
        for host in ("host1", "host2")
    ]
    evidence = "pingd is 0 there; nfs-connected: -INFINITY where pingd lte 0"
    assert all(evidence in reason["evidence"] for reason in reasons)


def test_a_failed_start_is_named_with_its_count_and_the_way_out(sandbox):
    for _ in range(2):
        sandbox.hxm("sandbox", "fail", "nfs", "--operation", "start")
    says, reasons = asked(sandbox, "nfs")
    assert says == "nfs does not run"
    assert {each["do"] for each in reasons} == {"hxm cleanup nfs host1", "hxm cleanup nfs host2"}
    assert all("fail count INFINITY" in each["evidence"] for each in reasons)
    assert "tries again: nfs would start on host1" in sandbox.ok("cleanup", "nfs", "host1").err
    assert sandbox.nodes_of("nfs") == ["host1"]


def test_what_failed_to_start_is_not_said_to_run(sandbox):
    sandbox.replace('id="nfs-start"', 'id="nfs-start" on-fail="block"')
    sandbox.hxm("sandbox", "fail", "nfs", "--operation", "start")
    says, (reason, *_) = asked(sandbox, "nfs")
    assert (says, reason["do"]) == ("nfs failed to start on host1", "hxm cleanup nfs host1")
    assert "failed-to-start" in sandbox.ok("list").out


def test_what_starts_it_is_typed_last(sandbox):
    for host in ("host1", "host2"):
        sandbox.tool("crm_resource", "--ban", "-r", "nfs", "-N", host)
    sandbox.ok("shutdown", "nfs")
    _, reasons = asked(sandbox, "nfs")
    *bans, stop = [each["do"] for each in reasons]
    assert (set(bans), stop) == ({"hxm unmigrate nfs"}, "hxm start nfs")
    sandbox.ok(*bans[0].split()[1:])
    sandbox.ok(*stop.split()[1:])


def test_a_ban_from_where_it_runs_is_named(sandbox):
    sandbox.tool("crm_resource", "--ban", "-r", "nfs", "-N", "host1")
    _, (first, *_) = asked(sandbox, "nfs")
    assert (first["what"], first["confirmed"]) == (
        "it may not run on host1: a ban keeps it away",
        True,
    )
    sandbox.ok("unmanage", "nfs", "--yes")
    _, reasons = asked(sandbox, "nfs", "host1")
    assert "it may not run on host1: a ban keeps it away" in [each["what"] for each in reasons]


@pytest.mark.parametrize(
    ("state", "condition"), [('id="2"', "OFFLINE"), ("", "UNCLEAN (offline)")], ids=["id", "no id"]
)
def test_a_node_that_is_off_has_no_ping_path_to_lose(sandbox, state, condition):
    sandbox.ok("sandbox", "fail", "host2")
    text = sandbox.file.read_text()
    (begin,) = re.findall(r'<node_state (?=[^>]*uname="host2")[^>]*>', text)
    sandbox.replace(begin, re.sub(r'id="[^"]*"', state, begin, count=1))
    _, (reason, *then) = asked(sandbox, "nfs", "host2")
    assert reason["what"] == f"the node is {condition}"
    assert [each["do"] for each in then] == ["hxm migrate nfs host2"]


def _banned_and_off(sandbox):
    sandbox.tool("crm_resource", "--ban", "-r", "nfs", "-N", "host1")
    sandbox.ok("sandbox", "lose-network", "host2")
    sandbox.tool("crm_simulate", "-x", str(sandbox.file), "-SX")


def test_status_and_a_refusal_print_what_the_scheduler_has_confirmed(sandbox):
    _banned_and_off(sandbox)
    expected = "nfs should run, and does not: not on host1: a ban keeps it away"
    assert expected in sandbox.ok("status").out
    assert expected in sandbox.hxm("start", "nfs").err
    assert "the scheduler was asked 3 times, 5 at most" in sandbox.ok("-v", "why", "nfs").err


def test_without_a_scheduler_nothing_is_confirmed(sandbox):
    _banned_and_off(sandbox)
    sandbox.program("crm_simulate", "exit 70")
    shown = sandbox.ok("status").out
    assert "does not: not confirmed: not on host1: a ban keeps it away" in shown
    assert "no domU may come to host2: not confirmed: the node has lost its ping path" in shown


def test_the_scheduler_s_no_is_told_with_its_reason(sandbox):
    sandbox.ok("shutdown", "nfs")
    for host in ("host1", "host2"):
        sandbox.tool("crm_resource", "--ban", "-r", "nfs", "-N", host)
    ran = sandbox.hxm("start", "nfs")
    assert ran.status == 107
    assert "the scheduler would not start nfs: a ban keeps it away" in ran.err
    assert "hxm unmigrate nfs" in ran.err


def test_of_two_failures_the_one_that_bars_is_named(sandbox):
    """The first is a monitor's, after which the start fails for good."""
    sandbox.tool("crm_resource", "-r", "nfs", "-m", "-p", "migration-threshold", "-v", "5")
    sandbox.ok("sandbox", "fail", "nfs")
    sandbox.hxm("sandbox", "fail", "nfs", "--operation", "start")
    _, reasons = asked(sandbox, "nfs", "host1")
    assert any("its start failed there" in each["what"] for each in reasons), reasons


@pytest.mark.parametrize(
    ("words", "what", "do"),
    [
        ("sandbox lose-quorum", "has no quorum", "hxm sandbox regain-quorum"),
        ("sandbox fail host1 --unfenced", "host1 is lost and not yet fenced", "sandbox settle"),
        ("maintenance on", "the whole cluster is in maintenance", "hxm maintenance off"),
        ("maintenance on host1", "host1 is in maintenance", "hxm maintenance off host1"),
        ("unmanage nfs", "nfs is unmanaged", "hxm manage nfs"),
        ("standby host2", "host2 may not run it: the node is in standby", "hxm active host2"),
        ("migrate nfs host2 --keep", "a move sent it there", "hxm unmigrate nfs"),
    ],
)
def test_the_weightiest_reason_is_the_first(sandbox, words, what, do):
    yes = [] if words.startswith("sandbox") else ["--yes"]
    sandbox.ok(*words.split(), *yes)
    _, (first, *_) = asked(sandbox, "nfs")
    assert what in first["what"]
    assert do in first["do"]


@pytest.mark.parametrize("words", [("sles",), ("sles", "host1")], ids=len)
def test_the_quorum_comes_before_the_fencing_that_waits_for_it(sandbox, words):
    sandbox.ok("sandbox", "fail", "host2", "--unfenced")
    sandbox.ok("sandbox", "lose-quorum")
    _, reasons = asked(sandbox, *words)
    ends = [(reason["what"].partition(":")[0], reason["command"]) for reason in reasons]
    assert {reason["if"] for reason in reasons[:2]} == {"hxm check finds no shared disk"}
    regain = "hxm sandbox regain-quorum"
    assert ends[:2] == [
        ("this partition has no quorum", regain),
        ("host2 is lost and not yet fenced", regain),
    ]
    sandbox.ok(*regain.split()[1:])
    assert sandbox.nodes_of("sles") == ["host1"]


STOPPED = "@crm_resource -r sles --meta -p target-role -v Stopped"
NO_FENCING = "@crm_attribute -n stonith-enabled -v false"
OF_A_HOST = {
    "told to stop": (
        (STOPPED, "sandbox settle"),
        ("host1", "coming", "sles", "it is told to stop", "hxm start sles"),
    ),
    "standby": (
        ("standby host2 --yes",),
        ("host2", "coming", "nfs", "the node is in standby", "hxm active host2"),
    ),
    "unclean": (
        ("sandbox fail host2 --unfenced",),
        ("host2", "leaving", "sles", "host2 is lost and not yet fenced", "sandbox settle"),
    ),
    "unclean, of another": (
        ("sandbox fail host2 --unfenced",),
        ("host1", "coming", "sles", "host2 is lost and not yet fenced", "sandbox settle"),
    ),
    "a failed stop": (
        (NO_FENCING, "sandbox fail nfs --operation stop"),
        ("host1", "leaving", "nfs", "nfs", "hxm cleanup nfs"),
    ),
}
"""What is done, and what is then said of a host: the domU, the reason and the command."""
AT_NIGHT = (
    '<rsc_location id="night" rsc="nfs"><rule id="r" score="-INFINITY">'
    '<date_expression id="e" operation="date_spec"><date_spec id="s" hours="0-23"/>'
    "</date_expression></rule></rsc_location>"
)
ONE_BEFORE = (
    '<rsc_order id="o" kind="Mandatory"><resource_set id="o1" require-all="false" '
    'sequential="false"><resource_ref id="sles"/><resource_ref id="vm3"/></resource_set>'
    '<resource_set id="o2"><resource_ref id="nfs"/></resource_set></rsc_order>'
)
APART = '<rsc_colocation id="apart" rsc="sles" with-rsc="nfs" score="-INFINITY"/>'
KEPT_OFF = {
    "what is to keep away from it": (APART, (), ["id='apart'"]),
    "a rule of the time in standby": (
        AT_NIGHT,
        ("standby host2 --yes",),
        ["hxm active host2", "id='night'"],
    ),
    "a rule of the time alone": (AT_NIGHT, (), ["id='night'"]),
    "an order": (
        ONE_BEFORE.replace('<resource_ref id="vm3"/>', ""),
        (STOPPED, "sandbox settle"),
        ["hxm start sles"],
    ),
}
"""A constraint, what is done then, and what is to be typed before nfs may come to host2."""


@pytest.mark.parametrize("name", KEPT_OFF)
def test_all_that_keeps_a_domu_off_a_host_is_confirmed(sandbox, name):
    constraint, commands, ends = KEPT_OFF[name]
    put(sandbox, constraint)
    carry_out(sandbox, ("sandbox settle", *commands))
    reasons = sandbox.ok("why", "host2", "-o", "json").json["coming"]["nfs"]
    assert all(reason["confirmed"] for reason in reasons)
    for reason, end in zip(reasons, ends, strict=True):
        assert end in reason["do"]


def test_what_must_keep_away_and_cannot_yield_is_named_by_what_it_avoids(bare):
    sandbox = bare.make("--nodes", "3", "--domains", "4")
    for name in ("nfs", "vm3", "vm4"):
        put(sandbox, APART.replace("nfs", name).replace("apart", f"apart-{name}"))
    assert "sles, which runs there, is to keep away" in sandbox.hxm("migrate", "nfs", "host2").err
    _, (first, then, *_) = asked(sandbox, "nfs", "host2")
    assert "sles, which runs there, is to keep away from it" in first["what"]
    sandbox.tool("sh", "-c", first["command"])
    sandbox.ok(*then["do"].split()[1:])
    assert sandbox.nodes_of("nfs") == ["host2"]


@pytest.mark.parametrize("name", OF_A_HOST)
def test_what_keeps_a_domu_on_a_host_or_off_it_is_named(sandbox, name):
    commands, (host, where, domain, what, do) = OF_A_HOST[name]
    carry_out(sandbox, commands)
    first = sandbox.ok("why", host, "-o", "json").json[where][domain][0]
    assert what in first["what"]
    assert do in first["do"]
    assert first["confirmed"]


@pytest.mark.parametrize("commands", [("sandbox lose-quorum",), ("maintenance on --yes",)], ids=str)
def test_a_host_is_not_called_free_below_what_stops_the_whole_cluster(sandbox, commands):
    carry_out(sandbox, commands)
    assert "nothing keeps" not in sandbox.ok("why", "host2").out


def test_a_way_out_that_hxm_refuses_before_the_fencing_is_named_after_it(sandbox):
    carry_out(sandbox, ("standby host1 --yes", "sandbox fail host2 --unfenced"))
    _, reasons = asked(sandbox, "sles", "host1")
    assert [each["what"].partition(":")[0] for each in reasons] == [
        "host2 is lost and not yet fenced",
        "the node is in standby",
    ]


BANS = ("@crm_resource --ban -r nfs -N host1", "@crm_resource --ban -r nfs -N host2")


def constraint(text: str) -> str:
    return f"@cibadmin -C -o constraints -X '<{text}/>'"


OFF_HOST2 = 'rsc_location id="off" rsc="configpool" node="host2" score="-INFINITY"'


def at_a_time(host: str) -> str:
    """A rule of the time that keeps sles off the host."""
    rule = (
        f'<rule id="r-{host}" score="-INFINITY" boolean-op="and"><expression id="e-{host}" '
        f'attribute="#uname" operation="eq" value="{host}"/><date_expression id="d-{host}" '
        'operation="gt" start="2020-01-01"/></rule>'
    )
    location = f'<rsc_location id="at-{host}" rsc="sles">{rule}</rsc_location>'
    return f"@cibadmin -C -o constraints -X '{location}'"


AGAINST = constraint('rsc_location id="w" rsc="sles" node="host1" score="-100"')
FOR = constraint('rsc_location id="p" rsc="sles" node="host1" score="90"')
FROZEN = constraint('rsc_ticket id="t" rsc="sles" ticket="T" loss-policy="freeze"')
DUMMY = '<primitive id="{}" class="ocf" provider="pacemaker" type="Dummy"/>'
GROUP = f'<group id="g">{DUMMY.format("a")}{DUMMY.format("b")}</group>'
AT_LEAST_TWO = (
    '<clone id="c"><meta_attributes id="c-meta"><nvpair id="c-min" name="clone-min" value="2"/>'
    f"</meta_attributes>{DUMMY.format('m')}</clone>"
)
OTHER_RACK = (
    'rsc_colocation id="r" rsc="sles" with-rsc="nfs" score="-INFINITY" node-attribute="rack"'
)
INSIDE = ("@crm_attribute -N host1 -n standby -v on", "sandbox settle")
"""What has nfs moved into the guest node."""
GUEST = "@crm_resource -r sles --meta -p remote-node -v guest1"
IN_PART = (
    f"@cibadmin -C -o resources -X '{GROUP}'",
    constraint('rsc_order id="o" first="g" then="sles"'),
    constraint('rsc_location id="l" rsc="g" node="host1" score="-INFINITY"'),
    "@crm_attribute -N host2 -l reboot -n fail-count-b#start_0 -v INFINITY",
    "sandbox settle",
)
SAID = {
    "an opt-in of nobody": (
        ("@crm_attribute -n symmetric-cluster -v false", "sandbox settle"),
        "why nfs",
        "no location allows anything on any node\n      if hxm check finds no shared disk: crm_",
    ),
    "a device that is banned": (
        ("@crm_resource --ban -r STONITH-iLO-host1 -N host2", "sandbox settle"),
        "why STONITH-iLO-host1",
        "STONITH-iLO-host1 does not run\n  not on host2: a ban keeps it away",
    ),
    "a move of another tool": (
        ("@crm_resource --move -r sles -N host1",),
        "why sles",
        "a move prefers host1 (cli-prefer-sles)",
    ),
    "a move of another tool that is over": (
        (
            "@crm_resource --move -r sles -N host1 -u PT1S",
            "@sleep 1.1",
            "sandbox settle",
        ),
        "why sles host1",
        "its stickiness is INFINITY\n  nothing forbids host1",
    ),
    "two maintenances": (
        ("maintenance on sles --yes", "maintenance on --yes"),
        "why sles",
        "the cluster leaves it alone: sles is in maintenance",
    ),
    "an end of maintenance that stops": (
        ("maintenance on --yes", STOPPED),
        "maintenance off",
        "     to let it run, first: hxm start sles --force --yes",
    ),
    "a ban on each host": (
        (*BANS, "sandbox settle"),
        "status",
        "nfs should run, and does not: a ban keeps it away",
    ),
    "another cause on each host": (
        (BANS[0], "@crm_standby -N host2 -v on", "sandbox settle"),
        "status",
        "a ban keeps it away; not on host2 for other reasons",
    ),
    "a command on each host": (
        ("standby host1 --yes", "standby host2 --yes --force"),
        "status",
        "each node is in standby",
    ),
    "stopped and banned": (
        (*BANS, "shutdown nfs"),
        "why nfs",
        "nfs does not run: it is told to stop, and would have no place if it were not",
    ),
    "a fencing that nothing can do": (
        (
            *HELPLESS,
            "sandbox fail host1 --unfenced",
        ),
        "why nfs",
        "nothing can fence host1: ",
    ),
    "a rule of rsc_defaults": (
        (NIGHTLY, "sandbox settle"),
        "why nfs",
        "by a rule: operation gt, start 2026-01-01)\n      if it is not meant, and hxm check finds",
    ),
    "a start without fencing": (
        (NIGHTLY, "sandbox settle"),
        "start nfs",
        "nfs would start on host1: nothing can fence host1: ",
    ),
    "a start without storage": (
        (NIGHTLY, "sandbox settle"),
        "start nfs --dry-run",
        "  asked about: nfs would start on host1: configpool does not run there",
    ),
    "a move to where its storage is not": (
        (constraint(OFF_HOST2), "sandbox settle"),
        "migrate nfs host2 --dry-run",
        "  asked about: nfs would move to host2: configpool does not run there",
    ),
    "a drain to where its storage is not": (
        (constraint(OFF_HOST2), "sandbox settle"),
        "standby host1 --dry-run",
        "  asked about: nfs would move to host2: configpool does not run there",
    ),
    "a start against a default": (
        (NIGHTLY, "sandbox settle"),
        "start nfs --yes",
        "target-role=Started stays at nfs, because rsc_defaults has target-role=Stopped by a rule",
    ),
    "what starts all at once": (
        ("@crm_attribute -n stop-all-resources -v true", "sandbox settle"),
        "status",
        "if hxm check finds no shared disk: crm_attribute --name=stop-all-resources --delete",
    ),
    "what starts none": (
        ("shutdown nfs sles", "@crm_attribute -n stop-all-resources -v true", "sandbox settle"),
        "status",
        "      crm_attribute --name=stop-all-resources --delete",
    ),
    "a refusal and what lifts it": (
        ("maintenance on nfs",),
        "shutdown nfs --dry-run",
        "nfs is in maintenance\n      hxm maintenance off nfs first; --force writes the order down",
    ),
    "a lost host without fencing": (
        (NO_FENCING, "sandbox fail host1 --unfenced"),
        "why nfs",
        "start it on host2\n  fencing is disabled: if nfs still runs on host1, it would run",
    ),
    "what is about to start": (
        (NO_FENCING, "sandbox fail host1 --unfenced"),
        "status",
        "nfs should run, and does not: the cluster is about to start it on host2",
    ),
    "a host without a ping path": (
        ("@crm_attribute -N host2 -n pingd -D -l reboot",),
        "why nfs host2",
        "the node has no ping path",
    ),
    "a failure that is forgotten": (
        ("@crm_resource -r nfs --meta -p failure-timeout -v 120", NO_FENCING, "sandbox fail nfs"),
        "why nfs",
        "forgotten after 120 s without a failure",
    ),
    "a failed stop": (
        (NO_FENCING, "sandbox fail nfs --operation stop"),
        "why nfs host2",
        "nfs is blocked by a failure: its stop failed on host1",
    ),
    "a health that is not the cause": (
        (
            "@crm_attribute -n node-health-strategy -v progressive",
            "@crm_attribute -n node-health-yellow -v -50",
            "@crm_attribute -N host1 -l reboot -n #health-smart -v yellow",
        ),
        "why sles host1",
        "\n  it stays where it is: its stickiness is INFINITY\n  the health of host1 counts -50",
    ),
    "a constraint that is not the cause": (
        (AGAINST,),
        "why sles host1",
        "INFINITY\n  a constraint is against the node (w: -100)\n  nothing forbids host1",
    ),
    "a constraint that decides": (
        (AGAINST, FOR, "@crm_resource -r sles -m -p resource-stickiness -v 50"),
        "why sles host1",
        "on host2\n  a constraint is against the node (w: -100)\n      if it is not meant: ",
    ),
    "an order after what may run elsewhere alone": (
        IN_PART,
        "why sles host1",
        "\n  g must start before it\n    b failed on host2 too often\n",
    ),
    "an order, and the host": (IN_PART, "why host1", "b failed on host2 too often"),
    "a group that has started in part": (IN_PART, "why g", "g runs only in part: a\n"),
    "what a cleanup of a group ends": (
        (*IN_PART, "cleanup g host2 --yes"),
        "why sles",
        "sles runs on",
    ),
    "a clone that has to run on more nodes": (
        (
            f"@cibadmin -C -o resources -X '{AT_LEAST_TWO}'",
            constraint('rsc_order id="o" first="c" then="nfs"'),
            "standby host2 --yes",
        ),
        "why nfs",
        "1 more instance of c must run before it (clone-min)\n    not on host2: the node is in",
    ),
    "a clone that has all of its instances elsewhere": (
        (
            "@crm_resource -r configpool --meta -p clone-max -v 1",
            constraint('rsc_colocation id="c" rsc="sles" with-rsc="configpool" score="INFINITY"'),
            "sandbox settle",
        ),
        "why sles host2",
        (
            "configpool runs 1 instance at most: on host1\n"
            "    for a move it would stop on host1, for good (clone-max=1)\n"
            "      if it may run on 2 nodes at once: crm_resource --resource=configpool --meta"
        ),
    ),
    "the rack of what it keeps away from": (
        (
            "@crm_attribute -N host1 -n rack -v r1",
            "@crm_attribute -N host2 -n rack -v r1",
            constraint(OTHER_RACK),
            "sandbox settle",
        ),
        "why sles",
        "it is to keep away from nfs, which has the same rack (r: -INFINITY)",
    ),
    "a domU that would be moved into one": (
        (GUEST, "sandbox settle", "sandbox recover guest1"),
        "why nfs guest1",
        "on host1\n  guest1 is a guest node: it runs inside sles, and takes no domU\n  scores",
    ),
    "a domU that the scheduler would move into one": (
        (GUEST, "sandbox settle", "sandbox recover guest1", "standby host2 --yes"),
        "standby host1 --yes",
        "nfs would move host1 -> guest1, live; guest1 is a guest node",
    ),
    "a domU in one": (
        (GUEST, "sandbox settle", "sandbox recover guest1", *INSIDE),
        "status",
        (
            "nfs is active on guest1: guest1 is a guest node: it runs inside sles, and takes no "
            'domU\n      cibadmin -C -o constraints -X \'<rsc_location id="nfs-not-on-guest1"'
        ),
    ),
    "a restart in one": (
        (GUEST, "sandbox settle", "sandbox recover guest1", *INSIDE),
        "reboot nfs",
        "nfs: restarted on guest1",
    ),
    "an order beside what would go into one": (
        (GUEST, "sandbox settle", "sandbox recover guest1", INSIDE[0]),
        "maintenance on sles",
        "sles is in maintenance until: hxm maintenance off sles",
    ),
    "a check of one": (
        (GUEST, "sandbox settle", "sandbox recover guest1"),
        "check",
        "nothing keeps nfs off guest1: guest1 is a guest node",
    ),
    "a fencing that an attribute asks for": (
        ("@crm_attribute -N host2 -l reboot -n terminate -v true",),
        "status",
        "that kills sles\n      if that is not meant: crm_attribute -N host2",
    ),
    "a guest node that fails": (
        (GUEST, "sandbox settle"),
        "sandbox fail guest1",
        "sles: restart on host2\nguest1: restart on host2",
    ),
    "a guest node that is not there": (
        (GUEST, "shutdown sles --yes"),
        "sandbox recover guest1",
        "guest1 is a node as long as sles runs\n     hxm why sles",
    ),
    "a fencing that waits for quorum": (
        (
            "@crm_attribute -n no-quorum-policy -v freeze",
            "sandbox lose-quorum",
            "sandbox fail host2 --unfenced",
        ),
        "why sles",
        "is told to\n      hxm sandbox regain-quorum\n  host2 is lost and not yet fenced",
    ),
    "a time for each host": (
        (*map(at_a_time, ("host1", "host2")), "sandbox settle"),
        "why sles",
        "not on host2: a rule that depends on the time keeps it away\n      at-host2",
    ),
    "a ticket that is lost": (
        (FROZEN,),
        "why sles host1",
        "hold the ticket T\n      t\n      if no other cluster holds it: crm_ticket --ticket=T",
    ),
    "a ticket in standby": (
        (FROZEN, "@crm_ticket -t T -g --force", "@crm_ticket -t T -r --force -s"),
        "status",
        "sles is frozen: the cluster does not hold the ticket T",
    ),
    "an order without the ticket": (
        (FROZEN,),
        "migrate sles host1",
        "the cluster would do nothing: sles is frozen: the cluster does not hold the ticket T",
    ),
    "an order after a failed stop": (
        (NO_FENCING, "sandbox fail nfs --operation stop"),
        "migrate nfs host2",
        "its stop failed on host1\n     hxm cleanup nfs host1 first",
    ),
}
"""What is done, what is asked then, and what is said."""


@pytest.mark.parametrize("name", SAID)
def test_the_cause_is_told_in_full(sandbox, name):
    commands, question, said = SAID[name]
    carry_out(sandbox, commands)
    ran = sandbox.hxm(*question.split())
    assert said in ran.out + ran.err


ASKED_OF_HELPLESS = (
    "status",
    "check",
    "why nfs",
    "why nfs host2",
    "why host1",
    "start nfs",
    "start nfs --dry-run",
    "migrate nfs host2",
    "migrate nfs host2 --dry-run",
    "sandbox settle",
)


def test_nothing_is_promised_of_a_fencing_that_cannot_come(sandbox):
    carry_out(sandbox, (*HELPLESS, "sandbox fail host1 --unfenced"))
    for question in ASKED_OF_HELPLESS:
        ran = sandbox.hxm(*question.split())
        said = ran.out + ran.err
        assert "nothing can fence host1: " in said, question
        assert "about to act" not in said, question
        assert "start on host2" not in said, question
        assert "host1: fenced" not in said, question
    assert "nfs: start on host2" in sandbox.hxm("start", "STONITH", "--dry-run").out
    ran = sandbox.hxm("start", "STONITH")
    assert (ran.status, "host1 would be fenced" in ran.err) == (107, True)
    sandbox.ok("start", "STONITH", "--yes")
    assert sandbox.nodes_of("nfs") == ["host2"]


def test_what_left_a_host_for_its_health_is_offered_no_move(sandbox):
    for name, value in (("strategy", "custom"), ("red", "-100")):
        sandbox.tool("crm_attribute", f"--name=node-health-{name}", f"--update={value}")
    sandbox.tool("crm_attribute", "-N", "host1", "-n", "#health-disk", "-v", "red", "-l", "reboot")
    sandbox.hxm("sandbox", "settle")
    (reason,) = asked(sandbox, "configpool", "host1")[1]
    assert reason["what"] == "the health of host1 counts -100"


@pytest.mark.parametrize("word", ["configpool", "configpool-child", "STONITH-child"])
def test_what_is_meant_to_run_on_every_host_is_no_trouble(sandbox, word):
    assert len(sandbox.ok("why", word).out.splitlines()) == 1


def test_a_failure_of_a_clone_is_ended_by_what_is_said(sandbox):
    sandbox.hxm("sandbox", "fail", "configpool", "--operation", "start")
    (node,) = {"host1", "host2"} - set(sandbox.nodes_of("configpool-child"))
    _, (reason, *_) = asked(sandbox, "configpool")
    assert reason["do"] == f"hxm cleanup configpool-child {node}"
    assert "made to fail in the sandbox" in reason["evidence"]
    sandbox.ok("cleanup", "configpool", node)
    assert node in sandbox.nodes_of("configpool-child")
    assert "Nothing needs attention" in sandbox.ok("status").out


OTHER_CAUSES = ("sandbox lose-network host1", "sandbox fail nfs --operation start")
MOVES_OF_STOPPED = [
    ((*BANS, "shutdown nfs"), "host2", "a ban keeps it away", ["unmigrate nfs", "start nfs"]),
    (OTHER_CAUSES, "host2", "its start failed there", ["cleanup nfs host2"]),
    (OTHER_CAUSES, "host1", "the node has lost its ping path", ["sandbox recover host1"]),
]
"""What is done, where nfs is to come, what is against that node, and what ends it."""


@pytest.mark.parametrize(("commands", "node", "cause", "ends"), MOVES_OF_STOPPED)
def test_a_move_of_what_is_stopped_names_what_is_against_the_node(
    sandbox, commands, node, cause, ends
):
    carry_out(sandbox, commands)
    refused = sandbox.hxm("migrate", "nfs", node).err
    assert f"nfs does not run, and would not on {node}: {cause}" in refused
    steps = [*ends, f"migrate nfs {node}"]
    assert ", then ".join(f"hxm {step}" for step in steps) in refused
    for step in steps:
        sandbox.ok(*step.split(), *([] if step.startswith("sandbox") else ["--yes"]))
    assert sandbox.nodes_of("nfs") == [node]


@pytest.mark.parametrize(
    ("commands", "state"),
    [
        (("sandbox lose-quorum",), "online, no quorum"),
        (("maintenance on --yes",), "online, maintenance"),
        (("@crm_attribute -n stop-all-resources -v true",), "online, all stopped"),
    ],
    ids=["quorum", "maintenance", "stop-all"],
)
def test_what_stops_the_whole_cluster_stands_at_each_node(sandbox, commands, state):
    carry_out(sandbox, commands)
    assert sandbox.ok("nodes").out.count(state) == 2


def test_a_rule_of_the_time_holds_on_all_nodes_and_shows_its_times(sandbox):
    put(sandbox, AT_NIGHT)
    sandbox.hxm("sandbox", "settle")
    _, (reason,) = asked(sandbox, "nfs")
    assert reason["what"] == "a rule that depends on the time keeps it away"
    assert reason["evidence"] == "night: hours 0-23"


def test_the_forecast_is_what_the_commands_bring(sandbox):
    """Both start together, and not always on the node that was asked about."""
    put(sandbox, '<rsc_colocation id="c" rsc="nfs" with-rsc="sles" score="INFINITY"/>')
    carry_out(sandbox, (STOPPED, "sandbox settle"))
    answers = {
        node: sandbox.ok("why", "nfs", node, "-o", "json").json for node in ("host1", "host2")
    }
    sandbox.ok("start", "sles")
    (reached,) = sandbox.nodes_of("nfs")
    (other,) = {"host1", "host2"} - {reached}
    assert answers[reached]["also"] == answers[other]["also"] == [f"sles would start on {reached}"]
    steps = [each["do"] for each in answers[other]["reasons"]]
    assert steps == ["hxm start sles", f"hxm migrate nfs {other}"]


def test_what_must_run_before_or_beside_it_is_named(sandbox):
    sandbox.ok("shutdown", "sles")
    put(sandbox, '<rsc_order id="o" first="sles" then="nfs" kind="Mandatory"/>')
    sandbox.tool("crm_simulate", "-x", str(sandbox.file), "-SX")
    assert sandbox.nodes_of("nfs") == []
    _, (reason,) = asked(sandbox, "nfs")
    assert reason["what"] == "sles must start before it; sles is told to stop"
    lines = "  sles must start before it\n    sles is told to stop (o; target-role"
    assert lines in sandbox.ok("why", "nfs").out
    assert reason["do"] == "hxm start sles"


def test_a_colocation_and_a_constraint_are_named_with_what_removes_them(sandbox):
    put(sandbox, '<rsc_colocation id="apart" rsc="nfs" with-rsc="sles" score="-INFINITY"/>')
    put(sandbox, '<rsc_location id="off" rsc="sles" node="host1" score="-INFINITY"/>')
    _, (reason, *_) = asked(sandbox, "nfs", "host2")
    assert reason["what"] == "it is to keep away from sles, which runs there"
    _, (reason, *_) = asked(sandbox, "sles", "host1")
    assert (reason["evidence"], reason["if"]) == ("off: -INFINITY", "it is not meant")
    sandbox.tool("sh", "-c", reason["command"])
    assert '"off"' not in sandbox.configuration()


def test_utilization_that_only_the_domu_has_is_the_reason(sandbox):
    """As in resource-agents #1220."""
    sandbox.tool("crm_resource", "-r", "nfs", "-z", "-p", "hv_memory", "-v", "512")
    sandbox.tool("crm_attribute", "-n", "placement-strategy", "-v", "utilization")
    sandbox.tool("crm_simulate", "-x", str(sandbox.file), "-SX")
    assert sandbox.nodes_of("nfs") == []
    _, (reason, *_) = asked(sandbox, "nfs")
    assert reason["what"] == "no host offers hv_memory: 512 wanted"


def test_a_host_without_memory_is_told(sandbox):
    sandbox.tool("crm_attribute", "-N", "host2", "-n", "hv_memory", "-v", "600")
    _, reasons = asked(sandbox, "nfs", "host2")
    assert "the node has too little memory: 520 MiB wanted, 80 free" in [
        each["what"] for each in reasons
    ]


CAPTURED = {
    "02-migrating": ("nfs is Migrating on host2", "an action on it is under way (Migrating)"),
    "04-banned": ("nfs runs on host2", "a ban keeps it off host3"),
    "06-standby": ("nfs runs on host2", "it stays where it is: its stickiness is 100"),
    "07-stopped": ("nfs does not run", "it is told to stop"),
    "09-unmanaged": ("nfs runs on host1", "the cluster leaves it alone: nfs is unmanaged"),
    "10-start-failed-everywhere": ("nfs runs on host1", "its start failed on host2"),
    "11-migrate-failed": ("nfs runs on host2", "its migrate_to failed on host1"),
    "20-kill-unclean": (
        "nfs was on host2, which is UNCLEAN (offline): whether it still runs there is not known",
        "host2 is lost and not yet fenced: before that it starts nowhere else",
    ),
    "32-no-quorum": (
        "nfs was on host3, which is UNCLEAN (offline): whether it still runs there is not known",
        "this partition has no quorum: the cluster stops domUs and starts none",
    ),
}


@pytest.mark.parametrize(("name", "expected"), CAPTURED.items(), ids=CAPTURED)
def test_a_captured_cluster_is_explained(bare, name, expected):
    """CIBs of a live cluster (2.1.5)."""
    bare.file.parent.mkdir()
    shutil.copyfile(LAB / f"{name}.cib.xml", bare.file)
    says, reasons = asked(bare, "nfs")
    whats = [each["what"] for each in reasons if "configuration has changed" not in each["what"]]
    assert (says, whats[0]) == expected  # what the CIBs were made with is changed in them
    assert len(bare.ok("why", "nfs").out.splitlines()) <= 9
    for node in ("host1", "host2"):
        asked(bare, "sles", node)


def test_who_cannot_be_meant_is_said(sandbox):
    assert sandbox.hxm("why", "nobody").status == 105
    assert sandbox.hxm("why", "nfs", "host9").status == 105
    ran = sandbox.ok("why", "nfs", "-o", "csv")
    assert ran.out.splitlines()[0] == "Reason,Evidence,What to do"


def test_a_domu_that_no_cluster_manages_is_nobodys(xen):
    says, _ = asked(xen, "other")
    assert says.endswith("the cluster does not manage it")


AFTER = '<rsc_order id="o" first="sles" then="nfs"/>'
TWICE = (
    "@crm_resource -r sles --meta -p multiple-active -v block",
    "@crm_simulate -x FILE -i sles_monitor_0@host1=0 -O FILE",
)
HELD_BACK = {
    "a failed stop": (
        ("sandbox fail sles --operation stop",),
        "its stop failed on host2",
        "hxm cleanup sles host2",
    ),
    "a failure that blocks": (
        (
            """@sed -i "s/id=.sles-monitor./& on-fail='block'/" FILE""",
            "@crm_simulate -x FILE -i sles_monitor_10000@host2=1 -O FILE",
        ),
        "its monitor failed on host2",
        "hxm cleanup sles host2",
    ),
    "two instances": (TWICE, "it is active on several nodes", "hxm why sles"),
}
"""What befalls sles, which stays active; the cause why nfs cannot start after it, and its end."""


@pytest.mark.parametrize("name", HELD_BACK)
def test_what_is_held_back_by_what_is_blocked_says_so_everywhere(sandbox, name):
    commands, cause, end = HELD_BACK[name]
    put(sandbox, AFTER)
    carry_out(sandbox, (NO_FENCING, "shutdown nfs --yes"))
    carry_out(sandbox, [line.replace("FILE", str(sandbox.file)) for line in commands])
    sandbox.tool("crm_resource", "-r", "nfs", "--meta", "-d", "target-role")
    assert sandbox.nodes_of("nfs") == []
    for question in ("why nfs", "why nfs host2", "status", "start nfs", "migrate nfs host2"):
        ran = sandbox.hxm(*question.split())
        said = ran.out + ran.err
        assert cause in said, said
        assert end in said, said
        assert "the scheduler says so" not in said
    if "cleanup" in end:
        sandbox.ok(*end.split()[1:], "--yes")
        assert sandbox.nodes_of("nfs")

"""What hxm check reads of a CIB beyond the model: operations, constraints, fencing, failures."""

from __future__ import annotations

import pytest
from factories import DATA

from hxm.pacemaker.audit_facts import monitors_in, parse_rules
from hxm.pacemaker.cib import parse_configuration
from hxm.pacemaker.times import seconds
from hxm.policy.audit.configured import FailCount, Rules
from hxm.policy.orders.drill import Monitor


@pytest.mark.parametrize(
    ("said", "expected"),
    [("20", 20), ("20s", 20), ("1min", 60), ("2 m", 120), ("1500ms", 1.5), ("1h", 3600), ("0", 0),
     ("PT1M30S", 90), ("P1DT1H", 90000), ("", None), ("soon", None), ("5 parsecs", None),
     ("P", None)],
)  # fmt: skip
def test_times(said, expected):
    assert seconds(said) == expected


CIB = """<cib validate-with="pacemaker-3.0"><configuration>
<crm_config><cluster_property_set id="p">{properties}</cluster_property_set></crm_config>
<nodes><node id="1" uname="host1"/><node id="2" uname="host2"/><node id="3" uname="host3"/></nodes>
<resources>
<template id="xen" class="ocf" provider="heartbeat" type="Xen"><operations>
<op id="xen-start" name="start" interval="0" timeout="50s"/></operations></template>
<primitive id="nfs" class="ocf" provider="heartbeat" type="Xen">{nfs}</primitive>
<primitive id="sles" template="xen"/>
<group id="pair"><primitive id="ip" class="ocf" provider="heartbeat" type="IPaddr2"/>
<primitive id="vm3" class="ocf" provider="heartbeat" type="Xen"/></group>
<clone id="pool"><primitive id="fs" class="ocf" provider="heartbeat" type="Filesystem"/></clone>
<primitive id="ilo1" class="stonith" type="fence_ilo">{ilo}</primitive>
</resources><constraints>{constraints}</constraints>{more}</configuration>
<status>{status}</status></cib>"""


def rules(nfs="", ilo="", constraints="", properties="", more="", status="") -> Rules:
    parts = {"nfs": nfs, "ilo": ilo, "constraints": constraints, "properties": properties}
    text = CIB.format(more=more, status=status, **parts)
    return parse_rules(parse_configuration(text.encode()))


def op(name: str, known: str) -> str:
    return f'<operations><op id="nfs-{name}" name="{name}" {known}/></operations>'


def test_timeouts_of_its_own_of_a_template_and_by_default():
    found = rules(nfs=op("stop", 'interval="0" timeout="90s"')).timeouts
    assert found["nfs"] == {"": 20, "stop": 90}
    assert found["sles"] == {"": 20, "start": 50}
    inside = '<op id="o" name="stop" interval="0"><meta_attributes id="m">'
    inside += '<nvpair id="n" name="timeout" value="2min"/></meta_attributes></op>'
    assert rules(nfs=f"<operations>{inside}</operations>").timeouts["nfs"]["stop"] == 120
    usual = '<op_defaults><meta_attributes id="d">{}<nvpair id="t" name="timeout" value="33s"/>'
    usual += "</meta_attributes></op_defaults>"
    assert rules(more=usual.format("")).timeouts["nfs"][""] == 33
    assert rules(more=usual.format('<rule id="r"/>')).timeouts["nfs"][""] == 20
    old = '<nvpair id="x" name="default-action-timeout" value="40s"/>'
    assert rules(properties=old).timeouts["nfs"][""] == 40


@pytest.mark.parametrize(
    ("known", "watched"),
    [('interval="10s"', True), ('interval="PT10S" enabled="true"', True), ('interval="0"', False),
     ('interval="10s" enabled="false"', False), ("", False), ('interval="soon"', False),
     ('interval="10s" role="Started"', True), ('interval="10s" role="Stopped"', False),
     ('interval="10s" disabled="true"', False)],
)  # fmt: skip
def test_a_monitor_counts_if_it_repeats_and_is_enabled(known, watched):
    assert ("nfs" in rules(nfs=op("monitor", known)).watched) == watched


NO_RULE = '<op_defaults><meta_attributes id="d"><nvpair id="t" name="on-fail" value="Block"/>'
NO_RULE += "</meta_attributes></op_defaults>"
INSIDE = '<meta_attributes id="m"><nvpair id="n" name="on-fail" value="ignore"/></meta_attributes>'
MONITORS = {
    "the most frequent is the first": (
        """<op id="a" name="monitor" interval="1min" on-fail="fence"/>
        <op id="b" name="monitor" interval="10s"/>""",
        "",
        [("10s", "restart"), ("1min", "fence")],
    ),
    "what does not watch is none": (
        """<op id="a" name="monitor" interval="0" on-fail="stop"/>
        <op id="b" name="monitor" interval="9s" role="Stopped" on-fail="stop"/>
        <op id="c" name="start" interval="0" on-fail="stop"/>""",
        "",
        [],
    ),
    "by default": ('<op id="a" name="monitor" interval="9s"/>', NO_RULE, [("9s", "block")]),
    "its own, in a set": (
        f'<op id="a" name="monitor" interval="9s">{INSIDE}</op>',
        NO_RULE,
        [("9s", "ignore")],
    ),
    "in Heartbeat's words": (
        '<op id="a" name="monitor" interval="9s" on_fail="block"/>',
        "",
        [("9s", "block")],
    ),
}


@pytest.mark.parametrize(("operations", "more", "expected"), MONITORS.values(), ids=MONITORS)
def test_the_monitors_that_run_and_what_their_failure_leads_to(operations, more, expected):
    nfs = f"<operations>{operations}</operations>"
    parts = {"ilo": "", "constraints": "", "properties": "", "status": ""}
    known = parse_configuration(CIB.format(nfs=nfs, more=more, **parts).encode())
    assert monitors_in(known.document, "nfs") == tuple(Monitor(*each) for each in expected)
    assert monitors_in(known.document, "sles") == ()


STOP = '<operations><op id="s" name="stop" interval="0" {}>{}</op></operations>'
SET = '<meta_attributes id="{0}" score="{2}">{1}<nvpair id="{0}-n" name="on-fail" value="{3}"/>'
SET += "</meta_attributes>"
RULE = '<rule id="r" score="INFINITY">{}</rule>'


def in_set(value: str, condition: str = "", score: int = 0, name: str = "d") -> str:
    rule = RULE.format(condition) if condition else ""
    return SET.format(name, rule, score, value)


def by_default(value: str, condition: str = "", name: str = "d") -> str:
    return f"<op_defaults>{in_set(value, condition, name=name)}</op_defaults>"


OF_STOPS = '<op_expression id="e" name="stop"/>'
OF_MONITORS = '<op_expression id="e" name="monitor"/>'
OF_XEN = '<rsc_expression id="e" class="ocf" type="Xen"/>'
OF_IP = '<rsc_expression id="e" type="IPaddr2"/>'
OLD_SET = in_set("ignore").replace("meta_attributes", "instance_attributes")
ITS, ALL = "the operation stop of nfs", "op_defaults"
IGNORED = {
    "none": ("", "", None),
    "at it": (STOP.format('on-fail="ignore"', ""), "", ITS),
    "in another spelling": (STOP.format('on_fail="Nothing"', ""), "", ITS),
    "in a set of its own": (STOP.format("", in_set("ignore")), "", ITS),
    "at it before its set": (STOP.format('on-fail="fence"', in_set("ignore")), "", None),
    "its set before the default": (STOP.format("", in_set("fence")), by_default("ignore"), None),
    "at it before the default": (STOP.format('on-fail="block"', ""), by_default("ignore"), None),
    "in an old set": (STOP.format("", OLD_SET), "", ITS),
    "by default before an old set": (STOP.format("", OLD_SET), by_default("fence"), None),
    "by default": (STOP.format("", ""), by_default("ignore"), ALL),
    "by default, not configured": ("", by_default("ignore"), ALL),
    "by a rule of stops": ("", by_default("ignore", OF_STOPS), ALL),
    "by a rule of monitors": ("", by_default("ignore", OF_MONITORS), None),
    "by a rule of another interval": (
        "", by_default("ignore", '<op_expression id="e" name="stop" interval="10s"/>'), None),
    "by a rule of its interval": (
        "", by_default("ignore", '<op_expression id="e" name="stop" interval="0s"/>'), ALL),
    "by a rule of the agent": ("", by_default("ignore", OF_XEN), ALL),
    "by a rule of another agent": ("", by_default("ignore", OF_IP), None),
    "by a rule in its set": (STOP.format("", in_set("ignore", OF_STOPS)), "", ITS),
    "another interval": (
        '<operations><op id="s" name="stop" interval="9s" on-fail="ignore"/></operations>', "",
        None),
    "a monitor": (op("monitor", 'interval="9s" on-fail="ignore"'), "", None),
}  # fmt: skip


@pytest.mark.parametrize(("nfs", "more", "expected"), IGNORED.values(), ids=IGNORED)
def test_a_stop_that_is_ignored_is_never_missed_nor_made_up(nfs, more, expected):
    assert rules(nfs=nfs, more=more).ignored_stops.get("nfs") == expected


TEMPLATES = {
    "the template's": ("", "the operation stop of xen"),
    "beside another of its own": (op("start", 'interval="0"'), "the operation stop of xen"),
    "instead of it": (op("stop", 'interval="0"'), None),
    "in another role": (op("stop", 'interval="0" role="Master"'), None),
    "in the usual role": (op("stop", 'interval="0" role="Started"'), None),
}


@pytest.mark.parametrize(("own", "expected"), TEMPLATES.values(), ids=TEMPLATES)
def test_operations_override_those_of_the_template_one_by_one(own, expected):
    template = CIB.replace('timeout="50s"/>', 'timeout="50s"/>' + IN_TEMPLATE).replace(
        '<primitive id="sles" template="xen"/>',
        f'<primitive id="sles" template="xen">{own}</primitive>',
    )
    parts = dict.fromkeys(("nfs", "ilo", "constraints", "properties", "more", "status"), "")
    configuration = parse_configuration(template.format(**parts).encode())
    assert parse_rules(configuration).ignored_stops.get("sles") == expected
    names = [one["name"] for one in configuration.primitives["sles"].operations]
    assert sorted(set(names)) == ["start", "stop"]


IN_TEMPLATE = '<op id="xen-stop" name="stop" interval="0" on-fail="ignore"/>'


SETS = """<rsc_order id="o"><resource_set id="a"><resource_ref id="pool"/></resource_set>
<resource_set id="b"><resource_ref id="nfs"/></resource_set></rsc_order>"""
ORDERS = {
    "first and then": ('<rsc_order id="o" first="pool" then="nfs"/>', {"pool"}),
    "the inside of a clone is the clone": ('<rsc_order id="o" first="fs" then="nfs"/>', {"pool"}),
    "not at once": ('<rsc_order id="o" first="pool" then="nfs" kind="Serialize"/>', set()),
    "the other way": ('<rsc_order id="o" first="nfs" then="pool"/>', set()),
    "in sets": (SETS, {"pool"}),
    "Heartbeat": ('<rsc_order id="o" from="nfs" type="after" to="pool"/>', {"pool"}),
    "Heartbeat, by default": ('<rsc_order id="o" from="nfs" to="pool"/>', {"pool"}),
    "Heartbeat, before": ('<rsc_order id="o" from="pool" type="before" to="nfs"/>', {"pool"}),
}  # fmt: skip


@pytest.mark.parametrize(("constraint", "expected"), ORDERS.values(), ids=ORDERS)
def test_orders(constraint, expected):
    assert rules(constraints=constraint).after.get("nfs", set()) == expected


def test_orders_of_templates_tags_and_within_groups():
    assert rules(constraints='<rsc_order id="o" first="pool" then="xen"/>').after["sles"] == {
        "pool"
    }
    tag = '<tags><tag id="guests"><obj_ref id="nfs"/><obj_ref id="pair"/></tag></tags>'
    found = rules(constraints='<rsc_order id="o" first="pool" then="guests"/>', more=tag).after
    assert [set(found[name]) for name in ("nfs", "vm3")] == [{"pool"}, {"pool", "ip"}]


def location(inside: str, known: str = 'rsc="nfs"') -> str:
    return f'<rsc_location id="l" {known}>{inside}</rsc_location>'


def rule(score: str, *expressions: str, how: str = "or") -> str:
    parts = "".join(
        f'<expression id="e{number}" attribute="{name}" operation="{operation}" value="{value}"/>'
        for number, (name, operation, value) in enumerate(each.split() for each in expressions)
    )
    return f'<rule id="r" score="{score}" boolean-op="{how}">{parts}</rule>'


OFF = {
    "by name": (location("", 'rsc="nfs" node="host1" score="-INFINITY"'), {"host1"}),
    "by name, a little": (location("", 'rsc="nfs" node="host1" score="-50"'), set()),
    "by a rule": (location(rule("-INFINITY", "#uname eq host1")), {"host1"}),
    "by a rule for two": (location(rule("-INFINITY", "#uname eq host1", "#uname eq host2")),
                          {"host1", "host2"}),
    "everywhere else": (location(rule("-INFINITY", "#uname ne host1")), {"host2", "host3"}),
    "on two conditions": (location(rule("-INFINITY", "#uname eq host1", "x eq 1", how="and")),
                          set()),
    "by a pattern": (location("", 'rsc-pattern="^n" node="host1" score="-INFINITY"'), {"host1"}),
    "for a while": (location("", 'rsc="nfs" node="host1" score="-INFINITY"').replace(
        'id="l"', 'id="cli-ban-nfs-on-host1"'), set()),
}  # fmt: skip


@pytest.mark.parametrize(("constraint", "expected"), OFF.values(), ids=OFF)
def test_where_it_never_runs(constraint, expected):
    assert rules(constraints=constraint).kept_off["nfs"] == expected


NAMED = {
    "by name": (location("", 'rsc="nfs" node="hots1" score="5"'), ("hots1",), True),
    "by a rule": (location(rule("-INFINITY", "#uname eq hots1")), ("hots1",), True),
    "by two": (location(rule("-INFINITY", "#uname eq a", "#uname eq b")), ("a", "b"), True),
    "in a rule for all others": (location(rule("-INFINITY", "#uname ne hots1", "#uname eq host1")),
                                 ("hots1", "host1"), False),
    "on two conditions": (location(rule("-INFINITY", "#uname eq a", "x eq 1", how="and")),
                          ("a",), True),
    "on either": (location(rule("-INFINITY", "#uname eq a", "x eq 1")), ("a",), False),
    "by other rules": (location(rule("-INFINITY", "#uname gt host1", "x eq hots1")), (), False),
}  # fmt: skip


@pytest.mark.parametrize(("constraint", "nodes", "only"), NAMED.values(), ids=NAMED)
def test_the_nodes_that_a_location_names(constraint, nodes, only):
    assert rules(constraints=constraint).named == {"l": (nodes, only)}


def test_where_nothing_lets_it_run():
    asymmetric = '<nvpair id="s" name="symmetric-cluster" value="false"/>'
    found = rules(
        constraints=location("", 'rsc="nfs" node="host2" score="100"'), properties=asymmetric
    ).kept_off
    assert found["nfs"] == {"host1", "host3"}
    assert found["sles"] == {"host1", "host2", "host3"}


def test_what_its_rules_ask_for():
    found = rules(constraints=location(rule("-INFINITY", "pingd lte 0", "#uname eq host1")))
    assert found.attributes == {"nfs": {"pingd"}}


def meta(*names: str, tag: str = "meta_attributes") -> str:
    pairs = "".join(f'<nvpair id="{name}" name="{name}" value="true"/>' for name in names)
    return f'<{tag} id="{tag}">{pairs}</{tag}>'


def test_spellings_of_another_generation():
    assert rules(nfs=meta("allow-migrate", "is-managed")).misspelt == {}
    wrong = {"nfs": {"allow_migrate": "allow-migrate"}}
    assert rules(nfs=meta("allow_migrate")).misspelt == wrong
    assert rules(nfs=meta("allow_migrate", tag="instance_attributes")).misspelt == wrong
    assert rules(nfs=meta("target_role", tag="instance_attributes")).misspelt == {}
    assert rules(nfs=meta("allow_migrate", "allow-migrate")).misspelt == {}
    heartbeat = (DATA / "cibs" / "hb-base.xml").read_bytes()
    assert parse_rules(parse_configuration(heartbeat)).misspelt == {}
    assert b'name="allow_migrate"' in heartbeat
    changed = heartbeat.replace(b'name="allow_migrate"', b'name="allow-migrate"')
    found = parse_rules(parse_configuration(changed)).misspelt
    assert set(map(tuple, (each.items() for each in found.values()))) == {
        (("allow-migrate", "allow_migrate"),)
    }


@pytest.mark.parametrize(
    ("name", "value", "hosts"),
    [("pcmk_host_list", "host1 host2", ("host1", "host2")), ("hostlist", "host1,host2",
     ("host1", "host2")), ("pcmk_host_map", "host1:4;host2:5", ("host1", "host2")),
     ("ip", "192.0.2.1", ())],
)  # fmt: skip
def test_what_a_fencing_resource_is_for(name, value, hosts):
    ilo = f'<instance_attributes id="i"><nvpair id="n" name="{name}" value="{value}"/>'
    assert rules(ilo=f"{ilo}</instance_attributes>").fences == {"ilo1": hosts}


def test_fail_counts():
    def count(**counts: str) -> str:
        pairs = "".join(
            f'<nvpair id="{number}" name="fail-count-{name}" value="{value}"/>'
            for number, (name, value) in enumerate(counts.items())
        )
        state = '<node_state id="2"{}><transient_attributes id="2"><instance_attributes id="i">'
        return state + pairs + "</instance_attributes></transient_attributes></node_state>"

    several = {"nfs#monitor_10000": "2", "nfs#stop_0": "1", "sles": "0", "fs:0": "INFINITY"}
    expected = (FailCount("nfs", "host2", "3"), FailCount("fs", "host2", "INFINITY"))
    for known in ("", ' uname="host2"'):
        assert rules(status=count(**several).format(known)).fail_counts == expected
    assert rules(status=count(nfs="1000000").format("")).fail_counts[0].times == "INFINITY"

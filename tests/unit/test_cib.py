"""What the CIB says: metas by their inheritance, interim constraints in all forms, attributes."""

from __future__ import annotations

from contextlib import suppress

import pytest
from factories import DATA
from hypothesis import given
from hypothesis import strategies as st

from hxm.errors import CannotAsk
from hxm.model import Constraint
from hxm.pacemaker.cib import Configuration, parse_configuration

LAB = DATA / "pacemaker-2.1.5-lab"
STATES = (DATA / "pacemaker-3.0.3" / "states.cib.xml").read_bytes()


def lab(name: str) -> Configuration:
    return parse_configuration((LAB / f"{name}.cib.xml").read_bytes())


def configuration(resources: str = "", constraints: str = "", rest: str = "") -> Configuration:
    return parse_configuration(
        f"<configuration><resources>{resources}</resources>"
        f"<constraints>{constraints}</constraints>{rest}</configuration>".encode()
    )


def meta(**pairs: str) -> str:
    found = "".join(
        f'<nvpair id="x-{name}" name="{name.replace("_", "-")}" value="{value}"/>'
        for name, value in pairs.items()
    )
    return f'<meta_attributes id="x">{found}</meta_attributes>'


# Interim constraints, as each generation of the tools wrote them


def location(name: str, resource: str, node: str, score: str) -> str:
    return (
        f'<rsc_location id="{name}" rsc="{resource}" role="Started" node="{node}" score="{score}"/>'
    )


def rule(name: str, score: str, more: str = "") -> str:
    return (
        f'<rsc_location id="{name}" rsc="nfs" role="Started">'
        f'<rule id="{name}-rule" score="{score}" boolean-op="and">'
        f'<expression id="{name}-expr" attribute="#uname" operation="eq" value="host2"'
        f' type="string"/>{more}</rule></rsc_location>'
    )


END = '<date_expression id="e" operation="lt" end="2099-11-23 22:06:55Z"/>'
UNTIL = "2099-11-23 22:06:55Z"
INTERIM = {
    "move": (
        location("cli-prefer-nfs", "nfs", "host2", "INFINITY"),
        [Constraint("cli-prefer-nfs", "nfs", "prefer", "host2")],
    ),
    "move of a group": (
        location("cli-prefer-grp", "grp", "host2", "INFINITY"),
        [Constraint("cli-prefer-grp", "grp", "prefer", "host2")],
    ),
    "move --lifetime": (
        rule("cli-prefer-nfs", "INFINITY", END),
        [Constraint("cli-prefer-nfs", "nfs", "prefer", "host2", UNTIL)],
    ),
    "ban": (
        location("cli-ban-nfs-on-host1", "nfs", "host1", "-INFINITY"),
        [Constraint("cli-ban-nfs-on-host1", "nfs", "ban", "host1")],
    ),
    "ban --lifetime": (
        rule("cli-ban-nfs-on-host2", "-INFINITY", END),
        [Constraint("cli-ban-nfs-on-host2", "nfs", "ban", "host2", UNTIL)],
    ),
    "move by 1.0": (
        rule("cli-prefer-nfs", "INFINITY"),
        [Constraint("cli-prefer-nfs", "nfs", "prefer", "host2")],
    ),
    "move without a node by 1.0": (
        rule("cli-standby-nfs", "-INFINITY"),
        [Constraint("cli-standby-nfs", "nfs", "ban", "host2")],
    ),
    "an administrator's own": (
        '<rsc_location id="nfs-prefers-host1" rsc="nfs" node="host1" score="100"/>'
        + rule("nfs-connected", "-INFINITY"),
        [],
    ),
    "one that only looks like it": (
        location("my-cli-prefer-nfs", "nfs", "host1", "INFINITY"),
        [],
    ),
    "no location": ('<rsc_order id="cli-prefer-nfs" first="a" then="b"/>', []),
}


@pytest.mark.parametrize(("text", "expected"), INTERIM.values(), ids=INTERIM)
def test_what_a_command_left_is_never_missed_nor_taken_for_configuration(text, expected):
    assert list(configuration(constraints=text).constraints) == expected


def test_a_captured_move_is_found():
    assert lab("02-migrating").constraints == (
        Constraint("cli-prefer-nfs", "nfs", "prefer", "host3"),
    )
    assert parse_configuration(STATES).constraints == ()


# Metas

PRIMITIVE = (
    '<primitive id="nfs" class="ocf" provider="heartbeat" type="Xen"{more}>{body}</primitive>'
)


def nfs(body: str = "", more: str = "") -> str:
    return PRIMITIVE.format(body=body, more=more)


TEMPLATE = (
    '<template id="vm" class="ocf" provider="heartbeat" type="Xen">'
    + meta(allow_migrate="true", target_role="Stopped")
    + '<instance_attributes id="vm-ia"><nvpair id="a" name="shutdown_timeout" value="60"/>'
    '<nvpair id="b" name="xmfile" value="/etc/xen/none"/></instance_attributes>'
    '<operations><op id="vm-m" name="monitor" interval="10s"/></operations></template>'
)
FROM_TEMPLATE = (
    '<primitive id="nfs" template="vm">{body}<instance_attributes id="nfs-ia">'
    '<nvpair id="c" name="xmfile" value="/etc/xen/nfs"/></instance_attributes></primitive>'
)
DEFAULTS = f"<rsc_defaults>{meta(target_role='Stopped', priority='1')}</rsc_defaults>"
IN_A_GROUP = f'<group id="grp">{meta(priority="2")}{nfs()}</group>'
SPEC = '<date_expression id="e" operation="date_spec"><date_spec id="s" {}/></date_expression>'


def by_time(spec: str) -> str:
    """The primitive, told to stop where the time is as specified."""
    rule = f'<rule id="r">{SPEC.format(spec)}</rule>'
    return nfs(meta(target_role="Stopped").replace("<nvpair", f"{rule}<nvpair", 1))


_ALL_DAY = 'hours="0-23" minutes="0-59" seconds="0-" weekdays="1-7" monthdays="-31" weeks="1-53"'
METAS = {
    "at any time of this century": (
        by_time(f'{_ALL_DAY} years="2020-2099" months="1-12" yeardays="1-366" weekyears="2020-"'),
        "",
        {},
        {"target-role": "Stopped"},
    ),
    "in a year that is over": (by_time('years="2020"'), "", {}, {}),
    "in a year to come": (by_time('years="2099-"'), "", {}, {}),
    "at no hour": (by_time('hours="24-30"'), "", {}, {}),
    "own": (nfs(meta(target_role="Started")), "", {}, {"target-role": "Started"}),
    "defaults": (nfs(), DEFAULTS, {"target-role": "Stopped", "priority": "1"}, {}),
    "own over defaults": (
        nfs(meta(target_role="Started")),
        DEFAULTS,
        {"target-role": "Stopped", "priority": "1"},
        {"target-role": "Started"},
    ),
    "template": (
        TEMPLATE + FROM_TEMPLATE.format(body=""),
        "",
        {"allow-migrate": "true", "target-role": "Stopped"},
        {},
    ),
    "own over template over defaults": (
        TEMPLATE + FROM_TEMPLATE.format(body=meta(target_role="Started")),
        DEFAULTS,
        {"allow-migrate": "true", "target-role": "Stopped", "priority": "1"},
        {"target-role": "Started"},
    ),
    "group": (
        f'<group id="grp">{nfs()}{meta(is_managed="false")}</group>',
        "",
        {"is-managed": "false"},
        {},
    ),
    "template over group over defaults": (
        TEMPLATE
        + f'<group id="grp">{meta(target_role="Started", priority="2")}'
        + FROM_TEMPLATE.format(body="")
        + "</group>",
        DEFAULTS,
        {"allow-migrate": "true", "target-role": "Stopped", "priority": "2"},
        {},
    ),
    "clone": (
        f'<clone id="c">{meta(clone_max="2")}{nfs()}</clone>',
        "",
        {"clone-max": "2"},
        {},
    ),
    "group over clone": (
        f'<clone id="c">{meta(priority="1", clone_max="2")}{IN_A_GROUP}</clone>',
        "",
        {"priority": "2", "clone-max": "2"},
        {},
    ),
    "of two sets the first": (
        nfs(meta(target_role="Started") + meta(target_role="Stopped", priority="3")),
        "",
        {},
        {"target-role": "Started", "priority": "3"},
    ),
}


@pytest.mark.parametrize(("resources", "rest", "inherited", "own"), METAS.values(), ids=METAS)
def test_a_meta_option_never_comes_from_the_wrong_place(resources, rest, inherited, own):
    found = configuration(resources, rest=rest).primitives["nfs"]
    assert found.inherited_meta == inherited
    assert found.own_meta == own
    assert found.meta == inherited | own
    assert found.inherited_from.keys() == inherited.keys()


def test_of_each_inherited_option_it_is_known_what_gives_it():
    resources, rest, *_ = METAS["template over group over defaults"]
    assert configuration(resources, rest=rest).primitives["nfs"].inherited_from == {
        "allow-migrate": ("the template vm", "x", ""),
        "target-role": ("the template vm", "x", ""),
        "priority": ("grp", "", ""),
    }


def test_a_template_gives_agent_parameters_and_operations():
    found = configuration(TEMPLATE + FROM_TEMPLATE.format(body="")).primitives
    assert list(found) == ["nfs"]
    assert found["nfs"].agent == "ocf:heartbeat:Xen"
    assert found["nfs"].params == {"shutdown_timeout": "60", "xmfile": "/etc/xen/nfs"}
    assert [each["interval"] for each in found["nfs"].operations] == ["10s"]


PLACES = {
    "alone": (nfs(), None, None),
    "group": (f'<group id="grp">{nfs()}</group>', "grp", None),
    "clone": (f'<clone id="c">{nfs()}</clone>', "c", "c"),
    "master": (f'<master id="m">{nfs()}</master>', "m", "m"),
    "group in a clone": (f'<clone id="c"><group id="g">{nfs()}</group></clone>', "g", "c"),
}


@pytest.mark.parametrize(("resources", "parent", "clone"), PLACES.values(), ids=PLACES)
def test_a_primitive_is_never_lost_in_a_group_or_clone(resources, parent, clone):
    found = configuration(resources).primitives["nfs"]
    assert (found.parent, found.clone) == (parent, clone)


def test_a_captured_cluster_is_read_whole():
    found = parse_configuration(STATES)
    assert len(found.primitives) == 17
    assert found.primitives["vm_off"].own_meta == {"target-role": "Stopped"}
    assert found.primitives["vm_unm"].own_meta == {"is-managed": "false"}
    assert found.primitives["vm_maint"].own_meta == {"maintenance": "true"}
    assert found.primitives["nfs"].params == {"xmfile": "/etc/xen/vm/nfs.xm"}
    assert found.primitives["d1"].parent == "grp"
    assert found.primitives["pingd-child"].clone == "pingd"
    assert found.properties["cluster-name"] == "xencluster"
    assert found.node_attributes["host2"] == {"standby": "on"}
    assert found.node_attributes["host3"] == {"maintenance": "true"}
    assert found.node_attributes["host1"] == {}


def test_a_permanent_standby_is_never_overlooked():
    assert lab("06-standby").node_attributes["host3"] == {"standby": "on"}


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, True),
        ({"stonith-enabled": "False"}, False),
        ({"stonith_enabled": "0"}, False),
        ({"fencing-enabled": "no"}, False),
        ({"stonith-enabled": "true", "fencing-enabled": "false"}, False),
        ({"stonith-enabled": "yes"}, True),
    ],
)
def test_fencing_is_off_under_either_name(properties, expected):
    assert configuration()._replace(properties=properties).fencing is expected


# What is no answer

NO_ANSWER = {
    "nothing": b"",
    "text": b"Call cib_query failed (-62): Timer expired\n",
    "another document": b"<pacemaker-result/>",
    "no resources": b"<cib><configuration/></cib>",
    "only the status": b"<cib><status/></cib>",
}


@pytest.mark.parametrize("document", NO_ANSWER.values(), ids=NO_ANSWER)
def test_no_answer_is_never_an_empty_cluster(document):
    with pytest.raises(CannotAsk) as raised:
        parse_configuration(document)
    assert raised.value.status == 102


def test_half_an_answer_is_never_a_smaller_cluster():
    for end in range(0, len(STATES.rstrip()), 50):
        with pytest.raises(CannotAsk):
            parse_configuration(STATES[:end])


WORDS = st.sampled_from(
    [
        *("cib", "configuration", "resources", "primitive", "group", "clone", "template"),
        *("meta_attributes", "nvpair", "constraints", "rsc_location", "rule", "nodes", "node"),
        *("id", "name", "value", "template", "class", "rsc", "nfs", "cli-prefer-nfs", "op"),
    ]
)


def element(tag: str, pairs: dict[str, str], inside: list[str]) -> str:
    attributes = "".join(f' {name}="{value}"' for name, value in pairs.items())
    return f"<{tag}{attributes}>{''.join(inside)}</{tag}>"


def tree(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    attributes = st.dictionaries(WORDS, WORDS, max_size=3)
    return st.builds(element, WORDS, attributes, st.lists(children, max_size=3))


@given(st.binary() | st.recursive(WORDS, tree, max_leaves=15).map(str.encode))
def test_no_document_ever_does_worse_than_cannot_ask(document):
    inside = b"<configuration><resources>" + document + b"</resources></configuration>"
    for text in (document, inside):
        with suppress(CannotAsk):
            assert isinstance(parse_configuration(text), Configuration)


def test_parameters_by_rules_by_reference_and_from_a_template():
    """Every name that a domU may have counts; of several sets the first is what is shown."""
    found = parse_configuration(
        b"""<configuration><resources>
        <template id="t" class="ocf" provider="heartbeat" type="Xen">
          <instance_attributes id="t-ia"><nvpair id="t-n" name="name" value="c"/>
          </instance_attributes></template>
        <primitive id="vm" template="t">
          <instance_attributes id="a" score="2"><rule id="r"/>
            <nvpair id="a-n" name="name" value="a"/></instance_attributes>
          <instance_attributes id="b"><nvpair id="b-n" name="name" value="b"/>
            <nvpair id="b-x" name="xmfile" value="/x"/></instance_attributes></primitive>
        <primitive id="vm2" class="ocf" provider="heartbeat" type="Xen">
          <instance_attributes id-ref="a"/></primitive>
        <primitive id="vm3" class="ocf" provider="heartbeat" type="Xen">
          <instance_attributes id="d"><nvpair id-ref="b-x"/><nvpair id-ref="b-n" name="name"/>
          </instance_attributes></primitive>
        </resources></configuration>"""
    ).primitives
    assert found["vm"].params == {"name": "a", "xmfile": "/x"}
    assert found["vm"].variants == {"name": ("a", "b", "c")}
    assert (found["vm2"].params, found["vm2"].variants) == ({"name": "a"}, {})
    assert found["vm3"].params == {"xmfile": "/x", "name": "b"}


FAILURES = b"""<configuration>
<op_defaults><meta_attributes id="slow"><rule id="r" score="INFINITY">
    <op_expression id="e" name="monitor"/></rule>
    <nvpair id="slow-f" name="on-fail" value="Block"/></meta_attributes>
  <meta_attributes id="all"><nvpair id="all-f" name="on-fail" value="fence"/></meta_attributes>
</op_defaults><resources>
<primitive id="vm" class="ocf" provider="heartbeat" type="Xen"><operations>
  <op id="vm-start" name="start" interval="0" on-fail="restart"/>
  <op id="vm-stop" name="stop" interval="0"><meta_attributes id="s">
    <nvpair id="s-f" name="on-fail" value="ignore"/></meta_attributes></op>
</operations></primitive></resources></configuration>"""


def test_what_follows_from_a_failure_is_read_with_the_defaults():
    said = parse_configuration(FAILURES).primitives["vm"].on_fail
    assert said["start"] == "restart"
    assert said["stop"] == "ignore"
    assert said["monitor"] == "block"
    assert said["migrate_to"] == "fence"
    plain = FAILURES.replace(b"on-fail", b"x").replace(b'x="restart', b'on-fail="restart')
    assert parse_configuration(plain).primitives["vm"].on_fail == {"start": "restart"}

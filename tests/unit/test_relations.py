"""What constraints mean, and how they are read in every layout."""

from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring

import pytest
from factories import DATA, cluster, domain, failure, local, node, primitive
from generations import GENERATIONS, HEARTBEAT, cib_of

from hxm.pacemaker import cib_rules
from hxm.pacemaker.relations import relations_in
from hxm.plan import Movement
from hxm.policy.reasons import why
from hxm.policy.reasons.everywhere import disallowed_everywhere
from hxm.policy.reasons.facts import NEVER, Change, Facts, Reason, remove
from hxm.policy.reasons.search import Inquiry, Verdict
from hxm.policy.relations import (
    INFINITY,
    Colocation,
    Expression,
    Location,
    Order,
    Relations,
    applying,
    fail_count,
    score_of,
    spoken,
    true,
)

COMPARED = {
    "pingd lte 0": [("0", True), ("100", False), (None, True)],
    "pingd lt 9": [("10", False), ("8", True), (None, True)],  # as numbers, not as texts
    "pingd gt 9": [("10", True), (None, False)],
    "pingd gte 10": [("10", True)],
    "pingd eq 10": [("10", True), ("10.0", False), ("11", False), (None, False)],  # as texts
    "pingd ne 10": [("11", True), (None, True)],
    "site eq North": [("north", True), ("south", False)],
    "pingd defined": [("0", True), (None, False)],
    "pingd not_defined": [("0", False), (None, True)],
    "pingd unheard-of": [("0", False)],
}


@pytest.mark.parametrize(("said", "cases"), COMPARED.items(), ids=COMPARED)
def test_an_expression_holds_as_in_the_scheduler(said, cases):
    attribute, operation, *value = said.split()
    for known, expected in cases:
        found = {} if known is None else {attribute: known}
        assert true(Expression(attribute, operation, *value), found) == expected, known


def test_scores_are_read_and_written_as_pacemaker_does():
    for said, score in {
        "INFINITY": 1000000,
        "-infinity": -1000000,
        "+INFINITY": 1000000,
        "9999999": 1000000,
        "-7": -7,
        "x": 0,
        "": 0,
    }.items():
        assert score_of(said) == score
    assert (spoken(-1000000), spoken(100)) == ("-INFINITY", "100")


def test_fail_counts_of_all_operations_are_added():
    seen = Relations(
        attributes={"host1": {"fail-count-nfs#start_0": "INFINITY", "fail-count-nfsx": "3"}}
    )
    assert fail_count(seen, "nfs", "host1") == 1000000
    assert fail_count(seen, "nfs", "host2") == 0


CIB = """<cib><configuration><nodes><node id="1" uname="host1"><instance_attributes id="n">
<nvpair id="n1" name="site" value="north"/></instance_attributes></node></nodes>
<resources><group id="g"><primitive id="a" class="ocf" type="Xen"/><primitive id="b" class="ocf"
 type="Xen"/></group><clone id="c"><primitive id="p" class="ocf" type="ping"/></clone>
<primitive id="f" class="stonith" type="x"><instance_attributes id="fi"><nvpair id="f1"
 name="pcmk_host_map" value="host1:1;host2:2"/></instance_attributes></primitive></resources>
<constraints>{}</constraints></configuration><status><node_state uname="host1">
<transient_attributes id="1"><instance_attributes id="s"><nvpair id="s1" name="pingd" value="0"/>
</instance_attributes></transient_attributes></node_state></status></cib>"""

LOOSE = ' sequential="false"'
_REFS = '<resource_ref id="a"/><resource_ref id="b"/>'
_MORE = '<resource_ref id="d"/><resource_ref id="e"/>'
# Each row: options of a colocation, of its first set (a, b) and its second (d, e); who goes with
# whom, by colocate_rsc_sets and unpack_colocation_set in Pacemaker 2.1.5
COLOCATED = {
    "in their order": ("5", "", "", "ba ed ae"),
    "the first in any order": ("5", ' sequential="false"', "", "ed ae be"),
    "the second in any order": ("5", "", ' sequential="false"', "ba ad ae"),
    "both in any order": ("5", ' sequential="false"', ' sequential="false"', "ad ae bd be"),
}
SETS = '<resource_set id="s1"{}><resource_ref id="a"/><resource_ref id="b"/></resource_set>'
READ = {
    '<rsc_order id="o" first="a" then="b"/>': Order("o", "a", "b"),
    '<rsc_order id="o" first="a" then="b" kind="Optional"/>': Order("o", "a", "b", False),
    '<rsc_order id="o" first="a" then="b" kind="Serialize"/>': Order(
        "o", "a", "b", False, serial=True
    ),
    '<rsc_order id="o" first="a" then="b" score="0"/>': Order("o", "a", "b", False),
    '<rsc_order id="o" from="b" to="a"/>': Order("o", "a", "b"),
    '<rsc_order id="o" from="a" type="before" to="b"/>': Order("o", "a", "b"),
    f'<rsc_order id="o">{SETS.format("")}</rsc_order>': Order("o", "a", "b"),
    '<rsc_colocation id="x" rsc="a" with-rsc="b" score="-INFINITY"/>': Colocation(
        "x", "a", "b", -1000000
    ),
    '<rsc_colocation id="x" from="a" to="b" score="5"/>': Colocation("x", "a", "b", 5),
    f'<rsc_colocation id="x" score="5">{SETS.format("")}</rsc_colocation>': Colocation(
        "x", "b", "a", 5
    ),
    '<rsc_location id="l" rsc="a" node="host1" score="7"/>': Location("l", "a", 7, "host1"),
    '<rsc_location id="l" rsc-pattern="^a" node="host1" score="7"/>': Location(
        "l", "a", 7, "host1"
    ),
    '<rsc_location id="l" rsc-pattern="(" node="host1" score="7"/>': None,
    f'<rsc_order id="o">{SETS.format(LOOSE)}</rsc_order>': None,
}


@pytest.mark.parametrize(("text", "expected"), READ.items(), ids=range(len(READ)))
def test_a_constraint_is_read_in_every_layout(text, expected):
    found = relations_in(fromstring(CIB.format(text)))
    every = (*found.orders, *found.colocations, *found.locations)
    assert every == ((expected,) if expected else ())
    assert found.attributes == {"host1": {"site": "north", "pingd": "0"}}
    assert found.members == {"g": ("a", "b"), "c": ("p",)}
    assert found.fences == {"f": ("host1", "host2")}


@pytest.mark.parametrize(("score", "first", "second", "pairs"), COLOCATED.values(), ids=COLOCATED)
def test_the_members_of_sets_go_with_those_that_pacemaker_means(score, first, second, pairs):
    sets = f'<resource_set id="s1"{first}>{_REFS}</resource_set>'
    sets += f'<resource_set id="s2"{second}>{_MORE}</resource_set>'
    text = f'<rsc_colocation id="x" score="{score}">{sets}</rsc_colocation>'
    found = relations_in(fromstring(CIB.format(text))).colocations
    assert [each.resource + each.other for each in found] == pairs.split()


def test_each_of_a_set_keeps_from_all_before_it_and_has_its_role():
    three = f'<resource_set id="s1" role="Promoted">{_REFS}<resource_ref id="d"/></resource_set>'
    text = f'<rsc_colocation id="x" score="-5">{three}</rsc_colocation>'
    found = relations_in(fromstring(CIB.format(text))).colocations
    assert [each.resource + each.other for each in found] == ["ba", "da", "db"]
    assert {(each.role, each.other_role) for each in found} == {("Promoted", "Promoted")}


RULE = '<rsc_location id="l" rsc="a"><rule id="r" {}>{}</rule></rsc_location>'
PINGD = '<expression id="e1" attribute="pingd" operation="not_defined"/>'
LTE = '<expression id="e2" attribute="pingd" operation="lte" value="0"/>'
RULES = {
    "either": (RULE.format('score="-INFINITY" boolean-op="or"', PINGD + LTE), -1000000),
    "heartbeat's": (RULE.format('score="-INFINITY" boolean_op="or"', PINGD + LTE), -1000000),
    "both": (RULE.format('score="-INFINITY"', PINGD + LTE), None),
    "an attribute is the score": (RULE.format('score-attribute="pingd"', LTE), 0),
    "the attribute that is the score is not set": (
        RULE.format('score-attribute="prio"', LTE),
        -1000000,
    ),
    "as texts": (
        RULE.format('score="5"', LTE.replace('value="0"', 'type="string" value="00"')),
        5,
    ),
    "as texts, and not equal": (
        RULE.format('score="5"', LTE.replace('lte" value="0"', 'eq" type="string" value="0.0"')),
        None,
    ),
    **{
        f"what hxm does not compare: {name}": (RULE.format('score="5"', expression), None)
        for name, expression in {
            "versions": LTE.replace("value=", 'type="version" value='),
            "a parameter": LTE.replace("value=", 'value-source="param" value='),
            "the site": '<expression attribute="#site-name" operation="ne" value="x"/>',
        }.items()
    },
    "its kind": (
        RULE.format('score="5"', '<expression attribute="#kind" operation="eq" value="cluster"/>'),
        5,
    ),
    "its name": (
        RULE.format('score="5"', '<expression attribute="#uname" operation="ne" value="x"/>'),
        5,
    ),
    "it depends on the time": (RULE.format('score="5"', LTE + '<date_expression id="d"/>'), None),
}


@pytest.mark.parametrize(("text", "score"), RULES.values(), ids=RULES)
def test_a_rule_is_judged_on_a_nodes_attributes(text, score):
    found = relations_in(fromstring(CIB.format(text)))
    assert applying(found, found.locations[0], "host1") == score


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_ping_rule_of_every_generation_is_read(generation):
    found = relations_in(fromstring(cib_of(generation, "base")))
    (prefers, *rest) = [each for each in found.locations if each.resource == "nfs"]
    (connected,) = [each for each in rest if each.uses == {"pingd"}]
    heartbeat = generation in HEARTBEAT
    assert applying(found, prefers, "host1") == 100
    assert applying(found, prefers, "host2") is None
    assert not connected.every
    silent = found._replace(attributes={})
    assert applying(silent, connected, "host1") == -1000000
    assert bool(found.orders) == heartbeat


MOVES = {
    "what runs and is about to stop": (
        domain("nfs", "host1"),
        [Movement("nfs", "stop", "host1")],
        None,
        ["the cluster is about to act: it would stop on host1"],
        (),
    ),
    "what is about to start, in the place of another": (
        domain("nfs"),
        [Movement("nfs", "start", None, "host1"), Movement("sles", "stop", "host1")],
        None,
        ["the cluster is about to start it on host1"],
        ("sles would stop on host1",),
    ),
    "what must run with it comes along, and a fencing device that has nothing to do with it": (
        domain("nfs", "host1"),
        [
            Movement("nfs", "live", "host1", "host2"),
            Movement("sles", "live", "host1", "host2"),
            Movement("ipmi", "move", "host1", "host2"),
        ],
        "host2",
        ["sles would come along", "nothing forbids host2"],
        ("sles would move host1 -> host2, live",),
    ),
    "what must run with it stays": (
        domain("nfs", "host1"),
        [Movement("nfs", "live", "host1", "host2")],
        "host2",
        [
            "sles must run where it does: sles is unmanaged",
            "a move there would leave sles behind, which must run where it does",
        ],
        (),
    ),
}


@pytest.mark.parametrize(("nfs", "moved", "to", "said", "also"), MOVES.values(), ids=MOVES)
def test_what_the_scheduler_moves_is_told(nfs, moved, to, said, also):
    left = "is-managed" if len(moved) == 1 and to else "priority"
    ipmi = primitive("ipmi", agent="stonith:fence_ipmilan")
    sles = primitive("sles", own={left: "false"})
    seen = cluster(nfs, domain("sles", "host1"), sles, ipmi)
    inquiry = Inquiry(
        lambda changes, _: Verdict(True, movements=tuple(moved if changes or not to else ()))
    )
    scores = {"host1": "0", "host2": NEVER}
    facts = Facts(seen, Relations(colocations=(Colocation("x", "sles", "nfs", INFINITY),)), scores)
    answer = why.ask(facts, nfs, seen.node(to or ""), inquiry)
    chosen = "the cluster chose the node, and may choose another: it has no stickiness"
    assert [each.what for each in answer.reasons if each.what != chosen] == said
    assert answer.also == also


SEARCHES = {
    "told apart": (("a", "b"), "a", 9, {"a": True}),
    "too many to tell apart": (("a", "b", "c"), "abc", 2, {"a": True, "b": True, "c": True}),
    "not enough": (("a",), "ab", 9, None),
}


@pytest.mark.parametrize(("hard", "needed", "runs", "confirmed"), SEARCHES.values(), ids=SEARCHES)
def test_hard_reasons_that_suffice_together_are_confirmed(hard, needed, runs, confirmed):
    left = iter(range(runs))

    def scheduler(changes, _):
        dropped = {change.subject for change in changes}
        return Verdict(dropped.issuperset(needed)) if next(left, None) is not None else None

    tier = [Reason(name, absolute=True, change=Change("drop", name)) for name in hard]
    found = Inquiry(scheduler).confirmed([tier], None)
    assert (found and {reason.what: reason.confirmed for reason in found}) == confirmed


def test_what_suffices_together_with_the_causes_of_others_is_confirmed_unasked():
    inquiry = Inquiry(lambda *_: pytest.fail("it was asked"))
    inquiry.joint = frozenset({Change("drop", "a"), Change("drop", "of another")})
    reason = Reason("a", absolute=True, change=Change("drop", "a"))
    assert inquiry.confirmed([[reason]], None) == (reason._replace(confirmed=True),)


def explained(seen, relations=None, name="nfs"):
    found = next(each for each in seen.domains if each.name == name)
    seen = seen._replace(fencing=False)  # there is no device, which is a reason of its own
    answer = why.ask(Facts(seen, relations or Relations()), found)
    return [answer.says, *(each.what for each in answer.reasons)]


def test_the_reasons_of_several_nodes_are_put_together():
    seen = cluster(
        node("host1", online=False), node("host2", online=False), domain("nfs"), failure()
    )
    assert explained(seen) == [
        "nfs does not run",
        "not on host2: the node is OFFLINE",
        "not on host1: the node is OFFLINE",  # where it has failed as well
    ]


def test_what_has_no_reason_is_not_given_one():
    seen = cluster(domain("nfs"))
    assert explained(seen)[1:] == ["no reason was found"]


def test_a_member_of_a_group_waits_for_those_before_it():
    seen = cluster(domain("nfs"), domain("sles"), primitive("sles", parent="g"))
    relations = Relations(members={"g": ("nfs", "sles")})
    (_, reason) = explained(seen, relations, "sles")
    assert reason == "nfs starts before it in the group g, and does not run"


def test_an_opt_in_cluster_runs_it_where_a_location_allows():
    seen = cluster(domain("nfs"), properties={"symmetric-cluster": "false"})
    allowed = Relations(locations=(Location("l", "nfs", 0, "host1"),))
    assert explained(seen, allowed)[1:] == [
        "not on host1: no reason was found",
        "not on host2: nothing allows it there",
    ]


def test_what_no_location_allows_is_told_from_what_need_not_run():
    fence = primitive("fence", clone="fences")
    idle = primitive("idle", own={"target-role": "Stopped"})
    opt_in = {"symmetric-cluster": "false"}
    seen = cluster(domain("nfs"), domain("sles"), fence, idle, properties=opt_in)
    relations = Relations(locations=(Location("l", "nfs", 0, "host1"), Location("m", "sles", -5)))
    barred = disallowed_everywhere(Facts(seen, relations))
    assert [each.id for each in barred] == ["sles", "fence"]
    usual = Facts(seen._replace(properties={}), relations)
    assert list(disallowed_everywhere(usual)) == []


UNMANAGED = {
    "other runs on host1": local("other"),
    "other runs on this host": local("other")._replace(nodes=()),
    "other does not run": local("other")._replace(id=None, memory=512),  # xend keeps it
    "other runs on host2": local("other")._replace(id=None, nodes=("host2",)),  # in a sandbox
}


@pytest.mark.parametrize(("says", "other"), UNMANAGED.items(), ids=UNMANAGED)
def test_an_unmanaged_domu_is_only_said_to_run_where_it_does(says, other):
    assert (
        explained(cluster(other), name="other")[0] == f"{says}, and the cluster does not manage it"
    )


APART, NEAR = Colocation("x", "a", "b", -1000000), Location("l", "a", 7, "host1")
REMOVED = {
    "Pacemaker 2.1": (
        "--xpath=\"//constraints/*[@id='x']\"",
        "--xpath=\"//constraints/*[@id='l']\"",
    ),
    "Heartbeat 2.1": ("-X '<rsc_colocation id=\"x\"/>'", "-X '<rsc_location id=\"l\"/>'"),
}


@pytest.mark.parametrize(("generation", "ends"), REMOVED.items(), ids=REMOVED)
def test_a_constraint_is_removed_as_this_generation_spells_it(generation, ends):
    seen = cluster(domain("nfs"), dialect=generation)
    for constraint, end in zip((APART, NEAR), ends, strict=True):
        assert remove(Facts(seen, Relations()), constraint).endswith(end)


@pytest.mark.parametrize("path", sorted((DATA / "cibs").rglob("*.xml")), ids=lambda p: p.stem)
def test_every_captured_cib_is_read_and_explained(path):
    found = relations_in(fromstring(path.read_bytes()))
    assert found.locations
    seen = cluster(domain("nfs"), node("host1"), node("host2"))
    assert len(explained(seen, found)) >= 2


@pytest.mark.parametrize("spelt", ["boolean-op", "boolean_op"])
def test_one_time_of_several_that_are_enough_ends_no_rule(spelt):
    def rule(*ends: str, how: str = "or") -> Element:
        parts = "".join(f'<date_expression operation="lt" end="{end}"/>' for end in ends)
        return fromstring(f'<rule {spelt}="{how}">{parts}</rule>')

    assert cib_rules.ended(rule("2020-01-01", "2126-01-01", how="and")) == "2020-01-01"
    assert cib_rules.ended(rule("2020-01-01", "2126-01-01")) == ""
    assert cib_rules.ended(rule("2020-01-01", "2021-01-01")) == "2020-01-01"
    assert cib_rules.ends(rule("2127-01-01", "2126-01-01", how="and")) == "2126-01-01"
    assert cib_rules.ends(rule("2127-01-01", "2126-01-01")) == ""

"""How every dialect spells every step, as literal command lines; and that no value is a word."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hxm.errors import Refused
from hxm.pacemaker.argv import step_argv
from hxm.pacemaker.dialect import DIALECTS, OLDEST, Dialect
from hxm.plan import CibStepKind, Step

VALUES = {
    "resource": "nfs",
    "node": "host2",
    "source": "host1",
    "name": "target-role",
    "value": "Stopped",
    "constraint": "cli-standby-nfs",
    "holder": "root@host1:12:345",
    "what": "migrate nfs to host2",
    "now": "1760000000",
    "xml": '<configuration id="x"/>',
    "xpath": "//primitive[@id='nfs']",
    "ids": "nfs",
    "file": "/tmp/hxm-scratch-1/configuration.xml",
    "state": "order=host1,host2;host=host1;stage=drain",
}
RENEWAL = '<nvpair id="hxm-lock-renewed" name="hxm-lock-renewed" value="1760000000"/>'
OWN_SET = "//cluster_property_set[@id='hxm-lock']"
OTHER_SET = "cluster_property_set[not(@id='hxm-lock')]"
LOCK_OF = f"{OWN_SET}[nvpair[@value='root@host1:12:345']]"
NODE_SET = "//nodes/node[@uname='host2']/instance_attributes[not(*)]"
SPELT = {
    "set-meta": [
        "crm_resource --resource=nfs --meta --set-parameter=target-role --parameter-value=Stopped"
    ],
    "clear-meta": [
        "crm_resource --resource=nfs --meta --delete-parameter=target-role",
        "cibadmin --delete --xpath=//primitive[@id='nfs']/meta_attributes[not(*)]",
    ],
    "clear-meta-above": [
        "crm_resource --force --resource=nfs --meta --delete-parameter=target-role",
        "cibadmin --delete --xpath=//resources//*[@id='nfs']/meta_attributes[not(*)]",
    ],
    "move": ["crm_resource --move --resource=nfs --node=host2"],
    "move-and-ban": ["crm_resource --move --force --resource=nfs --node=host2"],
    "clear": ["crm_resource --clear --resource=nfs"],
    "delete-constraint": [
        "cibadmin --delete --xpath=//constraints/rsc_location[@id='cli-standby-nfs']"
    ],
    "unmove": ["cibadmin --delete --xpath=//constraints/rsc_location[@id='cli-prefer-nfs']"],
    "unban": [
        "cibadmin --delete --xpath=//constraints/rsc_location[@id='cli-ban-nfs-on-host1']",
    ],
    "standby": ["crm_attribute --node=host2 --name=standby --update=on --lifetime=forever"],
    "clear-standby": [
        "crm_attribute --node=host2 --name=standby --delete --lifetime=forever",
        f"cibadmin --delete --xpath={NODE_SET}",
        "crm_attribute --node=host2 --name=standby --delete --lifetime=reboot",
    ],
    "maintenance": ["crm_attribute --name=maintenance-mode --update=true"],
    "clear-maintenance": ["crm_attribute --name=maintenance-mode --delete"],
    "node-maintenance": [
        "crm_attribute --node=host2 --name=maintenance --update=true --lifetime=forever"
    ],
    "clear-node-maintenance": [
        "crm_attribute --node=host2 --name=maintenance --delete --lifetime=forever",
        f"cibadmin --delete --xpath={NODE_SET}",
        "crm_attribute --node=host2 --name=maintenance --delete --lifetime=reboot",
    ],
    "claim": [
        (
            'cibadmin --create --scope=crm_config --xml-text=<cluster_property_set id="hxm-lock">'
            '<nvpair id="hxm-lock-holder" name="hxm-lock" value="root@host1:12:345"/>'
            '<nvpair id="hxm-lock-what" name="hxm-lock-what" value="migrate nfs to host2"/>'
            '<nvpair id="hxm-lock-since" name="hxm-lock-since" value="1760000000"/>'
            f"{RENEWAL}</cluster_property_set>"
        )
    ],
    "renew": [
        f"cibadmin --modify --xpath={LOCK_OF}/nvpair[@id='hxm-lock-renewed'] --xml-text={RENEWAL}"
    ],
    "release": [
        (
            f"cibadmin --delete-all --force --xpath={LOCK_OF}"
            f"|{OWN_SET}[not(nvpair[@name='hxm-lock'])]"
            f"|//{OTHER_SET}[../{OTHER_SET}/nvpair[@name='hxm-lock'][@value='root@host1:12:345']]"
            "/nvpair[starts-with(@name,'hxm-lock')]"
        )
    ],
    "restore": [
        "cibadmin --replace --scope=configuration --xml-file=/tmp/hxm-scratch-1/configuration.xml"
    ],
    "mark-update": [
        (
            'cibadmin -M -c -o crm_config -X <cluster_property_set id="hxm-update">'
            '<nvpair id="hxm-update-state" name="hxm-update" '
            'value="order=host1,host2;host=host1;stage=drain"/></cluster_property_set>'
        )
    ],
    "unmark-update": ['cibadmin -D -o crm_config -X <cluster_property_set id="hxm-update"/>'],
    "fence": ["stonith_admin --reboot=host2"],
    "cleanup": ["crm_resource --cleanup --resource=nfs"],
    "cleanup-on": ["crm_resource --cleanup --resource=nfs --node=host2"],
    "load-xml": [
        'cibadmin --modify --scope=configuration --xml-text=<configuration id="x"/>',
    ],
    "delete-xml": ["cibadmin --delete-all --force --xpath=//primitive[@id='nfs']"],
    "forget": ["crm_resource --refresh --resource=nfs"],
}
# What a dialect spells otherwise; each dialect must be named here
NO_LOCK = {kind: ["refused: hxm status"] for kind in ("claim", "renew", "release")}
BY_HAND = ["refused: hxm unmanage, and cibadmin by hand"]
NO_LOCK |= dict.fromkeys(("load-xml", "delete-xml", "forget"), BY_HAND)
UP_TO_1_1_9 = {
    **NO_LOCK,
    "set-meta": ["crm_resource -r nfs -m -p target-role -v Stopped"],
    "clear-meta": [
        "crm_resource -r nfs -m -d target-role",
        "cibadmin --delete --xpath=//primitive[@id='nfs']/meta_attributes[not(*)]",
    ],
    "clear-meta-above": [
        "crm_resource -f -r nfs -m -d target-role",
        "cibadmin --delete --xpath=//resources//*[@id='nfs']/meta_attributes[not(*)]",
    ],
    "move": ["crm_resource -M -r nfs -H host2"],
    "move-and-ban": ["crm_resource -M -f -r nfs -H host2"],
    "clear": ["crm_resource -U -r nfs"],
    "standby": ["crm_standby -U host2 -v on"],
    "unban": [
        "cibadmin --delete --xpath=//constraints/rsc_location[@id='cli-standby-nfs']",
        "cibadmin --delete --xpath=//constraints/rsc_location[@id='cli-ban-nfs-on-host1']",
    ],
    "clear-standby": [
        "crm_standby -U host2 -D",
        f"cibadmin --delete --xpath={NODE_SET}",
        "crm_standby -U host2 -D -l reboot",
    ],
    "maintenance": ["crm_attribute -n maintenance-mode -v true"],
    "clear-maintenance": ["crm_attribute -n maintenance-mode -D"],
    "node-maintenance": ["refused: hxm maintenance on"],
    "clear-node-maintenance": ["refused: hxm maintenance on"],
    "fence": ["refused: kill its stack on the node instead"],
    "cleanup": ["crm_resource -C -r nfs"],
    "cleanup-on": ["crm_resource -C -r nfs -H host2", "crm_failcount -D -r nfs -U host2"],
}
CLEAR_META_0_6 = ["crm_resource -r nfs -m -d target_role", "crm_resource -r nfs -d target_role"]
HEARTBEAT = UP_TO_1_1_9 | {
    "set-meta": ["crm_resource -r nfs -m -p target_role -v stopped"],
    "clear-meta": CLEAR_META_0_6,
    "clear-meta-above": CLEAR_META_0_6,
    "delete-constraint": [
        'cibadmin -D -o constraints -X <rsc_location id="cli-standby-nfs"/>',
    ],
    "unmove": ['cibadmin -D -o constraints -X <rsc_location id="cli-prefer-nfs"/>'],
    "unban": [
        'cibadmin -D -o constraints -X <rsc_location id="cli-standby-nfs"/>',
        'cibadmin -D -o constraints -X <rsc_location id="cli-ban-nfs-on-host1"/>',
    ],
    "clear-standby": ["crm_standby -U host2 -D", "crm_standby -U host2 -D -l reboot"],
    "maintenance": ["crm_attribute -n is-managed-default -v false"],
    "clear-maintenance": ["crm_attribute -n is-managed-default -v true"],
    "restore": ["refused: cibadmin -R -o resources -x FILE, section by section"],
    "mark-update": ["crm_attribute -n hxm-update -v order=host1,host2;host=host1;stage=drain"],
    "unmark-update": ["crm_attribute -n hxm-update -D"],
}
OTHERWISE: dict[str, dict[str, list[str]]] = {
    "Pacemaker 3.0": {},
    "Pacemaker 2.1": {},
    "Pacemaker 2.0": {},
    "Pacemaker 1.1.13": NO_LOCK,
    "Pacemaker 1.1.10": NO_LOCK,
    "Pacemaker 1.1": UP_TO_1_1_9,
    "Pacemaker 1.0": UP_TO_1_1_9,
    "Heartbeat 2.1": HEARTBEAT,
}

dialects = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)


def spelt(dialect: Dialect, kind: str) -> list[str]:
    try:
        return [" ".join(argv) for argv in step_argv(dialect, Step(kind, "do it", VALUES))]
    except Refused as refusal:
        return [f"refused: {refusal.hint}"]


@dialects
def test_every_step_is_spelt_as_it_was_seen_to_work(dialect):
    expected = SPELT | OTHERWISE[dialect.name]
    assert {kind: spelt(dialect, kind) for kind in dialect.steps} == expected


@dialects
def test_every_kind_of_step_is_spelt_and_a_misspelt_one_raises(dialect):
    assert set(dialect.steps) == set(get_args(CibStepKind))
    with pytest.raises(KeyError):
        step_argv(dialect, Step("clear-stanby", "", {"node": "host2"}))


NAMES = st.text(min_size=1).filter(lambda name: not name.startswith("-"))


@given(st.fixed_dictionaries(dict.fromkeys(VALUES, NAMES)))
@dialects
def test_no_value_ever_becomes_an_option_or_a_word_of_its_own(dialect, values):
    for kind in SPELT:
        if kind in dialect.lacks or f"{kind} {values['name']}" in dialect.lacks:
            continue
        for template, argv in zip(
            dialect.steps[kind], step_argv(dialect, Step(kind, "", values)), strict=True
        ):
            assert len(argv) == len(template), kind
            for last, before, word in zip(("", *template), template, argv, strict=False):
                fixed = before.split("{", 1)[0]
                takes_it = len(last) == 2 and last[0] == "-"
                assert fixed == before or "=" in fixed or takes_it, kind
                assert word.startswith(fixed), kind


@pytest.mark.parametrize("value", ["", "-f", "--force"])
@pytest.mark.parametrize("kind", ["set-meta", "move"])
@dialects
def test_no_name_ever_passes_for_an_option_or_loses_one(dialect, kind, value):
    with pytest.raises(Refused):
        step_argv(dialect, Step(kind, "", VALUES | {"resource": value}))


def test_a_value_in_xml_never_ends_its_attribute():
    step = Step("delete-constraint", "", {"constraint": '"/><x a="'})
    ((*_, xml),) = step_argv(OLDEST, step)
    assert xml == '<rsc_location id="&quot;/>&lt;x a=&quot;"/>'


@dialects
def test_a_value_with_braces_is_never_looked_up(dialect):
    (argv,) = step_argv(dialect, Step("clear", "", {"resource": "{node}"}))
    assert argv[-1] in ("--resource={node}", "{node}")


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.key)
def test_no_generation_is_advised_to_use_what_it_has_not(dialect):
    said = " ".join(dialect.hints.values())
    assert ("--why" in said) == (dialect.since >= (1, 1, 18)), "its release"
    assert ("stonith_admin" in said) == (dialect.since >= (1, 1)), "its release"
    for about in ("why", "confirm", "agents"):
        assert dialect.hints[about].format_map({"resource": "nfs", "node": "host1"})


@pytest.mark.parametrize(
    ("about", "generations"),
    [
        (
            "keep-stopped",
            {"2.1": "--parameter-value=Stopped", "1.1": " Stopped", "0.6": " stopped"},
        ),
        ("forget", {"2.1": "--cleanup", "1.1.10": "-C", "0.6": "-C"}),
        ("stickiness", {"1.0": "rsc_defaults", "0.6": "default-resource-stickiness"}),
        ("order", {"1.0": 'first="a" then="b"', "0.6": 'from="b" type="after" to="a"'}),
        ("live", {"1.0": "allow-migrate", "0.6": "allow_migrate"}),
        ("attributes", {"1.1": "crm_mon -1 -A", "1.0": "cibadmin -Q -o status"}),
        ("stack", {"3.0": "systemctl start pacemaker", "1.1": "service pacemaker start"}),
    ],
)
def test_each_generation_is_told_its_own_spelling(about, generations):
    by_key = {dialect.key: dialect for dialect in DIALECTS}
    values = dict.fromkeys(("resource", "then"), "b") | {"first": "a"}
    for key, part in generations.items():
        assert part in by_key[key].hints[about].format_map(values), key

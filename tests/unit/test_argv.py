"""How every dialect spells every step, as literal command lines; and that no value is a word."""

from __future__ import annotations

import pytest
from every_verb import VERBS, decided, subject
from hypothesis import given
from hypothesis import strategies as st

from hxm.model import Step
from hxm.pacemaker.argv import step_argv
from hxm.pacemaker.dialect import DIALECTS

VALUES = {
    "resource": "nfs",
    "node": "host2",
    "name": "target-role",
    "value": "Stopped",
    "constraint": "cli-standby-nfs",
    "holder": "root@host1:12:345",
    "what": "migrate nfs to host2",
    "now": "1760000000",
}
RENEWAL = '<nvpair id="hxm-lock-renewed" name="hxm-lock-renewed" value="1760000000"/>'
LOCK_OF = "//cluster_property_set[@id='hxm-lock'][nvpair[@value='root@host1:12:345']]"
NODE_SET = "//nodes/node[@uname='host2']/instance_attributes[not(*)]"
SPELT = {
    "set-meta": [
        "crm_resource --resource=nfs --meta --set-parameter=target-role --parameter-value=Stopped"
    ],
    "clear-meta": [
        "crm_resource --resource=nfs --meta --delete-parameter=target-role",
        "cibadmin --delete --xpath=//primitive[@id='nfs']/meta_attributes[not(*)]",
    ],
    "move": ["crm_resource --move --resource=nfs --node=host2"],
    "move-and-ban": ["crm_resource --move --force --resource=nfs --node=host2"],
    "clear": ["crm_resource --clear --resource=nfs"],
    "delete-constraint": [
        "cibadmin --delete --xpath=//constraints/rsc_location[@id='cli-standby-nfs']"
    ],
    "standby": ["crm_attribute --node=host2 --name=standby --update=on --lifetime=forever"],
    "clear-standby": [
        "crm_attribute --node=host2 --name=standby --delete --lifetime=forever",
        f"cibadmin --delete --xpath={NODE_SET}",
    ],
    "clear-standby-until-reboot": [
        "crm_attribute --node=host2 --name=standby --delete --lifetime=reboot"
    ],
    "maintenance": ["crm_attribute --name=maintenance-mode --update=true"],
    "clear-maintenance": ["crm_attribute --name=maintenance-mode --delete"],
    "node-maintenance": [
        "crm_attribute --node=host2 --name=maintenance --update=true --lifetime=forever"
    ],
    "clear-node-maintenance": [
        "crm_attribute --node=host2 --name=maintenance --delete --lifetime=forever",
        f"cibadmin --delete --xpath={NODE_SET}",
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
    "release": [f"cibadmin --delete --xpath={LOCK_OF}"],
    "cleanup": ["crm_resource --cleanup --resource=nfs"],
    "cleanup-on": ["crm_resource --cleanup --resource=nfs --node=host2"],
}
# What a dialect spells otherwise; each dialect must be named here
OTHERWISE: dict[str, dict[str, list[str]]] = {
    "Pacemaker 3.0": {},
    "Pacemaker 2.1": {},
    "Pacemaker 2.0": {},
}
NOT_THE_CLUSTERS = {"destroy"}  # the toolstack's: hxm.toolstack.destroy_argv

dialects = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)


@dialects
def test_every_step_is_spelt_as_it_was_seen_to_work(dialect):
    spelt = {
        kind: [" ".join(argv) for argv in step_argv(dialect, Step(kind, "", VALUES))]
        for kind in dialect.steps
    }
    assert spelt == SPELT | OTHERWISE[dialect.name]


@dialects
@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_ever_takes_a_step_that_a_dialect_cannot_spell(dialect, verb):
    plan = decided(verb, subject())
    ways = [plan, *([plan.otherwise] if plan.otherwise else [])]
    steps = [step for way in ways for phase in way.phases for step in phase.steps]
    for step in (*steps, *plan.rollback):
        if step.kind not in NOT_THE_CLUSTERS:
            assert step_argv(dialect, step)


@given(st.fixed_dictionaries(dict.fromkeys(VALUES, st.text())))
@pytest.mark.parametrize("kind", SPELT)
@dialects
def test_no_value_ever_becomes_an_option_or_a_word_of_its_own(dialect, kind, values):
    usual = step_argv(dialect, Step(kind, "", VALUES))
    for template, argv in zip(
        dialect.steps[kind], step_argv(dialect, Step(kind, "", values)), strict=True
    ):
        assert len(argv) == len(template)
        for before, word in zip(template, argv, strict=True):
            fixed = before.split("{", 1)[0]
            assert fixed == before or "=" in fixed
            assert word.startswith(fixed)
    assert len(usual) == len(dialect.steps[kind])


@dialects
def test_a_value_with_braces_is_never_looked_up(dialect):
    step = Step("clear", "", {"resource": "{node}"})
    assert step_argv(dialect, step) == (("crm_resource", "--clear", "--resource={node}"),)

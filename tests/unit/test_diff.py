"""Configurations compared: no change goes unseen, and no secret is ever said."""

from __future__ import annotations

from functools import partial
from xml.etree.ElementTree import Element, fromstring, tostring

import pytest
from factories import DATA

from hxm.pacemaker.cib import configuration_in
from hxm.pacemaker.cib_document import (
    CLUSTERS_OWN,
    as_cib,
    combined,
    parse_backup,
    same,
    sections_in,
)
from hxm.pacemaker.cib_flatten import facts_in, private_names
from hxm.policy import not_secret
from hxm.policy.diff import Difference, Fact, Item, as_row, differences, intention, sentence

EVERYTHING = b"""<configuration>
  <crm_config>
    <cluster_property_set id="cib-bootstrap-options">
      <nvpair id="o-dc" name="dc-version" value="2.1.5"/>
      <nvpair id="o-stonith" name="stonith-enabled" value="true"/>
    </cluster_property_set>
    <cluster_property_set id="hxm-update"><nvpair id="u" name="hxm-step" value="3"/>
    </cluster_property_set>
  </crm_config>
  <nodes>
    <node id="1" uname="host1"/>
    <node id="2" uname="host2"><instance_attributes id="n2">
      <nvpair id="n2-standby" name="standby" value="on"/></instance_attributes></node>
  </nodes>
  <resources>
    <!-- kept as it is -->
    <primitive id="fence" class="stonith" type="fence_ipmilan">
      <instance_attributes id="f"><nvpair id="f-p" name="passwd" value="hush-hush"/>
        <nvpair id="f-i" name="ip" value="10.0.0.1"/></instance_attributes>
    </primitive>
    <group id="both"><meta_attributes id="b"><nvpair id="b-r" name="target-role" value="Started"/>
      </meta_attributes>
      <primitive id="nfs" class="ocf" provider="heartbeat" type="Xen">
        <instance_attributes id="nfs-a"><nvpair id="nfs-x" name="xmfile" value="/x"/>
        </instance_attributes>
        <instance_attributes id="nfs-b"><rule id="nfs-r" score="10"><expression id="nfs-e"
          attribute="#uname" operation="eq" value="host1"/></rule>
          <nvpair id="nfs-y" name="xmfile" value="/y"/></instance_attributes>
        <utilization id="nfs-u"><nvpair id="nfs-m" name="memory" value="512"/></utilization>
        <operations><op id="nfs-o" name="monitor" interval="10s" timeout="60s"/>
          <op id="nfs-s" name="stop" interval="0" timeout="90s" on-fail="fence"/></operations>
      </primitive>
    </group>
    <clone id="ping"><primitive id="ping-child" class="ocf" provider="pacemaker" type="ping"/>
    </clone>
  </resources>
  <constraints>
    <rsc_location id="cli-prefer-nfs" rsc="nfs" node="host2" score="INFINITY"/>
    <rsc_location id="rule" rsc="nfs"><rule id="rr" score="-INFINITY" boolean-op="or">
      <expression id="re" attribute="pingd" operation="lte" value="0" type="number"/></rule>
    </rsc_location>
    <rsc_order id="order" kind="Optional"><resource_set id="set" sequential="false">
      <resource_ref id="ping"/><resource_ref id="both"/></resource_set></rsc_order>
  </constraints>
  <rsc_defaults><meta_attributes id="rd"><nvpair id="rd-s" name="resource-stickiness"
    value="100"/></meta_attributes></rsc_defaults>
  <fencing-topology><fencing-level id="fl" target="host1" index="1" devices="fence"/>
  </fencing-topology>
  <tags><tag id="t"><obj_ref id="nfs"/></tag></tags>
  <alerts><alert id="al" path="/usr/bin/alert"><recipient id="re1" value="root"/></alert></alerts>
</configuration>"""

NAMED = ("primitive", "group", "clone", "resource_ref", "obj_ref", "rsc_order", "tag")
CIBS = {path.name: path.read_bytes() for path in sorted((DATA / "cibs").glob("*.xml"))}
CIBS["everything"] = EVERYTHING


def facts(document: bytes):
    return facts_in(parse_backup(document, "it"))


def changed(old: str, new: str) -> list[str]:
    assert old.encode() in EVERYTHING, old
    after = EVERYTHING.replace(old.encode(), new.encode())
    return [sentence(each) for each in differences(facts(EVERYTHING), facts(after))]


SAID = {
    "a property": (
        'stonith-enabled" value="true"',
        'stonith-enabled" value="false"',
        "the cluster: stonith-enabled is false, was true",
    ),
    "of a node": ('"standby" value="on"', '"standby" value="off"', "node host2: standby is off"),
    "a secret": ("hush-hush", "hidden", "resource fence: parameter passwd was changed (not shown)"),
    "a secret gone": (
        '<nvpair id="f-p" name="passwd" value="hush-hush"/>',
        "",
        "resource fence: parameter passwd is not set, was (not shown)",
    ),
    "a parameter": ('"ip" value="10.0.0.1"', '"ip" value=""', 'parameter ip is "", was 10.0.0.1'),
    "an operation": ('"60s"', '"61s"', "domU nfs: monitor every 10s timeout is 61s, was 60s"),
    "of a group": (
        '"target-role" value="Started"',
        '"target-role" value="Stopped"',
        "group both: ",
    ),
    "under a rule": ('value="/y"', 'value="/z"', "domU nfs: parameter xmfile in nfs-b is /z, was"),
    "an agent": ('type="fence_ipmilan"', 'type="fence_xen"', "agent is stonith:fence_xen, was"),
    "a constraint": ('node="host2" ', 'node="host1" ', "constraint cli-prefer-nfs: node is host1"),
    "a rule": ('"lte"', '"lt"', "constraint rule: rule rr expression re operation is lt, was lte"),
    "a default": ('value="100"', 'value="0"', "the defaults for resources: resource-stickiness is"),
    "a level": ('devices="fence"', 'devices="f"', "fencing level fl: devices is f, was fence"),
    "utilization": ('value="512"', 'value="1024"', "domU nfs: utilization memory is 1024, was 512"),
    "what a node has": (
        '<node id="1" uname="host1"/>',
        (
            '<node id="1" uname="host1"><utilization id="u"><nvpair id="v" name="memory" '
            'value="4096"/></utilization></node>'
        ),
        "node host1: memory is 4096, was not set",
    ),
    "a new constraint": (
        "</constraints>",
        '<rsc_colocation id="c" rsc="a" with-rsc="b"/></constraints>',
        "constraint c was added (rsc a, with-rsc b)",
    ),
}


@pytest.mark.parametrize(("old", "new", "said"), SAID.values(), ids=SAID)
def test_a_change_is_said_in_words(old, new, said):
    (line,) = changed(old, new)
    assert said in line
    assert "hush" not in line


PLANNED = {
    "changed": (("standby", Fact("on"), None), "domU x: standby would not be set, is on"),
    "set": (("standby", None, Fact("on")), "domU x: standby would be on, is not set"),
    "secret": (
        ("passwd", Fact("a", shown=False), Fact("b", shown=False)),
        "domU x: passwd would be changed (not shown)",
    ),
    "a secret set": (
        ("passwd", None, Fact("b", shown=False)),
        "domU x: passwd would be (not shown), is not set",
    ),
    "removed": (("", Fact("here"), None), "domU x would be removed"),
    "added": (("", None, Fact("here")), "domU x would be added"),
}


@pytest.mark.parametrize(("change", "said"), PLANNED.values(), ids=PLANNED)
def test_a_plan_says_what_would_be(change, said):
    assert intention(Difference(Item("domU", "x", "resources"), *change)) == said


def test_a_plan_only_names_a_rule_and_a_comparison_has_all_of_it():
    start = EVERYTHING.index(b'<rsc_location id="rule"')
    end = EVERYTHING.index(b"</rsc_location>", start) + len(b"</rsc_location>")
    (gone,) = differences(facts(EVERYTHING), facts(EVERYTHING[:start] + EVERYTHING[end:]))
    assert intention(gone) == "constraint rule would be removed (rsc nfs, a rule with pingd)"
    assert sentence(gone, brief=True) == "constraint rule was removed (rsc nfs, a rule with pingd)"
    assert "rule rr expression re operation lte" in sentence(gone)


def test_a_domu_that_is_removed_leaves_its_group_too():
    start, end = EVERYTHING.index(b'<primitive id="nfs"'), EVERYTHING.index(b"</group>")
    after = EVERYTHING[:start] + b"<!-- gone -->" + EVERYTHING[end:]
    lines = [sentence(each) for each in differences(facts(EVERYTHING), facts(after))]
    assert any(line.startswith("domU nfs was removed (agent ocf:heartbeat:Xen") for line in lines)


@pytest.mark.parametrize("name", CIBS)
def test_no_attribute_ever_changes_unseen(name):
    """But for ids that name nothing, and for what hxm and the cluster write themselves."""
    root = parse_backup(CIBS[name], name)
    before = facts_in(root)
    tried = 0
    for section in sections_in(root).values():
        for element in list(section.iter()):
            if element.get("name") in CLUSTERS_OWN or "hxm-" in str(tostring(element)):
                continue
            for attribute, kept in list(element.attrib.items()):
                if attribute != "id" or element.tag in NAMED:
                    element.set(attribute, f"{kept}-other")
                    assert differences(before, facts_in(root)), (element.tag, attribute, kept)
                    element.set(attribute, kept)
                    tried += 1
    assert tried > 20
    assert not differences(before, facts_in(root))


SECRETS = """
ilo_password passwd login secret token community access_key api_key apikey snmp_priv_passwd
passphrase pass pin auth credentials psk wpa_psk snmpcommunity sharedsecret cookie session pw pword
kennwort private_key identity_file rootpw vncpasswd userpass ipmi_pw admin_pw lanplus_pw auth_key
authkey hmac bindpw binddn_pw basic_auth ssh_key certificate options additional_parameters
extra_args cmdline url uri env description run-command hxm-unheard-of xmfile_password PASSWD
user-data
"""
"""What agents call a parameter that is a password, or may hold one."""
HOLDERS = {
    "a URL": ('"xmfile" value="/x"', '"xmfile" value="esx://h/?u=a&amp;password={value}"'),
    "a login": ('"xmfile" value="/x"', '"xmfile" value="esx://user:{value}@h/"'),
    "a path": ('path="/usr/bin/alert"', 'path="/usr/bin/alert?t={value}"'),
    "a comparison": (
        'attribute="pingd" operation="lte" value="0"',
        'attribute="x" value="{value}"',
    ),
    "an alert's name": (
        "<recipient ",
        (
            '<instance_attributes id="s"><nvpair id="s-n" name="name" value="{value}"/>'
            "</instance_attributes><recipient "
        ),
    ),
    "an agent never heard of": (
        'provider="pacemaker" type="ping"/>',
        (
            'provider="acme" type="x"><instance_attributes id="s"><nvpair id="s-n" name="device" '
            'value="{value}"/></instance_attributes></primitive>'
        ),
    ),
}
"""What is harmless by its name, and holds a secret nevertheless."""
PLACES = {
    "a resource": ("</operations>", "</operations>{pairs}"),
    "a device that fences": ('<nvpair id="f-i"', '{pair}<nvpair id="f-i"'),
    "an operation": (
        'timeout="60s"/>',
        'timeout="60s">{pairs}</op>',
    ),
    "a node": ('<nvpair id="n2-standby"', '{pair}<nvpair id="n2-standby"'),
    "the cluster": ('<nvpair id="o-stonith"', '{pair}<nvpair id="o-stonith"'),
    "a meta attribute": ('<nvpair id="b-r"', '{pair}<nvpair id="b-r"'),
    "utilization": ('<nvpair id="nfs-m"', '{pair}<nvpair id="nfs-m"'),
    "an alert": ("<recipient ", "{pairs}<recipient "),
    "a rule's set": ('<nvpair id="nfs-y"', '{pair}<nvpair id="nfs-y"'),
    "an attribute": ('<rsc_location id="rule"', '<rsc_location {attribute} id="rule"'),
    "a recipient": ('id="re1" value="root"', 'id="re1" value="{value}"'),
    "a container": (
        "</resources>",
        '<bundle><docker image="i" options="{value}" run-command="{value}"/></bundle></resources>',
    ),
}


def with_secret(place: str, name: str, value: str) -> bytes:
    old, new = PLACES[place]
    pair = f'<nvpair id="s-{name}" name="{name}" value="{value}"/>'
    pairs = f'<instance_attributes id="s">{pair}</instance_attributes>'
    text = EVERYTHING.decode()
    assert old in text
    attribute = f'{name}="{value}"'
    new = new.format(pair=pair, pairs=pairs, attribute=attribute, value=value)
    return text.replace(old, new, 1).encode()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", SECRETS.split())
def test_only_what_is_known_to_be_harmless_is_ever_said(place, name):
    """Added, changed, removed; in words, in a plan, and for programs."""
    if place == "an attribute" and name in ("xmfile_password", "id"):
        return
    one, two = (with_secret(place, name, value) for value in ("SECRET-1", "SECRET-2"))
    documents = (EVERYTHING, one, two)
    for before in documents:
        for after in documents:
            found = differences(facts(before), facts(after))
            assert bool(found) == (before != after)
            for each in found:
                words = (sentence(each), sentence(each, brief=True), intention(each))
                assert "SECRET" not in f"{words} {as_row(each)}"


@pytest.mark.parametrize(("old", "new"), HOLDERS.values(), ids=HOLDERS)
def test_what_is_harmless_by_its_name_may_hold_a_secret(old, new):
    assert old in EVERYTHING.decode()
    one, two = (
        EVERYTHING.decode().replace(old, new.format(value=value)).encode()
        for value in ("SECRET-1", "SECRET-2")
    )
    for before, after in ((EVERYTHING, one), (one, two), (two, EVERYTHING)):
        found = differences(facts(before), facts(after))
        assert found
        for difference in found:
            words = (sentence(difference), intention(difference), as_row(difference))
            assert "SECRET" not in str(words)


@pytest.mark.parametrize(
    ("shown", "names"),
    [
        (
            partial(not_secret.parameter, "ocf:heartbeat:Xen"),
            "xmfile hostlist ip pcmk_host_list shutdown_timeout device Directory",
        ),
        (not_secret.option, "target-role is_managed stonith-enabled standby resource-stickiness"),
        (not_secret.attribute, "first kind score rsc with-rsc"),
        (not_secret.amount, "0 512"),
    ],
)
def test_what_is_harmless_is_said(shown, names):
    assert [name for name in names.split() if not shown(name)] == []


def test_of_a_thing_that_is_added_or_removed_only_what_is_harmless_is_said():
    start, end = EVERYTHING.index(b'<primitive id="fence"'), EVERYTHING.index(b"<group")
    without = EVERYTHING[:start] + EVERYTHING[end:]
    for before, after in ((EVERYTHING, without), (without, EVERYTHING)):
        (each,) = differences(facts(before), facts(after))
        assert "hush" not in sentence(each) + str(as_row(each))
        assert "10.0.0.1" in sentence(each)


def test_what_an_agent_calls_private_is_a_secret_too():
    """Pacemaker names it in the history of every action (2.1.5, captured)."""
    cib = fromstring((DATA / "history-2.1.5" / "cib.xml").read_bytes())
    assert private_names(cib) == {"password"}
    documents = (EVERYTHING, EVERYTHING.replace(b"10.0.0.1", b"10.0.0.2"))
    two = (facts_in(parse_backup(each, "it"), ["ip", "xmfile"]) for each in documents)
    (each,) = differences(*two)
    assert sentence(each) == "resource fence: parameter ip was changed (not shown)"
    assert "10.0" not in str(as_row(each))


@pytest.mark.parametrize("name", [each for each in CIBS if not each.startswith("hb-")])
def test_a_backup_put_in_place_gives_what_it_was_taken_of(name):
    kept = configuration_in(CIBS[name])
    present = kept.replace(b'value="true"', b'value="false"').replace(b"<nodes>", b"<nodes >")
    root = parse_backup(as_cib(kept, {"validate-with": "pacemaker-3.0"}), name)
    assert same(combined(present, root, sections_in(root)), kept)


def restored(present: bytes, sections, lock: str = "") -> Element:
    return fromstring(combined(present, parse_backup(EVERYTHING, "it"), sections, lock))


def test_what_is_the_clusters_and_hxms_own_stays_as_it_is():
    present = (
        EVERYTHING.replace(b'"2.1.5"', b'"2.1.9"')
        .replace(b'"hxm-step" value="3"', b'"hxm-step" value="4"')
        .replace(b'stonith-enabled" value="true"', b'stonith-enabled" value="false"')
    )
    lock = '<cluster_property_set id="hxm-lock"/>'
    pairs = {
        each.get("name"): each.get("value")
        for each in restored(present, ["crm_config"], lock).iterfind("crm_config//nvpair")
    }
    assert pairs == {"dc-version": "2.1.9", "stonith-enabled": "true", "hxm-step": "4"}
    assert restored(present, ["crm_config"], lock).find("crm_config/*[@id='hxm-lock']") is not None
    assert same(present, EVERYTHING) is False
    assert same(
        present.replace(b'stonith-enabled" value="false"', b'stonith-enabled" value="true"'),
        EVERYTHING,
    )


def test_no_node_is_ever_added_or_dropped():
    present = EVERYTHING.replace(b'uname="host1"', b'uname="host3"').replace(b'"on"', b'"off"')
    found = restored(present, ["nodes"])
    assert [each.get("uname") for each in found.iterfind("nodes/node")] == ["host3", "host2"]
    assert [each.get("value") for each in found.iterfind("nodes//nvpair")] == ["on"]


def test_comments_are_kept_and_other_sections_untouched():
    present = EVERYTHING.replace(b'"lte"', b'"lt"').replace(b'"100"', b'"7"')
    text = tostring(restored(present, ["resources"]))
    assert b"<!-- kept as it is -->" in combined(present, parse_backup(EVERYTHING, "it"), ["tags"])
    assert b'"lt"' in text
    assert b'value="7"' in text


def test_a_lock_is_no_part_of_the_configuration():
    held = EVERYTHING.replace(
        b"  </crm_config>",
        b'    <cluster_property_set id="hxm-lock">\n      <nvpair id="hxm-lock-holder" '
        b'name="hxm-lock" value="root@host1:1:1"/>\n    </cluster_property_set>\n  </crm_config>',
    )
    assert held != EVERYTHING
    assert configuration_in(held) == EVERYTHING
    assert configuration_in(as_cib(held, {"epoch": "3"})) == EVERYTHING


def test_only_hxms_own_properties_are_left_out():
    """`hxm enrol` leaves its markers in sets of its own, and they mean something."""
    marked = EVERYTHING.replace(
        b'<operations><op id="nfs-o"',
        b'<meta_attributes id="hxm-enrol-nfs"><nvpair id="e-m" name="is-managed" value="false"/>'
        b'</meta_attributes><operations><op id="nfs-o"',
    )
    (found,) = differences(facts(EVERYTHING), facts(marked))
    assert sentence(found) == "domU nfs: is-managed is false, was not set"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("https://me:hush@host/x", "https:(not shown)@host/x"),
        ("me:hush@host", "me:(not shown)@host"),
        ("https://host/x", "https://host/x"),
        ("me@host", "me@host"),
        ("", '""'),
    ],
)
def test_a_password_in_front_of_a_host_is_never_said(value, shown):
    it = Difference(Item("resource", "fs", "resources"), "parameter device", None, Fact(value))
    assert as_row(it)["after"] == shown
    assert shown in sentence(it)


def test_a_backup_is_left_as_it_is():
    """It is put together twice: once to be shown, and once with the lock."""
    backup = parse_backup(EVERYTHING, "it")
    before = tostring(backup)
    present = EVERYTHING.replace(b'"2.1.5"', b'"2.1.9"').replace(b'"3"', b'"4"')
    once, again = (combined(present, backup, ["crm_config", "resources"]) for _ in "12")
    assert once == again
    assert tostring(backup) == before


def test_a_letter_in_the_name_of_an_attribute_is_no_fault():
    """XML allows it, and written as a number it is no XML any more."""
    odd = EVERYTHING.replace(b'<primitive id="fence"', '<primitive é="1" id="fence"'.encode())
    assert not same(odd, EVERYTHING)
    assert differences(facts(odd), facts(EVERYTHING))
    assert restored(odd, ["tags"]).find("resources/primitive").get("é") == "1"

"""Orders for one resource where its group, a template or rsc_defaults says otherwise."""

from __future__ import annotations

import pytest
from factories import cluster, domain, primitive

from hxm.model import Cluster
from hxm.plan import Decision, Plan
from hxm.policy.orders import hygiene, lifecycle, other_resources

NFS = domain("nfs")
OPTIONS = {"target-role": "Stopped", "is-managed": "false", "maintenance": "true"}
GROUP, SITE = ("g", "", ""), ("rsc_defaults", "site", "")
UNSET = (
    "if hxm check finds no shared disk: cibadmin --delete "
    "--xpath=\"//meta_attributes[@id='site']//nvpair[@name='{}']\""
)


def seen(option: str, place: tuple[str, str, str], own: dict[str, str] | None = None) -> Cluster:
    """The group g of nfs and ip, where the option stands at the place."""
    members = [
        primitive(name, {option: OPTIONS[option]}, parent="g", inherited_from={option: place})
        for name in ("nfs", "ip")
    ]
    nfs, ip = members
    nfs = nfs._replace(own_meta=own or {}, meta={**nfs.meta, **(own or {})})
    at_group = {option: OPTIONS[option]} if place == GROUP else {}
    return cluster(NFS, nfs, ip, own_meta={"g": at_group, "ip": {}})


def ordered(verb: str, at: Cluster) -> Decision:
    orders = {
        "start": lambda: lifecycle.start(at, [NFS]),
        "start ip": lambda: other_resources.start(at, "ip"),
        "manage": lambda: hygiene.manage(at, [NFS]),
        "maintenance off": lambda: hygiene.maintenance(at, False, NFS),
        "default": lambda: hygiene.default(at, [NFS]),
        "default ip": lambda: other_resources.default(at, "ip"),
    }
    return orders[verb]()


REFUSED = [
    ("start", "target-role", GROUP, "hxm start g"),
    ("start ip", "target-role", GROUP, "hxm start g"),
    ("manage", "is-managed", GROUP, "hxm default g"),
    ("manage", "is-managed", SITE, UNSET.format("is-managed")),
    ("maintenance off", "maintenance", GROUP, "hxm default g"),
    ("maintenance off", "maintenance", SITE, UNSET.format("maintenance")),
]


@pytest.mark.parametrize(("verb", "option", "place", "end"), REFUSED)
def test_what_stands_above_is_ended_there(verb, option, place, end):
    plan = ordered(verb, seen(option, place))
    assert isinstance(plan, Plan)
    (objection,) = (each for each in plan.objections if "stands at" in each.what)
    assert objection.what.endswith(f"stands at {place[0]}, and counts for nfs, ip")
    assert (objection.do, objection.lifted_by) == (end, "--force")


@pytest.mark.parametrize(
    ("verb", "option", "place", "own"),
    [
        ("start", "target-role", SITE, {}),  # each is meant to be started by its own
        ("manage", "is-managed", GROUP, {"is-managed": "true", "maintenance": "true"}),
    ],
)
def test_what_does_not_count_for_it_is_no_reason_to_refuse(verb, option, place, own):
    plan = ordered(verb, seen(option, place, own))
    assert isinstance(plan, Plan)
    assert not [each for each in plan.objections if "stands at" in each.what]


@pytest.mark.parametrize("verb", ["default", "default ip"])
@pytest.mark.parametrize("option", OPTIONS)
def test_default_of_one_leads_to_where_it_stands(verb, option):
    end = "start" if option == "target-role" else "default"
    message = ordered(verb, seen(option, GROUP)).message
    assert message.endswith(f"; {option}={OPTIONS[option]} stands at g: hxm {end} g")


def test_default_takes_an_option_from_the_outermost_inwards_and_frees_last():
    at = seen("maintenance", GROUP, OPTIONS)
    at = at._replace(own_meta={"g": OPTIONS, "nfs": OPTIONS, "ip": {}})
    plan = other_resources.default(at, "g")
    steps = [
        (step.kind, step.values["name"], step.values["resource"]) for step in plan.phases[0].steps
    ]
    assert steps == [
        (kind, option, resource)
        for option in OPTIONS
        for kind, resource in (("clear-meta-above", "g"), ("clear-meta", "nfs"))
    ]

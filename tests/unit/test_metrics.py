"""What Prometheus is told: in its own format, of every captured cluster, and only what is known."""

from __future__ import annotations

import pytest
from captured import clusters
from factories import ban, cluster, domain, failure, local, node, prefer
from prometheus_client.parser import text_string_to_metric_families

from hxm.policy.state.findings import findings
from hxm.web.metrics import NODE_STATES, exposition
from hxm.web.snapshot import Snapshot

CAPTURED = dict(clusters())


def read(known: Snapshot) -> dict[tuple[str, ...], float]:
    """The samples, keyed by name and labels, as Prometheus's own client reads them."""
    found: dict[tuple[str, ...], float] = {}
    text = exposition(known)
    assert text.endswith("\n")
    for family in text_string_to_metric_families(text):
        assert family.name.startswith("hxm_")
        assert family.documentation.endswith((".", "emergency"))
        assert family.type in ("gauge", "counter")
        for sample in family.samples:
            key = (sample.name, *(f"{name}={text}" for name, text in sample.labels.items()))
            assert key not in found, f"{key} is there twice"
            found[key] = sample.value
    return found


def known(seen, **more) -> Snapshot:
    return Snapshot(seen, tuple(findings(seen)), **more)


@pytest.mark.parametrize("name", CAPTURED)
def test_every_captured_cluster_has_its_metrics(name):
    seen = CAPTURED[name]
    found = read(known(seen))
    assert found[("hxm_up",)] == 1
    assert found[("hxm_cluster_quorum",)] == seen.quorum
    assert found[("hxm_findings",)] == len(list(findings(seen)))
    for each in seen.domains:
        labels = (f"domain={each.name}", f"resource={each.resource or ''}")
        assert found[("hxm_domain_up", *labels)] == bool(each.nodes)
        for place in each.nodes:
            assert found[("hxm_domain_node", *labels, f"node={place}")] == 1
    for member in seen.nodes:
        states = [
            found[("hxm_node_state", f"node={member.name}", f"state={s.lower()}")]
            for s in NODE_STATES
        ]
        assert sum(states) == 1
    failed = [value for key, value in found.items() if key[0] == "hxm_failed_actions"]
    assert sum(failed) == len(seen.failures)


def test_what_each_metric_means():
    seen = cluster(
        node("host1", dc=True),
        node("host2", unclean=True, online=False),
        domain("nfs", "host1", "host2"),
        domain("sles", target_role="Stopped"),
        local("other"),
        local("Domain-0", 0),
        failure(),
        failure(),
        prefer(),
        ban(),
        name="xen",
        maintenance=True,
        fencing=False,
    )
    found = read(known(seen, age=12.3456, took=0.25, looks=7, failed=2))
    nfs, sles = ("domain=nfs", "resource=nfs"), ("domain=sles", "resource=sles")
    expected = {
        ("hxm_up",): 1,
        ("hxm_data_age_seconds",): 12.346,
        ("hxm_look_duration_seconds",): 0.25,
        ("hxm_looks_total",): 7,
        ("hxm_look_errors_total",): 2,
        ("hxm_cluster_info", "cluster=xen", "generation=Pacemaker 2.1", "dc=host1"): 1,
        ("hxm_cluster_maintenance",): 1,
        ("hxm_cluster_fencing",): 0,
        ("hxm_cluster_has_dc",): 1,
        ("hxm_interim_constraints",): 2,
        ("hxm_failed_actions", "resource=nfs", "operation=start", "node=host1"): 2,
        ("hxm_node_state", "node=host1", "state=online"): 1,
        ("hxm_node_state", "node=host2", "state=online"): 0,
        ("hxm_node_state", "node=host2", "state=unclean"): 1,
        ("hxm_domain_up", *nfs): 1,
        ("hxm_domain_up", *sles): 0,
        ("hxm_domain_wanted", *nfs): 1,
        ("hxm_domain_wanted", *sles): 0,
        ("hxm_domain_node", *nfs, "node=host1"): 1,
        ("hxm_domain_node", *nfs, "node=host2"): 1,
        ("hxm_domain_role", *sles, "role=Stopped"): 1,
        ("hxm_domain_up", "domain=other", "resource="): 1,
    }
    assert expected.items() <= found.items()
    assert ("hxm_domain_wanted", "domain=other", "resource=") not in found
    assert not [key for key in found if "domain=Domain-0" in key]


def test_what_is_no_longer_known_is_never_told_as_the_present():
    seen = cluster(domain("nfs", "host1"))
    lost = read(known(seen, fault="no answer", age=60.0, looks=3, failed=1))
    assert lost[("hxm_up",)] == 0
    assert lost[("hxm_data_age_seconds",)] == 60
    assert {key[0] for key in lost} == {
        "hxm_up",
        "hxm_build_info",
        "hxm_data_age_seconds",
        "hxm_look_duration_seconds",
        "hxm_looks_total",
        "hxm_look_errors_total",
    }
    never = read(Snapshot(fault="no answer", looks=1, failed=1))
    assert never[("hxm_up",)] == 0
    assert ("hxm_data_age_seconds",) not in never


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\\nb", "a\nb", 'x"} 1\nhxm_up 0', "büro", ""])
def test_a_label_may_hold_anything(name):
    found = read(known(cluster(domain(name, "host1"))))
    assert found[("hxm_domain_up", f"domain={name}", f"resource={name}")] == 1
    assert found[("hxm_up",)] == 1


def test_a_count_is_never_rounded():
    assert read(Snapshot(looks=12_345_678, fault="x"))[("hxm_looks_total",)] == 12_345_678

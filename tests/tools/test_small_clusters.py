"""What keeps a domU down or off a node, in small clusters: the cause, and what mends it."""

from __future__ import annotations

import pytest
from clusters import Situation, cib, clone, expression, location, meta, primitive, settle

STORE = primitive("store", "Dummy")
STORES = clone("stores", STORE, interleave="true")
DRBD = clone("ms-r0", primitive("r0", "drbd"), promotable="true", notify="true")
WITH_STORE = '<rsc_colocation id="c" rsc="web" with-rsc="{}" score="INFINITY"/>'
AFTER = '<rsc_order id="o" first="{}" then="web" kind="Mandatory"/>'
THREE: dict[str, dict[str, str]] = {"alpha": {}, "beta": {}, "gamma": {}}
FOUR_GIB = '<utilization id="wu"><nvpair id="wu1" name="hv_memory" value="4096"/></utilization>'
ONE_GIB = '<utilization id="bu"><nvpair id="bu1" name="hv_memory" value="1000"/></utilization>'
IP = primitive("ip", "Dummy")
GROUP = f'<group id="g">{primitive("base", "Dummy")}{primitive("web")}</group>'
NO_START = ("--op-fail", "web_start_0@alpha=1", "--op-fail", "web_start_0@beta=1")
FAILED = "web_monitor_10000@alpha=7"
ON_ALPHA = location("a", "10", node="alpha")
TICKET = '<rsc_ticket id="t" rsc="web" ticket="T" loss-policy="stop"/>'
WEB_AND_DB = primitive("web") + primitive("db")
ENDED = '<date_expression id="d" operation="gt" start="2020-01-01"/>'

SITUATIONS = {
    "a ticket that is not granted": Situation(
        "web", "does not hold the ticket T", "crm_ticket --ticket=T --grant", constraints=TICKET
    ),
    "a ticket for a set": Situation(
        "db",
        "does not hold the ticket T",
        "crm_ticket --ticket=T --grant",
        WEB_AND_DB,
        '<rsc_ticket id="t" ticket="T"><resource_set id="s"><resource_ref id="web"/>'
        '<resource_ref id="db"/></resource_set></rsc_ticket>',
    ),
    "a rule with a date": Situation(
        "web beta", "depends on the time", "l", constraints=location("l", "-INFINITY", rule=ENDED)
    ),
    "a set that colocates": Situation(
        "web beta",
        "a ban keeps db away",
        "unmigrate db",
        WEB_AND_DB,
        '<rsc_colocation id="c" score="INFINITY"><resource_set id="s" sequential="true">'
        '<resource_ref id="db"/><resource_ref id="web"/></resource_set></rsc_colocation>'
        + location("cli-ban-db-on-beta", "-INFINITY", rsc="db", node="beta"),
    ),
    "a set that orders": Situation(
        "web",
        "store is told to stop",
        "start store",
        primitive("web") + primitive("store", "Dummy", target_role="Stopped"),
        '<rsc_order id="o" kind="Mandatory"><resource_set id="s" sequential="true">'
        '<resource_ref id="store"/><resource_ref id="web"/></resource_set></rsc_order>',
    ),
    "a tag that is banned": Situation(
        "web beta",
        "a constraint keeps it away",
        "l",
        constraints=location("l", "-INFINITY", rsc="domus", node="beta"),
        tags='<tag id="domus"><obj_ref id="web"/></tag>',
    ),
    "a pattern": Situation(
        "web beta",
        "a constraint keeps it away",
        "l",
        constraints='<rsc_location id="l" rsc-pattern="^w" node="beta" score="-INFINITY"/>',
    ),
    "a location set": Situation(
        "web beta",
        "a constraint keeps it away",
        "l",
        WEB_AND_DB,
        '<rsc_location id="l" node="beta" score="-INFINITY"><resource_set id="s">'
        '<resource_ref id="db"/><resource_ref id="web"/></resource_set></rsc_location>',
    ),
    "a node attribute of another site": Situation(
        "web beta",
        "a rule keeps it away",
        "l",
        constraints=location("l", "-INFINITY", rule=expression("site", "ne", "A")),
        nodes={"alpha": {"site": "A"}, "beta": {"site": "B"}},
    ),
    "a node attribute that is missing": Situation(
        "web beta",
        "a rule keeps it away",
        "l",
        constraints=location("l", "-INFINITY", rule=expression("disk", "not_defined")),
        nodes={"alpha": {"disk": "1"}, "beta": {}},
    ),
    "a score from an attribute": Situation(
        "web beta",
        "a rule keeps it away",
        "l",
        constraints='<rsc_location id="l" rsc="web"><rule id="r" score-attribute="w">'
        f"{expression('w', 'defined')}</rule></rsc_location>",
        nodes={"alpha": {"w": "5"}, "beta": {"w": "-INFINITY"}},
    ),
    "resource-discovery exclusive": Situation(
        "web gamma",
        "may run only on nodes that constraints name",
        "l",
        constraints=location("l", "0", node="alpha", resource_discovery="exclusive"),
        nodes=THREE,
    ),
    "an opt-in cluster": Situation(
        "web beta",
        "nothing allows it there",
        "web-on-beta",
        constraints=location("l", "0", node="alpha"),
        options={"symmetric-cluster": "false"},
    ),
    "an order that serializes": Situation(
        "web beta",
        "nothing forbids beta",
        "migrate web beta",
        WEB_AND_DB,
        '<rsc_order id="o" first="db" then="web" kind="Serialize"/>' + ON_ALPHA,
        rest="offer",
    ),
    "an order that is optional": Situation(
        "web beta",
        "nothing forbids beta",
        "migrate web beta",
        primitive("web") + primitive("db", target_role="Stopped"),
        '<rsc_order id="o" first="db" then="web" kind="Optional"/>' + ON_ALPHA,
        rest="offer",
    ),
    "none of several, of which one suffices": Situation(
        "web",
        "is told to stop",
        "start ",
        primitive("web")
        + primitive("a", "Dummy", target_role="Stopped")
        + primitive("b", "Dummy", target_role="Stopped"),
        '<rsc_order id="o"><resource_set id="s1" require-all="false" sequential="false">'
        '<resource_ref id="a"/><resource_ref id="b"/></resource_set>'
        '<resource_set id="s2"><resource_ref id="web"/></resource_set></rsc_order>',
    ),
    "a clone with one instance less": Situation(
        "web beta",
        "a ban keeps stores away",
        "unmigrate stores",
        primitive("web") + STORES,
        WITH_STORE.format("stores")
        + location("cli-ban-store-on-beta", "-INFINITY", rsc="stores", node="beta"),
    ),
    "storage that is told to stop": Situation(
        "web",
        "stores is told to stop",
        "start stores",
        primitive("web") + clone("stores", STORE, target_role="Stopped"),
        AFTER.format("stores") + WITH_STORE.format("stores"),
    ),
    "storage that is unmanaged, and down": Situation(
        "web",
        "store is unmanaged",
        "default store",
        primitive("web") + primitive("store", "Dummy", is_managed="false"),
        AFTER.format("store"),
    ),
    "anti-affinity": Situation(
        "web beta",
        "keep away from db",
        "c",
        WEB_AND_DB,
        '<rsc_colocation id="c" rsc="web" with-rsc="db" score="-INFINITY"/>'
        + location("l", "100", rsc="db", node="beta"),
    ),
    "too little memory": Situation(
        "web beta",
        "too little hv_memory",
        "hxm capacity",
        primitive("web", inside=FOUR_GIB),
        options={"placement-strategy": "balanced"},
        utilization={"alpha": "8192", "beta": "1024"},
        typed=False,
    ),
    "a node whose memory nobody wrote down": Situation(
        "web beta",
        "too little hv_memory",
        "hxm capacity",
        primitive("web", inside=FOUR_GIB),
        options={"placement-strategy": "utilization"},
        utilization={"alpha": "8192"},
        typed=False,
    ),
    "a red node": Situation(
        "web beta",
        "unhealthy (red)",
        "#health",
        options={"node-health-strategy": "migrate-on-red"},
        nodes={"alpha": {}, "beta": {"#health-smart": "red"}},
        typed=False,
    ),
    "a yellow node where only green counts": Situation(
        "web beta",
        "unhealthy (yellow)",
        "#health",
        options={"node-health-strategy": "only-green"},
        nodes={"alpha": {}, "beta": {"#health-smart": "yellow"}},
        typed=False,
    ),
    "a node in standby": Situation(
        "web beta",
        "in standby",
        "hxm active beta",
        nodes={"alpha": {}, "beta": {"standby": "on"}},
    ),
    "a node in maintenance": Situation(
        "web beta",
        "in maintenance",
        "hxm maintenance off beta",
        nodes={"alpha": {}, "beta": {"maintenance": "true"}},
    ),
    "drbd that is told not to be promoted": Situation(
        "web",
        "r0 is told not to be promoted",
        "default ms-r0",
        primitive("web")
        + clone("ms-r0", primitive("r0", "drbd"), promotable="true", target_role="Slave"),
        '<rsc_colocation id="c" rsc="web" with-rsc="ms-r0" with-rsc-role="Promoted" '
        'score="INFINITY"/>'
        + location("m", "100", rsc="ms-r0", rule=expression("#uname", "eq", "alpha")).replace(
            "<rule ", '<rule role="Promoted" '
        ),
    ),
    "failures on both nodes": Situation(
        "web",
        "failed there",
        "cleanup web",
        constraints=ON_ALPHA,
        defaults=meta("d", migration_threshold="1"),
        happens=("--op-inject", FAILED, *NO_START),
        afterwards=NO_START,
    ),
    "migration-threshold of the defaults": Situation(
        "web alpha",
        "its monitor failed there",
        "cleanup web alpha",
        defaults=meta("d", migration_threshold="1"),
        happens=("--op-inject", FAILED),
    ),
    "a default that stops": Situation(
        "web", "it is told to stop", "target-role", defaults=meta("d", target_role="Stopped")
    ),
    "a default that leaves everything unmanaged": Situation(
        "web", "web is unmanaged", "is-managed", defaults=meta("d", is_managed="false")
    ),
    "unmanaged, and dead": Situation(
        "web",
        "web is unmanaged",
        "manage web",
        primitive("web", is_managed="false"),
        ON_ALPHA,
        happens=("--op-inject", "web_monitor_0@alpha=0"),
        afterwards=("--op-inject", FAILED),
    ),
    "a group that is told to stop": Situation(
        "web",
        "it is told to stop",
        "start g",
        f'<group id="g">{meta("g", target_role="Stopped")}{primitive("web")}</group>',
    ),
    "stop-all-resources": Situation(
        "web",
        "stop-all-resources is set",
        "stop-all-resources",
        options={"stop-all-resources": "true"},
    ),
    "no quorum, and everything is frozen": Situation(
        "web",
        "has no quorum",
        "hxm sandbox regain-quorum",
        primitive("web", priority="10"),
        options={"no-quorum-policy": "freeze"},
        typed=False,
    ),
    "a remote node that is not connected": Situation(
        "web rem1",
        "rem1 is told to stop",
        "start rem1",
        primitive("web") + primitive("rem1", "remote", target_role="Stopped"),
        typed=False,
    ),
    "two reasons together": Situation(
        "web beta",
        "in standby",
        "active beta",
        constraints=location("cli-ban-web-on-beta", "-INFINITY", node="beta"),
        nodes={"alpha": {}, "beta": {"standby": "on"}},
    ),
    "a set that must run where the address does": Situation(
        "db beta",
        "a ban keeps ip away",
        "unmigrate ip",
        WEB_AND_DB + primitive("mail") + IP,
        '<rsc_colocation id="c" score="INFINITY"><resource_set id="s1" sequential="false">'
        '<resource_ref id="web"/><resource_ref id="db"/><resource_ref id="mail"/></resource_set>'
        '<resource_set id="s2"><resource_ref id="ip"/></resource_set></rsc_colocation>'
        + location("cli-ban-ip-on-beta", "-INFINITY", rsc="ip", node="beta")
        + location("a", "10", rsc="ip", node="alpha"),
    ),
    "storage in maintenance, and dead": Situation(
        "web",
        "stores is in maintenance",
        "default stores",
        primitive("web") + clone("stores", STORE, maintenance="true"),
        AFTER.format("stores") + WITH_STORE.format("stores"),
    ),
    "storage that a rule keeps off the node": Situation(
        "web beta",
        "a rule keeps stores away",
        "l",
        primitive("web") + STORES,
        AFTER.format("stores")
        + WITH_STORE.format("stores")
        + location("l", "-INFINITY", rsc="stores", rule=expression("san", "ne", "yes")),
        nodes={"alpha": {"san": "yes"}, "beta": {"san": "no"}},
    ),
    "storage that no location allows": Situation(
        "web beta",
        "nothing allows store there",
        "store-on-beta",
        primitive("web") + STORE,
        location("a", "10", node="alpha")
        + location("b", "10", node="beta")
        + location("d", "10", rsc="store", node="alpha")
        + WITH_STORE.format("store"),
        options={"symmetric-cluster": "false"},
    ),
    "storage that failed, with on-fail=standby": Situation(
        "web alpha",
        "the node is standby (on-fail)",
        "cleanup alpha",
        primitive("web") + STORE.replace('interval="10s"', 'interval="10s" on-fail="standby"'),
        location("a", "10", rsc="store", node="alpha") + location("b", "10", node="alpha"),
        happens=("--op-inject", "store_monitor_10000@alpha=7"),
    ),
    "a chain of which the first is told to stop": Situation(
        "web",
        "san is told to stop",
        "start san",
        primitive("web") + STORE + primitive("san", "Dummy", target_role="Stopped"),
        AFTER.format("store")
        + '<rsc_order id="o2" first="san" then="store"/>'
        + WITH_STORE.format("store")
        + '<rsc_colocation id="c2" rsc="store" with-rsc="san" score="INFINITY"/>',
    ),
    "three that keep apart on two nodes": Situation(
        "web",
        "keep away from",
        "",
        WEB_AND_DB + primitive("mail"),
        '<rsc_colocation id="c1" rsc="web" with-rsc="db" score="-INFINITY"/>'
        '<rsc_colocation id="c2" rsc="web" with-rsc="mail" score="-INFINITY"/>'
        '<rsc_colocation id="c3" rsc="mail" with-rsc="db" score="-INFINITY"/>',
    ),
    "the first of its group failed": Situation(
        "web beta",
        "base's monitor failed there",
        "cleanup base beta",
        GROUP,
        location("a", "50", rsc="g", node="beta"),
        defaults=meta("d", migration_threshold="1"),
        happens=("--op-inject", "base_monitor_10000@beta=7"),
    ),
    "the first of its group is banned": Situation(
        "web beta",
        "a ban keeps base away",
        "unmigrate",
        GROUP,
        location("cli-ban-base-on-beta", "-INFINITY", rsc="base", node="beta")
        + location("a", "10", rsc="g", node="alpha"),
    ),
    "a group that has no room together": Situation(
        "web beta",
        "too little hv_memory: 5096 wanted",
        "hxm capacity",
        f'<group id="g">{primitive("base", "Dummy", ONE_GIB)}'
        f"{primitive('web', inside=FOUR_GIB)}</group>",
        location("a", "10", rsc="g", node="alpha"),
        options={"placement-strategy": "balanced"},
        utilization={"alpha": "8192", "beta": "5000"},
        typed=False,
    ),
    "two tickets": Situation(
        "web",
        "does not hold the ticket",
        "crm_ticket",
        constraints=TICKET + TICKET.replace('"t"', '"t2"').replace('"T"', '"U"'),
    ),
    "health by scores of its own": Situation(
        "web beta",
        "unhealthy (red)",
        "#health",
        options={"node-health-strategy": "custom", "node-health-red": "-INFINITY"},
        nodes={"alpha": {}, "beta": {"#health-cpu": "red"}},
        typed=False,
    ),
    "colocated by the rack": Situation(
        "web gamma",
        "must run where store does",
        "",
        primitive("web") + STORE,
        '<rsc_colocation id="c" rsc="web" with-rsc="store" score="INFINITY" '
        'node-attribute="rack"/>'
        + location("l", "INFINITY", rsc="store", node="alpha")
        + location("m", "-INFINITY", rsc="store", node="gamma"),
        nodes={"alpha": {"rack": "1"}, "beta": {"rack": "1"}, "gamma": {"rack": "2"}},
        typed=False,
    ),
}
"""Each of a cluster that was seen, asked about, or described in Pacemaker's own documentation."""


@pytest.fixture
def cluster(bare):
    """Makes the sandbox one of these clusters."""

    def of(name: str):
        case = SITUATIONS[name]
        bare.file.parent.mkdir(parents=True)
        text = cib(case)
        if "quorum" in name:
            text = text.replace('have-quorum="1"', 'have-quorum="0"')
        bare.file.write_text(text)
        settle(str(bare.file), case.happens, case.afterwards)
        return bare

    return of


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_first_reason_is_the_cause_and_its_remedy_mends_it(cluster, name):
    sandbox, case = cluster(name), SITUATIONS[name]
    domain, *node = case.ask.split()
    answer = sandbox.ok("why", domain, *node, "-o", "json").json
    reasons = answer["reasons"]
    first = reasons[-1 if case.rest == "offer" else 0]
    assert case.cause in first["what"], reasons
    assert case.command in first["do"], reasons
    assert first["confirmed"], reasons
    assert answer["simulations"] <= 5
    if not case.typed:
        return
    for reason in reasons:
        command = reason["command"]
        if reason["confirmed"] and command.startswith("hxm "):
            sandbox.ok(*command.split()[1:], "--yes")
        elif reason["confirmed"]:
            sandbox.tool("sh", "-c", command)
    settle(str(sandbox.file))
    if node and case.rest == "confirmed":
        sandbox.ok("migrate", domain, *node, "--yes")
    assert sandbox.nodes_of(domain) == (node or sandbox.nodes_of(domain)[:1])
    assert sandbox.nodes_of(domain)

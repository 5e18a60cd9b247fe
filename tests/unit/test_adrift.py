"""What is known of domUs whose migration lost one of its ends."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest
from factories import cluster, domain, node

from hxm.model import Operation
from hxm.pacemaker.migrations import with_peers
from hxm.policy import guards
from hxm.policy.state.adrift import adrift, unknown_place

CIB = """<cib><status><node_state uname="host1"><lrm><lrm_resources><lrm_resource id="nfs">
<lrm_rsc_op operation="migrate_to" call-id="{}" rc-code="{}" migrate_target="host2"/>
<lrm_rsc_op operation="monitor" call-id="3" rc-code="7"/>
</lrm_resource></lrm_resources></lrm></node_state></status></cib>"""

LOST, FENCED = {"online": False, "unclean": True}, {"online": False}
STARTED = Operation("host1", "nfs", "start", 9, 0)
MIGRATIONS = {
    "under way, the target lost": (-1, 193, {"host2": LOST}, (), "host2"),
    "under way, the target fenced": (-1, 193, {"host2": FENCED}, (), "host2"),
    "under way, the source lost": (-1, 193, {"host1": LOST}, (), "host1"),
    "under way": (-1, 193, {}, (), ""),
    "failed, the target lost": (8, 1, {"host2": LOST}, (), "host2"),
    "failed, the target fenced": (8, 1, {"host2": FENCED}, (), ""),
    "failed before a start": (8, 1, {"host2": LOST}, (STARTED,), ""),
    "ended well": (8, 0, {"host2": LOST}, (), ""),
    "under way, another node lost": (-1, 193, {"host3": LOST}, (), ""),
}


@pytest.mark.parametrize("name", MIGRATIONS)
def test_the_end_that_a_migration_lost(name):
    call, rc, states, later, lost = MIGRATIONS[name]
    nodes = [node(each, **states.get(each, {})) for each in ("host1", "host2", "host3")]
    role = "Migrating" if call < 0 else "Started"
    nfs = domain("nfs", "host1", role=role)
    entry = Operation("host1", "nfs", "migrate_to", call, rc)
    # of a lost node crm_mon lists no history
    listed = (*later, *(() if "host1" in states else (entry,)))
    seen = cluster(*nodes, nfs, history=with_peers(listed, fromstring(CIB.format(call, rc))))
    found = adrift(seen, nfs)
    assert (found.lost if found else "") == lost
    assert ("host1" in unknown_place(seen, nfs)) is bool(lost)
    refusals = [each.what for each in guards.in_flight(seen, [nfs])]
    if call < 0:
        assert ("is not known" in refusals[0]) is bool(lost)

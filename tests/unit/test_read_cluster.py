"""What a domU is called, whether it is one, and where it really runs."""

from __future__ import annotations

import pytest
from factories import primitive

from hxm.cluster import read
from hxm.cluster.read import _with_local
from hxm.config import Config
from hxm.domu.resources import is_xen, managed
from hxm.errors import CannotAsk
from hxm.host import programs
from hxm.model import Domain
from hxm.pacemaker.cib import parse_configuration
from hxm.pacemaker.crm_mon import parse_status
from hxm.toolstack import Toolstack
from hxm.toolstack.xl import LocalDomain

XEN = "ocf:heartbeat:Xen"
VIRTUAL = "ocf:heartbeat:VirtualDomain"

# Each row: the file, the parameter; the name, other names, whether it is not known
NAMES = {
    "the file's": ('name = "nfs"\n', None, ("nfs", (), False)),
    "the parameter's": ('name = "other"\n', "nfs", ("nfs", (), False)),
    "the agent falls back to the id, xl would not": (
        'name = "nfs" # the server\n',
        None,
        ("vm-nfs", ("nfs",), False),
    ),
    "a Python program, which the agent greps": (
        'import os\nname = "nfs"\n',
        None,
        ("nfs", (), False),
    ),
    "no name in it": ("memory = 64\n", None, ("vm-nfs", (), False)),
    "no file": (None, None, ("vm-nfs", (), True)),
    "no file, but the parameter": (None, "nfs", ("nfs", (), False)),
}


@pytest.mark.parametrize(("text", "param", "expected"), NAMES.values(), ids=NAMES)
def test_a_domu_is_never_known_by_another_name_than_the_agent_uses(tmp_path, text, param, expected):
    path = tmp_path / "nfs.xm"
    if text is not None:
        path.write_text(text)
    params = {"xmfile": str(path)} | ({"name": param} if param else {})
    domain = managed(primitive("vm-nfs", agent=XEN, params=params), ())
    assert (domain.name, domain.also, domain.nameless) == expected


XML = "<domain type='{}'><name>nfs</name></domain>"
DOMUS = {
    "Xen": (XEN, {}, None, True),
    "another provider's": ("ocf:site:Xen", {}, None, True),
    "not an OCF agent": ("lsb:Xen", {}, None, False),
    "another agent": ("ocf:heartbeat:Filesystem", {}, None, False),
    "VirtualDomain, by its hypervisor": (VIRTUAL, {"hypervisor": "xen:///system"}, None, True),
    "VirtualDomain of another": (VIRTUAL, {"hypervisor": "qemu:///system"}, None, False),
    "VirtualDomain, by its file": (VIRTUAL, {}, XML.format("xen"), True),
    "VirtualDomain of another, by its file": (VIRTUAL, {}, XML.format("kvm"), False),
    "VirtualDomain that nothing here tells of": (VIRTUAL, {}, None, True),
}


@pytest.mark.parametrize(("agent", "params", "text", "expected"), DOMUS.values(), ids=DOMUS)
def test_what_may_be_a_domu_is_one(tmp_path, agent, params, text, expected):
    path = tmp_path / "nfs.xml"
    if text is not None:
        path.write_text(text)
    one = primitive("nfs", agent=agent, params={"config": str(path), **params})
    assert is_xen(one) is expected
    if expected and agent == VIRTUAL:
        assert managed(one, ()).nameless is (text is None)


HERE = LocalDomain("nfs", 3, 512, 1, "-b----", 7.5)
LOCAL = {
    "the cluster knows it here": (("host1",), "Started", HERE, None),
    "the cluster has it elsewhere": (("host2",), "Started", HERE, "host1"),
    "the cluster has it nowhere": ((), "Stopped", HERE, "host1"),
    "it is on its way": (("host2",), "Migrating", HERE, None),
    "it has shut down and is listed still": ((), "Stopped", HERE._replace(state="---s--"), None),
    "it is dying": ((), "Stopped", HERE._replace(state="--p--d"), None),
}


@pytest.mark.parametrize(("nodes", "role", "local", "stray"), LOCAL.values(), ids=LOCAL)
def test_an_instance_that_the_cluster_does_not_know_is_seen(nodes, role, local, stray):
    domain = Domain("nfs", "nfs", nodes=nodes, role=role)
    found = _with_local(domain, local, "host1")
    assert (found.stray, found.id, found.memory) == (stray, 3, 512)
    assert found.places == (*nodes, *([stray] if stray else []))


def test_on_a_host_that_is_no_node_nothing_is_said_of_strays():
    assert _with_local(Domain("nfs", "nfs"), HERE, None).stray is None
    assert _with_local(Domain("nfs"), HERE, "host1").stray is None


def test_a_domu_has_every_name_that_a_rule_may_give_it(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_text(f'name = "{name}"\n')
    files = (str(tmp_path / "one"), str(tmp_path / "two"))
    found = primitive("vm", agent=XEN, params={"xmfile": files[0]}, variants={"xmfile": files})
    assert (managed(found, ()).name, managed(found, ()).also) == ("one", ("two",))
    found = found._replace(params={"name": "a"}, variants={"name": ("a", "b")})
    assert (managed(found, ()).name, managed(found, ()).also) == ("a", ("a", "b"))
    gone = found._replace(params={"xmfile": files[0]}, variants={"xmfile": (files[0], "/none")})
    assert managed(gone, ()).nameless


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('name = "nfs"\n', ""),
        ('name = "nfs\n', ":1:8: this string is never closed"),
        (None, ": cannot be read: No such file or directory"),
    ],
)
def test_why_its_file_cannot_be_read_is_known(tmp_path, text, fault):
    path = tmp_path / "nfs"
    if text:
        path.write_text(text)
    found = managed(primitive("nfs", agent=XEN, params={"xmfile": str(path)}), ())
    assert found.file_fault == (f"{path}{fault}" if fault else "")


def test_a_look_that_fails_never_leaves_an_answer_for_the_next_one(monkeypatch):
    """Here because crm_mon does not list what the CIB knows: xl's answer was not fetched."""
    cib = """<cib><configuration><crm_config/><nodes><node id="1" uname="host9"/></nodes>
    <resources/><constraints/></configuration></cib>"""
    status = "<crm_mon><summary/><nodes><node name='host1'/></nodes></crm_mon>"
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(read, "sandbox_file", lambda: None)
    monkeypatch.setattr(read, "local_toolstack", lambda *_: Toolstack("xl", ""))
    monkeypatch.setattr(programs, "ahead", lambda *argvs: asked.extend(map(tuple, argvs)))
    monkeypatch.setattr(programs, "abandon", asked.clear)
    both = parse_configuration(cib.encode()), parse_status(status.encode())
    monkeypatch.setattr(read, "_answers_of_both", lambda *_: (*both, []))
    with pytest.raises(CannotAsk, match="host9"):
        read.read_cluster(Config())
    assert asked == []

"""How ssh is told where to go."""

from __future__ import annotations

import pytest

from hxm.errors import CannotAsk
from hxm.host import ssh
from hxm.host.ssh import Target

CALLED = {
    "as configured": (("host1", "host2"), "host2", "root@host2"),
    "without its domain": (("host1.example", "host2.example"), "host2", "root@host2.example"),
    "with its domain": (("host1", "host2"), "host2.example", "root@host2"),
    "with a user": (("host1", "admin@host2"), "host2", "admin@host2"),
    "addresses": (("10.0.0.1", "10.0.0.2"), "10.0.0.2", "root@10.0.0.2"),
    "an address that is not named": (("10.0.0.1",), "10.0.0.2", "root@10.0.0.2"),
    "two sites": (("node1.a.example", "node1.b.example"), "node1.b.example",
                  "root@node1.b.example"),
    "a name that two have": (("node1.a.example", "node1.b.example"), "node1", "root@node1"),
    "unknown": (("host1",), "host2", "root@host2"),
}  # fmt: skip


@pytest.mark.parametrize(("nodes", "node", "destination"), CALLED.values(), ids=CALLED)
def test_a_node_is_called_by_its_own_name(nodes, node, destination):
    assert Target("lab", nodes, "root").destination(node) == destination


@pytest.mark.parametrize(
    ("nodes", "node", "known"),
    [
        (("host1", "host2"), "host2", True),
        (("host1",), "host2", False),
        (("10.0.0.1",), "10.0.0.2", False),
        (("node1.a.example", "node1.b.example"), "node1", False),
    ],
)
def test_a_node_is_known_where_one_of_the_names_is_its_own(nodes, node, known):
    assert Target("lab", nodes).knows(node) is known


@pytest.mark.parametrize("name", ["evil@other", "-oProxyCommand=x", "a b", "", "host;x", "%h"])
def test_the_cib_names_no_other_destination(name):
    with pytest.raises(CannotAsk, match="no host name"):
        Target("lab", ["host1"]).destination(name)


@pytest.mark.parametrize(
    "folder", ["", "/tmp/a b", "/tmp/a%q", '/tmp/a"b', "/tmp/${HOME}", "/" * 99]
)
def test_no_socket_has_a_name_that_ssh_reads_otherwise(folder, monkeypatch):
    monkeypatch.setattr(ssh, "_shared", ())
    ssh.share(folder)
    assert not any("Control" in option for option in ssh._shared)
    ssh.share("/run/hxm-ssh")
    assert "ControlPath=/run/hxm-ssh/%C" in ssh._shared

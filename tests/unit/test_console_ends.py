"""What hxm console makes of the end of a visit, before it looks for the domU."""

from __future__ import annotations

import pytest
from factories import cluster, domain, node

from hxm.config import Config
from hxm.errors import CannotAsk
from hxm.host.ssh import FAILED
from hxm.terminal import console
from hxm.terminal.console import End, follow

SEEN = cluster(domain("nfs", "host2"), nodes=(node("host1"), node("host2")), local_node="host1")
LEFT = End(True, 0, 60.0, "")


@pytest.fixture
def visited(monkeypatch):
    """Visits that end like this, of a domU that is always found on host2 again."""

    def visits(*ends):
        each = iter(ends)
        monkeypatch.setattr(console, "attach", lambda argv: next(each))
        monkeypatch.setattr(console, "_find_again", lambda *_: (SEEN, "host2"))
        return follow(SEEN, SEEN.domains[0], (), Config(toolstack="xl"))

    return visits


GUEST = "nfs: server 10.0.0.7 not responding, timed out\r\nPermission denied\r\nnfs login: "


def test_what_the_guest_said_is_no_word_of_sshs(visited, capsys):
    assert visited(End(False, FAILED, 3600.0, GUEST), LEFT) == 0
    said = capsys.readouterr().err
    assert "the console of nfs on host2 was interrupted: it continues" in said
    assert "anew" not in said  # nobody saw that it did


def test_a_node_that_lets_nobody_in_is_said_to_be_so(visited):
    with pytest.raises(CannotAsk, match="cannot be reached: it lets nobody in"):
        visited(End(False, FAILED, 0.4, "root@host2: Permission denied (publickey).\r\n"))

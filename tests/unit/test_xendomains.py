"""xendomains after the cluster, in a root of our own."""

from __future__ import annotations

import os

import pytest
from factories import DATA

from hxm.guard import xendomains

TELLS = """#!/bin/sh
### BEGIN INIT INFO
# Provides:          xendomains
# X-Start-Before:    corosync heartbeat libvirtd
### END INIT INFO
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(xendomains, "ROOT", str(tmp_path))
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    (tmp_path / "etc/rc3.d").mkdir()
    return tmp_path


def files(root) -> dict[str, str]:
    return {
        str(path.relative_to(root)): os.readlink(path) if path.is_symlink() else path.read_text()
        for path in root.rglob("*")
        if not path.is_dir()
    }


@pytest.fixture(params=["Debian's script", "Xen's unit", "Debian 13's unit"])
def host(request, root):
    if request.param == "Debian 13's unit":
        unit = root / xendomains._BROUGHT[0][1:]
        unit.parent.mkdir(parents=True)
        unit.write_text((DATA / "systemd/trixie" / xendomains._BROUGHT[0][1:]).read_text())
        wanted = root / xendomains.WANTED[1:]
        wanted.parent.mkdir()
        wanted.symlink_to(xendomains._BROUGHT[0])
    elif request.param == "Xen's unit":
        unit = root / "usr/lib/systemd/system/xendomains.service"
        unit.parent.mkdir(parents=True)
        unit.write_text("[Service]\nType=oneshot\nExecStart=/bin/true\n")
    else:
        (root / "etc/init.d").mkdir()
        (root / "etc/init.d/xendomains").write_text(TELLS)
        (root / "etc/rc3.d/S01xendomains").symlink_to("../init.d/xendomains")
    return root


def test_it_is_put_after_the_cluster_and_back_again(host):
    before = files(host)
    assert xendomains.state() == xendomains.EARLY
    assert [xendomains.install("/opt/hxm"), xendomains.install("/opt/hxm")] == [True, False]
    assert xendomains.state() == xendomains.LATE
    added = {name: text for name, text in files(host).items() if name not in before}
    (unit,) = (text for text in added.values() if text.startswith("#"))
    assert not xendomains._CLUSTER & xendomains._named(unit, "Before")
    assert "After=corosync.service pacemaker.service" in unit
    assert "ExecStartPre=-/opt/hxm guard wait" in unit
    assert ("multi-user" in " ".join(added)) == ("etc/init.d/xendomains" in before)
    assert [xendomains.remove(), xendomains.remove()] == [True, False]
    assert files(host) == before
    assert xendomains.state() == xendomains.EARLY


def test_an_administrators_own_unit_is_left_alone(host):
    for text, state in (
        ("[Unit]\nAfter=pacemaker.service\n", xendomains.LATE),
        ("[Unit]\n", xendomains.EARLY),
        ("[Unit]\nAfter=pacemaker.service\nBefore=corosync.service\n", xendomains.EARLY),
    ):
        (host / xendomains.UNIT[1:]).write_text(text)
        assert xendomains.state() == state
        brought = xendomains._brought()
        if not brought or "Before=corosync" in brought:
            assert not xendomains.install("/opt/hxm")
            assert not xendomains.remove()
        assert (host / xendomains.UNIT[1:]).read_text() == text


def test_where_there_is_no_xendomains_there_is_nothing_to_do(root):
    assert xendomains.state() == ""
    assert not xendomains.install("/opt/hxm")
    assert files(root) == {}


def test_the_drop_in_of_an_older_hxm_makes_room_for_the_whole_unit(host):
    """It made a cycle: the unit was before corosync, and after it."""
    drop_in = host / xendomains.DROP_IN[1:]
    drop_in.parent.mkdir(exist_ok=True)
    drop_in.write_text(f"{xendomains._ORDER}\n[Service]\n")
    early = xendomains._brought() and xendomains._CLUSTER & xendomains._named(
        xendomains._brought(), "Before"
    )
    assert xendomains.state() == (xendomains.EARLY if early else xendomains.LATE)
    assert xendomains.install("/opt/hxm") == bool(early)
    assert xendomains.state() == xendomains.LATE
    assert drop_in.exists() != bool(early)

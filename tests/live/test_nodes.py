"""What hxm does on the other nodes: through ssh, at once, for a short time, and never guessing."""

from __future__ import annotations

import os
import shutil
import time

import pytest

SSHD = "/usr/sbin/sshd"
REAL_SSH = {"PATH": "/usr/bin:/usr/sbin:/bin"}  # the stand-in is in /usr/sbin
CONFIG = """
Port 22
HostKey {key}
AuthorizedKeysFile {keys}
StrictModes no
UsePAM no
PasswordAuthentication yes
Banner /etc/banner
PermitRootLogin yes
PidFile /run/sshd.pid
"""


def row(ran, name):
    return next(each for each in ran.json["domains"] if each["name"] == name)


def everywhere(lab, host, **options):
    return lab.ok(host, "list", "--everywhere", "-o", "json", **options)


def test_everywhere_shows_what_each_node_runs(lab):
    asker = lab.hosts[0]
    plain = lab.ok(asker, "list", "-o", "json")
    full = everywhere(lab, asker)
    assert full.json["unknown"] == {}
    for name in lab.domains:
        assert row(full, name)["state"] == "-b----"
        assert (row(plain, name)["state"] is None) == (lab.where(name) != asker)
    (lab.shared / "xen/vm/other").write_text('name = "other"\nmemory = 64\n')
    lab.tool("host3", "xl", "create", "/etc/xen/vm/other")
    assert row(everywhere(lab, asker), "other")["nodes"] == ["host3"]
    lab.tool("host3", "xl", "destroy", "other")


def test_the_configuration_can_ask_for_it(lab):
    toml = lab.folder / "nodes/host1/tmp/hxm.toml"
    toml.write_text("ask_nodes = true\nssh_timeout = 2\n")
    ran = lab.ok("host1", "list", "-o", "json", env={"HXM_CONFIG": str(toml)})
    assert all(row(ran, name)["state"] for name in lab.domains)


def test_a_dead_node_delays_nobody_and_is_not_asked(lab):
    lab.switch("off", "host3")
    lab.until("it is lost", lambda: lab.node("host3", lab.mon("host1"))["online"] == "false")
    started = time.monotonic()
    ran = everywhere(lab, "host1")
    assert time.monotonic() - started < 4
    assert list(ran.json["unknown"]) == ["host3"]


def test_a_node_that_cannot_be_reached_is_unknown_and_not_empty(lab):
    lab.turn("ssh@host2", delay=60)
    lab.turn("ssh@host3", delay=60)
    started = time.monotonic()
    ran = lab.ok("host1", "list", "--everywhere")
    assert time.monotonic() - started < 10  # both at once, for 5 s
    for host in ("host2", "host3"):
        assert f"hxm: the domains of {host} are unknown: no answer within 5 s" in ran.err
    for name in lab.domains:
        assert name in ran.out


def test_destroy_elsewhere_where_ssh_does_not_work_is_left_to_the_cluster(lab):
    here = lab.where("nfs")
    asker = lab.other(here)
    lab.turn(f"ssh@{here}", rc=255, msg="Host key verification failed.")
    ran = lab.ok(asker, "destroy", "nfs")
    assert f"warning: cannot destroy nfs on {here} at once: its host key is not" in ran.err
    assert "stopped, was on" in ran.out
    assert lab.nodes_of("nfs") == []
    lab.ok(asker, "start", "nfs")


@pytest.fixture
def sshd(lab):
    """A real sshd on host2 that host1 has a key for, and the folder of host1's keys."""
    if not os.path.exists(SSHD) or os.getuid() != 0 or not shutil.which("ssh-keygen"):
        pytest.skip("a real sshd takes openssh-server, and root")
    home, there = lab.folder / "nodes/host1/root/.ssh", lab.folder / "nodes/host2/root"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(mode=0o700)
    for path in (home / "id_ed25519", there / "host_key"):
        path.unlink(missing_ok=True)
        lab.tool("host1", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path))
    (there / "keys").write_text((home / "id_ed25519.pub").read_text())
    host_key = (there / "host_key.pub").read_text().rsplit(" ", 1)[0]
    (home / "known_hosts").write_text(f"host2 {host_key}\n")
    (lab.folder / "nodes/host2/etc/banner").write_text("Authorised people only\n")
    config = there / "sshd_config"
    config.write_text(CONFIG.format(key=there / "host_key", keys=there / "keys"))
    lab.tool("host2", "sh", "-c", f"echo 'Authorised people only' >/etc/banner; {SSHD} -f {config}")
    yield home, there
    lab.run("host2", "sh", "-c", "kill $(cat /run/sshd.pid)")


def test_a_real_ssh_and_a_real_sshd(lab, sshd):
    home, there = sshd
    ran = lab.run("host1", "ssh", "-V", env=REAL_SSH)
    assert "OpenSSH" in ran.err

    ran = everywhere(lab, "host1", env=REAL_SSH)
    assert list(ran.json["unknown"]) == ["host3"]  # it has no sshd
    assert ran.json["unknown"]["host3"] == "no sshd there"
    assert any(each["nodes"] == ["host2"] and each["id"] == 0 for each in ran.json["domains"])

    (there / "keys").write_text(f'command="sleep 30" {(home / "id_ed25519.pub").read_text()}')
    unknown = everywhere(lab, "host1", env=REAL_SSH).json["unknown"]
    assert unknown["host2"] == "no answer within 5 s"

    (there / "keys").write_text("")
    unknown = everywhere(lab, "host1", env=REAL_SSH).json["unknown"]
    assert unknown["host2"] == "it lets nobody in without a password: ssh-copy-id host2"

    (home / "known_hosts").write_text("")
    unknown = everywhere(lab, "host1", env=REAL_SSH).json["unknown"]
    assert unknown["host2"] == "its host key is not known yet: ssh host2 by hand once"


def test_destroy_through_a_real_ssh(lab, sshd):
    if lab.where("nfs") != "host2":
        lab.ok("host1", "migrate", "nfs", "host2")
    since = len(lab.lines())
    ran = lab.ok("host1", "destroy", "nfs", env=REAL_SSH)
    assert "cannot destroy" not in ran.err
    assert "destroy" in [each["op"] for each in lab.events(since)]
    lab.ok("host1", "start", "nfs")


MEANT = 'last_look = 15\nignore = "short-timeout one-ring"\n'
"""As the lab has it (`lab.py`); and what is meant there: short times, and one network."""
TROUBLE = """
cp -r /etc/xen/vm /run/vm; echo '# other' >>/run/vm/nfs; rm /run/vm/sles
mount --bind /run/vm /etc/xen/vm; hxm guard remove
printf '#!/bin/sh\\nexec /bin/date -d "90 seconds" "$@"\\n' >/usr/sbin/date; chmod +x /usr/sbin/date
"""
MENDED = "umount /etc/xen/vm; rm -r /run/vm /usr/sbin/date; hxm guard install"


def test_check_finds_what_is_wrong_on_other_nodes(lab):
    toml = lab.folder / "nodes/host1/tmp/check.toml"
    toml.write_text(MEANT)

    def check() -> set[tuple[str, str]]:
        env = {"HXM_CONFIG": str(toml)}
        ran = lab.hxm("host1", "check", "--everywhere", "-o", "json", env=env)
        assert set(ran.json["asked"]) | set(ran.json["unknown"]) == {"host2", "host3"}
        return {(each["code"], each["subject"]) for each in ran.json["findings"]}

    for host in lab.hosts:
        lab.ok(host, "guard", "install")
    try:
        assert check() == set()
        if lab.where("vm3") != "host2":
            lab.ok("host1", "migrate", "vm3", "host2")
        lab.tool("host2", "/run/hxm/real/xl", "pause", "vm3")
        lab.tool("host2", "sh", "-c", TROUBLE)
        lab.turn("ssh@host3", rc=255, msg="Host key verification failed.")
        assert check() == {
            ("not-alive", "vm3"),
            ("file-differs", "nfs host2"),
            ("file-missing", "sles host2"),
            ("guard", "host2"),
            ("clock", "host2"),
            ("node-silent", "host3"),
            ("last-look", "host3"),
        }
        lab.tool("host2", "sh", "-c", MENDED)
        (lab.shared / "knobs/ssh@host3").unlink()
        lab.tool("host2", "/run/hxm/real/xl", "unpause", "vm3")
        assert check() == set()
    finally:
        for host in lab.hosts:
            lab.ok(host, "guard", "remove")

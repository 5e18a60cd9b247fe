"""Many commands at once, and commands that are killed: nothing is lost, nothing goes unnamed."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from xml.etree import ElementTree

import pytest


def _start(sandbox, *words):
    return subprocess.Popen(
        [sys.executable, "-m", "hxm", *words],
        env=sandbox.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def test_twenty_commands_at_once_all_count(bare):
    sandbox = bare.make("--domains", "20")
    names = ["nfs", "sles", *(f"vm{number}" for number in range(3, 21))]
    running = [_start(sandbox, "unmanage", name) for name in names]
    assert [process.wait(120) for process in running] == [0] * 20
    assert sandbox.file.read_text().count('name="is-managed" value="false"') == 20


def test_readers_never_see_half_a_change(sandbox):
    writer = _start(sandbox, "standby", "host1")
    while writer.poll() is None:
        assert sandbox.ok("list", "-o", "json").json["domains"]
    assert writer.returncode == 0


@pytest.mark.parametrize(
    "verb", ["migrate nfs host2", "standby host1", "reboot nfs", "destroy nfs"]
)
def test_killed_at_any_moment_nothing_goes_unnamed(sandbox, verb):
    start = sandbox.file.read_bytes()
    before = sandbox.configuration()
    for delay in (0.1, 0.25, 0.35, 0.45, 0.55, 0.7):
        sandbox.file.write_bytes(start)
        process = _start(sandbox, *verb.split())
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        ElementTree.parse(sandbox.file)  # whole
        ran = sandbox.ok("status")
        if sandbox.configuration() != before:
            assert "Nothing needs attention" not in ran.out
        assert len(sandbox.nodes_of("nfs")) <= 1


def test_a_killed_holder_blocks_nobody(sandbox):
    holder = _start(sandbox, "migrate", "nfs", "host2")
    time.sleep(0.3)
    holder.kill()
    holder.wait()
    sandbox.ok("shutdown", "sles", timeout=20)


def test_the_copy_of_a_killed_command_is_removed_by_the_next_and_no_other(sandbox):
    copies = [sandbox.scratch / f"hxm-scratch-{name}" for name in ("killed", "held", "young")]
    for copy in copies:
        copy.mkdir()
        (copy / "cib.xml").write_text("<secret/>")
    for copy in copies[:2]:
        os.utime(copy, (0, 0))
    held = os.open(copies[1], os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    sandbox.ok("migrate", "nfs", "host2")
    assert sorted(sandbox.scratch.iterdir()) == sorted(copies[1:])
    os.close(held)


def test_ctrl_c_leaves_the_file_whole(sandbox):
    process = _start(sandbox, "migrate", "nfs", "host2")
    while process.poll() is None and not any(sandbox.scratch.iterdir()):
        time.sleep(0.01)  # before hxm is there, Python itself may end with 1
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode in (0, 130)
    assert b"Traceback" not in err
    ElementTree.parse(sandbox.file)


LOCK = """<cluster_property_set id="hxm-lock">
<nvpair id="hxm-lock-holder" name="hxm-lock" value="root@host1:12:345"/>
<nvpair id="hxm-lock-what" name="hxm-lock-what" value="migrate nfs to host2"/>
<nvpair id="hxm-lock-since" name="hxm-lock-since" value="1760000000"/>
</cluster_property_set></crm_config>"""


def test_a_lock_that_came_with_the_copy_of_a_cib_is_named_and_removed(sandbox):
    before = sandbox.configuration()
    sandbox.replace("</crm_config>", LOCK)
    (left,) = sandbox.ok("list", "-o", "json").json["left"]
    assert left["what"].startswith("hxm-lock: root on host1 (process 12) is at 'migrate nfs to")
    assert left["do"] == "hxm unlock"
    sandbox.ok("unmanage", "sles")  # it holds up nobody here
    sandbox.ok("manage", "sles")
    assert "removed the lock: root on host1 (process 12) is at" in sandbox.ok("unlock").out
    assert "nobody holds" in sandbox.ok("unlock").out
    assert sandbox.configuration().split() == before.split()


BY_HAND = """<nvpair id="by-hand-{name}" name="{name}" value="{value}"/>"""


@pytest.mark.parametrize("holder", ["bob", "bob@host9", "b'o&quot;b@host2:7:1"])
@pytest.mark.parametrize("place", ["among others", "alone"])
def test_a_lock_that_was_written_by_hand_is_removed_by_force(sandbox, holder, place):
    before = sandbox.configuration()
    pairs = {"hxm-lock": holder, "hxm-lock-what": "it's mine"}
    lock = "".join(BY_HAND.format(name=name, value=value) for name, value in pairs.items())
    if place == "alone":
        sandbox.replace("</crm_config>", LOCK.partition("<nvpair")[0] + lock + _END)
    else:
        first = '<cluster_property_set id="cib-bootstrap-options">'
        sandbox.replace(first, first + lock)
    assert "since when is not told" in sandbox.hxm("unlock").err
    assert "hxm-lock" in sandbox.configuration()
    sandbox.ok("unlock", "--force")
    assert sandbox.configuration().split() == before.split()


_END = "</cluster_property_set></crm_config>"

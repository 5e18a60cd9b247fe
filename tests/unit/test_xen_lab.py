"""What of the emulated hosts can be tested without them: the switch, its agent, the counters."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import io
import lzma
import os
import struct
import sys
from itertools import pairwise
from pathlib import Path

import pytest

XEN = Path(__file__).parent.parent / "xen"
sys.path.insert(0, str(XEN))
import image  # noqa: E402
from counters import parse_slot  # noqa: E402
from hosts import Host, Switch  # noqa: E402


def load(name: str, path: Path):
    spec = importlib.util.spec_from_loader(
        name, importlib.machinery.SourceFileLoader(name, str(path))
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _path(monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # beside an agent without a suffix


@pytest.fixture
def agent():
    return load("fence_serial", XEN / "dom0/usr/sbin/fence_serial")


class Machine(Host):
    """An emulated host without QEMU."""

    def __init__(self):
        self.powered = True

    def on(self):
        self.powered = True

    def off(self):
        self.powered = False

    def state(self):
        return "on" if self.powered else "off"


@pytest.fixture
def switch():
    return Switch({name: Machine() for name in ("host1", "host2")})


@pytest.mark.parametrize(
    ("orders", "answers", "on"),
    [
        (["list"], ["host1 host2"], True),
        (["status host2"], ["on"], True),
        (["off host2", "status host2"], ["ok", "off"], False),
        (["off host2", "on host2"], ["ok", "ok"], True),
        (["reboot host2"], ["ok"], True),
        (["explode host2"], ["no such order: explode"], True),
        (["off host3"], ["list, or on, off, reboot, status of: host1 host2"], True),
        ([""], ["list, or on, off, reboot, status of: host1 host2"], True),
        (["off host1 host2"], ["list, or on, off, reboot, status of: host1 host2"], True),
    ],
)
def test_the_switch(switch, orders, answers, on):
    assert [switch.order(f"7 {line}") for line in orders] == [f"7 {text}" for text in answers]
    assert switch.hosts["host2"].powered is on
    assert switch.hosts["host1"].powered


def test_the_switch_tells_what_it_cut_and_what_ran_then():
    hosts = {name: Machine() for name in ("host1", "host2")}
    switch = Switch(hosts, lambda: hosts["host2"].powered)
    for line in ("status host1", "reboot host2", "off host1", "on host1", "off host9"):
        switch.order(f"7 {line}")
    assert switch.cuts == [("host2", True), ("host1", True)]


@pytest.mark.parametrize(
    ("given", "words", "answer", "asked", "status"),
    [
        ("action=off\nport=host2\n", [], "ok", "off host2", 0),
        ("action=off\nnodename=host2\n", [], "ok", "off host2", 0),
        ("port=host2\n", [], "ok", "reboot host2", 0),
        ("port=host2\n", ["-o", "on"], "ok", "on host2", 0),
        ("action=off\nport=host2\n", [], "it burns", "off host2", 1),
        ("action=off\nport=host2\n", [], "", "off host2", 1),
        ("action=status\nport=host2\n", [], "on", "status host2", 0),
        ("action=status\nport=host2\n", [], "off", "status host2", 2),
        ("action=status\nport=host2\n", [], "", "status host2", 1),
        ("action=monitor\n", [], "host1 host2", "list", 0),
        ("action=monitor\n", [], "", "list", 1),
        ("# a comment\naction=list\n\n", [], "host1 host2", "list", 0),
    ],
)
def test_the_agent(agent, tmp_path, monkeypatch, given, words, answer, asked, status):
    """The line is a file here: what is asked is written to it, what is read lies behind that."""
    line = tmp_path / "power"
    tag = os.getpid()
    left = b"1 ok\n1 on\n"  # the answers to an agent that was killed
    line.write_bytes(bytes(len(f"{tag} {asked}\n")) + left + f"{tag} {answer}\n".encode())
    monkeypatch.setattr(agent, "LINE", str(line))
    assert agent.main(io.StringIO(given), words) == status
    assert line.read_bytes().startswith(f"{tag} {asked}\n".encode())


def test_the_agent_describes_itself_without_a_switch(agent, capsys):
    assert agent.main(io.StringIO("action=metadata\n"), []) == 0
    assert '<resource-agent name="fence_serial"' in capsys.readouterr().out


def sector(text: str) -> bytes:
    return f"{text:<511}\n".encode()


@pytest.mark.parametrize(
    ("sectors", "slot"),
    [
        (bytes(1024), (0, "", "", 0, "")),
        (sector("nfs 3 host2 0a1b 77") + bytes(512), (3, "host2", "0a1b", 77, "")),
        (
            sector("nfs 3 host2 0a1b 77") + sector("DOUBLE: nfs 2 found nfs 3"),
            (3, "host2", "0a1b", 77, "DOUBLE: nfs 2 found nfs 3"),
        ),
        (bytes(512) + sector("DOUBLE: x"), (0, "", "", 0, "DOUBLE: x")),
    ],
)
def test_what_a_guest_has_written(sectors, slot):
    assert parse_slot(sectors) == slot


def test_each_guest_has_its_own_part_of_the_disk():
    table = image.partition_table()
    assert len(table) == 512
    assert table[510:] == b"\x55\xaa"
    parts = [struct.unpack_from("<II", table, 446 + 16 * n + 8) for n in range(4)]
    assert [first * 512 for first, _ in parts] == [image.offset(guest) for guest in image.GUESTS]
    for (first, sectors), (following, _) in pairwise(parts):
        assert first + sectors == following


def test_a_kernel_is_unpacked():
    payload = lzma.compress(b"\x7fELF and so on", check=lzma.CHECK_CRC32)
    header = bytearray(512 * 5)
    header[0x1F1] = 3
    struct.pack_into("<II", header, 0x248, 512, len(payload) + 4)
    assert image.uncompressed(bytes(header) + payload + b"size") == b"\x7fELF and so on"

"""The stand-in xl prints and ends as the captured xl 4.17.7 did; no cluster is needed."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

XL = Path(__file__).parent / "sbin" / "xl"
CAPTURED = Path(__file__).parent.parent / "data" / "xen-4.17"
_ENTRY = re.compile(
    r"^\$ (?P<command>.*)\n--- stdout\n(?P<out>(?s:.*?))"
    r"--- stderr\n(?P<err>(?s:.*?))--- rc=(?P<rc>\d+)",
    re.MULTILINE,
)


def captured(file: str) -> dict[str, tuple[str, str, int]]:
    text = (CAPTURED / f"{file}.txt").read_text()
    return {
        found["command"]: (found["out"], found["err"], int(found["rc"]))
        for found in _ENTRY.finditer(text)
    }


def shape(text: str) -> str:
    """The text with every number as N and every state as S: what differs between two runs."""
    text = re.sub(r"\b[r-][b-][p-][s-][c-][d-](?=\s|$)", "SSSSSS", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", text)
    return re.sub(r" *\b\d+([.:]\d+)*", " N", text)


@pytest.fixture
def xl(tmp_path):
    (tmp_path / "shared" / "knobs").mkdir(parents=True)
    env = {**os.environ, "XL_RUN": str(tmp_path / "run"), "XL_SHARED": str(tmp_path / "shared")}
    files = {"vm1": 'name = "vm1"\nmemory = 128\n', "bad": "name=foo bar\n", "bad2": "memory=64\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    def run(*words: str) -> tuple[str, str, int]:
        ran = subprocess.run((XL, *words), capture_output=True, env=env, text=True, check=False)
        return ran.stdout, ran.stderr, ran.returncode

    yield run
    for name in ("vm1", "vm2"):
        run("destroy", name)


@pytest.mark.parametrize(
    ("file", "entry", "words"),
    [
        ("xl-list-one", "xl list vm1", "list vm1"),
        ("xl-list-one", "xl list nosuch", "list nosuch"),
        ("xl-list-one", "xl list 99", "list 99"),
        ("xl-list-v", "xl list -v", "list -v"),
        ("xl-create-errors", "xl create /etc/xen/vm/vm1.cfg", "create {folder}/vm1"),
        ("xl-create-errors", "xl create /etc/xen/vm/nosuch.cfg", "create {folder}/nosuch"),
        (
            "xl-create-errors",
            r"printf 'name=foo bar\n' > /tmp/bad.cfg; xl create /tmp/bad.cfg",
            "create {folder}/bad",
        ),
        (
            "xl-create-errors",
            r"printf 'memory=64\n' > /tmp/bad2.cfg; xl create /tmp/bad2.cfg",
            "create {folder}/bad2",
        ),
        ("xl-destroy-errors", "xl destroy 0", "destroy 0"),
        ("xl-destroy-errors", "xl destroy nosuch", "destroy nosuch"),
        ("xl-destroy-errors", "xl destroy 99", "destroy 99"),
        ("xl-shutdown-errors", "xl shutdown nosuch", "shutdown nosuch"),
        ("xl-vm-list", "xl vm-list", "vm-list"),
        ("xl-uptime", "xl uptime vm1", "uptime vm1"),
        ("xl-misc", "xl nosuchcommand", "nosuchcommand"),
    ],
)
def test_prints_what_the_real_one_printed(tmp_path, xl, file, entry, words):
    assert xl("create", str(tmp_path / "vm1"))[2] == 0
    out, err, rc = captured(file)[entry]
    paths = re.compile(r"\S+/(vm1|bad2?|nosuch)(\.cfg)?")
    got = xl(*words.format(folder=tmp_path).split())
    expected = [shape(paths.sub(r"\1", text)) for text in (out, err)]
    assert [shape(paths.sub(r"\1", text)) for text in got[:2]] == expected
    assert got[2] == rc


def also_elsewhere(folder: Path, name: str) -> str:
    """What is shouted when it is started on another host: its own state, the same disks."""
    shared = folder / "shared"
    env = {**os.environ, "XL_RUN": str(folder / "other"), "XL_SHARED": str(shared)}
    subprocess.run((XL, "create", folder / name), env=env, check=True)
    subprocess.run((XL, "destroy", name), env=env, check=True)
    shouted = shared / "DOUBLE_START"
    return shouted.read_text() if shouted.exists() else ""


def test_a_second_instance_is_noticed(tmp_path, xl):
    assert xl("create", str(tmp_path / "vm1"))[2] == 0
    assert "vm1" in also_elsewhere(tmp_path, "vm1")


@pytest.mark.parametrize(("mode", "noticed"), [("w", True), ("r", False)])
def test_a_disk_that_two_domains_write_to_is_noticed(tmp_path, xl, mode, noticed):
    for name in ("vm1", "vm2"):
        disks = f'disk = ["phy:/dev/vg/{name},xvda,w", "phy:/dev/vg/data,xvdb,{mode}"]\n'
        (tmp_path / name).write_text(f'name = "{name}"\n{disks}')
    assert xl("create", str(tmp_path / "vm1"))[2] == 0
    assert (
        "vm2 on" in (said := also_elsewhere(tmp_path, "vm2")) and "/dev/vg/data" in said
    ) is noticed


@pytest.mark.parametrize("words", [("-N", "create"), ("create", "-n"), ("-N", "create", "-n")])
def test_a_dry_run_starts_nothing(tmp_path, xl, words):
    assert xl(*words, str(tmp_path / "vm1"))[2] == 0
    assert "vm1" not in xl("list")[0]
    assert not (tmp_path / "shared" / "events").exists()


def test_a_domain_that_is_gone_frees_its_disk(tmp_path, xl):
    for _ in range(3):
        assert xl("create", str(tmp_path / "vm1"))[2] == 0
        assert xl("destroy", "vm1")[2] == 0
    assert not (tmp_path / "shared" / "DOUBLE_START").exists()


def test_the_memory_of_a_host_ends(tmp_path, xl):
    (tmp_path / "vm2").write_text('name = "vm2"\nmemory = 16000\n')
    _, err, rc = xl("create", str(tmp_path / "vm2"))
    assert rc == 3
    assert "Out of memory" in err


def test_shutdown_waits_when_it_is_told_to(tmp_path, xl):
    assert xl("create", str(tmp_path / "vm1"))[2] == 0
    _, err, rc = xl("shutdown", "-w", "vm1")
    assert rc == 0
    assert "has been shut down, reason code 0" in err
    assert "vm1" not in xl("list")[0]

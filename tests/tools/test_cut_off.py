"""What a ping drill does to a node's routes, by the real ip in a network of its own."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from hxm.toolstack.node_actions import on_node_argv

NETWORK = """ip link set lo up
ip route add 10.1.0.0/24 dev lo
ip route add 10.1.0.7 dev lo
ip route add fd00::/64 dev lo
way() { ip route get "$1" >/dev/null 2>&1 && echo there || echo cut; }
"""


def on_node(kind: str, address: str, after: int = 60) -> str:
    values = {"node": "host1", "address": address, "after": str(after)}
    return shlex.join(on_node_argv(kind, values, "pacemaker", "host1", 5.0))


def said(*lines: str) -> tuple[list[str], str]:
    """What these lines print in a network namespace, and their complaints."""
    ran = subprocess.run(
        ["unshare", "-rn", "sh", "-c", NETWORK + "\n".join(lines)],
        capture_output=True,
        check=False,
        timeout=60,
    )
    if b"unshare" in ran.stderr:
        pytest.skip(f"no network namespaces: {ran.stderr.decode().strip()}")
    return ran.stdout.decode().split(), ran.stderr.decode()


@pytest.mark.parametrize("address", ["10.1.0.9", "fd00::9"])
def test_the_end_of_one_cut_is_never_that_of_the_next(address):
    cut, join, way = on_node("cut", address), on_node("join", address), f"way {address}"
    first = on_node("cut", address, after=1)
    assert said(first, way, "sleep 2", way) == (["cut", "there"], "")
    assert said(first, join, way, cut, "sleep 2", way) == (["there", "cut"], "")
    twice = f"{join} && echo done"
    assert said(cut, cut, way, join, way, twice, way) == (["cut", "there", "done", "there"], "")


def test_a_cut_that_cuts_nothing_is_a_failure_and_leaves_nothing():
    out, err = said(
        f"{on_node('cut', '10.1.0.7')} || echo failed", "ip route show type unreachable"
    )
    assert (out, err) == (["failed"], "another route leads to 10.1.0.7\n")


def test_a_way_that_cannot_be_restored_is_a_failure():
    out, err = said(f"{on_node('join', 'gw')} || echo failed")
    assert (out, "gw" in err) == (["failed"], True)

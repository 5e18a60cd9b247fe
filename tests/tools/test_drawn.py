"""hxm graph on a cluster in a file, and Graphviz's own reading of what it writes."""

from __future__ import annotations

import shutil
from xml.etree import ElementTree

import pytest


def test_the_tree_is_plain_where_nobody_watches(sandbox):
    lines = sandbox.ok("graph").out.splitlines()
    assert lines[:4] == [
        "host1 (online, DC)",
        "├── nfs (Started)",
        "│   ├── after (optional): configpool",
        "│   │   └── after (optional): evms",
    ]
    assert "└── fenced by: STONITH, STONITH-iLO-host2" in lines
    ascii_ = sandbox.ok("graph", env={"PYTHONIOENCODING": "ascii"}).out
    assert "|-- nfs (Started)" in ascii_


def test_the_forms_agree(sandbox):
    found = sandbox.ok("graph", "-o", "json").json
    dot = sandbox.ok("graph", "-o", "dot").out
    mermaid = sandbox.ok("graph", "-o", "mermaid").out
    assert dot.count(" -> ") == len(found["edges"])
    assert mermaid.count('|"') == len(found["edges"])
    assert mermaid.startswith("flowchart LR\n")


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
def test_graphviz_draws_every_name_as_it_is(sandbox):
    name = 'a"b\\N<i>&amp;'
    sandbox.tool("crm_resource", "-r", "nfs", "-p", "name", "-v", name)
    root = ElementTree.fromstring(sandbox.ok("graph", "-o", "svg").out)
    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert name in texts
    assert {"host1", "host2", "sles", "configpool"} <= set(texts)


def test_without_graphviz_one_line_says_what_to_install(sandbox):
    sandbox.program("dot", "exit 1")
    (sandbox.bin / "dot").chmod(0o644)
    path = f"{sandbox.bin}:/nonexistent"
    for tool in ("crm_mon", "cibadmin"):
        (sandbox.bin / tool).symlink_to(shutil.which(tool, path="/usr/sbin:/usr/bin"))
    ran = sandbox.hxm("graph", "-o", "svg", env={"PATH": path})
    if ran.status == 0:
        pytest.skip("dot is in /sbin")
    assert ran.status == 1
    assert ran.err.splitlines()[-1].strip() == "apt install graphviz"


def test_a_form_that_is_none_is_said(sandbox):
    ran = sandbox.hxm("graph", "-o", "png")
    assert ran.status == 2
    assert "is none of" in ran.err

"""Each command of the cluster's own tools that hxm prints, typed as it stands: these ask nobody."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SITUATIONS = Path(__file__).parents[1] / "data" / "situations"
OFTEN = (
    "allowed-on-one",
    "bans-of-a-group",
    "bans-of-two-hosts",
    "default-by-rule-moves",
    "default-leaves-alone",
    "default-maintenance",
    "default-unmanaged-moves",
    "partner-moves",
    "set-location",
    "template-preempts",
    "ticket-preempts",
)
"""Where such a command moves more than it is for; all others are tried by a thorough run."""
NAMES = [
    pytest.param(path.stem, marks=[] if path.stem in OFTEN else pytest.mark.thorough)
    for path in sorted(SITUATIONS.glob("*.xml"))
]
CHANGES = re.compile(r"(crm_attribute|crm_ticket|crm_resource|cibadmin) (?!--why|--query|-Q)")
MEANT = ("crm_attribute --name=stop-all-resources --delete",)
"""What says that it starts all."""
CRASHES = "crm_resource --refresh"
"""On a file, Pacemaker 2.0.5 to 3.0.1 do."""


def typed(do: str) -> Iterator[str]:
    """The commands that change something and ask nobody."""
    for step in re.split("; then |; or ", do):
        command = step.partition(": ")[2] if step.startswith("if ") else step
        if CHANGES.match(command) and command not in MEANT and CRASHES not in command:
            yield command


def printed(sandbox, domus: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Each such command, all that is said beside it, and the domU that it is to start."""
    for one in sandbox.ok("status", "-o", "json").json["findings"]:
        for command in typed(one["do"]):
            yield command, f"{one['what']} {one['do']}", ""
    for domu in domus:
        answer = sandbox.ok("why", domu["name"], "-o", "json").json
        also = [*answer["also"], *(one for on in answer["also_elsewhere"].values() for one in on)]
        also += [each["what"] for each in answer["reasons"] if "before that ends" in each["what"]]
        for one in answer["reasons"]:
            for command in typed(one["do"]):
                yield command, " ".join((one["what"], one["do"], *also)), domu["name"]


def places(sandbox) -> dict[str, list[str]]:
    domus = sandbox.ok("list", "-o", "json").json["domains"]
    return {each["name"]: each["nodes"] for each in domus if each["resource"]}


@pytest.mark.parametrize("name", NAMES)
def test_a_printed_command_moves_what_is_said_beside_it_and_nothing_else(bare, name):
    sandbox = bare
    sandbox.file.parent.mkdir(parents=True)

    def settled(command: str) -> dict[str, list[str]]:
        shutil.copyfile(SITUATIONS / f"{name}.xml", sandbox.file)
        sandbox.tool("sh", "-c", command)
        sandbox.tool("crm_simulate", "-x", str(sandbox.file), "-SX")
        return places(sandbox)

    shutil.copyfile(SITUATIONS / f"{name}.xml", sandbox.file)
    now = places(sandbox)
    domus = [each for each in sandbox.ok("list", "-o", "json").json["domains"] if each["resource"]]
    domus.sort(key=lambda domu: bool(domu["nodes"]))
    commands = list(printed(sandbox, domus[:4]))
    before = settled("true") if commands else now
    after: dict[str, dict[str, list[str]]] = {}
    for command, beside, domu in commands:
        if command not in after:
            after[command] = settled(command)
        for other, nodes in after[command].items():
            starts = other == domu and not now[other]
            if nodes not in (before[other], now[other]) and not starts:
                assert re.search(rf"\b{re.escape(other)}\b", beside), (command, other, nodes)

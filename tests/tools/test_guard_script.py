"""The guard's script against hxm's own table, over thousands of command lines."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hxm.catalog import ALIASES, BY_HAND
from hxm.guard.virsh_table import VIRSH
from hxm.guard.wrapper import Paths, passes_at_once, wrapper

VIRSH_NAMES = sorted(VIRSH)
BEGINNINGS = sorted(
    {name[:end] for name in (*BY_HAND, *ALIASES) for end in range(len(name) + 1)}
    | {f"{name}x" for name in BY_HAND}
)
ODD = ["", "-", "--", "-v", "-vf", "-N", "-vx", "--help", "-x", "*", "li*", "[a-z]", "l?", "a b",
       "'", "list|destroy", "$(x)", "-v-", "-[v]", "list\n", "\u00e9", "-q", "-qt",
       "--quiet"]  # fmt: skip
WORDS = st.sampled_from([*BEGINNINGS, *ODD, *VIRSH_NAMES]) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4
)
LINES = st.lists(WORDS, max_size=4)
OPTIONS = [[], ["-v"], ["-vftTN"], ["-f", "-t"]]


def verdicts(lines, folder: Path, program: str) -> list[str]:
    """What the real script does with each line, in one shell."""
    paths = Paths(f"/{program}", "/kept", "/script", "/real")
    text = wrapper(program, paths, ["/bin/sh"], "", 0).script
    for found, instead in (
        ("\nreal() {", "\nreal() { echo real; exit; }\nunused() {"),
        (f'/bin/sh guard judge {program} "$@"', "echo hxm; exit"),
    ):
        assert text.count(found) == 1
        text = text.replace(found, instead)
    (folder / "script").write_text(text)
    called = f"/{program}"
    calls = "".join(f"(set -- {called} {shlex.join(words)}; . ./script)\n" for words in lines)
    (folder / "all").write_bytes(calls.encode())
    command = f"cd {shlex.quote(str(folder))} && unset OCF_RESOURCE_INSTANCE && sh ./all"
    return subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()


def expected(lines, program: str) -> list[str]:
    return ["real" if passes_at_once(program, words) else "hxm" for words in lines]


@pytest.mark.parametrize("program", ["xl", "virsh"])
def test_script_and_table_agree_on_every_beginning_behind_every_option(tmp_path, program):
    words = BEGINNINGS if program == "xl" else VIRSH_NAMES
    lines = [[*before, word, "nfs"] for before in OPTIONS for word in (*words, *ODD)]
    assert len(lines) > 1000
    assert verdicts(lines, tmp_path, program) == expected(lines, program)


@given(st.lists(LINES, min_size=100, max_size=100))
@settings(
    deadline=None,
    database=None,
    max_examples=20,
    suppress_health_check=list(HealthCheck),
)
@pytest.mark.parametrize("program", ["xl", "virsh"])
def test_script_and_table_agree_on_whatever_is_typed(tmp_path_factory, program, lines):
    folder = tmp_path_factory.mktemp("shim")
    assert verdicts(lines, folder, program) == expected(lines, program)
    shutil.rmtree(folder)

"""What is not hxm's own: the toolstack's commands, judged for managed domUs before they pass."""

from __future__ import annotations

from hxm import render, run
from hxm.command import Command
from hxm.config import read_config
from hxm.decide.passing import judge, operands
from hxm.errors import Failed
from hxm.observe import identify, names_in_files, read_cluster
from hxm.toolstack import detect

_LOCAL_ONLY = "--local-only"


def run_raw(row: Command, before: tuple[str, ...], words: tuple[str, ...]) -> int:
    """Pass the command to the toolstack, unless it concerns a managed domU and may not.

    Raises Refused with the reason and the right command; CannotAsk if nobody can tell.
    """
    config = read_config()
    local_only = _LOCAL_ONLY in words
    passed = tuple(word for word in words if word != _LOCAL_ONLY)
    if operands(passed) and not {"-h", "--help"} & set(passed):
        cluster = identify(read_cluster(config), passed, config)
        filed = names_in_files(operands(passed))
        if warning := judge(row, passed, cluster, filed=filed, local_only=local_only):
            render.note(warning)
    toolstack = detect(config.toolstack)
    if not toolstack:
        raise Failed("there is neither xl nor xm on this host", "run it on the Xen host itself")
    run.become((toolstack.program, *before, row.name, *passed))

"""Waits for `--until`: until the guests themselves answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hxm.cluster.read import read_cluster, sandbox_file
from hxm.errors import Refused, UsageError
from hxm.orders.pipeline import Then, named_domains
from hxm.output.progress import display

if TYPE_CHECKING:
    from hxm.arguments.options import Order


def until_guests_answer(order: Order, words: Sequence[str] | None, text: str) -> Then | None:
    """Waits until each domU prints text that matches the regular expression; None without one.

    Raises UsageError or Refused, before anything is ordered, if it cannot wait for that.
    """
    if not text:
        return None
    if not order.wait:
        raise UsageError("--until waits for the guest", "leave out -W, or --until")
    if not words:
        raise UsageError("--until needs the names of domUs", "leave out -a")
    if sandbox_file():
        raise Refused("domUs in a sandbox have no console", "leave out --until")
    from hxm.terminal.console import await_answer, pattern_of

    pattern, config = pattern_of(text), order.config

    def then(seconds: float) -> str:
        cluster, end, sentences = read_cluster(config), time.monotonic() + seconds, []
        for domain in named_domains(cluster, words):
            with display(f"waiting for {domain.name} to print {text!r}"):
                left = max(0.0, end - time.monotonic())
                took = await_answer(cluster, domain, pattern, left, config)
            sentences.append(f"{domain.name} printed {text!r} on its console after {took:.1f} s")
        return "; ".join(sentences)

    return then

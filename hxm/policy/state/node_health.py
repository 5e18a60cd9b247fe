"""A node's health as a score, as the scheduler adds it up (lib/pengine/pe_health.c)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hxm.policy.relations import INFINITY, score_of

BY_SCORE = ("progressive", "custom")
"""The strategies by which health is a location score of every resource, beside all others."""
_USUAL = {"red": "-INFINITY"}


def health_score(properties: Mapping[str, str], values: Iterable[str]) -> int:
    """The sum of #health attributes, each a colour or a number, by one of the strategies BY_SCORE.

    -INFINITY, which keeps everything off, stays that, whatever is added. The base counts for
    `progressive` alone.
    """
    strategy, base = properties.get("node-health-strategy"), properties.get("node-health-base", "0")
    words = [properties.get(f"node-health-{word}", _USUAL.get(word, word)) for word in values]
    scores = [score_of(word) for word in (*words, *([base] if strategy == "progressive" else []))]
    return -INFINITY if min(scores, default=0) <= -INFINITY else sum(scores)


def against_it(
    properties: Mapping[str, str], attributes: Mapping[str, str]
) -> tuple[int, str] | None:
    """A score by which a node's health speaks against it, among all others, and its attributes."""
    signs = {name: value for name, value in attributes.items() if name.startswith("#health")}
    if properties.get("node-health-strategy") not in BY_SCORE or not signs:
        return None
    score = health_score(properties, signs.values())
    listed = ", ".join(f"{name}={value}" for name, value in signs.items())
    return (score, listed) if -INFINITY < score < 0 else None

"""What an agent advises for its operations: the least timeouts in its own metadata."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import ParseError, fromstring

from hxm import run
from hxm.decide.timings import seconds
from hxm.errors import CannotAsk
from hxm.pacemaker.dialect import ADVICE


def read_advice(agent: str) -> Mapping[str, int]:
    """The timeout in seconds of each operation; nothing where the agent cannot be asked here."""
    try:
        result = run.output([word.format(agent=agent) for word in ADVICE])
    except CannotAsk:
        return {}
    return parse_advice(result.stdout)


def parse_advice(document: bytes) -> Mapping[str, int]:
    """The same of an agent's metadata (OCF Resource Agent API 1.0); nothing if it is none."""
    try:
        root = fromstring(document)
    except (ParseError, ValueError, LookupError):
        return {}
    actions = root.iterfind("actions/action")
    return {each.get("name", ""): seconds(each.get("timeout", "")) for each in actions}

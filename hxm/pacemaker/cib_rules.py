"""Whether the rule of a set of options holds now, for a resource of some agent.

Of what it does not understand (duration, moon, attributes of nodes) it says that it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

if TYPE_CHECKING:
    from datetime import datetime


def in_effect(sets: list[Element], agent: Mapping[str, str | None]) -> list[Element]:
    """The sets whose rules hold, those with the higher score first: of two values the first counts.

    `agent` has the class, provider and type of the resource; of its operation, if the sets are for
    that, the name and the interval.
    """
    holding = [
        options for options in sets if all(_holds(rule, agent) for rule in options.iterfind("rule"))
    ]
    return sorted(holding, key=lambda options: -_score(options.get("score", "0")))


def said(rule: Element) -> str:
    """What a rule says of the time and of agents: `hours 0-23`, `type Xen`."""
    tags = ("date_expression", "date_spec", "duration", "rsc_expression")
    return ", ".join(
        f"{key} {value}"
        for tag in tags
        for element in rule.iter(tag)
        for key, value in element.items()
        if key != "id" and value != "date_spec"
    )


def any_of(rule: Element) -> bool:
    """Whether one of its expressions is enough; Heartbeat spells the option with a _."""
    return (rule.get("boolean-op") or rule.get("boolean_op") or "and").lower() == "or"


def ended(rule: Element) -> str:
    """When the rule was true for the last time, as the CIB has it; empty if it may be true yet."""
    over = _bounds(rule, "end", "lt", over=True)
    return over[0][1] if over and (not any_of(rule) or len(over) == len(rule)) else ""


def begins(rule: Element) -> str:
    """From when on the rule may be true, as the CIB has it; empty: it has begun."""
    to_come = _bounds(rule, "start", "gt", over=False)
    return to_come[0][1] if to_come and (not any_of(rule) or len(to_come) == len(rule)) else ""


def ends(rule: Element) -> str:
    """When the rule will be true for the last time, as the CIB has it; empty if it has no end.

    Of several ends that one which comes first.
    """
    to_come = _bounds(rule, "end", "lt", over=False)
    return min(to_come)[1] if to_come and not any_of(rule) else ""


def _bounds(rule: Element, name: str, operation: str, *, over: bool) -> list[tuple[datetime, str]]:
    """The starts, or the ends, among the times of a rule that are over, or yet to come."""
    return [
        (moment, text)
        for expression in rule.iterfind("date_expression")
        if expression.get("operation", "in_range") in (operation, "in_range")
        if (moment := _moment(text := expression.get(name, ""))) and is_over(text) == over
    ]


def is_now(rule: Element) -> bool:
    """Whether the rule has times, no rule within it, and they are all now."""
    times = rule.findall("date_expression")
    return bool(times) and rule.find("rule") is None and all(map(_now, times))


def _score(text: str) -> float:
    try:
        return float(text)  # also INFINITY
    except ValueError:
        return 0.0


def _holds(rule: Element, agent: Mapping[str, str | None]) -> bool:
    verdicts = [_true(expression, agent) for expression in rule]
    return any(verdicts) if any_of(rule) else all(verdicts)


def _true(expression: Element, agent: Mapping[str, str | None]) -> bool:
    if expression.tag == "rule":
        return _holds(expression, agent)
    if expression.tag == "rsc_expression":
        wanted = ((name, expression.get(name)) for name in ("class", "provider", "type"))
        return all(agent.get(name) == value for name, value in wanted if value)
    if expression.tag == "op_expression":
        return agent.get("operation") == expression.get("name") and _same_time(
            agent.get("interval"), expression.get("interval")
        )
    if expression.tag == "date_expression":
        return _now(expression)
    return True


def _same_time(interval: str | None, wanted: str | None) -> bool:
    from hxm.pacemaker.times import seconds  # rarely needed, and not by every list

    return wanted is None or (seconds(interval or "") or 0) == (seconds(wanted) or 0)


def _now(expression: Element) -> bool:
    operation = expression.get("operation", "in_range")
    if operation == "date_spec":
        return all(_in_spec(spec) for spec in expression.iterfind("date_spec"))
    start, end = expression.get("start"), expression.get("end")
    begun = operation == "lt" or not start or is_over(start)
    return begun and (operation == "gt" or not is_over(end))


def _in_spec(spec: Element) -> bool:
    """Whether this host's time is within all the ranges: hours 9-16, weekdays 1-5, years 2027-."""
    from datetime import datetime  # rarely needed, and not by every list

    now = datetime.now().astimezone()
    names = "years months monthdays hours minutes seconds weekdays yeardays weekyears weeks"
    date = now.timetuple()
    values = (*date[:6], date.tm_wday + 1, date.tm_yday, *now.isocalendar()[:2])
    return all(
        _in_range(spec.get(name, ""), value)
        for name, value in zip(names.split(), values, strict=True)
    )


def _in_range(text: str, value: int) -> bool:
    low, _, high = text.partition("-")
    if "-" not in text:
        high = low
    return not (low.isdecimal() and value < int(low)) and not (
        high.isdecimal() and value > int(high)
    )


def is_over(moment: str | None) -> bool:
    """Whether the time has passed, as the tools write it; what is no time has not."""
    end = _moment(moment)
    if not end:
        return False
    from datetime import UTC, datetime

    return end < datetime.now(UTC)


def is_soon(moment: str) -> bool:
    """Whether the time comes within a week; what is no time does not."""
    from datetime import UTC, datetime, timedelta

    end = _moment(moment)
    return end is not None and end < datetime.now(UTC) + timedelta(days=7)


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    from datetime import UTC, datetime  # rarely needed, and not by every list

    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None

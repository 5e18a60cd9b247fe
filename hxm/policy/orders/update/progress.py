"""How far a rolling update is: what stands in the CIB, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hxm.model import UPDATE

DRAIN, DRAINING, REBOOT, BACK, TRY = "drain", "draining", "reboot", "back", "try"
_STAGES = (DRAIN, DRAINING, REBOOT, BACK, TRY)
_SHOWN_AS = {DRAINING: DRAIN, BACK: REBOOT}
"""A step and what it is once it has ordered, or taken away, the standby."""


class Progress(NamedTuple):
    """The state of an update: which of the hosts is at which step."""

    order: tuple[str, ...]
    host: str
    stage: str
    canary: str = ""
    """The resource of the domU that tries the first host."""
    watch: float = 0.0
    """Seconds; negative: what stands there is no number of seconds."""
    boot: str = ""
    """What told the host's boot from others before it was drained; empty if it was not known."""
    by: str = ""

    @property
    def number(self) -> int:
        """How many hosts are through."""
        return self.order.index(self.host) if self.host in self.order else 0

    @property
    def readable(self) -> bool:
        """Whether the state is one of this hxm's."""
        return self.stage in _STAGES and self.host in self.order and self.watch >= 0

    @property
    def own_standby(self) -> str:
        """The host whose standby is the update's own, if it is in standby; or nothing."""
        return self.host if self.readable and self.stage in (DRAINING, REBOOT) else ""

    @property
    def text(self) -> str:
        """The state as it stands in the CIB."""
        values = self._asdict() | {"order": ",".join(self.order), "watch": repr(self.watch)}
        return ";".join(f"{name}={value}" for name, value in values.items())

    def said(self, canary: str = "") -> str:
        """Where the update is, in one line."""
        if not self.readable:
            return "a rolling update, whose state cannot be understood"
        what = {
            DRAIN: f"{self.host} is to be drained",
            DRAINING: f"{self.host} is being drained",
            REBOOT: f"{self.host} is drained, to be patched and rebooted",
            BACK: f"{self.host} is back and to be watched",
            TRY: f"{self.host} is back, {canary or 'the canary'} is to be tried there",
        }[self.stage]
        whose = f" (begun by {self.by})" if self.by else ""
        return f"{what}; {self.number} of {len(self.order)} hosts are through{whose}"


def progress_in(properties: Mapping[str, str]) -> Progress | None:
    """The update that is under way, by the cluster's properties, or none."""
    text = properties.get(UPDATE)
    if text is None:
        return None
    pairs = {name: value for name, _, value in (word.partition("=") for word in text.split(";"))}
    order = tuple(filter(None, pairs.pop("order", "").split(",")))
    watch = pairs.pop("watch", "")
    known = {name: value for name, value in pairs.items() if name in Progress._fields}
    return Progress(order, **{"host": "", "stage": "", **known, "watch": _seconds(watch)})  # type: ignore[arg-type]


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return -1.0
    return seconds if seconds < float("inf") else -1.0  # nor is it smaller if it is no number


class Stage(NamedTuple):
    """One step of an update, as it is shown."""

    host: str
    stage: str
    what: str
    state: str = ""
    """done, now, or nothing: to come."""


def stages(progress: Progress, canary: str) -> list[Stage]:
    """All steps in their order, and how far the update is; `canary` is the domU's name."""
    watch = f"watch it for {progress.watch:g} s"
    all_stages: list[Stage] = []
    for number, host in enumerate(progress.order):
        all_stages.append(Stage(host, DRAIN, f"drain {host}"))
        by_hand = f"patch and reboot {host} by hand; take it back, {watch}"
        all_stages.append(Stage(host, REBOOT, by_hand))
        if number == 0 and canary:
            all_stages.append(
                Stage(host, TRY, f"move {canary} to {host} as the canary and {watch}")
            )
    stage = _SHOWN_AS.get(progress.stage, progress.stage)
    here = [n for n, entry in enumerate(all_stages) if entry[:2] == (progress.host, stage)]
    at = here[0] if here else 0
    return [
        entry._replace(state="done" if n < at else "now" if n == at else "")
        for n, entry in enumerate(all_stages)
    ]

"""What the settings of a domU's configuration mean, and what is odd about them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hxm.domu.config_file import Number, Value, to_int


def domain_name(settings: Mapping[str, Value]) -> str | None:
    """The domU's name as xl takes it, or None."""
    name = settings.get("name")
    if isinstance(name, Number):
        return name.spelling
    return name if isinstance(name, str) and name else None


def domain_uuid(settings: Mapping[str, Value]) -> str | None:
    """Return the uuid in lower case, or None; xm takes one without dashes (xen/xend/uuid.py)."""
    text = str(settings.get("uuid", "")).lower()
    if re.fullmatch("[0-9a-f]{32}", text):
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    return text or None


def memory_mib(settings: Mapping[str, Value]) -> int | None:
    """Return what `memory` asks for, in MiB; None if it is absent or not a positive number."""
    return positive(settings.get("memory"))


def vcpus(settings: Mapping[str, Value]) -> int | None:
    """Return the number of vcpus at boot: 1, as for xl, if absent; None if it cannot be read."""
    return positive(settings.get("vcpus", 1))


def positive(value: Value | None) -> int | None:
    """Return the value as an int above 0, else None; xl takes a number in quotes as well."""
    number = to_int(value) if isinstance(value, str) else value
    return int(number) if isinstance(number, int) and number > 0 else None


def slips(settings: Mapping[str, Value]) -> list[str]:
    """Return what looks like a slip of the finger in the keys: xl passes over unknown ones."""
    from difflib import get_close_matches

    from hxm.domu.setting_names import XL, XM

    known = sorted({*XL.split(), *XM.split()})
    slips = []
    for key in settings:
        near = [] if key in known else get_close_matches(key, known, 1, 0.8)
        slips += [f"{key} is no setting: is {name} meant?" for name in near]
    return slips


def is_pv(settings: Mapping[str, Value]) -> bool:
    """Whether the domU is paravirtual, which is the default of xl and xm."""
    if settings.get("type"):
        return settings["type"] == "pv"
    return settings.get("builder", "linux") in ("linux", "generic", "pv") and not positive(
        settings.get("pvh")
    )


def cannot_boot(settings: Mapping[str, Value]) -> bool:
    """Whether nothing says what a domU without firmware of its own is to boot (xl.cfg(5))."""
    own = is_pv(settings) or settings.get("type") == "pvh" or bool(positive(settings.get("pvh")))
    return own and not any(settings.get(key) for key in ("kernel", "bootloader", "firmware"))


_AT_ITS_END = ("on_poweroff", "on_reboot", "on_crash", "on_watchdog")


def preserved(settings: Mapping[str, Value]) -> tuple[str, ...]:
    """The settings by which the toolstack keeps a domU that has ended: `on_crash = "preserve"`.

    ocf:heartbeat:Xen (4.12) asks no more than whether it is listed, and takes it for running.
    """
    return tuple(key for key in _AT_ITS_END if settings.get(key) == "preserve")

"""How each guarded program stands, and what to do about one that is not as it should be."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from hxm import programs
from hxm.guard import install, xendomains
from hxm.guard.install import Place
from hxm.guard.wrapper import MARK, shim

REMEDIES = {
    install.OPEN: "hxm guard install",
    install.UNDONE: "hxm guard install",
    install.OUTDATED: "hxm guard install",
    xendomains.EARLY: "hxm guard install, or an order of its own: After=pacemaker.service",
    install.BROKEN: "install its package again, then: hxm guard install",
}
"""What to do about a program that is not guarded as it should be."""


def states() -> Iterator[tuple[Place, str]]:
    """Each program, and how it stands; xendomains only where it comes too early for the guard."""
    for place in install.places():
        yield place, install.state(place, MARK, wrapper_text(place))
    if xendomains.state() == xendomains.EARLY:
        yield Place("xendomains", xendomains.SCRIPT), xendomains.EARLY


def wrapper_text(place: Place) -> str:
    """The wrapper script that stands in front of the program."""
    return shim(place.program, place.link, own_words())


def own_words() -> tuple[str, ...]:
    """How this hxm is called, from anywhere."""
    own = os.path.abspath(sys.argv[0])
    if os.path.basename(own) == "hxm" and os.access(own, os.X_OK):
        return (own,)
    found = programs.find("hxm")
    return (os.path.abspath(found),) if found else (sys.executable, "-m", "hxm")

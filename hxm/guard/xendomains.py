"""Has xendomains start after the cluster and stop before it, so that the guard can ask.

Debian's init script wants to be before corosync (its X-Start-Before), and no drop-in takes such an
order back: a unit of the same name in /etc/systemd/system stands in its place. A unit that Xen
brings itself has no such order, and gets a drop-in.
"""

from __future__ import annotations

import glob
import os

from hxm import programs
from hxm.errors import Failed

ROOT = os.environ.get("HXM_ROOT", "")
"""Where /etc is looked for, for tests."""
SCRIPT = "/etc/init.d/xendomains"
UNIT = "/etc/systemd/system/xendomains.service"
DROP_IN = f"{UNIT}.d/hxm.conf"
WANTED = "/etc/systemd/system/multi-user.target.wants/xendomains.service"
_BROUGHT = ("/usr/lib/systemd/system/xendomains.service", "/lib/systemd/system/xendomains.service")

EARLY = "started before the cluster"
"""How xendomains stands where the guard would refuse all that it does."""
LATE = "started after the cluster"

_ORDER = """\
# written by `hxm guard install`, taken away by `hxm guard remove`
[Unit]
After=corosync.service pacemaker.service heartbeat.service
"""
_WAIT = """\
[Service]
ExecStartPre=-{hxm} guard wait
"""
_WHOLE = f"""\
{_ORDER}After=xen.service network-online.target remote-fs.target
Description=domUs that no cluster manages (/etc/xen/auto)
Documentation=man:hxm(8)

{_WAIT}Type=oneshot
RemainAfterExit=yes
KillMode=process
TimeoutStartSec=infinity
TimeoutStopSec=5min
ExecStart={SCRIPT} start
ExecStop={SCRIPT} stop
"""


def state() -> str:
    """EARLY or LATE, or nothing where systemd starts no xendomains."""
    if not os.path.isdir(f"{ROOT}/etc/systemd/system"):
        return ""
    if any(map(_exists, _BROUGHT)):
        return LATE if _exists(DROP_IN) or "pacemaker" in _text(UNIT) else EARLY
    if _exists(SCRIPT):
        return LATE if "pacemaker" in _text(UNIT) else EARLY
    return ""


def install(hxm: str) -> bool:
    """Put it after the cluster, if it is not; returns whether anything was done. Raises Failed.

    A unit of the administrator's own is left alone.
    """
    if state() != EARLY:
        return False
    whole = not any(map(_exists, _BROUGHT))
    if whole and _exists(UNIT):
        return False
    _write(UNIT if whole else DROP_IN, (_WHOLE if whole else f"{_ORDER}\n{_WAIT}").format(hxm=hxm))
    if whole and glob.glob(f"{ROOT}/etc/rc[2-5].d/S??xendomains") and not _exists(WANTED):
        os.makedirs(os.path.dirname(ROOT + WANTED), exist_ok=True)
        os.symlink(UNIT, ROOT + WANTED)
    _reload()
    return True


def remove() -> bool:
    """Undo what `install` did; returns whether there was anything. Raises Failed."""
    found = [each for each in (UNIT, DROP_IN) if _text(each).startswith(_ORDER)]
    try:
        for each in found:
            os.unlink(ROOT + each)
        if UNIT in found and os.path.islink(ROOT + WANTED):
            os.unlink(ROOT + WANTED)
        if DROP_IN in found and not os.listdir(os.path.dirname(ROOT + DROP_IN)):
            os.rmdir(os.path.dirname(ROOT + DROP_IN))
    except OSError as error:
        raise Failed(f"xendomains: {error.filename}: {error.strerror}") from None
    if found:
        _reload()
    return bool(found)


def _reload() -> None:
    if not ROOT and os.path.isdir("/run/systemd/system"):
        programs.output(("systemctl", "daemon-reload"))


def _write(path: str, text: str) -> None:
    try:
        os.makedirs(os.path.dirname(ROOT + path), exist_ok=True)
        with open(ROOT + path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Failed(f"xendomains: {error.filename}: {error.strerror}") from None


def _exists(path: str) -> bool:
    return os.path.lexists(ROOT + path)


def _text(path: str) -> str:
    try:
        with open(ROOT + path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""

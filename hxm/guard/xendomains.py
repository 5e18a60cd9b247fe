"""Has xendomains start after the cluster and stop before it, so that the guard can ask.

Debian's init script wants to be before corosync (its X-Start-Before), as does the unit of Debian 13
(its Before), and no drop-in takes such an order back: systemd would find a cycle, and leave
corosync or pacemaker out of the boot. There a unit of the same name in /etc/systemd/system stands
in its place. A unit without such an order, as Xen's own, gets a drop-in.
"""

from __future__ import annotations

import glob
import os

from hxm.errors import Failed
from hxm.host import programs
from hxm.host.safe_files import make_folders

ROOT = os.environ.get("HXM_ROOT", "")
"""Where /etc is looked for, for tests."""
SCRIPT = "/etc/init.d/xendomains"
UNIT = "/etc/systemd/system/xendomains.service"
DROP_IN = f"{UNIT}.d/hxm.conf"
WANTED = "/etc/systemd/system/multi-user.target.wants/xendomains.service"
_CLUSTER = {"corosync.service", "pacemaker.service", "heartbeat.service"}
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
    if not (_brought() or _exists(SCRIPT)):
        return ""
    unit = _text(UNIT) if _exists(UNIT) else _brought()
    drop_ins = glob.glob(f"{ROOT}{os.path.dirname(DROP_IN)}/*.conf")
    text = "\n".join((unit, *(_text(path.removeprefix(ROOT)) for path in drop_ins)))
    late = "pacemaker.service" in _named(text, "After") and not _CLUSTER & _named(text, "Before")
    return LATE if late else EARLY


def install(hxm: str) -> bool:
    """Put it after the cluster, if it is not; returns whether anything was done. Raises Failed.

    A unit of the administrator's own is left alone.
    """
    if state() != EARLY:
        return False
    brought = _brought()
    whole = not brought or bool(_CLUSTER & _named(brought, "Before"))
    if whole and _exists(UNIT):
        return False
    if whole:
        _remove(DROP_IN)  # that of an hxm that knew of no such unit
        _write(UNIT, _late(brought, hxm) if brought else _WHOLE.format(hxm=hxm))
    else:
        _write(DROP_IN, f"{_ORDER}\n{_WAIT}".format(hxm=hxm))
    if not brought and glob.glob(f"{ROOT}/etc/rc[2-5].d/S??xendomains") and not _exists(WANTED):
        make_folders(os.path.dirname(ROOT + WANTED), 0o755)
        os.symlink(UNIT, ROOT + WANTED)
    _reload()
    return True


def _brought() -> str:
    """The unit that a package brings, or nothing."""
    return next(filter(None, map(_text, _BROUGHT)), "")


def _named(text: str, key: str) -> set[str]:
    """The units that a unit's text names behind this key, on all its lines (systemd.unit(5))."""
    lines = (line.partition("=") for line in text.splitlines())
    return {unit for name, _, units in lines if name.strip() == key for unit in units.split()}


def _late(brought: str, hxm: str) -> str:
    """A package's unit, after the cluster instead of before it and before libvirt."""
    lines = (
        line
        for line in brought.splitlines(keepends=True)
        if all(unit.endswith(".target") for unit in _named(line, "Before"))
    )
    return f"{_ORDER}\n{_WAIT}\n".format(hxm=hxm) + "".join(lines)


def remove() -> bool:
    """Undo what `install` did; returns whether there was anything. Raises Failed."""
    unit = _text(UNIT).startswith(_ORDER)
    removed = [_remove(path) for path in (UNIT, DROP_IN)]
    if unit and os.path.islink(ROOT + WANTED) and os.readlink(ROOT + WANTED) == UNIT:
        os.unlink(ROOT + WANTED)
    if any(removed):
        _reload()
    return any(removed)


def _remove(path: str) -> bool:
    """Take the file away if hxm has written it, and its folder if nothing else is in it."""
    if not _text(path).startswith(_ORDER):
        return False
    try:
        os.unlink(ROOT + path)
        if path == DROP_IN and not os.listdir(os.path.dirname(ROOT + path)):
            os.rmdir(os.path.dirname(ROOT + path))
    except OSError as error:
        raise Failed(f"xendomains: {error.filename}: {error.strerror}") from None
    return True


def _reload() -> None:
    if not ROOT and os.path.isdir("/run/systemd/system"):
        programs.output(("systemctl", "daemon-reload"))


def _write(path: str, text: str) -> None:
    try:
        make_folders(os.path.dirname(ROOT + path), 0o755)
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

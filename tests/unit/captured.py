"""Every captured cluster as hxm would see it: what crm_mon printed, and the CIB of that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from factories import DATA
from generations import cib_of

from hxm.cluster import read
from hxm.config import Config
from hxm.errors import CannotAsk
from hxm.host import programs
from hxm.model import Cluster
from hxm.pacemaker.cib import parse_configuration
from hxm.pacemaker.crm_mon import parse_status
from hxm.pacemaker.status_from_cib import complete

_LAB = "pacemaker-2.1.5-lab"
SAMPLES = [
    path
    for path in sorted(DATA.glob("*-[0-9]*/*"))
    if not path.parent.name.startswith("xen-")
    and not path.name.endswith((".cib.xml", "steps.txt", "usage-mon.txt"))
    and not path.name.startswith("nocluster.")
]


def seen(path: Path) -> Cluster:
    """The cluster that a sample shows; raises CannotAsk where hxm would."""
    status = parse_status(path.read_bytes())
    configuration = parse_configuration(_cib(path))
    if status.partial:
        status = complete(status, configuration)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read, "read_configuration", lambda *_, **__: configuration)
        patch.setattr(read, "read_status", lambda *_, **__: status._replace(form="", tools=""))
        patch.setattr(read, "left_out", lambda *_: ())
        patch.setattr(read, "sandbox_file", lambda: None)
        patch.setattr(programs, "ahead", lambda *_: None)
        patch.setattr(read, "_local_node", lambda *_: None)
        return read.read_cluster(Config(), local=False)


def _cib(path: Path) -> bytes:
    name = path.name.split(".")[0]
    if path.parent.name == _LAB:
        return (DATA / _LAB / "06-standby.cib.xml").read_bytes()
    try:
        return cib_of(path.parent.name, name)
    except FileNotFoundError:
        return cib_of(path.parent.name, "base")


def clusters() -> Iterator[tuple[str, Cluster]]:
    """All of them, each with the name of its sample."""
    for path in SAMPLES:
        try:
            yield f"{path.parent.name}/{path.name}", seen(path)
        except CannotAsk:
            continue

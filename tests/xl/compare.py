"""Holds hxm's reading of configurations against the real xl's, on random ones: `make real-xl`.

Three kinds: disk specifications (COUNT of them), and a tenth each of whole configurations behind a
command line of `create`, and of real files that were changed a little. Of the specifications xl and
hxm must also refuse the same ones; of the rest, what either refuses is not compared.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import real
from grammar import NEWER, mutated, spec_of

from hxm.domu.config_file import XmFileError
from hxm.domu.devices import parse_mac
from hxm.domu.disk_spec import DeviceError, Disk, parse_disk, parse_xl_disk
from hxm.domu.settings import domain_name, domain_uuid, memory_mib
from hxm.guard.create_line import settings_of

VIFS = (
    "mac=", "mac=", "00:16:3e:00:00:01", "00-16-3E-0-0-2", ",", ",", "bridge=br0", "type=vif",
    "script=x", "rate=1Mb/s", "mac=00:16:3e:00:00:0f", "ip=1.2.3.4", "model=e1000", "\t", " ",
    "mac=00:16:3e:00:0f", "bridge=b", "mac=0:1:2:3:4:-0", "mac=100000007:1:2:3:4:5", ":", "-",
)  # fmt: skip
NAMES = ('name="a"', 'name = "b"', "name='c'", 'name+="d"', 'name="e";', 'name="f" # x',
         "name=007", 'name="g"\\', '; name="h"', 'name="i" ; memory=65', 'name="k k"')  # fmt: skip
CHANGES = (
    "'", '"', ",", "\n", ";", "#", "\\", "\t", "\r", "\r\n", "=", "+=", "[", "]", "(", ")", " ",
    "é", "\udcff", "'''", "\\n", "\\\n", "0", "0x", 'name="evil"\n',
    "disk += [ 'phy:/dev/evil,xvdz,w' ]\n", 'vif=["mac=00:16:3e:ee:ee:ee"]\n', "name", "None", "-",
    '"" ', "\"'x' ", "mac=", "target=", "access=", "cdrom,",
)  # fmt: skip


class Reading(NamedTuple):
    """What hxm and xl must find alike in a file."""

    name: str | None
    uuid: str | None
    memory: int | None
    disks: list[tuple[str, str, bool, str]]
    macs: list[str]


class Outcome(NamedTuple):
    """A case of which both made something, or one alone."""

    text: object
    xl: object
    hxm: object


def facts_of(disk: Disk) -> tuple[str, str, bool, str]:
    return disk.target, disk.vdev, disk.writes, disk.script


def facts_in(disk: dict[str, Any]) -> tuple[str, str, bool, str]:
    path, script = disk.get("pdev_path") or "", disk.get("script") or ""
    return path, disk.get("vdev") or "", bool(disk.get("readwrite")), script


def reading_of_xl(found: dict[str, Any]) -> Reading:
    return Reading(
        found["c_info"].get("name"),
        found["c_info"].get("uuid"),
        found["b_info"].get("target_memkb", 0) // 1024 or None,
        [facts_in(disk) for disk in found.get("disks", ())],
        [nic["mac"] for nic in found.get("nics", ()) if nic.get("mac")],
    )


def reading_of_hxm(path: Path, more: list[str], by_xl: Reading) -> Reading | None:
    """The same by hxm, or None if it refuses the file, which is always safe.

    Of a domU without a uuid xl makes one up. It passes over what is no list where it wants one.
    """
    try:
        settings = settings_of(str(path), more, xm=False)
        disks, vifs = (
            entries if isinstance(entries := settings.get(key), list) else []
            for key in ("disk", "vif")
        )
        return Reading(
            domain_name(settings),
            domain_uuid(settings) or by_xl.uuid,
            memory_mib(settings),
            [facts_of(parse_disk(str(spec))) for spec in disks],
            [mac for spec in vifs if (mac := parse_mac(str(spec)))],
        )
    except (XmFileError, DeviceError):
        return None


def of_specs(chance: random.Random, count: int) -> Iterator[Outcome]:
    with real.libxlu() as library:
        for _ in range(count):
            spec = spec_of(chance)
            if any(word in spec for word in NEWER):
                continue
            words = spec.split(",") if chance.random() < 0.2 else [spec]  # as behind block-attach
            found = library.disk(*words)
            try:
                own = facts_of(parse_xl_disk(*words))
            except DeviceError:
                own = None
            yield Outcome(words, found and facts_in(found), own)


def random_text(chance: random.Random) -> str:
    disk, vif = spec_of(chance), "".join(chance.choices(VIFS, k=chance.randint(0, 7)))
    disk = chance.choice([disk, disk, "/dev/vg/x,raw,xvda,w"])
    names = chance.choices(NAMES, k=chance.randint(1, 3))
    lists = f"disk = [ {json.dumps(disk)} ]\nvif = [ {json.dumps(vif)} ]"
    return "\n".join(["memory = 64", 'kernel = "/bin/true"', *names, lists, ""])


def changed_text(chance: random.Random, texts: list[str]) -> str:
    text = chance.choice(texts)
    for _ in range(chance.randint(1, 3)):
        place = chance.randint(0, len(text))
        if chance.random() < 0.6:
            text = text[:place] + chance.choice(CHANGES) + text[place:]
        else:
            text = mutated(chance, text)
    return text


def of_files(chance: random.Random, count: int, folder: Path) -> Iterator[Outcome]:
    texts = [path.read_text() for path in real.files()]
    path = folder / "domU.cfg"
    for number in range(count):
        text = changed_text(chance, texts) if number % 2 else random_text(chance)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        more = chance.choices(NAMES[:6], k=chance.randint(0, 2))
        found, _ = real.dry_run(path, more)
        by_xl = reading_of_xl(found) if found else None
        own = by_xl and reading_of_hxm(path, more, by_xl)
        yield Outcome((text, more), by_xl, own)


def wrong_among(outcomes: Iterator[Outcome], what: str, *, refusals: bool) -> int:
    """How many were read differently, which are printed; 1 if xl takes none at all."""
    began = time.monotonic()
    count = taken = refused = wrong = 0
    for text, xl, hxm in outcomes:
        count += 1
        taken += xl is not None
        refused += xl is not None and hxm is None
        if xl != hxm and (refusals or None not in (xl, hxm)):
            wrong += 1
            print(f"{text!r}\n  xl:  {xl}\n  hxm: {hxm}")
    print(
        f"{count} {what} in {time.monotonic() - began:.0f} s: xl takes {taken}, "
        f"hxm refuses {refused} of those and reads {wrong} differently"
    )
    return wrong or not taken


def main(count: int, seed: int) -> int:
    """Status 1 if the two read anything differently, or xl takes nothing at all."""
    print(f"seed {seed}")
    real.unpack()
    chance = random.Random(seed)
    wrong = wrong_among(of_specs(chance, count), "disk specifications", refusals=True)
    with tempfile.TemporaryDirectory() as folder:
        outcomes = of_files(chance, count // 5, Path(folder))
        wrong += wrong_among(outcomes, "files", refusals=False)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2] or random.randrange(1 << 30))))

"""Random command lines for xl that would harm nfs, a domU that writes to DISK.

Each is made from xl's own grammar (xl_cmdtable.c and xl_vmcontrol.c of Xen 4.17: abbreviated
commands, options before and behind them, the file by -f or without, settings behind the file), and
the real xl or libxlutil says what it would make: a domU or a disk that is nfs's, or something else.
"""

from __future__ import annotations

import os
import random
import re
from pathlib import Path
from typing import Any, NamedTuple

import real
from grammar import spec_of

DISK = "/dev/vg/nfs"
"""What nfs writes to."""
UUID = "135631b2-d539-4d73-bc0a-16ef7192fe00"
"""What nfs has in its file."""
FILE = "made.cfg"


class Line(NamedTuple):
    """A command line, the text of the file that it names, and whose it would use."""

    words: list[str]
    text: str
    harm: str
    """`disk`, `name` or `uuid` of nfs; empty: none of them."""


OPTIONS = ("-v", "-f", "-t", "-T", "-vf", "-vvv")
CREATE_OPTIONS = ("-p", "-F", "-e", "-d", "-c", "-q", "-V", "-A", "-i", "-pq", "-ieF", "--quiet",
    "--ignore-global-affinity-masks", "--vncviewer-autopass")  # fmt: skip
BY_OPTION = ("-f {}", "-f{}", "-qf {}", "-pqf{}", "--defconfig {}", "--defconfig={}", "--def={}")
BEHIND = ("memory=64", "#disk=['x']", "vcpus=1;memory=65", "on_crash='destroy'", "disk=[]",
    'name="x"', "\nname='y'", "uuid='0d1b2c3a-0000-4000-8000-000000000001'",
    "disk=['phy:/dev/vg/spare,xvdb,w']", "vif=['mac=00:16:3e:00:00:09']", "=", "a b=1")  # fmt: skip
NAMES = ('name="{}"', "name = '{}'", 'name="{}";', 'name="{}" # {}', "name='x'\nname='{}'",
    "name='{}' ; memory=64", 'name="{}"\t')  # fmt: skip
DISKS = ("disk = [ {} ]", "disk=[{},]", "disk = [ 'phy:/dev/vg/spare,xvdz,w', {} ]",
    "disk=[\n{}\n]", "disk=[]\ndisk=[{}]", "disk = [ {} ] # 'none'", "disk=[{}];")  # fmt: skip
SPELLINGS = (DISK, "vg/nfs", "/dev//vg/nfs", "/dev/vg/./nfs", "//dev/vg/nfs", "/dev/../dev/vg/nfs")

ON_NFS = (
    "destroy {}", "destroy -f {}", "shutdown {}", "shutdown -w {}", "shutdown -aw",
    "shutdown --all", "reboot {}", "reboot -F {}", "reboot -a", "pause {}", "save {} /tmp/image",
    "save -c {} image",
    "migrate {} host2", "migrate -s ssh {} host2", "rename {} other", "rename other nfs",
    "trigger {} s3resume", "button-press {} power", "sysrq {} b", "dump-core {} core",
    "remus {} host2", "block-attach {} phy:/dev/vg/spare,xvdb,w", "block-detach {} xvda",
    "cd-eject {} hdc", "cd-insert {} hdc /srv/a.iso", "network-attach {} bridge=br0",
    "network-detach {} 0", "pci-attach {} 01:00.0", "pci-detach -f {} 01:00.0",
    "usbdev-attach {} hostbus=1 hostaddr=1", "qemu-monitor-command {} quit",
    "config-update {} made.cfg", "vkb-attach {} unique-id=1", "restore made.cfg nfs",
)  # fmt: skip


def line_of(chance: random.Random, library: real.Libxlu, folder: Path) -> Line | None:
    """A line, or None for one that xl refuses to understand."""
    kind = chance.randrange(10)
    if kind < 2:
        return _on_nfs(chance)
    if kind < 5:
        return _attaching(chance, library)
    return _creating(chance, folder)


def _xl(chance: random.Random, command: str) -> list[str]:
    """Xl, its options, and the command or a beginning of it that only this one has."""
    options = [chance.choice(OPTIONS) for _ in range(chance.choice((0, 0, 0, 1, 2)))]
    if chance.random() < 0.05:
        options.append("--")
    unique = next(
        end
        for end in range(1, len(command) + 1)
        if [name for name in COMMANDS if name.startswith(command[:end])] == [command]
        or end == len(command)
    )
    end = chance.randint(unique, len(command)) if chance.random() < 0.4 else len(command)
    return ["xl", *options, command[:end]]


def _on_nfs(chance: random.Random) -> Line:
    command, *rest = chance.choice(ON_NFS).split()
    whom = chance.choice(("nfs", "nfs", "3"))
    words = [word.format(whom) for word in rest]
    return Line([*_xl(chance, command), *words], 'name="other"\n', "name")


def _attaching(chance: random.Random, library: real.Libxlu) -> Line | None:
    """A disk for a domU that runs; xl reads each word on from where it was behind the last."""
    if chance.random() < 0.2:
        path = chance.choice((*SPELLINGS, "/dev/vg/spare"))
        words = [*_xl(chance, "cd-insert"), "other", chance.choice(("hdc", "xvdc")), path]
        return Line(words, "", "disk" if _device(path) == DISK else "")
    specs = [_spec(chance)]
    if chance.random() < 0.6:
        specs = [word for word in re.split(chance.choice((",", "(?<=,)")), specs[0]) if word]
        if chance.random() < 0.3:
            chance.shuffle(specs)
    disk = library.disk(*specs)
    if not disk or not specs or any(spec.startswith("-") for spec in specs):
        return None
    return Line([*_xl(chance, "block-attach"), "other", *specs], "", _harm_of([disk]))


def _creating(chance: random.Random, folder: Path) -> Line | None:
    """A domU that is made, or runs on, by a file and the settings behind it."""
    text, more = _text(chance), []
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        more.append(chance.choice(BEHIND) if chance.random() < 0.6 else _setting(chance))
    words = chance.choice(BY_OPTION).format(FILE).split() if chance.random() < 0.4 else [FILE]
    if chance.random() < 0.1:
        words, more = ["/dev/null"], [*_text(chance).splitlines(), *more]
    for option in chance.sample(CREATE_OPTIONS, chance.choice((0, 0, 1, 2))):
        words.insert(chance.choice((0, len(words))), option)
    words += more
    (folder / FILE).write_bytes(text.encode("utf-8", "surrogateescape"))
    made = real.dry_line(["create", *words], folder)
    if not made:
        return None
    harm = "name" if made["c_info"].get("name") == "nfs" else _harm_of(made.get("disks", []))
    harm = harm or ("uuid" if made["c_info"].get("uuid") == UUID else "")
    return Line([*_xl(chance, "create"), *words], text, harm)


def _text(chance: random.Random) -> str:
    lines = ["memory = 64", 'kernel = "/bin/true"']
    lines.append(chance.choice(NAMES).format("nfs" if chance.random() < 0.2 else "made", "nfs"))
    lines.append(chance.choice(DISKS).format(_quoted(chance, _spec(chance))))
    if chance.random() < 0.2:
        lines.append(chance.choice((f'uuid = "{UUID}"', f"uuid='{UUID.upper()}'")))
    chance.shuffle(lines)
    return "\n".join(lines) + chance.choice(("\n", "\n\n# end\n", ""))


def _setting(chance: random.Random) -> str:
    if chance.random() < 0.3:
        return chance.choice(NAMES).format("nfs", "made")
    return chance.choice(DISKS).format(_quoted(chance, _spec(chance)))


def _spec(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return spec_of(chance).replace("vg/x", "vg/nfs")
    path = chance.choice(SPELLINGS)
    usual = ("phy:{},xvdb,w", "{},raw,xvdb,rw", "{},,xvdb", "vdev=xvdb,access=r,target={}",
        "format=raw,vdev=xvdb,target={},", "script=block,vdev=xvdb,target={}",
        "vdev=xvdb,{}", "file:{},hdc:cdrom,r", "raw:{},xvdb,r", "tap:aio:{},xvdb,w")  # fmt: skip
    return chance.choice(usual).format(path)


def _quoted(chance: random.Random, spec: str) -> str:
    quote = chance.choice("'\"")
    escaped = spec.replace("\\", "\\\\").replace(quote, f"\\{quote}").replace("\n", "\\n")
    return f"{quote}{escaped}{quote}"


def _harm_of(disks: list[dict[str, Any]]) -> str:
    """`disk` if one of these is nfs's; a path behind a script of one's own counts as well."""
    for disk in disks:
        script, path = os.path.basename(disk.get("script") or "block"), disk.get("pdev_path") or ""
        path = path.strip()
        if script != "block":
            path = path.rpartition(":")[2]
            if script == "block-drbd" or not path.startswith("/"):
                continue
        if path and _device(path) == DISK:
            return "disk"
    return ""


def _device(path: str) -> str:
    path = os.path.normpath(path if path.startswith("/") else f"/dev/{path}")
    return path.replace("//", "/")


def _commands() -> list[str]:
    text = (real.HERE.parent / "data" / "xen-4.17" / "xl-help.txt").read_text()
    return re.findall(r"^ ([a-z][-a-z0-9]*) ", text, re.MULTILINE)


COMMANDS = _commands()

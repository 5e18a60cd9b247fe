"""Random disk specifications, made from the words and rules of libxlu_disk_l.l."""

from __future__ import annotations

import random

VALUES = {
    "format": ("", "raw", "qcow", "qcow2", "vhd", "qed", "empty", "vmdk", "Raw", "raw "),
    "access": ("", "r", "ro", "w", "rw", "w!", "RO", " r"),
    "backend": ("", "dom0", "dom2 "),
    "backendtype": ("", "phy", "tap", "qdisk", "standalone", "blk"),
    "specification": ("xen", "virtio", "", "x"),
    "devtype": ("cdrom", "disk", "", "floppy", "cdrom "),
    "vdev": ("xvda", "hdc", "hdc:cdrom", "ioemu:hda", "", "0x301", "sda1 "),
    "script": ("block", "block-x", "/etc/xen/scripts/block", "", "a=b"),
    "colo-host": ("h", ""),
    "colo-port": ("9", "0", "", "x", "-1", "9x", " 7"),
    "colo-export": ("e", ""),
    "active-disk": ("/a", ""),
    "hidden-disk": ("/b", ""),
    "target": ("/dev/vg/x", "/dev/vg/x,", "/dev/vg/x,,", "vg/x", "", "a,b", "a=b", " /x", "/x\n"),
}
FLAGS = ("cdrom", "direct-io-safe", "discard", "no-discard", "colo", "no-colo")
NEWER = ("trusted", "untrusted", "grant_usage=1", "grant_usage=0")
"""Words of 4.17 and 4.19 that Debian's 4.17.7, made of an older lexer, does not know."""
KINDS = (
    "raw", "qcow", "qcow2", "vhd", "iscsi", "nbd", "enbd", "drbd", "tapdisk", "tap", "tap2", "aio",
    "ioemu", "file", "phy", "vmdk", "sync", "npiv", "RAW", "tap3",
)  # fmt: skip
TARGETS = ("/dev/vg/x", "vg/x", "", "/srv/a.img", "res", "iqn.2001-04.com:a", "/x y", "0:1", "é")
DEVICES = ("xvda", "hdc:cdrom", "sda1", "ioemu:hda", "hda:disk", "", "hda:floppy", "a:b:cdrom")
MODES = ("w", "r", "ro", "rw", "w!", "", "x")
BROKEN = ("=", "==", "=x", "x=", "foo=y", "foo=yy", "target", "\n", "\t", " ", ",", ":", "é", "\\")
WHOLE = (
    "{target},{format},{vdev},{access}",
    "{target},{format},{vdev}",
    "{kind}{target},{vdev},{access}",
    "{kind}{kind}{target},{vdev},{access}",
    ",{vdev},{access}",
    ",,{vdev},{access}",
    "{setting},{setting},{setting},target={target}",
    "{target},{setting},{setting}",
    "{setting},{target},{format},{vdev},{access}",
    "vdev={vdev},{target}",
    "vdev={vdev},access={access},target={target}",
    "vdev={vdev},{kind}{target},{access}",
    "script={script},vdev={vdev},target={kind}{target}",
)  # fmt: skip


def word_of(chance: random.Random) -> str:
    """A word as it may stand between two commas."""
    kind = chance.randrange(10)
    if kind < 4:
        key = chance.choice([*VALUES])
        return f"{key}={chance.choice(VALUES[key])}"
    if kind < 5:
        return chance.choice(FLAGS)
    if kind < 7:
        return chance.choice((*TARGETS, *DEVICES, *MODES, *VALUES["format"]))
    if kind < 9:
        return f"{chance.choice(KINDS)}:{chance.choice(('', *TARGETS))}"
    return chance.choice(BROKEN)


def spec_of(chance: random.Random) -> str:
    """A specification: a usual one with a change or two, or any words in a row."""
    if chance.random() < 0.25:
        return chance.choice((",", ",", ", ", "")).join(
            word_of(chance) for _ in range(chance.randint(1, 7))
        )
    setting = chance.choice([key for key in VALUES if key != "target"])
    spec = chance.choice(WHOLE)
    for name, values in (
        ("target", TARGETS), ("vdev", DEVICES), ("access", MODES), ("script", VALUES["script"]),
        ("format", VALUES["format"]), ("kind", [f"{kind}:" for kind in KINDS]),
    ):  # fmt: skip
        while f"{{{name}}}" in spec:
            likely = values[:2] if chance.random() < 0.7 else values
            spec = spec.replace(f"{{{name}}}", chance.choice(likely), 1)
    while "{setting}" in spec:
        setting = chance.choice(("vdev", "access", *VALUES))
        spec = spec.replace("{setting}", f"{setting}={chance.choice(VALUES[setting])}", 1)
    words = spec.split(",")
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        words.insert(chance.randint(0, len(words)), word_of(chance))
    spec = ",".join(words)
    return spec if chance.random() < 0.8 else mutated(chance, spec)


def mutated(chance: random.Random, spec: str) -> str:
    """The text with something put in, left out, or repeated."""
    place = chance.randint(0, len(spec))
    change = chance.randrange(3)
    if change == 0:
        return spec[:place] + chance.choice((*BROKEN, *FLAGS)) + spec[place:]
    if change == 1:
        return spec[:place] + spec[place + chance.randint(1, 3) :]
    return spec[:place] + spec[max(0, place - 8) :]

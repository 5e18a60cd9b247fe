"""What the guard lets pass at once, and how it takes a command line apart."""

from __future__ import annotations

import pytest
from factories import DATA
from test_catalog import EVER, XL_HELP

from hxm.catalog import BY_HAND, COMMANDS
from hxm.catalog.command import HOST, READS
from hxm.errors import Refused
from hxm.guard.create_line import creation_of
from hxm.guard.virsh_table import VIRSH
from hxm.guard.wrapper import meanings, passes_at_once

VIRSH_EVER = {
    line for line in (DATA / "virsh-commands.txt").read_text().splitlines() if line[0] != "#"
}


def test_every_command_of_any_xl_or_xm_is_judged():
    assert set(BY_HAND) == set(EVER) | {"help"}
    for name, row in BY_HAND.items():
        assert (
            row.policy == COMMANDS[name].policy
            or not COMMANDS[name].policy
            or name
            in (
                "shell",
                "serve",
            )
        )


CHANGING = {"run-state", "creates-domU", "domU-config"}


@pytest.mark.parametrize("name", [name for name, row in EVER.items() if row["class"] in CHANGING])
def test_no_beginning_of_what_changes_a_domu_ever_passes_at_once(name):
    """Unless no xl has it any more, or the beginning is the whole name of another."""
    for end in range(1, len(name) + 1):
        if name[:end] not in BY_HAND:
            assert not passes_at_once("xl", [name[:end], "nfs"]), name[:end]
    assert not passes_at_once("xl", [name])


def test_every_whole_reading_command_of_a_real_xl_passes_at_once():
    for name in XL_HELP:
        assert passes_at_once("xl", [name]) == (BY_HAND[name].policy in (READS, HOST))


def test_virsh_is_classified_by_the_names_of_its_manual_and_invents_none():
    assert set(VIRSH) <= VIRSH_EVER
    changing = """create define start shutdown destroy reboot reset migrate save restore suspend
        resume managedsave undefine setmem setvcpus autostart dump domrename attach-disk"""
    for name in changing.split():
        assert not passes_at_once("virsh", [name])
    for name in VIRSH_EVER - set(VIRSH):
        assert not passes_at_once("virsh", [name]), "unknown is not no"
        assert meanings("virsh", name) == []


CREATIONS = {
    "name=a": ("a", False),
    "memory=1": ("", False),
    "-n name=a": (None, True),
    "-cn name=a": (None, True),
    "-nf x name=a": (None, True),
    "--dryrun name=a": (None, True),
    "-x name=a": (None, True),
    "-c -p -e name=a": ("a", False),
    "name=a name=b": ("b", False),
    "name=a -n": ("a", False),
    "/none -n name=a": (None, True),
    "/none name=a -n": ("a", False),
}


@pytest.mark.parametrize("words", CREATIONS)
def test_what_create_makes(words):
    quoted = [f'{word[:5]}"{word[5:]}"' if word[:5] == "name=" else word for word in words.split()]
    found = creation_of(quoted)
    assert (found.name, found.dry) == CREATIONS[words]


def test_xm_takes_what_is_behind_the_equals_sign_as_it_is(tmp_path):
    file = tmp_path / "a"
    file.write_text('name = "a"\ndisk = ["phy:/dev/x,xvda,w"]\n')
    words = [str(file), "name=nfs", "memory=64", "disk=phy:/dev/y,xvda,w", "root=/dev/xvda ro"]
    made = creation_of(words, xm=True)
    assert (made.name, made.settings["disk"]) == ("nfs", ["phy:/dev/y,xvda,w"])
    with pytest.raises(Refused):
        creation_of(words)

"""How virsh takes a command line apart, and which hypervisor it speaks with."""

from __future__ import annotations

import pytest

from hxm.toolstack.virsh import of_another_hypervisor, spoken

SPOKEN = {
    "list": ("list", "", ""),
    "-c xen:///system destroy a": ("destroy a", "xen:///system", ""),
    "-cxen:/// destroy a": ("destroy a", "xen:///", ""),
    "--connect=xen:/// destroy a": ("destroy a", "xen:///", ""),
    "--co xen:/// destroy a": ("destroy a", "xen:///", ""),
    "-qrc xen:/// destroy a": ("destroy a", "xen:///", "readonly"),
    "-d 0 -l log -k5 -K 3 -e ^] start -r": ("start -r", "", ""),
    "--keepalive-count 3 --log=x start": ("start", "", ""),
    "-- start a": ("start a", "", ""),
    "-v": ("", "", "ends"),
    "--version=long": ("", "", "ends"),
    "": ("", "", ""),
}


@pytest.mark.parametrize("line", SPOKEN)
def test_a_virsh_command_line_is_taken_apart(line):
    found = spoken(line.split())
    kind = "readonly" * found.readonly + "ends" * found.ends
    assert (" ; ".join(map(" ".join, found.commands)), found.uri, kind) == SPOKEN[line]


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("list --all", [("list", "--all")]),
        ("list; destroy nfs", [("list",), ("destroy", "nfs")]),
        ("list;destroy 'n f';;", [("list",), ("destroy", "n f")]),
        ("list\ndestroy nfs # no", [("list",), ("destroy", "nfs")]),
        ("destroy 'nfs", [("destroy", "nfs")]),  # which old ones do not mind
        ("domid a#b; destroy nfs", [("domid", "a#b"), ("destroy", "nfs")]),
        ("list # a; destroy nfs", [("list",), ("list", "#", "a"), ("destroy", "nfs")]),
        ("list #x\\\ndestroy nfs", [("list",), ("destroy", "nfs"), ("list", "#x\ndestroy", "nfs")]),
        ("destroy \\\nnfs", [("destroy", "nfs"), ("destroy", "\nnfs")]),
        ("des\\\ntroy nfs", [("destroy", "nfs")]),
        ('destroy "n\\fs"', [("destroy", "nfs")]),
        ("destroy 'n\\fs'", [("destroy", "n\\fs")]),
        ('destroy "a;b" \'c"d\'', [("destroy", "a;b", 'c"d')]),
        ("destroy ''", [("destroy", "")]),
        ("destroy a\\", [("destroy", "a")]),
        ('destroy "nfs"', [("destroy", "nfs")]),
    ],
)
def test_a_command_string_is_taken_apart(text, commands):
    assert list(spoken([text]).commands) == commands


OTHERS = {
    "": False,
    "xen:///system": False,
    "libxl:///system": False,
    "remote:///": False,
    "remote+unix:///system": False,
    "hail": False,
    "qemu": False,
    "qemu+unix:///system?name=xen:///system": False,
    "qemu:///system": True,
    "qemu+ssh://h/system": True,
    "test:///default": True,
}


@pytest.mark.parametrize("uri", OTHERS)
def test_only_a_known_driver_of_another_hypervisor_is_one(uri):
    assert of_another_hypervisor(uri) == OTHERS[uri]

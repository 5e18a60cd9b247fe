"""The header of Xen's own HVM examples: read as data, and nothing else of Python."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from hxm.domu.config_file import XmFileError, parse_xmfile

OF_3_0 = """#  -*- mode: python; -*-
# An example.

import os, re
arch = os.uname()[4]
if re.search('64', arch):
    arch_libdir = 'lib64'
else:
    arch_libdir = 'lib'
#-----------------------------------------
kernel = "/usr/lib/xen/boot/hvmloader"
"""
OF_3_4 = """import os, re

arch_libdir = 'lib'
arch = os.uname()[4]
if os.uname()[0] == 'Linux' and re.search('64', arch):
    arch_libdir = 'lib64'

kernel = "/usr/lib/xen/boot/hvmloader"
"""
VTI = """import os, re
arch = os.uname()[4]
arch_libdir = 'lib'
kernel = "/usr/lib/xen/boot/hvmloader"
"""
MODEL = "device_model = '/usr/' + arch_libdir + '/xen/bin/qemu-dm'\n"
REST = f"name = 'win'\ndisk = [ 'phy:/dev/vg/win,ioemu:hda,w', ',hdc:cdrom,r' ]\n{MODEL}"


@pytest.mark.parametrize("machine", ["x86_64", "i686"])
@pytest.mark.parametrize("header", [OF_3_0, OF_3_4, VTI, OF_3_0.replace("\n", "\r\n")])
def test_the_header_of_xens_examples_is_data(monkeypatch, header, machine):
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine=machine))
    folder = "lib64" if machine == "x86_64" and header != VTI else "lib"
    assert parse_xmfile(header + REST) == {
        "kernel": "/usr/lib/xen/boot/hvmloader",
        "name": "win",
        "disk": ["phy:/dev/vg/win,ioemu:hda,w", ",hdc:cdrom,r"],
        "device_model": f"/usr/{folder}/xen/bin/qemu-dm",
    }


OTHERS = {
    "a line more under else": OF_3_0.replace("= 'lib'\n", "= 'lib'\n    name = 'x'\n"),
    "a line more under if": OF_3_0.replace("'lib64'\n", "'lib64'\n    name = 'x'\n"),
    "another test": OF_3_0.replace("'64'", "'x86'"),
    "other code before it": f"name = 'x'\n{OF_3_0}",
    "arch_libdir set again": f"{OF_3_0}arch_libdir = 'x'\n",
    "arch_libdir elsewhere": f"{OF_3_0}extra = arch_libdir + ''\n",
    "no more than imports": "import os, re\nname = 'x'\n",
    "within a string": f"extra = '''\n{OF_3_0}'''\nname = os.uname()[1]\n",
}


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_any_other_python_is_refused(text):
    with pytest.raises(XmFileError, match=r"Python code|expected|not a value"):
        parse_xmfile(text + REST)


def test_a_fault_keeps_its_line():
    with pytest.raises(XmFileError) as caught:
        parse_xmfile(f"{OF_3_0}{REST}memory = \n")
    assert caught.value.line == (OF_3_0 + REST).count("\n") + 1

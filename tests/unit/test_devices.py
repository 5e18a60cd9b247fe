"""Disk and vif specifications, against what xl's own parser made of them."""

from __future__ import annotations

import json

import pytest
from factories import DATA
from hypothesis import given
from hypothesis import strategies as st

from hxm.domu.devices import parse_mac
from hxm.domu.disk_spec import DeviceError, Disk, parse_disk, parse_xl_disk

GRAMMAR = json.loads((DATA / "xen-4.17" / "disk-grammar.json").read_text())
"""What libxlutil made of specifications that tests/xl/grammar.py makes up (tests/xl/capture.py)."""
CAPTURED = json.loads((DATA / "xen-4.17" / "disk-specs.json").read_text())
VIFS = json.loads((DATA / "xen-4.17" / "vif-specs.json").read_text())
"""What `xl create -n` printed for each, a stand-in for the hypervisor under it."""
XMS_ALONE = {
    "phy:/dev/vg/nfs,xvda,w!": Disk("/dev/vg/nfs", "xvda", True, True),
    "phy:/dev/vg/nfs,xvda,!": Disk("/dev/vg/nfs", "xvda", True, True),
    "phy:/x,sda1,w,dom2": Disk("/x", "sda1", True),
    "npiv:x,xvda,w": Disk("x", "xvda", True, script="block-npiv"),
}
"""What the xl of 4.17 refuses and xm reads."""


@pytest.mark.parametrize("spec", CAPTURED)
def test_a_disk_is_what_xl_makes_of_it(spec):
    if spec in XMS_ALONE:
        assert CAPTURED[spec] is None
        assert parse_disk(spec) == XMS_ALONE[spec]
    elif (wanted := CAPTURED[spec]) is None:
        with pytest.raises(DeviceError):
            parse_disk(spec)
    else:
        found = parse_disk(spec)._asdict()
        assert {key: found[key] for key in wanted} == wanted


def test_specifications_of_xls_grammar_are_what_libxlutil_makes_of_them():
    own = {spec: _as_xl_reads(spec) for spec in GRAMMAR}
    assert {spec: (own[spec], disk) for spec, disk in GRAMMAR.items() if own[spec] != disk} == {}
    assert sum(disk is not None for disk in GRAMMAR.values()) > 200


def _as_xl_reads(spec):
    try:
        disk = parse_xl_disk(spec)
    except DeviceError:
        return None
    return [disk.target, disk.vdev, disk.writes, disk.script]


@pytest.mark.parametrize("spec", VIFS)
def test_a_vif_has_the_address_that_xl_gives_it(spec):
    """None: xl refuses the specification, for another reason than its address."""
    assert parse_mac(spec) == (VIFS[spec] or None)


@given(st.text(max_size=30) | st.lists(st.sampled_from(list("phyfile:=,/ xvdaw!-")), max_size=30))
def test_any_text_is_a_disk_or_an_error(text):
    for parse in (parse_disk, parse_mac):
        try:
            parse("".join(text))
        except DeviceError as error:
            assert str(error)

"""What toolstacks and saved images tell of a domU at length."""

from __future__ import annotations

import json
import struct

import pytest
from factories import DATA
from hypothesis import given
from hypothesis import strategies as st

from hxm.cluster.claims import claim
from hxm.domu.config_file import parse_xmfile
from hxm.domu.disk_spec import Disk
from hxm.errors import CannotAsk
from hxm.toolstack.list_long import Details, parse_image, parse_long

XEN = DATA / "xen-4.17"
LISTED = (XEN / "xl-list-l.txt").read_text()
DRY = (XEN / "xl-create-dry.json").read_text()
XM = (DATA / "xen-3.3" / "xm-list-long.txt").read_text()
"""Found in public, of a Fedora with Xen 3.3."""
XMS = Details(
    "UbuntuPVS810",
    "d9a1b362-c834-67ab-4e9d-d4b706699297",
    ("00:16:3e:1b:8b:d2",),
    (Disk("/dev/sdb7", "xvda", writes=True),),
)


def listed(*configs: str) -> str:
    """As `xl list -l` prints what `xl create -n` printed."""
    return json.dumps([{"domid": n, "config": json.loads(c)} for n, c in enumerate(configs, 5)])


def test_xl_list_l_as_captured():
    (told, again) = [
        parse_long(part)[0] for part in LISTED.split("--- stdout")[1:3] if "domid" in part
    ]
    assert (
        told
        == again
        == Details("vm1", "135631b2-d539-4d73-bc0a-16ef7192fe00", ("00:16:3e:00:00:01",))
    )


def test_what_xl_tells_of_a_domu_is_what_its_file_asked_for():
    """The one by the real xl, the other by our own reading of the same file."""
    (told,) = parse_long("Welcome to host2\n" + listed(DRY))
    assert [disk.writes for disk in told.disks] == [True, False, False, True]
    own = claim("other", parse_xmfile((XEN / "xl-create-dry.cfg").read_text()))
    assert (told.name, told.uuid, told.macs) == (own.name, own.uuid, own.macs)
    assert [(each.target, each.writes) for each in told.disks] == [
        (each.spelling, each.writes) for each in own.disks
    ]
    assert told.disks[-1].script == "block-drbd"


def test_what_xl_passes_on_to_qemu_is_a_disk_too():
    config = json.loads(DRY)
    config["b_info"]["extra_hvm"] = ["-drive", "file=/dev/vg/x,readonly=on", "-hda", "/dev/vg/y"]
    config["disks"] = [{"pdev_path": "/dev/vg/z", "readwrite": 1, "hidden_disk": "/dev/vg/h"}]
    (told,) = parse_long(listed(json.dumps(config)))
    assert [(disk.target, disk.writes, disk.replicas) for disk in told.disks] == [
        ("/dev/vg/z", True, ("/dev/vg/h",)),
        ("/dev/vg/x", False, ()),
        ("/dev/vg/y", True, ()),
    ]


def test_a_scsi_device_of_xms_is_a_disk_too():
    device = "(device (vscsi (feature-host 0) (dev (p-dev 0:0:1:0) (p-devname sdb))))"
    (told,) = parse_long(f"(domain (domid 3) (name a) {device})")
    assert told.disks == (Disk("0:0:1:0", "", writes=True, scsi=True),)


def test_xm_list_long():
    assert parse_long("Warning: old\n" + XM) == [XMS]
    tapped = XM.replace("(vbd", "(tap").replace("phy:/dev/sdb7", "tap:aio:'/srv/a b'")
    tapped = tapped.replace("tap:aio:'/srv/a b'", "'tap:aio:/srv/a b'").replace(
        "(mode w)", "(mode 'w!')"
    )
    assert parse_long(XM + tapped)[1].disks == (Disk("/srv/a b", "xvda", True, True),)
    dom0 = "(domain (domid 0) (name Domain-0) (uuid 0))"
    assert parse_long(dom0 + XM) == [XMS]


@pytest.mark.parametrize(
    "text", ["", "hello", "[", '[{"domid": 1}]', "(domain (", "Name ID", "[1]"]
)
def test_what_is_no_answer_is_never_an_empty_one(text):
    with pytest.raises(CannotAsk):
        parse_long(text)


def image(text: str, flags: int) -> bytes:
    """The beginning of a saved image (struct save_file_header in xl.h of 4.17)."""
    data = text.encode() + b"\0"
    head = b"Xen saved domain, xl format\n \0 \r"
    head += struct.pack("=4I", 0x01020304, flags, 0, len(data) + 4)
    return head + struct.pack("=I", len(data)) + data + b"\1\2\3 the memory"


def test_a_saved_image_tells_whose_it_is():
    assert parse_image(image(DRY, 3)) == parse_long(listed(DRY))[0]
    assert parse_image(image('name = "old"\nmemory=1\n', 0)) == Details("old")
    xm = b"LinuxGuestRecord" + struct.pack("!i", len(XM)) + XM.encode() + b"\0memory"
    assert parse_image(xm) == XMS


@pytest.mark.parametrize(
    "data",
    [b"", b"LinuxGuestRecord", b"LinuxGuestRecord\0\0\0\1(", image("[]", 1), image("{}", 1),
     image("x = f()", 0), image("memory=1", 0), image(DRY, 1)[:200]],
)  # fmt: skip
def test_an_image_that_does_not_tell(data):
    assert parse_image(data) is None


@given(st.binary(max_size=200) | st.binary(max_size=99).map(lambda tail: image("", 1)[:48] + tail))
def test_any_bytes_are_an_image_or_none(data):
    parse_image(data)
    parse_image(b"LinuxGuestRecord" + data)

"""What a domU's settings mean, and which keys look like slips of the finger."""

from __future__ import annotations

import pytest

from hxm.domu.config_file import parse_xmfile
from hxm.domu.setting_names import XL, XM
from hxm.domu.settings import cannot_boot, domain_uuid, is_pv, preserved, slips

SLIPS = {
    "memroy": "memory",
    "vcpu": "vcpus",
    "maxcpus": "maxvcpus",
    "on_cras": "on_crash",
    "vifs": "vif",
}


def test_what_xl_and_xm_know_is_no_slip():
    known = {*XL.split(), *XM.split()}
    assert len(known) > 200
    assert slips(dict.fromkeys(known, "")) == []
    newer = [
        "hdtype",
        "device_model_args",
        "usbdev",
        "max_event_channels",
        "bootloader_user",
        "smbios",
    ]
    olds = [
        "cpu",
        "nics",
        "vusb",
        "vif2",
        "display",
        "device_model_user",
        "xen_platform_pci_bar_uc",
    ]
    assert slips(dict.fromkeys([*newer, *olds], "")) == []


@pytest.mark.parametrize("key", SLIPS)
def test_a_slip_of_the_finger_is_one(key):
    assert slips({key: 1}) == [f"{key} is no setting: is {SLIPS[key]} meant?"]


def test_of_a_setting_of_ones_own_nothing_is_said():
    assert slips({"owner": "web team", "_note": "", "x": 1}) == []


def test_a_uuid_without_dashes_is_the_same():
    dashed = "01234567-89ab-cdef-0123-456789abcdef"
    for spelling in (dashed, dashed.upper(), dashed.replace("-", "")):
        assert domain_uuid({"uuid": spelling}) == dashed
    assert domain_uuid({}) is None


TYPES = {
    "": True,
    'type="pv"': True,
    'type="pvh"': False,
    'type="hvm"': False,
    'builder="hvm"': False,
    'builder="generic"': True,
    'builder="linux"': True,
    'type="pvh"\nbuilder="generic"': False,
    "pvh=1": False,
    "pvh=0": True,
}


@pytest.mark.parametrize("text", TYPES)
def test_whether_it_is_paravirtual(text):
    assert is_pv(parse_xmfile(text)) == TYPES[text]


def test_what_keeps_a_domu_after_its_end():
    text = 'on_poweroff="destroy"\non_crash="preserve"\non_reboot="restart"\non_watchdog="preserve"'
    assert preserved(parse_xmfile(text)) == ("on_crash", "on_watchdog")
    assert preserved({"on_crash": "coredump-destroy"}) == preserved({}) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("kernel = '/boot/x'", False),
        ("bootloader = 'pygrub'", False),
        ("type = 'pvh'", True),
        ("pvh = 1", True),
        ("type = 'pvh'\nkernel = 'x'", False),
        ("type = 'hvm'", False),
        ("builder = 'hvm'", False),
    ],
)
def test_what_needs_a_kernel_and_names_none(text, expected):
    assert cannot_boot(parse_xmfile(text + "\n", "web")) is expected

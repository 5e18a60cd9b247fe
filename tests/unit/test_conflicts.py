"""What two domUs must not have in common, and which paths are one device."""

from __future__ import annotations

import os
import stat
from itertools import combinations

import pytest

from hxm.cluster.claims import claim, of_managed, of_xml
from hxm.domu.block_devices import place
from hxm.domu.config_file import parse_xmfile
from hxm.errors import Refused
from hxm.model import Domain
from hxm.policy.guards import conflicts
from hxm.policy.guards.conflicts import Claim, DiskClaim, among, between, judge_new

NFS = """
name="nfs"
uuid="01234567-89AB-CDEF-0123-456789ABCDEF"
disk=["phy:/dev/vg/nfs,xvda,w"]
vif=["mac=00:16:3e:00:00:01"]
"""

# the configuration of another domU: what it has in common with nfs
OTHERS = {
    'disk=["phy:/dev/vg/nfs,xvdb,w"]': ["disk-shared"],
    'disk=["phy:/dev/vg/nfs,xvdb,r"]': ["disk-shared"],
    'disk=["phy:/dev/vg/nfs,xvdb,w!"]': ["disk-shared"],
    'disk=["phy:vg/nfs,xvdb,w"]': ["disk-shared"],
    'disk=["format=raw,vdev=xvda,target=/dev/mapper/vg-nfs"]': ["disk-shared"],
    'disk=["/dev/vg/../vg/nfs,raw,xvda"]': ["disk-shared"],
    'disk=["phy:/dev/vg/other,xvda,w"]': [],
    'disk=["script=block-x,vdev=xvda,target=/dev/vg/nfs"]': ["disk-shared"],
    'disk=["script=block,vdev=xvda,target=/dev/vg/nfs"]': ["disk-shared"],
    'disk=["script=/etc/xen/scripts/block,vdev=xvda,target=vg/nfs"]': ["disk-shared"],
    'disk=["script=block-tap,vdev=xvda,target=aio:/dev/vg/nfs"]': ["disk-shared"],
    'disk=["script=block-tap,vdev=xvda,target=vhd:/srv/a.img"]': [],
    'disk=["format=raw, vdev=xvda, access=rw, target=/dev/vg/nfs,"]': ["disk-shared"],
    'disk=["/dev/vg/other,raw,xvda,active-disk=/dev/vg/nfs"]': ["disk-shared"],
    'disk=["/dev/vg/other,raw,xvda,hidden-disk=vg/nfs"]': ["disk-shared"],
    'vscsi=["/dev/vg/nfs, 0:0:0:0"]': ["disk-shared"],
    'vscsi=["vg/nfs, 0:0:0:0, 2"]': ["disk-shared"],
    'vscsi=["0:0:0:0, 0:0:0:0"]': [],
    'device_model_args=["-drive", "file=/dev/vg/nfs,if=ide"]': ["disk-shared"],
    'device_model_args=["-drive", "file=/dev/vg/nfs,if=ide,readonly=on"]': ["disk-shared"],
    'device_model_args_hvm=["-hdb", "/dev/vg/nfs"]': ["disk-shared"],
    'device_model_args_pv=["--cdrom", "host_device:/dev/vg/nfs"]': ["disk-shared"],
    'device_model_args=["-blockdev", "driver=raw,file.filename=/dev/vg/nfs"]': ["disk-shared"],
    'device_model_args=["-blockdev", "{\\"file\\": {\\"filename\\": \\"/dev/vg/nfs\\"}}"]': [
        "disk-shared"
    ],
    'device_model_args=["-drive", "file=/dev/vg/other", "-name", "file=/dev/vg/nfs"]': [],
    'disk=[",,hdc,cdrom"]': [],
    'uuid="0123456789ABCDEF0123456789abcdef"': ["uuid-shared"],
    'uuid="01234567-89ab-cdef-0123-456789abcdef"': ["uuid-shared"],
    'uuid="a-1"': [],
    'vif=["bridge=b,mac=00:16:3E:00:00:01", ""]': ["mac-shared"],
    "memory=1": [],
}


@pytest.mark.parametrize("text", OTHERS)
def test_what_two_domus_have_in_common(text):
    nfs = claim("nfs", parse_xmfile(NFS), "nfs")
    other = claim("other", parse_xmfile(text))
    assert [each.kind for each in among([nfs, other])] == OTHERS[text]


# two specifications that are one disk, or not
ALIKE = {
    ("drbd:nfs,xvda,w", "phy:/dev/drbd/by-res/nfs/0,xvda,w"): True,
    ("drbd:nfs,xvda,w", "phy:/dev/drbd/by-res/nfs,xvda,w"): True,
    ("drbd:nfs/0,xvda,w", "drbd:nfs,xvda,w"): True,
    ("drbd:nfs/1,xvda,w", "drbd:nfs,xvda,w"): False,
    ("drbd:nfs,xvda,w", "script=block-drbd,vdev=xvda,target=nfs"): True,
    ("drbd:nfs,xvda,w", "phy:/dev/drbd/by-res/sles/0,xvda,w"): False,
    ("drbd:nfs,xvda,w", "phy:nfs,xvda,w"): False,
    ("iscsi:iqn.x:a,xvda,w", "script=/etc/xen/scripts/block-iscsi,vdev=xvda,target=iqn.x:a"): True,
    ("script=block-iscsi,vdev=xvda,target=a", "script=block-nbd,vdev=xvda,target=a"): False,
    ("script=/opt/block-x,vdev=xvda,target=a", "script=block-x,vdev=xvda,target=a"): False,
    ("phy:/dev/vg/x,xvda,r", "access=ro,phy:/dev/vg/x,xvda,w"): True,
    ("phy:/dev/vg/x,xvda,r", "access=rw,phy:/dev/vg/x,xvda,r"): False,
    ("phy:/dev/vg/x,xvda,r", "cdrom,vdev=xvda,devtype=disk,target=/dev/vg/x"): True,
    ("phy:/dev/vg/x,xvda,r", "/dev/vg/x,,xvda,colo,colo-host=h,colo-port=9,colo-export=e"): True,
    ("phy:/dev/vg/x,xvda,r", "/dev/vg/x,,xvda,untrusted,grant_usage=1"): True,
    ("phy:/dev/vg/x,xvda,w", ",hdc:cdrom,r"): False,
}


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_which_disks_are_one(one, other):
    both = [claim(name, {"disk": [spec]}) for name, spec in (("a", one), ("b", other))]
    assert not any(found.fault for found in both)
    assert len(list(among(both))) == ALIKE[one, other]


def modes(one, other):
    both = [claim(f"vm{n}", {"disk": [f"phy:/dev/x,xvda,{m}"]}) for n, m in enumerate((one, other))]
    return bool(list(among(both)))


def test_who_writes_must_say_that_he_shares():
    assert [modes("r", "r"), modes("w!", "w!"), modes("w!", "r")] == [False] * 3
    assert [modes("w", "r"), modes("r", "w"), modes("w", "w!"), modes("w", "w")] == [True] * 4


def test_a_disk_or_a_uuid_refuses_and_the_rest_warns():
    nfs = claim("nfs", parse_xmfile(NFS), "res_nfs")
    with pytest.raises(Refused, match=r"new and nfs \(resource res_nfs\) share /dev/vg/nfs"):
        judge_new(claim("new", parse_xmfile(NFS)), [nfs])
    with pytest.raises(Refused, match="have one uuid"):
        judge_new(claim("new", {"uuid": nfs.uuid}), [nfs])
    mac = claim("new", {"vif": ["mac=00:16:3e:00:00:01"]})
    assert "one MAC address" in judge_new(mac, [nfs])[0]
    assert judge_new(claim("nfs", parse_xmfile(NFS)), [claim("nfs", parse_xmfile(NFS))]) == []
    assert judge_new(claim("new", {}), [Claim("host2", fault="the domUs of host2 are unknown: x")])
    odd = claim("odd", {"disk": ["nonsense"]}, "odd")
    assert "a disk of odd cannot be understood" in judge_new(mac, [odd])[0]


def test_a_shared_disk_is_meant_if_both_say_so():
    nfs = claim("nfs", parse_xmfile(NFS), "nfs")
    new = claim("new", parse_xmfile(NFS))._replace(uuid=None)
    for ignored in ([], ["disk-shared:nfs"], ["disk-shared:new"], ["mac-shared"]):
        with pytest.raises(Refused):
            judge_new(new, [nfs], ignored)
    for ignored in (["disk-shared"], ["disk-shared:nfs", "disk-shared:new"]):
        assert len(judge_new(new, [nfs], ignored)) == 1


def test_one_domu_does_not_clash_with_itself_but_with_its_like_on_another_node():
    new = claim("new", parse_xmfile(NFS))
    assert list(among([claim("nfs", parse_xmfile(NFS), "r"), new._replace(resource="r")])) == []
    assert judge_new(new, [new]) == []
    with pytest.raises(Refused, match=r"new and new \(on host2\) share"):
        judge_new(new, [new._replace(node="host2")])
    bare = claim("new", {})
    assert "host2 runs a domU new" in judge_new(bare, [bare._replace(node="host2")])[0]


def test_every_path_to_a_file_is_one(tmp_path):
    image = tmp_path / "image"
    image.touch()
    (tmp_path / "link").symlink_to("image")
    (tmp_path / "link2").symlink_to(tmp_path / "link")
    os.link(image, tmp_path / "hard")
    (tmp_path / "folder").symlink_to(".")
    paths = [image, tmp_path / "link2", tmp_path / "hard", tmp_path / "folder" / "link"]
    assert len({place(str(path)).key for path in paths}) == 1
    (tmp_path / "copy").write_bytes(image.read_bytes())
    assert place(str(tmp_path / "copy")).key != place(str(image)).key


def test_a_device_is_its_numbers(monkeypatch):
    """/dev/vg/nfs, a by-id link and a node of its own: stat(2) follows, and gives one number."""

    class Block:
        st_mode, st_rdev = stat.S_IFBLK | 0o660, os.makedev(253, 7)

    monkeypatch.setattr(os, "stat", lambda path: Block)
    for path in ("/dev/vg/nfs", "/dev/mapper/vg-nfs", "/dev/disk/by-id/dm-name-vg-nfs"):
        assert place(path).key == "device 253:7"


def test_real_device_nodes(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    try:
        for path in (one, other):
            os.mknod(path, stat.S_IFBLK | 0o600, os.makedev(7, 200))
    except PermissionError:
        pytest.skip("device nodes take root")
    (tmp_path / "by-id").symlink_to(one)
    assert {place(str(p)).key for p in (one, other, tmp_path / "by-id")} == {"device 7:200"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("/dev/vg/nfs", "/dev/mapper/vg-nfs", True),
        ("/dev/my-vg/a-b", "/dev/mapper/my--vg-a--b", True),
        ("/dev/vg//nfs", "/dev/./vg/nfs", True),
        ("/dev/vg/nfs", "/dev/mapper/vg-sles", False),
        ("/dev/disk/by-id/x", "/dev/mapper/disk-by", False),
        ("/nowhere/a", "/nowhere/b/../a", True),
        ("a\0b", "a\0b", True),
    ],
)
def test_of_what_is_not_here_the_path_counts(one, other, same):
    assert (place(one).key == place(other).key) == same


def test_a_description_of_libvirts(tmp_path):
    file = tmp_path / "nfs.xml"
    file.write_text(
        "<domain type='xen'><name>nfs</name><uuid>01234567-89ab-CDEF-0123-456789abcdef</uuid>"
        "<devices>"
        "<disk device='disk'><source dev='/dev/vg/nfs'/></disk>"
        "<disk device='cdrom'><source file='/srv/a.iso'/></disk>"
        "<interface><mac address='00:16:3E:00:00:01'/></interface></devices></domain>"
    )
    found = of_managed(Domain("nfs", "nfs", str(file)))
    wanted = claim("nfs", parse_xmfile(NFS), "nfs")
    assert (found.uuid, found.macs, found.disks[0]) == (wanted.uuid, wanted.macs, wanted.disks[0])
    assert [each.writes for each in found.disks] == [True, False]
    file.write_text("<domain>")
    assert "unknown" in of_managed(Domain("nfs", "nfs", str(file))).fault
    assert "No such file" in of_managed(Domain("nfs", "nfs", str(tmp_path / "x"))).fault


SECRETIVE = {
    "a Ceph image": ("rbd:pool/img:id=a:key=HUSH,xvda,w", "pool/img"),
    "a Ceph image by keys": (
        "vdev=xvda,format=raw,script=block-rbd,target=pool/img:id=a:key=HUSH",
        "",
    ),
    "without a script": ("vdev=xvda,backendtype=qdisk,target=rbd:pool/img:id=a:key=HUSH", ""),
    "a URL": (
        "vdev=xvda,script=x,target=nbd://user:HUSH@host/export?key=HUSH",
        "nbd://host/export",
    ),
    "iSCSI": (
        "script=block-iscsi,vdev=xvda,target=iqn=iqn.2001-05.a:b,user=u,password=HUSH",
        "iqn=",
    ),
    "iSCSI turned": ("script=block-iscsi,vdev=xvda,target=password=HUSH,iqn=x", "(not shown)"),
    "a path": (
        "phy:/dev/disk/by-path/ip-10.0.0.1:3260-iscsi-iqn=a,xvda,w",
        "ip-10.0.0.1:3260-iscsi",
    ),
}


@pytest.mark.parametrize(("spec", "shown"), SECRETIVE.values(), ids=SECRETIVE)
def test_a_disk_is_named_without_its_key(spec, shown):
    both = [claim(name, {"disk": [spec]}) for name in ("a", "b")]
    (clash,) = among(both)
    assert shown in clash.what
    assert "HUSH" not in clash.what


@pytest.mark.parametrize(
    "spec", ["rbd:pool/img:key=HUSH,xvda,w,x,y,z", "pool/img:key=HUSH", "nonsense,key=HUSH,a,b"]
)
def test_nor_is_a_key_named_in_what_is_wrong_with_it(spec):
    fault = claim("a", {"disk": [spec]}).fault
    assert fault
    assert "HUSH" not in fault


SOURCES = {
    "a volume in a pool": "<source pool='p' volume='v'/>",
    "on the network": "<source protocol='rbd' name='p/image'><host name='mon'/></source>",
    "anything else": "<source type='pci' namespace='1'/>",
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_what_libvirt_calls_a_disk_is_one(source):
    disk = f"<disk>{source}<target dev='xvda'/></disk>"
    text = f"<domain><name>a</name><devices>{disk}</devices></domain>".encode()
    assert len(list(among([of_xml(text, "a", "a", "a"), of_xml(text, "b", "b", "b")]))) == 1
    empty = text.replace(source.encode(), b"<source startupPolicy='optional'/>")
    assert of_xml(empty, "a", "a").disks == ()


def test_a_scsi_device_that_libvirt_hands_on_is_a_disk():
    address = "<address bus='0' target='1' unit='0'/>"
    device = (
        f"<hostdev type='scsi'><source><adapter name='scsi_host2'/>{address}</source></hostdev>"
    )
    text = f"<domain><devices>{device}</devices></domain>".encode()
    other = claim("b", {"vscsi": ["2:0:1:0, 0:0:0:0"]}, "b")
    assert len(list(among([of_xml(text, "a", "a", "a"), other]))) == 1


def test_a_uuid_without_dashes_is_the_same_for_libvirt():
    plain = b"<domain><uuid>0123456789ABCDEF0123456789abcdef</uuid></domain>"
    assert of_xml(plain, "a", "a").uuid == "01234567-89ab-cdef-0123-456789abcdef"


def test_what_thousands_have_in_common_is_found_without_comparing_all(monkeypatch):
    compared = []
    usual = conflicts.between

    def between(*both):
        compared.append(both)
        return usual(*both)

    monkeypatch.setattr(conflicts, "between", between)
    claims = [Claim(f"vm{number}", uuid=str(number % 2000)) for number in range(3000)]
    assert len([*among(claims)]) == 1000
    assert len(compared) == 1000
    assert len([*among([Claim(f"vm{number}", uuid="1") for number in range(500)])]) < 50_000


def test_pairs_leave_nothing_out():
    """Held against the comparison of every two."""
    disks = [
        (DiskClaim("a", "a", writes=True),),
        (DiskClaim("b", "b", writes=True, below=frozenset({"a"})),),
        (DiskClaim("c", "c", writes=True, below=frozenset({"d", "b"})),),
        (),
    ]
    claims = [
        Claim(name, resource, uuid, macs, held, path=path, kind=kind)
        for name, resource in (("x", "x"), ("x", "y"), ("z", None))
        for uuid in (None, "1")
        for macs in ((), ("m",))
        for held in disks
        for path, kind in (("", ""), ("/f", conflicts.FILE))
    ]
    every = [clash for both in combinations(claims, 2) for clash in between(*both)]
    assert [*among(claims)] == every

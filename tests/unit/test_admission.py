"""What the guard makes of a raw command line, with the other nodes' toolstacks asked."""

from __future__ import annotations

import os
import struct

import pytest
from factories import cluster, domain, local, node

from hxm.config import Config
from hxm.errors import CannotAsk, NoQuorum, Refused
from hxm.guard import admission, create_line
from hxm.host import programs
from hxm.orders import passthrough

CONFIG = Config(toolstack="xl")
NODES = (node("host1"), node("host2"), node("host3", online=False))
TABLE = "Name                ID   Mem VCPUs      State   Time(s)\nDomain-0  0 768 1 r----- 263.4\n"


@pytest.fixture
def host(tmp_path, monkeypatch):
    """Judges a line typed on host1, where nfs and a thief of its disk have their files."""
    (tmp_path / "nfs.xm").write_text('name="nfs"\ndisk=["phy:/dev/vg/nfs,xvda,w"]\n')
    (tmp_path / "steal.cfg").write_text('name="thief"\ndisk=["phy:/dev/vg/nfs,xvda,w"]\n')
    (tmp_path / "fresh.cfg").write_text('name="fresh"\n')
    disk = "<disk><source startupPolicy='optional' dev='/dev/vg/nfs'/><target dev='xvda'/></disk>"
    for name in ("nfs", "thief"):
        xml = f"<domain type='xen'><name>{name}</name><devices>{disk}</devices></domain>"
        (tmp_path / f"{name}.xml").write_text(xml)
        if name == "thief":
            head = struct.pack("=16s2I40x", b"libvirt-xml\n \0 \r", 2, len(xml) + 1)
            (tmp_path / "saved").write_bytes(head + xml.encode() + b"\0" + bytes(range(256)))
    xml = "<domain type='xen'><!-- copy of <name>template</name> --><name>nfs</name></domain>"
    (tmp_path / "commented.xml").write_text(xml)
    (tmp_path / "disk.xml").write_text(disk)
    (tmp_path / "spare.xml").write_text(disk.replace("nfs", "spare"))
    (tmp_path / "xmdefconfig").write_text('name="nfs"\n')
    monkeypatch.chdir(tmp_path)
    for name in ("VIRSH_DEFAULT_CONNECT_URI", "LIBVIRT_DEFAULT_URI"):
        monkeypatch.delenv(name, raising=False)
    return Host(tmp_path, monkeypatch)


class Host:
    def __init__(self, folder, monkeypatch) -> None:
        self.answers = {"host1": "", "host2": "", "host3": ""}
        self.nfs = domain("nfs", xmfile=str(folder / "nfs.xm"))
        self.nodes = NODES
        self.known = {"local_node": "host1", "toolstack": "xl"}
        monkeypatch.setattr(programs, "output", self.output)
        monkeypatch.setattr(programs, "ahead", lambda argv: None)
        monkeypatch.setattr(programs, "find", lambda program: program)
        monkeypatch.setattr(passthrough, "require_this_host", lambda: None)
        monkeypatch.setattr(admission, "read_cluster", lambda config: self.seen())

    def seen(self):
        return cluster(*self.nodes, self.nfs, local("thief"), local("other", 8), **self.known)

    def output(self, argv, stdin=None, timeout=None, **_):
        if argv[0] == "virsh":
            return programs.Result(tuple(argv), 1, b"", "")
        told = self.answers[argv[-2] if argv[0] == "ssh" else "host1"]
        if isinstance(told, Exception):
            raise told
        if argv[0] != "ssh":
            return programs.Result(tuple(argv), 0, b"[]" if "-l" in argv else TABLE.encode(), "")
        long = "[]\nhxm:devices\n" if " -l" in argv[-1] else TABLE + told
        return programs.Result(tuple(argv), 0, long.encode(), "")

    def judge(self, line: str | list[str]) -> str:
        """How the line ends: its warnings, or why it is not passed on."""
        program, *words = line.split() if isinstance(line, str) else line
        return admission.verdict(program, words, CONFIG)


STARTS = ("xl create nfs.xm", "xl create fresh.cfg name='nfs'", "xm create nfs.xm",
          "virsh create nfs.xml", "virsh start nfs", "xm start nfs", "xm resume nfs",
          "xl restore nfs.xm /tmp/image")  # fmt: skip
AWAY = {"maintenance": {"maintenance": True}, "unmanaged": {}}


@pytest.mark.parametrize("away", AWAY)
@pytest.mark.parametrize("line", STARTS)
def test_what_the_cluster_does_not_look_at_is_never_started_a_second_time(host, line, away):
    host.known |= AWAY[away]
    host.nfs = host.nfs._replace(managed=away == "maintenance")
    assert "the cluster does not look" in host.judge(line)
    for name in ("nfs", "nfs--incoming", "migrating-nfs"):
        host.answers["host2"] = f"{name}  3 512 1 -b---- 7.5\n"
        with pytest.raises(Refused, match="nfs runs on host2"):
            host.judge(line)
    host.answers = {"host2": "", "host3": CannotAsk("ssh gave no answer within 5 s")}
    with pytest.raises(CannotAsk, match="whether nfs runs on host3 is unknown"):
        host.judge(line)
    host.known |= {"dc": None}
    with pytest.raises(CannotAsk, match="may be old"):
        host.judge(line)
    host.known |= {"dc": "host1", "quorum": False}
    with pytest.raises(NoQuorum):
        host.judge(line)


def test_what_only_stops_or_looks_asks_no_other_node(host):
    host.known |= {"maintenance": True}
    host.answers = {"host2": CannotAsk("no answer"), "host3": CannotAsk("no answer")}
    for line in ("xl destroy nfs", "xl shutdown nfs", "virsh destroy nfs", "xl pause nfs"):
        assert "the cluster does not look" in host.judge(line)


JSON_DRIVE = 'file=json:{"driver":"raw",,"file":{"filename":"/dev/vg/nfs"}}'
STEALS = (
    "xl create steal.cfg",
    "xl block-attach thief format=raw vdev=xvdb access=rw target=/dev/vg/nfs,",
    "xl block-attach thief script=block vdev=xvdb target=/dev/vg/nfs",
    "xm scsi-attach thief /dev/vg/nfs 0:0:0:0",
    "xl migrate -C steal.cfg thief host2",
    "xl migrate -eCsteal.cfg thief host2",
    "xl config-update thief steal.cfg",
    "xl config-update thief fresh.cfg disk=['phy:/dev/vg/nfs,xvda,w']",
    "xm block-configure thief phy:/dev/vg/nfs xvda w",
    "xl create fresh.cfg usbdevice='disk:/dev/vg/nfs'",
    "xl create fresh.cfg usbdevice=['disk:format=raw:/dev/vg/nfs']",
    "xm create fresh.cfg fda='/dev/vg/nfs'",
    ["xl", "qemu-monitor-command", "thief", "drive_add 0 if=none,file=/dev/vg/nfs"],
    ["xl", "qemu-monitor-command", "thief", "change ide1-cd0 /dev/vg/nfs"],
    ["xl", "create", "fresh.cfg", f"device_model_args=['-drive', {JSON_DRIVE!r}]"],
    "virsh create thief.xml",
    "virsh restore saved",
    "virsh migrate --live thief xen+ssh://host2/ --xml thief.xml",
    "virsh attach-device thief disk.xml",
    "virsh update-device --live thief --file disk.xml",
    "virsh blockcopy thief xvda /dev/vg/nfs",
    "virsh blockcopy thief xvda --xml disk.xml",
    "virsh attach-disk --target xvdb thief /dev/vg/nfs",
    "virsh attach-disk thief vg/nfs xvdb",
    "virsh change-media thief fda /dev/vg/nfs",
)


@pytest.mark.parametrize("line", STEALS, ids=str)
@pytest.mark.parametrize("maintenance", [False, True])
def test_by_no_way_is_the_disk_of_a_managed_domu_given_to_another(host, line, maintenance):
    host.known |= {"maintenance": maintenance}
    with pytest.raises(Refused, match=r"(thief|fresh) and nfs share (/dev/)?vg/nfs"):
        host.judge(line)


@pytest.mark.parametrize("device", ["1:0:0:0", "sg7", "/dev/sg7", "36006016abc"])
def test_a_scsi_device_of_a_managed_domu_is_not_given_to_another(host, tmp_path, device):
    with (tmp_path / "nfs.xm").open("a") as file:
        file.write(f"vscsi=['{device}, 0:0:0:0']\n")
    with pytest.raises(Refused, match=f"thief and nfs share {device}"):
        host.judge(f"xm scsi-attach thief {device} 0:0:0:1")
    assert host.judge("xm scsi-attach thief 2:0:0:0 0:0:0:1") == ""


RELATIVE = (
    "xl create fresh.cfg disk=['images/nfs.img,raw,xvda,w']",
    "xl create fresh.cfg disk=['file:images/nfs.img,xvda,w']",
    "xl create fresh.cfg disk=['vdev=xvda,target=images/nfs.img']",
    "xl block-attach thief vdev=xvdb target=images/nfs.img",
)


@pytest.mark.parametrize("line", RELATIVE)
def test_a_file_is_looked_for_where_xl_looks(host, tmp_path, line):
    """libxl takes a path as it stands; only what is no file there is a device in /dev."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "nfs.img").touch()
    (tmp_path / "nfs.xm").write_text(f'name="nfs"\ndisk=["{tmp_path}/images/nfs.img,raw,xvda,w"]')
    with pytest.raises(Refused, match=r"and nfs share images/nfs\.img"):
        host.judge(line)


def test_disks_that_may_be_those_of_a_managed_domu_are_not_given_away(host, tmp_path):
    (tmp_path / "nfs.xm").write_text('import os\ndisk=["phy:/dev/vg/nfs,xvda,w"]\n')
    for line in ("xl create steal.cfg", "xl block-attach thief phy:/dev/vg/x,xvdb,w"):
        with pytest.raises(CannotAsk, match=r"the disks of nfs are unknown: .*nfs\.xm:1:1: "):
            host.judge(line)
    assert "the disks of nfs are unknown" in host.judge("xl create fresh.cfg")
    (tmp_path / "nfs.xm").unlink()  # where it may not run, its file need not be
    assert "the disks of nfs are unknown" in host.judge("xl create steal.cfg")


MAY_BE_ELSEWHERE = {
    "xl create own.cfg": True,
    "xl create bare.cfg": True,
    "xl create fresh.cfg": False,
    "xl block-attach thief phy:/dev/vg/x,xvdb,w": True,
    "xl config-update thief own.cfg": True,
    "xl network-attach thief bridge=br0": False,
}


SILENT = {
    "a member": ("host2", {}, True, "no answer"),
    "this host's own": ("host1", {}, True, "no answer"),
    "lost": ("host3", {"unclean": True}, True, "no answer"),
    "gone, without fencing": ("host3", {}, False, "no answer"),
    "gone, but up": ("host3", {}, True, "Permission denied"),
    "gone, but slow": ("host3", {}, True, ""),
    "gone": ("host3", {}, True, "no answer from its sshd"),
}
"""The host, its state, whether there is fencing, what ssh says: only the last may be down."""


@pytest.mark.parametrize("line", MAY_BE_ELSEWHERE)
@pytest.mark.parametrize("name", SILENT)
def test_where_a_host_is_silent_nothing_is_made_that_it_may_run_or_write_to(
    host, tmp_path, line, name
):
    (tmp_path / "own.cfg").write_text('name="own"\ndisk=["phy:/dev/vg/own,xvda,w"]\n')
    (tmp_path / "bare.cfg").write_text('name="bare"\nuuid="135631b2-d539-4d73-bc0a-16ef7192fe00"\n')
    assert host.judge(line) == ""
    silent, state, host.known["fencing"], fault = SILENT[name]
    host.nodes = [one._replace(**state) if one.name == silent else one for one in NODES]
    host.answers[silent] = CannotAsk(fault) if fault else programs.NoAnswer("within 3 s")
    if name == "gone" or not MAY_BE_ELSEWHERE[line]:
        assert ("are unknown" in host.judge(line)) == ("br0" not in line)
    else:
        with pytest.raises(CannotAsk, match=r"are unknown: .*; one of them may be") as refused:
            host.judge(line)
        assert "hxm guard bypass" in refused.value.hint


NAMES = (
    "xl migrate -C nfs.xm thief host2",
    "xl config-update thief nfs.xm",
    "virsh create commented.xml",
    "virsh -c remote+unix:///system start nfs",
    "virsh start nfs --help",
    "virsh save nfs --file --help",
    "virsh create nfs.xml",
    "xm create",
    "xm new nfs.xm",
    "xm new -f nfs.xm",
)


@pytest.mark.parametrize("line", NAMES)
def test_by_no_way_is_a_second_domu_of_a_managed_name_made(host, line):
    with pytest.raises(Refused, match="the cluster manages nfs"):
        host.judge(line)


FEEDS_ITSELF = (
    "xl migrate thief host2",
    "xl migrate --live -C fresh.cfg thief host2",
    "xl config-update thief fresh.cfg",
    "virsh attach-disk thief /dev/vg/spare xvdb",
    "virsh attach-device thief spare.xml",
    "virsh blockcopy thief xvda /dev/vg/spare",
    "xm create -n nfs.xm",
    "xm create -q --paused fresh.cfg",
    "xl create",
    "xl -vN create nfs.xm",
)


@pytest.mark.parametrize("line", FEEDS_ITSELF)
def test_what_harms_nobody_passes(host, line):
    assert host.judge(line) == ""


HIDDEN = (
    *("-Fnfs.sxp", "-F nfs.sxp", "-nF nfs.sxp", "-F -n", "-Lnfs.img", "--config=nfs.sxp"),
    *("--load nfs.img", "--path=/tmp harmless", "--pat /tmp harmless", "-cL nfs.img"),
)


@pytest.mark.parametrize("words", HIDDEN)
@pytest.mark.parametrize("verb", ["create", "new"])
def test_what_xm_is_told_in_a_way_that_is_not_read_here_never_passes(host, verb, words):
    with pytest.raises(Refused, match=f"whom {verb} means by this cannot be told"):
        host.judge(f"xm {verb} {words}")


def test_xm_looks_in_its_own_folder_as_well(host, tmp_path, monkeypatch):
    (tmp_path / "etc").mkdir()
    (tmp_path / "nfs.xm").rename(tmp_path / "etc" / "web")
    monkeypatch.setattr(create_line, "candidate_files", lambda word: (word, f"etc/{word}"))
    for verb in ("create", "new"):
        with pytest.raises(Refused, match="the cluster manages nfs"):
            host.judge(f"xm {verb} web")


def test_a_disk_that_cannot_be_understood_is_not_given(host, tmp_path):
    (tmp_path / "odd.cfg").write_text('name="odd"\ndisk=["nonsense"]\n')
    (tmp_path / "odd.xml").write_text("<domain><name>odd</name>")
    for line in ("xl create odd.cfg", "xl block-attach thief nonsense", "virsh create odd.xml"):
        with pytest.raises(Refused, match=r"cannot be understood|are unknown"):
            host.judge(line)


@pytest.mark.parametrize(
    "line",
    [
        "virsh attach-device thief {}",
        "virsh blockcopy thief xvda --xml={}",
        "xl migrate -C{} thief host2",
        "xl config-update thief {}",
    ],
)
def test_what_can_be_read_only_once_is_not_handed_on_unread(host, tmp_path, line):
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/null", "pipe"):
        with pytest.raises(Refused, match=f"what {path} says cannot be read twice"):
            host.judge(line.format(path))

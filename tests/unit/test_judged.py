"""What the guard makes of a raw command line, with the other nodes' toolstacks asked."""

from __future__ import annotations

import pytest
from factories import cluster, domain, local, node

from hxm import run
from hxm.commands import _judge
from hxm.config import Config
from hxm.errors import CannotAsk, NoQuorum, Refused

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
    (tmp_path / "disk.xml").write_text(disk)
    monkeypatch.chdir(tmp_path)
    for name in ("VIRSH_DEFAULT_CONNECT_URI", "LIBVIRT_DEFAULT_URI"):
        monkeypatch.delenv(name, raising=False)
    return Host(tmp_path, monkeypatch)


class Host:
    def __init__(self, folder, monkeypatch) -> None:
        self.answers = {"host2": "", "host3": ""}
        self.nfs = domain("nfs", xmfile=str(folder / "nfs.xm"))
        self.known = {"local_node": "host1", "toolstack": "xl"}
        monkeypatch.setattr(run, "output", self.output)
        monkeypatch.setattr(run, "ahead", lambda argv: None)
        monkeypatch.setattr(run, "find", lambda program: program)
        monkeypatch.setattr(_judge.change, "only_this_hosts", lambda config: None)
        monkeypatch.setattr(_judge, "read_cluster", lambda config: self.seen())

    def seen(self):
        return cluster(*NODES, self.nfs, local("thief"), local("other", 8), **self.known)

    def output(self, argv, stdin=None, timeout=None, **_):
        if argv[0] == "virsh":
            return run.Result(tuple(argv), 1, b"", "")
        if argv[0] != "ssh":
            return run.Result(tuple(argv), 0, b"[]" if "-l" in argv else TABLE.encode(), "")
        told = self.answers[argv[-2]]
        if isinstance(told, Exception):
            raise told
        long = "[]\nhxm:devices\n" if " -l" in argv[-1] else TABLE + told
        return run.Result(tuple(argv), 0, long.encode(), "")

    def judge(self, line: str | list[str]) -> str:
        """How the line ends: its warnings, or why it is not passed on."""
        program, *words = line.split() if isinstance(line, str) else line
        return _judge.verdict(program, words, CONFIG)


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


@pytest.mark.parametrize("line", ["xl create steal.cfg", "virsh create thief.xml"])
def test_what_the_cluster_does_not_look_at_keeps_its_disk(host, line):
    host.known |= {"maintenance": True}
    with pytest.raises(Refused, match="thief and nfs share"):
        host.judge(line)

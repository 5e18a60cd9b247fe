"""The last look of the guard: what an agent's create asks the other nodes, and what comes of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

UUID = "135631b2-d539-4d73-bc0a-16ef7192fe00"
OTHER_UUID = "235631b2-d539-4d73-bc0a-16ef7192fe00"
NODES = '<node id="1" uname="host1"/>\n<node id="2" uname="host2"/>\n<node uname="host3" id="3"/>'
SSH = r"""
while [ "$1" != -- ]; do shift; done
echo "$2" >>"$ASKED"
case $(cat "$ANSWERS/$2.fault" 2>/dev/null) in
hang) trap '' TERM; while :; do sleep 1; done ;;
slow) sleep 1.5 ;;
?*) cat "$ANSWERS/$2.fault" >&2; exit 255 ;;
esac
printf 'Name                            ID   Mem VCPUs\tState\tTime(s)   UUID\n'
cat "$ANSWERS/$2" 2>/dev/null
[ -e "$ANSWERS/$2.torn" ] || echo 'hxm: the end'
"""
XL = r"""
[ "$1" = list ] || { for word; do printf '[%s]' "$word"; done; echo; exit 42; }
printf 'Name                                        ID   Mem VCPUs\tState\tTime(s)\n'
cat "$ANSWERS/host1" 2>/dev/null || :
"""


class Nodes:
    """Three nodes, whose toolstacks answer what is laid down for them; this one is host1."""

    def __init__(self, host) -> None:
        self.host, self.xen = host, host.xen
        self.answers = self.xen.folder / "answers"
        self.answers.mkdir()
        self.asked = self.xen.folder / "asked"
        self.xen.env |= {"ANSWERS": str(self.answers), "ASKED": str(self.asked)}
        self.xen.program("ssh", SSH)
        self.xen.program("xl", XL)
        self.xen.program("cibadmin", f"[ -z \"$CIB_file\" ] || exit 9\necho '{NODES}'")
        self.xen.program("logger", 'shift 4; shift; echo "$*" >>"$ANSWERS/log"')
        self.xen.program("uname", "echo host1.example.org")
        (self.xen.folder / "nfs").write_text(f"name = 'nfs'\nuuid = \"{UUID}\"\nmemory = 64\n")
        (self.xen.folder / "nfs.xml").write_text(
            f"<domain type='xen'>\n<name>nfs</name><uuid>{UUID}</uuid></domain>"
        )

    def runs(self, node: str, *rows: str) -> None:
        """Lay down rows of `NAME STATE [UUID]`."""
        text = ""
        for number, row in enumerate(rows, 3):
            name, state, uuid = (
                [*row.rsplit(None, 1), OTHER_UUID][:3]
                if row.count(" ") == 1
                else (row.rsplit(None, 2))
            )
            text += f"{name:40} {number:5} 512 1     {state}  7.5 {uuid}  -  -\n"
        (self.answers / node).write_text(text)

    def fails(self, node: str, how: str) -> None:
        (self.answers / f"{node}.fault").write_text(how)

    def create(self, *words: str, program: str = "xl", **env: str):
        words = words or ("create", str(self.xen.folder / "nfs"), 'name="nfs"')
        return self.host.run_by_agent(program, *words, **env)

    def log(self) -> str:
        path = self.answers / "log"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def nodes(host):
    found = Nodes(host)
    host.xen.ok("guard", "install")
    return found


COUNTS = {
    "running": "nfs r-----",
    "blocked": "nfs -b----",
    "between two": "nfs ------",
    "paused": "nfs --p---",
    "arriving": "nfs--incoming --p---",
    "suspended, to be resumed or copied": "nfs ---ss-",
    "leaving, as xend calls it": "migrating-nfs -b----",
    "under another name": f"renamed -b---- {UUID}",
}


@pytest.mark.parametrize("row", COUNTS.values(), ids=COUNTS)
def test_nothing_is_created_that_another_node_runs(nodes, row):
    nodes.runs("host3", "Domain-0 r-----", "nfs2 -b----", row)
    status, out, said = nodes.create()
    assert (status, out) == (107, ""), said
    name = row.split()[0]
    line = f"xl: nfs is not created here: it runs on host3 (as {name}), and two"
    assert line in said
    assert line in nodes.log()
    assert sorted(nodes.asked.read_text().split()) == ["host2", "host3"]


DOES_NOT_COUNT = {
    "copied away": f"nfs--migratedaway --pss- {UUID}",
    "copied away, and not yet paused": f"nfs--migratedaway ---ss- {UUID}",
    "shut down and kept": "nfs ---s--",
    "shut down for a reboot": "nfs ---sr-",
    "crashed and kept": "nfs ---sc-",
    "crashed, as xm says it": "nfs ----c-",
    "dying": "nfs --ps-d",
    "another of a longer name": "nfs2 -b----",
    "another of two words": "nfs two -b----",
    "another with its name behind": "my nfs -b----",
}


@pytest.mark.parametrize("row", DOES_NOT_COUNT.values(), ids=DOES_NOT_COUNT)
def test_what_does_not_run_hinders_nothing(nodes, row):
    if row.count(" ") == 2 and "--" not in row.split()[0]:
        row += f" {OTHER_UUID}"
    nodes.runs("host2", row)
    assert nodes.create()[:2] == (42, f'[create][{nodes.xen.folder}/nfs][name="nfs"]\n')
    assert nodes.log() == ""


def test_what_arrives_here_is_not_created_and_what_runs_here_is_left_to_xl(nodes):
    nodes.runs("host1", "nfs -b----")
    status, _, said = nodes.create()
    assert status == 42, said
    nodes.runs("host1", "nfs--incoming --p---")
    status, _, said = nodes.create()
    assert (status, "it runs on host1 (as nfs--incoming)" in said) == (107, True), said


AGENT = Path("/usr/lib/ocf/resource.d/heartbeat/VirtualDomain")
AGENTS = ("--connect=xen:///system", "--quiet")
"""What the agent of libvirt's domUs puts before each command of virsh's."""
LINES = {
    "the name in the file": ("xl", "create", "FILE"),
    "and a name that counts more": ("xl", "create", "OTHER", "name='nfs'"),
    "options and the file": ("xl", "-v", "create", "-q", "FILE"),
    "a file behind -f": ("xl", "create", "-f", "FILE"),
    "the beginning of the command": ("xl", "crea", "FILE"),
    "a restore with its file": ("xl", "restore", "FILE", "/tmp/image"),
    "a restore of an image": ("xl", "restore", "/var/lib/nfs.save"),
    "a file in one word with -f": ("xl", "create", "-fFILE"),
    "libvirt": ("virsh", "create", "FILE.xml"),
    "libvirt's image": ("virsh", "restore", "/var/lib/nfs.state"),
    "as VirtualDomain creates": ("virsh", *AGENTS, "create", "FILE.xml"),
    "as VirtualDomain starts": ("virsh", *AGENTS, "start", "nfs"),
    "a connection in two words": ("virsh", "-c", "xen:///", "-q", "start", "nfs"),
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_every_start_of_an_agent_is_looked_at(nodes, line):
    (nodes.xen.folder / "other").write_text('name = "other"\n')
    words = list(line[1:])
    for name, file in {"FILE.xml": "nfs.xml", "FILE": "nfs", "OTHER": "other"}.items():
        words = [word.replace(name, str(nodes.xen.folder / file)) for word in words]
    assert nodes.create(*words, program=line[0])[0] in (42, 43)
    nodes.runs("host2", "nfs -b----")
    status, out, said = nodes.create(*words, program=line[0])
    assert (status, out, "nfs is not created here" in said) == (107, "", True), said


@pytest.mark.parametrize(
    "line", ["migrate-receive", "list nfs", "shutdown nfs", "destroy nfs", "migrate nfs host2",
             "unpause nfs", "console nfs", "mem-set nfs 64"]
)  # fmt: skip
def test_nothing_else_asks_anybody(nodes, line):
    nodes.runs("host2", "nfs -b----")
    assert nodes.create(*line.split())[0] == (0 if line == "list nfs" else 42)
    assert not nodes.asked.exists()


UNANSWERED = {
    "ssh cannot get in": "ssh: connect to host host2 port 22: Connection refused",
    "ssh hangs, whatever it is told": "hang",
}


@pytest.mark.parametrize("how", UNANSWERED.values(), ids=UNANSWERED)
def test_a_node_that_gives_no_answer_hinders_nothing_and_is_named(nodes, how):
    nodes.fails("host2", how)
    started = time.monotonic()
    status, _, said = nodes.create()
    assert status == 42
    assert "whether it runs on host2 is unknown: no answer" in said
    assert "host2" in nodes.log()
    assert time.monotonic() - started < 15  # it would never end
    nodes.runs("host3", "nfs -b----")
    assert nodes.create()[0] == 107


def test_a_member_that_is_slow_is_given_more_time(nodes):
    Path(nodes.xen.env["HXM_CONFIG"]).write_text("last_look = 1\n")
    nodes.xen.ok("guard", "install")
    nodes.fails("host2", "slow")
    nodes.runs("host2", "nfs -b----")
    nodes.xen.program("crm_node", "[ $1 != -p ] || echo host1 host3")
    assert nodes.create()[0] == 42  # it has left: the cluster fences it
    nodes.xen.program("crm_node", "[ $1 != -p ] || echo host1 host2 host3")
    status, out, said = nodes.create()
    assert (status, out, "it runs on host2 (as nfs)" in said) == (107, "", True), said
    assert "unknown" not in said


def test_half_an_answer_is_none(nodes):
    (nodes.answers / "host2.torn").touch()
    status, _, said = nodes.create()
    assert (status, "whether it runs on host2 is unknown" in said) == (42, True)


def test_the_agents_line_is_that_of_the_agent():
    assert 'VIRSH_OPTIONS="--connect=${OCF_RESKEY_hypervisor} --quiet"' in AGENT.read_text()


def test_a_domu_of_another_hypervisor_is_not_looked_for(nodes):
    nodes.runs("host2", "nfs -b----")
    assert (
        nodes.create("--connect=qemu:///system", "--quiet", "start", "nfs", program="virsh")[0]
        == 43
    )
    assert not nodes.asked.exists()


TWINS = (("host1.a.example.org", "host1.b.example.org"), ("10.0.0.1", "10.0.0.2"))


@pytest.mark.parametrize("names", TWINS)
def test_nodes_that_begin_alike_are_two(nodes, names):
    own, other = names
    rows = "".join(f'<node id="{name}" uname="{name}"/>\n' for name in names)
    nodes.xen.program("cibadmin", f"echo '{rows}'")
    nodes.xen.program("crm_node", f"echo {own}")
    nodes.runs(other, "nfs -b----")
    for variables in ({"OCF_RESKEY_CRM_meta_on_node": own}, {}):
        status, out, said = nodes.create(**variables)
        assert (status, out, f"it runs on {other}" in said) == (107, "", True), said
    assert nodes.asked.read_text().split() == [other] * 2


FILED = {
    "behind another setting": f"memory = 64; uuid = '{UUID}'\n",
    "without dashes": f"uuid = '{UUID.replace('-', '')}'\n",
    "in capitals": f'uuid="{UUID.upper()}"\n',
}


@pytest.mark.parametrize("text", FILED.values(), ids=FILED)
def test_a_uuid_is_found_however_it_is_written(nodes, text):
    file = nodes.xen.folder / "file"
    file.write_text(f"name = 'nfs'\n{text}")
    nodes.runs("host3", f"renamed -b---- {UUID}")
    assert nodes.create("create", str(file))[0] == 107


def test_a_cib_that_does_not_answer_leaves_its_copy_on_the_disk(nodes):
    nodes.xen.program("cibadmin", "exit 102")
    nodes.runs("host3", "nfs -b----")
    copy = nodes.xen.folder / "root" / "var/lib/pacemaker/cib/cib.xml"
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(f"<cib>\n{NODES}\n</cib>")
    assert nodes.create()[0] == 107
    copy.unlink()
    status, _, said = nodes.create()
    assert (status, "no other node was asked: the CIB gives no answer" in said) == (42, True)
    ran = nodes.xen.hxm("guard", "status")
    assert (ran.status, "the last look cannot ask any node: neither the CIB" in ran.out) == (
        1,
        True,
    )


def test_it_can_be_switched_off(nodes):
    settings = nodes.xen.folder / "hxm.toml"
    settings.write_text("last_look = 0\n")
    assert "xl is outdated: hxm guard install" in nodes.xen.hxm("guard", "status").out
    nodes.xen.ok("guard", "install")
    nodes.runs("host2", "nfs -b----")
    assert nodes.create()[:2] == (42, f'[create][{nodes.xen.folder}/nfs][name="nfs"]\n')
    assert "the last look is switched off" in nodes.xen.ok("guard", "status").out


def test_the_status_shows_of_each_node_whether_it_can_be_asked(nodes):
    told = nodes.xen.ok("guard", "status").out
    assert "the last look asks host2\n" in told
    nodes.fails("host3", "ssh: connect to host host3 port 22: Connection refused")
    ran = nodes.xen.hxm("guard", "status")
    assert ran.status == 1
    assert "the last look cannot ask host3: ssh: connect to host host3 port 22" in ran.out
    looks = nodes.xen.hxm("guard", "status", "-o", "json").json["last_look"]
    assert [(each["node"], bool(each["fault"])) for each in looks] == [
        ("host1", False),
        ("host2", False),
        ("host3", True),
    ]


def test_a_person_is_judged_by_hxm_instead(nodes):
    (nodes.xen.folder / "other").write_text('name = "other"\n')
    nodes.runs("host2", "other -b----")
    assert nodes.host.run("xl", "create", "other")[0] == 42
    assert not nodes.asked.exists()

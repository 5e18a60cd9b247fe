"""A fuzzer of everything that reads what others write: `python tests/fuzz.py SECONDS SEED`.

Each target is a sample and a reader. The sample is damaged at random, or grown from a grammar; the
reader may refuse it with an error of hxm's, and do nothing else, within LONGEST seconds.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).parent / "data"
sys.path.insert(0, str(Path(__file__).parents[1]))

from hxm.arguments.since import parse_since  # noqa: E402
from hxm.audit.survey import parse_survey  # noqa: E402
from hxm.cluster.claims import claim, of_xml  # noqa: E402
from hxm.cluster.start_facts import parse_answer  # noqa: E402
from hxm.config import parse_config  # noqa: E402
from hxm.domu.block_devices import parse_devices  # noqa: E402
from hxm.domu.config_file import agent_name, parse_xmfile  # noqa: E402
from hxm.domu.devices import parse_mac, parse_scsi  # noqa: E402
from hxm.domu.disk_spec import DeviceError, parse_disk  # noqa: E402
from hxm.domu.libvirt_xml import (  # noqa: E402
    memory_and_vcpus,
    parse_description,
    parse_name,
)
from hxm.domu.settings import domain_name, memory_mib, slips, vcpus  # noqa: E402
from hxm.errors import HxmError  # noqa: E402
from hxm.guard.create_line import creation_of  # noqa: E402
from hxm.host import files  # noqa: E402
from hxm.pacemaker.audit_facts import parse_rules  # noqa: E402
from hxm.pacemaker.cib import configuration_in, parse_configuration  # noqa: E402
from hxm.pacemaker.cib_document import parse_backup, same  # noqa: E402
from hxm.pacemaker.cib_flatten import facts_in  # noqa: E402
from hxm.pacemaker.crm_mon import parse_status  # noqa: E402
from hxm.pacemaker.relations import relations_in  # noqa: E402
from hxm.pacemaker.transitions import parse_fencing  # noqa: E402
from hxm.pacemaker.transitions import parse_status as parse_look  # noqa: E402
from hxm.pacemaker.utilization import utilization_in  # noqa: E402
from hxm.pacemaker.verify import parse_actions, parse_complaints, parse_rings  # noqa: E402
from hxm.policy.diff import as_row, differences, intention, sentence  # noqa: E402
from hxm.policy.past.timeline import history  # noqa: E402
from hxm.records.past import parse_pieces  # noqa: E402
from hxm.terminal.shell.lines import words_of  # noqa: E402
from hxm.toolstack.host_facts import parse_facts  # noqa: E402
from hxm.toolstack.list_long import parse_image, parse_long  # noqa: E402
from hxm.toolstack.memory import parse_info  # noqa: E402
from hxm.toolstack.remote import named_in  # noqa: E402
from hxm.toolstack.virsh import spoken  # noqa: E402
from hxm.xml_reading import in_utf8, parse_xml  # noqa: E402

LONGEST = 20
"""Seconds: a reader that needs more hangs, whatever the machine is busy with."""
Text = str | bytes

MON = (DATA / "pacemaker-2.1.5" / "states.output-as-xml.xml").read_bytes()
MON_TEXT = (DATA / "pacemaker-2.1.5" / "states.mon-1nr.txt").read_bytes()
CIB = (DATA / "cibs" / "rich.xml").read_bytes()
PAST = (DATA / "history-2.1.5" / "cib.xml").read_bytes()
FENCING = (DATA / "history-2.1.5" / "fencing.xml").read_bytes()
XM_LONG = (DATA / "xen-3.3" / "xm-list-long.txt").read_text()
XMFILE = """name = "nfs"\nmemory = 512\nvcpus=2\nkernel="/boot/vmlinuz" # x
disk = [ 'phy:/dev/evms/san2/nfs,xvda,w', "file:/a b,hdc:cdrom,r" ]
vif = [ 'mac=00:16:3e:00:00:01,bridge=xenbr0' ]\nextra = \"\"\"3 xencons\\n\"\"\"
on_crash='restart'; x = (1, 2, [3,])\nvfb=[ 'type=vnc' ]\nfoo += [1]\n"""
XL_LONG = (
    '[{"domid":3,"config":{"c_info":{"name":"nfs","uuid":"1-2"},"disks":[{"pdev_path":"/dev/x",'
    '"vdev":"xvda","readwrite":1}],"nics":[{"mac":"00:16"}],"b_info":{"extra":["-drive","file=/x"]}}}]'
)
LIST = (
    "Name                                        ID   Mem VCPUs\tState\tTime(s)\n"
    "Domain-0                                     0  1024     2     r-----     100.0\n"
    "nfs                                          3   512     1     -b----      10.0\n"
)
STARTS = (
    LIST.encode()
    + b"\0[]\n\nhxm:devices\n/dev/x:8:0\n\0hxm file absent /a b\0hxm file 3 /b\0x\0y"
    + b"hxm file unreadable /c\0hxm file 0 /d\0"
)
FILES = (
    b"m look\0/a\0\x00081a4 64768 12 0 0 5 1700000000\0/a\0hello\nm end 0\n"
    b"m look\0/b\0link\0\0/b\0\nm end 1\n"
)
FACTS = b"""hxm info xen_major : 4\nhxm info xen_minor : 17\nhxm info virt_caps : pv hvm
hxm tried 1 /etc/xen/nfs.cfg\nhxm said Parsing config from /etc/xen/nfs.cfg
hxm said /etc/xen/nfs.cfg:3: config parsing error near `x'\nhxm tried 0 /a\n"""
RINGS = (
    "Local node ID 1, transport knet\nLINK ID 0 udp\n\taddr\t= 192.0.2.1\n\tstatus:\n"
    "\t\tnodeid:          1:\tlocalhost\n\t\tnodeid:          2:\tconnected\n"
    "RING ID 1\n\tid\t= 192.0.2.129\n\tstatus\t= ring 1 FAULTY\n"
)
LIBVIRT = b"""<domain type="xen"><name>nfs</name><uuid>1-2</uuid><devices><disk type="block"
device="disk"><source dev="/dev/x"/><readonly/></disk><interface><mac address="00:16:3e:00:00:01"/>
</interface></devices></domain>"""
SURVEY = (
    "hxm clock 1700000000.1\nhxm file abc /a\nhxm guard guarded:/usr/sbin/xl\n"
    "hxm auto /etc/xen/auto/x\0/y\0n\0\nhxm clock 1700000001.1\n"
)
TOML = b'timeout = 900\nask_nodes = true\nignore = "not-live:legacy"\ntoolstack="xl"\n'
PIECES = b"""{"done": [[1700000000, "host1", "nfs", "start", 5, 0, 1.5, false, "", "", "", true]],
"looks": [[1700000000, {"host1": ["online"]}, "host1", true, false, [0, 5, 1]]],
"fenced": [[1700000000, "host2", "reboot", "success", "the cluster", "host1"]],
"ordered": [[1700000000, null, "root", "host1", "migrate", "x", "", ["nfs"], 0, "", 3]]}"""
DIFFED = facts_in(parse_backup(CIB, "it"))


class Target(NamedTuple):
    """A reader, and a text that it can read."""

    sample: Text
    read: Callable[..., object]


def read_xmfile(text: str) -> None:
    settings = parse_xmfile(text)
    domain_name(settings), memory_mib(settings), vcpus(settings), slips(settings)
    claim("x", settings)


def read_cib(document: bytes) -> None:
    known = parse_configuration(document)
    if known.cib is not None:
        relations_in(known.cib), utilization_in(known.cib)
        parse_rules(known)
    same(document, CIB)


def read_backup(document: bytes) -> None:
    for each in differences(facts_in(parse_backup(in_utf8(document), "it")), DIFFED):
        sentence(each), intention(each), as_row(each)


def read_list(program: str) -> Callable[[str], object]:
    """The reader of a table of domains, whose values JSON must be able to hold."""

    def read(text: str) -> None:
        rows, uuids = named_in(program, text.encode("utf-8", "surrogateescape"))
        json.dumps((rows, uuids), allow_nan=False)
        assert all(value is None or value >= 0 for row in rows for value in row[1:4])

    return read


def read_files(text: bytes) -> None:
    files.learn(text, "m")
    files._seen.clear()


def read_look(document: bytes) -> None:
    parse_look(parse_xml(document), 0.0)


TARGETS = {
    "xmfile": Target(XMFILE, read_xmfile),
    "agent's name": Target(XMFILE, agent_name),
    "disk": Target("phy:/dev/a,xvda,w", parse_disk),
    "disk by keys": Target("vdev=xvda,access=rw,target=/a b,format=raw,script=x", parse_disk),
    "mac": Target("mac=00:16:3e:00:00:01,bridge=b", parse_mac),
    "scsi": Target("/dev/sda,1:0:0:0", parse_scsi),
    "devices": Target("/sys/dev/block/8:0/dm/name:x\n/proc/mdstat:md0 : active\n", parse_devices),
    "crm_mon": Target(MON, parse_status),
    "crm_mon's text": Target(MON_TEXT, parse_status),
    "cib": Target(CIB, read_cib),
    "configuration": Target(CIB, configuration_in),
    "backup": Target(CIB, read_backup),
    "transition": Target(PAST, read_look),
    "fencing": Target(FENCING, lambda text: [*parse_fencing(parse_xml(text))]),
    "metadata": Target(
        b'<resource-agent><actions><action name="start" timeout="60s"/></actions></resource-agent>',
        parse_actions,
    ),
    "crm_verify": Target(
        "error: unpack_resources: no\nwarning: x\n",
        lambda text: parse_complaints(text, valid=False),
    ),
    "rings": Target(RINGS, lambda text: [*parse_rings(text, bool)]),
    "xl list": Target(LIST, read_list("xl")),
    "xm list": Target(LIST.replace("\t", "   "), read_list("xm")),
    "xl list -l": Target(XL_LONG, parse_long),
    "xm list --long": Target(XM_LONG, parse_long),
    "image of xm": Target(
        b"LinuxGuestRecord" + (200).to_bytes(4, "big") + XM_LONG.encode(), parse_image
    ),
    "libvirt": Target(LIBVIRT, lambda text: of_xml(text, "path", "name")),
    "toml": Target(TOML, parse_config),
    "survey": Target(SURVEY, lambda text: parse_survey(text, 0, 1)),
    "before a start": Target(STARTS, lambda text: parse_answer("xl", text, starting=True)),
    "files of a node": Target(FILES, read_files),
    "facts of a host": Target(FACTS, lambda text: parse_facts(text, "xl")),
    "libvirt's description": Target(
        LIBVIRT,
        lambda text: (parse_description(text), parse_name(text), memory_and_vcpus(str(text))),
    ),
    "xl info": Target(
        b"host : x\ntotal_memory : 4096\nfree_memory : 100\nxen_commandline : dom0_mem=512M\n",
        parse_info,
    ),
    "history": Target(PIECES, lambda text: history(parse_pieces(text))),
    "create": Target(
        "-c nfs.cfg memory=512 disk=['phy:/dev/x,xvda,w'] name=\"x\"",
        lambda text: [creation_of(text.split(" "), xm=xm) for xm in (False, True)],
    ),
    "virsh": Target(
        'start nfs ; destroy "a b" --graceful', lambda text: (spoken([text]), spoken(text.split()))
    ),
    "shell": Target("migrate nfs 'host 2' # why", words_of),
    "since": Target("2026-11-26 14:30", lambda text: parse_since(text, 1_800_000_000.0)),
}

PIECES_OF_TEXT = [
    *"()[]{}\"'\\\n\r\t #;,=+:<>&/!?.-%@*0123456789",
    *('"""', "'''", "None", "True", "<a>", "</a>", "<!--", "-->", "&lt;", "&#10;", "\0", "\udcff"),
    *("\u2028", "\x85", "\x1c", "é", "٣", "²", "1e999", "NaN", "-", "0x", "9" * 40, "9" * 5000),
    *('id=""', 'name="x"', "rule", "[[", "((", "\\\n", "<![CDATA[", "<!DOCTYPE a [", "\x1b["),
]
PAIRS = ("()", "[]", '""', "''", "{}", "<>")


def damaged(random_: random.Random, sample: Text) -> Text:
    """The sample with a few things put in, left out, repeated, and moved."""
    text = sample.decode("latin-1") if isinstance(sample, bytes) else sample
    for _ in range(random_.choice((1, 1, 1, 2, 3, 5, 9))):
        length = len(text)
        at, how = random_.randrange(length + 1), random_.random()
        piece = random_.choice(PIECES_OF_TEXT)
        end = min(length, at + random_.choice((1, 3, 10, 50, 300)))
        if how < 0.3:
            text = text[:at] + piece + text[at:]
        elif how < 0.5:
            text = text[:at] + text[end:]
        elif how < 0.65:
            text = text[:at] + text[at:end] * random_.choice((2, 3, 20)) + text[end:]
        elif how < 0.8:
            text = text[:at] + piece + text[at + 1 :]
        elif how < 0.9:
            other = random_.randrange(length + 1)
            text = text[:at] + text[other : other + random_.choice((3, 10, 40))] + text[at:]
        elif how < 0.96:
            text = text[:at] + piece[:3] * random_.choice((10, 100, 3000)) + text[at:]
        else:
            text = text[:at]
    return _like(sample, text)


def grown(random_: random.Random, sample: Text) -> Text:
    """A text of brackets, quotation marks and words of the sample, nested and put side by side."""
    text = sample.decode("latin-1") if isinstance(sample, bytes) else sample
    words = text.split() or ["x"]

    def grow(depth: int) -> str:
        if not depth or random_.random() < 0.3:
            return random_.choice((random_.choice(words), random_.choice(PIECES_OF_TEXT)))
        opening, closing = tuple(random_.choice(PAIRS))
        inner = random_.choice((" ", ",", "\n", "")).join(
            grow(depth - 1) for _ in range(random_.randrange(4))
        )
        return f"{opening}{inner}{closing}"

    return _like(sample, "\n".join(grow(6) for _ in range(random_.randrange(1, 9))))


def long(sample: Text) -> list[Text]:
    """What a reader needs more than linear time for, if there is anything."""
    text = sample.decode("latin-1") if isinstance(sample, bytes) else sample
    middle = len(text) // 2
    pieces = (
        "\n",
        " ",
        '"',
        "'",
        "\\",
        "(",
        "[",
        "<a>",
        "a",
        ";",
        "\t",
        '"\\',
        "9",
        "name=",
        "<!--",
    )
    return [
        _like(sample, form)
        for piece in pieces
        for count in (100_000 // len(piece),)
        for form in (piece * count, text[:middle] + piece * count + text[middle:])
    ]


def _like(sample: Text, text: str) -> Text:
    return text.encode("utf-8", "surrogatepass") if isinstance(sample, bytes) else text


class Hangs(Exception):
    """A reader took longer than LONGEST seconds."""


def tried(target: Target, text: Text) -> None:
    """Let the target read the text. Raises what no reader may raise."""

    def give_up(*_: object) -> None:
        raise Hangs

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LONGEST)
    try:
        target.read(text)
    except (HxmError, DeviceError):
        pass
    except ValueError as error:
        if type(error).__name__ != "XmlError":
            raise
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def fuzz(name: str, seconds: float, seed: int) -> int:
    """Try texts on a target for some seconds; returns how many. Raises AssertionError."""
    target, random_ = TARGETS[name], random.Random(f"{seed} {name}")
    end, cases = time.monotonic() + seconds, 0
    while time.monotonic() < end or not cases:
        make = grown if random_.random() < 0.2 else damaged
        text = make(random_, target.sample)
        cases += 1
        try:
            tried(target, text)
        except Exception as error:
            shown = ascii(text[:2000])
            raise AssertionError(f"{name}: {type(error).__name__}: {error}: {shown}") from error
    return cases


def main() -> None:
    """Fuzz all targets in turn, and tell what was tried and what was found."""
    seconds = float(sys.argv[1]) if sys.argv[1:] else 60.0
    seed = int(sys.argv[2]) if sys.argv[2:] else int(time.time())
    cases = faults = 0
    print(f"seed {seed}")
    for name in TARGETS:
        try:
            cases += fuzz(name, seconds / len(TARGETS), seed)
        except AssertionError as error:
            faults += 1
            print(error)
    print(f"{cases} cases of {len(TARGETS)} targets in {seconds:g} s: {faults} faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()

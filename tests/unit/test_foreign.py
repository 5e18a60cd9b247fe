"""The words of other tools: each is answered with a command that there is, as it was typed."""

from __future__ import annotations

import shlex
from importlib import import_module

import pytest
from typer.core import TyperCommand

from hxm.arguments import parse
from hxm.arguments.retype import takes
from hxm.arguments.signatures import signature_of, subcommands
from hxm.arguments.types import Operand
from hxm.catalog import ALIASES, BYGONE, COMMANDS, NEVER_GUESSED, candidates, near
from hxm.catalog.command import REFUSED, RUNTIME
from hxm.catalog.foreign.equivalents import MEANINGS
from hxm.catalog.foreign.lacking import BEYOND, TRANSLATIONS
from hxm.catalog.foreign.meaning import TOOLS
from hxm.catalog.foreign.patterns import operands_of, pattern_of
from hxm.catalog.foreign.translate import Asked, translate
from hxm.cli import guarded

WORDS = {word: meaning for meaning in MEANINGS for word in meaning.words.split()}
LINES = [
    (tool, line, meaning)
    for meaning in MEANINGS
    for tool, line in (
        *meaning.elsewhere,
        *(
            (word, " ".join(w for w in meaning.command.split() if any(map(str.isupper, w))))
            for word in meaning.words.split()
        ),
    )
]
HARMFUL = {
    *(row.name for row in COMMANDS.values() if row.policy in (REFUSED, RUNTIME)),
    *("destroy", "drill", "shutdown", "reboot", "standby", "withdraw", "unmanage", "restore"),
}
KINDS = {"host1": "node", "host2": "node", **dict.fromkeys(("nfs", "sles", "all"), "domU")}


def answer(line):
    """The line that is to be typed, and the notes beside it, with the kinds of the sandbox."""

    found = translate(shlex.split(line), Asked(takes, lambda word: KINDS.get(word, "")))
    return (" ".join(found.command), "; ".join(found.notes)) if found else ("", "")


def test_a_word_means_one_thing_only():
    words = [word for meaning in MEANINGS for word in meaning.words.split()]
    assert len(words) == len(set(words)) > 100


@pytest.mark.parametrize("word", WORDS)
def test_a_word_never_hides_a_command_or_its_short_form(word):
    assert word not in set(COMMANDS) - BYGONE
    assert word not in ALIASES
    current = set(candidates(word)) - BYGONE
    assert len(current) != 1, "a short form"


@pytest.mark.parametrize("meaning", MEANINGS, ids=lambda meaning: meaning.command)
def test_what_is_to_be_typed_exists(meaning):
    verb = meaning.command.partition(" ")[0]
    assert verb == "--version" or verb in COMMANDS or not verb
    assert verb or meaning.note
    assert {tool for tool, _ in meaning.elsewhere} <= set(TOOLS)


MADE_UP = {
    "DOMAIN": ["nfs", "sles"],
    "NODE": ["host2"],
    "FILE": ["nfs.cfg"],
    "NEW": ["nfs2"],
    "N": ["2"],
    "ID": ["sles"],
    "SECONDS": ["60"],
    "MEMORY": ["524288"],
}
"""What is typed for each operand; virsh's memory is in KiB."""


def typed(tool, line, *, all_of_it):
    """The line with made-up operands, with what may be missing or without it; and the operands."""
    words, given = [tool], []
    pattern = pattern_of(tool, line, MEANINGS[0])
    words += pattern.key
    for place in pattern.places:
        if place.optional and not all_of_it:
            continue
        values = [place.word]
        if place.operand:
            values = MADE_UP[place.word][: 2 if place.repeated else 1]
            given += values
        flag = place.name[:1] == "-" and not place.word
        mark = f"{place.name}{'' if flag or not place.name else '='}"
        words += [mark + value for value in values]
    return shlex.join(words if tool != "gnt" else words[1:]), given


def parsed(command, seen):
    """The operands, and the values of options, as hxm's own parser takes them from the line."""
    words = shlex.split(command)
    row = COMMANDS.get(words[0])
    if row is None or row.policy or "--help" in words:
        assert row or words == ["--version"]
        return [] if "--help" in words else words[1:]
    seen.clear()
    parse.parse_and_run(row, import_module(f"hxm.commands.{row.name}"), words[1:], pytest.fail)
    module = import_module(f"hxm.commands.{row.name}")
    function = subcommands(module).get(words[1] if words[1:] else "") or module.run
    names = [p.name for p in signature_of(function).own if isinstance(p.declared, Operand)]
    values = [seen.get(name) or () for name in names]
    operands = [v for value in values for v in ([value] if isinstance(value, str) else value)]
    return operands + ([f"{seen['timeout']:g}"] if seen.get("timeout") else [])


@pytest.fixture(name="seen")
def _seen(monkeypatch):
    """What hxm's parser takes from a line, instead of carrying it out."""
    values = {}
    monkeypatch.setattr(TyperCommand, "invoke", lambda _, context: values.update(context.params))
    return values


def wrong(tool, line, meaning, seen, *, all_of_it):
    """What is wrong with the answer to a row: it is to name exactly what was given."""
    as_typed, given = typed(tool, line, all_of_it=all_of_it)
    command, note = answer(as_typed)
    verb = meaning.command.partition(" ")[0]
    if command.partition(" ")[0] != verb:
        return f"{as_typed}: {command or note}"
    places = {word for name in operands_of(meaning.command) for word in (name, f"{name}...")}
    fixed = places | set(meaning.command.split())
    operands = [word for word in parsed(command, seen) if word not in fixed]
    wanted = ["512" if value == "524288" else value for value in given]
    return "" if sorted(operands) == sorted(wanted) else f"{as_typed}: {command}"


WITHOUT_EQUIVALENTS = {"gnt-backup"}
"""Tools of which hxm has nothing like any verb."""


@pytest.mark.parametrize("of_tool", [*TOOLS, ""])
def test_each_row_is_answered_with_a_line_that_names_what_was_typed(of_tool, seen):
    """The whole answer is parsed by hxm itself, and has exactly the operands that were given."""
    rows = [row for row in LINES if (row[0] if row[0] in TOOLS else "") == of_tool]
    assert bool(rows) != (of_tool in WITHOUT_EQUIVALENTS)
    faults = [
        wrong(tool, line, meaning, seen, all_of_it=all_of_it)
        for tool, line, meaning in rows
        for all_of_it in (True, False)
        if meaning.command
    ]
    assert not list(filter(None, faults))


@pytest.mark.parametrize("of_tool", [*TOOLS, ""])
def test_what_has_no_place_is_never_in_a_line(of_tool):
    for tool, line, meaning in LINES:
        if (tool if tool in TOOLS else "") != of_tool or not meaning.command:
            continue
        as_typed, _ = typed(tool, line, all_of_it=True)
        for more in ("x=y", "--no-such-option 77"):
            assert not answer(f"{as_typed} {more}")[0], (as_typed, more)
        command, _ = answer(f"{as_typed} --force --yes -y")
        assert not {"--force", "--yes", "-y"} & set(command.split())


ANSWERS = {
    "drain host1": "use: hxm standby host1\n",
    "drain host1 --dry-run": "use: hxm standby host1 --dry-run\n",
    "-N drain host1": "use: hxm -N standby host1\n",
    "restart nfs sles --reason new\\ x -w": "use: hxm reboot nfs sles --reason 'new x' -w\n",
    "restart --timeout 5 nfs": "use: hxm reboot nfs --timeout 5\n",
    "resource move nfs host2 --yes": "use: hxm migrate nfs host2\n     without --yes\n",
    "crm resource ban nfs host1": "to move a domU once: hxm migrate DOMAIN NODE",
    "node standby host1": "use: hxm standby host1\n",
    "property set maintenance-mode=false": "use: hxm maintenance off\n",
    "vm-migrate vm=nfs host=host2": "use: hxm migrate nfs host2\n",
    "log nfs": "use: hxm history nfs\n",
    "uncordon": "use: hxm active NODE\n",
    "remove nfs": "use: hxm withdraw nfs\n     it keeps the domU running\n",
    "events": "use: hxm history\n",
    "unmove nfs": "use: hxm unmigrate nfs\n",
    "enable nfs": "use: hxm start nfs\n",
    "health": "use: hxm check\n",
    "ps": "use: hxm list\n",
    "rm nfs": "use: hxm withdraw nfs",
    "version": "use: hxm --version\n",
    "configure": "crm configure, pcs or cibadmin",
    "ls": "use: hxm list\n",
    "xl list -v": "use: hxm list -v\n",
    "hxm drain host1": "use: hxm standby host1\n",
    "resource migrate nfs host2 --yes": "use: hxm migrate nfs host2\n     without --yes\n",
    "resource unmigrate nfs": "use: hxm unmigrate nfs\n",
    "resource cleanup nfs": "use: hxm cleanup nfs\n",
    "resource why nfs": "use: hxm why nfs\n",
    "failcount show nfs": "use: hxm why nfs\n",
    "ha-manager set nfs --state stopped": "use: hxm shutdown nfs\n",
    "gnt-node modify --drained=yes host1": "use: hxm standby host1\n     it also moves away",
    "kubectl apply -f nfs.cfg": "use: hxm enrol nfs.cfg\n",
    "virsh snapshot-create nfs": "disks are left to the storage",
    "migrate nfs host2 --yse": "did you mean --yes?\n",
    "migrate nfs host2 --focre": "did you mean --force?\n",
    "kubectl frobnicate": "hxm-from-crm(7)",
    "restart $(reboot)": "use: hxm reboot '$(reboot)'",
}


@pytest.mark.parametrize("line", ANSWERS)
def test_the_answer_keeps_what_was_typed(line, capsys, monkeypatch):
    monkeypatch.setattr("hxm.cli._kinds", lambda: lambda _: "")
    assert guarded(shlex.split(line)) == 2
    assert ANSWERS[line] in capsys.readouterr().err


VERBS = {
    "crm resource": "ban cleanup clear constraints demote failcount locate maintenance manage meta "
    "migrate move operations param promote refresh restart scores secret start status stop trace "
    "unban unmanage unmigrate unmove untrace utilization",
    "crm node": "attribute clearstate delete fence maintenance online ready server show standby "
    "status-attr utilization",
    "crm cluster": "add copy crash_test diff disable enable health init join remove rename restart "
    "run start stop",
    "crm": "cib configure corosync history maintenance options ra report script site status "
    "template",
    "crm configure": "acl_target clone colocation commit delete edit graph group load location "
    "modgroup ms order primitive property rename role rsc_defaults save show tag upgrade verify",
    "pcs resource": "ban bundle cleanup clear clone config create debug-start defaults delete "
    "describe disable enable failcount group list manage meta move move-with-constraint op "
    "promotable refresh relations relocate remove restart safe-disable status unclone ungroup "
    "unmanage update utilization",
    "pcs node": "add-guest attribute maintenance standby unmaintenance unstandby utilization",
    "pcs cluster": "auth cib cib-push config destroy disable edit enable kill link node reload "
    "report setup start stop sync verify",
    "pcs stonith": "confirm create delete disable fence history level list",
    "pcs": "acl alert config constraint property quorum status tag",
    "virsh": "attach-device attach-disk autostart blockcopy change-media console create define "
    "desc destroy detach-disk domblklist domjobabort domjobinfo domid domiflist dominfo domname "
    "domrename domstats dump dumpxml edit event list managedsave migrate nodeinfo reboot reset "
    "resume save schedinfo screenshot send-key setmaxmem setmem setvcpus shutdown snapshot-create "
    "snapshot-list start suspend undefine vcpuinfo vcpupin vncdisplay",
    "kubectl": "annotate apply attach config cordon cp debug delete describe diff drain edit exec "
    "get label logs patch port-forward proxy replace run scale set taint top uncordon "
    "version",
    "patronictl": "configure dsn edit-config failover flush history list pause query reinit reload "
    "remove restart resume show-config switchover topology",
    "qm": "remote-migrate agent clone cloudinit config delsnapshot destroy disk guest importdisk "
    "listsnapshot list migrate monitor move-disk pending reboot rescan reset resize resume "
    "rollback sendkey set shutdown snapshot start status stop suspend template terminal unlock "
    "vncproxy",
    "ha-manager": "add config groupadd migrate relocate remove status",
    "gnt-instance": "activate-disks add console failover grow-disk info list migrate modify move "
    "reboot reinstall remove rename replace-disks shutdown startup",
    "gnt-node": "add evacuate failover health list migrate modify powercycle remove volumes",
    "gnt-job": "archive cancel list wait watch",
    "gnt-backup": "export import list",
    "xe": "host-disable host-enable host-evacuate host-list host-reboot vm-clone vm-copy vm-export "
    "vm-list vm-migrate vm-param-set vm-pause vm-reboot vm-reset-powerstate vm-shutdown "
    "vm-snapshot vm-start vm-suspend vm-unpause",
}


@pytest.mark.parametrize("before", VERBS)
def test_every_verb_of_the_other_tools_is_answered(before):
    for verb in VERBS[before].split():
        line = [*before.split(), verb, "nfs"]
        command, note = answer(" ".join(line))
        assert command or note != TRANSLATIONS, line


def test_what_hxm_does_not_have_hides_nothing_that_it_has():
    beyond = {line for meaning in BEYOND for line in meaning.elsewhere}
    assert not beyond & {line for meaning in MEANINGS for line in meaning.elsewhere}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("poweroff host1", "standby host1"),
        ("restart host2", "standby host2"),
        ("resource enable host1", "active host1"),
        ("resource unmanage host1", "maintenance on host1"),
        ("drain nfs", "migrate nfs"),
        ("unstandby nfs", "start nfs"),
        ("kill host1", "standby host1"),
        ("poweroff nfs", "shutdown nfs"),
        ("move nfs host2", "migrate nfs host2"),
        ("move host2 nfs", "migrate nfs host2"),
        ("move nfs sles host2", "migrate nfs sles host2"),
        ("failover host2 nfs --dry-run", "migrate nfs host2 --dry-run"),
        ("move host2", "standby host2"),
        ("move host1 host2", ""),
        ("restart host1 nfs", ""),
        ("crm resource move host2 nfs", "migrate nfs host2"),
        ("xe vm-migrate host=host2 vm=nfs", "migrate nfs host2"),
        ("stop nfs 60", ""),
        ("kill -9 nfs", ""),
        ("stop -a", "shutdown -a"),
        ("stop --all", "shutdown --all"),
        ("restart all", "reboot -a"),
        ("kill all", ""),
        ("stop nfs -a", ""),
        ("sudo xl destroy nfs --force", "destroy nfs"),
        ("hxm standby host1 --dry-run", "standby host1 --dry-run"),
        ("node standby host1 -o json", "standby host1 -o json"),
        ("move nfs to host2", ""),
        ("drain host1 host2", ""),
        ("ready host1", "maintenance off host1"),
        ("freeze nfs", ""),
        ("upgrade host1", ""),
    ],
)
def test_an_operand_of_another_kind_or_order_leads_to_what_was_meant(line, expected):
    assert answer(line)[0] == expected


TRANSLATED = {
    "ha-manager crm-command stop vm:nfs 60": "shutdown nfs --timeout=60",
    "ha-manager crm-command stop vm:nfs 0": "destroy nfs",
    "qm shutdown nfs -timeout 60": "shutdown nfs --timeout 60",
    "qm shutdown 100": "",
    "kubectl delete pod nfs --grace-period 30": "reboot nfs",
    "virsh shutdown nfs --mode acpi": "shutdown nfs",
    "crm resource meta nfs set target-role Stopped": "shutdown nfs",
    "crm resource meta nfs set priority 5": "",
    "crm resource maintenance nfs": "maintenance on nfs",
    "crm resource maintenance nfs off": "maintenance off nfs",
    "pcs resource meta nfs target-role=Stopped": "shutdown nfs",
    "pcs resource meta nfs is-managed=false": "unmanage nfs",
    "pcs resource meta nfs is-managed=false target-role=Stopped": "",
    "virsh autostart --disable nfs": "",
    "kubectl drain host1 --force": "standby host1",
    "kubectl drain host1 --ignore-daemonsets --dry-run=client": "standby host1 --dry-run",
    "kubectl drain --ignore-daemonsets host1": "standby host1",
    "patronictl failover nfs host2 --force": "migrate nfs host2",
    "patronictl switchover --leader nfs --candidate host2": "migrate nfs host2",
    "crm resource cleanup nfs host1": "cleanup nfs host1",
    "crm resource cleanup": "cleanup",
    "pcs resource cleanup nfs node=host1": "cleanup nfs host1",
    "pcs resource cleanup node=host1": "cleanup host1",
    "pcs resource move nfs lifetime=PT1H": "",
    "pcs resource move nfs host2 --wait=60": "migrate nfs host2",
    "pcs resource clear nfs host1": "",
    "pcs resource restart nfs host1": "",
    "pcs resource failcount reset nfs": "cleanup nfs",
    "pcs resource failcount": "why DOMAIN",
    "pcs resource relocate dry-run": "balance --dry-run",
    "pcs resource frobnicate nfs": "",
    "crm configure load update x.xml": "",
    "crm configure property maintenance-mode=true": "maintenance on",
    "gnt-node modify -D yes host1": "standby host1",
    "gnt-node modify --offline=yes host1": "",
    "gnt-node evacuate -n host2 host1": "standby host1",
    "gnt-instance migrate -n host2 nfs": "migrate nfs host2",
    "ha-manager set vm:nfs --state disabled": "shutdown nfs",
    "kubectl scale nfs --replicas=0": "shutdown nfs",
    "kubectl get pod nfs -o yaml": "list nfs",
    "kubectl describe node host1": "why host1",
    "kubectl logs -f nfs": "history nfs",
    "kubectl delete -f nfs.yaml": "",
    "xe vm-start uuid=c0ffee": "start c0ffee",
    "xe host-disable uuid=c0ffee": "",
    "xe vm-start vm=nfs on=host2": "",
    "xe vm-shutdown vm=nfs force=true": "destroy nfs",
    "virsh list --all": "list",
    "virsh migrate --live nfs xen+ssh://root@host2/system": "migrate nfs host2",
    "virsh setmem nfs 524288": "mem-set nfs 512",
    "virsh setmem nfs 1G": "mem-set nfs 1024",
    "virsh setmem nfs 1000001": "",
    "virsh restore nfs.save": "",
    "crm_mon -1": "status",
    "hbal -L -X": "balance",
    "hbal -L": "balance --dry-run",
    "qm migrate nfs host2 --online": "migrate nfs host2",
    "kubectl drain host1 --timeout=60s": "standby host1",
    "virsh setmem nfs 1G --dry-run": "",
}


@pytest.mark.parametrize("line", TRANSLATED)
def test_a_line_of_another_tool_does_what_was_meant_or_is_a_note(line):
    command, note = answer(line)
    assert command == TRANSLATED[line]
    assert command or note


@pytest.mark.parametrize(
    ("line", "left_out"),
    [
        ("virsh list --all", "without --all"),
        ("kubectl drain host1 --force", "without --force"),
        ("kubectl delete pod nfs --grace-period 30", "without --grace-period 30"),
        ("kubectl drain host1 --timeout=60s", "without --timeout=60s"),
        ("move nfs to host2", "it has no place for to"),
    ],
)
def test_what_is_left_out_is_named(line, left_out):
    assert left_out in answer(line)[1]


GUESSES = {
    "lsit": "list",
    "stauts": "status",
    "migarte": "migrate",
    "histroy": "history",
    **dict.fromkeys(("shutdwon", "destory", "drain", "dril", "rebot", "stadnby", "xyzzy"), ""),
    **dict.fromkeys(("kill", "show", "restart", "unmove", "enable", "remove", "unban"), ""),
}


@pytest.mark.parametrize("word", GUESSES)
def test_only_a_near_and_harmless_command_is_guessed(word):
    assert near(word) == GUESSES[word]


def test_no_slip_of_one_letter_leads_to_what_stops_or_breaks():
    assert HARMFUL & {row.name for row in COMMANDS.values() if row.group} <= NEVER_GUESSED
    for name in HARMFUL:
        for at in range(len(name)):
            assert near(name[:at] + name[at + 1 :]) not in HARMFUL
            assert near(name[:at] + "x" + name[at:]) not in HARMFUL

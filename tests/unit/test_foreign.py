"""The words of other tools: each is answered with a command that there is, as it was typed."""

from __future__ import annotations

import pytest

from hxm.catalog import ALIASES, BYGONE, COMMANDS, NEVER_GUESSED, candidates, near
from hxm.catalog.command import REFUSED, RUNTIME
from hxm.catalog.foreign.equivalents import MEANINGS
from hxm.catalog.foreign.lacking import BEYOND, TRANSLATIONS
from hxm.catalog.foreign.meaning import TOOLS
from hxm.catalog.foreign.translate import answer, answer_by_options
from hxm.cli import guarded

WORDS = {word: meaning for meaning in MEANINGS for word in meaning.words.split()}
LINES = [
    (f"{tool} {line}", meaning)
    for meaning in MEANINGS
    for tool, line in meaning.elsewhere
    if " -" not in f" {line}"
]
HARMFUL = {
    *(row.name for row in COMMANDS.values() if row.policy in (REFUSED, RUNTIME)),
    *("destroy", "drill", "shutdown", "reboot", "standby", "withdraw", "unmanage", "restore"),
}


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


@pytest.mark.parametrize(("line", "meaning"), LINES, ids=[line for line, _ in LINES])
def test_each_line_is_answered_with_its_own_command(line, meaning):
    found = answer(line.split())
    assert found
    wanted = meaning.command.replace("...", "").split()[:1]
    assert list(found[0][:1]) == wanted


KINDS = {"host1": "node", "host2": "node", **dict.fromkeys(("nfs", "sles"), "domU")}
ANSWERS = {
    "drain host1": "use: hxm standby host1\n",
    "drain host1 --dry-run": "use: hxm standby host1 --dry-run\n",
    "-N drain host1": "use: hxm -N standby host1\n",
    "restart nfs sles --reason new\\ x -w": "use: hxm reboot nfs sles --reason 'new x' -w\n",
    "restart --timeout 5 nfs": "use: hxm reboot nfs --timeout 5\n",
    "resource move nfs host2 --yes": "use: hxm migrate nfs host2; without --yes\n",
    "xe vm-migrate host=host2 vm=nfs": "use: hxm migrate nfs host2\n",
    "move host2 nfs --dry-run": "use: hxm migrate nfs host2 --dry-run\n",
    "move host2": "use: hxm standby host2; it moves everything away\n",
    "ha-manager crm-command stop vm:nfs 60": "use: hxm shutdown nfs; without 60\n",
    "qm shutdown nfs -timeout 60": "use: hxm shutdown nfs; without -timeout 60\n",
    "virsh shutdown nfs --mode acpi": "use: hxm shutdown nfs; without --mode acpi\n",
    "crm resource meta nfs set target-role Stopped": "use: hxm shutdown nfs\n",
    "pcs resource meta nfs is-managed=false": "use: hxm unmanage nfs\n",
    "pcs resource meta nfs priority=5": "the cluster's configuration",
    "crm resource maintenance nfs": "use: hxm maintenance on nfs\n",
    "virsh autostart --disable nfs": "the cluster starts each domU",
    "kubectl drain host1 --force": "use: hxm standby host1; without --force\n",
    "kubectl drain host1 --dry-run=client": "use: hxm standby host1 --dry-run\n",
    "gnt-node modify -D yes host1": "use: hxm standby host1; it also moves away",
    "gnt-instance migrate -n host2 nfs": "use: hxm migrate nfs host2\n",
    "ha-manager set vm:nfs --state disabled": "use: hxm shutdown nfs\n",
    "pcs resource relocate clear": "the cluster's configuration",
    "pcs resource failcount reset nfs": "use: hxm cleanup nfs\n",
    "kubectl get pod nfs -o yaml": "use: hxm list nfs; without -o yaml\n",
    "xe vm-start vm=nfs on=host2": "use: hxm start nfs; without on=host2\n",
    "patronictl switchover --leader nfs --candidate host2": "use: hxm migrate nfs host2; without",
    "move nfs": "use: hxm migrate nfs\n",
    "virsh migrate --live nfs xen+ssh://host2/": "use: hxm migrate nfs host2; without --live\n",
    "virsh setmem nfs 524288": "use: hxm mem-set nfs MIB; without 524288; virsh takes KiB",
    "log nfs": "use: hxm history nfs\n",
    "crm resource ban nfs host1": "to move a domU once: hxm migrate DOMAIN NODE",
    "node standby host1": "use: hxm standby host1\n",
    "property set maintenance-mode=false": "use: hxm maintenance off\n",
    "vm-migrate vm=nfs host=host2": "use: hxm migrate nfs host2\n",
    "uncordon": "use: hxm active NODE\n",
    "remove nfs": "use: hxm withdraw nfs; it keeps the domU running\n",
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
    "resource migrate nfs host2 --force": "use: hxm migrate nfs host2; without --force\n",
    "resource unmigrate nfs": "use: hxm unmigrate nfs\n",
    "resource cleanup nfs": "use: hxm cleanup nfs\n",
    "resource why nfs": "use: hxm why nfs\n",
    "failcount show nfs": "use: hxm why nfs\n",
    "ha-manager set nfs --state stopped": "use: hxm shutdown nfs\n",
    "gnt-node modify --drained=yes host1": "use: hxm standby host1; it also moves away",
    "kubectl apply -f nfs.cfg": "use: hxm enrol nfs.cfg\n",
    "virsh snapshot-create nfs": "hxm does not touch disks",
    "migrate nfs host2 --yse": "did you mean --yes?\n",
    "migrate nfs host2 --focre": "did you mean --force?\n",
    "kubectl frobnicate": "hxm-from-crm(7)",
    "restart $(reboot)": "use: hxm reboot '$(reboot)'",
}


@pytest.mark.parametrize("line", ANSWERS)
def test_the_answer_keeps_what_was_typed(line, capsys, monkeypatch):
    import shlex

    monkeypatch.setattr("hxm.cli._kind", lambda word: KINDS.get(word, ""))
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
    "desc destroy detach-disk domblklist domid domiflist dominfo domname domrename domstats dump "
    "dumpxml edit event list managedsave migrate nodeinfo reboot reset resume save schedinfo "
    "screenshot send-key setmaxmem setmem setvcpus shutdown snapshot-create snapshot-list start "
    "suspend undefine vcpuinfo vcpupin vncdisplay",
    "kubectl": "annotate apply attach config cordon cp debug delete describe diff drain edit exec "
    "get label logs patch port-forward proxy replace run scale set taint top uncordon "
    "version",
    "patronictl": "configure dsn edit-config failover flush history list pause query reinit reload "
    "remove restart resume show-config switchover topology",
    "qm": "agent clone cloudinit config delsnapshot destroy disk guest importdisk listsnapshot "
    "list migrate monitor move-disk pending reboot rescan reset resize resume rollback sendkey set "
    "shutdown snapshot start status stop suspend template terminal unlock vncproxy",
    "ha-manager": "add config groupadd migrate relocate remove status",
    "gnt-instance": "activate-disks add console failover grow-disk info list migrate modify move "
    "reboot reinstall remove rename replace-disks shutdown startup",
    "gnt-node": "add evacuate failover health list migrate powercycle remove volumes",
    "xe": "host-disable host-enable host-evacuate host-list host-reboot vm-clone vm-copy vm-export "
    "vm-list vm-migrate vm-param-set vm-pause vm-reboot vm-reset-powerstate vm-shutdown "
    "vm-snapshot vm-start vm-suspend vm-unpause",
}


@pytest.mark.parametrize("before", VERBS)
def test_every_verb_of_the_other_tools_is_answered(before):
    for verb in VERBS[before].split():
        line = [*before.split(), verb, "nfs"]
        command, note = answer(line) or answer_by_options(line) or ((), TRANSLATIONS)
        assert command or note != TRANSLATIONS, line
        assert not command or command[0] in COMMANDS or command[0] == "--version"


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
    ],
)
def test_a_node_where_a_domu_is_meant_leads_to_the_command_for_nodes(line, expected):
    found = answer(line.split(), kind=lambda word: KINDS.get(word, ""))
    assert found
    assert " ".join(found[0]) == expected


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

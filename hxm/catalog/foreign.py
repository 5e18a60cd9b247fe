"""The words of other tools that mean a command of hxm's, as data: what they type, what hxm takes.

Loaded only for a word that hxm has not. Whoever types `hxm drain host1` is told what to type;
hxm-from-crm(7) is made from the same rows. Words in capitals stand for operands.
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

TOOLS = {
    "crm": "crm",
    "pcs": "pcs",
    "virsh": "libvirt",
    "kubectl": "Kubernetes",
    "patronictl": "Patroni",
    "qm": "Proxmox",
    "ha-manager": "Proxmox HA",
    "gnt-instance": "Ganeti",
    "gnt-node": "Ganeti",
    "gnt-cluster": "Ganeti",
    "gnt": "Ganeti",
    "xe": "XenServer",
}


class Meaning(NamedTuple):
    """One thing to be done: how hxm is told, and how the other tools are."""

    command: str
    """What follows `hxm`; empty if hxm has no such command, which `note` then explains."""
    words: str
    """Single words that mean this without their tool, or with nothing else that is known."""
    elsewhere: tuple[tuple[str, str], ...]
    """The tool, and the command line that follows its name."""
    note: str = ""


def _row(command: str, words: str, *lines: str, note: str = "") -> Meaning:
    split = (line.partition(" ") for line in lines)
    return Meaning(command, words, tuple((tool, rest) for tool, _, rest in split), note)


MEANINGS = (
    _row("status", "info-status summary", "crm status", "pcs status", "ha-manager status"),
    _row(
        "list",
        "ps pods vms domains domus instances guests dominfo",
        "crm resource status",
        "pcs resource",
        "virsh list",
        "kubectl get pods",
        "patronictl list",
        "qm list",
        "gnt-instance list",
        "xe vm-list",
    ),
    _row("list DOMAIN --long", "dumpxml", "virsh dominfo DOMAIN", "qm config DOMAIN"),
    _row(
        "nodes",
        "hosts members",
        "crm node show",
        "pcs node",
        "kubectl get nodes",
        "gnt-node list",
        "xe host-list",
    ),
    _row("watch", "mon monitor top-cluster", "crm crm_mon", "pcs crm_mon"),
    _row(
        "start DOMAIN...",
        "enable startup run power-on poweron",
        "crm resource start DOMAIN",
        "pcs resource enable DOMAIN",
        "virsh start DOMAIN",
        "qm start DOMAIN",
        "ha-manager set DOMAIN --state started",
        "gnt-instance startup DOMAIN",
        "xe vm-start vm=DOMAIN",
    ),
    _row(
        "shutdown DOMAIN...",
        "stop disable halt poweroff power-off",
        "crm resource stop DOMAIN",
        "pcs resource disable DOMAIN",
        "pcs resource safe-disable DOMAIN",
        "virsh shutdown DOMAIN",
        "qm shutdown DOMAIN",
        "ha-manager set DOMAIN --state stopped",
        "gnt-instance shutdown DOMAIN",
        "xe vm-shutdown vm=DOMAIN",
    ),
    _row(
        "reboot DOMAIN...",
        "restart bounce",
        "crm resource restart DOMAIN",
        "pcs resource restart DOMAIN",
        "virsh reboot DOMAIN",
        "kubectl rollout restart DOMAIN",
        "kubectl delete pod DOMAIN",
        "patronictl restart DOMAIN",
        "qm reboot DOMAIN",
        "gnt-instance reboot DOMAIN",
        "xe vm-reboot vm=DOMAIN",
    ),
    _row(
        "destroy DOMAIN...",
        "kill",
        "virsh destroy DOMAIN",
        "qm stop DOMAIN",
        "xe vm-shutdown --force vm=DOMAIN",
        note="it pulls the plug; to stop cleanly: hxm shutdown",
    ),
    _row(
        "console DOMAIN",
        "attach exec terminal",
        "virsh console DOMAIN",
        "kubectl exec DOMAIN",
        "qm terminal DOMAIN",
        "gnt-instance console DOMAIN",
        "xe console vm=DOMAIN",
    ),
    _row(
        "migrate DOMAIN NODE",
        "move relocate switchover failover vmotion livemigrate",
        "crm resource move DOMAIN NODE",
        "pcs resource move DOMAIN NODE",
        "virsh migrate DOMAIN NODE",
        "patronictl switchover DOMAIN NODE",
        "qm migrate DOMAIN NODE",
        "ha-manager migrate DOMAIN NODE",
        "ha-manager relocate DOMAIN NODE",
        "gnt-instance migrate DOMAIN",
        "gnt-instance failover DOMAIN",
        "xe vm-migrate vm=DOMAIN host=NODE",
    ),
    _row(
        "unmigrate DOMAIN...",
        "clear unmove unban",
        "crm resource clear DOMAIN",
        "crm resource unban DOMAIN",
        "crm resource unmove DOMAIN",
        "pcs resource clear DOMAIN",
    ),
    _row(
        "",
        "ban",
        "crm resource ban DOMAIN NODE",
        "pcs resource ban DOMAIN NODE",
        note="a ban stays, and lasting constraints belong in the configuration; "
        "to move a domU once: hxm migrate DOMAIN NODE",
    ),
    _row(
        "standby NODE",
        "drain evacuate empty",
        "crm node standby NODE",
        "pcs node standby NODE",
        "kubectl drain NODE",
        "ha-manager crm-command node-maintenance enable NODE",
        "gnt-node evacuate NODE",
        "gnt-node migrate NODE",
        "xe host-evacuate host=NODE",
    ),
    _row(
        "standby NODE",
        "cordon",
        "kubectl cordon NODE",
        "gnt-node modify --drained=yes NODE",
        "xe host-disable host=NODE",
        note="it also moves away what runs there",
    ),
    _row(
        "standby NODE --dry-run",
        "blockers",
        "xe host-get-vms-which-prevent-evacuation host=NODE",
    ),
    _row(
        "active NODE",
        "online unstandby uncordon undrain activate",
        "crm node online NODE",
        "pcs node unstandby NODE",
        "kubectl uncordon NODE",
        "ha-manager crm-command node-maintenance disable NODE",
        "gnt-node modify --drained=no NODE",
        "xe host-enable host=NODE",
    ),
    _row(
        "maintenance on NODE",
        "",
        "crm node maintenance NODE",
        "pcs node maintenance NODE",
    ),
    _row(
        "maintenance off NODE",
        "unmaintenance ready",
        "crm node ready NODE",
        "pcs node unmaintenance NODE",
    ),
    _row(
        "maintenance on",
        "freeze disarm",
        "crm maintenance on",
        "pcs property set maintenance-mode=true",
        "patronictl pause",
        "gnt-cluster watcher pause",
    ),
    _row(
        "maintenance off",
        "unfreeze arm",
        "crm maintenance off",
        "pcs property set maintenance-mode=false",
        "patronictl resume",
        "gnt-cluster watcher continue",
    ),
    _row(
        "cleanup DOMAIN",
        "refresh reprobe resetfailcount clear-failures",
        "crm resource cleanup DOMAIN",
        "crm resource refresh DOMAIN",
        "pcs resource cleanup DOMAIN",
        "pcs resource refresh DOMAIN",
        "qm unlock DOMAIN",
    ),
    _row("unmanage DOMAIN...", "", "crm resource unmanage DOMAIN", "pcs resource unmanage DOMAIN"),
    _row("manage DOMAIN...", "", "crm resource manage DOMAIN", "pcs resource manage DOMAIN"),
    _row(
        "default DOMAIN...",
        "meta",
        "crm resource meta DOMAIN delete target-role",
        "pcs resource meta DOMAIN target-role=",
    ),
    _row(
        "why DOMAIN",
        "describe explain reason scores constraints locate failcount fails show",
        "crm resource scores DOMAIN",
        "crm resource constraints DOMAIN",
        "crm resource failcount DOMAIN show NODE",
        "pcs resource failcount show DOMAIN",
        "kubectl describe pod DOMAIN",
        "gnt-instance info DOMAIN",
    ),
    _row(
        "history [DOMAIN]",
        "events log logs tasks journal",
        "crm history",
        "pcs stonith history",
        "kubectl get events",
        "kubectl logs DOMAIN",
        "patronictl history",
    ),
    _row(
        "capacity",
        "utilization headroom",
        "kubectl top nodes",
        "gnt hspace",
    ),
    _row(
        "check",
        "verify health validate lint doctor",
        "crm cluster health",
        "crm configure verify",
        "pcs cluster verify",
        "gnt-cluster verify",
    ),
    _row(
        "graph",
        "relations tree",
        "crm configure graph",
        "pcs resource relations DOMAIN",
    ),
    _row("backup FILE", "export", "crm configure save FILE", "pcs cluster cib FILE"),
    _row(
        "restore FILE",
        "import rollback",
        "crm configure load replace FILE",
        "pcs cluster cib-push FILE",
    ),
    _row(
        "enrol FILE",
        "enroll define add apply register",
        "crm configure primitive DOMAIN",
        "pcs resource create DOMAIN",
        "virsh define FILE",
        "kubectl apply -f FILE",
        "ha-manager add DOMAIN",
        "gnt-instance add DOMAIN",
    ),
    _row(
        "withdraw DOMAIN",
        "remove rm undefine unenrol deregister",
        "crm configure delete DOMAIN",
        "pcs resource delete DOMAIN",
        "virsh undefine DOMAIN",
        "ha-manager remove DOMAIN",
        "gnt-instance remove DOMAIN",
        note="it keeps the domU running",
    ),
    _row("balance", "rebalance spread hbal", "pcs resource relocate run", "gnt hbal"),
    _row("drill", "crash_test crash-test chaos", "crm cluster crash_test"),
    _row("update plan", "upgrade patch hroller", "gnt hroller"),
    _row("--version", "version", "crm --version", "pcs --version", "kubectl version"),
    _row(
        "",
        "configure property resource constraint cluster stonith fence",
        note="hxm-from-crm(7) translates the commands of crm, pcs and others",
    ),
)


Known = dict[tuple[str, ...], tuple[Meaning, tuple[str, ...]]]
"""By the words that are typed as they are: the meaning, and what follows them in the other tool."""


def _known() -> Known:
    known: Known = {}
    for meaning in MEANINGS:
        _, *operands = meaning.command.split() or [""]
        for word in meaning.words.split():
            known[(word,)] = meaning, tuple(operand.strip(".[]") for operand in operands)
    for meaning in MEANINGS:
        for tool, line in meaning.elsewhere:
            if " -" in f" {line}":  # an option that says what is meant stands anywhere
                continue
            fixed, rest = _parts(line)
            known[(tool, *fixed)] = meaning, rest
            if fixed:
                known.setdefault(fixed, (meaning, rest))
    return known


def _parts(line: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words before the first operand, and those from it on."""
    words = line.split()
    count = next((at for at, word in enumerate(words) if not word.islower()), len(words))
    return tuple(words[:count]), tuple(_operand(word) for word in words[count:])


def _operand(word: str) -> str:
    """The name in a word as other tools have it: vm=nfs, vm:nfs, pod/nfs."""
    for mark in ("vm=", "host=", "vm:", "ct:", "pod/", "node/"):
        word = word.removeprefix(mark)
    return word


def answer(words: Sequence[str], *, least: int = 1) -> tuple[tuple[str, ...], str] | None:
    """The command for another tool's line without options, and a note; None for no such line.

    The command keeps the operands that were typed, and names those that are missing. It is empty
    where hxm has none. At least so many words must be known ones.
    """
    known = _known()
    for count in range(len(words), least - 1, -1):
        if tuple(words[:count]) in known:
            meaning, rest = known[tuple(words[:count])]
            return _filled(meaning.command.split(), rest, words[count:]), meaning.note
    if words[:1] and words[0] in TOOLS:
        return (), MEANINGS[-1].note
    return None


def _filled(command: list[str], line: Sequence[str], typed: Sequence[str]) -> tuple[str, ...]:
    """The command with the typed words in the places of its operands."""
    values = dict(zip(line, map(_operand, typed), strict=False))
    more = [_operand(word) for word in typed[len(line) :]]
    filled: list[str] = []
    for word in command:
        name = word.removesuffix("...").strip("[]")
        if name in values or word[0] != "[":
            filled.append(values.get(name, word))
        if word.endswith("...") and name in values:
            filled += more
    return tuple(filled)

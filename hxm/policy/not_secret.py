"""What of a configuration may be shown: values that never hold a password or a key.

A list of what is secret would never be complete: agents call a password psk, ipmi_pw or extra_args,
and hide one in the options of a mount. So only what stands here is shown; of the rest, only that it
changed.
"""

from __future__ import annotations

_PARAMETERS = """
xmfile name config hypervisor shutdown-timeout shutdown-acpi shutdown-mode force-stop
allow-mem-management node-ip-attribute reserved-dom0-memory autoset-utilization-cpu
autoset-utilization-hv-memory autoset-utilization-host-memory unset-utilization-cpu
unset-utilization-hv-memory unset-utilization-host-memory monitor-scripts migration-transport
migration-downtime migration-speed migration-network-suffix migrateport save-config-on-stop
sync-config-on-stop snapshot backingfile stateless copyindirs start-resources ip nic cidr-netmask
broadcast iflabel lvs-support mac clusterip-hash unique-clone-address arp-interval arp-count
arp-count-refresh arp-bg run-arping noprefixroute network-namespace device directory fstype
run-fsck fast-stop force-clones force-unmount statusfile-prefix volgrpname exclusive
partial-activation vgname lvname vg-access-mode activation-mode tag drbd-resource drbdconf
configfile pidfile dampen multiplier host-list attempts timeout failure-score use-fping debug
interface state fake op-sleep ignore-deprecation action method delay ipaddr ipport port plug
hostname hostlist ilo-hostname ilo-can-reset ilo-protocol ilo-powerdown-method lanplus cipher
privlvl inet4-only inet6-only ipmitool-path power-timeout power-wait login-timeout shell-timeout
retry-on ssl ssl-insecure ssl-secure sbd-device devices crashdump livedangerously pcmk-host-list
pcmk-host-map pcmk-host-check pcmk-host-argument pcmk-delay-base pcmk-delay-max pcmk-action-limit
pcmk-on-action pcmk-on-timeout pcmk-on-retries pcmk-off-action pcmk-off-timeout pcmk-off-retries
pcmk-reboot-action pcmk-reboot-timeout pcmk-reboot-retries pcmk-list-action pcmk-list-timeout
pcmk-list-retries pcmk-status-action pcmk-status-timeout pcmk-status-retries pcmk-monitor-action
pcmk-monitor-timeout pcmk-monitor-retries
"""
"""Parameters of agents: Xen, VirtualDomain, IPaddr2, Filesystem, LVM, LVM-activate, drbd, ping and
Dummy of resource-agents 4.12, and what devices that fence have in common (fence-agents 4.12,
cluster-glue 1.0.12). User names are not among them."""
_AGENTS = ("ocf:heartbeat:", "ocf:pacemaker:", "ocf:linbit:", "stonith:")
"""How the agents begin whose parameters these are; that of another provider may call its password
`device`. Heartbeat's old agents have the class heartbeat, and no names."""
_DOMUS = (":Xen", ":VirtualDomain")
"""How the agents end that hxm takes for a domU's, whoever provides them."""
_OPTIONS = """
priority target-role is-managed maintenance critical requires multiple-active resource-stickiness
resource-failure-stickiness migration-threshold failure-timeout allow-migrate allow-unhealthy-nodes
container-attribute-target restart-type provides remote-node remote-port remote-addr
remote-connect-timeout remote-allow-migrate ordered collocated interleave notify globally-unique
promotable clone-max clone-node-max clone-min promoted-max promoted-node-max master-max
master-node-max enabled timeout interval start-delay on-fail role record-pending interval-origin
timestamp-format standby terminate pingd probe-complete shutdown #feature-set #health batch-limit
cluster-delay cluster-infrastructure cluster-ipc-limit cluster-name cluster-recheck-interval
concurrent-fencing crmd-finalization-timeout crmd-integration-timeout crmd-transition-delay
dc-deadtime dc-version default-action-timeout default-resource-failure-stickiness
default-resource-stickiness election-timeout enable-acl enable-startup-probes expected-quorum-votes
fence-reaction fencing-action fencing-enabled fencing-max-attempts fencing-timeout
fencing-watchdog-timeout have-watchdog is-managed-default join-finalization-timeout
join-integration-timeout last-lrm-refresh load-threshold maintenance-mode migration-limit
no-quorum-policy node-action-limit node-health-base node-health-green node-health-red
node-health-strategy node-health-yellow node-pending-timeout pe-error-series-max
pe-input-series-max pe-warn-series-max placement-strategy priority-fencing-delay remove-after-stop
shutdown-escalation shutdown-lock shutdown-lock-limit start-failure-is-fatal startup-fencing
stonith-action stonith-enabled stonith-max-attempts stonith-timeout stonith-watchdog-timeout
stop-all-resources stop-orphan-actions stop-orphan-resources stop-removed-actions
stop-removed-resources symmetric-cluster transition-idle-timeout transition-delay
"""
"""Meta attributes, attributes of nodes and properties of the cluster (Pacemaker 0.6 to 3.0)."""
_ATTRIBUTES = """
action add-host admin-epoch attribute boolean-op class control-port crm-feature-set days devices
enabled end epoch execution-date from from-action from-role first first-action first-instance
have-quorum host-interface host-netmask hours id id-ref image index influence internal-port
interval interval-origin ip-range-start kind loss-policy masters minutes monthdays months moon name
network no-quorum-panic node node-attribute object-type on-fail operation ordering path port
promoted-max provider range record-pending ref reference replicas replicas-per-host require-all
requires resource-discovery restart-type role rsc rsc-instance rsc-pattern rsc-role score
score-attribute score-attribute-mangle seconds sequential source source-dir source-dir-root start
start-delay symmetrical tag target target-attribute target-dir target-pattern target-value template
then then-action then-instance ticket timeout to to-action to-role type uname validate-with
value-source version weekdays weeks weekyears with-rsc with-rsc-instance with-rsc-role xpath
yeardays years yearsdays
"""
"""Of elements, in Pacemaker's schemas 0.6 to 3.10. Free text is not among them: descriptions, the
command and the options of a container."""

_BUILT_IN = ("#uname", "#id", "#kind", "#role", "#cluster-name", "#site-name")
"""Attributes that every node has in rules (Pacemaker Explained, Rules)."""

_KNOWN_PARAMETERS, _KNOWN_OPTIONS, _KNOWN_ATTRIBUTES = (
    frozenset(names.split()) for names in (_PARAMETERS, _OPTIONS, _ATTRIBUTES)
)


def parameter(agent: str, name: str) -> bool:
    """Whether the value of a parameter of CLASS:PROVIDER:TYPE may be shown."""
    known = agent.startswith(_AGENTS) or agent.endswith(_DOMUS)
    return known and _usual(name) in _KNOWN_PARAMETERS


def option(name: str) -> bool:
    """Whether the value of a meta attribute, a property or a node's attribute may be shown."""
    return _usual(name) in _KNOWN_OPTIONS


def attribute(name: str) -> bool:
    """Whether the value of an element's attribute may be shown."""
    return _usual(name) in _KNOWN_ATTRIBUTES


def compared(name: str) -> bool:
    """Whether the value that a rule compares an attribute of a node with may be shown."""
    return name in _BUILT_IN or option(name)


def amount(value: str) -> bool:
    """Whether a value is a number, as all of a utilization are."""
    return value.isascii() and value.isdigit()


def _usual(name: str) -> str:
    """The spelling of today: once they stood with an underscore."""
    return name.replace("_", "-").lower()

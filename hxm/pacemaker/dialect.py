"""How each generation of the cluster's tools spells each step: data, and nothing but data.

Every spelling of 2.0 and newer was run on 2.0.5, 2.1.5 and 3.0; those of the older rows are
compared with what the real tools of Heartbeat 2.1.3 and Pacemaker 0.6.6, 1.0.8, 1.1.14 and 1.1.24
did to a CIB. The first release of an option is the first tag of its source that has it.
"""

from __future__ import annotations

import re

from hxm.pacemaker.hints import HINTS_0_6, HINTS_1_0, HINTS_1_1, HINTS_2_0

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hxm.plan import StepKind

Argv = tuple[str, ...]
Steps = dict["StepKind", tuple[Argv, ...]]

CONFIGURATION: Argv = ("cibadmin", "--query", "--scope=configuration")
"""The part that hxm needs of a CIB, where the tools can tell it apart (1.0.4 and newer)."""
WHOLE_CIB: Argv = ("cibadmin", "-Q")
HEADER: Argv = ("cibadmin", "--query", "--xpath=/cib", "--no-children")
"""The attributes of the CIB alone (1.0.4 and newer)."""

VERIFY: Argv = ("crm_verify", "-V", "--xml-file={file}")
"""Whether a CIB in a file makes sense, in the scheduler's eyes too."""

OWN_NAME: Argv = ("crm_node", "-n")
"""What the cluster calls this host (1.1.9 and newer)."""

STATUS_FORMS: tuple[Argv, ...] = (
    ("crm_mon", "--output-as=xml", "--inactive"),  # 2.0.3 and newer
    ("crm_mon", "--as-xml", "--inactive"),  # 1.1.7 and newer
    ("crm_mon", "-1", "-r"),  # all
)
"""How crm_mon is asked: the first that it understands counts, and tells itself which it is."""

FENCING_HISTORY: Argv = ("stonith_admin", "--history=*", "--verbose", "--output-as=xml")
"""Who was fenced (2.0.4 and newer); without --verbose a node is listed once, its first time."""

DC_STATE: Argv = ("crmadmin", "-S", "{node}")
IDLE = "S_IDLE"
"""What a DC that has nothing in hand says of itself, in every generation."""


SIMULATORS: tuple[Argv, ...] = (
    ("crm_simulate", "--quiet", "--xml-file={file}", "--save-graph={graph}"),  # 1.1.0 and newer
    ("ptest", "--xml-file={file}", "--save-graph={graph}"),  # up to 1.1.7
)
"""The scheduler on a file. ptest only computes, crm_simulate also carries out."""

METADATA: Argv = ("crm_resource", "--show-metadata={agent}")  # 1.1.8 and newer
"""What an agent tells of itself."""
RINGS: Argv = ("corosync-cfgtool", "-s")


class Dialect:
    """One generation: how it spells each kind of step, and what it cannot do.

    A step may take several command lines. `{name}` stands for the step's value of that name. The
    value follows its option in the same argument (`--node={node}`), so that no value can pass for
    an option; tools that are too old for that get it as the next argument.
    """

    __slots__ = (
        "feature_set",
        "hints",
        "key",
        "lacks",
        "name",
        "service",
        "since",
        "steps",
        "words",
        "works_on_file",
    )

    def __init__(
        self,
        key: str,
        name: str,
        since: tuple[int, ...],
        feature_set: tuple[int, ...],
        steps: Steps,
        *,
        words: Mapping[str, str] | None = None,
        lacks: Mapping[str, str] | None = None,
        hints: Mapping[str, str] | None = None,
        works_on_file: bool = True,
        service: str = "pacemaker",
    ) -> None:
        self.key = key
        """What the configuration calls it."""
        self.name = name
        self.since = since
        """The first version that is of this generation."""
        self.feature_set = feature_set
        """The feature set of that version, by which nodes are told apart."""
        self.steps = steps
        self.words = words or {}
        """How names and values of meta options are spelt: no generation rejects another's
        spelling, it just has no effect."""
        self.lacks = lacks or {}
        """Steps that cannot be taken (`set-meta NAME`: for that option), and what can instead."""
        self.hints = hints or HINTS_2_0
        """What to advise somebody who wants to look closer, or to do what hxm does not."""
        self.service = service
        """What starts and stops the cluster's stack on a node: service(8)."""
        self.works_on_file = works_on_file
        """Whether the tools obey CIB_file."""


def _drop_empty(what: str) -> Argv:
    """The tools leave the set that held the deleted value behind, empty, for ever."""
    return ("cibadmin", "--delete", f"--xpath={what}[not(*)]")


def _delete_constraint(name: str) -> Argv:
    return ("cibadmin", "--delete", f"--xpath=//constraints/rsc_location[@id='{name}']")


def _node_attribute(name: str, change: str, lifetime: str) -> Argv:
    return ("crm_attribute", "--node={node}", f"--name={name}", change, f"--lifetime={lifetime}")


def _clear_node_attribute(name: str) -> tuple[Argv, ...]:
    """Both that which stays and that which is gone with the node's next start."""
    return (
        _node_attribute(name, "--delete", "forever"),
        _drop_empty(_NODE_SET),
        _node_attribute(name, "--delete", "reboot"),
    )


_NODE_SET = "//nodes/node[@uname='{node}']/instance_attributes"
_META_SET = "//primitive[@id='{resource}']/meta_attributes"

_RENEWAL = '<nvpair id="hxm-lock-renewed" name="hxm-lock-renewed" value="{now}"/>'
_RENEWED = "nvpair[@id='hxm-lock-renewed']"
_LOCK = (
    '<cluster_property_set id="hxm-lock">'
    '<nvpair id="hxm-lock-holder" name="hxm-lock" value="{holder}"/>'
    '<nvpair id="hxm-lock-what" name="hxm-lock-what" value="{what}"/>'
    '<nvpair id="hxm-lock-since" name="hxm-lock-since" value="{now}"/>'
    f"{_RENEWAL}</cluster_property_set>"
)
_LOCK_OF = "//cluster_property_set[@id='hxm-lock'][nvpair[@value={holder:literal}]]"
# Also one that was written with crm_attribute, or lost its holder, and hinders every create.
_OTHER_SET = "cluster_property_set[not(@id='hxm-lock')]"
_ANY_LOCK_OF = (
    f"{_LOCK_OF}|//cluster_property_set[@id='hxm-lock'][not(nvpair[@name='hxm-lock'])]"
    f"|//{_OTHER_SET}[../{_OTHER_SET}/nvpair[@name='hxm-lock'][@value={{holder:literal}}]]"
    "/nvpair[starts-with(@name,'hxm-lock')]"
)

_UPDATE_SET = 'cluster_property_set id="hxm-update"'
_UPDATE = (
    f'<{_UPDATE_SET}><nvpair id="hxm-update-state" name="hxm-update" value="{{state}}"/>'
    "</cluster_property_set>"
)

_STEPS_2_0: Steps = {
    "set-meta": (
        (
            "crm_resource",
            "--resource={resource}",
            "--meta",
            "--set-parameter={name}",
            "--parameter-value={value}",
        ),
    ),
    "clear-meta": (
        ("crm_resource", "--resource={resource}", "--meta", "--delete-parameter={name}"),
        _drop_empty(_META_SET),
    ),
    # without --force they take it from a member that has it as well, and report success
    "clear-meta-above": (
        ("crm_resource", "--force", "--resource={resource}", "--meta", "--delete-parameter={name}"),
        _drop_empty("//resources//*[@id='{resource}']/meta_attributes"),
    ),
    "move": (("crm_resource", "--move", "--resource={resource}", "--node={node}"),),
    "move-and-ban": (
        ("crm_resource", "--move", "--force", "--resource={resource}", "--node={node}"),
    ),
    "clear": (("crm_resource", "--clear", "--resource={resource}"),),
    "delete-constraint": (_delete_constraint("{constraint}"),),
    "unmove": (_delete_constraint("cli-prefer-{resource}"),),
    "unban": (_delete_constraint("cli-ban-{resource}-on-{source}"),),
    "standby": (_node_attribute("standby", "--update=on", "forever"),),
    "clear-standby": _clear_node_attribute("standby"),
    "maintenance": (("crm_attribute", "--name=maintenance-mode", "--update=true"),),
    "clear-maintenance": (("crm_attribute", "--name=maintenance-mode", "--delete"),),
    "node-maintenance": (_node_attribute("maintenance", "--update=true", "forever"),),
    "clear-node-maintenance": _clear_node_attribute("maintenance"),
    "claim": (("cibadmin", "--create", "--scope=crm_config", f"--xml-text={_LOCK}"),),
    "renew": (
        ("cibadmin", "--modify", f"--xpath={_LOCK_OF}/{_RENEWED}", f"--xml-text={_RENEWAL}"),
    ),
    "release": (("cibadmin", "--delete-all", "--force", f"--xpath={_ANY_LOCK_OF}"),),
    # a modify at this level merges, creates what is not there, and is one change; so is a delete
    "load-xml": (("cibadmin", "--modify", "--scope=configuration", "--xml-text={xml}"),),
    "delete-xml": (("cibadmin", "--delete-all", "--force", "--xpath={xpath}"),),
    "forget": (("crm_resource", "--refresh", "--resource={resource}"),),
    "restore": (("cibadmin", "--replace", "--scope=configuration", "--xml-file={file}"),),
    "mark-update": (("cibadmin", "-M", "-c", "-o", "crm_config", "-X", _UPDATE),),
    "unmark-update": (("cibadmin", "-D", "-o", "crm_config", "-X", f"<{_UPDATE_SET}/>"),),
    "fence": (("stonith_admin", "--reboot={node}"),),
    "cleanup": (("crm_resource", "--cleanup", "--resource={resource}"),),
    "cleanup-on": (("crm_resource", "--cleanup", "--resource={resource}", "--node={node}"),),
}

_NO_NODE_MAINTENANCE = "this Pacemaker knows no maintenance of one node: hxm maintenance on"
_NO_LOCK = dict.fromkeys(("claim", "renew", "release"), "this Pacemaker keeps no lock: hxm status")
_NO_ENROLMENT = dict.fromkeys(
    ("load-xml", "delete-xml", "forget"),
    "this was never tried with a Pacemaker before 2.0: hxm unmanage, and cibadmin by hand",
)
_NO_META_MAINTENANCE = "this Pacemaker knows no maintenance of one resource: hxm unmanage"
_NO_RESTORE = {
    "restore": "Heartbeat replaces sections, and never all at once: "
    "cibadmin -R -o resources -x FILE, section by section"
}
_NO_FENCE = {"fence": "this Pacemaker fences on nobody's order: kill its stack on the node instead"}
_LACKS_1_1_13 = _NO_LOCK | _NO_ENROLMENT
_LACKS_1_1_10 = {"set-meta maintenance": _NO_META_MAINTENANCE} | _LACKS_1_1_13  # 1.1.12
_OF_NODES = ("node-maintenance", "clear-node-maintenance")
_LACKS_1_0 = _LACKS_1_1_10 | _NO_FENCE | dict.fromkeys(_OF_NODES, _NO_NODE_MAINTENANCE)  # 1.1.10

# Up to 1.1.9: short options, which alone have stayed the same since Heartbeat 2.1. Their values
# are words of their own: newer tools take -rnfs for -r -n -f -s
_STEPS_1_0: Steps = _STEPS_2_0 | {
    "set-meta": (("crm_resource", "-r", "{resource}", "-m", "-p", "{name}", "-v", "{value}"),),
    "clear-meta": (
        ("crm_resource", "-r", "{resource}", "-m", "-d", "{name}"),
        _drop_empty(_META_SET),
    ),
    "clear-meta-above": (
        ("crm_resource", "-f", "-r", "{resource}", "-m", "-d", "{name}"),
        _drop_empty("//resources//*[@id='{resource}']/meta_attributes"),
    ),
    "move": (("crm_resource", "-M", "-r", "{resource}", "-H", "{node}"),),
    "move-and-ban": (("crm_resource", "-M", "-f", "-r", "{resource}", "-H", "{node}"),),
    "clear": (("crm_resource", "-U", "-r", "{resource}"),),
    "standby": (("crm_standby", "-U", "{node}", "-v", "on"),),
    "unban": (
        _delete_constraint("cli-standby-{resource}"),
        _delete_constraint("cli-ban-{resource}-on-{source}"),  # newer tools on this node
    ),
    "clear-standby": (
        ("crm_standby", "-U", "{node}", "-D"),
        _drop_empty(_NODE_SET),
        ("crm_standby", "-U", "{node}", "-D", "-l", "reboot"),
    ),
    "maintenance": (("crm_attribute", "-n", "maintenance-mode", "-v", "true"),),
    "clear-maintenance": (("crm_attribute", "-n", "maintenance-mode", "-D"),),
    "cleanup": (("crm_resource", "-C", "-r", "{resource}"),),
    "cleanup-on": (
        ("crm_resource", "-C", "-r", "{resource}", "-H", "{node}"),
        ("crm_failcount", "-D", "-r", "{resource}", "-U", "{node}"),
    ),
}


def _delete_location(name: str) -> Argv:
    return ("cibadmin", "-D", "-o", "constraints", "-X", f'<rsc_location id="{name}"/>')


_CLEAR_META_0_6 = (
    ("crm_resource", "-r", "{resource}", "-m", "-d", "{name}"),
    ("crm_resource", "-r", "{resource}", "-d", "{name}"),
)

# Heartbeat: no XPath, so that empty sets stay; meta options may also stand among the parameters
_STEPS_0_6: Steps = _STEPS_1_0 | {
    "clear-meta": _CLEAR_META_0_6,
    "clear-meta-above": _CLEAR_META_0_6,
    "delete-constraint": (_delete_location("{constraint}"),),
    "unmove": (_delete_location("cli-prefer-{resource}"),),
    "unban": (
        _delete_location("cli-standby-{resource}"),
        _delete_location("cli-ban-{resource}-on-{source}"),
    ),
    "clear-standby": (
        ("crm_standby", "-U", "{node}", "-D"),
        ("crm_standby", "-U", "{node}", "-D", "-l", "reboot"),
    ),
    "maintenance": (("crm_attribute", "-n", "is-managed-default", "-v", "false"),),
    "clear-maintenance": (("crm_attribute", "-n", "is-managed-default", "-v", "true"),),
    "mark-update": (("crm_attribute", "-n", "hxm-update", "-v", "{state}"),),
    "unmark-update": (("crm_attribute", "-n", "hxm-update", "-D"),),
}
_WORDS_0_6 = {
    "target-role": "target_role",
    "is-managed": "is_managed",
    "Started": "started",
    "Stopped": "stopped",
}

DIALECTS = (
    Dialect("3.0", "Pacemaker 3.0", (3, 0), (3, 20), _STEPS_2_0),
    Dialect("2.1", "Pacemaker 2.1", (2, 1), (3, 7), _STEPS_2_0),
    Dialect("2.0", "Pacemaker 2.0", (2, 0), (3, 1), _STEPS_2_0),
    # --restart and --wait came with 1.1.13, maintenance of a resource with 1.1.12
    # the lock and enrolment were never tried with tools older than 2.0
    Dialect(
        "1.1.13",
        "Pacemaker 1.1.13",
        (1, 1, 13),
        (3, 0, 10),
        _STEPS_2_0,
        lacks=_LACKS_1_1_13,
        hints=HINTS_1_1,
    ),
    # --ban and --clear came with 1.1.10; a move's ban is called cli-ban from here on
    Dialect(
        "1.1.10",
        "Pacemaker 1.1.10",
        (1, 1, 10),
        (3, 0, 7),
        _STEPS_2_0,
        lacks=_LACKS_1_1_10,
        hints=HINTS_1_1,
    ),
    Dialect(
        "1.1", "Pacemaker 1.1", (1, 1), (3, 0, 2), _STEPS_1_0, lacks=_LACKS_1_0, hints=HINTS_1_1
    ),
    Dialect("1.0", "Pacemaker 1.0", (0, 7), (3, 0), _STEPS_1_0, lacks=_LACKS_1_0, hints=HINTS_1_0),
    Dialect(
        "0.6",
        "Heartbeat 2.1",  # and Pacemaker 0.6, which is the same
        (0,),
        (0,),
        _STEPS_0_6,
        words=_WORDS_0_6,
        lacks=_LACKS_1_0 | _NO_RESTORE,
        hints=HINTS_0_6,
        works_on_file=False,
        service="heartbeat",
    ),
)
"""The newest first."""

OLDEST = DIALECTS[-1]


def dialect_of(version: str) -> Dialect | None:
    """The generation of a version of Pacemaker, or None if that is no version.

    Heartbeat's own versions look like Pacemaker's (its 2.1.4 is older than 0.7): whoever asks must
    know from the CIB that it is not Heartbeat's.
    """
    return _first(lambda dialect: dialect.since, version)


def dialect_of_feature_set(feature_set: str) -> Dialect | None:
    """The generation of a node by its feature set; `<3.15.1` is one of before 2.1.4."""
    return _first(lambda dialect: dialect.feature_set, feature_set.removeprefix("<3.15.1") or "3.1")


_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*")
"""A version without what a distributor adds to it: 1.1.18+20180430.b12c320f5-3.15.1."""


def _first(bound: Callable[[Dialect], tuple[int, ...]], version: str) -> Dialect | None:
    match = _NUMBERS.match(version)
    if not match:
        return None
    numbers = [int(word[:9]) for word in match[0].split(".")]
    return next(dialect for dialect in DIALECTS if bound(dialect) <= tuple(numbers))

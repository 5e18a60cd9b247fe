"""What each generation of the cluster's tools spells how: data, and nothing but data.

A dialect is recognised by what crm_mon's document says of itself, never by asking for a version.
Every spelling was run on Pacemaker 2.1.5; those of the other rows are taken from the tools' own
help texts (2.0.3, 2.0.5, 2.1.6, 3.0.0, 3.0.3), which agree but for what the rows say.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

Argv = tuple[str, ...]

CONFIGURATION: Argv = ("cibadmin", "--query", "--scope=configuration")
WHOLE_CIB: Argv = ("cibadmin", "--query")


class Dialect:
    """One generation: how it is asked, and how it spells each kind of step.

    A step may take several command lines. `{name}` stands for the step's value of that name; it
    is always part of an argument that begins with a letter or a dash of ours, so that no value
    can be taken for an option.
    """

    __slots__ = ("absent_is_error", "name", "releases", "status", "steps")

    def __init__(
        self,
        name: str,
        releases: str,
        status: Argv,
        steps: Mapping[str, tuple[Argv, ...]],
        *,
        absent_is_error: bool = False,
    ) -> None:
        self.name = name
        self.releases = releases
        """The prefix of the version that such a cluster's DC reports."""
        self.status = status
        self.steps = steps
        self.absent_is_error = absent_is_error
        """Deleting what is not set ends with 105 (3.0), not with 0 (all before)."""


def _drop_empty(what: str) -> Argv:
    """The tools leave the set that held the deleted value behind, empty, for ever."""
    return ("cibadmin", "--delete", f"--xpath={what}[not(*)]")


_NODE_SET = "//nodes/node[@uname='{node}']/instance_attributes"

_RENEWAL = '<nvpair id="hxm-lock-renewed" name="hxm-lock-renewed" value="{now}"/>'
_RENEWED = "nvpair[@id='hxm-lock-renewed']"
_LOCK = (
    '<cluster_property_set id="hxm-lock">'
    '<nvpair id="hxm-lock-holder" name="hxm-lock" value="{holder}"/>'
    '<nvpair id="hxm-lock-what" name="hxm-lock-what" value="{what}"/>'
    '<nvpair id="hxm-lock-since" name="hxm-lock-since" value="{now}"/>'
    f"{_RENEWAL}</cluster_property_set>"
)
_LOCK_OF = "//cluster_property_set[@id='hxm-lock'][nvpair[@value='{holder}']]"

_STEPS_2_0: dict[str, tuple[Argv, ...]] = {
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
        _drop_empty("//primitive[@id='{resource}']/meta_attributes"),
    ),
    "move": (("crm_resource", "--move", "--resource={resource}", "--node={node}"),),
    "move-and-ban": (
        ("crm_resource", "--move", "--force", "--resource={resource}", "--node={node}"),
    ),
    "clear": (("crm_resource", "--clear", "--resource={resource}"),),
    "delete-constraint": (
        ("cibadmin", "--delete", "--xpath=//constraints/rsc_location[@id='{constraint}']"),
    ),
    "standby": (
        (
            "crm_attribute",
            "--node={node}",
            "--name=standby",
            "--update=on",
            "--lifetime=forever",
        ),
    ),
    "clear-standby": (
        (
            "crm_attribute",
            "--node={node}",
            "--name=standby",
            "--delete",
            "--lifetime=forever",
        ),
        _drop_empty(_NODE_SET),
    ),
    "clear-standby-until-reboot": (
        ("crm_attribute", "--node={node}", "--name=standby", "--delete", "--lifetime=reboot"),
    ),
    "maintenance": (("crm_attribute", "--name=maintenance-mode", "--update=true"),),
    "clear-maintenance": (("crm_attribute", "--name=maintenance-mode", "--delete"),),
    "node-maintenance": (
        (
            "crm_attribute",
            "--node={node}",
            "--name=maintenance",
            "--update=true",
            "--lifetime=forever",
        ),
    ),
    "clear-node-maintenance": (
        (
            "crm_attribute",
            "--node={node}",
            "--name=maintenance",
            "--delete",
            "--lifetime=forever",
        ),
        _drop_empty(_NODE_SET),
    ),
    "claim": (("cibadmin", "--create", "--scope=crm_config", f"--xml-text={_LOCK}"),),
    "renew": (
        ("cibadmin", "--modify", f"--xpath={_LOCK_OF}/{_RENEWED}", f"--xml-text={_RENEWAL}"),
    ),
    "release": (("cibadmin", "--delete", f"--xpath={_LOCK_OF}"),),
    "cleanup": (("crm_resource", "--cleanup", "--resource={resource}"),),
    "cleanup-on": (("crm_resource", "--cleanup", "--resource={resource}", "--node={node}"),),
}

_STATUS: Argv = ("crm_mon", "--output-as=xml", "--inactive")

DIALECTS = (
    Dialect("Pacemaker 3.0", "3.", _STATUS, _STEPS_2_0, absent_is_error=True),
    Dialect("Pacemaker 2.1", "2.1.", _STATUS, _STEPS_2_0),
    # --output-as came with 2.0.3; --as-xml is understood by all (crm_mon.c, 1.1.7 to 3.0.3)
    Dialect("Pacemaker 2.0", "2.0.", ("crm_mon", "--as-xml", "--inactive"), _STEPS_2_0),
)

NEWEST = DIALECTS[0]


def dialect_of(version: str) -> Dialect:
    """The dialect of a cluster whose DC reports this version; an unknown one is taken as 2.1."""
    for dialect in DIALECTS:
        if version.startswith(dialect.releases):
            return dialect
    return DIALECTS[1]

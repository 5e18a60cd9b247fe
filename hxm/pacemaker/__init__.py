"""Pacemaker's tools: how they are spelt, what they print, and the scheduler run on a file."""

from __future__ import annotations

import os

from hxm.errors import CannotAsk
from hxm.host.programs import Result

_NO_CIB = (65, 66, 78, 102, 105)  # CRM_EX_DATAERR, NOINPUT, CONFIG, DISCONNECT, NOSUCH


def cannot_ask(result: Result, errors: str = "") -> CannotAsk:
    """Why a tool that reads the cluster gave no answer: the cluster's fault, or its file's."""
    file = os.environ.get("CIB_file")
    if result.status < 0:
        return CannotAsk(f"{result.argv[0]} gave no answer: {result.complaint()}", "try it again")
    if file and (errors or result.status in _NO_CIB):
        return cannot_read(file)
    return CannotAsk(
        f"the cluster cannot be asked: {errors or result.complaint(0)}",
        _who_may_not() or "is Pacemaker running on this node? Try: systemctl status pacemaker",
    )


def _who_may_not() -> str:
    """A hint that the user may lack the right to ask the cluster."""
    if os.geteuid() == 0:
        return ""
    import grp
    import pwd

    try:
        may = grp.getgrnam("haclient").gr_gid in (os.getegid(), *os.getgroups())
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return ""
    return "" if may else f"you are {name}: only root and the group haclient may ask"


def is_help(result: Result) -> bool:
    """Whether the tool printed its help and no answer: it is older than an option that it got.

    Heartbeat's tools end with 0 then, those of 1.0 and 1.1 with 1 or 2, newer ones with 64.
    """
    for text in (result.stdout[:1000].decode("utf-8", "replace"), result.stderr[:1000]):
        first = text.strip().partition("\n")[0]
        if first.startswith("<"):
            return False
        if first.lower().startswith(("usage:", f"{result.argv[0]} - ", "invalid option")):
            return True
        if "nrecognized option" in first or "nknown option" in first:
            return True
    return False


def cannot_read(file: str) -> CannotAsk:
    """Why a CIB_file is not usable."""
    return CannotAsk(
        f"Pacemaker's tools cannot read {file}: {_fault_of(file)}",
        f"crm_verify --xml-file={file} -V shows more; hxm sandbox new DIR makes a good one",
    )


def _fault_of(path: str) -> str:
    """What is wrong with a CIB in a file, more exactly than the tools say."""
    from hxm.host.safe_files import read_whole
    from hxm.xml_reading import XmlError, parse_xml

    try:
        root = parse_xml(read_whole(path))
    except XmlError as error:
        return "it is empty" if not os.path.getsize(path) else f"it cannot be read ({error})"
    except OSError as error:
        return error.strerror or str(error)
    if root.tag != "cib":
        return f"it is a <{root.tag}>, not a <cib>"
    if root.find("configuration/resources") is None:
        return "it holds no configuration"
    schema = root.get("validate-with", "none")
    return f"it does not fit its schema, {schema}, or this Pacemaker does not know that one"

"""Whether Pacemaker's tools here work on the file that CIB_file names, and not on the live cluster.

A wrapper in front of them (sudo's env_reset, ssh) may drop the variable: then what is meant for a
copy would be done for real.
"""

from __future__ import annotations

import functools
import os
import tempfile

from hxm.errors import CannotAsk
from hxm.host import programs

_QUERIES = {
    "cibadmin": ("-Q",),
    "crm_resource": ("-l",),
    "crm_attribute": ("-G", "-t", "crm_config", "-n", "hxm-copy"),
}
"""For each tool that writes, what makes it print the mark; the others are scripts around these."""
_CIB = """<cib validate-with="pacemaker-1.2" admin_epoch="0" epoch="1" num_updates="0">
<configuration><crm_config><cluster_property_set id="copy">
<nvpair id="copy-mark" name="hxm-copy" value="{mark}"/></cluster_property_set></crm_config><nodes/>
<resources><primitive id="{mark}" class="ocf" provider="heartbeat" type="Dummy"/></resources>
<constraints/></configuration><status/></cib>
"""


@functools.cache
def sees_the_copy(program: str) -> None:
    """Raises CannotAsk if the program reads another CIB than the one that CIB_file names."""
    query = _QUERIES.get(program)
    if not query:
        return
    mark = f"mark-{os.urandom(8).hex()}"  # secrets takes 4 ms to import
    with tempfile.TemporaryDirectory(prefix="hxm-mark-") as folder:
        path = os.path.join(folder, "cib.xml")
        with open(path, "w", encoding="ascii") as file:
            file.write(_CIB.format(mark=mark))
        result = programs.output((program, *query), {"CIB_file": path})
    if mark.encode() not in result.stdout:
        where = programs.find(program) or program
        raise CannotAsk(
            f"cannot be simulated: {where} does not work on the file that CIB_file names",
            f"is it a wrapper that drops the environment? {program} must keep CIB_file",
        )

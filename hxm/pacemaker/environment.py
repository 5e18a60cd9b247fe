"""What in the environment leads Pacemaker's tools to another cluster than this host's."""

from __future__ import annotations

import os

ELSEWHERE = {"CIB_shadow": "the shadow", "CIB_port": "another host's CIB"}
"""Variables that do it, as CIB_file does, and what the tools then act on.

(cib_new of Pacemaker's lib/cib/cib_client.c.)
"""
_DETAILS = ("CIB_server", "CIB_user", "CIB_passwd", "CIB_encrypted", "CIB_shadow_dir")
THIS_HOSTS = "HXM_TEST_CIB"
"""For tests: a CIB_file of this name stands for this host's cluster, also for the guard."""
LONGEST = 600.0
"""Seconds for one answer about a CIB in a file: arithmetic, which says nothing of the cluster."""


def is_this_hosts() -> bool:
    """Whether the CIB_file stands for this host's cluster, so that its toolstack counts."""
    file = os.environ.get("CIB_file")
    return bool(file) and os.environ.get(THIS_HOSTS) == file


def forget_other_clusters() -> None:
    """Have this process, and what it starts, ask this host's cluster and no other.

    What somebody has exported for a sandbox does not tell which domUs of this host are managed.
    """
    if not is_this_hosts():
        for variable in ("CIB_file", *ELSEWHERE, *_DETAILS):
            os.environ.pop(variable, None)

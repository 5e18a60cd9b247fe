"""Why the scheduler restarts something, in the words of each generation."""

from __future__ import annotations

import pytest

from hxm.pacemaker.simulate import restart_in

LINES = {
    "2.1": (
        "  * Restart    clvm:0     ( host1 )  due to required dlm-clone running",
        ("clvm", "host1", "required dlm-clone running"),
    ),
    "1.1.24": (
        " * Restart    chg     (               host2 )   due to resource definition change",
        ("chg", "host2", "resource definition change"),
    ),
    "with a role": (
        "  * Restart    r0:0     ( Promoted host1 )  due to required dlm start",
        ("r0", "host1", "required dlm start"),
    ),
    "its own failure": ("  * Recover    st:0    ( host1 )", None),
    "1.1.14": ("Restart\tvm1\t(Started host1)", None),
    "elsewhere": ("  * Move     vm1     ( host1 -> host2 )  due to required a start", None),
}


@pytest.mark.parametrize(("line", "expected"), LINES.values(), ids=LINES)
def test_what_restarts_and_why_is_read_from_the_summary(line, expected):
    assert restart_in(line) == expected

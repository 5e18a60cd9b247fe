"""A thousand command lines for xl that would take something of a managed domU's: none passes.

They are made of xl's grammar, and Xen 4.17 itself has said what each would take (tests/xl).
"""

from __future__ import annotations

import json

import pytest
from factories import DATA
from test_admission import NODES, host  # noqa: F401 - a fixture

from hxm.errors import Refused

LINES = json.loads((DATA / "xen-4.17" / "command-lines.json").read_text())
UUID = "135631b2-d539-4d73-bc0a-16ef7192fe00"
EXAMPLES = (
    "xl block-attach other vdev=xvdb target=/dev/vg/nfs access=rw",
    "xl block-attach other phy: /dev/vg/nfs xvdb w",
    "xl cd-insert other hdc vg/nfs",
    "xl cd-ins other xvdc /dev/vg/./nfs",
)


@pytest.fixture
def judge(host, tmp_path):  # noqa: F811
    """How the guard judges a line: why it is refused, or empty."""
    text = f'name="nfs"\nuuid="{UUID}"\ndisk=["phy:/dev/vg/nfs,xvda,w"]\n'
    (tmp_path / "nfs.xm").write_text(text)
    host.nodes = NODES[:2]
    host.nfs = host.nfs._replace(nodes=("host1",), role="Started", id=3)

    def judge(words: list[str], made: str = "") -> str:
        (tmp_path / "made.cfg").write_text(made)
        try:
            host.judge(words)
        except Refused as error:
            return str(error)
        return ""

    return judge


def test_no_line_that_takes_a_disk_a_name_or_a_uuid_of_a_managed_domu_passes(judge):
    passed = [words for words, made, harm in LINES if harm and not judge(words, made)]
    assert passed == []
    assert sum(bool(harm) for _, _, harm in LINES) == 1000


def test_every_line_that_takes_nothing_of_it_passes(judge):
    refused = [words for words, made, harm in LINES if not harm and judge(words, made)]
    assert refused == []
    assert sum(not harm for _, _, harm in LINES) == 250


@pytest.mark.parametrize("line", EXAMPLES)
def test_a_disk_in_several_words_and_a_disk_in_a_cd_drive_are_disks(judge, line):
    assert "other and nfs share" in judge(line.split())
    assert judge(line.replace("nfs", "spare").split()) == ""


def test_a_uuid_of_a_managed_domu_is_not_given_to_another(judge):
    made = f'name="made"\nuuid="{UUID}"\n'
    assert "made and nfs have one uuid" in judge(["xl", "create", "made.cfg"], made)

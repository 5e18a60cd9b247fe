"""Before a start the other nodes are asked what they run, on which disks, and for the file.

This host is host1, where nfs runs; sles is stopped, and would start on host2.
"""

from __future__ import annotations

import json
import re

import pytest

SSH = r"""
for command; do :; done
[ ! -e "$THERE/broken" ] || { cat "$THERE/broken"; exit 0; }
[ ! -e "$THERE/silent" ] || { echo 'Connection refused' >&2; exit 255; }
[ ! -e "$THERE/votes" ] || PATH=/usr/sbin:/usr/bin:/sbin:/bin
[ ! -e "$THERE/sles.xm" ] || cp "$THERE/sles.xm" "$FILES/sles.xm"
XL_ROWS="$THERE/rows" XL_LONG="$THERE/long" sh -c "$command"
status=$?
[ ! -e "$THERE/sles.xm" ] || rm "$FILES/sles.xm"
exit $status
"""
XL = r"""
[ "$1" != create ] || exit 42
[ "$1" = list ] || exit 1
[ "$2" != -l ] || { cat "$XL_LONG" 2>/dev/null || echo "[]"; exit; }
printf 'Name                                        ID   Mem VCPUs\tState\tTime(s)\n'
cat "$XL_ROWS" 2>/dev/null || :
"""
LIKE_NFS = "disk = [ 'phy:/dev/evms/san2/vm2,xvda,w' ]"


@pytest.fixture
def there(xen):
    """What stands on host2: rows and long for xl, sles.xm for its file, broken, silent, votes."""
    xen.ok("shutdown", "sles")
    folder = xen.folder / "there"
    folder.mkdir()
    xen.env |= {"THERE": str(folder), "FILES": str(xen.file.parent), "HXM_REAL": "/nowhere"}
    xen.program("xl", XL)
    xen.program("ssh", SSH)
    xen.as_if_live()
    return folder


def plan(xen) -> str:
    ran = xen.hxm("start", "sles", "--dry-run")
    assert "sles: start on host2" in ran.out, ran
    return ran.out + ran.err


def runs(folder, name: str, disk: str) -> None:
    (folder / "rows").write_text(f"{name:40} 4 512 1     -b----  7.5\n")
    disks = [{"pdev_path": disk, "vdev": "xvda", "readwrite": 1}]
    long = [{"domid": 4, "config": {"c_info": {"name": name}, "b_info": {}, "disks": disks}}]
    (folder / "long").write_text(json.dumps(long))


def test_where_nothing_runs_nothing_is_said(xen, there):
    assert not re.search("refused|asked about|warning", plan(xen))


def test_an_instance_on_another_node_that_the_cluster_does_not_know(xen, there):
    runs(there, "sles", "/dev/evms/san2/sles")
    assert "refused: sles runs on host2, and the cluster does not know it" in plan(xen)
    ran = xen.hxm("start", "sles", "--yes", "--force")
    assert (ran.status, "sles runs on host2" in ran.err) == (107, True)


def test_a_domu_of_another_node_that_writes_its_disk(xen, there):
    disk = re.search("phy:([^,]*)", (xen.file.parent / "sles.xm").read_text())[1]
    runs(there, "intruder", disk)
    assert f"refused: sles and intruder (on host2) share {disk}, and intruder" in plan(xen)


def test_the_file_counts_as_it_is_where_the_domu_starts(xen, there):
    own = xen.file.parent / "sles.xm"
    text = re.sub("^disk.*$", LIKE_NFS, own.read_text(), flags=re.MULTILINE)
    (there / "sles.xm").write_text(text)
    own.unlink()
    shared = "refused: sles and nfs share /dev/evms/san2/vm2, and nfs runs on host1"
    assert plan(xen).count(shared) == 1


def test_disks_that_nobody_can_tell_are_not_started_on(xen, there):
    (xen.file.parent / "sles.xm").unlink()
    (there / "silent").touch()
    shown = plan(xen)
    assert "refused (unless --force): the disks of sles are unknown" in shown
    assert "what runs on host2, and on which disks, is unknown: no sshd there" in shown


def test_an_unmanaged_domu_that_another_host_may_run_is_created_by_force_alone(xen, there):
    text = "name = 'fresh'\ndisk = ['phy:/dev/vg/fresh,xvda,w']\n"
    (xen.folder / "fresh.cfg").write_text(text)
    file = str(xen.folder / "fresh.cfg")
    assert xen.hxm("create", file).status == 42
    (there / "silent").touch()
    refused = xen.hxm("create", file)
    assert (refused.status, refused.out) == (102, "")
    assert "the domUs of host2 are unknown: no sshd there; one of them may be fresh" in refused.err
    assert refused.err.endswith("see to it that none does; then: --force\n")
    forced = xen.hxm("create", file, "--force")
    assert (forced.status, "warning: the domUs of host2 are unknown" in forced.err) == (42, True)


def test_a_host_without_xen_that_only_votes_runs_no_domu(xen, there):
    (xen.folder / "fresh.cfg").write_text("name = 'fresh'\ndisk = ['phy:/dev/vg/fresh,xvda,w']\n")
    (there / "votes").touch()
    ran = xen.hxm("create", str(xen.folder / "fresh.cfg"))
    assert (ran.status, "unknown" in ran.err) == (42, False), ran


@pytest.mark.parametrize("answer", ["", "welcome to host2\n", "a\0b"])
def test_an_answer_that_is_none_is_no_answer(xen, there, answer):
    (there / "broken").write_text(answer)
    assert "what runs on host2, and on which disks, is unknown: its answer" in plan(xen)


def test_a_drill_foresees_that_a_domu_without_its_file_could_not_start_again(xen):
    xen.as_if_live()
    words = ("drill", "kill", "nfs", "--dry-run")
    shown = xen.hxm(*words).out
    assert "nfs: restart on host1" in shown
    assert "could not start" not in shown
    (xen.file.parent / "nfs.xm").unlink()
    assert "asked about: nfs could not start on host1: there is no" in xen.hxm(*words).out

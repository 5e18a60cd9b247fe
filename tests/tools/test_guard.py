"""The guard on a host: in front of stand-ins for xl and virsh, judged by a cluster in a file."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import struct
import subprocess
from pathlib import Path

import pytest
from guarded_host import VIRSH

from hxm.guard import wrapper

UUID_NFS = "135631b2-d539-4d73-bc0a-16ef7192fe00"


def test_it_is_put_there_and_taken_away_to_the_byte(host):
    ran = host.xen.hxm("guard", "status")
    assert (ran.status, ran.out.count("is not guarded")) == (1, 2)
    for _ in range(2):
        host.xen.ok("guard", "install")
        assert host.xen.ok("guard", "status").out.count("is guarded\n") == 2
        assert set(host.files()) == {
            *host.snapshot,
            *(f"{name}.hxm-{end}" for name in ("xl", "virsh") for end in ("real", "guard")),
        }
    for _ in range(2):
        host.xen.ok("guard", "remove")
        assert host.files() == host.snapshot
        assert not host.real.exists()


def test_a_relative_link_to_a_script_that_goes_by_its_name_stays_one(host):
    """Debian's /usr/sbin/xl is such a link, and the script calls what it was called as."""
    (host.bin.parent / "lib").mkdir()
    wrapper = host.bin.parent / "lib" / "wrapper"
    shutil.move(host.bin / "xl", host.bin.parent / "lib" / "xl")
    wrapper.write_text(f'#!/bin/sh\nexec {wrapper.parent}/"${{0##*/}}" "$@"\n')
    wrapper.chmod(0o755)
    (host.bin / "xl").symlink_to("../lib/wrapper")
    before = host.files()
    host.xen.ok("guard", "install")
    assert host.run("xl", "uptime") == (42, "[uptime]\n", "")
    assert "nfs" in host.xen.ok("list").out
    assert host.run("xl", "pause", "other")[:2] == (42, "[pause][other]\n")
    host.xen.ok("guard", "remove")
    assert host.files() == before


def test_an_upgrade_that_undid_it_is_noticed_and_made_good(guarded):
    newer = "#!/bin/sh\necho newer; exit 41\n"
    (guarded.bin / "new").write_text(newer)
    (guarded.bin / "new").chmod(0o755)
    (guarded.bin / "new").rename(guarded.bin / "xl")
    ran = guarded.xen.hxm("guard", "status")
    assert (ran.status, "xl is undone: hxm guard install" in ran.out) == (1, True)
    guarded.xen.ok("guard", "install")
    assert guarded.run("xl", "uptime") == (41, "newer\n", "")
    guarded.xen.ok("guard", "remove")
    assert (guarded.bin / "xl").read_text() == newer
    assert set(guarded.files()) == set(guarded.snapshot)


def test_undone_and_removed_leaves_the_newer_program(guarded):
    (guarded.bin / "xl").unlink()
    (guarded.bin / "xl").write_text("#!/bin/sh\nexit 41\n")
    (guarded.bin / "xl").chmod(0o755)
    guarded.xen.ok("guard", "remove")
    assert guarded.run("xl")[0] == 41
    assert set(guarded.files()) == set(guarded.snapshot)


def test_what_starts_domus_at_boot_is_put_after_the_cluster(host):
    root = host.xen.folder / "root"
    for folder in ("etc/systemd/system", "etc/init.d", "etc/rc3.d"):
        (root / folder).mkdir(parents=True)
    (root / "etc/init.d/xendomains").write_text("# X-Start-Before: corosync\n")
    host.xen.ok("guard", "install")
    unit = root / "etc/systemd/system/xendomains.service"
    assert f"ExecStartPre=-{host.bin}/hxm guard wait" in unit.read_text()
    host.xen.ok("guard", "status")
    unit.unlink()
    ran = host.xen.hxm("guard", "status")
    assert (ran.status, "xendomains is started before the cluster" in ran.out) == (1, True)
    assert "starts after the cluster" in host.xen.ok("guard", "install").out
    if shutil.which("systemd-analyze"):
        copy = root / unit.name
        text = unit.read_text().replace("/etc/init.d/xendomains", "/bin/true")
        copy.write_text(text.replace(f"{host.bin}/hxm", "/bin/true"))
        argv = ["systemd-analyze", "verify", "--man=no", str(copy)]
        told = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60).stderr
        assert unit.name not in told
    host.xen.ok("guard", "remove")
    assert not unit.exists()


def test_whoever_waits_for_the_cluster_waits_for_a_dc_and_for_quorum(host):
    host.xen.ok("guard", "wait")
    Path(host.xen.env["HXM_CONFIG"]).write_text("timeout = 0.1\npoll = 0.05\n")
    host.xen.replace('have-quorum="1"', 'have-quorum="0"')
    assert host.xen.hxm("guard", "wait").status == 106
    host.xen.file.unlink()
    assert host.xen.hxm("guard", "wait").status == 102


def test_the_guard_of_another_hxm_is_outdated_and_that_of_none_refuses(guarded):
    script = guarded.bin / "xl.hxm-guard"
    script.write_text(script.read_text().replace("uptime|", ""))
    assert "xl is outdated" in guarded.xen.hxm("guard", "status").out


BROKEN = {
    "gone": lambda hxm: hxm.unlink(),
    "empty": lambda hxm: hxm.write_text(""),
    "without its interpreter": lambda hxm: hxm.write_text("#!/nowhere/python3\n"),
    "without its packages": lambda hxm: hxm.write_text("#!/bin/sh\nexit 1\n"),
    "not executable": lambda hxm: hxm.chmod(0o644),
    "ended by a signal": lambda hxm: hxm.write_text("#!/bin/sh\nkill -9 $$\n"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_an_hxm_that_does_not_work_judges_nothing_and_the_guard_tells_the_ways_out(guarded, how):
    BROKEN[how](guarded.bin / "hxm")
    status, out, said = guarded.run("xl", "destroy", "other")
    assert (status, out) == (102, ""), said
    for way_out in ("python3 -m venv --clear", f"{guarded.bin}/xl.hxm-real", "xl.hxm-guard remove"):
        assert way_out in said
    assert guarded.run("xl", "info")[0] == 42
    assert guarded.run_by_agent("xl", "destroy", "nfs")[0] == 42
    for name in ("xl", "virsh"):
        removed = guarded.run(f"{name}.hxm-guard", "remove")
        assert removed == (0, "", "")
    assert {name: kept for name, kept in guarded.files().items() if name != "hxm"} == {
        name: kept for name, kept in guarded.snapshot.items() if name != "hxm"
    }
    assert not guarded.real.exists()


@pytest.mark.parametrize("gone", ["the links", "all links"])
def test_no_agent_notices_that_the_links_are_gone(guarded, gone):
    """A person may have removed, or made anew, the folder that they are in."""
    before = guarded.files()
    shutil.rmtree(guarded.real)
    if gone == "all links":
        guarded.real.write_text("a file, so that there can be no such folder")
    assert guarded.run_by_agent("xl", "list", "nfs")[0] == 0
    assert guarded.run("xl", "uptime") == (42, "[uptime]\n", "")
    assert guarded.run_by_agent("xl", "destroy", "nfs")[:2] == (42, "[destroy][nfs]\n")
    assert guarded.real.is_dir() == (gone == "the links")
    assert guarded.files() == before


def test_the_guard_depends_on_no_umask(host):
    before = os.umask(0o077)
    try:
        host.xen.ok("guard", "install")
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in host.bin.iterdir()}
    assert {mode for path, mode in modes.items() if "hxm-guard" in path.name} == {0o755}
    assert modes[host.bin / "xl"] == 0o755
    assert stat.S_IMODE(host.real.stat().st_mode) == 0o755


needs_dpkg = pytest.mark.skipif(not shutil.which("dpkg-divert"), reason="no dpkg")


@needs_dpkg
def test_what_a_package_owns_is_diverted_and_an_upgrade_goes_past_the_guard(host):
    dpkg = Path(host.xen.env["DPKG_ADMINDIR"])
    (dpkg / "info" / "xen-utils-common.list").write_text(f"/.\n{host.bin}/xl\n")
    (dpkg / "info" / "format").write_text("1\n")
    (dpkg / "status").write_text(
        "Package: xen-utils-common\nStatus: install ok installed\nVersion: 4.17\n"
        "Architecture: all\nMaintainer: nobody <n@example.org>\nDescription: x\n"
    )

    def diverted():
        return subprocess.run(
            ["dpkg-divert", "--truename", f"{host.bin}/xl"],
            env=host.xen.env,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    assert diverted() == f"{host.bin}/xl"
    host.xen.ok("guard", "install")
    host.xen.ok("guard", "install")
    assert diverted() == f"{host.bin}/xl.hxm-real"
    Path(diverted()).write_text("#!/bin/sh\nexit 41\n")  # what dpkg would unpack
    assert host.run("xl", "info")[0] == 41
    # the newer program lists nothing, so that the last look hears nothing from here
    assert host.xen.hxm("guard", "status").out.count("is guarded\n") == 2
    host.xen.ok("guard", "remove")
    assert diverted() == f"{host.bin}/xl"
    assert host.run("xl", "info")[0] == 41


def test_what_only_reads_starts_no_python(guarded):
    (guarded.bin / "hxm").write_text("#!/bin/sh\necho python; exit 107\n")
    for words in (
        "list",
        "li nfs",
        "-v vcpu-l nfs",
        "vif-list nfs",
        "migrate-receive",
        "console 3",
    ):
        assert guarded.run("xl", *words.split())[0] != 107, words
    for words in ("list --all", "-q dominfo nfs", "domstate nfs", "net-start default"):
        assert guarded.run("virsh", *words.split())[0] == 43, words
    for words in ("destroy nfs", "-N create x", "m nfs", "unknown", "", "-x list", "c nfs"):
        assert guarded.run("xl", *words.split())[0] == 107, words
    assert guarded.run_by_agent("xl", "destroy", "nfs") == (42, "[destroy][nfs]\n", "")
    assert guarded.run_by_agent("virsh", "destroy", "nfs")[0] == 43
    by_hand = {"OCF_RESOURCE_INSTANCE": "nfs"}  # exported, to run an agent by hand
    assert guarded.run("xl", "destroy", "nfs", **by_hand)[0] == 107
    assert guarded.run("xl", "list", **by_hand)[0] == 0


REFUSED = {
    "create nfs.xm": "hxm start nfs",
    "-f create nfs.xm": "hxm start nfs",
    "cre nfs.xm -c": "hxm start nfs",
    "create other.cfg name='nfs'": "hxm start nfs",
    "create -c other.cfg memory=9 name='nfs'": "hxm start nfs",
    "create memory=9 name='nfs'": "hxm start nfs",
    "create other.cfg name='n';name='nfs'": "hxm start nfs",
    "create begun.cfg name+='fs'": "hxm start nfs",
    "create /dev/null name='nfs'": "hxm start nfs",
    "create -fcopy.cfg": "hxm start nfs",
    "create -cf copy.cfg": "hxm start nfs",
    "create -f -n": "hxm start nfs",
    "create --defc copy.cfg": "hxm start nfs",
    "create -f copy.cfg": "hxm start nfs",
    "create -- copy.cfg": "hxm start nfs",
    "create --defconfig=copy.cfg": "hxm start nfs",
    "create link.cfg": "hxm start nfs",
    "create other.cfg name='nfs--incoming'": "hxm start nfs",
    "start nfs": "hxm start nfs",
    "new copy.cfg": "nfs.xm",
    "shutdown nfs": "hxm shutdown nfs",
    "shut -w nfs": "hxm shutdown nfs",
    "shutdown -F nfs -w": "hxm shutdown nfs",
    "shutdown -aw": "hxm shutdown nfs",
    "shutdown --all": "hxm shutdown nfs",
    "shutdown --al": "hxm shutdown nfs",
    "reboot -a": "hxm reboot nfs",
    "reb nfs": "hxm reboot nfs",
    "destroy nfs": "hxm destroy nfs",
    "destroy 3": "hxm destroy nfs",
    "destroy 00000000000003": "hxm destroy nfs",
    "destroy 4294967299": "hxm destroy nfs",
    f"destroy {UUID_NFS}": "hxm destroy nfs",
    "des nfs--migratedaway": "hxm destroy nfs",
    "-vf destroy -f nfs": "hxm destroy nfs",
    "-- destroy nfs": "hxm destroy nfs",
    "migrate nfs host2": "hxm migrate nfs NODE",
    "migrate --live nfs host2": "hxm migrate nfs NODE",
    "migrate -s ssh -C x.cfg nfs host2": "hxm migrate nfs NODE",
    "pause 3": "hxm shutdown nfs",
    "save nfs /tmp/x": "hxm unmanage nfs",
    "rename other nfs": "in the CIB",
    "vbd-create nfs phy:x xvdb w": "hxm reboot nfs",
    "s nfs": "instead: ",
    "frobnicate --now nfs": "instead: ",
    "-Z destroy nfs": "instead: ",
    "shell": "separately",
}


@pytest.mark.parametrize("words", REFUSED)
def test_refused_with_reason_node_and_the_right_command(guarded, words):
    folder = guarded.xen.folder
    (folder / "other.cfg").write_text('name = "fresh"\n')
    (folder / "copy.cfg").write_text('memory = 1; name = "nfs" # the server\n')
    (folder / "link.cfg").symlink_to("copy.cfg")
    (folder / "begun.cfg").write_text('name = "n"')
    (folder / "-n").symlink_to("copy.cfg")
    (folder / "nfs.xm").write_bytes((guarded.xen.file.parent / "nfs.xm").read_bytes())
    status, out, said = guarded.run("xl", *words.split())
    assert (status, out) == (107, ""), said
    assert REFUSED[words] in said
    if words != "shell":
        assert "the cluster manages nfs (it runs on host1)" in said


PASSED = (
    "create other.cfg", "create -n nfs.xm", "create -cn nfs.xm", "create nfs.xm --dryrun",
    "create other.cfg memory=9", "shutdown other -w", "destroy -f 7", "destroy --help", "des other",
    "migrate other host2", "unpause nfs", "s other", "frobnicate other", "-Z destroy other",
    "reboot", "", "-v", "mem-set other 64",
    "create /dev/null name='fresh'", "create", "-N create nfs.xm",
)  # fmt: skip


@pytest.mark.parametrize("words", PASSED)
def test_passed_untouched_with_the_toolstacks_own_output_and_status(guarded, words):
    (guarded.xen.folder / "other.cfg").write_text('name = "fresh"\n')
    shutil.copy(guarded.xen.file.parent / "nfs.xm", guarded.xen.folder)
    plain = subprocess.run(
        [str(guarded.bin / "xl.hxm-real"), *words.split()],
        capture_output=True,
        text=True,
        env=guarded.xen.env,
        check=False,
    )
    assert guarded.run("xl", *words.split()) == (plain.returncode, plain.stdout, plain.stderr)
    assert plain.returncode == 42


def test_a_file_that_cannot_be_read_is_refused_with_its_place(guarded):
    (guarded.xen.folder / "bad.cfg").write_text("\nname = f()\n")
    status, _, said = guarded.run("xl", "create", "bad.cfg")
    assert (status, "bad.cfg:2:8" in said) == (107, True), said


def test_it_looks_away_when_the_cluster_does(guarded):
    guarded.xen.ok("unmanage", "nfs")
    status, out, said = guarded.run("xl", "destroy", "nfs")
    assert (status, out) == (42, "[destroy][nfs]\n")
    assert "the cluster does not look" in said


def test_without_a_cluster_no_change_passes_and_every_read_does(guarded):
    nowhere = {"CIB_file": str(guarded.xen.folder / "none.xml")}
    assert guarded.run("xl", "destroy", "other", **nowhere)[0] == 102
    assert guarded.run("xl", "info", **nowhere)[0] == 42
    assert guarded.run("virsh", "destroy", "other", **nowhere)[0] == 102


def test_hxm_itself_never_meets_the_guard(guarded):
    (guarded.bin / "xl").write_text((guarded.bin / "xl").read_text() + "# changed\n")
    for words in ("destroy other", "pause other"):
        assert guarded.xen.hxm(*words.split()).status == 42
    assert guarded.xen.hxm("guard", "judge", "xl", "destroy", "other").status == wrapper.PASSED


VIRSH_REFUSED = (
    "destroy nfs", "start nfs", "-c xen:///system destroy nfs", "-cxen:///system shutdown nfs",
    "--connect xen:///system reboot --domain nfs", "--conn xen:///system reboot --domain=nfs",
    "-qtd 0 migrate --live nfs xen+ssh://host2/", "suspend 3", "setvcpus-frob nfs",
    "create nfs.xml", "define --file nfs.xml", "managedsave nfs", "undefine nfs",
    "restore /tmp/image", "autostart nfs", "destroy --graceful nfs",
)  # fmt: skip


@pytest.mark.parametrize("words", [*(each.split() for each in VIRSH_REFUSED), ["destroy nfs"],
    ["list; destroy 'nfs'"], ["connect xen:///system; destroy nfs" ], []])  # fmt: skip
def test_virsh_is_refused_for_a_managed_domu(guarded, words):
    (guarded.xen.folder / "nfs.xml").write_text("<domain type='xen'>\n<name>nfs</name></domain>")
    status, out, said = guarded.run("virsh", *words)
    assert (status, out) == (107, ""), said


VIRSH_PASSED = (
    "destroy other", "-c test:///default destroy nfs", "-r destroy nfs", "--readonly destroy nfs",
    "-c qemu+ssh://h/system start nfs", "resume other", "destroy --help", "-v", "--version",
    "create other.xml", "setmem nfs 4", "define other.xml",
)  # fmt: skip


@pytest.mark.parametrize(
    "words", [*(each.split() for each in VIRSH_PASSED), ["list --all; dominfo 3"]]
)
def test_virsh_passes_for_every_other(guarded, words):
    (guarded.xen.folder / "other.xml").write_text("<domain type='xen'><name>fresh</name></domain>")
    status, out, said = guarded.run("virsh", *words)
    assert (status, out) == (43, "".join(f"[{word}]" for word in words) + "\n"), said
    assert ("lost when" in said) == ("setmem" in words)


def test_the_one_way_round_wants_a_reason_says_what_is_at_stake_and_is_written_down(guarded):
    journal = guarded.xen.folder / "journal"
    Path(guarded.xen.env["HXM_CONFIG"]).write_text(f'journal = "{journal}"\n')
    assert guarded.xen.hxm("guard", "bypass", "--", "xl", "destroy", "nfs").status == 2
    assert guarded.xen.hxm("guard", "bypass", "--reason", "x", "--", "ls").status == 2
    ran = guarded.xen.hxm("guard", "bypass", "--reason", "disks burn", "--", "xl", "destroy", "nfs")
    assert (ran.status, ran.out) == (42, "[destroy][nfs]\n")
    assert "start it again" in ran.err
    assert '"what": "xl destroy nfs"' in journal.read_text()
    assert "disks burn" in journal.read_text()
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600


def long_list(host, *domains: str) -> None:
    """What `xl list -l` of 4.17 prints (tests/data/xen-4.17), of domUs with one disk each."""
    rows = [
        {
            "domid": number,
            "config": {
                "c_info": {"name": name, "uuid": f"uuid-{number}"},
                "disks": [{"pdev_path": disk, "vdev": "xvda", "readwrite": 1}],
                "nics": [{"mac": f"00:16:3e:00:01:{number:02}"}],
            },
        }
        for number, (name, disk) in enumerate((each.split("=") for each in domains), 7)
    ]
    file = host.xen.folder / "long.json"
    file.write_text(json.dumps(rows))
    host.xen.env["XL_LONG"] = str(file)


@pytest.mark.parametrize("through", ["hxm", "xl"])
def test_no_disk_of_another_domu_is_written_by_a_second(guarded, through):
    folder = guarded.xen.folder
    image = folder / "disk.img"
    image.touch()
    (folder / "link.img").symlink_to("disk.img")
    nfs = guarded.xen.file.parent / "nfs.xm"
    nfs.write_text(f'name = "nfs"\ndisk = ["file:{image},xvda,w"]\n')
    new = folder / "new.cfg"

    def create(*words: str):
        if through == "xl":
            return guarded.run("xl", "create", "new.cfg", *words)
        ran = guarded.xen.hxm("create", "new.cfg", *words, cwd=folder)
        return ran.status, ran.out, ran.err

    new.write_text(f'name = "fresh"\ndisk = ["{folder}/link.img,raw,xvda,rw"]\n')
    status, out, said = create()
    assert (status, out) == (107, ""), said
    assert "fresh and nfs share" in said
    assert str(image) in said
    assert create("memory=1", 'disk=["/nowhere/else,raw,xvda"]')[0] == 42
    long_list(guarded, f"other={folder}/link.img", "scratch=/nowhere/scratch")
    nfs.write_text('name = "nfs"\n')
    status, _, said = create()
    assert (status, "fresh and other share" in said) == (107, True), said
    new.write_text('name = "fresh"\nvif = ["mac=00:16:3e:00:01:08"]\n')
    status, out, said = create()
    assert (status, "fresh and scratch have one MAC" in said) == (42, True), said


def saved(name: str, *disks: str) -> bytes:
    """The beginning of an image as `xl save` of 4.17 writes it (xl.h)."""
    config = {
        "c_info": {"name": name},
        "disks": [{"pdev_path": each, "readwrite": 1} for each in disks],
    }
    data = json.dumps(config).encode() + b"\0"
    head = struct.pack(
        "=32s5I", b"Xen saved domain, xl format\n \0 \r", 0x01020304, 3, 0, len(data) + 4, len(data)
    )
    return head + data + bytes(range(256))


@pytest.mark.parametrize("through", ["hxm", "xl"])
def test_a_saved_image_is_known_by_what_is_in_it(guarded, through):
    folder = guarded.xen.folder
    (folder / "disk.img").touch()
    (folder / "nfs.img").write_bytes(saved("fresh"))
    (folder / "sly").write_bytes(saved("nfs"))
    (folder / "greedy").write_bytes(saved("fresh", f"{folder}/disk.img"))
    (folder / "blank").write_bytes(b"an image of an unknown kind")
    (folder / "fresh").write_bytes(saved("fresh", "/nowhere"))
    (guarded.xen.file.parent / "nfs.xm").write_text(
        f'name="nfs"\ndisk=["file:{folder}/disk.img,xvda,w"]\n'
    )

    def restore(*words: str):
        if through == "xl":
            return guarded.run("xl", "restore", *words)
        ran = guarded.xen.hxm("restore", *words, cwd=folder)
        return ran.status, ran.out, ran.err

    for words, said in (
        (["sly"], "hxm start nfs"),
        (["greedy"], "fresh and nfs share"),
        (["blank"], "cannot be told" if through == "xl" else "no backup"),
        (["nfs.img"], "hxm start nfs"),
        (["-p", "fresh", "greedy"], "fresh and nfs share"),
    ):
        status, out, complaint = restore(*words)
        assert (status, out, said in complaint) == (107, "", True), (words, complaint)
    assert restore("fresh")[:2] == (42, "[restore][fresh]\n")


def test_no_domu_is_given_the_disk_of_another(guarded):
    disk = guarded.xen.folder / "disk.img"
    disk.touch()
    (guarded.xen.file.parent / "nfs.xm").write_text(f'name="nfs"\ndisk=["file:{disk},xvda,w"]\n')
    devices = f"<devices><disk><source file='{disk}'/></disk></devices>"
    xml = f"<domain type='xen'><name>fresh</name>{devices}</domain>"
    (guarded.xen.folder / "fresh.xml").write_text(xml)
    real = VIRSH.replace("*domname*)", "*dumpxml*fresh) cat fresh.xml; exit;; *domname*)")
    guarded.xen.program("virsh.hxm-real", real)
    for words in (
        ["xl", "block-attach", "other", f"{disk},raw,xvdb,w"],
        ["xl", "block-attach", "other", f"file:{disk}", "xvdb", "w"],
        ["xl", "vbd-create", "other", f"file:{disk}", "xvdb", "r"],
        ["xl", "block-attach", "7", f"vdev=xvdb,target={disk}"],
        ["virsh", "attach-disk", "other", str(disk), "xvdb"],
        ["virsh", "create", "fresh.xml"],
        ["virsh", "start", "fresh"],
    ):
        status, out, said = guarded.run(*words)
        assert (status, out, "and nfs share" in said) == (107, "", True), (words, said)
    assert guarded.run("xl", "block-attach", "other", "/nowhere,raw,xvdb,w")[0] == 42
    (guarded.xen.folder / "steal.cfg").write_text(f'name="other"\ndisk=["file:{disk},xvda,w"]\n')
    for config in ("steal.cfg", str(guarded.xen.file.parent / "nfs.xm")):
        line = ("migrate", "other", "host2", "-C", config)
        assert guarded.xen.hxm(*line, cwd=guarded.xen.folder).status == 107
    assert guarded.xen.hxm("migrate", "other", "host2").status == 42


def test_a_disk_that_is_shared_on_purpose_is_said_to_be_so_in_the_configuration(guarded):
    (guarded.xen.file.parent / "nfs.xm").write_text(
        'name="nfs"\ndisk=["phy:/dev/vg/ocfs2,xvda,w"]\n'
    )
    (guarded.xen.folder / "new.cfg").write_text('name="fresh"\ndisk=["phy:/dev/vg/ocfs2,xvda,w"]\n')
    assert guarded.run("xl", "create", "new.cfg")[0] == 107
    settings = Path(guarded.xen.env["HXM_CONFIG"])
    settings.write_text('ignore = "disk-shared:nfs disk-shared:fresh"\n')
    assert guarded.run("xl", "create", "new.cfg") == (42, "[create][new.cfg]\n", "")


def test_a_copy_of_the_cib_that_may_be_old_lets_nothing_new_run(guarded):
    (guarded.xen.folder / "new.cfg").write_text('name="fresh"\n')
    guarded.xen.replace('have-quorum="1"', 'have-quorum="0"')
    status, out, said = guarded.run("xl", "create", "new.cfg")
    assert (status, out, "may be old" in said) == (106, "", True), said
    assert guarded.xen.hxm("create", "new.cfg", cwd=guarded.xen.folder).status == 106
    assert guarded.run("xl", "destroy", "other")[0] == 42
    guarded.xen.tool("crm_attribute", "--name=no-quorum-policy", "--update=ignore")
    assert guarded.run("xl", "create", "new.cfg")[0] == 42


IN_THE_CIB = {
    "in a group": ('<group id="grp">', "</group>", "", "destroy nfs"),
    "in a clone": ('<clone id="cln">', "</clone>", "", "destroy nfs"),
    "by a rule": (
        "",
        "",
        """<instance_attributes id="nfs-ruled" score="9">
        <rule id="nfs-rule" score="0"><expression id="nfs-e" attribute="#uname" operation="eq"
        value="host2"/></rule><nvpair id="nfs-r-name" name="name" value="fresh"/>
        </instance_attributes>""",
        "create other.cfg",
    ),
    "by a rule, under its own name": (
        "",
        "",
        """<instance_attributes id="nfs-ruled" score="9">
        <rule id="nfs-rule" score="0"><expression id="nfs-e" attribute="#uname" operation="eq"
        value="host2"/></rule><nvpair id="nfs-r-name" name="name" value="fresh"/>
        </instance_attributes>""",
        "destroy nfs",
    ),
}


def test_a_domu_of_a_template_or_under_libvirt_is_managed(guarded):
    text = guarded.xen.file.read_text()
    found = re.search(r'<primitive [^>]*id="nfs".*?</primitive>', text, re.DOTALL)[0]
    plain = found.replace('class="ocf" provider="heartbeat" type="Xen"', 'template="domu"')
    assert plain != found
    template = '<template id="domu" class="ocf" provider="heartbeat" type="Xen"/>'
    guarded.xen.file.write_text(text.replace(found, template + plain))
    assert guarded.run("xl", "destroy", "nfs")[0] == 107
    (guarded.xen.folder / "vm.xml").write_text(
        "<domain type='xen'><name>fresh</name>\n<uuid>u</uuid></domain>"
    )
    virtual = re.sub(
        "<instance_attributes.*?</instance_attributes>",
        f"""<instance_attributes id="nfs-i"><nvpair id="nfs-c" name="config"
        value="{guarded.xen.folder}/vm.xml"/></instance_attributes>""",
        found.replace('type="Xen"', 'type="VirtualDomain"'),
        flags=re.DOTALL,
    )
    guarded.xen.file.write_text(text.replace(found, virtual))
    (guarded.xen.folder / "new.cfg").write_text('name = "fresh"\n')
    for words in (
        "virsh destroy fresh",
        "xl create new.cfg",
        "virsh create vm.xml",
        "xl pause fresh",
    ):
        status, out, said = guarded.run(*words.split())
        assert (status, out) == (107, ""), (words, said)
    assert guarded.run("virsh", "destroy", "other")[0] == 43


XMS = {
    "create other.cfg name=nfs": 107,
    "create other.cfg name=fresh kernel=/boot/x": 42,
    "create -F other.cfg": 107,
    "create -c other.cfg": 42,
    "new copy.cfg": 107,
    "start nfs": 107,
    "start other": 42,
    "resume nfs": 107,
    "vbd-create nfs phy:x xvdb w": 107,
    "mig other host2": 42,
    "mig --live nfs host2": 107,
    "trigger nfs init": 107,
}


@pytest.mark.parametrize("words", XMS)
def test_xm_is_taken_as_xm(host, words):
    host.xen.program("xm", "for word; do printf '[%s]' \"$word\"; done; echo; exit 42")
    host.xen.ok("guard", "install")
    (host.xen.folder / "other.cfg").write_text('name = "other"\n')
    (host.xen.folder / "copy.cfg").write_text('name = "nfs"\n')
    status, _, said = host.run("xm", *words.split())
    assert status == XMS[words], said


@pytest.mark.parametrize("case", IN_THE_CIB.values(), ids=IN_THE_CIB)
def test_a_managed_domu_is_found_wherever_it_stands_in_the_cib(guarded, case):
    before, behind, more, words = case
    text = guarded.xen.file.read_text()
    found = re.search(r'<primitive [^>]*id="nfs".*?</primitive>', text, re.DOTALL)[0]
    changed = found.replace("<instance_attributes", f"{more}<instance_attributes", 1)
    guarded.xen.file.write_text(text.replace(found, before + changed + behind))
    (guarded.xen.folder / "other.cfg").write_text('name = "fresh"\n')
    status, out, said = guarded.run("xl", *words.split())
    assert (status, out) == (107, ""), said
    assert "the cluster manages" in said


LEFT_OVER = {
    "a sandbox": {"CIB_file": "SANDBOX"},
    "a sandbox that is gone": {"CIB_file": "/nowhere/cib.xml"},
    "a shadow": {"CIB_shadow": "x"},
    "another host": {"CIB_port": "1234", "CIB_server": "elsewhere", "CIB_user": "x"},
}


@pytest.mark.parametrize("settings", ["", 'toolstack = "xl"\n'])
@pytest.mark.parametrize("exported", LEFT_OVER.values(), ids=LEFT_OVER)
def test_what_somebody_has_exported_leads_the_guard_to_no_other_cluster(
    guarded, exported, settings
):
    """The cluster of this host answers where nothing is exported, as its daemons would."""
    xen = guarded.xen
    live = xen.env.pop("HXM_TEST_CIB")
    for tool in ("crm_mon", "cibadmin"):
        path = shutil.which(tool, path="/usr/sbin:/usr/bin")
        lost = '[ -z "$CIB_file$CIB_shadow$CIB_port$CIB_server" ] || exit 99'
        xen.program(tool, f'{lost}\nCIB_file={live} exec {path} "$@"')
    sandbox = xen.folder / "sandbox.xml"
    sandbox.write_text(xen.file.read_text().replace('"nfs"', '"training"'))
    xen.env |= {"CIB_file": ""} | {
        name: value.replace("SANDBOX", str(sandbox)) for name, value in exported.items()
    }
    Path(xen.env["HXM_CONFIG"]).write_text(settings)
    (xen.folder / "nfs.cfg").write_text('name = "nfs"\n')
    (xen.folder / "new.cfg").write_text('name = "fresh"\n')
    for words in ("destroy nfs", "create nfs.cfg", "pause nfs", "shutdown nfs"):
        status, out, said = guarded.run("xl", *words.split())
        assert (status, out) == (107, ""), said
    for words in ("destroy other", "create new.cfg"):
        assert guarded.run("xl", *words.split())[0] == 42, words

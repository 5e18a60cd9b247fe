"""Every verb with the real tools of each generation that can be had, on a cluster in a file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, ClassVar

import forked
import pytest
from lxml import etree
from transitions import both_ways, disturb

from hxm.pacemaker.argv import step_argv
from hxm.pacemaker.cib import parse_configuration
from hxm.pacemaker.crm_mon import parse_status
from hxm.pacemaker.dialect import dialect_of
from hxm.pacemaker.lock import claim_step, renew_step
from hxm.pacemaker.status import Status
from hxm.pacemaker.status_from_cib import complete
from hxm.plan import Step
from hxm.policy.steps import release_step

ROOT = Path(__file__).parents[2]
SUITES = ("bullseye", "bookworm", "trixie", "forky", "sid")
ALIKE = ("bookworm", "trixie", "forky")
"""That of Debian 12, which tests/tools runs on, and two 3.0 before that of sid.

Most of what they do is left to `make test-generations`.
"""
DIALECTS = {"2.0": "Pacemaker 2.0", "2.1": "Pacemaker 2.1", "3.0": "Pacemaker 3.0"}


class Cluster:
    """A sandbox on which one suite's tools work."""

    made: ClassVar[dict[str, Path]] = {}

    def __init__(self, suite: str, folder: Path) -> None:
        self.bin = ROOT / ".cache" / "generations" / suite / "bin"
        if not os.access(self.bin / "crm_mon", os.X_OK):
            pytest.skip(f"the tools of {suite} are not unpacked: make test-generations")
        self.file = folder / "xen" / "cib.xml"
        self.env = {
            **{key: value for key, value in os.environ.items() if key != "HXM_DEBUG"},
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "CIB_file": str(self.file),
            "HXM_CONFIG": str(folder / "hxm.toml"),
            "LANG": "de_DE.UTF-8",
        }
        if suite not in self.made:
            self.hxm("sandbox", "new", str(self.file.parent))
            self.made[suite] = folder / "first"
            shutil.copytree(self.file.parent, self.made[suite])
        else:
            shutil.copytree(self.made[suite], self.file.parent)

    def hxm(self, *words: str, status: int = 0) -> str:
        ran = forked.run(words, self.env)
        out, err = ran.stdout.decode(), ran.stderr.decode()
        assert ran.returncode == status, f"{words}: {ran.returncode}\n{out}\n{err}"
        return out

    def tool(self, *argv: str) -> str:
        ran = subprocess.run(argv, capture_output=True, text=True, env=self.env, check=True)
        return ran.stdout

    def version(self) -> str:
        return self.tool("crm_mon", "--version").split()[1]

    def xpath(self, path: str) -> list[Any]:
        return etree.parse(self.file).xpath(f"/cib/configuration{path}")

    def configuration(self) -> bytes:
        return etree.tostring(etree.parse(self.file).find("configuration"), method="c14n")

    def where(self, name: str) -> list[str]:
        root = etree.fromstring(self.tool("crm_mon", "--as-xml", "--inactive").encode())
        return root.xpath("//resource[@id=$id]/node/@name", id=name)


@pytest.fixture(params=SUITES)
def every(request: pytest.FixtureRequest, tmp_path: Path) -> Cluster:
    return Cluster(request.param, tmp_path)


@pytest.fixture(
    params=[
        pytest.param(suite, marks=[pytest.mark.thorough] * (suite in ALIKE)) for suite in SUITES
    ]
)
def real(request: pytest.FixtureRequest, tmp_path: Path) -> Cluster:
    return Cluster(request.param, tmp_path)


def test_it_is_recognised_and_shown(every):
    shown = json.loads(every.hxm("status", "-o", "json"))
    # without a DC's version its XML speaks for it, which is the same from 2.1.9 to 3.0.1
    dialect = DIALECTS["2.1" if every.version() in ("3.0.0", "3.0.1") else every.version()[:3]]
    assert shown["cluster"]["dialect"] == dialect
    assert shown["cluster"]["mixed"] == ""
    assert [each["nodes"] for each in shown["domains"]] == [["host1"], ["host2"]]
    assert "Nothing needs attention" in every.hxm("status")
    assert dialect in every.hxm("--version")
    assert "host1" in every.hxm("list")


def test_migrate_is_live_and_leaves_nothing(every):
    before = every.configuration()
    every.hxm("migrate", "nfs", "host2")
    assert every.where("nfs") == ["host2"]
    assert every.configuration() == before


def test_a_host_that_took_a_domu_and_was_fenced_comes_back_without_it(every):
    every.hxm("migrate", "nfs", "host2")
    every.hxm("sandbox", "fail", "host2")
    assert "nfs" not in every.hxm("sandbox", "recover", "host2")
    assert every.where("nfs") == ["host1"]
    every.hxm("migrate", "nfs", "host2")
    assert every.where("nfs") == ["host2"]


def test_a_domu_leaves_and_comes_back_while_it_runs(real):
    real.hxm("withdraw", "sles")
    assert not real.xpath("//*[@id='sles']")
    before = real.configuration()
    real.hxm("enrol", str(real.file.parent / "sles.xm"))
    assert real.where("sles") == ["host2"]
    assert "sles_start_0" not in real.file.read_text().split('lrm_resource id="sles"')[2]
    assert real.xpath("/constraints/rsc_location[@rsc='sles']/rule")
    real.hxm("withdraw", "sles")
    assert real.configuration() == before


def test_a_kept_preference_is_removed_by_unmigrate(real):
    before = real.configuration()
    real.hxm("migrate", "nfs", "host2", "--keep")
    assert real.xpath("/constraints/rsc_location[@id='cli-prefer-nfs']")
    real.hxm("unmigrate", "nfs", "--yes")
    assert real.configuration() == before


def test_what_a_pacemaker_of_before_1_1_10_left_is_removed(real):
    before = real.configuration()
    rule = (
        '<rsc_location id="cli-standby-sles" rsc="sles"><rule id="cli-standby-rule-sles" '
        'score="-INFINITY" boolean-op="and"><expression id="cli-standby-expr-sles" '
        'attribute="#uname" operation="eq" value="host1" type="string"/></rule></rsc_location>'
    )
    real.tool("cibadmin", "--create", "--scope=constraints", f"--xml-text={rule}")
    assert "cli-standby-sles" in real.hxm("status")
    real.hxm("unmigrate")
    assert real.configuration() == before


def test_shutdown_and_start(every):
    before = every.configuration()
    every.hxm("shutdown", "nfs")
    assert every.where("nfs") == []
    assert every.xpath("//primitive[@id='nfs']//nvpair[@name='target-role']/@value") == ["Stopped"]
    every.hxm("start", "nfs")
    assert every.where("nfs") != []
    assert every.configuration() == before


def test_destroy_keeps_it_stopped_and_create_starts_it(real):
    real.hxm("destroy", "sles")
    assert real.where("sles") == []
    real.hxm("create", "sles")
    assert real.where("sles") != []


def test_reboot_leaves_nothing(real):
    before = real.configuration()
    real.hxm("reboot", "nfs")
    assert real.where("nfs") == ["host1"]
    assert real.configuration() == before


def test_standby_drains_and_active_ends_it(real):
    before = real.configuration()
    real.hxm("standby", "host1", "--yes")
    assert real.where("nfs") == ["host2"]
    real.hxm("active", "host1")
    assert real.configuration() == before


def test_a_standby_until_reboot_is_ended_too(real):
    real.tool("crm_attribute", "--node=host2", "--name=standby", "--update=on", "--lifetime=reboot")
    assert "standby" in real.hxm("nodes")
    real.hxm("active", "host2")
    assert "standby" not in real.hxm("nodes")


@pytest.mark.parametrize("subject", ["", "host1", "nfs"])
def test_maintenance_on_and_off(real, subject):
    before = real.configuration()
    real.hxm("maintenance", "on", *subject.split())
    assert real.configuration() != before
    assert "maintenance" in real.hxm("status")
    real.hxm("maintenance", "off", *subject.split())
    assert real.configuration() == before


def test_unmanage_manage_and_default(real):
    before = real.configuration()
    real.hxm("unmanage", "nfs")
    assert "unmanaged" in real.hxm("list")
    real.hxm("manage", "nfs")
    real.hxm("unmanage", "nfs")
    real.hxm("default", "nfs")
    assert real.configuration() == before


def test_cleanup_forgets_a_failure(real):
    real.hxm("sandbox", "fail", "nfs", "--operation", "start")
    assert json.loads(real.hxm("status", "-o", "json"))["failures"]
    real.hxm("cleanup", "nfs", "--yes")
    assert not json.loads(real.hxm("status", "-o", "json"))["failures"]


def test_undo_and_restore_put_back_what_was(real):
    before = real.configuration()
    real.hxm("standby", "host1", "--yes")
    real.hxm("undo", "--yes")
    assert real.configuration() == before
    real.tool("cibadmin", "--delete", "--xpath=//rsc_location[@id='nfs-connected']")
    real.tool("crm_attribute", "--name=batch-limit", "--update=3")
    assert "constraint nfs-connected was removed" in real.hxm("diff", "1")
    real.hxm("restore", "1", "--yes")
    assert real.configuration() == before


def test_a_plan_changes_nothing(real):
    before = real.file.read_bytes()
    assert "live" in real.hxm("migrate", "nfs", "host2", "--dry-run")
    assert real.file.read_bytes() == before


def test_what_an_older_generation_is_told_newer_tools_understand(real):
    """In the middle of an upgrade the oldest member decides how everything is spelt."""
    Path(real.env["HXM_CONFIG"]).write_text('dialect = "1.0"\n', encoding="utf-8")
    before = real.configuration()
    assert "set in the configuration" in real.hxm("--version")
    real.hxm("migrate", "nfs", "host2")
    assert real.where("nfs") == ["host2"]
    real.hxm("standby", "host2", "--yes")
    assert real.where("nfs") == ["host1"]
    real.hxm("active", "host2")
    real.hxm("shutdown", "sles")
    real.hxm("start", "sles")
    real.hxm("unmanage", "nfs")
    real.hxm("manage", "nfs")
    real.hxm("maintenance", "on")
    real.hxm("maintenance", "off")
    assert real.configuration() == before


def whole(status: Status) -> list[tuple[object, ...]]:
    """What text and XML must agree on, in any order."""
    return sorted(
        # a migration without a running instance: XML names no node, text that of the history
        (each.id.split(":")[0], each.role, each.nodes if each.id != "vm_mig" else (), each.clone,
         each.managed, each.failed, each.blocked, each.orphaned)
        for each in status.resources
    ) + [(each.name, each.condition) for each in status.nodes]  # fmt: skip


@pytest.mark.parametrize("options", ["-r", "-rf", "-ro", "-rA", "-rR", "-rn"])
def test_the_text_is_what_the_xml_is_for_every_kind_of_resource(real, options):
    """Unique, promotable and stopped clones, groups in clones, remote nodes, every condition."""
    shutil.copyfile(ROOT / "tests" / "data" / "cibs" / "rich.xml", real.file)
    for _ in range(2):
        xml = parse_status(real.tool("crm_mon", "--as-xml", "-r").encode())
        text = parse_status(real.tool("crm_mon", "-1", options).encode())
        text = complete(text, parse_configuration(real.file.read_bytes()))
        assert whole(text) == whole(xml)
        real.tool("crm_simulate", "-Q", "-x", str(real.file), "-S", "-O", str(real.file))


def test_the_lock_is_taken_once_renewed_by_its_holder_and_given_back(real):
    """What hxm does to a running cluster; a file has a lock of its own."""
    before = real.configuration()
    dialect = dialect_of(real.version())

    def ran(step: Step) -> int:
        (argv,) = step_argv(dialect, step)
        return subprocess.run(argv, capture_output=True, env=real.env, check=False).returncode

    assert ran(claim_step("root@host1:1:2", "migrate nfs", 100)) == 0
    assert ran(claim_step("root@host2:3:4", "destroy nfs", 101)) != 0
    assert b"root@host1:1:2" in real.configuration()
    assert ran(renew_step("root@host1:1:2", 120)) == 0
    assert b'name="hxm-lock-renewed" value="120"' in real.configuration()
    ran(release_step("root@host2:3:4"))
    assert b"root@host1:1:2" in real.configuration()
    assert ran(release_step("root@host1:1:2")) == 0
    assert real.configuration() == before


def test_an_update_begins_goes_on_and_ends_without_a_trace(real):
    before, verified = real.configuration(), _verified(real)
    real.hxm("update", "start", "--canary", "nfs")
    assert real.xpath("/crm_config/cluster_property_set[@id='hxm-update']/nvpair/@value")
    assert _verified(real) == verified
    real.hxm("update", "next", "--yes")
    real.hxm("update", "next")
    real.hxm("update", "next", "--dry-run")
    real.hxm("update", "abort")
    assert real.configuration() == before


def _verified(real) -> tuple[int, str]:
    argv = ("crm_verify", f"--xml-file={real.file}", "-V")
    ran = subprocess.run(argv, capture_output=True, text=True, env=real.env, check=False)
    return ran.returncode, ran.stdout + ran.stderr


@pytest.mark.parametrize("seed", range(3))
def test_the_results_of_a_transition_are_those_of_its_own_crm_simulate(
    real, seed, tmp_path, monkeypatch
):
    """2.0 writes them itself."""
    monkeypatch.setenv("PATH", real.env["PATH"])
    cib = tmp_path / "large" / "cib.xml"
    real.hxm("sandbox", "new", str(cib.parent), "--nodes", "4", "--domains", "12")
    disturb(cib, seed)
    ours, actions = both_ways(cib, tmp_path)
    assert ours == (not real.version().startswith("2.0"))
    assert actions

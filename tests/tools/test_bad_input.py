"""Bad input gets one clear line and the right status; nothing is changed, no traceback is seen."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys

import pytest

CASES = [
    ("lsit", 2, "did you mean list?"),
    ("sta", 2, "standby, start, status"),
    ("--bogus list", 2, "unknown option --bogus"),
    ("migrate", 2, "hxm migrate DOMAIN [DOMAIN]... [NODE]"),
    ("migrate nfs", 107, "no node was named: the scheduler chooses host2 for nfs"),
    ("migrate host1", 105, "it moves everything away: hxm standby host1"),
    ("migrate host1 --dry-run", 105, "hxm standby host1 --dry-run"),
    ("shutdown host1", 105, "when it is empty, power it off: hxm standby host1"),
    ("poweroff host1 --dry-run", 2, "use: hxm standby host1 --dry-run\n     when it is empty"),
    ("drain nfs", 2, "use: hxm migrate nfs\n     the scheduler chooses the node"),
    ("standby hots1", 105, "did you mean host1?"),
    ("standby hostt", 105, "there are: host1, host2"),
    ("migrate nfs host2 --yse", 2, "did you mean --yes?"),
    ("migrate n* host2", 107, "n* means 1 domU: nfs"),
    ("shutdown *s", 107, "*s means 2 domUs: nfs, sles"),
    ("start -a nfs", 2, "or -a"),
    ("balance nfs", 2, "takes no operand"),
    ("drill nfs", 2, "drill has no command 'nfs'"),
    ("drill nfs", 2, "there are: list, kill"),
    ("drill kill", 2, "hxm drill kill DOMAIN"),
    ("guard", 2, "guard takes a command"),
    ("standby host1 host2", 2, "standby takes NODE and no more: host2"),
    ("standby host1 --reason", 2, "--reason takes a value"),
    ("standby host1 --yes=3", 2, "--yes takes no value"),
    ("standby host1 --resaon x", 2, "did you mean --reason? hxm standby host1 --reason x"),
    ("standby host1 --forse", 2, "did you mean --force?"),
    ("standby host1 -f", 2, "to override a refusal that names it: --force"),
    ("migrate nfs host2 --lifetime 1h", 2, "leaves no constraint"),
    ("migrate host2 nfs --dry-run --reason x", 105, "hxm migrate nfs host2 --dry-run --reason x"),
    ("-N migrate host2 nfs", 105, "hxm migrate nfs host2 --dry-run"),
    ("maintenance status", 2, "hxm maintenance on or off [NODE or DOMAIN]"),
    ("maintenance --dry-run", 2, "hxm maintenance on or off [NODE or DOMAIN] --dry-run"),
    ("maintenance host1 --dry-run", 2, "hxm maintenance on or off host1 --dry-run"),
    ("list host1", 105, "hxm list --node host1"),
    ("list -n", 2, "xl list -n"),
    ("standby nfs --dry-run", 105, "the scheduler chooses the node: hxm migrate nfs --dry-run"),
    ("shutdown x*", 105, "nfs, sles"),
    ("drain host1 --dry-run", 2, "use: hxm standby host1 --dry-run"),
    ("status nfs", 2, "hxm list -l nfs, hxm why nfs"),
    ("node standby host1", 2, "hxm standby host1"),
    ("nodes host1", 2, "hxm standby NODE"),
    ("migrate nfs host2 extra", 105, "host2 is a node, and no domU"),
    ("shutdown", 2, "needs the names"),
    ("shutdown -a nfs", 2, "or -a"),
    ("shutdown --forse nfs", 2, "--forse"),
    ("shutdown nfs --timeout soon", 2, "--timeout: 'soon' is no number"),
    ("list -o yaml", 2, "yaml"),
    ("maintenance maybe", 2, "on or off"),
    ("maintenance host1", 2, "hxm maintenance on or off host1"),
    ("maintenance host1 off", 2, "hxm maintenance off host1"),
    ("sandbox explode", 2, "explode"),
    ("sandbox fail nfs --operation nap", 2, "nap"),
    ("migrate nfx host2", 105, "did you mean nfs?"),
    ("migrate nfs host9", 105, "there are: host1, host2"),
    ("migrate host2 nfs", 105, "hxm migrate nfs host2"),
    ("--dry-run migrate nfs host2", 2, "hxm COMMAND ... --dry-run"),
    ("standby host2 -N", 2, "say --dry-run"),
    ("sandbox fail bogus", 105, "host1, host2, nfs, sles"),
    ("update next", 105, "hxm update start"),
    ("standby nowhere", 105, "host1, host2"),
    ("list nosuch", 105, "nfs, sles"),
    ("shutdown -- -rf", 105, "'-rf'"),
    ("shutdown a;b", 105, "'a;b'"),
    ("shutdown $(reboot)", 105, "reboot"),
    ("shutdown 42", 105, "'42'"),
    ("shutdown " + "x" * 300, 105, "xxx..."),
    ("shutdown n\x1b[31mfs", 105, "n\\x1b[31mfs"),
    ("manage Ünïcödé", 105, "Ünïcödé"),
    ("unmanage nfs nosuch", 105, "nosuch"),
    ("create /no/such/file.cfg", 105, "no file"),
    ("pause nfs", 107, "hxm shutdown nfs"),
    ("uptime", 1, "neither xl nor xm"),
]


@pytest.mark.parametrize(("words", "status", "said"), CASES, ids=[c[0][:30] for c in CASES])
def test_one_clear_line(sandbox, words, status, said):
    before = sandbox.file.read_bytes()
    ran = sandbox.hxm(*words.split())
    assert ran.status == status, ran
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert ran.err.startswith("hxm: ")
    assert len(ran.err.splitlines()) <= 2 + said.count("\n")
    assert sandbox.file.read_bytes() == before


CIBS = {
    "empty": (b"", "empty"),
    "not XML": (b"rubbish", "cannot be read"),
    "half": (b"<cib validate-with='pacemaker-3.0'><configuration>", "cannot be read"),
    "another document": (b"<foo/>", "a <foo>, not a <cib>"),
    "no configuration": (b"<cib validate-with='pacemaker-3.0'/>", "no configuration"),
    "not text": (bytes(range(256)), "cannot be read"),
}


@pytest.mark.parametrize("name", CIBS)
@pytest.mark.parametrize("words", ["list", "status", "nodes", "start nfs", "sandbox fail host1"])
def test_a_cib_that_is_none(sandbox, name, words):
    content, said = CIBS[name]
    sandbox.file.write_bytes(content)
    ran = sandbox.hxm(*words.split())
    assert ran.status == 102, ran
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert sandbox.file.read_bytes() == content


@pytest.mark.parametrize("words", ["list", "start nfs"])
def test_a_schema_that_pacemaker_does_not_know(sandbox, words):
    sandbox.replace('validate-with="pacemaker-3.0"', 'validate-with="pacemaker-99.9"')
    ran = sandbox.hxm(*words.split())
    assert ran.status == 102, ran
    assert "pacemaker-99.9" in ran.err or "cannot be asked" in ran.err


def test_a_cib_of_a_newer_pacemaker_is_not_changed(sandbox):
    sandbox.replace('crm_feature_set="3.1.0"', 'crm_feature_set="3.999.0"')
    before = sandbox.file.read_bytes()
    ran = sandbox.hxm("shutdown", "nfs")
    assert ran.status == 1
    assert "newer Pacemaker" in ran.err
    assert sandbox.file.read_bytes() == before


def test_the_folder_of_a_sandbox_is_not_its_file(sandbox):
    ran = sandbox.hxm("list", env={"CIB_file": str(sandbox.file.parent)})
    assert ran.status == 102
    assert f"its file is {sandbox.file}" in ran.err


def test_a_history_without_a_cluster_says_so_once_and_what_to_do(sandbox):
    ran = sandbox.hxm("history", env={"CIB_file": ""})
    assert ran.err.count("the cluster cannot be asked") == 1
    assert "systemctl status pacemaker" in ran.err


def test_a_refusal_needs_no_warning_before_it(sandbox):
    ran = sandbox.hxm("mem-set", "nfs", "1024")
    assert ran.status == 107
    assert "warning" not in ran.err


def test_no_such_file_and_a_shadow(sandbox):
    for env, said in (
        ({"CIB_file": "/no/such/cib.xml"}, "names no file"),
        ({"CIB_shadow": "test"}, "CIB_shadow is set"),
    ):
        for words in (["list"], ["start", "nfs"]):
            ran = sandbox.hxm(*words, env=env)
            assert (ran.status, said in ran.err) == (102, True), ran


@pytest.mark.parametrize("words", ["list", "start nfs", "create x", "pause nfs", "mem-set nfs 1"])
def test_without_a_cluster_nothing_is_guessed(sandbox, words):
    env = {key: value for key, value in sandbox.env.items() if key != "CIB_file"}
    sandbox.program("xl", "echo called >&2; exit 0")
    sandbox.program("crm_mon", "exit 102")
    sandbox.program("cibadmin", "echo Could not connect to the CIB >&2; exit 102")
    sandbox.env = env
    ran = sandbox.hxm(*words.split())
    assert ran.status == 102, ran
    assert "called" not in ran.err


TOOLS = {
    "is killed": ("kill -9 $$", "SIGKILL"),
    "stops half-way": ('/usr/sbin/crm_mon "$@" | head -c 2500', "no complete XML"),
    "prints rubbish": ("echo nothing to see", "a form that hxm does not know"),
    "stops half-way in text": ("/usr/sbin/crm_mon -1 -r | head -c 400", "crm_mon"),
    "prints nothing": ("exit 0", "no complete XML"),
    "prints something else": ("echo '<html/>'", "<html>"),
    "prints bytes": (r"printf '\377\376\000<'", "a form that hxm does not know"),
    "lists nobody": (
        "echo '<crm_mon><summary/><nodes/></crm_mon>'",
        "crm_mon does not list it",
    ),
}


@pytest.mark.parametrize("words", ["list", "status", "shutdown nfs"])
@pytest.mark.parametrize("trouble", TOOLS)
def test_crm_mon_in_trouble(sandbox, trouble, words):
    script, said = TOOLS[trouble]
    before = sandbox.file.read_bytes()
    sandbox.program("crm_mon", script)
    ran = sandbox.hxm(*words.split())
    assert ran.status == 102, ran
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert sandbox.file.read_bytes() == before


@pytest.mark.parametrize("live", [True, False])
def test_only_a_cluster_has_to_answer_in_time(sandbox, live):
    """On a file crm_mon computes, for as long as that takes."""
    if live:
        sandbox.as_if_live()
    asked = f"CIB_file={sandbox.file} exec /usr/sbin/crm_mon"
    sandbox.program("crm_mon", f'sleep 1; {asked} "$@"')
    (sandbox.folder / "hxm.toml").write_text("ask_timeout = 0.5\n")
    ran = sandbox.hxm("list")
    assert ran.status == (102 if live else 0), ran
    assert ("no answer within 0.5 s" in ran.err) == live


def test_a_missing_tool_is_named_with_its_package(sandbox):
    ran = sandbox.hxm("list", env={"PATH": "/nonexistent"})
    if ran.status == 0:
        pytest.skip("the tools are in /sbin, which is always searched")
    assert "pacemaker-cli-utils" in ran.err


def test_warnings_before_the_xml_and_german_do_no_harm(sandbox):
    sandbox.program("crm_mon", 'echo "Warnung: etwas"; exec /usr/sbin/crm_mon "$@"')
    ran = sandbox.ok("list", env={"LANG": "de_DE.UTF-8", "LANGUAGE": "de"})
    assert "host1" in ran.out


OLDER = {
    # what crm_mon 1.1.7 to 2.0.2, and what older ones say to options that they do not know
    "2.0.2": 'case "$1" in --out*) echo "crm_mon: Unknown option --output-as" >&2; exit 64;; esac',
    "1.0": 'case "$1" in --*) echo "crm_mon: unrecognized option" >&2; exit 1;; esac',
    "Heartbeat": 'case "$1" in --*) echo "usage: crm_mon [-V?i:nrh:cdp:s1wX:]"; exit 0;; esac',
}


@pytest.mark.parametrize("older", OLDER)
def test_a_crm_mon_that_knows_less_is_asked_for_less(sandbox, older):
    whole = sandbox.ok("list").out
    sandbox.program("crm_mon", f'{OLDER[older]}; exec /usr/sbin/crm_mon "$@"')
    assert sandbox.ok("list").out == whole
    assert "DC host1" in sandbox.ok("status").out
    sandbox.ok("migrate", "nfs", "host2")
    assert "host2" in sandbox.ok("list", "nfs").out


def test_xml_that_is_none_makes_room_for_the_text(sandbox):
    """1.1 put a failure's reason into its XML as it was."""
    sandbox.program(
        "crm_mon",
        'case "$1" in --out*) echo "crm_mon: unrecognized option" >&2; exit 1;; --as-xml) '
        'echo \'<crm_mon version="1.1.12"><failure exitreason="a < b & c"/></crm_mon>\';; '
        '*) exec /usr/sbin/crm_mon "$@";; esac',
    )
    assert "host1" in sandbox.ok("list").out


def test_xslt_debug_lines_on_stderr_do_no_harm(sandbox):
    """Pacemaker 3.0, of a CIB in an older schema."""
    debug = 'echo "DEBUG: Cluster node: host1 (id=1): keeping type as type" >&2'
    for tool in ("crm_mon", "cibadmin", "crm_resource"):
        sandbox.program(tool, f'{debug}; exec /usr/sbin/{tool} "$@"')
    ran = sandbox.ok("migrate", "nfs", "host2")
    assert "DEBUG" not in ran.out + ran.err


def test_a_tool_that_reports_success_and_does_nothing_is_never_believed(sandbox):
    before = sandbox.configuration()
    real = shutil.which("crm_resource", path=sandbox.env["PATH"])
    sandbox.program("crm_resource", f'[ "$1" != -l ] || exec {real} "$@"')
    ran = sandbox.hxm("shutdown", "nfs", "--force")
    assert ran.status == 1, ran
    assert "the CIB does not say so" in ran.err
    assert sandbox.configuration() == before


def test_without_a_scheduler_the_plan_says_so_and_asks(sandbox):
    script = "import sys; from hxm.host import programs; find = programs.find; "
    script += (
        "programs.find = lambda name: None if name in ('crm_simulate', 'ptest') else find(name); "
    )
    script += "from hxm.cli import guarded; sys.exit(guarded(sys.argv[1:]))"
    ran = subprocess.run(
        [sys.executable, "-c", script, "shutdown", "nfs", "--dry-run"],
        capture_output=True,
        text=True,
        env=sandbox.env,
        check=False,
    )
    assert ran.returncode == 107, ran
    assert "not simulated" in ran.stdout


def test_a_closed_stdout_is_quiet(sandbox):
    command = f"{shlex.quote(sys.executable)} -m hxm status | head -n 1"
    ran = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        env=sandbox.env,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0
    assert ran.stderr == b""


def test_a_full_disk_under_the_answer_is_said(sandbox):
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "hxm", "list"],
            env=sandbox.env,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert ran.returncode == 1
    assert b"no space left" in ran.stderr.lower()
    assert b"Traceback" not in ran.stderr


def test_a_full_disk_under_the_journal_stops_nobody(sandbox):
    os.symlink("/dev/full", sandbox.file.parent / "journal")
    ran = sandbox.ok("migrate", "nfs", "host2")
    assert "not written to the journal" in ran.err
    assert sandbox.nodes_of("nfs") == ["host2"]


@pytest.mark.parametrize("kib", [1, 8, 20])
def test_no_room_for_the_cib_leaves_it_whole(sandbox, kib):
    before = sandbox.file.read_bytes()
    ran = subprocess.run(
        ["bash", "-c", f'ulimit -f {kib}; exec "$0" -m hxm shutdown nfs', sys.executable],
        env=sandbox.env,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode in (1, 102), ran
    assert b"Traceback" not in ran.stderr
    assert sandbox.file.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("timeout = 'long'", "timeout must be a number"),
        ("tiemout = 3", "no setting 'tiemout'"),
        ("= 3", "hxm.toml"),
        ("\udcff", "hxm.toml"),
    ],
)
def test_a_bad_configuration_file_is_named(sandbox, text, said):
    (sandbox.folder / "hxm.toml").write_text(text, errors="surrogateescape")
    for words in (["list"], ["shutdown", "nfs"]):
        ran = sandbox.hxm(*words)
        assert (ran.status, said in ran.err) == (2, True), ran


def test_a_name_that_fits_two_domus_is_ambiguous(sandbox):
    sandbox.replace('name="name" value="sles"', 'name="name" value="nfs"')
    before = sandbox.file.read_bytes()
    ran = sandbox.hxm("shutdown", "nfs")
    assert ran.status == 109, ran
    assert "sles" in ran.err
    assert sandbox.file.read_bytes() == before
    sandbox.ok("shutdown", "sles")  # the resource id that no other has


def test_hostile_names_of_domus_reach_no_shell_and_no_option(sandbox):
    for name in ("-rf", "a;touch pwned", "$(touch pwned)", "42"):
        text = sandbox.file.read_text()
        start = text.index('<nvpair id="nfs-ia-name"')
        end = text.index("/>", start)
        sandbox.file.write_text(
            f'{text[:start]}<nvpair id="nfs-ia-name" name="name" value="{name}"{text[end:]}'
        )
        assert name in sandbox.ok("list").out
        there = "host1" if sandbox.nodes_of("nfs") == ["host2"] else "host2"
        sandbox.ok("migrate", "--", name, there)
        assert sandbox.nodes_of("nfs") == [there]
    assert not list(sandbox.folder.rglob("pwned"))


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "iso-8859-15"}])
def test_a_name_beyond_the_letters_of_the_locale_is_no_fault(sandbox, locale):
    text = sandbox.file.read_text("utf-8").replace('"sles"', '"sles\u0161\u4e2d"')
    sandbox.file.write_text(text, "utf-8")
    env = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", **locale}
    ran = sandbox.ok("list", env=env)
    assert "\\u4e2d" in ran.out, ran

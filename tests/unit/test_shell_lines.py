"""Lines of hxm shell: their words, what may come next, and what is said of the cluster."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from factories import cluster, domain, failure, node

from hxm.commands import shell
from hxm.errors import Interrupted, Refused, UsageError
from hxm.policy.state.summary import BAD, BUSY, Word, overview, trouble
from hxm.terminal.shell.completion import CommandLine
from hxm.terminal.shell.lines import from_file, read_all, words_of
from hxm.terminal.shell.prompt import _fitting

SEEN = cluster(
    domain("nfs", "host1"),
    domain("sles"),
    nodes=(node("host1"), node("host2", standby=True)),
)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("list", ["list"]),
        ("  migrate nfs  host2 # tonight", ["migrate", "nfs", "host2"]),
        ("hxm list nfs", ["list", "nfs"]),
        ("standby host1 --reason 'new kernel; and disk'", None),
        ('destroy "a b"', ["destroy", "a b"]),
        ("list *", ["list", "*"]),
        ("list $(touch owned)", ["list", "$(touch", "owned)"]),
        ("# nothing", []),
        ("", []),
    ],
)
def test_the_words_of_a_line(line, words):
    expected = words
    if words is None:
        expected = ["standby", "host1", "--reason", "new kernel; and disk"]
    assert words_of(line) == expected


@pytest.mark.parametrize("line", ["list 'nfs", "list | grep nfs", "list > file", "a ; b"])
def test_what_is_no_command_line_of_hxm_is_refused(line):
    with pytest.raises(UsageError):
        words_of(line)


def test_a_file_is_understood_to_its_end_before_anything_is_done(tmp_path):
    path = tmp_path / "night.hxm"
    path.write_text("# tonight\nlist\n\nmgrate nfs host2\n")
    with pytest.raises(UsageError, match=r"night.hxm, line 4: unknown command 'mgrate'") as e:
        read_all(str(path))
    assert "nothing was done" in e.value.hint
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_all(str(tmp_path / "none"))
    path.write_bytes(b"list \xff\n")
    with pytest.raises(UsageError, match="not UTF-8 text"):
        read_all(str(path))


@pytest.fixture
def done(monkeypatch):
    """The command lines that were carried out; every `fail` in them ends with 105."""
    lines = []

    def carry_out(words, *, stdin=None):
        lines.append(list(words))
        return {"fail": 105, "stopped": 130}.get(words[-1], 0)

    monkeypatch.setattr("hxm.terminal.shell.lines.carry_out", carry_out)
    return lines


@pytest.mark.parametrize(
    ("script", "keep_going", "status", "count"),
    [
        ("list\nstatus\n", False, 0, 2),
        ("list\nlist fail\nstatus\n", False, 105, 2),
        ("list\nlist fail\nstatus\n", True, 105, 3),
        ("list\nlist 'fail\nstatus\n", True, 2, 2),
        ("list stopped\nstatus\n", True, 130, 1),
        ("list\nexit\nstatus\n", False, 0, 1),
        ("list fail\nexit\n", True, 105, 1),
    ],
)
def test_where_a_script_stops_and_how_it_ends(done, script, keep_going, status, count):
    lines = iter(script.splitlines())
    assert from_file("x", lines, keep_going=keep_going, stdin=None) == status
    assert len(done) == count


def test_an_error_names_the_line(done, capsys):
    from_file("night.hxm", iter(["", "# x", "migrate nfs fail"]), keep_going=False, stdin=None)
    said = capsys.readouterr().err
    assert "hxm: night.hxm, line 3: migrate nfs fail: ended with status 105" in said


def test_a_ctrl_c_between_two_commands_tells_how_far_it_came(done):
    def typed(*lines):
        yield from lines
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="stdin was carried out up to line 2"):
        from_file("stdin", typed("list", "migrate nfs host2"), keep_going=False, stdin=None)
    assert len(done) == 2
    with pytest.raises(KeyboardInterrupt):  # nothing was changed
        from_file("stdin", typed(), keep_going=False, stdin=None)


def test_a_history_that_cannot_be_written_keeps_no_line_from_being_carried_out():
    from hxm.terminal.shell.prompt import _History

    history = _History("/dev/full")
    history.store_string("list")


@pytest.fixture(scope="module")
def line():
    return CommandLine()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mig", ["migrate", "migrate-receive"]),
        ("hxm unmi", ["unmigrate"]),
        ("migrate ", ["nfs", "sles"]),
        ("mig n", ["nfs"]),
        ("migrate nfs ", ["host1", "host2", "nfs", "sles"]),
        ("unlock host2 ", []),
        ("start nfs ", ["nfs", "sles"]),
        ("start --ti", ["--timeout"]),
        ("start --timeout ", []),
        ("list -o js", ["json"]),
        ("list -o d", []),
        ("graph -o d", ["dot"]),
        ("migrate -o ", ["table", "json"]),
        ("list -- -", []),
        ("maintenance on ho", ["host1", "host2"]),
        ("sandbox ne", ["new"]),
        ("console -t ", ["pv", "serial", "vuart"]),
        ("vcpu-li", ["vcpu-list"]),
        ("vcpu-list s", ["sles"]),
        ("nonsense ", []),
        ("standby 'ho", []),
        ("help mig", ["migrate", "migrate-receive"]),
    ],
)
def test_what_may_come_next(line, text, expected):
    found = [each.word for each in line.offers(text, SEEN)[1]]
    if text == "maintenance on ho":
        found = [each for each in found if each.startswith("ho")]
    assert [each for each in found if each != "migrate-receive"] == [
        each for each in expected if each != "migrate-receive"
    ]


def test_files_and_folders_come_next_where_they_may(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vm").mkdir()
    (tmp_path / "vm/nfs.cfg").touch()
    (tmp_path / "night.hxm").touch()
    (tmp_path / ".hidden").touch()
    assert [o.word for o in line.offers("shell -f ", None)[1]] == ["night.hxm", "vm/"]
    assert [o.word for o in line.offers("create vm/", None)[1]] == ["vm/nfs.cfg"]
    assert [o.word for o in line.offers("sandbox new ", None)[1]] == ["vm/"]


def test_what_is_offered_says_how_it_is(line):
    said = {each.word: each.text for each in line.offers("migrate ", SEEN)[1]}
    assert said == {"nfs": "Started on host1", "sles": "Stopped"}
    said = {each.word: each.text for each in line.offers("standby ", SEEN)[1]}
    assert said == {"host1": "online, 1 domU", "host2": "standby, 0 domUs"}
    assert line.offers("standby ", None)[1] == []


def test_every_command_and_option_of_the_completions_is_offered(line):
    assert {each.word for each in line.offers("", SEEN)[1]} == {name for name, _ in line.own}
    for name, spec in line.specs.items():
        offered = {each.word for each in line.offers(f"{name} -", SEEN)[1]}
        assert offered == {word for option in spec.options for word in option.spellings}, name


GLANCES = {
    "nfs is active on host1, host2 at once": cluster(
        domain("nfs", "host1", "host2"), quorum=False, nodes=(node("host1"), node("host2"))
    ),
    "nfs runs on host2, and the cluster does not know it": cluster(
        domain("nfs", stray="host2"), nodes=(node("host1"), node("host2", standby=True))
    ),
    "ok": cluster(domain("nfs", "host1"), nodes=(node("host1"),)),
    "NO QUORUM": cluster(quorum=False, nodes=(node("host1", unclean=True),)),
    "no DC": cluster(dc=None, nodes=(node("host1"),)),
    "host1 UNCLEAN": cluster(nodes=(node("host1", unclean=True, online=False),)),
    "MAINTENANCE": cluster(maintenance=True, nodes=(node("host1", standby=True),)),
    "host1 standby": cluster(nodes=(node("host1", standby=True),)),
    "1 to see": cluster(domain("nfs", "host1"), nodes=(node("host1"),), failures=(failure("nfs"),)),
}


@pytest.mark.parametrize("worst", GLANCES)
def test_the_worst_trouble_comes_first(worst):
    assert trouble(GLANCES[worst]).text == worst


def test_an_overview_begins_with_a_domu_that_runs_twice():
    words = overview(cluster(domain("nfs", "host1", "host2"), domain("sles", "host1")))
    assert words[1] == Word("nfs is active on host1, host2 at once", BAD)
    assert Word("2 domUs run", BAD) in words
    moving = overview(cluster(domain("nfs", "host1", "host2", role="Migrating")))
    assert [each.text for each in moving if each.kind == BAD] == []
    assert Word("nfs: migrating from host1 to host2", BUSY) in moving


def test_an_overview_names_what_moves_and_who_is_out():
    seen = cluster(
        domain("nfs", "host1", role="Stopping"),
        domain("sles", target_role="Stopped"),
        nodes=(node("host1"), node("host2", online=False)),
    )
    said = [each.text for each in overview(seen)]
    assert said[:5] == [
        "quorum",
        "1 of 2 nodes",
        "host2 OFFLINE",
        "1 of 2 domUs run",
        "nfs: Stopping, host1",
    ]


@pytest.mark.parametrize(
    ("columns", "shown"),
    [(30, " no answer | host1"), (18, " no answer | h..."), (17, " no answer"), (10, " no an...")],
)
def test_what_does_not_fit_into_the_bottom_line_ends_in_an_ellipsis(columns, shown):
    words = [Word("no answer", "bad"), Word("host1", "good")]
    found = "".join(text for _, text in _fitting(words, columns))
    assert len(found) < columns
    assert found == shown


def test_a_byte_order_mark_is_no_part_of_a_command():
    assert words_of("\ufefflist nfs") == ["list", "nfs"]


@pytest.mark.parametrize(("inside", "refused"), [("script", True), ("1", False)])
def test_a_script_within_a_script_is_refused(tmp_path, monkeypatch, done, inside, refused):
    """It may be the same one, without end; at the prompt it is one of many commands."""
    script = tmp_path / "night.hxm"
    script.write_text("list\n")
    monkeypatch.setenv("HXM_SHELL", inside)
    with pytest.raises(Refused) if refused else nullcontext():
        shell.run(str(script))
    assert len(done) == (not refused)

"""The man page and the completions: current, complete, and true of the real tools."""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import pty
import re
import shlex
import shutil
import struct
import subprocess
import sys
import termios
import textwrap
from functools import cache

import forked
import pytest
from docutils import nodes
from docutils.core import publish_doctree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "man"))

from hxm import catalog  # noqa: E402
from hxm.arguments import describe  # noqa: E402
from hxm.arguments.options import PICTURES  # noqa: E402
from hxm.output.formats import FORMS  # noqa: E402

HOSTILE = [
    "$(touch owned)",
    "`touch owned`",
    "a;touch owned",
    "--force",
    "a b",
    "a|b",
    "*",
    "\x1b[31mred",
    "it's",
    'say "x"',
    "nfs\ntouch",
    "a:b",
    "a\\b",
    "~root",
    "${PATH}",
    "<x>",
]

needs_cluster_tools = pytest.mark.skipif(
    not shutil.which("cibadmin"), reason="cibadmin is not installed"
)


def needs(program):
    return pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed")


def ran(*argv, **how):
    return subprocess.run(argv, check=False, capture_output=True, text=True, **how)


def load(folder):
    spec = importlib.util.spec_from_file_location(
        f"generate_{folder}", os.path.join(ROOT, folder, "generate.py")
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


@cache
def parsed(page):
    """The source of a page, as docutils reads it."""
    return publish_doctree(read("man", f"{page}.rst"), settings_overrides={"halt_level": 2})


def section(page, title):
    (found,) = (each for each in parsed(page).findall(nodes.section) if title_of(each) == title)
    return found


def texts_of_examples():
    """The paragraphs of hxm(8) that give examples."""
    paragraphs = parsed("hxm.8").findall(nodes.paragraph)
    return [each for each in paragraphs if each.astext().startswith("Example: ")]


def title_of(node):
    return node.next_node(nodes.title).astext()


def texts(node, kind):
    return [each.astext() for each in node.findall(kind)]


def entries():
    for entry in describe.own_commands():
        yield entry
        yield from entry.subcommands


# Current


def test_the_man_pages_are_current():
    files = load("man").generate()
    assert len(files) == 2 * len(PAGES)
    for name, text in files.items():
        assert read("man", name) == text, "run man/generate.py"


@pytest.mark.parametrize("name", ["hxm.bash", "_hxm", "hxm.fish"])
def test_the_completions_are_current(name):
    assert read("completions", name) == load("completions").generate()[name], (
        "run completions/generate.py"
    )


# Complete


SHARED = ("Options of every changing command", "Options of every reading command")


@pytest.mark.parametrize("entry", list(entries()), ids=lambda entry: entry.name)
def test_the_man_page_has_every_command_and_option(entry):
    (item,) = (
        item
        for item in section("hxm.8", "Commands").findall(nodes.definition_list_item)
        if texts(item.next_node(nodes.term), nodes.literal)[:1] == [entry.name]
    )
    terms = [term for part in SHARED for term in section("hxm.8", part).findall(nodes.term)]
    described = {
        word for term in [*item.findall(nodes.term), *terms] for word in texts(term, nodes.literal)
    }
    for option in entry.all_options:
        assert {*option.spellings} <= described | {"-h", "--help"}


def test_the_man_page_has_every_command_of_the_toolstack():
    described = texts(section("hxm.8", "Toolstack commands"), nodes.literal)
    for policy in describe.POLICIES:
        for bygone in (True, False):
            assert set(describe.toolstack_commands(policy, bygone=bygone)) <= set(described)


@pytest.mark.parametrize("name", ["hxm.bash", "_hxm", "hxm.fish"])
@pytest.mark.parametrize("entry", list(entries()), ids=lambda entry: entry.name)
def test_the_completions_have_every_command_and_option(name, entry):
    text = read("completions", name)
    end = "\n" if "fish" in name else ")"
    _, found, rest = text.partition(f" {shlex.quote(entry.name)}{end}")
    assert found
    spec = rest.split("\n        case ")[0] if "fish" in name else rest.split(";;")[0]
    for option in entry.all_options:
        for word in option.spellings:
            assert re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", spec), word


PAGES = sorted(name for name in os.listdir(os.path.join(ROOT, "man")) if name[-2:] in (".7", ".8"))
every_page = pytest.mark.parametrize("page", PAGES)


@needs("man")
@every_page
def test_a_page_renders_without_warnings(page):
    done = ran(
        "man",
        "--warnings",
        "-l",
        os.path.join(ROOT, "man", page),
        env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80


@needs("mandoc")
@every_page
def test_a_page_has_no_faults_for_mandoc(page):
    done = ran("mandoc", "-Tlint", "-Wwarning", os.path.join(ROOT, "man", page))
    assert done.stdout + done.stderr == ""


@every_page
def test_a_page_is_installed_and_known_to_the_manual(page):
    name, section = page.rsplit(".", 1)
    assert f'"man/{page}" = "share/man/man{section}/{page}"' in read("pyproject.toml")
    assert page == "hxm.8" or f"{name}({section})" in texts(parsed("hxm.8"), nodes.reference)


@every_page
def test_a_page_links_to_pages_that_there_are(page):
    links = [link for link in parsed(page).findall(nodes.reference) if "refuri" in link]
    assert links
    for link in links:  # docutils itself looks after those within the page
        target, _, anchor = link["refuri"].partition("#")
        if anchor:
            ids = [each["ids"] for each in parsed(target[:-4]).findall(nodes.section)]
            assert [anchor] in ids
        else:
            name, number = re.fullmatch(r"(.*)\((.)\)", link.astext()).groups()
            assert target == f"{name}.{number}.rst"
            assert f"{name}.{number}" in PAGES


@every_page
def test_a_page_tells_of_commands_and_options_that_there_are(page):
    known = {entry.name: entry for entry in entries()}
    blocks = "\n".join(texts(parsed(page), nodes.literal_block))
    shown = [text for text in texts(parsed(page), nodes.literal) if text.startswith("hxm ")]
    shown += re.findall(r"(?m)^# (hxm .*)$", blocks)
    assert len(shown) > 15
    for line in shown:
        words = re.sub(r" '[^']*'| \|.*", "", line).split()[1:]
        if words[0].startswith("-"):
            continue
        (name,) = catalog.candidates(words[0])
        entry = known.get(" ".join([name, *words[1:2]])) or known.get(name)
        allowed = {
            spelling
            for option in (entry.all_options if entry else ())
            for spelling in option.spellings
        }
        options = {word.split("=")[0] for word in words[1:] if word.startswith("-")} - {"--"}
        assert not entry or options <= allowed, line


# True


def as_typed(cib):
    """The environment in which examples are typed."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("CIB_")}
    env |= {"PYTHONPATH": ROOT, "TERM": "dumb", "NO_COLOR": "1"}
    env.pop("COLUMNS", None)
    return env | ({"CIB_file": str(cib)} if cib else {})


def in_a_shell(line, cib):
    """What a line of other programs, or a pipe, prints."""
    script = f'hxm() {{ {shlex.quote(sys.executable)} -m hxm "$@"; }}; {line}'
    return subprocess.run(
        ["sh", "-c", script], env=as_typed(cib), capture_output=True, text=True, check=True
    )


def hxm(*words, cib=None, width=None, path=""):
    """A run of hxm: exit status, stdout (a terminal of that width, if given) and stderr."""
    env = as_typed(cib) | {"PATH": path + os.environ["PATH"]}
    if not width:
        done = forked.run(words, env)
        return done.returncode, done.stdout.decode(), done.stderr.decode()
    argv = [sys.executable, "-m", "hxm", *words]
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    with subprocess.Popen(
        argv, stdout=terminal, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=env
    ) as process:
        os.close(terminal)
        shown = b""
        try:
            while chunk := os.read(controller, 65536):
                shown += chunk
        except OSError:  # the terminal's other end is closed
            pass
        os.close(controller)
        said = process.stderr.read()
    return process.returncode, shown.decode().replace("\r", ""), said


@pytest.fixture
def cib(tmp_path):
    status, _, said = hxm("sandbox", "new", str(tmp_path / "sb"))
    assert status == 0, said
    return tmp_path / "sb" / "cib.xml"


def told(text):
    """What of an output does not change from run to run, folded as one likes."""
    text = re.sub(
        r"\(by \S+, \d+ \w+ ago: ", "(by WHO, AGE ago: ", " ".join(text.replace("─", "-").split())
    )
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ?", "TIME", text)
    return re.sub(r"\b\d+\.\d s\b", "SECONDS", text)


@needs_cluster_tools
def test_the_examples_show_what_really_comes_out(cib, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "xl").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin" / "xl").chmod(0o755)
    blocks = texts(section("hxm.8", "Examples"), nodes.literal_block)
    pairs = [each.split("\n", 1) for each in "\n".join(blocks).split("# hxm ")[1:]]
    assert len(pairs) > 8
    for line, expected in pairs:
        _, shown, said = hxm(*shlex.split(line), cib=cib, width=80, path=f"{tmp_path}/bin:")
        assert told(expected) == told(shown + said), line


@needs_cluster_tools
def test_the_readme_shows_what_really_comes_out(cib):
    """Into a pipe, whose lines are only folded differently."""
    _, begun, rest = read("README.md").partition("    # hxm list\n")
    block = textwrap.dedent(begun + rest.partition("\n\n")[0])
    pairs = [each.split("\n", 1) for each in block.split("# hxm ")[1:]]
    assert len(pairs) > 4
    for line, expected in pairs:
        _, shown, said = hxm(*shlex.split(line), cib=cib)
        assert told(expected) == told(shown + said), line


@needs_cluster_tools
def test_the_tutorial_is_what_really_happens(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    blocks = "\n".join(texts(parsed("hxm-tutorial.7"), nodes.literal_block))
    typed = [each.split("\n", 1) for each in f"{blocks}\n".split("# ")[1:]]
    assert len(typed) > 25
    cib = None
    for line, expected in typed:
        name, *words = (os.path.expanduser(word) for word in shlex.split(line))
        if name == "export":
            cib = os.path.expanduser(words[0].partition("=")[2])
            continue
        if name != "hxm" or "|" in words:
            shown = in_a_shell(line, cib).stdout
            assert name != "hxm" or expected.rstrip() == shown.rstrip()
            continue
        _, shown, said = hxm(*words, cib=cib, width=69)  # man indents the examples
        printed = told((shown + said).replace(str(tmp_path), "/root"))
        if shown and said:  # which come in turn on a terminal
            assert sorted(told(expected).split()) == sorted(printed.split()), line
        else:
            assert told(expected) == printed, line


EXAMPLES = [
    literal
    for paragraph in texts_of_examples()
    for literal in texts(paragraph, nodes.literal)
    if literal.startswith("hxm ")
]
STAND_FOR = {
    "/etc/xen/vm/": "",
    "/root/": "",
    "'vm1*'": "'n*'",
    " 7": " 1",
    "hxm watch": "hxm watch --count 1",
    " --count 60 --interval 10": "",
}
"""What an example names that the sandbox has not, or not so soon."""
OTHER_STATUS = {
    "hxm clusters -o json": 2,  # none is configured
    "hxm console nfs": 107,  # a sandbox has none
    "hxm drill kill sles": 107,  # it needs a cluster that runs
    "hxm graph -o svg > cluster.svg": 0 if shutil.which("dot") else 1,
    "hxm undo --dry-run": 107,  # it asks whether sles is to stop
    "hxm migrate nfs": 107,  # it asks whether the scheduler's choice is meant
}
SERVED = "hxm serve"
"""What never ends by itself has its own tests."""


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory):
    """A sandbox in which something has happened, with the files that the examples name."""
    folder = tmp_path_factory.mktemp("lived-in")
    cib = folder / "cib.xml"
    assert hxm("sandbox", "new", str(folder))[0] == 0
    for words in (("shutdown", "sles"), ("start", "sles"), ("backup", str(folder / "cib.bak.xml"))):
        assert hxm(*words, cib=cib)[0] == 0
    web = (folder / "sles.xm").read_text().replace("sles", "web").replace("vm3", "vm9")
    (folder / "web.xm").write_text(web.replace("00:02", "00:09"))
    (folder / "night.hxm").write_text("list\n")
    (folder / "night").write_text("1\n")  # as a lesson leaves it
    return folder


@needs_cluster_tools
@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_can_be_typed(lived_in, tmp_path, example):
    if example.startswith(SERVED):
        return
    folder = tmp_path / "now"
    shutil.copytree(lived_in, folder)
    line = example
    for named, there in STAND_FOR.items():
        line = line.replace(named, there)
    words = shlex.split(line.partition(" > ")[0])[1:]
    done = forked.run(words, as_typed(folder / "cib.xml"), cwd=folder)
    assert (done.returncode, b"Traceback" in done.stderr) == (OTHER_STATUS.get(line, 0), False), (
        done
    )


def keys(value):
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from keys(each)
    elif isinstance(value, list):
        for each in value:
            yield from keys(each)


@needs_cluster_tools
def test_every_key_of_json_is_in_the_man_page(cib):
    described = set(texts(section("hxm.8", "JSON"), nodes.literal))
    assert hxm("migrate", "nfs", "host2", "--keep", cib=cib)[0] == 0
    assert hxm("sandbox", "fail", "sles", "--operation", "start", cib=cib)[0] == 0
    found = set()
    for words in (
        ("list",),
        ("nodes",),
        ("status",),
        ("standby", "host2", "--dry-run"),
        ("unmanage", "nfs"),
        ("migrate", "nfs", "host1"),
    ):
        _, shown, said = hxm(*words, "-o", "json", cib=cib)
        assert shown, said
        found |= set(keys(json.loads(shown)))
    assert {"failures", "expires", "before", "objections", "kind"} <= found
    assert found <= described


# The completions at work


def bash(*words, cib=None, before=""):
    script = f"""
        . {shlex.quote(f"{ROOT}/completions/hxm.bash")}
        {before}
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _hxm
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return complete(["bash", "--norc", "-c", script, "bash", *words], cib)


def fish(*words, cib=None, before=""):
    script = f"source {shlex.quote(f'{ROOT}/completions/hxm.fish')}; {before}; "
    script += "complete -C (string join ' ' -- $argv)"
    found = complete(["fish", "--no-config", "-c", script, *words], cib)
    return [line.split("\t")[0] for line in found]


ZSH = """
    functions[_wanted]='shift 3; "$@"'
    functions[_describe]='local a; for a in ${(P)@[-1]}; print -r -- ${a%%:*}'
    functions[_files]='print -l -- $PREFIX*'
    functions[compadd]='while [[ $1 != (--|-a) ]]; do shift; done
        if [[ $1 == -a ]]; then print -rl -- ${(P)2}; else shift; print -rl -- "$@"; fi'
    functions[compset]='PREFIX=${PREFIX#*=}'
    words=("$@") CURRENT=$# PREFIX=$words[-1]
    complete_hxm() { source "$SCRIPT" }
    complete_hxm
"""


def zsh(*words, cib=None, before=""):
    """The function with zsh's own completion system replaced by what prints the candidates."""
    script = f"SCRIPT={shlex.quote(f'{ROOT}/completions/_hxm')}; {before}\n{ZSH}"
    found = complete(["zsh", "-f", "-c", script, "zsh", *words], cib)
    prefix = words[-1].split("=")[-1]
    return [each for each in found if each.startswith(prefix)]


def complete(argv, cib):
    env = {key: value for key, value in os.environ.items() if not key.startswith("CIB_")}
    if cib:
        env["CIB_file"] = str(cib)
    done = ran(*argv, env=env, timeout=30)
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


SHELLS = [
    pytest.param(each, id=each.__name__, marks=needs(each.__name__)) for each in (bash, zsh, fish)
]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_can_be_read(shell):
    name = {"bash": "hxm.bash", "zsh": "_hxm", "fish": "hxm.fish"}[shell.__name__]
    path = os.path.join(ROOT, "completions", name)
    done = ran(shell.__name__, "-n", path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["mig"], ["migrate"]),
        (["unp"], ["unpause"]),
        (["list", "--ou"], ["--output"]),
        (["migrate", "--no"], ["--no-wait"]),
        (["list", "--zz"], []),
        (["block-attach", "--local"], ["--local-only"]),
        (["list", "-o", ""], list(FORMS)),
        (["migrate", "-o", ""], ["table", "json"]),
        (["graph", "--output", ""], list(PICTURES)),
        (["drill", "list", "-o", "js"], ["json"]),
        (["migrate", "--reason", ""], []),
        (["maintenance", ""], ["on", "off"]),
        (["sandbox", "lose-q"], ["lose-quorum"]),
        (["help", "mig"], ["migrate"]),
        (["status", ""], []),
        (["nonsense", ""], []),
        (["st", ""], []),
        (["migrate", ""], []),
    ],
    ids=" ".join,
)
def test_what_needs_no_cluster(shell, words, expected, tmp_path):
    no_such_file = tmp_path / "cib.xml"
    assert shell("hxm", *words, cib=no_such_file) == expected


@pytest.mark.parametrize("shell", SHELLS)
def test_hxms_own_commands_come_first_and_the_bygone_never(shell):
    found = shell("hxm", "")
    own = [entry.name for entry in describe.own_commands()]
    assert found[: len(own)] == own
    assert {"unpause", "vcpu-pin", "console"} <= set(found)
    assert not {"usb-add", "migrate-receive"} & set(found)


@needs_cluster_tools
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["migrate", ""], ["nfs", "sles"]),
        (["migrate", "n"], ["nfs"]),
        (["migrate", "nfs", ""], ["host1", "host2", "nfs", "sles"]),
        (["migrate", "nfs", "host2", "s"], ["sles"]),
        (["migrate", "--reason", "fan", "--keep", "nfs", "host"], ["host1", "host2"]),
        (["mig", "nfs", "host"], ["host1", "host2"]),
        (["-N", "standby", ""], ["host1", "host2"]),
        (["standby", "host1", ""], []),
        (["maintenance", "on", ""], ["host1", "host2", "nfs", "sles"]),
        (["shutdown", "nfs", "s"], ["sles"]),
        (["sandbox", "fail", "host"], ["host1", "host2"]),
        (["console", ""], ["nfs", "sles"]),
    ],
    ids=" ".join,
)
def test_names_of_the_cluster(shell, words, expected, cib):
    assert shell("hxm", *words, cib=cib) == expected


@pytest.mark.parametrize("shell", SHELLS)
def test_a_configuration_file(shell, tmp_path):
    (tmp_path / "guest.cfg").touch()
    start = str(tmp_path / "gu")
    assert shell("hxm", "create", start) == [str(tmp_path / "guest.cfg")]


def as_cib(names):
    """A configuration in which domUs and nodes have these names."""
    from xml.sax.saxutils import quoteattr

    def quoted(name):
        return quoteattr(name.replace("\x1b", "\x7f"), {'"': "&quot;"})

    nodes = "".join(f'<node id="{n}" uname={quoted(name)}/>' for n, name in enumerate(names))
    primitives = "".join(
        f'<primitive id="vm{n}" class="ocf" provider="heartbeat" type="Xen">\n'
        f'<instance_attributes id="i{n}"><nvpair id="n{n}" name="name" value={quoted(name)}/>'
        "</instance_attributes></primitive>"
        f'<primitive id={quoted(name)} template="t"/>'
        for n, name in enumerate(names)
    )
    template = '<template id="t" class="ocf" provider="heartbeat" type="VirtualDomain"/>'
    resources = f"<resources>{template}{primitives}</resources>"
    return f"<configuration><nodes>{nodes}</nodes>{resources}</configuration>"


@pytest.mark.parametrize("shell", SHELLS)
def test_hostile_names_are_harmless(shell, tmp_path, monkeypatch):
    """With names that no schema would let into a CIB, from a cibadmin that prints them."""
    (tmp_path / "answer.xml").write_text(as_cib([*HOSTILE, "good-1"]))
    (tmp_path / "cibadmin").write_text(f"#!/bin/sh\ncat {tmp_path}/answer.xml\n")
    (tmp_path / "cibadmin").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    domains = [f"vm{number}" for number in range(len(HOSTILE) + 1)]
    assert sorted(shell("hxm", "migrate", "")) == sorted([*domains, "good-1"])
    assert shell("hxm", "standby", "") == ["good-1"]
    assert not os.path.exists(tmp_path / "owned")


@pytest.mark.parametrize("shell", SHELLS)
def test_silence_when_the_cluster_does_not_answer(shell, tmp_path, monkeypatch):
    for answer in ("exit 1", "echo '<configuration'; echo oh >&2", "kill -SEGV $$", "sleep 60"):
        (tmp_path / "cibadmin").write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / "cibadmin").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        assert shell("hxm", "list", "") == []

"""The reader of configuration files: what it reads, what it refuses and where, and only reads."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hxm.domu.config_file import (
    MAX_BYTES,
    MAX_DEPTH,
    Number,
    Value,
    XmFileError,
    agent_name,
    parse_xmfile,
    read_text,
    read_xmfile,
)
from hxm.domu.settings import domain_name, memory_mib, vcpus
from hxm.errors import HxmError

XM_2008 = """\
#  -*- mode: python; -*-
name = "nfs"
uuid = "8a2f7a9e-7d5a-4b9c-9f57-1d1f0c1a2b3c"
memory = 512
vcpus = 2
bootloader = '/usr/lib/xen/boot/domUloader.py'
extra = "TERM=xterm " \\
        "console=tty"
disk = [ 'phy:/dev/evms/san2/vm2,xvda,w', 'phy:/dev/mapper/mpath1,xvdc,w' ]
vif = [ 'mac=00:16:3e:32:8b:12', ]
vfb = [ "type=vnc,vncunused=1" ]
on_crash = 'restart'
"""
XL = """\
name = "nfs";  type = "pvh"
memory = 0x200
vcpus = 2; maxvcpus = 4
disk = [
    "format=raw, vdev=xvda, access=rw, target=/dev/vg/nfs",   # the root
    # "vdev=xvdb, target=/dev/vg/old",
    "format=qcow2, vdev=xvdb, target=/srv/data.qcow2",
]
vif = [ "bridge=xenbr0" ]
vif += [ "bridge=xenbr1" ]
vnuma = [ [ "pnode=0", "size=256", "vcpus=0" ], [ "pnode=1", "size=256", "vcpus=1" ] ]
"""

# One row: the text, the name of the domU, and what the agent takes for it. The last column was
# seen with the line of ocf:heartbeat:Xen itself (resource-agents 4.12.0; gawk and mawk, dash and
# bash), where None stands for the empty name that makes it fall back to the resource id.
NAMES = [
    pytest.param('name="nfs"\n', "nfs", "nfs", id="plain"),
    pytest.param("\tname = 'nfs'\n", "nfs", "nfs", id="blanks and tabs before"),
    pytest.param('name="nfs"', "nfs", "nfs", id="no newline at the end"),
    pytest.param('name="nfs" \n', "nfs", None, id="trailing blank"),
    pytest.param('name="nfs"\t\n', "nfs", None, id="trailing tab"),
    pytest.param('name="nfs" # the server\n', "nfs", None, id="trailing comment"),
    pytest.param('name="nfs"#server\n', "nfs", "nfs#server", id="comment without a blank"),
    pytest.param('name="nfs"\r\nmemory=5\r\n', "nfs", None, id="CRLF"),
    pytest.param('name="nfs"; memory=5\n', "nfs", "5", id="second setting on the line"),
    pytest.param('memory=5; name="nfs"\n', "nfs", None, id="name is second on the line"),
    pytest.param('name="nfs";\n', "nfs", "nfs;", id="semicolon"),
    pytest.param('name="a"\nname="b"\n', "b", "a\nb", id="two lines"),
    pytest.param('name="a"\nname="a"\n', "a", "a\na", id="the same line twice"),
    pytest.param('#name="a"\n # name="b"\nname="c"\n', "c", "c", id="commented out"),
    pytest.param('name="a"\nname+="b"\n', "ab", "a", id="appended"),
    pytest.param('name="a" "b"\n', "ab", None, id="side by side"),
    pytest.param('name="a=b"\n', "a=b", "b", id="equals sign in it"),
    pytest.param('name="a%b"\n', "a%b", None, id="percent sign"),
    pytest.param('name="a b"\n', "a b", None, id="blank in it"),
    pytest.param('name="a[1]"\n', "a[1]", "a1", id="brackets in it"),
    pytest.param("name='''nfs'''\n", "nfs", "nfs", id="triple quotes"),
    pytest.param('name=("nfs")\n', "nfs", "(nfs)", id="parentheses"),
    pytest.param("name = 007\n", "007", "007", id="a number is taken as it is spelt"),
    pytest.param("name = 0x1f\n", "0x1f", "0x1f", id="so is a hexadecimal one"),
    pytest.param("name = 12ab\n", "12ab", "12ab", id="only xl takes it for a number"),
    pytest.param('name=""\n', None, None, id="empty"),
    pytest.param('name=["a"]\n', None, "a", id="a list is no name"),
    pytest.param("name=True\n", None, "True", id="a truth value is no name"),
    pytest.param("name=None\n", None, "None", id="None"),
    pytest.param('names="a"\nfull_name="b"\n', None, None, id="only similar keys"),
    pytest.param("", None, None, id="empty file"),
]

# Texts that xl reads too; each value is what libxlutil 4.17.7 returned, which has only strings.
AS_XL = [
    ('a="x"\n', {"a": "x"}),
    ('a="x"', {"a": "x"}),
    ("a=1;b=2", {"a": "1", "b": "2"}),
    (";;\n;a=1;", {"a": "1"}),
    ("\n# c\n\n a\t=\t1 # d\n\n", {"a": "1"}),
    (
        "a=010;b=0x1f;c=123abc;d=08;e=1e5\n",
        {"a": "010", "b": "0x1f", "c": "123abc", "d": "08", "e": "1e5"},
    ),
    ("a=[]\n", {"a": []}),
    ('a=["x","y",]\n', {"a": ["x", "y"]}),
    ('a=[["x",1],[],[[2]]]\n', {"a": [["x", "1"], [], [["2"]]]}),
    ('a=[\n\n"x"\n,\n# c\n"y" # ]\n]\n', {"a": ["x", "y"]}),
    ('a=1\na="x"\na=["y"]\n', {"a": ["y"]}),
    ('a="x"\nb=1\na+="y"\n', {"a": "xy", "b": "1"}),
    ('a=["x"]\na+=["y",["z"]]\n', {"a": ["x", "y", ["z"]]}),
    ('a+="x"\nb+=[]\n', {"a": "x", "b": []}),
    (r"""a="\a\b\f\n\r\t\v\\\'\"" """, {"a": "\a\b\f\n\r\t\v\\'\""}),
    ("""a="it's"; b='a "b"'\n""", {"a": "it's", "b": 'a "b"'}),
    ('a="#;[1"\n', {"a": "#;[1"}),
    ('a="grün"\n', {"a": "grün"}),
    ('# c\r\na="x"\n', {"a": "x"}),
    ("if=1\n", {"if": "1"}),
]

# Texts that only Python takes; the values are Python's.
AS_PYTHON = [
    ("a='x' \"y\"\n", {"a": "xy"}),
    ("a=['x'\n 'y', 'z']\n", {"a": ["xy", "z"]}),
    ("a='x' \\\n  'y'\n", {"a": "xy"}),
    ("a \\\n = \\\r\n 1\n", {"a": 1}),
    ("a='x\\\ny'\n", {"a": "xy"}),
    ('a="""x\n"y"\n"""\n', {"a": 'x\n"y"\n'}),
    ('a="""x\r\ny\\""""\r\n', {"a": 'x\ny"'}),
    ("a=''''x'''\n", {"a": "'x"}),
    ("a=True\nb=False\n", {"a": True, "b": False}),
    ("a='x'\na=None\n", {}),
    ("a=('x', 'y')\n", {"a": ["x", "y"]}),
    ("a=('x')\n", {"a": "x"}),
    ("a=('x',)\n", {"a": ["x"]}),
    ("a=()\n", {"a": []}),
    ("a=(\n 'x' # c\n 'y'\n)\n", {"a": "xy"}),
    ("a=[('x', 1), (2)]\n", {"a": [["x", 1], 2]}),
    ("a=-1\nb=-0x10\nc=0XFF\nd=010\ne=0\n", {"a": -1, "b": -16, "c": 255, "d": 8, "e": 0}),
    ("Upper_Case=1\n_x=2\n", {"Upper_Case": 1, "_x": 2}),
    ("a=1\r\nb=[ # c\r\n 2,\r\n]\r\n", {"a": 1, "b": [2]}),
    ("a=1 # no newline", {"a": 1}),
]

# What is refused: the text, line and column, and what the message must name.
REFUSED = [
    # never closed
    ('a="x', 1, 3, "string is never closed"),
    ("a=1\n\n  b = 'x\nc='y'\n", 3, 7, "string is never closed"),
    ('a="x\\', 1, 3, "string is never closed"),
    ("a='x\ry'\n", 1, 3, "string is never closed"),
    ('a="""x"\n""\n', 1, 3, "string is never closed"),
    ("a=['x', 'y\n]\n", 1, 9, "string is never closed"),
    ("a=[1,\n(2,\n", 2, 1, "'(' is never closed"),
    ("a=1\nb = [ 'x',\n 'y'\n", 2, 5, "'[' is never closed"),
    ("disk = [ 'x'\n\nname='nfs'\n", 3, 1, "expected ',' or the ']' of line 1, found 'name='"),
    ("disk = [ 'x',\nname='nfs'\n", 2, 1, "expected a value, found 'name='"),
    ("a=[1)\n", 1, 5, "found ')'"),
    ("a=[1 2]\n", 1, 6, "found '2'"),
    ("a=[,]\n", 1, 4, "found ','"),
    ("a=['x',,]\n", 1, 8, "found ','"),
    ("a=[1;2]\n", 1, 5, "found ';'"),
    # incomplete or superfluous
    ("a=", 1, 3, "found the end of the file"),
    ("a=\n1\n", 1, 3, "found the end of the line"),
    ("a=\r\n", 1, 3, "found the end of the line"),
    ("a= # c\n", 1, 4, "found '#'"),
    ("a\n=1\n", 1, 1, "expected KEY = VALUE, found 'a'"),
    ("a=1 b=2\n", 1, 5, "expected the end of the line, found 'b='"),
    ("a=1,\n", 1, 4, "expected the end of the line, found ','"),
    ("memory = 512 MB\n", 1, 14, "found 'MB'"),
    ("a='x' 1\n", 1, 7, "found '1'"),
    ("a=1 'x'\n", 1, 5, """found "'\""""),
    ("a = b = 1\n", 1, 5, "found 'b ='"),
    ("a == 1\n", 1, 1, "found 'a =='"),
    ("a += 1\n", 1, 3, "'+='"),
    ("a=1\na+=2\n", 2, 2, "'+='"),
    ("a='x'\na+=['y']\n", 2, 2, "'+='"),
    ("a=['x']\na+='y'\n", 2, 2, "'+='"),
    # keys
    ("1a=2\n", 1, 1, "KEY = VALUE"),
    ('"name"="x"\n', 1, 1, "KEY = VALUE"),
    ("a-b=1\n", 1, 1, "KEY = VALUE"),
    ("a.b=1\n", 1, 1, "KEY = VALUE"),
    ("a\u0301b=1\n", 1, 1, "KEY = VALUE"),
    # numbers
    ("a=512L\n", 1, 3, "'512L' is not a number"),
    ("a=0xfg\n", 1, 3, "'0xfg' is not a number"),
    ("a=1_000\n", 1, 3, "'1_000' is not a number"),
    ("a=-08\n", 1, 3, "'-08' is not a number"),
    # characters
    ("a=1\n# c\0d\n", 2, 4, r"expected text, found '\x00'"),
    ('a="x\0"\n', 1, 5, r"expected text, found '\x00'"),
    ('a=1\nb = "x\udcfc"\n', 2, 7, "not UTF-8"),
    ("a=1 \udcfc\n", 1, 5, r"'\udcfc'"),
    ("\ufeffa=1\n", 1, 1, r"'\ufeff'"),
    ("a=1\rb=2\n", 1, 4, r"'\r'"),
    ("# c\ra=2\n", 1, 4, r"'\r'"),
    ("a=1\fb=2\n", 1, 4, r"'\x0c'"),
    ("a = \\ 1\n", 1, 5, r"'\\'"),
    # escapes: xl refuses \q and \x41 and reads \101 as nothing, Python keeps, A, A
    (r'a="\q"', 1, 4, "escape"),
    (r'a="xx\x41"', 1, 6, "escape"),
    (r'a="\\\101"', 1, 6, "escape"),
    (r'a="""' + "\n" + r'\d"""', 2, 1, "escape"),
    ("a=" + "[" * (MAX_DEPTH + 1), 1, 3 + MAX_DEPTH, f"more than {MAX_DEPTH} brackets"),
    ("a=[None]\n", 1, 4, "None"),
]

# What would have to be executed: the text, line and column, and the thing that the message names.
CODE = [
    ("import os\n", 1, 1, "import"),
    ("name='x'\nfrom os import system\n", 2, 1, "from"),
    ("def f():\n  return 1\n", 1, 1, "def"),
    ("if True:\n  name='x'\n", 1, 1, "if"),
    ("for i in range(3): pass\n", 1, 1, "for"),
    ("exec 'name=1'\n", 1, 1, "exec"),
    ("print 'x'\n", 1, 1, "print"),
    ("os.system('id')\n", 1, 1, "os.system("),
    ("execfile ('/tmp/x')\n", 1, 1, "execfile ("),
    ("disk[0] = 'x'\n", 1, 1, "disk["),
    ("name = open('/etc/passwd').read()\n", 1, 8, "open("),
    ("name = os.environ['NAME']\n", 1, 8, "os.environ["),
    ("name = __import__('os').getpid()\n", 1, 8, "__import__("),
    ("name = not 1\n", 1, 8, "not"),
    ("name = lambda: 1\n", 1, 8, "lambda"),
    ("name = f'{1}'\n", 1, 8, "f'"),
    ("name = r'x'\n", 1, 8, "r'"),
    ("name = {'a': 1}\n", 1, 8, "{"),
    ("name = `1`\n", 1, 8, "`"),
    ("name = 'vm%d' % 3\n", 1, 15, "%"),
    ("name = 'a' + 'b'\n", 1, 12, "+"),
    ("disk = ['a'] + ['b']\n", 1, 14, "+"),
    ("name = 'abc'[1]\n", 1, 13, "["),
    ("name = 'abc'.upper()\n", 1, 13, "."),
    ("name = 'a' if 1 else 'b'\n", 1, 12, "if"),
    ("vcpus = 2*3\n", 1, 10, "*"),
    ("vcpus = 1.5\n", 1, 10, "."),
    ("vcpus = -(1)\n", 1, 9, "-"),
    ("disk = ['a' % 1]\n", 1, 13, "%"),
    ("disk = ['a' for i in x]\n", 1, 13, "for"),
    ("disk = [ open('x') ]\n", 1, 10, "open("),
    ("memory = mem\n", 1, 10, "mem"),
    ("disk = [ root, 'x' ]\n", 1, 10, "root"),
]

WORDS = """
name memory vcpus disk a _x = = = += == ( ) [ ] { } , ; # % . - \\ " ' \"\"\" ''' True None
1 010 0x1f 08 12ab -1 import def os.environ f'x' "nfs" 'x' '\\n' '\\q' '\\101' é \udcff \0
"""
TOKENS = [*WORDS.split(), " ", "\t", "\n", "\n", "\r\n", "\r", "\\\n"]
TOKENS += ["# c\n", 'name="nfs"\n', "a=[1,\n'x']\n"]
texts = st.lists(st.sampled_from(TOKENS), max_size=30).map("".join) | st.text(max_size=60)


def plain(value: Value) -> Value:
    """Return the value as xl has it, where a number is the text of it."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.spelling if isinstance(value, Number) else value


@pytest.mark.parametrize(("text", "name", "agents_name"), NAMES)
def test_the_name_and_what_the_agent_takes_for_it(
    text: str, name: str | None, agents_name: str | None
) -> None:
    assert domain_name(parse_xmfile(text)) == name
    assert agent_name(text) == agents_name


def test_agent_name_needs_no_readable_file() -> None:
    assert (
        agent_name("import os\nname = 'nfs'\nif x:\n  name = os.environ['X']\n")
        == "nfs\nos.environX"
    )
    assert agent_name("name\n") == "name"
    assert agent_name("  name\n") is None
    assert agent_name("name\r\n") is None


def test_xm_file() -> None:
    parsed = parse_xmfile(XM_2008)
    assert parsed == {
        "name": "nfs",
        "uuid": "8a2f7a9e-7d5a-4b9c-9f57-1d1f0c1a2b3c",
        "memory": 512,
        "vcpus": 2,
        "bootloader": "/usr/lib/xen/boot/domUloader.py",
        "extra": "TERM=xterm console=tty",
        "disk": ["phy:/dev/evms/san2/vm2,xvda,w", "phy:/dev/mapper/mpath1,xvdc,w"],
        "vif": ["mac=00:16:3e:32:8b:12"],
        "vfb": ["type=vnc,vncunused=1"],
        "on_crash": "restart",
    }
    assert parse_xmfile(XM_2008.replace("\n", "\r\n")) == parsed


def test_xl_file() -> None:
    assert parse_xmfile(XL) == {
        "name": "nfs",
        "type": "pvh",
        "memory": 512,
        "vcpus": 2,
        "maxvcpus": 4,
        "disk": [
            "format=raw, vdev=xvda, access=rw, target=/dev/vg/nfs",
            "format=qcow2, vdev=xvdb, target=/srv/data.qcow2",
        ],
        "vif": ["bridge=xenbr0", "bridge=xenbr1"],
        "vnuma": [["pnode=0", "size=256", "vcpus=0"], ["pnode=1", "size=256", "vcpus=1"]],
    }


@pytest.mark.parametrize(("text", "expected"), AS_XL)
def test_reads_as_xl_does(text: str, expected: dict[str, Value]) -> None:
    assert {key: plain(value) for key, value in parse_xmfile(text).items()} == expected


@pytest.mark.parametrize(("text", "expected"), AS_PYTHON)
def test_reads_literals_as_python_does(text: str, expected: dict[str, Value]) -> None:
    assert parse_xmfile(text) == expected


@pytest.mark.parametrize(("text", "line", "column", "what"), REFUSED)
def test_refuses_at_line_and_column(text: str, line: int, column: int, what: str) -> None:
    with pytest.raises(XmFileError) as caught:
        parse_xmfile(text, "/etc/xen/vm/nfs")
    error = caught.value
    assert (error.path, error.line, error.column) == ("/etc/xen/vm/nfs", line, column)
    assert str(error).startswith(f"/etc/xen/vm/nfs:{line}:{column}: ")
    assert what in str(error)
    assert "\n" not in str(error)
    assert isinstance(error, HxmError)


@pytest.mark.parametrize(("text", "line", "column", "what"), CODE)
def test_refuses_code_and_names_it(text: str, line: int, column: int, what: str) -> None:
    with pytest.raises(XmFileError) as caught:
        parse_xmfile(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert repr(what) in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "vncpasswd = sesame\n",
        "vncpasswd = 0sesame\n",
        'vncpasswd = "x" sesame\n',
        'vncpasswd = "sesame\n',
        r'vncpasswd = "sesame\q"',
        'vfb = [ "vncpasswd=sesame\n',
        'vfb = [ "vncpasswd=sesame" 1 ]\n',
    ],
)
def test_no_message_holds_a_password(text: str) -> None:
    with pytest.raises(XmFileError) as caught:
        parse_xmfile(text)
    assert "sesame" not in str(caught.value) + caught.value.hint


@contextmanager
def audited() -> Iterator[list[str]]:
    """Collect every event that the interpreter itself reports: import, compile, exec, open ..."""
    events: list[str] = []
    active = True

    def hook(event: str, _: object) -> None:
        if active:
            events.append(event)

    sys.addaudithook(hook)
    try:
        yield events
    finally:
        active = False  # a hook cannot be removed


def test_nothing_is_executed(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    touch = f"__import__('os').mkdir({str(marker)!r})"
    hostile = [
        f"{touch}\n",
        f"name = {touch}\n",
        f"name = [ {touch} ]\n",
        f"name = '%s' % {touch}\n",
        f"name = f'{{{touch}}}'\n",
        f"name = 'x'; {touch}\n",
        f"name = 'x' if {touch} else 'y'\n",
        f"import os; os.mkdir({str(marker)!r})\n",
        f"exec({touch!r})\n",
        f"class X: x = {touch}\n",
        f"name = '''{touch}\n",
        f"{{}}[{touch}] = 1\n",
    ]
    harmless = [
        f"name = {touch!r}\n",
        f"# {touch}\n",
        "name = '$(id)`id`{{7*7}}%(a)s'\n",
        XM_2008,
        XL,
    ]

    def parse_all() -> int:
        refused = 0
        for text in hostile + harmless:
            try:
                parse_xmfile(text)
            except XmFileError:
                refused += 1
        return refused

    parse_all()  # compiles the rarely used patterns, which the audit would report
    with audited() as events:
        refused = parse_all()
    assert events == []
    assert refused == len(hostile)
    assert not marker.exists()
    assert parse_xmfile(harmless[0]) == {"name": touch}
    with audited() as events:
        exec("pass")
    assert "exec" in events, "the audit itself does not work"


@given(texts)
@settings(deadline=None, database=None, max_examples=500)
def test_any_text_gives_settings_or_an_error_with_a_place(text: str) -> None:
    try:
        parsed = parse_xmfile(text)
    except XmFileError as error:
        lines = text.split("\n")
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1
        assert "\n" not in str(error)
    else:
        assert all(key.isidentifier() and key.isascii() for key in parsed)
        for read in (domain_name, memory_mib, vcpus):
            read(parsed)
    name = agent_name(text)
    assert name is None or not set(name) & set("% \t\r\v\f[]\"'")


@given(st.binary(max_size=200))
@settings(deadline=None, database=None)
def test_any_bytes_give_settings_or_an_error(data: bytes) -> None:
    with suppress(XmFileError):
        parse_xmfile(data.decode("utf-8", "surrogateescape"))


def rendered(value: object, gap: Callable[[], str]) -> str:
    if isinstance(value, list):
        return (
            f"[{gap()}" + "".join(f"{rendered(item, gap)}{gap()},{gap()}" for item in value) + "]"
        )
    if isinstance(value, int):
        return str(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + escaped.replace("\r", "\\r") + '"'


values = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
    | st.integers(0, 2**40),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)


@given(
    st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True), values, max_size=5),
    st.data(),
)
@settings(deadline=None, database=None)
def test_whatever_is_written_is_read_back(wanted: dict[str, Value], data: st.DataObject) -> None:
    gaps = st.sampled_from(["", " ", "\n", "\t# ] c\n", "\r\n"])
    ends = st.sampled_from(["\n", ";", " ; # c\n", "\r\n"])
    text = "".join(
        f"{key} = {rendered(value, lambda: data.draw(gaps))}{data.draw(ends)}"
        for key, value in wanted.items()
    )
    assert parse_xmfile(text) == wanted


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("512", 512), ("0x200", 512), ("01000", 512), ('"512"', 512), ("'0x200'", 512),
        ("0", None), ("-1", None), ("08", None), ("12ab", None), ('""', None), ('"512 "', None),
        ('"512M"', None), ('"5_0"', None), ('"\u0665"', None), ("[512]", None), ("9" * 30, None),
    ],
)  # fmt: skip
def test_numbers(value: str, number: int | None) -> None:
    parsed = parse_xmfile(f"memory = {value}\nvcpus = {value}\n")
    assert memory_mib(parsed) == number
    assert vcpus(parsed) == number


def test_numbers_that_are_absent() -> None:
    assert memory_mib({}) is None
    assert vcpus({}) == 1
    assert vcpus({"vcpus": 3}) == 3
    assert domain_name({"name": "nfs"}) == "nfs"


def test_read_xmfile(tmp_path: Path) -> None:
    file = tmp_path / "nfs"
    file.write_bytes(b"# f\xfcr Linz\nname = 'gr\xc3\xbcn'\n")
    assert read_xmfile(str(file)) == {"name": "grün"}
    assert read_text(str(file)).encode("utf-8", "surrogateescape") == file.read_bytes()
    link = tmp_path / "auto"
    link.symlink_to(file)
    assert read_xmfile(str(link)) == {"name": "grün"}
    file.write_bytes(b"name = 'nfs'\nextra = 'f\xfcr'\n")
    with pytest.raises(XmFileError, match=r"nfs:2:11: a byte that is not UTF-8$"):
        read_xmfile(str(file))


def test_size_limit(tmp_path: Path) -> None:
    file = tmp_path / "big"
    file.write_bytes(b"a=1\n".ljust(MAX_BYTES))
    assert read_xmfile(str(file)) == {"a": 1}
    file.write_bytes(b"a=1\n".ljust(MAX_BYTES + 1))
    with pytest.raises(XmFileError, match="larger than 1 MiB"):
        read_xmfile(str(file))


def unreadable(tmp_path: Path) -> Iterator[tuple[str, str]]:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    yield str(fifo), "not a regular file"
    yield str(tmp_path), "not a regular file"
    yield "/dev/null", "not a regular file"
    yield str(tmp_path / "missing"), "No such file"
    yield str(dangling), "No such file"
    yield "", "No such file"
    yield "a\0b", "not a path"
    yield "x" * 5000, "name too long"


def test_files_that_are_not_opened(tmp_path: Path) -> None:
    for path, what in unreadable(tmp_path):
        with pytest.raises(XmFileError, match=f"(?i){what}") as caught:
            read_xmfile(path)
        assert (caught.value.path, caught.value.line, caught.value.column) in {
            (path, 0, 0),
            (repr(path), 0, 0),
        }


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    file = tmp_path / "nfs"
    file.write_text("name='nfs'\n")
    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(XmFileError, match=r"nfs: cannot be read: Permission denied$"):
        read_xmfile(str(file))

"""The shape of the package: imports point down, files and functions stay short, no shell."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import get_args

import pytest

import hxm
from hxm.plan import StepKind

PACKAGE = Path(hxm.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
LAYERS = (
    ("__main__",),
    ("cli",),
    ("help", "reach"),
    ("commands",),
    ("audit",),
    ("guard",),
    ("terminal",),
    ("web",),
    ("orders",),
    ("records",),
    ("cluster",),
    ("arguments", "pacemaker", "toolstack"),
    ("domu",),
    ("output",),
    ("policy",),
    (
        *("model", "plan", "errors", "config", "catalog"),
        *("host", "printable", "xml_reading"),
    ),
)
"""The packages from above to below: imports point down. Those of one row do not know each other,
but for the last, which is the ground."""
LEVELS = {f"hxm.{name}": level for level, names in enumerate(LAYERS) for name in names}
GROUND = {f"hxm.{name}" for name in LAYERS[-1]}
DECLARATIONS = ("hxm.arguments.options", "hxm.arguments.backups", "hxm.arguments.types")
"""What commands name in their annotations, and only `arguments` loads."""
PURE = ("hxm.policy", "hxm.model", "hxm.plan", "hxm.errors", "hxm.catalog", "hxm.printable")


def part(module: str) -> str:
    """The module or package of the first level that a module belongs to."""
    return ".".join(module.split(".")[:2])


@cache
def nodes(module: str) -> list[ast.AST]:
    return [*ast.walk(ast.parse(MODULES[module].read_bytes()))]


def statements(module: str) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Every import statement, and whether only a type checker sees it."""
    for_types = {
        inside
        for node in nodes(module)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inside in ast.walk(node)
    }
    for node in nodes(module):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, node in for_types


def imported(module: str) -> Iterator[tuple[str, bool]]:
    """What the module imports of hxm itself."""
    for node, for_types in statements(module):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            names = [
                full if (full := f"{node.module}.{alias.name}") in MODULES else str(node.module)
                for alias in node.names
            ]
        yield from ((name, for_types) for name in names if name.split(".")[0] == "hxm")


every_module = pytest.mark.parametrize("module", MODULES)


def test_every_module_has_its_layer():
    assert {part(module) for module in MODULES} == {*LEVELS, "hxm"}


@every_module
def test_an_import_never_points_up_nor_aside(module):
    ours = part(module)
    for name, _ in imported(module):
        theirs = part(name)
        if theirs in (ours, "hxm") or module == "hxm":
            continue
        if not {ours, theirs} <= GROUND:
            assert LEVELS[ours] < LEVELS[theirs], f"{module} imports {name}"


def test_no_module_imports_itself_by_way_of_others():
    """Also not for types or inside a function: such a circle only hides that two are one."""
    graph = {module: {name for name, _ in imported(module)} for module in MODULES}
    assert [*TopologicalSorter(graph).static_order()]  # raises CycleError, which names the circle


@every_module
def test_only_the_parser_loads_typer(module):
    for node, for_types in statements(module):
        names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            names = [str(node.module)]
        typer = any(name.split(".")[0] == "typer" for name in names)
        assert for_types or not typer or module == "hxm.arguments.parse", f"{module} loads Typer"


@every_module
def test_commands_name_the_declarations_without_loading_them(module):
    if part(module) == "hxm.arguments":
        return
    for name, for_types in imported(module):
        assert for_types or name not in DECLARATIONS, f"{module} imports {name}"


@every_module
def test_the_package_is_always_named_exactly(module):
    for node, _ in statements(module):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            assert [alias.name for alias in node.names] != ["*"], f"{module}: import *"
    for name, _ in imported(module):
        assert name in MODULES, f"{module} imports {name}"


@pytest.mark.parametrize("module", [each for each in MODULES if part(each) in PURE])
def test_the_policy_never_touches_the_world(module):
    for name, _ in imported(module):
        assert part(name) in PURE, f"{module} imports {name}"
    allowed = {"hxm", "__future__", "typing", "collections", "difflib", "itertools", "os", "types"}
    allowed |= {"fnmatch", "functools", "heapq", "ipaddress"}
    for node, for_types in statements(module):
        names = (
            [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module]
        )
        assert for_types or {str(name).split(".")[0] for name in names} <= allowed, module
    for used in nodes(module):
        if isinstance(used, ast.Attribute) and ast.unparse(used).startswith("os."):
            assert ast.unparse(used).startswith("os.path"), module
        assert not (isinstance(used, ast.Name) and used.id in ("open", "print", "input")), module


@every_module
def test_a_file_never_grows_beyond_400_lines(module):
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= 400


@every_module
def test_a_function_never_grows_beyond_60_lines(module):
    for node in nodes(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, f"{module}.{node.name}"


SAY_NOTHING = {"each", "found", "told", "said", "kept", "way", "thing", "ground"}


@every_module
def test_a_value_is_always_named_by_what_it_is(module):
    bound = {
        node.id if isinstance(node, ast.Name) else node.arg
        for node in nodes(module)
        if isinstance(node, ast.arg)
        or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    }
    assert not bound & SAY_NOTHING, f"{module}: name what it is"


def test_there_is_never_a_drawer_for_everything():
    assert {path.stem for path in MODULES.values()} & {
        "utils",
        "util",
        "helpers",
        "common",
    } == set()


FORBIDDEN_MODULES = {"subprocess", "pickle", "shelve", "marshal", "runpy", "code", "pty"}
FORBIDDEN_NAMES = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_CALLS = ("os.system", "os.popen", "os.spawn", "os.exec")
ALLOWED_CALLS = {"hxm.host.programs": {"os.execvpe"}}


@every_module
def test_nothing_ever_reaches_a_shell_or_is_evaluated(module):
    for node in nodes(module):
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} & FORBIDDEN_MODULES == set()
        elif isinstance(node, ast.ImportFrom):
            assert str(node.module).split(".")[0] not in FORBIDDEN_MODULES
        elif isinstance(node, ast.Name):
            assert node.id not in FORBIDDEN_NAMES, f"{module}: {node.id}"
        elif isinstance(node, ast.keyword):
            assert node.arg != "shell", f"{module}: shell="
        elif isinstance(node, ast.Attribute):
            name = ast.unparse(node)
            if name not in ALLOWED_CALLS.get(module, ()):
                assert not name.startswith(FORBIDDEN_CALLS), f"{module}: {name}"


@every_module
def test_only_one_module_ever_starts_a_program(module):
    if module == "hxm.host.programs":
        return
    for node in nodes(module):
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith(("posix_spawn", "execv", "fork")), module


TOOL = r"\b(crm_\w+|crmadmin|cibadmin|stonith_admin|ptest)"
SPELT = re.compile(rf"^{TOOL}$|{TOOL} --?\w|\b(systemctl|service) [a-z]+ ?[{{\w]*pacemaker")
"""A tool's name as an argument of its own; its name and an option, also within a sentence."""
SPELLS = {
    *("hxm.pacemaker", "hxm.toolstack", "hxm.host"),
    "hxm.catalog",  # translates what the user types for other tools
    "hxm.arguments",  # `cibadmin --query` writes the file that --backup reads, in all generations
}


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("cibadmin", True),
        ("add the domU to the set with cibadmin; --force enrols it without", False),
        ("first: crm_attribute -n stonith-enabled -v true", True),
        ("cibadmin --upgrade", True),
        ("on host1: systemctl start pacemaker", True),
        ("crm_mon shows it", False),
    ],
)
def test_a_command_line_is_recognized_within_a_sentence(text, spelt):
    assert bool(SPELT.search(text)) == spelt


@pytest.mark.parametrize("module", [name for name in MODULES if part(name) not in SPELLS])
def test_only_argv_and_dialect_ever_know_how_a_tool_is_spelt(module):
    """A decision is the same on every generation of the tools, and so is every sentence."""
    bodies = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {
        statement.value
        for node in nodes(module)
        if isinstance(node, bodies)
        for statement in node.body
        if isinstance(statement, ast.Expr)
    }
    for node in nodes(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert node in docstrings or not SPELT.search(node.value), f"{module}: {node.value}"


def test_every_kind_of_step_has_its_words_in_one_of_three_modules():
    made: dict[str, set[object]] = {}
    for module in MODULES:
        for node in nodes(module):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Step":
                made.setdefault(module, set()).add(getattr(node.args[0], "value", None))
    assert set(made) == {"hxm.policy.steps", "hxm.pacemaker.lock", "hxm.pacemaker.enrolment_xml"}
    assert set.union(*made.values()) == set(get_args(StepKind))


def test_every_test_file_has_a_name_of_its_own():
    """Else pytest refuses to read the second one."""
    names = [path.name for path in Path(__file__).parent.parent.rglob("test_*.py")]
    assert len(names) == len(set(names)), sorted(names)


@every_module
def test_only_a_command_reads_the_settings_and_hands_them_on(module):
    if part(module) in ("hxm.cli", "hxm.reach", "hxm.commands", "hxm.config"):
        return
    for node in nodes(module):
        assert not (isinstance(node, ast.Name) and node.id == "read_config"), module


WRITERS = {"hxm.output.render", "hxm.cli"}
"""`cli` says by itself only that stdout is lost, and that its readers are gone."""


@every_module
def test_only_one_place_ever_prints(module):
    """What others say may hold escape sequences, and `render` and `terminal.Line` take them out."""
    for node in nodes(module):
        name = ast.unparse(node) if isinstance(node, ast.Attribute | ast.Name) else ""
        if module not in WRITERS:
            assert name not in ("sys.stdout.write", "sys.stderr.write", "print", "input"), module
    for node, for_types in statements(module):
        names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom) and not for_types:
            plain = f"{node.module}." in ("rich.text.", "rich.table.") and "Column" not in names
            assert not plain or module == "hxm.output.terminal", f"{module}: {node.module}"

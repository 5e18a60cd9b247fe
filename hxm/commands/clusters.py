"""hxm clusters, and `--on all`: asks every cluster at once, by an hxm process for each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hxm.config import Config, read_config
from hxm.errors import DONE, CannotAsk, NotFound, UsageError
from hxm.host.programs import Process, Result
from hxm.output import TABLE, Form, Table, render
from hxm.terminal.shell.lines import myself

if TYPE_CHECKING:
    from hxm.output import Form as Shown

_HEADERS = ("Cluster", "State", "Quorum", "Nodes", "DomUs", "Trouble")


def run(form: Form = TABLE) -> int:
    """Show the clusters of /etc/hxm.toml at a glance: quorum, nodes, domUs, trouble.

    All are asked at once, through ssh. Status 102 if one of them does not answer. With `--on NAME`
    every command works on one of them; `--on all` is for list, status, check and capacity.

    Example: `hxm clusters -o json`.
    """
    config = read_config()
    results = _ask(config, ["status", "-o", "json"])
    answers = {name: _document(result) for name, result in results.items()}
    if form.output == "json":
        notes = {name: _notes(result) for name, result in results.items()}
        render.show_json({"clusters": answers, "notes": notes})
    else:
        rows = [_row(name, answers[name], _notes(result)) for name, result in results.items()]
        render.show(Table(_HEADERS, rows, frozenset((3, 4))), form)
    return CannotAsk.status if any("error" in answer for answer in answers.values()) else DONE


def _row(name: str, answer: dict[str, Any], notes: Sequence[str]) -> tuple[str, ...]:
    if "error" in answer:
        return (name, "unknown", "-", "-", "-", str(answer["error"]))
    cluster, nodes = answer["cluster"], answer["nodes"]
    domains = [domain for domain in answer["domains"] if domain["resource"]]
    online = sum(bool(node["online"]) for node in nodes)
    running = sum(bool(domain["nodes"]) for domain in domains)
    troubles = [*notes, *(finding["what"] for finding in answer["findings"])]
    more = f"; {len(troubles) - 1} more" if len(troubles) > 1 else ""
    return (
        name,
        "maintenance" if cluster["maintenance"] else "answers",
        "yes" if cluster["quorum"] else "no",
        f"{online}/{len(nodes)}",
        f"{running}/{len(domains)}",
        f"{troubles[0]}{more}" if troubles else "none",
    )


def ask_all(config: Config, words: Sequence[str]) -> int:
    """Give the reading command to every cluster; show one table, with a column Cluster.

    Returns the highest of the statuses.
    """
    form, asked = _form_in(words)
    json_wanted = form.output == "json"
    results = _ask(config, [*asked, "-o", "json" if json_wanted else "csv"])
    without = [name for name, result in results.items() if result.status == NotFound.status]
    if len(without) < len(results):  # what was named is in another cluster
        results = {name: result for name, result in results.items() if name not in without}
    if json_wanted:
        render.show_json({name: _document(result) for name, result in results.items()})
        return max(result.status for result in results.values())
    table = _merged(results)
    if len(table.headers) > 1:
        render.show(table, form)
    _show_notes(results)
    return max(result.status for result in results.values())


def _show_notes(results: dict[str, Result]) -> None:
    for name, result in results.items():
        for note in _notes(result):
            render.beside(f"{name}: {note}")


def _notes(result: Result) -> list[str]:
    """What the command said beside its answer, as that a node was left for the next."""
    lines = filter(str.strip, result.stderr.splitlines())
    return [line.removeprefix("hxm: ").strip() for line in lines]


def _form_in(words: Sequence[str]) -> tuple[Shown, list[str]]:
    """The output format among the words, and the others."""
    output, others = TABLE.output, list[str]()
    rest = iter(words)
    for word in rest:
        if word in ("-o", "--output"):
            output = next(rest, output)
        elif word.startswith("--output="):
            output = word.partition("=")[2]
        elif word in ("-l", "--long", "--nagios"):
            raise UsageError(f"{word} is for one cluster", "--on CLUSTER")
        else:
            others.append(word)
    return Form(output), others


def _ask(config: Config, words: Sequence[str]) -> dict[str, Result]:
    """The answer of each configured cluster to the command line; all are asked at once."""
    if not config.clusters:
        raise UsageError(
            "no cluster is configured", '[clusters.NAME] nodes = ["host1"] in /etc/hxm.toml'
        )
    asked = {name: Process((*myself(), "--on", name, *words)) for name in config.clusters}
    return {name: _answer(process, _patience(config)) for name, process in asked.items()}


def _answer(process: Process, timeout: float) -> Result:
    """What came of it; a cluster that is silent costs no other cluster's answer."""
    try:
        return process.finish(timeout)
    except CannotAsk as error:
        return Result(process.argv, error.status, b"", f"hxm: {error.message}")


def _patience(config: Config) -> float:
    return 4 * (config.ask_timeout + config.ssh_timeout)


def _document(result: Result) -> dict[str, Any]:
    """The JSON of one cluster, or its error."""
    try:
        document = json.loads(result.stdout)
    except ValueError:
        document = None
    if isinstance(document, dict):
        return document
    messages = [line for line in result.stderr.splitlines() if line.startswith("hxm: ")]
    error = messages[-1].removeprefix("hxm: ") if messages else result.complaint()
    return {"error": error, "status": result.status}


def _merged(results: dict[str, Result]) -> Table:
    headers: list[str] = []
    rows = []
    for name, result in results.items():
        table = list(csv.reader(io.StringIO(result.text)))
        headers = table[0] if table and not headers else headers
        rows += [[name, *row] for row in table[1:] if len(row) == len(headers)]
    columns = [*zip(*rows, strict=True)]
    right = {number for number, cells in enumerate(columns) if all(map(_is_a_number, cells))}
    return Table(("Cluster", *headers), rows, frozenset(right))


def _is_a_number(cell: str) -> bool:
    return not cell.strip("-0123456789.%")

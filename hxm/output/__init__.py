"""Everything that is printed: tables, formats, JSON, diagrams, progress.

May use the model and the policy; knows no command.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Table(NamedTuple):
    """Headers and rows, all text; the columns in `right` are set to the right."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: frozenset[int] = frozenset()
    whole: frozenset[int] = frozenset()
    """The columns that a terminal never folds."""
    gives_way: tuple[int, ...] = ()
    """Those that are left out, in this order, where the terminal is too narrow for all."""


class Form(NamedTuple):
    """How an answer is wanted: `output` is one of hxm.output.formats.FORMS."""

    output: str = "table"
    columns: str = ""
    """The columns to show, in this order: headers or their beginnings, separated by commas."""
    sort: str = ""
    """The column to sort by, with a - in front for the greatest first."""
    headers: bool = True

    @property
    def usual(self) -> bool:
        """Whether nothing was asked for."""
        return self == TABLE


TABLE = Form()

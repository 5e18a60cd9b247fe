"""Bars: to scale, nothing hidden, and in what the terminal has."""

from __future__ import annotations

import pytest

from hxm.output.bars import bar, marks

CASES = {
    (10, 20, 0, 70): "aabbbbdddddddddddddd",
    (0, 0, 0, 100): "dddddddddddddddddddd",
    (1, 1, 1, 97): "abcddddddddddddddddd",
    (100, 0, 0, 0): "aaaaaaaaaaaaaaaaaaaa",
}


@pytest.mark.parametrize("amounts", CASES)
def test_a_bar_is_to_scale_and_hides_nothing(amounts):
    assert bar(amounts, 5, "abcd") == CASES[amounts]


@pytest.mark.parametrize(
    ("encoding", "drawn"), [("utf-8", "▓█░·"), ("UTF8", "▓█░·"), ("ascii", "0#+."), (None, "0#+.")]
)
def test_the_marks_are_of_the_encoding(encoding, drawn):
    assert marks(encoding) == drawn

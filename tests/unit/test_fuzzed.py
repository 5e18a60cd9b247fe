"""Whatever text comes, a reader reads it or refuses it: a sample of what tests/fuzz.py tries."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz import TARGETS, Target, fuzz, long, tried

from hxm.cluster.start_facts import parse_answer

SAMPLE, THOROUGH = 0.3, 30.0
"""Seconds for each target."""
every_target = pytest.mark.parametrize("name", TARGETS)


@every_target
def test_what_it_is_made_for_is_read(name):
    TARGETS[name].read(TARGETS[name].sample)


@every_target
def test_nothing_but_an_error_of_ours_ever_comes_of_a_text(name):
    seed = int(os.environ.get("HXM_SEED", "1"))
    assert fuzz(name, SAMPLE, seed) >= 1


@pytest.mark.thorough
@every_target
def test_nor_of_many(name):
    assert fuzz(name, THOROUGH, int(time.time())) >= 1


@every_target
def test_no_text_takes_more_than_linear_time(name):
    """100,000 letters of one kind: what is quadratic takes minutes."""
    for text in long(TARGETS[name].sample):
        tried(TARGETS[name], text)


def test_an_answer_of_many_files_is_gone_through_once():
    """Copied for each of them, 7 MB take minutes."""
    text = b"\0\0" + b"hxm file absent x\0" * 400_000
    read = Target(text, lambda printed: parse_answer("xl", printed, starting=False))
    tried(read, text)

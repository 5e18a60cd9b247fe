"""The words of other tools: each is answered with a command that there is, as it was typed."""

from __future__ import annotations

import pytest

from hxm.catalog import ALIASES, BYGONE, COMMANDS, NEVER_GUESSED, candidates, near
from hxm.catalog.command import REFUSED, RUNTIME
from hxm.catalog.foreign import MEANINGS, TOOLS, answer
from hxm.cli import guarded

WORDS = {word: meaning for meaning in MEANINGS for word in meaning.words.split()}
LINES = [
    (f"{tool} {line}", meaning)
    for meaning in MEANINGS
    for tool, line in meaning.elsewhere
    if " -" not in f" {line}"
]
HARMFUL = {
    *(row.name for row in COMMANDS.values() if row.policy in (REFUSED, RUNTIME)),
    *("destroy", "drill", "shutdown", "reboot", "standby", "withdraw", "unmanage", "restore"),
}


def test_a_word_means_one_thing_only():
    words = [word for meaning in MEANINGS for word in meaning.words.split()]
    assert len(words) == len(set(words)) > 100


@pytest.mark.parametrize("word", WORDS)
def test_a_word_never_hides_a_command_or_its_short_form(word):
    assert word not in set(COMMANDS) - BYGONE
    assert word not in ALIASES
    current = set(candidates(word)) - BYGONE
    assert len(current) != 1, "a short form"


@pytest.mark.parametrize("meaning", MEANINGS, ids=lambda meaning: meaning.command)
def test_what_is_to_be_typed_exists(meaning):
    verb = meaning.command.partition(" ")[0]
    assert verb == "--version" or (verb in COMMANDS and COMMANDS[verb].group) or not verb
    assert verb or meaning.note
    assert {tool for tool, _ in meaning.elsewhere} <= set(TOOLS)


@pytest.mark.parametrize(("line", "meaning"), LINES, ids=[line for line, _ in LINES])
def test_each_line_is_answered_with_its_own_command(line, meaning):
    found = answer(line.split())
    assert found
    wanted = meaning.command.replace("...", "").split()[:1]
    assert list(found[0][:1]) == wanted


ANSWERS = {
    "drain host1": "use: hxm standby host1\n",
    "drain host1 --dry-run": "use: hxm standby host1 --dry-run\n",
    "-N drain host1": "use: hxm -N standby host1\n",
    "restart nfs sles --reason new\\ x -w": "use: hxm reboot nfs sles --reason 'new x' -w\n",
    "restart --timeout 5 nfs": "use: hxm reboot nfs --timeout 5\n",
    "resource move nfs host2 --yes": "use: hxm migrate nfs host2 --yes\n",
    "crm resource ban nfs host1": "to move a domU once: hxm migrate DOMAIN NODE",
    "node standby host1": "use: hxm standby host1\n",
    "property set maintenance-mode=false": "use: hxm maintenance off\n",
    "vm-migrate vm=nfs host=host2": "use: hxm migrate nfs host2\n",
    "uncordon": "use: hxm active NODE\n",
    "remove nfs": "use: hxm withdraw nfs; it keeps the domU running\n",
    "events": "use: hxm history\n",
    "unmove nfs": "use: hxm unmigrate nfs\n",
    "enable nfs": "use: hxm start nfs\n",
    "health": "use: hxm check\n",
    "ps": "use: hxm list\n",
    "rm nfs": "use: hxm withdraw nfs",
    "version": "use: hxm --version\n",
    "configure": "hxm-from-crm(7)",
    "kubectl frobnicate": "hxm-from-crm(7)",
    "restart $(reboot)": "use: hxm reboot '$(reboot)'",
}


@pytest.mark.parametrize("line", ANSWERS)
def test_the_answer_keeps_what_was_typed(line, capsys):
    import shlex

    assert guarded(shlex.split(line)) == 2
    assert ANSWERS[line] in capsys.readouterr().err


GUESSES = {
    "lsit": "list",
    "stauts": "status",
    "migarte": "migrate",
    "histroy": "history",
    **dict.fromkeys(("shutdwon", "destory", "drain", "dril", "rebot", "stadnby", "xyzzy"), ""),
    **dict.fromkeys(("kill", "show", "restart", "unmove", "enable", "remove", "unban"), ""),
}


@pytest.mark.parametrize("word", GUESSES)
def test_only_a_near_and_harmless_command_is_guessed(word):
    assert near(word) == GUESSES[word]


def test_no_slip_of_one_letter_leads_to_what_stops_or_breaks():
    assert HARMFUL & {row.name for row in COMMANDS.values() if row.group} <= NEVER_GUESSED
    for name in HARMFUL:
        for at in range(len(name)):
            assert near(name[:at] + name[at + 1 :]) not in HARMFUL
            assert near(name[:at] + "x" + name[at:]) not in HARMFUL

"""The page of conventions and traps shows the numbers that come out, two and more to a trap."""

from __future__ import annotations

import doctest
import re

from tests_fixtures import ROOT

PAGE = (ROOT / "docs" / "traps.md").read_text("utf-8")
TRAPS = re.findall(r"^(\*\*.+?)(?=^\*\*|^## |\Z)", PAGE, re.M | re.S)
QUOTED = ("People in both", "CUB 10000", "Aligned on what")
"""Traps whose numbers are counts of a publisher or a paper, quoted as they stand."""


def test_the_numbers_of_every_trap_come_out() -> None:
    examples = [
        example
        for block in re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
        for example in doctest.DocTestParser().get_examples(block)
    ]
    found = doctest.DocTest(examples, {}, "traps.md", None, None, PAGE)
    runner = doctest.DocTestRunner(verbose=False)
    assert runner.run(found).failed == 0
    assert len(examples) > 60


def test_every_trap_has_two_numbers() -> None:
    assert len(TRAPS) >= 19
    for trap in TRAPS:
        if trap.startswith(tuple(f"**{name}" for name in QUOTED)):
            assert "```" not in trap
        else:
            shown = re.findall(r"^(?!>>>|\.\.\.).*?\d.*$", trap.partition("```python")[2], re.M)
            assert len(re.findall(r"-?\d+\.?\d*", " ".join(shown))) >= 1, trap
            assert len(re.findall(r"\d", trap)) >= 2

"""LEAD and ContrastLandmark keep bench's contract: kills in each stage and two processes included."""

import pytest

from benchmark.testing.conformance import Case, checks_of


@pytest.mark.long
@pytest.mark.parametrize("check", [*checks_of("lead"), *checks_of("contrast-landmarks")], ids=str)
def test_they_keep_the_contract(check: Case) -> None:
    check()

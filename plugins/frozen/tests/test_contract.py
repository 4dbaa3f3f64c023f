"""Frozen backbones and DFF keep bench's contract."""

import pytest

from benchmark.testing.conformance import Case, checks_of


@pytest.mark.long
@pytest.mark.parametrize("check", [*checks_of("frozen-backbone"), *checks_of("dff")], ids=str)
def test_they_keep_the_contract(check: Case) -> None:
    check()

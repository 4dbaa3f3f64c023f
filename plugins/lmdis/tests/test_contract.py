"""LMDIS keeps bench's contract, a kill in training included."""

import pytest

from benchmark.testing.conformance import Case, checks_of


@pytest.mark.long
@pytest.mark.parametrize("check", checks_of("lmdis"), ids=str)
def test_it_keeps_the_contract(check: Case) -> None:
    check()

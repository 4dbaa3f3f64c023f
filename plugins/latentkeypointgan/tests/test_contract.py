"""LatentKeypointGAN keeps bench's contract: kills in both stages, two processes that fit together."""

import pytest

from benchmark.testing.conformance import Case, checks_of


@pytest.mark.long
@pytest.mark.parametrize("check", checks_of("latentkeypointgan"), ids=str)
def test_it_keeps_the_contract(check: Case) -> None:
    check()

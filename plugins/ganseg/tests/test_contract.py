"""GANSeg keeps bench's contract: kills at any save, and two processes that fit together, included."""

import pytest

from benchmark.testing.conformance import Case, checks_of


@pytest.mark.long
@pytest.mark.parametrize("check", checks_of("ganseg"), ids=str)
def test_it_keeps_the_contract(check: Case) -> None:
    check()

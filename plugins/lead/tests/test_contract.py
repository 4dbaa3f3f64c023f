"""LEAD keeps bench's contract, a kill in each stage included."""

import pytest

from benchmark.testing.conformance import check_method


@pytest.mark.slow
def test_it_keeps_the_contract() -> None:
    assert [o for o in check_method("lead") if o.state != "passed"] == []

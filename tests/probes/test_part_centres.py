"""Part centres: each published rule does what its source does."""

from __future__ import annotations

import doctest
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.contracts.predictions import Parts
from benchmark.contracts.spec import CENTRE_RULES
from benchmark.probes import part_centres as centres
from benchmark.probes.part_centres import landmarks_of, part_centres

seeds = st.integers(0, 2**32 - 1)


def maps(seed: int, height: int = 7, width: int = 9) -> torch.Tensor:
    values = np.random.default_rng(seed).uniform(0.1, 1, (2, 4, height, width))
    return torch.from_numpy(values)


def test_the_example_is_true() -> None:
    assert doctest.testmod(centres, extraglobs={"torch": torch}).failed == 0


@pytest.mark.parametrize(
    "rule, expected, scale",
    [
        # the reference's grid has 128 positions, whatever the maps: here 64 pixels stand for them
        ("ganseg", "ganseg_row_col", 2.0),
        ("scops", "scops_x_y", 1.0),
        ("motion_cosegmentation", "mcs_x_y", 1.0),
    ],
)
def test_rules_give_the_golden_values(rule: str, expected: str, scale: float) -> None:
    path = Path(os.environ.get("BENCH_GOLDEN", "")) / "part_centres.npz"
    if not path.is_file():
        pytest.skip("BENCH_GOLDEN names no folder with part_centres.npz")
    with np.load(path) as golden:
        found = part_centres(torch.from_numpy(golden["in_part_maps"]), rule).numpy() * scale
        wanted = golden[f"out_{expected}"]
    if expected.endswith("row_col"):
        wanted = wanted[..., ::-1]
    np.testing.assert_allclose(found, wanted, atol=1e-9)


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_soft_rules_agree_where_parts_are_plain(seed: int) -> None:
    plain = part_centres(maps(seed), "soft_mean")
    torch.testing.assert_close(part_centres(maps(seed), "scops"), plain)
    near = part_centres(maps(seed), "motion_cosegmentation")
    torch.testing.assert_close(near, plain, atol=1e-4, rtol=0)
    scaled = part_centres(maps(seed), "ganseg") * torch.tensor([8 / 9, 6 / 7]).double()
    torch.testing.assert_close(scaled, plain, atol=1e-5, rtol=0)


@settings(deadline=None, max_examples=25)
@given(seeds, st.sampled_from(["soft_mean", "scops", "motion_cosegmentation", "assembly"]))
def test_a_mirrored_image_has_mirrored_centres(seed: int, rule: str) -> None:
    x, y = part_centres(maps(seed), rule).unbind(-1)
    flipped = part_centres(maps(seed).flip(-1), rule)
    torch.testing.assert_close(flipped, torch.stack([8 - x, y], -1), atol=1e-9, rtol=0)


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_assembly_counts_the_pixels_a_part_wins(seed: int) -> None:
    given_maps = maps(seed)
    winner = given_maps.argmax(1)
    found = part_centres(given_maps, "assembly")
    for image, part in np.ndindex(2, 3):
        rows, columns = (winner[image] == part + 1).nonzero(as_tuple=True)
        mean = torch.stack([columns.double().mean(), rows.double().mean()])
        torch.testing.assert_close(found[image, part], mean, atol=1e-5, rtol=0)


def test_a_part_that_is_nowhere() -> None:
    empty = torch.zeros(1, 2, 5, 9)
    empty[:, 0] = 1
    assert part_centres(empty, "ganseg").tolist() == [[[0, 0]]]
    for rule in ("soft_mean", "motion_cosegmentation", "assembly"):
        assert part_centres(empty, rule)[0, 0].tolist() == pytest.approx([4, 2])
    with pytest.raises(InvalidInput, match="part 1 of image 0"):
        part_centres(empty, "scops")


@pytest.mark.parametrize("rule", CENTRE_RULES)
def test_the_background_does_not_count(rule: str) -> None:
    given_maps = maps(0)
    given_maps[:, 0] = 0.0
    expected = part_centres(given_maps, rule)
    given_maps[:, 0] = 0.05  # less than any part anywhere, so that it wins no pixel either
    torch.testing.assert_close(part_centres(given_maps, rule), expected)


@pytest.mark.parametrize("rule", CENTRE_RULES)
def test_parts_give_landmarks_by_the_rule_asked_for(rule: str) -> None:
    parts = Parts(maps(3).float())
    torch.testing.assert_close(
        landmarks_of(parts, rule).points, part_centres(parts.probabilities, rule).float()
    )


def test_bad_maps_and_unknown_rules_are_refused() -> None:
    with pytest.raises(InvalidInput, match="need maps"):
        part_centres(torch.ones(2, 1, 4, 4))
    with pytest.raises(InvalidInput, match="need maps"):
        part_centres(torch.ones(2, 3, 4))
    with pytest.raises(UnknownName, match="part-centre rule 'median'"):
        part_centres(maps(0), "median")  # type: ignore[arg-type]

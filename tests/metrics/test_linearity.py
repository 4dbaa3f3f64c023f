from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics.linearity import VARIANTS, attribute_linearity

GOLDEN = {
    "released": "released_code",
    "sum_normalised": "sum_t_mean_squares_normalised",
    "mean_normalised": "mean_t_excluding_t0_normalised",
    "mean_normalised_with_start": "mean_t_11points_normalised",
    "mean_raw": "mean_t_excluding_t0_raw",
    "mean_raw_with_start": "mean_t_11points_raw",
}
seeds = st.integers(0, 2**32 - 1)


def walks(seed, sequences=5, frames=7, attributes=3):
    return np.random.default_rng(seed).normal(size=(sequences, frames, attributes)).cumsum(axis=1)


@pytest.mark.parametrize("variant", VARIANTS)
def test_scores_equal_the_reference(golden, variant):
    item = golden("als")
    score = attribute_linearity(item["in_logits"], variant)
    assert score.shape == (5,)
    assert score.mean() == pytest.approx(item[f"out_{GOLDEN[variant]}"], rel=1e-9)


def test_each_attribute_equals_the_reference(golden):
    item = golden("als")
    released = attribute_linearity(item["in_logits"], "released")
    np.testing.assert_allclose(released, item["out_released_code_per_attribute"], rtol=1e-9)
    raw = attribute_linearity(item["in_logits"], "mean_raw")
    np.testing.assert_allclose(raw, item["out_raw_per_attribute_excluding_t0"], rtol=1e-9)


@pytest.mark.parametrize("variant", VARIANTS)
@settings(deadline=None, max_examples=15)
@given(seeds)
def test_what_the_score_does_not_see(variant, seed):
    logits = walks(seed)
    rng = np.random.default_rng(seed)
    score = attribute_linearity(logits, variant)
    assert (score > 0).all()
    same = {
        "sequences in another order": rng.permutation(logits),
        "walked backwards": logits[:, ::-1],
        "a constant added to all logits": logits + rng.normal(size=3),
        "every walk twice": np.concatenate([logits, logits]),
        "a tensor": torch.tensor(logits),
    }
    for what, value in same.items():
        found = attribute_linearity(value, variant)
        np.testing.assert_allclose(found, score, rtol=1e-9, err_msg=what)
    order = rng.permutation(3)
    np.testing.assert_allclose(attribute_linearity(logits[:, :, order], variant), score[order])
    power = 2 if "raw" in variant else 0  # the unit of the logits is divided out by sigma
    scaled = attribute_linearity(3 * logits, variant)
    np.testing.assert_allclose(scaled, score * 3**power, rtol=1e-9)


@pytest.mark.parametrize("variant", VARIANTS)
def test_straight_walks_score_zero(variant):
    t = np.linspace(0, 1, 11)[None, :, None]
    ends = np.random.default_rng(0).normal(size=(2, 6, 1, 3))
    straight = (1 - t) * ends[0] + t * ends[1]
    np.testing.assert_allclose(attribute_linearity(straight, variant), 0, atol=1e-28)


@settings(deadline=None, max_examples=15)
@given(seeds)
def test_variants_differ_by_what_their_names_say(seed):
    logits = walks(seed)
    score = {variant: attribute_linearity(logits, variant) for variant in VARIANTS}
    assert (score["released"] <= score["sum_normalised"] * (1 + 1e-12)).all()  # Jensen
    np.testing.assert_allclose(score["mean_normalised"], score["sum_normalised"] / 6)
    np.testing.assert_allclose(score["mean_normalised_with_start"], score["sum_normalised"] / 7)
    np.testing.assert_allclose(score["mean_raw_with_start"], score["mean_raw"] * 6 / 7)
    variance = logits.var(axis=(0, 1))
    np.testing.assert_allclose(score["mean_raw"], score["mean_normalised"] * variance)


def test_bad_input_is_refused():
    logits = walks(0)
    with pytest.raises(InvalidInput, match=r"no 'mean'.*\n.*mean_raw"):
        attribute_linearity(logits, "mean")
    with pytest.raises(InvalidInput, match=r"logits: expected shape \(S, T\+1, A\)"):
        attribute_linearity(logits[0], "released")
    with pytest.raises(InvalidInput, match="at least 3 frames"):
        attribute_linearity(logits[:, :2], "released")
    logits[:, :, 1] = 0.1
    with pytest.raises(InvalidInput, match=r"attribute \[1\] is the same in all frames"):
        attribute_linearity(logits, "released")
    assert attribute_linearity(logits, "mean_raw")[1] == pytest.approx(0, abs=1e-30)
    logits[2, 3, 0] = np.nan
    with pytest.raises(InvalidInput, match=r"1 NaN .* the first at \(2, 3, 0\)"):
        attribute_linearity(logits, "mean_raw")


@pytest.mark.parametrize("level", [0.3, 7.0, -40.0])
def test_what_is_constant_up_to_rounding_is_the_same_in_all_frames(level):
    """Of noise any size would score alike: `released` gives some 10 for 11 frames."""
    noise = np.random.default_rng(0).normal(0, 2 * np.spacing(np.float32(abs(level))), (50, 11, 1))
    logits = (level + noise).astype(np.float32)
    for came in (logits, torch.tensor(logits)):
        for variant in ("released", "sum_normalised", "mean_normalised"):
            with pytest.raises(InvalidInput, match=r"attribute \[0\] is the same in all frames"):
                attribute_linearity(came, variant)
    assert attribute_linearity(logits, "mean_raw") < 1e-10
    weak = (level + 1e3 * noise).astype(np.float32)
    assert attribute_linearity(weak, "released") > 0
    # float64 tells such logits apart
    assert attribute_linearity(level + noise, "released") == pytest.approx(
        attribute_linearity(noise, "released"), rel=1e-6
    )

"""Each loss on fixed tensors against its equation, pixel by pixel, and against the released reading."""

from __future__ import annotations

import math

import pytest
import torch
from bench_ganseg.loss import area, concentration
from bench_ganseg.points import positions
from bench_ganseg.student import student_loss

torch.manual_seed(0)
MASKS = torch.rand(2, 3, 8, 8)
CENTRES = torch.rand(2, 3, 2) * 1.2 - 0.6
SPREADS = torch.rand(2, 3) * 0.5 + 0.2
LINE = [(2 * i + 1) / 8 - 1 for i in range(8)]


def far(image: int, part: int, i: int, j: int) -> float:
    row, column = CENTRES[image, part].tolist()
    return (LINE[i] - row) ** 2 + (LINE[j] - column) ** 2


PIXELS = [(i, j) for i in range(8) for j in range(8)]


@pytest.mark.parametrize("over, divided", [("sum", 1), ("mean", 3)])
def test_concentration_is_that_of_the_paper_and_of_the_code(over: str, divided: int) -> None:
    """Eq. 16, summed over parts; the code's is its mean."""
    total = 0.0
    for b in range(2):
        for k in range(3):
            mass = float(MASKS[b, k].sum())
            total += sum(float(MASKS[b, k, i, j]) / mass * far(b, k, i, j) for i, j in PIXELS)
    found = concentration(MASKS, CENTRES, positions(8, 0, "centres"), over)  # type: ignore[arg-type]
    assert float(found) == pytest.approx(total / 2 / divided, rel=1e-5)


@pytest.mark.parametrize("kind", ["gaussian", "cone"])
def test_area_is_that_of_the_paper(kind: str) -> None:
    """Eq. 17: each part by itself, at 8 pixels a side worth (128 / 8)² of those stated."""
    thin, total = MASKS / 8, 0.0
    for b in range(2):
        for k in range(3):
            spread = float(SPREADS[b, k])
            maps = (
                math.exp(-far(b, k, i, j) / spread**2)
                if kind == "gaussian"
                else max(0.0, 1 - math.sqrt(far(b, k, i, j)) / spread)
                for i, j in PIXELS
            )
            total += max(0.0, sum(maps) - float(thin[b, k].sum()))
    found = area(thin, CENTRES, SPREADS, "heat", kind, "centres")  # type: ignore[arg-type]
    assert total > 0
    assert float(found) == pytest.approx(total / 2 * 16**2, rel=1e-4)


def test_area_as_released_is_that_of_a_disc_in_pixels_of_128() -> None:
    total = 0.0
    for b in range(2):
        for k in range(3):
            radius = float(SPREADS[b, k]) * 64
            mask = float(MASKS[b, k].sum() / 8) * 16**2
            total += max(0.0, math.pi * radius**2 - mask)
    found = area(MASKS / 8, CENTRES, SPREADS, "disc", "cone", "corners")
    assert float(found) == pytest.approx(total / 2, rel=1e-5)


@pytest.mark.parametrize("of", ["heat", "disc"])
def test_one_weight_of_the_area_is_right_for_every_side(of: str) -> None:
    nothing = [torch.zeros(1, 1, side, side) for side in (32, 128)]
    middle, spread = torch.zeros(1, 1, 2), torch.full((1, 1), 0.25)
    small, large = (area(m, middle, spread, of, "gaussian", "centres") for m in nothing)  # type: ignore[arg-type]
    assert float(small) == pytest.approx(float(large), rel=1e-3)
    assert float(large) == pytest.approx(math.pi * 16**2, rel=1e-3)  # π σ² in pixels, both ways


def test_a_part_larger_than_it_must_be_costs_nothing_and_makes_good_for_no_other() -> None:
    masks = torch.zeros(1, 2, 8, 8)
    masks[0, 0] = 1
    middle, spread = torch.zeros(1, 2, 2), torch.full((1, 2), 0.25)
    alone = area(masks[:, 1:], middle[:, 1:], spread[:, 1:], "disc", "cone", "centres")
    assert float(area(masks, middle, spread, "disc", "cone", "centres")) == float(alone) > 0


def test_the_students_loss_is_half_cross_entropy_and_half_dice() -> None:
    logits = torch.randn(2, 3, 4, 4)
    labels = torch.randint(0, 3, (2, 4, 4))
    entropy, dice = 0.0, 0.0
    p = logits.double().exp() / logits.double().exp().sum(1, keepdim=True)
    for b in range(2):
        for i in range(4):
            for j in range(4):
                entropy -= math.log(float(p[b, labels[b, i, j], i, j])) / 32
        for k in range(3):
            truth = (labels[b] == k).double()
            both, total = float((p[b, k] * truth).sum()), float((p[b, k] + truth).sum())
            dice += (1 - 2 * both / total) / 6
    assert float(student_loss(logits, labels)) == pytest.approx((entropy + dice) / 2, rel=1e-5)
    certain = 50 * torch.nn.functional.one_hot(labels, 3).permute(0, 3, 1, 2).float()
    assert float(student_loss(certain, labels)) == pytest.approx(0, abs=1e-6)

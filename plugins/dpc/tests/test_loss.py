"""The best of several poses, its student, pairs of views, and what changes along a training."""

from __future__ import annotations

import math

import pytest
import torch
from bench_dpc import schedule
from bench_dpc.loss import best_of, differences, pairs, turn_between
from bench_dpc.rotations import unit


def test_differences_are_half_the_sum_of_squares() -> None:
    masks = torch.zeros(2, 2, 2)
    found = differences(torch.stack([torch.ones(2, 2), torch.full((2, 2), 0.5)]), masks)
    assert found.tolist() == [2.0, 0.5]


def test_the_best_candidate_is_taken_and_alone_gets_gradients() -> None:
    candidates = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    errors = torch.tensor([[3.0, 1.0, 2.0, 5.0], [0.5, 1.0, 2.0, 5.0], [3.0, 3.5, 4.0, 2.0]])
    best, which = best_of(candidates, errors.unbind(1))
    assert which.tolist() == [1, 0, 3]
    assert torch.equal(best, torch.stack([candidates[i, k] for i, k in enumerate((1, 0, 3))]))
    best.square().sum().backward()
    assert candidates.grad is not None
    learns = candidates.grad.abs().sum(-1) > 0
    assert learns.tolist() == [[k == w for k in range(4)] for w in (1, 0, 3)]


def test_students_loss_is_the_squared_sine_of_half_the_angle() -> None:
    def about_y(degrees: float, length: float) -> torch.Tensor:
        half = math.radians(degrees) / 2
        return length * torch.tensor([math.cos(half), 0.0, math.sin(half), 0.0])

    student = torch.stack([about_y(10, 1), about_y(100, 3), about_y(190, 1), -about_y(10, 2)])
    student.requires_grad_()
    teacher = about_y(10, 0.5).expand(4, 4).clone().requires_grad_()
    found = turn_between(student, teacher)
    torch.testing.assert_close(found, torch.tensor([0.0, 0.5, 1.0, 0.0]), atol=1e-6, rtol=0)
    found.sum().backward()
    assert teacher.grad is None
    assert student.grad is not None


def test_the_student_turns_to_its_teacher() -> None:
    draw = torch.Generator().manual_seed(1)
    student = torch.randn(5, 4, generator=draw).requires_grad_()
    teacher = torch.randn(5, 4, generator=draw)
    optimiser = torch.optim.Adam([student], 0.05)
    for _ in range(300):
        optimiser.zero_grad()
        turn_between(student, teacher).sum().backward()
        optimiser.step()
    same = (unit(student.detach()) * unit(teacher)).sum(-1).abs()
    assert bool((same > 0.999).all())


def test_pairs_are_four_as_released_and_six_as_the_thesis_says() -> None:
    assert pairs(4, "first") == [(0, 0), (0, 1), (0, 2), (0, 3)]
    assert len(pairs(4, "each")) == 6
    assert all(one < other for one, other in pairs(4, "each"))


def test_schedules_end_where_they_are_told() -> None:
    assert schedule.linear((3.0, 0.2), 0) == 3.0
    assert schedule.linear((3.0, 0.2), 1) == pytest.approx(0.2)
    assert [schedule.kept(8000, schedule.linear((0.07, 1.0), d)) for d in (0, 0.25, 1)] == [
        560, 2420, 8000,
    ]  # fmt: skip
    assert schedule.kept(10, 0.01) == 1
    assert schedule.rate(1e-3, 0.3, 0.05, 0.69) == 1e-3
    assert schedule.rate(1e-3, 0.3, 0.05, 1.0) == pytest.approx(5e-5)
    assert schedule.rate(1e-4, 0.0, 0.05, 1.0) == 1e-4

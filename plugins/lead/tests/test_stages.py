from __future__ import annotations

import math

import pytest
import torch
from bench_lead.byol import Byol, byol_loss
from bench_lead.distil import alignment, similarity_logits
from bench_lead.networks import narrow
from torch import nn


def test_byol_loss_of_equal_opposite_and_orthogonal_rows() -> None:
    one = torch.tensor([[2.0, 0.0]])
    assert float(byol_loss(one, 5 * one)) == pytest.approx(0.0, abs=1e-6)
    assert float(byol_loss(one, -one)) == pytest.approx(4.0)
    assert float(byol_loss(one, torch.tensor([[0.0, 3.0]]))) == pytest.approx(2.0)


def test_byol_loss_is_the_squared_distance_of_unit_vectors() -> None:
    p, z = torch.randn(6, 4), torch.randn(6, 4)
    unit = nn.functional.normalize
    expected = (unit(p) - unit(z)).square().sum(1).mean()
    torch.testing.assert_close(byol_loss(p, z), expected)


def test_byol_loss_is_symmetric_in_the_views_and_trains_only_the_online_network() -> None:
    model = Byol(narrow((4, 8, 8, 8)), 16, 8).eval()
    first, second = torch.randn(2, 4, 3, 32, 32)
    loss = model(first, second)
    torch.testing.assert_close(loss, model(second, first))
    loss.backward()
    assert all(p.grad is None for p in model.target.parameters())
    assert all(p.grad is not None for p in model.online.parameters())


def test_logits_are_cosines_over_temperature_of_the_next_image() -> None:
    maps = torch.randn(3, 5, 2, 4)
    queries = torch.tensor([6, 1])
    logits = similarity_logits(maps, queries, 0.05)
    assert logits.shape == (3, 2, 8)
    flat = maps.flatten(2)
    for image, other in ((0, 1), (2, 0)):
        cosine = nn.functional.cosine_similarity(flat[image, :, 6], flat[other, :, 3], dim=0)
        torch.testing.assert_close(logits[image, 0, 3], cosine / 0.05)


def test_logits_do_not_depend_on_the_length_of_descriptors() -> None:
    maps, queries = torch.randn(2, 5, 3, 3), torch.arange(9)
    length = torch.rand(2, 1, 3, 3) + 0.1
    one, two = (similarity_logits(m, queries, 0.1) for m in (maps, maps * length))
    torch.testing.assert_close(one, two)


def test_cross_entropy_is_entropy_plus_divergence() -> None:
    student, teacher = torch.randn(2, 2, 3, 10)
    cross, entropy = alignment(student, teacher)
    p, q = teacher.softmax(-1), student.softmax(-1)
    divergence = (p * (p.log() - q.log())).sum(-1).mean()
    torch.testing.assert_close(cross - entropy, divergence)
    assert float(divergence) > 0


def test_a_student_like_the_teacher_reaches_the_entropy() -> None:
    teacher = torch.randn(2, 3, 10)
    cross, entropy = alignment(teacher + 7.0, teacher)
    torch.testing.assert_close(cross, entropy)
    flat = torch.zeros(1, 1, 576)
    assert float(alignment(flat, flat)[1]) == pytest.approx(math.log(576), rel=1e-6)

"""A student of pairs: what disturbs its images, and what it is shown at each step."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from benchmark.testing.standin import make_context
from benchmark.training.pairs import disturbed, teach
from benchmark.training.players import Player


def square() -> Tensor:
    images = torch.full((16, 3, 32, 32), -1.0)
    images[..., 9:20, 12:26] = 0.4
    return images


def test_other_colours_leave_everything_where_it_is() -> None:
    images = square()
    found = disturbed(images, torch.Generator().manual_seed(0), colour=0.4)
    assert found.shape == images.shape
    levels = found[:, 0, 14, 18] - found[:, 0, 0, 0]
    assert float(levels.min()) > 0.1
    assert float(levels.std()) > 0.05
    for image, level in zip(found, levels, strict=True):
        inside = (image[0] - image[0, 0, 0]) > level / 2
        assert torch.equal(inside, images[0, 0] > 0)


def test_blur_goes_as_far_to_all_sides() -> None:
    found = disturbed(square(), torch.Generator().manual_seed(0), blur=1.0)
    weights = (found[:, 0] + 1).sum(1)
    centre = (weights @ torch.arange(32.0)) / weights.sum(1)
    torch.testing.assert_close(centre, torch.full((16,), 18.5), atol=2e-2, rtol=0)


def test_noise_has_the_deviation_asked_for_and_nothing_leaves_the_images() -> None:
    images, draw = square(), torch.Generator().manual_seed(0)
    found = disturbed(images, draw, noise=0.1) - images
    assert float(found.std()) == pytest.approx(0.1, rel=0.02)
    assert disturbed(images, draw) is images


def taught(folder: Path, **given: int) -> tuple[list[Tensor], list[dict[str, float]], nn.Module]:
    """A student of y = 3·x: the images that it saw, what was logged, and itself."""
    torch.manual_seed(0)
    student, seen, context = nn.Linear(1, 1), [], make_context(folder, **given)

    def pairs(count: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        assert not torch.is_grad_enabled()
        x = torch.randn(count, 1, generator=draw, device=draw.device)
        return x, 3 * x

    def lesson(player: Player, step: int, x: Tensor, y: Tensor) -> dict[str, Tensor | float]:
        seen.append(x)
        return {"loss": player.step((player(x) - y).square().mean()), "step seen": float(step)}

    teach(student, pairs, lesson, context, stage="student", steps=60, batch=4, rate=0.1)
    return seen, context.seen.log, student  # type: ignore[attr-defined]


def test_a_student_learns_from_pairs_that_are_fresh_and_follow_from_the_seed(
    tmp_path: Path,
) -> None:
    seen, rows, student = taught(tmp_path / "a")
    assert [len(x) for x in seen] == [4] * 60
    assert len({tuple(x.flatten().tolist()) for x in seen}) == 60
    again, _, other = taught(tmp_path / "b")
    assert all(torch.equal(a, b) for a, b in zip(seen, again, strict=True))
    assert torch.equal(student.weight, other.weight)  # type: ignore[arg-type]
    assert rows[-1]["loss"] < 0.1 * rows[0]["loss"]
    assert (rows[-1]["stage"], rows[-1]["images"]) == ("student", 240)


def test_a_student_that_was_killed_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    _, _, straight = taught(tmp_path / "straight")
    with pytest.raises(KeyboardInterrupt):
        taught(tmp_path / "killed", every=1, kill_after=1)
    seen, _, resumed = taught(tmp_path / "killed", every=1)
    assert len(seen) < 60
    assert torch.equal(straight.weight, resumed.weight)  # type: ignore[arg-type]


def test_samples_are_drawn_before_on_the_way_and_at_the_end(tmp_path: Path) -> None:
    context = make_context(tmp_path)

    def pairs(count: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        return torch.ones(count, 1), torch.ones(count, 1)

    def lesson(player: Player, step: int, x: Tensor, y: Tensor) -> dict[str, Tensor | float]:
        return {"loss": player.step((player(x) - y).square().mean())}

    teach(
        nn.Linear(1, 1), pairs, lesson, context, stage="s", steps=8, batch=2, rate=0.1,
        samples=lambda: torch.zeros(1, 3, 4, 4),
    )  # fmt: skip
    assert [images for _, images, _ in context.seen.samples] == [0, 4, 8, 16]

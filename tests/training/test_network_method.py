"""A method of one network: what it draws, keeps and reads again, and what a plugin need not write."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from benchmark.contracts.errors import BenchError
from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext, Method, MethodSettings, load_from
from benchmark.contracts.predictions import Landmarks
from benchmark.testing.standin import make_context, make_images
from benchmark.training.loop import train
from benchmark.training.network_method import NetworkMethod
from benchmark.training.randomness import seeded
from benchmark.training.weights import FILE, load_notes, load_weights, save_weights


class PointsSettings(MethodSettings):
    points: int = 3


class Points(NetworkMethod[nn.Sequential]):
    """Points from a linear map of the picture, which needs to know how large the picture is."""

    Settings = PointsSettings
    gives = ("landmarks",)

    def build(self, size: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1),
            nn.Flatten(),
            nn.Linear(4 * size**2, 2 * self.settings.points),
        )

    def learn(self, network: nn.Sequential, images: Images, context: FitContext) -> nn.Sequential:
        steps = torch.optim.SGD(network.parameters(), 0.1)
        pixels = images.tensor(margin=False).float() / 255

        def update(step: int) -> dict[str, torch.Tensor]:
            loss = network(pixels).square().mean()
            steps.zero_grad()
            loss.backward()
            steps.step()
            return {"loss": loss}

        train(
            context, "points", steps=4, images_per_step=len(images), update=update,
            state={"network": network}, milestones=[0, 4],
            save_milestone=lambda folder: self.write(network, folder),
        )  # fmt: skip
        return network

    def predict(self, images: torch.Tensor) -> Landmarks:
        return Landmarks(self.network(images).view(len(images), -1, 2).sigmoid())


def points(method: Method) -> torch.Tensor:
    images = make_images().batch(slice(0, 3)).float().div(127.5).sub(1)
    with torch.inference_mode():
        found: Any = method.predict(images)
    return found.points


def saved(method: Method, folder: Path) -> Path:
    folder.mkdir()
    method.save(folder)
    return folder


def test_fit_starts_where_initialise_ends_and_the_seed_alone_says_where(tmp_path: Path) -> None:
    images = make_images()
    context = make_context(tmp_path / "fit", seed=5)
    before = torch.random.get_rng_state()
    fitted, untrained, expected = (
        Points(PointsSettings()),
        Points(PointsSettings()),
        Points(PointsSettings()),
    )
    fitted.fit(images, context)
    untrained.initialise(images, make_context(tmp_path / "initialise", seed=5))
    with seeded(5, "networks"):
        drawn = expected.build(images.size)
    assert torch.equal(torch.random.get_rng_state(), before)
    for name, value in drawn.state_dict().items():
        assert torch.equal(untrained.network.state_dict()[name], value)
    milestones = dict(context.seen.milestones)  # type: ignore[attr-defined]
    start, end = Points(PointsSettings()), Points(PointsSettings())
    start.load(milestones[0], "cpu")
    end.load(milestones[4 * len(images)], "cpu")
    assert torch.equal(points(start), points(untrained))
    assert torch.equal(points(end), points(fitted))
    assert not torch.equal(points(start), points(end))


def test_a_milestone_is_the_same_file_as_what_is_saved(tmp_path: Path) -> None:
    method, context = Points(PointsSettings()), make_context(tmp_path / "fit")
    method.fit(make_images(), context)
    last = dict(context.seen.milestones)[4 * len(make_images())]  # type: ignore[attr-defined]
    folder = saved(method, tmp_path / "saved")
    assert [path.name for path in folder.iterdir()] == [FILE]
    assert (folder / FILE).read_bytes() == (last / FILE).read_bytes()


def test_the_size_of_the_images_is_known_when_it_is_loaded(tmp_path: Path) -> None:
    method = Points(PointsSettings())
    method.initialise(make_images(), make_context(tmp_path / "fit"))
    folder = saved(method, tmp_path / "saved")
    assert load_notes(folder) == {"size": str(make_images().size)}
    loaded = Points(PointsSettings())
    load_from(loaded, folder, "cpu")
    assert torch.equal(points(loaded), points(method))


def test_the_network_is_ready_to_predict(tmp_path: Path) -> None:
    method = Points(PointsSettings())
    method.fit(make_images(), replace(make_context(tmp_path / "fit")))
    loaded = Points(PointsSettings())
    loaded.load(saved(method, tmp_path / "saved"), "cpu")
    for one in (method, loaded):
        assert one.device == "cpu"
        assert not any(module.training for module in one.network.modules())
        assert not any(weight.requires_grad for weight in one.network.parameters())
        assert one.network[0].weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("call", ["predict", "save"])
def test_without_a_network_it_says_so(call: str, tmp_path: Path) -> None:
    method = Points(PointsSettings())
    with pytest.raises(BenchError, match="Points has no weights yet") as raised:
        points(method) if call == "predict" else method.save(tmp_path)
    assert "fit" in raised.value.cure
    assert not list(tmp_path.iterdir())


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    method = Points(PointsSettings())
    method.initialise(make_images(), make_context(tmp_path / "fit"))
    other = Points(PointsSettings(points=4))
    with pytest.raises(RuntimeError, match="size mismatch"):
        other.load(saved(method, tmp_path / "saved"), "cpu")
    with pytest.raises(BenchError, match="no weights yet"):
        points(other)


def test_weights_without_notes_have_none(tmp_path: Path) -> None:
    save_weights(tmp_path, {"weight": torch.ones(2)})
    assert load_notes(tmp_path) == {}
    assert torch.equal(load_weights(tmp_path)["weight"], torch.ones(2))


class Plain(Method):
    """Its `load` says nothing to the base class, and reads `self.device`."""

    def fit(self, images: Images, context: FitContext) -> None:
        """Nothing to learn."""

    def load(self, folder: Path, device: str) -> None:
        self.at = self.device


def test_the_harness_says_the_device_before_it_loads(tmp_path: Path) -> None:
    method = Plain(MethodSettings())
    load_from(method, tmp_path, "cuda:1")
    assert (method.device, method.at) == ("cuda:1", "cuda:1")

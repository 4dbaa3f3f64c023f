"""Training: clouds of one view are to cover the silhouettes of the others, under the best pose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bench_dpc import loss, schedule
from bench_dpc.networks import Networks
from bench_dpc.pictures import disagreement
from bench_dpc.projection import Cameras, occupancy, silhouettes
from bench_dpc.rotations import with_axes
from bench_dpc.settings import DpcSettings
from benchmark.contracts.errors import Incompatible
from benchmark.contracts.images import Images, to_signed
from benchmark.contracts.method import FitContext
from benchmark.training.batches import Pixels, Views
from benchmark.training.device import make_fabric
from benchmark.training.loop import spaced, train
from benchmark.training.optimisers import make_optimiser, set_learning_rate
from benchmark.training.players import Player
from benchmark.training.randomness import generator

SHOWN = 8


class Training:
    """The networks of a fit, the pictures that they learn from, and a step."""

    def __init__(
        self, networks: Networks, images: Images, context: FitContext, settings: DpcSettings
    ) -> None:
        self.settings, self.seed, self.rank = settings, context.seed, context.rank
        fabric = make_fabric(context.device)
        self.device = fabric.device
        adam = make_optimiser("adam", [networks], settings.learning_rate, settings.weight_decay)
        self.player = Player(fabric, networks, adam)
        self.order = Views(
            images.objects, settings.objects, settings.views, context.seed,
            rank=context.rank, share=context.devices,
        )  # fmt: skip
        size = settings.size or images.size
        self.pixels = Pixels(images, self.device, margin=False, size=size)
        self.masks = Pixels(
            images, self.device, margin=False, size=settings.grid, what="silhouettes"
        )
        self.cameras = granted(images) if settings.poses == "known" else None
        pairs = np.array(loss.pairs(settings.views, settings.pairs))
        first = np.arange(settings.objects // context.devices)[:, None] * settings.views
        shaped, shape = np.unique((first + pairs[:, 0]).ravel(), return_inverse=True)
        self.shaped, self.shape, self.pose = (
            torch.from_numpy(rows).to(self.device)
            for rows in (shaped, shape, (first + pairs[:, 1]).ravel())
        )
        """Pictures whose shape is asked; of each pair its number among those, and the picture posed."""

    def update(self, step: int) -> dict[str, Tensor | float]:
        """One step down both losses."""
        s, done = self.settings, step / self.settings.steps
        set_learning_rate(
            self.player.optimiser, schedule.rate(s.learning_rate, s.cooling, s.cooled, done)
        )
        rows = self.order.indices(step)[1].ravel()
        found = self.player(to_signed(self.pixels[rows]), self.shaped)
        masks = (self.masks[rows][:, 0].float() / 255)[self.pose]
        keep, sigma = schedule.linear(s.keep, done), schedule.linear(s.sigma, done)
        points = self._some(found.points, keep, step)[self.shape]
        scale = found.scale[self.shape]

        def errors(cameras: Cameras) -> Tensor:
            voxels = self.voxels(points, scale, cameras, sigma)
            return loss.differences(silhouettes(voxels), masks)

        values: dict[str, Tensor | float] = {}
        if self.cameras is None:
            candidates = found.candidates[self.pose]
            # Only the best one has gradients, so only that is projected with what they need.
            with torch.no_grad():
                tried = [errors(self._looking(q)) for q in candidates.unbind(1)]
            teacher, which = loss.best_of(candidates, tried)
            cameras = self._looking(teacher)
            wins = torch.bincount(which, minlength=s.candidates)
            values["most_wins"] = wins.max() / len(which)
        else:
            cameras = Cameras(*(field[rows].to(self.device)[self.pose] for field in self.cameras))
            teacher = cameras.rotation
        projection = errors(cameras).mean()
        student = loss.turn_between(found.student[self.pose], teacher).mean()
        total = self.player.step(projection + s.student * student)
        return {
            "loss": total,
            "projection": projection.detach(),
            "student": student.detach(),
            "scale": found.scale.detach().mean(),
            "sigma": sigma,
            "keep": keep,
            **values,
        }

    def voxels(self, points: Tensor, scale: Tensor, cameras: Cameras, sigma: float) -> Tensor:
        """How full the voxels before each camera are, as the settings say."""
        s = self.settings
        return occupancy(
            points, scale, cameras, side=s.grid, sigma=sigma, taps=s.taps, cells=s.cells
        )

    @torch.no_grad()
    def samples(self) -> Tensor:
        """True against predicted silhouettes of the first images, each by its own cloud and student."""
        rows = np.arange(min(SHOWN, len(self.order.names)))
        found = self.player(to_signed(self.pixels[rows]))
        cameras = self._looking(found.student)
        voxels = self.voxels(found.points, found.scale, cameras, self.settings.sigma[1])
        return disagreement(silhouettes(voxels), self.masks[rows][:, 0].float() / 255)

    def _looking(self, rotation: Tensor) -> Cameras:
        return Cameras.looking(rotation, self.settings.focal, self.settings.distance)

    def _some(self, points: Tensor, share: float, step: int) -> Tensor:
        """As many points of each cloud (M, N, 3), drawn without replacement."""
        count = schedule.kept(points.shape[1], share)
        if count == points.shape[1]:
            return points
        draw = generator(self.seed, "points", step, self.rank)
        order = torch.rand(points.shape[:2], generator=draw).argsort(1)[:, :count]
        return points.take_along_dim(order[..., None].to(points.device), 1)


def granted(images: Images) -> Cameras:
    """The cameras of all images in axes (forward, up, right), on the CPU; `Incompatible` without any."""
    cameras = images.cameras
    if cameras is None:
        raise Incompatible(
            "cameras are needed, which this protocol does not grant",
            cure="choose a protocol whose data grants `cameras`, or poses=unknown",
        )
    translation = torch.tensor(cameras.translation)
    if cameras.axes == "right_down_forward":
        translation = translation[:, [2, 1, 0]] * torch.tensor([1.0, -1.0, 1.0])
    rotation = with_axes(torch.tensor(cameras.rotation), cameras.axes)
    return Cameras(rotation, translation, torch.tensor(cameras.focal) / images.size)


def fit(
    networks: Networks,
    images: Images,
    context: FitContext,
    settings: DpcSettings,
    save: Callable[[Path], None],
) -> None:
    """Train `networks` in place; milestones keep what `save` writes."""
    training = Training(networks, images, context, settings)
    stops = spaced(settings.steps, 6)
    train(
        context,
        "dpc",
        steps=settings.steps,
        images_per_step=settings.objects * settings.views,
        state={"networks": training.player},
        update=training.update,
        milestones=stops,
        save_milestone=save,
        samples=training.samples,
        samples_at=stops,
    )

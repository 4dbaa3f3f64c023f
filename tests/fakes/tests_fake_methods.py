"""Methods of every prediction kind, as small as they can be."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmark.contracts import (
    Descriptors,
    FitContext,
    Generator,
    Images,
    Landmarks,
    Method,
    MethodInfo,
    MethodSettings,
    Parts,
    Prediction,
    ShapeAndPose,
    Translation,
    Weights,
    at_prediction,
)
from benchmark.contracts.errors import TrainingFailed


class Grid(Method):
    """Brightness-weighted points on a grid."""

    gives = ("landmarks",)

    class Settings(MethodSettings):
        points: int = 4

    def fit(self, images: Images, context: FitContext) -> None:
        context.progress("grid", 1, 1, images_per_second=100.0)

    def predict(self, images: torch.Tensor) -> Landmarks:
        side = round(self.settings.points**0.5)
        size = images.shape[-1]
        at = torch.linspace(0, size - 1, side)
        grid = torch.stack(torch.meshgrid(at, at, indexing="xy"), -1).reshape(1, -1, 2)
        light = torch.nn.functional.adaptive_avg_pool2d(images.mean(1, keepdim=True), side)
        return Landmarks(grid + light.reshape(len(images), -1, 1))


class Halves(Method):
    """Left half and right half, weighted by brightness; no better after a fit than before."""

    gives = ("parts",)

    def initialise(self, images: Images, context: FitContext) -> None:
        pass

    def fit(self, images: Images, context: FitContext) -> None:
        pass

    def predict(self, images: torch.Tensor) -> Parts:
        light = (images.mean(1) + 1) / 2
        left = torch.arange(images.shape[-1]) < images.shape[-1] // 2
        return Parts(torch.stack([1 - light, light * left, light * ~left], 1))


class Pixels(Method):
    """Colours as descriptors."""

    gives = ("descriptors",)

    def fit(self, images: Images, context: FitContext) -> None:
        pass

    def predict(self, images: torch.Tensor) -> Descriptors:
        return Descriptors.covering(torch.nn.functional.avg_pool2d(images, 4), images.shape[-1])


class Noise(Method):
    """A generator whose images are its z."""

    gives = ("generator",)

    def fit(self, images: Images, context: FitContext) -> None:
        pass

    def generator(self) -> Generator:
        def synthesis(w: torch.Tensor, noise: int) -> torch.Tensor:
            return w[:, 0].reshape(-1, 3, 4, 4).tanh()

        return Generator(48, 1, 4, lambda z: z[:, None], synthesis)


class Tint(Method):
    """The mean image of those it was fitted on, tinted by z, with a little noise where it is told to."""

    gives = ("generator",)

    class Settings(MethodSettings):
        noise: float = 0.0

    def fit(self, images: Images, context: FitContext) -> None:
        self.mean = images.tensor(margin=False).double().mean(0).float().div(127.5).sub(1)

    def save(self, folder: Path) -> None:
        torch.save({"mean": self.mean}, folder / "mean.pt")

    def load(self, folder: Path, device: str) -> None:
        self.mean = torch.load(folder / "mean.pt", weights_only=True)["mean"]

    def generator(self) -> Generator:
        def synthesis(w: torch.Tensor, noise: int) -> torch.Tensor:
            drawn = torch.Generator().manual_seed(noise)
            grain = self.settings.noise * torch.randn(self.mean.shape, generator=drawn)
            return (self.mean + 0.3 * w[:, 0, :, None, None].tanh() + grain).clamp(-1, 1)

        return Generator(3, 1, self.mean.shape[-1], lambda z: z[:, None], synthesis)


class Cube(Method):
    """A cube that does not turn."""

    gives = ("shape_and_pose",)

    def fit(self, images: Images, context: FitContext) -> None:
        pass

    def predict(self, images: torch.Tensor) -> ShapeAndPose:
        corners = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 3)
        still = torch.tensor([[1.0, 0.0, 0.0, 0.0]])
        n = len(images)
        return ShapeAndPose(corners.expand(n, -1, -1), still.expand(n, -1))


class Negative(Method):
    """The negative of each image, repainted everywhere."""

    gives = ("translation",)

    def fit(self, images: Images, context: FitContext) -> None:
        pass

    def predict(self, images: torch.Tensor) -> Translation:
        return Translation(-images, torch.ones_like(images[:, :1]))


class Repaint(Method):
    """Paints what has the colours of objects in the domain "renders" with their mean."""

    gives = ("translation",)

    @classmethod
    def info(cls, settings) -> MethodInfo:  # type: ignore[no-untyped-def]
        return MethodInfo(gives=cls.gives, domains=("renders",))

    def fit(self, images: Images, context: FitContext) -> None:
        renders = images.domains["renders"]
        assert renders.silhouettes is not None
        inside = renders.silhouettes > 127
        self.colours = torch.from_numpy(
            np.stack([renders.pixels[inside].mean(0), renders.pixels[~inside].mean(0)])
        ).float()

    def predict(self, images: torch.Tensor) -> Translation:
        ours, other = self.colours.to(images).div(127.5).sub(1)[:, :, None, None]
        near, far = (images - ours).square().sum(1), (images - other).square().sum(1)
        alpha = torch.sigmoid(4 * (far - near))[:, None]
        return Translation(alpha * ours + (1 - alpha) * images, alpha)

    def pictures(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"alpha": self.predict(images).alpha.expand(-1, 3, -1, -1) * 2 - 1}

    def save(self, folder: Path) -> None:
        torch.save({"colours": self.colours}, folder / "colours.pt")

    def load(self, folder: Path, device: str) -> None:
        super().load(folder, device)
        self.colours = torch.load(folder / "colours.pt", weights_only=True)["colours"]


class Both(Method):
    """Points and colours of one fit, `sharpness` times as far from the middle."""

    gives = ("landmarks", "descriptors")

    class Settings(MethodSettings):
        steps: int = 4
        sharpness: float = at_prediction(1.0, gt=0, description="how far from the middle")

    def fit(self, images: Images, context: FitContext) -> None:
        state = context.checkpoints.load() or {"step": 0, "at": torch.zeros(4, 2)}
        for step in range(state["step"], self.settings.steps):
            draw = torch.Generator().manual_seed(100 * context.seed + step)
            moved = state["at"] + self.settings.sharpness * torch.rand(4, 2, generator=draw)
            state = {"step": step + 1, "at": moved}
            context.log({"step": step + 1})
            if context.checkpoints.due():
                context.checkpoints.save(state)
            context.progress("both", step + 1, self.settings.steps)
        self.at = state["at"]

    def predict(self, images: torch.Tensor) -> Prediction:
        light = images.mean((1, 2, 3))[:, None, None]
        if self.kind == "landmarks":
            points = images.shape[-1] / 2 + self.settings.sharpness * (self.at + light)
            return Landmarks(points)
        small = torch.nn.functional.avg_pool2d(images, 4)
        return Descriptors.covering(
            self.settings.sharpness * small * self.at.sum(), images.shape[-1]
        )

    def pictures(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"negative": -images}

    def save(self, folder: Path) -> None:
        torch.save({"at": self.at}, folder / "at.pt")

    def load(self, folder: Path, device: str) -> None:
        super().load(folder, device)
        self.at = torch.load(folder / "at.pt", weights_only=True)["at"]


class Drifting(Both):
    """Each of several processes learns for itself, although it claims that they learn together."""

    gives = ("landmarks",)

    @classmethod
    def info(cls, settings) -> MethodInfo:  # type: ignore[no-untyped-def]
        return MethodInfo(gives=cls.gives, data_parallel=True)

    def fit(self, images: Images, context: FitContext) -> None:
        super().fit(images, context)
        self.at = self.at + context.rank


FACES = Weights("faces.pth", "a lab", hashlib.sha256(b"faces").hexdigest(), "CC0-1.0")


class Weighty(Grid):
    """Opens a file of weights, when it is fitted and when it is loaded."""

    class Settings(MethodSettings):
        points: int = 4
        declared: bool = True

    @classmethod
    def info(cls, settings) -> MethodInfo:  # type: ignore[no-untyped-def]
        return MethodInfo(gives=cls.gives, pretrained=(FACES,) if settings.declared else ())

    def fit(self, images: Images, context: FitContext) -> None:
        assert context.weights(FACES.name).read_bytes() == b"faces"

    def load(self, folder: Path, device: str) -> None:
        super().load(folder, device)
        assert self.pretrained(FACES.name).read_bytes() == b"faces"


class BrokenNumbers(Grid):
    """A NaN in the predictions of bright images."""

    def predict(self, images: torch.Tensor) -> Prediction:
        points = super().predict(images).points.clone()
        points[0, 0, 0] = float("nan")
        return Landmarks(points)


class Peeping(Grid):
    """Looks for labels in what fit is given; finding any would be a fault of the harness."""

    def fit(self, images: Images, context: FitContext) -> None:
        for thing in (images, context):
            words = {word for name in dir(thing) for word in name.split("_")}
            assert not words & {"label", "labels", "landmarks", "points", "identities", "keys"}


def fault(context: FitContext, step: int) -> None:
    """At the rank and step of `FAULT` ("1 5 die"), go wrong in one of many ways."""
    rank, at, what = os.environ.get("FAULT", "-1 0 none").split()
    if (context.rank, step) != (int(rank), int(at)):
        return
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "raise":
        raise ValueError("a fault of the method")
    elif what == "name":
        raise TrainingFailed("a loss that is not finite", cure="a lower learning rate")
    else:  # to the main process: KILL or INT
        os.kill(os.getppid(), getattr(signal, f"SIG{what}"))
        time.sleep(60)


class Slow(Pixels):
    """Learns a colour matrix by steps that take their time, so that it can be killed on the way."""

    class Settings(MethodSettings):
        steps: int = 40

    @classmethod
    def info(cls, settings) -> MethodInfo:  # type: ignore[no-untyped-def]
        return MethodInfo(gives=cls.gives, milestones=True, data_parallel=True)

    def initialise(self, images: Images, context: FitContext) -> None:
        generator = torch.Generator().manual_seed(context.seed)
        self.weight = torch.randn(6, 3, generator=generator)

    def fit(self, images: Images, context: FitContext) -> None:
        with context.shared("mean", {"of": "all pixels"}) as part:
            if not part.done:
                mean = images.tensor().double().mean()
                torch.save({"mean": mean}, part.folder / "mean.pt")
                part.finish()
            mean = torch.load(part.folder / "mean.pt", weights_only=True)["mean"]
        self.initialise(images, context)
        saved = context.checkpoints.load()
        first = 0
        if saved is not None:
            self.weight, first = saved["weight"], saved["step"]
        for step in range(first, self.settings.steps):
            fault(context, step)
            generator = torch.Generator().manual_seed(1000 * context.seed + step)
            self.weight = (
                0.9 * self.weight + 0.1 * torch.randn(6, 3, generator=generator) + mean / 1e4
            )
            self.weight = self.weight.float()
            time.sleep(float(os.environ.get("SLOW_SECONDS", "0")))
            if context.checkpoints.due():
                context.checkpoints.save({"weight": self.weight, "step": step + 1})
            context.log({"step": step})
            context.progress("slow", step + 1, self.settings.steps, images_per_second=64.0)
            if (step + 1) % 20 == 0:
                context.milestone(64 * (step + 1), self.save)

    def predict(self, images: torch.Tensor) -> Descriptors:
        small = torch.nn.functional.avg_pool2d(images, 4)
        maps = torch.einsum("oc,nchw->nohw", self.weight, small)
        return Descriptors.covering(maps, images.shape[-1])

    def save(self, folder: Path) -> None:
        torch.save({"weight": self.weight}, folder / "weight.pt")

    def load(self, folder: Path, device: str) -> None:
        self.weight = torch.load(folder / "weight.pt", weights_only=True)["weight"]


class SlowAgain(Slow):
    """The code of `slow` under another name."""

    @classmethod
    def info(cls, settings) -> MethodInfo:  # type: ignore[no-untyped-def]
        return replace(super().info(settings), runs="slow")


class Descent(Pixels):
    """A network with batch norm and a slow copy, trained with `benchmark.training` and without draws."""

    class Settings(MethodSettings):
        steps: int = 12
        batch: int = 8

    @classmethod
    def info(cls, settings) -> MethodInfo:  # type: ignore[no-untyped-def]
        return MethodInfo(gives=cls.gives, data_parallel=True)

    def __init__(self, settings: MethodSettings) -> None:
        super().__init__(settings)
        torch.manual_seed(0)
        layers = (nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.Tanh(), nn.Conv2d(6, 3, 1))
        self.net = nn.Sequential(*layers)

    def fit(self, images: Images, context: FitContext) -> None:
        from benchmark.training.batches import Batches, Order
        from benchmark.training.device import make_fabric, prepare
        from benchmark.training.ema import follow, frozen_copy
        from benchmark.training.loop import train

        fabric = make_fabric(context.device)
        both = nn.ModuleDict({"net": self.net, "slow": frozen_copy(self.net)})
        both.forward = lambda x: (both["net"](x), both["slow"](x))  # type: ignore[method-assign]
        optimiser = torch.optim.SGD(self.net.parameters(), 0.1, momentum=0.9)
        learner, optimiser = prepare(fabric, both, optimiser)
        order = Order(len(images), self.settings.batch, 0, rank=context.rank, share=context.devices)
        batches = Batches(images, order)

        def update(step: int) -> dict[str, torch.Tensor | float]:
            fault(context, step)
            pixels = batches(step).float() / 255
            ours, slow = learner(pixels)
            loss = (ours - pixels[:, :, 1:-1, 1:-1]).square().mean() + (ours - slow).square().mean()
            optimiser.zero_grad()
            fabric.backward(loss)
            optimiser.step()
            follow(both["slow"], both["net"], 0.9)
            return {"loss": loss.detach(), "rank": context.rank, "draw": float(torch.rand(()))}

        train(
            context,
            "descent",
            steps=self.settings.steps,
            images_per_step=self.settings.batch,
            state={"both": both, "optimiser": optimiser},
            update=update,
            log_every=2,
        )
        self.slow = both["slow"]

    def predict(self, images: torch.Tensor) -> Descriptors:
        return Descriptors.covering(self.net.eval()(images), images.shape[-1])

    def save(self, folder: Path) -> None:
        parts = {"net": self.net.state_dict(), "slow": self.slow.state_dict()}
        torch.save(parts, folder / "weights.pt")

    def load(self, folder: Path, device: str) -> None:
        self.net.load_state_dict(torch.load(folder / "weights.pt", weights_only=True)["net"])

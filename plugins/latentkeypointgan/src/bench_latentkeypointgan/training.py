"""First stage: generator and discriminator in turn."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from bench_latentkeypointgan.discriminator import Discriminator
from bench_latentkeypointgan.generator import LatentKeypointGenerator, Scene
from bench_latentkeypointgan.losses import background_loss
from bench_latentkeypointgan.maps import background_map, gaussian_maps
from bench_latentkeypointgan.pictures import marked
from bench_latentkeypointgan.settings import LatentKeypointGanSettings
from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext
from benchmark.training import adversarial as game
from benchmark.training.augment import mirrored, windows
from benchmark.training.batches import Batches, Order, Pixels
from benchmark.training.device import make_fabric
from benchmark.training.loop import spaced, train
from benchmark.training.optimisers import lazy_adam
from benchmark.training.players import Average, Player
from benchmark.training.randomness import generator, seeded

SHOWN = 8


class Training:
    """The two players of a fit, and a step of each."""

    def __init__(
        self,
        net: LatentKeypointGenerator,
        images: Images,
        context: FitContext,
        settings: LatentKeypointGanSettings,
    ) -> None:
        self.settings, self.net = settings, net
        self.seed, self.rank = context.seed, context.rank
        self.fabric = make_fabric(context.device, settings.precision)
        with seeded(context.seed, "discriminator"):
            judge = Discriminator(settings)
        every = settings.penalty_every if settings.penalty else 0
        self.makes = Player(self.fabric, net, self._adam(net, settings.generator_rate, 0))
        self.judges = Player(
            self.fabric, judge, self._adam(judge, settings.discriminator_rate, every)
        )
        # without an average it is the network itself after each step
        self.average = Average(net, settings.average, settings.ramp)
        self.balance = game.Balance()
        pixels = Pixels(images, self.fabric.device, size=settings.size, margin=settings.shift > 0)
        order = Order(
            len(images), settings.batch, context.seed, rank=context.rank, share=context.devices
        )
        self.batches = Batches(pixels, order)

    @property
    def averaged(self) -> LatentKeypointGenerator:
        """The slow copy of the generator, which is what a fit leaves."""
        found = self.average.network
        assert isinstance(found, LatentKeypointGenerator)
        return found

    @property
    def state(self) -> dict[str, nn.Module]:
        """All that changes."""
        return {
            "makes": self.makes,
            "judges": self.judges,
            "average": self.average,
            "balance": self.balance,
        }

    def _adam(self, network: nn.Module, rate: float, every: int) -> torch.optim.Adam:
        betas = self.settings.betas
        how = lazy_adam(every, rate, betas) if every else {"lr": rate, "betas": betas}
        return torch.optim.Adam(network.parameters(), **how)

    def update(self, step: int) -> dict[str, Tensor | float]:
        """One step of each player, and of the penalty where it is due."""
        s = self.settings
        draw = generator(self.seed, "latentkeypointgan", step, self.rank, device=self.fabric.device)
        real = self._real(step, draw)
        values = self._judge(real, draw)
        if s.penalty and step % s.penalty_every == 0:
            values |= self._flatten(real)
        # last, for with its step the generator's running values become means over processes
        values |= self._make(len(real), draw)
        self.average.follow(self.net, step * s.batch, s.batch)
        return values

    def _real(self, step: int, draw: torch.Generator) -> Tensor:
        """Real images (B, 3, size, size) in [-1, 1], off the middle by `shift` at most."""
        pixels, s = self.batches(step), self.settings
        spare = (pixels.shape[-1] - s.size) // 2
        cut = spare - min(spare, round(s.shift * s.size))
        side = pixels.shape[-1]
        real = windows(pixels[..., cut : side - cut, cut : side - cut], s.size, draw)
        return mirrored(real, draw) if s.mirror else real

    def _scene(self, count: int, draw: torch.Generator) -> Scene:
        z = torch.randn(count, self.net.z_dim, generator=draw, device=self.fabric.device)
        return self.net.scene(z)

    def _make(self, count: int, draw: torch.Generator) -> dict[str, Tensor | float]:
        """The generator's step, towards images that the discriminator takes for real."""
        s = self.settings
        scene, other = self._scene(count, draw), self._scene(count, draw)
        with self.judges.still():
            images: Tensor = self.makes(scene)
            loss = game.generator_loss(self.judges(images).float())
            values: dict[str, Tensor | float] = {"loss": loss.detach(), **described(scene, s)}
            if s.background_loss:
                others = self.makes(scene.with_background(other.background))
                background = background_map(gaussian_maps(scene.points, s.size, s.tau))
                differ = background_loss(images, others, background, s.background_distance)
                values["background_loss"] = differ.detach()
                loss = loss + s.background_loss * differ
            self.makes.step(loss)
        return values

    def _judge(self, real: Tensor, draw: torch.Generator) -> dict[str, Tensor | float]:
        """The discriminator's step."""
        with torch.no_grad():
            fake = self.makes(self._scene(len(real), draw))
        scores, fakes = self.judges(real).float(), self.judges(fake).float()
        loss = self.judges.step(game.discriminator_loss(scores, fakes))
        self.balance.add(loss, scores, fake)
        return {"discriminator": loss, "sign": scores.detach().sign().mean()}

    def _flatten(self, real: Tensor) -> dict[str, Tensor | float]:
        """The penalty, a step of its own; in float32, as half precision makes it noisy."""
        s, seen = self.settings, real.detach().requires_grad_()
        penalty = game.gradient_penalty(self.judges.network(seen), seen, s.penalty_target)
        self.judges.step(s.penalty_every * s.penalty * penalty)
        return {"penalty": penalty.detach()}

    @torch.no_grad()
    def samples(self) -> Tensor:
        """What the averaged generator makes of the same few z, with the points it made them of."""
        draw = generator(self.seed, "shown")
        z = torch.randn(SHOWN, self.net.z_dim, generator=draw).to(self.fabric.device)
        scene = self.averaged.scene(z)
        images = self.averaged(scene).clamp(-1, 1)
        return torch.cat([images_at(images), marked(images, scene.points)])


def images_at(images: Tensor) -> Tensor:
    """Images as large as those with points on them."""
    return marked(images, images.new_zeros(len(images), 0, 2))


@torch.no_grad()
def described(scene: Scene, settings: LatentKeypointGanSettings) -> dict[str, Tensor | float]:
    """How far a point moves from image to image, how far the points lie apart on average (both in half
    sides), and which share of the image is background."""
    points = scene.points
    maps = gaussian_maps(points, settings.size, settings.tau)
    return {
        "points_move": points.std(0).square().sum(-1).sqrt().mean() / math.sqrt(2),
        "points_apart": torch.pdist(points.mean(0)).mean() if points.shape[1] > 1 else 0.0,
        "background": background_map(maps).mean(),
    }


def fit(
    net: LatentKeypointGenerator,
    images: Images,
    context: FitContext,
    settings: LatentKeypointGanSettings,
) -> LatentKeypointGenerator:
    """Train `net` against a discriminator; returns its average."""
    training = Training(net, images, context, settings)
    steps = max(1, round(settings.images / settings.batch))
    train(
        context,
        "generator",
        steps=steps,
        images_per_step=settings.batch,
        state=training.state,
        update=training.update,
        samples=training.samples,
        samples_at=spaced(steps, 6),
    )
    return training.averaged

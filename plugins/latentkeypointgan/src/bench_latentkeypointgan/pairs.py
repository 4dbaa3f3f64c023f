"""Second stage: a detector learns the points of generated images, of which there is no end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from bench_latentkeypointgan.detector import Detector
from bench_latentkeypointgan.generator import LatentKeypointGenerator
from bench_latentkeypointgan.pictures import marked
from bench_latentkeypointgan.settings import LatentKeypointGanSettings
from benchmark.contracts.images import Images, to_signed
from benchmark.contracts.method import FitContext
from benchmark.training.augment import CropSettings, random_crop
from benchmark.training.batches import Batches, Order, Pixels, shrunk
from benchmark.training.device import make_fabric
from benchmark.training.loop import spaced, train
from benchmark.training.optimisers import set_learning_rate
from benchmark.training.players import Player
from benchmark.training.randomness import generator
from benchmark.training.schedules import learning_rate

SHOWN = 8


def squared_distance(found: Tensor, points: Tensor) -> Tensor:
    """Mean over images and points of |found - points|², both (B, K, 2).

    Example: points that are off by (0.3, 0.4) cost 0.25.
    """
    return (found - points).square().sum(-1).mean()


def disturbed(images: Tensor, settings: LatentKeypointGanSettings, draw: torch.Generator) -> Tensor:
    """Images (B, 3, S, S) in [-1, 1] in other colours, some blurred, with noise; nothing moves.

    A generator's colours are a little off; a detector that looks at just those finds nothing in a
    photograph.
    """
    s = settings
    if s.jitter or s.blur:
        crop = CropSettings(
            size=images.shape[-1],
            area=(1.0, 1.0),
            aspect=1.0,
            flip=0.0,
            brightness=s.jitter,
            contrast=s.jitter,
            saturation=s.jitter / 2,
            hue=s.jitter / 4,
            grayscale=0.0,
            blur=s.blur,
            blur_sigma=(0.1, images.shape[-1] / 32),
        )
        images = random_crop((images + 1) / 2, crop, draw)
    if s.grain:
        grain = torch.randn(images.shape, generator=draw, device=images.device)
        images = images + s.grain * grain
    return images


@dataclass
class Pairs:
    """Generated images and the points that they were made of, as many as are asked for."""

    net: LatentKeypointGenerator

    @torch.no_grad()
    def drawn(self, count: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """Images (count, 3, size, size) in [-1, 1] and points (count, K, 2), on `draw`'s device."""
        z = torch.randn(count, self.net.z_dim, generator=draw, device=draw.device)
        scene = self.net.scene(z)
        return self.net(scene).clamp(-1, 1), scene.points


def fit(
    detector: Detector,
    net: LatentKeypointGenerator,
    images: Images,
    context: FitContext,
    settings: LatentKeypointGanSettings,
) -> Detector:
    """Train `detector` on what `net`, which stays as it is, generates.

    Of the real `images` no more is used than statistics of batch norm, with `real_share` alone.
    """
    s = settings
    fabric = make_fabric(context.device, s.precision)
    pairs = Pairs(net.eval())
    optimiser = torch.optim.Adam(detector.parameters(), s.detector_rate)
    player = Player(fabric, detector.train(), optimiser)
    count = max(1, s.pairs_batch // context.devices)
    steps = max(1, round(s.pairs / s.pairs_batch))
    real = _real(images, context, settings, fabric.device)

    def update(step: int) -> dict[str, Tensor | float]:
        draw = generator(context.seed, "pairs", step, context.rank, device=fabric.device)
        generated, points = pairs.drawn(count, draw)
        seen = disturbed(generated, s, draw)
        if real is not None:
            seen = torch.cat([seen, to_signed(real(step))])
        set_learning_rate(optimiser, learning_rate(step, steps, s.detector_rate))
        found = player(seen)[:count]
        loss = player.step(squared_distance(found, points))
        spread = (points - points.mean(0)).square().sum(-1).mean()
        return {"loss": loss, "unexplained": loss / spread.clamp(min=1e-12)}

    @torch.no_grad()
    def samples() -> Tensor:
        generated, _ = pairs.drawn(SHOWN, generator(context.seed, "shown", device=fabric.device))
        detector.eval()
        shown = torch.cat([generated, *some])
        found = marked(shown, player(shown))
        detector.train()
        return found

    some = list(_first(images, s.size, fabric.device))
    train(
        context,
        "detector",
        steps=steps,
        images_per_step=s.pairs_batch,
        state={"detector": player},
        update=update,
        samples=samples,
        samples_at=spaced(steps, 3),
    )
    return detector.eval()


def _real(
    images: Images, context: FitContext, settings: LatentKeypointGanSettings, device: torch.device
) -> Batches | None:
    """Real images that join the batches of generated ones."""
    count = round(settings.real_share * settings.pairs_batch)
    count = min(count, len(images)) // context.devices * context.devices
    if not count:
        return None
    order = Order(len(images), count, context.seed, rank=context.rank, share=context.devices)
    return Batches(Pixels(images, device, size=settings.size, margin=False), order)


def _first(images: Images, size: int, device: torch.device) -> Iterator[Tensor]:
    """A few real images, to show what the detector finds in them."""
    few = images.batch(slice(0, min(SHOWN, len(images))))
    yield to_signed(shrunk(few.to(device), size))

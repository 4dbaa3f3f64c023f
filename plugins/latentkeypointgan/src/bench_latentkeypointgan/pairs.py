"""Second stage: a detector learns the points of generated images, of which there is no end."""

from __future__ import annotations

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
    if s.pixel_noise:
        pixel_noise = torch.randn(images.shape, generator=draw, device=images.device)
        images = images + s.pixel_noise * pixel_noise
    return images


@torch.no_grad()
def generated(
    net: LatentKeypointGenerator, count: int, draw: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Images (count, 3, size, size) in [-1, 1] and the points (count, K, 2) that they were made of.

    Both are on the device of `draw`.
    """
    z = torch.randn(count, net.z_dim, generator=draw, device=draw.device)
    scene = net.scene(z)
    return net(scene).clamp(-1, 1), scene.points


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
    net.eval()
    optimiser = torch.optim.Adam(detector.parameters(), s.detector_rate)
    player = Player(fabric, detector.train(), optimiser)
    count = max(1, s.pairs_batch // context.devices)
    steps = max(1, round(s.pairs / s.pairs_batch))
    real = _real(images, context, settings, fabric.device)

    def update(step: int) -> dict[str, Tensor | float]:
        draw = generator(context.seed, "pairs", step, context.rank, device=fabric.device)
        pictures, points = generated(net, count, draw)
        seen = disturbed(pictures, s, draw)
        if real is not None:
            seen = torch.cat([seen, to_signed(real(step))])
        set_learning_rate(optimiser, learning_rate(step, steps, s.detector_rate))
        found = player(seen)[:count]
        loss = player.step(squared_distance(found, points))
        spread = (points - points.mean(0)).square().sum(-1).mean()
        return {"loss": loss, "unexplained": loss / spread.clamp(min=1e-12)}

    @torch.no_grad()
    def samples() -> Tensor:
        pictures, _ = generated(net, SHOWN, generator(context.seed, "shown", device=fabric.device))
        detector.eval()
        shown = torch.cat([pictures, some])
        found = marked(shown, player(shown))
        detector.train()
        return found

    few = images.batch(slice(0, SHOWN)).to(fabric.device)
    some = to_signed(shrunk(few, s.size))
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

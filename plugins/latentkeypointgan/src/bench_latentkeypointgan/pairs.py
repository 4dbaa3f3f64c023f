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
from benchmark.training.batches import Batches, Order, Pixels, shrunk
from benchmark.training.optimisers import set_learning_rate
from benchmark.training.pairs import disturbed, teach
from benchmark.training.players import Player
from benchmark.training.randomness import generator
from benchmark.training.schedules import learning_rate

SHOWN = 8


def squared_distance(found: Tensor, points: Tensor) -> Tensor:
    """Mean over images and points of |found - points|², both (B, K, 2).

    Example: points that are off by (0.3, 0.4) cost 0.25.
    """
    return (found - points).square().sum(-1).mean()


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
    s, device = settings, torch.device(context.device)
    net.eval()
    steps = max(1, round(s.pairs / s.pairs_batch))
    real = _real(images, context, settings, device)

    def pairs(count: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        pictures, points = generated(net, count, draw)
        seen = disturbed(pictures, draw, colour=s.jitter, blur=s.blur, noise=s.pixel_noise)
        return seen, points

    def lesson(
        player: Player, step: int, seen: Tensor, points: Tensor
    ) -> dict[str, Tensor | float]:
        if real is not None:
            seen = torch.cat([seen, to_signed(real(step))])
        set_learning_rate(player.optimiser, learning_rate(step, steps, s.detector_rate))
        found = player(seen)[: len(points)]
        loss = player.step(squared_distance(found, points))
        spread = (points - points.mean(0)).square().sum(-1).mean()
        return {"loss": loss, "unexplained": loss / spread.clamp(min=1e-12)}

    def samples() -> Tensor:
        pictures, _ = generated(net, SHOWN, generator(context.seed, "shown", device=device))
        shown = torch.cat([pictures, some])
        found = marked(shown, detector.eval()(shown))
        detector.train()
        return found

    some = to_signed(shrunk(images.batch(slice(0, SHOWN)).to(device), s.size))
    teach(
        detector,
        pairs,
        lesson,
        context,
        stage="detector",
        steps=steps,
        batch=s.pairs_batch,
        rate=s.detector_rate,
        precision=s.precision,
        samples=samples,
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

"""Training: two generators and two discriminators, with what keeps the annotation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench_aist import loss
from bench_aist.networks import WAYS, Both, Way, discriminator, initialise
from bench_aist.outline import outlined, soft_alpha, step_alpha
from bench_aist.pool import Pool
from bench_aist.settings import AistSettings
from benchmark.contracts.images import Images, to_signed
from benchmark.contracts.method import FitContext
from benchmark.training.adversarial import least_squares
from benchmark.training.augment import mirrored
from benchmark.training.batches import Batches, Order, Pixels
from benchmark.training.device import make_fabric
from benchmark.training.loop import spaced, train
from benchmark.training.optimisers import set_learning_rate
from benchmark.training.players import Player
from benchmark.training.randomness import derived_seed, generator, seeded

SHOWN = 2
"""Images of each domain in the strip of samples."""


def steps_of(settings: AistSettings, images: Images) -> int:
    """How many steps a fit has: an epoch is as long as the larger domain."""
    larger = max(len(images), len(images.domains[settings.domain]))
    return settings.steps or max(1, round(settings.epochs * larger / settings.batch))


def translated(generators: Any, images: Tensor, way: Way, settings: AistSettings) -> Tensor:
    """What a way makes of images (B, 3, S, S) in [-1, 1]; with alpha "exact" in their own outline."""
    found: Tensor = generators(images, way)
    return outlined(found, step_alpha(images)) if settings.alpha == "exact" else found


def alpha_of(images: Tensor, settings: AistSettings) -> Tensor:
    """(B, 1, H, W): the alpha that the settings read from a translation."""
    if settings.alpha == "soft":
        return soft_alpha(images, settings.soft_level, settings.soft_width)
    return step_alpha(images)


class Training:
    """The players of a fit, the images that they learn from, and a step."""

    def __init__(
        self, generators: Both, images: Images, context: FitContext, settings: AistSettings
    ) -> None:
        s = self.settings = settings
        self.seed, self.steps = context.seed, steps_of(settings, images)
        fabric = make_fabric(context.device)
        self.device = fabric.device
        with seeded(context.seed, "discriminators"):
            judges = Both(*(discriminator(s.judge_width, s.judge_layers, s.last) for _ in range(2)))
            initialise(judges, s.initial_spread)
        self.makes, self.judges = (
            Player(fabric, n, torch.optim.Adam(n.parameters(), s.learning_rate, s.betas))
            for n in (generators, judges)
        )
        self.features = None
        if s.backbone is not None:
            seed = derived_seed(context.seed, "features")
            self.features = s.backbone.build(context.weights, seed, images.size).to(self.device)
            if s.feature_scale == "signed":
                self.features.scale = torch.nn.Identity()
        self.pools: dict[Way, Pool] = {"there": Pool(s.pool), "back": Pool(s.pool)}
        self.batches: dict[Way, Batches] = {}
        ways: tuple[tuple[Way, Images], ...] = (
            ("there", images),
            ("back", images.domains[s.domain]),
        )
        for way, each in ways:
            # each domain is drawn in an order of its own: they are not paired
            order = Order(len(each), s.batch, derived_seed(context.seed, way))
            self.batches[way] = Batches(Pixels(each, self.device, margin=False), order)

    @property
    def state(self) -> dict[str, Any]:
        """All that changes."""
        return {
            "makes": self.makes,
            "judges": self.judges,
            "pool_there": self.pools["there"],
            "pool_back": self.pools["back"],
        }

    def update(self, step: int) -> dict[str, Tensor | float]:
        """One step of the generators, then one of the discriminators."""
        s, draw = self.settings, generator(self.seed, "aist", step, device=self.device)
        left = (self.steps - step) / self.steps
        rate = s.learning_rate * min(1.0, left / s.cooling if s.cooling else 1.0)
        for player in (self.makes, self.judges):
            set_learning_rate(player.optimiser, rate)
        real: dict[Way, Tensor] = {}
        for way, batches in self.batches.items():
            real[way] = to_signed(batches(step))
            if s.mirror:
                real[way] = mirrored(real[way], draw)
        with self.judges.still():
            fake: dict[Way, Tensor] = {
                "there": translated(self.makes, real["there"], "there", s),
                "back": translated(self.makes, real["back"], "back", s),
            }
            terms = self.terms(real, fake)
            total = torch.stack(list(terms.values())).sum()
            self.makes.step(total)
        judged = self._judge(real, fake, step)
        return {"loss": total.detach(), **{n: t.detach() for n, t in terms.items()}, **judged}

    def terms(self, real: dict[Way, Tensor], fake: dict[Way, Tensor]) -> dict[str, Tensor]:
        """The weighted terms of the generators' loss, each () and of both ways together."""
        both = [self._terms_of(i, real, fake) for i in range(2)]
        return {name: torch.stack([terms[name] for terms in both]).sum() for name in both[0]}

    def _terms_of(
        self, number: int, real: dict[Way, Tensor], fake: dict[Way, Tensor]
    ) -> dict[str, Tensor]:
        """Those of way `number`; what has no weight either way is not worked out."""
        s, (way, other) = self.settings, WAYS[number]
        x, y = real[way], fake[way]
        found = {"game": least_squares(self.judges(y, way), 1.0)}
        if any(s.cycle_weight):
            again = translated(self.makes, y, other, s)
            found["cycle"] = s.cycle_weight[number] * loss.absolute(x, again)
        if any(s.cycle_weight) and s.identity_weight:
            # λ_A goes with the fitted images, which the way back is to leave as they are
            weight = s.cycle_weight[number] * s.identity_weight
            found["identity"] = weight * loss.absolute(x, translated(self.makes, x, other, s))
        if any(s.alpha_weight) and s.alpha != "exact":
            wanted = step_alpha(x)
            distance = loss.apart(wanted, alpha_of(y, s), s.distance)
            found["alpha"] = s.alpha_weight[number] * distance
        if self.features is not None:
            found["features"] = s.feature_weight[number] * self._feature_distance(x, y)
        return found

    def _feature_distance(self, x: Tensor, y: Tensor) -> Tensor:
        assert self.features is not None
        with torch.no_grad():
            (wanted,) = self.features(x)
        (found,) = self.features(y)
        return loss.apart(wanted, found, self.settings.distance)

    def _judge(
        self, real: dict[Way, Tensor], fake: dict[Way, Tensor], step: int
    ) -> dict[str, Tensor]:
        """Each discriminator learns what is of its domain and what was translated into it."""
        draw, losses = generator(self.seed, "pool", step), []
        for way, into in WAYS:
            shown = self.pools[way](fake[way], draw)
            scores, fakes = self.judges(real[into], way), self.judges(shown, way)
            losses.append(loss.judge_loss(scores, fakes, self.settings.judge_share))
        return {"judges": self.judges.step(torch.stack(losses).sum())}

    @torch.no_grad()
    def samples(self) -> Tensor:
        """The first images of each domain, each translated, and back again."""
        rows, shown = np.arange(min(SHOWN, self.settings.batch)), []
        for way, other in WAYS:
            x = to_signed(self.batches[way].pixels[rows])
            y = translated(self.makes, x, way, self.settings)
            shown += [x, y, translated(self.makes, y, other, self.settings)]
        return torch.cat(shown)


def fit(
    generators: Both,
    images: Images,
    context: FitContext,
    settings: AistSettings,
    save: Callable[[Path], None],
) -> None:
    """Train `generators` in place; milestones keep what `save` writes."""
    training = Training(generators, images, context, settings)
    stops = spaced(training.steps, 5)
    train(
        context,
        "aist",
        steps=training.steps,
        images_per_step=settings.batch,
        state=training.state,
        update=training.update,
        milestones=stops,
        save_milestone=save,
        samples=training.samples,
        samples_at=stops,
    )

"""Training: generator and discriminator in turn, each with its regulariser every few steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from bench_stylegan2.discriminator import Discriminator
from bench_stylegan2.generator import StyleGan2
from bench_stylegan2.pipe import bgc
from bench_stylegan2.semantic import Predictors, Teacher, teacher
from bench_stylegan2.settings import StyleGan2Settings
from benchmark.contracts.images import Images, to_signed
from benchmark.contracts.method import FitContext
from benchmark.training import adversarial as game
from benchmark.training.adaptive import Adaptive, augmented
from benchmark.training.augment import mirrored
from benchmark.training.batches import Batches, Order
from benchmark.training.device import make_fabric
from benchmark.training.loop import spaced, train
from benchmark.training.optimisers import lazy_adam
from benchmark.training.players import Average, Numbers, Player
from benchmark.training.randomness import derived_seed, generator, seeded
from benchmark.training.together import mean

LIMIT = 1e5
"""Of gradients; what is not a number counts as none."""
SHOWN = 8


class Maker(nn.Module):
    """What learns to make images: the generator, and what predicts a teacher's maps from its own."""

    def __init__(self, net: StyleGan2, predictors: Predictors | None) -> None:
        super().__init__()
        self.net, self.predictors = net, predictors


class Training:
    """The two players of a fit, and each kind of step that they make."""

    def __init__(
        self, net: StyleGan2, images: Images, context: FitContext, settings: StyleGan2Settings
    ) -> None:
        assert settings.batch is not None
        assert settings.gamma is not None
        self.settings, self.seed, self.rank = settings, context.seed, context.rank
        self.batch, self.gamma = settings.batch, settings.gamma
        self.fabric = make_fabric(context.device)
        self.low = torch.float16 if self.fabric.device.type == "cuda" else torch.float32
        self.net, self.teacher = net, self._teacher(context)
        with seeded(context.seed, "discriminator"):
            judge = Discriminator(
                images.size, settings.base, settings.most, settings.spread_group, settings.half
            )
        with seeded(context.seed, "predictors"):
            predictors = Predictors(settings, self.teacher.widths()) if self.teacher else None
        maker = Maker(net, predictors)
        lazy = settings.path_every if settings.path_weight else 0
        self.makes = Player(self.fabric, maker, self._adam(maker, lazy))
        self.judges = Player(self.fabric, judge, self._adam(judge, settings.r1_every))
        self.average = Average(net, settings.average, settings.ramp)
        self.adaptive = Adaptive(settings.target, settings.adapt)
        if settings.probability is not None:
            self.adaptive.p.fill_(settings.probability)
        self.path = Numbers(length=0.0)
        self.balance = game.Balance()
        order = Order(
            len(images), self.batch, context.seed, rank=context.rank, share=context.devices
        )
        self.batches = Batches(images, order, self.fabric.device, margin=False)

    @property
    def averaged(self) -> StyleGan2:
        """The slow copy of the generator, which is what a fit leaves."""
        found = self.average.network
        assert isinstance(found, StyleGan2)
        return found

    @property
    def state(self) -> dict[str, nn.Module]:
        """All that changes."""
        return {
            "makes": self.makes,
            "judges": self.judges,
            "average": self.average,
            "adaptive": self.adaptive,
            "path": self.path,
            "balance": self.balance,
        }

    def _teacher(self, context: FitContext) -> Teacher | None:
        if self.settings.teacher == "none":
            return None
        seed = derived_seed(context.seed, "teacher")
        return teacher(self.settings, context.weights, seed).to(self.fabric.device)

    def _adam(self, network: nn.Module, every: int) -> torch.optim.Adam:
        rate = self.settings.learning_rate
        how = lazy_adam(every, rate) if every else {"lr": rate, "betas": (0.0, 0.99)}
        return torch.optim.Adam(network.parameters(), **how, eps=1e-8)

    def update(self, step: int) -> dict[str, Tensor | float]:
        """One step of each player, and of its regulariser where it is due."""
        s, seen = self.settings, step * self.batch
        draw = generator(self.seed, "stylegan2", step, self.rank, device=self.fabric.device)
        real = to_signed(self.batches(step))
        if s.mirror:
            real = mirrored(real, draw)
        values = self._make(len(real), seen, draw)
        if s.path_weight and step % s.path_every == 0:
            values |= self._straighten(max(1, len(real) // s.path_shrink), draw)
        values |= self._judge(real, draw)
        if self.gamma and step % s.r1_every == 0:
            values |= self._flatten(real, draw)
        self.average.follow(self.net, seen, self.batch)
        return values

    def _make(self, count: int, seen: int, draw: torch.Generator) -> dict[str, Tensor | float]:
        """The generator's step, towards images that the discriminator takes for real."""
        regular = self.teacher is not None and seen >= self.settings.hsr_from
        keep = self.settings.hsr if regular else ()
        values: dict[str, Tensor | float] = {}
        with self.judges.still():
            images, kept = self._images(self._w(count, draw), keep)
            loss = game.generator_loss(self._seen(images, draw))
            if regular:
                assert self.teacher is not None
                ordered = {side: kept[side] for side in keep}
                hsr = self.makes.network.predictors(ordered, self.teacher(images.detach()))
                values["hsr"] = hsr.detach()
                total = loss + self.settings.hsr_weight * hsr
            else:
                total = loss
            self.makes.step(total, limit=LIMIT)
        return {"loss": loss.detach(), **values}

    def _straighten(self, count: int, draw: torch.Generator) -> dict[str, Tensor | float]:
        """Path length: a step in w moves images as far wherever it starts."""
        w = self._w(count, draw)
        images, _ = self._images(w)
        lengths = game.path_lengths(images, w, draw)
        self.path.follow(self.settings.path_decay, length=lengths)
        penalty = (lengths - self.path.length.to(lengths)).square().mean()
        self.makes.step(self.settings.path_every * self.settings.path_weight * penalty, limit=LIMIT)
        return {"path_penalty": penalty.detach(), "path_length": self.path.length.clone()}

    def _judge(self, real: Tensor, draw: torch.Generator) -> dict[str, Tensor | float]:
        """The discriminator's step."""
        with torch.no_grad():
            fake, _ = self._images(self._w(len(real), draw))
        # in one pass, which is faster; batches don't mix
        both = torch.cat([self._shown(fake, draw), self._shown(real, draw)])
        fakes, scores = self.judges(both, self.low, 2).chunk(2)
        loss = self.judges.step(game.discriminator_loss(scores, fakes), limit=LIMIT)
        if self.settings.augment != "none" and self.settings.probability is None:
            self.adaptive.observe(scores, self.batch)
        self.balance.add(loss, scores, fake)
        sign = scores.detach().sign().mean()
        return {"discriminator": loss, "sign": sign, "p": self.adaptive.p.clone()}

    def _flatten(self, real: Tensor, draw: torch.Generator) -> dict[str, Tensor | float]:
        """R1: scores of real images change little with the images, as they are before augmentation."""
        real = real.detach().requires_grad_()
        r1 = game.squared_gradients(self._seen(real, draw), real).mean()
        self.judges.step(self.settings.r1_every * self.gamma / 2 * r1, limit=LIMIT)
        return {"r1": r1.detach()}

    def _w(self, count: int, draw: torch.Generator) -> Tensor:
        """(count, layers, w_dim), of which all from a random layer on may be those of another z."""
        device, layers = self.fabric.device, self.net.layers

        def mapped() -> Tensor:
            z = torch.randn(count, self.net.z_dim, generator=draw, device=device)
            found: Tensor = self.net.mapping(z)
            return found

        w = mapped()
        self.net.mapping.follow(mean(w.detach().mean(0)))
        every = self.net.every(w)
        if self.settings.mixing:
            mixed, cut = torch.rand(2, generator=draw, device=device).tolist()
            if mixed < self.settings.mixing:
                first = 1 + int(cut * (layers - 1))
                other = mapped()[:, None].expand(-1, layers - first, -1)
                every = torch.cat([every[:, :first], other], 1)
        return every

    def _images(self, w: Tensor, keep: tuple[int, ...] = ()) -> tuple[Tensor, dict[int, Tensor]]:
        noise = self.net.synthesis.drawn(len(w), None, w)
        images, kept = self.net.synthesis(w, noise, keep, self.low)
        return images, kept

    def _shown(self, images: Tensor, draw: torch.Generator) -> Tensor:
        """Images as the discriminator is shown them."""
        if self.settings.augment == "bgc":
            return bgc(images, self.adaptive.p, draw)
        if self.settings.augment == "translation-colour":
            return augmented(images, self.adaptive.p, draw, ("shift", "colour"))
        return images

    def _seen(self, images: Tensor, draw: torch.Generator) -> Tensor:
        """Scores of images as the discriminator is shown them."""
        scores: Tensor = self.judges(self._shown(images, draw), self.low)
        return scores

    @torch.no_grad()
    def samples(self) -> Tensor:
        """What the averaged generator makes of the same few z, with the noise that belongs to it."""
        net = self.averaged
        draw = generator(self.seed, "shown")
        z = torch.randn(SHOWN, net.z_dim, generator=draw).to(self.fabric.device)
        images, _ = net.synthesis(net.every(net.mapping(z)), net.synthesis.constant())
        return images


def fit(
    net: StyleGan2,
    images: Images,
    context: FitContext,
    settings: StyleGan2Settings,
    save: Callable[[StyleGan2, Path], None],
) -> StyleGan2:
    """Train `net`; returns its average. Milestones keep what `save` writes of that."""
    training = Training(net, images, context, settings)
    steps = max(1, round(settings.images / training.batch))
    train(
        context,
        "stylegan2",
        steps=steps,
        images_per_step=training.batch,
        state=training.state,
        update=training.update,
        milestones=spaced(steps, 6),
        save_milestone=lambda folder: save(training.averaged, folder),
        samples=training.samples,
        samples_at=spaced(steps, 6),
    )
    return training.averaged

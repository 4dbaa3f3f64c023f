"""First stage: generator and discriminator in turn, with the losses of masks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bench_ganseg.discriminator import Discriminator
from bench_ganseg.generator import Codes, GanSeg, Made, places
from bench_ganseg.loss import area, concentration
from bench_ganseg.pictures import tinted
from bench_ganseg.points import positions
from bench_ganseg.settings import GanSegSettings
from benchmark.contracts.images import Images, to_signed
from benchmark.contracts.method import FitContext
from benchmark.training import adversarial as game
from benchmark.training.augment import CropSettings, mirrored, random_crop, windows
from benchmark.training.batches import Batches, Order, Pixels
from benchmark.training.device import make_fabric
from benchmark.training.loop import spaced, train
from benchmark.training.players import Average, Player
from benchmark.training.randomness import generator, seeded

SHOWN = 8


class Training:
    """The two players of a fit, and each one's step."""

    def __init__(
        self, net: GanSeg, images: Images, context: FitContext, settings: GanSegSettings
    ) -> None:
        s = self.settings = settings
        self.seed, self.rank = context.seed, context.rank
        self.fabric = make_fabric(context.device, s.precision)
        with seeded(context.seed, "discriminator"):
            judge = Discriminator(s)
        self.makes = Player(self.fabric, net.train(), _adam(net, s.learning_rate, s))
        self.judges = Player(self.fabric, judge, _adam(judge, s.judge_rate, s))
        self.average = Average(net, s.average, s.ramp) if s.average else None
        self.balance = game.Balance()
        order = Order(len(images), s.batch, context.seed, rank=context.rank, share=context.devices)
        self.batches = Batches(
            Pixels(images, self.fabric.device, margin=s.shift, size=s.side), order
        )
        self.where = positions(s.side, 0, s.grid, self.fabric.device)

    @property
    def state(self) -> dict[str, nn.Module]:
        """All that changes."""
        found = {"makes": self.makes, "judges": self.judges, "balance": self.balance}
        return found if self.average is None else {**found, "average": self.average}

    @property
    def kept(self) -> GanSeg:
        """The generator that a fit leaves: the average where there is one."""
        found = self.makes.network if self.average is None else self.average.network
        assert isinstance(found, GanSeg)
        return found

    def update(self, step: int) -> dict[str, Tensor | float]:
        """One step of the discriminator, and one of the generator with fresh numbers."""
        s = self.settings
        draw = generator(self.seed, "ganseg", step, self.rank, device=self.fabric.device)
        real = self._real(step, draw)
        values = self._judge(real, step, draw) | self._make(len(real), step, draw)
        if self.average is not None:
            network = self.makes.network
            self.average.follow(network, step * s.batch, s.batch)
        return values

    def _real(self, step: int, draw: torch.Generator) -> Tensor:
        """Real images (B, 3, S, S) in [-1, 1], as the discriminator is shown them."""
        s, pixels = self.settings, self.batches(step)
        if s.crop_area < 1:
            how = CropSettings(
                s.side,
                (s.crop_area, 1.0),
                s.crop_aspect,
                flip=0.0,
                colour=0.0,
                grayscale=0.0,
                blur=0.0,
            )
            real = random_crop(pixels, how, draw)
        else:
            real = windows(pixels, s.side, draw) if s.shift else to_signed(pixels)
        return mirrored(real, draw) if s.mirror else real

    def _made(self, count: int, draw: torch.Generator) -> tuple[Codes, Made]:
        z = torch.randn(count, self.settings.z, generator=draw, device=self.fabric.device)
        codes, made = self.makes(z)
        return codes, made

    def _judge(self, real: Tensor, step: int, draw: torch.Generator) -> dict[str, Tensor | float]:
        """The discriminator's step; the generator's running statistics move with it, as released."""
        s, values = self.settings, {}
        with torch.no_grad():
            fake = self._made(len(real), draw)[1].images
        due = bool(s.penalty_weight) and step % s.penalty_every == 0
        scores = self.judges(real)
        loss = total = game.discriminator_loss(scores, self.judges(fake))
        if due:
            # in full precision: a gradient of a gradient is small
            seen = real.detach().requires_grad_()
            penalty = game.gradient_penalty(
                self.judges.network(seen), seen, 1.0 if s.penalty == "one" else 0.0
            )
            values["penalty"] = penalty.detach()
            total = loss + s.penalty_weight * penalty
        self.judges.step(total)
        self.balance.add(loss, scores, fake)
        sign = scores.detach().sign().mean()
        return {"discriminator": loss.detach(), "sign": sign, **values}

    def _make(self, count: int, step: int, draw: torch.Generator) -> dict[str, Tensor | float]:
        """The generator's step, towards images taken for real and masks that hold together."""
        s = self.settings
        with self.judges.still():
            codes, made = self._made(count, draw)
            loss = game.generator_loss(self.judges(made.images))
            total, values = loss, {}
            if step % s.regularise_every == 0:
                values = self._of_masks(codes, made.masks[:, 1:].float())
                total = loss + s.concentration * values["concentration"]
                if "area" in values:
                    total = total + s.area * values["area"]
            self.makes.step(total)
        found = {name: value.detach() for name, value in values.items()}
        return {"loss": loss.detach(), "background": made.masks[:, 0].detach().mean(), **found}

    def _of_masks(self, codes: Codes, masks: Tensor) -> dict[str, Tensor]:
        """The losses of masks; without points they have their own centres, and no area is wanted."""
        s = self.settings
        if not s.use_points:
            middle = torch.einsum("bkhw,hwc->bkc", masks, self.where)
            middle = middle / (masks.sum((2, 3)) + 1e-6)[..., None]
            return {"concentration": concentration(masks, middle, self.where, s.concentration_over)}
        middle, spread = places(codes, s)
        return {
            "concentration": concentration(masks, middle, self.where, s.concentration_over),
            "area": area(masks, middle, spread, s.area_of, s.heat, s.grid),
        }

    @torch.no_grad()
    def samples(self) -> Tensor:
        """Images of the same few z, and below them their parts."""
        net = self.kept
        learning = net.training
        z = torch.randn(SHOWN, self.settings.z, generator=generator(self.seed, "shown"))
        _, made = net.eval()(z.to(self.fabric.device))
        net.train(learning)
        images = made.images.clamp(-1, 1)
        return torch.cat([images, tinted(images, made.masks)])


def _adam(network: nn.Module, rate: float, settings: GanSegSettings) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), rate, betas=settings.betas)


def fit(net: GanSeg, images: Images, context: FitContext, settings: GanSegSettings) -> GanSeg:
    """Train `net`; returns what is kept of it, in evaluation mode."""
    training = Training(net, images, context, settings)
    train(
        context,
        "generator",
        steps=settings.steps,
        images_per_step=settings.batch,
        state=training.state,
        update=training.update,
        samples=training.samples,
        samples_at=spaced(settings.steps, 6),
    )
    return training.kept.eval()

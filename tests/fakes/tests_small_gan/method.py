"""Two networks against each other, then a student of the one that is kept."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn, optim

from benchmark.contracts import FitContext, Images, MethodInfo, MethodSettings, to_signed
from benchmark.contracts import Generator as Generated
from benchmark.training import adversarial as game
from benchmark.training.adaptive import Adaptive, augmented
from benchmark.training.batches import Batches, Order
from benchmark.training.device import make_fabric
from benchmark.training.loop import spaced, train
from benchmark.training.network_method import NetworkMethod
from benchmark.training.optimisers import lazy_adam, make_optimiser
from benchmark.training.players import Average, Numbers, Player
from benchmark.training.randomness import generator, seeded
from tests_small_gan.networks import WIDTH, Critic, Generator


class SmallGan(NetworkMethod[nn.ModuleDict]):
    gives = ("generator",)

    class Settings(MethodSettings):
        steps: int = 400
        student_steps: int = 100
        batch: int = 8
        rate: float = 0.0025
        gamma: float = 0.05

    @classmethod
    def info(cls, settings: Any) -> MethodInfo:
        return MethodInfo(gives=cls.gives, input_size=16, data_parallel=True)

    def build(self, size: int) -> nn.ModuleDict:
        networks = {"generator": Generator(size), "student": Critic(size, WIDTH, deviates=False)}
        return nn.ModuleDict(networks)

    def learn(self, network: nn.ModuleDict, images: Images, context: FitContext) -> nn.ModuleDict:
        s, fabric = self.settings, make_fabric(context.device)
        with seeded(context.seed, "critic"):
            critic = Critic(images.size)
        generates, share = network["generator"], s.batch // fabric.world_size
        pace = optim.Adam(generates.parameters(), **lazy_adam(4, s.rate))
        makes = Player(fabric, generates, pace)
        judges = Player(fabric, critic, optim.Adam(critic.parameters(), **lazy_adam(16, s.rate)))
        average = Average(generates, half_life=1000, ramp=0.5)
        numbers, ada, balance = Numbers(path=0.0), Adaptive(images=1000), game.Balance()
        order = Order(len(images), s.batch, context.seed, rank=context.rank, share=context.devices)
        batches = Batches(images, order, fabric.device, margin=False)

        def drawn(stage: str, step: int) -> tuple[torch.Generator, Tensor]:
            draw = generator(context.seed, stage, step, context.rank, device=fabric.device)
            return draw, torch.randn(3 * share, WIDTH, generator=draw, device=fabric.device)

        def update(step: int) -> dict[str, Tensor | float]:
            draw, z = drawn("gan", step)
            real, values = to_signed(batches(step)), {}
            with judges.still():
                fake = augmented(makes(z[:share]), ada.p, draw)
                values["loss"] = makes.step(game.generator_loss(judges(fake)))
            if step % 4 == 0:
                w = generates.mapping(z[share : share + share // 2])
                lengths = game.path_lengths(generates.synthesis(w), w, draw)
                numbers.follow(0.01, path=lengths)
                makes.step(2 * 4 * (lengths - numbers.path).square().mean())
                values["path"] = numbers.path.clone()
            with torch.no_grad():
                fake = makes(z[-share:])
            scores = judges(augmented(real, ada.p, draw))
            loss = game.discriminator_loss(scores, judges(augmented(fake, ada.p, draw)))
            values["critic"] = judges.step(loss)
            if step % 16 == 0:
                real.requires_grad_()
                r1 = game.squared_gradients(judges(augmented(real, ada.p, draw)), real).mean()
                values["r1"] = judges.step(16 * s.gamma / 2 * r1) / (16 * s.gamma / 2)
            ada.observe(scores, s.batch)
            balance.add(values["critic"], scores, fake)
            average.follow(generates, step * s.batch, s.batch)
            return values | {"p": ada.p.clone()}

        shown = drawn("samples", 0)[1][:8]
        state = {"makes": makes, "judges": judges, "average": average}
        state |= {"numbers": numbers, "ada": ada, "balance": balance}
        train(context, "gan", steps=s.steps, images_per_step=s.batch, state=state, update=update,
              samples=lambda: average(shown), samples_at=spaced(s.steps, 3), log_every=1)  # fmt: skip

        generates.load_state_dict(average.network.state_dict())
        student = network["student"]
        learns = Player(fabric, student, make_optimiser("adam", [student], s.rate))

        def update_student(step: int) -> dict[str, Tensor | float]:
            with torch.no_grad():
                w = average.network.mapping(drawn("student", step)[1])
                fake = average.network.synthesis(w)
            return {"loss": learns.step((learns(fake) - w[:, 0]).square().mean())}

        train(context, "student", steps=s.student_steps, images_per_step=3 * s.batch,
              state={"learns": learns}, update=update_student, log_every=1)  # fmt: skip
        return network

    def generator(self) -> Generated:
        made = self.network["generator"]
        synthesis = lambda w, noise: made.synthesis(w)  # noqa: E731
        return Generated(WIDTH, made.layers, self._size, made.mapping, synthesis)

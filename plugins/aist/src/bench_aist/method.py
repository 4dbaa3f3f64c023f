"""Annotation-invariant style transfer as a method: each image in the look of another domain."""

from __future__ import annotations

from functools import partial

from torch import Tensor

from bench_aist import training
from bench_aist.networks import Both, Skip, generator, initialise
from bench_aist.settings import AistSettings
from benchmark.contracts.errors import Incompatible
from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext, MethodInfo
from benchmark.contracts.predictions import Translation
from benchmark.training.network_method import NetworkMethod


class Aist(NetworkMethod[Both]):
    """Translations, whose alpha is read from their pixels, or is the input's."""

    Settings = AistSettings
    gives = ("translation",)

    @classmethod
    def info(cls, settings: AistSettings) -> MethodInfo:
        network = settings.backbone
        looks = (
            f"the loss looks through {settings.features}"
            if network
            else "pixels alone are compared"
        )
        return MethodInfo(
            gives=cls.gives,
            pretrained=network.weights() if network else (),
            milestones=True,
            domains=(settings.domain,),
            notes=f"{looks}; outlines are {settings.alpha}",
        )

    def build(self, size: int) -> Both:
        if size % 4 or size < 8:
            raise Incompatible(
                f"images of {size} pixels: generators halve them twice, so a multiple of 4 is needed",
                cure="choose a protocol whose images have such a side (`bench ls protocols`)",
            )
        s = self.settings
        if size >> s.judge_layers < 3:
            raise Incompatible(
                f"images of {size} pixels are too small for discriminators that halve them "
                f"{s.judge_layers} times",
                cure="lower judge_layers",
            )
        ways = [generator(s.width, s.blocks, s.slope, s.last) for _ in range(2)]
        generators = Both(*(map(Skip, ways) if s.skip else ways))
        initialise(generators, s.initial_spread)
        return generators

    def learn(self, generators: Both, images: Images, context: FitContext) -> Both:
        training.fit(generators, images, context, self.settings, partial(self.write, generators))
        return generators

    def predict(self, images: Tensor) -> Translation:
        found = training.translated(self.network, images, "there", self.settings)
        return Translation(found, training.alpha_of(found, self.settings))

    def pictures(self, images: Tensor) -> dict[str, Tensor]:
        """Each image translated, and back again."""
        found = training.translated(self.network, images, "there", self.settings)
        return {
            "translated": found,
            "back again": training.translated(self.network, found, "back", self.settings),
        }

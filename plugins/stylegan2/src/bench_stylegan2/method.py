"""StyleGAN2 as a method: a generator that is trained here, or one whose weights come from elsewhere."""

from __future__ import annotations

from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from bench_stylegan2 import training
from bench_stylegan2.generator import StyleGan2
from bench_stylegan2.settings import FileSettings, NetworkSettings, StyleGan2Settings
from benchmark.contracts.errors import Incompatible
from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext, MethodInfo
from benchmark.contracts.predictions import Generator
from benchmark.contracts.weights import Weights
from benchmark.training.network_method import NetworkMethod
from benchmark.training.randomness import generator

SIZES = tuple(2**i for i in range(3, 11))
"""Sides of images, in pixels."""


def network(size: int, settings: NetworkSettings, half: int = 0) -> StyleGan2:
    """The untrained generator of images of `size` × `size`; `Incompatible` where no power of two is."""
    if size not in SIZES:
        raise Incompatible(
            f"StyleGAN2 makes images of {', '.join(map(str, SIZES))} pixels a side, not of {size}",
            cure="choose a protocol whose images have such a side (`bench ls protocols`)",
        )
    s = settings
    return StyleGan2(size, s.z, s.w, s.mapping, s.base, s.most, half, s.noise)


def as_generator(net: StyleGan2, truncation: float) -> Generator:
    """The contract's view of a network; noise is one map a layer, drawn from its seed."""

    def mapping(z: Tensor) -> Tensor:
        w = net.mapping(z)
        if truncation != 1.0:
            w = net.mapping.w_avg.lerp(w, truncation)
        return net.every(w)

    def synthesis(w: Tensor, noise_seed: int) -> Tensor:
        draw = generator(noise_seed, "noise")
        images: Tensor = net.synthesis(w, net.synthesis.drawn(1, draw, w))[0]
        return images

    return Generator(net.z_dim, net.layers, net.size, mapping, synthesis)


class StyleGan2Method(NetworkMethod[StyleGan2]):
    """StyleGAN2-ADA, and HSR with a teacher."""

    Settings = StyleGan2Settings
    gives = ("generator",)

    @classmethod
    def info(cls, settings: StyleGan2Settings) -> MethodInfo:
        teacher = settings.backbone
        return MethodInfo(
            gives=cls.gives,
            input_size=settings.size,
            sizes=SIZES,
            pretrained=teacher.weights() if teacher else (),
            milestones=True,
            data_parallel=True,
        )

    def build(self, size: int) -> StyleGan2:
        return network(size, self.settings, self.settings.half)

    def learn(self, net: StyleGan2, images: Images, context: FitContext) -> StyleGan2:
        settings = self.settings.at(images.size)
        return training.fit(net, images, context, settings, self.write)

    def generator(self) -> Generator:
        return as_generator(self.network, self.settings.truncation)


class StyleGan2File(NetworkMethod[StyleGan2]):
    """A generator from a file of weights under the release's names, without training."""

    Settings = FileSettings
    gives = ("generator",)

    @classmethod
    def info(cls, settings: FileSettings) -> MethodInfo:
        weights = Weights(settings.file, "made by convert.py of this plugin", settings.sha256)
        return MethodInfo(gives=cls.gives, input_size=settings.size, pretrained=(weights,))

    def build(self, size: int) -> StyleGan2:
        return network(self.settings.size, self.settings)

    def learn(self, net: StyleGan2, images: Images, context: FitContext) -> StyleGan2:
        try:
            found: dict[str, Any] = load_file(context.weights(self.settings.file))
        except SafetensorError as error:
            raise Incompatible(
                f"{self.settings.file} is no file of safetensors: {error}",
                cure="make it with plugins/stylegan2/convert.py",
            ) from None
        wanted, given = net.state_dict(), dict(found)
        wrong = [k for k in wanted if k not in given or given[k].shape != wanted[k].shape]
        if wrong or set(given) - set(wanted):
            more = sorted(set(given) - set(wanted))
            raise Incompatible(
                f"{self.settings.file} is no generator of these settings: "
                f"missing or of another shape {wrong[:3]}, unknown {more[:3]}",
                cure="give size, z, w, mapping, base and most as the network was built",
            )
        net.load_state_dict({k: v.to(torch.float32) for k, v in given.items()})
        return net

    def generator(self) -> Generator:
        return as_generator(self.network, self.settings.truncation)

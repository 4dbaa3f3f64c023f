"""LatentKeypointGAN as a method: a generator, and a detector of its points in real images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bench_latentkeypointgan import pairs, training
from bench_latentkeypointgan.detector import Detector
from bench_latentkeypointgan.generator import LatentKeypointGenerator
from bench_latentkeypointgan.maps import to_pixels
from bench_latentkeypointgan.pictures import edits, marked
from bench_latentkeypointgan.settings import LatentKeypointGanSettings
from benchmark.contracts.errors import Incompatible
from benchmark.contracts.images import Images, to_bytes, to_signed
from benchmark.contracts.method import FitContext, MethodInfo
from benchmark.contracts.predictions import Generator, Landmarks
from benchmark.training.batches import resized, shrunk
from benchmark.training.network_method import NetworkMethod
from benchmark.training.randomness import generator


class Networks(nn.Module):
    """What a fit leaves: the averaged generator and the detector."""

    def __init__(self, settings: LatentKeypointGanSettings) -> None:
        super().__init__()
        self.makes = LatentKeypointGenerator(settings)
        self.finds = Detector(settings)


def as_generator(net: LatentKeypointGenerator, size: int) -> Generator:
    """The contract's view: w is [points | embeddings | background], one layer of it; there is no noise.

    On a straight line in w points and looks move evenly. Images are brought to `size` pixels a side.
    """

    def mapping(z: Tensor) -> Tensor:
        return net.scene(z).packed()[:, None]

    def synthesis(w: Tensor, noise_seed: int) -> Tensor:
        return resized(net(net.unpacked(w[:, 0])).clamp(-1, 1), size)

    return Generator(net.z_dim, 1, size, mapping, synthesis)


class LatentKeypointGan(NetworkMethod[Networks]):
    """Points that a generator draws with, found in real images by a detector trained on what it drew."""

    Settings = LatentKeypointGanSettings
    gives = ("landmarks", "generator")

    @classmethod
    def info(cls, settings: LatentKeypointGanSettings) -> MethodInfo:
        return MethodInfo(
            gives=cls.gives,
            points=settings.landmarks,
            data_parallel=True,
            notes=f"generator and detector see images of {settings.size} px",
        )

    def build(self, size: int) -> Networks:
        if 0 < size < self.settings.size:
            raise Incompatible(
                f"images of {size} px are smaller than the generator's {self.settings.size}",
                cure=f"--set size={1 << (size.bit_length() - 1)}",
            )
        return Networks(self.settings)

    def learn(self, network: Networks, images: Images, context: FitContext) -> Networks:
        network.makes = training.fit(network.makes, images, context, self.settings)
        network.finds = pairs.fit(network.finds, network.makes, images, context, self.settings)
        return network

    def predict(self, images: Tensor) -> Landmarks:
        return Landmarks(to_pixels(self._found(images), images.shape[-1]))

    def _found(self, images: Tensor) -> Tensor:
        """Points in [-1, 1], found in images that are shrunk as those trained on were."""
        seen = to_signed(shrunk(to_bytes(images), self.settings.size))
        points: Tensor = self.network.finds(seen.contiguous(memory_format=torch.channels_last))
        return points

    def generator(self) -> Generator:
        return as_generator(self.network.makes, self._size)

    def pictures(self, images: Tensor) -> dict[str, Tensor]:
        """The points that are found, and edits of as many generated images."""
        draw = generator(0, "pictures")
        z = torch.randn(len(images), self.network.makes.z_dim, generator=draw).to(images.device)
        return {
            "points found": marked(images, self._found(images)),
            **edits(self.network.makes, z),
        }

"""GANSeg as a method: parts by the student, images by the generator that taught it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bench_ganseg import teaching, training
from bench_ganseg.generator import Codes, GanSeg
from bench_ganseg.pictures import edited, tinted
from bench_ganseg.settings import GanSegSettings
from bench_ganseg.student import DeepLab, make_student
from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext, MethodInfo
from benchmark.contracts.predictions import Generator, Parts
from benchmark.contracts.weights import Weights
from benchmark.training.batches import resized
from benchmark.training.network_method import NetworkMethod
from benchmark.training.randomness import generator


class Networks(nn.Module):
    """What a fit leaves."""

    def __init__(self, settings: GanSegSettings) -> None:
        super().__init__()
        self.generator = GanSeg(settings)
        self.student = make_student(settings)


class GanSegMethod(NetworkMethod[Networks]):
    """K parts in each image."""

    Settings = GanSegSettings
    gives = ("parts", "generator")

    @classmethod
    def info(cls, settings: GanSegSettings) -> MethodInfo:
        s = settings
        backbone: tuple[Weights, ...] = ()
        if s.backbone_file:
            source = "torchvision's resnet50, trained with ImageNet's labels"
            backbone = (Weights(s.backbone_file, source, s.backbone_sha256, "BSD-3-Clause"),)
        start = f"starts from {s.backbone_file}" if s.backbone_file else "learns from scratch"
        return MethodInfo(
            gives=cls.gives,
            points=s.parts,
            pretrained=backbone,
            data_parallel=True,
            notes=f"images and parts of {s.side} pixels a side; the student ({s.student}) {start}",
        )

    def build(self, size: int) -> Networks:
        return Networks(self.settings)

    def learn(self, network: Networks, images: Images, context: FitContext) -> Networks:
        s, student = self.settings, network.student
        network.generator = training.fit(network.generator, images, context, s)
        if s.backbone_file and isinstance(student, DeepLab):
            student.start_from(context.weights(s.backbone_file))
        teaching.fit(student, network.generator, context, s)
        return network

    def predict(self, images: Tensor) -> Parts:
        return Parts(resized(self._parts(images), images.shape[-1]).clamp(0, 1))

    def generator(self) -> Generator:
        """Images of the networks' side, brought to that of the images fitted on."""
        net, size = self.network.generator, self._size
        s = self.settings

        def mapping(z: Tensor) -> Tensor:
            return net.codes(z).packed()

        def synthesis(w: Tensor, noise_seed: int) -> Tensor:
            images = net.made(Codes.unpacked(w, s)).images
            return resized(images.clamp(-1, 1), size)

        return Generator(s.z, 2 * s.parts + 2, size, mapping, synthesis)

    def pictures(self, images: Tensor) -> dict[str, Tensor]:
        """The student's parts of images; generated ones, and what a change of one thing does."""
        z = torch.randn(len(images), self.settings.z, generator=generator(0, "pictures"))
        seen = resized(images, self.settings.side)
        found = edited(self.network.generator, z.to(images.device))
        return {"parts by the student": tinted(seen, self._parts(images)), **found}

    def _parts(self, images: Tensor) -> Tensor:
        """(B, K + 1, side, side): the student's probabilities."""
        logits: Tensor = self.network.student(resized(images, self.settings.side))
        return logits.float().softmax(1)

"""SCOPS as a method: the segmenter's probabilities are the parts."""

from __future__ import annotations

from functools import partial

from torch import Tensor

from bench_scops import training
from bench_scops.networks import DeepLab, Segmenter, enlarged
from bench_scops.settings import ScopsSettings
from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext, MethodInfo
from benchmark.contracts.predictions import Parts
from benchmark.training.batches import resized
from benchmark.training.network_method import NetworkMethod

SALIENCY = {
    "silhouettes": "told where the object is (silhouettes)",
    "factors": "saliency from two factors of those maps",
    "none": "without saliency",
}
BACKGROUND = 0.1


def released_masks(probabilities: Tensor) -> Tensor:
    """Each part of (B, K + 1, H, W) over its own maximum, the background 0.1; brought to sum 1.

    Which is largest at each pixel is what the released evaluation takes.
    """
    most = probabilities.amax((-2, -1), keepdim=True).clamp(min=1e-8)
    claims = probabilities / most
    claims[:, 0] = BACKGROUND
    return claims / claims.sum(1, keepdim=True)


class Scops(NetworkMethod[Segmenter]):
    """K parts in each image."""

    Settings = ScopsSettings
    gives = ("parts",)
    settings: ScopsSettings

    @classmethod
    def info(cls, settings: ScopsSettings) -> MethodInfo:
        s = settings
        looks = s.backbone if s.trained else f"an untrained {s.backbone}"
        return MethodInfo(
            gives=cls.gives,
            points=s.parts,
            pretrained=(*s.network.weights(), *s.initial),
            milestones=True,
            notes=f"parts explain the maps of {looks}; {SALIENCY[s.saliency]}",
        )

    def build(self, size: int) -> Segmenter:
        return Segmenter(self.settings)

    def initialise(self, images: Images, context: FitContext) -> None:
        super().initialise(images, context)
        self._start(self.network, context)

    def learn(self, network: Segmenter, images: Images, context: FitContext) -> Segmenter:
        self._start(network, context)
        training.fit(network, images, context, self.settings, partial(self.write, network))
        return network

    def _start(self, network: Segmenter, context: FitContext) -> None:
        if self.settings.initial_file and isinstance(network.net, DeepLab):
            network.net.start_from(context.weights(self.settings.initial_file))

    def predict(self, images: Tensor) -> Parts:
        logits = self.network(resized(images, self.settings.size))
        found = enlarged(logits, images.shape[-1]).softmax(1)
        return Parts(released_masks(found) if self.settings.masks == "scops" else found)

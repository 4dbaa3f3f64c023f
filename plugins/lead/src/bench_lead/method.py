"""LEAD as a method: stage 1 shared by all variants of a seed, then one reduction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_lead import byol, distil, reductions
from bench_lead.networks import Encoder, Student, encoder, hypercolumn
from bench_lead.settings import LeadSettings
from benchmark.contracts.images import Images, to_signed
from benchmark.contracts.method import FitContext, Method, MethodInfo
from benchmark.contracts.predictions import Descriptors
from benchmark.training.randomness import generator, seeded
from benchmark.training.weights import load_weights, needed, save_weights, settled

CHUNK = 64


class Lead(Method):
    """Descriptors of stage 1 (the hypercolumn) or of a reduction of it."""

    Settings = LeadSettings  # type: ignore[assignment]  # a pydantic model of its own
    gives = ("descriptors",)

    def __init__(self, settings: LeadSettings) -> None:
        super().__init__(settings)
        self.encoder: Encoder | None = None
        self.student: Student | None = None
        self.reduction: dict[str, Tensor] = {}

    @classmethod
    def info(cls, settings: LeadSettings) -> MethodInfo:
        stages = "stage 1 and 2" if settings.reduction == "fpn" else "stage 1"
        return MethodInfo(
            gives=cls.gives,
            milestones=settings.reduction == "none",  # they are encoders of stage 1
            data_parallel=True,
            notes=f"{stages} from random numbers; no ImageNet weights",
        )

    def initialise(self, images: Images, context: FitContext) -> None:
        """The untrained encoder of the seed, and the reduction of it (for "fpn" untrained too)."""
        untrained = self._untrained(context)
        self.device = context.device
        if self.settings.reduction == "fpn":
            self.student = distil.untrained_student(untrained, context.seed, self.settings)
        else:
            self.encoder = untrained
            self._fit_reduction(images, context)
        self._settle()

    def fit(self, images: Images, context: FitContext) -> None:
        self.device = context.device
        trained = self._stage1(images, context)
        if self.settings.reduction == "fpn":
            self.student = distil.fit(trained, images, context, self.settings)
        else:
            self.encoder = trained
            self._fit_reduction(images, context)
        self._settle()

    def predict(self, images: Tensor) -> Descriptors:
        """Descriptors in float32 throughout: bfloat16 is for training only."""
        images = images.contiguous(memory_format=torch.channels_last)
        maps = self._maps(images)
        if self.settings.unit_length:
            maps = functional.normalize(maps, dim=1)
        return Descriptors.covering(maps, images.shape[-1])

    def save(self, folder: Path) -> None:
        weights = {f"network.{k}": v for k, v in self._network().state_dict().items()}
        weights |= {f"reduction.{k}": v for k, v in self.reduction.items()}
        save_weights(folder, weights)

    def load(self, folder: Path, device: str) -> None:
        self.device = device
        weights = load_weights(folder)
        built = encoder(self.settings.network)
        if self.settings.reduction == "fpn":
            self.student = distil.untrained_student(built, 0, self.settings)
        else:
            self.encoder = built
        self._network().load_state_dict(_under("network.", weights))
        self.reduction = _under("reduction.", weights)
        self._settle()

    def _untrained(self, context: FitContext) -> Encoder:
        with seeded(context.seed, "encoder"):
            return encoder(self.settings.network)

    def _stage1(self, images: Images, context: FitContext) -> Encoder:
        """The encoder of stage 1: trained here, or found where another variant trained it."""
        net = self._untrained(context)
        with context.shared("stage1", self.settings.stage1()) as part:
            if not part.done:
                byol.fit(net, images, part.context, self.settings, lambda f: _save_stage1(net, f))
                save_weights(part.folder, net.state_dict())
                part.finish()
            net.load_state_dict(load_weights(part.folder))
        return net

    def _fit_reduction(self, images: Images, context: FitContext) -> None:
        kind = self.settings.reduction
        if kind == "none":
            return
        net = self._settle()
        draw = generator(context.seed, "reduction")
        per_image = max(1, -(-reductions.SAMPLE // len(images)))
        chosen = range(0, len(images), -(-len(images) // reductions.SAMPLE))
        found = []
        for first in range(0, len(chosen), CHUNK):
            pixels = to_signed(images.batch(list(chosen[first : first + CHUNK]))).to(self.device)
            with torch.inference_mode():
                vectors = hypercolumn(net.maps(pixels), self.settings.hypercolumn_size).flatten(2)
            place = torch.randperm(vectors.shape[2], generator=draw)[:per_image]
            found.append(vectors[:, :, place.to(self.device)].cpu().transpose(1, 2).flatten(0, 1))
        self.reduction = reductions.fit(kind, torch.cat(found), self.settings.dimension, draw)

    def _maps(self, images: Tensor) -> Tensor:
        if self.student is not None:
            return self.student(images).float()
        column = hypercolumn(self._network().maps(images), self.settings.hypercolumn_size)
        if self.settings.reduction == "none":
            return column
        return reductions.apply(self.settings.reduction, self.reduction, column)

    def _network(self) -> Any:
        return needed(self.student if self.student is not None else self.encoder, "LEAD")

    def _settle(self) -> Any:
        """The network and its reduction on their device, ready to predict."""
        self.reduction = {k: v.to(self.device) for k, v in self.reduction.items()}
        return settled(self._network(), self.device)


def _save_stage1(network: nn.Module, folder: Path) -> None:
    """What the variant with reduction "none" loads."""
    save_weights(folder, {f"network.{k}": v for k, v in network.state_dict().items()})


def _under(prefix: str, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}

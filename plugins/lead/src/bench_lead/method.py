"""LEAD as a method: stage 1 shared by all variants of a seed, then one reduction."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_lead import distil, project, reductions, stage1
from bench_lead.networks import Encoder, Projector, Student, encoder, hypercolumn
from bench_lead.settings import ContrastSettings, LeadSettings
from benchmark.contracts.images import Images, to_signed
from benchmark.contracts.method import FitContext, MethodInfo
from benchmark.contracts.predictions import Descriptors
from benchmark.training.network_method import NetworkMethod
from benchmark.training.randomness import generator, seeded
from benchmark.training.weights import for_inference, load_weights, save_weights

CHUNK = 64
STAGE2 = ("fpn", "projector")
"""Reductions that are trained networks."""


class Descriptor(nn.Module):
    """Images (B, 3, S, S) → maps (B, C, h, w) float32: a student's, or reduced hypercolumns.

    A reduction is zeros until it is fitted or read from a file.
    """

    def __init__(self, network: Encoder | Student | Projector, settings: LeadSettings) -> None:
        super().__init__()
        self.network, self.settings = network, settings
        self.reduction = nn.Module()
        if isinstance(network, Encoder) and settings.dimension:
            channels = sum(network.channels)
            self.reduction.register_buffer("matrix", torch.zeros(channels, settings.dimension))
            if settings.reduction == "pca":
                self.reduction.register_buffer("mean", torch.zeros(channels))

    @property
    def encoder(self) -> Encoder:
        """What stage 1 trains: the network itself, or what the student or projector stands on."""
        return self.network if isinstance(self.network, Encoder) else self.network.encoder

    def hypercolumn(self, images: Tensor) -> Tensor:
        """All stages of the encoder, stacked."""
        return hypercolumn(self.encoder.maps(images), self.settings.hypercolumn_size)

    def forward(self, images: Tensor) -> Tensor:
        if isinstance(self.network, Student):
            maps: Tensor = self.network(images)
            return maps.float()
        if isinstance(self.network, Projector):
            projected: Tensor = self.network(images, self.settings.hypercolumn_size)
            return projected.float()
        column = self.hypercolumn(images)
        if self.settings.reduction == "none":
            return column
        state = dict(self.reduction.named_buffers())
        return reductions.apply(self.settings.reduction, state, column)


class Lead(NetworkMethod[Descriptor]):
    """Descriptors of stage 1 (the hypercolumn) or of a reduction of it."""

    Settings = LeadSettings
    gives = ("descriptors",)

    @classmethod
    def info(cls, settings: LeadSettings) -> MethodInfo:
        stages = "stage 1 and 2" if settings.reduction in STAGE2 else "stage 1"
        return MethodInfo(
            gives=cls.gives,
            milestones=settings.reduction == "none",  # they are encoders of stage 1
            data_parallel=settings.stage1 == "byol",  # MoCo's queue would need the keys of all
            notes=f"{stages} from random numbers; no ImageNet weights",
        )

    def build(self, size: int) -> Descriptor:
        return self.untrained(0)

    def untrained(self, seed: int) -> Descriptor:
        with seeded(seed, "encoder"):
            net = encoder(self.settings.network)
        if self.settings.reduction == "fpn":
            return Descriptor(distil.untrained_student(net, seed, self.settings), self.settings)
        if self.settings.reduction == "projector":
            scale = self.settings.projector_scale if self.settings.spatial_softmax else None
            with seeded(seed, "projector"):
                return Descriptor(Projector(net, self.settings.dimension, scale), self.settings)
        return Descriptor(net, self.settings)

    def initialise(self, images: Images, context: FitContext) -> None:
        """The untrained encoder of the seed, and the reduction of it (for "fpn" untrained too)."""
        super().initialise(images, context)
        self._fit_reduction(self.network, images, context)

    def learn(self, network: Descriptor, images: Images, context: FitContext) -> Descriptor:
        self._stage1(network.encoder, images, context)
        if self.settings.reduction == "fpn":
            student = distil.fit(network.encoder, images, context, self.settings)
            return Descriptor(student, self.settings)
        if isinstance(network.network, Projector):
            project.fit(network.network, images, context, self.settings)
            return network
        self._fit_reduction(for_inference(network, context.device), images, context)
        return network

    def predict(self, images: Tensor) -> Descriptors:
        """Descriptors in float32 throughout: bfloat16 is for training only."""
        maps = self.network(images.contiguous(memory_format=torch.channels_last))
        if self.settings.unit_length:
            maps = functional.normalize(maps, dim=1)
        return Descriptors.covering(maps, images.shape[-1])

    def _stage1(self, net: Encoder, images: Images, context: FitContext) -> None:
        """Train an untrained encoder, or load it from where another variant or method trained it.

        A milestone is what the variant with reduction "none" loads.
        """
        alone = self.settings.model_copy(update={"reduction": "none", "dimension": None})
        milestone = partial(self.write, Descriptor(net, alone))
        with context.shared("stage1", self.settings.of_stage1()) as stage:
            if not stage.done:
                stage1.fit(net, images, stage.context, self.settings, milestone)
                save_weights(stage.folder, net.state_dict())
                stage.finish()
            net.load_state_dict(load_weights(stage.folder))

    def _fit_reduction(self, network: Descriptor, images: Images, context: FitContext) -> None:
        kind = self.settings.reduction
        if kind == "none" or kind in STAGE2:
            return
        draw = generator(context.seed, "reduction")
        per_image = max(1, -(-reductions.SAMPLE // len(images)))
        chosen = range(0, len(images), -(-len(images) // reductions.SAMPLE))
        found = []
        for first in range(0, len(chosen), CHUNK):
            pixels = to_signed(images.batch(list(chosen[first : first + CHUNK])))
            with torch.inference_mode():
                vectors = network.hypercolumn(pixels.to(context.device)).flatten(2)
            place = torch.randperm(vectors.shape[2], generator=draw)[:per_image]
            found.append(
                vectors[:, :, place.to(context.device)].cpu().transpose(1, 2).flatten(0, 1)
            )
        fitted = reductions.fit(kind, torch.cat(found), self.settings.dimension, draw)
        network.reduction.load_state_dict(fitted)


class ContrastLandmarks(Lead):
    """MoCo, then a projector: LEAD's code with another stage 1 and 2, and its stages are shared."""

    Settings = ContrastSettings

    @classmethod
    def info(cls, settings: LeadSettings) -> MethodInfo:
        return replace(super().info(settings), runs="lead")

"""All that can be chosen about LEAD."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from benchmark.contracts.method import MethodSettings

Reduction = Literal["none", "fpn", "projector", "pca", "nmf", "random_projection"]

#: The fields that stage 1 depends on: runs that agree on them (and on data and seed) share it.
STAGE1 = (
    "network",
    "precision",
    "epochs",
    "batch",
    "learning_rate",
    "warm_up",
    "weight_decay",
    "optimiser",
    "target_momentum",
    "hidden",
    "projection",
    "crop_size",
    "crop_area",
    "crop_aspect",
    "flip",
    "colour_strength",
    "blur_sigma",
    "stage1",
    "views",
    "queue",
    "contrast_temperature",
)


class LeadSettings(MethodSettings):
    """Stage 1 (BYOL or MoCo), stage 2 (`distil_…`) and what descriptors are made of.

    `reduction` "none" gives the hypercolumn of stage 1, "fpn" the student of stage 2 with `dimension`
    channels, "projector" ContrastLandmark's 1×1 convolution of the hypercolumn, trained with its loss;
    the others fit a linear map of the hypercolumn instead of stage 2.
    `unit_length` gives descriptors of length 1: cosine is all that stage 2 and matching look at.

    `stage1` "moco" tells crops from a `queue` of others at `contrast_temperature`, with a linear head of
    `projection` channels and a copy that follows by `target_momentum` throughout. `views` "contrast" are
    ContrastLandmark's: colours alone are changed. The projector multiplies by `projector_scale` before
    each softmax, that over positions (`spatial_softmax`) and that of matches.

    What came in later is said only where it counts, so that fits from before keep their identity.
    """

    reduction: Reduction = "fpn"
    """How the hypercolumn becomes descriptors: kept whole, by stage 2, or by a fitted linear map."""
    dimension: int | None = Field(None, ge=1)
    """Channels of the descriptors; none keeps the whole hypercolumn."""
    network: Literal["resnet50", "narrow"] = "narrow"
    """The encoder: a ResNet-50, or a narrow one for CPUs."""
    hypercolumn_size: int = Field(24, ge=1)
    """Side of the grid that the maps of all stages are brought to."""
    unit_length: bool = False
    """Whether predicted descriptors have length 1."""
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    """In which numbers convolutions and products are computed in training, on GPUs and CPUs alike."""

    epochs: float = Field(200.0, gt=0)
    """Passes over the images in stage 1."""
    batch: int = Field(256, ge=2)
    """Images of a step in stage 1."""
    optimiser: Literal["sgd", "adamw"] = "sgd"
    """Of stage 1."""
    learning_rate: float = Field(0.03, gt=0)
    """Of stage 1, at its highest."""
    warm_up: float = Field(0.0, ge=0, le=1)
    """Share of stage 1 over which its rate rises from 0."""
    weight_decay: float = Field(1e-4, ge=0)
    """Of stage 1."""
    target_momentum: float = Field(0.996, ge=0, le=1)
    """How much of its own weights the copy that follows keeps at each step."""
    hidden: int = Field(4096, ge=1)
    """Width of the hidden layer of stage 1's heads."""
    projection: int = Field(256, ge=1)
    """Channels of the vectors that stage 1 compares."""
    crop_size: int = Field(96, ge=8)
    """Side of stage 1's crops, in pixels."""
    crop_area: tuple[float, float] = (0.2, 1.0)
    """Least and greatest share of the image that a crop shows."""
    crop_aspect: float = Field(4 / 3, ge=1)
    """By how much the sides of a crop may differ, as a ratio."""
    flip: float = Field(0.5, ge=0, le=1)
    """Probability that a crop is mirrored."""
    colour_strength: float = Field(1.0, ge=0)
    """How strongly the colours of crops are changed; 1 is BYOL's."""
    blur_sigma: tuple[float, float] = (0.1, 2.0)
    """Least and greatest spread of the blur of crops, in pixels."""

    stage1: Literal["byol", "moco"] = "byol"
    """How stage 1 learns: BYOL, or MoCo with a queue."""
    views: Literal["byol", "contrast"] = "byol"
    """How two views of an image are made: BYOL's crops, or ContrastLandmark's changed colours."""
    queue: int = Field(4096, ge=1)
    """Vectors of other images that MoCo tells a crop from."""
    contrast_temperature: float = Field(0.07, gt=0)
    """Of MoCo's softmax."""

    distil_epochs: float = Field(20.0, gt=0)
    """Passes over the images in stage 2."""
    distil_batch: int = Field(256, ge=2)
    """Images of a step in stage 2."""
    distil_optimiser: Literal["sgd", "adam", "adamw"] = "sgd"
    """Of stage 2."""
    distil_learning_rate: float = Field(0.03, gt=0)
    """Of stage 2, at its highest."""
    distil_weight_decay: float = Field(1e-4, ge=0)
    """Of stage 2."""
    temperature: float = Field(0.05, gt=0)
    """Of the softmaxes over positions whose likeness stage 2 keeps."""
    pyramid_width: int = Field(256, ge=1)
    """Channels of the student's feature pyramid."""
    head_width: int = Field(256, ge=1)
    """Channels of the student's head."""
    distil_queries: int | None = Field(None, ge=1)
    """Positions of an image that stage 2 looks from; none is all."""
    projector_scale: float = Field(7.0, gt=0)
    """What the projector multiplies similarities by before each softmax."""
    spatial_softmax: bool = True
    """Whether the projector takes a softmax over positions."""

    @model_validator(mode="before")
    @classmethod
    def _dimension_of_reduction(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("reduction", "fpn") != "none":
            dimension = given.get("dimension")
            given = {**given, "dimension": 64 if dimension is None else dimension}
        return given

    @model_validator(mode="after")
    def _no_dimension_without_reduction(self) -> LeadSettings:
        if self.reduction == "none" and self.dimension is not None:
            raise ValueError(
                "reduction 'none' gives the whole hypercolumn: leave `dimension` out, or choose "
                "reduction 'fpn', 'projector', 'pca', 'nmf' or 'random_projection'"
            )
        return self

    @model_validator(mode="after")
    def _queue_holds_a_batch(self) -> LeadSettings:
        if self.stage1 == "moco" and self.queue < self.batch:
            raise ValueError(
                f"a queue of {self.queue} can't take the keys of a batch of {self.batch}"
            )
        return self

    @model_serializer(mode="wrap")
    def _later_ones_where_they_count(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        silent = {"views"} if self.views == "byol" else set()
        if self.stage1 == "byol":
            silent |= {"stage1", "queue", "contrast_temperature"}
        if self.reduction != "projector":
            silent |= {"projector_scale", "spatial_softmax"}
        said: dict[str, Any] = dump(self)
        return {name: value for name, value in said.items() if name not in silent}

    def of_stage1(self) -> dict[str, Any]:
        """The settings that stage 1 depends on."""
        return {name: value for name, value in self.model_dump().items() if name in STAGE1}


class ContrastSettings(LeadSettings):
    """LEAD's settings; stage 1 is MoCo with crops whose colours alone change, stage 2 the projector."""

    reduction: Reduction = "projector"
    """How the hypercolumn becomes descriptors: here by the trained projector."""
    stage1: Literal["byol", "moco"] = "moco"
    """How stage 1 learns: here MoCo with a queue."""
    views: Literal["byol", "contrast"] = "contrast"
    """How two views of an image are made: here by changed colours alone."""

"""All that can be chosen about LMDIS."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from benchmark.contracts.method import MethodSettings

Claims = Literal["mass", "released"]


class LmdisSettings(MethodSettings):
    """Networks, losses and training.

    Networks: `landmarks` is K. Images are seen at `size` × `size` pixels and, to find points, with their
    border repeated outwards to `padded` × `padded`. Layers have `width` times the channels that they
    have in the released code, and their skips `skips` convolutions. A point is described by
    `point_features` numbers; to draw the image, by `drawn_features`, spread over Gaussians of `sigma`
    sides and √2 times as wide at each of the further `scales`, which claim pixels by mass or, a hundred
    times less and more, as `claims` "released". Batch norms follow the batches by
    `norm_momentum` a step.

    Losses, by their weights: `concentration` of each map, `separation` of points within
    `separation_bandwidth` sides of each other, `equivariance` under warps, `reconstruction` of the image
    (one for each stretch of the training).

    Training: after the shares `changes` of the steps the next of `learning_rates` and of
    `reconstruction` is taken. `colour` is how much brightness and contrast are changed. Warps move
    7 × 7 control points by `bend` (a standard deviation), then shift by up to `shift`, both in half
    sides, turn by `rotation` degrees and scale by `scale`: standard deviations of normals, that of the
    scale of its logarithm.
    """

    landmarks: int = Field(10, ge=1)
    """How many landmarks are found."""
    size: int = Field(80, ge=16)
    """Side at which images are seen, in pixels."""
    padded: int = Field(96, ge=16)
    """Side of the image with its repeated border, in which points are found."""
    width: float = Field(1.0, gt=0)
    """Factor on the channels of the released code."""
    skips: int = Field(3, ge=1)
    """Convolutions of each skip."""
    point_features: int = Field(8, ge=1)
    """Numbers that describe a point."""
    drawn_features: int = Field(64, ge=1)
    """Numbers by which a point's surroundings are drawn."""
    sigma: float = Field(1 / 8, gt=0)
    """Spread of the narrowest Gaussian that draws a point, in sides."""
    scales: int = Field(5, ge=1)
    """How many Gaussians, each √2 times as wide as the one before."""
    claims: Claims = "mass"
    """How strongly a point claims its pixels: by a Gaussian of mass 1, or as released."""
    norm_momentum: float = Field(3e-4, gt=0, le=1)
    """How fast batch norms follow the batches."""

    concentration: float = Field(100.0, ge=0)
    """Weight of the loss by which a map gathers at one place."""
    separation: float = Field(20.0, ge=0)
    """Weight of the loss that keeps points apart."""
    separation_bandwidth: float = Field(0.08, gt=0)
    """Distance within which points count as close, in sides."""
    equivariance: float = Field(1e4, ge=0)
    """Weight of the loss by which points follow a warp."""
    reconstruction: tuple[float, ...] = (0.1, 1.0, 10.0)
    """Weight of the image's reconstruction, in each stretch of the training."""

    steps: int = Field(300_000, ge=1)
    """Steps of training."""
    batch: int = Field(16, ge=2)
    """Images of a step."""
    changes: tuple[float, ...] = (1 / 3, 2 / 3)
    """Shares of the steps after which the next stretch begins."""
    learning_rates: tuple[float, ...] = (1e-3, 1e-4, 1e-5)
    """Of each stretch."""
    weight_decay: float = Field(1e-6, ge=0)
    """Of the optimiser."""
    colour: float = Field(0.2, ge=0, le=1)
    """How much brightness and contrast are changed."""
    bend: float = Field(0.1, ge=0)
    """Standard deviation by which a warp's control points move, in half sides."""
    shift: float = Field(0.3, ge=0)
    """Greatest shift of a warp, in half sides."""
    rotation: float = Field(10.0, ge=0)
    """Standard deviation of a warp's rotation, in degrees."""
    scale: float = Field(1.25, ge=1)
    """Standard deviation of a warp's scale, as a factor."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """In which numbers convolutions and products are computed in training, on GPUs and CPUs alike."""

    @model_validator(mode="after")
    def _fits(self) -> LmdisSettings:
        if self.size % 16:
            raise ValueError(f"size {self.size} is not a multiple of 16, as its decoder needs")
        if self.padded % 8 or self.padded < self.size:
            raise ValueError(
                f"padded {self.padded} must be a multiple of 8 and no less than size {self.size}"
            )
        stretches = len(self.changes) + 1
        for name in ("learning_rates", "reconstruction"):
            values = getattr(self, name)
            if len(values) != stretches or min(values) < 0:
                raise ValueError(
                    f"{name} {values}: {len(self.changes)} changes need {stretches} values, none "
                    "below 0"
                )
        if list(self.changes) != sorted(self.changes) or not all(0 < c < 1 for c in self.changes):
            raise ValueError(f"changes {self.changes} must rise from above 0 to below 1")
        return self

    @model_serializer(mode="wrap")
    def _later_ones_where_they_count(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """`claims` came in later: fits from before keep their identity."""
        said: dict[str, Any] = dump(self)
        return {k: v for k, v in said.items() if (k, v) != ("claims", "mass")}

    @property
    def border(self) -> int:
        """How many pixels are put around the image on each side."""
        return (self.padded - self.size) // 2

    def stretch(self, step: int) -> int:
        """Which stretch of the training a step lies in. Example: of 300 steps number 100 is in 1."""
        return sum(step >= round(share * self.steps) for share in self.changes)

"""All that can be chosen about differentiable point clouds."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from benchmark.contracts.method import MethodSettings
from benchmark.contracts.spec import CameraAxes


class DpcSettings(MethodSettings):
    """Networks, projection, pairs and training.

    Networks: pictures are seen at `size` × `size` (None: as they come), a power of two; the first
    convolution has `width` channels, codes have `code` numbers, a cloud `points` points in the `extent`:
    "cube" as released, whose corners no view may show, or "ball", which lies in the frame of every view.

    Poses: "unknown" learns them, the best of `candidates` for each picture and a student of it, whose
    loss counts `student`; "known" takes cameras that the protocol grants: shapes are learned with
    them, the student learns them. `axes` are those of the protocol's cameras (`shape.camera_axes`),
    in which poses are predicted; unknown cameras are `distance` units from the object, with a focal
    length of `focal` picture widths.

    Projection: `grid` voxels a side, a blur of `taps` voxels whose `sigma` (in voxels) goes from the
    first number to the second along the training, as the share `keep` of a cloud's points that
    take part does. `cells` says where voxels lie: "corners" as released, "centres" as a mask's pixels.

    Training: `steps` of `views` pictures of each of `objects` objects. `pairs` says which view's shape
    is seen from which view's pose: "first" as released, "each" two as the thesis describes it.
    The rate of Adam falls linearly to `cooled` of itself over the last share `cooling` of the steps.
    """

    size: int | None = Field(None, ge=16)
    """Side at which pictures are seen, a power of two; none takes them as they come."""
    width: int = Field(16, ge=1)
    """Channels of the first convolution."""
    code: int = Field(1024, ge=1)
    """Numbers of the code of a picture."""
    points: int = Field(8000, ge=4)
    """Points of a cloud."""
    extent: Literal["cube", "ball"] = "cube"
    """Where points may lie: in the released cube, or in the ball that every view shows."""

    poses: Literal["unknown", "known"] = "unknown"
    """Whether poses are learned, or known from the protocol's cameras."""
    candidates: int = Field(4, ge=1)
    """Poses that are tried for each picture, of which the best learns."""
    student: float = Field(20.0, gt=0)
    """Weight of the loss of the student, which predicts the pose alone."""
    axes: CameraAxes = "forward_up_right"
    """Axes of the cameras, in which poses are predicted."""
    focal: float = Field(1.875, gt=0)
    """Focal length of unknown cameras, in picture widths."""
    distance: float = Field(2.0, gt=0)
    """Of unknown cameras from the object."""

    grid: int = Field(64, ge=8)
    """Voxels of a side of the projection."""
    cells: Literal["corners", "centres"] = "corners"
    """Where voxels lie: on corners as released, or on a mask's pixels."""
    taps: int = Field(21, ge=1)
    """Width of the blur of voxels, odd."""
    sigma: tuple[float, float] = (3.0, 0.2)
    """Spread of the blur in voxels, at the beginning and at the end."""
    keep: tuple[float, float] = (0.07, 1.0)
    """Share of a cloud's points that take part, at the beginning and at the end."""

    objects: int = Field(8, ge=1)
    """Objects of a step."""
    views: int = Field(4, ge=1)
    """Pictures of each object of a step."""
    pairs: Literal["first", "each"] = "first"
    """Whose pose a shape is seen from: the first view's as released, or each of two views'."""
    steps: int = Field(600_000, ge=1)
    """Steps of training."""
    learning_rate: float = Field(1e-4, gt=0)
    """Of Adam, at its highest."""
    cooling: float = Field(0.0, ge=0, le=1)
    """Last share of the steps, over which the rate falls."""
    cooled: float = Field(0.05, ge=0, le=1)
    """What is left of the rate at the end, as a share."""
    weight_decay: float = Field(1e-3, ge=0)
    """Of the optimiser."""

    @model_validator(mode="after")
    def _consistent(self) -> DpcSettings:
        if self.size is not None and self.size & (self.size - 1):
            raise ValueError(f"size {self.size} is no power of two")
        if self.taps % 2 == 0:
            raise ValueError(f"taps {self.taps} must be odd, so that the blur has a middle")
        if min(self.sigma) <= 0:
            raise ValueError(f"sigma {self.sigma} must be above 0 at both ends")
        if not all(0 < share <= 1 for share in self.keep):
            raise ValueError(f"keep {self.keep} must be shares above 0 and at most 1")
        if self.pairs == "each" and self.views < 2:
            raise ValueError("pairs 'each' needs two views or more")
        return self

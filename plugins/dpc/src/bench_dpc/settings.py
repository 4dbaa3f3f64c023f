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
    width: int = Field(16, ge=1)
    code: int = Field(1024, ge=1)
    points: int = Field(8000, ge=4)
    extent: Literal["cube", "ball"] = "cube"

    poses: Literal["unknown", "known"] = "unknown"
    candidates: int = Field(4, ge=1)
    student: float = Field(20.0, gt=0)
    axes: CameraAxes = "forward_up_right"
    focal: float = Field(1.875, gt=0)
    distance: float = Field(2.0, gt=0)

    grid: int = Field(64, ge=8)
    cells: Literal["corners", "centres"] = "corners"
    taps: int = Field(21, ge=1)
    sigma: tuple[float, float] = (3.0, 0.2)
    keep: tuple[float, float] = (0.07, 1.0)

    objects: int = Field(8, ge=1)
    views: int = Field(4, ge=1)
    pairs: Literal["first", "each"] = "first"
    steps: int = Field(600_000, ge=1)
    learning_rate: float = Field(1e-4, gt=0)
    cooling: float = Field(0.0, ge=0, le=1)
    cooled: float = Field(0.05, ge=0, le=1)
    weight_decay: float = Field(1e-3, ge=0)

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

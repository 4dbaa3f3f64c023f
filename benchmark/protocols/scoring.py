"""The sections on what a task does with predictions: points, probes, pairs, shapes, masks."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from benchmark.contracts.spec import CameraAxes, CentreRule
from benchmark.protocols.data import Strict

Rounding = Literal["nearest", "truncate"]
"""How a view that was interpolated becomes whole grey levels: to the nearest, or cut."""


class LandmarkRule(Strict):
    """Which points are asked for, and whose distance is the unit.

    `rule` "all" takes the data set's points; "mafl5_from_68" makes eye centres (means of 36–41 and
    42–47), nose tip (30) and mouth corners (48, 54). `part_centres` is how parts give landmarks
    (`benchmark.probes.part_centres`), `most` how many of them a method may give (ceilings may more).
    """

    rule: Literal["all", "mafl5_from_68"] = "all"
    count: int
    """How many points."""
    eyes: tuple[int, int] | None = None
    """Indices of the two points whose distance is the unit: the eyes, or a shoulder and a hip."""
    part_centres: CentreRule = "soft_mean"
    most: int | None = None

    @property
    def unit(self) -> tuple[int, int]:
        """`eyes`, for what is in units of their distance: checks of the file saw that they are named."""
        assert self.eyes is not None
        return self.eyes


class Probe(Strict):
    """A named probe and the constants that differ from that name's.

    The lock holds a digest of each name's constants, so that a name in the code can't come to mean
    other numbers under a frozen protocol.
    """

    name: str
    """A name of `benchmark.probes`."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """What differs from the name's constants."""


class Pairs(Strict):
    """Which views are matched: `count` pairs of the same image and as many of different identities.

    `layout` says which sides are warped ("dve", "paper": see `benchmark.tasks.pairs`), `rule` how
    the best match is found (see `benchmark.metrics.matching`), `points` whether landmarks are followed
    through a warp exactly, to DVE's nearest pixel, or to that pixel as its "float32_grid" holds it
    (`benchmark.tasks.pairs.float32_grid`). A point that a warp moves out of the image is, by
    `outside`, "left_out" of its pair, or "clamped": asked for at the border, its true place kept.
    `rounding` says how a warped view becomes whole grey levels (`benchmark.tasks.warped.levels`).
    Errors are, by `unit`, in percent of the distance
    of the target's eyes, or in pixels times the ratio `pixels` (70 / 96: in pixels of a width of 70,
    where images are 96 wide). All that is random comes from `seed`; `digest` is that of the drawn pairs
    and warps on the real data. A twin of fewer images than `count` draws half as many pairs as images.
    """

    layout: Literal["dve", "paper"]
    rule: Literal["dve", "paper"]
    count: int = Field(gt=0)
    seed: int = 0
    digest: str
    points: Literal["exact", "nearest_pixel", "float32_grid"] = "exact"
    outside: Literal["left_out", "clamped"] = "left_out"
    rounding: Rounding = "nearest"
    unit: Literal["inter_ocular", "pixels"] = "inter_ocular"
    pixels: tuple[float, float] = (1.0, 1.0)


class Zoom(Strict):
    """Images enlarged around their middle, each by a factor drawn uniformly once from `seed`.

    The probe is fitted on training images and scored on test images zoomed by factors in `seen`, and
    scored again on the same test images zoomed by factors in `unseen`. The prepared image, margin and
    all, is read bilinearly; landmarks move exactly.
    """

    seen: tuple[float, float]
    unseen: tuple[float, float]
    seed: int = 0


class Limited(Strict):
    """A probe fitted on few annotated images and their warped copies.

    For each of `numbers`, and `repeats` times, that many rows of the training split are annotated. Which
    ones is in the file `chosen` (columns number, repeat, index), drawn once by
    `benchmark.tasks.chosen` for a split of `images` images; for a split of another size (a twin,
    the development part) they are drawn in the same way, and `twin_copies` are made.

    `copies` copies are made of them in turn, each under a thin-plate warp of its own, of the strength
    that `warp` names (`benchmark.warps.random_warps.LIMITED_WARPS`). `points` says whether landmarks
    follow exactly or to DVE's nearest pixel, `rounding` how a copy becomes whole grey levels
    (`benchmark.tasks.warped.levels`). With `sets` 1 these serve for
    the whole fit, as in DVE's code, which caches their features; with more, as many are made `sets`
    times and epochs take the sets in turn, which bounds ContrastLandmark's drawing anew in every
    epoch. The number is the mean over repeats.
    """

    numbers: tuple[int, ...]
    repeats: int = Field(default=3, gt=0)
    copies: int = Field(gt=0)
    sets: int = Field(default=1, gt=0)
    images: int = Field(gt=0)
    twin_copies: int = Field(gt=0)
    warp: Literal["bend_everywhere", "dve_few_labels"] = "bend_everywhere"
    points: Literal["exact", "nearest_pixel"] = "exact"
    rounding: Rounding = "nearest"
    seed: int = 0
    """Of the draws."""
    chosen: str = Field(pattern=r"^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$")
    chosen_sha256: str
    """Digest of that file."""


class Alignment(Strict):
    """The one rotation from a method's canonical frame to the data set's, found on validation models.

    Of the first `models` of the validation split every view gives a candidate: the rotation under
    which prediction and truth have the same pose, refined by point-to-point ICP from the predicted
    cloud to the true one (`reach`: longest distance of a correspondence; at most `iterations`; ended
    when fraction and error of the correspondences move by less than `tolerance`), of which the
    rotation alone is kept. Of each model the `keep_views` candidates with the lowest error count, of
    the models the `keep_models` best; their Markley mean is the rotation. A cloud that comes within
    `reach` of the true one nowhere is no candidate (`unmet = "dropped"`), or has error 0 and counts
    among the best, as in the published numbers ("best"). With `consensus`, in degrees, only those of
    the kept candidates count that are closer than this to the one that most are close to.
    """

    models: int = Field(gt=0)
    keep_models: int = Field(gt=0)
    keep_views: int = Field(gt=0)
    reach: float = Field(gt=0)
    iterations: int = Field(gt=0)
    tolerance: float = Field(ge=0)
    unmet: Literal["dropped", "best"] = "dropped"
    consensus: float | None = Field(None, gt=0, lt=180)


class Shape(Strict):
    """How clouds and poses are scored, once `alignment` has brought them into one frame.

    - `views`: how many pictures of each model there are, one after another
    - `clouds` "every_view" scores the cloud predicted from each view and averages over a model's views,
      "first_view" only the one from the first
    - `camera_axes`: in which order a rotated point has its coordinates, "forward_up_right" (metric
      camera of `benchmark.metrics.camera`) or "right_down_forward"
    - `threshold`: the accuracy counts pose errors strictly below so many degrees
    """

    views: int = Field(gt=0)
    clouds: Literal["every_view", "first_view"]
    camera_axes: CameraAxes
    threshold: float = Field(gt=0)
    alignment: Alignment


class CloudOutline(Strict):
    """How a cloud under its predicted pose becomes a mask of the picture that it was predicted from.

    Cloud and pose are the method's own pair, so no frame has to be aligned: the points, turned by the
    predicted rotation, are seen by the camera that `focal` (in widths of the picture) and `distance` (in
    units of the object) say. `rule` "closed_points" is `benchmark.metrics.silhouette`: points mark cells
    of a grid of `grid` × `grid`, which are closed by a disc of `radius` widths of the picture; a
    pixel is foreground where more than the share `threshold` of its cells is.
    """

    rule: Literal["closed_points"]
    grid: int = Field(gt=0)
    radius: float = Field(ge=0)
    threshold: float = Field(ge=0, lt=1)
    focal: float = Field(gt=0)
    distance: float = Field(gt=0)
    views: int = Field(gt=0)
    """How many pictures of each model there are, one after another."""
    camera_axes: CameraAxes
    """In which order a rotated point has its coordinates."""


class Foreground(Strict):
    """How a prediction becomes a mask of the foreground.

    `parts` names the rule for part probabilities: "argmax" (the background is not the most probable;
    GANSeg) or "background_80" (background only where it is the most probable and above 0.8;
    Assembly). `alpha` is that for translated images: "above_half" or "above_zero"; `clouds` that for
    clouds and poses.
    """

    parts: Literal["argmax", "background_80"]
    alpha: Literal["above_half", "above_zero"] | None = None
    clouds: CloudOutline | None = None

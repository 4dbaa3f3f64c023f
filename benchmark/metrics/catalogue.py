"""What can be measured: the one table, by a metric's `measure` (its id, where it states none).

Checks of protocols and records, boards and pages read it; it imports no metric. A test holds every
function against the code.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal, NamedTuple

from benchmark.contracts.spec import Kind

PER_ITEM = ("mean", "median", "upper_median")
"""The aggregates of one value per item."""


class Measure(NamedTuple):
    """One thing that is measured.

    `formula` is for people; `function` is "module:name" under `benchmark.metrics`. `better` is its
    direction and `aggregates` what may make one number of its values. `labels` are those that the test
    images need for it, beside the task's; `kinds` the predictions it can be read from, where that is not
    all that the task scores. `unit_points`: it needs `landmarks.eyes`, the two points whose distance is
    the unit; `every_point`: no point may be hidden; `threshold`: the metric states how near is near
    enough.

    `version` counts corrections: whoever changes what a metric gives raises it, and `bench rescore`
    then scores kept predictions again. A metric that means something else gets another name instead.
    `least` and `most` are the smallest and the greatest number that can come out, of all items or of
    one. `unit` is what its numbers
    are in, None where the protocol chooses it.
    """

    formula: str
    function: str
    better: Literal["lower", "higher"] = "lower"
    aggregates: tuple[str, ...] = PER_ITEM
    labels: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    unit_points: bool = False
    every_point: bool = False
    threshold: bool = False
    version: int = 1
    least: float = 0.0
    most: float = math.inf
    unit: str | None = "%"


WHOLE = 100.0
"""The greatest share, in %."""
SINGLE = ("single",)
RATIO = ("ratio_of_sums",)
SUM = ("sum_of_means",)
FRECHET = "Fréchet distance of Gaussians fitted to features of generated and real images"
KERNEL = (
    "unbiased squared maximum mean discrepancy with the kernel (x·y / d + 1)³, mean over subsets"
)
LINEARITY = "attribute linearity: squared deviation of logits from the line between their ends"


def _agreement(where: str = "", on: str = "all parts") -> dict[str, Measure]:
    """Parts at landmarks, read with the background or without, in both ways of reading them."""
    of = f"of the part at a landmark and the landmark, {on}"
    needs: Any = ("higher", SINGLE, ("visible",), ("parts",))
    information = f"normalised mutual information {of}"
    nmi = Measure(information, "clustering:normalised_mutual_information", *needs)
    ari = Measure(f"adjusted Rand index {of}", "clustering:adjusted_rand_index", *needs)
    return {
        f"part_{name}{where}{variant}": measure._replace(most=WHOLE)
        for name, measure in (("nmi", nmi), ("ari", ari._replace(least=-100.0)))
        for variant in ("", "/unsup_parts")
    }


def _unturned(name: str, measure: Measure) -> dict[str, Measure]:
    """A measure of shapes or poses, and the same in the method's own frame."""
    plain = measure._replace(formula=f"{name} without the alignment of canonical frames")
    return {name: measure, f"{name}_unaligned": plain}


def _through(names: Iterable[str], measure: Measure) -> dict[str, Measure]:
    """The same by its name, and through another network, which the name then bears."""
    return {f"{name}{network}": measure for name in names for network in ("", "/*")}


CATALOGUE: dict[str, Measure] = {
    "nme_iod": Measure(
        "mean distance of predicted from annotated points, divided by the distance of the "
        "eyes (inter-ocular distance), per image",
        "landmarks:normalised_mean_error",
        unit_points=True,
        every_point=True,
    ),
    "nme_visible": Measure(
        "mean distance of predicted from visible points in units of the distance of two points that "
        "the protocol names, over all of them; images that hide one of the two are left out",
        "landmarks:visible_errors",
        aggregates=RATIO,
        unit_points=True,
    ),
    "pck": Measure(
        "share of visible points that are predicted within a threshold, in units of the distance of "
        "two points that the protocol names; images that hide one of the two are left out",
        "landmarks:correct_keypoints",
        "higher",
        RATIO,
        unit_points=True,
        threshold=True,
        most=WHOLE,
    ),
    "keypoint_l1_sum": Measure(
        "sum over joints and axes of the mean absolute error over the images that show the joint",
        "landmarks:joint_errors",
        aggregates=SUM,
        unit="px",
    ),
    "keypoint_l2_sum": Measure(
        "sum over joints of the mean distance over the images that show the joint",
        "landmarks:joint_errors",
        aggregates=SUM,
        unit="px",
    ),
    "keypoint_l2_edge": Measure(
        "mean distance of visible landmarks in units of the side of the image, per image",
        "landmarks:visible_distances",
        aggregates=RATIO,
    ),
    "match_different": Measure(
        "mean distance of matched from true points in another person's image, per pair; in "
        "the unit the protocol names",
        "matching:match_descriptors",
        unit=None,
    ),
    "match_same": Measure(
        "the same between two views of one image, of which at least one is warped",
        "matching:match_descriptors",
        unit=None,
    ),
    "foreground_iou": Measure(
        "intersection over union of the predicted and the true foreground, per image, epsilon "
        "1e-6 in both (GANSeg)",
        "segmentation:foreground_iou",
        "higher",
        most=WHOLE,
    ),
    "iou_best_of_two": Measure(
        "the better of the IoU of the prediction and of its complement, per image (ReDO)",
        "segmentation:best_label_iou",
        "higher",
        most=WHOLE,
    ),
    "iou_background_80": Measure(
        "foreground_iou where a pixel is background only at a probability above 0.8 (Assembly)",
        "segmentation:foreground_iou",
        "higher",
        kinds=("parts",),
        most=WHOLE,
    ),
    "iou_pooled": Measure(
        "intersection of all images over their union",
        "segmentation:pooled_iou",
        "higher",
        RATIO,
        most=WHOLE,
    ),
    "pixel_accuracy": Measure(
        "share of scored pixels that are predicted right, over all images",
        "segmentation:pixel_accuracy",
        "higher",
        RATIO,
        most=WHOLE,
    ),
    **_agreement(),
    **_agreement("_foreground", "on points of the foreground"),
    "mask_disagreement": Measure(
        "pixels on which the outlines disagree over pixels of the target, per image",
        "segmentation:mask_disagreement",
    ),
    "disagreement_area": Measure(
        "area to 1 below the cumulative curve of mask_disagreement",
        "cumulative:area_below",
        "higher",
        most=WHOLE,
    ),
    "disagreement_area_smoothed": Measure(
        "the same for the curve smoothed by a Gaussian kernel",
        "cumulative:smoothed_area_below",
        "higher",
        SINGLE,
        most=WHOLE,
    ),
    **_unturned(
        "chamfer",
        Measure(
            "sum of precision and coverage: mean distance to the nearest point, both ways, "
            "unsquared, × 100",
            "points:chamfer",
            unit="x100",
        ),
    ),
    **_unturned(
        "chamfer_precision",
        Measure("mean distance of predicted points to the nearest true one, × 100",
                "points:chamfer", unit="x100"),
    ),
    **_unturned(
        "chamfer_coverage",
        Measure("mean distance of true points to the nearest predicted one, × 100",
                "points:chamfer", unit="x100"),
    ),
    **_unturned(
        "pose_accuracy",
        Measure("share of images with a rotation error strictly below the threshold",
                "pose:pose_accuracy", "higher", ("mean",), most=WHOLE),
    ),
    **_unturned(
        "pose_median",
        Measure("upper median of the rotation errors",
                "pose:upper_median", aggregates=("upper_median", "median"), most=180.0, unit="degrees"),
    ),
    **_through(["fid"], Measure(f"{FRECHET}, Inception", "frechet:frechet_distance",
                                aggregates=SINGLE, unit="")),
    "fd_*": Measure(f"{FRECHET}, through the network it is called after (not FID)",
                    "frechet:frechet_distance", aggregates=SINGLE, unit=""),
    **_through(["kid"], Measure(f"{KERNEL}, Inception", "kernel:kernel_distance",
                                aggregates=SINGLE, least=-math.inf, unit="1e-3")),
    "kd_*": Measure(f"{KERNEL}, through the network it is called after (not KID)",
                    "kernel:kernel_distance", aggregates=SINGLE, least=-math.inf, unit="1e-3"),
    **_through(["precision"], Measure(
        "share of generated images within the k-nearest-neighbour balls of real ones",
        "neighbours:precision_recall", "higher", SINGLE, most=WHOLE)),
    **_through(["recall"], Measure(
        "share of real images within the balls of generated ones",
        "neighbours:precision_recall", "higher", SINGLE, most=WHOLE)),
    **_through(["density"], Measure(
        "mean number of real balls that hold a generated image, over k",
        "neighbours:density_coverage", "higher", SINGLE)),
    **_through(["coverage"], Measure(
        "share of real balls that hold a generated image",
        "neighbours:density_coverage", "higher", SINGLE, most=WHOLE)),
    **dict.fromkeys(["ppl2_*", "ppl_*"], Measure(
        "perceptual distance of images at the ends of steps of 1e-4 in the latent space, over the step "
        "squared, mean after trimming 1 % on either side",
        "path_length:perceptual_path_length", aggregates=SINGLE, unit="")),
    "als_mean_normalised": Measure(
        f"{LINEARITY}, mean over path and attributes, logits normalised",
        "linearity:attribute_linearity", aggregates=SINGLE, unit=""),
    "als_mean_raw": Measure(
        "als_mean_normalised with logits as they are",
        "linearity:attribute_linearity", aggregates=SINGLE, unit=""),
    "als_released": Measure(
        "attribute linearity as released: sum over the path of the squared mean absolute "
        "deviation over a per-method spread",
        "linearity:attribute_linearity", aggregates=SINGLE, unit=""),
    "als_*": Measure(f"{LINEARITY}, in the variant it is called after",
                     "linearity:attribute_linearity", aggregates=SINGLE, unit=""),
}  # fmt: skip
"""By name; "*" stands for any text, and of two names that fit the first counts."""


def find(name: str) -> Measure | None:
    """The measure of that name; None for one that is not bench's.

    >>> find("fid/legacy_tensorflow") == find("fid"), find("nme_torso")
    (True, None)
    """
    return next((m for pattern, m in CATALOGUE.items() if fnmatchcase(name, pattern)), None)


def version(name: str) -> int:
    """The version of a measure's code; 1 for those that the catalogue does not know."""
    found = find(name)
    return found.version if found else 1


def bounds(name: str) -> tuple[float, float]:
    """The smallest and the greatest number that a measure can give; of one that the catalogue does not
    know, any.

    >>> bounds("foreground_iou"), bounds("nme_iod"), bounds("kid")
    ((0.0, 100.0), (0.0, inf), (-inf, inf))
    """
    found = find(name)
    return (found.least, found.most) if found else (-math.inf, math.inf)


def outdated(versions: Mapping[str, int], named: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """Of metrics scored by these versions, those that have another one now: (then, now).

    `named` says by what name each is in the catalogue, where that is not its id.
    """
    now = {metric: version(named.get(metric, metric)) for metric in versions}
    return {m: (then, now[m]) for m, then in versions.items() if then != now[m]}

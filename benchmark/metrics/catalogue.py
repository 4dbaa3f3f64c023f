"""What each metric id means, in one sentence with its formula, and which function computes it.

Light: no metric is imported. A test holds every id against the protocols and every function against
the code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple


class Entry(NamedTuple):
    """`formula` for people; `function` is "module:name" under `benchmark.metrics`.

    `version` counts corrections: whoever changes what a metric gives raises it, and `bench rescore`
    then scores kept predictions again. A metric that means something else gets another id instead.
    `least` is the smallest number that can come out, of all items or of one.
    """

    formula: str
    function: str
    version: int = 1
    least: float = 0.0


CATALOGUE: dict[str, Entry] = {
    "nme_iod": Entry(
        "mean distance of predicted from annotated points, divided by the distance of the "
        "eyes (inter-ocular distance), per image",
        "landmarks:normalised_mean_error",
    ),
    "nme_iod_imm": Entry(
        "nme_iod with the linear probe linear/imm: no intercept, corner origin, the last 10 % "
        "of the training list left out",
        "landmarks:normalised_mean_error",
    ),
    "nme_iod_scops": Entry(
        "nme_iod with the linear probe linear/scops: with intercept",
        "landmarks:normalised_mean_error",
    ),
    "nme_iod_ganseg": Entry(
        "nme_iod with the linear probe linear/ganseg: no intercept, corner origin",
        "landmarks:normalised_mean_error",
    ),
    "nme_iod_true": Entry(
        "nme_iod in the proportions of the unsquashed image",
        "landmarks:normalised_mean_error",
    ),
    "nme_iod_seen": Entry(
        "nme_iod at zooms 1 to 1.5, as seen in training",
        "landmarks:normalised_mean_error",
    ),
    "nme_iod_unseen": Entry(
        "nme_iod at zooms 1.5 to 2, not seen in training",
        "landmarks:normalised_mean_error",
    ),
    "nme_iod_1": Entry(
        "nme_iod of a probe fitted on 1 annotated image, mean of three draws",
        "landmarks:normalised_mean_error",
    ),
    "nme_iod_5": Entry(
        "nme_iod of a probe fitted on 5 annotated images, mean of three draws",
        "landmarks:normalised_mean_error",
    ),
    "nme_iod_10": Entry(
        "nme_iod of a probe fitted on 10 annotated images, mean of three draws",
        "landmarks:normalised_mean_error",
    ),
    "nme_iod_20": Entry(
        "nme_iod of a probe fitted on 20 annotated images, mean of three draws",
        "landmarks:normalised_mean_error",
    ),
    "nme_iod_50": Entry(
        "nme_iod of a probe fitted on 50 annotated images, mean of three draws",
        "landmarks:normalised_mean_error",
    ),
    "nme_iod_100": Entry(
        "nme_iod of a probe fitted on 100 annotated images, mean of three draws",
        "landmarks:normalised_mean_error",
    ),
    "nme_visible": Entry(
        "mean distance of predicted from visible points in units of the distance of two points that "
        "the protocol names, over all of them; images that hide one of the two are left out",
        "landmarks:visible_errors",
    ),
    "pck": Entry(
        "share of visible points that are predicted within a threshold, in units of the distance of "
        "two points that the protocol names; images that hide one of the two are left out",
        "landmarks:correct_keypoints",
    ),
    "match_different": Entry(
        "mean distance of matched from true points in another person's image, per pair; in "
        "the unit the protocol names",
        "matching:match_descriptors",
    ),
    "match_same": Entry(
        "the same between two views of one image, of which at least one is warped",
        "matching:match_descriptors",
    ),
    "keypoint_l1_sum": Entry(
        "sum over joints and axes of the mean absolute error over the images that show the joint",
        "landmarks:joint_errors",
    ),
    "keypoint_l2_sum": Entry(
        "sum over joints of the mean distance over the images that show the joint",
        "landmarks:joint_errors",
    ),
    "keypoint_l2_edge": Entry(
        "mean distance of visible landmarks in units of the side of the image, per image",
        "landmarks:visible_distances",
    ),
    "keypoint_l2_edge_intercept": Entry(
        "keypoint_l2_edge with an intercept in the linear probe",
        "landmarks:visible_distances",
    ),
    "foreground_iou": Entry(
        "intersection over union of the predicted and the true foreground, per image, epsilon "
        "1e-6 in both (GANSeg)",
        "segmentation:foreground_iou",
    ),
    "iou_best_of_two": Entry(
        "the better of the IoU of the prediction and of its complement, per image (ReDO)",
        "segmentation:best_label_iou",
    ),
    "iou_background_80": Entry(
        "foreground_iou where a pixel is background only at a probability above 0.8 (Assembly)",
        "segmentation:foreground_iou",
    ),
    "iou_pooled": Entry(
        "intersection of all images over their union",
        "segmentation:pooled_iou",
    ),
    "pixel_accuracy": Entry(
        "share of scored pixels that are predicted right, over all images",
        "segmentation:pixel_accuracy",
    ),
    "part_nmi": Entry(
        "normalised mutual information of the part at a landmark and the landmark, all parts",
        "clustering:normalised_mutual_information",
    ),
    "part_ari": Entry(
        "adjusted Rand index of the part at a landmark and the landmark, all parts",
        "clustering:adjusted_rand_index",
        least=-100.0,
    ),
    "part_nmi_foreground": Entry(
        "normalised mutual information of the part at a landmark and the landmark, on points "
        "of the foreground",
        "clustering:normalised_mutual_information",
    ),
    "part_ari_foreground": Entry(
        "adjusted Rand index of the part at a landmark and the landmark, on points of the "
        "foreground",
        "clustering:adjusted_rand_index",
        least=-100.0,
    ),
    "mask_disagreement": Entry(
        "pixels on which the outlines disagree over pixels of the target, per image",
        "segmentation:mask_disagreement",
    ),
    "disagreement_area": Entry(
        "area to 1 below the cumulative curve of mask_disagreement",
        "cumulative:area_below",
    ),
    "disagreement_area_smoothed": Entry(
        "the same for the curve smoothed by a Gaussian kernel",
        "cumulative:smoothed_area_below",
    ),
    "chamfer": Entry(
        "sum of precision and coverage: mean distance to the nearest point, both ways, "
        "unsquared, × 100",
        "points:chamfer",
    ),
    "chamfer_precision": Entry(
        "mean distance of predicted points to the nearest true one, × 100",
        "points:chamfer",
    ),
    "chamfer_coverage": Entry(
        "mean distance of true points to the nearest predicted one, × 100",
        "points:chamfer",
    ),
    "chamfer_unaligned": Entry(
        "chamfer without the alignment of canonical frames",
        "points:chamfer",
    ),
    "pose_accuracy": Entry(
        "share of images with a rotation error strictly below the threshold",
        "pose:pose_accuracy",
    ),
    "pose_median": Entry(
        "upper median of the rotation errors",
        "pose:upper_median",
    ),
    "pose_accuracy_unaligned": Entry(
        "pose_accuracy without the alignment of canonical frames",
        "pose:pose_accuracy",
    ),
    "pose_median_unaligned": Entry(
        "pose_median without the alignment of canonical frames",
        "pose:upper_median",
    ),
    "fid": Entry(
        "Fréchet distance of Gaussians fitted to features of generated and real images, Inception",
        "frechet:frechet_distance",
    ),
    "fd_squeezenet": Entry(
        "Fréchet distance of Gaussians fitted to features of generated and real images, "
        "SqueezeNet 1.1 (not FID)",
        "frechet:frechet_distance",
    ),
    "fd_random_conv": Entry(
        "Fréchet distance of Gaussians fitted to features of generated and real images, "
        "seeded random convolutions (not FID)",
        "frechet:frechet_distance",
    ),
    "kid": Entry(
        "unbiased squared maximum mean discrepancy with the kernel (x·y / d + 1)³, mean over "
        "subsets, Inception",
        "kernel:kernel_distance",
        least=-math.inf,
    ),
    "kd_squeezenet": Entry(
        "unbiased squared maximum mean discrepancy with the kernel (x·y / d + 1)³, mean over "
        "subsets, SqueezeNet 1.1 (not KID)",
        "kernel:kernel_distance",
        least=-math.inf,
    ),
    "kd_random_conv": Entry(
        "unbiased squared maximum mean discrepancy with the kernel (x·y / d + 1)³, mean over "
        "subsets, seeded random convolutions (not KID)",
        "kernel:kernel_distance",
        least=-math.inf,
    ),
    "precision": Entry(
        "share of generated images within the k-nearest-neighbour balls of real ones",
        "neighbours:precision_recall",
    ),
    "recall": Entry(
        "share of real images within the balls of generated ones",
        "neighbours:precision_recall",
    ),
    "density": Entry(
        "mean number of real balls that hold a generated image, over k",
        "neighbours:density_coverage",
    ),
    "coverage": Entry(
        "share of real balls that hold a generated image",
        "neighbours:density_coverage",
    ),
    "ppl2_wend": Entry(
        "perceptual distance of images at the ends of steps of 1e-4 in w, over the step "
        "squared, mean after trimming 1 % on either side",
        "path_length:perceptual_path_length",
    ),
    "als_mean_normalised": Entry(
        "attribute linearity: squared deviation of logits from the line between their ends, "
        "mean over path and attributes, logits normalised",
        "linearity:attribute_linearity",
    ),
    "als_mean_raw": Entry(
        "als_mean_normalised with logits as they are",
        "linearity:attribute_linearity",
    ),
    "als_released": Entry(
        "attribute linearity as released: sum over the path of the squared mean absolute "
        "deviation over a per-method spread",
        "linearity:attribute_linearity",
    ),
}


def entry(metric: str) -> Entry:
    """The entry of a metric id; a variant ("fid/clean@…") is looked up by what stands before "/"."""
    return CATALOGUE[metric if metric in CATALOGUE else metric.partition("/")[0]]


def explained(metric: str, measure: str = "") -> Entry:
    """The entry of a metric id, or of what it measures where the id is a protocol's own.

    >>> explained("nme_torso", "nme_iod") == explained("nme_iod")
    True
    """
    try:
        return entry(metric)
    except KeyError:
        return entry(measure)


def version(metric: str) -> int:
    """The version of a metric's code; 1 for those that the catalogue does not know (a plugin's)."""
    try:
        return entry(metric).version
    except KeyError:
        return 1


def least(metric: str) -> float:
    """The smallest number that a metric can give; of one that the catalogue does not know, any.

    >>> least("nme_iod"), least("kid")
    (0.0, -inf)
    """
    try:
        return entry(metric).least
    except KeyError:
        return -math.inf


def outdated(versions: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Of metrics scored by these versions, those that have another one now: (then, now)."""
    return {m: (then, version(m)) for m, then in versions.items() if then != version(m)}

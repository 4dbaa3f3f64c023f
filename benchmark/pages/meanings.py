"""What a number of a measure means, in one sentence for those who see it for the first time."""

from __future__ import annotations

from benchmark.protocols import Metric

MEANINGS = {
    "nme_iod": "10 means that predicted points lie, on average, a tenth of the distance between the "
    "eyes away from the annotated ones",
    "nme_visible": "10 means that predicted points lie, on average, a tenth of the unit away from the "
    "annotated ones",
    "keypoint_l1_sum": "the number is how many pixels the joints are off, averaged over images and "
    "added "
    "up over joints",
    "keypoint_l2_sum": "the number is how many pixels the joints are off, averaged over images and "
    "added "
    "up over joints",
    "keypoint_l2_edge": "10 means that predicted points lie, on average, a tenth of the picture's side "
    "away from the annotated ones",
    "match_different": "the number is how far from the annotated place points of one face are found on "
    "another, on average",
    "match_same": "the number is how far from where a warp put them points are found again on a copy of "
    "the same face, on average",
    "foreground_iou": "100 means that predicted and true foreground are the same pixels, 0 that they "
    "share none",
    "mask_disagreement": "10 means that a tenth as many pixels as the true mask has are labelled "
    "wrongly",
    "chamfer": "the number is how far points of the predicted shape and of the true one are from each "
    "other, both ways added up, in hundredths of the model's diagonal",
    "fid": "0 means that generated images can't be told from real ones by mean and covariance of the "
    "features of a network; there is no upper end",
    "fd_squeezenet": "0 means that generated images can't be told from real ones by mean and covariance "
    "of SqueezeNet's features; there is no upper end, and numbers of other networks can't be compared",
    "fd_random_conv": "0 means that generated images can't be told from real ones by mean and "
    "covariance "
    "of the features of an untrained network; it says that the path works",
    "als_released": "0 means that attributes change along a straight line from one generated image to "
    "another by equal steps",
}
"""By measure, of those that head a board; others are told by their formula alone."""


def meaning(metric: Metric) -> str:
    """The sentence on what a number of this metric means; empty where there is none.

    Example: of `nme_iod` and of each metric that measures it, that 10 is a tenth of the distance
    between the eyes.
    """
    return MEANINGS.get(metric.measured) or MEANINGS.get(metric.measured.partition("/")[0], "")

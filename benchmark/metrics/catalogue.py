"""What each metric id means, in one sentence with its formula, and which function computes it.

Light: no metric is imported. A test holds every id against the protocols and every function against
the code.
"""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """`formula` for people; `function` is "module:name" under `benchmark.metrics`."""

    formula: str
    function: str


CATALOGUE: dict[str, Entry] = {
    "nme_iod": Entry(
        "mean distance of predicted from annotated points, divided by the distance of the eyes "
        "(inter-ocular distance), per image",
        "landmarks:normalised_mean_error",
    ),
    "match_different": Entry(
        "mean distance of matched from true points in another person's image, divided by the distance "
        "of that image's eyes, per pair",
        "matching:match_descriptors",
    ),
    "fid": Entry(
        "Fréchet distance of Inception features of generated and real images, each set taken as a "
        "Gaussian: |m1 - m2|² + tr(S1 + S2 - 2 (S1 S2)^½)",
        "frechet:frechet_distance",
    ),
    "fd_squeezenet": Entry(
        "the same Fréchet distance through SqueezeNet 1.1, which is no FID",
        "frechet:frechet_distance",
    ),
    "fd_random_conv": Entry(
        "the same Fréchet distance through three random convolutions, which is no FID",
        "frechet:frechet_distance",
    ),
    "kid": Entry(
        "kernel distance (KID) of Inception features of generated and real images: mean over subsets "
        "of the squared maximum mean discrepancy under (x·y / D + 1)³, times 1000",
        "kernel:kernel_distance",
    ),
    "kd_squeezenet": Entry(
        "the same kernel distance through SqueezeNet 1.1, which is no KID", "kernel:kernel_distance"
    ),
    "kd_random_conv": Entry(
        "the same kernel distance through three random convolutions, which is no KID",
        "kernel:kernel_distance",
    ),
    "precision": Entry(
        "part of the generated images whose features lie in the ball of some real image's k nearest "
        "neighbours",
        "neighbours:precision_recall",
    ),
    "recall": Entry(
        "part of the real images whose features lie in the ball of some generated image's k nearest "
        "neighbours",
        "neighbours:precision_recall",
    ),
    "density": Entry(
        "in how many balls of real images a generated one lies, over k; may exceed 100 %",
        "neighbours:density_coverage",
    ),
    "coverage": Entry(
        "part of the real images whose ball holds a generated one", "neighbours:density_coverage"
    ),
    **{
        name: Entry(
            f"perceptual path length: image distance over epsilon² along {path}, mean between the 1st "
            "and 99th percentile",
            "path_length:perceptual_path_length",
        )
        for name, path in {
            "ppl2_wend": "straight lines in w at their start, whole images",
            "ppl_wend": "straight lines in w at their start, images cropped to the face",
            "ppl_wfull": "straight lines in w anywhere, images cropped to the face",
            "ppl_zend": "great circles in z at their start, images cropped to the face",
            "ppl_zfull": "great circles in z anywhere, images cropped to the face",
        }.items()
    },
    **{
        f"als_{variant}": Entry(
            f"attribute linearity, {words}: how far a classifier's logits stray from the straight line "
            "between the ends of straight lines in w, mean over attributes",
            "linearity:attribute_linearity",
        )
        for variant, words in {
            "released": "as the released code prints it",
            "sum_normalised": "squares summed over steps, logits over their deviation",
            "mean_normalised": "squares averaged over steps, logits over their deviation",
            "mean_normalised_with_start": "the same with the start among the steps",
            "mean_raw": "squares averaged over steps, logits as they are",
            "mean_raw_with_start": "the same with the start among the steps",
        }.items()
    },
    "match_same": Entry(
        "the same between two views of one image, of which at least one is warped",
        "matching:match_descriptors",
    ),
}


def entry(metric: str) -> Entry:
    """The entry of a metric id; a variant ("fid/clean@…") is looked up by what stands before "/"."""
    return CATALOGUE[metric if metric in CATALOGUE else metric.partition("/")[0]]

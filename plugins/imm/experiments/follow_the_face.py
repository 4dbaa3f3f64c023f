"""Do points follow the face when the head turns, or only the frame that a warp moves?

For fits on this machine: the probe's error on the images it is trained on, and, for each point, the
correlation of its x with how far the nose lies beside the middle of the eyes. Nothing of the test part
is looked at.

    python plugins/imm/experiments/follow_the_face.py ytf5 0,1,2,3,4 renderer=transposed
    python plugins/imm/experiments/follow_the_face.py ytf5_clips 0 renderer=transposed pairs=views
"""

from __future__ import annotations

import sys

import numpy as np

from benchmark.metrics.landmarks import inter_ocular_distance, normalised_mean_error
from benchmark.probes.linear import LinearProbe
from benchmark.runner.plan import make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import loaded_method
from benchmark.settings import from_words
from benchmark.tasks.collect import predictions
from benchmark.tasks.landmark_rule import landmarks_of


def silent(*_: object, **__: object) -> None:
    """No progress display."""


def measured(protocol: str, seed: int, words: list[str]) -> tuple[float, np.ndarray]:
    """Error (%) of a linear probe with intercept on its own images, and |correlation| (K,)."""
    given = from_words(words)
    request = Request("imm", protocol, preset="small", given=given, seed=seed, device="cpu")
    plan = make_plan(request, silent)
    split, rule = plan.splits["train"], plan.protocol.landmarks
    assert split.points is not None
    assert rule is not None
    assert rule.eyes is not None
    truth = landmarks_of(split.points, rule)
    method = loaded_method(plan)
    found = predictions(method, "landmarks", split.images(), None, silent, "train")
    points = np.concatenate([prediction.arrays()["points"] for _, prediction in found])
    probe = LinearProbe(intercept=True, centre=False).fit(points, truth)
    eyes = inter_ocular_distance(truth, rule.eyes)
    errors = normalised_mean_error(probe.predict(points), truth, eyes)
    turned = truth[:, 2, 0] - truth[:, :2, 0].mean(1)
    follows = [abs(np.corrcoef(x, turned)[0, 1]) for x in points[..., 0].T]
    return float(np.mean(errors)), np.sort(follows)[::-1]


if __name__ == "__main__":
    protocol, seeds, *words = sys.argv[1:]
    for seed in map(int, seeds.split(",")):
        error, follows = measured(protocol, seed, words)
        print(
            f"{protocol} {' '.join(words)} seed {seed}: {error:.2f} %, |r|", *np.round(follows, 2)
        )

"""Where a part lies: the rules by which papers read one point per part from maps of parts."""

from __future__ import annotations

import torch

from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.contracts.predictions import Landmarks, Parts
from benchmark.contracts.spec import CENTRE_RULES, CentreRule


def part_centres(
    probabilities: torch.Tensor, rule: CentreRule = "soft_mean", *, side: float | None = None
) -> torch.Tensor:
    """Centre (x, y) of each part, float64 (N, K, 2), of maps (N, K + 1, H, W), channel 0 background.

    All rules take the mean position, weighted by the part's map, in pixels with the centre of the
    top-left one at (0, 0), unless they say otherwise:

    - "soft_mean": the map over its sum; a part that is nowhere sits in the middle of the image.
    - "scops": the map over its sum; a part that is nowhere is refused, the reference gives NaN there
      (NVlabs/SCOPS@05da7e4 visualize.py).
    - "ganseg": the map over its sum + 1e-6, so that weak parts are pulled to the origin; positions run
      from 0 to `side`, both included (by default the side of the image; the reference always takes
      128, xingzhehe/GANSeg@a3f5078 test_seg.py).
    - "motion_cosegmentation": 1e-6 added to every pixel first, so that weak parts are pulled to the
      middle (AliaksandrSiarohin/motion-cosegmentation@571e26f evaluate.py).
    - "assembly": each pixel counts fully for its most probable channel, then 1e-8 is added to every
      pixel (Talegqz/unsupervised_co_part_segmentation@fa97b42 evaluation.py).

    Raises `InvalidInput` for other shapes and (scops) for a part that is nowhere.

    >>> maps = torch.zeros(1, 2, 3, 5)
    >>> maps[0, 1, 2, 3] = 0.5
    >>> part_centres(maps, "scops").tolist()
    [[[3.0, 2.0]]]
    """
    if rule not in CENTRE_RULES:
        raise UnknownName("part-centre rule", rule, CENTRE_RULES)
    if probabilities.ndim != 4 or probabilities.shape[1] < 2 or 0 in probabilities.shape:
        raise InvalidInput(
            f"part centres need maps (N, K + 1, H, W), got {tuple(probabilities.shape)}"
        )
    weights = probabilities[:, 1:].double()
    if rule == "assembly":
        channel = torch.arange(1, probabilities.shape[1], device=weights.device)
        weights = (probabilities.argmax(1)[:, None] == channel[:, None, None]).double()
    weights = weights + {"motion_cosegmentation": 1e-6, "assembly": 1e-8}.get(rule, 0.0)
    mass = weights.sum((-2, -1)) + (1e-6 if rule == "ganseg" else 0.0)
    x = weights.sum(-2) @ _positions(weights.shape[-1], rule, side, weights) / mass
    y = weights.sum(-1) @ _positions(weights.shape[-2], rule, side, weights) / mass
    centres = torch.stack([x, y], -1)
    if rule == "scops" and bool((mass == 0).any()):
        image, part = (mass == 0).nonzero()[0].tolist()
        raise InvalidInput(
            f"part {part + 1} of image {image} of this batch is zero everywhere, so it has no centre",
            cure="give every part some probability, or name another rule in a protocol of your own",
        )
    if rule == "soft_mean":
        middle = (centres.new_tensor(weights.shape[:-3:-1]) - 1) / 2
        centres = torch.where((mass > 1e-8)[..., None], centres, middle)
    return centres


def landmarks_of(parts: Parts, rule: CentreRule = "soft_mean") -> Landmarks:
    """Part centres by a named rule, as points.

    The confidence is the largest probability of the part's map, 0 for a part that is nowhere.
    """
    maps = parts.probabilities[:, 1:]
    there = maps.double().sum((-2, -1)) > 1e-8
    confidence = torch.where(there, maps.amax((-2, -1)), torch.zeros_like(maps[:, :, 0, 0]))
    return Landmarks(part_centres(parts.probabilities, rule).float(), confidence.float())


def _positions(
    count: int, rule: CentreRule, side: float | None, like: torch.Tensor
) -> torch.Tensor:
    last = (count if side is None else side) if rule == "ganseg" else count - 1
    return torch.linspace(0, last, count, dtype=torch.float64, device=like.device)

"""Random thin-plate warps of stated strength, from a NumPy generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from benchmark.contracts.errors import InvalidInput
from benchmark.warps.thin_plate import ThinPlateSpline, Variant


@dataclass(frozen=True)
class WarpStrength:
    """How strongly random warps bend, shift, scale and turn: standard deviations of normals.

    `bend_all` of every weight; `bend_some` of a random half of them, which it replaces ("dve") or
    adds to ("imm"); `translation` in half image sizes; `scale` around 1; `rotation` in degrees.
    `controls` is the number of control points along each axis.
    """

    bend_all: float
    bend_some: float
    translation: float
    scale: float
    rotation: float
    variant: Variant = "dve"
    controls: int = 10

    def draw(self, count: int, generator: np.random.Generator) -> ThinPlateSpline:
        """`count` random warps; the first of many are the same as a few drawn alone.

        Every number is a standard normal of `generator`, also the coin (its sign), so that one
        stream of one distribution decides everything.
        """
        if count < 1:
            raise InvalidInput(f"at least one warp must be drawn, not {count}")
        k = self.controls**2
        normal = generator.standard_normal((count, 6 * k + 4))
        every, some, coin = normal[:, : 6 * k].reshape(count, 3, k, 2).transpose(1, 0, 2, 3)
        moved, scale, turn = normal[:, -4:-2], normal[:, -2], normal[:, -1]
        kept = every * self.bend_all
        bent = some * self.bend_some + (kept if self.variant == "imm" else 0.0)
        weights = np.where(coin > 0, bent, kept)
        straight = ThinPlateSpline.similarity(
            moved * self.translation, 1.0 + scale * self.scale, turn * self.rotation
        )
        return ThinPlateSpline(torch.from_numpy(weights), straight.affine, self.variant)


#: DVE's and ContrastLandmark's copies of few annotated images: half of the weights become zero.
#: jamt9000/DVE@2085144 utils/tps.py WarperSingle, the same in cvl-umass/ContrastLandmark@5b2c6b3.
FEW_LABELS = WarpStrength(0.0005, 0.0, 0.02, 0.02, 2.0)

#: Warps by the name that a protocol of few labels gives. "bend_everywhere" bends at every control
#: point where the references leave half of them: version 1 of our protocols, kept as it was.
LIMITED_WARPS = {
    "bend_everywhere": WarpStrength(0.0005, 0.0005, 0.02, 0.02, 2.0),
    "dve_few_labels": FEW_LABELS,
}

"""Draw cars of the car twin in the street at evening, with their masks: photographs for the study.

    python draw_photographs.py FOLDER

makes FOLDER/photographs/NAME.png and FOLDER/masks/NAME.png, one picture of each of 600 models, 160
pixels wide: other shapes, paints, lights, surroundings and noise than the renders have.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from benchmark.twins.car import CarRecipe
from benchmark.twins.renderer import render

MODELS = 600
SIDE = 160
SEED = 20
AT_ONCE = 50


def main(folder: Path) -> None:
    """Nothing is drawn into a folder that is there already."""
    photographs, masks = folder / "photographs", folder / "masks"
    photographs.mkdir(parents=True)
    masks.mkdir()
    recipe = CarRecipe(
        range(MODELS), views=1, background="clutter", light="evening", grain=(4.0, 10.0)
    )
    for first in range(0, MODELS, AT_ONCE):
        drawn = render(recipe, AT_ONCE, SIDE, SEED, first=first)
        for offset in range(AT_ONCE):
            name = f"car_{first + offset:03d}.png"
            Image.fromarray(drawn.images[offset]).save(photographs / name)
            Image.fromarray(np.uint8(255) * (drawn.foreground[offset])).save(masks / name)
        print(f"{first + AT_ONCE} of {MODELS}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

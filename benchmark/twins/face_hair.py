"""Hair: caps cut along a hairline, curtains, locks and buns; or a painted stubble."""

from __future__ import annotations

from benchmark.twins.face_shape import HAIR, SKIN
from benchmark.twins.face_traits import Person
from benchmark.twins.scene import Plane, SceneBuilder

_STRANDS = (9.0, 0.6, 5.0, 0.9, 1.3, 0.7, 0.3)
_CURLS = (6.0, 5.0, 7.0, -6.0, 7.0, 5.0, 0.4)


def add_hair(b: SceneBuilder, person: Person) -> None:
    """Add the person's hair style to a head (see `face_shape` for the frame)."""
    style, colour, w = person.hair_style, person.hair, person.width
    waves = _CURLS if person.curl > 0.7 or style == "afro" else _STRANDS

    def lump(
        centre: tuple[float, float, float],
        radii: tuple[float, float, float],
        *clips: Plane,
        turn: tuple[float, float, float] = (0, 0, 0),
    ) -> None:
        b.solid(centre, radii, HAIR, colour, turn=turn, clips=clips, shine=0.12, waves=waves)

    # the hairline is a plane that rises from the ears to the forehead: keep z - y >= level
    level = -0.02 + person.hairline
    hairline: Plane = ((0, -1, 1), level)
    short: Plane = ((0, -1, 0), -0.5)
    if style == "bald":
        return
    if style == "buzz":
        b.paint((0, -0.7, 0.6), (0.96, 0.97, 1.27), colour, on=(SKIN,), part=HAIR, soft=0.06,
                strength=0.85)  # fmt: skip
        return
    if style == "afro":
        lump((0, -0.45, 0.25), (1.05 * w, 0.98, 1.02), ((0, -1, 1), level))
        return
    lump((0, -0.34, 0.17), (0.79 * w, 0.85, 0.93), hairline, short)
    if style == "parted":
        side = 1 if person.curl > 0.35 else -1
        lump((side * 0.2, -0.86, -0.28), (0.52, 0.26, 0.46), turn=(0, 0, side * 14))
        lump((-side * 0.42, -0.78, -0.2), (0.28, 0.26, 0.42), turn=(0, 0, -side * 34))
    elif style == "short":
        lump((0, -0.95, -0.2), (0.55 * w, 0.28, 0.55))
    elif style == "fringe":
        lump((0, -0.66, -0.34), (0.68 * w, 0.5, 0.5), ((0, -1, 0), 0.38 - person.hairline))
    elif style == "bun":
        lump((0, -1.15, 0.5), (0.34, 0.32, 0.34))
    if style in ("bob", "long", "fringe"):
        length = {"bob": 0.75, "fringe": 0.95, "long": 1.5}[style]
        behind: Plane = ((0, 0, 1), 0.06)
        lump((0, 0.5 * length - 0.5, 0.3), (0.9 * w, 0.5 * length + 0.62, 0.72), behind)
        for side in (-1, 1):
            at = (side * 0.76 * w, 0.45 * length - 0.35, 0.04)
            lump(at, (0.15, 0.45 * length + 0.42, 0.26), turn=(0, 0, side * 4))

"""What recipes share beside the subject: poses, limbs, lights and what is behind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmark.contracts.errors import InvalidInput
from benchmark.twins.draws import Colour, Dice, linear, mix, shade
from benchmark.twins.scene import Array, Backdrop, Light, SceneBuilder, Vector, turning


def check_identities(recipe: str, identities: Sequence[int]) -> None:
    """Raise InvalidInput unless `identities` is a non-empty sequence of numbers >= 0."""
    if not len(identities) or min(identities) < 0:
        raise InvalidInput(
            f"{recipe} twin: identities must be a non-empty sequence of numbers >= 0, "
            f"got {identities!r}",
            cure="give for example identities=range(200)",
        )


def check_range(recipe: str, name: str, low_high: tuple[float, float]) -> None:
    """Raise InvalidInput unless `low_high` is a range with its lower end first."""
    low, high = low_high
    if not low <= high:
        raise InvalidInput(
            f"{recipe} twin: {name} must be (low, high) with low <= high, got {low_high!r}",
            cure=f"give for example {name}=({min(low, high)}, {max(low, high)})",
        )


def check_share(recipe: str, name: str, share: float) -> None:
    """Raise InvalidInput unless `share` is between 0 and 1."""
    if not 0 <= share <= 1:
        raise InvalidInput(
            f"{recipe} twin: {name} must be between 0 and 1, got {share!r}",
            cure=f"give for example {name}=0.5",
        )


def pose(yaw: float, pitch: float, roll: float) -> Array:
    """Object to camera: pitch first, then yaw, then roll, in degrees.

    Positive yaw turns the nose to the right of the picture, positive pitch lifts it, positive roll
    is clockwise as seen.
    """
    return turning((-pitch, -yaw, roll))


def viewed(yaw: float, elevation: float, roll: float) -> Array:
    """Object to camera: yaw as in `pose`, then seen from `elevation` degrees above, then roll."""
    return turning((elevation, 0, roll)) @ turning((0, -yaw, 0))


def limb(
    b: SceneBuilder,
    start: Vector,
    end: Vector,
    radius: float,
    part: int,
    colour: Colour,
    *,
    over: float = 0.6,
    flat: float = 1.0,
    blend: float = 0.0,
    shine: float = 0.0,
    waves: Vector = (0, 0, 0, 0, 0, 0, 0),
) -> None:
    """Add an ellipsoid from `start` to `end`, `radius` thick (`flat` times that the other way).

    Its ends reach `over` radii past the points, so that limbs that share a point join.
    """
    a, z = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    length = float(np.sqrt(((z - a) ** 2).sum()))
    x, y, away = ((z - a) / max(length, 1e-9)).tolist()
    turn = (float(np.degrees(np.arcsin(np.clip(away, -1, 1)))), 0.0)
    b.solid(
        ((a + z) / 2).tolist(),
        (radius, length / 2 + over * radius, radius * flat),
        part,
        colour,
        turn=(*turn, float(np.degrees(np.arctan2(-x, y)))),
        blend=blend,
        shine=shine,
        waves=waves,
    )


def lights(dice: Dice) -> tuple[Light, Light, tuple[float, float, float]]:
    """A key light from anywhere in front, a weak one opposite, and what the room gives back."""
    power, warm = dice.between(0.65, 1.15), dice.around(0.16)
    across, above = np.radians(dice.around(80)), np.radians(dice.between(-10, 55))
    key = Light(_unit(across, above), (power * (1 + warm), power, power * (1 - warm)))
    weak = power * dice.between(0.05, 0.35)
    fill = Light(_unit(-across * 1.2, 0.2), (weak * (1 - warm), weak, weak * (1 + warm)))
    room, cast = dice.between(0.22, 0.5), dice.around(0.2)
    return key, fill, (room * (1 - cast), room, room * (1 + cast))


def daylight(dice: Dice) -> tuple[Light, Light, tuple[float, float, float]]:
    """A sun above and in front, sky from the other side, and what everything around gives back."""
    power, warm = dice.between(0.75, 1.1), dice.between(0, 0.12)
    across, above = np.radians(dice.around(80)), np.radians(dice.between(15, 65))
    sun = Light(_unit(across, above), (power * (1 + warm), power, power * (1 - warm)))
    weak = power * dice.between(0.1, 0.3)
    sky = Light(_unit(-across, 0.4), (weak * 0.9, weak, weak * 1.15))
    room = dice.between(0.28, 0.48)
    return sun, sky, (room * 0.96, room, room * 1.04)


def evening(dice: Dice) -> tuple[Light, Light, tuple[float, float, float]]:
    """A low orange sun from one side, a blue sky from the other, and little else."""
    power, side = dice.between(0.8, 1.1), 1 if dice.chance(0.5) else -1
    across, above = np.radians(side * dice.between(35, 75)), np.radians(dice.between(5, 20))
    sun = Light(_unit(across, above), (power * 1.15, power * 0.62, power * 0.25))
    weak = power * dice.between(0.15, 0.3)
    sky = Light(_unit(-across, 0.5), (weak * 0.45, weak * 0.7, weak * 1.3))
    room = dice.between(0.12, 0.22)
    return sun, sky, (room * 0.75, room * 0.85, room * 1.3)


def _unit(across: float, above: float) -> tuple[float, float, float]:
    flat = np.cos(above)
    return float(flat * np.sin(across)), float(-np.sin(above)), float(-flat * np.cos(across))


def clutter(dice: Dice) -> Backdrop:
    """Any colours, with soft boxes and ellipses of other colours, some of them striped."""

    def colour() -> list[float]:
        return list(linear((dice.between(10, 245), dice.between(10, 245), dice.between(10, 245))))

    near, far = colour(), colour()
    corners = np.array([near, far, far, near]) * np.array(
        [[dice.between(0.5, 1.2)] for _ in range(4)]
    )
    rows = []
    for _ in range(int(dice.between(3, 11))):
        box, striped = dice.chance(0.5), dice.chance(0.25)
        rows.append(
            [
                float(box),
                dice.between(-0.1, 1.1),
                dice.between(-0.1, 1.1),
                dice.between(0.04, 0.45),
                dice.between(0.04, 0.45),
                dice.between(0, np.pi),
                dice.between(0.05, 0.6),
                dice.between(1.5, 5) if striped else 0.0,
                *colour(),
            ]
        )
    return Backdrop(corners.reshape(2, 2, 3), np.array(rows).reshape(-1, 11))


def room(dice: Dice) -> Backdrop:
    """`clutter` of an indoor kind: the same shapes in quieter colours on an even wall."""
    loud = clutter(dice)
    wall = loud.corners.mean(axis=(0, 1))
    wall = 0.5 * wall + 0.5 * wall.mean()
    shapes = loud.shapes.copy()
    shapes[:, 8:] = 0.45 * shapes[:, 8:] + 0.55 * wall
    return Backdrop(0.3 * loud.corners + 0.7 * wall, shapes)


_GREENS: tuple[Colour, ...] = (
    (38, 62, 30), (70, 104, 46), (112, 138, 66), (150, 160, 96), (92, 88, 54), (52, 84, 62),
)  # fmt: skip
_SKIES: tuple[Colour, ...] = ((96, 148, 208), (150, 190, 224), (206, 214, 222), (226, 196, 168))
_WATERS: tuple[Colour, ...] = ((40, 82, 104), (74, 116, 128), (112, 142, 146), (58, 78, 70))

NATURE = ("foliage", "sky", "water")


def nature(dice: Dice, kind: str) -> Backdrop:
    """Foliage, sky or water out of focus: a wash of its colours and soft blobs of others."""
    tones = {"foliage": _GREENS, "sky": _SKIES, "water": _WATERS}[kind]

    def tone() -> Colour:
        base = mix(tones[dice.pick((1,) * len(tones))], tones[dice.pick((1,) * len(tones))], 0.5)
        return shade(linear(base), dice.between(0.6, 1.35))

    top, bottom = tone(), tone()
    corners = np.array([top, mix(top, bottom, 0.2), bottom, mix(bottom, top, 0.2)])
    rows: list[list[float]] = []

    def blob(x: float, y: float, wide: float, tall: float, angle: float, colour: Colour) -> None:
        rows.append([0.0, x, y, wide, tall, angle, dice.between(0.2, 0.9), 0.0, *colour])

    for _ in range(int(dice.between(*{"foliage": (9, 18), "sky": (2, 6), "water": (7, 13)}[kind]))):
        x, y = dice.between(-0.1, 1.1), dice.between(-0.1, 1.1)
        if kind == "sky":
            cloud = shade((0.86, 0.88, 0.92), dice.between(0.7, 1.05))
            wide = dice.between(0.2, 0.5)
            blob(x, y, wide, wide * dice.between(0.25, 0.5), dice.around(0.2), cloud)
        elif kind == "water":
            blob(x, y, dice.between(0.2, 0.7), dice.between(0.01, 0.05), dice.around(0.06), tone())
        else:
            wide, tall = dice.between(0.03, 0.3), dice.between(0.03, 0.3)
            blob(x, y, wide, tall, dice.between(0, np.pi), tone())
    return Backdrop(corners.reshape(2, 2, 3), np.array(rows).reshape(-1, 11))


def ground(dice: Dice, backdrop: Backdrop, horizon: float, colour: Colour) -> Backdrop:
    """`backdrop` with a ground of that colour below `horizon` (fraction of the height)."""
    middle = (1 + horizon) / 2 + 0.3
    soft = dice.between(0.02, 0.1)
    rows = [[1.0, 0.5, middle, 2.0, middle - horizon, 0.0, soft, 0.0, *colour]]
    for _ in range(int(dice.between(3, 8))):
        y = dice.between(horizon + 0.03, 1.05)
        other = shade(colour, dice.between(0.75, 1.2))
        wide = dice.between(0.1, 0.5)
        rows.append([0.0, dice.between(0, 1), y, wide, wide * 0.15, 0.0, 0.7, 0.0, *other])
    return Backdrop(backdrop.corners, np.concatenate([backdrop.shapes, np.array(rows)]))

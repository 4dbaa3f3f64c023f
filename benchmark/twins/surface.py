"""Points spread evenly over the outer surface of a scene's solids."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.contracts.errors import InvalidInput
from benchmark.twins.scene import BOX, Array, Solids

_DRAWS = 100  # rounds; the first one or two are enough for a solid scene
_UNDER = 1e-4  # a point this fraction of the radii below another surface still lies on it
_CHUNK = 20_000  # candidates a round at most


class _Patch(NamedTuple):
    """A piece of one solid's surface that candidates are drawn on, with its area.

    `face` is -1 for an ellipsoid, 0 to 5 for a face of a box, and above that a clip of a box, of
    which a square is drawn that surely holds the cut.
    """

    row: int
    face: int
    area: float


def surface_points(
    solids: Solids, count: int, random: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Points (count, 3), object frame, spread evenly over the outer surface.

    Candidates are drawn per ellipsoid, box face and cut in proportion to their areas; those inside
    another solid, cut away by a clip or in a hole are drawn again. Clipped or holed ellipsoids are
    shells and hold nothing inside; clipped boxes are solid. Part 0 is left out. A scene with next
    to no outside raises InvalidInput.

    >>> from benchmark.twins.scene import SceneBuilder
    >>> builder = SceneBuilder()
    >>> builder.solid((0, 0, 0), (2, 2, 2), 1, (0.5, 0.5, 0.5))
    >>> surface_points(builder.solids(), 5, np.random.default_rng(0)).shape
    (5, 3)
    """
    patches = _patches(solids)
    area = np.array([patch.area for patch in patches])
    kept: list[Array] = []
    missing = count
    for _ in range(_DRAWS if patches else 0):
        if not missing:
            break
        draw = min(4 * missing + 64, _CHUNK)
        shares = np.bincount(
            random.choice(len(patches), size=draw, p=area / area.sum()), minlength=len(patches)
        )
        found, owners = [], []
        for patch, share in zip(patches, shares.tolist(), strict=True):
            if share:
                found.append(_kept(solids, patch, _draw(solids, patch, share, random)))
                owners.append(np.full(len(found[-1]), patch.row))
        points = _outside(solids, np.concatenate(found), np.concatenate(owners))
        points = random.permutation(points)[:missing]
        kept.append(points)
        missing -= len(points)
    if missing:
        raise InvalidInput(
            f"twin scene: expected {count} surface points, found {count - missing} on the outside",
            cure="the scene's solids are almost all clipped or inside one another",
        )
    return np.concatenate([np.empty((0, 3)), *kept]).astype(np.float32)


def _patches(solids: Solids) -> list[_Patch]:
    patches: list[_Patch] = []
    for row in np.flatnonzero(solids.part != 0).tolist():
        a, b, c = solids.radii[row].tolist()
        if solids.kind[row] == BOX:
            sides = (4 * b * c, 4 * a * c, 4 * a * b)
            patches += [_Patch(row, face, sides[face // 2]) for face in range(6)]
            square = 4 * (a * a + b * b + c * c)
            patches += [_Patch(row, 6 + clip, square) for clip in range(len(solids.clips[row]))]
        else:
            # Thomsen's formula, a percent off at worst
            x, y, z = a**1.6, b**1.6, c**1.6
            area = 4 * np.pi * ((x * y + x * z + y * z) / 3) ** (1 / 1.6)
            patches.append(_Patch(row, -1, float(area)))
    return patches


def _draw(solids: Solids, patch: _Patch, count: int, random: np.random.Generator) -> Array:
    """`count` points (count, 3) spread evenly over a patch."""
    row, face = patch.row, patch.face
    centre, axes, radii = solids.centre[row], solids.axes[row], solids.radii[row]
    if face < 0:
        ball = _even_on_ellipsoid(radii, count, random)
        return centre + (ball * radii) @ axes.T
    if face < 6:
        place = random.uniform(-1, 1, (count, 3))
        place[:, face // 2] = 1.0 if face % 2 else -1.0
        return centre + (place * radii) @ axes.T
    normal, offset = solids.clips[row][face - 6]
    unit = np.asarray(normal, dtype=np.float64)
    size = float(np.sqrt(unit @ unit))
    unit = unit / size
    across = np.cross(unit, np.eye(3)[int(np.argmin(np.abs(unit)))])
    across /= np.sqrt(across @ across)
    reach = float(np.sqrt((radii * radii).sum()))
    foot = centre + (offset / size - centre @ unit) * unit
    place = random.uniform(-reach, reach, (count, 2))
    return foot + place[:, :1] * across + place[:, 1:] * np.cross(unit, across)


def _even_on_ellipsoid(radii: Array, count: int, random: np.random.Generator) -> Array:
    """Points of the unit sphere that are even once stretched by `radii`."""
    kept: list[Array] = []
    missing = count
    while missing:
        ball = random.standard_normal((4 * missing + 16, 3))
        ball /= np.sqrt((ball * ball).sum(axis=1, keepdims=True))
        # a uniform sphere stretched by radii is thinned by the area it gained
        stretch = np.sqrt(((ball / radii) ** 2).sum(axis=1)) * radii.min()
        ball = ball[random.random(len(ball)) < stretch][:missing]
        kept.append(ball)
        missing -= len(ball)
    return np.concatenate([np.empty((0, 3)), *kept])


def _kept(solids: Solids, patch: _Patch, points: Array) -> Array:
    """Those of a patch's points that its own solid keeps: in no hole and behind no clip."""
    row = patch.row
    if patch.face >= 6:
        points = points[_within(solids, row, points, 1 + 1e-9)]
    for number, (normal, offset) in enumerate(solids.clips[row]):
        if number != patch.face - 6:
            points = points[points @ np.asarray(normal) >= offset]
    if solids.hole[row]:
        place = (points - solids.centre[row]) @ solids.axes[row][:, :2] / solids.radii[row][:2]
        points = points[(place * place).sum(axis=1) >= solids.hole[row] ** 2]
    return points


def _outside(solids: Solids, points: Array, owners: npt.NDArray[np.int64]) -> Array:
    """Those of the points, each on the solid that owns it, that are in no other solid."""
    for row in np.flatnonzero(solids.part != 0).tolist():
        if solids.kind[row] != BOX and (solids.clips[row] or solids.hole[row]):
            continue
        inside = _within(solids, row, points, 1 - _UNDER) & (owners != row)
        if solids.kind[row] == BOX:
            for normal, offset in solids.clips[row]:
                inside &= points @ np.asarray(normal) > offset + 1e-6
        points, owners = points[~inside], owners[~inside]
    return points


def _within(solids: Solids, row: int, points: Array, scale: float) -> npt.NDArray[np.bool_]:
    """Which points are inside a solid, unclipped, grown by `scale`."""
    place = (points - solids.centre[row]) @ solids.axes[row] / solids.radii[row]
    if solids.kind[row] == BOX:
        within: npt.NDArray[np.bool_] = (np.abs(place) < scale).all(axis=1)
        return within
    inside: npt.NDArray[np.bool_] = (place * place).sum(axis=1) < scale * scale
    return inside

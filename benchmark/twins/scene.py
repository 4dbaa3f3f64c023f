"""What a recipe says and a renderer draws: solids, paints, lights, a camera and a backdrop.

Two frames. The *object frame* is the subject's own: x right, y down, z away from the viewer when
the subject faces the camera, in units the recipe chooses. The *camera frame* is x right, y down, z
forward; `Camera` takes the one to the other and on to pixels. Lights live in the camera frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from benchmark.contracts.errors import InvalidInput

Array = npt.NDArray[np.float64]
Vector = Sequence[float]
Plane = tuple[Vector, float]

ELLIPSOID, BOX = 0, 1


def turning(degrees: npt.ArrayLike) -> Array:
    """Rotation matrices (..., 3, 3) of turns (..., 3) in degrees about x, then y, then z.

    `turning((0, 0, 90)) @ (1, 0, 0)` is `(0, 1, 0)`: from right to down, clockwise as seen.
    """
    angles = np.radians(np.asarray(degrees, dtype=np.float64))
    (cx, cy, cz), (sx, sy, sz) = (
        np.moveaxis(np.cos(angles), -1, 0),
        np.moveaxis(np.sin(angles), -1, 0),
    )
    return np.stack(
        [
            np.stack([cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx], axis=-1),
            np.stack([sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx], axis=-1),
            np.stack([-sy, cy * sx, cy * cx], axis=-1),
        ],
        axis=-2,
    )


def quaternion(rotation: Array) -> Array:
    """Unit quaternion (w, x, y, z), w >= 0, of a rotation matrix (3, 3).

    The diagonal gives the magnitudes, the skew part the signs; near half turns the largest
    component is found first, so that nothing is divided by zero.
    """
    r = rotation
    squares = np.array(
        [
            1 + r[0, 0] + r[1, 1] + r[2, 2],
            1 + r[0, 0] - r[1, 1] - r[2, 2],
            1 - r[0, 0] + r[1, 1] - r[2, 2],
            1 - r[0, 0] - r[1, 1] + r[2, 2],
        ]
    )
    products = np.array(
        [
            [squares[0], r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]],
            [r[2, 1] - r[1, 2], squares[1], r[0, 1] + r[1, 0], r[0, 2] + r[2, 0]],
            [r[0, 2] - r[2, 0], r[0, 1] + r[1, 0], squares[2], r[1, 2] + r[2, 1]],
            [r[1, 0] - r[0, 1], r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], squares[3]],
        ]
    )
    row = products[int(np.argmax(squares))]
    unit: Array = row / np.sqrt((row * row).sum())
    return -unit if unit[0] < 0 else unit


@dataclass(frozen=True)
class Camera:
    """A pinhole: object point p is seen at `focal * (X/Z, Y/Z) + centre`, (X, Y, Z) = R p + t.

    `centre` and `focal` are in pixels; the centre of the top-left pixel is (0, 0).
    """

    rotation: Array
    translation: Array
    focal: float
    centre: tuple[float, float]

    def seen(self, points: Array) -> Array:
        """Camera-frame coordinates (..., 3) of object points (..., 3)."""
        return points @ self.rotation.T + self.translation

    def project(self, points: Array) -> Array:
        """Pixels (..., 2) of object points (..., 3)."""
        seen = self.seen(points)
        return self.focal * seen[..., :2] / seen[..., 2:] + np.asarray(self.centre)

    @property
    def intrinsics(self) -> Array:
        """The (3, 3) matrix taking camera-frame points to homogeneous pixels."""
        x, y = self.centre
        return np.array([[self.focal, 0.0, x], [0.0, self.focal, y], [0.0, 0.0, 1.0]])


@dataclass(frozen=True)
class Framing:
    """How a square picture sits around the landmarks, as fractions of the picture's side.

    `scale` is the range of the longer side of the landmarks' box: a square cut at 1.5 times that
    side has 1/1.5 = 0.667. `shift` is the range of the offset of the box's centre, per axis.
    """

    scale: tuple[float, float] = (0.61, 0.72)
    shift: tuple[float, float] = (-0.045, 0.045)

    def __post_init__(self) -> None:
        if not 0 < self.scale[0] <= self.scale[1] or self.shift[0] > self.shift[1]:
            raise InvalidInput(
                "framing: expected 0 < scale[0] <= scale[1] and shift[0] <= shift[1], "
                f"got scale={self.scale}, shift={self.shift}",
                cure="give each range as (low, high), as fractions of the picture's side",
            )

    def camera(
        self, points: Array, rotation: Array, translation: Array, size: int, draws: Vector
    ) -> Camera:
        """The camera that frames object points (K, 3); `draws` are three numbers in [0, 1)."""
        plain = Camera(rotation, translation, 1.0, (0.0, 0.0)).project(points)
        low, high = plain.min(axis=0), plain.max(axis=0)
        scale = self.scale[0] + (self.scale[1] - self.scale[0]) * draws[0]
        focal = float(size * scale / (high - low).max())
        width = self.shift[1] - self.shift[0]
        shift = [size * (self.shift[0] + width * draw) for draw in draws[1:3]]
        middle = (size - 1) / 2 + np.array(shift) - focal * (low + high) / 2
        return Camera(rotation, translation, focal, (float(middle[0]), float(middle[1])))


@dataclass(frozen=True)
class Light:
    """A far light: unit `direction` from the surface to it (camera frame), linear rgb strength."""

    direction: tuple[float, float, float]
    colour: tuple[float, float, float]


@dataclass(frozen=True)
class Backdrop:
    """What is behind everything, out of focus: four corner colours and soft flat shapes.

    `corners` is (2, 2, 3) linear rgb. A row of `shapes` is: box (1) or ellipse (0), centre x, y,
    radii x, y and angle (fractions of the side, radians), edge softness, stripes per radius (0 for
    plain), then linear rgb.
    """

    corners: Array
    shapes: Array


@dataclass(frozen=True)
class Solids:
    """K ellipsoids and boxes in the object frame; one row each.

    `axes` holds the solid's own axes as columns, `radii` the half lengths along them. A solid with
    `blend` > 0 melts into the solids before it within that depth. `clips` keeps, per solid, the
    side `normal . p >= offset` of each plane: a box stays solid, and behind the cut of an ellipsoid
    one sees its inner face. `hole` leaves out an elliptic bore along an ellipsoid's z axis, as a
    fraction of its radii. Part 0 is scenery: it is seen, but belongs to the background. `waves` is two
    wave vectors in cycles per radius and the pattern's strength.
    """

    kind: npt.NDArray[np.int64]
    centre: Array
    axes: Array
    radii: Array
    part: npt.NDArray[np.uint8]
    colour: Array
    blend: Array
    hole: Array
    shine: Array
    waves: Array
    clips: tuple[tuple[Plane, ...], ...]


@dataclass(frozen=True)
class Paints:
    """P volumes that colour, and may rename, the surface inside them, in order; one row each.

    An ellipsoid (`down` = 0) or a lens: pointed at both ends of its x axis, reaching `radii[1]`
    above and `down` below. `bend` lowers both ends of the x axis by that much (raises them when
    negative). `soft` is the width of the edge as a fraction of the radius, `part`
    the new name (-1 keeps it), `on` which parts it takes on (bool (P, 256)).
    """

    centre: Array
    axes: Array
    radii: Array
    down: Array
    bend: Array
    soft: Array
    strength: Array
    colour: Array
    part: npt.NDArray[np.int64]
    on: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scene:
    """Everything one picture shows, and what is known about it.

    `lights` has at least one; the first also glints on what has `shine`. `attributes` is (A,) and
    `landmarks` (K, 3) in the object frame; `grain` is the noise of the picture in 8-bit levels.
    `buried` is how far below the first surface a landmark may lie and still be seen, object units,
    one number or (K,): blends of solids depend a little on where they are seen from, and a joint
    is inside its limb.
    """

    solids: Solids
    paints: Paints
    lights: tuple[Light, ...]
    ambient: tuple[float, float, float]
    backdrop: Backdrop
    camera: Camera
    landmarks: Array
    attributes: Array
    identity: int = 0
    grain: float = 0.0
    grain_seed: int = 0
    buried: float | Array = 0.08


@dataclass
class SceneBuilder:
    """Collects solids and paints; everything is added in the current `frame` (rotation, offset)."""

    rotation: Array = field(default_factory=lambda: np.eye(3))
    offset: Array = field(default_factory=lambda: np.zeros(3))
    _solids: list[tuple[float, ...]] = field(default_factory=list)
    _clips: list[tuple[Plane, ...]] = field(default_factory=list)
    _frames: list[tuple[Array, Array]] = field(default_factory=list)
    _paints: list[tuple[float, ...]] = field(default_factory=list)
    _on: list[tuple[int, ...]] = field(default_factory=list)

    def solid(
        self,
        centre: Vector,
        radii: Vector,
        part: int,
        colour: Vector,
        *,
        turn: Vector = (0, 0, 0),
        kind: int = ELLIPSOID,
        blend: float = 0.0,
        hole: float = 0.0,
        shine: float = 0.0,
        waves: Vector = (0, 0, 0, 0, 0, 0, 0),
        clips: Iterable[Plane] = (),
    ) -> None:
        """Add an ellipsoid or box; see `Solids`. `turn` is in degrees about x, y, z."""
        row = (kind, *centre, *radii, *turn, part, *colour, blend, hole, shine, *waves)
        self._solids.append(row)
        self._clips.append(tuple(clips))
        self._frames.append((self.rotation, self.offset))

    def paint(
        self,
        centre: Vector,
        radii: Vector,
        colour: Vector,
        *,
        on: Sequence[int],
        part: int = -1,
        turn: Vector = (0, 0, 0),
        down: float = 0.0,
        bend: float = 0.0,
        soft: float = 0.2,
        strength: float = 1.0,
    ) -> None:
        """Add a paint, in the object frame; see `Paints`."""
        row = (*centre, *radii, *turn, down, bend, soft, strength, *colour, part)
        self._paints.append(row)
        self._on.append(tuple(on))

    def solids(self) -> Solids:
        """The solids so far as arrays."""
        rows = np.array(self._solids, dtype=np.float64).reshape(-1, 24)
        rotations = np.array([r for r, _ in self._frames]).reshape(-1, 3, 3)
        offsets = np.array([o for _, o in self._frames]).reshape(-1, 3)
        clips = tuple(
            tuple(_moved(plane, rotation, offset) for plane in planes)
            for planes, (rotation, offset) in zip(self._clips, self._frames, strict=True)
        )
        return Solids(
            kind=rows[:, 0].astype(np.int64),
            centre=(rotations @ rows[:, 1:4, None])[..., 0] + offsets,
            radii=rows[:, 4:7],
            axes=rotations @ turning(rows[:, 7:10]),
            part=rows[:, 10].astype(np.uint8),
            colour=rows[:, 11:14],
            blend=rows[:, 14],
            hole=rows[:, 15],
            shine=rows[:, 16],
            waves=rows[:, 17:24],
            clips=clips,
        )

    def paints(self) -> Paints:
        """The paints so far as arrays."""
        rows = np.array(self._paints, dtype=np.float64).reshape(-1, 17)
        on = np.zeros((len(rows), 256), dtype=np.bool_)
        for row, parts in zip(on, self._on, strict=True):
            row[list(parts)] = True
        return Paints(
            centre=rows[:, 0:3],
            radii=rows[:, 3:6],
            axes=turning(rows[:, 6:9]),
            down=rows[:, 9],
            bend=rows[:, 10],
            soft=rows[:, 11],
            strength=rows[:, 12],
            colour=rows[:, 13:16],
            part=rows[:, 16].astype(np.int64),
            on=on,
        )


def _moved(plane: Plane, rotation: Array, offset: Array) -> Plane:
    normal = rotation @ np.asarray(plane[0], dtype=np.float64)
    return normal.tolist(), float(plane[1] + normal @ offset)

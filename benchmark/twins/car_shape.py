"""A car out of cut boxes and ellipsoids.

Object frame, as ShapeNet's: x to the car's right, y up, z to its rear; the middle of the car's box
is the origin and the box's diagonal is 1. Measures go in as metres: x from the middle, y from the
road, z from the front bumper.
"""

from __future__ import annotations

import numpy as np

from benchmark.twins.car_models import Model
from benchmark.twins.draws import Colour, linear, mix, shade
from benchmark.twins.scene import BOX, Array, Plane, SceneBuilder, turning

PART_NAMES = ("background", "body", "windows", "wheels", "lights", "trim")
CORNER_NAMES = tuple(
    f"{height} {end} {side}"
    for side in ("left", "right")
    for height in ("lower", "upper")
    for end in ("front", "back")
)
"""Of the box, in the order of `Car.corners`."""

(_, BODY, WINDOWS, WHEELS, LIGHTS, TRIM) = range(6)

_BLACK: Colour = (0.012, 0.012, 0.014)
_TYRE: Colour = (0.02, 0.02, 0.022)
Range = tuple[float, float]


class Car:
    """One model's solids, added to a builder."""

    def __init__(self, model: Model) -> None:
        self.model = m = model
        box = np.array([m.width, m.height, m.length])
        self.scale = 1 / float(np.sqrt(box @ box))
        self.middle = np.array([0, m.height / 2, m.length / 2])

    def place(self, point: tuple[float, float, float] | Array) -> list[float]:
        """Object coordinates of a point given in metres."""
        place: Array = self.scale * (np.asarray(point, dtype=np.float64) - self.middle)
        return list(place.tolist())

    @property
    def corners(self) -> Array:
        """The eight corners (8, 3) of the car's box."""
        m = self.model
        half = self.scale * np.array([m.width, m.height, m.length]) / 2
        return half * (2 * np.indices((2, 2, 2)).reshape(3, 8).T - 1)

    def _plane(self, normal: tuple[float, float, float], through: tuple[float, ...]) -> Plane:
        place = self.place((through[0], through[1], through[2]))
        return normal, float(np.asarray(normal) @ np.asarray(place))

    def _below(self, start: Range, end: Range) -> Plane:
        """Keeps what is below the line from `start` to `end`, given as (z, y), z growing."""
        (z, y), (z_end, y_end) = start, end
        return self._plane((0, -(z_end - z), y_end - y), (0, y, z))

    def _above(self, start: Range, end: Range) -> Plane:
        normal, offset = self._below(start, end)
        return [-n for n in normal], -offset

    def _sides(self, low: Range, high: Range) -> list[Plane]:
        """Keep what is between both lines from (x, y) `low` to `high` and their mirror images."""
        (x, y), (x_high, y_high) = low, high
        across, up = y_high - y, x_high - x
        return [self._plane((-side * across, up, 0), (side * x, y, 0)) for side in (-1, 1)]

    def _block(
        self,
        b: SceneBuilder,
        x: float,
        y: Range,
        z: Range,
        part: int,
        colour: Colour,
        clips: list[Plane] | None = None,
        *,
        at: float = 0.0,
        shine: float = 0.0,
    ) -> None:
        """A box `x` wide to either side of `at`, cut by `clips`."""
        middle = self.place((at, (y[0] + y[1]) / 2, (z[0] + z[1]) / 2))
        half = self.scale * np.array([x, (y[1] - y[0]) / 2, (z[1] - z[0]) / 2])
        b.solid(middle, half.tolist(), part, colour, kind=BOX, clips=clips or (), shine=shine)

    def _beam(
        self, b: SceneBuilder, start: Array, end: Array, half: Range, part: int, colour: Colour
    ) -> None:
        """A box from one point to another, its halves across and along the car `half`."""
        way = end - start
        length = float(np.sqrt(way @ way))
        away, aside = np.arcsin(way[2] / length), np.arctan2(-way[0], way[1])
        turn = (float(np.degrees(away)), 0.0, float(np.degrees(aside)))
        radii = (self.scale * np.array([half[0], length / 2, half[1]])).tolist()
        b.solid(self.place((start + end) / 2), radii, part, colour, turn=turn, kind=BOX, shine=0.2)

    def _ball(
        self,
        b: SceneBuilder,
        at: tuple[float, float, float],
        radii: tuple[float, float, float],
        part: int,
        colour: Colour,
        clips: list[Plane] | None = None,
        *,
        shine: float = 0.0,
    ) -> None:
        size = (self.scale * np.asarray(radii)).tolist()
        b.solid(self.place(at), size, part, colour, clips=clips or (), shine=shine)

    def build(self, b: SceneBuilder) -> None:
        """Everything."""
        self._hull(b)
        self._cabin(b)
        self._wheels(b)
        self._ends(b)
        self._details(b)

    def _hull(self, b: SceneBuilder) -> None:
        m, half = self.model, self.model.width / 2
        low, end = m.clearance, m.length
        shoulder = 0.72 * m.belt
        clips = [
            self._below((0, m.nose), (m.windscreen, m.belt)),
            self._below((0, m.nose - 0.13), (0.14, m.nose + 0.02)),
            self._below((m.rear - 0.05, m.belt), (end, m.tail)),
            self._below((end - 0.1, m.tail), (end, m.tail - 0.12)),
            self._above((0, low + 0.16), (0.3, low)),
            self._above((end - 0.35, low), (end, low + 0.2)),
            *self._sides((half, shoulder), (0.93 * half, m.belt)),
            *self._sides((0.94 * half, low), (half, low + 0.22)),
        ]
        for side in (-1, 1):
            clips.append(self._plane((-side * 1.0, 0, 2.2), (side * 0.78 * half, 0, 0)))
            clips.append(self._plane((-side * 1.0, 0, -2.6), (side * 0.82 * half, 0, end)))
        self._block(b, half, (low, m.belt), (0, end), BODY, m.paint, clips, shine=0.25)
        self._block(b, 0.9 * half, (low - 0.06, low + 0.02), (0.3, end - 0.35), TRIM, _BLACK)
        if m.style == "pickup":
            self._block(b, 0.82 * half, (m.belt - 0.03, m.belt + 0.012), (m.rear + 0.1, end - 0.12),
                        TRIM, (0.03, 0.03, 0.035))  # fmt: skip

    def _cabin(self, b: SceneBuilder) -> None:
        m, half = self.model, self.model.width / 2
        wide, narrow, roof = 0.92 * half, m.tumble * half, m.height
        front = self._below((m.windscreen, m.belt), (m.roof[0], roof))
        back = self._below((m.roof[1], roof), (m.rear, m.belt))
        sides = self._sides((wide, m.belt), (narrow, roof))
        self._block(b, half, (m.belt - 0.05, roof - 0.06), (m.windscreen - 0.1, m.rear + 0.1),
                    WINDOWS, m.glass, [front, back, *sides], shine=0.5)  # fmt: skip
        top = roof - 0.075
        clips = [
            *self._sides((wide + 0.012, m.belt), (narrow + 0.012, roof)),
            *self._sides((narrow + 0.012, roof - 0.045), (narrow - 0.1, roof)),
            self._below((m.windscreen - 0.02, m.belt), (m.roof[0] - 0.02, roof)),
            self._below((m.roof[1] + 0.02, roof), (m.rear + 0.02, m.belt)),
            self._below((m.roof[0] - 0.05, roof - 0.05), (m.roof[0] + 0.25, roof)),
            self._below((m.roof[1] - 0.3, roof), (m.roof[1] + 0.05, roof - 0.06)),
        ]
        ends = (m.windscreen, m.rear)
        self._block(b, half, (top, roof), ends, BODY, m.top, clips, shine=0.25)
        rise = roof - 0.05 - m.belt
        lean = rise / (roof - m.belt)

        def pillar(foot: float, head: float, size: Range, colour: Colour) -> None:
            for side in (-1.0, 1.0):
                start = np.array([side * (wide - 0.015), m.belt - 0.02, foot])
                end = np.array([side * (wide + (narrow - wide) * lean - 0.015), m.belt + rise,
                                foot + lean * (head - foot)])  # fmt: skip
                self._beam(b, start, end, size, BODY, colour)

        pillar(m.windscreen, m.roof[0], (0.035, 0.035), m.top)
        doors = 0.5 * (m.windscreen + m.rear) + (0.1 if m.style != "sports" else 0.3)
        pillar(doors, doors, (0.03, 0.04), mix(m.top, _BLACK, 0.5))
        thick = {"sedan": 0.1, "sports": 0.12, "hatchback": 0.13}.get(m.style, 0.06)
        # half a pillar's thickness under the rear window, however much that slants
        run, fall = m.rear - m.roof[1], roof - m.belt
        inside = thick * float(np.hypot(run, fall)) / fall
        pillar(m.rear - inside, m.roof[1] - inside, (0.035, thick), m.top)
        if m.style == "van":
            for side in (-1, 1):
                self._block(b, 0.02, (m.belt - 0.05, roof - 0.06), (doors + 0.35, m.rear), BODY,
                            m.top, [back, *self._sides((wide + 0.02, m.belt), (narrow + 0.02, roof))],
                            at=side * (wide - 0.02))  # fmt: skip

    def _wheels(self, b: SceneBuilder) -> None:
        m, half, r = self.model, self.model.width / 2, self.model.wheel
        for z in m.axles:
            for side in (-1, 1):
                over = self._plane((0, 1, 0), (0, m.clearance + 0.04, 0))
                self._ball(b, (side * (half - 0.02), r, z), (0.035, 1.2 * r, 1.2 * r), TRIM, _BLACK,
                           [over])  # fmt: skip
                self._ball(b, (side * (half - 0.1), r, z), (0.15, r, r), WHEELS, _TYRE)
                rim = m.rims * r
                self._ball(b, (side * (half + 0.01), r, z), (0.05, rim, rim), WHEELS, m.rim,
                           shine=0.4)  # fmt: skip
                for spoke in range(5):
                    angle = 2 * np.pi * (spoke + 0.5) / 5
                    y, z_hole = r + 0.62 * rim * np.cos(angle), z + 0.62 * rim * np.sin(angle)
                    hole = (0.02, 0.24 * rim, 0.24 * rim)
                    self._ball(b, (side * (half + 0.04), float(y), float(z_hole)), hole, WHEELS,
                               shade(m.rim, 0.15))  # fmt: skip

    def _ends(self, b: SceneBuilder) -> None:
        m, half = self.model, self.model.width / 2
        wide, tall = m.lamp
        bumper = (0.03, 0.03, 0.034) if m.dark_bumpers else shade(m.paint, 0.92)
        low = m.clearance
        for z, back in ((0.0, False), (m.length, True)):
            inner, outer = (z - 0.12, z + 0.035) if back else (z - 0.035, z + 0.12)
            level = low + 0.14
            clips = [self._plane((-side, 0, -2.0 if back else 2.0), (side * 0.8 * half, 0, z))
                     for side in (-1, 1)]  # fmt: skip
            self._block(b, 0.95 * half, (level, level + 0.17), (inner, outer), TRIM, bumper, clips)
            plate = (z + 0.005, z + 0.045) if back else (z - 0.045, z - 0.005)
            self._block(b, 0.2, (level + 0.03, level + 0.13), plate, TRIM, (0.75, 0.75, 0.7))
        lamp = (0.82 * half - 0.6 * wide, m.nose - 0.1 - tall, 0.05)
        grille = (m.nose - 0.16 - 2 * m.grille[1], m.nose - 0.15)
        self._block(b, m.grille[0] * half, grille, (-0.012, 0.06), TRIM, _BLACK)
        for side in (-1, 1):
            self._ball(b, (side * lamp[0], lamp[1], lamp[2]), (wide, tall, 0.1), LIGHTS,
                       (0.85, 0.86, 0.8), shine=0.8)  # fmt: skip
            high = m.tail - 0.14
            self._block(b, 0.5 * wide, (high - 2.2 * tall, high), (m.length - 0.1, m.length + 0.012),
                        LIGHTS, linear((190, 20, 24)), at=side * (0.8 * half - 0.5 * wide),
                        shine=0.4)  # fmt: skip

    def _details(self, b: SceneBuilder) -> None:
        m, half = self.model, self.model.width / 2
        seams = (m.windscreen + 0.12, 0.5 * (m.windscreen + m.rear) + 0.1)
        for side in (-1, 1):
            self._ball(b, (side * (half + 0.05), m.belt + 0.06, m.windscreen + 0.35),
                       (0.11, 0.07, 0.06), BODY, m.paint, shine=0.2)  # fmt: skip
            for z in seams:
                self._block(b, 0.004, (m.clearance + 0.2, 0.72 * m.belt), (z - 0.012, z + 0.012),
                            TRIM, shade(m.paint, 0.2), at=side * half)  # fmt: skip
                self._block(b, 0.016, (0.66 * m.belt, 0.66 * m.belt + 0.03), (z + 0.62, z + 0.8),
                            TRIM, shade(m.paint, 0.45), at=side * half)  # fmt: skip
            if m.rack:
                start = np.array([side * 0.7 * half, m.height + 0.03, m.roof[0] + 0.2])
                end = np.array([side * 0.7 * half, m.height + 0.03, m.roof[1] - 0.2])
                self._beam(b, start, end, (0.02, 0.02), TRIM, _BLACK)
        if m.spoiler:
            for side in (-1, 1):
                self._block(b, 0.03, (m.tail - 0.05, m.tail + 0.16), (m.length - 0.3, m.length - 0.2),
                            TRIM, _BLACK, at=side * 0.5 * half)  # fmt: skip
            self._block(b, 0.8 * half, (m.tail + 0.14, m.tail + 0.18), (m.length - 0.36, m.length - 0.1),
                        BODY, m.paint, shine=0.2)  # fmt: skip


def camera_rotation(azimuth: float, elevation: float) -> Array:
    """Object frame (y up) to camera frame, of a camera around the car that looks at its middle.

    In degrees; from azimuth 0 one sees the car's right side, from 90 its front.

    >>> ((camera_rotation(90, 0) @ [1, 0, 0]).round(6) + 0.0).tolist()  # its right is on the left
    [-1.0, 0.0, 0.0]
    """
    upright = np.diag([1.0, -1.0, -1.0])  # looks along -z, at the car's rear
    return upright @ turning((elevation, 0, 0)) @ turning((0, -(azimuth + 90), 0))

"""A head out of ellipsoids and boxes, the paints of its features, and where the 68 points lie.

Head frame: x to the right of the picture of a face seen from the front, y down, z away from the
viewer; the nose points to -z. Sides are -1 (left in the picture) and +1.
"""

from __future__ import annotations

import numpy as np

from benchmark.twins.draws import Colour, linear, mix, shade
from benchmark.twins.face_traits import Person, Shot
from benchmark.twins.scene import BOX, Array, SceneBuilder, turning
from benchmark.twins.staging import pose

PART_NAMES = (
    "background", "skin", "hair", "eyes", "brows", "nose", "lips", "mouth", "ears", "neck",
    "clothes", "glasses", "beard",
)  # fmt: skip
(_, SKIN, HAIR, EYES, BROWS, NOSE, LIPS, MOUTH, EARS, NECK, CLOTHES, GLASSES, BEARD) = range(13)

_FACE = (SKIN, NOSE)
_FRONT = -0.7  # depth of the face's front near the eyes
_BLACK: Colour = (0.004, 0.003, 0.003)


class Face:
    """One person in one shot: measures first, then `skin`, `points`, `features`, `rest`."""

    def __init__(self, person: Person, shot: Shot) -> None:
        self.person, self.shot = person, shot
        p = person
        self.drop = 0.1 * shot.mouth_open  # how far the jaw is down
        self.jaw = 0.5 + 0.5 * p.jaw_length + 0.5 * self.drop
        self.chin = 0.79 + p.jaw_length + self.drop
        self.smile = shot.smile
        self.mouth_width = p.mouth_width * (1 + 0.16 * max(shot.smile, 0) - 0.1 * shot.mouth_open)
        self.mouth_y = p.mouth_height + 0.3 * p.jaw_length + 0.02 * shot.mouth_open
        # openings of the lips around the line between them: up, down
        self.inner = (0.008 + 0.035 * shot.mouth_open, 0.008 + 0.12 * shot.mouth_open)
        self.outer = (self.inner[0] + p.lip * 0.85, self.inner[1] + p.lip)
        self.corner = 0.012 - 0.085 * shot.smile  # drop of the corners, negative is a smile
        self.lid = p.eye_open * shot.eyes_open * (1 - 0.25 * max(shot.smile, 0))
        self.brow_y = p.eye_height - p.brow_height - 0.05 * shot.brow_raise
        self.nose_y = p.eye_height + 0.06 + p.nose_length
        self.nose_z = -0.9 - p.nose_out

    def skin(self, b: SceneBuilder) -> None:
        """The solids that melt into one skin; the landmarks are attached to them."""
        p, colour = self.person, self.person.skin
        w = p.width
        b.solid((0, -0.28, 0.12), (0.73 * w, 0.78, 0.86), SKIN, colour, shine=0.05)
        b.solid((0, 0.12, -0.12), (0.64 * w, 0.84, 0.62), SKIN, colour, blend=0.2, shine=0.05)
        jaw = p.jaw_width * w
        b.solid((0, self.jaw, -0.14), (jaw, 0.46, 0.5), SKIN, colour, blend=0.2, shine=0.04)
        chin = (p.chin + 0.06, 0.24, 0.35)
        b.solid((0, self.chin, -0.3), chin, SKIN, colour, blend=0.2, shine=0.04)
        b.solid((0, self.mouth_y, -0.3), (0.36, 0.36, 0.45), SKIN, colour, blend=0.15, shine=0.04)
        smile = 0.03 * max(self.smile, 0)
        for side in (-1, 1):
            at = (side * 0.3 * w, 0.22 - smile, -0.2)
            size = ((0.32 + 0.5 * p.cheeks) * w, 0.34, 0.44 + p.cheeks + smile)
            b.solid(at, size, SKIN, colour, blend=0.15, shine=0.06)
            at = (side * 0.18, p.eye_height - 0.17, -0.44)
            b.solid(at, (0.32, 0.13, 0.32), SKIN, colour, blend=0.16, shine=0.05)
            at = (side * p.eye_apart, p.eye_height, -0.56)
            b.solid(at, (p.eye_width + 0.03, 0.12, 0.15), SKIN, colour, blend=0.06, shine=0.05)
        self._lips(b)
        self._nose(b)
        for side in (-1, 1):
            at = (side * 0.73 * w, 0.06, 0.1)
            ear = (0.075, 0.21 * p.ears, 0.13 * p.ears)
            pink = mix(colour, linear((200, 90, 80)), 0.12)
            turn = (-10, side * 22, 0)
            b.solid(at, ear, EARS, pink, turn=turn, blend=0.05, shine=0.04)

    def _lips(self, b: SceneBuilder) -> None:
        p = self.person
        up, down = self.outer
        y = self.mouth_y + 0.4 * self.corner
        size = (self.mouth_width * 0.8, p.lip * 0.7, 0.07)
        b.solid((0, y - up + 0.55 * p.lip, -0.74), size, SKIN, p.skin, blend=0.05, shine=0.05)
        size = (self.mouth_width * 0.66, p.lip * 0.75, 0.08)
        b.solid((0, y + down - 0.6 * p.lip, -0.74), size, SKIN, p.skin, blend=0.05, shine=0.08)

    def _nose(self, b: SceneBuilder) -> None:
        p, colour = self.person, self.person.skin
        top, tip = p.eye_height - 0.02, self.nose_y
        run, rise = tip - top, (self.nose_z + 0.09) - (_FRONT - 0.02)
        lean = float(np.degrees(np.arctan2(rise, run)))
        length = 0.5 * float(np.hypot(run, rise)) + 0.05
        middle = (0, (top + tip) / 2, (_FRONT - 0.02 + self.nose_z + 0.09) / 2)
        ridge = (0.6 * p.nose_width + 0.015, length, 0.085)
        b.solid(middle, ridge, NOSE, colour, turn=(lean, 0, 0), blend=0.08, shine=0.1)
        ball = (0.8 * p.nose_width + 0.012, 0.085, 0.11)
        b.solid((0, tip, self.nose_z + 0.06), ball, NOSE, colour, blend=0.06, shine=0.12)
        for side in (-1, 1):
            at = (side * p.nose_width, tip + 0.035, self.nose_z + 0.15)
            b.solid(at, (0.07, 0.062, 0.1), NOSE, colour, blend=0.05, shine=0.06)

    def points(self) -> Array:
        """The 68 points (68, 3) in iBUG order; near the surface, still to be attached."""
        p = self.person
        front = _FRONT - 0.1
        rows = [*self._jaw_line().tolist()]
        places = np.array([-0.95, -0.5, 0.0, 0.5, 0.95])
        for side in (-1, 1):
            arch = np.stack([places, p.brow_arch * places**2], axis=1)
            arch[:, 0] *= 0.2
            rows += self._at(arch, (side * 0.32, self.brow_y), side * p.brow_tilt, front)
        top = p.eye_height - 0.01
        for share in (0.0, 0.33, 0.67):
            rows.append([0.0, top + share * (self.nose_y - top), front])
        rows.append([0.0, self.nose_y, self.nose_z])
        wing = p.nose_width + 0.035
        for share in (-1.0, -0.5, 0.0, 0.5, 1.0):
            low = self.nose_y + 0.09 - 0.02 * abs(share)
            rows.append([share * wing, low, front])
        upper, lower = self.lid, 0.62 * self.lid
        for side in (-1, 1):
            x = np.array([-1, -0.36, 0.36, 1, 0.36, -0.36])
            y = np.array([0, -upper, -upper, 0, lower, lower]) * (1 - x**2)
            eye = np.stack([x * p.eye_width, y], axis=1)
            middle = (side * p.eye_apart, p.eye_height)
            rows += self._at(eye, middle, side * p.eye_tilt, front)
        above, below = (
            np.array([-0.62, -0.25, 0, 0.25, 0.62]),
            np.array([0.6, 0.27, 0, -0.27, -0.6]),
        )
        ends = np.array([-1.0]), np.array([1.0])
        rows += self._mouth(np.concatenate([ends[0], above, ends[1]]), -self.outer[0], 1.0)
        rows += self._mouth(below, self.outer[1], 1.0)
        inner = 0.86
        rows += self._mouth(np.array([-1, -0.4, 0, 0.4, 1]), -self.inner[0], inner)
        rows += self._mouth(np.array([0.4, 0, -0.4]), self.inner[1], inner)
        return np.array(rows)

    def _jaw_line(self) -> Array:
        """Seventeen points on the outline of the lower head as seen from the front."""
        w = self.person.width
        jaw, chin = self.person.jaw_width * w, self.person.chin + 0.06
        ellipses = [(0.0, -0.28, 0.73 * w, 0.78), (0.0, 0.12, 0.64 * w, 0.84)]
        ellipses += [(0.0, self.jaw, jaw, 0.46), (0.0, self.chin, chin, 0.24)]
        cheek = (0.32 + 0.5 * self.person.cheeks) * w
        ellipses += [(side * 0.3 * w, 0.22, cheek, 0.34) for side in (-1, 1)]
        centre, radii = np.array(ellipses)[:, :2], np.array(ellipses)[:, 2:]
        depth = np.array([0.12, -0.12, -0.14, -0.3, -0.2, -0.2])
        thick = np.array([0.86, 0.62, 0.5, 0.35, 0.44, 0.44])
        angle = np.radians(np.linspace(182, -2, 17))
        ray = np.stack([np.cos(angle), np.sin(angle)], axis=1)[:, None] / radii
        off = -centre / radii  # from each centre to the origin of the rays
        a, h = (ray**2).sum(axis=2), (ray * off).sum(axis=2)
        inside = h**2 - a * ((off**2).sum(axis=1) - 1)
        reach = np.where(inside > 0, (-h + np.sqrt(np.maximum(inside, 0))) / a, 0)
        far = reach.argmax(axis=1)
        flat = reach.max(axis=1)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        # a little inside the outline, where the front of the ellipsoid is at a known depth
        inset = 0.98
        front = depth[far] - thick[far] * np.sqrt(1 - inset**2)
        return np.concatenate([flat * inset, front[:, None]], axis=1)

    @staticmethod
    def _at(flat: Array, middle: tuple[float, float], tilt: float, z: float) -> list[list[float]]:
        turned = flat @ turning((0, 0, tilt))[:2, :2].T + np.array(middle)
        return [[x, y, z] for x, y in turned.tolist()]

    def _mouth(self, x: Array, height: float, inner: float) -> list[list[float]]:
        y = self.mouth_y + height * (1 - x**2) + self.corner * (inner * x) ** 2
        return [[a * inner * self.mouth_width, b, -0.82] for a, b in zip(x, y, strict=True)]

    def features(self, b: SceneBuilder, light_side: float) -> None:
        """Everything painted on the skin, from the broad to the small."""
        p = self.person
        blood = mix(p.skin, linear((190, 60, 50)), 0.4)
        low = shade(p.skin, 0.5)
        for side in (-1, 1):
            at = (side * 0.38 * p.width, 0.25, -0.6)
            b.paint(at, (0.2, 0.17, 0.3), blood, on=_FACE, soft=0.9, strength=0.35)
            at = (side * p.eye_apart, p.eye_height - 0.01, _FRONT)
            b.paint(at, (0.23, 0.15, 0.2), low, on=_FACE, soft=0.8, strength=0.4)
            at = (side * 0.7 * p.width, 0.06, 0.06)
            b.paint(at, (0.2, 0.12, 0.08), low, on=(EARS,), soft=0.7, strength=0.7)
        b.paint(
            (0, 1.12 + self.drop, -0.1), (0.5, 0.3, 0.4), low, on=(NECK,), soft=0.9, strength=0.8
        )
        b.paint(
            (0, self.nose_y, self.nose_z), (0.1, 0.08, 0.1), blood, on=_FACE, soft=0.8, strength=0.3
        )
        self._mouth_paint(b)
        self._beard(b)
        for side in (-1, 1):
            at = (side * 0.55 * p.nose_width, self.nose_y + 0.088, self.nose_z + 0.08)
            b.paint(at, (0.034, 0.022, 0.06), shade(p.skin, 0.12), on=_FACE, soft=0.5, strength=0.9)
            self._eye(b, side, light_side)
            at = (side * 0.32, self.brow_y, _FRONT)
            turn = (0, 0, side * p.brow_tilt)
            colour = mix(shade(p.hair, 0.7), p.skin, 0.12)
            size = (0.21, p.brow_thick, 0.5)
            b.paint(at, size, colour, on=_FACE, part=BROWS, turn=turn, bend=p.brow_arch, soft=0.35)

    def _eye(self, b: SceneBuilder, side: int, light_side: float) -> None:
        p, lid = self.person, self.lid
        x, y, turn = side * p.eye_apart, p.eye_height, (0, 0, side * p.eye_tilt)
        wide, deep = p.eye_width, 0.25
        dark = shade(p.skin, 0.22)
        crease = (wide * 1.12, lid + 0.05, deep)
        b.paint((x, y, _FRONT), crease, shade(p.skin, 0.5), on=_FACE, turn=turn, down=0.02,
                soft=0.35, strength=0.55)  # fmt: skip
        b.paint((x, y, _FRONT), (wide * 1.05, lid + 0.024, deep), shade(p.skin, 0.95), on=_FACE,
                turn=turn, down=0.03, soft=0.2)  # fmt: skip
        lash = (wide * 1.06, lid + 0.016, deep)
        b.paint((x, y, _FRONT), lash, dark, on=_FACE, turn=turn, down=0.62 * lid + 0.006, soft=0.3)
        b.paint((x, y, _FRONT), (wide, lid, deep), linear((222, 216, 212)), on=_FACE, part=EYES,
                turn=turn, down=0.62 * lid, soft=0.2)  # fmt: skip
        gx = x + self.shot.gaze[0] * wide * 0.5
        gy = y - 0.008 + self.shot.gaze[1] * 0.05
        b.paint((gx, gy, _FRONT), (0.074, 0.074, deep), shade(p.iris, 0.35), on=(EYES,), soft=0.2)
        b.paint((gx, gy + 0.006, _FRONT), (0.062, 0.062, deep), p.iris, on=(EYES,), soft=0.3)
        b.paint((gx, gy, _FRONT), (0.03, 0.03, deep), _BLACK, on=(EYES,), soft=0.3)
        spot = (gx + 0.022 * light_side, gy - 0.024, _FRONT)
        b.paint(spot, (0.017, 0.017, deep), (1, 1, 1), on=(EYES,), soft=0.4)

    def _mouth_paint(self, b: SceneBuilder) -> None:
        p, y, wide = self.person, self.mouth_y, self.mouth_width
        up, down = self.outer
        b.paint((0, y, -0.75), (wide, up, 0.25), p.lips, on=_FACE, part=LIPS, down=down,
                bend=self.corner, soft=0.15)  # fmt: skip
        b.paint((0, y - 0.7 * up, -0.75), (wide, 0.6 * up, 0.25), shade(p.lips, 0.6), on=(LIPS,),
                bend=self.corner, soft=0.6, strength=0.6)  # fmt: skip
        glow = mix(p.lips, (1, 0.8, 0.75), 0.25)
        b.paint((0, y + self.inner[1] + 0.5 * p.lip, -0.8), (wide * 0.5, 0.3 * p.lip, 0.2), glow,
                on=(LIPS,), bend=self.corner * 0.25, soft=0.8, strength=0.7)  # fmt: skip
        inner = 0.86
        bend = self.corner * inner**2
        b.paint((0, y, -0.75), (wide * inner, self.inner[0], 0.25), (0.02, 0.006, 0.006),
                on=(LIPS,), part=MOUTH, down=self.inner[1], bend=bend, soft=0.2)  # fmt: skip
        if self.shot.mouth_open > 0.1:
            gap = self.inner[0] + self.inner[1]
            teeth = (0, y - self.inner[0] + 0.12 * gap, -0.75)
            b.paint(teeth, (wide * 0.62, 0.03 + 0.1 * gap, 0.25), linear((236, 230, 218)),
                    on=(MOUTH,), bend=bend * 0.5, soft=0.3)  # fmt: skip
            tongue = (0, y + self.inner[1] * 0.95, -0.75)
            b.paint(tongue, (wide * 0.5, 0.4 * gap, 0.25), linear((176, 80, 80)), on=(MOUTH,),
                    soft=0.5, strength=0.8)  # fmt: skip

    def _beard(self, b: SceneBuilder) -> None:
        p = self.person
        if not p.beard:
            return
        colour = mix(shade(p.hair, 0.8), p.skin, 0.1)
        lip_top = self.mouth_y - self.outer[0]
        if p.beard == "full":
            at = (0, self.chin - 0.02, -0.2)
            b.paint(at, (0.62 * p.width, 0.42, 0.75), colour, on=(SKIN,), part=BEARD, bend=-0.45,
                    soft=0.2, strength=0.92)  # fmt: skip
        if p.beard == "goatee":
            b.paint((0, self.chin + 0.02, -0.55), (0.17, 0.2, 0.3), colour, on=(SKIN,), part=BEARD,
                    soft=0.3, strength=0.92)  # fmt: skip
        at = (0, lip_top - 0.045, -0.75)
        b.paint(at, (self.mouth_width * 1.1, 0.05, 0.25), colour, on=(SKIN,), part=BEARD,
                bend=0.08, soft=0.3, strength=0.92)  # fmt: skip

    def rest(self, b: SceneBuilder) -> None:
        """What stands in front of or around the skin: glasses, neck and clothes."""
        if self.shot.glasses:
            self._glasses(b)
        p, shot = self.person, self.shot
        head, body = pose(shot.yaw, shot.pitch, shot.roll), turning(shot.body)
        pivot = np.array([0, 0.7, 0.2])
        b.rotation = head.T @ body
        b.offset = pivot - b.rotation @ pivot
        neck = (0.4 * p.width, 0.95, 0.36)
        b.solid((0, 1.0, 0.22), neck, NECK, shade(p.skin, 0.9), shine=0.02)
        for centre, radii in (
            ((0, 2.05, 0.3), (1.75, 0.68, 0.5)),
            ((0, 1.62, 0.22), (0.75, 0.3, 0.46)),
            ((0, 2.9, 0.15), (1.3, 1.3, 0.6)),
        ):
            b.solid(centre, radii, CLOTHES, shot.clothes, blend=0.1, waves=shot.pattern)
        b.rotation, b.offset = np.eye(3), np.zeros(3)

    def _glasses(self, b: SceneBuilder) -> None:
        p = self.person
        y, z = p.eye_height + 0.02, -0.86
        wide, tall = 0.23, 0.23 * p.round_glasses
        for side in (-1, 1):
            x = side * (p.eye_apart + 0.01)
            hole = 0.0 if self.shot.shades else 0.87
            b.solid((x, y, z), (wide, tall, 0.018), GLASSES, p.rim, hole=hole, shine=0.6)
            start, end = (
                np.array([x + side * wide, y - 0.04, z]),
                np.array([side * 0.75 * p.width, -0.06, 0.1]),
            )
            along = end - start
            turn = (0, float(np.degrees(np.arctan2(along[0], along[2]))), 0)
            half = 0.5 * float(np.hypot(along[0], along[2]))
            middle = ((start + end) / 2).tolist()
            b.solid(middle, (0.014, 0.022, half), GLASSES, p.rim, turn=turn, kind=BOX, shine=0.3)
        gap = max(p.eye_apart + 0.01 - wide, 0.02) + 0.02
        b.solid((0, y - 0.03, z), (gap, 0.018, 0.018), GLASSES, p.rim, kind=BOX, shine=0.3)

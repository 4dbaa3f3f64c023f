"""A bird out of ellipsoids, the paints of its plumage, and where CUB's 15 points lie.

Object frame: the bird's left is +x, y is down, the beak points to -z; the origin is the middle of
the trunk. The trunk has a frame of its own, level and looking to -z before its posture raises it;
so has the head.
"""

from __future__ import annotations

import numpy as np

from benchmark.twins.bird_species import Moment, Species
from benchmark.twins.draws import mix, shade
from benchmark.twins.scene import Array, SceneBuilder, Vector, turning
from benchmark.twins.staging import limb

PART_NAMES = ("background", "body", "head", "beak", "eyes", "wings", "tail", "legs")
(_, BODY, HEAD, BEAK, EYES, WINGS, TAIL, LEGS) = range(8)

LANDMARK_NAMES = (
    "back", "beak", "belly", "breast", "crown", "forehead", "left eye", "left leg", "left wing",
    "nape", "right eye", "right leg", "right wing", "tail", "throat",
)  # fmt: skip

_FEATHERS = (0.6, 2.2, 5.0, 2.5, 0.4, 3.0, 0.28)
_DOWN = (3.0, 4.0, 5.0, -5.0, 4.0, 6.0)
_SIDES = ((1, "left"), (-1, "right"))
_INSET = 0.94  # points lie a little inside, so that a point on the outline is on the bird


class Bird:
    """One species in one moment: measures first, then `build`, `plumage` and `points`."""

    def __init__(self, species: Species, moment: Moment) -> None:
        self.species, self.moment = species, moment
        s, m = species, moment
        lean = (0.25 * s.posture if m.flying else s.posture) + m.lean
        self.trunk = turning((-lean, 0, 0))
        self.head_turn = turning((-m.head_pitch, -m.head_yaw, 0))
        shoulder = self.trunk @ np.array([0, -0.35 * s.girth, -0.78])
        rise = 0.35 if m.flying else 1.0
        neck = np.array([0, -rise * (s.neck + 0.55 * s.head), -0.3 * s.neck - 0.42 * s.head])
        self.shoulder, self.head = shoulder, shoulder + neck
        self.hips = {
            side: self.trunk @ np.array([side * 0.32 * s.girth, 0.75 * s.girth, 0.12])
            for side, _ in _SIDES
        }
        low = max(hip[1] for hip in self.hips.values()) + (0.12 if m.flying else s.legs)
        self.foot: dict[int, Array] = {}
        for side, hip in self.hips.items():
            if m.flying:
                self.foot[side] = hip + self.trunk @ np.array([0, 0.06, 0.35])
            else:
                self.foot[side] = np.array([side * 0.3 * s.girth, low, -0.05 + side * m.stance])

    @property
    def feet(self) -> Array:
        """The point between the feet."""
        middle: Array = (self.foot[1] + self.foot[-1]) / 2
        return middle

    def build(self, b: SceneBuilder) -> None:
        """Everything the bird is made of."""
        s, g = self.species, self.species.girth
        down = (*_DOWN, s.speckles)
        b.rotation = self.trunk
        b.solid((0, 0, 0), (g, g, 1.0), BODY, s.main, waves=down)
        b.solid((0, 0.12 * g, -0.42), (0.93 * g, 0.98 * g, 0.62), BODY, s.main, blend=0.15,
                waves=down)  # fmt: skip
        b.solid((0, -0.06, 0.68), (0.55 * g, 0.5 * g, 0.6), BODY, s.main, blend=0.15, waves=down)
        self._tail(b)
        b.rotation = np.eye(3)
        start, end = self.shoulder + (0, 0.1, 0.2), self.head + (0, 0.05, 0.04)
        thick = (0.62 if s.neck > 0.35 else 0.85) * s.head
        limb(b, start.tolist(), end.tolist(), thick, BODY, s.main, over=0.4, blend=0.15)
        self._head(b)
        if self.moment.flying:
            self._spread(b)
        else:
            self._folded(b)
        self._legs(b)

    def _head(self, b: SceneBuilder) -> None:
        s, r = self.species, self.species.head
        b.rotation, b.offset = self.head_turn, self.head
        b.solid((0, 0, 0), (0.86 * r, 0.9 * r, r), HEAD, s.main, blend=0.06)
        b.solid((0, 0.08 * r, -0.45 * r), (0.6 * r, 0.6 * r, 0.68 * r), HEAD, s.main, blend=0.08)
        if s.crest:
            limb(b, (0, -0.62 * r, -0.25 * r), (0, -1.25 * r * (0.5 + 0.5 * s.crest), 0.95 * r),
                 0.3 * r, HEAD, mix(s.main, s.cap, s.marks[0]), flat=0.6)  # fmt: skip
        front, deep = -0.85 * r, s.beak_deep
        tip = front - s.beak_length
        bend = s.hook * 0.5 * deep
        for lower in (0, 1):
            at = deep * (0.45 if lower else -0.05)
            limb(b, (0, at, front + 0.5 * r), (0, 0.25 * deep + bend, tip + 0.06 * lower),
                 deep * (0.55 if lower else 0.8), BEAK, shade(s.beak, 0.75 if lower else 1.0),
                 over=0.0, shine=0.25)  # fmt: skip
        for side, _ in _SIDES:
            eye = self._eye(side)
            size = 0.15 * r
            b.solid(eye, (size, size, size), EYES, shade(s.iris, 1.0), shine=0.9)
            b.paint((eye[0] * 1.2, eye[1], eye[2]), (size, size * 0.62, size * 0.62), (0, 0, 0),
                    on=(EYES,), soft=0.2)  # fmt: skip
        b.rotation, b.offset = np.eye(3), np.zeros(3)

    def _eye(self, side: int) -> tuple[float, float, float]:
        r = self.species.head
        return side * 0.66 * r, -0.14 * r, -0.48 * r

    def _tail(self, b: SceneBuilder) -> None:
        s = self.species
        start = np.array([0.0, -0.08, 0.95])
        fan = s.fork * (2.5 if self.moment.flying else 1.0)
        drop = 6 + self.moment.tail
        dark = shade(s.wing, 0.8)
        for step in (-1.0, -0.5, 0.0, 0.5, 1.0):
            way = turning((-drop, step * fan, 0)) @ np.array([0, 0, 1.0])
            middle = start + 0.5 * s.tail * way
            b.solid(middle.tolist(), (0.12 + 0.03 * s.tail, 0.045, 0.5 * s.tail + 0.25), TAIL,
                    shade(dark, 1.0 + 0.12 * step), turn=(-drop, step * fan, 0),
                    waves=_FEATHERS)  # fmt: skip
        self.tail_way = turning((-drop, 0, 0)) @ np.array([0, 0, 1.0])

    def _folded(self, b: SceneBuilder) -> None:
        s, g = self.species, self.species.girth
        b.rotation = self.trunk
        for side, _ in _SIDES:
            turn = (-7, -side * 6, side * 14)
            b.solid((side * 0.8 * g, -0.1 * g, 0.02), (0.2 * g, 0.6 * g, 0.72), WINGS,
                    mix(s.wing, s.main, 0.35), turn=turn, waves=_FEATHERS)  # fmt: skip
            b.solid((side * 0.66 * g, -0.16 * g, 0.58), (0.16 * g, 0.34 * g, 0.78), WINGS, s.wing,
                    turn=(-9, -side * 20, side * 10), waves=_FEATHERS)  # fmt: skip
        b.rotation = np.eye(3)

    def _spread(self, b: SceneBuilder) -> None:
        s = self.species
        b.rotation = self.trunk
        for side, _ in _SIDES:
            lift = -side * self.moment.wings
            plane = turning((0, 0, lift))
            root = np.array([side * 0.5 * s.girth, -0.45 * s.girth, -0.35])
            upper = mix(s.wing, s.main, 0.35)
            at = root + plane @ np.array([side * 0.55, 0, 0.06])
            b.solid(at.tolist(), (0.75, 0.07, 0.24), WINGS, upper, turn=(0, side * 6, lift),
                    waves=(4.0, 0.5, 2.0, 1.0, 0.5, 3.0, 0.25))  # fmt: skip
            for step in np.linspace(0, 1, 10).tolist():
                angle, half = side * (8 + 84 * step**1.7), 0.36 + 0.2 * step
                along = turning((0, angle, lift)) @ np.array([0, 0, 1.0])
                at = root + plane @ np.array([side * (0.05 + 1.15 * step), 0.02, 0.02])
                b.solid((at + 0.85 * half * along).tolist(), (0.115, 0.03, half), WINGS,
                        shade(s.wing, 1.1 - 0.35 * step), turn=(0, angle, lift))  # fmt: skip
        b.rotation = np.eye(3)

    def _legs(self, b: SceneBuilder) -> None:
        s = self.species
        for side, _ in _SIDES:
            hip, foot = self.hips[side], self.foot[side]
            knee = self._ankle(side)
            b.solid((hip * 0.97).tolist(), (0.2 * s.girth, 0.3 * s.girth, 0.24), LEGS, s.under,
                    blend=0.08)  # fmt: skip
            limb(b, hip.tolist(), knee.tolist(), 0.06, LEGS, s.legs_colour)
            limb(b, knee.tolist(), foot.tolist(), 0.05, LEGS, s.legs_colour)
            if self.moment.flying:
                continue
            for toe in (-0.14, 0.0, 0.14, None):
                way = (0.0, 0.02, 0.16) if toe is None else (toe, 0.02, -0.24)
                limb(b, foot.tolist(), (foot + way).tolist(), 0.04, LEGS, s.legs_colour)

    def _ankle(self, side: int) -> Array:
        share = 0.4 if self.species.legs > 0.9 else 0.5
        ankle: Array = (1 - share) * self.hips[side] + share * self.foot[side] + (0, 0, 0.1)
        return ankle

    def plumage(self, b: SceneBuilder) -> None:
        """Everything painted on the feathers, from the broad to the small."""
        s, g, r = self.species, self.species.girth, self.species.head
        skin = (BODY,)
        cap, throat, stripe = s.marks

        def on_trunk(place: Vector) -> list[float]:
            return list((self.trunk @ np.asarray(place, dtype=np.float64)).tolist())

        lean = float(np.degrees(np.arctan2(self.trunk[2, 1], self.trunk[1, 1])))
        b.paint(on_trunk((0, 0.95 * g, -0.2)), (1.3 * g, 0.95 * g, 1.25), s.under, on=skin,
                turn=(lean, 0, 0), soft=0.25)  # fmt: skip

        def on_head(place: Vector) -> list[float]:
            turned: Array = self.head_turn @ (r * np.asarray(place, dtype=np.float64)) + self.head
            return list(turned.tolist())

        turn = (-self.moment.head_pitch, -self.moment.head_yaw, 0.0)
        face = (HEAD, BODY)
        b.paint(on_head((0, 1.0, -0.2)), (1.1 * r, 0.62 * r, 1.2 * r), s.under, on=face, turn=turn,
                soft=0.25)  # fmt: skip
        if throat:
            b.paint(on_head((0, 0.9, -0.45)), (0.75 * r, 0.68 * r, 0.7 * r), s.throat, on=face,
                    turn=turn, soft=0.2, strength=throat)  # fmt: skip
        if stripe:
            b.paint(on_head((0, -0.1, -0.3)), (1.2 * r, 0.17 * r, 1.05 * r), s.stripe, on=(HEAD,),
                    turn=turn, soft=0.25, strength=stripe)  # fmt: skip
        if cap:
            b.paint(on_head((0, -0.95, 0.05)), (1.1 * r, 0.66 * r, 1.15 * r), s.cap, on=(HEAD,),
                    turn=turn, soft=0.15, strength=cap)  # fmt: skip
        b.rotation = np.eye(3)
        if self.moment.flying:
            return
        for bar in range(s.bars):
            for side, _ in _SIDES:
                b.paint(on_trunk((side * g, -0.02 * g, 0.05 + 0.26 * bar)),
                        (0.5 * g, 0.5 * g, 0.055), s.wing_bar, on=(WINGS,),
                        turn=(lean - 25, 0, 0), soft=0.3, strength=0.9)  # fmt: skip

    def points(self) -> tuple[Array, Array]:
        """CUB's 15 points (15, 3) just inside the surface, and how deep they may be (15,)."""
        s, g, r = self.species, self.species.girth, self.species.head

        def trunk(x: float, y: float, z: float) -> Array:
            place: Array = self.trunk @ np.array([x, y, z])
            return place

        def head(x: float, y: float, z: float) -> Array:
            place: Array = self.head_turn @ (r * np.array([x, y, z])) + self.head
            return place

        tip = self.head_turn @ np.array(
            [0, (0.25 + 0.5 * s.hook) * s.beak_deep, -0.85 * r - 0.9 * s.beak_length]
        )
        places = {
            "back": trunk(0, -0.97 * g * _INSET, -0.1),
            "beak": tip + self.head,
            "belly": trunk(0, 0.93 * g * _INSET, 0.28),
            "breast": trunk(0, 0.72 * g * _INSET, -0.78 * _INSET),
            "crown": head(0, -0.9 * _INSET, 0.0),
            "forehead": head(0, -0.58 * _INSET, -0.76 * _INSET),
            "nape": head(0, -0.3, 0.94 * _INSET),
            "tail": trunk(0, -0.08, 0.95) + self.trunk @ (0.72 * s.tail * self.tail_way),
            "throat": head(0, 0.66 * _INSET, -0.6 * _INSET),
        }
        for side, name in _SIDES:
            places[f"{name} eye"] = head(*(c / r * 1.06 for c in self._eye(side)))
            places[f"{name} leg"] = self._ankle(side)
            if self.moment.flying:
                way = turning((0, 0, -side * self.moment.wings)) @ np.array([side * 0.7, 0, 0.2])
                root = np.array([side * 0.5 * g, -0.45 * g, -0.35])
                places[f"{name} wing"] = self.trunk @ (root + way)
            else:
                places[f"{name} wing"] = trunk(side * 0.94 * g, -0.1 * g, 0.1)
        # the eye of the beholder puts back, breast and belly on the outline even where it hides them
        deep = {"back": 0.45, "breast": 0.5, "belly": 0.5, "tail": 0.3, "beak": 0.12}
        deep |= {f"{name} eye": 0.1 for _, name in _SIDES}
        deep |= dict.fromkeys(("crown", "forehead", "nape", "throat"), 0.8 * r)
        return (
            np.array([places[name] for name in LANDMARK_NAMES]),
            np.array([deep.get(name, 0.2) for name in LANDMARK_NAMES]),
        )

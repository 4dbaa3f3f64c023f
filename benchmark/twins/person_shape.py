"""A clothed body around a skeleton, and the paints of its face."""

from __future__ import annotations

import numpy as np

from benchmark.twins.draws import Colour, linear, mix, shade
from benchmark.twins.person_body import SIDES, Skeleton
from benchmark.twins.person_traits import Someone
from benchmark.twins.scene import Array, Plane, SceneBuilder
from benchmark.twins.staging import limb

PART_NAMES = ("background", "head", "hair", "neck", "torso", "arms", "hands", "legs", "feet")
(_, HEAD, HAIR, NECK, TORSO, ARMS, HANDS, LEGS, FEET) = range(9)

_STRANDS = (7.0, 0.6, 4.0, 0.9, 1.3, 0.7, 0.25)


class Body:
    """One person's flesh and clothes in one gesture."""

    def __init__(self, someone: Someone, skeleton: Skeleton) -> None:
        self.someone, self.skeleton = someone, skeleton
        self.arm = 0.043 * someone.girth
        self.leg = 0.075 * someone.girth

    def buried(self, name: str) -> float:
        """How deep below the surface a joint may lie and still count as seen, metres."""
        s = self.someone
        if name in ("nose", "right eye", "left eye"):
            return 0.025
        if name.endswith("ear"):
            return 0.03
        if name == "neck" or name.endswith(("hip", "shoulder")):
            return 0.17 * max(s.girth, 1.0) * max(s.loose, 1.0)
        if name.endswith(("elbow", "wrist")):
            return 1.6 * self.arm * max(s.loose, 1.0)
        return 1.7 * self.leg * max(s.loose, 1.0)

    def build(self, b: SceneBuilder) -> None:
        """Everything but the face."""
        self._legs(b)
        self._torso(b)
        for side, name in SIDES:
            self._arm(b, side, name)
        self._head(b)

    def _torso(self, b: SceneBuilder) -> None:
        s, k = self.someone, self.skeleton
        b.rotation = k.trunk
        wide, deep = 0.5 * s.shoulders, 0.105 * s.girth
        spine, cloth = k.spine, s.shirt_waves
        b.solid((0, -0.68 * spine, 0), (0.9 * wide * s.girth**0.5, 0.4 * spine, deep * 1.08), TORSO,
                s.shirt, waves=cloth)  # fmt: skip
        waist = (0.68 * wide * s.girth * s.loose**0.5, 0.42 * spine, deep * s.loose**0.5)
        b.solid((0, -0.3 * spine, 0), waist, TORSO, s.shirt, blend=0.06, waves=cloth)
        b.solid((0, -0.9 * spine, 0.01), (0.96 * wide, 0.13 * spine, 0.07 * s.girth), TORSO,
                s.shirt, blend=0.05)  # fmt: skip
        hem = (0.5 * s.hips + 0.062 * s.girth * s.loose, 0.22 * spine, deep * 1.06 * s.loose**0.5)
        b.solid((0, -0.08 * spine, 0), hem, TORSO, s.shirt, blend=0.05, waves=cloth)
        b.paint((0, 0.02, 0), (0.4, 0.03, 0.4), s.belt, on=(TORSO, LEGS), soft=0.2)
        b.rotation = np.eye(3)
        neck, head = k.joints["neck"], k.head
        base = neck + k.trunk @ np.array([0, 0.02, 0.01])
        limb(b, base.tolist(), head.tolist(), 0.055 * s.girth**0.5, NECK, shade(s.skin, 0.85),
             over=0.0)  # fmt: skip

    def _cut(self, share: float, start: Array, end: Array) -> list[float]:
        place: Array = start + share * (end - start)
        return list(place.tolist())

    def _arm(self, b: SceneBuilder, side: int, name: str) -> None:
        s, k, r = self.someone, self.skeleton, self.arm
        shoulder, elbow, wrist = (
            k.joints[f"{name} {joint}"] for joint in ("shoulder", "elbow", "wrist")
        )
        bare = self._cut(0.5 if s.sleeve else 0.0, shoulder, elbow)
        limb(b, bare, elbow.tolist(), r * 1.08, ARMS, s.skin, over=0.7)
        limb(b, elbow.tolist(), wrist.tolist(), r * 0.9, ARMS, s.skin, over=0.5)
        wide = r * (1.15 + 0.35 * (s.loose - 0.9))
        ball = wide * 1.06
        b.solid(shoulder.tolist(), (ball, ball, ball), ARMS if s.sleeve else TORSO, s.shirt,
                blend=0.08)  # fmt: skip
        if s.sleeve:
            upto = self._cut(min(1.0, 0.35 + s.sleeve), shoulder, elbow)
            limb(b, shoulder.tolist(), upto, wide * 1.08, ARMS, s.shirt, over=0.75)
        if s.sleeve > 0.8:
            limb(b, elbow.tolist(), self._cut(0.92, elbow, wrist), wide * 1.05, ARMS, s.shirt,
                 over=0.8, blend=0.02)  # fmt: skip
        way = k.hand_way[side]
        limb(b, wrist.tolist(), (wrist + 0.1 * way).tolist(), 0.04, HANDS, s.skin, flat=0.6)
        thumb = wrist + 0.03 * way
        limb(b, thumb.tolist(), (thumb + 0.045 * way + (0, 0, -0.035)).tolist(), 0.014, HANDS,
             s.skin)  # fmt: skip

    def _legs(self, b: SceneBuilder) -> None:
        s, k, r = self.someone, self.skeleton, self.leg
        hips = 0.5 * s.hips + 0.06 * s.girth
        b.solid((0, -0.01, 0.01), (hips, 0.105, 0.105 * s.girth), LEGS, s.lower)
        loose = 1 + 0.6 * (s.loose - 1)
        for side, name in SIDES:
            hip, knee, ankle = (k.joints[f"{name} {joint}"] for joint in ("hip", "knee", "ankle"))
            bare = s.skirt
            limb(b, hip.tolist(), knee.tolist(), r * loose, LEGS, s.skin if bare else s.lower,
                 over=0.7, blend=0.06)  # fmt: skip
            limb(b, knee.tolist(), ankle.tolist(), r * 0.62, LEGS, s.skin, over=0.4)
            limb(b, self._cut(-0.05, knee, ankle), self._cut(0.62, knee, ankle), r * 0.72, LEGS,
                 s.skin if bare or s.trousers < 0.8 else s.lower, over=0.3, blend=0.02)  # fmt: skip
            if not bare and s.trousers > 0.8:
                limb(b, knee.tolist(), self._cut(0.95, knee, ankle), r * 0.8 * loose, LEGS, s.lower,
                     over=0.7, blend=0.05)  # fmt: skip
            elif not bare:
                limb(b, hip.tolist(), knee.tolist(), r * 1.15 * loose,
                     LEGS, s.lower, over=0.3)  # fmt: skip
            heel = ankle + np.array([0, 0.04, 0.03])
            toe = ankle + np.array([0, 0.035, 0]) + 0.15 * k.toe_way[side]
            limb(b, heel.tolist(), toe.tolist(), 0.045, FEET, s.shoes, over=0.6, flat=0.85,
                 shine=0.15)  # fmt: skip
            limb(b, (ankle - (0, 0.02, 0)).tolist(), heel.tolist(), 0.046, FEET, s.shoes)
        if s.skirt:
            knees = (k.joints["left knee"] + k.joints["right knee"]) / 2
            apart = float(np.abs(k.joints["left knee"][0] - k.joints["right knee"][0]))
            centre = 0.42 * knees
            flare = 0.16 + 0.4 * apart
            b.solid(centre.tolist(), (flare, 0.3, 0.17 * s.girth), LEGS, s.lower, blend=0.05,
                    waves=(3.0, 0.0, 3.0, 0.0, 0.3, 0.0, 0.2), clips=[_hem(knees)])  # fmt: skip

    def _head(self, b: SceneBuilder) -> None:
        s, k, r = self.someone, self.skeleton, self.skeleton.head_size
        b.rotation, b.offset = k.head_turn, k.head
        b.solid((0, -0.2 * r, 0.08 * r), (0.8 * r, 0.92 * r, 0.98 * r), HEAD, s.skin, shine=0.05)
        b.solid((0, 0.42 * r, -0.22 * r), (0.6 * r, 0.66 * r, 0.62 * r), HEAD, s.skin,
                blend=0.03, shine=0.05)  # fmt: skip
        b.solid((0, 0.12 * r, -0.9 * r), (0.13 * r, 0.2 * r, 0.2 * r), HEAD, s.skin, blend=0.012)
        for side, _ in SIDES:
            b.solid((side * 0.8 * r, 0.02 * r, 0.08 * r), (0.09 * r, 0.22 * r, 0.15 * r), HEAD,
                    mix(s.skin, (0.6, 0.2, 0.15), 0.15))  # fmt: skip
        self._hair(b, r)
        b.rotation, b.offset = np.eye(3), np.zeros(3)

    def _hair(self, b: SceneBuilder, r: float) -> None:
        s = self.someone
        if s.hair_style == "bald":
            return

        def lump(centre: tuple[float, ...], radii: tuple[float, ...], *clips: Plane) -> None:
            b.solid([r * c for c in centre], [r * c for c in radii], HAIR, s.hair, clips=clips,
                    shine=0.1, waves=_STRANDS)  # fmt: skip

        line: Plane = ((0, -1, 1), 0.12 * r)
        lump((0, -0.25, 0.14), (0.9, 1.0, 1.04), line, ((0, -1, 0), -0.45 * r))
        lump((0, -0.6, 0.5), (0.75, 0.62, 0.62))
        if s.hair_style in ("bob", "long"):
            length = 0.85 if s.hair_style == "bob" else 1.5
            lump((0, 0.1 + 0.5 * (length - 0.85), 0.42), (0.92, length, 0.62), ((0, 0, 1), 0.1 * r))
        elif s.hair_style == "tail":
            lump((0, 0.35, 1.15), (0.24, 0.95, 0.26))
        elif s.hair_style == "bun":
            lump((0, -1.05, 0.62), (0.42, 0.4, 0.42))

    def face(self, b: SceneBuilder) -> None:
        """Eyes, brows and mouth."""
        s, k, r = self.someone, self.skeleton, self.skeleton.head_size

        def spot(x: float, y: float, radii: tuple[float, float], colour: Colour) -> None:
            at = k.in_head(x, y, -0.8)
            turned = k.head_turn
            turn = (
                float(np.degrees(np.arctan2(turned[2, 1], turned[2, 2]))),
                float(np.degrees(np.arcsin(np.clip(-turned[2, 0], -1, 1)))),
                float(np.degrees(np.arctan2(turned[1, 0], turned[0, 0]))),
            )
            b.paint(at.tolist(), (r * radii[0], r * radii[1], 0.4 * r), colour, on=(HEAD,),
                    turn=turn, soft=0.3)  # fmt: skip

        for side in (-1, 1):
            spot(side * 0.32, -0.12, (0.17, 0.09), linear((228, 222, 216)))
            spot(side * 0.32, -0.12, (0.085, 0.09), linear((40, 28, 22)))
            spot(side * 0.33, -0.34, (0.2, 0.045), shade(s.hair, 0.6))
        spot(0, 0.56, (0.24, 0.07), mix(s.skin, linear((160, 44, 48)), 0.65))


def _hem(knees: Array) -> Plane:
    """Keeps what is above a level a little over the knees."""
    return (0.0, -1.0, 0.0), -float(knees[1]) * 0.92

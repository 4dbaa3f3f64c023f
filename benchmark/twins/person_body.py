"""Where a person's joints are: an identity's bones in the pose of a moment.

Object frame: the person's left is +x, y is down, the nose points to -z; metres, the origin is the
middle of the hips.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.twins.draws import Dice
from benchmark.twins.person_traits import Someone
from benchmark.twins.scene import Array, turning

SIDES = ((1, "left"), (-1, "right"))


@dataclass(frozen=True)
class Gesture:
    """The angles of one moment, in degrees, right then left where there are two.

    An arm hangs at lift 0, is level at 90; `arm_round` is where it points: 0 to the side, 90
    ahead. `elbow` and `knee` bend. A leg is moved `leg_out` to its side and `leg_ahead` forward.
    """

    walking: bool
    lean: tuple[float, float]
    twist: float
    head: tuple[float, float, float]
    lift: tuple[float, float]
    arm_round: tuple[float, float]
    elbow: tuple[float, float]
    elbow_turn: tuple[float, float]
    leg_out: tuple[float, float]
    leg_ahead: tuple[float, float]
    knee: tuple[float, float]

    @staticmethod
    def draw(dice: Dice) -> Gesture:
        """A gesture from one stream of draws."""
        walking = dice.chance(0.3)
        swing = dice.between(-30, 30)

        def arm() -> tuple[float, float, float]:
            kind = dice.pick((2, 3, 2, 1.5))
            if kind == 0:
                return dice.between(4, 20), dice.between(0, 90), dice.between(5, 35)
            if kind == 1:
                return dice.between(40, 95), dice.between(-5, 85), dice.between(5, 100)
            if kind == 2:
                return dice.between(20, 60), dice.between(20, 90), dice.between(60, 120)
            return dice.between(100, 165), dice.between(-5, 60), dice.between(5, 70)

        arms = [arm(), arm()]
        if walking:
            arms = [(abs(swing) * s + 4, 90 if s * swing > 0 else -90, dice.between(15, 50))
                    for s in (0.8, -0.8)]  # fmt: skip
            arms = [(abs(lift), way, bend) for lift, way, bend in arms]
            out, ahead, knee = (2.0, 2.0), (swing, -swing), (max(-swing, 4.0), max(swing, 4.0))
        else:
            wide, crouch = dice.between(3, 34), dice.between(0, 35)
            side = dice.between(-1, 1)
            out = (wide * (1 - 0.4 * side), wide * (1 + 0.4 * side))
            ahead = (dice.around(28) + crouch * 0.5, dice.around(28) + crouch * 0.5)
            knee = (crouch + dice.between(0, 30), crouch + dice.between(0, 30))
        return Gesture(
            walking=walking,
            lean=(dice.around(10), dice.around(10)),
            twist=dice.around(30),
            head=(dice.around(45), dice.around(18), dice.around(12)),
            lift=(arms[0][0], arms[1][0]),
            arm_round=(arms[0][1], arms[1][1]),
            elbow=(arms[0][2], arms[1][2]),
            elbow_turn=(dice.around(60), dice.around(60)),
            leg_out=out,
            leg_ahead=ahead,
            knee=knee,
        )


class Skeleton:
    """The joints of one person in one gesture, and the frames of trunk, head and feet."""

    def __init__(self, someone: Someone, gesture: Gesture) -> None:
        s, g, h = someone, gesture, someone.height
        self.trunk = turning((-g.lean[0], g.twist, g.lean[1]))
        yaw, pitch, roll = g.head
        self.head_turn = self.trunk @ turning((-pitch, -yaw, roll))
        self.spine = 0.285 * h * (2 - s.legs)
        self.joints: dict[str, Array] = {}
        joints = self.joints
        joints["neck"] = self.trunk @ np.array([0, -self.spine, 0.0])
        self.head_size = 0.068 * h * s.head
        r = self.head_size
        self.head = joints["neck"] + self.trunk @ np.array([0, -0.62 * r, -0.1 * r])
        self.head = self.head + self.head_turn @ np.array([0, -1.1 * r, -0.15 * r])
        joints["nose"] = self.in_head(0, 0.16, -1.06)
        for side, name in SIDES:
            joints[f"{name} eye"] = self.in_head(side * 0.34, -0.12, -0.86)
            joints[f"{name} ear"] = self.in_head(side * 0.84, 0.04, 0.08)
        upper, fore = 0.165 * h, 0.148 * h
        thigh, shin = 0.24 * h * s.legs, 0.235 * h * s.legs
        self.hand_way: dict[int, Array] = {}
        self.toe_way: dict[int, Array] = {}
        for side, name in SIDES:
            which = 0 if side < 0 else 1
            shoulder = joints["neck"] + self.trunk @ np.array([side * 0.48 * s.shoulders, 0.045, 0])
            way = _arm(side, g.lift[which], g.arm_round[which])
            elbow = shoulder + self.trunk @ (upper * way)
            bent = _bent(way, side, g.elbow[which], g.elbow_turn[which])
            self.hand_way[side] = self.trunk @ bent
            joints[f"{name} shoulder"], joints[f"{name} elbow"] = shoulder, elbow
            joints[f"{name} wrist"] = elbow + fore * self.hand_way[side]
            hip = np.array([side * 0.5 * s.hips, 0, 0])
            leg = turning((-g.leg_ahead[which], 0, -side * g.leg_out[which]))
            knee = hip + leg @ np.array([0, thigh, 0])
            lower = leg @ turning((g.knee[which], 0, 0))
            joints[f"{name} hip"], joints[f"{name} knee"] = hip, knee
            joints[f"{name} ankle"] = knee + lower @ np.array([0, shin, 0])
            flat = np.array([side * 0.25, 0.18, -1.0])
            self.toe_way[side] = flat / np.sqrt(flat @ flat)
        low = max(joints["left ankle"][1], joints["right ankle"][1]) + 0.045 * h
        middle = (joints["left ankle"] + joints["right ankle"]) / 2
        self.floor = np.array([middle[0], low, middle[2]])

    def in_head(self, x: float, y: float, z: float) -> Array:
        """A point given in head radii, from the middle of the head, in the object frame."""
        place: Array = self.head + self.head_turn @ (self.head_size * np.array([x, y, z]))
        return place


def _arm(side: int, lift: float, around: float) -> Array:
    up, way = np.radians(lift), np.radians(around)
    out = np.sin(up)
    arm = np.array([side * (out * np.cos(way) + 0.04), np.cos(up), -out * np.sin(way)])
    unit: Array = arm / np.sqrt(arm @ arm)
    return unit


def _bent(way: Array, side: int, elbow: float, turn: float) -> Array:
    """The forearm's direction: bent from the unit `way` towards ahead, up and the middle."""
    spin = np.radians(turn)
    towards = np.array([-side * (0.4 + 0.3 * np.sin(spin)), -0.25 - 0.8 * np.sin(spin), -1.0])
    across = towards - (towards @ way) * way
    across /= np.sqrt(across @ across)
    bend = np.radians(elbow)
    bent: Array = np.cos(bend) * way + np.sin(bend) * across
    return bent

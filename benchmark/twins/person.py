"""The person twin: clothed people standing and moving, as in Taichi videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from benchmark.contracts.errors import InvalidInput
from benchmark.twins.draws import Dice, linear
from benchmark.twins.person_body import Gesture, Skeleton
from benchmark.twins.person_shape import PART_NAMES, Body
from benchmark.twins.person_traits import Someone
from benchmark.twins.scene import Backdrop, Framing, Scene, SceneBuilder
from benchmark.twins.staging import (
    check_identities,
    check_range,
    daylight,
    ground,
    lights,
    nature,
    room,
    viewed,
)

LANDMARK_NAMES = (
    "nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow",
    "left wrist", "right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle",
    "right eye", "left eye", "right ear", "left ear",
)  # fmt: skip
_ATTRIBUTES = (
    "yaw", "elevation", "walking", "right_hand_up", "left_hand_up", "long_sleeves", "shorts",
    "skirt", "long_hair", "bald",
)  # fmt: skip
BACKGROUNDS = ("plain", "indoor", "outdoor", "mixed")


@dataclass(frozen=True)
class PersonRecipe:
    """Scenes of people; an identity keeps body, hair and clothes. Left and right are the person's.

    Picture i shows `identities[i % len(identities)]`. The 18 landmarks are OpenPose's COCO-18
    joints in order, as in the Taichi-HD annotations; joints lie inside their limbs and count as
    seen unless something else is in front. Yaw is a range in degrees: 0 faces the viewer, positive
    turns to the right of the picture; elevation is the viewer's. `background` is one of
    `BACKGROUNDS`.

    >>> from benchmark.twins.renderer import render
    >>> render(PersonRecipe(range(2)), 2, 32, seed=0).landmarks.shape
    (2, 18, 2)
    """

    identities: Sequence[int] = range(200)
    framing: Framing = field(default_factory=lambda: Framing((0.7, 0.82), (-0.03, 0.04)))
    yaw: tuple[float, float] = (-110.0, 110.0)
    elevation: tuple[float, float] = (-4.0, 10.0)
    background: str = "mixed"

    name: ClassVar[str] = "person"
    part_names: ClassVar[tuple[str, ...]] = PART_NAMES
    attribute_names: ClassVar[tuple[str, ...]] = _ATTRIBUTES
    landmark_names: ClassVar[tuple[str, ...]] = LANDMARK_NAMES

    def __post_init__(self) -> None:
        check_identities(self.name, self.identities)
        check_range(self.name, "yaw", self.yaw)
        check_range(self.name, "elevation", self.elevation)
        if self.background not in BACKGROUNDS:
            raise InvalidInput(
                f"person twin: background must be one of {BACKGROUNDS}, got {self.background!r}",
                cure="give for example background='plain'",
            )

    def scene(self, seed: int, index: int, size: int) -> Scene:
        """Picture `index` of the series `seed`, framed for `size` pixels."""
        identity = int(self.identities[index % len(self.identities)])
        someone, dice = Someone.draw(seed, identity), Dice(seed, index, 2)
        # faces the viewer more often than not, as people who are filmed do
        yaw = sum(dice.between(*self.yaw) for _ in range(2)) / 2
        elevation = dice.between(*self.elevation)
        gesture = Gesture.draw(dice)
        where = self.background
        if where == "mixed":
            where = BACKGROUNDS[dice.pick((1, 2, 2))]
        key, fill, ambient = daylight(dice) if where == "outdoor" else lights(dice)
        draws = [dice.between(0, 1) for _ in range(3)]
        skeleton = Skeleton(someone, gesture)
        body, builder = Body(someone, skeleton), SceneBuilder()
        body.build(builder)
        body.face(builder)
        points = np.array([skeleton.joints[name] for name in LANDMARK_NAMES])
        rotation = viewed(yaw, elevation, dice.around(3))
        away = np.array([0.0, 0.0, dice.between(5, 9)])
        camera = self.framing.camera(points, rotation, away, size, draws)
        feet = camera.project(skeleton.floor)
        values = {
            "yaw": yaw,
            "elevation": elevation,
            "walking": gesture.walking,
            "long_sleeves": someone.sleeve > 0.8,
            "shorts": someone.trousers < 0.8 and not someone.skirt,
            "skirt": someone.skirt,
            "long_hair": someone.hair_style in ("long", "tail", "bun"),
            "bald": someone.hair_style == "bald",
        }
        for side in ("right", "left"):
            wrist, shoulder = skeleton.joints[f"{side} wrist"], skeleton.joints[f"{side} shoulder"]
            values[f"{side}_hand_up"] = wrist[1] < shoulder[1]
        return Scene(
            solids=builder.solids(),
            paints=builder.paints(),
            lights=(key, fill),
            ambient=ambient,
            backdrop=_backdrop(dice, where, float(feet[0] / size), float(feet[1] / size)),
            camera=camera,
            landmarks=points,
            attributes=np.array([float(values[name]) for name in _ATTRIBUTES]),
            identity=identity,
            grain=dice.between(0, 4),
            grain_seed=int(dice.random.integers(2**31)),
            buried=np.array([body.buried(name) for name in LANDMARK_NAMES]),
        )


def _backdrop(dice: Dice, where: str, x: float, y: float) -> Backdrop:
    """A wall and a floor, or trees and a ground, with a shadow at the feet; or one soft tone."""
    if where == "plain":
        tone = [linear((c, c + dice.around(12), c + dice.around(16)))
                for c in (dice.between(60, 230), dice.between(60, 230))]  # fmt: skip
        corners = np.array([tone[0], tone[0], tone[1], tone[1]]).reshape(2, 2, 3)
        return Backdrop(corners, np.empty((0, 11)))
    horizon = y - dice.between(0.06, 0.3)
    if where == "outdoor":
        behind = nature(dice, ("foliage", "sky", "water")[dice.pick((4, 1, 1))])
        tones = ((96, 112, 62), (150, 142, 124), (120, 116, 110), (176, 160, 130))
    else:
        behind = room(dice)
        tones = ((146, 110, 76), (122, 122, 126), (176, 168, 156), (92, 72, 58))
    red, green, blue = linear(tones[dice.pick((1, 1, 1, 1))])
    whole = ground(dice, behind, horizon, (red, green, blue))
    shadow = [0.0, x, y + 0.01, 0.17, 0.03, 0.0, 0.9, 0.0, red * 0.3, green * 0.3, blue * 0.3]
    return Backdrop(whole.corners, np.append(whole.shapes, [shadow], axis=0))

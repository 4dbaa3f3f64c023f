"""The bird twin: species with their own build and plumage, perched or flying, mostly in profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from benchmark.twins.bird_shape import LANDMARK_NAMES, PART_NAMES, Bird
from benchmark.twins.bird_species import BUILDS, Moment, Species
from benchmark.twins.draws import Dice, linear, shade
from benchmark.twins.scene import Array, Backdrop, Framing, Scene, SceneBuilder
from benchmark.twins.staging import (
    NATURE,
    check_identities,
    check_range,
    check_share,
    daylight,
    limb,
    nature,
    viewed,
)

_ATTRIBUTES = (
    "yaw", "elevation", "roll", "flying", "perched", "crested", *(f"{name}_build" for name in BUILDS)
)  # fmt: skip
_BARK = ((92, 72, 54), (120, 104, 86), (70, 60, 50), (146, 130, 108))


@dataclass(frozen=True)
class BirdRecipe:
    """Scenes of birds; an identity is a species. Left and right are the bird's own.

    Picture i shows `identities[i % len(identities)]`. The 15 landmarks are those of CUB-200-2011 in
    the order of its parts.txt. Yaw 0 faces the viewer and 90 the right of the picture; `profile`
    is the share of birds within 40 degrees of a side view, the others face anywhere. Elevation is
    the viewer's, roll clockwise as seen; both are ranges in degrees. `flying` is a share.

    >>> from benchmark.twins.renderer import render
    >>> render(BirdRecipe(range(2)), 2, 32, seed=0).landmarks.shape
    (2, 15, 2)
    """

    identities: Sequence[int] = range(200)
    framing: Framing = field(default_factory=lambda: Framing((0.65, 0.85), (-0.06, 0.06)))
    profile: float = 0.8
    elevation: tuple[float, float] = (-10.0, 20.0)
    roll: tuple[float, float] = (-12.0, 12.0)
    flying: float = 0.12

    name: ClassVar[str] = "bird"
    part_names: ClassVar[tuple[str, ...]] = PART_NAMES
    attribute_names: ClassVar[tuple[str, ...]] = _ATTRIBUTES
    landmark_names: ClassVar[tuple[str, ...]] = LANDMARK_NAMES

    def __post_init__(self) -> None:
        check_identities(self.name, self.identities)
        check_range(self.name, "elevation", self.elevation)
        check_range(self.name, "roll", self.roll)
        check_share(self.name, "profile", self.profile)
        check_share(self.name, "flying", self.flying)

    def scene(self, seed: int, index: int, size: int) -> Scene:
        """Picture `index` of the series `seed`, framed for `size` pixels."""
        identity = int(self.identities[index % len(self.identities)])
        species, dice = Species.draw(seed, identity), Dice(seed, index, 2)
        if dice.chance(self.profile):
            yaw = (90 if dice.chance(0.5) else -90) + dice.between(-40, 40)
        else:
            yaw = dice.between(-180, 180)
        elevation, roll = dice.between(*self.elevation), dice.between(*self.roll)
        moment = Moment.draw(dice, self.flying)
        perched = not moment.flying and dice.chance(0.65)
        kind = NATURE[dice.pick((1, 6, 1) if moment.flying else (4, 2, 2))]
        key, fill, ambient = daylight(dice)
        backdrop = nature(dice, kind)
        draws = [dice.between(0, 1) for _ in range(3)]
        bird, builder = Bird(species, moment), SceneBuilder()
        bird.build(builder)
        bird.plumage(builder)
        rotation = viewed(yaw, elevation, roll)
        points, buried = bird.points()
        away = np.array([0.0, 0.0, dice.between(11, 18)])
        camera = self.framing.camera(points, rotation, away, size, draws)
        if perched:
            _branch(builder, dice, bird.feet, rotation)
        elif not moment.flying:
            backdrop = _ground(dice, backdrop, float(camera.project(bird.feet)[1] / size))
        values = {
            "yaw": (yaw + 180) % 360 - 180,
            "elevation": elevation,
            "roll": roll,
            "flying": moment.flying,
            "perched": perched,
            "crested": species.crest > 0,
        } | {f"{name}_build": species.build == name for name in BUILDS}
        return Scene(
            solids=builder.solids(),
            paints=builder.paints(),
            lights=(key, fill),
            ambient=ambient,
            backdrop=backdrop,
            camera=camera,
            landmarks=points,
            attributes=np.array([float(values[name]) for name in _ATTRIBUTES]),
            identity=identity,
            grain=dice.between(0, 5),
            grain_seed=int(dice.random.integers(2**31)),
            buried=buried,
        )


def _branch(b: SceneBuilder, dice: Dice, feet: Array, rotation: Array) -> None:
    """A branch under the feet, across the picture, with twigs and leaves: scenery."""
    bark = shade(linear(_BARK[dice.pick((1,) * len(_BARK))]), dice.between(0.6, 1.2))
    thick, tilt = dice.between(0.07, 0.16), dice.around(0.5)
    along = np.array([np.cos(tilt), np.sin(tilt), dice.around(0.3)]) @ rotation
    middle = feet + np.array([0.0, thick * 0.9, 0.0])
    rough = (2.0, 9.0, 1.0, 1.5, 14.0, -2.0, 0.3)
    for side in (-1, 1):
        start, end = middle - 0.4 * side * along, middle + 3.6 * side * along
        end[1] += dice.around(0.5)
        limb(b, start.tolist(), end.tolist(), thick, 0, bark, over=1, waves=rough)
    leaf = linear((dice.between(50, 110), dice.between(90, 150), dice.between(30, 70)))
    for _ in range(int(dice.between(0, 6))):
        side = 1 if dice.chance(0.5) else -1
        root = middle + side * dice.between(0.7, 2.4) * along
        up = np.array([dice.around(0.6), -dice.between(0.3, 0.8), dice.between(0.1, 0.5)])
        tip = root + (up if dice.chance(0.75) else -up) @ rotation
        limb(b, root.tolist(), tip.tolist(), 0.03, 0, bark)
        limb(b, tip.tolist(), (tip + 0.5 * (tip - root)).tolist(), 0.14, 0,
             shade(leaf, dice.between(0.7, 1.3)), flat=0.3, shine=0.1)  # fmt: skip


def _ground(dice: Dice, backdrop: Backdrop, feet: float) -> Backdrop:
    """Earth, grass or sand from a little above the feet down, and a shadow under them."""
    tones = ((120, 112, 84), (86, 108, 58), (176, 164, 136), (110, 106, 100))
    colour = shade(linear(tones[dice.pick((1,) * len(tones))]), dice.between(0.7, 1.2))
    top = feet - dice.between(0.05, 0.25)
    rows = [[1.0, 0.5, top + 1.0, 2.0, 1.0, dice.around(0.05), 0.06, 0.0, *colour]]
    for _ in range(6):
        wide, y = dice.between(0.05, 0.3), dice.between(top, 1.1)
        other = shade(colour, dice.between(0.7, 1.25))
        rows.append([0.0, dice.between(0, 1), y, wide, wide * 0.2, 0.0, 0.7, 0.0, *other])
    rows.append([0.0, 0.5, feet + 0.01, 0.22, 0.035, 0.0, 0.9, 0.0, *shade(colour, 0.35)])
    return Backdrop(backdrop.corners, np.concatenate([backdrop.shapes, np.array(rows)]))

"""The flower twin: one flower head in front of leaves and stems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from benchmark.twins.draws import Dice, linear, mix, shade
from benchmark.twins.flower_kinds import KINDS, Bloom
from benchmark.twins.scene import Array, Framing, Scene, SceneBuilder, turning
from benchmark.twins.staging import (
    check_identities,
    check_range,
    daylight,
    limb,
    nature,
    viewed,
)

PART_NAMES = ("background", "petals", "centre")
(_, PETALS, CENTRE) = range(3)
_ATTRIBUTES = ("yaw", "pitch", "spin", "petals", *(f"{name}_kind" for name in KINDS))
_VEINS = (0.5, 0.6, 0.0, 2.5, 0.2, 0.0)


@dataclass(frozen=True)
class FlowerRecipe:
    """Scenes of single flower heads; an identity is a species.

    Picture i shows `identities[i % len(identities)]`. The foreground is petals and centre: stems
    and leaves are background, as in Flowers-102's segmentations. Yaw and pitch are ranges in
    degrees: 0 looks straight at the head, positive yaw turns it to the right of the picture,
    positive pitch lifts it; tulips stand upright. The one landmark is the middle of the centre.

    >>> from benchmark.twins.renderer import render
    >>> render(FlowerRecipe(range(2)), 2, 32, seed=0).landmarks.shape
    (2, 1, 2)
    """

    identities: Sequence[int] = range(102)
    framing: Framing = field(default_factory=lambda: Framing((0.6, 0.92), (-0.07, 0.07)))
    yaw: tuple[float, float] = (-50.0, 50.0)
    pitch: tuple[float, float] = (-15.0, 50.0)

    name: ClassVar[str] = "flower"
    part_names: ClassVar[tuple[str, ...]] = PART_NAMES
    attribute_names: ClassVar[tuple[str, ...]] = _ATTRIBUTES
    landmark_names: ClassVar[tuple[str, ...]] = ("centre",)

    def __post_init__(self) -> None:
        check_identities(self.name, self.identities)
        check_range(self.name, "yaw", self.yaw)
        check_range(self.name, "pitch", self.pitch)

    def scene(self, seed: int, index: int, size: int) -> Scene:
        """Picture `index` of the series `seed`, framed for `size` pixels."""
        identity = int(self.identities[index % len(self.identities)])
        bloom, dice = Bloom.draw(seed, identity), Dice(seed, index, 2)
        yaw, pitch = (sum(dice.between(*r) for _ in (0, 1)) / 2
                          for r in (self.yaw, self.pitch))  # fmt: skip
        if bloom.kind == "tulip":
            pitch = 70 + 0.25 * pitch
        spin, open_ = dice.between(0, 360), dice.around(8)
        key, fill, ambient = daylight(dice)
        backdrop = nature(dice, "foliage" if dice.chance(0.85) else "sky")
        draws = [dice.between(0, 1) for _ in range(3)]
        builder = SceneBuilder()
        rotation = viewed(yaw, -pitch, dice.around(15))
        outline = _head(builder, bloom, dice, spin, open_)
        middle = np.array([[0.0, 0.0, -bloom.centre_high]])
        away = np.array([0.0, 0.0, dice.between(10, 16)])
        camera = self.framing.camera(outline, rotation, away, size, draws)
        _greenery(builder, dice, rotation, bloom.cup)
        values = {"yaw": yaw, "pitch": pitch, "spin": spin, "petals": bloom.petals}
        values |= {f"{name}_kind": bloom.kind == name for name in KINDS}
        return Scene(
            solids=builder.solids(),
            paints=builder.paints(),
            lights=(key, fill),
            ambient=ambient,
            backdrop=backdrop,
            camera=camera,
            landmarks=middle,
            attributes=np.array([float(values[name]) for name in _ATTRIBUTES]),
            identity=identity,
            grain=dice.between(0, 4),
            grain_seed=int(dice.random.integers(2**31)),
        )


def _head(b: SceneBuilder, bloom: Bloom, dice: Dice, spin: float, open_: float) -> Array:
    """Rings of petals round a centre; returns the petals' ends and sides (P, 3).

    Object frame: the head looks to -z, y is down; petals are about 1 long.
    """
    outline = []
    for ring in range(bloom.rings):
        share = ring / max(bloom.rings - 1, 1)
        long = bloom.long * (1 - bloom.shrink * share)
        wide = bloom.wide * (1 - 0.6 * bloom.shrink * share)
        lift = bloom.cup + open_ + bloom.rise * share
        colour = mix(bloom.petal, bloom.inner, 0.8 * share)
        count = (
            bloom.petals if bloom.shrink < 0.3 else max(3, round(bloom.petals * (1 - 0.4 * share)))
        )
        start = spin + ring * 180 / count
        for number in range(count):
            angle = start + 360 * number / count + dice.around(0.12 * 360 / count)
            up = lift + dice.around(5)
            turned = turning((0, 0, angle)) @ turning((up, 0, 0))
            across, way = turned[:, 0], -turned[:, 1]
            length = long * dice.between(0.94, 1.05)
            root = (
                (0.6 - 0.3 * share) * bloom.centre * turning((0, 0, angle)) @ np.array([0, -1.0, 0])
            )
            root[2] = -0.06 * ring - 0.012 * (number % 3)
            middle = root + 0.5 * length * way
            tone = shade(colour, dice.between(0.88, 1.1))
            b.solid(middle.tolist(), (wide, 0.54 * length, bloom.thick), PETALS, tone,
                    turn=_euler(turned),
                    waves=(*_VEINS, bloom.veins), shine=bloom.shine)  # fmt: skip
            outline += [root, root + 1.02 * length * way]
            outline += [middle + wide * across, middle - wide * across]
    if bloom.throat:
        size = bloom.centre + bloom.throat * bloom.long
        b.paint((0, 0, -0.1), (size, size, 1.5), bloom.inner, on=(PETALS,), soft=0.5, strength=0.9)
    _centre(b, bloom, dice)
    return np.array(outline)


def _centre(b: SceneBuilder, bloom: Bloom, dice: Dice) -> None:
    r, high = bloom.centre, bloom.centre_high
    rough = (9.0, 4.0, 3.0, -4.0, 9.0, 3.0, 0.35)
    b.solid((0, 0, -0.3 * high), (r, r, 0.7 * high), CENTRE, bloom.heart, waves=rough)
    if bloom.ring_heart:
        b.paint((0, 0, -high), (0.55 * r, 0.55 * r, high), shade(bloom.heart, 0.45), on=(CENTRE,),
                soft=0.5)  # fmt: skip
    for number in range(bloom.stamens):
        angle = np.radians(360 * number / bloom.stamens + dice.around(12))
        out = dice.between(0.6, 1.0) * bloom.stamen_out
        tip = (out * np.sin(angle), out * np.cos(angle), -high - bloom.stamen_long)
        limb(b, (0, 0, -0.4 * high), tip, 0.025, CENTRE, mix(bloom.heart, (0.9, 0.9, 0.6), 0.5))
        b.solid(tip, (0.055, 0.055, 0.05), CENTRE, shade(bloom.heart, 0.8))


def _euler(r: Array) -> tuple[float, float, float]:
    """The turns about x, y, z that `turning` makes `r` of."""
    return (
        float(np.degrees(np.arctan2(r[2, 1], r[2, 2]))),
        float(np.degrees(np.arcsin(np.clip(-r[2, 0], -1, 1)))),
        float(np.degrees(np.arctan2(r[1, 0], r[0, 0]))),
    )


def _greenery(b: SceneBuilder, dice: Dice, rotation: Array, cup: float) -> None:
    """The stem, sepals and leaves: scenery, built upright in the camera's frame."""
    green = shade(
        linear((dice.between(60, 110), dice.between(105, 150), dice.between(40, 70))), 0.9
    )
    back = 0.12 if cup < 50 else 0.25
    neck = np.array([0, 0, back])
    bend = np.array([0, 0, 0.9 + back])
    foot = bend + np.array([dice.around(0.8), 4.0, dice.between(-0.2, 0.5)]) @ rotation
    limb(b, neck.tolist(), bend.tolist(), 0.09, 0, green, over=1)
    limb(b, bend.tolist(), foot.tolist(), 0.085, 0, shade(green, 0.85), over=1)
    for _ in range(int(dice.between(3, 9))):
        side = 1 if dice.chance(0.5) else -1
        place = np.array([side * dice.between(0.2, 1.8), dice.between(0.2, 2.6), 0.0])
        root = (place + np.array([0, 0, dice.between(1.3, 2.2)])) @ rotation
        way = np.array([side * dice.between(0.4, 1.2), -dice.between(0.2, 1.0), dice.around(0.5)])
        tone = shade(green, dice.between(0.5, 1.2))
        veins = (5.0, 1.5, 0.0, 0.0, 1.0, 0.0, 0.15)
        limb(b, root.tolist(), (root + way @ rotation).tolist(), dice.between(0.15, 0.35), 0, tone,
             flat=0.15, shine=0.15, waves=veins)  # fmt: skip

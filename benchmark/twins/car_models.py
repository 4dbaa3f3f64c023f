"""What a model of the car twin keeps: its body style, measures in metres and colours."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.twins.draws import Colour, Dice, linear, shade

Range = tuple[float, float]


@dataclass(frozen=True)
class _Style:
    """Ranges of one body style. Places along the car are shares of its length, from the front."""

    length: Range
    width: Range
    height: Range
    clearance: Range
    windscreen: Range  # where its foot is
    roof: tuple[Range, Range]  # where the roof starts and ends
    rear: Range  # where the rear window's foot is
    belt: Range  # height of the window sill, as a share of the height
    nose: Range  # height of the bonnet's front, as a share of the belt
    tail: Range  # height of the boot's end, likewise


_STYLES: dict[str, _Style] = {
    "sedan": _Style((4.4, 4.9), (1.74, 1.86), (1.4, 1.5), (0.17, 0.22), (0.28, 0.32),
                    ((0.42, 0.45), (0.64, 0.7)), (0.8, 0.86), (0.61, 0.65), (0.76, 0.84),
                    (0.9, 0.98)),
    "hatchback": _Style((3.6, 4.1), (1.66, 1.78), (1.45, 1.58), (0.17, 0.22), (0.24, 0.29),
                        ((0.38, 0.42), (0.76, 0.84)), (0.92, 0.95), (0.59, 0.63), (0.74, 0.84),
                        (0.92, 1.0)),
    "wagon": _Style((4.4, 4.8), (1.74, 1.84), (1.45, 1.54), (0.17, 0.22), (0.28, 0.31),
                    ((0.41, 0.44), (0.86, 0.9)), (0.95, 0.97), (0.6, 0.64), (0.76, 0.84),
                    (0.94, 1.0)),
    "suv": _Style((4.3, 4.8), (1.82, 1.95), (1.66, 1.85), (0.24, 0.32), (0.26, 0.3),
                  ((0.36, 0.4), (0.84, 0.9)), (0.94, 0.97), (0.6, 0.64), (0.84, 0.92), (0.95, 1.0)),
    "sports": _Style((4.1, 4.5), (1.8, 1.95), (1.15, 1.3), (0.12, 0.16), (0.34, 0.42),
                     ((0.5, 0.55), (0.62, 0.68)), (0.84, 0.92), (0.62, 0.67), (0.6, 0.74),
                     (0.95, 1.05)),
    "pickup": _Style((5.0, 5.4), (1.85, 2.0), (1.7, 1.85), (0.28, 0.36), (0.26, 0.3),
                     ((0.35, 0.38), (0.55, 0.6)), (0.6, 0.63), (0.6, 0.63), (0.86, 0.93),
                     (0.97, 1.0)),
    "van": _Style((4.6, 5.2), (1.88, 2.0), (1.85, 2.05), (0.2, 0.26), (0.1, 0.15),
                  ((0.26, 0.3), (0.94, 0.97)), (0.98, 0.99), (0.54, 0.58), (0.78, 0.88),
                  (0.98, 1.0)),
}  # fmt: skip
STYLES = tuple(_STYLES)

_PAINTS: tuple[Colour, ...] = (
    (222, 222, 220), (34, 35, 40), (140, 146, 152), (196, 30, 36), (34, 66, 148), (226, 190, 40),
    (40, 96, 66), (110, 26, 40), (222, 110, 36), (150, 190, 210), (188, 172, 144), (84, 88, 96),
)  # fmt: skip


@dataclass(frozen=True)
class Model:
    """One car. Lengths in metres, heights from the road, places from the front bumper; linear rgb."""

    style: str
    length: float
    width: float
    height: float
    clearance: float
    windscreen: float
    roof: tuple[float, float]
    rear: float
    belt: float
    nose: float
    tail: float
    wheel: float
    axles: tuple[float, float]
    tumble: float
    paint: Colour
    top: Colour
    rim: Colour
    rims: float
    glass: Colour
    lamp: tuple[float, float]
    grille: tuple[float, float]
    dark_bumpers: bool
    spoiler: bool
    rack: bool

    @staticmethod
    def draw(seed: int, identity: int) -> Model:
        """The model `identity` of the series `seed`."""
        dice = Dice(seed, identity, 1)
        name = STYLES[dice.pick((3, 2.5, 1.5, 2.5, 2, 1.5, 1.5))]
        style = _STYLES[name]
        length, height = dice.between(*style.length), dice.between(*style.height)
        belt = height * dice.between(*style.belt)
        paint = linear(_PAINTS[dice.pick((1,) * len(_PAINTS))])
        paint = shade(paint, dice.between(0.8, 1.1))
        two_tone = dice.chance(0.15)
        wheel = {"suv": 0.37, "pickup": 0.39}.get(name, 0.325) * dice.between(0.96, 1.05)
        return Model(
            style=name,
            length=length,
            width=dice.between(*style.width),
            height=height,
            clearance=dice.between(*style.clearance),
            windscreen=length * dice.between(*style.windscreen),
            roof=(length * dice.between(*style.roof[0]), length * dice.between(*style.roof[1])),
            rear=length * dice.between(*style.rear),
            belt=belt,
            nose=belt * dice.between(*style.nose),
            tail=belt * dice.between(*style.tail),
            wheel=wheel,
            axles=(wheel + dice.between(0.42, 0.5), length - wheel - dice.between(0.42, 0.58)),
            tumble=dice.between(0.78, 0.86) if name != "van" else dice.between(0.9, 0.94),
            paint=paint,
            top=linear(_PAINTS[dice.pick((1, 1))]) if two_tone else paint,
            rim=linear((190, 192, 196)) if dice.chance(0.8) else linear((60, 60, 64)),
            rims=dice.between(0.58, 0.7),
            glass=linear((34, 44, 52)) if dice.chance(0.7) else linear((70, 92, 104)),
            lamp=(dice.between(0.12, 0.2), dice.between(0.06, 0.1)),
            grille=(dice.between(0.25, 0.5), dice.between(0.05, 0.11)),
            dark_bumpers=dice.chance(0.35),
            spoiler=name == "sports" and dice.chance(0.6),
            rack=name in ("suv", "wagon") and dice.chance(0.6),
        )

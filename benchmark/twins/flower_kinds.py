"""What a species of the flower twin keeps. Lengths are in petals: a petal is about 1 long."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.twins.draws import Colour, Dice, linear, mix, shade

Range = tuple[float, float]


@dataclass(frozen=True)
class _Kind:
    """Ranges of one kind. `cup` lifts petals towards the viewer, degrees; `rise` is added inwards."""

    petals: Range
    wide: Range
    rings: Range
    cup: Range
    rise: Range
    shrink: Range
    centre: Range
    centre_high: Range
    stamens: Range
    hearts: tuple[Colour, ...]
    throat: float


_YELLOW, _BROWN, _GREEN = (232, 184, 44), (74, 44, 26), (150, 160, 70)
_KINDS: dict[str, _Kind] = {
    "daisy": _Kind((14, 24), (0.1, 0.15), (1, 2.9), (0, 22), (6, 12), (0.05, 0.15), (0.3, 0.42),
                   (0.14, 0.24), (0, 0), (_YELLOW, _YELLOW, _BROWN), 0.1),
    "sunflower": _Kind((17, 24), (0.14, 0.19), (2, 3.9), (4, 18), (8, 14), (0.1, 0.2), (0.5, 0.66),
                       (0.12, 0.2), (0, 0), (_BROWN, _BROWN, (44, 30, 24)), 0.15),
    "anemone": _Kind((5, 8.9), (0.34, 0.46), (1, 1.9), (8, 30), (0, 0), (0, 0), (0.16, 0.26),
                     (0.12, 0.2), (10, 18), (_YELLOW, (40, 34, 44), _GREEN), 0.35),
    "buttercup": _Kind((5, 5.9), (0.46, 0.56), (1, 1.9), (18, 40), (0, 0), (0, 0), (0.18, 0.28),
                       (0.12, 0.2), (8, 14), (_YELLOW, _GREEN), 0.3),
    "lily": _Kind((3, 3.9), (0.2, 0.3), (2, 2.9), (8, 34), (5, 9), (0.0, 0.02), (0.1, 0.14),
                  (0.1, 0.16), (6, 6.9), ((150, 70, 30), _GREEN), 0.4),
    "rose": _Kind((5, 7.9), (0.42, 0.52), (4, 5.9), (12, 26), (48, 62), (0.5, 0.62), (0.14, 0.2),
                  (0.4, 0.5), (0, 0), ((200, 80, 90), (220, 150, 110)), 0.0),
    "dahlia": _Kind((12, 16.9), (0.13, 0.19), (4, 5.9), (4, 14), (46, 60), (0.45, 0.58),
                    (0.14, 0.2), (0.3, 0.4), (0, 0), (_YELLOW, (170, 60, 60)), 0.0),
    "tulip": _Kind((3, 3.9), (0.36, 0.44), (2, 2.9), (64, 72), (5, 8), (0.1, 0.16), (0.16, 0.2),
                   (0.1, 0.2), (3, 5.9), (_GREEN, _BROWN), 0.2),
}  # fmt: skip
KINDS = tuple(_KINDS)

_PETALS: tuple[Colour, ...] = (
    (240, 238, 230), (246, 206, 50), (224, 70, 120), (196, 40, 48), (240, 140, 50),
    (140, 90, 190), (92, 110, 206), (246, 178, 200), (168, 36, 96), (250, 226, 150),
)  # fmt: skip


@dataclass(frozen=True)
class Bloom:
    """What all pictures of one identity share. Colours are linear."""

    kind: str
    petals: int
    long: float
    wide: float
    thick: float
    rings: int
    cup: float
    rise: float
    shrink: float
    petal: Colour
    inner: Colour
    throat: float
    veins: float
    shine: float
    centre: float
    centre_high: float
    heart: Colour
    ring_heart: bool
    stamens: int
    stamen_out: float
    stamen_long: float

    @staticmethod
    def draw(seed: int, identity: int) -> Bloom:
        """The species `identity` of the series `seed`."""
        dice = Dice(seed, identity, 1)
        name = KINDS[dice.pick((3, 1.5, 2.5, 2, 2, 2, 2, 1.5))]
        kind = _KINDS[name]

        def one(tones: tuple[Colour, ...]) -> Colour:
            return shade(linear(tones[dice.pick((1,) * len(tones))]), dice.between(0.8, 1.1))

        petal = one(_PETALS[1:2] if name == "sunflower" and dice.chance(0.8) else _PETALS)
        other = mix(petal, one(_PETALS), 0.75) if dice.chance(0.5) else shade(petal, 0.65)
        heart = petal if name == "rose" else one(kind.hearts)
        return Bloom(
            kind=name,
            petals=int(dice.between(*kind.petals)),
            long=dice.between(0.95, 1.05),
            wide=dice.between(*kind.wide),
            thick=0.16 if name in ("tulip", "rose") else 0.045,
            rings=int(dice.between(*kind.rings)),
            cup=dice.between(*kind.cup),
            rise=dice.between(*kind.rise),
            shrink=dice.between(*kind.shrink),
            petal=petal,
            inner=other,
            throat=kind.throat * dice.between(0.6, 1.2),
            veins=dice.between(0.05, 0.2),
            shine=dice.between(0.0, 0.15),
            centre=dice.between(*kind.centre),
            centre_high=dice.between(*kind.centre_high),
            heart=heart,
            ring_heart=dice.chance(0.5) and name in ("daisy", "sunflower"),
            stamens=int(dice.between(*kind.stamens)),
            stamen_out=dice.between(0.2, 0.4) if name != "lily" else dice.between(0.3, 0.5),
            stamen_long=dice.between(0.02, 0.15) if name != "lily" else dice.between(0.3, 0.5),
        )

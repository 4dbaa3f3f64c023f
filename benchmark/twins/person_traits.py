"""What an identity of the person twin keeps: build, hair and clothes. Lengths are in metres."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.twins.draws import Colour, Dice, linear, mix, shade

HAIR_STYLES = ("bald", "short", "bob", "long", "tail", "bun")

_SKINS: tuple[Colour, ...] = (
    (90, 58, 42), (134, 90, 64), (182, 130, 98), (220, 172, 140), (240, 202, 178)
)  # fmt: skip
_HAIRS: tuple[Colour, ...] = (
    (24, 20, 20), (60, 42, 30), (118, 80, 48), (200, 164, 104), (150, 66, 32), (178, 176, 172)
)  # fmt: skip
_CLOTHES: tuple[Colour, ...] = (
    (236, 234, 230), (34, 34, 40), (180, 36, 40), (38, 68, 132), (60, 116, 84), (216, 176, 60),
    (128, 128, 134), (104, 62, 112), (196, 120, 84), (74, 140, 168), (120, 96, 70), (226, 150, 170),
)  # fmt: skip
_SHOES: tuple[Colour, ...] = ((30, 28, 30), (230, 228, 224), (100, 66, 42), (160, 40, 44))


@dataclass(frozen=True)
class Someone:
    """One person. `sleeve` and `trousers` are how much of the limb they cover, 1 is all."""

    height: float
    shoulders: float
    hips: float
    girth: float
    legs: float
    head: float
    skin: Colour
    hair: Colour
    hair_style: str
    shirt: Colour
    shirt_waves: tuple[float, ...]
    sleeve: float
    loose: float
    lower: Colour
    trousers: float
    skirt: bool
    belt: Colour
    shoes: Colour

    @staticmethod
    def draw(seed: int, identity: int) -> Someone:
        """The person `identity` of the series `seed`."""
        dice = Dice(seed, identity, 1)

        def one(tones: tuple[Colour, ...]) -> Colour:
            return shade(linear(tones[dice.pick((1,) * len(tones))]), dice.between(0.8, 1.2))

        skin = mix(one(_SKINS), linear((214, 160, 126)), 0.3)
        woman = dice.chance(0.5)
        style = HAIR_STYLES[
            dice.pick((0.1, 1, 2, 3, 2, 2) if woman else (1.2, 5, 0.5, 0.4, 0.3, 0.3))
        ]
        shirt, lower = one(_CLOTHES), one(_CLOTHES)
        uniform = dice.chance(0.25)
        striped = dice.chance(0.3)
        return Someone(
            height=dice.between(1.55, 1.75) if woman else dice.between(1.65, 1.92),
            shoulders=dice.between(0.3, 0.35) if woman else dice.between(0.35, 0.42),
            hips=dice.between(0.17, 0.2),
            girth=dice.between(0.88, 1.25),
            legs=dice.between(0.97, 1.04),
            head=dice.between(0.95, 1.08),
            skin=skin,
            hair=one(_HAIRS),
            hair_style=style,
            shirt=shirt,
            shirt_waves=(0.0, 3.0 if striped else 1.2, 0.0, 1.0, 0.4, 0.6, 0.3 if striped else 0.1),
            sleeve=1.0 if uniform else (0.0, 0.5, 1.0)[dice.pick((1, 3, 3))],
            loose=dice.between(1.15, 1.5) if uniform else dice.between(0.95, 1.2),
            lower=shirt if uniform else lower,
            trousers=1.0 if uniform else (0.55, 1.0)[dice.pick((1, 3))],
            skirt=woman and not uniform and dice.chance(0.3),
            belt=one(_CLOTHES),
            shoes=one(_SHOES),
        )

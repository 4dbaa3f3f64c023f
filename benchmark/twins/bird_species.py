"""What is drawn for a bird: what a species keeps, and what changes from moment to moment.

Lengths are in halves of the trunk: a bird's trunk is about 2 long, 1 wide and 1 high.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.twins.draws import Colour, Dice, linear, mix, shade

# ranges of girth, head, neck, beak's length and depth, tail, legs and posture in degrees
_BUILDS: dict[str, tuple[tuple[float, float], ...]] = {
    "songbird": ((0.5, 0.62), (0.4, 0.48), (0.0, 0.1), (0.22, 0.36), (0.07, 0.1), (0.7, 1.2),
                 (0.5, 0.7), (22, 45)),
    "finch": ((0.55, 0.66), (0.43, 0.5), (0.0, 0.05), (0.22, 0.3), (0.14, 0.19), (0.6, 0.9),
              (0.4, 0.55), (25, 45)),
    "crow": ((0.48, 0.56), (0.36, 0.42), (0.1, 0.2), (0.42, 0.6), (0.11, 0.15), (0.8, 1.2),
             (0.6, 0.8), (18, 35)),
    "woodpecker": ((0.42, 0.5), (0.36, 0.42), (0.1, 0.2), (0.45, 0.65), (0.07, 0.09), (0.7, 0.9),
                   (0.35, 0.5), (45, 65)),
    "gull": ((0.42, 0.5), (0.3, 0.36), (0.15, 0.3), (0.4, 0.55), (0.09, 0.12), (0.5, 0.7),
             (0.55, 0.75), (8, 20)),
    "wader": ((0.42, 0.5), (0.26, 0.32), (0.4, 0.75), (0.6, 1.0), (0.05, 0.07), (0.4, 0.55),
              (1.1, 1.5), (15, 35)),
    "hummingbird": ((0.4, 0.46), (0.36, 0.4), (0.05, 0.15), (0.8, 1.1), (0.03, 0.045), (0.5, 0.7),
                    (0.2, 0.3), (40, 60)),
}  # fmt: skip
BUILDS = tuple(_BUILDS)

_MAIN: tuple[Colour, ...] = (
    (112, 86, 62), (60, 52, 48), (150, 132, 108), (110, 116, 124), (52, 92, 168), (196, 48, 40),
    (230, 188, 48), (84, 112, 60), (32, 34, 40), (196, 194, 190), (46, 120, 128), (196, 110, 50),
)  # fmt: skip
_UNDER: tuple[Colour, ...] = (
    (236, 232, 222), (216, 200, 172), (236, 206, 90), (222, 140, 70), (176, 172, 168),
    (150, 120, 92),
)  # fmt: skip
_ACCENT: tuple[Colour, ...] = (
    (26, 24, 26), (206, 44, 36), (238, 236, 230), (244, 200, 50), (60, 44, 36), (40, 70, 150),
    (120, 36, 70),
)  # fmt: skip
_BEAKS: tuple[Colour, ...] = ((44, 40, 40), (226, 150, 50), (120, 108, 96), (214, 90, 44))


@dataclass(frozen=True)
class Species:
    """What all pictures of one identity share. Colours are linear; a mark with share 0 is absent."""

    build: str
    girth: float
    head: float
    neck: float
    beak_length: float
    beak_deep: float
    hook: float
    tail: float
    fork: float
    legs: float
    posture: float
    crest: float
    main: Colour
    under: Colour
    wing: Colour
    wing_bar: Colour
    bars: int
    cap: Colour
    throat: Colour
    stripe: Colour
    marks: tuple[float, float, float]
    speckles: float
    beak: Colour
    legs_colour: Colour
    iris: Colour

    @staticmethod
    def draw(seed: int, identity: int) -> Species:
        """The species `identity` of the series `seed`."""
        dice = Dice(seed, identity, 1)
        build = BUILDS[dice.pick((5, 2.5, 1.5, 1.2, 1.2, 1.2, 1))]
        ranges = _BUILDS[build]
        girth, head, neck, long, deep, tail, legs, posture = (dice.between(*r) for r in ranges)

        def one(tones: tuple[Colour, ...]) -> Colour:
            return shade(linear(tones[dice.pick((1,) * len(tones))]), dice.between(0.75, 1.2))

        main = one(_MAIN)
        under = mix(one(_UNDER), main, 0.1) if dice.chance(0.8) else shade(main, 1.15)
        crested = {"songbird": 0.25, "woodpecker": 0.8, "wader": 0.3}.get(build, 0.05)
        dark = shade(main, dice.between(0.35, 0.75))
        return Species(
            build=build,
            girth=girth,
            head=head,
            neck=neck,
            beak_length=long,
            beak_deep=deep,
            hook=dice.between(0.3, 1.0) if build in ("gull", "crow", "finch") else dice.around(0.3),
            tail=tail,
            fork=dice.between(4, 12),
            legs=legs,
            posture=posture,
            crest=dice.between(0.6, 1.0) if dice.chance(crested) else 0.0,
            main=main,
            under=under,
            wing=dark if dice.chance(0.7) else mix(one(_MAIN), main, 0.4),
            wing_bar=mix(under, (0.9, 0.88, 0.84), 0.6),
            bars=dice.pick((2, 1, 1.4)),
            cap=one(_ACCENT),
            throat=one(_ACCENT),
            stripe=mix(one(_ACCENT), (0.01, 0.01, 0.01), 0.6),
            marks=(
                float(dice.chance(0.5)) * 0.95,
                float(dice.chance(0.35)) * 0.95,
                float(dice.chance(0.45)) * 0.95,
            ),
            speckles=dice.between(0.25, 0.45) if dice.chance(0.25) else 0.07,
            beak=one(_BEAKS),
            legs_colour=one(_BEAKS),
            iris=linear((30, 22, 18)) if dice.chance(0.8) else linear((190, 140, 40)),
        )


@dataclass(frozen=True)
class Moment:
    """What changes between pictures of one species. Angles in degrees.

    `lean` adds to the species' posture, `head_yaw` and `head_pitch` turn the head on the body (to
    the bird's left, up), `wings` lifts spread wings, `spread` is the angle from leg to leg.
    """

    flying: bool
    lean: float
    head_yaw: float
    head_pitch: float
    wings: float
    tail: float
    stance: float

    @staticmethod
    def draw(dice: Dice, flying: float) -> Moment:
        """A moment from one stream of draws; `flying` is the chance of it."""
        return Moment(
            flying=dice.chance(flying),
            lean=dice.around(12),
            head_yaw=dice.around(55),
            head_pitch=dice.around(18),
            wings=dice.between(-20, 60),
            tail=dice.around(16),
            stance=dice.around(0.12),
        )

"""What is drawn for a face: the traits an identity keeps, and what changes from shot to shot.

Lengths are in head units: a head is about 1.4 wide and 2.1 high; y is down and the
eyes are near y = 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.twins.draws import Colour, Dice, linear, mix

HAIR_COLOURS = ("black", "brown", "blond", "red", "grey")
_HAIR_TONES: dict[str, tuple[Colour, Colour]] = {
    "black": ((18, 16, 18), (48, 38, 34)),
    "brown": ((62, 40, 26), (120, 82, 52)),
    "blond": ((170, 130, 72), (226, 196, 136)),
    "red": ((120, 48, 20), (178, 84, 40)),
    "grey": ((120, 120, 122), (214, 212, 208)),
}
_SKIN_TONES: tuple[Colour, ...] = (
    (84, 54, 40),
    (124, 82, 58),
    (166, 116, 84),
    (200, 152, 118),
    (226, 180, 150),
    (244, 208, 186),
)
_IRIS_TONES: tuple[Colour, ...] = ((52, 32, 20), (96, 62, 34), (84, 104, 62), (70, 112, 150))
HAIR_STYLES = ("bald", "buzz", "short", "parted", "fringe", "bob", "long", "afro", "bun")


@dataclass(frozen=True)
class Person:
    """What all pictures of one identity share."""

    width: float
    jaw_width: float
    jaw_length: float
    cheeks: float
    chin: float
    eye_apart: float
    eye_height: float
    eye_width: float
    eye_open: float
    eye_tilt: float
    nose_length: float
    nose_width: float
    nose_out: float
    mouth_width: float
    mouth_height: float
    lip: float
    brow_height: float
    brow_thick: float
    brow_arch: float
    brow_tilt: float
    ears: float
    skin: Colour
    hair: Colour
    hair_kind: int
    hair_style: str
    hairline: float
    curl: float
    iris: Colour
    lips: Colour
    beard: str
    glasses: bool
    round_glasses: float
    rim: Colour

    @staticmethod
    def draw(seed: int, identity: int) -> Person:
        """The person `identity` of the series `seed`."""
        dice = Dice(seed, identity, 1)
        tone = (len(_SKIN_TONES) - 1.001) * dice.between(0, 1) ** 0.75
        skin = mix(_SKIN_TONES[int(tone)], _SKIN_TONES[int(tone) + 1], tone % 1)
        hue = dice.around(10)
        skin = (skin[0] + hue, skin[1], skin[2] - hue)
        fair = tone > 2.5
        kind = dice.pick((0.25, 0.3, 0.22, 0.11, 0.12) if fair else (0.7, 0.2, 0.02, 0.0, 0.08))
        low, high = _HAIR_TONES[HAIR_COLOURS[kind]]
        hair = mix(low, high, dice.between(0, 1))
        style = HAIR_STYLES[dice.pick((1, 1.3, 2, 2, 1.6, 1.5, 2, 1.0, 1.2))]
        bearded = style in ("bald", "buzz", "short", "parted") and dice.chance(0.5)
        lips = mix(skin, (176, 62, 66), dice.between(0.35, 0.75))
        return Person(
            width=dice.between(0.9, 1.1),
            jaw_width=dice.between(0.43, 0.58),
            jaw_length=dice.between(-0.09, 0.1),
            cheeks=dice.between(-0.03, 0.06),
            chin=dice.between(0.17, 0.26),
            eye_apart=dice.between(0.285, 0.35),
            eye_height=dice.between(-0.13, -0.03),
            eye_width=dice.between(0.135, 0.175),
            eye_open=dice.between(0.055, 0.085),
            eye_tilt=dice.around(9),
            nose_length=dice.between(0.24, 0.36),
            nose_width=dice.between(0.085, 0.135),
            nose_out=dice.between(-0.05, 0.07),
            mouth_width=dice.between(0.215, 0.29),
            mouth_height=dice.between(0.57, 0.65),
            lip=dice.between(0.05, 0.1),
            brow_height=dice.between(0.17, 0.24),
            brow_thick=dice.between(0.025, 0.055),
            brow_arch=dice.between(0.01, 0.07),
            brow_tilt=dice.around(12),
            ears=dice.between(0.8, 1.25),
            skin=linear(skin),
            hair=linear(hair),
            hair_kind=kind,
            hair_style=style,
            hairline=dice.between(-0.08, 0.1),
            curl=dice.between(0, 1),
            iris=linear(_IRIS_TONES[dice.pick((2, 2, 1, 2) if fair else (3, 1, 0, 0))]),
            lips=linear(lips),
            beard=("full", "goatee", "moustache")[dice.pick((2, 1, 1))] if bearded else "",
            glasses=dice.chance(0.22),
            round_glasses=dice.between(0.72, 1.0),
            rim=linear(((24, 22, 24), (120, 88, 50), (150, 30, 40))[dice.pick((3, 1, 1))]),
        )


@dataclass(frozen=True)
class Shot:
    """What changes between pictures of one identity. Angles in degrees, see `FaceRecipe`."""

    yaw: float
    pitch: float
    roll: float
    smile: float
    mouth_open: float
    eyes_open: float
    brow_raise: float
    gaze: tuple[float, float]
    glasses: bool
    shades: bool
    body: tuple[float, float, float]
    clothes: Colour
    pattern: tuple[float, ...]
    distance: float

    @staticmethod
    def draw(
        dice: Dice,
        person: Person,
        yaw: tuple[float, float],
        pitch: tuple[float, float],
        roll: tuple[float, float],
    ) -> Shot:
        """A shot of `person` from one stream of draws."""
        talking = dice.chance(0.35)
        striped = dice.chance(0.4)
        glasses = person.glasses and dice.chance(0.85)
        hue = [dice.between(20, 235) for _ in range(3)]
        return Shot(
            yaw=dice.between(*yaw),
            pitch=dice.between(*pitch),
            roll=dice.between(*roll),
            smile=dice.between(-0.3, 1.0),
            mouth_open=dice.between(0.2, 1.0) if talking else 0.0,
            eyes_open=dice.between(0.75, 1.15) if dice.chance(0.92) else dice.between(0.12, 0.3),
            brow_raise=dice.around(1.0),
            gaze=(dice.around(0.6), dice.around(0.35)),
            glasses=glasses,
            shades=glasses and dice.chance(0.2),
            body=(dice.around(8), dice.around(25), dice.around(6)),
            clothes=linear((hue[0], hue[1], hue[2])),
            pattern=(
                dice.around(6),
                dice.around(6),
                0.0,
                dice.around(3),
                dice.around(3),
                0.0,
                0.35 if striped else 0.06,
            ),
            distance=dice.between(7.5, 14.0),
        )

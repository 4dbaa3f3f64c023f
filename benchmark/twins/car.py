"""The car twin: models of seven styles, each seen from several sides, as ShapeNet's renders are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from benchmark.contracts.errors import InvalidInput
from benchmark.twins.car_models import STYLES, Model
from benchmark.twins.car_shape import CORNER_NAMES, PART_NAMES, Car, camera_rotation
from benchmark.twins.draws import Colour, Dice, linear, shade
from benchmark.twins.scene import Backdrop, Camera, Framing, Scene, SceneBuilder
from benchmark.twins.staging import (
    check_identities,
    check_range,
    daylight,
    evening,
    ground,
    lights,
    nature,
    room,
)

_ATTRIBUTES = ("azimuth", "elevation", *(f"{name}_style" for name in STYLES))
BACKGROUNDS = ("white", "black", "clutter")
LIGHTS = ("", "evening")
FOCAL = 1.875  # a 60 mm lens on a 32 mm sensor, in widths of the picture
DISTANCE = 2.0


@dataclass(frozen=True)
class CarRecipe:
    """Scenes of cars; an identity is a model, and `views` pictures in a row show the same one.

    Picture i shows `identities[(i // views) % len(identities)]` in its view i % views: the same
    solids, another camera and light. The camera is that of the renders of eldar/differentiable-
    point-clouds (d9b6725d): it looks at the car's middle from distance 2 with a focal length of
    1.875 picture widths, so that a car, of diagonal 1, is always whole; a `framing` fits the focal
    length to the car's box instead. Azimuth and elevation are ranges in degrees: from azimuth 0 one
    sees the car's right side, from 90 its front.

    The object frame is ShapeNet's, y up and the nose to -z, see `car_shape`. `background` is one of
    `BACKGROUNDS`; clutter stands on a ground with a shadow. `light` "evening" is a low orange sun
    under a blue sky instead of what the background has; `grain` the range of the picture's noise, in
    8-bit levels, instead of 0 to 4 on clutter and none elsewhere. `landmarks` is 0, or 8 for the corners
    of the car's box.

    >>> from benchmark.twins.renderer import render
    >>> render(CarRecipe(range(3), views=2), 4, 32, seed=0).identity.tolist()
    [0, 0, 1, 1]
    """

    identities: Sequence[int] = range(200)
    views: int = 5
    background: str = "white"
    framing: Framing | None = None
    azimuth: tuple[float, float] = (-180.0, 180.0)
    elevation: tuple[float, float] = (-20.0, 40.0)
    light: str = ""
    grain: tuple[float, float] | None = None
    landmarks: int = 0

    name: ClassVar[str] = "car"
    part_names: ClassVar[tuple[str, ...]] = PART_NAMES
    attribute_names: ClassVar[tuple[str, ...]] = _ATTRIBUTES

    def __post_init__(self) -> None:
        check_identities(self.name, self.identities)
        if self.landmarks not in (0, 8):
            raise InvalidInput(
                f"car twin: landmarks must be 0 or 8, got {self.landmarks!r}",
                cure="ask for landmarks=8, the corners of the box",
            )
        check_range(self.name, "azimuth", self.azimuth)
        check_range(self.name, "elevation", self.elevation)
        if self.light not in LIGHTS:
            raise InvalidInput(
                f"car twin: light must be one of {LIGHTS}, got {self.light!r}",
                cure="give for example light='evening'",
            )
        if self.grain is not None:
            check_range(self.name, "grain", self.grain)
        if self.views < 1:
            raise InvalidInput(
                f"car twin: views must be at least 1, got {self.views!r}", cure="give views=5"
            )
        if self.background not in BACKGROUNDS:
            raise InvalidInput(
                f"car twin: background must be one of {BACKGROUNDS}, got {self.background!r}",
                cure="give for example background='white'",
            )

    @property
    def landmark_names(self) -> tuple[str, ...]:
        """Those of the corners, if they are asked for."""
        return CORNER_NAMES if self.landmarks else ()

    def scene(self, seed: int, index: int, size: int) -> Scene:
        """Picture `index` of the series `seed`, framed for `size` pixels."""
        identity = int(self.identities[(index // self.views) % len(self.identities)])
        model, dice = Model.draw(seed, identity), Dice(seed, index, 2)
        car, builder = Car(model), SceneBuilder()
        car.build(builder)
        azimuth, elevation = dice.between(*self.azimuth), dice.between(*self.elevation)
        rotation, away = camera_rotation(azimuth, elevation), np.array([0.0, 0.0, DISTANCE])
        draws = [dice.between(0, 1) for _ in range(3)]
        middle = (size - 1) / 2
        camera = Camera(rotation, away, FOCAL * size, (middle, middle))
        if self.framing is not None:
            camera = self.framing.camera(car.corners, rotation, away, size, draws)
        if self.background == "clutter":
            key, fill, ambient = daylight(dice)
            horizon = 0.5 - camera.focal / size * np.tan(np.radians(elevation))
            backdrop = _street(dice, float(horizon))
            if elevation > 2:
                _shadow(builder, car, model)
        else:
            # a little dimmer than elsewhere, so that a white car is not lost on white
            key, fill, ambient = lights(dice)
            key, fill = (replace(lamp, colour=shade(lamp.colour, 0.75)) for lamp in (key, fill))
            ambient = shade(ambient, 0.9)
            backdrop = _plain(1.0 if self.background == "white" else 0.0)
        if self.light == "evening":
            key, fill, ambient = evening(dice)
        noise = self.grain or ((0.0, 4.0) if self.background == "clutter" else (0.0, 0.0))
        values = {"azimuth": (azimuth + 180) % 360 - 180, "elevation": elevation}
        values |= {f"{name}_style": float(model.style == name) for name in STYLES}
        return Scene(
            solids=builder.solids(),
            paints=builder.paints(),
            lights=(key, fill),
            ambient=ambient,
            backdrop=backdrop,
            camera=camera,
            landmarks=car.corners if self.landmarks else np.empty((0, 3)),
            attributes=np.array([values[name] for name in _ATTRIBUTES]),
            identity=identity,
            grain=dice.between(*noise) if noise[1] else 0.0,
            grain_seed=int(dice.random.integers(2**31)),
        )


def forward_up_right(quaternions: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Rotations (N, 4) from object to camera axes (right, down, forward), to (forward, up, right).

    (w, x, y, z), w >= 0. The second are the axes in which eldar/differentiable-point-clouds
    (d9b6725d, util/camera.py) gives and compares poses; the object frame is the same.

    >>> (forward_up_right([[0, 1, 0, 0]]).round(4) + 0.0).tolist()  # half a turn about x
    [[0.7071, 0.0, -0.7071, 0.0]]
    """
    w, x, y, z = np.asarray(quaternions, dtype=np.float64).T
    # (0, h, 0, h) times q, the half turn that takes (a, b, c) to (c, -b, a)
    turned = np.sqrt(0.5) * np.stack([-x - z, w - y, x - z, w + y], axis=1)
    return np.where(turned[:, :1] < 0, -turned, turned)


def _plain(level: float) -> Backdrop:
    return Backdrop(np.full((2, 2, 3), level), np.empty((0, 11)))


def _street(dice: Dice, horizon: float) -> Backdrop:
    """Trees or soft coloured shapes above the horizon, asphalt, grass or sand below."""
    behind = nature(dice, "foliage") if dice.chance(0.5) else room(dice)
    tones: tuple[Colour, ...] = ((112, 112, 116), (150, 146, 138), (90, 108, 60), (168, 154, 126))
    colour = shade(linear(tones[dice.pick((2, 2, 1, 1))]), dice.between(0.7, 1.15))
    return ground(dice, behind, min(max(horizon, -0.5), 1.5), colour)


def _shadow(b: SceneBuilder, car: Car, model: Model) -> None:
    """The car's shadow at noon: a flat dark disc on the road, scenery."""
    size = car.scale * np.array([0.58 * model.width, 0.01, 0.54 * model.length])
    centre = car.place((0.0, 0.0, model.length / 2))
    b.solid(centre, size.tolist(), 0, (0.035, 0.035, 0.04))

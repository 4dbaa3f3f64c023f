"""The face twin: people with their own shape, skin and hair, in many poses, moods and lights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from benchmark.contracts.errors import InvalidInput
from benchmark.twins.draws import Dice
from benchmark.twins.face_hair import add_hair
from benchmark.twins.face_shape import PART_NAMES, Face
from benchmark.twins.face_traits import HAIR_COLOURS, Person, Shot
from benchmark.twins.renderer import TwinBatch, attach, render
from benchmark.twins.scene import Array, Camera, Framing, Scene, SceneBuilder
from benchmark.twins.staging import check_identities, clutter, lights, pose

_FIVE = ("left eye", "right eye", "nose tip", "left mouth corner", "right mouth corner")
_ATTRIBUTES = (
    "yaw", "pitch", "roll", "smile", "mouth_open", "eyes_open", "glasses", "sunglasses", "beard",
    "moustache", "bald", "long_hair", *(f"{name}_hair" for name in HAIR_COLOURS), "pale_skin",
)  # fmt: skip


@dataclass(frozen=True)
class FaceRecipe:
    """Scenes of faces. Left and right are the picture's.

    Picture i shows `identities[i % len(identities)]`; disjoint ranges give disjoint people.
    `landmarks` is 68 (iBUG order) or 5 (eye centres as means of 36-41 and 42-47, nose tip 30,
    mouth corners 48 and 54). Yaw, pitch and roll are ranges in degrees: positive yaw turns the nose
    to the right of the picture, positive pitch lifts it, positive roll is clockwise as seen.
    """

    identities: Sequence[int] = range(200)
    landmarks: int = 68
    framing: Framing = field(default_factory=Framing)
    yaw: tuple[float, float] = (-60.0, 60.0)
    pitch: tuple[float, float] = (-15.0, 18.0)
    roll: tuple[float, float] = (-15.0, 15.0)

    name: ClassVar[str] = "face"
    part_names: ClassVar[tuple[str, ...]] = PART_NAMES
    attribute_names: ClassVar[tuple[str, ...]] = _ATTRIBUTES

    def __post_init__(self) -> None:
        if self.landmarks not in (5, 68):
            raise InvalidInput(
                f"face twin: landmarks must be 68 or 5, got {self.landmarks!r}",
                cure="ask for landmarks=68 or landmarks=5",
            )
        check_identities(self.name, self.identities)

    @property
    def landmark_names(self) -> tuple[str, ...]:
        """Names of the points, in order."""
        return _FIVE if self.landmarks == 5 else tuple(str(i) for i in range(68))

    def scene(self, seed: int, index: int, size: int) -> Scene:
        """Picture `index` of the series `seed`, framed for `size` pixels."""
        identity = int(self.identities[index % len(self.identities)])
        person = Person.draw(seed, identity)
        dice = Dice(seed, index, 2)
        shot = Shot.draw(dice, person, self.yaw, self.pitch, self.roll)
        key, fill, ambient = lights(dice)
        backdrop = clutter(dice)
        draws = [dice.between(0, 1) for _ in range(3)]
        face, builder = Face(person, shot), SceneBuilder()
        face.skin(builder)
        front = Camera(np.eye(3), np.array([0.0, 0.0, 20.0]), 1.0, (0.0, 0.0))
        points = attach(builder.solids(), front, face.points())
        add_hair(builder, person)
        face.features(builder, float(np.sign(key.direction[0])))
        face.rest(builder)
        rotation = pose(shot.yaw, shot.pitch, shot.roll)
        away = np.array([0.0, 0.0, shot.distance])
        return Scene(
            solids=builder.solids(),
            paints=builder.paints(),
            lights=(key, fill),
            ambient=ambient,
            backdrop=backdrop,
            camera=self.framing.camera(points, rotation, away, size, draws),
            landmarks=points if self.landmarks == 68 else five_of(points),
            attributes=_attributes(person, shot),
            identity=identity,
            grain=dice.between(0, 5),
            grain_seed=int(dice.random.integers(2**31)),
        )


def render_faces(
    count: int,
    size: int = 136,
    seed: int = 0,
    *,
    first: int = 0,
    identities: Sequence[int] | int = 200,
    landmarks: int = 68,
    framing: Framing | None = None,
    cloud: int = 0,
    threads: int = 1,
) -> TwinBatch:
    """Faces `first` to `first + count - 1` of the series `seed`, `size` pixels wide; see `render`.

    `identities` is a number of people or the people themselves. Bad input raises `InvalidInput`.

    >>> render_faces(2, 32, seed=0, landmarks=5).landmarks.shape
    (2, 5, 2)
    """
    people = range(identities) if isinstance(identities, int) else identities
    recipe = FaceRecipe(people, landmarks, framing or Framing())
    return render(recipe, count, size, seed, first=first, cloud=cloud, threads=threads)


def five_of(points: Array) -> Array:
    """The 5 points (..., 5, d) of 68 points (..., 68, d)."""
    return np.stack(
        [
            points[..., 36:42, :].mean(axis=-2),
            points[..., 42:48, :].mean(axis=-2),
            points[..., 30, :],
            points[..., 48, :],
            points[..., 54, :],
        ],
        axis=-2,
    )


def _attributes(person: Person, shot: Shot) -> Array:
    values = {
        "yaw": shot.yaw,
        "pitch": shot.pitch,
        "roll": shot.roll,
        "smile": shot.smile > 0.45,
        "mouth_open": shot.mouth_open > 0,
        "eyes_open": shot.eyes_open > 0.5,
        "glasses": shot.glasses,
        "sunglasses": shot.shades,
        "beard": person.beard in ("full", "goatee"),
        "moustache": bool(person.beard),
        "bald": person.hair_style == "bald",
        "long_hair": person.hair_style in ("long", "bob", "fringe"),
        "pale_skin": person.skin[0] > 0.6,
    }
    for kind, name in enumerate(HAIR_COLOURS):
        values[f"{name}_hair"] = person.hair_kind == kind and person.hair_style != "bald"
    return np.array([float(values[name]) for name in _ATTRIBUTES])

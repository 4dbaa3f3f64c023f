"""Protocols: data, split, geometry, probe and metric fixed to the last constant, one TOML per version.

A protocol's identity is its id, its version and the digest of its canonical content. Words (title,
notes, reported values) are not part of the digest, and neither is a field at its default, so that a
new optional field of this model leaves old digests alone. `protocols/digests.lock` holds the digests
of all versions: what was frozen can't change under its number.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from benchmark.contracts.errors import BenchError, DataAltered, UnknownName
from benchmark.contracts.generation import Generation
from benchmark.contracts.spec import CentreRule, Kind

WORDS = {"title", "notes", "reported", "supersedes", "summary"}
LOCK = "digests.lock"


class ProtocolInvalid(BenchError):
    """A protocol file does not say what a protocol must say, or was altered after it was frozen."""

    exit_code = 11


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Geometry(Strict):
    """How an image of one data set becomes the square that is prepared, and its labels with it.

    The crop is resized to `resize` × `resize` pixels with the named `filter`, and `cut` pixels on
    each side are the margin: predictions are asked on the middle `resize − 2·cut` pixels.

    - crop "whole": the image itself, aspect ratio lost if it is not square
    - crop "window": the fixed `window` (x, y, width, height) in source pixels
    - crop "centre_square": the middle square of the shorter side, rounded towards the top left
    - crop "points_square": a square of side round(scale × longest side of the points' box), centred
      on that box; outside the image is black
    - crop "stored": as points_square, with scale and shift per image from the file `crops`
    - crop "box_300w": DVE's 300-W window (52 px per box width, 100×100, moved up 2 px)
    - crop "padded_square": the image in the middle of a black square of its longer side
    - crop "box": the data set's box, in whole pixels; aspect ratio lost
    - crop "box_square": a square of the box's longer side around its centre, clipped to the image;
      aspect ratio lost where it was clipped

    background "white" lays images with an alpha channel on white before they are resized; without
    it the channel is dropped.

    labels "pixel_centres" maps points as the centres of pixels (p + ½)·s − ½; "scale" maps p·s
    without the half-pixel term; "scale_one_based" first subtracts the 1 of MATLAB's indices.

    `masks` says how what the publisher ships as a mask becomes the foreground:

    - "labels": each pixel takes the nearest label (1 foreground, 0 background, 255 not scored)
    - "above_half": grey values are resized as the image is; foreground is above 127.5
    - "full": the same; foreground is exactly 255
    - "flower_colours": colours are resized as the image is; foreground has neither red 0, nor
      green 0, nor blue 254
    """

    crop: Literal[
        "whole",
        "window",
        "centre_square",
        "points_square",
        "stored",
        "box_300w",
        "padded_square",
        "box",
        "box_square",
    ]
    resize: int = Field(gt=0)
    cut: int = Field(default=0, ge=0)
    filter: Literal[
        "pillow_bilinear", "pillow_bicubic", "pillow_nearest", "pillow_box", "pillow_lanczos"
    ] = "pillow_bilinear"
    labels: Literal["pixel_centres", "scale", "scale_one_based"] = "pixel_centres"
    background: Literal["", "white"] = ""
    masks: Literal["labels", "above_half", "full", "flower_colours"] = "labels"
    scale: float | None = None
    window: tuple[int, int, int, int] | None = None
    crops: str = ""
    crops_sha256: str = ""

    @property
    def size(self) -> int:
        """Side of the square that predictions are asked on."""
        return self.resize - 2 * self.cut

    @model_validator(mode="after")
    def _complete(self) -> Geometry:
        if self.size <= 0:
            raise ValueError(f"cut {self.cut} leaves nothing of {self.resize} pixels")
        needs: dict[str, tuple[str, Any]] = {
            "window": ("window", self.window),
            "points_square": ("scale", self.scale),
            "stored": ("crops", self.crops),
        }
        if self.crop in needs and not needs[self.crop][1]:
            raise ValueError(f"crop {self.crop!r} needs {needs[self.crop][0]!r}")
        return self


Label = Literal[
    "visible", "masks", "attributes", "quaternions", "translations", "silhouettes", "clouds"
]
Grant = Literal["views", "silhouettes", "cameras"]

NEEDED: dict[str, tuple[Label, ...]] = {
    "views": (),
    "silhouettes": ("silhouettes",),
    "cameras": ("quaternions", "translations"),
}
"""The labels from which each grant is made."""


class Data(Strict):
    """Which images are fitted on, which carry the probe's labels (if there is one), which are scored.

    Each is "dataset:split". `validation` names a part cut from the training people and `development`
    the rest of them, for choices and curves; nothing is ever tuned on test. `labels` names what the
    task needs of an image beside its points. `grants` names what a method may see beside pixels when
    it is fitted: which images are views of one object, the objects' silhouettes, the cameras.
    """

    fit: str
    train: str = ""
    test: str
    validation: str = ""
    development: str = ""
    labels: tuple[Label, ...] = ()
    grants: tuple[Grant, ...] = ()

    @model_validator(mode="after")
    def _granted(self) -> Data:
        absent = [n for g in self.grants for n in NEEDED[g] if n not in self.labels]
        if absent:
            raise ValueError(f"grants {list(self.grants)} need the label {absent[0]!r}")
        return self

    def datasets(self) -> list[str]:
        """The data sets named, each once."""
        named = [self.fit, self.train, self.test, self.validation, self.development]
        return list(dict.fromkeys(n.partition(":")[0] for n in named if n))


class LandmarkRule(Strict):
    """Which points are asked for, and whose distance is the unit.

    rule "all" takes the data set's points; "mafl5_from_68" makes eye centres (means of 36–41 and
    42–47), nose tip (30) and mouth corners (48, 54). `part_centres` is how parts give landmarks
    (`benchmark.contracts.centres`), `most` how many of them a method may give (ceilings may more).
    """

    rule: Literal["all", "mafl5_from_68"] = "all"
    count: int
    eyes: tuple[int, int] | None = None
    part_centres: CentreRule = "soft_mean"
    most: int | None = None


class Probe(Strict):
    """A named probe and the constants that differ from that name's.

    The lock holds a digest of each name's constants, so that a name in the code can't come to mean
    other numbers under a frozen protocol.
    """

    name: str
    settings: dict[str, Any] = Field(default_factory=dict)


class Pairs(Strict):
    """Which views are matched: `count` pairs of the same image and as many of different people.

    `layout` says which sides are warped ("dve", "paper": see `benchmark.datasets.pairs`), `rule` how
    the best match is found (see `benchmark.metrics.matching`), `points` whether landmarks are followed
    through a warp exactly or to DVE's nearest pixel. Errors are in percent of the distance of the
    target's eyes, or in pixels times the ratio `pixels` (70 / 96: in pixels of a width of 70, where
    images are 96 wide). All that is random comes from `seed`; `digest` is that of the drawn pairs and
    warps on the real data. A twin of fewer images than `count` draws half as many pairs as images.
    """

    layout: Literal["dve", "paper"]
    rule: Literal["dve", "paper"]
    count: int = Field(gt=0)
    seed: int = 0
    digest: str
    points: Literal["exact", "nearest_pixel"] = "exact"
    unit: Literal["inter_ocular", "pixels"] = "inter_ocular"
    pixels: tuple[float, float] = (1.0, 1.0)


class Zoom(Strict):
    """Images enlarged around their middle, each by a factor drawn uniformly once from `seed`.

    The probe is fitted on training images and scored on test images zoomed by factors in `seen`, and
    scored again on the same test images zoomed by factors in `unseen`. The prepared image, margin and
    all, is read bilinearly; landmarks move exactly.
    """

    seen: tuple[float, float]
    unseen: tuple[float, float]
    seed: int = 0


class Limited(Strict):
    """A probe fitted on few annotated images and their warped copies.

    For each of `numbers`, and `repeats` times, that many rows of the training split are annotated. Which
    ones is in the file `chosen` (columns number, repeat, index), drawn once by
    `benchmark.datasets.chosen` for a split of `images` images; for a split of another size (a twin,
    the development part) they are drawn in the same way, and `twin_copies` are made.

    `copies` copies are made of them in turn, each under a weak thin-plate warp of its own (DVE's
    strength for few labels). With `sets` 1 these serve for the whole fit, as in DVE's code, which
    caches their features; with more, as many are made `sets` times and epochs take the sets in turn,
    which bounds ContrastLandmark's drawing anew in every epoch. The number is the mean over repeats.
    """

    numbers: tuple[int, ...]
    repeats: int = Field(default=3, gt=0)
    copies: int = Field(gt=0)
    sets: int = Field(default=1, gt=0)
    images: int = Field(gt=0)
    twin_copies: int = Field(gt=0)
    seed: int = 0
    chosen: str
    chosen_sha256: str


class Alignment(Strict):
    """The one rotation from a method's canonical frame to the data set's, found on validation models.

    Of the first `models` of the validation split every view gives a candidate: the rotation under
    which prediction and truth have the same pose, refined by point-to-point ICP from the predicted
    cloud to the true one (`reach`: longest distance of a correspondence; at most `iterations`; ended
    when fraction and error of the correspondences move by less than `tolerance`), of which the
    rotation alone is kept. Of each model the `keep_views` candidates with the lowest error count, of
    the models the `keep_models` best; their Markley mean is the rotation.
    """

    models: int = Field(gt=0)
    keep_models: int = Field(gt=0)
    keep_views: int = Field(gt=0)
    reach: float = Field(gt=0)
    iterations: int = Field(gt=0)
    tolerance: float = Field(ge=0)


class Shape(Strict):
    """How clouds and poses are scored.

    - `views`: how many pictures of each model there are, one after another
    - clouds "every_view" scores the cloud predicted from each view and averages over a model's views,
      "first_view" only the one from the first
    - `camera_axes`: in which order a rotated point has its coordinates, "forward_up_right" (metric
      camera of `benchmark.metrics.camera`) or "right_down_forward"
    - `threshold`: the accuracy counts pose errors strictly below so many degrees
    """

    views: int = Field(gt=0)
    clouds: Literal["every_view", "first_view"]
    camera_axes: Literal["forward_up_right", "right_down_forward"]
    threshold: float = Field(gt=0)
    alignment: Alignment


class Foreground(Strict):
    """How a prediction becomes a mask of the foreground.

    `parts` names the rule for part probabilities: "argmax" (the background is not the most probable;
    GANSeg) or "background_80" (background only where it is the most probable and above 0.8;
    Assembly). `alpha` is that for translated images: "above_half" or "above_zero".
    """

    parts: Literal["argmax", "background_80"]
    alpha: Literal["above_half", "above_zero"] | None = None


class Metric(Strict):
    """A metric variant. The first one of a protocol is its headline.

    `aggregate` says how per-item values become the number (`benchmark.metrics.aggregates`). Variants
    of landmark errors differ in the linear `probe` they are read with or in the `stretch` (x, y) by
    which points are multiplied before they are measured (a squashed image's sides, a larger frame);
    `measure` is what then is measured. `on` names which of a task's several tests it is: "seen" or
    "unseen" of a zoom, the number of annotated images of a limited fit.
    """

    id: str
    unit: str
    better: Literal["lower", "higher"]
    aggregate: Literal[
        "mean", "median", "upper_median", "sum_of_means", "ratio_of_sums", "single"
    ] = "mean"
    measure: str = ""
    probe: str = ""
    stretch: tuple[float, float] = (1.0, 1.0)
    on: str = ""


class Twin(Strict):
    """The synthetic stand-in: same schema, rendered.

    `fit`, `train` and `test` are numbers of images, `people` of identities, of whom every fifth is
    test. `scale` and `shift` frame the face, as fractions of the prepared side (default: like a
    square of 1.5 times the landmarks' box). `settings` are the recipe's own. Where a protocol scores
    shapes, `cloud` is the number of true points of a model and `alignment` what fits so few models.
    `probe`, `generation` and `metrics` take the place of the protocol's where a twin is measured in a
    way that needs no weights.
    """

    recipe: Literal["face", "bird", "flower", "person", "car"]
    fit: int
    train: int
    test: int
    people: int
    seed: int = 0
    scale: tuple[float, float] | None = None
    shift: tuple[float, float] | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    probe: Probe | None = None
    cloud: int = 8000
    alignment: Alignment | None = None
    generation: Generation | None = None
    metrics: tuple[Metric, ...] = ()


class ReportedValue(Strict):
    """What a paper prints under this protocol for a method that has no plugin here."""

    method: str
    metric: str
    value: float
    source: str
    not_comparable: str = ""


class Protocol(Strict):
    """A protocol version, as its TOML file states it."""

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    version: int = Field(ge=1)
    title: str
    task: str
    needs: tuple[Kind, ...]
    data: Data
    geometry: dict[str, Geometry]
    landmarks: LandmarkRule | None = None
    probes: dict[Kind, Probe] = Field(default_factory=dict)
    pairs: Pairs | None = None
    shape: Shape | None = None
    foreground: Foreground | None = None
    zoom: Zoom | None = None
    limited: Limited | None = None
    generation: Generation | None = None
    metrics: tuple[Metric, ...]
    evaluation_seed: int = 0
    twin: Twin | None = None
    summary: str = ""
    notes: str = ""
    supersedes: str = ""
    reported: tuple[ReportedValue, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Protocol:
        missing = [d for d in self.data.datasets() if d not in self.geometry]
        if missing:
            raise ValueError(f"no geometry for data set(s) {', '.join(missing)}")
        sizes = {g.size for g in self.geometry.values()}
        if len(sizes) != 1:
            raise ValueError(f"the geometries end in different sizes: {sorted(sizes)}")
        if not self.metrics or not self.needs:
            raise ValueError("a protocol needs at least one metric and one prediction kind")
        return self

    @property
    def name(self) -> str:
        """For example `ytf5@1`."""
        return f"{self.id}@{self.version}"

    @property
    def size(self) -> int:
        """Side of the images that predictions are asked on, in pixels."""
        return next(iter(self.geometry.values())).size

    def scored(self, *, twin: bool) -> Protocol:
        """The protocol as it is scored: on its twin, with what the twin puts in its place."""
        if not twin or self.twin is None:
            return self
        own = {"generation": self.twin.generation, "metrics": self.twin.metrics}
        return self.model_copy(update={name: value for name, value in own.items() if value})

    def digest(self) -> str:
        """sha256 of the canonical content (no words, no defaults)."""
        content = self.model_dump(mode="json", exclude_defaults=True, exclude=WORDS)
        return canonical_digest(content)


def canonical_digest(content: Any) -> str:
    """sha256 of JSON with sorted keys and no spaces; refuses NaN.

    >>> canonical_digest({"b": 1, "a": 2.0}) == canonical_digest({"a": 2.0, "b": 1})
    True
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def builtin_folder() -> Path:
    """Where the protocols of bench itself lie: in the checkout, else inside the installed package."""
    checkout = Path(__file__).resolve().parent.parent / "protocols"
    return checkout if checkout.is_dir() else Path(__file__).resolve().parent / "_protocols"


def read_protocol(path: Path) -> Protocol:
    """Read and check one file; its place must say the same id and version as its content."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
        protocol = Protocol.model_validate(content)
    except tomllib.TOMLDecodeError as error:
        raise ProtocolInvalid(f"{path} is not TOML: {error}") from None
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(p) for p in e['loc']) or 'protocol'}: {e['msg']}"
            for e in error.errors()
        )
        raise ProtocolInvalid(f"{path}: {faults}") from None
    if (protocol.id, str(protocol.version)) != (path.parent.name, path.stem):
        raise ProtocolInvalid(
            f"{path} says {protocol.name}", cure=f"move it to {protocol.id}/{protocol.version}.toml"
        )
    return protocol


def protocol_files(folders: tuple[Path, ...]) -> dict[str, Path]:
    """`id@version` → file, for all folders, sorted."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in folder.glob("*/*.toml"):
            if path.stem.isdigit():
                found.setdefault(f"{path.parent.name}@{path.stem}", path)
    return dict(sorted(found.items(), key=lambda kv: (kv[1].parent.name, int(kv[1].stem))))


@cache
def _read_cached(path: Path) -> Protocol:
    return read_protocol(path)


def protocol_folders() -> tuple[Path, ...]:
    """The built-in folder and those that plugins register."""
    from benchmark.plugins import plugins

    return (builtin_folder(), *plugins().protocol_folders)


def all_protocols() -> list[Protocol]:
    """Every version of every protocol."""
    return [_read_cached(path) for path in protocol_files(protocol_folders()).values()]


def protocol_path(name: str) -> Path:
    """The file of `id` (its newest version) or `id@version`."""
    files = protocol_files(protocol_folders())
    if name in files:
        return files[name]
    versions = [n for n in files if n.partition("@")[0] == name]
    if versions:
        return files[versions[-1]]
    base = name.partition("@")[0]
    others = [n for n in files if n.partition("@")[0] == base]
    if others:
        raise UnknownName("protocol version", name, others)
    raise UnknownName("protocol", name, {n.partition("@")[0] for n in files})


def find_protocol(name: str) -> Protocol:
    """The protocol `id` or `id@version`; what was frozen is checked against the lock."""
    path = protocol_path(name)
    protocol = _read_cached(path)
    lock = read_lock(path.parent.parent)
    frozen = lock.get(protocol.name)
    if frozen is not None and frozen != protocol.digest():
        raise DataAltered(
            f"protocol {protocol.name} was changed after it was frozen: digest "
            f"{protocol.digest()[:12]}, frozen {frozen[:12]}",
            cure="undo the change, or make it a new version that names what it supersedes",
        )
    return protocol


def read_lock(folder: Path) -> dict[str, str]:
    """The frozen digests of a protocols folder."""
    path = folder / LOCK
    if not path.exists():
        return {}
    lines = (line.split() for line in path.read_text("utf-8").splitlines() if line.strip())
    return {parts[0]: parts[1] for parts in lines}


def freeze(folder: Path, also: Mapping[str, str] | None = None) -> list[str]:
    """Add digests not yet in the lock (of versions, and those of `also`); return their names.

    What is frozen is never touched.
    """
    lock = read_lock(folder)
    files = protocol_files((folder,))
    digests = {name: read_protocol(path).digest() for name, path in files.items()} | dict(
        also or {}
    )
    added = [name for name in digests if name not in lock]
    lock |= {name: digests[name] for name in added}
    text = "".join(f"{name} {digest}\n" for name, digest in sorted(lock.items()))
    (folder / LOCK).write_text(text, "utf-8")
    return added

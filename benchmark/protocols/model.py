"""What a protocol file may say: sections, and the version they make up."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, PrivateAttr, model_validator

from benchmark.contracts.errors import BenchError
from benchmark.contracts.names import ID, shown, text_faults
from benchmark.contracts.spec import Kind
from benchmark.protocols.data import Data, Geometry, Strict
from benchmark.protocols.generation import Generation
from benchmark.protocols.scoring import (
    Alignment,
    CloudOutline,
    Foreground,
    LandmarkRule,
    Limited,
    Pairs,
    Probe,
    Shape,
    Zoom,
)

Section = TypeVar("Section", bound=Strict)
Rendered = Annotated[int, Field(le=1_000_000)]
"""How many may be rendered: checks and renderers count them one by one."""

WORDS = {"title", "notes", "reported", "supersedes", "summary"}


ReadFrom = Literal["table", "figure", "text", "log", "readme", "listing"]
"""Where in its source a value was read. "listing" is another work's table that quotes it."""


class ProtocolInvalid(BenchError):
    """A protocol file does not say what a protocol must say, or was altered after it was frozen."""

    exit_code = 11


class Metric(Strict):
    """A metric variant. The first one of a protocol is its headline.

    `aggregate` says how per-item values become the number (`benchmark.metrics.aggregates`). Variants
    of landmark errors differ in the linear `probe` they are read with or in the `stretch` (x, y) by
    which points are multiplied before they are measured (a squashed image's sides, a larger frame);
    `measure` is what then is measured. `on` names which of a task's several tests it is: "seen" or
    "unseen" of a zoom, the number of annotated images of a limited fit.
    """

    id: str
    """An id of the metrics' page."""
    unit: str
    """Percent, px, or none."""
    better: Literal["lower", "higher"]
    """Which direction is better."""
    aggregate: Literal[
        "mean", "median", "upper_median", "sum_of_means", "ratio_of_sums", "single"
    ] = "mean"
    measure: str = ""
    probe: str = ""
    stretch: tuple[float, float] = (1.0, 1.0)
    on: str = ""
    threshold: float | None = Field(default=None, gt=0)
    """Of `pck`: within which share of the unit a point is right."""

    @property
    def measured(self) -> str:
        """What is measured, by its name in `benchmark.metrics.catalogue`."""
        return self.measure or self.id

    @property
    def head(self) -> str:
        """What its column is called: "nme_iod % ↓"."""
        arrow = "↓" if self.better == "lower" else "↑"
        return " ".join(part for part in (self.id, self.unit, arrow) if part)


class TwinDomain(Strict):
    """What stands for one of the protocol's domains: pictures that show nobody of test or validation.

    `images` is their number, `recipe` what is rendered (default: the twin's), with its own `settings`.
    """

    images: Rendered = Field(gt=0)
    recipe: str = Field(default="", pattern=f"^({ID.pattern})?$")
    settings: dict[str, Any] = Field(default_factory=dict)


class Twin(Strict):
    """The synthetic stand-in: same schema, rendered.

    `fit`, `train` and `test` are numbers of images, `people` of identities, of whom every fifth is
    test. `scale` and `shift` frame the face, as fractions of the prepared side (default: like a
    square of 1.5 times the landmarks' box). `settings` are the recipe's own. Where a protocol scores
    shapes, `cloud` is the number of true points of a model and `alignment` what fits so few models.
    `probe`, `generation` and `metrics` take the place of the protocol's where a twin is measured in a
    way that needs no weights. `domains` say what is rendered for each of the protocol's.
    """

    recipe: str = Field(pattern=f"^{ID.pattern}$")
    """What is rendered: face, bird, flower, person, car, or a plugin's."""
    fit: Rendered
    train: Rendered
    test: Rendered
    people: Rendered
    seed: int = 0
    """Of the rendering."""
    scale: tuple[float, float] | None = None
    shift: tuple[float, float] | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    probe: Probe | None = None
    cloud: Rendered = 8000
    alignment: Alignment | None = None
    generation: Generation | None = None
    metrics: tuple[Metric, ...] = ()
    domains: dict[str, TwinDomain] = Field(default_factory=dict)


class ReportedValue(Strict):
    """What a source prints under this protocol. Whole tables of papers lie in `reported/` instead.

    `plugin` is the method's id here, if it has one, with the `preset` ("" for a run without one) and the
    `settings` that the value belongs to; `tolerance`, in the metric's unit, takes the place of the usual
    one (`benchmark.boards.sources`).
    """

    method: str
    """As the paper calls it."""
    metric: str
    """Id of one of the protocol's metrics."""
    value: float
    """In the metric's unit."""
    source: str
    """Paper and table."""
    read_from: ReadFrom = "table"
    """Where on the page of the source."""
    plugin: str = ""
    preset: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    tolerance: float | None = Field(default=None, gt=0)
    not_comparable: str = ""
    """Why it can't be compared; empty where it can."""


class Protocol(Strict):
    """A protocol version, as its TOML file states it."""

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    """Its folder's name."""
    version: int = Field(ge=1)
    """Its file's name."""
    title: str
    """One line, without a full stop."""
    task: str
    """What is done with predictions; [Tasks](tasks.md) lists them with all that each takes."""
    needs: tuple[Kind, ...]
    """Prediction kinds that it scores, the preferred first."""
    data: Data
    """Splits."""
    geometry: dict[str, Geometry]
    """Data set, or one of its splits (`data_set:split`) → how its images become squares."""
    landmarks: LandmarkRule | None = None
    """Which points are asked for."""
    probes: dict[Kind, Probe] = Field(default_factory=dict)
    """Prediction kind → the probe it is read with."""
    pairs: Pairs | None = None
    """Which views are matched."""
    shape: Shape | None = None
    """How clouds and poses are scored."""
    foreground: Foreground | None = None
    """How predictions become masks."""
    zoom: Zoom | None = None
    """Zoomed test images."""
    limited: Limited | None = None
    """Probes from few annotated images."""
    generation: Generation | None = None
    """How generated images are made and compared."""
    metrics: tuple[Metric, ...]
    """The headline first."""
    evaluation_seed: int = 0
    """Seed of the probe and of draws in scoring."""
    drawn_by: Literal["identities", "clips", "images"] = "identities"
    """What intervals draw whole, as its items are alike: all images of a person (or object, or species),
    of a clip, or each image by itself."""
    twin: Twin | None = None
    """The rendered stand-in."""
    summary: str = ""
    """One or two sentences; no part of the digest."""
    notes: str = ""
    """What a reader should know; no part of the digest."""
    supersedes: str = ""
    """Which version it takes the place of, and why; no part of the digest."""
    reported: tuple[ReportedValue, ...] = ()
    """What papers print; no part of the digest."""
    _path: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _consistent(self) -> Protocol:
        splits = self.data.splits()
        missing = [s for s in splits if not {s, s.partition(":")[0]} & self.geometry.keys()]
        if missing:
            sets = dict.fromkeys(s.partition(":")[0] for s in missing)
            raise ValueError(
                f"no geometry for data set(s) {', '.join(sets)} (asked for {', '.join(missing)})"
            )
        strange = [name for name in self.geometry if ":" in name and name not in splits]
        if strange:
            raise ValueError(f"geometry for {shown(strange[0])}, which is no split of [data]")
        if self.drawn_by == "clips" and "clips" not in self.data.labels:
            raise ValueError("items drawn by clips need the label 'clips'")
        sizes = {g.size for g in self.geometry.values()}
        if len(sizes) != 1:
            raise ValueError(f"the geometries end in different sizes: {sorted(sizes)}")
        if self.twin is not None and self.twin.domains.keys() != self.data.domains.keys():
            named = [sorted(d) for d in (self.twin.domains, self.data.domains)]
            raise ValueError(f"twin.domains are {named[0]}, data.domains {named[1]}")
        self._require_cameras()
        if not self.metrics or not self.needs:
            raise ValueError("a protocol needs at least one metric and one prediction kind")
        measured = {metric.id for metric in self.metrics}
        faults = [
            *(
                f"reported: {r.metric!r} is none of its metrics: {', '.join(sorted(measured))}"
                for r in self.reported
                if r.metric not in measured
            ),
            *text_faults("title", self.title),
            *text_faults("summary", self.summary),
            *text_faults("shared", self.data.shared),
            *(f for r in self.reported for f in text_faults("a reported value's source", r.source)),
            *text_faults("notes", self.notes, lines=True),
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _require_cameras(self) -> None:
        """Axes come from [shape]; a focal length holds for the whole picture as it was taken."""
        for role in ("fit", "development", "development_fit", *self.data.domain_roles):
            if not (named := self.data.split(role)) or "cameras" not in self.data.granted(role):
                continue
            if self.models is None:
                raise ValueError(
                    "cameras are granted; shape.camera_axes must say which axes they have"
                )
            if (crop := self.geometry_of(named).crop) != "whole":
                raise ValueError(
                    f"cameras of {named} are granted; its crop must be whole, not {crop}"
                )

    @property
    def name(self) -> str:
        """For example `ytf5@1`."""
        return f"{self.id}@{self.version}"

    @property
    def path(self) -> Path:
        """The file it was read from; the lists it names lie beside it."""
        return self._path

    def read_from(self, path: Path) -> None:
        """Keep where it was read from, which is no part of what it says."""
        self._path = path

    @property
    def size(self) -> int:
        """Side of the images that predictions are asked on, in pixels."""
        return next(iter(self.geometry.values())).size

    def geometry_of(self, split: str) -> Geometry:
        """How the images of `data_set:split` become squares."""
        return self.geometry.get(split) or self.geometry[split.partition(":")[0]]

    def section(self, kind: type[Section]) -> Section:
        """The section of that kind; raises `ProtocolInvalid` where the file has none.

        Example: `find_protocol("ytf5").section(LandmarkRule).count` is 5.
        """
        fields = type(self).model_fields
        name = next(n for n, f in fields.items() if f.annotation == kind | None)
        found: Section | None = getattr(self, name)
        if found is None:
            raise ProtocolInvalid(f"protocol {self.name} has no section [{name}]")
        return found

    def scored(self, *, twin: bool) -> Protocol:
        """The protocol as it is scored: on its twin, with what the twin puts in its place."""
        if not twin or self.twin is None:
            return self
        own: dict[str, Any] = {"generation": self.twin.generation, "metrics": self.twin.metrics}
        if self.twin.alignment and self.shape:
            own["shape"] = self.shape.model_copy(update={"alignment": self.twin.alignment})
        return self.model_copy(update={name: value for name, value in own.items() if value})

    @property
    def models(self) -> Shape | CloudOutline | None:
        """The section that says how many views show each model and which axes cameras have; None where
        pictures are not views of models."""
        return self.shape or (self.foreground.clouds if self.foreground else None)

    @property
    def measures(self) -> dict[str, str]:
        """Metric id → what is measured, of all that it and its twin name."""
        own = self.twin.metrics if self.twin is not None else ()
        return {metric.id: metric.measured for metric in (*own, *self.metrics)}

    def digest(self) -> str:
        """sha256 of the canonical content (no words, no defaults)."""
        words: dict[str, Any] = {**dict.fromkeys(WORDS, True), "data": {"shared"}}
        content = self.model_dump(mode="json", exclude_defaults=True, exclude=words)
        return canonical_digest(content)


def canonical_digest(content: Any) -> str:
    """sha256 of JSON with sorted keys and no spaces; refuses NaN.

    >>> canonical_digest({"b": 1, "a": 2.0}) == canonical_digest({"a": 2.0, "b": 1})
    True
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()

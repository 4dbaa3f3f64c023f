"""The record of a run: one JSON file that says what was done, with what, and what came out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from benchmark.contracts.names import ID, LONGEST_NAME

SCHEMA = 6
DRAFT = "under a draft: "
"""How the note of a record begins whose protocol was named by its file."""
GROUPS = "groups."
"""Before a metric's id: the array of an errors' artefact that says which items belong together."""
HEX = "^[a-z0-9]+$"
"""Of ids that bench makes. They name files and folders, so a record may hold no other."""

Whole = Annotated[int, Field(strict=True)]
"""A whole number that is written as one: no text, no 0.0, no false."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Value(_Strict):
    """A metric's value.

    `per_item` names the artefact that holds the values it is made from, and `aggregate` how
    (`benchmark.metrics.aggregates`). `ci95` is the percentile bootstrap interval over groups of test
    items (2,000 draws, seed 0), None where a metric exists for all items together alone. `groups` is
    how many groups there are; the array "groups.METRIC" of that artefact holds a number for each item,
    equal within a group, and is left out where each item is a group. None stands in records of schema 3
    and before, whose interval takes all items for independent. `version` is that of the metric's code
    (`benchmark.metrics.catalogue`).
    """

    metric: str
    """Its id in the protocol."""
    version: Whole = Field(default=1, ge=1)
    value: float
    """The number, in `unit`."""
    unit: str
    """Percent, px, or none."""
    better: Literal["lower", "higher"]
    """Which direction is better."""
    n: Whole = Field(ge=0, lt=2**63)
    """Number of items it is made from."""
    ci95: tuple[float, float] | None
    per_item: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    aggregate: str = "mean"
    groups: Whole | None = Field(default=None, ge=1, lt=2**63)

    def interval(self, digits: int = 2) -> str:
        """For people: "95 % over 857 items in 69 groups: 6.95 to 7.13", or how many items it was made
        from."""
        if self.ci95 is None:
            return f"one number for {self.n} items"
        low, high = self.ci95
        grouped = f" in {self.groups} groups" if self.groups not in (None, self.n) else ""
        return f"95 % over {self.n} items{grouped}: {low:.{digits}f} to {high:.{digits}f}"


class Artefact(_Strict):
    """A file the run left. `committed` ones lie beside the record, others in the run's folder."""

    path: str = Field(
        pattern=r"^[a-z0-9]+\.(errors|predictions)\.npz$", max_length=2 * LONGEST_NAME
    )
    """File name: the run that made it, and what it holds."""
    sha256: str
    """Digest of its bytes."""
    bytes: Whole
    """Its size."""
    committed: bool


class MethodPart(_Strict):
    """What was run, and with which settings."""

    id: str = Field(pattern=f"^{ID.pattern}$", max_length=LONGEST_NAME)
    """The method's id."""
    version: Whole
    """Its version."""
    plugin: str
    """Entry point that brought it."""
    role: str
    """Method, floor, reference or ceiling."""
    origin: str
    """Whose code it is; "external" where none of it ran here, and predictions came as a file."""
    preset: str
    """The preset taken, if any."""
    settings_given: dict[str, Any]
    """What was given on top of the preset."""
    settings: dict[str, Any]
    """All effective settings."""
    at_prediction: list[str] = Field(default_factory=list)
    """Of these, those of prediction alone: they are part of the run's identity, not of the fit's."""
    gives: list[str]
    """Kinds that it gives with these settings."""
    used: str
    """The kind that was scored."""
    supervision: str
    """Whether labels were seen: by a ceiling alone."""
    pretrained: list[dict[str, str]]
    """Weights not learned in this run: name, source, sha256."""
    known_failures: dict[str, str] = Field(default_factory=dict)
    """Checks of the contract that it can't pass, with the reasons; records of schema 3 do not say."""


class ProtocolPart(_Strict):
    """What it was run under."""

    id: str = Field(pattern=r"^[a-z0-9_]+$", max_length=LONGEST_NAME)
    """The protocol's id."""
    version: Whole
    """Its version."""
    digest: str
    """sha256 of its canonical content."""
    twin: bool
    """Whether rendered data took the place of the real."""
    on: Literal["test", "validation"] = "test"
    """Which images were scored; validation reaches no board."""


class DataPart(_Strict):
    """Digest of pixels and of labels for each split used, and its number of images.

    `source` names the tree of files it was made from, where that is a known one; `granted` is the
    digest of all that a method saw in fitting, where that is more than these pixels; `shared` is how
    many of the scored images are in this split too, where a protocol allows it.
    """

    split: str
    """As the protocol names it, `dataset:split`."""
    source: str = ""
    images: Whole
    """Number of images."""
    pixels: str
    """Digest of the prepared pixels."""
    labels: str
    """Digest of the labels."""
    granted: str = ""
    shared: Whole = Field(default=0, ge=0)


class StagePart(_Strict):
    """Seconds spent in a stage over all attempts; `reused` when an earlier run had done it."""

    seconds: float
    """Wall seconds, over all attempts."""
    reused: bool = False
    attempts: Whole = 1
    """How often it was begun; more than 1 after a kill."""


class PluginCode(_Strict):
    """State of the package that holds the method."""

    distribution: str
    """Distribution that was installed."""
    version: str
    """Its version, empty where it has none."""
    digest: str
    """sha256 of the package's Python files: names, sizes, bytes."""
    commit: str = ""
    """Commit of the checkout that the package's files are tracked in, empty where there is none."""
    dirty: bool | None = None
    """Whether the package's folder was changed since that commit; null where it is in no checkout."""


class CodePart(_Strict):
    """State of the code; `plugin` is missing in records from before it was written down."""

    bench: str
    """Version of bench."""
    commit: str
    """Commit of the checkout, empty where there is none."""
    dirty: bool | None
    """Whether the checkout was changed; null where git can't say."""
    plugin: PluginCode | None = None


class EnvironmentPart(_Strict):
    """Where a method with packages of its own was fitted: a process with these, `alone` or over
    bench's own."""

    digest: str
    """Digest of the pinned packages asked for."""
    alone: bool
    """Whether bench's own packages are out of reach there."""
    python: str
    """Version of its Python."""
    packages: dict[str, str]
    """Versions of what is installed there."""


class FittedPart(_Strict):
    """Code and hardware of the fit, which another run may have made; `environment` if it had its own."""

    code: CodePart
    """Code of the fit."""
    hardware: dict[str, Any]
    """Machine of the fit."""
    environment: EnvironmentPart | None = None


class External(_Strict):
    """A file of predictions that were made elsewhere, and scored here."""

    made_by: str
    """Who, or which program, made them."""
    file: str = Field(max_length=LONGEST_NAME)
    """The file's name, without its folder."""
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """Digest of its bytes."""
    bytes: Whole = Field(ge=0, lt=2**63)
    """Its size."""


class Edit(_Strict):
    """A later remark on a record: it is withdrawn, corrected or annotated, by whom and why."""

    when: str
    """Time of the remark, UTC."""
    author: str
    """Who made it."""
    reason: str
    """Why."""
    action: Literal["withdrawn", "annotated"]
    """Withdrawn rows keep their place, struck through."""


class CurvePoint(_Strict):
    """Headline metric on validation images after `images` images were seen in training."""

    images: Whole
    value: float
    """The headline metric there."""


class Record(_Strict):
    """One run. The schema's number is `record_schema`; newer ones are refused.

    `budget` is empty: no limit on a fit can be set yet. `fitted` is missing in records of the first
    day, whose fit was made by the code and on the machine of the record itself. `parent` is the run
    whose kept predictions were scored again, where this is one; the method did not run for it.
    """

    record_schema: Whole = SCHEMA
    identity_version: Whole
    """Version of the rule that makes the ids."""
    run_id: str = Field(pattern=HEX, max_length=LONGEST_NAME)
    """Identity of the run."""
    fit_id: str = Field(pattern=HEX, max_length=LONGEST_NAME)
    """Identity of the fit; several runs may share it."""
    parent: str = Field(default="", pattern=r"^[a-z0-9]*$", max_length=LONGEST_NAME)
    status: Literal["done"] = "done"
    """Only whole runs leave a record."""
    method: MethodPart
    """What was run."""
    protocol: ProtocolPart
    """Under which protocol."""
    data: dict[str, DataPart]
    """Splits by their use: fit, train, test, and domains.NAME for other images that a method saw."""
    seed: Whole = Field(ge=0, lt=2**63)
    """Seed of the fit."""
    evaluation_seed: Whole
    """Seed of the probe and of draws in scoring."""
    budget: dict[str, float] = Field(default_factory=dict)
    metrics: list[Value]
    """The headline first."""
    drawn_by: str = ""
    """What groups of test items are, as the protocol names it: identities, clips, images; empty in
    records of schema 3 and before."""
    probe: dict[str, Any] = Field(default_factory=dict)
    """What the probe was and how its fit ended."""
    deterministic: bool
    """Whether the same command gives the same bits on a machine of this kind."""
    code: CodePart
    """State of the code when the run began."""
    packages: dict[str, str]
    """Versions of what can move a number."""
    hardware: dict[str, Any]
    """Machine of prediction and scoring."""
    fitted: FittedPart | None = None
    external: External | None = None
    """The file that predictions came from, where the method's origin is external."""
    stages: dict[str, StagePart]
    """Time by stage."""
    throughput: dict[str, float] = Field(default_factory=dict)
    """Training images per second, by stage."""
    peak_memory_bytes: Whole
    """Largest memory of the process, or of the accelerator."""
    artefacts: list[Artefact]
    """Files that the run left."""
    curve: list[CurvePoint] = Field(default_factory=list)
    """Empty unless asked for with `--curve`."""
    notes: list[str] = Field(default_factory=list)
    """What method and task say about this run."""
    started: str
    """UTC."""
    finished: str
    """UTC."""
    edits: list[Edit] = Field(default_factory=list)
    """Later remarks; the numbers above never change."""

    @model_validator(mode="after")
    def _whole(self) -> Record:
        if faults := list(self._faults()):
            raise ValueError("; ".join(faults))
        return self

    def _faults(self) -> Iterator[str]:
        """What every reader of a record takes for granted, and this one lacks."""
        metrics = [value.metric for value in self.metrics]
        if not metrics:
            yield "it has no metric"
        if len(set(metrics)) < len(metrics):
            yield "it has a metric twice"
        if lacking := ({"test"} if self.external else {"fit", "test"}) - self.data.keys():
            yield f"its data lacks {' and '.join(sorted(lacking))}"
        if (self.method.origin == "external") != (self.external is not None):
            yield "its predictions come from a file just where the method's origin is external"
        if absent := sorted(set(self.method.at_prediction) - self.method.settings.keys()):
            yield f"its settings lack {' and '.join(absent)}"
        errors = f"{self.run_id}.errors.npz"
        if {value.per_item for value in self.metrics} - {errors}:
            yield f"the values it is made from must lie in {errors}"
        files = [artefact.path for artefact in self.artefacts]
        if len(set(files)) < len(files) or errors not in files:
            yield f"its artefacts must name {errors}, and each file once"
        # what was scored again shares the predictions of the run that made them
        shared = [f for f in files if self.parent and f.endswith(".predictions.npz")]
        own = (errors, f"{self.run_id}.predictions.npz", *shared)
        if others := [f for f in files if f not in own]:
            yield f"{others[0]} is a file of another run"

    @property
    def headline(self) -> Value:
        """The protocol's first metric."""
        return self.metrics[0]

    @property
    def by_item(self) -> Value | None:
        """The first metric with a value for each item; None where all are of all items together."""
        return next((value for value in self.metrics if value.aggregate != "single"), None)

"""Predictions made elsewhere, scored by the protocol's own path: a file stands where the method would.

What makes such a run is the file's digest, where other runs have their fit: the same file under the same
protocol is the same run.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark.contracts.errors import BenchError, Incompatible, InvalidInput, listed
from benchmark.contracts.images import Images, to_signed
from benchmark.contracts.method import (
    FitContext,
    Method,
    MethodInfo,
    MethodSettings,
    Progress,
    Supervision,
)
from benchmark.contracts.names import id_faults, text_faults
from benchmark.contracts.predictions import Generator, Prediction
from benchmark.contracts.spec import DERIVED, Kind, MethodSpec
from benchmark.datasets.opening import open_split
from benchmark.datasets.prepared import PreparedSplit
from benchmark.files import listed as files_in
from benchmark.files import whole_file
from benchmark.image_files import decode, image_size
from benchmark.metrics.catalogue import version
from benchmark.protocols import Protocol
from benchmark.records.code import code_state
from benchmark.records.identity import predictions_id, run_id
from benchmark.records.model import CodePart, External, Record
from benchmark.records.reading import read_record
from benchmark.registry.plugins import plugins
from benchmark.registry.protocols import find_protocol
from benchmark.runner.outcome import Outcome
from benchmark.runner.plan import Plan, choose_device, opened
from benchmark.runner.prediction_files import (
    Source,
    external,
    picture_files,
    read_arrays,
    sources_of,
    template,
)
from benchmark.runner.request import Request
from benchmark.runner.run import record_path, run
from benchmark.tasks.base import Task, find_task
from benchmark.tasks.faults import require_sound
from benchmark.verification.edits import labels_differ, same_place


@dataclass(frozen=True)
class Submission:
    """What a person hands in: `bench score` in words. `made_by` says what made the file."""

    protocol: str
    predictions: Path
    name: str
    made_by: str
    supervision: Supervision = "none"
    seed: int = 0
    twin: bool = False
    device: str = "auto"


class FromFile(Method):
    """Stands where a method would, and predicts what a file holds, in the order that tasks ask in."""

    def __init__(self, sources: Sequence[Source], pictures: Sequence[Path], size: int) -> None:
        super().__init__(MethodSettings())
        self._left, self._at = list(sources), 0
        self._pictures, self._size = pictures, size

    def fit(self, images: Images, context: FitContext) -> None:
        """Nothing is fitted."""

    def predict(self, images: torch.Tensor) -> Prediction:
        source = self._left[0]
        rows = slice(self._at, self._at + len(images))
        self._at = rows.stop
        if self._at >= len(source.rows):
            self._left, self._at = self._left[1:], 0
        return source.prediction(rows)

    def generator(self) -> Generator:
        """z is the number of a picture; w the same."""

        def pictured(w: torch.Tensor, _: int) -> torch.Tensor:
            chosen = [self._pictures[int(number)] for number in w.flatten()]
            pixels = np.stack([np.asarray(decode(path, "RGB")) for path in chosen])
            return to_signed(torch.from_numpy(pixels).permute(0, 3, 1, 2)).to(self.device)

        return Generator(
            z_dim=1,
            layers=1,
            size=self._size,
            mapping=lambda z: z[:, None],
            synthesis=pictured,
            latents=lambda seed, rows: torch.tensor(rows, dtype=torch.float32)[:, None],
        )


@dataclass(frozen=True)
class FilePlan(Plan):
    """The plan of a run whose predictions are a file's. `place` is where it keeps what it makes, where
    that is to be forgotten."""

    file: External
    given: tuple[Source, ...]
    pictures: tuple[Path, ...]
    place: Path | None

    @property
    def external(self) -> External:
        return self.file

    @property
    def sources(self) -> dict[str, str]:
        return {name: source for name, source in super().sources.items() if name in self.splits}

    @property
    def code(self) -> CodePart:
        return code_state()

    @property
    def folder(self) -> Path:
        return super().folder if self.place is None else self.place

    @property
    def stands(self) -> bool:
        return super().stands and self.place is None

    def stand_in(self) -> Method:
        return FromFile(self.given, self.pictures, self.protocol.size)


def plan_of_file(given: Submission, progress: Progress, place: Path | None = None) -> FilePlan:
    """Resolve, open and check everything; raises `InvalidInput` for a file that is not as it should be,
    `Incompatible` for a protocol that no file can be scored under."""
    protocol = find_protocol(given.protocol)
    require_sound(protocol)
    if place is None:
        _require_words(given)
    if not 0 <= given.seed < 2**63:
        raise InvalidInput(f"the seed must lie in 0 … 2^63 - 1, got {given.seed}")
    if not given.predictions.exists():
        raise InvalidInput(f"there is no file {given.predictions}")
    device = choose_device(given.device)
    task = find_task(protocol.task)
    played = {role: role for role in task.splits}
    splits, _, shared = opened(protocol, task, played, twin=given.twin, progress=progress)
    scored = protocol.scored(twin=given.twin)
    kind, sources, pictures = _read(given.predictions, task, splits, scored)
    file = external(given.predictions, given.made_by)
    fit = predictions_id(file.sha256)
    run = run_id(
        fit=fit,
        protocol=protocol.name,
        protocol_digest=protocol.digest(),
        twin=given.twin,
        on="test",
        data={n: (s.pixels_digest, s.labels_digest) for n, s in splits.items()},
        evaluation_seed=protocol.evaluation_seed,
        metrics={m.id: version(m.measured) for m in scored.metrics},
        settings={},
    )
    return FilePlan(
        request=Request(
            given.name, given.protocol, seed=given.seed, twin=given.twin, device=device
        ),
        spec=MethodSpec(given.name, "", [kind], "predictions made elsewhere"),
        plugin="",
        distribution="",
        preset="",
        cls=FromFile,
        settings=MethodSettings(),
        info=MethodInfo(gives=(kind,), supervision=given.supervision),
        protocol=protocol,
        task=task,
        kind=kind,
        device=device,
        splits=splits,
        images=splits["test"].images(),
        shared=shared,
        fit_id=fit,
        run_id=run,
        file=file,
        given=tuple(sources),
        pictures=tuple(pictures),
        place=place,
    )


def score_file(given: Submission, progress: Progress) -> tuple[FilePlan, Outcome]:
    """Score a file and leave a record of it, or find it scored before."""
    plan = plan_of_file(given, progress)
    _require_one_row(plan)
    return plan, run(plan, progress)


def score_and_forget(given: Submission, progress: Progress) -> Record:
    """Score a file and leave nothing but the record that is returned."""
    with tempfile.TemporaryDirectory() as scratch:
        plan = plan_of_file(given, progress, Path(scratch) / "run")
        return run(plan, progress).record


def write_template(path: Path, name: str, twin: bool, progress: Progress) -> list[tuple[str, str]]:
    """Write an .npz with the keys that a protocol's task asks predictions for; what a file is to hold,
    in words. Raises `Incompatible` where predictions are pictures, which have no keys, and
    `InvalidInput` where a file is there already: it may be somebody's predictions."""
    if path.suffix != ".npz":
        raise InvalidInput(f"{path} does not end in .npz", cure="name the template FILE.npz")
    if path.exists():
        raise InvalidInput(f"{path} is there already", cure="name a new file for the template")
    protocol = find_protocol(name)
    require_sound(protocol)
    task = find_task(protocol.task)
    splits = {r: open_split(protocol, r, twin=twin, progress=progress) for r in task.splits}
    scored = protocol.scored(twin=twin)
    sets = task.image_sets(splits, scored)
    if not sets:
        count = _picture_count(scored)
        raise Incompatible(
            f"{scored.name} is scored from a folder of pictures, which needs no template",
            cure=f"generate {count:,} of {scored.size} × {scored.size} px, one file each",
        )
    with whole_file(path) as temporary, temporary.open("wb") as file:
        keys: dict[str, Any] = {f"{images.name}/keys": np.array(images.keys) for images in sets}
        np.savez(file, **keys)
    return list(template(sets, scored.needs))


def _read(
    path: Path, task: Task, splits: dict[str, PreparedSplit], scored: Protocol
) -> tuple[Kind, list[Source], list[Path]]:
    """The kind that a file gives, and its predictions: arrays of sets, or pictures."""
    sets = task.image_sets(splits, scored)
    if not sets:
        return "generator", [], _pictures(path, scored)
    form, sources = sources_of(read_arrays(path), sets, scored.needs, scored.size)
    kind = next(k for k in scored.needs if k == form.kind or k in DERIVED.get(form.kind, ()))
    hidden = [m.id for m in scored.metrics if "_foreground" in m.id]
    if hidden and kind == "parts" and "parts" not in form.arrays:
        raise Incompatible(
            f"{hidden[0]} of {scored.name} asks which part a pixel would be in were it not background, "
            f"which {' and '.join(form.arrays)} do not say",
            cure="give probabilities: SET/parts (N, K, S, S)",
        )
    return kind, sources, []


def _pictures(path: Path, scored: Protocol) -> list[Path]:
    """The generated pictures of a folder, as many and as large as the protocol asks for."""
    count = _picture_count(scored)
    if not path.is_dir():
        raise InvalidInput(f"{path} is no folder of generated pictures", cure="name their folder")
    found = picture_files(path)
    if len(found) != count:
        raise InvalidInput(
            f"{path} holds {len(found):,} pictures, {scored.name} compares {count:,}",
            cure=f"generate {count:,}, one file each, in the order of their names",
        )
    size = scored.size
    if other := [p.name for p in found if image_size(p) != (size, size)]:
        raise InvalidInput(
            f"{len(other)} pictures are not {size} × {size} px: {listed(other)}",
            cure="generate at that size; bench resizes none",
        )
    return found


def _picture_count(scored: Protocol) -> int:
    """How many generated pictures a protocol compares; raises `Incompatible` where it asks for more."""
    how = scored.generation
    if how is None or how.path or how.linearity:
        raise Incompatible(
            f"{scored.name} measures how images change with the latent, which no file of images says",
            cure="run the generator as a method, or score the images under a protocol without path "
            "lengths and attribute linearity, such as ffhq256_pictures or ytf68_pictures",
        )
    return how.images


def _require_words(given: Submission) -> None:
    """Refuse a name that is none or another's, and an origin that says nothing."""
    faults = [*id_faults("name", given.name), *text_faults("made-by", given.made_by)]
    if not given.made_by.strip():
        faults.append("made-by is empty: say what made the file, with its version or address")
    if faults:
        raise InvalidInput(faults[0])
    found = plugins()
    if given.name in found.methods or any(row.may_bring(given.name) for row in found.failures):
        raise InvalidInput(
            f"{given.name!r} is an installed method, and its rows are of runs made here",
            cure=f"give the row another name: {given.name}-official",
        )


def _require_one_row(plan: FilePlan) -> None:
    """Refuse a file that was scored under other words, and a second file as the same seed of a row."""
    board = record_path(plan).parent.parent
    own = plan.folder / "record.json"
    there = [own] if own.exists() else files_in(board, f"*/{plan.run_id}.json")
    for path in there:
        before, now = _words(read_record(path)), (
            plan.spec.id, plan.request.seed, plan.info.supervision, plan.external.made_by)  # fmt: skip
        if before != now:
            raise InvalidInput(
                f"this file was scored before as {before[0]}, seed {before[1]}, labels {before[2]}, "
                f"made by {before[3]} (run {plan.run_id})",
                cure=f"`bench record drop {plan.run_id}` forgets it, where it is not committed",
            )
    for path in files_in(board, f"{plan.spec.id}/*.json"):
        try:
            other = read_record(path)
        except BenchError:  # boards leave it out
            continue
        if labels_differ(other, plan.info.supervision):
            raise InvalidInput(
                f"{plan.spec.id} is a row with supervision {other.method.supervision!r} (run "
                f"{other.run_id}), this file has {plan.info.supervision!r}",
                cure="give another --name: a row is of one method",
            )
        if same_place(other, plan.spec.id, plan.request.seed, {plan.run_id}):
            raise InvalidInput(
                f"{plan.spec.id} has a row with seed {plan.request.seed} already, from another file "
                f"(run {other.run_id})",
                cure="give another --name or --seed, or drop or withdraw that run",
            )


def _words(record: Record) -> tuple[str, int, str, str]:
    made_by = record.external.made_by if record.external else ""
    return record.method.id, record.seed, record.method.supervision, made_by

"""Files of predictions as somebody elsewhere would hand them in, taken from runs that were made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from benchmark.contracts import Descriptors, Landmarks, Parts, ShapeAndPose, Translation
from benchmark.contracts.predictions import Prediction
from benchmark.image_files import Image
from benchmark.interface.progress import Silent
from benchmark.runner.outcome import Outcome
from benchmark.runner.plan import Plan, make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import loaded_method, run
from benchmark.tasks.collect import predict_batch

QUIET = Silent()


def done(method: str, protocol: str, **given: object) -> tuple[Plan, Outcome]:
    """A run on a protocol's twin."""
    request = Request(method=method, protocol=protocol, given=given, twin=True, device="cpu")
    plan = make_plan(request, QUIET)
    return plan, run(plan, QUIET)


def arrays_of(prediction: Prediction) -> dict[str, np.ndarray]:
    """A prediction by the names that files have for it."""
    match prediction:
        case Landmarks():
            found = {"landmarks": prediction.points}
        case Parts():
            found = {"parts": prediction.probabilities}
        case Descriptors():
            found = {"maps": prediction.maps}
        case ShapeAndPose():
            found = {"clouds": prediction.points, "rotations": prediction.rotation}
        case Translation():
            found = {"alpha": prediction.alpha[:, 0]}
        case _:
            raise AssertionError(type(prediction))
    return {name: tensor.numpy() for name, tensor in found.items()}


def predicted(plan: Plan) -> dict[str, np.ndarray]:
    """All that the method of a run predicts for its task, in another order than the task's."""
    method, found = loaded_method(plan), {}
    draw = np.random.default_rng(7)
    for each in plan.task.image_sets(plan.splits, plan.scored):
        images, truth, parts = each.images(QUIET), each.truth(), []
        for first in range(0, len(each), 64):
            rows = slice(first, min(first + 64, len(each)))
            shown = None if truth is None else torch.from_numpy(np.array(truth[rows]))
            with torch.inference_mode():
                batch = images.batch(rows)
                parts.append(
                    predict_batch(method, plan.kind, batch, shown, plan.protocol.landmarks)
                )
        order = draw.permutation(len(each))
        found[f"{each.name}/keys"] = np.array(each.keys)[order]
        given = [arrays_of(part) for part in parts]
        for name in given[0]:
            found[f"{each.name}/{name}"] = np.concatenate([g[name] for g in given])[order]
    return found


def written(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    """An .npz, or a folder of .npy files where the path has no ending."""
    if path.suffix == ".npz":
        np.savez(path, **arrays)  # type: ignore[arg-type]
        return path
    for name, array in arrays.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(path / f"{name}.npy", array)
    return path


def generated(plan: Plan, folder: Path) -> Path:
    """The pictures that the generator of a run makes for its protocol, a PNG each."""
    how = plan.scored.generation
    assert how is not None
    folder.mkdir(parents=True)
    with torch.inference_mode():
        images = loaded_method(plan).generator().sample(how.images, how.seed, batch=32)
    for i, image in enumerate(images.permute(0, 2, 3, 1).numpy()):
        Image.fromarray(image).save(folder / f"{i:05}.png")
    return folder

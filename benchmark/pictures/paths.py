"""Along which paths a generator's images change least, and along which most: by the steps of PPL."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from benchmark.contracts.predictions import Generator
from benchmark.metrics.path_length import codes_along, drawn_paths
from benchmark.pictures.own import tensor_pictures
from benchmark.pictures.sheet import COLUMNS, contact_sheet, enlarged, titled
from benchmark.pictures.shown import PicturedRun
from benchmark.protocols.generation import PathLength
from benchmark.tasks.generation_scores import PATHS

SHOWN = 8


def smooth_paths_sheet(run: PicturedRun) -> Image.Image | None:
    """Eight paths of the tenth whose steps are smallest, the smallest first, each in eight images."""
    return _sheet(run, largest=False)


def rough_paths_sheet(run: PicturedRun) -> Image.Image | None:
    """Eight paths of the tenth whose steps are largest, the largest first, each in eight images."""
    return _sheet(run, largest=True)


def _sheet(run: PicturedRun, *, largest: bool) -> Image.Image | None:
    """None where the run kept no path lengths, and where its fit is not on this machine."""
    generator, how = run.generator, run.plan.scored.generation
    metrics = [m.id for m in run.plan.scored.metrics if m.id.partition("/")[0] in PATHS]
    name = next((metric for metric in metrics if metric in run.kept), None)
    if generator is None or how is None or how.path is None or name is None:
        return None
    lengths, variant = run.kept[name], name.partition("/")[0]
    rows = of_a_tenth(lengths, largest=largest)
    with torch.inference_mode():
        paths = path_images(generator, rows, how.path, variant, run.plan.device)
    cells, captions = [], []
    for row, (images, at) in zip(rows, paths, strict=True):
        cells += [enlarged(picture) for picture in tensor_pictures(images)]
        where = f", step at t = {at:.2f}" if PATHS[variant]["sampling"] == "full" else ""
        captions += [f"path {row}: {lengths[row]:.4g}{where}"] + [""] * (COLUMNS - 1)
    which = "largest" if largest else "smallest"
    tenth = np.sort(lengths[of_a_tenth(lengths, len(lengths), largest=largest)])
    words = f"{name}: the tenth whose steps are {which}, {tenth[0]:.4g} to {tenth[-1]:.4g}."
    return titled(contact_sheet(cells, captions, under=True), words)


def of_a_tenth(lengths: np.ndarray, count: int = SHOWN, *, largest: bool) -> list[int]:
    """Up to `count` of the tenth of paths with the smallest or `largest` lengths, evenly over it, from
    the outermost on.

    >>> of_a_tenth(np.arange(100.0), 3, largest=True)
    [99, 95, 90]
    """
    order = np.argsort(-lengths if largest else lengths, kind="stable")
    tenth = order[: max(1, len(order) // 10)]
    steps = np.linspace(0, len(tenth) - 1, min(count, len(tenth)))
    found: list[int] = tenth[steps.round().astype(int)].tolist()
    return found


def path_images(
    generator: Generator, rows: list[int], how: PathLength, variant: str, device: str
) -> list[tuple[torch.Tensor, float]]:
    """Eight images in [-1, 1] from one end of each path to the other, (8, 3, H, W), and the t at which
    its step was taken. All images of a path share the noise that its step had."""
    rule = PATHS[variant]
    found: dict[int, tuple[torch.Tensor, float]] = {}
    further = torch.linspace(0, 1, COLUMNS).tolist()
    count = max(rows) + 1
    for paths in drawn_paths(generator.z_dim, count, rule["sampling"], how.batch, how.seed):
        for row in set(rows) & set(paths.rows):
            i = row - paths.rows.start
            z = paths.ends[i : i + 1].to(device)
            codes = codes_along(generator.mapping, z, z.new_zeros(1), further, rule["space"])
            images = generator.synthesis(torch.cat(codes), paths.noise)
            found[row] = images, float(paths.at[i])
    return [found[row] for row in rows]

"""Generated images whose attributes are changed, one after the other, along a straight line in w.

Pictures alone: no number of a record is made of these directions.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from PIL import Image

from benchmark.contracts.errors import InvalidInput
from benchmark.contracts.predictions import Generator
from benchmark.pictures.own import tensor_pictures
from benchmark.pictures.sheet import Row, rows_sheet, titled
from benchmark.pictures.shown import PicturedRun
from benchmark.probes.attributes import AttributeNet
from benchmark.probes.directions import attribute_direction
from benchmark.protocols.generation import Linearity
from benchmark.tasks.attribute_classifier import attribute_classifier
from benchmark.tasks.image_generation import BATCH, read_attributes

SEED = 0
IMAGES = 4000
SECONDS, FEWEST = 15.0, 200
"""A generator that makes no 4,000 images in that time is looked at in fewer, but in so many at least."""
NUMBERS = 2**25
"""Of all w together at most: of wide ones there are fewer."""
STEPS = range(-3, 4)


def edits_sheet(run: PicturedRun) -> Image.Image | None:
    """A row for each attribute: the first generated image at −3, −2, …, 3 along its direction in w.

    None for runs without an attribute classifier, for generators whose w do not differ, and where the
    fit is not on this machine.
    """
    generator, how = run.generator, run.plan.scored.generation
    if generator is None or how is None or how.linearity is None:
        return None
    classifier = attribute_classifier(how.linearity.classifier, lambda *_, **__: None)
    net = classifier.net.to(run.plan.device)
    with torch.inference_mode():
        codes, logits = labelled(generator, net, how.linearity, run.plan.device)
        try:
            rows = edited_rows(generator, codes, logits, net.attributes)
        except InvalidInput:
            return None
    return titled(rows_sheet(rows), f"Directions from the w of {len(codes):,} generated images.")


def labelled(
    generator: Generator, net: AttributeNet, how: Linearity, device: str
) -> tuple[torch.Tensor, np.ndarray]:
    """w (N, layers, w_dim) of the first generated images, and the logits (N, A) of their attributes."""
    codes: list[torch.Tensor] = []
    logits, until = [], time.monotonic() + SECONDS
    for draw in generator.draws(IMAGES, SEED, batch=BATCH):
        some = generator.mapping(draw.z.to(device))
        if codes and (
            draw.rows.stop * some[0].numel() > NUMBERS
            or (draw.rows.start >= FEWEST and time.monotonic() > until)
        ):
            break
        codes.append(some)
        logits.append(read_attributes(net, generator.synthesis(some, draw.noise), how).cpu())
    return torch.cat(codes), torch.cat(logits).numpy()


def edited_rows(
    generator: Generator, codes: torch.Tensor, logits: np.ndarray, attributes: tuple[str, ...]
) -> list[Row]:
    """The image of the first of `codes` along each attribute's direction, named by the attribute and how
    well the direction tells other w apart.

    Where all layers of every w are the same, so is the direction in each of them.
    """
    shared = bool((codes == codes[:, :1]).all())
    flat = (codes[:, 0] if shared else codes.flatten(1)).cpu().numpy()
    rows: list[Row] = []
    for name, scores in zip(attributes, logits.T, strict=True):
        found = attribute_direction(flat, scores, SEED)
        normal = torch.from_numpy(found.normal).to(codes)
        normal = normal[None] if shared else normal.reshape(codes.shape[1:])
        edited = torch.stack([codes[0] + step * normal for step in STEPS])
        words = f"{name}, -3 to 3: {100 * found.accuracy:.0f} % of {found.held_out} held-out w"
        rows.append((words, tensor_pictures(generator.synthesis(edited, SEED))))
    return rows

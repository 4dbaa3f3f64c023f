"""Segmentation of photographs by torchvision's Mask R-CNN, whose file is on the disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmark.contracts.errors import DataAltered, DataMissing
from benchmark.files import file_sha256, read_json, whole_file, write_json
from benchmark.image_files import decode

FILE = "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth"
"""torchvision's, of ResNet-50 with a feature pyramid, trained on COCO. Its name ends with the first
digits of its sha256, of which no more is published."""

LABELS = {3: "car", 6: "bus", 8: "truck"}
"""Of COCO's 91 classes those that are kept."""

Progress = Callable[[int, int], None]


def load(file: Path, device: torch.device) -> tuple[torch.nn.Module, str]:
    """The network in evaluation mode, and the sha256 of its file.

    Raises `DataMissing` where the file is not there, `DataAltered` where its sha256 does not begin as
    its name ends, or its tensors are no Mask R-CNN's. Nothing is unpickled but tensors.
    """
    from torchvision.models.detection import maskrcnn_resnet50_fpn

    if not file.is_file():
        raise DataMissing(
            f"the weights {file} are not there",
            cure=f"get https://download.pytorch.org/models/{FILE} (BSD-3-Clause, torchvision), or put "
            "masks of your own into the folder: NAME.png for each photograph NAME.jpg",
        )
    digest = file_sha256(file)
    if not digest.startswith(file.stem.rpartition("-")[2]):
        raise DataAltered(f"{file} has sha256 {digest}, which does not begin as its name ends")
    network = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    try:
        network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    except (RuntimeError, TypeError, ValueError, KeyError, EOFError) as error:
        raise DataAltered(f"{file} holds no weights of a Mask R-CNN: {error}") from None
    return network.eval().to(device), digest


def segment(
    photographs: Sequence[Path],
    out: Path,
    network: torch.nn.Module,
    device: torch.device,
    *,
    weights: str,
    least: float = 0.5,
    progress: Progress | None = None,
) -> int:
    """Write what a network finds in photographs into a folder; how many segmentations it holds of them.

    Of NAME.jpg come NAME_0.png, NAME_1.png, … (255 where the object more likely is than not) and then
    NAME.json with label, confidence and box of each, best first, the sha256 of the weights and `least`.
    A photograph that has its NAME.json is passed over, so that a killed command goes on. Labels are
    `LABELS`, confidences `least` or more. Raises `DataAltered` where the folder holds what other weights
    or another `least` have found, so that no folder is of two makings.
    """
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    for done, photograph in enumerate(photographs, start=1):
        about = out / f"{photograph.stem}.json"
        if not about.exists():
            _segment_one(photograph, about, network, device, weights, least)
        count += _found_before(about, weights, least)
        if progress:
            progress(done, len(photographs))
    return count


def _found_before(about: Path, weights: str, least: float) -> int:
    """How many segmentations a photograph has, which these weights and confidences must have made."""
    again = "remove it, and run the same command again"
    found = read_json(about, again, "weights", "least", "found")
    if (found["weights"], found["least"]) != (weights, least):
        raise DataAltered(
            f"{about} was made with weights {str(found['weights'])[:12]} and confidences from "
            f"{found['least']}, not with {weights[:12]} and {least}",
            cure="name another folder, or remove this one",
        )
    return len(found["found"])


def _segment_one(
    photograph: Path,
    about: Path,
    network: torch.nn.Module,
    device: torch.device,
    weights: str,
    least: float,
) -> None:
    pixels = np.array(decode(photograph, "RGB"))
    image = torch.from_numpy(pixels).to(device).permute(2, 0, 1) / 255
    with torch.inference_mode():
        (found,) = network([image])
    entries: list[dict[str, Any]] = []
    for label, score, box, mask in zip(
        found["labels"].tolist(),
        found["scores"].tolist(),
        found["boxes"].tolist(),
        found["masks"],
        strict=True,
    ):
        if label not in LABELS or score < least:
            continue
        name = f"{photograph.stem}_{len(entries)}.png"
        with whole_file(about.parent / name) as file:
            Image.fromarray(np.uint8(255) * (mask[0] > 0.5).cpu().numpy()).save(file, "PNG")
        entries.append({"mask": name, "label": LABELS[label], "confidence": score, "box": box})
    about_it = {"photograph": photograph.name, "weights": weights, "least": least}
    write_json(about, {**about_it, "found": entries})

"""The soft-argmax probe of the DVE lineage: annotated points read from frozen dense features.

Per landmark 50 private 1×1 filters without bias, a softmax over positions of 100 × score, the
expected (x, y) of each, and a private linear map 100 → 2 without bias.

Source: jamt9000/DVE 2085144 (model/keypoint_prediction.py, configs), and the same regressor in
cvl-umass/ContrastLandmark 5b2c6b3 with another schedule.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchmark.contracts.errors import InvalidInput, TrainingFailed
from benchmark.probes.softargmax_presets import SoftargmaxSettings
from benchmark.probes.spatial import Reading

Features = Tensor | npt.NDArray[Any]

#: Rows read at once where all of the features are walked through in order.
CHUNK = 64


@dataclass
class SoftargmaxProbe:
    """Reads A annotated points from frozen features (N, C, h, w).

    Args:
        settings: a preset or one's own.
        image_size: side of the image in pixels, or (width, height). A pixel coordinate x is
            2x/(width - 1) - 1 to the probe, and the outermost positions of the features are -1
            and 1.
        device: where to compute; by default where the features are (a NumPy array: the CPU).

    `history` holds the mean training loss of each epoch.

    >>> features = torch.rand(40, 8, 6, 6, generator=torch.Generator().manual_seed(0))
    >>> targets = torch.full((40, 5, 2), 30.0)
    >>> settings = SoftargmaxSettings(epochs=2)
    >>> SoftargmaxProbe(settings, 96).fit(features, targets, seed=0).predict(features).shape
    torch.Size([40, 5, 2])
    """

    settings: SoftargmaxSettings
    image_size: int | tuple[int, int]
    device: torch.device | str | None = None
    history: list[float] = field(default_factory=list, init=False)
    _reading: Reading | None = field(default=None, init=False, repr=False)

    def fit(
        self,
        features: Features,
        targets: Tensor | npt.NDArray[Any],
        seed: int,
        progress: Callable[[int, float], None] | None = None,
        sets: int = 1,
    ) -> SoftargmaxProbe:
        """Train on features (N, C, h, w) and targets (N, A, 2), (x, y) in pixels of the image.

        Features may be of any float dtype, on any device, or a NumPy array mapped from disk: rows
        are read as they are needed. The order of the rows, the start and the result depend on the
        seed alone (on one machine). `progress(epoch, loss)` is called after every epoch. With `sets`
        the rows are that many equal parts, and epoch e walks through part e mod `sets`.

        Raises `InvalidInput` for other shapes, for values that are not finite, for fewer rows than a
        batch that may not be short and for sets that are not equal; `TrainingFailed` for a loss that
        is not finite.
        """
        s = self.settings
        _check_features(features)
        wanted = self._normalised(targets)
        if len(wanted) != len(features):
            raise InvalidInput(
                f"one row of targets per image, got {len(features)} features "
                f"and {len(wanted)} targets"
            )
        if sets < 1 or len(features) % sets:
            raise InvalidInput(f"{len(features)} rows do not make {sets} equal sets")
        rows_at_once = len(features) // sets
        if s.drop_last and rows_at_once < s.batch:
            raise InvalidInput(
                f"a batch is {s.batch} images and none may be short, got {rows_at_once} images",
                cure="use a smaller batch, or drop_last=False",
            )
        device = self._device(features)
        draw = torch.Generator().manual_seed(seed)
        filters = torch.randn(wanted.shape[1], s.filters, features.shape[1], generator=draw)
        bound = 1 / math.sqrt(2 * s.filters)  # torch's default for a linear layer of that width
        linear = torch.empty(wanted.shape[1], 2, 2 * s.filters).uniform_(
            -bound, bound, generator=draw
        )
        self._reading = reading = Reading(filters.to(device), linear.to(device), s.temperature)
        wanted = wanted.to(device)
        backward = torch.bfloat16 if s.precision == "mixed" else torch.float32
        optimiser = torch.optim.Adam(
            [reading.filters, reading.linear],
            betas=s.betas,
            weight_decay=s.weight_decay,
            amsgrad=s.amsgrad,
        )
        self.history = []
        for epoch in range(s.epochs):
            first = rows_at_once * (epoch % sets)
            order = first + torch.randperm(rows_at_once, generator=draw)
            batches = list(order.split(s.batch))
            if s.drop_last and len(batches[-1]) < s.batch:
                batches.pop()
            total = 0.0
            for step, rows in enumerate(batches):
                optimiser.param_groups[0]["lr"] = s.learning_rate_at(epoch, step, len(batches))
                loss, reading.filters.grad, reading.linear.grad = reading.loss_and_gradient(
                    _rows(features, rows, device), wanted[rows.to(device)], s.loss_scale, backward
                )
                if not math.isfinite(loss):
                    raise TrainingFailed(f"the probe's loss is {loss} in epoch {epoch}")
                optimiser.step()
                total += loss * len(rows)
            self.history.append(total / sum(map(len, batches)))
            if progress is not None:
                progress(epoch, self.history[-1])
        return self

    def predict(self, features: Features) -> Tensor:
        """Points (N, A, 2) float32 on the CPU, (x, y) in pixels, of features (N, C, h, w)."""
        if self._reading is None:
            raise InvalidInput("this probe has not been fitted", cure="call fit first")
        _check_features(features)
        known = self._reading.filters.shape[2]
        if features.shape[1] != known:
            raise InvalidInput(f"fitted on {known} channels, got {features.shape[1]}")
        device = self._device(features)
        reading = Reading(
            self._reading.filters.to(device),
            self._reading.linear.to(device),
            self._reading.temperature,
        )
        chunks = torch.arange(len(features)).split(CHUNK)
        points = [reading.points(_rows(features, rows, device)).cpu() for rows in chunks]
        return (torch.cat(points) + 1) / 2 * self._extent()

    def state(self) -> dict[str, Tensor]:
        """filters (A, 50, C) and linear (A, 2, 100), float32 on the CPU."""
        if self._reading is None:
            raise InvalidInput("this probe has not been fitted", cure="call fit first")
        return {"filters": self._reading.filters.cpu(), "linear": self._reading.linear.cpu()}

    @classmethod
    def from_state(
        cls,
        state: dict[str, Tensor],
        settings: SoftargmaxSettings,
        image_size: int | tuple[int, int],
        device: torch.device | str | None = None,
    ) -> SoftargmaxProbe:
        """The probe whose `state()` this is, under the same settings and image size."""
        filters, linear = state["filters"].float().clone(), state["linear"].float().clone()
        landmarks = len(filters)
        expected = (landmarks, settings.filters), (landmarks, 2, 2 * settings.filters)
        if (filters.ndim, tuple(filters.shape[:2]), tuple(linear.shape)) != (3, *expected):
            raise InvalidInput(
                f"expected filters {(*expected[0], 'C')} and linear {expected[1]}, "
                f"got {tuple(filters.shape)} and {tuple(linear.shape)}"
            )
        probe = cls(settings, image_size, device)
        probe._reading = Reading(filters, linear, settings.temperature)
        return probe

    def _device(self, features: Features) -> torch.device:
        if self.device is not None:
            return torch.device(self.device)
        return features.device if isinstance(features, Tensor) else torch.device("cpu")

    def _extent(self) -> Tensor:
        size = self.image_size
        width, height = (size, size) if isinstance(size, int) else size
        return torch.tensor([width - 1.0, height - 1.0])

    def _normalised(self, targets: Tensor | npt.NDArray[Any]) -> Tensor:
        points = torch.as_tensor(targets).detach().cpu().float()
        if points.ndim != 3 or points.shape[2] != 2 or 0 in points.shape:
            raise InvalidInput(f"targets must be (N, A, 2), got {tuple(points.shape)}")
        if not points.isfinite().all():
            row = int((~points.isfinite()).flatten(1).any(1).nonzero()[0])
            raise InvalidInput(f"targets hold values that are not finite, first in row {row}")
        return points * 2 / self._extent() - 1


def _rows(features: Features, rows: Tensor, device: torch.device) -> Tensor:
    """Those rows (n, C, h, w), float32, on the device."""
    if isinstance(features, Tensor):
        return features[rows.to(features.device)].to(device, torch.float32)
    return torch.from_numpy(features[rows.numpy()]).to(device, torch.float32)


def _check_features(features: Features) -> None:
    if features.ndim != 4 or 0 in features.shape:
        raise InvalidInput(f"features must be (N, C, h, w), got {tuple(features.shape)}")
    for first in range(0, len(features), CHUNK):
        part = features[first : first + CHUNK]
        # A copy of a NumPy part: torch warns of memory it may not write to.
        chunk = part if isinstance(part, Tensor) else torch.from_numpy(np.array(part))
        if not chunk.is_floating_point():
            raise InvalidInput(f"features must be floating point, got {chunk.dtype}")
        # One sum tells at a tenth of the cost: it is finite unless a value is not, or it overflows.
        chunk = chunk.float()
        if not chunk.sum().isfinite() and not (finite := chunk.isfinite()).all():
            row = first + int((~finite).flatten(1).any(1).nonzero()[0])
            raise InvalidInput(f"features hold values that are not finite, first in row {row}")

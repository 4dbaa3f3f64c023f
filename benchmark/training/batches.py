"""Pixels of a set of images by number, and the batches of a training's steps."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal, Protocol

import numpy as np
import torch
from torch.nn import functional

from benchmark.contracts.errors import Incompatible, InvalidInput
from benchmark.contracts.images import Images
from benchmark.training.orders import Order, Others, Views

__all__ = ["Batches", "Order", "Others", "Pixels", "Views", "surroundings"]

#: On the host, sets up to this many bytes are kept in memory instead of read from the file.
HOST_BYTES = 2 << 30
CHUNK = 256


class Pixels:
    """Images by number, uint8 (B, C, H, H) on the device: `pixels[np.array([3, 1])]`.

    A set that fits is cached there once, for any number of orders; a larger one is read from
    its file. `what` "silhouettes" has one channel; `Incompatible` where a protocol grants none.

    With `size` the images are shrunk to `size` pixels a side: means over areas, rounded, with as much
    of the margin as is a whole number of pixels at both sizes (`surroundings`); `InvalidInput` for a
    size beyond theirs. Example: faces of 96 pixels with a margin of 20 are, at `size=48`,
    (B, 3, 68, 68) with a margin of 10.
    """

    size: int
    """The side of the middle square, in pixels of what is given."""
    margin: int
    """The pixels around that on each side."""

    def __init__(
        self,
        images: Images,
        device: str | torch.device = "cpu",
        *,
        margin: bool = True,
        size: int | None = None,
        what: Literal["pixels", "silhouettes"] = "pixels",
        cache_bytes: int | None = None,
    ) -> None:
        self.device = torch.device(device)
        self.size = size or images.size
        if self.size > images.size:
            raise InvalidInput(
                f"images of {images.size} pixels a side can't be shrunk to {self.size}",
                cure=f"choose a size of {images.size} or less",
            )
        used, self.margin = surroundings(images.size, images.margin if margin else 0, self.size)
        self._source = _source(images, what)
        self._cut = slice(images.margin - used, images.margin + images.size + used)
        self._side = self.size + 2 * self.margin
        if cache_bytes is None:
            cache_bytes = HOST_BYTES
            if self.device.type == "cuda":
                cache_bytes = torch.cuda.mem_get_info(self.device)[0] // 3
        count, channels = len(images), self._source.shape[-1]
        self._cached: torch.Tensor | None = None
        if count * channels * self._side**2 <= cache_bytes:
            self._cached = torch.empty((count, channels, self._side, self._side), dtype=torch.uint8)
            for first in range(0, count, CHUNK):
                rows = slice(first, first + CHUNK)
                self._cached[rows] = self._at_size(self._source[rows])
            self._cached = self._cached.to(self.device)
        self._reader = None if self._cached is not None else ThreadPoolExecutor(1, "pixels")

    def __getitem__(self, indices: np.ndarray) -> torch.Tensor:
        if self._cached is None:
            return self._read(indices).to(self.device, non_blocking=True)
        return self._cached[torch.from_numpy(indices).to(self.device)]

    @property
    def cached(self) -> bool:
        """Whether all lie on the device, so that nothing is gained by reading ahead."""
        return self._cached is not None

    def ahead(self, indices: np.ndarray) -> Future[torch.Tensor]:
        """Begin to read what will be asked for next, of a set that is not cached; on the CPU."""
        assert self._reader is not None
        return self._reader.submit(self._read, indices)

    def _read(self, indices: np.ndarray) -> torch.Tensor:
        # Sorted, so that the file is read forwards; then put back into the order asked for.
        flat = indices.ravel()
        forwards = np.argsort(flat, kind="stable")
        read = self._at_size(self._source[flat[forwards]])
        batch = torch.empty_like(read)
        batch[torch.from_numpy(forwards)] = read
        batch = batch.view(*indices.shape, *read.shape[1:])
        return batch.pin_memory() if self.device.type == "cuda" else batch

    def _at_size(self, pixels: np.ndarray) -> torch.Tensor:
        """uint8 (B, H, H, C) as stored → (B, C, side, side)."""
        cut = torch.from_numpy(np.array(pixels[:, self._cut, self._cut], order="C"))
        return shrunk(cut.permute(0, 3, 1, 2), self._side).contiguous()


def _source(images: Images, what: str) -> np.ndarray:
    """uint8 (N, H, H, C)."""
    if what == "pixels":
        return images.pixels
    if images.silhouettes is None:
        raise Incompatible(
            "silhouettes are needed, which this protocol does not grant",
            cure="choose a protocol whose data grants `silhouettes`",
        )
    return images.silhouettes[..., None]


def surroundings(size: int, margin: int, seen: int) -> tuple[int, int]:
    """How many pixels around an image of `size` are used, and how many that is at `seen` pixels.

    The most of `margin` that is a whole number at both sizes, so that both have one scale.

    >>> surroundings(96, 20, 64)
    (18, 12)
    """
    used = next(m for m in range(margin, -1, -1) if m * seen % size == 0)
    return used, used * seen // size


def shrunk(images: torch.Tensor, side: int) -> torch.Tensor:
    """uint8 (B, C, H, H) → (B, C, side, side): `averaged`, rounded.

    >>> shrunk(torch.tensor([[[[0, 10, 90], [0, 10, 90], [0, 10, 90]]]], dtype=torch.uint8), 2).tolist()
    [[[[3, 63], [3, 63]]]]
    """
    if images.shape[-1] == side:
        return images
    return averaged(images.float(), side).round_().clamp_(0, 255).byte()


def averaged(images: torch.Tensor, side: int) -> torch.Tensor:
    """float (B, C, H, H) → (B, C, side, side): means over areas.

    Each new pixel is the mean of the square that it covers, with pixels at its edge by their share
    (torch's "area" takes these whole, where sides do not divide). What is of that side comes back.

    >>> averaged(torch.tensor([[[[0.0, 0.0, 3.0]] * 3]]), 2)[0, 0, 0].tolist()
    [0.0, 2.0]
    """
    had = images.shape[-1]
    if had == side:
        return images
    at = torch.arange(had, device=images.device)
    edge = torch.arange(side, device=images.device)[:, None] * (had / side)
    covered = (torch.minimum(at + 1, edge + had / side) - torch.maximum(at, edge)).clamp(min=0)
    share = (covered / covered.sum(1, keepdim=True)).to(images)
    return share @ images @ share.T


def resized(images: torch.Tensor, side: int) -> torch.Tensor:
    """float (B, C, H, H) → (B, C, side, side): bilinear, antialiased where it shrinks.

    For a network whose side is not that of the data. What is of that side comes back.

    >>> resized(torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]]), 4)[0, 0, 0].tolist()
    [0.0, 0.25, 0.75, 1.0]
    """
    if images.shape[-1] == side:
        return images
    return functional.interpolate(images, (side, side), mode="bilinear", antialias=True)


class Steps(Protocol):
    """Which images a step sees."""

    def indices(self, step: int) -> np.ndarray:
        """int64 (B,) of step `step`, counted from 0."""


class Batches:
    """The images of each step, uint8 (B, 3, H, W) on the device.

    `images` and what follows `device` as in `Pixels`, or a `Pixels`, which several orders can share.
    A set that is not kept is read one batch ahead. The order counts the images of `subset` (all where
    it is None).
    """

    def __init__(
        self,
        images: Images | Pixels,
        order: Steps,
        device: str | torch.device = "cpu",
        *,
        margin: bool = True,
        subset: np.ndarray | None = None,
        cache_bytes: int | None = None,
    ) -> None:
        if isinstance(images, Images):
            images = Pixels(images, device, margin=margin, cache_bytes=cache_bytes)
        self.pixels, self.order = images, order
        self._subset = None if subset is None else np.asarray(subset)
        self._ahead: dict[int, Future[torch.Tensor]] = {}

    def __call__(self, step: int) -> torch.Tensor:
        if self.pixels.cached:
            return self.pixels[self._indices(step)]
        wanted = self._ahead.pop(step, None)
        if wanted is None:
            wanted = self.pixels.ahead(self._indices(step))
        found = wanted.result()
        self._ahead = {step + 1: self.pixels.ahead(self._indices(step + 1))}
        return found.to(self.pixels.device, non_blocking=True)

    def _indices(self, step: int) -> np.ndarray:
        indices = self.order.indices(step)
        return indices if self._subset is None else self._subset[indices]

"""Batches of images in an order that is a pure function of (seed, epoch)."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch

from benchmark.contracts.errors import InvalidInput
from benchmark.contracts.images import Images
from benchmark.training.randomness import derived_seed

#: On the host, sets up to this many bytes are kept in memory instead of read from the file.
HOST_BYTES = 2 << 30


class Order:
    """Which images make up the batch of a step.

    Every epoch is its own permutation, of which whole batches are used (the rest of the images have
    their turn in other epochs). Of `share` equal processes number `rank` sees its slice of each batch.
    Example: with 10 images and a batch of 4, steps 0 and 1 are epoch 0, steps 2 and 3 epoch 1.
    """

    def __init__(self, count: int, batch: int, seed: int, *, rank: int = 0, share: int = 1) -> None:
        if batch > count:
            raise InvalidInput(
                f"a batch of {batch} images cannot be drawn from {count} images",
                cure="lower the batch size",
            )
        if batch % share:
            raise InvalidInput(
                f"a batch of {batch} cannot be shared by {share} processes",
                cure="choose a number of devices that divides the batch",
            )
        self.count, self.batch, self.seed = count, batch, seed
        self.steps_per_epoch = count // batch
        self._slice = slice(rank * (batch // share), (rank + 1) * (batch // share))
        self._epoch, self._permutation = -1, np.empty(0, np.int64)

    def indices(self, step: int) -> np.ndarray:
        """int64 (batch / share,) of step `step`, counted from 0."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            draw = np.random.Generator(np.random.PCG64(derived_seed(self.seed, "order", epoch)))
            self._epoch, self._permutation = epoch, draw.permutation(self.count)
        return self._permutation[place * self.batch : (place + 1) * self.batch][self._slice]


class Batches:
    """The images of each step, uint8 (B, 3, H, W) on the device.

    A set that fits is kept there whole; a larger one is read from its file, one batch ahead. The
    order counts the images of `subset` (all where it is None).
    """

    def __init__(
        self,
        images: Images,
        order: Order,
        device: str | torch.device = "cpu",
        *,
        margin: bool = True,
        subset: np.ndarray | None = None,
        keep_bytes: int | None = None,
    ) -> None:
        self.images, self.order, self.margin = images, order, margin
        self.device = torch.device(device)
        self._subset = np.arange(len(images)) if subset is None else np.asarray(subset)
        if keep_bytes is None:
            keep_bytes = HOST_BYTES
            if self.device.type == "cuda":
                keep_bytes = torch.cuda.mem_get_info(self.device)[0] // 3
        fits = images.pixels.nbytes <= keep_bytes
        self._kept = images.tensor(margin=margin).contiguous().to(self.device) if fits else None
        self._reader = None if fits else ThreadPoolExecutor(1, "batches")
        self._ahead: dict[int, Future[torch.Tensor]] = {}

    def __call__(self, step: int) -> torch.Tensor:
        if self._kept is not None:
            return self._kept[torch.from_numpy(self._indices(step)).to(self.device)]
        assert self._reader is not None
        wanted = self._ahead.pop(step, None)
        found = wanted.result() if wanted is not None else self._read(self._indices(step))
        self._ahead = {step + 1: self._reader.submit(self._read, self._indices(step + 1))}
        return found.to(self.device, non_blocking=True)

    def _indices(self, step: int) -> np.ndarray:
        return self._subset[self.order.indices(step)]

    def _read(self, indices: np.ndarray) -> torch.Tensor:
        # Sorted, so that the file is read forwards; then put back into the order asked for.
        forwards = np.argsort(indices, kind="stable")
        read = self.images.batch(indices[forwards], margin=self.margin)
        batch = torch.empty_like(read, memory_format=torch.contiguous_format)
        batch[torch.from_numpy(forwards)] = read
        return batch.pin_memory() if self.device.type == "cuda" else batch

"""Which images make up the batch of a step: functions of seed and step alone."""

from __future__ import annotations

import numpy as np

from benchmark.contracts.errors import Incompatible, InvalidInput
from benchmark.training.randomness import derived_seed


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


class Others:
    """For each image of a step of `order` another one of the same object, drawn evenly from all of them.

    An image that is alone of its object is its own partner. `objects` int64 (N,) is what a protocol
    grants as `Images.objects`; `Incompatible` where it is None. Example: with objects 5, 5, 9 and the
    step's images 0, 1, 2 the others are 1, 0, 2.
    """

    def __init__(self, order: Order, objects: np.ndarray | None) -> None:
        objects = granted(objects)
        self.order = order
        self._by_object = np.argsort(objects, kind="stable")
        self._rank = np.empty_like(self._by_object)
        self._rank[self._by_object] = np.arange(len(objects))
        ordered = objects[self._by_object]
        self._first: np.ndarray = np.searchsorted(ordered, objects)
        self._members: np.ndarray = np.searchsorted(ordered, objects, side="right") - self._first

    def indices(self, step: int) -> np.ndarray:
        """int64 (batch / share,): the partners of `order.indices(step)`, in that order."""
        chosen = self.order.indices(step)
        draw = _draw(self.order.seed, "partners", step, int(chosen[0]))
        first, count = self._first[chosen], self._members[chosen]
        away = 1 + np.floor(draw.random(len(chosen)) * (count - 1)).astype(np.int64)
        away[count == 1] = 0
        return self._by_object[first + (self._rank[chosen] - first + away) % count]


class Views:
    """Some objects each step, and of each some different images.

    Objects come in epochs as images do in `Order` (same `rank` and `share`); the images of an object
    are drawn anew each time. Raises `Incompatible` where `objects` is None, `InvalidInput` where an
    object has fewer than `views` images. Example: with 17 models of 40 images each,
    `Views(objects, 4, 4, seed=0)` gives 16 images a step, and 4 steps are an epoch.
    """

    def __init__(
        self,
        objects: np.ndarray | None,
        per_step: int,
        views: int,
        seed: int,
        *,
        rank: int = 0,
        share: int = 1,
    ) -> None:
        objects = granted(objects)
        self.names, self._object, counts = np.unique(
            objects, return_inverse=True, return_counts=True
        )
        if counts.min() < views:
            raise InvalidInput(
                f"object {self.names[counts.argmin()]} has {counts.min()} images, {views} different "
                "ones of each object were asked for",
                cure=f"ask for {counts.min()} or fewer",
            )
        self.views, self.seed = views, seed
        self.order = Order(len(self.names), per_step, seed, rank=rank, share=share)

    def indices(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Objects int64 (B,), by their names in `objects`, and images of each, int64 (B, views)."""
        chosen = self.order.indices(step)
        rows = [
            _draw(self.seed, "views of an object", step, int(one)).choice(
                np.flatnonzero(self._object == one), self.views, replace=False
            )
            for one in chosen
        ]
        return self.names[chosen], np.stack(rows)


def granted(objects: np.ndarray | None) -> np.ndarray:
    """Which object each image shows; `Incompatible` where a protocol does not grant it."""
    if objects is None:
        raise Incompatible(
            "which images are views of one object is needed, which this protocol does not grant",
            cure="choose a protocol whose data grants `views`, or settings that need no views",
        )
    return objects


def _draw(seed: int, *keys: int | str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(derived_seed(seed, *keys)))

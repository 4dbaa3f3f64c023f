"""The last translations, from which discriminators learn as well as from the newest."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Pool:
    """Up to `capacity` images; a state of `train`.

    Until it is full an image is stored and given back; then with probability ½ it takes the place of a
    random stored one, which is given back instead. Source: Shrivastava et al. 2017, as in
    junyanz/pytorch-CycleGAN-and-pix2pix util/image_pool.py.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.images: list[Tensor] = []

    def __call__(self, images: Tensor, draw: torch.Generator) -> Tensor:
        """For images (B, 3, H, W) as many, without gradients; `draw` is on the CPU."""
        if not self.capacity:
            return images.detach()
        return torch.stack([self._one(image, draw) for image in images.detach()])

    def _one(self, image: Tensor, draw: torch.Generator) -> Tensor:
        if len(self.images) < self.capacity:
            self.images.append(image.clone())
            return image
        chance, place = torch.rand(2, generator=draw, dtype=torch.float64).tolist()
        if chance >= 0.5:
            return image
        number = int(place * self.capacity)
        old, self.images[number] = self.images[number], image.clone()
        return old

    def state_dict(self) -> dict[str, Any]:
        return {"images": list(self.images)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.images = list(state["images"])

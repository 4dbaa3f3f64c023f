"""Spatial soft-argmax of private 1×1 filters, with the gradient written out.

Training this reading is a product of filters and features, a softmax over positions, an
expectation, and the way back. As separate autograd steps it stores several copies of the scores,
which at 50 filters per landmark are far larger than the features. Nothing couples two images
before the sum of their gradients, nor two landmarks at all, so the whole way there and back is done
for one block of images and landmarks while its scores are in the cache, and nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

#: Images per block and scores per block on a CPU: about 5 MB of float32, which stay in a last-level
#: cache. Constants, so that sums run in the same order whatever the memory of the machine.
CPU_IMAGES, CPU_SCORES = 4, 1_200_000
#: A CUDA device wants few large steps: about 0.5 GB of float32 scores.
CUDA_SCORES = 128_000_000


def grid(height: int, width: int, like: Tensor) -> Tensor:
    """(2, h·w) x and y of every position, linspace(-1, 1) along each axis, row by row."""
    x = torch.linspace(-1, 1, width, dtype=torch.float64).repeat(height)
    y = torch.linspace(-1, 1, height, dtype=torch.float64).repeat_interleave(width)
    return torch.stack([x, y]).to(like)


def product(a: Tensor, b: Tensor) -> Tensor:
    """a (M, K) times the transpose of b (N, K), giving (M, N).

    On CPUs a 1×1 convolution by oneDNN is the same float32 arithmetic at up to twice the speed of
    the matrix product by MKL, which holds back on processors not made by Intel.
    """
    if a.device.type == "cpu" and a.dtype == torch.float32 and torch.backends.mkldnn.is_available():
        rows, inner = a.shape
        image = a.contiguous().view(1, rows, 1, inner).permute(0, 3, 1, 2)
        kernel = b.contiguous().view(len(b), inner, 1, 1)
        out = torch.mkldnn_convolution(image, kernel, None, (0, 0), (1, 1), (1, 1), 1)
        return out.permute(0, 2, 3, 1).reshape(rows, len(b))
    return a @ b.t()


@dataclass
class Reading:
    """The parameters: filters (A, I, C) and linear (A, 2, 2I), and the temperature of the softmax.

    `linear` reads [x0, y0, x1, y1, …] of a landmark's I expected points.
    """

    filters: Tensor
    linear: Tensor
    temperature: float

    def points(self, features: Tensor) -> Tensor:
        """Landmarks (n, A, 2), (x, y) in [-1, 1], of features (n, C, h, w)."""
        where = grid(features.shape[2], features.shape[3], like=features)
        out = features.new_empty(len(features), len(self.filters), 2)
        for images, landmarks in self._blocks(features):
            block = features[images]
            positions = block.flatten(2).transpose(1, 2).flatten(0, 1)
            expected = self._expected(positions, len(block), landmarks, where)[1]
            out[images, landmarks] = self._combine(expected, landmarks).transpose(0, 1)
        return out

    def loss_and_gradient(
        self, features: Tensor, targets: Tensor, scale: float, backward: torch.dtype
    ) -> tuple[float, Tensor, Tensor]:
        """Mean smooth-L1 of scale·prediction against scale·target, and its gradients.

        Args:
            features: (n, C, h, w).
            targets: (n, A, 2), (x, y) in [-1, 1].
            scale: factor on both sides of the loss.
            backward: dtype of the factors of the last product, that of the filters' gradient;
                sums are float32 at least in any case.

        Returns: the loss, its gradient by filters (A, I, C) and by linear (A, 2, 2I).
        """
        where = grid(features.shape[2], features.shape[3], like=features)
        plane = torch.cat([where, torch.ones_like(where[:1])])
        by_filters, by_linear = torch.zeros_like(self.filters), torch.zeros_like(self.linear)
        loss = features.new_zeros((), dtype=torch.float64)
        previous = None
        for images, landmarks in self._blocks(features):
            if images != previous:
                block = features[images].flatten(2)
                positions = block.transpose(1, 2).flatten(0, 1).contiguous()
                by_channel = block.to(backward).transpose(0, 1).flatten(1)
                previous = images
            attention, expected = self._expected(positions, len(block), landmarks, where)
            wanted = targets[images, landmarks].transpose(0, 1)
            miss = scale * (self._combine(expected, landmarks) - wanted)
            size = miss.abs()
            loss += torch.where(size < 1, 0.5 * miss * miss, size - 0.5).sum()
            slope = miss.clamp(-1, 1) * (scale / targets.numel())
            by_linear[landmarks] += slope.transpose(1, 2) @ self._interleaved(expected)

            # d/dscore = T q (g·(position - expected)), with g the slope by the expected point: for
            # each filter and image a plane over the positions, times the attention.
            pull = (slope @ self.linear[landmarks]).unflatten(2, (-1, 2)).transpose(1, 2)
            offset = -(pull * expected).sum(-1, keepdim=True)
            by_score = torch.cat([pull, offset], dim=-1).flatten(0, 2) @ plane
            by_score = by_score.view_as(attention).mul_(attention).flatten(1)
            gradient = product(by_score.to(backward), by_channel)
            by_filters[landmarks] += self.temperature * gradient.to(features).view(
                -1, *self.filters.shape[1:]
            )
        return loss.item() / targets.numel(), by_filters, by_linear

    def _blocks(self, features: Tensor) -> Iterator[tuple[slice, slice]]:
        """Images by landmarks, so that the scores of a block stay within the budget."""
        n, positions = len(features), features.shape[2] * features.shape[3]
        per_landmark = self.filters.shape[1] * positions
        if features.device.type == "cpu":
            images, budget = CPU_IMAGES, CPU_SCORES
        else:
            budget = CUDA_SCORES
            images = max(1, min(n, budget // per_landmark))
        landmarks = max(1, budget // (images * per_landmark))
        for first in range(0, n, images):
            for landmark in range(0, len(self.filters), landmarks):
                yield (
                    slice(first, min(first + images, n)),
                    slice(landmark, min(landmark + landmarks, len(self.filters))),
                )

    def _expected(
        self, positions: Tensor, images: int, landmarks: slice, where: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Attention (L·I, n, h·w) and expected points (L, I, n, 2) of positions (n·h·w, C)."""
        filters = self.filters[landmarks].flatten(0, 1)
        scores = product(filters * self.temperature, positions).view(len(filters), images, -1)
        attention = torch.softmax(scores, dim=-1)
        expected = functional.linear(attention.flatten(0, 1), where)
        return attention, expected.view(-1, self.filters.shape[1], images, 2)

    @staticmethod
    def _interleaved(expected: Tensor) -> Tensor:
        """(L, n, 2I) as [x0, y0, x1, y1, …]."""
        return expected.transpose(1, 2).flatten(2)

    def _combine(self, expected: Tensor, landmarks: slice) -> Tensor:
        """Landmarks (L, n, 2) from expected points (L, I, n, 2)."""
        return self._interleaved(expected) @ self.linear[landmarks].transpose(1, 2)

"""Convolutions padded as TensorFlow's SAME, which networks that were trained there need."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class Same(nn.Conv2d):
    """A convolution whose output has ⌈H / stride⌉ rows; what is odd of the padding goes to the bottom
    and the right.

    Symmetric padding gives maps of the same size that lie elsewhere.
    """

    def forward(self, x: Tensor) -> Tensor:
        pad = []
        for axis in (-1, -2):
            size, kernel, stride = x.shape[axis], self.kernel_size[axis], self.stride[axis]
            missing = max(0, (-(-size // stride) - 1) * stride + kernel - size)
            pad += [missing // 2, missing - missing // 2]
        return super().forward(functional.pad(x, pad))

"""Bringing images to the size a network was trained on, by the rules that scores depend on.

On 512-pixel images the rules differ by tens of grey levels, and FID by more than methods do.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.contracts.errors import InvalidInput, UnknownName

if TYPE_CHECKING:
    import torch


def clean_resize(images: Any, size: int) -> np.ndarray:
    """Pillow's bicubic filter on each channel in float32, float32 (N, size, size, 3) in [0, 255], by
    clean-fid's own function.

    images: uint8 (N, H, W, 3), a NumPy array or a tensor. Antialiased when it shrinks, clipped to
    [0, 255], not rounded. Raises `InvalidInput` for other dtypes and shapes.

    Source: GaParmar/clean-fid 0.1.35, mode "clean"; Parmar et al. 2022.

    >>> clean_resize(np.full((1, 8, 6, 3), 7, np.uint8), 4).mean().item()
    7.0
    """
    import torch
    from cleanfid.resize import make_resizer

    resize, levels = make_resizer("PIL", False, "bicubic", (size, size)), require_images(images)
    if (count := torch.get_num_threads()) == 1:
        return np.stack([resize(image) for image in levels])
    # Pillow lets go of the interpreter's lock while it resizes, so threads do work at once
    with ThreadPoolExecutor(count) as threads:
        return np.stack(list(threads.map(resize, levels)))


def legacy_pytorch_resize(images: Any, size: int) -> np.ndarray:
    """torch's bilinear filter between pixel centres, not antialiased; else as `clean_resize`.

    Source: GaParmar/clean-fid 0.1.35, mode "legacy_pytorch", that is mseitzer/pytorch-fid.
    """
    import torch
    from torch.nn.functional import interpolate

    channels_first = torch.from_numpy(require_images(images).astype(np.float32, order="C")).permute(
        0, 3, 1, 2
    )
    resized = interpolate(channels_first, size=(size, size), mode="bilinear", align_corners=False)
    return np.ascontiguousarray(resized.permute(0, 2, 3, 1).clamp_(0, 255).numpy())


def legacy_tensorflow_resize(images: Any, size: int) -> np.ndarray:
    """TensorFlow 1's bilinear filter: top-left corners aligned, no half pixels, not antialiased.

    Pixel i of n reads at i · H / n of the image. Else as `clean_resize`.

    Source: what the 2015-12-05 Inception graph does to its input; clean-fid's "legacy_tensorflow".

    >>> row = np.array([0, 100], np.uint8)[None, None, :, None].repeat(3, 3)
    >>> legacy_tensorflow_resize(row, 4)[0, 0, :, 0]
    array([  0.,  50., 100., 100.], dtype=float32)
    """
    resized = require_images(images).astype(np.float32)
    for axis in (1, 2):
        resized = _lerp(resized, size, axis)
    return resized


def _lerp(images: np.ndarray, size: int, axis: int) -> np.ndarray:
    extent = images.shape[axis]
    position = np.arange(size, dtype=np.float32) * np.float32(extent / size)
    first = position.astype(np.int64)
    shape = [1] * images.ndim
    shape[axis] = size
    weight = (position - first.astype(np.float32)).reshape(shape)
    low = images.take(first, axis)
    return low + (images.take((first + 1).clip(max=extent - 1), axis) - low) * weight


RESIZERS: dict[str, Callable[[Any, int], np.ndarray]] = {
    "clean": clean_resize,
    "legacy_pytorch": legacy_pytorch_resize,
    "legacy_tensorflow": legacy_tensorflow_resize,
}


def resizer(mode: str) -> Callable[[Any, int], np.ndarray]:
    """The function of a named mode, or `UnknownName` that lists them."""
    if mode not in RESIZERS:
        raise UnknownName("resize mode", mode, RESIZERS)
    return RESIZERS[mode]


def require_images(images: Any) -> np.ndarray:
    """Stored images, a NumPy array or a tensor, as uint8 (N, H, W, 3); `InvalidInput` for others."""
    if hasattr(images, "detach"):
        tensor: torch.Tensor = images
        images = tensor.detach().cpu().numpy()
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3 or 0 in images.shape:
        raise InvalidInput(
            f"images: expected uint8 (N, H, W, 3), got {images.dtype} {images.shape}"
        )
    return images

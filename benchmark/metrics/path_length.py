"""How smoothly a generator's images change along paths in its latent space."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks

if TYPE_CHECKING:
    import torch

SPACES = ("w", "z")
SAMPLING = ("end", "full")


class PathGenerator(Protocol):
    """What a path needs of a generator; the `Generator` of the contracts has it."""

    @property
    def z_dim(self) -> int: ...
    @property
    def mapping(self) -> Callable[[torch.Tensor], torch.Tensor]: ...
    @property
    def synthesis(self) -> Callable[[torch.Tensor, int], torch.Tensor]: ...


def trimmed_mean(distances: Any) -> float:
    """Mean of the distances (N,) between their 1st and 99th percentile, both bounds included.

    The lower bound is rounded down to a distance that occurs, the upper one up. Unit as given.
    Raises `InvalidInput` for bad shapes, NaN and an empty array.

    Source: NVlabs/stylegan2-ada-pytorch@d72cc7d metrics/perceptual_path_length.py (torchmetrics
    rounds the upper bound down as well).

    >>> trimmed_mean([0.0, 1.0, 2.0, 300.0])
    75.75
    """
    (distances,) = checks.arrays(distances=(distances, "N"))
    return float(distances[within_percentiles(distances)].mean())


def within_percentiles(distances: Any) -> np.ndarray:
    """Which distances `trimmed_mean` keeps, bool (N,).

    >>> within_percentiles(np.arange(201.0)).sum()      # 2 .. 198 of 0 .. 200
    np.int64(197)
    """
    (distances,) = checks.arrays(distances=(distances, "N"))
    lower = np.percentile(distances, 1, method="lower")
    upper = np.percentile(distances, 99, method="higher")
    return (lower <= distances) & (distances <= upper)


def perceptual_path_length(
    generator: PathGenerator,
    distance: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    **options: Any,
) -> float:
    """Trimmed mean of `perceptual_path_distances`, which see; StyleGAN2's PPL by default.

    Source: as there.

    >>> import torch
    >>> class Ramp:                     # each image holds its w everywhere
    ...     z_dim = 1
    ...     mapping = staticmethod(lambda z: z[:, None, :])
    ...     synthesis = staticmethod(lambda w, seed: w[:, :, :, None].expand(-1, 3, 8, 8))
    >>> def squared(a, b): return (a - b).square().mean(dim=(1, 2, 3))
    >>> 1.5 < perceptual_path_length(Ramp(), squared, pairs=2000, epsilon=0.01, seed=0) < 2.0
    True
    """
    return trimmed_mean(perceptual_path_distances(generator, distance, **options))


def perceptual_path_distances(
    generator: PathGenerator,
    distance: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    *,
    pairs: int = 50_000,
    space: str = "w",
    sampling: str = "end",
    epsilon: float = 1e-4,
    crop: bool = False,
    batch: int = 8,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """distance(image at t, image at t + epsilon) / epsilon², one per path, float64 (pairs,).

    generator: `mapping` takes z (B, z_dim) to w (B, layers, w_dim), `synthesis` takes w and a noise
    seed to images (B, 3, H, W) in [-1, 1]; both ends of a path get the same noise. distance: two
    batches of such images to (B,); PPL takes LPIPS with VGG16, which is already a squared quantity.
    Images are neither clamped nor rounded (at epsilon 1e-4 rounding to uint8 would be all there
    is to see), and box-averaged down by H // 256 where that exceeds 1. space: linear in `w`, or
    along great circles of the unit sphere in `z` (whose mapping must then normalise z itself, as
    StyleGAN's does). sampling: t = 0 (`end`) or uniform in [0, 1) (`full`). crop: keep rows 3/8 to
    7/8 and columns 2/8 to 6/8, as for aligned faces. z and t come from NumPy's PCG64 and `seed`
    path by path, whatever the batch size; noise is drawn anew for each batch. Raises `InvalidInput`
    for unknown names, numbers that are not positive, and images or distances of the wrong shape or
    not finite.

    Source: NVlabs/stylegan2-ada-pytorch@d72cc7d metrics/perceptual_path_length.py, by default its
    `ppl2_wend`. With the same z and t all its five variants gave the same to 8e-8 at 64 and 256
    pixels, to 8e-6 at 512, where the order of float32 sums in the box average shows at epsilon 1e-4.
    Example: at `perceptual_path_length`.
    """
    import torch

    checks.one_of("space", space, SPACES)
    checks.one_of("sampling", sampling, SAMPLING)
    if not (pairs > 0 and batch > 0 and epsilon > 0):
        raise InvalidInput(
            f"pairs, batch and epsilon must be positive, got {pairs}, {batch} and {epsilon}"
        )
    found = []
    with torch.no_grad():
        for paths in drawn_paths(generator.z_dim, pairs, sampling, batch, seed):
            z, t = paths.ends.to(device), paths.at.to(device)
            near, far = (
                _prepare(generator.synthesis(w, paths.noise), crop)
                for w in codes_along(generator.mapping, z, t, (0.0, epsilon), space)
            )
            (apart,) = checks.arrays(distance=(distance(near, far), "B"))
            if apart.shape != (len(z),):
                raise InvalidInput(f"distance: expected shape ({len(z)},), got {apart.shape}")
            found.append(apart / epsilon**2)
    return np.concatenate(found)


class Paths(NamedTuple):
    """Some paths: their numbers, z at both ends (B, 2, z_dim), at which t (B,) in [0, 1) the step is
    taken, both float32 on the CPU, and the noise seed that they share."""

    rows: range
    ends: torch.Tensor
    at: torch.Tensor
    noise: int


def drawn_paths(z_dim: int, pairs: int, sampling: str, batch: int, seed: int) -> Iterator[Paths]:
    """The paths of `perceptual_path_distances` with these arguments, a batch at a time.

    >>> [paths.rows for paths in drawn_paths(2, 5, "end", 4, seed=0)]
    [range(0, 4), range(4, 5)]
    """
    import torch

    ends, along = (np.random.Generator(np.random.PCG64([seed, stream])) for stream in (0, 1))
    for first in range(0, pairs, batch):
        rows = range(first, min(first + batch, pairs))
        shape = (len(rows), 2, z_dim)
        z = torch.from_numpy(ends.standard_normal(shape, dtype=np.float32))
        t = torch.from_numpy(along.random(len(rows), dtype=np.float32))
        yield Paths(rows, z, t.zero_() if sampling == "end" else t, seed + first)


def codes_along(
    mapping: Callable[[torch.Tensor], torch.Tensor],
    z: torch.Tensor,
    t: torch.Tensor,
    further: Sequence[float],
    space: str,
) -> list[torch.Tensor]:
    """w (B, layers, w_dim) of paths at t (B,), and so much `further` along each: one for each of these.

    z (B, 2, z_dim) are the ends, at t = 0 and 1; spaces as in `perceptual_path_distances`.

    >>> import torch
    >>> z = torch.tensor([[[0.0], [10.0]]])
    >>> [w.item() for w in codes_along(lambda z: z[:, None], z, torch.zeros(1), (0.0, 0.5), "w")]
    [0.0, 5.0]
    """
    if space == "z":
        return [mapping(_great_circle(z[:, 0], z[:, 1], t + step)) for step in further]
    start, end = mapping(z[:, 0]), mapping(z[:, 1])
    t = t[:, None, None].to(start.dtype)
    return [start.lerp(end, t + step) for step in further]


def _great_circle(start: torch.Tensor, end: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    from torch.nn.functional import normalize

    start, end = normalize(start, dim=-1), normalize(end, dim=-1)
    cosine = (start * end).sum(dim=-1, keepdim=True)
    angle = t[:, None] * cosine.clamp(-1, 1).acos()
    across = normalize(end - cosine * start, dim=-1)
    return normalize(start * angle.cos() + across * angle.sin(), dim=-1)


def _prepare(images: torch.Tensor, crop: bool) -> torch.Tensor:
    from torch.nn.functional import avg_pool2d

    if images.ndim != 4 or images.shape[1] != 3:
        raise InvalidInput(f"images: expected shape (B, 3, H, W), got {tuple(images.shape)}")
    factor = images.shape[2] // 256
    if crop:
        eighth = images.shape[2] // 8
        images = images[:, :, 3 * eighth : 7 * eighth, 2 * eighth : 6 * eighth]
    return avg_pool2d(images, factor) if factor > 1 else images

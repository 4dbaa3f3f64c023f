"""What a method gives back: one frozen class per kind, each checking its own shapes.

Points are (x, y), float32, in pixels of the image given to `predict`; the centre of the top-left
pixel is (0, 0). A prediction with a wrong shape, a NaN or an infinity is refused when it is made, so
nothing after it has to ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import torch

from benchmark.contracts.errors import InvalidInput
from benchmark.contracts.images import to_bytes
from benchmark.contracts.spec import Kind

SHARE_NOISE = 64
"""How many successive generated images share a noise seed."""


def _require(tensor: Any, name: str, shape: str, kind: str) -> None:
    """Refuse what is not a finite tensor of `shape`, a word like "N K 2": letters match any size."""
    wanted = shape.split()
    if not isinstance(tensor, torch.Tensor):
        raise InvalidInput(f"{kind}.{name} must be a tensor ({shape}), got {type(tensor).__name__}")
    fits = tensor.ndim == len(wanted) and all(
        not w.isdigit() or int(w) == s for w, s in zip(wanted, tensor.shape, strict=True)
    )
    if not fits:
        got = tuple(tensor.shape)
        raise InvalidInput(f"{kind}.{name} must have shape ({', '.join(wanted)}), got {got}")
    if tensor.is_complex():
        raise InvalidInput(f"{kind}.{name} holds complex numbers, not real ones")
    if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
        broken = (~torch.isfinite(tensor)).reshape(len(tensor), -1).any(1).nonzero().flatten()
        raise InvalidInput(
            f"{kind}.{name} has NaN or infinity in {len(broken)} of {len(tensor)} items "
            f"(first: item {int(broken[0])} of this batch)",
            cure="a fit that diverged shows in the curves of the run's page; else look for a division "
            "by zero or a logarithm in predict",
        )


@dataclass(frozen=True)
class Prediction:
    """Common behaviour: `kind`, length, conversion to and from arrays, concatenation."""

    kind: ClassVar[Kind]

    def tensors(self) -> dict[str, torch.Tensor]:
        """The tensors of this prediction by field name."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in found.items() if isinstance(value, torch.Tensor)}

    def numbers(self) -> dict[str, float]:
        """The scalars of this prediction by field name."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in found.items() if isinstance(value, int | float)}

    def arrays(self) -> dict[str, np.ndarray]:
        """The tensors as NumPy arrays on the host, float32 kept."""
        return {k: v.detach().cpu().numpy() for k, v in self.tensors().items()}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], **numbers: float) -> Self:
        """The inverse of `arrays` and `numbers`."""
        return cls(**{k: torch.from_numpy(np.asarray(v)) for k, v in arrays.items()}, **numbers)

    def to(self, device: str) -> Self:
        """The same on a device; itself where it lies there already."""
        tensors = self.tensors()
        if all(tensor.device == torch.device(device) for tensor in tensors.values()):
            return self
        return replace(self, **{name: tensor.to(device) for name, tensor in tensors.items()})

    def __len__(self) -> int:
        return len(next(iter(self.tensors().values())))

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """One prediction for the images of all parts, in order."""
        if not parts:
            raise InvalidInput("cannot concatenate no predictions")
        names = parts[0].tensors()
        for name in names:
            shapes = {tuple(part.tensors()[name].shape[1:]) for part in parts}
            if len(shapes) > 1:
                raise InvalidInput(
                    f"{cls.__name__}.{name} is of shapes {' and '.join(map(str, sorted(shapes)))} for "
                    "different images",
                    cure="predict the same shape for every image",
                )
        joined = {name: torch.cat([p.tensors()[name] for p in parts]) for name in names}
        return cls(**joined, **parts[0].numbers())


@dataclass(frozen=True)
class Landmarks(Prediction):
    """K points in each image.

    `points` (N, K, 2) float32 (x, y) pixels; `confidence` (N, K) in [0, 1], or none.
    Example: `Landmarks(torch.tensor([[[47.5, 47.5]]]))` is one point in the middle of a 96-px image.
    """

    kind: ClassVar[Kind] = "landmarks"
    points: torch.Tensor
    confidence: torch.Tensor | None = None

    def __post_init__(self) -> None:
        _require(self.points, "points", "N K 2", "Landmarks")
        if self.confidence is not None:
            _require(self.confidence, "confidence", "N K", "Landmarks")


@dataclass(frozen=True)
class Parts(Prediction):
    """Which part each pixel belongs to: `probabilities` (N, K + 1, H, W), channel 0 background."""

    kind: ClassVar[Kind] = "parts"
    probabilities: torch.Tensor

    def __post_init__(self) -> None:
        _require(self.probabilities, "probabilities", "N K+1 H W", "Parts")
        if self.probabilities.shape[1] < 2:
            raise InvalidInput("Parts.probabilities needs a background and at least one part")
        low, high = self.probabilities.amin().item(), self.probabilities.amax().item()
        if low < -1e-4 or high > 1 + 1e-4:
            raise InvalidInput(
                f"Parts.probabilities must lie in [0, 1], got {low:.4g} to {high:.4g}"
            )

    def foreground(self) -> torch.Tensor:
        """bool (N, H, W): the most probable channel is not the background."""
        return self.probabilities.argmax(1) > 0


@dataclass(frozen=True)
class Descriptors(Prediction):
    """A descriptor at every cell of a grid that lies on the image.

    `maps` (N, C, h, w), float; the centre of cell (row i, column j) is the image point
    (offset + stride·j, offset + stride·i) in pixels. Example: 24×24 cells on a 96-px image have
    stride 4 and offset 1.5.
    """

    kind: ClassVar[Kind] = "descriptors"
    maps: torch.Tensor
    stride: float
    """Pixels from one cell's centre to the next."""
    offset: float
    """Pixel of the first cell's centre."""

    def __post_init__(self) -> None:
        _require(self.maps, "maps", "N C h w", "Descriptors")
        if self.stride <= 0:
            raise InvalidInput(f"Descriptors.stride must be positive, got {self.stride}")

    @classmethod
    def covering(cls, maps: torch.Tensor, size: int) -> Descriptors:
        """Maps whose h = w cells tile a square image of `size` pixels exactly."""
        stride = size / maps.shape[-1]
        return cls(maps, stride, (stride - 1) / 2)


@dataclass(frozen=True)
class ShapeAndPose(Prediction):
    """A point cloud and a camera rotation for each image.

    `points` (N, P, 3) in the object's canonical frame; `rotation` (N, 4) unit quaternions
    (w, x, y, z), canonical frame to camera: q p q* has the camera's axes in the order that the
    protocol names (`shape.camera_axes`).
    """

    kind: ClassVar[Kind] = "shape_and_pose"
    points: torch.Tensor
    rotation: torch.Tensor

    def __post_init__(self) -> None:
        _require(self.points, "points", "N P 3", "ShapeAndPose")
        _require(self.rotation, "rotation", "N 4", "ShapeAndPose")
        norm = self.rotation.double().norm(dim=-1)
        if bool(((norm - 1).abs() > 1e-3).any()):
            raise InvalidInput("ShapeAndPose.rotation must hold unit quaternions (w, x, y, z)")


@dataclass(frozen=True)
class Translation(Prediction):
    """An image for each image: `images` (N, 3, H, W) in [-1, 1] and `alpha` (N, 1, H, W) in [0, 1]:
    how much of each pixel the method repainted."""

    kind: ClassVar[Kind] = "translation"
    images: torch.Tensor
    alpha: torch.Tensor

    def __post_init__(self) -> None:
        _require(self.images, "images", "N 3 H W", "Translation")
        _require(self.alpha, "alpha", "N 1 H W", "Translation")
        if self.images.shape[-2:] != self.alpha.shape[-2:]:
            raise InvalidInput("Translation.images and .alpha differ in size")


class Draw(NamedTuple):
    """What a few generated images are made of."""

    rows: range
    """Their numbers in the stream."""
    z: torch.Tensor
    """Their z (B, z_dim), on the CPU."""
    noise: int
    """The noise seed that they share."""


@dataclass(frozen=True)
class Generator:
    """Images out of random numbers: z → w → image. Not a batch but a device, so it has no arrays.

    `mapping` takes z (B, z_dim) to w (B, layers, w_dim); `synthesis` takes w and a noise seed to
    images (B, 3, size, size) in [-1, 1]. The same z and noise seed give the same image. z is standard
    normal unless the generator brings its own `latents`: which z (B, z_dim) the images `range` of a
    seed have.
    """

    kind: ClassVar[Kind] = "generator"
    z_dim: int
    """Numbers in a latent."""
    layers: int
    """Layers that take a w of their own."""
    size: int
    """Side of the images, in pixels."""
    mapping: Callable[[torch.Tensor], torch.Tensor]
    synthesis: Callable[[torch.Tensor, int], torch.Tensor]
    latents: Callable[[int, range], torch.Tensor] | None = None

    def stream(
        self, count: int, seed: int, *, batch: int = 64, device: str = "cpu"
    ) -> Iterator[torch.Tensor]:
        """uint8 (B, 3, size, size) on `device`, as they are made, `count` in all.

        Image i depends on (seed, i), not on the batch size: z come in one order, and SHARE_NOISE
        successive images share a noise seed.
        """
        return self._stream(self.draws(count, seed, batch=batch), device)

    def _stream(self, draws: Iterator[Draw], device: str) -> Iterator[torch.Tensor]:
        for rows, z, noise in draws:
            images = self.synthesis(self.mapping(z.to(device)), noise)
            _require(images, "synthesis", f"{len(rows)} 3 {self.size} {self.size}", "Generator")
            yield to_bytes(images)

    def draws(self, count: int, seed: int, *, batch: int = 64) -> Iterator[Draw]:
        """What `stream` makes its images of, without making them: `Draw` after `Draw`."""
        if count < 1 or batch < 1:
            raise InvalidInput(f"cannot sample {count} images, {batch} at a time")
        return self._draws(count, seed, batch)

    def _draws(self, count: int, seed: int, batch: int) -> Iterator[Draw]:
        normal = np.random.Generator(np.random.PCG64(seed))
        first = 0
        while first < count:
            together = SHARE_NOISE - first % SHARE_NOISE
            rows = range(first, min(first + batch, first + together, count))
            if self.latents is None:
                z = torch.from_numpy(normal.standard_normal((len(rows), self.z_dim))).float()
            else:
                z = self.latents(seed, rows)
                _require(z, "latents", f"{len(rows)} {self.z_dim}", "Generator")
            yield Draw(rows, z, seed + first // SHARE_NOISE)
            first = rows.stop

    def sample(self, count: int, seed: int, *, batch: int = 64) -> torch.Tensor:
        """uint8 (count, 3, size, size) on the CPU: all of `stream` at once."""
        return torch.cat([images.cpu() for images in self.stream(count, seed, batch=batch)])


PREDICTIONS: dict[str, type[Prediction]] = {
    c.kind: c for c in (Landmarks, Parts, Descriptors, ShapeAndPose, Translation)
}

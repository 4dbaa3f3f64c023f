"""Thin-plate-spline and affine warps of images, and exactly where points go under them.

A warp is the map that `grid_sample` needs: for a position of the *warped* image it says where in the
*source* image to read. Following an annotated point from the source to the warped image is
therefore the inverse of that map; it is solved by Newton's method to far below a pixel instead of
being looked up at the nearest pixel. All geometry is float64: it costs little beside the images, and
neither TF32 nor autocast can touch it.

Positions are normalised as in the reference code: the centres of the first and the last pixel of an
axis lie at -1 and 1, in the image that is written. `align_corners` says how the image is read: True
with the same rule (the identity warp changes nothing), False with -1 and 1 at the outer edges of the
border pixels, which is what the reference code does by accident since PyTorch 1.3.
"""

from __future__ import annotations

import functools
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from benchmark.contracts.errors import InvalidInput

Variant = Literal["dve", "imm"]
Interpolation = Literal["bilinear", "nearest", "bicubic"]
Padding = Literal["zeros", "border", "reflection"]

_BASIS_ENTRIES = 8_000_000  # float64 entries of a basis held at once: 64 MB
_LATTICE = 21  # Newton starts at the best of 21 × 21 positions …
_LATTICE_REACH = 1.25  # … that reach a little beyond the image
_NEWTON_STEPS = 20  # some 5 are the rule; only points near folds use them up


class Transported(NamedTuple):
    """Points after a warp: `points` (N, P, 2) float64 pixels, `valid` (N, P) bool.

    Not valid: the point left the image, or the warp folds there and has no proper inverse.
    """

    points: Tensor
    valid: Tensor


def _extent(height: int, width: int, like: Tensor) -> Tensor:
    """(width, height) as a float64 tensor, refusing sizes without two pixels per axis."""
    if height < 2 or width < 2:
        raise InvalidInput(f"a warp needs at least 2 × 2 pixels, got {width} × {height}")
    return torch.tensor([width, height], dtype=torch.float64, device=like.device)


def _written(pixels: Tensor, extent: Tensor) -> Tensor:
    """Pixels of the warped image → normalised positions."""
    return 2.0 * pixels / (extent - 1.0) - 1.0


def _read(grid: Tensor, extent: Tensor, align_corners: bool) -> Tensor:
    """What `grid_sample` makes of normalised values: pixels of the source image."""
    if align_corners:
        return (grid + 1.0) / 2.0 * (extent - 1.0)
    return ((grid + 1.0) * extent - 1.0) / 2.0


def _unread(pixels: Tensor, extent: Tensor, align_corners: bool) -> Tensor:
    """The inverse of `_read`."""
    if align_corners:
        return 2.0 * pixels / (extent - 1.0) - 1.0
    return (2.0 * pixels + 1.0) / extent - 1.0


def _mesh(height: int, width: int, reach: float, device: torch.device) -> Tensor:
    """(height * width, 2) positions (x, y) of a regular lattice on [-reach, reach]², row by row."""
    y = torch.linspace(-reach, reach, height, dtype=torch.float64, device=device)
    x = torch.linspace(-reach, reach, width, dtype=torch.float64, device=device)
    yy, xx = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([xx, yy], dim=-1).reshape(-1, 2)


class Warp(ABC):
    """A batch of N warps. `height` and `width` are those of the image, before and after alike."""

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where the parameters are."""

    @abstractmethod
    def sampling_grid(self, height: int, width: int, align_corners: bool = True) -> Tensor:
        """Where each pixel of the warped image reads: (N, H, W, 2) float64 for `grid_sample`."""

    @abstractmethod
    def points_inverse(
        self, points: Tensor, height: int, width: int, align_corners: bool = True
    ) -> Tensor:
        """Where points of the warped image came from: (N, P, 2) pixels → (N, P, 2) float64 pixels.

        Exact everywhere, also outside the image. `points` may be (P, 2), the same for all warps.
        """

    @abstractmethod
    def _solve(
        self, points: Tensor, height: int, width: int, align_corners: bool
    ) -> tuple[Tensor, Tensor]:
        """Points of the warped image that read at `points` (N, P, 2), and whether one was found."""

    def points_forward(
        self, points: Tensor, height: int, width: int, align_corners: bool = True
    ) -> Transported:
        """Where points of the source land in the warped image, to 1e-4 pixels or better.

        `points` (N, P, 2) or (P, 2), pixels (x, y), centre of the top-left pixel (0, 0). Where a
        warp folds, a source point shows more than once; one of its places is given.

        Example: a warp that reads 3 pixels further right, `ThinPlateSpline.similarity([[6 / 63, 0]],
        [1], [0])`, takes the point (10, 5) of a 64 × 64 image to (7, 5), and (2, 5) out of it.
        """
        moved, found = self._solve(self._batched(points), height, width, align_corners)
        last = _extent(height, width, moved) - 1.0
        # A millionth of a pixel of slack: a point on the border stays valid under the identity.
        inside = ((moved >= -1e-6) & (moved <= last + 1e-6)).all(dim=-1)
        return Transported(moved, found & inside)

    def nearest_pixels(
        self, points: Tensor, height: int, width: int, align_corners: bool = True
    ) -> Tensor:
        """The pixel of the warped image that reads nearest to each point: (N, P, 2) whole numbers.

        This is the rule of DVE's code (utils/tps.py, `warp_keypoints`): it is up to half a pixel
        off, and a point that left the image gets the pixel that lies nearest. The first pixel row
        by row wins a tie. Use `points_forward` unless those numbers are wanted.
        """
        points = self._batched(points)
        extent = _extent(height, width, points)
        read = _read(self.sampling_grid(height, width, align_corners), extent, align_corners)
        flat = read.reshape(len(self), -1, 2)
        index = torch.stack(
            [
                torch.cdist(p, r, compute_mode="donot_use_mm_for_euclid_dist").argmin(dim=1)
                for p, r in zip(points, flat, strict=True)
            ]
        )
        return torch.stack([index % width, index // width], dim=-1).double()

    def warp(
        self,
        images: Tensor,
        mode: Interpolation = "bilinear",
        padding: Padding = "zeros",
        align_corners: bool = True,
    ) -> Tensor:
        """Warped images (N, C, H, W), same dtype and device; gradients flow to the images.

        One warp serves any number of images. "zeros" is mid-grey for images in [-1, 1].
        """
        if images.ndim != 4 or not images.is_floating_point():
            raise InvalidInput(
                f"images to warp must be floating point (N, C, H, W), got {images.dtype} "
                f"{tuple(images.shape)}",
                cure="turn stored uint8 images into floats with benchmark.contracts.images.to_signed",
            )
        if len(self) not in (1, len(images)):
            raise InvalidInput(f"{len(self)} warps do not fit {len(images)} images")
        height, width = images.shape[-2:]
        # Half precision cannot hold a position in an image; it is widened for the sampling only.
        precise = images.dtype if images.dtype == torch.float64 else torch.float32
        grid = self.sampling_grid(height, width, align_corners).to(images.device, precise)
        with torch.autocast(images.device.type, enabled=False):
            warped = functional.grid_sample(
                images.to(precise),
                grid.expand(len(images), -1, -1, -1),
                mode=mode,
                padding_mode=padding,
                align_corners=align_corners,
            )
        return warped.to(images.dtype)

    def _batched(self, points: Tensor) -> Tensor:
        """(N, P, 2) float64 on this warp's device, from (N, P, 2) or (P, 2)."""
        if points.ndim not in (2, 3) or points.shape[-1] != 2:
            raise InvalidInput(f"points must be (N, P, 2) or (P, 2), got {tuple(points.shape)}")
        if points.ndim == 3 and len(points) != len(self):
            raise InvalidInput(f"points of {len(points)} images do not fit {len(self)} warps")
        if not torch.isfinite(points).all():
            raise InvalidInput("points to warp hold NaN or infinity")
        points = points.to(self.device, torch.float64)
        return points.expand(len(self), -1, -1) if points.ndim == 2 else points


def _radial(squared: Tensor, variant: Variant) -> tuple[Tensor, Tensor]:
    """U(r²) and dU/d(r²): "dve" r² log(r² + 1e-5), "imm" r² log r² with r² at least 1e-8."""
    if variant == "dve":
        log = torch.log(squared + 1e-5)
        return squared * log, log + squared / (squared + 1e-5)
    clipped = squared.clamp_min(1e-8)
    log = torch.log(clipped)
    return clipped * log, torch.where(squared > 1e-8, log + 1.0, torch.zeros_like(log))


@functools.lru_cache(maxsize=8)
def _grid_basis(
    height: int, width: int, side: int, variant: Variant, device: torch.device
) -> Tensor:
    """(H * W, side² + 3): what the parameters of every warp of an image are multiplied with."""
    with torch.inference_mode(False), torch.no_grad():
        positions = _mesh(height, width, 1.0, device)
        offsets = positions[:, None] - _mesh(side, side, 1.0, device)
        radial, _ = _radial(offsets.square().sum(dim=-1), variant)
        return torch.cat([radial, torch.ones_like(positions[:, :1]), positions], dim=1)


@dataclass(frozen=True, eq=False)
class ThinPlateSpline(Warp):
    """N thin-plate splines: f(p) = Σ_k w_k U(|p − c_k|²) + affine_0 + [p_x, p_y] · affine_1..2.

    `weights` (N, K, 2), K a square: controls on a regular K^½ × K^½ lattice on [-1, 1]², row by row
    (K = 0: purely affine); `affine` (N, 3, 2): translation, then the rows that p_x and p_y are
    multiplied with. Normalised positions; kept as float64. `variant` names the radial function:
    "dve" (jamt9000/DVE@2085144 utils/tps.py) or "imm" (tomasjakab/imm utils/tps_sampler.py).

    Example: weights (8, 100, 2) and affine (8, 3, 2) warp images (8, 3, 96, 96).
    """

    weights: Tensor
    affine: Tensor
    variant: Variant = "dve"

    def __post_init__(self) -> None:
        n, k = self.weights.shape[:2] if self.weights.ndim == 3 else (-1, -1)
        if (
            self.weights.shape != (n, k, 2)
            or self.affine.shape != (n, 3, 2)
            or n < 1
            or math.isqrt(k) ** 2 != k
        ):
            raise InvalidInput(
                "a thin-plate spline needs weights (N, K, 2), K a square, and affine (N, 3, 2), "
                f"got {tuple(self.weights.shape)} and {tuple(self.affine.shape)}"
            )
        if self.variant not in ("dve", "imm"):
            raise InvalidInput(f"there is no thin-plate variant {self.variant!r}: dve, imm")
        if not (torch.isfinite(self.weights).all() and torch.isfinite(self.affine).all()):
            raise InvalidInput("the parameters of a warp hold NaN or infinity")
        object.__setattr__(self, "weights", self.weights.double())
        object.__setattr__(self, "affine", self.affine.to(self.weights.device, torch.float64))

    @classmethod
    def similarity(
        cls, translation: object, scale: object, rotation_degrees: object
    ) -> ThinPlateSpline:
        """Purely affine warps from translation (N, 2) in half image sizes, scale (N,), rotation (N,).

        The image is *read* at the moved positions: scale 2 reads a window twice as large, so that
        things look half as big.
        """
        moved = torch.as_tensor(np.asarray(translation, dtype=np.float64))
        scale = torch.as_tensor(np.asarray(scale, dtype=np.float64))
        angle = torch.deg2rad(torch.as_tensor(np.asarray(rotation_degrees, dtype=np.float64)))
        if moved.ndim != 2 or moved.shape != (*scale.shape, 2) or scale.shape != angle.shape:
            raise InvalidInput(
                "translation, scale and rotation must be (N, 2), (N,), (N,), got "
                f"{tuple(moved.shape)}, {tuple(scale.shape)}, {tuple(angle.shape)}"
            )
        cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
        rows = [moved, torch.stack([cos, -sin], dim=-1), torch.stack([sin, cos], dim=-1)]
        affine = torch.stack(rows, dim=1)
        return cls(affine.new_zeros(len(affine), 0, 2), affine)

    @classmethod
    def identity(cls, count: int = 1) -> ThinPlateSpline:
        """`count` warps that change nothing."""
        return cls.similarity(np.zeros((count, 2)), np.ones(count), np.zeros(count))

    def __len__(self) -> int:
        return len(self.weights)

    def __getitem__(self, index: slice | Tensor | list[int]) -> ThinPlateSpline:
        """Some of the warps: a slice, a mask or a list, always as a batch."""
        return ThinPlateSpline(self.weights[index], self.affine[index], self.variant)

    @property
    def device(self) -> torch.device:
        return self.weights.device

    def to(self, device: torch.device | str) -> ThinPlateSpline:
        """The same warps on another device."""
        return ThinPlateSpline(self.weights.to(device), self.affine.to(device), self.variant)

    def evaluate(self, positions: Tensor) -> Tensor:
        """f at normalised positions (N, P, 2) → (N, P, 2) float64."""
        return self._pieces(positions, jacobian=False)[0]

    def sampling_grid(self, height: int, width: int, align_corners: bool = True) -> Tensor:
        _extent(height, width, self.weights)
        side = math.isqrt(self.weights.shape[1])
        basis = _grid_basis(height, width, side, self.variant, self.device)
        parameters = torch.cat([self.weights, self.affine], dim=1)  # (N, K + 3, 2)
        # One product for the whole batch: the basis is the same for every warp.
        flat = basis @ parameters.transpose(0, 1).reshape(basis.shape[1], -1)
        return flat.reshape(height, width, len(self), 2).permute(2, 0, 1, 3)

    def points_inverse(
        self, points: Tensor, height: int, width: int, align_corners: bool = True
    ) -> Tensor:
        points = self._batched(points)
        extent = _extent(height, width, points)
        return _read(self.evaluate(_written(points, extent)), extent, align_corners)

    @torch.no_grad()
    def _solve(
        self, points: Tensor, height: int, width: int, align_corners: bool
    ) -> tuple[Tensor, Tensor]:
        """Newton's method with step halving, from the best position of a coarse lattice."""
        extent = _extent(height, width, points)
        target = _unread(points, extent, align_corners)
        lattice = _mesh(_LATTICE, _LATTICE, _LATTICE_REACH, self.device)
        seen = self.evaluate(lattice.expand(len(self), -1, -1))
        position = lattice[torch.cdist(target, seen).argmin(dim=-1)]
        value, jacobian = self._pieces(position)
        error = (value - target).norm(dim=-1)
        damping = torch.ones_like(error)
        for _ in range(_NEWTON_STEPS):
            step = _solve_2x2(jacobian, target - value)
            arrived = torch.maximum(step.norm(dim=-1), error) < 1e-10
            if (arrived | (damping < 1e-3)).all():
                break
            candidate = position + damping[..., None] * step
            new_value, new_jacobian = self._pieces(candidate)
            new_error = (new_value - target).norm(dim=-1)
            better = new_error < error
            position = torch.where(better[..., None], candidate, position)
            value = torch.where(better[..., None], new_value, value)
            jacobian = torch.where(better[..., None, None], new_jacobian, jacobian)
            error = torch.where(better, new_error, error)
            damping = torch.where(better, (2.0 * damping).clamp_max(1.0), damping / 2.0)
        # The remaining Newton step estimates the error of the position, in pixels written.
        left = (_solve_2x2(jacobian, target - value) * (extent - 1.0) / 2.0).norm(dim=-1)
        upright = _determinant(jacobian) * _determinant(self.affine[:, None, 1:]) > 0
        found = (left < 1e-5) & (error * extent.max() / 2.0 < 1e-5) & upright
        return (position + 1.0) / 2.0 * (extent - 1.0), found

    def _pieces(self, positions: Tensor, jacobian: bool = True) -> tuple[Tensor, Tensor]:
        """f (N, P, 2) and its derivative (N, P, 2 of p, 2 of f), computed in bounded memory."""
        n, k = self.weights.shape[:2]
        rows = max(1, _BASIS_ENTRIES // max(1, positions.shape[1] * k * 2))
        values, slopes = [], []
        controls = _mesh(math.isqrt(k), math.isqrt(k), 1.0, self.device)
        for start in range(0, n, rows):
            part = slice(start, start + rows)
            here, weights, affine = positions[part], self.weights[part], self.affine[part]
            offsets = here[:, :, None] - controls  # (n, P, K, 2)
            radial, slope = _radial(offsets.square().sum(dim=-1), self.variant)
            values.append(radial @ weights + affine[:, :1] + here @ affine[:, 1:])
            if jacobian:
                bend = torch.einsum("npk,npki,nkj->npij", 2.0 * slope, offsets, weights)
                slopes.append(bend + affine[:, None, 1:])
        value = torch.cat(values)
        return value, torch.cat(slopes) if jacobian else value


def _determinant(matrix: Tensor) -> Tensor:
    return matrix[..., 0, 0] * matrix[..., 1, 1] - matrix[..., 0, 1] * matrix[..., 1, 0]


def _solve_2x2(jacobian: Tensor, residual: Tensor) -> Tensor:
    """dp with dp · J = residual, row vectors; huge but finite where J is singular."""
    determinant = _determinant(jacobian)
    safe = torch.where(determinant.abs() < 1e-12, torch.full_like(determinant, 1e-12), determinant)
    x, y = residual.unbind(dim=-1)
    dx = x * jacobian[..., 1, 1] - y * jacobian[..., 1, 0]
    dy = y * jacobian[..., 0, 0] - x * jacobian[..., 0, 1]
    return torch.stack([dx, dy], dim=-1) / safe[..., None]


@dataclass(frozen=True, eq=False)
class WarpChain(Warp):
    """`first`, then `second`, as one warp: reading once, nothing is blurred or cut twice.

    `second.warp(first.warp(images))` is what the references do; it interpolates twice.
    """

    first: Warp
    second: Warp

    def __post_init__(self) -> None:
        if len(self.first) != len(self.second):
            raise InvalidInput(f"{len(self.first)} warps cannot precede {len(self.second)}")

    def __len__(self) -> int:
        return len(self.first)

    @property
    def device(self) -> torch.device:
        return self.first.device

    def sampling_grid(self, height: int, width: int, align_corners: bool = True) -> Tensor:
        extent = _extent(height, width, torch.empty(0, device=self.device))
        read = _read(self.second.sampling_grid(height, width, align_corners), extent, align_corners)
        source = self.first.points_inverse(
            read.reshape(len(self), -1, 2), height, width, align_corners
        )
        return _unread(source, extent, align_corners).reshape(read.shape)

    def points_inverse(
        self, points: Tensor, height: int, width: int, align_corners: bool = True
    ) -> Tensor:
        between = self.second.points_inverse(points, height, width, align_corners)
        return self.first.points_inverse(between, height, width, align_corners)

    def _solve(
        self, points: Tensor, height: int, width: int, align_corners: bool
    ) -> tuple[Tensor, Tensor]:
        between, found_first = self.first._solve(points, height, width, align_corners)
        after, found_second = self.second._solve(between, height, width, align_corners)
        return after, found_first & found_second

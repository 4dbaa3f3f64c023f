"""The images that a method is given: pixels, never labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from benchmark.contracts.clouds import Clouds
from benchmark.contracts.errors import InvalidInput
from benchmark.contracts.spec import CameraAxes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch


def to_signed(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 (..., H, W) → float32 in [-1, 1]; 0 → -1, 255 → 1."""
    return pixels.float().div_(127.5).sub_(1.0)


def to_bytes(images: torch.Tensor) -> torch.Tensor:
    """Float (..., H, W) in [-1, 1] → uint8, rounded; what lies outside is clamped. Undoes `to_signed`.

    >>> import torch
    >>> to_bytes(torch.tensor([-1.0, 0.0, 1.0, 1.5])).tolist()
    [0, 128, 255, 255]
    """
    return images.float().add(1).mul(127.5).round().clamp(0, 255).byte()


@dataclass(frozen=True)
class Cameras:
    """From where each image was taken, granted only by protocols that say so.

    A point p of the object is at `rotation` p + `translation` in the frame of the camera, whose `axes`
    are those of the protocol (`shape.camera_axes`). `rotation` (N, 4) are unit quaternions (w, x, y, z),
    `translation` (N, 3) is in units of the object, `focal` (N,) the focal length in pixels of the image
    given; all are float32. The optical axis meets the image in its middle, with a margin or without,
    and pixels are square.

    Example: a camera of `shapenet_cars_cameras@1` stands 2 units from the middle of its car, of diagonal
    1, and sees it with a focal length of 240 pixels of 128.
    """

    rotation: np.ndarray
    translation: np.ndarray
    focal: np.ndarray
    axes: CameraAxes

    def __post_init__(self) -> None:
        if self.axes not in get_args(CameraAxes):
            raise InvalidInput(f"cameras: axes {self.axes!r} are none of {get_args(CameraAxes)}")
        count = len(self.rotation)
        for name, shape in (
            ("rotation", (count, 4)),
            ("translation", (count, 3)),
            ("focal", (count,)),
        ):
            array = getattr(self, name)
            if array.shape != shape or array.dtype != np.float32:
                raise InvalidInput(
                    f"cameras: {name} must be float32 {shape}, got {array.dtype} {array.shape}"
                )

    def __len__(self) -> int:
        return len(self.rotation)

    def project(self, row: int, points: np.ndarray, side: int) -> np.ndarray:
        """Where image `row`, `side` pixels wide, shows points (P, 3) of its object.

        Returns (x, y), float64 (P, 2), in pixels; the centre of the top-left one is (0, 0). This is
        what the fields mean: a pinhole camera. Points behind it have no place and come out as NaN.

        >>> still = np.array([[1, 0, 0, 0]], np.float32), np.array([[0, 0, 2]], np.float32)
        >>> camera = Cameras(*still, np.array([240], np.float32), "right_down_forward")
        >>> camera.project(0, np.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.0]]), 128).tolist()
        [[63.5, 63.5], [75.5, 63.5]]
        """
        w, *v = self.rotation[row].astype(np.float64)
        turned = points + 2 * np.cross(v, w * points + np.cross(v, points))
        seen = turned + self.translation[row]
        if self.axes == "forward_up_right":
            seen = seen[:, [2, 1, 0]] * np.array([1.0, -1.0, 1.0])
        depth = np.where(seen[:, 2:] > 0, seen[:, 2:], np.nan)
        found: np.ndarray = self.focal[row] * seen[:, :2] / depth + (side - 1) / 2
        return found


class Images:
    """A set of images without labels: all that `Method.fit` is given.

    `pixels` is uint8 (N, S + 2m, S + 2m, 3), usually memory-mapped. The middle S × S pixels are
    what predictions are asked on; the margin m around them (often 0) exists so that crops and warps
    need not invent pixels. The object holds no annotation and no identity: a method that keeps to it
    can't help being unsupervised.

    What a protocol grants beside pixels is here too, and None where it does not: `cameras`; `objects`
    int64 (N,), equal numbers for views of one object or frames of one clip; `silhouettes` uint8
    (N, S + 2m, S + 2m), how much of each pixel the object covers (255 all of it); `clouds`, the true
    surface of each image's object, in the data set's frame. `domains` are sets of
    other images, by the name that the protocol gives them, each with grants of its own:
    `images.domains["renders"].silhouettes`.

    `len(images)` is N. Example: 3,375 faces of the protocol `ytf5` are (3375, 136, 136, 3) with size 96,
    margin 20.
    """

    pixels: np.ndarray
    """uint8 (N, S + 2m, S + 2m, 3), read-only; `batch` gives tensors."""
    size: int
    """S, the side of what predictions are asked on, in pixels."""
    margin: int
    """m, the pixels around that on each side."""
    digest: str
    """sha256 of all that is seen here; it joins the identity of a fit."""
    cameras: Cameras | None
    objects: np.ndarray | None
    silhouettes: np.ndarray | None
    domains: Mapping[str, Images]
    clouds: Clouds | None

    def __init__(
        self,
        pixels: np.ndarray,
        size: int,
        digest: str,
        cameras: Cameras | None = None,
        objects: np.ndarray | None = None,
        silhouettes: np.ndarray | None = None,
        domains: Mapping[str, Images] | None = None,
        clouds: Clouds | None = None,
    ) -> None:
        if pixels.ndim != 4 or pixels.shape[-1] != 3 or pixels.dtype != np.uint8:
            raise InvalidInput(
                f"images must be uint8 (N, H, W, 3), got {pixels.dtype} {pixels.shape}"
            )
        height, width = pixels.shape[1:3]
        if height != width or height < size or (height - size) % 2:
            raise InvalidInput(
                f"images of {width}×{height} pixels cannot hold a centred square of {size}"
            )
        if cameras is not None and len(cameras) != len(pixels):
            raise InvalidInput(f"{len(cameras)} cameras for {len(pixels)} images")
        if clouds is not None and len(clouds) != len(pixels):
            raise InvalidInput(f"{len(clouds)} clouds for {len(pixels)} images")
        if objects is not None and objects.shape != pixels.shape[:1]:
            raise InvalidInput(f"objects must be {pixels.shape[:1]}, got {objects.shape}")
        if silhouettes is not None and (
            silhouettes.shape != pixels.shape[:3] or silhouettes.dtype != np.uint8
        ):
            raise InvalidInput(
                f"silhouettes must be uint8 {pixels.shape[:3]}, got {silhouettes.dtype} "
                f"{silhouettes.shape}"
            )
        self.pixels = pixels
        self.size = size
        self.margin = (height - size) // 2
        self.digest = digest
        self.cameras = cameras
        self.objects = objects
        self.silhouettes = silhouettes
        self.domains = dict(domains or {})
        self.clouds = clouds

    def __len__(self) -> int:
        return len(self.pixels)

    def batch(
        self, indices: Sequence[int] | np.ndarray | slice, *, margin: bool = False
    ) -> torch.Tensor:
        """uint8 (B, 3, S, S), or with `margin=True` (B, 3, S + 2m, S + 2m)."""
        import torch  # here, for what only looks a run up or prepares data needs none

        chosen = self.pixels[indices]
        if not margin and self.margin:
            m = self.margin
            chosen = chosen[:, m:-m, m:-m]
        # a copy: the memory map is read-only, and a tensor must not be
        return torch.from_numpy(np.array(chosen, order="C")).permute(0, 3, 1, 2)

    def tensor(self, *, margin: bool = True) -> torch.Tensor:
        """All images at once, uint8 (N, 3, H, W); for sets that fit in memory."""
        return self.batch(slice(None), margin=margin)

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name, those of a domain under "NAME/"; with `words`, all there is here."""
        found = {"pixels": self.pixels, "objects": self.objects, "silhouettes": self.silhouettes}
        if self.cameras is not None:
            found |= {name: getattr(self.cameras, name) for name in CAMERA_ARRAYS}
        if self.clouds is not None:
            found |= {"cloud_points": self.clouds.points, "cloud_extent": self.clouds.extent}
        present = {name: array for name, array in found.items() if array is not None}
        for domain, images in self.domains.items():
            present |= {f"{domain}/{name}": array for name, array in images.arrays().items()}
        return present

    def words(self) -> dict[str, Any]:
        """What is no array: size, digest, axes of the cameras, and the domains'."""
        return {
            "size": self.size,
            "digest": self.digest,
            "axes": self.cameras.axes if self.cameras else None,
            "domains": {name: images.words() for name, images in self.domains.items()},
        }

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], words: Mapping[str, Any]) -> Images:
        """The inverse of `arrays` and `words`."""
        own: dict[str, Any] = {n: array for n, array in arrays.items() if "/" not in n}
        if words.get("axes"):
            pose = {name: own.pop(name) for name in CAMERA_ARRAYS}
            own["cameras"] = Cameras(**pose, axes=words["axes"])
        if "cloud_points" in own:
            own["clouds"] = Clouds(own.pop("cloud_points"), own.pop("cloud_extent"))
        domains = {
            domain: cls.of(
                {n.partition("/")[2]: a for n, a in arrays.items() if n.startswith(f"{domain}/")},
                about,
            )
            for domain, about in words.get("domains", {}).items()
        }
        return cls(size=words["size"], digest=words["digest"], domains=domains, **own)


CAMERA_ARRAYS = ("rotation", "translation", "focal")

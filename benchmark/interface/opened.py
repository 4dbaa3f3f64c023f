"""A protocol's images and labels as arrays, or as a torch `Dataset`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch.utils.data import Dataset

from benchmark.contracts.clouds import Clouds
from benchmark.contracts.errors import Incompatible, UnknownName
from benchmark.contracts.images import Images, to_signed
from benchmark.contracts.names import DOMAIN
from benchmark.datasets.opening import open_split
from benchmark.datasets.prepared import PreparedSplit
from benchmark.interface.progress import make_progress
from benchmark.protocols import Protocol
from benchmark.protocols.data import ROLES
from benchmark.registry.protocols import find_protocol
from benchmark.tasks.landmark_regression import annotation


def protocol(name: str, *, twin: bool = False, quiet: bool = False) -> OpenProtocol:
    """A protocol, `id` (its newest version) or `id@version`, on real data or on its rendered `twin`.

    Nothing is opened before a split is asked for; then what is not prepared yet is, with progress on
    standard error unless `quiet`. Raises `UnknownName`, and `Incompatible` where it has no twin.

    Example: `protocol("ytf5").split("test").images.shape` is (857, 96, 96, 3).
    """
    found = find_protocol(name)
    if twin and found.twin is None:
        raise Incompatible(f"protocol {found.name} has no twin")
    return OpenProtocol(found, twin, quiet)


@dataclass(frozen=True)
class OpenProtocol:
    """A protocol whose splits can be opened.

    `file` is all that its TOML file says, `twin` whether rendered images stand for the real ones.
    """

    file: Protocol = field(repr=False)
    twin: bool
    quiet: bool = field(repr=False)

    def __repr__(self) -> str:
        return f"<{self.name}{' (twin)' if self.twin else ''}: {', '.join(self.roles)}>"

    @property
    def name(self) -> str:
        """For example "ytf5@1"."""
        return self.file.name

    @property
    def size(self) -> int:
        """S, the side of the images that predictions are asked on, in pixels."""
        return self.file.size

    @property
    def roles(self) -> tuple[str, ...]:
        """The splits there are, by what they are for: "fit" (all that methods see), "train" (of the
        probe), "test", "validation", "development", "domains.NAME"."""
        data = self.file.data
        return tuple(role for role in (*ROLES, *data.domain_roles) if data.split(role))

    def split(self, role: str) -> Split:
        """The images of a role, and their labels. Raises `UnknownName`, `DataMissing`.

        Labels of "test" are here to measure with. A method, a probe or a choice of settings that saw
        them has no result: choose on "validation".
        """
        if role not in self.roles:
            raise UnknownName(f"split of {self.name}", role, self.roles)
        with closing(make_progress(self.quiet)) as progress:
            found = open_split(self.file, role, twin=self.twin, progress=progress)
        return Split(self.file, role, found)


@dataclass(frozen=True)
class Split:
    """Images and their labels, in one order; `len(split)` is N.

    `prepared` is what bench itself works with: folder, digests, identities.
    """

    file: Protocol = field(repr=False)
    role: str
    prepared: PreparedSplit = field(repr=False)

    def __len__(self) -> int:
        return len(self.prepared)

    @property
    def with_margin(self) -> np.ndarray:
        """uint8 (N, S + 2m, S + 2m, 3), memory-mapped: with the m pixels around the middle square that
        methods may cut and warp with."""
        return self.prepared.pixels.view(np.ndarray)

    @property
    def images(self) -> np.ndarray:
        """uint8 (N, S, S, 3), memory-mapped: the middle square, on which predictions are asked."""
        m = (self.prepared.pixels.shape[1] - self.prepared.size) // 2
        return self.with_margin[:, m : m + self.prepared.size, m : m + self.prepared.size]

    @property
    def keys(self) -> list[str]:
        """The name of each image in its data set."""
        return self.prepared.keys

    @property
    def identities(self) -> list[str]:
        """The person, object or species that each image shows."""
        return self.prepared.identities

    @cached_property
    def labels(self) -> Mapping[str, np.ndarray]:
        """What is annotated, by name; those that the protocol asks for are here.

        - "landmarks" float32 (N, K, 2): (x, y) in pixels of the middle square, the centre of its top
          left pixel (0, 0); those the protocol scores, or all points where it scores none
        - "visible" bool (N, K), which of them are annotated
        - "masks" uint8 (N, S, S): 1 foreground, 0 background, 255 not scored
        - "attributes" float32 (N, A)
        - "quaternions" float32 (N, 4), "translations" float32 (N, 3): from the object's frame to the
          camera's; "focals" float32 (N,), in widths of the picture
        - "silhouettes" uint8 (N, S + 2m, S + 2m), how much of a pixel the object covers, 255 all
        - "clips" int64 (N,), equal for frames of one clip
        """
        found = {name: array.view(np.ndarray) for name, array in self.prepared.labels.items()}
        if self.prepared.points is None or self.role.startswith(DOMAIN):
            return found
        if self.file.landmarks is None:
            return {"landmarks": self.prepared.points, **found}
        return {"landmarks": annotation(self.prepared, self.file).points, **found}

    @property
    def clouds(self) -> Clouds | None:
        """The true point cloud of the object in image i, `clouds[i]` float32 (P, 3), where there are."""
        return self.prepared.clouds

    def torch(self) -> TorchSplit:
        """The same for a `torch.utils.data.DataLoader`."""
        return TorchSplit(self)


class TorchSplit(Dataset[tuple[torch.Tensor, dict[str, torch.Tensor]]]):
    """Item i: image i, float32 (3, S, S) in [-1, 1] as methods are given it, and its labels by name."""

    def __init__(self, split: Split) -> None:
        self._images: Images = split.prepared.images()
        self._labels = split.labels

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        labels = {
            name: torch.as_tensor(array[index].copy()) for name, array in self._labels.items()
        }
        return to_signed(self._images.batch([index]))[0], labels

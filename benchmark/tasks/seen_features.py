"""Images as a frozen network sees them, into a file as they come: memory does not grow with them.

What is real is seen once: its features lie in `$BENCH_HOME/features`, under a digest of the pixels
and of all that the network depends on, so that other pixels in the same place can't be mistaken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmark.contracts.images import Images
from benchmark.contracts.method import Progress
from benchmark.files import made_once, require_room, whole_folder
from benchmark.home import home
from benchmark.networks.feature_networks import FeatureNetwork
from benchmark.protocols import canonical_digest

if TYPE_CHECKING:
    from benchmark.datasets.prepared import PreparedSplit

BATCH = 32


def write_features(
    networks: Mapping[Path, FeatureNetwork],
    batches: Iterable[torch.Tensor],
    count: int,
    stored: str,
    progress: Progress,
    stage: str,
) -> None:
    """Features (count, D) of uint8 batches (B, 3, H, W), in order, into a file (.npy) for each network.

    Each batch is made once and shown to all networks.
    """
    dtype = np.dtype(stored)
    files = {}
    for path, network in networks.items():
        require_room(path.parent, count * network.dimensions * dtype.itemsize, "the features")
        files[path] = np.lib.format.open_memmap(path, "w+", dtype, (count, network.dimensions))
    done = 0
    for images in batches:
        rows = slice(done, done + len(images))
        for path, network in networks.items():
            features = network.features(images.permute(0, 2, 3, 1))
            files[path][rows] = features.cpu().numpy().astype(dtype)
        done = rows.stop
        progress(stage, done, count)
    for file in files.values():
        file.flush()


def real_features(
    network: FeatureNetwork, split: PreparedSplit, stored: str, flips: bool, progress: Progress
) -> np.ndarray:
    """Features of a split's images, and of their mirror images with `flips`; memory-mapped."""
    about = {
        "pixels": split.pixels_digest,
        "size": split.size,
        "network": network.identity(),
        "stored": stored,
        "flips": flips,
    }
    folder = home() / "features" / canonical_digest(about)[:16]

    def look() -> None:
        images = split.images()
        count = len(images) * (2 if flips else 1)
        with whole_folder(folder) as temporary:
            networks = {temporary / "features.npy": network}
            how = (stored, progress, "look at real images")
            write_features(networks, _in_batches(images, flips), count, *how)

    made_once(folder, look)
    features: np.ndarray = np.load(folder / "features.npy", mmap_mode="r", allow_pickle=False)
    return features


def _in_batches(images: Images, flips: bool) -> Iterator[torch.Tensor]:
    for mirrored in (False, True) if flips else (False,):
        for first in range(0, len(images), BATCH):
            batch = images.batch(slice(first, first + BATCH))
            yield batch.flip(-1) if mirrored else batch

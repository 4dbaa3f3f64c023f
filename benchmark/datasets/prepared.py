"""Prepared splits: decoded, cropped and resized once, then opened as memory-mapped arrays.

A split lies in `$BENCH_HOME/prepared/<dataset>-v<version>-<geometry digest>/<split>/`: pixels.npy
(N, R, R, 3) uint8, points.npy (N, K, 2) float32 where there are points, samples.json (keys and
identities, and the images' files), image_digests.npy and manifest.json, which says what it was made
from and holds the digests. Labels that a protocol asks for beside the points lie in a file each, in a
folder whose name ends in theirs. `benchmark.datasets.preparing` makes splits of data sets,
`benchmark.datasets.rendered` renders them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import PIL

from benchmark.contracts.clouds import Clouds
from benchmark.contracts.errors import BenchError, DataAltered, InvalidInput, RecordTooNew
from benchmark.contracts.images import CAMERA_ARRAYS, Cameras, Images
from benchmark.contracts.spec import CameraAxes
from benchmark.datasets import unaltered
from benchmark.datasets.clouds import load_clouds, write_clouds
from benchmark.files import made_once, save_array, whole_folder, write_json
from benchmark.protocols import GRANT_LABELS, canonical_digest
from benchmark.version import __version__

FORMAT = 1
CHUNK = 512  # images in memory at a time; of 136 × 136 pixels, 28 MB
IMAGE_DIGEST = 16  # bytes
Progress = Callable[[int, int], None]

_preparing: ContextVar[bool] = ContextVar("preparing", default=True)


class NotPrepared(BenchError):
    """Images would have to be prepared first, where nothing is to be (`nothing_prepared`)."""


@contextmanager
def nothing_prepared() -> Iterator[None]:
    """Within it splits are opened as they lie, and nothing is written: `NotPrepared` for one that is
    not there, or would be made anew."""
    before = _preparing.set(False)
    try:
        yield
    finally:
        _preparing.reset(before)


@dataclass(frozen=True)
class PreparedSplit:
    """A split under one geometry.

    `pixels` uint8 (N, R, R, 3), memory-mapped; `points` float32 (N, K, 2) in pixels of the middle
    `size` × `size` square, or None; `identities` the person (or other group) of each image; `keys`
    its name in the data set; `source` which tree of files it was made from, where that is known.
    `labels` holds what the protocol asks for beside the points: "visible" bool (N, K), "masks" uint8
    (N, S, S) of the middle square (1 foreground, 255 not scored), "attributes" float32 (N, A),
    "quaternions" float32 (N, 4) and "translations" float32 (N, 3) from the canonical frame to the
    camera's, "focals" float32 (N,) in widths of the picture, "silhouettes" uint8 (N, R, R), "clips"
    int64 (N,), equal for frames of one clip. `clouds` are the true ones, if asked for. `files` names
    each image's file in its data set's folder `root`, `image_digests` uint8 (N, 16) tells equal images,
    `hidden` counts points that the data set says are not annotated; splits that an older bench prepared
    may lack these. A `part` holds some rows of what lies in `folder`.
    """

    folder: Path
    pixels: np.ndarray
    points: np.ndarray | None
    identities: list[str]
    keys: list[str]
    size: int
    pixels_digest: str
    labels_digest: str
    source: str | None = None
    labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    clouds: Clouds | None = None
    dataset: str = ""
    root: str = ""
    files: Sequence[str] = ()
    image_digests: np.ndarray | None = None
    hidden: int = 0
    part: bool = False

    def __len__(self) -> int:
        return len(self.pixels)

    def images(
        self,
        grants: Sequence[str] = (),
        axes: CameraAxes = "right_down_forward",
        domains: Mapping[str, Images] | None = None,
    ) -> Images:
        """The label-free view that methods are given; it does not say which file it maps.

        `grants` names what the protocol lets a method see beside pixels, `axes` those of its cameras,
        `domains` are the other images it lets it see; the digest covers them all. Without any of them it
        is that of the pixels.
        """
        granted: dict[str, np.ndarray] = {}
        if "views" in grants:
            numbers = {name: i for i, name in enumerate(dict.fromkeys(self.identities))}
            granted["objects"] = np.array([numbers[name] for name in self.identities])
        if "clips" in grants:
            granted["objects"] = self.labels["clips"].view(np.ndarray)
        if "silhouettes" in grants:
            granted["silhouettes"] = self.labels["silhouettes"].view(np.ndarray)
        cameras = None
        digests: dict[str, Any] = {name: array_digest(array) for name, array in granted.items()}
        if "cameras" in grants:
            rotation, translation, focal = (
                self.labels[name].view(np.ndarray) for name in GRANT_LABELS["cameras"]
            )
            side = np.float32(self.pixels.shape[1])
            cameras = Cameras(rotation, translation, focal * side, axes)
            digests |= {name: array_digest(getattr(cameras, name)) for name in CAMERA_ARRAYS}
            digests["axes"] = axes
        clouds = None
        if "clouds" in grants:
            if self.clouds is None:
                raise DataAltered(f"{self.folder} carries no point clouds")
            clouds = Clouds(self.clouds.points.view(np.ndarray), self.clouds.extent)
            digests["clouds"] = [array_digest(clouds.points), array_digest(clouds.extent)]
        if domains:
            digests["domains"] = {name: images.digest for name, images in domains.items()}
        digest = self.pixels_digest
        if digests:
            digest = canonical_digest({"pixels": digest, **digests})
        return Images(
            self.pixels.view(np.ndarray),
            self.size,
            digest,
            cameras,
            domains=domains,
            clouds=clouds,
            **granted,
        )

    def check(self) -> None:
        """`verify`, unless the files have the sizes and times that they had when it last passed."""
        if unaltered.known(self.folder) != unaltered.state_of(self.folder):
            self.verify()

    def verify(self) -> None:
        """Recompute both digests; raises DataAltered if one is not the manifest's."""
        state = unaltered.state_of(self.folder)
        found = {
            "pixels": array_digest(self.pixels),
            "labels": labels_digest(
                self.points, self.keys, self.identities, self.labels, self.clouds
            ),
        }
        stated = {"pixels": self.pixels_digest, "labels": self.labels_digest}
        for what, digest in found.items():
            if digest != stated[what]:
                raise _altered(
                    self.folder, f"its {what} have sha256 {digest[:12]}…, not {stated[what][:12]}…"
                )
        if not self.part:
            unaltered.remember(self.folder, state)


def array_digest(array: np.ndarray) -> str:
    """sha256 of dtype, shape and bytes (C order); reads a memory map piece by piece."""
    total = _digest_of_header(array.dtype, array.shape)
    for start in range(0, len(array), CHUNK):
        total.update(np.ascontiguousarray(array[start : start + CHUNK]).data)
    return total.hexdigest()


def labels_digest(
    points: np.ndarray | None,
    keys: list[str],
    identities: list[str],
    labels: Mapping[str, np.ndarray],
    clouds: Clouds | None = None,
) -> str:
    """sha256 of what is known of the images beside their pixels."""
    content: dict[str, Any] = {
        "points": None if points is None else array_digest(points),
        "keys": keys,
        "identities": identities,
    }
    if labels:
        content["labels"] = {name: array_digest(array) for name, array in labels.items()}
    if clouds is not None:
        content["clouds"] = [array_digest(clouds.points), array_digest(clouds.extent)]
    return canonical_digest(content)


def open_or_make(
    folder: Path,
    make: Callable[[], None],
    why_changed: Callable[[Mapping[str, Any]], str],
    note: Callable[[str], None] | None = None,
    *,
    anew: bool = False,
) -> PreparedSplit:
    """Open the split in `folder`, which `make` writes where it is not there, or not what it should be.

    `why_changed`, given the manifest, says why it is to be made anew, or ""; `anew` asks for it in any
    case; `note` is told why. What lies there is replaced when the new one is whole, not before.
    Raises `NotPrepared` where it would be made within `nothing_prepared`.
    """

    def why() -> str:
        if anew or not folder.exists():
            return "as was asked"
        return why_changed(read_manifest(folder))

    def make_again() -> None:
        if note and folder.exists():
            note(why())
        make()

    if not _preparing.get():
        if reason := "is not prepared yet" if not folder.exists() else why():
            raise NotPrepared(f"{folder}: {reason}", cure="`bench data prepare` prepares it")
        return load(folder)
    return load(made_once(folder, make_again, lambda: not why()))


def store(
    folder: Path,
    frames: Iterable[np.ndarray],
    shape: tuple[int, int, int, int],
    size: int,
    *,
    points: Callable[[], np.ndarray | None],
    labels: Callable[[], Mapping[str, np.ndarray]] = dict,
    cloud: Callable[[int], np.ndarray | None] | None = None,
    keys: list[str],
    identities: list[str],
    files: Sequence[str] = (),
    about: dict[str, Any],
    progress: Progress | None = None,
) -> None:
    """Write a prepared split whole, one frame after another, so that any number fits.

    `frames` are uint8 (R, R, 3), `shape` is (N, R, R, 3); `points` and `labels` are asked for once
    all frames were taken, `cloud` (of the object in an image) at the first image of each identity;
    `about` goes into the manifest.
    """
    with whole_folder(folder) as temporary:
        pixels = _digest_of_header(np.dtype(np.uint8), shape)
        each = bytearray()
        done = 0
        with (temporary / "pixels.npy").open("wb") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for done, frame in enumerate(frames, start=1):
                if frame.shape != shape[1:] or frame.dtype != np.uint8:
                    raise InvalidInput(
                        f"frame {done - 1}: {frame.dtype} {frame.shape}, not uint8 {shape[1:]}"
                    )
                data = frame.tobytes()
                pixels.update(data)
                each += hashlib.blake2b(data, digest_size=IMAGE_DIGEST).digest()
                file.write(data)
                if progress:
                    progress(done, shape[0])
        if not done == len(keys) == len(identities) == shape[0]:
            raise InvalidInput(f"{done} frames and {len(keys)} keys where {shape[0]} were expected")
        digests = np.frombuffer(each, np.uint8).reshape(-1, IMAGE_DIGEST)
        save_array(temporary / "image_digests.npy", digests)
        known, further = points(), dict(labels())
        if known is not None:
            save_array(temporary / "points.npy", known)
        for name, array in further.items():
            if len(array) != shape[0]:
                raise InvalidInput(f"{len(array)} rows of {name} for {shape[0]} images")
            save_array(temporary / f"{name}.npy", array)
        clouds = write_clouds(temporary, identities, cloud) if cloud else None
        samples = {"keys": keys, "identities": identities}
        write_json(temporary / "samples.json", samples | ({"files": list(files)} if files else {}))
        manifest = {
            "format": FORMAT,
            **about,
            "shape": list(shape),
            "size": size,
            "points": None if known is None else list(known.shape),
            "labels": {name: list(array.shape) for name, array in further.items()},
            "pixels_digest": pixels.hexdigest(),
            "labels_digest": labels_digest(known, keys, identities, further, clouds),
            "bench": __version__,
            "pillow": PIL.__version__,
        }
        if clouds is not None:
            manifest["clouds"] = list(clouds.points.shape)
        write_json(temporary / "manifest.json", manifest)


def read_manifest(folder: Path) -> dict[str, Any]:
    """What the manifest of a prepared split says; raises DataAltered, RecordTooNew."""
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
        newer = manifest["format"] > FORMAT
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _altered(folder, f"{type(error).__name__}: {error}") from None
    if newer:
        raise RecordTooNew(
            f"{folder} was prepared by bench {manifest.get('bench', '?')} in format "
            f"{manifest['format']}; this bench knows formats up to {FORMAT}",
            cure="update bench, or set BENCH_HOME to another folder",
        )
    return manifest


def load(folder: Path) -> PreparedSplit:
    """Open a prepared split that is there."""
    manifest = read_manifest(folder)
    try:
        samples = json.loads((folder / "samples.json").read_text("utf-8"))
        pixels = np.load(folder / "pixels.npy", mmap_mode="r", allow_pickle=False)
        points = None
        if manifest["points"] is not None:
            points = np.load(folder / "points.npy", allow_pickle=False)
        # manifests of older versions do not know of further labels
        asked = manifest.get("labels", {})
        labels = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in asked
        }
        each = None
        if (folder / "image_digests.npy").exists():
            each = np.load(folder / "image_digests.npy", allow_pickle=False)
        stated = (manifest["shape"], manifest["points"], asked)
        shapes = {name: list(array.shape) for name, array in labels.items()}
        if (list(pixels.shape), None if points is None else list(points.shape), shapes) != stated:
            raise ValueError("the arrays do not have the shapes that manifest.json states")
        return PreparedSplit(
            folder=folder,
            pixels=pixels,
            points=points,
            identities=samples["identities"],
            keys=samples["keys"],
            size=manifest["size"],
            pixels_digest=manifest["pixels_digest"],
            labels_digest=manifest["labels_digest"],
            source=manifest.get("source"),
            labels=labels,
            clouds=load_clouds(folder) if "clouds" in manifest else None,
            dataset=manifest.get("dataset", ""),
            root=manifest.get("made_from", {}).get("root", ""),
            files=samples.get("files", ()),
            image_digests=each,
            hidden=manifest.get("hidden", 0),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _altered(folder, f"{type(error).__name__}: {error}") from None


def _altered(folder: Path, problem: str) -> DataAltered:
    return DataAltered(
        f"the prepared split {folder} is not as it was written: {problem}",
        cure="delete that folder; the next run prepares it again",
    )


def _digest_of_header(dtype: np.dtype, shape: tuple[int, ...]) -> Any:
    return hashlib.sha256(f"{dtype.str} {tuple(int(n) for n in shape)}\n".encode())

"""Is the data set on this disk what its publisher ships? Counts, files, digests."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmark.contracts.dataset import DatasetSpec, Reader, Sample
from benchmark.contracts.errors import BenchError, DataAltered
from benchmark.datasets.geometry import read_image
from benchmark.datasets.places import reader_of, require, spec_of
from benchmark.datasets.prepared import Progress
from benchmark.datasets.preparing import stale
from benchmark.datasets.samples import samples_of
from benchmark.datasets.trees import TREES, hash_files, published, tree_digest, tree_name
from benchmark.image_files import image_size, is_there

SHOWN = 5


@dataclass(frozen=True)
class VerifyReport:
    """What was found. `tree` is the name of a known tree, the digest of an unknown one, or "" for
    data sets that are only counted; `counts` has the samples of each split that could be read, `stale`
    the folders of prepared splits that were made from something else, and why."""

    dataset: str
    root: Path
    tree: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    cure: str = ""
    stale: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Nothing is missing, altered or miscounted."""
        return not self.problems

    def require(self) -> None:
        """Raise DataAltered if something is wrong."""
        if self.problems:
            wanted = "published" if self.tree else "it should be"
            raise DataAltered(
                f"{self.dataset} in {self.root} is not as {wanted}:\n"
                + "\n".join(f"    {problem}" for problem in self.problems),
                cure=self.cure,
            )


def verify(dataset_id: str, *, progress: Progress | None = None) -> VerifyReport:
    """Check a data set that is on this disk; raises DataMissing if it is not.

    Every split is read and counted, and every image it names must be there. Where the digests of
    the files are known, the tree must be one of those known by name, and files that differ are
    named; where they are not, every image is decoded, of which `progress(done, total)` is told, and
    no annotated point may lie further from its image than that is long.
    """
    spec = spec_of(dataset_id)
    root = require(dataset_id)
    counts, samples, problems = _count(spec, reader_of(dataset_id, root))
    tree = ""
    if published(dataset_id):
        tree, differing = _compare(dataset_id, root)
        problems += differing
    else:
        broken = _undecodable(list(dict.fromkeys(s.path for s in samples)), progress)
        problems += _listed("can't be decoded", broken)
        whole = [s for s in samples if str(s.path) not in set(broken)]
        problems += _listed("points far from the image", dict.fromkeys(_misplaced(whole)))
    again = (
        f"delete {root} and run `bench data get {dataset_id}`"
        if spec.downloadable
        else f"put the files into {root} again as they were; the page of the data set is {spec.homepage}"
    )
    outdated = {str(folder): why for folder, why in stale(dataset_id).items()}
    return VerifyReport(
        dataset_id, root, tree, counts, tuple(problems), again if problems else "", outdated
    )


def _count(spec: DatasetSpec, reader: Reader) -> tuple[dict[str, int], list[Sample], list[str]]:
    """Samples per split, those whose image is there, and what is wrong."""
    counts: dict[str, int] = {}
    problems: list[str] = []
    images: dict[Path, bool] = {}
    found: list[Sample] = []
    for split in reader.splits:
        try:
            samples = samples_of(reader, split, spec.id)
        except BenchError as error:
            if error.message not in problems:  # splits share files
                problems.append(error.message)
            continue
        counts[split] = len(samples)
        expected = spec.expected.get(split, len(samples))
        if expected != len(samples):
            problems.append(f"{split}: expected {expected:,} samples, found {len(samples):,}")
        images.update((s.path, is_there(s.path)) for s in samples)
        found += samples
    problems += _listed(
        "listed but not there", [str(p) for p, there in images.items() if not there]
    )
    return counts, [s for s in found if images[s.path]], problems


def _misplaced(samples: Iterable[Sample]) -> Iterator[str]:
    """Names of samples one of whose points lies further from the image than that is long."""
    for sample in samples:
        if sample.points is None:
            continue
        shown = sample.points if sample.visible is None else sample.points[sample.visible]
        size = np.array(image_size(sample.path))
        apart = np.maximum(-shown, shown - size)
        if len(shown) and bool((apart > size.max()).any()):
            x, y = shown[np.argmax(apart.max(1))]
            yield f"{sample.key} ({x:.6g}, {y:.6g})"


def _compare(dataset_id: str, root: Path) -> tuple[str, list[str]]:
    stated = published(dataset_id)
    found = hash_files(root, list(stated))
    tree = tree_name(dataset_id, tree_digest(found))
    if tree in TREES[dataset_id]:
        return tree, []
    problems = _listed("missing", [path for path in stated if path not in found])
    altered = [path for path, digest in found.items() if digest[:32] != stated[path]]
    if len(altered) > len(stated) // 2:
        # Most files differ, so this is another encoding of the set. Of its images only those that
        # do not decode can be named; its other files should still be the publisher's.
        images = [path for path in altered if path.endswith(".jpg")]
        broken = {Path(path) for path in _undecodable([root / path for path in images])}
        altered = [p for p in altered if p not in images or root / p in broken]
    problems += _listed("altered", altered)
    if not problems:
        known = ", ".join(TREES[dataset_id])
        problems.append(f"the files have the digest {tree[:12]}…, which is none of: {known}")
    return tree, problems


def _undecodable(images: list[Path], progress: Progress | None = None) -> list[str]:
    def broken(path: Path) -> bool:
        try:
            read_image(path)
        except DataAltered:
            return True
        return False

    found = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, (path, is_broken) in enumerate(
            zip(images, pool.map(broken, images), strict=True), start=1
        ):
            if is_broken:
                found.append(str(path))
            if progress:
                progress(done, len(images))
    return found


def _listed(problem: str, names: Iterable[str]) -> list[str]:
    """One line that names the first few, or none."""
    ordered = sorted(names)
    if not ordered:
        return []
    more = f", and {len(ordered) - SHOWN:,} more" if len(ordered) > SHOWN else ""
    return [f"{problem}: {', '.join(ordered[:SHOWN])}{more}"]

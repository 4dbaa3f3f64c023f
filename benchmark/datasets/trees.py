"""Digests of whole data sets: the trees that are known by name, and the files as published.

A tree's digest is the sha256 of its lines `<sha256>  <path>\\n`, sorted by path, over the files the
reader reads. What else lies in the folder does not count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from benchmark.files import file_sha256

# data set → name of the tree → digest
TREES: Mapping[str, Mapping[str, str]] = {
    "ytf68": {
        "as-published": "0aad9d6152c915fa92e87950fabab75e58410f0ae476aa52ce85cbdbf9af381d",
        # The same pixels as JPEG of quality 90 without chroma subsampling, for small copies.
        "jpeg-90": "e1b2f944d0d12b459a438fe00a5ebd234555d95b7fa74bb24164bb0985bc901f",
    },
    "flowers17": {
        "as-published": "0cd1a59b514243655859671c21a53973054fe264b2fb323e5d52b83f5f78bcfb",
    },
}


@cache
def published(dataset_id: str) -> Mapping[str, str]:
    """Path → the first 32 digits of the sha256 of each file as published; empty where not known.

    The short digests name the file that differs; the whole tree has its full digest in `TREES`.
    """
    listing = Path(__file__).parent / "readers" / f"{dataset_id}_published.txt"
    if dataset_id not in TREES:
        return {}
    files: dict[str, str] = {}
    folder = ""
    for line in listing.read_text("utf-8").splitlines():
        if line.endswith("/"):
            folder = line
        else:
            digest, _, name = line.partition(" ")
            files[folder + name] = digest
    return files


def hash_files(root: Path, paths: list[str]) -> dict[str, str]:
    """Path → sha256, for those of `paths` (relative to `root`) that are there."""
    return {path: file_sha256(root / path) for path in paths if (root / path).is_file()}


def tree_digest(hashes: Mapping[str, str]) -> str:
    """The digest of a tree, from path → sha256."""
    text = "".join(f"{hashes[path]}  {path}\n" for path in sorted(hashes))
    return hashlib.sha256(text.encode()).hexdigest()


def tree_name(dataset_id: str, digest: str) -> str:
    """The name of a known tree, or the digest itself."""
    names = {known: name for name, known in TREES.get(dataset_id, {}).items()}
    return names.get(digest, digest)


def source_tree(dataset_id: str, root: Path) -> str | None:
    """Which tree lies under `root`, by name or digest; None for data sets without a list of files."""
    paths = list(published(dataset_id))
    if not paths:
        return None
    return tree_name(dataset_id, tree_digest(hash_files(root, paths)))

"""Files of predictions that were made elsewhere: what they hold, and whether that is what is asked for.

A file is an .npz, or a folder that holds the same arrays as .npy files (for maps larger than memory).
For each set of images that the protocol's task looks at (`Task.image_sets`) it holds `SET/keys` (N,),
the images' keys in any order, and beside it the arrays of one of `FORMS`, row by row. Generated images
have no keys: they are a folder of pictures, taken in the order of their names.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmark.contracts.errors import InvalidInput, listed
from benchmark.contracts.names import LONGEST_NAME, shown
from benchmark.contracts.predictions import (
    Descriptors,
    Landmarks,
    Parts,
    Prediction,
    ShapeAndPose,
    Translation,
)
from benchmark.contracts.spec import DERIVED, Kind
from benchmark.files import file_sha256
from benchmark.files import listed as files_in
from benchmark.records.model import External
from benchmark.tasks.views import ImageSet

Arrays = Mapping[str, np.ndarray]
AT_ONCE = 256  # rows looked at together
FAR = 0.25
"""How far outside the image a point may lie, as a share of its side: some annotated ones do."""
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True)
class Form:
    """One way of giving predictions of a kind.

    `arrays` maps names to axes: N images, S the image's side in pixels, others as the method has them,
    equal in all sets. `dtypes` are NumPy's letters for what they may be. `wrong` says which rows (n,)
    hold values that can't be, which `limits` puts into words; `read` makes the prediction of some rows
    for images of a side, given the highest number in all.
    """

    kind: Kind
    arrays: Mapping[str, str]
    dtypes: str
    limits: str
    wrong: Callable[[Arrays, int], np.ndarray]
    read: Callable[[Arrays, int, int], Prediction]


def _floats(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(array, np.float32))


def _one_hot(labels: np.ndarray, count: int) -> Parts:
    found = torch.nn.functional.one_hot(torch.from_numpy(np.array(labels, np.int64)), count)
    return Parts(found.permute(0, 3, 1, 2).float())


def _any(wrong: np.ndarray) -> np.ndarray:
    return np.asarray(wrong.reshape(len(wrong), -1).any(axis=1))


def _outside(points: np.ndarray, size: int) -> np.ndarray:
    far = FAR * size
    return _any((points < -0.5 - far) | (points > size - 0.5 + far))


def _turned(a: Arrays) -> np.ndarray:
    norm = np.linalg.norm(np.asarray(a["rotations"], np.float64), axis=-1)
    return np.asarray(np.abs(norm - 1) > 1e-3)


FORMS = (
    Form("landmarks", {"landmarks": "N K 2"}, "fiu",
         "(x, y) in pixels of the image, whose top left pixel has its centre at (0, 0)",
         lambda a, size: _outside(a["landmarks"], size),
         lambda a, size, _: Landmarks(_floats(a["landmarks"]))),
    Form("parts", {"parts": "N K S S"}, "f", "probabilities from 0 to 1, the background first",
         lambda a, _: _any((a["parts"] < -1e-3) | (a["parts"] > 1 + 1e-3)),
         lambda a, *_: Parts(_floats(a["parts"]))),
    Form("parts", {"labels": "N S S"}, "iu", "the number of each pixel's part, 0 the background",
         lambda a, _: _any(a["labels"] < 0),
         lambda a, _, highest: _one_hot(a["labels"], max(highest + 1, 2))),
    Form("parts", {"masks": "N S S"}, "biu", "1 in the foreground and 0 in the background",
         lambda a, _: _any((a["masks"] != 0) & (a["masks"] != 1)),
         lambda a, *_: _one_hot(a["masks"], 2)),
    Form("descriptors", {"maps": "N C H H"}, "f", "cells that tile the image",
         lambda a, _: np.zeros(len(a["maps"]), bool),
         lambda a, size, _: Descriptors.covering(_floats(a["maps"]), size)),
    Form("shape_and_pose", {"clouds": "N P 3", "rotations": "N 4"}, "f",
         "points in the object's own frame, and unit quaternions (w, x, y, z) from it to the camera",
         lambda a, _: _turned(a),
         lambda a, *_: ShapeAndPose(_floats(a["clouds"]),
                                    torch.from_numpy(np.array(a["rotations"], np.float64)))),
    Form("translation", {"alpha": "N S S"}, "f",
         "from 0 to 1, how much of each pixel was repainted; the images themselves count in no number",
         lambda a, _: _any((a["alpha"] < 0) | (a["alpha"] > 1)),
         lambda a, *_: _repainted(_floats(a["alpha"]))),
)  # fmt: skip
"""All ways of giving predictions, the fullest of a kind first."""


def _repainted(alpha: torch.Tensor) -> Translation:
    return Translation(torch.zeros(len(alpha), 3, *alpha.shape[-2:]), alpha[:, None])


def forms_for(kinds: Sequence[Kind]) -> list[Form]:
    """The forms that a protocol scores, its preferred kind first.

    >>> [list(form.arrays) for form in forms_for(["landmarks"])]
    [['landmarks'], ['parts'], ['labels'], ['masks']]
    """
    return [
        form
        for kind in kinds
        for form in FORMS
        if kind == form.kind or kind in DERIVED.get(form.kind, ())
    ]


@dataclass(frozen=True)
class Source:
    """Predictions of one set, checked: `rows` (N,) is where those of each of its images lie."""

    form: Form
    arrays: Arrays
    rows: np.ndarray
    size: int
    highest: int

    def prediction(self, images: slice) -> Prediction:
        """The prediction of some of the set's images."""
        found = {name: np.asarray(array[self.rows[images]]) for name, array in self.arrays.items()}
        return self.form.read(found, self.size, self.highest)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz in memory, or those below a folder, mapped, by names like "test/keys".

    Raises `InvalidInput` for what can't be read; nothing is unpickled.
    """
    try:
        if path.is_dir():
            return {
                p.relative_to(path).with_suffix("").as_posix(): np.load(p, mmap_mode="r")
                for p in files_in(path, "**/*.npy")
            }
        members = np.load(path, allow_pickle=False)
        if not isinstance(members, np.lib.npyio.NpzFile):
            raise ValueError("it is a single array")
        with members:
            return {name: members[name] for name in members.files}
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InvalidInput(
            f"{path} can't be read as predictions: {error}",
            cure="write it with numpy.savez, without objects; `bench score --template FILE` makes one",
        ) from None


def external(path: Path, made_by: str) -> External:
    """What a record says of the file; of a folder, the digest of the names and digests in it."""
    files = files_in(path, "**/*.*") if path.is_dir() else [path]
    digest = file_sha256(path) if path.is_file() else _folder_digest(path, files)
    size = sum(file.stat().st_size for file in files)
    name = shown(path.resolve().name, quote=False, most=LONGEST_NAME)
    return External(made_by=made_by, file=name, sha256=digest, bytes=size)


def _folder_digest(path: Path, files: Iterable[Path]) -> str:
    lines = (f"{p.relative_to(path).as_posix()} {file_sha256(p)}\n" for p in files if p.is_file())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def sources_of(
    arrays: Arrays, sets: Sequence[ImageSet], kinds: Sequence[Kind], size: int
) -> tuple[Form, list[Source]]:
    """The form that predictions came in, and the checked predictions of each set.

    Raises `InvalidInput`, which names up to 12 keys, for the first thing that is not as it should be: an
    array that is missing or that nobody asks for, keys that are missing, unknown or there twice, a shape
    or dtype, a value that is not finite or can't be.
    """
    form = _form(arrays, sets, kinds)
    known = {f"{images.name}/{name}" for images in sets for name in ("keys", *form.arrays)}
    if strange := arrays.keys() - known:
        raise InvalidInput(
            f"the file holds {listed(strange)}, which this protocol asks nothing of",
            cure=f"leave out what is not among {listed(known)}",
        )
    sides: dict[str, int] = {"S": size}
    return form, [_source(arrays, images, form, size, sides) for images in sets]


def _form(arrays: Arrays, sets: Sequence[ImageSet], kinds: Sequence[Kind]) -> Form:
    forms = forms_for(kinds)
    for form in forms:
        if any(all(f"{s.name}/{name}" in arrays for name in form.arrays) for s in sets):
            return form
    ways = (" and ".join(f"{sets[0].name}/{name}" for name in f.arrays) for f in forms)
    raise InvalidInput(
        f"the file holds {listed(arrays)}; this protocol scores {' or '.join(ways)}",
        cure="`bench score --template FILE` writes the keys, and says which arrays go beside them",
    )


def _source(
    arrays: Arrays, images: ImageSet, form: Form, size: int, sides: dict[str, int]
) -> Source:
    keys = _keys(arrays, images)
    found = {}
    for name, axes in form.arrays.items():
        full = f"{images.name}/{name}"
        if full not in arrays:
            raise InvalidInput(f"the file lacks {full}", cure=f"it holds {listed(arrays)}")
        found[name] = arrays[full]
        _require_shape(full, found[name], axes, form, {**sides, "N": len(keys)}, sides)
    highest = 0
    for first in range(0, len(keys), AT_ONCE):
        some = {name: np.asarray(array[first : first + AT_ONCE]) for name, array in found.items()}
        names = keys[first : first + AT_ONCE]
        for name, array in some.items():
            if array.dtype.kind == "f":
                bad = _any(~np.isfinite(array))
                _require(bad, names, f"{images.name}/{name} has NaN or infinity")
            if array.dtype.kind in "iu":
                highest = max(highest, int(array.max()))
        what = f"{images.name}/{'/'.join(form.arrays)} is not {form.limits} ({size} × {size} px),"
        _require(form.wrong(some, size), names, what)
    if form.kind == "landmarks" and _unit(found["landmarks"]):
        raise InvalidInput(
            f"all of {images.name}/landmarks lie within 1 px of the corner (0, 0)",
            cure=f"give pixels of the {size} × {size} image, not shares of its side",
        )
    place = {key: row for row, key in enumerate(keys)}
    rows = np.array([place[key] for key in images.keys])
    return Source(form, found, rows, size, highest)


def _unit(points: np.ndarray) -> bool:
    return bool(np.abs(points).max(initial=0) <= 1)


def _keys(arrays: Arrays, images: ImageSet) -> list[str]:
    """The file's keys of a set; each of the set's images has one, and no other has."""
    name = f"{images.name}/keys"
    cure = f"`bench data export` writes the {len(images):,} images of {images.name} with their keys"
    if name not in arrays:
        raise InvalidInput(f"the file lacks {name}; it holds {listed(arrays)}", cure=cure)
    array = arrays[name]
    if array.dtype.kind not in "US" or array.ndim != 1:
        raise InvalidInput(
            f"{name} is {array.dtype} {array.shape}, not a list of texts (N,)",
            cure="write numpy.array(list_of_keys)",
        )
    keys = [k.decode("utf-8", "replace") if isinstance(k, bytes) else k for k in array.tolist()]
    wanted, given = set(images.keys), set(keys)
    for what, some in (
        ("twice", [key for key, times in Counter(keys).items() if times > 1]),
        ("not", wanted - given),
        ("without being asked for", given - wanted),
    ):
        if some:
            raise InvalidInput(
                f"{len(some):,} keys are {what} in {name}: {listed(map(shown, some))}", cure=cure
            )
    return keys


def _require_shape(
    name: str,
    array: np.ndarray,
    axes: str,
    form: Form,
    known: Mapping[str, int],
    sides: dict[str, int],
) -> None:
    """Refuse another shape or dtype; letters that are met first are what they are from then on."""
    letters = axes.split()
    if array.dtype.kind not in form.dtypes:
        raise InvalidInput(f"{name} is of dtype {array.dtype}", cure=f"give {form.limits}")
    fits, met = array.ndim == len(letters), dict(known)
    for letter, side in zip(letters, array.shape, strict=False):
        wanted = int(letter) if letter.isdigit() else met.setdefault(letter, side)
        fits = fits and side == wanted and side > 0
    if not fits:
        expected = ", ".join(f"{a} = {met[a]}" if a in known else a for a in letters)
        raise InvalidInput(
            f"{name} has shape {array.shape}, not ({expected})", cure=f"give {form.limits}"
        )
    if letters == ["N", "K", "S", "S"] and array.shape[1] < 2:
        raise InvalidInput(
            f"{name} has one channel, not the background and at least one part",
            cure="put the background's probability first: 1 minus the sum of the others",
        )
    sides.update({letter: side for letter, side in met.items() if letter != "N"})


def _require(wrong: np.ndarray, keys: Sequence[str], what: str) -> None:
    if wrong.any():
        named = [keys[i] for i in np.flatnonzero(wrong).tolist()]
        raise InvalidInput(f"{what} for {len(named)} keys at least: {listed(map(shown, named))}",
                           cure="mend these predictions, or the frame they are given in")  # fmt: skip


def picture_files(path: Path) -> list[Path]:
    """The pictures of a folder, by name."""
    return [p for p in files_in(path, "**/*") if p.suffix.lower() in PICTURES]


def template(sets: Sequence[ImageSet], kinds: Sequence[Kind]) -> Iterator[tuple[str, str]]:
    """What a file may hold: arrays, and what they are, in words."""
    for images in sets:
        yield f"{images.name}/keys", f"({len(images)},) the images' keys, in any order"
    names = " and ".join(images.name for images in sets)
    for form in forms_for(kinds):
        arrays = ", ".join(f"SET/{n} ({', '.join(a.split())})" for n, a in form.arrays.items())
        yield arrays, f"{form.limits} (of {names})"

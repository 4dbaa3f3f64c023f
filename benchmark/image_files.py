"""Opening picture files: by formats named here alone, whole, in 8 bits, or not at all.

Pillow guesses a file's format from its content, and some of the formats it knows start other programs
(PostScript starts Ghostscript, whatever the file is called). What data sets ship is one of `FORMATS`.

A path may go on inside a zip, `faces.zip/00/a.png`: the picture is read there, and nothing is unpacked.
"""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TypeVar
from zipfile import ZipFile

from PIL import Image, ImageOps

from benchmark.contracts.errors import DataAltered

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
"""All of these Pillow decodes by itself."""

AGAIN = "put a whole file there again; of a data set, `bench data verify` names every such file"

LARGEST_ZIPPED = 256 * 2**20
"""Bytes of a picture's file in a zip; what says it is larger is no picture, and is not read."""

Found = TypeVar("Found")


def decode(
    path: Path, mode: str | dict[str, str], *, what: str = "image", upright: bool = False
) -> Image.Image:
    """The picture in a file, in the given Pillow mode ("RGB", "RGBA", "L").

    A dictionary says to which mode each of the file's becomes; one that it does not name is kept. Of
    several frames the first counts, an EXIF orientation only if it is to be `upright`.

    Raises `DataAltered`, naming the file, for one that is not there, is none of `FORMATS`, can't be
    decoded, or has more than 8 bits a channel where Pillow would cut them off.

    Example: `decode(Path("face.jpg"), "RGB").size` is (width, height).
    """

    def converted(image: Image.Image) -> Image.Image:
        wanted = mode if isinstance(mode, str) else mode.get(image.mode, image.mode)
        return (ImageOps.exif_transpose(image) if upright else image).convert(wanted)

    return _opened(path, converted, what)


def image_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture, which is not decoded; errors as `decode`."""
    return _opened(path, lambda image: image.size, "image")


def zip_of(path: Path) -> Path | None:
    """The zip inside which a path goes on; None where it leads to a file of its own.

    Example: `zip_of(Path("faces.zip/00/a.png"))` is `Path("faces.zip")`, if that is a file.
    """
    return next((p for p in path.parents if p.suffix.lower() == ".zip" and p.is_file()), None)


def is_there(path: Path) -> bool:
    """Whether a path leads to a file, on the disk or in a zip."""
    archive = zip_of(path)
    if archive is None:
        return path.is_file()
    try:
        _zip(archive).getinfo(_inside(archive, path))
    except KeyError:
        return False
    return True


def zipped(archive: Path) -> list[str]:
    """The names of all files in a zip, in its order; raises `DataAltered` for what is none, and for one
    that holds two files of one name."""
    try:
        names = [info.filename for info in _zip(archive).infolist() if not info.is_dir()]
    except Exception as error:  # BadZipFile, and what a damaged directory makes of it
        raise DataAltered(f"{archive} can't be read as a zip ({error})", cure=AGAIN) from None
    ((name, times),) = Counter(names).most_common(1) or [("", 0)]
    if times > 1:
        raise DataAltered(f"{archive} holds {name} {times} times", cure=AGAIN)
    return names


def _zip(archive: Path) -> ZipFile:
    about = archive.stat()
    return _open_zip(archive, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=4)
def _open_zip(archive: Path, size: int, changed: int) -> ZipFile:
    """Opened once: the directory of a zip of 70,000 pictures takes a second to read. Threads may share
    it."""
    return ZipFile(archive)


def _inside(archive: Path, path: Path) -> str:
    return path.relative_to(archive).as_posix()


def _source(path: Path, what: str) -> Path | BytesIO:
    """What Pillow opens: the file, or what a zip holds in its place."""
    archive = zip_of(path)
    if archive is None:
        # a pipe or a device would be waited for, or read without end
        if not stat.S_ISREG(path.stat().st_mode):
            raise DataAltered(f"the {what} {path} is no regular file", cure=AGAIN)
        return path
    try:
        about = _zip(archive).getinfo(_inside(archive, path))
    except KeyError:
        raise FileNotFoundError(path) from None
    if about.file_size > LARGEST_ZIPPED:
        raise ValueError(f"{about.file_size:,} bytes are no picture's")
    return BytesIO(_zip(archive).read(about))


def decode_held(content: bytes, mode: str, what: str) -> Image.Image:
    """A picture that another file holds (the texture of a mesh, say), in the given Pillow mode.

    `what` names it in errors, which are those of `decode`. Example: `decode_held(content, "RGB",
    "texture 0 of car.glb")`.
    """
    return _used(lambda: BytesIO(content), lambda image: image.convert(mode), what)


def _opened(path: Path, use: Callable[[Image.Image], Found], what: str) -> Found:
    return _used(lambda: _source(path, what), use, f"{what} {path}")


def _used(
    source: Callable[[], Path | BytesIO], use: Callable[[Image.Image], Found], named: str
) -> Found:
    try:
        with Image.open(source(), formats=FORMATS) as image:
            if image.mode.startswith(("I", "F")):
                raise DataAltered(
                    f"the {named} has values of more than 8 bits (mode {image.mode}); bench "
                    "reads 8 bits a channel and does not guess how others become them",
                    cure="write it with 8 bits a channel, values from 0 to 255",
                )
            return use(image)
    except (DataAltered, MemoryError):
        raise
    except FileNotFoundError:
        problem = "is not there"
    except Image.UnidentifiedImageError:
        problem = f"can't be decoded (it is none of {', '.join(FORMATS)}, or is damaged)"
    except Exception as error:  # decoders raise of every kind on damaged files
        problem = f"can't be decoded ({error})"
    raise DataAltered(f"the {named} {problem}", cure=AGAIN)

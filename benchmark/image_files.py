"""Opening picture files: by formats named here alone, whole, in 8 bits, or not at all.

Pillow guesses a file's format from its content, and some of the formats it knows start other programs
(PostScript starts Ghostscript, whatever the file is called). What data sets ship is one of `FORMATS`.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PIL import Image, ImageOps

from benchmark.contracts.errors import DataAltered

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
"""All of these Pillow decodes by itself."""

AGAIN = "put a whole file there again; of a data set, `bench data verify` names every such file"

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


def _opened(path: Path, use: Callable[[Image.Image], Found], what: str) -> Found:
    try:
        # a pipe or a device would be waited for, or read without end
        if not stat.S_ISREG(path.stat().st_mode):
            raise DataAltered(f"the {what} {path} is no regular file", cure=AGAIN)
        with Image.open(path, formats=FORMATS) as image:
            if image.mode.startswith(("I", "F")):
                raise DataAltered(
                    f"the {what} {path} has values of more than 8 bits (mode {image.mode}); bench "
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
    raise DataAltered(f"the {what} {path} {problem}", cure=AGAIN)

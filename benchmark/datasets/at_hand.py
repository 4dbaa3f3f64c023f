"""What records can't say of their test items and this machine can: the names of the files."""

from __future__ import annotations

import json

from benchmark.home import home
from benchmark.protocols import Protocol
from benchmark.records.model import DataPart


def item_keys(protocol: Protocol, part: DataPart) -> list[str]:
    """The keys of a split's images, in order, where it is prepared on this machine with these digests.

    Empty where it is not, and under protocols whose items are no images of the split (pairs of views).

    Example: of a record's `data["test"]` under `ytf5@1`, the keys of 857 frames.
    """
    if protocol.pairs is not None:
        return []
    for path in sorted((home() / "prepared").glob("*/*/manifest.json")):
        try:
            about = json.loads(path.read_text("utf-8"))
            if (about["pixels_digest"], about["labels_digest"]) == (part.pixels, part.labels):
                keys: list[str] = json.loads((path.parent / "samples.json").read_text("utf-8"))[
                    "keys"
                ]
                return keys if len(keys) == part.images else []
        except (OSError, ValueError, LookupError, TypeError):
            continue  # a split that is damaged names nothing; to use it says why
    return []

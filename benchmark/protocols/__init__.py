"""Protocols: data, split, geometry, probe and metric fixed to the last constant, one TOML per version.

A protocol's identity is its id, its version and the digest of its canonical content. Words (title,
notes, reported values) are not part of the digest, and neither is a field at its default, so that a
new optional field of this model leaves old digests alone. `protocols/digests.lock` holds the digests
of all versions: what was frozen can't change under its number.
"""

from benchmark.home import builtin_folder
from benchmark.protocols.data import NEEDED, Data, Geometry, Label
from benchmark.protocols.drafts import DRAFT, is_draft, is_path
from benchmark.protocols.files import (
    LOCK,
    Broken,
    ProtocolInvalid,
    freeze,
    is_frozen,
    lock_of,
    protocol_files,
    read_lock,
    read_protocol,
)
from benchmark.protocols.generation import Generation
from benchmark.protocols.model import (
    WORDS,
    Metric,
    Protocol,
    ReportedValue,
    Twin,
    canonical_digest,
)
from benchmark.protocols.papers import broken_files
from benchmark.protocols.scoring import (
    Alignment,
    Foreground,
    LandmarkRule,
    Limited,
    Pairs,
    Probe,
    Shape,
    Zoom,
)
from benchmark.registry.protocols import (
    all_protocols,
    find_protocol,
    protocol_folders,
    protocol_path,
)

__all__ = [
    "DRAFT", "LOCK", "NEEDED", "WORDS", "Alignment", "Broken", "Data", "Foreground", "Generation",
    "Geometry", "Label", "LandmarkRule", "Limited", "Metric", "Pairs", "Probe", "Protocol",
    "ProtocolInvalid", "ReportedValue", "Shape", "Twin", "Zoom", "all_protocols", "broken_files",
    "builtin_folder",
    "canonical_digest", "find_protocol", "freeze", "is_draft", "is_frozen", "is_path", "lock_of",
    "protocol_files", "protocol_folders", "protocol_path", "read_lock", "read_protocol",
]  # fmt: skip

"""Protocols: data, split, geometry, probe and metric fixed to the last constant, one TOML per version.

A protocol's identity is its id, its version and the digest of its canonical content. Words (title,
notes, reported values) are not part of the digest, and neither is a field at its default, so that a
new optional field of this model leaves old digests alone. `protocols/digests.lock` holds the digests
of all versions: what was frozen can't change under its number.
"""

from benchmark.protocols.data import GRANT_LABELS, Data, Geometry, Label
from benchmark.protocols.files import (
    LOCK,
    Broken,
    find_in,
    freeze,
    is_frozen,
    lock_of,
    path_in,
    protocol_files,
    protocols_in,
    read_lock,
    read_protocol,
    versions_of,
)
from benchmark.protocols.generation import Generation
from benchmark.protocols.model import (
    WORDS,
    Metric,
    Protocol,
    ProtocolInvalid,
    ReportedValue,
    Twin,
    canonical_digest,
)
from benchmark.protocols.papers import broken_files
from benchmark.protocols.scoring import (
    Alignment,
    CloudOutline,
    Foreground,
    LandmarkRule,
    Limited,
    Pairs,
    Probe,
    Shape,
    Zoom,
)

__all__ = [
    "GRANT_LABELS", "LOCK", "WORDS", "Alignment", "Broken", "CloudOutline", "Data", "Foreground",
    "Generation", "Geometry", "Label", "LandmarkRule", "Limited", "Metric", "Pairs", "Probe", "Protocol",
    "ProtocolInvalid", "ReportedValue", "Shape", "Twin", "Zoom", "broken_files", "canonical_digest",
    "find_in", "freeze", "is_frozen", "lock_of", "path_in", "protocol_files", "protocols_in",
    "read_lock", "read_protocol", "versions_of",
]  # fmt: skip

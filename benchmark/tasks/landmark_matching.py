"""Landmark matching: descriptors of a point in one view find that point in another, no probe between.

Pairs show the same image under two warps, or two identities. The error of a pair is the mean distance of
its matches from the true points, in percent of the distance of the target's eyes before any warp, or
in pixels. Points that a warp moves out of the image are left out of their pair, or asked for at the
border, as the protocol says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmark.contracts.errors import DataAltered, InvalidInput
from benchmark.contracts.images import Images
from benchmark.contracts.method import Progress
from benchmark.metrics.landmarks import inter_ocular_distance
from benchmark.metrics.matching import match_descriptors
from benchmark.protocols import LandmarkRule, Pairs, Protocol
from benchmark.protocols.scoring import Rounding
from benchmark.tasks.accepts import TASKS
from benchmark.tasks.base import Scores, Scoring, Task
from benchmark.tasks.groups import group_numbers
from benchmark.tasks.landmark_regression import targets
from benchmark.tasks.pairs import MatchingPairs, draw_matching_pairs, float32_grid
from benchmark.tasks.views import ImageSet, copy_keys
from benchmark.tasks.warped import levels

if TYPE_CHECKING:
    from benchmark.datasets.prepared import PreparedSplit

RENDERED_AT_ONCE = 64


class LandmarkMatching(Task):
    """Match landmarks between views of test images."""

    accepts = TASKS["landmark_matching"]

    def require(self, splits: Mapping[str, PreparedSplit], how: Scoring) -> None:
        split, protocol = splits["test"], how.protocol
        pairs = pairs_of(protocol, split)
        _require_digest(pairs, how)
        _in_units(np.zeros((len(pairs.pairs), 1)), pairs, split, protocol)
        _, visible = view_landmarks(pairs, split, protocol)
        _require_seen((visible[pairs.pairs[:, 0]] & visible[pairs.pairs[:, 1]]).any(1), protocol)

    def image_sets(self, splits: Mapping[str, PreparedSplit], protocol: Protocol) -> list[ImageSet]:
        split = splits["test"]
        pairs = pairs_of(protocol, split)
        return [
            ImageSet(
                "views",
                copy_keys(split, pairs.views[:, 0]),
                partial(render_views, pairs, split, protocol.section(Pairs).rounding),
                lambda: view_landmarks(pairs, split, protocol)[0],
            )
        ]

    def score(self, store: Path, splits: Mapping[str, PreparedSplit], how: Scoring) -> Scores:
        split, protocol = splits["test"], how.protocol
        rule = protocol.section(Pairs)
        pairs = pairs_of(protocol, split)
        _require_digest(pairs, how)
        points, visible = view_landmarks(pairs, split, protocol)
        maps = np.load(store / "views" / "maps.npy", mmap_mode="r")
        size = (protocol.size, protocol.size)
        asked = points.clip(0, protocol.size - 1) if rule.outside == "clamped" else points
        found = np.full((len(pairs.pairs), points.shape[1], 2), np.nan, np.float32)
        for i, (source, target) in enumerate(pairs.pairs):
            seen = visible[source] & visible[target]
            if seen.any():
                one, other = (
                    torch.from_numpy(np.array(maps[v])).to(how.device) for v in (source, target)
                )
                found[i, seen] = match_descriptors(one, other, asked[source][seen], rule.rule, size)
            if i % 50 == 49:
                how.progress("match", i + 1, len(pairs.pairs))
        distance = _distances(found, points, pairs)
        about: dict[str, Any] = {
            "name": f"match/{rule.rule}",
            "channels": int(maps.shape[1]),
            "points_left_out": int(np.isnan(distance).sum()),
        }
        return Scores(
            _by_kind(_in_units(distance, pairs, split, protocol), pairs, protocol),
            predictions={"matches": found},
            probe=about,
        )

    def groups(self, split: PreparedSplit, protocol: Protocol, metric: str) -> np.ndarray | None:
        """Pairs with one source identity; of the two identities of a pair only the first is drawn."""
        pairs = pairs_of(protocol, split)
        wanted = pairs.same if metric == "match_same" else ~pairs.same
        sources = pairs.views[pairs.pairs[wanted, 0], 0]
        return group_numbers([split.identities[image] for image in sources])

    def errors(
        self, kept: Mapping[str, np.ndarray], split: PreparedSplit, protocol: Protocol
    ) -> dict[str, np.ndarray]:
        """Both, where matches were kept; early runs kept none."""
        return _of_kept(kept, split, protocol, lambda distances: distances)

    def rounding(
        self, kept: Mapping[str, np.ndarray], split: PreparedSplit, protocol: Protocol
    ) -> dict[str, np.ndarray]:
        """Matches are kept as they are scored; their distances are float32."""
        return _of_kept(kept, split, protocol, np.spacing)


def _of_kept(
    kept: Mapping[str, np.ndarray],
    split: PreparedSplit,
    protocol: Protocol,
    read: Callable[[np.ndarray], np.ndarray],
) -> dict[str, np.ndarray]:
    """By metric, what is read from the distances of kept matches; nothing where none were kept."""
    if "matches" not in kept:
        return {}
    pairs = pairs_of(protocol, split)
    points, _ = view_landmarks(pairs, split, protocol)
    read_off = read(_distances(kept["matches"], points, pairs))
    return _by_kind(_in_units(read_off, pairs, split, protocol), pairs, protocol)


def _distances(found: np.ndarray, points: np.ndarray, pairs: MatchingPairs) -> np.ndarray:
    """Matches (P, K, 2) from the true points, in pixels (P, K) float32; NaN where there is no match."""
    distances: np.ndarray = np.linalg.norm(found - points[pairs.pairs[:, 1]], axis=-1)
    return distances


def _by_kind(scaled: np.ndarray, pairs: MatchingPairs, protocol: Protocol) -> dict[str, np.ndarray]:
    """Errors (P, K) → the mean of each pair, for pairs of views and pairs of identities."""
    _require_seen(~np.isnan(scaled).all(1), protocol)
    error = np.nanmean(scaled.astype(np.float64), axis=1)
    return {"match_different": error[~pairs.same], "match_same": error[pairs.same]}


def _require_seen(seen: np.ndarray, protocol: Protocol) -> None:
    """Refuse pairs (P,) of which some have no landmark inside both views: they have no error."""
    if not seen.all():
        raise InvalidInput(
            f"{int((~seen).sum())} of {len(seen)} pairs have no landmark inside both views, and "
            f"{protocol.name} leaves out landmarks that lie outside of one",
            cure='score under a protocol version whose pairs say outside = "clamped", draw the pairs '
            "from another seed, or crop the images wider",
        )


def pairs_of(protocol: Protocol, split: PreparedSplit) -> MatchingPairs:
    """The protocol's pairs on a split."""
    rule = protocol.section(Pairs)
    count = rule.count if rule.count <= len(split) else len(split) // 2
    # a data set that does not say who is who shows everybody once, as DVE takes it
    identities = split.identities if any(split.identities) else None
    return draw_matching_pairs(
        len(split), rule.seed, count=count, layout=rule.layout, identities=identities
    )


def _in_units(
    distance: np.ndarray, pairs: MatchingPairs, split: PreparedSplit, protocol: Protocol
) -> np.ndarray:
    """Errors (P, K) in pixels of the image → in the unit that the protocol names."""
    rule = protocol.section(Pairs)
    if rule.unit == "pixels":
        return distance * (rule.pixels[0] / rule.pixels[1])
    units = inter_ocular_distance(targets(split, protocol), protocol.section(LandmarkRule).unit)
    scaled: np.ndarray = 100 * distance / units[pairs.views[pairs.pairs[:, 1], 0]][:, None]
    return scaled


def _require_digest(pairs: MatchingPairs, how: Scoring) -> None:
    """On the real test images the pairs must be those the protocol states."""
    rule = how.protocol.section(Pairs)
    stated = rule.digest if how.on == "test" and not how.twin else pairs.digest
    if pairs.digest != stated:
        raise DataAltered(
            f"the pairs of {how.protocol.name} have digest {pairs.digest}, it states {stated or 'none'}",
            cure="state that digest in a new protocol; in a frozen one NumPy's generator or the split "
            "changed: compare versions with an older record",
        )


def view_landmarks(
    pairs: MatchingPairs, split: PreparedSplit, protocol: Protocol
) -> tuple[np.ndarray, np.ndarray]:
    """Landmarks (V, K, 2) float32 of each view's middle square, and whether they are scored (V, K).

    Scored are those that lie in it, and with outside "clamped" all of them.
    """
    images, rule = split.images(), protocol.section(Pairs)
    views = np.arange(len(pairs.views))
    points = torch.from_numpy(targets(split, protocol)[pairs.views[:, 0]]) + images.margin
    side = images.size + 2 * images.margin
    if rule.points == "exact":
        moved, valid = pairs.landmarks(views, points, side, side)
    else:
        moved = pairs.landmarks_to_pixels(views, points, side, side)
        valid = torch.ones(moved.shape[:2], dtype=torch.bool)
        moved = float32_grid(moved, side) if rule.points == "float32_grid" else moved
    inside = np.asarray(moved, np.float32) - np.float32(images.margin)
    if rule.outside == "clamped":
        return inside, np.ones(inside.shape[:2], bool)
    seen = np.asarray(valid) & ((inside >= 0) & (inside <= images.size - 1)).all(-1)
    return np.where(np.isfinite(inside), inside, 0).astype(np.float32), seen


def render_views(
    pairs: MatchingPairs, split: PreparedSplit, rounding: Rounding, progress: Progress
) -> Images:
    """All views as uint8 images with the margin of the split."""
    images = split.images()
    rendered = []
    for first in range(0, len(pairs.views), RENDERED_AT_ONCE):
        views = np.arange(first, min(first + RENDERED_AT_ONCE, len(pairs.views)))
        source = images.batch(pairs.views[views, 0], margin=True).float()
        view = levels(pairs.render(views, source), rounding)
        rendered.append(view.permute(0, 2, 3, 1).numpy())
        progress("render views", int(views[-1]) + 1, len(pairs.views))
    return Images(np.concatenate(rendered), images.size, f"views of {images.digest}")

"""What is wrong with the numbers in a protocol's sections: points, pairs, draws, views, images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from benchmark.contracts.errors import BenchError, UnknownName
from benchmark.protocols import Alignment, Limited, Protocol
from benchmark.protocols.generation import Generation
from benchmark.tasks.chosen import read_chosen

POINTS_OF_RULE = {"mafl5_from_68": 5}
"""How many points a rule makes, where that does not depend on the data."""


def section_faults(protocol: Protocol, folder: Path | None) -> Iterator[str]:
    """A sentence for each; `folder` holds the files beside the protocol, unless it is None."""
    for check in CHECKS:
        yield from check(protocol)
    if protocol.limited is not None and folder is not None:
        yield from _chosen(protocol.limited, folder)


def _landmarks(protocol: Protocol) -> Iterator[str]:
    rule = protocol.landmarks
    if rule is None:
        return
    made = POINTS_OF_RULE.get(rule.rule)
    if rule.count < 1 or made not in (None, rule.count):
        yield f"landmarks.count: rule {rule.rule!r} gives {made or 'a point or more'}, not {rule.count}"
    if rule.eyes and (
        rule.eyes[0] == rule.eyes[1] or not all(0 <= e < rule.count for e in rule.eyes)
    ):
        yield (
            f"landmarks.eyes: {list(rule.eyes)} must be two different points, counted from 0, of "
            f"{rule.count}"
        )
    if rule.most is not None and rule.most < 1:
        yield f"landmarks.most: {rule.most} lets no method give a point"


def _pairs(protocol: Protocol) -> Iterator[str]:
    rule, asked = protocol.pairs, protocol.landmarks
    if rule and asked and rule.unit == "inter_ocular" and asked.eyes is None:
        yield "pairs.unit 'inter_ocular' is the distance of two points: name them as landmarks.eyes"


def _zoom(protocol: Protocol) -> Iterator[str]:
    zoom = protocol.zoom
    if zoom is None:
        return
    for name in ("seen", "unseen"):
        low, high = getattr(zoom, name)
        if not 0 < low <= high:
            yield f"zoom.{name}: [{low}, {high}] must be two factors above 0, the smaller first"
    for metric in protocol.metrics:
        if metric.on not in ("seen", "unseen"):
            yield f"metric {metric.id}: on = {metric.on!r} must be 'seen' or 'unseen'"


def _limited(protocol: Protocol) -> Iterator[str]:
    limited = protocol.limited
    if limited is None:
        return
    if not limited.numbers or min(limited.numbers) < 1 or max(limited.numbers) > limited.images:
        yield (
            f"limited.numbers: {list(limited.numbers)} must lie in 1 to {limited.images}, the "
            "images of the training split"
        )
    wanted = [str(number) for number in limited.numbers]
    if [metric.on for metric in protocol.metrics] != wanted:
        yield (
            f"metrics: limited.numbers asks for one metric on each of {', '.join(wanted)}, in this "
            f"order; they are on {', '.join(m.on or 'none' for m in protocol.metrics)}"
        )


def _chosen(limited: Limited, folder: Path) -> Iterator[str]:
    try:
        chosen = read_chosen(folder / limited.chosen, limited.chosen_sha256)
    except (BenchError, ValueError) as error:
        fault = error.sentence if isinstance(error, BenchError) else f"{limited.chosen}: {error}"
        yield f"limited.chosen: {fault}"
        return
    for number in limited.numbers:
        for repeat in range(limited.repeats):
            rows = chosen.get((number, repeat), ())
            if len(set(rows)) != number or not all(0 <= row < limited.images for row in rows):
                yield (
                    f"limited.chosen: {limited.chosen} must name {number} different rows below "
                    f"{limited.images} for number {number}, repeat {repeat}"
                )


def _shape(protocol: Protocol) -> Iterator[str]:
    shape, twin = protocol.shape, protocol.twin
    if shape is not None:
        yield from _alignment("shape.alignment", shape.alignment, shape.views)
        if twin is not None and twin.alignment is not None:
            yield from _alignment("twin.alignment", twin.alignment, shape.views)
    elif twin is not None and twin.alignment is not None:
        yield f"section [twin.alignment] is not read by {protocol.task}"


def _alignment(place: str, rule: Alignment, views: int) -> Iterator[str]:
    if rule.keep_models > rule.models:
        yield f"{place}.keep_models: {rule.keep_models} of {rule.models} models can't be kept"
    if rule.keep_views > views:
        yield f"{place}.keep_views: {rule.keep_views} of {views} views can't be kept"


def _foreground(protocol: Protocol) -> Iterator[str]:
    rule = protocol.foreground
    if rule is None:
        return
    if "translation" in protocol.needs and rule.alpha is None:
        yield "foreground.alpha is lacking: it makes a mask of a 'translation', which needs holds"
    clouds = rule.clouds
    if "shape_and_pose" in protocol.needs and clouds is None:
        yield (
            "section [foreground.clouds] is lacking: it makes a mask of a 'shape_and_pose', which "
            "needs holds"
        )
    if clouds is not None and "shape_and_pose" not in protocol.needs:
        yield "section [foreground.clouds] is not read: needs holds no 'shape_and_pose'"
    if clouds is not None and clouds.grid % protocol.size:
        yield f"foreground.clouds.grid: {clouds.grid} is no multiple of the {protocol.size} pixels"


def _generation(protocol: Protocol) -> Iterator[str]:
    own = protocol.twin.generation if protocol.twin is not None else None
    if own is not None and protocol.generation is None:
        yield f"section [twin.generation] is not read by {protocol.task}"
    if protocol.generation is None:
        return
    yield from _measurable("generation", protocol.generation, protocol)
    scored = protocol.scored(twin=True)
    if scored.generation is not None and protocol.twin and (own or protocol.twin.metrics):
        yield from _measurable("on the twin", scored.generation, scored)


def _measurable(place: str, how: Generation, scored: Protocol) -> Iterator[str]:
    from benchmark.networks.feature_networks import NAMES
    from benchmark.tasks.generation_scores import few_images, possible

    named = [how.network, how.neighbours.network if how.neighbours else ""]
    strange = [name for name in named if name and name not in NAMES]
    if strange:
        yield f"{place}: {UnknownName('feature network', strange[0], NAMES).sentence}"
        return
    known = possible(how)
    for metric in scored.metrics:
        if metric.id not in known:
            yield f"{place}: {UnknownName('metric that it allows', metric.id, known).sentence}"
    if how.network:
        yield from (f"{place}: {fault}" for fault in few_images(how, how.images, "generated"))


CHECKS: tuple[Callable[[Protocol], Iterator[str]], ...] = (
    _landmarks, _pairs, _zoom, _limited, _shape, _foreground, _generation,
)  # fmt: skip

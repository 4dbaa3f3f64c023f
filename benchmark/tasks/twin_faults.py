"""What is wrong with a protocol's twin: its recipe, its settings, its points, labels and identities."""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.contracts.errors import BenchError, UnknownName, listed
from benchmark.contracts.names import DOMAIN
from benchmark.contracts.twin import RecipeSpec
from benchmark.datasets.recipes import make_recipe
from benchmark.datasets.rendered import TEST_SHARE, domain_twin, identities_of, series_of
from benchmark.protocols import Protocol, Twin
from benchmark.registry.plugins import plugins
from benchmark.tasks.accepts import Accepts

PICTURES = ("visible", "masks", "attributes", "quaternions", "clips", "silhouettes")
MODELS = ("quaternions", "translations", "focals", "silhouettes", "clouds", "masks")
"""The labels that a twin has: of pictures, and where a section asks for views of models."""


def twin_faults(protocol: Protocol, task: Accepts) -> Iterator[str]:
    """A sentence for each thing that can't be rendered or, once rendered, scored."""
    twin = protocol.twin
    if twin is None:
        return
    known = plugins().twins
    if twin.recipe not in known:
        yield f"twin.recipe: {UnknownName('twin recipe', twin.recipe, known).sentence}"
        return
    spec = known[twin.recipe]
    yield from _points(protocol, task, spec)
    has = PICTURES if protocol.models is None else MODELS
    for label in protocol.data.labels:
        if label not in has:
            yield f"twin: it has no {label!r}, which data.labels names; it has {', '.join(has)}"
    yield from _domains(protocol, twin, has)
    if protocol.models is not None and not spec.views:
        able = listed(name for name, each in known.items() if each.views)
        yield (
            f"twin.recipe: {twin.recipe!r} shows no model twice, as [{_views(protocol)}] needs; "
            f"{able} can"
        )
    else:
        yield from _settings(protocol, twin)
    yield from _people(protocol, task, twin)
    yield from _compared(protocol, twin)


def _domains(protocol: Protocol, twin: Twin, has: tuple[str, ...]) -> Iterator[str]:
    for name in twin.domains:
        stand_in = domain_twin(protocol, DOMAIN + name)
        for label in stand_in.data.labels:
            if label not in has:
                yield f"twin.domains.{name}: it has no {label!r}, from which its grants are made"
        assert stand_in.twin is not None
        recipe, known = stand_in.twin.recipe, plugins().twins
        if recipe not in known:
            yield f"twin.domains.{name}: {UnknownName('twin recipe', recipe, known).sentence}"
        else:
            yield from (f"domain {name}: {f}" for f in _settings(protocol, stand_in.twin))


def _points(protocol: Protocol, task: Accepts, spec: RecipeSpec) -> Iterator[str]:
    rule, known = protocol.landmarks, plugins().twins
    if rule is not None:
        needed = 68 if rule.rule == "mafl5_from_68" else rule.count
        if needed not in spec.landmarks:
            able = listed(name for name, each in known.items() if needed in each.landmarks)
            yield (
                f"twin.recipe: {spec.id!r} has {' or '.join(map(str, spec.landmarks))} points, "
                f"[landmarks] asks for {needed}; recipes that have them: {able}"
            )
    elif not spec.landmarks[0]:
        for metric in protocol.metrics:
            measure = task.measure(metric.id)
            if measure is not None and "visible" in measure.labels:
                yield f"twin.recipe: {spec.id!r} has no points, at which {metric.id} looks"


def _views(protocol: Protocol) -> str:
    """The section that says how many views show each model."""
    return "foreground.clouds" if protocol.shape is None else "shape"


def _settings(protocol: Protocol, twin: Twin) -> Iterator[str]:
    settings = dict(twin.settings)
    if protocol.models is not None:
        if "views" in settings:
            yield f"twin.settings: views is that of the section [{_views(protocol)}]"
        settings["views"] = protocol.models.views
    try:
        make_recipe(twin.recipe, range(2), **settings)
    except (BenchError, TypeError, ValueError) as error:
        yield f"twin.settings: {error.sentence if isinstance(error, BenchError) else error}"


def _compared(protocol: Protocol, twin: Twin) -> Iterator[str]:
    """Generated images are held against the twin's test images, each mirrored too where it says so."""
    from benchmark.tasks.generation_scores import few_images

    how = protocol.scored(twin=True).generation
    if how is not None and how.network:
        count = getattr(twin, series_of(protocol, "test")) * (2 if how.flips else 1)
        yield from (f"twin: {fault}" for fault in few_images(how, count, "test"))


def _people(protocol: Protocol, task: Accepts, twin: Twin) -> Iterator[str]:
    views = 1 if protocol.models is None else protocol.models.views
    data = protocol.data
    roles = ["fit", *task.splits, *(["validation"] if data.validation else [])]
    for series in dict.fromkeys(series_of(protocol, role) for role in roles):
        count, identities = getattr(twin, series), identities_of(twin, series)
        if count < 1:
            yield f"twin.{series}: {count} images are too few"
        if not identities:
            yield f"twin.people: every fifth is test, so {twin.people} are too few"
        elif protocol.models is not None and (count % views or count > views * len(identities)):
            yield (
                f"twin.{series}: {count} images are not {views} views each of up to "
                f"{len(identities)} models"
            )
    if "validation" not in roles or not identities_of(twin, "train"):
        return
    kept = min(twin.train // views, len(identities_of(twin, "train"))) // TEST_SHARE
    needed = 1
    if protocol.shape is not None:
        needed = (twin.alignment or protocol.shape.alignment).keep_models
    if kept < needed:
        yield (
            f"twin.train: every fifth of those shown is kept for validation, which makes {kept} of "
            f"{twin.train} images; {needed} or more are needed"
        )

"""Making a twin's recipe by its name; it is imported when it is made."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.registry.implementations import named
from benchmark.registry.plugins import plugins
from benchmark.twins.renderer import Recipe
from benchmark.twins.scene import Framing


def make_recipe(
    name: str,
    identities: Sequence[int],
    *,
    landmarks: int | None = None,
    framing: Framing | None = None,
    **settings: Any,
) -> Recipe:
    """The recipe `name` over those identities.

    `landmarks` is 68 (default) or 5 for the face; the others have their own number. Without `framing` a
    recipe uses its own. `settings` are further fields of the recipe, such as `views` of the car. Raises
    `UnknownName`, and `InvalidInput` for a number of landmarks or a setting that it does not have.

    >>> make_recipe("bird", range(3)).landmark_names[:2]
    ('back', 'beak')
    """
    spec = plugins().twin(name)
    make = named(spec.implementation, f"twin recipe {name!r}")
    if landmarks is not None and landmarks not in spec.landmarks:
        has = " or ".join(map(str, spec.landmarks))
        raise InvalidInput(
            f"{name} twin: it has {has} landmarks, {landmarks!r} were asked for",
            cure=f"leave landmarks out, or give landmarks={spec.landmarks[0]}",
        )
    if len(spec.landmarks) > 1 and landmarks is not None:
        settings["landmarks"] = landmarks
    if framing is not None:
        settings["framing"] = framing
    takes = inspect.signature(make).parameters
    for setting in settings.keys() - takes.keys():
        raise UnknownName(f"setting of the recipe {name}", setting, list(takes)[1:])
    recipe: Recipe = make(identities, **settings)
    return recipe

"""The recipes by name, bench's own and those of plugins; each is imported when it is made."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.contracts.twin import RecipeSpec
from benchmark.registry.implementations import named
from benchmark.registry.plugins import plugins
from benchmark.twins.renderer import Recipe
from benchmark.twins.scene import Framing

RECIPES: Mapping[str, RecipeSpec] = {
    spec.id: spec
    for spec in (
        RecipeSpec(
            "face", "benchmark.twins.face:FaceRecipe",
            "heads of people in front of rooms and trees",
            landmarks=(68, 5), parts=12,
        ),
        RecipeSpec(
            "bird", "benchmark.twins.bird:BirdRecipe",
            "birds on twigs, in water and in the air",
            landmarks=(15,), parts=7,
        ),
        RecipeSpec(
            "flower", "benchmark.twins.flower:FlowerRecipe",
            "single flower heads in front of leaves",
            landmarks=(1,), parts=2,
        ),
        RecipeSpec(
            "person", "benchmark.twins.person:PersonRecipe",
            "clothed people, standing and moving",
            landmarks=(18,), parts=8,
        ),
        RecipeSpec(
            "car", "benchmark.twins.car:CarRecipe",
            "cars of seven styles from several sides",
            landmarks=(0,), parts=5, views=True,
        ),
    )
}  # fmt: skip
"""bench's own."""


def known_recipes() -> dict[str, RecipeSpec]:
    """bench's own recipes and those that plugins bring, by name."""
    return {**RECIPES, **plugins().twins}


def recipe_spec(name: str) -> RecipeSpec:
    """What is known of a recipe before it is made; raises `UnknownName`.

    >>> recipe_spec("person").landmarks
    (18,)
    """
    known = known_recipes()
    if name not in known:
        raise UnknownName("twin recipe", name, known)
    return known[name]


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
    spec = recipe_spec(name)
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

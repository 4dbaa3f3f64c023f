"""The recipes by name. A recipe's module is imported when one is made, not before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from benchmark.contracts.errors import InvalidInput
from benchmark.datasets.twins.renderer import Recipe
from benchmark.datasets.twins.scene import Framing


def _face(
    identities: Sequence[int],
    landmarks: int | None = None,
    framing: Framing | None = None,
    **settings: Any,
) -> Recipe:
    from benchmark.datasets.twins.face import FaceRecipe

    return FaceRecipe(identities, landmarks or 68, framing or Framing(), **settings)


def _own_points(
    name: str,
    identities: Sequence[int],
    landmarks: int | None = None,
    framing: Framing | None = None,
    **settings: Any,
) -> Recipe:
    """A recipe whose landmarks are what they are."""
    made = getattr(import_module(f"benchmark.datasets.twins.{name}"), f"{name.title()}Recipe")
    if framing is not None:
        settings["framing"] = framing
    recipe: Recipe = made(identities, **settings)
    own = len(recipe.landmark_names)
    if landmarks is not None and landmarks != own:
        raise InvalidInput(
            f"{name} twin: it has {own} landmarks, {landmarks!r} were asked for",
            cure=f"leave landmarks out, or give landmarks={own}",
        )
    return recipe


RECIPES: Mapping[str, Callable[..., Recipe]] = {
    "face": _face,
    **{name: partial(_own_points, name) for name in ("bird", "flower", "person", "car")},
}
"""Name to `factory(identities, landmarks=None, framing=None, **settings)`."""


def make_recipe(
    name: str,
    identities: Sequence[int],
    *,
    landmarks: int | None = None,
    framing: Framing | None = None,
    **settings: Any,
) -> Recipe:
    """The recipe `name` over those identities.

    `landmarks` is 68 (default) or 5 for the face; the others have their own number, and another is
    refused. Without `framing` a recipe uses its own. `settings` are further fields of the recipe,
    such as `views` of the car. An unknown name raises InvalidInput.

    >>> make_recipe("bird", range(3)).landmark_names[:2]
    ('back', 'beak')
    """
    if name not in RECIPES:
        raise InvalidInput(
            f"twin recipe: expected one of {sorted(RECIPES)}, got {name!r}",
            cure="name one of those",
        )
    return RECIPES[name](identities, landmarks, framing, **settings)

"""Synthetic twins: pictures with every annotation known, so that any path runs anywhere.

`renderer` draws a `Scene`; a recipe (`face`, `bird`, `flower`, `person`, `car`) says what is in it,
and `recipes` makes one by its name.
"""

from benchmark.datasets.recipes import RECIPES, make_recipe
from benchmark.twins.face import FaceRecipe, five_of, render_faces
from benchmark.twins.renderer import Recipe, TwinBatch, render
from benchmark.twins.scene import Framing

__all__ = [
    "RECIPES",
    "FaceRecipe",
    "Framing",
    "Recipe",
    "TwinBatch",
    "five_of",
    "make_recipe",
    "render",
    "render_faces",
]

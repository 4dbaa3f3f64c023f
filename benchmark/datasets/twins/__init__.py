"""Synthetic twins: pictures with every annotation known, so that any path runs anywhere.

`renderer` draws a `Scene`; a recipe (`face`) says what is in it.
"""

from benchmark.datasets.twins.face import FaceRecipe, five_of, render_faces
from benchmark.datasets.twins.renderer import Recipe, TwinBatch, render
from benchmark.datasets.twins.scene import Framing

__all__ = ["FaceRecipe", "Framing", "Recipe", "TwinBatch", "five_of", "render", "render_faces"]

"""The registration of a recipe of rendered twins: data only."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.contracts.names import id_faults, reference_faults, text_faults


@dataclass(frozen=True)
class RecipeSpec:
    """A recipe of rendered pictures: `recipe = "<id>"` in a protocol's `[twin]`.

    `implementation` ("module:Class") is imported when a twin is rendered, and called with the identities
    (whole numbers) it may show and, by keyword, the `settings` and `framing` of the protocol's `[twin]`
    where it gives them, and `landmarks` where the recipe has a choice of them. What it gives must have
    what `benchmark.twins.renderer.Recipe` asks for: `name`, `part_names` (background first),
    `attribute_names`, `landmark_names` and `scene(seed, index, size)`.

    `landmarks` is how many points a picture has; of several numbers a protocol's `landmarks` section
    chooses. `parts` is how many regions there are beside the background; together they are the mask.
    `views` says that it takes the setting `views` and shows one model so many times in a row, as the
    section `[shape]` needs.

    Example: `RecipeSpec(id="lamp", implementation="bench_lamps.twin:LampRecipe", summary="desk lamps",
    landmarks=(3,), parts=2)`.
    """

    id: str
    """What a protocol's `recipe` says."""
    implementation: str
    summary: str
    """One line."""
    landmarks: tuple[int, ...]
    parts: int
    views: bool = False
    version: int = 1
    """Raise it when the same settings come to draw other pictures."""

    def problems(self) -> list[str]:
        """What is wrong with this registration, in words; empty when nothing is."""
        found = [
            *id_faults("id", self.id),
            *reference_faults("implementation", self.implementation),
            *text_faults("summary", self.summary),
        ]
        counts = self.landmarks if isinstance(self.landmarks, tuple) else ()
        if not counts or not all(isinstance(n, int) and n >= 0 for n in counts):
            found.append(f"landmarks {self.landmarks!r} must be numbers of points, such as (14,)")
        for name, least in (("parts", 1), ("version", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                found.append(f"{name} {value!r} must be {least} or more")
        return found

"""bench's own recipes of twins; each is imported when it is made."""

from benchmark.contracts.twin import RecipeSpec

TWINS = (
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
        landmarks=(0, 8), parts=5, views=True,
    ),
)  # fmt: skip

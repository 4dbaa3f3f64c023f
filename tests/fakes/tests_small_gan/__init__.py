"""A throw-away adversarial method with all that such methods need: registration only."""

from benchmark.contracts import MethodSpec, hookimpl

SPEC = MethodSpec(
    id="small-gan",
    implementation="tests_small_gan.method:SmallGan",
    gives=["generator"],
    summary="a small StyleGAN2, and a student that finds w in its images",
    licence="Apache-2.0",
    tiny={"steps": 20, "student_steps": 6},
)


@hookimpl
def bench_methods(register):  # type: ignore[no-untyped-def]
    """Register it."""
    register(SPEC)

"""Registration of `clash`, a method whose packages bench's own would clash with."""

from benchmark.contracts import Environment, MethodSpec, hookimpl


@hookimpl
def bench_methods(register):
    register(
        MethodSpec(
            id="clash",
            implementation="bench_clash.method:Clash",
            gives=["landmarks"],
            summary="points pulled to the mean brightness, with an old tabulate",
            licence="Apache-2.0",
            presets={"long": {"steps": 400}},
            tiny={"steps": 4},
            environment=Environment("bench_clash:requirements.txt"),
        )
    )

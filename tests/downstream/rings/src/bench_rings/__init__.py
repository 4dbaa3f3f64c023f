"""Registration: one of everything that a plugin may bring."""

from pathlib import Path

from benchmark.contracts import CommandSpec, DatasetSpec, LauncherSpec, MethodSpec, hookimpl


@hookimpl
def bench_methods(register):
    register(
        MethodSpec(
            id="colours",
            implementation="bench_rings.method:Colours",
            gives=["descriptors"],
            summary="principal components of small patches",
            licence="Apache-2.0",
            presets={"fine": {"cell": 2}},
            tiny={"cell": 8},
        )
    )


@hookimpl
def bench_datasets(register):
    register(
        DatasetSpec(
            id="rings",
            implementation="bench_rings.dataset:Rings",
            summary="68 dots on a ring, drawn",
            homepage="https://example.org/rings",
            terms="none",
            obtain="`bench rings FOLDER` draws it.",
            layout="    train.csv, test.csv    name and 68 points a line\n    images/NAME.png",
            expected={"train": 40, "test": 12},
        )
    )


@hookimpl
def bench_protocols(register):
    register(Path(__file__).resolve().parent / "protocols")


@hookimpl
def bench_commands(register):
    register(CommandSpec("rings", "bench_rings.cli:command", "Draw the data set rings."))


@hookimpl
def bench_launchers(register):
    register(LauncherSpec("in-turn", "bench_rings.launcher:InTurn", "one process after the other"))

"""Renders of ten cars, drawn photographs of others, and the renders in the look of the photographs."""

from pathlib import Path

from benchmark.contracts import hookimpl
from benchmark.contracts.dataset import DatasetSpec

VIEWS = "bench_restyled.reader:Views"
CUT_OUTS = "benchmark.datasets.readers.cut_outs:CutOuts"
SETS = {
    "study_renders": (VIEWS, "60 renders of each of ten cars"),
    "study_photographs": (CUT_OUTS, "cars of the car twin, cut out of drawn streets at evening"),
    "study_restyled": (VIEWS, "the renders in the look of the photographs"),
}


@hookimpl
def bench_datasets(register):
    for name, (reader, summary) in SETS.items():
        register(
            DatasetSpec(
                id=name,
                implementation=reader,
                summary=summary,
                homepage="https://kenney.nl/assets/car-kit",
                terms="CC0",
                obtain="studies/restyled_cars/study.sh makes it.",
                layout="  as `bench data` makes it",
            )
        )


@hookimpl
def bench_protocols(register):
    register(Path(__file__).parent / "protocols")

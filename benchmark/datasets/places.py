"""Where a data set lies on this machine, and what to say when it does not."""

from __future__ import annotations

from pathlib import Path

from benchmark.contracts.dataset import DatasetSpec, Reader
from benchmark.contracts.errors import DataMissing, PluginBroken, UnknownName
from benchmark.datasets.specs import DATASETS
from benchmark.home import data_places
from benchmark.registry.implementations import named
from benchmark.registry.plugins import plugins


def all_datasets() -> list[DatasetSpec]:
    """bench's own data sets and those that plugins bring."""
    return [*DATASETS, *plugins().datasets.values()]


def spec_of(dataset_id: str) -> DatasetSpec:
    """The description of a data set, by id."""
    known = {spec.id: spec for spec in all_datasets()}
    if dataset_id not in known:
        raise UnknownName("data set", dataset_id, known)
    return known[dataset_id]


def places_of(spec: DatasetSpec) -> list[Path]:
    """Where a data set is looked for, in order."""
    return data_places(spec.folder or spec.id)


def locate(dataset_id: str) -> Path | None:
    """The first of the places looked at that holds something, or None."""
    for place in places_of(spec_of(dataset_id)):
        if place.is_dir() and any(place.iterdir()):
            return place
    return None


def missing(spec: DatasetSpec) -> DataMissing:
    """The error that says what to get, from where, under which terms, and where to put it."""
    places = places_of(spec)
    looked = "\n".join(f"    {place}" for place in places)
    if spec.downloadable:
        how = f"`bench data get {spec.id}` fetches it: {spec.obtain}"
    else:
        how = f"{spec.obtain} Then put it into {places[0]}, so that it holds\n{spec.layout}"
    return DataMissing(
        f"the data set {spec.id!r} ({spec.summary}) is not there; looked at\n{looked}",
        cure=f"{how}\n  from: {spec.homepage}\n  terms: {spec.terms}\n"
        "  or try the protocol without real data: add --twin",
    )


def require(dataset_id: str) -> Path:
    """`locate`, or the error that says how to obtain the data."""
    found = locate(dataset_id)
    if found is None:
        raise missing(spec_of(dataset_id))
    return found


def reader_class(dataset_id: str) -> type[Reader]:
    """The class that reads a data set's layout; raises `PluginBroken` where it can't be imported."""
    found = named(spec_of(dataset_id).implementation, f"data set {dataset_id!r}")
    if not (isinstance(found, type) and issubclass(found, Reader)):
        raise PluginBroken(
            f"data set {dataset_id!r}: {spec_of(dataset_id).implementation} is not a subclass of Reader"
        )
    return found


def reader_of(dataset_id: str, root: Path) -> Reader:
    """The reader of a data set's layout under `root`."""
    return reader_class(dataset_id)(root)

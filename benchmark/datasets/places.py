"""Where a data set lies on this machine, and what to say when it does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmark.contracts.dataset import DatasetSpec, Reader
from benchmark.contracts.errors import DataMissing, PluginBroken
from benchmark.home import data_places, data_roots, shown
from benchmark.registry.implementations import named
from benchmark.registry.plugins import plugins


def spec_of(dataset_id: str) -> DatasetSpec:
    """The description of a data set, by id."""
    return plugins().dataset(dataset_id)


def places_of(spec: DatasetSpec) -> list[Path]:
    """Where a data set is looked for, in order."""
    return data_places(spec.folder or spec.id)


def locate(dataset_id: str) -> Path | None:
    """The first of the places looked at that holds something, or None."""
    return next((place for place in places_of(spec_of(dataset_id)) if _holds(place)), None)


def _holds(place: Path) -> bool:
    return place.is_dir() and any(place.iterdir())


def missing(spec: DatasetSpec) -> DataMissing:
    """The error that says what to get, from where, under which terms, and where to put it."""
    here = next(
        p for r, p in zip(data_roots(), places_of(spec), strict=True) if isinstance(r, Path)
    )
    name = spec.folder or spec.id
    looked = "\n".join(f"    {shown(str(root))}/{name}" for root in data_roots())
    if spec.downloadable:
        how = f"`bench data get {spec.id}` fetches it: {spec.obtain}"
    else:
        how = f"{spec.obtain} Then put it into {here}, so that it holds\n{spec.layout}"
    return DataMissing(
        f"the data set {spec.id!r} ({spec.summary}) is not there; looked at\n{looked}",
        cure=f"{how}\n  from: {spec.homepage}\n  terms: {spec.terms}\n"
        "  or try the protocol without real data: add --twin",
    )


def require(dataset_id: str, progress: Callable[[int, int], None] | None = None) -> Path:
    """The first place that holds the data set, fetched where it lies elsewhere and is not here as it is
    there; or the error that says how to obtain it. `progress` is told of files fetched, and of how many.
    """
    spec = spec_of(dataset_id)
    for root, place in zip(data_roots(), places_of(spec), strict=True):
        if isinstance(root, str):
            from benchmark.datasets.remote import fetch_tree

            fetch_tree(root, place, progress)
        if _holds(place):
            return place
    raise missing(spec)


def require_in_reach(dataset_id: str) -> None:
    """Raise what `require` would where nothing holds the data set, and fetch nothing: a root that lies
    elsewhere may hold it."""
    if locate(dataset_id) is None and not any(isinstance(root, str) for root in data_roots()):
        raise missing(spec_of(dataset_id))


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

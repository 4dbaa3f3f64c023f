"""What a study will cost, from what earlier runs of its kind have taken."""

from __future__ import annotations

import shutil
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.contracts.errors import BenchError
from benchmark.files import listed
from benchmark.home import home, leaderboards
from benchmark.records.model import Record
from benchmark.records.reading import read_record
from benchmark.studies.planning import Cell, leaders

AFTER_THE_FIT = ("predict", "score")


@dataclass(frozen=True)
class Cost:
    """Of one run: seconds (of what follows its fit `after`), bytes of memory, bytes on the disk."""

    seconds: float
    after: float
    memory: int
    disk: int


@dataclass(frozen=True)
class Estimate:
    """Of a study: seconds if one run follows the other, the largest memory of a run, bytes on the disk.

    `unknown` is the number of runs no earlier run is like; they are in none of the sums.
    """

    seconds: float
    memory: int
    disk: int
    free_disk: int
    unknown: int


class Costs:
    """Costs by method and preset, from the records of the boards."""

    def __init__(self, methods: Iterable[str]) -> None:
        """Reads the records of these methods; one that can't be read says nothing."""
        self.same: dict[tuple[str, str, str, bool], list[Cost]] = defaultdict(list)
        self.like: dict[tuple[str, str, bool], list[Cost]] = defaultdict(list)
        for method in dict.fromkeys(methods):
            for path in listed(leaderboards(), f"**/{method}/*.json"):
                try:
                    self._add(read_record(path))
                except BenchError:
                    continue

    def _add(self, record: Record) -> None:
        seconds = {name: stage.seconds for name, stage in record.stages.items()}
        after = sum(seconds.get(name, 0.0) for name in AFTER_THE_FIT)
        folders = (home() / "fits" / record.fit_id, home() / "runs" / record.run_id)
        disk = sum(map(_size, folders))
        cost = Cost(sum(seconds.values()), after, record.peak_memory_bytes, disk)
        method, protocol = record.method, record.protocol
        self.same[method.id, method.preset, protocol.id, protocol.twin].append(cost)
        self.like[method.id, method.preset, protocol.twin].append(cost)

    def of(self, cell: Cell) -> Cost | None:
        """The median of earlier runs with its method and preset, under its protocol where there are
        such, else under any; None where there are none."""
        request = cell.request
        protocol = request.protocol.partition("@")[0]
        found = (
            self.same.get((request.method, cell.preset, protocol, request.twin))
            or self.like.get((request.method, cell.preset, request.twin))
            or []
        )
        if not found:
            return None
        return Cost(
            seconds=statistics.median(cost.seconds for cost in found),
            after=statistics.median(cost.after for cost in found),
            memory=max(cost.memory for cost in found),
            disk=max(cost.disk for cost in found),
        )


def estimate(cells: Sequence[Cell], costs: Costs) -> Estimate:
    """What the cells that are queued will take; a fit that several share is counted once."""
    left = [cell for cell in cells if cell.state == "queued"]
    fitting = {cell.key for cell in leaders(left) if not cell.fitted}
    seconds, memory, disk, unknown = 0.0, 0, 0, 0
    for cell in left:
        cost = costs.of(cell)
        if cost is None:
            unknown += 1
            continue
        seconds += cost.seconds if cell.key in fitting else cost.after
        memory, disk = max(memory, cost.memory), disk + cost.disk
    return Estimate(seconds, memory, disk, _free(home()), unknown)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _free(folder: Path) -> int:
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return shutil.disk_usage(there).free

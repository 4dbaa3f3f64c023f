"""Images decoded in processes: the same as by one, in order, in flat memory, whatever is lost."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmark.contracts.dataset import Sample
from benchmark.contracts.errors import DataAltered
from benchmark.datasets import decoding, preparing
from benchmark.datasets.decoding import Task, in_order
from benchmark.datasets.preparing import open_split
from benchmark.datasets.processes import Worker
from benchmark.protocols import Geometry

GEOMETRY = Geometry(crop="points_square", scale=1.5, resize=40, cut=4)
TASK = Task(GEOMETRY, False)
Draw = Callable[..., np.ndarray]


@pytest.fixture
def samples(tmp_path: Path, picture: Draw) -> list[Sample]:
    """Twenty pictures, each with points of its own."""
    found = []
    for i in range(20):
        path = tmp_path / f"{i}.png"
        picture(path, seed=i)
        points = np.random.default_rng(i).uniform(5, 45, (5, 2))
        # what nobody can pickle stays with the process that has it
        found.append(Sample(str(i), path, points=points, extra={"own": lambda: None}))  # type: ignore[dict-item]
    return found


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "CHUNK", 3)


def digest(samples: list[Sample], processes: int) -> str:
    found = hashlib.sha256()
    for placed in in_order(samples, [None] * len(samples), TASK, processes=processes):
        assert placed.points is not None
        found.update(placed.pixels.tobytes() + placed.points.tobytes())
    return found.hexdigest()


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("processes", [2, pytest.param(9, marks=pytest.mark.long)])
def test_any_number_of_processes_gives_what_one_gives(
    samples: list[Sample], processes: int
) -> None:
    assert digest(samples, processes) == digest(samples, 1)


@pytest.mark.usefixtures("small_chunks")
def test_an_image_that_cannot_be_decoded_is_named_when_its_turn_comes(
    samples: list[Sample],
) -> None:
    samples[13].path.write_bytes(b"no picture")
    frames = in_order(samples, [None] * 20, TASK, processes=2)
    for _ in range(12):  # chunks of three: what is before it in its own comes with it
        next(frames)
    with pytest.raises(DataAltered, match=r"13\.png can't be decoded"):
        next(frames)


@pytest.mark.usefixtures("small_chunks")
def test_what_is_lost_with_a_process_is_decoded_all_the_same(
    samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = digest(samples, 1)
    started = []
    begin = Worker.begin

    def killed_in_its_second_chunk(self: Worker, *given: object) -> None:
        started.append(self)
        if started.count(self) == 3 and started[0] is self:  # the work, a piece, another piece
            os.kill(self.process.pid, signal.SIGKILL)
        begin(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Worker, "begin", killed_in_its_second_chunk)
    assert digest(samples, 2) == whole


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("taken", [20, 4])
def test_processes_end_with_the_last_image_or_when_nobody_asks_on(
    samples: list[Sample], monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    workers: set[Worker] = set()
    begin = Worker.begin
    monkeypatch.setattr(Worker, "begin", lambda w, *given: workers.add(w) or begin(w, *given))
    frames = in_order(samples, [None] * 20, TASK, processes=2)
    for _ in range(taken):
        next(frames)
    frames.close()  # type: ignore[attr-defined]
    assert [worker.process.returncode is not None for worker in workers] == [True, True]


@pytest.mark.long
def test_memory_holds_a_chunk_for_each_process_however_many_images_there_are(
    tmp_path: Path, picture: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "CHUNK", 8)
    path = tmp_path / "one.png"
    picture(path)
    task = Task(Geometry(crop="whole", resize=128, cut=0), False)  # 49 kB each
    peaks = []
    for count in (64, 512):
        samples = [Sample(str(i), path) for i in range(count)]
        crops: list[np.ndarray | None] = [None] * count
        tracemalloc.start()
        assert sum(1 for _ in in_order(samples, crops, task, processes=2)) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 2 * 8 * 128 * 128 * 3


def prepare_all(digests: multiprocessing.Queue) -> None:
    split = open_split("ytf68", "all", GEOMETRY, protocol_folder=Path("."))
    split.verify()
    digests.put((split.pixels_digest, split.labels_digest))


def test_eight_processes_that_want_the_same_split_get_one(
    tiny_ytf68: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "CHUNK", 3)
    monkeypatch.setattr(decoding, "WORTH", 2)
    monkeypatch.setattr(decoding, "cores", lambda: 2)
    log = tmp_path / "made"
    make = preparing._prepare

    def counted(*given: object) -> None:
        with log.open("a") as file:
            file.write("made\n")
        make(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(preparing, "_prepare", counted)
    context = multiprocessing.get_context("fork")
    digests: multiprocessing.Queue = context.Queue()
    wanting = [context.Process(target=prepare_all, args=(digests,)) for _ in range(8)]
    for process in wanting:
        process.start()
    found = {digests.get(timeout=120) for _ in wanting}
    for process in wanting:
        process.join(60)
    assert [process.exitcode for process in wanting] == [0] * 8
    assert log.read_text() == "made\n"
    monkeypatch.setattr(decoding, "cores", lambda: 1)
    alone = open_split("ytf68", "all", GEOMETRY, protocol_folder=Path("."), anew=True)
    assert found == {(alone.pixels_digest, alone.labels_digest)}

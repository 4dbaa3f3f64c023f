"""A sweep: what runs when, what is tried again, what one failure does to the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from benchmark.contracts.errors import RunLocked, UnknownName
from benchmark.contracts.launch import Begun, Ended, Job, Launcher
from benchmark.runner.request import Request
from benchmark.studies import sweeping
from benchmark.studies.planning import Cell
from benchmark.studies.state import SweepFolder, find_sweep, statuses_of, sweep_name
from benchmark.studies.sweeping import Sweep, counts

DONE = '{\n  "record": "here"\n}\n'
Answer = tuple[int | None, str]


class Scripted(Launcher):
    """Begins all that it is given, and ends one job each time it is asked, as a script says."""

    def __init__(self, folder: Path, script: Callable[[str, int], Answer]) -> None:
        super().__init__({}, folder)
        self.script = script
        self.fresh: list[Job] = []
        self.running: list[Job] = []
        self.story: list[str] = []
        self.memory: list[int] = []
        self.cancelled: list[str] = []
        self.closed = False

    def submit(self, jobs: Sequence[Job]) -> None:
        self.fresh += jobs

    def poll(self) -> Iterator[Begun | Ended]:
        for job in self.fresh:
            self.story.append(f"+{job.name}")
            self.memory.append(job.memory)
            yield Begun(job, "here", self.folder / "log")
        self.running += self.fresh
        self.fresh = []
        if self.running:
            job = self.running.pop(0)
            self.story.append(f"-{job.name}")
            code, text = self.script(job.name, self.story.count(f"+{job.name}"))
            (self.folder / "log").write_text(text if code else "")
            yield Ended(job, code, text, self.folder / "log")

    def cancel(self, job: Job) -> None:
        self.cancelled.append(job.name)

    def close(self) -> None:
        self.closed = True


def fine(name: str, time: int) -> Answer:
    return 0, DONE


@pytest.fixture(autouse=True)
def at_once(bench_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting, and no records: what is looked at is the order of things."""
    monkeypatch.setattr(sweeping, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(sweeping, "AGAIN_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(sweeping, "_tell_value", lambda status: None)


def cells(*names: str) -> list[Cell]:
    """Cells "NAME:FIT", each a fit of its own where none is named."""
    found = []
    for seed, one in enumerate(names):
        name, _, fit = one.partition(":")
        found.append(
            Cell(Request("m", "p", seed=seed), name, run_id=name, fit_id=fit or f"fit-{name}")
        )
    return found


def swept(
    tmp_path: Path, script: Callable[[str, int], Answer], *names: str, tries: int = 5
) -> tuple[Scripted, dict[str, str]]:
    launcher = Scripted(tmp_path, script)
    folder = SweepFolder("one")
    with folder.driven():
        statuses = Sweep(folder, cells(*names), launcher, lambda c: 1, tries).work(lambda s: None)
    assert launcher.closed
    assert [s.state for s in folder.statuses()] == [s.state for s in statuses]
    return launcher, {s.name: f"{s.state} {s.why}".strip() for s in statuses}


def test_all_that_share_nothing_are_given_at_once(tmp_path: Path) -> None:
    launcher, ends = swept(tmp_path, fine, "a", "b", "c")
    assert ends == {"a": "done", "b": "done", "c": "done"}
    assert launcher.story == ["+a", "+b", "+c", "-a", "-b", "-c"]


def test_a_fit_that_several_want_is_made_once_before_the_others_begin(tmp_path: Path) -> None:
    launcher, ends = swept(tmp_path, fine, "a:x", "b:x", "c", "d:x")
    assert set(ends.values()) == {"done"}
    assert launcher.story == ["+a", "+c", "-a", "+b", "+d", "-c", "-b", "-d"]


def test_a_failure_stops_nothing_else_and_says_why(tmp_path: Path) -> None:
    def script(name: str, time: int) -> Answer:
        return (3, "error: a bad shape") if name == "a" else (0, DONE)

    _, ends = swept(tmp_path, script, "a", "b")
    assert ends == {"a": "failed error: a bad shape", "b": "done"}


def test_where_a_shared_fit_fails_in_training_it_is_not_tried_for_each(tmp_path: Path) -> None:
    def script(name: str, time: int) -> Answer:
        return (10, "error: a loss that is not finite")

    launcher, ends = swept(tmp_path, script, "a:x", "b:x")
    assert launcher.story == ["+a", "-a"]
    assert ends["b"] == "failed the fit that it shares with 'a' failed"


def test_where_it_fails_for_a_reason_of_one_run_the_next_makes_it(tmp_path: Path) -> None:
    def script(name: str, time: int) -> Answer:
        return (5, "error: labels were altered") if name == "a" else (0, DONE)

    launcher, ends = swept(tmp_path, script, "a:x", "b:x", "c:x")
    assert launcher.story == ["+a", "-a", "+b", "-b", "+c", "-c"]
    assert (ends["b"], ends["c"]) == ("done", "done")


def test_a_run_whose_process_died_is_begun_again_with_more_memory(tmp_path: Path) -> None:
    launcher, ends = swept(tmp_path, lambda n, time: (0, DONE) if time == 3 else (-9, ""), "a")
    assert ends == {"a": "done"}
    assert launcher.memory == [1, 2, 4]


def test_one_that_dies_each_time_is_given_up(tmp_path: Path) -> None:
    launcher, ends = swept(tmp_path, lambda name, time: (-9, ""), "a", tries=2)
    assert launcher.story == ["+a", "-a", "+a", "-a"]
    assert "its process died" in ends["a"]
    assert "tried 2 times" in ends["a"]


def test_a_run_that_another_process_works_on_is_waited_for(tmp_path: Path) -> None:
    launcher, ends = swept(
        tmp_path, lambda n, time: (0, DONE) if time > 7 else (RunLocked.exit_code, ""), "a"
    )
    assert ends == {"a": "done"}
    assert len(launcher.story) == 16


def test_what_is_handed_over_is_not_waited_for(tmp_path: Path) -> None:
    launcher, _ = swept(tmp_path, lambda name, time: (None, "job 12"), "a:x", "b:x")
    assert launcher.story == ["+a", "-a", "+b", "-b"]


def test_a_cancelled_sweep_ends_its_runs(tmp_path: Path) -> None:
    def script(name: str, time: int) -> Answer:
        find_sweep().ask_to_end()
        return 0, DONE

    SweepFolder("one").path.mkdir(parents=True)
    SweepFolder("one").write_statuses([])
    launcher, ends = swept(tmp_path, script, "a", "b", "c:x", "d:x")
    assert ends == {"a": "done", "b": "cancelled", "c": "cancelled", "d": "cancelled"}
    assert launcher.cancelled == ["b", "c"]


def test_a_sweep_that_is_broken_off_is_queued_again(tmp_path: Path) -> None:
    def script(name: str, time: int) -> Answer:
        raise KeyboardInterrupt

    folder = SweepFolder("one")
    launcher = Scripted(tmp_path, script)
    with pytest.raises(KeyboardInterrupt), folder.driven():
        Sweep(folder, cells("a", "b"), launcher).work(lambda s: None)
    assert launcher.closed
    assert {s.state for s in folder.statuses()} == {"queued"}
    assert not folder.is_driven


def test_one_process_works_on_a_sweep(tmp_path: Path) -> None:
    with SweepFolder("one").driven():
        assert SweepFolder("one").is_driven
        with pytest.raises(RunLocked, match="another process"), SweepFolder("one").driven():
            pass


def test_what_had_failed_stays_failed_and_what_was_cancelled_is_queued(tmp_path: Path) -> None:
    before = statuses_of(cells("a", "b", "c"), [])
    before[0].state, before[0].why = "failed", "error: too bad"
    before[1].state = "cancelled"
    now = statuses_of(cells("a", "b", "c"), before)
    assert [(s.state, s.why) for s in now] == [
        ("failed", "error: too bad"),
        ("queued", ""),
        ("queued", ""),
    ]


def test_a_sweep_is_found_by_the_beginning_of_its_name(bench_home: Path) -> None:
    with pytest.raises(UnknownName, match="no sweep"):
        find_sweep()
    requests = (Request("lead", "ytf5", given={"dimension": None}),)
    name = sweep_name("My study", requests)
    assert name.startswith("my-study-")
    folder = SweepFolder(name)
    folder.path.mkdir(parents=True)
    folder.write_statuses([])
    assert find_sweep("my").name == find_sweep().name == name
    assert json.loads((folder.path / "state.json").read_text()) == {"runs": []}


def test_a_summary_counts_states() -> None:
    statuses = statuses_of(cells("a", "b", "c"), [])
    statuses[2].state = "done"
    assert counts(statuses) == "1 done, 2 queued"
    assert counts([]) == "nothing"

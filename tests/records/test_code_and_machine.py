"""What a record says of code and machine is of the folder, the packages and the device that it means."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from benchmark.contracts.arithmetic import arithmetic
from benchmark.records import code, machine
from benchmark.records.code import code_state, git, tracked
from benchmark.version import installed


def repository(folder: Path, name: str) -> Path:
    folder.mkdir()
    (folder / name).write_text("1")
    for words in (("init", "-q"), ("add", name), ("commit", "-q", "-m", "one")):
        author = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", "-C", str(folder), *author, *words], check=True)
    return folder


def test_git_is_asked_about_the_folder_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git itself sets these for hooks in worktrees and submodules."""
    one, other = repository(tmp_path / "one", "a.json"), repository(tmp_path / "two", "b.json")
    monkeypatch.setattr(code, "OWN", one)
    code_state.cache_clear()
    before = git(one, "rev-parse", "HEAD"), tracked(one / "a.json"), code_state()
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    code_state.cache_clear()
    assert (git(one, "rev-parse", "HEAD"), tracked(one / "a.json"), code_state()) == before
    assert before[1]
    assert before[2].dirty is False
    code_state.cache_clear()


@pytest.mark.parametrize(
    "file, dirty",
    [
        ("leaderboards/board/1/m/a.json", False),
        ("studies/one/leaderboards/board/1/m/a.json", False),
        ("studies/one/reader.py", True),
        ("benchmark/leaderboards.py", True),
    ],
)
def test_results_are_not_code_wherever_they_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, dirty: bool
) -> None:
    checkout = repository(tmp_path / "one", "code.py").resolve()
    monkeypatch.setattr(code, "OWN", checkout)
    code_state.cache_clear()
    assert code_state().dirty is False
    (checkout / file).parent.mkdir(parents=True, exist_ok=True)
    (checkout / file).touch()
    code_state.cache_clear()
    assert code_state().dirty is dirty
    code_state.cache_clear()


def test_metadata_that_an_uninstall_left_behind_are_no_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nosuchvision-0.0.dist-info").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert installed("nosuchvision") == ""
    assert installed("nothing-of-this-name") == ""
    assert installed("numpy")
    found = machine.packages(("nosuchvision", "numpy"))
    assert "nosuchvision" not in found
    assert all(isinstance(version, str) and version for version in found.values())


def test_a_record_names_the_card_that_was_used(monkeypatch: pytest.MonkeyPatch) -> None:
    cards = {"cuda:0": ("small", 1, 0), "cuda:1": ("large", 2, 7)}
    forgotten: list[str] = []
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda d=None: cards[d][0])
    monkeypatch.setattr(
        torch.cuda,
        "get_device_properties",
        lambda d: SimpleNamespace(total_memory=cards[d][1]),
    )
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda d=None: cards[d][2])
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", forgotten.append)
    found = machine.hardware("cuda:1")
    assert (found["accelerator"], found["accelerator_memory_bytes"]) == ("large", 2)
    assert machine.peak_memory_bytes("cuda:1") == 7
    machine.forget_peak_memory("cuda:1")
    assert forgotten == ["cuda:1"]


SMALL = """
import torch
from benchmark.contracts.arithmetic import set_arithmetic
if {set}:
    set_arithmetic()
torch.set_num_threads(2)
print(int((torch.full((1 << 20,), 1e-30) * 1e-10).count_nonzero()))
"""


@pytest.mark.parametrize(("is_set", "left"), [(False, 1 << 20), (True, 0)])
def test_no_thread_computes_with_numbers_below_the_smallest_normal_one(is_set, left) -> None:
    code = SMALL.format(set=is_set)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == left


def test_products_are_exact_whichever_interface_a_method_used() -> None:
    backends = torch.backends
    if not hasattr(backends.cudnn, "conv"):
        pytest.skip("torch has the old interface alone")
    backends.fp32_precision = backends.cudnn.fp32_precision = "tf32"
    with arithmetic():
        pass
    parts = (backends.cudnn, backends.cudnn.conv, backends.cudnn.rnn, backends.cuda.matmul)
    assert {part.fp32_precision for part in parts} == {"ieee"}
    assert not backends.cudnn.allow_tf32
    assert not backends.cuda.matmul.allow_tf32

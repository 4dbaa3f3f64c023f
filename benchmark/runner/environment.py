"""The state of code, packages and machine that a record writes down."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmark import __version__
from benchmark.contracts.record import CodePart

NAMED = ("structbench", "torch", "torchvision", "numpy", "scipy", "pillow", "lightning-fabric")


def code_state() -> CodePart:
    """bench's version, and the commit of the checkout it runs from with whether it was changed."""
    folder = Path(__file__).resolve().parent.parent.parent
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return CodePart(bench=__version__, commit="", dirty=None)
    # records and tables are results, not code: writing one must not make the next run dirty
    changed = _git(folder, "status", "--porcelain", "--", ".", ":(exclude)leaderboards")
    return CodePart(bench=__version__, commit=commit, dirty=bool(changed))


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def packages(also: tuple[str, ...] = ()) -> dict[str, str]:
    """Versions of the packages that can move a number, and Python's."""
    found = {"python": platform.python_version()}
    for name in (*NAMED, *also):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def hardware(device: str) -> dict[str, Any]:
    """Processor, cores, memory, and the accelerator if the run used one."""
    import torch

    found: dict[str, Any] = {
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "threads": torch.get_num_threads(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "device": device,
    }
    if device.startswith("cuda"):
        found["accelerator"] = torch.cuda.get_device_name()
        found["accelerator_memory_bytes"] = torch.cuda.get_device_properties(0).total_memory
    return found


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def peak_memory_bytes(device: str) -> int:
    """The largest memory so far: of the accelerator if one is used, else of this process."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.max_memory_allocated())
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

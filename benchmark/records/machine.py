"""The packages and the machine that a record writes down."""

from __future__ import annotations

import os
import platform
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmark.version import installed

CLEAR, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
NAMED = ("structbench", "torch", "torchvision", "numpy", "scipy", "pillow", "lightning-fabric")


def packages(also: tuple[str, ...] = ()) -> dict[str, str]:
    """Versions of the packages that can move a number, and Python's."""
    found = {"python": platform.python_version()}
    versions = {name: installed(name) for name in (*NAMED, *also)}
    return found | {name: version for name, version in versions.items() if version}


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
        found["accelerator"] = torch.cuda.get_device_name(device)
        found["accelerator_memory_bytes"] = torch.cuda.get_device_properties(device).total_memory
    return found


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def forget_peak_memory(device: str) -> None:
    """Begin to measure the peak anew, so that a run does not inherit that of the one before."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.reset_peak_memory_stats(device)
    elif CLEAR.exists():
        with suppress(OSError):
            CLEAR.write_text("5")


def peak_memory_bytes(device: str) -> int:
    """The largest memory since `forget_peak_memory`: of the accelerator if one is used, else of this
    process (since its start where the system can't forget)."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.max_memory_allocated(device))
    if STATUS.exists():
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

"""Seconds and memory of the tables and of the static site for many records.

    python perf/many_records.py [--records 10000] [--code CHECKOUT] [--keep FOLDER]

Synthetic records are copies of the committed ones, spread evenly over their boards: three seeds of
each of as many settings as it takes, with per-item values of their own. `bench board build` and
`bench board site` then run each in a process of its own; `--code` takes another checkout's code (an
older commit, say), to hold two beside each other on the same records.

Writes `perf/results/many_records.json`, one entry for each name of code.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.files import file_sha256
from benchmark.metrics.aggregates import aggregate
from benchmark.records.model import GROUPS

ROOT = Path(__file__).resolve().parents[1]
OUT = Path(__file__).parent / "results" / "many_records.json"
SEEDS = 3


def make_records(target: Path, count: int) -> int:
    """Write `count` synthetic records below `target`; how many boards they lie on."""
    sources = sorted((ROOT / "leaderboards").glob("**/[0-9a-f]*[0-9a-f].json"))
    boards = {path.parent.parent for path in sources}
    for i in range(count):
        source, copy = sources[i % len(sources)], i // len(sources)
        content = json.loads(source.read_text("utf-8"))
        folder = target / source.parent.relative_to(ROOT / "leaderboards")
        folder.mkdir(parents=True, exist_ok=True)
        write_copy(content, source, folder, copy)
    return len(boards)


def write_copy(content: dict[str, Any], source: Path, folder: Path, copy: int) -> None:
    """One record like `source`, of another seed or setting, with items scattered anew."""
    old = content["run_id"]
    run = hashlib.sha256(f"{old} {copy}".encode()).hexdigest()[:16]
    draw = np.random.Generator(np.random.PCG64(int(run, 16)))
    content["run_id"] = run
    content["seed"] = copy % SEEDS
    for settings in ("settings", "settings_given"):
        content["method"][settings]["copy"] = f"{old[:4]}-{copy // SEEDS}"
    name = f"{run}.errors.npz"
    with np.load(source.parent / f"{old}.errors.npz", allow_pickle=False) as arrays:
        errors = {
            name: values
            if name.startswith(GROUPS)
            else values * np.exp(0.1 * draw.standard_normal(values.shape))
            for name, values in arrays.items()
        }
    np.savez_compressed(folder / name, **errors)  # type: ignore[arg-type]
    for value in content["metrics"]:
        value["per_item"] = name
        value["value"] = float(aggregate(errors[value["metric"]], value.get("aggregate", "mean")))
    path = folder / name
    content["artefacts"] = [
        {"path": name, "sha256": file_sha256(path), "bytes": path.stat().st_size, "committed": True}
    ]
    (folder / f"{run}.json").write_text(json.dumps(content, indent=1), "utf-8")


def measured(words: list[str], records: Path, code: Path) -> dict[str, float]:
    """Wall seconds, processor seconds and peak memory of `bench` with these words."""
    environment = {**os.environ, "BENCH_LEADERBOARDS": str(records), "PYTHONPATH": str(code)}
    began = time.monotonic()
    command = [sys.executable, "-m", "benchmark", *words]
    child = subprocess.Popen(command, env=environment, cwd=code, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"bench {' '.join(words)} ended with {os.waitstatus_to_exitcode(status)}")
    return {
        "seconds": round(time.monotonic() - began, 1),
        "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_memory_mib": round(used.ru_maxrss / 1024),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--code", type=Path, default=ROOT)
    parser.add_argument("--name", default="this")
    parser.add_argument("--keep", type=Path, help="folder for the records, made if it is empty")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        records = asked.keep or Path(temporary) / "records"
        if not records.exists():
            make_records(records, asked.records)
        lines = {
            "tables": measured(["board", "build"], records, asked.code.resolve()),
            "site": measured(
                ["board", "site", "--out", f"{temporary}/site"], records, asked.code.resolve()
            ),
        }
        pages = sum(1 for _ in Path(temporary, "site").rglob("*.html"))
        size = sum(p.stat().st_size for p in Path(temporary, "site").rglob("*") if p.is_file())
    results = json.loads(OUT.read_text()) if OUT.exists() else {}
    results[asked.name] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "records": asked.records,
        "pages": pages,
        "site_mib": round(size / 2**20),
        **lines,
    }
    OUT.write_text(json.dumps(results, indent=1) + "\n")
    for what, line in lines.items():
        print(f"| {asked.name} | {what} | " + " | ".join(map(str, line.values())) + " |")


if __name__ == "__main__":
    main()

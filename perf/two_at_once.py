"""Two fits on this machine's cores: at once, or one after the other with all of the cores.

    BENCH_DATA=... python perf/two_at_once.py [--method lead] [--preset demo] [--set KEY=VALUE]

Both ways are `bench run --launcher local` with two seeds, in a home of its own, on the twin; the data
are prepared before, and weights are found through BENCH_DATA or BENCH_WEIGHTS. The ways take turns, each
round (`--rounds 2`) with seeds of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WAYS = {"one after the other": 1, "at once": 2}


def bench(home: str, *words: str) -> float:
    """Seconds that a command takes in that home."""
    variables = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    variables |= {"BENCH_HOME": home, "BENCH_LEADERBOARDS": f"{home}/leaderboards"}
    began = time.monotonic()
    command = [sys.executable, "-m", "benchmark", *words]
    subprocess.run(command, env=variables, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--method", default="lead")
    parser.add_argument("--preset", default="demo")
    parser.add_argument("--protocol", default="ytf5")
    parser.add_argument("--set", dest="settings", action="append", default=[])
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    what = ["-m", given.method, "-p", given.protocol, "--preset", given.preset, "--twin"]
    what += [word for setting in given.settings for word in ("--set", setting)]
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as home:
        bench(home, "data", "prepare", given.protocol, "--twin")
        for turn in range(given.rounds):
            for number, (way, processes) in enumerate(WAYS.items()):
                first = 4 * turn + 2 * number
                words = ["--launcher", "local", "--launcher-option", f"processes={processes}"]
                seconds = bench(home, "run", *what, "--seed", f"{first},{first + 1}", *words)
                took[way].append(round(seconds, 1))
    one, both = (statistics.median(took[way]) for way in WAYS)
    found = {
        "fit": what,
        "cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "machine": platform.processor() or platform.machine(),
        "seconds": took,
        "times_faster": round(one / both, 2),
    }
    path = Path(__file__).parent / "results" / "two_at_once.json"
    path.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(f"| {' '.join(what)} | {one:.0f} s | {both:.0f} s | ×{one / both:.2f} |")


if __name__ == "__main__":
    main()

"""What numbers below the smallest normal one cost: fits with them and without.

    BENCH_DATA=... python perf/subnormals.py [--rounds 3]

A run makes such numbers zero (`benchmark.contracts.arithmetic`). Here a few steps of methods' fits at
`small` on `ytf5`, and an epoch of the soft-argmax probe on features of unit length, take turns with
that switched off and on, each in a process of its own with one thread. Processor seconds. Losses of the
two ways stand beside them.

Writes `perf/results/subnormals.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

RESULT = Path(__file__).parent / "results" / "subnormals.json"

START = """
import sys, time, torch
from benchmark.contracts.arithmetic import set_arithmetic
set_arithmetic()
torch.set_flush_denormal({flush})
torch.set_num_threads(1)
"""
FIT = """
import tempfile
from dataclasses import replace
from pathlib import Path
import benchmark.runner.fitting as fitting
from benchmark.runner.plan import make_plan
from benchmark.runner.request import Request
last = {{}}
def progress(*step, **values):
    last.update(values)
asked = Request(method="{method}", protocol="ytf5", preset="small", given={given}, device="cpu")
plan = make_plan(asked, progress)
with tempfile.TemporaryDirectory() as folder:
    place = fitting.workplace(plan, progress)
    method = plan.cls(plan.fit_settings)
    began = time.process_time()
    fitting.fit(method, replace(place, folder=Path(folder) / "fit"))
    spent = time.process_time() - began
print(spent, last.get("loss"))
"""
PROBE = """
from dataclasses import replace
from benchmark.probes.softargmax import SoftargmaxProbe
from benchmark.probes.softargmax_presets import softargmax_settings
draw = torch.Generator().manual_seed(0)
maps = torch.nn.functional.normalize(torch.randn(1000, 64, 24, 24, generator=draw), dim=1)
points = 96 * torch.rand(1000, 5, 2, generator=draw)
settings = replace(softargmax_settings("softargmax/dve-limited"), epochs=1)
SoftargmaxProbe(settings, 96).fit(maps[:64], points[:64], seed=0)
began = time.process_time()
probe = SoftargmaxProbe(settings, 96).fit(maps, points, seed=0)
print(time.process_time() - began, probe.history[-1])
"""
SIDES = {
    "soft-argmax probe, 1,000 maps of 64 × 24 × 24": PROBE,
    "dve, 40 steps": FIT.format(method="dve", given={"steps": 40}),
    "lmdis, 40 steps": FIT.format(method="lmdis", given={"steps": 40}),
    "imm, 40 steps": FIT.format(method="imm", given={"steps": 40}),
}


def measured(code: str, home: str, *, flush: bool) -> tuple[float, str]:
    """Processor seconds and the last loss."""
    done = subprocess.run(
        [sys.executable, "-c", START.format(flush=flush) + code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "BENCH_HOME": home},
    )
    seconds, loss = done.stdout.split()[-2:]
    return float(seconds), loss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found: dict[str, dict[str, object]] = {}
    home = tempfile.mkdtemp()
    for name, code in SIDES.items():
        turns = [
            tuple(measured(code, home, flush=flush) for flush in (False, True))
            for _ in range(options.rounds)
        ]
        with_them, without = ([turn[i][0] for turn in turns] for i in (0, 1))
        found[name] = {
            "with": [round(s, 2) for s in with_them],
            "without": [round(s, 2) for s in without],
            "times_faster": round(
                statistics.median(a / b for a, b in zip(with_them, without, strict=True)), 2
            ),
            "loss_with": turns[0][0][1],
            "loss_without": turns[0][1][1],
        }
        print(name, found[name], flush=True)
    about = {
        "processor": next(
            (
                line.partition(":")[2].strip()
                for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")
            ),
            platform.processor(),
        ),
        "load_average": os.getloadavg(),
        "processor_seconds": found,
    }
    shutil.rmtree(home)
    RESULT.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

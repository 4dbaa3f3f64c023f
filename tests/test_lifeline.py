"""A process that holds a lifeline ends, with what it started, when its parent is gone."""

from __future__ import annotations

import os
import subprocess
import sys

CHILD = """
import subprocess, sys, time
from benchmark.lifeline import hold_given
hold_given()
subprocess.Popen(["sleep", "100"])
print("ready", flush=True)
time.sleep(100)
"""


def test_the_child_ends_with_the_other_end_of_its_pipe() -> None:
    lifeline, held = os.pipe()
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        env=os.environ | {"BENCH_LIFELINE": str(lifeline)},
        pass_fds=[lifeline],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    os.close(lifeline)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    assert child.poll() is None
    os.close(held)
    assert child.wait(60) == -9
    assert child.stdout.read() == b""  # what it started held this pipe too, and is gone


def test_a_variable_that_was_left_over_ends_nothing() -> None:
    code = "from benchmark.lifeline import hold_given; hold_given(); import time; time.sleep(.2)"
    for given in ("77", "none", ""):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"BENCH_LIFELINE": given},
            start_new_session=True,
        )
        assert done.returncode == 0

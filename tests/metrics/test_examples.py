"""The examples in the docstrings are true, and NumPy-only metrics leave torch alone."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

import benchmark.metrics

modules = sorted(m.name for m in pkgutil.iter_modules(benchmark.metrics.__path__))


@pytest.mark.parametrize("name", modules)
def test_examples_in_docstrings(name):
    module = importlib.import_module(f"benchmark.metrics.{name}")
    result = doctest.testmod(module, extraglobs={"np": np})
    assert result.failed == 0


def test_numpy_metrics_do_not_import_torch():
    names = [
        "alignment",
        "aggregates",
        "camera",
        "catalogue",
        "checks",
        "clustering",
        "cumulative",
        "landmarks",
        "linearity",
        "path_length",
        "points",
        "pose",
        "segmentation",
    ]
    code = (
        "import importlib, sys, numpy as np\n"
        f"for n in {names}: importlib.import_module('benchmark.metrics.' + n)\n"
        "from benchmark.metrics.landmarks import inter_ocular_distance\n"
        "assert inter_ocular_distance(np.array([[[0., 0.], [3., 4.]]]))[0] == 5\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""The examples in the docstrings of networks are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import benchmark.networks

modules = sorted(m.name for m in pkgutil.iter_modules(benchmark.networks.__path__))


@pytest.mark.parametrize("name", modules)
def test_examples_in_docstrings(name):
    module = importlib.import_module(f"benchmark.networks.{name}")
    assert doctest.testmod(module).failed == 0

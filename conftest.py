"""Fixtures for all tests, those of plugins too; in CI, property tests draw the same examples always."""

import os

from hypothesis import settings

pytest_plugins = ["tests_fixtures"]

settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")

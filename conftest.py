"""Fixtures for the tests of the harness and of the plugins alike (tests/fakes is on the path)."""

pytest_plugins = ["tests_fixtures"]

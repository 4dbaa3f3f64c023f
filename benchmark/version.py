"""The version of bench, by itself, so that any room may know it."""

__version__ = "0.1.0"

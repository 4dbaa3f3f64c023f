"""bench: an evaluation harness for methods that find structure in images without labels."""

__version__ = "0.1.0"

"""What tests of pages share."""

from tests_site import built

__all__ = ["built"]

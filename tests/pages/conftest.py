"""What tests of pages share."""

from tests_browser import chromium, site
from tests_site import built

__all__ = ["built", "chromium", "site"]

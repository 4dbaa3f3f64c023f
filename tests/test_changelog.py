"""What users notice is said in a file of its own, under a name that the changelog takes."""

from __future__ import annotations

import re

from tests_fixtures import ROOT

FRAGMENT = re.compile(r"\+[a-z0-9-]+\.(added|changed|mended|removed)\.md")


def test_every_file_in_changelog_is_one_that_is_gathered() -> None:
    files = [path for path in (ROOT / "changelog").iterdir() if path.name != "README.md"]
    assert [path.name for path in files if not FRAGMENT.fullmatch(path.name)] == []
    assert [path.name for path in files if not path.read_text("utf-8").strip()] == []

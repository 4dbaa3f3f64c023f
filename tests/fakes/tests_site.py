"""A site of committed records, built once for all tests that look at its pages."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

LEADERBOARDS = Path(__file__).resolve().parents[2] / "leaderboards"
HOSTILE = min((LEADERBOARDS / "ytf5" / "1" / "lead").glob("*[0-9a-f].json"))


@dataclass(frozen=True)
class Built:
    """Where the site is, and the leaderboards that it was built from."""

    out: Path
    records: Path
    home: Path

    def text(self, page: str) -> str:
        return (self.out / page).read_text("utf-8")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The site of the committed records of `ytf5` and others, with hostile words in one of them."""
    from benchmark.pages.links import Links
    from benchmark.pages.site import build_site
    from benchmark.registry.protocols import all_protocols

    folder = tmp_path_factory.mktemp("committed")
    for board in ("ytf5", "twins/ytf5", "ytf5_matching", "flowers17", "ytf5_limited", "cc0_cars"):
        shutil.copytree(LEADERBOARDS / board, folder / "records" / board)
    hostile = folder / "records" / HOSTILE.relative_to(LEADERBOARDS)
    content = json.loads(hostile.read_text())
    content["notes"] = ["<img src=x onerror=\"document.title='taken'\">"]
    hostile.write_text(json.dumps(content))
    links = Links("https://example.org/bench", "docs", "0123456789abcdef")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_LEADERBOARDS", str(folder / "records"))
        patch.setenv("BENCH_HOME", str(folder / "home"))
        build_site(folder / "out", all_protocols(), links=links)
    return Built(folder / "out", folder / "records", folder / "home")

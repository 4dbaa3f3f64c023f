"""The how-to pages and the tutorial do what they say: their files are written, their commands typed.

`bench` is called in this process, with the plugins that are installed; `pip install --no-deps -e`
leaves what an editable install leaves; everything else goes to a shell. The twin of `ytf5` has fewer
faces here, so that a page takes seconds.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from importlib import invalidate_caches
from itertools import pairwise
from pathlib import Path

import pytest
from tests_fixtures import ROOT
from tests_pages import Step, steps, words
from tests_support import install_fake

from benchmark.cli import main
from benchmark.home import builtin_folder
from benchmark.protocols.files import LOCK, _read_cached
from benchmark.registry.plugins import plugins

DOCS = ROOT / "docs"
TYPED = [
    *(DOCS / page for page in ("tutorial.md", "tutorial-method.md", "add-a-method.md")),
    *sorted((DOCS / "how-to").glob("*.md")),
]
FEWER = {"fit = 1200": "fit = 64", "train = 1200": "train = 64", "test = 300": "test = 16"}
SHORTER = {"steps: int = 200": "steps: int = 4"}
"""Put into the files of pages, so that a page takes seconds; what they print is not looked at."""


@pytest.fixture(scope="session")
def few_faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared twins, shared by all pages."""
    return tmp_path_factory.mktemp("few_faces")


@pytest.fixture
def checkout(
    bench_home: Path, few_faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A checkout with protocols and empty leaderboards, to type in; twins of few faces."""
    folder = tmp_path / "bench"
    shutil.copytree(builtin_folder(), folder / "protocols")
    for path in (folder / "protocols").glob("ytf*/*.toml"):
        text = path.read_text("utf-8")
        for many, few in FEWER.items():
            text = text.replace(many, few)
        path.write_text(text.replace("people = 250", "people = 20"), "utf-8")
    lock = (folder / "protocols" / LOCK).read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lock if not line.startswith("ytf")]
    (folder / "protocols" / LOCK).write_text("".join(kept), "utf-8")
    monkeypatch.setattr("benchmark.builtin.builtin_folder", lambda: folder / "protocols")
    (folder / "leaderboards").mkdir()
    monkeypatch.setenv("BENCH_LEADERBOARDS", str(folder / "leaderboards"))
    monkeypatch.delenv("BENCH_PLUGINS", raising=False)
    bench_home.mkdir()
    (bench_home / "prepared").symlink_to(few_faces)
    monkeypatch.chdir(folder)
    for cached in (plugins, _read_cached):
        cached.cache_clear()
    yield folder
    forget(folder)
    for cached in (plugins, _read_cached):
        cached.cache_clear()


def forget(folder: Path) -> None:
    """Let the modules of a folder be imported anew."""
    for name, module in list(sys.modules.items()):
        if Path(getattr(module, "__file__", None) or "/").is_relative_to(folder):
            del sys.modules[name]
    invalidate_caches()


class Typist:
    """Types the commands of a page and runs its Python; `said` is all that `bench` wrote."""

    def __init__(self, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self._capsys, self._patch = capsys, patch
        self.said: list[str] = []
        self.session: dict[str, object] = {}

    def do(self, step: Step) -> None:
        text = step.text
        for long, short in SHORTER.items():
            text = text.replace(long, short)
        step = replace(step, text=text)
        if step.kind in ("file", "more"):
            step.write(Path.cwd())
            forget(Path.cwd())
            plugins.cache_clear()
            _read_cached.cache_clear()
        elif step.kind == "type":
            for command in step.commands():
                self.type(command)
        elif step.kind == "run":
            exec(compile(step.text, f"line {step.line} of the page", "exec"), self.session)

    def type(self, command: str) -> None:
        first, *rest = words(command)
        if first == "bench":
            self._bench(
                command, [f for w in rest for f in (sorted(map(str, Path().glob(w))) or [w])]
            )
        elif [first, *rest[:3]] == ["pip", "install", "--no-deps", "-e"]:
            self._install(Path(rest[3]))
        else:
            found = command.replace("python ", f"{sys.executable} ", 1)
            done = subprocess.run(["bash", "-ec", found], capture_output=True, text=True)
            assert done.returncode == 0, f"{command}\n{done.stderr}"

    def _bench(self, command: str, rest: list[str]) -> None:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(rest)
        out, err = self._capsys.readouterr()
        healthy = stop.value.code == 0 or rest == ["doctor"]  # which may find that data is missing
        assert healthy, f"{command}\n{out}\n{err}"
        self.said.append(out)

    def _install(self, folder: Path) -> None:
        project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
        source = folder / "src" if (folder / "src").is_dir() else folder
        self._patch.syspath_prepend(str(source.resolve()))
        paths = [str(source.resolve()), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._patch.setenv("PYTHONPATH", os.pathsep.join(paths))
        for name, module in project["entry-points"]["bench"].items():
            install_fake(source.resolve(), name, module)
        plugins.cache_clear()


@pytest.fixture
def typist(
    checkout: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Typist:
    return Typist(capsys, monkeypatch)


TRAINING = {"adversarial.md", "tutorial-method.md"}
"""Pages whose methods learn for half a minute."""


WHAT_IS_RUN = {"-m", "-p", "--preset", "--set", "--seed", "--on"}


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(
            page,
            id=str(page.relative_to(DOCS)),
            marks=[pytest.mark.long] if page.name in TRAINING else [],
        )
        for page in TYPED
    ],
)
def test_a_page_does_what_it_says(page: Path, typist: Typist) -> None:
    for step in steps(page.read_text("utf-8")):
        typist.do(step)


@pytest.mark.long
def test_runs_that_take_minutes_can_be_planned(typist: Typist) -> None:
    """Commands that no page types: their methods, presets and settings are there, under those names."""
    planned = 0
    for page in TYPED:
        for step in steps(page.read_text("utf-8")):
            if step.kind != "not run":
                continue
            for command in step.commands():
                asked = words(command)
                named = asked[asked.index("-m") + 1] if "-m" in asked else ""
                if asked[:2] == ["bench", "run"] and named in ("lead", "random-features"):
                    kept = [
                        word
                        for option, value in pairwise(asked)
                        if option in WHAT_IS_RUN
                        for word in (option, value)
                    ]
                    typist.type(shlex.join(["bench", "run", *kept, "--twin", "--plan"]))
                    planned += 1
    assert planned >= 5


def test_every_how_to_is_listed_and_every_block_of_commands_is_marked() -> None:
    index = (DOCS / "how-to.md").read_text("utf-8")
    for page in (DOCS / "how-to").glob("*.md"):
        assert f"(how-to/{page.name})" in index
    for page in TYPED:
        text = page.read_text("utf-8")
        assert not re.search(r"^ {4}(\$ )?bench ", text, re.M), (
            f"{page.name}: a block without a fence"
        )
        fences = re.findall(r"^ *```sh$", text, re.M)
        assert all(fence == "```sh" for fence in fences), (
            f"{page.name}: a block in a list is not typed"
        )


def test_a_page_that_is_wrong_fails(typist: Typist, tmp_path: Path) -> None:
    for wrong in ("bench run -m nobody -p ytf5 --twin", "python absent.py", "bench ls nothing"):
        with pytest.raises(AssertionError):
            typist.do(Step("type", "", wrong, 1))
    typist.do(Step("run", "", "found = 1", 1))
    with pytest.raises(ZeroDivisionError):
        typist.do(Step("run", "", "found / 0", 2))


def test_steps_are_read_in_order() -> None:
    text = (
        "Words.\n\n<!-- file: a/b.py -->\n```python\nx = 1\n```\n\n```sh\n$ bench ls \\\n  methods\n"
        "# a remark\npython a/b.py\n```\n\n<!-- more: a/b.py -->\n```python\ny = 2\n```\n\n"
        "```python\nshown = True\n```\n\n<!-- not run: no data -->\n```sh\nbench data get x\n```\n"
        "\n<!-- run -->\n```python\nz = 3\n```\n"
    )
    found = list(steps(text))
    assert [s.kind for s in found] == ["file", "type", "more", "not run", "run"]
    assert [s.line for s in found] == [3, 8, 15, 24, 29]
    assert found[1].commands() == ["bench ls    methods", "python a/b.py"]
    assert found[3].where == "no data"
    assert (found[4].where, found[4].text) == ("", "z = 3\n")

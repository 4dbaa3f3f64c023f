"""Types pages of the documentation as a stranger would, in an empty folder; says what each command took.

    python tests/strangers_path.py [--json FILE] [PAGE …]

Without pages it is docs/strangers-path.md. The repository is cloned as it is committed; packages come
from where pip and uv find them. Exits with 1 at the first command that fails, or where the board at the
end does not show the method that was begun.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "fakes"))

from tests_pages import steps  # noqa: E402

DONE = "__done__"


class Shell:
    """One shell for all commands, so that `cd` and `source` last."""

    def __init__(self, folder: Path) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("BENCH_", "VIRTUAL_ENV"))}
        own = {
            "BENCH_HOME": str(folder / "home"),
            "REPOSITORY": str(ROOT),
            "PYTHON": getattr(sys, "_base_executable", sys.executable),
        }
        self._bash = subprocess.Popen(
            ["bash", "--norc"], cwd=folder, env=kept | own, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def type(self, command: str) -> tuple[int, str, float]:
        """Exit code, output and seconds of one command."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        began = time.perf_counter()
        self._bash.stdin.write(f"{command} </dev/null\necho {DONE} $?\n")
        self._bash.stdin.flush()
        lines: list[str] = []
        for line in self._bash.stdout:
            if line.startswith(DONE):
                return int(line.split()[1]), "".join(lines), time.perf_counter() - began
            lines.append(line)
        return 1, "".join(lines), time.perf_counter() - began

    def close(self) -> None:
        """End the shell."""
        assert self._bash.stdin is not None
        self._bash.stdin.close()
        self._bash.wait(10)


def walk(pages: list[Path], folder: Path) -> list[dict[str, object]]:
    """Type the pages; one row for each command, the last with what it printed."""
    shell, rows = Shell(folder), []
    try:
        for page in pages:
            for step in steps(page.read_text("utf-8")):
                if step.kind in ("file", "more"):
                    here = Path(shell.type("pwd")[1].strip())
                    step.write(here)
                for command in step.commands() if step.kind == "type" else ():
                    code, output, seconds = shell.type(command)
                    print(f"{seconds:7.1f} s  {command}", flush=True)
                    rows.append({"command": command, "seconds": round(seconds, 1)})
                    if code:
                        sys.exit(f"{page.name}, line {step.line}: exit code {code}\n{output}")
                    if command.startswith("bench board"):
                        print(output, flush=True)
                        rows[-1]["output"] = output
    finally:
        shell.close()
    return rows


def begun(rows: list[dict[str, object]]) -> list[str]:
    """The methods that `bench method new` was asked for."""
    found = [shlex.split(str(r["command"])) for r in rows]
    return [w[3] for w in found if w[:3] == ["bench", "method", "new"]]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("pages", nargs="*", type=Path, metavar="PAGE")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the times")
    given = parser.parse_args()
    pages = given.pages or [ROOT / "docs" / "strangers-path.md"]
    with tempfile.TemporaryDirectory() as scratch:
        rows = walk(pages, Path(scratch))
    shown = "".join(str(row.pop("output", "")) for row in rows)
    for method in begun(rows):
        if method not in shown.split():
            sys.exit(f"no board shows the method {method!r}")
    total = sum(float(str(row["seconds"])) for row in rows)
    print(f"{total:7.1f} s  in all")
    if given.json:
        content = {"cores": os.cpu_count(), "total": round(total, 1), "steps": rows}
        given.json.write_text(json.dumps(content, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()

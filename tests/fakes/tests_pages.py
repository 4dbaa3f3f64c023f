"""Pages of the documentation as steps: files to write, commands to type, and Python to run.

Shell blocks (fences with `sh`) are typed. A comment on the line before a block says more of it:

    <!-- file: PATH -->        the block is what stands in the file
    <!-- more: PATH -->        the block is appended to the file
    <!-- run -->               the block is Python; the blocks of a page are one session
    <!-- not run: REASON -->   the block is for reading; it needs what no test has
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(
    r"(?:^<!-- (file|more|not run|run)(?:: (.+?))? -->\n)?^```(\w*)\n(.*?)^```$", re.M | re.S
)


@dataclass(frozen=True)
class Step:
    """`kind` is "file", "more", "type", "run" or "not run"; `where` the file or the reason."""

    kind: str
    where: str
    text: str
    line: int

    def commands(self) -> list[str]:
        """The commands of a block, one after another, comments left out."""
        joined = self.text.replace("\\\n", " ")
        lines = (line.strip().removeprefix("$ ") for line in joined.splitlines())
        return [line for line in lines if line and not line.startswith("#")]

    def write(self, folder: Path) -> None:
        """Do what the page says with its file."""
        path = folder / self.where
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text("utf-8") if self.kind == "more" else ""
        path.write_text(before + self.text, "utf-8")


def steps(text: str) -> Iterator[Step]:
    """The steps of a page, from its text."""
    for found in BLOCK.finditer(text):
        mark, where, language, content = found.groups()
        line = text.count("\n", 0, found.start()) + 1
        if mark is not None:
            yield Step(mark, where or "", content, line)
        elif language == "sh":
            yield Step("type", "", content, line)


def words(command: str) -> list[str]:
    """The words of a command as a shell reads them, what follows # left out."""
    return shlex.split(command, comments=True)

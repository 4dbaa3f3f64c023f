"""What mkdocs does not do of itself: tables from the code, schemas, pipes in tables."""

import re
import sys
from pathlib import Path

from mkdocs.structure.files import File, Files

from benchmark.protocols import Protocol
from benchmark.records.model import Record

sys.path.append(str(Path(__file__).parent))
import tables

FILES = {"record.schema.json": Record, "protocol.schema.json": Protocol}


def on_files(files: Files, config: object, **_: object) -> Files:
    """Schemas of what bench writes and reads, beside the reference."""
    for name, model in FILES.items():
        made = File.generated(config, f"reference/{name}", content=tables.schema(model))
        files.append(made)
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Tables in the places that are kept for them."""
    for name in ("commands", "tasks", "metrics"):
        if (place := f"<!-- {name} -->") in markdown:
            markdown = markdown.replace(place, getattr(tables, name)())
    return markdown


def on_page_content(html: str, **_: object) -> str:
    r"""A pipe in a table's code is written `\|`; Python-Markdown leaves the backslash there. What may
    scroll in a frame of its own takes the focus, so that a keyboard can scroll it, and an empty corner
    of a table is no head."""
    html = re.sub(r"<td>.*?</td>", lambda cell: cell[0].replace("\\|", "|"), html, flags=re.S)
    html = re.sub(r"<th([^>]*)></th>", r"<td\1></td>", html)
    return re.sub(r"<(pre|table)(?=[ >])", r'<\1 tabindex="0"', html)

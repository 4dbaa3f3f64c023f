"""What mkdocs does not do of itself: tables from the code, schemas, pipes, the header."""

import re
import sys
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from benchmark.pages.documents import FOLDER
from benchmark.pages.links import Links
from benchmark.pages.rendering import environment
from benchmark.protocols import Protocol
from benchmark.records.model import Record

sys.path.append(str(Path(__file__).parent))
import tables
import ways_out

SIDE_BY_SIDE = Path(__file__).parents[2] / "leaderboards" / "like-for-like.md"
FILES = {"record.schema.json": Record, "protocol.schema.json": Protocol}


def on_files(files: Files, config: object, **_: object) -> Files:
    """Schemas of what bench writes and reads, beside the reference, and the methods side by side."""
    for name, model in FILES.items():
        made = File.generated(config, f"reference/{name}", content=tables.schema(model))
        files.append(made)
    text = re.sub(r"\]\((?!#|[a-z]+:)", "](../leaderboards/", SIDE_BY_SIDE.read_text("utf-8"))
    files.append(File.generated(config, SIDE_BY_SIDE.name, content=text))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Tables in the places that are kept for them."""
    for name in ("commands", "tasks", "metrics"):
        if (place := f"<!-- {name} -->") in markdown:
            markdown = markdown.replace(place, getattr(tables, name)())
    return markdown


def on_env(env: Environment, config: MkDocsConfig, **_: object) -> Environment:
    """The header of the site that the documentation is to be a part of, for the theme's pages."""
    links = Links(config.repo_url or "", FOLDER)
    header = environment().get_template("header.html")
    env.globals["site_header"] = lambda up: Markup(header.render(up=up, links=links, crumbs=()))
    return env


def on_page_content(html: str, page: Page, config: MkDocsConfig, **_: object) -> str:
    r"""A pipe in a table's code is written `\|`; Python-Markdown leaves the backslash there. What may
    scroll in a frame of its own takes the focus, so that a keyboard can scroll it, an empty corner of a
    table is no head, and a cell that is nothing but a command is one line."""
    html = re.sub(r"<td>.*?</td>", lambda cell: cell[0].replace("\\|", "|"), html, flags=re.S)
    html = re.sub(r"<td>(?=<code>bench [^<]*</code></td>)", '<td class="line">', html)
    html = re.sub(r"<th([^>]*)></th>", r"<td\1></td>", html)
    html = ways_out.mended(
        html, page.file.src_uri, site=config.extra["site"], repository=config.repo_url or ""
    )
    if page.file.src_uri == "glossary.md":
        html = re.sub(r"(?<=<tr>\n)<td>(.*?)</td>", _term, html)
    return re.sub(r"<(pre|table)(?=[ >])", r'<\1 tabindex="0"', html)


def _term(cell: re.Match[str]) -> str:
    """A glossary's term as a place that addresses lead to: "split *fit*" to `#term-split-fit`."""
    words = re.findall(r"[a-z]+", re.sub(r"<.*?>", "", cell[1]).lower())
    return f'<td id="term-{"-".join(words)}">{cell[1]}</td>'

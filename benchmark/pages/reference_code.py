"""What a module offers, read from its source: public names, signatures, fields and docstrings.

The source is parsed, not imported, so that the same text comes out whatever is installed.
"""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

EMPTY = {"dict": "{}", "list": "[]", "tuple": "()"}


@dataclass(frozen=True)
class Field:
    """A field of a class: its type and default as written, and the string that stands below it."""

    name: str
    type: str
    default: str
    meaning: str


@dataclass(frozen=True)
class Item:
    """A public class, function, method or constant; `heading` is its signature."""

    name: str
    heading: str
    words: str
    fields: tuple[Field, ...] = ()
    methods: tuple[Item, ...] = ()


def module_words(path: Path) -> str:
    """The docstring of a module."""
    return rendered(ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "")


def public(path: Path) -> list[Item]:
    """The public classes, functions and explained constants of a module, in the order of its source."""
    body = ast.parse(path.read_text("utf-8")).body
    found = []
    for node, after in zip_longest(body, body[1:]):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            found.append(_class(node))
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            found.append(_function(node))
        elif (words := _string(after)) and (name := _assigned(node)) and not name.startswith("_"):
            assert isinstance(node, ast.Assign | ast.AnnAssign)
            found.append(
                Item(name, f"{name} = {ast.unparse(node.value)}" if node.value else name, words)
            )
    return found


def fields(node: ast.ClassDef) -> list[Field]:
    """The annotated public fields of a class; what the class itself shares is none."""
    found = []
    for child, after in zip_longest(node.body, node.body[1:]):
        if not isinstance(child, ast.AnnAssign) or "ClassVar" in ast.unparse(child.annotation):
            continue
        if (name := _assigned(child))[:1] not in ("", "_"):
            default = _default(child.value)
            found.append(Field(name, ast.unparse(child.annotation), default, _string(after)))
    return found


def field_words(path: Path) -> dict[str, dict[str, str]]:
    """Class → field → the string below it, for all classes of a module."""
    classes = (n for n in ast.parse(path.read_text("utf-8")).body if isinstance(n, ast.ClassDef))
    return {c.name: {f.name: f.meaning for f in fields(c) if f.meaning} for c in classes}


def rendered(words: str) -> str:
    """A docstring as Markdown: examples in fences, the rest as it stands."""
    lines: list[str] = []
    inside = False
    for line in words.splitlines():
        starts, ends = line.startswith(">>>") and not inside, inside and not line.strip()
        if starts:
            lines += ["```python"] if not lines or not lines[-1] else ["", "```python"]
        if ends:
            lines.append("```")
        inside = starts or (inside and not ends)
        lines.append(line.rstrip())
    return "\n".join([*lines, "```"] if inside else lines)


def cell(text: str) -> str:
    """Text that may stand in a table."""
    return " ".join(text.replace("|", "\\|").split())


def _class(node: ast.ClassDef) -> Item:
    methods = [n for n in node.body if isinstance(n, ast.FunctionDef)]
    made = next((_arguments(m) for m in methods if m.name == "__init__"), "")
    bases = ", ".join(b for b in map(ast.unparse, node.bases) if not b.endswith("Strict"))
    heading = f"class {node.name}({bases})" if bases else f"class {node.name}"
    words = ast.get_docstring(node) or ""
    if made:
        words += f"\n\nMade by `{node.name}({made})`."
    shown = tuple(_function(m) for m in methods if not m.name.startswith("_"))
    return Item(node.name, heading, words.strip(), tuple(fields(node)), shown)


def _function(node: ast.FunctionDef) -> Item:
    marks = [ast.unparse(d) for d in node.decorator_list]
    words = ast.get_docstring(node) or ""
    if "property" in marks:
        return Item(node.name, node.name, words)
    gives = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    before = "classmethod " if "classmethod" in marks else ""
    return Item(node.name, f"{before}{node.name}({_arguments(node)}){gives}", words)


def _arguments(node: ast.FunctionDef) -> str:
    text = ast.unparse(node.args)
    return text.removeprefix("self").removeprefix("cls").removeprefix(", ")


def _assigned(node: ast.stmt) -> str:
    """The name that a statement gives a value or a type."""
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def _string(node: ast.stmt | None) -> str:
    """The text of a statement that is only a string."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return inspect.cleandoc(node.value.value) if isinstance(node.value.value, str) else ""
    return ""


def _default(node: ast.expr | None) -> str:
    """A default as written; those inside `field(…)` and `Field(…)` are taken out."""
    if node is None:
        return ""
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("field", "Field"):
        given = {k.arg: k.value for k in node.keywords}
        if made := given.get("default_factory"):
            return EMPTY.get(ast.unparse(made), ast.unparse(made))
        return ast.unparse(given["default"]) if "default" in given else ""
    return ast.unparse(node)

"""Examples in docstrings are code: lines from `>>>` to the next empty one go into a fence."""

import re
from typing import Any

import griffe


def fenced(words: str) -> str:
    """A docstring as Markdown.

    >>> fenced("Sum.\\n\\n>>> 1 + 1\\n2")
    'Sum.\\n\\n```python\\n>>> 1 + 1\\n2\\n```'
    """
    return re.sub(
        r"(?m)^>>>(?:.*\n?)(?:.+\n?)*", lambda m: f"```python\n{m[0].rstrip()}\n```\n", words
    ).rstrip()


class Examples(griffe.Extension):
    """Called by griffe for each module, class, function and attribute."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)

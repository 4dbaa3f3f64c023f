"""Words of protocols and records as HTML: paragraphs, code between backticks, addresses as links."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

CODE = re.compile(r"`([^`]+)`")
ADDRESS = re.compile(r"https?://[^\s<>\"'&;]+[^\s<>\"'&;.,:)]")


def paragraphs(text: str) -> Markup:
    """Text whose paragraphs are parted by empty lines; lines within one flow on. All else is escaped.

    >>> paragraphs("as `mean-shape` says,\\nnot <b>more</b>")
    Markup('<p>as <code>mean-shape</code> says, not &lt;b&gt;more&lt;/b&gt;</p>')
    """
    parts = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()))
    return Markup("\n").join(Markup("<p>{}</p>").format(marked(part)) for part in parts if part)


def marked(text: str) -> Markup:
    """One line with code between backticks set as code."""
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(text))))


def linked(text: str) -> Markup:
    """One line in which addresses lead where they say.

    >>> linked("from https://a.org/x, say")
    Markup('from <a href="https://a.org/x">https://a.org/x</a>, say')
    """
    return Markup(ADDRESS.sub(r'<a href="\g<0>">\g<0></a>', str(escape(text))))


def sentence(text: str) -> str:
    """Text that begins with a capital and ends with one full stop.

    >>> sentence("as ytf5, with crops")
    'As ytf5, with crops.'
    """
    text = capital(text.strip().rstrip("."))
    return f"{text}." if text else ""


def capital(text: str) -> str:
    """Text with a capital at its beginning; ids, which hold digits or _ in their first word, stay.

    >>> capital("foreground of flowers"), capital("ytf5, with loose crops")
    ('Foreground of flowers', 'ytf5, with loose crops')
    """
    first = text.partition(" ")[0].strip(",;:")
    return text if re.search(r"[a-z][0-9_]", first) else text[:1].upper() + text[1:]

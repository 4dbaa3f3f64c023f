"""Where a site leads beyond itself: to its repository and its documentation, where these are named."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Links:
    """`repository` is the address of the code's pages, `docs` that of the built documentation, absolute
    or from the site's own root; `commit` is the code that built the site. Each may be empty.
    """

    repository: str = ""
    docs: str = ""
    commit: str = ""

    def page(self, name: str, up: str = "") -> str:
        """The address of a page of the documentation, from a page that is `up` from the root.

        >>> Links(docs="docs").page("glossary", "../"), Links(docs="https://a.org").page("README")
        ('../docs/glossary.html', 'https://a.org/index.html')
        """
        base = self.docs.rstrip("/")
        root = base if "://" in base or base.startswith("/") else f"{up}{base}"
        return f"{root}/{'index' if name == 'README' else name}.html"

"""Links from documentation to files beside it: to the site's page of them, or to the repository."""

import posixpath
import re

LINK = re.compile(r'<a href="(?![a-z]+:|#|/)([^"#]*)(#[^"]*)?"([^>]*)>(.*?)</a>', re.S)
BOARD = re.compile(r"leaderboards/(twins/)?(\w+)/(\d+)/README\.md")
PAGES = {"README.md": "index.html", "reported/README.md": "reported.html"}
"""Of leaderboards, by their place there, on the site."""
OWN = {
    "leaderboards/like-for-like.md": "like-for-like.html",
    "leaderboards/README.md#how-to-read-a-board": "read-a-board.html",
}
"""What the documentation has a page of."""


def mended(html: str, source: str, *, site: str, repository: str) -> str:
    """A page's HTML in which such links lead somewhere; where nothing is known of the place, their words
    alone stay. `source` is the page in docs/, `site` the way from docs/ to the site, if it is in one.

    >>> mended('<a href="../leaderboards/ytf5/1/README.md">b</a>', "traps.md", site="..", repository="")
    '<a href="../boards/ytf5-1.html">b</a>'
    >>> mended('<a href="../x.md">x</a>', "traps.md", site="..", repository="https://a.org/r")
    '<a href="https://a.org/r/blob/HEAD/x.md">x</a>'
    >>> mended('<a href="../../x.md">x</a>', "how-to/run.md", site="", repository="")
    'x'
    """

    def mend(match: re.Match[str]) -> str:
        href, place, more, words = match[1], match[2] or "", match[3], match[4]
        target = posixpath.normpath(posixpath.join("docs", posixpath.dirname(source), href))
        if target.startswith("docs"):
            return match[0]
        up = "../" * source.count("/")
        if address := _address(target, place, up, site, repository):
            return f'<a href="{address}"{more}>{words}</a>'
        return words

    return LINK.sub(mend, html)


def _address(target: str, place: str, up: str, site: str, repository: str) -> str:
    if own := OWN.get(target + place) or OWN.get(target):
        return up + own
    if site and (board := BOARD.fullmatch(target)):
        twin = "-twin" if board[1] else ""
        return f"{up}{site}/boards/{board[2]}-{board[3]}{twin}.html"
    if site and (page := PAGES.get(target.removeprefix("leaderboards/"))):
        return f"{up}{site}/{page}"
    return f"{repository}/blob/HEAD/{target}{place}" if repository else ""

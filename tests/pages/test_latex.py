"""A board as a LaTeX table: whole, sign by sign what rows say, and compiled where there is a LaTeX."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests_site import Built

from benchmark.pages.board_files import as_latex, latex
from benchmark.pages.boards import Board, boards_of
from benchmark.registry.protocols import find_protocol

KERNEL = {
    *("begin", "end", "textbf", "scriptsize", "pm", "downarrow", "uparrow", "dagger", "S"),
    *("textbackslash", "textasciitilde", "textasciicircum"),
    *("textless", "textgreater", "textquotedbl"),
}
"""Commands of LaTeX itself; `textquotedbl` with fonts of T1."""
BOOKTABS = {"toprule", "midrule", "bottomrule"}

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
HOSTILE = [
    r"\end{tabular}",
    "100 % & more # $x^2$ ~ {",
    "}}{",
    r"a\\b",
    "--small ,, `` ?`",
    '"quoted" <b> café → 3×4 – 5',
    "line\nbreak\ttab",
    "[2ex] *",
    "\\",
]

words = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.sampled_from("\\{}%&$#_^~<>\"'`-,!?[]*=|/ \n\tab\u00e9\u2013\u2192"), max_size=30),
    st.text(max_size=20),
)


@pytest.fixture(scope="module")
def boards(built: Built) -> dict[str, Board]:
    """Boards of the committed records, by their names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_LEADERBOARDS", str(built.records))
        wanted = [find_protocol(name) for name in ("ytf5", "flowers17", "cc0_cars@2")]
        return {board.name: board for board in boards_of(wanted)}


def faults(text: str) -> list[str]:
    """What is no plain table of LaTeX's kernel and booktabs: signs, commands, braces, columns, math."""
    comment, _, body = text.partition("\n")
    found = [] if comment.startswith("% ") else ["it does not begin with its comment"]
    found += [f"no printable ASCII: {sign!r}" for sign in set(body) if not "\n" <= sign <= "~"]
    depth, math, columns, rows = 0, False, 1, []
    for token in TOKEN.findall(body):
        name = token[1:]
        if token == r"\\":
            rows.append(columns)
            columns = 1
        elif len(name) > 0 and name[0].isalpha():
            found += [f"the command {token}"] * (name not in KERNEL | BOOKTABS)
        elif token == "$":
            math = not math
        elif token == "&":
            columns += 1
        elif token in "{}":
            depth += 1 if token == "{" else -1
            found += ["a brace closed that none opened"] * (depth < 0)
        elif token in '#%_~"<>' or (token == "^" and not math):
            found.append(f"a bare {token}")
        found += ["math goes on beyond a cell"] * (math and token in ("&", r"\\"))
    begins = re.findall(r"\\begin\{(\w+)\}", body)
    if begins != ["tabular"] or re.findall(r"\\end\{(\w+)\}", body) != begins:
        found.append("not one tabular that begins and ends")
    asked = re.search(r"\\begin\{tabular\}\{(l+r+l)\}", body)
    if asked is None or {len(asked[1])} != set(rows):
        found.append(f"rows of {sorted(set(rows))} columns")
    if any(re.match(r"\s*[\[*]", after) for after in body.split(r"\\")[1:]):
        found.append("a row begins with what a line's end would take for its own")
    return found + ["open braces"] * (depth != 0) + ["open math"] * math


def test_a_board_is_a_table(boards: dict[str, Board]) -> None:
    board = boards["ytf5@1"]
    text = as_latex(board)
    assert faults(text) == []
    assert text.count(r"\\") == 1 + len(board.rows)
    assert "settings." not in text


def test_the_first_is_bold_where_it_is_settled_alone(boards: dict[str, Board]) -> None:
    board = boards["ytf5@1"]
    first = board.best("method")
    assert first is not None
    assert first.rank is not None
    assert first.rank[1] > 1  # it may be behind others
    assert r"\textbf" not in as_latex(board)
    rows = [replace(row, rank=(1, 1) if row is first else row.rank) for row in board.rows]
    rows = [row for row in rows if row.rank or row.role != "method"]
    text = as_latex(replace(board, rows=rows))
    assert text.count(r"\textbf") == 1
    assert r"\textbf{7.04}" in text


def test_lone_words_of_settings_have_no_quotes(boards: dict[str, Board]) -> None:
    text = as_latex(boards["ytf5@1"])
    assert "reduction=none" in text
    assert "textquotedbl" not in text


def test_the_half_of_an_interval_that_is_cut_is_the_longer_one(boards: dict[str, Board]) -> None:
    board = boards["flowers17@1"]
    row = next(r for r in board.rows if (r.method, r.variant) == ("ganseg", "small"))
    assert row.ci95 == (0.0, 100.0)
    assert rf"44.14 {{\scriptsize $\pm$ {100 - row.value:.2f}}}" in as_latex(board)


def test_faults_are_seen(boards: dict[str, Board]) -> None:
    comment, _, body = as_latex(boards["ytf5@1"]).partition("\n")
    changes = {
        r"\_": "_",
        " & ": " ",
        r"\bottomrule": r"\hline",
        r"\end{tabular}": "",
        "}": "",
        "lead": "l\u00e9ad",
        r"$\pm$": r"$\pm",
    }
    for old, new in changes.items():
        assert old in body
        assert faults(f"{comment}\n{body.replace(old, new, 1)}"), old


@given(words, words)
def test_whatever_rows_say_it_stays_a_table(
    boards: dict[str, Board], name: str, variant: str
) -> None:
    board = boards["flowers17@1"]
    rows = [replace(row, method=f"m{name}", variant=variant) for row in board.rows]
    assert faults(as_latex(replace(board, rows=rows))) == []


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_every_sign_of_ascii_is_printed_and_no_other(text: str) -> None:
    """Reading the commands back gives the words, so that none is lost or joined to another."""
    back = {
        **{f"\\{sign}": sign for sign in "&%$#_{}"},
        r"\textbackslash": "\\", r"\textasciitilde": "~", r"\textasciicircum": "^",
        r"\textless": "<", r"\textgreater": ">", r"\textquotedbl": '"', "{": "", "}": "",
    }  # fmt: skip
    printed = latex(text)
    assert "".join(back.get(t, t) for t in TOKEN.findall(printed)) == " ".join(text.split())
    assert not re.search(r"--|,,|''|``|[?!]`", printed)


def test_dashes_and_arrows_are_put_in_ascii() -> None:
    assert latex("1–5 a → b 3×4 café") == r"1--5 a -\textgreater{} b 3x4 caf"


COMPILER = shutil.which("pdflatex") or shutil.which("tectonic")


@pytest.mark.skipif(COMPILER is None, reason="no LaTeX on this machine")
def test_latex_compiles_boards_and_hostile_rows(boards: dict[str, Board], tmp_path: Path) -> None:
    tables = [as_latex(board) for board in boards.values() if board.rows]
    board = boards["flowers17@1"]
    rows = [
        replace(row, method=f"m{said}", variant=said)
        for row, said in zip(board.rows, HOSTILE, strict=False)
    ]
    tables.append(as_latex(replace(board, rows=rows)))
    head = r"\documentclass{article}\usepackage{booktabs}\usepackage[T1]{fontenc}\begin{document}"
    (tmp_path / "boards.tex").write_text("\n\n".join([head, *tables, r"\end{document}"]))
    strict = ["-halt-on-error", "-interaction=nonstopmode"] * ("pdflatex" in str(COMPILER))
    done = subprocess.run(
        [str(COMPILER), *strict, "boards.tex"],
        cwd=tmp_path,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    assert b"Missing character" not in done.stdout
    assert (tmp_path / "boards.pdf").stat().st_size > 10_000

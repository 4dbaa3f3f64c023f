"""The page of a study's like-for-like table, in Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tabulate import tabulate

from benchmark.boards.entries import board_folder
from benchmark.contracts.errors import listed
from benchmark.home import leaderboards
from benchmark.pages.numbers import digits, duration
from benchmark.pages.tables import in_markdown
from benchmark.registry.plugins import plugins
from benchmark.studies.like_for_like import Arm, Comparison, Place, arms, compare
from benchmark.studies.study import Study, StudyInvalid

READING = (
    "A value is the mean over seeds; **bold** beats the best floor beside it beyond the 95 % interval, "
    "which of one seed is over test items alone; "
    "the rank is the best and the worst place among the methods compared that seeds and test items "
    "leave open; it is given from two seeds on, where at least two methods have one. *open* is asked "
    "for and not run yet: its protocol's table below has the command. An empty cell can't be. Ranks on "
    "[boards](README.md#how-to-read-a-board) count further settings of the same methods, and older "
    "versions, too."
)
SAW = (
    "*saw* is what a method learned from besides images: labels, the labelled images behind pretrained "
    "weights that it takes, and what the protocol grants it (clips, views, silhouettes). *gain* is how "
    "much better than the best floor it is, in the metric's unit; negative is worse. *cost* is the time "
    "of fit, prediction and scoring, mean over seeds, on the machines that the records name. \\* "
    "marks one seed: its interval is over test items alone."
)


def page(study: Study, command: str) -> str:
    """The page; `command` is the one that makes it, for those who find it out of date."""
    found = compare(study)
    if not found:
        raise StudyInvalid(
            f"{study.title or 'the study'} names no method, only {_others(study)}: there is nothing to "
            "hold side by side",
            cure="`bench board PROTOCOL` shows floors, references and ceilings",
        )
    lines = ["# Like for like", "", f"Made by `{command}` from the records on the boards.", ""]
    columns = arms(study)
    reading = f"{_one_setting(columns)} {READING}"
    lines += [_state(found), "", reading, "", _matrix(found, columns, twin=study.twin), ""]
    lines += ["## Under each protocol", "", SAW]
    for one in found:
        lines += ["", *_section(one, twin=study.twin)]
    return "\n".join(lines) + "\n"


def _others(study: Study) -> str:
    return listed(
        {f"the {plugins().method(row.method).role} {row.method}" for row in study.methods}
    )


def _one_setting(columns: Sequence[Arm]) -> str:
    """That a method has one setting under all protocols, and which have several columns."""
    count = Counter(arm.method for arm in columns)
    said = "Every method has one setting under all protocols"
    if several := [name for name in sorted(count) if count[name] > 1]:
        said += f", but for those with several columns here ({', '.join(several)})"
    return f"{said}."


def _state(found: Sequence[Comparison]) -> str:
    places = [place for one in found for place in one.places]
    whole = sum(not place.missing for place in places)
    begun = sum(bool(place.missing and place.row) for place in places)
    return (
        f"{len(places)} cells: {whole} have all seeds, {begun} some, "
        f"{len(places) - whole - begun} are open."
    )


def _matrix(found: Iterable[Comparison], columns: Sequence[Arm], *, twin: bool) -> str:
    body = []
    for one in found:
        metric = one.protocol.scored(twin=twin).metrics[0]
        cells = [_cell(one.of(arm)) for arm in columns]
        floor = digits(one.floor.value) if one.floor else ""
        name = f"[{one.protocol.name}](#{_anchor(one)})"
        body.append([name, metric.head, floor, *cells])
    heads = ["protocol", "metric", "best floor", *(in_markdown(arm.name) for arm in columns)]
    return tabulate(body, heads, tablefmt="github", disable_numparse=True)


def _anchor(one: Comparison) -> str:
    return one.protocol.name.replace("@", "")


def _cell(place: Place | None) -> str:
    if place is None:
        return ""
    if place.row is None:
        return "*open*"
    value = digits(place.row.value)
    gain = place.row.over_floor
    shown = f"**{value}**" if gain is not None and gain.clear else value
    return f"{shown} ({place.row.places()})" if place.row.rank else shown


def _section(one: Comparison, *, twin: bool) -> list[str]:
    body = [[in_markdown(cell) for cell in _line(place)] for place in one.places]
    table = tabulate(body, HEADS, tablefmt="github", disable_numparse=True)
    return [f"### {one.protocol.name}", "", _about(one, twin=twin), "", table]


def _about(one: Comparison, *, twin: bool) -> str:
    """What is measured, where the board is, and what is to be beaten."""
    metric, folder = (
        one.protocol.scored(twin=twin).metrics[0],
        board_folder(one.protocol, twin=twin),
    )
    unit = f" in {metric.unit}" if metric.unit else ""
    said = [f"{one.protocol.title}; {metric.id}{unit}, {metric.better} is better."]
    if folder.exists():
        said.append(f"[Its board]({folder.relative_to(leaderboards())}/README.md).")
    if one.floor is None:
        said.append("No floor stands yet.")
    else:
        named = " ".join(filter(None, (one.floor.method, one.floor.variant)))
        said.append(f"Best floor: {in_markdown(named)}, {one.floor.value:.2f}.")
    return " ".join(said)


HEADS = (
    *("rank", "method", "value", "95 % interval", "gain over best floor"),
    *("seeds", "saw", "cost", "still to run"),
)


def _line(place: Place) -> list[str]:
    row = place.row
    command = f"`{place.command}`" if place.command else ""
    if row is None:
        return ["", place.arm.name, "", "", "", "0", "", "", command]
    return [
        row.places(),
        place.arm.name,
        f"{row.value:.2f}",
        row.interval(),
        str(row.over_floor or ""),
        str(len(row.seeds)),
        ", ".join(place.saw),
        duration(row.seconds),
        command,
    ]

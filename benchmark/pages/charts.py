"""Curves of a run: error against images seen, the probe's loss, and what its fit logged."""

from __future__ import annotations

from markupsafe import Markup

from benchmark.boards.plot import GREY, Axis, Plot, looks, number
from benchmark.contracts.errors import BenchError
from benchmark.pages.training_curves import logged
from benchmark.records.model import Record

WIDTH, HEIGHT = 330, 190


def charts_of(record: Record) -> list[tuple[str, Markup]]:
    """All curves of a run with their headings; those of its fit only where that is on this machine.

    A heading is the plot's title: the plot has none of its own.
    """
    charts = []
    if record.curve:
        charts.append(
            (
                "Error against images seen, on validation images (dashed: untrained)",
                curve_svg(record),
            )
        )
    charts += [(f"Training: {name}", svg) for name, svg in training_svgs(record).items()]
    if record.probe.get("loss_by_epoch"):
        charts.append(("Probe: training loss", loss_svg(record)))
    if record.probe.get("curve"):
        charts.append(("Share of images below each disagreement", disagreement_svg(record)))
    for frame, counts in record.probe.get("pose_errors", {}).items():
        charts.append((f"Pose errors, {frame}", pose_errors_svg(counts)))
    if record.probe.get("linearity_by_step"):
        charts.append(("Attributes along straight lines", linearity_svg(record)))
    return charts


def training_svgs(record: Record) -> dict[str, Markup]:
    """Each value that the fit logged; none where the fit is elsewhere, or its log can't be read."""
    try:
        curves = logged(record)
    except BenchError:
        return {}
    return {
        name: line_svg(
            points := curve.thinned(),
            names=(curve.along, name.rpartition("/")[2]),
            log=(False, all(value > 0 for _, value in points)),
        )
        for name, curve in curves.items()
    }


def curve_svg(record: Record) -> Markup:
    """Error on validation images against images seen; the dashed line is the untrained network."""
    unit = f" [{record.headline.unit}]" if record.headline.unit else ""
    return line_svg(
        [(float(p.images), p.value) for p in record.curve if p.images > 0],
        names=("images seen", f"{record.headline.metric}{unit}"),
        log=(True, False),
        level=next((p.value for p in record.curve if p.images == 0), None),
        dots=True,
    )


def loss_svg(record: Record) -> Markup:
    """The probe's training loss by epoch."""
    losses = [float(v) for v in record.probe.get("loss_by_epoch", [])]
    return line_svg(
        [(float(i), v) for i, v in enumerate(losses, start=1)],
        names=("epoch", "training loss"),
        log=(False, all(v > 0 for v in losses)),
    )


def disagreement_svg(record: Record) -> Markup:
    """The share of test images with at most a disagreement, as counted and after smoothing."""
    curve = record.probe["curve"]
    names = ("disagreement, in percent of the true mask", "share of images [%]")
    ends = Axis(0, 100 * curve["at"][-1], WIDTH)
    plot = Plot(ends, Axis(0, 100, HEIGHT), names=names)
    for (name, key), (colour, dash) in zip(
        (("counted", "share"), ("smoothed", "smoothed")), looks(), strict=False
    ):
        line = [(100 * x, 100 * y) for x, y in zip(curve["at"], curve[key], strict=True)]
        plot.line(line, colour=colour, dash=dash, width=1.5, says=name, legend=True)
    return plot.svg()


def pose_errors_svg(counts: list[int]) -> Markup:
    """Bars from 0 to 180 degrees: how many views have a pose error in each equal part."""
    most, wide = 1.05 * max(counts), 180 / len(counts)
    names = ("pose error [degrees]", "views")
    plot = Plot(Axis(0, 180, WIDTH), Axis(0, most, HEIGHT), names=names)
    for i, views in enumerate(counts):
        says = f"{number(i * wide)} to {number((i + 1) * wide)} degrees: {views} views"
        plot.box((i * wide, 0), ((i + 1) * wide, views), says=says)
    return plot.svg()


def linearity_svg(record: Record) -> Markup:
    """How far each attribute's logit is from the line between its ends, along a walk in w.

    Means over walks of the absolute deviation, in spreads of the attribute over all frames; an attribute
    that never changes has no line.
    """
    steps, spreads = record.probe["linearity_by_step"], record.probe["attribute_deviation"]
    lines = {
        name: [(i / (len(steps) - 1), step[a] / spreads[a]) for i, step in enumerate(steps)]
        for a, name in enumerate(attributes_of(record))
        if spreads[a] > 0
    }
    heights = [y for line in lines.values() for _, y in line]
    if not heights:
        return Markup("")
    plot = Plot(
        Axis.around([0.0, 1.0], WIDTH),
        Axis.around(heights, HEIGHT),
        names=("t, from one image to the other", "deviation, in spreads"),
    )
    for (name, line), (colour, dash) in zip(lines.items(), looks(), strict=False):
        plot.line(line, colour=colour, dash=dash, width=1.5, says=name, legend=True)
    return plot.svg()


def attributes_of(record: Record) -> list[str]:
    """The attributes that the linearity of a run's generator was read by, in the order of its tables."""
    names: list[str] = record.probe["linearity"]["classifier"]["attributes"]
    return names


def line_svg(
    points: list[tuple[float, float]],
    *,
    title: str = "",
    names: tuple[str, str],
    log: tuple[bool, bool] = (False, False),
    level: float | None = None,
    dots: bool = False,
) -> Markup:
    """A line through `points`, and a dashed one at `level`; empty where there is neither.

    `names` are those of the axes (x, y), `log` says which of them go by logarithms: their values
    must be positive.
    """
    heights = [y for _, y in points] + ([] if level is None else [level])
    if not heights:
        return Markup("")
    across = Axis.around([x for x, _ in points] or [1.0], WIDTH, log=log[0])
    plot = Plot(across, Axis.around(heights, HEIGHT, log=log[1]), names=names, title=title)
    if level is not None:
        ends = ((across.low, level), (across.high, level))
        plot.line(ends, colour=GREY, width=1, dash="4 4", says=number(level))
    if points:
        plot.line(points)
        if dots or len(points) == 1:
            says = [f"{across.label(x)} {names[0]}: {number(y)}" for x, y in points]
            plot.dots(points, says=says)
    return plot.svg()

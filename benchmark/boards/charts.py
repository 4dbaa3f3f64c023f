"""Curves of a record as SVG: error against images seen, and the probe's loss."""

from __future__ import annotations

from typing import Any

from benchmark.contracts.record import Record

WIDTH, HEIGHT = 460, 240


def curve_svg(record: Record) -> str:
    """Error on validation people against images seen; the dashed line is the untrained network."""
    import altair

    seen = [{"images": p.images, "value": p.value} for p in record.curve if p.images > 0]
    untrained = [{"value": p.value} for p in record.curve if p.images == 0]
    unit = record.headline.unit
    x = altair.X("images:Q", title="images seen", scale=altair.Scale(type="log"),
                 axis=altair.Axis(format="~s"))  # fmt: skip
    y = altair.Y(
        "value:Q", title=f"{record.headline.metric} [{unit}]", scale=altair.Scale(zero=False)
    )
    chart: Any = altair.Chart(altair.Data(values=seen)).mark_line(point=True).encode(x=x, y=y)
    if untrained:
        chart += (
            altair.Chart(altair.Data(values=untrained)).mark_rule(strokeDash=[4, 4]).encode(y=y)
        )
    title = f"{record.method.id} on {record.protocol.id}, validation people (dashed: untrained)"
    return _svg(chart, title)


def loss_svg(record: Record) -> str:
    """The probe's training loss by epoch."""
    import altair

    values = [
        {"epoch": i + 1, "loss": v} for i, v in enumerate(record.probe.get("loss_by_epoch", []))
    ]
    chart = (
        altair.Chart(altair.Data(values=values))
        .mark_line()
        .encode(
            x=altair.X("epoch:Q", title="epoch"),
            y=altair.Y("loss:Q", title="training loss", scale=altair.Scale(type="log")),
        )
    )
    return _svg(chart, f"probe {record.probe.get('name', '')}")


def _svg(chart: Any, title: str) -> str:
    import vl_convert

    spec = chart.properties(width=WIDTH, height=HEIGHT, title=title).to_json()
    text: str = vl_convert.vegalite_to_svg(spec)
    return text

"""A run's page: one HTML file that stands alone (no scripts, nothing fetched)."""

from __future__ import annotations

from pathlib import Path

import jinja2

from benchmark.boards.charts import curve_svg, loss_svg
from benchmark.contracts.record import Record
from benchmark.files import write_text

TEMPLATE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>run {{ r.run_id }}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse } td, th { padding: .15rem 1rem .15rem 0; text-align: left;
       vertical-align: top } th { font-weight: 500; color: #666 }
.big { font-size: 2rem } img, svg { max-width: 100%; height: auto } code { font-size: .9em }
.note { color: #a40 }
</style>
<h1>{{ r.method.id }} on {{ r.protocol.id }}@{{ r.protocol.version }}, seed {{ r.seed }}</h1>
{% if r.protocol.twin %}<p class="note">Twin: rendered data. The number says that the path works,
nothing about real images.</p>{% endif %}
{% if r.protocol.on == "validation" %}<p class="note">Scored on validation people; not for a
board.</p>{% endif %}
{% for v in r.metrics %}
<p><span class="big">{{ "%.2f"|format(v.value) }} {{ v.unit }}</span> {{ v.metric }},
{{ v.interval() }} ({{ v.better }} is better)</p>
{% endfor %}
{% if curve %}<h2>Error against images seen</h2>{{ curve }}{% endif %}
{% if loss %}<h2>Probe</h2>{{ loss }}{% endif %}
{% if pictures %}<h2>Test images, from best to worst</h2>
<p>Green: truth. Red: prediction. The number is the image's {{ r.headline.metric }}.</p>
<img src="{{ pictures }}" alt="Predictions and truth on up to 32 test images">{% endif %}
{% for file, title, words in points %}<h2>{{ title }}</h2>
<p>{{ words }}</p>
<img src="{{ file }}" alt="{{ title }}">{% endfor %}
{% if generated %}<h2>Generated images</h2>
<p>The first 32 from seed 0, none picked.</p>
<img src="{{ generated }}" alt="32 generated images">{% endif %}
<h2>How it was obtained</h2>
<table>
{% for name, value in facts %}<tr><th>{{ name }}</th><td>{{ value }}</td></tr>{% endfor %}
</table>
"""

POINTS = {
    "points": (
        "Points discovered",
        "On test images, none picked, before any probe: equal colours for equal points. Below them "
        "what the method itself shows.",
    ),
    "points_by_step": (
        "Points as training goes on",
        "The same test images at each milestone of the fit.",
    ),
}


def write_page(record: Record, folder: Path) -> Path:
    """Write `page.html` into the run's folder."""
    environment = jinja2.Environment(autoescape=True)
    pictures, generated = (folder / "pictures" / f"{n}.png" for n in ("predictions", "generated"))
    text = environment.from_string(TEMPLATE).render(
        r=record,
        curve=jinja2.utils.markupsafe.Markup(curve_svg(record)) if record.curve else "",
        loss=jinja2.utils.markupsafe.Markup(loss_svg(record))
        if record.probe.get("loss_by_epoch")
        else "",
        pictures="pictures/predictions.png" if pictures.exists() else "",
        points=[
            (f"pictures/{name}.png", *about)
            for name, about in POINTS.items()
            if (folder / "pictures" / f"{name}.png").exists()
        ],
        generated="pictures/generated.png" if generated.exists() else "",
        facts=facts(record),
    )
    target = folder / "page.html"
    write_text(target, text)
    return target


def facts(record: Record) -> list[tuple[str, str]]:
    """How a number was obtained, in pairs of words."""
    settings = ", ".join(f"{k} = {v}" for k, v in record.method.settings.items())
    stages = ", ".join(
        f"{k} {v.seconds:.0f} s{' (found)' if v.reused else ''}" for k, v in record.stages.items()
    )
    return [
        ("run", record.run_id),
        ("fit", record.fit_id),
        ("preset", record.method.preset),
        ("settings", settings),
        ("supervision", record.method.supervision),
        ("pretrained weights", ", ".join(p["name"] for p in record.method.pretrained) or "none"),
        ("protocol digest", record.protocol.digest),
        *(
            (f"data {n}", f"{d.split}, {d.images} images, pixels {d.pixels[:16]}")
            for n, d in record.data.items()
        ),
        ("code", f"{record.code.commit[:12]}{' (changed)' if record.code.dirty else ''}"),
        ("packages", ", ".join(f"{k} {v}" for k, v in record.packages.items())),
        ("hardware", ", ".join(f"{k} {v}" for k, v in record.hardware.items())),
        ("time", stages),
        ("throughput", ", ".join(f"{k} {v:,.0f} images/s" for k, v in record.throughput.items())),
        ("peak memory", f"{record.peak_memory_bytes / 2**30:.1f} GiB"),
        ("notes", "; ".join(record.notes)),
        ("finished", record.finished),
    ]

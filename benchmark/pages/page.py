"""A run's page: one HTML file that stands alone (no scripts, nothing fetched)."""

from __future__ import annotations

from pathlib import Path

import jinja2

from benchmark.boards.pictures import pictures_of
from benchmark.files import write_text
from benchmark.pages.charts import charts_of
from benchmark.records.model import External, PluginCode, Record

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
.note { color: #a40 } .charts { display: grid; gap: 1rem;
       grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)) }
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
{% if charts %}<h2>Curves</h2>
<div class="charts">{% for _, chart in charts %}{{ chart }}{% endfor %}</div>{% endif %}
{% for p in pictures %}<h2>{{ p.title }}</h2>
<p>{{ p.words }}</p>
<img src="pictures/{{ p.path.name }}" alt="{{ p.title }}">{% endfor %}
<h2>How it was obtained</h2>
<table>
{% for name, value in facts %}<tr><th>{{ name }}</th><td>{{ value }}</td></tr>{% endfor %}
</table>
"""


def write_page(record: Record, folder: Path) -> Path:
    """Write `page.html` into the run's folder."""
    environment = jinja2.Environment(autoescape=True)
    text = environment.from_string(TEMPLATE).render(
        r=record,
        charts=charts_of(record),
        pictures=pictures_of(record, folder),
        facts=facts(record),
    )
    target = folder / "page.html"
    write_text(target, text)
    return target


def _code_of(plugin: PluginCode | None) -> str:
    if plugin is None:
        return ""
    commit = f", commit {plugin.commit[:12]}" if plugin.commit else ""
    changed = " (changed)" if plugin.dirty else ""
    return f"{plugin.distribution} {plugin.version}{commit}{changed}, files {plugin.digest[:16]}"


def _file_of(external: External | None) -> list[tuple[str, str]]:
    if external is None:
        return []
    file = f"{external.file}, {external.bytes:,} bytes, sha256 {external.sha256[:16]}"
    return [("scored from a file", file), ("which was made by", external.made_by)]


def facts(record: Record) -> list[tuple[str, str]]:
    """How a number was obtained, in pairs of words; what a record has nothing to say of is left out."""
    settings = ", ".join(f"{k} = {v}" for k, v in record.method.settings.items())
    stages = ", ".join(
        f"{k} {v.seconds:.0f} s{' (found)' if v.reused else ''}" for k, v in record.stages.items()
    )
    found = [
        ("run", record.run_id),
        ("fit", record.fit_id),
        *([("scored again from", record.parent)] if record.parent else []),
        *_file_of(record.external),
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
        ("code of the method", _code_of(record.code.plugin)),
        ("packages", ", ".join(f"{k} {v}" for k, v in record.packages.items())),
        ("hardware", ", ".join(f"{k} {v}" for k, v in record.hardware.items())),
        ("time", stages),
        ("throughput", ", ".join(f"{k} {v:,.0f} images/s" for k, v in record.throughput.items())),
        ("peak memory", f"{record.peak_memory_bytes / 2**30:.1f} GiB"),
        ("notes", "; ".join(record.notes)),
        ("finished", record.finished),
    ]
    return [(name, value) for name, value in found if value]

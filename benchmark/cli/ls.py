"""`bench ls`: methods, protocols, data sets, runs. Imports no torch, NumPy or pandas."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmark.cli.names import complete_either, complete_methods, complete_protocols
from benchmark.cli.output import as_json, table

if TYPE_CHECKING:
    from benchmark.protocols import Protocol

SAID_OF_A_RUN = frozenset(
    ("run_id", "fit_id", "method", "preset", "protocol", "twin", "on", "seed", "started")
)
"""What a list of runs tells of each from its `run.json`."""

WHAT = (
    "methods", "presets", "protocols", "tasks", "metrics", "datasets", "boards", "runs",
)  # fmt: skip


@click.command()
@click.argument("what", type=click.Choice(WHAT))
@click.option("--method", "-m", default="", shell_complete=complete_methods,
              help="Of the runs or presets those of this method.")  # fmt: skip
@click.option("--protocol", "-p", default="", shell_complete=complete_protocols,
              help="Of the runs those under this protocol.")  # fmt: skip
@click.option("--for", "for_", default="", metavar="NAME", shell_complete=complete_either,
              help="Of the protocols those that a method can run under, of the methods those that can "
              "run under a protocol.")  # fmt: skip
@click.option("--here", is_flag=True, help="Of protocols and data sets those whose data is here.")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def command(what: str, method: str, protocol: str, for_: str, here: bool, json_: bool) -> None:
    """List methods, presets, protocols, tasks, metrics, data sets, boards or runs.

    The settings of a run are those it was given.
    """
    if for_ and what not in ("protocols", "methods"):
        raise click.UsageError(
            "--for chooses among protocols and methods: bench ls protocols --for METHOD, "
            "bench ls methods --for PROTOCOL"
        )
    if here and what not in ("protocols", "datasets"):
        raise click.UsageError("--here chooses among protocols and data sets")
    if what == "runs":
        _runs(json_, method, protocol)
    elif what == "presets" and not protocol:
        _presets(json_, method)
    elif method or protocol:
        raise click.UsageError("--method and --protocol choose among runs: bench ls runs")
    elif what == "protocols":
        _protocols(json_, for_, here)
    elif what == "datasets":
        _datasets(json_, here)
    elif what == "methods":
        _methods(json_, for_)
    else:
        {"tasks": _tasks, "metrics": _metrics, "boards": _boards}[what](json_)


def protocols_for(gives: Iterable[str]) -> list[str]:
    """The protocols that score one of these kinds of prediction, or one derived from them.

    Their files are read without the full model (pydantic is slow to import).
    """
    from benchmark.registry.protocols import known_files

    kinds = _kinds(gives)
    return [name for name, path in known_files().items() if kinds & _needs(path)]


def _kinds(gives: Iterable[str]) -> set[str]:
    """These kinds of prediction and those that are derived from them."""
    from benchmark.contracts.spec import DERIVED

    return {kind for given in gives for kind in (given, *DERIVED.get(given, ()))}


def _needs_of(protocol: str) -> set[str]:
    """The kinds of prediction of which a protocol scores one; raises `UnknownName`."""
    from benchmark.registry.protocols import protocol_path

    return _needs(protocol_path(protocol))


@cache
def _needs(path: Path) -> set[str]:
    import tomllib

    try:
        return set(tomllib.loads(path.read_text("utf-8")).get("needs", ()))
    except (
        OSError,
        ValueError,
        TypeError,
    ):  # broken, as `bench plugins` says: no method's protocol
        return set()


def _methods(json_: bool, for_: str = "") -> None:
    from benchmark.registry.plugins import plugins

    found = plugins()
    needs = _needs_of(for_) if for_ else set()
    rows: list[dict[str, Any]] = []
    for spec in sorted(found.methods.values(), key=lambda s: (s.role != "method", s.role, s.id)):
        if for_ and not needs & _kinds(spec.gives):
            continue
        rows.append(
            {
                "method": spec.id,
                "role": spec.role,
                "gives": list(spec.gives),
                "presets": list(spec.presets),
                "protocols": protocols_for(spec.gives),
                "plugin": found.provider[spec.id],
                "summary": spec.summary,
            }
        )
    failures = [{"plugin": f.name, "error": f.error} for f in found.failures]
    if json_:
        as_json({"methods": rows, "broken": failures})
        return
    if for_ and not rows:
        click.echo(f"none gives {' or '.join(sorted(needs))}: `bench method new` begins one")
        return
    table(
        ["method", "role", "gives", "presets", "protocols", "summary"],
        [
            [
                r["method"],
                r["role"],
                _some(r["gives"], 2),
                _some(r["presets"], 4),
                len({p.partition("@")[0] for p in r["protocols"]}),
                r["summary"],
            ]
            for r in rows
        ],
        cut=["gives", "presets", "summary"],
        drop=["protocols", "role", "presets", "gives"],
    )
    for failure in failures:
        click.secho(f"broken  {failure['plugin']}: {failure['error']}", fg="red")
    if failures:
        click.secho("`bench doctor` shows where each broke", dim=True)


def _some(names: list[str], most: int) -> str:
    return " ".join(names[:most]) + (f" +{len(names) - most}" if len(names) > most else "")


def _presets(json_: bool, method: str) -> None:
    from benchmark.registry.plugins import plugins

    found = plugins()
    specs = [found.method(method)] if method else sorted(found.methods.values(), key=lambda s: s.id)
    rows: list[dict[str, Any]] = [
        {
            "method": spec.id,
            "preset": preset,
            "taken": [
                words
                for words, taken in (
                    ("by default", spec.default_preset),
                    ("on twins", spec.twin_preset),
                )
                if taken == preset
            ],
            "settings": chosen,
        }
        for spec in specs
        for preset, chosen in spec.presets.items()
    ]
    if json_:
        as_json(rows)
        return
    from benchmark.settings import settings_words

    table(
        ["method", "preset", "taken", "settings"],
        [[r["method"], r["preset"], ", ".join(r["taken"]), " ".join(settings_words(r["settings"]))]
         for r in rows],
    )  # fmt: skip


def _metrics(json_: bool) -> None:
    """What can be measured; a protocol's metrics state their threshold and unit."""
    from benchmark.metrics.catalogue import CATALOGUE

    rows: list[dict[str, Any]] = [
        {
            "metric": name,
            "better": measure.better,
            "unit": measure.unit,
            "formula": measure.formula,
        }
        for name, measure in CATALOGUE.items()
    ]
    if json_:
        as_json(rows)
        return
    table(
        ["metric", "better", "unit", "formula"],
        [[r["metric"], r["better"], r["unit"] or "protocol's", r["formula"]] for r in rows],
        drop=["unit"],
    )


def _boards(json_: bool) -> None:
    """Boards that have records, on real data before those of twins."""
    from benchmark.boards.standings import standings
    from benchmark.pages.tables import best_method
    from benchmark.registry.protocols import all_protocols

    boards = [b for b in standings(all_protocols()) if b.kind != "reported"]
    rows: list[dict[str, Any]] = [
        {
            "board": board.name,
            "runs": board.runs,
            "metric": board.headline.id,
            "best": best_method(board),
            "title": board.protocol.title,
        }
        for board in sorted(boards, key=lambda b: b.twin)
    ]
    if json_:
        as_json(rows)
    elif rows:
        table(
            ["board", "runs", "metric", "best method", "title"],
            [list(r.values()) for r in rows],
            cut=["best method", "title"],
            drop=["title", "metric"],
            right=["runs"],
        )
    else:
        click.echo("no records yet: bench run --method lead --protocol ytf5 --preset small")


def data_sets(protocol: Protocol) -> list[str]:
    """The data sets that a protocol takes images of."""
    data = protocol.data
    splits = [data.fit, data.train, data.test, *data.domains.values()]
    return list(dict.fromkeys(split.partition(":")[0] for split in splits if split))


def _protocols(json_: bool, for_: str, here: bool) -> None:
    from benchmark.datasets.places import locate
    from benchmark.protocols import LOCK, read_lock
    from benchmark.registry.plugins import plugins
    from benchmark.registry.protocols import all_broken, all_protocols, protocol_folders

    able = protocols_for(plugins().method(for_).gives) if for_ else None
    broken = all_broken()
    locks = [one.path for one in broken]
    frozen: dict[str, str] = {}
    for folder in protocol_folders():
        if folder / LOCK not in locks:
            frozen |= read_lock(folder)
    rows: list[dict[str, Any]] = [
        {
            "protocol": p.name,
            "task": p.task,
            "needs": list(p.needs),
            "size": p.size,
            "frozen": p.name in frozen,
            "title": p.title,
        }
        for p in all_protocols()
        if (able is None or p.name in able)
        and not (here and any(locate(name) is None for name in data_sets(p)))
    ]
    for one in broken if json_ else ():
        click.secho(f"broken  {one.name}: {one.reason}", fg="red", err=True)
    if json_:
        as_json(rows)
        return
    if not rows and (for_ or here):
        click.echo(
            "none; without --for and --here all are listed, and --twin runs any of them here"
        )
    table(
        ["protocol", "task", "scores", "px", "title"],
        [
            [r["protocol"] + ("" if r["frozen"] else " (draft)"), r["task"],
             ", ".join(r["needs"]), r["size"], r["title"]]
            for r in rows
        ],
        drop=["px", "scores", "task"],
    )  # fmt: skip
    for one in broken:
        click.secho(f"broken  {one.name}: {one.reason}", fg="red")


def _datasets(json_: bool, here: bool = False) -> None:
    from benchmark.datasets.places import locate
    from benchmark.registry.plugins import plugins

    rows = [
        {
            "dataset": spec.id,
            "there": str(locate(spec.id) or ""),
            "download": spec.downloadable,
            "terms": spec.terms,
            "summary": spec.summary,
        }
        for spec in plugins().datasets.values()
        if not here or locate(spec.id) is not None
    ]
    if json_:
        as_json(rows)
        return
    table(
        ["data set", "there", "download", "summary"],
        [
            [r["dataset"], r["there"] or "no", "bench data get" if r["download"] else "ask",
             r["summary"]]
            for r in rows
        ],
        cut=["there", "summary"],
        drop=["download"],
    )  # fmt: skip


def _tasks(json_: bool) -> None:
    from benchmark.tasks.accepts import TASKS

    rows: list[dict[str, Any]] = [
        {
            "task": name,
            "needs": list(task.kinds),
            "sections": list(task.sections),
            "labels": list(task.labels),
            "measures": list(task.measures),
        }
        for name, task in TASKS.items()
    ]
    if json_:
        as_json(rows)
        return
    table(
        ["task", "scores", "sections", "labels", "measures"],
        [[r["task"], *(", ".join(r[k]) for k in ("needs", "sections", "labels", "measures"))]
         for r in rows],
        cut=["labels", "measures", "sections"],
        drop=["sections", "labels"],
    )  # fmt: skip


def _finished(path: Path) -> dict[str, Any]:
    """What a run's list tells from its record: the headline, and the settings given (older runs said
    them there alone)."""
    if not path.exists():
        return {"value": None}
    record = json.loads(path.read_text("utf-8"))
    value = record["metrics"][0]
    return {
        "value": f"{value['value']:.2f} {value['unit']}".rstrip(),
        "given": record["method"]["settings_given"],
    }


def _state(run: Path, fit: Path) -> str:
    if (run / "record.json").exists():
        return "done"
    if (fit / "done.json").exists():
        return "fitted"
    return "begun (checkpoint)" if any(fit.glob("checkpoint*.pt")) else "begun"


def _runs(json_: bool, method: str = "", protocol: str = "") -> None:
    from benchmark.files import listed
    from benchmark.home import home
    from benchmark.registry.protocols import known_files
    from benchmark.settings import settings_words

    rows, installed = [], known_files()
    for path in listed(home() / "runs", "*/run.json"):
        try:
            about = dict(json.loads(path.read_text("utf-8")))
            about |= _finished(path.parent / "record.json")
            if lacking := SAID_OF_A_RUN - about.keys():
                raise KeyError(f"run.json lacks {', '.join(sorted(lacking))}")
            named = {about["protocol"], about["protocol"].partition("@")[0]}
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            click.secho(f"damaged: {path.parent}: {error}", fg="red", err=True)
            continue
        if (method and about["method"] != method) or (protocol and protocol not in named):
            continue
        about["state"] = _state(path.parent, home() / "fits" / about["fit_id"])
        rows.append(about)
    rows.sort(key=lambda r: r["started"])
    if json_:
        as_json(rows)
        return
    if not rows:
        click.echo("no runs on this machine yet: bench run; those on boards: bench ls boards")
        return
    table(
        ["run", "method", "preset", "settings", "protocol", "seed", "state", "value", "started"],
        [
            [r["run_id"], r["method"], r["preset"], " ".join(settings_words(r.get("given", {}))),
             r["protocol"] + (" twin" if r["twin"] else "")
             + (" validation" if r["on"] == "validation" else "")
             + (" draft" if r.get("draft") and r["protocol"] not in installed else ""),
             r["seed"], r["state"], r["value"], r["started"][:16].replace("T", " ")]
            for r in rows
        ],
        cut=["settings", "protocol"],
        drop=["started", "state", "preset"],
    )  # fmt: skip

"""`bench doctor`: what this machine has, and the cure for each problem."""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmark.cli.output import as_json, size
from benchmark.contracts.errors import BenchError
from benchmark.version import installed

if TYPE_CHECKING:
    from benchmark.contracts.weights import Weights

ENOUGH_DISK = 10 * 2**30
MEND_FILES = "mend these files; all others are there. `bench protocol check` lists every fault"


@click.command()
@click.option("--data", "all_data", is_flag=True, help="A line for each data set that isn't here.")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def command(all_data: bool, json_: bool) -> None:
    """Check environment, accelerator, disk, data and plugins; each problem is listed with its cure.

    The last line is the verdict: what can be run here.
    """
    checks = [*_packages(), _accelerator(), *_places(), *_data(), *_weights(), *_plugins()]
    if json_:
        as_json(checks)
    else:
        absent = [c for c in checks if c["what"].startswith("data ") and c["state"] == "note"]
        for check in checks:
            if check in absent and not all_data:
                continue
            mark, colour = {"ok": ("✓", "green"), "note": ("·", "yellow")}.get(
                check["state"], ("✗", "red")
            )
            click.secho(f"{mark} ", fg=colour, nl=False)
            click.echo(f"{check['what']}: {check['found']}")
            if check["cure"]:
                click.echo(f"    cure: {check['cure']}")
        if absent and not all_data:
            click.echo(f"· {len(absent)} data sets are not here: `bench doctor --data` names them")
        click.secho(_verdict(checks), bold=True)
    if any(c["state"] == "problem" for c in checks):
        raise click.exceptions.Exit(1)


def _check(state: str, what: str, found: str, cure: str = "") -> dict[str, Any]:
    return {"state": state, "what": what, "found": found, "cure": cure}


def _verdict(checks: list[dict[str, Any]]) -> str:
    """What can be run here, in a line."""
    from benchmark.cli.ls import data_sets
    from benchmark.datasets.places import locate
    from benchmark.registry.protocols import all_protocols

    if problems := [c["what"] for c in checks if c["state"] == "problem"]:
        return f"not ready: {len(problems)} to mend ({', '.join(problems[:12])})"
    every = {p.id: p for p in all_protocols()}
    real = [p for p in every.values() if all(locate(name) for name in data_sets(p))]
    gpu = any(c["what"] == "accelerator" and c["state"] == "ok" for c in checks)
    return (
        f"ready: {len(real)} of {len(every)} protocols on real data (`bench ls protocols --here`), all "
        f"on twins; {'a GPU' if gpu else 'no GPU, so the presets small and demo'}"
    )


def _packages() -> list[dict[str, Any]]:
    found = [_check("ok", "Python", f"{platform.python_version()} at {sys.executable}")]
    for name in ("structbench", "torch", "torchvision", "lightning-fabric"):
        if found_version := installed(name):
            found.append(_check("ok", name, found_version))
        else:
            cure = "pip install -e . in the checkout" if name == "structbench" else (
                f"pip install {name} (plain from PyPI)"
            )  # fmt: skip
            found.append(_check("problem", name, "not installed", cure))
    try:
        import torch  # noqa: F401
        import torchvision  # noqa: F401
    except Exception as error:
        found.append(
            _check(
                "problem",
                "torch and torchvision",
                f"cannot be imported together: {type(error).__name__}: {error}",
                "install both plainly from PyPI, in one command, so that they match",
            )
        )
    return found


def _accelerator() -> dict[str, Any]:
    try:
        import torch
    except Exception:
        return _check("note", "accelerator", "unknown without torch")
    if torch.cuda.is_available():
        names = [
            f"{torch.cuda.get_device_name(i)}, "
            f"{size(torch.cuda.get_device_properties(i).total_memory)}"
            for i in range(torch.cuda.device_count())
        ]
        return _check("ok", "accelerator", "; ".join(names))
    if shutil.which("nvidia-smi"):
        return _check(
            "problem",
            "accelerator",
            "there is an NVIDIA driver, but PyTorch sees no device",
            f"torch is built for CUDA {torch.version.cuda}; update the driver or install a build "
            "for an older CUDA",
        )
    return _check(
        "note", "accelerator", f"none; CPU with {torch.get_num_threads()} threads",
        "fine for the presets small and demo; paper needs a GPU",
    )  # fmt: skip


def _places() -> list[dict[str, Any]]:
    from benchmark.home import home, leaderboards

    place = home()
    there = next(p for p in (place, *place.parents) if p.exists())
    free = shutil.disk_usage(there).free
    disk = _check("ok", "BENCH_HOME", f"{place}, {size(free)} free")
    if free < ENOUGH_DISK:
        disk = _check(
            "problem", "BENCH_HOME", f"{place}, only {size(free)} free",
            "free some space or set BENCH_HOME to a folder on a larger disk",
        )  # fmt: skip
    boards = _check("ok", "leaderboards", str(leaderboards()))
    return [_writable(disk, place), _writable(boards, leaderboards())]


def _writable(check: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The check, or that nothing can be written there."""
    from benchmark.files import require_place

    try:
        require_place(folder)
    except BenchError as error:
        return _check("problem", check["what"], error.message, error.cure)
    return check


def _data() -> list[dict[str, Any]]:
    from benchmark.datasets.places import locate
    from benchmark.registry.plugins import plugins

    found = []
    for spec in plugins().datasets.values():
        place = locate(spec.id)
        if place:
            found.append(_check("ok", f"data {spec.id}", str(place)))
        else:
            cure = (
                f"bench data get {spec.id}" if spec.downloadable
                else f"ask at {spec.homepage}; `bench data verify {spec.id}` says what goes where"
            )  # fmt: skip
            found.append(_check("note", f"data {spec.id}", "not there", cure))
    return found


def _weights() -> list[dict[str, Any]]:
    """The weights that methods here declare, with any of their presets, and whether they are there."""
    from benchmark.contracts.errors import DataAltered, DataMissing
    from benchmark.networks.weights import find

    found = []
    for weights, methods in _declared().items():
        what = f"weights {weights.name}"
        try:
            found.append(_check("ok", what, str(find(weights))))
        except DataMissing as error:
            text = f"not there; for {', '.join(sorted(methods))}"
            found.append(_check("note", what, text, error.cure))
        except DataAltered as error:
            found.append(_check("problem", what, error.message, error.cure))
    return found


def _declared() -> dict[Weights, set[str]]:
    """By weights, which methods declare them; those in a process of their own are not asked."""
    from benchmark.registry.implementations import implementation
    from benchmark.registry.plugins import plugins
    from benchmark.settings import resolve_settings

    found: dict[Weights, set[str]] = {}
    for spec in plugins().methods.values():
        for preset in spec.presets or [""]:
            if spec.environment is not None:
                continue
            try:
                cls = implementation(spec)
                _, settings = resolve_settings(spec, cls, preset, {})
                pretrained = cls.info(settings).pretrained
            except Exception:  # `bench plugins --check` says why
                continue
            for weights in pretrained:
                found.setdefault(weights, set()).add(spec.id)
    return found


def _plugins() -> list[dict[str, Any]]:
    from benchmark.home import builtin_folder
    from benchmark.registry.plugins import plugins

    loaded = plugins()
    found = []
    for row in loaded.rows:
        if row.error:
            continue
        about = f"{row.distribution} {row.version}: {row.brings_what()}"
        broken = _broken(row.folders)
        found.append(
            _check("problem", f"plugin {row.name}", f"{about}; {broken}", MEND_FILES)
            if broken
            else _check("ok", f"plugin {row.name}", about)
        )
    if broken := _broken((builtin_folder(),)):
        found.append(_check("problem", "protocols of bench", broken, MEND_FILES))
    for failure in loaded.failures:
        where = failure.detail.strip().splitlines()
        lines = [line.strip() for line in where if line.strip().startswith("File ")]
        found.append(
            _check(
                "problem",
                f"plugin {failure.name}",
                failure.error + (f" ({lines[-1]})" if lines else ""),
                "mend the plugin, or uninstall it",
            )
        )
    if not loaded.rows:
        found.append(_check("problem", "plugins", "none installed", "pip install -e plugins/lead"))
    return found


def _broken(folders: tuple[Path, ...]) -> str:
    """What is refused alone in folders of protocols, in words; empty where nothing is."""
    from benchmark.protocols import broken_files

    return "; ".join(f"{one.name} is broken: {one.reason}" for one in broken_files(folders))

"""A fit on this machine, found by its run's id or its own, without the data that it was fitted on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.contracts.errors import DataMissing, Incompatible, by_beginning
from benchmark.contracts.method import Ceiling, Method, MethodSettings, load_from
from benchmark.contracts.spec import Kind
from benchmark.files import listed, read_json
from benchmark.home import home, leaderboards
from benchmark.method_errors import errors_of
from benchmark.networks.weights import finder
from benchmark.protocols import Protocol
from benchmark.records.reading import read_record
from benchmark.registry.implementations import implementation
from benchmark.registry.plugins import plugins
from benchmark.registry.protocols import find_protocol
from benchmark.settings import validated
from benchmark.tasks.base import kind_used


@dataclass(frozen=True)
class Fitted:
    """A fitted method, and the run that says with which settings and for which protocol."""

    run_id: str
    fit_id: str
    name: str
    """Id of the method."""
    cls: type[Method]
    settings: MethodSettings
    protocol: Protocol
    kind: Kind
    """What the run scored of it."""
    twin: bool = False
    """Whether the run was on the protocol's twin."""

    def require_pictures(self) -> None:
        """Refuse what can't predict on pictures of one's own: ceilings and generators."""
        if issubclass(self.cls, Ceiling):
            raise Incompatible(
                f"{self.name} is a ceiling: it predicts from labels, not from pictures"
            )
        if self.kind == "generator":
            raise Incompatible(f"{self.name} generates images; it predicts nothing on pictures")

    def method(self, device: str) -> Method:
        """The method, ready to predict on a device."""
        return load_method(
            self.cls,
            self.settings,
            _model(self.fit_id),
            device,
            kind=self.kind,
            weights=finder(self.cls.info(self.settings).pretrained),
        )


def load_method(
    cls: type[Method],
    settings: MethodSettings,
    folder: Path,
    device: str,
    *,
    kind: Kind,
    weights: Callable[[str], Path],
) -> Method:
    """What `save` left in a folder, ready to predict a `kind` on a device."""
    method = cls(settings)
    method.kind, method.pretrained = kind, weights
    cure = "mend the method; if its fit was made by other code, --anew makes it again"
    with errors_of(method, "load", cure):
        load_from(method, folder, device)
    return method


def find_fitted(name: str) -> Fitted:
    """The fit of a run, by the run's id, the fit's, or the beginning of one of them.

    Raises `UnknownName` where no run or several begin so, `DataMissing` where the fit is not here (any
    more), and `Incompatible` for fits of another version of the method and for runs without a fit, whose
    predictions came as a file.
    """
    run_id, about = _run(name)
    if about.get("origin") == "external":
        raise Incompatible(
            f"run {run_id} was scored from a file of predictions: nothing was fitted"
        )
    if not _model(about["fit_id"]).exists():
        raise DataMissing(
            f"the fit {about['fit_id']} of run {run_id} is not on this machine",
            cure=f"fit it here: {command_of(about)}",
        )
    spec, protocol = plugins().method(about["method"]), find_protocol(about["protocol"])
    if about.get("version", spec.version) != spec.version:
        raise Incompatible(
            f"run {run_id} was fitted by version {about['version']} of {spec.id}, "
            f"here is {spec.version}",
            cure=f"fit it again: {command_of(about)}",
        )
    cls = implementation(spec)
    settings = validated(spec.id, cls.Settings, about["settings"])
    kind = kind_used(cls.info(settings).gives, protocol, spec.id)
    twin = bool(about.get("twin"))
    return Fitted(run_id, about["fit_id"], spec.id, cls, settings, protocol, kind, twin)


def command_of(about: Mapping[str, Any]) -> str:
    """The words that make a run."""
    words = ["bench run", f"--method {about['method']}", f"--protocol {about['protocol']}"]
    words += [f"--preset {about['preset']}"] if about.get("preset") else []
    words += ["--twin"] if about.get("twin") else []
    return " ".join([*words, f"--seed {about.get('seed', 0)}"])


def _model(fit_id: str) -> Path:
    return home() / "fits" / fit_id / "model"


def _run(name: str) -> tuple[str, dict[str, Any]]:
    """The id of the run meant, and what it says of itself."""
    known = {path.parent.name: _begun(path) for path in listed(home() / "runs", "*/run.json")}
    for path in listed(leaderboards(), "**/*.json"):
        if path.stem not in known and path.stem.startswith(name):
            known[path.stem] = _recorded(path)
    if not any(run.startswith(name) for run in known):
        of_fit = {about["fit_id"]: run for run, about in sorted(known.items(), reverse=True)}
        if any(fit.startswith(name) for fit in of_fit):
            name = of_fit[by_beginning("fit", name, of_fit)]
    run = by_beginning("fitted run", name, known)
    return run, known[run]


def _begun(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = read_json(path, f"delete {path.parent}")
    record = path.with_name("record.json")
    if not record.exists():
        return found
    made = read_record(record).method
    return found | {"version": made.version, "origin": made.origin}


def _recorded(path: Path) -> dict[str, Any]:
    record = read_record(path)
    return {
        "fit_id": record.fit_id,
        "method": record.method.id,
        "version": record.method.version,
        "origin": record.method.origin,
        "preset": record.method.preset,
        "settings": record.method.settings,
        "protocol": f"{record.protocol.id}@{record.protocol.version}",
        "twin": record.protocol.twin,
        "seed": record.seed,
    }

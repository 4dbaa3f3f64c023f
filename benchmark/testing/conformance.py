"""Does a method keep its contract? A list of checks on a tiny twin, each with one of four outcomes.

`bench method check NAME` prints them; in a plugin's own tests:

    from benchmark.testing.conformance import check_method

    @pytest.mark.parametrize("check", checks_of("grid"), ids=str)
    def test_it_keeps_the_contract(check):
        check()

Which checks there are follows from what the method declares: its kinds, pictures, several processes. The
fits are made with the settings that the registration names in `tiny`, so that they end in seconds.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmark.contracts.errors import BenchError, PluginBroken
from benchmark.contracts.spec import MethodSpec
from benchmark.registry.implementations import implementation
from benchmark.registry.plugins import plugins
from benchmark.settings import merge, resolve_settings
from benchmark.testing.checks import CHECKS, Broken, Check
from benchmark.testing.trial import CheckSkipped, Killed, Trial

State = Literal["passed", "failed", "expected", "not asked"]


@dataclass(frozen=True)
class Outcome:
    """One check: "passed", "failed", or "expected" to fail for the reason the method gives.

    "not asked" where what it builds on, the tiny fit say, failed in a check before. `cure` is what bench
    says of a failure besides.
    """

    check: str
    state: State
    detail: str = ""
    cure: str = ""


def check_method(
    name: str,
    given: Mapping[str, Any] | None = None,
    *,
    progress: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Run all checks of a registered method; `given` are settings on top of its `tiny` ones.

    A check that the method's `known_failures` names and that fails is "expected"; one that they name
    and that passes is "failed", so that the list stays true. Raises `SettingsInvalid` where `given` are
    no settings of the method.
    """
    spec = plugins().method(name)
    if given:
        _require_settings(spec, given)
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as scratch:
        for case in _cases(Trial(spec, dict(given or {}), Path(scratch))):
            outcome = case.outcome()
            outcomes.append(outcome)
            if progress is not None:
                progress(outcome)
    return outcomes


@dataclass(frozen=True)
class Case:
    """One check of one method: raises `AssertionError` where it does not hold."""

    check: Check
    trial: Trial

    def __str__(self) -> str:
        return self.check.name

    def __call__(self) -> None:
        outcome = self.outcome()
        cure = f"\n  cure: {outcome.cure}" if outcome.cure else ""
        assert outcome.state in ("passed", "expected"), f"{outcome.detail}{cure}"

    def outcome(self) -> Outcome:
        """How it went."""
        return _outcome(self.check, self.trial)


def checks_of(name: str, given: Mapping[str, Any] | None = None) -> list[Case]:
    """The checks of a registered method as cases for `pytest.mark.parametrize(…, ids=str)`.

    They share the fits that they need, which are made when the first of them is called. Errors as
    `check_method`.
    """
    spec = plugins().method(name)
    if given:
        _require_settings(spec, given)
    scratch = Path(tempfile.mkdtemp(prefix="bench-check-"))
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    return list(_cases(Trial(spec, dict(given or {}), scratch)))


def _cases(trial: Trial) -> Iterator[Case]:
    return (Case(check, trial) for check in CHECKS if check.applies(trial))


def _require_settings(spec: MethodSpec, given: Mapping[str, Any]) -> None:
    """What was given is the caller's own; all else that may be wrong the checks tell."""
    try:
        cls = implementation(spec)
    except PluginBroken:
        return
    resolve_settings(spec, cls, "", merge(dict(spec.tiny), given), twin=True)


def _cure(error: BaseException) -> str:
    """That of an error of bench's own; what wraps the method's speaks of --debug, of no use here."""
    foreign = error.__cause__ is not None and not isinstance(error.__cause__, BenchError)
    return error.cure if isinstance(error, BenchError | Broken) and not foreign else ""


def _outcome(check: Check, trial: Trial) -> Outcome:
    known = trial.spec.known_failures.get(check.name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            detail = check.run(trial) or ""
    except CheckSkipped as error:
        return Outcome(check.name, "not asked", f"not asked: {error}")
    except (Exception, Killed) as error:
        found = error.message if isinstance(error, BenchError) else str(error)
        if not isinstance(error, Broken | BenchError):
            found = f"{type(error).__name__}: {found}"
        if known is not None:
            return Outcome(check.name, "expected", known)
        reason = found.splitlines()[0] if found else repr(error)
        return Outcome(check.name, "failed", reason, _cure(error))
    if known is not None:
        return Outcome(check.name, "failed", "listed in known_failures but passes")
    return Outcome(check.name, "passed", detail)

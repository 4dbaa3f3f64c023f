"""Any method's network, untrained: what its architecture and the crop alone are worth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from benchmark.contracts import (
    BenchError,
    FitContext,
    Generator,
    Images,
    Method,
    MethodInfo,
    MethodSettings,
    Prediction,
)
from benchmark.contracts.method import load_from
from benchmark.registry.implementations import implementation
from benchmark.registry.plugins import plugins
from benchmark.settings import resolve_settings


class Settings(MethodSettings):
    """Which method's network, with which of its presets and settings.

    `of` may name the preset too ("lead:small"), as the presets here do: another `of` on top of one
    of them then takes no preset of the old method along. The preset is resolved at once: `settings`
    holds every value, so the run's identity does too; of methods beyond their first version it holds
    the `version` as well.
    """

    of: str = Field("lead", description="the method, or method:preset")
    preset: str = Field("", description="its preset; method:preset says the same")
    settings: dict[str, Any] = Field({}, description="its settings on top, settings.KEY=VALUE")
    version: int = Field(1, description="its version, taken from its registration")

    @model_validator(mode="before")
    @classmethod
    def _resolve(cls, given: Any) -> Any:
        of, on_top = given.get("of", "lead"), given.get("settings", {})
        if not isinstance(of, str):
            raise ValueError(f"of is {of!r}, expected a method or method:preset")
        if not isinstance(on_top, Mapping):
            raise ValueError(f"settings is {on_top!r}, expected a table: settings.KEY=VALUE")
        of, _, named = of.partition(":")
        spec = plugins().method(of)
        if spec.role != "method":
            raise ValueError(f"{of!r} is a {spec.role} itself")
        preset, settings = resolve_settings(
            spec, implementation(spec), given.get("preset", named), on_top
        )
        resolved = {"of": of, "preset": preset, "settings": settings.model_dump(mode="json")}
        return {**given, **resolved, "version": spec.version}

    @model_serializer(mode="wrap")
    def _first_version_unsaid(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # runs from before versions were told apart keep their identity: they were all of the first
        said: dict[str, Any] = dump(self)
        return {k: v for k, v in said.items() if (k, v) != ("version", 1)}


def _inner(settings: Settings) -> Method:
    cls = implementation(plugins().method(settings.of))
    return cls(cls.Settings.model_validate(settings.settings))


class RandomFeatures(Method):
    """Calls `initialise` of the imitated method where others call `fit`."""

    class Settings(Settings):
        pass

    def __init__(self, settings: MethodSettings) -> None:
        super().__init__(settings)
        self.inner = _inner(self.settings)

    @classmethod
    def info(cls, settings: Settings) -> MethodInfo:
        inner = _inner(settings)
        info = type(inner).info(inner.settings)
        return MethodInfo(
            gives=info.gives,
            input_size=info.input_size,
            sizes=info.sizes,
            points=info.points,
            supervision=info.supervision,
            pretrained=info.pretrained,
            runs=settings.of,
            notes=f"network of {settings.of}, untrained",
        )

    def fit(self, images: Images, context: FitContext) -> None:
        if type(self.inner).initialise is Method.initialise:
            raise BenchError(
                f"method {self.settings.of!r} has no network to leave untrained",
                cure="choose another with --set of=…; a method offers it by defining `initialise`",
            )
        self.inner.device, self.inner.pretrained = context.device, context.weights
        self.inner.initialise(images, context)

    def predict(self, images: torch.Tensor) -> Prediction:
        self.inner.kind = self.kind
        return self.inner.predict(images)

    def generator(self) -> Generator:
        self.inner.kind = "generator"
        return self.inner.generator()

    def save(self, folder: Path) -> None:
        self.inner.save(folder)

    def load(self, folder: Path, device: str) -> None:
        self.inner.pretrained = self.pretrained
        load_from(self.inner, folder, device)

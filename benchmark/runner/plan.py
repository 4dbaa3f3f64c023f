"""From what a person asked to what will be done: everything resolved and refused before any work."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args

from benchmark.contracts.errors import BenchError, Incompatible, PluginBroken
from benchmark.contracts.images import Images
from benchmark.contracts.method import Method, MethodInfo, MethodSettings, Progress
from benchmark.contracts.names import only_fitted
from benchmark.contracts.spec import Kind, MethodSpec
from benchmark.datasets.opening import images_seen, open_split, split_name
from benchmark.datasets.places import require_in_reach
from benchmark.datasets.prepared import PreparedSplit
from benchmark.home import home
from benchmark.metrics.catalogue import version
from benchmark.networks.weights import find, finder
from benchmark.protocols import GRANT_LABELS, Protocol
from benchmark.records.code import code_state
from benchmark.records.identity import fit_id, parted, run_id
from benchmark.records.model import CodePart, External
from benchmark.records.reading import text_fault
from benchmark.registry.implementations import implementation, info_of
from benchmark.registry.plugins import plugins
from benchmark.registry.protocols import find_protocol, is_draft
from benchmark.runner.guards import require_hidden_left_out, shared_images
from benchmark.runner.request import On, Request
from benchmark.settings import SettingsInvalid, as_taken, resolve_settings
from benchmark.tasks.base import Scoring, Task, find_task, kind_used, predicted_kind
from benchmark.tasks.faults import require_sound


@dataclass(frozen=True)
class Resolved:
    """What a request comes to before any image is looked at: method, settings, protocol, device."""

    request: Request
    spec: MethodSpec
    preset: str
    cls: type[Method]
    settings: MethodSettings
    info: MethodInfo
    protocol: Protocol
    task: Task
    kind: Kind
    device: str

    @property
    def sources(self) -> dict[str, str]:
        """What each split of the run is: {"fit": "ytf68:people/train", …}."""
        played = roles(self.protocol, self.request.on, self.task)
        return {n: split_name(self.protocol, r, twin=self.request.twin) for n, r in played.items()}

    def require_there(self) -> None:
        """Refuse what lacks data sets or weights, and fetch, prepare and fit nothing.

        Raises `DataMissing`, which says where to get it, or `DataAltered`.
        """
        for source in self.sources.values() if not self.request.twin else ():
            require_in_reach(source.partition(":")[0])
        for weights in self.info.pretrained:
            find(weights)


@dataclass(frozen=True)
class Plan(Resolved):
    """All that a run needs, resolved; `run_id` and `fit_id` are known before any work.

    `images` are what a fit sees of the splits, `shared` counts the scored images that are in another of
    them too, where the protocol allows it.
    """

    plugin: str
    distribution: str
    splits: dict[str, PreparedSplit]
    images: Images
    shared: dict[str, int]
    fit_id: str
    run_id: str

    @property
    def code(self) -> CodePart:
        """The state of bench's code and the plugin's when this was first asked."""
        return code_state(self.maker.implementation, plugins().distribution[self.maker.id])

    @property
    def maker(self) -> MethodSpec:
        """The method whose code runs: this one, or the one that `MethodInfo.runs` names."""
        return plugins().method(self.info.runs) if self.info.runs else self.spec

    @property
    def external(self) -> External | None:
        """The file that predictions come from, where they were made elsewhere."""
        return None

    def stand_in(self) -> Method | None:
        """What predicts in the place of a fitted method, where predictions were made elsewhere."""
        return None

    @property
    def folder(self) -> Path:
        """Where the run keeps what it makes."""
        return home() / "runs" / self.run_id

    @property
    def stands(self) -> bool:
        """Whether it has a place on a board: scored on test images, under no draft named by its path."""
        return self.request.on == "test" and not is_draft(self.protocol)

    @property
    def scored(self) -> Protocol:
        """The protocol with what its twin measures otherwise, if this is a twin's run."""
        return self.protocol.scored(twin=self.request.twin)

    def scoring(self, progress: Progress) -> Scoring:
        """How its predictions are scored."""
        return Scoring(
            protocol=self.scored,
            kind=self.kind,
            twin=self.request.twin,
            on=self.request.on,
            device=self.device,
            progress=progress,
        )

    def require(self, progress: Progress) -> None:
        """Refuse, before anything is fitted, what it or scoring would lack: weights, labels, images."""
        self.require_weights()
        self.task.require(self.splits, self.scoring(progress))

    def require_weights(self) -> None:
        """Find and check what a fit that is still to be made starts from.

        Raises `DataMissing`, which says where to get it, or `DataAltered`.
        """
        if not (self.fit_folder / "done.json").exists():
            for weights in self.info.pretrained:
                find(weights)

    @property
    def weights(self) -> Callable[[str], Path]:
        """The way to the weights that the method declares."""
        return finder(self.info.pretrained)

    @property
    def predicted_kind(self) -> Kind:
        """What the method predicts: the kind scored, or one that gives it besides itself."""
        return predicted_kind(self.kind, self.info.gives)

    @property
    def at_prediction(self) -> tuple[str, ...]:
        """The settings that no fit depends on."""
        return self.cls.Settings.of_prediction()

    @property
    def fit_settings(self) -> MethodSettings:
        """What a fit sees: the settings, those of prediction alone at their defaults."""
        if not self.at_prediction:
            return self.settings
        kept, _ = parted(self.settings.model_dump(mode="json"), self.at_prediction)
        return self.cls.Settings.model_validate(kept)

    @property
    def fit_folder(self) -> Path:
        return home() / "fits" / self.fit_id


def resolve(request: Request, progress: Progress) -> Resolved:
    """Resolve method, settings, protocol and device; refuses what can't be, and looks at no data."""
    if request.on not in get_args(On):
        raise SettingsInvalid(f"a run is scored on test or validation, not on {request.on!r}")
    protocol = find_protocol(request.protocol)
    require_sound(protocol)
    spec = plugins().method(request.method)
    kind_used(tuple(spec.gives), protocol, spec.id)
    cls = implementation(spec)
    if spec.environment is not None:
        progress("the environment of the method", 0, 1)  # to be made, it may take minutes
    preset, settings = resolve_settings(spec, cls, request.preset, request.given, twin=request.twin)
    effective = settings.model_dump(mode="json")
    request = replace(request, given=as_taken(request.given, effective))
    info = info_of(spec, cls, settings)
    _require_recordable(spec, {"settings": effective, "given": dict(request.given)}, info.notes)
    kind = fitting_kind(spec, info, protocol)
    if not 0 <= request.seed < 2**63:
        raise SettingsInvalid(f"the seed must lie in 0 … 2^63 - 1, got {request.seed}")
    device = choose_device(request.device, request.devices)
    if request.devices > 1 and not info.data_parallel:
        raise Incompatible(
            f"method {spec.id!r} fits in one process, {request.devices} were asked for",
            cure="leave --devices (and BENCH_DEVICES) out",
        )
    return Resolved(
        request=request,
        spec=spec,
        preset=preset,
        cls=cls,
        settings=settings,
        info=info,
        protocol=protocol,
        task=find_task(protocol.task),
        kind=kind,
        device=device,
    )


def make_plan(request: Request, progress: Progress) -> Plan:
    """Resolve method, settings, protocol, data (preparing it if need be) and identities.

    Raises `NotPrepared` within `benchmark.datasets.prepared.nothing_prepared`, where data is not.
    """
    found = resolve(request, progress)
    request, spec, protocol, task = found.request, found.spec, found.protocol, found.task
    played, seen = roles(protocol, request.on, task), shown(protocol, spec, found.info)
    splits, _, shared = opened(seen, task, played, twin=request.twin, progress=progress)
    images = images_seen(seen, splits)
    effective = found.settings.model_dump(mode="json")
    fitted, predicted = parted(effective, found.cls.Settings.of_prediction())
    fit = fit_id(
        method=spec.id,
        method_version=spec.version,
        settings=fitted,
        images=images.digest,
        seed=request.seed,
    )
    run = run_id(
        fit=fit,
        protocol=protocol.name,
        protocol_digest=protocol.digest(),
        twin=request.twin,
        on=request.on,
        data={
            n: (s.pixels_digest, s.labels_digest) for n, s in splits.items() if not only_fitted(n)
        },
        evaluation_seed=protocol.evaluation_seed,
        metrics={m.id: version(m.measured) for m in protocol.scored(twin=request.twin).metrics},
        settings=predicted,
    )
    return Plan(
        **{each.name: getattr(found, each.name) for each in fields(Resolved)},
        plugin=plugins().provider[spec.id],
        distribution=plugins().distribution[spec.id],
        splits=splits,
        images=images,
        shared=shared,
        fit_id=fit,
        run_id=run,
    )


def fitting_kind(spec: MethodSpec, info: MethodInfo, protocol: Protocol) -> Kind:
    """The kind by which a method with these settings is scored; raises `Incompatible` where it can't be:
    it gives nothing that is scored, or too many points, takes no images of that size, or lacks a domain.
    """
    kind = kind_used(info.gives, protocol, spec.id)
    most = protocol.landmarks.most if protocol.landmarks and kind == "landmarks" else None
    if most is not None and (info.points or 0) > most and spec.role != "ceiling":
        raise Incompatible(
            f"method {spec.id!r} with these settings gives {info.points} points, protocol "
            f"{protocol.name} scores at most {most}",
            cure="set its number of points or parts; another protocol may ask for more",
        )
    if info.input_size not in (None, protocol.size):
        raise Incompatible(
            f"method {spec.id!r} with these settings wants images of {info.input_size} px, "
            f"protocol {protocol.name} gives {protocol.size} px"
        )
    if info.sizes and protocol.size not in info.sizes:
        raise Incompatible(
            f"method {spec.id!r} takes images of {', '.join(map(str, info.sizes))} px, protocol "
            f"{protocol.name} gives {protocol.size} px",
            cure="choose a protocol whose images have such a side (`bench ls protocols`)",
        )
    if lacking := [name for name in info.domains if name not in protocol.data.domains]:
        raise Incompatible(
            f"method {spec.id!r} learns from images of {', '.join(lacking)}, which protocol "
            f"{protocol.name} does not give",
            cure="choose a protocol whose [data.domains] name them",
        )
    return kind


def _require_recordable(spec: MethodSpec, settings: Mapping[str, Any], notes: str) -> None:
    """Refuse before any work what no record could hold."""
    if fault := text_fault(settings):
        raise SettingsInvalid(
            f"settings of method {spec.id!r}: {fault}", cure="leave out what can't be printed"
        )
    if fault := text_fault(notes):
        raise PluginBroken(f"the notes of method {spec.id!r}: {fault}", cure="mend the method")


def shown(protocol: Protocol, spec: MethodSpec, info: MethodInfo) -> Protocol:
    """The protocol with what a floor or reference is told among its grants, for its images to have it.

    Raises `Incompatible` for methods, which see what the protocol grants and nothing else, for what
    claims to be told without labels, and where the protocol has no such labels.
    """
    if not info.told:
        return protocol
    if spec.role not in ("floor", "reference") or info.supervision != "labels":
        raise Incompatible(
            f"{spec.role} {spec.id!r} with supervision {info.supervision!r} asks to be told "
            f"{', '.join(info.told)}: only floors and references with supervision 'labels' are",
            cure="choose a protocol that grants it, or leave `told` out of its info",
        )
    data = protocol.data
    if lacking := [n for told in info.told for n in GRANT_LABELS[told] if n not in data.labels]:
        raise Incompatible(
            f"{spec.role} {spec.id!r} is to be told {lacking[0]}, which {protocol.name} does not have"
        )
    grants = tuple(dict.fromkeys((*data.grants, *info.told)))
    return protocol.model_copy(update={"data": data.model_copy(update={"grants": grants})})


def opened(
    protocol: Protocol, task: Task, played: Mapping[str, str], *, twin: bool, progress: Progress
) -> tuple[dict[str, PreparedSplit], dict[str, str], dict[str, int]]:
    """The splits of a run by name, given the role of each: opened, what each is, and how many scored
    images are in each other. Refuses what `benchmark.runner.guards` refuses."""
    splits = {n: open_split(protocol, r, twin=twin, progress=progress) for n, r in played.items()}
    names = {n: split_name(protocol, r, twin=twin) for n, r in played.items()}
    require_hidden_left_out(protocol, task, splits, names)
    return splits, names, shared_images(protocol, task, splits, names)


def roles(protocol: Protocol, on: str, task: Task) -> dict[str, str]:
    """Which role of the protocol's data each split of the run takes.

    In a validation run the validation images are neither fitted on nor given to the probe: a fit sees
    the protocol's `development_fit`, or where it names none, what the probe sees. The domains are fitted
    on in any case.
    """
    domains = {name: name for name in protocol.data.domain_roles}
    if on == "test":
        return {"fit": "fit", **domains, **{name: name for name in task.splits}}
    if not (protocol.data.validation and protocol.data.development):
        raise Incompatible(f"protocol {protocol.name} sets no validation part aside")
    return {
        "fit": "development_fit" if protocol.data.development_fit else "development",
        **domains,
        **{n: "validation" if n == "test" else "development" for n in task.splits},
    }


def choose_device(asked: str, devices: int = 1) -> str:
    """ "auto" is the first CUDA device where there is one, else the CPU.

    Where a fit takes several `devices`, they are the first ones.
    """
    import torch

    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise BenchError(
            "bench was started as one of several processes (WORLD_SIZE, as torchrun sets it)",
            cure="start it once, without torchrun, and say `bench run --devices N`",
        )
    there = torch.cuda.is_available()
    if asked == "auto":
        asked = "cuda" if there else "cpu"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", asked):
        raise SettingsInvalid(f"device {asked!r} is none of auto, cpu, cuda, cuda:N")
    kind, _, number = asked.partition(":")
    if kind == "cpu":
        return asked
    if not there:
        raise BenchError(
            f"device {asked!r} was asked for, but PyTorch sees no CUDA device",
            cure="`bench doctor` says why; --device cpu runs without one",
        )
    count = torch.cuda.device_count()
    if number and devices > 1:
        raise SettingsInvalid(
            f"device {asked!r} is one device, {devices} were asked for",
            cure="say --device cuda; CUDA_VISIBLE_DEVICES chooses which ones there are",
        )
    if int(number or 0) >= count:
        raise SettingsInvalid(f"device {asked!r} was asked for, there are {count} CUDA devices")
    if devices > count:
        raise SettingsInvalid(
            f"{devices} devices were asked for, there are {count} CUDA devices",
            cure=f"say --devices {count}",
        )
    return asked

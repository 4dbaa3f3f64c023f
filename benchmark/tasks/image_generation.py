"""Image generation: how far generated images are from real ones, and how smoothly they change.

Generated images are looked at as they come and never kept. What is kept of N of them are features
(N, D), path lengths and logits, so memory does not grow with N; scores are made from these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmark.contracts.errors import DataAltered, Incompatible, PluginBroken
from benchmark.contracts.images import to_bytes, to_signed
from benchmark.contracts.method import Ceiling, Method, Progress
from benchmark.contracts.predictions import Generator
from benchmark.contracts.spec import Kind
from benchmark.files import read_json, save_array, write_json
from benchmark.method_errors import errors_of
from benchmark.metrics.path_length import perceptual_path_distances
from benchmark.networks.distances import ImageDistance, image_distance
from benchmark.networks.feature_networks import feature_network
from benchmark.probes.attributes import AttributeNet
from benchmark.protocols import Protocol
from benchmark.protocols.generation import Generation, Linearity, PathLength
from benchmark.tasks.accepts import TASKS
from benchmark.tasks.attribute_classifier import (
    Classifier,
    attribute_classifier,
    require_classifier,
)
from benchmark.tasks.base import Scores, Scoring, Task
from benchmark.tasks.generation_scores import (
    NEAR,
    PATHS,
    few_images,
    generation_values,
    values_of_kept,
)
from benchmark.tasks.seen_features import real_features, write_features
from benchmark.tasks.views import ImageSet

if TYPE_CHECKING:
    from benchmark.datasets.prepared import PreparedSplit

BATCH = 32
WALKS_AT_ONCE = 4


class ImageGeneration(Task):
    """Generate, look through frozen networks, compare with the whole test split."""

    accepts = TASKS["image_generation"]

    def require(self, splits: Mapping[str, PreparedSplit], how: Scoring) -> None:
        """There are images enough, and every file of weights is there and is the one pinned."""
        protocol, asked = how.protocol, how.protocol.section(Generation)
        if asked.network:
            count = len(splits["test"]) * (2 if asked.flips else 1)
            if found := list(few_images(asked, count, "test")):
                raise Incompatible(
                    f"{protocol.name}: {found[0]}",
                    cure="score more images, or state smaller numbers in a new protocol",
                )
        for name in _networks(asked).values():
            _require_pinned(feature_network(name).identity(), asked, protocol)
        if asked.path:
            _require_pinned(image_distance(asked.path.distance).identity(), asked, protocol)
        if asked.linearity:
            require_classifier(asked.linearity.classifier)

    def image_sets(self, splits: Mapping[str, PreparedSplit], protocol: Protocol) -> list[ImageSet]:
        return []

    def predict(
        self,
        method: Method,
        kind: Kind,
        splits: Mapping[str, PreparedSplit],
        protocol: Protocol,
        store: Path,
        progress: Progress,
    ) -> None:
        how, test = protocol.section(Generation), splits["test"]
        generator = generator_of(method, test, protocol)
        # all that may be absent or must be fitted first, before the first image is made
        networks = {
            through: feature_network(name, device=method.device)
            for through, name in _networks(how).items()
        }
        distance = image_distance(how.path.distance, method.device) if how.path else None
        classifier = (
            attribute_classifier(how.linearity.classifier, progress) if how.linearity else None
        )
        about: dict[str, Any] = {
            "generation": how.model_dump(mode="json", exclude_none=True),
            "latents": "standard normal" if generator.latents is None else "the generator's own",
        }
        with torch.inference_mode():
            if networks:
                fake = {store / f"{through}fake.npy": each for through, each in networks.items()}
                images = generator.stream(how.images, how.seed, batch=BATCH, device=method.device)
                write_features(fake, images, how.images, how.stored, progress, "generate")
            for through, network in networks.items():
                real = real_features(network, test, how.stored, how.flips, progress)
                save_array(store / f"{through}real.npy", real)
                about["neighbours_features" if through else "features"] = network.identity()
            if how.path and distance:
                asked = [m.id.partition("/")[0] for m in protocol.metrics]
                for name in (n for n in asked if n in PATHS):
                    lengths = _paths(generator, name, how.path, distance, method.device, progress)
                    save_array(store / f"{name}.npy", lengths)
                about["path"] = {"distance": distance.identity()}
            if how.linearity and classifier:
                logits = _walks(generator, how.linearity, classifier, method.device, progress)
                save_array(store / "logits.npy", logits)
                about["linearity"] = {"classifier": classifier.identity()}
        write_json(store / "about.json", about)

    def score(self, store: Path, splits: Mapping[str, PreparedSplit], how: Scoring) -> Scores:
        about = read_json(store / "about.json", f"delete {store} and run the same command again")
        found = generation_values(
            store, how.protocol, how.protocol.section(Generation), how.progress
        )
        about.update(found.about)
        values = {name: np.array([value]) for name, value in found.values.items()}
        return Scores(values, items=found.items, predictions=found.kept, probe=about)

    def errors(
        self, kept: Mapping[str, np.ndarray], split: PreparedSplit, protocol: Protocol
    ) -> dict[str, np.ndarray]:
        found = values_of_kept(kept, protocol)
        return {name: np.array([value]) for name, value in found.items()}


def _networks(how: Generation) -> dict[str, str]:
    """What files of features begin with → the network that they are seen through."""
    found = {"": how.network} if how.network else {}
    own = how.neighbours.network if how.neighbours else ""
    return found | ({NEAR: own} if own else {})


def generator_of(method: Method, test: PreparedSplit, protocol: Protocol) -> Generator:
    """The method's generator; a ceiling is shown the images that others are compared with."""
    with errors_of(method, "generator"):
        if isinstance(method, Ceiling):
            generator = method.generator_from_images(test.images())
        else:
            generator = method.generator()
    if not isinstance(generator, Generator):
        raise PluginBroken(
            f"{type(method).__name__}.generator gave {type(generator).__name__}, expected Generator"
        )
    if generator.size != protocol.size:
        raise PluginBroken(
            f"{type(method).__name__} generates images of {generator.size} px, protocol "
            f"{protocol.name} asks for {protocol.size} px",
            cure="generate at the size of the images that fit was given",
        )
    return generator


def _require_pinned(identity: Mapping[str, Any], how: Generation, protocol: Protocol) -> None:
    """The protocol names every file of weights, by the digest it was written for."""
    for name, digest in identity["sha256"].items():
        if how.weights.get(name) != digest:
            pinned = how.weights.get(name, "")
            raise DataAltered(
                f"{identity['name']} reads {name} with sha256 {digest[:12]}…, protocol "
                f"{protocol.name} pins {pinned[:12] + '…' if pinned else 'none'}",
                cure="state the digest under `weights` in a new version of the protocol",
            )


def _paths(
    generator: Generator,
    name: str,
    how: PathLength,
    distance: ImageDistance,
    device: str,
    progress: Progress,
) -> np.ndarray:
    """Distance over epsilon² of each path (pairs,), of one variant."""
    seen = 0

    def counted(near: torch.Tensor, far: torch.Tensor) -> torch.Tensor:
        nonlocal seen
        seen += len(near)
        progress(f"paths {name}", seen, how.pairs)
        return distance(near, far)

    return perceptual_path_distances(
        generator,
        counted,
        pairs=how.pairs,
        epsilon=how.epsilon,
        batch=how.batch,
        seed=how.seed,
        device=device,
        **PATHS[name],
    )


def _walks(
    generator: Generator, how: Linearity, classifier: Classifier, device: str, progress: Progress
) -> np.ndarray:
    """Logits float64 (walks, steps + 1, A) of straight lines between pairs of w."""
    net = classifier.net.to(device)
    logits = []
    for frames in _frames(generator, how, device):
        seen = read_attributes(net, frames, how)
        logits.append(seen.reshape(-1, how.steps + 1, len(net.attributes)).cpu())
        progress("walks", min(len(logits) * WALKS_AT_ONCE, how.walks), how.walks)
    return torch.cat(logits).numpy()


def read_attributes(net: AttributeNet, frames: torch.Tensor, how: Linearity) -> torch.Tensor:
    """Logits (B, A) of generated images (B, 3, H, W), kept as the protocol says before they are read."""
    logits: torch.Tensor = net(to_signed(to_bytes(frames)) if how.frames == "uint8" else frames)
    return logits


def _frames(generator: Generator, how: Linearity, device: str) -> Iterator[torch.Tensor]:
    """The images of some walks at a time; one walk's frames share their noise."""
    rng = np.random.Generator(np.random.PCG64([how.seed, 2]))
    t = torch.linspace(0, 1, how.steps + 1, device=device)[None, :, None, None]
    for first in range(0, how.walks, WALKS_AT_ONCE):
        count = min(WALKS_AT_ONCE, how.walks - first)
        ends = rng.standard_normal((count, 2, generator.z_dim), dtype=np.float32)
        z = torch.from_numpy(ends).to(device)
        start, end = (generator.mapping(z[:, i])[:, None] for i in (0, 1))
        w = start.lerp(end, t.to(start.dtype))
        yield generator.synthesis(w.flatten(0, 1), how.seed + first)

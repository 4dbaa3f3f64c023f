"""Training images per second of StyleGAN2 at 32 pixels: ours against a plain loop, in turns.

    python perf/stylegan2_training.py --images FOLDER [--rounds 3] [--threads 1]

The plain loop is the usual one: a DataLoader opens and shrinks a picture file for each image,
modulated convolutions are grouped ones with each image's own weights, upsampling puts zeros between
pixels, real and generated images go through the discriminator one after the other. Network, batch,
losses, the rate of R1 and the optimiser are the same. `grouped` is our loop with the plain loop's
network alone; `files` is our network fed by the plain loop's loader.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from bench_stylegan2 import generator as networks
from bench_stylegan2.discriminator import Discriminator
from bench_stylegan2.generator import StyleGan2
from PIL import Image
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

SIZE, BATCH, STEPS = 32, 8, 32
SHAPE = {"z_dim": 128, "w_dim": 128, "mapping": 2, "base": 1024, "most": 128}


class Files(Dataset[Tensor]):
    """Pictures of a folder, opened and shrunk when they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".png"))

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Tensor:
        with Image.open(self.files[index]) as picture:
            square = min(picture.size)
            seen = picture.convert("RGB").crop((0, 0, square, square))
            pixels = np.asarray(seen.resize((SIZE, SIZE), Image.Resampling.BOX))
        return torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 127.5 - 1


def from_files(folder: Path) -> Iterator[Tensor]:
    """Batches without end."""
    while True:
        yield from DataLoader(Files(folder), BATCH, shuffle=True, drop_last=True)


def from_memory(folder: Path) -> Iterator[Tensor]:
    """Batches without end, of pictures that were decoded and shrunk once."""
    files = Files(folder)
    kept = torch.stack([files[i] for i in range(len(files))])
    while True:
        yield kept[torch.randint(len(kept), (BATCH,))]


def grouped(self: networks.Modulated, x: Tensor, w: Tensor) -> Tensor:
    """`Modulated.convolved` with each image's own weights."""
    count, inward = x.shape[:2]
    weight = self.weight[None] * (self.affine(w) * self.scale)[:, None, :, None, None]
    if self.demodulated:
        weight = weight * (weight.square().sum((2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    flat = x.reshape(1, count * inward, *x.shape[2:])
    if self.up:
        own = weight.transpose(1, 2).reshape(-1, *weight.shape[1:2], *weight.shape[3:])
        flat = functional.conv_transpose2d(flat, own, stride=2, groups=count)
        return networks.blurred(flat.view(count, -1, *flat.shape[2:]), 1, gain=4)
    own = weight.reshape(-1, inward, *weight.shape[3:])
    flat = functional.conv2d(flat, own, padding=weight.shape[-1] // 2, groups=count)
    return flat.view(count, -1, *flat.shape[2:])


def spread_out(x: Tensor) -> Tensor:
    """`enlarged` with zeros between pixels."""
    count, channels, side = x.shape[:3]
    wide = x.new_zeros(count, channels, 2 * side, 2 * side)
    wide[..., ::2, ::2] = x
    taps = torch.tensor([1.0, 3, 3, 1]) / 4
    kernel = (taps[:, None] * taps).expand(channels, 1, 4, 4)
    return functional.conv2d(functional.pad(wide, (2, 1, 2, 1)), kernel, groups=channels)


def run(batches: Iterator[Tensor], plain: bool, steps: int) -> float:
    """Images per second of `steps` steps."""
    torch.manual_seed(0)
    kept = networks.Modulated.convolved, networks.enlarged
    if plain:
        networks.Modulated.convolved, networks.enlarged = grouped, spread_out  # type: ignore[method-assign]
    layout = torch.contiguous_format if plain else torch.channels_last
    net = StyleGan2(SIZE, **SHAPE).to(memory_format=layout)  # type: ignore[call-overload]
    judge = Discriminator(SIZE, SHAPE["base"], SHAPE["most"], 4).to(memory_format=layout)  # type: ignore[call-overload]
    optimisers = [torch.optim.Adam(n.parameters(), 0.002, (0.0, 0.99)) for n in (net, judge)]

    def made() -> Tensor:
        w = net.every(net.mapping(torch.randn(BATCH, SHAPE["z_dim"])))
        images: Tensor = net.synthesis(w, net.synthesis.drawn(BATCH, None, w))[0]
        return images

    def step(loss: Tensor, which: int) -> None:
        optimisers[which].zero_grad(set_to_none=True)
        loss.backward()
        optimisers[which].step()

    def one(number: int) -> None:
        real = next(batches)
        judge.requires_grad_(False)
        step(functional.softplus(-judge(made())).mean(), 0)
        judge.requires_grad_(True)
        with torch.no_grad():
            fake = made()
        if plain:
            scores = judge(real), judge(fake)
        else:
            scores = judge(torch.cat([real, fake]), sets=2).chunk(2)
        step(functional.softplus(-scores[0]).mean() + functional.softplus(scores[1]).mean(), 1)
        if number % 16 == 0:
            real = real.requires_grad_()
            (slope,) = torch.autograd.grad(judge(real).sum(), real, create_graph=True)
            step(0.4 * slope.square().sum((1, 2, 3)).mean(), 1)

    try:
        one(1)
        began = time.perf_counter()
        for number in range(steps):
            one(number)
        return steps * BATCH / (time.perf_counter() - began)
    finally:
        networks.Modulated.convolved, networks.enlarged = kept  # type: ignore[method-assign]


def main() -> None:
    """Measure in turns, print the table's lines, write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    ways: dict[str, tuple[Callable[[Path], Iterator[Tensor]], bool]] = {
        "plain": (from_files, True),
        "grouped": (from_memory, True),
        "files": (from_files, False),
        "ours": (from_memory, False),
    }
    feeds = {name: (feed(given.images), plain) for name, (feed, plain) in ways.items()}
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(given.rounds):
        for name, (batches, plain) in feeds.items():
            found[name].append(round(run(batches, plain, STEPS), 1))
    times = {n: round(statistics.median(a / b for a, b in zip(v, found["plain"], strict=True)), 2)
             for n, v in found.items()}  # fmt: skip
    result = {"machine": platform.processor() or platform.machine(), "torch": torch.__version__,
              "threads": given.threads, "batch": BATCH, "size": SIZE, "images_per_second": found,
              "times_plain": times}  # fmt: skip
    path = Path(__file__).parent / "results" / "stylegan2_training.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    for name in ways:
        print(f"| {name} | {', '.join(map(str, found[name]))} | {times[name]} |")


if __name__ == "__main__":
    main()

"""Soft-argmax probe: this project's fit beside a plain training loop over cached maps.

    BENCH_DATA=… python perf/probe_speed.py              time per epoch, and the short schedule
    BENCH_DATA=… python perf/probe_speed.py --reference  also the published schedule to its end

Features are those of an untrained convolutional network on the ytf68 faces (64 × 24 × 24, unit
length at every position), targets are 5 points. The loop is the published recipe written plainly:
a data set that gives one map, a DataLoader, `nn.Conv2d`, softmax, autograd, batches of 32. Rounds
of one epoch each are interleaved, so that a busy machine slows both; processor seconds stand beside
the wall clock for the same reason. Errors are measured on
identities cut from the training part; the test identities are never read.

Writes `perf/results/probe_speed.json`, and the curves as `probe_curves.csv` and `.svg` beside it.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import io
import itertools
import json
import os
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from benchmark.probes.softargmax import SoftargmaxProbe
from benchmark.probes.softargmax_presets import SoftargmaxSettings, softargmax_settings

RESULTS = Path(__file__).parent / "results"


def faces(path: Path) -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
    """Images (N, 3, 96, 96) uint8, 5 points (N, 5, 2) in pixels and identity, of the train part."""
    with np.load(path) as pack:
        data, offsets, marks = pack["jpeg"], pack["offsets"], pack["landmarks"]
        identity = pack["identity"]
    kept = ~np.isin(identity, np.unique(identity)[4::5])
    images = [
        np.asarray(Image.open(io.BytesIO(data[offsets[i] : offsets[i + 1]].tobytes())))
        for i in np.flatnonzero(kept)
    ]
    eyes = [marks[:, 36:42].mean(1), marks[:, 42:48].mean(1)]
    points = np.stack([*eyes, marks[:, 30], marks[:, 48], marks[:, 54]], axis=1)
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return stacked, torch.from_numpy(points[kept]).float(), identity[kept]


@torch.no_grad()
def untrained_features(images: torch.Tensor, seed: int = 0) -> torch.Tensor:
    """(N, 64, 24, 24) float16 of unit length: four stages of a random network, side by side."""
    torch.manual_seed(seed)
    widths = [3, 16, 16, 16, 16]
    stages = [
        nn.Sequential(nn.Conv2d(a, b, 3, stride=2, padding=1), nn.BatchNorm2d(b), nn.ReLU())
        for a, b in itertools.pairwise(widths)
    ]

    def forward(batch: torch.Tensor) -> torch.Tensor:
        x, maps = batch.float() / 127.5 - 1, []
        for stage in stages:
            x = stage(x)
            maps.append(functional.interpolate(x, size=(24, 24), mode="bilinear"))
        return torch.cat(maps, dim=1)

    mean = forward(images[:500]).mean((0, 2, 3), keepdim=True)
    for stage in stages:
        stage.eval()
    return torch.cat(
        [functional.normalize(forward(b) - mean, dim=1).half() for b in images.split(100)]
    )


class CachedMaps(Dataset):
    def __init__(self, features: torch.Tensor, targets: torch.Tensor) -> None:
        self.features, self.targets = features, targets

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.features[index].float(), self.targets[index]


class PlainRegressor(nn.Module):
    def __init__(self, channels: int, landmarks: int, filters: int = 50) -> None:
        super().__init__()
        self.landmarks = landmarks
        self.filters = nn.Conv2d(channels, landmarks * filters, 1, bias=False)
        nn.init.normal_(self.filters.weight)
        self.linear = nn.Conv2d(
            2 * landmarks * filters, 2 * landmarks, 1, groups=landmarks, bias=False
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        scores = self.filters(features)
        n, k, h, w = scores.shape
        attention = functional.softmax(100 * scores.view(n, k, h * w), dim=2).view(n, k, h, w)
        x = (attention.sum(2) * torch.linspace(-1, 1, w)).sum(2)
        y = (attention.sum(3) * torch.linspace(-1, 1, h)).sum(2)
        points = torch.stack([x, y], dim=2).reshape(n, 2 * k, 1, 1)
        return self.linear(points).view(n, self.landmarks, 2)


def clocks() -> np.ndarray:
    """Wall and processor seconds."""
    return np.array([time.perf_counter(), time.process_time()])


def plain_epoch(features: torch.Tensor, targets: torch.Tensor) -> np.ndarray:
    """Wall and processor seconds of one epoch of the plain loop."""
    torch.manual_seed(0)
    model = PlainRegressor(features.shape[1], targets.shape[1])
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=5e-4, amsgrad=True)
    loader = DataLoader(
        CachedMaps(features, targets * 2 / 95 - 1), batch_size=32, shuffle=True, drop_last=True
    )
    start = clocks()
    for maps, wanted in loader:
        optimiser.zero_grad()
        functional.smooth_l1_loss(10 * model(maps), 10 * wanted).backward()
        optimiser.step()
    return clocks() - start


def our_epoch(
    settings: SoftargmaxSettings, features: torch.Tensor, targets: torch.Tensor
) -> np.ndarray:
    """Wall and processor seconds of a fit of one epoch, its check of the data included."""
    start = clocks()
    SoftargmaxProbe(dataclasses.replace(settings, epochs=1), 96).fit(features, targets, 0)
    return clocks() - start


def error_percent(predicted: torch.Tensor, target: torch.Tensor) -> float:
    scale = (target[:, 0] - target[:, 1]).norm(dim=-1, keepdim=True)
    return 100 * ((predicted - target).norm(dim=-1) / scale).mean().item()


def curve(
    name: str,
    settings: SoftargmaxSettings,
    train: tuple[torch.Tensor, torch.Tensor],
    held_out: tuple[torch.Tensor, torch.Tensor],
    seed: int,
    every: int,
) -> list[dict[str, object]]:
    """Loss, held-out error and seconds spent in training, every few epochs."""
    rows: list[dict[str, object]] = []
    probe = SoftargmaxProbe(settings, 96)
    spent, since = np.zeros(2), clocks()

    def look(epoch: int, loss: float) -> None:
        nonlocal spent, since
        spent = spent + clocks() - since
        if (epoch + 1) % every == 0 or epoch + 1 == settings.epochs:
            error = error_percent(probe.predict(held_out[0]), held_out[1])
            rows.append(
                {
                    "schedule": name,
                    "seed": seed,
                    "epoch": epoch + 1,
                    "loss": round(loss, 5),
                    "error_percent": round(error, 3),
                    "wall_seconds": round(float(spent[0]), 1),
                    "processor_seconds": round(float(spent[1]), 1),
                }
            )
            print(rows[-1], flush=True)
        since = clocks()

    probe.fit(*train, seed, look)
    return rows


def draw(rows: list[dict[str, Any]], folder: Path) -> None:
    """Held-out error and training loss against the epoch, as SVG."""
    from benchmark.boards.plot import COLOURS, Axis, Plot

    lines: dict[tuple[str, object], list[dict[str, Any]]] = {}
    for row in rows:
        lines.setdefault((str(row["schedule"]), row["seed"]), []).append(row)
    colour = dict(zip(sorted({schedule for schedule, _ in lines}), COLOURS, strict=False))
    epochs = Axis.around((float(row["epoch"]) for row in rows), 420, log=True)
    for key, name in (
        ("error_percent", "held-out error, % of inter-ocular distance"),
        ("loss", "training loss"),
    ):
        plot = Plot(epochs, Axis.around((float(r[key]) for r in rows), 240), names=("epoch", name))
        for (schedule, seed), own in lines.items():
            points = [(float(r["epoch"]), float(r[key])) for r in own]
            plot.line(points, colour=colour[schedule], says=f"{schedule}, seed {seed}", legend=True)
        (folder / f"probe_{key}.svg").write_text(plot.svg(alone=True) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds of one epoch")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seeds", type=int, default=1, help="seeds of each curve")
    parser.add_argument("--short", default="softargmax/short", help="preset of our own")
    parser.add_argument("--reference", action="store_true", help="train softargmax/dve to its end")
    parser.add_argument("--images", type=int, help="only that many training images")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    pack = Path(os.environ["BENCH_DATA"]) / "device_pack/ytf68_96.npz"
    images, targets, identity = (part[: options.images] for part in faces(pack))
    features = untrained_features(images)
    dve, short = softargmax_settings("softargmax/dve"), softargmax_settings(options.short)

    sides = {
        "plain loop": lambda *data: plain_epoch(*data),
        "dve": lambda *data: our_epoch(dve, *data),
        "dve, mixed": lambda *data: our_epoch(dataclasses.replace(dve, precision="mixed"), *data),
        "short": lambda *data: our_epoch(short, *data),
    }
    for side in sides.values():  # warm: threads, primitives, pages
        side(features[:128], targets[:128])
    spent: dict[str, list[list[float]]] = {name: [] for name in sides}
    for _ in range(options.rounds):
        for name, side in sides.items():
            spent[name].append(side(features, targets).round(3).tolist())
            print(name, *spent[name][-1], flush=True)
    ratios = np.median(
        [np.array(spent["plain loop"]) / np.array(times) for times in spent.values()], axis=1
    )

    cut = np.isin(identity, np.unique(identity)[2::5])
    inner = torch.from_numpy(~cut)
    train, held_out = (features[inner], targets[inner]), (features[~inner], targets[~inner])
    rows: list[dict[str, object]] = []
    for seed in range(options.seeds):
        rows += curve("short", short, train, held_out, seed, 1)
        if options.reference:
            rows += curve("dve", dve, train, held_out, seed, 10)
    start = clocks()
    SoftargmaxProbe(short, 96).fit(features, targets, 0)
    total = clocks() - start

    options.out.mkdir(parents=True, exist_ok=True)
    plain = 300 * np.median(spent["plain loop"], axis=0)
    result = {
        "processor": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "load_average": os.getloadavg(),
        "torch": torch.__version__,
        "images": len(features),
        "clocks": ["wall seconds", "processor seconds"],
        "epoch_by_round": spent,
        "times_faster_than_plain_loop": {
            name: ratio.round(2).tolist() for name, ratio in zip(spent, ratios, strict=True)
        },
        "short": dataclasses.asdict(short),
        "short_total": total.round(2).tolist(),
        "plain_loop_300_epochs_extrapolated": plain.round(1).tolist(),
        "total_ratio_without_regard_to_error": (plain / total).round(1).tolist(),
        "final_errors_percent": [row for row in rows if row["epoch"] in (short.epochs, 300)],
    }
    (options.out / "probe_speed.json").write_text(json.dumps(result, indent=1) + "\n")
    with open(options.out / "probe_curves.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    draw(rows, options.out)


if __name__ == "__main__":
    main()

"""Images per second of LEAD's stage 1: views made for whole batches on the device, or one by one.

Three arms train the same network with the same batch in turns (A B C A B C …) in one process:

    plain          what the reference code of this field does: Pillow decodes JPEGs in DataLoader
                   workers, torchvision makes two views of each image, training runs in float32
    ours           `bench_lead.byol.fit` as it is, on images prepared once, in float32
    ours-bfloat16  the same in bfloat16, the precision that LEAD's presets use

Each turn counts images between two synchronised moments, after a warm-up that includes starting
workers and emptying what they had prepared. Two further numbers leave the network out (`…/input`).

    python perf/stage1_throughput.py                    # two to four minutes
    python perf/stage1_throughput.py --preset paper --device cuda --steps 100

Faces are read from $BENCH_DATA/ytf68/data/training; where that is absent, random JPEGs of 178 × 218
pixels stand in, and the result says so. It goes to perf/results/stage1_throughput.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import bench_lead
import numpy as np
import torch
import torchvision
from bench_lead import byol
from bench_lead.networks import encoder
from bench_lead.settings import LeadSettings
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext
from benchmark.training.augment import CropSettings, random_crop
from benchmark.training.batches import Batches, Order
from benchmark.training.randomness import generator

SIZE, MARGIN = 96, 20  # as the landmark protocols prepare faces: 136 × 136 around a square of 96
ARMS = ("plain", "ours", "ours-bfloat16")
REPORTED_EVERY = 20  # steps, by the training loop: our clock starts at such a step
OUT = Path(__file__).parent / "results" / "stage1_throughput.json"


class Clock:
    """Images per second between the end of the warm-up and the last step."""

    def __init__(self, device: str, warm_up: int) -> None:
        self.device, self.warm_up = device, warm_up
        self.marks: list[tuple[int, float]] = []

    def mark(self, step: int) -> None:
        if self.device.startswith("cuda"):
            torch.cuda.synchronize(self.device)
        self.marks.append((step, time.perf_counter()))

    def images_per_second(self, batch: int) -> float:
        first, since = next(mark for mark in self.marks if mark[0] >= self.warm_up)
        last, until = self.marks[-1]
        return (last - first) * batch / (until - since)


class NoCheckpoints:
    """A timing run keeps nothing."""

    def load(self) -> dict[str, Any] | None:
        return None

    def save(self, state: Mapping[str, Any]) -> None:
        return None

    def due(self) -> bool:
        return False


def context(clock: Clock, folder: Path) -> FitContext:
    """A fit context whose progress is the clock."""

    def shared(name: str, identity: Mapping[str, Any]) -> Any:
        raise NotImplementedError("stage 1 alone shares nothing")

    return FitContext(
        seed=0,
        device=clock.device,
        folder=folder,
        checkpoints=NoCheckpoints(),
        progress=lambda stage, step, total, **values: clock.mark(step),
        log=lambda row: None,
        shared=shared,
        milestone=lambda images, save: None,
    )


class JpegPairs(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Two views of a JPEG file, decoded whenever they are asked for."""

    def __init__(self, files: list[Path], kinds: tuple[CropSettings, CropSettings]) -> None:
        self.files = files
        self.views = [plain_view(kind) for kind in kinds]

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        with Image.open(self.files[index]) as file:
            image = file.convert("RGB")
        first, second = (make(image) for make in self.views)
        return first, second


def plain_view(kind: CropSettings) -> Callable[[Image.Image], torch.Tensor]:
    """torchvision's transforms for one PIL image, with the same strengths."""
    colour = v2.ColorJitter(kind.brightness, kind.contrast, kind.saturation, kind.hue)
    # BYOL's rule for the blur: a kernel of about a tenth of the view's size, odd.
    blur = v2.GaussianBlur(kind.size // 20 * 2 + 1, kind.blur_sigma)
    return v2.Compose(
        [
            v2.RandomResizedCrop(kind.size, kind.area, (1 / kind.aspect, kind.aspect)),
            v2.RandomHorizontalFlip(kind.flip),
            v2.RandomApply([colour], kind.colour),
            v2.RandomGrayscale(kind.grayscale),
            v2.RandomApply([blur], kind.blur),
            v2.RandomSolarize(128, kind.solarise),
            v2.PILToTensor(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize([0.5] * 3, [0.5] * 3),
        ]
    )


def plain_batches(
    files: list[Path], settings: LeadSettings, workers: int, device: str
) -> Generator[list[torch.Tensor], None, None]:
    """Endless batches of pairs of views from fresh workers, which end when this is closed."""
    loader = DataLoader(
        JpegPairs(files, byol.crops(settings)),
        settings.batch,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        pin_memory=device.startswith("cuda"),
        persistent_workers=workers > 0,
    )
    while True:
        yield from loader


def train_plain(
    files: list[Path], settings: LeadSettings, workers: int, clock: Clock, steps: int
) -> None:
    """A training loop as published code writes it."""
    device = clock.device
    torch.manual_seed(0)
    net = encoder(settings.network)
    model = byol.Byol(net, settings.hidden, settings.projection).to(device).train()
    learned = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.SGD(learned, settings.learning_rate, 0.9, 0, settings.weight_decay)
    momentum = settings.target_momentum
    with closing(plain_batches(files, settings, workers, device)) as batches:
        for step in range(1, steps + 1):
            first, second = (v.to(device, non_blocking=True) for v in next(batches))
            loss = model(first, second)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            with torch.no_grad():
                pairs = zip(model.target.parameters(), model.online.parameters(), strict=True)
                for slow, fast in pairs:
                    slow.mul_(momentum).add_(fast, alpha=1 - momentum)
            if step in (clock.warm_up, steps):
                clock.mark(step)


def train_ours(images: Images, settings: LeadSettings, clock: Clock, steps: int) -> None:
    """Stage 1 of the plugin, nothing taken away."""
    epochs = steps * settings.batch / len(images)
    net = encoder(settings.network)
    with tempfile.TemporaryDirectory() as folder:
        settings = settings.model_copy(update={"epochs": epochs})
        byol.fit(net, images, context(clock, Path(folder)), settings, lambda path: None)


def input_plain(
    files: list[Path], settings: LeadSettings, workers: int, clock: Clock, steps: int
) -> None:
    with closing(plain_batches(files, settings, workers, clock.device)) as batches:
        for step in range(1, steps + 1):
            for views in next(batches):
                views.to(clock.device, non_blocking=True)
            if step in (clock.warm_up, steps):
                clock.mark(step)


def input_ours(images: Images, settings: LeadSettings, clock: Clock, steps: int) -> None:
    batches = Batches(images, Order(len(images), settings.batch, 0), clock.device)
    for step in range(1, steps + 1):
        pixels = batches(step).float().div_(255)
        draw = generator(0, "views", step, device=clock.device)
        for kind in byol.crops(settings):
            random_crop(pixels, kind, draw)
        if step in (clock.warm_up, steps):
            clock.mark(step)


def random_faces(folder: Path, count: int) -> list[Path]:
    """Smooth random JPEGs of the size of aligned CelebA."""
    draw = np.random.default_rng(0)
    files = []
    for i in range(count):
        coarse = Image.fromarray(draw.integers(0, 256, (14, 11, 3), dtype=np.uint8))
        files.append(folder / f"{i:06}.jpg")
        coarse.resize((178, 218), Image.Resampling.BICUBIC).save(files[-1], quality=90)
    return files


def prepare(files: list[Path]) -> Images:
    """Decode and resize once, as `bench data prepare` does before any training."""
    side = SIZE + 2 * MARGIN
    pixels = np.empty((len(files), side, side, 3), np.uint8)
    for i, path in enumerate(files):
        with Image.open(path) as file:
            resized = file.convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
        pixels[i] = np.asarray(resized)
    return Images(pixels, SIZE, digest="")


def machine(device: str) -> dict[str, Any]:
    """What the numbers depend on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    cuda = device.startswith("cuda")
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if names else os.cpu_count(),
        "gpu": torch.cuda.get_device_name(device) if cuda else None,
        "load_average_before": round(os.getloadavg()[0], 2),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
    }


def presets() -> Mapping[str, Mapping[str, Any]]:
    return {"small": bench_lead.SMALL, "paper": bench_lead.PAPER}


def measure(arguments: argparse.Namespace, files: list[Path]) -> dict[str, Any]:
    """All turns of all arms, and medians over the turns."""
    device, steps = arguments.device, arguments.warm_up + arguments.steps
    chosen = dict(presets()[arguments.preset])
    if arguments.batch:
        chosen["batch"] = arguments.batch
    settings = LeadSettings(**chosen, precision="float32")
    halved = settings.model_copy(update={"precision": "bfloat16"})
    described = machine(device)
    started = time.perf_counter()
    images = prepare(files)
    prepared_in = time.perf_counter() - started

    turns: dict[str, Callable[[Clock], None]] = {
        "plain": lambda c: train_plain(files, settings, arguments.workers, c, steps),
        "ours": lambda c: train_ours(images, settings, c, steps),
        "ours-bfloat16": lambda c: train_ours(images, halved, c, steps),
        "plain/input": lambda c: input_plain(files, settings, arguments.workers, c, steps),
        "ours/input": lambda c: input_ours(images, settings, c, steps),
    }
    order = list(ARMS) * arguments.turns + ["plain/input", "ours/input"]
    segments = []
    for arm in order:
        clock = Clock(device, arguments.warm_up)
        turns[arm](clock)
        rate = clock.images_per_second(settings.batch)
        segments.append({"arm": arm, "images_per_second": round(rate, 1)})
        print(f"{arm:14} {rate:10.1f} images/s", flush=True)
    medians = {
        arm: statistics.median(s["images_per_second"] for s in segments if s["arm"] == arm)
        for arm in turns
    }
    return {
        "what": "LEAD stage 1, training images per second (two views of each)",
        "machine": described,
        "settings": {
            "preset": arguments.preset,
            "network": settings.network,
            "batch": settings.batch,
            "crop_size": settings.crop_size,
            "device": device,
            "workers_of_plain": arguments.workers,
            "warm_up_steps": arguments.warm_up,
            "timed_steps": arguments.steps,
        },
        "images": {"count": len(files), "prepared_once_in_s": round(prepared_in, 2)},
        "segments": segments,
        "median_images_per_second": medians,
        "times_plain": {arm: round(medians[arm] / medians["plain"], 2) for arm in ARMS[1:]},
    }


def row(result: Mapping[str, Any]) -> str:
    """The line of perf/README.md."""
    rates, times, settings = (
        result[k] for k in ("median_images_per_second", "times_plain", "settings")
    )
    where = result["machine"]["gpu"] or f"{result['machine']['cores']} CPU cores"
    return (
        f"| {settings['preset']}: {settings['network']}, batch {settings['batch']}, "
        f"{settings['crop_size']} px | {where} | {rates['plain']:.0f} | {rates['ours']:.0f} "
        f"(×{times['ours']}) | {rates['ours-bfloat16']:.0f} (×{times['ours-bfloat16']}) | "
        f"{rates['plain/input']:.0f} → {rates['ours/input']:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--preset", default="small", choices=sorted(presets()))
    parser.add_argument("--batch", type=int, help="default: the preset's")
    parser.add_argument("--steps", type=int, default=20, help="timed steps of a turn")
    parser.add_argument("--warm-up", type=int, help="steps before them, a multiple of 20")
    parser.add_argument("--turns", type=int, default=2, help="turns of each arm")
    parser.add_argument("--images", type=int, default=2000, help="faces used, at most")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    ahead = 2 * arguments.workers  # batches that a DataLoader holds ready
    if arguments.warm_up is None:
        arguments.warm_up = REPORTED_EVERY * (ahead // REPORTED_EVERY + 1)
    if arguments.warm_up <= ahead or arguments.warm_up % REPORTED_EVERY:
        parser.error(f"--warm-up must be a multiple of {REPORTED_EVERY} above {ahead}")

    faces = Path(os.environ.get("BENCH_DATA", "")) / "ytf68" / "data" / "training"
    real = bool(os.environ.get("BENCH_DATA")) and faces.is_dir()
    with tempfile.TemporaryDirectory() as folder:
        files = sorted(faces.glob("*.jpg")) if real else random_faces(Path(folder), 600)
        result = measure(arguments, files[: arguments.images])
    result["images"]["source"] = "ytf68 training frames" if real else "random JPEGs"
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")
    print(row(result))


if __name__ == "__main__":
    main()

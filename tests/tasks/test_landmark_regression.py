"""Landmark regression from stored predictions to numbers: real labels give the published values."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests_fixtures import Call

from benchmark.datasets.prepared import PreparedSplit
from benchmark.datasets.readers.taichi import MISSING
from benchmark.home import builtin_folder
from benchmark.interface.progress import Silent
from benchmark.metrics.aggregates import aggregate
from benchmark.protocols import Protocol
from benchmark.protocols.files import _read_cached
from benchmark.registry.protocols import find_protocol
from benchmark.tasks.base import Scoring
from benchmark.tasks.landmark_regression import LandmarkRegression


def split(points: np.ndarray, visible: np.ndarray | None = None) -> PreparedSplit:
    """A prepared split of these labels, whose pixels nobody looks at."""
    count = len(points)
    return PreparedSplit(
        folder=Path("labels"),
        pixels=np.zeros((count, 1, 1, 3), np.uint8),
        points=points.astype(np.float32),
        identities=[""] * count,
        keys=[f"{i:06}" for i in range(count)],
        size=1,
        pixels_digest="",
        labels_digest="",
        labels={} if visible is None else {"visible": visible},
    )


def scored(
    protocol: Protocol,
    store: Path,
    labels: dict[str, PreparedSplit],
    predicted: dict[str, np.ndarray],
) -> dict[str, float]:
    """Metric id → number, by the way a run takes."""
    for name, points in predicted.items():
        (store / name).mkdir(parents=True, exist_ok=True)
        np.save(store / name / "points.npy", points.astype(np.float32))
    how = Scoring(protocol, "landmarks", twin=False, on="test", device="cpu", progress=Silent())
    scores = LandmarkRegression().score(store, labels, how)
    return {m.id: aggregate(scores.per_item[m.id], m.aggregate) for m in protocol.metrics}


def real(*words: str) -> Path:
    """A file or folder below BENCH_DATA."""
    for root in os.environ.get("BENCH_DATA", "").split(os.pathsep):
        path = Path(root).joinpath(*words)
        if root and path.exists():
            return path
    pytest.skip(f"BENCH_DATA names no folder with {'/'.join(words)}")


@pytest.fixture(scope="module")
def taichi() -> dict[str, PreparedSplit]:
    """The real joints as prepared for 128 × 128, by file name."""
    folder = real("taichi_points", "landmarks")
    found = {}
    for part in ("train", "test"):
        with np.load(folder / f"taichi_{part}_gt.npz") as arrays:
            value = arrays["value"][np.argsort(arrays["file_name"], kind="stable")]
        found[part] = split(value / 2, ~(value == MISSING).all(-1))
    return found


def test_a_constant_scores_what_it_must_on_the_real_joints(
    taichi: dict[str, PreparedSplit], tmp_path: Path
) -> None:
    constant = {name: np.full((len(s), 1, 2), 127.0) for name, s in taichi.items()}
    found = scored(find_protocol("taichi"), tmp_path, taichi, constant)
    assert found["keypoint_l1_sum"] == pytest.approx(683.2843923599884, rel=1e-7)
    assert found["keypoint_l2_sum"] == pytest.approx(558.6275, abs=5e-5)


def test_part_centres_score_as_the_reference_scores_them(
    taichi: dict[str, PreparedSplit], tmp_path: Path
) -> None:
    path = Path(os.environ.get("BENCH_GOLDEN", "")) / "taichi_mae_real_labels.npz"
    if not path.is_file():
        pytest.skip("BENCH_GOLDEN names no folder with taichi_mae_real_labels.npz")
    with np.load(path) as golden:
        centres = {name: golden[f"in_{name}_part_centres_xy"] for name in taichi}
        terms = golden["out_mae_36"]
    found = scored(find_protocol("taichi"), tmp_path, taichi, centres)
    assert found["keypoint_l1_sum"] == pytest.approx(373.20888617353336, rel=1e-7)
    assert found["keypoint_l1_sum"] == pytest.approx(terms.sum(), rel=1e-7)
    assert found["keypoint_l2_sum"] == pytest.approx(300.3149242727617, rel=1e-7)


def test_true_joints_as_features_leave_no_error(
    taichi: dict[str, PreparedSplit], tmp_path: Path
) -> None:
    truth = {name: s.points for name, s in taichi.items()}
    found = scored(find_protocol("taichi"), tmp_path, taichi, truth)
    assert max(found.values()) < 1e-6


def test_one_model_gives_five_numbers_on_the_real_faces(tmp_path: Path) -> None:
    labels, predicted = {}, {}
    with np.load(real("mafl_points", "mafl_gt_and_pred10.npz")) as arrays:
        for part in ("train", "test"):
            order = np.argsort(arrays[f"{part}_names"], kind="stable")  # as the reader has them
            frame = np.array([178, 218]) / 1.25  # the squashed image's central 80 %
            points = (arrays[f"{part}_landmarks"][order] - [17.8, 21.8]) / frame * 128
            labels[part] = split(points)
            predicted[part] = (arrays[f"{part}_pred10_yx_norm"][order][..., ::-1] + 0.5) * 128
    found = scored(find_protocol("celeba_aligned"), tmp_path, labels, predicted)
    wanted = {
        "nme_iod": 3.4815,
        "nme_iod_imm": 3.5633,
        "nme_iod_ganseg": 3.5618,
        "nme_iod_scops": 3.2609,
        "nme_iod_true": 3.7380,
    }
    assert found == pytest.approx(wanted, abs=5e-5)


@pytest.fixture
def changed() -> Callable[..., Protocol]:
    """celeba_aligned with other words for its headline metric."""
    protocol = find_protocol("celeba_aligned")

    def change(**words: object) -> Protocol:
        metric = protocol.metrics[0].model_copy(update=words)
        return protocol.model_copy(update={"metrics": (metric,)})

    return change


FACES = np.random.default_rng(0).uniform(0, 128, (40, 5, 2))


def test_a_torso_as_unit_and_hidden_joints(floors: Path, bench: Call, tmp_path: Path) -> None:
    """PCK and errors by a body length, from a protocol to a record, where some joints are hidden."""
    text = (builtin_folder() / "taichi" / "1.toml").read_text().partition("[[reported]]")[0]
    metrics = text[text.index("[[metrics]]") : text.index("[twin]")]
    own = """[[metrics]]
id = "pck"
unit = "%"
better = "higher"
aggregate = "ratio_of_sums"
threshold = 0.2

[[metrics]]
id = "nme_torso"
measure = "nme_visible"
unit = "%"
better = "lower"
aggregate = "ratio_of_sums"

"""
    for old, new in (
        ('id = "taichi"\nversion', 'id = "torso"\nversion'),
        (metrics, own),
        ("count = 18", "count = 18\neyes = [2, 11]"),
        ("resize = 128", "resize = 48"),
        ("fit = 50\ntrain = 150\ntest = 40", "fit = 8\ntrain = 60\ntest = 16"),
    ):
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "protocols" / "torso" / "1.toml"
    path.parent.mkdir()
    path.write_text(text)
    values = {}
    for method in ("oracle", "mean-shape"):
        said = bench("run", "-m", method, "-p", "torso", "--twin", "--device", "cpu", "--json")
        assert said.code == 0, said.err
        values[method] = said.json["metrics"]
        assert bench("verify", "--data", said.json["record"]).code == 0
    assert values["oracle"] == pytest.approx({"pck": 100, "nme_torso": 0}, abs=1e-3)
    assert 0 < values["mean-shape"]["pck"] < 90
    assert values["mean-shape"]["nme_torso"] > 10
    for old, new, fault in (
        ("threshold = 0.2", "", "threshold is lacking"),
        (
            'measure = "nme_visible"',
            'measure = "nme_visible"\nthreshold = 0.1',
            "not read by nme_vis",
        ),
        ('measure = "nme_visible"', 'measure = "nme_iod"', "nme_visible, pck"),
        ("eyes = [2, 11]", "", "name them as landmarks.eyes"),
    ):
        path.write_text(text.replace(old, new))
        _read_cached.cache_clear()
        assert fault in bench("protocol", "check", "torso").out

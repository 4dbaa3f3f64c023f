"""Statistics of images that stream by: the same as of all at once, in memory that does not grow."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmark.contracts.errors import DataAltered, DataMissing, InvalidInput
from benchmark.contracts.predictions import Generator
from benchmark.metrics.frechet import frechet_distance, frechet_distance_from_features
from benchmark.networks.feature_networks import FeatureNetwork, RandomConvolutions
from benchmark.networks.features import (
    FeatureSample,
    collect,
    folder_images,
    generated_images,
)


class Corner(FeatureNetwork):
    """The four corners of the red channel: nothing to compute, nothing resized."""

    name = "corner"
    dimensions = 4
    size = 8
    resizing = "legacy_pytorch"
    scaling = "none"

    def read(self, levels):
        return levels[:, 0, ::7, ::7].flatten(1)

    def sha256(self):
        return {}


def noise(count, seed=0, size=8):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), np.uint8)


def test_streamed_statistics_are_those_of_all_features_at_once():
    network = RandomConvolutions()
    images, others = noise(50, size=20), noise(40, seed=1, size=20) // 2
    real = collect(np.array_split(images, 7), network, keep=100)
    fake = collect([others], network)
    features, other_features = (network.features(x).numpy() for x in (images, others))
    assert (real.count, fake.count) == (50, 40)
    np.testing.assert_allclose(real.kept, features, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(real.mean, features.astype(np.float64).mean(0), rtol=1e-6)
    found = frechet_distance(real.mean, real.covariance(), fake.mean, fake.covariance())
    expected = frechet_distance_from_features(features, other_features)
    assert found == pytest.approx(expected, rel=1e-4)
    assert expected > 0.1


def test_memory_does_not_grow_with_the_number_of_images():
    batch = noise(64)

    def peak(batches):
        tracemalloc.start()
        statistics = collect((batch for _ in range(batches)), Corner(), keep=100)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert statistics.count == 64 * batches
        return most

    peak(2)
    few, many = peak(10), peak(300)
    assert many < few + 30_000  # 290 more batches: 3.6 MB of images, 300 kB of features


def test_what_is_kept_and_how_is_part_of_the_identity():
    network = Corner()
    kept = collect([noise(9)], network, keep=5, seed=3)
    assert kept.identity == {**network.identity(), "keep": 5, "seed": 3}
    none = collect([noise(9)], network)
    assert none.identity == network.identity()
    with pytest.raises(InvalidInput, match="keep"):
        _ = none.kept


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 2**31), st.integers(1, 12), st.lists(st.integers(0, 60), max_size=5, unique=True)
)
def test_a_sample_depends_on_order_and_seed_not_on_batches(seed, capacity, cuts):
    rows = np.arange(60, dtype=np.float32)[:, None]
    whole, pieces = FeatureSample(capacity, 1, seed), FeatureSample(capacity, 1, seed)
    whole.add(rows)
    for piece in np.split(rows, sorted(cuts)):
        pieces.add(piece)
    np.testing.assert_array_equal(whole.rows, pieces.rows)
    assert whole.passed == pieces.passed == 60
    assert len(np.unique(whole.rows)) == capacity  # nothing twice, nothing made up
    assert not whole.rows.flags.writeable


def test_everything_is_kept_in_order_while_there_is_room():
    sample = FeatureSample(10, 2)
    rows = np.arange(12, dtype=np.float32).reshape(6, 2)
    sample.add(rows[:4])
    sample.add(rows[4:])
    np.testing.assert_array_equal(sample.rows, rows)


def test_each_has_the_same_chance_to_be_kept():
    kept = np.zeros(20)
    for seed in range(600):
        sample = FeatureSample(5, 1, seed)
        sample.add(np.arange(20, dtype=np.float32)[:, None])
        kept[sample.rows[:, 0].astype(int)] += 1
    # Binomial with p = 1/4: a standard deviation of 10.6 around 150.
    assert np.abs(kept - 150).max() < 4.5 * 10.6


def test_bad_samples_and_too_few_images_are_refused():
    with pytest.raises(InvalidInput, match="room"):
        FeatureSample(0, 3)
    with pytest.raises(InvalidInput, match=r"\(B, 3\)"):
        FeatureSample(2, 3).add(np.zeros((1, 4), np.float32))
    for images in ([], [noise(1)]):
        with pytest.raises(InvalidInput, match="at least 2 images"):
            collect(images, Corner())


@pytest.fixture
def folder(tmp_path):
    """Five images of two sizes and many kinds; the names are not in the order of writing."""
    rgb = noise(3, size=6)
    Image.fromarray(rgb[0]).save(tmp_path / "c.png")
    oriented = Image.Exif()
    oriented[0x0112] = 6  # a quarter turn, if one looked
    Image.fromarray(rgb[1]).save(tmp_path / "a.PNG", exif=oriented)
    Image.fromarray(rgb[2][..., 0]).save(tmp_path / "b.png")
    cmyk = Image.fromarray(np.full((4, 6, 3), 200, np.uint8)).convert("CMYK")
    cmyk.save(tmp_path / "d.tif")
    Image.fromarray(np.dstack([rgb[0], rgb[0][..., :1]])).save(tmp_path / "e.png")
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / "inner").mkdir()
    Image.fromarray(rgb[0]).save(tmp_path / "inner" / "f.png")
    return tmp_path, rgb


def test_a_folder_is_read_in_the_order_of_names_as_rgb(folder):
    path, rgb = folder
    batches = list(folder_images(path, batch=2))
    assert [b.shape for b in batches] == [(2, 6, 6, 3), (1, 6, 6, 3), (1, 4, 6, 3), (1, 6, 6, 3)]
    assert all(b.dtype == np.uint8 for b in batches)
    np.testing.assert_array_equal(batches[0][0], rgb[1])
    np.testing.assert_array_equal(batches[0][1], np.repeat(rgb[2][..., :1], 3, axis=2))
    np.testing.assert_array_equal(batches[1][0], rgb[0])
    assert np.abs(batches[2].astype(int) - 200).max() <= 1
    np.testing.assert_array_equal(batches[3][0], rgb[0])
    assert collect(folder_images(str(path)), Corner()).count == 5


def test_folders_with_too_few_or_broken_images_say_so(folder, tmp_path_factory):
    path, _ = folder
    (path / "bb.jpg").write_bytes((path / "c.png").read_bytes()[:60])
    with pytest.raises(DataAltered, match=r"bb\.jpg can't be decoded"):
        list(folder_images(path))
    empty = tmp_path_factory.mktemp("empty")
    for where in (empty, empty / "nowhere", empty / "one.png"):
        with pytest.raises(DataMissing, match="at least 2 images"):
            folder_images(where)
    Image.fromarray(noise(1)[0]).save(empty / "one.png")
    with pytest.raises(DataMissing, match="found 1"):
        folder_images(empty)
    with pytest.raises(InvalidInput, match="batch"):
        folder_images(path, batch=0)


def test_generated_images_are_the_generators_sample():
    generator = Generator(
        z_dim=3,
        layers=1,
        size=4,
        mapping=lambda z: z[:, None],
        synthesis=lambda w, seed: w[:, 0, :, None, None].expand(-1, -1, 4, 4) / 2 + 0.01 * seed,
    )
    expected = generator.sample(11, seed=5).permute(0, 2, 3, 1).numpy()
    for batch in (3, 64):
        streamed = list(generated_images(generator, 11, 5, batch))
        np.testing.assert_array_equal(np.concatenate(streamed), expected)
        assert max(len(images) for images in streamed) <= batch
    assert not torch.equal(generator.sample(4, seed=6), generator.sample(4, seed=5))
    with pytest.raises(InvalidInput, match="cannot sample 0"):
        next(generated_images(generator, 0, 5))

"""StyleGAN2 as methods: what they generate, save and refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from bench_stylegan2 import AUTO, DEMO, PAPER256, SMALL, SMALL_HSR
from bench_stylegan2.generator import StyleGan2
from bench_stylegan2.method import StyleGan2File, StyleGan2Method, as_generator
from safetensors.torch import save_file

from benchmark.cli import main
from benchmark.contracts.errors import Incompatible
from benchmark.contracts.images import Images
from benchmark.testing.standin import make_context, make_images

TINY: dict[str, Any] = {"z": 8, "w": 8, "base": 64, "most": 8, "images": 32, "batch": 8}


def net() -> StyleGan2:
    torch.manual_seed(0)
    found = StyleGan2(16, 8, 8, 2, 64, 8)
    found.mapping.w_avg.normal_()
    for layer in (found.synthesis.b4.conv1, found.synthesis.b16.conv0):
        layer.noise_strength.data.fill_(0.5)
    return found.eval().requires_grad_(False)


@pytest.mark.parametrize("preset", [AUTO, PAPER256, SMALL, SMALL_HSR, DEMO])
def test_presets_can_be_read(preset: dict[str, Any]) -> None:
    StyleGan2Method.Settings(**preset)


def test_images_follow_from_z_and_the_noise_seed_and_not_from_the_batch() -> None:
    made = as_generator(net(), 1.0)
    z = torch.randn(5, 8)
    whole = made.synthesis(made.mapping(z), 3)
    torch.testing.assert_close(
        whole[2:3], made.synthesis(made.mapping(z[2:3]), 3), atol=1e-5, rtol=0
    )
    assert not torch.equal(whole, made.synthesis(made.mapping(z), 4))
    assert torch.equal(made.sample(9, 1, batch=9), made.sample(9, 1, batch=9))
    apart = (made.sample(9, 1, batch=9).int() - made.sample(9, 1, batch=2).int()).abs()
    assert int(apart.max()) <= 1  # of another rounding


def test_truncation_brings_w_to_its_mean() -> None:
    network = net()
    z = torch.randn(3, 8)
    w = [as_generator(network, psi).mapping(z) for psi in (1.0, 0.5, 0.0)]
    mean = network.mapping.w_avg
    torch.testing.assert_close(w[1], mean + 0.5 * (w[0] - mean))
    torch.testing.assert_close(w[2], mean.expand_as(w[2]))


def test_other_sides_than_powers_of_two_are_refused(tmp_path: Path) -> None:
    method = StyleGan2Method(StyleGan2Method.Settings(**TINY))
    images = make_images()
    odd = Images(images.pixels[:, :24, :24].copy(), 24, "0" * 64)
    with pytest.raises(Incompatible, match="not of 24"):
        method.fit(odd, make_context(tmp_path))


def test_a_protocol_of_another_side_is_refused_before_any_data_are_read() -> None:
    sizes = StyleGan2Method.info(StyleGan2Method.Settings(**TINY)).sizes
    assert sizes == (8, 16, 32, 64, 128, 256, 512, 1024)


def test_what_is_no_file_of_weights_is_named_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "theirs.safetensors").write_bytes(b"no weights at all")
    shape = {"z": 8, "w": 8, "mapping": 2, "base": 64, "most": 8, "size": 16}
    settings = StyleGan2File.Settings(file="theirs.safetensors", sha256="0" * 64, **shape)
    context = make_context(tmp_path / "fit", weights=lambda name: tmp_path / name)
    with pytest.raises(Incompatible, match="is no file of safetensors") as caught:
        StyleGan2File(settings).fit(make_images(), context)
    assert "convert.py" in caught.value.cure


def test_a_generator_of_others_is_what_its_file_holds(tmp_path: Path) -> None:
    network = net()
    path = tmp_path / "theirs.safetensors"
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, path)
    shape = {"z": 8, "w": 8, "mapping": 2, "base": 64, "most": 8, "size": 16}
    given = {"file": path.name, "sha256": "0" * 64, **shape}
    method = StyleGan2File(StyleGan2File.Settings(**given))
    (weight,) = method.info(method.settings).pretrained
    assert weight.name == "theirs.safetensors"
    method.fit(make_images(), make_context(tmp_path / "fit", weights=lambda name: tmp_path / name))
    ours, theirs = method.generator().sample(4, 0), as_generator(network, 1.0).sample(4, 0)
    assert torch.equal(ours, theirs)
    method.save(tmp_path)
    again = StyleGan2File(method.settings)
    again.load(tmp_path, "cpu")
    assert torch.equal(again.generator().sample(4, 0), ours)

    other = StyleGan2File(StyleGan2File.Settings(**given | {"most": 4}))
    with pytest.raises(Incompatible, match="no generator of these settings") as caught:
        other.fit(make_images(), make_context(tmp_path / "o", weights=lambda name: tmp_path / name))
    assert "mapping, base and most" in caught.value.cure


def test_settings_without_a_default_are_shown_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["show", "method", "stylegan2-file"])
    shown = capsys.readouterr().out
    (line,) = (line for line in shown.splitlines() if line.startswith("file "))
    assert "to be given" in line
    assert "Undefined" not in shown

"""EfficientNet-Lite0 without its classifier, layer by layer as TensorFlow's release.

Source: Tan and Le 2019, EfficientNet, table 1; "Lite" leaves out squeeze-and-excitation and has ReLU6.
Convolutions are padded as in TensorFlow and batch norm adds 1e-3: with symmetric padding or 1e-5 the
same weights load as well, and give other maps.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from benchmark.networks.same import Same

#: Of each stage: blocks, kernel, stride of the first block, expansion, channels.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM = 32
LAYERS = {
    f"stage{i + 1}": sum(blocks for blocks, *_ in STAGES[: i + 1]) for i in range(len(STAGES))
}
"""The last block of each stage; strides 2, 4, 8, 16, 16, 32, 32."""


class _Convolution(nn.Sequential):
    """Convolution, batch norm, and ReLU6 where it is wanted."""

    def __init__(
        self, inward: int, outward: int, kernel: int, stride: int = 1, groups: int = 1,
        active: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.conv = Same(inward, outward, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outward, eps=1e-3)
        if active:
            self.active = nn.ReLU6()


class _Block(nn.Module):
    """Expand, convolve each channel, project; with a shortcut where the shape stays."""

    def __init__(self, inward: int, outward: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        wide = inward * expand
        self.expand = _Convolution(inward, wide, 1) if expand > 1 else nn.Identity()
        self.depthwise = _Convolution(wide, wide, kernel, stride, groups=wide)
        self.project = _Convolution(wide, outward, 1, active=False)
        self.shortcut = stride == 1 and inward == outward

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self.shortcut else y


def features() -> nn.Sequential:
    """The stem, then 16 blocks: images (B, 3, H, W) in [-1, 1] → (B, 320, H / 32, W / 32)."""
    layers: list[nn.Module] = [_Convolution(3, STEM, 3, stride=2)]
    inward = STEM
    for blocks, kernel, stride, expand, outward in STAGES:
        for i in range(blocks):
            layers.append(_Block(inward, outward, kernel, stride if i == 0 else 1, expand))
            inward = outward
    return nn.Sequential(*layers)


def renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a file in the naming of TensorFlow's ports, as those of `features`."""
    found = {}
    for key, value in state.items():
        head, _, rest = key.partition(".")
        if head in ("_conv_stem", "_bn0"):
            found[f"0.{'norm' if head == '_bn0' else 'conv'}.{rest}"] = value
        elif head == "_blocks":
            number, part, name = rest.split(".")
            found[f"{int(number) + 1}.{_PARTS[part]}.{name}"] = value
    return found


_PARTS = {
    "_expand_conv": "expand.conv",
    "_bn0": "expand.norm",
    "_depthwise_conv": "depthwise.conv",
    "_bn1": "depthwise.norm",
    "_project_conv": "project.conv",
    "_bn2": "project.norm",
}

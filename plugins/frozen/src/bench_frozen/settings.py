"""All that can be chosen about frozen backbones, and about factoring their maps."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from benchmark.contracts.method import MethodSettings
from benchmark.networks.backbones import Backbone


class BackboneSettings(MethodSettings):
    """Which frozen network, and what it is shown.

    `backbone` is built in (vgg16, squeezenet, efficientnet-lite0) or "timm/NAME" with the `file` of its
    weights (safetensors) and that file's `sha256`; `trained` false draws them from the seed. Images
    are brought to `size` pixels a side by bilinear interpolation. `norm` takes a transformer's last
    norm.
    """

    backbone: str = "efficientnet-lite0"
    """Which frozen network: a built-in one, or timm/NAME."""
    layers: tuple[str, ...] = ("stage2", "stage3", "stage5")
    """Whose maps are taken."""
    trained: bool = True
    """Whether its weights are trained, or drawn from the seed."""
    file: str = ""
    """File of its weights, for one of timm's."""
    sha256: str = ""
    """Digest of that file."""
    size: int = Field(192, ge=32)
    """Side that images are brought to, in pixels."""
    norm: bool = True
    """Whether a transformer's last norm is applied."""

    @property
    def network(self) -> Backbone:
        """Which network that is."""
        return Backbone(self.backbone, self.layers, self.trained, self.file, self.sha256)

    @model_validator(mode="after")
    def _there(self) -> BackboneSettings:
        if not self.layers:
            raise ValueError("layers: name one at least")
        if faults := self.network.faults():
            raise ValueError("; ".join(faults))
        return self


class DescriptorSettings(BackboneSettings):
    """Maps of all layers on one `grid`, bilinear; with `unit_length` each layer's descriptors have
    length 1, so that none outweighs the others."""

    grid: int = Field(24, ge=2)
    """Side of the grid that the maps of all layers are brought to."""
    unit_length: bool = True
    """Whether each layer's descriptors have length 1."""


class FactorSettings(BackboneSettings):
    """DFF: maps of the layers, on the grid of the first, as sums of `parts` non-negative factors.

    The basis comes from `fitted` training images, as the best of `starts` random starts of so many
    `updates`; a new image's coefficients from `solved` updates with the basis fixed. Values below 0
    count as 0; with `unit_length` each place's maps have length 1. The background is the factor that
    lies most along the border and least in the middle, and with `background` "all" every other that
    has more there than in the middle too; the rest are parts.
    """

    layers: tuple[str, ...] = ("fire9",)
    """Whose maps are factored."""
    backbone: str = "squeezenet"
    """Which frozen network: a built-in one, or timm/NAME."""
    size: int = Field(224, ge=32)
    """Side that images are brought to, in pixels."""
    parts: int = Field(2, ge=2)
    """How many factors, the background among them."""
    fitted: int = Field(200, ge=1)
    """Training images that the basis is found on."""
    starts: int = Field(3, ge=1)
    """Random starts, of which the best is kept."""
    updates: int = Field(60, ge=1)
    """Of each start."""
    solved: int = Field(40, ge=1)
    """Updates of a new image's coefficients."""
    unit_length: bool = False
    """Whether each place's maps have length 1."""
    background: Literal["most", "all"] = "all"
    """Which factors are background: the one that lies most at the border, or all that do."""

    @model_validator(mode="after")
    def _placed(self) -> FactorSettings:
        if faults := self.network.misplaced(self.size):
            raise ValueError("; ".join(faults))
        return self

"""All that can be chosen about IMM."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from benchmark.contracts.method import MethodSettings


class ImmSettings(MethodSettings):
    """Networks, pairs, loss and training.

    Networks: `landmarks` is K; images are seen at `size` × `size`; the first block of each encoder
    has `width` channels, each of the next ones (`blocks` in all) twice as many at half the side.
    `layout` "seed" pads as the re-implementation in PyTorch (124 × 124 after the first convolution of
    128 × 128), "released" as the TensorFlow code; `initial` weights are torch's or, as there, normal
    with spread 0.01, cut at 0.02. `sigma` is that of the maps, in half sides.

    Pairs: "warp" renders a thin-plate warp of the image from a further warp of it, "rotation" one
    rotation by at most `rotation` degrees from another, "views" one view of an object from another
    (the protocol must grant which images are views of one object). `margin` takes the real pixels
    around the image where the data has them. The loss is left out within `discount[0]` sides of the
    border and comes in over the next `discount[1]`.

    Loss: squared differences of pixels and of the first `depth` maps of the `perceptual` network,
    each over its weight: a running average that starts at `weights` ("running"), or `weights`
    themselves ("fixed").

    Training: `steps`, or `epochs` where it is None.
    """

    landmarks: int = Field(10, ge=1)
    renderer: Literal["bilinear", "transposed"] = "bilinear"
    layout: Literal["seed", "released"] = "seed"
    initial: Literal["torch", "truncated_normal"] = "torch"
    size: int = Field(128, ge=16)
    width: int = Field(32, ge=1)
    blocks: int = Field(4, ge=2)
    sigma: float = Field(0.10, gt=0)

    pairs: Literal["warp", "rotation", "views"] = "warp"
    rotation: float = Field(20.0, ge=0, le=180)
    margin: bool = False
    discount: tuple[float, float] = (10 / 128, 20 / 128)

    perceptual: Literal["vgg16", "squeezenet", "untrained", "none"] = "vgg16"
    depth: int = Field(5, ge=0, le=5)
    weighting: Literal["running", "fixed"] = "running"
    weights: tuple[float, ...] = (100.0, 1.6, 2.3, 1.8, 2.8, 100.0)
    weights_decay: float = Field(0.99, ge=0, lt=1)
    loss_scale: float = Field(1000.0, gt=0)

    epochs: float = Field(100.0, gt=0)
    steps: int | None = Field(None, ge=1)
    batch: int = Field(50, ge=2)
    learning_rate: float = Field(1e-3, gt=0)
    schedule: Literal["plateau", "decay", "cosine"] = "plateau"
    plateau_steps: int = Field(100, ge=1)
    plateau_factor: float = Field(0.5, gt=0, lt=1)
    learning_rate_floor: float = Field(1e-5, ge=0)
    decay_steps: int = Field(100_000, ge=1)
    decay_factor: float = Field(0.95, gt=0, le=1)
    warm_up: float = Field(0.0, ge=0, le=1)
    weight_decay: float = Field(5e-4, ge=0)
    clip: float = Field(1.0, gt=0)
    clip_by: Literal["all", "variable"] = "all"
    precision: Literal["float32", "bfloat16"] = "float32"

    @model_validator(mode="after")
    def _consistent(self) -> ImmSettings:
        if self.size % self.stride:
            raise ValueError(
                f"size {self.size} is not a multiple of {self.stride}, by which {self.blocks} "
                "blocks reduce it"
            )
        if self.layout == "seed" and self.blocks < 4:
            raise ValueError("layout 'seed' cuts 4 pixels, which only 4 blocks or more make good")
        if self.size // self.stride < 4:
            raise ValueError(f"{self.blocks} blocks leave less than 4 × 4 of size {self.size}")
        if min(self.discount) < 0 or sum(self.discount) >= 0.5:
            raise ValueError(f"discount {self.discount} leaves nothing of the image")
        if self.perceptual == "none" and self.depth:
            raise ValueError("perceptual 'none' compares pixels alone: set depth=0")
        if len(self.weights) < self.depth + 1 or min(self.weights) <= 0:
            raise ValueError(f"depth {self.depth} needs {self.depth + 1} positive weights")
        return self

    @property
    def stride(self) -> int:
        """By how much the encoders reduce the image."""
        return 2 ** (self.blocks - 1)

    @property
    def grid(self) -> int:
        """The side of the maps in which landmarks are found."""
        return self.size // self.stride

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
    """How many landmarks are found."""
    renderer: Literal["bilinear", "transposed"] = "bilinear"
    """How the decoder doubles its maps: bilinear, or by transposed convolutions."""
    layout: Literal["seed", "released"] = "seed"
    """Whose padding: that of the re-implementation in PyTorch, or of the released TensorFlow code."""
    initial: Literal["torch", "truncated_normal"] = "torch"
    """How weights begin: as torch has it, or as in the released code."""
    size: int = Field(128, ge=16)
    """Side at which images are seen, in pixels."""
    width: int = Field(32, ge=1)
    """Channels of each encoder's first block."""
    blocks: int = Field(4, ge=2)
    """Blocks of each encoder, the next of twice the channels at half the side."""
    sigma: float = Field(0.10, gt=0)
    """Spread of a landmark's map, in half sides."""

    pairs: Literal["warp", "rotation", "views"] = "warp"
    """What a pair is: two warps of an image, two rotations, or two views of an object."""
    rotation: float = Field(20.0, ge=0, le=180)
    """Greatest rotation of pairs by rotation, in degrees."""
    margin: bool = False
    """Whether warps show the real pixels around the image, where the data has them."""
    discount: tuple[float, float] = (10 / 128, 20 / 128)
    """Border where the loss is left out, and over which it then comes in, in sides."""

    perceptual: Literal["vgg16", "squeezenet", "untrained", "none"] = "vgg16"
    """Whose maps are compared beside pixels."""
    depth: int = Field(5, ge=0, le=5)
    """How many maps of that network are compared."""
    weighting: Literal["running", "fixed"] = "running"
    """Whether the weights of the losses are running averages, or fixed."""
    weights: tuple[float, ...] = (100.0, 1.6, 2.3, 1.8, 2.8, 100.0)
    """Of pixels and of each map: where the averages start, or the weights themselves."""
    weights_decay: float = Field(0.99, ge=0, lt=1)
    """How much of itself a running average keeps at each step."""
    loss_scale: float = Field(1000.0, gt=0)
    """What the loss is multiplied by."""

    epochs: float = Field(100.0, gt=0)
    """Passes over the images, where no steps are named."""
    steps: int | None = Field(None, ge=1)
    """Steps of training; none goes by epochs."""
    batch: int = Field(50, ge=2)
    """Pairs of a step."""
    learning_rate: float = Field(1e-3, gt=0)
    """At its highest."""
    schedule: Literal["plateau", "decay", "cosine"] = "plateau"
    """How the rate falls: when the loss stays, by a factor every so often, or as a cosine."""
    plateau_steps: int = Field(100, ge=1)
    """Steps without a better loss after which the rate falls."""
    plateau_factor: float = Field(0.5, gt=0, lt=1)
    """What the rate is then multiplied by."""
    learning_rate_floor: float = Field(1e-5, ge=0)
    """Below which the rate does not fall."""
    decay_steps: int = Field(100_000, ge=1)
    """Steps after which the rate of schedule decay falls."""
    decay_factor: float = Field(0.95, gt=0, le=1)
    """What the rate is then multiplied by."""
    warm_up: float = Field(0.0, ge=0, le=1)
    """Share of the training over which the rate rises from 0."""
    weight_decay: float = Field(5e-4, ge=0)
    """Of the optimiser."""
    clip: float = Field(1.0, gt=0)
    """The norm that gradients are cut to."""
    clip_by: Literal["all", "variable"] = "all"
    """Whether the norm is that of all gradients, or of each variable's."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """In which numbers convolutions and products are computed in training, on GPUs and CPUs alike."""

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

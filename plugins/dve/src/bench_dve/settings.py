"""All that can be chosen about DVE."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from benchmark.contracts.method import MethodSettings


class DveSettings(MethodSettings):
    """Network, loss and training.

    Network: "smallnet" has `width` times the channels that the paper's has, "hourglass" is as released;
    both give `dimension` channels at half of `size`, the side at which images are seen. `unit_length`
    gives predicted descriptors length 1.

    Loss: descriptors of both views are brought to `length` first (None leaves them raw). With
    `exchange` each one is rebuilt from the descriptors of another image before it is matched; without,
    it is matched itself. A match costs its distance in pixels to `power`. `folded` computes the
    softmaxes of one image at a time, and again on the way back: less memory, more time.

    Training: `steps`, or `epochs` where it is None; after the shares `drops` of the steps the rate is a
    tenth. Biases of convolutions learn at `bias_rate` times the rate. `colour` is how much brightness,
    contrast and saturation of each view are changed.
    """

    network: Literal["smallnet", "hourglass"] = "hourglass"
    """The encoder: the paper's small one, or the released hourglass."""
    width: float = Field(1.0, gt=0)
    """Factor on the channels of the small network."""
    dimension: int = Field(64, ge=1)
    """Channels of the descriptors."""
    size: int = Field(96, ge=8)
    """Side at which images are seen, in pixels."""
    unit_length: bool = False
    """Whether predicted descriptors have length 1."""

    length: float | None = Field(20.0, gt=0)
    """To which descriptors are brought in the loss; none leaves them raw."""
    exchange: bool = True
    """Whether descriptors are rebuilt from another image's before they are matched."""
    power: float = Field(0.5, gt=0)
    """To which a match's distance in pixels is raised."""
    folded: bool = False
    """Whether softmaxes are made one image at a time: less memory, more time."""

    epochs: float = Field(100.0, gt=0)
    """Passes over the images, where no steps are named."""
    steps: int | None = Field(None, ge=1)
    """Steps of training; none goes by epochs."""
    batch: int = Field(16, ge=2)
    """Images of a step."""
    learning_rate: float = Field(1e-3, gt=0)
    """At its highest."""
    drops: tuple[float, ...] = (0.5,)
    """Shares of the steps after which the rate is a tenth."""
    bias_rate: float = Field(0.01, ge=0)
    """Factor on the rate for biases of convolutions."""
    weight_decay: float = Field(0.0, ge=0)
    """Of the optimiser."""
    colour: float = Field(0.4, ge=0, le=1)
    """How much brightness, contrast and saturation of each view are changed."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """In which numbers convolutions and products are computed in training, on GPUs and CPUs alike."""

    @model_validator(mode="after")
    def _sides(self) -> DveSettings:
        whole = 32 if self.network == "hourglass" else 2
        if self.size % whole:
            raise ValueError(
                f"size {self.size} is not a multiple of {whole}, as {self.network} needs"
            )
        return self

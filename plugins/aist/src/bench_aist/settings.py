"""All that can be chosen about annotation-invariant style transfer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from benchmark.contracts.method import MethodSettings
from benchmark.networks.backbones import Backbone

Pair = tuple[float, float]
"""Of the way there (G, from renders to photographs) and of the way back (F)."""


class AistSettings(MethodSettings):
    """Networks, losses and training.

    `domain` is the name that the protocol gives to the images whose look is wanted.

    Networks: a generator's first convolution has `width` channels, twice halved in size, then `blocks`
    residual blocks; `slope` is that of its leaky ReLUs below 0. A discriminator's first convolution has
    `judge_width` channels; `judge_layers` of them halve the size. `last` says whether the last layers
    are "plain", as in the stock code, or instance-"normed", as the thesis' lists read. With `skip` a
    generator adds to its input. Weights begin normal with spread `initial_spread`, biases at 0.

    Losses: `cycle_weight` are λ_A and λ_B, by which `identity_weight` (λ_idt) is multiplied;
    `alpha_weight` and `feature_weight` those of the alpha loss and of the feature distance. `alpha` is
    the thesis' "step", which has no gradient, a "soft" one, or "exact": the outline of the input is put
    back onto the output. A soft alpha is sigmoid((max RGB + 1 - `soft_level`) / `soft_width`) of RGB in
    [-1, 1]. `distance` says what |·|₁² is: the square of the mean difference of an image
    ("squared_mean"), or the mean of squares ("mean_square").

    Features are the maps of `features` ("none" for no such term) at `feature_layer`; an untrained
    network follows from the seed, one of timm's is read from `features_file`, whose `features_sha256` is
    stated. `feature_scale` says whether it sees images as it was trained on ("own"), or as they come
    ("signed").

    Training: `steps`, or where that is None `epochs` of the larger domain. Each discriminator learns
    from the last `pool` images; its loss counts `judge_share`. Adam's rate falls linearly to 0 over the
    last share `cooling` of the steps. `mirror` shows half of the images left for right.
    """

    domain: str = Field("photographs", pattern=r"^[a-z][a-z0-9_]*$")

    width: int = Field(64, ge=1)
    blocks: int = Field(9, ge=1)
    slope: float = Field(0.01, ge=0, lt=1)
    judge_width: int = Field(64, ge=1)
    judge_layers: int = Field(3, ge=1)
    last: Literal["plain", "normed"] = "plain"
    skip: bool = False
    initial_spread: float = Field(0.02, gt=0)

    cycle_weight: Pair = (10.0, 10.0)
    identity_weight: float = Field(0.1, ge=0)
    alpha_weight: Pair = (2.0, 2.0)
    feature_weight: Pair = (1.75, 1.75)
    alpha: Literal["step", "soft", "exact"] = "soft"
    soft_level: float = Field(0.04, gt=0, lt=2)
    soft_width: float = Field(0.02, gt=0)
    distance: Literal["squared_mean", "mean_square"] = "squared_mean"

    features: str = "resnet18"
    feature_layer: str = "layer4"
    features_trained: bool = True
    features_file: str = ""
    features_sha256: str = ""
    feature_scale: Literal["own", "signed"] = "own"

    steps: int | None = Field(None, ge=1)
    epochs: float = Field(44.0, gt=0)
    batch: int = Field(4, ge=1)
    pool: int = Field(50, ge=0)
    judge_share: float = Field(0.5, gt=0)
    learning_rate: float = Field(2e-4, gt=0)
    betas: tuple[float, float] = (0.5, 0.999)
    cooling: float = Field(0.0, ge=0, le=1)
    mirror: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> AistSettings:
        weights = (*self.cycle_weight, *self.alpha_weight, *self.feature_weight)
        if min(weights) < 0:
            raise ValueError("cycle_weight, alpha_weight and feature_weight are 0 or more")
        if self.backbone and (faults := self.backbone.faults()):
            raise ValueError("features: " + "; ".join(faults))
        return self

    @property
    def backbone(self) -> Backbone | None:
        """Whose features are compared; None where none are."""
        if self.features == "none" or not any(self.feature_weight):
            return None
        return Backbone(
            self.features,
            (self.feature_layer,),
            self.features_trained,
            self.features_file,
            self.features_sha256,
        )

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
    """Name that the protocol gives to the images whose look is wanted."""

    width: int = Field(64, ge=1)
    """Channels of a generator's first convolution."""
    blocks: int = Field(9, ge=1)
    """Residual blocks of a generator."""
    slope: float = Field(0.01, ge=0, lt=1)
    """Of a generator's leaky ReLUs below 0."""
    judge_width: int = Field(64, ge=1)
    """Channels of a discriminator's first convolution."""
    judge_layers: int = Field(3, ge=1)
    """Convolutions of a discriminator that halve the size."""
    last: Literal["plain", "normed"] = "plain"
    """Whether a generator's last layers are the stock code's, or normed as the thesis lists them."""
    skip: bool = False
    """Whether a generator adds to its input."""
    initial_spread: float = Field(0.02, gt=0)
    """Standard deviation of the weights before training."""

    cycle_weight: Pair = (10.0, 10.0)
    """Weights of the cycle losses, there and back."""
    identity_weight: float = Field(0.1, ge=0)
    """Weight of the identity losses, a factor on those of the cycle."""
    alpha_weight: Pair = (2.0, 2.0)
    """Weights of the alpha loss, there and back."""
    feature_weight: Pair = (1.75, 1.75)
    """Weights of the feature distance, there and back."""
    alpha: Literal["step", "soft", "exact"] = "soft"
    """How the outline of an image is found: the thesis' step, a soft one, or the input's put back."""
    soft_level: float = Field(0.04, gt=0, lt=2)
    """Brightness at which the soft alpha is one half."""
    soft_width: float = Field(0.02, gt=0)
    """Over which brightness the soft alpha rises."""
    distance: Literal["squared_mean", "mean_square"] = "squared_mean"
    """What a squared difference is: the square of an image's mean one, or the mean of squares."""

    features: str = "resnet18"
    """The network whose features are compared; none for no such term."""
    feature_layer: str = "layer4"
    """The layer whose maps are compared."""
    features_trained: bool = True
    """Whether that network is trained, or drawn from the seed."""
    features_file: str = ""
    """File of its weights, for one of timm's."""
    features_sha256: str = ""
    """Digest of that file."""
    feature_scale: Literal["own", "signed"] = "own"
    """Whether it sees images as it was trained on them, or as they come."""

    steps: int | None = Field(None, ge=1)
    """Steps of training; none goes by epochs."""
    epochs: float = Field(44.0, gt=0)
    """Passes over the larger domain, where no steps are named."""
    batch: int = Field(4, ge=1)
    """Images of either domain in a step."""
    pool: int = Field(50, ge=0)
    """Last generated images that each discriminator learns from."""
    judge_share: float = Field(0.5, gt=0)
    """Share of a discriminator's loss that counts."""
    learning_rate: float = Field(2e-4, gt=0)
    """Of Adam, at its highest."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Of Adam."""
    cooling: float = Field(0.0, ge=0, le=1)
    """Last share of the steps, over which the rate falls to 0."""
    mirror: bool = False
    """Whether half of the images are shown left for right."""

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

"""All that can be chosen about StyleGAN2, its augmentation, and the semantic regularisation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from benchmark.contracts.method import MethodSettings, at_prediction
from benchmark.networks.backbones import Backbone


class NetworkSettings(MethodSettings):
    """The generator's shape.

    Maps of r pixels have `base` / r channels, at most `most`; `mapping` is how many layers lead from
    z to w. Without `noise` an image follows from w alone.
    """

    z: int = Field(512, ge=1)
    """Numbers of the noise that an image is made from."""
    w: int = Field(512, ge=1)
    """Numbers of a style."""
    mapping: int = Field(2, ge=1)
    """Layers from z to w."""
    base: int = Field(16384, ge=64)
    """Channels times side of the generator's maps."""
    most: int = Field(512, ge=1)
    """Greatest number of such channels."""
    noise: bool = True
    """Whether noise is added to maps, or an image follows from w alone."""
    truncation: float = at_prediction(1.0, ge=0, le=1)
    """How far w lies from its mean, as a share; 1 for every distance between sets of images."""


class StyleGan2Settings(NetworkSettings):
    """Networks, training, augmentation and regularisation.

    `size` is the side of the images, a power of two; None takes those of the protocol.

    Training: `images` are seen in all, `batch` at a time. Where `gamma` (the weight of R1) is None it is
    0.0002 · size² / batch, where `batch` is None it is 4096 / size, at most 32. R1 is measured every
    `r1_every`-th step, path length every `path_every`-th on 1 / `path_shrink` of the batch, with weight
    `path_weight` (0: never). `mixing` is the probability of a second w from a random layer on.
    The average has a half-life of `average` images, no more than `ramp` of those seen (None: no limit).
    The `half` largest blocks compute in half precision on a GPU.

    Augmentation of what the discriminator sees: "bgc" is the release's pipe, "translation-colour" a
    cheap one; with a probability that follows how sure the discriminator is (`target`, the mean sign
    of its scores on real images, moving from 0 to 1 in `adapt` images), or a fixed `probability`.

    Semantic regularisation (HSR): maps of the generator with sides `hsr` predict those of a frozen
    `teacher` at `teacher_layers`, one each, through 1 × 1 convolutions with `hidden` channels, from
    `hsr_from` images on, with weight `hsr_weight`. A teacher "timm/NAME" is one of timm's networks, with
    the weights of `teacher_file`, whose `teacher_sha256` is stated; its layers are numbers of blocks.
    An untrained one has `teacher_trained` false. `teacher_norm` takes a transformer's last norm, and of
    other networks brings each place's channels to mean 0 and variance 1.
    """

    size: int | None = Field(None, ge=8)
    """Side of the images, a power of two; none takes the protocol's."""
    images: int = Field(25_000_000, ge=1)
    """Real images seen in all."""
    batch: int | None = Field(None, ge=1)
    """Real images of a step; none makes it follow from the size."""
    spread_group: int = Field(4, ge=1)
    """Images whose differences the discriminator sees."""
    learning_rate: float = Field(0.0025, gt=0)
    """Of both networks."""
    gamma: float | None = Field(None, ge=0)
    """Weight of the gradient penalty R1; none makes it follow from size and batch."""
    r1_every: int = Field(16, ge=1)
    """Every how many steps R1 is taken."""
    path_weight: float = Field(2.0, ge=0)
    """Weight of the path length; 0 for never."""
    path_every: int = Field(4, ge=1)
    """Every how many steps it is taken."""
    path_shrink: int = Field(2, ge=1)
    """By which the batch is divided for it."""
    path_decay: float = Field(0.01, gt=0, le=1)
    """How fast the running mean of path lengths follows."""
    mixing: float = Field(0.9, ge=0, le=1)
    """Probability of a second w from a random layer on."""
    average: float = Field(5_000.0, gt=0)
    """Half-life of the averaged generator, in images."""
    ramp: float | None = Field(0.05, gt=0)
    """Greatest share of the images seen that the half-life may be; none for no limit."""
    mirror: bool = False
    """Whether half of the images are shown left for right."""
    half: int = Field(4, ge=0)
    """How many of the largest blocks compute in half precision on a GPU."""

    augment: Literal["none", "translation-colour", "bgc"] = "bgc"
    """What is done to images before the discriminator sees them."""
    probability: float | None = Field(None, ge=0, le=1)
    """Of the augmentation, where it is fixed; none adapts it."""
    target: float = Field(0.6, ge=-1, le=1)
    """Mean sign of the scores of real images that an adapting probability aims at."""
    adapt: float = Field(500_000.0, gt=0)
    """Images in which that probability can go from 0 to 1."""

    teacher: str = "none"
    """The frozen network of the semantic regularisation; none for no such term."""
    teacher_trained: bool = True
    """Whether it is trained, or drawn from the seed."""
    teacher_file: str = ""
    """File of its weights, for one of timm's."""
    teacher_sha256: str = ""
    """Digest of that file."""
    teacher_layers: tuple[str, ...] = ()
    """Whose maps are predicted, one for each side of hsr."""
    teacher_size: int = Field(224, ge=32)
    """Side at which it is shown images, in pixels."""
    teacher_norm: bool = True
    """Whether its maps are normed."""
    teacher_scale: Literal["own", "released"] = "released"
    """Whether it sees images as it was trained on them, or as the release has it."""
    hsr: tuple[int, ...] = (8, 16, 32, 64)
    """Sides of the generator's maps that predict the teacher's."""
    hsr_from: int = Field(500_000, ge=0)
    """Images seen before the regularisation begins."""
    hsr_weight: float = Field(1.0, gt=0)
    """Of the regularisation."""
    hidden: int = Field(4096, ge=1)
    """Hidden channels of each predictor."""
    predictor: Literal["relu", "leaky_relu"] = "relu"
    """What stands between its two convolutions."""

    @model_validator(mode="after")
    def _consistent(self) -> StyleGan2Settings:
        group = min(self.spread_group, self.batch or self.spread_group)
        if self.batch and self.batch % group:
            raise ValueError(f"spread_group {group} does not divide batch {self.batch}")
        if self.teacher == "none":
            return self
        if self.backbone and (faults := self.backbone.faults()):
            raise ValueError("teacher: " + "; ".join(faults))
        if len(self.teacher_layers) != len(self.hsr) or not self.hsr:
            raise ValueError(
                f"teacher_layers {list(self.teacher_layers)} must name one layer for each of the sides "
                f"hsr {list(self.hsr)}"
            )
        return self

    @property
    def backbone(self) -> Backbone | None:
        """Which network teaches; None without one."""
        if self.teacher == "none":
            return None
        return Backbone(
            self.teacher,
            self.teacher_layers,
            self.teacher_trained,
            self.teacher_file,
            self.teacher_sha256,
        )

    def at(self, size: int) -> StyleGan2Settings:
        """With the numbers that follow from the images' side where none are given.

        >>> auto = StyleGan2Settings().at(256)
        >>> auto.batch, auto.gamma
        (16, 0.8192)
        """
        batch = self.batch or max(1, min(4096 // size, 32))
        gamma = 0.0002 * size**2 / batch if self.gamma is None else self.gamma
        return self.model_copy(update={"batch": batch, "gamma": gamma})


class FileSettings(NetworkSettings):
    """A generator that was trained elsewhere: the `file` of its weights, whose `sha256` is stated."""

    file: str
    """File of the weights of a generator that was trained elsewhere."""
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """Digest of that file."""
    size: int = Field(ge=8)
    """Side of its images, in pixels."""

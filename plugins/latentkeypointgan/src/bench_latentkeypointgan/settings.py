"""What can be chosen about LatentKeypointGAN; all that its paper leaves open has a name."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from benchmark.contracts.method import MethodSettings
from benchmark.training.device import Precision


class LatentKeypointGanSettings(MethodSettings):
    """The generator, the discriminator, and the detector that is trained on what it makes.

    Generator: images of `size` pixels with `landmarks` points. Each of three noises (pose, appearance,
    background) has `noise` numbers and a perceptron of `depth` layers, `width` wide. Points are
    tanh(output / `divisor`), and all of an image are moved together at random by up to `roam` half sides
    (0: not; they lie within ±(1 - `roam`) before). Embeddings have `embedding` numbers, maps are
    exp(-d² / `tau`) with d in half sides. Synthesis starts from a learned `constant` or from
    `positional` differences at `start_side` pixels and doubles; every level is computed with `margin`
    pixels around it. Maps of r pixels have `base` / r channels, at most `most`. A SPADE block has
    `convolutions` (one or two); its scale and shift come from the spread embeddings through `hidden`
    channels (0: directly) by kernels of `modulation` pixels. Images end in `output`; the weights of the
    last convolution begin `last` times their usual size.

    Discriminator: channels `discriminator_base` / r, at most `discriminator_most`; with `spread` it sees
    how much a batch varies. Its penalty is `penalty` · (|gradient| - `penalty_target`)² on real images,
    every `penalty_every`-th step. `background_loss` weighs how far images of other backgrounds differ
    around the points, by `background_distance`.

    Training: `images` real ones in all, `batch` at a time, from windows that lie up to `shift` of the
    side off the middle, as far as there are real pixels. The average has a half-life of `average` images
    (0: none), no more than `ramp` of those seen.

    Detector: `pairs` generated images with their points, `pairs_batch` at a time; `detector_width`
    channels, `downs` halvings, `ups` doublings. What it sees is changed by `jitter` (brightness and
    contrast; saturation half as much, hue a quarter), `blur` (a probability) and `pixel_noise` (a
    standard deviation); `real_share` real images for each generated one join its batches for their
    statistics.
    """

    size: int = Field(128, ge=8)
    """Side of the images, in pixels, a power of two."""
    landmarks: int = Field(10, ge=1)
    """How many points are drawn and found."""
    noise: int = Field(256, ge=1)
    """Numbers of each of the three noises: pose, appearance, background."""
    width: int = Field(512, ge=1)
    """Of the layers that each noise goes through."""
    depth: int = Field(3, ge=1)
    """How many such layers there are."""
    embedding: int = Field(128, ge=1)
    """Numbers of a point's embedding."""
    divisor: float = Field(20.0, gt=0)
    """By which the network's output is divided before the tanh that makes it a point."""
    roam: float = Field(0.0, ge=0, lt=1)
    """How far all points of an image are moved together at random, in half sides."""
    tau: float = Field(0.01, gt=0)
    """How fast a point's map falls with the squared distance."""
    start: Literal["constant", "positional"] = "constant"
    """What synthesis starts from: a learned constant, or differences of positions."""
    start_side: int = Field(4, ge=2)
    """Side of the first map, in pixels."""
    margin: int = Field(0, ge=0)
    """Pixels computed around every level."""
    base: int = Field(8192, ge=1)
    """Channels times side of the generator's maps."""
    most: int = Field(512, ge=2)
    """Greatest number of such channels."""
    hidden: int = Field(128, ge=0)
    """Channels through which scale and shift of a block come; 0 for directly."""
    convolutions: Literal[1, 2] = 2
    """Of a block."""
    modulation: Literal[1, 3] = 3
    """Side of the kernels that modulate, in pixels."""
    normalisation: Literal["batch", "instance"] = "batch"
    """What a block norms over: the batch, or each image."""
    output: Literal["linear", "tanh"] = "tanh"
    """What images end in."""
    last: float = Field(1.0, gt=0)
    """Factor on the last convolution's weights before training."""

    discriminator_base: int = Field(8192, ge=1)
    """Channels times side of the discriminator's maps."""
    discriminator_most: int = Field(512, ge=1)
    """Greatest number of such channels."""
    spread: bool = False
    """Whether the discriminator sees how much a batch varies."""
    penalty: float = Field(10.0, ge=0)
    """Weight of the discriminator's gradients on real images."""
    penalty_target: Literal[0, 1] = 0
    """The norm that they are drawn to."""
    penalty_every: int = Field(1, ge=1)
    """Every how many steps it is taken."""
    background_loss: float = Field(100.0, ge=0)
    """Weight of how far images of other backgrounds differ around the points."""
    background_distance: Literal["squared", "absolute"] = "squared"
    """How that difference is measured."""

    images: int = Field(10_000_000, ge=1)
    """Real images seen in all."""
    batch: int = Field(32, ge=2)
    """Real images of a step."""
    generator_rate: float = Field(1e-4, gt=0)
    """The generator's learning rate."""
    discriminator_rate: float = Field(4e-4, gt=0)
    """The discriminator's learning rate."""
    betas: tuple[float, float] = (0.5, 0.9)
    """Of Adam."""
    average: float = Field(0.0, ge=0)
    """Half-life of the averaged generator in images; 0 keeps the network itself."""
    ramp: float | None = Field(None, gt=0)
    """Greatest share of the images seen that the half-life may be; none for no limit."""
    mirror: bool = False
    """Whether half of the images are shown left for right."""
    shift: float = Field(0.0, ge=0, le=1)
    """How far off the middle the window of an image may lie, in sides."""
    precision: Precision = "float32"
    """In which numbers convolutions and products are computed in training, on GPUs and CPUs alike."""

    pairs: int = Field(200_000, ge=1)
    """Generated images that the detector learns from."""
    pairs_batch: int = Field(64, ge=2)
    """Of a step of the detector."""
    detector_rate: float = Field(1e-3, gt=0)
    """The detector's learning rate."""
    detector_width: int = Field(64, ge=1)
    """Channels of the detector."""
    downs: int = Field(4, ge=1)
    """Halvings of the detector."""
    ups: int = Field(2, ge=0)
    """Doublings of the detector."""
    jitter: float = Field(0.0, ge=0, le=1)
    """How much brightness and contrast of what the detector sees are changed."""
    blur: float = Field(0.0, ge=0, le=1)
    """Probability that it is blurred."""
    pixel_noise: float = Field(0.0, ge=0)
    """Standard deviation of the noise on its pixels."""
    real_share: float = Field(0.0, ge=0, le=1)
    """Real images for each generated one in its batches, for their statistics."""

    @model_validator(mode="after")
    def _consistent(self) -> LatentKeypointGanSettings:
        for name, side in (("size", self.size), ("start_side", self.start_side)):
            if side & (side - 1):
                raise ValueError(f"{name} {side} is no power of two")
        if self.start_side > self.size:
            raise ValueError(f"start_side {self.start_side} is beyond size {self.size}")
        if 2**self.downs > self.size:
            raise ValueError(f"size {self.size} can't be halved {self.downs} times (downs)")
        return self

    def channels(self, side: int) -> int:
        """Of the generator's maps of `side` pixels; even, as sine and cosine need.

        >>> LatentKeypointGanSettings(base=1024, most=96).channels(16)
        64
        """
        return max(2, min(self.most, self.base // side) // 2 * 2)

    def discriminator_channels(self, side: int) -> int:
        """Of the discriminator's maps of `side` pixels."""
        return max(1, min(self.discriminator_most, self.discriminator_base // side))

    @property
    def sides(self) -> list[int]:
        """Of the generator's levels.

        >>> LatentKeypointGanSettings(size=32, start_side=8, downs=2).sides
        [8, 16, 32]
        """
        found = [self.start_side]
        while found[-1] < self.size:
            found.append(2 * found[-1])
        return found

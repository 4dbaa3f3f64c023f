"""All that can be chosen about GANSeg."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from pydantic import Field, model_validator

from bench_ganseg.points import Grid, Heat, Spread
from benchmark.contracts.method import MethodSettings
from benchmark.training.device import Precision


class GeneratorSettings(MethodSettings):
    """From numbers to points, masks and images.

    Of `parts` (K) each has `points` points; `noise` numbers lead to each of points, looks and
    background, through `points_hidden` and `looks_hidden` layers of `hidden`. Looks are `embedding`
    numbers a part.
    Points are tanh(the network's output / `divisor`), and `start` in the "middle", or parts apart, on a
    "lattice" within ± `reach`.
    `spread` and `heat` say how points become maps (`sigma` fixes the spread); `grid` and `margin`, on
    which pixels. Without `use_points` masks come from a learned constant; without `separate_background`
    the background is one part more of the foreground's generator.

    Maps have the sides `levels`, images the last of them; blocks give `widths` channels, of the masks
    `mask_width`; the first map has 2·`encoding`. A block has `convolutions`, modulated through `spade`
    hidden channels by kernels of `spade_kernel`.
    Before training `background_start` is the background's logit, the other weights of the masks' last
    convolution are `mask_gain` of He's. Images come of one 1 × 1 convolution
    (`single_final`) or two of 3 × 3, whose first weights are `final_gain` of He's, and through `tanh`.
    """

    parts: int = Field(8, ge=1)
    """How many parts are drawn."""
    points: int = Field(4, ge=2)
    """Points of each part."""
    embedding: int = Field(64, ge=1)
    """Numbers that a part's look is."""
    noise: int = Field(256, ge=1)
    """Numbers that lead to each of points, looks and background."""
    hidden: int = Field(256, ge=1)
    """Width of the layers from noise to points and looks."""
    points_hidden: int = Field(4, ge=1)
    """Hidden layers from noise to points."""
    looks_hidden: int = Field(3, ge=1)
    """Hidden layers from noise to looks."""
    divisor: float = Field(20.0, gt=0)
    """By which the network's output is divided before the tanh that makes it a point."""
    start: Literal["middle", "lattice"] = "middle"
    """Where points begin: all in the middle, or parts apart on a lattice."""
    reach: float = Field(0.25, gt=0, lt=1)
    """How far the lattice reaches from the middle, in half sides."""
    spread: Spread = "deviation"
    """How the spread of a part's map follows from its points."""
    sigma: float | None = Field(None, gt=0)
    """Spread of every part's map, where it is fixed."""
    heat: Heat = "gaussian"
    """How points become maps."""
    grid: Grid = "centres"
    """Where the pixels of maps lie."""
    margin: int = Field(10, ge=0)
    """Pixels computed around the image."""
    background_shift: Literal["both", "columns"] = "both"
    """Along which axes the background is moved at random."""
    use_points: bool = True
    """Whether masks come from points, or from a learned constant."""
    separate_background: bool = True
    """Whether the background has a generator of its own."""

    levels: tuple[int, ...] = (32, 32, 64, 128)
    """Sides of the maps, one after another; images have the last."""
    widths: tuple[int, ...] = (256, 128, 64, 64)
    """Channels at each of them."""
    mask_width: int = Field(64, ge=1)
    """Channels of the masks' maps."""
    encoding: int = Field(256, ge=1)
    """Half the channels of the first map."""
    convolutions: Literal[1, 2] = 2
    """Of a block."""
    spade: int = Field(128, ge=1)
    """Hidden channels through which a block is modulated."""
    spade_kernel: Literal[1, 3] = 3
    """Side of the kernels that modulate, in pixels."""
    background_start: float = 0.0
    """Logit of the background before training."""
    mask_gain: float = Field(1.0, gt=0)
    """Factor on the masks' last weights before training."""
    single_final: bool = False
    """Whether one 1 × 1 convolution makes the image, instead of two of 3 × 3."""
    final_gain: float = Field(1.0, gt=0)
    """Factor on the first weights of the image's convolutions before training."""
    tanh: bool = True
    """Whether images end in a tanh."""

    @model_validator(mode="after")
    def _levels_can_be_climbed(self) -> GeneratorSettings:
        if len(self.levels) != len(self.widths) or not self.levels:
            raise ValueError(f"levels {self.levels} and widths {self.widths} must be as many")
        if min(self.levels) < 2 or min(self.widths) < 1:
            raise ValueError("levels must be 2 or more, widths 1 or more")
        if any(after not in (side, 2 * side) for side, after in pairwise(self.levels)):
            raise ValueError(
                f"each of levels {self.levels} must be as large as the one before, or twice"
            )
        return self

    @property
    def side(self) -> int:
        """Of generated images, and of those that the student sees, in pixels."""
        return self.levels[-1]

    @property
    def z(self) -> int:
        """Numbers in a latent: of points, looks and background, and two for the background's place."""
        return 3 * self.noise + 2


class GanSegSettings(GeneratorSettings):
    """The generator, its discriminator, their losses, and the student.

    Discriminator: a block of `judge_convolutions` and a halving one for each of `judge_widths`, then
    `judge_hidden` channels; with `spread_group` it sees how much so many images differ.

    Losses: gradients of the discriminator on real images, `penalty` "squared" or to a norm of "one",
    with `penalty_weight` on every `penalty_every`-th step. `concentration` and `area` weigh the two
    losses of masks on every `regularise_every`-th step; concentration is the "sum" or "mean" over parts
    (`concentration_over`); the area is compared with that of the "heat" or of a "disc" (`area_of`), in
    pixels of an image of 128 whatever the side.

    Training: `steps` of `batch` real images, some `mirror`ed, with `shift` moved within their margin,
    or cropped to `crop_area` of their area or more, with sides up to `crop_aspect` apart. What is kept
    is the average over `average` images (half-life; 0: the network itself), no more than `ramp` of
    those seen.

    Student: `student` "deeplab" (torchvision's DeepLabV3 with ResNet-50; with `backbone_file`, whose
    `backbone_sha256` is stated, it starts from that file's ResNet-50) or "small" (`student_width`),
    on `student_steps` of `student_batch` generated pairs, whose colours vary by `jitter`, with a
    quarter of it as noise.
    """

    judge_widths: tuple[int, ...] = (64, 128, 256, 512, 512, 512)
    """Channels of the discriminator's blocks, each of which halves the side."""
    judge_convolutions: Literal[1, 2] = 2
    """Of a block of the discriminator."""
    judge_hidden: int = Field(512, ge=1)
    """Channels of the discriminator's last layer."""
    spread_group: int = Field(0, ge=0)
    """Images whose differences the discriminator sees; 0 for none."""

    penalty: Literal["squared", "one"] = "squared"
    """What the discriminator's gradients on real images are drawn to: 0, or a norm of one."""
    penalty_weight: float = Field(10.0, ge=0)
    """Of that penalty."""
    penalty_every: int = Field(1, ge=1)
    """Every how many steps it is taken."""
    concentration: float = Field(10.0, ge=0)
    """Weight of the loss by which a part's mask lies around its points."""
    concentration_over: Literal["sum", "mean"] = "sum"
    """Whether that loss is a sum or a mean over parts."""
    area: float = Field(1.0, ge=0)
    """Weight of the loss by which a mask is as large as what it is compared with."""
    area_of: Literal["heat", "disc"] = "heat"
    """What a mask's area is compared with: the part's map, or a disc."""
    regularise_every: int = Field(1, ge=1)
    """Every how many steps both losses of masks are taken."""

    steps: int = Field(30_000, ge=1)
    """Steps of training."""
    batch: int = Field(64, ge=2)
    """Real images of a step."""
    learning_rate: float = Field(1e-4, gt=0)
    """Of the generator."""
    judge_rate: float = Field(4e-4, gt=0)
    """Of the discriminator."""
    betas: tuple[float, float] = (0.5, 0.9)
    """Of Adam."""
    average: float = Field(0.0, ge=0)
    """Half-life of the averaged generator in images; 0 keeps the network itself."""
    ramp: float | None = Field(None, gt=0)
    """Greatest share of the images seen that the half-life may be; none for no limit."""
    mirror: bool = True
    """Whether half of the images are shown left for right."""
    shift: bool = False
    """Whether images are moved within their margin."""
    crop_area: float = Field(1.0, gt=0, le=1)
    """Least share of an image that is seen."""
    crop_aspect: float = Field(1.0, ge=1)
    """By how much the sides of what is seen may differ, as a ratio."""
    precision: Precision = "float32"
    """In which numbers convolutions and products are computed in training, on GPUs and CPUs alike."""

    student: Literal["deeplab", "small"] = "deeplab"
    """The network that learns masks from generated images."""
    backbone_file: str = ""
    """File of the ResNet-50 that the student deeplab starts from; empty for none."""
    backbone_sha256: str = ""
    """Digest of that file."""
    student_width: int = Field(24, ge=8, multiple_of=8)
    """Channels of the small student."""
    student_steps: int = Field(10_000, ge=1)
    """Steps of the student's training."""
    student_batch: int = Field(64, ge=2)
    """Generated images of such a step."""
    student_rate: float = Field(3e-4, gt=0)
    """The student's learning rate."""
    jitter: float = Field(0.0, ge=0, le=1)
    """How much the colours of what the student sees are changed."""

    @model_validator(mode="after")
    def _consistent(self) -> GanSegSettings:
        if not self.judge_widths or self.side % 2 ** len(self.judge_widths):
            raise ValueError(
                f"{len(self.judge_widths)} judge_widths do not halve {self.side} pixels to whole ones"
            )
        if self.spread_group and self.batch % self.spread_group:
            raise ValueError(f"spread_group {self.spread_group} does not divide batch {self.batch}")
        if self.shift and self.crop_area < 1:
            raise ValueError("shift and crop_area both choose what is seen of an image: take one")
        if self.student == "small" and self.side % 4:
            raise ValueError(
                f"the small student halves twice, which {self.side} pixels do not allow"
            )
        if bool(self.backbone_file) != bool(self.backbone_sha256):
            raise ValueError("backbone_file and backbone_sha256 are given together")
        if self.backbone_file and self.student != "deeplab":
            raise ValueError("backbone_file is of student 'deeplab' alone")
        return self

"""What a protocol fixes of generated images: how many, compared how, through which networks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from benchmark.protocols.data import Strict


class Kernel(Strict):
    """The kernel distance: the mean over `subsets` draws of `subset_size` images of each side."""

    subset_size: int = Field(ge=2)
    subsets: int = Field(gt=0)
    seed: int = 2020
    """Of the draws."""


class Neighbours(Strict):
    """Precision and recall, density and coverage.

    `images` of each side at most are compared (more are thinned by a draw from `seed`), since all four
    depend on how many there are. They look through the section's network, unless `network` names one of
    their own. `k` is that of precision and recall, whose balls are `boundary`;
    `density_k` that of density and coverage.
    """

    images: int = Field(gt=1)
    network: str = ""
    """Which network they look through, if not the section's."""
    k: int = 3
    boundary: Literal["closed", "open"] = "closed"
    density_k: int = 5
    seed: int = 0


class PathLength(Strict):
    """The perceptual path length: over so many `pairs`, by which `distance` between images.

    `batch` pairs share a noise seed. The metric's id says the rest: ppl2_wend, ppl_wend, ppl_wfull,
    ppl_zend, ppl_zfull.
    """

    pairs: int = Field(gt=1)
    distance: Literal["lpips-vgg", "lpips-squeeze", "random-conv"]
    epsilon: float = Field(default=1e-4, gt=0)
    """Length of a step."""
    batch: int = Field(default=8, gt=0)
    seed: int = 0
    """Of the pairs."""


class Linearity(Strict):
    """Attribute linearity: `walks` straight lines in w, `steps` intervals each, seen by `classifier`.

    `classifier` is "face-twin/tiny", which is fitted on rendered faces where it is missing, or the
    name of a file of your own that lies with the weights. frames "uint8" are rounded as a stored
    picture is, "float" are not.
    """

    walks: int = Field(gt=0)
    steps: int = Field(default=10, ge=2)
    classifier: str
    frames: Literal["uint8", "float"] = "uint8"
    """How a frame is kept before it is classified."""
    seed: int = 0
    """Of the walks."""


class Generation(Strict):
    """How generated images are made and compared with those of the test split.

    - `images` are generated from `seed`; the test split is taken whole, once, and with `flips` also
      mirrored
    - `network` gives the features of both sides (`benchmark.networks.feature_networks`), kept as
      `stored`; covariances are divided by N − `ddof`. Without one nothing is compared with real images
    - `weights` pins the sha256 of every file of weights that the networks read
    """

    images: int = 0
    seed: int = 0
    network: str = ""
    ddof: Literal[0, 1] = 1
    flips: bool = False
    stored: Literal["float32", "float16"] = "float32"
    weights: dict[str, str] = Field(default_factory=dict)
    kernel: Kernel | None = None
    """Constants of the kernel distance."""
    neighbours: Neighbours | None = None
    """Constants of precision, recall, density and coverage."""
    path: PathLength | None = None
    """Constants of the path length."""
    linearity: Linearity | None = None
    """Constants of attribute linearity."""

    @model_validator(mode="after")
    def _compared(self) -> Generation:
        if self.network and self.images < 2:
            raise ValueError(f"images {self.images}: a distance needs at least 2 generated images")
        if not self.network and (self.images or self.kernel or self.neighbours):
            raise ValueError("images, kernel and neighbours need a network to look through")
        return self

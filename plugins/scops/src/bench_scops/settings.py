"""All that can be chosen about SCOPS."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from benchmark.contracts.method import MethodSettings, at_prediction
from benchmark.contracts.weights import Weights
from benchmark.networks.backbones import Backbone

Mean = Literal["elements", "pixels"]


class ScopsSettings(MethodSettings):
    """Segmenter, what it explains, losses and training.

    Segmenter: `parts` is K; images are seen at `size` × `size`. "deeplab" is a ResNet-50 of stride 8
    whose batch norms stay as they are, which starts from the file `initial_file` (its `initial_sha256`
    is stated) where one is named; "small" has three sides and `width` channels at the first. `masks`
    says how its probabilities become parts: as they are ("softmax"), or, as released, each part over its
    own maximum against a background of 0.1 ("scops").

    Explained are maps of the `layers` of a frozen `backbone` (`trained`, or drawn from the seed) that is
    shown images of `features_size`; with `unit_length` each place's maps have length 1. They are
    multiplied with the `saliency`: "silhouettes" that a protocol grants, the foreground of the two
    factors of the same maps ("factors"), or with nothing ("none"), so that the background has to be
    explained too. They are compared on the segmenter's pixels ("image") or on their own "grid".

    Losses, by their weights: `concentration`, `divided` by the batch "once" or, as released, "twice";
    `equivariance` of probabilities, a mean over "elements" as released or over "pixels", where what lies
    `outside` of the warped picture is asked to be "uniform" as released, or is "ignored"; that of
    `centres`; semantic `consistency`, a mean over "elements" or "pixels"; an `orthonormal` basis, which
    starts from a "normal" distribution's absolute values or from the "factors" of `fitted` images' maps.
    `mass_floor` is added to each pixel of a map before its centre is taken.

    Training: `optimiser` "sgd" with momentum 0.9, or "adam", at `learning_rate` (times `head_rate` for
    the last layers), which falls by "poly" (to the power 0.9) or "cosine"; the basis keeps its
    `basis_rate`. Gradients of either are cut to the norm `clip`. Warps move 5 × 5 control points by
    `bend` (a standard deviation) and shift by up to `shift`, both in half sides, turn by up to
    `rotation` degrees and show things `scales` times as large. `colour`: brightness, contrast,
    saturation, hue of the warped image.
    """

    parts: int = Field(8, ge=1)
    """How many parts are found."""
    size: int = Field(256, ge=16)
    """Side at which images are seen, in pixels."""
    segmenter: Literal["deeplab", "small"] = "deeplab"
    """The network that is trained: DeepLab with ResNet-50, or a small one."""
    width: int = Field(32, ge=4)
    """Channels of the small segmenter's first stage."""
    initial_file: str = ""
    """File of the ResNet-50 that deeplab starts from; empty for none."""
    initial_sha256: str = ""
    """Digest of that file."""
    masks: Literal["softmax", "scops"] = at_prediction("softmax")
    """How probabilities become parts: as they are, or as released."""

    backbone: str = "vgg16"
    """The frozen network whose maps are explained."""
    layers: tuple[str, ...] = ("relu5_2", "relu5_3")
    """Whose maps are explained."""
    trained: bool = True
    """Whether its weights are trained, or drawn from the seed."""
    file: str = ""
    """File of its weights, for one of timm's."""
    sha256: str = ""
    """Digest of that file."""
    features_size: int = Field(256, ge=32)
    """Side at which it is shown images, in pixels."""
    unit_length: bool = False
    """Whether each place's maps have length 1."""
    saliency: Literal["silhouettes", "factors", "none"] = "silhouettes"
    """What the maps are multiplied with, so that parts lie on the object."""
    compare: Literal["image", "grid"] = "image"
    """On which pixels maps are compared: the segmenter's, or their own."""
    initial_basis: Literal["normal", "factors"] = "normal"
    """What the basis starts from: absolute normals, or factors of some images' maps."""
    fitted: int = Field(200, ge=1)
    """Images whose maps are factored, where the basis starts from them."""

    concentration: float = Field(10.0, ge=0)
    """Weight of the loss by which a part lies around its centre."""
    divided: Literal["once", "twice"] = "twice"
    """Whether that loss is divided by the batch once, or twice as released."""
    mass_floor: float = Field(1e-3, ge=0)
    """Added to each pixel of a map before its centre is taken."""
    equivariance: float = Field(1e3, ge=0)
    """Weight of the loss by which probabilities follow a warp."""
    equivariance_mean: Mean = "elements"
    """What that loss is a mean over."""
    outside: Literal["uniform", "ignored"] = "uniform"
    """What is asked of what lies outside of the warped image."""
    centres: float = Field(1e2, ge=0)
    """Weight of the loss by which centres follow a warp."""
    consistency: float = Field(1e4, ge=0)
    """Weight of the loss by which the parts' vectors explain the maps."""
    consistency_mean: Mean = "elements"
    """What that loss is a mean over."""
    orthonormal: float = Field(0.1, ge=0)
    """Weight of the loss that keeps the parts' vectors apart."""

    steps: int = Field(100_000, ge=1)
    """Steps of training."""
    batch: int = Field(6, ge=2)
    """Images of a step."""
    optimiser: Literal["sgd", "adam"] = "sgd"
    """Of the segmenter."""
    learning_rate: float = Field(1e-5, gt=0)
    """Of the segmenter, at its highest."""
    head_rate: float = Field(10.0, gt=0)
    """Factor on it for the last layers."""
    basis_rate: float = Field(0.01, gt=0)
    """Learning rate of the basis, which does not fall."""
    weight_decay: float = Field(5e-4, ge=0)
    """Of the optimiser."""
    schedule: Literal["poly", "cosine"] = "poly"
    """How the rate falls: to the power 0.9, or as a cosine."""
    clip: float = Field(5.0, gt=0)
    """The norm that gradients are cut to."""
    bend: float = Field(0.01, ge=0)
    """Standard deviation by which a warp's control points move, in half sides."""
    shift: float = Field(0.1, ge=0)
    """Greatest shift of a warp, in half sides."""
    rotation: float = Field(60.0, ge=0, le=180)
    """Greatest rotation of a warp, in degrees."""
    scales: tuple[float, float] = (0.7, 2.0)
    """Least and greatest scale of a warp."""
    colour: tuple[float, float, float, float] = (0.3, 0.3, 0.2, 0.2)
    """How much brightness, contrast, saturation and hue of the warped image are changed."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """In which numbers convolutions and products are computed in training, on GPUs and CPUs alike."""

    @property
    def network(self) -> Backbone:
        """Which network's maps are explained."""
        return Backbone(self.backbone, self.layers, self.trained, self.file, self.sha256)

    @property
    def initial(self) -> tuple[Weights, ...]:
        """The file that the segmenter starts from."""
        if not self.initial_file:
            return ()
        source = "torchvision's resnet50, trained with ImageNet's labels"
        return (Weights(self.initial_file, source, self.initial_sha256, "BSD-3-Clause"),)

    @model_validator(mode="after")
    def _fits(self) -> ScopsSettings:
        if not self.layers:
            raise ValueError("layers: name one at least")
        if faults := self.network.faults() or self.network.misplaced(self.features_size):
            raise ValueError("; ".join(faults))
        if self.size % 8:
            raise ValueError(f"size {self.size} is not a multiple of 8, by which maps are reduced")
        if bool(self.initial_file) != bool(self.initial_sha256):
            raise ValueError("initial_file and initial_sha256 are given together")
        if self.initial_file and self.segmenter != "deeplab":
            raise ValueError("initial_file is of segmenter 'deeplab' alone")
        low, high = self.scales
        if not 0 < low <= high:
            raise ValueError(f"scales {self.scales} must rise from above 0")
        return self

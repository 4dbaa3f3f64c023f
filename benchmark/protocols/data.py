"""The sections on data: which splits, and how an image becomes the square that is prepared."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from benchmark.contracts.names import DOMAIN, ID, NAME, shown


class Strict(BaseModel):
    """A section: unknown keys are refused, and what was read does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Geometry(Strict):
    """How an image of one data set becomes the square that is prepared, and its labels with it.

    The crop is resized to `resize` × `resize` pixels with the named `filter`, and `cut` pixels on
    each side are the margin: predictions are asked on the middle `resize − 2·cut` pixels.

    - crop "whole": the image itself, aspect ratio lost if it is not square
    - crop "window": the fixed `window` (x, y, width, height) in source pixels
    - crop "centre_square": the middle square of the shorter side, rounded towards the top left
    - crop "points_square": a square of side round(scale × longest side of the points' box), centred
      on that box; outside the image is black
    - crop "stored": as points_square, with scale and shift per image from the file `crops`
    - crop "box_300w": DVE's 300-W window (52 px per box width, 100×100, moved up 2 px)
    - crop "padded_square": the image in the middle of a black square of its longer side
    - crop "box": the data set's box, in whole pixels; aspect ratio lost
    - crop "box_square": a square of the box's longer side around its centre, clipped to the image;
      aspect ratio lost where it was clipped

    background "white" lays images with an alpha channel on white before they are resized; without
    it the channel is dropped. "cut_out" leaves what the prepared mask covers, on pure black: what is
    black of it becomes (1, 1, 1), so that the outline can be read from the pixels alone (the colour
    correction of the annotation-invariant style transfer thesis, 4.1.1). It has no margin.

    `labels` "pixel_centres" maps points as the centres of pixels (p + ½)·s − ½; "scale" maps p·s
    without the half-pixel term; "scale_one_based" first subtracts the 1 of MATLAB's indices.

    `masks` says how what the publisher ships as a mask becomes the foreground:

    - "labels": each pixel takes the nearest label (1 foreground, 0 background, 255 not scored)
    - "above_half": grey values are resized as the image is; foreground is above 127.5
    - "full": the same; foreground is exactly 255
    - "flower_colours": colours are resized as the image is; foreground has neither red 0, nor
      green 0, nor blue 254

    What of a crop lies outside the image is black, and background in its mask; with padding
    "not_scored" the pixels of the mask whose nearest source pixel lies outside count nowhere.
    """

    crop: Literal[
        "whole",
        "window",
        "centre_square",
        "points_square",
        "stored",
        "box_300w",
        "padded_square",
        "box",
        "box_square",
    ]
    resize: int = Field(gt=0)
    cut: int = Field(default=0, ge=0)
    filter: Literal[
        "pillow_bilinear", "pillow_bicubic", "pillow_nearest", "pillow_box", "pillow_lanczos"
    ] = "pillow_bilinear"
    labels: Literal["pixel_centres", "scale", "scale_one_based"] = "pixel_centres"
    background: Literal["", "white", "cut_out"] = ""
    """What lies under an alpha channel, or around what was cut out."""
    masks: Literal["labels", "above_half", "full", "flower_colours"] = "labels"
    padding: Literal["", "not_scored"] = ""
    """What the mask says where a crop reaches beyond the image."""
    scale: float | None = None
    """Side of the crop over that of the points' box."""
    window: tuple[int, int, int, int] | None = None
    crops: str = ""
    crops_sha256: str = ""
    """Digest of that file."""

    @property
    def size(self) -> int:
        """Side of the square that predictions are asked on."""
        return self.resize - 2 * self.cut

    @model_validator(mode="after")
    def _complete(self) -> Geometry:
        if self.size <= 0:
            raise ValueError(f"cut {self.cut} leaves nothing of {self.resize} pixels")
        if self.background == "cut_out" and (self.cut or self.padding):
            raise ValueError("background 'cut_out' has neither a margin (cut) nor a padding")
        needs: dict[str, tuple[str, Any]] = {
            "window": ("window", self.window),
            "points_square": ("scale", self.scale),
            "stored": ("crops", self.crops),
        }
        if self.crop in needs and not needs[self.crop][1]:
            raise ValueError(f"crop {self.crop!r} needs {needs[self.crop][0]!r}")
        if self.crops and not NAME.fullmatch(self.crops):
            raise ValueError(f"crops {shown(self.crops)} must be a file beside the protocol")
        return self


Label = Literal[
    "visible",
    "masks",
    "attributes",
    "quaternions",
    "translations",
    "focals",
    "silhouettes",
    "clouds",
    "clips",
]
Grant = Literal["views", "clips", "silhouettes", "cameras", "clouds"]

ROLES = ("fit", "train", "test", "validation", "development", "development_fit")
"""What splits are for, beside the domains."""

GRANT_LABELS: dict[str, tuple[Label, ...]] = {
    "views": (),
    "clips": ("clips",),
    "silhouettes": ("silhouettes",),
    "cameras": ("quaternions", "translations", "focals"),
    "clouds": ("clouds",),
}
"""The labels from which each grant is made."""


def granted_labels(data: Data, role: str) -> list[str]:
    """The labels of a role that is fitted on from which its grants are made, each once."""
    return list(dict.fromkeys(name for grant in data.granted(role) for name in GRANT_LABELS[grant]))


DOMAIN_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Data(Strict):
    """Which images are fitted on, which carry the probe's labels (if there is one), which are scored.

    Each is "dataset:split". `validation` names a part cut from the training images and `development`
    the rest of them, for choices and curves; nothing is ever tuned on test. Where methods are fitted on
    more images than the probe is, `development_fit` names those of them that show nobody of
    `validation`; without it a fit for validation sees `development` alone. `labels` names what the
    task needs of an image beside its points. `grants` names what a method may see beside pixels when
    it is fitted: which images are views of one object, or frames of one clip, the objects' silhouettes,
    the cameras, the true clouds.

    `domains` names images of another kind that methods see besides, as "renders" →
    "shapenet:cars/train", and `domain_grants` what they see of them beside pixels, whatever is scored.

    Images that are scored are not to be among those fitted on or trained with; where they are, runs are
    refused, unless `shared` says why that is right. It is no part of the digest; a run says how many
    images it was.
    """

    fit: str
    """What methods see."""
    train: str = ""
    """What the probe is fitted on."""
    test: str
    """What is scored."""
    validation: str = ""
    development: str = ""
    development_fit: str = ""
    """What methods see when they are scored on `validation`."""
    shared: str = ""
    """Why images may be fitted on and scored."""
    labels: tuple[Label, ...] = ()
    grants: tuple[Grant, ...] = ()
    domains: dict[str, str] = Field(default_factory=dict)
    """Other images that methods see, by a name each."""
    domain_grants: dict[str, tuple[Grant, ...]] = Field(default_factory=dict)
    """What a method may see of a domain beside pixels."""

    @model_validator(mode="after")
    def _named(self) -> Data:
        """Names become folders."""
        for name in self.splits():
            data, colon, split = name.partition(":")
            if not (colon and ID.fullmatch(data) and all(map(NAME.fullmatch, split.split("/")))):
                raise ValueError(f"{shown(name)} must read data_set:split")
        return self

    @model_validator(mode="after")
    def _granted(self) -> Data:
        absent = [n for g in self.grants for n in GRANT_LABELS[g] if n not in self.labels]
        if absent:
            raise ValueError(f"grants {list(self.grants)} need the label {absent[0]!r}")
        for grants in (self.grants, *self.domain_grants.values()):
            if {"views", "clips"} <= set(grants):
                raise ValueError("grant views of one object or frames of one clip, not both")
        return self

    @model_validator(mode="after")
    def _domains(self) -> Data:
        wrong = [name for name in self.domains if not DOMAIN_NAME.fullmatch(name)]
        if wrong:
            raise ValueError(
                f"domain {shown(wrong[0])} must be named in small letters, digits and _"
            )
        strange = [name for name in self.domain_grants if name not in self.domains]
        if strange:
            raise ValueError(f"domain_grants: {shown(strange[0])} is no domain")
        return self

    @model_validator(mode="after")
    def _set_aside(self) -> Data:
        if self.development_fit and not (self.validation and self.development):
            raise ValueError("development_fit needs validation and development")
        if self.validation and self.validation == self.test:
            raise ValueError("validation is the test split; nothing may be chosen on test")
        return self

    def splits(self) -> list[str]:
        """The splits named, each once."""
        named = map(self.split, (*ROLES, *self.domain_roles))
        return list(dict.fromkeys(name for name in named if name))

    def split(self, role: str) -> str:
        """The split that plays a role: "fit", "test", …, or "domains.NAME"; "" for none."""
        if role.startswith(DOMAIN):
            return self.domains.get(role.removeprefix(DOMAIN), "")
        return str(getattr(self, role)) if role in ROLES else ""

    @property
    def domain_roles(self) -> list[str]:
        """The roles of the domains: "domains.renders"."""
        return [DOMAIN + name for name in self.domains]

    def granted(self, role: str) -> tuple[Grant, ...]:
        """What a method may see beside the pixels of a role that is fitted on."""
        if role.startswith(DOMAIN):
            return self.domain_grants.get(role.removeprefix(DOMAIN), ())
        return self.grants

    def datasets(self) -> list[str]:
        """The data sets named, each once."""
        return list(dict.fromkeys(name.partition(":")[0] for name in self.splits()))

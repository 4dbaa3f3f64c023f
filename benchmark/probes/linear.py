"""The linear probe: annotated points as a linear function of discovered points.

Papers print one name, "landmark error after linear regression", for four different fits. On the
same real predictions they give 3.26, 3.48, 3.56 and 3.56 %. Here each is a named preset.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.metrics import checks

FloatArray = npt.NDArray[np.float64]


@dataclass
class LinearProbe:
    """Least squares from K discovered points to A annotated points, in float64.

    Args:
        intercept: fit a constant term too. Standardising both sides by training mean and spread,
            as SCOPS does, is this fit where the points span all directions.
        centre: subtract half of `image_size` from points and targets before a fit without
            intercept (with an intercept it changes nothing).
        image_size: (width, height) of the frame the coordinates live in; (1, 1) for coordinates
            in [0, 1]. Without an intercept the fit depends on where the origin lies, but not on the
            unit of either axis.
        fraction: share of the training rows, from the first on, that is fitted, rounded down. The
            caller orders the rows.
        held_out: share of the training rows, the last ones, that is not fitted, rounded to the
            nearest row (a half to the even one), as IMM holds out its 10 %.

    Whether the image was squashed is the caller's: the probe works in the frame it is given, and
    squashing changes the error that is measured afterwards, not this fit.

    Directions that the training points do not span get weight zero (the solution of least norm), so
    a constant prediction with an intercept gives the mean training shape. What the dtype of the
    points can't tell from zero spans nothing: points that agree up to float32's last bits count once.
    The codes below give the same fit where points span all 2K directions (to 4e-8 and better in
    float64; inverted in float32, as IMM and AutoLink do, 5.026 % came out for 5.023 %). Where they do
    not, SCOPS takes the least norm in standardised units, another solution, and IMM and AutoLink
    invert a matrix that has no inverse.

    Source: LMDIS (YutingZhang/lmdis-rep 2d3830e; not run), IMM (tomasjakab/imm 0fee6b2),
    SCOPS (NVlabs/SCOPS 05da7e4), GANSeg (xingzhehe/GANSeg a3f5078), AutoLink
    (xingzhehe/AutoLink 3fbde11).

    >>> points = np.array([[[0.0, 0.0]], [[2.0, 0.0]], [[0.0, 4.0]], [[2.0, 4.0]]])
    >>> LinearProbe(intercept=True, centre=False).fit(points, 3 * points + 1).predict(points)[3]
    array([[ 7., 13.]])
    """

    intercept: bool
    centre: bool
    image_size: tuple[float, float] = (1.0, 1.0)
    fraction: float = 1.0
    held_out: float = 0.0
    weight: FloatArray | None = field(default=None, init=False, repr=False)
    bias: FloatArray | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0.0 < self.fraction <= 1.0:
            raise InvalidInput(
                f"fraction is a share of the training rows in (0, 1], got {self.fraction}",
                cure="give 1.0 to fit every row",
            )
        if not 0.0 <= self.held_out < 1.0:
            raise InvalidInput(
                f"held_out is a share of the training rows in [0, 1), got {self.held_out}",
                cure="give 0.0 to fit every row",
            )

    def fit(
        self,
        points: npt.ArrayLike,
        targets: npt.ArrayLike,
        visible: npt.ArrayLike | None = None,
    ) -> LinearProbe:
        """Fit points (N, K, 2) to targets (N, A, 2), both (x, y) in the same frame.

        With `visible` (N, A) each annotated point is fitted alone, on the rows that show it; what
        the other rows hold for it does not count.

        Raises `InvalidInput` for other shapes, for no rows, for values that are not finite and for
        an annotated point that no row shows.
        """
        x, y = _checked(points, "points"), _checked(targets, "targets")
        if len(x) != len(y):
            raise InvalidInput(
                f"one row of targets per row of points, got {len(x)} points and {len(y)} targets"
            )
        rows = int(len(x) * self.fraction) - round(len(x) * self.held_out)
        if rows <= 0:
            raise InvalidInput(
                f"fraction {self.fraction} of {len(x)} rows, {self.held_out} held out, leaves none "
                "to fit"
            )
        shown = None if visible is None else _shown(visible, y.shape[:2])[:rows]
        x, y, rounding = x[:rows], y[:rows], checks.rounding(points)
        if shown is None:
            self.weight, self.bias = self._solve(x, y, rounding)
            return self
        fits = [
            self._solve(x[seen], y[seen, a : a + 1], rounding) for a, seen in enumerate(shown.T)
        ]
        self.weight = np.concatenate([weight for weight, _ in fits], axis=1)
        self.bias = np.concatenate([bias for _, bias in fits])
        return self

    def _solve(
        self, points: FloatArray, targets: FloatArray, rounding: float
    ) -> tuple[FloatArray, FloatArray]:
        """Weight (2K, 2A) and bias (2A,) of targets (N, A, 2) over points (N, K, 2)."""
        design, labels = self._flat(points), self._flat(targets)
        # Rounding has moved a coordinate by at most `rounding` / 2 of its size, hence no singular
        # value by more than that of the size of all. The arithmetic here adds its own, by the size
        # before a mean is taken off. What does not lie above both is noise, and no direction.
        arithmetic = np.finfo(np.float64).eps * max(design.shape) * np.linalg.norm(design)
        noise = max(arithmetic, rounding * np.linalg.norm(points))
        design_mean, label_mean = np.zeros(design.shape[1]), np.zeros(labels.shape[1])
        if self.intercept:
            design_mean, label_mean = design.mean(axis=0), labels.mean(axis=0)
            design, labels = design - design_mean, labels - label_mean
        u, s, vt = np.linalg.svd(design, full_matrices=False)
        kept = s > noise
        weight = vt[kept].T @ ((u[:, kept].T @ labels) / s[kept, None])
        return weight, label_mean - design_mean @ weight

    def predict(self, points: npt.ArrayLike) -> FloatArray:
        """Annotated points (N, A, 2) float64, in the fitted frame, for points (N, K, 2)."""
        if self.weight is None or self.bias is None:
            raise InvalidInput("this probe has not been fitted", cure="call fit first")
        design = self._flat(_checked(points, "points"))
        if design.shape[1] != len(self.weight):
            raise InvalidInput(
                f"fitted on {len(self.weight) // 2} points per image, got {design.shape[1] // 2}"
            )
        flat = design @ self.weight + self.bias
        return flat.reshape(len(design), -1, 2) + self._origin()

    def _origin(self) -> FloatArray:
        return np.asarray(self.image_size, np.float64) / 2 if self.centre else np.zeros(2)

    def _flat(self, points: FloatArray) -> FloatArray:
        return (points - self._origin()).reshape(len(points), -1)


def _checked(points: npt.ArrayLike, name: str) -> FloatArray:
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 3 or array.shape[2] != 2 or 0 in array.shape:
        raise InvalidInput(f"{name} must be (N, K, 2) with N, K > 0, got {array.shape}")
    bad = ~np.isfinite(array).all(axis=(1, 2))
    if bad.any():
        raise InvalidInput(
            f"{name} hold values that are not finite in {bad.sum()} of {len(array)} rows, "
            f"first in row {bad.argmax()}"
        )
    checks.require_size(name, float(array.min()), float(array.max()))
    return array


def _shown(visible: npt.ArrayLike, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    shown = np.asarray(visible, dtype=bool)
    if shown.shape != shape:
        raise InvalidInput(f"visible must be {shape} like the targets, got {shown.shape}")
    unseen = np.flatnonzero(~shown.any(axis=0))
    if unseen.size:
        raise InvalidInput(f"no row shows annotated point {', '.join(map(str, unseen))}")
    return shown


#: name → options of `LinearProbe`
PRESETS: dict[str, dict[str, bool | float]] = {
    # LMDIS: coordinates minus 0.5 on both sides, no intercept.
    "linear/zhang": {"intercept": False, "centre": True},
    # IMM: no intercept, origin in the corner, the last 10 % of the list held out.
    "linear/imm": {"intercept": False, "centre": False, "fraction": 0.9},
    # The same to the row: IMM fits N - round(0.1 N) rows, one more than int(0.9 N) where N leaves
    # 1 to 4 on division by ten (9,110 of AFLW's 10,122), and sometimes where it leaves 5.
    "linear/imm@2": {"intercept": False, "centre": False, "held_out": 0.1},
    # SCOPS: standardised on both sides, which is a fit with intercept.
    "linear/scops": {"intercept": True, "centre": False},
    # GANSeg, AutoLink: no intercept, origin in the corner, all rows.
    "linear/ganseg": {"intercept": False, "centre": False},
}

OPTIONS = frozenset({"intercept", "centre", "fraction", "held_out"})
"""What a preset fixes, and a protocol may change."""


def linear_probe(
    name: str, image_size: tuple[float, float] = (1.0, 1.0), **changed: bool | float
) -> LinearProbe:
    """The unfitted probe of a preset, for coordinates in a frame of (width, height) `image_size`.

    `changed` are options of `LinearProbe` that differ from the preset's.

    >>> linear_probe("linear/zhang").centre
    True
    """
    if name not in PRESETS:
        raise UnknownName("linear probe", name, PRESETS)
    options = PRESETS[name] | changed
    unknown = options.keys() - OPTIONS
    if unknown:
        raise UnknownName("option of a linear probe", min(unknown), OPTIONS)
    return LinearProbe(
        intercept=bool(options["intercept"]),
        centre=bool(options["centre"]),
        image_size=image_size,
        fraction=float(options.get("fraction", 1.0)),
        held_out=float(options.get("held_out", 0.0)),
    )

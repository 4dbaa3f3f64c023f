"""Where the rays of a camera first meet the solids of a scene: depth, normal and solid.

A ray is d = (u, v, 1) from the camera's centre, so that the parameter t of a hit is its depth Z. On
an ellipsoid (t d - c)' Q (t d - c) = 1 with half discriminant s(u, v)^2 = d' D d, D = Qc c'Q - C Q,
C = c'Qc - 1; the near hit is t = C / (d'Qc + s). Both forms are polynomials in u and v, expanded
around the solid's own centre in float64 and evaluated in float32: a few array operations per solid,
inside the solid's bounding rectangle only.

A normal n is kept scaled to n . d = 1; then n_z = 1 - u n_x - v n_y, and a blend of two surfaces'
normals with the weights of their depths is the normal of the blended surface.

Only + - * / sqrt and comparisons touch pixels, in one fixed order: a pixel's value depends on
nothing but its own scene.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.contracts.errors import InvalidInput
from benchmark.twins.scene import BOX, Array, Camera, Solids

Pixels = npt.NDArray[np.float32]
FAR = np.float32(1e6)
_MISS = np.float32(2e6)  # beyond FAR, so that a missed solid never wins or blends with nothing
Window = tuple[slice, slice] | tuple[slice]


@dataclass(frozen=True)
class Hits:
    """First hits of rays: depth (FAR for none), scaled normal x and y, index of the solid or -1."""

    depth: Pixels
    normal_x: Pixels
    normal_y: Pixels
    solid: npt.NDArray[np.int16]


class Rays:
    """Rays through pixels, as a grid (`columns` x `rows`) or as a list of points."""

    def __init__(self, camera: Camera, x: Array, y: Array, *, grid: bool) -> None:
        self.grid = grid
        self.u64 = (x - camera.centre[0]) / camera.focal
        self.v64 = (y - camera.centre[1]) / camera.focal
        self.u = self.u64.astype(np.float32)
        self.v = self.v64.astype(np.float32)
        if grid:
            self.v = self.v[:, None]
        self.shape = np.broadcast_shapes(self.u.shape, self.v.shape)

    def windows(self, bounds: Array) -> list[Window | None]:
        """The part of the rays inside each row (u low, u high, v low, v high); None for no ray."""
        if not self.grid:
            return [(slice(None),)] * len(bounds)
        left = np.searchsorted(self.u64, bounds[:, 0]).tolist()
        right = np.searchsorted(self.u64, bounds[:, 1]).tolist()
        top = np.searchsorted(self.v64, bounds[:, 2]).tolist()
        bottom = np.searchsorted(self.v64, bounds[:, 3]).tolist()
        return [
            (slice(t, b), slice(lo, hi)) if t < b and lo < hi else None
            for lo, hi, t, b in zip(left, right, top, bottom, strict=True)
        ]

    def within(self, window: Window) -> tuple[Pixels, Pixels]:
        """(u, v) of the rays in a window, of shapes that broadcast against each other."""
        if len(window) == 1:
            return self.u, self.v
        return self.u[window[1]], self.v[window[0]]


def outlines(centre: Array, axes: Array, radii: Array) -> Array:
    """Bounding rectangles (K, 4) in u and v of ellipsoids given in the camera frame.

    The tangent rays of an ellipsoid are the dual conic S - c c', S = axes radii^2 axes'. A
    rectangle is everything when the ellipsoid reaches behind the camera.
    """
    dual = (axes * radii[:, None, :] ** 2) @ axes.transpose(0, 2, 1)
    dual = dual - centre[:, :, None] * centre[:, None, :]
    bounds = np.empty((len(centre), 4))
    for axis in (0, 1):
        middle = dual[:, axis, 2] / dual[:, 2, 2]
        spread = np.sqrt(np.maximum(middle**2 - dual[:, axis, axis] / dual[:, 2, 2], 0))
        bounds[:, 2 * axis], bounds[:, 2 * axis + 1] = middle - spread, middle + spread
    bounds[dual[:, 2, 2] >= 0] = (-np.inf, np.inf, -np.inf, np.inf)
    return bounds


class _Form(NamedTuple):
    """The numbers of one ellipsoid's two quadratics; see the head of this module."""

    quadric: list[list[float]]  # Q
    pole: list[float]  # Qc
    constant: float  # C
    form: list[list[float]]  # D
    towards: list[float]  # the ray through the centre, around which D is expanded
    slope: list[float]  # D towards
    peak: float  # towards' D towards, the largest s^2


def cast(solids: Solids, camera: Camera, rays: Rays) -> Hits:
    """First hits of `rays` on `solids`; a solid that reaches the camera raises InvalidInput."""
    hits = Hits(
        np.full(rays.shape, FAR, dtype=np.float32),
        np.zeros(rays.shape, dtype=np.float32),
        np.zeros(rays.shape, dtype=np.float32),
        np.full(rays.shape, -1, dtype=np.int16),
    )
    centre = camera.seen(solids.centre)
    axes = camera.rotation @ solids.axes
    local = axes.transpose(0, 2, 1) / solids.radii[:, :, None]
    # a box is inside the ellipsoid through its corners
    around = solids.radii * np.where(solids.kind == BOX, np.sqrt(3.0), 1.0)[:, None]
    if (centre[:, 2] <= np.sqrt(((axes[:, 2] * around) ** 2).sum(axis=1))).any():
        raise InvalidInput(
            "twin scene: every solid must lie in front of the camera, and one reaches it",
            cure="move the camera away (a larger translation z) or make the solid smaller",
        )
    blends, holes = solids.blend.tolist(), solids.hole.tolist()
    windows = rays.windows(outlines(centre, axes, around))
    for index, (window, form) in enumerate(zip(windows, _forms(local, centre), strict=True)):
        if window is None:
            continue
        u, v = rays.within(window)
        planes = [
            (camera.rotation @ np.asarray(normal), offset) for normal, offset in solids.clips[index]
        ]
        clips = [(n.tolist(), o + float(n @ camera.translation)) for n, o in planes]
        if solids.kind[index] == BOX:
            found = _box(local[index], centre[index], clips, u, v)
        else:
            cut = _Cut(clips, holes[index], local[index], centre[index])
            found = _ellipsoid(form, u, v, cut, fading=blends[index] > 0)
        _merge(hits, window, index, found, blends[index])
    return hits


def _forms(local: Array, centre: Array) -> list[_Form]:
    quadric = local.transpose(0, 2, 1) @ local
    pole = (quadric @ centre[:, :, None])[..., 0]
    constant = (pole * centre).sum(axis=1) - 1
    form = pole[:, :, None] * pole[:, None, :] - constant[:, None, None] * quadric
    towards = centre / centre[:, 2:]
    slope = (form @ towards[:, :, None])[..., 0]
    peak = (slope * towards).sum(axis=1)
    columns = (quadric, pole, constant, form, towards, slope, peak)
    return [_Form(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]


Found = tuple[Pixels, Pixels, Pixels, Pixels | None]
_RIM = 0.35  # where a blended solid starts to fade, as a fraction of its largest s^2


class _Cut(NamedTuple):
    """What is taken away from one ellipsoid, in the camera frame; see `Solids`."""

    clips: list[tuple[list[float], float]]
    hole: float
    local: Array
    centre: Array

    def away(self, depth: Pixels, u: Pixels, v: Pixels) -> npt.NDArray[np.bool_]:
        """Whether the points at these depths are cut away."""
        gone = np.zeros(depth.shape, dtype=np.bool_)
        for (a, b, c), offset in self.clips:
            gone |= depth * ((a * u + c) + b * v) < np.float32(offset)
        if self.hole:
            x = along(self.local[0], self.centre, depth, u, v)
            y = along(self.local[1], self.centre, depth, u, v)
            gone |= x * x + y * y < np.float32(self.hole * self.hole)
        return gone


def _ellipsoid(f: _Form, u: Pixels, v: Pixels, cut: _Cut, *, fading: bool) -> Found:
    du, dv = u - np.float32(f.towards[0]), v - np.float32(f.towards[1])
    root = ((2 * f.form[0][1]) * dv + (f.form[0][0] * du + 2 * f.slope[0])) * du
    root += (f.form[1][1] * dv + 2 * f.slope[1]) * dv + f.peak
    missed = root <= 0
    np.maximum(root, np.float32(1e-6 * f.peak), out=root)
    fade = root * np.float32(1 / (_RIM * f.peak)) if fading else None
    np.sqrt(root, out=root)
    depth = (f.pole[0] * u + f.pole[2]) + f.pole[1] * v
    depth += root
    if cut.clips or cut.hole:
        beyond = depth - 2 * root
        np.divide(np.float32(f.constant), depth, out=depth)
        gone = cut.away(depth, u, v)
        np.divide(np.float32(f.constant), beyond, out=depth, where=gone)
        np.negative(root, out=root, where=gone)
        missed |= cut.away(depth, u, v)
    else:
        np.divide(np.float32(f.constant), depth, out=depth)
    # half the slope of the quadratic is -s at the near hit and s at the far one
    np.divide(np.float32(-1), root, out=root)
    normals = []
    for (a, b, c), pole in zip(f.quadric[:2], f.pole, strict=False):
        normal = (a * u + c) + b * v
        normal *= depth
        normal -= np.float32(pole)
        normal *= root
        normals.append(normal)
    depth[missed] = _MISS
    return depth, normals[0], normals[1], fade


def along(row: Array, centre: Array, depth: Pixels, u: Pixels, v: Pixels) -> Pixels:
    """row . (depth d - centre), elementwise."""
    a, b, c = row.tolist()
    value = (a * u + c) + b * v
    value = value * depth
    value -= np.float32(float(row @ centre))
    return value


def _box(
    local: Array, centre: Array, clips: list[tuple[list[float], float]], u: Pixels, v: Pixels
) -> Found:
    """A box is what is behind three near planes and before three far ones; a clip adds either."""
    origin = (-(local @ centre)).tolist()
    nears, fars, inverses = [], [], []
    for axis, (a, b, c) in enumerate(local.tolist()):
        slant = (a * u + c) + b * v
        slant = np.where(np.abs(slant) < np.float32(1e-7), np.float32(1e-7), slant)
        inverse = 1 / slant
        one, two = (-1 - origin[axis]) * inverse, (1 - origin[axis]) * inverse
        nears.append(np.minimum(one, two))
        fars.append(np.maximum(one, two))
        inverses.append(inverse)
    enter = np.maximum(np.maximum(nears[0], nears[1]), nears[2])
    leave = np.minimum(np.minimum(fars[0], fars[1]), fars[2])
    normals = []
    for component in (0, 1):
        sides = [
            row[component] * inverse for row, inverse in zip(local.tolist(), inverses, strict=True)
        ]
        other = np.where(nears[1] == enter, sides[1], sides[2])
        normals.append(np.where(nears[0] == enter, sides[0], other))
    for (a, b, c), offset in clips:
        slant = (a * u + c) + b * v
        slant = np.where(np.abs(slant) < np.float32(1e-7), np.float32(1e-7), slant)
        inverse = 1 / slant
        at = np.float32(offset) * inverse
        leave = np.where(slant < 0, np.minimum(leave, at), leave)
        nearer = (slant > 0) & (at > enter)
        enter = np.where(nearer, at, enter)
        normals = [
            np.where(nearer, np.float32(component) * inverse, normal)
            for component, normal in zip((a, b), normals, strict=True)
        ]
    depth = np.where(enter < leave, enter, _MISS)
    return depth, normals[0], normals[1], None


def _merge(hits: Hits, window: Window, index: int, found: Found, blend: float) -> None:
    depth, normal_x, normal_y, fade = found
    was = hits.depth[window]
    if fade is None:
        nearer = depth < was
        np.copyto(was, depth, where=nearer)
        np.copyto(hits.normal_x[window], normal_x, where=nearer)
        np.copyto(hits.normal_y[window], normal_y, where=nearer)
        np.copyto(hits.solid[window], np.int16(index), where=nearer)
        return
    # polynomial smooth minimum of the two depths; exact where they differ by more than `blend`
    weight = was - depth
    weight *= np.float32(0.5 / blend)
    # a solid's outline is a step in depth: fade it out there, unless it is well in front
    np.maximum(fade, weight - np.float32(0.5), out=fade)
    np.minimum(fade, 1, out=fade)
    weight += np.float32(0.5)
    np.clip(weight, 0, 1, out=weight)
    weight *= fade
    rest = 1 - weight
    depth *= weight
    depth += rest * was
    fade = weight * rest
    fade *= np.float32(blend)
    np.subtract(depth, fade, out=was)
    for store, normal in ((hits.normal_x[window], normal_x), (hits.normal_y[window], normal_y)):
        normal *= weight
        store *= rest
        store += normal
    np.copyto(hits.solid[window], np.int16(index), where=weight > 0.5)

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

import numpy as np
import numpy.typing as npt

from benchmark.datasets.twins.scene import BOX, Array, Camera, Solids

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


def cast(solids: Solids, camera: Camera, rays: Rays) -> Hits:
    """First hits of `rays` on `solids`, which must lie in front of the camera."""
    hits = Hits(
        np.full(rays.shape, FAR, dtype=np.float32),
        np.zeros(rays.shape, dtype=np.float32),
        np.zeros(rays.shape, dtype=np.float32),
        np.full(rays.shape, -1, dtype=np.int16),
    )
    centre = camera.seen(solids.centre)
    axes = camera.rotation @ solids.axes
    local = axes.transpose(0, 2, 1) / solids.radii[:, :, None]
    reach = np.where(solids.kind == BOX, np.sqrt(3.0), 1.0)[:, None]
    windows = rays.windows(outlines(centre, axes, solids.radii * reach))
    quadric = local.transpose(0, 2, 1) @ local
    pole = (quadric @ centre[:, :, None])[..., 0]
    constant = (pole * centre).sum(axis=1) - 1
    form = pole[:, :, None] * pole[:, None, :] - constant[:, None, None] * quadric
    towards = centre / centre[:, 2:]
    slope = (form @ towards[:, :, None])[..., 0]
    peak = (slope * towards).sum(axis=1)
    blends = solids.blend.tolist()
    tables = zip(
        quadric.tolist(),
        pole.tolist(),
        constant.tolist(),
        form.tolist(),
        towards.tolist(),
        slope.tolist(),
        peak.tolist(),
        strict=True,
    )
    for index, (window, table) in enumerate(zip(windows, tables, strict=True)):
        if window is None:
            continue
        u, v = rays.within(window)
        blend = blends[index]
        planes = [
            (camera.rotation @ np.asarray(normal), offset) for normal, offset in solids.clips[index]
        ]
        shifted = [(n, o + float(n @ camera.translation)) for n, o in planes]
        if solids.kind[index] == BOX:
            found = _box(local[index], centre[index], u, v)
        else:
            hole = float(solids.hole[index])
            found = _ellipsoid(table, u, v, shifted, local[index], centre[index], hole, blend)
        _merge(hits, window, index, found, blend)
    return hits


Found = tuple[Pixels, Pixels, Pixels, Pixels | None]
_RIM = 0.35  # where a blended solid starts to fade, as a fraction of its largest s^2


def _ellipsoid(
    table: tuple,
    u: Pixels,
    v: Pixels,
    clips: list,
    local: Array,
    centre: Array,
    hole: float,
    blend: float,
) -> Found:
    quadric, pole, constant, form, towards, slope, peak = table
    du, dv = u - np.float32(towards[0]), v - np.float32(towards[1])
    root = ((2 * form[0][1]) * dv + (form[0][0] * du + 2 * slope[0])) * du
    root += (form[1][1] * dv + 2 * slope[1]) * dv + peak
    missed = root <= 0
    np.maximum(root, np.float32(1e-6 * peak), out=root)
    fade = root * np.float32(1 / (_RIM * peak)) if blend else None
    np.sqrt(root, out=root)
    depth = (pole[0] * u + pole[2]) + pole[1] * v
    depth += root
    if clips or hole:
        middle = depth - root
        np.divide(np.float32(constant), depth, out=depth)
        gone = _cut(depth, u, v, clips, local, centre, hole)
        np.divide(np.float32(constant), middle - root, out=depth, where=gone)
        np.negative(root, out=root, where=gone)
        missed |= _cut(depth, u, v, clips, local, centre, hole)
    else:
        np.divide(np.float32(constant), depth, out=depth)
    # the half slope of the quadratic at the near root is -s, at the far root +s
    np.divide(np.float32(-1), root, out=root)
    normals = []
    for axis in (0, 1):
        row = quadric[axis]
        normal = (row[0] * u + row[2]) + row[1] * v
        normal *= depth
        normal -= np.float32(pole[axis])
        normal *= root
        normals.append(normal)
    depth[missed] = _MISS
    return depth, normals[0], normals[1], fade


def _cut(
    depth: Pixels, u: Pixels, v: Pixels, clips: list, local: Array, centre: Array, hole: float
) -> npt.NDArray[np.bool_]:
    gone = np.zeros(depth.shape, dtype=np.bool_)
    for normal, offset in clips:
        a, b, c = normal.tolist()
        gone |= depth * ((a * u + c) + b * v) < np.float32(offset)
    if hole:
        x = along(local[0], centre, depth, u, v)
        y = along(local[1], centre, depth, u, v)
        gone |= x * x + y * y < np.float32(hole * hole)
    return gone


def along(row: Array, centre: Array, depth: Pixels, u: Pixels, v: Pixels) -> Pixels:
    """row . (depth d - centre), elementwise."""
    a, b, c = row.tolist()
    value = (a * u + c) + b * v
    value = value * depth
    value -= np.float32(float(row @ centre))
    return value


def _box(local: Array, centre: Array, u: Pixels, v: Pixels) -> Found:
    origin = (-(local @ centre)).tolist()
    enter = leave = normal_x = normal_y = None
    for axis in range(3):
        a, b, c = local[axis].tolist()
        slant = (a * u + c) + b * v
        slant = np.where(np.abs(slant) < 1e-7, np.float32(1e-7), slant).astype(np.float32)
        inverse = 1 / slant
        one, two = (-1 - origin[axis]) * inverse, (1 - origin[axis]) * inverse
        near, far = np.minimum(one, two), np.maximum(one, two)
        if enter is None:
            enter, leave = near, far
            normal_x, normal_y = a * inverse, b * inverse
        else:
            later = near > enter
            normal_x = np.where(later, a * inverse, normal_x)
            normal_y = np.where(later, b * inverse, normal_y)
            enter, leave = np.maximum(enter, near), np.minimum(leave, far)
    assert enter is not None
    assert normal_x is not None
    assert normal_y is not None
    depth = np.where(enter < leave, enter, _MISS).astype(np.float32)
    return depth, normal_x.astype(np.float32), normal_y.astype(np.float32), None


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

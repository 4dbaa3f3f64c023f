"""Colour and part of every hit: the solids' colours and waves, the paints on top, then the light.

Colours are linear light until the last step, which is a square root (gamma 2) to 8 bits.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from benchmark.twins.raycast import Hits, Pixels, Rays, Window, along, outlines
from benchmark.twins.scene import Backdrop, Paints, Scene, Solids

Labels = npt.NDArray[np.uint8]


def parts(scene: Scene, hits: Hits, rays: Rays) -> Labels:
    """The part of every hit, 0 (background) where there is none, paints included."""
    labels = _solid_parts(scene.solids, hits)
    for index, window, inside in _coverage(scene, hits, rays, labels, naming=True):
        name = np.uint8(scene.paints.part[index])
        np.copyto(labels[window], name, where=inside > 0.5)
    return labels


def colours(scene: Scene, hits: Hits, rays: Rays) -> Pixels:
    """Linear rgb (3, H, W) of every hit, black where there is none."""
    labels = _solid_parts(scene.solids, hits)
    solid = hits.solid + np.int16(1)  # row 0 of a table is for rays that met nothing
    table = np.append(np.zeros((1, 3)), scene.solids.colour, axis=0).astype(np.float32)
    albedo = np.empty((3, *rays.shape), dtype=np.float32)
    for channel, column in zip(albedo, table.T.copy(), strict=True):
        column.take(solid, out=channel, mode="clip")
    _wave(scene, hits, rays, albedo)
    for index, window, cover in _coverage(scene, hits, rays, labels, naming=False):
        if scene.paints.part[index] >= 0:
            name = np.uint8(scene.paints.part[index])
            np.copyto(labels[window], name, where=cover > 0.5)
        cover *= np.float32(scene.paints.strength[index])
        for channel, value in zip(albedo, scene.paints.colour[index].tolist(), strict=True):
            under = channel[window]
            under += cover * (value - under)
    return _lit(scene, hits, rays, albedo, solid)


def _solid_parts(solids: Solids, hits: Hits) -> Labels:
    return np.append(np.uint8(0), solids.part).take(hits.solid + np.int16(1), mode="clip")


def _coverage(
    scene: Scene, hits: Hits, rays: Rays, labels: Labels, *, naming: bool
) -> Iterator[tuple[int, Window, Pixels]]:
    """Yield (paint, window, cover in [0, 1]) of every paint that touches a ray, in order."""
    paints, camera = scene.paints, scene.camera
    if not len(paints.centre):
        return
    centre = camera.seen(paints.centre)
    axes = camera.rotation @ paints.axes
    local = axes.transpose(0, 2, 1) / paints.radii[:, :, None]
    windows = rays.windows(outlines(centre, axes, _reach(paints)))
    for index, window in enumerate(windows):
        if window is None or (naming and paints.part[index] < 0):
            continue
        allowed = paints.on[index].take(labels[window])
        if not allowed.any():
            continue
        u, v = rays.within(window)
        depth = hits.depth[window]
        x, y, z = (along(row, centre[index], depth, u, v) for row in local[index])
        cover = _inside(paints, index, x, y, z)
        cover *= allowed
        yield index, window, cover


def _reach(paints: Paints) -> npt.NDArray[np.float64]:
    """Radii of ellipsoids that hold the paints: room for a lens's corners and for the bend."""
    lens = np.where(paints.down > 0, 1.2, 1.0)[:, None]
    reach = paints.radii * lens
    tallest = np.maximum(paints.radii[:, 1], paints.down)
    reach[:, 1] = tallest * lens[:, 0] + 1.5 * np.abs(paints.bend)
    reach[:, 0] *= np.where(paints.bend != 0, 1.25, 1.0)
    return reach


def _inside(paints: Paints, index: int, x: Pixels, y: Pixels, z: Pixels) -> Pixels:
    if paints.bend[index]:
        y = y - np.float32(paints.bend[index] / paints.radii[index, 1]) * x * x
    if paints.down[index]:
        ratio = np.float32(-paints.radii[index, 1] / paints.down[index])
        level = x * x
        level += np.maximum(-y, y * -ratio)
        level = np.maximum(level, np.abs(z))
    else:
        level = x * x
        level += y * y
        level += z * z
    # level grows like the squared radius, so an edge of width `soft` spans 2 soft in level
    level -= 1
    level *= np.float32(-0.5 / max(float(paints.soft[index]), 1e-3))
    level += np.float32(0.5)
    return np.clip(level, 0, 1, out=level)


def _wave(scene: Scene, hits: Hits, rays: Rays, albedo: Pixels) -> None:
    """Brighten and darken patterned solids along two bent triangle waves (hair, cloth)."""
    solids, camera = scene.solids, scene.camera
    chosen = np.flatnonzero(solids.waves[:, 6])
    if not len(chosen):
        return
    centre = camera.seen(solids.centre[chosen])
    axes = camera.rotation @ solids.axes[chosen]
    local = axes.transpose(0, 2, 1) / solids.radii[chosen][:, :, None]
    bounds = outlines(centre, axes, solids.radii[chosen] * 1.8)
    for row, (index, window) in enumerate(zip(chosen, rays.windows(bounds), strict=True)):
        if window is None:
            continue
        own = hits.solid[window] == index
        if not own.any():
            continue
        u, v = rays.within(window)
        depth = hits.depth[window]
        first = along(solids.waves[index, 0:3] @ local[row], centre[row], depth, u, v)
        second = along(solids.waves[index, 3:6] @ local[row], centre[row], depth, u, v)
        first += np.float32(0.6) * _triangle(second)
        factor = _triangle(first)
        factor += np.float32(0.5) * _triangle(first * np.float32(0.37) + second)
        factor *= np.float32(solids.waves[index, 6]) * own
        factor += 1
        for channel in albedo:
            channel[window] *= factor


def _triangle(phase: Pixels) -> Pixels:
    """A wave of period 1 between -1 and 1."""
    value = phase - np.floor(phase)
    value -= np.float32(0.5)
    np.abs(value, out=value)
    value *= 4
    value -= 1
    return value


def _lit(
    scene: Scene, hits: Hits, rays: Rays, albedo: Pixels, solid: npt.NDArray[np.int16]
) -> Pixels:
    n_x, n_y = hits.normal_x, hits.normal_y
    n_z = 1 - rays.u * n_x
    n_z -= rays.v * n_y
    length = n_x * n_x
    length += n_y * n_y
    length += n_z * n_z
    np.sqrt(length, out=length)
    np.divide(np.float32(-1), length, out=length)
    up = n_y * length  # the outward normal is -n / |n|; y points down
    sky = up * np.float32(-0.3)
    sky += np.float32(0.85)
    shine = np.append(0.0, scene.solids.shine).astype(np.float32).take(solid, mode="clip")
    light = np.empty_like(albedo)
    for channel, value in zip(light, scene.ambient, strict=True):
        np.multiply(sky, np.float32(value), out=channel)
    for lamp in scene.lights:
        diffuse = _towards(lamp.direction, n_x, n_y, n_z, length)
        # light wraps a little past the terminator, as it does on skin
        diffuse += np.float32(0.2)
        diffuse *= np.float32(1 / 1.2)
        np.maximum(diffuse, 0, out=diffuse)
        for channel, value in zip(light, lamp.colour, strict=True):
            channel += diffuse * np.float32(value)
    light *= albedo
    lamp = scene.lights[0]
    x, y, z = lamp.direction
    size = float(np.sqrt(x * x + y * y + (z - 1) ** 2))
    glint = _towards((x / size, y / size, (z - 1) / size), n_x, n_y, n_z, length)
    np.maximum(glint, 0, out=glint)
    for _ in range(4):
        glint *= glint
    glint *= shine
    for channel, value in zip(light, lamp.colour, strict=True):
        channel += glint * np.float32(value)
    return light


def _towards(
    direction: tuple[float, float, float], n_x: Pixels, n_y: Pixels, n_z: Pixels, length: Pixels
) -> Pixels:
    x, y, z = direction
    value = n_x * np.float32(x)
    value += n_y * np.float32(y)
    value += n_z * np.float32(z)
    value *= length
    return value


def backdrop(scene: Backdrop, size: int) -> Pixels:
    """Linear rgb (3, size, size) of what is behind everything."""
    place = ((np.arange(size) + 0.5) / size).astype(np.float32)
    x, y = place[None, :], place[:, None]
    corners = scene.corners.astype(np.float32)
    picture = np.empty((3, size, size), dtype=np.float32)
    for plane, ((a, b), (c, d)) in zip(picture, corners.transpose(2, 0, 1), strict=True):
        plane[...] = (a * (1 - x) + b * x) * (1 - y) + (c * (1 - x) + d * x) * y
    for row in scene.shapes.tolist():
        box, centre_x, centre_y, radius_x, radius_y, angle, soft, stripes, *colour = row
        cos, sin = float(np.cos(angle)), float(np.sin(angle))
        across = (cos / radius_x) * (x - centre_x) + (sin / radius_x) * (y - centre_y)
        down = (-sin / radius_y) * (x - centre_x) + (cos / radius_y) * (y - centre_y)
        if box:
            level = np.maximum(np.abs(across), np.abs(down))
        else:
            level = np.sqrt(across * across + down * down)
        cover = np.clip((1 - level) * np.float32(1 / soft) + np.float32(0.5), 0, 1)
        if stripes:
            cover *= np.clip(_triangle(across * np.float32(stripes)) * 2, 0, 1)
        for channel, value in zip(picture, colour, strict=True):
            channel += cover * (np.float32(value) - channel)
    return picture


def to_bytes(linear: Pixels, grain: float, seed: int) -> npt.NDArray[np.uint8]:
    """Display bytes (H, W, 3) of linear rgb (3, H, W), with grey grain of that many levels."""
    shown = np.clip(linear, 0, 1)
    np.sqrt(shown, out=shown)
    shown *= 255
    if grain:
        random = np.random.Generator(np.random.PCG64(seed))
        noise = random.standard_normal(shown.shape[1:], dtype=np.float32)
        noise *= np.float32(grain)
        shown += noise
    shown += np.float32(0.5)
    np.clip(shown, 0, 255, out=shown)
    return np.ascontiguousarray(shown.astype(np.uint8).transpose(1, 2, 0))

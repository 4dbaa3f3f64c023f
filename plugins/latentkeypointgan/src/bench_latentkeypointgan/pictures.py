"""Pictures for the run's page: points on images, and what an image becomes when one thing is changed."""

from __future__ import annotations

import colorsys
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from bench_latentkeypointgan.generator import LatentKeypointGenerator, Scene
from benchmark.training.positions import pixel_centres

SIDE = 128
"""The least side of a picture, in pixels, so that a point hides little of it."""
RADIUS = 0.04
"""Of a point's disc, in half sides."""
MOVED = 0.3
"""How far a point is moved, in half sides."""


def marked(images: Tensor, points: Tensor) -> Tensor:
    """Images (B, 3, S, S) in [-1, 1], enlarged to 128 pixels or more, with points (B, K, 2) as discs.

    Each point has a hue of its own, the same in all images. Example: images of 32 pixels and no points
    come back with each pixel four times as wide.
    """
    times = -(-SIDE // images.shape[-1])
    found = functional.interpolate(images, scale_factor=times, mode="nearest")
    at = pixel_centres(found.shape[-1], device=images.device)
    for k in range(points.shape[1]):
        x, y = points[:, k, 0, None, None], points[:, k, 1, None, None]
        inside = (at - x) ** 2 + (at[:, None] - y) ** 2 < RADIUS**2
        colour = torch.tensor(colorsys.hsv_to_rgb(k / points.shape[1], 1, 1)).to(found) * 2 - 1
        found = torch.where(inside[:, None], colour[:, None, None], found)
    return found


def edits(net: LatentKeypointGenerator, z: Tensor) -> dict[str, Tensor]:
    """Generated images of z (B, z_dim) and what becomes of them: pictures by name.

    In image i the part that changes is i modulo K. Other looks and backgrounds are the next image's.
    """
    scene = net.scene(z)
    count, landmarks = scene.points.shape[:2]
    rows = torch.arange(count, device=z.device)
    part = rows % landmarks

    def image(of: Scene) -> Tensor:
        images: Tensor = net(of).clamp(-1, 1)
        return images

    points = scene.points.clone()
    points[rows, part, 0] += torch.where(points[rows, part, 0] > 0, -MOVED, MOVED)
    embeddings = scene.embeddings.clone()
    embeddings[rows, part] = scene.embeddings.roll(-1, 0)[rows, part]
    present = torch.ones(count, landmarks, device=z.device)
    present[rows, part] = 0
    one = scene.points[rows, part][:, None]
    plain = image(scene)
    nothing = scene.points[:, :0]
    changed = {
        "this point moved": replace(scene, points=points),
        "its embedding of the next image": replace(scene, embeddings=embeddings),
        "without this part": replace(scene, present=present),
        "the background of the next image": scene.with_background(scene.background.roll(-1, 0)),
    }
    return {
        "generated": marked(plain, nothing),
        "generated, with all points": marked(plain, scene.points),
        "the point that changes below": marked(plain, one),
        **{name: marked(image(other), nothing) for name, other in changed.items()},
    }

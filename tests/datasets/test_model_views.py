"""Meshes drawn and read again: cameras, silhouettes, depth, clouds, the layout, and what is left out."""

from __future__ import annotations

import csv
import heapq
import json
import os
import struct
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from scipy.io import loadmat, savemat
from scipy.spatial.transform import Rotation

from benchmark.cli.data import command
from benchmark.contracts.errors import BenchError, DataAltered, InvalidInput
from benchmark.datasets.meshes.mesh import Mesh, fault
from benchmark.datasets.meshes.raster import draw
from benchmark.datasets.meshes.reading import meshes_in, read_mesh
from benchmark.datasets.meshes.rendering import Rendering, drawn_split, render_meshes
from benchmark.datasets.meshes.surface import subdivided, thinned, true_cloud
from benchmark.datasets.readers.box_corners import Cc0CarsCorners, corners_of
from benchmark.datasets.readers.cameras import looking_at_origin
from benchmark.datasets.readers.cc0_cars import CARS, Cc0Cars
from benchmark.datasets.readers.model_views import ModelViews
from benchmark.metrics.camera import camera_rotation, project
from benchmark.metrics.pose import rotate

SMALL = {"views": 3, "size": 48, "new_vertices": 600, "voxel": 0.05}

BOX = """\
v -1 -0.5 -2
v 1 -0.5 -2
v 1 0.5 -2
v -1 0.5 -2
v -1 -0.5 2
v 1 -0.5 2
v 1 0.5 2
v -1 0.5 2
f 1 2 3 4
f 5 6 7 8
f 1 2 6 5
f 4 3 7 8
f 1 4 8 5
f 2 3 7 6
"""
"""2 wide, 1 high, 4 long."""


def box(folder: Path, name: str = "box", text: str = BOX) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.obj"
    path.write_text(text)
    return path


class Three(ModelViews):
    views: ClassVar[int] = 3


# cameras


def test_the_quaternion_of_a_position_is_that_of_a_camera_built_from_its_axes() -> None:
    """Forward, up and right by hand: through the origin, and upright in the object's y."""
    positions = np.random.default_rng(0).normal(size=(200, 3))
    quaternions = camera_rotation(positions)
    for position, quaternion in zip(positions, quaternions, strict=True):
        x, y, z = position / np.linalg.norm(position)
        forward = np.array([-x, -z, y])  # the renderer's (x, y, z) is the file's (x, z, -y)
        right = np.cross(forward, [0.0, 1.0, 0.0])
        right /= np.linalg.norm(right)
        look_at = np.stack([forward, np.cross(right, forward), right])
        np.testing.assert_allclose(rotate(quaternion, np.eye(3)).T, look_at, atol=1e-12)
        np.testing.assert_allclose(looking_at_origin(position), look_at, atol=1e-12)


def test_cameras_are_whole_degrees_within_their_ranges_and_of_the_model_alone() -> None:
    how = Rendering(views=500, azimuth=(10, 40), elevation=(-20, 40))
    there = how.positions("sedan")
    np.testing.assert_allclose(np.linalg.norm(there, axis=1), 2, atol=1e-12)
    azimuth = np.degrees(np.arctan2(there[:, 1], there[:, 0]))
    elevation = np.degrees(np.arcsin(there[:, 2] / 2))
    np.testing.assert_allclose(azimuth, azimuth.round(), atol=1e-9)
    assert set(azimuth.round()) == set(range(10, 40))
    assert set(elevation.round()) == set(range(-20, 40))
    assert np.array_equal(there, Rendering(views=500, azimuth=(10, 40)).positions("sedan"))
    assert not np.allclose(there, how.positions("van"))


# drawing


def test_known_points_land_where_the_camera_says() -> None:
    """A small square at (0, 0.1, 0.2), 2 away: 1.875 / 2 of that from the middle, in widths."""
    low, high = np.array([0, 0.09, 0.19]), np.array([0, 0.11, 0.21])
    corners = [
        [0, low[1], low[2]],
        [0, high[1], low[2]],
        [0, high[1], high[2]],
        [0, low[1], high[2]],
    ]
    mesh = Mesh.plain(np.array([[corners[i] for i in t] for t in ((0, 1, 2), (0, 2, 3))]))
    view = draw(mesh, np.eye(3), 400, samples=1)
    rows, columns = np.nonzero(view.rgba[..., 3])
    x, y = project([[0.0, 0.1, 0.2]])[0]
    assert columns.mean() == pytest.approx((x + 0.5) * 400 - 0.5, abs=0.5)
    assert rows.mean() == pytest.approx((0.5 - y) * 400 - 0.5, abs=0.5)
    assert len(rows) == pytest.approx((0.02 * 1.875 / 2 * 400) ** 2, rel=0.15)


def test_depth_is_that_of_the_plane_and_the_nearer_surface_hides_the_other() -> None:
    far = np.array([[[0.2, -1, -1], [0.2, 3, -1], [0.2, -1, 3]]])
    slanted = np.array([[[-0.3, -0.4, -0.4], [0.1, 0.4, -0.4], [-0.3, -0.4, 0.4]]])
    view = draw(Mesh.plain(np.concatenate([far, slanted])), np.eye(3), 64, samples=1)
    up, right = np.meshgrid(
        (0.5 - (np.arange(64) + 0.5) / 64), ((np.arange(64) + 0.5) / 64 - 0.5), indexing="ij"
    )
    # on the slanted plane forward = -0.1 + up / 2, and up = y · depth / f
    depth = (2 - 0.1) / (1 - up / 1.875 / 2)
    place_up, place_right = up * depth / 1.875, right * depth / 1.875
    inside = (place_up > -0.38) & (place_right > -0.38) & (place_up + place_right < -0.02)
    assert inside.sum() > 300
    np.testing.assert_allclose(view.depth[inside], depth[inside], atol=1e-9)
    outside = (place_up < -0.42) | (place_right < -0.42)
    np.testing.assert_allclose(view.depth[outside], 2.2, atol=1e-9)


def test_alpha_is_the_share_of_a_pixel_that_is_covered() -> None:
    """An edge through the middle of pixels, at 8 samples a side."""
    edge = 2 / 1.875 * (1 / 32)  # half a pixel of 16 right of the middle
    corners = np.array(
        [[[0, -9, -9], [0, 9, -9], [0, 9, edge]], [[0, -9, -9], [0, 9, edge], [0, -9, edge]]]
    )
    alpha = draw(Mesh.plain(corners), np.eye(3), 16, samples=8).rgba[..., 3]
    assert (alpha[:, :8] == 255).all()
    assert (alpha[:, 8] == 128).all()
    assert (alpha[:, 9:] == 0).all()


def test_triangles_that_share_an_edge_leave_no_seam(tmp_path: Path) -> None:
    mesh = read_mesh(box(tmp_path)).in_shapenet_frame()
    for position in Rendering(views=12).positions("box"):
        view = draw(mesh, looking_at_origin(position), 64, samples=1)
        covered = view.rgba[..., 3] > 0
        for line in (*covered, *covered.T):  # a box is convex: each line is covered in one piece
            assert np.abs(np.diff(line.astype(int))).sum() <= 2


def test_the_silhouette_of_a_cloud_is_the_mask(tmp_path: Path) -> None:
    mesh = read_mesh(box(tmp_path)).in_shapenet_frame()
    cloud = subdivided(mesh, 20_000)
    for position in Rendering(views=8).positions("box"):
        mask = draw(mesh, looking_at_origin(position), 32, samples=8).rgba[..., 3]
        seen = project(rotate(camera_rotation(position[None])[0], cloud))
        columns, rows = ((seen * [1, -1] + 0.5) * 32).astype(int).T
        hit = np.zeros((32, 32), np.bool_)
        hit[rows, columns] = True
        assert hit[mask == 255].all()
        assert (mask[hit] > 0).mean() > 0.97  # what barely touches a pixel may miss its samples


def test_textures_and_colours_come_from_the_files(tmp_path: Path) -> None:
    lines = ["mtllib m.mtl", "v 0 0 0", "v 0 1 0", "v 0 1 1", "v 0 0 1"]
    lines += [
        "vt 0.25 0.25",
        "vt 0.75 0.75",
        "usemtl skin",
        "f 1/1 2/1 3/1",
        "usemtl paint",
        "f 1 3 4",
    ]
    path = box(tmp_path, "two", "\n".join(lines))
    Image.fromarray(np.array([[[9, 9, 9], [255, 0, 0]], [[0, 255, 0], [9, 9, 9]]], np.uint8)).save(
        tmp_path / "a skin.png"
    )
    (tmp_path / "m.mtl").write_text("newmtl skin\nmap_Kd a skin.png\nnewmtl paint\nKd 0 0 1\n")
    mesh = read_mesh(path)
    assert len(mesh) == 2
    assert mesh.texture.tolist() == [0, -1]
    colours = draw(mesh.in_shapenet_frame(), np.eye(3), 32, samples=1).rgba
    lit = colours[colours[..., 3] > 0]
    # the place (0.25, 0.25) is at the bottom left of the picture: green
    assert {tuple(np.flatnonzero(c)) for c in lit[:, :3]} == {(1,), (2,)}


def test_a_mesh_that_reaches_the_camera_is_refused() -> None:
    with pytest.raises(InvalidInput, match="reaches the camera"):
        draw(Mesh.plain(np.array([[[-2.0, 0, 0], [0, 1, 0], [0, 0, 1]]])), np.eye(3), 8)


# clouds


def longest_edge_by_edge(vertices: np.ndarray, faces: np.ndarray, count: int) -> np.ndarray:
    """The rule as it is stated: take the longest edge of all, split it and its triangles, again."""
    points, faces_left = list(map(tuple, vertices)), {tuple(f) for f in faces.tolist()}

    def edges(face: tuple[int, ...]) -> list[tuple[int, int]]:
        a, b, c = face
        return [(min(p), max(p)) for p in ((a, b), (b, c), (c, a))]

    def length(edge: tuple[int, int]) -> float:
        return float(np.linalg.norm(np.subtract(points[edge[0]], points[edge[1]])))

    heap = [(-length(e), e) for f in faces_left for e in edges(f)]
    heapq.heapify(heap)
    while len(points) < len(vertices) + count:
        _, edge = heapq.heappop(heap)
        at = [f for f in faces_left if edge in edges(f)]
        if not at:
            continue
        points.append(tuple(np.add(points[edge[0]], points[edge[1]]) / 2))
        for face in at:
            faces_left.remove(face)
            (other,) = set(face) - set(edge)
            for end in edge:
                new = (end, other, len(points) - 1)
                faces_left.add(new)
                for e in edges(new):
                    heapq.heappush(heap, (-length(e), e))
    return np.array(points)


@pytest.mark.parametrize("count", [1, 10, 40, 59, 65])  # none parts two edges of one length
def test_subdividing_at_once_gives_the_vertices_of_the_stated_rule(count: int) -> None:
    vertices = np.random.default_rng(1).normal(size=(5, 3))
    faces = np.array([[0, 1, 2], [0, 1, 3], [1, 2, 3], [2, 0, 4], [3, 4, 0]])
    found = subdivided(Mesh.plain(vertices[faces]), count)
    stated = longest_edge_by_edge(vertices, faces, count)
    assert found.shape == stated.shape == (5 + count, 3)
    order = [np.lexsort(points.round(9).T) for points in (found, stated)]
    np.testing.assert_allclose(found[order[0]], stated[order[1]], atol=1e-12)


def test_voxels_begin_half_a_side_below_the_least_point() -> None:
    points = np.array([[0.0, 0, 0], [0.049, 0, 0], [0.051, 0, 0], [0.2, 0.2, 0.2]])
    np.testing.assert_allclose(
        thinned(points, 0.1), [[0.0245, 0, 0], [0.051, 0, 0], [0.2, 0.2, 0.2]], atol=1e-12
    )


def test_a_cloud_lies_on_the_surface_and_nowhere_leaves_it_bare(tmp_path: Path) -> None:
    mesh = read_mesh(box(tmp_path)).in_shapenet_frame()
    cloud = true_cloud(mesh, 3_000, 0.03)
    half = np.array([1, 0.5, 2]) / np.sqrt(21)
    away = np.abs(np.abs(cloud) - half).min(axis=1)
    assert (away < 1e-6).mean() > 0.6
    assert away.max() < 0.015  # along an edge of the box a voxel's mean lies inside
    near = np.linalg.norm(cloud[:, None] - mesh.corners.reshape(1, -1, 3), axis=2).min(axis=0)
    assert near.max() < 0.05


# meshes that are none


FAN = ["v 0 0 0", "v 0 1 0", "v 1 0 0", "v 1 0 1", "v 1 0 2", *(f"f 1 2 {i}" for i in (3, 4, 5))]
"""Three triangles at one edge, which is one of seven."""

BAD = {
    "empty": ("v 0 0 0\n", "it has no faces"),
    "nan": ("v nan 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\n", "1 of its 3 corners are NaN or infinite"),
    "flat": ("v 0 0 0\nv 0 1 0\nf 1 2 2\n", "its faces have no area"),
    "line": ("v 0 0 0\nv 0 1 0\nv 0 2 0\nf 1 2 3\n", "without area"),
    "fan": ("\n".join(FAN), "it is not manifold: 14% of its edges"),
    "many": (BOX * 90, "line 1173: more than 1,000 faces"),
    "lost": ("v 0 0 0\nf 1 2 3\n", "line 2: 2 names none of the 1 given so far"),
    "words": ("v a b c\n", "line 1: could not convert"),
    "bare": ("mtllib none.mtl\n", "none.mtl, and it is not there"),
}


def test_bad_meshes_are_left_out_each_with_its_reason_and_the_rest_goes_on(tmp_path: Path) -> None:
    for name in ("one", "two"):
        box(tmp_path / "meshes", name)
    for name, (text, _) in BAD.items():
        box(tmp_path / "meshes", name, text)
    (tmp_path / "meshes" / "broken.glb").write_bytes(b"glTF")
    how = Rendering(**SMALL, most_faces=1_000)
    found = render_meshes(meshes_in(tmp_path / "meshes"), tmp_path / "out", how)
    assert sorted(m for part in found.splits.values() for m in part) == ["one", "two"]
    assert set(found.left_out) == {*BAD, "broken"}
    for name, (_, said) in BAD.items():
        assert said in found.left_out[name], name
    assert "can't be read as GLB" in found.left_out["broken"]
    with (tmp_path / "out" / "left_out.csv").open(newline="") as file:
        assert dict(list(csv.reader(file))[1:]) == found.left_out
    truth = tmp_path / "out" / "gt" / "downsampled" / "models"
    assert sorted(p.stem for p in truth.iterdir()) == ["one", "two"]


def test_nothing_is_made_where_no_mesh_can_be_drawn(tmp_path: Path) -> None:
    box(tmp_path / "meshes", "empty", "v 0 0 0\n")
    with pytest.raises(InvalidInput, match=r"none of 1 meshes can be drawn: .* no faces"):
        render_meshes(meshes_in(tmp_path / "meshes"), tmp_path / "out", Rendering(**SMALL))
    assert not (tmp_path / "out").exists()


def test_a_few_edges_of_three_faces_are_no_fault(tmp_path: Path) -> None:
    mesh = read_mesh(box(tmp_path, text=BOX + "v 0 3 0\nf 1 2 9\n"))
    assert fault(mesh, most_faces=99, most_non_manifold=0.1) == ""
    assert "not manifold: 5%" in fault(mesh, most_faces=99, most_non_manifold=0.02)


@pytest.mark.parametrize(
    "given", [{"views": 0}, {"azimuth": (5, 5)}, {"elevation": (-90, 0)}, {"distance": 0.4}]
)
def test_impossible_renderings_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        Rendering(**given)


# GLB


def glb(path: Path, node: dict[str, Any], **more: Any) -> Path:
    """A triangle of unsigned shorts, with a texture of one green pixel."""
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], "<f4").tobytes()
    uv = np.array([[0, 0], [1, 0], [0, 1]], "<f4").tobytes()
    order = np.array([0, 1, 2, 0], "<u2").tobytes()
    picture = BytesIO()
    Image.new("RGB", (1, 1), (0, 255, 0)).save(picture, "PNG")
    views, content = [], b""
    for part in (points, uv, order, picture.getvalue()):
        views.append({"buffer": 0, "byteOffset": len(content), "byteLength": len(part)})
        content += part + b"\0" * (-len(part) % 4)
    about = {
        "asset": {"version": "2.0"}, "buffers": [{"byteLength": len(content)}], "bufferViews": views,
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5126, "count": 3, "type": "VEC2"},
            {"bufferView": 2, "componentType": 5123, "count": 3, "type": "SCALAR"},
        ],
        "images": [{"bufferView": 3, "mimeType": "image/png"}], "textures": [{"source": 0}],
        "materials": [{"pbrMetallicRoughness": {"baseColorFactor": [1, 0.5, 1, 1],
                                                "baseColorTexture": {"index": 0}}}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0, "TEXCOORD_0": 1}, "indices": 2,
                                    "material": 0}]}],
        "nodes": [{"children": [1], "translation": [0, 0, 5]}, {"mesh": 0, **node}],
        "scenes": [{"nodes": [0]}], "scene": 0,
    } | more  # fmt: skip
    text = json.dumps(about).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<II", len(text), 0x4E4F534A) + text
    body += struct.pack("<II", len(content), 0x004E4942) + content
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body)
    return path


def test_a_glb_has_its_triangles_where_its_nodes_put_them(tmp_path: Path) -> None:
    turn = Rotation.from_euler("z", 90, degrees=True).as_quat().tolist()
    mesh = read_mesh(glb(tmp_path / "a.glb", {"rotation": turn, "scale": [2, 1, 1]}))
    np.testing.assert_allclose(mesh.corners, [[[0, 0, 5], [0, 2, 5], [-1, 0, 5]]], atol=1e-12)
    np.testing.assert_allclose(mesh.uv, [[[0, 1], [1, 1], [0, 0]]], atol=1e-12)
    np.testing.assert_allclose(mesh.colours, [[1, 0.5, 1]])
    assert [t.tolist() for t in mesh.textures] == [[[[0, 255, 0]]]]
    columns = [0, 2, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    same = read_mesh(glb(tmp_path / "b.glb", {"matrix": columns}))
    np.testing.assert_allclose(same.corners, mesh.corners, atol=1e-12)


@pytest.mark.parametrize(
    "more, said",
    [
        ({"extensionsRequired": ["KHR_draco_mesh_compression"]}, "KHR_draco_mesh_compression"),
        ({"buffers": [{"uri": "a.bin", "byteLength": 9}]}, "buffers lie in other files"),
        ({"nodes": [{"children": [0]}]}, "nodes lie too deep"),
        ({"accessors": []}, "can't be read as GLB"),
        ({"images": [{"bufferView": 0}]}, r"texture 0 of .*a\.glb can't be decoded"),
    ],
)
def test_a_glb_that_is_not_read_says_why(tmp_path: Path, more: dict, said: str) -> None:
    with pytest.raises(DataAltered, match=said):
        read_mesh(glb(tmp_path / "a.glb", {}, **more))


# the layout


@pytest.fixture
def made(tmp_path: Path) -> Path:
    for number in range(10):
        box(tmp_path / "meshes", f"m{number}", BOX.replace("0.5", f"0.{number + 3}"))
    render_meshes(meshes_in(tmp_path / "meshes"), tmp_path / "out", Rendering(**SMALL))
    return tmp_path / "out"


def test_what_is_made_is_read(made: Path) -> None:
    reader = Three(made)
    found = {split: reader.samples(split) for split in reader.splits}
    assert {split: len(samples) for split, samples in found.items()} == {
        "train": 21, "validation": 3, "test": 6,
    }  # fmt: skip
    everything = [s for samples in found.values() for s in samples]
    assert len({s.key for s in everything}) == 30
    models = [{s.identity for s in samples} for samples in found.values()]
    assert len(set.union(*models)) == sum(map(len, models)) == 10
    for sample in found["test"]:
        cloud = reader.cloud(sample)
        assert cloud is not None
        np.testing.assert_allclose(np.linalg.norm(np.ptp(cloud, axis=0)), 1, atol=0.06)
        number = int(sample.key.rpartition("/")[2])
        position = Rendering(**SMALL).positions(sample.identity)[number]
        turned = camera_rotation(position[None])[0]
        assert abs(turned @ sample.extra["quaternions"]) == pytest.approx(1, abs=1e-6)
        assert sample.extra["translations"].tolist() == pytest.approx([2, 0, 0])
        assert float(sample.extra["focals"]) == 1.875
        with Image.open(sample.path) as picture:
            assert (picture.size, picture.mode) == ((48, 48), "RGBA")
            alpha = np.asarray(picture)[..., 3]
        np.testing.assert_array_equal(reader.mask(sample), alpha)
        seen = project(rotate(turned, cloud))
        columns, rows = ((seen * [1, -1] + 0.5) * 48).astype(int).T
        assert (alpha[rows, columns] > 0).mean() > 0.9
        with Image.open(sample.path.with_name(f"depth_{number}.png")) as picture:
            depth = np.asarray(picture, np.float64) * 10 / 65535
        assert (depth[alpha == 0] == 10).all()
        assert ((depth[alpha > 0] > 1.5) & (depth[alpha > 0] < 2.5)).all()


def test_the_same_meshes_give_the_same_files(made: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    render_meshes(meshes_in(tmp_path / "meshes"), again, Rendering(**SMALL))
    for path in sorted(made.rglob("*.png")) + sorted((made / "splits").iterdir()):
        assert path.read_bytes() == (again / path.relative_to(made)).read_bytes()


def test_views_without_camera_or_alpha_are_left_out_with_their_models(made: Path) -> None:
    reader = Three(made)
    models = reader._lists["train"]
    folders = [made / "renders" / "models" / model for model in models]
    (folders[0] / "camera_1.mat").unlink()
    Image.new("RGB", (48, 48)).save(folders[1] / "render_2.png")
    Image.new("RGBA", (48, 48)).save(folders[2] / "render_0.png")
    savemat(folders[3] / "camera_0.mat", {"pos": [[0.0, 0.0, 2.0]]})
    with pytest.warns(UserWarning, match="4 of 7 models of 'train' are left out"):
        samples = reader.samples("train")
    assert list(dict.fromkeys(s.identity for s in samples)) == models[4:]
    reasons = ("has no camera", "has no alpha", "shows nothing", "a camera straight above")
    assert list(reader.left_out["train"]) == models[:4]
    for why, said in zip(reader.left_out["train"].values(), reasons, strict=True):
        assert why.startswith("2 of 3 views; ")
        assert said in why


def test_of_more_views_the_first_whole_ones_count(made: Path) -> None:
    class Two(ModelViews):
        views: ClassVar[int] = 2

    reader = Two(made)
    model = reader._lists["test"][0]
    (made / "renders" / "models" / model / "camera_0.mat").unlink()
    assert [s.key.rpartition("/")[2] for s in reader.samples("test")[:2]] == ["1", "2"]


def test_a_lens_is_read_and_the_usual_one_taken_where_there_is_none(made: Path) -> None:
    reader = Three(made)
    folder = made / "renders" / "models" / reader._lists["test"][0]
    lens = loadmat(folder / "camera_0.mat")["K"]
    np.testing.assert_allclose(lens, [[90, 0, 24], [0, 90, 24], [0, 0, 1]])
    pos = loadmat(folder / "camera_0.mat")["pos"]
    savemat(folder / "camera_0.mat", {"pos": pos, "K": lens * [[2, 1, 1], [1, 2, 1], [1, 1, 1]]})
    savemat(folder / "camera_1.mat", {"pos": pos})
    focals = [float(s.extra["focals"]) for s in reader.samples("test")[:3]]
    assert focals == [3.75, 1.875, 1.875]


def test_a_split_is_of_the_seed_and_whole() -> None:
    models = [f"m{i}" for i in range(100)]
    split = drawn_split(models, 0)
    assert [len(part) for part in split.values()] == [70, 10, 20]
    assert sorted(m for part in split.values() for m in part) == sorted(models)
    assert split != drawn_split(models, 1)


def test_the_command_draws_a_folder_and_says_what_it_left_out(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        box(tmp_path / "meshes", name)
    box(tmp_path / "meshes", "none", "")
    words = ["render", str(tmp_path / "meshes"), "--out", str(tmp_path / "out"), "--name", "boxes"]
    said = CliRunner().invoke(command, [*words, "--views", "2", "--size", "16"])
    assert said.exit_code == 0, said.output
    assert "3 models, 2 views of each" in said.output
    assert "left out: none" in said.output
    assert len(list((tmp_path / "out" / "renders" / "boxes").rglob("render_*.png"))) == 6
    with pytest.raises(InvalidInput, match="is there already"):
        render_meshes({}, tmp_path / "out", Rendering())


# the CC0 cars


def test_the_cars_are_split_by_model() -> None:
    models = [model for part in CARS.values() for model in part]
    assert {part: len(m) for part, m in CARS.items()} == {"train": 10, "validation": 3, "test": 4}
    assert len(set(models)) == 17


def test_the_mask_of_a_view_is_its_alpha(tmp_path: Path) -> None:
    render_meshes(
        {"box": box(tmp_path)},
        tmp_path / "out",
        Rendering(**SMALL),
        splits={"train": [], "validation": [], "test": ["box"]},
    )
    reader = Three(tmp_path / "out")
    for sample in reader.samples("test"):
        alpha = np.asarray(Image.open(sample.path))[..., 3]
        assert 0 < (alpha > 0).mean() < 1
        np.testing.assert_array_equal(reader.mask(sample), alpha)


def test_the_cars_are_meshes_that_can_be_drawn_and_a_lost_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = Path(os.environ.get("BENCH_DATA", "")) / "cars"
    if not os.environ.get("BENCH_DATA") or not kit.is_dir():
        pytest.skip("the car kit is found through BENCH_DATA, which is unset or has none")
    meshes = meshes_in(kit)
    why = {
        name: fault(read_mesh(path), most_faces=1_000_000, most_non_manifold=0.1)
        for name, path in meshes.items()
    }
    assert len(meshes) == 25
    assert {name for name, said in why.items() if said} == {
        n for n in meshes if n.startswith("kart")
    }
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "home"))
    small = Rendering(views=1, size=16, new_vertices=2_000)
    monkeypatch.setattr(Cc0Cars, "drawn", small)
    monkeypatch.setattr(Cc0Cars, "views", 1)
    reader, told = Cc0Cars(kit), []
    reader.progress = lambda done, total: told.append((done, total))
    assert [s.identity for s in reader.samples("test")] == list(CARS["test"])
    assert told == [(done, 17) for done in range(1, 18)]
    monkeypatch.setitem(CARS, "test", ("firetruck", "batmobile"))  # type: ignore[arg-type]
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "another"))
    with pytest.raises(BenchError, match="batmobile"):
        Cc0Cars(kit).samples("test")
    assert not list((tmp_path / "another" / "rendered").glob("cc0*"))


def test_the_corners_of_the_box_are_where_an_independent_camera_sees_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a look-at matrix made from nothing but where the camera stands."""
    kit = tmp_path / "kit"
    (kit / "Models" / "OBJ format").mkdir(parents=True)
    for model in (model for part in CARS.values() for model in part):
        (kit / "Models" / "OBJ format" / f"{model}.obj").write_text(BOX)
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(
        Cc0Cars, "drawn", Rendering(views=3, size=48, new_vertices=2_000, voxel=0.01)
    )
    monkeypatch.setattr(Cc0Cars, "views", 3)
    reader = Cc0CarsCorners(kit)
    for sample in reader.samples("test"):
        number = sample.path.stem.removeprefix("render_")
        camera = loadmat(sample.path.with_name(f"camera_{number}.mat"))
        x, y, z = camera["pos"].ravel()
        stands = np.array([x, z, -y])  # the renderer's z is the object's y
        forward = -stands / np.linalg.norm(stands)
        right = np.cross(forward, [0, 1, 0]) / np.linalg.norm(np.cross(forward, [0, 1, 0]))
        up = np.cross(right, forward)
        corners = corners_of(reader.cloud(sample))
        away = (corners - stands) @ forward
        expected = np.stack(
            [
                48 * (0.5 + 1.875 * ((corners - stands) @ right) / away) - 0.5,
                48 * (0.5 - 1.875 * ((corners - stands) @ up) / away) - 0.5,
            ],
            axis=1,
        )
        np.testing.assert_allclose(sample.points, expected, atol=1e-4)
        rows, columns = np.nonzero(reader.mask(sample))
        (left, top), (far, bottom) = sample.points.min(0), sample.points.max(0)
        assert left - 1 <= columns.min()
        assert columns.max() <= far + 1
        assert top - 1 <= rows.min()
        assert rows.max() <= bottom + 1

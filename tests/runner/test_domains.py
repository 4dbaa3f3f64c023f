"""Images of another domain: opened, granted, part of the fit's identity, recorded, guarded, rendered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests_own_data import PROTOCOL as JOINTS
from tests_own_data import OwnData

from benchmark.contracts.errors import Incompatible
from benchmark.datasets.opening import images_seen
from benchmark.home import builtin_folder
from benchmark.interface.progress import Silent
from benchmark.isolation.proxy import _sent
from benchmark.isolation.worker import _images
from benchmark.protocols import ProtocolInvalid
from benchmark.protocols.files import _read_cached
from benchmark.records.claims import data_faults
from benchmark.records.identity import ids_from_record
from benchmark.registry.protocols import find_protocol
from benchmark.runner.plan import Plan, make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import run
from benchmark.testing.conformance import check_method

QUIET = Silent()

DOMAIN = """
[data.domains]
renders = "shapenet:cars/train"

[data.domain_grants]
renders = ["silhouettes", "views"]

[geometry.shapenet]
crop = "whole"
resize = 64
"""


@pytest.fixture
def cars(floors: Path, tmp_path: Path):
    """Photographs of cars, with renders of others as a domain; both are rendered here."""

    def write(*changes: tuple[str, str]) -> None:
        text = (builtin_folder() / "stanford_cars_masks" / "1.toml").read_text("utf-8")
        renders = 'images = 10, recipe = "car", settings = { views = 1, background = "black" }'
        for old, new in (
            ('id = "stanford_cars_masks"\nversion', 'id = "repainted"\nversion'),
            ("fit = 400\ntrain = 100\ntest = 100", "fit = 8\ntrain = 8\ntest = 8"),
            ("people = 60", "people = 10"),
            ("resize = 128", "resize = 64"),
            ("\n[geometry", f"{DOMAIN}\n[geometry"),
            ("settings = { views = 1 }", f"settings.views = 1\ndomains.renders = {{ {renders} }}"),
            *changes,
        ):  # fmt: skip
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path = tmp_path / "protocols" / "repainted" / "1.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        _read_cached.cache_clear()

    write()
    return write


def planned(method: str = "repaint", protocol: str = "repainted", **more) -> Plan:  # type: ignore[no-untyped-def]
    return make_plan(Request(method, protocol, device="cpu", **more), QUIET)


def test_a_method_sees_both_domains_each_with_its_own_grants(cars) -> None:
    plan = planned(twin=True)
    images, renders = plan.images, plan.images.domains["renders"]
    assert (len(images), images.silhouettes, images.objects) == (8, None, None)
    assert (len(renders), renders.size) == (10, 64)
    assert renders.silhouettes is not None
    assert renders.objects is not None
    assert renders.objects.tolist() == [0, 1, 2, 3, 4, 5, 6, 0, 1, 2]  # 8 but one of validation
    assert (renders.pixels[renders.silhouettes == 0] <= 6).mean() > 0.9  # on black
    assert 0.02 < (renders.silhouettes == 255).mean() < 0.7
    assert set(plan.splits["domains.renders"].labels) == {"silhouettes"}
    shown = {p for split in ("test",) for p in plan.splits[split].identities}
    assert not shown & set(plan.splits["domains.renders"].identities)


def test_a_run_records_the_domain_and_its_identity_is_found_again(cars) -> None:
    plan = planned(twin=True)
    record = run(plan, QUIET).record
    part, fitted = record.data["domains.renders"], record.data["fit"]
    assert (part.split, part.images) == ("twin:domains.renders", 10)
    assert part.pixels == plan.splits["domains.renders"].pixels_digest
    assert fitted.granted == plan.images.digest != fitted.pixels
    assert ids_from_record(record) == (plan.fit_id, plan.run_id)
    assert data_faults(record, plan.protocol) == []
    lacking = record.model_copy(update={"data": {n: record.data[n] for n in ("fit", "test")}})
    assert data_faults(lacking, plan.protocol) == ["it names no images of domains.renders"]
    assert planned(twin=True).fit_id == plan.fit_id


def test_other_images_of_the_domain_make_another_fit_and_none_make_the_old_one(cars) -> None:
    first, plain = planned(twin=True), planned("centre-disc", twin=True)
    cars(("images = 10", "images = 8"))
    fewer = planned(twin=True)
    assert first.fit_id != fewer.fit_id
    assert first.images.digest != fewer.images.digest
    assert plain.splits["fit"].pixels_digest == fewer.splits["fit"].pixels_digest
    cars((DOMAIN, ""), ("domains.renders", "#"))
    bare = planned("centre-disc", twin=True)
    assert bare.images.digest == bare.splits["fit"].pixels_digest
    assert bare.fit_id != plain.fit_id


def test_a_method_that_needs_a_domain_is_refused_where_there_is_none(cars) -> None:
    cars((DOMAIN, ""), ("domains.renders", "#"))
    with pytest.raises(
        Incompatible, match="'repaint' learns from images of renders, which protocol"
    ):
        planned(twin=True)


@pytest.mark.long
def test_it_keeps_the_contract(cars) -> None:
    found = {o.check: (o.state, o.detail) for o in check_method("repaint")}
    assert (
        found.pop("light import")[0] == "failed"
    )  # a fake is registered beside what implements it
    assert {state for state, _ in found.values()} == {"passed"}, found


def test_domains_cross_to_a_process_of_the_methods_own(cars, tmp_path: Path) -> None:
    images = planned(twin=True).images
    again = _images(_sent(images, tmp_path))
    assert again.words() == images.words()
    arrays = images.arrays()
    assert {n.partition("/")[0] for n in arrays} == {"pixels", "renders"}
    for name, array in again.arrays().items():
        np.testing.assert_array_equal(array, arrays[name])


@pytest.mark.parametrize(
    "changes, said",
    [
        ((("domains.renders = {", "domains.photos = {"),), "twin.domains are .'photos'."),
        ((('renders = ["sil', 'drawings = ["sil'),), "'drawings' is no domain"),
        ((('renders = "shapenet', '"a/b" = "shapenet'),), "must be named in small letters"),
        ((('"views"]', '"cameras"]'),), "shape.camera_axes must say"),
        ((('"views"]', '"views", "clips"]'),), "not both"),
        ((("[geometry.shapenet]", "[geometry.elsewhere]"),), "no geometry for data set.* shapenet"),
        ((('recipe = "car", settings = { views = 1', 'recipe = "cart", settings = { views = 1'),),
         "domains.renders: .*did you mean 'car'"),
        ((('"black"', '"blank"'),), "domain renders: twin.settings: .*background"),
        ((("shapenet:cars/train", "shapenet:cars/trains"),), "domains.renders: .*did you mean"),
    ],
)  # fmt: skip
def test_a_domain_that_can_not_be_is_refused_before_any_work(cars, changes, said: str) -> None:
    cars(*changes)
    with pytest.raises(ProtocolInvalid, match=said):
        planned(twin=True)


def test_test_images_in_a_domain_are_refused(own_data: OwnData) -> None:
    domain = 'labels = ["visible"]\ndomains = { others = "joints_again:%s" }'
    geometry = JOINTS[JOINTS.index("[geometry.joints]") : JOINTS.index('[geometry."joints:pool"]')]
    again = geometry.replace("geometry.joints", "geometry.joints_again") + geometry
    own_data.state(('labels = ["visible"]', domain % "test"), (geometry, again))
    with pytest.raises(
        ProtocolInvalid, match=r"images of joints:test are also in joints_again:test"
    ):
        planned("mean-shape", "joints4")
    own_data.state(('labels = ["visible"]', domain % "train"), (geometry, again))
    plan = planned("mean-shape", "joints4")
    others = plan.images.domains["others"]
    assert len(others) == len(plan.splits["train"])
    assert plan.sources["domains.others"] == "joints_again:train"
    assert plan.splits["domains.others"].labels == {}
    with pytest.raises(ProtocolInvalid, match="are also in joints_again:train"):
        planned("mean-shape", "joints4", on="validation")


def test_what_is_seen_without_domains_and_grants_is_the_pixels(floors: Path) -> None:
    plan = planned("grid", "small_faces", twin=True)
    assert plan.images.digest == plan.splits["fit"].pixels_digest
    assert images_seen(find_protocol("small_faces"), plan.splits).domains == {}


def test_both_domains_are_cut_out_where_their_geometry_says_so(cars) -> None:
    cars(
        ('masks = "above_half"', 'masks = "above_half"\nbackground = "cut_out"'),
        ("resize = 64\n\n", 'resize = 64\nmasks = "above_half"\nbackground = "cut_out"\n\n'),
        ('background = "black"', 'background = "clutter", grain = [6.0, 9.0]'),
    )
    plan = planned(twin=True)
    test, renders = plan.splits["test"], plan.images.domains["renders"]
    np.testing.assert_array_equal(test.pixels.any(-1), test.labels["masks"] == 1)
    assert renders.silhouettes is not None
    np.testing.assert_array_equal(renders.pixels.any(-1), renders.silhouettes == 255)

"""Protocol pages say all that the file fixes, and stay what the files say."""

from __future__ import annotations

from importlib import import_module

from tests_fixtures import Call

from benchmark.metrics.catalogue import CATALOGUE, find
from benchmark.pages.protocol_facts import differences, fields, formula, sections
from benchmark.pages.protocol_pages import own_folder, page, pages
from benchmark.protocols import Protocol, ReportedValue
from benchmark.registry.protocols import all_protocols, find_protocol


def test_every_metric_of_a_protocol_is_explained() -> None:
    used = {metric.measured for protocol in all_protocols() for metric in protocol.metrics}
    assert len(used) > 30
    assert [name for name in sorted(used) if find(name) is None] == []


def test_a_variant_says_how_it_differs_from_its_measure() -> None:
    said = {
        metric.id: formula(metric)
        for name in ("celeba_aligned", "mafl_scale", "taichi")
        for metric in find_protocol(name).metrics
    }
    assert said["nme_iod_imm"].endswith("per image, read with linear/imm")
    assert said["nme_iod_true"].endswith("per image, points stretched by 178 × 218")
    assert said["nme_iod_unseen"].endswith("per image, at zooms unseen in training")
    assert "stretched by 2 × 2" in said["keypoint_l1_sum"]


def test_the_catalogue_names_functions_that_are_there() -> None:
    for name, about in CATALOGUE.items():
        module, _, function = about.function.partition(":")
        assert callable(getattr(import_module(f"benchmark.metrics.{module}"), function)), name


def test_the_pages_in_the_repository_are_current() -> None:
    for path, text in pages(all_protocols(), own_folder()).items():
        assert path.read_text("utf-8") == text, f"run `bench protocol page`: {path.name} is old"


def test_a_page_names_every_constant_of_its_probe() -> None:
    text = page(find_protocol("ytf5@1"))
    for said in (
        "`descriptors.epochs`",
        "`20`",
        "people/test",
        "857",
        "`points_square`",
        "nme_iod",
    ):
        assert said in text
    assert find_protocol("ytf5@1").digest() in text


def test_page_show_and_board_say_the_same_constants(bench: Call) -> None:
    protocol = find_protocol("ytf5@1")
    stated = dict(fields(sections(protocol)))
    assert stated["probes.descriptors.epochs"] == 20
    assert stated["geometry.ytf68.crop"] == "points_square"
    assert stated["twin.people"] == 250
    text, shown = page(protocol), bench("show", "protocol", "ytf5@1").out
    for name, value in stated.items():
        if name.partition(".")[0] in ("geometry", "landmarks", "probes", "twin"):
            assert f"`{name.partition('.')[2]}`" in text
            assert f"`{value}`" in text
            assert name.rpartition(".")[2] in shown


def changed() -> tuple[Protocol, Protocol]:
    one = find_protocol("ytf5@1")
    geometry = {"ytf68": one.geometry["ytf68"].model_copy(update={"scale": 1.4})}
    said = ReportedValue(method="x", metric="nme_iod", value=3.5, source="table 1")
    two = one.model_copy(
        update={"version": 2, "geometry": geometry, "reported": (said,), "supersedes": "tighter"}
    )
    return one, two


def test_differences_tell_what_counts_from_words() -> None:
    found = {key: (old, new, counts) for key, old, new, counts in differences(*changed())}
    assert found["geometry.ytf68.scale"] == (1.5, 1.4, True)
    assert found["supersedes"] == ("", "tighter", False)
    assert found["reported.0.value"] == (None, 3.5, False)
    assert "version" not in found


def test_the_history_of_a_page_says_what_changed() -> None:
    one, two = changed()
    text = page(two, [two, one])
    assert "ytf5@1 → ytf5@2: tighter" in text
    assert "- `geometry.ytf68.scale`: `1.5` → `1.4`" in text
    assert "| x" in text


def test_diff_of_a_version_with_itself_and_with_another(bench: Call) -> None:
    assert "nothing that counts differs" in bench("protocol", "diff", "ytf5@1", "ytf5@1").out
    said = bench("protocol", "diff", "ytf5", "ytf68", "--json")
    fields = {row["field"]: row["counts"] for row in said.json["changed"]}
    assert fields["landmarks.count"] is True
    assert fields["title"] is False
    assert bench("protocol", "diff", "ytf5", "ytf6").code == 2

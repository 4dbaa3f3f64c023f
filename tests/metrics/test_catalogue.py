"""One table of measures: found by name, by pattern, and by what a protocol's own id measures."""

from __future__ import annotations

import math

import pytest

from benchmark.metrics.catalogue import CATALOGUE, bounds, find, outdated, version
from benchmark.protocols import Metric
from benchmark.registry.protocols import all_protocols, find_protocol


@pytest.mark.parametrize(
    "name, of",
    [
        ("fid/legacy_tensorflow", "fid"),
        ("fd_squeezenet", "fd_*"),
        ("ppl_zfull/random-conv", "ppl_*"),
        ("als_released", "als_released"),
        ("als_sum_normalised", "als_*"),
    ],
)
def test_variants_of_networks_and_walks_are_found_by_pattern(name: str, of: str) -> None:
    assert find(name) is CATALOGUE[of]


@pytest.mark.parametrize("name", ["nme_iod_30", "nme_iod/x", "fidelity", ""])
def test_a_name_that_is_none_of_them_is_unknown(name: str) -> None:
    assert find(name) is None
    assert version(name) == 1
    assert bounds(name) == (-math.inf, math.inf)


def test_a_protocols_own_id_has_the_version_and_the_least_value_of_its_measure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = Metric(id="nme_torso", unit="%", better="lower", measure="nme_iod")
    protocol = find_protocol("ytf5").model_copy(update={"metrics": (own,)})
    assert protocol.measures == {"nme_torso": "nme_iod"}
    assert bounds(own.measured) == (0, math.inf)
    assert outdated({"nme_torso": 1}, protocol.measures) == {}
    monkeypatch.setitem(CATALOGUE, "nme_iod", CATALOGUE["nme_iod"]._replace(version=2))
    assert version(own.measured) == 2
    assert outdated({"nme_torso": 1}, protocol.measures) == {"nme_torso": (1, 2)}


@pytest.mark.parametrize("name", ["foreground_iou", "part_nmi", "pck", "recall/random-conv"])
def test_a_share_ends_at_the_whole(name: str) -> None:
    assert bounds(name) == (0, 100)


@pytest.mark.parametrize("name", ["density", "mask_disagreement", "nme_iod", "fid", "chamfer"])
def test_what_has_no_greatest_value_has_no_end(name: str) -> None:
    assert bounds(name)[1] == math.inf


def test_every_share_that_is_better_when_higher_has_an_end() -> None:
    open_ended = {n for n, m in CATALOGUE.items() if m.better == "higher" and m.most == math.inf}
    assert open_ended == {"density", "density/*"}


def test_what_protocols_say_of_a_metric_is_what_the_table_says() -> None:
    for protocol in all_protocols():
        for twin in (False, True):
            for metric in protocol.scored(twin=twin).metrics:
                measure = find(metric.measured)
                assert measure is not None, metric.id
                assert metric.better == measure.better
                assert metric.aggregate in measure.aggregates

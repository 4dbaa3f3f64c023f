"""A setting that is refused is told by its value, what was expected and the default."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import Field, field_validator
from tests_fake_methods import Grid
from tests_fixtures import Call

from benchmark.contracts import MethodSettings
from benchmark.settings import SettingsInvalid, validated


class Settings(MethodSettings):
    prototypes: int = Field(8, ge=1, description="how many there are")
    mode: Literal["a", "b"] = "a"
    sizes: tuple[int, ...] = (1, 2)
    odd: int = 3

    @field_validator("odd")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("should be odd")
        return value


@pytest.mark.parametrize(
    "given, said",
    [
        ({"prototypes": "many"}, "prototypes is 'many', expected int (default 8)"),
        ({"prototypes": 1.5}, "prototypes is 1.5, expected int (default 8)"),
        ({"prototypes": 0}, "prototypes is 0, should be greater than or equal to 1 (default 8)"),
        ({"mode": "c"}, "mode is 'c', should be 'a' or 'b' (default 'a')"),
        ({"sizes": 3}, "sizes is 3, expected tuple[int, ...] (default (1, 2))"),
        ({"odd": 4}, "odd is 4, should be odd (default 3)"),
        ({"sizes": [None]}, "sizes.0: Input should be a valid integer"),
    ],
)  # fmt: skip
def test_a_wrong_value(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        validated("mine", Settings, given)
    assert caught.value.message == f"settings of method 'mine': {said}"
    assert caught.value.cure == ""


def test_a_required_setting_that_is_absent() -> None:
    class Needs(MethodSettings):
        depth: int

    with pytest.raises(SettingsInvalid, match="depth: Field required"):
        validated("mine", Needs, {})


def test_the_settings_are_listed_where_one_is_unknown() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        validated("mine", Settings, {"prototype": 3, "odd": 4})
    assert "there is no setting 'prototype'" in caught.value.message
    assert "odd is 4" in caught.value.message
    assert caught.value.cure == (
        "did you mean 'prototypes'? its settings are: mode, odd, prototypes, sizes"
    )


def test_what_is_right_is_taken() -> None:
    assert validated("mine", Settings, {"prototypes": "9"}).model_dump()["prototypes"] == 9


def test_descriptions_are_shown(bench: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Grid, "Settings", Settings)
    lines = bench("show", "method", "grid").out.splitlines()
    assert "  prototypes = 8  (int)  how many there are" in lines
    assert "  odd = 3  (int)" in lines
    shown = bench("show", "method", "grid", "--json").json["settings"]["prototypes"]
    assert shown == {"default": 8, "type": "int", "description": "how many there are"}

"""A setting that is refused is told by its value, what was expected and the default."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given, strategies
from pydantic import Field, field_validator, model_validator
from tests_fake_methods import Grid
from tests_fixtures import Call

from benchmark.contracts import MethodSettings
from benchmark.registry.implementations import implementation
from benchmark.registry.plugins import plugins
from benchmark.settings import (
    SettingsInvalid,
    as_taken,
    from_words,
    parse,
    settings_words,
    validated,
    word,
)

SHOW = "`bench show method mine` says what its settings mean"


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
        ({"sizes": [None]}, "sizes.0: should be a valid integer"),
    ],
)  # fmt: skip
def test_a_wrong_value(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        validated("mine", Settings, given)
    assert caught.value.message == f"settings of method 'mine': {said}"
    assert caught.value.cure == SHOW


def test_values_that_do_not_go_together() -> None:
    class Pair(MethodSettings):
        low: int = 0
        high: int = 1

        @model_validator(mode="after")
        def _ordered(self) -> Pair:
            if self.low > self.high:
                raise ValueError("low lies above high")
            return self

    with pytest.raises(SettingsInvalid) as caught:
        validated("mine", Pair, {"low": 2})
    assert caught.value.message == "settings of method 'mine': low lies above high"


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
    (line,) = (line for line in lines if line.startswith("prototypes "))
    assert line.split()[1:4] == ["8", "whole", "number"]
    assert line.endswith("how many there are")
    (line,) = (line for line in lines if line.startswith("odd "))
    assert line.split() == ["odd", "3", "whole", "number"]
    shown = bench("show", "method", "grid", "--json").json["settings"]["prototypes"]
    assert shown == {"default": 8, "type": "int", "description": "how many there are"}


@pytest.mark.parametrize(
    "words, settings",
    [
        (["a=1", "b=1.5", "c=true"], {"a": 1, "b": 1.5, "c": True}),
        (["a.b.c=1", "a.b.d=2", "a.e=3"], {"a": {"b": {"c": 1, "d": 2}, "e": 3}}),
        (["reduction=none", "dimension= none "], {"reduction": None, "dimension": None}),
        (['reduction="none"', "of=None"], {"reduction": "none", "of": "None"}),
        (['name="two words"'], {"name": "two words"}),
        (["sizes=[1, 2]"], {"sizes": [1, 2]}),
        (["table={x = 1}"], {"table": {"x": 1}}),
        (["rate=1e-4"], {"rate": 0.0001}),
        (["url=a=b"], {"url": "a=b"}),
        (["a=1", "a=2"], {"a": 2}),
        (["empty="], {"empty": ""}),
        (["a=1\nb=2"], {"a": "1\nb=2"}),
    ],
)
def test_words_are_toml_values_under_dotted_names(words: list[str], settings: dict) -> None:
    assert from_words(words) == settings


@pytest.mark.parametrize(
    "words, said",
    [
        (["points"], "'points' is not key=value"),
        (["=9"], "is not key=value"),
        ([" =9"], "is not key=value"),
        (["a..b=1"], "is not key=value"),
        (["a=1", "a.b=2"], "a was given a value before"),
        (["settings={reduction=pca}"], "what follows settings= is no TOML value"),
        (["sizes=[1, two]"], "what follows sizes= is no TOML value"),
        (['name="half'], "what follows name= is no TOML value"),
    ],
)
def test_a_word_that_is_no_setting_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        from_words(words)
    assert said in caught.value.message


VALUES = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats(allow_nan=False)
    | strategies.text(),
    lambda inner: (
        strategies.lists(inner, max_size=3)
        | strategies.dictionaries(strategies.text(min_size=1), inner, max_size=3)
    ),
    max_leaves=4,
)


def holds_none(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(i is None or holds_none(i) for i in inner)


@given(VALUES.filter(lambda value: not holds_none(value)))
def test_what_is_written_is_read_as_it_was(value: Any) -> None:
    assert parse(word("a.b", value)) == ("a.b", value)


def test_all_settings_as_words_are_the_same_settings() -> None:
    settings = {"a": {"b": None, "c": {"d": "none"}}, "e": [{"f": 1}], "g": True, "h": {"x y": 1}}
    words = ["a.b=none", 'a.c.d="none"', "e=[{f = 1}]", "g=true", 'h={"x y" = 1}']
    assert settings_words(settings) == words
    assert from_words(words) == settings


class Optional(MethodSettings):
    dimension: int | None = 144
    reduction: Literal["none", "pca"] = "pca"
    inner: Settings = Settings()
    name: str | None = "x"


def test_none_is_no_value_or_the_word_where_the_setting_has_it() -> None:
    given = from_words(["dimension=none", "reduction=none", "name=none"])
    settings = validated("mine", Optional, given).model_dump(mode="json")
    assert (settings["dimension"], settings["reduction"], settings["name"]) == (None, "none", None)
    assert as_taken(given, settings) == {"dimension": None, "reduction": "none", "name": None}
    quoted = validated("mine", Optional, from_words(['name="none"']))
    assert quoted.model_dump()["name"] == "none"


@pytest.mark.parametrize(
    "words, said, cure",
    [
        ("inner.mode=none", "inner.mode: should be 'a' or 'b'", SHOW),
        ("inner.odd=none", "inner.odd: should be a valid integer", SHOW),
        ("dimension=None", "dimension is 'None', expected int | None (default 144)",
         "the word for no value is none"),
    ],
)  # fmt: skip
def test_none_where_there_is_no_such_value_is_refused_as_it_was_given(
    words: str, said: str, cure: str
) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        validated("mine", Optional, from_words([words]))
    assert caught.value.message == f"settings of method 'mine': {said}"
    assert caught.value.cure == cure


def test_every_setting_of_this_repositorys_methods_says_what_it_means() -> None:
    bare = [
        f"{spec.id} {name}"
        for spec in plugins().methods.values()
        for name, field in implementation(spec).Settings.model_fields.items()
        if not field.description
    ]
    assert bare == []

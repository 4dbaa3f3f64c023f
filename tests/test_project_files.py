"""What a stranger looks for at the top of a repository: licence, citation, forms for issues."""

from __future__ import annotations

import tomllib

import pytest
import yaml
from tests_fixtures import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def test_the_licence_is_the_one_that_the_project_names() -> None:
    assert PROJECT["license"]["text"] == "Apache-2.0"
    text = " ".join((ROOT / "LICENSE").read_text("utf-8").split())
    assert text.startswith("Apache License Version 2.0, January 2004")
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_citation_is_of_this_project_and_version() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= cited.keys()
    assert str(cited["version"]) == PROJECT["version"]
    assert cited["license"] == PROJECT["license"]["text"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_has_a_name_and_fields_of_ids_of_their_own(path) -> None:
    form = yaml.safe_load(path.read_text("utf-8"))
    if path.stem == "config":
        assert form.keys() <= {"blank_issues_enabled", "contact_links"}
        return
    assert {"name", "description", "body"} <= form.keys()
    ids = [field["id"] for field in form["body"]]
    assert len(ids) == len(set(ids)) > 1
    assert all(field["attributes"]["label"] for field in form["body"])


def test_there_is_a_form_for_numbers_faults_and_additions() -> None:
    assert [path.stem for path in FORMS] == ["add", "config", "does-not-work", "wrong-number"]


def test_the_readme_names_every_protocol_that_has_records_on_real_data() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    boards = {path.parents[2].name for path in (ROOT / "leaderboards").glob("*/[0-9]*/*/*.json")}
    assert {name for name in boards if f"`{name}`" not in text} == set()

"""The catalogue is refused for every defect that would put a wrong or unnamed figure on a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from extracts.synthetic.panels import TITLES
from transforms import catalogue

if TYPE_CHECKING:
    from pathlib import Path

COUNT = {
    "id": "rape_charges_crimes",
    "title": "Rape charged (crimes)",
    "shape": "count",
    "unit": "crimes",
    "numerator": "Crimes of rape charged",
    "denominator": None,
    "period_placed_by": "quarter in which the investigation was closed",
    "direction": "more_is_better",
    "recorded_since": None,
    "source": "home_office_outcomes",
    "caveat": "Counts crimes.",
    "since_version": "0.1.0",
    "minimum_denominator": None,
    "is_headline": True,
    "theme": "Charges",
    "sort_order": 10,
    "mart": "outcomes",
}
RATIO = COUNT | {
    "id": "rape_charge_share_crimes",
    "title": "Rape charged, share of crimes closed",
    "shape": "ratio",
    "denominator": "Crimes of rape closed",
    "minimum_denominator": 20,
    "sort_order": 20,
}


def load(folder: Path, *entries: object, models: Path | None = None) -> tuple[catalogue.Measure, ...]:
    file = folder / "measures.yaml"
    file.write_text(yaml.safe_dump(list(entries)), encoding="utf-8")
    return catalogue.load(file, models)


def test_the_catalogue_of_the_project_is_sound() -> None:
    measures = catalogue.load()
    assert len({measure.model for measure in measures}) == 96
    assert len(measures) == 96 + 2 * sum(measure.quantile == 0.5 for measure in measures)
    for mart in catalogue.MARTS:
        orders = [measure.sort_order for measure in measures if measure.mart == mart]
        assert orders == sorted(orders)


def test_a_count_and_a_ratio_are_read_as_written(tmp_path: Path) -> None:
    count, ratio = load(tmp_path, COUNT, RATIO)
    assert (count.shape, count.minimum_denominator) == ("count", None)
    assert (ratio.shape, ratio.minimum_denominator) == ("ratio", 20)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"id": "Rape charges crimes"}, "id must be lower case words"),
        ({"mart": "elsewhere"}, "mart must be one of"),
        ({"horizon_months": 12}, "horizon_months are above zero, for a ratio"),
        ({"also_from": None}, "also_from must be str"),
        ({"model": "another"}, "has unknown model"),
        ({"title": "Rape charged"}, "title must name the unit"),
        ({"shape": "rate"}, "shape must be one of"),
        ({"unit": "people"}, "unit must be one of"),
        ({"direction": "up"}, "direction must be one of"),
        ({"denominator": "Crimes"}, "a ratio has a denominator and a count has none"),
        ({"minimum_denominator": 20}, "a ratio has a minimum_denominator and a count has none"),
        ({"caveat": " "}, "texts must not be empty"),
        ({"caveat": None}, "caveat must be str"),
        ({"is_headline": "yes"}, "is_headline must be bool"),
        ({"sort_order": True}, "sort_order must be int"),
        ({"sort_order": "10"}, "sort_order must be int"),
        ({"recorded_since": "2014"}, "recorded_since must be date"),
        ({"colour": "red"}, "has unknown colour"),
    ],
)
def test_a_defective_entry_is_refused(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(catalogue.CatalogueError, match=complaint):
        load(tmp_path, COUNT | change)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"denominator": None}, "a ratio has a denominator"),
        ({"minimum_denominator": None}, "a ratio has a minimum_denominator"),
        ({"minimum_denominator": 0}, "minimum_denominator must be above zero"),
    ],
)
def test_a_ratio_without_its_denominator_is_refused(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(catalogue.CatalogueError, match=complaint):
        load(tmp_path, RATIO | change)


DURATION = COUNT | {
    "id": "receipt_to_decision_days",
    "title": "Days from receipt to decision, median (crimes)",
    "shape": "duration",
    "minimum_denominator": 10,
}


def test_a_duration_has_its_quartiles_as_measures_of_their_own(tmp_path: Path) -> None:
    median, lower, upper = load(tmp_path, DURATION)
    assert [one.id for one in (median, lower, upper)] == [
        "receipt_to_decision_days",
        "receipt_to_decision_days_lower_quartile",
        "receipt_to_decision_days_upper_quartile",
    ]
    assert [one.quantile for one in (median, lower, upper)] == [0.5, 0.25, 0.75]
    assert lower.title == "Days from receipt to decision, lower quartile (crimes)"
    assert {one.model for one in (median, lower, upper)} == {"receipt_to_decision_days"}
    assert [one.minimum_denominator for one in (median, lower, upper)] == [10, 40, 40]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"title": "Days from receipt to decision (crimes)"}, "must say ', median'"),
        ({"minimum_denominator": None}, "a ratio has a minimum_denominator"),
        ({"denominator": "Crimes"}, "a ratio has a denominator and a count has none"),
        ({"horizon_months": 12}, "horizon_months are above zero, for a ratio"),
    ],
)
def test_a_defective_duration_is_refused(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(catalogue.CatalogueError, match=complaint):
        load(tmp_path, DURATION | change)


@pytest.mark.parametrize("key", sorted(COUNT))
def test_an_entry_lacking_a_key_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(catalogue.CatalogueError, match=f"lacks {key}"):
        load(tmp_path, {name: value for name, value in COUNT.items() if name != key})


@pytest.mark.parametrize("key", ["id", "title", "sort_order"])
def test_two_entries_may_not_share_what_tells_them_apart(tmp_path: Path, key: str) -> None:
    with pytest.raises(catalogue.CatalogueError, match=f"{key} stands more than once"):
        load(tmp_path, COUNT, RATIO | {key: COUNT[key], "title": COUNT["title"] if key == "title" else RATIO["title"]})


@pytest.mark.parametrize("content", ["", "[]", "measure: x", "- just words"])
def test_a_file_that_is_no_list_of_measures_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "measures.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(catalogue.CatalogueError):
        catalogue.load(file, None)


def test_a_measure_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(catalogue.CatalogueError, match=r"no model .* rape_charges_crimes"):
        load(tmp_path, COUNT, models=tmp_path)


def test_a_model_without_a_measure_is_refused(tmp_path: Path) -> None:
    for name in ("rape_charges_crimes", "forgotten_crimes"):
        (tmp_path / f"measure__{name}.sql").touch()
    with pytest.raises(catalogue.CatalogueError, match="without an entry in the catalogue: forgotten_crimes"):
        load(tmp_path, COUNT, models=tmp_path)


def test_every_measure_has_a_unit_test_beside_it() -> None:
    for model in {measure.model for measure in catalogue.load()}:
        (path,) = catalogue.MODELS_FOLDER.rglob(f"measure__{model}.yml")
        beside = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert [test["model"] for test in beside["unit_tests"]] == [f"measure__{model}"]


@pytest.mark.parametrize("mart", [mart for mart in catalogue.MARTS if mart != "official_statistics"])
def test_the_mart_of_a_theme_has_a_column_for_each_of_its_measures(mart: str) -> None:
    sql = (catalogue.ROOM / "models" / "marts" / f"mart_{mart}.sql").read_text(encoding="utf-8")
    described = yaml.safe_load((catalogue.ROOM / "models" / "marts" / "marts_by_theme.yml").read_text(encoding="utf-8"))
    columns = next(model["columns"] for model in described["models"] if model["name"] == f"mart_{mart}")
    wanted = [measure.id for measure in catalogue.load() if measure.mart == mart]
    assert re.findall(r"'(\w+)'", sql) == wanted
    assert [column["name"] for column in columns][6:] == wanted


def test_synthetic_actions_name_measures_that_exist() -> None:
    assert {measure_id for _, measure_id in TITLES} <= {measure.id for measure in catalogue.load()}

"""The measure catalogue: ``measures.yaml``, read and checked.

Belongs here: what a catalogue entry must look like. Does not belong here: how a measure is counted (its dbt model) and
where the catalogue is written to (``transforms.build``).
"""

from __future__ import annotations

import re
from dataclasses import MISSING, dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

ROOM = Path(__file__).parent
CATALOGUE_FILE = ROOM / "measures.yaml"
MODELS_FOLDER = ROOM / "models" / "measures"

# count: so many. ratio: numerator of denominator, in per cent. average: numerator per denominator. stock: a ratio of
# what is there at the end of a period. duration: days, of which the median and the quartiles are measures of their own.
SHAPES = ("count", "ratio", "average", "stock", "duration")
DIRECTIONS = ("more_is_better", "less_is_better", "neither")
UNITS = (
    "crimes", "suspects", "defendants", "cases", "submissions", "reviews", "failures", "items", "sampled items",
    "sampled requests", "meetings", "actions",
)  # fmt: skip
MARTS = ("official_statistics", "referral_quality", "outcomes", "timeliness", "attrition", "linkage", "joint_practice")
# The quartiles of a duration: ending of the id and the title, which part of the values lies below, and from how many
# values on it says something.
QUARTILES = (
    ("_lower_quartile", ", lower quartile", 0.25, 40),
    ("_upper_quartile", ", upper quartile", 0.75, 40),
)

_NOT_WRITTEN = ("model", "quantile")  # follow from the entry
_ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "date | None": (date, type(None)),
    "int": (int,),
    "int | None": (int, type(None)),
    "float | None": (float, type(None)),
    "bool": (bool,),
}


class CatalogueError(ValueError):
    """The catalogue cannot be used; the message names the entry and what to mend."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One published figure, in words.

    ``source`` is the kind of extract that places it in a period and an area; ``also_from`` names the others that it
    needs, separated by ``|``. ``denominator`` and ``minimum_denominator`` (counting units) are None for a count; the
    least number of a duration is that of its units. Before ``recorded_since`` the measure is not applicable. A cohort
    is followed for ``horizon_months`` and not shown before they have passed. ``breakdown`` is the dimension of its
    parts. ``model`` is the dbt model, which the quartiles share with their median; ``quantile`` is the share of the
    values that lie below the one shown.
    """

    id: str
    title: str
    shape: str
    unit: str
    numerator: str
    denominator: str | None
    period_placed_by: str
    direction: str
    recorded_since: date | None
    source: str
    caveat: str
    since_version: str
    minimum_denominator: int | None
    is_headline: bool
    theme: str
    sort_order: int
    mart: str
    also_from: str = ""
    horizon_months: int | None = None
    breakdown: str = ""
    model: str = ""
    quantile: float | None = None

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise CatalogueError(f"measure {self.id!r}: {problem}")


def load(path: Path = CATALOGUE_FILE, models: Path | None = MODELS_FOLDER) -> tuple[Measure, ...]:
    """Read and check the catalogue, in the order of the file.

    Args:
        path: the YAML file.
        models: folder of the ``measure__<id>.sql`` models that must match it, or None to leave that out.

    Raises:
        CatalogueError: an entry is not as it must be, two entries clash, or entries and models differ.
    """
    entries = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    if not isinstance(entries, list) or not entries:
        raise CatalogueError(f"{path.name}: must be a list of measures with at least one entry")
    written = [_measure(position, entry) for position, entry in enumerate(entries, start=1)]
    measures = tuple(measure for entry in written for measure in _with_quartiles(entry))
    _refuse_repeated("id", [measure.id for measure in measures])
    _refuse_repeated("title", [measure.title for measure in measures])
    _refuse_repeated("sort_order", [measure.sort_order for measure in measures])
    if models is not None:
        _match_models({measure.model for measure in measures}, models)
    return measures


def _with_quartiles(median: Measure) -> list[Measure]:
    """A duration as three measures: the median as it is written, and both quartiles; any other measure alone."""
    if median.shape != "duration":
        return [median]
    return [median] + [
        replace(
            median,
            id=f"{median.id}{ending}",
            title=median.title.replace(", median", f"{words}", 1),
            sort_order=median.sort_order + number,
            is_headline=False,
            quantile=quantile,
            minimum_denominator=least,
        )
        for number, (ending, words, quantile, least) in enumerate(QUARTILES, start=1)
    ]


def _measure(position: int, entry: object) -> Measure:
    if not isinstance(entry, dict):
        raise CatalogueError(f"entry {position}: must be a mapping")
    name = entry.get("id", f"entry {position}")
    wanted = {field.name: str(field.type) for field in fields(Measure) if field.name not in _NOT_WRITTEN}
    needed = {field.name for field in fields(Measure) if field.default is MISSING}
    if missing := needed - entry.keys():
        raise CatalogueError(f"measure {name!r}: lacks {', '.join(sorted(missing))}")
    if unknown := entry.keys() - wanted.keys():
        raise CatalogueError(f"measure {name!r}: has unknown {', '.join(sorted(map(str, unknown)))}")
    for key in wanted.keys() & entry.keys():
        if not _is_of_type(entry[key], wanted[key]):
            raise CatalogueError(f"measure {name!r}: {key} must be {wanted[key]}")
    return Measure(**entry, model=str(name), quantile=0.5 if entry["shape"] == "duration" else None)


def _is_of_type(value: Any, type_name: str) -> bool:  # noqa: ANN401  whatever YAML holds
    if isinstance(value, bool):  # True is an int in Python, not in the catalogue
        return type_name == "bool"
    return isinstance(value, _TYPES[type_name])


def _problems(measure: Measure) -> list[str]:
    has_denominator = measure.shape in ("ratio", "average", "stock")
    has_minimum = measure.shape != "count"
    minimum, horizon = measure.minimum_denominator, measure.horizon_months
    rules = (
        (_ID.fullmatch(measure.id) is not None, "id must be lower case words joined by underscores"),
        (measure.shape in SHAPES, f"shape must be one of {', '.join(SHAPES)}"),
        (measure.unit in UNITS, f"unit must be one of {', '.join(UNITS)}"),
        (measure.unit in measure.title.lower(), "title must name the unit"),
        (measure.direction in DIRECTIONS, f"direction must be one of {', '.join(DIRECTIONS)}"),
        (measure.mart in MARTS, f"mart must be one of {', '.join(MARTS)}"),
        (has_denominator == (measure.denominator is not None), "a ratio has a denominator and a count has none"),
        (has_minimum == (minimum is not None), "a ratio has a minimum_denominator and a count has none"),
        (minimum is None or minimum > 0, "minimum_denominator must be above zero"),
        (horizon is None or (horizon > 0 and measure.shape == "ratio"), "horizon_months are above zero, for a ratio"),
        (
            measure.quantile in (None, 0.25, 0.75) or ", median" in measure.title,
            "the title of a duration must say ', median'",
        ),
        (_all_words(measure), "texts must not be empty"),
    )
    return [problem for holds, problem in rules if not holds]


def _all_words(measure: Measure) -> bool:
    texts = (getattr(measure, field.name) for field in fields(measure) if field.default is MISSING)
    return all(text.strip() for text in texts if isinstance(text, str))


def _refuse_repeated(key: str, values: list[Any]) -> None:
    if repeated := sorted({value for value in values if values.count(value) > 1}):
        raise CatalogueError(f"{key} stands more than once: {', '.join(map(str, repeated))}")


def _match_models(ids: set[str], models: Path) -> None:
    modelled = {path.stem.removeprefix("measure__") for path in models.rglob("measure__*.sql")}
    if without_model := sorted(ids - modelled):
        raise CatalogueError(f"no model measure__<id>.sql for: {', '.join(without_model)}")
    if without_entry := sorted(modelled - ids):
        raise CatalogueError(f"models without an entry in the catalogue: {', '.join(without_entry)}")

"""Downloads of an edition: the rows behind each page as CSV, and their description as CSV on the web (CSVW).

Belongs here: writing an edition's rows out again so that no spreadsheet runs them, and saying what the columns mean.
Does not belong here: choosing figures.

Source of the format: W3C, *Metadata Vocabulary for Tabular Data* (2015).
"""

from __future__ import annotations

import csv
import io
import json
import posixpath
from typing import TYPE_CHECKING, Any

from scorecards import paths, words
from scorecards.edition import COLUMNS, GRAINS, LEVELS, STATUSES, Edition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scorecards.edition import Release

SCHEMA = "data/measure_values.schema.json"
# What a spreadsheet takes for the beginning of a formula, in its plain and its full-width form.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

_TEXT_COLUMNS = tuple(
    COLUMNS.index(name) for name in ("measure_id", "area_code", "area_name", "breakdown", "unit", "release_id")
)
_NUMBER = "number"
_DESCRIPTIONS: dict[str, tuple[str, Any]] = {
    "measure_id": ("Identifier of the measure; the method page defines it.", "string"),
    "area_level": ("Level of the area.", {"base": "string", "format": "|".join(LEVELS)}),
    "area_code": ("Code of the area within its level.", "string"),
    "area_name": ("Name of the area.", "string"),
    "breakdown": ("Empty for the measure itself, else dimension=value.", "string"),
    "period_grain": ("Length of the period.", {"base": "string", "format": "|".join(GRAINS)}),
    "period_start": ("First day of the period.", {"base": "date", "format": "yyyy-MM-dd"}),
    "period_end": ("Last day of the period.", {"base": "date", "format": "yyyy-MM-dd"}),
    "unit": ("What is counted.", "string"),
    "numerator": ("Count, or number above the line of a rate.", _NUMBER),
    "denominator": ("Number below the line of a rate, or of what took the days; empty for a count.", _NUMBER),
    "value": (
        "The figure: a count, a rate in per cent from 0 to 100, an average, or days. Empty is never zero.",
        _NUMBER,
    ),
    "lower": ("Lower end of the 95% Wilson interval of a rate, in per cent.", _NUMBER),
    "upper": ("Upper end of the 95% Wilson interval of a rate, in per cent.", _NUMBER),
    "value_status": ("Why a value is there, in part or not at all.", {"base": "string", "format": "|".join(STATUSES)}),
    "received_share": ("Share of what is due that was received, from 0 to 1.", _NUMBER),
    "baseline_value": ("Value of the baseline period.", _NUMBER),
    "change_pct": ("Change since the baseline in per cent, for counts, averages and days.", _NUMBER),
    "change_points": ("Change since the baseline in percentage points, for rates.", _NUMBER),
    "release_id": ("Release that the row was published in.", "string"),
}


def downloads(edition: Edition) -> Iterator[tuple[str, str]]:
    """Path and text of every download that belongs to one page, and of the descriptions of all of them."""
    yield SCHEMA, _json(_schema())
    yield paths.metadata_path(paths.VALUES), _json(_metadata(paths.VALUES, "all areas and measures", edition.release))
    for area in edition.areas.values():
        by_measure = edition.values.get(area.key, {})
        rows = [value.cells for measure_id in edition.measures for value in by_measure.get(measure_id, ())]
        yield from _with_metadata(paths.download_path(area), rows, area.name, edition.release)
    for measure in edition.measures.values():
        rows = [
            value.cells for key in edition.areas for value in edition.values.get(key, {}).get(measure.measure_id, ())
        ]
        yield from _with_metadata(paths.download_path(measure), rows, measure.title, edition.release)


def guarded(cell: str) -> str:
    """A text cell that a spreadsheet shows and does not run: an apostrophe goes before what looks like a formula."""
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA_STARTS) else cell


def _with_metadata(
    path: str, rows: Sequence[tuple[str, ...]], what: str, release: Release
) -> Iterator[tuple[str, str]]:
    yield path, _csv(rows)
    yield paths.metadata_path(path), _json(_metadata(path, what, release))


def _csv(rows: Iterable[tuple[str, ...]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_guarded_row(row) for row in rows)
    return text.getvalue()


def _guarded_row(row: tuple[str, ...]) -> Sequence[str]:
    cells = list(row)
    for index in _TEXT_COLUMNS:
        cells[index] = guarded(cells[index])
    return cells


def _metadata(path: str, what: str, release: Release) -> dict[str, Any]:
    marking = words.marking(release)
    notes = [f"{marking}."]
    if release.is_synthetic:
        notes.insert(0, words.SYNTHETIC)
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": posixpath.basename(path),
        "dc:title": f"Measure values: {what}",
        "dc:description": " ".join(notes),
        "dc:identifier": release.release_id,
        "dc:issued": release.published_at.isoformat(),
        "dialect": {"encoding": "utf-8", "header": True, "delimiter": ",", "lineTerminators": ["\n"]},
        "tableSchema": _schema() if path == paths.VALUES else paths.link(path, SCHEMA),
    }


def _schema() -> dict[str, Any]:
    keys = ("measure_id", "area_level", "area_code", "breakdown", "period_grain", "period_start", "period_end")
    return {
        "columns": [
            {"name": name, "titles": name, "dc:description": _DESCRIPTIONS[name][0], "datatype": _DESCRIPTIONS[name][1]}
            | {"null": "", "required": name in keys and name != "breakdown"}
            for name in COLUMNS
        ],
        "primaryKey": list(keys),
    }


def _json(record: dict[str, Any]) -> str:
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"

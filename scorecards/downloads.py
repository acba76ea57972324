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
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from scorecards import paths, words
from scorecards.edition import COLUMNS, GRAINS, LEVELS, STATUSES, Edition
from scorecards.spreadsheet import guarded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scorecards.edition import Release

SCHEMA = "data/measure_values.schema.json"
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
    lines = _Lines()
    yield SCHEMA, _json(_schema())
    yield paths.metadata_path(paths.VALUES), _json(_metadata(paths.VALUES, "all areas and measures", edition.release))
    for area in edition.areas.values():
        by_measure = edition.values.get(area.key, {})
        rows = [value.cells for measure_id in edition.measures for value in by_measure.get(measure_id, ())]
        yield from _with_metadata(paths.download_path(area), lines.of(rows), area.name, edition.release)
    for measure in edition.measures.values():
        rows = [
            value.cells for key in edition.areas for value in edition.values.get(key, {}).get(measure.measure_id, ())
        ]
        yield from _with_metadata(paths.download_path(measure), lines.of(rows), measure.title, edition.release)


def _with_metadata(path: str, text: str, what: str, release: Release) -> Iterator[tuple[str, str]]:
    yield path, text
    yield paths.metadata_path(path), _json(_metadata(path, what, release))


class _Lines:
    """Rows as lines of CSV: each stands in the download of its area and in that of its measure, and is written once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], str] = {}
        self._guarded = lru_cache(maxsize=None)(guarded)  # few texts, and each in thousands of rows
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text, lineterminator="\n")
        self.header = self._written(COLUMNS)

    def of(self, rows: Iterable[tuple[str, ...]]) -> str:
        """A file of these rows."""
        return "".join([self.header, *map(self._line, rows)])

    def _line(self, row: tuple[str, ...]) -> str:
        line = self._known.get(row)
        if line is None:
            cells = list(row)
            for index in _TEXT_COLUMNS:
                cells[index] = self._guarded(cells[index])
            line = self._known[row] = self._written(cells)
        return line

    def _written(self, cells: Sequence[str]) -> str:
        self._text.seek(0)
        self._text.truncate()
        self._writer.writerow(cells)
        return self._text.getvalue()


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

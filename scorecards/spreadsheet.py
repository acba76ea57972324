"""Keeping spreadsheets from running what a download says.

Belongs here: which text a spreadsheet takes for a formula, and how it is shown instead. Does not belong here: writing
files (``scorecards.downloads``, ``scorecards.publication``).

Source: OWASP, *CSV Injection*.
"""

from __future__ import annotations

# The beginnings of a formula, in their plain and their full-width form.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def guarded(cell: str) -> str:
    """A text cell that a spreadsheet shows and does not run: an apostrophe goes before what looks like a formula."""
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA_STARTS) else cell


def guarded_in_sql(column: str) -> str:
    """The same for a text column, as a DuckDB expression; empty text becomes null."""
    starts = ", ".join(f"chr({ord(start)})" for start in FORMULA_STARTS)
    return f"case when left(ltrim({column}, ' '), 1) in ({starts}) then '''' || {column} else nullif({column}, '') end"

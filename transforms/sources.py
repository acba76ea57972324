"""dbt's sources of extracts, written from the contracts.

Belongs here: ``models/staging/sources_extracts.yml`` and nothing else. The file is kept in the project, so that dbt and
its readers find it without us; a build writes it anew where a contract was added or changed, so that a further kind of
extract needs its contract and its staging model only.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import yaml

from extracts.contract import all_contracts

SOURCES = Path(__file__).parent / "models" / "staging" / "sources_extracts.yml"
_HEAD = "# Written from extracts/contracts by transforms/sources.py whenever marts are built; change the contract.\n"


def sources_text() -> str:
    """The contracts as dbt sources: one table per kind, its columns as they are stored in the lake."""
    tables: list[dict[str, Any]] = [
        {
            "name": contract.kind,
            "description": contract.description,
            "columns": [{"name": column.stored_as, "description": column.description} for column in contract.columns],
        }
        for contract in all_contracts().values()
    ]
    source = {
        "name": "extracts",
        "description": "Rows of accepted deliveries as their contracts shape them; append only.",
        "database": "lake",
        "schema": "extracts",
        "tables": tables,
    }
    return _HEAD + yaml.safe_dump({"sources": [source]}, sort_keys=False, allow_unicode=True, width=110)


def write_sources() -> None:
    """Write the file where the contracts say something else than it does."""
    text = sources_text()
    if SOURCES.exists() and SOURCES.read_text(encoding="utf-8") == text:
        return
    unfinished = SOURCES.with_name(f".{secrets.token_hex(4)}")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, SOURCES)  # noqa: PTH105 - the atomic replacement is the point

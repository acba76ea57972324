"""Homes that tests begin with: copies of one that was made once, for to make one takes longer than most tests."""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any

from rasso.settings import Settings
from transforms.build import build
from warehouse.schema import prepare_home


def prepared_home(home: Path, **changes: Any) -> Settings:  # noqa: ANN401 - fields of Settings
    """A new home as ``prepare_home`` leaves it; one whose catalogue lies elsewhere is made and not copied."""
    settings = Settings(home=home, **changes)
    if settings.catalog:
        prepare_home(settings)
    else:
        shutil.copytree(_prepared(), settings.root, dirs_exist_ok=True)
    return settings


def built_home(home: Path, **changes: Any) -> Settings:  # noqa: ANN401 - fields of Settings
    """A new home whose marts were built once, of nothing: its next build makes what deliveries change."""
    settings = Settings(home=home, **changes)
    shutil.copytree(_built(), settings.root, dirs_exist_ok=True)
    return settings


@functools.cache
def _templates() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="homes-")


@functools.cache
def _prepared() -> Path:
    made = Path(_templates().name) / "prepared"
    prepare_home(Settings(home=made))
    return made


@functools.cache
def _built() -> Path:
    settings = prepared_home(Path(_templates().name) / "built")
    build(settings).checked()
    return settings.root

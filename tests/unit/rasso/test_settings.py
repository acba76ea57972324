"""The day of a home: today, or what the home's own file says."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from rasso.settings import AS_OF, Settings, SettingsError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("text", ["", "soon", "2021-13-01", "15/01/2021"])
def test_a_file_that_holds_no_day_says_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / AS_OF).write_text(text)
    with pytest.raises(SettingsError, match="holds no day; write one such as 2021-01-15, or remove the file"):
        Settings(home=tmp_path)


def test_the_file_fixes_the_day_also_with_a_line_break(tmp_path: Path) -> None:
    (tmp_path / AS_OF).write_text("2021-01-15\n")
    assert Settings(home=tmp_path).as_of == date(2021, 1, 15)


def test_without_the_file_it_is_today(tmp_path: Path) -> None:
    before = datetime.now(UTC).date()
    assert before <= Settings(home=tmp_path).as_of <= datetime.now(UTC).date()

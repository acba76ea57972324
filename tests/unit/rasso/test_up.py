"""What ``rasso up`` tells while it waits, where its words go to a file and not to a terminal."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console

from rasso import up
from warehouse.status import DeliveryStatus, Status

if TYPE_CHECKING:
    import pytest

    from rasso.settings import Settings


def delivery(hand_over_id: str, state: str) -> DeliveryStatus:
    return DeliveryStatus(
        "west-midlands-police", "20210108", hand_over_id, "police_crimes", "2020-12", state, None, 7, 0, False, None
    )  # fmt: skip


def status(*deliveries: DeliveryStatus) -> Status:
    return Status(deliveries, None, is_built=False, is_published=False, is_build_failed=False, has_rows=True)


def test_an_outcome_is_told_once_also_over_two_waits() -> None:
    words, told = StringIO(), set[str]()
    console = Console(file=words, width=200)
    up._say_news(console, status(delivery("first", "accepted"), delivery("second", "waiting")), told, set())
    up._say_news(console, status(delivery("first", "accepted"), delivery("second", "held")), told, set())
    outcomes = [line.split(":")[0] for line in words.getvalue().splitlines() if "west-midlands-police" in line]
    assert outcomes == ["accepted", "held"]


def test_what_waits_from_an_earlier_run_is_still_to_be_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = status(delivery("first", "accepted"), delivery("second", "waiting"))
    monkeypatch.setattr(up, "current_status", lambda _: found)
    assert up._concluded(settings) == {"first"}

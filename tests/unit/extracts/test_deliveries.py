"""Handing over: a delivery is complete when its manifest is there, and what does not fit is not handed over."""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from extracts.delivery import (
    MANIFEST,
    DeliveryError,
    Manifest,
    deliver,
    read_manifest,
    slug,
    waiting,
)
from extracts.period import Period

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CPS = "cps_principal_offence_outcomes"
SUPPLIER = "cps-headquarters"
MARCH = Period.parse("2014-03")
SENT_AT = datetime(2021, 6, 1, 12, tzinfo=UTC)

Event = tuple[str, tuple[str, ...]]
_watched: list[list[Event]] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Keep what is opened and renamed while a test watches."""
    if _watched and event in ("open", "os.rename"):
        _watched[-1].append((event, tuple(str(argument) for argument in arguments[:2])))


sys.addaudithook(_watch)  # cannot be taken away again; without a list to write to it does nothing


def _file(folder: Path, name: str = "extract.csv", text: str = "a,b\n1,2\n") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def _manifest_of(files: Sequence[tuple[str, str, str]]) -> Manifest:
    """A manifest of (name, period, content)."""
    return Manifest.model_validate(
        {
            "supplier": SUPPLIER,
            "sent_at": SENT_AT,
            "files": [
                {"name": name, "kind": CPS, "period": period, "sha256": hashlib.sha256(content.encode()).hexdigest()}
                for name, period, content in files
            ],
        }
    )


def test_a_delivery_says_what_was_handed_over(tmp_path: Path) -> None:
    landed = deliver(tmp_path / "landing", [_file(tmp_path)], SUPPLIER, CPS, period=MARCH, sent_at=SENT_AT)

    document = json.loads((landed.folder / MANIFEST).read_bytes())

    assert (document["supplier"], document["is_synthetic"]) == (SUPPLIER, False)
    assert datetime.fromisoformat(document["sent_at"]) == SENT_AT
    assert document["files"] == [
        {
            "name": "extract.csv",
            "kind": CPS,
            "contract_version": "1.0.0",
            "period": "2014-03",
            "sha256": hashlib.sha256(b"a,b\n1,2\n").hexdigest(),
        }
    ]


def test_a_delivery_is_waiting_and_can_be_read(tmp_path: Path) -> None:
    landed = deliver(tmp_path / "landing", [_file(tmp_path)], SUPPLIER, CPS, period=MARCH)

    assert waiting(tmp_path / "landing") == [landed]
    assert read_manifest(landed).files[0].period == "2014-03"


def test_the_manifest_is_written_last_and_atomically(tmp_path: Path) -> None:
    files = [_file(tmp_path, "first.csv"), _file(tmp_path, "second.csv", "c\n")]
    events: list[Event] = []
    _watched.append(events)
    landed = deliver(tmp_path / "landing", files, SUPPLIER, CPS, period=MARCH)
    _watched.pop()

    manifest = str(landed.folder / MANIFEST)
    written = [
        (event, paths) for event, paths in events if paths[-1] == manifest or paths[-1] == "w" or paths[-1] == "wb"
    ]
    opened = [paths[0] for event, paths in written if event == "open"]

    assert written[-1][0] == "os.rename"
    assert written[-1][1][1] == manifest
    assert manifest not in opened
    assert {path.name for path in landed.folder.iterdir()} == {MANIFEST, "first.csv", "second.csv"}


def test_a_folder_without_a_manifest_does_not_wait(tmp_path: Path) -> None:
    landed = deliver(tmp_path / "landing", [_file(tmp_path)], SUPPLIER, CPS, period=MARCH)
    (landed.folder / MANIFEST).unlink()

    assert waiting(tmp_path / "landing") == []


def test_each_file_s_month_is_taken_from_its_name(tmp_path: Path) -> None:
    files = [_file(tmp_path, "outcomes_march_2014.csv"), _file(tmp_path, "outcomes_Sep_2014.csv", "c\n")]

    landed = deliver(tmp_path / "landing", files, SUPPLIER, CPS)

    assert [file.period for file in read_manifest(landed).files] == ["2014-03", "2014-09"]


def test_two_deliveries_of_the_same_moment_do_not_meet(tmp_path: Path) -> None:
    file = _file(tmp_path)
    landed = [
        deliver(tmp_path / "landing", [file], SUPPLIER, CPS, period=MARCH, sent_at=SENT_AT).folder for _ in range(3)
    ]

    assert len(set(landed)) == 3


def test_a_supplier_s_own_files_stay_as_they_are(tmp_path: Path) -> None:
    file = _file(tmp_path)

    deliver(tmp_path / "landing", [file], SUPPLIER, CPS, period=MARCH)

    assert file.read_text(encoding="utf-8") == "a,b\n1,2\n"


@pytest.mark.parametrize(
    ("code", "names", "said"),
    [
        ("MISSING_FILE", ["absent.csv"], (SUPPLIER, CPS, MARCH)),
        ("MISSING_FILE", ["extract.csv", "absent.csv"], (SUPPLIER, CPS, MARCH)),
        ("MISSING_FILE", [], (SUPPLIER, CPS, MARCH)),
        ("MISSING_FILE", ["."], (SUPPLIER, CPS, MARCH)),
        ("UNKNOWN_KIND", ["extract.csv"], (SUPPLIER, "horoscopes", MARCH)),
        ("UNKNOWN_KIND", ["extract.csv"], (SUPPLIER, "two\nlines", MARCH)),
        ("UNKNOWN_SUPPLIER", ["extract.csv"], ("nobody", CPS, MARCH)),
        ("UNKNOWN_SUPPLIER", ["extract.csv"], ("../home-office", CPS, MARCH)),
        ("WRONG_SUPPLIER", ["extract.csv"], ("home-office", CPS, MARCH)),
        ("NO_PERIOD", ["extract.csv"], (SUPPLIER, CPS, None)),
        ("NO_PERIOD", ["march_1066.csv"], (SUPPLIER, CPS, None)),
        ("NO_PERIOD", ["march_2014.csv", "extract.csv"], (SUPPLIER, CPS, None)),
        ("BAD_FILE_NAME", ["-rf.csv"], (SUPPLIER, CPS, MARCH)),
        ("BAD_FILE_NAME", ["semi;colon.csv"], (SUPPLIER, CPS, MARCH)),
        ("BAD_FILE_NAME", ["two\nlines.csv"], (SUPPLIER, CPS, MARCH)),
        ("BAD_FILE_NAME", ["dots..csv"], (SUPPLIER, CPS, MARCH)),
        ("BAD_FILE_NAME", ["tab\u202etxt.csv"], (SUPPLIER, CPS, MARCH)),
        ("BAD_FILE_NAME", [MANIFEST], (SUPPLIER, CPS, MARCH)),
        ("BAD_FILE_NAME", ["extract.csv", "-rf.csv"], (SUPPLIER, CPS, MARCH)),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line_and_nothing_waits(
    tmp_path: Path, code: str, names: list[str], said: tuple[str, str, Period | None]
) -> None:
    for name in names:
        if name not in ("absent.csv", "."):
            _file(tmp_path / "mine", name)
    files = [tmp_path / "mine" / name for name in names]
    supplier, kind, period = said

    with pytest.raises(DeliveryError) as refusal:
        deliver(tmp_path / "landing", files, supplier, kind, period=period)

    assert refusal.value.code == code
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 300
    assert waiting(tmp_path / "landing") == []


FILES = (("a.csv", "2014-03", "one"), ("b.csv", "2014-04", "two"), ("c.csv", "2014-05", "three"))


def test_a_delivery_is_the_same_in_whatever_order_its_files_are_named() -> None:
    assert _manifest_of(FILES).delivery_id == _manifest_of(FILES[::-1]).delivery_id


def test_a_delivery_is_the_same_whatever_its_files_are_called() -> None:
    renamed = [(f"other-{name}", period, content) for name, period, content in FILES]

    assert _manifest_of(renamed).delivery_id == _manifest_of(FILES).delivery_id


@pytest.mark.parametrize(
    "files",
    [
        (("a.csv", "2014-03", "ONE"), *FILES[1:]),
        (("a.csv", "2014-06", "one"), *FILES[1:]),
        FILES[:2],
        (("a.csv", "2014-04", "one"), ("b.csv", "2014-03", "two"), FILES[2]),
    ],
    ids=["other bytes", "other period", "fewer files", "periods swapped"],
)
def test_other_bytes_or_periods_are_another_delivery(files: Sequence[tuple[str, str, str]]) -> None:
    assert _manifest_of(files).delivery_id != _manifest_of(FILES).delivery_id


def test_the_same_bytes_in_another_folder_are_the_same_delivery_and_another_hand_over(tmp_path: Path) -> None:
    file = _file(tmp_path)
    first = deliver(tmp_path / "landing", [file], SUPPLIER, CPS, period=MARCH, sent_at=SENT_AT)
    second = deliver(tmp_path / "landing", [file], SUPPLIER, CPS, period=MARCH, sent_at=SENT_AT)

    assert read_manifest(first).delivery_id == read_manifest(second).delivery_id
    assert first.hand_over_id != second.hand_over_id


@pytest.mark.parametrize(
    ("text", "expected"), [("home-office", "home-office"), ("Home Office!", "home-office"), ("../..", ""), ("", "")]
)
def test_a_text_becomes_a_part_of_a_path(text: str, expected: str) -> None:
    assert slug(text) == expected

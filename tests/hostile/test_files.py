"""Broken and hostile files and manifests: the verdict that each gets, and the good delivery that waits beside it.

Everything is received in one run: a few cases, their good neighbour, the next cases, their neighbour, and so on, so
that a case that takes the intake down takes its neighbour down with it.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import stat
import zipfile
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_extracts import CPS, CRIME, cps_month, good_extract, recorded_crime

from extracts.contract import all_contracts
from extracts.delivery import MANIFEST, MANIFEST_LIMIT, LandedDelivery, deliver
from tests.homes import prepared_home
from warehouse.archive import opened
from warehouse.intake import receive_deliveries, waiting_batches
from warehouse.keys import read_keys
from warehouse.lake import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from rasso.settings import Settings
    from warehouse.record import ReceiptOutcome

SENT_FIRST = datetime(2021, 1, 1, tzinfo=UTC)
LONG_FIELD = 10 * 1024 * 1024
CASES_PER_NEIGHBOUR = 4
EXTRA_HEADER = "Extra header 5b1f"
EXTRA_TEXT = "extra text 9c7e"
KEY_IN_MANIFEST = "unknown_key"
UNNAMED_TEXT = "notes beside the extract 3f0a"


def _untouched(_landed: LandedDelivery) -> None:
    """What was handed over stays as it is."""


@dataclass(frozen=True)
class Hostile:
    """One hostile delivery and the verdict that it must get."""

    state: str
    code: str | None
    content: Callable[[], bytes]
    kind: str = CPS
    file_name: str = "extract.csv"
    tamper: Callable[[LandedDelivery], None] = _untouched
    rows_loaded: int = 0


# ---- content -------------------------------------------------------------------------------------------------------


def _cps(seed: int) -> bytes:
    return cps_month(seed).text().encode()


def _crime(seed: int) -> bytes:
    return recorded_crime(seed).text().encode()


def _replaced(old: bytes, new: bytes, seed: int) -> Callable[[], bytes]:
    return lambda: _cps(seed).replace(old, new, 1)


def _header_only() -> bytes:
    return _cps(0).splitlines(keepends=True)[0]


def _truncated_gzip() -> bytes:
    whole = gzip.compress(_cps(1))
    return whole[: len(whole) // 2]


def _damaged_gzip() -> bytes:
    whole = bytearray(gzip.compress(_cps(2)))
    whole[len(whole) // 2] ^= 0xFF
    return bytes(whole)


def _mixed_newlines() -> bytes:
    return _cps(3).replace(b"\n", b"\r\n", 10).replace(b"\n", b"\r", 20)


def _crime_described(words: str, seed: int, encoding: str = "utf-8") -> Callable[[], bytes]:
    def content() -> bytes:
        extract = recorded_crime(seed)
        for row in range(0, len(extract.rows), 5):  # every force's row of one code, so that its words do not differ
            extract.put("Offence Description", words, row)
        return extract.text().encode(encoding)

    return content


def _undeclared_extra_column() -> bytes:
    extract = recorded_crime(4)
    extract.header.append(EXTRA_HEADER)
    for row in extract.rows:
        row.append(EXTRA_TEXT)
    return extract.text().encode()


def _cps_table(seed: int) -> dict[str, list[Any]]:
    extract = cps_month(seed)
    names = ["Area", *extract.header[1:]]  # Parquet has no empty header
    return {name: [row[index] for row in extract.rows] for index, name in enumerate(names)}


def _parquet(table: Mapping[str, Any]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(dict(table)), out)
    return out.getvalue()


def _parquet_with_corrupt_footer() -> bytes:
    whole = _parquet(_cps_table(5))
    return whole[:-40] + b"\xff" * 32 + whole[-8:]


def _parquet_with_other_types() -> bytes:
    table = _cps_table(6)
    numbers = {
        name: [text.replace(",", "") for text in table[name]] for name in table if name.startswith("Number of S")
    }
    convicted, unsuccessful = numbers
    table[convicted] = pa.array([float(text) for text in numbers[convicted]])
    table[unsuccessful] = pa.array([int(text) for text in numbers[unsuccessful]], pa.int32())
    return _parquet(table)


def _parquet_with_nested_undeclared_column() -> bytes:
    return _parquet(_cps_table(7) | {EXTRA_HEADER: [{"text": EXTRA_TEXT}] * 43})


def _parquet_with_nested_count() -> bytes:
    table = _cps_table(8)
    counts = table["Number of Sexual Offences Convictions"]
    return _parquet(
        table | {"Number of Sexual Offences Convictions": [[int(text.replace(",", ""))] for text in counts]}
    )


def _workbook(rows: Iterable[Sequence[str]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _xlsx(seed: int) -> bytes:
    extract = cps_month(seed)
    return _workbook([extract.header, *extract.rows])


def _corrupt_xlsx() -> bytes:
    whole = _xlsx(9)
    return whole[: len(whole) // 2]


def _gzip_bomb() -> bytes:
    """A quarter of a megabyte that unpacks to a good header and 256 MiB of rows."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    rows = b"Lancashire,1,100.0,0,0.0,0,0.0\n" * (1 << 15)
    parts = [packer.compress(_header_only()), *(packer.compress(rows) for _ in range(1 + (256 << 20) // len(rows)))]
    return b"".join([*parts, packer.flush()])


def _gzip_bomb_of_many_members() -> bytes:
    """Each member is small and says so; together they are not."""
    member = gzip.compress(b"Lancashire,1,100.0,0,0.0,0,0.0\n" * (1 << 18), mtime=0)
    return gzip.compress(_header_only(), mtime=0) + member * 12


def _zip(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


_SHEET = "xl/worksheets/sheet1.xml"


def _xlsx_changed(seed: int, member: str, change: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    """A good workbook, one of whose members is changed."""

    def content() -> bytes:
        with zipfile.ZipFile(io.BytesIO(_xlsx(seed))) as book:
            members = {name: book.read(name) for name in book.namelist()}
        return _zip(members | {member: change(members[member])})

    return content


def _with_entities(declarations: bytes) -> Callable[[bytes], bytes]:
    """XML that declares entities and calls one where a text stands."""

    def change(document: bytes) -> bytes:
        return b"<!DOCTYPE worksheet [" + declarations + b"]>" + document.replace(b"Lancashire", b"&e9;", 1)

    return change


_MULTIPLYING = b'<!ENTITY e0 "Lancashire">' + b"".join(
    b'<!ENTITY e%d "%s">' % (level, b"&e%d;" % (level - 1) * 10) for level in range(1, 10)
)


def _xlsx_with_two_header_rows() -> bytes:
    extract = cps_month(70)
    return _workbook([extract.header, extract.header, *extract.rows])


def _xlsx_with_a_formula() -> bytes:
    """A count that nobody has computed yet: the workbook holds its formula alone."""
    extract = cps_month(71)
    extract.put("Number of Sexual Offences Convictions", "=1+1", row=1)
    return _workbook([extract.header, *extract.rows])


def _a_hundred_thousand_columns() -> bytes:
    return ",".join(f"c{number}" for number in range(100_000)).encode() + b"\n" + b"," * 99_999 + b"\n"


def _parquet_of_very_many_rows() -> bytes:
    """A few kilobytes that repeat nothing a hundred million times."""
    return _parquet({"Area": pa.nulls(100_000_001)})


def _counts_that_overflow() -> bytes:
    extract = cps_month(60)
    extract.put("Number of Sexual Offences Convictions", str(2**63 - 1), row=1)
    extract.put("Number of Sexual Offences Unsuccessful", str(2**63 - 1), row=1)
    return extract.text().encode()


# ---- what happens to a delivery in the landing folder --------------------------------------------------------------


def _manifest(**changes: object) -> Callable[[LandedDelivery], None]:
    """Change the manifest's own entries."""

    def tamper(landed: LandedDelivery) -> None:
        path = landed.folder / MANIFEST
        path.write_text(json.dumps(json.loads(path.read_bytes()) | changes), encoding="utf-8")

    return tamper


def _entry(**changes: object) -> Callable[[LandedDelivery], None]:
    """Change what the manifest says of its one file."""

    def tamper(landed: LandedDelivery) -> None:
        path = landed.folder / MANIFEST
        document = json.loads(path.read_bytes())
        document["files"][0].update(changes)
        path.write_text(json.dumps(document), encoding="utf-8")

    return tamper


def _manifest_text(text: str) -> Callable[[LandedDelivery], None]:
    def tamper(landed: LandedDelivery) -> None:
        (landed.folder / MANIFEST).write_text(text, encoding="utf-8")

    return tamper


def _file_named_twice(landed: LandedDelivery) -> None:
    path = landed.folder / MANIFEST
    document = json.loads(path.read_bytes())
    document["files"].append(document["files"][0] | {"name": "EXTRACT.csv"})
    path.write_text(json.dumps(document), encoding="utf-8")


def _file_that_nobody_names(landed: LandedDelivery) -> None:
    (landed.folder / "notes.txt").write_text(UNNAMED_TEXT)


def _removed(landed: LandedDelivery) -> None:
    (landed.folder / "extract.csv").unlink()


def _replaced_after_hashing(landed: LandedDelivery) -> None:
    (landed.folder / "extract.csv").write_bytes(_cps(999))


def _link_to_the_same_bytes(landed: LandedDelivery) -> None:
    outside = landed.folder.parent.parent.parent / "outside.csv"
    (landed.folder / "extract.csv").replace(outside)
    (landed.folder / "extract.csv").symlink_to(outside)


def _hard_link_to_the_same_bytes(landed: LandedDelivery) -> None:
    outside = landed.folder.parent.parent.parent / "outside-hard.csv"
    (landed.folder / "extract.csv").replace(outside)
    (landed.folder / "extract.csv").hardlink_to(outside)


def _device_under_its_name(landed: LandedDelivery) -> None:
    """A device that never ends; where none may be made, one that is there."""
    _removed(landed)
    os.mknod(landed.folder / "extract.csv", stat.S_IFCHR | 0o600, os.makedev(1, 5))


def _grown(landed: LandedDelivery) -> None:
    with (landed.folder / "extract.csv").open("ab") as file:
        file.write(b"Atlantis,1,100.0,0,0.0,0,0.0\n")


def _folder_under_its_name(landed: LandedDelivery) -> None:
    _removed(landed)
    (landed.folder / "extract.csv").mkdir()


def _pipe_under_its_name(landed: LandedDelivery) -> None:
    _removed(landed)
    os.mkfifo(landed.folder / "extract.csv")


def _rejected(code: str, content: Callable[[], bytes], file_name: str = "extract.csv") -> Hostile:
    return Hostile("rejected", code, content, file_name=file_name)


def _accepted(content: Callable[[], bytes], file_name: str = "extract.csv") -> Hostile:
    return Hostile("accepted", None, content, file_name=file_name, rows_loaded=43)


def _crime_accepted(content: Callable[[], bytes]) -> Hostile:
    return Hostile("accepted", None, content, kind=CRIME, rows_loaded=220)


def _tampered(code: str, tamper: Callable[[LandedDelivery], None], seed: int, state: str = "rejected") -> Hostile:
    return Hostile(state, code, lambda: _cps(seed), tamper=tamper)


CASES: dict[str, Hostile] = {
    # formats and encodings
    "truncated gzip": _rejected("UNREADABLE_FILE", _truncated_gzip, "extract.csv.gz"),
    "damaged gzip": _rejected("UNREADABLE_FILE", _damaged_gzip, "extract.csv.gz"),
    "whole gzip": _accepted(lambda: gzip.compress(_cps(10), mtime=0), "extract.csv.gz"),
    "empty file": _rejected("EMPTY_FILE", lambda: b""),
    "blank lines only": _rejected("EMPTY_FILE", lambda: b"\r\n\n \n"),
    "header only": _rejected("EMPTY_FILE", _header_only),
    "header of commas": _rejected("MISSING_HEADER", lambda: b",,,\n1,2,3,4\n"),
    "NUL byte in a name": _rejected("NUL_BYTES", _replaced(b"Lancashire", b"Lanca\x00shire", 11)),
    "UTF-16": _rejected("NUL_BYTES", lambda: cps_month(12).text().encode("utf-16")),
    "neither UTF-8 nor Windows-1252": _rejected("UNKNOWN_ENCODING", _replaced(b"Lancashire", b"Lanca\x81\x8d", 13)),
    "byte order mark": _accepted(lambda: b"\xef\xbb\xbf" + _cps(14)),
    "CR-only line ends": _accepted(lambda: _cps(15).replace(b"\n", b"\r")),
    "CRLF line ends": _accepted(lambda: _cps(16).replace(b"\n", b"\r\n")),
    "mixed line ends": _accepted(_mixed_newlines),
    "Windows-1252 en dash": _crime_accepted(_crime_described("Caution \u2013 adults", 17, "cp1252")),
    "newline within quotes": _crime_accepted(_crime_described("two\nlines", 18)),
    "formula in a text": _crime_accepted(_crime_described('=HYPERLINK("http://localhost")', 19)),
    "SQL in a text": _crime_accepted(_crime_described("'; drop table lake.ledger.delivery; --", 72)),
    "HTML in a text": _crime_accepted(_crime_described("<script>alert(1)</script>", 73)),
    "SVG in a text": _crime_accepted(_crime_described("<svg onload=alert(1)>", 74)),
    "sum in a text": _crime_accepted(_crime_described("+1", 75)),
    "function in a text": _crime_accepted(_crime_described("@SUM(A1)", 76)),
    "formula behind a tab": _crime_accepted(_crime_described("\t=1+1", 77)),
    "gzip bomb": _rejected("TOO_LARGE", _gzip_bomb, "extract.csv.gz"),
    "gzip bomb of many members": _rejected("TOO_LARGE", _gzip_bomb_of_many_members, "extract.csv.gz"),
    # table structure
    "a hundred thousand columns": _rejected("TOO_MANY_COLUMNS", _a_hundred_thousand_columns),
    "two blank headers": _rejected("DUPLICATE_HEADER", _replaced(b"Number of Admin Finalised Unsuccessful", b"", 78)),
    "quote that never closes": _rejected("UNREADABLE_FILE", _replaced(b"Lancashire", b'"Lancashire', 20)),
    "quote that never closes in the header": _rejected("MISSING_COLUMN", lambda: b'"' + _crime(21)),
    "row with too many fields": _rejected("UNREADABLE_FILE", _replaced(b"Lancashire,", b"Lancashire,1,2,", 22)),
    "row with too few fields": _rejected("UNREADABLE_FILE", _replaced(b"Lancashire,", b"", 23)),
    "duplicate header": _rejected(
        "DUPLICATE_HEADER",
        _replaced(b"Number of Admin Finalised Unsuccessful", b"Percentage of Admin Finalised Unsuccessful", 24),
    ),
    "two headers for one column": _rejected(
        "AMBIGUOUS_HEADER", _replaced(b"Number of Admin Finalised Unsuccessful", b"Area", 25)
    ),
    "required column missing": _rejected(
        "MISSING_COLUMN", _replaced(b"Number of Sexual Offences Convictions", b"Something", 26)
    ),
    "undeclared extra column": _crime_accepted(_undeclared_extra_column),
    "field of 10 MB": _rejected("UNREADABLE_FILE", _replaced(b"Lancashire", b'"' + b"L" * LONG_FIELD + b'"', 27)),
    # Parquet and XLSX
    "Parquet with a corrupt footer": _rejected("UNREADABLE_FILE", _parquet_with_corrupt_footer, "extract.parquet"),
    "Parquet cut in half": _rejected(
        "UNREADABLE_FILE", lambda: _parquet(_cps_table(28))[:900], "extract.parquet"
    ),
    "Parquet with other types that still parse": _accepted(_parquet_with_other_types, "extract.parquet"),
    "Parquet with a nested undeclared column": _accepted(_parquet_with_nested_undeclared_column, "extract.parquet"),
    "Parquet with nested counts": Hostile("held", "PO-019", _parquet_with_nested_count, file_name="extract.parquet"),
    "XLSX, by its first sheet": _accepted(lambda: _xlsx(61), "extract.xlsx"),
    "Parquet of very many rows": _rejected("TOO_LARGE", _parquet_of_very_many_rows, "extract.parquet"),
    "XLSX bomb": _rejected(
        "TOO_LARGE",
        _xlsx_changed(79, _SHEET, lambda _: b" " * (128 << 20)),
        "extract.xlsx",
    ),
    "XLSX of very many members": _rejected(
        "TOO_LARGE", lambda: _zip({f"xl/{number}.xml": b"" for number in range(1001)}), "extract.xlsx"
    ),
    "XLSX with an external entity": _rejected(
        "UNREADABLE_FILE",
        _xlsx_changed(80, _SHEET, _with_entities(b'<!ENTITY e9 SYSTEM "file:///etc/hostname">')),
        "extract.xlsx",
    ),
    "XLSX with entities that multiply": _rejected(
        "UNREADABLE_FILE", _xlsx_changed(81, _SHEET, _with_entities(_MULTIPLYING)), "extract.xlsx"
    ),
    "XLSX with two header rows": Hostile(
        "accepted", None, _xlsx_with_two_header_rows, file_name="extract.xlsx", rows_loaded=43
    ),
    "XLSX with a formula for a count": Hostile(
        "held", "PO-010", _xlsx_with_a_formula, file_name="extract.xlsx"
    ),
    "year before all records in the file name": _accepted(lambda: _cps(62), "march_1800.csv"),
    "counts that overflow": Hostile("held", "PO-010", _counts_that_overflow),
    "XLSX cut in half": _rejected("UNREADABLE_FILE", _corrupt_xlsx, "extract.xlsx"),
    # the landing folder
    "file replaced after hashing": _tampered("WRONG_CONTENT", _replaced_after_hashing, 29),
    "link instead of the file": _tampered("WRONG_CONTENT", _link_to_the_same_bytes, 30),
    "hard link to the same bytes": Hostile(
        "accepted", None, lambda: _cps(82), tamper=_hard_link_to_the_same_bytes, rows_loaded=43
    ),
    "device instead of the file": _tampered("WRONG_CONTENT", _device_under_its_name, 83),
    "file that is still growing": _tampered("WRONG_CONTENT", _grown, 84),
    "folder instead of the file": _tampered("WRONG_CONTENT", _folder_under_its_name, 31),
    "pipe instead of the file": _tampered("WRONG_CONTENT", _pipe_under_its_name, 32),
    "file that nobody names": _tampered("UNNAMED_FILE", _file_that_nobody_names, 63),
    "file named but absent": _tampered("WRONG_CONTENT", _removed, 33),
    # the manifest
    "manifest is no JSON": _tampered("BAD_MANIFEST", _manifest_text("{"), 34),
    "manifest is nested too deep": _tampered("BAD_MANIFEST", _manifest_text("[" * 100_000), 35),
    "manifest is too large": _tampered("BAD_MANIFEST", _manifest_text(" " * (MANIFEST_LIMIT + 1)), 36),
    "manifest with an unknown key": _tampered("BAD_MANIFEST", _manifest(**{KEY_IN_MANIFEST: 1}), 37),
    "manifest without files": _tampered("BAD_MANIFEST", _manifest(files=[]), 38),
    "time without a zone": _tampered("BAD_MANIFEST", _manifest(sent_at="2021-01-01T00:00:00"), 39),
    "more rows than can be counted": _tampered("BAD_MANIFEST", _entry(rows=10**30), 64),
    "file named twice": _tampered("BAD_MANIFEST", _file_named_twice, 40),
    "file name that climbs": _tampered("BAD_MANIFEST", _entry(name="../extract.csv"), 41),
    "absolute file name": _tampered("BAD_MANIFEST", _entry(name="/etc/hostname"), 42),
    "file name with NUL": _tampered("BAD_MANIFEST", _entry(name="extract\x00.csv"), 43),
    "file name with a bidirectional override": _tampered("BAD_MANIFEST", _entry(name="extract\u202evsc.exe"), 44),
    "file name of 300 characters": _tampered("BAD_MANIFEST", _entry(name="e" * 300), 45),
    "manifest as its own file": _tampered("BAD_MANIFEST", _entry(name=MANIFEST), 46),
    "sha256 that is none": _tampered("BAD_MANIFEST", _entry(sha256="0" * 63), 47),
    "period that is none": _tampered("BAD_MANIFEST", _entry(period="2017-13"), 48),
    "unknown kind": _tampered("UNKNOWN_KIND", _entry(kind="cps_receipts_of_mars"), 49),
    "kind of another supplier": _tampered("WRONG_SUPPLIER", _entry(kind=CRIME), 50),
    "manifest of another supplier": _tampered("WRONG_FOLDER", _manifest(supplier="home-office"), 51),
    "period in the future": _tampered("PERIOD_IN_FUTURE", _entry(period="2998-12"), 52, state="held"),
    "more rows declared than found": _tampered("PO-020", _entry(rows=44), 53, state="held"),
}  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One home after one run over all cases; ``folders`` and ``neighbours`` give the names of delivery folders."""

    settings: Settings
    folders: Mapping[str, str]
    neighbours: Mapping[str, str]
    outcomes: Mapping[str, ReceiptOutcome]
    verdicts: Mapping[str, list[tuple[str, str | None]]]
    rows_in_lake: Mapping[str, int]

    def outcome(self, name: str) -> ReceiptOutcome:
        """What became of a case."""
        return self.outcomes[self.folders[name]]

    def report(self, name: str) -> dict[str, Any]:
        """The report of a case as data."""
        document: dict[str, Any] = json.loads((self.outcome(name).report.parent / "report.json").read_bytes())
        return document

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the lake."""
        with reading(self.settings) as connection:
            return connection.execute(query, list(values)).fetchall()


def _hand_over(settings: Settings, scratch: Path, number: int, case: Hostile) -> str:
    """Hand a case over; returns the name of its folder."""
    good = good_extract(case.kind)
    file = scratch / case.file_name
    file.write_bytes(case.content())
    sent_at = SENT_FIRST + timedelta(hours=number)
    landed = deliver(settings.landing, [file], good.supplier, case.kind, period=good.period, sent_at=sent_at)
    case.tamper(landed)
    return landed.name


def _hand_over_neighbour(settings: Settings, scratch: Path, number: int) -> str:
    """Hand a good delivery over that is received after this many cases; returns the name of its folder."""
    good = cps_month(seed=1000 + number)
    sent_at = SENT_FIRST + timedelta(hours=number, minutes=-1)
    file = good.write(scratch / "good.csv")
    return deliver(settings.landing, [file], good.supplier, CPS, period=good.period, sent_at=sent_at).name


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    scratch = tmp_path_factory.mktemp("hostile")
    settings = prepared_home(scratch / "home", receive_batch=1000)
    folders = {name: _hand_over(settings, scratch, number, case) for number, (name, case) in enumerate(CASES.items())}
    blocks = range((len(CASES) - 1) // CASES_PER_NEIGHBOUR + 1)
    beside = [_hand_over_neighbour(settings, scratch, (block + 1) * CASES_PER_NEIGHBOUR) for block in blocks]
    (batch,) = waiting_batches(settings)
    outcomes = receive_deliveries(settings, batch)
    verdicts: dict[str, list[tuple[str, str | None]]] = {}
    rows_in_lake: dict[str, int] = {}
    with reading(settings) as connection:
        recorded = connection.execute("select delivery_name, state, reason_code from lake.ledger.delivery").fetchall()
        for kind in all_contracts():
            counts = f"select delivery_id, count(*) from lake.extracts.{kind} group by all"
            rows_in_lake |= dict(connection.execute(counts).fetchall())
    for folder, *verdict in recorded:
        verdicts.setdefault(folder, []).append((verdict[0], verdict[1]))
    return Run(
        settings,
        folders,
        {name: beside[number // CASES_PER_NEIGHBOUR] for number, name in enumerate(CASES)},
        {outcome.delivery_name: outcome for outcome in outcomes},
        verdicts,
        rows_in_lake,
    )


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_delivery_gets_exactly_one_verdict(run: Run, name: str) -> None:
    assert run.verdicts[run.folders[name]] == [(CASES[name].state, CASES[name].code)]


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_delivery_loads_what_it_may_and_no_more(run: Run, name: str) -> None:
    outcome = run.outcome(name)

    assert outcome.rows_loaded == CASES[name].rows_loaded
    assert run.rows_in_lake.get(outcome.delivery_id or "", 0) == CASES[name].rows_loaded


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_delivery_has_a_report_that_says_why(run: Run, name: str) -> None:
    document = run.report(name)

    assert {path.name for path in run.outcome(name).report.parent.iterdir()} == {
        "report.json",
        "feedback.csv",
        "index.html",
    }
    assert (document["state"], document["reason_code"]) == (CASES[name].state, CASES[name].code)
    assert bool(document["reason"]) == (CASES[name].code is not None)


@pytest.mark.parametrize("name", CASES)
def test_a_reason_is_one_short_line(run: Run, name: str) -> None:
    reason = run.outcome(name).reason or ""

    assert len(reason) < 300
    assert reason.isprintable()


@pytest.mark.parametrize("name", CASES)
def test_a_good_delivery_beside_a_hostile_one_is_accepted_in_the_same_run(run: Run, name: str) -> None:
    outcome = run.outcomes[run.neighbours[name]]

    assert (outcome.state, outcome.reason, outcome.rows_loaded) == ("accepted", None, 43)


def test_the_landing_folder_is_empty_when_all_have_their_verdict(run: Run) -> None:
    assert list(run.settings.landing.glob("*/*")) == []


def test_nothing_stays_staged(run: Run) -> None:
    assert list((run.settings.lake / "staged").glob("*")) == []


def test_a_file_outside_the_landing_folder_is_left_alone(run: Run) -> None:
    assert (run.settings.root / "outside.csv").read_bytes() == _cps(30)
    assert (run.settings.root / "outside-hard.csv").read_bytes() == _cps(82)


@pytest.mark.parametrize(
    ("name", "repairs"),
    [
        ("byte order mark", ["byte order mark removed"]),
        ("CR-only line ends", ["line endings mended"]),
        ("mixed line ends", ["line endings mended"]),
        ("Windows-1252 en dash", ["converted from Windows-1252"]),
        ("CRLF line ends", []),
        ("whole gzip", []),
    ],
)
def test_a_repair_is_told(run: Run, name: str, repairs: list[str]) -> None:
    assert run.report(name)["files"][0]["repairs"] == repairs


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Windows-1252 en dash", "Caution \u2013 adults"),
        ("newline within quotes", "two\nlines"),
        ("formula in a text", '=HYPERLINK("http://localhost")'),
        ("SQL in a text", "'; drop table lake.ledger.delivery; --"),
        ("HTML in a text", "<script>alert(1)</script>"),
        ("SVG in a text", "<svg onload=alert(1)>"),
        ("sum in a text", "+1"),
        ("function in a text", "@SUM(A1)"),
        ("formula behind a tab", "\t=1+1"),
    ],
)
def test_a_repaired_or_odd_text_is_loaded_as_it_was_meant(run: Run, name: str, words: str) -> None:
    loaded = run.rows(
        f"""
        select distinct offence_description
        from lake.extracts.{CRIME}
        where delivery_id = ? and offence_code = '19C'
        """,
        run.outcome(name).delivery_id,
    )

    assert loaded == [(words,)]


def test_other_types_of_parquet_give_the_same_counts(run: Run) -> None:
    loaded = run.rows(
        f"""
        select area_name, sexual_offences_convictions_count, sexual_offences_unsuccessful_count
        from lake.extracts.{CPS} where delivery_id = ? order by row_number
        """,
        run.outcome("Parquet with other types that still parse").delivery_id,
    )

    assert loaded == [(row[0], *(int(row[at].replace(",", "")) for at in (1, 3))) for row in cps_month(6).rows]


@pytest.mark.parametrize("name", ["undeclared extra column", "Parquet with a nested undeclared column"])
def test_an_undeclared_column_is_told_by_its_position(run: Run, name: str) -> None:
    (told,) = run.report(name)["files"][0]["undeclared_columns"]

    assert re.fullmatch(r"column \d+", told)


@pytest.mark.parametrize("text", [EXTRA_HEADER, EXTRA_TEXT])
def test_an_undeclared_column_is_in_the_encrypted_archive_and_nowhere_else(run: Run, text: str) -> None:
    holding = {
        path.relative_to(run.settings.root).parts[0]
        for path in run.settings.root.rglob("*")
        if path.is_file() and "extensions" not in path.parts and text.encode() in path.read_bytes()
    }

    assert holding == set()
    assert any(text.encode() in content for content in _archived(run.settings))


def _archived(settings: Settings) -> set[bytes]:
    """What the archive holds, read with its key."""
    keys, contents = read_keys(settings), set()
    for path in settings.archive.glob("??/*"):
        with opened(settings, keys, path.name) as file:
            contents.add(file.read())
    return contents


@pytest.mark.parametrize("kind", all_contracts())
def test_a_table_of_the_lake_has_the_contract_s_columns_and_no_others(run: Run, kind: str) -> None:
    described = run.rows(f"describe lake.extracts.{kind}")

    assert [row[0] for row in described] == [
        *("delivery_id", "file_id", "row_number"),
        *(column.stored_as for column in all_contracts()[kind].columns),
    ]


@pytest.mark.parametrize(
    "name", ["file that nobody names", "manifest is no JSON", "more rows than can be counted", "unknown kind"]
)
def test_what_could_not_be_received_is_kept_in_the_archive(run: Run, name: str) -> None:
    kept = _archived(run.settings)
    assert CASES[name].content() in kept
    assert UNNAMED_TEXT.encode() in kept


def test_a_key_that_no_manifest_has_is_not_echoed(run: Run) -> None:
    assert KEY_IN_MANIFEST not in (run.outcome("manifest with an unknown key").reason or "")


def test_every_row_of_every_file_is_accounted_for(run: Run) -> None:
    unexplained = run.rows(
        "select * from lake.ledger.delivery_file where rows_in <> rows_loaded + rows_quarantined + rows_duplicate"
    )

    assert unexplained == []


def test_a_delivery_folder_that_is_a_link_is_not_followed(settings: Settings, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    extract = cps_month()
    landed = deliver(elsewhere, [extract.write(tmp_path / "extract.csv")], extract.supplier, CPS, period=extract.period)
    (settings.landing / extract.supplier).mkdir()
    (settings.landing / extract.supplier / "link").symlink_to(landed.folder)

    assert waiting_batches(settings) == []
    assert (landed.folder / "extract.csv").is_file()
